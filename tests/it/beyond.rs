//! What stands beside the numbers of an objective, through the machine: planned work, calendar periods, pairs that wait,
//! composites, the cost of an incident, signals, and policy bands that several cockpits record once.

use midwatch::app::costs;
use midwatch::app::cuts;
use midwatch::app::effect::Effect;
use midwatch::app::health::LinkKind;
use midwatch::app::key::{Code, Key};
use midwatch::app::model::{Model, Setup};
use midwatch::app::msg::{Feed, Msg, Reply};
use midwatch::app::present::{budget, charts, report, slos};
use midwatch::app::review::{Scope, review};
use midwatch::app::screen::Screen;
use midwatch::app::update::update;
use midwatch::domain::fault::{Fault, FaultKind};
use midwatch::domain::ids::{IncidentId, Origin};
use midwatch::domain::incident::event::{BUDGET_LOG, Body, NewEvent};
use midwatch::domain::slo::catalogue::Plans;
use midwatch::domain::slo::event_slices::EventSlices;
use midwatch::domain::slo::format;
use midwatch::domain::slo::marks::{Mark, Marker, Marks, Whose};
use midwatch::domain::slo::objective::{AlertPair, Combine, Composite, Objective, Sli};
use midwatch::domain::slo::period::{Period, Unit};
use midwatch::domain::slo::reading::{Counts, Measurement, Reading, Via, Window};
use midwatch::domain::slo::ring::Ring;
use midwatch::domain::slo::service::{Service, Signal, SignalKind, Unit as Amount};
use midwatch::domain::slo::signals::{ServiceReading, SignalReading, SignalValue};
use midwatch::domain::slo::status::State;
use midwatch::domain::slo::warm::Warmed;
use midwatch::domain::time::{Span, Timestamp, mins, secs};
use midwatch::io::store::Store;
use midwatch::io::store::memory::Memory;
use midwatch::run::sim::{links, setup};
use std::sync::Arc;

const MONTH: Window = Window(30 * 86_400);

/// On a border of hours, so that slices end here.
fn start() -> Timestamp {
    "2026-05-20T12:00:00Z".parse().unwrap()
}

fn objective() -> Objective {
    let text = include_str!("../fixtures/seeds/slo.yaml");
    Objective { policy: None, ..format::read("slo.yaml", text).0.remove(0) }
}

struct Desk {
    model: Model,
    now: Timestamp,
}

impl Desk {
    fn with(objectives: Vec<Objective>) -> Self {
        let objectives = objectives.into_iter().map(Arc::new).collect();
        let setup = Setup { simulated: None, ..setup("ada") };
        Self { model: Model::new(setup, objectives, links(start(), secs(15))), now: start() }
    }

    fn send(&mut self, msg: Msg) -> Vec<Effect> {
        update(&mut self.model, self.now, msg)
    }

    /// A thousand events an hour, `bad` of them by the hours before now; slices and every window from them.
    fn measure(&mut self, id: &str, bad: impl Fn(f64) -> f64) {
        let mut slices = EventSlices::of(Span::days(30), Span::zero());
        let now = self.now;
        let fill = |ring: &mut Ring| {
            let (last, keep) = (ring.number(now), ring.keep());
            let hours = ring.step().num_seconds() as f64 / 3_600.0;
            let back = |n: i64| (last - n) as f64 * hours + hours / 2.0;
            ring.take(last - keep + 1, last, |n| {
                Some(Counts { bad: bad(back(n)) * 1_000.0 * hours, total: 1_000.0 * hours })
            });
        };
        fill(&mut slices.coarse);
        fill(&mut slices.fine);
        let windows = Window::BURN.into_iter().chain([MONTH]).map(|w| (w, (now, slices.window(w)))).collect();
        let slices = Some(Arc::new(slices));
        let measurement = Measurement { windows, slices, coverage: Some(1.0), ..Measurement::empty(id.into()) };
        self.model.fleet.measured.insert(id.into(), measurement);
        self.model.fleet.assessed = None;
        self.send(Msg::Wake);
    }

