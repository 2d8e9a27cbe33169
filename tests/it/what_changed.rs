//! "What changed?": every feed on one list with its distance from the start; one that fails is named and takes nothing away
//! from the others.

use midwatch::app::costs;
use midwatch::app::effect::Effect;
use midwatch::app::key::Key;
use midwatch::app::model::Model;
use midwatch::app::msg::{Msg, Reply};
use midwatch::app::present::view;
use midwatch::app::present::view::{Body as Shown, WhatChangedPage};
use midwatch::app::recent::Subject;
use midwatch::app::screen::Screen;
use midwatch::app::update::update;
use midwatch::domain::fault::{Fault, FaultKind};
use midwatch::domain::ids::{IncidentId, ReqId};
use midwatch::domain::outward::annotation::Annotation;
use midwatch::domain::outward::backend::Change;
use midwatch::domain::outward::question::{Answer, Question};
use midwatch::domain::slo::marks::{Mark, Marker, Marks, Whose};
use midwatch::domain::time::{Span, Timestamp, mins, secs};
use midwatch::run::sim::{Simulator, setup};

fn start() -> Timestamp {
    "2026-05-01T03:12:04Z".parse().unwrap()
}

fn press(sim: &mut Simulator, keys: &str) {
    for key in keys.split(' ') {
        sim.key(Key::parse(key).unwrap());
    }
}

fn declared() -> (Simulator, IncidentId) {
    let mut sim = Simulator::new(setup("ada"), start(), 3, secs(15));
    sim.pass(secs(20));
    press(&mut sim, "1 i Ctrl-u");
    sim.type_text("checkout answers 5xx");
    press(&mut sim, "Tab 3 Tab Ctrl-u");
    sim.type_text("checkout");
    press(&mut sim, "Enter");
    let Screen::Incident(id) = sim.model().nav.screen().clone() else { panic!("{:?}", sim.model().nav.screen()) };
    sim.pass(secs(10));
    (sim, id)
}

fn page(model: &Model, now: Timestamp) -> WhatChangedPage {
    let Shown::WhatChanged(page) = view(model, now).body else { panic!("another screen") };
    *page
}

#[test]
fn it_opens_from_the_incident_and_the_objective_and_asks_the_feeds() {
    let (mut sim, id) = declared();
    press(&mut sim, "C");
    assert_eq!(*sim.model().nav.screen(), Screen::WhatChanged(Subject::Incident(id.clone())));
    sim.pass(secs(20));
    let shown = page(sim.model(), sim.now());
    assert!(!shown.changes.rows.is_empty() && shown.chart.is_some(), "{shown:?}");
    assert!(shown.changes.rows.iter().all(|r| r.distance.contains("before") || r.distance.contains("after")));
    assert!(shown.feeds.iter().any(|f| f.text.starts_with("dashboards: ")), "{:?}", shown.feeds);
    // The marks of the chart are the rows of the list.
    let marks = shown.chart.unwrap().marks.iter().filter(|m| m.letter == 'd').count();
    assert_eq!(marks, shown.changes.rows.len());
    press(&mut sim, "q 2 Enter C");
    assert!(matches!(sim.model().nav.screen(), Screen::WhatChanged(Subject::Slo(_))), "{:?}", sim.model().nav.screen());
    sim.pass(secs(20));
    assert!(!page(sim.model(), sim.now()).feeds.is_empty());
    // Nothing of it is an act: it goes in read-only mode as well.
    assert!(sim.wrong().is_empty(), "{}", sim.wrong().join("\n"));
}

/// A machine whose feeds answer as this test says.
struct Bench {
    model: Model,
    id: IncidentId,
    now: Timestamp,
}

impl Bench {
    fn new() -> Self {
        let (sim, id) = declared();
        let mut model = sim.model().clone();
        model.links.values_mut().for_each(|link| {
            let whose = Whose::Everyone;
            link.markers = match link.kind {
                midwatch::app::health::LinkKind::Prometheus { .. } => {
                    vec![Marker { name: "deploy".into(), query: "x".into(), text: String::new(), whose }]
                }
                _ => Vec::new(),
            };
        });
        Self { model, id, now: sim.now() }
    }

    fn send(&mut self, msg: Msg) -> Vec<Effect> {
        update(&mut self.model, self.now, msg)
    }

    fn asked(effects: &[Effect]) -> Vec<(ReqId, String)> {
        let of = |e: &Effect| match e {
            Effect::AskTarget { req, target, question: Question::Changes(..) | Question::Annotations(..) } => {
                Some((*req, target.0.clone()))
            }
            Effect::Marks { req, source, .. } => Some((*req, source.0.clone())),
            _ => None,
        };
        effects.iter().filter_map(of).collect()
    }
}

