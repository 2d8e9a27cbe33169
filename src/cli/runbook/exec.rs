//! Running one confirmed command of a walk: shown exactly, recorded before it begins and when it ends, stopped when the
//! person interrupts. Never runs what was not confirmed.

use crate::app::model::Transcript;
use crate::cli::context::Context;
use crate::cli::desk::Desk;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::domain::exec::{CommandEnd, CommandNews, CommandSpec};
use crate::domain::incident::event::Body;
use crate::domain::runbook::gate::captured;
use crate::domain::runbook::model::Risk;
use crate::domain::runbook::offer::{Offer, outcome};
use crate::domain::text::clean;
use crate::domain::text::sequences::strip;
use crate::io::clock;
use crate::io::port::Shell;
use crate::io::shell::LocalShell;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Lines of output that go into the record.
const EXCERPT: usize = 20;
/// How often an interruption is looked for.
const TICK: Duration = Duration::from_millis(100);

/// As whom commands run.
pub fn user(context: Option<&Context>) -> String {
    let named = context.and_then(|c| ["USER", "LOGNAME"].iter().find_map(|name| c.environment.get(*name)));
    named.cloned().unwrap_or_else(|| format!("user {}", rustix::process::geteuid().as_raw()))
}

/// Exactly what runs, where and as whom, and what confirms it.
pub fn confirmation(offer: &Offer, user: &str) -> Vec<String> {
    let host = crate::run::setup::host();
    let mut rows: Vec<String> =
        offer.rows(&host, user).into_iter().map(|(label, text)| format!("{label}: {text}")).collect();
    rows.push(match (offer.token(), offer.risk) {
        (Some(token), _) => format!("type `{token}` to run {}, anything else to leave it", offer.slot),
        (None, Risk::Read) => format!("type `y`, or only Enter, to run {}, anything else to leave it", offer.slot),
        (None, _) => format!("type `y` to run {}, anything else to leave it", offer.slot),
    });
    rows
}

/// Whether what was typed confirms it.
pub fn confirms(offer: &Offer, typed: &str) -> bool {
    match (offer.token(), offer.risk) {
        (Some(token), _) => typed == token,
        (None, Risk::Read) => typed.is_empty() || typed == "y",
        (None, _) => typed == "y",
    }
}

/// How a run ended: whether it did its work, and its first line.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Done, failed or unknown.
    pub ok: Option<bool>,
    /// The first line of its output.
    pub first: String,
}

/// Records the start, runs, shows the output as it comes, records the end and what follows from it. An interruption stops
/// the command first.
pub fn go(offer: &Offer, desk: &mut Desk<'_>, output: &mut Output) -> Result<Ended, Failure> {
    let id = &offer.incident;
    let now = clock::now();
    let name = format!("{}-{}", now.timestamp_millis(), offer.sha256().chars().take(8).collect::<String>());
    let (host, user) = (crate::run::setup::host(), user(Some(desk.context)));
    let mut bodies = Vec::new();
    if let Some((option, action)) = &offer.option {
        bodies.push(Body::OptionChosen { place: offer.place.clone(), option: *option, action: action.clone() });
    }
    bodies.push(Body::CommandStarted(offer.start(&name, &host, &user)));
    let interrupted = Interrupted::watch()?;
    desk.act(id, now, bodies)?;
    let spec = offer.spec(&name, &desk.config.env_pass);
    let spill = desk.context.folders.data.join("output");
    let ran = if offer.tty { Ok(at_terminal(&spec, output)) } else { run(spec, spill, &interrupted, output) };
    let (end, lines, shown) = ran?;
    let ok = outcome(&end, &offer.ok_exit);
    desk.note(id, Body::CommandFinished(offer.finish(&name, &end, lines.kept.clone().into())), None)?;
    follow(offer, desk, &name, ok, &lines, output)?;
    shown?;
    let how = match (end.exit, &end.reason) {
        (Some(code), _) => format!("exit {code}"),
        (None, Some(reason)) => reason.clone(),
        (None, None) => "result unknown".to_owned(),
    };
    output.line(&format!("{}: {how} after {:.1}s", offer.slot, end.took.as_secs_f64()))?;
    if let Some(file) = &end.file {
        output.line(&format!("more of its output is in {file}"))?;
    }
    if ok.is_none() && offer.risk.is_dangerous() {
        output.line("it may have done its work or not: look before running it again")?;
    }
    if end.survivors {
        output.line("some of its processes could not be stopped: look for them by hand")?;
    }
    let first = lines.all.lines.front().map(|line| clean(&strip(line)).into_owned()).unwrap_or_default();
    if interrupted.asked() { Err(Failure::Interrupted) } else { Ok(Ended { ok, first }) }
}

/// Captures, and changes in force.
fn follow(
    offer: &Offer,
    desk: &mut Desk<'_>,
    name: &str,
    ok: Option<bool>,
    lines: &Lines,
    output: &mut Output,
) -> Result<(), Failure> {
    if ok != Some(true) {
        return Ok(());
    }
    let id = &offer.incident;
    if !offer.capture.is_empty() {
        let found = lines.all.whole().ok_or_else(|| "its output is too long to take a value from".to_owned());
        match found.and_then(|text| captured(&offer.capture, &text)) {
            Ok(values) => {
                for (name, value) in values {
                    output.line(&format!("{name} is `{value}`"))?;
                    desk.note(id, Body::ValueCaptured { runbook: offer.place.runbook.clone(), name, value }, None)?;
                }
            }
            Err(why) => output.line(&why)?,
        }
    }
    let Some(change) = &offer.change else { return Ok(()) };
    let action = change.action.clone();
    match &change.undoes {
        Some(of) => {
            desk.note(id, Body::RolledBack { run: of.clone(), by: name.to_owned(), action }, None)?;
        }
        None => {
            desk.note(id, Body::ChangeApplied { run: name.to_owned(), action }, None)?;
            if let Some(plan) = offer.watch(name) {
                output.line(&format!(
                    "to be watched: {}; a cockpit on this record does it, or `verify` here",
                    plan.what
                ))?;
                desk.note(id, Body::VerifyStarted(plan), None)?;
            }
        }
    }
    Ok(())
}

