//! The acts of a responder: what was typed becomes a command of the domain, its events go to disk, and nothing else happens.

use crate::app::costs;
use crate::cli::args::incident::{IncidentCommand, MarkArgs};
use crate::cli::context::Context;
use crate::cli::desk::{Desk, Recorded, refused, writable};
use crate::cli::failure::{Exit, Failure};
use crate::cli::incident::{cost, entry, outside};
use crate::cli::library::Library;
use crate::cli::look;
use crate::cli::output::Output;
use crate::cli::postmortem;
use crate::config::Config;
use crate::domain::alert::Alert;
use crate::domain::incident::decide::{self, Command, decide, id_at, link};
use crate::domain::incident::event::{Body, Mark};
use crate::domain::runbook::model::Runbook;
use crate::domain::severity::Severity;
use crate::domain::time::Timestamp;

/// Carries out one act.
pub fn run(context: &Context, config: &Config, what: &IncidentCommand, output: &mut Output) -> Result<Exit, Failure> {
    writable(config)?;
    match what {
        IncidentCommand::Declare { .. } => return declare(context, config, what, output),
        IncidentCommand::Link { id, alert } => return link_alerts(context, config, id, alert, output),
        IncidentCommand::Pin(which) => return mark(context, config, which, Mark::Pin, output),
        IncidentCommand::Tag { mark: which, tag } => {
            return mark(context, config, which, Mark::Tag(tag.clone()), output);
        }
        IncidentCommand::Exclude(which) => return mark(context, config, which, Mark::Exclude, output),
        IncidentCommand::Page { id, yes } => return page(context, config, (id, *yes), output),
        _ => {}
    }
    let mut desk = Desk::to_write(context, config)?;
    let (typed, command, at) = read(&desk, what)?;
    let before = desk.find(typed)?;
    let resolution = match &command {
        Command::Resolve(summary) => Some(summary.clone()),
        _ => None,
    };
    let resolves = resolution.is_some();
    let acknowledges = matches!(command, Command::Acknowledge);
    let moment = costs::moment(&before.state, &command);
    let mut bodies = decide(&before.state, command, at, &context.severities).map_err(refused)?;
    if acknowledges || resolves {
        bodies.extend(outside::tell(&mut desk, &before, resolution.as_deref())?);
        outside::note(&bodies, output);
    }
    desk.act(&before.state.id, at, bodies)?;
    let mut after = again(&mut desk, &before)?;
    if let Some(moment) = moment {
        cost::sample(&mut desk, &after, moment, output);
        after = again(&mut desk, &before)?;
    }
    if resolves {
        postmortem::after_resolve(&mut desk, &after, output);
    }
    done(&mut desk, &after, output)
}

/// The incident, the command and when it happened.
fn read<'w>(desk: &Desk<'_>, what: &'w IncidentCommand) -> Result<(&'w str, Command, Timestamp), Failure> {
    let severity = |typed: &str| desk.context.severities.find(typed).unwrap_or_else(|| Severity::from(typed));
    let now = desk.now;
    Ok(match what {
        IncidentCommand::Ack { id } => (id, Command::Acknowledge, now),
        IncidentCommand::Note { id, text, at, kind } => {
            let command = match kind.note() {
                Some(sort) => Command::Note(sort, text.clone()),
                None => Command::Action(text.clone(), None, None, None),
            };
            (id, command, desk.when(at.as_deref())?)
        }
        IncidentCommand::Status { id, status, message } => (id, Command::SetStatus(*status, message.clone()), now),
        IncidentCommand::Severity { id, severity: to, reason } => {
            (id, Command::SetSeverity(severity(to), reason.clone()), now)
        }
        IncidentCommand::Role { id, role, person } => {
            (id, Command::SetRole(*role, Some(person.clone()).filter(|p| p != "-")), now)
        }
        IncidentCommand::Mitigated { id, at } => (id, Command::Mitigated, desk.when(at.as_deref())?),
        IncidentCommand::Resolve { id, summary } => (id, Command::Resolve(summary.clone()), now),
        IncidentCommand::Reopen { id, reason } => (id, Command::Reopen(reason.clone()), now),
        IncidentCommand::Action { id, text, owner, due, does } => {
            (id, Command::Action(text.clone(), owner.clone(), due.clone(), *does), now)
        }
        _ => return Err(Failure::Usage("this is no act on one incident".to_owned())),
    })
}