    fn plan(&mut self, yaml: &str) {
        let text = format!("apiVersion: midwatch/v1\nkind: Objectives\nobjectives: []\n{yaml}");
        let (catalogue, findings) = format::read_all(&[("plans.yaml".into(), text)]);
        assert!(findings.iter().all(|f| f.level != midwatch::domain::document::Level::Error), "{findings:?}");
        self.send(Msg::Feed(Feed::Plans(catalogue.parted().1)));
        self.model.fleet.assessed = None;
        self.send(Msg::Wake);
    }

    fn status(&self, id: &str) -> midwatch::domain::slo::status::Status {
        let objective = self.model.fleet.objective(&id.into()).unwrap();
        slos::status(&self.model, self.now, objective)
    }
}

fn near(got: Option<f64>, want: f64) {
    assert!(got.is_some_and(|g| (g - want).abs() < 1e-9 * want.abs().max(1.0)), "{got:?} is not {want}");
}

#[test]
fn planned_work_spares_the_budget_and_holds_the_pairs() {
    let mut desk = Desk::with(vec![objective()]);
    let burning = |hours: f64| if hours < 2.0 { 0.5 } else { 0.0002 };
    desk.measure("api_availability", burning);
    let before = desk.status("api_availability");
    assert_eq!((before.state, before.fires("page")), (State::Exhausted, true));
    desk.plan("maintenance:\n  - {name: move, start: '2026-05-20T10:00:00Z', duration: 3h, services: [api]}\n");
    let during = desk.status("api_availability");
    near(during.budget.consumed, 0.2);
    near(during.work.excluded.map(|e| e.bad), 1_000.0);
    assert!(during.alerts.iter().all(|p| p.firing != Some(true)) && during.alerts.iter().any(|p| p.held));
    assert_eq!((during.state, during.work.now.map(|w| w.name)), (State::Ok, Some("move".into())));
    let lines: Vec<String> = budget::lines(&desk.model, &desk.status("api_availability"), desk.now, &objective())
        .into_iter()
        .map(|b| b.text)
        .collect();
    assert!(lines.contains(&"planned work: move until 13:00Z; pairs are held".to_owned()), "{lines:#?}");
    assert!(lines.contains(&"2h of planned work do not count: 1000 bad of 2000".to_owned()), "{lines:#?}");
    let json = report::slo(&desk.model, desk.now, &objective(), &desk.status("api_availability"));
    assert_eq!(json["maintenance"]["active"]["to"], "2026-05-20T13:00:00.000Z");
    assert_eq!((&json["alerts"][0]["held"], &json["alerts"][0]["firing"]), (&true.into(), &false.into()));
    // Other services are not spared.
    desk.plan("maintenance:\n  - {name: move, start: '2026-05-20T10:00:00Z', duration: 3h, services: [web]}\n");
    assert!(desk.status("api_availability").fires("page"));
}

#[test]
fn a_month_stands_beside_every_rolling_window() {
    let month = Period::of(Unit::Month, chrono_tz::Europe::Berlin);
    let own = Objective { id: "own".into(), period: Some(month), ..objective() };
    let mut desk = Desk::with(vec![objective(), own]);
    desk.model.setup.zone = chrono_tz::Europe::Berlin;
    let errors = |hours: f64| if hours < 240.0 { 0.0009 } else { 0.0 };
    desk.measure("api_availability", errors);
    desk.measure("own", errors);
    let (rolling, own) = (desk.status("api_availability"), desk.status("own"));
    near(rolling.budget.consumed, 0.3);
    let calendar = rolling.calendar.unwrap();
    // From 30 April 22:00Z: 470 of 744 hours, 744,000 events expected, 216 bad ones.
    near(Some(calendar.elapsed), 470.0 / 744.0);
    near(Some(calendar.expected), 744_000.0);
    near(calendar.consumed, 216.0 / 744.0);
    near(calendar.projected, 216.0 / 470.0);
    near(own.budget.consumed, 216.0 / 744.0);
    near(Some(own.budget.minutes_total), 44.64);
    assert_eq!(own.forecast.rolling, None, "a calendar budget forgets nothing");
    // Without the events, a calendar budget is not known; that is no health.
    desk.model.fleet.measured.get_mut(&"own".into()).unwrap().slices = None;
    desk.model.fleet.assessed = None;
    desk.send(Msg::Wake);
    let blind = desk.status("own");
    assert_eq!((blind.state, blind.budget.remaining, blind.calendar), (State::Warming, None, None));
}

