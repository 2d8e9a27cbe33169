//! The index over timelines and postmortems: what is found, what is alike, and that it follows the record in everything.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use crate::fold::{new, note};
use midwatch::domain::ids::IncidentId;
use midwatch::domain::incident::event::{Body, Event, NewEvent, NoteKind, Redaction};
use midwatch::domain::search::{Place, Question};
use midwatch::io::search::Index;
use midwatch::io::search::finder::{Finder, default_path};
use midwatch::io::store::Store;
use midwatch::io::store::memory::Memory;
use midwatch::io::store::sqlite::Sqlite;
use std::path::Path;

fn declared(id: &str, title: &str, service: &str) -> NewEvent {
    let body = Body::Declared {
        title: title.into(),
        severity: "SEV2".into(),
        service: Some(service.into()),
        detected_by: None,
        detected_at: None,
    };
    new(id, 0, body)
}

fn alert(id: &str, name: &str) -> NewEvent {
    let labels = [("service", "api")].into();
    let fingerprint = format!("f-{id}").as_str().into();
    let started_at = crate::fold::time(-60);
    new(id, 1, Body::AlertLinked { fingerprint, name: name.into(), labels, started_at })
}

fn said(id: &str, s: i64, sort: NoteKind, text: &str) -> NewEvent {
    new(id, s, Body::Note { sort, text: text.into() })
}

/// Four incidents: two of one cause, one of the same service, one of its own.
fn fill(store: &mut dyn Store) -> Vec<Event> {
    let (one, two, three, four) =
        ("INC-20260501-031204", "INC-20260502-031204", "INC-20260503-031204", "INC-20260504-031204");
    let mut events = vec![
        declared(one, "Checkout slow", "api"),
        alert(one, "HighLatency"),
        said(one, 3, NoteKind::Finding, "connection pool saturated on checkout-7"),
        new(one, 9, Body::Resolved { summary: "raised the pool limit".into() }),
        declared(two, "Checkout timeouts", "api"),
        alert(two, "HighLatency"),
        said(two, 3, NoteKind::Hypothesis, "the connection pool may be saturated again"),
        declared(three, "Login page broken", "api"),
        declared(four, "Disk full", "logs"),
        said(four, 2, NoteKind::Note, "the pool of disks"),
    ];
    let mut told = Vec::new();
    while !events.is_empty() {
        let id = events[0].incident.clone();
        let (own, rest) = events.into_iter().partition(|event| event.incident == id);
        events = rest;
        told.extend(store.append(own).unwrap());
    }
    told
}

fn texts(index: &Index, typed: &str) -> Vec<String> {
    index.find(&Question::parse(typed), 50).unwrap().into_iter().map(|hit| hit.text).collect()
}

fn both() -> Vec<(&'static str, Box<dyn Store>, tempfile::TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Sqlite::open(&folder.path().join("midwatch.db")).unwrap();
    vec![
        ("memory", Box::new(Memory::new("a".into())), tempfile::tempdir().unwrap()),
        ("sqlite", Box::new(sqlite), folder),
    ]
}

#[test]
fn what_was_written_is_found_while_it_is_typed() {
    for (name, mut store, folder) in both() {
        fill(store.as_mut());
        let mut index = Index::open(&folder.path().join("search.db")).unwrap();
        assert_eq!(index.catch_up(store.as_mut()), Ok(10), "{name}");
        assert_eq!(index.catch_up(store.as_mut()), Ok(0), "{name}");
        for part in ["p", "po", "poo", "pool"] {
            assert!(texts(&index, part).len() >= 4, "{name}: {part}");
        }
        assert_eq!(texts(&index, "pool sat kind:finding"), ["connection pool saturated on checkout-7"], "{name}");
        assert_eq!(texts(&index, "\"pool satur\"").len(), 1, "{name}");
        assert_eq!(texts(&index, "pool -disks -raised").len(), 2, "{name}");
        assert_eq!(texts(&index, "pool in:INC-20260504-031204"), ["the pool of disks"], "{name}");
        assert_eq!(texts(&index, "POOL who:midw kind:hypothesis").len(), 1, "{name}");
        for nothing in ["", "zzz", "-pool", "kind:nothing pool", "in:INC-9 pool"] {
            assert_eq!(texts(&index, nothing), Vec::<String>::new(), "{name}: {nothing}");
        }
        let hit = &index.find(&Question::parse("saturated"), 1).unwrap()[0];
        assert_eq!(hit.title, "Checkout timeouts", "{name}: the newest comes first");
        assert!(matches!(&hit.place, Place::Entry(key) if key.origin == *store.origin()), "{name}");
        for odd in ["\"", "a\"b", "(", "NEAR(", "*", "a AND", "text:", "{a b}:c", "\0", "🙂"] {
            let _ = texts(&index, odd);
        }
    }
}

