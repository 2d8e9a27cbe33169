//! What must hold after every step of a simulated run. Collects what does not hold, in words; changes nothing.

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::pending::Asked;
use crate::app::present::timers::all;
use crate::app::update::draft_name;
use crate::domain::escalation::timer::{TimerKind, TimerState};
use crate::domain::escalation::timers::newly_due;
use crate::domain::ids::{IncidentId, ReqId};
use crate::domain::incident::event::{Body, NewEvent};
use crate::domain::incident::state::Incident;
use crate::domain::time::{Timestamp, rfc3339};
use crate::run::sim::world::World;
use std::collections::{BTreeMap, BTreeSet};

/// How many findings are kept; one is enough to fail.
const MOST: usize = 20;

/// Finds what does not hold.
#[derive(Debug, Default)]
pub struct Checker {
    wrong: Vec<String>,
    /// Keys of due timers that were sent to the record and not answered, by request.
    ringing: BTreeMap<ReqId, BTreeSet<(IncidentId, String)>>,
    /// Keys that are on disk.
    rung: BTreeSet<(IncidentId, String)>,
}

/// What is remembered from before a message.
#[derive(Debug)]
pub struct Before {
    /// Timers that were over already.
    over: BTreeSet<(IncidentId, TimerKind)>,
}

impl Checker {
    /// What was found.
    pub fn wrong(&self) -> &[String] {
        &self.wrong
    }

    /// Notes something that does not hold.
    pub fn found(&mut self, now: Timestamp, what: String) {
        if self.wrong.len() < MOST {
            self.wrong.push(format!("{}: {what}", rfc3339(now)));
        }
    }

    /// To be called before a message is handled.
    pub fn before(&self, model: &Model) -> Before {
        Before { over: over(model) }
    }

    /// To be called after a message was handled, before its effects are performed. `arrived` is the request that the
    /// record answered with it, and whether it saved it.
    #[expect(clippy::too_many_arguments, reason = "a step is judged with everything that took part in it")]
    pub fn after(
        &mut self,
        model: &Model,
        now: Timestamp,
        before: &Before,
        effects: &[Effect],
        arrived: Option<(ReqId, bool)>,
        world: &World,
    ) {
        if let Some((req, saved)) = arrived
            && let Some(keys) = self.ringing.remove(&req)
            && saved
        {
            self.rung.extend(keys);
        }
        for effect in effects {
            if let Effect::Append { req, events } = effect {
                self.appended(model, now, before, *req, events);
            }
        }
        if model.desk.loaded && !model.setup.read_only {
            for timer in newly_due(&all(model, now)) {
                self.found(now, format!("{} is due since {} and was not told", timer.id, timer.due_at));
            }
        }
        self.timelines(model, now);
        if arrived.is_some() {
            self.folds(model, now, world);
        }
    }

    fn appended(&mut self, model: &Model, now: Timestamp, before: &Before, req: ReqId, events: &[NewEvent]) {
        let mut keys = BTreeSet::new();
        for event in events {
            if event.at > event.recorded_at {
                self.found(now, format!("{} happened after it was recorded", event.body.kind()));
            }
            let (Body::TimerDue { timer, .. }, Some(once)) = (&event.body, &event.once) else { continue };
            let key = (event.incident.clone(), once.clone());
            let ringing = self.ringing.values().any(|keys| keys.contains(&key));
            if ringing || self.rung.contains(&key) {
                self.found(now, format!("{once} fell due twice"));
            }
            let told_now = event.recorded_at == now;
            let derived = all(model, now).into_iter().find(|t| t.id == *timer);
            match derived {
                Some(timer) if told_now => {
                    // What was over and is not any more was reopened by this very message.
                    let mark = (timer.incident.clone(), timer.kind);
                    if before.over.contains(&mark) && over(model).contains(&mark) {
                        self.found(now, format!("{} fell due after it was over", timer.id));
                    }
                    if timer.due_at > now || timer.state != TimerState::Due || early(model, &timer.incident, once, now)
                    {
                        self.found(
                            now,
                            format!(
                                "{} fell due early: {} {:?} {}",
                                timer.id, timer.due_at, timer.state, timer.recorded
                            ),
                        );
                    }
                }
                None if told_now => self.found(now, format!("{timer} fell due and does not exist")),
                _ => {}
            }
            keys.insert(key);
        }
        if !keys.is_empty() {
            self.ringing.insert(req, keys);
        }
    }

