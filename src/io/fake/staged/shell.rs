//! The shell of a drill: reads a command, prints what the scenario says and lets the stage change. Never starts anything;
//! it knows no way to.

use crate::domain::exec::{CommandEnd, CommandNews, CommandSpec};
use crate::domain::time::Span;
use crate::io::fake::shell::NOBODY;
use crate::io::fake::staged::Staged;
use crate::io::port::{Shell, Task};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot::Receiver;

/// The shell port of a [`Staged`].
#[derive(Clone, Debug)]
pub struct StagedShell {
    staged: Staged,
}

impl StagedShell {
    pub(super) fn new(staged: Staged) -> Self {
        Self { staged }
    }
}

impl Shell for StagedShell {
    fn run(&self, spec: CommandSpec, tell: Sender<CommandNews>, stop: Receiver<()>) -> Task<'static, ()> {
        let staged = self.staged.clone();
        Box::pin(async move {
            let end = run(&staged, &spec, &tell, stop).await;
            // Nobody listens any more: there is nobody to tell that either.
            let _ = tell.send(CommandNews::Ended(end)).await;
        })
    }
}

async fn run(staged: &Staged, spec: &CommandSpec, tell: &Sender<CommandNews>, mut stop: Receiver<()>) -> CommandEnd {
    let _ = tell.send(CommandNews::Started(NOBODY)).await;
    staged.heard_of(spec.spill.as_deref()).await;
    let now = staged.now();
    let told = staged.with(|stage| stage.begin(spec, now));
    let limit = Span::from_std(spec.timeout).unwrap_or(Span::MAX);
    let over = told.delay > limit;
    let takes = told.delay.min(limit);
    let done = staged.until(now + takes);
    tokio::pin!(done);
    let stopped = tokio::select! {
        biased;
        () = &mut done => false,
        asked = &mut stop => match asked {
            Ok(()) => true,
            // The one who could have asked is gone, which is not the same as asking.
            Err(_) => {
                done.await;
                false
            }
        },
    };
    let took = (if stopped { staged.now() - now } else { takes }).to_std().unwrap_or_default();
    if stopped || over {
        staged.with(|stage| stage.stop(told.ticket));
        return end(None, Some(if stopped { "stopped" } else { "time limit" }), took, &[]);
    }
    for line in &told.lines {
        let _ = tell.send(CommandNews::Output(format!("{line}\n"))).await;
    }
    end(Some(told.exit), None, took, &told.lines)
}

fn end(exit: Option<i32>, reason: Option<&str>, took: Duration, lines: &[String]) -> CommandEnd {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    CommandEnd {
        exit,
        reason: reason.map(str::to_owned),
        began: true,
        took,
        bytes: text.len() as u64,
        dropped: 0,
        sha256: Sha256::digest(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect(),
        file: None,
        survivors: false,
    }
}
