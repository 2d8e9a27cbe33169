//! `midwatch doctor`: tries everything the cockpit leans on. Changes nothing but a file of its own that it removes again.

use crate::app::present::sources::short;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::look::objectives;
use crate::cli::output::{Output, Table};
use crate::config::{AlertmanagerConfig, Config, OutsideConfig};
use crate::domain::document::Level;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::SourceName;
use crate::domain::outward::backend::Me;
use crate::domain::outward::capability::{Can, Caps, Lack};
use crate::domain::slo::lint::questions::Questions;
use crate::domain::slo::objective::Objective;
use crate::domain::time::{Span, compact, prometheus as prometheus_span, seconds, secs};
use crate::io::alertmanager::Cluster;
use crate::io::clock;
use crate::io::files::atomic::write_atomic;
use crate::io::files::folders::own_folder;
use crate::io::http::Endpoint;
use crate::io::port::{AlertSource, Inspect, Metrics, Outward, Silences};
use crate::io::prometheus::inspect::inspector;
use crate::io::prometheus::source::prometheus;
use crate::io::store::Store;
use crate::io::store::sqlite::Sqlite;
use crate::io::store::sqlite::open::{default_path, on_network};
use crate::run::endpoints;
use crate::run::integrations;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

/// From this on a clock that differs from ours is a fault: burn rates of five minutes are wrong by a tenth.
const SKEW_LIMIT: i64 = 30;

/// One thing that was tried.
struct Check {
    name: &'static str,
    source: Option<String>,
    ok: bool,
    detail: String,
    took: Option<Duration>,
}

impl Check {
    fn new(name: &'static str, ok: bool, detail: impl Into<String>) -> Self {
        Self { name, source: None, ok, detail: detail.into(), took: None }
    }

    fn of(source: &str, name: &'static str, ok: bool, detail: impl Into<String>, took: Option<Duration>) -> Self {
        Self { source: Some(source.to_owned()), took, ..Self::new(name, ok, detail) }
    }
}

/// Prints one line per check: every source (reach, auth, version, clock, peers), the data folder (a durable write), the
/// record, the files, the terminal. JSON: `{"checks": [{"name", "source", "ok", "detail", "seconds"}]}`. Exit 3 when a
/// source gave nothing, else 1 when a check failed.
pub fn run(context: &Context, output: &mut Output) -> Result<Exit, Failure> {
    let config = context.config();
    let mut checks = vec![configuration(context)];
    checks.push(data_folder(context, config));
    checks.push(record(context));
    checks.extend(terminal(context));
    let sources = sources(config, &objectives(context))?;
    let away = sources.iter().any(|c| matches!(c.name, "reach" | "auth") && !c.ok);
    checks.extend(sources);
    print(&checks, output)?;
    Ok(match (away, checks.iter().all(|c| c.ok)) {
        (true, _) => Exit::PARTIAL,
        (false, false) => Exit::NO,
        (false, true) => Exit::DONE,
    })
}

fn print(checks: &[Check], output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        let row = |c: &Check| {
            json!({"name": c.name, "source": c.source, "ok": c.ok, "detail": c.detail,
                "seconds": c.took.map(|took| took.as_secs_f64())})
        };
        return output.json(&json!({"checks": checks.iter().map(row).collect::<Vec<Value>>()}));
    }
    let mut table = Table::new(&["OK", "CHECK", "SOURCE", ">TOOK", "DETAIL"]);
    for check in checks {
        let took = check.took.map_or_else(String::new, |took| format!("{} ms", took.as_millis()));
        let ok = if check.ok { "ok" } else { "FAILED" };
        table.row([ok, check.name, check.source.as_deref().unwrap_or("-"), &took, &check.detail]);
    }
    output.table(&table)
}

fn configuration(context: &Context) -> Check {
    let findings = context.all_findings();
    let count = |level| findings.iter().filter(|f| f.level == level).count();
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    let file = context.folders.config_file.display();
    let detail = match (context.configured, errors + warnings) {
        (false, 0) => format!("{file} is not there; `midwatch init` writes one"),
        (_, 0) => file.to_string(),
        (_, _) => format!("{file}: {errors} errors, {warnings} warnings; `midwatch check` shows them"),
    };
    Check::new("configuration", errors == 0, detail)
}

