//! The commander's desk, played with keys on the simulated production, and as a script sees it.

use crate::cli::Machine;
use midwatch::app::action::Action;
use midwatch::app::key::{Code, Key};
use midwatch::app::model::Setup;
use midwatch::app::msg::Msg;
use midwatch::app::present::view::Body;
use midwatch::app::present::{items, view};
use midwatch::app::screen::{Item, Overlay, Screen};
use midwatch::domain::escalation::timer::TimerState;
use midwatch::domain::ids::IncidentId;
use midwatch::domain::incident::board::{Belief, Stand};
use midwatch::domain::incident::state::Incident;
use midwatch::domain::time::{Timestamp, mins, secs};
use midwatch::run::sim::{Simulator, setup};
use serde_json::Value;

fn start() -> Timestamp {
    "2026-05-01T03:12:04Z".parse().unwrap()
}

fn sim() -> Simulator {
    let mut sim = Simulator::new(Setup { simulated: None, ..setup("ada") }, start(), 7, secs(30));
    sim.pass(secs(60));
    sim
}

fn enter(sim: &mut Simulator) {
    sim.key(Key::plain(Code::Enter));
    sim.pass(secs(2));
}

/// Fills the fields of a form, one text each; choices are moved with `>`.
fn form(sim: &mut Simulator, fields: &[&str]) {
    for text in fields {
        for c in text.chars() {
            match c {
                '>' => sim.key(Key::plain(Code::Right)),
                '<' => (0..40).for_each(|_| sim.key(Key::plain(Code::Backspace))),
                c => sim.key(Key::char(c)),
            }
        }
        sim.key(Key::plain(Code::Tab));
    }
    enter(sim);
    let overlay = &sim.model().nav.overlay;
    assert!(!matches!(overlay, Some(Overlay::Form(_))), "the form refused: {overlay:?}");
}

fn declare(sim: &mut Simulator, title: &str) -> IncidentId {
    sim.key(Key::char('1'));
    sim.send(Msg::Act(Action::Declare));
    form(sim, &[&format!("<{title}")]);
    if sim.model().nav.overlay.is_some() {
        // It asks whether the on-call is to be paged; not here.
        sim.key(Key::plain(Code::Esc));
    }
    match sim.model().nav.screen() {
        Screen::Incident(id) => id.clone(),
        other => panic!("{other:?}"),
    }
}

fn state<'s>(sim: &'s Simulator, id: &IncidentId) -> &'s Incident {
    &sim.model().desk.cases[id].shown
}

fn select(sim: &mut Simulator, wanted: impl Fn(&Item) -> bool) {
    sim.key(Key::char('g'));
    for _ in 0..200 {
        if items::selected(sim.model(), sim.now()).is_some_and(|i| wanted(&i)) {
            return;
        }
        sim.key(Key::plain(Code::Down));
    }
    panic!("no such row: {:?}", items::panes(sim.model(), sim.now()));
}

#[test]
fn two_keys_a_text_and_enter_for_everything_a_commander_keeps() {
    let mut sim = sim();
    let id = declare(&mut sim, "Checkout fails");
    sim.key(Key::char('0'));
    assert_eq!(sim.model().nav.screen(), &Screen::Board(id.clone()));

    sim.key(Key::char('w'));
    form(&mut sim, &["ask the database team", "bob", "<5m"]);
    sim.key(Key::char('i'));
    form(&mut sim, &["the pool is too small"]);
    sim.key(Key::char('p'));
    form(&mut sim, &["roll back now"]);
    sim.key(Key::char('d'));
    form(&mut sim, &["no more deploys tonight"]);
    let i = state(&sim, &id);
    assert_eq!(i.board.tasks[0].owner.as_deref(), Some("bob"));
    assert_eq!(i.board.hypotheses[0].belief, Belief::Open);
    let stands: Vec<&Stand> = i.board.decisions.iter().map(|d| &d.stand).collect();
    assert_eq!(stands, [&Stand::Proposed, &Stand::Chosen]);
    let here: Vec<&str> = i.board.present().into_iter().map(|(name, _)| name).collect();
    assert_eq!(here, ["ada", "bob"], "who acts and who has a task is in");

    // The time box falls due and rings; T asks what became of it.
    sim.pass(mins(6));
    let timers = midwatch::app::present::timers::of(sim.model(), state(&sim, &id), sim.now());
    let boxed = timers.iter().find(|t| t.label == "bob: ask the database team").unwrap();
    assert_eq!((boxed.state, boxed.recorded), (TimerState::Due, true));
    let late = format!("{:?}", view(sim.model(), sim.now()));
    assert!(late.contains("1 TASK(S) OVERDUE"), "{late}");
    select(&mut sim, |i| matches!(i, Item::Task(_)));
    enter(&mut sim);
    form(&mut sim, &[">", ""]);
    assert_eq!(state(&sim, &id).board.tasks[0].until.unwrap() - sim.now(), mins(5) - secs(2));
    enter(&mut sim);
    form(&mut sim, &["", "they restart the primary"]);
    assert_eq!(state(&sim, &id).board.tasks[0].word(), "done");

    select(&mut sim, |i| matches!(i, Item::Decision(_)));
    enter(&mut sim);
    form(&mut sim, &[">", "the schema has changed since"]);
    assert_eq!(state(&sim, &id).board.decisions[0].objections.len(), 1);
    enter(&mut sim);
    form(&mut sim, &["", ""]);
    assert_eq!(state(&sim, &id).board.decisions[0].stand, Stand::Chosen);

    select(&mut sim, |i| matches!(i, Item::Hypothesis(_)));
    enter(&mut sim);
    form(&mut sim, &["", "half of the connections wait"]);
    assert_eq!(state(&sim, &id).board.hypotheses[0].belief, Belief::Confirmed);

    // A line of the playbook is ticked by Enter alone, and taken back by u.
    select(&mut sim, |i| matches!(i, Item::Tick(..)));
    enter(&mut sim);
    assert_eq!(state(&sim, &id).board.ticks.len(), 1);
    sim.key(Key::char('u'));
    sim.pass(secs(2));
    assert_eq!(state(&sim, &id).board.ticks.len(), 0);
    assert!(sim.wrong().is_empty(), "{:?}", sim.wrong());
}

