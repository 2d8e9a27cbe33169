//! Keys in: a thread that sleeps until the terminal has bytes, and a watcher that notices a terminal that is gone without
//! waking for anything else. crossterm parses; it is only called when there is something to parse, because it spins on a
//! dead terminal.

use crate::app::key::{Code, Key};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, poll, read};
use rustix::event::{PollFd, PollFlags};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long an escape may wait for the rest of its sequence: a slow link delivers it in pieces.
const SPLIT: Duration = Duration::from_millis(40);

/// What the terminal sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Typed {
    /// A key.
    Key(Key),
    /// A bracketed paste.
    Paste(String),
    /// The focus came or went.
    Focus(bool),
}

/// Stops and restarts the reading, so that an editor can have the terminal.
#[derive(Debug)]
pub struct Reader {
    paused: Arc<AtomicBool>,
    wake: OwnedFd,
}

impl Reader {
    /// Starts both threads. `typed` gets what was typed, everything that waits together: a held key is one frame, not many; `gone` is called once when the terminal is gone.
    pub fn start(
        typed: impl Fn(Vec<Typed>) + Send + 'static,
        gone: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let (ours, theirs) = rustix::pipe::pipe().map_err(std::io::Error::from)?;
        let paused = Arc::new(AtomicBool::new(false));
        let held = Arc::clone(&paused);
        std::thread::Builder::new().name("keys".into()).spawn(move || listen(&ours, &held, &typed))?;
        std::thread::Builder::new().name("hangup".into()).spawn(move || {
            let stdin = std::io::stdin();
            let fd = stdin.as_fd();
            loop {
                // No event is asked for: only a hang-up or an error ends the wait.
                let mut wait = [PollFd::new(&fd, PollFlags::empty())];
                match rustix::event::poll(&mut wait, None) {
                    Ok(_) => break gone(),
                    Err(rustix::io::Errno::INTR) => {}
                    Err(_) => break gone(),
                }
            }
        })?;
        Ok(Self { paused, wake: theirs })
    }

    /// Reads nothing until [`Self::resume`].
    pub fn pause(&self) {
        self.paused.store(true, Ordering::SeqCst);
        self.nudge();
    }

    /// Reads again.
    pub fn resume(&self) {
        self.paused.store(false, Ordering::SeqCst);
        self.nudge();
    }

    fn nudge(&self) {
        // A full pipe means that it is awake already.
        let _: Result<usize, _> = rustix::io::write(&self.wake, b"x");
    }
}

fn listen(wake: &OwnedFd, paused: &AtomicBool, typed: &impl Fn(Vec<Typed>)) {
    let stdin = std::io::stdin();
    let fd = stdin.as_fd();
    loop {
        let reading = if paused.load(Ordering::SeqCst) { PollFlags::empty() } else { PollFlags::IN };
        let mut wait = [PollFd::new(&fd, reading), PollFd::new(wake, PollFlags::IN)];
        match rustix::event::poll(&mut wait, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
        let [terminal, nudge] = &wait;
        if terminal.revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return;
        }
        if nudge.revents().contains(PollFlags::HUP) {
            // The handle is gone: another cockpit of this process reads now.
            return;
        }
        if nudge.revents().contains(PollFlags::IN) {
            let mut bytes = [0u8; 16];
            let _: Result<usize, _> = rustix::io::read(wake, &mut bytes);
        }
        if terminal.revents().contains(PollFlags::IN) && !paused.load(Ordering::SeqCst) {
            let mut all = Vec::new();
            let mut alive = drain(&mut all);
            // A terminal that was resized costs crossterm the news that bytes are there, until further ones come: what still
            // waits after a second look is taken here, so that no key waits for the next.
            if alive && all.is_empty() && waits(&fd) {
                alive = drain(&mut all);
                if alive && all.is_empty() && waits(&fd) {
                    let mut bytes = [0u8; 64];
                    let read = rustix::io::read(fd, &mut bytes).unwrap_or(0);
                    all.extend(plain_keys(bytes.get(..read).unwrap_or_default()).into_iter().map(Typed::Key));
                }
            }
            if !all.is_empty() {
                typed(all);
            }
            if !alive {
                return;
            }
        }
    }
}

/// Whether bytes are there that nobody took.
fn waits(fd: &impl AsFd) -> bool {
    let mut look = [PollFd::new(fd, PollFlags::IN)];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::event::poll(&mut look, Some(&now)).is_ok_and(|n| n > 0) && look.iter().all(|l| l.revents() == PollFlags::IN)
}

