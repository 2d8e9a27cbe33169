//! Marks on dashboards: an incident as a region from its declaration to its end.

use crate::domain::outward::capability::Capability;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A mark as it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Annotation {
    /// Its id there.
    pub id: String,
    /// From when.
    pub from: Timestamp,
    /// Until when; `None` is a point in time.
    pub to: Option<Timestamp>,
    /// Its text; outside text.
    pub text: String,
    /// Its tags.
    pub tags: Vec<String>,
}

/// Writes to dashboards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum AnnotationWrite {
    /// A mark; a region when it has an end. Its tags hold one that finds it again.
    Create { from: Timestamp, to: Option<Timestamp>, text: String, tags: Vec<String> },
    /// Gives a mark its end, which makes it a region.
    End { annotation: String, to: Timestamp, text: Option<String> },
}

impl AnnotationWrite {
    /// What a target must be able to do for it.
    pub fn capability(&self) -> Capability {
        match self {
            Self::Create { .. } => Capability::Annotate,
            Self::End { .. } => Capability::EndAnnotation,
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Create { text, .. } => format!("annotate: {text}"),
            Self::End { .. } => "end the annotation".into(),
        }
    }
}
