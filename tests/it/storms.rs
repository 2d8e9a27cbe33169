//! Storms: random keys, pastes, actions, answers that are good, faulty, late, doubled or of nobody, wakes, resizes and
//! clock jumps. Nothing may panic, nothing dangerous may happen without its word, and every frame can be built at any time.

use midwatch::app::action::{ACTIONS, Action};
use midwatch::app::confirm::Deed;
use midwatch::app::effect::Effect;
use midwatch::app::key::{Code, Key};
use midwatch::app::model::Model;
use midwatch::app::msg::{Feed, Msg, Reply};
use midwatch::app::present::available::why_not;
use midwatch::app::present::{items, view};
use midwatch::app::screen::{Overlay, Screen};
use midwatch::domain::alert::AlertSnapshot;
use midwatch::domain::exec::CommandNews;
use midwatch::domain::fault::{Fault, FaultKind};
use midwatch::domain::ids::ReqId;
use midwatch::domain::incident::decide::Command;
use midwatch::domain::incident::event::Body;
use midwatch::domain::time::{Timestamp, mins, secs};
use midwatch::run::sim::{Chances, Simulator, setup};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Gust {
    Key(Key),
    Act(usize),
    Paste(String),
    Stray(u64, u8),
    Wake,
    Resize(u16, u16),
    Focus(bool),
    Told(i64),
    Silent(i64),
    Asleep(i64),
    Pass(i64),
    Weather(bool, bool),
    /// What a person does who means it: types the word of the box, or fills in the form.
    Mean,
}

fn gust() -> impl Strategy<Value = Gust> {
    let letters = "aidnsvcmexpfruTLEyN+oq/:?!123456788bjkhlgGtwRY~\u{e9}";
    let letter = proptest::sample::select(letters.chars().collect::<Vec<_>>()).prop_map(Key::char);
    let named = proptest::sample::select(vec![
        Code::Enter,
        Code::Enter,
        Code::Enter,
        Code::Esc,
        Code::Tab,
        Code::BackTab,
        Code::Backspace,
        Code::Delete,
        Code::Up,
        Code::Down,
        Code::Left,
        Code::Right,
        Code::PageUp,
        Code::PageDown,
        Code::Home,
        Code::End,
        Code::F(1),
    ]);
    let ctrl = proptest::sample::select("cdlpuxzwk".chars().collect::<Vec<_>>()).prop_map(Key::ctrl);
    prop_oneof![
        12 => letter.prop_map(Gust::Key),
        8 => named.prop_map(|c| Gust::Key(Key::plain(c))),
        2 => ctrl.prop_map(Gust::Key),
        4 => (0..ACTIONS.len()).prop_map(Gust::Act),
        8 => Just(Gust::Mean),
        1 => "[ -~\\n\\t\u{1b}\u{202e}\u{0}é日]{0,40}".prop_map(Gust::Paste),
        1 => (0u64..400, any::<u8>()).prop_map(|(req, kind)| Gust::Stray(req, kind)),
        2 => Just(Gust::Wake),
        1 => (0u16..300, 0u16..100).prop_map(|(c, r)| Gust::Resize(c, r)),
        1 => any::<bool>().prop_map(Gust::Focus),
        1 => (-90_000i64..90_000).prop_map(Gust::Told),
        1 => (-4_000i64..4_000).prop_map(Gust::Silent),
        1 => (0i64..20_000).prop_map(Gust::Asleep),
        8 => (0i64..90).prop_map(Gust::Pass),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(unkind, broken)| Gust::Weather(unkind, broken)),
    ]
}

fn start() -> Timestamp {
    "2026-05-01T03:12:04Z".parse().unwrap()
}

fn stray(req: u64, kind: u8) -> Msg {
    let fault = Fault::new(FaultKind::Malformed, "stray", "\u{1b}[2J");
    let reply = match kind % 7 {
        0 => Reply::Alerts(Err(fault)),
        1 => Reply::Alerts(Ok(AlertSnapshot { peers: 2, answered: 2, ..AlertSnapshot::default() })),
        2 => Reply::Measured(Err(fault)),
        3 => Reply::Charted(Err(fault)),
        4 => Reply::Draft(Err(fault)),
        5 => Reply::Copied(Err(fault)),
        _ => Reply::Command(CommandNews::Output("\u{1b}]52;c;x\u{7}\n".repeat(40))),
    };
    Msg::Reply(ReqId(req), reply)
}

/// A box whose word was typed, on the screen, about to be confirmed with this key.
fn meant(before: &Model, msg: &Msg) -> Option<Deed> {
    let (Some(Overlay::Confirm(confirm)), Msg::Key(key)) = (&before.nav.overlay, msg) else { return None };
    let sure = match &confirm.token {
        Some(token) => key.code == Code::Enter && confirm.typed.text().trim() == token,
        None => *key == Key::char('y') || (confirm.enter && key.code == Code::Enter),
    };
    (confirm.painted && sure).then(|| confirm.deed.clone())
}

