//! Running one confirmed command of a walk: shown exactly, recorded before it begins and when it ends, stopped when the
//! person interrupts. Never runs what was not confirmed.

use crate::cli::context::Context;
use crate::cli::desk::{Desk, refused};
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::runbook::dry_run::argv;
use crate::domain::exec::{CommandEnd, CommandNews, CommandSpec};
use crate::domain::ids::IncidentId;
use crate::domain::incident::event::{At, Body, CommandFinish, CommandStart};
use crate::domain::runbook::model::{Risk, RunCommand};
use crate::domain::runbook::values::{Values, prepare};
use crate::domain::text::clean;
use crate::io::clock;
use crate::io::port::Shell;
use crate::io::shell::LocalShell;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Bytes kept from the head of the output.
const KEEP_HEAD: usize = 64 * 1024;
/// Lines of output that go into the record.
const EXCERPT: usize = 20;
/// How often an interruption is looked for.
const TICK: Duration = Duration::from_millis(100);

/// A command that may be confirmed.
#[derive(Debug)]
pub struct Run {
    place: At,
    slot: String,
    /// The exact text.
    pub shown: String,
    spec: CommandSpec,
    sha256: String,
    risk: Risk,
    option: Option<(usize, String)>,
    host: String,
    user: String,
}

/// As whom commands run.
pub fn user(context: Option<&Context>) -> String {
    let named = context.and_then(|c| ["USER", "LOGNAME"].iter().find_map(|name| c.environment.get(*name)));
    named.cloned().unwrap_or_else(|| format!("user {}", rustix::process::geteuid().as_raw()))
}

/// A command with its values, or why it cannot run.
pub fn prepared(
    command: &RunCommand,
    place: At,
    slot: &str,
    values: &Values,
    option: Option<(usize, String)>,
    user: String,
) -> Result<Run, Failure> {
    let prepared = prepare(command, values).map_err(refused)?;
    let spec = CommandSpec {
        argv: prepared.argv.clone(),
        env: prepared.env.clone(),
        cwd: None,
        timeout: command.timeout.to_std().unwrap_or(Duration::from_secs(60)),
        keep_head: KEEP_HEAD,
    };
    Ok(Run {
        place,
        slot: slot.to_owned(),
        sha256: prepared.sha256(),
        shown: prepared.shown,
        spec,
        risk: command.risk,
        option,
        host: crate::run::setup::host(),
        user,
    })
}

impl Run {
    /// Exactly what runs, where and as whom, and what confirms it.
    pub fn confirmation(&self, incident: &IncidentId) -> Vec<String> {
        let mut rows = vec![format!("runs: {}", self.shown), format!("argv: {}", argv(&self.spec.argv))];
        rows.extend(self.spec.env.iter().map(|(name, value)| format!("with: {name}={value}")));
        rows.push(format!("where: {} as {}, time limit {}s", self.host, self.user, self.spec.timeout.as_secs()));
        let risk = match self.risk {
            Risk::Read => "reads only, says the runbook",
            Risk::Change => "changes production",
            Risk::Destroy => "destroys; cannot be taken back",
            Risk::Unknown => "unclassified: treated as a change",
        };
        rows.push(format!("risk: {risk}"));
        rows.extend(self.option.iter().map(|(_, action)| format!("option: {action}")));
        rows.push(format!("type `{}` to run {}, anything else to leave it", self.token(incident), self.slot));
        rows
    }

    /// What must be typed: `y`, or the end of the incident's id for what destroys.
    pub fn token(&self, incident: &IncidentId) -> String {
        match self.risk {
            Risk::Destroy => {
                let chars: Vec<char> = incident.0.chars().collect();
                chars.iter().skip(chars.len().saturating_sub(4)).collect()
            }
            Risk::Read | Risk::Change | Risk::Unknown => "y".to_owned(),
        }
    }

