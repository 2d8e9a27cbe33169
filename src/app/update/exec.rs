//! Running commands: off until armed, shown exactly before they run, recorded before they run. What must happen before a
//! change (values, guard, a second person) comes first, each with its own box. How runs end is in [`ended`].

pub mod ended;

use crate::app::confirm::{Confirm, Deed, Run};
use crate::app::editor::Editor;
use crate::app::effect::Effect;
use crate::app::form::Purpose;
use crate::app::model::{Model, Running, Transcript};
use crate::app::pending::Asked;
use crate::app::present::view::Tone;
use crate::app::present::walk::values;
use crate::app::screen::{Overlay, Screen};
use crate::app::update::{act, approval, forms, record, sources};
use crate::domain::exec::FileSeen;
use crate::domain::ids::{IncidentId, RunbookId};
use crate::domain::incident::event::Body;
use crate::domain::runbook::gate::{Need, Wanted, guarded};
use crate::domain::runbook::model::{Part, Risk, RunCommand, Runbook};
use crate::domain::runbook::offer::{Offer, argv};
use crate::domain::runbook::permit::{Permit, permit};
use crate::domain::runbook::values::Values;
use crate::domain::time::{Timestamp, compact};

/// Reads that may run side by side.
const SIDE_BY_SIDE: usize = 4;

/// Where the output of a command of a walk is kept.
pub fn output_key(id: &IncidentId, runbook: &RunbookId, step: &str, slot: &str) -> (IncidentId, RunbookId, String) {
    (id.clone(), runbook.clone(), format!("{step}/{slot}"))
}

/// Enter on a command: with commands off it is copied; with them on, what it still needs is asked for, and then the exact
/// command is shown to be confirmed.
pub fn ask(
    model: &mut Model,
    now: Timestamp,
    wanted: Wanted<'_>,
    slot: &str,
    out: &mut Vec<Effect>,
) -> Result<(), String> {
    let Screen::Walk(incident, _) = model.nav.screen().clone() else { return Err("no runbook is open".into()) };
    let why = match permit(wanted.risk(), model.setup.read_only, model.setup.simulated.is_some()) {
        Permit::Never(why) => Some(why),
        _ if !wanted.book.is_runnable() => Some("it comes from a page of prose"),
        _ if !model.armed(now) => Some("commands are off; :arm allows them"),
        _ if incident.is_none() => Some("this runbook is only being read"),
        _ => None,
    };
    let id = match (incident, why) {
        (Some(id), None) => id,
        (_, why) => {
            act::copy(model, wanted.command.text.clone(), out);
            model.say(now, Tone::Muted, format!("copied, not run ({})", why.unwrap_or("nothing runs here")));
            return Ok(());
        }
    };
    free(model, wanted.risk())?;
    let Some(case) = model.desk.cases.get(&id).filter(|c| c.shown.is_open()) else {
        return Err(format!("{id} is not open"));
    };
    let walk = case.shown.walks.get(&wanted.book.id).cloned().unwrap_or_default();
    let values = values(model, &id, wanted.book);
    match wanted.need(&case.shown, &walk, &values, now).map_err(|r| r.0)? {
        Need::Inputs(inputs) => {
            let names = inputs.iter().map(|input| input.name.clone()).collect();
            forms::open(model, now, Purpose::Inputs(id, wanted.book.id.clone(), names));
            Ok(())
        }
        Need::Reads(reads) => ask_reads(model, now, &id, wanted, &reads, &values),
        Need::DryRun(command) => {
            let trial = Wanted { part: Part::DryRun, command, ..wanted };
            let offer = offer(model, now, &id, trial, &format!("{slot} dry run"), &values)?;
            model.say(now, Tone::Warn, "what destroys is tried dry first");
            show(model, now, offer);
            Ok(())
        }
        Need::Approval => {
            let offer = offer(model, now, &id, wanted, slot, &values)?;
            match offer.approval {
                Some(_) => {
                    show(model, now, offer);
                    Ok(())
                }
                None => approval::ask(model, now, &offer, out),
            }
        }
        Need::Nothing => ask_ready(model, now, &id, wanted, slot, &values),
    }
}

/// Nothing is in the way: the command, or all reads of a step that runs them side by side.
fn ask_ready(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    wanted: Wanted<'_>,
    slot: &str,
    values: &Values,
) -> Result<(), String> {
    let first = offer(model, now, id, wanted, slot, values)?;
    let case = model.desk.cases.get(id).map(|c| &c.shown);
    let fresh = |c: &&RunCommand| case.is_some_and(|i| !i.commands.iter().any(|r| r.start.id == c.id));
    let side = |c: &&RunCommand| c.risk == Risk::Read && c.id != wanted.command.id && !c.tty && fresh(c);
    if wanted.step.parallel && first.risk == Risk::Read && fresh(&wanted.command) {
        let more: Vec<(Part, &RunCommand)> = wanted.step.commands.iter().filter(side).map(|c| (Part::Run, c)).collect();
        if !more.is_empty() {
            let mut reads = vec![(Part::Run, wanted.command)];
            reads.extend(more);
            return ask_reads(model, now, id, wanted, &reads, values);
        }
    }
    show(model, now, first);
    Ok(())
}

