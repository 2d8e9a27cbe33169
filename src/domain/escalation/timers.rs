//! All deadlines of an incident, derived from its events, the severity table and its runbook. A restart, another cockpit
//! and a drill get the same ones. Reads no clock, stores nothing, sends nothing.

use crate::domain::escalation::timer::{Timer, TimerKind, TimerState};
use crate::domain::ids::{SloId, TimerId};
use crate::domain::incident::board::Task;
use crate::domain::incident::event::Role;
use crate::domain::incident::state::Incident;
use crate::domain::runbook::model::{Clock, Runbook, Rung};
use crate::domain::severity::{SeverityLevel, SeverityTable};
use crate::domain::time::{Span, Timestamp, compact, mins, rfc3339};

/// How long after the end the postmortem draft is due, in hours.
pub const POSTMORTEM_HOURS: i64 = 48;

/// How long an incident that pages may go on before somebody leads it, in minutes.
pub const COMMANDER_MINUTES: i64 = 10;

/// The deadlines at `now`, nearest first, those that are over among them. `runbook` is the one whose escalation counts,
/// `exhaustion` the forecast ends of error budgets.
pub fn timers(
    incident: &Incident,
    table: &SeverityTable,
    runbook: Option<&Runbook>,
    exhaustion: &[(SloId, Timestamp)],
    now: Timestamp,
) -> Vec<Timer> {
    let derive = Derive { incident, now };
    let mut timers = Vec::new();
    if let Some(level) = table.level(&incident.severity) {
        timers.extend(derive.response(level));
        timers.extend(derive.stakeholders(level));
        timers.extend(derive.update(level));
        timers.extend(derive.commander(level));
    }
    if let Some(runbook) = runbook {
        for (index, rung) in runbook.escalation.iter().enumerate() {
            timers.push(derive.rung(runbook, index + 1, rung));
        }
    }
    timers.extend(incident.board.tasks.iter().filter_map(|task| derive.task(task)));
    timers.extend(exhaustion.iter().filter_map(|(slo, at)| derive.exhaustion(slo, *at)));
    timers.extend(derive.postmortem());
    timers.sort_by(|a, b| a.due_at.cmp(&b.due_at).then_with(|| a.id.cmp(&b.id)));
    timers
}

/// When the shell must wake next: the nearest deadline that has not come.
pub fn next_due(timers: &[Timer]) -> Option<Timestamp> {
    let waiting = |t: &&Timer| matches!(t.state, TimerState::Running | TimerState::Snoozed);
    timers.iter().filter(waiting).map(|t| t.due_at).min()
}

/// The timers whose falling due is still to be recorded and shown, in the order in which they fell due. After a long
/// sleep these are all that were missed, each once.
pub fn newly_due(timers: &[Timer]) -> Vec<&Timer> {
    let mut due: Vec<&Timer> = timers.iter().filter(|t| t.state == TimerState::Due && !t.recorded).collect();
    due.sort_by(|a, b| a.due_at.cmp(&b.due_at).then_with(|| a.id.cmp(&b.id)));
    due
}

/// What the events say about a timer before time is looked at.
#[derive(Clone, Copy, PartialEq)]
enum Need {
    Waiting,
    Met,
    Gone,
}

struct Plan<'p> {
    kind: TimerKind,
    /// What tells it from others of its kind.
    mark: &'p str,
    label: String,
    start: Timestamp,
    after: Span,
    need: Need,
    contact: Option<&'p str>,
    then: String,
}

struct Derive<'i> {
    incident: &'i Incident,
    now: Timestamp,
}

