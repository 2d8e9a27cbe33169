//! The table of an experiment's keys told to editors and to people: a JSON Schema and a reference page.

use crate::domain::experiment::keys::EXPERIMENT;
use crate::domain::runbook::reference::{definitions, dialect, reference};
use serde_json::json;

/// The JSON Schema (draft 7) of an experiment, as the text of a file.
pub fn text() -> String {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "midwatch experiment",
        "$ref": reference(&EXPERIMENT),
        "definitions": definitions(&[&EXPERIMENT]),
    });
    serde_json::to_string_pretty(&schema).map(|text| text + "\n").unwrap_or_default()
}

/// The reference page in Markdown.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Experiment files\n\nAn experiment is one YAML file that `midwatch experiment run` goes through: the steady state, the \
         method that a person confirmed, the abort conditions all the time, and the rollback on every way out. \
         `midwatch schema experiment` prints the JSON Schema of the same keys; `midwatch experiment check` says what is wrong \
         with a file.\n",
    );
    dialect(&mut out, "midwatch/v1", &EXPERIMENT);
    out
}
