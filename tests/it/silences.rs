//! Silences through the machine, message by message, with a record behind it: what is asked before one is made, what leaves,
//! which are kept alive, which ends are told, and what a target's answers teach.

use midwatch::app::action::Action;
use midwatch::app::effect::Effect;
use midwatch::app::key::Key;
use midwatch::app::model::{Model, Setup};
use midwatch::app::msg::{Feed, Msg, Reply};
use midwatch::app::present::available::why_not;
use midwatch::app::present::{alerts, lines, silences};
use midwatch::app::screen::{Item, Overlay};
use midwatch::app::update::update;
use midwatch::domain::alert::{Alert, AlertSnapshot, AlertState, fingerprint};
use midwatch::domain::fault::{Fault, FaultKind};
use midwatch::domain::ids::{IncidentId, Origin};
use midwatch::domain::incident::event::{Body, OUTWARD_LOG};
use midwatch::domain::labels::Labels;
use midwatch::domain::outward::capability::{Capability, Caps, Class};
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::{Obstacle, Outcome, Reference};
use midwatch::domain::outward::pace::Pace;
use midwatch::domain::outward::question::{Answer, Question};
use midwatch::domain::outward::silence::{Matcher, Silence, SilenceState, SilenceWrite};
use midwatch::domain::outward::target::{PortKind, TargetFacts};
use midwatch::domain::server_note::ServerNote;
use midwatch::domain::time::{Span, Timestamp, mins, secs};
use midwatch::io::store::Store;
use midwatch::io::store::memory::Memory;
use midwatch::run::sim::{links, setup};
use std::collections::VecDeque;

const AM: &str = "alertmanager";

fn start() -> Timestamp {
    "2026-05-01T03:12:04Z".parse().unwrap()
}

fn caps() -> Caps {
    Caps::none()
        .with(Class::Compare, &[Capability::CreateSilence])
        .with(Class::Repeat, &[Capability::ExtendSilence, Capability::ExpireSilence, Capability::ReadSilences])
}

fn facts(caps: Caps) -> TargetFacts {
    TargetFacts {
        name: AM.into(),
        product: "alertmanager".into(),
        ports: vec![PortKind::Silences],
        caps,
        pace: Pace::default(),
        limit_ms: 5_000,
        audience: None,
        address: "simulated".into(),
        reads_every_ms: None,
        room: midwatch::domain::outward::chat::RoomSettings::default(),
    }
}

fn alert(name: &str, instance: &str, held: &[&str]) -> Alert {
    let labels = Labels::from([("alertname", name), ("severity", "page"), ("instance", instance)]);
    Alert {
        fingerprint: fingerprint(&labels),
        name: name.into(),
        labels,
        annotations: Labels::default(),
        state: if held.is_empty() { AlertState::Firing } else { AlertState::Silenced },
        started_at: start() - mins(3),
        source: AM.into(),
        held_by: held.iter().map(|id| (*id).to_owned()).collect(),
        generator_url: None,
    }
}

fn silence(id: &str, comment: &str, by: &str, (from, to): (Timestamp, Timestamp)) -> Silence {
    Silence {
        id: id.into(),
        matchers: vec![Matcher::is("alertname", "Down")],
        starts_at: from,
        ends_at: to,
        created_by: by.into(),
        comment: comment.into(),
        state: SilenceState::Active,
    }
}

/// A machine, its record, and what the Alertmanager behind it knows.
struct Bench {
    model: Model,
    now: Timestamp,
    record: Memory,
    /// Appends fail.
    full: bool,
    alerts: Vec<Alert>,
    silences: Vec<Silence>,
    outcome: Outcome,
    sent: Vec<Operation>,
}

impl Bench {
    fn with(caps: Option<Caps>, alerts: Vec<Alert>) -> Self {
        let mut model = Model::new(Setup { simulated: None, ..setup("ada") }, vec![], links(start(), secs(15)));
        model.outbox.holder = "here".into();
        model.outbox.hold = secs(6);
        if let Some(caps) = caps {
            model.connect(facts(caps), start());
        }
        let mut bench = Self {
            model,
            now: start(),
            record: Memory::new(Origin("here".into())),
            full: false,
            alerts,
            silences: vec![],
            outcome: Outcome::Applied(Reference::id("s-new")),
            sent: vec![],
        };
        bench.send(Msg::Feed(Feed::Opened(Origin("here".into()))));
        bench.send(Msg::Feed(Feed::Loaded(vec![])));
        bench
    }

