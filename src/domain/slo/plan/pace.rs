//! How often a counter is scraped, and what slices gain by it. `increase` sees what lies between the first and the last
//! sample of its range and stretches that to the range: a burst inside one slice comes out a scrape interval too large, one
//! across a border too small. Over a range that is one scrape longer it sees exactly what lies between two ends of slices,
//! stretched by a factor that is known. A server whose `increase` begins at the sample before the range (VictoriaMetrics)
//! needs none of that: its slices add up as they are. Never asks by itself; an interval that is not known changes nothing.

use crate::domain::slo::plan::{Arm, Chunk, Feed, Group, Groups, Request, Side, TAG, by_value};
use crate::domain::slo::promql::{WINDOW, parse};
use crate::domain::slo::reading::Window;
use crate::domain::slo::sample::Sample;
use crate::domain::time::{Span, seconds};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The scrape interval of every objective of a list, in seconds; `None` where it is not known.
pub type Scrapes<'a> = &'a dyn Fn(usize) -> Option<u32>;

/// Scrape intervals that people choose, in seconds.
const USUAL: [u32; 19] = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 45, 60, 90, 120, 150, 180, 240, 300];
/// Fewer samples tell no interval.
const FEW: f64 = 5.0;
/// Samples are counted in one hour.
const COUNTED_IN: Window = Window::H1;
/// A range ends this much before the sample that is one too many, in milliseconds: more than scrapes are late or early.
const SPARE: i64 = 10;

impl Groups {
    /// Requests for the number of samples that the fullest series of each total has in an hour; of totals that some wanted
    /// objective has.
    pub fn samples(&self, wants: &dyn Fn(usize) -> bool) -> Vec<Request> {
        let mut requests = Vec::new();
        for shared in [true, false] {
            let mut chunk = Chunk::default();
            for (index, group) in self.0.iter().enumerate().filter(|(_, g)| g.label.is_some() == shared) {
                let total = |f: &&Feed| f.side == Side::Total && wants(f.objective);
                let feeds: Vec<Feed> = group.feeds.iter().filter(total).cloned().collect();
                if let (false, Some(expr)) = (feeds.is_empty(), counting(&group.text)) {
                    let (tag, label) = (format!("samples:{COUNTED_IN}:{index}"), group.label.clone());
                    chunk.add(Arm { tag, expr, window: COUNTED_IN, scale: 1.0, label, feeds }, &mut requests);
                }
            }
            chunk.close(&mut requests);
        }
        requests
    }
}

impl Groups {
    /// The question whether the server's `increase` begins at the sample before its range: which share of the series has one
    /// over three quarters of a scrape, where there is one sample at most. Of the first total whose interval is known.
    pub fn looks_back(&self, scrapes: Scrapes<'_>) -> Option<String> {
        self.0.iter().find_map(|group| {
            let total = |f: &&Feed| f.side == Side::Total;
            let scrape = group.feeds.iter().filter(total).find_map(|f| scrapes(f.objective))?;
            let inner = group.text.find("increase(").filter(|_| stretched(&group.text));
            let inner = group.text.get(inner?..)?.strip_suffix(')')?;
            let range = format!("{}ms", u64::from(scrape) * 750);
            let counted = inner.replace(WINDOW, &range);
            parse(&counted).ok()?;
            let there = counted.replacen("increase(", "count_over_time(", 1);
            let (over, step) = (u64::from(scrape) * 10, u64::from(scrape) * 333);
            Some(format!("avg_over_time((count({counted}) / count({there}))[{over}s:{step}ms])"))
        })
    }
}

/// What such an answer says.
pub fn does_look_back(samples: &[Sample]) -> bool {
    samples.first().is_some_and(|share| share.value > 0.5)
}

/// The scrape intervals that such an answer tells of, by index of the objective.
pub fn scrapes(request: &Request, samples: &[Sample]) -> BTreeMap<usize, u32> {
    let arms: HashMap<&str, _> = request.arms.iter().map(|arm| (arm.tag.as_str(), (arm, by_value(arm)))).collect();
    let mut found = BTreeMap::new();
    for sample in samples {
        let Some((arm, feeds)) = arms.get(sample.labels.get(TAG)) else { continue };
        let value = arm.label.as_ref().map_or("", |label| sample.labels.get(label));
        let Some(seconds) = interval(sample.value) else { continue };
        found.extend(feeds.get(value).into_iter().flatten().map(|feed| (feed.objective, seconds)));
    }
    found
}

/// The interval of so many samples in an hour.
fn interval(samples: f64) -> Option<u32> {
    usual(samples, COUNTED_IN.span())
}

/// The interval of so many samples in a stretch of time, in seconds, where it is one that people choose: a sample may be
/// missing or lie on the border. Few samples tell nothing.
pub fn usual(samples: f64, over: Span) -> Option<u32> {
    let off = |usual: u32| (seconds(over) / f64::from(usual) - samples).abs();
    let nearest = USUAL.into_iter().min_by(|a, b| off(*a).total_cmp(&off(*b)))?;
    (samples.is_finite() && samples >= FEW && off(nearest) <= (samples * 0.02).max(1.0)).then_some(nearest)
}

/// What is one sum of one `increase`, asked for the most samples instead.
fn counting(text: &str) -> Option<String> {
    let rest = stretched(text).then(|| text.strip_prefix("sum")).flatten()?;
    let range = crate::domain::time::prometheus(COUNTED_IN.span());
    Some(format!("max{}", rest.replace("increase(", "count_over_time(").replace(WINDOW, &range)))
}

