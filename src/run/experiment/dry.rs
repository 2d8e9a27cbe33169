//! An experiment on the simulated production, on a clock of its own: every state, every word that would be asked, the rollback,
//! and a report. Nothing is run and nothing is asked of anything real: there is no port here to do it with. What the simulated
//! production does not know is assumed to go well, and said to be assumed.

use super::World;
use super::act::command;
use super::look::value;
use crate::domain::exec::CommandSpec;
use crate::domain::experiment::entry::{Body, Entry, line, read};
use crate::domain::experiment::machine::{Effect, End, Input, Machine, Role};
use crate::domain::experiment::model::{Act, Experiment, Look as What};
use crate::domain::experiment::preflight::{Budget, Facts};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::runbook::hold::Look;
use crate::domain::time::{Timestamp, mins, secs};
use crate::io::clock;
use crate::io::fake::{Ports, Simulation};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Steps after which a run that does not end is given up: none does.
const MOST: usize = 200_000;

/// What came of it.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    /// Its journal, which was never on a disk.
    pub entries: Vec<Entry>,
}

/// Goes through it. `say` prints a line; `false` ends it.
pub fn go(
    experiment: &Experiment,
    (by, host): (&str, &str),
    say: &mut dyn FnMut(&str) -> bool,
) -> Result<Rehearsed, Fault> {
    let local = |e: std::io::Error| Fault::new(FaultKind::Local, "async runtime", e.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(local)?;
    let start = opening(experiment, clock::now());
    let time = Arc::new(Mutex::new(start));
    let told = Arc::clone(&time);
    let now: crate::io::fake::Now = Arc::new(move || *told.lock().unwrap_or_else(PoisonError::into_inner));
    let ports = Ports::of_demo(&Simulation::new(start, 1, now).at_once());
    let world = World {
        metrics: Ok(ports.metrics()),
        objectives: ports.objectives(),
        shell: ports.shell(),
        facts: Arc::new(|| Facts { incidents: Ok(Vec::new()), budgets: Ok(Vec::new()) }),
        incidents: Arc::new(|| Ok(Vec::new())),
        env_pass: Vec::new(),
    };
    for guard in &experiment.book.guards {
        say(&format!("DRY guard, not run: {}", guard.command.text));
    }
    let mut known = experiment.clone();
    known.book.guards.clear();
    let run = start.format("DRY-%Y%m%d-%H%M%S").to_string();
    let place = (host.to_owned(), by.to_owned());
    let (machine, effects) = Machine::begin(Arc::new(known), &run, place, start);
    let mut dry = Dry { machine, world, runtime, time, journal: String::new(), last: (0, String::new()), over: false };
    let opened = super::opened(&dry.machine, by, host, true);
    dry.write(&opened);
    dry.live(effects, say);
    Ok(Rehearsed { entries: read(&run, &dry.journal).entries })
}

/// The next instant within its hours.
fn opening(it: &Experiment, now: Timestamp) -> Timestamp {
    let fits = |at: &Timestamp| it.window.hours.iter().any(|h| h.hold(*at) && h.hold(*at + it.duration));
    if it.window.hours.is_empty() {
        return now;
    }
    (0..768).map(|n| now + mins(15 * n)).find(fits).unwrap_or(now)
}

struct Dry {
    machine: Machine,
    world: World,
    runtime: tokio::runtime::Runtime,
    time: Arc<Mutex<Timestamp>>,
    journal: String,
    last: (u64, String),
    over: bool,
}

impl Dry {
    fn now(&self) -> Timestamp {
        *self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&mut self, body: &Body) {
        let (text, hash) = line(self.last.0 + 1, self.now(), &self.last.1, body);
        self.journal.push_str(&text);
        self.last = (self.last.0 + 1, hash);
    }

    fn live(&mut self, effects: Vec<Effect>, say: &mut dyn FnMut(&str) -> bool) {
        let mut inbox: VecDeque<Input> = VecDeque::new();
        self.carry_out(effects, &mut inbox, say);
        for _ in 0..MOST {
            if self.over {
                return;
            }
            let input = match inbox.pop_front() {
                Some(input) => input,
                None => self.next(say),
            };
            let effects = self.machine.step(self.now(), input);
            self.carry_out(effects, &mut inbox, say);
        }
    }

    /// The answer to what is asked, else the next instant.
    fn next(&mut self, say: &mut dyn FnMut(&str) -> bool) -> Input {
        if let (Some(prompt), Some(answer)) = (self.machine.prompt(), self.machine.expected()) {
            for (label, text) in &prompt.rows {
                say(&format!("DRY   {label}: {text}"));
            }
            say(&format!("DRY   {}   -> {answer}", prompt.ask));
            return Input::Typed(answer);
        }
        let at = self.machine.next_deadline().unwrap_or_else(|| self.now() + secs(1));
        let mut time = self.time.lock().unwrap_or_else(PoisonError::into_inner);
        *time = at.max(*time);
        Input::Wake
    }

    fn carry_out(&mut self, effects: Vec<Effect>, inbox: &mut VecDeque<Input>, say: &mut dyn FnMut(&str) -> bool) {
        for effect in effects {
            match effect {
                Effect::Record(body) => self.write(&body),
                Effect::Say(text) => {
                    say(&format!("DRY {} {text}", crate::domain::time::clock(self.now())));
                }
                Effect::AskFacts => inbox.push_back(Input::Facts(self.facts())),
                Effect::LookIncidents => inbox.push_back(Input::Incidents(Ok(Vec::new()))),
                Effect::Look(at) => inbox.push_back(Input::Looked(at, self.look(at))),
                Effect::Run(id) => {
                    let end = self.run(&id);
                    inbox.push_back(Input::Ended { id, end });
                }
                Effect::Stop => {}
                Effect::Over => self.over = true,
            }
        }
    }

    fn facts(&self) -> Facts {
        let wanted = self.machine.experiment().objectives();
        let assumed = |slo| Budget { slo, left: Some(1.0), band: Some(("assumed".to_owned(), false)) };
        let mut budgets: Vec<Budget> = wanted.into_iter().map(assumed).collect();
        if budgets.is_empty() {
            budgets.push(assumed("every objective (assumed)".into()));
        }
        Facts { incidents: Ok(Vec::new()), budgets: Ok(budgets) }
    }

    /// What the simulated production says; what it does not know goes well.
    fn look(&self, at: usize) -> Look {
        let Some(watch) = self.machine.watches().get(at) else { return Look::NoData("there is no such thing".into()) };
        let assumed = || match watch.role {
            Role::Abort | Role::Blast => Look::Fails("assumed not so".to_owned()),
            Role::Steady | Role::Success => Look::Holds("assumed so".to_owned()),
        };
        match watch.watched(self.machine.experiment()).map(|watched| &watched.what) {
            Some(What::Condition(condition)) => {
                match self.runtime.block_on(value(&self.world, condition, self.now())) {
                    Look::NoData(_) => assumed(),
                    known => known,
                }
            }
            _ => assumed(),
        }
    }

    fn run(&self, id: &str) -> End {
        let it = self.machine.experiment();
        let deed = it.deeds().find(|deed| deed.id == id);
        let Some(Act::Command(_)) = deed.map(|deed| &deed.act) else {
            return End { ok: Some(true), how: "assumed, not called".to_owned(), ..End::default() };
        };
        let offer = deed.and_then(|deed| deed.offer(&it.book, self.machine.run()).ok());
        let Some(offer) = offer else {
            return End { ok: Some(false), how: "it cannot be run as it stands".to_owned(), ..End::default() };
        };
        let (_stop, stopped) = oneshot::channel();
        let spec = CommandSpec { spill: None, files: Vec::new(), ..offer.spec(id, &[]) };
        let (end, text) = self.runtime.block_on(command(&self.world.shell, spec, stopped));
        match end.exit {
            Some(code) if offer.ok_exit.contains(&code) => End {
                ok: Some(true),
                how: format!("exit {code}, simulated"),
                excerpt: text.lines().take(5).map(str::to_owned).collect(),
                ..End::default()
            },
            _ => End { ok: Some(true), how: "assumed, not simulated".to_owned(), ..End::default() },
        }
    }
}
