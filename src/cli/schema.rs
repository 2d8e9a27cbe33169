//! `midwatch schema`: the JSON Schema of a file kind, for editors, and the reference pages of runbooks, objectives and
//! postmortem templates and scenarios, for people. Schemas are files, held against the readers by tests; those of runbooks, objectives and scenarios are rendered from the
//! tables of keys that their readers use.

use crate::cli::args::{SchemaArgs, SchemaKind};
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::domain::drill::scenario::schema as scenario;
use crate::domain::experiment::schema as experiment;
use crate::domain::gameday::schema as gameday;
use crate::domain::postmortem::reference as postmortem;
use crate::domain::runbook::reference;
use crate::domain::slo::own::schema as objectives;
use crate::io::goalert::DOCUMENT;
use std::borrow::Cow;

/// Prints the schema, whatever the output format: it is a JSON document, but for that of GoAlert, which is the GraphQL one
/// that its API keys are made with. With `reference`: a Markdown page.
pub fn run(args: &SchemaArgs, output: &mut Output) -> Result<Exit, Failure> {
    match (args.reference, args.kind) {
        (false, kind) => output.verbatim(&schema(kind))?,
        (true, SchemaKind::Runbook) => output.verbatim(&reference::markdown())?,
        (true, SchemaKind::Slo) => output.verbatim(&objectives::reference())?,
        (true, SchemaKind::Postmortem) => output.verbatim(&postmortem::markdown())?,
        (true, SchemaKind::Scenario) => output.verbatim(&scenario::markdown())?,
        (true, SchemaKind::GameDay) => output.verbatim(&gameday::markdown())?,
        (true, SchemaKind::Experiment) => output.verbatim(&experiment::markdown())?,
        (true, _) => {
            let why = "only runbooks, objectives, scenarios, experiments, game days and postmortem templates have a reference page (midwatch schema runbook --reference)";
            return Err(Failure::Refused(why.to_owned()));
        }
    }
    Ok(Exit::DONE)
}

/// The text of a schema.
pub fn schema(kind: SchemaKind) -> Cow<'static, str> {
    match kind {
        SchemaKind::Config => include_str!("../../assets/schemas/config.json").into(),
        SchemaKind::Slo => objectives::schema().into(),
        SchemaKind::Runbook => reference::schema_text().into(),
        SchemaKind::Postmortem => postmortem::schema().into(),
        SchemaKind::Scenario => scenario::text().into(),
        SchemaKind::GameDay => gameday::text().into(),
        SchemaKind::Experiment => experiment::text().into(),
        SchemaKind::Goalert => DOCUMENT.into(),
        SchemaKind::Severity => include_str!("../../assets/schemas/severity.json").into(),
    }
}
