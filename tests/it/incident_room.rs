//! The incident room from the declaration to the resolution: the production machine, the production record and a chat that
//! keeps what was really done. One room, one headline, everything that people must hear of one time, whatever fails.

use midwatch::app::action::Action;
use midwatch::app::key::{Code, Key};
use midwatch::app::msg::Msg;
use midwatch::app::present::rooms;
use midwatch::app::screen::{Overlay, Screen};
use midwatch::domain::ids::IncidentId;
use midwatch::domain::incident::event::{Body, NewEvent, Role, Status};
use midwatch::domain::outward::backend::Party;
use midwatch::domain::outward::capability::Capability;
use midwatch::domain::outward::chat::ChatMessage;
use midwatch::domain::time::{Timestamp, mins, secs};
use midwatch::io::fake::outside::Trouble;
use midwatch::run::sim::{Simulator, setup};

fn start() -> Timestamp {
    "2026-05-01T03:12:04Z".parse().unwrap()
}

fn press(sim: &mut Simulator, keys: &str) {
    for key in keys.split(' ') {
        sim.key(Key::parse(key).unwrap());
    }
}

/// A cockpit that has just declared a SEV3, which pages nobody.
fn declared() -> (Simulator, IncidentId) {
    let mut sim = Simulator::new(setup("ada"), start(), 3, secs(15));
    sim.pass(secs(20));
    let id = declare(&mut sim);
    (sim, id)
}

fn declare(sim: &mut Simulator) -> IncidentId {
    press(sim, "1 i");
    let Some(Overlay::Form(form)) = &sim.model().nav.overlay else { panic!("no form") };
    assert!(form.value("title").is_empty() || form.fields[0].line.text() == form.value("title"));
    press(sim, "Ctrl-u");
    sim.type_text("checkout answers 5xx");
    press(sim, "Tab 3 Enter");
    let Screen::Incident(id) = sim.model().nav.screen().clone() else { panic!("{:?}", sim.model().nav.screen()) };
    assert_eq!(sim.model().desk.cases[&id].shown.severity.0, "SEV3");
    id
}

fn done(sim: &Simulator, capability: Capability) -> Vec<String> {
    let effects = sim.target("room").unwrap().effects();
    effects.into_iter().filter(|e| e.capability == capability).map(|e| e.words).collect()
}

fn sound(sim: &Simulator) {
    assert!(sim.wrong().is_empty(), "{}", sim.wrong().join("\n"));
}

fn say(sim: &mut Simulator, status: &str, message: &str) {
    press(sim, "s");
    let at = Status::ALL.iter().position(|s| s.word() == status).unwrap() + 1;
    sim.type_text(&at.to_string());
    press(sim, "Tab");
    sim.type_text(message);
    press(sim, "Enter");
}

#[test]
fn a_declaration_opens_one_room_with_one_headline() {
    let (mut sim, id) = declared();
    sim.pass(secs(5));
    assert_eq!(done(&sim, Capability::CreateRoom), Vec::<String>::new(), "it waits for u");
    sim.pass(secs(40));
    let name = format!("open the room incident-{}", id.as_str().to_lowercase());
    assert_eq!(done(&sim, Capability::CreateRoom), [name]);
    let posts = done(&sim, Capability::Post);
    assert_eq!(posts.len(), 1, "{posts:?}");
    let headline = posts[0].strip_prefix("post: ").unwrap();
    assert!(headline.starts_with(&format!("{id} SEV3: checkout answers 5xx\nStatus: investigating\n")), "{headline}");
    assert!(headline.contains("react with 🏅 to volunteer"), "{headline}");
    assert!(headline.ends_with("Next steps: acknowledge, assign a commander, assess impact, begin mitigation"));
    for capability in [Capability::SetTopic, Capability::Pin] {
        assert_eq!(done(&sim, capability).len(), 1, "{capability:?}");
    }
    // Who looks at the screen is told in a line.
    let told: Vec<&str> =
        sim.model().messages.iter().map(|m| m.text.as_str()).filter(|m| m.contains(": done")).collect();
    assert!(told.iter().any(|m| m.contains("checkout answers 5xx ..: done")), "{told:?}");
    assert!(told.iter().all(|m| !m.contains('\n')), "{told:?}");
    sim.pass(mins(30));
    assert_eq!(done(&sim, Capability::Post).len(), 1, "nothing happened, nothing is said");
    assert_eq!(done(&sim, Capability::EditMessage), Vec::<String>::new());
    sound(&sim);
}

