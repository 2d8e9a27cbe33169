//! What the chat adapters share: the options of their rooms, names that a product takes, and the pieces of a text. Never
//! sends anything.

use crate::config::{Auth, OutsideConfig};
use crate::domain::document::{Fields, Reader};
use crate::domain::outward::backend::Party;
use crate::domain::outward::chat::{Import, RoomSettings};
use serde_json::Value;

/// Options of every chat that has rooms.
pub const ROOM_PREFIX: (&str, &str) =
    ("room_prefix", "before the incident's id in a room's name; incident- when left out");
/// See [`ROOM_PREFIX`].
pub const PRIVATE: (&str, &str) = ("private", "only invited people see the room; false when left out");
/// See [`ROOM_PREFIX`].
pub const INVITE: (&str, &str) = ("invite", "ids or addresses that are invited into every room");
/// See [`ROOM_PREFIX`].
pub const PEOPLE: (&str, &str) = ("people", "a map of names in the record to ids there: `alice: U024BE7LH`");
/// See [`ROOM_PREFIX`].
pub const VOLUNTEER: (&str, &str) = ("volunteer", "reactions to the headline that volunteer as commander");

/// See [`ROOM_PREFIX`].
pub const IMPORT: (&str, &str) = ("import", "which messages go to the timeline: all (when left out), pinned or off");

/// The person of an id or an address.
fn party(text: &str) -> Party {
    let email = text.contains('@') && !text.starts_with('@');
    Party { id: text.to_owned(), name: text.to_owned(), email: email.then(|| text.to_owned()), time_zone: None }
}

/// Reads the options that all rooms have; `volunteer` are the reactions when none are given.
pub fn settings(reader: &mut Reader<'_>, fields: Option<&Fields<'_>>, volunteer: &[&str]) -> RoomSettings {
    let mut out = RoomSettings {
        volunteer: volunteer.iter().map(|word| (*word).to_owned()).collect(),
        ..RoomSettings::default()
    };
    let Some(fields) = fields else { return out };
    if let Some(node) = fields.get(ROOM_PREFIX.0)
        && let Some(prefix) = reader.string(node, ROOM_PREFIX.0)
    {
        let fits = prefix.len() <= 30
            && prefix.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'));
        match fits {
            true => out.prefix = prefix,
            false => reader.wrong(node, ROOM_PREFIX.0, "at most 30 of a-z, 0-9, - and _"),
        }
    }
    out.private = fields.get(PRIVATE.0).and_then(|n| reader.boolean(n, PRIVATE.0)).unwrap_or(false);
    if let Some(node) = fields.get(INVITE.0) {
        out.invite = reader.strings(node, INVITE.0).iter().map(|text| party(text)).collect();
    }
    if let Some(entries) = fields.get(PEOPLE.0).and_then(|n| reader.entries(n, PEOPLE.0)) {
        for (name, node) in entries {
            if let Some(id) = reader.string(node, PEOPLE.0) {
                out.people.insert(name.text.clone(), id);
            }
        }
    }
    if let Some(node) = fields.get(IMPORT.0) {
        match node.text() {
            Some("all") => out.import = Import::All,
            Some("pinned") => out.import = Import::Pinned,
            Some("off" | "false") => out.import = Import::Nothing,
            _ => reader.wrong(node, IMPORT.0, "all, pinned or off"),
        }
    }
    if let Some(node) = fields.get(VOLUNTEER.0) {
        out.volunteer = reader.strings(node, VOLUNTEER.0).iter().map(|w| w.trim_matches(':').to_owned()).collect();
        // Where one word is wanted, people are told that word.
        if let Some(first) = out.volunteer.first() {
            out.sign = match first.is_ascii() {
                true => format!(":{first}:"),
                false => first.clone(),
            };
        }
    }
    out
}

/// Reports an entry whose token is missing.
pub fn wants_bearer(config: &OutsideConfig, reader: &mut Reader<'_>) {
    if !matches!(config.connection.auth, Auth::Bearer(_)) {
        let message = format!("{} needs a token: auth: {{bearer: {{file: PATH}}}}", config.kind);
        reader.error(config.mark, "missing-key", message);
    }
}

/// A name of at most so many characters out of a-z, 0-9, `-` and `_`, as every chat takes it.
pub fn slug(name: &str, most: usize) -> String {
    let plain = |c: char| match c.to_ascii_lowercase() {
        c if c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_') => c,
        _ => '-',
    };
    name.chars().map(plain).take(most).collect()
}

/// A text of at most so many characters, the last one an ellipsis when it was longer.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// One part of a path: everything that could end it or lead out of it is encoded.
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => out.push(char::from(byte)),
            // A dot alone would be a folder; encoded it is one all the same, so that it is taken for what it is not.
            b'.' if text.bytes().any(|b| b != b'.') => out.push('.'),
            b'.' => out.push('_'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// A JSON object with more in it.
pub fn with<const N: usize>(mut object: Value, more: [(&str, Value); N]) -> Value {
    if let Value::Object(map) = &mut object {
        map.extend(more.into_iter().map(|(key, value)| (key.to_owned(), value)));
    }
    object
}

/// A piece of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Words.
    Words(&'t str),
    /// An address of the web.
    Link(&'t str),
}

/// A line as words and addresses, nothing left out.
pub fn pieces(line: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut rest = line;
    while let Some(at) = ["https://", "http://"].iter().filter_map(|scheme| rest.find(scheme)).min() {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`')).unwrap_or(from.len());
        let (link, after) = from.split_at(end);
        if !before.is_empty() {
            out.push(Piece::Words(before));
        }
        out.push(Piece::Link(link));
        rest = after;
    }
    if !rest.is_empty() {
        out.push(Piece::Words(rest));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_what_products_take() {
        assert_eq!(slug("Incident-INC-20260501-031204", 80), "incident-inc-20260501-031204");
        assert_eq!(slug("Größe & <x>", 80), "gr--e----x-");
        assert_eq!(slug("abcdef", 3), "abc");
        assert_eq!(segment("!r:host"), "%21r%3Ahost");
        assert_eq!((segment(".."), segment("a.b"), segment("a/b")), ("__".into(), "a.b".into(), "a%2Fb".into()));
        assert_eq!(cut("äöüß", 3), "äö…");
    }

    #[test]
    fn addresses_are_found_between_words() {
        use Piece::{Link, Words};
        assert_eq!(
            pieces("see https://a/b?c=d, then http://e"),
            [Words("see "), Link("https://a/b?c=d,"), Words(" then "), Link("http://e")]
        );
        assert_eq!(pieces("none"), [Words("none")]);
        assert_eq!(pieces(""), []);
    }

    proptest! {
        #[test]
        fn no_piece_of_a_line_is_lost(line in "(\\PC|http://|https://| ){0,60}") {
            let joined: String = pieces(&line).iter().map(|p| match p { Piece::Words(t) | Piece::Link(t) => *t }).collect();
            prop_assert_eq!(joined, line);
        }
    }
}
