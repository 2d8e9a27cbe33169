//! A month of counters in a real Prometheus, with the oddities that other tools get wrong: the generator knows every event, so
//! that the truth needs no PromQL. Nothing in it keeps to the clock: the month begins at an odd second, every service is
//! scraped at a second of its own, and days begin in odd minutes. Ratios over thirty days, states, coverage, recordings,
//! requests, and a warm restart.

use crate::real::{Prometheus, Setup};
use midwatch::domain::slo::marks::{Marker, Whose};
use midwatch::domain::slo::objective::{Identity, Objective};
use midwatch::domain::slo::reading::{Measurement, Reading, Via, Window};
use midwatch::domain::slo::status::{State, Status, assess};
use midwatch::domain::time::{Timestamp, secs};
use midwatch::io::http::Endpoint;
use midwatch::io::port::Metrics;
use midwatch::io::prometheus::measure::disk::Disk;
use midwatch::io::prometheus::source::prometheus;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Minutes of the window, and of history before it.
const WINDOW: i64 = 30 * 1_440;
const BEFORE: i64 = 90;

/// What is odd about a service.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Odd {
    Steady,
    /// Forty minutes at 30 % errors, two days before the end.
    Incident,
    /// No 5xx series at all.
    NoErrors,
    /// The 5xx series begins on day 15.
    BornLate,
    /// Counters begin anew every six hours.
    Resets,
    /// A twentieth of the traffic at night, and every tenth request of it fails.
    FailsAtNight,
    /// Not scraped for two days.
    Gone,
    /// One request a minute, 24 errors in a month.
    Sparse,
    /// Nothing happens from two to five.
    IdleAtNight,
    /// Nothing happened in the last seven hours.
    IdleNow,
    /// Not scraped any more since two hours.
    Vanished,
    /// Steady; rules record it with a mean of ratios.
    Recorded,
    /// Fails at night like the other one; nights begin so many minutes after the minute of the day in which the window
    /// does, inside the first hour of the window.
    NightFrom(i64),
    /// The same; nights end in that minute.
    NightUntil(i64),
}

const ALL: [(&str, Odd); 18] = [
    ("steady", Odd::Steady),
    ("incident", Odd::Incident),
    ("noerrors", Odd::NoErrors),
    ("bornlate", Odd::BornLate),
    ("resets", Odd::Resets),
    ("night", Odd::FailsAtNight),
    ("gone", Odd::Gone),
    ("sparse", Odd::Sparse),
    ("idle", Odd::IdleAtNight),
    ("idlenow", Odd::IdleNow),
    ("vanished", Odd::Vanished),
    ("recorded", Odd::Recorded),
    ("from3", Odd::NightFrom(3)),
    ("from16", Odd::NightFrom(16)),
    ("from38", Odd::NightFrom(38)),
    ("until8", Odd::NightUntil(8)),
    ("until24", Odd::NightUntil(24)),
    ("until41", Odd::NightUntil(41)),
];

/// The second of the minute in which a service is scraped.
fn second(service: i64) -> i64 {
    (service * 23 + 11) % 60
}

/// A number that looks random and is the same in every run.
fn dice(seed: i64, sides: i64) -> i64 {
    let mut x = (seed as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) % sides as u64) as i64
}