#[test]
fn a_pair_with_a_hold_waits() {
    let pair = AlertPair { severity: "page".into(), long: Window::H1, short: Window::M5, factor: 14.4, hold: mins(2) };
    let mut desk = Desk::with(vec![Objective { pairs: vec![pair], ..objective() }]);
    desk.measure("api_availability", |_| 0.02);
    let first = desk.status("api_availability").alerts.remove(0);
    assert_eq!((first.firing, first.over, first.fires_at), (Some(false), Some(true), Some(start() + mins(2))));
    near(first.time_to_fire.map(|t| t.num_milliseconds() as f64), 51_840.0 + 120_000.0);
    for (seconds, firing) in [(60, false), (119, false), (120, true), (180, true)] {
        desk.now = start() + secs(seconds);
        for (_, (at, _)) in desk.model.fleet.measured.values_mut().flat_map(|m| &mut m.windows) {
            *at = start() + secs(seconds);
        }
        desk.model.fleet.assessed = None;
        desk.send(Msg::Wake);
        assert_eq!(desk.status("api_availability").alerts[0].firing, Some(firing), "{seconds}");
    }
    desk.measure("api_availability", |_| 0.0);
    assert!(desk.model.fleet.over_since[&"api_availability".into()].is_empty());
}

#[test]
fn a_composite_is_as_known_as_its_parts() {
    let parts = vec![("a".into(), 0.5), ("b".into(), 0.5)];
    let whole = Sli::Composite(Composite { combine: Combine::Weighted, parts });
    let part = |id: &str| Objective { id: id.into(), ..objective() };
    let mut desk = Desk::with(vec![Objective { sli: whole, ..part("shop") }, part("a"), part("b")]);
    desk.measure("a", |_| 0.0004);
    assert_eq!(desk.status("shop").state, State::Warming);
    desk.measure("b", |_| 0.0002);
    near(desk.status("shop").budget.consumed, 0.3);
    let fault = Fault::new(FaultKind::Timeout, "prom", "slow");
    let measured = desk.model.fleet.measured.get_mut(&"b".into()).unwrap();
    measured.windows.values_mut().for_each(|(_, r)| *r = Reading::Error(fault.clone()));
    desk.model.fleet.assessed = None;
    desk.send(Msg::Wake);
    let blind = desk.status("shop");
    assert_eq!((blind.state, blind.budget.remaining), (State::Error, None));
    // Work on a part is left out of the whole.
    desk.measure("b", |hours| if hours < 1.0 { 1.0 } else { 0.0002 });
    desk.plan("maintenance:\n  - {name: move, start: '2026-05-20T11:00:00Z', duration: 1h, objectives: [b]}\n");
    near(desk.status("shop").budget.consumed, 0.5 * 0.4 + 0.5 * (143.8 / 719.0));
}

