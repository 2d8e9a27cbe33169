//! Where the values come from that a runbook's commands use. Holds no value.

use crate::domain::document::Mark;

/// A value that commands use by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// `^[A-Z][A-Z0-9_]*$`.
    pub name: String,
    /// Where it comes from.
    pub from: InputFrom,
    /// What it is when its source has nothing; must keep to the pattern as well.
    pub default: Option<String>,
    /// Regular expression that the whole value must match; anchored by whoever applies it.
    pub pattern: Option<String>,
    /// The least number that it may be; with a bound the value must be a number.
    pub min: Option<f64>,
    /// The greatest.
    pub max: Option<f64>,
    /// It is masked wherever text is stored or shown, and is never an argument.
    pub secret: bool,
    /// Where it stands.
    pub mark: Mark,
}

/// The source of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputFrom {
    /// A label of the incident's alert.
    Label(String),
    /// An annotation of it.
    Annotation(String),
    /// What the paging backend knows: `incident_id`, `incident_url`, `service`.
    Backend(String),
    /// The responder, asked at the first command that needs it.
    Ask {
        /// What to ask.
        prompt: String,
    },
    /// The runbook.
    Const(String),
    /// A capture of an earlier command, by its name.
    Step(String),
}

impl InputFrom {
    /// Its word in files and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Label(_) => "label",
            Self::Annotation(_) => "annotation",
            Self::Backend(_) => "backend",
            Self::Ask { .. } => "ask",
            Self::Const(_) => "const",
            Self::Step(_) => "step",
        }
    }

    /// Whether somebody else than the runbook's author chooses the value.
    pub fn is_outside(&self) -> bool {
        !matches!(self, Self::Const(_))
    }
}