fn dangerous(
    before: &Model,
    now: Timestamp,
    msg: &Msg,
    after: &Model,
    effects: &[(Timestamp, Effect)],
) -> Result<(), TestCaseError> {
    let deed = meant(before, msg);
    for (_, effect) in effects {
        match effect {
            Effect::Run { spec, .. } => {
                prop_assert!(before.armed(now), "ran while commands were off");
                let shown = match &deed {
                    Some(Deed::Run(run)) => vec![&run.spec],
                    Some(Deed::Reads(runs)) if runs.iter().all(|run| run.reads()) => {
                        runs.iter().map(|run| &run.spec).collect()
                    }
                    _ => return Err(TestCaseError::fail(format!("ran after {msg:?}"))),
                };
                prop_assert!(shown.contains(&spec), "another command than the one shown");
            }
            Effect::Stop { .. } => prop_assert_eq!(&deed, &Some(Deed::Stop)),
            Effect::Append { events, .. } => {
                for event in events.iter().filter(|e| e.recorded_at == now) {
                    let kept =
                        before.desk.cases.values().flat_map(|c| &c.unsaved).flat_map(|(_, e)| e).any(|e| e == event);
                    if matches!(event.body, Body::Resolved { .. }) && !kept {
                        let by_word = matches!(&deed, Some(Deed::Incident(_, Command::Resolve(_))));
                        prop_assert!(by_word, "resolved after {:?}", msg);
                    }
                }
            }
            _ => {}
        }
    }
    if after.exec.armed_until.is_some() && before.exec.armed_until.is_none() {
        prop_assert_eq!(&deed, &Some(Deed::Arm));
    }
    Ok(())
}

fn sound(model: &Model, now: Timestamp) -> Result<(), TestCaseError> {
    let panes: Vec<_> = items::panes(model, now).into_iter().flatten().collect();
    match items::selected(model, now) {
        Some(chosen) => prop_assert!(panes.contains(&chosen), "{chosen:?} is not on the screen"),
        None => prop_assert!(panes.is_empty(), "nothing is selected"),
    }
    if let Screen::Incident(id) = model.nav.screen() {
        prop_assert!(model.desk.cases.contains_key(id), "{id} is shown and not there");
    }
    let frame = view(model, now);
    for hint in &frame.hints {
        let key = Key::parse(&hint.key).map_err(TestCaseError::fail)?;
        if model.nav.overlay.is_some() {
            // What lies on top has keys of its own.
            continue;
        }
        let action = model.setup.keymap.action(model.nav.screen(), key);
        let Some(action) = action else {
            return Err(TestCaseError::fail(format!("{key} is hinted and bound to nothing")));
        };
        prop_assert_eq!(&why_not(model, now, action), &hint.why_not, "{} is greyed otherwise than {:?}", key, action);
    }
    let hinted = |key: &str| frame.hints.iter().any(|h| h.key == key);
    let helped = if model.nav.overlay.is_some() { hinted("Esc") } else { hinted("?") && hinted("q") };
    prop_assert!(helped);
    prop_assert_eq!(frame.overlay.is_some(), model.nav.overlay.is_some());
    Ok(())
}

/// Sends one message and judges what it did.
fn step(sim: &mut Simulator, msg: Msg) -> Result<(), TestCaseError> {
    if sim.is_over() {
        return Ok(());
    }
    let (before, done, now) = (sim.model().clone(), sim.log().len(), sim.now());
    sim.send(msg.clone());
    dangerous(&before, now, &msg, sim.model(), &sim.log()[done..])?;
    sound(sim.model(), sim.now())
}

fn mean(sim: &mut Simulator) -> Result<(), TestCaseError> {
    match sim.model().nav.overlay.clone() {
        Some(Overlay::Confirm(confirm)) => {
            sim.pass(secs(1));
            for c in confirm.token.as_deref().unwrap_or("y").chars() {
                step(sim, Msg::Key(Key::char(c)))?;
            }
            step(sim, Msg::Key(Key::plain(Code::Enter)))
        }
        Some(Overlay::Form(form)) => {
            for field in form.fields.iter().filter(|f| f.choices.is_empty()) {
                if field.line.is_empty() {
                    step(sim, Msg::Key(Key::char('x')))?;
                }
                step(sim, Msg::Key(Key::plain(Code::Tab)))?;
            }
            step(sim, Msg::Key(Key::plain(Code::Enter)))
        }
        _ => step(sim, Msg::Key(Key::plain(Code::Enter))),
    }
}

