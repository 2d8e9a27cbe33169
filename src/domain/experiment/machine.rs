//! The machine that goes through an experiment: what happened comes in with a time on it, what is to be done goes out as a
//! value. Preflight, guards, steady state, confirmation, method, watching, rollback, steady state again, questions. From the
//! first change on there is one way out, whatever opens it: every part of the rollback, in order. Runs nothing, reads no clock.
//!
//! `machine/phase.rs` has where it can be, `machine/watch.rs` what is looked at, `machine/doing.rs` the method and the
//! rollback, `machine/prompt.rs` what a person is asked.

mod doing;
mod phase;
mod prompt;
#[cfg(test)]
mod tests;
mod watch;

pub use phase::Phase;
pub use prompt::Prompt;
pub use watch::{Role, Watch};

use crate::domain::experiment::entry::{Body, Cause, Outcome};
use crate::domain::experiment::model::Experiment;
use crate::domain::experiment::preflight::{Facts, judge};
use crate::domain::experiment::record::Record;
use crate::domain::runbook::hold::Look;
use crate::domain::text::clean;
use crate::domain::time::{Span, Timestamp, compact, secs};
use doing::Doing;
use std::sync::Arc;

/// How long a part of the method that is being stopped is waited for. Whoever runs it has killed it long before.
const STOPPED: Span = Span::seconds(45);

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The world was asked.
    Facts(Facts),
    /// A condition was looked at; which, by its place in [`Machine::watches`].
    Looked(usize, Look),
    /// Whether an incident is open, or why that is not known.
    Incidents(Result<Vec<String>, String>),
    /// Something that was run is over.
    Ended {
        /// Which: `guard.1`, `method.1`, `rollback.1`.
        id: String,
        /// How.
        end: End,
    },
    /// A person typed an answer.
    Typed(String),
    /// It is to end, for this reason.
    Halt(Cause),
    /// Time went by.
    Wake,
}

/// How something ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// Done, failed, or unknown.
    pub ok: Option<bool>,
    /// `exit 0`.
    pub how: String,
    /// The first line of its output.
    pub first: String,
    /// Its last lines.
    pub excerpt: Vec<String>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Written to the journal before anything after it in the list is done.
    Record(Body),
    /// Ask for [`Facts`].
    AskFacts,
    /// Look at a condition.
    Look(usize),
    /// Look whether an incident is open.
    LookIncidents,
    /// Run a guard, a part of the method or of the rollback.
    Run(String),
    /// Stop what runs; its end is still awaited.
    Stop,
    /// Tell a person.
    Say(String),
    /// It is over.
    Over,
}

/// An experiment under way.
#[derive(Clone, Debug)]
pub struct Machine {
    experiment: Arc<Experiment>,
    run: String,
    record: Record,
    phase: Phase,
    watches: Vec<Watch>,
    /// When it must be taken back.
    ends: Option<Timestamp>,
    /// When a time of the file halts it, and which.
    halts: Option<(Timestamp, String)>,
    /// When the method was done.
    in_force: Option<Timestamp>,
    /// When incidents are looked at next, and whether an answer is awaited.
    incidents: (Timestamp, bool),
    /// Nobody is there any more: after the rollback nothing is waited for.
    hurried: bool,
    /// As whom and where things run, for what is shown.
    place: (String, String),
}

impl Machine {
    /// A run that begins. `place` is the host and the user, for what is shown.
    pub fn begin(
        experiment: Arc<Experiment>,
        run: &str,
        place: (String, String),
        now: Timestamp,
    ) -> (Self, Vec<Effect>) {
        let machine = Self::new(experiment, run, place, Record::default(), Phase::Preflight, now);
        (machine, vec![Effect::AskFacts])
    }

    /// A run whose process is gone and that owes its rollback.
    pub fn owed(
        experiment: Arc<Experiment>,
        run: &str,
        place: (String, String),
        record: Record,
        now: Timestamp,
    ) -> (Self, Vec<Effect>) {
        let mut machine = Self::new(experiment, run, place, record, Phase::Owed, now);
        let mut effects = Vec::new();
        if machine.record.cause.is_none() {
            machine.record(Body::Leaving { cause: Cause::Killed }, now, &mut effects);
        }
        (machine, effects)
    }

