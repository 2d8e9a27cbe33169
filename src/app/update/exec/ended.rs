//! What running commands tell, and what follows from their ends: captures, the guard's word, changes in force, failures
//! that stop or lead a walk. Every end is recorded; one that nobody knows stays unknown.

use crate::app::effect::Effect;
use crate::app::model::{Model, Running, Transcript};
use crate::app::present::view::Tone;
use crate::app::update::exec::output_key;
use crate::app::update::{record, watch};
use crate::domain::exec::{CommandEnd, CommandNews};
use crate::domain::fault::Fault;
use crate::domain::ids::ReqId;
use crate::domain::incident::event::{Body, StepEnd};
use crate::domain::runbook::gate::{captured, probed};
use crate::domain::runbook::model::{OnFail, Part};
use crate::domain::runbook::offer::outcome;
use crate::domain::slo::sample::Sample;
use crate::domain::text::clean;
use crate::domain::text::sequences::strip;
use crate::domain::time::{Timestamp, compact};
use std::time::Duration;

/// Lines of output that go into the record.
const EXCERPT: usize = 20;
/// Lines of a query's answer that are shown.
const SERIES: usize = 500;

/// A running command told something.
pub fn news(model: &mut Model, now: Timestamp, req: ReqId, news: CommandNews, out: &mut Vec<Effect>) {
    let Some(at) = model.exec.running.iter().position(|r| r.req == req) else { return };
    let Some(running) = model.exec.running.get_mut(at) else { return };
    running.heard = now;
    let offer = &running.run.offer;
    let key = output_key(&offer.incident, &offer.place.runbook, offer.place.step.as_str(), &offer.slot);
    match news {
        CommandNews::Started(_) => {}
        CommandNews::Output(piece) => {
            if let Some(transcript) = model.exec.outputs.get_mut(&key) {
                transcript.push(&piece);
            }
        }
        CommandNews::Ended(end) => {
            drop(model.pending.take(req));
            let running = model.exec.running.remove(at);
            let transcript = model.exec.outputs.entry(key).or_default();
            transcript.end = Some(end.clone());
            let transcript = transcript.clone();
            settle(model, now, &running, &end, &transcript, out);
            told(model, now, &running, &end, out);
        }
    }
}

/// A query of a runbook was answered: its values are its output.
pub fn queried(
    model: &mut Model,
    now: Timestamp,
    req: ReqId,
    result: Result<Vec<Sample>, Fault>,
    out: &mut Vec<Effect>,
) {
    let since = model.exec.running.iter().find(|r| r.req == req).map_or(now, |r| r.since);
    let (text, exit) = match result {
        Ok(samples) if samples.is_empty() => ("no series\n".to_owned(), 0),
        Ok(samples) => {
            let line = |s: &Sample| format!("{:<12} {}\n", s.value, labels(s));
            let mut text: String = samples.iter().take(SERIES).map(line).collect();
            if samples.len() > SERIES {
                text.push_str(&format!("({} more series)\n", samples.len() - SERIES));
            }
            (text, 0)
        }
        Err(fault) => (format!("{fault}\n"), 1),
    };
    let took = (now - since).to_std().unwrap_or(Duration::ZERO);
    let bytes = u64::try_from(text.len()).unwrap_or_default();
    news(model, now, req, CommandNews::Output(text), out);
    let end = CommandEnd { exit: Some(exit), began: true, took, bytes, ..CommandEnd::default() };
    news(model, now, req, CommandNews::Ended(end), out);
}

