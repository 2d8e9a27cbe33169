//! A player's seat at a drill: a cockpit in the drill's process whose terminal is somewhere else. Keys come as lines, frames
//! go as lines. What needs a terminal of its own (an editor, a pager, a command with the terminal) it does not do; a player
//! who takes no bytes stops this seat alone.

use crate::app::deadline::next_deadline;
use crate::app::effect::Effect;
use crate::app::key::Key;
use crate::app::keymap::Keymap;
use crate::app::model::Model;
use crate::app::msg::{Msg, Reply};
use crate::app::present::view;
use crate::app::present::view::Tone;
use crate::app::update::update;
use crate::domain::drill::facilitation::{Answer, Joining, LONGEST_ASK, Shown, Typing};
use crate::domain::exec::{CommandEnd, CommandNews};
use crate::domain::text::{clean, truncate};
use crate::domain::time::Timestamp;
use crate::io::line_socket::{Heard, Wire};
use crate::run::drill::hall::Hall;
use crate::run::drill::table::Table;
use crate::run::engine::Engine;
use crate::run::terminal;
use crate::run::terminal::encode::{Encoding, frame};
use crate::run::tui::Looks;
use crate::run::world::{Now, Pace, wall};
use crate::ui::glyphs::Glyphs;
use crate::ui::theme::Theme;
use crate::ui::view::draw;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Frames that follow no key are drawn at most this often.
const CALM: Duration = Duration::from_millis(50);
/// The longest wait for anything.
const IDLE: Duration = Duration::from_secs(60);
/// Messages taken together before a frame.
const TOGETHER: usize = 4_096;
/// Of what is wrong with a player's settings so much is said.
const WRONG: usize = 5;
/// The largest terminal: more cells than any has, few enough to hold.
const LARGEST: (u16, u16) = (600, 250);

enum In {
    Msg(Msg),
    Typed(Typing),
    /// What was typed was not understood.
    Garbage(String),
    Gone,
}

/// Plays for whoever is at the other end, until they leave or the drill is over.
pub fn play(table: &Arc<Table>, mut wire: Wire, joining: Joining) {
    let (sender, inbox) = channel();
    let to_machine = sender.clone();
    let tell = Arc::new(move |msg: Msg| drop(to_machine.send(In::Msg(msg))));
    let hall = Arc::clone(table.hall());
    let number = match hall.sit(&joining.person, tell.clone()) {
        Ok(number) => number,
        // Whoever hangs up first is not answered.
        Err(why) => return drop(wire.say(&Answer::error(why).line())),
    };
    let mut ready = table.cockpit(&joining.person);
    own(&mut ready.model, &joining, (ready.world.now)());
    let (now, pace) = (ready.world.now.clone(), ready.pace);
    let ears = wire.twin().ok();
    let engine = Engine::start(ready.world, tell);
    let (Ok(engine), Some(ears), Some(looks)) = (engine, ears, looks(&joining)) else {
        hall.leave(number);
        return drop(wire.say(&Answer::error("the drill could not make a cockpit").line()));
    };
    let welcome = Answer { did: Some(format!("{} sits down", joining.person)), ..Answer::default() };
    let heard = std::thread::Builder::new().name("player".into()).spawn(move || listen(ears, &sender));
    if wire.say(&welcome.line()).is_ok() && heard.is_ok() {
        let mut seat = Seat {
            model: ready.model,
            engine: &engine,
            wire: &mut wire,
            hall: &hall,
            looks,
            now,
            pace,
            shown: Buffer::empty(Rect::new(0, 0, 0, 0)),
            full: true,
            end: None,
        };
        seat.resize(joining.size);
        seat.live(&inbox);
    }
    wire.hang_up();
    engine.stop(Duration::from_secs(2));
    hall.leave(number);
}

fn listen(mut ears: Wire, tell: &std::sync::mpsc::Sender<In>) {
    loop {
        let it = match ears.hear(LONGEST_ASK, None) {
            Heard::Line(line) => match serde_json::from_str(&line) {
                Ok(typed) => In::Typed(typed),
                Err(e) => In::Garbage(format!("not understood: {e}")),
            },
            Heard::TooLong => In::Garbage(format!("a line has at most {LONGEST_ASK} bytes")),
            Heard::NoText => In::Garbage("not understood: not UTF-8".into()),
            Heard::Nothing => continue,
            Heard::Closed => In::Gone,
        };
        let over = matches!(it, In::Gone);
        if tell.send(it).is_err() || over {
            return;
        }
    }
}

