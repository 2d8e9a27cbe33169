//! The commander's desk for the screen and for programs: tasks, checklist, decisions, hypotheses, and the hand-off.

use crate::app::model::Model;
use crate::app::present::view::{Bit, BoardPage, BoardRow, HandOffPage, Pane, Sign, Tone};
use crate::app::present::{bit, changes, items, outbox, slos, timers};
use crate::app::screen::{Item, Screen};
use crate::domain::escalation::timer::{Timer, TimerState};
use crate::domain::ids::IncidentId;
use crate::domain::incident::board::ask::back;
use crate::domain::incident::board::can::Known;
use crate::domain::incident::board::handoff::{Part, handoff, lines};
use crate::domain::incident::board::{Belief, Decision, Hypothesis, Phase, Stand, Task};
use crate::domain::incident::event::{Role, Status};
use crate::domain::incident::state::{Incident, key_text};
use crate::domain::severity::Playbook;
use crate::domain::slo::reading::Window;
use crate::domain::time::{Timestamp, clock, compact, countdown, rfc3339};
use serde_json::{Value, json};

/// The steps every incident has.
pub fn book_of(model: &Model) -> &Playbook {
    &model.setup.severities.playbook
}

/// The phase that an incident is in.
pub fn phase(i: &Incident) -> Phase {
    match (i.status, i.times.acknowledged) {
        (Status::Monitoring | Status::Resolved, _) => Phase::Resolution,
        (Status::Investigating, None) => Phase::Immediate,
        (Status::Investigating, _) if i.roles.is_empty() => Phase::Immediate,
        _ => Phase::Mitigation,
    }
}

/// A line of the playbook.
pub fn tick_line(model: &Model, phase: Phase, index: usize) -> Option<String> {
    phase.lines(book_of(model)).get(index).cloned()
}

/// The phases in the order of the desk: the present one first.
fn phases(i: &Incident) -> Vec<Phase> {
    let now = phase(i);
    std::iter::once(now).chain(Phase::ALL.into_iter().filter(move |p| *p != now)).collect()
}

fn ticks(model: &Model, i: &Incident) -> Vec<(Phase, usize, String)> {
    let of = |p: Phase| p.lines(book_of(model)).iter().enumerate().map(move |(n, l)| (p, n, l.clone()));
    phases(i).into_iter().flat_map(of).collect()
}

/// Tasks in the order of the desk: open ones by their time, then the last that are over.
fn tasks(i: &Incident) -> Vec<&Task> {
    let over = i.board.tasks.iter().rev().filter(|t| !t.is_open());
    i.board.open_tasks().into_iter().chain(over).collect()
}

fn decisions(i: &Incident) -> Vec<&Decision> {
    let mut all: Vec<&Decision> = i.board.decisions.iter().rev().collect();
    all.sort_by_key(|d| d.stand != Stand::Proposed);
    all
}

fn hypotheses(i: &Incident) -> Vec<&Hypothesis> {
    let mut all: Vec<&Hypothesis> = i.board.hypotheses.iter().rev().collect();
    all.sort_by_key(|h| h.belief);
    all
}

/// What can be selected on the desk.
pub fn panes(model: &Model, id: &IncidentId) -> Vec<Vec<Item>> {
    let Some(case) = model.desk.cases.get(id) else { return vec![Vec::new()] };
    let i = &case.shown;
    vec![
        tasks(i).into_iter().map(|t| Item::Task(t.key.clone())).collect(),
        ticks(model, i).into_iter().map(|(p, n, _)| Item::Tick(p, n)).collect(),
        decisions(i).into_iter().map(|d| Item::Decision(d.key.clone())).collect(),
        hypotheses(i).into_iter().map(|h| Item::Hypothesis(h.key.clone())).collect(),
    ]
}

/// What the cockpit knows of an incident beside its record.
pub fn known(model: &Model, now: Timestamp, i: &Incident) -> Known {
    let objective = |id| {
        let objective = model.fleet.objective(id)?;
        let s = slos::status(model, now, objective);
        let burn = s.burn_rates.get(&Window::H1).copied().flatten();
        let burn = burn.map(|b| format!(", burns {} over 1h", slos::burn_text(Some(b)))).unwrap_or_default();
        let left =
            s.budget.remaining.map_or("budget unknown".into(), |r| format!("{} of budget left", slos::percent(r)));
        Some(format!("{id} {}{burn}, {left}", s.state.word().replace('_', " ")))
    };
    let seen = |c: &crate::domain::incident::change::Change| {
        changes::helped(model, now, &i.id, c).map(|how| format!("{}: {how}", c.plan.action))
    };
    Known {
        objectives: i.objectives.iter().filter_map(objective).collect(),
        firing: firing(model, i),
        verified: i.changes.iter().filter(|c| c.stands()).filter_map(seen).collect(),
    }
}

