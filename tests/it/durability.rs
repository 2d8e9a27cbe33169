//! Saved means saved: many writers, sudden ends, full disks, damaged bytes. Children are this test binary run again with
//! a task in the environment.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

use crate::fold::{ID, declared, new, note};
use midwatch::domain::fault::Fault;
use midwatch::domain::ids::IncidentId;
use midwatch::domain::incident::event::Event;
use midwatch::io::store::Store;
use midwatch::io::store::record::{Job, Record, RecordNews};
use midwatch::io::store::sqlite::Sqlite;
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tempfile::TempDir;

const TASK: &str = "MIDWATCH_TEST_TASK";

/// This binary again, doing `task` on the record at `path`; acknowledgements come on its output.
fn child(task: &str, path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "durability::the_child", "--nocapture", "--test-threads=1"]);
    command.env(TASK, format!("{task} {}", path.display())).stdin(Stdio::null()).stderr(Stdio::null());
    command
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

/// Not a test by itself: what a child does.
#[test]
fn the_child() {
    let Ok(task) = std::env::var(TASK) else { return };
    let mut words = task.split(' ');
    let (task, path) = (words.next().unwrap(), PathBuf::from(words.next().unwrap()));
    match task {
        // Two writers at once, each for ever or for so many events.
        "write" | "write-some" => {
            let limit = if task == "write" { i64::MAX } else { 25 };
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        let mut store = Sqlite::open(&path).unwrap();
                        for n in 0..limit {
                            let told = store.append(vec![new(ID, n % 1_000, note(&n.to_string()))]).unwrap();
                            say(&format!("ack {}", told[0].id));
                        }
                    });
                }
            });
        }
        "open" => {
            Sqlite::open(&path).unwrap();
            say("ack open");
        }
        "once" => {
            let mut store = Sqlite::open(&path).unwrap();
            let told = store.append(vec![new(ID, 1, note("before the mark"))]).unwrap();
            say(&format!("ack {}", told[0].id));
        }
        "limited" => limited(&path),
        "steady" => {
            let mut appender = Appender::start(&path);
            (0..12).for_each(|_| appender.tell());
            assert!(appender.record.stop(Duration::from_secs(20)));
        }
        other => panic!("unknown task {other}"),
    }
}

fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok).filter_map(|line| {
        // The harness writes on the same stream.
        line.split_once("ack ").map(|(_, id)| id.to_owned())
    })
}

fn record() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/midwatch.db");
    (folder, path)
}

fn all(path: &Path) -> Vec<Event> {
    Sqlite::open(path).unwrap().events(&IncidentId(ID.into())).unwrap()
}

#[test]
fn many_writers_lose_nothing_and_number_without_gaps() {
    let (_folder, path) = record();
    Sqlite::open(&path).unwrap().append(vec![new(ID, 0, declared())]).unwrap();
    let mut children: Vec<Child> =
        (0..8).map(|_| child("write-some", &path).stdout(Stdio::piped()).spawn().unwrap()).collect();
    let acknowledged: Vec<String> = children.iter_mut().flat_map(lines).collect();
    assert!(children.iter_mut().all(|c| c.wait().unwrap().success()));
    assert_eq!(acknowledged.len(), 8 * 2 * 25);
    let events = all(&path);
    let here: HashSet<&str> = events.iter().map(|e| e.id.as_str()).collect();
    assert!(acknowledged.iter().all(|id| here.contains(id.as_str())));
    let want: Vec<u64> = (1..=401).collect();
    assert_eq!(events.iter().map(|e| e.key.seq).collect::<Vec<_>>(), want);
    assert_eq!(events.iter().map(|e| e.order).collect::<Vec<_>>(), want);
    assert_eq!(Sqlite::open(&path).unwrap().verify().unwrap(), Vec::<String>::new());
}

