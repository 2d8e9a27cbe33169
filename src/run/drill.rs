//! A drill: the machine on a scenario's simulated world, on a clock of its own. Built from [`Ports`] of a [`Staged`] alone:
//! there is no constructor here that takes a real port, and nothing of the configuration but looks, keys and the folder of
//! drills is used. `drill/clock.rs` has the clock; `drill/personas.rs` lets those speak whom it plays, `drill/headless.rs` plays without a person, by
//! `drill/scripted.rs` or `drill/random.rs` with `drill/hands.rs`; `drill/shelf.rs` finds scenarios and their files.

pub mod clock;
pub mod hands;
pub mod headless;
pub mod personas;
pub mod random;
pub mod scripted;
pub mod shelf;

use crate::app::health::{Link, LinkKind};
use crate::app::model::Model;
use crate::domain::drill::stage::Stage;
use crate::domain::ids::SourceName;
use crate::domain::severity::SeverityTable;
use crate::domain::time::secs;
use crate::io::fake::Ports;
use crate::io::fake::staged::Staged;
use crate::io::store::sqlite::Sqlite;
use crate::io::store::witnessed::Witnessed;
use crate::run::drill::clock::DrillClock;
use crate::run::setup::{Given, Ready, outbox, setup};
use crate::run::world::{OpenStore, RunbookText, World};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The word on every screen, export, file name and record of a drill.
pub const WORD: &str = "DRILL";

/// A drill that is ready to be played by people.
#[derive(Debug)]
pub struct Drill {
    /// The machine and its world.
    pub ready: Ready,
    /// The stage behind the world, for the facilitator and the score.
    pub staged: Staged,
    /// The drill's clock; it stands until somebody starts it.
    pub clock: Arc<DrillClock>,
}

/// The record of a drill in its own folder.
pub fn record_path(folder: &Path) -> PathBuf {
    folder.join("DRILL-record.db")
}

/// Prepares a drill whose files all go to `folder`. The clock stands at the scenario's beginning.
pub fn prepare(given: &Given<'_>, stage: Stage, runbooks: Vec<RunbookText>, folder: &Path) -> Drill {
    let start = stage.start();
    let clock = Arc::new(DrillClock::new(start, stage.scenario().speed));
    let now = {
        let clock = Arc::clone(&clock);
        Arc::new(move || clock.now())
    };
    let staged = Staged::new(stage, now.clone());
    let ports = Ports::of_drill(&staged);
    let (prom, am): (SourceName, SourceName) = ("prometheus".into(), "alertmanager".into());
    let link = |name: &SourceName, short: &str, kind| {
        Link::new(name.clone(), short.into(), kind, "simulated".into(), secs(5), start)
    };
    let links = vec![
        link(&prom, "prom", LinkKind::Prometheus { alerts: false }),
        link(&am, "am", LinkKind::Alertmanager { peers: ports.peers() }),
    ];
    let mut findings = Vec::new();
    let mut settings = setup(given, &mut findings, Some(WORD));
    settings.findings = Vec::new();
    settings.read_only = false;
    settings.severities = SeverityTable::defaults();
    settings.cache = false;
    settings.drafts_in = folder.join("DRILL-drafts").to_string_lossy().into_owned();
    let path = record_path(folder);
    let behind = staged.clone();
    let store: OpenStore = Box::new(move || Ok(Box::new(Witnessed::new(Sqlite::open(&path)?, behind))));
    let world = World {
        metrics: BTreeMap::from([(prom, ports.metrics())]),
        alerts: BTreeMap::from([(am, ports.alerts())]),
        targets: ports.targets().iter().map(|(name, fake)| (name.clone(), fake.target())).collect(),
        shell: Some(ports.shell()),
        store: Some(store),
        drafts: folder.join("DRILL-drafts"),
        cache: None,
        slos: Vec::new(),
        runbooks,
        watch: None,
        clip: None,
        news: Some(personas::news(staged.clone(), record_path(folder))),
        finder: None,
        now,
    };
    let mut model = Model::new(settings, ports.objectives(), links);
    outbox(&mut model, &world.targets, start, given.config.outward_hold);
    let ready = Ready { model, world, patience: Duration::from_secs(5), speed: clock.speed() };
    Drill { ready, staged, clock }
}
