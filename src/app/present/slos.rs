//! Objectives for the screen: rows by urgency, the detail, charts.

use crate::app::composites;
use crate::app::fleet::Composed;
use crate::app::model::Model;
use crate::app::present::replay::NOT_RECORDED;
use crate::app::present::view::{Bit, Overview, PairRow, Pane, Sign, SloDetail, SloRow, Tone};
use crate::app::present::{bit, budget, charts, items, near, passes};
use crate::app::screen::{Item, Screen};
use crate::app::update::source_of;
use crate::domain::document::{Finding, Level};
use crate::domain::ids::SloId;
use crate::domain::slo::lint;
use crate::domain::slo::maintenance::{self, Stretch};
use crate::domain::slo::objective::Objective;
use crate::domain::slo::period::Period;
use crate::domain::slo::reading::Window;
use crate::domain::slo::status::{Around, State, Status, assess_around};
use crate::domain::time::{Span, Timestamp, clock_minutes, compact, secs};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known of an objective: as assessed last, at once where it never was.
pub fn status(model: &Model, now: Timestamp, objective: &Objective) -> Status {
    model.fleet.statuses.get(&objective.id).cloned().unwrap_or_else(|| judge(model, now, objective))
}

fn judge(model: &Model, now: Timestamp, objective: &Objective) -> Status {
    judge_by(model, now, objective, &composites::composed(model, now))
}

/// Planned work of an objective, from the beginning of what its numbers reach back to.
pub fn work_of(model: &Model, now: Timestamp, objective: &Objective) -> Vec<Stretch> {
    if model.fleet.maintenance.is_empty() {
        return Vec::new();
    }
    let back = objective.window.max(objective.period.as_ref().map_or(Span::days(31), Period::nominal));
    maintenance::stretches(&model.fleet.maintenance, objective, now - back, now + AHEAD)
}

/// How far ahead planned work is looked for.
const AHEAD: Span = Span::days(31);

fn judge_by(model: &Model, now: Timestamp, objective: &Objective, composed: &BTreeMap<SloId, Composed>) -> Status {
    let source = source_of(model, objective).and_then(|s| model.links.get(&s));
    // A replay knows slices of five minutes: what the last one that was over says is as young as it gets.
    let asked = if model.replay.is_some() { secs(76) } else { secs(15) };
    let interval = source.map_or(asked, |l| l.interval);
    let work = work_of(model, now, objective);
    let never = BTreeMap::new();
    let around = Around {
        poll_interval: interval,
        zone: model.setup.zone,
        work: &work,
        policy: model.fleet.policy(),
        band: model.fleet.bands.settled.get(&objective.id).and_then(|s| s.band.as_deref()),
        over_since: model.fleet.over_since.get(&objective.id).unwrap_or(&never),
    };
    let made = composed.get(&objective.id);
    let measurement = made.map(|m| &m.measurement).or_else(|| model.fleet.measured.get(&objective.id));
    let mut status = assess_around(objective, measurement, now, &around);
    if let Some(made) = made {
        // What planned work excludes was left out of its parts.
        status.work.excluded = made.excluded;
    }
    if model.replay.is_some() && status.measured_at.is_none() {
        status.state = State::NoData;
        status.reason = Some(NOT_RECORDED.into());
    }
    let fault = source.and_then(|l| l.fault.as_ref());
    if let (State::Warming, None, Some((_, fault))) = (status.state, status.measured_at, fault) {
        // Nothing was ever heard, and nothing is on its way: that is no warming up.
        status.state = State::Error;
        status.reason = Some(fault.to_string());
    }
    status
}

/// Assesses every objective anew when data arrived, or when the last time is some seconds ago (values grow old by
/// themselves). The order changes only when nothing lies on top that was opened on a row.
pub fn refresh(model: &mut Model, now: Timestamp) -> bool {
    let young = model.fleet.assessed.is_some_and(|at| (0..5_000).contains(&(now - at).num_milliseconds()));
    if young {
        return false;
    }
    model.fleet.assessed = Some(now);
    let made = composites::composed(model, now);
    let statuses: BTreeMap<SloId, Status> =
        model.fleet.objectives.iter().map(|o| (o.id.clone(), judge_by(model, now, o, &made))).collect();
    hold(model, &statuses, now);
    if model.nav.overlay.is_none() || model.fleet.order.len() != model.fleet.objectives.len() {
        let mut order = model.fleet.objectives.clone();
        order.sort_by_cached_key(|o| (statuses.get(&o.id).map(Status::urgency), o.id.clone()));
        model.fleet.order = order;
    }
    model.fleet.statuses = statuses;
    model.fleet.composed = made;
    true
}