#[test]
fn nothing_acknowledged_is_lost_by_a_kill() {
    let (_folder, path) = record();
    Sqlite::open(&path).unwrap().append(vec![new(ID, 0, declared())]).unwrap();
    let mut acknowledged: Vec<String> = Vec::new();
    // Ended after a number of acknowledgements rather than a time: the instant within the next append is the
    // scheduler's, and the test never waits.
    for round in 0..25_usize {
        let mut children: Vec<Child> =
            (0..2).map(|_| child("write", &path).stdout(Stdio::piped()).spawn().unwrap()).collect();
        for (n, child) in children.iter_mut().enumerate() {
            let mut lines = lines(child);
            acknowledged.extend(lines.by_ref().take(1 + (round * 7 + n * 3) % 11));
            child.kill().unwrap();
            acknowledged.extend(lines);
        }
        children.iter_mut().for_each(|c| assert!(!c.wait().unwrap().success()));
    }
    let events = all(&path);
    let here: HashSet<&str> = events.iter().map(|e| e.id.as_str()).collect();
    let lost = acknowledged.iter().filter(|id| !here.contains(id.as_str())).count();
    assert_eq!(lost, 0, "of {}", acknowledged.len());
    assert!(acknowledged.len() >= 50);
    assert_eq!(Sqlite::open(&path).unwrap().verify().unwrap(), Vec::<String>::new());
}

#[test]
fn the_first_open_may_be_a_race() {
    for _ in 0..5 {
        let (_folder, path) = record();
        let mut children: Vec<Child> =
            (0..8).map(|_| child("open", &path).stdout(Stdio::piped()).spawn().unwrap()).collect();
        assert_eq!(children.iter_mut().flat_map(lines).count(), 8);
        assert!(children.iter_mut().all(|c| c.wait().unwrap().success()));
        let origins: i64 = rusqlite::Connection::open(&path)
            .unwrap()
            .query_row("SELECT count(*) FROM installation", [], |row| row.get(0))
            .unwrap();
        assert_eq!(origins, 1);
    }
}

fn strace() -> bool {
    let here = Command::new("strace").arg("-V").output().is_ok();
    if !here {
        assert!(std::env::var_os("MIDWATCH_REQUIRE_REAL").is_none(), "strace is not installed");
        say("skipped: strace is not installed");
    }
    here
}

#[test]
fn the_umask_has_no_say_in_who_may_read() {
    use std::os::unix::fs::PermissionsExt;
    for umask in ["000", "077", "777"] {
        let (folder, path) = record();
        let path = path.with_file_name("deep/midwatch.db");
        let plain = child("once", &path);
        let mut masked = Command::new("/bin/sh");
        masked.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]);
        masked.arg(plain.get_program()).args(plain.get_args()).env(TASK, format!("once {}", path.display()));
        assert!(masked.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success(), "{umask}");
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600, "{umask}");
        assert_eq!(mode(&folder.path().join("data")), 0o700, "{umask}");
        assert_eq!(mode(&folder.path().join("data/deep")), 0o700, "{umask}");
    }
}

