//! Inner ratios: what a part costs against a floor that runs in the same process, turn by turn, so that a busy machine
//! slows both. Prints medians and ratios; asserts nothing.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark reads the clock, prints, and stops at the first surprise"
)]

use chrono::TimeDelta;
use midwatch::app::action::Action;
use midwatch::app::effect::Effect;
use midwatch::app::health::{Link, LinkKind};
use midwatch::app::key::Key;
use midwatch::app::keymap::Keymap;
use midwatch::app::model::{Layout, Model, Setup};
use midwatch::app::msg::{Feed, Msg, Reply};
use midwatch::app::present::view;
use midwatch::app::update::update;
use midwatch::domain::alert::AlertSnapshot;
use midwatch::domain::document;
use midwatch::domain::drill::stage::Stage;
use midwatch::domain::ids::{IncidentId, SloId, SourceName};

use midwatch::domain::incident::event::{Body, NewEvent, NoteKind};
use midwatch::domain::incident::state::Incident;
use midwatch::domain::runbook::format;
use midwatch::domain::runbook::lint::{lint, lint_together};
use midwatch::domain::search::{HITS, Question};
use midwatch::domain::server_note::ServerNote;
use midwatch::domain::severity::SeverityTable;
use midwatch::domain::slo::objective::Objective;
use midwatch::domain::slo::reading::{Counts, Measurement, Reading, Window};
use midwatch::domain::time::{Timestamp, secs};
use midwatch::io::alertmanager::decode as alerts;
use midwatch::io::fake::objectives;
use midwatch::io::http::echo::Echo;
use midwatch::io::prometheus::decode;
use midwatch::io::search::Index;
use midwatch::io::store::Store;
use midwatch::io::store::memory::Memory;
use midwatch::io::store::sqlite::Sqlite;
use midwatch::run::drill::headless::{Responder, play};
use midwatch::run::drill::shelf::{books, shipped};
use midwatch::ui::glyphs::Glyphs;
use midwatch::ui::theme::Theme;
use midwatch::ui::view::draw;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn main() {
    // One word takes the parts that have it in their name; `cargo bench` adds flags of its own.
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    println!("{:<40} {:>10} {:>10} {:>10} {:>8}   floor", "what", "median", "p99", "floor", "ratio");
    let parts: [(&str, fn()); 11] = [
        ("decode_matrix", decode_matrix),
        ("draw_frame", draw_frame),
        ("alert_storm", alert_storm),
        ("echoed_secrets", echoed_secrets),
        ("durable_append", durable_append),
        ("replay", replay),
        ("refresh", refresh),
        ("load_runbooks", load_runbooks),
        ("drills", drills),
        ("search_as_typed", search_as_typed),
        ("long_timeline", long_timeline),
    ];
    for (name, part) in parts {
        if name.contains(&wanted) {
            part();
        }
    }
}

fn start() -> Timestamp {
    "2026-05-01T03:00:00Z".parse().unwrap()
}

/// Medians of the two, run in turn, and what one of a hundred of ours takes.
fn compare(what: &str, floor_name: &str, turns: usize, mut floor: impl FnMut(), mut ours: impl FnMut()) {
    let (mut floors, mut times) = (Vec::new(), Vec::new());
    for turn in 0..turns + 2 {
        let began = Instant::now();
        floor();
        let between = Instant::now();
        ours();
        // The first two turns warm caches.
        if turn >= 2 {
            floors.push(between - began);
            times.push(between.elapsed());
        }
    }
    floors.sort();
    times.sort();
    let (f, t) = (floors[floors.len() / 2], times[times.len() / 2]);
    let ratio = t.as_secs_f64() / f.as_secs_f64().max(1e-9);
    let p99 = times[(times.len() * 99 / 100).min(times.len() - 1)];
    println!("{what:<40} {:>10} {:>10} {:>10} {ratio:>8.2}   {floor_name}", show(t), show(p99), show(f));
}

