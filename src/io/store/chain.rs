//! The hash chain of an origin: each event's hash covers the one before it, so that a changed, removed or inserted event
//! shows. It is evidence, not protection: who may write the file may also write a new chain.

use crate::domain::incident::event::Event;
use serde_json::Value;
use sha2::{Digest, Sha256};

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

/// What is wrong with the events of one origin, given in the order of their numbers. Events of other installations may
/// have gaps, because only the incidents that are shared arrive; `whole` says that there may be none.
pub fn check<'e>(events: impl Iterator<Item = &'e Event>, whole: bool) -> Vec<String> {
    let mut findings = Vec::new();
    let mut before: Option<(u64, String)> = Some((0, String::new()));
    for event in events {
        let name = format!("{} event {} of {}", event.incident, event.key.seq, event.key.origin);
        let last = before.as_ref().map_or(0, |(seq, _)| *seq);
        if event.key.seq != last.saturating_add(1) {
            if whole {
                findings.push(format!("{name}: the events after {last} and before it are missing"));
            }
            before = None;
        }
        if let Some((_, hash_before)) = &before
            && hash(hash_before, event) != event.hash
        {
            findings.push(format!("{name}: its text or its place was changed after it was recorded"));
        }
        before = Some((event.key.seq, event.hash.clone()));
    }
    findings
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
        assert_eq!(check(good.iter(), true), Vec::<String>::new());

        let mut changed = good.clone();
        changed[2].actor = "mallory".into();
        assert_eq!(check(changed.iter(), true).len(), 1);

        let mut swapped = good.clone();
        swapped[1].body = good[3].body.clone();
        swapped[1].id.clone_from(&good[3].id);
        assert_eq!(check(swapped.iter(), true).len(), 1);

        let mut gap = good.clone();
        gap.remove(2);
        assert_eq!(check(gap.iter(), true).len(), 1);
        assert_eq!(check(gap.iter(), false), Vec::<String>::new());
    }
}
