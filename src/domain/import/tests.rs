//! Every shape by example, what is refused, and that nothing which can be pasted makes it fall over.

use super::*;
use crate::domain::incident::event::Event;
use proptest::prelude::*;

fn stated(zone: Option<&str>) -> Stated {
    Stated {
        shape: None,
        zone: zone.map(|zone| zone.parse().unwrap()),
        date: None,
        near: "2026-05-01T03:12:04Z".parse().unwrap(),
        now: "2026-05-02T12:00:00Z".parse().unwrap(),
    }
}

/// Time in UTC, who, text of every line.
fn told(read: &Read) -> Vec<(String, String, String)> {
    let line = |l: &Line| (l.at.format("%d %H:%M:%S").to_string(), l.who.clone(), l.text.clone());
    read.lines.iter().map(line).collect()
}

fn row(at: &str, who: &str, text: &str) -> (String, String, String) {
    (at.into(), who.into(), text.into())
}

#[test]
fn chats_are_read_as_they_are_copied() {
    for (text, want) in [
        ("[05:12] alice: api is down", row("01 03:12:00", "alice", "api is down")),
        ("[05:12:09] Bob Smith: on it", row("01 03:12:09", "Bob Smith", "on it")),
        ("05:12 <@carol> looking", row("01 03:12:00", "carol", "looking")),
        ("[05:12] <dave> hm", row("01 03:12:00", "dave", "hm")),
        ("[5:12 AM] erin: early", row("01 03:12:00", "erin", "early")),
        ("[12:05 AM] erin: midnight", row("30 22:05:00", "erin", "midnight")),
        ("05:12:04 From Alice to Everyone: zoom", row("01 03:12:04", "Alice", "zoom")),
        ("2026-05-01 05:12 - frank: dated", row("01 03:12:00", "frank", "dated")),
        ("2026-05-01T03:12:04Z alice: with a zone", row("01 03:12:04", "alice", "with a zone")),
        ("[2026-05-01 03:12:04 UTC] alice: so too", row("01 03:12:04", "alice", "so too")),
        ("[2026-05-01 08:42 +05:30] alice: Pune", row("01 03:12:00", "alice", "Pune")),
        ("Alice Smith  5:12 AM\nfirst\nsecond", row("01 03:12:00", "Alice Smith", "first\nsecond")),
        ("alice \u{2014} Today at 5:12 AM\ndiscord", row("01 03:12:00", "alice", "discord")),
        ("[5:12 AM] Alice Smith\nteams", row("01 03:12:00", "Alice Smith", "teams")),
        ("[05:12] alice: one\ntwo\n\nthree", row("01 03:12:00", "alice", "one\ntwo\nthree")),
        ("[05:12] alice: see http://x:80/y at 03:00", row("01 03:12:00", "alice", "see http://x:80/y at 03:00")),
    ] {
        let read = read(text, &stated(Some("Europe/Berlin"))).unwrap_or_else(|why| panic!("{text}: {why}"));
        assert_eq!(read.shape, Shape::Chat, "{text}");
        assert_eq!(told(&read), [want], "{text}");
        assert_eq!(read.left_out, [], "{text}");
    }
}

#[test]
fn a_time_without_a_zone_is_refused_until_one_is_stated() {
    for text in [
        "[03:12] alice: x",
        "time,who,text\n2026-05-01 03:12:04,alice,x",
        "{\"at\":\"2026-05-01 03:12\",\"text\":\"x\"}",
    ] {
        let why = read(text, &stated(None)).unwrap_err();
        assert!(why.contains("--zone"), "{text}: {why}");
        let found = read(text, &stated(Some("UTC"))).unwrap();
        assert!(found.lines[0].zoned, "{text}");
    }
    let read = read("2026-05-01T03:12:04Z alice: x", &stated(None)).unwrap();
    assert!(!read.lines[0].zoned);
}

#[test]
fn days_follow_each_other_and_an_hour_that_does_not_exist_is_left_out() {
    let text = "[23:58] a: before\n[00:03] a: after\n[00:10] b: later";
    let found = read(text, &stated(Some("UTC"))).unwrap();
    let days: Vec<String> = found.lines.iter().map(|l| l.at.format("%d %H:%M").to_string()).collect();
    assert_eq!(days, ["30 23:58", "01 00:03", "01 00:10"]);

    let spring = Stated { date: "2026-03-29".parse().ok(), ..stated(Some("Europe/Berlin")) };
    let found = read("[01:59] a: x\n[02:30] a: never\nthis belongs to it\n[03:00] a: y", &spring).unwrap();
    assert_eq!(found.lines.len(), 2);
    assert!(found.left_out[0].1.contains("does not exist"), "{:?}", found.left_out);
    assert_eq!(found.left_out.len(), 2, "its second line is not given to another one");

    let future = read("2026-05-03T00:00:00Z a: tomorrow", &stated(None)).unwrap_err();
    assert!(future.contains("future"), "{future}");
}