fn show(d: Duration) -> String {
    if d.as_micros() < 10_000 { format!("{} us", d.as_micros()) } else { format!("{:.1} ms", d.as_secs_f64() * 1e3) }
}

/// 1,000 series of 61 points, as a range query gives them.
fn decode_matrix() {
    let mut body = String::from(r#"{"status":"success","data":{"resultType":"matrix","result":["#);
    for series in 0..1000 {
        let comma = if series > 0 { "," } else { "" };
        write!(body, r#"{comma}{{"metric":{{"job":"svc{series}","env":"production","code":"200"}},"values":["#)
            .unwrap();
        for point in 0..61 {
            let comma = if point > 0 { "," } else { "" };
            write!(body, r#"{comma}[{},"{}.{}"]"#, 1_777_600_000 + point * 60, series * 7 + point, point * 13).unwrap();
        }
        body.push_str("]}");
    }
    body.push_str("]}}");
    #[derive(Deserialize)]
    struct Floor<'a> {
        #[serde(borrow)]
        data: FloorData<'a>,
    }
    #[derive(Deserialize)]
    struct FloorData<'a> {
        #[serde(borrow)]
        result: Vec<FloorSeries<'a>>,
    }
    #[derive(Deserialize)]
    struct FloorSeries<'a> {
        #[serde(borrow)]
        values: Vec<(f64, &'a str)>,
    }
    let floor = || {
        let decoded: Floor<'_> = serde_json::from_str(&body).unwrap();
        let sum: f64 = decoded.data.result.iter().flat_map(|s| &s.values).map(|(_, v)| v.parse::<f64>().unwrap()).sum();
        black_box(sum);
    };
    compare("decode 1000 x 61 matrix", "typed serde_json with parsed values", 15, floor, || {
        black_box(decode::matrix(body.as_bytes()).is_ok());
    });
}

fn setup() -> Setup {
    Setup {
        responder: "alice".into(),
        host: "bench".into(),
        user: "alice".into(),
        zone: chrono_tz::UTC,
        read_only: false,
        simulated: None,
        slow: false,
        bell: false,
        severities: SeverityTable::defaults(),
        keymap: Keymap::default(),
        env_pass: Vec::new(),
        command_timeout: midwatch::domain::time::mins(1),
        arm_for: secs(1800),
        cache: false,
        template: Layout::A,
        drafts_in: String::new(),
        config_path: String::new(),
        configured: true,
        findings: Vec::new(),
    }
}

/// A machine with this many objectives, made of the simulated ones under other names.
fn machine(many: usize) -> Model {
    let base = objectives();
    let named = (0..many).map(|n| {
        let mut objective = Objective::clone(&base[n % base.len()]);
        objective.id = SloId(format!("{}_{n}", objective.id));
        Arc::new(objective)
    });
    let link = Link::new(
        "main".into(),
        "prom".into(),
        LinkKind::Prometheus { alerts: false },
        "http://127.0.0.1".into(),
        secs(15),
        start(),
    );
    let mut model = Model::new(setup(), named.collect(), vec![link]);
    model.size = (120, 40);
    model
}

fn measurements(model: &Model, at: Timestamp, bad: f64) -> Vec<Measurement> {
    let of = |o: &Arc<Objective>| {
        let all = Window::BURN.into_iter().chain([Window::of(o.window)]);
        let windows = all.map(|w| (w, (at, Reading::Counts(Counts { bad, total: f64::from(w.0) * 10.0 })))).collect();
        Measurement { windows, ..Measurement::empty(o.id.clone()) }
    };
    model.fleet.objectives.iter().map(of).collect()
}

/// One answer with every objective in it, through the machine.
fn poll(model: &mut Model, at: Timestamp, bad: f64) {
    let asked = update(model, at, Msg::Wake);
    let reqs: Vec<_> = asked
        .into_iter()
        .filter_map(|e| match e {
            Effect::Measure { req, .. } | Effect::Alerts { req, .. } | Effect::Chart { req, .. } => Some(req),
            _ => None,
        })
        .collect();
    for req in reqs {
        let answer = measurements(model, at, bad);
        black_box(update(model, at, Msg::Reply(req, Reply::Measured(Ok((answer, ServerNote::default()))))));
    }
}

/// A whole frame from the model, against ratatui comparing two full buffers of that size.
fn draw_frame() {
    let mut model = machine(20);
    poll(&mut model, start(), 3.0);
    let theme = Theme::named("dark").unwrap();
    let area = Rect::new(0, 0, 120, 40);
    let (mut a, mut b) = (Buffer::empty(area), Buffer::empty(area));
    for y in 0..40 {
        a.set_string(0, y, "a".repeat(120), ratatui::style::Style::new());
        b.set_string(0, y, "b".repeat(120), ratatui::style::Style::new());
    }
    compare(
        "draw 120x40, 20 objectives",
        "diff of two full 120x40 buffers",
        200,
        || drop(black_box(a.diff(&b))),
        || {
            let mut buffer = Buffer::empty(area);
            draw(&view(&model, start()), &theme, Glyphs::Unicode, area, &mut buffer);
            black_box(buffer);
        },
    );
}

/// What an Alertmanager answers while so many alerts fire.
fn firing(many: usize) -> Vec<u8> {
    let alerts: Vec<_> = (0..many)
        .map(|n| {
            json!({
                "labels": {"alertname": format!("PodCrashLooping{}", n % 50), "severity": (["page", "ticket"])[n % 2],
                    "namespace": format!("team-{}", n % 40), "pod": format!("checkout-{n}"), "cluster": "eu-1"},
                "annotations": {"summary": format!("checkout-{n} restarts"), "runbook_url": "https://runbooks.example/pod"},
                "fingerprint": format!("{n:016x}"), "startsAt": "2026-05-01T02:50:00.000Z",
                "updatedAt": "2026-05-01T03:00:00.000Z", "endsAt": "2026-05-01T03:04:00.000Z",
                "generatorURL": "http://prometheus.example/graph?g0.expr=x", "receivers": [{"name": "team"}],
                "status": {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []},
            })
        })
        .collect();
    serde_json::to_vec(&json!([{"labels": {}, "receiver": {"name": "team"}, "alerts": alerts}])).unwrap()
}

/// The first frame with 5,000 firing alerts in it, from the bytes of the answer, against typed decoding of those bytes.
fn alert_storm() {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "a floor decodes and looks at nothing")]
    struct Floor {
        alerts: Vec<FloorAlert>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "the same")]
    struct FloorAlert {
        labels: BTreeMap<String, String>,
        annotations: BTreeMap<String, String>,
        fingerprint: String,
        starts_at: Timestamp,
        updated_at: Timestamp,
        #[serde(rename = "generatorURL")]
        generator_url: String,
    }
    let body = firing(5_000);
    let name: SourceName = "am".into();
    let theme = Theme::named("dark").unwrap();
    let area = Rect::new(0, 0, 120, 40);
    let frame = |model: &Model| {
        let mut buffer = Buffer::empty(area);
        draw(&view(model, start()), &theme, Glyphs::Unicode, area, &mut buffer);
        buffer
    };
    let mut calm = machine(20);
    let kind = LinkKind::Alertmanager { peers: 1 };
    let link = Link::new(name.clone(), "am".into(), kind, "http://127.0.0.1".into(), secs(15), start());
    calm.links.insert(name.clone(), link);
    let quiet = || calm.clone();
    let storm = |model: &mut Model| {
        let alerts = alerts::groups(&body, &name).unwrap().alerts;
        let snapshot = AlertSnapshot { alerts, answered: 1, peers: 1, ..AlertSnapshot::default() };
        let asked = update(model, start(), Msg::Wake).into_iter();
        let req =
            asked.filter_map(|e| if let Effect::Alerts { req, .. } = e { Some(req) } else { None }).last().unwrap();
        black_box(update(model, start(), Msg::Reply(req, Reply::Alerts(Ok(snapshot)))));
    };
    let mut model = quiet();
    storm(&mut model);
    assert_eq!(model.alerts.all().count(), 5_000);
    let first = || {
        let mut model = quiet();
        storm(&mut model);
        black_box(frame(&model));
    };
    let typed = || drop(black_box(serde_json::from_slice::<Vec<Floor>>(&body).unwrap()));
    let decode = || drop(black_box(alerts::groups(&body, &name).unwrap()));
    compare("first frame with 5,000 alerts", "typed serde_json of the answer", 30, typed, first);
    compare("first frame with 5,000 alerts", "decoding them into alerts", 30, decode, first);
    let mut taught = calm.clone();
    taught.library = shelf();
    compare("first frame with them and 60 runbooks", "decoding them into alerts", 15, decode, || {
        let mut model = taught.clone();
        storm(&mut model);
        black_box(frame(&model));
    });
    // The list of them, moved in.
    update(&mut model, start(), Msg::Key(Key::char('6')));
    let mut down = 0;
    compare(
        "a key on 5,000 alerts, and its frame",
        "a frame of 20 objectives",
        200,
        {
            let calm = quiet();
            move || drop(black_box(frame(&calm)))
        },
        || {
            down += 1;
            update(&mut model, start(), Msg::Key(Key::char(if down % 400 < 200 { 'j' } else { 'k' })));
            black_box(frame(&model));
        },
    );
}

