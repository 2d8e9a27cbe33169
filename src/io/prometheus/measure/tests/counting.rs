//! Two ways of counting, over counters whose every event is known: a server that stretches what it sees to the range, as a
//! Prometheus does, and one that begins at the sample before the range and stretches nothing, as a VictoriaMetrics does.

use super::*;
use crate::domain::time::parse_span;
use regex::Regex;

/// Seconds between two scrapes, and the second of the minute in which they happen.
const SCRAPE: i64 = 60;
const PHASE: i64 = 11;

/// All events and good ones up to a sample, by its number: a hundred a minute, of which 40 fail in the middle of each hour.
fn counted(metric: &str, sample: i64) -> f64 {
    let bad = sample.div_euclid(60) * 40 + if sample.rem_euclid(60) >= 31 { 40 } else { 0 };
    (sample * 100 - if metric == "good" { bad } else { 0 }) as f64
}

/// The number of the last sample that is not after an instant (seconds).
fn last(at: f64) -> i64 {
    ((at - PHASE as f64) / SCRAPE as f64).floor() as i64
}

#[derive(Debug)]
struct Counts {
    looks_back: bool,
    probes: AtomicUsize,
    /// Ranges in which slices were counted.
    ranges: Mutex<std::collections::BTreeSet<String>>,
}

impl Counts {
    fn server(looks_back: bool) -> Prometheus<Self> {
        Prometheus::new(Self { looks_back, probes: AtomicUsize::new(0), ranges: Mutex::default() })
    }

    fn increase(&self, metric: &str, from: f64, to: f64) -> Option<f64> {
        let (first, last) = (last(from) + 1, last(to));
        let value = |sample| counted(metric, sample);
        if self.looks_back {
            return (last >= first).then(|| value(last) - value(first - 1));
        }
        if last <= first {
            return None;
        }
        let at = |sample: i64| (sample * SCRAPE + PHASE) as f64;
        let sampled = at(last) - at(first);
        let each = sampled / (last - first) as f64;
        let edge = |gap: f64| if gap < each * 1.1 { gap } else { each / 2.0 };
        let whole = sampled + edge(at(first) - from) + edge(to - at(last));
        Some((value(last) - value(first)) * whole / sampled)
    }

    /// What the arms of a query say at an instant, by their tags.
    fn told(&self, query: &str, at: Timestamp) -> Vec<(String, f64)> {
        static ARM: std::sync::OnceLock<Regex> = std::sync::OnceLock::new();
        let arm = r#"label_replace\(\w+\((increase|count_over_time)\((\w+)\[(\w+)\]\)\), "midwatch", "([^"]+)""#;
        let at = at.timestamp() as f64;
        let one = |found: regex::Captures<'_>| {
            let (what, metric, range, tag) = (&found[1], &found[2], &found[3], found[4].to_owned());
            if tag.starts_with("bad:5m") || tag.starts_with("bad:1h") {
                lock(&self.ranges).insert(range.to_owned());
            }
            let length = match range.strip_suffix("ms") {
                Some(digits) => digits.parse::<f64>().unwrap() / 1_000.0,
                None => parse_span(range).unwrap().num_seconds() as f64,
            };
            let value = match what {
                "increase" => self.increase(metric, at - length, at)?,
                _ => (last(at) - last(at - length)) as f64,
            };
            Some((tag, value))
        };
        ARM.get_or_init(|| Regex::new(arm).unwrap()).captures_iter(query).filter_map(one).collect()
    }
}

impl Ask for Counts {
    fn instant<'a>(&'a self, query: &'a str, at: Timestamp) -> Task<'a, Result<Answer<Vec<Sample>>, Fault>> {
        Box::pin(async move {
            let sample = |labels, value| Sample { labels, at, value };
            if query.starts_with("avg_over_time(") {
                self.probes.fetch_add(1, SeqCst);
                assert!(query.contains("increase(all[45000ms])"), "{query}");
                let data = if self.looks_back { vec![sample(Labels::default(), 1.0)] } else { Vec::new() };
                return Ok(Answer { data, ..Answer::default() });
            }
            let data = self.told(query, at).into_iter().map(|(tag, value)| sample(labels(&tag), value)).collect();
            Ok(Answer { data, ..Answer::default() })
        })
    }

    fn range<'a>(
        &'a self,
        query: &'a str,
        start: Timestamp,
        end: Timestamp,
        step: Span,
    ) -> Task<'a, Result<Answer<Vec<RangeSeries>>, Fault>> {
        Box::pin(async move {
            let mut lines: std::collections::BTreeMap<String, Vec<(Timestamp, f64)>> = Default::default();
            for at in std::iter::successors(Some(start), |t| Some(*t + step).filter(|t| *t <= end)) {
                for (tag, value) in self.told(query, at) {
                    lines.entry(tag).or_default().push((at, value));
                }
            }
            let line = |(tag, points): (String, _)| RangeSeries { labels: labels(&tag), points };
            Ok(Answer { data: lines.into_iter().map(line).collect(), ..Answer::default() })
        })
    }

    fn series<'a>(
        &'a self,
        _selector: &'a str,
        _start: Timestamp,
        _end: Timestamp,
    ) -> Task<'a, Result<Answer<Vec<Labels>>, Fault>> {
        Box::pin(async { Ok(Answer::default()) })
    }

    fn alerts(&self) -> Task<'_, Result<Vec<Alert>, Fault>> {
        Box::pin(async { Ok(vec![]) })
    }

    fn rules(&self) -> Task<'_, Result<Vec<AlertRule>, Fault>> {
        Box::pin(async { Ok(vec![]) })
    }

    fn buildinfo(&self) -> Task<'_, Result<ServerNote, Fault>> {
        Box::pin(async { Ok(ServerNote::default()) })
    }
}

#[test]
fn a_month_is_exact_on_servers_that_count_in_either_way() {
    run(async {
        for looks_back in [false, true] {
            let server = Counts::server(looks_back);
            let list = objectives(&["sum(rate(good[1m])) / sum(rate(all[1m]))".to_owned()]);
            server.measure(&list, &[], now()).await.unwrap();
            lock(&server.ask.ranges).clear();
            warm_all(&server, &list, now()).await;
            let (got, _) = server.measure(&list, &[], now()).await.unwrap();
            let counts = got[0].windows[&month()].1.counts().unwrap();
            let ratio = counts.error_ratio().unwrap();
            let want = 40.0 / 6_000.0;
            assert!((ratio / want - 1.0).abs() < 1e-3, "looks back {looks_back}: {ratio} is not {want}");
            assert!((counts.total / 4_320_000.0 - 1.0).abs() < 1e-3, "looks back {looks_back}: {counts:?}");
            let longer = lock(&server.ask.ranges).iter().any(|r| r == "3659990ms");
            assert_eq!(longer, !looks_back, "{:?}", server.ask.ranges);
            assert_eq!(server.ask.probes.load(SeqCst), 1, "once a day");
            server.warm(&[], &list, now() + Span::days(2)).await.unwrap();
            assert_eq!(server.ask.probes.load(SeqCst), 2);
        }
    });
}
