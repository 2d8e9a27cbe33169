//! Acts at the commander's desk: its forms, what Enter does to a row, what takes an act back, and merging incidents.

use crate::app::action::Action;
use crate::app::confirm::{Confirm, Deed};
use crate::app::editor::Editor;
use crate::app::effect::Effect;
use crate::app::form::{Field, Form, Purpose};
use crate::app::model::Model;
use crate::app::present::board::{known, tick_line};
use crate::app::present::view::Tone;
use crate::app::screen::{Item, Overlay, Screen};
use crate::app::update::{forms, incident, record};
use crate::domain::ids::{IncidentId, TimerId};
use crate::domain::incident::board::ask::{Ask, merge};
use crate::domain::incident::board::can::draft;
use crate::domain::incident::board::{Belief, DecisionEvent, Stand, TaskEvent};
use crate::domain::incident::decide::{Command, Refusal};
use crate::domain::incident::event::{Body, EventKey};
use crate::domain::incident::state::Incident;
use crate::domain::time::{Span, Timestamp, mins, parse_span, prometheus};

/// What may become of a task.
const ANSWERS: [&str; 6] = ["done", "5 min more", "15 min more", "30 min more", "another owner", "dropped"];
/// What may become of a proposal.
const STANDS: [&str; 3] = ["decided", "objection", "dropped"];
const PRESENT: [&str; 2] = ["in", "has left"];

/// Whether an event is an entry of its own, which taking back retracts.
pub fn is_entry(body: &Body) -> bool {
    matches!(
        body,
        Body::Note { .. }
            | Body::ActionItem { .. }
            | Body::Task(TaskEvent::Given { .. })
            | Body::Deciding(DecisionEvent::Proposed { .. })
    )
}

/// What takes an act back, and how the act is called.
pub fn undoing(state: &Incident, ask: &Ask) -> (Option<Body>, String) {
    match ask {
        Ask::Give(_, owner, _) => (None, format!("task for {}", owner.as_deref().unwrap_or("nobody yet"))),
        Ask::Extend(_, by) => (None, format!("{} more", prometheus(*by))),
        Ask::Hand(_, owner) => (None, format!("{} has it", owner.as_deref().unwrap_or("nobody"))),
        Ask::End(_, true, _) => (None, "task done".into()),
        Ask::End(_, false, _) => (None, "task dropped".into()),
        Ask::Propose(_) => (None, "proposed".into()),
        Ask::Object(..) => (None, "objection recorded".into()),
        Ask::Choose(_) => (None, "decided".into()),
        Ask::Drop(..) => (None, "proposal dropped".into()),
        Ask::Judge(of, belief, _) => {
            let before = state.board.hypotheses.iter().find(|h| h.key == *of).map_or(Belief::Open, |h| h.belief);
            let back = Body::HypothesisJudged { of: of.clone(), belief: before, why: "taken back".into() };
            (Some(back), format!("hypothesis {}", belief.word()))
        }
        Ask::Tick(phase, line, done) => {
            let back = Body::Ticked { phase: *phase, line: line.clone(), done: !done };
            (Some(back), format!("{}: {line}", if *done { "ticked" } else { "open again" }))
        }
        Ask::Tell(audience, ..) => (None, format!("told {audience}")),
        Ask::Relate(other, _) => (None, format!("linked to {other}")),
        Ask::Present(person, here) => {
            let back = Body::Presence { person: person.clone(), here: !here, how: "taken back".into() };
            (Some(back), format!("{person} {}", if *here { "is in" } else { "has left" }))
        }
    }
}

/// An action of the desk.
pub fn act(model: &mut Model, now: Timestamp, action: Action, id: IncidentId) -> Result<(), String> {
    let purpose = match action {
        Action::Board => {
            model.nav.open(Screen::Board(id));
            return Ok(());
        }
        Action::HandOff => {
            model.nav.open(Screen::HandOff(id));
            return Ok(());
        }
        Action::Task => Purpose::Task(id),
        Action::Propose => Purpose::Propose(id),
        Action::Merge => Purpose::Merge(id),
        Action::Relate => Purpose::Relate(id),
        Action::People => Purpose::People(id),
        _ => Purpose::Update(id),
    };
    forms::open(model, now, purpose);
    Ok(())
}

