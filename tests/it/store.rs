//! What every store must do, run on each of them alike; then what only the file does.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

use crate::fold::{BODIES, ID, REDACTION, body, declared, new, note};
use midwatch::domain::fault::FaultKind;
use midwatch::domain::ids::IncidentId;
use midwatch::domain::incident::event::{Body, Event, EventKey, NewEvent, Redaction};
use midwatch::domain::incident::state::Incident;
use midwatch::io::store::memory::Memory;
use midwatch::io::store::record::{Job, Record, RecordNews};
use midwatch::io::store::sqlite::Sqlite;
use midwatch::io::store::{RESOLVED_HEADS, Store};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;

/// A record with two handles, and another installation's record beside it.
struct Rig {
    one: Box<dyn Store>,
    two: Box<dyn Store>,
    far: Box<dyn Store>,
    _folder: TempDir,
}

fn rigs() -> Vec<(&'static str, Rig)> {
    let folder = tempfile::tempdir().unwrap();
    let (path, far) = (folder.path().join("a/midwatch.db"), folder.path().join("b/midwatch.db"));
    let open = |path: &Path| Box::new(Sqlite::open(path).unwrap()) as Box<dyn Store>;
    let sqlite = Rig { one: open(&path), two: open(&path), far: open(&far), _folder: folder };
    let memory = Memory::new("here".into());
    let memory = Rig {
        two: Box::new(memory.beside()),
        one: Box::new(memory),
        far: Box::new(Memory::new("far".into())),
        _folder: tempfile::tempdir().unwrap(),
    };
    vec![("memory", memory), ("sqlite", sqlite)]
}

fn id() -> IncidentId {
    IncidentId(ID.into())
}

fn once(mut event: NewEvent, key: &str) -> NewEvent {
    event.once = Some(key.into());
    event
}

fn texts(events: &[Event]) -> Vec<String> {
    let text = |e: &Event| match &e.body {
        Body::Note { text, .. } => text.clone(),
        other => other.kind().to_owned(),
    };
    events.iter().map(text).collect()
}

#[test]
fn what_is_appended_comes_back_as_it_was_told() {
    for (name, mut rig) in rigs() {
        let mut told = rig.one.append(vec![new(ID, 0, declared())]).unwrap();
        for kind in (1..BODIES).filter(|kind| *kind != REDACTION) {
            let keys: Vec<_> = told.iter().map(|e| e.key.clone()).collect();
            let batch = (0..3).map(|n| new(ID, i64::try_from(kind).unwrap(), body(kind, n, &keys))).collect();
            told.extend(rig.one.append(batch).unwrap());
        }
        let seqs: Vec<u64> = told.iter().map(|e| e.key.seq).collect();
        assert_eq!(seqs, (1..=u64::try_from(told.len()).unwrap()).collect::<Vec<_>>(), "{name}");
        assert!(told.windows(2).all(|w| w[0].order < w[1].order), "{name}");
        for store in [&mut rig.one, &mut rig.two] {
            assert_eq!(store.events(&id()).unwrap(), told, "{name}");
            assert_eq!(store.heads().unwrap(), vec![Incident::fold(&told).unwrap()], "{name}");
            assert_eq!(store.verify().unwrap(), Vec::<String>::new(), "{name}");
        }
        assert_eq!(rig.far.events(&id()).unwrap(), vec![], "{name}");
        assert_ne!(rig.far.origin(), rig.one.origin(), "{name}");
    }
}

