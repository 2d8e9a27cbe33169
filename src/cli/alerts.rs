//! `midwatch alerts`: what fires, from every source.

use crate::app::present::report;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::look::glance;
use crate::cli::output::{Output, Table};
use crate::cli::slo::faults;
use crate::domain::time::compact;
use serde_json::Value;

/// Prints one row per alert with the matching runbook. JSON: `{"as_of", "partial", "faults", "alerts": [{"fingerprint", "name",
/// "labels", "annotations", "state", "started_at", "source", "runbook", "incident"}]}`. Exit 3 when a source failed.
pub fn run(context: &Context, output: &mut Output) -> Result<Exit, Failure> {
    context.ready(output)?;
    let look = glance(context, true)?;
    let document = look.sign(report::alerts(&look.model, look.now));
    if output.is_json() {
        output.json(&document)?;
    } else {
        let mut table =
            Table::new(&["ALERT", "SEVERITY", "STATE", ">SINCE", "SERVICE", "RUNBOOK", "INCIDENT", "FINGERPRINT"]);
        for row in document.get("alerts").and_then(Value::as_array).into_iter().flatten() {
            let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
            let Some(alert) = look.model.alerts.get(&text("fingerprint").as_str().into()) else { continue };
            let since = compact(look.now - alert.started_at);
            let said = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
            table.row([
                alert.name.clone(),
                said(alert.severity()),
                alert.state.word().to_owned(),
                since,
                said(alert.service()),
                text("runbook"),
                text("incident"),
                text("fingerprint"),
            ]);
        }
        match (table.is_empty(), look.model.links.is_empty()) {
            (false, _) => output.table(&table)?,
            (true, true) => output.note("no source of alerts is configured"),
            (true, false) if look.is_partial() => output.note("no alert from the sources that answered"),
            (true, false) => output.note("nothing fires"),
        }
        faults(&look, output);
    }
    Ok(if look.is_partial() { Exit::PARTIAL } else { Exit::DONE })
}
