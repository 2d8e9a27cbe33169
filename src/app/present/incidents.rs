//! Incidents for the screen: the list, and one in full with its timeline.

use crate::app::costs;
use crate::app::model::{Case, Model};
use crate::app::present::entries::Entries;
use crate::app::present::view::{AlertRow, Bit, EventRow, IncidentPage, IncidentRow, Pane, Sign, StepRow, Tone};
use crate::app::present::{backend, bit, board, charts, items, passes, past, rooms, slos, timers, walk};
use crate::app::screen::Item;
use crate::domain::escalation::timer::TimerState;
use crate::domain::ids::{IncidentId, SloId};
use crate::domain::incident::board::Phase;
use crate::domain::incident::event::{Body, Event, Role, StepEnd};
use crate::domain::incident::filter::Filter;
use crate::domain::incident::state::{Incident, key_text};
use crate::domain::incident::timeline::{lasted, tell};
use crate::domain::time::{Timestamp, clock, compact};

/// Open incidents that are shown, worst first.
fn shown(model: &Model) -> Vec<&Case> {
    let filter = model.nav.spot().filter;
    let keep =
        |c: &&Case| passes(&filter, &[c.shown.id.as_str(), &c.shown.title, c.shown.service.as_deref().unwrap_or("")]);
    model.open_cases().into_iter().filter(|c| model.setup.severities.rank(&c.shown.severity) == 0 || keep(c)).collect()
}

/// The incidents that are shown, in order.
pub fn ids(model: &Model) -> Vec<IncidentId> {
    shown(model).into_iter().map(|c| c.shown.id.clone()).collect()
}

/// The list.
pub fn pane(model: &Model, now: Timestamp) -> Pane<IncidentRow> {
    let open = shown(model);
    let selected = items::selected(model, now);
    let items = open.iter().map(|c| Item::Incident(c.shown.id.clone())).chain(backend::ids(model));
    let cursor = items.into_iter().position(|item| selected.as_ref() == Some(&item));
    let pages = backend::rows(model, now);
    Pane {
        title: match pages.len() {
            0 => format!("INCIDENTS {}", open.len()),
            n => format!("INCIDENTS {}, PAGES {n}", open.len()),
        },
        note: if pages.is_empty() { String::new() } else { "X acts on a page".into() },
        rows: open.iter().map(|c| row(model, c, now)).chain(pages).collect(),
        cursor,
        empty: if model.desk.loaded { "none is open; i declares one".into() } else { "reading the record".into() },
    }
}

fn row(model: &Model, case: &Case, now: Timestamp) -> IncidentRow {
    let i = &case.shown;
    let progress = i.runbook.as_ref().and_then(|r| i.walks.get(r).map(|w| format!("{r} {}/{}", w.ended(), w.total)));
    IncidentRow {
        sign: sign(model, i),
        severity: i.severity.0.clone(),
        id: i.id.0.clone(),
        title: i.title.clone(),
        status: i.status.word().into(),
        elapsed: lasted(i.times.declared, now),
        commander: i.roles.get(&Role::Commander).cloned().unwrap_or_else(|| "-none-".into()),
        progress: progress.unwrap_or_default(),
        saved: case.unsaved.is_empty(),
        elsewhere: false,
    }
}

fn sign(model: &Model, i: &Incident) -> Sign {
    match model.setup.severities.rank(&i.severity) {
        _ if !i.is_open() => Sign::Ok,
        0 | 1 => Sign::Page,
        _ => Sign::Ticket,
    }
}

/// Rows on either side of the cursor (or before the end) that a window shows of a long timeline.
const AROUND: usize = 400;

/// A timeline. `limit` keeps only the last rows, for the overview. Of a long one only the part around the cursor is told
/// where a window shows it: nobody sees more, and telling all of it would make keys slow.
pub fn timeline(model: &Model, case: &Case, filter: &str, limit: Option<usize>) -> Pane<EventRow> {
    let entries = Entries::of(case, filter);
    let found = entries.len();
    let mut range = limit.map_or(0, |l| found.saturating_sub(l))..found;
    if model.windowed && range.len() > AROUND * 2 {
        let at = match &model.nav.spot().cursor {
            Some(Item::Event(key)) => entries.position(key),
            _ => None,
        };
        let first = at.unwrap_or(found).saturating_sub(AROUND);
        range = first..found.min(first + AROUND * 2);
    }
    let mut rows = Vec::with_capacity(range.len());
    let mut day = None;
    for (event, saved) in range.filter_map(|n| entries.get(n)) {
        let row = event_row(model, &case.shown, event, saved);
        let this = event.at.date_naive();
        let new_day = day.is_some_and(|d| d != this).then(|| event.at.format("%a %-d %b").to_string());
        day = Some(this);
        rows.push(EventRow { day: new_day, ..row });
    }
    let total = case.shown.events;
    let title = match Filter::parse(filter).is_empty() {
        true => format!("TIMELINE {total} entries"),
        false => format!("TIMELINE {found} of {total} entries"),
    };
    let empty = if filter.is_empty() { "nothing yet" } else { "nothing fits the filter" };
    Pane { title, rows, empty: empty.into(), ..Pane::default() }
}

