//! The outbox in the record: written with its event, claimed by one, and told in the same transaction; on every store.

use crate::fold::{ID, declared, new, operation, time};
use midwatch::domain::ids::IncidentId;
use midwatch::domain::incident::event::{Body, Event};
use midwatch::domain::incident::stepped::Stepped;
use midwatch::domain::outward::entry::{Ending, Entry, Lease, State, Step};
use midwatch::domain::outward::operation::OpId;
use midwatch::domain::outward::outcome::{Outcome, Reference};
use midwatch::io::store::ledger::Until;
use midwatch::io::store::memory::Memory;
use midwatch::io::store::sqlite::Sqlite;
use midwatch::io::store::{OwnClock, Store};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Two handles on one record, and the machine's own clock.
struct Rig {
    name: &'static str,
    one: Box<dyn Store>,
    two: Box<dyn Store>,
    clock: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

fn rigs() -> Vec<Rig> {
    let ticking = || {
        let ms = Arc::new(AtomicI64::new(0));
        let read = Arc::clone(&ms);
        let clock: OwnClock = Arc::new(move || Some(Until { boot: "b".into(), ms: read.load(Ordering::SeqCst) }));
        (ms, clock)
    };
    let folder = || tempfile::tempdir().unwrap();
    let (ms, clock) = ticking();
    let memory = Memory::new("here".into()).with_clock(clock);
    let two = Box::new(memory.beside());
    let first = Rig { name: "memory", one: Box::new(memory), two, clock: ms, _folder: folder() };
    let (ms, clock) = ticking();
    let place = folder();
    let path = place.path().join("midwatch.db");
    let one = Box::new(Sqlite::open_by(&path, clock.clone()).unwrap());
    let two = Box::new(Sqlite::open_by(&path, clock).unwrap());
    vec![first, Rig { name: "sqlite", one, two, clock: ms, _folder: place }]
}

fn queued(store: &mut dyn Store) -> OpId {
    let batch = vec![new(ID, 0, declared()), new(ID, 1, Body::Outgoing(Box::new(operation(1))))];
    let saved = store.append(batch).unwrap();
    let Body::Outgoing(op) = &saved[1].body else { panic!("{saved:?}") };
    assert_eq!(op.id.as_str(), saved[1].id, "the record gives the operation the id of its event");
    op.id.clone()
}

fn claim(holder: &str) -> Step {
    let lease = Lease { holder: holder.into(), since: time(10), until: time(30), look: false };
    Step::Claim { lease }
}

fn report(holder: &str, outcome: Outcome) -> Step {
    Step::Report { holder: holder.into(), at: time(12), outcome }
}

fn taken(stepped: Stepped) -> (Entry, Vec<Event>) {
    match stepped {
        Stepped::Taken(entry, events) => (*entry, events),
        Stepped::Refused(why, _) => panic!("{why}"),
    }
}

fn refused(stepped: Stepped) -> String {
    match stepped {
        Stepped::Refused(why, _) => why,
        Stepped::Taken(entry, _) => panic!("{entry:?}"),
    }
}

#[test]
fn an_operation_is_in_the_outbox_as_soon_as_its_event_is_on_disk_and_others_hear_of_it() {
    for mut rig in rigs() {
        let op = queued(rig.one.as_mut());
        for store in [&mut rig.one, &mut rig.two] {
            let news = store.outbox_news().unwrap();
            assert_eq!(news.iter().map(|e| &e.op.id).collect::<Vec<_>>(), [&op], "{}", rig.name);
            assert_eq!(news[0].state, State::Queued);
            assert_eq!(store.outbox_news().unwrap(), [], "{}: told once", rig.name);
            assert_eq!(store.outbox().unwrap(), news, "{}", rig.name);
        }
        assert_eq!(rig.one.verify().unwrap(), Vec::<String>::new(), "{}", rig.name);
    }
}

#[test]
fn of_two_that_claim_at_once_one_gets_on() {
    for mut rig in rigs() {
        let op = queued(rig.one.as_mut());
        let (entry, events) = taken(rig.one.step(&op, &claim("a"), "midwatch").unwrap());
        assert!(matches!(entry.state, State::Leased(_)) && events.is_empty());
        assert!(refused(rig.two.step(&op, &claim("b"), "midwatch").unwrap()).contains("a is at it"), "{}", rig.name);
        let other = report("b", Outcome::applied());
        assert!(!refused(rig.two.step(&op, &other, "midwatch").unwrap()).is_empty(), "{}", rig.name);
    }
}

#[test]
fn an_end_is_told_on_the_timeline_in_the_same_transaction() {
    for mut rig in rigs() {
        let op = queued(rig.one.as_mut());
        taken(rig.one.step(&op, &claim("a"), "midwatch").unwrap());
        let done = report("a", Outcome::Applied(Reference::id("M1")));
        let (entry, events) = taken(rig.one.step(&op, &done, "midwatch").unwrap());
        assert_eq!(entry.ended().map(Ending::word), Some("done"));
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert!(matches!(&event.body, Body::OutgoingOutcome { op: of, .. } if *of == op), "{event:?}");
        let id = IncidentId(ID.into());
        assert_eq!(rig.two.events(&id).unwrap().last(), Some(event), "{}", rig.name);
        let state = rig.two.heads().unwrap().remove(0);
        assert_eq!(state.outside[&op].end.as_ref().map(Ending::word), Some("done"), "{}", rig.name);
        // A second outcome of the same try changes nothing.
        let late = report("a", Outcome::Unknown { words: "late".into(), wait_ms: None });
        assert!(refused(rig.one.step(&op, &late, "midwatch").unwrap()).contains("it ended"), "{}", rig.name);
        assert_eq!(rig.one.verify().unwrap(), Vec::<String>::new(), "{}", rig.name);
    }
}

#[test]
fn a_lease_runs_out_by_the_machines_own_clock_whatever_the_time_of_day_says() {
    for mut rig in rigs() {
        let op = queued(rig.one.as_mut());
        taken(rig.one.step(&op, &claim("a"), "midwatch").unwrap());
        // The time of day jumped two hours ahead: nobody may take it away.
        let expire = Step::Expire { at: time(7_200) };
        assert!(refused(rig.two.step(&op, &expire, "midwatch").unwrap()).contains("still at it"), "{}", rig.name);
        // It was set back: twenty seconds are twenty seconds.
        rig.clock.store(20_000, Ordering::SeqCst);
        let expire = Step::Expire { at: time(-7_200) };
        let (entry, _) = taken(rig.two.step(&op, &expire, "midwatch").unwrap());
        assert!(entry.doubted && matches!(entry.state, State::Doubt { .. }), "{}: {entry:?}", rig.name);
        let late = report("a", Outcome::applied());
        assert!(!refused(rig.one.step(&op, &late, "midwatch").unwrap()).is_empty(), "{}", rig.name);
    }
}

#[test]
fn what_another_installation_wrote_is_on_the_timeline_and_is_never_sent_from_here() {
    let mut far = Memory::new("far".into());
    let op = queued(&mut far);
    taken(far.step(&op, &claim("a"), "midwatch").unwrap());
    let events = far.events(&IncidentId(ID.into())).unwrap();
    for mut rig in rigs() {
        rig.one.merge(events.clone()).unwrap();
        assert_eq!(rig.one.outbox().unwrap(), [], "{}", rig.name);
        assert!(rig.one.heads().unwrap()[0].outside.contains_key(&op), "{}", rig.name);
    }
}

#[test]
fn of_what_is_over_the_newest_are_given_and_of_what_is_not_everything() {
    for mut rig in rigs() {
        queued(rig.one.as_mut());
        for n in 0..130_u8 {
            let event = new(ID, i64::from(n), Body::Outgoing(Box::new(operation(n))));
            let saved = rig.one.append(vec![event]).unwrap();
            let drop = Step::Drop { at: time(i64::from(n)), by: "alice".into(), reason: "not wanted".into() };
            taken(rig.one.step(&saved[0].id.as_str().into(), &drop, "alice").unwrap());
        }
        let all = rig.two.outbox().unwrap();
        let open = all.iter().filter(|e| e.ended().is_none()).count();
        assert_eq!((open, all.len()), (1, 1 + midwatch::io::store::ENDED), "{}", rig.name);
    }
}

#[test]
fn a_record_of_the_schema_before_is_read_and_taken_along() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("midwatch.db");
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/records/schema-1.db"), &path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut store = Sqlite::open(&path).unwrap();
    let heads = store.heads().unwrap();
    let told: Vec<(&str, &str)> = heads.iter().map(|i| (i.title.as_str(), i.severity.0.as_str())).collect();
    assert_eq!(told, [("still open", "SEV3"), ("api 5xx", "SEV2")]);
    assert!(heads[1].times.acknowledged.is_some());
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
    assert_eq!(store.outbox().unwrap(), []);
    let open = heads[0].id.clone();
    let saved = store.append(vec![new(open.as_str(), 9, Body::Outgoing(Box::new(operation(1))))]).unwrap();
    assert_eq!(store.outbox().unwrap()[0].op.id.as_str(), saved[0].id);
    drop(store);
    let mut again = Sqlite::open(&path).unwrap();
    assert_eq!(again.outbox().unwrap().len(), 1);
    assert_eq!(again.verify().unwrap(), Vec::<String>::new());
}

#[test]
fn a_changed_row_of_the_outbox_shows_in_a_check() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("midwatch.db");
    let mut store = Sqlite::open(&path).unwrap();
    let op = queued(&mut store);
    let touch = |sql: &str| rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    touch("UPDATE outbox SET entry = replace(entry, 'text 1', 'pay mallory')");
    assert!(store.verify().unwrap()[0].contains("is not the one that was recorded"), "{:?}", store.verify());
    touch("UPDATE outbox SET entry = 'nonsense'");
    assert!(store.verify().unwrap()[0].contains("cannot be read; it is not sent"), "{:?}", store.verify());
    assert_eq!(store.outbox().unwrap(), []);
    let fault = store.step(&op, &claim("a"), "midwatch").unwrap_err();
    assert!(fault.to_string().contains("is not sent"), "{fault}");
}
