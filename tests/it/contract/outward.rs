//! The contract of every write: one effect per operation whatever the network does, and an outcome that is true.

use super::{Rig, Trouble, rigs, run};
use midwatch::domain::outward::capability::{Can, Capability, Class};
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::{Found, Obstacle, Outcome};
use std::sync::atomic::{AtomicU32, Ordering};

fn operation(rig: &dyn Rig, capability: Capability, class: Class) -> Operation {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let intent = rig.intent(capability).unwrap();
    assert_eq!(intent.capability(), capability, "{}", rig.name());
    // A real one: the contract runs on servers that compare with their clock.
    let at = midwatch::io::clock::now();
    let mut op = Operation::new("target".into(), intent, class, at, "alice");
    op.id = format!("01970000-0000-7000-8000-{:012}", NEXT.fetch_add(1, Ordering::SeqCst)).as_str().into();
    op
}

/// Every write that every target can do, on a fresh server each.
fn each(check: impl Fn(&dyn Rig, Capability, Class)) {
    let count = rigs().len();
    let mut checked = 0;
    for n in 0..count {
        let caps = rigs()[n].target().outward.caps();
        for capability in Capability::ALL.iter().filter(|c| !c.reads()) {
            if let Some(class) = caps.class(*capability) {
                let rig = rigs().swap_remove(n);
                check(rig.as_ref(), *capability, class);
                checked += 1;
            }
        }
    }
    assert!(checked > count, "hardly anything was checked");
}

fn apply(rig: &dyn Rig, op: &Operation) -> Outcome {
    run(rig.target().outward.apply(op))
}

fn what(rig: &dyn Rig, capability: Capability) -> String {
    format!("{} {}", rig.name(), capability.word())
}

#[test]
fn a_write_is_carried_out_once_and_says_so() {
    each(|rig, capability, class| {
        let op = operation(rig, capability, class);
        let outcome = apply(rig, &op);
        let good = matches!(outcome, Outcome::Applied(_) | Outcome::Accepted(_));
        assert!(good, "{}: {outcome:?}", what(rig, capability));
        assert_eq!(rig.effects(&op), 1, "{}", what(rig, capability));
    });
}

#[test]
fn what_may_be_repeated_has_one_effect_however_often_it_is_sent() {
    each(|rig, capability, class| {
        if !matches!(class, Class::Repeat | Class::RepeatWithKey) {
            return;
        }
        let op = operation(rig, capability, class);
        for _ in 0..3 {
            let outcome = apply(rig, &op);
            let good = matches!(outcome, Outcome::Applied(_) | Outcome::AlreadyDone(_) | Outcome::Accepted(_));
            assert!(good, "{}: {outcome:?}", what(rig, capability));
        }
        assert_eq!(rig.effects(&op), 1, "{}", what(rig, capability));
    });
}

#[test]
fn what_may_be_repeated_survives_a_proxy_that_delivers_twice() {
    each(|rig, capability, class| {
        if !matches!(class, Class::Repeat | Class::RepeatWithKey) || !rig.trouble(Trouble::Duplicate) {
            return;
        }
        let op = operation(rig, capability, class);
        let outcome = apply(rig, &op);
        let good = matches!(outcome, Outcome::Applied(_) | Outcome::AlreadyDone(_) | Outcome::Accepted(_));
        assert!(good, "{}: {outcome:?}", what(rig, capability));
        assert_eq!(rig.effects(&op), 1, "{}", what(rig, capability));
    });
}

#[test]
fn a_lost_answer_is_unknown_and_a_look_settles_what_is_looked_up() {
    for (trouble, done) in [(Trouble::LostReply, true), (Trouble::LostRequest, false)] {
        each(|rig, capability, class| {
            if !rig.trouble(trouble) {
                return;
            }
            let op = operation(rig, capability, class);
            let outcome = apply(rig, &op);
            assert!(matches!(outcome, Outcome::Unknown { .. }), "{}: {trouble:?}: {outcome:?}", what(rig, capability));
            assert_eq!(rig.effects(&op), usize::from(done), "{}", what(rig, capability));
            if class != Class::Compare {
                return;
            }
            let found = run(rig.target().outward.look(&op));
            match done {
                true => assert!(matches!(found, Found::Done(_)), "{}: {found:?}", what(rig, capability)),
                false => {
                    assert_eq!(found, Found::Absent, "{}", what(rig, capability));
                    let again = apply(rig, &op);
                    assert!(matches!(again, Outcome::Applied(_) | Outcome::Accepted(_)), "{again:?}");
                }
            }
            assert_eq!(rig.effects(&op), 1, "{}", what(rig, capability));
        });
    }
}

