//! `midwatch runbook`: list, read, lint, match and walk runbooks, and approve what a walk asks for. Only `walk` runs
//! anything, and asks before each command.

pub mod approving;
pub mod around;
pub mod convert;
pub mod coverage;
pub mod dry_run;
pub mod exec;
pub mod import;
pub mod read;
pub mod suggesting;
pub mod walk;

use crate::cli::args::runbook::{RunbookArgs, RunbookCommand};
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::library::Library;
use crate::cli::output::Output;

/// `lint` reports as `check` does ([`crate::cli::check`]); `match` prints `{"matches": [{"id", "path", "why"}]}`; `show`
/// prints the promised object; `convert` writes a plain file anew as `midwatch/v1`; `import` writes new files and reports on
/// each page; `walk` reads numbered answers from standard input; `dry-run` shows what would run.
pub fn run(context: &Context, args: &RunbookArgs, output: &mut Output) -> Result<Exit, Failure> {
    let config = context.ready(output)?;
    match &args.what {
        RunbookCommand::Lint { paths, online } => return read::lint(context, paths, *online, output),
        RunbookCommand::Import { paths, to } => return import::run(context, paths, to, output),
        RunbookCommand::Approvals { incident, all } => {
            return approving::list(context, config, incident.as_deref(), *all, output);
        }
        RunbookCommand::Approve { incident, code } => return approving::give(context, config, incident, code, output),
        _ => {}
    }
    if let RunbookCommand::Convert { file, to } = &args.what {
        return convert::run(context, file, to.as_deref(), output);
    }
    let library = Library::load(context);
    output.notes(&library.findings);
    match &args.what {
        RunbookCommand::List { words } => read::list(&library, &words.join(" "), output),
        RunbookCommand::Show { id, suggest } => read::show(&*library.find(id)?, suggest.then_some(config), output),
        RunbookCommand::Match { alert, label, url } => read::matching(&library, alert, label, url.as_deref(), output),
        RunbookCommand::Coverage { check } => coverage::run(config, &library, *check, output),
        RunbookCommand::DryRun { id, alert, label, input } => {
            let book = library.find(id)?;
            dry_run::run(&book, &dry_run::values(&book, alert.as_deref(), label, input)?, output)
        }
        RunbookCommand::Walk { id, dry_run: true, .. } => {
            let book = library.find(id)?;
            dry_run::run(&book, &dry_run::values(&book, None, &[], &[])?, output)
        }
        RunbookCommand::Walk { id, incident, arm, .. } => {
            let book = library.find(id)?;
            walk::run(context, config, (&library, &book), incident.as_deref(), *arm, output)
        }
        RunbookCommand::Lint { .. }
        | RunbookCommand::Import { .. }
        | RunbookCommand::Convert { .. }
        | RunbookCommand::Approvals { .. }
        | RunbookCommand::Approve { .. } => Ok(Exit::DONE),
    }
}
