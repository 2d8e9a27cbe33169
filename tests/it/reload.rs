//! Files that change under a running machine, message by message: when they are looked at, what is taken at once, what
//! waits for a person, what asks for a restart.

use midwatch::app::deadline::next_deadline;
use midwatch::app::effect::Effect;
use midwatch::app::key::Key;
use midwatch::app::model::{Layout, Model, Setup};
use midwatch::app::msg::{Feed, Msg, Reply};
use midwatch::app::present::head::banners;
use midwatch::app::present::{runbooks, walk};
use midwatch::app::reload::{Looked, Settings};
use midwatch::app::screen::Screen;
use midwatch::app::update::update;
use midwatch::config::Config;
use midwatch::domain::alert::rule::AlertRule;
use midwatch::domain::document::{Finding, Level};
use midwatch::domain::fault::{Fault, FaultKind};
use midwatch::domain::ids::{Origin, ReqId};
use midwatch::domain::incident::event::{Body, NewEvent};
use midwatch::domain::runbook::format::read;
use midwatch::domain::runbook::lint::{Facts, Rehearsal, lint_knowing};
use midwatch::domain::runbook::model::Runbook;
use midwatch::domain::severity::SeverityTable;
use midwatch::domain::slo::catalogue::Plans;
use midwatch::domain::time::{Span, Timestamp, mins, secs};
use midwatch::io::fake::objectives;
use midwatch::io::store::Store;
use midwatch::io::store::memory::Memory;
use midwatch::run::sim::{links, setup};
use std::sync::Arc;

const BOOK: &str = "name: Disk\ntriggers: [{alert: DiskFull}]\nsteps:\n  - {name: Look, commands: ['df -h']}\n  - {name: Mitigate, actions: [x]}\n";

struct Bench {
    model: Model,
    now: Timestamp,
    record: Memory,
}

fn start() -> Timestamp {
    "2026-05-01T03:12:04Z".parse().unwrap()
}

fn book(text: &str) -> Arc<Runbook> {
    Arc::new(read("r/disk.yaml", text).0.unwrap())
}

fn settings(change: impl FnOnce(&mut Config)) -> Settings {
    let mut config = Config::empty();
    change(&mut config);
    Settings {
        config: Arc::new(config),
        severities: SeverityTable::defaults(),
        template: Layout::A,
        findings: Vec::new(),
    }
}

#[test]
fn a_page_of_the_team_has_its_own_title() {
    use midwatch::app::present::links::titles;
    use midwatch::domain::incident::link::LinkTemplate;
    let mut bench = Bench::new();
    let link = |title: &str, url: &str, services: Vec<String>| LinkTemplate {
        title: title.into(),
        url: format!("https://{url}/{{incident}}"),
        services,
    };
    let links =
        vec![link("a", "a.example", vec![]), link("", "b.example", vec![]), link("c", "c.example", vec!["web".into()])];
    bench.model.reload.settings = Some(Box::new(settings(|c| c.links = links)));
    let declared = Body::Declared {
        title: "t".into(),
        severity: "SEV2".into(),
        service: Some("api".into()),
        detected_by: None,
        detected_at: None,
    };
    let events = bench.record.append(vec![NewEvent {
        incident: "INC-1".into(),
        at: start(),
        recorded_at: start(),
        actor: "ada".into(),
        body: declared,
        once: None,
    }]);
    let incident = midwatch::domain::incident::state::Incident::fold(&events.unwrap()).unwrap();
    let found: Vec<(String, String)> = titles(&bench.model, &incident).into_iter().collect();
    assert_eq!(found, [("https://a.example/INC-1".to_owned(), "a".to_owned())]);
}

fn error(message: &str) -> Finding {
    let (path, rule) = ("c/config.yaml".to_owned(), "syntax".to_owned());
    Finding { path, line: 3, column: 7, rule, level: Level::Error, message: message.to_owned() }
}

