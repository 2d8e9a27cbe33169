//! Sources whose address or credentials change under a running cockpit: message by message, and a whole process between two
//! servers. Nothing of the old one stays, and nothing that was for it reaches the new one unasked.

use crate::reload::{Bench, looks, set, settings};
use midwatch::app::effect::Effect;
use midwatch::app::key::Key;
use midwatch::app::msg::{Feed, Msg, Reply};
use midwatch::app::reload::Looked;
use midwatch::domain::alert::{Alert, AlertState, fingerprint};
use midwatch::domain::ids::{ReqId, SourceName};
use midwatch::domain::incident::event::Body;
use midwatch::domain::labels::Labels;
use midwatch::domain::outward::capability::{Capability, Caps, Class};
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::target::TargetFacts;
use midwatch::domain::time::{Span, secs};
use midwatch::io::fake::outside::FakeTarget;
use midwatch::io::store::Store;
use std::sync::Arc;

fn server(url: &str, seconds: i64) -> midwatch::config::PrometheusConfig {
    midwatch::config::PrometheusConfig {
        name: "prometheus".into(),
        url: url.into(),
        connection: midwatch::config::Connection { poll_interval: secs(seconds), ..Default::default() },
        params: Vec::new(),
        max_samples_per_second: None,
        marks: Vec::new(),
    }
}

fn cluster(url: &str) -> midwatch::config::AlertmanagerConfig {
    midwatch::config::AlertmanagerConfig {
        name: "alertmanager".into(),
        urls: vec![url.into(), format!("{url}-b")],
        connection: Default::default(),
        read_only: false,
    }
}

fn reconnects(effects: &[Effect]) -> Vec<&midwatch::app::reload::Reconnect> {
    effects.iter().filter_map(|e| if let Effect::Reconnect(wanted) = e { Some(&**wanted) } else { None }).collect()
}

#[test]
fn an_interval_is_taken_and_a_source_more_or_less_asks_for_a_restart() {
    let mut bench = Bench::new();
    bench.model.reload.settings = Some(Box::new(settings(|c| c.prometheus = vec![server("http://a", 3600)])));
    set(&mut bench, settings(|c| c.prometheus = vec![server("http://a", 30)]));
    assert_eq!(bench.model.links[&"prometheus".into()].interval, secs(30));
    assert_eq!(bench.said().last().unwrap(), "configuration: poll_interval changed");
    let other = midwatch::config::PrometheusConfig { name: "other".into(), ..server("http://b", 30) };
    set(&mut bench, settings(|c| c.prometheus = vec![server("http://a", 30), other]));
    assert_eq!(bench.said().last().unwrap(), "configuration: restart to use prometheus");
    // A file that is read while it is written names nothing for a moment: what is connected is still told from what is meant.
    set(&mut bench, settings(|_| {}));
    assert_eq!(bench.said().last().unwrap(), "configuration: restart to use prometheus");
    let said = bench.said().len();
    set(&mut bench, settings(|c| c.prometheus = vec![server("http://a", 30)]));
    assert_eq!(bench.said().len(), said, "{:?}", bench.said());
    set(&mut bench, settings(|_| {}));
    let effects = bench.look(Looked {
        settings: Some(Box::new(settings(|c| c.prometheus = vec![server("http://b", 30)]))),
        ..Looked::default()
    });
    assert_eq!(reconnects(&effects).len(), 1, "{:?}", bench.said());
}

/// What a server says of every objective: a hundred events, so many of them bad.
fn measurements(bench: &Bench, bad: f64) -> Reply {
    use midwatch::domain::server_note::ServerNote;
    use midwatch::domain::slo::reading::{Counts, Measurement, Reading, Window};
    let of = |objective: &Arc<midwatch::domain::slo::objective::Objective>| {
        let reading = (bench.now, Reading::Counts(Counts { bad, total: 100.0 }));
        Measurement { windows: [(Window::H1, reading)].into(), ..Measurement::empty(objective.id.clone()) }
    };
    Reply::Measured(Ok((bench.model.fleet.objectives.iter().map(of).collect(), ServerNote::default())))
}

/// Time passes; looks at the files find nothing.
fn pass(bench: &mut Bench, length: Span) -> Vec<Effect> {
    let effects = bench.after(length);
    for req in looks(&effects) {
        bench.send(Msg::Reply(req, Reply::Looked(Box::default())));
    }
    effects
}

