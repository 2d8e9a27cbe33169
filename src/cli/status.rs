//! `midwatch status`: one screen of facts.

use crate::app::present::{alerts, lines, report, slos, timers};
use crate::cli::args::StatusArgs;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::look::{Look, look};
use crate::cli::output::Output;
use crate::domain::escalation::timer::TimerState;
use crate::domain::slo::status::State;
use crate::domain::time::rfc3339;
use serde_json::{Value, json};

/// Prints objectives, alerts, incidents and due timers as lines, or as one JSON document. With `--check` one line and the codes of
/// monitoring plugins: 0 ok, 1 warning, 2 page, 3 unknown or stale, also when the configuration cannot be used.
pub fn run(context: &Context, args: &StatusArgs, output: &mut Output) -> Result<Exit, Failure> {
    let looked = context.ready(output).and_then(|_| look(context, true));
    match (looked, args.check) {
        (Err(failure), true) => {
            let why = match &failure {
                Failure::Config(_) => "the configuration cannot be used".to_owned(),
                other => other.to_string(),
            };
            verdict(Verdict { code: 3, words: vec![why] }, None, output)?;
            output.failure(&failure);
            Ok(Exit(3))
        }
        (Err(failure), false) => Err(failure),
        (Ok(look), true) => {
            let verdict_of = judge(&look);
            let code = verdict_of.code;
            verdict(verdict_of, Some(&look), output)?;
            Ok(Exit(code))
        }
        (Ok(look), false) => {
            output.notes(&look.findings);
            facts(&look, output)?;
            Ok(if look.is_partial() { Exit::PARTIAL } else { Exit::DONE })
        }
    }
}

fn document(look: &Look) -> Value {
    let (model, now) = (&look.model, look.now);
    let mut document = look.sign(report::slos(model, now));
    let of = |case: &crate::app::model::Case| report::incident(&case.shown, &[], &timers::of(model, &case.shown, now));
    let incidents: Vec<Value> = model.open_cases().into_iter().map(of).collect();
    let due: Vec<Value> = timers::all(model, now).iter().filter(|t| t.state.is_live()).map(report::timer).collect();
    if let Some(map) = document.as_object_mut() {
        let alerts = report::alerts(model, now).get_mut("alerts").map(Value::take).unwrap_or_default();
        map.insert("alerts".to_owned(), alerts);
        map.insert("incidents".to_owned(), json!(incidents));
        map.insert("timers".to_owned(), json!(due));
        map.insert("summary".to_owned(), json!(lines::summary(model, now)));
    }
    document
}

fn facts(look: &Look, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return output.json(&document(look));
    }
    output.line(&format!("{} {}", rfc3339(look.now), lines::summary(&look.model, look.now)))?;
    for line in lines::facts(&look.model, look.now) {
        output.line(&line)?;
    }
    for fault in report::faults(&look.model) {
        output.line(&format!("SOURCE {}", fault.get("message").and_then(Value::as_str).unwrap_or_default()))?;
    }
    Ok(())
}

/// A code and what it is for.
struct Verdict {
    code: u8,
    words: Vec<String>,
}

/// What is known to be bad comes before what is not known, and what is not known before a warning: a page is not hidden
/// by a source that is away, and health is not claimed without having looked.
fn judge(look: &Look) -> Verdict {
    let (model, now) = (&look.model, look.now);
    let (mut pages, mut unknown, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    let (firing, paging, _) = alerts::counts(model);
    if paging > 0 {
        pages.push(format!("{paging} paging alert(s)"));
    }
    if firing > paging {
        warnings.push(format!("{} ticket alert(s)", firing - paging));
    }
    for (objective, s) in slos::ranked(model, now) {
        let said = format!("{} {}", objective.id, s.state.word());
        if s.fires("page") {
            pages.push(format!("{} burns (page)", objective.id));
        } else if s.state.blind() || matches!(s.state, State::Partial | State::Warming) {
            unknown.push(said);
        } else if s.fires("ticket") || matches!(s.state, State::Burning | State::Exhausted) {
            warnings.push(said);
        }
    }
    unknown.extend(model.links.values().filter_map(|link| match (&link.fault, link.good) {
        (Some((_, fault)), _) => Some(fault.to_string()),
        (None, None) => Some(format!("{} did not answer", link.name)),
        (None, Some(_)) => None,
    }));
    unknown.extend(model.links.values().flat_map(|link| link.peer_faults.iter().cloned()));
    if look.is_broken() {
        unknown.push("a configured file has errors; `midwatch check` shows them".to_owned());
    }
    if model.links.is_empty() {
        unknown.push("no source is configured".to_owned());
    }
    let due = timers::all(model, now).iter().filter(|t| t.state == TimerState::Due).count();
    if due > 0 {
        warnings.push(format!("{due} timer(s) due"));
    }
    let code = match (pages.is_empty(), unknown.is_empty(), warnings.is_empty()) {
        (false, _, _) => 2,
        (true, false, _) => 3,
        (true, true, false) => 1,
        (true, true, true) => 0,
    };
    Verdict { code, words: pages.into_iter().chain(unknown).chain(warnings).collect() }
}

fn verdict(verdict: Verdict, look: Option<&Look>, output: &mut Output) -> Result<(), Failure> {
    let word = match verdict.code {
        0 => "OK",
        1 => "WARNING",
        2 => "CRITICAL",
        _ => "UNKNOWN",
    };
    let words = match (verdict.words.is_empty(), look) {
        (false, _) => verdict.words.join("; "),
        (true, Some(look)) => lines::summary(&look.model, look.now),
        (true, None) => String::new(),
    };
    if output.is_json() {
        return output.json(&json!({"code": verdict.code, "word": word, "why": verdict.words}));
    }
    output.line(&format!("{word}: {words}"))
}
