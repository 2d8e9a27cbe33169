//! When the shell must wake next. There is no tick: an idle cockpit sleeps until something is due or a visible second
//! changes.

use crate::app::health::{Link, LinkKind};
use crate::app::model::{Model, flash_for};
use crate::app::present::timers;
use crate::domain::time::{Timestamp, secs};

/// The next instant at which `Wake` may change something. `visible`: a person looks, so that the clock moves.
pub fn next_deadline(model: &Model, now: Timestamp, visible: bool) -> Option<Timestamp> {
    if model.replay.is_some() {
        // What is shown stands still, or goes on by a clock of its own.
        return crate::app::update::replay_next(model);
    }
    let mut due: Vec<Timestamp> = Vec::new();
    let waits = |l: &&Link| {
        l.kind.polled() && l.out.is_empty() && !(model.fleet.reading && matches!(l.kind, LinkKind::Prometheus { .. }))
    };
    due.extend(model.links.values().filter(waits).map(|l| l.next));
    due.extend(crate::app::update::warm_due(model));
    due.extend(model.exec.armed_until);
    if !model.setup.read_only && !model.outbox.holder.is_empty() {
        due.extend(model.outbox.due(now));
        due.extend(crate::app::update::rooms_due(model, now));
        due.extend(crate::app::update::rooms_next(model, now));
    }
    due.extend(crate::app::update::silences_due(model, now));
    due.extend(model.desk.trouble.as_ref().map(|(_, _, at)| *at));
    let looks = model.exec.watches.values().filter(|w| w.asked.is_none()).map(|w| w.hold.next());
    due.extend(looks.filter(|_| !model.setup.read_only));
    due.extend(model.exec.watches.values().map(|w| w.hold.fails_at()));
    due.extend(crate::domain::escalation::timers::next_due(&timers::live(model, now)));
    if visible {
        let urgent = timers::live(model, now).iter().any(|t| t.due_at - now < secs(120));
        let every = if (model.setup.slow || !model.focused) && !urgent { 60 } else { 1 };
        due.extend(next_multiple(now, every));
        due.extend(model.reload.next);
        due.extend(crate::app::update::suggest_due(model, now));
        due.extend(model.messages.back().map(|m| m.at + flash_for(model)).filter(|at| *at > now));
    }
    due.into_iter().map(|at| at.max(now)).min()
}

fn next_multiple(now: Timestamp, every: i64) -> Option<Timestamp> {
    let second = (now.timestamp().div_euclid(every) + 1) * every;
    chrono::DateTime::from_timestamp(second, 0)
}
