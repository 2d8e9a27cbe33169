//! The simulated shell: reads a command, prints what it might have printed, and changes the model instead of the world.
//! Never starts anything; it knows no way to.

use crate::domain::drill::answer::answer;
use crate::domain::exec::CommandEnd;
use crate::domain::exec::CommandNews;
use crate::domain::exec::CommandSpec;
use crate::io::fake::Simulation;
use crate::io::port::Shell;
use crate::io::port::Task;
use sha2::Digest;
use sha2::Sha256;
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot::Receiver;

/// No process has this number, so a signal sent to it by mistake reaches nobody.
pub(super) const NOBODY: i32 = i32::MAX;
const FIRST_LINE: Duration = Duration::from_millis(420);
const NEXT_LINE: Duration = Duration::from_millis(70);
/// Lines of progress come slowly.
const PROGRESS: Duration = Duration::from_millis(900);

/// The shell port of a [`Simulation`].
#[derive(Clone, Debug)]
pub struct FakeShell {
    simulation: Simulation,
}

impl FakeShell {
    pub(super) fn new(simulation: Simulation) -> Self {
        Self { simulation }
    }
}

impl Shell for FakeShell {
    fn run(&self, spec: CommandSpec, tell: Sender<CommandNews>, stop: Receiver<()>) -> Task<'static, ()> {
        let simulation = self.simulation.clone();
        Box::pin(async move {
            let end = Running { simulation, limit: spec.timeout, took: Duration::ZERO, stop: Some(stop) }
                .go(spec, &tell)
                .await;
            // Nobody listens any more: there is nobody to tell that either.
            let _ = tell.send(CommandNews::Ended(end)).await;
        })
    }
}

struct Running {
    simulation: Simulation,
    limit: Duration,
    took: Duration,
    stop: Option<Receiver<()>>,
}

impl Running {
    async fn go(mut self, spec: CommandSpec, tell: &Sender<CommandNews>) -> CommandEnd {
        let _ = tell.send(CommandNews::Started(NOBODY)).await;
        let mut hash = Sha256::new();
        let mut bytes: u64 = 0;
        if let Err(why) = self.wait(FIRST_LINE).await {
            return self.end(None, Some(why), bytes, hash);
        }
        let simulation = self.simulation.clone();
        let now = simulation.now();
        let told = simulation.with(|production| {
            let told = answer(production, &spec.argv, &spec.env, now);
            if let Some(act) = told.act {
                production.act(now, act);
            }
            told
        });
        for (i, line) in told.lines.into_iter().enumerate() {
            let pause = if line.starts_with("Waiting") { PROGRESS } else { NEXT_LINE };
            if i > 0
                && let Err(why) = self.wait(pause).await
            {
                return self.end(None, Some(why), bytes, hash);
            }
            let piece = line + "\n";
            hash.update(piece.as_bytes());
            bytes = bytes.saturating_add(piece.len() as u64);
            let _ = tell.send(CommandNews::Output(piece)).await;
        }
        self.end(Some(told.exit), None, bytes, hash)
    }

    /// Waits; `Err` says why the command is over instead.
    async fn wait(&mut self, length: Duration) -> Result<(), &'static str> {
        let left = self.limit.saturating_sub(self.took);
        let (length, over) = if length > left { (left, true) } else { (length, false) };
        let simulation = self.simulation.clone();
        let stopped = match &mut self.stop {
            None => {
                simulation.pause(length).await;
                None
            }
            Some(stop) => tokio::select! {
                biased;
                asked = stop => Some(asked.is_ok()),
                () = simulation.pause(length) => None,
            },
        };
        match stopped {
            Some(true) => return Err("stopped"),
            Some(false) => {
                // The one who could have asked is gone, which is not the same as asking.
                self.stop = None;
                simulation.pause(length).await;
            }
            None => {}
        }
        self.took = self.took.saturating_add(length);
        if over { Err("time limit") } else { Ok(()) }
    }

    fn end(self, exit: Option<i32>, reason: Option<&str>, bytes: u64, hash: Sha256) -> CommandEnd {
        CommandEnd {
            exit,
            reason: reason.map(str::to_owned),
            began: true,
            took: self.took,
            bytes,
            dropped: 0,
            sha256: hash.finalize().iter().map(|b| format!("{b:02x}")).collect(),
            file: None,
            survivors: false,
        }
    }
}
