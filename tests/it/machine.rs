//! The machine by itself: a message in, exact effects out. No world, no clock: the tests are both.

use midwatch::app::action::{ACTIONS, Action};
use midwatch::app::deadline::next_deadline;
use midwatch::app::effect::Effect;
use midwatch::app::key::{Code, Key};
use midwatch::app::model::{Model, Setup};
use midwatch::app::msg::{Feed, Msg, Reply};
use midwatch::app::present::{alerts, items};
use midwatch::app::screen::{Item, Overlay, Screen};
use midwatch::app::update::update;
use midwatch::domain::alert::{Alert, AlertSnapshot, AlertState, fingerprint};
use midwatch::domain::exec::{CommandEnd, CommandNews};
use midwatch::domain::fault::{Fault, FaultKind};
use midwatch::domain::ids::{IncidentId, Origin, ReqId, SourceName};
use midwatch::domain::incident::event::{Body, NewEvent, StepEnd};
use midwatch::domain::labels::Labels;
use midwatch::domain::runbook::format;
use midwatch::domain::server_note::ServerNote;
use midwatch::domain::slo::objective::Objective;
use midwatch::domain::slo::reading::{Counts, Measurement, Reading, Window};
use midwatch::domain::slo::warm::{Rows, Warmed};
use midwatch::domain::time::{Span, Timestamp, mins, secs};
use midwatch::io::fake::objectives;
use midwatch::io::store::Store;
use midwatch::io::store::memory::Memory;
use midwatch::run::sim::{links, setup};
use std::sync::Arc;

fn start() -> Timestamp {
    "2026-05-01T03:12:04Z".parse().unwrap()
}

/// A machine, the time it is told, and a record to answer from.
struct Bench {
    model: Model,
    now: Timestamp,
    record: Memory,
}

impl Bench {
    fn with(setup: Setup) -> Self {
        let model = Model::new(setup, objectives(), links(start(), secs(15)));
        Self { model, now: start(), record: Memory::new(Origin("here".into())) }
    }

    /// Loaded, sources answered once, nothing open.
    fn calm() -> Self {
        Self::calm_with(Setup { simulated: None, ..setup("ada") })
    }

    fn calm_with(setup: Setup) -> Self {
        let mut bench = Self::with(setup);
        let polls = bench.send(Msg::Feed(Feed::Loaded(vec![])));
        bench.library(&midwatch::io::fake::runbooks());
        bench.answer(&polls, vec![]);
        bench
    }

    /// Every objective is measured once, without an error.
    fn know_budgets(&mut self) {
        for objective in self.model.fleet.objectives.clone() {
            let all = Window::BURN.into_iter().chain([Window::of(objective.window)]);
            let calm = Reading::Counts(Counts { bad: 0.0, total: 1_000_000.0 });
            let windows = all.map(|w| (w, (self.now, calm.clone()))).collect();
            let slo = objective.id.clone();
            let measurement = Measurement { windows, ..Measurement::empty(slo.clone()) };
            self.model.fleet.measured.insert(slo, measurement);
        }
        self.model.fleet.assessed = None;
    }

    fn library(&mut self, books: &[(&str, &str)]) {
        let books = books.iter().map(|(path, text)| Arc::new(format::read(path, text).0.expect("a runbook"))).collect();
        self.send(Msg::Feed(Feed::Library(books, vec![])));
    }

    fn send(&mut self, msg: Msg) -> Vec<Effect> {
        update(&mut self.model, self.now, msg)
    }

    fn after(&mut self, length: Span) -> Vec<Effect> {
        self.now += length;
        self.send(Msg::Wake)
    }

    fn press(&mut self, keys: &str) -> Vec<Effect> {
        keys.split(' ').flat_map(|key| self.send(Msg::Key(Key::parse(key).unwrap()))).collect()
    }

    fn types(&mut self, text: &str) {
        text.chars().for_each(|c| drop(self.send(Msg::Key(Key::char(c)))));
    }

    /// Good answers to polls; these alerts.
    fn answer(&mut self, effects: &[Effect], alerts: Vec<Alert>) -> Vec<Effect> {
        let mut out = Vec::new();
        for effect in effects {
            let msg = match effect {
                Effect::Measure { req, .. } => Msg::Reply(*req, Reply::Measured(Ok((vec![], ServerNote::default())))),
                Effect::Alerts { req, .. } => {
                    let snapshot =
                        AlertSnapshot { alerts: alerts.clone(), answered: 2, peers: 2, ..Default::default() };
                    Msg::Reply(*req, Reply::Alerts(Ok(snapshot)))
                }
                _ => continue,
            };
            out.extend(self.send(msg));
        }
        out
    }

    /// Saves every append among the effects and gives what followed.
    fn save(&mut self, effects: &[Effect]) -> Vec<Effect> {
        let mut out = Vec::new();
        for effect in effects {
            if let Effect::Append { req, events } = effect {
                let saved = self.record.append(events.clone()).unwrap();
                out.extend(self.send(Msg::Reply(*req, Reply::Saved(saved))));
            }
        }
        out
    }

    fn alerts(&mut self, alerts: Vec<Alert>) -> Vec<Effect> {
        let polls = self.after(secs(15));
        let polls: Vec<_> = polls.into_iter().filter(|e| !matches!(e, Effect::Append { .. })).collect();
        self.answer(&polls, alerts)
    }

    /// An incident from the first alert, saved.
    fn incident(&mut self, alert: Alert) -> IncidentId {
        self.alerts(vec![alert]);
        self.press("6 i");
        let effects = self.press("Enter");
        let follows = self.save(&effects);
        self.save(&follows);
        let Screen::Incident(id) = self.model.nav.screen().clone() else { panic!("{:?}", self.model.nav) };
        id
    }

    fn flash(&self) -> String {
        self.model.messages.back().map(|m| m.text.clone()).unwrap_or_default()
    }

    fn confirming(&self) -> bool {
        matches!(self.model.nav.overlay, Some(Overlay::Confirm(_)))
    }
}

