//! `midwatch incident statuspage`: the notice that customers read. Shows what would be published; `--yes` publishes it, once,
//! and a try whose answer was lost is never repeated without a person.

use crate::app::update::publishes;
use crate::cli::args::incident::{PublishArgs, StatuspageCommand};
use crate::cli::cockpit::given;
use crate::cli::context::Context;
use crate::cli::desk::{Desk, refused, writable};
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, Table};
use crate::cli::send;
use crate::config::Config;
use crate::domain::fault::Fault;
use crate::domain::ids::SourceName;
use crate::domain::incident::notices::{Words, component, notice};
use crate::domain::incident::state::Incident;
use crate::domain::outward::capability::Capability;
use crate::domain::outward::question::{Answer, Question};
use crate::domain::outward::status_page::{Component, Notice, StatusWrite};
use crate::io::port::Target;
use crate::run::courier;
use crate::run::setup::{Ready, real};
use serde_json::{Value, json};

/// Shows or publishes. JSON of `show`: `{"id", "page", "state", "notice", "url", "open": […], "components": […], "fault"}`;
/// of the others `{"id", "page", "dry_run", "write", "state", "notice", "url"}`.
pub fn run(
    context: &Context,
    config: &Config,
    id: &str,
    what: Option<&StatuspageCommand>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let setup = real(given(context, false));
    match what {
        None | Some(StatuspageCommand::Show { .. }) => {
            let to = what.and_then(|what| what.to());
            let recorded = Desk::to_read(context, config)?.find(id)?;
            show(&setup, &recorded.state, &page(&setup, to, Capability::ReadNotices)?, output)
        }
        Some(StatuspageCommand::Publish(args)) => publish(context, config, &setup, id, args, output),
    }
}

/// The page that is meant: the one that is named, else the first by name.
fn page(setup: &Ready, named: Option<&str>, capability: Capability) -> Result<SourceName, Failure> {
    let mut able = setup.model.outbox.able(capability);
    let found = match named {
        Some(name) => able.find(|target| target.facts.name.as_str() == name),
        None => able.next(),
    };
    found.map(|target| target.facts.name.clone()).ok_or_else(|| {
        let why = crate::app::present::available::lacks(&setup.model, &[capability]);
        Failure::Refused(why.unwrap_or_else(|| format!("`{}` is no status page", named.unwrap_or_default())))
    })
}