/// A kill proves no sync: the order of the system calls does.
#[test]
fn the_sync_returns_before_the_mark() {
    if !strace() {
        return;
    }
    let (_folder, path) = record();
    Sqlite::open(&path).unwrap().append(vec![new(ID, 0, declared())]).unwrap();
    let log = path.with_file_name("strace.log");
    let plain = child("once", &path);
    let mut traced = Command::new("strace");
    traced.args(["-f", "-s", "64", "-e", "trace=pwrite64,write,fdatasync,fsync", "-y", "-o"]).arg(&log);
    traced.arg(plain.get_program()).args(plain.get_args()).env(TASK, format!("once {}", path.display()));
    assert!(traced.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    let log = std::fs::read_to_string(&log).unwrap();
    let calls: Vec<&str> = log.lines().collect();
    let wal = "midwatch.db-wal>";
    let mark = calls.iter().position(|c| c.contains("write(") && c.contains("\"ack ")).expect("no mark");
    let before = &calls[..mark];
    let written = before.iter().rposition(|c| c.contains("pwrite64(") && c.contains(wal)).expect("no write");
    let synced = before.iter().rposition(|c| c.contains("sync(") && c.contains(wal) && c.ends_with("= 0"));
    assert!(synced.expect("no sync of the log") > written, "{before:#?}");
}

/// Appends through the record thread and waits for the verdict.
struct Appender {
    record: Record,
    news: mpsc::Receiver<RecordNews>,
    tickets: u64,
}

impl Appender {
    fn start(path: &Path) -> Self {
        let (tell, news) = mpsc::channel();
        let at = path.to_owned();
        let open = move || Ok(Box::new(Sqlite::open(&at)?) as Box<dyn Store>);
        let tell = move |n| {
            let _: Result<(), _> = tell.send(n);
        };
        Self { record: Record::start(open, tell).unwrap(), news, tickets: 0 }
    }

    fn append(&mut self) -> Result<String, Fault> {
        self.tickets += 1;
        self.record.send(Job::Append(self.tickets, vec![new(ID, 1, note(&"x".repeat(20_000)))])).unwrap();
        loop {
            match self.news.recv_timeout(Duration::from_secs(20)).unwrap() {
                RecordNews::Saved(n, events) if n == self.tickets => return Ok(events[0].id.clone()),
                RecordNews::NotSaved(n, fault) if n == self.tickets => return Err(fault),
                _ => {}
            }
        }
    }

    fn tell(&mut self) {
        match self.append() {
            Ok(id) => say(&format!("ack {id}")),
            Err(fault) => say(&format!("ack fault {fault}")),
        }
    }
}

/// The write limit of a process stands for a disk that is full: the same calls fail at the same places.
fn limited(path: &Path) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // By default the signal of the limit would end us.
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false))).unwrap();
    let mut appender = Appender::start(path);
    appender.tell();
    let wide = getrlimit(Resource::Fsize);
    let size = path.with_file_name("midwatch.db-wal").metadata().unwrap().len();
    for room in [0, 100, 5_000, 12_000] {
        setrlimit(Resource::Fsize, Rlimit { current: Some(size + room), maximum: wide.maximum }).unwrap();
        appender.tell();
        setrlimit(Resource::Fsize, wide).unwrap();
        say(&format!("ack {}", appender.append().unwrap()));
    }
    assert!(appender.record.stop(Duration::from_secs(20)));
}

/// What was told as saved is on disk and nothing else is.
fn verdicts_hold(told: &[String], path: &Path) {
    let (faults, saved): (Vec<&String>, Vec<&String>) = told.iter().partition(|line| line.starts_with("fault"));
    assert!(faults.iter().all(|f| f.contains("midwatch.db")), "{faults:?}");
    let here: Vec<String> = all(path).into_iter().skip(1).map(|e| e.id).collect();
    assert_eq!(here.iter().collect::<Vec<_>>(), saved, "no more, no less, in order");
    assert_eq!(Sqlite::open(path).unwrap().verify().unwrap(), Vec::<String>::new());
}

#[test]
fn a_full_disk_is_told_and_recovered_from() {
    let (_folder, path) = record();
    Sqlite::open(&path).unwrap().append(vec![new(ID, 0, declared())]).unwrap();
    let mut child = child("limited", &path).stdout(Stdio::piped()).spawn().unwrap();
    let told: Vec<String> = lines(&mut child).collect();
    assert!(child.wait().unwrap().success(), "{told:?}");
    assert!(told.iter().any(|line| line.starts_with("fault")), "the limit was never met");
    assert!(told.iter().filter(|line| !line.starts_with("fault")).count() >= 5, "{told:?}");
    verdicts_hold(&told, &path);
}

