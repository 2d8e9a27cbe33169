//! The two status lines, the rows that hold on every screen, and what was said.

use crate::app::action::Action;
use crate::app::health::Link;
use crate::app::model::{Model, flash_for};
use crate::app::present::view::{Bit, EventRow, Head, Pane, Tone};
use crate::app::present::{bit, items, replay, timers};
use crate::app::rehearsal::Rehearsal;
use crate::app::screen::{Item, Screen};
use crate::domain::document::Level;
use crate::domain::drill::real_world::Real;
use crate::domain::escalation::timer::TimerState;
use crate::domain::incident::event::Role;
use crate::domain::outward::entry::{Entry, State};
use crate::domain::time::{Timestamp, clock, compact, countdown, secs};

/// The status lines.
pub fn head(model: &Model, now: Timestamp) -> Head {
    let local = now.with_timezone(&model.setup.zone);
    let utc = if model.setup.slow || !model.focused { now.format("%H:%MZ").to_string() } else { clock(now) };
    let unsaved = model.unsaved();
    let replays = model.replay.is_some();
    Head {
        replay: replay::bar(model),
        drill: model.setup.simulated.map(|word| {
            let stands = model.rehearsal.as_ref().is_some_and(|r| !r.paused.is_empty());
            format!("{word}{}   simulated data, nothing is sent   ", if stands { " STANDS STILL" } else { "" })
        }),
        utc,
        local: local.format("%H:%M %Z %a %-d %b").to_string(),
        sources: model
            .links
            .values()
            .filter(|l| l.kind.polled() || l.fault.is_some())
            .map(|l| source(l, now))
            .collect(),
        queue: if replays { Bit::default() } else { queue(model, unsaved) },
        exec: exec(model, now),
        host: model.setup.host.clone(),
        incident: incident(model, now),
        timer: timer(model, now),
    }
}

/// What is not on disk and what has not left yet; loud while something of it needs a person.
fn queue(model: &Model, unsaved: usize) -> Bit {
    let (open, asked) = model.outbox.count();
    let n = unsaved + open;
    match (unsaved + asked, n) {
        (0, 0) => bit("q0", Tone::Muted),
        (0, n) => bit(format!("q{n}"), Tone::Text),
        (_, n) if asked > 0 => Bit::loud(format!("q{n} !"), Tone::Crit),
        (_, n) => Bit::loud(format!("q{n}"), Tone::Warn),
    }
}

fn source(link: &Link, now: Timestamp) -> Bit {
    let age = link.age(now).map(|a| compact(rounded(a, link.interval)));
    let word = link.word();
    match (word.as_str(), age) {
        ("ok", Some(age)) => bit(format!("{} {age}", link.short), Tone::Muted),
        ("waiting", _) => bit(format!("{} ..", link.short), Tone::Stale),
        ("DOWN" | "AUTH", age) => {
            let since = link.fault.as_ref().map(|(since, _)| compact(now - *since));
            let long = age.or(since).unwrap_or_default();
            Bit::loud(format!("{} {word} {long}", link.short.to_uppercase()), Tone::Crit)
        }
        (peers, age) => Bit::loud(format!("{} {} {peers}", link.short, age.unwrap_or_default()), Tone::Warn),
    }
}

/// Ages under a poll interval are told in steps of five seconds: a cockpit that is well sends few bytes.
fn rounded(age: crate::domain::time::Span, interval: crate::domain::time::Span) -> crate::domain::time::Span {
    if age <= interval * 2 { secs(age.num_seconds() / 5 * 5) } else { age }
}

fn exec(model: &Model, now: Timestamp) -> Bit {
    if model.replay.is_some() {
        return bit("[replay]", Tone::Muted);
    }
    if model.setup.read_only {
        return bit("[read-only]", Tone::Muted);
    }
    match model.exec.armed_until.filter(|until| *until > now) {
        Some(until) => Bit::loud(format!("[ARMED {}m]", (until - now).num_minutes() + 1), Tone::Warn),
        None => bit("[exec off]", Tone::Muted),
    }
}

fn incident(model: &Model, now: Timestamp) -> Vec<Bit> {
    let open = model.open_cases();
    let Some(case) = open.first() else {
        let last = model.desk.cases.values().filter_map(|c| c.shown.times.resolved).max();
        let last = last.map(|at| format!("   last resolved {}", at.format("%-d %b %H:%MZ"))).unwrap_or_default();
        let words = if model.desk.loaded { "no active incident" } else { "reading the record" };
        return vec![bit(format!("{words}{last}"), Tone::Muted)];
    };
    let i = &case.shown;
    let worst = model.setup.severities.rank(&i.severity) == 0;
    let mut bits = vec![
        Bit { text: i.severity.0.clone(), tone: if worst { Tone::Crit } else { Tone::Warn }, reversed: worst },
        bit(i.id.0.clone(), Tone::Accent),
        bit(i.title.clone(), Tone::Text),
        bit(format!("{} {}", i.status.word(), compact(minutes(now - i.times.declared))), Tone::Text),
    ];
    bits.push(match i.roles.get(&Role::Commander) {
        Some(person) => bit(format!("IC {person}"), Tone::Text),
        None => Bit::loud("IC -none-", Tone::Warn),
    });
    if i.times.acknowledged.is_none() {
        bits.push(Bit::loud("UNACKED", Tone::Crit));
    }
    if open.len() > 1 {
        bits.push(bit(format!("+{}", open.len() - 1), Tone::Muted));
    }
    bits
}

fn minutes(span: crate::domain::time::Span) -> crate::domain::time::Span {
    if span < secs(60) { span } else { secs(span.num_seconds() / 60 * 60) }
}

