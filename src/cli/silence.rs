//! `midwatch silence`: what is silenced, and writes to it. A write is recorded in the outbox before it is sent, from here
//! and at once; it is for the incident that is named, else for none.

use crate::app::present::outbox;
use crate::app::present::silences::{all, ends_in, holds, json as silence_json, known};
use crate::app::update::outgoing;
use crate::cli::args::silence::{SilenceArgs, SilenceCommand};
use crate::cli::cockpit::given;
use crate::cli::context::Context;
use crate::cli::desk::{Desk, refused, writable};
use crate::cli::failure::{Exit, Failure};
use crate::cli::look::{Look, glance};
use crate::cli::output::{Output, Table};
use crate::cli::send;
use crate::cli::slo::faults;
use crate::domain::alert::Alert;
use crate::domain::ids::{IncidentId, SourceName};
use crate::domain::incident::decide::text;
use crate::domain::incident::event::{Body, OUTWARD_LOG};
use crate::domain::outward::capability::Capability;
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::{Expected, Operation};
use crate::domain::outward::silence::filter::{Preview, conditions_of};
use crate::domain::outward::silence::{ACK_FOR, ACK_PREFIX, Matcher, Silence, SilenceWrite, conditions};
use crate::domain::time::{Span, clock, compact, mins, parse_span, rfc3339};
use crate::run::setup::real;
use serde_json::{Value, json};

/// The longest silence that is made here.
const LONGEST: Span = Span::days(90);

/// `list`: `{"as_of", "partial", "faults", "silences": [...]}`. The writes: `{"dry_run", "source", "write", "preview",
/// "operation", "silence"}`. Exit 0 done, 1 refused, 3 not done yet or a source did not answer.
pub fn run(context: &Context, args: &SilenceArgs, output: &mut Output) -> Result<Exit, Failure> {
    let config = context.ready(output)?;
    if config.alertmanager.is_empty() {
        return Err(Failure::Refused("no Alertmanager is configured".into()));
    }
    match &args.what {
        SilenceCommand::List { all } => list(context, *all, output),
        write => {
            let dry = matches!(
                write,
                SilenceCommand::Create { dry_run: true, .. }
                    | SilenceCommand::Extend { dry_run: true, .. }
                    | SilenceCommand::Expire { dry_run: true, .. }
            );
            if !dry {
                writable(config)?;
            }
            let look = glance(context, false)?;
            let wanted = wanted(&look, write, output)?;
            carry_out(context, &look, wanted, dry, output)
        }
    }
}

fn list(context: &Context, with_ended: bool, output: &mut Output) -> Result<Exit, Failure> {
    let look = glance(context, false)?;
    let (model, now) = (&look.model, look.now);
    let targets: Vec<&SourceName> = model.outbox.targets.keys().collect();
    let unread = model
        .outbox
        .targets
        .values()
        .any(|t| t.facts.caps.class(Capability::ReadSilences).is_some() && t.silences.is_none());
    let shown: Vec<(&SourceName, &Silence)> = match with_ended {
        true => targets.into_iter().flat_map(|name| known(model, name).iter().map(move |s| (name, s))).collect(),
        false => all(model, now),
    };
    let partial = unread || look.is_partial();
    if output.is_json() {
        let rows: Vec<Value> = shown.iter().map(|(name, s)| silence_json(model, name, s)).collect();
        let told = crate::app::present::report::faults(model);
        output.json(&json!({"as_of": rfc3339(now), "partial": partial, "faults": told, "silences": rows}))?;
    } else {
        let mut table = Table::new(&["ID", "SOURCE", "STATE", "ENDS", ">ALERTS", "BY", "CONDITIONS", "COMMENT"]);
        for (name, s) in &shown {
            let state = if s.is_ack() { "ack" } else { "silence" };
            let held = holds(model, name, &s.id).to_string();
            let (ends, what, why) = (ends_in(s, now), s.conditions(), s.words());
            table.row([s.id.as_str(), name.as_str(), state, &ends, &held, &s.created_by, &what, &why]);
        }
        match table.is_empty() {
            false => output.table(&table)?,
            true if partial => output.note("no silence from the sources that answered"),
            true => output.note("nothing is silenced"),
        }
        faults(&look, output);
    }
    Ok(if partial { Exit::PARTIAL } else { Exit::DONE })
}

/// A write that was understood.
struct Wanted {
    target: SourceName,
    write: SilenceWrite,
    preview: Option<Preview>,
    incident: Option<String>,
}

fn length(typed: &str, flag: &str) -> Result<Span, Failure> {
    let span = parse_span(typed.trim()).map_err(|why| Failure::Usage(format!("{flag}: {why}")))?;
    if span < mins(1) || span > LONGEST {
        return Err(Failure::Usage(format!("{flag}: a silence lasts from 1m to {}", compact(LONGEST))));
    }
    Ok(span)
}

