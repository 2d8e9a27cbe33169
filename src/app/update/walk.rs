//! Walking a runbook: steps, checks, options, lines ticked by hand. What is prose is never run.

use crate::app::effect::Effect;
use crate::app::form::Purpose;
use crate::app::model::Model;
use crate::app::present::view::Tone;
use crate::app::present::walk::{place, shown_step};
use crate::app::screen::{Item, Screen};
use crate::app::update::{exec, forms, record};
use crate::domain::ids::{IncidentId, RunbookId};
use crate::domain::incident::decide::Refusal;
use crate::domain::incident::event::{Answer, At, Body, NoteKind, StepEnd};
use crate::domain::incident::state::Walk;
use crate::domain::runbook::gate::Wanted;
use crate::domain::runbook::model::{Part, Runbook};
use crate::domain::runbook::route::again;
use crate::domain::time::Timestamp;
use std::sync::Arc;

/// The walk in view: its incident, runbook and state.
pub fn in_view(model: &Model) -> Result<(IncidentId, Arc<Runbook>, Walk), String> {
    let Screen::Walk(incident, runbook) = model.nav.screen() else { return Err("no runbook is open".into()) };
    let id = incident.clone().ok_or("this runbook is only being read: open it from an incident (r) to walk it")?;
    let runbook = model.runbook(runbook).cloned().ok_or_else(|| format!("there is no runbook {runbook} any more"))?;
    let case = model.desk.cases.get(&id).ok_or_else(|| format!("there is no incident {id}"))?;
    let walk = case.shown.walks.get(&runbook.id).cloned().unwrap_or_default();
    Ok((id, runbook, walk))
}

/// Opens a runbook for an incident; the first time is recorded.
pub fn open(model: &mut Model, now: Timestamp, id: &IncidentId, runbook: &RunbookId, out: &mut Vec<Effect>) {
    let Some(book) = model.runbook(runbook).cloned() else { return };
    let before = model.desk.cases.get(id).and_then(|c| c.shown.walks.get(runbook)).cloned();
    let open = model.desk.cases.get(id).is_some_and(|c| c.shown.is_open());
    if let Some(walk) = &before
        && walk.sha256 != book.sha256
    {
        model.say(
            now,
            Tone::Warn,
            format!("{runbook} changed on disk since it was opened for {id}: look at each step again"),
        );
    }
    let again = before.is_none_or(|w| w.sha256 != book.sha256);
    if again && open && !model.setup.read_only {
        let body = Body::RunbookOpened {
            runbook: runbook.clone(),
            name: book.name.clone(),
            steps: book.steps.len(),
            sha256: book.sha256.clone(),
        };
        record::person(model, now, now, id, vec![body], out);
    }
    model.nav.open(Screen::Walk(Some(id.clone()), runbook.clone()));
}

/// Ends a step, or opens it again, and shows the next open one.
pub fn end_step(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    place: At,
    end: StepEnd,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    if !model.desk.cases.get(id).is_some_and(|c| c.shown.is_open()) {
        return Err(Refusal(format!("{id} is not open")));
    }
    let words = match &end {
        StepEnd::Done => "done",
        StepEnd::Skipped(_) => "skipped",
        StepEnd::Failed(_) => "failed",
        StepEnd::Reopened => "open again",
    };
    let back = match end {
        StepEnd::Reopened => None,
        _ => Some(Body::StepEnded { place: place.clone(), end: StepEnd::Reopened }),
    };
    let name = place.name.clone();
    let req = record::person(model, now, now, id, vec![Body::StepEnded { place, end }], out);
    if back.is_some() {
        record::remember(model, id, req, back, format!("step {name} {words}"));
    }
    let spot = model.nav.spot_mut();
    spot.step = None;
    spot.cursor = None;
    model.say(now, Tone::Accent, format!("{name}: {words}   u takes it back"));
    Ok(())
}

/// `d` on a walk: a line ticked by hand when one is selected, else the whole step.
pub fn done(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) -> Result<(), String> {
    let (id, book, walk) = in_view(model)?;
    let step = shown_step(model, &book, &walk).ok_or("every step has ended")?.clone();
    let at = place(&book, &step);
    if let Some(Item::Prose(n)) = model.nav.spot().cursor
        && let Some(line) = step.prose.get(n).or_else(|| step.todos.get(n.saturating_sub(step.prose.len())))
    {
        let text = format!("{}: {line} done", step.name);
        record::person(model, now, now, &id, vec![Body::Note { sort: NoteKind::Note, text }], out);
        model.say(now, Tone::Accent, "noted");
        return Ok(());
    }
    end_step(model, now, &id, at, StepEnd::Done, out).map_err(|r| r.0)
}

/// Opens the form for a reason to skip, or of a failure.
pub fn ask_end(model: &mut Model, now: Timestamp, failed: bool) -> Result<(), String> {
    let (id, book, walk) = in_view(model)?;
    let step = shown_step(model, &book, &walk).ok_or("every step has ended")?;
    let at = place(&book, step);
    forms::open(model, now, if failed { Purpose::Fail(id, at) } else { Purpose::Skip(id, at) });
    Ok(())
}