impl Bench {
    fn new() -> Self {
        let setup = Setup { simulated: None, ..setup("ada") };
        let mut model = Model::new(setup, objectives(), links(start(), mins(60)));
        model.reload.next = Some(start() + secs(5));
        model.reload.settings = Some(Box::new(settings(|_| {})));
        let mut bench = Self { model, now: start(), record: Memory::new(Origin("here".into())) };
        bench.send(Msg::Feed(Feed::Loaded(vec![])));
        bench.send(Msg::Feed(Feed::Library(vec![book(BOOK)], vec![])));
        bench
    }

    fn send(&mut self, msg: Msg) -> Vec<Effect> {
        let effects = update(&mut self.model, self.now, msg);
        for effect in &effects {
            if let Effect::Append { req, events } = effect {
                let saved = self.record.append(events.clone()).unwrap();
                update(&mut self.model, self.now, Msg::Reply(*req, Reply::Saved(saved)));
            }
        }
        effects
    }

    fn press(&mut self, keys: &str) -> Vec<Effect> {
        keys.split(' ').flat_map(|key| self.send(Msg::Key(Key::parse(key).unwrap()))).collect()
    }

    fn after(&mut self, length: Span) -> Vec<Effect> {
        self.now += length;
        self.send(Msg::Wake)
    }

    /// The look that is due, and its answer.
    fn look(&mut self, found: Looked) -> Vec<Effect> {
        let asked = self.after(secs(5));
        let req = looks(&asked)[0];
        self.send(Msg::Reply(req, Reply::Looked(Box::new(found))))
    }

    fn library(&mut self, books: &[Arc<Runbook>]) {
        self.look(Looked { library: Some((books.to_vec(), vec![])), ..Looked::default() });
    }

    fn said(&self) -> Vec<String> {
        self.model.messages.iter().map(|m| m.text.clone()).collect()
    }

    fn banners(&self) -> String {
        banners(&self.model, self.now).into_iter().map(|b| b.text).collect::<Vec<_>>().join("\n")
    }

    /// Opens the runbook for an incident, as a walk.
    fn walk(&mut self) {
        self.press("1 i");
        "disk".chars().for_each(|c| drop(self.send(Msg::Key(Key::char(c)))));
        self.press("Enter");
        self.press("5 Enter");
        assert!(matches!(self.model.nav.screen(), Screen::Walk(Some(_), _)), "{:?}", self.model.nav.screen());
    }
}

fn looks(effects: &[Effect]) -> Vec<ReqId> {
    effects.iter().filter_map(|e| if let Effect::Look { req } = e { Some(*req) } else { None }).collect()
}

#[test]
fn files_are_looked_at_every_five_seconds_while_somebody_could_see() {
    let mut bench = Bench::new();
    assert_eq!(looks(&bench.after(secs(4))), []);
    let first = looks(&bench.after(secs(1)));
    assert_eq!(first.len(), 1);
    assert_eq!(looks(&bench.after(secs(30))), [], "one that hangs is not joined by a second one");
    assert!(next_deadline(&bench.model, bench.now, true).unwrap() > bench.now, "and nothing spins");
    bench.send(Msg::Reply(first[0], Reply::Looked(Box::default())));
    assert_eq!(looks(&bench.after(secs(5))).len(), 1);

    // With nobody in front it is the clock's own minute; with nobody at all there is no deadline of ours.
    let mut away = Bench::new();
    away.send(Msg::Focus(false));
    let asked = looks(&away.after(secs(5)));
    away.send(Msg::Reply(asked[0], Reply::Looked(Box::default())));
    assert_eq!(looks(&away.after(secs(55))), []);
    assert_eq!(looks(&away.after(secs(5))).len(), 1);
    let unseen = next_deadline(&away.model, away.now, false);
    assert!(unseen.is_none_or(|at| at > away.now + secs(60)), "{unseen:?}");

    // The clock was set back an hour: the next look does not wait for it.
    let mut set = Bench::new();
    set.now -= mins(60);
    set.send(Msg::Feed(Feed::ClockMoved(-mins(60))));
    assert_eq!(looks(&set.after(secs(5))).len(), 1);
}

#[test]
fn a_simulated_production_is_not_watched() {
    let mut bench = Bench::new();
    bench.model.reload.next = None;
    assert_eq!(looks(&bench.after(mins(10))), []);
}