/// A command that needs the terminal.
fn at_terminal(spec: &CommandSpec, output: &mut Output) -> Ran {
    let shown = output.finish();
    (crate::io::shell::tty::run(spec), Lines::default(), shown)
}

/// While a command runs, an interruption stops the command and is remembered; at other times it ends the program, as if
/// nobody had watched.
#[derive(Clone, Debug)]
pub struct Interrupted {
    asked: Arc<AtomicBool>,
    /// It was not the person at the keyboard: the program itself is to end.
    end: Arc<AtomicBool>,
    /// The program's own end is wanted as soon as the signal comes.
    at_once: Arc<AtomicBool>,
}

impl Interrupted {
    /// The watch of this process; handlers are installed once, because they cannot be taken out again.
    pub fn watch() -> Result<Watching, Failure> {
        static WATCH: OnceLock<Interrupted> = OnceLock::new();
        let watch = match WATCH.get() {
            Some(watch) => watch.clone(),
            None => {
                let made = Self { asked: Arc::default(), end: Arc::default(), at_once: Arc::default() };
                for signal in [SIGINT, SIGTERM, SIGHUP] {
                    let both = signal_hook::flag::register_conditional_default(signal, Arc::clone(&made.at_once))
                        .and_then(|_| match signal {
                            SIGINT => Ok(()),
                            _ => signal_hook::flag::register(signal, Arc::clone(&made.end)).map(drop),
                        })
                        .and_then(|()| signal_hook::flag::register(signal, Arc::clone(&made.asked)));
                    both.map_err(|error| {
                        Failure::Refused(format!("an interruption could not be watched for: {error}"))
                    })?;
                }
                WATCH.get_or_init(|| made).clone()
            }
        };
        watch.asked.store(false, Ordering::SeqCst);
        watch.at_once.store(false, Ordering::SeqCst);
        Ok(Watching(watch))
    }
}

/// Ends with the command.
#[derive(Debug)]
pub struct Watching(Interrupted);

impl Watching {
    /// The person interrupted.
    pub fn asked(&self) -> bool {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// The terminal is gone, or somebody ends the program.
    pub fn must_end(&self) -> bool {
        self.0.end.load(Ordering::SeqCst)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.at_once.store(true, Ordering::SeqCst);
    }
}

/// How it ended, its lines, and whether they could be shown.
type Ran = (CommandEnd, Lines, Result<(), Failure>);

/// Runs to the end. That nobody reads the output any more does not stop a command half way.
fn run(
    spec: CommandSpec,
    spill: std::path::PathBuf,
    interrupted: &Watching,
    output: &mut Output,
) -> Result<Ran, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Refused(format!("the command could not be started: {error}")))?;
    runtime.block_on(async {
        let (tell, mut news) = mpsc::channel(64);
        let (stop, stopped) = oneshot::channel();
        let mut stop = Some(stop);
        let shell = LocalShell { spill: Some(spill), ..LocalShell::default() };
        let task = tokio::spawn(shell.run(spec, tell, stopped));
        let mut lines = Lines::default();
        let mut shown = Ok(());
        let mut ticker = tokio::time::interval(TICK);
        let mut end = None;
        loop {
            tokio::select! {
                told = news.recv() => match told {
                    Some(CommandNews::Started(_)) => {}
                    Some(CommandNews::Output(piece)) => lines.take(&piece, output, &mut shown),
                    Some(CommandNews::Ended(ended)) => end = Some(ended),
                    None => break,
                },
                _ = ticker.tick() => {
                    if interrupted.asked() && let Some(stop) = stop.take() {
                        // It has ended meanwhile: nothing is left to stop.
                        let _ = stop.send(());
                    }
                }
            }
        }
        drop(task.await);
        lines.close(output, &mut shown);
        let end = end.ok_or_else(|| Failure::Refused("how the command ended is unknown".to_owned()))?;
        lines.all.end = Some(end.clone());
        Ok((end, lines, shown))
    })
}

/// The output line by line, all that is kept of it, and the last lines for the record.
#[derive(Default)]
struct Lines {
    all: Transcript,
    kept: VecDeque<String>,
    open: String,
}

impl Lines {
    fn take(&mut self, piece: &str, output: &mut Output, shown: &mut Result<(), Failure>) {
        self.all.push(piece);
        let mut parts = piece.split('\n');
        self.open.push_str(parts.next().unwrap_or_default());
        for part in parts {
            self.close(output, shown);
            self.open.push_str(part);
        }
        if self.open.len() > 16 * 1024 {
            self.close(output, shown);
        }
        if shown.is_ok() {
            *shown = output.finish();
        }
    }

    fn close(&mut self, output: &mut Output, shown: &mut Result<(), Failure>) {
        let line = strip(&std::mem::take(&mut self.open));
        if line.trim().is_empty() {
            return;
        }
        if shown.is_ok() {
            *shown = output.line(&format!("  | {line}"));
        }
        self.kept.push_back(clean(&line.chars().take(400).collect::<String>()).into_owned());
        if self.kept.len() > EXCERPT {
            self.kept.pop_front();
        }
    }
}
