//! `midwatch changes`: what changed lately, or around the start of an incident, from every source that tells of changes, on
//! one list. A source that did not answer is named: its silence is no quiet day. Writes nothing.

use crate::cli::args::ChangesArgs;
use crate::cli::cockpit::given;
use crate::cli::context::Context;
use crate::cli::desk::Desk;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, Table};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::ids::SourceName;
use crate::domain::outward::capability::Capability;
use crate::domain::outward::question::{Answer, Question};
use crate::domain::recent::{BEFORE, Recent, around, listed};
use crate::domain::time::{Timestamp, clock as time_of_day, parse_span, rfc3339, seconds};
use crate::run::courier;
use crate::run::setup::{Ready, real};
use serde_json::{Value, json};

/// JSON: `{"as_of", "incident", "start", "from", "to", "partial", "sources", "faults": [{"source", "fault"}], "changes":
/// [{"at", "until", "source", "kind", "text", "author", "service", "url", "from_start"}]}`; `from_start` in seconds, negative
/// before it, null without an incident. Exit 3 when a source did not answer.
pub fn run(context: &Context, args: &ChangesArgs, output: &mut Output) -> Result<Exit, Failure> {
    let config = context.ready(output)?;
    let before = match &args.since {
        Some(typed) => parse_span(typed).map_err(|why| Failure::Usage(format!("--since: {why}")))?,
        None => BEFORE,
    };
    let mut desk = Desk::to_read(context, config)?;
    let incident = args.incident.as_deref().map(|typed| desk.find(typed)).transpose()?.map(|r| r.state);
    let now = desk.now;
    let start = incident.as_ref().map(|i| i.times.detected.map_or(i.times.declared, |at| at.min(i.times.declared)));
    let (from, to) = start.map_or((now - before, now), |start| around(start, before, now));
    let ready = real(given(context, false));
    let asked = questions(&ready, from, to);
    let (mut found, faults) = answers(&ready, &asked, (from, to))?;
    if let Some(service) = &args.service {
        found.retain(|change| change.service.as_ref().is_none_or(|s| s == service));
    }
    let found = listed(found);
    let exit = if faults.is_empty() { Exit::DONE } else { Exit::PARTIAL };
    if output.is_json() {
        let rows: Vec<Value> = found.iter().map(|change| row(change, start)).collect();
        let told: Vec<Value> =
            faults.iter().map(|(source, fault)| json!({"source": source, "fault": fault.to_string()})).collect();
        let sources: Vec<&SourceName> = asked.iter().map(|(name, _)| name).collect();
        output.json(&json!({"as_of": rfc3339(now), "incident": incident.map(|i| i.id), "start": start.map(rfc3339),
            "from": rfc3339(from), "to": rfc3339(to), "partial": !faults.is_empty(), "sources": sources,
            "faults": told, "changes": rows}))?;
        return Ok(exit);
    }
    let mut table = Table::new(&["TIME", "FROM START", "SOURCE", "SERVICE", "BY", "WHAT"]);
    for change in &found {
        let distance = start.map_or_else(|| "-".to_owned(), |start| change.distance(start));
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let (service, author) = (or(&change.service), or(&change.author));
        let when = format!("{} {}", change.at.format("%Y-%m-%d"), time_of_day(change.at));
        table.row([when.as_str(), &distance, change.source.as_str(), &service, &author, &change.text]);
    }
    match (table.is_empty(), asked.is_empty()) {
        (false, _) => output.table(&table)?,
        (true, true) => output.note("no source of changes is configured (see changes, annotations, incident_backends)"),
        (true, false) if !faults.is_empty() => output.note("no change from the sources that answered"),
        (true, false) => output.note("nothing changed, as far as the sources tell"),
    }
    for (source, fault) in &faults {
        output.note(&format!("{source} is not known: {fault}"));
    }
    Ok(exit)
}

fn row(change: &Recent, start: Option<Timestamp>) -> Value {
    json!({"at": rfc3339(change.at), "until": change.until.map(rfc3339), "source": change.source, "kind": change.kind,
        "text": change.text, "author": change.author, "service": change.service, "url": change.url,
        "from_start": start.map(|start| seconds(change.at - start))})
}

/// What is asked of whom; `None` is the marks of a metrics source.
fn questions(ready: &Ready, from: Timestamp, to: Timestamp) -> Vec<(SourceName, Option<Question>)> {
    let outbox = &ready.model.outbox;
    let changes = outbox
        .able(Capability::ReadChanges)
        .map(|target| (target.facts.name.clone(), Some(Question::Changes(from, to))));
    let marks = outbox
        .able(Capability::ReadAnnotations)
        .map(|target| (target.facts.name.clone(), Some(Question::Annotations(from, to, Vec::new()))));
    let metrics = ready.model.links.values().filter(|link| !link.markers.is_empty());
    changes.chain(marks).chain(metrics.map(|link| (link.name.clone(), None))).collect()
}

type Answers = (Vec<Recent>, Vec<(SourceName, Fault)>);

/// Asks all of them at once.
fn answers(
    ready: &Ready,
    asked: &[(SourceName, Option<Question>)],
    (from, to): (Timestamp, Timestamp),
) -> Result<Answers, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Refused(format!("nothing could be asked: {error}")))?;
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    let told = runtime.block_on(async {
        let tasks: Vec<_> =
            asked.iter().map(|(name, question)| tokio::spawn(one(ready, name, question, (from, to)))).collect();
        let mut told = Vec::new();
        for task in tasks {
            told.push(task.await);
        }
        told
    });
    for ((name, _), result) in asked.iter().zip(told) {
        match result {
            Ok(Ok(changes)) => found.extend(changes),
            Ok(Err(fault)) => faults.push((name.clone(), fault)),
            Err(_) => faults.push((name.clone(), Fault::new(FaultKind::Local, name.as_str(), "the adapter broke off"))),
        }
    }
    Ok((found, faults))
}

fn read(name: &SourceName, answer: Answer) -> Vec<Recent> {
    match answer {
        Answer::Changes(changes) => changes.iter().map(|change| Recent::of_change(name, change)).collect(),
        Answer::Annotations(marks) => marks.iter().map(|mark| Recent::of_annotation(name, mark)).collect(),
        _ => Vec::new(),
    }
}

/// One question, on its own.
fn one(
    ready: &Ready,
    name: &SourceName,
    question: &Option<Question>,
    (from, to): (Timestamp, Timestamp),
) -> impl Future<Output = Result<Vec<Recent>, Fault>> + Send + use<> {
    let (name, question) = (name.clone(), question.clone());
    let (target, metrics) = (ready.world.targets.get(&name).cloned(), ready.world.metrics.get(&name).cloned());
    let markers = ready.model.links.get(&name).map(|link| link.markers.clone()).unwrap_or_default();
    async move {
        match (question, target, metrics) {
            (Some(question), Some(target), _) => {
                courier::ask(&target, &name, question).await.map(|answer| read(&name, answer))
            }
            (None, _, Some(metrics)) => {
                let marks = metrics.marks(&markers, to - from, to).await?;
                Ok(marks.marks.iter().map(|mark| Recent::of_mark(&name, mark)).collect())
            }
            _ => Err(Fault::new(FaultKind::Local, name.as_str(), "it is not connected")),
        }
    }
}
