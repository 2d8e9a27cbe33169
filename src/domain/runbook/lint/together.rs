//! What is wrong only between runbooks: one id or one alert claimed twice, includes that lead nowhere, too deep or round in
//! a circle.

use super::finding;
use crate::domain::document::{Finding, Level, nearest};
use crate::domain::runbook::model::Runbook;
use crate::domain::runbook::pieces::TOP;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many levels an include may reach.
pub const INCLUDE_DEPTH: usize = 3;

/// Findings that take several runbooks. Includes are looked for among these: give all that there are.
pub fn lint_together(runbooks: &[Arc<Runbook>]) -> Vec<Finding> {
    let mut findings = claims(runbooks);
    let mut books: BTreeMap<&str, &Runbook> = BTreeMap::new();
    for runbook in runbooks {
        books.entry(runbook.id.as_str()).or_insert(runbook);
    }
    let graph = Graph::new(&books);
    for runbook in books.values() {
        findings.extend(dangling(runbook, &books));
        findings.extend(graph.wrong(runbook));
    }
    findings
}

fn claims(runbooks: &[Arc<Runbook>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut ids: BTreeMap<&str, &Runbook> = BTreeMap::new();
    let mut alerts: BTreeMap<(String, Vec<String>), &Runbook> = BTreeMap::new();
    for runbook in runbooks {
        let first = *ids.entry(runbook.id.as_str()).or_insert(runbook);
        if first.path != runbook.path {
            let message = format!("the id `{}` belongs to {} already; that one is used", runbook.id, first.path);
            findings.push(finding(runbook, TOP, Level::Error, "RB001", &message));
        }
        for trigger in &runbook.triggers {
            let mut matchers: Vec<String> = trigger.matchers.iter().map(ToString::to_string).collect();
            matchers.sort();
            let first = *alerts.entry((trigger.alert.clone(), matchers)).or_insert(runbook);
            if first.id != runbook.id {
                let message = format!("{} claims the alert {} too, with the same matchers", first.path, trigger.alert);
                findings.push(finding(runbook, trigger.mark, Level::Warning, "RB010", &message));
            }
        }
    }
    findings
}

fn dangling(runbook: &Runbook, books: &BTreeMap<&str, &Runbook>) -> Vec<Finding> {
    let missing = runbook.includes().filter(|(_, id)| !books.contains_key(id.as_str()));
    missing
        .map(|(step, id)| {
            let near = nearest(id.as_str(), books.keys().copied().filter(|other| *other != runbook.id.as_str()));
            let hint = near.map(|near| format!(" (nearest: `{near}`)")).unwrap_or_default();
            let message = format!("step `{}` includes the runbook `{id}`, which is not there{hint}", step.id);
            finding(runbook, step.mark, Level::Error, "RB001", &message)
        })
        .collect()
}

/// Who includes whom. Nothing here follows every way: a thousand runbooks that include each other cost a few rounds over
/// their includes.
struct Graph<'r> {
    below: BTreeMap<&'r str, BTreeSet<&'r str>>,
    /// Runbooks from which includes never end.
    circling: BTreeSet<&'r str>,
}

impl<'r> Graph<'r> {
    fn new(books: &BTreeMap<&'r str, &'r Runbook>) -> Self {
        let mut below: BTreeMap<&'r str, BTreeSet<&'r str>> = BTreeMap::new();
        for (id, runbook) in books {
            let known = runbook.includes().filter_map(|(_, id)| books.get_key_value(id.as_str()).map(|(id, _)| *id));
            let known: BTreeSet<&str> = known.collect();
            if !known.is_empty() {
                below.insert(id, known);
            }
        }
        // Whoever includes only runbooks that end, ends too; what is left circles or leads into a circle.
        let mut above: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut open: BTreeMap<&str, usize> = BTreeMap::new();
        for (id, included) in &below {
            open.insert(id, included.len());
            included.iter().for_each(|inner| above.entry(inner).or_default().push(id));
        }
        let mut ends: Vec<&str> = books.keys().copied().filter(|id| !below.contains_key(id)).collect();
        while let Some(id) = ends.pop() {
            for by in above.get(id).into_iter().flatten() {
                let Some(left) = open.get_mut(by) else { continue };
                *left = left.saturating_sub(1);
                if *left == 0 {
                    open.remove(by);
                    ends.push(by);
                }
            }
        }
        let circling = open.into_keys().collect();
        Self { below, circling }
    }

