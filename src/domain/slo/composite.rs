//! Objectives made of others: the measurement of the whole from those of its parts, and what is wrong with how they are put
//! together. What is not known of a part is not known of the whole. Asks nobody.

use crate::domain::document::{Finding, Level, nearest};
use crate::domain::ids::SloId;
use crate::domain::slo::budget::allowance;
use crate::domain::slo::objective::{Combine, Composite, Objective, Sli};
use crate::domain::slo::reading::{Measurement, Reading, Window};
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// A part of a composite as it was measured.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The objective.
    pub objective: &'a Objective,
    /// Its weight.
    pub weight: f64,
    /// What was measured of it.
    pub measurement: &'a Measurement,
}

/// The measurement of the whole: for each window the error ratio that burns as fast as its parts do together. A window of
/// which a part knows nothing says what that part says. The budget of the whole is made of the parts' own budgets, over
/// their own windows.
pub fn measure(whole: &Objective, combine: Combine, parts: &[Part<'_>]) -> Measurement {
    let mut out = Measurement::empty(whole.id.clone());
    let own = Window::of(whole.window);
    let named = parts.iter().flat_map(|p| {
        let budget = Window::of(p.objective.window);
        p.measurement.windows.keys().copied().filter(move |w| *w != budget)
    });
    let windows: BTreeSet<Window> = named.chain([own]).collect();
    for window in windows {
        let readings: Vec<_> = parts
            .iter()
            .map(|p| {
                let asked = if window == own { Window::of(p.objective.window) } else { window };
                (p, p.measurement.windows.get(&asked).or_else(|| p.measurement.windows.get(&window)))
            })
            .collect();
        // A window that not every part has is not one of the whole.
        if let Some(reading) = joined(whole, combine, &readings) {
            out.windows.insert(window, reading);
        }
    }
    out.coverage = parts.iter().map(|p| p.measurement.coverage).try_fold(1.0_f64, |least, c| c.map(|c| least.min(c)));
    out.partial = parts.iter().any(|p| p.measurement.partial);
    out.warnings = parts.iter().flat_map(|p| p.measurement.warnings.clone()).collect();
    out
}

type Asked<'a, 'b> = (&'b Part<'a>, Option<&'a (Timestamp, Reading)>);

fn joined(whole: &Objective, combine: Combine, readings: &[Asked<'_, '_>]) -> Option<(Timestamp, Reading)> {
    let share = allowance(whole.target)?;
    let mut sum = 0.0;
    let mut oldest: Option<Timestamp> = None;
    let mut unknown: Option<Reading> = None;
    for (part, reading) in readings {
        let (at, reading) = (*reading)?;
        oldest = Some(oldest.map_or(*at, |o| o.min(*at)));
        let idle = reading.counts().is_some_and(|c| c.total <= 0.0);
        match (reading.error_ratio(), combine) {
            (Some(errors), Combine::Weighted) => sum += part.weight * errors / allowance(part.objective.target)?,
            (Some(errors), Combine::AnyBad) => sum += errors,
            // Nobody came: nothing was bad.
            (None, _) if idle => {}
            (None, _) => unknown = Some(unknown.take().map_or_else(|| reading.clone(), |had| worse(had, reading))),
        }
    }
    let errors = match combine {
        Combine::Weighted => sum * share,
        // How far the parts' bad times overlap is not known: they are taken not to, which never makes the whole look better.
        Combine::AnyBad => sum.min(1.0),
    };
    Some((oldest?, unknown.unwrap_or(Reading::Recorded(errors))))
}

fn worse(had: Reading, other: &Reading) -> Reading {
    let rank = |r: &Reading| match r {
        Reading::Error(_) => 3,
        Reading::Odd(_) => 2,
        Reading::NoData => 1,
        Reading::Counts(_) | Reading::Recorded(_) => 0,
    };
    if rank(other) > rank(&had) { other.clone() } else { had }
}

/// All composites in an order in which every part comes before its whole; those in a circle are left out.
pub fn ordered(objectives: &[Arc<Objective>]) -> Vec<Arc<Objective>> {
    let by_id: HashMap<&SloId, &Arc<Objective>> = objectives.iter().map(|o| (&o.id, o)).collect();
    let mut depths: HashMap<SloId, Option<usize>> = HashMap::new();
    let mut found: Vec<(usize, Arc<Objective>)> = Vec::new();
    for objective in objectives {
        if composite(objective).is_some()
            && let Some(depth) = depth(&objective.id, &by_id, &mut depths, 0)
        {
            found.push((depth, objective.clone()));
        }
    }
    found.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
    found.into_iter().map(|(_, o)| o).collect()
}

fn composite(objective: &Objective) -> Option<&Composite> {
    match &objective.sli {
        Sli::Composite(composite) => Some(composite),
        _ => None,
    }
}

/// Composites in composites deeper than this are a circle, or nobody could say what they mean.
const DEEPEST: usize = 16;

/// How deep the parts go; `None` in a circle, or where one is missing.
fn depth(
    id: &SloId,
    all: &HashMap<&SloId, &Arc<Objective>>,
    known: &mut HashMap<SloId, Option<usize>>,
    level: usize,
) -> Option<usize> {
    if let Some(depth) = known.get(id) {
        return *depth;
    }
    // Until it is known, it is part of a circle.
    known.insert(id.clone(), None);
    if level > DEEPEST {
        return None;
    }
    let deep = match all.get(id).map(|o| composite(o)) {
        None => None,
        Some(None) => Some(0),
        Some(Some(parts)) => parts
            .parts
            .iter()
            .map(|(part, _)| depth(part, all, known, level + 1))
            .try_fold(0, |most, d| d.map(|d| most.max(d + 1))),
    };
    known.insert(id.clone(), deep);
    deep
}

/// What is wrong with composites: parts that are not there, circles, weights that are none, parts of other windows.
pub fn lint(objectives: &[Objective]) -> Vec<Finding> {
    let ids: BTreeMap<&SloId, &Objective> = objectives.iter().map(|o| (&o.id, o)).collect();
    let mut findings = Vec::new();
    for whole in objectives {
        let Some(parts) = composite(whole) else { continue };
        let mut say = |level: Level, rule: &str, message: String| findings.push(about(whole, level, rule, &message));
        if parts.parts.is_empty() {
            say(Level::Error, "composite", format!("composite `{}` has no parts", whole.id));
        }
        for (part, weight) in &parts.parts {
            if !(*weight > 0.0 && weight.is_finite()) {
                let message = format!("composite `{}`: the weight of `{part}` is {weight} (expected over 0)", whole.id);
                say(Level::Error, "composite", message);
            }
            match ids.get(part) {
                None => {
                    let near = nearest(part.as_str(), ids.keys().map(|id| id.as_str()));
                    let near = near.map(|n| format!(" (nearest: `{n}`)")).unwrap_or_default();
                    say(
                        Level::Error,
                        "missing-part",
                        format!(
                            "composite `{}`: there is no objective `{part}`{near}; it stays without data",
                            whole.id
                        ),
                    );
                }
                Some(found) if found.window != whole.window => {
                    let message =
                        format!("composite `{}`: `{part}` has another window; its own budget goes in", whole.id);
                    say(Level::Warning, "composite", message);
                }
                Some(_) => {}
            }
        }
        if let Some(way) = circle(&whole.id, &ids) {
            let message = format!("composite `{}` is a part of itself ({way}); it stays without data", whole.id);
            say(Level::Error, "cycle", message);
        }
    }
    findings
}

/// The way back to an objective through its parts.
fn circle(start: &SloId, all: &BTreeMap<&SloId, &Objective>) -> Option<String> {
    let mut ways: Vec<Vec<&SloId>> = vec![vec![start]];
    let mut seen: BTreeSet<&SloId> = BTreeSet::new();
    while let Some(way) = ways.pop() {
        let parts = way.last().and_then(|id| all.get(*id)).and_then(|o| composite(o));
        for (part, _) in parts.into_iter().flat_map(|c| &c.parts) {
            if part == start {
                let names: Vec<&str> = way.iter().map(|id| id.as_str()).chain([start.as_str()]).collect();
                return Some(names.join(" -> "));
            }
            if seen.insert(part) {
                ways.push(way.iter().copied().chain([part]).collect());
            }
        }
    }
    None
}

fn about(whole: &Objective, level: Level, rule: &str, message: &str) -> Finding {
    let (path, line) = whole.declared.rsplit_once(':').unwrap_or((&whole.declared, "1"));
    Finding {
        path: path.to_owned(),
        line: line.parse().unwrap_or(1),
        column: 1,
        rule: rule.to_owned(),
        level,
        message: crate::domain::text::clean(message).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::{Fault, FaultKind};
    use crate::domain::slo::reading::Counts;
    use crate::domain::slo::seed;

    fn near(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-9 * want.abs().max(1.0), "{got} is not {want}");
    }

    fn plain(id: &str, target: f64) -> Objective {
        let text = include_str!("../../../tests/fixtures/seeds/slo.yaml");
        Objective { id: id.into(), target, ..seed::read("slo.yaml", text).0.remove(0) }
    }

    fn made_of(id: &str, target: f64, combine: Combine, parts: &[(&str, f64)]) -> Objective {
        let parts = parts.iter().map(|(p, w)| (SloId::from(*p), *w)).collect();
        Objective { sli: Sli::Composite(Composite { combine, parts }), ..plain(id, target) }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(1_777_593_600 + seconds, 0).unwrap()
    }

    fn measured(objective: &Objective, seconds: i64, errors: &[(Window, f64)]) -> Measurement {
        let reading = |e: f64| Reading::Counts(Counts { bad: e * 1e6, total: 1e6 });
        let windows = errors.iter().map(|(w, e)| (*w, (at(seconds), reading(*e)))).collect();
        Measurement { windows, coverage: Some(0.9), ..Measurement::empty(objective.id.clone()) }
    }

    #[test]
    fn burn_rates_add_up_by_weight() {
        let (a, b) = (plain("a", 0.999), plain("b", 0.99));
        let own = Window::of(a.window);
        let (ma, mb) = (
            measured(&a, 10, &[(Window::H1, 0.002), (own, 0.000_5)]),
            measured(&b, 5, &[(Window::H1, 0.03), (own, 0.002)]),
        );
        let parts = [
            Part { objective: &a, weight: 0.75, measurement: &ma },
            Part { objective: &b, weight: 0.25, measurement: &mb },
        ];
        let whole = made_of("w", 0.995, Combine::Weighted, &[]);
        let out = measure(&whole, Combine::Weighted, &parts);
        let burn = |w: Window| out.windows[&w].1.error_ratio().unwrap() / 0.005;
        near(burn(Window::H1), 0.75 * 2.0 + 0.25 * 3.0);
        near(burn(own), 0.75 * 0.5 + 0.25 * 0.2);
        assert_eq!((out.windows[&own].0, out.coverage), (at(5), Some(0.9)));
        let any = measure(&whole, Combine::AnyBad, &parts);
        near(any.windows[&Window::H1].1.error_ratio().unwrap(), 0.032);
    }

    #[test]
    fn what_a_part_does_not_know_the_whole_does_not() {
        let (a, b) = (plain("a", 0.999), plain("b", 0.999));
        let ma = measured(&a, 0, &[(Window::H1, 0.002), (Window::M5, 0.1)]);
        let mut mb = measured(&b, 0, &[(Window::H1, 0.0)]);
        let fault = Fault::new(FaultKind::Timeout, "prom", "slow");
        for (reading, want) in [
            (Reading::NoData, Reading::NoData),
            (Reading::Error(fault.clone()), Reading::Error(fault)),
            (Reading::Counts(Counts::default()), Reading::Recorded(0.002)),
        ] {
            mb.windows.insert(Window::H1, (at(0), reading));
            let parts = [
                Part { objective: &a, weight: 1.0, measurement: &ma },
                Part { objective: &b, weight: 1.0, measurement: &mb },
            ];
            let out = measure(&made_of("w", 0.999, Combine::Weighted, &[]), Combine::Weighted, &parts);
            match (&out.windows[&Window::H1].1, &want) {
                (Reading::Recorded(got), Reading::Recorded(want)) => near(*got, *want),
                (got, want) => assert_eq!(got, want),
            }
            assert!(!out.windows.contains_key(&Window::M5), "one part has no 5m");
        }
    }

    #[test]
    fn circles_and_missing_parts_are_found() {
        let weighted = |id: &str, parts: &[(&str, f64)]| made_of(id, 0.999, Combine::Weighted, parts);
        let all = vec![
            plain("api", 0.999),
            Objective { window: crate::domain::time::Span::days(7), ..plain("web", 0.999) },
            weighted("shop", &[("api", 1.0), ("web", 1.0)]),
            weighted("all", &[("shop", 1.0), ("ap", 2.0), ("api", 0.0)]),
            weighted("x", &[("y", 1.0)]),
            weighted("y", &[("x", 1.0), ("api", 1.0)]),
            weighted("none", &[]),
        ];
        let said: Vec<String> = lint(&all).into_iter().map(|f| format!("{}: {}", f.rule, f.message)).collect();
        assert_eq!(
            said,
            [
                "composite: composite `shop`: `web` has another window; its own budget goes in",
                "missing-part: composite `all`: there is no objective `ap` (nearest: `api`); it stays without data",
                "composite: composite `all`: the weight of `api` is 0 (expected over 0)",
                "cycle: composite `x` is a part of itself (x -> y -> x); it stays without data",
                "cycle: composite `y` is a part of itself (y -> x -> y); it stays without data",
                "composite: composite `none` has no parts",
            ]
        );
        let all: Vec<Arc<Objective>> = all.into_iter().map(Arc::new).collect();
        let order: Vec<String> = ordered(&all).iter().map(|o| o.id.0.clone()).collect();
        assert_eq!(order, ["none", "shop"]);
    }
}
