//! `midwatch pages` and `midwatch oncall`: what is open at the paging products, what is done to one of it ([`act`]), and who
//! would be woken.

pub mod act;

use crate::app::present::report;
use crate::cli::args::pages::PagesArgs;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::look::{Look, glance};
use crate::cli::output::{Output, Table};
use crate::cli::slo::faults;
use crate::domain::outward::capability::Capability;
use serde_json::Value;

/// Shows all, or acts on one.
pub fn run(context: &Context, args: &PagesArgs, output: &mut Output) -> Result<Exit, Failure> {
    match &args.what {
        None => pages(context, output),
        Some(what) => act::run(context, context.ready(output)?, what, output),
    }
}

/// Prints one row per open incident there. JSON: [`report::pages::pages`]. Exit 3 when a source failed.
fn pages(context: &Context, output: &mut Output) -> Result<Exit, Failure> {
    context.ready(output)?;
    let look = glance(context, true)?;
    let document = look.sign(report::pages::pages(&look.model, look.now));
    let mut table =
        Table::new(&["TARGET", "NUMBER", "STATUS", "URGENCY", "SERVICE", "WHO", "NEXT", "INCIDENT", "TITLE"]);
    for row in rows(&document, "pages") {
        let names = |key: &str| -> Vec<String> {
            let items = row.get(key).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(|item| item.as_str().or_else(|| item.get("name")?.as_str()).map(str::to_owned)).collect()
        };
        let who = Some(names("acknowledged_by")).filter(|names| !names.is_empty()).unwrap_or_else(|| names("assigned"));
        let next = row.get("pending").and_then(Value::as_array).and_then(|pending| pending.first());
        let next = next.map(|p| format!("{} {}", text(p, "action"), text(p, "at"))).unwrap_or_else(|| "-".into());
        let number = Some(text(row, "number")).filter(|n| n != "-").unwrap_or_else(|| text(row, "id"));
        table.row([
            text(row, "target"),
            number,
            text(row, "status"),
            text(row, "urgency"),
            text(row, "service"),
            if who.is_empty() { "-".into() } else { who.join(", ") },
            next,
            text(row, "incident"),
            text(row, "title"),
        ]);
    }
    print(&look, output, (&document, &table), Capability::ReadIncidents, "nothing is open there")
}

/// Prints one row per person on call. JSON: [`report::pages::on_call`]. Exit 3 when a source failed.
pub fn on_call(context: &Context, output: &mut Output) -> Result<Exit, Failure> {
    context.ready(output)?;
    let look = glance(context, false)?;
    let mut document = look.sign(report::pages::on_call(&look.model, look.now));
    let unknown = report::pages::unknown(&look.model);
    if let Some(partial) = document.get_mut("partial").filter(|_| !unknown.is_empty()) {
        *partial = Value::Bool(true);
    }
    let mut table = Table::new(&["TARGET", "POLICY", ">LEVEL", "NAME", "LOCAL TIME", "UNTIL", "EMAIL"]);
    for row in rows(&document, "on_call") {
        let level = row.get("level").and_then(Value::as_u64).map_or_else(|| "-".into(), |level| level.to_string());
        table.row([
            text(row, "target"),
            text(row, "policy"),
            level,
            text(row, "name"),
            text(row, "local_time"),
            text(row, "until"),
            text(row, "email"),
        ]);
    }
    print(&look, output, (&document, &table), Capability::ReadOnCall, "nobody is on call there")?;
    if !output.is_json() {
        unknown.iter().for_each(|fault| output.note(&text(fault, "message")));
    }
    Ok(if look.is_partial() || !unknown.is_empty() { Exit::PARTIAL } else { Exit::DONE })
}

fn rows<'d>(document: &'d Value, key: &str) -> impl Iterator<Item = &'d Value> {
    document.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text(row: &Value, key: &str) -> String {
    row.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).unwrap_or("-").to_owned()
}

fn print(
    look: &Look,
    output: &mut Output,
    (document, table): (&Value, &Table),
    needs: Capability,
    empty: &str,
) -> Result<Exit, Failure> {
    if output.is_json() {
        output.json(document)?;
    } else {
        let able = look.model.outbox.able(needs).next().is_some();
        let unknown = needs == Capability::ReadOnCall && !report::pages::unknown(&look.model).is_empty();
        match (table.is_empty(), able) {
            (false, _) => output.table(table)?,
            (true, false) => output.note("no paging product that can tell is configured (incident_backends)"),
            (true, true) if unknown || look.is_partial() => output.note("unknown: not every source answered"),
            (true, true) => output.note(empty),
        }
        faults(look, output);
    }
    Ok(if look.is_partial() { Exit::PARTIAL } else { Exit::DONE })
}
