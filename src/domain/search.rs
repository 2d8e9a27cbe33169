//! Finding what was written before: hits of a full-text search over all timelines and postmortems, and past incidents that
//! are like one, with why. Rules only; the index is somebody else's.

use crate::domain::ids::IncidentId;
use crate::domain::incident::event::{Body, Event, EventKey, NoteKind};
use crate::domain::incident::filter::pieces;
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The most hits that are asked for.
pub const HITS: usize = 200;
/// How many similar incidents are told.
pub const SIMILAR: usize = 5;
/// Words of an incident that are looked for in others.
const WORDS: usize = 12;

/// Where a text stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In an entry of a timeline.
    Entry(EventKey),
    /// In a postmortem: the file and the heading.
    Page(String, String),
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Of which incident; `None` for a page that belongs to none.
    pub incident: Option<IncidentId>,
    /// The incident's title, where it is known.
    pub title: String,
    /// Where.
    pub place: Place,
    /// When it happened.
    pub at: Option<Timestamp>,
    /// `note`, `status` …, `postmortem`.
    pub kind: String,
    /// By whom.
    pub who: String,
    /// The text; raw.
    pub text: String,
}

/// What was typed, as a question in the language of SQLite's full-text index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// The expression; empty asks nothing.
    pub expression: String,
    /// Only in this incident, or in those whose id ends so.
    pub within: Option<String>,
    /// The words to mark in hits, in lower case.
    pub words: Vec<String>,
}

impl Question {
    /// Reads words, `"two words"`, `kind:note`, `who:alice`, `in:INC-…`, and `-word` for what must not be there. Every word
    /// may be the beginning of one, so that a question can be asked while it is typed. Nothing that can be typed is an error.
    pub fn parse(typed: &str) -> Self {
        let mut out = Self::default();
        let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
        for piece in pieces(typed) {
            let (no, rest) = match piece.strip_prefix('-') {
                Some(rest) if !rest.is_empty() => (true, rest),
                _ => (false, piece.as_str()),
            };
            let field = rest.split_once(':').filter(|(_, value)| value.chars().any(char::is_alphanumeric));
            let term = match field {
                Some(("in", id)) => {
                    out.within = Some(id.to_owned());
                    continue;
                }
                Some(("kind", values)) => list("kind", values),
                Some(("who", values)) => list("who", values),
                _ if !rest.chars().any(char::is_alphanumeric) => continue,
                _ => {
                    if !no {
                        out.words.push(rest.to_lowercase());
                    }
                    quoted(rest)
                }
            };
            if no { unwanted.push(term) } else { wanted.push(term) }
        }
        if !wanted.is_empty() {
            out.expression = wanted.join(" AND ");
            for term in unwanted {
                out.expression = format!("({}) NOT {term}", out.expression);
            }
        }
        out
    }
}

/// A text as a string of the index's language, taken for the beginning of what is wanted.
fn quoted(text: &str) -> String {
    format!("\"{}\" *", text.replace(['"', '\0'], " "))
}

fn list(column: &str, values: &str) -> String {
    let terms: Vec<String> = values
        .split(',')
        .filter(|v| v.chars().any(char::is_alphanumeric))
        .map(|v| format!("{column} : {}", quoted(v)))
        .collect();
    format!("({})", terms.join(" OR "))
}

/// What two incidents may have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trait {
    /// An alert of this name.
    Alert,
    /// A change that was made and not taken back, or one that took the pain away.
    Change,
    /// A runbook.
    Runbook,
    /// An objective that was hit.
    Objective,
    /// The service.
    Service,
}

impl Trait {
    /// All of them, the one that says most first.
    pub const ALL: [Self; 5] = [Self::Alert, Self::Change, Self::Runbook, Self::Objective, Self::Service];

    /// Its word in the index and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Change => "change",
            Self::Runbook => "runbook",
            Self::Objective => "objective",
            Self::Service => "service",
        }
    }

    fn weight(self) -> f64 {
        match self {
            Self::Alert => 5.0,
            Self::Change => 4.0,
            Self::Runbook => 3.0,
            Self::Objective | Self::Service => 2.0,
        }
    }
}

/// The traits that an event gives its incident.
pub fn traits(event: &Event) -> Vec<(Trait, String)> {
    match &event.body {
        Body::Declared { service: Some(service), .. } => vec![(Trait::Service, service.clone())],
        Body::AlertLinked { name, .. } => vec![(Trait::Alert, name.clone())],
        Body::RunbookOpened { runbook, .. } => vec![(Trait::Runbook, runbook.0.clone())],
        Body::ObjectiveLinked { slo } => vec![(Trait::Objective, slo.0.clone())],
        Body::ChangeApplied { action, .. } => vec![(Trait::Change, action.clone())],
        _ => Vec::new(),
    }
}

/// Whether the words of an event say what an incident was about.
pub fn tells(event: &Event) -> bool {
    match &event.body {
        Body::Declared { .. } | Body::Resolved { .. } => true,
        Body::Note { sort, .. } => !matches!(sort, NoteKind::Note),
        _ => false,
    }
}

/// The words of a text that say what it is about, in lower case: no short ones, no numbers, no words of every sentence.
pub fn telling(text: &str) -> BTreeSet<String> {
    const EVERYWHERE: [&str; 40] = [
        "about",
        "after",
        "again",
        "alert",
        "been",
        "before",
        "being",
        "decision",
        "declared",
        "does",
        "down",
        "every",
        "finding",
        "from",
        "have",
        "high",
        "hypothesis",
        "incident",
        "into",
        "more",
        "null",
        "over",
        "page",
        "resolved",
        "says",
        "service",
        "some",
        "that",
        "their",
        "them",
        "then",
        "there",
        "they",
        "this",
        "true",
        "were",
        "when",
        "which",
        "with",
        "without",
    ];
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| word.chars().count() >= 4 && word.chars().any(char::is_alphabetic));
    words.map(str::to_lowercase).filter(|word| !EVERYWHERE.contains(&word.as_str())).collect()
}

