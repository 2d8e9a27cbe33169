//! Which alerts have a runbook, which runbooks have an alert, and which nobody has looked at for too long. Counts alerts by
//! name, as people speak of them. Judges no runbook's content.

use crate::domain::alert::rule::AlertRule;
use crate::domain::ids::RunbookId;
use crate::domain::runbook::matching::{LIKENESS, Match, matches};
use crate::domain::runbook::model::Runbook;
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The share of alerts that should have a runbook, in percent.
pub const GOAL: f64 = 90.0;

/// What is covered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coverage {
    /// Alerts with a runbook, by name, with the reason.
    pub covered: Vec<Covered>,
    /// Alerts without one.
    pub uncovered: Vec<Uncovered>,
    /// Runbooks that no alert asks for. Empty while not every server has answered: the alert may be there.
    pub idle: Vec<RunbookId>,
    /// Runbooks that should be looked at again.
    pub stale: Vec<Stale>,
}

/// An alert that has a runbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    /// Its name.
    pub alert: String,
    /// Its runbook.
    pub runbook: RunbookId,
    /// Why this one.
    pub why: String,
}

/// An alert that has none here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncovered {
    /// Its name.
    pub alert: String,
    /// The group of its rule.
    pub group: String,
    /// Where its rule says a runbook is; it may be behind the thing that is down.
    pub url: Option<String>,
    /// A runbook whose name is like it.
    pub similar: Option<RunbookId>,
}

/// A runbook that should be looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// Which.
    pub runbook: RunbookId,
    /// Days since its review; `None` when nobody says that there was one.
    pub days: Option<i64>,
    /// How many days a review holds.
    pub limit: i64,
}

impl Coverage {
    /// How many alerts there are.
    pub fn alerts(&self) -> usize {
        self.covered.len() + self.uncovered.len()
    }

    /// The covered share in percent; `None` where there is no alert at all.
    pub fn percent(&self) -> Option<f64> {
        (self.alerts() > 0).then(|| self.covered.len() as f64 * 100.0 / self.alerts() as f64)
    }

    /// Whether the goal is reached; a server without alerts has none to miss.
    pub fn reached(&self) -> bool {
        self.percent().is_none_or(|percent| percent >= GOAL)
    }
}

/// Compares rules with runbooks. `whole`: every server has answered, so that a runbook without an alert has none.
pub fn coverage(books: &[Arc<Runbook>], rules: &[AlertRule], whole: bool, now: Timestamp) -> Coverage {
    let mut by_name: BTreeMap<&str, Vec<&AlertRule>> = BTreeMap::new();
    for rule in rules {
        by_name.entry(&rule.name).or_default().push(rule);
    }
    let mut found = Coverage { stale: stale(books, now), ..Coverage::default() };
    let mut used: BTreeSet<RunbookId> = BTreeSet::new();
    for (name, rules) in by_name {
        let each: Vec<Option<Match>> = rules.iter().map(|rule| best(books, rule)).collect();
        used.extend(each.iter().flatten().filter(|m| m.score > LIKENESS).map(|m| m.runbook.clone()));
        // One name with several rules is covered when each of them is: severity pages may differ in what to do.
        let gap = rules.iter().zip(&each).find(|(_, m)| m.as_ref().is_none_or(|m| m.score <= LIKENESS));
        match (gap, each.iter().flatten().next().cloned()) {
            (None, Some(first)) => {
                found.covered.push(Covered { alert: name.to_owned(), runbook: first.runbook, why: first.why });
            }
            (gap, first) => found.uncovered.push(Uncovered {
                alert: name.to_owned(),
                group: gap.map(|(rule, _)| rule.group.clone()).unwrap_or_default(),
                url: gap.map(|(rule, _)| rule.annotations.get("runbook_url").to_owned()).filter(|url| !url.is_empty()),
                similar: first.filter(|m| m.score <= LIKENESS).map(|m| m.runbook),
            }),
        }
    }
    let idle = |book: &&Arc<Runbook>| whole && !used.contains(&book.id) && !is_claimed(book, rules);
    found.idle = books.iter().filter(idle).map(|book| book.id.clone()).collect();
    found
}

/// A trigger with matchers that only a firing alert's labels can satisfy still claims its alert.
fn is_claimed(book: &Runbook, rules: &[AlertRule]) -> bool {
    book.triggers.iter().any(|trigger| rules.iter().any(|rule| rule.name == trigger.alert))
}

