//! Drills with people, without a terminal: the facilitator's screen and the real world's line as they are drawn, the question
//! of a real page in the machine, two seats over a real socket in one process, and a traced run that opens that socket alone.

use crate::cli::Machine;
use midwatch::app::facilitator::{Facilitator, Prompt};
use midwatch::app::key::{Code, Key};
use midwatch::app::model::Model;
use midwatch::app::msg::{Feed, Msg};
use midwatch::app::present::view;
use midwatch::app::present::view::Tone;
use midwatch::app::rehearsal::Rehearsal;
use midwatch::app::screen::Overlay;
use midwatch::app::update::update;
use midwatch::app::{action::Action, effect::Effect};
use midwatch::domain::drill::facilitation::{Answer, Around, Ask, Observed};
use midwatch::domain::drill::real_world::Real;
use midwatch::domain::drill::stage::Stage;
use midwatch::domain::time::{Timestamp, mins, secs};
use midwatch::io::fake::staged::Staged;
use midwatch::run::drill::clock::{DrillClock, Hold};
use midwatch::run::drill::hall::Hall;
use midwatch::run::drill::shelf;
use midwatch::run::sim::setup;
use midwatch::ui::glyphs::Glyphs;
use midwatch::ui::screen::facilitator;
use midwatch::ui::theme::Theme;
use midwatch::ui::view::draw;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

const BEGINS: &str = "2026-05-03T03:00:00Z";

fn begins() -> Timestamp {
    BEGINS.parse().unwrap()
}

fn stage() -> Stage {
    let (all, _) = shelf::shipped();
    let scenario = all.into_iter().find(|s| s.scenario.id == "pool-exhaustion").unwrap().scenario;
    Stage::new(scenario, 1)
}

