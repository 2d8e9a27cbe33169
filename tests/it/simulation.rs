//! The production machine in simulated productions: one incident played from the page to the draft, then many nights with
//! responders who do anything at any time while everything fails that can. A failing night names its seed.

use midwatch::app::action::Action;
use midwatch::app::effect::Effect;
use midwatch::app::key::{Code, Key};
use midwatch::app::msg::Msg;
use midwatch::app::present::view;
use midwatch::app::screen::{Item, Overlay, Screen};
use midwatch::domain::alert::AlertState;
use midwatch::domain::drill::chance::unit;
use midwatch::domain::ids::IncidentId;
use midwatch::domain::incident::change::VerifyEnd;
use midwatch::domain::incident::event::{Body, NewEvent, Status};
use midwatch::domain::incident::timeline::housekeeping;
use midwatch::domain::postmortem::entry::{Entry, entries};
use midwatch::domain::postmortem::escape::field;
use midwatch::domain::time::{Timestamp, mins, secs};
use midwatch::run::sim::{Chances, Simulator, setup};

fn start() -> Timestamp {
    "2026-05-01T03:12:04Z".parse().unwrap()
}

fn press(sim: &mut Simulator, keys: &str) {
    for key in keys.split(' ') {
        sim.key(Key::parse(key).unwrap());
    }
}

fn sound(sim: &Simulator) {
    assert!(sim.wrong().is_empty(), "{}", sim.wrong().join("\n"));
}

fn flash(sim: &Simulator) -> String {
    sim.model().messages.back().map(|m| m.text.clone()).unwrap_or_default()
}

fn confirm(sim: &mut Simulator, word: &str) {
    sim.pass(secs(1));
    assert!(matches!(sim.model().nav.overlay, Some(Overlay::Confirm(_))), "nothing to confirm: {}", flash(sim));
    sim.type_text(word);
    sim.key(Key::plain(Code::Enter));
}