impl Odd {
    /// Good and bad requests in minute `m` of the month (negative before it), which begins in minute `first` of a day.
    fn happens(self, service: i64, m: i64, first: i64) -> (i64, i64) {
        // Days of every service begin in another minute of the hour.
        let hour = (m + first + service * 7).rem_euclid(1_440) / 60;
        let night = match self {
            Self::FailsAtNight => hour < 5,
            Self::NightFrom(begin) => (m - begin).rem_euclid(1_440) < 300,
            Self::NightUntil(end) => (m - end).rem_euclid(1_440) >= 1_440 - 300,
            _ => false,
        };
        let traffic = 300 + 200 * ((hour - 12).abs() - 6).abs() + dice(service * 1_000_003 + m, 60);
        let rare = |traffic: i64| traffic * 4 / 10_000 + i64::from(dice(service * 7_919 + m * 31, 100) < 30);
        match self {
            Self::Steady | Self::Resets | Self::Gone | Self::Vanished | Self::Recorded => (traffic, rare(traffic)),
            Self::Incident if (WINDOW - 2_880..WINDOW - 2_840).contains(&m) => (traffic * 7 / 10, traffic * 3 / 10),
            Self::Incident => (traffic, rare(traffic)),
            Self::NoErrors => (traffic, 0),
            Self::BornLate => (traffic, if m < WINDOW / 2 { 0 } else { rare(traffic) }),
            Self::FailsAtNight | Self::NightFrom(_) | Self::NightUntil(_) if night => (traffic / 20, traffic / 200),
            Self::FailsAtNight | Self::NightFrom(_) | Self::NightUntil(_) => (traffic, 0),
            Self::Sparse => (1, i64::from(m > 0 && m % 1_800 == 900)),
            Self::IdleAtNight if (2..5).contains(&hour) => (0, 0),
            Self::IdleAtNight => (traffic, rare(traffic)),
            Self::IdleNow if m >= WINDOW - 420 => (0, 0),
            Self::IdleNow => (traffic, rare(traffic)),
        }
    }

    /// Whether it is scraped at the end of minute `m`.
    fn scraped(self, m: i64) -> bool {
        match self {
            Self::Gone => !(10 * 1_440..12 * 1_440).contains(&m),
            Self::Vanished => m < WINDOW - 120,
            _ => true,
        }
    }
}

/// What a month of one service was: bad and all events inside the window, where it was scraped.
fn truth(service: i64, odd: Odd, first: i64) -> (f64, f64) {
    let mut sum = (0.0, 0.0);
    // The service's minutes begin a little later than those of the window, which cuts its first and its last one.
    let late = second(service) as f64 / 60.0;
    for m in -1..WINDOW {
        let inside = match m {
            -1 => late,
            _ if m == WINDOW - 1 => 1.0 - late,
            _ => 1.0,
        };
        // What happened while nobody looked cannot be known; the step over the gap is part of no slice.
        if odd.scraped(m) && odd.scraped(m - 1) {
            let (good, bad) = odd.happens(service, m, first);
            sum = (sum.0 + inside * bad as f64, sum.1 + inside * (good + bad) as f64);
        }
    }
    sum
}

/// The minute of the day in which a month begins.
fn minute_of_day(start: Timestamp) -> i64 {
    start.timestamp().rem_euclid(86_400) / 60
}

fn counters(start: Timestamp) -> String {
    let first = minute_of_day(start);
    let mut text = String::with_capacity(64 << 20);
    text.push_str("# TYPE http_requests counter\n");
    for (service, (name, odd)) in ALL.iter().enumerate() {
        let service = service as i64;
        for code in ["200", "503"] {
            let mut count = 0;
            let mut seen = code == "200";
            for m in -BEFORE..WINDOW {
                let (good, bad) = odd.happens(service, m, first);
                let now = if code == "200" { good } else { bad };
                count = if *odd == Odd::Resets && m.rem_euclid(360) == 0 { now } else { count + now };
                seen |= now > 0;
                if seen && odd.scraped(m) {
                    let at = (start + secs((m + 1) * 60 + second(service))).timestamp();
                    writeln!(text, "http_requests_total{{job=\"{name}\",code=\"{code}\"}} {count} {at}").unwrap();
                }
            }
        }
    }
    // A mean of ratios says something else than the events do; only the end is recorded.
    for (window, value) in [("5m", 0.0005), ("1h", 0.0005), ("30d", 0.0068)] {
        let name = format!("slo:sli_error:ratio_rate{window}");
        writeln!(text, "# TYPE {name} gauge").unwrap();
        for m in WINDOW - 30..WINDOW {
            let at = (start + secs((m + 1) * 60)).timestamp();
            writeln!(text, "{name}{{sloth_id=\"web-recorded\",sloth_window=\"{window}\"}} {value} {at}").unwrap();
        }
    }
    // A new version took the place of the old one a hundred minutes before the end.
    text.push_str("# TYPE build_info gauge\n");
    for m in WINDOW - 600..WINDOW {
        let version = if m < WINDOW - 100 { "v1.1" } else { "v1.2" };
        let at = (start + secs((m + 1) * 60)).timestamp();
        writeln!(text, "build_info{{version=\"{version}\"}} 1 {at}").unwrap();
    }
    text + "# EOF\n"
}

