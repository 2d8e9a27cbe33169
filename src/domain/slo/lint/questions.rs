//! What a lint wants to know of a server, from objectives alone. Each question once, however many objectives want it, and
//! never more than [`LIMIT`] of a kind, or [`SINGLES`] of those that cannot share a request. Never asks.

use crate::domain::slo::lint::query::{metric, plain, selectors, sent};
use crate::domain::slo::objective::{AlertPair, Bad, Objective, Sli};
use crate::domain::slo::promql::counter::Counter;
use crate::domain::slo::promql::{self, WINDOW};
use crate::domain::time::{Span, prometheus};
use promql_parser::label::MatchOp;
use promql_parser::parser::{Expr, VectorSelector};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most questions of one kind.
pub const LIMIT: usize = 2_500;
/// The most questions of a kind that take a request each.
pub const SINGLES: usize = 500;

/// Questions to one server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Questions {
    /// Selectors, each with the longest window that wants it.
    pub selectors: BTreeMap<String, Span>,
    /// Selectors of buckets, without `le`.
    pub buckets: BTreeSet<String>,
    /// Names of metrics.
    pub metrics: BTreeSet<String>,
    /// Queries whose text may be refused.
    pub queries: BTreeSet<String>,
    /// Queries that count the events of a page's long window.
    pub totals: BTreeSet<String>,
    /// Questions beyond the limit, which are not asked.
    pub left_out: usize,
}

/// How a selector of an objective is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Without it there is no value.
    Value,
    /// It may be empty, which means that nothing bad happened; only its metric should be there.
    Errors,
}

/// The selectors whose series an objective needs. Of bad events only the metric: no errors is the normal case.
pub fn selectors_of(objective: &Objective) -> Vec<(String, Need)> {
    let errors = matches!(&objective.sli, Sli::Events { bad: Bad::Counted(_), .. });
    let mut found: Vec<(String, Need)> = Vec::new();
    for (at, text) in sent(objective).iter().enumerate() {
        let Ok(tree) = promql::parse(text) else { continue };
        for selector in selectors(&tree) {
            let asked = match (errors && at == 0, metric(&selector)) {
                (true, Some(name)) => (name.to_owned(), Need::Errors),
                (true, None) => continue,
                (false, _) => (plain(&selector), Need::Value),
            };
            if !found.contains(&asked) {
                found.push(asked);
            }
        }
    }
    found
}

/// A selector of a histogram's buckets, without its `le`, and the `le` it asks for. `None` when it asks for no single one.
pub fn bucket(selector: &VectorSelector) -> Option<(String, String)> {
    let le = selector.matchers.matchers.iter().find(|m| m.name == "le" && matches!(m.op, MatchOp::Equal))?;
    let mut rest = selector.clone();
    rest.matchers.matchers.retain(|m| m.name != "le");
    Some((plain(&rest), le.value.clone()))
}

/// The pair that wakes somebody soonest.
pub fn first_page(objective: &Objective) -> Option<&AlertPair> {
    objective.pairs.iter().filter(|p| p.severity == "page").min_by_key(|p| p.long)
}

/// The query that counts the events of the first page's long window; only objectives of events have one.
pub fn traffic(objective: &Objective) -> Option<String> {
    let Sli::Events { total, .. } = &objective.sli else { return None };
    let text = total.replace(WINDOW, &prometheus(first_page(objective)?.long.span()));
    // One number, whatever shape the query has.
    Some(if Counter::read(total).is_some() { text } else { format!("sum({text})") })
}

/// The questions of these objectives.
pub fn questions(objectives: &[Arc<Objective>]) -> Questions {
    let mut asked = Questions::default();
    for objective in objectives {
        for (selector, _) in selectors_of(objective) {
            let window = asked.selectors.entry(selector).or_insert(objective.window);
            *window = objective.window.max(*window);
        }
        for text in sent(objective) {
            match promql::parse(&text) {
                Ok(tree) => of_tree(&tree, &mut asked),
                Err(_) => {
                    asked.queries.insert(text);
                }
            }
        }
        asked.totals.extend(traffic(objective));
    }
    asked.bound();
    asked
}

fn of_tree(tree: &Expr, asked: &mut Questions) {
    for selector in selectors(tree) {
        asked.metrics.extend(metric(&selector).map(str::to_owned));
        asked.buckets.extend(bucket(&selector).map(|(rest, _)| rest));
        let buckets = metric(&selector).is_some_and(|name| name.ends_with("_bucket"));
        if buckets && selector.matchers.matchers.iter().all(|m| m.name != "le") {
            asked.buckets.insert(plain(&selector));
        }
    }
}

impl Questions {
    fn bound(&mut self) {
        fn cut<T: Ord>(set: &mut BTreeSet<T>, most: usize) -> usize {
            let over = set.len().saturating_sub(most);
            for _ in 0..over {
                set.pop_last();
            }
            over
        }
        let over = self.selectors.len().saturating_sub(LIMIT);
        for _ in 0..over {
            self.selectors.pop_last();
        }
        let shared = cut(&mut self.buckets, LIMIT) + cut(&mut self.totals, LIMIT);
        self.left_out = over + shared + cut(&mut self.metrics, SINGLES) + cut(&mut self.queries, SINGLES);
    }
}