#[test]
fn u_takes_the_room_back_and_it_is_not_opened_again_by_itself() {
    let (mut sim, id) = declared();
    sim.pass(secs(2));
    press(&mut sim, "u");
    sim.pass(mins(2));
    assert_eq!(sim.target("room").unwrap().effects(), []);
    // A person opens it after all, under the name that is proposed.
    press(&mut sim, "M");
    let Some(Overlay::Form(form)) = &sim.model().nav.overlay else { panic!("no form") };
    assert!(form.value("name").starts_with("incident-inc-"), "{}", form.value("name"));
    press(&mut sim, "Enter");
    sim.pass(mins(1));
    assert_eq!(done(&sim, Capability::CreateRoom).len(), 1);
    assert_eq!(done(&sim, Capability::Post).len(), 1);
    let room = rooms::json(sim.model(), &sim.model().desk.cases[&id].shown);
    assert_eq!(room[0]["state"], "open");
    sound(&sim);
}

#[test]
fn a_status_update_goes_to_the_room_after_the_hold_and_the_headline_follows() {
    let (mut sim, _) = declared();
    sim.pass(mins(1));
    say(&mut sim, "identified", "db pool is full");
    sim.pass(secs(5));
    assert_eq!(done(&sim, Capability::Post).len(), 1, "it waits for u");
    sim.pass(secs(20));
    let posts = done(&sim, Capability::Post);
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[1], "post: Status: identified (03:13 UTC, ada)\ndb pool is full");
    let edits = done(&sim, Capability::EditMessage);
    assert_eq!(edits.len(), 1, "{edits:?}");
    assert!(edits[0].contains("Status: identified") && !edits[0].contains("assess impact"), "{edits:?}");

    // A mistake that is taken back in time reaches nobody, and the headline never says it.
    say(&mut sim, "monitoring", "all is well");
    sim.pass(secs(2));
    press(&mut sim, "u");
    sim.pass(mins(2));
    assert_eq!(done(&sim, Capability::Post).len(), 2);
    assert!(done(&sim, Capability::EditMessage).iter().all(|e| !e.contains("monitoring")));
    sound(&sim);
}

#[test]
fn a_volunteer_is_proposed_and_commands_once_a_person_says_so() {
    let (mut sim, id) = declared();
    sim.pass(mins(1));
    let told = sim.model().messages.iter().any(|m| m.text.contains("grace volunteers as commander"));
    assert!(told, "{:?}", sim.model().messages);
    assert!(sim.model().desk.cases[&id].shown.roles.is_empty(), "nobody is appointed by a reaction");
    press(&mut sim, "V");
    sim.pass(secs(1));
    let Some(Overlay::Confirm(question)) = &sim.model().nav.overlay else { panic!("nothing is asked") };
    assert_eq!(question.question, "grace takes command?");
    sim.type_text("y");
    sim.pass(secs(30));
    assert_eq!(sim.model().desk.cases[&id].shown.roles[&Role::Commander], "grace");
    let edits = done(&sim, Capability::EditMessage);
    assert!(edits.last().unwrap().contains("Commander: grace"), "{edits:?}");
    sound(&sim);
}

#[test]
fn a_resolution_says_how_long_it_took_and_what_is_left_to_do() {
    let (mut sim, id) = declared();
    sim.pass(mins(1));
    press(&mut sim, "x");
    sim.type_text("rolled back 412");
    press(&mut sim, "Enter");
    sim.pass(secs(1));
    let word: String = id.as_str().chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    sim.type_text(&word);
    press(&mut sim, "Enter");
    sim.pass(mins(1));
    let posts = done(&sim, Capability::Post);
    assert_eq!(posts.len(), 2, "{posts:?}");
    assert!(posts[1].starts_with("post: Resolved after 1m"), "{posts:?}");
    for piece in ["rolled back 412", "postmortem within 48 h, by 2026-05-03", "status page", "stakeholders"] {
        assert!(posts[1].contains(piece), "{piece}: {posts:?}");
    }
    assert!(done(&sim, Capability::EditMessage).last().unwrap().contains("Status: resolved at 03:13 UTC"));
    assert!(done(&sim, Capability::SetTopic).last().unwrap().contains("RESOLVED"));
    sound(&sim);
}

