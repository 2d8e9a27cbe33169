//! The table of keys told to people and to editors: a reference page in Markdown and a JSON Schema. Both are rendered from
//! [`crate::domain::runbook::keys`] and hold nothing of their own.

use crate::domain::runbook::keys::{Key, Object, Takes, Without, below, places, seed, v1};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The reference page: every key of both dialects with its path, what it takes, what holds without it, what it means.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Runbook files\n\nA runbook is one YAML file, or a Markdown page that is only read. `midwatch schema runbook` prints the \
         JSON Schema of the same keys for editors; `midwatch runbook lint` says what is wrong with a file.\n\nA file with \
         `apiVersion: midwatch/v1` says what its commands may do. A file without `apiVersion` is in the plain form; \
         `midwatch runbook convert` writes it anew as `midwatch/v1`.\n",
    );
    dialect(&mut out, "midwatch/v1", &v1::RUNBOOK);
    dialect(&mut out, "The plain form", &seed::RUNBOOK);
    out
}

/// The tables of a format's keys, one per object, below a heading.
pub fn dialect(out: &mut String, title: &str, root: &'static Object) {
    let _ = writeln!(out, "\n## {title}");
    for (object, at) in grouped(root) {
        let place = at.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(", ");
        let title = if place.is_empty() { "The file".to_owned() } else { place };
        let _ = writeln!(out, "\n### {title}\n\n{}", object.meaning);
        if let Some(text) = object.text {
            let _ = writeln!(out, "A bare text in its place is {text}.");
        }
        let _ = writeln!(out, "\n| key | takes | without it | meaning |\n|---|---|---|---|");
        let first = at.first().map_or("", String::as_str);
        for key in object.keys {
            let without = match key.without {
                Without::Required => "required".to_owned(),
                Without::Nothing => "-".to_owned(),
                Without::Default(text) => cell(text),
            };
            let path = below(first, key);
            let _ = writeln!(out, "| `{path}` | {} | {without} | {} |", cell(&takes(key)), cell(key.meaning));
        }
    }
}

/// Objects in the order of their first place, each with all places that it stands in.
fn grouped(root: &'static Object) -> Vec<(&'static Object, Vec<String>)> {
    let mut found: Vec<(&'static Object, Vec<String>)> = Vec::new();
    for (place, object) in places(root) {
        match found.iter_mut().find(|(known, _)| known.name == object.name) {
            Some((_, at)) => at.push(place),
            None if place.is_empty() => found.push((object, Vec::new())),
            None => found.push((object, vec![place])),
        }
    }
    found
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn takes(key: &Key) -> String {
    match key.takes {
        Takes::Text => "text".to_owned(),
        Takes::Shaped(_, what) => what.to_owned(),
        Takes::Word(words) => words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", "),
        Takes::Texts => "texts".to_owned(),
        Takes::Argv => "a list of texts".to_owned(),
        Takes::Codes => "exit codes".to_owned(),
        Takes::Boolean => "`true` or `false`".to_owned(),
        Takes::Number => "a number".to_owned(),
        Takes::Count => "a whole number".to_owned(),
        Takes::Duration => "a duration, `15m`".to_owned(),
        Takes::Date => "a date, `2026-05-01`".to_owned(),
        Takes::Comparison => "a comparison, `OLD < REPLICAS`".to_owned(),
        Takes::Map(Object { text: Some(_), .. }) => "a map, or a text".to_owned(),
        Takes::Map(_) => "a map".to_owned(),
        Takes::List(_) => "a list of maps".to_owned(),
        Takes::Maps(_) => "a list of maps, or one".to_owned(),
        Takes::Named(_) => "maps by name".to_owned(),
        Takes::Line => "a line, or a list of texts".to_owned(),
        Takes::Lines => "lines, or lists of texts".to_owned(),
        Takes::Labels => "a map of texts".to_owned(),
        Takes::Integer => "a whole number, below zero too".to_owned(),
        Takes::Whole => "a whole number from 0".to_owned(),
        Takes::Exit => "an exit code".to_owned(),
        Takes::NumberOrText => "a number, or a name".to_owned(),
        Takes::Pairs => "pairs of a duration and a number".to_owned(),
        Takes::Range => "two numbers, `[LOW, HIGH]`".to_owned(),
        Takes::Statuses => "HTTP statuses".to_owned(),
    }
}

/// The JSON Schema (draft 7) of a runbook file: one of the two dialects, told apart by `apiVersion`.
pub fn schema() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "midwatch runbook",
        "type": "object",
        "if": {"required": ["apiVersion"]},
        "then": {"$ref": reference(&v1::RUNBOOK)},
        "else": {"$ref": reference(&seed::RUNBOOK)},
        "definitions": definitions(&[&v1::RUNBOOK, &seed::RUNBOOK]),
    })
}