/// The task whose time box a timer is.
pub fn boxed(model: &Model, id: &IncidentId, timer: &TimerId) -> Option<EventKey> {
    let case = model.desk.cases.get(id)?;
    crate::domain::escalation::timers::task_of(&case.shown, timer).map(|task| task.key.clone())
}

/// Enter on a row of the desk: a line of the playbook is ticked at once, anything else asks what became of it.
pub fn open(model: &mut Model, now: Timestamp, item: &Item, out: &mut Vec<Effect>) -> Result<(), String> {
    let Screen::Board(id) = model.nav.screen().clone() else { return Err("nothing to open here".into()) };
    if model.setup.read_only {
        return Err("read-only: nothing is changed and nothing is run".into());
    }
    let purpose = match item {
        Item::Task(key) => {
            let open = state(model, &id).is_some_and(|i| i.board.tasks.iter().any(|t| t.key == *key && t.is_open()));
            if !open {
                return Err("it is over; w gives another task".into());
            }
            Purpose::TaskAnswer(id, key.clone())
        }
        Item::Decision(key) => Purpose::Decide(id, key.clone()),
        Item::Hypothesis(key) => Purpose::Judge(id, key.clone()),
        Item::Tick(phase, index) => {
            let line = tick_line(model, *phase, *index).ok_or("the playbook has no such line any more")?;
            let done = state(model, &id).is_some_and(|i| i.board.tick(*phase, &line).is_some());
            let command = Command::Board(Ask::Tick(*phase, line, !done));
            return incident::command(model, now, now, &id, command, out).map_err(|r| r.0);
        }
        _ => return Err("nothing to open here".into()),
    };
    forms::open(model, now, purpose);
    Ok(())
}

fn state<'m>(model: &'m Model, id: &IncidentId) -> Option<&'m Incident> {
    model.desk.cases.get(id).map(|c| &c.shown)
}

fn words(all: &[&str]) -> Vec<String> {
    all.iter().map(|w| (*w).to_owned()).collect()
}

/// Title and fields of a form of the desk.
pub fn fields(model: &Model, now: Timestamp, purpose: &Purpose) -> (String, Vec<Field>) {
    let choose = "Left and Right choose";
    match purpose {
        Purpose::Task(id) => (
            format!("Task for {id}"),
            vec![
                Field::typed("task", "", "what is to be done"),
                Field::typed("owner", "", "who does it; empty is nobody yet"),
                Field::typed("back in", "10m", "when the owner comes back: 10m, 1h; empty is no time"),
            ],
        ),
        Purpose::TaskAnswer(id, key) => {
            let task = state(model, id).and_then(|i| i.board.tasks.iter().find(|t| t.key == *key));
            let title = task.map_or_else(|| "A task".to_owned(), |t| format!("Task: {}", t.text));
            let text = "what came of it, the new owner, or why it is dropped";
            (title, vec![Field::choice("answer", words(&ANSWERS), 0, choose), Field::typed("text", "", text)])
        }
        Purpose::Propose(id) => {
            (format!("Propose for {id}"), vec![Field::typed("proposal", "", "what is to be done; others may object")])
        }
        Purpose::Decide(id, key) => {
            let one = state(model, id).and_then(|i| i.board.decisions.iter().find(|d| d.key == *key));
            let title = one.map_or_else(|| "A decision".to_owned(), |d| format!("Decision: {}", d.text));
            let proposed = one.is_some_and(|d| d.stand == Stand::Proposed);
            let text = Field::typed("text", "", "the objection, or why it is dropped");
            match proposed {
                true => (title, vec![Field::choice("answer", words(&STANDS), 0, choose), text]),
                // What is decided can still be objected to.
                false => (title, vec![Field::choice("answer", words(&STANDS[1..2]), 0, "it is decided already"), text]),
            }
        }
        Purpose::Judge(id, key) => {
            let one = state(model, id).and_then(|i| i.board.hypotheses.iter().find(|h| h.key == *key));
            let title = one.map_or_else(|| "A hypothesis".to_owned(), |h| format!("Hypothesis: {}", h.text));
            let beliefs = Belief::ALL.map(Belief::word);
            let at = if one.is_some_and(|h| h.belief == Belief::Open) { 1 } else { 0 };
            (
                title,
                vec![Field::choice("belief", words(&beliefs), at, choose), Field::typed("why", "", "what shows it")],
            )
        }
        Purpose::Update(id) => update_fields(model, now, id),
        Purpose::Merge(id) => (
            format!("Merge {id} into another incident"),
            vec![Field::typed("into", &other(model, id), "the incident that goes on; a word to type comes next")],
        ),
        Purpose::Relate(id) => (
            format!("Link {id} to another incident"),
            vec![
                Field::typed("other", &other(model, id), "its id"),
                Field::typed("why", "", "why they belong together"),
            ],
        ),
        Purpose::People(id) => (
            format!("Who takes part in {id}"),
            vec![Field::typed("name", "", "who"), Field::choice("is", words(&PRESENT), 0, choose)],
        ),
        _ => (String::new(), Vec::new()),
    }
}

