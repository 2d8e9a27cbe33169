//! Every key that a runbook file may have, once: where it stands, what it takes, what holds without it, what it means. The
//! readers know no other keys, and the JSON Schema and the reference page are rendered from here
//! ([`crate::domain::runbook::reference`]). `keys/v1.rs` has those of `midwatch/v1`, `keys/seed.rs` those of the plain form.

pub mod seed;
pub mod v1;

/// A map in a runbook file and the keys that it may have.
#[derive(Debug)]
pub struct Object {
    /// Its name in the schema: `step`.
    pub name: &'static str,
    /// What a message calls it: `a step`.
    pub what: &'static str,
    /// What a bare text in its place means, where one may stand there.
    pub text: Option<&'static str>,
    /// What it is for.
    pub meaning: &'static str,
    /// Its keys, in the order in which they are best written.
    pub keys: &'static [Key],
    /// The names of the keys, as the reader asks for them.
    pub names: &'static [&'static str],
}

/// A key of an [`Object`].
#[derive(Debug)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What may stand behind it.
    pub takes: Takes,
    /// What holds without it.
    pub without: Without,
    /// What it means.
    pub meaning: &'static str,
}

/// What holds when a key is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    /// It must be there.
    Required,
    /// Nothing.
    Nothing,
    /// This, as it would be written or in words.
    Default(&'static str),
}

/// What may stand behind a key.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// Any text.
    Text,
    /// A text of this shape, and what to call it.
    Shaped(&'static str, &'static str),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Texts; one may stand alone.
    Texts,
    /// A program and its arguments.
    Argv,
    /// Exit codes; one may stand alone.
    Codes,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A whole number from 0.
    Count,
    /// `15m`.
    Duration,
    /// `2026-05-01`.
    Date,
    /// `LEFT op RIGHT`.
    Comparison,
    /// A map.
    Map(&'static Object),
    /// A list of maps.
    List(&'static Object),
    /// A list of maps; one may stand alone.
    Maps(&'static Object),
    /// A map whose keys are names of the author's.
    Named(&'static Object),
    /// In the plain form: a line, or a program and its arguments.
    Line,
    /// In the plain form: several of them.
    Lines,
    /// A map of texts.
    Labels,
    /// A whole number, below zero too.
    Integer,
    /// A whole number from 0.
    Whole,
    /// An exit code.
    Exit,
    /// A number, or a name.
    NumberOrText,
    /// Pairs of a duration and a number.
    Pairs,
    /// Two numbers, the lower one first.
    Range,
    /// HTTP statuses; one may stand alone.
    Statuses,
}

/// Builds an [`Object`] whose two lists cannot differ.
macro_rules! object {
    ($(#[$doc:meta])* $id:ident, $name:literal, $what:literal, $text:expr, $meaning:literal,
        [$(($key:literal, $takes:expr, $without:expr, $why:expr)),+ $(,)?]) => {
        $(#[$doc])*
        pub static $id: $crate::domain::runbook::keys::Object = $crate::domain::runbook::keys::Object {
            name: $name,
            what: $what,
            text: $text,
            meaning: $meaning,
            keys: &[$($crate::domain::runbook::keys::Key { name: $key, takes: $takes, without: $without, meaning: $why }),+],
            names: &[$($key),+],
        };
    };
}
pub(crate) use object;

impl Takes {
    /// The map that stands behind it.
    pub fn object(&self) -> Option<&'static Object> {
        match self {
            Self::Map(object) | Self::List(object) | Self::Maps(object) | Self::Named(object) => Some(object),
            _ => None,
        }
    }
}

/// Every place of a tree of keys with its object: `steps[].run[]`, parents first.
pub fn places(root: &'static Object) -> Vec<(String, &'static Object)> {
    let mut out = vec![(String::new(), root)];
    let mut at = 0;
    while let Some((place, object)) = out.get(at).map(|(place, object)| (place.clone(), *object)) {
        for key in object.keys {
            let Some(inner) = key.takes.object() else { continue };
            out.push((below(&place, key), inner));
        }
        at += 1;
    }
    out
}

/// The path of a key below a place.
pub fn below(place: &str, key: &Key) -> String {
    let dot = if place.is_empty() { "" } else { "." };
    let tail = match key.takes {
        Takes::List(_) | Takes::Maps(_) => "[]",
        Takes::Named(_) => ".NAME",
        _ => "",
    };
    format!("{place}{dot}{}{tail}", key.name)
}
