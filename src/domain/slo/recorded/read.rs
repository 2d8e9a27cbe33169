//! What recorded series say: each value by its name, with its unit turned into the share of bad events. The worst of several
//! series of one objective counts. A value that no ratio can have is odd, never clamped into a number.

use crate::domain::slo::objective::{Identity, Objective};
use crate::domain::slo::reading::{Counts, Reading, Window};
use crate::domain::slo::recorded::{FRESH, Sides, base};
use crate::domain::slo::sample::Sample;
use crate::domain::time::{Timestamp, parse_span};
use std::collections::{BTreeMap, HashMap};

/// A ratio may exceed 1 by this much: its sides were extrapolated apart.
const SLACK: f64 = 0.05;

/// What is recorded of one objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Readings by window.
    pub windows: BTreeMap<Window, Reading>,
    /// The instant they stand for: that of the question, or of the last sample where the rules run no more.
    pub at: Timestamp,
}

impl Found {
    /// Whether the objective's own window is among them.
    pub fn has(&self, window: Window) -> bool {
        self.windows.get(&window).is_some_and(Reading::is_known)
    }
}

/// The unit of a recorded value.
enum Unit {
    Errors,
    Success,
}

/// What the name of a recording says.
enum Said {
    Ratio(Window, Unit),
    /// Pyrra's increase, or one of the two series of a gauge.
    Count(Window, Kind),
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Increase,
    Count,
    Sum,
}

/// Reads the answers to [`super::queries`], one entry per objective; `None` where nothing is recorded. Without `ages` the
/// recordings are taken for fresh.
pub fn read(
    objectives: &[&Objective],
    values: &[Sample],
    ages: Option<&[Sample]>,
    now: Timestamp,
) -> Vec<Option<Found>> {
    let index = Index::of(objectives);
    let sides: Vec<Option<Sides>> = objectives.iter().map(|o| Sides::of(o)).collect();
    let mut ratios: BTreeMap<(usize, Window), Option<f64>> = BTreeMap::new();
    let mut counts: BTreeMap<(usize, Window), Pile> = BTreeMap::new();
    for sample in values {
        for (index, objective) in index.named(sample).filter_map(|i| Some((i, *objectives.get(i)?))) {
            match said(objective, sample.labels.get("__name__")) {
                Some(Said::Ratio(window, unit)) => {
                    let error = match unit {
                        Unit::Errors => sample.value,
                        Unit::Success => 1.0 - sample.value,
                    };
                    let known = (!sample.value.is_nan()).then_some(error);
                    let slot = ratios.entry((index, window)).or_insert(None);
                    *slot = match (*slot, known) {
                        (Some(a), Some(b)) => Some(a.max(b)),
                        (a, b) => a.or(b),
                    };
                }
                Some(Said::Count(window, kind)) => {
                    if let Some(sides) = sides.get(index).and_then(Option::as_ref) {
                        counts.entry((index, window)).or_default().add(sides, kind, sample);
                    }
                }
                None => {}
            }
        }
    }
    let mut windows: Vec<BTreeMap<Window, Reading>> = vec![BTreeMap::new(); objectives.len()];
    for ((index, window), ratio) in ratios {
        if let (Some(found), Some(objective)) = (windows.get_mut(index), objectives.get(index))
            && let Some(reading) = reading(ratio, window, Window::of(objective.window))
        {
            found.insert(window, reading);
        }
    }
    for ((index, window), pile) in counts {
        if let (Some(found), Some(reading)) = (windows.get_mut(index), pile.reading()) {
            // Counts say more than a ratio.
            found.insert(window, reading);
        }
    }
    let newest = newest(&index, ages.unwrap_or_default());
    let found = |(index, windows): (usize, BTreeMap<Window, Reading>)| {
        let at = newest.get(&index).copied().filter(|at| now - *at > FRESH).unwrap_or(now);
        (!windows.is_empty()).then_some(Found { windows, at })
    };
    windows.into_iter().enumerate().map(found).collect()
}

