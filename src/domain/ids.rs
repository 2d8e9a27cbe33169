//! Names of things: one newtype each, so that an incident cannot be passed for a step.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);
        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    };
}

name!(
    /// `INC-20260501-031204`, with `-2`, `-3` … when one second holds several.
    IncidentId
);
name!(
    /// An objective's name in its file; unique over all files.
    SloId
);
name!(
    /// A runbook's id: its `id`, else its file stem.
    RunbookId
);
name!(
    /// A step's id inside its runbook: its `id`, else a slug of its name.
    StepId
);
name!(
    /// A configured source's name.
    SourceName
);
name!(
    /// An alert's fingerprint: 16 hex digits over its labels.
    Fingerprint
);
name!(
    /// An installation: host and data folder. Sequence numbers count per origin.
    Origin
);
name!(
    /// A timer's name, derived from what it waits for, so that two cockpits give it the same one.
    TimerId
);

/// The number of a request. An answer whose number is no longer pending is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReqId(pub u64);
