//! `midwatch config`: what holds, and who said so. Secrets are masked before they come here.

use crate::cli::args::{ConfigArgs, ConfigCommand};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, Table};
use crate::domain::document::Level;
use serde_json::{Value, json};

/// Prints settings or paths. Exit 2 when the configuration has errors; the settings are printed all the same.
pub fn run(context: &Context, args: &ConfigArgs, output: &mut Output) -> Result<Exit, Failure> {
    match args.what {
        ConfigCommand::Show => show(context, output),
        ConfigCommand::Path => path(context, output),
    }
}

/// `{"path", "exists", "settings": [{"key", "value", "layer", "origin"}], "folders", "findings"}`.
fn show(context: &Context, output: &mut Output) -> Result<Exit, Failure> {
    let findings = context.all_findings();
    if output.is_json() {
        let settings: Vec<Value> = context
            .settings()
            .iter()
            .map(|s| json!({"key": s.key, "value": s.value, "layer": s.layer, "origin": s.origin}))
            .collect();
        let mut document = paths(context);
        if let Some(map) = document.as_object_mut() {
            map.insert("settings".to_owned(), Value::Array(settings));
            map.insert("findings".to_owned(), json!(findings));
        }
        output.json(&document)?;
    } else {
        let mut table = Table::new(&["SETTING", "VALUE", "ORIGIN"]);
        for setting in context.settings() {
            table.row([setting.key, setting.text, setting.origin]);
        }
        output.table(&table)?;
        output.notes(&findings);
    }
    let broken = findings.iter().any(|f| f.level == Level::Error);
    Ok(if broken { Exit::USAGE } else { Exit::DONE })
}

/// One path per line, or `{"path", "exists", "folders": {"config", "data", "cache", "state"}}`.
fn path(context: &Context, output: &mut Output) -> Result<Exit, Failure> {
    if output.is_json() {
        output.json(&paths(context))?;
        return Ok(Exit::DONE);
    }
    let folders = &context.folders;
    let file = folders.config_file.to_string_lossy();
    let missing = if context.configured { "" } else { " (not there)" };
    let mut table = Table::new(&["WHAT", "WHERE"]);
    table.row(["configuration", &format!("{file}{missing}")]);
    for (what, folder) in [("records", &folders.data), ("cache", &folders.cache), ("logs", &folders.state)] {
        table.row([what, &folder.to_string_lossy()]);
    }
    output.table(&table)?;
    Ok(Exit::DONE)
}

fn paths(context: &Context) -> Value {
    let folders = &context.folders;
    json!({
        "path": folders.config_file.to_string_lossy(),
        "exists": context.configured,
        "folders": {
            "config": folders.config().to_string_lossy(),
            "data": folders.data.to_string_lossy(),
            "cache": folders.cache.to_string_lossy(),
            "state": folders.state.to_string_lossy(),
        },
    })
}