/// The worst other open incident, as the first guess.
fn other(model: &Model, id: &IncidentId) -> String {
    let others = model.open_cases();
    others.into_iter().find(|c| c.shown.id != *id).map(|c| c.shown.id.0.clone()).unwrap_or_default()
}

fn update_fields(model: &Model, now: Timestamp, id: &IncidentId) -> (String, Vec<Field>) {
    let Some(i) = state(model, id) else { return (format!("Update on {id}"), Vec::new()) };
    let every = model.setup.severities.level(&i.severity).and_then(|l| l.update_every);
    let next = every.filter(|_| i.is_open()).map(prometheus).unwrap_or_default();
    (
        format!("Update on {id} ({})", incident::last_told(i, now)),
        vec![
            Field::typed("audience", "stakeholders", "who is told"),
            Field::typed("text", &draft(i, &known(model, now, i), now).line(), "a draft from the facts; make it yours"),
            Field::typed("next in", &next, "when they hear again; empty promises nothing"),
        ],
    )
}

fn span(form: &Form, label: &str) -> Result<Option<Span>, Refusal> {
    let typed = form.value(label);
    if typed.is_empty() {
        return Ok(None);
    }
    parse_span(&typed).map(Some).map_err(|why| Refusal(format!("{label}: {why}")))
}

/// A form of the desk was filled in.
pub fn fill(model: &mut Model, now: Timestamp, form: &Form, out: &mut Vec<Effect>) -> Result<(), Refusal> {
    let some = |label: &str| Some(form.value(label)).filter(|v| !v.is_empty());
    let (id, ask) = match form.purpose.clone() {
        Purpose::Task(id) => {
            let (text, at) = forms::back_dated(model, now, &form.value("task"))?;
            let within = span(form, "back in")?;
            let ask = Ask::Give(text, some("owner"), within);
            return incident::command(model, now, at, &id, Command::Board(ask), out);
        }
        Purpose::TaskAnswer(id, key) => {
            let more = |m: i64| Ask::Extend(key.clone(), mins(m));
            let ask = match form.index("answer") {
                0 => Ask::End(key, true, some("text")),
                1 => more(5),
                2 => more(15),
                3 => more(30),
                4 => Ask::Hand(key, some("text")),
                _ => Ask::End(key, false, some("text")),
            };
            (id, ask)
        }
        Purpose::Propose(id) => (id, Ask::Propose(form.value("proposal"))),
        Purpose::Decide(id, key) => {
            let text = form.value("text");
            let ask = match form.value("answer").as_str() {
                "decided" => Ask::Choose(key),
                "objection" => Ask::Object(key, text),
                _ => Ask::Drop(key, text),
            };
            (id, ask)
        }
        Purpose::Judge(id, key) => {
            let belief = Belief::ALL.get(form.index("belief")).copied().unwrap_or(Belief::Open);
            (id, Ask::Judge(key, belief, form.value("why")))
        }
        Purpose::Update(id) => (id, Ask::Tell(form.value("audience"), form.value("text"), span(form, "next in")?)),
        Purpose::Merge(id) => return confirm_merge(model, &id, &form.value("into")),
        Purpose::Relate(id) => return relate(model, now, &id, &form.value("other"), form.value("why"), out),
        Purpose::People(id) => (id, Ask::Present(form.value("name"), form.index("is") == 0)),
        _ => return Err(Refusal("this form is not of the desk".into())),
    };
    incident::command(model, now, now, &id, Command::Board(ask), out)
}

