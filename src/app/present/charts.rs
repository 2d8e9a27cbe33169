//! Charts of an objective: burn rates over the chosen range with their limits, the worst slice where a mean would hide it,
//! what happened, and how the budget goes down. Long ranges are drawn from slices, short ones from what the source was asked.

use crate::app::composites;
use crate::app::model::Model;
use crate::app::present::replay::{self, NOT_RECORDED};
use crate::app::present::slos::{burn_text, status};
use crate::app::present::view::{Chart, ChartMark, Tone};
use crate::app::screen::Screen;
use crate::app::update::{CHARTS, ChartRange, source_of};
use crate::domain::ids::SloId;
use crate::domain::slo::budget::allowance;
use crate::domain::slo::event_slices::{EventSlices, Slice};
use crate::domain::slo::lines::{BurnLine, Peak, burn_down, burn_line};
use crate::domain::slo::marks::Mark;
use crate::domain::slo::net_events::NetEvents;
use crate::domain::slo::objective::{Objective, Sli};
use crate::domain::time::{Timestamp, clock_minutes, compact, prometheus, secs};
use std::sync::Arc;

/// Points of a budget line.
const BUDGET_POINTS: usize = 240;

/// The range of a screen's chart: the chosen one on the objective's own screen, the first elsewhere.
fn chosen(model: &Model, id: &SloId) -> ChartRange {
    let index = match model.nav.screen() {
        Screen::Slo(shown) if shown == id => model.nav.spot().window,
        _ => 0,
    };
    CHARTS.get(index % CHARTS.len()).copied().unwrap_or(CHARTS[0])
}

/// Whether a range is drawn from slices, so that the source need not be asked for it.
pub fn from_slices(model: &Model, id: &SloId, range: &ChartRange) -> bool {
    range.long && slices(model, id).is_some_and(|s| s.end().is_some())
}

fn slices(model: &Model, id: &SloId) -> Option<Arc<EventSlices>> {
    model.fleet.measured.get(id)?.slices.clone()
}

/// The burn chart of an objective.
pub fn burn(model: &Model, now: Timestamp, id: &SloId) -> Option<Chart> {
    let objective = model.fleet.objective(id)?;
    let range = chosen(model, id);
    let kept = slices(model, id);
    let all = kept.as_ref().map(|s| s.slices()).unwrap_or_default();
    let whole = composites::known(model, id).and_then(|parts| parts.burn_line(range.range(), range.step()));
    let mut chart = match (&kept, whole) {
        (_, Some(line)) => line_chart(objective, &range, line),
        (Some(kept), _) if from_slices(model, id, &range) => sliced(objective, &range, &all, kept.end().unwrap_or(now)),
        _ if model.replay.is_some() => recorded(model, now, objective, &range, &all),
        _ => asked(model, now, objective, &all),
    };
    chart.marks = marks(model, id);
    chart.excluded = excluded(model, id);
    if let Screen::Slo(_) = model.nav.screen() {
        let next = CHARTS.get((model.nav.spot().window + 1) % CHARTS.len()).map(|r| r.name).unwrap_or_default();
        chart.caption = format!("{}   w: {next}", chart.caption);
    }
    Some(chart)
}

fn limits(objective: &Objective) -> Vec<(f64, String)> {
    objective.pairs.iter().map(|p| (p.factor, p.severity.clone())).collect()
}

/// From slices: the mean of each step, and the worst slice in it.
fn sliced(objective: &Objective, range: &ChartRange, all: &[Slice], end: Timestamp) -> Chart {
    line_chart(objective, range, burn_line(all, objective.target, range.range(), range.step(), end))
}

fn line_chart(objective: &Objective, range: &ChartRange, line: BurnLine) -> Chart {
    let BurnLine { mean, worst, peak } = line;
    let missing = mean.points.iter().all(Option::is_none).then(|| "no data in this range".to_owned());
    Chart {
        name: objective.id.0.clone(),
        caption: format!("{} steps, last {}{}", prometheus(mean.step), range.name, at_worst(peak)),
        points: mean.points,
        worst,
        start: mean.start,
        step: mean.step,
        limits: limits(objective),
        missing,
        ..Chart::default()
    }
}

/// `, worst 1h 200x 13 Aug 03:00Z`
fn at_worst(peak: Option<Peak>) -> String {
    let Some(peak) = peak.filter(|p| p.burn > 1.0) else { return String::new() };
    let began = peak.end - peak.length;
    let (length, burn) = (prometheus(peak.length), burn_text(Some(peak.burn)));
    format!(", worst {length} {burn}x {} {}", began.format("%d %b"), clock_minutes(began))
}