/// 60 runbooks, as a team has them.
fn shelf() -> Vec<Arc<midwatch::domain::runbook::model::Runbook>> {
    let book = |n: usize| {
        let text = format!(
            "id: pod-{n}\nname: What to do about pods {n}\ntriggers: [{{alert: PodCrashLooping{n}, match: ['namespace=~team-.*']}}]\n\
             steps: [{{name: Look}}]\n"
        );
        Arc::new(format::read(&format!("runbooks/pod-{n}.yaml"), &text).0.unwrap())
    };
    (0..60).map(book).collect()
}

/// Secrets that an answer might say back, looked for in 5 MB of alerts, against decoding those.
fn echoed_secrets() {
    let body = firing(8_300);
    let name: SourceName = "am".into();
    let secrets: Vec<String> = (0..20_u64)
        .map(|n| format!("glsa_{:016x}{:016x}", (n + 7).wrapping_mul(0x9E37_79B9_7F4A_7C15), (n + 3).pow(9)))
        .collect();
    for many in [1, 20] {
        let echo = Echo::of(secrets.iter().take(many).map(String::as_str));
        let decode = || drop(black_box(alerts::groups(&body, &name).unwrap()));
        let mut answer = Some(body.clone());
        let what = format!("{many} secret(s) in {:.1} MB of alerts", body.len() as f64 / 1e6);
        compare(&what, "decoding them into alerts", 15, decode, || {
            answer = answer.take().map(|answer| echo.out_of(answer));
        });
        assert_eq!(answer, Some(body.clone()), "nothing was said back");
    }
}

