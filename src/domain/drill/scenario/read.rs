//! A scenario out of YAML: everything that cannot be used is told with its place, the rest is read. `read/shape.rs` has how
//! values go, `read/inject.rs` what happens, `read/command.rs` what commands answer, `read/expect.rs` what is expected.
//! Reads no file: recorded signals and outputs that stand in files of their own are put in by [`fill()`].

mod command;
mod expect;
mod fill;
mod inject;
mod shape;

pub use fill::{fill, safe_path};

use crate::domain::document::{Fields, Finding, Level, Mark, Node, Reader, Value, nearest, parse};
use crate::domain::drill::scenario::keys::{ALERT, EXPECT, HOLD, INJECT, OBJECTIVE, QUERY, RECOVERY, SCENARIO, SIGNAL};
use crate::domain::drill::scenario::{Hold, Measure, Named, Promise, Query, Rate, Recovery, Rule, Scenario, Signal};
use crate::domain::labels::Labels;
use crate::domain::runbook::keys::Object;
use crate::domain::runbook::model::Op;
use crate::domain::runbook::pieces::{fields, needed, runbook_id, sha256, text};
use crate::domain::slo::objective::Compare;
use crate::domain::time::{Span, Timestamp, mins, secs};

/// The most of anything in one scenario.
const MOST: usize = 500;
/// The longest drill.
const LONGEST: Span = Span::hours(12);

/// Reads a scenario. `None` when it has no signal, no inject or no expectation, or is no scenario at all.
pub fn read(path: &str, source: &str) -> (Option<Scenario>, Vec<Finding>) {
    let (root, mut findings) = parse(path, source);
    let Some(root) = root else { return (None, findings) };
    let mut reader = Reader::new(path);
    let scenario = File { reader: &mut reader }.scenario(path, source, &root);
    findings.append(&mut reader.findings);
    findings.sort_by_key(|f| (f.line, f.column));
    (scenario, findings)
}

/// A file while it is read.
struct File<'r, 'a> {
    reader: &'r mut Reader<'a>,
}

impl File<'_, '_> {
    fn scenario(&mut self, path: &str, source: &str, root: &Node) -> Option<Scenario> {
        let top = self.fields(root, &SCENARIO)?;
        self.version(&top);
        let id = runbook_id(self.reader, &top, path, Level::Error).0;
        let duration = top.need(self.reader, "duration").and_then(|n| self.bounded(n, "duration", mins(1), LONGEST));
        let services = self.texts(&top, "services");
        let scenario = Scenario {
            title: needed(self.reader, &top, "title").unwrap_or_else(|| id.clone()),
            brief: needed(self.reader, &top, "brief").unwrap_or_default(),
            told_at: (mark(&top, "title"), mark(&top, "brief")),
            secret: text(self.reader, &top, "secret").unwrap_or_default(),
            seed: self.whole(&top, "seed", 0, i64::MAX).and_then(|n| u64::try_from(n).ok()).unwrap_or(1),
            speed: self.whole(&top, "speed", 1, 60).and_then(|n| u32::try_from(n).ok()).unwrap_or(1),
            begins: self.begins(&top),
            duration: duration.unwrap_or_else(|| mins(45)),
            roles: self.texts(&top, "roles"),
            difficulty: self.whole(&top, "difficulty", 1, 5).and_then(|n| u8::try_from(n).ok()),
            runbooks: self.runbooks(&top),
            signals: self.each(&top, "signals", Self::signal),
            objectives: self.each(&top, "objectives", |it, node| it.objective(node, &services)),
            alerts: self.each(&top, "alerts", Self::rule),
            queries: self.each(&top, "queries", Self::query),
            injects: self.injects(&top),
            expect: self.each(&top, "expect", Self::expectation),
            end: self.each(&top, "end", Self::ending),
            recovery: top.get("recovery").and_then(|n| self.recovery(n)),
            debrief: self.texts(&top, "debrief"),
            commands: Vec::new(),
            fallback: command::fallback(),
            services,
            path: path.to_owned(),
            sha256: sha256(source),
            id,
        };
        let scenario = self.commands(&top, scenario);
        let empty: Vec<&str> = [
            (SIGNAL.name, scenario.signals.is_empty()),
            (INJECT.name, scenario.injects.is_empty()),
            (EXPECT.name, scenario.expect.is_empty()),
        ]
        .into_iter()
        .filter_map(|(name, empty)| empty.then_some(name))
        .collect();
        if empty.is_empty() && duration.is_some() {
            return Some(scenario);
        }
        // Where something could not be read, that was told, and why is more than that nothing is left.
        if !empty.is_empty() && self.reader.findings.iter().all(|f| f.level != Level::Error) {
            let message = format!("the scenario has no {}; it cannot be played", empty.join(", no "));
            self.reader.error(root.mark, "missing-key", message);
        }
        None
    }

