//! Queries that tell of changes: `marks` of a Prometheus source. Checks them; never asks.

use crate::domain::document::{Level, Node, Reader};
use crate::domain::slo::marks::{MARKERS, Marker, Whose};
use crate::domain::slo::promql::{Refusal, WINDOW, parse};

const KEYS: [&str; 5] = ["name", "query", "text", "services", "service_label"];

/// Reads the list; one that is wrong is left out and said.
pub(super) fn markers(reader: &mut Reader<'_>, node: &Node) -> Vec<Marker> {
    let items = reader.list(node, "marks");
    if let Some(more) = items.get(MARKERS) {
        let message = format!("marks: {MARKERS} queries are asked at most; the others are left out");
        reader.error(more.mark, "too-many", message);
    }
    items.iter().take(MARKERS).filter_map(|item| marker(reader, item)).collect()
}

fn marker(reader: &mut Reader<'_>, node: &Node) -> Option<Marker> {
    let fields = reader.map(node, "a query of marks", &KEYS)?;
    let name = match fields.get("name") {
        Some(node) => reader.string(node, "name")?,
        None => "deploy".to_owned(),
    };
    let asked = fields.need(reader, "query")?;
    let query = reader.string(asked, "query")?;
    if query.trim().is_empty() {
        reader.wrong(asked, "query", "a PromQL expression");
        return None;
    }
    if let Err(Refusal::Unknown(why) | Refusal::TooMuch(why)) = parse(&query.replace(WINDOW, "5m")) {
        // The server decides in the end.
        reader.report(asked.mark, Level::Warning, "promql", format!("query: {why}"));
    }
    let text = fields.get("text").and_then(|n| reader.string(n, "text")).unwrap_or_default();
    let services = fields.get("services").map(|n| {
        let items = reader.list(n, "services").to_vec();
        items.iter().filter_map(|item| reader.string(item, "services")).collect::<Vec<String>>()
    });
    let label = fields.get("service_label").and_then(|n| reader.string(n, "service_label"));
    let whose = match (services, label) {
        (Some(_), Some(_)) => {
            let message = "services and service_label both say whose these marks are (expected one of them)";
            reader.error(fields.mark(), "both", message);
            return None;
        }
        (Some(services), None) => Whose::Services(services),
        (None, Some(label)) => Whose::Label(label),
        (None, None) => Whose::Everyone,
    };
    Some(Marker { name, query, text, whose })
}