#[test]
fn two_handles_share_numbers_orders_and_the_chain() {
    for (name, mut rig) in rigs() {
        rig.one.append(vec![new(ID, 0, declared())]).unwrap();
        for n in 1..20 {
            let writer = if n % 2 == 0 { &mut rig.one } else { &mut rig.two };
            let told = writer.append(vec![new(ID, n, note(&n.to_string()))]).unwrap();
            let n = u64::try_from(n).unwrap();
            assert_eq!((told[0].key.seq, told[0].order), (n + 1, n + 1), "{name}");
            if n % 5 == 0 {
                assert_eq!(rig.one.heads().unwrap(), rig.two.heads().unwrap(), "{name}");
            }
        }
        assert_eq!(rig.one.heads().unwrap()[0].events, 20, "{name}");
        assert_eq!(rig.two.verify().unwrap(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn news_are_what_others_wrote_in_their_order_and_once() {
    for (name, mut rig) in rigs() {
        rig.one.append(vec![new(ID, 0, declared())]).unwrap();
        assert_eq!(texts(&rig.two.news().unwrap()), ["declared"], "{name}");
        rig.one.append(vec![new(ID, 1, note("one"))]).unwrap();
        rig.two.append(vec![new(ID, 2, note("two"))]).unwrap();
        rig.one.append(vec![new(ID, 3, note("three")), new(ID, 4, note("four"))]).unwrap();
        assert_eq!(texts(&rig.two.news().unwrap()), ["one", "three", "four"], "{name}");
        assert_eq!(texts(&rig.one.news().unwrap()), ["two"], "{name}");
        for store in [&mut rig.one, &mut rig.two] {
            assert_eq!(store.news().unwrap(), vec![], "{name}");
        }
        rig.far.append(vec![new("INC-9", 5, note("far"))]).unwrap();
        rig.one.merge(rig.far.events(&"INC-9".into()).unwrap()).unwrap();
        assert_eq!(texts(&rig.two.news().unwrap()), ["far"], "{name}: what another handle merged is news too");
        assert_eq!(rig.one.news().unwrap(), vec![], "{name}");
    }
}

#[test]
fn a_key_is_held_once_per_incident() {
    for (name, mut rig) in rigs() {
        rig.one.append(vec![new(ID, 0, declared()), new("INC-2", 0, declared())]).unwrap();
        let first = rig.one.append(vec![once(new(ID, 1, note("due")), "timer:ack")]).unwrap();
        let again =
            rig.two.append(vec![once(new(ID, 2, note("due too")), "timer:ack"), new(ID, 2, note("mine"))]).unwrap();
        assert_eq!(again[0], first[0], "{name}");
        assert_eq!(texts(&again), ["due", "mine"], "{name}");
        let other = rig.two.append(vec![once(new("INC-2", 3, note("due")), "timer:ack")]).unwrap();
        assert_ne!(other[0].key, first[0].key, "{name}");
        let twice = vec![once(new(ID, 4, note("a")), "k"), once(new(ID, 4, note("b")), "k")];
        assert_eq!(texts(&rig.one.append(twice).unwrap()), ["a", "a"], "{name}: inside one batch");
        assert_eq!(rig.one.verify().unwrap(), Vec::<String>::new(), "{name}");
        assert_eq!(rig.one.events(&id()).unwrap().len(), 4, "{name}");
    }
}

#[test]
fn a_taken_id_renames_the_whole_batch_and_those_behind_it() {
    for (name, mut rig) in rigs() {
        let ids = |events: &[Event]| events.iter().map(|e| e.incident.0.clone()).collect::<Vec<_>>();
        let batch = || vec![new(ID, 0, declared()), new(ID, 0, note("first")), new("INC-7", 0, note("other"))];
        assert_eq!(ids(&rig.one.append(batch()).unwrap()), [ID, ID, "INC-7"], "{name}");
        let second = format!("{ID}-2");
        assert_eq!(ids(&rig.two.append(batch()).unwrap()), [&second, &second, "INC-7"], "{name}");
        let third = rig.one.append_all(vec![batch(), vec![new(ID, 1, note("typed before the answer came"))]]).unwrap();
        assert_eq!(ids(&third.concat()), [&format!("{ID}-3"), &format!("{ID}-3"), "INC-7", &format!("{ID}-3")]);
        let mut suffixed = batch();
        suffixed[0].incident = IncidentId(second.clone());
        assert_eq!(ids(&rig.one.append(suffixed).unwrap())[0], format!("{ID}-4"), "{name}");
        let auto = || vec![once(new("INC-8", 2, declared()), "alert:1")];
        assert_eq!(rig.one.append(auto()).unwrap(), rig.two.append(auto()).unwrap(), "{name}: declared once for all");
        let mut heads: Vec<String> = rig.one.heads().unwrap().into_iter().map(|i| i.id.0).collect();
        heads.sort();
        let want: Vec<String> =
            ["", "-2", "-3", "-4"].iter().map(|x| format!("{ID}{x}")).chain(["INC-8".into()]).collect();
        assert_eq!(heads, want, "{name}");
    }
}

#[test]
fn pages_cover_the_log_without_a_gap() {
    for (name, mut rig) in rigs() {
        rig.one.append(vec![new(ID, 0, declared())]).unwrap();
        rig.far.merge(rig.one.events(&id()).unwrap()).unwrap();
        // Both write the same orders without hearing of each other.
        for n in 1..50 {
            rig.one.append(vec![new(ID, n, note("here"))]).unwrap();
            rig.far.append(vec![new(ID, n, note("far"))]).unwrap();
        }
        rig.one.merge(rig.far.events(&id()).unwrap()).unwrap();
        let all = rig.one.events(&id()).unwrap();
        assert_eq!(all.len(), 99);
        for limit in [1, 7, 10, 98, 200] {
            let (mut got, mut before) = (Vec::new(), None);
            loop {
                let page = rig.one.tail(&id(), before, limit).unwrap();
                let Some(oldest) = page.first() else { break };
                before = Some(oldest.order);
                got.splice(0..0, page);
            }
            assert_eq!(got, all, "{name} {limit}");
        }
        assert_eq!(rig.one.tail(&id(), Some(0), 5).unwrap(), vec![], "{name}");
        assert_eq!(rig.one.tail(&"none".into(), None, 5).unwrap(), vec![], "{name}");
        assert!(rig.one.tail(&id(), None, 0).unwrap().is_empty(), "{name}");
    }
}

#[test]
fn heads_are_the_open_ones_and_the_newest_resolved() {
    for (name, mut rig) in rigs() {
        let many = RESOLVED_HEADS + 20;
        let batches = (0..many).map(|n| {
            let incident = format!("INC-{n:04}");
            let second = i64::try_from(n).unwrap();
            let mut batch = vec![new(&incident, second, declared())];
            if n % 7 != 0 {
                batch.push(new(&incident, second + 1, Body::Resolved { summary: "x".into() }));
            }
            batch
        });
        rig.one.append_all(batches.collect()).unwrap();
        let heads = rig.two.heads().unwrap();
        let open = heads.iter().filter(|i| i.is_open()).count();
        assert_eq!((open, heads.len() - open), (many.div_ceil(7), RESOLVED_HEADS), "{name}");
        assert!(heads.windows(2).all(|w| w[0].times.declared > w[1].times.declared), "{name}: newest first");
        assert_eq!(heads, rig.one.heads().unwrap(), "{name}");
    }
}

#[test]
fn a_merge_takes_what_is_new_and_refuses_what_contradicts() {
    for (name, mut rig) in rigs() {
        rig.one.append(vec![new(ID, 0, declared()), new(ID, 1, note("here"))]).unwrap();
        rig.far.merge(rig.one.events(&id()).unwrap()).unwrap();
        rig.far.append(vec![new(ID, 2, Body::SeveritySet { to: "SEV1".into(), reason: "worse".into() })]).unwrap();
        for n in 0..5 {
            rig.one.append(vec![new(ID, 3 + n, note("later"))]).unwrap();
        }
        let far = rig.far.events(&id()).unwrap();
        assert_eq!(rig.one.merge(far.clone()), Ok(1), "{name}");
        assert_eq!(rig.one.merge(far.clone()), Ok(0), "{name}");
        let all = rig.one.events(&id()).unwrap();
        assert_eq!(rig.two.heads().unwrap(), vec![Incident::fold(&all).unwrap()], "{name}: it came in between");
        assert_eq!(rig.far.merge(all.clone()), Ok(5), "{name}");
        assert_eq!(rig.far.heads().unwrap(), rig.one.heads().unwrap(), "{name}");
        assert_eq!(rig.far.verify().unwrap(), Vec::<String>::new(), "{name}");

        let mut forged = far.last().unwrap().clone();
        forged.actor = "mallory".into();
        let mut good = far[0].clone();
        good.key.seq = 999;
        assert_eq!(rig.one.merge(vec![good, forged]).unwrap_err().kind, FaultKind::Rejected, "{name}");
        for hostile in [(u64::MAX, 1), (1, u64::MAX), (0, 1)] {
            let mut event = far[0].clone();
            (event.key.seq, event.order) = hostile;
            assert_eq!(rig.one.merge(vec![event]).unwrap_err().kind, FaultKind::Malformed, "{name}");
        }
        assert_eq!(rig.one.events(&id()).unwrap(), all, "{name}: a refused merge leaves nothing behind");
        let next = rig.one.append(vec![new(ID, 20, note("after"))]).unwrap();
        assert!(all.iter().all(|e| e.order < next[0].order), "{name}");
    }
}

/// Every file of a folder as one text.
fn bytes(folder: &Path) -> String {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    String::from_utf8_lossy(&files.collect::<Vec<_>>().concat()).into_owned()
}

fn redact(of: &Event, why: &str) -> Body {
    Body::Redacted(Redaction::of(of.key.clone(), why.into()))
}

#[test]
fn a_text_leaves_the_record_and_the_chain_holds() {
    for (name, mut rig) in rigs() {
        let secret = Body::ActionItem { text: "rotate hunter2-SECRET".into(), owner: None, due: None, does: None };
        let told = rig.one.append(vec![new(ID, 0, declared()), new(ID, 1, secret), new(ID, 2, note("after"))]).unwrap();
        rig.one.append(vec![new(ID, 3, redact(&told[1], "a password"))]).unwrap();
        for store in [&mut rig.one, &mut rig.two] {
            let events = store.events(&id()).unwrap();
            assert!(!format!("{events:?}").contains("SECRET"), "{name}");
            assert_eq!((&events[1].hash, &events[1].key), (&told[1].hash, &told[1].key), "{name}");
            assert!(matches!(&events[1].body, Body::ActionItem { text, .. } if text == "[redacted]"), "{name}");
            let heads = store.heads().unwrap();
            assert_eq!(heads, vec![Incident::fold(&events).unwrap()], "{name}");
            assert!(!format!("{heads:?}").contains("SECRET"), "{name}");
            let seen = store.examine(Some(&id())).unwrap();
            assert_eq!((seen.events, seen.findings.len()), (4, 0), "{name}: {:?}", seen.findings);
            assert_eq!((seen.redactions[0].by.as_str(), seen.redactions[0].done), ("midwatch", true), "{name}");
        }
        let again = rig.two.append(vec![new(ID, 4, redact(&told[1], "again")), new(ID, 5, note("goes on"))]).unwrap();
        assert_eq!(again.len(), 2, "{name}");
        // What is not here, and what has no text, takes nothing out and is told so.
        let nothing = EventKey { origin: "x".into(), seq: 7 };
        rig.one.append(vec![new(ID, 6, Body::Redacted(Redaction::of(nothing, "gone".into())))]).unwrap();
        let seen = rig.one.examine(None).unwrap();
        assert_eq!(seen.findings, vec![], "{name}");
        assert_eq!(seen.redactions.iter().filter(|r| r.done).count(), 2, "{name}");
    }
}

#[test]
fn copies_learn_of_a_redaction_whichever_way_they_hear() {
    for (name, mut rig) in rigs() {
        let told = rig.one.append(vec![new(ID, 0, declared()), new(ID, 1, note("hunter2-SECRET"))]).unwrap();
        rig.far.merge(told.clone()).unwrap();
        rig.one.append(vec![new(ID, 2, redact(&told[1], "a password"))]).unwrap();
        let ours = rig.one.events(&id()).unwrap();
        // The copy has the text and hears of the redaction alone.
        assert_eq!(rig.far.merge(vec![ours[2].clone()]), Ok(1), "{name}");
        assert_eq!(rig.far.events(&id()).unwrap(), ours, "{name}");
        assert_eq!(rig.far.verify().unwrap(), Vec::<String>::new(), "{name}");
        // A third one sends the text again: it does not come back, neither here nor there.
        for store in [&mut rig.one, &mut rig.far] {
            assert_eq!(store.merge(told.clone()), Ok(0), "{name}");
            assert_eq!(store.events(&id()).unwrap(), ours, "{name}");
        }
        // One who has only the redaction gets the text afterwards, and does not keep it.
        let mut late = Memory::new("late".into());
        late.merge(vec![ours[0].clone(), ours[2].clone()]).unwrap();
        late.merge(told.clone()).unwrap();
        assert_eq!(late.events(&id()).unwrap(), ours, "{name}");
        // Another body under the same hash is a forgery, redaction or not.
        let mut forged = told[1].clone();
        forged.actor = "mallory".into();
        assert!(rig.one.merge(vec![forged]).is_err(), "{name}");
    }
}

#[test]
fn no_byte_of_a_redacted_text_is_left_in_the_folder() {
    let (_folder, path) = file();
    let folder = path.parent().unwrap();
    let mut store = Sqlite::open(&path).unwrap();
    let mut other = Sqlite::open(&path).unwrap();
    let batch = |n: i64| (0..40).map(move |k| new(ID, n * 40 + k, note(&format!("filler {n} {k}"))));
    let secret = Body::ActionItem { text: "hunter2-SECRET".into(), owner: None, due: None, does: None };
    let told =
        store.append([new(ID, 0, declared()), new(ID, 1, secret)].into_iter().chain(batch(1)).collect()).unwrap();
    for n in 2..8 {
        other.append(batch(n).collect()).unwrap();
    }
    assert!(bytes(folder).contains("hunter2-SECRET"));
    store.append(vec![new(ID, 400, redact(&told[1], "a password"))]).unwrap();
    assert!(!bytes(folder).contains("hunter2"), "free pages, log and kept states");
    assert!(!folder.join("midwatch.db-scrub").exists());
    assert_eq!(other.events(&id()).unwrap().len(), 2 + 40 * 7 + 1, "another handle reads on");
    other.append(vec![new(ID, 500, note("and writes on"))]).unwrap();
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}

#[test]
fn a_reader_in_the_way_is_told_and_the_file_is_written_anew_later() {
    let (_folder, path) = file();
    let folder = path.parent().unwrap();
    let mut store = Sqlite::open(&path).unwrap();
    let told = store.append(vec![new(ID, 0, declared()), new(ID, 1, note("hunter2-SECRET"))]).unwrap();
    let reader = rusqlite::Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM event").unwrap();
    let _: i64 = reader.query_row("SELECT count(*) FROM event", [], |row| row.get(0)).unwrap();
    store.append(vec![new(ID, 2, redact(&told[1], "a password"))]).unwrap();
    let findings = store.verify().unwrap();
    assert!(findings.len() == 1 && findings[0].contains("free pages"), "{findings:?}");
    drop(reader);
    drop(store);
    let mut store = Sqlite::open(&path).unwrap();
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
    assert!(!bytes(folder).contains("hunter2"));
}

#[test]
fn rows_come_in_the_order_of_their_arrival() {
    for (name, mut rig) in rigs() {
        rig.one
            .append(
                (0..7)
                    .map(|n| if n == 0 { new(ID, 0, declared()) } else { new(ID, n, note(&n.to_string())) })
                    .collect(),
            )
            .unwrap();
        let mut row = 0;
        let mut seen = Vec::new();
        loop {
            let page = rig.two.since(row, 3).unwrap();
            let Some((last, _)) = page.last() else { break };
            assert!(page.windows(2).all(|w| w[0].0 < w[1].0) && page[0].0 > row, "{name}");
            row = *last;
            seen.extend(page.into_iter().map(|(_, event)| event));
        }
        assert_eq!(seen, rig.one.events(&id()).unwrap(), "{name}");
    }
}

#[test]
fn events_before_their_declaration_are_kept() {
    for (name, mut rig) in rigs() {
        rig.one.append(vec![new(ID, 0, note("early"))]).unwrap();
        assert_eq!(rig.one.heads().unwrap(), vec![], "{name}");
        let mut late = rig.far.append(vec![new(ID, 1, declared())]).unwrap();
        late[0].order = 9;
        rig.one.merge(late).unwrap();
        rig.one.append(vec![new(ID, 2, Body::Acknowledged)]).unwrap();
        assert_eq!(rig.two.heads().unwrap().len(), 1, "{name}");
        assert_eq!(rig.two.events(&id()).unwrap().len(), 3, "{name}");
    }
}

#[test]
fn an_append_of_nothing_is_nothing() {
    for (name, mut rig) in rigs() {
        assert_eq!(rig.one.append(vec![]), Ok(vec![]), "{name}");
        assert_eq!(rig.one.append_all(vec![vec![], vec![]]), Ok(vec![vec![], vec![]]), "{name}");
        assert_eq!(rig.one.reopen(), Ok(None), "{name}");
        assert_eq!(rig.one.append(vec![new(ID, 0, declared())]).unwrap().len(), 1, "{name}");
    }
}

// ---- the file ----

fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/midwatch.db");
    (folder, path)
}

#[test]
fn a_record_survives_being_closed_and_keeps_its_name() {
    let (_folder, path) = file();
    let mut store = Sqlite::open(&path).unwrap();
    let origin = store.origin().clone();
    let told = store.append(vec![new(ID, 0, declared()), new(ID, 1, note("kept"))]).unwrap();
    drop(store);
    let mut store = Sqlite::open(&path).unwrap();
    assert_eq!((store.events(&id()).unwrap(), store.origin()), (told, &origin));
    assert_eq!(store.news().unwrap(), vec![], "what was there when it was opened is not news");
    drop(store);
    let copy = path.with_file_name("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    let mut copied = Sqlite::open(&copy).unwrap();
    assert_ne!(copied.origin(), &origin, "a copy does not count on under the same name");
    copied.append(vec![new(ID, 2, note("elsewhere"))]).unwrap();
    assert_eq!(copied.verify().unwrap(), Vec::<String>::new());
}

#[test]
fn files_and_folders_are_private() {
    let (_folder, path) = file();
    let mut store = Sqlite::open(&path).unwrap();
    store.append(vec![new(ID, 0, declared())]).unwrap();
    let mode = |p: &Path| p.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let files: Vec<PathBuf> = std::fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(files.len(), 3, "the file, its log and their index: {files:?}");
    assert!(files.iter().all(|f| mode(f) == 0o600));
    drop(store);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    Sqlite::open(&path).unwrap();
    assert_eq!(mode(&path), 0o600, "a file that was opened up is closed again");
}

#[test]
fn a_newer_and_a_foreign_file_are_refused_untouched() {
    for (sql, word) in [
        ("PRAGMA application_id = 1836540276; PRAGMA user_version = 99; CREATE TABLE t (x)", "newer"),
        ("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)", "another program"),
    ] {
        let (_folder, path) = file();
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let before = std::fs::read(&path).unwrap();
        let fault = Sqlite::open(&path).unwrap_err();
        assert!(fault.detail.contains(word) && fault.detail.contains("not touched"), "{fault}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}

#[test]
fn heads_are_folded_anew_when_they_are_missing_old_or_unreadable() {
    for damage in [
        "DELETE FROM head",
        "UPDATE head SET version = 'older'",
        "UPDATE head SET state = '{'",
        "UPDATE head SET state = '', version = ''",
    ] {
        let (_folder, path) = file();
        let mut store = Sqlite::open(&path).unwrap();
        let told = store.append(vec![new(ID, 0, declared()), new(ID, 1, Body::Acknowledged)]).unwrap();
        rusqlite::Connection::open(&path).unwrap().execute_batch(damage).unwrap();
        assert_eq!(store.heads().unwrap(), vec![Incident::fold(&told).unwrap()], "{damage}");
        rusqlite::Connection::open(&path).unwrap().execute_batch(damage).unwrap();
        let more = store.append(vec![new(ID, 2, note("x"))]).unwrap();
        let all: Vec<Event> = told.into_iter().chain(more).collect();
        assert_eq!(store.heads().unwrap(), vec![Incident::fold(&all).unwrap()], "{damage}");
    }
}

/// The head of a large incident is not written at every event; what it lags behind is read from the events.
#[test]
fn a_large_state_lags_and_is_still_exact() {
    let (_folder, path) = file();
    let mut store = Sqlite::open(&path).unwrap();
    let mut all = store.append(vec![new(ID, 0, declared())]).unwrap();
    for n in 0..120 {
        let item = Body::ActionItem { text: "x".repeat(1_000), owner: None, due: None, does: None };
        all.extend(store.append(vec![new(ID, n, item)]).unwrap());
        let want = vec![Incident::fold(&all).unwrap()];
        assert_eq!(store.heads().unwrap(), want);
        assert_eq!(Sqlite::open(&path).unwrap().heads().unwrap(), want);
    }
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
    let kept: i64 = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row("SELECT json_extract(state, '$.events') FROM head", [], |row| row.get(0))
        .unwrap();
    assert!(kept < 121, "the rule under test was not used");
    all.extend(store.append(vec![new(ID, 200, Body::Resolved { summary: "x".into() })]).unwrap());
    assert!(!store.heads().unwrap()[0].is_open());
}

#[test]
fn verify_names_what_was_changed_behind_our_back() {
    for (sql, word) in [
        ("UPDATE event SET body = replace(body, 'note 3', 'note X') WHERE seq = 4", "event 4 of"),
        ("UPDATE event SET recorded_at = 'yesterday' WHERE seq = 4", "event 4 of"),
        ("UPDATE event SET body = '{' WHERE seq = 4", "event 4 of"),
        ("DELETE FROM event WHERE seq = 4", "missing"),
        ("DELETE FROM event WHERE seq = 10", "ends at event 10"),
        ("DELETE FROM chain", "end of the chain"),
        ("UPDATE head SET state = replace(state, 'api 5xx', 'nothing')", "kept state"),
    ] {
        let (_folder, path) = file();
        let mut store = Sqlite::open(&path).unwrap();
        let batch = (1..10).map(|n| new(ID, n, note(&format!("note {n}"))));
        let told = store.append([new(ID, 0, declared())].into_iter().chain(batch).collect()).unwrap();
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let findings = store.verify().unwrap();
        assert!(findings.iter().any(|f| f.contains(word)), "{sql}: {findings:?}");
        let left = store.events(&id()).unwrap();
        let whole = left.iter().filter(|e| told.contains(e)).count();
        assert!(whole >= 9, "{sql}: damage stays local, {whole} left");
    }
}

// ---- the record thread ----

fn record(path: &Path) -> (Record, mpsc::Receiver<RecordNews>) {
    let (tell, news) = mpsc::channel();
    let path = path.to_owned();
    let open = move || Ok(Box::new(Sqlite::open(&path)?) as Box<dyn Store>);
    let tell = move |n| {
        let _: Result<(), _> = tell.send(n);
    };
    (Record::start(open, tell).unwrap(), news)
}

fn next(news: &mpsc::Receiver<RecordNews>) -> RecordNews {
    news.recv_timeout(Duration::from_secs(20)).expect("the record thread told nothing")
}

#[test]
fn the_thread_answers_every_job_in_order() {
    let (_folder, path) = file();
    let (record, news) = record(&path);
    assert!(matches!(next(&news), RecordNews::Opened { .. }));
    record.send(Job::Load).unwrap();
    assert_eq!(next(&news), RecordNews::Loaded(vec![]));
    record.send(Job::Append(1, vec![new(ID, 0, declared())])).unwrap();
    for n in 2..=300 {
        record.send(Job::Append(n, vec![new(ID, 1, note(&n.to_string()))])).unwrap();
    }
    record.send(Job::Page { ticket: 7, incident: id(), before: Some(3), limit: 9 }).unwrap();
    record.send(Job::All { ticket: 8, incident: id() }).unwrap();
    record.send(Job::Load).unwrap();
    for n in 1..=300 {
        match next(&news) {
            RecordNews::Saved(ticket, events) => assert_eq!((ticket, events[0].key.seq, events.len()), (n, n, 1)),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(next(&news), RecordNews::Page(7, page) if page.len() == 2));
    assert!(matches!(next(&news), RecordNews::All(8, all) if all.len() == 300));
    match next(&news) {
        RecordNews::Loaded(loaded) => assert_eq!((loaded.len(), loaded[0].1.len(), loaded[0].0.events), (1, 200, 300)),
        other => panic!("{other:?}"),
    }
    assert!(record.stop(Duration::from_secs(20)));
    assert!(news.try_recv().is_err(), "nothing is told after the end");
}

#[test]
fn the_thread_tells_what_others_wrote() {
    let (_folder, path) = file();
    let (one, news) = record(&path);
    assert!(matches!(next(&news), RecordNews::Opened { .. }));
    let mut other = Sqlite::open(&path).unwrap();
    let told = other.append(vec![new(ID, 0, declared())]).unwrap();
    assert_eq!(next(&news), RecordNews::Others(told));
    assert!(one.stop(Duration::from_secs(20)));
}

#[test]
fn a_store_that_cannot_be_opened_answers_every_job_with_why() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let (record, news) = record(&blocked.join("midwatch.db"));
    assert!(matches!(next(&news), RecordNews::Failed(_)));
    record.send(Job::Append(4, vec![new(ID, 0, declared())])).unwrap();
    record.send(Job::Load).unwrap();
    assert!(matches!(next(&news), RecordNews::NotSaved(4, _)));
    assert!(matches!(next(&news), RecordNews::Failed(_)));
    assert!(record.stop(Duration::from_secs(20)));
}