#[test]
fn a_composite_has_calendar_outlook_cost_and_charts_of_its_parts() {
    let whole = |id: &str, parts: &[(&str, f64)]| {
        let parts = parts.iter().map(|(p, w)| ((*p).into(), *w)).collect();
        let sli = Sli::Composite(Composite { combine: Combine::Weighted, parts });
        Objective { id: id.into(), sli, ..objective() }
    };
    let week = Objective { id: "week".into(), window: Span::days(7), ..objective() };
    let all = vec![
        whole("one", &[("api_availability", 1.0)]),
        whole("two", &[("api_availability", 0.5), ("b", 0.5)]),
        whole("mixed", &[("api_availability", 0.5), ("week", 0.5)]),
        objective(),
        Objective { id: "b".into(), ..objective() },
        week,
    ];
    let mut desk = Desk::with(all);
    let burning = |hours: f64| if hours < 1.0 { 0.1 } else { 0.0004 };
    desk.measure("api_availability", burning);
    desk.measure("b", |_| 0.0002);
    desk.measure("week", |_| 0.0002);
    let (one, member, two) = (desk.status("one"), desk.status("api_availability"), desk.status("two"));
    near(one.budget.consumed, member.budget.consumed.unwrap());
    let (calendar, of) = (one.calendar.unwrap(), member.calendar.unwrap());
    for (got, want) in [
        (calendar.consumed, of.consumed),
        (calendar.projected, of.projected),
        (Some(calendar.expected), Some(of.expected)),
        (Some(calendar.events.bad), Some(of.events.bad)),
    ] {
        near(got, want.unwrap());
    }
    assert_eq!((one.forecast.rolling, one.forecast.left_1h), (member.forecast.rolling, member.forecast.left_1h));
    near(one.forecast.trend_3d.map(|t| t.trend.per_hour), member.forecast.trend_3d.unwrap().trend.per_hour);
    let used = |id: &str| desk.status(id).calendar.unwrap().consumed.unwrap();
    near(two.calendar.and_then(|c| c.consumed), 0.5 * of.consumed.unwrap() + 0.5 * used("b"));

    // What does not fit is said, and nothing is guessed.
    let mixed = desk.status("mixed");
    assert_eq!((mixed.calendar, mixed.forecast.rolling), (None, None));
    assert_eq!(mixed.untold.as_deref(), Some("the window of `week` is 7d, not 30d"));
    let objective_of = |desk: &Desk, id: &str| desk.model.fleet.objective(&id.into()).unwrap().clone();
    let json = |desk: &Desk, id: &str| report::slo(&desk.model, desk.now, &objective_of(desk, id), &desk.status(id));
    assert_eq!(json(&desk, "mixed")["without_events"], "the window of `week` is 7d, not 30d");
    assert!(json(&desk, "one")["without_events"].is_null() && json(&desk, "one")["calendar"]["consumed"].is_number());
    let text = |desk: &Desk, id: &str| {
        let bits = budget::lines(&desk.model, &desk.status(id), desk.now, &objective_of(desk, id));
        bits.into_iter().map(|b| b.text).collect::<Vec<_>>().join("\n")
    };
    assert!(
        text(&desk, "mixed").contains("are not told: the window of `week` is 7d, not 30d"),
        "{}",
        text(&desk, "mixed")
    );
    assert!(text(&desk, "two").contains("weighted events expected"), "{}", text(&desk, "two"));

    let chart = |id: &str| charts::budget(&desk.model, desk.now, &id.into());
    let (got, want) = (chart("one").unwrap(), chart("api_availability").unwrap());
    assert_eq!((got.start, got.step, got.points.len()), (want.start, want.step, want.points.len()));
    got.points.iter().zip(&want.points).for_each(|(a, b)| near(*a, b.unwrap()));
    assert!(chart("mixed").is_none());
    desk.model.nav.open(Screen::Slo("two".into()));
    let burn = charts::burn(&desk.model, desk.now, &"two".into()).unwrap();
    near(burn.points.last().copied().flatten(), 0.5 * 100.0 + 0.5 * 0.2);

    let incident = declared(&["one", "api_availability", "two", "mixed"]);
    let cost = |id: &str| costs::live(&desk.model, desk.now, &incident, &id.into());
    let (got, want) = (cost("one").unwrap(), cost("api_availability").unwrap());
    near(Some(got.gross), want.gross);
    near(got.net, want.net.unwrap());
    near(Some(cost("two").unwrap().gross), 0.5 * want.gross + 0.5 * cost_of(&desk, "b"));
    assert_eq!(cost("mixed"), None);
    let scope = Period::of(Unit::Month, chrono_tz::UTC);
    let bounds = scope.bounds(desk.now).unwrap();
    let told = review(&desk.model, desk.now, &Scope { period: &scope, bounds, objective: None, service: None });
    let row = |id: &str| told.objectives.iter().find(|r| r.objective == id).unwrap();
    let (one, member) = (row("one"), row("api_availability"));
    for (got, want) in [
        (one.attained, member.attained),
        (one.spent, member.spent),
        (one.projected, member.projected),
        (one.remaining, member.remaining),
    ] {
        near(got, want.unwrap());
    }
    assert_eq!((one.bad, row("mixed").spent), (None, None));
    let said = "mixed: no events of this period are known: the window of `week` is 7d, not 30d";
    assert!(told.unknown.iter().any(|u| u == said), "{:?}", told.unknown);
}

