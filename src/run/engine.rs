//! Effects become tasks, tasks become messages. One thread with an async runtime for sources and commands, one for the
//! record; nobody waits for either. What only a shell can do (ring, copy, quit) is handed back.

use crate::app::cache::Cached;
use crate::app::effect::Effect;
use crate::app::msg::{Feed, Msg, Reply};
use crate::domain::alert::AlertSnapshot;
use crate::domain::exec::{CommandEnd, CommandNews};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::{ReqId, SourceName};
use crate::domain::search::Question;
use crate::io::files::cache::Cache;
use crate::io::port::Shell;
use crate::io::search::finder::Finder;
use crate::io::store::record::{Job, PAGE, Record, RecordNews};
use crate::run::courier;
use crate::run::setup::read_objectives;
use crate::run::shelf::library;
use crate::run::sources::Sources;
use crate::run::targets::Targets;
use crate::run::watch::Watch;
use crate::run::world::{GoOn, Now, RunbookText, World};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Takes messages to the machine, from any thread.
pub type Tell = Arc<dyn Fn(Msg) + Send + Sync>;
/// The file in the cache folder.
pub const CACHE: &str = "last-known";
/// The longest that an end waits for slices to be written.
const KEEPING: Duration = Duration::from_millis(1_500);

/// What the async thread needs.
struct Ports {
    sources: Sources,
    targets: Targets,
    shell: Option<Arc<dyn Shell>>,
    drafts: PathBuf,
    cache: Option<Cache>,
    now: Now,
    watch: Option<Mutex<Watch>>,
    finder: Option<Arc<Finder>>,
    tell: Tell,
    stops: Mutex<HashMap<ReqId, oneshot::Sender<()>>>,
}

impl Ports {
    /// Tells what a target can do when its last answer taught it something.
    fn taught(&self, name: &SourceName) {
        if let Some(facts) = self.targets.taught(name) {
            (self.tell)(Msg::Feed(Feed::Target(Box::new(facts))));
        }
    }
}

/// The threads that carry effects out.
pub struct Engine {
    effects: mpsc::UnboundedSender<Effect>,
    record: Option<Record>,
    go_on: Option<GoOn>,
    tell: Tell,
    thread: Option<std::thread::JoinHandle<()>>,
    /// Says that the io thread has written what should outlive the program.
    kept: std::sync::mpsc::Receiver<()>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

impl Engine {
    /// Starts the threads. News of the record, the library and the cache come as feeds.
    pub fn start(world: World, tell: Tell) -> Result<Self, Fault> {
        let record = match world.store {
            Some(open) => {
                let said = tell.clone();
                let record = Record::start(open, move |news| {
                    if let Some(msg) = told(news) {
                        said(msg);
                    }
                })?;
                record.send(Job::Load)?;
                Some(record)
            }
            None => None,
        };
        if let Some(news) = world.news {
            news(tell.clone())?;
        }
        let go_on = world.go_on;
        let (effects, queue) = mpsc::unbounded_channel();
        let ports = Arc::new(Ports {
            sources: Sources::new(world.metrics, world.alerts, world.cache.as_ref().map(|c| c.folder().to_owned())),
            targets: Targets::new(world.targets),
            shell: world.shell,
            drafts: world.drafts,
            cache: world.cache,
            now: world.now,
            watch: world.watch.map(Mutex::new),
            finder: world.finder,
            tell: tell.clone(),
            stops: Mutex::default(),
        });
        let (slos, runbooks) = (world.slos, world.runbooks);
        let (done, kept) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("io".into())
            .spawn(move || {
                first(&ports, &slos, &runbooks);
                serve(&ports, queue);
                ports.sources.keep();
                // Nobody listens any more when the program did not wait.
                let _: Result<(), _> = done.send(());
            })
            .map_err(|e| Fault::new(FaultKind::Local, "io thread", e.to_string()))?;
        Ok(Self { effects, record, go_on, tell, thread: Some(thread), kept })
    }

