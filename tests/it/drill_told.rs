//! What a drill tells: to players in full however narrow their terminal, to the facilitator with conditions and the secret,
//! in its report what never came and what was said too early; and what lies beside scenarios is not taken for one.

use crate::cli::Machine;
use crate::drills::recorded;
use midwatch::app::effect::Effect;
use midwatch::app::facilitator::{Facilitator, Focus};
use midwatch::app::key::{Code, Key};
use midwatch::app::model::{Model, Setup};
use midwatch::app::msg::{Feed, Msg};
use midwatch::app::present::view;
use midwatch::app::screen::{Nav, Screen};
use midwatch::app::update::update;
use midwatch::domain::document::Level;
use midwatch::domain::drill::capture::{Source, capture};
use midwatch::domain::drill::facilitation::{Answer, Around, Ask, Observed};
use midwatch::domain::drill::history::Player;
use midwatch::domain::drill::report::{Played, markdown};
use midwatch::domain::drill::score::score;
use midwatch::domain::drill::script;
use midwatch::domain::drill::stage::Stage;
use midwatch::domain::incident::event::{Body, Event};
use midwatch::domain::incident::state::Incident;
use midwatch::domain::time::{Timestamp, mins, secs};
use midwatch::io::fake::staged::Staged;
use midwatch::run::drill::clock::{DrillClock, Hold};
use midwatch::run::drill::hall::Hall;
use midwatch::run::drill::headless::{Finished, Responder, play};
use midwatch::run::drill::shelf;
use midwatch::run::sim::setup;
use midwatch::ui::glyphs::Glyphs;
use midwatch::ui::screen::facilitator;
use midwatch::ui::theme::Theme;
use midwatch::ui::view::draw;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::path::Path;
use std::sync::Arc;

fn begins() -> Timestamp {
    "2026-05-03T03:00:00Z".parse().unwrap()
}

fn rows(buf: &Buffer) -> String {
    let row = |y| (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..buf.area.height).map(row).collect::<Vec<_>>().join("\n")
}

