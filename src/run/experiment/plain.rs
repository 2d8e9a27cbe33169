//! An experiment as lines: one for each thing that happens, one for each change of what is known, a question in front of each
//! answer. For scripts, screen readers and terminals that draw nothing.

use super::{Face, In};
use crate::app::present::experiment::{page, status};
use crate::domain::experiment::entry::Cause;
use crate::domain::experiment::machine::{Input, Machine, Phase, Prompt};
use crate::domain::runbook::hold::Look;
use crate::domain::time::{Timestamp, clock, secs};
use rustix::event::{PollFd, PollFlags, Timespec};
use std::collections::VecDeque;
use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Duration;

/// Seconds between two lines that say how it stands.
const HEARTBEAT: i64 = 30;

/// How long a script that is not asked anything waits.
const PAUSE: Duration = Duration::from_millis(50);

/// Lines on standard output.
pub struct Plain<'p> {
    /// Prints a line; `false` when nobody reads.
    pub print: &'p mut dyn FnMut(&str) -> bool,
    /// Answers of a script that were not asked for yet; a person's are not kept.
    script: Option<VecDeque<String>>,
    ended: bool,
    /// The next line of a script is wanted.
    wanted: Arc<AtomicBool>,
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
    pub fn new(print: &'p mut dyn FnMut(&str) -> bool, wanted: Arc<AtomicBool>) -> Self {
        let script = (!std::io::stdin().is_terminal()).then(VecDeque::new);
        Self { print, script, ended: false, wanted, asked: None, known: Vec::new(), beat: None }
    }
}

/// Reads standard input on a thread of its own, a byte at a time and no further than it must: what it does not take is there
/// for whoever reads after it. Ends with its value.
#[derive(Debug)]
pub struct Listener {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Begins to read. A person's lines are always taken, those of a script while `wanted` is set.
    pub fn start(sender: Sender<In>, wanted: Arc<AtomicBool>) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let person = std::io::stdin().is_terminal();
        let thread = std::thread::Builder::new().name("lines".into()).spawn(move || {
            let mut line = Vec::new();
            while !stopped.load(Ordering::SeqCst) {
                if !person && !wanted.load(Ordering::SeqCst) {
                    std::thread::sleep(PAUSE);
                    continue;
                }
                match byte() {
                    Ok(None) => {}
                    Ok(Some(b'\n')) => {
                        let text = String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned();
                        drop(sender.send(In::Line(text)));
                        if !person {
                            // What it does is seen before the next one is taken.
                            wanted.store(false, Ordering::SeqCst);
                        }
                    }
                    Ok(Some(byte)) if line.len() < 4_096 => line.push(byte),
                    Ok(Some(_)) => {}
                    Err(AtEnd) => {
                        drop(sender.send(In::End));
                        return;
                    }
                }
            }
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Standard input is at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtEnd;

/// The next byte of standard input; `None` where none came for a moment, `Err` at its end.
pub fn byte() -> Result<Option<u8>, AtEnd> {
    let stdin = std::io::stdin();
    let fd = stdin.as_fd();
    let mut wait = [PollFd::new(&fd, PollFlags::IN)];
    let limit = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    match rustix::event::poll(&mut wait, Some(&limit)) {
        Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(None),
        Ok(_) => {}
        Err(_) => return Err(AtEnd),
    }
    let mut one = [0_u8];
    match rustix::io::read(fd, &mut one) {
        Ok(0) => Err(AtEnd),
        Ok(_) => Ok(one.first().copied()),
        Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => Ok(None),
        Err(_) => Err(AtEnd),
    }
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
        let waits = self.script.as_ref().is_some_and(VecDeque::is_empty);
        let asks = machine.prompt().is_some() || machine.halts("rollback");
        self.wanted.store(waits && asks, Ordering::SeqCst);
        machine.prompt()?;
        if let Some(line) = self.script.as_mut().and_then(VecDeque::pop_front) {
            return Some(Input::Typed(line));
        }
        // Nobody will answer any more: what waits for an answer is left.
        let over = || Input::Halt(Cause::Signal { what: "standard input is at its end".to_owned() });
        self.ended.then(over)
    }
}
