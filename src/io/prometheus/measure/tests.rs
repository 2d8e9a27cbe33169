//! Measuring over a client that answers as told.

mod counting;

use super::*;
use crate::domain::fault::FaultKind;
use crate::domain::labels::Labels;
use crate::domain::slo::plan::TAG;
use crate::domain::slo::reading::{Counts, Reading};
use crate::domain::slo::seed;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Refuses texts that hold a word; answers the rest with what happens at a steady rate, one in a hundred bad, and lines of
/// 0.1.
#[derive(Debug, Default)]
struct Fake {
    refuse: Option<(&'static str, Option<FaultKind>)>,
    /// Answers every text of ours (recordings) with these.
    recorded: Vec<Sample>,
    /// All counts are this, whatever was asked.
    nonsense: Mutex<Option<f64>>,
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

    /// Ten events a second; the window is in the tag.
    fn count(&self, tag: &str) -> f64 {
        if let Some(nonsense) = *lock(&self.nonsense) {
            return nonsense;
        }
        let window = tag.split(':').nth(1).and_then(|w| crate::domain::time::parse_span(w).ok());
        let total = window.map_or(0.0, |w| w.num_seconds() as f64 * 10.0);
        if tag.starts_with("bad") { total / 100.0 } else { total }
    }

    fn take(&self) -> Vec<(String, Timestamp, Timestamp)> {
        std::mem::take(&mut lock(&self.asked))
    }
}

fn labels(tag: &str) -> Labels {
    Labels::from([(TAG, tag), ("job", "api")])
}

impl Ask for Fake {
    fn instant<'a>(&'a self, query: &'a str, at: Timestamp) -> Task<'a, Result<Answer<Vec<Sample>>, Fault>> {
        Box::pin(async move {
            lock(&self.asked).push((query.to_owned(), at, at));
            let tags = self.busy(query).await?;
            let data = match query.contains("__name__") {
                true => self.recorded.clone(),
                false => tags.iter().map(|t| Sample { labels: labels(t), at, value: self.count(t) }).collect(),
            };
            Ok(Answer { data, samples: Some(7), ..Answer::default() })
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
            assert_eq!((start.timestamp() % step.num_seconds(), end.timestamp() % step.num_seconds()), (0, 0));
            let mut tags = self.busy(query).await?;
            if tags.is_empty() {
                tags.push(String::new());
            }
            let times: Vec<Timestamp> =
                std::iter::successors(Some(start), |t| Some(*t + step).filter(|t| *t <= end)).collect();
            let value = |tag: &str| if tag.contains("total") || tag.contains("bad") { self.count(tag) } else { 0.1 };
            let line = |t: &String| RangeSeries {
                labels: labels(t),
                points: times.iter().map(|at| (*at, value(t))).collect(),
            };
            Ok(Answer { data: tags.iter().map(line).collect(), samples: Some(7), ..Answer::default() })
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

/// Warms until nothing is left; how many steps it took.
async fn warm_all<A: Ask>(server: &Prometheus<A>, list: &[Arc<Objective>], at: Timestamp) -> usize {
    for step in 1..=1_000 {
        if server.warm(&[], list, at).await.unwrap().left == 0 {
            return step;
        }
    }
    panic!("never warm");
}

fn month() -> Window {
    Window(30 * 86_400)
}

#[test]
fn the_seed_is_warmed_day_by_day_and_a_poll_asks_little() {
    run(async {
        let server = Prometheus::new(Fake::default());
        let list = seed_objectives();
        let (got, note) = server.measure(&list, &[], now()).await.unwrap();
        assert_eq!((note.requests, note.samples), (2, Some(14)), "the first poll reads no history");
        assert_eq!(got[0].windows.keys().copied().collect::<Vec<_>>(), [Window::M5, Window::M30]);
        assert_eq!((got[0].read, got[1].windows.len()), (Some(0.0), 1));
        server.ask.take();
        let steps = warm_all(&server, &list, now()).await;
        let asked = server.ask.take();
        assert!(asked.iter().all(|(_, s, e)| (*e - *s).num_seconds() <= 86_400), "never more than a day at once");
        assert!((62..=66).contains(&steps) && asked.len() == steps + 1, "{steps} steps, {} requests", asked.len());
        let asked = asked.get(1..).expect("how often it is scraped, once");
        let ends: Vec<Timestamp> = asked.iter().map(|(_, _, e)| *e).collect();
        assert!(ends.windows(2).all(|w| w[1] <= w[0]), "newest first");

        let (got, note) = server.measure(&list, &[], now() + Span::seconds(15)).await.unwrap();
        assert_eq!(note.requests, 4, "short windows, two tails, one tail of verdicts");
        for (window, (_, reading)) in &got[0].windows {
            let counts = reading.counts().unwrap();
            let want = f64::from(window.0) * 10.0;
            assert!((counts.total / want - 1.0).abs() < 1e-3, "{window}: {counts:?}");
            assert!((counts.bad / counts.total - 0.01).abs() < 1e-12, "{window}: {counts:?}");
        }
        assert_eq!((got[0].windows.len(), got[0].read), (8, Some(1.0)));
        assert!(got[0].coverage.is_some_and(|c| c > 0.999) && got[1].coverage == Some(1.0));
        assert_eq!(got[1].windows[&month()].1.counts(), Some(Counts { bad: 0.0, total: 8_640.0 }));
        assert!(got.iter().all(|m| m.slices.is_some()));
        let spans: Vec<i64> = server.ask.take().iter().map(|(_, s, e)| (*e - *s).num_seconds()).collect();
        assert_eq!(spans.iter().sum::<i64>(), 300 + 300 + 3_600, "two slices of each ring: {spans:?}");
    });
}

#[test]
fn hours_in_which_something_begins_are_read_in_parts_once() {
    run(async {
        let server = Prometheus::new(Fake::default());
        let list = seed_objectives();
        warm_all(&server, &list, now()).await;
        let at = now() - Span::days(9);
        let cuts = Cuts::from([("api_availability".into(), vec![at, at + Span::minutes(40)])]);
        server.cut(&cuts);
        server.ask.take();
        let (got, _) = server.measure(&list, &[], now() + Span::seconds(15)).await.unwrap();
        assert!(got[0].edges > 0 && got[1].edges == 0, "the poll says that there is something to read");
        server.ask.take();
        warm_all(&server, &list, now()).await;
        let asked = server.ask.take();
        let hours = if at.timestamp() % 3_600 + 2_400 > 3_600 { 2 } else { 1 };
        assert_eq!(asked.len(), hours, "{asked:?}");
        assert!(asked.iter().all(|(_, s, e)| *s <= at + Span::minutes(40) && *e >= at && (*e - *s) < Span::hours(1)));
        server.cut(&cuts);
        warm_all(&server, &list, now()).await;
        assert_eq!(server.ask.take().len(), 0, "once");
    });
}

#[test]
fn snapshots_stay_as_they_were_and_are_shared_while_nothing_changes() {
    run(async {
        let server = Prometheus::new(Fake::default());
        let list = seed_objectives();
        warm_all(&server, &list, now()).await;
        let slices = |m: &[Measurement]| m[0].slices.clone().unwrap();
        let (first, _) = server.measure(&list, &[], now()).await.unwrap();
        let (again, _) = server.measure(&list, &[], now() + Span::seconds(15)).await.unwrap();
        assert!(Arc::ptr_eq(&slices(&first), &slices(&again)), "nothing new: nothing copied");
        let end = slices(&first).end();
        let (later, _) = server.measure(&list, &[], now() + Span::minutes(10)).await.unwrap();
        assert!(slices(&later).end() > end);
        assert_eq!(slices(&first).end(), end, "what was handed out is not changed");
    });
}

#[test]
fn those_that_are_looked_at_are_warmed_first() {
    run(async {
        let server = Prometheus::new(Fake::default());
        let slis: Vec<String> = (0..40).map(|i| format!("sum(rate(good_{i}[1m])) / sum(rate(all_{i}[1m]))")).collect();
        let list = objectives(&slis);
        let (first, rest) = list.split_at(3);
        let mut steps = 0;
        loop {
            let step = server.warm(first, rest, now()).await.unwrap();
            steps += 1;
            let ids: Vec<&str> = step.measurements.iter().map(|m| m.slo.as_str()).collect();
            if ids != ["o0", "o1", "o2"] {
                assert_eq!(ids.len(), 37);
                break;
            }
        }
        assert_eq!(steps, 35, "six hours, thirty-three days and the hour it begins in of the first, then the others");
    });
}

#[test]
fn a_gap_is_filled_by_the_poll_when_short_and_warmed_when_long() {
    run(async {
        let server = Prometheus::new(Fake::default());
        let list = objectives(&["sum(rate(good[1m])) / sum(rate(all[1m]))".to_owned()]);
        warm_all(&server, &list, now()).await;
        let (got, note) = server.measure(&list, &[], now() + Span::hours(4)).await.unwrap();
        assert_eq!((note.requests, got[0].windows.len()), (3, 8), "four hours are a poll's");
        let later = now() + Span::days(3);
        let (got, note) = server.measure(&list, &[], later).await.unwrap();
        assert_eq!((note.requests, got[0].windows.contains_key(&Window::H1)), (3, false));
        assert!(got[0].windows.contains_key(&Window::M5) && got[0].read.is_some_and(|r| r < 1.0));
        let steps = warm_all(&server, &list, later).await;
        assert!((4..=6).contains(&steps), "only what was missed: {steps}");
        let (got, _) = server.measure(&list, &[], later).await.unwrap();
        assert_eq!(got[0].windows.len(), 8);
    });
}

#[test]
fn slices_outlive_the_program() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let place = || Some(Disk::new(folder.path(), &"main".into(), "http://h"));
        let list = seed_objectives();
        let server = Prometheus::new(Fake::default()).keeping(place());
        warm_all(&server, &list, now()).await;
        server.keep();
        let server = Prometheus::new(Fake::default()).keeping(place());
        let later = now() + Span::minutes(20);
        let (got, note) = server.measure(&list, &[], later).await.unwrap();
        assert_eq!((note.requests, got[0].windows.len(), got[1].windows.len()), (4, 8, 8), "warm from the first poll");
        assert_eq!(server.warm(&[], &list, later).await.unwrap().left, 0);
        // Another query under the same name is another thing.
        let other = objectives(&["sum(rate(good[1m])) / sum(rate(all[1m]))".to_owned()]);
        let renamed = [Arc::new(Objective { id: "api_availability".into(), ..Objective::clone(&other[0]) })];
        let (got, _) = server.measure(&renamed, &[], later).await.unwrap();
        assert_eq!(got[0].read, Some(0.0));
    });
}

#[test]
fn an_objective_of_any_kind_takes_little_on_disk_and_in_memory() {
    run(async {
        let slis = ["sum(rate(good[1m])) / sum(rate(all[1m]))", "max(q) < bool 3", "avg(up)"];
        for sli in slis {
            let folder = tempfile::tempdir().unwrap();
            let list = objectives(&[sli.to_owned()]);
            let server =
                Prometheus::new(Fake::default()).keeping(Some(Disk::new(folder.path(), &"m".into(), "http://h")));
            warm_all(&server, &list, now()).await;
            for minutes in [0, 5, 65] {
                let at = now() + Span::minutes(minutes);
                let (got, _) = server.measure(&list, &[], at).await.unwrap();
                warm_all(&server, &list, at).await;
                assert_eq!((got[0].read, got[0].windows.len()), (Some(1.0), 8), "{sli}");
            }
            server.keep();
            let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap();
            let (disk, memory) =
                (file.metadata().unwrap().len(), lock(&server.kept).events(&list[0].id).unwrap().allocated());
            println!("{sli}: {disk} B on disk, {memory} B in memory");
            assert!(disk as f64 <= 12.4 * 1_024.0 && memory as f64 <= 12.4 * 1_024.0, "{sli}: {disk} {memory}");
        }
    });
}

#[test]
fn nonsense_is_odd_and_never_a_number() {
    run(async {
        for nonsense in [f64::NAN, f64::INFINITY, -5.0] {
            let server = Prometheus::new(Fake::default());
            let list = objectives(&["sum(rate(good[1m])) / sum(rate(all[1m]))".to_owned()]);
            warm_all(&server, &list, now()).await;
            *lock(&server.ask.nonsense) = Some(nonsense);
            let (got, _) = server.measure(&list, &[], now() + Span::minutes(10)).await.unwrap();
            assert!(got[0].windows.values().all(|(_, r)| matches!(r, Reading::Odd(_))), "{nonsense}: {got:?}");
            let known = got[0].slices.as_ref().unwrap().window(month()).counts().unwrap();
            assert!(known.total.is_finite() && known.bad >= 0.0 && known.bad <= known.total);
        }
    });
}

fn recorded_objectives(many: usize) -> (Vec<Arc<Objective>>, Vec<Sample>) {
    use crate::domain::slo::objective::Identity;
    let slis: Vec<String> = (0..many).map(|i| format!("sum(rate(good_{i}[1m])) / sum(rate(all_{i}[1m]))")).collect();
    let named = |(i, o): (usize, &Arc<Objective>)| {
        Arc::new(Objective { identity: Identity::Sloth(format!("svc-{i}")), ..Objective::clone(o) })
    };
    let list: Vec<Arc<Objective>> = objectives(&slis).iter().enumerate().map(named).collect();
    let series = |i: usize| {
        let one = move |w: &str, value: f64| Sample {
            labels: Labels::from([
                ("__name__", format!("slo:sli_error:ratio_rate{w}").as_str()),
                ("sloth_id", format!("svc-{i}").as_str()),
            ]),
            at: now(),
            value,
        };
        [one("5m", 0.02), one("1h", 0.02), one("30d", 0.05)]
    };
    (list, (0..many).flat_map(series).collect())
}

#[test]
fn a_thousand_recorded_objectives_take_two_requests() {
    run(async {
        let (list, recorded) = recorded_objectives(1_000);
        let server = Prometheus::new(Fake { recorded, ..Fake::default() });
        for minutes in [0, 1, 11, 12] {
            let (got, note) = server.measure(&list, &[], now() + Span::minutes(minutes)).await.unwrap();
            assert!(note.requests <= 2, "{} requests", note.requests);
            assert!(got.iter().all(|m| m.via == crate::domain::slo::reading::Via::Recorded && m.windows.len() == 3));
            assert_eq!(got[999].windows[&month()].1, Reading::Recorded(0.05));
        }
    });
}

#[test]
fn a_recorded_one_that_is_looked_at_is_counted_and_the_difference_is_known() {
    run(async {
        let (list, recorded) = recorded_objectives(3);
        let server = Prometheus::new(Fake { recorded, ..Fake::default() });
        server.measure(&list, &[], now()).await.unwrap();
        let looked_at = &list[..1];
        while server.warm(looked_at, &[], now()).await.unwrap().left > 0 {}
        let (got, note) = server.measure(&list, &[], now()).await.unwrap();
        assert!(note.requests <= 5, "{}", note.requests);
        let (rec, exact) = got[0].recorded.unwrap();
        assert!((rec - 0.05).abs() < 1e-12 && (exact - 0.99).abs() < 1e-9);
        assert!(got[0].windows[&month()].1.counts().is_some(), "the event-weighted one replaces it");
        assert_eq!((got[1].recorded, got[1].windows[&month()].1.clone()), (None, Reading::Recorded(0.05)));
    });
}

#[test]
fn recordings_that_are_not_there_or_vanish_give_way_to_counting() {
    run(async {
        let (list, recorded) = recorded_objectives(2);
        let half: Vec<Sample> = recorded.into_iter().filter(|s| s.labels.get("sloth_id") == "svc-0").collect();
        let mut server = Prometheus::new(Fake { recorded: half, ..Fake::default() });
        let (got, note) = server.measure(&list, &[], now()).await.unwrap();
        assert_eq!((note.requests, got[1].windows.len()), (3, 2), "the other one is counted at once");
        Arc::get_mut(&mut server.ask).unwrap().recorded.clear();
        let (got, _) = server.measure(&list, &[], now() + Span::minutes(1)).await.unwrap();
        assert_eq!(got[0].windows.len(), 0, "nothing is said: what was known grows old");
        let (got, _) = server.measure(&list, &[], now() + Span::minutes(11)).await.unwrap();
        assert_eq!(got[0].windows.len(), 2, "then it is counted");
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
        let list = seed_objectives();
        let chart = |o: Arc<Objective>, range| {
            let server = &server;
            async move {
                let windows = [Window::M5, Window::H1];
                server.history(&o, &windows, range, Span::minutes(5), now()).await.unwrap()
            }
        };
        let raw = chart(list[0].clone(), Span::hours(6)).await;
        assert!(raw.series.iter().all(|s| s.points.iter().all(|p| p.is_some_and(|b| (b - 10.0).abs() < 1e-9))));
        assert_eq!(raw.budget, None, "not before the window was read");
        warm_all(&server, &list, now()).await;
        server.ask.take();
        for (objective, want) in list.iter().zip([10.0, 0.0]) {
            let chart = chart(objective.clone(), Span::hours(6)).await;
            assert_eq!(chart.series.iter().map(|s| s.window).collect::<Vec<_>>(), [Window::M5, Window::H1]);
            for line in &chart.series {
                assert_eq!(line.points.len(), 73);
                assert!(line.points.iter().all(|p| p.is_some_and(|b| (b - want).abs() < 1e-9)), "{line:?}");
            }
            let budget = chart.budget.unwrap();
            let last = budget.points.last().copied().flatten().unwrap();
            assert!((last - (1.0 - want)).abs() < 1e-6, "{last}");
            assert_eq!(budget.points.len(), 720);
        }
        assert_eq!(server.ask.take(), vec![], "nothing is asked for what was read");
    });
}