fn wanted(look: &Look, typed: &SilenceCommand, output: &mut Output) -> Result<Wanted, Failure> {
    match typed {
        SilenceCommand::Create {
            conditions: typed, length: long, comment, source, incident, ack, sweeping, ..
        } => {
            let matchers = conditions_of(typed).map_err(|why| Failure::Usage(format!("condition: {why}")))?;
            let span = if *ack { ACK_FOR } else { length(long, "--for")? };
            let comment = text(comment, "a comment").map_err(refused)?;
            let comment = if *ack { format!("{ACK_PREFIX} {comment}") } else { comment };
            let target = target(look, source.as_deref(), Capability::CreateSilence)?;
            let preview = preview(look, &target, &matchers)?;
            careful(&preview, *sweeping, output)?;
            let now = look.now;
            let write = SilenceWrite::Create { matchers, starts_at: now, ends_at: now + span, comment };
            Ok(Wanted { target, write, preview: Some(preview), incident: incident.clone() })
        }
        SilenceCommand::Extend { id, by, source, .. } => {
            let span = length(by, "--by")?;
            let (target, silence) = find(look, id, source.as_deref())?;
            let ends_at = silence.ends_at + span;
            if ends_at - look.now > LONGEST {
                return Err(Failure::Refused(format!("a silence lasts at most {}", compact(LONGEST))));
            }
            Ok(Wanted { target, write: SilenceWrite::Extend { silence, ends_at }, preview: None, incident: None })
        }
        SilenceCommand::Expire { id, source, .. } => {
            let (target, silence) = find(look, id, source.as_deref())?;
            Ok(Wanted { target, write: SilenceWrite::Expire { id: silence.id }, preview: None, incident: None })
        }
        SilenceCommand::List { .. } => Err(Failure::Usage("this is no write".into())),
    }
}

/// The target that was named, or the only one that can do it.
fn target(look: &Look, named: Option<&str>, capability: Capability) -> Result<SourceName, Failure> {
    let with_silences = |t: &&crate::app::outbox::TargetState| {
        t.facts.ports.contains(&crate::domain::outward::target::PortKind::Silences)
    };
    let all: Vec<_> = look.model.outbox.targets.values().filter(with_silences).collect();
    let found = match named {
        Some(name) => {
            // An Alertmanager that shares its name with a Prometheus has a longer one.
            let long = format!("{name} alertmanager");
            all.iter().find(|t| t.facts.name.as_str() == name || t.facts.name.as_str() == long)
        }
        None if all.len() > 1 => {
            let names: Vec<&str> = all.iter().map(|t| t.facts.name.as_str()).collect();
            return Err(Failure::Usage(format!("--source: there are several: {}", names.join(", "))));
        }
        None => all.first(),
    };
    let found = found.ok_or_else(|| match named {
        Some(name) => Failure::Refused(format!("no Alertmanager `{name}` is configured")),
        None => Failure::Refused("no Alertmanager can be connected".into()),
    })?;
    match found.facts.caps.why_not(capability) {
        None => Ok(found.facts.name.clone()),
        Some(why) => Err(Failure::Refused(format!("{} cannot {}: {why}", found.facts.name, capability.title()))),
    }
}

fn preview(look: &Look, target: &SourceName, matchers: &[Matcher]) -> Result<Preview, Failure> {
    let alerts: Vec<&Alert> =
        look.model.alerts.by_source.get(target).map(|own| own.iter().collect()).unwrap_or_default();
    Preview::of(matchers, alerts).map_err(|why| Failure::Usage(format!("condition: {why}")))
}

/// Refuses what sweeps, unless that was asked for.
fn careful(preview: &Preview, sweeping: bool, output: &mut Output) -> Result<(), Failure> {
    if !preview.sweeping() {
        return Ok(());
    }
    let why = match preview.positive {
        false => "no condition asks for a label to be there, so it silences alerts that nobody thought of",
        true => "nothing that fires now would be left",
    };
    if sweeping {
        output.note(&format!("careful: {why}"));
        return Ok(());
    }
    Err(Failure::Refused(format!("{why} (it holds {}); --sweeping makes it all the same", preview.words())))
}

