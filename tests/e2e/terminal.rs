//! A terminal to run the program in: a pty whose other side is read by a thread that keeps every byte and the screen they
//! draw. Waits are bounded and end as soon as what they wait for is so.

use crate::steering;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::Termios;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The longest that a test waits for anything: only a failure reaches it.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// Where one program's files are; two programs may share them.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
}

impl Home {
    /// Empty folders.
    pub fn new() -> Self {
        let home = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["home", "config", "data"] {
            std::fs::create_dir(home.folder.path().join(name)).unwrap();
        }
        home
    }

    /// The folder of the durable record.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder of the configuration.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// The folder that holds everything.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    /// Writes a file beside the configuration.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.config().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        let at = |name: &str| self.folder.path().join(name).into_os_string();
        let mut all: Vec<(OsString, OsString)> = vec![
            ("HOME".into(), at("home")),
            ("MIDWATCH_CONFIG".into(), at("config/config.yaml")),
            ("MIDWATCH_DATA_DIR".into(), at("data")),
            ("PATH".into(), std::env::var_os("PATH").unwrap_or_default()),
            ("LANG".into(), "C.UTF-8".into()),
            ("TERM".into(), "xterm-256color".into()),
            ("USER".into(), "alice".into()),
            ("TZ".into(), "UTC".into()),
        ];
        all.extend(
            ["", "/cache", "/state"]
                .iter()
                .zip(["CONFIG", "CACHE", "STATE"])
                .map(|(sub, name)| (OsString::from(format!("XDG_{name}_HOME")), at(&format!("home{sub}")))),
        );
        all
    }
}

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_midwatch");

/// How to start it.
#[derive(Clone, Debug, Default)]
pub struct Start {
    program: Option<String>,
    arguments: Vec<String>,
    variables: Vec<(String, Option<String>)>,
    size: Option<(u16, u16)>,
}

impl Start {
    /// `midwatch` with these arguments.
    pub fn with(arguments: &[&str]) -> Self {
        Self { arguments: arguments.iter().map(|a| (*a).to_owned()).collect(), ..Self::default() }
    }

    /// Another program instead.
    pub fn program(mut self, name: &str) -> Self {
        self.program = Some(name.to_owned());
        self
    }

    /// With a variable.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), Some(value.to_owned())));
        self
    }

    /// Columns and rows; 120x40 otherwise.
    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        self.size = Some((columns, rows));
        self
    }

    /// Starts it.
    pub fn run(self, home: &Home) -> Terminal {
        let (columns, rows) = self.size.unwrap_or((120, 40));
        let (pty, pts) = pty_process::blocking::open().unwrap();
        pty.resize(pty_process::Size::new(rows, columns)).unwrap();
        let found = rustix::termios::tcgetattr(&pty).unwrap();
        let mut command = pty_process::blocking::Command::new(self.program.as_deref().unwrap_or(PROGRAM))
            .args(&self.arguments)
            .env_clear()
            .envs(home.environment())
            .current_dir(home.config());
        for (name, value) in &self.variables {
            command = match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let child = command.spawn(pts).unwrap();
        Terminal::read(pty, child, found, (columns, rows))
    }
}

/// What came out so far.
struct Out {
    bytes: Vec<u8>,
    parser: vt100::Parser,
}

/// A running program and its terminal.
pub struct Terminal {
    pty: Option<Arc<pty_process::blocking::Pty>>,
    child: Child,
    found: Termios,
    out: Arc<Mutex<Out>>,
    deaf: Arc<AtomicBool>,
    nudge: OwnedFd,
    reader: Option<thread::JoinHandle<()>>,
}

