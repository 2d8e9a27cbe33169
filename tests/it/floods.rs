//! Commands that write a gigabyte, that write no newline, and that never end: through the real shell port into what a screen
//! keeps, in a process of their own, so that its memory is theirs. `MIDWATCH_FLOOD_BYTES` floods with another amount; without it a slow build takes less, which is
//! still far more than any bound lets through.

use midwatch::app::model::Transcript;
use midwatch::io::port::{CommandEnd, CommandNews, CommandSpec, Shell};
use midwatch::io::shell::LocalShell;
use midwatch::io::shell::spill::LIMIT;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

const TASK: &str = "MIDWATCH_TEST_FLOOD";
/// What a flood may cost beside what the program has already: head and tail, the screen's lines, pieces under way.
const MEMORY_KIB: u64 = 12 * 1024;

fn bytes() -> u64 {
    std::env::var("MIDWATCH_FLOOD_BYTES").ok().and_then(|text| text.parse().ok()).unwrap_or(if cfg!(debug_assertions) {
        64 << 20
    } else {
        1 << 30
    })
}

/// A line of `/proc/self/status`, in KiB.
fn memory(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix(key)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

fn spec(text: &str, limit: Duration) -> CommandSpec {
    CommandSpec {
        argv: ["/bin/sh", "-c", text].map(str::to_owned).to_vec(),
        timeout: limit,
        keep_head: 64 * 1024,
        spill: Some("flood".into()),
        ..CommandSpec::default()
    }
}

/// Runs it as a cockpit does: every piece goes into what the screen keeps. With `stop`, a person has enough when the file is
/// full.
fn flooded(spec: CommandSpec, folder: &Path, stop: bool) -> (CommandEnd, Transcript, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let shell = LocalShell { spill: Some(folder.to_path_buf()), ..LocalShell::default() };
        let (tell, mut news) = mpsc::channel(64);
        let (enough, stopped) = oneshot::channel();
        let mut enough = Some(enough);
        let full = || std::fs::metadata(folder.join("flood.txt")).is_ok_and(|file| file.len() >= LIMIT as u64);
        let task = tokio::spawn(shell.run(spec, tell, stopped));
        let (mut kept, mut end, mut most) = (Transcript::default(), None, 0);
        while let Some(next) = news.recv().await {
            // What it allocated; the program's own text is read in as it is used and is no matter here.
            most = most.max(memory("RssAnon"));
            match next {
                CommandNews::Started(_) => {}
                CommandNews::Output(piece) => kept.push(&piece),
                CommandNews::Ended(ended) => end = Some(ended),
            }
            if stop
                && full()
                && let Some(enough) = enough.take()
            {
                enough.send(()).unwrap();
            }
        }
        task.await.unwrap();
        (end.unwrap(), kept, most)
    })
}

/// Not a test by itself: what the other process does.
#[test]
fn the_flooded() {
    let Ok(task) = std::env::var(TASK) else { return };
    let (kind, folder) = task.split_once(' ').unwrap();
    let folder = PathBuf::from(folder);
    let (n, long) = (bytes(), Duration::from_secs(600));
    let spec = match kind {
        "gigabyte" => spec(&format!("head -c {n} /dev/zero | tr '\\0' '\\n'"), long),
        "unbroken" => spec(&format!("head -c {n} /dev/zero"), long),
        "endless" => spec("exec yes 'and on and on'", long),
        other => panic!("unknown flood {other}"),
    };
    let before = memory("RssAnon");
    let (end, kept, most) = flooded(spec, &folder, kind == "endless");
    let grown = most.saturating_sub(before);
    match kind {
        "endless" => assert_eq!((end.exit, end.reason.as_deref(), end.survivors), (None, Some("stopped"), false)),
        _ => assert_eq!((end.exit, end.bytes), (Some(0), n)),
    }
    // A slow reader is shown less, a fast one has more scroll off.
    assert!(end.dropped > 0 || kept.lost > 0);
    assert!(kept.bytes <= 600 * 1024, "{} kept", kept.bytes);
    let file = std::fs::metadata(end.file.unwrap()).unwrap();
    assert!(file.len() >= LIMIT as u64 && file.len() < LIMIT as u64 + 1_024, "{}", file.len());
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    println!("told {kind}: {} bytes, {grown} KiB more memory at most, {} bytes on disk", end.bytes, file.len());
    assert!(grown < MEMORY_KIB, "{kind}: {grown} KiB");
}

fn flood(kind: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "floods::the_flooded", "--nocapture", "--test-threads=1"]);
    command.env(TASK, format!("{kind} {}", folder.path().join("output").display())).stdin(Stdio::null());
    let said = command.output().unwrap();
    let out = String::from_utf8_lossy(&said.stdout);
    println!("{out}");
    assert!(
        said.status.success() && out.contains(&format!("told {kind}")),
        "{out}\n{}",
        String::from_utf8_lossy(&said.stderr)
    );
}

#[test]
fn a_gigabyte_is_bounded_in_memory_and_on_disk() {
    flood("gigabyte");
}

#[test]
fn a_gigabyte_without_a_newline_is_too() {
    flood("unbroken");
}

#[test]
fn what_never_ends_is_bounded_until_it_is_stopped() {
    flood("endless");
}