fn blow(sim: &mut Simulator, gust: Gust) -> Result<(), TestCaseError> {
    match gust {
        Gust::Key(key) => step(sim, Msg::Key(key)),
        Gust::Act(n) => step(sim, Msg::Act(ACTIONS[n].action)),
        Gust::Paste(text) => step(sim, Msg::Paste(text)),
        Gust::Stray(req, kind) => step(sim, stray(req, kind)),
        Gust::Wake => step(sim, Msg::Wake),
        Gust::Resize(columns, rows) => step(sim, Msg::Resized(columns, rows)),
        Gust::Focus(on) => step(sim, Msg::Focus(on)),
        Gust::Told(by) => {
            sim.move_clock(secs(by));
            Ok(())
        }
        Gust::Silent(by) => {
            sim.slip_clock(secs(by));
            step(sim, Msg::Wake)
        }
        Gust::Asleep(length) => {
            sim.sleep(secs(length));
            Ok(())
        }
        Gust::Pass(length) => {
            let (running, done) = (!sim.model().exec.running.is_empty(), sim.log().len());
            sim.pass(secs(length));
            let ran = sim.log()[done..].iter().any(|(_, e)| matches!(e, Effect::Run { .. } | Effect::Stop { .. }));
            prop_assert!(!ran, "time alone ran a command (one ran before: {running})");
            Ok(())
        }
        Gust::Weather(unkind, broken) => {
            sim.chances(if unkind { Chances::unkind() } else { Chances::kind() });
            sim.break_record(broken);
            Ok(())
        }
        Gust::Mean => mean(sim),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_storm_does_harm(seed in 0u64..1_000, leads in any::<bool>(), gusts in proptest::collection::vec(gust(), 80..240)) {
        let settings = midwatch::app::model::Setup { simulated: leads.then_some("DEMO"), ..setup("ada") };
        let mut sim = Simulator::new(settings, start(), seed, secs(30));
        sim.pass(secs(60));
        for gust in gusts {
            blow(&mut sim, gust)?;
            prop_assert!(sim.wrong().is_empty(), "{}", sim.wrong().join("\n"));
        }
        sim.settle();
        prop_assert!(sim.is_over() || sim.wrong().is_empty(), "{}", sim.wrong().join("\n"));
    }
}

#[test]
fn a_storm_can_reach_what_is_dangerous() {
    // The properties above are worth something only if commands do run and incidents are resolved on the way.
    let (mut ran, mut resolved) = (0, 0);
    for seed in 0..3 {
        let mut sim = Simulator::new(setup("ada"), start(), seed, secs(30));
        sim.pass(secs(90));
        sim.type_text("6i");
        let word = [Action::Arm, Action::Runbook, Action::NextStep, Action::Open, Action::Incident, Action::Resolve];
        mean(&mut sim).unwrap();
        for action in word {
            step(&mut sim, Msg::Act(action)).unwrap();
            mean_if_asked(&mut sim);
            mean_if_asked(&mut sim);
        }
        sim.pass(mins(1));
        ran += sim.log().iter().filter(|(_, e)| matches!(e, Effect::Run { .. })).count();
        resolved += sim.model().desk.cases.values().filter(|c| !c.shown.is_open()).count();
        step(&mut sim, Msg::Feed(Feed::Asleep(mins(5)))).unwrap();
    }
    // The step's own reads, and in each night what was confirmed after them.
    assert_eq!((ran, resolved), (6, 3));
}

#[test]
fn a_deadline_that_an_act_moves_is_told_at_once_also_while_nothing_can_be_saved() {
    let mut sim = Simulator::new(setup("ada"), start(), 0, secs(30));
    sim.pass(secs(60));
    sim.break_record(true);
    step(&mut sim, Msg::Act(Action::Declare)).unwrap();
    mean(&mut sim).unwrap();
    sim.sleep(mins(14));
    step(&mut sim, Msg::Act(Action::Severity)).unwrap();
    // The worst of the table, whose stakeholders want to hear after fifteen minutes, at that very moment.
    for code in [Code::Left, Code::Left, Code::Tab] {
        step(&mut sim, Msg::Key(Key::plain(code))).unwrap();
    }
    sim.move_clock(mins(1));
    mean(&mut sim).unwrap();
    assert!(sim.wrong().is_empty(), "{}", sim.wrong().join("\n"));
    let case = sim.model().desk.cases.values().next().unwrap();
    assert!(case.saved.is_none(), "the record was broken");
    let told = case.shown.timers.iter().filter(|(id, mark)| id.0.contains("stakeholders") && mark.due.is_some());
    assert_eq!(told.count(), 1, "{:?}", case.shown.timers);
}

fn mean_if_asked(sim: &mut Simulator) {
    if sim.model().nav.overlay.is_some() {
        mean(sim).unwrap();
    }
}