#[test]
fn all_feeds_stand_on_one_list_by_distance_with_filters_and_links() {
    let mut bench = Bench::new();
    let begin = costs::begin(&bench.model.desk.cases[&bench.id].shown);
    let effects = bench.send(Msg::Key(Key::char('C')));
    let asked = Bench::asked(&effects);
    assert!(asked.iter().any(|(_, name)| name == "dashboards") && asked.iter().any(|(_, name)| name == "prometheus"));
    for (req, name) in asked {
        let reply = match name.as_str() {
            "dashboards" => {
                let mark = |before: Span, text: &str, service: &str| Annotation {
                    id: text.into(),
                    from: begin - before,
                    to: None,
                    text: text.into(),
                    tags: vec![format!("service:{service}")],
                };
                Reply::Told(Ok(Answer::Annotations(vec![
                    mark(mins(9), "flag on", "search"),
                    mark(mins(300), "old", "api"),
                ])))
            }
            "prometheus" => {
                let mark = |at, text: &str| Mark { at, name: "deploy".into(), text: text.into(), services: Vec::new() };
                let marks = vec![mark(begin - mins(3), "checkout 412"), mark(begin + secs(5), "after it")];
                Reply::Marks(Ok(Marks { marks, remarks: Vec::new() }))
            }
            _ => Reply::Told(Ok(Answer::Changes(vec![Change {
                id: "1".into(),
                at: begin - mins(60),
                summary: "raise\u{1b}[2J the pool".into(),
                service: Some("checkout".into()),
                author: Some("carol".into()),
                url: Some("https://git.example.com/1".into()),
            }]))),
        };
        bench.send(Msg::Reply(req, reply));
    }
    let shown = page(&bench.model, bench.now);
    let told: Vec<(&str, bool)> = shown.changes.rows.iter().map(|r| (r.distance.as_str(), r.before)).collect();
    let wanted = [("5s after", false), ("3m before", true), ("9m before", true)];
    assert_eq!(told.iter().filter(|t| wanted.contains(t)).count(), 3, "{told:?}");
    assert!(!shown.changes.rows.iter().any(|r| r.text == "old"), "what is too far away is not asked for");
    // Asked again only after a while.
    assert!(Bench::asked(&bench.send(Msg::Wake)).is_empty());
    bench.now += mins(1);
    assert!(!Bench::asked(&bench.send(Msg::Wake)).is_empty());
    // Only its own service, and what names none.
    bench.send(Msg::Key(Key::char('f')));
    let own = page(&bench.model, bench.now);
    let services: Vec<&str> = own.changes.rows.iter().map(|r| r.service.as_str()).collect();
    assert_eq!(services, ["-", "-"], "{}", own.changes.note);
    bench.send(Msg::Key(Key::char('f')));
    bench.send(Msg::Key(Key::char('/')));
    for c in "flag".chars() {
        bench.send(Msg::Key(Key::char(c)));
    }
    let filtered = page(&bench.model, bench.now);
    assert_eq!((filtered.changes.rows.len(), filtered.changes.rows[0].service.as_str()), (1, "search"));
    assert!(filtered.changes.note.contains("hides"), "{}", filtered.changes.note);
}

#[test]
fn what_a_feed_told_before_stays_when_it_fails_and_an_answer_for_another_screen_is_dropped() {
    let mut bench = Bench::new();
    let asked = Bench::asked(&bench.send(Msg::Key(Key::char('C'))));
    let begin = costs::begin(&bench.model.desk.cases[&bench.id].shown);
    let mark = Mark { at: begin - mins(1), name: "deploy".into(), text: "412".into(), services: Vec::new() };
    // The chart asks for its own marks beside the list.
    for (req, _) in asked.iter().filter(|(_, name)| name == "prometheus") {
        bench.send(Msg::Reply(*req, Reply::Marks(Ok(Marks { marks: vec![mark.clone()], remarks: Vec::new() }))));
    }
    bench.now += mins(2);
    let again = Bench::asked(&bench.send(Msg::Wake));
    for (req, _) in again.iter().filter(|(_, name)| name == "prometheus") {
        let fault = Fault::new(FaultKind::Timeout, "prometheus", "took too long");
        bench.send(Msg::Reply(*req, Reply::Marks(Err(fault))));
    }
    let shown = page(&bench.model, bench.now);
    assert!(shown.changes.rows.iter().any(|r| r.text == "412"), "{:?}", shown.changes.rows);
    let said = shown.feeds.iter().find(|f| f.text.starts_with("prometheus: ")).unwrap();
    assert!(said.text.contains("took too long") && said.text.contains("told 1"), "{}", said.text);
    // Another screen is opened while an answer is on its way.
    bench.now += mins(2);
    let late = Bench::asked(&bench.send(Msg::Wake));
    for key in "q2".chars() {
        bench.send(Msg::Key(Key::char(key)));
    }
    bench.send(Msg::Key(Key::parse("Enter").unwrap()));
    bench.send(Msg::Key(Key::char('C')));
    for (req, _) in late {
        bench.send(Msg::Reply(req, Reply::Marks(Ok(Marks { marks: vec![mark.clone()], remarks: Vec::new() }))));
    }
    assert_eq!(page(&bench.model, bench.now).changes.rows, Vec::new());
}

#[test]
fn a_feed_that_fails_says_so_and_is_no_quiet_day() {
    let mut bench = Bench::new();
    for (req, name) in Bench::asked(&bench.send(Msg::Key(Key::char('C')))) {
        let fault = || Fault::new(FaultKind::Rejected, name.as_str(), "403 Forbidden");
        let reply = match name.as_str() {
            "prometheus" => Reply::Marks(Ok(Marks::default())),
            _ => Reply::Told(Err(fault())),
        };
        bench.send(Msg::Reply(req, reply));
    }
    let shown = page(&bench.model, bench.now);
    let said = shown.feeds.iter().find(|f| f.text.starts_with("dashboards: ")).unwrap();
    assert!(said.reversed && said.text.contains("403 Forbidden") && said.text.contains("not in the list"), "{said:?}");
    assert!(shown.feeds.iter().any(|f| f.text.starts_with("prometheus: 0 changes")), "{:?}", shown.feeds);
    assert_eq!(
        (shown.changes.rows.len(), shown.changes.empty.as_str()),
        (0, "nothing from those that answered; not all did")
    );
}
