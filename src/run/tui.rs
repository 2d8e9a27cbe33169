//! The cockpit in a terminal: one loop that takes messages, steps the machine, hands effects to the engine and frames to
//! the painter. It waits for a deadline or a message and for nothing else.

use crate::app::deadline::next_deadline;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::msg::{Feed, Msg, Reply};
use crate::app::present::view;
use crate::app::present::view::Tone;
use crate::app::update::update;
use crate::domain::exec::{CommandEnd, CommandNews};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::text::clean;
use crate::domain::time::Timestamp;
use crate::io::clock::{Watch, mark};
use crate::run::engine::Engine;
use crate::run::setup::Ready;
use crate::run::terminal::encode::Encoding;
use crate::run::terminal::keys::{Reader, Typed};
use crate::run::terminal::painter::Painter;
use crate::run::terminal::signals::{self, Asked};
use crate::run::terminal::{self, leave_process};
use crate::run::world::wall;
use crate::ui::glyphs::Glyphs;
use crate::ui::theme::Theme;
use crate::ui::view::draw;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How it is drawn.
#[derive(Clone, Debug)]
pub struct Looks {
    /// Colours.
    pub theme: Theme,
    /// Characters.
    pub glyphs: Glyphs,
    /// Frames are bracketed.
    pub synchronized: bool,
}

/// How other settings of the screen are drawn; `None` where they cannot be.
pub type Restyle = Box<dyn Fn(&crate::config::Screen) -> Option<Looks>>;

/// How the cockpit ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// With this exit code.
    Exit(u8),
    /// To begin again on the simulated production.
    Demo,
    /// To begin again on a Prometheus at this address.
    Connect(String),
}

/// What comes to the loop.
#[derive(Debug)]
enum In {
    Msg(Msg),
    Typed(Vec<Typed>),
    Asked(Asked),
    Gone,
}

/// The record is given this long to finish when the cockpit ends.
const FINISH: Duration = Duration::from_secs(2);
/// When nothing else ends a process whose terminal is gone, this does.
const GONE_AT_MOST: Duration = Duration::from_millis(850);
/// Frames that follow no key are drawn at most this often.
const CALM: Duration = Duration::from_millis(33);
/// A terminal being resized is drawn when it has been quiet for so long.
const SETTLE: Duration = Duration::from_millis(30);
/// Messages taken together before a frame.
const TOGETHER: usize = 4_096;

/// Runs the cockpit until it ends. The terminal is given back on every way out.
pub fn run(ready: Ready, looks: Looks, restyle: Restyle) -> Result<Ended, Fault> {
    let (sender, inbox) = channel();
    let clip = ready.world.clip.clone();
    let torn = ready.torn;
    let now = ready.world.now.clone();
    let to_machine = sender.clone();
    let tell = Arc::new(move |msg: Msg| drop(to_machine.send(In::Msg(msg))));
    terminal::enter()?;
    let guard = Guard;
    let threads = |e: std::io::Error| Fault::new(FaultKind::Local, "terminal threads", e.to_string());
    let lost = sender.clone();
    let painter =
        Painter::start(Encoding { synchronized: looks.synchronized }, move || vanished(&lost)).map_err(threads)?;
    let asked = sender.clone();
    signals::start(move |it| match it {
        Asked::Gone(code) => {
            // The terminal may live on (`kill -HUP`): it is given back then, and nothing waits for it if it does not take it.
            if terminal::is_hung_up() {
                terminal::gone();
                vanished(&asked);
            } else {
                drop(asked.send(In::Asked(Asked::End(code))));
                last_resort();
            }
        }
        other => drop(asked.send(In::Asked(other))),
    })
    .map_err(threads)?;
    let engine = Engine::start(ready.world, tell)?;
    let (typed, hung) = (sender.clone(), sender.clone());
    let reader = Reader::start(
        move |it| drop(typed.send(In::Typed(it))),
        move || {
            terminal::gone();
            vanished(&hung);
        },
    )
    .map_err(threads)?;
    let mut cockpit = Cockpit {
        model: ready.model,
        engine,
        painter,
        reader,
        looks,
        restyle,
        inbox,
        now,
        pace: ready.pace,
        clip,
        watch: Watch::default(),
        last: None,
        ended: None,
    };
    let ended = cockpit.live();
    let Cockpit { engine, painter, .. } = cockpit;
    if !matches!(ended, Exit::Gone(_)) {
        painter.pause();
    }
    drop(painter);
    let finished = engine.stop(FINISH);
    drop(guard);
    if !finished {
        tracing::error!("the record did not finish in time");
    }
    match ended {
        Exit::Gone(code) => {
            if let Some(write) = torn {
                write();
            }
            leave_process(code)
        }
        Exit::Ended(ended) => Ok(ended),
        Exit::Signal(code) => Ok(Ended::Exit(u8::try_from(code).unwrap_or(1))),
    }
}

/// The terminal is gone: the loop ends in good order; if it cannot, the process ends all the same.
fn vanished(inbox: &Sender<In>) {
    drop(inbox.send(In::Gone));
    last_resort();
}