#[test]
fn alike_incidents_come_with_why() {
    let mut store = Memory::new("a".into());
    fill(&mut store);
    let mut index = Index::in_memory().unwrap();
    index.catch_up(&mut store).unwrap();
    let found = index.similar(&"INC-20260502-031204".into()).unwrap();
    let why: Vec<(String, Vec<String>)> =
        found.iter().map(|one| (one.incident.0.clone(), one.why.iter().map(|w| w.told()).collect())).collect();
    assert_eq!(why[0].0, "INC-20260501-031204");
    assert_eq!(why[0].1[..2], ["same alert HighLatency", "same service api"]);
    assert!(why[0].1[2].starts_with("words: ") && why[0].1[2].contains("saturated"), "{why:?}");
    assert_eq!(found[0].resolution.as_deref(), Some("raised the pool limit"));
    assert_eq!(why[1], ("INC-20260503-031204".to_owned(), vec!["same service api".to_owned()]));
    assert_eq!(why.len(), 2, "an incident is not like itself, and nothing is not alike");
    assert_eq!(index.similar(&"INC-9".into()), Ok(vec![]));
}

#[test]
fn a_redacted_text_leaves_the_index_and_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Sqlite::open(&folder.path().join("midwatch.db")).unwrap();
    let told = fill(&mut store);
    let secret = store.append(vec![said("INC-20260504-031204", 5, NoteKind::Finding, "token hunter2secret")]).unwrap();
    let path = folder.path().join("search.db");
    let mut index = Index::open(&path).unwrap();
    index.catch_up(&mut store).unwrap();
    assert_eq!(texts(&index, "hunter2").len(), 1);
    let body = Body::Redacted(Redaction::of(secret[0].key.clone(), "a token".into()));
    store.append(vec![new("INC-20260504-031204", 6, body)]).unwrap();
    index.catch_up(&mut store).unwrap();
    assert_eq!(texts(&index, "hunter2"), Vec::<String>::new());
    assert_eq!(texts(&index, "pool").len(), 4, "the rest is found as before");
    assert_eq!(index.catch_up(&mut store), Ok(0), "it is made anew once");
    let all: Vec<u8> = std::fs::read_dir(folder.path())
        .unwrap()
        .flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(!String::from_utf8_lossy(&all).contains("hunter2"));
    assert!(told.len() > 5);
}

#[test]
fn an_index_of_another_record_or_of_noise_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("search.db");
    std::fs::write(&path, "this is no database, whatever it is called").unwrap();
    let mut index = Index::open(&path).unwrap();
    let mut first = Memory::new("a".into());
    fill(&mut first);
    index.catch_up(&mut first).unwrap();
    assert!(!texts(&index, "pool").is_empty());
    drop(index);
    let mut index = Index::open(&path).unwrap();
    let mut second = Memory::new("b".into());
    second.append(vec![declared("INC-1", "Another story", "web"), new("INC-1", 1, note("puddle"))]).unwrap();
    index.catch_up(&mut second).unwrap();
    assert_eq!(texts(&index, "pool"), Vec::<String>::new());
    assert_eq!(texts(&index, "puddle"), ["puddle"]);
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn postmortems_are_found_by_what_people_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("postmortems");
    std::fs::create_dir(&pages).unwrap();
    let mut store = Memory::new("a".into());
    fill(&mut store);
    let page = pages.join("2026-05-04-INC-20260504-031204-2.md");
    let text = "# Disk\n\n## Timeline\n- logrotate was seen\n\n## Contributing factors\n<!-- keep -->\nlogrotate was off since the migration\n[[BLANK: more]]\n<!-- /keep -->\n";
    std::fs::write(&page, text).unwrap();
    let mut index = Index::open(&folder.path().join("search.db")).unwrap();
    let follow = |index: &mut Index, store: &mut Memory| {
        index.catch_up(store).unwrap();
        index.read_pages(&pages).unwrap();
    };
    follow(&mut index, &mut store);
    let hits = index.find(&Question::parse("logrot"), 9).unwrap();
    assert_eq!(hits.len(), 1, "the timeline of a page is in the record: {hits:?}");
    assert_eq!(hits[0].incident.as_ref().map(IncidentId::as_str), Some("INC-20260504-031204"));
    assert!(matches!(&hits[0].place, Place::Page(file, heading)
        if Path::new(file) == page && heading == "Contributing factors"));
    assert_eq!(texts(&index, "BLANK"), Vec::<String>::new());
    std::fs::write(&page, text.replace("migration", "upgrade of the kernel")).unwrap();
    follow(&mut index, &mut store);
    assert_eq!((texts(&index, "kernel").len(), texts(&index, "migration").len()), (1, 0));
    std::fs::remove_file(&page).unwrap();
    follow(&mut index, &mut store);
    assert_eq!(texts(&index, "kernel"), Vec::<String>::new());
    index.read_pages(&folder.path().join("none")).unwrap();
}

#[test]
fn an_overtaken_question_is_not_answered_and_a_record_that_cannot_be_opened_is_a_fault() {
    let mut store = Memory::new("a".into());
    fill(&mut store);
    let beside = store.beside();
    let finder = Finder::new(Box::new(move || Ok(Box::new(beside))), None, None);
    let pool = Question::parse("pool");
    assert_eq!(finder.find(7, &pool).unwrap().unwrap().len(), 4);
    assert_eq!(finder.find(6, &pool), None, "7 was asked later");
    assert_eq!(finder.similar(&"INC-20260502-031204".into()).unwrap().len(), 2);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not-a-folder");
    std::fs::write(&file, "x").unwrap();
    let record = file.join("midwatch.db");
    let finder = Finder::new(Box::new(move || Ok(Box::new(Sqlite::open(&record)?))), Some(default_path(&file)), None);
    for number in 1..3 {
        assert!(finder.find(number, &pool).unwrap().is_err());
    }
}
