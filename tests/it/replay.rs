//! Replays: the machine wound through an incident that was recorded while somebody played, with every key and action there
//! is; the promised command; and that nothing is written, asked or sent.

use crate::cli::Machine;
use crate::drills::recorded;
use midwatch::app::action::ACTIONS;
use midwatch::app::confirm::Deed;
use midwatch::app::deadline::next_deadline;
use midwatch::app::effect::Effect;
use midwatch::app::key::{Code, Key};
use midwatch::app::model::{Model, Setup};
use midwatch::app::msg::{Feed, Msg};
use midwatch::app::present::replay::report;
use midwatch::app::present::view::{Body as Shown, View};
use midwatch::app::present::{lines, view};
use midwatch::app::replay::Replay;
use midwatch::app::screen::{Overlay, Screen};
use midwatch::app::update::{settle, update};
use midwatch::domain::ids::SloId;
use midwatch::domain::incident::event::{Body, Event, EventKey};
use midwatch::domain::incident::reel::{Landmark, Reel};
use midwatch::domain::incident::state::Incident;
use midwatch::domain::outward::capability::Class;
use midwatch::domain::outward::entry::Ending;
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::{OpId, Operation};
use midwatch::domain::outward::outcome::Reference;
use midwatch::domain::outward::silence::{Matcher, SilenceWrite};
use midwatch::domain::slo::event_slices::EventSlices;
use midwatch::domain::slo::reading::Counts;
use midwatch::domain::time::{Timestamp, mins, rfc3339, secs};
use midwatch::run::sim::setup;
use midwatch::ui::glyphs::Glyphs;
use midwatch::ui::theme::Theme;
use midwatch::ui::view::draw;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The clock on the wall; what is replayed lies long before.
fn wall(s: i64) -> Timestamp {
    "2026-09-01T12:00:00Z".parse::<Timestamp>().unwrap() + secs(s)
}

/// A machine that replays, with today's runbooks.
struct Bench {
    model: Model,
    events: Vec<Event>,
}

fn bench() -> Bench {
    static MADE: OnceLock<(Model, Vec<Event>)> = OnceLock::new();
    let (model, events) = MADE.get_or_init(|| {
        let (events, library, stage) = recorded();
        let reel = Reel::of(&events).unwrap();
        let id = reel.fold(reel.end()).unwrap().id;
        let setup = Setup { simulated: None, read_only: true, bell: false, ..setup("ada") };
        let mut model = Model::new(setup, stage.objectives(), Vec::new());
        model.replay = Some(Replay::new(id.clone(), reel, 10, wall(0)));
        model.nav.open(Screen::Incident(id));
        settle(&mut model);
        update(&mut model, wall(0), Msg::Feed(Feed::Library(library, Vec::new())));
        update(&mut model, wall(0), Msg::Resized(120, 40));
        (model, events)
    });
    Bench { model: model.clone(), events: events.clone() }
}

impl Bench {
    fn replay(&self) -> &Replay {
        self.model.replay.as_ref().unwrap()
    }

    fn at(&self) -> Timestamp {
        self.replay().at
    }

    fn send(&mut self, s: i64, msg: Msg) -> Vec<Effect> {
        update(&mut self.model, wall(s), msg)
    }

    fn press(&mut self, keys: &str) -> Vec<Effect> {
        keys.split(' ').flat_map(|key| self.send(0, Msg::Key(Key::parse(key).unwrap()))).collect()
    }

    fn view(&self) -> View {
        view(&self.model, wall(0))
    }

    fn flash(&self) -> String {
        self.view().flash.map(|bit| bit.text).unwrap_or_default()
    }