    /// Carries out an effect, or gives back one that only the shell can carry out. Never waits.
    pub fn perform(&self, effect: Effect) -> Option<Effect> {
        match effect {
            Effect::Append { req, events } => self.job(req, Job::Append(req.0, events)),
            Effect::Older { req, incident, before } => {
                self.job(req, Job::Page { ticket: req.0, incident, before: Some(before), limit: PAGE * 5 });
            }
            Effect::All { req, incident } => self.job(req, Job::All { ticket: req.0, incident }),
            Effect::Step { req, op, step, by } => self.job(req, Job::Step { ticket: req.0, op, step, by }),
            Effect::Deliver { .. }
            | Effect::AskTarget { .. }
            | Effect::Retarget { .. }
            | Effect::Reconnect(_)
            | Effect::Forget { .. }
            | Effect::Measure { .. }
            | Effect::Warm { .. }
            | Effect::Rows { .. }
            | Effect::Signals { .. }
            | Effect::Marks { .. }
            | Effect::Chart { .. }
            | Effect::Alerts { .. }
            | Effect::Query { .. }
            | Effect::Rules { .. }
            | Effect::Look { .. }
            | Effect::Run { .. }
            | Effect::Stop { .. }
            | Effect::WriteDraft { .. }
            | Effect::Search { .. }
            | Effect::Similar { .. }
            | Effect::Cache(_) => {
                if let Err(unsent) = self.effects.send(effect) {
                    tracing::error!(effect = ?unsent.0, "the io thread has ended");
                }
            }
            Effect::GoOn => {
                if let Some(go_on) = &self.go_on {
                    go_on();
                }
            }
            other => return Some(other),
        }
        None
    }

    fn job(&self, req: ReqId, job: Job) {
        let (append, step) = (matches!(job, Job::Append(..)), matches!(job, Job::Step { .. }));
        let missing = || Fault::new(FaultKind::Local, "record", "is not open");
        let sent = self.record.as_ref().map_or_else(|| Err(missing()), |record| record.send(job));
        if let Err(fault) = sent {
            let reply = match (append, step) {
                (true, _) => Reply::NotSaved(fault),
                (_, true) => Reply::Stepped(Err(fault)),
                _ => Reply::Events(Err(fault)),
            };
            (self.tell)(Msg::Reply(req, reply));
        }
    }

    /// Ends: what was handed to the record is finished first, for at most so long. `false`: it was not.
    pub fn stop(mut self, patience: Duration) -> bool {
        let done = self.record.take().is_none_or(|record| record.stop(patience));
        drop(self.effects);
        // The io thread may be in the middle of a request, which nobody waits for; what it keeps on disk is worth a moment.
        let _: Result<(), _> = self.kept.recv_timeout(patience.min(KEEPING));
        drop(self.thread.take());
        done
    }
}

fn told(news: RecordNews) -> Option<Msg> {
    Some(match news {
        RecordNews::Opened { origin } => Msg::Feed(Feed::Opened(origin)),
        RecordNews::Loaded(incidents) => Msg::Feed(Feed::Loaded(incidents)),
        RecordNews::Others(events) => Msg::Feed(Feed::Others(events)),
        RecordNews::Outbox(entries) => Msg::Feed(Feed::Outbox(entries)),
        RecordNews::Stepped(ticket, result) => Msg::Reply(ReqId(ticket), Reply::Stepped(result)),
        RecordNews::Failed(fault) => Msg::Feed(Feed::StoreFailed(fault)),
        RecordNews::Saved(ticket, events) => Msg::Reply(ReqId(ticket), Reply::Saved(events)),
        RecordNews::NotSaved(ticket, fault) => Msg::Reply(ReqId(ticket), Reply::NotSaved(fault)),
        RecordNews::Page(ticket, events) | RecordNews::All(ticket, events) => {
            Msg::Reply(ReqId(ticket), Reply::Events(Ok(events)))
        }
    })
}

/// Reads the files for the first time.
fn first(ports: &Ports, slos: &[PathBuf], runbooks: &[RunbookText]) {
    let now = (ports.now)();
    let mut watch = ports.watch.as_ref().and_then(|watch| watch.lock().ok());
    if !slos.is_empty() {
        let (objectives, plans, findings) = match &mut watch {
            Some(watch) => watch.objectives(slos, now),
            None => read_objectives(slos),
        };
        (ports.tell)(Msg::Feed(Feed::Plans(plans)));
        (ports.tell)(Msg::Feed(Feed::Objectives(objectives, findings)));
    }
    let (books, findings) = match &mut watch {
        Some(watch) => {
            let named = runbooks.iter().filter_map(|text| match text {
                RunbookText::File(path) => Some(path.clone()),
                RunbookText::BuiltIn(..) => None,
            });
            watch.library(&named.collect::<Vec<_>>(), now)
        }
        None => library(runbooks, now),
    };
    (ports.tell)(Msg::Feed(Feed::Library(books, findings)));
}

/// The async thread: takes effects until their sender is gone.
fn serve(ports: &Arc<Ports>, mut queue: mpsc::UnboundedReceiver<Effect>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            (ports.tell)(Msg::Feed(Feed::StoreFailed(Fault::new(FaultKind::Local, "async runtime", e.to_string()))));
            return;
        }
    };
    runtime.block_on(async move {
        while let Some(effect) = queue.recv().await {
            carry_out(ports, effect);
        }
    });
    runtime.shutdown_background();
}

