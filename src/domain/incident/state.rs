//! The fold: events in, the present out. Folding the same set in its total order gives one state, whatever the order in
//! which the events arrived.

pub use crate::domain::incident::parts::{
    ActionItem, ActionType, CommandRun, LinkedAlert, Outside, StepMark, TimerMark, Walk,
};

use crate::domain::ids::{Fingerprint, IncidentId, RunbookId, SloId, SourceName, TimerId};
use crate::domain::incident::board::Board;
use crate::domain::incident::change::{Approval, Change};
use crate::domain::incident::event::{Body, BudgetSample, Event, EventKey, Role, Status, StepEnd};
use crate::domain::incident::linked::Linked;
use crate::domain::incident::mark::{Mark, Marks};
use crate::domain::incident::redaction::{left, redactions};
use crate::domain::incident::room::IncidentRoom;
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::OpId;
use crate::domain::severity::Severity;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// An incident as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// Its title.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// Every severity it had, with when and why.
    pub severities: Vec<(Timestamp, Severity, String)>,
    /// Where it stands.
    pub status: Status,
    /// What it hits.
    pub service: Option<String>,
    /// What noticed it.
    pub detected_by: Option<String>,
    /// The instants of its life.
    pub times: Times,
    /// Who declared it.
    pub declared_by: String,
    /// Who has which role.
    pub roles: BTreeMap<Role, String>,
    /// Alerts that belong to it.
    pub alerts: BTreeMap<Fingerprint, LinkedAlert>,
    /// Objectives that belong to it.
    pub objectives: BTreeSet<SloId>,
    /// What each objective cost, newest sample.
    pub budget: BTreeMap<SloId, BudgetSample>,
    /// Runbooks opened for it.
    pub walks: BTreeMap<RunbookId, Walk>,
    /// The runbook opened last.
    pub runbook: Option<RunbookId>,
    /// Commands by run, in order of their start.
    pub commands: Vec<CommandRun>,
    /// What commands changed, in order of their start.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// Second persons that were asked.
    #[serde(default)]
    pub approvals: Vec<Approval>,
    /// What was decided about timers.
    pub timers: BTreeMap<TimerId, TimerMark>,
    /// What is to be done afterwards.
    pub actions: Vec<ActionItem>,
    /// Corrections and retractions by the event they are about; the newest wins.
    pub amended: BTreeMap<String, Amendment>,
    /// Marks of entries, by the event they are on.
    #[serde(default)]
    pub marks: BTreeMap<String, Marks>,
    /// Events whose text was taken out, and why.
    #[serde(default)]
    pub redacted: BTreeMap<String, String>,
    /// What was to leave the house, by operation, in the order of their making.
    #[serde(default)]
    pub outside: BTreeMap<OpId, Outside>,
    /// What its commander keeps.
    #[serde(default)]
    pub board: Board,
    /// Incidents of paging products that belong to it, in the order in which they were linked.
    #[serde(default)]
    pub pages: Vec<Linked>,
    /// Its rooms, by chat.
    #[serde(default)]
    pub rooms: BTreeMap<SourceName, IncidentRoom>,
    /// How many events were folded.
    pub events: u64,
    /// The rank of the last event folded.
    pub last: (u64, String, u64),
}

/// What became of an earlier event's text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amendment {
    /// Its right text.
    Corrected(String),
    /// It does not hold, and why.
    Retracted(String),
}

/// The instants of an incident's life; `None` has not happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// It was noticed.
    pub detected: Option<Timestamp>,
    /// It was declared.
    pub declared: Timestamp,
    /// Somebody took it.
    pub acknowledged: Option<Timestamp>,
    /// The first act of a person after the declaration.
    pub responded: Option<Timestamp>,
    /// The pain stopped.
    pub mitigated: Option<Timestamp>,
    /// It is over.
    pub resolved: Option<Timestamp>,
    /// Stakeholders were told first.
    pub first_update: Option<Timestamp>,
    /// Stakeholders were told last.
    pub last_update: Option<Timestamp>,
}

/// Whether an event is a person taking up the incident, and not a part of its declaration.
fn answers(body: &Body) -> bool {
    !matches!(
        body,
        Body::Declared { .. }
            | Body::AlertLinked { .. }
            | Body::ObjectiveLinked { .. }
            | Body::BackendLinked(_)
            | Body::Cockpit { .. }
            | Body::Imported(_)
    )
}

/// The key of an event as text, for maps.
pub fn key_text(key: &EventKey) -> String {
    format!("{}#{}", key.origin, key.seq)
}