/// Whether another command may begin: reads beside reads, anything else alone.
fn free(model: &Model, risk: Risk) -> Result<(), String> {
    let running = &model.exec.running;
    let Some(first) = running.first() else { return Ok(()) };
    let reads = running.iter().all(|r| r.run.reads()) && risk == Risk::Read;
    if reads && running.len() < SIDE_BY_SIDE {
        return Ok(());
    }
    Err(format!("{} still runs; Ctrl-X stops it", first.run.offer.slot))
}

/// A command with everything that its confirmation shows.
fn offer(
    model: &Model,
    now: Timestamp,
    id: &IncidentId,
    wanted: Wanted<'_>,
    slot: &str,
    values: &Values,
) -> Result<Offer, String> {
    let case = model.desk.cases.get(id).ok_or_else(|| format!("there is no incident {id}"))?;
    let mut offer = wanted.offer(slot, &case.shown, values, now).map_err(|r| r.0)?;
    offer.files = files(model, wanted.book, offer.risk);
    Ok(offer)
}

/// The files that a runbook came from, to be looked at once more before it runs.
pub fn files(model: &Model, book: &Runbook, risk: Risk) -> Vec<FileSeen> {
    let known = model.files.get(&book.sha256).into_iter().flatten();
    known
        .map(|(path, sha256)| FileSeen { path: path.clone(), sha256: sha256.clone(), private: risk.is_dangerous() })
        .collect()
}

/// Makes a run of an offer.
pub fn run_of(model: &Model, now: Timestamp, offer: Offer) -> Run {
    let sum = offer.sha256();
    let name = format!("{}-{}", now.timestamp_millis(), sum.chars().take(8).collect::<String>());
    let spec = offer.spec(&name, &model.setup.env_pass);
    Run { name, offer, spec }
}

/// Puts the box with the exact command on the screen.
pub fn show(model: &mut Model, now: Timestamp, offer: Offer) {
    let rows = offer.rows(&model.setup.host, &model.setup.user);
    let token = offer.token();
    let reads = offer.risk == Risk::Read;
    let what = match offer.part {
        Part::Rollback => "roll back",
        Part::DryRun => "try a command dry",
        _ => "run a command",
    };
    let question = format!("Run {} of {}?", offer.slot, offer.place.name);
    let run = run_of(model, now, offer);
    model.nav.overlay = Some(Overlay::Confirm(Box::new(Confirm {
        title: what.into(),
        question,
        rows,
        token,
        enter: reads,
        typed: Editor::default(),
        painted: false,
        deed: Deed::Run(Box::new(run)),
    })));
}

/// Puts the box with several reads on the screen: what is looked at before a change, or a step's own reads.
fn ask_reads(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    wanted: Wanted<'_>,
    reads: &[(Part, &RunCommand)],
    values: &Values,
) -> Result<(), String> {
    let mut runs = Vec::new();
    let mut rows = Vec::new();
    let running = model.exec.running.len();
    for (part, command) in reads.iter().take(SIDE_BY_SIDE.saturating_sub(running)) {
        let slot = wanted.slot(*part, command);
        let read = Wanted { part: *part, command, option: None, ..wanted };
        let offer = offer(model, now, id, read, &slot, values)?;
        if offer.risk != Risk::Read {
            return Err(format!("{slot} is no read, says `{}`: look at the runbook", offer.prepared.shown));
        }
        // The column of labels is narrow: what belongs to an option needs no number there.
        let label = match part {
            Part::Guard | Part::Run => slot,
            other => other.word().replace('_', " "),
        };
        rows.push((label, offer.prepared.shown.clone()));
        if !offer.prepared.argv.is_empty() {
            rows.push(("argv".into(), argv(&offer.prepared.argv)));
        }
        rows.extend(offer.prepared.shown_env().iter().map(|(name, value)| ("with".into(), format!("{name}={value}"))));
        rows.push((
            "where".into(),
            format!("{}   time limit {}s", offer.target(&model.setup.host), offer.timeout.num_seconds()),
        ));
        runs.push(run_of(model, now, offer));
    }
    if runs.is_empty() {
        return Err("four reads run already".into());
    }
    let before = reads.iter().any(|(part, _)| *part != Part::Run);
    let question = match before {
        true => format!("Before anything changes: look where we are ({} reads)?", runs.len()),
        false => format!("Run {} reads of {} side by side?", runs.len(), wanted.step.name),
    };
    rows.push(("risk".into(), "reads only, says the runbook".into()));
    model.nav.overlay = Some(Overlay::Confirm(Box::new(Confirm {
        title: "look first".into(),
        question,
        rows,
        token: None,
        enter: true,
        typed: Editor::default(),
        painted: false,
        deed: Deed::Reads(runs),
    })));
    Ok(())
}

