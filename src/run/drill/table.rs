//! What every cockpit of one drill is made of: one world, one clock, one record, one set of simulated targets. Takes no real
//! port: a cockpit that comes from here can reach nothing outside the drill.

use crate::app::health::{Link, LinkKind};
use crate::app::model::Model;
use crate::config::Config;
use crate::domain::ids::SourceName;
use crate::domain::severity::SeverityTable;
use crate::domain::time::secs;
use crate::io::fake::Ports;
use crate::io::fake::staged::Staged;
use crate::io::store::sqlite::Sqlite;
use crate::io::store::witnessed::Witnessed;
use crate::run::drill::clock::DrillClock;
use crate::run::drill::hall::Hall;
use crate::run::drill::{WORD, record_path};
use crate::run::setup::{Given, Ready, outbox, setup};
use crate::run::world::{GoOn, OpenStore, RunbookText, World};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What every cockpit of one drill is made of.
#[derive(Debug)]
pub struct Table {
    config: Config,
    config_path: PathBuf,
    user: String,
    runbooks: Vec<RunbookText>,
    folder: PathBuf,
    ports: Ports,
    staged: Staged,
    clock: Arc<DrillClock>,
    hall: Arc<Hall>,
}

impl Table {
    /// Of a configuration nothing but looks, keys, zone and who sits here is used.
    pub fn new(
        given: &Given<'_>,
        runbooks: Vec<RunbookText>,
        (name, folder): (&str, &Path),
        staged: Staged,
        clock: Arc<DrillClock>,
    ) -> Self {
        Self {
            config: given.config.clone(),
            config_path: given.config_path.clone(),
            user: given.user.clone(),
            runbooks,
            folder: folder.to_owned(),
            ports: Ports::of_drill(&staged),
            hall: Arc::new(Hall::new(name, staged.clone(), Arc::clone(&clock))),
            staged,
            clock,
        }
    }

    /// The middle of the drill.
    pub fn hall(&self) -> &Arc<Hall> {
        &self.hall
    }

    /// The stage behind the world.
    pub fn staged(&self) -> &Staged {
        &self.staged
    }

    /// The drill's clock.
    pub fn clock(&self) -> &Arc<DrillClock> {
        &self.clock
    }

    /// The drill's own folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Who sits at the process's own terminal.
    pub fn host(&self) -> &str {
        if self.config.responder.name.is_empty() { &self.user } else { &self.config.responder.name }
    }

    /// A machine and its world for one person. Nobody tells it news yet.
    pub fn cockpit(&self, person: &str) -> Ready {
        let mut config = self.config.clone();
        config.responder.name = person.to_owned();
        let given = Given {
            config: &config,
            configured: true,
            findings: Vec::new(),
            severities: SeverityTable::defaults(),
            config_path: self.config_path.clone(),
            data: self.folder.clone(),
            cache: self.folder.clone(),
            slo_files: Vec::new(),
            runbook_files: Vec::new(),
            user: person.to_owned(),
            with_record: true,
            reread: None,
        };
        let start = self.clock.now();
        let (prom, am): (SourceName, SourceName) = ("prometheus".into(), "alertmanager".into());
        let link = |name: &SourceName, short: &str, kind| {
            Link::new(name.clone(), short.into(), kind, "simulated".into(), secs(5), start)
        };
        let links = vec![
            link(&prom, "prom", LinkKind::Prometheus { alerts: false }),
            link(&am, "am", LinkKind::Alertmanager { peers: self.ports.peers() }),
        ];
        let drafts = self.folder.join("DRILL-drafts");
        let mut settings = setup(&given, &mut Vec::new(), Some(WORD));
        settings.findings = Vec::new();
        settings.read_only = false;
        settings.cache = false;
        settings.drafts_in = drafts.to_string_lossy().into_owned();
        let (path, behind) = (record_path(&self.folder), self.staged.clone());
        let store: OpenStore = Box::new(move || Ok(Box::new(Witnessed::new(Sqlite::open(&path)?, behind))));
        let (clock, pace, hall) = (Arc::clone(&self.clock), Arc::clone(&self.clock), Arc::clone(&self.hall));
        let go_on: GoOn = Arc::new(move || hall.go_on());
        let world = World {
            metrics: BTreeMap::from([(prom, self.ports.metrics())]),
            alerts: BTreeMap::from([(am, self.ports.alerts())]),
            targets: self.ports.targets().iter().map(|(name, fake)| (name.clone(), fake.target())).collect(),
            shell: Some(self.ports.shell()),
            store: Some(store),
            drafts,
            cache: None,
            slos: Vec::new(),
            runbooks: self.runbooks.clone(),
            watch: None,
            clip: None,
            news: None,
            finder: None,
            go_on: Some(go_on),
            now: Arc::new(move || clock.now()),
        };
        let mut model = Model::new(settings, self.ports.objectives(), links);
        outbox(&mut model, &world.targets, start, config.outward_hold);
        Ready { model, world, patience: Duration::from_secs(5), pace: Arc::new(move || pace.pace()), torn: None }
    }
}
