//! A second person by command: what waits for one, and the word of one who typed the code. The same record, rules and ten
//! minutes as in the cockpit. Runs nothing: who asked runs it.

use crate::cli::context::Context;
use crate::cli::desk::{Desk, refused};
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, Table};
use crate::config::Config;
use crate::domain::ids::IncidentId;
use crate::domain::incident::change::Approval;
use crate::domain::incident::event::Body;
use crate::domain::incident::state::Incident;
use crate::domain::time::{Timestamp, clock, compact, rfc3339};
use crate::io::clock;
use serde_json::{Value, json};

/// What waits in one incident, or in all open ones; with `all`, what was decided too. JSON: `{"approvals": [{"incident", "id",
/// "code", "command", "target", "sha256", "state", "asked_by", "asked_at", "until", "approved_by", "verified", "run"}]}`.
pub fn list(
    context: &Context,
    config: &Config,
    incident: Option<&str>,
    all: bool,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut desk = Desk::to_read(context, config)?;
    let incidents: Vec<Incident> = match incident {
        Some(typed) => vec![desk.find(typed)?.state],
        None => desk.heads()?.into_iter().filter(Incident::is_open).collect(),
    };
    let now = clock::now();
    let wanted = |a: &&Approval| all || a.word(now) == "waiting";
    let asked: Vec<(&IncidentId, &Approval)> =
        incidents.iter().flat_map(|i| i.approvals.iter().filter(wanted).map(|a| (&i.id, a))).collect();
    if output.is_json() {
        let rows: Vec<Value> = asked.iter().map(|(id, approval)| document(id, approval, now)).collect();
        output.json(&json!({"approvals": rows}))?;
        return Ok(Exit::DONE);
    }
    if asked.is_empty() {
        output.note("no command waits for a second person");
        return Ok(Exit::DONE);
    }
    let mut table = Table::new(&["INCIDENT", "CODE", "STATE", "ASKED BY", "WHERE", "COMMAND"]);
    for (id, approval) in asked {
        let state = match approval.word(now) {
            "waiting" => format!("waiting, {} left", compact(approval.until() - now)),
            word => word.to_owned(),
        };
        let request = &approval.request;
        table.row([id.as_str(), &request.code, &state, &approval.by.0, &request.target, &request.command]);
    }
    output.table(&table)?;
    Ok(Exit::DONE)
}

fn document(id: &IncidentId, approval: &Approval, now: Timestamp) -> Value {
    let request = &approval.request;
    json!({
        "incident": id, "id": request.id, "code": request.code, "command": request.command, "target": request.target,
        "sha256": request.sha256, "state": approval.word(now), "asked_by": approval.by.0, "asked_at": rfc3339(approval.at),
        "until": rfc3339(approval.until()), "approved_by": approval.given.as_ref().map(|by| &by.name),
        "verified": approval.given.as_ref().map(|by| by.verified), "run": approval.used,
    })
}

/// Approves the command of a code as the configured responder, who must be another person than the one who asked. On disk
/// when it returns. JSON: the approval as `list` shows it.
pub fn give(
    context: &Context,
    config: &Config,
    incident: &str,
    typed: &str,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut desk = Desk::to_write(context, config)?;
    let state = desk.find(incident)?.state;
    if !state.is_open() {
        return Err(Failure::Refused(format!("{} is resolved; nothing is approved in it", state.id)));
    }
    let code = typed.trim().to_ascii_uppercase();
    let now = clock::now();
    let found = state.approvals.iter().rev().find(|a| a.request.code == code);
    let approval = found.ok_or_else(|| Failure::Refused(unknown(&state, typed, now)))?;
    let name = &config.responder.name;
    approval.may_be_given(name, now).map_err(refused)?;
    let request = approval.request.id.clone();
    desk.act(&state.id, now, vec![Body::ApprovalGiven { id: request.clone(), witness: None }])?;
    // Two may have typed it at once; the record says whose word counts.
    let after = desk.read(&state.id)?.map(|recorded| recorded.state).unwrap_or(state);
    let settled = after.approvals.iter().find(|a| a.request.id == request);
    let by = settled.and_then(|a| Some((a, a.given.as_ref()?)));
    let Some((settled, by)) = by.filter(|(_, by)| by.name == *name) else {
        let word = settled.map_or("gone", |a| a.word(now));
        return Err(Failure::Refused(format!(
            "it was {word} before your word was recorded; nothing was approved by it"
        )));
    };
    if output.is_json() {
        output.json(&document(&after.id, settled, now))?;
        return Ok(Exit::DONE);
    }
    let what = &settled.request;
    output.line(&format!("approved: {}", what.command))?;
    output.line(&format!("on {} for {}, sha256 {}", what.target, after.id, what.sha256))?;
    let asker = &settled.by.0;
    output.line(&format!(
        "{asker} may run exactly this once until {}; you are named in the timeline",
        clock(settled.until())
    ))?;
    if !by.verified {
        output.note("recorded as unverified: you sit at the installation that asked");
    }
    Ok(Exit::DONE)
}

fn unknown(state: &Incident, typed: &str, now: Timestamp) -> String {
    let id = &state.id;
    match state.approvals.iter().any(|a| a.word(now) == "waiting") {
        false => format!("nothing in {id} waits for a second person"),
        true => {
            format!("nothing in {id} waits for the code `{typed}`; `midwatch runbook approvals {id}` shows what does")
        }
    }
}