fn declare(context: &Context, config: &Config, what: &IncidentCommand, output: &mut Output) -> Result<Exit, Failure> {
    let IncidentCommand::Declare { title, severity, service, runbook, alert, at, page } = what else {
        return Err(Failure::Usage("this is no declaration".to_owned()));
    };
    let title = decide::text(title, "a title").map_err(refused)?;
    let severity = context.severities.find(severity).ok_or_else(|| {
        let known: Vec<&str> = context.severities.levels.iter().map(|l| l.code.0.as_str()).collect();
        Failure::Refused(format!("there is no severity `{severity}` (expected one of: {})", known.join(", ")))
    })?;
    let library = Library::load(context);
    let book = runbook.as_deref().map(|id| library.find(id)).transpose()?;
    let alerts = look::alerts_named(context, alert)?;
    let objectives = look::objectives(context);
    if *page {
        outside::pager(context)?;
    }

    let mut desk = Desk::to_write(context, config)?;
    let noticed = at.as_deref().map(|text| desk.when(Some(text))).transpose()?;
    let mut bodies = decide::declare(title, severity.clone(), service.clone(), alerts.first(), &objectives);
    if let (Some(Body::Declared { detected_at, .. }), Some(noticed)) = (bodies.first_mut(), noticed) {
        *detected_at = Some(noticed);
    }
    bodies.extend(alerts.iter().skip(1).map(link));
    bodies.extend(book.as_deref().map(opened));
    let now = desk.now;
    let events = desk.act(&id_at(now), now, bodies)?;
    // Two declarations of one second have two ids; the record says which is ours.
    let id = events.first().map_or_else(|| id_at(now), |event| event.incident.clone());
    let recorded = desk.read(&id)?.ok_or_else(|| Failure::Refused(format!("{id} cannot be read back")))?;
    if *page {
        outside::page(&mut desk, &recorded, output)?;
    } else if context.severities.level(&severity).is_some_and(|level| level.page) && outside::pager(context).is_ok() {
        output.note(&format!(
            "{severity} pages the on-call and nobody was paged; `midwatch incident page {id} --yes` does"
        ));
    }
    if !output.is_json() {
        output.line(id.as_str())?;
        // Whoever waits for the id does not wait for the sources.
        output.finish()?;
    }
    cost::sample(&mut desk, &recorded, "declared", output);
    done(&mut desk, &recorded, output)
}

/// Pages the on-call for an incident that is recorded; without a yes it tells who would be paged.
fn page(context: &Context, config: &Config, (typed, yes): (&str, bool), output: &mut Output) -> Result<Exit, Failure> {
    outside::pager(context)?;
    if !yes {
        return outside::preview(context, config, typed, output);
    }
    let mut desk = Desk::to_write(context, config)?;
    let before = desk.find(typed)?;
    if !before.state.is_open() {
        return Err(Failure::Refused(format!("{} is resolved; reopen it first", before.state.id)));
    }
    outside::page(&mut desk, &before, output)?;
    let after = again(&mut desk, &before)?;
    done(&mut desk, &after, output)
}

/// The event that opens a runbook.
pub fn opened(book: &Runbook) -> Body {
    Body::RunbookOpened {
        runbook: book.id.clone(),
        name: book.name.clone(),
        steps: book.steps.len(),
        sha256: book.sha256.clone(),
    }
}

fn link_alerts(
    context: &Context,
    config: &Config,
    typed: &str,
    fingerprints: &[String],
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut desk = Desk::to_write(context, config)?;
    let before = desk.find(typed)?;
    if !before.state.is_open() {
        return Err(Failure::Refused(format!("{} is resolved; reopen it first", before.state.id)));
    }
    let alerts: Vec<Alert> = look::alerts_named(context, fingerprints)?;
    if let Some(known) = alerts.iter().find(|a| before.state.alerts.contains_key(&a.fingerprint)) {
        return Err(Failure::Refused(format!("{} belongs to {} already", known.name, before.state.id)));
    }
    let now = desk.now;
    desk.act(&before.state.id, now, alerts.iter().map(link).collect())?;
    let after = again(&mut desk, &before)?;
    done(&mut desk, &after, output)
}

/// An entry gets a mark, or loses it.
fn mark(
    context: &Context,
    config: &Config,
    which: &MarkArgs,
    mark: Mark,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut desk = Desk::to_write(context, config)?;
    let before = desk.find(&which.id)?;
    let of = entry::named(&before, &which.entry)?.key.clone();
    let now = desk.now;
    let command = Command::Mark(of, mark, !which.off);
    let bodies = decide(&before.state, command, now, &context.severities).map_err(refused)?;
    desk.act(&before.state.id, now, bodies)?;
    let after = again(&mut desk, &before)?;
    done(&mut desk, &after, output)
}

pub fn again(desk: &mut Desk<'_>, before: &Recorded) -> Result<Recorded, Failure> {
    let id = &before.state.id;
    desk.read(id)?.ok_or_else(|| Failure::Refused(format!("{id} is recorded but cannot be read back")))
}

/// Nothing for people, the incident for programs.
pub fn done(desk: &mut Desk<'_>, recorded: &Recorded, output: &mut Output) -> Result<Exit, Failure> {
    if output.is_json() {
        let latest = again(desk, recorded)?;
        let timers = desk.timers(&latest.state, &Library::load(desk.context));
        output.json(&crate::app::present::report::incident(&latest.state, &latest.events, &timers))?;
    }
    Ok(Exit::DONE)
}