#[test]
fn slack_messages_are_known_by_their_ts() {
    let text = r#"[
      {"type":"message","user":"U1","user_profile":{"display_name":"alice"},"ts":"1777605124.123456",
       "text":"pods &lt;crash&gt; &amp; <@U2|bob> see <https://x.example/y|the board>"},
      {"type":"message","subtype":"channel_join","user":"U2","ts":"1777605125.000100","text":"joined"},
      {"type":"message","user":"U2","ts":"1777605124.123456","text":"the same again"},
      {"type":"message","user":"U3","ts":"soon","text":"no time"},
      {"type":"message","bot_profile":{"name":"deploybot"},"ts":"1777605130","text":"","attachments":[{"fallback":"deploy 412"}]}
    ]"#;
    let read = read(text, &stated(None)).unwrap();
    assert_eq!(read.shape, Shape::Slack);
    assert_eq!(
        told(&read),
        [
            row("01 03:12:04", "alice", "pods <crash> & @bob see the board (https://x.example/y)"),
            row("01 03:12:10", "deploybot", "deploy 412"),
        ]
    );
    assert_eq!(read.lines[0].id.as_deref(), Some("1777605124.123456"));
    assert_eq!(read.lines[0].at.timestamp_subsec_micros(), 123_456);
    let lines: Vec<usize> = read.left_out.iter().map(|(n, _)| *n).collect();
    assert_eq!(lines, [2, 3, 4]);
}

#[test]
fn a_pagers_log_tells_who_was_paged_and_who_took_it() {
    let text = r#"{"log_entries":[
      {"id":"R3","type":"acknowledge_log_entry","created_at":"2026-05-01T03:14:00Z","summary":"Acknowledged by Bob","agent":{"summary":"Bob"}},
      {"id":"R4","type":"annotate_log_entry","created_at":"2026-05-01T03:15:00Z","summary":"Note added","agent":{"summary":"Bob"},"channel":{"type":"note","summary":"rolling back"}},
      {"id":"R2","type":"notify_log_entry","created_at":"2026-05-01T03:12:30Z","summary":"Notified Bob by push","user":{"summary":"Bob"},"agent":{"summary":"Website"}},
      {"id":"R1","type":"trigger_log_entry","created_at":"2026-05-01T03:12:10Z","summary":"Triggered","agent":{"summary":"Prometheus"}},
      {"id":"R5","type":"resolve_log_entry_reference","created_at":"2026-05-01T03:30:00Z","summary":"Resolved","agent":{"summary":"Bob"}},
      {"id":"R6","type":"notify_log_entry"}
    ],"more":false}"#;
    let read = read(text, &stated(None)).unwrap();
    assert_eq!(read.shape, Shape::PagerDuty);
    let acts: Vec<(Act, &str)> = read.lines.iter().map(|l| (l.act, l.who.as_str())).collect();
    let want = [
        (Act::Other, "Prometheus"),
        (Act::Page, "Bob"),
        (Act::Ack, "Bob"),
        (Act::Message, "Bob"),
        (Act::Resolved, "Bob"),
    ];
    assert_eq!(acts, want);
    assert_eq!(read.lines[3].text, "rolling back");
    assert_eq!(read.left_out, [(6, "no `created_at`".to_owned())]);
}

#[test]
fn journals_have_their_zone_in_every_line() {
    let text = "-- Journal begins at Mon 2026-03-02 --\n\
                2026-05-01T05:12:04+0200 web1 api[812]: connection refused\n    at pool.rs:12\n\
                2026-05-01T03:12:05.250000+00:00 web1 systemd[1]: api.service: Failed\nnonsense\n";
    let read = read(text, &stated(None)).unwrap();
    assert_eq!(read.shape, Shape::Journal);
    assert_eq!(
        told(&read),
        [
            row("01 03:12:04", "web1 api", "connection refused\nat pool.rs:12"),
            row("01 03:12:05", "web1 systemd", "api.service: Failed"),
        ]
    );
    assert_eq!(read.left_out.len(), 1);
}