fn asked(target: &Target, name: &SourceName) -> Result<(Vec<Notice>, Vec<Component>), Fault> {
    let local =
        |why: std::io::Error| Fault::new(crate::domain::fault::FaultKind::Local, name.as_str(), why.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(local)?;
    match runtime.block_on(courier::ask(target, name, Question::Notices))? {
        Answer::Notices(notices, components) => Ok((notices, components)),
        _ => Ok((Vec::new(), Vec::new())),
    }
}

fn show(setup: &Ready, i: &Incident, name: &SourceName, output: &mut Output) -> Result<Exit, Failure> {
    let target = setup.world.targets.get(name).ok_or_else(|| Failure::Refused(format!("{name} is not connected")))?;
    let answer = asked(target, name);
    let (state, id, url) = stands(i, name);
    if output.is_json() {
        let (open, components) = answer.as_ref().map_or((None, None), |(open, parts)| (Some(open), Some(parts)));
        let fault = answer.as_ref().err().map(ToString::to_string);
        output.json(&json!({"id": i.id, "page": name, "state": state, "notice": id, "url": url, "open": open,
            "components": components, "fault": fault}))?;
        return Ok(if answer.is_ok() { Exit::DONE } else { Exit::PARTIAL });
    }
    output.line(&format!("{} at {name}: {state} {}", i.id, url.or(id).unwrap_or_default()))?;
    let (open, components) = match answer {
        Ok(answer) => answer,
        Err(fault) => {
            output.note(&format!("what stands on the page is not known: {fault}"));
            return Ok(Exit::PARTIAL);
        }
    };
    let mut table = Table::new(&["OPEN", "STATUS", "IMPACT", "TITLE"]);
    for n in &open {
        table.row([n.id.as_str(), &n.status, n.impact.as_deref().unwrap_or("-"), &n.title]);
    }
    match table.is_empty() {
        true => output.note("no notice is open there"),
        false => output.table(&table)?,
    }
    let mut table = Table::new(&["COMPONENT", "STATE", "NAME"]);
    for c in &components {
        table.row([c.id.as_str(), &c.status, &c.name]);
    }
    if !table.is_empty() {
        output.table(&table)?;
    }
    Ok(Exit::DONE)
}

fn stands(i: &Incident, name: &SourceName) -> (&'static str, Option<String>, Option<String>) {
    let standing = notice(i, name);
    let reference = standing.reference().cloned().unwrap_or_default();
    (standing.word(), reference.id, reference.url)
}

/// `NAME=STATE`, the component by its name or id there.
fn components(given: &[String], known: &[Component]) -> Result<Vec<(String, String)>, Failure> {
    let one = |typed: &String| match typed.contains('=') {
        true => component(typed, known).map_err(refused),
        false => Err(Failure::Usage(format!("--component {typed}: expected NAME=STATE"))),
    };
    given.iter().map(one).collect()
}

fn publish(
    context: &Context,
    config: &Config,
    setup: &Ready,
    typed: &str,
    args: &PublishArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    writable(config)?;
    let name = page(setup, args.to.as_deref(), Capability::OpenNotice)?;
    let target = setup.world.targets.get(&name).ok_or_else(|| Failure::Refused(format!("{name} is not connected")))?;
    let mut desk = if args.yes { Desk::to_write(context, config)? } else { Desk::to_read(context, config)? };
    let state = desk.find(typed)?.state;
    let parts = match args.component.is_empty() {
        true => Vec::new(),
        false => {
            let (_, known) = asked(target, &name).map_err(|fault| Failure::Source(fault.to_string()))?;
            components(&args.component, &known)?
        }
    };
    let words = Words {
        title: args.title.clone(),
        status: args.status.clone(),
        body: args.text.clone(),
        impact: args.impact.clone(),
        components: parts,
    };
    let (once, write, body) = publishes(&setup.model, desk.now, &state, &name, words).map_err(refused)?;
    if !output.is_json() {
        preview(&name, &write, output)?;
    }
    if !args.yes {
        if output.is_json() {
            document(&state, &name, &write, true, output)?;
        }
        output.note("nothing was published; --yes publishes it for everybody to read");
        return Ok(Exit::DONE);
    }
    let entry = send::once(desk.store.as_mut(), &setup.world.targets, &state.id, body, once)?
        .ok_or_else(|| Failure::Refused("another cockpit publishes at this moment; look first".into()))?;
    let (exit, words) = send::exit(&entry);
    if let Some(words) = words {
        output.note(&words);
    }
    let after = desk.read(&state.id)?.map_or(state, |recorded| recorded.state);
    match output.is_json() {
        true => document(&after, &name, &write, false, output)?,
        false => {
            let (state, id, url) = stands(&after, &name);
            output.line(&format!("{state} {}", url.or(id).unwrap_or_default()))?;
        }
    }
    Ok(exit)
}

fn preview(name: &SourceName, write: &StatusWrite, output: &mut Output) -> Result<(), Failure> {
    let (first, status, body, parts) = match write {
        StatusWrite::Open { title, status, body, components, .. } => {
            (format!("new notice: {title}"), status, body, components)
        }
        StatusWrite::Update { notice, status, body, components } => {
            (format!("update of {notice}"), status, body, components)
        }
    };
    output.line(&format!("at      {name}, for everybody to read"))?;
    output.line(&format!("what    {first}"))?;
    output.line(&format!("status  {status}"))?;
    for line in body.lines() {
        output.line(&format!("text    {line}"))?;
    }
    for (id, state) in parts {
        output.line(&format!("part    {id} {state}"))?;
    }
    Ok(())
}

fn document(
    i: &Incident,
    name: &SourceName,
    write: &StatusWrite,
    dry: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let (state, id, url) = stands(i, name);
    let write = serde_json::to_value(write).unwrap_or(Value::Null);
    output.json(
        &json!({"id": i.id, "page": name, "dry_run": dry, "write": write, "state": state, "notice": id, "url": url}),
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_found_by_name_or_id_and_a_wrong_one_is_named() {
        let part = |id: &str, name: &str| Component { id: id.into(), name: name.into(), status: "operational".into() };
        let known = [part("c1", "API"), part("c2", "Check=out")];
        let found = components(&["api=major_outage".into(), "Check=out=partial_outage".into()], &known).unwrap();
        assert_eq!(found, [("c1".into(), "major_outage".into()), ("c2".into(), "partial_outage".into())]);
        assert!(components(&["AP=x".into()], &known).unwrap_err().to_string().contains("nearest: API"));
        assert!(components(&["API".into()], &known).is_err());
    }
}