/// How many linked alerts fire; `None` while a source of alerts does not answer, or none was asked.
fn firing(model: &Model, i: &Incident) -> Option<usize> {
    let mut polled = model.links.values().filter(|l| l.kind.polled()).peekable();
    let told = polled.peek().is_some() && polled.all(|l| l.fault.is_none() && l.good.is_some());
    told.then(|| i.alerts.values().filter(|a| a.state == "firing").count())
}

fn pane(title: String, note: &str, rows: Vec<BoardRow>, empty: &str) -> Pane<BoardRow> {
    Pane { title, note: note.to_owned(), rows, cursor: None, empty: empty.to_owned() }
}

/// The desk.
pub fn page(model: &Model, now: Timestamp, id: &IncidentId) -> BoardPage {
    let Some(case) = model.desk.cases.get(id) else {
        return BoardPage { title: format!("{id} is not in the record"), ..BoardPage::default() };
    };
    let i = &case.shown;
    let all = timers::of(model, i, now);
    let open = i.board.open_tasks().len();
    let ticked = ticks(model, i);
    let done = ticked.iter().filter(|(p, _, l)| i.board.tick(*p, l).is_some()).count();
    let mut page = BoardPage {
        title: format!("{} {}", i.id, i.title),
        state: format!("{} {}", i.severity, i.status.word()),
        facts: facts(model, now, i, &all),
        timers: all.iter().filter(|t| t.state.is_live()).map(|t| timers::row(t, now)).collect(),
        tasks: pane(
            format!("TASKS {open} open"),
            "w gives one",
            tasks(i).into_iter().map(|t| task_row(t, now)).collect(),
            "no task was given; w gives one",
        ),
        checklist: pane(
            format!("PLAYBOOK {done} of {}", ticked.len()),
            "Enter ticks",
            ticked.iter().map(|(p, _, line)| tick_row(i, *p, line)).collect(),
            "the severity table has no playbook",
        ),
        decisions: pane(
            "DECISIONS".into(),
            "d decides, p proposes",
            decisions(i).into_iter().map(decision_row).collect(),
            "none; d records one, p proposes one",
        ),
        hypotheses: pane(
            "HYPOTHESES".into(),
            "i adds one",
            hypotheses(i).into_iter().map(hypothesis_row).collect(),
            "none; i adds one",
        ),
    };
    if let Some(chosen) = items::selected(model, now) {
        let all = panes(model, id);
        let panes = [&mut page.tasks, &mut page.checklist, &mut page.decisions, &mut page.hypotheses];
        for (pane, items) in panes.into_iter().zip(all) {
            pane.cursor = items::row(Some(&chosen), &items);
        }
    }
    page
}

/// A row of the desk in words, to copy.
pub fn words(model: &Model, now: Timestamp, item: &Item) -> Option<String> {
    let Screen::Board(id) = model.nav.screen() else { return None };
    let page = page(model, now, id);
    let panes = [&page.tasks, &page.checklist, &page.decisions, &page.hypotheses];
    let found = panes
        .into_iter()
        .zip(self::panes(model, id))
        .find_map(|(pane, items)| items.iter().position(|i| i == item).and_then(|at| pane.rows.get(at)))?;
    Some(format!("{} {} {}", found.state, found.text, found.who).trim_end().to_owned())
}

fn facts(model: &Model, now: Timestamp, i: &Incident, all: &[Timer]) -> Vec<Vec<Bit>> {
    let leads = match i.roles.get(&Role::Commander) {
        Some(person) => bit(format!("commander {person}"), Tone::Text),
        None if i.is_open() => Bit::loud("NOBODY COMMANDS", Tone::Warn),
        None => bit("commander -none-", Tone::Muted),
    };
    let here: Vec<&str> = i.board.present().into_iter().map(|(name, _)| name).collect();
    let mut first = vec![leads, bit(format!("in: {}", here.join(", ")), Tone::Text)];
    first.extend(i.board.ties.iter().map(|t| bit(format!("{} {}", t.bond.words(), t.other), Tone::Accent)));
    let due = all.iter().filter(|t| t.state == TimerState::Due).count();
    let late = i.board.open_tasks().iter().filter(|t| t.until.is_some_and(|u| u <= now)).count();
    let mut second = vec![match due {
        0 => bit("nothing is due", Tone::Muted),
        n => Bit::loud(format!("{n} DUE"), Tone::Crit),
    }];
    if late > 0 {
        second.push(Bit::loud(format!("{late} TASK(S) OVERDUE"), Tone::Warn));
    }
    if let Some(next) = all.iter().find(|t| matches!(t.state, TimerState::Running | TimerState::Snoozed)) {
        second.push(bit(format!("next: {} in {}", next.label, countdown(next.due_at - now)), Tone::Text));
    }
    let told = i.times.last_update.map_or("nobody was told yet".into(), |at| format!("told {} ago", compact(now - at)));
    second.push(bit(told, Tone::Muted));
    let stands = i.in_force().count();
    if stands > 0 {
        second.push(bit(format!("{stands} change(s) in force"), Tone::Warn));
    }
    let waits = waiting(model, now, i).len();
    if waits > 0 {
        second.push(bit(format!("{waits} not sent yet (9)"), Tone::Warn));
    }
    vec![first, second]
}