/// The definitions of everything below some objects, and of what they are made of.
pub fn definitions(roots: &[&'static Object]) -> BTreeMap<&'static str, Value> {
    let mut definitions = BTreeMap::new();
    for (_, object) in roots.iter().flat_map(|root| places(root)) {
        definitions.insert(object.name, definition(object));
    }
    definitions.insert(
        "duration",
        json!({"type": "string", "pattern": "^[Ww]ithin .+|^([0-9]+ ?[A-Za-z]+ ?)+$", "description": "15m, 1h30m, 30d or 5 minutes"}),
    );
    definitions.insert(
        "argv",
        json!({
            "type": "array",
            "minItems": 1,
            "items": {"type": ["string", "number", "boolean"]},
            "description": "A program and its arguments, run without a shell.",
        }),
    );
    definitions
}

/// Where an object is defined.
pub fn reference(object: &Object) -> String {
    format!("#/definitions/{}", object.name)
}

fn definition(object: &'static Object) -> Value {
    let mut properties = Map::new();
    for key in object.keys {
        let mut rule = rule(&key.takes);
        if let Some(rule) = rule.as_object_mut() {
            let without = match key.without {
                Without::Default(text) => format!(" Without it: {text}."),
                _ => String::new(),
            };
            rule.insert("description".to_owned(), json!(format!("{}{without}", key.meaning)));
        }
        properties.insert(key.name.to_owned(), rule);
    }
    let required: Vec<&str> =
        object.keys.iter().filter(|key| key.without == Without::Required).map(|key| key.name).collect();
    match object.text {
        Some(text) => json!({
            "description": object.meaning,
            "oneOf": [
                {"type": "string", "description": format!("Here: {text}.")},
                {"type": "object", "additionalProperties": false, "properties": properties, "required": required},
            ],
        }),
        None => json!({
            "description": object.meaning,
            "type": "object",
            "additionalProperties": false,
            "properties": properties,
            "required": required,
        }),
    }
}

fn rule(takes: &Takes) -> Value {
    let or_one = |one: Value| json!({"oneOf": [one, {"type": "array", "items": one}]});
    match takes {
        Takes::Text | Takes::Comparison => json!({"type": "string"}),
        Takes::Shaped(pattern, _) => json!({"type": "string", "pattern": pattern}),
        Takes::Word(words) => json!({"enum": words}),
        Takes::Texts => or_one(json!({"type": "string"})),
        Takes::Argv => json!({"oneOf": [{"$ref": "#/definitions/argv"}]}),
        Takes::Codes => or_one(json!({"type": "integer", "minimum": 0, "maximum": 255})),
        Takes::Boolean => json!({"type": "boolean"}),
        Takes::Number => json!({"type": "number"}),
        Takes::Count => json!({"type": "integer", "minimum": 1}),
        Takes::Duration => json!({"oneOf": [{"$ref": "#/definitions/duration"}]}),
        Takes::Date => json!({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}),
        Takes::Map(object) => json!({"oneOf": [{"$ref": reference(object)}]}),
        Takes::List(object) => json!({"type": "array", "minItems": 1, "items": {"$ref": reference(object)}}),
        Takes::Maps(object) => or_one(json!({"$ref": reference(object)})),
        Takes::Named(object) => json!({"type": "object", "additionalProperties": {"$ref": reference(object)}}),
        Takes::Line => json!({"oneOf": [{"type": "string"}, {"$ref": "#/definitions/argv"}]}),
        Takes::Lines => {
            json!({"type": "array", "items": {"oneOf": [{"type": "string"}, {"$ref": "#/definitions/argv"}]}})
        }
        Takes::Labels => json!({"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}),
        Takes::Integer => json!({"type": "integer"}),
        Takes::Whole => json!({"type": "integer", "minimum": 0}),
        Takes::Exit => json!({"type": "integer", "minimum": 0, "maximum": 255}),
        Takes::NumberOrText => json!({"type": ["number", "string"]}),
        Takes::Range => json!({"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}}),
        Takes::Statuses => or_one(json!({"type": "integer", "minimum": 100, "maximum": 599})),
        Takes::Pairs => {
            let pair = json!({"type": "array", "minItems": 2, "maxItems": 2});
            json!({"type": "array", "minItems": 1, "items": pair})
        }
    }
}

/// The schema as the text of a file.
pub fn schema_text() -> String {
    serde_json::to_string_pretty(&schema()).map(|text| text + "\n").unwrap_or_default()
}