#[test]
fn an_update_is_drafted_from_the_facts_and_its_promise_is_a_timer() {
    let mut sim = sim();
    let id = declare(&mut sim, "Checkout fails");
    sim.key(Key::char('U'));
    let Some(Overlay::Form(draft)) = &sim.model().nav.overlay else { panic!("no form") };
    let text = draft.value("text");
    assert!(text.starts_with("Conditions: SEV"), "{text}");
    assert!(text.contains("Needs: a commander."), "{text}");
    form(&mut sim, &["", "", "<12m"]);
    let i = state(&sim, &id);
    assert!(i.times.last_update.is_some());
    let next = i.board.promised.unwrap();
    let timers = midwatch::app::present::timers::of(sim.model(), i, sim.now());
    let update = timers.iter().find(|t| t.label == "next status update").unwrap();
    assert_eq!((update.due_at, update.state), (next, TimerState::Running));
    assert!(next - sim.now() > mins(11));
    // The hand-off says what there is, and what there is not; the room has been told by then.
    sim.pass(mins(1));
    sim.key(Key::char('H'));
    let lines = midwatch::app::present::board::handoff_lines(sim.model(), sim.now(), &id).join("\n");
    for part in
        ["WHO", "commander -none-", "NEEDS\n  a commander", "OPEN TASKS\n  none", "NOT SENT YET\n  nothing waits"]
    {
        assert!(lines.contains(part), "{part} is missing in\n{lines}");
    }
    assert!(matches!(view(sim.model(), sim.now()).body, Body::HandOff(_)));
}

#[test]
fn a_merge_asks_for_its_word_closes_one_and_points_both_ways() {
    let mut sim = sim();
    let first = declare(&mut sim, "Checkout fails");
    sim.pass(secs(5));
    let second = declare(&mut sim, "Payments fail");
    sim.send(Msg::Act(Action::Merge));
    form(&mut sim, &[&format!("<{first}")]);
    let Some(Overlay::Confirm(confirm)) = &sim.model().nav.overlay else { panic!("no question") };
    let word = confirm.token.clone().unwrap();
    // Enter alone is never yes.
    enter(&mut sim);
    assert!(state(&sim, &second).is_open());
    sim.type_text(&word);
    enter(&mut sim);
    assert!(!state(&sim, &second).is_open());
    assert_eq!(state(&sim, &second).board.merged_into(), Some(&first));
    assert_eq!(state(&sim, &first).board.ties[0].other, second);
    let timers = midwatch::app::present::timers::of(sim.model(), state(&sim, &second), sim.now());
    assert!(
        timers.iter().all(|t| t.label != "postmortem draft"),
        "the postmortem is that of the incident that goes on"
    );
    sim.pass(mins(1));
    sim.settle();
    assert!(sim.wrong().is_empty(), "{:?}", sim.wrong());
}

#[test]
fn nothing_is_given_in_read_only_mode_and_the_keys_say_why() {
    let mut sim = Simulator::new(Setup { simulated: None, read_only: true, ..setup("ada") }, start(), 7, secs(30));
    sim.pass(secs(60));
    for action in [Action::Task, Action::Propose, Action::Update, Action::Merge, Action::Relate, Action::People] {
        let why = midwatch::app::present::available::why_not(sim.model(), sim.now(), action);
        assert_eq!(why.as_deref(), Some("read-only: nothing is changed and nothing is run"), "{action:?}");
    }
}

