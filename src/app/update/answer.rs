//! Which form answers a timer. Never answers by itself.

use crate::app::effect::Effect;
use crate::app::form::Purpose;
use crate::app::model::Model;
use crate::app::present::backend::of_timer;
use crate::app::screen::Item;
use crate::app::update::{backend_act, board, forms};
use crate::domain::ids::{IncidentId, TimerId};
use crate::domain::time::Timestamp;

/// Opens the form that answers a timer: a time-boxed task has its own, and one of a paging product is answered there.
pub fn answer(
    model: &mut Model,
    now: Timestamp,
    incident: IncidentId,
    timer: TimerId,
    out: &mut Vec<Effect>,
) -> Result<(), String> {
    if let Some((name, page)) = of_timer(model, &timer) {
        backend_act::prepare(model, now, out);
        return backend_act::open(model, now, Some(Item::Page(name, page)));
    }
    let purpose = match board::boxed(model, &incident, &timer) {
        Some(task) => Purpose::TaskAnswer(incident, task),
        None => Purpose::Timer(incident, timer),
    };
    forms::open(model, now, purpose);
    Ok(())
}
