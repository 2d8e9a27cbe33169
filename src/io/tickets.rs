//! What the trackers share: their options, and the words of a ticket. Never sends anything.

use crate::domain::document::{Fields, Reader};
use std::collections::BTreeMap;

/// Options of every tracker.
pub const LABELS: (&str, &str) = ("labels", "labels that every ticket gets");
/// See [`LABELS`].
pub const PEOPLE: (&str, &str) =
    ("people", "a map of names in the record to accounts there, so that a ticket has its owner: `alice: alice-gh`");

/// What the options of both say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// Labels of every ticket.
    pub labels: Vec<String>,
    /// Names in the record to accounts there.
    pub people: BTreeMap<String, String>,
}

impl Shared {
    /// Reads them.
    pub fn read(reader: &mut Reader<'_>, fields: Option<&Fields<'_>>) -> Self {
        let mut out = Self::default();
        let Some(fields) = fields else { return out };
        if let Some(node) = fields.get(LABELS.0) {
            out.labels = reader.strings(node, LABELS.0);
            if out.labels.iter().any(|label| label.is_empty() || label.chars().any(char::is_whitespace)) {
                reader.wrong(node, LABELS.0, "labels without blanks");
            }
        }
        if let Some(entries) = fields.get(PEOPLE.0).and_then(|n| reader.entries(n, PEOPLE.0)) {
            for (name, node) in entries {
                if let Some(account) = reader.string(node, PEOPLE.0) {
                    out.people.insert(name.text.clone(), account);
                }
            }
        }
        out
    }

    /// All labels of one ticket, each once.
    pub fn labels_with(&self, own: &[String], marker: Option<&str>) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for label in self.labels.iter().chain(own).map(String::as_str).chain(marker) {
            let label: String = label.chars().map(|c| if c.is_whitespace() { '-' } else { c }).collect();
            if !label.is_empty() && !out.contains(&label) {
                out.push(label);
            }
        }
        out
    }

    /// The account of whoever owns it.
    pub fn account(&self, owner: Option<&str>) -> Option<&str> {
        self.people.get(owner?).map(String::as_str)
    }
}

/// A marker as every tracker takes it: letters, digits, `-`, `_` and `.`.
pub fn marker(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect()
}

/// A title in one line.
pub fn title(text: &str, most: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    crate::io::rooms::cut(&words.join(" "), most)
}