/// A durable write where the record lies. In read-only mode it is not tried.
fn data_folder(context: &Context, config: &Config) -> Check {
    let folder = &context.folders.data;
    let shown = folder.display();
    if config.read_only {
        return Check::new("data folder", true, format!("{shown}: no write was tried (read-only)"));
    }
    let began = clock::running();
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    let wrote = own_folder(folder).and_then(|()| write_atomic(&probe, b"midwatch doctor\n", 0o600));
    let took = clock::running().saturating_sub(began);
    // It may not be there at all; what counts was told above.
    drop(std::fs::remove_file(&probe));
    let check = match wrote {
        Err(fault) => Check::new("data folder", false, fault.to_string()),
        Ok(()) if on_network(folder) => {
            let why = "is on a network file system: slower, and only as safe as its locks; choose a local --data-dir";
            Check::new("data folder", false, format!("{shown} {why}"))
        }
        Ok(()) => Check::new("data folder", true, format!("{shown}: written and synced")),
    };
    Check { took: Some(took), ..check }
}

/// The record's own check: hashes, order, what is derived from it.
fn record(context: &Context) -> Check {
    let path = default_path(&context.folders.data);
    if !path.exists() {
        return Check::new("record", true, "there is none yet");
    }
    let began = clock::running();
    let verified = Sqlite::open(&path).and_then(|mut store| store.verify());
    let took = clock::running().saturating_sub(began);
    let check = match verified {
        Ok(wrong) if wrong.is_empty() => Check::new("record", true, format!("{}: whole", path.display())),
        Ok(wrong) => Check::new("record", false, wrong.join("; ")),
        Err(fault) => Check::new("record", false, fault.to_string()),
    };
    Check { took: Some(took), ..check }
}

fn terminal(context: &Context) -> Vec<Check> {
    let value = |name: &str| context.environment.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let stdout = std::io::stdout();
    let term = value("TERM").unwrap_or("unset");
    let screen = if !stdout.is_terminal() {
        Check::new("terminal", true, format!("TERM {term}; standard output is no terminal here, its size is not known"))
    } else {
        match rustix::termios::tcgetwinsize(&stdout) {
            Ok(size) => {
                let enough = size.ws_col >= 60 && size.ws_row >= 15;
                let hint = if enough { "" } else { " (at least 60x15 is needed)" };
                Check::new("terminal", enough, format!("TERM {term}, {}x{}{hint}", size.ws_col, size.ws_row))
            }
            Err(error) => Check::new("terminal", false, format!("TERM {term}, its size cannot be read: {error}")),
        }
    };
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| value(name)).unwrap_or("unset");
    let upper = locale.to_ascii_uppercase();
    let utf8 = upper.contains("UTF-8") || upper.contains("UTF8");
    let glyphs = if utf8 { "UTF-8" } else { "not UTF-8: drawn with ASCII" };
    let colour = if value("NO_COLOR").is_some() { "NO_COLOR is set: no colours" } else { "colours as the theme says" };
    vec![screen, Check::new("locale", true, format!("{locale}, {glyphs}")), Check::new("colour", true, colour)]
}

/// All sources at once, so that one that hangs does not hold up the others.
fn sources(config: &Config, objectives: &[Arc<Objective>]) -> Result<Vec<Check>, Failure> {
    if config.prometheus.is_empty() && config.alertmanager.is_empty() && config.outside.is_empty() {
        return Ok(vec![Check::new("sources", true, "none is configured")]);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Refused(format!("no source could be asked: {error}")))?;
    Ok(runtime.block_on(async {
        let mut asked = Vec::new();
        for (index, source) in config.prometheus.iter().enumerate() {
            let ours = |o: &&Arc<Objective>| o.source.as_ref().map_or(index == 0, |s| *s == source.name);
            let poll = Poll {
                objectives: objectives.iter().filter(ours).cloned().collect(),
                interval: source.connection.poll_interval,
                ceiling: source.max_samples_per_second,
            };
            match endpoints::prometheus(source) {
                Ok(endpoint) => asked.push(tokio::spawn(metrics(source.name.clone(), endpoint, poll))),
                Err(fault) => asked.push(tokio::spawn(async move { vec![reach(&fault.what, &fault, None)] })),
            }
        }
        for source in &config.alertmanager {
            match endpoints::alertmanager(source) {
                // Each peer alone: the union would hide one that is away behind one that answers.
                Ok(peers) => {
                    let check = |peer| tokio::spawn(alerts(source.name.clone(), peer, source.read_only));
                    asked.extend(peers.into_iter().map(check));
                    if source.urls.len() > 1 {
                        asked.push(tokio::spawn(gossip(source.clone())));
                    }
                }
                Err(fault) => asked.push(tokio::spawn(async move { vec![reach(&fault.what, &fault, None)] })),
            }
        }
        asked.extend(config.outside.iter().cloned().map(|entry| tokio::spawn(target(entry))));
        let mut checks = Vec::new();
        for task in asked {
            match task.await {
                Ok(found) => checks.extend(found),
                Err(error) => checks.push(Check::new("reach", false, format!("asking ended early: {error}"))),
            }
        }
        checks
    }))
}

