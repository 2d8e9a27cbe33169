//! A thousand objectives against a real Prometheus: what a refresh asks and costs, against the raw queries that no refresh can
//! do without, turn by turn on the same server. Prints medians and ratios; asserts nothing. Needs `prometheus` and `promtool`;
//! `DAYS=3` loads less than a month.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, prints, and stops at the first surprise"
)]

use midwatch::domain::slo::objective::{Identity, Objective};
use midwatch::domain::time::{Timestamp, secs};
use midwatch::io::clock;
use midwatch::io::http::Endpoint;
use midwatch::io::port::Metrics;
use midwatch::io::prometheus::client::Client;
use midwatch::io::prometheus::measure::Prometheus;
use midwatch::io::prometheus::source::{Source, prometheus};
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const SERVICES: usize = 50;
/// Objectives of one service; each counts other codes as bad.
const EACH: usize = 20;
const TURNS: usize = 11;

fn main() {
    let days: i64 = std::env::var("DAYS").ok().and_then(|d| d.parse().ok()).unwrap_or(30);
    let end = Timestamp::from_timestamp((clock::now().timestamp() / 3_600 - 3) * 3_600 + 420, 0).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let Some(server) = Server::start(folder.path(), &openmetrics(end, days * 1_440), &runtime) else {
        println!("prometheus or promtool is not installed: nothing was measured");
        return;
    };
    println!("{SERVICES} services, {} objectives, {days} days", SERVICES * EACH);
    println!("{:<40} {:>9} {:>10} {:>10} {:>7}", "what", "requests", "median", "floor", "ratio");
    runtime.block_on(recorded(&server.url(), end));
    runtime.block_on(unrecorded(&server.url(), end));
}

/// One refresh of recorded objectives, against the two raw queries for the same series.
async fn recorded(url: &str, end: Timestamp) {
    let named = |(i, o): (usize, &Arc<Objective>)| {
        Arc::new(Objective { identity: Identity::Sloth(format!("svc-{i}")), ..Objective::clone(o) })
    };
    let list: Vec<Arc<Objective>> = objectives().iter().enumerate().map(named).collect();
    let port = port(url);
    let found = port.measure(&list, &[], end).await.unwrap().0;
    assert!(found.iter().all(|m| m.windows.len() == 8), "every objective is recorded");
    let raw = ["{__name__=~\"slo:sli_error:ratio_rate.*\"}", "slo:period_error_budget_remaining:ratio"];
    compare("refresh, all recorded", &port, &list, url, &raw.map(str::to_owned), end).await;
}

/// One poll of objectives that nobody recorded, against what a person would type for its windows and its newest slices.
async fn unrecorded(url: &str, end: Timestamp) {
    let (list, port) = (objectives(), port(url));
    let began = Instant::now();
    let (mut steps, mut requests, mut slowest) = (0, 0, Duration::ZERO);
    loop {
        let step = Instant::now();
        let warmed = port.warm(&[], &list, end).await.unwrap();
        slowest = slowest.max(step.elapsed());
        steps += 1;
        requests += warmed.note.requests;
        if warmed.left == 0 {
            break;
        }
    }
    let took = began.elapsed();
    println!("history: {steps} steps, {requests} requests, {took:.1?} in all, the longest step {slowest:.1?}");
    let bad = (0..EACH).map(|n| format!("sum by (job) (increase(http_requests_total{{code=~\"5.{n}\"}}[W]))"));
    let texts: Vec<String> =
        std::iter::once("sum by (job) (increase(http_requests_total[W]))".to_owned()).chain(bad).collect();
    let mut queries = Vec::new();
    for text in &texts {
        queries.extend(["5m", "30m", "5m", "1h"].map(|window| text.replace('W', window)));
        // The slice before the newest one.
        queries.extend(["5m", "1h"].map(|w| text.replace("[W]", &format!("[{w}] offset {w}"))));
    }
    compare("poll, all counted here", &port, &list, url, &queries, end).await;
}

