//! From checked settings to a machine and its world: the real one, or the simulated production.

use crate::app::health::{Link, LinkKind};
use crate::app::keymap::Keymap;
use crate::app::model::{Layout, Model, Setup};
use crate::app::reload::{EVERY, Settings};
use crate::config::{Config, Template};
use crate::domain::document::{Finding, Level};
use crate::domain::ids::{Origin, SourceName};
use crate::domain::severity::SeverityTable;
use crate::domain::slo::catalogue::{Catalogue, Plans};
use crate::domain::slo::format;
use crate::domain::slo::lint::lint_all;
use crate::domain::slo::objective::Objective;
use crate::domain::time::{Timestamp, secs};
use crate::io::clock;
use crate::io::fake::{Simulation, THINKS, markers, objectives, runbooks};
use crate::io::files::cache::Cache;
use crate::io::files::read::read_text;
use crate::io::port::Target;
use crate::io::search::finder::{self, Finder};
use crate::io::shell::LocalShell;
use crate::io::store::memory::Memory;
use crate::io::store::sqlite::Sqlite;
use crate::io::store::sqlite::open::default_path;
use crate::run::integrations;
use crate::run::sources;
use crate::run::watch::{Reread, Watch};
use crate::run::world::{Now, Pace, RunbookText, World};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The largest SLO file.
const SLO_LIMIT: u64 = 1 << 20;

/// What is known before the machine is made.
#[derive(Clone)]
pub struct Given<'a> {
    /// Checked settings.
    pub config: &'a Config,
    /// There is a configuration file.
    pub configured: bool,
    /// What is wrong so far.
    pub findings: Vec<Finding>,
    /// The severity table.
    pub severities: SeverityTable,
    /// Where the configuration was looked for.
    pub config_path: PathBuf,
    /// Folder of the durable record.
    pub data: PathBuf,
    /// Folder of what may be lost.
    pub cache: PathBuf,
    /// SLO files.
    pub slo_files: Vec<PathBuf>,
    /// Runbook files.
    pub runbook_files: Vec<PathBuf>,
    /// Whose session this is, when the configuration names nobody.
    pub user: String,
    /// The record is needed.
    pub with_record: bool,
    /// Reads the configuration again; `None` where nothing is watched.
    pub reread: Option<Reread>,
}

impl std::fmt::Debug for Given<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Given").field("config_path", &self.config_path).finish_non_exhaustive()
    }
}

/// A machine, its world, and the longest time-out of its sources.
pub struct Ready {
    /// The machine.
    pub model: Model,
    /// Its world.
    pub world: World,
    /// The longest total time-out of a source.
    pub patience: Duration,
    /// How much faster than real time its clock runs, now.
    pub pace: Pace,
    /// What is still to be written when the terminal is torn away: the process ends right after it.
    pub torn: Option<Torn>,
}

/// Writes what must not be lost with a terminal that is torn away.
pub type Torn = Box<dyn FnOnce() + Send>;

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready").field("world", &self.world).field("patience", &self.patience).finish_non_exhaustive()
    }
}

/// The name of this host.
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The real world. What cannot be used (a bad source, a bad objective) becomes a finding; the rest works.
pub fn real(given: Given<'_>) -> Ready {
    let now: Now = Arc::new(clock::now);
    let start = now();
    let mut findings = given.findings.clone();
    let mut sources = Sources::default();
    let slices = given.config.cache.then_some(given.cache.as_path());
    sources.connect(given.config, slices, start, &mut findings);
    let mut setup = setup(&given, &mut findings, None);
    setup.findings = findings;
    let settings = settings(given.config, given.severities.clone(), given.findings.clone());
    let mut model = Model::new(setup, Vec::new(), sources.links);
    outbox(&mut model, &sources.targets, start, given.config.outward_hold);
    let watch = given.reread.clone().map(|reread| Watch::new(reread, settings.clone(), given.data.clone()));
    if watch.is_some() {
        model.reload.next = Some(start + EVERY);
        model.reload.settings = Some(Box::new(settings));
    }
    model.fleet.reading = !given.slo_files.is_empty();
    let cache = given.config.cache.then(|| Cache::new(&given.cache));
    if let Some(cached) = cache.as_ref().and_then(|c| c.get(crate::run::engine::CACHE)) {
        model.recall(&cached, start);
    }
    let path = default_path(&given.data);
    let record = path.clone();
    let finder = Finder::new(
        Box::new(move || Ok(Box::new(Sqlite::open(&record)?))),
        Some(finder::default_path(&given.data)),
        Some(given.config.postmortems.clone()),
    );
    let store: crate::run::world::OpenStore = Box::new(move || Ok(Box::new(Sqlite::open(&path)?)));
    let world = World {
        metrics: sources.metrics,
        alerts: sources.alerts,
        targets: sources.targets,
        shell: if given.config.read_only {
            None
        } else {
            Some(Arc::new(LocalShell { spill: Some(given.data.join("output")), ..LocalShell::default() }))
        },
        store: given.with_record.then_some(store),
        drafts: given.config.postmortems.clone(),
        cache,
        slos: given.slo_files.clone(),
        runbooks: given.runbook_files.iter().cloned().map(RunbookText::File).collect(),
        watch,
        finder: given.with_record.then(|| Arc::new(finder)),
        clip: Some(given.data.join("clip.txt")),
        news: None,
        go_on: None,
        now,
    };
    Ready { model, world, patience: sources.patience, pace: Arc::new(|| 1), torn: None }
}