/// Ends the process when nothing else has.
fn last_resort() {
    let fallback = std::thread::Builder::new().name("last resort".into()).spawn(|| {
        std::thread::sleep(GONE_AT_MOST);
        // Whoever saw the terminal go has said so; one that lives is given back even now, and cannot hold this up for long.
        leave_process(129);
    });
    if fallback.is_err() {
        leave_process(129);
    }
}

struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        terminal::restore();
    }
}

enum Exit {
    Ended(Ended),
    Signal(i32),
    Gone(i32),
}

struct Cockpit {
    model: Model,
    engine: Engine,
    painter: Painter,
    reader: Reader,
    looks: Looks,
    restyle: Restyle,
    inbox: Receiver<In>,
    now: crate::run::world::Now,
    pace: crate::run::world::Pace,
    clip: Option<PathBuf>,
    watch: Watch,
    last: Option<Buffer>,
    ended: Option<Exit>,
}

impl Cockpit {
    fn live(&mut self) -> Exit {
        let (columns, rows) = terminal::size();
        self.step(Msg::Resized(columns, rows));
        self.paint(false);
        let mut drawn = crate::io::clock::running();
        let mut hurry = false;
        let mut dirty = false;
        let mut settle: Option<Duration> = None;
        loop {
            let running = crate::io::clock::running();
            let frame_at = dirty.then(|| match settle {
                Some(at) => at,
                None if hurry => running,
                None => drawn + CALM,
            });
            let wait = self.wait(frame_at.map(|at| at.saturating_sub(running)));
            let first = match self.inbox.recv_timeout(wait) {
                Ok(it) => Some(it),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Exit::Ended(Ended::Exit(0)),
            };
            let woke = first.is_none();
            let mut next = first;
            let mut taken = 0;
            while let Some(it) = next {
                hurry |= matches!(it, In::Typed(_));
                if matches!(it, In::Asked(Asked::Resize)) {
                    settle = Some(crate::io::clock::running() + SETTLE);
                }
                self.take(it);
                dirty = true;
                taken += 1;
                if self.ended.is_some() || taken >= TOGETHER {
                    break;
                }
                next = self.inbox.try_recv().ok();
            }
            if let Some(exit) = self.ended.take() {
                return exit;
            }
            if woke {
                self.clocks();
                self.step(Msg::Wake);
                dirty = true;
            }
            let running = crate::io::clock::running();
            let due = settle.map_or(hurry || woke || running >= drawn + CALM, |at| running >= at);
            if dirty && due {
                if settle.take().is_some() {
                    // A terminal that shrank and grew again lost cells, even if we never saw it smaller.
                    self.last = None;
                    self.painter.redraw();
                    let (columns, rows) = terminal::size();
                    self.step(Msg::Resized(columns, rows));
                }
                self.paint(hurry);
                drawn = crate::io::clock::running();
                (dirty, hurry) = (false, false);
                if let Some(exit) = self.ended.take() {
                    return exit;
                }
            }
        }
    }

    /// How long nothing has to be done, on the wall.
    fn wait(&self, frame: Option<Duration>) -> Duration {
        let now = (self.now)();
        let due = next_deadline(&self.model, now, true).and_then(|at| wall(at - now, (self.pace)()));
        let wait = match (due, frame) {
            (Some(due), Some(frame)) => due.min(frame),
            (Some(due), None) => due,
            (None, frame) => frame.unwrap_or(Duration::from_secs(60)),
        };
        // A millisecond more, so that a deadline is over when it is looked at and not just before.
        wait.min(Duration::from_secs(60)) + if frame.is_none() { Duration::from_millis(1) } else { Duration::ZERO }
    }

    fn take(&mut self, it: In) {
        match it {
            In::Msg(msg) => self.step(msg),
            In::Typed(all) => {
                for it in all {
                    self.step(match it {
                        Typed::Key(key) => Msg::Key(key),
                        Typed::Paste(text) => Msg::Paste(text),
                        Typed::Focus(focus) => Msg::Focus(focus),
                    });
                }
            }
            In::Asked(Asked::End(code)) => self.ended = Some(Exit::Signal(code)),
            In::Asked(Asked::Gone(code)) => self.ended = Some(Exit::Gone(code)),
            In::Asked(Asked::Suspend) => self.suspend(),
            In::Asked(Asked::Resize | Asked::Continue) => {}
            In::Gone => self.ended = Some(Exit::Gone(129)),
        }
    }

    fn step(&mut self, msg: Msg) {
        let effects = update(&mut self.model, (self.now)(), msg);
        for effect in effects {
            if let Some(ours) = self.engine.perform(effect) {
                self.ours(ours);
            }
        }
    }