/// The runbook for a rule. Matchers on labels that only a firing alert has are taken to hold.
fn best(books: &[Arc<Runbook>], rule: &AlertRule) -> Option<Match> {
    let labels = rule.fixed_labels();
    let open = |book: &Arc<Runbook>| {
        let trigger = book.triggers.iter().find(|t| {
            let holds = |m: &&crate::domain::labels::Matcher| labels.0.contains_key(m.name());
            t.alert == rule.name && t.matchers.iter().filter(holds).all(|m| m.matches(&labels))
        });
        let why = format!("trigger {}", rule.name);
        trigger.map(|_| Match { runbook: book.id.clone(), why, score: 1_000 })
    };
    let strict = matches(books, &rule.name, &labels, &rule.annotations).into_iter().next();
    match strict {
        Some(found) if found.score >= 1_000 => Some(found),
        other => books.iter().find_map(open).or(other),
    }
}

fn stale(books: &[Arc<Runbook>], now: Timestamp) -> Vec<Stale> {
    let look = |book: &Arc<Runbook>| {
        let limit = book.review_every.num_days();
        let days = book.reviewed.map(|date| now.date_naive().signed_duration_since(date));
        let fresh = days.is_some_and(|age| age <= book.review_every);
        (!fresh).then(|| Stale { runbook: book.id.clone(), days: days.map(|d| d.num_days()), limit })
    };
    books.iter().filter_map(look).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::labels::Labels;
    use crate::domain::runbook::format::read;

    fn book(id: &str, head: &str) -> Arc<Runbook> {
        Arc::new(read(&format!("r/{id}.yaml"), &format!("name: {id}\n{head}\nsteps: [{{name: One}}]\n")).0.unwrap())
    }

    fn rule(name: &str, labels: &[(&str, &str)], url: &str) -> AlertRule {
        let labels = Labels(labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
        AlertRule { name: name.into(), labels, annotations: Labels::from([("runbook_url", url)]), group: "g".into() }
    }

    fn now() -> Timestamp {
        "2026-06-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn alerts_are_counted_by_name() {
        let books = [
            book(
                "latency",
                "reviewed: 2026-05-01\ntriggers: [{alert: LatencyHigh, match: ['severity=page', 'pod=~\"a.*\"']}]",
            ),
            book("disk", "reviewed: 2025-01-01\ntriggers: [{alert: DiskFull}]"),
            book("etcd", "triggers: [{alert: Gone}]"),
            book("old-name", "reviewed: 2026-05-01"),
        ];
        let rules = [
            rule("LatencyHigh", &[("severity", "page")], ""),
            rule("DiskFull", &[], ""),
            rule("DiskFull", &[("severity", "{{ $labels.x }}")], ""),
            rule("EtcdSlow", &[], ""),
            rule("QueueOldName", &[], "https://wiki.example/x"),
            rule("Linked", &[], "https://wiki.example/old-name"),
            rule("Nothing", &[], ""),
        ];
        let all = coverage(&books, &rules, true, now());
        let covered: Vec<String> =
            all.covered.iter().map(|c| format!("{} {} ({})", c.alert, c.runbook, c.why)).collect();
        assert_eq!(
            covered,
            [
                "DiskFull disk (trigger DiskFull)",
                "EtcdSlow etcd (its name begins the alert's: etcd)",
                "LatencyHigh latency (trigger LatencyHigh)",
                "Linked old-name (runbook_url names old-name)"
            ]
        );
        let uncovered: Vec<_> =
            all.uncovered.iter().map(|u| (u.alert.as_str(), u.url.as_deref(), u.similar.as_ref())).collect();
        assert_eq!(
            uncovered,
            [("Nothing", None, None), ("QueueOldName", Some("https://wiki.example/x"), Some(&"old-name".into()))]
        );
        assert_eq!((all.alerts(), all.percent().map(|p| p.round()), all.reached()), (6, Some(67.0), false));
        assert_eq!(all.idle, []);
        let stale: Vec<_> = all.stale.iter().map(|s| (s.runbook.as_str(), s.days)).collect();
        assert_eq!(stale, [("disk", Some(516)), ("etcd", None)]);
    }

    #[test]
    fn a_runbook_is_idle_only_when_everybody_was_asked() {
        let books = [book("a", "triggers: [{alert: A, match: ['x=y']}]"), book("b", "triggers: [{alert: B}]")];
        let rules = [rule("A", &[("x", "z")], "")];
        let whole = coverage(&books, &rules, true, now());
        assert_eq!(whole.idle, [RunbookId("b".into())], "a claims A, though for other labels");
        assert_eq!(whole.uncovered.len(), 1, "and so A is not covered");
        assert_eq!(coverage(&books, &rules, false, now()).idle, []);
    }

    #[test]
    fn no_alert_is_no_percentage() {
        let none = coverage(&[], &[], true, now());
        assert_eq!((none.percent(), none.reached()), (None, true));
        let one = coverage(&[], &[rule("A", &[], "")], true, now());
        assert_eq!((one.percent(), one.reached()), (Some(0.0), false));
    }
}