fn task_row(task: &Task, now: Timestamp) -> BoardRow {
    let late = task.is_open() && task.until.is_some_and(|until| until <= now);
    let (sign, tone) = match (&task.ended, late) {
        (Some((true, ..)), _) => (Sign::Ok, Tone::Muted),
        (Some(_), _) => (Sign::Blank, Tone::Muted),
        (None, true) => (Sign::Page, Tone::Warn),
        (None, false) => (Sign::Countdown, Tone::Text),
    };
    let how = task.ended.as_ref().and_then(|(_, _, how)| how.clone()).map(|h| format!(": {h}")).unwrap_or_default();
    BoardRow {
        sign,
        state: back(task, now),
        text: format!("{}{how}", task.text),
        who: task.owner.clone().unwrap_or_else(|| "nobody".into()),
        tone,
    }
}

fn tick_row(i: &Incident, phase: Phase, line: &str) -> BoardRow {
    let tick = i.board.tick(phase, line);
    BoardRow {
        sign: if tick.is_some() { Sign::Ok } else { Sign::Blank },
        state: phase.word().into(),
        text: format!("{} {line}", if tick.is_some() { "[x]" } else { "[ ]" }),
        who: tick.map(|t| format!("{} {}", t.by.0, clock(t.by.1))).unwrap_or_default(),
        tone: if tick.is_some() { Tone::Muted } else { Tone::Text },
    }
}

fn decision_row(d: &Decision) -> BoardRow {
    let against = match d.objections.len() {
        0 => String::new(),
        _ => {
            let all: Vec<String> = d.objections.iter().map(|(who, what)| format!("{who}: {what}")).collect();
            format!("   against: {}", all.join("; "))
        }
    };
    let (sign, tone) = match &d.stand {
        Stand::Proposed => (Sign::Countdown, Tone::Accent),
        Stand::Chosen => (Sign::Ok, Tone::Text),
        Stand::Dropped(_) => (Sign::Blank, Tone::Muted),
    };
    let why = match &d.stand {
        Stand::Dropped(why) => format!(" ({why})"),
        _ => String::new(),
    };
    let (who, at) = d.decided.as_ref().unwrap_or(&d.by);
    BoardRow {
        sign,
        state: d.stand.word().into(),
        text: format!("{}{why}{against}", d.text),
        who: format!("{who} {}", clock(*at)),
        tone,
    }
}

fn hypothesis_row(h: &Hypothesis) -> BoardRow {
    let (sign, tone) = match h.belief {
        Belief::Open => (Sign::Blank, Tone::Text),
        Belief::Confirmed => (Sign::Ok, Tone::Accent),
        Belief::Rejected => (Sign::Blank, Tone::Muted),
    };
    let why = h.why.as_ref().map(|(why, _)| format!(" ({why})")).unwrap_or_default();
    BoardRow {
        sign,
        state: h.belief.word().into(),
        text: format!("{}{why}", h.text),
        who: format!("{} {}", h.by.0, clock(h.by.1)),
        tone,
    }
}

/// What leaves the house for an incident and has not arrived yet, in words.
pub fn waiting(model: &Model, now: Timestamp, i: &Incident) -> Vec<String> {
    let of = |op: &&crate::domain::outward::entry::Entry| op.incident == i.id;
    let words = |entry: &crate::domain::outward::entry::Entry| {
        let (why, _) = outbox::why(model, entry, now);
        let words = entry.op.intent.words();
        let first = words.trim().lines().next().unwrap_or_default().to_owned();
        format!("{first} to {}: {} ({why})", entry.op.target, outbox::word(entry))
    };
    model.outbox.open().filter(of).map(words).collect()
}

