//! Silences of an Alertmanager: what is silenced, for how long, and writes to them. An acknowledgement is a short silence
//! whose comment begins with [`ACK_PREFIX`], as other tools have it; it is kept alive while its alerts fire.

pub mod filter;

use crate::domain::labels::Labels;
use crate::domain::outward::capability::Capability;
use crate::domain::time::{Span, Timestamp, compact};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// How the comment of an acknowledgement begins.
pub const ACK_PREFIX: &str = "ACK!";
/// How long an acknowledgement holds before it must be made longer.
pub const ACK_FOR: Span = Span::minutes(15);
/// So long before its end it is made longer.
pub const ACK_EARLY: Span = Span::minutes(5);
/// It is never made longer than this: a cockpit that nobody looks at must not keep an alert quiet for ever.
pub const ACK_LONGEST: Span = Span::hours(24);
/// So long before its end a silence that holds alerts is told.
pub const ENDS_SOON: Span = Span::minutes(5);

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
        write!(f, "{}{sign}\"", self.name)?;
        for c in self.value.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                c => f.write_char(c)?,
            }
        }
        f.write_str("\"")
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

impl Silence {
    /// Whether it is an acknowledgement.
    pub fn is_ack(&self) -> bool {
        self.comment.trim_start().starts_with(ACK_PREFIX)
    }

    /// Whether a midwatch made it: its comment carries the mark of an operation.
    pub fn is_ours(&self) -> bool {
        self.comment.contains("[mw:")
    }

    /// Whether it holds alerts at an instant, or will.
    pub fn in_force(&self, now: Timestamp) -> bool {
        matches!(self.state, SilenceState::Active | SilenceState::Pending) && self.ends_at > now
    }

    /// Its comment without the mark.
    pub fn words(&self) -> String {
        match self.comment.split_once("[mw:") {
            Some((before, rest)) => {
                let after = rest.split_once(']').map_or("", |(_, after)| after);
                format!("{}{}", before.trim_end(), after).trim().to_owned()
            }
            None => self.comment.trim().to_owned(),
        }
    }

    /// Its conditions in one line.
    pub fn conditions(&self) -> String {
        conditions(&self.matchers)
    }
}

/// Conditions in one line.
pub fn conditions(matchers: &[Matcher]) -> String {
    matchers.iter().map(Matcher::to_string).collect::<Vec<_>>().join(" ")
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

    /// Whether it acknowledges alerts.
    pub fn is_ack(&self) -> bool {
        matches!(self, Self::Create { comment, .. } if comment.trim_start().starts_with(ACK_PREFIX))
    }

    /// What it is about: a silence by its id, or the conditions of one that is still to be made.
    pub fn thing(&self) -> String {
        match self {
            Self::Create { matchers, .. } => conditions(matchers),
            Self::Extend { silence, .. } => silence.id.clone(),
            Self::Expire { id } => id.clone(),
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Create { matchers, starts_at, ends_at, .. } => {
                let verb = if self.is_ack() { "acknowledge" } else { "silence" };
                format!("{verb} {} for {}", conditions(matchers), compact(*ends_at - *starts_at))
            }
            Self::Extend { silence, ends_at } => {
                let more = compact(*ends_at - silence.ends_at);
                format!("extend the silence of {} by {more}", silence.conditions())
            }
            Self::Expire { id } => format!("end the silence {id}"),
        }
    }
}
