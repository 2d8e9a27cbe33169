//! An alerting rule as a server reports it: what may fire one day, whether it fires now or not.

use crate::domain::labels::Labels;

/// A rule. Texts are raw outside text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertRule {
    /// The name of its alerts.
    pub name: String,
    /// Labels that it adds; they may hold templates.
    pub labels: Labels,
    /// Annotations, not expanded.
    pub annotations: Labels,
    /// The group that it is evaluated in.
    pub group: String,
}

impl AlertRule {
    /// The labels whose value is known before anything fires; a template's is not.
    pub fn fixed_labels(&self) -> Labels {
        Labels(self.labels.0.iter().filter(|(_, v)| !v.contains("{{")).map(|(n, v)| (n.clone(), v.clone())).collect())
    }
}