/// What one poll of a source asks, to see what it costs.
struct Poll {
    objectives: Vec<Arc<Objective>>,
    interval: Span,
    ceiling: Option<f64>,
}

impl Poll {
    async fn cost(&self, what: &str, source: &impl Metrics) -> Option<Check> {
        if self.objectives.is_empty() {
            return None;
        }
        let note = source.measure(&self.objectives, &[], clock::now()).await.ok()?.1;
        let many = self.objectives.len();
        let Some(samples) = note.samples else {
            return Some(Check::of(what, "cost", true, format!("{many} objectives, samples not told"), None));
        };
        let each = samples as f64 / seconds(self.interval).max(0.001);
        let over = self.ceiling.is_some_and(|ceiling| each > ceiling);
        let end = match self.ceiling {
            Some(ceiling) if over => format!(" (over {}: polls are stretched)", short(ceiling)),
            _ => String::new(),
        };
        let detail = format!(
            "{many} objectives, {} requests, {} samples a poll, {} samples/s{end}",
            note.requests,
            short(samples as f64),
            short(each)
        );
        Some(Check::of(what, "cost", true, detail, None))
    }
}

async fn metrics(name: SourceName, endpoint: Endpoint, poll: Poll) -> Vec<Check> {
    let (what, url) = (endpoint.name().to_owned(), endpoint.url().to_owned());
    let inspector = inspector(endpoint.clone());
    let source = prometheus(name, endpoint);
    let began = clock::running();
    let answer = source.probe().await;
    let took = clock::running().saturating_sub(began);
    match answer {
        Ok(note) => {
            let version = note.version.unwrap_or_else(|| "not told".to_owned());
            let mut checks = answered(&what, &url, took);
            checks.push(Check::of(&what, "version", true, version, None));
            checks.push(skew(&what, note.skew));
            // Not told is no fault: relatives of Prometheus have no such pages.
            let facts = inspector.facts(&Questions::default(), clock::now()).await.unwrap_or_default();
            checks.push(Check::of(&what, "scrape interval", true, scrapes(&facts.jobs), None));
            let kept = facts.retention.map_or_else(|| "not told".to_owned(), prometheus_span);
            checks.push(Check::of(&what, "retention", true, kept, None));
            checks.extend(poll.cost(&what, &source).await);
            checks
        }
        Err(fault) => failed(&what, &fault, took),
    }
}

/// `15s in 3 jobs, 1m in 1 job`, the shortest first.
fn scrapes(jobs: &BTreeMap<String, Span>) -> String {
    let mut by_length: BTreeMap<Span, usize> = BTreeMap::new();
    for interval in jobs.values() {
        *by_length.entry(*interval).or_default() += 1;
    }
    let part = |(span, n): (&Span, &usize)| {
        format!("{} in {n} {}", prometheus_span(*span), if *n == 1 { "job" } else { "jobs" })
    };
    match by_length.is_empty() {
        true => "not told".to_owned(),
        false => by_length.iter().map(part).collect::<Vec<_>>().join(", "),
    }
}

/// Whether silences can be read, and whether they may be written; none is.
async fn silences(what: &str, cluster: &Cluster, read_only: bool) -> Check {
    let writes = if read_only { "read_only: none is written" } else { "may be written" };
    match cluster.silences().await {
        Ok(all) => Check::of(what, "silences", true, format!("{} known, {writes}", all.len()), None),
        Err(fault) => Check::of(what, "silences", false, fault.to_string(), None),
    }
}

async fn alerts(name: SourceName, peer: Endpoint, read_only: bool) -> Vec<Check> {
    let (what, url) = (peer.name().to_owned(), peer.url().to_owned());
    let cluster = Cluster::new(name, vec![peer]);
    let began = clock::running();
    let answer = cluster.snapshot().await;
    let took = clock::running().saturating_sub(began);
    match answer {
        Ok(snapshot) => {
            let version = snapshot.version.unwrap_or_else(|| "not told".to_owned());
            let mut checks = answered(&what, &url, took);
            checks.push(Check::of(&what, "version", true, version, None));
            checks.push(Check::of(&what, "alerts", true, format!("{} alerts", snapshot.alerts.len()), None));
            checks.push(silences(&what, &cluster, read_only).await);
            checks
        }
        Err(fault) => failed(&what, &fault, took),
    }
}