/// An incident of the last hour.
fn declared(objectives: &[&str]) -> midwatch::domain::incident::state::Incident {
    use midwatch::domain::incident::event::{Event, EventKey};
    let event = |seq: u64, body: Body| Event {
        key: EventKey { origin: Origin("here".into()), seq },
        id: String::new(),
        incident: "INC-1".into(),
        order: seq,
        at: start() - mins(60),
        recorded_at: start(),
        actor: "ada".into(),
        body,
        hash: String::new(),
    };
    let begin = Body::Declared {
        title: "api".into(),
        severity: "SEV2".into(),
        service: None,
        detected_by: None,
        detected_at: None,
    };
    let linked = objectives.iter().map(|o| Body::ObjectiveLinked { slo: (*o).into() });
    let events: Vec<Event> =
        std::iter::once(begin).chain(linked).zip(1..).map(|(body, seq)| event(seq, body)).collect();
    midwatch::domain::incident::state::Incident::fold(&events).unwrap()
}

fn cost_of(desk: &Desk, id: &str) -> f64 {
    costs::live(&desk.model, desk.now, &declared(&[id]), &id.into()).unwrap().gross
}

#[test]
fn an_incident_costs_its_bad_events() {
    let mut desk = Desk::with(vec![objective()]);
    desk.measure("api_availability", |hours| if hours < 1.0 { 0.1 } else { 0.001 });
    let declared = midwatch::domain::incident::event::Event {
        key: midwatch::domain::incident::event::EventKey { origin: Origin("here".into()), seq: 1 },
        id: String::new(),
        incident: "INC-1".into(),
        order: 1,
        at: start() - mins(60),
        recorded_at: start(),
        actor: "ada".into(),
        body: Body::Declared {
            title: "api".into(),
            severity: "SEV2".into(),
            service: None,
            detected_by: None,
            detected_at: None,
        },
        hash: String::new(),
    };
    let linked = midwatch::domain::incident::event::Event {
        key: midwatch::domain::incident::event::EventKey { origin: Origin("here".into()), seq: 2 },
        order: 2,
        body: Body::ObjectiveLinked { slo: "api_availability".into() },
        ..declared.clone()
    };
    let incident = midwatch::domain::incident::state::Incident::fold([&declared, &linked]).unwrap();
    desk.send(Msg::Feed(Feed::Loaded(vec![(incident.clone(), vec![declared, linked])])));
    let cost = costs::live(&desk.model, desk.now, &incident, &"api_availability".into()).unwrap();
    // One poll interval (15 s) before it counts too; after now nothing has happened.
    near(Some(cost.during.bad), 100.0 + 1_000.0 / 240.0 * 0.001);
    near(Some(cost.of), 720_000.0);
    near(Some(cost.gross), (100.0 + 1.0 / 240.0) / 720.0);
    near(cost.net, (100.0 + 1.0 / 240.0 - 0.001 * (1_000.0 + 1_000.0 / 240.0)) / 720.0);
    let sample = costs::sample(&desk.model, desk.now, &incident, &"api_availability".into(), "resolved").unwrap();
    assert_eq!(sample.basis.as_deref(), Some("the 30d until then"));
    let scope = Period::of(Unit::Month, chrono_tz::UTC);
    let bounds = scope.bounds(desk.now).unwrap();
    let told = review(&desk.model, desk.now, &Scope { period: &scope, bounds, objective: None, service: None });
    assert_eq!((told.incidents.len(), told.incidents[0].id.as_str()), (1, "INC-1"));
    near(told.incidents[0].gross, (100.0 + 1.0 / 240.0) / 744.0);
    assert_eq!(told.decisions[0].what, "Full reliability focus, no feature releases");
    assert_eq!(
        told.markdown(),
        review(&desk.model, desk.now, &Scope { period: &scope, bounds, objective: None, service: None }).markdown()
    );
}

