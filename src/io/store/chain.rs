//! The hash chain of an origin: each event's hash covers the one before it, so that a changed, removed or inserted event
//! shows. It is evidence, not protection: who may write the file may also write a new chain.

use crate::domain::ids::IncidentId;
use crate::domain::incident::event::{Event, Redaction};
use crate::domain::incident::redaction::{Redactions, places, redacted};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The hash of an event that follows the event of hash `before` (empty for the first). The body is hashed with sorted
/// keys, so that a program that does not know its kind computes the same.
pub fn hash(before: &str, event: &Event) -> String {
    let body = serde_json::to_value(&event.body).unwrap_or(Value::Null);
    let line = serde_json::json!([
        before,
        event.key.origin,
        event.key.seq,
        event.id,
        event.incident,
        event.order,
        event.at,
        event.recorded_at,
        event.actor,
        body
    ]);
    hex(&Sha256::digest(line.to_string().as_bytes()))
}

/// Bytes as lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(nibble), 16));
        }
        text
    })
}

/// The seal of an event whose text was taken out: over the hash that it was recorded under and the event as it is now.
pub fn seal(event: &Event) -> String {
    hash(&event.hash, event)
}

/// Something that is wrong, and in which incident where it is in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The incident; `None` is the record as a whole.
    pub incident: Option<IncidentId>,
    /// What is wrong.
    pub text: String,
}

impl Finding {
    /// Of the record as a whole.
    pub fn whole(text: impl Into<String>) -> Self {
        Self { incident: None, text: text.into() }
    }
}

/// What is wrong with the events of one origin, given in the order of their numbers. Events of other installations may
/// have gaps, because only the incidents that are shared arrive; `whole` says that there may be none. An event whose text
/// was taken out is held against the seals of its redactions instead of its own hash; the chain goes on through that hash.
pub fn check<'e>(events: impl Iterator<Item = &'e Event>, whole: bool, redactions: &Redactions) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut before: Option<(u64, String)> = Some((0, String::new()));
    let mut orders: BTreeMap<&IncidentId, u64> = BTreeMap::new();
    for event in events {
        let name = format!("{} event {} of {}", event.incident, event.key.seq, event.key.origin);
        let mut found = |what: &str| {
            let text = format!("{name}: {what}");
            findings.push(Finding { incident: Some(event.incident.clone()), text });
        };
        let last = before.as_ref().map_or(0, |(seq, _)| *seq);
        if event.key.seq != last.saturating_add(1) {
            if whole {
                found(&format!("the events after {last} and before it are missing"));
            }
            before = None;
        }
        let intact = before.as_ref().map(|(_, hash_before)| hash(hash_before, event) == event.hash);
        let taken: Vec<&Redaction> =
            redactions.get(&event.key).into_iter().flatten().filter(|r| !r.places.is_empty()).collect();
        match (intact, taken.is_empty()) {
            (Some(false), true) => found("its text or its place was changed after it was recorded"),
            (Some(true), false) if is_readable(event) => found("its text was to be taken out and is still here"),
            (Some(false) | None, false) if !sealed(event, &taken) => {
                found("it is neither what was recorded nor what its redaction left of it");
            }
            _ => {}
        }
        // A writer's numbers and the order of an incident rise together.
        if let Some(order) = orders.insert(&event.incident, event.order).filter(|order| *order >= event.order) {
            found(&format!("its order {} does not come after {order}, which its writer had used", event.order));
        }
        before = Some((event.key.seq, event.hash.clone()));
    }
    findings
}

/// Whether a text is left that a redaction would take out.
fn is_readable(event: &Event) -> bool {
    redacted(&event.body, &places(&event.body)).is_some_and(|left| left != event.body)
}

