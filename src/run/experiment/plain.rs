//! An experiment as lines: one for each thing that happens, one for each change of what is known, a question in front of each
//! answer. For scripts, screen readers and terminals that draw nothing.

use super::{Face, In};
use crate::app::present::experiment::{page, status};
use crate::domain::experiment::entry::Cause;
use crate::domain::experiment::machine::{Input, Machine, Phase, Prompt};
use crate::domain::runbook::hold::Look;
use crate::domain::time::{Timestamp, clock, secs};
use std::collections::VecDeque;
use std::io::{BufRead, IsTerminal};
use std::sync::mpsc::Sender;

/// Seconds between two lines that say how it stands.
const HEARTBEAT: i64 = 30;

/// Lines on standard output.
pub struct Plain<'p> {
    /// Prints a line; `false` when nobody reads.
    pub print: &'p mut dyn FnMut(&str) -> bool,
    /// Answers of a script that were not asked for yet; a person's are not kept.
    script: Option<VecDeque<String>>,
    ended: bool,
    asked: Option<Prompt>,
    known: Vec<Option<u8>>,
    beat: Option<Timestamp>,
}

impl std::fmt::Debug for Plain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Plain")
    }
}

impl<'p> Plain<'p> {
    /// A face that prints.
    pub fn new(print: &'p mut dyn FnMut(&str) -> bool) -> Self {
        let script = (!std::io::stdin().is_terminal()).then(VecDeque::new);
        Self { print, script, ended: false, asked: None, known: Vec::new(), beat: None }
    }
}

/// Reads standard input line by line, on a thread of its own.
pub fn listen(sender: Sender<In>) -> std::io::Result<()> {
    std::thread::Builder::new().name("lines".into()).spawn(move || {
        for line in std::io::stdin().lock().lines() {
            match line {
                Ok(line) => drop(sender.send(In::Line(line))),
                Err(_) => break,
            }
        }
        drop(sender.send(In::End));
    })?;
    Ok(())
}

impl Face for Plain<'_> {
    fn say(&mut self, now: Timestamp, text: &str) -> bool {
        (self.print)(&format!("{} {text}", clock(now)))
    }

    fn show(&mut self, machine: &Machine, now: Timestamp) -> bool {
        let view = page(machine, now);
        let mut seen = true;
        // What a condition says is a line when it says something else than before.
        let looked = machine.watches().iter().map(|watch| {
            watch.last.as_ref().map(|(_, look)| match look {
                Look::Holds(_) => 0_u8,
                Look::Fails(_) => 1,
                Look::NoData(_) => 2,
            })
        });
        let looked: Vec<Option<u8>> = looked.collect();
        for (at, row) in view.conditions.iter().enumerate() {
            let changed = looked.get(at).copied().flatten() != self.known.get(at).copied().flatten();
            if changed && looked.get(at).is_some_and(Option::is_some) {
                seen &= (self.print)(&format!("{} {} {}: {}", clock(now), row.role, row.name, row.value.text));
            }
        }
        self.known = looked;
        let beats = machine.phase().in_force() || matches!(machine.phase(), Phase::Steady(_) | Phase::Recovery(_));
        let last = *self.beat.get_or_insert(now);
        if beats && now - last >= secs(HEARTBEAT) {
            self.beat = Some(now);
            seen &= (self.print)(&format!("{} {}", clock(now), status(&view)));
        }
        let prompt = machine.prompt();
        if prompt != self.asked {
            for (label, text) in prompt.iter().flat_map(|prompt| &prompt.rows) {
                seen &= (self.print)(&format!("  {label}: {text}"));
            }
            if let Some(prompt) = &prompt {
                seen &= (self.print)(&prompt.ask);
            }
            self.asked = prompt;
        }
        seen
    }

    fn take(&mut self, it: In, machine: &Machine) -> Vec<Input> {
        match it {
            In::Line(line) => match &mut self.script {
                Some(script) if !machine.halts(&line) => {
                    script.push_back(line);
                    Vec::new()
                }
                _ => vec![Input::Typed(line)],
            },
            In::End => {
                self.ended = true;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn kept(&mut self, machine: &Machine) -> Option<Input> {
        machine.prompt()?;
        if let Some(line) = self.script.as_mut().and_then(VecDeque::pop_front) {
            return Some(Input::Typed(line));
        }
        // Nobody will answer any more: what waits for an answer is left.
        let over = || Input::Halt(Cause::Signal { what: "standard input is at its end".to_owned() });
        self.ended.then(over)
    }
}
