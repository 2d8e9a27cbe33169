//! A responder who presses what comes to mind, a little more often what makes sense: for finding what no person would try.
//! Everything comes from a seed.

use crate::app::action::Action;
use crate::app::key::{Code, Key};
use crate::app::msg::Msg;
use crate::app::screen::Overlay;
use crate::domain::drill::chance::unit;
use crate::run::sim::Simulator;

/// Keys of somebody who is awake, the useful ones more often.
const KEYS: [&str; 48] = [
    "1", "3", "3", "3", "4", "6", "6", "7", "8", "i", "i", "a", "a", "n", "s", "v", "c", "m", "e", "T", "T", "r", "r",
    "r", "Enter", "Enter", "Enter", "d", "d", "y", "N", "f", "x", "p", "j", "j", "j", "k", "l", "h", "u", "L", "+",
    "Tab", "?", "/", "o", "b",
];
const TEXTS: [&str; 6] = ["db pool full", "x", "*é\u{202e}", "wait @-3m", "2", "rolled back, watching"];

/// A responder made of chance.
#[derive(Debug)]
pub struct Random {
    seed: u64,
    step: i64,
}

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, step: 0 }
    }

    fn draw(&self, stream: u64) -> f64 {
        unit(self.seed, 900 + stream, self.step)
    }

    fn pick(&self, of: &[&'static str], stream: u64) -> &'static str {
        of.get((self.draw(stream) * of.len() as f64) as usize).copied().unwrap_or("Esc")
    }

    /// One second of this responder: mostly nothing, sometimes a key, a word, a form.
    pub fn act(&mut self, sim: &mut Simulator) {
        self.step += 1;
        if self.draw(0) > 0.3 {
            return;
        }
        let key = |sim: &mut Simulator, name: &str| Key::parse(name).into_iter().for_each(|key| sim.key(key));
        match sim.model().nav.overlay.clone() {
            Some(Overlay::Confirm(confirm)) if self.draw(1) < 0.7 => {
                // Never out of the drill: quitting is for people.
                if matches!(confirm.deed, crate::app::confirm::Deed::Quit) {
                    return key(sim, "Esc");
                }
                sim.type_text(confirm.token.as_deref().unwrap_or("y"));
                sim.key(Key::plain(Code::Enter));
            }
            Some(Overlay::Form(form)) if self.draw(1) < 0.8 => {
                for (n, field) in (10..).step_by(2).zip(&form.fields) {
                    match field.choices.is_empty() {
                        true if field.line.is_empty() => sim.type_text(self.pick(&TEXTS, n)),
                        true => {}
                        false => key(sim, self.pick(&["1", "2", "3", "4", "5"], n + 1)),
                    }
                    sim.key(Key::plain(Code::Tab));
                }
                sim.key(Key::plain(Code::Enter));
            }
            Some(_) => key(sim, self.pick(&["Esc", "Enter", "j", "x"], 4)),
            None => match self.draw(5) {
                d if d < 0.05 => sim.send(Msg::Act(Action::Arm)),
                d if d < 0.06 => sim.send(Msg::Act(Action::Reopen)),
                d if d < 0.07 => sim.send(Msg::Act(Action::Undo)),
                d if d < 0.08 => sim.send(Msg::Act(Action::Hypothesis)),
                _ => key(sim, self.pick(&KEYS, 6)),
            },
        }
    }
}
