//! The JSON Schema and the reference page of objectives, made from the table of their keys. Validates nothing.

use crate::domain::slo::own::keys::{BLOCKS, Block, Shape};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// The JSON Schema of the own and of the plain form.
pub fn schema() -> String {
    let mut definitions = Map::new();
    let duration = json!({
        "type": "string",
        "pattern": "^[Ww]ithin .+|^([0-9]+ ?[A-Za-z]+ ?)+$",
        "description": "15m, 1h30m, 30d or 5 minutes",
    });
    definitions.insert("duration".to_owned(), duration);
    let share = json!({"oneOf": [
        {"type": "string", "pattern": "^-?[0-9.]+ ?%$"},
        {"type": "number", "exclusiveMaximum": 1},
    ], "description": "99.9% or 0.999"});
    definitions.insert("share".to_owned(), share);
    for block in BLOCKS.iter() {
        definitions.insert(block.name.to_owned(), described(block));
    }
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "midwatch objectives",
        "oneOf": [{"$ref": "#/definitions/file"}, {"$ref": "#/definitions/plain"}],
        "definitions": definitions,
    });
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

fn described(block: &Block) -> Value {
    let mut properties = Map::new();
    for key in block.keys {
        let mut value = shaped(key.shape);
        if let Some(map) = value.as_object_mut() {
            map.insert("description".to_owned(), Value::String(key.says.to_owned()));
        }
        properties.insert(key.name.to_owned(), value);
    }
    let required: Vec<&str> = block.keys.iter().filter(|k| k.required).map(|k| k.name).collect();
    let mut out = json!({
        "type": "object",
        "description": block.says,
        "additionalProperties": false,
        "properties": properties,
    });
    if let Some(map) = out.as_object_mut().filter(|_| !required.is_empty()) {
        map.insert("required".to_owned(), json!(required));
    }
    out
}

fn shaped(shape: Shape) -> Value {
    let reference = |name: &str| json!({"$ref": format!("#/definitions/{name}")});
    match shape {
        Shape::Text | Shape::Query => json!({"type": "string"}),
        Shape::Number => json!({"type": "number"}),
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::Share => reference("share"),
        Shape::Duration => reference("duration"),
        Shape::Words(words) => json!({"enum": words}),
        Shape::Labels => json!({"type": "object", "additionalProperties": {"type": "string"}}),
        Shape::Texts => json!({"type": "array", "items": {"type": "string"}}),
        Shape::Block(name) => reference(name),
        Shape::List(name) => json!({"type": "array", "items": reference(name)}),
        Shape::Named(name) => json!({"type": "object", "additionalProperties": reference(name)}),
        Shape::WordsOrList(words, name) => {
            json!({"oneOf": [{"enum": words}, {"type": "array", "items": reference(name)}]})
        }
        Shape::TextOrBlock(name) => json!({"oneOf": [{"type": "string"}, reference(name)]}),
    }
}

/// The reference page, in Markdown.
pub fn reference() -> String {
    let mut page = String::from(
        "# Objectives\n\nA file of objectives is in our own format, in the plain form, or in the format of Sloth, Pyrra, OpenSLO or\nslo-generator, told apart by what is in it. `midwatch slo convert FILE` writes any of them as our own.\n\n```yaml\n",
    );
    page.push_str(EXAMPLE);
    page.push_str("```\n");
    for block in BLOCKS.iter() {
        let _ = write!(page, "\n## `{}`\n\n{}\n\n| key | holds | meaning |\n|---|---|---|\n", block.name, block.says);
        for key in block.keys {
            let must = if key.required { " (required)" } else { "" };
            let _ = writeln!(page, "| `{}`{must} | {} | {} |", key.name, held(key.shape), key.says);
        }
    }
    page
}

fn held(shape: Shape) -> String {
    let words = |words: &[&str]| words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
    match shape {
        Shape::Text => "text".to_owned(),
        Shape::Query => "PromQL".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Share => "`99.9%` or `0.999`".to_owned(),
        Shape::Boolean => "`true`, `false`".to_owned(),
        Shape::Duration => "duration".to_owned(),
        Shape::Words(all) => words(all),
        Shape::Labels => "map of texts".to_owned(),
        Shape::Texts => "list of texts".to_owned(),
        Shape::Block(name) => format!("[`{name}`](#{name})"),
        Shape::List(name) => format!("list of [`{name}`](#{name})"),
        Shape::Named(name) => format!("map of names to [`{name}`](#{name})"),
        Shape::WordsOrList(all, name) => format!("{}, or a list of [`{name}`](#{name})", words(all)),
        Shape::TextOrBlock(name) => format!("PromQL, or [`{name}`](#{name})"),
    }
}

/// A file with every kind of objective.
pub const EXAMPLE: &str = include_str!("../../../../assets/objectives.yaml");
