//! The hands of whoever goes through a game day on the screen: which entry is chosen, what is being typed, and what the keys
//! wish for. Writes no log and begins nothing: a [`Wish`] is carried out by the shell, and the log that comes back decides how
//! every entry stands.

use crate::app::key::{Code, Key};
use crate::app::present::view::{Bit, Tone};
use crate::domain::gameday::log::{Line, Standing, State};
use crate::domain::gameday::model::{Act, Entry, GameDay};
use std::sync::Arc;

/// The longest line that may be typed, in bytes.
const LONGEST: usize = 400;

/// What a person wants of the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Begin an entry, or end one of people that has begun.
    Begin(String),
    /// An entry is done.
    Done {
        /// Which.
        entry: String,
        /// What it came to; may be empty.
        result: String,
    },
    /// An entry is left out.
    Skip {
        /// Which.
        entry: String,
        /// Why; never empty.
        why: String,
    },
    /// A line for the shared log; never empty.
    Note(String),
    /// The day is over; why may be empty.
    End(String),
    /// Leave; the same command goes on with it.
    Leave,
}

/// What is being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// Whether a drill or an experiment shall begin, or anything again.
    Begin,
    /// What an entry came to.
    Done,
    /// Why it is left out.
    Skip,
    /// A note.
    Note,
    /// Why the day ends.
    End,
}

/// Who looks, and what they may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seat {
    /// The facilitator.
    Facilitator,
    /// The teams: what must not be told yet is not shown, and nothing is begun from there.
    Team {
        /// Notes may be written.
        notes: bool,
    },
}

/// A game day on the screen.
#[derive(Clone, Debug)]
pub struct Hands {
    /// The sheet.
    pub day: Arc<GameDay>,
    /// The shared log, oldest first.
    pub log: Vec<Line>,
    /// What it comes to.
    pub state: State,
    /// Who looks.
    pub seat: Seat,
    /// The facilitator shows what the teams may see.
    pub shown_to_teams: bool,
    /// The chosen entry, by its name.
    pub chosen: String,
    /// What is being typed, and its text.
    pub asking: Option<(Asking, String)>,
    /// What was said last.
    pub told: Option<Bit>,
}

impl Hands {
    /// With the entry chosen that comes next.
    pub fn new(day: Arc<GameDay>, seat: Seat, log: Vec<Line>) -> Self {
        let state = State::fold(&day, &log);
        let next = state.next().and_then(|at| day.entries.get(at)).or(day.entries.last());
        let chosen = next.map(|entry| entry.id.clone()).unwrap_or_default();
        Self { day, log, state, seat, shown_to_teams: false, chosen, asking: None, told: None }
    }

    /// The log as it is now. Where the chosen entry was ended by it, the next one is chosen, unless something is being typed.
    pub fn take(&mut self, log: Vec<Line>) {
        let open = |hands: &Self| hands.standing().is_some_and(|standing| standing.ended.is_none());
        let before = open(self);
        self.state = State::fold(&self.day, &log);
        self.log = log;
        if before && !open(self) && self.asking.is_none() {
            let next = self.state.next().and_then(|at| self.day.entries.get(at));
            self.chosen = next.map_or_else(|| self.chosen.clone(), |entry| entry.id.clone());
        }
    }

    /// Whether what the teams may see is shown, and nothing else.
    pub fn is_for_teams(&self) -> bool {
        self.shown_to_teams || self.seat != Seat::Facilitator
    }

    /// The place of the chosen entry.
    pub fn place(&self) -> usize {
        self.day.entries.iter().position(|entry| entry.id == self.chosen).unwrap_or(0)
    }

    /// The chosen entry.
    pub fn entry(&self) -> Option<&Entry> {
        self.day.entries.get(self.place())
    }

    /// How the chosen entry stands.
    pub fn standing(&self) -> Option<&Standing> {
        self.state.entries.get(self.place())
    }

    /// Says something where the next thing is typed.
    pub fn say(&mut self, text: impl Into<String>, tone: Tone) {
        self.told = Some(Bit::new(text, tone));
    }

    /// A key. What it wishes for, if anything.
    pub fn key(&mut self, key: Key) -> Option<Wish> {
        if key.ctrl {
            return (key.code == Code::Char('c')).then_some(Wish::Leave);
        }
        self.told = None;
        if self.asking.is_some() {
            return self.typing(key.code);
        }
        match (self.seat, key.code) {
            (_, Code::Char('q')) => Some(Wish::Leave),
            (Seat::Team { notes: true }, Code::Char('n')) => self.ask(Asking::Note),
            (Seat::Team { .. }, _) => None,
            (_, Code::Char('t')) => {
                self.shown_to_teams = !self.shown_to_teams;
                None
            }
            (_, Code::Char('n')) => self.ask(Asking::Note),
            // What cannot be seen is not acted on.
            _ if self.shown_to_teams => None,
            (_, code) => self.acting(code),
        }
    }

    fn acting(&mut self, code: Code) -> Option<Wish> {
        match code {
            Code::Up | Code::Char('k') => self.choose(self.place().saturating_sub(1)),
            Code::Down | Code::Char('j') => self.choose(self.place().saturating_add(1)),
            Code::Home | Code::Char('g') => self.choose(0),
            Code::End | Code::Char('G') => self.choose(self.day.entries.len().saturating_sub(1)),
            Code::Enter => return self.begin(),
            Code::Char('d') => return self.ask(Asking::Done),
            Code::Char('s') => return self.ask(Asking::Skip),
            Code::Char('e') => return self.ask(Asking::End),
            _ => {}
        }
        None
    }

    fn choose(&mut self, place: usize) {
        let last = self.day.entries.len().saturating_sub(1);
        if let Some(entry) = self.day.entries.get(place.min(last)) {
            self.chosen = entry.id.clone();
        }
    }

    /// People's entries begin and end with one key; what takes the terminal, or was done already, is asked about first.
    fn begin(&mut self) -> Option<Wish> {
        let (entry, standing) = (self.entry()?, self.standing()?);
        if entry.act == Act::Person && standing.ended.is_none() {
            return Some(Wish::Begin(entry.id.clone()));
        }
        self.ask(Asking::Begin)
    }

    fn ask(&mut self, asking: Asking) -> Option<Wish> {
        self.asking = Some((asking, String::new()));
        None
    }

    fn typing(&mut self, code: Code) -> Option<Wish> {
        let (asking, mut text) = self.asking.take()?;
        match code {
            Code::Esc => return None,
            Code::Enter => return self.typed(asking, text.trim()),
            Code::Backspace => drop(text.pop()),
            Code::Char(c) if text.len() < LONGEST => text.push(c),
            _ => {}
        }
        self.asking = Some((asking, text));
        None
    }

    fn typed(&mut self, asking: Asking, text: &str) -> Option<Wish> {
        let entry = self.chosen.clone();
        match asking {
            Asking::Begin if text == "y" => Some(Wish::Begin(entry)),
            Asking::Begin => {
                self.say("nothing was begun (expected `y`)", Tone::Muted);
                None
            }
            Asking::Done => Some(Wish::Done { entry, result: text.to_owned() }),
            Asking::Skip if text.is_empty() => {
                self.say("nothing was left out: it needs a reason", Tone::Warn);
                None
            }
            Asking::Skip => Some(Wish::Skip { entry, why: text.to_owned() }),
            Asking::Note if text.is_empty() => None,
            Asking::Note => Some(Wish::Note(text.to_owned())),
            Asking::End => Some(Wish::End(text.to_owned())),
        }
    }
}
