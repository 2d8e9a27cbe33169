//! Watching whether changes help: each condition is looked at until it has held for its time or its time is over. Both are
//! recorded once, however many cockpits watch; what was being watched when a cockpit died is watched again by the next.

use crate::app::effect::Effect;
use crate::app::model::{Model, Watch};
use crate::app::pending::Asked;
use crate::app::present::view::Tone;
use crate::app::present::walk::values;
use crate::app::update::{exec, incident, record, sources};
use crate::domain::exec::{CommandEnd, CommandNews};
use crate::domain::fault::Fault;
use crate::domain::ids::{IncidentId, ReqId};
use crate::domain::incident::change::Change;
use crate::domain::incident::event::Body;
use crate::domain::runbook::hold::{Hold, Look, Verdict, judge, judge_rate};
use crate::domain::runbook::model::{Condition, Part, Phase, Risk, Verify};
use crate::domain::runbook::offer::{Offer, outcome};
use crate::domain::runbook::prepare::ready;
use crate::domain::slo::burn;
use crate::domain::slo::reading::{Measurement, Window};
use crate::domain::slo::sample::Sample;
use crate::domain::time::{Timestamp, secs};

/// An answer that does not come is one that says nothing; the next look is not held up by it for longer.
const LOST: i64 = 60;

/// A change was made here: what was confirmed with it is watched.
pub fn begin(model: &mut Model, now: Timestamp, id: &IncidentId, run: &str, verify: Verify) {
    let hold = Hold::new(&verify, now);
    let watch = Watch { hold, verify: Some(verify), asked: None };
    model.exec.watches.insert((id.clone(), run.to_owned()), watch);
}

/// Looks at everything that is due, and ends what is over.
pub fn look(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    if model.setup.read_only || !model.desk.loaded {
        return;
    }
    take_up(model);
    let keys: Vec<(IncidentId, String)> = model.exec.watches.keys().cloned().collect();
    for key in keys {
        let Some(watch) = model.exec.watches.get_mut(&key) else { continue };
        if let Verdict::Failed(why) = watch.hold.verdict(now) {
            end(model, now, &key, Verdict::Failed(why), out);
            continue;
        }
        if let Some((req, since)) = watch.asked {
            if now - since < secs(LOST) && now >= since {
                continue;
            }
            drop(model.pending.take(req));
        }
        let Some(watch) = model.exec.watches.get_mut(&key) else { continue };
        watch.asked = None;
        if watch.hold.next() <= now {
            ask(model, now, &key, out);
        }
    }
}

/// The server that shows conditions is another one: what is on its way says nothing, and what held must hold anew.
pub fn source_exchanged(model: &mut Model, now: Timestamp) {
    for watch in model.exec.watches.values_mut() {
        if matches!(watch.verify.as_ref().map(|v| &v.what), Some(Condition::Exec(_)) | None) {
            continue;
        }
        if let Some((req, _)) = watch.asked.take() {
            drop(model.pending.take(req));
        }
        watch.hold.since = None;
        watch.hold.last = Some((now, Look::NoData("its source was exchanged".into())));
    }
}

/// Changes that are being watched, says the record, and that this cockpit does not watch yet; and the other way round.
fn take_up(model: &mut Model) {
    let mut wanted: Vec<((IncidentId, String), Change)> = Vec::new();
    for case in model.desk.cases.values().filter(|c| c.shown.is_open()) {
        let open = |c: &&Change| c.stands() && c.verify.as_ref().is_some_and(|v| v.end.is_none());
        wanted.extend(
            case.shown.changes.iter().filter(open).map(|c| ((case.shown.id.clone(), c.run.clone()), c.clone())),
        );
    }
    model.exec.watches.retain(|key, _| wanted.iter().any(|(known, _)| known == key));
    for (key, change) in wanted {
        if model.exec.watches.contains_key(&key) {
            continue;
        }
        let Some(verification) = &change.verify else { continue };
        let step = model.runbook(&change.place.runbook).and_then(|book| book.step(&change.place.step));
        let verify = step.and_then(|step| step.mutation(&change.id)).and_then(|m| m.verify.clone());
        let plan = &verification.plan;
        let span = |s: u64| secs(i64::try_from(s).unwrap_or(i64::MAX));
        // What was promised when it was confirmed holds, whatever the file says today; only how to look comes from it.
        let promised = Verify {
            what: Condition::Promql {
                query: String::new(),
                op: crate::domain::runbook::model::Op::Eq,
                value: 0.0,
                any: false,
            },
            for_: span(plan.for_s),
            within: span(plan.within_s),
            every: span(plan.every_s),
            mark: crate::domain::document::Mark::default(),
        };
        let hold = Hold::new(&promised, verification.began);
        let same = verify.filter(|v| crate::domain::runbook::hold::words(&v.what) == plan.what);
        model.exec.watches.insert(key, Watch { hold, verify: same, asked: None });
    }
}