/// Asks a source about objectives and services.
async fn measure(ports: Arc<Ports>, effect: Effect) {
    let now = || (ports.now)();
    let (req, reply) = match effect {
        Effect::Measure { req, source, objectives, windows } => {
            let result = match ports.sources.metrics(&source) {
                None => Err(unknown(&source)),
                Some(port) if objectives.is_empty() => port.probe().await.map(|note| (Vec::new(), note)),
                Some(port) => port.measure(&objectives, &windows, now()).await,
            };
            (req, Reply::Measured(result))
        }
        Effect::Warm { req, source, first, rest, cuts } => {
            let result = match ports.sources.metrics(&source) {
                None => Err(unknown(&source)),
                Some(port) => {
                    port.cut(&cuts);
                    port.warm(&first, &rest, now()).await
                }
            };
            (req, Reply::Warmed(result))
        }
        Effect::Signals { req, source, services } => {
            let result = match ports.sources.metrics(&source) {
                None => Err(unknown(&source)),
                Some(port) => port.signals(&services, now()).await,
            };
            (req, Reply::Signals(result))
        }
        Effect::Rows { req, source, templates } => {
            let result = match ports.sources.metrics(&source) {
                None => Err(unknown(&source)),
                Some(port) => port.rows(&templates, now()).await,
            };
            (req, Reply::Rows(result))
        }
        Effect::Chart { req, source, objective, windows, range, step } => {
            let result = match ports.sources.metrics(&source) {
                None => Err(unknown(&source)),
                Some(port) => port.history(&objective, &windows, range, step, now()).await,
            };
            (req, Reply::Charted(result))
        }
        Effect::Marks { req, source, markers, range } => {
            let result = match ports.sources.metrics(&source) {
                None => Err(unknown(&source)),
                Some(port) => port.marks(&markers, range, now()).await,
            };
            (req, Reply::Marks(result))
        }
        other => return tracing::error!(effect = ?other, "an effect that is no question to a source"),
    };
    (ports.tell)(Msg::Reply(req, reply));
}

/// Asks a source for its alerts: a cluster, or a server where there is none.
async fn alerts(ports: Arc<Ports>, req: ReqId, source: SourceName) {
    let result = match (ports.sources.alerts(&source), ports.sources.metrics(&source)) {
        (Some(port), _) => port.snapshot().await,
        (None, Some(port)) => port.alerts().await.map(|alerts| AlertSnapshot {
            alerts,
            answered: 1,
            peers: 1,
            ..AlertSnapshot::default()
        }),
        (None, None) => Err(unknown(&source)),
    };
    (ports.tell)(Msg::Reply(req, Reply::Alerts(result)));
}

/// Sources and targets as the configuration or a person wants them now.
fn exchange(ports: Arc<Ports>, effect: Effect) {
    match effect {
        Effect::Retarget { connect, remove } => blocking(move || {
            let new = ports.targets.change(&connect, remove);
            (ports.tell)(Msg::Feed(Feed::Targets(Box::new(new))));
        }),
        // Before anything that comes after it: what is asked from now on is asked of the new one.
        Effect::Reconnect(wanted) => {
            let new = ports.sources.change(&wanted, &ports.targets);
            (ports.tell)(Msg::Feed(Feed::Sources(Box::new(new))));
        }
        Effect::Forget { targets } => {
            for name in targets {
                ports.targets.forget(&name);
                ports.taught(&name);
            }
        }
        other => tracing::error!(effect = ?other, "an effect that exchanges nothing"),
    }
}