fn event_row(model: &Model, state: &Incident, event: &Event, saved: bool) -> EventRow {
    let tone = match &event.body {
        Body::Declared { .. } | Body::TimerDue { .. } => Tone::Crit,
        Body::AlertChanged { to, .. } if to == "firing" => Tone::Warn,
        Body::StepEnded { end: StepEnd::Failed(_), .. } => Tone::Warn,
        Body::CommandFinished(end) if end.exit != Some(0) => Tone::Warn,
        Body::Mitigated | Body::Resolved { .. } => Tone::Ok,
        Body::BandCrossed(_) => Tone::Warn,
        Body::Redacted(_) => Tone::Warn,
        Body::RoomMessage { pinned: false, .. } => Tone::Muted,
        Body::BudgetSampled(_) | Body::Cockpit { .. } | Body::DraftWritten { .. } | Body::Marked { .. } => Tone::Muted,
        _ => Tone::Text,
    };
    let time = if model.nav.local_time {
        event.at.with_timezone(&model.setup.zone).format("%H:%M:%S ").to_string()
    } else {
        clock(event.at)
    };
    let marks = state.marks.get(&key_text(&event.key)).filter(|_| !state.marks.is_empty());
    let mut text = tell(event, Some(state));
    if let Some(marks) = marks {
        text = format!("{}{text}", if marks.pinned { "* " } else { "" });
        text.extend(marks.tags.iter().map(|tag| format!(" #{tag}")));
        text.push_str(if marks.excluded { " (not in the postmortem)" } else { "" });
    }
    EventRow {
        key: Some(event.key.clone()),
        time,
        kind: event.body.kind().into(),
        actor: event.who().to_owned(),
        text,
        saved,
        tone,
        day: None,
    }
}

/// Last events of the worst incident.
pub fn worst_timeline(model: &Model, _now: Timestamp) -> Pane<EventRow> {
    match model.open_cases().first() {
        Some(case) => {
            let mut pane = timeline(model, case, "", Some(40));
            pane.title = format!("TIMELINE {}", case.shown.id);
            pane
        }
        None => Pane { title: "TIMELINE".into(), empty: "no open incident".into(), ..Pane::default() },
    }
}

/// One incident in full.
pub fn page(model: &Model, now: Timestamp, id: &IncidentId) -> IncidentPage {
    let Some(case) = model.desk.cases.get(id) else {
        return IncidentPage { title: format!("{id} is not in the record"), ..IncidentPage::default() };
    };
    let i = &case.shown;
    let spot = model.nav.spot();
    let mut pane = timeline(model, case, &spot.filter, None);
    pane.cursor = match (&spot.cursor, spot.unfollowed) {
        (Some(Item::Event(key)), _) => pane.rows.iter().position(|r| r.key.as_ref() == Some(key)),
        _ => None,
    };
    if !spot.filter.is_empty() {
        pane.note = format!("filter \"{}\"", spot.filter);
    } else if !spot.unfollowed {
        pane.note = "following".into();
    } else if !case.complete {
        pane.note = "older entries: g".into();
    }
    let all = timers::of(model, i, now);
    let mut facts = facts(case, now);
    if let (Some(last), Some(burned)) = (facts.last_mut(), burned(model, now, i)) {
        last.push(burned);
    }
    // A frame too low for all of them shows the first ones.
    let (conflicts, agreed) = backend::facts(model, i, now);
    facts = conflicts.into_iter().chain(facts).chain(agreed).collect();
    let linked: Vec<_> = slos::ranked(model, now).into_iter().filter(|(o, _)| i.objectives.contains(&o.id)).collect();
    IncidentPage {
        title: format!("{} {}", i.id, i.title),
        state: format!("{} {}", i.severity, i.status.word()),
        facts,
        roles: Role::ALL.iter().map(|r| (r.word().to_owned(), role(model, i, *r))).collect(),
        timers: all.iter().filter(|t| t.state.is_live()).map(|t| timers::row(t, now)).collect(),
        timers_done: all.iter().filter(|t| t.state == TimerState::Done).map(|t| t.label.clone()).collect(),
        timeline: pane,
        following: !spot.unfollowed && spot.cursor.is_none(),
        chart: linked.first().and_then(|(o, _)| charts::burn(model, now, &o.id)),
        slos: linked.iter().map(|(o, s)| slos::row(o, s, now)).collect(),
        alerts: i.alerts.values().map(|a| alert_row(a, now)).collect(),
        runbook: runbook(model, i),
        links: crate::app::present::links::of_incident(model, i),
        room: rooms::lines(model, i),
        similar: past::similar(model, &i.id),
        checklist: checklist(model, i),
    }
}

