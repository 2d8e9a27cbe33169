//! An experiment on the real world: one loop that takes what happened, steps the machine, writes its journal and carries out
//! what it wants. Whatever goes wrong with the screen, the sources or the journal, the machine is told and the rollback is run.
//!
//! `experiment/look.rs` looks, `experiment/act.rs` runs, `experiment/plain.rs` and `experiment/full.rs` are the two faces,
//! `experiment/dry.rs` goes through one on the simulated production, `experiment/shelf.rs` finds the files.

pub mod act;
pub mod dry;
pub mod full;
pub mod look;
pub mod plain;
pub mod shelf;

use crate::domain::experiment::entry::{Body, Cause};
use crate::domain::experiment::machine::{Effect, End, Input, Machine};
use crate::domain::experiment::preflight::Facts;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::slo::objective::Objective;
use crate::domain::time::Timestamp;
use crate::io::clock;
use crate::io::files::experiments::Journal;
use crate::io::port::{Metrics, Shell};
use crate::run::terminal::keys::Typed;
use crate::run::terminal::signals::Asked;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// The longest wait between two looks at the clock: a machine that slept must notice.
const NAP: Duration = Duration::from_millis(500);

/// What there is to ask and to run with.
#[derive(Clone)]
pub struct World {
    /// Where numbers come from, or why there are none.
    pub metrics: Result<Arc<dyn Metrics>, String>,
    /// Objectives that conditions may name.
    pub objectives: Vec<Arc<Objective>>,
    /// Runs commands.
    pub shell: Arc<dyn Shell>,
    /// Asks what the preflight needs; blocks.
    pub facts: Arc<dyn Fn() -> Facts + Send + Sync>,
    /// Asks whether an incident is open; blocks.
    pub incidents: Arc<dyn Fn() -> Result<Vec<String>, String> + Send + Sync>,
    /// Names of variables that are passed through.
    pub env_pass: Vec<String>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("metrics", &self.metrics).finish_non_exhaustive()
    }
}

/// What comes to the loop.
#[derive(Debug)]
pub enum In {
    /// For the machine.
    Input(Input),
    /// Keys.
    Typed(Vec<Typed>),
    /// A line of standard input.
    Line(String),
    /// Standard input is at its end.
    End,
    /// A signal.
    Asked(Asked),
    /// The terminal is gone.
    Gone,
}

/// How a person sees it and acts on it.
pub trait Face {
    /// Tells a line. `false`: nobody reads it any more.
    fn say(&mut self, now: Timestamp, text: &str) -> bool;
    /// Shows how it stands. `false`: nobody sees it any more.
    fn show(&mut self, machine: &Machine, now: Timestamp) -> bool;
    /// What a person did, as the machine takes it.
    fn take(&mut self, it: In, machine: &Machine) -> Vec<Input>;
    /// What was said before it was asked for.
    fn kept(&mut self, _machine: &Machine) -> Option<Input> {
        None
    }
}

/// A run under way.
#[derive(Debug)]
pub struct Carrier<'j> {
    world: World,
    machine: Machine,
    journal: &'j mut Journal,
    sender: Sender<In>,
    runtime: Handle,
    /// Stops what runs.
    stop: Option<oneshot::Sender<()>>,
    /// Nobody sees it any more, which was told.
    unseen: bool,
    over: bool,
}