/// Opens the shown step again.
pub fn reopen(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) -> Result<(), String> {
    let (id, book, walk) = in_view(model)?;
    let step = shown_step(model, &book, &walk).ok_or("there is no step")?;
    if !walk.steps.contains_key(&step.id) {
        return Err(format!("{} is open", step.name));
    }
    let at = place(&book, step);
    end_step(model, now, &id, at, StepEnd::Reopened, out).map_err(|r| r.0)
}

/// Answers the selected check, else the first open one.
pub fn check(model: &mut Model, now: Timestamp, answer: Answer, out: &mut Vec<Effect>) -> Result<(), String> {
    let (id, book, walk) = in_view(model)?;
    let step = shown_step(model, &book, &walk).ok_or("every step has ended")?.clone();
    let given = walk.answers.get(&step.id);
    let index = match model.nav.spot().cursor {
        Some(Item::Check(n)) => n,
        _ => (0..step.checks.len())
            .find(|n| given.is_none_or(|g| !g.contains_key(n)) || again(&step, *n, &walk).is_some())
            .ok_or("no check is open in this step")?,
    };
    let check = step.checks.get(index).ok_or("there is no such check")?;
    let body =
        Body::CheckAnswered { place: place(&book, &step), check: index, question: check.question.clone(), answer };
    record::person(model, now, now, &id, vec![body], out);
    model.nav.spot_mut().cursor = Some(Item::Check((index + 1).min(step.checks.len().saturating_sub(1))));
    model.say(now, Tone::Accent, format!("{} {}", check.question, answer.word()));
    Ok(())
}

/// Shows the step after or before the shown one.
pub fn turn(model: &mut Model, forward: bool) -> Result<(), String> {
    let Screen::Walk(incident, runbook) = model.nav.screen().clone() else { return Err("no runbook is open".into()) };
    let book = model.runbook(&runbook).cloned().ok_or("there is no such runbook")?;
    let walk = incident
        .and_then(|id| model.desk.cases.get(&id).and_then(|c| c.shown.walks.get(&runbook)).cloned())
        .unwrap_or_default();
    let now_shown =
        shown_step(model, &book, &walk).and_then(|s| book.steps.iter().position(|t| t.id == s.id)).unwrap_or(0);
    let last = book.steps.len().saturating_sub(1);
    let next = if forward { (now_shown + 1).min(last) } else { now_shown.saturating_sub(1) };
    let spot = model.nav.spot_mut();
    spot.step = Some(next);
    spot.cursor = None;
    Ok(())
}

/// Enter on a walk: what is selected is run, chosen, answered or copied.
pub fn enter(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) -> Result<(), String> {
    let Screen::Walk(_, runbook) = model.nav.screen().clone() else { return Err("no runbook is open".into()) };
    let book = model.runbook(&runbook).cloned().ok_or("there is no such runbook")?;
    let walk = in_view(model).map(|(_, _, w)| w).unwrap_or_default();
    let step = shown_step(model, &book, &walk).ok_or("every step has ended: q goes back")?.clone();
    match crate::app::present::walk::selected(model, &step) {
        Some(Item::Command(n)) => {
            let command = step.commands.get(n).ok_or("there is no such command")?;
            let wanted = Wanted { book: &book, step: &step, part: Part::Run, command, option: None };
            exec::ask(model, now, wanted, &format!("command {}", n + 1), out)
        }
        Some(Item::Choice(n)) => {
            let choice = step.options.get(n).ok_or("there is no such option")?;
            match &choice.command {
                Some(command) => {
                    let wanted = Wanted { book: &book, step: &step, part: Part::Run, command, option: Some(n) };
                    exec::ask(model, now, wanted, &format!("option {}", n + 1), out)
                }
                None => choose(model, now, n, out),
            }
        }
        Some(Item::Trial(id)) => {
            let (_, command) = step.parts().find(|(_, c)| c.id == id).ok_or("there is no such trial")?;
            let wanted = Wanted { book: &book, step: &step, part: Part::DryRun, command, option: None };
            exec::ask(model, now, wanted, &format!("dry run {id}"), out)
        }
        Some(Item::Check(_)) => Err("y, N or m answers the check: yes, no, unsure".into()),
        Some(Item::Link(n)) => {
            let link = step.links.get(n).ok_or("there is no such link")?;
            crate::app::update::act::copy(model, link.url.clone(), out);
            Ok(())
        }
        Some(Item::Prose(_)) => Err("this line is done by hand: d notes that it was done".into()),
        _ => done(model, now, out),
    }
}

/// Records that an option was chosen.
pub fn choose(model: &mut Model, now: Timestamp, n: usize, out: &mut Vec<Effect>) -> Result<(), String> {
    let (id, book, walk) = in_view(model)?;
    let step = shown_step(model, &book, &walk).ok_or("every step has ended")?.clone();
    let choice = step.options.get(n).ok_or("there is no such option")?;
    let body = Body::OptionChosen { place: place(&book, &step), option: n, action: choice.action.clone() };
    record::person(model, now, now, &id, vec![body], out);
    model.say(now, Tone::Accent, format!("chosen: {}", choice.action));
    Ok(())
}
