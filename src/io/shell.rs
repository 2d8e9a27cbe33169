//! Runs the commands that a person confirmed. A child has a session and a process group of its own, no terminal, no input
//! and only the environment that is listed; it ends by itself, by its time limit or by being stopped, and what it leaves
//! behind is told. Never puts values into a command, never runs a shell unless `argv` names one.

pub mod group;
pub mod launch;
pub mod output;
pub mod read;
pub mod seen;
pub mod spill;
pub mod tty;

use crate::domain::mask::stream::Stream;
use crate::io::clock::running;
use crate::io::port::{CommandEnd, CommandNews, CommandSpec, Shell, Task};
use crate::io::shell::group::Group;
use crate::io::shell::launch::Launcher;
use crate::io::shell::output::Output;
use crate::io::shell::spill::Spill;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

/// Between two pieces of output, and between two looks at a group that is ending.
const TICK: Duration = Duration::from_millis(50);
/// How long a command that ended may leave its output open or its group alive before they are ended too.
const LINGER: Duration = Duration::from_millis(250);
/// Looks without output after which an unfinished line is shown as it is.
const QUIET: u32 = 6;
/// How long after KILL the rest is called survivors.
const GIVE_UP: Duration = Duration::from_millis(3_000);

/// Runs commands on this machine.
#[derive(Clone, Debug)]
pub struct LocalShell {
    /// Between TERM and KILL.
    pub grace: Duration,
    /// What gives the child its own session.
    pub launcher: Launcher,
    /// Where output goes that is more than what is kept.
    pub spill: Option<PathBuf>,
}

impl Default for LocalShell {
    fn default() -> Self {
        Self { grace: Duration::from_secs(5), launcher: Launcher::find(), spill: None }
    }
}

impl Shell for LocalShell {
    fn run(
        &self,
        spec: CommandSpec,
        tell: mpsc::Sender<CommandNews>,
        stop: oneshot::Receiver<()>,
    ) -> Task<'static, ()> {
        let shell = self.clone();
        Box::pin(async move {
            let mut stop = Wish { receiver: stop, over: false };
            let mut tries = spec.tries;
            let end = loop {
                let end = shell.once(&spec, &tell, &mut stop).await;
                let good = end.exit.is_some_and(|code| code == 0 || spec.ok_exit.contains(&code));
                if good || tries == 0 || end.exit.is_none() {
                    break end;
                }
                tries -= 1;
                let said = format!(
                    "[midwatch: exit {}, once more in {}s, {tries} tries after that]\n",
                    end.exit.unwrap_or_default(),
                    spec.pause.as_secs()
                );
                let _: Result<(), _> = tell.send(CommandNews::Output(said)).await;
                tokio::select! {
                    () = tokio::time::sleep(spec.pause) => {}
                    () = stop.comes() => break CommandEnd { exit: None, reason: Some("stopped".into()), ..end },
                    () = tell.closed() => break end,
                }
            };
            let _: Result<(), _> = tell.send(CommandNews::Ended(end)).await;
        })
    }
}

impl LocalShell {
    /// One try.
    async fn once(&self, spec: &CommandSpec, tell: &mpsc::Sender<CommandNews>, stop: &mut Wish) -> CommandEnd {
        let shell = self;
        let began = running();
        match shell.start(spec) {
            Ok((child, pipe)) => match child.id().and_then(|id| i32::try_from(id).ok()) {
                Some(id) => {
                    // A full channel waits; a closed one is noticed below.
                    let _: Result<(), _> = tell.send(CommandNews::Started(id)).await;
                    let output = Output::new(spec.keep_head);
                    let mask = Stream::new(spec.masks.clone());
                    let spill = Spill::new(shell.spill.as_deref(), spec.spill.as_deref(), spec.masks.clone());
                    let group = Group::new(id);
                    let grace = shell.grace;
                    let timeout = spec.timeout;
                    Box::pin(
                        Run {
                            child,
                            pipe,
                            output,
                            mask,
                            spill,
                            quiet: 0,
                            group,
                            grace,
                            timeout,
                            tell,
                            began,
                            gone: None,
                        }
                        .until_the_end(stop),
                    )
                    .await
                }
                None => refused("it ended before it could be watched".into()),
            },
            Err(why) => refused(why),
        }
    }

