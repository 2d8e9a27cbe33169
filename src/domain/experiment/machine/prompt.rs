//! What a person is asked, and what their answer does. Everything that will be run is shown before it can be confirmed; Enter
//! alone confirms nothing.

use super::{Effect, Machine, Phase, Role};
use crate::domain::experiment::entry::{Body, Cause};
use crate::domain::experiment::model::Confirmation;
use crate::domain::time::{Timestamp, compact};

/// A question with everything that its answer is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Label and text.
    pub rows: Vec<(String, String)>,
    /// What is to be typed.
    pub ask: String,
}

/// Words that leave it.
const LEAVE: [&str; 5] = ["n", "no", "q", "quit", "stop"];

impl Machine {
    /// What a person is asked now.
    pub fn prompt(&self) -> Option<Prompt> {
        match &self.phase {
            Phase::Confirm(at) => Some(self.confirming(*at)),
            Phase::Environment => Some(self.beginning()),
            Phase::Question(at) => {
                let question = self.experiment.manual.get(*at)?;
                Some(Prompt {
                    rows: vec![("question".to_owned(), question.clone())],
                    ask: "is it so? `yes`, `no` or `unsure`".to_owned(),
                })
            }
            Phase::Owed => Some(self.owing()),
            _ => None,
        }
    }

    fn confirmation(&self, at: usize) -> Result<Confirmation, String> {
        let deed = self.experiment.method.get(at).ok_or_else(|| "there is nothing to confirm".to_owned())?;
        deed.confirmation(&self.experiment.book, &self.run, (&self.place.0, &self.place.1))
    }

    fn confirming(&self, at: usize) -> Prompt {
        let deed = self.experiment.method.get(at);
        let name = deed.map(|deed| deed.title()).unwrap_or_default();
        let many = self.experiment.method.len();
        let mut rows = vec![("method".to_owned(), format!("{} of {many}: {name}", at + 1))];
        match self.confirmation(at) {
            Ok(confirmation) => {
                rows.extend(confirmation.rows);
                let word = confirmation.token.unwrap_or_else(|| "y".to_owned());
                Prompt { rows, ask: format!("type `{word}` to confirm it; nothing runs yet; `stop` leaves") }
            }
            Err(why) => {
                rows.push(("refused".to_owned(), why));
                Prompt { rows, ask: "it cannot be run; `stop` leaves".to_owned() }
            }
        }
    }

    fn beginning(&self) -> Prompt {
        let it = &self.experiment;
        let mut rows = vec![("environment".to_owned(), it.blast.environment.clone())];
        if !it.blast.targets.is_empty() {
            rows.push(("targets".to_owned(), it.blast.targets.clone()));
        }
        let touched = self.watches.iter().find(|watch| watch.role == Role::Blast).map(|watch| watch.seen());
        let measured = match (touched, it.blast.unmeasured()) {
            (Some(seen), _) => format!("measured now: {seen}"),
            (None, why) => format!("NOT MEASURED: {}", why.unwrap_or_default()),
        };
        let limit = it.blast.limit().unwrap_or_else(|| "no share is given".to_owned());
        rows.push(("blast".to_owned(), format!("{limit}; {measured}")));
        for time in &it.halt_times {
            rows.push(("halted".to_owned(), format!("by {} at the latest", time.text)));
        }
        rows.push(("lasts".to_owned(), format!("{}, then it is taken back", compact(it.duration))));
        for deed in &it.rollback {
            rows.push(("rollback".to_owned(), format!("{} ({})", deed.line(), deed.risk.word())));
        }
        rows.push((
            "note".to_owned(),
            "the rollback runs by itself on every way out, and is not asked for again".to_owned(),
        ));
        Prompt { rows, ask: format!("type `{}` to begin; `stop` leaves", it.blast.environment) }
    }

