//! The contract of the questions to an incident backend.

use super::{rigs, run};
use midwatch::domain::outward::backend::BackendStatus;
use midwatch::domain::outward::capability::Capability;

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