fn runs(sim: &Simulator) -> usize {
    sim.log().iter().filter(|(_, e)| matches!(e, Effect::Run { .. })).count()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a story")]
fn the_whole_story_from_the_page_to_the_draft() {
    let mut sim = Simulator::new(setup("ada"), start(), 7, secs(15));
    sim.pass(secs(90));
    let page = sim.model().alerts.all().find(|a| a.name == "CheckoutErrorBudgetBurn").cloned().expect("it pages");
    assert_eq!(page.state, AlertState::Firing);
    assert!(sim.log().iter().any(|(_, e)| *e == Effect::Bell), "a page rings");

    // From the alert, not from whatever is selected first.
    press(&mut sim, "6");
    while midwatch::app::present::items::selected(sim.model(), sim.now()) != Some(Item::Alert(page.fingerprint.clone()))
    {
        press(&mut sim, "j");
    }
    press(&mut sim, "i");
    press(&mut sim, "Enter");
    let Screen::Incident(id) = sim.model().nav.screen().clone() else { panic!("{:?}", sim.model().nav.screen()) };
    assert_eq!(sim.model().desk.cases[&id].shown.severity.0, "SEV1", "the runbook suggests it");
    sim.pass(secs(5));
    // A SEV1 asks whether to page the on-call, and the page waits for `u`.
    let Some(Overlay::Confirm(question)) = &sim.model().nav.overlay else { panic!("{}", flash(&sim)) };
    assert_eq!(question.title, "page");
    sim.type_text("y");
    sim.pass(secs(5));
    assert!(sim.model().outbox.open().next().is_some(), "{}", flash(&sim));
    sim.pass(secs(5));
    assert!(sim.model().outbox.open().next().is_none(), "it was sent");
    press(&mut sim, "a c Enter");
    assert_eq!(sim.model().desk.cases[&id].shown.roles.values().collect::<Vec<_>>(), ["ada"]);
    sim.pass(secs(5));

    // Walk: done, look (arm, run the clue), answer, roll back.
    press(&mut sim, "r d");
    sim.pass(secs(2));
    press(&mut sim, "Enter");
    assert_eq!(runs(&sim), 0, "commands are off");
    assert!(flash(&sim).starts_with("copied, not run"), "{}", flash(&sim));
    sim.send(Msg::Act(Action::Arm));
    confirm(&mut sim, "arm");
    press(&mut sim, "Enter");
    sim.pass(secs(1));
    sim.type_text("y");
    assert_eq!(runs(&sim), 1);
    sim.pass(secs(20));
    press(&mut sim, "y y");
    press(&mut sim, "d");
    sim.pass(secs(2));
    // Where we are and what is there comes first: reads only.
    press(&mut sim, "Enter");
    sim.pass(secs(1));
    press(&mut sim, "Enter");
    assert_eq!(runs(&sim), 3, "the guard and the state before: {}", flash(&sim));
    sim.pass(secs(20));
    press(&mut sim, "Enter");
    sim.pass(secs(1));
    sim.type_text("y");
    assert_eq!(runs(&sim), 4);
    let Some((_, Effect::Run { spec, .. })) = sim.log().iter().rfind(|(_, e)| matches!(e, Effect::Run { .. })) else {
        panic!("nothing ran")
    };
    assert_eq!(spec.argv, ["kubectl", "rollout", "undo", "deployment/checkout", "-n", "production"]);
    sim.pass(mins(1));
    press(&mut sim, "d");
    sim.pass(mins(7));
    let firing: Vec<_> = sim.model().alerts.all().filter(|a| a.state == AlertState::Firing).map(|a| &a.name).collect();
    assert_eq!(firing, ["ApiLatencyHigh"], "the rollback healed it");
    let healed = &sim.model().desk.cases[&id].shown;
    let held = healed.changes[0].verify.as_ref().and_then(|v| v.end.as_ref());
    assert!(matches!(held, Some(VerifyEnd::Held(since)) if Some(*since) == healed.times.mitigated), "{held:?}");

    // Watch, resolve.
    press(&mut sim, "3 s 4 Tab");
    sim.type_text("Rolled back, watching");
    press(&mut sim, "Enter");
    assert_eq!(sim.model().desk.cases[&id].shown.status, Status::Monitoring);
    sim.pass(mins(5));
    press(&mut sim, "x");
    sim.type_text("Rolled back revision 4f2a91");
    press(&mut sim, "Enter");
    let word: String = id.0.chars().skip(id.0.chars().count() - 4).collect();
    confirm(&mut sim, &word);
    assert!(!sim.model().desk.cases[&id].shown.is_open(), "{}", flash(&sim));
    sim.settle();
    sound(&sim);
    complete(&sim, &id);

    let events = sim.record(&id);
    let kinds: Vec<&str> = events.iter().map(|e| e.body.kind()).collect();
    for kind in
        ["declared", "acknowledged", "role", "check", "command", "option", "budget", "alert", "status", "resolved"]
    {
        assert!(kinds.contains(&kind), "no {kind} in {kinds:?}");
    }
    // Paged, acknowledged, ended: the pager was told each once.
    let told: Vec<String> = events
        .iter()
        .filter_map(|e| match &e.body {
            Body::OutgoingOutcome { target, capability, end, .. } if target.as_str() == "pager" => {
                Some(format!("{} {}", capability.word(), end.word()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(told, ["trigger done", "acknowledge_alarm done", "resolve_alarm done"]);
}

/// The timeline of the draft is every event that was recorded before it was written, each once, in order.
fn complete(sim: &Simulator, id: &IncidentId) {
    let (_, text) = sim.drafts().last().expect("a draft was written");
    let events = sim.record(id);
    let line = |e: Entry<'_>| format!("- **{}** {}: {}", e.when, field(&e.head()), field(&e.text));
    let all = entries(&sim.model().desk.cases[id].shown, &events);
    // How the room is kept in order is in the record, and not in the story.
    let told: Vec<String> = all.into_iter().filter(|e| !housekeeping(e.event)).map(line).collect();
    let written: Vec<&str> = text
        .lines()
        .skip_while(|l| *l != "## Timeline")
        .skip(1)
        .take_while(|l| !l.starts_with("## "))
        .filter(|l| l.starts_with("- **"))
        .collect();
    assert!(told.len() > 20, "{told:?}");
    // That a draft was written is recorded afterwards, and what was still on its way out; a later one tells it, the first
    // one cannot.
    let (before, after) = told.split_at(written.len().min(told.len()));
    assert_eq!(written, before);
    assert!(after.iter().all(|line| line.contains("postmortem draft") || line.contains(", outcome: ")), "{after:?}");
}

#[test]
fn what_the_record_refuses_is_kept_and_saved_when_it_heals() {
    let mut sim = Simulator::new(setup("ada"), start(), 3, secs(15));
    sim.pass(secs(60));
    sim.break_record(true);
    press(&mut sim, "1 i");
    sim.type_text("Checkout");
    press(&mut sim, "Enter");
    sim.pass(secs(1));
    for _ in 0..20 {
        press(&mut sim, "n x Enter");
        sim.pass(secs(61));
    }
    let unsaved = sim.model().unsaved();
    assert!(unsaved > 20, "{unsaved}");
    assert!(sim.model().desk.trouble.is_some());
    sim.break_record(false);
    sim.pass(secs(8));
    assert_eq!((sim.model().unsaved(), sim.model().desk.trouble.clone()), (0, None));
    let id = sim.model().desk.cases.keys().next().unwrap().clone();
    let notes = sim.record(&id).iter().filter(|e| matches!(e.body, Body::Note { .. })).count();
    assert_eq!(notes, 20, "each once");
    sim.settle();
    sound(&sim);
}

#[test]
fn an_id_that_a_neighbour_took_first_mixes_nothing() {
    let mut sim = Simulator::new(setup("ada"), start(), 3, secs(15));
    sim.pass(secs(30));
    let now = sim.now();
    let taken = midwatch::domain::incident::decide::id_at(now);
    let body = Body::Declared {
        title: "theirs".into(),
        severity: midwatch::domain::severity::Severity("SEV2".into()),
        service: None,
        detected_by: None,
        detected_at: None,
    };
    let event = NewEvent { incident: taken.clone(), at: now, recorded_at: now, actor: "bob".into(), body, once: None };
    sim.neighbour(vec![event]);
    press(&mut sim, "1 i");
    sim.type_text("ours");
    press(&mut sim, "Enter a n");
    sim.type_text("before it is saved");
    press(&mut sim, "Enter n");
    sim.pass(secs(5));
    let ours = IncidentId(format!("{taken}-2"));
    assert_eq!(*sim.model().nav.screen(), Screen::Incident(ours.clone()));
    sim.type_text("into the form that was open");
    press(&mut sim, "Enter");
    sim.pass(secs(5));
    let kinds = |id| sim.record(id).iter().map(|e| e.body.kind().to_owned()).collect::<Vec<_>>();
    let told: Vec<String> = kinds(&taken).into_iter().filter(|k| k != "outgoing" && k != "outcome").collect();
    assert_eq!(told, ["declared"]);
    assert_eq!(kinds(&ours).iter().filter(|k| *k == "note").count(), 2, "{:?}", kinds(&ours));
    assert!(kinds(&ours).iter().any(|k| k == "acknowledged"));
    assert_eq!(sim.model().desk.cases[&taken].shown.title, "theirs");
    assert_eq!(sim.model().desk.cases[&ours].shown.title, "ours");
    sim.settle();
    sound(&sim);
}

/// A responder who presses what comes to mind, a little more often what makes sense.
fn act(sim: &mut Simulator, seed: u64, step: i64) {
    let draw = |stream: u64| unit(seed, 900 + stream, step);
    let pick = |of: &[&'static str], stream| of[(draw(stream) * of.len() as f64) as usize % of.len()];
    match sim.model().nav.overlay.clone() {
        Some(Overlay::Confirm(c)) if draw(1) < 0.7 => {
            sim.pass(secs(1));
            sim.type_text(c.token.as_deref().unwrap_or("y"));
            sim.key(Key::plain(Code::Enter));
        }
        Some(Overlay::Form(form)) if draw(1) < 0.8 => {
            for field in &form.fields {
                match field.choices.is_empty() {
                    true if field.line.is_empty() => {
                        sim.type_text(pick(&["db pool full", "x", "*é\u{202e}", "wait @-3m"], 2))
                    }
                    true => {}
                    false => sim.key(Key::parse(pick(&["1", "2", "3", "4", "5"], 3)).unwrap()),
                }
                sim.key(Key::plain(Code::Tab));
            }
            sim.key(Key::plain(Code::Enter));
        }
        Some(_) => sim.key(Key::parse(pick(&["Esc", "Enter", "j", "x"], 4)).unwrap()),
        None => match draw(5) {
            d if d < 0.02 => sim.send(Msg::Act(Action::Arm)),
            d if d < 0.04 => sim.send(Msg::Act(Action::Reopen)),
            d if d < 0.06 => sim.send(Msg::Act(Action::Undo)),
            _ => {
                let keys = [
                    "1", "3", "3", "4", "6", "i", "a", "n", "s", "v", "c", "m", "e", "T", "T", "r", "r", "Enter",
                    "Enter", "d", "d", "y", "N", "f", "x", "p", "j", "j", "k", "u", "L", "+", "Tab", "?", "/", "o",
                    "w",
                ];
                sim.key(Key::parse(pick(&keys, 6)).unwrap());
            }
        },
    }
}

fn weather(sim: &mut Simulator, seed: u64, step: i64) {
    let draw = |stream: u64| unit(seed, 700 + stream, step);
    match (draw(1) * 100.0) as u32 {
        0..=1 => sim.break_record(true),
        2..=5 => sim.break_record(false),
        6 => sim.move_clock(secs((draw(2) * 7_200.0) as i64 - 3_600)),
        7 => sim.sleep(secs((draw(3) * 900.0) as i64)),
        8 => sim.chances(Chances::unkind()),
        9..=10 => sim.chances(Chances::kind()),
        _ => {}
    }
}

#[test]
fn two_hundred_nights_with_anybody_in_any_weather() {
    let nights = |from: u64| -> Vec<String> {
        (from..200).step_by(2).filter_map(|seed| night(seed).err().map(|why| format!("seed {seed}: {why}"))).collect()
    };
    let mut failed = nights_on_two_threads(nights);
    failed.sort();
    assert!(failed.is_empty(), "{} of 200 nights failed:\n{}", failed.len(), failed.join("\n"));
}

fn nights_on_two_threads(nights: impl Fn(u64) -> Vec<String> + Sync) -> Vec<String> {
    std::thread::scope(|scope| {
        let other = scope.spawn(|| nights(1));
        let mut failed = nights(0);
        failed.extend(other.join().unwrap());
        failed
    })
}

fn night(seed: u64) -> Result<(), String> {
    let run = std::panic::catch_unwind(|| {
        let mut sim = Simulator::new(setup("ada"), start(), seed, secs(60));
        sim.chances(if seed.is_multiple_of(2) { Chances::kind() } else { Chances::unkind() });
        let mut step = 0;
        let end = 45 * 60;
        let mut gone = 0;
        while gone < end {
            let rest = 1 + (unit(seed, 1, step) * 49.0) as i64;
            sim.pass(secs(rest));
            gone += rest;
            weather(&mut sim, seed, step);
            act(&mut sim, seed, step);
            if step % 16 == 0 {
                drop(view(sim.model(), sim.now()));
            }
            if !sim.wrong().is_empty() || sim.is_over() {
                break;
            }
            step += 1;
        }
        if !sim.is_over() {
            sim.settle();
        }
        (sim.wrong().join("\n  "), step)
    });
    match run {
        Ok((wrong, _)) if wrong.is_empty() => Ok(()),
        Ok((wrong, step)) => Err(format!("step {step}: {wrong}")),
        Err(_) => Err("panicked".into()),
    }
}

#[test]
fn the_same_seed_is_the_same_night() {
    let run = |seed| {
        let mut sim = Simulator::new(setup("ada"), start(), seed, secs(60));
        sim.chances(Chances::unkind());
        for step in 0..40 {
            sim.pass(secs(20));
            act(&mut sim, seed, step);
        }
        format!("{:?}", sim.log())
    };
    assert_eq!(run(11), run(11));
    assert_ne!(run(11), run(12));
}