fn objectives() -> Vec<Arc<Objective>> {
    let mut file = String::from("service_level_objectives:\n");
    for (name, _) in ALL {
        let all = format!("http_requests_total{{job=\\\"{name}\\\"}}[5m]");
        let good = format!("http_requests_total{{job=\\\"{name}\\\",code!~\\\"5..\\\"}}[5m]");
        writeln!(file, "  {name}: {{sli: \"sum(rate({good})) / sum(rate({all}))\", target: 0.999, window: 30d}}")
            .unwrap();
    }
    let (read, findings) = midwatch::domain::slo::format::read("slo.yaml", &file);
    assert_eq!(read.len(), ALL.len(), "{findings:?}");
    let named = |o: Objective| match o.id.as_str() {
        "recorded" => Arc::new(Objective { identity: Identity::Sloth("web-recorded".into()), ..o }),
        _ => Arc::new(o),
    };
    read.into_iter().map(named).collect()
}

fn port(url: &str, cache: &Path) -> impl Metrics + use<> {
    let endpoint = Endpoint::new("prometheus main", url).unwrap();
    prometheus("main".into(), endpoint).keeping(Some(Disk::new(cache, &"main".into(), url)))
}

async fn warm(port: &impl Metrics, first: &[Arc<Objective>], rest: &[Arc<Objective>], at: Timestamp) -> usize {
    for step in 1..200 {
        if port.warm(first, rest, at).await.unwrap().left == 0 {
            return step;
        }
    }
    panic!("never warm");
}

fn by_id(measurements: Vec<Measurement>) -> BTreeMap<String, Measurement> {
    measurements.into_iter().map(|m| (m.slo.0.clone(), m)).collect()
}

#[tokio::test]
async fn a_month_is_told_as_it_was() {
    // Three hours ago at 17 minutes and 23 seconds: finished history for the server, and no slice's border.
    let hour = midwatch::io::clock::now().timestamp() / 3_600;
    let end = Timestamp::from_timestamp((hour - 3) * 3_600 + 17 * 60 + 23, 0).unwrap();
    let start = end - secs(WINDOW * 60);
    let Some(server) = Prometheus::start(&Setup { backfill: Some(counters(start)), ..Setup::default() }) else {
        return;
    };
    let cache = tempfile::tempdir().unwrap();
    let (list, port_one) = (objectives(), port(&server.url(), cache.path()));

    let (first, note) = port_one.measure(&list, &[], end).await.unwrap();
    assert!(note.requests <= 3, "recordings, their ages, short windows: {}", note.requests);
    assert!(note.samples.is_some_and(|s| s > 0), "the server says what it cost");
    let first = by_id(first);
    assert!(first["steady"].windows.contains_key(&Window::M5) && first["steady"].windows.len() == 2);
    assert_eq!(assess(&list[0], Some(&first["steady"]), end, secs(15)).state.word(), "warming");
    let recorded = &first["recorded"];
    assert_eq!((recorded.via, recorded.windows.len()), (Via::Recorded, 3), "a recorded value shows at once");
    assert_eq!(recorded.windows[&Window(2_592_000)].1, Reading::Recorded(0.0068));

    let (looked_at, rest): (Vec<_>, Vec<_>) = list.iter().cloned().partition(|o| o.id.as_str() == "recorded");
    let steps = warm(&port_one, &looked_at, &rest, end).await;
    assert!(steps <= 72, "days of those that are looked at, then days of the rest: {steps}");
    let (measured, note) = port_one.measure(&list, &[], end).await.unwrap();
    assert!(note.requests <= 5, "two for recordings, three for all others: {}", note.requests);
    exact(&list, &by_id(measured), end);

    let marker = |query: &str| Marker {
        name: "deploy".into(),
        query: query.into(),
        text: "{{version}}".into(),
        whose: Whose::Everyone,
    };
    let markers = [marker("count by (version) (build_info)"), marker("sum(")];
    let told = port_one.marks(&markers, secs(6 * 3_600), end).await.unwrap();
    let about = (end - secs(100 * 60) - told.marks[0].at).num_seconds().abs();
    assert_eq!((told.marks.len(), told.marks[0].text.as_str(), told.remarks.len()), (1, "v1.2", 1), "{told:?}");
    assert!(about <= 120, "{told:?}");

    port_one.keep();
    let port_two = port(&server.url(), cache.path());
    let (again, note) = port_two.measure(&list, &[], end).await.unwrap();
    assert!(note.requests <= 5 && again.iter().filter(|m| m.windows.len() == 8).count() >= 10, "{}", note.requests);
    assert!(again.iter().all(|m| m.edges == 0), "what the window begins in came back, too");
    // Another two hours: the window begins elsewhere, and one step in the background reads where.
    let later = end + secs(2 * 3_600 + 1_234);
    let (moved, note) = port_two.measure(&list, &[], later).await.unwrap();
    assert!(note.requests <= 5 && moved.iter().filter(|m| m.edges == 1).count() >= 10, "{}", note.requests);
    let step = port_two.warm(&[], &list, later).await.unwrap();
    assert!(step.left == 0 && step.note.requests <= 2, "{} left, {} requests", step.left, step.note.requests);
}

