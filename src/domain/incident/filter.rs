//! Which entries of a timeline are wanted, as a person types it: words, and `kind:note,decision`, `who:alice`,
//! `tag:db`, `is:pinned`, `is:excluded`, a `-` in front for what is not wanted. What is no known field is a word, so that
//! nothing that can be typed is an error.

use crate::domain::incident::event::Event;
use crate::domain::incident::mark::Marks;
use crate::domain::incident::state::{Incident, key_text};
use crate::domain::time::Timestamp;

/// What is wanted; empty wants everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    parts: Vec<Part>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Not after.
    pub until: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    wanted: bool,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// One of these kinds.
    Kind(Vec<String>),
    /// A part of one of these names.
    Who(Vec<String>),
    /// One of these tags.
    Tag(Vec<String>),
    Pinned,
    Excluded,
    /// In text, kind or name.
    Word(String),
}

impl Filter {
    /// Reads what was typed; `"two words"` belong together.
    pub fn parse(typed: &str) -> Self {
        Self { parts: pieces(typed).iter().map(|piece| part(piece)).collect(), since: None, until: None }
    }

    /// Adds a condition that must hold as well: `kind`, `who` or `tag`, with one of these values.
    pub fn and(&mut self, field: &str, values: &[String]) {
        if !values.is_empty() {
            self.parts.push(part(&format!("{field}:{}", values.join(","))));
        }
    }

    /// Whether everything is wanted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The words that must be in the text, for marking them.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter(|part| part.wanted).filter_map(|part| match &part.what {
            What::Word(word) => Some(word.as_str()),
            _ => None,
        })
    }

    /// Whether an entry is wanted. `text` is what the timeline says of it.
    pub fn wants(&self, event: &Event, text: &str, incident: &Incident) -> bool {
        if self.is_empty() {
            return true;
        }
        let none = Marks::default();
        let marks = match incident.marks.is_empty() {
            true => &none,
            false => incident.marks.get(&key_text(&event.key)).unwrap_or(&none),
        };
        let early = self.since.is_some_and(|since| event.at < since);
        let late = self.until.is_some_and(|until| event.at > until);
        !early && !late && self.parts.iter().all(|part| part.wanted == holds(&part.what, event, text, marks))
    }
}

fn holds(what: &What, event: &Event, text: &str, marks: &Marks) -> bool {
    match what {
        What::Kind(kinds) => kinds.iter().any(|kind| {
            let own = event.body.kind();
            own == kind || own.rsplit_once('.').is_some_and(|(_, last)| last == kind)
        }),
        What::Who(names) => names.iter().any(|name| found(event.who(), name) || found(&event.actor, name)),
        What::Tag(tags) => tags.iter().any(|tag| marks.tags.iter().any(|own| own.eq_ignore_ascii_case(tag))),
        What::Pinned => marks.pinned,
        What::Excluded => marks.excluded,
        What::Word(word) => found(text, word) || found(event.body.kind(), word) || found(event.who(), word),
    }
}

/// Whether `word`, which is in lower case, is in a text.
fn found(text: &str, word: &str) -> bool {
    if text.is_ascii() && word.is_ascii() {
        let (text, word) = (text.as_bytes(), word.as_bytes());
        return word.is_empty() || text.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
    }
    text.to_lowercase().contains(word)
}

fn part(piece: &str) -> Part {
    let (wanted, rest) = match piece.strip_prefix('-') {
        Some(rest) if !rest.is_empty() => (false, rest),
        _ => (true, piece),
    };
    let lower = rest.to_lowercase();
    let list = |values: &str| values.split(',').filter(|v| !v.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let what = match lower.split_once(':') {
        Some(("kind", values)) if !values.is_empty() => What::Kind(list(values)),
        Some(("who", values)) if !values.is_empty() => What::Who(list(values)),
        Some(("tag", values)) if !values.is_empty() => What::Tag(list(values)),
        Some(("is", "pinned")) => What::Pinned,
        Some(("is", "excluded")) => What::Excluded,
        _ => What::Word(lower),
    };
    Part { wanted, what }
}

/// Words, and what stands in double quotes as one; an open quote ends with the text.
pub fn pieces(typed: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut piece = String::new();
    let mut quoted = false;
    for c in typed.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !piece.is_empty() {
                    out.push(std::mem::take(&mut piece));
                }
            }
            c => piece.push(c),
        }
    }
    if !piece.is_empty() {
        out.push(piece);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::incident::event::{Body, EventKey, NoteKind};
    use proptest::prelude::*;

    fn event(seq: u64, actor: &str, sort: NoteKind, text: &str) -> Event {
        Event {
            key: EventKey { origin: "a".into(), seq },
            id: String::new(),
            incident: "INC-1".into(),
            order: seq,
            at: "2026-05-01T03:12:04Z".parse().unwrap(),
            recorded_at: "2026-05-01T03:12:04Z".parse().unwrap(),
            actor: actor.into(),
            body: Body::Note { sort, text: text.into() },
            hash: String::new(),
        }
    }

    fn incident() -> Incident {
        let mut declared = event(1, "alice", NoteKind::Note, "");
        declared.body = Body::Declared {
            title: "t".into(),
            severity: "SEV1".into(),
            service: None,
            detected_by: None,
            detected_at: None,
        };
        let mut incident = Incident::begin(&declared).unwrap();
        incident.marks.entry("a#2".into()).or_default().pinned = true;
        incident.marks.entry("a#3".into()).or_default().tags.insert("DB".into());
        incident
    }

    #[test]
    fn fields_words_and_their_opposites() {
        let incident = incident();
        let two = event(2, "alice", NoteKind::Decision, "roll back the Pool change");
        let three = event(3, "Bob", NoteKind::Note, "pool is full");
        for (typed, want) in [
            ("", [true, true]),
            ("pool", [true, true]),
            ("POOL change", [true, false]),
            ("\"pool is\"", [false, true]),
            ("kind:decision", [true, false]),
            ("kind:note,decision", [true, true]),
            ("-kind:decision", [false, true]),
            ("who:bob", [false, true]),
            ("is:pinned", [true, false]),
            ("-is:pinned", [false, true]),
            ("tag:db", [false, true]),
            ("url:x", [false, false]),
            ("-full", [true, false]),
            ("-", [false, false]),
        ] {
            let filter = Filter::parse(typed);
            let got = [&two, &three].map(|e| {
                let Body::Note { text, .. } = &e.body else { panic!("a note") };
                filter.wants(e, text, &incident)
            });
            assert_eq!(got, want, "{typed}");
        }
    }

    proptest! {
        #[test]
        fn anything_can_be_typed(typed in "\\PC{0,40}", text in "\\PC{0,40}") {
            let filter = Filter::parse(&typed);
            let _ = filter.wants(&event(2, "alice", NoteKind::Note, &text), &text, &incident());
        }
    }
}
