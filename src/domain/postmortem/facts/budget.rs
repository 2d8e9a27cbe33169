//! What the incident cost each objective, and its burn rates as a chart in characters.

use crate::domain::chart::burn::{BurnChart, burn, filled, standard};
use crate::domain::chart::text::lines;
use crate::domain::ids::SloId;
use crate::domain::incident::state::Incident;
use crate::domain::postmortem::escape::field;
use crate::domain::postmortem::picture::file_name;
use crate::domain::slo::reading::{History, Window};
use crate::domain::time::compact;
use serde::Serialize;
use std::collections::BTreeSet;

/// Most columns of a chart: with the axis and the labels it fits in 80.
const COLUMNS: usize = 60;
/// Rows of a chart.
const ROWS: usize = 6;

/// What an objective cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// The objective.
    pub name: String,
    /// Share of the whole budget that burned during the incident: `12.3 %`, or `unknown (no …)`.
    pub gross: String,
    /// The same without what burned at the rate of before.
    pub net: String,
    /// Share of the budget that is left; negative when overspent.
    pub remaining: String,
    /// All of it in one phrase: `12.3 % burned (net 12.1 %), 61.2 % left`.
    pub text: String,
}

/// Burn rates over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chart {
    /// The objective.
    pub name: String,
    /// What the chart shows.
    pub caption: String,
    /// The chart, in ASCII, for a fenced block.
    pub text: String,
    /// The file of the same chart as a picture, beside the draft.
    pub file: String,
}

fn all(incident: &Incident) -> BTreeSet<&SloId> {
    incident.objectives.iter().chain(incident.budget.keys()).collect()
}

fn percent(share: Option<f64>, missing: &str) -> String {
    let share = share.filter(|share| share.is_finite());
    share.map_or_else(|| format!("unknown ({missing})"), |share| format!("{:.1} %", share * 100.0))
}

/// One per objective that is linked or was sampled.
pub(super) fn costs(incident: &Incident) -> Vec<Cost> {
    let cost = |slo: &SloId| {
        let sample = incident.budget.get(slo);
        let missing = if sample.is_some() { "no data" } else { "no sample" };
        let gross = percent(sample.and_then(|s| s.gross), missing);
        let net = percent(sample.and_then(|s| s.net), missing);
        let remaining = percent(sample.and_then(|s| s.remaining), missing);
        let text = match sample {
            None => "unknown (no sample)".to_owned(),
            Some(_) => format!("{gross} burned (net {net}), {remaining} left"),
        };
        Cost { name: field(slo.as_str()), gross, net, remaining, text }
    };
    all(incident).into_iter().map(cost).collect()
}

/// The chart of a history with its caption; raw. The one-hour window, else the shortest.
pub fn drawn(history: &History) -> Option<(BurnChart, String)> {
    let hour = history.series.iter().find(|series| series.window == Window::H1);
    let series = hour.or_else(|| history.series.iter().min_by_key(|series| series.window))?;
    let drawn = burn(series, filled(series, COLUMNS), ROWS, &standard());
    let (from, to) = drawn.span?;
    let caption = format!(
        "Burn rate of {} over {} windows, {} to {}, {} per column",
        history.slo,
        drawn.window,
        from.format("%Y-%m-%d %H:%MZ"),
        to.format("%Y-%m-%d %H:%MZ"),
        compact(drawn.bucket)
    );
    Some((drawn, caption))
}

/// One per objective with a history.
pub(super) fn charts(incident: &Incident, histories: &[History]) -> Vec<Chart> {
    let wanted = all(incident);
    let chart = |history: &History| {
        let (chart, caption) = drawn(history)?;
        let name = field(history.slo.as_str());
        let caption = caption.replacen(history.slo.as_str(), &name, 1);
        Some(Chart { name, caption, text: lines(&chart).join("\n"), file: file_name(incident, &history.slo) })
    };
    histories.iter().filter(|history| wanted.contains(&history.slo)).filter_map(chart).collect()
}