    /// What holds of every replay at every moment.
    fn holds(&self, effects: &[Effect]) {
        for effect in effects {
            let inside = matches!(
                effect,
                Effect::Copy { .. } | Effect::Page(_) | Effect::Redraw | Effect::Suspend | Effect::Quit(_)
            );
            assert!(inside, "it wants {effect:?}");
        }
        let known: Vec<&Event> = self.events.iter().filter(|e| e.recorded_at <= self.at()).collect();
        let case = self.model.desk.cases.values().next();
        assert_eq!(case.map(|c| &c.shown), Incident::fold(known.iter().copied()).as_ref());
        assert!(case.is_none_or(|c| c.unsaved.is_empty() && c.tail.len() == known.len()));
        assert!(self.model.unsaved() == 0 && self.model.exec.running.is_empty());
        match &self.model.nav.overlay {
            Some(Overlay::Form(form)) => panic!("it asks for a text: {}", form.title),
            Some(Overlay::Confirm(confirm)) => assert_eq!(confirm.deed, Deed::Quit),
            _ => {}
        }
        let bar = self.view().head.replay.expect("every screen says REPLAY");
        assert_eq!(format!("{}T{}", bar.day, bar.time), self.at().format("%Y-%m-%dT%H:%M:%SZ").to_string());
    }
}

#[test]
fn keys_wind_by_event_by_minute_and_to_the_next_decision() {
    let mut bench = bench();
    let reel = Arc::clone(&bench.replay().reel);
    assert_eq!(bench.at(), reel.start());
    bench.press("Left");
    assert_eq!((bench.at(), bench.flash()), (reel.start(), "this is where it was declared".into()));
    bench.press("Right");
    assert_eq!((bench.at(), bench.flash()), (reel.next(reel.start()).unwrap(), String::new()));
    bench.press("Left .");
    assert_eq!(bench.at(), reel.start() + mins(1));
    bench.press(".  , ,".replace("  ", " ").as_str());
    assert_eq!(bench.at(), reel.start());
    let decided = reel.next_decision(reel.start());
    bench.press("d");
    assert_eq!(Some(bench.at()), decided);
    bench.press("}");
    assert_eq!(bench.at(), reel.end());
    let live = Incident::fold(&bench.events).unwrap();
    assert_eq!(bench.model.desk.cases[&live.id].shown, live, "at the end it is what it is");
    bench.press("Right");
    assert_eq!(bench.flash(), "this is the end of the record");
    bench.press("{ + + -");
    assert_eq!((bench.at(), bench.replay().speed), (reel.start(), 30));
    // The walk keeps h and l for its steps, and the arrows wind there too.
    bench.press("r");
    assert!(matches!(bench.model.nav.screen(), Screen::Walk(..)), "{:?}", bench.model.nav.screen());
    bench.press("Right");
    assert_ne!(bench.at(), reel.start());
    bench.holds(&[]);
}

#[test]
fn it_plays_by_the_wall_and_stops_at_the_end() {
    let mut bench = bench();
    let (start, end) = (bench.replay().reel.start(), bench.replay().reel.end());
    assert_eq!(next_deadline(&bench.model, wall(0), true), None, "it stands and wants nothing");
    bench.press("Space");
    let due = next_deadline(&bench.model, wall(0), true).unwrap();
    assert!(due > wall(0) && due <= wall(1), "{due}");
    bench.send(1, Msg::Wake);
    assert_eq!(bench.at(), start + secs(10));
    // The program was suspended for an hour: no more than a moment of it is made up for.
    bench.send(3_600, Msg::Wake);
    assert_eq!(bench.at(), start + secs(30));
    // The clock on the wall was set back.
    bench.send(0, Msg::Wake);
    assert_eq!(bench.at(), start + secs(30));
    bench.press("Space");
    bench.send(2, Msg::Wake);
    assert_eq!((bench.at(), bench.replay().playing), (start + secs(30), false));
    bench.press("Space");
    for s in 0..2_000 {
        let effects = bench.send(s, Msg::Wake);
        if s % 50 == 0 {
            bench.holds(&effects);
        }
    }
    assert_eq!((bench.at(), bench.replay().playing), (end, false));
    assert_eq!(next_deadline(&bench.model, wall(2_000), true), None);
    bench.press("Space");
    assert_eq!((bench.at(), bench.replay().playing), (start, true), "from the end it begins anew");
    // Winding by hand stops it.
    bench.press("Right");
    assert!(!bench.replay().playing);
}