fn note(incident: &IncidentId, n: usize) -> NewEvent {
    let text = format!("db pool saturated on checkout-{n}, trying the other replica; {}", "x".repeat(100));
    NewEvent {
        incident: incident.clone(),
        at: start() + TimeDelta::seconds(n as i64),
        recorded_at: start() + TimeDelta::seconds(n as i64),
        actor: "alice".into(),
        body: Body::Note { sort: NoteKind::Note, text },
        once: None,
    }
}

fn declared(id: &IncidentId) -> NewEvent {
    let body = Body::Declared {
        title: "bench".into(),
        severity: "SEV2".into(),
        service: None,
        detected_by: None,
        detected_at: None,
    };
    NewEvent { body, ..note(id, 0) }
}

/// One durable event, against one fdatasync of the same bytes on the same disk.
fn durable_append() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Sqlite::open(&folder.path().join("midwatch.db")).unwrap();
    let id = IncidentId("INC-BENCH".into());
    store.append(vec![declared(&id)]).unwrap();
    let mut file = std::fs::File::create(folder.path().join("floor")).unwrap();
    let mut n = 0;
    compare(
        "durable append",
        "write 200 bytes and fdatasync",
        300,
        || {
            file.write_all(&[b'x'; 200]).unwrap();
            file.sync_data().unwrap();
        },
        || {
            n += 1;
            black_box(store.append(vec![note(&id, n)]).unwrap());
        },
    );
}

