//! Real servers for tests: Prometheus and Alertmanager on free ports of 127.0.0.1, in folders of their own, ended with the
//! value that started them. `start` gives `None` with a printed line when the program is not installed; with
//! `MIDWATCH_REQUIRE_REAL=1` in the environment that is a failure instead.

use crate::ports::closed_port;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// How long a server may take until it says it is ready; generous, since only a broken one reaches it.
const READY: Duration = Duration::from_secs(90);

/// A child process that does not outlive its owner.
#[derive(Debug)]
pub struct Running {
    child: Child,
    pub log: PathBuf,
}

impl Running {
    /// Starts it with its output in a file.
    pub fn start(command: &mut Command, log: PathBuf) -> Self {
        let out = fs::File::create(&log).unwrap();
        let child = command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out).spawn().unwrap();
        Self { child, log }
    }

    fn wait_ready(&mut self, port: u16) -> bool {
        self.wait_for(port, "/-/ready")
    }

    /// Waits until a page of it answers 200; `false` when it ended before.
    pub fn wait_for(&mut self, port: u16, path: &str) -> bool {
        #[allow(clippy::disallowed_methods, reason = "bounds the wait for another program")]
        let started = Instant::now();
        while started.elapsed() < READY {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if get(port, path).is_some_and(|a| a.starts_with("HTTP/1.1 200")) {
                return true;
            }
            thread::sleep(Duration::from_millis(50));
        }
        false
    }

    /// Ends it now.
    pub fn stop(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).flat_map(|d| names.iter().map(move |n| d.join(n))).find(|p| p.is_file());
    if found.is_none() {
        let required = std::env::var("MIDWATCH_REQUIRE_REAL").is_ok_and(|v| v == "1");
        assert!(!required, "{} is required (MIDWATCH_REQUIRE_REAL=1) and not installed", names.join(" or "));
        println!("skipped: {} is not installed", names.join(" or "));
    }
    found
}

/// A plain `GET`; the whole answer.
pub fn get(port: u16, path: &str) -> Option<String> {
    exchange(port, &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"))
}

/// A `POST` of JSON; the whole answer.
pub fn post(port: u16, path: &str, json: &str) -> Option<String> {
    let length = json.len();
    exchange(
        port,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{json}"
        ),
    )
}

fn exchange(port: u16, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// What a Prometheus is to hold and do.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// OpenMetrics text with instants, loaded as finished blocks before the start.
    pub backfill: Option<String>,
    /// Rule groups (YAML).
    pub rules: Option<String>,
    /// Where to scrape `/metrics`, each second.
    pub targets: Vec<SocketAddr>,
    /// Alertmanager ports to tell.
    pub alertmanagers: Vec<u16>,
}

/// A running Prometheus.
#[derive(Debug)]
pub struct Prometheus {
    /// Where it listens.
    pub port: u16,
    running: Running,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Loads the blocks, starts it and waits until it is ready.
    pub fn start(setup: &Setup) -> Option<Self> {
        let (binary, tool) = (program(&["prometheus"])?, program(&["promtool"])?);
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        if let Some(text) = &setup.backfill {
            backfill(&tool, folder.path(), &data, text);
        }
        let config = folder.path().join("prometheus.yml");
        fs::write(&config, Self::config(setup)).unwrap();
        if let Some(rules) = &setup.rules {
            fs::write(folder.path().join("rules.yml"), rules).unwrap();
        }
        for _ in 0..3 {
            let port = closed_port();
            let mut command = Command::new(&binary);
            command
                .arg(format!("--config.file={}", config.display()))
                .arg(format!("--storage.tsdb.path={}", data.display()))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .args(["--storage.tsdb.retention.time=400d", "--log.level=warn"]);
            let mut running = Running::start(&mut command, folder.path().join("log"));
            if running.wait_ready(port) {
                return Some(Self { port, running, _folder: folder });
            }
            running.stop();
            println!("prometheus did not start: {}", fs::read_to_string(&running.log).unwrap_or_default());
        }
        panic!("prometheus is installed and does not start");
    }