    fn new(alerts: Vec<Alert>) -> Self {
        Self::with(Some(caps()), alerts)
    }

    fn answer(&mut self, effect: Effect) -> Vec<Msg> {
        let reply = |req, reply| vec![Msg::Reply(req, reply)];
        match effect {
            Effect::Append { req, .. } if self.full => {
                reply(req, Reply::NotSaved(Fault::new(FaultKind::Local, "record", "the disk is full")))
            }
            Effect::Append { req, events } => {
                let saved = self.record.append(events).unwrap();
                let mut out = reply(req, Reply::Saved(saved));
                out.push(Msg::Feed(Feed::Outbox(self.record.outbox_news().unwrap())));
                out
            }
            Effect::Step { req, op, step, by } => {
                reply(req, Reply::Stepped(Ok(self.record.step(&op, &step, &by).unwrap())))
            }
            Effect::Deliver { req, op, .. } => {
                self.sent.push(*op);
                reply(req, Reply::Delivered(self.outcome.clone()))
            }
            Effect::Alerts { req, .. } => {
                let alerts = self.alerts.clone();
                let snapshot = AlertSnapshot { alerts, answered: 1, peers: 1, ..AlertSnapshot::default() };
                reply(req, Reply::Alerts(Ok(snapshot)))
            }
            Effect::AskTarget { req, question: Question::Silences, .. } => {
                reply(req, Reply::Told(Ok(Answer::Silences(self.silences.clone()))))
            }
            Effect::Measure { req, .. } => reply(req, Reply::Measured(Ok((vec![], ServerNote::default())))),
            Effect::All { req, .. } => reply(req, Reply::Events(Ok(vec![]))),
            _ => vec![],
        }
    }

    /// Handles a message and everything that follows from it.
    fn send(&mut self, msg: Msg) {
        let mut waiting = VecDeque::from([msg]);
        while let Some(msg) = waiting.pop_front() {
            for effect in update(&mut self.model, self.now, msg) {
                waiting.extend(self.answer(effect));
            }
        }
    }

    fn press(&mut self, keys: &str) {
        for key in keys.split(' ') {
            self.send(Msg::Key(Key::parse(key).unwrap()));
        }
    }

    fn types(&mut self, text: &str) {
        text.chars().for_each(|c| self.send(Msg::Key(Key::char(c))));
    }

    fn clear(&mut self) {
        self.press("Ctrl-U");
    }

    /// The box was on the screen.
    fn yes(&mut self) {
        self.send(Msg::Painted);
        self.press("y");
    }

    fn after(&mut self, span: Span) {
        self.now += span;
        self.send(Msg::Wake);
    }

    fn rows(&self) -> Vec<(String, String)> {
        match &self.model.nav.overlay {
            Some(Overlay::Confirm(confirm)) => confirm.rows.clone(),
            other => panic!("{other:?} {:?}", self.said()),
        }
    }

    fn row(&self, label: &str) -> String {
        self.rows().into_iter().find(|(name, _)| name == label).map(|(_, text)| text).unwrap_or_default()
    }

    fn said(&self) -> Vec<String> {
        self.model.messages.iter().map(|m| m.text.clone()).collect()
    }

    fn heard(&self, part: &str) -> usize {
        self.said().iter().filter(|text| text.contains(part)).count()
    }

    fn writes(&self) -> Vec<SilenceWrite> {
        let write = |op: &Operation| match &op.intent {
            Intent::Silence(write) => write.clone(),
            other => panic!("{other:?}"),
        };
        self.sent.iter().map(write).collect()
    }

    fn declare(&mut self) -> IncidentId {
        self.press("6 i Enter");
        self.model.desk.cases.keys().next().unwrap().clone()
    }
}

