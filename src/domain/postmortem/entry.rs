//! The timeline of an incident in the order in which things happened: every event once. Text in here is raw; whoever writes
//! it escapes it.

use crate::domain::incident::event::{Body, Event, EventKey};
use crate::domain::incident::state::{Incident, key_text};
use crate::domain::incident::timeline::tell;
use crate::domain::time::{Timestamp, clock};
use std::collections::BTreeSet;

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'e> {
    /// The event.
    pub event: &'e Event,
    /// When it happened, in UTC: with the date on the first line and wherever the date changes.
    pub when: String,
    /// What happened; raw.
    pub text: String,
    /// `origin#seq`, which no other event has; raw.
    pub reference: String,
}

impl Entry<'_> {
    /// Who, and of which kind it is unless the text begins with that word; raw.
    pub fn head(&self) -> String {
        let kind = self.event.body.kind();
        let said = self.text.split([' ', ':']).take(2).any(|word| word == kind);
        if said { self.event.who().to_owned() } else { format!("{}, {kind}", self.event.who()) }
    }
}

/// Every event of the incident once, by when it happened, then in the order of the record.
pub fn entries<'e>(incident: &Incident, events: &'e [Event]) -> Vec<Entry<'e>> {
    let mut sorted = once(incident, events);
    sorted.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.rank().cmp(&b.rank())));
    let mut day = None;
    let line = |event: &'e Event| {
        let date = event.at.date_naive();
        let format = if day.replace(date) == Some(date) { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
        Entry {
            event,
            when: event.at.format(format).to_string(),
            text: told(event, incident, events),
            reference: key_text(&event.key),
        }
    };
    sorted.into_iter().map(line).collect()
}

/// The events of the incident in the order of the record, each once.
pub fn once<'e>(incident: &Incident, events: &'e [Event]) -> Vec<&'e Event> {
    let mut own: Vec<&Event> = events.iter().filter(|event| event.incident == incident.id).collect();
    own.sort_by(|a, b| a.rank().cmp(&b.rank()));
    let mut seen: BTreeSet<&EventKey> = BTreeSet::new();
    own.retain(|event| seen.insert(&event.key));
    own
}

/// What an event says, `-` when it says nothing. Other events are named by their time: a reader has no numbers.
fn told(event: &Event, incident: &Incident, events: &[Event]) -> String {
    let other = |of: &EventKey| events.iter().find(|other| other.key == *of);
    let text = match &event.body {
        Body::Corrected { of, text } => other(of)
            .map(|old| format!("entry of {} corrected to: {text} (it read: {})", clock(old.at), tell(old, None))),
        Body::Retracted { of, reason } => {
            other(of).map(|old| format!("entry of {} does not hold: {reason}", clock(old.at)))
        }
        Body::Marked { of, mark, on } => other(of).map(|old| format!("entry of {} {}", clock(old.at), mark.told(*on))),
        Body::Redacted(redaction) => {
            let by = |old: &Event| format!("text of the entry of {} taken out: {}", clock(old.at), redaction.reason);
            other(&redaction.of).map(by)
        }
        _ => None,
    };
    let text = text.unwrap_or_else(|| tell(event, Some(incident)));
    if text.trim().is_empty() { "-".to_owned() } else { text }
}

/// `2026-05-01 03:12:04Z`.
pub fn dated(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}
