//! `midwatch schema`: the JSON Schema of a file kind, for editors. The schemas are files, held against the readers by tests.

use crate::cli::args::{SchemaArgs, SchemaKind};
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;

/// Prints the schema, whatever the output format: it is a JSON document.
pub fn run(args: &SchemaArgs, output: &mut Output) -> Result<Exit, Failure> {
    output.verbatim(schema(args.kind))?;
    Ok(Exit::DONE)
}

/// The text of a schema.
pub fn schema(kind: SchemaKind) -> &'static str {
    match kind {
        SchemaKind::Config => include_str!("../../assets/schemas/config.json"),
        SchemaKind::Slo => include_str!("../../assets/schemas/slo.json"),
        SchemaKind::Runbook => include_str!("../../assets/schemas/runbook.json"),
        SchemaKind::Severity => include_str!("../../assets/schemas/severity.json"),
    }
}