#[test]
fn history_is_wanted_finer_where_an_incident_or_planned_work_begins_and_ends() {
    let whole = {
        let parts = vec![("api_availability".into(), 1.0)];
        let sli = Sli::Composite(Composite { combine: Combine::Weighted, parts });
        Objective { id: "all".into(), sli, ..objective() }
    };
    let mut desk = Desk::with(vec![objective(), whole]);
    let source =
        desk.model.links.values().find(|l| matches!(l.kind, LinkKind::Prometheus { .. })).unwrap().name.clone();
    desk.model.links.get_mut(&source).unwrap().left = Some(0);
    let look = |desk: &mut Desk| {
        cuts::refresh(&mut desk.model, &source, desk.now);
        let link = &desk.model.links[&source];
        (link.warming.cuts.get(&"api_availability".into()).cloned().unwrap_or_default(), link.left)
    };
    assert_eq!(look(&mut desk), (vec![], Some(0)), "nothing happened");
    // An incident of a composite is one of its parts.
    let incident = declared(&["all"]);
    desk.send(Msg::Feed(Feed::Loaded(vec![(incident, vec![])])));
    let begin = start() - mins(60) - secs(15);
    assert_eq!(look(&mut desk), (vec![begin], None), "which is to be read, though all was");
    let plan = "maintenance:\n  - {name: move, start: '2026-05-18 00:20', duration: 30m}\n";
    desk.plan(plan);
    let work = ["2026-05-18T00:20:00Z", "2026-05-18T00:50:00Z"].map(|at| at.parse::<Timestamp>().unwrap());
    assert_eq!(look(&mut desk).0, vec![work[0], work[1], begin]);
    assert!(!desk.model.links[&source].warming.cuts.contains_key(&"all".into()), "it has no slices of its own");
}

#[test]
fn a_recorded_period_is_told_by_events_as_soon_as_they_are_read() {
    let mut desk = Desk::with(vec![objective()]);
    desk.measure("api_availability", |_| 0.0002);
    let counted = desk.model.fleet.measured.remove(&"api_availability".into()).unwrap();
    let windows = [(MONTH, 0.0008), (Window::M5, 0.0001)].map(|(w, e)| (w, (start(), Reading::Recorded(e))));
    let recorded =
        Measurement { via: Via::Recorded, windows: windows.into(), ..Measurement::empty("api_availability".into()) };
    desk.model.fleet.measured.insert("api_availability".into(), recorded);
    let source =
        desk.model.links.values().find(|l| matches!(l.kind, LinkKind::Prometheus { .. })).unwrap().name.clone();
    let warm = |desk: &mut Desk, read: f64| {
        let windows = counted.windows.clone().into_iter().filter(|(w, _)| *w != Window::M5).collect();
        let new = Measurement { read: Some(read), windows, ..counted.clone() };
        let result = Ok(Warmed { measurements: vec![new], ..Warmed::default() });
        midwatch::app::update::warm::warmed(&mut desk.model, desk.now, &source, result);
        desk.send(Msg::Wake);
        desk.status("api_availability")
    };
    let half = warm(&mut desk, 0.5);
    near(half.budget.remaining, 0.2);
    let whole = warm(&mut desk, 1.0);
    near(whole.budget.remaining, 0.8);
    let said = whole.recorded.expect("what the server says stands beside it");
    near(said.remaining, 0.2);
    assert!(said.differs);
    assert!(whole.burn_rates[&Window::M5].is_some(), "what only the recordings say is still said");
}

#[test]
fn the_numbers_of_an_objective_take_the_place_of_its_chart() {
    let mut desk = Desk::with(vec![objective()]);
    desk.measure("api_availability", |_| 0.001);
    desk.model.nav.open(Screen::Slo("api_availability".into()));
    let shown = |desk: &Desk| slos::detail(&desk.model, desk.now, &"api_availability".into()).unwrap().numbers;
    let keys = [Code::Down, Code::Up, Code::PageDown, Code::Home, Code::End, Code::PageUp];
    for (code, numbers) in keys.into_iter().zip([true, false].into_iter().cycle()) {
        desk.send(Msg::Key(Key::plain(code)));
        assert_eq!(shown(&desk), numbers, "{code:?}");
    }
}

/// The log of crossings as a record holds it.
fn log(record: &mut Memory) -> Vec<String> {
    let events = record.events(&IncidentId(BUDGET_LOG.into())).unwrap();
    let told = events.iter().map(|e| match &e.body {
        Body::BandCrossed(c) => format!("{} {} {}", c.slo, c.number, c.to),
        other => format!("{other:?}"),
    });
    told.collect()
}

fn appended(effects: &[Effect]) -> Vec<(midwatch::domain::ids::ReqId, Vec<NewEvent>)> {
    let append = |e: &Effect| match e {
        Effect::Append { req, events } => Some((*req, events.clone())),
        _ => None,
    };
    effects.iter().filter_map(append).collect()
}

