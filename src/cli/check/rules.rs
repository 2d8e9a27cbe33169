//! `midwatch check --rules`: the table of what the lint of objectives knows.

use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, Table};
use crate::domain::slo::lint::rules::{RULES, Rule};
use serde_json::{Value, json};

/// Prints the rules: id, level, what they need, one line. JSON: `{"rules": [{"id", "level", "online", "says"}]}`.
pub fn print(output: &mut Output) -> Result<Exit, Failure> {
    if output.is_json() {
        let rule = |r: &Rule| json!({"id": r.id, "level": r.level, "online": r.online, "says": r.says});
        output.json(&json!({"rules": RULES.iter().map(rule).collect::<Vec<Value>>()}))?;
        return Ok(Exit::DONE);
    }
    let mut table = Table::new(&["RULE", "LEVEL", "NEEDS", "SAYS"]);
    for rule in RULES {
        table.row([rule.id, rule.level.word(), if rule.online { "--online" } else { "-" }, rule.says]);
    }
    output.table(&table)?;
    Ok(Exit::DONE)
}
