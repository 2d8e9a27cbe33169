//! The view model as plain lines: one fact each, a prefix word first, no columns, no glyph art. For screen readers, dumb
//! terminals, pipes, and for `Y`.

use crate::app::model::Model;
use crate::app::present::view::{
    BoardPage, Body, ChangeRow, HandOffPage, RecentRow, View, WalkItem, WalkPage, WhatChangedPage,
};
use crate::app::present::{alerts, head, incidents, replay, silences, slos, timers, view};
use crate::domain::escalation::timer::TimerState;
use crate::domain::ids::SloId;
use crate::domain::slo::reading::Window;
use crate::domain::slo::status::Status;
use crate::domain::text::clean;
use crate::domain::time::{Span, Timestamp, clock};

/// A span in words: `3 minutes 20 seconds`.
pub fn spoken(span: Span) -> String {
    let s = span.num_seconds().unsigned_abs();
    let unit = |n: u64, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    match (s / 86_400, s / 3_600 % 24, s / 60 % 60, s % 60) {
        (0, 0, 0, s) => unit(s, "second"),
        (0, 0, m, 0) => unit(m, "minute"),
        (0, 0, m, s) => format!("{} {}", unit(m, "minute"), unit(s, "second")),
        (0, h, m, _) => format!("{} {}", unit(h, "hour"), unit(m, "minute")),
        (d, h, ..) => format!("{} {}", unit(d, "day"), unit(h, "hour")),
    }
}

/// `1 page, 1 ticket, 2 incidents, prometheus 4 seconds old`.
pub fn summary(model: &Model, now: Timestamp) -> String {
    if let Some(words) = replay::words(model) {
        return words;
    }
    let (firing, pages, _) = alerts::counts(model);
    let open = model.open_cases().len();
    let mut parts = vec![format!("{pages} page"), format!("{} ticket", firing - pages), format!("{open} incidents")];
    for link in model.links.values() {
        parts.push(match (&link.fault, link.age(now)) {
            (Some((since, fault)), _) => format!("{} {} since {}", link.name, fault.kind.word(), clock(*since)),
            (None, Some(age)) => format!("{} {} old", link.name, spoken(age)),
            (None, None) => format!("{} not answered yet", link.name),
        });
    }
    if model.unsaved() > 0 {
        parts.push(format!("{} events NOT SAVED", model.unsaved()));
    }
    parts.join(", ")
}

/// One objective in a sentence.
pub fn slo(model: &Model, now: Timestamp, id: &SloId) -> String {
    let Some(objective) = model.fleet.objective(id) else { return format!("{id} unknown") };
    let s: Status = slos::status(model, now, objective);
    let mut parts = vec![format!("{id} {}", state_word(&s))];
    match s.budget.remaining {
        Some(left) => parts.push(format!("{:.1} percent budget left", left * 100.0)),
        None => parts.push("budget unknown".into()),
    }
    if let Some(burn) = s.burn_rates.get(&Window::H1).copied().flatten() {
        parts.push(format!("burn {burn:.1} over 1 hour"));
    }
    if let Some(left) = s.forecast.left() {
        parts.push(format!("empty in {}", spoken(left)));
    }
    if let Some(reason) = &s.reason {
        parts.push(reason.clone());
    }
    parts.join(", ")
}

fn state_word(s: &Status) -> String {
    if s.fires("page") {
        "critical".into()
    } else if s.fires("ticket") {
        "warning".into()
    } else {
        s.state.word().replace('_', " ")
    }
}