    /// Effects that need the terminal.
    fn ours(&mut self, effect: Effect) {
        match effect {
            Effect::Bell => self.painter.say(b"\x07"),
            Effect::Title(title) => self.painter.say(format!("\x1b]2;{}\x07", clean(&title)).as_bytes()),
            Effect::Copy { req, text } => {
                let said = self.copy(&text);
                self.step(Msg::Reply(req, Reply::Copied(said)));
            }
            Effect::Restyle(screen) => {
                if let Some(looks) = (self.restyle)(&screen) {
                    self.looks = looks;
                    self.painter.redraw();
                    self.last = None;
                }
            }
            Effect::Redraw => {
                self.painter.redraw();
                self.last = None;
            }
            Effect::Page(text) => self.outside(|| {
                let shown = format!("{}\r\n\r\nEnter returns to midwatch", text.replace('\n', "\r\n"));
                drop(terminal::write_all(shown.as_bytes()));
                let mut line = String::new();
                drop(std::io::stdin().read_line(&mut line));
            }),
            Effect::RunTty { req, spec } => {
                let mut end = CommandEnd::never("the terminal was not given back");
                self.outside(|| {
                    let quiet = signals::Quiet::begin();
                    end = crate::io::shell::tty::run(&spec);
                    drop(quiet);
                });
                self.step(Msg::Reply(req, Reply::Command(CommandNews::Ended(end))));
            }
            Effect::Edit(path) => self.outside(|| edit(&path)),
            Effect::Suspend => self.suspend(),
            Effect::Quit(code) => self.ended = Some(Exit::Ended(Ended::Exit(code))),
            Effect::Begin(what) => {
                self.ended = Some(Exit::Ended(match what {
                    None => Ended::Demo,
                    Some(url) => Ended::Connect(url),
                }));
            }
            other => tracing::error!(effect = ?other, "an effect that nobody carries out"),
        }
    }

    /// The clipboard of the terminal where it allows that, and always a file.
    fn copy(&self, text: &str) -> Result<String, Fault> {
        if let Some(sequence) = terminal::clipboard(text) {
            self.painter.say(sequence.as_bytes());
        }
        match &self.clip {
            Some(path) => {
                crate::io::files::atomic::write_atomic(path, text.as_bytes(), 0o600)?;
                Ok(format!("sent to the clipboard (the terminal may refuse); also in {}", path.display()))
            }
            None => Ok("sent to the clipboard (the terminal may refuse)".into()),
        }
    }

    /// Does something with the terminal given back, then takes it again.
    fn outside(&mut self, work: impl FnOnce()) {
        self.reader.pause();
        self.painter.pause();
        terminal::restore();
        work();
        self.again();
    }

    fn again(&mut self) {
        if let Err(fault) = terminal::enter() {
            tracing::error!(%fault, "the terminal cannot be taken again");
            self.ended = Some(Exit::Gone(129));
            return;
        }
        self.last = None;
        self.painter.resume();
        self.reader.resume();
        let (columns, rows) = terminal::size();
        self.step(Msg::Resized(columns, rows));
    }

    /// Gives the terminal back and stops until a person lets the process go on.
    fn suspend(&mut self) {
        // A shell with job control gives each job a group of its own. In the group of the session's leader nobody would
        // ever let us go on.
        if rustix::process::getsid(None).is_ok_and(|leader| leader == rustix::process::getpgrp()) {
            let now = (self.now)();
            self.model.say(now, Tone::Warn, "not suspended: there is no shell to come back from");
            return;
        }
        let before: Timestamp = (self.now)();
        self.outside(|| {
            // The whole job, as the terminal itself would: a wrapper that stays awake keeps the shell from its prompt.
            let _: Result<(), _> = rustix::process::kill_current_process_group(rustix::process::Signal::STOP);
        });
        let slept = (self.now)() - before;
        self.step(Msg::Feed(Feed::Asleep(slept)));
    }

    /// A clock that was set and a machine that slept become messages.
    fn clocks(&mut self) {
        let Some(moved) = self.watch.look(mark()) else { return };
        if let Some(by) = moved.jumped {
            self.step(Msg::Feed(Feed::ClockMoved(by)));
        }
        if let Some(slept) = moved.slept {
            self.step(Msg::Feed(Feed::Asleep(slept)));
        }
    }

    /// Draws the frame of this moment and hands it over if it differs from the last.
    fn paint(&mut self, answer: bool) {
        let now = (self.now)();
        let (columns, rows) = self.model.size;
        let area = Rect::new(0, 0, columns, rows);
        let mut buffer = Buffer::empty(area);
        draw(&view(&self.model, now), &self.looks.theme, self.looks.glyphs, area, &mut buffer);
        if self.last.as_ref() != Some(&buffer) {
            self.last = Some(buffer.clone());
            self.painter.show(buffer);
        } else if answer {
            // A key that changed no cell is answered all the same: the hidden cursor is hidden once more, and whoever
            // listens on the line knows that the key arrived.
            self.painter.say(b"\x1b[?25l");
        }
        self.step(Msg::Painted);
        crate::run::rehearsal::panic_at("machine");
    }
}

fn edit(path: &str) {
    let editor = std::env::var("VISUAL").or_else(|_| std::env::var("EDITOR")).unwrap_or_else(|_| "vi".into());
    let mut words = shlex::split(&editor).unwrap_or_else(|| vec![editor.clone()]).into_iter();
    let Some(program) = words.next() else { return };
    let status = std::process::Command::new(program).args(words).arg(path).status();
    if let Err(e) = status {
        tracing::warn!(%editor, error = %e, "the editor did not start");
    }
}
