//! Running commands: off until armed, shown exactly before it runs, recorded before it runs.

use crate::app::confirm::{Confirm, Deed, Run};
use crate::app::editor::Editor;
use crate::app::effect::Effect;
use crate::app::model::{Model, Running, Transcript};
use crate::app::pending::Asked;
use crate::app::present::view::Tone;
use crate::app::present::walk::{place, values};
use crate::app::screen::{Overlay, Screen};
use crate::app::update::{act, record};
use crate::domain::exec::{CommandEnd, CommandNews, CommandSpec};
use crate::domain::ids::{IncidentId, ReqId, RunbookId};
use crate::domain::incident::event::{Body, CommandFinish, CommandStart};
use crate::domain::runbook::model::{Risk, RunCommand, Runbook, Step};
use crate::domain::runbook::values::prepare;
use crate::domain::text::clean;
use crate::domain::time::{Timestamp, compact};

/// Bytes kept from the head of each output stream.
const KEEP_HEAD: usize = 64 * 1024;
/// Lines of output that go into the record.
const EXCERPT: usize = 20;

/// Where the output of a command of a walk is kept.
pub fn output_key(id: &IncidentId, runbook: &RunbookId, step: &str, slot: &str) -> (IncidentId, RunbookId, String) {
    (id.clone(), runbook.clone(), format!("{step}/{slot}"))
}

/// Enter on a command: with commands off it is copied; with them on, the exact command is shown to be confirmed.
#[expect(
    clippy::too_many_arguments,
    reason = "what a command is takes this many facts; a struct would only rename them"
)]
pub fn ask(
    model: &mut Model,
    now: Timestamp,
    book: &Runbook,
    step: &Step,
    command: &RunCommand,
    option: Option<(usize, String)>,
    slot: &str,
    out: &mut Vec<Effect>,
) -> Result<(), String> {
    let Screen::Walk(incident, _) = model.nav.screen().clone() else { return Err("no runbook is open".into()) };
    let id = match incident {
        Some(id) if model.armed(now) && book.is_runnable() => id,
        _ => {
            act::copy(model, command.text.clone(), out);
            let why = match book.is_runnable() {
                false => "it comes from a page of prose",
                true if model.setup.read_only => "read-only",
                true => "commands are off; :arm allows them",
            };
            model.say(now, Tone::Muted, format!("copied, not run ({why})"));
            return Ok(());
        }
    };
    if let Some(running) = &model.exec.running {
        return Err(format!("{} still runs; Ctrl-X stops it", running.run.slot));
    }
    if !model.desk.cases.get(&id).is_some_and(|c| c.shown.is_open()) {
        return Err(format!("{id} is not open"));
    }
    let prepared = prepare(command, &values(model, &id)).map_err(|r| r.0)?;
    let spec = CommandSpec {
        argv: prepared.argv.clone(),
        env: prepared.env.clone(),
        cwd: None,
        timeout: command.timeout.to_std().unwrap_or(std::time::Duration::from_secs(60)),
        keep_head: KEEP_HEAD,
    };
    let sha256 = prepared.sha256();
    let run = Run {
        incident: id.clone(),
        place: place(book, step),
        shown: prepared.shown.clone(),
        spec,
        sha256,
        option,
        slot: slot.into(),
    };
    model.nav.overlay = Some(Overlay::Confirm(Box::new(question(model, command, run))));
    Ok(())
}

/// The box that shows exactly what runs, where and as whom.
fn question(model: &Model, command: &RunCommand, run: Run) -> Confirm {
    let mut rows = vec![("runs".to_owned(), run.shown.clone())];
    let argv: Vec<String> = run.spec.argv.iter().map(|a| format!("{a:?}")).collect();
    rows.push(("argv".into(), argv.join(" ")));
    for (name, value) in &run.spec.env {
        rows.push(("with".into(), format!("{name}={value}")));
    }
    rows.push((
        "where".into(),
        format!("{} as {}   time limit {}s", model.setup.host, model.setup.user, run.spec.timeout.as_secs()),
    ));
    let risk = match command.risk {
        Risk::Read => "reads only, says the runbook",
        Risk::Change => "changes production",
        Risk::Destroy => "destroys; cannot be taken back",
        Risk::Unknown => "unclassified: treated as a change",
    };
    rows.push(("risk".into(), risk.into()));
    if let Some((_, action)) = &run.option {
        rows.push(("option".into(), action.clone()));
    }
    rows.push(("sha256".into(), run.sha256.chars().take(16).collect()));
    let token = (command.risk == Risk::Destroy)
        .then(|| run.incident.0.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect());
    Confirm {
        title: "run a command".into(),
        question: format!("Run {} of {}?", run.slot, run.place.name),
        rows,
        token,
        typed: Editor::default(),
        painted: false,
        deed: Deed::Run(Box::new(run)),
    }
}