/// Every fact of the moment, one per line, without the time in front. A line changes only when its fact does.
pub fn facts(model: &Model, now: Timestamp) -> Vec<String> {
    let mut out: Vec<String> = model.rehearsal.iter().map(|r| r.real.fact()).collect();
    for (objective, _) in slos::ranked(model, now) {
        out.push(format!("SLO {}", slo(model, now, &objective.id)));
    }
    for row in alerts::rows(model, now) {
        let runbook = row.runbook.map(|r| format!(", runbook {r}")).unwrap_or_default();
        let incident = row.incident.map(|i| format!(", incident {i}")).unwrap_or_default();
        out.push(format!("ALERT {} {} {} {}{runbook}{incident}", row.name, row.severity, row.state, row.service));
    }
    for (source, silence) in silences::all(model, now) {
        let held = silences::holds(model, source, &silence.id);
        let what = if silence.is_ack() { "ACK" } else { "SILENCE" };
        out.push(format!(
            "{what} {} by {} until {}, holds {held}",
            silence.conditions(),
            silence.created_by,
            clock(silence.ends_at)
        ));
    }
    for row in incidents::pane(model, now).rows {
        if row.elsewhere {
            // What it will do and when is said by its timers: a countdown in a line would make it anew every second.
            let at = row.progress.split("  ").next().unwrap_or_default().to_owned();
            out.push(format!("PAGED {at} {} {} {} {}, {}", row.id, row.severity, row.status, row.title, row.commander));
            continue;
        }
        out.push(format!(
            "INCIDENT {} {} {} {}, commander {}",
            row.id, row.severity, row.status, row.title, row.commander
        ));
    }
    for timer in timers::live(model, now) {
        let when = match timer.state {
            TimerState::Due => "is DUE".to_owned(),
            _ => format!("due at {}", clock(timer.due_at)),
        };
        out.push(format!("TIMER {} for {} {when}", timer.label, timer.incident));
    }
    let lost = |text: &str| text.starts_with("NOT S") || text.starts_with("MAYBE SENT");
    for banner in head::banners(model, now).into_iter().filter(|b| lost(&b.text)) {
        let what = if banner.text.starts_with("NOT SAVED") { "RECORD" } else { "OUTBOX" };
        out.push(format!("{what} {}", banner.text));
    }
    out.into_iter().map(|line| clean(&line).into_owned()).collect()
}

/// The shown screen as plain text, for `Y`.
pub fn page(model: &Model, now: Timestamp) -> Vec<String> {
    let view: View = view(model, now);
    let mut out = vec![format!("{} {}", view.head.utc, summary(model, now))];
    match view.body {
        Body::Incident(page) => {
            out.push(format!("{}  {}", page.title, page.state));
            out.extend(page.facts.iter().map(|l| l.iter().map(|b| b.text.as_str()).collect::<Vec<_>>().join("  ")));
            out.extend(page.roles.iter().map(|(role, who)| format!("{role}: {}", who.text)));
            out.extend(page.room.iter().map(|line| format!("room {}", line.text)));
            out.extend(page.timers.iter().map(|t| format!("timer {} {}", t.clock, t.label)));
            let saved = |s: bool| if s { "" } else { "  NOT SAVED" };
            out.extend(
                page.timeline
                    .rows
                    .iter()
                    .map(|r| format!("{} {} {} {}{}", r.time, r.kind, r.actor, r.text, saved(r.saved))),
            );
        }
        Body::Walk(page) => out.extend(walked(*page)),
        Body::Postmortem(page) => {
            out.push(page.title.clone());
            if let crate::app::screen::Screen::Postmortem(id) = model.nav.screen() {
                out.extend(
                    model
                        .desk
                        .drafts
                        .get(id)
                        .map(|d| d.text.lines().map(str::to_owned).collect::<Vec<_>>())
                        .unwrap_or_default(),
                );
            }
        }
        Body::Slo(detail) => {
            out.push(format!("{}: {}", detail.row.name, detail.says));
            out.extend(detail.now.iter().chain(&detail.budget).map(|b| b.text.clone()));
            out.extend(
                detail
                    .pairs
                    .iter()
                    .map(|p| format!("{} {} {} limit {} {}", p.windows, p.long, p.short, p.limit, p.state)),
            );
            out.extend(detail.findings.iter().map(|f| f.text.clone()));
            out.push(detail.written.clone());
        }
        Body::Alerts(page) => {
            let here = |l: &String| ["ALERT ", "ACK ", "SILENCE "].iter().any(|word| l.starts_with(word));
            out.extend(facts(model, now).into_iter().filter(here));
            out.extend(page.detail.iter().map(|(k, v)| format!("{k}: {v}")));
        }
        Body::Sources(page) => {
            out.extend(
                page.sources.rows.iter().map(|s| format!("{} {} {} {} {}", s.kind, s.name, s.word, s.age, s.detail)),
            );
            out.extend(page.detail.iter().map(|(k, v)| format!("{k}: {v}")));
        }
        Body::Outbox(page) => {
            out.extend(page.queue.rows.iter().map(|r| {
                format!("{} {} {} to {}: {} {} {}", r.time, r.state, r.class, r.target, r.what, r.next, r.why)
            }));
            out.extend(page.detail.iter().map(|(k, v)| format!("{k}: {v}")));
        }
        Body::Messages(pane) => out.extend(pane.rows.iter().map(|r| format!("{} {}", r.time, r.text))),
        Body::FirstRun(page) => {
            out.extend(page.lines.clone());
            out.extend(page.choices.rows.iter().map(|(c, d)| format!("{c}: {d}")));
        }
        Body::Board(page) => out.extend(desk(&page)),
        Body::HandOff(page) => out.extend(handoff(&page)),
        Body::Changes(page) => {
            out.push(page.changes.title.clone());
            let row =
                |r: &ChangeRow| format!("{} {} {} {} {} {}", r.incident, r.state, r.action, r.by, r.rollback, r.verify);
            out.extend(page.changes.rows.iter().map(row));
            out.extend(page.detail.iter().map(|(k, v)| format!("{k}: {v}")));
        }
        Body::WhatChanged(page) => out.extend(changed(&page)),
        Body::Runbooks(page) => {
            out.extend(page.runbooks.rows.iter().map(|r| format!("{} {} {} {}", r.id, r.name, r.steps, r.triggers)))
        }
        Body::Overview(_) | Body::Slos(_) | Body::Timers(_) => out.extend(facts(model, now)),
    }
    out.into_iter().map(|line| clean(&line).into_owned()).collect()
}

