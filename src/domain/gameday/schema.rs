//! The table of a run sheet's keys told to editors and to people: a JSON Schema and a reference page.

use crate::domain::gameday::keys::GAME_DAY;
use crate::domain::runbook::reference::{definitions, dialect, reference};
use serde_json::json;

/// The JSON Schema (draft 7) of a run sheet, as the text of a file.
pub fn text() -> String {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "midwatch game day",
        "$ref": reference(&GAME_DAY),
        "definitions": definitions(&[&GAME_DAY]),
    });
    serde_json::to_string_pretty(&schema).map(|text| text + "\n").unwrap_or_default()
}

/// The reference page in Markdown.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Game days\n\nA run sheet is one YAML file that `midwatch gameday` goes through: announcements, drills and experiments with \
         their times, and what must not be told yet. `midwatch schema game-day` prints the JSON Schema of the same keys.\n",
    );
    dialect(&mut out, "midwatch/v1", &GAME_DAY);
    out
}