#[test]
fn what_changed_is_said_and_alerts_find_it() {
    let mut bench = Bench::new();
    let changed = BOOK.replace("df -h", "df -i") + "  - {name: Tell}\n";
    bench.library(&[book(&changed), Arc::new(read("r/new.yaml", BOOK).0.unwrap())]);
    assert_eq!(bench.said(), ["runbook disk: 1 step added, step `look` changed", "runbook new: new, 2 steps"]);
    assert_eq!(bench.model.runbook(&"disk".into()).unwrap().steps.len(), 3);
    bench.library(&[]);
    assert_eq!(bench.said().len(), 4, "{:?}", bench.said());
    let all: Vec<_> = (0..30).map(|n| Arc::new(read(&format!("r/b{n}.yaml"), BOOK).0.unwrap())).collect();
    bench.library(&all);
    assert_eq!(bench.said().last().unwrap(), "and 26 more changes in the files");
}

#[test]
fn a_runbook_that_is_walked_waits_until_somebody_looks_again() {
    let mut bench = Bench::new();
    bench.walk();
    let changed = book(&BOOK.replace("df -h", "df -i"));
    bench.library(std::slice::from_ref(&changed));
    let shown = bench.model.runbook(&"disk".into()).unwrap().clone();
    assert_eq!(shown.sha256, book(BOOK).sha256, "the version that was opened stays");
    assert!(bench.banners().contains("file changed: look again (V)"), "{}", bench.banners());
    assert_eq!(bench.said().last().unwrap(), "runbook disk: step `look` changed");

    let effects = bench.press("V");
    let opened: Vec<&Body> = effects
        .iter()
        .filter_map(|e| if let Effect::Append { events, .. } = e { Some(events) } else { None })
        .flatten()
        .map(|e| &e.body)
        .collect();
    let [Body::RunbookOpened { sha256, .. }] = opened.as_slice() else { panic!("{opened:?}") };
    assert_eq!(*sha256, changed.sha256, "the timeline has the version that is looked at");
    assert_eq!(bench.model.runbook(&"disk".into()).unwrap().sha256, changed.sha256);
    assert!(!bench.banners().contains("look again"), "{}", bench.banners());
    assert_eq!(bench.press("V").len(), 0);
    assert!(bench.said().last().unwrap().contains("as its file is now"), "{:?}", bench.said());
}

#[test]
fn a_walk_that_is_left_takes_the_newer_version_and_a_gone_file_stays_open() {
    let mut bench = Bench::new();
    bench.walk();
    let changed = book(&BOOK.replace("df -h", "df -i"));
    bench.library(std::slice::from_ref(&changed));
    bench.library(&[book(BOOK)]);
    assert!(!bench.banners().contains("look again"), "it is as it was opened: {}", bench.banners());
    bench.library(&[]);
    assert!(bench.banners().contains("the file of disk is gone"), "{}", bench.banners());
    assert!(bench.model.runbook(&"disk".into()).is_some());
    bench.press("V");
    assert!(bench.said().last().unwrap().contains("its file is gone"), "{:?}", bench.said());
    bench.library(std::slice::from_ref(&changed));
    bench.press("1");
    bench.after(secs(1));
    assert_eq!(bench.model.runbook(&"disk".into()).unwrap().sha256, changed.sha256);
}

#[test]
fn objectives_change_with_a_word_and_are_measured_soon() {
    let mut bench = Bench::new();
    let mut new = bench.model.fleet.objectives.clone();
    let mut first = (*new[0]).clone();
    first.target = 0.9995;
    let (id, old) = (first.id.clone(), new[0].target * 100.0);
    new[0] = Arc::new(first);
    bench.after(secs(1));
    let findings = vec![Finding { path: "slo.yaml".into(), ..error("no target; the last good version is used") }];
    bench.look(Looked { objectives: Some((new.clone(), Plans::default(), findings)), ..Looked::default() });
    assert_eq!(bench.said(), [format!("SLO {id}: target {old} -> 99.95")]);
    assert!(bench.banners().contains("slo.yaml:3:7: no target"), "{}", bench.banners());
    let due = bench.model.links.values().any(|l| l.next <= bench.now);
    assert!(due || bench.model.links.values().any(|l| !l.out.is_empty()), "asked now, not in an hour");
    bench.look(Looked { objectives: Some((new, Plans::default(), vec![])), ..Looked::default() });
    assert!(!bench.banners().contains("slo.yaml"), "mended: {}", bench.banners());
}