/// The words of a screen, whatever rows they stand in.
fn words(screen: &str) -> String {
    screen.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shown(model: &Model, (w, h): (u16, u16), at: Timestamp) -> String {
    let area = Rect::new(0, 0, w, h);
    let mut buf = Buffer::empty(area);
    draw(&view(model, at), &Theme::named("mono").unwrap(), Glyphs::Ascii, area, &mut buf);
    rows(&buf)
}

#[test]
fn a_brief_is_read_in_full_when_it_comes_and_afterwards() {
    for shelved in shelf::shipped().0 {
        let brief = words(&shelved.scenario.brief);
        let mut model = Model::new(setup("ada"), Vec::new(), Vec::new());
        update(&mut model, begins(), Msg::Resized(80, 24));
        update(&mut model, begins(), Msg::Feed(Feed::Said("brief".into(), brief.clone())));
        let first = words(&shown(&model, (80, 24), begins()));
        assert!(first.contains(&brief) || brief.len() > 230, "{}: {first}", shelved.scenario.id);
        model.nav = Nav::at(Screen::Messages);
        let later = begins() + mins(10);
        for size in [(80, 24), (120, 40)] {
            let all = shown(&model, size, later);
            assert!(words(&all).contains(&brief), "{} at {size:?}:\n{all}", shelved.scenario.id);
        }
    }
}

#[test]
fn a_long_message_takes_rows_and_leaves_the_keys() {
    let mut model = Model::new(setup("ada"), Vec::new(), Vec::new());
    update(&mut model, begins(), Msg::Resized(80, 24));
    update(&mut model, begins(), Msg::Feed(Feed::Said("ceo".into(), "word ".repeat(200))));
    let screen = shown(&model, (80, 24), begins());
    let lines: Vec<&str> = screen.lines().collect();
    assert!(lines[20].starts_with("ceo: word") && lines[22].ends_with(".."), "{screen}");
    assert!(lines[23].contains("help"), "{screen}");
    // Where there are no rows to spare, it keeps to one.
    let small = shown(&model, (40, 10), begins());
    assert_eq!(small.matches("ceo:").count(), 1, "{small}");
    assert!(small.lines().nth(8).unwrap().starts_with("ceo:"), "{small}");
}

fn stage() -> Stage {
    let all = shelf::shipped().0;
    Stage::new(all.into_iter().find(|s| s.scenario.id == "pool-exhaustion").unwrap().scenario, 1)
}

#[test]
fn a_facilitator_sees_the_secret_and_what_an_inject_depends_on() {
    let mut stage = stage();
    stage.advance(begins() + mins(6));
    let seen =
        Observed::of(&stage, begins() + mins(6), Around { name: "DRILL-1".into(), speed: 1, ..Around::default() });
    let given: Vec<&str> = seen.injects.iter().map(|i| i.given.as_str()).collect();
    assert_eq!((given[0], given[3], given[6]), ("", "unless `declared`", "if `action: scale`"));
    let mut screen = Facilitator::default();
    screen.answered(Answer { drill: Some(Box::new(seen)), ..Answer::default() });
    screen.cursor = Some("#4".into());
    let area = Rect::new(0, 0, 80, 24);
    let mut buf = Buffer::empty(area);
    facilitator::draw(&screen, &Theme::named("mono").unwrap(), Glyphs::Ascii, area, &mut buf);
    let text = words(&rows(&buf));
    assert!(text.contains(&words(&stage.scenario().secret)), "{text}");
    assert!(text.contains(
        "unless `declared`: support says: Three customers report time-outs at checkout. Is something wrong?"
    ));
    // The last of what is expected is reached from the keyboard.
    screen.focus = Focus::Score;
    screen.row = usize::MAX;
    facilitator::draw(&screen, &Theme::named("mono").unwrap(), Glyphs::Ascii, area, &mut buf);
    assert!(rows(&buf).contains("no command of risk destroy or worse"), "{}", rows(&buf));
}

fn report(finished: &Finished) -> String {
    let score = score(&finished.stage);
    markdown(&Played {
        drill: "DRILL-1",
        stage: &finished.stage,
        events: &finished.events,
        score: &score,
        library: &[],
        player: Player::Script,
        real: None,
    })
}

fn scripted(stage: Stage, acts: &str) -> Finished {
    let (lines, findings) = script::read("acts", acts);
    assert!(findings.is_empty(), "{findings:?}");
    play(stage, Vec::new(), "ada", Responder::Script(lines), &mut || {})
}

#[test]
fn a_report_tells_what_never_came_and_what_was_said_too_early() {
    let acts = "acts:\n  - {page: 30s, declare: slow, severity: SEV2}\n  - {then: 30s, mitigated: true}\n";
    let mut scenario = stage().scenario().as_ref().clone();
    scenario.duration = mins(10);
    let finished = scripted(Stage::new(Arc::new(scenario), 1), acts);
    let told = report(&finished);
    assert!(told.contains("inject \\#6 did not come before the end: prometheus is down for 3m"), "{told}");
    assert!(told.contains("inject \\#7 did not come before the end: api.p95 is 7 (if \\`action: scale\\`)"), "{told}");
    assert!(!told.contains("\\#1 did not come"), "{told}");
    let score = score(&finished.stage);
    let early = score.items.iter().find(|item| item.sort.word() == "claim").unwrap();
    assert_eq!((early.points, early.ok, early.of), (0, false, 0));
    assert!(early.why.contains("api.p95"), "{}", early.why);
    assert!(told.contains("said to be mitigated: it still hurt"), "{told}");
}

#[test]
fn who_says_it_when_it_is_so_is_not_blamed() {
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/drills/pool-exhaustion.yaml"),
    )
    .unwrap();
    let (lines, _) = script::read("acts", &text);
    let all = shelf::shipped().0;
    let shelved = all.into_iter().find(|s| s.scenario.id == "pool-exhaustion").unwrap();
    let stage = Stage::new(Arc::clone(&shelved.scenario), 4);
    let finished = play(stage, shelf::books(&shelved.runbooks), "ada", Responder::Script(lines), &mut || {});
    let score = score(&finished.stage);
    assert!(score.items.iter().all(|item| item.sort.word() != "claim"), "{:#?}", score.items);
    assert_eq!(score.points, score.of);
}