/// Confirmed: recorded first, then run.
pub fn run(model: &mut Model, now: Timestamp, run: Run, out: &mut Vec<Effect>) -> Result<(), String> {
    if !model.armed(now) {
        return Err("commands are off again".into());
    }
    if model.exec.running.is_some() {
        return Err("another command runs".into());
    }
    let name = format!("{}-{}", now.timestamp_millis(), run.sha256.chars().take(8).collect::<String>());
    let start = CommandStart {
        run: name.clone(),
        place: run.place.clone(),
        command: run.shown.clone(),
        argv: run.spec.argv.clone(),
        env: run.spec.env.clone(),
        host: model.setup.host.clone(),
        user: model.setup.user.clone(),
        timeout_s: run.spec.timeout.as_secs(),
        sha256: run.sha256.clone(),
    };
    let mut bodies = Vec::new();
    if let Some((option, action)) = &run.option {
        bodies.push(Body::OptionChosen { place: run.place.clone(), option: *option, action: action.clone() });
    }
    bodies.push(Body::CommandStarted(start));
    record::person(model, now, now, &run.incident, bodies, out);
    let req = model.pending.ask(Asked::Run);
    out.push(Effect::Run { req, spec: run.spec.clone() });
    let key = output_key(&run.incident, &run.place.runbook, run.place.step.as_str(), &run.slot);
    model.exec.outputs.insert(key, Transcript { command: run.shown.clone(), ..Transcript::default() });
    model.exec.running = Some(Running { req, run, name, since: now, stopping: false });
    Ok(())
}

/// A running command told something.
pub fn news(model: &mut Model, now: Timestamp, req: ReqId, news: CommandNews, out: &mut Vec<Effect>) {
    let Some(running) = model.exec.running.clone().filter(|r| r.req == req) else { return };
    let run = &running.run;
    let key = output_key(&run.incident, &run.place.runbook, run.place.step.as_str(), &run.slot);
    match news {
        CommandNews::Started(_) => {}
        CommandNews::Output(piece) => {
            if let Some(transcript) = model.exec.outputs.get_mut(&key) {
                transcript.push(&piece);
            }
        }
        CommandNews::Ended(end) => {
            drop(model.pending.take(req));
            model.exec.running = None;
            let excerpt = model.exec.outputs.get(&key).map(excerpt).unwrap_or_default();
            if let Some(transcript) = model.exec.outputs.get_mut(&key) {
                transcript.end = Some(end.clone());
            }
            let finish = CommandFinish {
                run: running.name.clone(),
                exit: end.exit,
                reason: end.reason.clone(),
                took_ms: u64::try_from(end.took.as_millis()).unwrap_or(u64::MAX),
                bytes: end.bytes,
                sha256: end.sha256.clone(),
                excerpt,
            };
            record::machine(model, now, &run.incident, Body::CommandFinished(finish), None, out);
            told(model, now, &running, &end, out);
        }
    }
}

fn told(model: &mut Model, now: Timestamp, running: &Running, end: &CommandEnd, out: &mut Vec<Effect>) {
    let took = compact(now - running.since);
    let (tone, words) = match (end.exit, &end.reason) {
        (Some(0), _) => (Tone::Ok, format!("{}: exit 0 after {took}", running.run.slot)),
        (Some(code), _) => (Tone::Warn, format!("{}: exit {code} after {took}", running.run.slot)),
        (None, Some(reason)) => (Tone::Warn, format!("{}: {reason} after {took}", running.run.slot)),
        (None, None) => (Tone::Warn, format!("{}: result unknown after {took}", running.run.slot)),
    };
    model.say(now, tone, words);
    if end.survivors {
        model.say(now, Tone::Crit, "some of its processes could not be stopped: look for them by hand");
    }
    if model.setup.bell && (now - running.since).num_seconds() > 10 {
        out.push(Effect::Bell);
    }
}

fn excerpt(transcript: &Transcript) -> Vec<String> {
    let lines: Vec<&String> = transcript.lines.iter().filter(|l| !l.trim().is_empty()).collect();
    lines
        .iter()
        .rev()
        .take(EXCERPT)
        .rev()
        .map(|l| clean(&l.chars().take(400).collect::<String>()).into_owned())
        .collect()
}

/// Asks whether commands may be run for a while.
pub fn ask_arm(model: &mut Model) -> Result<(), String> {
    let minutes = compact(model.setup.arm_for);
    let rows = vec![
        ("where".to_owned(), format!("{} as {}", model.setup.host, model.setup.user)),
        ("then".to_owned(), format!("each command is still shown and confirmed by itself; off again after {minutes}")),
    ];
    model.nav.overlay = Some(Overlay::Confirm(Box::new(Confirm {
        title: "allow commands".into(),
        question: format!("Allow running runbook commands for {minutes}?"),
        rows,
        token: Some("arm".into()),
        typed: Editor::default(),
        painted: false,
        deed: Deed::Arm,
    })));
    Ok(())
}

/// Asks whether the running command is to be stopped.
pub fn ask_stop(model: &mut Model, now: Timestamp) -> Result<(), String> {
    let running = model.exec.running.as_ref().ok_or("no command runs")?;
    let rows = vec![
        ("runs".to_owned(), running.run.shown.clone()),
        ("since".to_owned(), compact(now - running.since)),
        ("then".to_owned(), "TERM to its group, KILL after 5s; what it did stays done".to_owned()),
    ];
    model.nav.overlay = Some(Overlay::Confirm(Box::new(Confirm {
        title: "stop".into(),
        question: format!("Stop {}?", running.run.slot),
        rows,
        token: None,
        typed: Editor::default(),
        painted: false,
        deed: Deed::Stop,
    })));
    Ok(())
}

/// Commands are off again when their time is over.
pub fn disarm_when_over(model: &mut Model, now: Timestamp) {
    if model.exec.armed_until.is_some_and(|until| until <= now) {
        model.exec.armed_until = None;
        model.say(now, Tone::Muted, "commands are off again");
    }
}

/// Stops the running command.
pub fn stop(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) -> Result<(), String> {
    let running = model.exec.running.as_mut().ok_or("no command runs")?;
    running.stopping = true;
    out.push(Effect::Stop { req: running.req });
    model.say(now, Tone::Accent, "stopping: TERM to its group, KILL after 5s");
    Ok(())
}