/// Goes through it to its end. Gives the machine as it ended. `person` is who halts it with a key.
pub fn live(
    (machine, effects): (Machine, Vec<Effect>),
    world: World,
    journal: &mut Journal,
    (sender, inbox): (Sender<In>, &Receiver<In>),
    face: &mut dyn Face,
    person: &str,
) -> Result<Machine, Fault> {
    let (runtime, quit) = background()?;
    let mut shell = Carrier { world, machine, journal, sender, runtime, stop: None, unseen: false, over: false };
    shell.carry_out(effects, face);
    loop {
        let now = clock::now();
        if !face.show(&shell.machine, now) {
            shell.nobody();
        }
        if shell.over {
            break;
        }
        if let Some(input) = face.kept(&shell.machine) {
            let effects = shell.machine.step(clock::now(), input);
            shell.carry_out(effects, face);
            continue;
        }
        let wait = shell.machine.next_deadline().map_or(NAP, |at| (at - now).to_std().unwrap_or_default().min(NAP));
        let first = match inbox.recv_timeout(wait + Duration::from_millis(1)) {
            Ok(it) => Some(it),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        let inputs = match first {
            None => vec![Input::Wake],
            Some(In::Input(input)) => vec![input],
            Some(In::Asked(Asked::End(code))) => vec![Input::Halt(halting(code, person))],
            Some(In::Asked(Asked::Gone(_)) | In::Gone) => {
                shell.unseen = true;
                vec![Input::Halt(Cause::Signal { what: "the terminal is gone".to_owned() })]
            }
            Some(other) => face.take(other, &shell.machine),
        };
        for input in inputs {
            let effects = shell.machine.step(clock::now(), input);
            shell.carry_out(effects, face);
        }
    }
    // Whoever runs the tasks ends when this does.
    drop(quit);
    Ok(shell.machine)
}

/// What asks and runs, on a thread of its own for as long as the sender lives.
fn background() -> Result<(Handle, oneshot::Sender<()>), Fault> {
    let local = |e: std::io::Error| Fault::new(FaultKind::Local, "async runtime", e.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(local)?;
    let handle = runtime.handle().clone();
    let (quit, asked) = oneshot::channel::<()>();
    let thread = std::thread::Builder::new().name("experiment".into());
    thread.spawn(move || runtime.block_on(asked)).map_err(local)?;
    Ok((handle, quit))
}

/// Ctrl-C is the person's word; another signal means that nobody waits for the rest.
fn halting(code: i32, person: &str) -> Cause {
    match code - 128 {
        signal_hook::consts::SIGINT => Cause::Halted { by: person.to_owned() },
        signal => Cause::Signal { what: format!("signal {signal} came") },
    }
}

impl Carrier<'_> {
    fn carry_out(&mut self, effects: Vec<Effect>, face: &mut dyn Face) {
        let mut unwritten = None;
        for effect in effects {
            match effect {
                Effect::Record(body) => {
                    if let Err(fault) = self.journal.append(clock::now(), &body) {
                        self.tell(&format!("NOT WRITTEN to the journal: {fault}"), face);
                        unwritten = Some(fault.to_string());
                    }
                }
                // What is not written down is not done; but what takes it back is done all the same.
                Effect::Run(id) if unwritten.is_some() && !id.starts_with("rollback.") => {
                    let how = format!("not run: {}", unwritten.clone().unwrap_or_default());
                    let end = End { ok: Some(false), how, ..End::default() };
                    self.send(Input::Ended { id, end });
                }
                Effect::Run(id) => self.run(id),
                Effect::Stop => {
                    if let Some(stop) = self.stop.take() {
                        // It has ended meanwhile: nothing is left to stop.
                        let _: Result<(), ()> = stop.send(());
                    }
                }
                Effect::Say(text) => self.tell(&text, face),
                Effect::AskFacts => self.ask(|world| Input::Facts((world.facts)())),
                Effect::LookIncidents => self.ask(|world| Input::Incidents((world.incidents)())),
                Effect::Look(at) => self.look(at),
                Effect::Over => self.over = true,
            }
        }
        if let Some(why) = unwritten.filter(|_| !self.over) {
            self.send(Input::Halt(Cause::Journal { what: why }));
        }
    }

    fn tell(&mut self, text: &str, face: &mut dyn Face) {
        if !self.unseen && !face.say(clock::now(), text) {
            self.nobody();
        }
    }

    /// Nobody sees it any more.
    fn nobody(&mut self) {
        if !self.unseen {
            self.unseen = true;
            self.send(Input::Halt(Cause::Signal { what: "nobody reads it any more".to_owned() }));
        }
    }

    fn send(&self, input: Input) {
        // The loop holds the other end for as long as this lives.
        drop(self.sender.send(In::Input(input)));
    }

    /// Asks something that blocks.
    fn ask(&self, what: impl FnOnce(&World) -> Input + Send + 'static) {
        let (world, sender) = (self.world.clone(), self.sender.clone());
        let asked = std::thread::Builder::new().name("ask".into()).spawn(move || {
            drop(sender.send(In::Input(what(&world))));
        });
        if let Err(e) = asked {
            self.send(Input::Halt(Cause::Journal { what: format!("nothing can be asked: {e}") }));
        }
    }

    fn look(&self, at: usize) {
        let experiment = self.machine.experiment();
        let Some(watched) = self.machine.watches().get(at).and_then(|watch| watch.watched(experiment)).cloned() else {
            return;
        };
        let (world, sender, book, run) =
            (self.world.clone(), self.sender.clone(), experiment.book.clone(), self.machine.run().to_owned());
        self.runtime.spawn(async move {
            let seen = look::one(&world, &book, &run, &watched.what).await;
            drop(sender.send(In::Input(Input::Looked(at, seen))));
        });
    }

    fn run(&mut self, id: String) {
        let (stop, stopped) = oneshot::channel();
        self.stop = Some(stop);
        let (world, sender) = (self.world.clone(), self.sender.clone());
        let (experiment, run) = (Arc::clone(self.machine.experiment()), self.machine.run().to_owned());
        self.runtime.spawn(async move {
            let end = act::run(&world, &experiment, &run, &id, stopped).await;
            drop(sender.send(In::Input(Input::Ended { id, end })));
        });
    }
}

/// What is written first: who wants it, and the file's text.
pub fn opened(machine: &Machine, by: &str, host: &str, dry: bool) -> Body {
    let it = machine.experiment();
    Body::Opened(Box::new(crate::domain::experiment::entry::Opened {
        run: machine.run().to_owned(),
        experiment: it.id.clone(),
        title: it.title.clone(),
        hypothesis: it.hypothesis.clone(),
        environment: it.blast.environment.clone(),
        path: it.path().to_owned(),
        sha256: it.book.sha256.clone(),
        source: it.source.clone(),
        by: by.to_owned(),
        host: host.to_owned(),
        dry,
    }))
}