fn exact(list: &[Arc<Objective>], measured: &BTreeMap<String, Measurement>, end: Timestamp) {
    let month = Window(2_592_000);
    for (service, (name, odd)) in ALL.iter().enumerate() {
        let (bad, total) = truth(service as i64, *odd, minute_of_day(end - secs(WINDOW * 60)));
        let m = &measured[*name];
        let counts = m.windows[&month].1.counts().unwrap_or_else(|| panic!("{name}: {:?}", m.windows[&month]));
        let got = counts.error_ratio().unwrap();
        let want = bad / total;
        let allowed = if bad < 100.0 { 0.2 } else { 0.001 };
        println!("{name:<10} truth {want:.6} got {got:.6} off {:+.5}", if want > 0.0 { got / want - 1.0 } else { got });
        match want > 0.0 {
            true => assert!((got / want - 1.0).abs() <= allowed, "{name}: {got} is not {want}"),
            false => assert_eq!(got, 0.0, "{name}"),
        }
        assert!((counts.total / total - 1.0).abs() < 0.002, "{name}: {} of {total}", counts.total);
        let status = assess(&list[service], Some(m), end, secs(15));
        let state = match odd {
            Odd::IdleNow => "no_traffic",
            Odd::Vanished => "no_data",
            // More of its budget is gone than there was.
            _ if want > 0.001 => "exhausted",
            _ => "ok",
        };
        // Whether it is night at the end depends on when this test runs.
        let night = matches!(odd, Odd::FailsAtNight | Odd::NightFrom(_) | Odd::NightUntil(_));
        let burns = night && state == "ok" && status.state == State::Burning;
        assert!(burns || status.state.word() == state, "{name}: {status:?}");
        trusted(name, *odd, bad, &status);
    }
    let hour = |name: &str| measured[name].windows[&Window::H1].1.clone();
    assert_eq!(hour("vanished"), Reading::NoData, "its last hour");
    assert_eq!(hour("idlenow").counts().map(|c| c.total), Some(0.0));
}

fn trusted(name: &str, odd: Odd, bad: f64, status: &Status) {
    assert_eq!(status.approximate, bad < 100.0, "{name}");
    let coverage = status.coverage.unwrap();
    let covered = match odd {
        Odd::Gone => 28.0 / 30.0,
        _ => 1.0,
    };
    assert!((coverage - covered).abs() < 0.005, "{name}: {coverage}");
    match odd {
        Odd::Vanished => {
            let reason = status.reason.as_deref().unwrap_or_default();
            assert!(reason.starts_with("no data since "), "{reason}");
        }
        Odd::Recorded => {
            let recorded = status.recorded.expect("both are known");
            assert!(recorded.differs && (recorded.errors - 0.0068).abs() < 1e-12, "{recorded:?}");
        }
        _ => assert_eq!(status.recorded, None, "{name}"),
    }
}
