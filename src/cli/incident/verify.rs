//! `midwatch incident verify`: whether the record is what was recorded. Evidence, not protection: the chain has no secret.

use crate::cli::context::Context;
use crate::cli::desk::Desk;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::config::Config;
use crate::domain::incident::state::key_text;
use crate::domain::time::rfc3339;
use crate::io::store::examined::Examined;
use serde_json::{Value, json};

/// Prints what was looked at, every redaction and every finding: `{"incident", "sound", "events", "origins", "incidents",
/// "redactions": [{"of", "incident", "at", "by", "reason", "done"}], "findings": [{"incident", "message"}]}`. Exit 0 when it is
/// sound, 1 when not.
pub fn run(context: &Context, config: &Config, typed: Option<&str>, output: &mut Output) -> Result<Exit, Failure> {
    let mut desk = Desk::to_read(context, config)?;
    let id = typed.map(|typed| desk.find(typed)).transpose()?.map(|recorded| recorded.state.id);
    let seen = desk.store.examine(id.as_ref()).map_err(|fault| Failure::Refused(fault.to_string()))?;
    let sound = seen.findings.is_empty();
    if output.is_json() {
        let findings: Vec<Value> =
            seen.findings.iter().map(|f| json!({"incident": f.incident, "message": f.text})).collect();
        output.json(&json!({"incident": id, "sound": sound, "events": seen.events, "origins": seen.origins,
            "incidents": seen.incidents, "redactions": redactions(&seen), "findings": findings}))?;
        return Ok(if sound { Exit::DONE } else { Exit::NO });
    }
    for taken in &seen.redactions {
        let what = if taken.done { "text taken out" } else { "nothing was there to take out" };
        let at = taken.at.format("%Y-%m-%d %H:%M:%SZ");
        let of = key_text(&taken.of);
        output.line(&format!("redacted  {} {of}: {what} {at} by {}: {}", taken.incident, taken.by, taken.reason))?;
    }
    for finding in &seen.findings {
        output.line(&format!("WRONG     {}", finding.text))?;
    }
    let of = id.as_ref().map_or_else(|| format!("{} incidents", seen.incidents), |id| id.to_string());
    let counts = format!("{} events of {of} by {} installation(s)", seen.events, seen.origins);
    output.line(&match seen.findings.len() {
        0 => {
            format!("sound     {counts}: chains, order, what may be there once, {} redaction(s)", seen.redactions.len())
        }
        n => format!("NOT SOUND {counts}: {n} finding(s)"),
    })?;
    Ok(if sound { Exit::DONE } else { Exit::NO })
}

fn redactions(seen: &Examined) -> Vec<Value> {
    let row = |taken: &crate::io::store::examined::Taken| {
        json!({"of": key_text(&taken.of), "incident": taken.incident, "at": rfc3339(taken.at), "by": taken.by,
            "reason": taken.reason, "done": taken.done})
    };
    seen.redactions.iter().map(row).collect()
}