/// The incident as it was, but over `after` so many seconds after it was declared.
fn hurried(after: i64) -> (Vec<Event>, Incident) {
    let (events, ..) = recorded();
    let declared = events.iter().find(|e| matches!(e.body, Body::Declared { .. })).unwrap().recorded_at;
    let kept = |e: &&Event| matches!(e.body, Body::Declared { .. } | Body::Acknowledged | Body::Resolved { .. });
    let mut short: Vec<Event> = events.iter().filter(kept).cloned().collect();
    for event in short.iter_mut().filter(|e| !matches!(e.body, Body::Declared { .. })) {
        (event.at, event.recorded_at) = (declared + secs(after), declared + secs(after));
    }
    let incident = Incident::fold(&short).unwrap();
    (short, incident)
}

#[test]
fn a_short_incident_can_be_played_to_all_its_points() {
    for after in [0, 5, 20, 400] {
        let (events, incident) = hurried(after);
        let captured = capture(&Source { incident: &incident, events: &events, objectives: &[], runbooks: &[] });
        let (shelved, findings) = shelf::of_text(Path::new("from.yaml"), &captured.scenario);
        assert!(findings.iter().all(|f| f.level != Level::Error), "{findings:?}\n{}", captured.scenario);
        let finished = scripted(Stage::new(shelved.unwrap().scenario, 1), &captured.script);
        assert_eq!(finished.stage.ended().unwrap().why, "resolved");
        let score = score(&finished.stage);
        let well = score.items.iter().find(|item| item.id == "well").unwrap();
        assert!(well.ok, "over {after}s after it was declared: {well:?}\n{}\n{}", captured.scenario, captured.script);
        assert!(score.times.mitigate.is_some());
    }
}

#[test]
fn what_lies_beside_scenarios_is_not_taken_for_one() {
    let machine = Machine::new();
    let runbook = include_str!("../../assets/scenarios/runbooks/bad-deploy.yaml");
    machine.write("runbooks/own.yaml", runbook);
    machine.write(
        "scenarios/mine.yaml",
        &include_str!("../../assets/scenarios/bad-deploy.yaml").replace("id: bad-deploy", "id: mine"),
    );
    machine.write("scenarios/runbooks/bad-deploy.yaml", runbook);
    machine.write("scenarios/mine.acts.yaml", "acts:\n  - {page: 1m, declare: it fails}\n");
    machine.write("config.yaml", "responder: {name: ada}\nrunbooks: [runbooks/]\nscenarios: [scenarios/]\n");
    let check = machine.run("check -o json");
    assert_eq!(check.code, 0, "{}", check.out);
    let list = machine.run("drill list");
    assert_eq!((list.code, list.err.as_str()), (0, ""), "{}", list.out);
    assert!(list.out.contains("mine"), "{}", list.out);
    // A script is checked as what it is.
    machine.write("scenarios/mine.acts.yaml", "acts:\n  - {page: 1m, declar: it fails}\n");
    let check = machine.run("check");
    assert_eq!(check.code, 1);
    assert!(check.out.contains("mine.acts.yaml:2:16: error: unknown key `declar`"), "{}", check.out);
    assert!(!check.out.contains("in the scenario"), "{}", check.out);
    let empty = machine.write("empty.yaml", "");
    let told = machine.args(&["check", &empty.to_string_lossy()]);
    assert!(told.out.contains("empty.yaml:1:1: error"), "{}", told.out);
}

#[test]
fn the_history_keeps_to_milliseconds_and_knows_scenarios() {
    let machine = Machine::new();
    assert_eq!(machine.run("drill run bad-deploy --headless").code, 0);
    let history = machine.run("drill report -o json").json();
    let one = machine.run("drill report bad-deploy -o json").json();
    assert_eq!(one["scenario"], "bad-deploy");
    for record in [&history["drills"][0], &one] {
        for key in ["began_at", "ended_at"] {
            let at = record[key].as_str().unwrap();
            assert!(at.len() == "2026-05-01T03:12:04.123Z".len() && at.ends_with('Z'), "{key}: {at}");
        }
    }
}