/// The first page and the whole of an incident of 100,000 events.
fn replay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("midwatch.db");
    let id = IncidentId("INC-BENCH".into());
    let mut store = Sqlite::open(&path).unwrap();
    store.append(vec![declared(&id)]).unwrap();
    for chunk in 0..100 {
        store.append((0..1000).map(|n| note(&id, chunk * 1000 + n)).collect()).unwrap();
    }
    let bodies: Vec<String> =
        store.events(&id).unwrap().iter().map(|e| serde_json::to_string(&e.body).unwrap()).collect();
    let typed = || {
        for body in &bodies {
            black_box(serde_json::from_str::<Body>(body).unwrap());
        }
    };
    compare("replay and fold 100,001 events", "typed decode of their bodies", 5, typed, || {
        let events = store.events(&id).unwrap();
        black_box(Incident::fold(&events));
    });
    let tail: Vec<&String> = bodies.iter().rev().take(200).collect();
    compare(
        "open, heads and last 200 of them",
        "typed decode of 200 bodies",
        30,
        || {
            for body in &tail {
                black_box(serde_json::from_str::<Body>(body).unwrap());
            }
        },
        || {
            let mut store = Sqlite::open(&path).unwrap();
            black_box(store.heads().unwrap());
            black_box(store.tail(&id, None, 200).unwrap());
        },
    );
}

/// A poll of 1,000 objectives, from decoded answers to the frame, against a frame alone.
fn refresh() {
    let mut model = machine(1000);
    let theme = Theme::named("dark").unwrap();
    let area = Rect::new(0, 0, 120, 40);
    let mut at = start();
    poll(&mut model, at, 1.0);
    let frame = |model: &Model, at: Timestamp| {
        let mut buffer = Buffer::empty(area);
        draw(&view(model, at), &theme, Glyphs::Unicode, area, &mut buffer);
        black_box(buffer);
    };
    let still = model.clone();
    compare(
        "refresh 1000 objectives and draw",
        "draw of the same screen",
        20,
        || frame(&still, start()),
        || {
            at += secs(15);
            poll(&mut model, at, 2.0);
            frame(&model, at);
        },
    );
    let mut keyed = still.clone();
    let down = Key::plain(midwatch::app::key::Code::Down);
    compare(
        "a key with 1000 objectives, drawn",
        "draw of the same screen",
        100,
        || frame(&still, start()),
        || {
            black_box(update(&mut keyed, start(), Msg::Key(down)));
            frame(&keyed, start());
        },
    );
}