/// Whether a text is one sum of one `increase`.
fn stretched(text: &str) -> bool {
    text.starts_with("sum") && text.matches("increase(").count() == 1 && text.matches(WINDOW).count() == 1
}

/// The range in which a slice of a group is counted, and what a count in it is to be multiplied with.
pub(super) fn range(group: &Group, slice: Window, scrapes: Scrapes<'_>) -> (String, f64) {
    let known: BTreeSet<u32> = group.feeds.iter().filter_map(|f| scrapes(f.objective)).collect();
    let length = i64::from(slice.0) * 1_000;
    match known.first().filter(|_| stretched(&group.text)) {
        // A slice of few samples is too short to be told better.
        Some(scrape) if i64::from(*scrape) * 2_000 <= length => {
            let range = length + i64::from(*scrape) * 1_000 - SPARE;
            (format!("{range}ms"), length as f64 / range as f64)
        }
        _ => (crate::domain::time::prometheus(slice.span()), 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::labels::Labels;
    use crate::domain::slo::objective::Objective;
    use crate::domain::slo::seed;
    use crate::domain::time::Timestamp;
    use std::sync::Arc;

    #[test]
    fn intervals_are_those_that_people_choose() {
        for (samples, want) in [
            (60.0, Some(60)),
            (61.0, Some(60)),
            (59.0, Some(60)),
            (240.0, Some(15)),
            (241.0, Some(15)),
            (236.0, Some(15)),
            (3_600.0, Some(1)),
            (12.0, Some(300)),
            (48.0, None),
            (4.0, None),
            (0.0, None),
            (36_000.0, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ] {
            assert_eq!(interval(samples), want, "{samples}");
        }
        let twenty = Span::minutes(20);
        for (samples, want) in [(20.0, Some(60)), (21.0, Some(60)), (80.0, Some(15)), (4.0, None), (33.0, None)] {
            assert_eq!(usual(samples, twenty), want, "{samples} in 20 minutes");
        }
    }

    fn objectives() -> Vec<Arc<Objective>> {
        let one = |id: &str, job: &str, code: &str| {
            let x = format!("http_total{{job='{job}'}}[1m]");
            format!(
                "  {id}: {{sli: \"sum(rate(http_total{{job='{job}',code!~'{code}'}}[1m])) / sum(rate({x}))\", target: 0.9, window: 30d}}\n"
            )
        };
        let text = format!("{}:\n{}{}", seed::ROOT, one("a", "a", "5.."), one("b", "b", "5.."));
        seed::read("f.yaml", &text).0.into_iter().map(Arc::new).collect()
    }

    #[test]
    fn a_server_is_asked_how_it_counts() {
        let list = objectives();
        let groups = Groups::of(&list);
        let text = groups.looks_back(&|index| (index == 1).then_some(60)).unwrap();
        let all = "http_total{job=~\"a|b\"}[45000ms]";
        let want = format!("avg_over_time((count(increase({all})) / count(count_over_time({all})))[600s:19980ms])");
        assert_eq!(text, want);
        assert!(parse(&text).is_ok());
        assert_eq!(groups.looks_back(&|_| None), None);
        let share = |value| [Sample { labels: Labels::default(), at: Timestamp::UNIX_EPOCH, value }];
        assert!(does_look_back(&share(1.0)) && !does_look_back(&share(0.1)) && !does_look_back(&share(f64::NAN)));
        assert!(!does_look_back(&[]));
    }

    #[test]
    fn a_slice_is_asked_one_scrape_longer() {
        let list = objectives();
        let groups = Groups::of(&list);
        let requests = groups.samples(&|_| true);
        assert_eq!(requests.len(), 1);
        for (text, plain) in [
            ("sum(increase(a[$window]))", true),
            ("sum(increase(a[$window])) + sum(increase(b[$window]))", false),
            ("sum(sum_over_time(a[$window]))", false),
            ("avg(increase(a[$window]))", false),
        ] {
            assert_eq!(counting(text).is_some(), plain, "{text}");
        }
        let query = requests[0].query();
        assert!(query.contains("max by (job) (count_over_time(http_total{job=~\"a|b\"}[1h]))"), "{query}");
        let arm = &requests[0].arms[0];
        let sample = |job: &str, value| Sample {
            labels: Labels::from([(TAG, arm.tag.as_str()), ("job", job)]),
            at: Timestamp::UNIX_EPOCH,
            value,
        };
        let found = scrapes(&requests[0], &[sample("a", 240.0), sample("c", 60.0)]);
        assert_eq!(found, BTreeMap::from([(0, 15)]));
        for (slice, range, scale) in
            [(Window::H1, "3614990ms", 3_600.0 / 3_614.99), (Window::M5, "314990ms", 300.0 / 314.99)]
        {
            let asked = groups.slices(slice, &|_| true, &|index| found.get(&index).copied());
            let arms: Vec<_> = asked.iter().flat_map(|r| &r.arms).collect();
            for arm in arms.iter().filter(|a| a.label.is_some()) {
                assert!(arm.expr.contains(range) && (arm.scale - scale).abs() < 1e-12, "{arm:?}");
            }
            assert!(!arms.is_empty());
        }
        let slow = groups.slices(Window::M5, &|_| true, &|_| Some(180));
        assert!(slow.iter().flat_map(|r| &r.arms).all(|a| a.scale == 1.0), "two samples tell nothing better");
    }
}