#[test]
fn a_silence_is_shown_with_what_it_would_hold_and_leaves_after_the_hold() {
    let mut bench = Bench::new(vec![alert("Down", "a", &[]), alert("Down", "b", &[]), alert("Slow", "a", &[])]);
    bench.press("6 s");
    let Some(Overlay::Form(form)) = &bench.model.nav.overlay else { panic!() };
    let instance = bench.model.alerts.all().next().unwrap().labels.get("instance").to_owned();
    let whole = format!("alertname=\"Down\" instance=\"{instance}\" severity=\"page\"");
    assert_eq!(form.value("conditions"), whole);
    bench.press("Enter");
    let Some(Overlay::Form(form)) = &bench.model.nav.overlay else { panic!() };
    assert_eq!(form.error.as_deref(), Some("a reason is needed"), "what was typed stays");
    bench.clear();
    bench.types("Down");
    bench.press("Tab");
    bench.clear();
    bench.types("2h");
    bench.press("Tab");
    bench.types("rack is moved");
    bench.press("Enter");
    assert_eq!(bench.row("silences"), "alertname=\"Down\"");
    assert_eq!(bench.row("holds now"), "2 firing alerts (2 page): Down 2");
    assert!(bench.row("careful").is_empty());
    bench.press("y");
    assert!(bench.sent.is_empty() && bench.model.nav.overlay.is_some(), "the box was not on the screen yet");
    bench.after(secs(2));
    bench.yes();
    assert!(bench.sent.is_empty(), "u still takes it back");
    bench.after(secs(7));
    let [SilenceWrite::Create { matchers, starts_at, ends_at, comment }] = &bench.writes()[..] else { panic!() };
    assert_eq!((matchers, comment.as_str()), (&vec![Matcher::is("alertname", "Down")], "rack is moved"));
    assert_eq!((*starts_at, *ends_at), (start() + secs(2), start() + secs(2) + mins(120)), "from the yes on");
    assert_eq!(bench.heard("done (s-new)"), 1, "{:?}", bench.said());
    // No incident: it is in the log of its own, whole with its end.
    let log = bench.record.events(&IncidentId(OUTWARD_LOG.into())).unwrap();
    assert!(matches!(log[..], [_, _]) && matches!(log[1].body, Body::OutgoingOutcome { .. }));
    assert!(bench.record.heads().unwrap().is_empty(), "a log is no incident");
}

#[test]
fn u_takes_back_a_silence_that_has_not_left() {
    let mut bench = Bench::new(vec![alert("Down", "a", &[]), alert("Slow", "a", &[])]);
    bench.press("6 s Tab Tab");
    bench.types("x");
    bench.press("Enter");
    bench.yes();
    bench.press("u");
    bench.after(mins(1));
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
    assert_eq!(bench.model.outbox.count().0, 0);
}

#[test]
fn what_sweeps_wants_a_word_and_says_why() {
    let all = vec![alert("Down", "a", &[]), alert("Slow", "a", &[])];
    for (conditions, why) in [
        ("alertname!=Nothing", "no condition asks for a label to be there"),
        ("alertname=~.*", "no condition asks for a label to be there"),
        ("severity=page", "nothing that fires now would be left"),
    ] {
        let mut bench = Bench::new(all.clone());
        bench.press("6 s");
        bench.clear();
        bench.types(conditions);
        bench.press("Tab Tab");
        bench.types("x");
        bench.press("Enter");
        assert!(bench.row("careful").starts_with(why), "{:?}", bench.rows());
        bench.send(Msg::Painted);
        bench.press("y");
        bench.press("Enter");
        bench.after(mins(1));
        assert!(bench.sent.is_empty(), "a y is not enough");
        bench.press("s");
        bench.clear();
        bench.types(conditions);
        bench.press("Tab Tab");
        bench.types("x");
        bench.press("Enter");
        bench.send(Msg::Painted);
        bench.types("silence all");
        bench.press("Enter");
        bench.after(mins(1));
        assert_eq!(bench.sent.len(), 1, "{:?}", bench.said());
    }
    let mut bench = Bench::new(all);
    bench.press("6 s");
    bench.clear();
    bench.types("a=~(");
    bench.press("Tab Tab");
    bench.types("x");
    bench.press("Enter");
    let Some(Overlay::Form(form)) = &bench.model.nav.overlay else { panic!() };
    assert!(form.error.as_deref().unwrap().contains("no regular expression"));
}

