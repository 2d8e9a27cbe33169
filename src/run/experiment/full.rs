//! An experiment on the whole terminal: the one screen, keys, and the terminal given back on every way out. A terminal that is
//! gone ends the watching of it, not the rollback: the process goes on without it.

use super::{Face, In};
use crate::app::key::{Code, Key};
use crate::app::present::experiment::page;
use crate::domain::experiment::entry::Cause;
use crate::domain::experiment::machine::{Input, Machine};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::time::{Timestamp, clock};
use crate::run::terminal;
use crate::run::terminal::encode::Encoding;
use crate::run::terminal::keys::{Reader, Typed};
use crate::run::terminal::painter::Painter;
use crate::run::tui::Looks;
use crate::ui::screen::experiment::draw;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::mpsc::Sender;

/// Lines of what happened that are kept.
const KEPT: usize = 200;

/// The terminal while it is taken.
#[derive(Debug)]
pub struct Full {
    painter: Painter,
    _reader: Reader,
    looks: Looks,
    person: String,
    typed: String,
    told: Vec<String>,
    size: (u16, u16),
    /// All of the question is on the screen.
    whole: bool,
}

impl Full {
    /// Takes the terminal. `person` is who halts it with a key.
    pub fn open(looks: Looks, sender: &Sender<In>, person: &str) -> Result<Self, Fault> {
        let threads = |e: std::io::Error| Fault::new(FaultKind::Local, "terminal threads", e.to_string());
        terminal::enter()?;
        let (lost, typed, hung) = (sender.clone(), sender.clone(), sender.clone());
        let gone = |sender: &Sender<In>| {
            terminal::gone();
            drop(sender.send(In::Gone));
        };
        let encoding = Encoding { synchronized: looks.synchronized };
        let made = Painter::start(encoding, move || gone(&lost)).and_then(|painter| {
            let reader = Reader::start(move |keys| drop(typed.send(In::Typed(keys))), move || gone(&hung))?;
            Ok((painter, reader))
        });
        let (painter, reader) = match made {
            Ok(made) => made,
            Err(e) => {
                terminal::restore();
                return Err(threads(e));
            }
        };
        Ok(Self {
            painter,
            _reader: reader,
            looks,
            person: person.to_owned(),
            typed: String::new(),
            told: Vec::new(),
            size: terminal::size(),
            whole: true,
        })
    }

    fn key(&mut self, key: Key, machine: &Machine) -> Option<Input> {
        let halt = || Some(Input::Halt(Cause::Halted { by: self.person.clone() }));
        if key.ctrl && key.code == Code::Char('c') {
            self.typed.clear();
            return halt();
        }
        if machine.prompt().is_none() {
            // Nothing is asked, so that a letter is a key.
            return match key.code {
                Code::Char('r' | 'R') if machine.halts("rollback") => halt(),
                _ => None,
            };
        }
        match key.code {
            // What cannot be read is not answered.
            Code::Enter if !self.whole => {}
            Code::Enter => return Some(Input::Typed(std::mem::take(&mut self.typed))),
            Code::Backspace => drop(self.typed.pop()),
            Code::Esc => self.typed.clear(),
            Code::Char(c) if !key.ctrl && self.typed.len() < 200 => self.typed.push(c),
            _ => {}
        }
        None
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        self.painter.pause();
        terminal::restore();
    }
}

impl Face for Full {
    fn say(&mut self, now: Timestamp, text: &str) -> bool {
        self.told.push(format!("{} {text}", clock(now)));
        let over = self.told.len().saturating_sub(KEPT);
        drop(self.told.drain(..over));
        true
    }

    fn show(&mut self, machine: &Machine, now: Timestamp) -> bool {
        let size = terminal::size();
        if size != self.size {
            self.size = size;
            self.painter.redraw();
        }
        let mut view = page(machine, now);
        (view.typed, view.told) = (self.typed.clone(), self.told.clone());
        let area = Rect::new(0, 0, size.0, size.1);
        let mut buf = Buffer::empty(area);
        self.whole = draw(&view, &self.looks.theme, self.looks.glyphs, area, &mut buf);
        self.painter.show(buf);
        true
    }

    fn take(&mut self, it: In, machine: &Machine) -> Vec<Input> {
        match it {
            In::Typed(all) => all
                .into_iter()
                .filter_map(|it| match it {
                    Typed::Key(key) => self.key(key, machine),
                    // What is pasted was not read first.
                    Typed::Paste(_) | Typed::Focus(_) => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}