/// A target of writes: whether it is there, takes our token, who we are there, and what it cannot do. Nothing is written.
async fn target(entry: OutsideConfig) -> Vec<Check> {
    let what = format!("{} {}", entry.kind, entry.name);
    let target = match integrations::connect(&entry) {
        Ok(target) => target,
        Err(fault) => return vec![reach(&what, &fault, None)],
    };
    let mut checks = Vec::new();
    for (source, read) in integrations::secrets(&entry).await {
        let detail = match &read {
            Ok(()) => format!("{source}: read"),
            Err(fault) => fault.to_string(),
        };
        checks.push(Check::of(&what, "secret", read.is_ok(), detail, None));
    }
    let began = clock::running();
    let answer = target.outward.probe().await;
    let took = clock::running().saturating_sub(began);
    match answer {
        Ok(note) if note.requests == 0 && target.backend.is_none() => {
            let words = target.outward.unprobed();
            checks.push(Check::of(&what, "reach", true, format!("not tried: {words}"), None));
        }
        Ok(note) => {
            checks.extend(answered(&what, &target.address, took));
            checks.extend(note.version.map(|version| Check::of(&what, "version", true, version, None)));
            checks.push(skew(&what, note.skew));
            checks.extend(note.warnings.iter().map(|warning| Check::of(&what, "warning", false, warning, None)));
            if let Some(backend) = &target.backend {
                checks.push(who(&what, backend.me().await));
            }
        }
        Err(fault) => checks.extend(failed(&what, &fault, took)),
    }
    checks.push(able(&what, &target.outward.caps()));
    checks
}

/// Who we are there.
fn who(what: &str, me: Result<Me, Fault>) -> Check {
    match me {
        Ok(me) => {
            let name = me.person.map_or_else(|| "nobody in person".to_owned(), |person| person.name);
            Check::of(what, "who", true, format!("{name}, with a token of kind {}", me.token), None)
        }
        Err(fault) => Check::of(what, "who", false, fault.to_string(), None),
    }
}

/// What can be done there. A reason that stands in the configuration or in the plan is told and is no fault.
fn able(what: &str, caps: &Caps) -> Check {
    let can: Vec<&str> =
        caps.iter().filter(|(c, can)| !c.reads() && matches!(can, Can::Yes(_))).map(|(c, _)| c.title()).collect();
    let cannot: Vec<String> = caps
        .iter()
        .filter(|(_, can)| matches!(can, Can::No(lack, _) if *lack != Lack::Unsupported))
        .map(|(c, _)| format!("not {} ({})", c.title(), caps.why_not(c).unwrap_or_default()))
        .collect();
    let can = if can.is_empty() { "nothing can be written".to_owned() } else { can.join(", ") };
    Check::of(what, "writes", true, [vec![can], cannot].concat().join("; "), None)
}

/// Whether the peers of a cluster see each other: silences are written to one of them.
async fn gossip(source: AlertmanagerConfig) -> Vec<Check> {
    let what = format!("alertmanager {}", source.name);
    let Ok(peers) = endpoints::alertmanager(&source) else { return Vec::new() };
    match Cluster::new(source.name.clone(), peers).probe().await {
        Ok(note) if note.warnings.is_empty() => {
            vec![Check::of(&what, "cluster", true, format!("{} peers see each other", source.urls.len()), None)]
        }
        Ok(note) => note.warnings.iter().map(|warning| Check::of(&what, "cluster", false, warning, None)).collect(),
        // A peer that does not answer is told with its own name.
        Err(_) => Vec::new(),
    }
}

fn answered(what: &str, url: &str, took: Duration) -> Vec<Check> {
    vec![Check::of(what, "reach", true, url, Some(took)), Check::of(what, "auth", true, "accepted", None)]
}

/// A server that refuses who we are was reached.
fn failed(what: &str, fault: &Fault, took: Duration) -> Vec<Check> {
    match fault.kind {
        FaultKind::Auth | FaultKind::Permission | FaultKind::LoginPage => vec![
            Check::of(what, "reach", true, "answered", Some(took)),
            Check::of(what, "auth", false, fault.to_string(), None),
        ],
        _ => vec![reach(what, fault, Some(took))],
    }
}

fn reach(what: &str, fault: &Fault, took: Option<Duration>) -> Check {
    Check::of(what, "reach", false, fault.to_string(), took)
}

fn skew(what: &str, skew: Option<Span>) -> Check {
    match skew {
        Some(skew) => {
            let ok = skew.abs() < secs(SKEW_LIMIT);
            let way = if skew < secs(0) { "behind" } else { "ahead of" };
            let detail = match skew.num_seconds() {
                0 => "the same as ours".to_owned(),
                _ => format!("{} {way} ours", compact(skew)),
            };
            Check::of(what, "clock", ok, detail, None)
        }
        None => Check::of(what, "clock", true, "not told", None),
    }
}