#[test]
fn an_acknowledgement_leaves_at_once_for_the_alert_alone() {
    let mut bench = Bench::new(vec![alert("Down", "a", &[]), alert("Down", "b", &[])]);
    bench.press("6 K");
    assert_eq!(bench.row("holds now"), "1 firing alert (1 page): Down at alertmanager");
    bench.yes();
    let [SilenceWrite::Create { matchers, starts_at, ends_at, comment }] = &bench.writes()[..] else { panic!() };
    assert_eq!(matchers.len(), 3);
    assert_eq!((*ends_at - *starts_at, comment.as_str()), (mins(15), "ACK! ada looks at it"));
    // Late it is not sent: somebody else may have it by then.
    let mut late = Bench::new(vec![alert("Down", "a", &[])]);
    late.outcome = Outcome::NotDone { kind: Obstacle::Unavailable, words: "refused".into(), wait_ms: None };
    late.press("6 K");
    late.yes();
    for _ in 0..40 {
        late.after(secs(10));
    }
    assert_eq!(late.heard("too late to send without you"), 1, "{:?}", late.said());
}

#[test]
fn the_alerts_of_an_incident_are_acknowledged_together_and_in_its_timeline() {
    let mut bench = Bench::new(vec![alert("Down", "a", &[]), alert("Down", "b", &[])]);
    let id = bench.declare();
    bench.press("6 j L 3 K");
    assert_eq!(bench.rows().iter().filter(|(label, _)| label == "acknowledges").count(), 1);
    assert!(bench.row("holds now").starts_with("2 firing"), "{:?}", bench.rows());
    bench.yes();
    let [SilenceWrite::Create { matchers, comment, .. }] = &bench.writes()[..] else { panic!("{:?}", bench.sent) };
    let instance = matchers.iter().find(|m| m.name == "instance").unwrap();
    assert_eq!((instance.value.as_str(), instance.regex), ("a|b", true));
    assert_eq!(comment, &format!("ACK! ada looks at it for {id}"));
    let kinds: Vec<_> = bench.record.events(&id).unwrap().into_iter().map(|e| e.body).collect();
    assert!(kinds.iter().any(|b| matches!(b, Body::OutgoingOutcome { .. })));
}

#[test]
fn an_acknowledgement_is_kept_alive_while_its_alert_fires_and_no_longer() {
    let times = (start() - mins(11), start() + mins(4));
    let longer = |bench: &Bench| bench.writes().iter().filter(|w| matches!(w, SilenceWrite::Extend { .. })).count();
    let run = |silence: Silence, held: &[&str]| {
        let mut bench = Bench::new(vec![alert("Down", "a", held)]);
        bench.silences = vec![silence];
        for _ in 0..4 {
            bench.after(secs(15));
        }
        bench
    };
    let mine = silence("s1", "ACK! ada looks at it [mw:op]", "ada", times);
    let bench = run(mine.clone(), &["s1"]);
    let [SilenceWrite::Extend { silence, ends_at }] = &bench.writes()[..] else { panic!("{:?}", bench.said()) };
    assert_eq!((silence.id.as_str(), *ends_at - start() > mins(15)), ("s1", true), "{ends_at}");
    assert_eq!(bench.heard("ends in"), 0, "what is kept is not warned of");
    assert_eq!(longer(&run(mine.clone(), &[])), 0, "nothing fires under it: it lapses");
    for other in [
        Silence { created_by: "bob".into(), ..mine.clone() },
        Silence { comment: "known [mw:op]".into(), ..mine.clone() },
        Silence { comment: "ACK! by another tool".into(), ..mine.clone() },
        Silence { starts_at: start() - Span::hours(24), ..mine.clone() },
    ] {
        let bench = run(other.clone(), &["s1"]);
        assert_eq!((longer(&bench), bench.heard("ends in")), (0, 1), "{other:?} {:?}", bench.said());
    }
    // Two cockpits on one record make it longer once.
    let mut first = run(mine.clone(), &["s1"]);
    first.model.outbox.kept.clear();
    first.after(secs(15));
    assert_eq!(longer(&first), 1, "the record holds it once");
}