/// When the newest recording of each objective was made.
fn newest(index: &Index<'_>, ages: &[Sample]) -> HashMap<usize, Timestamp> {
    let mut newest: HashMap<usize, Timestamp> = HashMap::new();
    for sample in ages.iter().filter(|s| s.value.is_finite() && s.value.abs() < 1e11) {
        let Some(at) = Timestamp::from_timestamp_millis((sample.value * 1_000.0) as i64) else { continue };
        for index in index.named(sample) {
            newest.entry(index).and_modify(|best| *best = (*best).max(at)).or_insert(at);
        }
    }
    newest
}

/// The label and the value by which an objective's recordings are known.
fn key_of(identity: &Identity) -> Option<(&'static str, &str)> {
    Some(match identity {
        Identity::Sloth(id) => ("sloth_id", id),
        Identity::Pyrra { name, .. } => ("slo", name),
        Identity::Grafana(uuid) => ("grafana_slo_uuid", uuid),
        Identity::KubernetesMixin(verb) => ("verb", verb),
        Identity::Own | Identity::OpenSlo(_) | Identity::SloGenerator(_) => return None,
    })
}

/// Which objectives a series is of: by a name that its system gives it, and for a row by the labels of its group. Looked
/// up, so that a thousand rows of one name cost no more than a thousand names.
#[derive(Default)]
struct Index<'o>(HashMap<(&'static str, &'o str), Vec<Grouped<'o>>>);

/// The objectives of one name that are told apart by the same labels (none, for most).
struct Grouped<'o> {
    labels: Vec<&'o str>,
    by_values: HashMap<Vec<&'o str>, Vec<usize>>,
}