#[test]
fn cockpits_record_a_crossing_once_and_a_restart_knows_it() {
    let mut record = Memory::new(Origin("here".into()));
    let mut cockpits: Vec<Desk> = (0..2).map(|_| Desk::with(vec![objective()])).collect();
    let mut waiting = Vec::new();
    for desk in &mut cockpits {
        let asked = desk.send(Msg::Feed(Feed::Opened(Origin("here".into()))));
        let all = asked.iter().find_map(|e| match e {
            Effect::All { req, incident } if incident.as_str() == BUDGET_LOG => Some(*req),
            _ => None,
        });
        desk.send(Msg::Reply(all.unwrap(), Reply::Events(Ok(vec![]))));
        desk.measure("api_availability", |_| 0.0001);
        desk.now += mins(10);
        desk.measure("api_availability", |_| 0.0008);
        assert!(desk.model.fleet.bands.unsaved.is_empty(), "a boundary must be left for a while");
        desk.now += mins(6);
    }
    for desk in &mut cockpits {
        desk.model.fleet.measured.clear();
        let now = desk.now;
        let windows = Window::BURN.into_iter().chain([MONTH]);
        let reading = Reading::Counts(Counts { bad: 800.0, total: 1e6 });
        let windows = windows.map(|w| (w, (now, reading.clone()))).collect();
        let measurement = Measurement { windows, ..Measurement::empty("api_availability".into()) };
        desk.model.fleet.measured.insert("api_availability".into(), measurement);
        desk.model.fleet.assessed = None;
        let effects = desk.send(Msg::Wake);
        assert!(desk.model.messages.iter().any(|m| m.text.ends_with("Feature freeze except critical fixes")));
        assert_eq!(desk.model.unsaved(), 1);
        waiting.push(appended(&effects));
    }
    for (desk, appends) in cockpits.iter_mut().zip(waiting) {
        assert_eq!(appends.len(), 1);
        // A disk that is full for a moment: it is tried again, and nothing is forgotten.
        let (req, events) = appends.into_iter().next().unwrap();
        let fault = Fault::new(FaultKind::Local, "record", "no space");
        desk.send(Msg::Reply(req, Reply::NotSaved(fault)));
        desk.now += secs(6);
        let again = appended(&desk.send(Msg::Wake));
        assert_eq!(again.first().map(|(_, e)| e), Some(&events));
        let saved = record.append(events).unwrap();
        desk.send(Msg::Reply(again[0].0, Reply::Saved(saved)));
        assert_eq!((desk.model.unsaved(), desk.model.desk.trouble.clone()), (0, None));
    }
    assert_eq!(log(&mut record), ["api_availability 1 feature_freeze"]);
    assert_eq!(cockpits[0].model.fleet.bands.settled, cockpits[1].model.fleet.bands.settled);
    // A restart reads the log and tells nothing again.
    let mut restarted = Desk::with(vec![objective()]);
    let asked = restarted.send(Msg::Feed(Feed::Opened(Origin("here".into()))));
    let req = asked.iter().find_map(|e| if let Effect::All { req, .. } = e { Some(*req) } else { None }).unwrap();
    let events = record.events(&IncidentId(BUDGET_LOG.into())).unwrap();
    restarted.send(Msg::Reply(req, Reply::Events(Ok(events))));
    for _ in 0..3 {
        restarted.measure("api_availability", |_| 0.0008);
        restarted.now += mins(6);
    }
    assert!(restarted.model.fleet.bands.unsaved.is_empty());
    assert_eq!(record.heads().unwrap(), vec![], "the log is no incident");
}