/// The source is asked now, and every minute from now on.
fn due(bench: &mut Bench, name: &str) -> Vec<Effect> {
    let link = bench.model.links.get_mut(&name.into()).unwrap();
    link.out.clear();
    (link.next, link.interval) = (bench.now, secs(60));
    bench.send(Msg::Wake)
}

fn polls(effects: &[Effect]) -> Vec<ReqId> {
    effects.iter().filter_map(|e| if let Effect::Measure { req, .. } = e { Some(*req) } else { None }).collect()
}

#[test]
fn another_address_is_asked_at_once_and_what_the_old_server_said_is_gone() {
    let mut bench = Bench::new();
    let first = server("http://a", 60);
    bench.model.reload.settings = Some(Box::new(settings(|c| c.prometheus = vec![first.clone()])));
    let asked = polls(&due(&mut bench, "prometheus"));
    let answer = measurements(&bench, 5.0);
    bench.send(Msg::Reply(asked[0], answer));
    let known = |bench: &Bench| bench.model.fleet.measured.len();
    assert!(known(&bench) > 0 && bench.model.links[&"prometheus".into()].good.is_some());
    assert_eq!(polls(&pass(&mut bench, secs(59))), []);
    let on_its_way = polls(&pass(&mut bench, secs(2)))[0];

    let late = measurements(&bench, 50.0);
    let mut second = server("http://b", 60);
    second.max_samples_per_second = Some(1e6);
    let effects = bench.look(Looked {
        settings: Some(Box::new(settings(|c| c.prometheus = vec![second.clone()]))),
        ..Looked::default()
    });
    let wanted = reconnects(&effects);
    assert_eq!((wanted.len(), &wanted[0].prometheus), (1, &vec![second]));
    let place = |like: &dyn Fn(&Effect) -> bool| effects.iter().position(like);
    let asked = polls(&effects);
    assert_eq!(asked.len(), 1, "and it is asked in the same breath");
    assert!(place(&|e| matches!(e, Effect::Reconnect(_))) < place(&|e| matches!(e, Effect::Measure { .. })));
    let link = bench.model.links[&"prometheus".into()].clone();
    assert_eq!((known(&bench), link.good, link.word().as_str(), link.ceiling), (0, None, "waiting", Some(1e6)));
    assert!(bench.said().iter().any(|t| t == "configuration: sources changed"), "{:?}", bench.said());
    assert!(!bench.said().iter().any(|t| t.contains("restart")), "{:?}", bench.said());
    // The old server's answer comes after all.
    bench.send(Msg::Reply(on_its_way, late));
    assert_eq!((known(&bench), bench.model.links[&"prometheus".into()].good), (0, None));
    let connected = midwatch::app::reload::Reconnected {
        connected: vec![("prometheus".into(), "http://b/".into())],
        ..Default::default()
    };
    bench.send(Msg::Feed(Feed::Sources(Box::new(connected))));
    assert_eq!(bench.model.links[&"prometheus".into()].address, "http://b/");
    let answer = measurements(&bench, 1.0);
    bench.send(Msg::Reply(asked[0], answer));
    let readings: Vec<f64> = bench
        .model
        .fleet
        .measured
        .values()
        .flat_map(|m| m.windows.values())
        .filter_map(|w| Some(w.1.counts()?.bad))
        .collect();
    assert!(!readings.is_empty() && readings.iter().all(|bad| *bad == 1.0), "{readings:?}");
    assert_eq!(bench.model.links[&"prometheus".into()].word(), "ok");
    // A marker or a ceiling alone is taken without any of that.
    let mut third = server("http://b", 60);
    third.max_samples_per_second = Some(5.0);
    let effects =
        bench.look(Looked { settings: Some(Box::new(settings(|c| c.prometheus = vec![third]))), ..Looked::default() });
    assert!(reconnects(&effects).is_empty() && known(&bench) > 0);
    assert_eq!(bench.model.links[&"prometheus".into()].ceiling, Some(5.0));
}

/// A cluster that can be silenced.
fn silencer(name: &SourceName) -> TargetFacts {
    let caps = Caps::none()
        .with(Class::Compare, &[Capability::CreateSilence])
        .with(Class::Repeat, &[Capability::ReadSilences]);
    FakeTarget::new(name.clone(), caps).target().facts(name)
}