/// From what the source was asked, with the worst of the slices where they reach as far.
fn asked(model: &Model, now: Timestamp, objective: &Objective, all: &[Slice]) -> Chart {
    let id = &objective.id;
    let blank = |missing: String| Chart {
        name: id.0.clone(),
        start: now,
        step: secs(300),
        limits: limits(objective),
        missing: Some(missing),
        ..Chart::default()
    };
    if let Some(why) = model.fleet.history_faults.get(id) {
        return blank(format!("no history: {why}"));
    }
    if matches!(objective.sli, Sli::Composite(_)) {
        return blank("made of other objectives: theirs have charts".into());
    }
    let Some((_, history)) = model.fleet.histories.get(id) else {
        return blank("waiting for history".into());
    };
    let Some(series) = history.series.first() else {
        return blank("no history from this source".into());
    };
    let spans = i64::try_from(series.points.len().saturating_sub(1)).unwrap_or(i64::MAX);
    let length = secs(series.step.num_seconds().saturating_mul(spans));
    let worst = burn_line(all, objective.target, length, series.step, series.start + length);
    Chart {
        name: id.0.clone(),
        caption: format!("{} window, last {}", series.window, compact(length)),
        points: series.points.clone(),
        worst: if worst.mean.start == series.start { worst.worst } else { Vec::new() },
        start: series.start,
        step: series.step,
        limits: limits(objective),
        missing: series.points.iter().all(Option::is_none).then(|| "no data in this range".to_owned()),
        ..Chart::default()
    }
}

/// In a replay: the slices that were kept, up to the shown instant, and where there are none what was sampled.
fn recorded(model: &Model, now: Timestamp, objective: &Objective, range: &ChartRange, all: &[Slice]) -> Chart {
    let BurnLine { mean, worst, .. } = burn_line(all, objective.target, range.range(), range.step(), now);
    let mut points = mean.points;
    let step = mean.step.num_milliseconds().max(1);
    for (at, burn) in replay::samples(model, &objective.id) {
        // A point stands for the step that ends at its instant.
        let behind = (at - mean.start).num_milliseconds();
        let index = behind.div_euclid(step) + i64::from(behind.rem_euclid(step) > 0);
        if let Some(point) = usize::try_from(index).ok().and_then(|index| points.get_mut(index)) {
            point.get_or_insert(burn);
        }
    }
    Chart {
        name: objective.id.0.clone(),
        caption: format!("{} steps, last {}, as recorded", prometheus(mean.step), range.name),
        missing: points.iter().all(Option::is_none).then(|| NOT_RECORDED.to_owned()),
        worst: if points.len() == worst.len() { worst } else { Vec::new() },
        points,
        start: mean.start,
        step: mean.step,
        limits: limits(objective),
        until: "then",
        ..Chart::default()
    }
}

/// How the budget of the window goes down, against a budget that is spent evenly.
pub fn budget(model: &Model, now: Timestamp, id: &SloId) -> Option<Chart> {
    let objective = model.fleet.objective(id)?;
    let limits = vec![(0.5, "50%".into()), (0.25, "25%".into()), (0.1, "10%".into())];
    let own = |kept: Arc<EventSlices>| {
        let end = kept.end()?;
        let known = status(model, now, objective);
        let allowed = allowance(objective.target)? * known.events?.total;
        let net = NetEvents::of(&kept, &known.work.inside);
        burn_down(net.slices(), allowed, end - objective.window, end, BUDGET_POINTS)
    };
    let whole = composites::known(model, id).and_then(|parts| parts.burn_down(BUDGET_POINTS));
    let series = match whole.or_else(|| slices(model, id).and_then(own)) {
        Some(series) => series,
        None => model.fleet.histories.get(id)?.1.budget.clone()?,
    };
    Some(Chart {
        name: id.0.clone(),
        caption: format!("left of {}, dotted: spent evenly", prometheus(objective.window)),
        points: series.points,
        start: series.start,
        step: series.step,
        limits,
        linear: true,
        ideal: true,
        marks: marks(model, id),
        excluded: excluded(model, id),
        ..Chart::default()
    })
}

/// Planned work: it does not count.
fn excluded(model: &Model, id: &SloId) -> Vec<(Timestamp, Timestamp)> {
    let status = model.fleet.statuses.get(id);
    status.map(|s| s.work.inside.iter().map(|w| (w.from, w.to)).collect()).unwrap_or_default()
}

/// The letter of deploys and other changes that a source tells of.
pub const CHANGED: char = 'd';

/// What its source and the targets that tell of changes told of what is an objective's business, oldest first.
pub fn changes<'m>(model: &'m Model, objective: &Objective) -> Vec<&'m Mark> {
    let source = source_of(model, objective).and_then(|source| model.fleet.marks.get(&source));
    let all = source.into_iter().chain(model.fleet.told.values());
    let mut marks: Vec<&Mark> = all.flat_map(|m| &m.marks.marks).filter(|m| m.is_for(&objective.service)).collect();
    marks.sort();
    marks
}

/// The incidents that an objective belongs to, and the changes that its source tells of, on the time axis.
fn marks(model: &Model, id: &SloId) -> Vec<ChartMark> {
    let of = |at: Option<Timestamp>, letter: char, tone: Tone| at.map(|at| ChartMark { at, letter, tone });
    let incidents = model.desk.cases.values().map(|c| &c.shown).filter(|i| i.objectives.contains(id));
    let objective = model.fleet.objective(id);
    let changes = objective.map(|o| changes(model, o)).unwrap_or_default();
    // What was declared stands over what was changed.
    let changed = changes.into_iter().filter_map(|m| of(Some(m.at), CHANGED, Tone::Accent));
    let declared = incidents
        .flat_map(|i| {
            [
                of(Some(i.times.declared), 'D', Tone::Crit),
                of(i.times.mitigated, 'M', Tone::Ok),
                of(i.times.resolved, 'R', Tone::Ok),
            ]
        })
        .flatten();
    changed.chain(declared).collect()
}
