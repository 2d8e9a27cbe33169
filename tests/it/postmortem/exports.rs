//! Timelines for elsewhere: every event, and nothing that acts where it lands.

use crate::postmortem::story::{HOSTILE, Log, Words, begin, berlin, plain, settings, told};
use midwatch::domain::export::{CHUNK, Format, export};
use midwatch::domain::import::{self, Stated};
use midwatch::domain::incident::event::NoteKind;
use midwatch::domain::incident::state::Incident;
use midwatch::domain::postmortem::entry::entries;
use midwatch::domain::text::clean;
use midwatch::domain::time::rfc3339;
use proptest::prelude::*;

/// Reads quoted CSV back.
fn read_csv(text: &str) -> Vec<Vec<String>> {
    let row = |line: &str| {
        let mut cells = vec![String::new()];
        let mut quoted = false;
        for c in line.replace("\"\"", "\u{0}").chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                '\u{0}' => cells.last_mut().unwrap().push('"'),
                c => cells.last_mut().unwrap().push(c),
            }
        }
        cells
    };
    text.lines().map(row).collect()
}

#[test]
fn exports_hold_every_event_and_no_formula() {
    for hostile in HOSTILE.into_iter().chain(["", "=1+1", "+1", "-1", "@SUM(1)", "  =1"]) {
        let words = Words(Box::new(move |text: &str| format!("{hostile} {text}")));
        let (incident, events, _) = told(&words);
        let count = events.len();
        let csv = read_csv(&export(&incident, &events, berlin(), Format::Csv).concat());
        assert_eq!(csv.len(), count + 1);
        assert_eq!(csv[0], ["at_utc", "at_local", "kind", "actor", "text", "ref"]);
        for row in &csv[1..] {
            assert_eq!(row.len(), 6, "{row:?}");
            assert!(row.iter().all(|cell| !cell.trim_start().starts_with(['=', '+', '-', '@'])), "{row:?}");
        }
        let jsonl = export(&incident, &events, berlin(), Format::JsonLines).concat();
        assert_eq!(jsonl.lines().count(), count);
        for line in jsonl.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let event = events.iter().find(|e| Some(e.key.seq) == value["seq"].as_u64()).unwrap();
            assert_eq!(value["actor"], event.actor.as_str(), "JSON loses nothing");
            assert!(!line.chars().any(midwatch::domain::text::is_hidden));
        }
        let text = export(&incident, &events, berlin(), Format::Text);
        assert!(
            text.iter().all(|chunk| chunk.chars().count() <= CHUNK && !chunk.contains('@') && !chunk.contains("<!"))
        );
        let lines: usize = text.iter().map(|chunk| chunk.lines().count() - 1).sum();
        assert_eq!(lines, count);
    }
}

#[test]
fn the_exports_look() {
    let (incident, events, _) = told(&plain());
    settings().bind(|| {
        for format in Format::ALL {
            let name = format!("timeline_{}", format.word());
            insta::assert_snapshot!(name, export(&incident, &events, berlin(), format).join("=====\n"));
            assert_eq!(Format::named(format.word()), Some(format));
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn chunks_fit_whatever_the_texts(texts in proptest::collection::vec("(\\PC|\n){0,6000}", 1..6)) {
        let mut log = Log { events: Vec::new() };
        begin(&plain(), &mut log);
        for text in texts {
            log.note("01T23:59:00", "bob", NoteKind::Note, text);
        }
        let incident = Incident::fold(&log.events).unwrap();
        for chunk in export(&incident, &log.events, berlin(), Format::Text) {
            prop_assert!(chunk.chars().count() <= CHUNK);
        }
    }
}

/// What is read back of an export: when, who, what.
fn read_back(text: &str) -> Vec<(String, String, String)> {
    let stated = Stated {
        shape: None,
        zone: None,
        date: None,
        near: "2026-05-01T23:52:04Z".parse().unwrap(),
        now: "2026-06-01T00:00:00Z".parse().unwrap(),
    };
    let read = import::read(text, &stated).unwrap_or_else(|why| panic!("{why}: {text}"));
    assert_eq!(read.left_out, []);
    read.lines.into_iter().map(|l| (rfc3339(l.at), l.who, l.text)).collect()
}

#[test]
fn markdown_and_chat_text_are_read_back_to_the_second() {
    let (incident, events, facts) = told(&plain());
    let md = export(&incident, &events, berlin(), Format::Markdown).concat();
    let body = md.split_once("\n- ").map(|(_, rest)| format!("- {rest}")).unwrap();
    let read = read_back(&body);
    assert_eq!(read.len(), facts.timeline.len());
    let csv = read_back(&export(&incident, &events, berlin(), Format::Csv).concat());
    let second = |at: &str| at.get(..19).unwrap().to_owned();
    for (md, csv) in read.iter().zip(&csv) {
        assert_eq!((second(&md.0), &md.1, &md.2), (second(&csv.0), &csv.1, &csv.2));
    }
}

#[test]
fn apostrophes_before_a_formula_are_neither_lost_nor_doubled() {
    for text in ["=a", "'=a", "''=a", "'a", "'"] {
        let mut log = Log { events: Vec::new() };
        begin(&plain(), &mut log);
        log.note("01T23:50:00", "alice", NoteKind::Finding, text.to_owned());
        let incident = Incident::fold(&log.events).unwrap();
        let read = read_back(&export(&incident, &log.events, berlin(), Format::Csv).concat());
        assert!(read.iter().any(|(_, _, read)| read == text), "{text}: {read:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_exported_is_read_back(texts in prop::collection::vec("([=+@'\",;\\\\`*_:#\\[\\]<> -]|[a-z]|\\PC){0,40}", 1..12)) {
        let mut log = Log { events: Vec::new() };
        begin(&plain(), &mut log);
        for (n, text) in texts.iter().enumerate() {
            log.note(&format!("01T23:5{}:0{}", n % 10, n / 10), "alice", NoteKind::Finding, text.clone());
        }
        let incident = Incident::fold(&log.events).unwrap();
        let entries = entries(&incident, &log.events);
        let shown: Vec<_> =
            entries.iter().map(|e| (rfc3339(e.event.at), e.event.actor.clone(), clean(&e.text).trim().to_owned())).collect();
        let raw: Vec<_> =
            entries.iter().map(|e| (rfc3339(e.event.at), e.event.actor.clone(), e.text.trim().to_owned())).collect();
        prop_assert_eq!(read_back(&export(&incident, &log.events, berlin(), Format::Csv).concat()), shown);
        prop_assert_eq!(read_back(&export(&incident, &log.events, berlin(), Format::JsonLines).concat()), raw);
    }
}
