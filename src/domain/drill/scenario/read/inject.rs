//! What happens and when, and the conditions that injects and commands share.

use super::{File, word};
use crate::domain::document::{Fields, Node};
use crate::domain::drill::scenario::keys::{GIVEN, INJECT};
use crate::domain::drill::scenario::{Act, Failing, Given, Hold, Inject, Milestone, Moment, Tool};
use crate::domain::runbook::pieces::{needed, text};
use crate::domain::time::{Span, secs};

#[derive(Clone, Copy)]
enum Deed {
    Signal,
    Alert(bool),
    Clear,
    Message,
    Fail,
    Mend,
}

const DEEDS: [(&str, Deed); 7] = [
    ("signal", Deed::Signal),
    ("alert", Deed::Alert(false)),
    ("red_herring", Deed::Alert(true)),
    ("clear", Deed::Clear),
    ("message", Deed::Message),
    ("fail", Deed::Fail),
    ("mend", Deed::Mend),
];
/// Keys that every inject may have.
const ALWAYS: [&str; 7] = ["id", "at", "after", "delay", "if", "unless", "do"];

impl File<'_, '_> {
    pub(super) fn injects(&mut self, top: &Fields<'_>) -> Vec<Inject> {
        let mut number = 0;
        self.each(top, "injects", |file, node| {
            number += 1;
            file.inject(node, number)
        })
    }

    fn inject(&mut self, node: &Node, number: usize) -> Option<Inject> {
        let own = self.fields(node, &INJECT)?;
        let moment = self.moment(&own);
        let only_if = self.given(&own, "if");
        let unless = self.given(&own, "unless");
        let deed = own.need(self.reader, "do").and_then(|n| word(self.reader, n, "inject", &DEEDS))?;
        // `id` beside `do: signal` names the signal, as scenarios are written by hand; an inject with a name of its own
        // says `signal`.
        let by_id = matches!(deed, Deed::Signal) && own.get("signal").is_none();
        let id = match own.get("id").filter(|_| !by_id) {
            Some(node) => self.name(node, "id")?,
            None => format!("#{number}"),
        };
        let act = self.deed(node, &own, deed, by_id)?;
        Some(Inject { id, moment: moment?, only_if: only_if?, unless: unless?, act, mark: node.mark })
    }

    fn moment(&mut self, own: &Fields<'_>) -> Option<Moment> {
        let at = own.get("at");
        let after = own.get("after");
        if at.is_some() && after.is_some() {
            self.error(own.mark(), "an inject says `at` and `after` at once (expected one of them)");
            return None;
        }
        if own.get("delay").is_some() && after.is_none() {
            self.error(own.mark(), "`delay` means nothing without `after`");
        }
        if let Some(node) = at {
            // The very beginning is written as 0s, or as a plain 0.
            if node.text() == Some("0") {
                return Some(Moment::At(secs(0)));
            }
            return self.reader.span(node, "at").map(Moment::At);
        }
        let Some(node) = after else { return Some(Moment::ByHand) };
        let inject = self.reader.string(node, "after")?;
        let delay = match own.get("delay") {
            Some(node) => self.reader.span(node, "delay")?,
            None => secs(0),
        };
        Some(Moment::After { inject, delay })
    }

    /// A condition under a key. `None`: it cannot be used, so that what hangs on it must not happen.
    #[expect(clippy::option_option, reason = "no condition is not the same as one that cannot be read")]
    pub(super) fn given(&mut self, own: &Fields<'_>, key: &str) -> Option<Option<Given>> {
        let Some(node) = own.get(key) else { return Some(None) };
        if node.text().is_some() {
            return word(self.reader, node, "milestone", &Milestone::WORDS).map(|m| Some(Given::Reached(m)));
        }
        let inner = self.fields(node, &GIVEN)?;
        let which = self.one_of(&inner, key, &["action", "step", "inject", "severity", "expect", "signal"])?;
        if which != "signal" {
            self.strays(node, &[which], &format!("beside `{which}`"));
            let said = needed(self.reader, &inner, which)?;
            return Some(Some(match which {
                "action" => Given::Action(said),
                "step" => Given::Step(said),
                "inject" => Given::Inject(said),
                "severity" => Given::Severity(said),
                _ => Given::Expect(said),
            }));
        }
        let held = self.held(&inner, node.mark)?;
        Some(Some(Given::Signal(held)))
    }