fn cells(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

/// Now, to bound a wait by.
#[allow(clippy::disallowed_methods, reason = "bounds a wait for another program")]
pub fn instant() -> Instant {
    Instant::now()
}

impl Terminal {
    fn read(pty: pty_process::blocking::Pty, child: Child, found: Termios, (columns, rows): (u16, u16)) -> Self {
        let pty = Arc::new(pty);
        let parser = vt100::Parser::new(cells(rows), cells(columns), 0);
        let out = Arc::new(Mutex::new(Out { bytes: Vec::new(), parser }));
        let deaf = Arc::new(AtomicBool::new(false));
        let (wake, nudge) = rustix::pipe::pipe().unwrap();
        let (theirs, into, shut) = (Arc::clone(&pty), Arc::clone(&out), Arc::clone(&deaf));
        let reader = thread::spawn(move || listen(&theirs, &wake, &into, &shut));
        Self { pty: Some(pty), child, found, out, deaf, nudge, reader: Some(reader) }
    }

    fn pty(&self) -> &pty_process::blocking::Pty {
        self.pty.as_ref().expect("the terminal is open")
    }

    /// Types.
    pub fn keys(&self, text: &str) {
        let mut pty = self.pty();
        pty.write_all(text.as_bytes()).unwrap();
    }

    /// Types each piece when the one before it shows in a frame: `(keys, text that must then be on the screen)`.
    pub fn walk(&self, pieces: &[(&str, &str)]) {
        for (keys, shown) in pieces {
            self.keys(keys);
            self.shows(shown);
        }
    }

    /// Another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.out.lock().unwrap().parser.screen_mut().set_size(cells(rows), cells(columns));
        self.pty().resize(pty_process::Size::new(rows, columns)).unwrap();
    }

    /// The text on the screen.
    pub fn screen(&self) -> String {
        self.out.lock().unwrap().parser.screen().contents()
    }

    /// Something about the screen itself.
    pub fn look<T>(&self, at: impl FnOnce(&vt100::Screen) -> T) -> T {
        at(self.out.lock().unwrap().parser.screen())
    }

    /// Every byte so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.out.lock().unwrap().bytes.clone()
    }

    /// Waits until it holds; a failure shows what was waited for and the last screen.
    #[track_caller]
    pub fn until(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let started = instant();
        loop {
            let screen = self.screen();
            if holds(&screen) {
                return screen;
            }
            assert!(started.elapsed() < PATIENCE, "not so in time: {what}\n--- last screen ---\n{screen}\n---");
            thread::sleep(Duration::from_millis(15));
        }
    }

    /// Waits until this text is on the screen.
    #[track_caller]
    pub fn shows(&self, text: &str) -> String {
        self.until(&format!("`{text}` on the screen"), |screen| screen.contains(text))
    }

    /// Waits until this text is not on the screen.
    #[track_caller]
    pub fn hides(&self, text: &str) -> String {
        self.until(&format!("no `{text}` on the screen"), |screen| !screen.contains(text))
    }

    /// Nobody reads what it writes until [`Self::listen`].
    pub fn stall(&self) {
        self.deaf.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Reads again.
    pub fn listen(&self) {
        self.deaf.store(false, Ordering::SeqCst);
        self.wake();
    }

    fn wake(&self) {
        rustix::io::write(&self.nudge, b"x").unwrap();
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Closes our side, as a link that breaks does.
    pub fn close(&mut self) {
        self.wake_and_end();
        let pty = self.pty.take().expect("closed once");
        assert_eq!(Arc::strong_count(&pty), 1, "the reader still holds the terminal");
    }

    fn wake_and_end(&mut self) {
        let Some(reader) = self.reader.take() else { return };
        rustix::io::write(&self.nudge, b"q").unwrap();
        reader.join().unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        let started = instant();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "still running after {PATIENCE:?}\n--- last ---\n{}\n---",
                self.screen()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// It must be running.
    #[track_caller]
    pub fn lives(&mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "it ended\n{}", self.screen());
    }

    /// The settings the terminal has now differ from those it had before the start: raw mode.
    pub fn is_raw(&self) -> bool {
        told(&rustix::termios::tcgetattr(self.pty()).unwrap()) != told(&self.found)
    }

    /// Waits until every byte was taken in, then tells what is not as it was found; empty is as it should be.
    pub fn left_behind(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.is_raw() {
            found.push("other settings".to_owned());
        }
        let started = instant();
        loop {
            let modes = steering::left_on(&self.bytes());
            if modes.is_empty() {
                return found;
            }
            // What the program wrote last may still be on its way through the reader.
            if started.elapsed() > PATIENCE {
                found.extend(modes);
                return found;
            }
            thread::sleep(Duration::from_millis(15));
        }
    }
}

/// The settings as text, which can be compared.
fn told(termios: &Termios) -> String {
    format!("{:?}", termios)
}

fn listen(pty: &pty_process::blocking::Pty, wake: &OwnedFd, out: &Mutex<Out>, deaf: &AtomicBool) {
    let mut buffer = vec![0u8; 65_536];
    let mut ours = true;
    loop {
        let wanted = if ours && !deaf.load(Ordering::SeqCst) { PollFlags::IN } else { PollFlags::empty() };
        let mut wait = [PollFd::new(wake, PollFlags::IN), PollFd::new(pty, wanted)];
        let both = if ours { &mut wait[..] } else { &mut wait[..1] };
        poll(both, None).unwrap();
        if wait[0].revents().contains(PollFlags::IN) {
            let mut said = [0u8; 64];
            let n = rustix::io::read(wake, &mut said).unwrap();
            if n == 0 || said[..n].contains(&b'q') {
                return;
            }
        }
        let there = wait[1].revents();
        if there.contains(PollFlags::IN) {
            let mut from = pty;
            match from.read(&mut buffer) {
                Ok(n) if n > 0 => {
                    let mut out = out.lock().unwrap();
                    out.bytes.extend_from_slice(&buffer[..n]);
                    out.parser.process(&buffer[..n]);
                }
                // The other side is closed; a new one may open it again, but not in these tests.
                _ => ours = false,
            }
        } else if there.intersects(PollFlags::HUP | PollFlags::ERR) {
            ours = false;
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.wake_and_end();
    }
}

/// Asks again until there is an answer; fails with the last reason.
#[track_caller]
pub fn wait_for<T>(ask: impl Fn() -> Result<T, String>) -> T {
    let started = instant();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(why) => assert!(started.elapsed() < PATIENCE, "not so in time: {why}"),
        }
        thread::sleep(Duration::from_millis(25));
    }
}

/// Everything recorded in a data folder, as text: one event each, oldest first.
pub fn recorded(data: &Path) -> Vec<String> {
    events(data).iter().map(|event| format!("{:?}", event.body)).collect()
}

/// Everything recorded in a data folder.
pub fn events(data: &Path) -> Vec<midwatch::domain::incident::event::Event> {
    use midwatch::io::store::Store;
    let path = midwatch::io::store::sqlite::open::default_path(data);
    if !path.exists() {
        return Vec::new();
    }
    let mut store = midwatch::io::store::sqlite::Sqlite::open(&path).unwrap();
    assert_eq!(store.verify().unwrap(), Vec::<String>::new(), "the record is intact");
    let heads = store.heads().unwrap();
    heads.iter().flat_map(|incident| store.events(&incident.id).unwrap()).collect()
}
