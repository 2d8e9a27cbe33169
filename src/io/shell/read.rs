//! One command that reads: run to its end, its whole output or why there is none. For questions that a program on this
//! machine answers. Bounded in time and bytes; never given a terminal.

use crate::domain::exec::{CommandNews, CommandSpec};
use crate::domain::fault::{Fault, FaultKind};
use crate::io::port::Shell;
use crate::io::shell::LocalShell;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// The largest output that is read, in bytes.
const LIMIT: usize = 4 * 1024 * 1024;

/// Runs it. `what` names the object in a fault. Output that was cut is a fault: half a list looks like a whole one.
pub async fn read(what: &str, argv: Vec<String>, pass: Vec<String>, timeout: Duration) -> Result<String, Fault> {
    let fault = |kind, words: String| Fault::new(kind, what, words);
    let env = ["GIT_OPTIONAL_LOCKS", "GIT_TERMINAL_PROMPT"].map(|name| (name.to_owned(), "0".to_owned())).to_vec();
    let program = argv.first().cloned().unwrap_or_default();
    let spec = CommandSpec { argv, env, pass, timeout, keep_head: LIMIT, ..CommandSpec::default() };
    let (tell, mut told) = mpsc::channel(64);
    // Dropped with this future, which stops the command.
    let (_stop, stopped) = oneshot::channel();
    let running = tokio::spawn(LocalShell::default().run(spec, tell, stopped));
    let (mut out, mut end) = (String::new(), None);
    while let Some(news) = told.recv().await {
        match news {
            CommandNews::Output(piece) if out.len() + piece.len() <= LIMIT => out.push_str(&piece),
            CommandNews::Output(_) => {
                return Err(fault(FaultKind::TooLarge, format!("{program} wrote more than {LIMIT} bytes")));
            }
            CommandNews::Started(_) => {}
            CommandNews::Ended(how) => end = Some(how),
        }
    }
    drop(running);
    let Some(end) = end else { return Err(fault(FaultKind::Local, format!("{program} broke off"))) };
    match (end.exit, end.dropped) {
        (Some(0), 0) => Ok(out),
        (Some(0), _) => Err(fault(FaultKind::TooLarge, format!("{program} wrote more than is read"))),
        (Some(code), _) => {
            let said: String = out.lines().last().unwrap_or_default().chars().take(200).collect();
            Err(fault(FaultKind::Local, format!("{program}: exit {code}: {said}")))
        }
        (None, _) => {
            Err(fault(FaultKind::Local, format!("{program}: {}", end.reason.unwrap_or_else(|| "no exit code".into()))))
        }
    }
}