/// What is known of an incident for comparing it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// What it has.
    pub traits: BTreeSet<(Trait, String)>,
    /// Words that say what it was about.
    pub words: BTreeSet<String>,
}

/// A past incident that is like another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Similar {
    /// Which.
    pub incident: IncidentId,
    /// Its title; raw.
    pub title: String,
    /// Its severity.
    pub severity: String,
    /// When it was declared.
    pub declared: Option<Timestamp>,
    /// How it was resolved; `None` while it is open, or when nobody said.
    pub resolution: Option<String>,
    /// How alike; only for the order.
    pub score: f64,
    /// Why: what both have, the one that says most first.
    pub why: Vec<Why>,
}

/// Something that two incidents have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The same trait.
    Same(Trait, String),
    /// The same words.
    Words(Vec<String>),
}

impl Why {
    /// In words: `same alert HighBurn`, `words: pool, saturated`.
    pub fn told(&self) -> String {
        match self {
            Self::Same(what, value) => format!("same {} {value}", what.word()),
            Self::Words(words) => format!("words: {}", words.join(", ")),
        }
    }
}

/// How many incidents have a trait or a word.
pub type Spread<K> = BTreeMap<K, usize>;

/// How alike two incidents are and why; `None` when they have nothing that says anything. What almost every incident has
/// says little: `of` is how many there are.
pub fn alike(
    ours: &Profile,
    theirs: &Profile,
    traits: &Spread<(Trait, String)>,
    words: &Spread<String>,
    of: usize,
) -> Option<(f64, Vec<Why>)> {
    let rare = |n: usize| (of as f64 + 1.0).ln_1p() - (n as f64).ln_1p();
    let all = rare(0).max(1e-9);
    let mut score = 0.0;
    let mut why = Vec::new();
    let mut shared: Vec<&(Trait, String)> = ours.traits.intersection(&theirs.traits).collect();
    shared.sort();
    for one in shared {
        // A trait counts even if all have it; a rare one counts up to twice as much.
        let share = rare(traits.get(one).copied().unwrap_or(1)) / all;
        score += one.0.weight() * (0.5 + share / 2.0);
        why.push(Why::Same(one.0, one.1.clone()));
    }
    let mut common: Vec<(f64, &String)> = ours
        .words
        .intersection(&theirs.words)
        .map(|word| (rare(words.get(word).copied().unwrap_or(1)) / all, word))
        .filter(|(share, _)| *share > 0.15)
        .collect();
    common.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    common.truncate(WORDS);
    score += common.iter().map(|(share, _)| share).sum::<f64>().min(4.0);
    if !common.is_empty() {
        why.push(Why::Words(common.into_iter().take(5).map(|(_, word)| word.clone()).collect()));
    }
    // One common word is chance.
    let chance = matches!(why.as_slice(), [Why::Words(words)] if words.len() < 2);
    (!why.is_empty() && !chance).then_some((score, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_typed_becomes_a_question() {
        for (typed, want) in [
            ("", ""),
            ("pool", "\"pool\" *"),
            ("pool sat", "\"pool\" * AND \"sat\" *"),
            ("\"pool sat\"", "\"pool sat\" *"),
            ("kind:note,decision pool", "(kind : \"note\" * OR kind : \"decision\" *) AND \"pool\" *"),
            ("pool -who:bob", "(\"pool\" *) NOT (who : \"bob\" *)"),
            ("-only", ""),
            ("a\"b", "\"ab\" *"),
            ("http://x", "\"http://x\" *"),
            ("- -- :", ""),
        ] {
            assert_eq!(Question::parse(typed).expression, want, "{typed}");
        }
        assert_eq!(Question::parse("pool in:031204").within.as_deref(), Some("031204"));
    }

    fn profile(traits: &[(Trait, &str)], words: &str) -> Profile {
        Profile { traits: traits.iter().map(|(t, v)| (*t, (*v).to_owned())).collect(), words: telling(words) }
    }

    #[test]
    fn the_same_alert_says_more_than_the_same_words_and_why_is_told() {
        let ours = profile(&[(Trait::Alert, "Burn"), (Trait::Service, "api")], "connection pool saturated");
        let same = profile(&[(Trait::Alert, "Burn")], "disk full");
        let words = profile(&[], "pool was saturated again");
        let other = profile(&[(Trait::Service, "web")], "pool party");
        let spread = Spread::from([((Trait::Alert, "Burn".to_owned()), 2)]);
        let score = |theirs| alike(&ours, theirs, &spread, &Spread::new(), 100);
        let (first, why) = score(&same).unwrap();
        assert_eq!(why[0].told(), "same alert Burn");
        let (second, why) = score(&words).unwrap();
        assert_eq!(why[0].told(), "words: pool, saturated");
        assert!(first > second);
        assert_eq!(score(&other), None, "one word is chance");
    }

    #[test]
    fn what_everybody_has_says_nothing() {
        let ours = profile(&[], "checkout latency");
        let spread: Spread<String> = [("checkout".to_owned(), 99), ("latency".to_owned(), 98)].into();
        assert_eq!(alike(&ours, &ours, &Spread::new(), &spread, 100), None);
    }

    proptest! {
        #[test]
        fn anything_can_be_asked(typed in "\\PC{0,60}") {
            let question = Question::parse(&typed);
            prop_assert_eq!(question.expression.matches('"').count() % 2, 0);
        }
    }
}