impl Incident {
    /// Folds a whole log. `None` when no event declares it. Sorts; the input may be in any order and hold duplicates.
    pub fn fold<'e>(events: impl IntoIterator<Item = &'e Event>) -> Option<Self> {
        let mut sorted: Vec<&Event> = events.into_iter().collect();
        sorted.sort_by(|a, b| a.rank().cmp(&b.rank()));
        sorted.dedup_by(|a, b| a.key == b.key);
        // One copy of the log may still have a text that another one has taken out: it is gone in both.
        let taken_out = redactions(sorted.iter().copied());
        let mut state: Option<Self> = None;
        for event in sorted {
            let left = if taken_out.is_empty() { None } else { left(event, &taken_out) };
            let event = &left.map_or(Cow::Borrowed(event), |body| Cow::Owned(Event { body, ..event.clone() }));
            match &mut state {
                Some(state) => state.apply(event),
                None => state = Self::begin(event),
            }
        }
        state
    }

    /// The state after the event that declares it.
    pub fn begin(event: &Event) -> Option<Self> {
        let Body::Declared { title, severity, service, detected_by, detected_at } = &event.body else { return None };
        let times = Times {
            detected: *detected_at,
            declared: event.at,
            acknowledged: None,
            responded: None,
            mitigated: None,
            resolved: None,
            first_update: None,
            last_update: None,
        };
        let mut board = Board::default();
        board.apply(event);
        Some(Self {
            id: event.incident.clone(),
            title: title.clone(),
            severity: severity.clone(),
            severities: vec![(event.at, severity.clone(), "declared".to_owned())],
            status: Status::Investigating,
            service: service.clone(),
            detected_by: detected_by.clone(),
            times,
            declared_by: event.actor.clone(),
            roles: BTreeMap::new(),
            alerts: BTreeMap::new(),
            objectives: BTreeSet::new(),
            budget: BTreeMap::new(),
            walks: BTreeMap::new(),
            runbook: None,
            commands: Vec::new(),
            changes: Vec::new(),
            approvals: Vec::new(),
            timers: BTreeMap::new(),
            actions: Vec::new(),
            amended: BTreeMap::new(),
            marks: BTreeMap::new(),
            redacted: BTreeMap::new(),
            outside: BTreeMap::new(),
            board,
            pages: Vec::new(),
            rooms: BTreeMap::new(),
            events: 1,
            last: (event.order, event.key.origin.0.clone(), event.key.seq),
        })
    }

    /// Whether it was not over before an instant: what it hurts ends with its mitigation.
    pub fn lasted_to(&self, from: Timestamp) -> bool {
        self.times.mitigated.or(self.times.resolved).is_none_or(|end| end >= from)
    }

    /// Whether it is over.
    pub fn is_open(&self) -> bool {
        self.status != Status::Resolved
    }

    /// Whether an event comes after everything folded so far, so that [`Self::apply`] may be used without a new fold.
    pub fn precedes(&self, event: &Event) -> bool {
        (self.last.0, self.last.1.as_str(), self.last.2) < (event.order, event.key.origin.as_str(), event.key.seq)
    }

    /// Takes in the next event.
    pub fn apply(&mut self, event: &Event) {
        self.events += 1;
        self.last = (event.order, event.key.origin.0.clone(), event.key.seq);
        if self.times.responded.is_none() && event.actor != "midwatch" && answers(&event.body) {
            self.times.responded = Some(event.at);
        }
        self.board.apply(event);
        match &event.body {
            // What the board alone knows, and what changes nothing.
            Body::Task(_)
            | Body::Deciding(_)
            | Body::HypothesisJudged { .. }
            | Body::Ticked { .. }
            | Body::Tied { .. }
            | Body::Presence { .. }
            | Body::Declared { .. }
            | Body::Cockpit { .. }
            | Body::DraftWritten { .. }
            | Body::BandCrossed(_)
            | Body::Note { .. }
            | Body::Imported(_)
            | Body::Unknown(_) => {}
            Body::Marked { of, mark, on } => self.mark(of, mark, *on),
            Body::Redacted(redaction) => {
                self.redacted.insert(key_text(&redaction.of), redaction.reason.clone());
            }
            Body::Acknowledged => {
                self.times.acknowledged.get_or_insert(event.at);
            }
            Body::RoleSet { role, person } => match person {
                Some(person) => drop(self.roles.insert(*role, person.clone())),
                None => drop(self.roles.remove(role)),
            },
            Body::SeveritySet { to, reason } => {
                self.severity = to.clone();
                self.severities.push((event.at, to.clone(), reason.clone()));
            }
            Body::StatusSet { to, message } => self.set_status(*to, message.is_some(), event.at),
            Body::Mitigated => self.times.mitigated = Some(event.at),
            Body::Resolved { .. } => {
                self.status = Status::Resolved;
                self.times.resolved = Some(event.at);
                self.times.mitigated.get_or_insert(event.at);
            }
            Body::Reopened { .. } => {
                self.status = Status::Investigating;
                self.times.resolved = None;
                self.times.mitigated = None;
            }
            Body::Update { .. } => self.told(event.at),
            Body::ActionItem { text, owner, due, does } => self.actions.push(ActionItem {
                key: event.key.clone(),
                text: text.clone(),
                owner: owner.clone(),
                due: due.clone(),
                does: *does,
            }),
            Body::Corrected { of, text } => self.amend(of, Amendment::Corrected(text.clone())),
            Body::Retracted { of, reason } => self.amend(of, Amendment::Retracted(reason.clone())),
            Body::BudgetSampled(sample) => drop(self.budget.insert(sample.slo.clone(), sample.clone())),
            Body::ObjectiveLinked { slo } => drop(self.objectives.insert(slo.clone())),
            Body::AlertLinked { .. } | Body::AlertChanged { .. } | Body::AlertAnnotated { .. } => {
                self.apply_alert(&event.body);
            }
            Body::CommandStarted(_) | Body::CommandFinished(_) => self.apply_command(event),
            Body::RunbookOpened { .. }
            | Body::StepEnded { .. }
            | Body::CheckAnswered { .. }
            | Body::OptionChosen { .. }
            | Body::InputGiven { .. }
            | Body::ValueCaptured { .. }
            | Body::GuardChecked { .. } => {
                self.apply_walk(event);
            }
            Body::ChangeApplied { .. }
            | Body::RolledBack { .. }
            | Body::VerifyStarted(_)
            | Body::VerifyHeld { .. }
            | Body::VerifyFailed { .. }
            | Body::ApprovalAsked(_)
            | Body::ApprovalGiven { .. } => self.apply_change(event),
            Body::TimerDue { .. }
            | Body::TimerSnoozed { .. }
            | Body::TimerDismissed { .. }
            | Body::Escalated { .. } => {
                self.apply_timer(event);
            }
            Body::Outgoing(_) | Body::OutgoingOutcome { .. } | Body::RoomMessage { .. } => self.apply_outside(event),
            Body::BackendLinked(_) | Body::BackendUnlinked { .. } | Body::BackendLogged(_) => self.apply_page(event),
        }
    }

    /// What leaves the house. Until the record gave it an id, an operation cannot be told from another one.
    fn apply_outside(&mut self, event: &Event) {
        match &event.body {
            Body::Outgoing(op) if !op.id.as_str().is_empty() => {
                let outside = Outside {
                    target: op.target.clone(),
                    capability: op.intent.capability(),
                    words: op.intent.words(),
                    at: event.at,
                    end: None,
                    about: op.about.clone(),
                };
                self.outside.entry(op.id.clone()).or_insert(outside);
                if let Intent::Chat(write) = &op.intent {
                    self.rooms.entry(op.target.clone()).or_default().asked(event, op, write);
                }
            }
            Body::OutgoingOutcome { op, target, capability, words, end } => {
                let outside = self.outside.entry(op.clone()).or_insert_with(|| Outside {
                    target: target.clone(),
                    capability: *capability,
                    words: words.clone(),
                    at: event.at,
                    end: None,
                    about: None,
                });
                outside.end = Some(end.clone());
                self.opened(event);
                if let Some(room) = self.rooms.get_mut(target) {
                    room.ended(op, end);
                }
            }
            Body::RoomMessage { target, message, pinned, .. } => {
                let taken = &mut self.rooms.entry(target.clone()).or_default().taken;
                *taken.entry(message.clone()).or_default() |= *pinned;
            }
            _ => {}
        }
    }

    fn set_status(&mut self, to: Status, told: bool, at: Timestamp) {
        if self.status == Status::Monitoring && to < Status::Monitoring {
            // It did not hold.
            self.times.mitigated = None;
        }
        self.status = to;
        match to {
            Status::Monitoring => drop(self.times.mitigated.get_or_insert(at)),
            Status::Resolved => {
                self.times.resolved = Some(at);
                self.times.mitigated.get_or_insert(at);
            }
            _ => {}
        }
        if told {
            self.told(at);
        }
    }

    fn told(&mut self, at: Timestamp) {
        self.times.first_update.get_or_insert(at);
        self.times.last_update = Some(self.times.last_update.map_or(at, |last| last.max(at)));
    }

    fn mark(&mut self, of: &EventKey, mark: &Mark, on: bool) {
        let marks = self.marks.entry(key_text(of)).or_default();
        marks.set(mark, on);
        if marks.is_empty() {
            self.marks.remove(&key_text(of));
        }
    }

    fn amend(&mut self, of: &EventKey, amendment: Amendment) {
        if let Some(item) = self.actions.iter_mut().find(|item| item.key == *of) {
            match &amendment {
                Amendment::Corrected(text) => item.text.clone_from(text),
                Amendment::Retracted(_) => self.actions.retain(|item| item.key != *of),
            }
        }
        self.amended.insert(key_text(of), amendment);
    }

    fn apply_alert(&mut self, body: &Body) {
        match body {
            Body::AlertLinked { fingerprint, name, labels, started_at } => {
                let linked = LinkedAlert {
                    name: name.clone(),
                    labels: labels.clone(),
                    started_at: *started_at,
                    state: "firing".into(),
                    changes: 0,
                    reworded: 0,
                };
                self.alerts.entry(fingerprint.clone()).or_insert(linked);
                self.times.detected = Some(self.times.detected.map_or(*started_at, |d| d.min(*started_at)));
            }
            Body::AlertChanged { fingerprint, to, .. } => {
                if let Some(alert) = self.alerts.get_mut(fingerprint) {
                    alert.state.clone_from(to);
                    alert.changes += 1;
                }
            }
            Body::AlertAnnotated { fingerprint, .. } => {
                if let Some(alert) = self.alerts.get_mut(fingerprint) {
                    alert.reworded += 1;
                }
            }
            _ => {}
        }
    }

    fn apply_command(&mut self, event: &Event) {
        match &event.body {
            Body::CommandStarted(start) => {
                self.commands.push(CommandRun {
                    start: start.clone(),
                    at: event.at,
                    actor: event.actor.clone(),
                    finish: None,
                });
                self.begun(event, start);
            }
            Body::CommandFinished(finish) => {
                if let Some(run) = self.commands.iter_mut().rev().find(|run| run.start.run == finish.run) {
                    run.finish = Some(finish.clone());
                }
                self.ended(finish);
            }
            _ => {}
        }
    }

    fn apply_walk(&mut self, event: &Event) {
        match &event.body {
            Body::RunbookOpened { runbook, name, steps, sha256 } => {
                let walk = self.walks.entry(runbook.clone()).or_default();
                walk.name.clone_from(name);
                walk.total = *steps;
                walk.sha256.clone_from(sha256);
                self.runbook = Some(runbook.clone());
            }
            Body::StepEnded { place, end } => {
                let walk = self.walks.entry(place.runbook.clone()).or_default();
                walk.last = Some(place.step.clone());
                match end {
                    StepEnd::Reopened => {
                        walk.steps.remove(&place.step);
                        // An opened step may go round again.
                        walk.rounds.remove(&place.step);
                    }
                    end => {
                        let mark = StepMark { end: end.clone(), actor: event.actor.clone(), at: event.at };
                        walk.steps.insert(place.step.clone(), mark);
                    }
                }
            }
            Body::CheckAnswered { place, check, answer, .. } => {
                let walk = self.walks.entry(place.runbook.clone()).or_default();
                walk.last = Some(place.step.clone());
                walk.answers.entry(place.step.clone()).or_default().insert(*check, *answer);
                *walk.rounds.entry(place.step.clone()).or_default().entry(*check).or_default() += 1;
            }
            Body::InputGiven { runbook, name, value } => {
                self.walks.entry(runbook.clone()).or_default().given.insert(name.clone(), value.clone());
            }
            Body::ValueCaptured { runbook, name, value } => {
                self.walks.entry(runbook.clone()).or_default().captured.insert(name.clone(), value.clone());
            }
            Body::GuardChecked { runbook, ok, found } => {
                self.walks.entry(runbook.clone()).or_default().guard = Some((event.at, *ok, found.clone()));
            }
            Body::OptionChosen { place, option, .. } => {
                let walk = self.walks.entry(place.runbook.clone()).or_default();
                walk.last = Some(place.step.clone());
                walk.chosen.entry(place.step.clone()).or_default().insert(*option);
            }
            _ => {}
        }
    }

    fn apply_timer(&mut self, event: &Event) {
        match &event.body {
            Body::TimerDue { timer, .. } => {
                let mark = self.timers.entry(timer.clone()).or_default();
                mark.due = Some(mark.due.map_or(event.at, |d| d.max(event.at)));
            }
            Body::TimerSnoozed { timer, until, .. } => {
                let mark = self.timers.entry(timer.clone()).or_default();
                mark.snoozed = Some(*until);
                mark.due = None;
            }
            Body::TimerDismissed { timer, reason } => {
                self.timers.entry(timer.clone()).or_default().dismissed = Some(reason.clone());
            }
            Body::Escalated { timer, contact } => {
                self.timers.entry(timer.clone()).or_default().escalated = Some(contact.clone());
            }
            _ => {}
        }
    }
}
