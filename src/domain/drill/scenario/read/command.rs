//! What commands answer and change.

use super::{File, word};
use crate::domain::document::{Fields, Node};
use crate::domain::drill::scenario::keys::{COMMAND, DEFAULT_REPLY, MATCH};
use crate::domain::drill::scenario::read::fill::{is_file, safe_path};
use crate::domain::drill::scenario::{Canned, Out, Pattern, Reply, Scenario};
use crate::domain::runbook::model::Risk;
use crate::domain::runbook::pieces::{needed, text};
use crate::domain::time::{Span, secs};

/// What a command answers when the scenario does not say.
pub(super) fn fallback() -> Reply {
    Reply { out: Out::Text("not available in this drill".into()), exit: 127, delay: secs(1) }
}

impl File<'_, '_> {
    pub(super) fn commands(&mut self, top: &Fields<'_>, mut scenario: Scenario) -> Scenario {
        let mut fallback = None;
        let commands = self.each(top, "commands", |file, node| {
            let own = file.fields(node, &COMMAND)?;
            let Some(inner) = own.get("default") else { return file.command(node, &own) };
            file.strays(node, &["default"], "beside `default`");
            if fallback.is_some() {
                file.error(node.mark, "a second default; the first one counts");
                return None;
            }
            let inner_fields = file.fields(inner, &DEFAULT_REPLY)?;
            fallback = file.reply(&inner_fields, &super::command::fallback());
            None
        });
        scenario.commands = commands;
        if let Some(reply) = fallback {
            scenario.fallback = reply;
        }
        scenario
    }

    fn command(&mut self, node: &Node, own: &Fields<'_>) -> Option<Canned> {
        let pattern = own.need(self.reader, "match").and_then(|n| self.pattern(n));
        let (only_if, unless) = (self.given(own, "if"), self.given(own, "unless"));
        let action = match own.get("action") {
            Some(node) => Some(self.name(node, "action")?),
            None => None,
        };
        let risk = match own.get("risk") {
            Some(node) => Some(word(self.reader, node, "risk", &Risk::ALL.map(|r| (r.word(), r)))?),
            None => None,
        };
        let silent = Reply { out: Out::Text(String::new()), exit: 0, delay: secs(1) };
        let reply = self.reply(own, &silent)?;
        let effects = self.each(own, "effects", Self::effect);
        Some(Canned {
            pattern: pattern?,
            only_if: only_if?,
            unless: unless?,
            action,
            risk,
            reply,
            effects,
            mark: node.mark,
        })
    }

    fn pattern(&mut self, node: &Node) -> Option<Pattern> {
        let own = self.fields(node, &MATCH)?;
        match self.one_of(&own, "a match", &["step", "argv"])? {
            "step" => {
                let id = needed(self.reader, &own, "step")?;
                Some(Pattern::Step { runbook: text(self.reader, &own, "runbook"), id })
            }
            _ => {
                self.strays(node, &["argv"], "beside `argv`");
                let node = own.need(self.reader, "argv")?;
                let argv = self.reader.strings(node, "argv");
                if argv.is_empty() || argv.first().is_some_and(String::is_empty) {
                    self.reader.wrong(node, "argv", "a program and its arguments");
                    return None;
                }
                Some(Pattern::Argv(argv))
            }
        }
    }

    fn reply(&mut self, own: &Fields<'_>, without: &Reply) -> Option<Reply> {
        let out = match own.get("out") {
            None => without.out.clone(),
            Some(node) => {
                let said = self.reader.string(node, "out")?;
                match is_file(&said) {
                    false => Out::Text(said),
                    true => {
                        if let Err(why) = safe_path(&said) {
                            self.error(node.mark, format!("the file {why}"));
                            return None;
                        }
                        Out::File(said)
                    }
                }
            }
        };
        let exit = self.whole(own, "exit", 0, 255).and_then(|n| i32::try_from(n).ok()).unwrap_or(without.exit);
        let delay = match own.get("delay") {
            Some(node) => self.bounded(node, "delay", secs(0), Span::hours(1))?,
            None => without.delay,
        };
        Some(Reply { out, exit, delay })
    }
}
