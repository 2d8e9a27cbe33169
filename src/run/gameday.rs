//! A game day on the whole terminal: one screen that is drawn anew when something is typed, the shared log grows or a second
//! goes by; the terminal is given away to what an entry begins and given back on every way out. Writes no log and decides
//! nothing: what a person wants goes to whoever holds the day.

use crate::app::gameday::{Hands, Wish};
use crate::app::present::gameday::page;
use crate::domain::fault::{Fault, FaultKind};
use crate::io::clock;
use crate::run::terminal;
use crate::run::terminal::encode::Encoding;
use crate::run::terminal::keys::{Reader, Typed};
use crate::run::terminal::painter::Painter;
use crate::run::terminal::signals::{self, Asked};
use crate::run::tui::Looks;
use crate::ui::screen::gameday::draw;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Between two looks at the clock and at the log.
const LOOK: Duration = Duration::from_secs(1);

/// What comes to the screen.
#[derive(Debug)]
enum In {
    Typed(Vec<Typed>),
    Asked(Asked),
    Gone,
}

/// What ended the wait for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// They want something.
    Wish(Wish),
    /// A second went by: the log may have grown.
    Nothing,
    /// The program is to end, or nobody sees it any more; with this code.
    Over(i32),
}

/// The terminal while it is taken.
#[derive(Debug)]
pub struct Screen {
    painter: Painter,
    reader: Reader,
    inbox: Receiver<In>,
    looks: Looks,
    size: (u16, u16),
}

impl Screen {
    /// Takes the terminal.
    pub fn open(looks: Looks) -> Result<Self, Fault> {
        let threads = |e: std::io::Error| Fault::new(FaultKind::Local, "terminal threads", e.to_string());
        let (sender, inbox) = channel();
        let asked = sender.clone();
        signals::start(move |it| drop(asked.send(In::Asked(it)))).map_err(threads)?;
        terminal::enter()?;
        match threads_of(&looks, &sender) {
            Ok((painter, reader)) => Ok(Self { painter, reader, inbox, looks, size: terminal::size() }),
            Err(e) => {
                terminal::restore();
                Err(threads(e))
            }
        }
    }

    /// Draws, and waits until a person wants something or a second went by.
    pub fn wait(&mut self, hands: &mut Hands) -> Said {
        loop {
            self.show(hands);
            let came = match self.inbox.recv_timeout(LOOK) {
                Ok(came) => came,
                Err(RecvTimeoutError::Timeout) => return Said::Nothing,
                Err(RecvTimeoutError::Disconnected) => return Said::Over(129),
            };
            match came {
                In::Typed(all) => {
                    // What was typed behind a wish was typed before its outcome was seen.
                    if let Some(wish) = all.into_iter().filter_map(key).find_map(|key| hands.key(key)) {
                        return Said::Wish(wish);
                    }
                }
                In::Asked(Asked::End(code) | Asked::Gone(code)) => return Said::Over(code),
                In::Gone => return Said::Over(129),
                In::Asked(Asked::Resize | Asked::Suspend | Asked::Continue) => {}
            }
        }
    }

    /// Draws how it stands.
    pub fn show(&mut self, hands: &Hands) {
        let size = terminal::size();
        if size != self.size {
            self.size = size;
            self.painter.redraw();
        }
        let area = Rect::new(0, 0, size.0, size.1);
        let mut buf = Buffer::empty(area);
        draw(&page(hands, clock::now()), &self.looks.theme, self.looks.glyphs, area, &mut buf);
        self.painter.show(buf);
    }

    /// Gives the terminal to something else until that is over. Its Ctrl-C is none of ours. What was typed meanwhile was not
    /// meant for this screen.
    pub fn lend<T>(&mut self, work: impl FnOnce() -> T) -> Result<T, Fault> {
        self.reader.pause();
        self.painter.pause();
        terminal::restore();
        let quiet = signals::Quiet::begin();
        let done = work();
        drop(quiet);
        terminal::enter()?;
        self.painter.resume();
        self.reader.resume();
        Ok(done)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.reader.pause();
        self.painter.pause();
        terminal::restore();
    }
}

fn threads_of(looks: &Looks, sender: &Sender<In>) -> std::io::Result<(Painter, Reader)> {
    let (lost, typed, hung) = (sender.clone(), sender.clone(), sender.clone());
    let gone = |sender: &Sender<In>| {
        terminal::gone();
        drop(sender.send(In::Gone));
    };
    let encoding = Encoding { synchronized: looks.synchronized };
    let painter = Painter::start(encoding, move || gone(&lost))?;
    let reader = Reader::start(move |keys| drop(typed.send(In::Typed(keys))), move || gone(&hung))?;
    Ok((painter, reader))
}

/// Keys alone: what is pasted may hold a line's end, and would say yes to what nobody read.
fn key(typed: Typed) -> Option<crate::app::key::Key> {
    match typed {
        Typed::Key(key) => Some(key),
        Typed::Paste(_) | Typed::Focus(_) => None,
    }
}
