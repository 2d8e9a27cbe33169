//! The lines under BUDGET and FORECAST: what was spent, what the policy asks for, when it will be gone, the calendar period,
//! planned work, and what makes any of it doubtful. The most urgent come first: a small screen shows the first ones.

use crate::app::costs;
use crate::app::model::{Case, Model};
use crate::app::present::bit;
use crate::app::present::slos::percent;
use crate::app::present::view::{Bit, Tone};
use crate::domain::slo::maintenance::Stretch;
use crate::domain::slo::objective::{Objective, Sli};
use crate::domain::slo::outlook::{Fitted, Rolling};
use crate::domain::slo::signals::{ServiceReading, SignalValue};
use crate::domain::slo::status::Status;
use crate::domain::time::{Span, Timestamp, clock, clock_minutes, compact, prometheus};

/// All lines of one objective.
pub fn lines(model: &Model, status: &Status, now: Timestamp, objective: &Objective) -> Vec<Bit> {
    let mut lines = vec![spent(status, objective)];
    lines.extend(policy(model, status, objective));
    lines.push(empty(status, now));
    lines.extend(calendar(status, objective));
    for case in model.open_cases() {
        lines.extend(burned(model, now, case, objective));
    }
    // Work that goes on explains everything else; work that is over, or lies ahead, explains little.
    let at = if status.work.now.is_some() { 1 } else { lines.len() };
    lines.splice(at..at, work(status, now));
    lines.extend(traffic(status));
    lines.extend(trend(status));
    lines.extend(trust(status, objective));
    lines.extend(
        status
            .untold
            .as_ref()
            .map(|why| bit(format!("calendar, outlook and the cost of incidents are not told: {why}"), Tone::Stale)),
    );
    lines.push(bit(format!("now {}", clock(now)), Tone::Muted));
    lines
}