fn set(bench: &mut Bench, settings: Settings) -> Vec<Effect> {
    let effects = bench.look(Looked { settings: Some(Box::new(settings)), ..Looked::default() });
    effects.into_iter().filter(|e| matches!(e, Effect::Restyle(_))).collect()
}

#[test]
fn what_can_change_changes_and_the_rest_asks_for_a_restart() {
    let mut bench = Bench::new();
    let restyled = set(
        &mut bench,
        settings(|c| {
            c.keys = [("ack".to_owned(), vec!["z".to_owned()])].into();
            c.screen.slow = true;
            c.arm_for = mins(3);
            c.postmortems = "elsewhere".into();
            c.read_only = true;
        }),
    );
    assert_eq!(restyled.len(), 1, "the shell draws anew");
    assert_eq!(bench.model.setup.keymap.keys_of(midwatch::app::action::Action::Ack), ["z"]);
    assert!(bench.model.setup.slow && bench.model.setup.read_only);
    assert_eq!(bench.model.setup.arm_for, mins(3));
    assert_eq!(
        bench.said(),
        ["configuration: screen, keys, arm_for, read_only changed", "configuration: restart to use postmortems"]
    );
    // Back to running commands needs a restart, and is said once.
    set(&mut bench, settings(|c| c.arm_for = mins(3)));
    assert!(bench.model.setup.read_only);
    assert_eq!(bench.said().last().unwrap(), "configuration: restart to use postmortems, read_only");
}

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
    let place = |like: &dyn Fn(&Effect) -> bool| effects.iter().position(|e| like(e));
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

#[test]
fn another_alertmanager_ends_no_alert_rings_for_none_and_gets_nothing_that_was_for_the_old_one() {
    use midwatch::domain::alert::{Alert, AlertSnapshot, AlertState, fingerprint};
    use midwatch::domain::labels::Labels;
    use midwatch::domain::outward::capability::{Capability, Class};
    use midwatch::domain::outward::entry::State;
    let mut bench = Bench::new();
    let am = midwatch::domain::ids::SourceName::from("alertmanager");
    bench.model.outbox.holder = "here".into();
    bench.model.outbox.hold = secs(60);
    let facts = midwatch::domain::outward::target::TargetFacts {
        caps: midwatch::domain::outward::capability::Caps::none()
            .with(Class::Compare, &[Capability::CreateSilence])
            .with(Class::Repeat, &[Capability::ReadSilences]),
        ..midwatch::io::fake::outside::FakeTarget::new(
            "alertmanager",
            midwatch::domain::outward::capability::Caps::none(),
        )
        .target()
        .facts(&am)
    };
    bench.model.connect(facts.clone(), bench.now);
    let old = settings(|c| c.alertmanager = vec![cluster("http://a")]);
    bench.model.reload.settings = Some(Box::new(old));
    let labels =
        Labels([("alertname", "Down"), ("severity", "page")].map(|(n, v)| (n.to_owned(), v.to_owned())).into());
    let alert = Alert {
        fingerprint: fingerprint(&labels),
        name: "Down".into(),
        annotations: Labels::default(),
        state: AlertState::Firing,
        started_at: bench.now,
        source: am.clone(),
        held_by: vec![],
        generator_url: None,
        labels,
    };
    let snapshot = |alerts: &[Alert]| {
        Reply::Alerts(Ok(AlertSnapshot { alerts: alerts.to_vec(), answered: 2, peers: 2, ..Default::default() }))
    };
    let alerts_of = |effects: &[Effect]| {
        effects.iter().find_map(|e| if let Effect::Alerts { req, .. } = e { Some(*req) } else { None })
    };
    let first = alerts_of(&due(&mut bench, "alertmanager")).unwrap();
    bench.send(Msg::Reply(first, snapshot(&[alert.clone()])));
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
    let turns = |bench: &mut Bench, first: Vec<Effect>| -> Vec<midwatch::domain::outward::operation::Operation> {
        let mut sent = Vec::new();
        let mut next = first;
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
    };
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

#[test]
fn an_open_incident_is_told_that_it_goes_on_under_other_settings() {
    let mut bench = Bench::new();
    bench.walk();
    let id = bench.model.desk.cases.keys().next().unwrap().clone();
    let told = |bench: &mut Bench| -> Vec<String> {
        let text = |e: &midwatch::domain::incident::event::Event| match &e.body {
            Body::Cockpit { what, detail } => Some(format!("{what} {detail}")),
            _ => None,
        };
        bench.record.events(&id).unwrap().iter().filter_map(text).collect()
    };
    set(&mut bench, settings(|c| c.screen.slow = true));
    assert_eq!(told(&mut bench), Vec::<String>::new(), "how it looks is nobody's business");
    set(&mut bench, settings(|c| (c.screen.slow, c.arm_for, c.outward_hold) = (true, mins(3), secs(60))));
    let said = told(&mut bench);
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("configuration reloaded with other arm_for, outward_hold at "), "{said:?}");
}