/// The simulated production: the same machine on fakes only. Nothing of the configuration but looks and keys is used.
pub fn demo(given: &Given<'_>, seed: u64, speed: u32) -> Ready {
    let start = clock::now();
    let began = clock::running();
    let now: Now = Arc::new(move || {
        let real = clock::running().saturating_sub(began);
        start + chrono::TimeDelta::from_std(real * speed).unwrap_or(chrono::TimeDelta::zero())
    });
    let simulation = Simulation::new(start, seed, now.clone());
    let (prom, am): (SourceName, SourceName) = ("prometheus".into(), "alertmanager".into());
    let link = |name: &SourceName, short: &str, kind| {
        Link::new(name.clone(), short.into(), kind, "simulated".into(), secs(2), start)
    };
    let links = vec![
        Link { markers: markers(), ..link(&prom, "prom", LinkKind::Prometheus { alerts: false }) },
        link(&am, "am", LinkKind::Alertmanager { peers: 2 }),
    ];
    let mut findings = Vec::new();
    let mut setup = setup(given, &mut findings, Some("DEMO"));
    setup.findings = Vec::new();
    setup.read_only = false;
    setup.severities = SeverityTable::defaults();
    setup.cache = false;
    let drafts = given.cache.join("demo");
    setup.drafts_in = drafts.to_string_lossy().into_owned();
    let record = Memory::new(Origin("demo".into()));
    let beside = record.beside();
    let finder = Finder::new(Box::new(move || Ok(Box::new(beside))), None, Some(drafts.clone()));
    let mut targets: BTreeMap<SourceName, Target> =
        simulation.targets().into_iter().map(|(name, fake)| (name, fake.thinking(THINKS).target())).collect();
    targets.insert(am.clone(), simulation.alerts().target());
    let world = World {
        metrics: BTreeMap::from([(prom, Arc::new(simulation.metrics()) as Arc<dyn crate::io::port::Metrics>)]),
        alerts: BTreeMap::from([(am, Arc::new(simulation.alerts()) as Arc<dyn crate::io::port::AlertSource>)]),
        targets,
        shell: Some(Arc::new(simulation.shell())),
        store: Some(Box::new(move || Ok(Box::new(record)))),
        drafts,
        cache: None,
        slos: Vec::new(),
        runbooks: runbooks().into_iter().map(|(name, text)| RunbookText::BuiltIn(name, text)).collect(),
        watch: None,
        finder: Some(Arc::new(finder)),
        clip: None,
        news: None,
        go_on: None,
        now,
    };
    let mut model = Model::new(setup, objectives(), links);
    outbox(&mut model, &world.targets, start, given.config.outward_hold);
    model.pace = speed.max(1);
    Ready { model, world, patience: Duration::from_secs(5), pace: Arc::new(move || speed.max(1)), torn: None }
}

/// The machine is told of its targets; this process gets a name that no other ever had.
pub(super) fn outbox(
    model: &mut Model,
    targets: &BTreeMap<SourceName, Target>,
    start: Timestamp,
    hold: crate::domain::time::Span,
) {
    model.outbox.holder = format!("{}:{}:{}", host(), std::process::id(), uuid::Uuid::now_v7().simple());
    model.outbox.hold = hold;
    for (name, target) in targets {
        model.connect(target.facts(name), start);
    }
}

pub(super) fn setup(given: &Given<'_>, findings: &mut Vec<Finding>, simulated: Option<&'static str>) -> Setup {
    let config = given.config;
    let (keymap, wrong) = Keymap::with(&config.keys);
    findings.extend(wrong.into_iter().map(|why| about(&given.config_path, "keys", why)));
    let template = template(config, findings);
    let responder = if config.responder.name.is_empty() { given.user.clone() } else { config.responder.name.clone() };
    Setup {
        responder,
        host: host(),
        user: given.user.clone(),
        zone: config.time_zone,
        read_only: config.read_only,
        simulated,
        slow: config.screen.slow,
        bell: config.screen.bell,
        severities: given.severities.clone(),
        keymap,
        env_pass: config.env_pass.clone(),
        command_timeout: config.command_limit(),
        arm_for: config.arm_for,
        cache: config.cache,
        template,
        drafts_in: config.postmortems.to_string_lossy().into_owned(),
        config_path: given.config_path.to_string_lossy().into_owned(),
        configured: given.configured
            || simulated.is_some()
            || !config.prometheus.is_empty()
            || !config.alertmanager.is_empty(),
        findings: Vec::new(),
    }
}