    fn fields<'n>(&mut self, node: &'n Node, object: &Object) -> Option<Fields<'n>> {
        fields(self.reader, node, object)
    }

    fn error(&mut self, mark: Mark, message: impl AsRef<str>) {
        self.reader.error(mark, "scenario", message);
    }

    fn version(&mut self, top: &Fields<'_>) {
        for (key, want) in [("apiVersion", "midwatch/v1"), ("kind", "Scenario")] {
            let Some(node) = top.need(self.reader, key) else { continue };
            if node.text() != Some(want) {
                self.reader.wrong(node, key, want);
            }
        }
    }

    /// The items of a list of maps, or of one map that stands alone.
    fn each<T>(&mut self, top: &Fields<'_>, key: &str, mut read: impl FnMut(&mut Self, &Node) -> Option<T>) -> Vec<T> {
        let Some(node) = top.get(key) else {
            if SCENARIO
                .keys
                .iter()
                .any(|k| k.name == key && k.without == crate::domain::runbook::keys::Without::Required)
            {
                top.need(self.reader, key);
            }
            return Vec::new();
        };
        let items = match &node.value {
            Value::Map(_) => std::slice::from_ref(node),
            _ => self.reader.list(node, key),
        };
        if items.len() > MOST {
            self.error(node.mark, format!("{key} has {} entries (at most {MOST}); the rest is not read", items.len()));
        }
        items.iter().take(MOST).filter_map(|item| read(self, item)).collect()
    }

    fn texts(&mut self, top: &Fields<'_>, key: &str) -> Vec<String> {
        top.get(key).map(|node| self.reader.strings(node, key)).unwrap_or_default()
    }

    /// A whole number between two bounds.
    fn whole(&mut self, own: &Fields<'_>, key: &str, least: i64, most: i64) -> Option<i64> {
        let node = own.get(key)?;
        let number = node.text().and_then(|text| text.parse::<i64>().ok()).filter(|n| (least..=most).contains(n));
        if number.is_none() {
            let bounds = if most == i64::MAX {
                format!("a whole number from {least}")
            } else {
                format!("a whole number from {least} to {most}")
            };
            self.reader.wrong(node, key, &bounds);
        }
        number
    }

    /// A number between two bounds.
    fn share(&mut self, own: &Fields<'_>, key: &str, least: f64, most: f64) -> Option<f64> {
        let node = own.get(key)?;
        let number = self.reader.number(node, key)?;
        if (least..=most).contains(&number) {
            return Some(number);
        }
        self.reader.wrong(node, key, &format!("{least} to {most}"));
        None
    }

    fn number(&mut self, own: &Fields<'_>, key: &str) -> Option<f64> {
        own.get(key).and_then(|node| self.reader.number(node, key))
    }

    /// A number that must be there.
    fn need_number(&mut self, own: &Fields<'_>, key: &str) -> Option<f64> {
        own.need(self.reader, key).and_then(|node| self.reader.number(node, key))
    }

    fn span(&mut self, own: &Fields<'_>, key: &str) -> Option<Span> {
        own.get(key).and_then(|node| self.reader.span(node, key))
    }

    fn bounded(&mut self, node: &Node, what: &str, least: Span, most: Span) -> Option<Span> {
        let span = self.reader.span(node, what)?;
        if span >= least && span <= most {
            return Some(span);
        }
        let bound = crate::domain::time::compact;
        self.reader.wrong(node, what, &format!("{} to {}", bound(least), bound(most)));
        None
    }

    fn labels(&mut self, own: &Fields<'_>, key: &str) -> Labels {
        let entries = own.get(key).and_then(|node| self.reader.entries(node, key)).unwrap_or_default();
        Labels(entries.iter().filter_map(|(k, v)| Some((k.text.clone(), self.reader.string(v, &k.text)?))).collect())
    }

    /// An alert's name: any text but none.
    fn alert(&mut self, own: &Fields<'_>) -> Option<String> {
        let node = own.need(self.reader, "alert")?;
        let said = self.reader.string(node, "alert")?;
        if said.trim().is_empty() {
            self.reader.wrong(node, "alert", "the alert's name");
            return None;
        }
        Some(said)
    }

    /// A name inside the scenario.
    fn name(&mut self, node: &Node, what: &str) -> Option<String> {
        let said = self.reader.string(node, what)?;
        let first = said.starts_with(|c: char| c.is_ascii_alphanumeric());
        let rest = said.chars().all(|c| c.is_ascii_alphanumeric() || "_.:-".contains(c));
        if first && rest && said.len() <= 80 {
            return Some(said);
        }
        self.reader.wrong(node, what, "letters, digits and `_ . : -`, at most 80");
        None
    }

    /// A name under a key that must be there.
    fn need_name(&mut self, own: &Fields<'_>, key: &str) -> Option<String> {
        own.need(self.reader, key).and_then(|node| self.name(node, key))
    }

    /// Keys that mean nothing beside the others of their map.
    fn strays(&mut self, node: &Node, allowed: &[&str], why: &str) {
        let Value::Map(entries) = &node.value else { return };
        let marks: Vec<(Mark, String)> = entries
            .iter()
            .filter(|(key, value)| !allowed.contains(&key.text.as_str()) && value.value != Value::Null)
            .map(|(key, _)| (key.mark, key.text.clone()))
            .collect();
        for (mark, key) in marks {
            self.reader.error(mark, "scenario", format!("`{key}` means nothing {why}"));
        }
    }

    /// Exactly one of some keys; the one that is there.
    fn one_of<'k>(&mut self, own: &Fields<'_>, what: &str, keys: &[&'k str]) -> Option<&'k str> {
        let there: Vec<&'k str> = keys.iter().copied().filter(|key| own.get(key).is_some()).collect();
        match there.as_slice() {
            [one] => Some(one),
            [] => {
                self.error(own.mark(), format!("{what} says nothing (expected one of: {})", keys.join(", ")));
                None
            }
            several => {
                self.error(own.mark(), format!("{what} says {} at once (expected one of them)", several.join(" and ")));
                None
            }
        }
    }

    fn begins(&mut self, top: &Fields<'_>) -> Timestamp {
        let default = Timestamp::from_timestamp(1_777_777_200, 0).unwrap_or_default();
        let Some(node) = top.get("begins") else { return default };
        let at = node.text().and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
        let at = at.map(|at| at.with_timezone(&chrono::Utc));
        // Far from both ends of what an instant can be, so that sums over months stay instants.
        let sane = at.filter(|at| at.timestamp().unsigned_abs() < 100_000_000_000);
        if sane.is_none() {
            self.reader.wrong(node, "begins", "an instant such as 2026-05-03T03:00:00Z");
        }
        sane.unwrap_or(default)
    }

    fn runbooks(&mut self, top: &Fields<'_>) -> Vec<Named> {
        let nodes = top.get("runbooks").map(|node| self.reader.list(node, "runbooks")).unwrap_or_default();
        let mut named = Vec::new();
        for node in nodes {
            let Some(name) = self.reader.string(node, "runbooks") else { continue };
            match safe_path(&name) {
                Ok(()) => named.push(Named { name, mark: node.mark }),
                Err(why) => self.error(node.mark, format!("the runbook {why}")),
            }
        }
        named
    }

    fn signal(&mut self, node: &Node) -> Option<Signal> {
        let own = self.fields(node, &SIGNAL)?;
        let id = self.need_name(&own, "id");
        let shape = self.shape(node, &own, "const", &["id", "noise", "unit"]);
        let noise = self.share(&own, "noise", 0.0, 1.0).unwrap_or(0.0);
        let unit = text(self.reader, &own, "unit").unwrap_or_default();
        Some(Signal { id: id?, shape: shape?, noise, unit, mark: node.mark })
    }

    fn objective(&mut self, node: &Node, services: &[String]) -> Option<Promise> {
        let own = self.fields(node, &OBJECTIVE)?;
        let id = self.need_name(&own, "id");
        let service = text(self.reader, &own, "service").or_else(|| services.first().cloned()).unwrap_or_default();
        own.need(self.reader, "target");
        let target = self.share(&own, "target", 0.9, 0.99999);
        let window = own.get("window").and_then(|n| self.bounded(n, "window", mins(60), Span::days(90)));
        let measure = match self.one_of(&own, "an objective", &["ratio", "signal"])? {
            "ratio" => {
                self.strays(
                    node,
                    &["id", "service", "target", "window", "ratio", "rate", "left", "description"],
                    "beside `ratio`",
                );
                let rate = match own.get("rate").map(|n| (n, n.text().and_then(|t| t.parse::<f64>().ok()))) {
                    None => Rate::Fixed(100.0),
                    Some((_, Some(n))) if n.is_finite() && n > 0.0 && n <= 1e9 => Rate::Fixed(n),
                    Some((node, Some(_))) => {
                        self.reader.wrong(node, "rate", "more than 0 and at most 1000000000 a second, or a signal");
                        return None;
                    }
                    Some((node, None)) => Rate::Signal(self.name(node, "rate")?),
                };
                Measure::Events { ratio: self.need_name(&own, "ratio")?, rate }
            }
            _ => {
                self.strays(
                    node,
                    &["id", "service", "target", "window", "signal", "op", "limit", "left", "description"],
                    "beside `signal`",
                );
                let compare = own.get("op").map_or(Some(Compare::AtMost), |n| {
                    let found = n.text().and_then(Compare::parse);
                    if found.is_none() {
                        self.reader.wrong(n, "op", "<, <=, > or >=");
                    }
                    found
                });
                Measure::Threshold {
                    signal: self.need_name(&own, "signal")?,
                    compare: compare?,
                    limit: self.need_number(&own, "limit")?,
                }
            }
        };
        let left = self.share(&own, "left", -10.0, 1.0).unwrap_or(0.8);
        let description = text(self.reader, &own, "description").unwrap_or_default();
        let window = window.unwrap_or_else(|| Span::days(30));
        Some(Promise { id: id?, service, target: target?, window, measure, left, description, mark: node.mark })
    }

    fn rule(&mut self, node: &Node) -> Option<Rule> {
        let own = self.fields(node, &ALERT)?;
        let alert = self.alert(&own);
        let when = self.held(&own, node.mark);
        let (labels, annotations) = (self.labels(&own, "labels"), self.labels(&own, "annotations"));
        Some(Rule { alert: alert?, when: when?, labels, annotations, mark: node.mark })
    }

    fn query(&mut self, node: &Node) -> Option<Query> {
        let own = self.fields(node, &QUERY)?;
        let promql = needed(self.reader, &own, "promql");
        let signal = self.need_name(&own, "signal");
        let scale = self.number(&own, "scale").unwrap_or(1.0);
        let labels = self.labels(&own, "labels");
        Some(Query { promql: promql?, signal: signal?, scale, labels, mark: node.mark })
    }

    /// A signal held against a value, in a map of its own.
    fn hold(&mut self, node: &Node) -> Option<Hold> {
        let own = self.fields(node, &HOLD)?;
        self.held(&own, node.mark)
    }

    /// The same among other keys.
    fn held(&mut self, own: &Fields<'_>, mark: Mark) -> Option<Hold> {
        let signal = self.need_name(own, "signal");
        let op = own.need(self.reader, "op").and_then(|n| self.op(n));
        let value = self.need_number(own, "value");
        let for_ = match own.get("for") {
            Some(node) => self.bounded(node, "for", secs(0), LONGEST)?,
            None => secs(0),
        };
        Some(Hold { signal: signal?, op: op?, value: value?, for_, mark })
    }

    fn op(&mut self, node: &Node) -> Option<Op> {
        let said = self.reader.string(node, "op")?;
        let found = Op::ALL.into_iter().find(|op| op.word() == said);
        if found.is_none() {
            self.reader.wrong(node, "op", "<, <=, >, >=, == or !=");
        }
        found
    }

    fn recovery(&mut self, node: &Node) -> Option<Recovery> {
        let own = self.fields(node, &RECOVERY)?;
        let recovery = Recovery {
            rto: own.get("rto").and_then(|n| self.bounded(n, "rto", secs(1), LONGEST)),
            rpo: self.span(&own, "rpo"),
            restored: own.get("restored").and_then(|n| self.hold(n)),
            data_loss: own
                .get("data_loss")
                .and_then(|n| Some(Named { name: self.name(n, "data_loss")?, mark: n.mark })),
            mark: node.mark,
        };
        if recovery.rpo.is_some() != recovery.data_loss.is_some() {
            self.error(
                node.mark,
                "`rpo` and `data_loss` go together: one says what may be lost, the other what is lost",
            );
        }
        Some(recovery)
    }
}

/// Where a key's value stands; where it is not there, its map.
fn mark(own: &Fields<'_>, key: &str) -> Mark {
    own.get(key).map_or_else(|| own.mark(), |node| node.mark)
}

/// One of some words, or an error with the nearest.
fn word<T: Copy>(reader: &mut Reader<'_>, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
    let said = reader.string(node, what)?;
    let found = words.iter().find(|(word, _)| *word == said).map(|(_, value)| *value);
    if found.is_none() {
        let names = || words.iter().map(|(word, _)| *word);
        let hint = nearest(&said, names()).map_or_else(
            || format!("expected one of: {}", names().collect::<Vec<_>>().join(", ")),
            |near| format!("nearest: `{near}`"),
        );
        reader.error(node.mark, "scenario", format!("there is no {what} `{said}` ({hint})"));
    }
    found
}