/// The labels of a value, as PromQL writes them.
fn labels(sample: &Sample) -> String {
    let pairs: Vec<String> = sample.labels.0.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

/// Records an end and what follows from it.
fn settle(
    model: &mut Model,
    now: Timestamp,
    running: &Running,
    end: &CommandEnd,
    transcript: &Transcript,
    out: &mut Vec<Effect>,
) {
    let (run, offer) = (&running.run, &running.run.offer);
    let id = &offer.incident;
    let ok = outcome(end, &offer.ok_exit);
    let mut bodies = vec![Body::CommandFinished(offer.finish(&run.name, end, excerpt(transcript)))];
    let runbook = &offer.place.runbook;
    if ok == Some(true) && !offer.capture.is_empty() {
        match transcript.whole().ok_or_else(|| "its output is too long to take a value from".to_owned()) {
            Ok(text) => match captured(&offer.capture, &text) {
                Ok(found) => bodies.extend(found.into_iter().map(|(name, value)| Body::ValueCaptured {
                    runbook: runbook.clone(),
                    name,
                    value,
                })),
                Err(why) => model.say(now, Tone::Warn, format!("{}: {why}", offer.slot)),
            },
            Err(why) => model.say(now, Tone::Warn, format!("{}: {why}", offer.slot)),
        }
    }
    if let Some(change) = offer.change.as_ref().filter(|_| ok == Some(true)) {
        let action = change.action.clone();
        match &change.undoes {
            Some(of) => bodies.push(Body::RolledBack { run: of.clone(), by: run.name.clone(), action }),
            None => {
                bodies.push(Body::ChangeApplied { run: run.name.clone(), action });
                bodies.extend(offer.watch(&run.name).map(Body::VerifyStarted));
            }
        }
    }
    let watches = bodies.iter().any(|b| matches!(b, Body::VerifyStarted(_)));
    if offer.part == Part::Run && ok == Some(false) {
        bodies.extend(failed(model, running, end));
    }
    record::machine_all(model, now, id, bodies, out);
    if offer.part == Part::Guard {
        guard(model, now, running, ok, transcript, out);
    }
    if let Some(verify) = offer.verify.clone().filter(|_| watches) {
        watch::begin(model, now, id, &run.name, verify);
    }
    if let Some(change) = offer.change.as_ref().filter(|c| c.undoes.is_some()) {
        rolled(model, now, running, &change.action, ok);
    }
}

/// A step whose command failed, where the runbook says what follows.
fn failed(model: &Model, running: &Running, end: &CommandEnd) -> Option<Body> {
    let offer = &running.run.offer;
    let step = model.runbook(&offer.place.runbook)?.step(&offer.place.step)?;
    if !matches!(step.on_fail, OnFail::Stop | OnFail::Goto(_)) {
        return None;
    }
    let how = end.exit.map_or_else(|| end.reason.clone().unwrap_or_default(), |code| format!("exit {code}"));
    let why = format!("{}: {how}", offer.slot);
    Some(Body::StepEnded { place: offer.place.clone(), end: StepEnd::Failed(why) })
}

/// One guard was looked at; when all were, their word is recorded.
fn guard(
    model: &mut Model,
    now: Timestamp,
    running: &Running,
    ok: Option<bool>,
    transcript: &Transcript,
    out: &mut Vec<Effect>,
) {
    let offer = &running.run.offer;
    let Some(book) = model.runbook(&offer.place.runbook).cloned() else { return };
    let Some(n) = book.guards.iter().position(|probe| probe.command.id == offer.id) else { return };
    let Some(probe) = book.guards.get(n) else { return };
    let first = transcript.lines.front().map(|line| clean(&strip(line)).into_owned()).unwrap_or_default();
    let word = probed(probe, ok, &first);
    let key = (offer.incident.clone(), book.id.clone());
    let words = model.exec.probes.entry(key.clone()).or_default();
    words.insert(n, word);
    if words.len() < book.guards.len() {
        return;
    }
    let words = model.exec.probes.remove(&key).unwrap_or_default();
    let ok = words.values().all(|(ok, _)| *ok);
    let found: Vec<String> = words.into_values().filter(|(held, _)| ok || !held).map(|(_, found)| found).collect();
    let found = found.join("; ");
    let tone = if ok { Tone::Ok } else { Tone::Crit };
    let said = if ok { format!("guard holds: {found}") } else { format!("NOT HERE: {found}; nothing is changed") };
    record::machine(model, now, &key.0, Body::GuardChecked { runbook: key.1, ok, found }, None, out);
    model.say(now, tone, said);
}

/// A rollback ended: the next one is named, whatever became of this one.
fn rolled(model: &mut Model, now: Timestamp, running: &Running, action: &str, ok: Option<bool>) {
    let id = &running.run.offer.incident;
    let next = model.desk.cases.get(id).and_then(|c| {
        let tried = running.run.offer.change.as_ref().and_then(|c| c.undoes.as_deref());
        c.shown.in_force().find(|change| Some(change.run.as_str()) != tried).map(|c| c.plan.action.clone())
    });
    let (tone, how) = match ok {
        Some(true) => (Tone::Ok, "rolled back"),
        Some(false) => (Tone::Crit, "NOT rolled back"),
        None => (Tone::Crit, "unknown whether rolled back"),
    };
    let next = next.map(|action| format!("; next: {action}")).unwrap_or_default();
    model.say(now, tone, format!("{how}: {action}{next}"));
}

fn told(model: &mut Model, now: Timestamp, running: &Running, end: &CommandEnd, out: &mut Vec<Effect>) {
    let took = compact(now - running.since);
    let offer = &running.run.offer;
    let ok = outcome(end, &offer.ok_exit);
    let (tone, words) = match (end.exit, &end.reason) {
        (Some(code), _) => {
            let tone = if ok == Some(true) { Tone::Ok } else { Tone::Warn };
            (tone, format!("{}: exit {code} after {took}", offer.slot))
        }
        (None, Some(reason)) => (Tone::Warn, format!("{}: {reason} after {took}", offer.slot)),
        (None, None) => (Tone::Warn, format!("{}: result unknown after {took}", offer.slot)),
    };
    if offer.part == Part::Run || ok != Some(true) {
        model.say(now, tone, words);
    }
    if ok.is_none() && offer.risk.is_dangerous() {
        model.say(
            now,
            Tone::Crit,
            format!("{}: it may have done its work or not; look before running it again", offer.slot),
        );
    }
    if end.survivors {
        model.say(now, Tone::Crit, "some of its processes could not be stopped: look for them by hand");
    }
    if model.setup.bell && (now - running.since).num_seconds() > 10 {
        out.push(Effect::Bell);
    }
}

fn excerpt(transcript: &Transcript) -> Vec<String> {
    let lines: Vec<&String> = transcript.lines.iter().filter(|l| !l.trim().is_empty()).collect();
    let shown = |line: &&String| {
        let line: String = strip(line).chars().take(400).collect();
        clean(&line).into_owned()
    };
    lines.iter().rev().take(EXCERPT).rev().map(shown).collect()
}