fn named(model: &Model, typed: &str) -> Result<IncidentId, Refusal> {
    let id = IncidentId(typed.trim().to_owned());
    match model.desk.cases.contains_key(&id) {
        true => Ok(id),
        false => Err(Refusal(format!("there is no incident `{}` here", id.0))),
    }
}

/// Both timelines say it.
fn relate(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    typed: &str,
    why: String,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let other = named(model, typed)?;
    incident::command(model, now, now, id, Command::Board(Ask::Relate(other.clone(), why.clone())), out)?;
    let known = state(model, &other).is_some_and(|i| i.board.ties.iter().any(|t| t.other == *id));
    if !known {
        let back = Command::Board(Ask::Relate(id.clone(), why));
        incident::command(model, now, now, &other, back, out)?;
        // One keypress took two timelines; taking back one of them would leave half a link.
        model.desk.last_act = None;
    }
    Ok(())
}

/// Asks for the word before an incident is closed as a part of another one.
fn confirm_merge(model: &mut Model, id: &IncidentId, typed: &str) -> Result<(), Refusal> {
    let into = named(model, typed)?;
    let (Some(gone), Some(goes_on)) = (state(model, id), state(model, &into)) else {
        return Err(Refusal("an incident is gone".into()));
    };
    merge(gone, goes_on)?;
    let (alerts, tasks) = (gone.alerts.len(), gone.board.open_tasks().len());
    let mut rows = vec![
        ("closes".to_owned(), format!("{id} {}", gone.title)),
        ("goes on as".into(), format!("{into} {}", goes_on.title)),
        (
            "goes over".into(),
            format!("{alerts} alert(s), {} objective(s), {} page(s)", gone.objectives.len(), gone.pages.len()),
        ),
        ("then".into(), "both timelines stay, each points to the other".into()),
    ];
    if tasks > 0 {
        rows.push(("stays behind".into(), format!("{tasks} open task(s): give them anew")));
    }
    if gone.in_force().next().is_some() {
        rows.push(("in force".into(), "changes of the closed incident; take them back there first".into()));
    }
    let token: String = id.0.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    model.nav.overlay = Some(Overlay::Confirm(Box::new(Confirm {
        title: "merge".into(),
        question: format!("Merge {id} into {into}?"),
        rows,
        token: Some(token),
        enter: false,
        typed: Editor::default(),
        painted: false,
        deed: Deed::Merge(id.clone(), into),
    })));
    Ok(())
}

/// The word was typed: what goes on is told first, then the other one is closed.
pub fn merged(
    model: &mut Model,
    now: Timestamp,
    id: &IncidentId,
    into: &IncidentId,
    out: &mut Vec<Effect>,
) -> Result<(), Refusal> {
    let (Some(gone), Some(goes_on)) = (state(model, id), state(model, into)) else {
        return Err(Refusal("an incident is gone".into()));
    };
    let (on, closed) = merge(gone, goes_on)?;
    record::person(model, now, now, into, on, out);
    record::person(model, now, now, id, closed, out);
    model.desk.last_act = None;
    model.nav.go(Screen::Incident(into.clone()));
    model.say(now, Tone::Accent, format!("{id} goes on as {into}"));
    Ok(())
}