/// Where the numbers come from, and how far they can be trusted.
fn trust(status: &Status, objective: &Objective) -> Vec<Bit> {
    let mut lines = Vec::new();
    let way = match status.source {
        _ if made_of_others(objective) => "numbers from those of its parts, by weight",
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

fn made_of_others(objective: &Objective) -> bool {
    matches!(objective.sli, Sli::Composite(_))
}

fn spent(status: &Status, objective: &Objective) -> Bit {
    let spent = status.budget.consumed.map_or("spent unknown".to_owned(), |c| format!("{} spent", percent(c)));
    let events = status.events.map(|e| format!(", {:.0} bad of {:.0}", e.bad, e.total)).unwrap_or_default();
    let band = status.policy.band.as_ref().map(|b| format!("   policy: {}", b.action)).unwrap_or_default();
    let over = match &objective.period {
        Some(period) => format!("of the {}'s budget", period.words()),
        None => format!("over {}", prometheus(objective.window)),
    };
    bit(format!("{spent} {over}{events}{band}"), Tone::Text)
}

fn policy(model: &Model, status: &Status, objective: &Objective) -> Vec<Bit> {
    let mut lines = Vec::new();
    if let Some(action) = &status.policy.action {
        lines.push(bit(format!("policy demands: {action}"), Tone::Warn));
    } else if let Some(rule) = &objective.policy {
        lines.push(bit(format!("policy: {}", rule.text), Tone::Muted));
    }
    let settling = model.fleet.bands.settled.get(&objective.id);
    if let (Some(since), Some(band)) = (settling.and_then(|s| s.leaving), &status.policy.band) {
        let settle = compact(model.fleet.policy().settle);
        let text =
            format!("out of {} since {}; counts after {settle}", band.name.replace('_', " "), clock_minutes(since));
        lines.push(bit(text, Tone::Muted));
    }
    lines
}

/// When the budget will be gone: as the window rolls where that is known, the naive rates beside it.
fn empty(status: &Status, now: Timestamp) -> Bit {
    let f = &status.forecast;
    let rate = |left: Option<Span>, what: &str| left.map(|l| format!("{} at the {what} rate", compact(l)));
    let mut naive: Vec<String> = [rate(f.left_1h, "1h"), rate(f.left_6h, "6h")].into_iter().flatten().collect();
    let at = f.exhausts_at.map(|at| format!(" ({})", day_minutes(at, now))).unwrap_or_default();
    if let (None, Some(first)) = (f.rolling, naive.first_mut()) {
        first.push_str(&at);
    }
    let beside = if naive.is_empty() { String::new() } else { format!("; {}", naive.join("; ")) };
    match f.rolling {
        Some(Rolling::Gone(left)) => {
            bit(format!("empty in {} as the window rolls{at}{beside}", compact(left)), Tone::Text)
        }
        Some(Rolling::Recovers) => {
            bit(format!("recovers as the window rolls: more leaves it than comes in{beside}"), Tone::Text)
        }
        None if status.budget.remaining.is_some_and(|left| left <= 0.0) => {
            bit("nothing is left of the budget", Tone::Text)
        }
        None if status.budget.remaining.is_none() => bit("when it will be gone is not known", Tone::Muted),
        None if naive.is_empty() => bit("the budget does not run out at the present rate", Tone::Muted),
        None => bit(format!("empty in {}", naive.join("; ")), Tone::Text),
    }
}

/// `03:14Z`, with the day where it is another one.
fn day_minutes(at: Timestamp, now: Timestamp) -> String {
    let day = if at.date_naive() == now.date_naive() { String::new() } else { at.format("%m-%d ").to_string() };
    format!("{day}{}", clock_minutes(at))
}

fn trend(status: &Status) -> Option<Bit> {
    let words = |fitted: &Fitted| {
        let line = &fitted.trend;
        let fit = format!("R2 {:.2}", line.r2);
        let back = compact(fitted.lookback);
        match line.empty_in {
            _ if fitted.recovering() => format!("{back} recovering ({fit})"),
            Some(left) => format!("{back} {:+.2}%/h, empty in {} ({fit})", line.per_hour * 100.0, compact(left)),
            None => format!("{back} {:+.2}%/h ({fit})", line.per_hour * 100.0),
        }
    };
    let parts: Vec<String> = [status.forecast.trend_6h, status.forecast.trend_3d].iter().flatten().map(words).collect();
    (!parts.is_empty()).then(|| bit(format!("trend: {}", parts.join("; ")), Tone::Text))
}

/// The calendar period: the objective's own, or the month beside its rolling window.
fn calendar(status: &Status, objective: &Objective) -> Option<Bit> {
    let c = status.calendar.as_ref()?;
    let share = |x: Option<f64>| x.map_or_else(|| "unknown".to_owned(), percent);
    let mut text = format!(
        "{} since {}: {} spent, {} over; {} at its end (of {:.0}{} events expected)",
        c.period,
        c.from.format("%m-%d %H:%MZ"),
        share(c.consumed),
        percent(c.elapsed),
        share(c.projected),
        c.expected,
        if made_of_others(objective) { " weighted" } else { "" }
    );
    if c.coverage < 0.99 {
        text.push_str(&format!(", data covers {} of it", percent(c.coverage)));
    }
    let tone = if c.projected.is_some_and(|p| p > 1.0) { Tone::Warn } else { Tone::Text };
    Some(bit(text, tone))
}

fn work(status: &Status, now: Timestamp) -> Vec<Bit> {
    let w = &status.work;
    let mut lines = Vec::new();
    let until = |s: &Stretch| day_minutes(s.to, now);
    if let Some(stretch) = &w.now {
        lines.push(bit(format!("planned work: {} until {}; pairs are held", stretch.name, until(stretch)), Tone::Warn));
    } else if let Some(next) = &w.next {
        let text = format!("planned work: {} from {} to {}", next.name, day_minutes(next.from, now), until(next));
        lines.push(bit(text, Tone::Muted));
    }
    if !w.inside.is_empty() {
        let span: Span = w.inside.iter().map(|s| s.to.min(now) - s.from).fold(Span::zero(), |a, b| a + b);
        let text = match w.excluded {
            Some(e) => format!("{} of planned work do not count: {:.0} bad of {:.0}", compact(span), e.bad, e.total),
            None => {
                format!("{} of planned work still count: the events behind the window are not known", compact(span))
            }
        };
        lines.push(bit(text, if w.excluded.is_some() { Tone::Muted } else { Tone::Stale }));
    }
    lines
}

/// Pairs for which one bad event is too much, and pairs that cannot fire.
fn traffic(status: &Status) -> Option<Bit> {
    let pair = status.alerts.iter().find(|p| p.severity == "page" && p.low_traffic.is_some())?;
    let text = format!(
        "low traffic: 1 bad event of {:.0} in {} is over the {}x {}",
        pair.low_traffic?,
        pair.long,
        crate::app::present::slos::burn_text(Some(pair.factor)),
        pair.severity
    );
    Some(bit(text, Tone::Warn))
}

/// What an open incident costs: as it is now, else as it was recorded last.
fn burned(model: &Model, now: Timestamp, case: &Case, objective: &Objective) -> Option<Bit> {
    let incident = &case.shown;
    if incident.objectives.contains(&objective.id)
        && let Some(cost) = costs::live(model, now, incident, &objective.id)
    {
        return Some(bit(format!("{} burned {}", incident.id, costs::words(objective, &cost)), Tone::Warn));
    }
    let sample = incident.budget.get(&objective.id)?;
    Some(bit(format!("{} burned by {} when {}", percent(sample.gross?), incident.id, sample.moment), Tone::Warn))
}

/// The signals of a service, each in a few words. One that is not known says so, an old one its age.
pub fn signals(model: &Model, now: Timestamp, service: &str) -> Vec<Bit> {
    let Some(declared) = model.fleet.services.iter().find(|s| s.name == service) else { return Vec::new() };
    let Some(reading) = model.fleet.signals.get(service) else {
        return declared.signals.iter().map(|s| bit(format!("{} unknown", s.kind.word()), Tone::Stale)).collect();
    };
    let mut bits: Vec<Bit> = reading
        .signals
        .iter()
        .map(|s| {
            let text = format!("{} {}", s.kind.word(), s.text());
            match (&s.value, s.over()) {
                (SignalValue::Value(_), Some(true)) => {
                    let limit = crate::domain::slo::signals::amount(s.limit.unwrap_or_default(), s.unit);
                    Bit::loud(format!("{text} OVER {limit}"), Tone::Warn)
                }
                (SignalValue::Value(_), _) => bit(text, Tone::Text),
                (SignalValue::NoData, _) => bit(format!("{} no data", s.kind.word()), Tone::Stale),
                (SignalValue::Failed(_), _) => bit(format!("{} failed", s.kind.word()), Tone::Stale),
            }
        })
        .collect();
    if let Some(age) = stale(model, now, reading) {
        bits.push(bit(format!("STALE {}", compact(age)), Tone::Stale));
    }
    bits
}

/// The age of signals that are too old to be those of now.
pub fn stale(model: &Model, now: Timestamp, reading: &ServiceReading) -> Option<Span> {
    let interval = model.links.values().map(|l| l.interval).max().unwrap_or(Span::seconds(15));
    let age = now - reading.at;
    (age > interval.checked_mul(4).unwrap_or(Span::MAX)).then_some(age)
}