/// Notes since when each pair that must be over its factor for a while is. One that cannot be told keeps what it had.
fn hold(model: &mut Model, statuses: &BTreeMap<SloId, Status>, now: Timestamp) {
    let waits: Vec<Arc<Objective>> =
        model.fleet.objectives.iter().filter(|o| o.pairs.iter().any(|p| p.hold > Span::zero())).cloned().collect();
    for objective in waits {
        let Some(status) = statuses.get(&objective.id) else { continue };
        let since = model.fleet.over_since.entry(objective.id.clone()).or_default();
        for (at, pair) in status.alerts.iter().enumerate() {
            match pair.over {
                Some(true) => drop(since.entry(at).or_insert(now)),
                Some(false) => drop(since.remove(&at)),
                None => {}
            }
        }
    }
}

/// All objectives with their state, the most urgent first.
pub fn ranked(model: &Model, now: Timestamp) -> Vec<(Arc<Objective>, Status)> {
    let all = if model.fleet.order.is_empty() { &model.fleet.objectives } else { &model.fleet.order };
    all.iter().map(|o| (o.clone(), status(model, now, o))).collect()
}

/// The objectives that pass the filter, in order, and how many do not. What pages is never hidden.
fn shown(model: &Model) -> (Vec<&Arc<Objective>>, usize) {
    let filter = model.nav.spot().filter;
    let all = if model.fleet.order.is_empty() { &model.fleet.objectives } else { &model.fleet.order };
    let pages = |o: &Objective| model.fleet.statuses.get(&o.id).is_some_and(|s| s.fires("page"));
    let keep = |o: &&Arc<Objective>| filter.is_empty() || pages(o) || passes(&filter, &[o.id.as_str(), &o.service]);
    let kept: Vec<_> = all.iter().filter(keep).collect();
    let hidden = all.len() - kept.len();
    (kept, hidden)
}

/// The objectives that are shown, in order.
pub fn ids(model: &Model) -> Vec<SloId> {
    shown(model).0.into_iter().map(|o| o.id.clone()).collect()
}

/// The objectives whose charts are shown: the selected one, then the most urgent.
pub fn chart_ids(model: &Model, many: usize) -> Vec<SloId> {
    let mut ids = ids(model);
    if let Some(Item::Slo(chosen)) = model.nav.spot().cursor
        && let Some(at) = ids.iter().position(|i| *i == chosen)
    {
        let chosen = ids.remove(at);
        ids.insert(0, chosen);
    }
    ids.truncate(many);
    ids
}

/// The list.
pub fn pane(model: &Model, now: Timestamp) -> Pane<SloRow> {
    let (kept, hidden) = shown(model);
    let fires = |o: &&&Arc<Objective>| {
        model.fleet.statuses.get(&o.id).is_some_and(|s| s.alerts.iter().any(|a| a.firing == Some(true)))
    };
    let burning = kept.iter().filter(fires).count();
    let selected = items::selected(model, now);
    let cursor = match &selected {
        Some(Item::Slo(id)) => kept.iter().position(|o| o.id == *id),
        _ => None,
    };
    let filter = model.nav.spot().filter;
    let empty = if model.replay.is_some() {
        "no objective of this incident is in today's files".to_owned()
    } else if model.fleet.reading {
        "reading the SLO files".to_owned()
    } else if model.setup.findings.is_empty() && model.fleet.findings.is_empty() {
        "no objectives: name SLO files under `slos:` in the configuration".to_owned()
    } else {
        "no objectives could be read: midwatch check says why".to_owned()
    };
    Pane {
        title: format!("SLO {burning}/{}", kept.len()),
        note: if filter.is_empty() { "by urgency".into() } else { format!("filter \"{filter}\" hides {hidden}") },
        rows: near(&kept, cursor, |o| row(o, &status(model, now, o), now), |_| SloRow::default()),
        cursor,
        empty,
    }
}

/// The objectives screen.
pub fn page(model: &Model, now: Timestamp) -> Overview {
    let mut charts = chart_ids(model, 1).into_iter().filter_map(|id| charts::burn(model, now, &id));
    Overview { slos: pane(model, now), chart: charts.next(), ..Overview::default() }
}

/// A burn rate for people: `16.2`, `0.0`, `1440`, `-`.
pub fn burn_text(burn: Option<f64>) -> String {
    match burn {
        None => "-".into(),
        Some(b) if b >= 100.0 => format!("{b:.0}"),
        Some(b) => format!("{b:.1}"),
    }
}

/// A share for people: `11.8%`.
pub fn percent(share: f64) -> String {
    let text = format!("{:.1}%", share * 100.0);
    if text == "-0.0%" { "0.0%".into() } else { text }
}

