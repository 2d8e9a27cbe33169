//! `midwatch drill run` with a screen: the brief, the cockpit on the drill's world, then the score. Where the terminal cannot
//! show the cockpit, its plain lines. Beside it, and knowing nothing of it, the look at the real world.

use super::failed;
use super::run::{Ended, Kept, keep_in, library, tell};
use crate::cli::args::drill::{DrillRunArgs, Speed};
use crate::cli::cockpit::{given, open, unusable};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::domain::drill::history::Player;
use crate::domain::drill::real_world::Real;
use crate::domain::drill::stage::Stage;
use crate::domain::fault::Fault;
use crate::domain::incident::event::Event;
use crate::domain::runbook::model::Runbook;
use crate::domain::time::{Timestamp, compact};
use crate::io::clock;
use crate::io::files::drills::claim;
use crate::io::store::Store;
use crate::io::store::sqlite::Sqlite;
use crate::run::drill::clock::Hold;
use crate::run::drill::hall::Hall;
use crate::run::drill::shelf::Shelved;
use crate::run::drill::table::Table;
use crate::run::drill::{Drill, lookout, prepare, record_path};
use crate::run::setup::real;
use crate::run::world::RunbookText;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Plays a drill with a person at the cockpit, and others who join. Leaving the cockpit ends it for all.
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
    let stage = Stage::new(Arc::clone(&shelved.scenario), args.seed.unwrap_or(shelved.scenario.seed));
    let given = given(context, true);
    let runbooks = match shelved.scenario.runbooks.is_empty() {
        true => given.runbook_files.iter().cloned().map(RunbookText::File).collect(),
        false => shelved.runbooks.clone(),
    };
    let Drill { mut ready, table, socket } =
        prepare(&given, stage, runbooks, (&drill, &folder), speed).map_err(failed)?;
    brief(shelved, speed, &drill, output)?;
    let hall = table.hall();
    look_outside(context, hall).map_err(failed)?;
    let play = Arc::new(Play {
        data: context.folders.data.clone(),
        drill,
        folder,
        books: library(context, shelved),
        began,
        table: Arc::clone(&table),
    });
    let torn = Arc::clone(&play);
    // Nobody is there to be told what went wrong.
    ready.torn = Some(Box::new(move || drop(torn.end(|_, _| Ok(())))));
    let exit = match unusable(context) {
        Some(why) => {
            output.note(&format!("plain lines ({why})"));
            crate::cli::watch::lines(ready, output, 60)
        }
        None => open(context, ready),
    };
    drop(socket);
    play.end(|ended, kept| tell(ended, kept, output))?;
    exit
}

/// What is needed to end a drill, whoever ends it.
struct Play {
    data: PathBuf,
    drill: String,
    folder: PathBuf,
    books: Vec<Arc<Runbook>>,
    began: Timestamp,
    table: Arc<Table>,
}

impl Play {
    /// Stops the clock, writes what came of it, tells those who still sit there, and whoever else is to be told.
    fn end(&self, told: impl FnOnce(&Ended<'_>, &Kept) -> Result<(), Failure>) -> Result<(), Failure> {
        self.table.clock().hold(Hold::Table);
        let now = self.table.clock().now();
        let stage = self.table.staged().with(|stage| {
            stage.advance(now);
            stage.leave(now);
            stage.clone()
        });
        let events = recorded(&record_path(&self.folder));
        let ended = Ended {
            stage: &stage,
            events: &events,
            drafts: &[],
            library: &self.books,
            player: Player::Person,
            real: (self.began, clock::now()),
        };
        let kept = keep_in(&self.data, &self.drill, &self.folder, &ended)?;
        self.table.hall().close(&farewell(&kept));
        told(&ended, &kept)
    }
}

/// What those who joined are told at the end.
fn farewell(kept: &Kept) -> String {
    let score = &kept.score;
    format!("is over ({}): {} of {} points; report: {}", kept.record.end, score.points, score.of, kept.report.display())
}

/// Begins the look at the real world, where a configuration says what that is.
fn look_outside(context: &Context, hall: &Arc<Hall>) -> Result<(), Fault> {
    let mut given = given(context, false);
    let Some(config) = lookout::sources(context.config()).filter(|_| context.configured) else {
        hall.real(Real::NotKnown { why: "no source is configured".into() });
        return Ok(());
    };
    hall.real(Real::NotKnown { why: "asking".into() });
    given.config = &config;
    (given.reread, given.runbook_files) = (None, Vec::new());
    let hall = Arc::clone(hall);
    lookout::begin(&config, real(given), move |seen| hall.real(seen))
}

fn brief(shelved: &Shelved, speed: u32, drill: &str, output: &mut Output) -> Result<(), Failure> {
    let s = &shelved.scenario;
    output.line(&format!("DRILL {}: {}", s.id, s.title))?;
    output.line("")?;
    output.line(&s.brief)?;
    output.line("")?;
    let pace = if speed == 1 { String::new() } else { format!(", {speed} times as fast as time") };
    output
        .line(&format!("At most {}{pace}. Nothing in it is real. Leaving the cockpit ends it.", compact(s.duration)))?;
    output.line(&format!("From other terminals: midwatch drill join {drill} --as PERSON"))?;
    output.line(&format!("                      midwatch drill control {drill}"))?;
    output.finish()
}

/// Everything that was recorded, incident by incident.
fn recorded(path: &Path) -> Vec<Event> {
    let Ok(mut store) = Sqlite::open(path) else { return Vec::new() };
    let mut ids: Vec<_> = store.heads().unwrap_or_default().into_iter().map(|incident| incident.id).collect();
    ids.sort();
    ids.iter().flat_map(|id| store.events(id).unwrap_or_default()).collect()
}