/// Whether an event is what its redactions left of it. Several may have been made by programs that know other fields: then
/// the seal of none fits, and it is enough that each fits the hash and that nothing readable is left.
fn sealed(event: &Event, taken: &[&Redaction]) -> bool {
    let seal = seal(event);
    let known = taken.iter().filter(|r| r.hash == event.hash);
    let mut places: BTreeSet<&[String]> = BTreeSet::new();
    for redaction in known {
        if redaction.sealed == seal {
            return true;
        }
        places.insert(&redaction.places);
    }
    places.len() > 1 && !is_readable(event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::incident::event::{Body, EventKey, NoteKind};

    fn event(seq: u64, text: &str) -> Event {
        Event {
            key: EventKey { origin: "a".into(), seq },
            id: format!("id-{seq}"),
            incident: "INC-1".into(),
            order: seq,
            at: "2026-05-01T03:12:04Z".parse().unwrap(),
            recorded_at: "2026-05-01T03:12:05.25Z".parse().unwrap(),
            actor: "alice".into(),
            body: Body::Note { sort: NoteKind::Note, text: text.into() },
            hash: String::new(),
        }
    }

    fn chained(n: u64) -> Vec<Event> {
        let mut before = String::new();
        (1..=n)
            .map(|seq| {
                let mut event = event(seq, "x");
                event.hash = hash(&before, &event);
                before.clone_from(&event.hash);
                event
            })
            .collect()
    }

    /// The form is a promise to records already written: a change of this value is a change of format.
    #[test]
    fn the_form_of_the_hash_is_fixed() {
        let line = r#"["","a",1,"id-1","INC-1",1,"2026-05-01T03:12:04Z","2026-05-01T03:12:05.250Z","alice",{"data":{"sort":"note","text":"x"},"kind":"note"}]"#;
        assert_eq!(hash("", &event(1, "x")), hex(&Sha256::digest(line)));
    }

    #[test]
    fn changes_gaps_and_swaps_show() {
        let good = chained(5);
        assert_eq!(check(good.iter(), true, &Redactions::new()), Vec::<Finding>::new());

        let mut changed = good.clone();
        changed[2].actor = "mallory".into();
        assert_eq!(check(changed.iter(), true, &Redactions::new()).len(), 1);

        let mut swapped = good.clone();
        swapped[1].body = good[3].body.clone();
        swapped[1].id.clone_from(&good[3].id);
        assert_eq!(check(swapped.iter(), true, &Redactions::new()).len(), 1);

        let mut gap = good.clone();
        gap.remove(2);
        assert_eq!(check(gap.iter(), true, &Redactions::new()).len(), 1);
        assert_eq!(check(gap.iter(), false, &Redactions::new()), Vec::<Finding>::new());
    }

    /// The text is gone, the chain holds, and neither another text nor another time can stand in its place.
    #[test]
    fn a_redaction_is_held_against_its_seal() {
        let mut events = chained(4);
        let target = &mut events[1];
        let taken = places(&target.body);
        target.body = redacted(&target.body, &taken).unwrap();
        let mut redaction = Redaction::of(target.key.clone(), "a token".into());
        assert_eq!(check(events.iter(), true, &Redactions::new()).len(), 1, "without a redaction it was changed");
        redaction.places = taken;
        redaction.hash.clone_from(&events[1].hash);
        redaction.sealed = seal(&events[1]);
        let known = Redactions::from([(events[1].key.clone(), vec![redaction.clone()])]);
        assert_eq!(check(events.iter(), true, &known), Vec::<Finding>::new());

        for change in [
            (|e: &mut Event| e.actor = "mallory".into()) as fn(&mut Event),
            |e| e.at += chrono::TimeDelta::seconds(1),
            |e| e.body = Body::Note { sort: NoteKind::Note, text: "another".into() },
            |e| e.body = Body::Acknowledged,
            |e| e.hash = hash("", e),
        ] {
            let mut forged = events.clone();
            change(&mut forged[1]);
            assert!(!check(forged.iter(), true, &known).is_empty());
        }
        let whole = chained(4);
        assert!(check(whole.iter(), true, &known)[0].text.contains("still here"));
    }
}