fn rows(buf: &Buffer) -> String {
    let row = |y| (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..buf.area.height).map(row).collect::<Vec<_>>().join("\n")
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn facilitated() -> Facilitator {
    let mut stage = stage();
    let at = |minutes, seconds| begins() + mins(minutes) + secs(seconds);
    stage.advance(at(4, 0));
    stage.hint("look at what was rolled out", 5, at(4, 10));
    stage.speak("support", "Nobody can pay.", at(4, 20));
    stage.skip("5", at(4, 30)).unwrap();
    stage.advance(at(6, 0));
    let around = Around {
        name: "DRILL-20261125-221311".into(),
        speed: 2,
        paused: vec![Hold::Facilitator.words().to_owned()],
        players: vec!["ada".into(), "bob\u{1b}[31m".into()],
        real: Real::Quiet { age: 5 },
    };
    let mut screen = Facilitator::default();
    screen.answered(Answer::did("the players got the hint, it costs 5", Observed::of(&stage, at(6, 0), around)));
    screen
}

#[test]
fn the_facilitators_screen_at_three_sizes() {
    let screen = facilitated();
    let typing = Facilitator {
        prompt: Some((Prompt::Hint, midwatch::app::editor::Editor::with("10 look at the pool"))),
        lost: Some("drill: its process is gone; q leaves".into()),
        ..screen.clone()
    };
    for (name, screen) in [("facilitator", &screen), ("facilitator_typing", &typing)] {
        for (w, h) in [(40, 10), (80, 24), (120, 40)] {
            let area = Rect::new(0, 0, w, h);
            let mut buf = Buffer::empty(area);
            facilitator::draw(screen, &Theme::named("dark").unwrap(), Glyphs::Unicode, area, &mut buf);
            let text = rows(&buf);
            assert!(!text.contains('\u{1b}'), "{text}");
            snapshot(&format!("{name}_{w}x{h}"), &text);
        }
    }
    for (w, h) in [(0, 0), (1, 1), (39, 9), (300, 3)] {
        let area = Rect::new(0, 0, w, h);
        facilitator::draw(&screen, &Theme::named("mono").unwrap(), Glyphs::Ascii, area, &mut Buffer::empty(area));
    }
}

fn model() -> Model {
    let mut model = Model::new(setup("ada"), Vec::new(), Vec::new());
    update(&mut model, begins(), Msg::Resized(80, 24));
    model
}

fn told(model: &mut Model, new: Rehearsal) -> Vec<Effect> {
    update(model, begins(), Msg::Feed(Feed::Rehearsal(Box::new(new))))
}

fn page(asks: &[&str]) -> Rehearsal {
    let names: Vec<String> = asks.iter().map(|a| (*a).to_owned()).collect();
    Rehearsal {
        real: Real::Page { names: vec!["ApiDown".into()], age: 0 },
        paused: if asks.is_empty() { Vec::new() } else { vec![Hold::RealPage.words().to_owned()] },
        asks: names,
        ..Rehearsal::default()
    }
}

fn screen(model: &Model, (w, h): (u16, u16)) -> String {
    let area = Rect::new(0, 0, w, h);
    let mut buf = Buffer::empty(area);
    draw(&view(model, begins()), &Theme::named("dark").unwrap(), Glyphs::Unicode, area, &mut buf);
    rows(&buf)
}

#[test]
fn a_hint_stays_as_long_as_it_takes_to_read_however_fast_the_clock_runs() {
    let mut model = model();
    for speed in [1_u32, 20, 60] {
        told(&mut model, Rehearsal { speed, ..Rehearsal::default() });
        update(&mut model, begins(), Msg::Feed(Feed::Said("hint".into(), "look at the deploys".into())));
        let shown = |after: i64| view(&model, begins() + secs(after)).flash.is_some();
        let eight = 8 * i64::from(speed);
        assert!(shown(0) && shown(eight - 1) && !shown(eight), "at {speed}x");
    }
}

#[test]
fn the_real_world_is_on_the_screen_and_unknown_is_not_green() {
    let mut model = model();
    for (real, words, tone) in [
        (Real::Quiet { age: 10 }, "REAL: quiet 10s ago", Tone::Ok),
        (
            Real::NotKnown { why: "main unreachable since 03:00:00Z".into() },
            "REAL: not known: main unreach",
            Tone::Warn,
        ),
        (Real::Page { names: vec!["ApiDown".into()], age: 0 }, "REAL: 1 page firing: ApiDown", Tone::Crit),
    ] {
        let players = vec!["ada".into(), "bob".into()];
        told(&mut model, Rehearsal { real, players, ..Rehearsal::default() });
        let banner = view(&model, begins()).banners.remove(0);
        assert!(banner.text.starts_with(words) && banner.text.ends_with("2 play: ada, bob"), "{banner:?}");
        assert_eq!(banner.tone, tone);
    }
    told(&mut model, page(&["ApiDown"]));
    for size in [(40, 10), (80, 24)] {
        snapshot(&format!("drill_real_page_{}x{}", size.0, size.1), &screen(&model, size));
    }
}

#[test]
fn a_real_page_asks_once_and_gives_back_what_lay_under_it() {
    let mut model = model();
    update(&mut model, begins(), Msg::Act(Action::Declare));
    update(&mut model, begins(), Msg::Paste("half".into()));
    let before = model.nav.overlay.clone();
    assert!(matches!(before, Some(Overlay::Form(_))));
    let rings = told(&mut model, page(&["ApiDown"])).iter().filter(|e| **e == Effect::Bell).count();
    assert_eq!(rings, 1);
    let again = told(&mut model, page(&["ApiDown"]));
    assert!(!again.contains(&Effect::Bell), "the same page does not ring twice");
    // What was typed before it was seen, and what text is made of, is no answer.
    let mut out = update(&mut model, begins(), Msg::Key(Key::ctrl('x')));
    update(&mut model, begins(), Msg::Painted);
    for key in [Key::char('y'), Key::char('q'), Key::plain(Code::Enter), Key::plain(Code::Esc), Key::ctrl('c')] {
        out.extend(update(&mut model, begins(), Msg::Key(key)));
    }
    assert!(!out.iter().any(|e| matches!(e, Effect::Quit(_) | Effect::GoOn)), "{out:?}");
    assert!(update(&mut model, begins(), Msg::Key(Key::ctrl('g'))).contains(&Effect::GoOn));
    assert!(matches!(model.nav.overlay, Some(Overlay::RealPage { .. })), "until the drill says so");
    told(&mut model, page(&[]));
    assert_eq!(model.nav.overlay, before);
    told(&mut model, page(&["ApiDown", "DbDown"]));
    update(&mut model, begins(), Msg::Painted);
    assert!(update(&mut model, begins(), Msg::Key(Key::ctrl('x'))).contains(&Effect::Quit(0)));
}

fn hall() -> (Arc<Hall>, Arc<DrillClock>, Staged) {
    let clock = Arc::new(DrillClock::new(begins(), 1));
    let now = Arc::clone(&clock);
    let staged = Staged::new(stage(), Arc::new(move || now.now()));
    (Arc::new(Hall::new("DRILL-1", staged.clone(), Arc::clone(&clock))), clock, staged)
}

#[test]
fn the_clock_stands_until_somebody_sits_down_and_while_a_real_page_waits() {
    let (hall, clock, staged) = hall();
    assert_eq!(clock.pace(), 0);
    let heard: Arc<Mutex<Vec<Rehearsal>>> = Arc::default();
    let ears = Arc::clone(&heard);
    let number = hall
        .sit(
            "ada",
            Arc::new(move |msg| {
                if let Msg::Feed(Feed::Rehearsal(new)) = msg {
                    ears.lock().unwrap().push(*new);
                }
            }),
        )
        .unwrap();
    assert_eq!(clock.pace(), 1);
    assert!(hall.sit("ADA", Arc::new(|_| {})).unwrap_err().contains("plays already"));
    hall.real(Real::Quiet { age: 0 });
    hall.real(Real::Quiet { age: 0 });
    assert_eq!(heard.lock().unwrap().len(), 2, "nothing is told twice");
    let page = || Real::Page { names: vec!["ApiDown".into()], age: 0 };
    hall.real(page());
    assert_eq!((clock.pace(), heard.lock().unwrap().last().unwrap().asks.len()), (0, 1));
    // The page ends, the question stays; a facilitator cannot answer it.
    hall.real(Real::Quiet { age: 0 });
    assert!(hall.carry_out(Ask::Continue).error.unwrap().contains("real page"));
    assert_eq!(clock.pace(), 0);
    hall.go_on();
    assert_eq!(clock.pace(), 1);
    // It fires again, and that is new; while it fires on, it is not.
    hall.real(page());
    assert_eq!(clock.pace(), 0);
    hall.go_on();
    hall.real(page());
    hall.real(Real::NotKnown { why: "main unreachable".into() });
    hall.real(page());
    assert_eq!(clock.pace(), 1, "a look that failed makes no old page new");
    assert_eq!(hall.carry_out(Ask::Speed { times: 7 }).did.unwrap(), "the clock runs 7 times as fast as time");
    assert_eq!(clock.pace(), 7);
    hall.leave(number);
    assert_eq!(hall.seated(), 0);
    let kinds: Vec<&str> = staged.with(|stage| stage.log().iter().map(|e| e.what.kind()).collect());
    assert_eq!(kinds, ["player", "real_world", "real_world", "real_world", "real_world", "steering", "player"]);
}

/// The system calls of a drill with people: no other program, and of sockets the drill's own alone.
#[test]
fn a_traced_drill_with_people_opens_its_own_socket_alone() {
    if Command::new("strace").arg("-V").output().is_err() {
        return;
    }
    let machine = Machine::new();
    machine.write("config.yaml", "responder: {name: ada}\n");
    let trace = machine.dir.path().join("trace");
    let calls = "trace=execve,execveat,fork,vfork,clone,clone3,socket,socketpair,connect,bind,listen,kill";
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", calls, "-e", "signal=none", "-o"]).arg(&trace);
    command.arg(env!("CARGO_BIN_EXE_midwatch")).args(["drill", "run", "alert-storm", "--speed", "60"]);
    command.env_clear().env("HOME", machine.dir.path()).env("MIDWATCH_CONFIG", machine.config());
    command.env("MIDWATCH_DATA_DIR", machine.dir.path().join("d"));
    let mut drill = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = drill.stdout.take().unwrap();
    let mut said = [0_u8; 64];
    let begun = out.read(&mut said).unwrap_or(0);
    if begun == 0 && std::fs::read_to_string(&trace).unwrap_or_default().is_empty() {
        // A sandbox that lets nobody trace.
        drill.wait().unwrap();
        return;
    }
    for act in [&["fire", "1"][..], &["hint", "look"], &["say", "boss", "well?"], &["pause"], &["continue"], &["abort"]]
    {
        let done = machine.args(&[&["drill", "control"], act].concat());
        assert_eq!(done.code, 0, "{act:?}: {}", done.err);
    }
    drop(out.read_to_end(&mut Vec::new()));
    assert!(drill.wait().unwrap().success());
    let text = std::fs::read_to_string(&trace).unwrap();
    let calls: Vec<&str> = text.lines().filter(|line| !line.contains("+++") && !line.contains("---")).collect();
    let (started, rest): (Vec<&str>, Vec<&str>) = calls.into_iter().partition(|line| line.contains("execve("));
    assert_eq!(started.len(), 1, "only midwatch itself: {started:#?}");
    let bound: Vec<&&str> = rest.iter().filter(|line| line.contains("bind(")).collect();
    assert!(bound.len() == 1 && bound[0].contains("DRILL.sock"), "{bound:#?}");
    let own = |line: &&&str| {
        line.contains("CLONE_THREAD")
            || line.contains("AF_UNIX")
            || line.contains("listen(")
            || line.contains("resumed>")
    };
    let odd: Vec<&&str> = rest.iter().filter(|line| !own(line)).collect();
    assert!(odd.is_empty(), "{odd:#?}");
    assert!(!rest.iter().any(|line| line.contains("connect(")), "it connects to nobody");
}