#[test]
fn what_is_said_and_pinned_there_comes_into_the_timeline_once() {
    let (mut sim, id) = declared();
    sim.pass(mins(1));
    let message = |id: &str, text: &str, pinned: bool, bot: bool, at: Timestamp| ChatMessage {
        id: id.into(),
        at,
        author: Party { id: "U9".into(), name: "bob".into(), ..Party::default() },
        text: text.into(),
        pinned,
        bot,
    };
    let now = sim.now();
    let room = sim.target("room").unwrap().clone();
    room.put_message(message("m1", "db pool is full \u{1b}[31m", false, false, now));
    room.put_message(message("m2", "I am a robot", false, true, now));
    // Their clock is ahead.
    room.put_message(message("m3", "who deployed?", true, false, now + mins(3)));
    sim.pass(mins(5));
    let told = |sim: &Simulator| -> Vec<(String, bool)> {
        let events = sim.record(&id);
        assert!(events.iter().all(|e| e.at <= e.recorded_at));
        let text = |body: &Body| match body {
            Body::RoomMessage { text, pinned, author, .. } => {
                assert_eq!(author, "bob");
                Some((text.clone(), *pinned))
            }
            _ => None,
        };
        events.iter().filter_map(|e| text(&e.body)).collect()
    };
    let first = [("db pool is full \u{1b}[31m".to_owned(), false), ("who deployed?".to_owned(), true)];
    assert_eq!(told(&sim), first);
    // Pinned later: told once more, as what it is now.
    room.put_message(message("m1", "db pool is full \u{1b}[31m", true, false, now));
    sim.pass(mins(5));
    assert_eq!(told(&sim).len(), 3);
    assert!(told(&sim)[2].1);
    sound(&sim);
}

#[test]
fn a_chat_that_is_away_at_the_worst_time_is_told_everything_once_it_is_back() {
    let (mut sim, _) = declared();
    let room = sim.target("room").unwrap().clone();
    room.down(true);
    sim.pass(mins(3));
    say(&mut sim, "identified", "db pool is full");
    sim.pass(mins(3));
    say(&mut sim, "mitigating", "rolling back");
    sim.pass(mins(1));
    assert_eq!(room.effects(), []);
    // The opening may have been done, and its answer is lost as well.
    room.down(false);
    room.script([Trouble::LostReply]);
    sim.pass(mins(10));
    assert_eq!(done(&sim, Capability::CreateRoom).len(), 1);
    let posts = done(&sim, Capability::Post);
    let said = |piece: &str| posts.iter().filter(|p| p.contains(piece)).count();
    assert_eq!((posts.len(), said("db pool is full"), said("rolling back")), (3, 1, 1), "{posts:?}");
    sound(&sim);
}

#[test]
fn lost_replies_and_duplicates_make_no_second_room_and_no_second_word() {
    for trouble in [Trouble::LostReply, Trouble::LostRequest, Trouble::RateLimited(Some(3)), Trouble::Slow] {
        let (mut sim, _) = declared();
        let room = sim.target("room").unwrap().clone();
        room.script([trouble; 4]);
        sim.pass(mins(5));
        say(&mut sim, "identified", "db pool is full");
        room.script([trouble; 2]);
        sim.pass(mins(5));
        let count = |capability| done(&sim, capability).len();
        let got = (count(Capability::CreateRoom), count(Capability::Post), count(Capability::Pin));
        assert_eq!(got, (1, 2, 1), "{trouble:?}");
        sound(&sim);
    }
}

#[test]
fn a_name_that_is_taken_is_asked_about_and_never_suffixed_by_itself() {
    let mut sim = Simulator::new(setup("ada"), start(), 3, secs(15));
    sim.pass(secs(20));
    let room = sim.target("room").unwrap().clone();
    // Refused for good, as a product says it of a name that it does not give away.
    room.script([Trouble::TooLong]);
    let id = declare(&mut sim);
    sim.pass(mins(1));
    let shown = &sim.model().desk.cases[&id].shown;
    assert!(rooms::lines(sim.model(), shown)[0].text.contains("no room: refused"), "{shown:?}");
    assert_eq!(done(&sim, Capability::CreateRoom).len(), 0);
    press(&mut sim, "M");
    let Some(Overlay::Form(form)) = &sim.model().nav.overlay else { panic!("no form") };
    assert!(form.value("name").ends_with("-2"), "{}", form.value("name"));
    press(&mut sim, "Enter");
    sim.pass(mins(1));
    assert_eq!(done(&sim, Capability::CreateRoom).len(), 1);
    assert_eq!(done(&sim, Capability::Post).len(), 1);
    sound(&sim);
}

