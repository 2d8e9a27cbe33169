//! `midwatch schema`: the JSON Schema of a file kind, for editors. Most schemas are files, held
//! against the readers by tests.

use crate::cli::args::{SchemaArgs, SchemaKind};
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::domain::slo::own::schema as objectives;
use std::borrow::Cow;

/// Prints the schema, whatever the output format: it is a JSON document. With `--reference`: a page in Markdown.
pub fn run(args: &SchemaArgs, output: &mut Output) -> Result<Exit, Failure> {
    match (args.reference, args.kind) {
        (false, kind) => output.verbatim(&schema(kind))?,
        (true, SchemaKind::Slo) => output.verbatim(&objectives::reference())?,
        (true, _) => return Err(Failure::Usage("--reference is there for slo only".into())),
    }
    Ok(Exit::DONE)
}

/// The text of a schema. That of objectives is made from the table of their keys.
pub fn schema(kind: SchemaKind) -> Cow<'static, str> {
    match kind {
        SchemaKind::Config => include_str!("../../assets/schemas/config.json").into(),
        SchemaKind::Slo => objectives::schema().into(),
        SchemaKind::Runbook => include_str!("../../assets/schemas/runbook.json").into(),
        SchemaKind::Severity => include_str!("../../assets/schemas/severity.json").into(),
    }
}
