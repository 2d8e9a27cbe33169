//! Objectives for the screen: rows by urgency, the detail, charts.

use crate::app::model::Model;
use crate::app::present::view::{Bit, Overview, PairRow, Pane, Sign, SloDetail, SloRow, Tone};
use crate::app::present::{bit, charts, items, near, passes};
use crate::app::screen::Item;
use crate::domain::document::{Finding, Level};
use crate::domain::ids::SloId;
use crate::domain::slo::lint;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::Window;
use crate::domain::slo::status::{State, Status, assess};
use crate::domain::time::{Timestamp, clock_minutes, compact, prometheus, secs};
use std::sync::Arc;

/// What is known of an objective: as assessed last, at once where it never was.
pub fn status(model: &Model, now: Timestamp, objective: &Objective) -> Status {
    model.fleet.statuses.get(&objective.id).cloned().unwrap_or_else(|| judge(model, now, objective))
}

fn judge(model: &Model, now: Timestamp, objective: &Objective) -> Status {
    let source = crate::app::update::source_of(model, objective).and_then(|s| model.links.get(&s));
    let interval = source.map_or_else(|| secs(15), |l| l.interval);
    let mut status = assess(objective, model.fleet.measured.get(&objective.id), now, interval);
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
pub fn refresh(model: &mut Model, now: Timestamp) {
    let young = model.fleet.assessed.is_some_and(|at| (0..5_000).contains(&(now - at).num_milliseconds()));
    if young {
        return;
    }
    model.fleet.assessed = Some(now);
    let statuses: std::collections::BTreeMap<SloId, Status> =
        model.fleet.objectives.iter().map(|o| (o.id.clone(), judge(model, now, o))).collect();
    if model.nav.overlay.is_none() || model.fleet.order.len() != model.fleet.objectives.len() {
        let mut order = model.fleet.objectives.clone();
        order.sort_by_cached_key(|o| (statuses.get(&o.id).map(Status::urgency), o.id.clone()));
        model.fleet.order = order;
    }
    model.fleet.statuses = statuses;
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
    let empty = if model.fleet.reading {
        "reading the SLO files".to_owned()
    } else if model.setup.findings.is_empty() && model.fleet.findings.is_empty() {
        "no objectives: name SLO files under `slos:` in the configuration".to_owned()
    } else {
        "no objectives could be read: midwatch check says why".to_owned()
    };
    Pane {
        title: format!("SLO {burning}/{}", kept.len()),
        note: if filter.is_empty() { "by urgency".into() } else { format!("filter \"{filter}\" hides {hidden}") },
        rows: near(&kept, cursor, |o| row(o, &status(model, now, o), now)),
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
    let empty_in = match (status.state, status.measured_at, status.forecast.left_1h) {
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
        policy: status.policy.band.as_ref().map(|b| b.name.replace('_', " ")).unwrap_or_default(),
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
        budget: budget_lines(model, &status, now, objective),
        related: related(model, objective),
        findings: findings.into_iter().map(|f| finding_line(objective, f)).collect(),
        written: objective.written.clone(),
        declared: objective.declared.clone(),
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
            format!(
                "budget {} left = {sign}{} of {}",
                row.left,
                minutes(left.abs()),
                minutes(status.budget.minutes_total)
            )
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
            (_, false) => (Sign::Held, "cannot fire".to_owned()),
            (Some(true), _) if p.severity == "page" => (Sign::Page, "FIRING".to_owned()),
            (Some(true), _) => (Sign::Ticket, "FIRING".to_owned()),
            (Some(false), _) => (Sign::Ok, short_of.to_owned()),
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

fn budget_lines(model: &Model, status: &Status, now: Timestamp, objective: &Objective) -> Vec<Bit> {
    let mut lines = Vec::new();
    let spent = status.budget.consumed.map_or("spent unknown".to_owned(), |c| format!("{} spent", percent(c)));
    let events = status.events.map(|e| format!(", {:.0} bad of {:.0}", e.bad, e.total)).unwrap_or_default();
    let band = status.policy.band.as_ref().map(|b| format!("   policy: {}", b.action)).unwrap_or_default();
    lines.push(bit(format!("{spent} over {}{events}{band}", prometheus(objective.window)), Tone::Text));
    if let Some(action) = &status.policy.action {
        lines.push(bit(format!("policy demands: {action}"), Tone::Warn));
    } else if let Some(rule) = &objective.policy {
        lines.push(bit(format!("policy: {}", rule.text), Tone::Muted));
    }
    let at = status.forecast.exhausts_at.map(|at| format!(" ({})", clock_minutes(at))).unwrap_or_default();
    let rate = |left: Option<crate::domain::time::Span>, what: &str| {
        left.map(|l| format!("{} at the {what} rate", compact(l)))
    };
    let parts: Vec<String> =
        [rate(status.forecast.left_1h, "1h"), rate(status.forecast.left_6h, "6h")].into_iter().flatten().collect();
    lines.push(match parts.is_empty() {
        true => bit("the budget does not run out at the present rate", Tone::Muted),
        false => bit(format!("empty in {}{at}", parts.join("; ")), Tone::Text),
    });
    for case in model.open_cases() {
        if let Some(sample) = case.shown.budget.get(&objective.id)
            && let Some(gross) = sample.gross
        {
            lines.push(bit(
                format!("{} burned by {} when {}", percent(gross), case.shown.id, sample.moment),
                Tone::Warn,
            ));
        }
    }
    lines.extend(trust(status));
    lines.push(bit(format!("now {}", crate::domain::time::clock(now)), Tone::Muted));
    lines
}

/// Where the numbers come from, and how far they can be trusted.
fn trust(status: &Status) -> Vec<Bit> {
    let mut lines = Vec::new();
    let way = match status.source {
        "recorded" => "numbers as rules on the server recorded them",
        "slices" => "numbers from time slices judged here",
        _ => "numbers from events counted here",
    };
    lines.push(bit(way, Tone::Muted));
    if let Some(recorded) = status.recorded {
        let left = recorded.remaining.map_or_else(|| "an unknown budget".to_owned(), percent);
        let tone = if recorded.differs { Tone::Warn } else { Tone::Muted };
        let end = if recorded.differs { ": not weighted by events" } else { "" };
        lines.push(bit(format!("the server recorded {left} left{end}"), tone));
    }
    if status.approximate {
        lines.push(bit("~ fewer than 100 bad events: approximate", Tone::Muted));
    }
    if let Some(coverage) = status.coverage.filter(|c| *c < 0.99 && status.read.is_none_or(|r| r >= 1.0)) {
        lines.push(bit(format!("data covers {} of the window", percent(coverage)), Tone::Stale));
    }
    lines
}

fn related(model: &Model, objective: &Objective) -> Vec<Bit> {
    let mut lines = Vec::new();
    for alert in model.alerts.all().filter(|a| a.service() == objective.service) {
        let tone = if alert.pages() { Tone::Crit } else { Tone::Warn };
        lines.push(bit(format!("alert {} {}", alert.name, alert.state.word()), tone));
    }
    for case in model.open_cases().into_iter().filter(|c| c.shown.objectives.contains(&objective.id)) {
        lines.push(bit(format!("{} {} {}", case.shown.severity, case.shown.id, case.shown.title), Tone::Accent));
    }
    lines
}