#[test]
fn what_was_open_before_gets_no_room_by_itself() {
    let mut sim = Simulator::new(setup("ada"), start(), 3, secs(15));
    sim.pass(mins(20));
    let old = IncidentId("INC-20260501-031000".into());
    let body = Body::Declared {
        title: "old".into(),
        severity: "SEV2".into(),
        service: None,
        detected_by: None,
        detected_at: None,
    };
    let at = sim.now() - mins(15);
    sim.neighbour(vec![NewEvent { incident: old, at, recorded_at: at, actor: "eve".into(), body, once: None }]);
    sim.pass(mins(5));
    assert_eq!(sim.target("room").unwrap().effects(), []);
    // What another cockpit declared a moment ago has one.
    let fresh = IncidentId("INC-20260501-033700".into());
    let body = Body::Declared {
        title: "fresh".into(),
        severity: "SEV2".into(),
        service: None,
        detected_by: None,
        detected_at: None,
    };
    let at = sim.now();
    sim.neighbour(vec![NewEvent { incident: fresh, at, recorded_at: at, actor: "eve".into(), body, once: None }]);
    sim.pass(mins(2));
    assert_eq!(done(&sim, Capability::CreateRoom).len(), 1);
    sound(&sim);
}

#[test]
fn a_person_posts_and_invites_and_takes_both_back_in_time() {
    let (mut sim, _) = declared();
    press(&mut sim, ">");
    assert!(sim.model().nav.overlay.is_none(), "there is no room yet");
    sim.pass(mins(1));
    press(&mut sim, ">");
    sim.type_text("bridge is open");
    press(&mut sim, "Enter");
    sim.pass(secs(20));
    assert_eq!(done(&sim, Capability::Post)[1], "post: bridge is open");
    press(&mut sim, "@");
    sim.type_text("grace@example.com");
    press(&mut sim, "Enter");
    sim.pass(secs(2));
    press(&mut sim, "u");
    sim.pass(mins(1));
    assert_eq!(done(&sim, Capability::Invite), Vec::<String>::new());
    sound(&sim);
}

#[test]
fn read_only_opens_nothing_and_tells_nobody() {
    let mut quiet = setup("ada");
    quiet.read_only = true;
    let mut sim = Simulator::new(quiet, start(), 3, secs(15));
    sim.pass(secs(20));
    let body = Body::Declared {
        title: "fresh".into(),
        severity: "SEV1".into(),
        service: None,
        detected_by: None,
        detected_at: None,
    };
    let (id, at) = (IncidentId("INC-20260501-031220".into()), sim.now());
    sim.neighbour(vec![NewEvent { incident: id.clone(), at, recorded_at: at, actor: "eve".into(), body, once: None }]);
    sim.pass(mins(2));
    sim.send(Msg::Act(Action::Room));
    sim.key(Key::plain(Code::Enter));
    sim.pass(mins(2));
    assert_eq!(sim.target("room").unwrap().effects(), []);
    assert_eq!(sim.record(&id).len(), 1);
}

/// A person who reads that a page was not sent sends it, and somebody is woken twice.
#[test]
fn a_page_that_may_have_been_sent_is_not_called_unsent() {
    let mut sim = Simulator::new(setup("ada"), start(), 3, secs(15));
    sim.pass(secs(20));
    let id = declare(&mut sim);
    sim.pass(mins(1));
    sim.target("pager").unwrap().script([Trouble::LostReply; 20]);
    sim.send(Msg::Act(Action::PageOnCall));
    sim.pass(secs(1));
    assert!(matches!(&sim.model().nav.overlay, Some(Overlay::Confirm(question)) if question.title == "page"), "{id}");
    sim.type_text("y");
    sim.pass(mins(5));
    let screen = midwatch::app::present::head::banners(sim.model(), sim.now());
    let screen: Vec<&str> = screen.iter().map(|banner| banner.text.as_str()).collect();
    assert!(screen.iter().any(|b| b.starts_with("MAYBE SENT, 9 decides: to pager: page the on-call")), "{screen:?}");
    let lines = midwatch::app::present::lines::facts(sim.model(), sim.now());
    assert!(lines.iter().any(|line| line.starts_with("OUTBOX MAYBE SENT")), "{lines:?}");
    assert!(screen.into_iter().chain(lines.iter().map(String::as_str)).all(|text| !text.contains("NOT SENT")));
    sound(&sim);
}