/// Asks what the condition says now.
fn ask(model: &mut Model, now: Timestamp, key: &(IncidentId, String), out: &mut Vec<Effect>) {
    let verify = model.exec.watches.get(key).and_then(|w| w.verify.clone());
    let asked = Asked::Verify(key.0.clone(), key.1.clone());
    let effect = match verify.map(|v| v.what) {
        None => Err("the runbook that says how to look is gone or changed".to_owned()),
        Some(Condition::Promql { query, .. }) => match sources::first(model) {
            Some(source) => {
                let req = model.pending.ask(asked);
                Ok((req, Effect::Query { req, source, promql: query }))
            }
            None => Err("there is no Prometheus to ask".into()),
        },
        Some(Condition::Slo { slo, window, .. }) => match model.fleet.objective(&slo).cloned() {
            Some(objective) => match sources::source_of(model, &objective) {
                Some(source) => {
                    let req = model.pending.ask(asked);
                    let windows = vec![Window::of(window)];
                    Ok((req, Effect::Measure { req, source, objectives: vec![objective], windows }))
                }
                None => Err("there is no Prometheus to ask".into()),
            },
            None => Err(format!("there is no objective {slo}")),
        },
        Some(Condition::Exec(command)) => by_command(model, now, key, &command, asked),
    };
    match effect {
        Ok((req, effect)) => {
            if let Some(watch) = model.exec.watches.get_mut(key) {
                watch.asked = Some((req, now));
            }
            out.push(effect);
        }
        Err(why) => seen(model, now, key, Look::NoData(why), out),
    }
}

/// A condition that a read tells: it was confirmed with its change and runs only while commands are allowed.
fn by_command(
    model: &mut Model,
    now: Timestamp,
    key: &(IncidentId, String),
    command: &crate::domain::runbook::model::RunCommand,
    asked: Asked,
) -> Result<(ReqId, Effect), String> {
    if !model.armed(now) {
        return Err("commands are off; :arm lets it look".into());
    }
    let change = model.desk.cases.get(&key.0).and_then(|c| c.shown.change(&key.1)).cloned();
    let change = change.ok_or("the change is gone")?;
    let book = model.runbook(&change.place.runbook).cloned().ok_or("the runbook is gone")?;
    let prepared = ready(&book, command, &values(model, &key.0, &book)).map_err(|r| r.0)?;
    let mut offer = Offer::of(&key.0, change.place, "verify", (Part::Verify, command), prepared);
    if offer.risk != Risk::Read || offer.tty || offer.prepared.query.is_some() {
        return Err("only a read can be looked at again and again".into());
    }
    offer.files = exec::files(model, &book, offer.risk);
    let req = model.pending.ask(asked);
    let mut spec = offer.spec("", &model.setup.env_pass);
    spec.spill = None;
    Ok((req, Effect::Run { req, spec }))
}

/// Values came for a condition.
pub fn queried(
    model: &mut Model,
    now: Timestamp,
    key: &(IncidentId, String),
    result: Result<Vec<Sample>, Fault>,
    out: &mut Vec<Effect>,
) {
    let what = model.exec.watches.get(key).and_then(|w| w.verify.as_ref()).map(|v| &v.what);
    let look = match (result, what) {
        (Err(fault), _) => Look::NoData(fault.to_string()),
        (Ok(samples), Some(Condition::Promql { op, value, any, .. })) => judge(&samples, *op, *value, *any),
        _ => return,
    };
    seen(model, now, key, look, out);
}