#[test]
fn a_slow_answer_ends_in_time_as_unknown() {
    each(|rig, capability, class| {
        // One write of each class is enough: every one of them waits for the whole limit.
        let first = Capability::ALL
            .iter()
            .filter(|c| !c.reads())
            .find(|c| rig.target().outward.caps().class(**c) == Some(class));
        if first != Some(&capability) || !rig.trouble(Trouble::Slow) {
            return;
        }
        let op = operation(rig, capability, class);
        let outcome = apply(rig, &op);
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{}: {outcome:?}", what(rig, capability));
        assert_eq!(rig.effects(&op), 1, "{}", what(rig, capability));
    });
}

#[test]
fn what_a_server_declined_was_not_done_and_says_why() {
    let expected: [(Trouble, Obstacle, Option<u64>); 5] = [
        (Trouble::RateLimited(7), Obstacle::RateLimited, Some(7)),
        (Trouble::RateLimitedBare, Obstacle::RateLimited, None),
        (Trouble::TooLong, Obstacle::TooLarge, None),
        (Trouble::Auth, Obstacle::Auth, None),
        (Trouble::LoginPage, Obstacle::LoginPage, None),
    ];
    for (trouble, want, wait) in expected {
        each(|rig, capability, class| {
            if !rig.trouble(trouble) {
                return;
            }
            let op = operation(rig, capability, class);
            let outcome = apply(rig, &op);
            match &outcome {
                Outcome::NotDone { kind, wait_ms, .. } => {
                    assert_eq!(*kind, want, "{}", what(rig, capability));
                    assert!(want.passing(), "{}: {outcome:?}", what(rig, capability));
                    // An instant as a hint is cut to whole seconds on its way.
                    let waits = wait_ms.map(|ms| ms.div_ceil(1_000));
                    assert!(waits == wait || waits == wait.map(|w| w - 1), "{}: {waits:?}", what(rig, capability));
                }
                Outcome::Refused { kind, .. } => {
                    assert_eq!(*kind, want, "{}", what(rig, capability));
                    assert!(!want.passing(), "{}: {outcome:?}", what(rig, capability));
                }
                other => panic!("{}: {trouble:?}: {other:?}", what(rig, capability)),
            }
            assert_eq!(rig.effects(&op), 0, "{}", what(rig, capability));
        });
    }
}

#[test]
fn what_changed_there_is_a_conflict_and_is_not_overwritten() {
    each(|rig, capability, class| {
        let op = operation(rig, capability, class);
        if !rig.disturb(&op) {
            return;
        }
        let outcome = apply(rig, &op);
        let good = matches!(outcome, Outcome::Conflict { .. } | Outcome::AlreadyDone(_));
        assert!(good, "{}: {outcome:?}", what(rig, capability));
        assert_eq!(rig.effects(&op), 0, "{}", what(rig, capability));
    });
}

#[test]
fn a_look_changes_nothing() {
    each(|rig, capability, class| {
        let op = operation(rig, capability, class);
        let found = run(rig.target().outward.look(&op));
        let honest = matches!(found, Found::Absent | Found::NoWay | Found::Conflict { .. });
        assert!(honest, "{}: {found:?}", what(rig, capability));
        assert_eq!(rig.effects(&op), 0, "{}", what(rig, capability));
    });
}

#[test]
fn what_it_cannot_do_it_refuses_with_a_reason_and_sends_nothing() {
    for rig in rigs() {
        let target = rig.target();
        let caps = target.outward.caps();
        for other in rigs() {
            for capability in Capability::ALL.iter().filter(|c| caps.class(**c).is_none() && !c.reads()) {
                let Some(intent) = other.intent(*capability) else { continue };
                let at = midwatch::io::clock::now();
                let mut op = Operation::new("target".into(), intent, Class::AskPerson, at, "alice");
                op.id = "01970000-0000-7000-8000-ffffffffffff".into();
                let outcome = run(target.outward.apply(&op));
                assert!(matches!(outcome, Outcome::Refused { .. }), "{} {capability:?}: {outcome:?}", rig.name());
                assert_eq!(rig.effects(&op), 0, "{}", rig.name());
                assert!(!caps.why_not(*capability).unwrap().is_empty());
            }
        }
    }
}

#[test]
fn read_only_takes_every_write_away() {
    each(|rig, capability, class| {
        let op = operation(rig, capability, class);
        let target = rig.read_only();
        assert!(matches!(target.outward.caps().of(capability), Can::No(..)), "{}", what(rig, capability));
        let outcome = run(target.outward.apply(&op));
        assert!(matches!(outcome, Outcome::Refused { .. }), "{}: {outcome:?}", what(rig, capability));
        assert_eq!(rig.effects(&op), 0, "{}", what(rig, capability));
    });
}
