//! Series that rules on a server recorded for an objective: Sloth, Pyrra, Grafana SLO and the kubernetes-mixin, each with
//! the name, meaning and unit that it has there. "burnrate" is an error ratio in all of them. Asks nothing itself, and
//! makes no number where a recording is missing.

pub mod read;

pub use read::{Found, read};

use crate::domain::slo::objective::{Bad, Identity, Objective, Sli};
use crate::domain::slo::promql::counter::Counter;
use crate::domain::slo::reading::Window;
use crate::domain::time::Span;
use promql_parser::label::Matcher;
use promql_parser::util::escape_string;
use std::collections::BTreeSet;

/// A sample that is older than this tells of a rule that is evaluated no more: two evaluations of a minute, and half a
/// minute for the way.
pub const FRESH: Span = Span::seconds(150);

/// The two texts of one refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queries {
    /// Every recording of the objectives, by name.
    pub values: String,
    /// When the one of the shortest window was recorded last, as seconds since 1970.
    pub ages: String,
}

/// Whether rules may have recorded something for an objective. A row without one of its labels is told by nothing from a
/// recording that was made before there were groups, so that it is counted.
pub fn is_recordable(objective: &Objective) -> bool {
    !matches!(objective.identity, Identity::Own | Identity::OpenSlo(_) | Identity::SloGenerator(_))
        && objective.grouping.is_empty()
        && !matches!(&objective.identity, Identity::Pyrra { group, .. } if group.0.values().any(String::is_empty))
        && !matches!(objective.sli, Sli::Composite(_))
}

/// The queries for these objectives; `None` when none of them can be recorded.
pub fn queries<'o>(objectives: impl Iterator<Item = &'o Objective>) -> Option<Queries> {
    let mut asked = Asked::default();
    objectives.filter(|o| is_recordable(o)).for_each(|o| asked.add(o));
    let arms = asked.arms();
    let join = |texts: Vec<String>| texts.join(" or ");
    (!arms.is_empty()).then(|| Queries {
        values: join(arms.iter().map(|(values, _)| values.clone()).collect()),
        ages: join(arms.iter().map(|(_, newest)| format!("timestamp({newest})")).collect()),
    })
}

/// Names of the objectives in each system, and the metrics that Pyrra's carry.
#[derive(Default)]
struct Asked<'o> {
    sloth: BTreeSet<&'o str>,
    pyrra: BTreeSet<&'o str>,
    metrics: BTreeSet<String>,
    rates: BTreeSet<String>,
    shortest: BTreeSet<String>,
    grafana: BTreeSet<&'o str>,
    verbs: BTreeSet<&'o str>,
}

impl<'o> Asked<'o> {
    fn add(&mut self, objective: &'o Objective) {
        match &objective.identity {
            Identity::Sloth(id) => drop(self.sloth.insert(id)),
            Identity::Grafana(uuid) => drop(self.grafana.insert(uuid)),
            Identity::KubernetesMixin(verb) => drop(self.verbs.insert(verb)),
            Identity::Pyrra { name, part, total, .. } => {
                self.pyrra.insert(name);
                self.metrics.extend([base(part), base(total)]);
                self.rates.insert(base(total));
                let shortest = objective.pairs.iter().map(|p| p.short).min().unwrap_or(Window::M5);
                self.shortest.insert(go_duration(shortest));
            }
            Identity::Own | Identity::OpenSlo(_) | Identity::SloGenerator(_) => {}
        }
    }