    fn owing(&self) -> Prompt {
        let it = &self.experiment;
        let mut rows = vec![("environment".to_owned(), it.blast.environment.clone())];
        for done in self.record.done.iter().filter(|done| done.id.starts_with("method.")) {
            let how = match &done.ended {
                Some((_, Some(true), how)) => format!("done, {how}"),
                Some((_, _, how)) => how.clone(),
                None => "begun, its end is not known".to_owned(),
            };
            rows.push(("in force".to_owned(), format!("{} ({how})", done.shown)));
        }
        for deed in &it.rollback {
            let state = match self.record.done(&deed.id).map(|done| &done.ended) {
                Some(Some((_, Some(true), _))) => "done",
                Some(Some(_)) => "failed, is run again",
                Some(None) => "begun, its end is not known; is run again",
                None => "not run yet",
            };
            rows.push(("rollback".to_owned(), format!("{} ({state})", deed.line())));
        }
        Prompt { rows, ask: "type `y` to roll back now; `stop` leaves it owed".to_owned() }
    }

    /// What confirms what is asked; for a rehearsal, where nothing is run.
    pub fn expected(&self) -> Option<String> {
        match &self.phase {
            Phase::Confirm(at) => self.confirmation(*at).ok().map(|it| it.token.unwrap_or_else(|| "y".to_owned())),
            Phase::Environment => Some(self.experiment.blast.environment.clone()),
            Phase::Question(_) => Some("unsure".to_owned()),
            Phase::Owed => Some("y".to_owned()),
            _ => None,
        }
    }

    /// Whether a line halts it now: only while something is in force.
    pub fn halts(&self, text: &str) -> bool {
        let word = text.trim().to_ascii_lowercase();
        matches!(self.phase, Phase::Method(_) | Phase::Watching)
            && matches!(word.as_str(), "rollback" | "halt" | "stop" | "abort")
    }

    /// A person answered.
    pub(super) fn typed(&mut self, text: &str, now: Timestamp, effects: &mut Vec<Effect>) {
        // Enter alone is no answer to anything.
        if text.is_empty() {
            return;
        }
        let leaves = LEAVE.contains(&text.to_ascii_lowercase().as_str());
        let person = || Cause::Halted { by: self.place.1.clone() };
        match self.phase.clone() {
            Phase::Confirm(_) | Phase::Environment if leaves => {
                let cause = person();
                self.leave_before(cause, now, effects);
            }
            Phase::Confirm(at) => self.confirm(at, text, now, effects),
            Phase::Environment if text == self.experiment.blast.environment => {
                self.phase = Phase::Again;
                effects.push(Effect::AskFacts);
            }
            Phase::Environment => {
                self.say(
                    format!("`{text}` is not `{}`; nothing was begun", self.experiment.blast.environment),
                    effects,
                );
            }
            Phase::Question(at) => self.answer(at, text, now, effects),
            Phase::Owed if text == "y" => self.roll_back(now, effects),
            Phase::Owed if leaves => self.halt(person(), now, effects),
            Phase::Method(_) | Phase::Watching if self.halts(text) => self.halt(person(), now, effects),
            _ => {}
        }
    }

    fn confirm(&mut self, at: usize, text: &str, now: Timestamp, effects: &mut Vec<Effect>) {
        let Ok(confirmation) = self.confirmation(at) else {
            return self.say("it cannot be run as it stands", effects);
        };
        let wanted = confirmation.token.unwrap_or_else(|| "y".to_owned());
        if text != wanted {
            return self.say(format!("not confirmed (expected `{wanted}`, or `stop`)"), effects);
        }
        if let Some(deed) = self.experiment.method.get(at) {
            let body = Body::Confirmed { id: deed.id.clone(), shown: deed.line() };
            self.record(body, now, effects);
        }
        self.phase = if at + 1 < self.experiment.method.len() { Phase::Confirm(at + 1) } else { Phase::Environment };
    }

    fn answer(&mut self, at: usize, text: &str, now: Timestamp, effects: &mut Vec<Effect>) {
        let answer = match text.to_ascii_lowercase().as_str() {
            "y" | "yes" => Some(true),
            "n" | "no" => Some(false),
            "u" | "unsure" => None,
            _ => return self.say("expected `yes`, `no` or `unsure`", effects),
        };
        let Some(question) = self.experiment.manual.get(at).cloned() else { return };
        self.record(Body::Answered { question, answer }, now, effects);
        if at + 1 < self.experiment.manual.len() {
            self.phase = Phase::Question(at + 1);
        } else {
            self.finish(now, effects);
        }
    }
}