    /// Records the start, runs, shows the output as it comes, records the end. An interruption stops the command first.
    pub fn go(self, desk: &mut Desk<'_>, id: &IncidentId, output: &mut Output) -> Result<(), Failure> {
        let now = clock::now();
        let name = format!("{}-{}", now.timestamp_millis(), self.sha256.chars().take(8).collect::<String>());
        let mut bodies = Vec::new();
        if let Some((option, action)) = &self.option {
            bodies.push(Body::OptionChosen { place: self.place.clone(), option: *option, action: action.clone() });
        }
        bodies.push(Body::CommandStarted(CommandStart {
            run: name.clone(),
            place: self.place.clone(),
            command: self.shown.clone(),
            argv: self.spec.argv.clone(),
            env: self.spec.env.clone(),
            host: self.host.clone(),
            user: self.user.clone(),
            timeout_s: self.spec.timeout.as_secs(),
            sha256: self.sha256.clone(),
        }));
        let interrupted = Interrupted::watch()?;
        desk.act(id, now, bodies)?;
        let ran = run(self.spec, &interrupted, output);
        let (end, excerpt, shown) = ran?;
        let finish = CommandFinish {
            run: name,
            exit: end.exit,
            reason: end.reason.clone(),
            took_ms: u64::try_from(end.took.as_millis()).unwrap_or(u64::MAX),
            bytes: end.bytes,
            sha256: end.sha256.clone(),
            excerpt: excerpt.into(),
        };
        desk.note(id, Body::CommandFinished(finish), None)?;
        shown?;
        let how = match (end.exit, end.reason) {
            (Some(code), _) => format!("exit {code}"),
            (None, Some(reason)) => reason,
            (None, None) => "result unknown".to_owned(),
        };
        output.line(&format!("{}: {how} after {:.1}s", self.slot, end.took.as_secs_f64()))?;
        if end.survivors {
            output.line("some of its processes could not be stopped: look for them by hand")?;
        }
        if interrupted.asked() { Err(Failure::Interrupted) } else { Ok(()) }
    }
}

/// While a command runs, an interruption stops the command and is remembered; at other times it ends the program, as if
/// nobody had watched.
#[derive(Clone)]
struct Interrupted {
    asked: Arc<AtomicBool>,
    /// The program's own end is wanted as soon as the signal comes.
    at_once: Arc<AtomicBool>,
}

impl Interrupted {
    /// The watch of this process; handlers are installed once, because they cannot be taken out again.
    fn watch() -> Result<Watching, Failure> {
        static WATCH: OnceLock<Interrupted> = OnceLock::new();
        let watch = match WATCH.get() {
            Some(watch) => watch.clone(),
            None => {
                let made = Self { asked: Arc::default(), at_once: Arc::default() };
                for signal in [SIGINT, SIGTERM, SIGHUP] {
                    let both = signal_hook::flag::register_conditional_default(signal, Arc::clone(&made.at_once))
                        .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&made.asked)));
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
struct Watching(Interrupted);

impl Watching {
    fn asked(&self) -> bool {
        self.0.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.at_once.store(true, Ordering::SeqCst);
    }
}

/// How it ended, its last lines, and whether they could be shown.
type Ran = (CommandEnd, VecDeque<String>, Result<(), Failure>);

/// Runs to the end. That nobody reads the output any more does not stop a command half way.
fn run(spec: CommandSpec, interrupted: &Watching, output: &mut Output) -> Result<Ran, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Refused(format!("the command could not be started: {error}")))?;
    runtime.block_on(async {
        let (tell, mut news) = mpsc::channel(64);
        let (stop, stopped) = oneshot::channel();
        let mut stop = Some(stop);
        let task = tokio::spawn(LocalShell::default().run(spec, tell, stopped));
        let mut lines = Lines { kept: VecDeque::new(), open: String::new(), shown: Ok(()) };
        let mut ticker = tokio::time::interval(TICK);
        let mut end = None;
        loop {
            tokio::select! {
                told = news.recv() => match told {
                    Some(CommandNews::Started(_)) => {}
                    Some(CommandNews::Output(piece)) => lines.take(&piece, output),
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
        lines.close(output);
        let end = end.ok_or_else(|| Failure::Refused("how the command ended is unknown".to_owned()))?;
        Ok((end, lines.kept, lines.shown))
    })
}

/// The output line by line, and the last lines for the record.
struct Lines {
    kept: VecDeque<String>,
    open: String,
    shown: Result<(), Failure>,
}

impl Lines {
    fn take(&mut self, piece: &str, output: &mut Output) {
        let mut parts = piece.split('\n');
        self.open.push_str(parts.next().unwrap_or_default());
        for part in parts {
            self.close(output);
            self.open.push_str(part);
        }
        if self.open.len() > 16 * 1024 {
            self.close(output);
        }
        if self.shown.is_ok() {
            self.shown = output.finish();
        }
    }

    fn close(&mut self, output: &mut Output) {
        let line = std::mem::take(&mut self.open);
        let line = line.trim_end_matches('\r');
        if line.trim().is_empty() {
            return;
        }
        if self.shown.is_ok() {
            self.shown = output.line(&format!("  | {line}"));
        }
        self.kept.push_back(clean(&line.chars().take(400).collect::<String>()).into_owned());
        if self.kept.len() > EXCERPT {
            self.kept.pop_front();
        }
    }
}
