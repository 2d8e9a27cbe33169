//! Taking changes back, the last one first: each by the command that was settled when the change was made, with its own
//! box. One that fails stops none of the others.

use crate::app::model::Model;
use crate::app::present::view::Tone;
use crate::app::present::walk::values;
use crate::app::screen::Item;
use crate::app::update::exec;
use crate::domain::ids::IncidentId;
use crate::domain::incident::change::{ChangePlan, ChangeState, RollbackPlan};
use crate::domain::runbook::gate::{context, guarded};
use crate::domain::runbook::offer::{Offer, rollback_words};
use crate::domain::runbook::permit::{Permit, permit};
use crate::domain::time::Timestamp;

/// Asks to take back the selected change, else the last one of the incident in view that stands and can be taken back.
pub fn ask(model: &mut Model, now: Timestamp, incident: Option<IncidentId>) -> Result<(), String> {
    if let Some(Item::Change(id, run)) = model.nav.spot().cursor {
        return of(model, now, &id, &run);
    }
    let id = incident.ok_or("there is no open incident")?;
    let case = model.desk.cases.get(&id).ok_or("there is no such incident")?;
    let last = case.shown.in_force().next().map(|c| c.run.clone());
    of(model, now, &id, &last.ok_or("no change is in force")?)
}

/// Shows the command that takes a change back.
pub fn of(model: &mut Model, now: Timestamp, id: &IncidentId, run: &str) -> Result<(), String> {
    let case = model.desk.cases.get(id).filter(|c| c.shown.is_open()).ok_or_else(|| format!("{id} is not open"))?;
    let change = case.shown.change(run).cloned().ok_or("there is no such change")?;
    if !change.stands() {
        return Err(format!("{} was rolled back already", change.plan.action));
    }
    let RollbackPlan::Command(plan) = &change.plan.rollback else {
        return Err(format!("cannot be taken back by a command: {}", rollback_words(&change.plan.rollback, false)));
    };
    if let Some(running) = model.exec.running.first() {
        return Err(format!("{} still runs; Ctrl-X stops it", running.run.offer.slot));
    }
    let newer: Vec<String> =
        case.shown.in_force().take_while(|c| c.run != run).map(|c| c.plan.action.clone()).collect();
    let values = match model.runbook(&change.place.runbook).cloned() {
        Some(book) => values(model, id, &book),
        None => crate::domain::runbook::values::Values::default(),
    };
    let slot = format!("rollback {}", change.id);
    let mut offer = Offer::planned(id, change.place.clone(), &slot, plan, &values)?;
    offer.masks = values.masks();
    if let Permit::Never(why) = permit(offer.risk, model.setup.read_only, model.setup.simulated.is_some()) {
        return Err(why.into());
    }
    if !model.armed(now) {
        return Err(format!("commands are off; :arm allows them. By hand: {}", plan.shown));
    }
    let case = model.desk.cases.get(id);
    if let (Some(book), Some(walk)) =
        (model.runbook(&change.place.runbook), case.and_then(|c| c.shown.walks.get(&change.place.runbook)))
    {
        if offer.risk.is_dangerous() && !guarded(book, walk, now) {
            return exec::ask_guards(model, now, id, &change.place);
        }
        offer.context = context(book, walk);
    }
    let undoes = Some(change.run.clone());
    offer.change = Some(ChangePlan { action: change.plan.action.clone(), rollback: RollbackPlan::default(), undoes });
    if change.state == ChangeState::Unknown {
        model.say(now, Tone::Warn, "it is unknown whether the change was made: look first");
    }
    let newest = newer.is_empty();
    exec::show(model, now, offer);
    if let Some(crate::app::screen::Overlay::Confirm(confirm)) = model.nav.overlay.as_mut().filter(|_| !newest) {
        confirm.rows.push(("note".into(), format!("newer changes are in force: {}", newer.join(", "))));
    }
    Ok(())
}