#[test]
fn what_was_seen_beside_stands_under_the_score() {
    let machine = Machine::new();
    machine.write("acts.yaml", "acts:\n  - {page: 5s, declare: it fails}\n  - {then: 5s, mitigated: true}\n");
    let out = machine.run("drill run bad-deploy --headless --responder script c/acts.yaml");
    assert_eq!(out.code, 0, "{}", out.err);
    let beside = out.out.lines().position(|line| line.starts_with("said to be mitigated: it still hurt: "));
    let table = out.out.lines().position(|line| line.contains("POINTS") && line.contains("EXPECTED"));
    assert!(table.unwrap() < beside.unwrap(), "{}", out.out);
}

#[test]
fn what_a_scenario_expects_in_vain_is_told() {
    let text =
        include_str!("../../assets/scenarios/bad-deploy.yaml").replace("runbooks: [runbooks/bad-deploy.yaml]\n", "");
    let more = "  - {id: sev9, event: severity, is: SEV9, points: 5}\nend:";
    let text =
        text.replacen("end:", more, 1).replacen("commands:", "  - {at: 5m, do: mend, target: tracker}\ncommands:", 1);
    let (_, findings) = shelf::of_text(Path::new("x.yaml"), &text);
    let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
    for word in ["a drill has no severity `SEV9` (expected one of: SEV1, SEV2", "nothing makes tracker fail"] {
        assert!(told.iter().any(|t| t.contains(word)), "{word}: {told:#?}");
    }
}

#[test]
fn what_is_copied_out_of_a_drill_does_nothing_where_it_is_pasted() {
    let runbook = include_str!("../../assets/scenarios/runbooks/pool-exhaustion.yaml");
    let book = midwatch::domain::runbook::format::read("pool.yaml", runbook).0.unwrap();
    let id = book.id.clone();
    for (simulated, mark) in [(Some("DRILL"), "# DRILL "), (None, "")] {
        let mut model = Model::new(Setup { simulated, ..setup("ada") }, Vec::new(), Vec::new());
        model.library = vec![Arc::new(book.clone())];
        model.nav = Nav::at(Screen::Walk(None, id.clone()));
        let out = update(&mut model, begins(), Msg::Key(Key::plain(Code::Enter)));
        let copied = out.iter().find_map(|effect| match effect {
            Effect::Copy { text, .. } => Some(text.clone()),
            _ => None,
        });
        let copied = copied.unwrap_or_else(|| panic!("{out:?} {:?}", view(&model, begins()).flash));
        assert!(copied.contains("kubectl"), "{copied}");
        assert!(copied.lines().all(|line| line.starts_with(mark)), "{copied}");
        assert_eq!(copied.contains("DRILL"), simulated.is_some());
    }
}

#[test]
fn the_clock_jumps_to_the_next_inject_and_never_while_it_stands() {
    let clock = Arc::new(DrillClock::new(begins(), 1));
    let now = Arc::clone(&clock);
    let staged = Staged::new(stage(), Arc::new(move || now.now()));
    let hall = Hall::new("DRILL-1", staged.clone(), Arc::clone(&clock));
    assert!(hall.carry_out(Ask::Jump).error.unwrap().contains("nobody plays"));
    clock.release(Hold::Table);
    let said = hall.carry_out(Ask::Jump).did.unwrap();
    assert!(said.starts_with("the clock jumped to #1"), "{said}");
    assert!(clock.now() >= begins() + mins(3));
    assert_eq!(staged.with(|stage| (stage.came("#1"), stage.came("#3"))), (Some(begins() + mins(3)), None));
    // What lies between happens: the alert waits its time and fires on the way.
    for _ in 0..2 {
        assert!(hall.carry_out(Ask::Jump).did.is_some());
    }
    let kinds: Vec<&str> = staged.with(|stage| stage.log().iter().map(|e| e.what.kind()).collect());
    assert!(kinds.contains(&"alert") && kinds.contains(&"steering"), "{kinds:?}");
    assert!(staged.with(|stage| stage.came("#4")).is_some());
    clock.hold(Hold::RealPage);
    assert!(hall.carry_out(Ask::Jump).error.unwrap().contains("a real page"));
}