/// 1,000 runbook files read and linted, against reading their YAML alone. Both dialects, as a team's folder holds them.
fn load_runbooks() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks");
    let plain = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/runbooks/plain");
    let files =
        |folder: &str| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let texts: Vec<String> =
        files(folder).iter().chain(&files(plain)).map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for (what, keep) in [
        ("load and lint 1000 runbooks", None),
        ("load and lint 1000 v1 runbooks", Some(true)),
        ("load and lint 1000 plain runbooks", Some(false)),
    ] {
        let chosen: Vec<&String> =
            texts.iter().filter(|text| keep.is_none_or(|v1| text.contains("apiVersion") == v1)).collect();
        // Each has an id and alerts of its own, as a team's have: what is linted together is then a thousand runbooks.
        let own = |(n, text): (usize, &&String)| {
            let round = n / chosen.len();
            let line = |line: &str| match line.trim_start().split_once(": ") {
                // An include leads to the runbook of its own round.
                Some(("id", id)) if line.starts_with('i') => format!("id: {id}-{round}\n"),
                Some(("include", id)) => line.replace(id, &format!("{id}-{round}")) + "\n",
                _ => line.replace("alert: ", &format!("alert: N{n}")) + "\n",
            };
            (format!("r{n}.yaml"), text.lines().map(line).collect::<String>())
        };
        let thousand: Vec<(String, String)> = chosen.iter().cycle().take(1_000).enumerate().map(own).collect();
        let floor = || {
            for (name, text) in &thousand {
                black_box(document::parse(name, text));
            }
        };
        compare(what, "document::parse of the same texts", 7, floor, || {
            let mut books = Vec::new();
            for (name, text) in &thousand {
                let (book, findings) = format::read(name, text);
                let book = book.unwrap();
                black_box((findings, lint(&book, Some(start()))));
                books.push(Arc::new(book));
            }
            black_box(lint_together(&books));
        });
    }
}

/// Whole drills of 40 to 60 minutes, played by chance, against the bare stage without a cockpit.
fn drills() {
    for shelved in shipped().0 {
        let minutes = shelved.scenario.duration.num_minutes();
        let stage = || Stage::new(Arc::clone(&shelved.scenario), 7);
        let library = books(&shelved.runbooks);
        compare(
            &format!("play {} ({minutes}m)", shelved.scenario.id),
            "its stage alone",
            5,
            || {
                let mut stage = stage();
                stage.advance(stage.start() + shelved.scenario.duration);
                black_box(&stage);
            },
            || {
                black_box(play(stage(), library.clone(), "bench", Responder::Random, &mut || {}));
            },
        );
    }
}
/// A month: 200 incidents of 500 events each.
fn month(store: &mut Sqlite) -> Vec<String> {
    const WORDS: [&str; 16] = [
        "pool",
        "saturated",
        "latency",
        "checkout",
        "replica",
        "deploy",
        "rollback",
        "timeout",
        "disk",
        "queue",
        "cache",
        "certificate",
        "connection",
        "retry",
        "throttled",
        "failover",
    ];
    let mut texts = Vec::new();
    for incident in 0..200_usize {
        let id = IncidentId(format!("INC-202605{:02}-{incident:06}", incident % 28 + 1));
        let events = (0..500_usize).map(|n| {
            let word = |k: usize| WORDS[(incident * 7 + n * 13 + k * 5) % WORDS.len()];
            let text = format!("{} {} on {}-{n}, {} the {}", word(0), word(1), word(2), word(3), word(4));
            texts.push(text.clone());
            if n == 0 {
                declared(&id)
            } else {
                NewEvent { body: Body::Note { sort: NoteKind::Note, text }, ..note(&id, n) }
            }
        });
        let events: Vec<NewEvent> = events.collect();
        store.append(events).unwrap();
    }
    texts
}

