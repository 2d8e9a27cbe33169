//! Measuring what the checks on the screen suggest: while their step is looked at and they are not answered, and no other
//! time. Never answers one.

use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::app::pending::Asked;
use crate::app::present::walk::{shown_step, walk_in_view};
use crate::app::screen::Screen;
use crate::app::suggested::{Key, Measured};
use crate::app::update::sources;
use crate::domain::fault::Fault;
use crate::domain::runbook::model::Suggest;
use crate::domain::runbook::suggest::{Suggestion, open, words};
use crate::domain::slo::sample::Sample;
use crate::domain::time::Timestamp;

/// The checks in view that have a measurement and no answer.
fn in_view(model: &Model) -> Vec<(Key, Suggest)> {
    let Screen::Walk(_, runbook) = model.nav.screen() else { return Vec::new() };
    let Some(book) = model.runbook(runbook) else { return Vec::new() };
    if !book.steps.iter().flat_map(|s| &s.checks).any(|c| c.suggest.is_some()) {
        return Vec::new();
    }
    let walk = walk_in_view(model);
    let Some(step) = shown_step(model, book, &walk) else { return Vec::new() };
    let key = |n| (runbook.clone(), step.id.clone(), n);
    open(step, &walk).into_iter().map(|(n, suggest)| (key(n), suggest.clone())).collect()
}

/// When something is to be measured next.
pub fn due(model: &Model, now: Timestamp) -> Option<Timestamp> {
    let next = |(key, suggest): (Key, Suggest)| {
        let known = model.suggested.0.get(&key).filter(|m| m.what == words(&suggest));
        known.and_then(Measured::next).unwrap_or(now)
    };
    in_view(model).into_iter().map(next).min()
}

/// Measures what is due.
pub fn look(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    let wanted = in_view(model);
    // What is no longer looked at is measured anew when somebody comes back.
    model.suggested.0.retain(|key, _| wanted.iter().any(|(known, _)| known == key));
    for (key, suggest) in wanted {
        let what = words(&suggest);
        let known = model.suggested.0.entry(key.clone()).or_default();
        if known.what != what {
            *known = Measured { what, ..Measured::default() };
        }
        if known.next().is_some_and(|next| next > now) {
            continue;
        }
        if let Some((req, _)) = known.asked.take() {
            drop(model.pending.take(req));
        }
        let source = sources::first(model);
        let answers = source.as_ref().and_then(|name| model.links.get(name)).is_some_and(|l| l.breaker.is_closed());
        let nobody = match &source {
            None => Some("there is no Prometheus to ask".to_owned()),
            Some(name) if !answers => Some(format!("{name} does not answer")),
            Some(_) => None,
        };
        let asked = match (source, nobody) {
            (Some(source), None) => {
                let req = model.pending.ask(Asked::Suggest(key.clone()));
                out.push(Effect::Query { req, source, promql: suggest.promql });
                Ok((req, now))
            }
            (_, why) => Err(why.unwrap_or_default()),
        };
        let Some(known) = model.suggested.0.get_mut(&key) else { continue };
        match asked {
            Ok(asked) => known.asked = Some(asked),
            Err(why) => known.seen = Some((now, Suggestion::NoData(why))),
        }
    }
}

/// Values came for a check, or did not.
pub fn measured(model: &mut Model, now: Timestamp, key: &Key, result: Result<Vec<Sample>, Fault>) {
    let suggest = model.runbook(&key.0).and_then(|b| b.step(&key.1)?.checks.get(key.2)?.suggest.clone());
    let Some(known) = model.suggested.0.get_mut(key) else { return };
    known.asked = None;
    known.seen = match (result, suggest.filter(|s| words(s) == known.what)) {
        (Ok(samples), Some(suggest)) => Some((now, Suggestion::of(&suggest, &samples))),
        (Err(fault), _) => Some((now, Suggestion::NoData(fault.to_string()))),
        // Another file says something else meanwhile.
        (Ok(_), None) => None,
    };
}
