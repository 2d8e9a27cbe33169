//! An incident as a region on the dashboards, and what others marked there on the charts: the production machine, the
//! production record and dashboards that keep what was really done.

use midwatch::app::key::Key;
use midwatch::app::present::charts;
use midwatch::app::screen::Screen;
use midwatch::domain::ids::IncidentId;
use midwatch::domain::outward::capability::Capability;
use midwatch::domain::time::{Timestamp, mins, secs};
use midwatch::io::fake::outside::Trouble;
use midwatch::run::sim::{Simulator, setup};

fn start() -> Timestamp {
    "2026-05-01T03:12:04Z".parse().unwrap()
}

fn press(sim: &mut Simulator, keys: &str) {
    for key in keys.split(' ') {
        sim.key(Key::parse(key).unwrap());
    }
}

fn declared(troubles: &[Trouble]) -> (Simulator, IncidentId) {
    let mut sim = Simulator::new(setup("ada"), start(), 3, secs(15));
    sim.target("dashboards").unwrap().script(troubles.iter().copied());
    sim.pass(secs(20));
    press(&mut sim, "1 i Ctrl-u");
    sim.type_text("checkout answers 5xx");
    press(&mut sim, "Tab 3 Enter");
    let Screen::Incident(id) = sim.model().nav.screen().clone() else { panic!("{:?}", sim.model().nav.screen()) };
    (sim, id)
}

fn resolve(sim: &mut Simulator, id: &IncidentId) {
    press(sim, "x");
    sim.type_text("rolled back");
    press(sim, "Enter");
    sim.pass(secs(1));
    let word: String = id.as_str().chars().skip(id.as_str().chars().count() - 4).collect();
    sim.type_text(&word);
    press(sim, "Enter");
}

fn done(sim: &Simulator, capability: Capability) -> usize {
    sim.target("dashboards").unwrap().effects().iter().filter(|e| e.capability == capability).count()
}

#[test]
fn an_incident_is_one_region_from_its_declaration_to_its_end() {
    for troubles in [&[][..], &[Trouble::LostReply], &[Trouble::LostRequest, Trouble::RateLimited(Some(5))]] {
        let (mut sim, id) = declared(troubles);
        sim.pass(mins(3));
        assert_eq!(done(&sim, Capability::Annotate), 1, "{troubles:?}");
        assert_eq!(done(&sim, Capability::EndAnnotation), 0);
        resolve(&mut sim, &id);
        sim.pass(mins(5));
        assert_eq!((done(&sim, Capability::Annotate), done(&sim, Capability::EndAnnotation)), (1, 1), "{troubles:?}");
        assert!(sim.wrong().is_empty(), "{}", sim.wrong().join("\n"));
    }
}

#[test]
fn what_was_marked_there_stands_on_the_charts_of_the_service_it_names() {
    let (mut sim, _) = declared(&[]);
    press(&mut sim, "2 Enter");
    assert!(matches!(sim.model().nav.screen(), Screen::Slo(_)), "{:?}", sim.model().nav.screen());
    sim.pass(mins(2));
    let model = sim.model();
    let marks = |service: &str| {
        let of = model.fleet.objectives.iter().find(|o| o.service == service).unwrap();
        charts::changes(model, of).into_iter().map(|m| m.text.clone()).collect::<Vec<_>>()
    };
    let checkout = marks("checkout");
    assert_eq!(checkout.len(), 2, "{checkout:?}");
    assert!(checkout[1].contains("all replicas (deploy)"), "{checkout:?}");
    assert_eq!(marks("api"), Vec::<String>::new());
}