/// The guards of a runbook again, before a change is taken back.
pub fn ask_guards(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    at: &crate::domain::incident::event::At,
) -> Result<(), String> {
    let book = model.runbook(&at.runbook).cloned().ok_or("the runbook is gone")?;
    let step = book.step(&at.step).ok_or("the step is gone")?;
    let first = book.guards.first().ok_or("there is no guard")?;
    let wanted = Wanted { book: &book, step, part: Part::Guard, command: &first.command, option: None };
    let reads: Vec<(Part, &RunCommand)> = book.guards.iter().map(|g| (Part::Guard, &g.command)).collect();
    let values = values(model, id, &book);
    ask_reads(model, now, id, wanted, &reads, &values)
}

/// Confirmed: recorded first, then run.
pub fn run(model: &mut Model, now: Timestamp, run: Run, out: &mut Vec<Effect>) -> Result<(), String> {
    if !model.armed(now) {
        return Err("commands are off again".into());
    }
    free(model, run.offer.risk)?;
    let offer = &run.offer;
    let Some(case) = model.desk.cases.get(&offer.incident).filter(|c| c.shown.is_open()) else {
        return Err(format!("{} is not open", offer.incident));
    };
    // The box may have stood long: what it showed must still be so.
    let book = model.runbook(&offer.place.runbook);
    if offer.risk.is_dangerous()
        && let (Some(book), Some(walk)) = (book, case.shown.walks.get(&offer.place.runbook))
        && !guarded(book, walk, now)
    {
        return Err("the look at where we are is too old by now; Enter looks again".into());
    }
    if let Some((_, who, _)) = &offer.approval
        && case.shown.approved(&offer.sha256(), now).is_none()
    {
        return Err(format!("the approval of {who} is used up or too old; ask again"));
    }
    let mut bodies = Vec::new();
    if let Some((option, action)) = &offer.option {
        bodies.push(Body::OptionChosen { place: offer.place.clone(), option: *option, action: action.clone() });
    }
    bodies.push(Body::CommandStarted(offer.start(&run.name, &model.setup.host, &model.setup.user)));
    record::person(model, now, now, &run.offer.incident, bodies, out);
    begin(model, now, run, out)
}

/// Hands a recorded run over.
fn begin(model: &mut Model, now: Timestamp, run: Run, out: &mut Vec<Effect>) -> Result<(), String> {
    let req = model.pending.ask(Asked::Run);
    let offer = &run.offer;
    match &offer.prepared.query {
        Some(promql) => {
            let source = sources::first(model).ok_or("there is no Prometheus to ask")?;
            out.push(Effect::Query { req, source, promql: promql.clone() });
        }
        None if offer.tty => out.push(Effect::RunTty { req, spec: run.spec.clone() }),
        None => out.push(Effect::Run { req, spec: run.spec.clone() }),
    }
    let key = output_key(&offer.incident, &offer.place.runbook, offer.place.step.as_str(), &offer.slot);
    model.exec.outputs.insert(key, Transcript { command: offer.prepared.shown.clone(), ..Transcript::default() });
    model.exec.running.push(Running { req, run, since: now, heard: now, stopping: false });
    Ok(())
}

/// Confirmed: all of them, side by side.
pub fn reads(model: &mut Model, now: Timestamp, runs: Vec<Run>, out: &mut Vec<Effect>) -> Result<(), String> {
    runs.into_iter().try_for_each(|one| run(model, now, one, out))
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
        enter: false,
        typed: Editor::default(),
        painted: false,
        deed: Deed::Arm,
    })));
    Ok(())
}

/// Asks whether what runs is to be stopped.
pub fn ask_stop(model: &mut Model, now: Timestamp) -> Result<(), String> {
    let first = model.exec.running.first().ok_or("no command runs")?;
    let question = match model.exec.running.len() {
        1 => format!("Stop {}?", first.run.offer.slot),
        n => format!("Stop all {n} commands?"),
    };
    let mut rows = Vec::new();
    for running in &model.exec.running {
        rows.push(("runs".to_owned(), running.run.offer.prepared.shown.clone()));
        rows.push(("since".to_owned(), compact(now - running.since)));
        if let Some(host) = &running.run.offer.prepared.host {
            rows.push(("note".to_owned(), format!("what runs on {host} goes on; look for it there")));
        }
    }
    rows.push(("then".to_owned(), "TERM to its group, KILL after 5s; what it did stays done".to_owned()));
    model.nav.overlay = Some(Overlay::Confirm(Box::new(Confirm {
        title: "stop".into(),
        question,
        rows,
        token: None,
        enter: false,
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

/// Stops what runs.
pub fn stop(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) -> Result<(), String> {
    if model.exec.running.is_empty() {
        return Err("no command runs".into());
    }
    for running in &mut model.exec.running {
        running.stopping = true;
        out.push(Effect::Stop { req: running.req });
    }
    model.say(now, Tone::Accent, "stopping: TERM to its group, KILL after 5s");
    Ok(())
}