/// What it costs the objective that it hits worst, as it is now or as it was recorded last.
fn burned(model: &Model, now: Timestamp, i: &Incident) -> Option<Bit> {
    let cost = |slo: &SloId| {
        let gross = costs::live(model, now, i, slo).map(|c| (c.gross, c.net));
        gross.or_else(|| i.budget.get(slo).and_then(|s| Some((s.gross?, s.net))))
    };
    let known = i.objectives.iter().filter_map(|slo| cost(slo).map(|(gross, net)| (gross, net, slo)));
    let (gross, net, slo) = known.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let net = net.map(|n| format!(" (net {})", slos::percent(n))).unwrap_or_default();
    Some(bit(format!("burned {}{net} of {slo}", slos::percent(gross)), Tone::Warn))
}

fn facts(case: &Case, now: Timestamp) -> Vec<Vec<Bit>> {
    let i = &case.shown;
    let end = i.times.resolved.unwrap_or(now);
    let mut first =
        vec![bit(format!("declared {} ({})", clock(i.times.declared), lasted(i.times.declared, end)), Tone::Text)];
    if let Some(by) = &i.detected_by {
        first.push(bit(format!("detected by {by}"), Tone::Text));
    }
    if let Some(service) = &i.service {
        first.push(bit(format!("service {service}"), Tone::Text));
    }
    let at = |word: &str, t: Option<Timestamp>, tone| match t {
        Some(t) => bit(format!("{word} {}", clock(t)), tone),
        None => bit(format!("not {word}"), Tone::Muted),
    };
    let mut second = vec![
        at("acknowledged", i.times.acknowledged, Tone::Ok),
        at("mitigated", i.times.mitigated, Tone::Ok),
        at("resolved", i.times.resolved, Tone::Ok),
    ];
    second.push(bit(format!("linked SLO {}, alerts {}", i.objectives.len(), i.alerts.len()), Tone::Muted));
    if !case.unsaved.is_empty() {
        second.push(Bit::loud(
            format!("{} NOT SAVED YET", case.unsaved.iter().map(|(_, e)| e.len()).sum::<usize>()),
            Tone::Warn,
        ));
    }
    vec![first, second]
}

fn role(model: &Model, i: &Incident, role: Role) -> Bit {
    match i.roles.get(&role) {
        Some(person) => bit(person.clone(), Tone::Text),
        None if role == Role::Commander => Bit::loud("-none-", Tone::Warn),
        None if model.setup.severities.rank(&i.severity) == 0 => bit("-none-  ! wanted", Tone::Warn),
        None => bit("-none-", Tone::Muted),
    }
}

fn alert_row(a: &crate::domain::incident::state::LinkedAlert, now: Timestamp) -> AlertRow {
    let sign = match a.state.as_str() {
        "firing" => Sign::Page,
        "unknown" => Sign::NoData,
        _ => Sign::Held,
    };
    AlertRow {
        sign,
        name: a.name.clone(),
        severity: a.labels.get("severity").into(),
        age: compact(now - a.started_at),
        service: a.labels.get("service").into(),
        state: a.state.clone(),
        ..AlertRow::default()
    }
}

fn runbook(model: &Model, i: &Incident) -> Option<(String, String, Vec<StepRow>)> {
    let id = i.runbook.as_ref()?;
    let walk_state = i.walks.get(id)?;
    let book = model.runbook(id)?;
    let progress = crate::domain::runbook::walk::progress(book, walk_state);
    Some((
        id.0.clone(),
        format!("{} of {} steps", progress.ended, progress.total),
        walk::step_rows(book, walk_state, &walk::values(model, &i.id, book), None),
    ))
}

fn checklist(model: &Model, i: &Incident) -> (String, Vec<String>) {
    let phase = board::phase(i);
    let name = match phase {
        Phase::Immediate => "first minutes",
        phase => phase.word(),
    };
    let mark = |line: &String| match i.board.tick(phase, line) {
        Some(_) => format!("[x] {line}"),
        None => format!("[ ] {line}"),
    };
    (name.to_owned(), phase.lines(board::book_of(model)).iter().map(mark).collect())
}