    fn start(&self, spec: &CommandSpec) -> Result<(Child, pipe::Receiver), String> {
        seen::unchanged(&spec.files)?;
        let launch = launch::prepare(spec, &self.launcher)?;
        let open = || -> io::Result<_> {
            // One pipe for both streams: their order is what a terminal would have shown.
            let (read, write) = io::pipe()?;
            let both = write.try_clone()?;
            let mut command = Command::new(&launch.program);
            command.args(&launch.args).env_clear().envs(launch.env).stdin(Stdio::null()).stdout(write).stderr(both);
            if let Some(folder) = &spec.cwd {
                command.current_dir(folder);
            }
            if launch.own_group {
                command.process_group(0);
            }
            let child = command.spawn()?;
            // Our copies of the writing end go with `command`: only the child's are left.
            drop(command);
            Ok((child, pipe::Receiver::from_owned_fd(OwnedFd::from(read))?))
        };
        open().map_err(|e| format!("cannot be started: {e}"))
    }
}

/// The wish of a person that a command be stopped; may be waited for again and again.
struct Wish {
    receiver: oneshot::Receiver<()>,
    over: bool,
}

impl Wish {
    /// Comes once, or never. A dropped handle is no wish: the time limit still holds.
    async fn comes(&mut self) {
        while !self.over {
            let wished = (&mut self.receiver).await.is_ok();
            self.over = true;
            if wished {
                return;
            }
        }
        std::future::pending().await
    }
}

/// The end of a command that never began.
fn refused(why: String) -> CommandEnd {
    let (_, _, sha256) = Output::new(0).finish();
    CommandEnd { sha256, ..CommandEnd::never(why) }
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Running,
    /// The command ended by itself.
    Over,
    /// TERM was sent at this time.
    Asked(Duration),
    /// KILL was sent at this time.
    Killed(Duration),
}

struct Run<'a> {
    child: Child,
    pipe: pipe::Receiver,
    output: Output,
    mask: Stream,
    spill: Spill,
    /// Looks in a row that found nothing new.
    quiet: u32,
    group: Group,
    grace: Duration,
    timeout: Duration,
    tell: &'a mpsc::Sender<CommandNews>,
    began: Duration,
    /// When the command itself was seen to have ended.
    gone: Option<Duration>,
}

impl Run<'_> {
    async fn until_the_end(mut self, stop: &mut Wish) -> CommandEnd {
        let mut buffer = vec![0_u8; 64 * 1024];
        let mut ticker = tokio::time::interval(TICK);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut phase, mut cause) = (Phase::Running, None::<&str>);
        let (mut status, mut open, mut heard) = (None::<io::Result<ExitStatus>>, true, true);
        let survivors = loop {
            let asked: Option<&str> = tokio::select! {
                read = self.pipe.read(&mut buffer), if open => {
                    match read {
                        Ok(0) | Err(_) => open = false,
                        Ok(n) => {
                            let bytes = buffer.get(..n).unwrap_or_default();
                            self.output.take(bytes);
                            self.spill.take(bytes);
                        }
                    }
                    None
                }
                ended = self.child.wait(), if status.is_none() => {
                    status = Some(ended);
                    self.gone = Some(running());
                    self.group.leader_gone();
                    None
                }
                () = stop.comes() => Some("stopped"),
                () = self.tell.closed(), if heard => {
                    heard = false;
                    Some("stopped: nobody is listening")
                }
                _ = ticker.tick() => {
                    self.show();
                    (running().saturating_sub(self.began) >= self.timeout).then_some("time limit")
                }
            };
            if let (Some(why), Phase::Running) = (asked, phase) {
                cause = Some(why);
                self.group.watch_escapes();
                self.group.terminate();
                phase = Phase::Asked(running());
            }
            if let Some(left) = self.advance(&mut phase, open) {
                break left;
            }
        };
        self.group.finished();
        let mut rest = String::new();
        while let Some(text) = self.output.flush(true) {
            rest.push_str(&self.mask.push(&text, false));
        }
        rest.push_str(&self.mask.push("", true));
        if !rest.is_empty() {
            let _: Result<(), _> = self.tell.send(CommandNews::Output(rest)).await;
        }
        let (exit, reason) = verdict(status, cause);
        let took = running().saturating_sub(self.began);
        let (bytes, dropped, sha256) = self.output.finish();
        let file = self.spill.finish();
        CommandEnd { exit, reason, began: true, took, bytes, dropped, sha256, file, survivors }
    }

    /// Shows what came since the last piece, unless the listener is still busy with earlier ones.
    fn show(&mut self) {
        let Ok(place) = self.tell.try_reserve() else { return };
        let text = match self.output.flush(false) {
            Some(text) => {
                self.quiet = 0;
                self.mask.push(&text, false)
            }
            None => {
                self.quiet = self.quiet.saturating_add(1);
                // A prompt without a line end waits no longer than that for its rest.
                if self.quiet == QUIET { self.mask.idle() } else { String::new() }
            }
        };
        if !text.is_empty() {
            place.send(CommandNews::Output(text));
        }
    }

    /// The next step towards the end; `Some` when it is reached, with whether something survived.
    fn advance(&mut self, phase: &mut Phase, open: bool) -> Option<bool> {
        let now = running();
        let gone = self.gone.is_some();
        let lingered = self.gone.is_some_and(|at| now.saturating_sub(at) >= LINGER);
        match *phase {
            Phase::Running if gone => *phase = Phase::Over,
            Phase::Running => return None,
            _ => {}
        }
        if gone && !open && !self.group.alive() {
            return Some(self.group.escaped());
        }
        match *phase {
            Phase::Over | Phase::Asked(_) if lingered && !self.group.alive() => {
                // Nobody of ours is left. Who still holds the output then has left the group; without one, what is in the
                // pipe is read to its end first.
                return held(&self.pipe).then_some(true);
            }
            Phase::Over if lingered => {
                self.group.terminate();
                *phase = Phase::Asked(now);
            }
            Phase::Asked(at) if now.saturating_sub(at) >= self.grace => {
                self.group.kill();
                *phase = Phase::Killed(now);
            }
            Phase::Killed(at) if now.saturating_sub(at) >= GIVE_UP => return Some(true),
            _ => {}
        }
        None
    }
}

