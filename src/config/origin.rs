//! Where a setting came from. Names places only; never holds a value.

use crate::domain::document::Mark;
use std::collections::BTreeMap;
use std::fmt;

/// Where a setting came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    #[default]
    Default,
    /// Told by the machine: its time zone.
    Machine,
    /// A place in the configuration file.
    File {
        /// The file as it was named.
        path: String,
        /// Where the value begins.
        mark: Mark,
    },
    /// A variable of the environment.
    Environment(String),
    /// A flag, with its dashes.
    Flag(String),
}

impl Origin {
    /// `default`, `machine`, `file`, `environment` or `flag`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Machine => "machine",
            Self::File { .. } => "file",
            Self::Environment(_) => "environment",
            Self::Flag(_) => "flag",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Machine => f.write_str("this machine"),
            Self::File { path, mark } => write!(f, "{path}:{}:{}", mark.line, mark.column),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// Origins by key, such as `prometheus[0].timeout`. What is not listed is a default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// Remembers where a value came from; the last one wins.
    pub fn set(&mut self, key: impl Into<String>, origin: Origin) {
        self.0.insert(key.into(), origin);
    }

    /// Where a value came from.
    pub fn get(&self, key: &str) -> Origin {
        self.0.get(key).cloned().unwrap_or_default()
    }

    /// Whether anyone said anything.
    pub fn said(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }
}