#[test]
fn every_action_is_taken_or_refused_and_nothing_happens() {
    for entry in ACTIONS {
        for keys in ["d", "} 1", "d r", "d 0", "4", "6", "7", "8", "9", "5"] {
            let mut bench = bench();
            bench.press(keys);
            let effects = bench.send(0, Msg::Act(entry.action));
            bench.holds(&effects);
            if entry.changes {
                assert!(bench.flash().contains("replay: nothing is recorded"), "{}: {}", entry.id, bench.flash());
            }
        }
    }
    // Enter on what would act elsewhere: a timer, a step's command.
    let mut bench = bench();
    let effects = bench.press("Right Right 4 Enter q d r Enter Enter y");
    bench.holds(&effects);
}

#[test]
fn what_is_not_recorded_is_said_to_be_so() {
    let mut bench = bench();
    bench.press("7");
    let said = |bench: &Bench| bench.view().banners.iter().map(|b| b.text.clone()).collect::<Vec<_>>().join("\n");
    assert!(said(&bench).contains("health of sources is not recorded"), "{}", said(&bench));
    bench.press("9");
    assert!(said(&bench).contains("not recorded"), "{}", said(&bench));
    // An objective without a sample and without slices.
    let slo: SloId = bench.model.fleet.objectives[0].id.clone();
    let events: Vec<Event> = bench.events.iter().filter(|e| e.body.kind() != "budget").cloned().collect();
    let reel = Reel::of(&events).unwrap();
    bench.model.replay = Some(Replay::new(bench.replay().incident.clone(), reel, 1, wall(0)));
    bench.press("} 2");
    let Shown::Slos(page) = bench.view().body else { panic!("objectives") };
    let row = page.slos.rows.iter().find(|r| r.name == slo.0).unwrap();
    assert_eq!((row.left.as_str(), row.burn_1h.as_str(), row.gauge), ("not recorded", "-", None));
    assert_eq!(page.chart.unwrap().missing.as_deref(), Some("not recorded"));
}

/// Operations and the silences they made, as they stood: open until their end was recorded, in force while they were.
#[test]
fn the_outbox_and_silences_stand_as_they_stood() {
    let mut bench = bench();
    let first = bench.events.iter().find(|e| matches!(e.body, Body::Declared { .. })).unwrap().clone();
    let at = |minutes: i64| first.recorded_at + mins(minutes);
    let event = |n: u64, minutes: i64, body: Body| Event {
        key: EventKey { origin: "elsewhere".into(), seq: n },
        id: format!("op-{n}"),
        order: 10_000 + n,
        at: at(minutes),
        recorded_at: at(minutes),
        body,
        ..first.clone()
    };
    let write = SilenceWrite::Create {
        matchers: vec![Matcher::is("service", "checkout")],
        starts_at: at(1),
        ends_at: at(4),
        comment: "deploy".into(),
    };
    let op = Operation::new("am".into(), Intent::Silence(write), Class::Repeat, at(1), "ada");
    let op = Operation { id: OpId("op-1".into()), ..op };
    let end = Body::OutgoingOutcome {
        op: op.id.clone(),
        target: op.target.clone(),
        capability: op.intent.capability(),
        words: op.intent.words(),
        end: Ending::Done { reference: Reference { id: Some("s-1".into()), ..Reference::default() } },
    };
    let mut events = bench.events.clone();
    events.extend([event(1, 1, Body::Outgoing(Box::new(op))), event(2, 2, end)]);
    let mut replay = Replay::new(bench.replay().incident.clone(), Reel::of(&events).unwrap(), 1, wall(0));
    for (minutes, outbox, silences) in [(0, None, 0), (1, Some("open"), 0), (2, Some("done"), 1), (4, Some("done"), 0)]
    {
        replay.seek(at(minutes));
        bench.model.replay = Some(replay.clone());
        bench.press("9");
        let Shown::Outbox(page) = bench.view().body else { panic!("outbox") };
        let own: Vec<&str> = page.queue.rows.iter().filter(|r| r.target == "am").map(|r| r.state.as_str()).collect();
        assert_eq!(own, outbox.into_iter().collect::<Vec<_>>(), "{minutes}");
        let told = report(&bench.model).unwrap();
        let found = told["outbox"].as_array().unwrap().iter().find(|o| o["target"] == "am").map(|o| o["state"].clone());
        assert_eq!(
            found,
            outbox.map(|word| if word == "done" { "ended".into() } else { Value::from(word) }),
            "{minutes}"
        );
        assert_eq!(told["silences"].as_array().unwrap().len(), silences, "{minutes}");
        bench.press("6");
        let Shown::Alerts(page) = bench.view().body else { panic!("alerts") };
        let rows: Vec<&str> = page.silences.rows.iter().map(|r| r.what.as_str()).collect();
        assert_eq!(rows, vec!["service=\"checkout\""; silences], "{minutes}");
        bench.model.replay = None;
    }
}