impl Derive<'_> {
    /// A table may give each severity its own deadline, so the severity is part of the name: a deadline that moves with
    /// it is another timer, and is told again.
    fn response(&self, level: &SeverityLevel) -> Option<Timer> {
        let times = &self.incident.times;
        let met = times.acknowledged.is_some() || times.responded.is_some();
        let after = level.response?;
        Some(self.timer(Plan {
            kind: TimerKind::Response,
            mark: &level.code.0,
            label: format!("{} response", level.code),
            start: times.declared,
            after,
            need: self.need(met),
            contact: None,
            then: format!("{} asks for a first act within {}. {PROMPTS}", level.code, compact(after)),
        }))
    }

    fn stakeholders(&self, level: &SeverityLevel) -> Option<Timer> {
        let times = &self.incident.times;
        let after = level.stakeholders?;
        Some(self.timer(Plan {
            kind: TimerKind::Stakeholders,
            mark: &level.code.0,
            label: "tell stakeholders".to_owned(),
            start: times.declared,
            after,
            need: self.need(times.first_update.is_some()),
            contact: None,
            then: format!("{} asks for a first notice within {}. {PROMPTS}", level.code, compact(after)),
        }))
    }

    /// One round at a time: the one that began with the last update. Its instant names the round.
    fn update(&self, level: &SeverityLevel) -> Option<Timer> {
        let last = self.incident.times.last_update?;
        if !self.incident.is_open() {
            return None;
        }
        // What was promised with the update goes before the table.
        if let Some(next) = self.incident.board.promised.filter(|next| *next > last) {
            return Some(self.timer(Plan {
                kind: TimerKind::Update,
                mark: &format!("promised:{}", rfc3339(next)),
                label: "next status update".to_owned(),
                start: next,
                after: Span::zero(),
                need: Need::Waiting,
                contact: None,
                then: format!("The last update promised the next one. {PROMPTS}"),
            }));
        }
        let after = level.update_every?;
        Some(self.timer(Plan {
            kind: TimerKind::Update,
            mark: &format!("{}:{}", level.code, rfc3339(last)),
            label: "next status update".to_owned(),
            start: last,
            after,
            need: Need::Waiting,
            contact: None,
            then: format!("{} asks for an update every {}. {PROMPTS}", level.code, compact(after)),
        }))
    }

    fn commander(&self, level: &SeverityLevel) -> Option<Timer> {
        level.page.then(|| {
            self.timer(Plan {
                kind: TimerKind::Commander,
                mark: "claim",
                label: "take command".to_owned(),
                start: self.incident.times.declared,
                after: mins(COMMANDER_MINUTES),
                need: self.need(self.incident.roles.contains_key(&Role::Commander)),
                contact: None,
                then: format!("Nobody leads after {COMMANDER_MINUTES}m: c gives the role. {PROMPTS}"),
            })
        })
    }

    /// Each time box of a task is a timer of its own: more time is another one, and is told again.
    fn task(&self, task: &Task) -> Option<Timer> {
        let until = task.until?;
        let owner = task.owner.as_deref();
        let need = match (&task.ended, self.incident.is_open()) {
            (Some((true, ..)), _) => Need::Met,
            (Some((false, ..)), _) | (None, false) => Need::Gone,
            (None, true) => Need::Waiting,
        };
        Some(self.timer(Plan {
            kind: TimerKind::Task,
            mark: &task_mark(self.incident, task),
            label: format!("{}: {}", owner.unwrap_or("nobody"), task.text),
            start: until,
            after: Span::zero(),
            need,
            contact: owner,
            then: format!("{} comes back with it: done, or more time? {PROMPTS}", owner.unwrap_or("The owner")),
        }))
    }

    fn rung(&self, runbook: &Runbook, number: usize, rung: &Rung) -> Timer {
        let times = &self.incident.times;
        let (start, stopped) = match rung.clock {
            Clock::Unacked => (times.declared, times.acknowledged.is_some()),
            Clock::Unmitigated => {
                let acked = times.acknowledged.unwrap_or(times.declared);
                (times.declared.min(acked), times.mitigated.is_some())
            }
            Clock::Open => (times.declared, false),
        };
        let until = match rung.clock {
            Clock::Unacked => "nobody has acknowledged it",
            Clock::Unmitigated => "it is not mitigated",
            Clock::Open => "it is open",
        };
        let need = if stopped || !self.incident.is_open() { Need::Gone } else { Need::Waiting };
        self.timer(Plan {
            kind: TimerKind::Escalation,
            mark: &format!("{}:{number}", runbook.id),
            label: format!("escalate to {}", rung.contact),
            start,
            after: rung.after,
            need,
            contact: Some(&rung.contact),
            then: format!("Call {} if {until} after {}. {PROMPTS}", rung.contact, compact(rung.after)),
        })
    }

    /// A forecast moves with every poll, so that it fell due once does not keep it due when the budget recovers.
    fn exhaustion(&self, slo: &SloId, at: Timestamp) -> Option<Timer> {
        if !self.incident.is_open() {
            return None;
        }
        let mut timer = self.timer(Plan {
            kind: TimerKind::Exhaustion,
            mark: slo.as_str(),
            label: format!("{slo} budget runs out"),
            start: at,
            after: Span::zero(),
            need: Need::Waiting,
            contact: None,
            then: format!("At the present burn rate the error budget of {slo} is gone. {PROMPTS}"),
        });
        if timer.state == TimerState::Due && timer.due_at > self.now {
            timer.state = TimerState::Running;
        }
        Some(timer)
    }

    fn postmortem(&self) -> Option<Timer> {
        // What was merged has its postmortem where it went on.
        let resolved = self.incident.times.resolved.filter(|_| self.incident.board.merged_into().is_none())?;
        Some(self.timer(Plan {
            kind: TimerKind::Postmortem,
            mark: &rfc3339(resolved),
            label: "postmortem draft".to_owned(),
            start: resolved,
            after: mins(POSTMORTEM_HOURS * 60),
            need: Need::Waiting,
            contact: None,
            then: format!("The postmortem is due {POSTMORTEM_HOURS} h after the end. {PROMPTS}"),
        }))
    }

    fn need(&self, met: bool) -> Need {
        match (met, self.incident.is_open()) {
            (true, _) => Need::Met,
            (false, true) => Need::Waiting,
            (false, false) => Need::Gone,
        }
    }

    fn timer(&self, plan: Plan<'_>) -> Timer {
        let id = TimerId(format!("{}:{}:{}", self.incident.id, plan.kind.word(), plan.mark));
        let mark = self.incident.timers.get(&id);
        let policy = plan.start.checked_add_signed(plan.after).unwrap_or(Timestamp::MAX_UTC);
        let snoozed = mark.and_then(|m| m.snoozed);
        let due_at = snoozed.map_or(policy, |until| until.max(policy));
        // A record that is older than the end of the snooze is about the time before it.
        let recorded = mark.and_then(|m| m.due).is_some_and(|at| snoozed.is_none_or(|until| at >= until));
        let dismissed = mark.is_some_and(|m| m.dismissed.is_some());
        let escalated = mark.is_some_and(|m| m.escalated.is_some());
        let state = match plan.need {
            _ if escalated => TimerState::Done,
            Need::Met => TimerState::Done,
            Need::Gone => TimerState::Cancelled,
            Need::Waiting if dismissed => TimerState::Cancelled,
            // Once recorded it stays due, even if the clock was set back since.
            Need::Waiting if recorded || due_at <= self.now => TimerState::Due,
            Need::Waiting if snoozed.is_some_and(|until| until > self.now) => TimerState::Snoozed,
            Need::Waiting => TimerState::Running,
        };
        Timer {
            id,
            incident: self.incident.id.clone(),
            kind: plan.kind,
            label: plan.label,
            due_at,
            state,
            contact: plan.contact.map(str::to_owned),
            then: plan.then,
            put_off: snoozed,
            recorded,
        }
    }
}

/// Who gave it and when, and until when it is: the same before and after it is on disk. A second one of that very moment
/// has a number.
fn task_mark(incident: &Incident, task: &Task) -> String {
    let same = incident.board.tasks.iter().take_while(|t| t.key != task.key).filter(|t| t.by == task.by).count();
    let number = if same > 0 { format!("#{}", same + 1) } else { String::new() };
    format!("{}{number}:{}@{}", rfc3339(task.by.1), task.by.0, task.until.map(rfc3339).unwrap_or_default())
}

/// The task whose time box a timer is.
pub fn task_of<'i>(incident: &'i Incident, timer: &TimerId) -> Option<&'i Task> {
    let id = |task: &Task| format!("{}:{}:{}", incident.id, TimerKind::Task.word(), task_mark(incident, task));
    incident.board.tasks.iter().find(|task| id(task) == timer.0)
}

const PROMPTS: &str = "midwatch prompts here and pages nobody by itself.";

#[cfg(test)]
mod tests;