    /// The shown timeline is in the order of the fold and holds nothing twice.
    fn timelines(&mut self, model: &Model, now: Timestamp) {
        for (id, case) in &model.desk.cases {
            if *id != case.shown.id || case.tail.iter().any(|e| e.incident != *id) {
                self.found(now, format!("{id} holds events of another incident"));
            }
            let ordered = case.tail.iter().zip(case.tail.iter().skip(1)).all(|(a, b)| a.rank() < b.rank());
            if !ordered {
                self.found(now, format!("the timeline of {id} is out of order"));
            }
            let provisional = case.unsaved.iter().flat_map(|(_, events)| events).any(|e| e.incident != *id);
            if provisional {
                self.found(now, format!("{id} would save events of another incident"));
            }
        }
    }

    /// What is shown is the fold of the record, once nothing is on its way.
    fn folds(&mut self, model: &Model, now: Timestamp, world: &World) {
        if model.pending.any(|a| matches!(a, Asked::Append(_))) || !world.record_is_idle() || model.unsaved() > 0 {
            return;
        }
        for (id, case) in &model.desk.cases {
            let folded = Incident::fold(&world.events(id));
            // What a neighbour wrote may not have been heard of.
            let behind = folded.as_ref().is_some_and(|f| f.events > case.shown.events);
            if !behind && folded.as_ref() != Some(&case.shown) {
                self.found(now, format!("{id} is not shown as the record has it"));
            }
        }
    }

    /// What must hold once the world was kind for a while.
    pub fn at_the_end(&mut self, model: &Model, now: Timestamp, world: &World) {
        if model.unsaved() > 0 || model.desk.trouble.is_some() {
            self.found(now, format!("{} event(s) not saved though the record works", model.unsaved()));
        }
        for (id, case) in &model.desk.cases {
            let events = world.events(id);
            if Incident::fold(&events).as_ref() != Some(&case.shown) {
                self.found(now, format!("{id} does not end as the record has it"));
            }
            let told = events.iter().filter(|e| matches!(e.body, Body::DraftWritten { .. })).count();
            let name = draft_name(model, &case.shown);
            let written = world.drafts().iter().any(|(n, _)| *n == name);
            if !case.shown.is_open() && (told != 1 || !written) {
                self.found(now, format!("{id} is resolved: {told} drafts told, written: {written}"));
            }
        }
    }
}

/// The timers that nobody may be bothered with any more.
fn over(model: &Model) -> BTreeSet<(IncidentId, TimerKind)> {
    let mut over = BTreeSet::new();
    for case in model.desk.cases.values() {
        let state = &case.shown;
        if state.times.acknowledged.is_some() {
            over.insert((state.id.clone(), TimerKind::Response));
        }
        if !state.is_open() {
            let kinds = TimerKind::ALL.into_iter().filter(|k| *k != TimerKind::Postmortem);
            over.extend(kinds.map(|k| (state.id.clone(), k)));
        }
    }
    over
}

/// Whether a response, or a first notice, was asked for before the severity table asks for it: reckoned here anew.
fn early(model: &Model, id: &IncidentId, once: &str, now: Timestamp) -> bool {
    let Some(state) = model.desk.cases.get(id).map(|c| &c.shown) else { return false };
    let Some(level) = model.setup.severities.level(&state.severity) else { return false };
    let after = match once.strip_prefix(&format!("due:{id}:")).unwrap_or("").split(':').next() {
        Some("response") => level.response,
        Some("stakeholders") => level.stakeholders,
        _ => None,
    };
    after.is_some_and(|after| state.times.declared + after > now)
}