/// The player's own keys and zone. What of them cannot be used is said at the seat, and the rest is.
fn own(model: &mut Model, joining: &Joining, now: Timestamp) {
    let mut wrong = Vec::new();
    if !joining.zone.is_empty() {
        match joining.zone.parse() {
            Ok(zone) => model.setup.zone = zone,
            Err(_) => wrong.push(format!("`{}` is no time zone; times are those of the drill", joining.zone)),
        }
    }
    if let Some(keys) = &joining.keys {
        let (keymap, more) = Keymap::with(keys);
        model.setup.keymap = keymap;
        wrong.extend(more);
    }
    for why in wrong.into_iter().take(WRONG) {
        model.say(now, Tone::Warn, clean(&truncate(&why, 200)));
    }
}

fn looks(joining: &Joining) -> Option<Looks> {
    let theme = Theme::named(&joining.theme).or_else(|| Theme::named("adaptive"))?;
    let glyphs = Glyphs::named(&joining.glyphs).unwrap_or(Glyphs::Ascii);
    Some(Looks { theme, glyphs, synchronized: joining.synchronized })
}

struct Seat<'s> {
    model: Model,
    engine: &'s Engine,
    wire: &'s mut Wire,
    hall: &'s Hall,
    looks: Looks,
    now: Now,
    pace: Pace,
    shown: Buffer,
    full: bool,
    /// What is said last; `Some` ends.
    end: Option<String>,
}

