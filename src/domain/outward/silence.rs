//! Silences of an Alertmanager: what is silenced, for how long, and writes to them.

use crate::domain::labels::Labels;
use crate::domain::outward::capability::Capability;
use crate::domain::time::{Timestamp, compact};
use serde::{Deserialize, Serialize};

/// One condition on a label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Matcher {
    /// The label.
    pub name: String,
    /// A value, or a regular expression over the whole value.
    pub value: String,
    /// `value` is a regular expression.
    pub regex: bool,
    /// It must match (`=`, `=~`); else it must not (`!=`, `!~`).
    pub equal: bool,
}

impl Matcher {
    /// The condition that a label has exactly this value.
    pub fn is(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), regex: false, equal: true }
    }

    /// Whether labels fulfil it; a missing label counts as empty. An expression that cannot be read matches nothing and
    /// refuses nothing: `None`.
    pub fn matches(&self, labels: &Labels) -> Option<bool> {
        let value = labels.get(&self.name);
        let fits = if self.regex {
            regex::Regex::new(&format!("^(?:{})$", self.value)).ok()?.is_match(value)
        } else {
            value == self.value
        };
        Some(fits == self.equal)
    }

    /// Whether it can only be fulfilled by a label that is there: a set without such a one silences too much.
    pub fn is_positive(&self) -> bool {
        let empty_fits = match self.regex {
            true => regex::Regex::new(&format!("^(?:{})$", self.value)).is_ok_and(|r| r.is_match("")),
            false => self.value.is_empty(),
        };
        self.equal && !empty_fits
    }
}

impl std::fmt::Display for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = match (self.equal, self.regex) {
            (true, false) => "=",
            (true, true) => "=~",
            (false, false) => "!=",
            (false, true) => "!~",
        };
        write!(f, "{}{sign}{:?}", self.name, self.value)
    }
}

/// Where a silence stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SilenceState {
    /// Not begun.
    Pending,
    /// In force.
    Active,
    /// Over.
    Expired,
    /// Another word.
    #[serde(untagged)]
    Other(String),
}

/// A silence as it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// Its id there.
    pub id: String,
    /// All of them must be fulfilled.
    pub matchers: Vec<Matcher>,
    /// From when.
    pub starts_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// Who made it; outside text.
    pub created_by: String,
    /// Why; outside text.
    pub comment: String,
    /// Where it stands.
    pub state: SilenceState,
}

/// Writes to silences.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum SilenceWrite {
    /// A new one. The operation's marker goes into the comment, so that it can be found again.
    Create { matchers: Vec<Matcher>, starts_at: Timestamp, ends_at: Timestamp, comment: String },
    /// A later end; the rest as it was read, since the server compares it.
    Extend { silence: Silence, ends_at: Timestamp },
    /// End it now.
    Expire { id: String },
}

impl SilenceWrite {
    /// What a target must be able to do for it.
    pub fn capability(&self) -> Capability {
        match self {
            Self::Create { .. } => Capability::CreateSilence,
            Self::Extend { .. } => Capability::ExtendSilence,
            Self::Expire { .. } => Capability::ExpireSilence,
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        let all = |matchers: &[Matcher]| matchers.iter().map(Matcher::to_string).collect::<Vec<_>>().join(" ");
        match self {
            Self::Create { matchers, starts_at, ends_at, .. } => {
                format!("silence {} for {}", all(matchers), compact(*ends_at - *starts_at))
            }
            Self::Extend { silence, ends_at } => {
                format!("extend the silence of {} by {}", all(&silence.matchers), compact(*ends_at - silence.ends_at))
            }
            Self::Expire { id } => format!("end the silence {id}"),
        }
    }
}