#[test]
fn a_broken_configuration_changes_nothing_and_says_where() {
    let mut bench = Bench::new();
    let mut broken = settings(|c| c.screen.slow = true);
    broken.findings = vec![error("a mapping is not closed")];
    assert_eq!(set(&mut bench, broken.clone()), []);
    assert!(!bench.model.setup.slow);
    assert!(bench.banners().contains("c/config.yaml:3:7: a mapping is not closed"), "{}", bench.banners());
    assert_eq!(bench.said(), ["the configuration has errors; the settings in use stay"]);
    broken.findings.clear();
    set(&mut bench, broken);
    assert!(bench.model.setup.slow && !bench.banners().contains("config.yaml"));
    assert_eq!(bench.said()[1..], ["the configuration is in order again", "configuration: screen changed"]);
}

#[test]
fn the_runbooks_screen_says_what_is_covered() {
    let mut bench = Bench::new();
    let asks = |effects: &[Effect]| -> Vec<ReqId> {
        effects.iter().filter_map(|e| if let Effect::Rules { req, .. } = e { Some(*req) } else { None }).collect()
    };
    assert_eq!(asks(&bench.after(secs(1))), [], "nobody looks at them");
    let asked = asks(&bench.press("5"));
    assert_eq!(asked.len(), 1, "the one server");
    let note = |bench: &Bench| runbooks::page(&bench.model, bench.now).runbooks.note;
    assert_eq!(note(&bench), "");
    let rule = |name: &str| AlertRule { name: name.into(), ..AlertRule::default() };
    bench.send(Msg::Reply(asked[0], Reply::Rules(Ok(vec![rule("DiskFull"), rule("Other")]))));
    assert_eq!(note(&bench), "1 of 2 alerts have a runbook: 50 %, goal 90 %");
    let other = Arc::new(read("r/other.yaml", &BOOK.replace("DiskFull", "Other")).0.unwrap());
    bench.library(&[book(BOOK), other]);
    assert_eq!(note(&bench), "2 of 2 alerts have a runbook: 100 %");
    assert_eq!(asks(&bench.after(mins(4))), []);
    let again = asks(&bench.after(mins(2)));
    bench.send(Msg::Reply(again[0], Reply::Rules(Err(Fault::new(FaultKind::Timeout, "prometheus", "")))));
    assert_eq!(note(&bench), "2 of 2 alerts have a runbook: 100 %, partial");
}

const STOP: &str = "apiVersion: midwatch/v1\nid: disk\nname: Disk\nowner: us\nreviewed: 2026-05-01\ntriggers: [{alert: DiskFul}]\nsteps:\n  \
                    - {id: look, name: Look, say: Where is it}\n  - {id: wipe, name: Wipe, phase: mitigate, include: wipe}\n\
                    escalation: [{after: 5m, clock: unmitigated, contact: senior}]\n";