fn alert(name: &str, severity: &str, more: &[(&str, &str)]) -> Alert {
    let mut labels = Labels::from([("alertname", name), ("severity", severity), ("service", "checkout")]);
    labels.0.extend(more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
    Alert {
        fingerprint: fingerprint(&labels),
        name: name.into(),
        labels,
        annotations: Labels::default(),
        state: AlertState::Firing,
        started_at: start() - mins(3),
        source: "alertmanager".into(),
        held_by: vec![],
        generator_url: None,
    }
}

fn page() -> Alert {
    alert("CheckoutErrorBudgetBurn", "page", &[("namespace", "production")])
}

fn polls(effects: &[Effect]) -> Vec<String> {
    let name = |e: &Effect| match e {
        Effect::Warm { source, .. } => Some(format!("{source} history")),
        Effect::Measure { source, .. } => Some(format!("{source}")),
        Effect::Alerts { source, .. } => Some(format!("{source}")),
        _ => None,
    };
    effects.iter().filter_map(name).collect()
}

fn appended(effects: &[Effect]) -> Vec<NewEvent> {
    let of = |e: &Effect| if let Effect::Append { events, .. } = e { events.clone() } else { vec![] };
    effects.iter().flat_map(of).collect()
}

fn kinds(effects: &[Effect]) -> Vec<String> {
    appended(effects).iter().map(|e| e.body.kind().to_owned()).collect()
}

fn fault(kind: FaultKind) -> Fault {
    Fault::new(kind, "prometheus", "made up")
}

#[test]
fn a_start_asks_each_source_once_and_never_again_before_it_answered() {
    let mut bench = Bench::with(setup("ada"));
    let first = bench.send(Msg::Wake);
    assert_eq!(polls(&first), ["alertmanager", "prometheus"]);
    for _ in 0..20 {
        assert_eq!(polls(&bench.after(secs(15))), Vec::<String>::new());
    }
    let partly = bench.answer(&first[..1], vec![]);
    assert_eq!(polls(&partly), ["alertmanager"], "the one that answered in full is overdue");
    let all = bench.answer(&first[1..], vec![]);
    assert_eq!(
        polls(&all),
        ["prometheus", "prometheus history"],
        "history is read once the source is known to be there"
    );
}

/// A step of history brought something for nobody, and so much is left.
fn warmed(left: usize, samples: u64) -> Reply {
    let note = ServerNote { samples: Some(samples), ..ServerNote::default() };
    Reply::Warmed(Ok(Warmed { measurements: vec![], left, note }))
}

fn history(effects: &[Effect]) -> Option<(ReqId, Vec<String>, Vec<String>)> {
    let ids = |list: &[Arc<Objective>]| list.iter().map(|o| o.id.0.clone()).collect();
    effects.iter().find_map(|e| match e {
        Effect::Warm { req, first, rest, .. } => Some((*req, ids(first), ids(rest))),
        _ => None,
    })
}

#[test]
fn history_is_read_step_by_step_and_polls_never_wait_for_it() {
    let mut bench = Bench::with(setup("ada"));
    let asked = bench.send(Msg::Feed(Feed::Loaded(vec![])));
    let asked = bench.answer(&asked, vec![]);
    let (first, ..) = history(&asked).expect("a step");
    for _ in 0..8 {
        let effects = bench.after(secs(15));
        assert!(history(&effects).is_none(), "one step is out");
        assert!(polls(&effects).contains(&"prometheus".to_owned()), "and polls go on: {effects:?}");
        bench.answer(&effects, vec![]);
    }
    let none = bench.send(Msg::Reply(first, warmed(5, 0)));
    assert!(history(&none).is_none(), "it took two minutes: a rest of five seconds");
    let due = next_deadline(&bench.model, bench.now, false).expect("a wake");
    assert!(due <= bench.now + secs(5));
    let next = bench.after(secs(5));
    let (second, ..) = history(&next).expect("the next step");
    bench.answer(&next, vec![]);
    bench.send(Msg::Reply(second, warmed(0, 0)));
    for _ in 0..20 {
        let effects = bench.after(secs(15));
        assert!(history(&effects).is_none(), "all is read");
        bench.answer(&effects, vec![]);
    }
}

#[test]
fn who_is_looked_at_comes_first() {
    let mut bench = Bench::with(setup("ada"));
    let one = bench.model.fleet.objectives[1].id.clone();
    bench.model.nav.go(Screen::Slo(one.clone()));
    let asked = bench.send(Msg::Feed(Feed::Loaded(vec![])));
    let asked = bench.answer(&asked, vec![]);
    let (_, first, rest) = history(&asked).expect("a step");
    assert_eq!(first, std::slice::from_ref(&one.0));
    assert!(rest.len() + 1 == bench.model.fleet.objectives.len() && !rest.contains(&one.0));
}

#[test]
fn no_history_is_read_from_a_source_that_is_away() {
    let mut bench = Bench::calm();
    bench.model.links.values_mut().for_each(|l| l.left = None);
    for _ in 0..30 {
        for effect in bench.after(secs(15)) {
            match effect {
                Effect::Measure { req, .. } => {
                    bench.send(Msg::Reply(req, Reply::Measured(Err(fault(FaultKind::Unreachable)))));
                }
                Effect::Warm { .. } => panic!("history of a source that is away"),
                _ => {}
            }
        }
        bench.model.links.values_mut().for_each(|l| l.warming.out = None);
        if bench.model.links[&"prometheus".into()].fault.is_none() {
            continue;
        }
    }
    assert!(!bench.model.links[&"prometheus".into()].breaker.is_closed());
}

#[test]
fn a_ceiling_of_samples_stretches_polls_and_history() {
    let mut bench = Bench::with(setup("ada"));
    let source = SourceName::from("prometheus");
    bench.model.links.get_mut(&source).unwrap().ceiling = Some(1_000.0);
    let asked = bench.send(Msg::Feed(Feed::Loaded(vec![])));
    let note = ServerNote { samples: Some(60_000), ..ServerNote::default() };
    let mut step = None;
    for effect in asked {
        let effects = match effect {
            Effect::Measure { req, .. } => bench.send(Msg::Reply(req, Reply::Measured(Ok((vec![], note.clone()))))),
            other => bench.answer(&[other], vec![]),
        };
        step = step.or(history(&effects));
    }
    let asked_at = |bench: &mut Bench| {
        (1..=120).find(|_| polls(&bench.after(secs(1))).contains(&"prometheus".to_owned())).expect("a poll")
    };
    bench.send(Msg::Reply(step.expect("a step").0, warmed(9, 30_000)));
    let link = &bench.model.links[&source];
    assert_eq!((link.pause(), link.cost), (mins(1), Some(1_000.0)), "60,000 samples at 1,000 a second are a minute");
    assert_eq!(link.warming.next, bench.now + secs(30), "and so is history");
    assert_eq!(asked_at(&mut bench), 60);
    let screen = midwatch::app::present::sources::page(&bench.model, bench.now);
    let said = format!("{:?} {:?}", screen.sources.rows, screen.detail);
    assert!(said.contains("samples/s"), "{said}");
}

#[test]
fn nonsense_changes_the_state_and_never_the_number() {
    let mut bench = Bench::calm();
    bench.know_budgets();
    let objective = bench.model.fleet.objectives[0].clone();
    let month = Window::of(objective.window);
    bench.send(Msg::Wake);
    let before = bench.model.fleet.statuses[&objective.id].clone();
    assert!(before.budget.remaining.is_some());
    for wrong in [Reading::Odd("a count of NaN".into()), Reading::Error(fault(FaultKind::Malformed))] {
        let effects = bench.after(secs(15));
        let windows = [Window::M5, Window::H1, month].map(|w| (w, (bench.now, wrong.clone()))).into();
        let nonsense = Measurement { windows, ..Measurement::empty(objective.id.clone()) };
        for effect in &effects {
            if let Effect::Measure { req, .. } = effect {
                let answer = (vec![nonsense.clone()], ServerNote::default());
                bench.send(Msg::Reply(*req, Reply::Measured(Ok(answer))));
            }
        }
        let after = &bench.model.fleet.statuses[&objective.id];
        assert_eq!((after.state.word(), after.budget, after.sli), ("error", before.budget, before.sli));
        assert!(after.reason.is_some());
    }
    let effects = bench.after(secs(15));
    let sound = Measurement {
        windows: [(Window::M5, (bench.now, Reading::Counts(Counts { bad: 0.0, total: 9.0 })))].into(),
        ..Measurement::empty(objective.id.clone())
    };
    for effect in &effects {
        if let Effect::Measure { req, .. } = effect {
            bench.send(Msg::Reply(*req, Reply::Measured(Ok((vec![sound.clone()], ServerNote::default())))));
        }
    }
    assert_ne!(bench.model.fleet.statuses[&objective.id].state.word(), "error", "a good answer ends it");
}

/// So many polls go by, answered with nothing; rows are not.
fn pass(bench: &mut Bench, polls: usize) -> Vec<Effect> {
    let mut all = Vec::new();
    for _ in 0..polls {
        let effects = bench.after(secs(15));
        bench.answer(&effects, vec![]);
        all.extend(effects);
    }
    all
}

#[test]
fn rows_of_a_template_take_its_place() {
    let text = "service_level_objectives:\n  x: {sli: 'sum(rate(a_total{code!~\"5..\"}[5m])) / sum(rate(a_total[5m]))', target: 0.99, window: 30d}\n";
    let (mut read, _) = midwatch::domain::slo::format::read("f.yaml", text);
    let template = Objective { grouping: vec!["handler".into()], ..read.remove(0) };
    let mut bench =
        Bench { model: Model::new(setup("ada"), vec![], links(start(), secs(15))), ..Bench::with(setup("ada")) };
    let asked = bench.send(Msg::Feed(Feed::Objectives(vec![Arc::new(template.clone())], vec![])));
    let named = |effects: &[Effect]| -> Option<ReqId> {
        effects.iter().find_map(|e| if let Effect::Rows { req, .. } = e { Some(*req) } else { None })
    };
    let set = |handler: &str| Labels::from([("handler", handler)]);
    let came =
        |labels: Vec<Labels>, left_out| Reply::Rows(Ok(vec![Rows { template: template.id.clone(), labels, left_out }]));
    let all: Vec<Effect> = asked;
    let rows = named(&all).expect("rows are asked for with the first poll");
    let rest: Vec<Effect> = all.into_iter().filter(|e| !matches!(e, Effect::Rows { .. })).collect();
    bench.answer(&rest, vec![]);
    let effects = bench.send(Msg::Reply(rows, came(vec![set("/a"), set("/b")], 7)));
    let measured: Vec<String> = effects
        .iter()
        .find_map(|e| match e {
            Effect::Measure { objectives, .. } => Some(objectives.iter().map(|o| o.id.0.clone()).collect()),
            _ => None,
        })
        .expect("the rows are measured at once");
    assert_eq!(measured, [r#"x{handler="/a"}"#, r#"x{handler="/b"}"#]);
    let cut: Vec<&str> = bench.model.fleet.findings.iter().map(|f| f.message.as_str()).collect();
    assert!(cut.len() == 1 && cut[0].contains("9 rows"), "{cut:?}");
    bench.answer(&effects, vec![]);
    let again = pass(&mut bench, 60);
    let kept = bench.model.fleet.objectives[1].clone();
    let failed = Reply::Rows(Err(fault(FaultKind::Timeout)));
    let effects = bench.send(Msg::Reply(named(&again).expect("asked again after ten minutes"), failed));
    bench.answer(&effects, vec![]);
    assert_eq!(bench.model.fleet.objectives.len(), 2, "a failure changes no row");
    let again = pass(&mut bench, 5);
    bench.send(Msg::Reply(named(&again).expect("soon tried again"), came(vec![set("/b"), set("/c")], 0)));
    assert_eq!(bench.model.fleet.objectives.len(), 2);
    assert!(Arc::ptr_eq(&bench.model.fleet.objectives[0], &kept), "a row that stays is the very same");
}

#[test]
fn a_step_of_history_without_the_new_rows_says_nothing_of_what_is_left() {
    let text = "service_level_objectives:\n  x: {sli: 'sum(rate(a_total{code!~\"5..\"}[5m])) / sum(rate(a_total[5m]))', target: 0.99, window: 30d}\n  y: {sli: 'sum(rate(b_total{code!~\"5..\"}[5m])) / sum(rate(b_total[5m]))', target: 0.99, window: 30d}\n";
    let (mut read, _) = midwatch::domain::slo::format::read("f.yaml", text);
    let plain = read.remove(1);
    let template = Objective { grouping: vec!["handler".into()], ..read.remove(0) };
    let mut bench =
        Bench { model: Model::new(setup("ada"), vec![], links(start(), secs(15))), ..Bench::with(setup("ada")) };
    let asked = bench.send(Msg::Feed(Feed::Objectives(vec![Arc::new(template.clone()), Arc::new(plain)], vec![])));
    let (mut rows, mut step) = (None, None);
    for effect in asked {
        let effects = match effect {
            Effect::Rows { req, .. } => {
                rows = Some(req);
                continue;
            }
            Effect::Measure { req, .. } => {
                bench.send(Msg::Reply(req, Reply::Measured(Ok((vec![], ServerNote::default())))))
            }
            other => bench.answer(&[other], vec![]),
        };
        step = step.or(history(&effects));
    }
    let (step, rows) = (step.expect("a step for the plain one").0, rows.expect("rows are asked for"));
    let labels = vec![Labels::from([("handler", "/a")])];
    let came = Reply::Rows(Ok(vec![Rows { template: template.id.clone(), labels, left_out: 0 }]));
    bench.send(Msg::Reply(rows, came));
    let old = Warmed { measurements: vec![], left: 0, note: ServerNote::default() };
    bench.send(Msg::Reply(step, Reply::Warmed(Ok(old))));
    let link = bench.model.links.values().find(|l| l.kind.polled() && l.short == "prom").expect("a source");
    assert_eq!(link.left, None, "nobody has said yet how much of the row's history is left");
}

#[test]
fn a_source_that_fails_is_held_back_and_the_others_are_not() {
    let mut bench = Bench::calm();
    let (mut asked, mut others) = (0, 0);
    for _ in 0..40 {
        let effects = bench.after(secs(15));
        for effect in &effects {
            match effect {
                Effect::Measure { req, .. } => {
                    asked += 1;
                    bench.send(Msg::Reply(*req, Reply::Measured(Err(fault(FaultKind::Unreachable)))));
                }
                Effect::Alerts { .. } => others += 1,
                _ => {}
            }
        }
        let alerts: Vec<_> = effects.into_iter().filter(|e| matches!(e, Effect::Alerts { .. })).collect();
        bench.answer(&alerts, vec![]);
    }
    assert_eq!(others, 40);
    assert!((5..25).contains(&asked), "asked {asked} times in ten minutes");
    let link = &bench.model.links[&"prometheus".into()];
    assert!(!link.breaker.is_closed());
    assert_eq!(link.word(), "DOWN");
    bench.send(Msg::Act(Action::Sources));
    assert!(polls(&bench.press("R")).contains(&"prometheus".to_owned()), "a person may insist");
}

#[test]
fn the_first_failures_are_tried_again_within_the_interval_and_no_more() {
    let mut bench = Bench::calm();
    let mut asked = Vec::new();
    for half in 0..80 {
        let effects = bench.after(Span::milliseconds(500));
        for effect in &effects {
            if let Effect::Measure { req, .. } = effect {
                asked.push(half);
                bench.send(Msg::Reply(*req, Reply::Measured(Err(fault(FaultKind::Server)))));
            }
        }
    }
    // One poll, two retries with jitter, then the interval of fifteen seconds again.
    assert!(asked.len() >= 4 && asked[2] - asked[0] <= 6, "{asked:?}");
    assert!(asked[3] - asked[2] >= 20, "{asked:?}");
}

#[test]
fn a_declaration_is_appended_before_anything_else_is_asked() {
    let mut bench = Bench::calm();
    bench.alerts(vec![page()]);
    bench.press("6 i");
    let effects = bench.press("Enter");
    assert!(matches!(&effects[0], Effect::Append { .. }), "{effects:?}");
    assert!(matches!(&effects[1], Effect::Measure { .. }), "{effects:?}");
    let bodies: Vec<String> = appended(&effects).iter().map(|e| e.body.kind().to_owned()).collect();
    assert_eq!(bodies, ["declared", "alert", "objective", "objective"]);
    let Effect::Measure { objectives, windows, .. } = &effects[1] else { unreachable!() };
    assert_eq!(objectives.len(), 2, "those of the service");
    assert!(windows.contains(&Window::of(objectives[0].window)));
    assert_eq!(bench.model.unsaved(), 4, "shown as not saved until the record says so");
    bench.save(&effects);
    assert_eq!(bench.model.unsaved(), 0);
}

#[test]
fn answers_that_nobody_waits_for_change_nothing() {
    let mut bench = Bench::calm();
    let id = bench.incident(page());
    let before = format!("{:?}", bench.model);
    let replies = [
        Reply::Saved(bench.record.events(&id).unwrap()),
        Reply::NotSaved(fault(FaultKind::Local)),
        Reply::Alerts(Ok(AlertSnapshot::default())),
        Reply::Measured(Err(fault(FaultKind::Server))),
        Reply::Draft(Ok("x".into())),
        Reply::Command(CommandNews::Output("x".into())),
        Reply::Copied(Ok("x".into())),
    ];
    for reply in replies {
        assert_eq!(bench.send(Msg::Reply(ReqId(9_999), reply)), []);
    }
    assert_eq!(format!("{:?}", bench.model), before);
}

#[test]
fn what_was_not_saved_is_kept_and_tried_again_after_five_seconds() {
    let mut bench = Bench::calm();
    bench.incident(page());
    let first = bench.press("a");
    let Some(Effect::Append { req, events }) = first.first() else { panic!("{first:?}") };
    let loud = bench.send(Msg::Reply(*req, Reply::NotSaved(fault(FaultKind::Local))));
    assert!(loud.contains(&Effect::Bell));
    assert_eq!(bench.model.unsaved(), 1);
    assert_eq!(appended(&bench.after(secs(4))), []);
    assert!(next_deadline(&bench.model, bench.now, false).unwrap() <= bench.now + secs(1));
    let again = bench.after(secs(1));
    assert_eq!(appended(&again), *events, "the same events");
    let Some(Effect::Append { req: other, .. }) = again.iter().find(|e| matches!(e, Effect::Append { .. })) else {
        unreachable!()
    };
    assert_ne!(other, req, "under a new number");
    assert_eq!(appended(&bench.after(secs(5))), [], "it is on its way");
    bench.save(&again);
    assert_eq!((bench.model.unsaved(), bench.model.desk.trouble.is_none()), (0, true));
}

#[test]
fn events_of_an_undeclared_incident_wait_for_its_id() {
    let mut bench = Bench::calm();
    bench.press("1 i");
    bench.types("Checkout");
    let declared = bench.press("Enter");
    let Screen::Incident(old) = bench.model.nav.screen().clone() else { panic!() };
    assert_eq!(kinds(&bench.press("a")), Vec::<String>::new());
    let taken = appended(&declared)[..1].to_vec();
    bench.record.append(taken).unwrap();
    let follows = bench.save(&declared);
    let new = IncidentId(format!("{old}-2"));
    assert_eq!(*bench.model.nav.screen(), Screen::Incident(new.clone()));
    assert_eq!(kinds(&follows), ["acknowledged"]);
    assert!(appended(&follows).iter().all(|e| e.incident == new));
}

#[test]
fn a_timer_is_told_once_rings_once_and_comes_back_when_put_off() {
    let mut bench = Bench::calm();
    let id = bench.incident(page());
    let mut told = Vec::new();
    for _ in 0..60 {
        let effects = bench.after(secs(15));
        let due: Vec<NewEvent> =
            appended(&effects).into_iter().filter(|e| matches!(e.body, Body::TimerDue { .. })).collect();
        let bells = effects.iter().filter(|e| **e == Effect::Bell).count();
        assert_eq!(bells, usize::from(!due.is_empty()), "one ring for all that fell due");
        assert_eq!(kinds(&bench.send(Msg::Wake)), Vec::<String>::new());
        told.extend(due.into_iter().map(|e| e.once.expect("several cockpits record it once")));
        bench.save(&effects);
    }
    let mut unique = told.clone();
    unique.dedup();
    assert_eq!(unique, told);
    assert!(told.len() >= 3, "{told:?}");

    bench.press("T Right");
    bench.press("Tab");
    bench.types("busy");
    let put_off = bench.press("Enter");
    let Some(Body::TimerSnoozed { timer, until, .. }) = appended(&put_off).first().map(|e| e.body.clone()) else {
        panic!("{put_off:?} {}", bench.flash())
    };
    assert_eq!(until, bench.now + mins(5));
    bench.save(&put_off);
    let due = |effects: &[Effect]| {
        appended(effects).iter().any(|e| matches!(&e.body, Body::TimerDue { timer: t, .. } if *t == timer))
    };
    let quiet = bench.after(mins(4));
    assert!(!due(&quiet));
    bench.save(&quiet);
    let back = bench.after(mins(1));
    assert!(due(&back), "{id}");
    assert!(appended(&back).iter().all(|e| e.once.as_ref().is_none_or(|k| !told.contains(k))), "under another key");
}

#[test]
fn a_clock_that_moves_and_a_host_that_slept_are_recorded() {
    let mut bench = Bench::calm();
    let id = bench.incident(page());
    bench.now -= mins(60);
    let moved = bench.send(Msg::Feed(Feed::ClockMoved(-mins(60))));
    let events = appended(&moved);
    let Some(Body::Cockpit { what, detail }) = events.first().map(|e| e.body.clone()) else { panic!("{moved:?}") };
    assert_eq!((what.as_str(), detail.as_str(), &events[0].incident), ("clock moved", "by -1h", &id));
    assert_eq!(polls(&moved), ["alertmanager", "prometheus"], "asked at once, not in an hour");
    bench.now += mins(90);
    let slept = bench.send(Msg::Feed(Feed::Asleep(mins(90))));
    assert_eq!(kinds(&slept)[0], "cockpit");
}

#[test]
fn a_clock_set_back_neither_lengthens_what_is_armed_nor_delays_a_retry() {
    let mut bench = Bench::calm();
    bench.incident(page());
    bench.send(Msg::Act(Action::Arm));
    bench.send(Msg::Painted);
    bench.types("arm");
    bench.press("Enter");
    assert!(bench.model.armed(bench.now + mins(29)) && !bench.model.armed(bench.now + mins(31)));
    let effects = bench.press("a");
    let Some(Effect::Append { req, .. }) = effects.first() else { panic!() };
    bench.send(Msg::Reply(*req, Reply::NotSaved(fault(FaultKind::Local))));
    bench.now -= mins(60);
    let moved = bench.send(Msg::Feed(Feed::ClockMoved(-mins(60))));
    assert!(kinds(&moved).contains(&"acknowledged".to_owned()), "tried again");
    assert!(!bench.model.armed(bench.now + mins(31)));
}

#[test]
fn what_becomes_of_a_linked_alert_is_recorded_and_a_missing_peer_ends_nothing() {
    let mut bench = Bench::calm();
    let id = bench.incident(page());
    let held = Alert { state: AlertState::Silenced, ..page() };
    let silenced = bench.alerts(vec![held.clone()]);
    assert_eq!(kinds(&silenced), ["alert"]);
    assert_eq!(appended(&silenced)[0].incident, id);
    assert!(appended(&silenced)[0].once.is_some());
    bench.save(&silenced);
    assert_eq!(kinds(&bench.alerts(vec![held])), Vec::<String>::new(), "told once");

    let asked = bench.after(secs(15));
    let Some(Effect::Alerts { req, .. }) = asked.iter().find(|e| matches!(e, Effect::Alerts { .. })) else { panic!() };
    let partial = AlertSnapshot { answered: 1, peers: 2, ..AlertSnapshot::default() };
    assert_eq!(kinds(&bench.send(Msg::Reply(*req, Reply::Alerts(Ok(partial))))), Vec::<String>::new());
    assert_eq!(bench.model.alerts.all().count(), 1, "it stays");
    let rest: Vec<_> = asked.into_iter().filter(|e| matches!(e, Effect::Measure { .. })).collect();
    bench.answer(&rest, vec![]);
    let ended = bench.alerts(vec![]);
    assert_eq!(kinds(&ended), ["alert"]);
    let fault = bench.after(secs(15));
    let Some(Effect::Alerts { req, .. }) = fault.iter().find(|e| matches!(e, Effect::Alerts { .. })) else { panic!() };
    let failed = Reply::Alerts(Err(Fault::new(FaultKind::Timeout, "alertmanager", "")));
    assert_eq!(kinds(&bench.send(Msg::Reply(*req, failed))), Vec::<String>::new(), "silence is no news");
}

#[test]
fn what_a_linked_alert_tells_people_is_recorded_when_it_says_something_else() {
    let mut bench = Bench::calm();
    let reads = |text: &str| Alert { annotations: [("summary", text), ("__panel__", text)].into(), ..page() };
    bench.alerts(vec![reads("errors at 5.2 % of requests")]);
    bench.incident(reads("errors at 5.2 % of requests"));
    let mut told = |text: &str| {
        let effects = bench.alerts(vec![reads(text)]);
        bench.save(&effects);
        let reworded = |event: &NewEvent| match &event.body {
            Body::AlertAnnotated { annotation, text, .. } => {
                Some((annotation.clone(), text.clone(), event.once.clone()))
            }
            _ => None,
        };
        appended(&effects).iter().filter_map(reworded).collect::<Vec<_>>()
    };
    assert_eq!(told("errors at 17 % of requests"), [], "a value is no news");
    let down = told("the database is down");
    assert_eq!((down.len(), down[0].0.as_str(), down[0].1.as_str()), (1, "summary", "the database is down"));
    assert_eq!(told("the database is down"), []);
    assert_eq!(told("")[0].1, "", "taken away");
    let again = told("the database is down");
    assert_eq!(again[0].2, down[0].2, "the record takes each text once");
    assert!(!again[0].2.as_ref().unwrap().contains("database"), "and keeps no copy of it");
    let words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    let recorded = words.into_iter().filter(|word| !told(word).is_empty()).count();
    assert_eq!(recorded, 8, "one that never stops changing is let alone after ten");
}

#[test]
fn an_incident_is_resolved_by_its_word_and_by_nothing_else() {
    let mut bench = Bench::calm();
    let id = bench.incident(page());
    let ask = |bench: &mut Bench| {
        bench.press("x");
        bench.types("over");
        bench.press("Enter");
        assert!(bench.confirming(), "{}", bench.flash());
    };
    let word: String = id.0.chars().skip(id.0.chars().count() - 4).collect();
    ask(&mut bench);
    bench.types(&word);
    assert_eq!(kinds(&bench.press("Enter")), Vec::<String>::new(), "typed before the box was on the screen");
    bench.send(Msg::Painted);
    assert_eq!(kinds(&bench.press("Enter")), Vec::<String>::new());
    assert!(bench.confirming(), "an Enter too many neither does it nor closes it");
    bench.types("y");
    assert_eq!(kinds(&bench.press("Enter")), Vec::<String>::new());
    assert!(!bench.confirming(), "another word cancels");
    ask(&mut bench);
    bench.send(Msg::Painted);
    bench.types(&word);
    assert_eq!(kinds(&bench.press("Esc")), Vec::<String>::new());
    ask(&mut bench);
    bench.send(Msg::Painted);
    bench.types(&word);
    let resolved = bench.press("Enter");
    assert_eq!(kinds(&resolved), ["resolved"]);
}

#[test]
fn five_hundred_held_enters_confirm_nothing() {
    let mut bench = Bench::calm();
    bench.incident(page());
    let taken = bench.press("c Enter");
    bench.save(&taken);
    bench.press("q");
    assert!(bench.press("q").is_empty());
    assert!(bench.confirming(), "the one who leads is asked: {}", bench.flash());
    bench.send(Msg::Painted);
    let before = format!("{:?}", bench.model);
    for _ in 0..500 {
        assert_eq!(bench.press("Enter"), []);
    }
    assert_eq!(format!("{:?}", bench.model), before);
    assert_eq!(bench.press("n"), []);
    assert!(!bench.confirming());
    bench.now += secs(10);
    bench.press("q");
    bench.send(Msg::Painted);
    assert_eq!(bench.press("y"), [Effect::Quit(0)]);
}

#[test]
fn one_who_leads_nothing_just_leaves() {
    let mut bench = Bench::calm();
    assert_eq!(bench.press("q"), [Effect::Quit(0)]);
}

#[test]
fn the_selection_stays_on_its_alert_when_rows_move() {
    let mut bench = Bench::calm();
    let (low, other) = (alert("Low", "ticket", &[]), alert("Other", "ticket", &[]));
    bench.alerts(vec![low.clone(), other.clone()]);
    bench.press("6 j");
    let chosen = items::selected(&bench.model, bench.now).unwrap();
    assert_eq!(chosen, Item::Alert(other.fingerprint.clone()));
    bench.alerts(vec![page(), other.clone(), low.clone(), alert("Another", "page", &[])]);
    assert_eq!(items::selected(&bench.model, bench.now), Some(chosen));
    bench.alerts(vec![page(), low]);
    assert_eq!(
        items::selected(&bench.model, bench.now),
        Some(Item::Alert(page().fingerprint)),
        "it is gone: the first"
    );
}

#[test]
fn a_paste_outside_a_field_does_nothing() {
    let mut bench = Bench::calm();
    bench.incident(page());
    for screen in ["1", "2", "3", "4", "5", "6", "7", "!"] {
        bench.press(screen);
        let nav = bench.model.nav.clone();
        assert_eq!(bench.send(Msg::Paste("a\nx\ny\r\n:quit".into())), []);
        assert_eq!(bench.model.nav, nav);
    }
    bench.press("3 n");
    bench.send(Msg::Paste("two\nlines".into()));
    let Some(Overlay::Form(form)) = &bench.model.nav.overlay else { panic!() };
    assert_eq!(form.value("text"), "two lines");
    bench.press("Esc q q q");
    bench.send(Msg::Paste("y".into()));
}

#[test]
fn a_filter_never_hides_a_page() {
    let mut bench = Bench::calm();
    bench.alerts(vec![page(), alert("Low", "ticket", &[])]);
    bench.press("6 /");
    bench.types("zzz");
    bench.press("Enter");
    assert_eq!(alerts::ids(&bench.model), [page().fingerprint]);
    assert!(alerts::pane(&bench.model, bench.now).note.contains("hides 1"));
}

#[test]
fn read_only_refuses_every_action_that_changes() {
    let mut bench = Bench::calm();
    bench.incident(page());
    bench.model.setup.read_only = true;
    let changing = |e: &Effect| {
        matches!(
            e,
            Effect::Append { .. }
                | Effect::Run { .. }
                | Effect::WriteDraft { .. }
                | Effect::Stop { .. }
                | Effect::Edit(_)
        )
    };
    for screen in ["1", "6", "3", "3 r", "3 p", "4", "7"] {
        for entry in ACTIONS {
            bench.model.nav.overlay = None;
            bench.press(screen);
            bench.model.messages.clear();
            let effects = bench.send(Msg::Act(entry.action));
            assert!(!effects.iter().any(changing), "{} on {screen}: {effects:?}", entry.id);
            if entry.changes {
                assert!(bench.flash().starts_with("read-only"), "{}: {}", entry.id, bench.flash());
                assert!(!bench.model.messages.is_empty() && bench.model.nav.overlay.is_none(), "{}", entry.id);
            }
        }
    }
    for _ in 0..200 {
        assert!(!bench.after(secs(30)).iter().any(changing));
    }
}

const WALK: &str = "name: Walk
triggers:
  - alert: CheckoutErrorBudgetBurn
steps:
  - name: By hand
    actions:
      - rm -rf the old queue, by hand
      - Ask the database team
    checks:
      - Is it the database?
  - name: With a value
    commands:
      - kubectl get pods -n \"$MW_LABEL_NAMESPACE\"
  - name: Choose
    options:
      - action: Roll back
        command: kubectl rollout undo deployment/checkout
      - action: Wait
  - name: Last
    actions:
      - Tell everybody
";

fn walking(namespace: &str) -> Bench {
    let mut bench = Bench::calm();
    bench.library(&[("walk.yaml", WALK)]);
    bench.incident(alert("CheckoutErrorBudgetBurn", "page", &[("namespace", namespace)]));
    let opened = bench.press("r");
    assert_eq!(kinds(&opened), ["runbook"], "{}", bench.flash());
    bench.save(&opened);
    bench
}

fn arm(bench: &mut Bench) {
    bench.send(Msg::Act(Action::Arm));
    bench.send(Msg::Painted);
    bench.types("arm");
    bench.press("Enter");
    assert!(bench.model.armed(bench.now));
}

fn ran(effects: &[Effect]) -> usize {
    effects.iter().filter(|e| matches!(e, Effect::Run { .. })).count()
}

#[test]
fn a_runbook_is_walked_and_each_step_is_recorded() {
    let mut bench = walking("production");
    let answered = bench.press("y");
    assert_eq!(kinds(&answered), ["check"]);
    bench.save(&answered);
    let done = bench.press("d");
    assert_eq!(kinds(&done), ["step"], "{}", bench.flash());
    bench.save(&done);
    let refused = bench.press("s Enter");
    assert_eq!(kinds(&refused), Vec::<String>::new(), "a step is not skipped without a reason");
    bench.types("not needed");
    let skipped = bench.press("Enter");
    let Body::StepEnded { end, .. } = appended(&skipped)[0].body.clone() else { panic!("{skipped:?}") };
    assert_eq!(end, StepEnd::Skipped("not needed".into()));
    bench.save(&skipped);
    let chosen = bench.press("j Enter");
    assert_eq!(kinds(&chosen), ["option"], "{}", bench.flash());
    bench.save(&chosen);
    bench.press("f");
    bench.types("no effect");
    let failed = bench.press("Enter");
    assert!(
        matches!(&appended(&failed)[0].body, Body::StepEnded { end: StepEnd::Failed(why), .. } if why == "no effect")
    );
    bench.save(&failed);
    let last = bench.press("Right d");
    bench.save(&last);
    let back = bench.press("u");
    assert!(matches!(&appended(&back)[0].body, Body::StepEnded { end: StepEnd::Reopened, .. }), "{back:?}");
}

#[test]
fn what_lint_found_in_a_step_is_told_on_the_walk() {
    let text = "apiVersion: midwatch/v1\nname: Walk\ntriggers: [{alert: CheckoutErrorBudgetBurn}]\nsteps:\n  - name: Look\n    \
                say: Look first.\n    run: [{sh: 'ls -l $MW_ALERT', risk: read}]\n  - name: Fine\n    todo: [x]\n";
    let mut bench = Bench::calm();
    let (book, mut findings) = format::read("walk.yaml", text);
    let book = Arc::new(book.unwrap());
    findings.extend(midwatch::domain::runbook::lint::lint(&book, None));
    bench.send(Msg::Feed(Feed::Library(vec![book], findings)));
    bench.incident(alert("CheckoutErrorBudgetBurn", "page", &[("namespace", "production")]));
    let opened = bench.press("r");
    bench.save(&opened);
    let Screen::Walk(incident, id) = bench.model.nav.screen().clone() else { panic!("no walk") };
    let page = midwatch::app::present::walk::page(&bench.model, bench.now, incident.as_ref(), &id);
    assert_eq!(page.steps.iter().map(|row| row.note.as_str()).collect::<Vec<_>>(), ["1 error", ""]);
    assert!(page.say[0].starts_with("error in line 7: $MW_ALERT is not quoted"), "{:?}", page.say);
    assert!(page.say[1].starts_with("about the runbook, warning in line 1: nobody is known"), "{:?}", page.say);
    assert_eq!(page.say[2], "Look first.");
}

#[test]
fn prose_is_never_run() {
    let mut bench = walking("production");
    arm(&mut bench);
    for _ in 0..6 {
        let effects = bench.press("Enter j");
        assert_eq!(ran(&effects), 0);
        assert!(!bench.confirming(), "{:?}", bench.model.nav.overlay);
    }
    let Some(Item::Prose(_)) = items::selected(&bench.model, bench.now) else { panic!("prose is last") };
    assert_eq!(kinds(&bench.press("d")), ["note"], "a line by hand is noted");
}

#[test]
fn a_command_runs_only_when_armed_shown_and_confirmed() {
    let mut bench = walking("production");
    bench.press("l");
    let copied = bench.press("Enter");
    assert!(matches!(copied[..], [Effect::Copy { .. }]), "{copied:?}");
    arm(&mut bench);
    assert_eq!(ran(&bench.press("Enter")), 0);
    assert_eq!(ran(&bench.press("y")), 0, "not on the screen yet");
    bench.send(Msg::Painted);
    let Some(Overlay::Confirm(shown)) = bench.model.nav.overlay.clone() else { panic!() };
    let effects = bench.press("y");
    let places: Vec<usize> =
        (0..effects.len()).filter(|i| matches!(effects[*i], Effect::Append { .. } | Effect::Run { .. })).collect();
    assert!(matches!(&effects[places[0]], Effect::Append { .. }), "recorded first");
    let Effect::Run { req, spec } = &effects[places[1]] else { panic!("{effects:?}") };
    assert!(shown.rows.iter().any(|(_, text)| text.contains(&spec.argv[2])), "what was shown is what runs");
    assert_eq!(spec.env, [("MW_LABEL_NAMESPACE".to_owned(), "production".to_owned())]);
    bench.save(&effects);
    bench.press("Enter");
    assert!(bench.flash().contains("still runs"), "one at a time: {}", bench.flash());
    bench.press("Ctrl-X");
    bench.send(Msg::Painted);
    assert_eq!(bench.press("y"), [Effect::Stop { req: *req }], "stopping asks");
    let end = CommandEnd { began: true, took: std::time::Duration::from_secs(1), ..CommandEnd::never("stopped") };
    let over = bench.send(Msg::Reply(*req, Reply::Command(CommandNews::Ended(end))));
    assert_eq!(kinds(&over), ["command"]);
    bench.now += mins(31);
    bench.send(Msg::Wake);
    assert!(!bench.model.armed(bench.now), "off again by itself");
}

#[test]
fn a_box_that_outlives_the_armed_time_runs_nothing() {
    let mut bench = walking("production");
    bench.press("l");
    arm(&mut bench);
    bench.press("Enter");
    bench.send(Msg::Painted);
    bench.now += mins(31);
    assert_eq!(ran(&bench.press("y")), 0);
    assert!(bench.model.messages.iter().any(|m| m.text == "commands are off again"), "{:?}", bench.model.messages);
}

#[test]
fn a_command_whose_value_is_refused_cannot_be_run() {
    let mut bench = walking("prod\u{1b}]0;$(reboot)\n-n kube-system");
    arm(&mut bench);
    bench.press("l");
    let effects = bench.press("Enter");
    assert_eq!(ran(&effects), 0);
    assert!(!bench.confirming(), "{:?}", bench.model.nav.overlay);
    assert!(bench.flash().contains("MW_LABEL_NAMESPACE"), "{}", bench.flash());
}

#[test]
fn the_last_act_is_taken_back_by_another_event() {
    let mut bench = Bench::calm();
    bench.incident(page());
    bench.press("n");
    bench.types("wrong");
    let note = bench.press("Enter");
    assert_eq!(kinds(&bench.press("u")), Vec::<String>::new(), "not before it is saved");
    bench.save(&note);
    let back = bench.press("u");
    assert_eq!(kinds(&back), ["retraction"]);
    bench.save(&back);
    assert_eq!(kinds(&bench.press("u")), Vec::<String>::new(), "once");

    let status = bench.press("s 2 Enter");
    assert_eq!(kinds(&status), ["status"], "{}", bench.flash());
    bench.save(&status);
    let id = bench.model.desk.cases.keys().next().unwrap().clone();
    let word: String = id.0.chars().skip(id.0.chars().count() - 4).collect();
    bench.press("x");
    bench.types("over");
    bench.press("Enter");
    bench.send(Msg::Painted);
    bench.types(&word);
    let over = bench.press("Enter");
    bench.save(&over);
    assert_eq!(
        kinds(&bench.press("u")),
        Vec::<String>::new(),
        "no resolved incident is opened by taking back a status"
    );
    assert!(!bench.model.desk.cases[&id].shown.is_open());
}

#[test]
fn drafts_are_made_when_it_is_mitigated_and_when_it_is_resolved() {
    let mut bench = Bench::calm();
    let id = bench.incident(page());
    let mitigated = bench.press("m Enter");
    assert_eq!(kinds(&mitigated), ["mitigated"], "{}", bench.flash());
    let follows = bench.save(&mitigated);
    let Some(Effect::All { req, .. }) = follows.iter().find(|e| matches!(e, Effect::All { .. })) else {
        panic!("{follows:?}")
    };
    let events = bench.record.events(&id).unwrap();
    let written = bench.send(Msg::Reply(*req, Reply::Events(Ok(events))));
    let Some(Effect::WriteDraft { req, text, .. }) = written.first() else { panic!("{written:?}") };
    assert!(text.contains(id.as_str()));
    let told = bench.send(Msg::Reply(*req, Reply::Draft(Ok("drafts/x.md".into()))));
    assert_eq!(kinds(&told), ["draft"]);
    bench.save(&told);
    bench.press("x");
    bench.types("over");
    bench.press("Enter");
    bench.send(Msg::Painted);
    let word: String = id.0.chars().skip(id.0.chars().count() - 4).collect();
    bench.types(&word);
    let over = bench.press("Enter");
    let follows = bench.save(&over);
    assert!(follows.iter().any(|e| matches!(e, Effect::All { .. })));
}

#[test]
fn a_wake_too_early_changes_nothing() {
    let mut bench = Bench::calm();
    bench.incident(page());
    let all: Vec<Effect> = bench.after(secs(1));
    bench.save(&all);
    let before = format!("{:?}", bench.model);
    for _ in 0..50 {
        assert_eq!(bench.send(Msg::Wake), []);
    }
    assert_eq!(format!("{:?}", bench.model), before);
    assert!(next_deadline(&bench.model, bench.now, false).is_some_and(|at| at > bench.now));
    assert_eq!(Key::parse("Enter").unwrap(), Key::plain(Code::Enter));
}