/// A burn rate came for a condition.
pub fn measured(
    model: &mut Model,
    now: Timestamp,
    key: &(IncidentId, String),
    result: Result<Vec<Measurement>, Fault>,
    out: &mut Vec<Effect>,
) {
    let what = model.exec.watches.get(key).and_then(|w| w.verify.as_ref()).map(|v| v.what.clone());
    let Some(Condition::Slo { slo, window, op, value }) = what else { return };
    let look = match result {
        Err(fault) => Look::NoData(fault.to_string()),
        Ok(measurements) => {
            let target = model.fleet.objective(&slo).map(|o| o.target);
            let found = measurements.iter().find(|m| m.slo == slo).filter(|m| !m.partial);
            let reading = found.and_then(|m| m.windows.get(&Window::of(window))).and_then(|(_, r)| r.counts());
            judge_rate(reading.zip(target).and_then(|(counts, target)| burn::rate(counts, target)), op, value)
        }
    };
    seen(model, now, key, look, out);
}

/// A read told something for a condition.
pub fn told(model: &mut Model, now: Timestamp, req: ReqId, news: CommandNews, out: &mut Vec<Effect>) {
    let CommandNews::Ended(end) = news else { return };
    let Some(Asked::Verify(id, run)) = model.pending.take(req) else { return };
    let key = (id, run);
    let what = model.exec.watches.get(&key).and_then(|w| w.verify.as_ref()).map(|v| &v.what);
    let Some(Condition::Exec(command)) = what else { return };
    let how =
        |end: &CommandEnd| end.exit.map_or_else(|| end.reason.clone().unwrap_or_default(), |c| format!("exit {c}"));
    let look = match outcome(&end, &command.ok_exit) {
        Some(true) => Look::Holds(how(&end)),
        Some(false) if end.began => Look::Fails(how(&end)),
        _ => Look::NoData(how(&end)),
    };
    seen(model, now, &key, look, out);
}

fn seen(model: &mut Model, now: Timestamp, key: &(IncidentId, String), look: Look, out: &mut Vec<Effect>) {
    let Some(watch) = model.exec.watches.get_mut(key) else { return };
    watch.asked = None;
    match watch.hold.take(now, look) {
        Verdict::Waiting => {}
        over => end(model, now, key, over, out),
    }
}

/// It held, or it did not: recorded once, told, and the way on is named.
fn end(model: &mut Model, now: Timestamp, key: &(IncidentId, String), verdict: Verdict, out: &mut Vec<Effect>) {
    let Some(watch) = model.exec.watches.remove(key) else { return };
    if let Some((req, _)) = watch.asked {
        drop(model.pending.take(req));
        if watch.verify.as_ref().is_some_and(|v| matches!(v.what, Condition::Exec(_))) {
            out.push(Effect::Stop { req });
        }
    }
    let (id, run) = key;
    let Some(change) = model.desk.cases.get(id).and_then(|c| c.shown.change(run)).cloned() else { return };
    let what = change.verify.as_ref().map(|v| v.plan.what.clone()).unwrap_or_default();
    let once = Some(format!("verify:{run}"));
    match verdict {
        Verdict::Held(since) => {
            let body = Body::VerifyHeld { run: run.clone(), since, what: what.clone() };
            record::machine(model, now, id, body, once, out);
            model.say(now, Tone::Ok, format!("held: {what}"));
            mitigated(model, now, key, &change, since, out);
        }
        Verdict::Failed(why) => {
            model.say(
                now,
                Tone::Crit,
                format!("did not hold: {what} ({why}); b rolls back, or another option, or e escalates"),
            );
            record::machine(model, now, id, Body::VerifyFailed { run: run.clone(), why }, once, out);
        }
        Verdict::Waiting => return,
    }
    if model.setup.bell {
        out.push(Effect::Bell);
    }
}

/// The pain stopped when the hold began, not when it was long enough to be believed.
fn mitigated(
    model: &mut Model,
    now: Timestamp,
    key: &(IncidentId, String),
    change: &Change,
    since: Timestamp,
    out: &mut Vec<Effect>,
) {
    let (id, run) = key;
    let step = model.runbook(&change.place.runbook).and_then(|book| book.step(&change.place.step));
    let eases = step.is_none_or(|s| matches!(s.phase, None | Some(Phase::Mitigate | Phase::Verify)));
    let open = model.desk.cases.get(id).is_some_and(|c| c.shown.is_open() && c.shown.times.mitigated.is_none());
    if eases && open {
        record::machine_at(model, now, since, id, Body::Mitigated, Some(format!("mitigated:{run}")), out);
        incident::sample(model, now, id, "mitigated", out);
    }
}

/// The clock was set: lengths stay as long as they are.
pub fn reclock(model: &mut Model, by: crate::domain::time::Span) {
    for watch in model.exec.watches.values_mut() {
        watch.hold.reclock(by);
        watch.asked = None;
    }
}
