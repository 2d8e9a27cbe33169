//! Runs a confirmed command that needs a terminal: it gets ours, which the screen has left before. Nothing of what it
//! writes is kept, and no time limit ends it: the person who typed into it does. Never called while the screen is drawn.

use crate::domain::exec::{CommandEnd, CommandSpec};
use crate::io::clock::running;
use crate::io::shell::{launch, seen};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

/// Runs it to its end.
pub fn run(spec: &CommandSpec) -> CommandEnd {
    let launch = match seen::unchanged(&spec.files).and_then(|()| launch::with_terminal(spec)) {
        Ok(launch) => launch,
        Err(why) => return CommandEnd::never(why),
    };
    let began = running();
    let mut command = Command::new(&launch.program);
    command.args(&launch.args).env_clear().envs(launch.env);
    if let Some(folder) = &spec.cwd {
        command.current_dir(folder);
    }
    let status = match command.status() {
        Ok(status) => status,
        Err(error) => return CommandEnd::never(format!("cannot be started: {error}")),
    };
    let reason = match (status.code(), status.signal()) {
        (None, Some(signal)) => Some(format!("signal {signal}")),
        _ => None,
    };
    CommandEnd {
        exit: status.code(),
        reason,
        began: true,
        took: running().saturating_sub(began),
        ..CommandEnd::default()
    }
}
