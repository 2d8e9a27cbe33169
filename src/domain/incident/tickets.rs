//! Tickets of an incident: one for the incident, one per action item, each under a marker that finds it again, so that it is
//! opened once whoever asks and however often. Words and rules; sends nothing.

use crate::domain::incident::sent::{Standing, standing};
use crate::domain::incident::state::{ActionItem, Incident};
use crate::domain::outward::capability::Capability;
use crate::domain::outward::ticket::TicketWrite;
use crate::domain::time::rfc3339;
use chrono::NaiveDate;

/// What the operation of the incident's own ticket is about.
const OWN: &str = "ticket";

/// What an operation is about that opens a ticket for an action item, or for the incident.
pub fn about(item: Option<&ActionItem>) -> String {
    match item {
        Some(item) => format!("{OWN}:{}#{}", item.key.origin, item.key.seq),
        None => OWN.to_owned(),
    }
}

/// Where the ticket of an action item, or of the incident, stands.
pub fn ticket(i: &Incident, item: Option<&ActionItem>) -> Standing {
    standing(i, Capability::CreateTicket, &about(item), None)
}

/// A word that finds the ticket again: letters, digits, `-`, `_` and `.`.
pub fn marker(i: &Incident, item: Option<&ActionItem>) -> String {
    let own = match item {
        Some(item) => format!("midwatch-{}-{}-{}", i.id, item.key.origin, item.key.seq),
        None => format!("midwatch-{}", i.id),
    };
    own.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect()
}

/// The ticket of an action item, or of the incident.
pub fn write(i: &Incident, item: Option<&ActionItem>) -> TicketWrite {
    let title = match item {
        Some(item) => item.text.clone(),
        None => format!("{} {}: {}", i.id, i.severity, i.title),
    };
    let mut lines = Vec::new();
    if let Some(item) = item {
        lines.push(item.text.clone());
        lines.push(String::new());
        lines.push(format!("Owner: {}", item.owner.as_deref().unwrap_or("nobody yet")));
        lines.push(format!("Due: {}", item.due.as_deref().unwrap_or("no date yet")));
        lines.extend(item.does.map(|does| format!("Type: {}", does.word())));
        lines.push(String::new());
    }
    lines.push(format!("Incident: {} {}, {}", i.id, i.title, i.severity));
    lines.extend(i.service.as_ref().map(|service| format!("Service: {service}")));
    lines.push(format!("Declared: {} by {}", rfc3339(i.times.declared), i.declared_by));
    lines.extend(i.times.mitigated.map(|at| format!("Mitigated: {}", rfc3339(at))));
    lines.extend(i.times.resolved.map(|at| format!("Resolved: {}", rfc3339(at))));
    TicketWrite::Create {
        title,
        body: lines.join("\n"),
        marker: marker(i, item),
        labels: Vec::new(),
        owner: item.and_then(|item| item.owner.clone()),
        due: item.and_then(|item| item.due.clone()).filter(|due| due.parse::<NaiveDate>().is_ok()),
    }
}
