//! Running a guard, a part of the method or of the rollback. Nothing is run here that the machine did not write down first.

use super::World;
use crate::domain::exec::{CommandEnd, CommandNews, CommandSpec, FileSeen};
use crate::domain::experiment::machine::End;
use crate::domain::experiment::model::{Act, Call, Experiment};
use crate::domain::ids::IncidentId;
use crate::domain::incident::event::At;
use crate::domain::runbook::model::{Part, RunCommand, Runbook};
use crate::domain::runbook::offer::{Offer, outcome};
use crate::domain::runbook::prepare::ready;
use crate::domain::runbook::values::Values;
use crate::domain::text::clean;
use crate::domain::text::sequences::strip;
use crate::io::call::call;
use crate::io::port::Shell;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Lines of output that go into the journal, and the most of it that is kept in memory.
const EXCERPT: usize = 20;
const MOST: usize = 512 * 1024;

/// Runs what has this id.
pub async fn run(world: &World, it: &Experiment, run: &str, id: &str, stopped: oneshot::Receiver<()>) -> End {
    let failed = |how: String| End { ok: Some(false), how, ..End::default() };
    if let Some(guard) = it.book.guards.iter().find(|guard| guard.command.id == id) {
        return match spec(world, &it.book, run, &guard.command) {
            Ok((spec, ok_exit)) => ended(command(&world.shell, spec, stopped).await, &ok_exit),
            Err(why) => failed(why),
        };
    }
    let Some(deed) = it.deeds().find(|deed| deed.id == id) else { return failed(format!("there is no {id}")) };
    match &deed.act {
        Act::Http(it) => http(it, stopped).await,
        Act::Command(_) => match deed.offer(&it.book, run) {
            Ok(offer) => {
                let mut spec = CommandSpec { spill: None, ..offer.spec(id, &world.env_pass) };
                // A change is that of the file as it was shown; the way back is taken whatever became of the file.
                if id.starts_with("method.") {
                    let (path, sha256) = (it.book.path.clone(), it.book.sha256.clone());
                    spec.files = vec![FileSeen { path, sha256, private: true }];
                }
                ended(command(&world.shell, spec, stopped).await, &offer.ok_exit)
            }
            Err(why) => failed(why),
        },
    }
}

/// A read, ready to be run.
pub fn spec(world: &World, book: &Runbook, run: &str, read: &RunCommand) -> Result<(CommandSpec, Vec<i32>), String> {
    let prepared = ready(book, read, &Values::default()).map_err(|refusal| refusal.0)?;
    let place = At { runbook: book.id.clone(), step: read.id.as_str().into(), name: read.id.clone() };
    let offer = Offer::of(&IncidentId::from(run), place, &read.id, (Part::Guard, read), prepared);
    Ok((CommandSpec { spill: None, ..offer.spec(run, &world.env_pass) }, read.ok_exit.clone()))
}

/// Runs a command to its end: how it ended, and what it wrote, without what would steer a terminal.
pub async fn command(
    shell: &Arc<dyn Shell>,
    spec: CommandSpec,
    stopped: oneshot::Receiver<()>,
) -> (CommandEnd, String) {
    let (tell, mut news) = mpsc::channel(64);
    let mut running = shell.run(spec, tell, stopped);
    let (mut end, mut text, mut over) = (None, String::new(), false);
    let mut take = |told: CommandNews, end: &mut Option<CommandEnd>| match told {
        CommandNews::Started(_) => {}
        CommandNews::Output(piece) => {
            if text.len() < MOST {
                text.push_str(&piece);
            }
        }
        CommandNews::Ended(ended) => *end = Some(ended),
    };
    loop {
        tokio::select! {
            told = news.recv() => match told {
                Some(told) => take(told, &mut end),
                None => break,
            },
            () = &mut running, if !over => over = true,
        }
        if over {
            while let Ok(told) = news.try_recv() {
                take(told, &mut end);
            }
            break;
        }
    }
    let lost = || CommandEnd { began: true, reason: Some("how it ended is not known".into()), ..CommandEnd::default() };
    (end.unwrap_or_else(lost), text)
}

fn ended((end, text): (CommandEnd, String), ok_exit: &[i32]) -> End {
    let lines: Vec<String> = text
        .lines()
        .map(|line| clean(&strip(line).chars().take(400).collect::<String>()).into_owned())
        .filter(|line| !line.trim().is_empty())
        .collect();
    End {
        ok: outcome(&end, ok_exit),
        how: how(&end),
        first: lines.first().cloned().unwrap_or_default(),
        excerpt: lines.get(lines.len().saturating_sub(EXCERPT)..).unwrap_or_default().to_vec(),
    }
}

/// How a command ended, in words.
pub fn how(end: &CommandEnd) -> String {
    match (end.exit, &end.reason) {
        (Some(code), _) => format!("exit {code}"),
        (None, Some(reason)) => reason.clone(),
        (None, None) => "how it ended is not known".to_owned(),
    }
}

async fn http(it: &Call, stopped: oneshot::Receiver<()>) -> End {
    let asked = async {
        // A sender that is gone asks for nothing.
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        answer = call(it) => match answer {
            Ok((status, text)) => End {
                ok: Some(it.accepts(status)),
                how: format!("status {status}"),
                first: String::new(),
                excerpt: text.lines().take(EXCERPT).map(|line| clean(line).into_owned()).collect(),
            },
            // It may have arrived or not.
            Err(why) => End { ok: None, how: clean(&why).into_owned(), ..End::default() },
        },
        () = asked => End { ok: None, how: "stopped".to_owned(), ..End::default() },
    }
}