const WIPE: &str = "apiVersion: midwatch/v1\nid: wipe\nname: Wipe\nowner: us\nreviewed: 2026-05-01\ntriggers: [{alert: Wipe}]\nsteps:\n  \
                    - {id: ask, name: Ask, say: Whose is it}\n  - id: old\n    name: Old logs\n    phase: mitigate\n    say: TODO\n";

/// What is found is where somebody walks: at the step, at a step of an included runbook, and above the first for the rest.
#[test]
fn a_walk_says_what_lint_found_where_it_was_found() {
    let mut bench = Bench::new();
    let (disk, wipe) = (book(STOP), Arc::new(read("r/wipe.yaml", WIPE).0.unwrap()));
    let contacts = Some(Arc::new(["junior".to_owned()].into()));
    let failed = Rehearsal { on: "2026-04-30".parse().unwrap(), failed_at: Some("look".into()) };
    let drills = Some(Arc::new(
        [("disk".into(), failed), ("wipe".into(), Rehearsal { on: "2026-04-30".parse().unwrap(), failed_at: None })]
            .into(),
    ));
    let facts = Facts { contacts, drills, ..Facts::default() };
    let findings: Vec<Finding> = [&disk, &wipe].into_iter().flat_map(|b| lint_knowing(b, &facts)).collect();
    bench.look(Looked { library: Some((vec![disk, wipe], findings)), ..Looked::default() });

    // The servers' rules: one alert is missing, and while a server is away nobody knows.
    let asked = bench.press("5");
    let req = asked.iter().find_map(|e| if let Effect::Rules { req, .. } = e { Some(*req) } else { None }).unwrap();
    let rule = |name: &str| AlertRule { name: name.into(), ..AlertRule::default() };
    bench.send(Msg::Reply(req, Reply::Rules(Ok(vec![rule("DiskFull"), rule("Wipe")]))));
    let unknown = "no rule of the servers raises the alert `DiskFul` (nearest: `DiskFull`)";
    let told: Vec<&str> =
        bench.model.runbook_findings().map(|f| f.message.as_str()).filter(|m| m.contains("servers")).collect();
    assert_eq!(told, [unknown]);

    bench.press("1 i");
    "disk".chars().for_each(|c| drop(bench.send(Msg::Key(Key::char(c)))));
    bench.press("Enter");
    bench.press("5 Enter");
    let Screen::Walk(incident, id) = bench.model.nav.screen().clone() else { panic!("{:?}", bench.model.nav.screen()) };
    let shown = walk::page(&bench.model, bench.now, incident.as_ref(), &id);
    let notes: Vec<(&str, &str)> = shown.steps.iter().map(|row| (row.name.as_str(), row.note.as_str())).collect();
    assert_eq!(notes, [("1 Look", "failed in a drill"), ("2 Wipe", ""), ("3 Ask", ""), ("4 Old logs", "1 warning")]);
    assert_eq!(
        shown.say,
        [
            "remark in line 8: the last drill, on 2026-04-30, failed at step `look` [RB015]".to_owned(),
            format!("about the runbook, warning in line 6: {unknown} [RB010] (and 1 more)"),
            "Where is it".to_owned(),
        ]
    );
}

fn outside(text: &str) -> Vec<midwatch::config::OutsideConfig> {
    let (environment, flags) = (midwatch::config::Environment::new(), midwatch::config::Flags::default());
    let inputs = midwatch::config::Inputs {
        file: Some(("config.yaml", text)),
        folder: std::path::Path::new("/nowhere"),
        environment: &environment,
        flags: &flags,
        machine_zone: None,
    };
    midwatch::config::read(&inputs).config.outside
}