    fn deed(&mut self, node: &Node, own: &Fields<'_>, deed: Deed, by_id: bool) -> Option<Act> {
        let allow = |more: &[&'static str]| -> Vec<&'static str> { ALWAYS.iter().chain(more).copied().collect() };
        match deed {
            Deed::Signal => {
                let key = if by_id { "id" } else { "signal" };
                let beside = allow(&["signal"]);
                let name = self.need_name(own, key);
                let shape = self.shape(node, own, "step", &beside);
                // `after` names an inject here.
                let change = crate::domain::drill::scenario::Change { signal: name?, shape: shape?, after: secs(0) };
                Some(Act::Signal(change))
            }
            Deed::Alert(red_herring) => {
                self.strays(node, &allow(&["alert", "labels", "annotations", "while"]), "for an alert");
                let while_: Option<Hold> = match own.get("while") {
                    Some(node) => Some(self.hold(node)?),
                    None => None,
                };
                Some(Act::Alert {
                    alert: self.alert(own)?,
                    labels: self.labels(own, "labels"),
                    annotations: self.labels(own, "annotations"),
                    while_,
                    red_herring,
                })
            }
            Deed::Clear => {
                self.strays(node, &allow(&["alert"]), "for `clear`");
                self.alert(own).map(Act::Clear)
            }
            Deed::Message => {
                self.strays(node, &allow(&["from", "text"]), "for a message");
                let (from, text) = (needed(self.reader, own, "from"), needed(self.reader, own, "text"));
                Some(Act::Message { from: from?, text: text? })
            }
            Deed::Fail => {
                self.strays(node, &allow(&["target", "how", "for"]), "for `fail`");
                let tool = own.need(self.reader, "target").and_then(|n| self.tool(n))?;
                self.failing(own, tool)
            }
            Deed::Mend => {
                self.strays(node, &allow(&["target"]), "for `mend`");
                own.need(self.reader, "target").and_then(|n| self.tool(n)).map(Act::Mend)
            }
        }
    }

    pub(super) fn failing(&mut self, own: &Fields<'_>, tool: Tool) -> Option<Act> {
        let how = match own.get("how") {
            Some(node) => word(self.reader, node, "way to fail", &Failing::WORDS)?,
            None => Failing::Down,
        };
        let for_: Option<Span> = match own.get("for") {
            Some(node) => Some(self.reader.span(node, "for")?),
            None => None,
        };
        Some(Act::Fail { tool, how, for_ })
    }

    pub(super) fn tool(&mut self, node: &Node) -> Option<Tool> {
        if node.text() == Some("record") {
            self.error(node.mark, "the record is no tool that fails: what players do in a drill is always kept");
            return None;
        }
        word(self.reader, node, "tool", &Tool::WORDS)
    }

    /// What a command changes.
    pub(super) fn effect(&mut self, node: &Node) -> Option<Act> {
        let own = self.fields(node, &crate::domain::drill::scenario::keys::EFFECT)?;
        match self.one_of(&own, "an effect", &["signal", "alert", "clear", "fail", "mend"])? {
            "signal" => self.change(node, &own, "signal", &["signal", "after"]).map(Act::Signal),
            "alert" => {
                self.strays(node, &["alert", "labels", "annotations"], "for an alert");
                Some(Act::Alert {
                    alert: self.alert(&own)?,
                    labels: self.labels(&own, "labels"),
                    annotations: self.labels(&own, "annotations"),
                    while_: None,
                    red_herring: false,
                })
            }
            "clear" => {
                self.strays(node, &["clear"], "beside `clear`");
                text(self.reader, &own, "clear").map(Act::Clear)
            }
            "fail" => {
                self.strays(node, &["fail", "how", "for"], "beside `fail`");
                let tool = own.get("fail").and_then(|n| self.tool(n))?;
                self.failing(&own, tool)
            }
            _ => {
                self.strays(node, &["mend"], "beside `mend`");
                own.get("mend").and_then(|n| self.tool(n)).map(Act::Mend)
            }
        }
    }
}