    fn config(setup: &Setup) -> String {
        let list = |all: Vec<String>| all.iter().map(|t| format!("'{t}'")).collect::<Vec<_>>().join(", ");
        let mut out = String::from("global: {scrape_interval: 1s, evaluation_interval: 1s}\n");
        if setup.rules.is_some() {
            out.push_str("rule_files: [rules.yml]\n");
        }
        if !setup.targets.is_empty() {
            let targets = list(setup.targets.iter().map(ToString::to_string).collect());
            writeln!(out, "scrape_configs: [{{job_name: live, static_configs: [{{targets: [{targets}]}}]}}]").unwrap();
        }
        if !setup.alertmanagers.is_empty() {
            let targets = list(setup.alertmanagers.iter().map(|p| format!("127.0.0.1:{p}")).collect());
            writeln!(out, "alerting: {{alertmanagers: [{{static_configs: [{{targets: [{targets}]}}]}}]}}").unwrap();
        }
        out
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it now.
    pub fn stop(&mut self) {
        self.running.stop();
    }
}

fn backfill(tool: &Path, folder: &Path, data: &Path, text: &str) {
    let file = folder.join("backfill.txt");
    fs::write(&file, text).unwrap();
    let out = Command::new(tool)
        .args(["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=744h"])
        .args([&file, data])
        .output()
        .unwrap();
    assert!(out.status.success(), "promtool: {}", String::from_utf8_lossy(&out.stderr));
}

/// A running Alertmanager.
#[derive(Debug)]
pub struct Alertmanager {
    /// Where it listens.
    pub port: u16,
    running: Running,
    _folder: tempfile::TempDir,
}

impl Alertmanager {
    /// Two peers that gossip with each other, ready.
    pub fn pair() -> Option<[Self; 2]> {
        Some(Self::pair_of(&program(&["prometheus-alertmanager", "alertmanager"])?))
    }

    /// Newer programs that were unpacked beside (`tests/run` does that where it can): the folder's name and the program.
    pub fn newer() -> Vec<(String, PathBuf)> {
        let folder = std::env::var_os("MIDWATCH_ALERTMANAGERS")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/alertmanagers"), PathBuf::from);
        let mut found: Vec<(String, PathBuf)> = fs::read_dir(&folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| (e.file_name().to_string_lossy().into_owned(), e.path().join("usr/bin/prometheus-alertmanager")))
            .filter(|(_, program)| program.is_file())
            .collect();
        found.sort();
        if found.is_empty() {
            println!("skipped: no newer Alertmanager below {}", folder.display());
        }
        found
    }

    /// Two peers of a program.
    pub fn pair_of(binary: &Path) -> [Self; 2] {
        for _ in 0..3 {
            let gossip = [closed_port(), closed_port()];
            let first = Self::peer(binary, gossip[0], gossip[1]);
            let second = Self::peer(binary, gossip[1], gossip[0]);
            let mut pair = [first, second];
            if pair.iter_mut().all(|peer| peer.running.wait_ready(peer.port)) {
                return pair;
            }
            for peer in &pair {
                println!("alertmanager did not start: {}", fs::read_to_string(&peer.running.log).unwrap_or_default());
            }
        }
        panic!("alertmanager is installed and does not start");
    }

    fn peer(binary: &Path, gossip: u16, other: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("alertmanager.yml");
        fs::write(&config, "route: {receiver: nobody, group_by: [alertname]}\nreceivers: [{name: nobody}]\n").unwrap();
        let port = closed_port();
        let mut command = Command::new(binary);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg(format!("--cluster.listen-address=127.0.0.1:{gossip}"))
            .arg(format!("--cluster.advertise-address=127.0.0.1:{gossip}"))
            .arg(format!("--cluster.peer=127.0.0.1:{other}"))
            .args(["--cluster.settle-timeout=2s", "--log.level=warn"]);
        let running = Running::start(&mut command, folder.path().join("log"));
        Self { port, running, _folder: folder }
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it now.
    pub fn stop(&mut self) {
        self.running.stop();
    }
}

/// A tiny thing to scrape: answers every request with the text it was last given.
#[derive(Debug)]
pub struct Metrics {
    /// Where it listens.
    pub address: SocketAddr,
    text: std::sync::Arc<std::sync::Mutex<String>>,
}

impl Metrics {
    /// Serves this text until the test ends.
    pub fn serve(text: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let text = std::sync::Arc::new(std::sync::Mutex::new(text.to_owned()));
        let shared = std::sync::Arc::clone(&text);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = [0; 8_192];
                let _ = stream.read(&mut head);
                let body = shared.lock().unwrap().clone();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close";
                // A scraper that left early asks again.
                let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            }
        });
        Self { address, text }
    }

    /// What the next scrape sees.
    pub fn set(&self, text: &str) {
        text.clone_into(&mut self.text.lock().unwrap());
    }
}

/// Asks again until it holds. Panics with the last state when it does not within the time a slow machine needs.
pub async fn until<T, F: Future<Output = Result<T, String>>>(mut ask: impl FnMut() -> F) -> T {
    #[allow(clippy::disallowed_methods, reason = "bounds the wait for another program")]
    let started = Instant::now();
    loop {
        match ask().await {
            Ok(done) => return done,
            Err(state) => assert!(started.elapsed() < READY, "not so in time: {state}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
