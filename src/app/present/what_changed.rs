//! "What changed?" for the screen: the changes of all feeds on one list with their distance from the start, beside the burn
//! chart; and of every feed what it told, or why it did not. Says when and where, never that something was the cause.

use crate::app::costs::begin;
use crate::app::model::Model;
use crate::app::present::view::{Bit, ChartMark, Pane, RecentRow, Tone, WhatChangedPage};
use crate::app::present::{bit, charts, items, passes, slos};
use crate::app::recent::Subject;
use crate::app::screen::{Item, Screen};
use crate::domain::ids::{SloId, SourceName};
use crate::domain::outward::capability::Capability;
use crate::domain::recent::{BEFORE, Recent, around, listed};
use crate::domain::time::{Timestamp, clock, compact, rfc3339, secs};

/// The feeds: how each is asked; `None` is the marks of a metrics source.
pub fn feeds(model: &Model) -> Vec<(SourceName, Option<Capability>)> {
    let able = |capability| model.outbox.able(capability).map(move |t| (t.facts.name.clone(), Some(capability)));
    let metrics = model.links.values().filter(|link| !link.markers.is_empty()).map(|link| (link.name.clone(), None));
    let mut all: Vec<_> =
        able(Capability::ReadChanges).chain(able(Capability::ReadAnnotations)).chain(metrics).collect();
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|(name, _)| seen.insert(name.clone()));
    all
}

/// From when to when it is asked, and the start that distances are told from. `None` where the incident is not known.
pub fn stretch(model: &Model, now: Timestamp, subject: &Subject) -> Option<(Timestamp, Timestamp, Option<Timestamp>)> {
    let of = |start: Timestamp| {
        let (from, to) = around(start, BEFORE, now);
        (from, to, Some(start))
    };
    match subject {
        Subject::Incident(id) => Some(of(begin(&model.desk.cases.get(id)?.shown))),
        Subject::Slo(id) => {
            // What an open incident is about has its start.
            let hit = model.open_cases().into_iter().find(|case| case.shown.objectives.contains(id));
            Some(hit.map_or((now - BEFORE * 3, now, None), |case| of(begin(&case.shown))))
        }
    }
}

/// The objective whose chart stands beside the list.
fn objective(model: &Model, now: Timestamp, subject: &Subject) -> Option<SloId> {
    match subject {
        Subject::Slo(id) => Some(id.clone()),
        Subject::Incident(id) => {
            let linked = &model.desk.cases.get(id)?.shown.objectives;
            slos::ranked(model, now).into_iter().map(|(o, _)| o.id.clone()).find(|o| linked.contains(o))
        }
    }
}

/// The service that the screen is about.
fn service(model: &Model, subject: &Subject) -> Option<String> {
    match subject {
        Subject::Slo(id) => model.fleet.objective(id).map(|o| o.service.clone()),
        Subject::Incident(id) => model.desk.cases.get(id)?.shown.service.clone(),
    }
}

/// The changes that are shown, newest first, and how many the filters hide.
fn shown(model: &Model, now: Timestamp, subject: &Subject) -> (Vec<Recent>, usize) {
    let Some((from, to, _)) = stretch(model, now, subject) else { return (Vec::new(), 0) };
    if model.recent.subject.as_ref() != Some(subject) {
        return (Vec::new(), 0);
    }
    let all = model.recent.feeds.values().flat_map(|feed| feed.changes.iter().cloned());
    let all = listed(all.filter(|change| from <= change.at && change.at <= to).collect());
    let spot = model.nav.spot();
    let own = service(model, subject).filter(|_| spot.unfollowed);
    let keep = |change: &Recent| {
        let told = change.service.as_deref().unwrap_or_default();
        // What names no service may be anybody's.
        let ours = own.as_ref().is_none_or(|own| told.is_empty() || told == own);
        ours && passes(&spot.filter, &[told, &change.text, change.source.as_str()])
    };
    let before = all.len();
    let kept: Vec<Recent> = all.into_iter().filter(keep).collect();
    let hidden = before - kept.len();
    (kept, hidden)
}

fn item(change: &Recent) -> Item {
    Item::Recent(change.source.clone(), change.at, change.text.clone())
}

/// The changes of the shown screen, in the order in which they are drawn.
pub fn items(model: &Model, now: Timestamp) -> Vec<Item> {
    match model.nav.screen() {
        Screen::WhatChanged(subject) => shown(model, now, subject).0.iter().map(item).collect(),
        _ => Vec::new(),
    }
}

/// The selected change.
pub fn selected(model: &Model, now: Timestamp) -> Option<Recent> {
    let Screen::WhatChanged(subject) = model.nav.screen() else { return None };
    let chosen = items::selected(model, now)?;
    shown(model, now, subject).0.into_iter().find(|change| item(change) == chosen)
}

/// Pages of the changes, the selected one's first.
pub fn links(model: &Model, now: Timestamp) -> Vec<String> {
    let Screen::WhatChanged(subject) = model.nav.screen() else { return Vec::new() };
    let all = shown(model, now, subject).0;
    let mut links: Vec<String> = selected(model, now).into_iter().chain(all).filter_map(|change| change.url).collect();
    let mut seen = std::collections::BTreeSet::new();
    links.retain(|link| seen.insert(link.clone()));
    links
}

