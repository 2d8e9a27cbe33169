//! The real world as it is told inside a drill: a few words and how old they are. What is not known is never quiet.

use crate::domain::time::{compact, secs};
use serde::{Deserialize, Serialize};

/// Pages that are named; the others are counted.
const NAMED: usize = 3;

/// How the real world is, as far as its configured sources say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Real {
    /// Nobody can say, and why.
    NotKnown {
        /// Why.
        why: String,
    },
    /// Nothing pages.
    Quiet {
        /// Seconds since the oldest of the answers that say so.
        age: i64,
    },
    /// Something pages.
    Page {
        /// What: names of alerts and objectives, raw outside text.
        names: Vec<String>,
        /// Seconds since the oldest of the answers that say so.
        age: i64,
    },
}

impl Default for Real {
    fn default() -> Self {
        Self::NotKnown { why: "nobody looks".into() }
    }
}

impl Real {
    /// What pages.
    pub fn pages(&self) -> &[String] {
        match self {
            Self::Page { names, .. } => names,
            Self::NotKnown { .. } | Self::Quiet { .. } => &[],
        }
    }

    /// `REAL: quiet 12s ago`, `REAL: 1 page firing: ApiDown, 12s ago`, `REAL: not known: no source is configured`.
    pub fn words(&self) -> String {
        match self {
            Self::NotKnown { .. } => self.fact(),
            Self::Quiet { age } | Self::Page { age, .. } => {
                let comma = if matches!(self, Self::Page { .. }) { "," } else { "" };
                format!("{}{comma} {} ago", self.fact(), compact(secs(*age)))
            }
        }
    }

    /// The same without its age: changes only when the world does.
    pub fn fact(&self) -> String {
        match self {
            Self::NotKnown { why } => format!("REAL: not known: {why}"),
            Self::Quiet { .. } => "REAL: quiet".to_owned(),
            Self::Page { names, .. } => {
                let first: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
                let more = names.len().saturating_sub(NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let s = if names.len() == 1 { "" } else { "s" };
                format!("REAL: {} page{s} firing: {}{more}", names.len(), first.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_in_words_and_never_quiet_when_unknown() {
        let page = |n: usize| Real::Page { names: (1..=n).map(|i| format!("A{i}")).collect(), age: 5 };
        for (real, words) in [
            (Real::Quiet { age: 12 }, "REAL: quiet 12s ago"),
            (page(1), "REAL: 1 page firing: A1, 5s ago"),
            (page(5), "REAL: 5 pages firing: A1, A2, A3 and 2 more, 5s ago"),
            (Real::NotKnown { why: "main unreachable".into() }, "REAL: not known: main unreachable"),
            (Real::default(), "REAL: not known: nobody looks"),
        ] {
            assert_eq!(real.words(), words);
            assert!(words.starts_with(&real.fact()) && real.words().len() < 90, "{words}");
        }
        assert!(Real::default().pages().is_empty() && page(2).pages().len() == 2);
    }
}