#[test]
fn an_end_that_comes_near_is_told_once_and_stands_among_the_timers() {
    let mut bench = Bench::new(vec![alert("Down", "a", &["s1"])]);
    bench.silences = vec![silence("s1", "rack", "bob", (start() - mins(60), start() + mins(30)))];
    bench.after(secs(15));
    assert_eq!(bench.heard("ends in"), 0);
    let timers = silences::timers(&bench.model, bench.now);
    assert_eq!(timers[0].label, "silence ends");
    bench.after(mins(26));
    bench.after(secs(15));
    bench.after(secs(15));
    assert_eq!(bench.heard("the silence of alertname=\"Down\" ends in"), 1, "{:?}", bench.said());
    let row = &alerts::pane(&bench.model, bench.now).rows[0];
    assert!(row.state.starts_with("silent 3m"), "{}", row.state);
    assert!(
        lines::facts(&bench.model, bench.now).iter().any(|l| l.starts_with("SILENCE alertname=\"Down\" by bob until"))
    );
}

#[test]
fn a_silence_is_made_longer_or_ended_from_its_alert_and_from_its_row() {
    let mut bench = Bench::new(vec![alert("Down", "a", &["s1", "s2"]), alert("Slow", "a", &[])]);
    let from = start() - mins(60);
    bench.silences = vec![
        silence("s1", "rack", "bob", (from, start() + mins(30))),
        silence("s2", "deploy", "eve", (from, start() + mins(90))),
        Silence { state: SilenceState::Expired, ..silence("s3", "old", "eve", (from, start() - mins(1))) },
    ];
    bench.after(secs(15));
    bench.press("6 j e");
    let Some(Overlay::Form(form)) = &bench.model.nav.overlay else { panic!("{:?}", bench.said()) };
    assert_eq!(form.fields[0].choices.len(), 2, "the one that ends last comes first");
    bench.press("Right Tab");
    bench.clear();
    bench.types("45m");
    bench.press("Enter");
    bench.after(secs(7));
    let [SilenceWrite::Extend { silence, ends_at }] = &bench.writes()[..] else { panic!("{:?}", bench.said()) };
    assert_eq!((silence.id.as_str(), *ends_at), ("s1", start() + mins(75)));
    bench.press("Tab");
    let spot = bench.model.nav.spot().cursor;
    assert!(matches!(&spot, Some(Item::Silence(_, id)) if id == "s1"), "{spot:?}");
    bench.press("x");
    assert!(bench.row("then").starts_with("1 alert(s)"));
    bench.yes();
    assert_eq!(bench.writes().last(), Some(&SilenceWrite::Expire { id: "s1".into() }), "an end never waits");
    bench.press("k x");
    assert_eq!(bench.heard("no silence holds Slow"), usize::from(bench.model.nav.overlay.is_none()));
}

#[test]
fn resolving_offers_to_end_the_acknowledgements_that_are_left() {
    let mut bench = Bench::new(vec![alert("Down", "a", &[])]);
    let id = bench.declare();
    bench.silences = vec![silence("s1", "ACK! ada looks at it [mw:op]", "ada", (start(), start() + mins(14)))];
    bench.alerts = vec![alert("Down", "a", &["s1"])];
    bench.after(secs(15));
    bench.press("3 x");
    bench.types("disk replaced");
    bench.press("Enter");
    bench.send(Msg::Painted);
    let word: String = id.0.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    bench.types(&word);
    bench.press("Enter");
    assert!(bench.row("acknowledged").contains("alertname=\"Down\""), "{:?}", bench.rows());
    assert!(bench.sent.is_empty());
    bench.yes();
    assert_eq!(bench.writes(), [SilenceWrite::Expire { id: "s1".into() }]);
}

#[test]
fn a_key_is_greyed_by_what_its_target_can_do() {
    let now = start();
    let why = |bench: &Bench, action| why_not(&bench.model, now, action).unwrap_or_default();
    let none = Bench::with(None, vec![]);
    assert_eq!(why(&none, Action::SilenceAlert), "no target that can silence is configured");
    assert!(why(&none, Action::PageOnCall).contains("no open incident"));
    let reads = Bench::with(Some(caps().read_only()), vec![]);
    for action in [Action::SilenceAlert, Action::AckAlert, Action::ExtendSilence, Action::ExpireSilence] {
        assert!(why(&reads, action).contains("read_only is set for it"), "{}", why(&reads, action));
    }
    assert_eq!(why(&Bench::new(vec![]), Action::SilenceAlert), "");
}