impl<'o> Index<'o> {
    fn of(objectives: &[&'o Objective]) -> Self {
        let mut index = Self::default();
        for (number, objective) in objectives.iter().enumerate() {
            let Some(key) = key_of(&objective.identity) else { continue };
            let group = group_of(&objective.identity);
            let labels: Vec<&str> = group.iter().map(|(name, _)| *name).collect();
            let values: Vec<&str> = group.iter().map(|(_, value)| *value).collect();
            let of_name = index.0.entry(key).or_default();
            let place = of_name.iter().position(|g| g.labels == labels).unwrap_or_else(|| {
                of_name.push(Grouped { labels, by_values: HashMap::new() });
                of_name.len() - 1
            });
            if let Some(grouped) = of_name.get_mut(place) {
                grouped.by_values.entry(values).or_default().push(number);
            }
        }
        index
    }

    fn named<'s>(&'s self, sample: &'s Sample) -> impl Iterator<Item = usize> + 's {
        ["sloth_id", "slo", "grafana_slo_uuid", "verb"]
            .into_iter()
            .filter_map(|label| self.0.get(&(label, sample.labels.get(label))))
            .flatten()
            .filter_map(|grouped| {
                let values: Vec<&str> = grouped.labels.iter().map(|name| sample.labels.get(name)).collect();
                grouped.by_values.get(values.as_slice())
            })
            .flatten()
            .copied()
    }
}

/// The labels of a row, in the order of their names.
fn group_of(identity: &Identity) -> Vec<(&str, &str)> {
    match identity {
        Identity::Pyrra { group, .. } => group.0.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect(),
        _ => Vec::new(),
    }
}

/// What a name says of an objective; `None` for a name of another system, or of another metric.
fn said(objective: &Objective, name: &str) -> Option<Said> {
    let own = Window::of(objective.window);
    let window = |text: &str| parse_span(text).ok().map(Window::of).filter(|w| w.0 > 0);
    match &objective.identity {
        Identity::Sloth(_) => {
            let text = name.strip_prefix("slo:sli_error:ratio_rate")?;
            Some(Said::Ratio(window(text)?, Unit::Errors))
        }
        Identity::Grafana(_) => match name.strip_prefix("grafana_slo_sli_")? {
            "window" => Some(Said::Ratio(own, Unit::Success)),
            text => Some(Said::Ratio(window(text)?, Unit::Success)),
        },
        Identity::KubernetesMixin(_) => match name.strip_prefix("apiserver_request:")? {
            "availability30d" => Some(Said::Ratio(Window(30 * 86_400), Unit::Success)),
            text => Some(Said::Ratio(window(text.strip_prefix("burnrate")?)?, Unit::Errors)),
        },
        Identity::Pyrra { total, part, .. } => {
            if name == "pyrra_availability" {
                return Some(Said::Ratio(own, Unit::Success));
            }
            let (metric, what) = name.split_once(':')?;
            if let Some(text) = what.strip_prefix("burnrate") {
                return (metric == base(total)).then_some(Said::Ratio(window(text)?, Unit::Errors));
            }
            let kinds = [("increase", Kind::Increase), ("count", Kind::Count), ("sum", Kind::Sum)];
            let (text, kind) = kinds.into_iter().find_map(|(word, kind)| Some((what.strip_prefix(word)?, kind)))?;
            let ours = metric == base(total) || metric == base(part);
            ours.then_some(Said::Count(window(text)?, kind))
        }
        Identity::Own | Identity::OpenSlo(_) | Identity::SloGenerator(_) => None,
    }
}

/// What a recorded ratio means. Nought by nought in a short window is no traffic; in the objective's own it may be one idle
/// moment that poisoned a mean, so that nothing is known.
fn reading(ratio: Option<f64>, window: Window, own: Window) -> Option<Reading> {
    match ratio {
        None if window == own => None,
        None => Some(Reading::Counts(Counts::default())),
        Some(error) if (-1e-9..=1.0 + SLACK).contains(&error) => Some(Reading::Recorded(error.clamp(0.0, 1.0))),
        Some(error) => Some(Reading::Odd(format!("a recorded error ratio of {error}"))),
    }
}

/// The sides of a count while they are added up.
#[derive(Default)]
struct Pile {
    part: Option<f64>,
    total: Option<f64>,
    good: Option<f64>,
    bad_is_part: bool,
    odd: bool,
}

impl Pile {
    fn add(&mut self, sides: &Sides, kind: Kind, sample: &Sample) {
        let metric = sample.labels.get("__name__").split(':').next().unwrap_or_default();
        let mut put = |slot: fn(&mut Self) -> &mut Option<f64>| {
            self.odd |= !(sample.value.is_finite() && sample.value >= 0.0);
            *slot(self).get_or_insert(0.0) += sample.value;
        };
        match kind {
            Kind::Count => put(|p| &mut p.total),
            Kind::Sum => put(|p| &mut p.good),
            Kind::Increase if !sides.apart => {}
            Kind::Increase => {
                let bucket = sides.latency && !sample.labels.get("le").is_empty();
                if metric == sides.total && !bucket {
                    put(|p| &mut p.total);
                }
                if metric == sides.part && sides.only.iter().all(|m| m.is_match(sample.labels.get(&m.name))) {
                    put(|p| &mut p.part);
                }
                self.bad_is_part = sides.bad;
            }
        }
    }

    fn reading(&self) -> Option<Reading> {
        let total = self.total?;
        let bad = match (self.good, self.bad_is_part) {
            (Some(good), _) => total - good,
            (None, true) => self.part.unwrap_or(0.0),
            // Without a recorded part nothing says how much was good.
            (None, false) => total - self.part?,
        };
        if self.odd || bad > total * (1.0 + SLACK) || bad < -total * SLACK {
            return Some(Reading::Odd(format!("{bad} bad of {total} recorded events")));
        }
        Some(Reading::Counts(Counts { bad: bad.clamp(0.0, total), total }))
    }
}