fn parts(model: &Model, now: Timestamp, i: &Incident) -> Vec<Part> {
    let clock = |t: &Timer| match t.state {
        TimerState::Due => format!("DUE {} ago: {}", compact(now - t.due_at), t.label),
        _ => format!("in {}: {}", countdown(t.due_at - now), t.label),
    };
    let all = timers::of(model, i, now);
    let clocks: Vec<String> = all.iter().filter(|t| t.state.is_live()).take(6).map(clock).collect();
    handoff(i, &known(model, now, i), &clocks, &waiting(model, now, i), now)
}

/// The hand-off as a screen.
pub fn handoff_page(model: &Model, now: Timestamp, id: &IncidentId) -> HandOffPage {
    let Some(case) = model.desk.cases.get(id) else {
        return HandOffPage { title: format!("{id} is not in the record"), ..HandOffPage::default() };
    };
    let tone = |title: &str, line: &str| match title {
        "TIMERS" if line.starts_with("DUE") => Tone::Crit,
        "NEEDS" if line != "none" => Tone::Warn,
        _ => Tone::Text,
    };
    let part = |p: Part| {
        let lines = p.lines.iter().map(|l| bit(l.clone(), tone(&p.title, l))).collect();
        (p.title.clone(), lines)
    };
    HandOffPage {
        title: format!("HAND-OFF {} {}", case.shown.id, case.shown.title),
        state: format!("{} {}", case.shown.severity, case.shown.status.word()),
        parts: parts(model, now, &case.shown).into_iter().map(part).collect(),
    }
}

/// The hand-off as plain lines, to print or to copy.
pub fn handoff_lines(model: &Model, now: Timestamp, id: &IncidentId) -> Vec<String> {
    let case = model.desk.cases.get(id);
    case.map(|c| lines(&c.shown, &parts(model, now, &c.shown), now)).unwrap_or_default()
}

/// What the desk adds to the JSON of an incident.
pub fn report(i: &Incident) -> Value {
    let at = |t: Option<Timestamp>| t.map(rfc3339);
    let tasks: Vec<Value> = i
        .board
        .tasks
        .iter()
        .map(|t| {
            json!({"id": key_text(&t.key), "text": t.text, "owner": t.owner, "given_by": t.by.0,
                "given_at": rfc3339(t.by.1), "due_at": at(t.until), "state": t.word(),
                "ended_at": at(t.ended.as_ref().map(|(_, at, _)| *at)),
                "outcome": t.ended.as_ref().and_then(|(_, _, how)| how.clone())})
        })
        .collect();
    let decisions: Vec<Value> = i
        .board
        .decisions
        .iter()
        .map(|d| {
            let against: Vec<Value> = d.objections.iter().map(|(who, what)| json!({"by": who, "text": what})).collect();
            let reason = match &d.stand {
                Stand::Dropped(why) => Some(why.clone()),
                _ => None,
            };
            json!({"id": key_text(&d.key), "text": d.text, "by": d.by.0, "at": rfc3339(d.by.1), "state": d.stand.word(),
                "reason": reason, "decided_by": d.decided.as_ref().map(|(who, _)| who),
                "decided_at": at(d.decided.as_ref().map(|(_, at)| *at)), "objections": against})
        })
        .collect();
    let hypotheses: Vec<Value> = i
        .board
        .hypotheses
        .iter()
        .map(|h| {
            json!({"id": key_text(&h.key), "text": h.text, "by": h.by.0, "at": rfc3339(h.by.1),
                "state": h.belief.word(), "why": h.why.as_ref().map(|(why, _)| why)})
        })
        .collect();
    let ticks: Vec<Value> = i
        .board
        .ticks
        .iter()
        .map(|t| json!({"phase": t.phase.word(), "line": t.line, "by": t.by.0, "at": rfc3339(t.by.1)}))
        .collect();
    let ties: Vec<Value> =
        i.board.ties.iter().map(|t| json!({"incident": t.other.0, "how": t.bond, "why": t.why})).collect();
    let people: Vec<Value> = i
        .board
        .people
        .iter()
        .map(|(name, p)| json!({"name": name, "in": !p.left, "seen_at": rfc3339(p.seen), "how": p.how}))
        .collect();
    json!({"tasks": tasks, "decisions": decisions, "hypotheses": hypotheses, "checklist": ticks, "links": ties,
        "people": people, "merged_into": i.board.merged_into().map(|id| id.0.clone()),
        "next_update_at": at(i.board.promised)})
}