/// Every key of a question that is typed, against looking through all texts for each of them; and what the index costs.
fn search_as_typed() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Sqlite::open(&folder.path().join("midwatch.db")).unwrap();
    let texts = month(&mut store);
    let mut n = 0;
    compare(
        "index 200 x 500 events",
        "reading them from the record",
        3,
        || {
            black_box(store_rows(&folder.path().join("midwatch.db")));
        },
        || {
            n += 1;
            let mut index = Index::open(&folder.path().join(format!("search-{n}.db"))).unwrap();
            black_box(index.catch_up(&mut store).unwrap());
        },
    );
    let index = Index::open(&folder.path().join("search-1.db")).unwrap();
    for typed in ["connection pool", "certificate -disk", "s"] {
        let keys: Vec<String> = (1..=typed.len()).map(|n| typed.chars().take(n).collect()).collect();
        let floor = || {
            for key in &keys {
                let words: Vec<String> = key.split_whitespace().map(str::to_lowercase).collect();
                let found = texts.iter().filter(|text| {
                    let text = text.to_lowercase();
                    words.iter().all(|word| text.contains(word.as_str()))
                });
                black_box(found.take(200).count());
                black_box(texts.iter().rev().filter(|text| text.contains("no such word")).count());
            }
        };
        compare(&format!("search as typed: {typed}"), "a scan of all texts per key", 9, floor, || {
            for key in &keys {
                black_box(index.find(&Question::parse(key), HITS).unwrap());
            }
        });
    }
    let id = IncidentId("INC-20260505-000004".into());
    let read = || drop(black_box(store.events(&id).unwrap()));
    compare("similar incidents of 200", "reading one of them", 9, read, || {
        black_box(index.similar(&id).unwrap());
    });
}

fn store_rows(path: &std::path::Path) -> usize {
    let mut store = Sqlite::open(path).unwrap();
    let (mut row, mut count) = (0, 0);
    loop {
        let page = store.since(row, 4_000).unwrap();
        let Some((last, _)) = page.last() else { return count };
        row = *last;
        count += page.len();
    }
}

/// A key on the timeline of an incident of 100,000 entries that are all at hand, against one of 1,000.
fn long_timeline() {
    let open = |many: usize| {
        let mut store = Memory::new("bench".into());
        let id = IncidentId("INC-BENCH".into());
        store.append(std::iter::once(declared(&id)).chain((1..many).map(|n| note(&id, n))).collect()).unwrap();
        let events = store.events(&id).unwrap();
        let mut model = machine(3);
        update(&mut model, start(), Msg::Resized(120, 40));
        let state = Incident::fold(&events).unwrap();
        update(&mut model, start(), Msg::Feed(Feed::Loaded(vec![(state, events)])));
        update(&mut model, start(), Msg::Act(Action::Incident));
        model
    };
    let (mut short, mut long) = (open(1_000), open(100_000));
    let theme = Theme::named("dark").unwrap();
    let area = Rect::new(0, 0, 120, 40);
    let up = Key::plain(midwatch::app::key::Code::Up);
    let press = |model: &mut Model| {
        black_box(update(model, start(), Msg::Key(up)));
        let mut buffer = Buffer::empty(area);
        draw(&view(model, start()), &theme, Glyphs::Unicode, area, &mut buffer);
        black_box(buffer);
    };
    compare("key on 100,000 entries", "the same on 1,000", 200, || press(&mut short), || press(&mut long));
    // A page up and down in the middle, and with a filter that finds half of them.
    let page = |model: &mut Model, n: &mut usize| {
        *n += 1;
        let code = if *n % 40 < 20 { midwatch::app::key::Code::PageUp } else { midwatch::app::key::Code::PageDown };
        black_box(update(model, start(), Msg::Key(Key::plain(code))));
        let mut buffer = Buffer::empty(area);
        draw(&view(model, start()), &theme, Glyphs::Unicode, area, &mut buffer);
        black_box(buffer);
    };
    let (mut one, mut two) = (0, 0);
    compare(
        "page on 100,000 entries",
        "the same on 1,000",
        200,
        || page(&mut short, &mut one),
        || page(&mut long, &mut two),
    );
    for model in [&mut short, &mut long] {
        for key in "/checkout-1".chars() {
            update(model, start(), Msg::Key(Key::char(key)));
        }
        update(model, start(), Msg::Key(Key::plain(midwatch::app::key::Code::Enter)));
    }
    compare(
        "page on those a filter finds",
        "the same on 1,000",
        200,
        || page(&mut short, &mut one),
        || page(&mut long, &mut two),
    );
}