fn carry_out(ports: &Arc<Ports>, effect: Effect) {
    crate::run::rehearsal::panic_at("io");
    let ports = Arc::clone(ports);
    match effect {
        Effect::Measure { .. }
        | Effect::Warm { .. }
        | Effect::Signals { .. }
        | Effect::Rows { .. }
        | Effect::Chart { .. }
        | Effect::Marks { .. } => spawn(measure(ports, effect)),
        Effect::Alerts { req, source } => spawn(alerts(ports, req, source)),
        Effect::Deliver { req, op, look } => {
            // Looked up here and now: it is for the target that it was claimed for, whatever comes next in the queue.
            let (name, target) = (op.target.clone(), ports.targets.get(&op.target));
            spawn(async move {
                let reply = courier::deliver(target.as_ref(), *op, look).await;
                (ports.tell)(Msg::Reply(req, reply));
                ports.taught(&name);
            });
        }
        Effect::AskTarget { req, target, question } => spawn(async move {
            let result = match ports.targets.get(&target) {
                Some(port) => courier::ask(&port, &target, question).await,
                None => Err(unknown(&target)),
            };
            (ports.tell)(Msg::Reply(req, Reply::Told(result)));
            ports.taught(&target);
        }),
        Effect::Retarget { .. } | Effect::Reconnect(_) | Effect::Forget { .. } => exchange(ports, effect),
        Effect::Query { req, source, promql } => spawn(async move {
            let result = match ports.sources.metrics(&source) {
                None => Err(unknown(&source)),
                Some(port) => port.query(&promql, (ports.now)()).await,
            };
            (ports.tell)(Msg::Reply(req, Reply::Queried(result)));
        }),
        Effect::Rules { req, source } => spawn(async move {
            let result = match ports.sources.metrics(&source) {
                None => Err(unknown(&source)),
                Some(port) => port.rules().await,
            };
            (ports.tell)(Msg::Reply(req, Reply::Rules(result)));
        }),
        Effect::Look { req } => blocking(move || {
            let now = (ports.now)();
            let found = ports.watch.as_ref().and_then(|watch| watch.lock().ok().map(|mut watch| watch.look(now)));
            (ports.tell)(Msg::Reply(req, Reply::Looked(Box::new(found.unwrap_or_default()))));
        }),
        Effect::Run { req, spec } => spawn(run(ports, req, spec)),
        Effect::Stop { req } => {
            let stop = ports.stops.lock().ok().and_then(|mut stops| stops.remove(&req));
            if let Some(stop) = stop {
                // The command may have ended this very moment; then there is nothing to stop.
                let _: Result<(), ()> = stop.send(());
            }
        }
        Effect::WriteDraft { req, incident: _, name, text, pictures } => blocking(move || {
            let written = crate::run::draft::write(&ports.drafts, &name, &text, &pictures);
            let result = written.map(|w| w.path.to_string_lossy().into_owned());
            (ports.tell)(Msg::Reply(req, Reply::Draft(result)));
        }),
        Effect::Search { req, query } => blocking(move || {
            let question = Question::parse(&query);
            let found = match &ports.finder {
                Some(finder) => finder.find(req.0, &question),
                None => Some(Err(nowhere())),
            };
            if let Some(result) = found {
                (ports.tell)(Msg::Reply(req, Reply::Hits(result)));
            }
        }),
        Effect::Similar { req, incident } => blocking(move || {
            let result = ports.finder.as_ref().map_or_else(|| Err(nowhere()), |finder| finder.similar(&incident));
            (ports.tell)(Msg::Reply(req, Reply::Similar(result)));
        }),
        Effect::Cache(cached) => blocking(move || keep(&ports, &cached)),
        other => tracing::error!(effect = ?other, "an effect that the io thread does not know"),
    }
}

fn keep(ports: &Ports, cached: &Cached) {
    if let Some(Err(fault)) = ports.cache.as_ref().map(|cache| cache.put(CACHE, cached)) {
        tracing::warn!(%fault, "last known values were not kept");
    }
}

async fn run(ports: Arc<Ports>, req: ReqId, spec: crate::domain::exec::CommandSpec) {
    let Some(shell) = ports.shell.clone() else {
        let end = CommandEnd::never("nothing is run here");
        (ports.tell)(Msg::Reply(req, Reply::Command(CommandNews::Ended(end))));
        return;
    };
    let (tell, mut news) = mpsc::channel(64);
    let (stop, stopped) = oneshot::channel();
    if let Ok(mut stops) = ports.stops.lock() {
        stops.insert(req, stop);
    }
    let running = tokio::spawn(shell.run(spec, tell, stopped));
    let mut ended = false;
    while let Some(piece) = news.recv().await {
        ended |= matches!(piece, CommandNews::Ended(_));
        (ports.tell)(Msg::Reply(req, Reply::Command(piece)));
    }
    drop(running.await);
    if let Ok(mut stops) = ports.stops.lock() {
        stops.remove(&req);
    }
    if !ended {
        let why = "result unknown: the runner ended first";
        let end = CommandEnd { began: true, survivors: true, ..CommandEnd::never(why) };
        (ports.tell)(Msg::Reply(req, Reply::Command(CommandNews::Ended(end))));
    }
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(task));
}

fn blocking(work: impl FnOnce() + Send + 'static) {
    drop(tokio::task::spawn_blocking(work));
}

fn nowhere() -> Fault {
    Fault::new(FaultKind::Local, "search index", "there is no record to search")
}

fn unknown(source: &SourceName) -> Fault {
    Fault::new(FaultKind::Local, format!("source {source}"), "is not configured")
}
