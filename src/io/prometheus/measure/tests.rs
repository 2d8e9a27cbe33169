//! Measuring over a client that answers as told.

use super::*;
use crate::domain::labels::Labels;
use crate::domain::slo::plan::TAG;
use crate::domain::slo::reading::Counts;
use crate::domain::slo::seed;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Refuses texts that hold a word; answers the rest with 1 bad of 1000, and lines of 0.1.
#[derive(Debug, Default)]
struct Fake {
    refuse: Option<(&'static str, Option<FaultKind>)>,
    running: AtomicUsize,
    most: AtomicUsize,
    asked: Mutex<Vec<(String, Timestamp, Timestamp)>>,
}

impl Fake {
    async fn busy(&self, query: &str) -> Result<Vec<String>, Fault> {
        self.most.fetch_max(self.running.fetch_add(1, SeqCst) + 1, SeqCst);
        tokio::task::yield_now().await;
        self.running.fetch_sub(1, SeqCst);
        match self.refuse {
            Some((word, kind)) if query.contains(word) => {
                Err(Fault::new(kind.unwrap_or(FaultKind::Rejected), "prometheus fake", "told to"))
            }
            _ => {
                let tags = query.split("\"midwatch\", \"").skip(1);
                Ok(tags.filter_map(|t| t.split('"').next()).map(str::to_owned).collect())
            }
        }
    }
}

fn labels(tag: &str) -> Labels {
    Labels::from([(TAG, tag), ("job", "api")])
}

impl Ask for Fake {
    fn instant<'a>(&'a self, query: &'a str, at: Timestamp) -> Task<'a, Result<Answer<Vec<Sample>>, Fault>> {
        Box::pin(async move {
            let value = |tag: &str| if tag.starts_with("bad") { 1.0 } else { 1_000.0 };
            let data =
                self.busy(query).await?.iter().map(|t| Sample { labels: labels(t), at, value: value(t) }).collect();
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
            lock(&self.asked).push((query.to_owned(), start, end));
            let mut tags = self.busy(query).await?;
            if tags.is_empty() {
                tags.push(String::new());
            }
            let times: Vec<Timestamp> =
                std::iter::successors(Some(start), |t| Some(*t + step).filter(|t| *t <= end)).collect();
            let value = |tag: &str| match tag {
                t if t.starts_with("bad") => 1.0,
                t if t.starts_with("total") => 1_000.0,
                _ => 0.1,
            };
            let line = |t: &String| RangeSeries {
                labels: labels(t),
                points: times.iter().map(|at| (*at, value(t))).collect(),
            };
            Ok(Answer { data: tags.iter().map(line).collect(), ..Answer::default() })
        })
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

fn objectives(slis: &[String]) -> Vec<Arc<Objective>> {
    let mut file = format!("{}:\n", seed::ROOT);
    for (i, sli) in slis.iter().enumerate() {
        file += &format!("  o{i}: {{sli: \"{sli}\", target: 0.9, window: 30d}}\n");
    }
    seed::read("f.yaml", &file).0.into_iter().map(Arc::new).collect()
}

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_700_000_123, 0).unwrap()
}

fn run<T>(task: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(task)
}

fn seed_objectives() -> Vec<Arc<Objective>> {
    let text = include_str!("../../../../tests/fixtures/seeds/slo.yaml");
    seed::read("slo.yaml", text).0.into_iter().map(Arc::new).collect()
}

#[test]
fn the_seed_is_measured_and_the_second_poll_asks_little() {
    run(async {
        let server = Prometheus::new(Fake::default());
        let list = seed_objectives();
        let windows: Vec<Window> = Window::BURN.into_iter().chain([Window(30 * 86_400)]).collect();
        let (got, note) = server.measure(&list, &windows, now()).await.unwrap();
        assert!(note.requests <= 4, "{}", note.requests);
        let counts = |m: &Measurement, w: &Window| m.windows[w].1.counts().unwrap();
        for w in &windows {
            assert_eq!(counts(&got[0], w), Counts { bad: 1.0, total: 1_000.0 });
            assert_eq!(counts(&got[1], w), Counts { bad: 0.0, total: f64::from(w.0 / 300) });
        }
        assert_eq!((got[0].coverage, got[1].coverage), (None, Some(1.0)));
        server.measure(&list, &windows, now() + Span::seconds(30)).await.unwrap();
        let asked = lock(&server.ask.asked);
        let spans: Vec<i64> = asked.iter().map(|(_, s, e)| (*e - *s).num_seconds()).collect();
        assert_eq!(spans, [8_639 * 300, 300]);
    });
}

#[test]
fn one_bad_text_costs_the_others_nothing() {
    run(async {
        let server = Prometheus::new(Fake { refuse: Some(("good_7[", None)), ..Fake::default() });
        let mut slis: Vec<String> =
            (0..20).map(|i| format!("sum(rate(good_{i}[1m])) / sum(rate(all_{i}[1m]))")).collect();
        slis.extend((0..20).map(|i| format!("avg(up_{i})")));
        let list = objectives(&slis);
        let (got, note) = server.measure(&list, &[Window::M5], now()).await.unwrap();
        for (i, m) in got.iter().enumerate() {
            let failed = matches!(&m.windows[&Window::M5].1, Reading::Error(f) if f.kind == FaultKind::Rejected);
            assert_eq!(failed, i == 7, "{i}");
        }
        assert!(note.requests < 20, "{}", note.requests);
        assert!((2..=IN_FLIGHT).contains(&server.ask.most.load(SeqCst)));
    });
}

#[test]
fn a_source_that_answers_nothing_is_a_fault_and_one_that_answers_some_is_not() {
    run(async {
        let list = seed_objectives();
        let dead = Prometheus::new(Fake { refuse: Some(("(", Some(FaultKind::Unreachable))), ..Fake::default() });
        assert_eq!(dead.measure(&list, &[Window::M5], now()).await.unwrap_err().kind, FaultKind::Unreachable);
        let half = Prometheus::new(Fake { refuse: Some(("quantile", Some(FaultKind::Timeout))), ..Fake::default() });
        let (got, _) = half.measure(&list, &[Window::M5], now()).await.unwrap();
        assert!(got[0].windows[&Window::M5].1.counts().is_some());
        assert!(matches!(&got[1].windows[&Window::M5].1, Reading::Error(f) if f.kind == FaultKind::Timeout));
        let refusing = Prometheus::new(Fake { refuse: Some(("(", None)), ..Fake::default() });
        let (got, _) = refusing.measure(&list, &[Window::M5], now()).await.unwrap();
        assert!(got.iter().all(|m| matches!(m.windows[&Window::M5].1, Reading::Error(_))));
        let (nothing, note) = refusing.measure(&[], &[Window::M5], now()).await.unwrap();
        assert_eq!((nothing.len(), note.requests), (0, 0));
    });
}

#[test]
fn charts_of_events_and_of_slices() {
    run(async {
        let server = Prometheus::new(Fake::default());
        for objective in seed_objectives() {
            let windows = [Window::M5, Window::H1];
            let chart = server.history(&objective, &windows, Span::hours(6), Span::minutes(5), now()).await.unwrap();
            assert_eq!(chart.series.iter().map(|s| s.window).collect::<Vec<_>>(), windows);
            let want = if objective.id.as_str() == "api_availability" { 1.0 } else { 0.0 };
            for line in &chart.series {
                assert_eq!(line.points.len(), 73);
                assert!(line.points.iter().all(|p| p.is_some_and(|b| (b - want).abs() < 1e-9)));
            }
            let budget = chart.budget.unwrap();
            let last = budget.points.last().copied().flatten().unwrap();
            assert!((last - (1.0 - want)).abs() < 1e-9, "{last}");
            assert_eq!(budget.points.len(), 720);
        }
    });
}
