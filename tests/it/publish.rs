//! The status page from the cockpit: a form, exactly what customers would read, one write through the outbox; greyed with
//! the reason where there is no page.

use midwatch::app::action::Action;
use midwatch::app::confirm::Deed;
use midwatch::app::key::Key;
use midwatch::app::msg::Msg;
use midwatch::app::present::available::why_not;
use midwatch::app::screen::{Overlay, Screen};
use midwatch::app::update::update;
use midwatch::domain::ids::IncidentId;
use midwatch::domain::incident::event::Body;
use midwatch::domain::outward::capability::Capability;
use midwatch::domain::time::{Timestamp, mins, secs};
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
    press(&mut sim, "Tab 3 Enter");
    sim.pass(secs(5));
    let Screen::Incident(id) = sim.model().nav.screen().clone() else { panic!("{:?}", sim.model().nav.screen()) };
    (sim, id)
}

fn form(sim: &Simulator) -> midwatch::app::form::Form {
    match &sim.model().nav.overlay {
        Some(Overlay::Form(form)) => form.as_ref().clone(),
        other => panic!("no form: {other:?}"),
    }
}

fn written(sim: &Simulator) -> Vec<Capability> {
    let effects = sim.target("status-page").unwrap().effects();
    effects.into_iter().map(|e| e.capability).collect()
}

/// Fills in the form that is open: the text, and components.
fn fill(sim: &mut Simulator, text: &str, components: &str) {
    let at = |sim: &Simulator, label: &str| form(sim).fields.iter().position(|f| f.label == label).unwrap();
    for (label, typed) in [("text", text), ("components", components)] {
        while form(sim).focus != at(sim, label) {
            press(sim, "Tab");
        }
        press(sim, "Ctrl-u");
        sim.type_text(typed);
    }
}

#[test]
fn customers_read_what_was_shown_once_and_the_second_time_it_is_an_update() {
    let (mut sim, id) = declared();
    press(&mut sim, "W");
    assert!(form(&sim).fields.iter().any(|f| f.hint.contains("being asked")), "{:?}", form(&sim).fields);
    sim.pass(secs(3));
    assert!(form(&sim).fields.iter().any(|f| f.hint.contains("Checkout (operational), API (operational)")));
    assert_eq!(form(&sim).value("title"), "checkout answers 5xx");
    fill(&mut sim, "Payments fail for some customers.", "checkout=major_outage, API=degraded_performance");
    press(&mut sim, "Enter");
    let Some(Overlay::Confirm(confirm)) = sim.model().nav.overlay.clone() else { panic!("{:?}", form(&sim).error) };
    let row = |label: &str| {
        let found: Vec<String> = confirm.rows.iter().filter(|(l, _)| l == label).map(|(_, t)| t.clone()).collect();
        found.join("; ")
    };
    assert_eq!(row("at"), "status-page, for everybody to read");
    assert_eq!(row("text"), "Payments fail for some customers.");
    assert_eq!(row("status"), "investigating");
    assert_eq!(row("component"), "Checkout: operational -> major_outage; API: operational -> degraded_performance");
    assert!(written(&sim).is_empty(), "nothing before the yes");
    // Enter is never a yes.
    sim.pass(secs(1));
    press(&mut sim, "Enter");
    sim.pass(mins(1));
    assert!(written(&sim).is_empty());
    press(&mut sim, "y");
    sim.pass(mins(2));
    assert_eq!(written(&sim), [Capability::OpenNotice]);

    press(&mut sim, "W");
    let labels: Vec<String> = form(&sim).fields.iter().map(|f| f.label.to_string()).collect();
    assert_eq!(labels, ["text", "status", "components"], "of a notice that is there");
    assert!(form(&sim).title.starts_with("Update the notice"), "{}", form(&sim).title);
    fill(&mut sim, "We have found it.", "");
    press(&mut sim, "Enter");
    sim.pass(secs(1));
    press(&mut sim, "y");
    // It may be taken back while it is held.
    sim.pass(secs(1));
    press(&mut sim, "u");
    sim.pass(mins(2));
    assert_eq!(written(&sim), [Capability::OpenNotice]);
    let record = sim.record(&id);
    let out = record.iter().filter(|e| matches!(e.body, Body::Outgoing(_)) && e.body.kind() == "outgoing").count();
    assert!(out >= 2, "both are in the record");
    assert!(sim.wrong().is_empty(), "{}", sim.wrong().join("\n"));
}

#[test]
fn what_is_wrong_is_said_in_the_form_and_nothing_is_lost() {
    let (mut sim, _) = declared();
    press(&mut sim, "W");
    sim.pass(secs(3));
    for (text, components, why) in [
        ("", "", "what customers read"),
        ("It fails.", "Chekout=major_outage", "nearest: Checkout"),
        ("It fails.", "Checkout", "expected NAME=STATE"),
        ("It fails.", "Checkout=broken", "no word for a state of a component"),
    ] {
        fill(&mut sim, text, components);
        press(&mut sim, "Enter");
        let form = form(&sim);
        assert!(form.error.as_ref().is_some_and(|e| e.contains(why)), "{:?}", form.error);
        assert_eq!(form.value("text"), text);
    }
    // What has no room on the screen is not confirmed.
    fill(&mut sim, &"long ".repeat(400), "");
    press(&mut sim, "Enter");
    sim.send(Msg::Resized(60, 15));
    sim.pass(secs(1));
    press(&mut sim, "y");
    sim.pass(mins(1));
    assert!(written(&sim).is_empty());
    assert!(matches!(&sim.model().nav.overlay, Some(Overlay::Confirm(c)) if matches!(c.deed, Deed::Publish(_))));
}

#[test]
fn without_a_page_it_is_greyed_with_the_reason() {
    let (sim, _) = declared();
    let mut model = sim.model().clone();
    assert_eq!(why_not(&model, sim.now(), Action::StatusPage), None);
    let page = model.outbox.targets.keys().find(|name| name.as_str() == "status-page").unwrap().clone();
    model.disconnect(&page);
    let why = why_not(&model, sim.now(), Action::StatusPage).unwrap();
    assert!(why.contains("is configured"), "{why}");
    update(&mut model, sim.now(), Msg::Act(Action::StatusPage));
    assert!(model.nav.overlay.is_none());
    model.setup.read_only = true;
    assert!(why_not(&model, sim.now(), Action::StatusPage).unwrap().starts_with("read-only"));
}
