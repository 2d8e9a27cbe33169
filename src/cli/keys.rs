//! `midwatch keys`: the key table, from the one table of actions.

use crate::app::action::{ACTIONS, Entry, Tier};
use crate::cli::args::KeysArgs;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, Table};
use serde_json::{Value, json};

/// Prints one row per action: keys, id, what it does, where, and what stands before it; `--md` as a Markdown table.
/// JSON: `{"keys": [{"id", "title", "keys", "scopes", "confirm", "changes"}]}`.
pub fn run(args: &KeysArgs, output: &mut Output) -> Result<Exit, Failure> {
    if output.is_json() {
        let rows: Vec<Value> = ACTIONS.iter().map(record).collect();
        output.json(&json!({"keys": rows}))?;
    } else if args.md {
        output.verbatim(&markdown())?;
    } else {
        let mut table = Table::new(&["KEYS", "ACTION", "WHAT IT DOES", "WHERE", "CONFIRM"]);
        for entry in ACTIONS {
            table.row([
                keys(entry).join(" ").as_str(),
                entry.id,
                entry.title,
                &scopes(entry).join(", "),
                confirm(entry),
            ]);
        }
        output.table(&table)?;
    }
    Ok(Exit::DONE)
}

/// The block of the README: one table, in the order of the help.
pub fn markdown() -> String {
    let mut out = String::from("| key | where | what it does |\n|---|---|---|\n");
    for entry in ACTIONS {
        let keys: Vec<String> = keys(entry).iter().map(|key| code(key)).collect();
        let title = match entry.tier {
            Tier::Asks => format!("{} (asks first)", entry.title),
            Tier::Typed => format!("{} (a word is typed)", entry.title),
            Tier::View | Tier::Reversible => entry.title.to_owned(),
        };
        out.push_str(&format!("| {} | {} | {title} |\n", keys.join(" "), scopes(entry).join("; ")));
    }
    out
}

/// Its keys; an action without one is reached by its name in the palette.
fn keys(entry: &Entry) -> Vec<String> {
    let keys: Vec<String> = entry.keys.iter().map(ToString::to_string).collect();
    if keys.is_empty() { vec![format!(":{}", entry.id)] } else { keys }
}

fn code(key: &str) -> String {
    let escaped = key.replace('|', "\\|");
    if key.contains('`') { format!("`` {escaped} ``") } else { format!("`{escaped}`") }
}

fn scopes(entry: &Entry) -> Vec<&'static str> {
    entry.scopes.iter().map(|scope| scope.word()).collect()
}

fn confirm(entry: &Entry) -> &'static str {
    match entry.tier {
        Tier::View | Tier::Reversible => "",
        Tier::Asks => "asks",
        Tier::Typed => "a word is typed",
    }
}

fn record(entry: &Entry) -> Value {
    let keys: Vec<String> = entry.keys.iter().map(ToString::to_string).collect();
    let tier = match entry.tier {
        Tier::View => "view",
        Tier::Reversible => "reversible",
        Tier::Asks => "asks",
        Tier::Typed => "typed",
    };
    json!({"id": entry.id, "title": entry.title, "keys": keys, "scopes": scopes(entry), "confirm": tier,
        "changes": entry.changes})
}