#[test]
fn charts_stand_as_they_stood_from_slices_and_samples() {
    let mut bench = bench();
    let reel = Arc::clone(&bench.replay().reel);
    let slo: SloId = bench.model.fleet.objectives[0].id.clone();
    let target = bench.model.fleet.objectives[0].target;
    let mut slices = EventSlices::of(bench.model.fleet.objectives[0].window, secs(0));
    // Every hundredth request failed from the declaration on; the slices go on for an hour after the end.
    let (first, last) = (slices.fine.number(reel.start()) - 30, slices.fine.number(reel.end() + mins(60)));
    let broke = slices.fine.number(reel.start());
    slices.fine.take(first, last, |n| Some(Counts { bad: if n > broke { 3.0 } else { 0.0 }, total: 300.0 }));
    let replay = bench.model.replay.as_mut().unwrap();
    replay.slices.insert(slo.clone(), Arc::new(slices));
    replay.settled = None;
    bench.model.nav.open(Screen::Slo(slo));
    let mut resolved = std::collections::BTreeSet::new();
    for cut in [reel.start() + mins(4), reel.end()] {
        bench.model.replay.as_mut().unwrap().seek(cut);
        bench.send(0, Msg::Wake);
        let Shown::Slo(page) = bench.view().body else { panic!("objective") };
        let chart = page.chart;
        let end = chart.start + chart.step * i32::try_from(chart.points.len() - 1).unwrap();
        assert!(end <= cut, "nothing of what came later is drawn");
        let drawn = chart.points.iter().flatten().copied().fold(0.0, f64::max);
        assert!(drawn >= 0.01 / (1.0 - target) - 0.2, "{drawn}");
        assert_eq!((chart.missing.clone(), chart.until), (None, "then"));
        // The declaration is on the axis; what had not happened by then is not.
        let letters: String = chart.marks.iter().map(|m| m.letter).collect();
        let over = reel.landmarks().iter().any(|(at, mark)| *mark == Landmark::Resolved && *at <= cut);
        assert_eq!((letters.contains('D'), letters.contains('R')), (true, over), "{letters} at {cut}");
        resolved.insert(over);
    }
    assert_eq!(resolved.len(), 2, "one cut is before its end, and one after");
}

#[derive(Clone, Debug)]
enum Gust {
    Key(Key),
    Act(usize),
    Paste(String),
    Wake(i64),
    Resize(u16, u16),
}