/// The screen.
pub fn page(model: &Model, now: Timestamp, subject: &Subject) -> WhatChangedPage {
    let named = match subject {
        Subject::Incident(id) => {
            model.desk.cases.get(id).map_or_else(|| id.0.clone(), |c| format!("{id} {}", c.shown.title))
        }
        Subject::Slo(id) => id.0.clone(),
    };
    let Some((from, to, start)) = stretch(model, now, subject) else {
        let rows =
            Pane { title: "WHAT CHANGED?".into(), empty: format!("{named} is not in the record"), ..Pane::default() };
        return WhatChangedPage { title: named, changes: rows, ..WhatChangedPage::default() };
    };
    let (all, hidden) = shown(model, now, subject);
    let chosen = selected(model, now);
    let cursor = chosen.as_ref().and_then(|chosen| all.iter().position(|change| change == chosen));
    let day = |at: Timestamp| {
        if at.date_naive() == now.date_naive() { clock(at) } else { at.format("%-d %b %H:%MZ").to_string() }
    };
    let own = model.nav.spot().unfollowed;
    let feeds = feed_lines(model, now);
    let failed = feeds.iter().filter(|line| line.reversed).count();
    let note = match (model.nav.spot().filter, service(model, subject).filter(|_| own)) {
        (filter, _) if !filter.is_empty() => format!("filter \"{filter}\" hides {hidden}"),
        (_, Some(service)) => format!("of {service}, {hidden} hidden; f all"),
        _ if failed > 0 => format!("{failed} of {} feeds failed", feeds.len()),
        _ => "newest first".into(),
    };
    WhatChangedPage {
        title: named,
        state: format!("{} to {}", day(from), day(to)),
        start: start.map(|start| format!("start {}", day(start))),
        changes: Pane {
            title: format!("WHAT CHANGED? {}", all.len()),
            note,
            rows: all.iter().map(|change| row(change, start, now)).collect(),
            cursor,
            empty: empty(model, hidden, &feeds),
        },
        chart: chart(model, now, subject, &all),
        feeds,
        detail: chosen.map(|change| detail(&change, start)).unwrap_or_default(),
    }
}

fn row(change: &Recent, start: Option<Timestamp>, now: Timestamp) -> RecentRow {
    let distance = match start {
        Some(start) => change.distance(start),
        None => format!("{} ago", compact((now - change.at).max(secs(0)))),
    };
    RecentRow {
        time: clock(change.at),
        distance,
        // What came before may have to do with it; what came after may be the answer to it.
        before: start.is_none_or(|start| change.at <= start),
        source: change.source.0.clone(),
        service: change.service.clone().unwrap_or_else(|| "-".into()),
        author: change.author.clone().unwrap_or_default(),
        text: change.text.clone(),
        link: change.url.is_some(),
    }
}

/// One line for each feed, those that failed first.
fn feed_lines(model: &Model, now: Timestamp) -> Vec<Bit> {
    let line = |(name, _): (SourceName, Option<Capability>)| {
        let feed = model.recent.feeds.get(&name).cloned().unwrap_or_default();
        let heard = feed.heard.map(|at| compact(secs((now - at).num_seconds().max(0) / 5 * 5)));
        match (feed.fault, heard) {
            (Some(why), Some(age)) => {
                Bit::loud(format!("{name}: {why}; told {} {age} ago", feed.changes.len()), Tone::Crit)
            }
            (Some(why), None) => Bit::loud(format!("{name}: {why}; what it knows is not in the list"), Tone::Crit),
            (None, Some(age)) => bit(format!("{name}: {} changes, {age} ago", feed.changes.len()), Tone::Muted),
            (None, None) if feed.asked.is_some() => bit(format!("{name}: asked"), Tone::Stale),
            (None, None) => bit(format!("{name}: not asked, it does not answer (screen 7)"), Tone::Warn),
        }
    };
    let mut lines: Vec<Bit> = feeds(model).into_iter().map(line).collect();
    // What is missing in the list is told before what is in it.
    lines.sort_by_key(|line| (!line.reversed, line.tone == Tone::Muted));
    lines
}

/// Why the list is empty: a feed that did not answer is no quiet day.
fn empty(model: &Model, hidden: usize, feeds: &[Bit]) -> String {
    let unknown = feeds.iter().any(|line| line.tone != Tone::Muted);
    if hidden > 0 {
        format!("the filter hides all {hidden}")
    } else if model.replay.is_some() {
        crate::app::present::replay::NOT_RECORDED.into()
    } else if feeds.is_empty() {
        "no source of changes is configured (see changes, annotations, incident_backends, marks)".into()
    } else if unknown {
        "nothing from those that answered; not all did".into()
    } else {
        "nothing changed, as far as they tell".into()
    }
}

/// The burn chart with these changes as its marks.
fn chart(model: &Model, now: Timestamp, subject: &Subject, all: &[Recent]) -> Option<crate::app::present::view::Chart> {
    let mut chart = charts::burn(model, now, &objective(model, now, subject)?)?;
    chart.marks.retain(|mark| mark.letter != charts::CHANGED);
    let changed = all.iter().map(|c| ChartMark { at: c.at, letter: charts::CHANGED, tone: Tone::Accent });
    // What was declared stands over what was changed.
    chart.marks = changed.chain(chart.marks.drain(..).collect::<Vec<_>>()).collect();
    Some(chart)
}

fn detail(change: &Recent, start: Option<Timestamp>) -> Vec<(String, String)> {
    let mut rows = vec![("at".to_owned(), rfc3339(change.at))];
    rows.extend(change.until.map(|until| ("until".into(), rfc3339(until))));
    rows.extend(start.map(|start| ("from the start".into(), change.distance(start))));
    rows.push(("source".into(), format!("{} ({})", change.source, change.kind)));
    rows.extend(change.service.clone().map(|service| ("service".into(), service)));
    rows.extend(change.author.clone().map(|author| ("by".into(), author)));
    rows.push(("what".into(), change.text.clone()));
    rows.push(("link".into(), change.url.clone().unwrap_or_else(|| "the source gives none".into())));
    rows
}