    fn new(
        experiment: Arc<Experiment>,
        run: &str,
        place: (String, String),
        record: Record,
        phase: Phase,
        now: Timestamp,
    ) -> Self {
        Self {
            watches: watch::all(&experiment, now),
            experiment,
            run: run.to_owned(),
            record,
            phase,
            ends: None,
            halts: None,
            in_force: None,
            incidents: (now, false),
            hurried: false,
            place,
        }
    }

    /// The experiment.
    pub fn experiment(&self) -> &Arc<Experiment> {
        &self.experiment
    }

    /// The run's name.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Where it is.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// What its journal says.
    pub fn journal(&self) -> &Record {
        &self.record
    }

    /// What is looked at: steady, abort, success, in the order of the file.
    pub fn watches(&self) -> &[Watch] {
        &self.watches
    }

    /// When it must be taken back.
    pub fn ends(&self) -> Option<Timestamp> {
        self.ends
    }

    /// Takes in what happened.
    pub fn step(&mut self, now: Timestamp, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Facts(facts) => self.facts(&facts, now, &mut effects),
            Input::Looked(at, look) => self.looked(at, look, now),
            Input::Incidents(found) => self.incidents(found, now, &mut effects),
            Input::Ended { id, end } => self.ended(&id, end, now, &mut effects),
            Input::Typed(text) => self.typed(text.trim(), now, &mut effects),
            Input::Halt(cause) => self.halt(cause, now, &mut effects),
            Input::Wake => {}
        }
        self.advance(now, &mut effects);
        effects
    }

    /// When it wants to be woken; `None` while only an answer moves it.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let looks = self.active().filter(|w| !w.asked).map(|w| w.next);
        let mut all: Vec<Timestamp> = looks.collect();
        if self.phase.watched() {
            all.extend(self.ends);
            all.extend(self.halts.as_ref().map(|(at, _)| *at));
            let aborts = self.watches.iter().filter(|watch| watch.role.ends());
            all.extend(aborts.map(|watch| watch.known + self.experiment.no_data));
            if !self.incidents.1 {
                all.push(self.incidents.0);
            }
        }
        match &self.phase {
            Phase::Steady(since) => all.push(*since + self.patience()),
            Phase::Recovery(since) => all.push(*since + self.experiment.recovery),
            Phase::Method(doing) | Phase::Rollback(doing) => all.extend(doing.until()),
            Phase::Stopping(until) => all.push(*until),
            _ => {}
        }
        all.into_iter().min()
    }

    /// Conditions that are looked at in this phase.
    fn active(&self) -> impl Iterator<Item = &Watch> {
        let phase = &self.phase;
        self.watches.iter().filter(move |watch| watch.is_active(phase))
    }

    /// What time alone moves.
    fn advance(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        match &self.phase {
            Phase::Steady(since) => self.steady(*since, now, effects),
            Phase::Method(_) | Phase::Watching => match self.wants_out(now) {
                Some(cause) => self.leave(cause, now, effects),
                None => self.carry_on(now, effects),
            },
            Phase::Stopping(until) if now >= *until => {
                self.say("what runs does not end; it is taken back without waiting for it", effects);
                self.roll_back(now, effects);
            }
            Phase::Rollback(_) => self.carry_on(now, effects),
            Phase::Recovery(since) => self.recovery(*since, now, effects),
            _ => {}
        }
        self.look(now, effects);
    }

    /// Asks for what is due.
    fn look(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let phase = self.phase.clone();
        for (at, watch) in self.watches.iter_mut().enumerate() {
            if watch.is_active(&phase) && !watch.asked && watch.next <= now {
                watch.asked = true;
                effects.push(Effect::Look(at));
            }
        }
        if phase.watched() && !self.incidents.1 && self.incidents.0 <= now {
            self.incidents.1 = true;
            effects.push(Effect::LookIncidents);
        }
    }

    fn looked(&mut self, at: usize, look: Look, now: Timestamp) {
        let every = self.experiment.every;
        let judged = matches!(self.phase, Phase::Watching);
        if let Some(watch) = self.watches.get_mut(at) {
            watch.take(now, look, every, judged);
        }
    }

    fn record(&mut self, body: Body, now: Timestamp, effects: &mut Vec<Effect>) {
        self.record.apply(now, &body);
        effects.push(Effect::Record(body));
    }

    fn say(&self, text: impl AsRef<str>, effects: &mut Vec<Effect>) {
        effects.push(Effect::Say(clean(text.as_ref()).into_owned()));
    }

    fn facts(&mut self, facts: &Facts, now: Timestamp, effects: &mut Vec<Effect>) {
        let again = match self.phase {
            Phase::Preflight => false,
            Phase::Again => true,
            _ => return,
        };
        let mut verdict = judge(&self.experiment, facts, now);
        if again {
            verdict.refused.extend(self.not_ready(now));
        }
        if !verdict.refused.is_empty() {
            return self.refuse(verdict.refused, now, effects);
        }
        if again {
            return self.start(now, effects);
        }
        verdict.found.iter().for_each(|found| self.say(found, effects));
        self.record(Body::Checked { found: verdict.found }, now, effects);
        self.guard(0, now, effects);
    }

    /// The next guard, or what comes after them.
    fn guard(&mut self, at: usize, now: Timestamp, effects: &mut Vec<Effect>) {
        match self.experiment.book.guards.get(at) {
            Some(guard) => {
                effects.push(Effect::Run(guard.command.id.clone()));
                self.phase = Phase::Guard(at);
            }
            None => {
                self.watches.iter_mut().for_each(|watch| watch.reset(now));
                self.phase = Phase::Steady(now);
                self.say("looking whether the steady state holds", effects);
            }
        }
    }

    fn guarded(&mut self, at: usize, end: &End, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(probe) = self.experiment.book.guards.get(at) else { return };
        let (ok, found) = crate::domain::runbook::gate::probed(probe, end.ok, &end.first);
        let id = probe.command.id.clone();
        let forbids = &self.experiment.blast.forbid;
        let named = forbids.iter().find(|(word, _)| crate::domain::experiment::lint::has_word(&end.first, word));
        let refused = match named {
            Some((word, _)) => Some(format!("{id} finds `{word}`, which `blast_radius` forbids")),
            None if !ok => Some(format!("NOT HERE: {found}")),
            None => None,
        };
        self.record(Body::Guard { id, ok: refused.is_none(), found: found.clone() }, now, effects);
        match refused {
            Some(why) => self.refuse(vec![why], now, effects),
            None => {
                self.say(format!("guard holds: {found}"), effects);
                self.guard(at + 1, now, effects);
            }
        }
    }

    /// Whether the steady state has held for long enough, and nothing that would end it is so.
    fn steady(&mut self, since: Timestamp, now: Timestamp, effects: &mut Vec<Effect>) {
        let every = self.experiment.every;
        let mut why = Vec::new();
        for watch in &self.watches {
            let late = now - since >= watch.within(&self.experiment);
            match watch.role {
                Role::Steady if !watch.has_held(now) && late => why.push(format!("not steady: {}", watch.seen_words())),
                Role::Abort if watch.is_breached() => {
                    why.push(format!("an abort condition holds already: {}", watch.seen_words()));
                }
                Role::Blast if watch.is_breached() => {
                    why.push(format!("more is touched already than may be: {}", watch.seen_words()));
                }
                Role::Abort | Role::Blast if !watch.is_known(now, every) && now - since >= self.patience() => {
                    why.push(format!("nothing is known of {}", watch.seen_words()));
                }
                _ => {}
            }
        }
        if !why.is_empty() {
            self.tell_steady(false, now, effects);
            return self.refuse(why, now, effects);
        }
        let ready = self.watches.iter().all(|watch| match watch.role {
            Role::Steady => watch.has_held(now),
            Role::Abort | Role::Blast => watch.is_known(now, every),
            Role::Success => true,
        });
        if ready {
            self.tell_steady(false, now, effects);
            self.say("the steady state holds", effects);
            self.phase = Phase::Confirm(0);
        }
    }

    /// The longest that the steady state is waited for before it begins.
    fn patience(&self) -> Span {
        self.experiment.steady.iter().map(|steady| steady.within).max().unwrap_or_else(|| secs(60))
    }

    fn tell_steady(&mut self, after: bool, now: Timestamp, effects: &mut Vec<Effect>) {
        let told: Vec<Body> = self
            .watches
            .iter()
            .filter(|watch| watch.role == Role::Steady)
            .map(|watch| Body::Steady {
                after,
                name: watch.name.clone(),
                since: watch.since.filter(|_| watch.has_held(now)),
                seen: watch.seen(),
            })
            .collect();
        told.into_iter().for_each(|body| self.record(body, now, effects));
    }

    /// What changed while it was being confirmed.
    fn not_ready(&self, now: Timestamp) -> Vec<String> {
        let every = self.experiment.every;
        let mut why = Vec::new();
        for watch in &self.watches {
            match watch.role {
                Role::Steady if watch.since.is_none() || !watch.is_known(now, every) => {
                    why.push(format!("not steady any more: {}", watch.seen_words()));
                }
                Role::Abort if watch.is_breached() || !watch.is_known(now, every) => {
                    why.push(format!("abort condition: {}", watch.seen_words()));
                }
                Role::Blast if watch.is_breached() || !watch.is_known(now, every) => {
                    why.push(format!("the blast radius: {}", watch.seen_words()));
                }
                _ => {}
            }
        }
        why
    }

    fn refuse(&mut self, why: Vec<String>, now: Timestamp, effects: &mut Vec<Effect>) {
        why.iter().for_each(|why| self.say(format!("refused: {why}"), effects));
        self.record(Body::Refused { why }, now, effects);
        self.close(Outcome::Refused, now, effects);
    }

    /// From the environment's name on: the journal says that a rollback will be owed, then the first change.
    fn start(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let rollback = self.experiment.rollback.iter().map(|deed| deed.line()).collect();
        self.record(Body::Begun { rollback }, now, effects);
        self.tell_touched(now, effects);
        self.ends = Some(now + self.experiment.duration);
        let times = self.experiment.halt_times.iter();
        self.halts = times.filter_map(|time| time.after(now).map(|at| (at, time.words(at)))).min();
        self.incidents = (now, false);
        self.watches.iter_mut().for_each(|watch| watch.known = watch.known.max(now));
        self.phase = Phase::Method(Doing::at(0, &self.experiment.method, now));
        self.say(format!("begun; it is taken back in {} at the latest", compact(self.experiment.duration)), effects);
    }

    fn incidents(&mut self, found: Result<Vec<String>, String>, now: Timestamp, effects: &mut Vec<Effect>) {
        self.incidents = (now + self.experiment.every, false);
        if !self.phase.watched() {
            return;
        }
        match found {
            Ok(open) if open.is_empty() => {}
            Ok(open) => self.leave(Cause::Incident { what: format!("{} is open", open.join(", ")) }, now, effects),
            Err(why) => {
                let what = format!("whether one is open is not known: {why}");
                self.leave(Cause::Incident { what }, now, effects);
            }
        }
    }

    /// What ends it now, if anything does. Its own time comes last: what went wrong is the better reason.
    fn wants_out(&self, now: Timestamp) -> Option<Cause> {
        for watch in self.watches.iter().filter(|watch| watch.is_breached()) {
            match watch.role {
                Role::Abort => return Some(Cause::Condition { name: watch.name.clone(), seen: watch.seen() }),
                Role::Blast => return Some(Cause::Blast { limit: watch.name.clone(), seen: watch.seen() }),
                Role::Steady | Role::Success => {}
            }
        }
        // What is tried may well be what a steady condition looks at; but what would end it must be seen.
        for watch in self.watches.iter().filter(|watch| watch.role.ends()) {
            if now - watch.known >= self.experiment.no_data {
                return Some(Cause::NoData { name: watch.name.clone(), seen: watch.seen() });
            }
        }
        let ends = self.ends.filter(|ends| now >= *ends);
        if let Some((at, what)) = self.halts.as_ref().filter(|(at, _)| now >= *at)
            && ends.is_none_or(|ends| *at < ends)
        {
            return Some(Cause::HaltTime { what: what.clone() });
        }
        ends.map(|_| Cause::TimeUp)
    }

    /// What is touched, as far as it is measured.
    fn tell_touched(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let blast = &self.experiment.blast;
        let seen = self.watches.iter().find(|watch| watch.role == Role::Blast).map(Watch::seen);
        let why = blast.unmeasured().unwrap_or_default().to_owned();
        self.record(Body::Touched { limit: blast.limit(), seen, why }, now, effects);
    }

    /// It is to end, whoever says so.
    fn halt(&mut self, cause: Cause, now: Timestamp, effects: &mut Vec<Effect>) {
        let alone = matches!(cause, Cause::Signal { .. });
        self.hurried |= alone;
        match self.phase.clone() {
            Phase::Method(_) | Phase::Watching => self.leave(cause, now, effects),
            Phase::Stopping(_) | Phase::Rollback(_) => {
                self.say("the rollback goes on; it is not stopped", effects);
            }
            Phase::Recovery(_) => self.recovered(now, effects),
            Phase::Question(_) => self.finish(now, effects),
            // It stays owed, and is offered again.
            Phase::Owed => {
                self.phase = Phase::Over;
                effects.push(Effect::Over);
            }
            Phase::Over => {}
            Phase::Guard(_) => {
                effects.push(Effect::Stop);
                self.leave_before(cause, now, effects);
            }
            _ => self.leave_before(cause, now, effects),
        }
    }

    /// Before anything was changed there is nothing to take back.
    fn leave_before(&mut self, cause: Cause, now: Timestamp, effects: &mut Vec<Effect>) {
        self.say(format!("left: {}; nothing was changed", cause.words()), effects);
        self.record(Body::Leaving { cause }, now, effects);
        self.close(Outcome::Left, now, effects);
    }

    /// The one way out.
    fn leave(&mut self, cause: Cause, now: Timestamp, effects: &mut Vec<Effect>) {
        let running = matches!(&self.phase, Phase::Method(doing) if doing.is_running());
        self.say(format!("ending: {}", cause.words()), effects);
        self.record(Body::Leaving { cause }, now, effects);
        self.tell_touched(now, effects);
        self.judge_criteria(now, effects);
        if running {
            effects.push(Effect::Stop);
            self.phase = Phase::Stopping(now + STOPPED);
        } else if self.record.changed() {
            self.roll_back(now, effects);
        } else {
            // It began, and its first pause was not over.
            self.say("nothing was changed yet", effects);
            self.close(Outcome::Left, now, effects);
        }
    }

    fn judge_criteria(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let judged: Vec<Body> = self
            .watches
            .iter()
            .filter(|watch| watch.role == Role::Success)
            .map(|watch| {
                let (met, seen) = watch.criterion(self.in_force.is_some(), now, self.experiment.every);
                Body::Judged { name: watch.name.clone(), met, seen }
            })
            .collect();
        judged.into_iter().for_each(|body| self.record(body, now, effects));
    }

    fn recovery(&mut self, since: Timestamp, now: Timestamp, effects: &mut Vec<Effect>) {
        let steady = |watch: &&Watch| watch.role == Role::Steady;
        let held = self.watches.iter().filter(steady).all(|watch| watch.has_held(now));
        if held || now - since >= self.experiment.recovery {
            let words =
                if held { "the steady state is back" } else { "THE STEADY STATE IS NOT BACK: look for yourself" };
            self.say(words, effects);
            self.recovered(now, effects);
        }
    }

    /// After the look at what came back, whatever it saw.
    fn recovered(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.tell_steady(true, now, effects);
        if self.hurried || self.experiment.manual.is_empty() || !matches!(self.phase, Phase::Recovery(_)) {
            return self.finish(now, effects);
        }
        self.phase = Phase::Question(0);
    }

    /// Everything that could be known is known.
    fn finish(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let outcome = match (self.record.owes_rollback(), self.record.cause.as_ref().map(|(_, cause)| cause)) {
            (true, _) => Outcome::RollbackFailed,
            (false, Some(Cause::TimeUp)) => Outcome::Completed,
            (false, _) => Outcome::Aborted,
        };
        self.close(outcome, now, effects);
    }

    fn close(&mut self, outcome: Outcome, now: Timestamp, effects: &mut Vec<Effect>) {
        let hypothesis = self.record.hypothesis();
        self.record(Body::Closed { outcome, hypothesis }, now, effects);
        self.phase = Phase::Over;
        effects.push(Effect::Over);
    }
}