async fn compare(
    what: &str,
    port: &Prometheus<Source>,
    list: &[Arc<Objective>],
    url: &str,
    queries: &[String],
    end: Timestamp,
) {
    let raw = Client::new(endpoint(url));
    let (mut ours, mut floor, mut requests, mut samples) = (Vec::new(), Vec::new(), 0, 0);
    for _ in 0..TURNS {
        let began = Instant::now();
        for query in queries {
            raw.instant(query, end).await.unwrap();
        }
        floor.push(began.elapsed());
        let began = Instant::now();
        let (_, note) = port.measure(list, &[], end).await.unwrap();
        ours.push(began.elapsed());
        requests = requests.max(note.requests);
        samples = note.samples.unwrap_or(0);
    }
    let (ours, floor) = (median(ours), median(floor));
    let ratio = ours / floor;
    println!("{what:<40} {requests:>9} {:>8.1}ms {:>8.1}ms {ratio:>7.2}", ours * 1e3, floor * 1e3);
    println!("{:<40} {samples} samples; floor: {} raw queries", "", queries.len());
}

/// In seconds.
fn median(mut all: Vec<Duration>) -> f64 {
    all.sort();
    all.get(all.len() / 2).copied().unwrap_or_default().as_secs_f64()
}

fn endpoint(url: &str) -> Endpoint {
    let mut endpoint = Endpoint::new("prometheus bench", url).unwrap();
    endpoint.timeout = Duration::from_secs(120);
    endpoint
}

fn port(url: &str) -> Prometheus<Source> {
    prometheus("bench".into(), endpoint(url))
}

fn objectives() -> Vec<Arc<Objective>> {
    let mut file = String::from("service_level_objectives:\n");
    for service in 0..SERVICES {
        for n in 0..EACH {
            let job = format!("job=\\\"svc{service}\\\"");
            let good = format!("http_requests_total{{{job},code!~\\\"5.{n}\\\"}}[5m]");
            let sli = format!("sum(rate({good})) / sum(rate(http_requests_total{{{job}}}[5m]))");
            writeln!(file, "  o{service}_{n}: {{sli: \"{sli}\", target: 0.999, window: 30d}}").unwrap();
        }
    }
    let (read, findings) = midwatch::domain::slo::format::read("slo.yaml", &file);
    assert_eq!(read.len(), SERVICES * EACH, "{findings:?}");
    read.into_iter().map(Arc::new).collect()
}

/// Two instances and three codes a service all the time; what Sloth records of a thousand objectives for the last minutes.
fn openmetrics(end: Timestamp, minutes: i64) -> String {
    let mut text = String::from("# TYPE http_requests counter\n");
    let at = |m: i64| (end - secs((minutes - m) * 60)).timestamp();
    for service in 0..SERVICES {
        for instance in 0..2 {
            for (code, each) in [("200", 300), ("404", 20), ("503", 1)] {
                let labels = format!("job=\"svc{service}\",instance=\"i{instance}\",code=\"{code}\"");
                for m in 0..=minutes {
                    writeln!(text, "http_requests_total{{{labels}}} {} {}", m * each, at(m)).unwrap();
                }
            }
        }
    }
    let windows = ["5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"].map(|w| format!("slo:sli_error:ratio_rate{w}"));
    for name in windows.iter().map(String::as_str).chain(["slo:period_error_budget_remaining:ratio"]) {
        writeln!(text, "# TYPE {name} gauge").unwrap();
        let window = name.strip_prefix("slo:sli_error:ratio_rate").unwrap_or_default();
        for id in 0..SERVICES * EACH {
            let labels =
                format!("sloth_id=\"svc-{id}\",sloth_service=\"svc\",sloth_slo=\"{id}\",sloth_window=\"{window}\"");
            for m in minutes - 10..=minutes {
                writeln!(text, "{name}{{{labels}}} 0.000{} {}", id % 9 + 1, at(m)).unwrap();
            }
        }
    }
    text + "# EOF\n"
}

/// A running Prometheus that ends with its value.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(folder: &Path, text: &str, runtime: &tokio::runtime::Runtime) -> Option<Self> {
        let (data, file, config) = (folder.join("data"), folder.join("text"), folder.join("prometheus.yml"));
        std::fs::create_dir(&data).unwrap();
        std::fs::write(&file, text).unwrap();
        std::fs::write(&config, "global: {}\n").unwrap();
        let load = ["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=744h"];
        let loaded = Command::new("promtool").args(load).args([&file, &data]).stdout(Stdio::null()).status().ok()?;
        assert!(loaded.success(), "promtool");
        std::fs::remove_file(&file).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--storage.tsdb.retention.time=400d", "--log.level=warn"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let server = Self { child, port };
        let client = Client::new(endpoint(&server.url()));
        for _ in 0..600 {
            if runtime.block_on(client.buildinfo()).is_ok() {
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        None
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
