//! `midwatch drill run` with a screen: the brief, the cockpit on the drill's world, then the score. Where the terminal cannot
//! show the cockpit, its plain lines.

use super::failed;
use super::run::{Ended, keep_in, library, tell};
use crate::cli::args::drill::{DrillRunArgs, Speed};
use crate::cli::cockpit::{given, open, unusable};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::domain::drill::history::Player;
use crate::domain::drill::stage::Stage;
use crate::domain::incident::event::Event;
use crate::domain::time::compact;
use crate::io::clock;
use crate::io::files::drills::claim;
use crate::io::store::Store;
use crate::io::store::sqlite::Sqlite;
use crate::run::drill::shelf::Shelved;
use crate::run::drill::{prepare, record_path};
use crate::run::world::RunbookText;
use std::path::Path;
use std::sync::Arc;

/// Plays a drill with a person at the cockpit. Leaving the cockpit ends it.
pub fn run(context: &Context, args: &DrillRunArgs, shelved: &Shelved, output: &mut Output) -> Result<Exit, Failure> {
    let speed = match args.speed {
        Some(Speed::Max) => return Err(Failure::Usage("--speed max needs --headless: no person is that fast".into())),
        Some(Speed::Times(n)) => n,
        None => shelved.scenario.speed,
    };
    if output.is_json() {
        return Err(Failure::Usage(
            "-o json needs --headless here; `midwatch drill report last -o json` comes after".into(),
        ));
    }
    let began = clock::now();
    let name = began.format("DRILL-%Y%m%d-%H%M%S").to_string();
    let (drill, folder) = claim(&context.folders.data, &name).map_err(failed)?;
    brief(shelved, speed, output)?;
    let stage = Stage::new(Arc::clone(&shelved.scenario), args.seed.unwrap_or(shelved.scenario.seed));
    let given = given(context, true);
    let runbooks = match shelved.scenario.runbooks.is_empty() {
        true => given.runbook_files.iter().cloned().map(RunbookText::File).collect(),
        false => shelved.runbooks.clone(),
    };
    let prepared = prepare(&given, stage, runbooks, &folder);
    prepared.clock.set_speed(speed);
    let mut ready = prepared.ready;
    ready.speed = speed;
    prepared.clock.stand(false);
    let exit = match unusable(context) {
        Some(why) => {
            output.note(&format!("plain lines ({why})"));
            crate::cli::watch::lines(ready, output, 60)
        }
        None => open(context, ready),
    };
    prepared.clock.stand(true);
    let now = prepared.clock.now();
    prepared.staged.with(|stage| {
        stage.advance(now);
        stage.leave(now);
    });
    let stage = prepared.staged.with(|stage| stage.clone());
    let books = library(context, shelved);
    let events = recorded(&record_path(&folder));
    let ended = Ended {
        stage: &stage,
        events: &events,
        drafts: &[],
        library: &books,
        player: Player::Person,
        real: (began, clock::now()),
    };
    let kept = keep_in(&context.folders.data, &drill, &folder, &ended)?;
    tell(&ended, &kept, output)?;
    exit
}

fn brief(shelved: &Shelved, speed: u32, output: &mut Output) -> Result<(), Failure> {
    let s = &shelved.scenario;
    output.line(&format!("DRILL {}: {}", s.id, s.title))?;
    output.line("")?;
    output.line(&s.brief)?;
    output.line("")?;
    let pace = if speed == 1 { String::new() } else { format!(", {speed} times as fast as time") };
    output
        .line(&format!("At most {}{pace}. Nothing in it is real. Leaving the cockpit ends it.", compact(s.duration)))?;
    output.finish()
}

/// Everything that was recorded, incident by incident.
fn recorded(path: &Path) -> Vec<Event> {
    let Ok(mut store) = Sqlite::open(path) else { return Vec::new() };
    let mut ids: Vec<_> = store.heads().unwrap_or_default().into_iter().map(|incident| incident.id).collect();
    ids.sort();
    ids.iter().flat_map(|id| store.events(id).unwrap_or_default()).collect()
}
