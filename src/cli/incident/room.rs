//! `midwatch incident room`: where an incident's room is, and acts on it. Sends nothing itself: an act is queued on disk, by
//! the rules of the cockpit, and a running one sends it.

use crate::app::model::{Case, Model};
use crate::app::present::rooms;
use crate::app::update::{invitations, opens, posts, proposed};
use crate::cli::args::incident::RoomCommand;
use crate::cli::cockpit::given;
use crate::cli::context::Context;
use crate::cli::desk::{Desk, refused, writable};
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::config::Config;
use crate::domain::ids::IncidentId;
use crate::domain::incident::decide::text;
use crate::run::setup::real;
use serde_json::{Value, json};

/// Shows or acts. JSON: `{"id", "rooms": [{"chat", "id", "name", "url", "state", "why", "headline", "messages", "pinned",
/// "queued"}]}`.
pub fn run(
    context: &Context,
    config: &Config,
    typed: &str,
    what: Option<&RoomCommand>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let act = what.filter(|what| !matches!(what, RoomCommand::Show));
    let mut desk = match act {
        Some(_) => {
            writable(config)?;
            Desk::to_write(context, config)?
        }
        None => Desk::to_read(context, config)?,
    };
    let id = desk.find(typed)?.state.id;
    let mut model = real(given(context, true)).model;
    read(&mut desk, &mut model, &id)?;
    if let Some(act) = act {
        let now = desk.now;
        let bodies = match act {
            RoomCommand::Show => Vec::new(),
            RoomCommand::Open { name } => {
                let (target, usual) = proposed(&model, &id).map_err(refused)?;
                let name = name.as_deref().map(|name| text(name, "a name")).transpose().map_err(refused)?;
                vec![opens(&model, now, &id, &target, name.unwrap_or(usual)).map_err(refused)?]
            }
            RoomCommand::Post { text } => posts(&model, now, &id, text).map_err(refused)?,
            RoomCommand::Invite { person } => invitations(&model, now, &id, person).map_err(refused)?,
        };
        desk.act(&id, now, bodies)?;
        if !output.is_json() {
            output.note("queued; a running cockpit sends it: midwatch outbox list");
            return Ok(Exit::DONE);
        }
        read(&mut desk, &mut model, &id)?;
    }
    show(&model, &id, output)
}

/// The incident and the outbox as they are on disk now.
fn read(desk: &mut Desk<'_>, model: &mut Model, id: &IncidentId) -> Result<(), Failure> {
    let failed = |fault: crate::domain::fault::Fault| Failure::Refused(fault.to_string());
    let recorded = desk.read(id)?.ok_or_else(|| Failure::Refused(format!("{id} cannot be read back")))?;
    model.desk.cases.insert(id.clone(), Case::of(recorded.state, recorded.events));
    let entries = desk.store.outbox().map_err(failed)?;
    model.outbox.take(desk.now, entries);
    Ok(())
}

fn show(model: &Model, id: &IncidentId, output: &mut Output) -> Result<Exit, Failure> {
    let Some(case) = model.desk.cases.get(id) else { return Ok(Exit::DONE) };
    let rooms = rooms::json(model, &case.shown);
    if output.is_json() {
        output.json(&json!({"id": id, "rooms": rooms}))?;
        return Ok(Exit::DONE);
    }
    let all = rooms.as_array().map_or(&[][..], Vec::as_slice);
    if all.is_empty() {
        output.note("no room was opened for it");
    }
    for room in all {
        let text = |place: &str| room.pointer(place).and_then(Value::as_str).unwrap_or("-").to_owned();
        output.line(&format!("{:<10} {}", text("/chat"), text("/state")))?;
        for (name, place) in
            [("room", "/name"), ("id", "/id"), ("link", "/url"), ("why", "/why"), ("headline", "/headline/text")]
        {
            for line in text(place).lines().filter(|line| *line != "-") {
                output.line(&format!("  {name:<8} {line}"))?;
            }
        }
        for queued in room.pointer("/queued").and_then(Value::as_array).into_iter().flatten() {
            let what = queued.get("what").and_then(Value::as_str).unwrap_or_default();
            output.line(&format!("  {:<8} {}", "queued", what.lines().next().unwrap_or_default()))?;
        }
    }
    Ok(Exit::DONE)
}