/// An alert that pages.
fn down(bench: &Bench) -> Alert {
    let labels = Labels::from([("alertname", "Down"), ("severity", "page")]);
    Alert {
        fingerprint: fingerprint(&labels),
        name: "Down".into(),
        annotations: Labels::default(),
        state: AlertState::Firing,
        started_at: bench.now,
        source: "alertmanager".into(),
        held_by: vec![],
        generator_url: None,
        labels,
    }
}

/// Everything that follows within minutes; what was sent by it.
fn turns(bench: &mut Bench, first: Vec<Effect>) -> Vec<Operation> {
    let (mut sent, mut next) = (Vec::new(), first);
    for _ in 0..20 {
        for effect in std::mem::take(&mut next) {
            match effect {
                Effect::Step { req, op, step, by } => {
                    let taken = bench.record.step(&op, &step, &by).unwrap();
                    next.extend(bench.send(Msg::Reply(req, Reply::Stepped(Ok(taken)))));
                }
                Effect::Deliver { op, .. } => sent.push(*op),
                _ => {}
            }
        }
        next.extend(pass(bench, secs(10)));
    }
    sent
}

#[test]
fn another_alertmanager_ends_no_alert_rings_for_none_and_gets_nothing_that_was_for_the_old_one() {
    use midwatch::domain::alert::AlertSnapshot;
    use midwatch::domain::outward::entry::State;
    let mut bench = Bench::new();
    let am = SourceName::from("alertmanager");
    bench.model.outbox.holder = "here".into();
    bench.model.outbox.hold = secs(60);
    let facts = silencer(&am);
    bench.model.connect(facts.clone(), bench.now);
    let old = settings(|c| c.alertmanager = vec![cluster("http://a")]);
    bench.model.reload.settings = Some(Box::new(old));
    let alert = down(&bench);
    let snapshot = |alerts: &[Alert]| {
        Reply::Alerts(Ok(AlertSnapshot { alerts: alerts.to_vec(), answered: 2, peers: 2, ..Default::default() }))
    };
    let alerts_of = |effects: &[Effect]| {
        effects.iter().find_map(|e| if let Effect::Alerts { req, .. } = e { Some(*req) } else { None })
    };
    let first = alerts_of(&due(&mut bench, "alertmanager")).unwrap();
    bench.send(Msg::Reply(first, snapshot(std::slice::from_ref(&alert))));
    bench.press("6 i Enter");
    let id = bench.model.desk.cases.keys().next().unwrap().clone();
    let effects = bench.press("6 s");
    assert!(effects.iter().all(|e| !matches!(e, Effect::Deliver { .. })));
    bench.press("Tab Tab");
    "rack".chars().for_each(|c| drop(bench.send(Msg::Key(Key::char(c)))));
    bench.press("Enter");
    bench.send(Msg::Painted);
    bench.press("y");
    let entries = bench.record.outbox_news().unwrap();
    bench.send(Msg::Feed(Feed::Outbox(entries)));
    assert_eq!(bench.model.outbox.open().count(), 1, "{:?}", bench.said());

    let effects = bench.look(Looked {
        settings: Some(Box::new(settings(|c| c.alertmanager = vec![cluster("http://b")]))),
        ..Looked::default()
    });
    assert_eq!(reconnects(&effects)[0].alertmanager, [(am.clone(), cluster("http://b"))]);
    assert!(bench.model.alerts.is_empty(), "nothing of the old one is shown");
    assert_eq!(bench.model.links[&am].word(), "waiting");
    // Whatever it does next, the silence does not leave.
    let connected = midwatch::app::reload::Reconnected {
        connected: vec![(am.clone(), "http://b/ http://b-b/".into())],
        clusters: vec![facts.clone()],
        ..Default::default()
    };
    let mut first = effects;
    first.extend(bench.send(Msg::Feed(Feed::Sources(Box::new(connected)))));
    assert_eq!(turns(&mut bench, first), []);
    let entry = bench.model.outbox.entries.values().next().unwrap().clone();
    let new_one = *bench.model.links[&am].out.first().unwrap();
    assert!(
        matches!(&entry.state, State::Asked { why, .. } if why.contains("and alertmanager leads elsewhere now")),
        "{entry:?}"
    );
    assert!(bench.said().iter().any(|t| t.starts_with("NOT SENT: to alertmanager")), "{:?}", bench.said());
    let became = |bench: &mut Bench| -> Vec<String> {
        let to = |e: midwatch::domain::incident::event::Event| match e.body {
            Body::AlertChanged { to, .. } => Some(to),
            _ => None,
        };
        bench.record.events(&id).unwrap().into_iter().filter_map(to).collect()
    };
    assert_eq!(became(&mut bench), ["unknown"]);
    let paged = |bench: &Bench| bench.said().iter().filter(|t| t.starts_with("PAGE ")).count();
    let before = paged(&bench);
    bench.send(Msg::Reply(new_one, snapshot(&[])));
    assert_eq!(became(&mut bench), ["unknown"], "that another one does not have it ends nothing");
    let again = alerts_of(&due(&mut bench, "alertmanager")).unwrap();
    bench.send(Msg::Reply(again, snapshot(std::slice::from_ref(&alert))));
    assert_eq!((became(&mut bench), paged(&bench)), (vec!["unknown".to_owned(), "firing".into()], before + 1));
    // A person says that it is meant for the new one: then it goes.
    let pressed = bench.press("9 s");
    assert_eq!(turns(&mut bench, pressed).len(), 1, "{:?}", bench.said());
}