#[test]
fn tables_are_read_by_their_header() {
    let text = "Timestamp;Author;Message;Type\r\n2026-05-01 03:12:04Z;alice;\"a;b \"\"quoted\"\"\nsecond\";decision\r\n1777605130;bob;x;\r\n\r\nnever;c;y;\r\n";
    let read = read(text, &stated(None)).unwrap();
    assert_eq!(read.shape, Shape::Csv);
    assert_eq!(told(&read), [row("01 03:12:04", "alice", "a;b \"quoted\"\nsecond"), row("01 03:12:10", "bob", "x")]);
    assert_eq!(read.lines[0].was.as_deref(), Some("decision"));
    assert_eq!(read.left_out[0].0, 6, "the line of the file: {:?}", read.left_out);
}

#[test]
fn texts_without_a_line_say_why() {
    for (text, want) in [
        ("", "no line"),
        ("hello there", "no time"),
        ("time,text\n", "no line"),
        ("[]", "no line"),
        ("{\"log_entries\":[]}", "no text"),
    ] {
        let why = read(text, &stated(Some("UTC"))).unwrap_err();
        assert!(why.contains(want) || why.contains("no line"), "{text}: {why}");
    }
    assert!(read("x", &Stated { shape: Some(Shape::Slack), ..stated(None) }).unwrap_err().contains("JSON"));
}

fn incident() -> Incident {
    let body = Body::Declared {
        title: "t".into(),
        severity: "SEV2".into(),
        service: None,
        detected_by: None,
        detected_at: None,
    };
    let at = "2026-05-01T03:12:04Z".parse().unwrap();
    let event = Event {
        key: crate::domain::incident::event::EventKey { origin: "a".into(), seq: 1 },
        id: String::new(),
        incident: "INC-1".into(),
        order: 1,
        at,
        recorded_at: at,
        actor: "alice".into(),
        body,
        hash: String::new(),
    };
    Incident::begin(&event).unwrap()
}

#[test]
fn lines_get_keys_that_they_get_again() {
    let stated = stated(Some("UTC"));
    let text = "[03:12] a: same\n[03:12] a: same\n[03:12] b: same\n2026-04-01T00:00:00Z c: another story";
    let keys = |text: &str| {
        let read = read(text, &stated).unwrap();
        let (events, left) = events(&incident(), &read, &stated, "alice");
        (events.into_iter().map(|e| e.once.unwrap()).collect::<Vec<_>>(), left.len())
    };
    let (first, left) = keys(text);
    assert_eq!((first.len(), left), (3, 1));
    assert_eq!(first.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
    assert!(first.iter().all(|key| !key.contains("same")), "a key holds no text: {first:?}");
    assert_eq!(keys(text).0, first);
    let more = keys(&format!("{text}\n[03:13] a: new")).0;
    assert!(first.iter().all(|key| more.contains(key)), "a longer copy of the same chat repeats nothing");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_pasted_is_read_or_refused(text in "([0-9:\\[\\]<>,;\"{}'T+Z -]|alice|\\PC|\n|\t){0,200}", zone in any::<bool>()) {
        let _ = read(&text, &stated(zone.then_some("Europe/Berlin")));
        for shape in Shape::ALL {
            let stated = Stated { shape: Some(shape), ..stated(zone.then_some("America/New_York")) };
            if let Ok(read) = read(&text, &stated) {
                prop_assert!(read.lines.iter().all(|l| l.at <= stated.now && l.text.chars().count() <= TEXT_LIMIT));
                prop_assert!(read.lines.windows(2).all(|w| w[0].at <= w[1].at));
            }
        }
    }

    #[test]
    fn cut_and_broken_json_is_read_or_refused(cut in 0usize..400, at in 0usize..400, c in any::<char>()) {
        let good = r#"[{"type":"message","user":"U1","ts":"1777605124.123456","text":"a<b|c>"},{"id":"R","type":"notify_log_entry","created_at":"2026-05-01T03:12:30Z"}]"#;
        let mut text: String = good.chars().take(cut).collect();
        let place = text.char_indices().nth(at).map_or(text.len(), |(i, _)| i);
        text.insert(place, c);
        for shape in [Shape::Slack, Shape::PagerDuty, Shape::JsonLines] {
            let _ = read(&text, &Stated { shape: Some(shape), ..stated(None) });
        }
    }
}