    fn wrong(&self, runbook: &'r Runbook) -> Option<Finding> {
        let id = runbook.id.as_str();
        let path = if self.circling.contains(id) { self.circle(id) } else { self.chain(id)? };
        let next = path.get(1).copied().unwrap_or(id);
        let (step, _) = runbook.includes().find(|(_, included)| included.as_str() == next)?;
        let told = path.join(" -> ");
        let message = if self.circling.contains(id) {
            format!("includes go round in a circle: {told}; the step is not walked")
        } else {
            format!("includes reach {} levels (at most {INCLUDE_DEPTH}): {told}", path.len() - 1)
        };
        Some(finding(runbook, step.mark, Level::Error, "RB001", &message))
    }

    /// Along runbooks that never end, until one comes again.
    fn circle(&self, id: &'r str) -> Vec<&'r str> {
        let mut path = vec![id];
        let mut at = id;
        while let Some(next) = self.below.get(at).into_iter().flatten().find(|id| self.circling.contains(*id)) {
            let again = path.contains(next);
            path.push(next);
            if again || path.len() > 8 {
                break;
            }
            at = next;
        }
        path
    }

    /// A way that is too long, where there is one. Runbooks that can go on for `n` more levels are found from the ends.
    fn chain(&self, id: &'r str) -> Option<Vec<&'r str>> {
        let mut path = vec![id];
        let mut at = id;
        for left in (0..=INCLUDE_DEPTH).rev() {
            at = self.below.get(at)?.iter().copied().find(|inner| self.reaches(inner, left))?;
            path.push(at);
        }
        Some(path)
    }

    /// Whether includes reach so many levels below a runbook, at least.
    fn reaches(&self, id: &str, levels: usize) -> bool {
        let mut front = BTreeSet::from([id]);
        for _ in 0..levels {
            front = front.iter().filter_map(|id| self.below.get(id)).flatten().copied().collect();
        }
        !front.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::runbook::format::read;

    fn book(id: &str, includes: &[&str]) -> Arc<Runbook> {
        let steps: Vec<String> = includes.iter().map(|i| format!("  - {{name: Into {i}, include: {i}}}\n")).collect();
        let text = format!(
            "apiVersion: midwatch/v1\nid: {id}\nname: {id}\ntriggers: [{{alert: A{id}}}]\nsteps:\n  - {{name: Own, say: x}}\n{}",
            steps.concat()
        );
        Arc::new(read(&format!("{id}.yaml"), &text).0.unwrap())
    }

    fn told(books: &[(&str, &[&str])]) -> Vec<String> {
        let books: Vec<_> = books.iter().map(|(id, includes)| book(id, includes)).collect();
        lint_together(&books).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn includes_end_within_three_levels() {
        assert_eq!(told(&[("a", &["b"]), ("b", &["c"]), ("c", &["d"]), ("d", &[])]), Vec::<String>::new());
        assert_eq!(
            told(&[("a", &["b"]), ("b", &["c"]), ("c", &["d"]), ("d", &["e"]), ("e", &[])]),
            ["a.yaml:7:5: error: includes reach 4 levels (at most 3): a -> b -> c -> d -> e [RB001]"]
        );
    }

    #[test]
    fn circles_and_holes_are_told_where_they_are() {
        assert_eq!(
            told(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"]), ("d", &["d"])]),
            [
                "a.yaml:7:5: error: includes go round in a circle: a -> b -> c -> b; the step is not walked [RB001]",
                "b.yaml:7:5: error: includes go round in a circle: b -> c -> b; the step is not walked [RB001]",
                "c.yaml:7:5: error: includes go round in a circle: c -> b -> c; the step is not walked [RB001]",
                "d.yaml:7:5: error: includes go round in a circle: d -> d; the step is not walked [RB001]",
            ]
        );
        assert_eq!(
            told(&[("a", &["databse-slow"]), ("database-slow", &[])]),
            [
                "a.yaml:7:5: error: step `into-databse-slow` includes the runbook `databse-slow`, which is not there (nearest: \
                `database-slow`) [RB001]"
            ]
        );
    }

    #[test]
    fn many_runbooks_that_include_each_other_are_judged_at_once() {
        let ids: Vec<String> = (0..300).map(|n| format!("r{n}")).collect();
        let names: Vec<&str> = ids.iter().map(String::as_str).collect();
        let books: Vec<_> = names.iter().map(|id| book(id, &names)).collect();
        assert_eq!(lint_together(&books).len(), 300);
    }
}