/// An Alertmanager in which one alert fires, and who asked it for which tenant.
fn serve(name: &mut &'static str, asked: &crate::stateful_server::Asked) -> crate::stateful_server::Answer {
    use crate::stateful_server::Answer;
    use serde_json::json;
    let alert = json!({
        "labels": {"alertname": *name, "severity": "page"}, "annotations": {}, "fingerprint": "a7ffdcec7b6bae00",
        "receivers": [{"name": "team"}], "startsAt": "2026-05-01T03:00:00Z", "updatedAt": "2026-05-01T03:00:00Z",
        "endsAt": "2036-05-01T03:00:00Z", "status": {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []},
    });
    match asked.path.as_str() {
        "/api/v2/alerts/groups" => {
            Answer::json(200, &json!([{"labels": {}, "receiver": {"name": "team"}, "alerts": [alert]}]))
        }
        "/api/v2/silences" => Answer::json(200, &json!([])),
        "/api/v2/status" => Answer::json(200, &json!({"versionInfo": {"version": "0.28.1"}, "cluster": {}})),
        other => panic!("{other} is nothing that is asked"),
    }
}

/// Ends with the test, however that ends.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_running_process_asks_the_new_address_with_its_header_and_the_old_one_no_more() {
    use crate::stateful_server::StatefulServer;
    let (old, new) = (StatefulServer::start("Old", serve), StatefulServer::start("New", serve));
    let machine = crate::cli::Machine::new();
    let config = |url: String, more: &str| {
        format!("alertmanager: [{{name: am, urls: ['{url}'], poll_interval: 1s{more}}}]\nresponder: {{name: ada}}\n")
    };
    machine.write("config.yaml", &config(old.url(), ""));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_midwatch"));
    command.env_clear().env("HOME", machine.dir.path()).env("MIDWATCH_CONFIG", machine.config());
    command.env("MIDWATCH_DATA_DIR", machine.data()).args(["watch", "--plain"]).stdin(std::process::Stdio::piped());
    let child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let mut running = Running(child);
    // Only a process that never gets there meets the limit.
    let mut wait = |what: &str, there: &dyn Fn() -> bool| {
        for _ in 0..12_000 {
            if there() {
                return;
            }
            assert!(running.0.try_wait().unwrap().is_none(), "it ended before {what}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("it never came to {what}");
    };
    let polls =
        |server: &StatefulServer<&'static str>| server.requests().iter().filter(|a| a.path.ends_with("groups")).count();
    wait("a poll of the old one", &|| polls(&old) > 0);
    machine.write("config.yaml", &config(new.url(), ", headers: {X-Scope-OrgID: team}"));
    wait("polls of the new one", &|| polls(&new) > 2);
    let asked = old.requests().len();
    let so_far = polls(&new);
    wait("more polls", &|| polls(&new) > so_far + 2);
    assert_eq!(old.requests().len(), asked, "nothing is asked of the old one any more");
    assert!(new.requests().iter().all(|asked| asked.header("x-scope-orgid") == "team"));
}
