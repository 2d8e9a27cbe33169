//! Timers: derived from events and policy, told once when due, answered by a person. Never a silent page.

use crate::app::effect::Effect;
use crate::app::form::{Field, Form};
use crate::app::model::Model;
use crate::app::present::timers::all;
use crate::app::present::view::Tone;
use crate::app::update::record;
use crate::domain::escalation::timer::{Timer, TimerKind, TimerState};
use crate::domain::escalation::timers::newly_due;
use crate::domain::ids::{IncidentId, TimerId};
use crate::domain::incident::decide::{Refusal, text};
use crate::domain::incident::event::Body;
use crate::domain::time::{Timestamp, mins};

const ANSWERS: [&str; 5] = ["told them", "put off 5 min", "put off 10 min", "put off 15 min", "not needed"];

/// Records every timer that fell due and rings once for all of them.
pub fn ring(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    if model.setup.read_only || !model.desk.loaded {
        return;
    }
    let timers = all(model, now);
    let fell: Vec<Timer> = newly_due(&timers).into_iter().cloned().collect();
    for timer in &fell {
        let body = Body::TimerDue { timer: timer.id.clone(), label: timer.label.clone() };
        record::machine(model, now, &timer.incident, body, Some(timer.once()), out);
        model.say(now, Tone::Crit, format!("DUE {}: {}   T answers", timer.incident, timer.label));
    }
    if !fell.is_empty() && model.setup.bell {
        out.push(Effect::Bell);
    }
}

/// The due timer that waits longest, else the nearest running one.
pub fn nearest(model: &Model, now: Timestamp) -> Option<Timer> {
    let timers = all(model, now);
    let due = timers.iter().find(|t| t.state == TimerState::Due).cloned();
    let waits =
        |t: &Timer| matches!(t.state, TimerState::Running | TimerState::Snoozed) && t.kind != TimerKind::Backend;
    due.or_else(|| timers.into_iter().find(waits))
}

/// The form that answers a timer.
pub fn form(model: &Model, now: Timestamp, id: &IncidentId, timer: &TimerId) -> (String, Vec<Field>) {
    let found = all(model, now).into_iter().find(|t| t.incident == *id && t.id == *timer);
    let label = found.as_ref().map_or_else(|| timer.to_string(), |t| t.label.clone());
    let told = match found.as_ref().and_then(|t| t.contact.clone()) {
        Some(contact) => format!("I told {contact}"),
        None => "done".into(),
    };
    let reach = found.as_ref().and_then(|t| t.contact.as_deref()).and_then(|contact| model.reach(contact));
    let hint = match reach {
        Some(reach) => format!("{reach}; Left and Right choose; midwatch itself pages nobody"),
        None => "Left and Right choose; midwatch itself pages nobody".to_owned(),
    };
    let mut answers: Vec<String> = ANSWERS.iter().map(|a| (*a).to_owned()).collect();
    if let Some(first) = answers.first_mut() {
        *first = told;
    }
    let fields = vec![
        Field::choice("answer", answers, 0, hint),
        Field::typed("reason", "", "needed to put off and for not needed"),
    ];
    (format!("{id}: {label}"), fields)
}

/// A person answered a timer.
pub fn answer(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    timer: &TimerId,
    form: &Form,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let found = all(model, now).into_iter().find(|t| t.incident == *id && t.id == *timer);
    let reason = form.value("reason");
    let body = match form.index("answer") {
        0 => {
            let contact = found.as_ref().and_then(|t| t.contact.clone()).unwrap_or_else(|| "done".into());
            Body::Escalated { timer: timer.clone(), contact }
        }
        n @ 1..=3 => {
            let reason = text(&reason, "a reason")?;
            Body::TimerSnoozed { timer: timer.clone(), until: now + mins(5 * n as i64), reason }
        }
        _ => Body::TimerDismissed { timer: timer.clone(), reason: text(&reason, "a reason")? },
    };
    record::person(model, now, now, id, vec![body], out);
    model.say(now, Tone::Accent, format!("{id}: {}", form.value("answer")));
    Ok(())
}