impl Seat<'_> {
    fn live(&mut self, inbox: &Receiver<In>) {
        let mut dirty = true;
        let mut drawn = Duration::ZERO;
        let mut hurry = true;
        loop {
            if let Some(words) = self.hall.over().or_else(|| self.end.take()) {
                // The end is told as well as it can be.
                drop(self.say(&Shown::End(words)));
                return;
            }
            let running = crate::io::clock::running();
            if dirty && (hurry || running >= drawn + CALM) {
                if self.paint().is_err() {
                    return;
                }
                (dirty, hurry, drawn) = (false, false, crate::io::clock::running());
                continue;
            }
            let frame_at = dirty.then(|| (drawn + CALM).saturating_sub(running));
            let now = (self.now)();
            let due = next_deadline(&self.model, now, true).and_then(|at| wall(at - now, (self.pace)()));
            let wait = due.unwrap_or(IDLE).min(IDLE).min(frame_at.unwrap_or(IDLE)) + Duration::from_millis(1);
            let first = match inbox.recv_timeout(wait) {
                Ok(it) => Some(it),
                Err(RecvTimeoutError::Timeout) => {
                    self.step(Msg::Wake);
                    None
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            dirty = true;
            for it in first.into_iter().chain(inbox.try_iter().take(TOGETHER)) {
                hurry |= matches!(it, In::Typed(_));
                match it {
                    In::Msg(msg) => self.step(msg),
                    In::Typed(typed) => self.typed(typed),
                    In::Garbage(why) => {
                        if self.say(&Shown::Error(why)).is_err() {
                            return;
                        }
                    }
                    In::Gone => return,
                }
            }
        }
    }

    fn typed(&mut self, typed: Typing) {
        match typed {
            Typing::Keys(keys) => {
                for key in keys.iter().filter_map(|key| Key::parse(key).ok()) {
                    self.step(Msg::Key(key));
                }
            }
            Typing::Paste(text) => self.step(Msg::Paste(text)),
            Typing::Size(columns, rows) => self.resize((columns, rows)),
            Typing::Focus(focus) => self.step(Msg::Focus(focus)),
        }
    }

    fn resize(&mut self, (columns, rows): (u16, u16)) {
        self.full = true;
        self.step(Msg::Resized(columns.min(LARGEST.0), rows.min(LARGEST.1)));
    }

    fn step(&mut self, msg: Msg) {
        let effects = update(&mut self.model, (self.now)(), msg);
        for effect in effects {
            if let Some(ours) = self.engine.perform(effect) {
                self.ours(ours);
            }
        }
    }

    /// Effects that need a terminal.
    fn ours(&mut self, effect: Effect) {
        let now = (self.now)();
        match effect {
            Effect::Bell => self.show("\x07"),
            Effect::Title(title) => self.show(&format!("\x1b]2;{}\x07", clean(&title))),
            Effect::Redraw | Effect::Restyle(_) => self.full = true,
            Effect::Copy { req, text } => {
                if let Some(sequence) = terminal::clipboard(&text) {
                    self.show(&sequence);
                }
                let said = "sent to the clipboard (the terminal may refuse)".to_owned();
                self.step(Msg::Reply(req, Reply::Copied(Ok(said))));
            }
            Effect::RunTty { req, .. } => {
                let end = CommandEnd::never("a drill has no programs");
                self.step(Msg::Reply(req, Reply::Command(CommandNews::Ended(end))));
            }
            Effect::Edit(path) => self.model.say(now, Tone::Muted, format!("edit it in another terminal: {path}")),
            Effect::Page(_) => self.model.say(now, Tone::Muted, "the screen as text is for the drill's own terminal"),
            Effect::Suspend => self.model.say(now, Tone::Muted, "a seat in a drill is left, not suspended"),
            Effect::Quit(_) => self.end = Some("you left; the drill goes on without you".into()),
            other => tracing::error!(effect = ?other, "an effect that no seat carries out"),
        }
    }

    /// Bytes for the terminal; whoever is gone is noticed with the next frame.
    fn show(&mut self, bytes: &str) {
        drop(self.say(&Shown::Show(bytes.to_owned())));
    }

    fn say(&mut self, shown: &Shown) -> std::io::Result<()> {
        let line = serde_json::to_string(shown).map_err(std::io::Error::other)?;
        self.wire.say(&line)
    }

    fn paint(&mut self) -> std::io::Result<()> {
        let (columns, rows) = self.model.size;
        let area = Rect::new(0, 0, columns, rows);
        let mut wanted = Buffer::empty(area);
        draw(&view(&self.model, (self.now)()), &self.looks.theme, self.looks.glyphs, area, &mut wanted);
        let encoding = Encoding { synchronized: self.looks.synchronized };
        let bytes = frame(&self.shown, &wanted, std::mem::take(&mut self.full), encoding);
        self.shown = wanted;
        if !bytes.is_empty() {
            self.say(&Shown::Show(String::from_utf8_lossy(&bytes).into_owned()))?;
        }
        self.step(Msg::Painted);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::action::Action;
    use crate::run::sim::setup;

    fn sitting(joining: &Joining) -> Model {
        let mut model = Model::new(setup("bob"), Vec::new(), Vec::new());
        model.setup.zone = chrono_tz::Europe::Berlin;
        (model.setup.keymap, _) = Keymap::with(&[("quit".to_owned(), vec!["F9".to_owned()])].into());
        own(&mut model, joining, "2026-05-01T03:00:00Z".parse().unwrap());
        model
    }

    #[test]
    fn keys_and_zone_are_the_players_own() {
        // A player of an older program says neither: they are those of the drill's own cockpit.
        let old: Joining = serde_json::from_value(serde_json::json!({
            "person": "bob", "size": [80, 24], "theme": "dark", "glyphs": "ascii", "synchronized": true
        }))
        .unwrap();
        let model = sitting(&old);
        assert_eq!(
            (model.setup.zone, model.setup.keymap.key_of(Action::Quit).unwrap()),
            (chrono_tz::Europe::Berlin, "F9".into())
        );
        let own = Joining {
            zone: "Asia/Tokyo".into(),
            keys: Some([("quit".into(), vec!["F8".into()])].into()),
            ..old.clone()
        };
        let model = sitting(&own);
        assert_eq!(
            (model.setup.zone, model.setup.keymap.key_of(Action::Quit).unwrap()),
            (chrono_tz::Asia::Tokyo, "F8".into())
        );
        assert!(model.messages.is_empty());
        let plain = Joining { keys: Some(Default::default()), ..old.clone() };
        assert_ne!(
            sitting(&plain).setup.keymap.key_of(Action::Quit).unwrap(),
            "F9",
            "a player without settings has the table's"
        );
        let hostile = Joining {
            zone: "\u{1b}[2J".repeat(999),
            keys: Some((0..99).map(|n| (format!("x{n}"), vec![])).collect()),
            ..old
        };
        let model = sitting(&hostile);
        assert_eq!((model.setup.zone, model.messages.len()), (chrono_tz::Europe::Berlin, WRONG));
        assert!(model.messages.iter().all(|said| !said.text.contains('\u{1b}') && said.text.len() < 1_000));
    }
}