fn gust() -> impl Strategy<Value = Gust> {
    let letters = "aidnsvcmexpfruTLEyN+-*#@>oq/:?!0123456789bjkhlgGtwRYMXKHUVS ,.dD{}";
    let letter = proptest::sample::select(letters.chars().collect::<Vec<_>>()).prop_map(Key::char);
    let named = [Code::Enter, Code::Esc, Code::Tab, Code::Up, Code::Down, Code::Left, Code::Right, Code::PageUp];
    let ctrl = proptest::sample::select("cdlpuxf".chars().collect::<Vec<_>>()).prop_map(Key::ctrl);
    prop_oneof![
        10 => letter.prop_map(Gust::Key),
        10 => proptest::sample::select(named.to_vec()).prop_map(|c| Gust::Key(Key::plain(c))),
        1 => ctrl.prop_map(Gust::Key),
        4 => (0..ACTIONS.len()).prop_map(Gust::Act),
        1 => "[ -~\\n\u{1b}\u{202e}]{0,20}".prop_map(Gust::Paste),
        3 => (-100i64..4_000).prop_map(Gust::Wake),
        1 => (0u16..220, 0u16..70).prop_map(|(c, r)| Gust::Resize(c, r)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is pressed in whatever order: nothing leaves, nothing is recorded, and what is shown is the fold of what was
    /// recorded by the shown instant.
    #[test]
    fn a_storm_of_keys_changes_nothing(gusts in prop::collection::vec(gust(), 1..60)) {
        let mut bench = bench();
        let mut s = 0;
        for gust in gusts {
            let msg = match gust {
                Gust::Key(key) => Msg::Key(key),
                Gust::Act(n) => Msg::Act(ACTIONS[n].action),
                Gust::Paste(text) => Msg::Paste(text),
                Gust::Wake(by) => { s += by; Msg::Wake }
                Gust::Resize(c, r) => Msg::Resized(c, r),
            };
            let effects = bench.send(s, msg);
            bench.send(s, Msg::Painted);
            bench.holds(&effects);
            if let Some(due) = next_deadline(&bench.model, wall(s), true) {
                prop_assert!(due > wall(s), "a replay that wants to be woken at once for ever");
            }
        }
    }
}

fn drawn(model: &Model, (w, h): (u16, u16)) -> String {
    let area = Rect::new(0, 0, w, h);
    let mut buf = Buffer::empty(area);
    draw(&view(model, wall(0)), &Theme::named("dark").unwrap(), Glyphs::Unicode, area, &mut buf);
    let row = |y: u16| (0..w).map(|x| buf[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..h).map(row).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_screens_of_a_replay() {
    let mut bench = bench();
    let reel = Arc::clone(&bench.replay().reel);
    let middle = reel.start() + (reel.end() - reel.start()) / 2;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (keys, name) in [("3", "incident"), ("3 r", "walk"), ("3 0", "desk"), ("1", "overview"), ("9", "outbox")] {
            for (w, h) in [(40, 10), (80, 24), (120, 40)] {
                bench.model.replay.as_mut().unwrap().seek(middle);
                bench.send(0, Msg::Resized(w, h));
                bench.press(keys);
                insta::assert_snapshot!(format!("replay_{name}_{w}x{h}"), drawn(&bench.model, (w, h)));
            }
        }
    });
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push((path.clone(), std::fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}

fn told(machine: &Machine) -> String {
    machine.write("config.yaml", "responder: {name: ada}\ntime_zone: UTC\n");
    let out = machine.args(&["incident", "declare", "--title", "API slow", "--severity", "sev2", "--service", "api"]);
    assert_eq!(out.code, 0, "{}", out.err);
    let id = out.out.trim().to_owned();
    for line in [
        vec!["incident", "ack", &id],
        vec!["incident", "note", &id, "roll back 412", "--kind", "decision"],
        vec!["incident", "severity", &id, "sev1", "--reason", "checkout is down"],
        vec!["incident", "resolve", &id, "--summary", "rolled back"],
    ] {
        let out = machine.args(&line);
        assert_eq!(out.code, 0, "{line:?}: {}", out.err);
    }
    id
}

#[test]
fn a_script_sees_the_incident_at_any_instant() {
    let machine = Machine::new();
    let id = told(&machine);
    let before = files(machine.dir.path());
    let end = machine.args(&["replay", &id, "-o", "json"]);
    assert_eq!(end.code, 0, "{}", end.err);
    let end = end.json();
    let live = machine.args(&["incident", "show", &id, "-o", "json"]).json();
    assert_eq!(end["incident"], live, "at the end it is what it is");
    let (from, to) = (end["replay"]["from"].as_str().unwrap(), end["replay"]["to"].as_str().unwrap());
    assert_eq!((end["as_of"].as_str(), end["replay"]["at"].as_str()), (Some(to), Some(to)));
    assert_eq!(end["replay"]["moment"], end["replay"]["moments"]);

    let start = machine.args(&["replay", "last", "--at", from, "-o", "json"]).json();
    let incident = &start["incident"];
    assert_eq!((incident["status"].as_str(), incident["severity"].as_str()), (Some("investigating"), Some("SEV2")));
    assert_eq!((&incident["acknowledged_at"], &incident["resolved_at"]), (&Value::Null, &Value::Null));
    let timer = |at: &Value, label: &str| {
        let found = at["timers"].as_array().unwrap().iter().find(|t| t["label"] == label);
        found.map(|t| t["state"].as_str().unwrap().to_owned())
    };
    // Timers are those of the instant: of that severity, not answered yet, with nothing of what came after.
    let states = |label: &str| (timer(incident, label), timer(&end["incident"], label));
    assert_eq!(states("SEV2 response"), (Some("running".into()), None));
    assert_eq!(states("SEV1 response"), (None, Some("done".into())));
    assert_eq!(states("postmortem draft"), (None, Some("running".into())));
    // Each event's own instant shows it and nothing after it.
    for event in live["timeline"].as_array().unwrap() {
        let at = event["recorded_at"].as_str().unwrap();
        let then = machine.args(&["replay", &id, "--at", at, "-o", "json"]).json();
        let shown = then["incident"]["timeline"].as_array().unwrap();
        assert!(shown.iter().any(|e| e["ref"] == event["ref"]), "{at}");
        assert!(shown.iter().all(|e| e["recorded_at"].as_str().unwrap() <= at), "{at}");
    }

    let exported = machine.args(&["incident", "timeline", &id, "--format", "jsonl"]).out;
    let before_export = files(machine.dir.path());
    let path = machine.write(&format!("{id}.jsonl"), &exported);
    let read = machine.args(&["replay", &path.to_string_lossy(), "-o", "json"]);
    assert_eq!(read.code, 0, "{}", read.err);
    assert_eq!(read.json()["incident"], live, "a timeline that was exported replays as the record does");
    std::fs::remove_file(path).unwrap();

    let gone = |name: &(PathBuf, Vec<u8>)| {
        !name.0.to_string_lossy().contains("-wal") && !name.0.to_string_lossy().contains("-shm")
    };
    assert_eq!(
        before.iter().filter(|f| gone(f)).collect::<Vec<_>>(),
        before_export.iter().filter(|f| gone(f)).collect::<Vec<_>>()
    );
    assert_eq!(
        before.iter().filter(|f| gone(f)).collect::<Vec<_>>(),
        files(machine.dir.path()).iter().filter(|f| gone(f)).collect::<Vec<_>>(),
        "nothing is written"
    );
}

#[test]
fn a_replay_says_what_is_wrong() {
    let machine = Machine::new();
    let id = told(&machine);
    machine.write("broken.jsonl", "{\"seq\": 1}\n");
    machine.write("empty.jsonl", "");
    for (line, code, word) in [
        (format!("replay {id} --at 2020-01-01T00:00:00Z"), 2, "is before the declaration; the record goes from"),
        (format!("replay {id} --at 2099-01-01T00:00:00Z"), 2, "is after the last event; the record goes from"),
        (format!("replay {id} --at soon"), 2, "is not a time"),
        (format!("replay {id} --speed 0"), 2, "1..=1000"),
        ("replay INC-nothing".into(), 1, "there is no incident"),
        ("replay c/none.jsonl".into(), 1, "none.jsonl"),
        ("replay c/broken.jsonl".into(), 1, "c/broken.jsonl:1:10: missing field `origin`"),
        ("replay c/empty.jsonl".into(), 1, "no event in it declares an incident"),
    ] {
        let out = machine.run(&line);
        assert_eq!(out.code, code, "{line}: {}", out.err);
        assert!(out.err.contains(word), "{line}: {}", out.err);
        assert_eq!(out.out, "", "{line}");
    }
}

#[test]
fn without_a_terminal_lines_take_the_names_of_actions() {
    let machine = Machine::new();
    let id = told(&machine);
    let out = machine.pipe(&["replay", &id], "");
    assert_eq!(out.code, 0, "{}", out.err);
    assert!(out.out.lines().all(|l| l.starts_with("REPLAY ")), "{}", out.out);
    assert!(out.out.contains(&format!("REPLAY {id} at ")) && out.out.contains("investigating"), "{}", out.out);
    assert!(!out.out.contains("rolled back"), "{}", out.out);
    let typed = "replay-decision\nshow\nnote 1 something else\nreplay-end\nshow\n";
    let out = machine.pipe(&["replay", &id], typed);
    assert_eq!(out.code, 0, "{}", out.err);
    assert!(out.out.contains("roll back 412") && out.out.contains("resolved: rolled back"), "{}", out.out);
    assert!(out.out.contains("nothing is recorded, sent or run") && !out.out.contains("something else"), "{}", out.out);
}

#[test]
fn a_traced_replay_starts_no_process_and_opens_no_socket() {
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        return;
    }
    let machine = Machine::new();
    let id = told(&machine);
    machine.write("config.yaml", "responder: {name: ada}\nprometheus: [{name: main, url: \"http://127.0.0.1:9\"}]\n");
    let trace = machine.dir.path().join("trace");
    let calls = "trace=execve,execveat,fork,vfork,clone,clone3,socket,socketpair,connect,bind,listen,accept,sendto,sendmsg,kill";
    let mut command = std::process::Command::new("strace");
    command.args(["-f", "-qq", "-e", calls, "-e", "signal=none", "-o"]).arg(&trace);
    command.arg(env!("CARGO_BIN_EXE_midwatch")).args(["replay", &id]);
    command.env_clear().env("HOME", machine.dir.path()).env("MIDWATCH_CONFIG", machine.config());
    command.env("MIDWATCH_DATA_DIR", machine.data()).stdin(std::process::Stdio::null());
    let output = command.output().unwrap();
    if !output.status.success() && !trace.exists() {
        // A sandbox that lets nobody trace.
        return;
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(&trace).unwrap();
    let calls: Vec<&str> = text.lines().filter(|line| !line.contains("+++") && !line.contains("---")).collect();
    let (started, rest): (Vec<&str>, Vec<&str>) = calls.into_iter().partition(|line| line.contains("execve("));
    assert_eq!(started.len(), 1, "only midwatch itself: {started:#?}");
    // The pair is how a signal wakes the program itself.
    let own = |line: &&str| !line.contains("CLONE_THREAD") && !line.contains("socketpair(AF_UNIX");
    let odd: Vec<&str> = rest.into_iter().filter(own).collect();
    assert!(odd.is_empty(), "{odd:#?}");
}

#[test]
fn the_page_of_text_says_it_is_a_replay() {
    let mut bench = bench();
    bench.press("d");
    let page = lines::page(&bench.model, wall(0)).join("\n");
    assert!(page.contains(&format!("REPLAY {} at {}", bench.replay().incident, rfc3339(bench.at()))), "{page}");
}
