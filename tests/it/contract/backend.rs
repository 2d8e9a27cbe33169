//! The contract of the questions to an incident backend.

use super::{rigs, run};
use crate::stateful_server::Answer;
use midwatch::domain::fault::FaultKind;
use midwatch::domain::outward::backend::BackendStatus;
use midwatch::domain::outward::capability::{Capability, Class};
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::Outcome;

#[test]
fn open_incidents_are_listed_and_each_can_be_read_by_its_id() {
    for rig in rigs() {
        let target = rig.target();
        let Some(backend) = target.backend else { continue };
        // An incident that a write could be about exists there.
        assert!(rig.intent(Capability::Acknowledge).is_some(), "{}", rig.name());
        let open = run(backend.list()).unwrap();
        assert!(!open.is_empty(), "{}: nothing is open", rig.name());
        for incident in &open {
            assert_ne!(incident.status, BackendStatus::Resolved, "{}: {incident:?}", rig.name());
            assert!(!incident.id.is_empty() && !incident.title.is_empty(), "{}: {incident:?}", rig.name());
            assert_eq!(run(backend.get(&incident.id)).unwrap().id, incident.id, "{}", rig.name());
        }
        assert!(run(backend.get("no-such-incident")).is_err(), "{}", rig.name());
        assert!(run(backend.me()).is_ok(), "{}", rig.name());
    }
}

#[test]
fn a_question_that_is_missing_is_missing_from_the_capabilities_too() {
    for rig in rigs() {
        let target = rig.target();
        let caps = target.outward.caps();
        let Some(backend) = target.backend else { continue };
        let now = midwatch::io::clock::now();
        let answers = [
            (Capability::ReadOnCall, run(backend.on_call(None)).is_ok()),
            (Capability::ReadPriorities, run(backend.priorities()).is_ok()),
            (Capability::ReadChanges, run(backend.changes(now - midwatch::domain::time::mins(60), now)).is_ok()),
        ];
        for (capability, answered) in answers {
            assert!(!answered || caps.why_not(capability).is_none(), "{} {capability:?}", rig.name());
            assert!(answered || caps.why_not(capability).is_some(), "{} {capability:?}", rig.name());
        }
    }
}

/// Bodies that no product should give, and some do.
fn hostile() -> Vec<(&'static str, Answer)> {
    let json = |body: &str| Answer { body: body.into(), ..Answer::json(200, &serde_json::Value::Null) };
    let junk = "{\"values\": null, \"x\": \"".to_owned() + &"\u{1b}[2J".repeat(1_200_000) + "\"}";
    let page = "<!doctype html><title>Sign in</title><form>".to_owned();
    vec![
        ("a login page", Answer { kind: "text/html".into(), body: page.clone(), ..Answer::empty(200) }),
        ("a login page that calls itself JSON", json(&page)),
        ("null", json("null")),
        ("a list of nothing", json("[null, 7, \"x\", {}, []]")),
        ("an empty object", json("{}")),
        ("half an object", json("{\"incidents\": [{\"id\": \"P1\"")),
        ("5 MB of terminal sequences", json(&junk)),
        ("nothing", json("")),
        (
            "a list of nulls",
            json(
                "{\"data\": {\"alerts\": {\"nodes\": [null, {\"alertID\": null}]}}, \"incidents\": [null, {\"id\": 7}], \
             \"values\": [null, {}], \"results\": [null, {\"id\": {}}]}",
            ),
        ),
    ]
}

#[test]
fn a_hostile_answer_is_a_fault_or_nothing_and_never_an_incident() {
    let count = rigs().len();
    let mut tried = 0;
    for n in 0..count {
        for (what, answer) in hostile() {
            let rig = rigs().swap_remove(n);
            let Some(backend) = rig.target().backend else { break };
            if !rig.always(answer.clone()) {
                break;
            }
            let name = format!("{}: {what}", rig.name());
            let list = run(backend.list());
            assert!(list.as_ref().is_ok_and(Vec::is_empty) || list.is_err(), "{name}: {list:?}");
            if answer.body.starts_with('<') {
                assert_eq!(list.unwrap_err().kind, FaultKind::LoginPage, "{name}");
            }
            assert!(run(backend.get("1")).is_err(), "{name}");
            let log = run(backend.log("1", None));
            assert!(log.as_ref().is_ok_and(Vec::is_empty) || log.is_err(), "{name}: {log:?}");
            drop((run(backend.on_call(None)), run(backend.priorities()), run(backend.alerts("1")), run(backend.me())));
            let intent = rig.intent(Capability::Acknowledge).unwrap();
            let at = midwatch::io::clock::now();
            let mut op = Operation::new("target".into(), intent, Class::Compare, at, "alice");
            op.id = "01970000-0000-7000-8000-00000000ffff".into();
            let outcome = run(rig.target().outward.apply(&op));
            assert!(!matches!(outcome, Outcome::Applied(_) | Outcome::Accepted(_)), "{name}: {outcome:?}");
            drop(run(rig.target().outward.look(&op)));
            tried += 1;
        }
    }
    assert!(tried > hostile().len(), "only {tried} were tried");
}