#[test]
fn targets_change_under_a_running_cockpit_and_what_waits_for_a_gone_one_says_why() {
    use midwatch::app::msg::Retargeted;
    use midwatch::domain::outward::entry::State;
    let hook = "event_sinks: [{name: hook, kind: webhook, url: 'https://a.example'}]\n";
    let both = format!("{hook}chat: [{{name: room, kind: webhook, url: 'https://b.example'}}]\n");
    let targets = midwatch::run::targets::Targets::new(std::collections::BTreeMap::new());
    let mut bench = Bench::new();
    bench.model.outbox.holder = "here".into();
    let change = |bench: &mut Bench, text: &str, hold| {
        let new = settings(|c| (c.outside, c.outward_hold) = (outside(text), hold));
        let effects = bench.look(Looked { settings: Some(Box::new(new)), ..Looked::default() });
        let asked = effects.into_iter().find_map(|effect| match effect {
            Effect::Retarget { connect, remove } => Some((connect, remove)),
            _ => None,
        });
        let told = asked.map(|(connect, remove)| {
            let names: Vec<String> = connect.iter().map(|c| c.name.0.clone()).collect();
            let new: Retargeted = targets.change(&connect, remove.clone());
            bench.send(Msg::Feed(Feed::Targets(Box::new(new))));
            (names, remove.into_iter().map(|n| n.0).collect::<Vec<_>>())
        });
        told.unwrap_or_default()
    };
    let none: (Vec<String>, Vec<String>) = Default::default();
    assert_eq!(change(&mut bench, hook, secs(6)), (vec!["hook".into()], vec![]));
    assert!(bench.model.links.contains_key(&"hook".into()));
    // A line above it moved it, and the other one is new: this one is left as it is.
    assert_eq!(change(&mut bench, &format!("theme: dark\n{both}"), secs(60)), (vec!["room".into()], vec![]));
    assert_eq!(bench.model.outbox.hold, secs(60));
    bench.press("i");
    "checkout is down".chars().for_each(|c| drop(bench.send(Msg::Key(Key::char(c)))));
    bench.press("Enter");
    let id = bench.model.desk.cases.keys().next().unwrap().clone();
    let mut out = Vec::new();
    midwatch::app::update::page(&mut bench.model, bench.now, &id, &"hook".into(), &mut out).unwrap();
    for effect in out {
        let Effect::Append { req, events } = effect else { panic!("{effect:?}") };
        let saved = bench.record.append(events).unwrap();
        bench.send(Msg::Reply(req, Reply::Saved(saved)));
    }
    let entries = bench.record.outbox_news().unwrap();
    bench.send(Msg::Feed(Feed::Outbox(entries)));
    assert_eq!(change(&mut bench, &both.replace(hook, ""), secs(60)), (vec![], vec!["hook".into()]));
    assert!(!bench.model.links.contains_key(&"hook".into()));
    assert!(
        bench.said().iter().any(|t| t == "target hook is gone; 1 operation(s) for it are held"),
        "{:?}",
        bench.said()
    );
    let asked = bench.after(secs(70));
    for req in looks(&asked) {
        bench.send(Msg::Reply(req, Reply::Looked(Box::default())));
    }
    let entry = bench.model.outbox.entries.values().next().unwrap();
    assert_eq!(entry.state, State::Queued, "not lost, not sent");
    let (why, _) = midwatch::app::present::outbox::why(&bench.model, entry, bench.now);
    assert!(why.contains("no target `hook` is configured"), "{why}");
    // Back again under another address it waits for a person; where it is the same one, it goes on.
    let moved = both.replace("https://a.example", "https://c.example");
    let mut elsewhere = Bench { model: bench.model.clone(), now: bench.now, record: Memory::new(Origin("x".into())) };
    assert_eq!(change(&mut elsewhere, &moved, secs(60)), (vec!["hook".into()], vec![]));
    let entry = elsewhere.model.outbox.entries.values().next().unwrap().clone();
    let why = elsewhere.model.outbox.stray(&entry).unwrap();
    assert_eq!(why, "it was for another place, and hook leads elsewhere now");
    assert_eq!(bench.model.outbox.stray(&entry), None);
    // A broken configuration changes nothing.
    assert_eq!(change(&mut bench, &both, secs(60)), (vec!["hook".into()], vec![]));
    assert_eq!(bench.model.outbox.stray(&entry), None);
    let mut broken = settings(|_| {});
    broken.findings = vec![error("no")];
    let effects = bench.look(Looked { settings: Some(Box::new(broken)), ..Looked::default() });
    assert!(!effects.iter().any(|e| matches!(e, Effect::Retarget { .. })));
    assert!(bench.model.outbox.targets.contains_key(&"hook".into()));
    assert_eq!(change(&mut bench, &both, secs(60)), none);
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
