//! Changes in force, in a walk: shown with their numbers, and taken back, the last one first, each by the command that was
//! settled when it was made and after its own confirmation.

use crate::cli::failure::Failure;
use crate::cli::runbook::walk::{Next, Session};
use crate::domain::incident::change::{Change, ChangePlan, ChangeState, RollbackPlan, VerifyEnd};
use crate::domain::incident::state::Incident;
use crate::domain::runbook::gate::{Wanted, context, guarded};
use crate::domain::runbook::model::Part;
use crate::domain::runbook::offer::{Offer, rollback_words};
use crate::domain::time::clock;
use crate::io::clock;
use std::io::BufRead;

impl Session<'_, '_> {
    /// Changes that may be in force, the last one first.
    pub(super) fn changes(&mut self) -> Result<Next, Failure> {
        let Some(state) = self.state()? else { return self.said("no change is in force") };
        let mut none = true;
        for (n, change) in state.in_force().enumerate() {
            none = false;
            let rollback = rollback_words(&change.plan.rollback, false);
            self.output.line(&format!(
                "change {}, {}: {}   {}rollback {rollback}",
                n + 1,
                change.plan.action,
                change.word(),
                proof(change)
            ))?;
            if let Some(tried) = &change.tried {
                self.output.line(&format!("  the last try to take it back: {tried}"))?;
            }
        }
        if none {
            self.output.line("no change is in force")?;
        }
        Ok(Next::Stay)
    }

    /// Takes back the change of this number, else the last one.
    pub(super) fn roll_back(&mut self, typed: &str, input: &mut impl BufRead) -> Result<Next, Failure> {
        let none = || Failure::Refused("no change is in force".to_owned());
        let state = self.state()?.ok_or_else(none)?;
        let standing: Vec<&Change> = state.in_force().collect();
        let which = match typed {
            "" => 0,
            _ => numbered(typed, standing.len())?,
        };
        let change = (*standing.get(which).ok_or_else(none)?).clone();
        let newer: Vec<String> = standing.iter().take(which).map(|c| c.plan.action.clone()).collect();
        let RollbackPlan::Command(plan) = &change.plan.rollback else {
            let why = rollback_words(&change.plan.rollback, false);
            let older = if standing.len() > which + 1 { "; `rollback N` takes an older one back" } else { "" };
            let action = &change.plan.action;
            return Err(Failure::Refused(format!("{action} cannot be taken back by a command: {why}{older}")));
        };
        if !self.arm {
            return Err(Failure::Refused(format!(
                "commands are off; walk with --incident ID --arm to run them. By hand: {}",
                plan.shown
            )));
        }
        if change.place.runbook != self.book.id {
            let book = &change.place.runbook;
            return Err(Failure::Refused(format!(
                "{} was done in the walk of {book}, whose guard belongs to it: `midwatch runbook walk {book}`",
                change.plan.action
            )));
        }
        let values = self.values()?;
        let slot = format!("rollback {}", change.id);
        let offer = Offer::planned(&state.id, change.place.clone(), &slot, plan, &values);
        let mut offer = offer.map_err(Failure::Refused)?;
        if offer.risk.is_dangerous()
            && let Some(next) = self.guard_again(&state, &change, input)?
        {
            return Ok(next);
        }
        let state = self.state()?.unwrap_or(state);
        offer.context = state.walks.get(&self.book.id).and_then(|walk| context(self.book, walk));
        offer.masks = values.masks();
        let undoes = Some(change.run.clone());
        offer.change =
            Some(ChangePlan { action: change.plan.action.clone(), rollback: RollbackPlan::default(), undoes });
        if change.state == ChangeState::Unknown {
            self.output.line("it is unknown whether the change was made: look first")?;
        }
        if !newer.is_empty() {
            self.output.line(&format!("newer changes are in force: {}", newer.join(", ")))?;
        }
        Ok(self.confirmed(&offer, input)?.map_or(Next::Quit, |_| Next::Stay))
    }

    /// The guards of the runbook, where the last look is too old. `Some` when the walk goes on without the rollback.
    fn guard_again(
        &mut self,
        state: &Incident,
        change: &Change,
        input: &mut impl BufRead,
    ) -> Result<Option<Next>, Failure> {
        let walk = state.walks.get(&self.book.id).cloned().unwrap_or_default();
        if guarded(self.book, &walk, clock::now()) {
            return Ok(None);
        }
        let probes: Vec<_> = self.book.guards.iter().map(|g| (Part::Guard, g.command.clone())).collect();
        let step = self.book.step(&change.place.step).or(self.book.steps.first());
        let Some((step, (_, first))) = step.zip(probes.first()) else { return Ok(None) };
        let wanted = Wanted { book: self.book, step, part: Part::Guard, command: first, option: None };
        self.look(wanted, &probes, input)
    }
}

/// A number of the list of changes, as an index.
fn numbered(typed: &str, count: usize) -> Result<usize, Failure> {
    let index = typed.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < count);
    index.ok_or_else(|| match count {
        0 => Failure::Refused("no change is in force".to_owned()),
        _ => Failure::Usage(format!("`{typed}` is no change in force (`changes` shows 1 to {count})")),
    })
}

/// Whether it helped, as far as that is known.
fn proof(change: &Change) -> String {
    match change.verify.as_ref().map(|v| (&v.plan.what, &v.end)) {
        None => String::new(),
        Some((what, Some(VerifyEnd::Held(since)))) => format!("held since {}: {what}   ", clock(*since)),
        Some((_, Some(VerifyEnd::Failed(why)))) => format!("did not hold: {why}   "),
        Some((what, None)) => format!("not proved yet: {what} (`verify` watches it here)   "),
    }
}