fn machine() -> Machine {
    let machine = Machine::new();
    machine.write("config.yaml", "responder: {name: alice}\ntime_zone: UTC\n");
    machine
}

fn declared(machine: &Machine, title: &str) -> String {
    let out = machine.args(&["incident", "declare", "--title", title, "--severity", "SEV1"]);
    assert_eq!(out.code, 0, "{}", out.err);
    out.out.trim().to_owned()
}

fn done(machine: &Machine, args: &[&str]) {
    let out = machine.args(&[&["incident"], args].concat());
    assert_eq!((out.code, out.out.as_str(), out.err.as_str()), (0, "", ""), "{args:?}");
}

fn show(machine: &Machine, id: &str) -> Value {
    machine.args(&["incident", "show", id, "-o", "json"]).json()
}

fn number(of: &Value) -> String {
    of["id"].as_str().unwrap().rsplit_once('#').unwrap().1.to_owned()
}

#[test]
fn the_desk_is_a_command_too() {
    let machine = machine();
    let id = declared(&machine, "API slow");
    let id = id.as_str();
    done(&machine, &["task", id, "look at the pool", "--owner", "bob", "--in", "10m"]);
    done(&machine, &["decide", id, "fail over", "--propose"]);
    done(&machine, &["hypothesis", id, "the pool is too small"]);
    done(&machine, &["checklist", id, "--tick", "1"]);
    done(&machine, &["people", id, "carol"]);
    let json = show(&machine, id);
    let task = &json["tasks"][0];
    assert_eq!((task["owner"].as_str(), task["state"].as_str()), (Some("bob"), Some("open")));
    assert!(task["due_at"].is_string());
    assert!(json["timers"].as_array().unwrap().iter().any(|t| t["kind"] == "task" && t["state"] == "running"));
    assert_eq!(json["checklist"][0]["phase"], "immediate");
    let (task, decision, guess) = (number(task), number(&json["decisions"][0]), number(&json["hypotheses"][0]));

    done(&machine, &["decide", id, "--object", &decision, "it was never tried"]);
    done(&machine, &["decide", id, "--choose", &decision]);
    done(&machine, &["hypothesis", id, "--reject", &guess, "it is half empty"]);
    done(&machine, &["task", id, "--extend", &task, "--in", "20m"]);
    done(&machine, &["task", id, "--done", &task, "--reason", "nothing there"]);
    let json = show(&machine, id);
    assert_eq!(json["tasks"][0]["outcome"], "nothing there");
    assert_eq!(
        (json["decisions"][0]["state"].as_str(), json["decisions"][0]["decided_by"].as_str()),
        (Some("decided"), Some("alice"))
    );
    assert_eq!(json["decisions"][0]["objections"][0]["text"], "it was never tried");
    assert_eq!(json["hypotheses"][0]["state"], "rejected");

    let refused = machine.args(&["incident", "task", id, "--done", &task]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("\"look at the pool\" is done already"), "{}", refused.err);
    let refused = machine.args(&["incident", "decide", id, "--choose", "999"]);
    assert!(refused.err.contains("there is no decision `999`"), "{}", refused.err);
    let refused = machine.args(&["incident", "task", id, "x", "--in", "soon"]);
    assert_eq!(refused.code, 2, "{}", refused.err);

    let list = machine.args(&["incident", "checklist", id]);
    assert!(list.out.contains("alice"), "{}", list.out);
}

#[test]
fn updates_hand_offs_and_merges_are_commands_too() {
    let machine = machine();
    let (one, two) = (declared(&machine, "API slow"), declared(&machine, "Web slow"));
    let draft = machine.args(&["incident", "update", &one, "-o", "json"]);
    let text = draft.json()["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("Conditions: SEV1 API slow, investigating"), "{text}");
    done(&machine, &["update", &one, &text, "--audience", "support", "--next", "25m"]);
    let json = show(&machine, &one);
    assert!(json["next_update_at"].is_string());
    done(&machine, &["relate", &one, &two, "--reason", "the same load balancer"]);
    assert_eq!(show(&machine, &two)["links"][0]["incident"], one.as_str());
    let merged = machine.args(&["incident", "merge", &two, "--into", &one]);
    assert_eq!(merged.code, 0, "{}", merged.err);
    let json = show(&machine, &two);
    assert_eq!((json["status"].as_str(), json["merged_into"].as_str()), (Some("resolved"), Some(one.as_str())));
    let hand = machine.args(&["incident", "handoff", &one]);
    assert!(hand.out.contains(&format!("took over {two}")), "{}", hand.out);
    let again = machine.args(&["incident", "merge", &two, "--into", &one]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("is resolved; reopen it first"), "{}", again.err);
}