fn changed(page: &WhatChangedPage) -> Vec<String> {
    let mut out = vec![format!("{}  {}", page.title, page.state)];
    let row = |r: &RecentRow| format!("{} {} {} {} {} {}", r.time, r.distance, r.source, r.service, r.text, r.author);
    out.extend(page.changes.rows.iter().map(row));
    if page.changes.rows.is_empty() {
        out.push(page.changes.empty.clone());
    }
    out.extend(page.feeds.iter().map(|f| format!("feed {}", f.text)));
    out.extend(page.detail.iter().map(|(k, v)| format!("{k}: {v}")));
    out
}

fn walked(page: WalkPage) -> Vec<String> {
    let mut out = vec![format!("{}  {}", page.title, page.progress)];
    out.extend(page.steps.iter().map(|s| format!("{} {} {}", s.mark, s.name, s.note)));
    out.push(page.step.clone());
    out.extend(page.say.clone());
    let item = |i: &WalkItem| format!("{} {} {} {} {}", i.label, i.risk, i.text, i.detail, i.state.text);
    out.extend(page.items.rows.iter().map(item));
    out.extend(page.watch.iter().map(|b| b.text.clone()));
    out.extend(page.output.into_iter().flat_map(|o| std::iter::once(o.title).chain(o.lines)));
    out
}

fn desk(page: &BoardPage) -> Vec<String> {
    let mut out = vec![format!("{}  {}", page.title, page.state)];
    out.extend(page.facts.iter().map(|l| l.iter().map(|b| b.text.as_str()).collect::<Vec<_>>().join("  ")));
    out.extend(page.timers.iter().map(|t| format!("timer {} {}", t.clock, t.label)));
    for pane in [&page.tasks, &page.checklist, &page.decisions, &page.hypotheses] {
        out.push(pane.title.clone());
        out.extend(pane.rows.iter().map(|r| format!("{} {} {}", r.state, r.text, r.who)));
    }
    out
}

fn handoff(page: &HandOffPage) -> Vec<String> {
    let mut out = vec![format!("{}  {}", page.title, page.state)];
    for (title, lines) in &page.parts {
        out.push(title.clone());
        out.extend(lines.iter().map(|l| format!("  {}", l.text)));
    }
    out
}