/// A sync that fails may leave the data on disk all the same: the file is opened again and asked, and the verdict is what
/// it says.
#[test]
fn a_failed_sync_is_settled_by_what_is_on_disk() {
    if !strace() {
        return;
    }
    for (call, error, when) in [
        ("fsync", "EIO", "3"),
        ("fsync", "EIO", "4+3"),
        ("pwrite64", "ENOSPC", "30"),
        ("pwrite64", "EIO", "33+20"),
        ("pwrite64", "EDQUOT", "40+15"),
    ] {
        let (_folder, path) = record();
        Sqlite::open(&path).unwrap().append(vec![new(ID, 0, declared())]).unwrap();
        let plain = child("steady", &path);
        let mut traced = Command::new("strace");
        let log = path.with_file_name("strace.log");
        traced.args(["-f", "-e", "trace=fsync,fdatasync,pwrite64", "-o"]).arg(&log).arg("-e");
        // Which of the two a build of SQLite calls is its own choice.
        let call = if call == "fsync" { "fsync,fdatasync" } else { call };
        traced.arg(format!("inject={call}:error={error}:when={when}"));
        traced.arg(plain.get_program()).args(plain.get_args()).env(TASK, format!("steady {}", path.display()));
        let mut child = traced.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let told: Vec<String> = lines(&mut child).collect();
        assert!(child.wait().unwrap().success(), "{call} {error} {when}: {told:?}");
        assert_eq!(told.len(), 12, "{call} {error} {when}");
        assert!(std::fs::read_to_string(&log).unwrap().contains("(INJECTED)"), "{call} {error} {when} never failed");
        verdicts_hold(&told, &path);
    }
}

/// One byte changed anywhere: every event reads as it was, or it is reported. Nothing panics.
#[test]
fn a_changed_byte_is_harmless_or_reported() {
    let (_folder, path) = record();
    let mut store = Sqlite::open(&path).unwrap();
    let batch = (1..60).map(|n| new(ID, n, note(&format!("note number {n} {}", "y".repeat(60)))));
    let told = store.append([new(ID, 0, declared())].into_iter().chain(batch).collect()).unwrap();
    drop(store);
    let good = std::fs::read(&path).unwrap();
    let mut seed = 0x5eed_u64;
    let mut reported = 0;
    for round in 0..300 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = usize::try_from(seed >> 20).unwrap() % good.len();
        let mut bad = good.clone();
        bad[at] ^= 1 << (round % 8);
        for end in ["", "-wal", "-shm"] {
            drop(std::fs::remove_file(format!("{}{end}", path.display())));
        }
        std::fs::write(&path, &bad).unwrap();
        let Ok(mut store) = Sqlite::open(&path) else {
            reported += 1;
            continue;
        };
        let read = store.events(&IncidentId(ID.into()));
        let findings = store.verify();
        drop(store.heads());
        let same = read.as_ref().is_ok_and(|events| *events == told);
        let loud = read.is_err() || findings.as_ref().is_err() || findings.as_ref().is_ok_and(|f| !f.is_empty());
        reported += usize::from(loud);
        assert!(same || loud, "byte {at}, round {round}: changed in silence");
    }
    assert!(reported > 50, "{reported} of 300");
}

#[test]
fn a_cut_file_and_garbage_are_reported() {
    let (_folder, path) = record();
    let mut store = Sqlite::open(&path).unwrap();
    let batch = (1..200).map(|n| new(ID, n, note(&"z".repeat(100))));
    store.append([new(ID, 0, declared())].into_iter().chain(batch).collect()).unwrap();
    drop(store);
    let good = std::fs::read(&path).unwrap();
    for bad in [good[..good.len() / 2].to_vec(), b"no database at all, whatever it claims to be".repeat(40)] {
        std::fs::write(&path, bad).unwrap();
        match Sqlite::open(&path) {
            Err(fault) => assert!(fault.what.contains("midwatch.db")),
            Ok(mut store) => {
                assert!(store.verify().map_or(true, |findings| !findings.is_empty()));
            }
        }
    }
}