/// Whether some process could still write into this pipe. Asked of the system: that the end was not read yet says nothing.
fn held(pipe: &pipe::Receiver) -> bool {
    let mut asked = [PollFd::new(pipe, PollFlags::IN)];
    let told = rustix::event::poll(&mut asked, Some(&Timespec::default()));
    told.is_err() || !asked.iter().any(|fd| fd.revents().contains(PollFlags::HUP))
}

fn verdict(status: Option<io::Result<ExitStatus>>, cause: Option<&str>) -> (Option<i32>, Option<String>) {
    if let Some(cause) = cause {
        return (None, Some(cause.to_owned()));
    }
    match status {
        Some(Ok(status)) => match (status.code(), status.signal()) {
            (Some(code), _) => (Some(code), None),
            (None, Some(signal)) => (None, Some(format!("signal {signal}"))),
            (None, None) => (None, Some("ended in an unknown way".into())),
        },
        Some(Err(e)) => (None, Some(format!("its end is unknown: {e}"))),
        None => (None, Some("did not end after KILL".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[tokio::test]
    async fn an_end_that_was_not_read_yet_is_nobody_who_survived() {
        let mut child = Command::new("true").spawn().unwrap();
        let id = i32::try_from(child.id().unwrap()).unwrap();
        child.wait().await.unwrap();
        let (tell, _news) = mpsc::channel(1);
        for held in [false, true] {
            let (read, mut write) = io::pipe().unwrap();
            write.write_all(b"last words").unwrap();
            let kept = held.then_some(write);
            let mut group = Group::new(id);
            group.leader_gone();
            let mut run = Run {
                child: Command::new("true").spawn().unwrap(),
                pipe: pipe::Receiver::from_owned_fd(OwnedFd::from(read)).unwrap(),
                output: Output::new(0),
                mask: Stream::new(Default::default()),
                spill: Spill::new(None, None, Default::default()),
                quiet: 0,
                group,
                grace: Duration::from_secs(60),
                timeout: Duration::from_secs(60),
                tell: &tell,
                began: running(),
                gone: Some(running()),
            };
            std::thread::sleep(LINGER);
            for mut phase in [Phase::Over, Phase::Asked(running()), Phase::Killed(running())] {
                let ended = matches!(phase, Phase::Killed(_));
                // Its output is open as long as nobody read the end; only a holder that left the group survives.
                let want = (held && !ended).then_some(true);
                assert_eq!(run.advance(&mut phase, true), want, "{phase:?} {held}");
            }
            let mut phase = Phase::Over;
            assert_eq!(run.advance(&mut phase, false), Some(false), "the end was read");
            drop(kept);
        }
    }
}
