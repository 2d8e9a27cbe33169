//! A drill: machines on a scenario's simulated world, on a clock of its own. Built from the simulated ports of a [`Staged`]
//! alone: there is no constructor here that takes a real port, and nothing of the configuration but looks, keys and the
//! folder of drills is used.
//!
//! A drill with people is one process. Its [`table`] makes a cockpit for each of them over the same world; the [`hall`] knows
//! who sits there and does what a facilitator asks; the [`reception`] receives both through the one socket that a drill opens.
//! Players join by [`join`] with nothing but their terminal: their cockpit, the [`seat`], lives in the drill's process, and
//! over the socket go keys in one direction and frames in the other. So there is one world, one clock and one set of
//! simulated targets that cannot drift apart, nothing of them has to be written down for another process, and what a player
//! starts holds no port at all. The real world is looked at by the [`lookout`], which has the real ports and none of the
//! drill; a word is all that passes between them. `drill/personas.rs` lets those speak whom the drill plays,
//! `drill/control.rs` is the facilitator's screen.
//!
//! Without people `drill/headless.rs` plays, by `drill/scripted.rs` or `drill/random.rs` with `drill/hands.rs`;
//! `drill/shelf.rs` finds scenarios and their files.

pub mod clock;
pub mod control;
pub mod hall;
pub mod hands;
pub mod headless;
pub mod join;
pub mod lookout;
pub mod personas;
pub mod random;
pub mod reception;
pub mod scripted;
pub mod seat;
pub mod shelf;
pub mod table;

use crate::domain::drill::stage::Stage;
use crate::domain::fault::Fault;
use crate::io::fake::staged::Staged;
use crate::run::drill::clock::DrillClock;
use crate::run::drill::table::Table;
use crate::run::setup::{Given, Ready};
use crate::run::world::RunbookText;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The word on every screen, export, file name and record of a drill.
pub const WORD: &str = "DRILL";

/// A drill that is ready to be played by people.
#[derive(Debug)]
pub struct Drill {
    /// The cockpit of the process's own terminal.
    pub ready: Ready,
    /// What it and every other one is made of.
    pub table: Arc<Table>,
    /// The socket's file, which goes with this.
    pub socket: Socket,
}

/// The file of a socket; taken away when this is dropped, because the thread that listens ends with the process.
#[derive(Debug)]
pub struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        // It may be gone already.
        let _: Result<(), _> = std::fs::remove_file(&self.0);
    }
}

/// The record of a drill in its own folder.
pub fn record_path(folder: &Path) -> PathBuf {
    folder.join("DRILL-record.db")
}

/// Prepares a drill whose files all go to `folder`, and opens its socket. The clock stands at the scenario's beginning until
/// the first cockpit is there.
pub fn prepare(
    given: &Given<'_>,
    stage: Stage,
    runbooks: Vec<RunbookText>,
    (name, folder): (&str, &Path),
    speed: u32,
) -> Result<Drill, Fault> {
    let clock = Arc::new(DrillClock::new(stage.start(), speed));
    let now = {
        let clock = Arc::clone(&clock);
        Arc::new(move || clock.now())
    };
    let staged = Staged::new(stage, now);
    let table = Arc::new(Table::new(given, runbooks, (name, folder), staged.clone(), clock));
    personas::begin(staged, record_path(folder), Arc::clone(table.hall()))?;
    let socket = Socket(reception::open(Arc::clone(&table))?);
    let host = table.host().to_owned();
    let mut ready = table.cockpit(&host);
    let hall = Arc::clone(table.hall());
    // The host sits until the process ends the drill.
    ready.world.news = Some(Box::new(move |tell| {
        hall.sit(&host, tell).map(drop).map_err(|why| Fault::new(crate::domain::fault::FaultKind::Local, "drill", why))
    }));
    Ok(Drill { ready, table, socket })
}