#[test]
fn signals_come_with_the_poll_and_grow_old() {
    let mut desk = Desk::with(vec![objective()]);
    let signal = |kind, limit| Signal { kind, query: "x".into(), unit: Amount::Ratio, limit };
    let service = Service {
        name: "api".into(),
        description: String::new(),
        source: None,
        signals: vec![signal(SignalKind::Errors, Some(0.01)), signal(SignalKind::Saturation, None)],
        declared: String::new(),
    };
    let effects = desk.send(Msg::Feed(Feed::Plans(Plans { services: vec![Arc::new(service)], ..Plans::default() })));
    let asked = effects.iter().find_map(|e| if let Effect::Signals { req, .. } = e { Some(*req) } else { None });
    let said = |desk: &Desk| {
        budget::signals(&desk.model, desk.now, "api").into_iter().map(|b| b.text).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(said(&desk), "errors unknown, saturation unknown");
    let read = |kind, limit, value| SignalReading { kind, unit: Amount::Ratio, limit, value };
    let reading = ServiceReading {
        service: "api".into(),
        at: start(),
        signals: vec![
            read(SignalKind::Errors, Some(0.01), SignalValue::Value(0.02)),
            read(SignalKind::Saturation, None, SignalValue::NoData),
        ],
    };
    desk.send(Msg::Reply(asked.unwrap(), Reply::Signals(Ok(vec![reading]))));
    assert_eq!(said(&desk), "errors 2.0% OVER 1.0%, saturation no data");
    let json = report::budget::signals(&desk.model, desk.now, "api");
    assert_eq!((&json["signals"]["errors"]["value"], &json["signals"]["errors"]["over"]), (&0.02.into(), &true.into()));
    assert!(json["signals"]["saturation"]["value"].is_null() && json["stale"] == false);
    desk.now += mins(5);
    assert_eq!(said(&desk), "errors 2.0% OVER 1.0%, saturation no data, STALE 5m");
    assert!(report::budget::signals(&desk.model, desk.now, "web").is_null());
}

#[test]
fn deploys_stand_on_the_chart_that_is_looked_at() {
    let mut desk = Desk::with(vec![objective()]);
    let asked = |effects: &[Effect]| {
        let marks = |e: &Effect| if let Effect::Marks { req, range, .. } = e { Some((*req, *range)) } else { None };
        effects.iter().find_map(marks)
    };
    desk.model.nav.open(Screen::Slo("api_availability".into()));
    desk.model.links.values_mut().for_each(|l| l.good = Some(start()));
    assert_eq!(asked(&desk.send(Msg::Wake)), None, "nobody tells of any");
    let whose = Whose::Services(vec!["api".into()]);
    let marker = Marker { name: "deploy".into(), query: "x".into(), text: String::new(), whose };
    desk.model.links.values_mut().for_each(|l| l.markers = vec![marker.clone()]);
    let (req, range) = asked(&desk.send(Msg::Wake)).unwrap();
    assert_eq!((range, asked(&desk.send(Msg::Wake))), (Span::hours(6), None), "one at a time");
    let service = desk.model.fleet.objectives[0].service.clone();
    let mark = |minutes: i64, service: &str| Mark {
        at: start() - mins(minutes),
        name: "deploy".into(),
        text: format!("v1.{minutes}"),
        services: vec![service.to_owned()],
    };
    let mine: Vec<Mark> = [200, 90, 45, 5].into_iter().map(|m| mark(m, &service)).collect();
    let marks = Marks { marks: [mine, vec![mark(4, "elsewhere")]].concat(), remarks: Vec::new() };
    desk.send(Msg::Reply(req, Reply::Marks(Ok(marks))));
    let id = "api_availability".into();
    let shown = |desk: &Desk| {
        let chart = charts::burn(&desk.model, desk.now, &id).unwrap();
        chart.marks.iter().filter(|m| m.letter == charts::CHANGED).count()
    };
    assert_eq!(shown(&desk), 4);
    let detail = slos::detail(&desk.model, desk.now, &id).unwrap();
    let said: Vec<&str> = detail.related.iter().map(|b| b.text.as_str()).collect();
    assert_eq!(
        said,
        [
            "d 11:55Z deploy v1.5, 5m ago",
            "d 11:15Z deploy v1.45, 45m ago",
            "d 10:30Z deploy v1.90, 1h30m ago",
            "d 1 earlier"
        ]
    );
    let json = report::marks(&desk.model, &desk.model.fleet.objectives[0]);
    assert_eq!((json.as_array().unwrap().len(), &json[3]["text"]), (4, &"v1.5".into()));
    assert_eq!(asked(&desk.send(Msg::Wake)), None, "they are young");
    desk.now += secs(61);
    let (req, _) = asked(&desk.send(Msg::Wake)).unwrap();
    desk.send(Msg::Reply(req, Reply::Marks(Err(Fault::new(FaultKind::Timeout, "prometheus", "slow")))));
    assert_eq!(shown(&desk), 4, "the last ones stay");
    let detail = slos::detail(&desk.model, desk.now, &id).unwrap();
    assert!(detail.related.last().unwrap().text.starts_with("marks: "), "{:?}", detail.related);
}