#[test]
fn what_a_target_refused_greys_the_key_until_a_person_tries_again() {
    let refused = |kind, words: &str| Outcome::Refused { kind, words: words.into() };
    for (outcome, word) in [
        (refused(Obstacle::Permission, "answered 403"), "the token may not"),
        (refused(Obstacle::PlanLacks, "answered 402"), "the plan does not include it"),
    ] {
        let mut bench = Bench::new(vec![alert("Down", "a", &[]), alert("Slow", "a", &[])]);
        bench.outcome = outcome;
        bench.press("6 K");
        bench.yes();
        if word == "the token may not" {
            // One refusal may be about what was to be silenced; that of something else is about the token.
            assert_eq!(why_not(&bench.model, bench.now, Action::AckAlert), None);
            assert_eq!(bench.heard("refused (forbidden: answered 403)"), 1, "{:?}", bench.said());
            bench.press("j K");
            bench.yes();
        }
        assert_eq!(bench.heard("alertmanager cannot silence: "), 1, "{:?}", bench.said());
        assert!(why_not(&bench.model, bench.now, Action::AckAlert).unwrap().contains(word));
        assert_eq!(why_not(&bench.model, bench.now, Action::ExpireSilence), None, "only what was refused");
        bench.press("7 R");
        assert_eq!(why_not(&bench.model, bench.now, Action::AckAlert), None);
        // What the adapter learned by itself comes as a feed.
        let poorer =
            caps().without(midwatch::domain::outward::capability::Lack::PlanLacks, "", &[Capability::CreateSilence]);
        bench.send(Msg::Feed(Feed::Target(Box::new(facts(poorer)))));
        assert!(why_not(&bench.model, bench.now, Action::SilenceAlert).is_some());
    }
    // A 401 stops the target, and that is on the screen of sources.
    let mut bench = Bench::new(vec![alert("Down", "a", &[]), alert("Slow", "a", &[])]);
    bench.outcome = Outcome::NotDone { kind: Obstacle::Auth, words: "answered 401".into(), wait_ms: None };
    bench.press("6 K");
    bench.yes();
    let rows = midwatch::app::present::sources::rows(&bench.model, bench.now);
    let row = rows.iter().find(|row| row.name == AM).unwrap();
    assert!(row.detail.contains("no writes: AUTH"), "{row:?}");
}

#[test]
fn a_silence_that_could_not_be_recorded_is_counted_and_tried_again() {
    let mut bench = Bench::new(vec![alert("Down", "a", &[]), alert("Slow", "a", &[])]);
    bench.full = true;
    bench.press("6 K");
    bench.yes();
    assert_eq!((bench.model.unsaved(), bench.sent.len()), (1, 0));
    bench.full = false;
    bench.after(secs(6));
    assert_eq!((bench.model.unsaved(), bench.sent.len()), (0, 1), "{:?}", bench.said());
}

#[test]
fn of_a_long_list_every_alert_is_told_in_lines_and_counted_on_the_screen() {
    let many = (0..400).map(|n| alert("Down", &format!("host-{n}"), &[]));
    let mut bench = Bench::new(many.chain([alert("Slow", "held", &["s-1"])]).collect());
    bench.after(secs(1));
    let lines = lines::facts(&bench.model, bench.now);
    assert_eq!(lines.iter().filter(|line| line.starts_with("ALERT Down page UNACKED")).count(), 400);
    assert_eq!(lines.iter().filter(|line| line.starts_with("ALERT")).count(), 401);
    let counts = midwatch::ui::widget::alert_rows::counts(&alerts::pane(&bench.model, bench.now).rows);
    assert_eq!(counts, "!! 400 page   ! 0 ticket   151 or more UNACKED");
    let short = &alerts::pane(&bench.model, bench.now).rows[..3];
    assert_eq!(midwatch::ui::widget::alert_rows::counts(short), "!! 3 page   ! 0 ticket   3 UNACKED");
}
