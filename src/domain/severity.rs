//! Severity levels with their clocks, and the incident playbook. Data from `severity.yaml`; defaults are compiled in.

use crate::domain::document::{Finding, Reader, parse};
use crate::domain::time::Span;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A severity code such as `SEV2`, as the table spells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Severity(pub String);

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for Severity {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// One row of the severity table.
#[derive(Clone, Debug, PartialEq)]
pub struct SeverityLevel {
    /// `SEV1` is the worst.
    pub code: Severity,
    /// When it applies.
    pub description: String,
    /// Time to the first human action, from declare.
    pub response: Option<Span>,
    /// What the table says about escalation, verbatim.
    pub escalation: String,
    /// Time to the first notice to stakeholders, from declare.
    pub stakeholders: Option<Span>,
    /// Time between two status updates.
    pub update_every: Option<Span>,
    /// Whether the on-call is paged.
    pub page: bool,
    /// Whether an incident room is opened.
    pub room: bool,
}

/// The steps every incident has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Playbook {
    /// At once.
    pub immediate: Vec<String>,
    /// While it hurts.
    pub mitigation: Vec<String>,
    /// Afterwards.
    pub resolution: Vec<String>,
}

/// The severity table, worst first.
#[derive(Clone, Debug, PartialEq)]
pub struct SeverityTable {
    /// Rows, worst first.
    pub levels: Vec<SeverityLevel>,
    /// The steps every incident has.
    pub playbook: Playbook,
}

/// The compiled-in table's text.
pub const DEFAULT: &str = include_str!("../../assets/severity.yaml");

impl SeverityTable {
    /// The row of a code.
    pub fn level(&self, code: &Severity) -> Option<&SeverityLevel> {
        self.levels.iter().find(|l| l.code == *code)
    }

    /// 0 for the worst; unknown codes come last.
    pub fn rank(&self, code: &Severity) -> usize {
        self.levels.iter().position(|l| l.code == *code).unwrap_or(self.levels.len())
    }

    /// The code in the table's spelling, whatever case or short form (`2`, `sev2`) was typed.
    pub fn find(&self, typed: &str) -> Option<Severity> {
        let typed = typed.trim();
        let digits = typed.chars().all(|c| c.is_ascii_digit()) && !typed.is_empty();
        self.levels
            .iter()
            .map(|l| &l.code)
            .find(|c| {
                c.0.eq_ignore_ascii_case(typed)
                    || (digits && c.0.trim_start_matches(|c: char| !c.is_ascii_digit()) == typed)
            })
            .cloned()
    }

    /// The compiled-in table.
    pub fn defaults() -> Self {
        Self::read("severity.yaml (built in)", DEFAULT).0
    }

    /// Reads a table. What is wrong is reported; a missing cadence takes twice the response time of the built-in
    /// practice (SEV1 and SEV2 30 minutes, others 2 hours), and SEV1 and SEV2 page unless `page` says otherwise, all have a
    /// room unless `room` says otherwise.
    pub fn read(path: &str, text: &str) -> (Self, Vec<Finding>) {
        let (node, mut findings) = parse(path, text);
        let mut reader = Reader::new(path);
        let mut table = Self { levels: Vec::new(), playbook: Playbook::default() };
        if let Some(root) =
            node.as_ref().and_then(|n| reader.map(n, "the severity file", &["severity_levels", "incident_response"]))
        {
            if let Some(levels) = root.need(&mut reader, "severity_levels") {
                for (key, value) in reader.entries(levels, "severity_levels").unwrap_or(&[]) {
                    let index = table.levels.len();
                    table.levels.extend(level(&mut reader, &key.text, index, value));
                }
            }
            if let Some(book) = root.get("incident_response") {
                let known = ["immediate_actions", "mitigation_steps", "resolution_steps"];
                if let Some(fields) = reader.map(book, "incident_response", &known) {
                    let mut steps = |key| fields.get(key).map(|n| reader.strings(n, key)).unwrap_or_default();
                    table.playbook = Playbook {
                        immediate: steps("immediate_actions"),
                        mitigation: steps("mitigation_steps"),
                        resolution: steps("resolution_steps"),
                    };
                }
            }
        }
        findings.extend(reader.findings);
        (table, findings)
    }
}

fn level(
    reader: &mut Reader<'_>,
    code: &str,
    index: usize,
    node: &crate::domain::document::Node,
) -> Option<SeverityLevel> {
    let known =
        ["description", "response_time", "escalation", "stakeholder_notification", "update_every", "page", "room"];
    let fields = reader.map(node, code, &known)?;
    let response = fields.get("response_time").and_then(|n| reader.span(n, "response_time"));
    let stakeholders = fields.get("stakeholder_notification").and_then(|n| reader.span(n, "stakeholder_notification"));
    let cadence = crate::domain::time::mins(if index < 2 { 30 } else { 120 });
    Some(SeverityLevel {
        code: Severity(code.to_owned()),
        description: fields.get("description").and_then(|n| reader.string(n, "description")).unwrap_or_default(),
        response,
        escalation: fields.get("escalation").and_then(|n| reader.string(n, "escalation")).unwrap_or_default(),
        stakeholders,
        update_every: Some(fields.get("update_every").and_then(|n| reader.span(n, "update_every")).unwrap_or(cadence)),
        page: fields.get("page").and_then(|n| reader.boolean(n, "page")).unwrap_or(index < 2),
        room: fields.get("room").and_then(|n| reader.boolean(n, "room")).unwrap_or(true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_reads_as_it_stands() {
        let (table, findings) =
            SeverityTable::read("severity.yaml", include_str!("../../tests/fixtures/seeds/severity.yaml"));
        assert_eq!(findings, vec![]);
        let minutes: Vec<_> = table
            .levels
            .iter()
            .map(|l| (l.code.0.as_str(), l.response.unwrap().num_minutes(), l.stakeholders.unwrap().num_minutes()))
            .collect();
        assert_eq!(minutes, [("SEV1", 5, 15), ("SEV2", 15, 30), ("SEV3", 60, 120)]);
        assert_eq!(table.playbook.immediate.len(), 5);
        assert_eq!(table.find("2"), Some("SEV2".into()));
        assert_eq!(table.find("sev3"), Some("SEV3".into()));
    }

    #[test]
    fn the_built_in_table_is_clean() {
        assert_eq!(SeverityTable::read("x", DEFAULT).1, vec![]);
        assert!(SeverityTable::defaults().level(&"SEV4".into()).is_some());
    }
}
