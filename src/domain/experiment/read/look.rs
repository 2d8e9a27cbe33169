//! What is looked at: the steady state, what ends the experiment, what must hold meanwhile.

use super::File;
use crate::domain::document::{Fields, Node, Value};
use crate::domain::experiment::keys::{ABORT, DURINGS, STEADY, SUCCESS};
use crate::domain::experiment::model::{Look, Watched};
use crate::domain::experiment::tolerance::Tolerance;
use crate::domain::ids::SloId;
use crate::domain::runbook::keys::Object;
use crate::domain::runbook::lint::destructive_word;
use crate::domain::runbook::model::{Condition, Risk};
use crate::domain::runbook::pieces::{text, word};
use crate::domain::text::truncate;
use crate::domain::time::{Span, mins, secs};

/// For how long a steady condition must hold, and how long nothing may be known, where the file does not say.
const FOR: Span = Span::seconds(30);
const NO_DATA: Span = Span::seconds(60);
const LONGEST: Span = Span::hours(6);

const KINDS: [&str; 5] = ["promql", "slo", "argv", "sh", "http"];
const ANSWERS: [&str; 4] = ["equals", "range", "one_of", "matches"];

impl File<'_, '_> {
    /// The steady state.
    pub(super) fn steady(&mut self, top: &Fields<'_>) -> Vec<Watched> {
        let mut all = Vec::new();
        for (n, node) in self.each(top, "steady", true).iter().enumerate() {
            let Some((own, mut watched)) = self.watched(node, &STEADY, &format!("steady.{}", n + 1), false) else {
                continue;
            };
            watched.for_ = self.span(&own, "for", (secs(0), LONGEST)).unwrap_or(FOR);
            let within = self.span(&own, "within", (secs(1), LONGEST));
            watched.within = within.unwrap_or(watched.for_ + mins(5));
            if watched.within < watched.for_ {
                self.error(node.mark, "it has failed before it can hold: `for` is longer than `within`");
            }
            all.push(watched);
        }
        all
    }

    /// What ends it, and how long nothing may be known.
    pub(super) fn aborts(&mut self, top: &Fields<'_>) -> (Vec<Watched>, Span) {
        let (mut all, mut no_data) = (Vec::new(), None);
        let nodes = self.each(top, "abort", true);
        for (n, node) in nodes.iter().enumerate() {
            if let Some(limit) = node.get("no_data") {
                let alone = matches!(&node.value, Value::Map(entries) if entries.len() == 1);
                if !alone {
                    self.error(node.mark, "`no_data` stands alone: it is about all conditions");
                }
                if no_data.is_some() {
                    self.error(limit.mark, "`no_data` stands twice (expected one limit for all conditions)");
                }
                no_data = self.bounded(limit, "no_data", secs(1), mins(30));
                continue;
            }
            let Some((own, mut watched)) = self.watched(node, &ABORT, &format!("abort.{}", n + 1), true) else {
                continue;
            };
            watched.for_ = self.span(&own, "for", (secs(0), LONGEST)).unwrap_or(secs(0));
            all.push(watched);
        }
        if all.is_empty() && !nodes.is_empty() && no_data.is_some() {
            let mark = top.get("abort").map_or(top.mark(), |n| n.mark);
            self.error(mark, "`abort` has no condition beside `no_data`: nothing that is measured would end it");
        }
        (all, no_data.unwrap_or(NO_DATA))
    }

    /// What must hold meanwhile.
    pub(super) fn success(&mut self, top: &Fields<'_>) -> Vec<Watched> {
        let mut all = Vec::new();
        for (n, node) in self.each(top, "success", false).iter().enumerate() {
            let Some((own, mut watched)) = self.watched(node, &SUCCESS, &format!("success.{}", n + 1), false) else {
                continue;
            };
            let words = [(DURINGS.first().copied().unwrap_or("all"), false), ("end", true)];
            watched.at_end = own.get("during").and_then(|n| word(self.reader(), n, "during", &words)).unwrap_or(false);
            all.push(watched);
        }
        all
    }