/// A row.
pub fn row(objective: &Objective, status: &Status, now: Timestamp) -> SloRow {
    let stale = matches!(status.state, State::Stale);
    let pages = status.fires("page");
    let tickets = status.fires("ticket");
    let sign = match status.state {
        State::Stale if pages || tickets => Sign::StaleBad,
        State::Stale => Sign::Stale,
        State::NoData | State::Error | State::NoTraffic => Sign::NoData,
        _ if pages || status.state == State::Exhausted => Sign::Page,
        _ if tickets => Sign::Ticket,
        State::Warming | State::Partial => Sign::Stale,
        _ => Sign::Ok,
    };
    let tilde = |text: String| if stale && text != "-" { format!("~{text}") } else { text };
    let burn = |w: Window| tilde(burn_text(status.burn_rates.get(&w).copied().flatten()));
    let left = match (status.state, status.budget.remaining) {
        (State::NoData, _) if status.reason.as_deref() == Some(NOT_RECORDED) => NOT_RECORDED.into(),
        (State::NoData, _) => "no data".into(),
        (State::NoTraffic, None) => "no traffic".into(),
        (State::Error, None) => "error".into(),
        (State::Warming, None) => match status.read {
            Some(read) => format!("warming {:.0}%", (read * 100.0).floor().clamp(0.0, 99.0)),
            None => "warming".into(),
        },
        (_, Some(remaining)) if status.approximate => format!("~{}", percent(remaining)),
        (_, Some(remaining)) => tilde(percent(remaining)),
        (_, None) => "unknown".into(),
    };
    let empty_in = match (status.state, status.measured_at, status.forecast.left()) {
        (State::Stale, Some(at), _) => format!("STALE {}", compact(now - at)),
        (State::Stale | State::NoData | State::Error, ..) => "?".into(),
        (State::Exhausted, ..) => "empty".into(),
        // Over the window it says no more than that the budget lasts.
        (_, _, Some(left)) if left <= objective.window => compact(left),
        _ => "-".into(),
    };
    SloRow {
        sign,
        name: objective.id.0.clone(),
        service: objective.service.clone(),
        gauge: status.budget.remaining.map(|r| r.clamp(0.0, 1.0)),
        stale,
        left,
        burn_1h: burn(Window::H1),
        burn_5m: burn(Window::M5),
        burn_6h: burn(Window::H6),
        burn_30m: burn(Window::M30),
        burn_1d: burn(Window::D1),
        burn_3d: burn(Window::D3),
        empty_in,
        policy: match &status.work.now {
            Some(_) => "planned work".to_owned(),
            None => status.policy.band.as_ref().map(|b| b.name.replace('_', " ")).unwrap_or_default(),
        },
    }
}

/// One objective in full.
pub fn detail(model: &Model, now: Timestamp, id: &SloId) -> Option<SloDetail> {
    let objective = model.fleet.objective(id)?;
    let status = status(model, now, objective);
    let row = row(objective, &status, now);
    let chart = charts::burn(model, now, id)?;
    let findings = own_findings(model, objective);
    let mut now_bits = now_line(&row, &status);
    now_bits.extend(warned(&findings));
    Some(SloDetail {
        says: objective.says.clone(),
        now: now_bits,
        chart,
        more_charts: charts::budget(model, now, id).into_iter().collect(),
        pairs: pairs(&status),
        budget: budget::lines(model, &status, now, objective),
        signals: budget::signals(model, now, &objective.service),
        related: related(model, now, objective),
        findings: findings.into_iter().map(|f| finding_line(objective, f)).collect(),
        written: objective.written.clone(),
        declared: objective.declared.clone(),
        numbers: matches!(model.nav.screen(), Screen::Slo(shown) if shown == id) && model.nav.spot().numbers,
        row,
    })
}

/// The findings of its file that are about this objective, the worst first.
pub fn own_findings<'m>(model: &'m Model, objective: &Objective) -> Vec<&'m Finding> {
    let mut own = lint::of(objective, &model.fleet.objectives, &model.setup.findings);
    own.sort_by_key(|f| std::cmp::Reverse(f.level));
    own
}

/// That there is more to its numbers than they show; remarks are no reason.
fn warned(findings: &[&Finding]) -> Option<Bit> {
    let many = findings.iter().filter(|f| f.level > Level::Info).count();
    let word = if many == 1 { "finding" } else { "findings" };
    (many > 0).then(|| bit(format!("{many} {word}"), Tone::Warn))
}