/// The silence in force of an id, or of the beginning of one that no other has.
fn find(look: &Look, typed: &str, source: Option<&str>) -> Result<(SourceName, Silence), Failure> {
    let only = source.map(|name| target(look, Some(name), Capability::ReadSilences)).transpose()?;
    let all = all(&look.model, look.now);
    let fits: Vec<_> = all
        .into_iter()
        .filter(|(name, s)| only.as_ref().is_none_or(|o| o == *name) && !typed.is_empty() && s.id.starts_with(typed))
        .collect();
    match fits.as_slice() {
        [(name, silence)] => Ok(((*name).clone(), (*silence).clone())),
        [] if look.is_partial() => {
            Err(Failure::Source(format!("no silence `{typed}` at the sources that answered, and not all did")))
        }
        [] => Err(Failure::Refused(format!("no silence `{typed}` is in force; `midwatch silence list` shows them"))),
        several => {
            let ids: Vec<&str> = several.iter().map(|(_, s)| s.id.as_str()).collect();
            Err(Failure::Refused(format!("`{typed}` could be {}; type more of it", ids.join(" or "))))
        }
    }
}

fn written(write: &SilenceWrite) -> Value {
    match write {
        SilenceWrite::Create { matchers, starts_at, ends_at, comment } => json!({
            "do": "create", "matchers": matchers, "starts_at": rfc3339(*starts_at), "ends_at": rfc3339(*ends_at),
            "comment": comment,
        }),
        SilenceWrite::Extend { silence, ends_at } => json!({
            "do": "extend", "id": silence.id, "from": rfc3339(silence.ends_at), "ends_at": rfc3339(*ends_at),
        }),
        SilenceWrite::Expire { id } => json!({"do": "expire", "id": id}),
    }
}

fn previewed(preview: &Preview) -> Value {
    let names: Vec<Value> = preview.names.iter().map(|(name, n)| json!({"name": name, "alerts": n})).collect();
    json!({
        "firing": preview.firing, "pages": preview.pages, "held": preview.held, "others": preview.others,
        "names": names, "positive": preview.positive,
    })
}

fn carry_out(context: &Context, look: &Look, wanted: Wanted, dry: bool, output: &mut Output) -> Result<Exit, Failure> {
    let Wanted { target, write, preview, incident } = wanted;
    let (described, shown) = (written(&write), preview.as_ref().map(previewed));
    let document = |operation: Value, silence: Option<String>| {
        json!({"dry_run": dry, "source": target, "write": described, "preview": shown, "operation": operation,
            "silence": silence})
    };
    if !output.is_json() {
        explain(&target, &write, preview.as_ref(), output)?;
    }
    if dry {
        if output.is_json() {
            output.json(&document(Value::Null, None))?;
        }
        return Ok(if look.is_partial() { Exit::PARTIAL } else { Exit::DONE });
    }
    let config = context.config();
    let mut desk = Desk::to_write(context, config)?;
    let id = match incident {
        Some(typed) => desk.find(&typed)?.state.id,
        None => IncidentId(OUTWARD_LOG.to_owned()),
    };
    let body =
        outgoing(&look.model, look.now, &target, Intent::Silence(write), Expected::default()).map_err(refused)?;
    let Body::Outgoing(op) = body else { return Err(Failure::Refused("nothing is to be sent".into())) };
    let targets = real(given(context, false)).world.targets;
    // Typed on purpose, and there is no `u` here; the hold keeps a cockpit from sending it meanwhile.
    let entry = send::send(desk.store.as_mut(), &targets, &id, Operation { created_at: look.now, ..*op })?;
    let (exit, words) = send::exit(&entry);
    let made = entry.ended().and_then(|end| end.reference()).and_then(|reference| reference.id.clone());
    if output.is_json() {
        output.json(&document(outbox::json(&look.model, &entry, look.now), made))?;
    } else if let Some(end) = entry.ended().filter(|end| end.good()) {
        output.line(&format!("{}: {}", end.word(), end.words()))?;
    }
    if let Some(words) = words {
        output.note(&words);
    }
    Ok(exit)
}

fn explain(
    target: &SourceName,
    write: &SilenceWrite,
    preview: Option<&Preview>,
    output: &mut Output,
) -> Result<(), Failure> {
    match write {
        SilenceWrite::Create { matchers, ends_at, starts_at, comment } => {
            let long = compact(*ends_at - *starts_at);
            output.line(&format!("silence {} at {target}", conditions(matchers)))?;
            output.line(&format!("until   {} (for {long})", clock(*ends_at)))?;
            output.line(&format!("why     {comment}"))?;
            if let Some(preview) = preview {
                output.line(&format!("holds   {}", preview.words()))?;
            }
        }
        SilenceWrite::Extend { silence, ends_at } => {
            output.line(&format!("extend  {} at {target}", silence.conditions()))?;
            output.line(&format!("until   {} instead of {}", clock(*ends_at), clock(silence.ends_at)))?;
        }
        SilenceWrite::Expire { id } => output.line(&format!("end     {id} at {target}"))?,
    }
    Ok(())
}