    fn watched<'n>(&mut self, node: &'n Node, object: &Object, id: &str, any: bool) -> Option<(Fields<'n>, Watched)> {
        let own = self.fields(node, object)?;
        let what = self.look(&own, id, any)?;
        let name = text(self.reader(), &own, "name").filter(|name| !name.trim().is_empty());
        let name = name.unwrap_or_else(|| truncate(&what.words(), 60).into_owned());
        let watched = Watched { name, what, for_: secs(0), within: mins(5), at_end: false, mark: node.mark };
        Some((own, watched))
    }

    /// Exactly one way to look.
    fn look(&mut self, own: &Fields<'_>, id: &str, any: bool) -> Option<Look> {
        let given: Vec<&str> = KINDS.into_iter().filter(|key| own.get(key).is_some()).collect();
        let [kind] = given.as_slice() else {
            let message = match given.as_slice() {
                [] => {
                    "nothing to look at (expected `promql`, `slo` with `burn_rate`, `argv`, `sh` or `http`)".to_owned()
                }
                several => format!("one thing is looked at, not {} (`{}`)", several.len(), several.join("`, `")),
            };
            self.error(own.mark(), message);
            return None;
        };
        self.foreign(own, kind);
        match *kind {
            "promql" => {
                let query = own.get("promql").and_then(|n| self.commands.query(n, "promql"));
                let (op, value) = self.commands.bound(own);
                let any = own.get("any").and_then(|n| self.reader().boolean(n, "any")).unwrap_or(any);
                Some(Look::Condition(Condition::Promql { query: query?, op: op?, value: value?, any }))
            }
            "slo" => {
                let slo = text(self.reader(), own, "slo");
                let window = own.need(self.reader(), "burn_rate");
                let window = window.and_then(|n| self.bounded(n, "burn_rate", mins(1), Span::days(30)));
                let (op, value) = self.commands.bound(own);
                Some(Look::Condition(Condition::Slo { slo: SloId(slo?), window: window?, op: op?, value: value? }))
            }
            "http" => {
                let tolerance = self.tolerance(own)?;
                let node = own.get("http")?;
                let call = self.call(node)?;
                if !matches!(call.method.as_str(), "GET" | "HEAD") {
                    self.error(node.mark, format!("{} changes something; only GET and HEAD look", call.method));
                }
                Some(Look::Http(call, tolerance))
            }
            _ => {
                let tolerance = self.tolerance(own)?;
                let command = self.commands.command(own, id.to_owned(), Risk::Read)?;
                if let Some(word) = destructive_word(&command.text) {
                    self.error(own.mark(), format!("`{word}` destroys; it is looked at again and again"));
                }
                Some(Look::Command(Box::new(command), tolerance))
            }
        }
    }

    /// Keys that do nothing beside this way to look.
    fn foreign(&mut self, own: &Fields<'_>, kind: &str) {
        let process = ["ok_exit", "timeout", "target", "cwd"];
        let keys: Vec<&str> = match kind {
            "promql" => ["burn_rate"].into_iter().chain(process).chain(ANSWERS).collect(),
            "slo" => ["any"].into_iter().chain(process).chain(ANSWERS).collect(),
            "http" => ["any", "burn_rate", "op", "value"].into_iter().chain(process).collect(),
            _ => vec!["any", "burn_rate", "op", "value"],
        };
        for key in keys {
            if let Some(node) = own.get(key) {
                let mark = node.mark;
                self.error(mark, format!("`{key}` does nothing beside `{kind}`"));
            }
        }
    }

    /// What the answer must be. The outer `None`: something is wrong with it.
    fn tolerance(&mut self, own: &Fields<'_>) -> Option<Option<Tolerance>> {
        let given: Vec<&str> = ANSWERS.into_iter().filter(|key| own.get(key).is_some()).collect();
        let key = match given.as_slice() {
            [] => return Some(None),
            [key] => *key,
            several => {
                self.error(
                    own.mark(),
                    format!("an answer is held against one thing, not `{}`", several.join("` and `")),
                );
                return None;
            }
        };
        let node = own.get(key)?;
        let found = match key {
            "equals" => Tolerance::Equals(self.reader().string(node, key)?),
            "one_of" => Tolerance::OneOf(self.reader().strings(node, key)),
            "matches" => Tolerance::Matches(self.commands.regex(node, key)?),
            _ => self.range(node)?,
        };
        Some(Some(found))
    }

    fn range(&mut self, node: &Node) -> Option<Tolerance> {
        let numbers: Vec<Option<f64>> = match &node.value {
            Value::Seq(items) => items.iter().map(|item| self.reader().number(item, "range")).collect(),
            _ => Vec::new(),
        };
        let numbers: Vec<f64> = numbers.into_iter().collect::<Option<_>>()?;
        match numbers.as_slice() {
            [low, high] if low <= high => Some(Tolerance::Between(*low, *high)),
            [_, _] => {
                self.error(node.mark, "range: the lower number comes first");
                None
            }
            _ => {
                self.reader().wrong(node, "range", "two numbers, [LOW, HIGH]");
                None
            }
        }
    }
}