/// Keys of bytes that are characters; what begins with an escape is a sequence and is dropped, an escape alone is the key.
fn plain_keys(bytes: &[u8]) -> Vec<Key> {
    if bytes == [0x1b] {
        return vec![Key::plain(Code::Esc)];
    }
    let text = String::from_utf8_lossy(bytes.split(|byte| *byte == 0x1b).next().unwrap_or_default()).into_owned();
    let key = |c: char| match c {
        '\r' | '\n' => Some(Key::plain(Code::Enter)),
        '\t' => Some(Key::plain(Code::Tab)),
        '\u{7f}' | '\u{8}' => Some(Key::plain(Code::Backspace)),
        c if ('\u{1}'..='\u{1a}').contains(&c) => {
            let letter = char::from_u32(u32::from(c) + 0x60)?;
            Some(Key { code: Code::Char(letter), ctrl: true })
        }
        c if c.is_control() || c == char::REPLACEMENT_CHARACTER => None,
        c => Some(Key::char(c)),
    };
    text.chars().filter_map(key).collect()
}

/// Parses everything that is there; `false` when the terminal cannot be read.
fn drain(all: &mut Vec<Typed>) -> bool {
    loop {
        match poll(Duration::ZERO) {
            Ok(true) => {}
            Ok(false) => return true,
            Err(_) => return false,
        }
        let Ok(event) = read() else { return false };
        match known(event) {
            Some(Typed::Key(key)) if key == Key::plain(Code::Esc) => rejoin(all),
            Some(it) => all.push(it),
            None => {}
        }
    }
}

/// An escape may be the first byte of an arrow key that a slow link cut in two: its rest is waited for, briefly.
fn rejoin(all: &mut Vec<Typed>) {
    let next = |wait| match poll(wait) {
        Ok(true) => read().ok().and_then(known),
        _ => None,
    };
    match next(SPLIT) {
        None => all.push(Typed::Key(Key::plain(Code::Esc))),
        Some(Typed::Key(key)) if key == Key::char('[') || key == Key::char('O') => match next(SPLIT) {
            Some(Typed::Key(last)) => {
                // An unknown sequence is dropped: neither its escape nor its letters were keys of a person.
                if let Some(code) = arrow(last) {
                    all.push(Typed::Key(Key::plain(code)));
                }
            }
            Some(other) => all.push(other),
            None => {}
        },
        Some(other) => {
            all.push(Typed::Key(Key::plain(Code::Esc)));
            all.push(other);
        }
    }
}

fn arrow(key: Key) -> Option<Code> {
    match key.code {
        Code::Char('A') => Some(Code::Up),
        Code::Char('B') => Some(Code::Down),
        Code::Char('C') => Some(Code::Right),
        Code::Char('D') => Some(Code::Left),
        Code::Char('H') => Some(Code::Home),
        Code::Char('F') => Some(Code::End),
        Code::Char('Z') => Some(Code::BackTab),
        _ => None,
    }
}

fn known(event: Event) -> Option<Typed> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => code(key).map(Typed::Key),
        Event::Paste(text) => Some(Typed::Paste(text)),
        Event::FocusGained => Some(Typed::Focus(true)),
        Event::FocusLost => Some(Typed::Focus(false)),
        _ => None,
    }
}

fn code(key: KeyEvent) -> Option<Key> {
    let code = match key.code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::F(n) => Code::F(n),
        _ => return None,
    };
    // Alt collides with a split escape: such a key is two keys, not one.
    if key.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    let code = match code {
        Code::Char(c) if ctrl => Code::Char(c.to_ascii_lowercase()),
        other => other,
    };
    Some(Key { code, ctrl })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_were_missed_are_keys_again() {
        let ctrl = |c| Key { code: Code::Char(c), ctrl: true };
        assert_eq!(plain_keys(b"r"), [Key::char('r')]);
        assert_eq!(
            plain_keys("é\r\x7f\t".as_bytes()),
            [Key::char('é'), Key::plain(Code::Enter), Key::plain(Code::Backspace), Key::plain(Code::Tab)]
        );
        assert_eq!(plain_keys(b"\x03"), [ctrl('c')]);
        assert_eq!(plain_keys(b"\x1b"), [Key::plain(Code::Esc)]);
        assert_eq!(plain_keys(b"a\x1b[A"), [Key::char('a')], "a sequence is no text");
        assert_eq!(plain_keys(b"\xff\x00"), Vec::<Key>::new());
    }
}