fn template(config: &Config, findings: &mut Vec<Finding>) -> Layout {
    match &config.postmortem_template {
        None | Some(Template::A) => Layout::A,
        Some(Template::B) => Layout::B,
        Some(Template::C) => Layout::C,
        Some(Template::File(path)) => match read_text(path, SLO_LIMIT) {
            Ok(text) => Layout::Own(path.to_string_lossy().into_owned(), text),
            Err(fault) => {
                findings.push(about(path, "unreadable", format!("{fault}; the built-in layout is used")));
                Layout::A
            }
        },
    }
}

/// What a configuration says, as far as a running machine can take it.
pub fn settings(config: &Config, severities: SeverityTable, mut findings: Vec<Finding>) -> Settings {
    let template = template(config, &mut findings);
    Settings { config: Arc::new(config.clone()), severities, template, findings }
}

fn about(path: &Path, rule: &str, message: String) -> Finding {
    Finding {
        path: path.to_string_lossy().into_owned(),
        line: 1,
        column: 1,
        rule: rule.into(),
        level: Level::Error,
        message,
    }
}

/// Reads SLO files: what can be used, everything that hinders reading, and what the lint says of the rest.
pub fn read_catalogue(files: &[PathBuf]) -> (Catalogue, Vec<Finding>) {
    let (mut texts, mut findings) = (Vec::new(), Vec::new());
    for path in files {
        match read_text(path, SLO_LIMIT) {
            Ok(text) => texts.push((path.to_string_lossy().into_owned(), text)),
            Err(fault) => findings.push(about(path, "unreadable", fault.to_string())),
        }
    }
    let (catalogue, found) = format::read_all(&texts);
    findings.extend(found);
    findings.extend(lint_all(&catalogue.objectives, &texts, |_| None));
    (catalogue, findings)
}

/// The objectives of SLO files, what else is in them, and everything wrong in them.
pub fn read_objectives(files: &[PathBuf]) -> (Vec<Arc<Objective>>, Plans, Vec<Finding>) {
    let (catalogue, findings) = read_catalogue(files);
    let (objectives, plans) = catalogue.parted();
    (objectives, plans, findings)
}

#[derive(Default)]
struct Sources {
    metrics: BTreeMap<SourceName, Arc<dyn crate::io::port::Metrics>>,
    alerts: BTreeMap<SourceName, Arc<dyn crate::io::port::AlertSource>>,
    targets: BTreeMap<SourceName, Target>,
    links: Vec<Link>,
    patience: Duration,
}

impl Sources {
    fn connect(&mut self, config: &Config, slices: Option<&Path>, start: Timestamp, findings: &mut Vec<Finding>) {
        let without_am = config.alertmanager.is_empty();
        for it in &config.prometheus {
            match sources::metrics(it, slices, config.time_zone) {
                Ok((port, address)) => {
                    let short = if config.prometheus.len() == 1 { "prom".into() } else { it.name.0.clone() };
                    let kind = LinkKind::Prometheus { alerts: without_am };
                    let interval = it.connection.poll_interval;
                    let link = Link::new(it.name.clone(), short, kind, address, interval, start);
                    self.links.push(Link { ceiling: it.max_samples_per_second, markers: it.marks.clone(), ..link });
                    self.metrics.insert(it.name.clone(), port);
                    self.patience = self.patience.max(it.connection.timeout);
                }
                Err(fault) => findings.push(about(Path::new(it.name.as_str()), "source", fault.to_string())),
            }
        }
        let (targets, faults) = integrations::connect_all(config);
        self.targets = targets;
        findings
            .extend(faults.iter().map(|(name, fault)| about(Path::new(name.as_str()), "target", fault.to_string())));
        for it in &config.alertmanager {
            match sources::cluster(it) {
                Ok((cluster, address, peers)) => {
                    // A Prometheus and an Alertmanager may have one name; the links must not.
                    let taken = self.links.iter().any(|l| l.name == it.name) || self.targets.contains_key(&it.name);
                    let name = if taken { SourceName(format!("{} alertmanager", it.name)) } else { it.name.clone() };
                    let short = if config.alertmanager.len() == 1 { "am".into() } else { it.name.0.clone() };
                    let kind = LinkKind::Alertmanager { peers };
                    self.links.push(Link::new(name.clone(), short, kind, address, it.connection.poll_interval, start));
                    let limit = it.connection.timeout;
                    self.targets.insert(name.clone(), cluster.clone().target(limit));
                    self.alerts.insert(name, cluster);
                    self.patience = self.patience.max(it.connection.timeout);
                }
                Err(fault) => findings.push(about(Path::new(it.name.as_str()), "source", fault.to_string())),
            }
        }
    }
}
