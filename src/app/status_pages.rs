//! What public status pages said when they were asked last: which components they list and how those stand. Kept for the form
//! that publishes; read again each time.

use crate::domain::ids::SourceName;
use crate::domain::outward::status_page::Component;
use std::collections::BTreeMap;

/// By the name of the page: its components, or why they are not known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatusPages {
    /// What each said last.
    pub known: BTreeMap<SourceName, Result<Vec<Component>, String>>,
}