fn finding_line(objective: &Objective, finding: &Finding) -> Bit {
    let tone = match finding.level {
        Level::Error => Tone::Crit,
        Level::Warning => Tone::Warn,
        Level::Info => Tone::Muted,
    };
    let own = format!("{}: ", objective.id);
    let message = finding.message.strip_prefix(&own).unwrap_or(&finding.message);
    bit(format!("{} {}: {message}", finding.level.word(), finding.rule), tone)
}

fn now_line(row: &SloRow, status: &Status) -> Vec<Bit> {
    let tone = row.sign.tone();
    let good = status.sli.map_or("good unknown".to_owned(), |s| format!("good {:.3}%", s * 100.0));
    let minutes = |m: f64| compact(secs((m * 60.0).round() as i64));
    let left = match status.budget.minutes_left {
        Some(left) => {
            let sign = if left < 0.0 { "-" } else { "" };
            // The row may have a word in the place of the share; where minutes are known, so is the share.
            let share = status.budget.remaining.map_or_else(|| row.left.clone(), percent);
            let (left, whole) = (minutes(left.abs()), minutes(status.budget.minutes_total));
            format!("budget {share} left = {sign}{left} of {whole}")
        }
        None => format!("budget {} of {}", row.left, minutes(status.budget.minutes_total)),
    };
    let mut line = vec![
        bit(status.state.word().replace('_', " "), tone),
        bit(good, Tone::Text),
        bit(format!("burn {}x (1h)", row.burn_1h), tone),
        bit(left, Tone::Text),
    ];
    if let Some(reason) = &status.reason {
        line.push(bit(reason.clone(), Tone::Stale));
    }
    line
}

fn pairs(status: &Status) -> Vec<PairRow> {
    let pair = |p: &crate::domain::slo::status::PairState| {
        let short_of = match (p.long_burn, p.short_burn) {
            (Some(l), Some(s)) if l <= p.factor && s > p.factor => "ok (long under limit)",
            (Some(l), Some(s)) if s <= p.factor && l > p.factor => "ok (short under limit)",
            _ => "ok",
        };
        let (sign, state) = match (p.firing, p.can_fire) {
            _ if p.held => (Sign::Held, "held (work)".to_owned()),
            (_, false) => (Sign::Held, "cannot fire".to_owned()),
            (Some(true), _) if p.severity == "page" => (Sign::Page, "FIRING".to_owned()),
            (Some(true), _) => (Sign::Ticket, "FIRING".to_owned()),
            (Some(false), _) => match p.fires_at {
                Some(at) => (Sign::Held, format!("pending until {}", clock_minutes(at))),
                None => (Sign::Ok, short_of.to_owned()),
            },
            (None, _) => (Sign::NoData, "no data".to_owned()),
        };
        PairRow {
            windows: format!("{} / {}", p.long, p.short),
            long: burn_text(p.long_burn),
            short: burn_text(p.short_burn),
            limit: burn_text(Some(p.factor)),
            sign,
            state,
            severity: p.severity.clone(),
        }
    };
    status.alerts.iter().map(pair).collect()
}

/// The most changes that are told in words.
const CHANGES: usize = 3;

fn related(model: &Model, now: Timestamp, objective: &Objective) -> Vec<Bit> {
    let mut lines = Vec::new();
    for alert in model.alerts.all().filter(|a| a.service() == objective.service) {
        let tone = if alert.pages() { Tone::Crit } else { Tone::Warn };
        lines.push(bit(format!("alert {} {}", alert.name, alert.state.word()), tone));
    }
    for case in model.open_cases().into_iter().filter(|c| c.shown.objectives.contains(&objective.id)) {
        lines.push(bit(format!("{} {} {}", case.shown.severity, case.shown.id, case.shown.title), Tone::Accent));
    }
    let changes = charts::changes(model, objective);
    for mark in changes.iter().rev().take(CHANGES) {
        // The letter is the one under the chart.
        let what = if mark.text == mark.name { mark.name.clone() } else { format!("{} {}", mark.name, mark.text) };
        let ago = compact((now - mark.at).max(Span::zero()));
        lines.push(bit(format!("{} {} {what}, {ago} ago", charts::CHANGED, clock_minutes(mark.at)), Tone::Text));
    }
    if changes.len() > CHANGES {
        lines.push(bit(format!("{} {} earlier", charts::CHANGED, changes.len() - CHANGES), Tone::Muted));
    }
    let told = source_of(model, objective).and_then(|source| model.fleet.marks.get(&source));
    let told = told.into_iter().chain(model.fleet.told.values());
    lines.extend(told.flat_map(|m| &m.marks.remarks).map(|r| bit(format!("marks: {r}"), Tone::Stale)));
    lines
}
