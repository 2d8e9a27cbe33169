//! What the acts of a responder queue for other people's systems: exactly what a cockpit would. Nothing is sent from here;
//! a running cockpit does, and what waits too long is held for a person there.

use crate::app::effect::Effect;
use crate::app::model::{Case, Model};
use crate::app::update;
use crate::cli::cockpit::given;
use crate::cli::context::Context;
use crate::cli::desk::{Desk, Recorded, refused};
use crate::cli::failure::{Exit, Failure};
use crate::cli::look::glance;
use crate::cli::output::Output;
use crate::config::Config;
use crate::domain::ids::SourceName;
use crate::domain::incident::event::Body;
use crate::run::setup::real;
use serde_json::json;

/// A machine that knows the targets and this incident.
fn model(desk: &Desk<'_>, recorded: &Recorded) -> Model {
    let mut model = real(given(desk.context, false)).model;
    model.desk.origin = Some(desk.store.origin().clone());
    let case = Case::of(recorded.state.clone(), recorded.events.clone());
    model.desk.cases.insert(recorded.state.id.clone(), case);
    model
}

/// What an acknowledgement or, with its words, a resolution tells those that were told of the incident, and of those that
/// go on as it.
pub fn tell(desk: &mut Desk<'_>, recorded: &Recorded, resolution: Option<&str>) -> Result<Vec<Body>, Failure> {
    let mut model = model(desk, recorded);
    for other in desk.heads()?.into_iter().filter(|i| i.board.merged_into() == Some(&recorded.state.id)) {
        if let Some(merged) = desk.read(&other.id)? {
            model.desk.cases.insert(other.id, Case::of(merged.state, merged.events));
        }
    }
    Ok(update::tell(&model, desk.now, &recorded.state.id, resolution))
}

/// The target that pages, or the reason why there is none.
pub fn pager(context: &Context) -> Result<SourceName, Failure> {
    let model = real(given(context, false)).model;
    if let Some(target) = update::pager(&model) {
        return Ok(target.facts.name.clone());
    }
    use crate::domain::outward::capability::Capability::{Declare, Trigger};
    let why = crate::app::present::available::lacks(&model, &[Trigger, Declare]).unwrap_or_default();
    Err(Failure::Refused(format!("nobody can be paged: {why}")))
}

/// Shows who would be paged for an incident, and what time it is for them; queues nothing. JSON: `{"incident", "target",
/// "pages", "again", "queued"}`: the people as they would be shown, and whether somebody was paged for it before. Exit 1.
pub fn preview(context: &Context, config: &Config, typed: &str, output: &mut Output) -> Result<Exit, Failure> {
    let recorded = Desk::to_write(context, config)?.find(typed)?;
    let id = &recorded.state.id;
    if !recorded.state.is_open() {
        return Err(Failure::Refused(format!("{id} is resolved; reopen it first")));
    }
    let target = pager(context)?;
    let mut look = glance(context, false)?;
    look.model.desk.cases.insert(id.clone(), Case::of(recorded.state.clone(), recorded.events.clone()));
    let rows = update::page_rows(&look.model, look.now, id, &target);
    if output.is_json() {
        let people: Vec<&String> = rows.iter().filter(|(key, _)| key == "pages").map(|(_, said)| said).collect();
        let again = rows.iter().any(|(key, _)| key == "again");
        output.json(&json!({"incident": id, "target": target, "pages": people, "again": again, "queued": false}))?;
    } else {
        let wide = rows.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        for (key, said) in &rows {
            output.line(&format!("{key:wide$}  {said}"))?;
        }
    }
    output.note("nobody was paged; --yes pages them");
    Ok(Exit::NO)
}

/// Queues a page for an incident that is recorded.
pub fn page(desk: &mut Desk<'_>, recorded: &Recorded, output: &mut Output) -> Result<(), Failure> {
    let target = pager(desk.context)?;
    let mut model = model(desk, recorded);
    let mut out = Vec::new();
    update::page(&mut model, desk.now, &recorded.state.id, &target, &mut out).map_err(refused)?;
    for effect in out {
        if let Effect::Append { events, .. } = effect {
            note(&events.iter().map(|event| event.body.clone()).collect::<Vec<_>>(), output);
            desk.store.append(events).map_err(|fault| Failure::Refused(format!("NOT SAVED: {fault}")))?;
        }
    }
    Ok(())
}

/// Says what is queued, and who sends it.
pub fn note(bodies: &[Body], output: &mut Output) {
    for body in bodies {
        if let Body::Outgoing(op) = body {
            let words = op.intent.words();
            output
                .note(&format!("queued for {}: {words}; a running cockpit sends it (midwatch outbox list)", op.target));
        }
    }
}