fn timer(model: &Model, now: Timestamp) -> Option<Bit> {
    let live = timers::live(model, now);
    let due: Vec<_> = live.iter().filter(|t| t.state == TimerState::Due).collect();
    if let Some(first) = due.first() {
        let more = if due.len() > 1 { format!(" +{}", due.len() - 1) } else { String::new() };
        return Some(Bit::loud(format!(">> DUE {} {}{more}", countdown(now - first.due_at), first.label), Tone::Crit));
    }
    let next = live.into_iter().min_by_key(|t| t.due_at)?;
    let tone = if next.due_at - now < secs(120) { Tone::Warn } else { Tone::Text };
    Some(bit(format!(">> {} in {}", next.label, countdown(next.due_at - now)), tone))
}

/// Rows that hold on every screen.
pub fn banners(model: &Model, now: Timestamp) -> Vec<Bit> {
    let mut rows: Vec<Bit> = model.rehearsal.as_ref().map(real).into_iter().collect();
    if let Some(why) = model.rehearsal.as_ref().and_then(|r| r.ended.as_ref()) {
        rows.push(Bit::loud(format!("THE DRILL IS OVER ({why}); leave the cockpit for the score"), Tone::Accent));
    }
    rows.extend(replay::missing(model).map(|words| bit(format!("~ {words}"), Tone::Stale)));
    if let Some((since, why, at)) = &model.desk.trouble {
        let n = model.unsaved();
        let next = compact((*at - now).max(secs(0)));
        rows.push(Bit::loud(
            format!(
                "NOT SAVED {n} for {}: {why}; next try in {next}; Y shows the screen as text",
                compact(now - *since)
            ),
            Tone::Crit,
        ));
    }
    let (_, asked) = model.outbox.count();
    if asked > 0 {
        let first = model.outbox.open().find_map(|entry| match &entry.state {
            State::Asked { why, .. } => {
                let what = format!("to {}: {}: {why}", entry.op.target, entry.op.intent.words());
                Some((unsent(entry), what))
            }
            _ => None,
        });
        let (word, what) = first.unwrap_or_default();
        let more = if asked > 1 { format!(" (+{})", asked - 1) } else { String::new() };
        // What is to be done stands first: a narrow screen cuts the end off.
        rows.push(Bit::loud(format!("{word}, 9 decides{more}: {what}"), Tone::Crit));
    }
    for link in model.links.values() {
        if let Some((since, fault)) = &link.fault {
            let next = if link.out.is_empty() {
                format!("next in {}", compact((link.next - now).max(secs(0))))
            } else {
                "asking".into()
            };
            let held = if link.word() == "AUTH" {
                "; R on screen 7 asks again".to_owned()
            } else {
                format!(", try {}, {next}", link.tries)
            };
            rows.push(bit(format!("!! {fault} since {}{held}", clock(*since)), Tone::Crit));
        }
    }
    rows.extend(newer(model));
    let errors = model.findings().filter(|f| f.level == Level::Error).count();
    if errors > 0 {
        let first = model.findings().find(|f| f.level == Level::Error);
        let place = first.map(|f| format!("{}:{}:{}: {}", f.path, f.line, f.column, f.message)).unwrap_or_default();
        let more = if errors > 1 { format!("   (+{} more: midwatch check)", errors - 1) } else { String::new() };
        rows.push(bit(format!("! {place}{more}"), Tone::Warn));
    }
    rows
}

/// How an operation that waits for a person is called: what may have been done is never called undone.
pub fn unsent(entry: &Entry) -> &'static str {
    if entry.doubted { "MAYBE SENT" } else { "NOT SENT" }
}

/// The real world, on every screen of a drill; what is not known is never drawn as well.
fn real(rehearsal: &Rehearsal) -> Bit {
    let mut words = rehearsal.real.words();
    if rehearsal.players.len() > 1 {
        words += &format!("   {} play: {}", rehearsal.players.len(), rehearsal.players.join(", "));
    }
    match rehearsal.real {
        Real::NotKnown { .. } => bit(words, Tone::Warn),
        Real::Quiet { .. } => bit(words, Tone::Ok),
        Real::Page { .. } => Bit::loud(words, Tone::Crit),
    }
}

/// The shown runbook is older than its file.
fn newer(model: &Model) -> Option<Bit> {
    let Screen::Walk(_, id) = model.nav.screen() else { return None };
    let words = match model.reload.newer.get(id)? {
        Some(_) => {
            let key = model.setup.keymap.key_of(Action::LookAgain).unwrap_or_else(|| ":look-again".into());
            format!("! file changed: look again ({key}); this is {id} as it was opened")
        }
        None => format!("! the file of {id} is gone; this is the version that was opened"),
    };
    Some(Bit::loud(words, Tone::Warn))
}

/// What just happened.
pub fn flash(model: &Model, now: Timestamp) -> Option<Bit> {
    let last = model.messages.back()?;
    if let Some(replay) = &model.replay {
        return (model.messages.len() > replay.quiet).then(|| bit(last.text.clone(), last.tone));
    }
    (now - last.at < flash_for(model)).then(|| bit(last.text.clone(), last.tone))
}

/// The messages screen.
pub fn messages(model: &Model, now: Timestamp) -> Pane<EventRow> {
    let cursor = match items::selected(model, now) {
        Some(Item::Row(n)) => Some(n),
        _ => None,
    };
    let rows = model.messages.iter().map(|m| EventRow {
        time: clock(m.at),
        text: m.text.clone(),
        tone: m.tone,
        saved: true,
        ..EventRow::default()
    });
    Pane {
        title: format!("MESSAGES {}", model.messages.len()),
        rows: rows.collect(),
        cursor,
        empty: "nothing was said yet".into(),
        ..Pane::default()
    }
}