    /// Per system: its recordings, and the one that tells whether its rules still run. Arms never share a label set: each
    /// system has a label of its own.
    fn arms(&self) -> Vec<(String, String)> {
        let mut arms = Vec::new();
        if !self.sloth.is_empty() {
            let ids = any_of(self.sloth.iter().copied());
            arms.push((
                format!("{{__name__=~\"slo:sli_error:ratio_rate.+\",sloth_id=~\"{ids}\"}}"),
                format!("slo:sli_error:ratio_rate5m{{sloth_id=~\"{ids}\"}}"),
            ));
        }
        if !self.pyrra.is_empty() {
            let ids = any_of(self.pyrra.iter().copied());
            let metrics = any_of(self.metrics.iter().map(String::as_str));
            let rates = any_of(self.rates.iter().map(String::as_str));
            let shortest = any_of(self.shortest.iter().map(String::as_str));
            let kinds = "burnrate|increase|count|sum";
            arms.push((
                format!("{{__name__=~\"pyrra_availability|({metrics}):({kinds})[0-9].*\",slo=~\"{ids}\"}}"),
                format!("{{__name__=~\"({rates}):burnrate({shortest})\",slo=~\"{ids}\"}}"),
            ));
        }
        if !self.grafana.is_empty() {
            let ids = any_of(self.grafana.iter().copied());
            arms.push((
                format!("{{__name__=~\"grafana_slo_sli_.+\",grafana_slo_uuid=~\"{ids}\"}}"),
                format!("grafana_slo_sli_5m{{grafana_slo_uuid=~\"{ids}\"}}"),
            ));
        }
        if !self.verbs.is_empty() {
            let verbs = any_of(self.verbs.iter().copied());
            arms.push((
                format!("{{__name__=~\"apiserver_request:(burnrate.+|availability30d)\",verb=~\"{verbs}\"}}"),
                format!("apiserver_request:burnrate5m{{verb=~\"{verbs}\"}}"),
            ));
        }
        arms
    }
}

fn any_of<'t>(values: impl Iterator<Item = &'t str>) -> String {
    let escaped: Vec<String> = values.map(regex::escape).collect();
    escape_string(&escaped.join("|"))
}

/// The name that Pyrra gives recordings of a metric: without what says that it counts. Matchers may follow the name.
pub fn base(metric: &str) -> String {
    let name = metric.split('{').next().unwrap_or_default().trim();
    let short = ["_total", "_count", "_bucket"].into_iter().find_map(|end| name.strip_suffix(end));
    short.unwrap_or(name).to_owned()
}

/// A length of time as Go prints it for Prometheus: `1h4m`, `4w`, `1d1h43m`.
pub fn go_duration(window: Window) -> String {
    let mut left = window.0;
    if left > 0 && left.is_multiple_of(604_800) {
        return format!("{}w", left / 604_800);
    }
    let mut text = String::new();
    for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if left >= length {
            text += &format!("{}{unit}", left / length);
            left %= length;
        }
    }
    text
}

/// How Pyrra's increases of one metric are told apart: the matchers that the part has and the total has not.
pub(super) struct Sides {
    /// Whether the part is counted bad; else good.
    pub(super) bad: bool,
    /// The name of the part's recordings.
    pub(super) part: String,
    /// The name of the total's recordings.
    pub(super) total: String,
    /// What the part's series must satisfy.
    pub(super) only: Vec<Matcher>,
    /// Something tells the sides apart; else their increases cannot be read.
    pub(super) apart: bool,
    /// Buckets lie beside the total under one name.
    pub(super) latency: bool,
}

impl Sides {
    pub(super) fn of(objective: &Objective) -> Option<Self> {
        let Identity::Pyrra { part, total, .. } = &objective.identity else { return None };
        let Sli::Events { bad, total: whole } = &objective.sli else { return None };
        let (Bad::Counted(text) | Bad::TotalMinus(text)) = bad;
        let (of_part, of_total) = (Counter::read(text), Counter::read(whole));
        let all = of_total.as_ref().map(|c| c.selector.matchers.matchers.as_slice()).unwrap_or_default();
        let own = of_part.as_ref().map(|c| c.selector.matchers.matchers.as_slice()).unwrap_or_default();
        let only: Vec<Matcher> = own.iter().filter(|m| m.name != "__name__" && !all.contains(m)).cloned().collect();
        let same = base(part) == base(total);
        Some(Self {
            bad: matches!(bad, Bad::Counted(_)),
            part: base(part),
            total: base(total),
            latency: only.iter().any(|m| m.name == "le"),
            apart: !same || !only.is_empty(),
            only: if same { only } else { Vec::new() },
        })
    }
}

#[cfg(test)]
mod tests;
