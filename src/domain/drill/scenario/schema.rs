//! The table of a scenario's keys told to editors and to people: a JSON Schema and a reference page.

use crate::domain::drill::scenario::keys::SCENARIO;
use crate::domain::runbook::reference::{definitions, dialect, reference};
use serde_json::json;

/// The JSON Schema (draft 7) of a scenario, as the text of a file.
pub fn text() -> String {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "midwatch scenario",
        "$ref": reference(&SCENARIO),
        "definitions": definitions(&[&SCENARIO]),
    });
    serde_json::to_string_pretty(&schema).map(|text| text + "\n").unwrap_or_default()
}

/// The reference page in Markdown.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Scenario files\n\nA scenario is one YAML file that `midwatch drill run` plays on a virtual clock: nothing in it runs, \
         and nothing leaves. `midwatch schema scenario` prints the JSON Schema of the same keys; `midwatch check` says what is \
         wrong with a file.\n",
    );
    dialect(&mut out, "midwatch/v1", &SCENARIO);
    out
}
