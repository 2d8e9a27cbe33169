//! The terminal's life: taken once, given back exactly once on every way out. The only module that touches crossterm, and
//! the only one that may end the process. Asks the terminal nothing: a late answer over SSH would arrive as keys.

pub mod encode;
pub mod keys;
pub mod painter;
pub mod signals;

use crate::domain::fault::{Fault, FaultKind};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Title saved, alternate screen, cursor hidden, bracketed paste, focus events.
const ENTER: &str = "\x1b[22;0t\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1004h";
/// The same undone in reverse, colours reset, an open synchronized frame closed.
const LEAVE: &str = "\x1b[?2026l\x1b[0m\x1b[?1004l\x1b[?2004l\x1b[?25h\x1b[?1049l\x1b[23;0t";

/// How long a terminal may take to take the bytes that give it back.
const PATIENCE: Duration = Duration::from_millis(500);

/// The terminal as it was found; present while it is taken.
static FOUND: Mutex<Option<Termios>> = Mutex::new(None);
/// It is taken and must be given back.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// It is gone: nothing is written to it any more.
static GONE: AtomicBool = AtomicBool::new(false);

/// Why the cockpit cannot be drawn here; plain lines are used then.
pub fn unusable(term: &str, accessible: Option<&str>) -> Option<&'static str> {
    if accessible.is_some_and(|a| !a.is_empty() && a != "0" && !a.eq_ignore_ascii_case("false")) {
        return Some("ACCESSIBLE is set");
    }
    if term.is_empty() || term == "dumb" {
        return Some("TERM is dumb");
    }
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Some("standard input or output is no terminal");
    }
    None
}

fn fault(what: &str, e: impl std::fmt::Display) -> Fault {
    Fault::new(FaultKind::Local, "terminal", format!("{what}: {e}"))
}

/// Takes the terminal: raw mode and our modes. Nothing else is changed.
pub fn enter() -> Result<(), Fault> {
    let stdin = std::io::stdin();
    let found = tcgetattr(stdin.as_fd()).map_err(|e| fault("its settings cannot be read", e))?;
    let mut raw = found.clone();
    raw.make_raw();
    if let Ok(mut slot) = FOUND.lock() {
        *slot = Some(found);
    }
    TAKEN.store(true, Ordering::SeqCst);
    tcsetattr(stdin.as_fd(), OptionalActions::Now, &raw).map_err(|e| fault("raw mode", e))?;
    write_all(ENTER.as_bytes()).map_err(|e| fault("cannot be written", e))
}

/// Gives the terminal back, once, whoever calls: the end, an error, a panic in any thread, a signal. Never panics, and
/// writes nothing to a terminal that is gone.
pub fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    if !GONE.load(Ordering::SeqCst) {
        leave();
    }
    // try_lock: the panicking thread may hold it.
    if let Ok(mut slot) = FOUND.try_lock()
        && let Some(found) = slot.take()
    {
        let _: Result<(), _> = tcsetattr(std::io::stdin().as_fd(), OptionalActions::Now, &found);
    }
}

/// Writes [`LEAVE`], and waits only so long for a terminal that takes no bytes (a stopped output, a link that hangs): it
/// cannot be told anything now, and the way out must not hang on it.
fn leave() {
    let (told, done) = std::sync::mpsc::channel();
    let writer = std::thread::Builder::new().name("leave".into()).spawn(move || {
        drop(write_all(LEAVE.as_bytes()));
        // Nobody waits any more when it took too long.
        let _: Result<(), _> = told.send(());
    });
    match writer {
        // A time-out and an ended writer are the same here: there is nothing more to be done.
        Ok(_) => drop(done.recv_timeout(PATIENCE)),
        Err(_) => drop(write_all(LEAVE.as_bytes())),
    }
}

/// From now on nothing is written to it.
pub fn gone() {
    GONE.store(true, Ordering::SeqCst);
}

/// Whether its other end is closed.
pub fn is_hung_up() -> bool {
    let stdin = std::io::stdin();
    let fd = stdin.as_fd();
    let mut look = [rustix::event::PollFd::new(&fd, rustix::event::PollFlags::empty())];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    let polled = rustix::event::poll(&mut look, Some(&now));
    polled.is_err() || look.iter().any(|fd| !fd.revents().is_empty())
}

/// Whether it is taken.
pub fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// Writes to the terminal itself, past every buffer.
pub fn write_all(bytes: &[u8]) -> std::io::Result<()> {
    let stdout = std::io::stdout();
    let fd = stdout.as_fd();
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(fd, rest) {
            Ok(n) => rest = rest.get(n..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                let mut wait = [rustix::event::PollFd::new(&fd, rustix::event::PollFlags::OUT)];
                rustix::event::poll(&mut wait, None).map_err(std::io::Error::from)?;
            }
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

/// The sequence (OSC 52) that asks a terminal to take a text into its clipboard; `None` when it is too long for most.
pub fn clipboard(text: &str) -> Option<String> {
    use crossterm::Command;
    let mut sequence = String::new();
    let written = crossterm::clipboard::CopyToClipboard::to_clipboard_from(text).write_ansi(&mut sequence);
    (text.len() <= 50_000 && written.is_ok()).then_some(sequence)
}

/// Columns and rows; 80x24 where the terminal says nothing.
pub fn size() -> (u16, u16) {
    match tcgetwinsize(std::io::stdout().as_fd()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
        _ => (80, 24),
    }
}

/// Before a panic's report is printed the terminal is given back; after it the process ends, whichever thread it was: a
/// screen that goes on being drawn over a report helps nobody. What was shown as saved is on disk already.
pub fn install_panic_hook(report_to: std::path::PathBuf) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let screen = is_taken();
        restore();
        let text = format!("midwatch {} panicked: {info}\n", env!("CARGO_PKG_VERSION"));
        // The report must not fail the way out: a full disk leaves it on the screen alone.
        if let Ok(mut file) = std::fs::OpenOptions::new().create(true).append(true).open(&report_to) {
            drop(file.write_all(text.as_bytes()));
        }
        if screen {
            if GONE.load(Ordering::SeqCst) {
                leave_process(101);
            }
            before(info);
            leave_process(101);
        }
        before(info);
    }));
}

/// Ends the process at once. For threads that cannot return through `main`.
#[expect(
    clippy::disallowed_methods,
    clippy::exit,
    reason = "a gone terminal or a panic in another thread has no way back through main"
)]
pub fn leave_process(code: i32) -> ! {
    restore();
    std::process::exit(code)
}
