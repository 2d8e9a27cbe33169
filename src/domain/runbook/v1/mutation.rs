//! What stands around a change: `impact`, `before`, `require`, `dry_run`, `verify`, `rollback`, `approval`.

use super::command::Frame;
use super::{File, query};
use crate::domain::document::{Fields, Node};
use crate::domain::ids::SloId;
use crate::domain::runbook::keys::v1::{BEFORE, DRY_RUN, ROLLBACK, SUGGEST, VERIFY};
use crate::domain::runbook::model::{Condition, Mutation, Op, Risk, Rollback, RunCommand, Suggest, Verify};
use crate::domain::runbook::pieces::{text, word};
use crate::domain::time::Span;

impl File<'_, '_> {
    /// The guards of a command or an option. Without a command that could be read, only the words are taken.
    pub(super) fn mutation(&mut self, own: &Fields<'_>, command: Option<&RunCommand>) -> Mutation {
        let mut mutation = Mutation {
            impact: text(self.reader, own, "impact"),
            require: own.get("require").and_then(|n| self.compare(n, "require")),
            approval: self.approval(own),
            ..Mutation::default()
        };
        let Some(command) = command else { return mutation };
        let frame = |part: &str, risk| Frame::new(format!("{}.{part}", command.id), risk).beside(command);
        if let Some(node) = own.get("before") {
            let read = self.fields(node, &BEFORE).and_then(|own| self.run(&own, frame("before", Risk::Read)));
            mutation.before = read.map(Box::new);
        }
        if let Some(node) = own.get("dry_run") {
            let dry = Frame { dry: true, ..frame("dry-run", Risk::Read) };
            mutation.dry_run = self.fields(node, &DRY_RUN).and_then(|own| self.run(&own, dry)).map(Box::new);
        }
        if let Some(node) = own.get("verify") {
            mutation.verify = self.verify(node, frame("verify", Risk::Read));
        }
        if let Some(node) = own.get("rollback") {
            mutation.rollback = self.rollback(node, frame("rollback", Risk::Change));
        }
        mutation
    }

    /// Whether a second person is needed.
    pub(super) fn approval(&mut self, own: &Fields<'_>) -> bool {
        let said = own.get("approval").and_then(|n| word(self.reader, n, "approval", &[("second", ())]));
        // A word that is not understood must not make it easier.
        said.is_some() || own.get("approval").is_some()
    }

    fn rollback(&mut self, node: &Node, frame: Frame) -> Rollback {
        if node.text() == Some("none") {
            // Lint misses the reason.
            return Rollback::None { reason: String::new() };
        }
        let Some(own) = self.fields(node, &ROLLBACK) else { return Rollback::Unstated };
        if let Some(none) = own.get("none") {
            for key in ["argv", "sh"] {
                if let Some(other) = own.get(key) {
                    self.error(other.mark, &format!("`{key}` beside `none`: there is a way back or there is none"));
                }
            }
            let reason = self.reader.string(none, "none").unwrap_or_default();
            return Rollback::None { reason };
        }
        let risk = self.risk(&own).unwrap_or(frame.risk);
        self.run(&own, Frame { risk, ..frame }).map_or(Rollback::Unstated, |c| Rollback::Command(Box::new(c)))
    }

    fn verify(&mut self, node: &Node, frame: Frame) -> Option<Verify> {
        let own = self.fields(node, &VERIFY)?;
        let what = self.condition(&own, frame);
        let span = |file: &mut Self, key: &str, without| {
            let said = own.get(key).and_then(|n| file.reader.span(n, key));
            said.unwrap_or(without)
        };
        let for_ = span(self, "for", Verify::FOR);
        let within = span(self, "within", Verify::WITHIN.max(for_ * 4));
        let every = span(self, "every", Verify::EVERY);
        if for_ > within {
            self.error(own.mark(), "it has failed before it can hold: `for` is longer than `within`");
        }
        if every < Span::seconds(1) {
            self.error(own.mark(), "`every` is shorter than 1s; nothing is asked that often");
        }
        let every = every.max(Span::seconds(1));
        Some(Verify { what: what?, for_, within: within.max(for_), every, mark: node.mark })
    }

    fn condition(&mut self, own: &Fields<'_>, frame: Frame) -> Option<Condition> {
        let has = |key: &str| own.get(key).is_some();
        let kinds = ["promql", "slo", "argv", "sh"];
        let given: Vec<&str> = kinds.into_iter().filter(|key| has(key)).collect();
        let [kind] = given.as_slice() else {
            let message = match given.as_slice() {
                [] => "nothing to look at (expected `promql`, or `slo` with `burn_rate`, or `argv` or `sh`)".to_owned(),
                several => format!("one thing proves it, not {} (`{}`)", several.len(), several.join("`, `")),
            };
            self.error(own.mark(), &message);
            return None;
        };
        let foreign: &[&str] = match *kind {
            "promql" => &["burn_rate", "ok_exit", "timeout", "target", "cwd"],
            "slo" => &["any", "ok_exit", "timeout", "target", "cwd"],
            _ => &["any", "burn_rate", "op", "value"],
        };
        for key in foreign {
            if let Some(node) = own.get(key) {
                self.error(node.mark, &format!("`{key}` does nothing beside `{kind}`"));
            }
        }
        match *kind {
            "promql" => {
                let query = own.get("promql").and_then(|n| query(self.reader, n, "promql"));
                let (op, value) = self.bound(own);
                let any = own.get("any").and_then(|n| self.reader.boolean(n, "any")).unwrap_or(false);
                Some(Condition::Promql { query: query?, op: op?, value: value?, any })
            }
            "slo" => {
                let slo = text(self.reader, own, "slo");
                let window = own.need(self.reader, "burn_rate").and_then(|n| self.reader.span(n, "burn_rate"));
                let (op, value) = self.bound(own);
                Some(Condition::Slo { slo: SloId(slo?), window: window?, op: op?, value: value? })
            }
            _ => self.run(own, frame).map(|command| Condition::Exec(Box::new(command))),
        }
    }

    /// `op` and `value`, both needed.
    pub(super) fn bound(&mut self, own: &Fields<'_>) -> (Option<Op>, Option<f64>) {
        let words = Op::ALL.map(|op| (op.word(), op));
        let op = own.need(self.reader, "op").and_then(|n| word(self.reader, n, "op", &words));
        let value = own.need(self.reader, "value").and_then(|n| self.reader.number(n, "value"));
        (op, value)
    }

    /// The measurement that suggests an answer.
    pub(super) fn suggest(&mut self, node: &Node) -> Option<Suggest> {
        let own = self.fields(node, &SUGGEST)?;
        let promql = own.need(self.reader, "promql").and_then(|n| query(self.reader, n, "promql"));
        let (op, value) = self.bound(&own);
        Some(Suggest { promql: promql?, op: op?, value: value?, mark: node.mark })
    }
}
