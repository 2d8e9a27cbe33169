//! The machine and what was written before: searching while it is typed, marks, a text that is taken out, a chat that is
//! pasted, and a timeline of a hundred thousand entries.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use midwatch::app::action::Action;
use midwatch::app::effect::Effect;
use midwatch::app::key::Key;
use midwatch::app::model::{Model, Setup};
use midwatch::app::msg::{Feed, Msg, Reply};
use midwatch::app::present::view;
use midwatch::app::present::view::{Body as Shown, IncidentPage, Overlay as Over};
use midwatch::app::screen::{Item, Overlay, Screen};
use midwatch::app::update::update;
use midwatch::domain::ids::{IncidentId, Origin};
use midwatch::domain::incident::event::{Body, Event, NewEvent, NoteKind};
use midwatch::domain::incident::state::Incident;
use midwatch::domain::search::{Hit, Place, Similar, Trait, Why};
use midwatch::domain::time::{Timestamp, secs};
use midwatch::io::store::Store;
use midwatch::io::store::memory::Memory;
use midwatch::run::sim::setup;

const ID: &str = "INC-20260501-031204";

fn start() -> Timestamp {
    "2026-05-01T04:00:00Z".parse().unwrap()
}

fn event(s: i64, body: Body) -> NewEvent {
    let at = "2026-05-01T03:12:04Z".parse::<Timestamp>().unwrap() + secs(s);
    NewEvent { incident: ID.into(), at, recorded_at: at, actor: "ada".into(), body, once: None }
}

fn note(s: i64, text: &str) -> NewEvent {
    event(s, Body::Note { sort: NoteKind::Note, text: text.into() })
}

fn declared() -> NewEvent {
    let body = Body::Declared {
        title: "API slow".into(),
        severity: "SEV2".into(),
        service: Some("api".into()),
        detected_by: None,
        detected_at: None,
    };
    event(0, body)
}

/// A machine with one incident in view, and its record.
struct Bench {
    model: Model,
    record: Memory,
}

impl Bench {
    fn new(events: Vec<NewEvent>) -> Self {
        let mut record = Memory::new(Origin("here".into()));
        record.append(events).unwrap();
        let model = Model::new(Setup { simulated: None, ..setup("ada") }, Vec::new(), Vec::new());
        let mut bench = Self { model, record };
        let all = bench.all();
        let tail = all[all.len().saturating_sub(200)..].to_vec();
        bench.send(Msg::Resized(120, 40));
        bench.send(Msg::Feed(Feed::Loaded(vec![(Incident::fold(&all).unwrap(), tail)])));
        bench.send(Msg::Act(Action::Incident));
        bench
    }

    fn all(&mut self) -> Vec<Event> {
        self.record.events(&ID.into()).unwrap()
    }

    fn send(&mut self, msg: Msg) -> Vec<Effect> {
        update(&mut self.model, start(), msg)
    }

    fn press(&mut self, keys: &str) -> Vec<Effect> {
        keys.split(' ').flat_map(|key| self.send(Msg::Key(Key::parse(key).unwrap()))).collect()
    }

    fn types(&mut self, text: &str) -> Vec<Effect> {
        text.chars().flat_map(|c| self.send(Msg::Key(Key::char(c)))).collect()
    }

    /// Selects the nth event of the record.
    fn select(&mut self, n: usize) {
        let key = self.all()[n].key.clone();
        let spot = self.model.nav.spot_mut();
        (spot.cursor, spot.unfollowed) = (Some(Item::Event(key)), true);
    }

    /// Records what is to be recorded and answers; gives what follows.
    fn save(&mut self, effects: &[Effect]) -> Vec<Effect> {
        let mut out = Vec::new();
        for effect in effects {
            match effect {
                Effect::Append { req, events } => {
                    let saved = self.record.append(events.clone()).unwrap();
                    out.extend(self.send(Msg::Reply(*req, Reply::Saved(saved))));
                }
                Effect::All { req, .. } => {
                    let all = self.all();
                    out.extend(self.send(Msg::Reply(*req, Reply::Events(Ok(all)))));
                }
                _ => {}
            }
        }
        out
    }

    fn page(&self) -> IncidentPage {
        match view(&self.model, start()).body {
            Shown::Incident(page) => *page,
            other => panic!("{other:?}"),
        }
    }
}

fn hit(text: &str, key: Option<midwatch::domain::incident::event::EventKey>) -> Hit {
    Hit {
        incident: Some(IncidentId(ID.into())),
        title: "API slow".into(),
        place: key.map_or_else(|| Place::Page("/x.md".into(), "Lessons".into()), Place::Entry),
        at: Some(start()),
        kind: "note".into(),
        who: "ada".into(),
        text: text.into(),
    }
}

fn searches(effects: &[Effect]) -> Vec<String> {
    let query = |e: &Effect| if let Effect::Search { query, .. } = e { Some(query.clone()) } else { None };
    effects.iter().filter_map(query).collect()
}

#[test]
fn every_key_asks_and_only_what_is_typed_is_answered() {
    let mut bench = Bench::new(vec![declared(), note(1, "pool is full")]);
    let key = bench.all()[1].key.clone();
    bench.press("Ctrl-F");
    let asked = bench.types("pool");
    assert_eq!(searches(&asked), ["p", "po", "poo", "pool"]);
    let reqs: Vec<_> =
        asked.iter().filter_map(|e| if let Effect::Search { req, .. } = e { Some(*req) } else { None }).collect();
    bench.send(Msg::Reply(reqs[1], Reply::Hits(Ok(vec![hit("first", None)]))));
    assert_eq!(bench.model.past.hits.len(), 1, "the beginning of what is typed may be shown meanwhile");
    bench.send(Msg::Reply(reqs[3], Reply::Hits(Ok(vec![hit("page", None), hit("pool is full", Some(key.clone()))]))));
    let shown = view(&bench.model, start());
    let Some(Over::Search(search)) = shown.overlay else { panic!("no search") };
    assert_eq!((search.rows.rows.len(), search.note.as_str(), search.rows.cursor), (2, "2 found", Some(0)));
    bench.press("Down Enter");
    assert_eq!(bench.model.nav.overlay, None);
    assert_eq!(*bench.model.nav.screen(), Screen::Incident(ID.into()));
    assert_eq!(bench.model.nav.spot().cursor, Some(Item::Event(key)));
    // A key of the search does nothing to the incident below it, whatever letter it is.
    bench.press("Ctrl-F");
    let effects = bench.types("xa*-d");
    assert!(effects.iter().all(|e| matches!(e, Effect::Search { .. })), "{effects:?}");
    bench.press("Esc");
    assert_eq!(bench.model.nav.overlay, None);
}

#[test]
fn an_entry_that_is_not_at_hand_is_read_and_shown() {
    let mut bench = Bench::new(std::iter::once(declared()).chain((1..500).map(|n| note(n, &n.to_string()))).collect());
    let far = bench.all()[3].key.clone();
    assert!(!bench.model.desk.cases[&ID.into()].complete);
    bench.press("Ctrl-F");
    let asked = bench.types("3");
    let Some(Effect::Search { req, .. }) = asked.first() else { panic!("{asked:?}") };
    bench.send(Msg::Reply(*req, Reply::Hits(Ok(vec![hit("3", Some(far.clone()))]))));
    let reads = bench.press("Enter");
    assert!(reads.iter().any(|e| matches!(e, Effect::All { .. })), "{reads:?}");
    bench.save(&reads);
    assert_eq!(bench.model.nav.spot().cursor, Some(Item::Event(far)));
    assert!(bench.model.desk.cases[&ID.into()].complete);
    let page = bench.page();
    assert!(page.timeline.rows[page.timeline.cursor.unwrap()].text == "3");
}

#[test]
fn like_incidents_are_asked_for_once_and_shown() {
    let mut bench = Bench::new(vec![declared()]);
    let asked = bench.send(Msg::Wake);
    let again = bench.send(Msg::Wake);
    assert!(!again.iter().any(|e| matches!(e, Effect::Similar { .. })), "{again:?}");
    let known = bench.model.pending.any(|a| format!("{a:?}").contains("Similar"));
    assert!(known, "{asked:?}");
    let like = Similar {
        incident: "INC-20260401-000000".into(),
        title: "API slower".into(),
        severity: "SEV1".into(),
        declared: None,
        resolution: None,
        score: 1.0,
        why: vec![Why::Same(Trait::Service, "api".into())],
    };
    bench.model.past.similar.insert(ID.into(), (start(), vec![like]));
    assert_eq!(bench.page().similar, [("INC-20260401-000000 API slower".to_owned(), "same service api".to_owned())]);
    bench.press("Ctrl-F");
    let Some(Over::Search(search)) = view(&bench.model, start()).overlay else { panic!("no search") };
    assert_eq!(search.rows.rows[0].text, "API slower: same service api");
    let reads = bench.press("Enter");
    assert!(matches!(reads.first(), Some(Effect::All { incident, .. }) if incident.as_str() == "INC-20260401-000000"));
}

#[test]
fn an_entry_is_pinned_and_unpinned_and_u_takes_it_back() {
    let mut bench = Bench::new(vec![declared(), note(1, "look here"), note(2, "after")]);
    let refused = bench.press("*");
    assert_eq!(refused.len(), 0, "nothing is selected");
    bench.select(1);
    let pin = bench.press("*");
    bench.save(&pin);
    let row = |bench: &Bench| {
        let rows = bench.page().timeline.rows;
        rows.into_iter().find(|row| row.text.contains("look here")).unwrap().text
    };
    assert_eq!(row(&bench), "* look here");
    let back = bench.press("u");
    bench.save(&back);
    assert_eq!(row(&bench), "look here");
    let tag = {
        bench.press("#");
        bench.types("db");
        bench.press("Enter")
    };
    bench.save(&tag);
    let out = bench.press("-");
    bench.save(&out);
    assert_eq!(row(&bench), "look here #db (not in the postmortem)");
    bench.press("/");
    bench.types("tag:db");
    bench.press("Enter");
    assert_eq!(bench.page().timeline.rows.len(), 1);
    assert!(bench.page().timeline.title.contains("1 of "), "{}", bench.page().timeline.title);
}

#[test]
fn a_text_that_is_taken_out_leaves_the_machine_as_well() {
    let action = Body::ActionItem { text: "rotate hunter2".into(), owner: None, due: None, does: None };
    let mut bench = Bench::new(vec![declared(), event(1, action), note(2, "after")]);
    bench.select(1);
    bench.send(Msg::Act(Action::Redact));
    bench.types("a password");
    bench.press("Enter");
    assert!(matches!(bench.model.nav.overlay, Some(Overlay::Confirm(_))), "{:?}", bench.model.nav.overlay);
    bench.send(Msg::Painted);
    bench.types("redact");
    let effects = bench.press("Enter");
    let follows = bench.save(&effects);
    assert!(follows.iter().any(|e| matches!(e, Effect::All { .. })), "the state is folded anew: {follows:?}");
    bench.save(&follows);
    let case = &bench.model.desk.cases[&ID.into()];
    assert!(!format!("{case:?}").contains("hunter2"));
    assert_eq!(case.shown.actions[0].text, "[redacted]");
    let rows = bench.page().timeline.rows;
    assert!(rows.iter().any(|row| row.text.contains("text taken out: a password")));
}

#[test]
fn another_cockpits_redaction_is_heard() {
    let mut bench = Bench::new(vec![declared(), note(1, "hunter2"), note(2, "after")]);
    let of = bench.all()[1].key.clone();
    let redaction = midwatch::domain::incident::event::Redaction::of(of, "a password".into());
    let mut other = bench.record.beside();
    let told = other.append(vec![event(3, Body::Redacted(redaction))]).unwrap();
    let effects = bench.send(Msg::Feed(Feed::Others(told)));
    bench.save(&effects);
    assert!(!format!("{:?}", bench.model.desk.cases).contains("hunter2"));
}

#[test]
fn a_chat_that_is_pasted_is_shown_with_its_zone_and_taken_in_on_yes() {
    let mut bench = Bench::new(vec![declared()]);
    let chat = "[03:20] bob: restarting api-7\n[03:21] eve: better\nmuch better\nnot a line\n";
    assert_eq!(bench.send(Msg::Paste("just words".into())), []);
    assert_eq!(bench.model.nav.overlay, None, "what is no chat does nothing");
    bench.send(Msg::Paste(chat.into()));
    bench.press("Enter");
    let Some(Over::Confirm(confirm)) = view(&bench.model, start()).overlay else {
        panic!("{:?}", bench.model.nav.overlay)
    };
    assert!(confirm.question.contains("2 line(s)"), "{}", confirm.question);
    assert!(confirm.rows.iter().any(|(label, text)| label == "zone" && text.contains("for times that have none")));
    bench.send(Msg::Painted);
    let effects = bench.press("y");
    bench.save(&effects);
    let rows = bench.page().timeline.rows;
    let told: Vec<(&str, &str, &str)> =
        rows.iter().map(|r| (r.kind.as_str(), r.actor.as_str(), r.text.as_str())).collect();
    assert!(told.contains(&("import", "bob", "restarting api-7")), "{told:?}");
    assert_eq!(told.iter().filter(|(kind, ..)| *kind == "import").count(), 2);
    // In read-only mode a paste does nothing.
    bench.model.setup.read_only = true;
    bench.send(Msg::Paste(chat.into()));
    assert_eq!(bench.model.nav.overlay, None);
}

#[test]
fn of_a_hundred_thousand_entries_only_what_can_be_seen_is_told() {
    let mut bench =
        Bench::new(std::iter::once(declared()).chain((1..100_000).map(|n| note(n, "pool is full"))).collect());
    let all = bench.all();
    let id: IncidentId = ID.into();
    bench.model.desk.cases.get_mut(&id).unwrap().whole(all);
    let rows = |bench: &Bench| bench.page().timeline.rows.len();
    assert!(rows(&bench) <= 800, "{}", rows(&bench));
    bench.press("g");
    assert_eq!(bench.page().timeline.cursor, Some(0));
    assert!(rows(&bench) <= 800);
    bench.press("PgDn PgDn");
    let page = bench.page();
    assert!(page.timeline.cursor.is_some_and(|at| at > 0 && at < page.timeline.rows.len()));
    bench.press("G");
    assert!(bench.page().following);
}

#[test]
fn what_a_filter_found_follows_what_is_recorded_after_it() {
    let text = |n: i64| if n % 2 == 0 { "pool is full" } else { "queue is long" };
    let mut bench = Bench::new(std::iter::once(declared()).chain((1..50).map(|n| note(n, text(n)))).collect());
    bench.press("/");
    bench.types("queue");
    bench.press("Enter");
    let told = |bench: &Bench| bench.page().timeline.rows.iter().map(|r| r.text.clone()).collect::<Vec<_>>();
    // Whatever is kept of the search, the screen is that of a machine that keeps nothing.
    let same = |bench: &Bench| {
        let mut fresh = bench.model.clone();
        fresh.desk.cases.values_mut().for_each(|case| case.found = None);
        assert_eq!(view(&fresh, start()), view(&bench.model, start()));
    };
    assert_eq!(told(&bench), vec!["queue is long"; 25]);
    bench.press("g Down Down");
    assert_eq!(bench.page().timeline.cursor, Some(2));
    assert!(bench.page().timeline.title.starts_with("TIMELINE 25 of "), "{}", bench.page().timeline.title);
    same(&bench);
    // Another cockpit writes; what happened in the middle stands there.
    let more =
        bench.record.append(vec![note(60, "the queue grows"), note(4, "no queue yet"), note(61, "pool")]).unwrap();
    bench.send(Msg::Feed(Feed::Others(more)));
    assert_eq!(told(&bench).len(), 27);
    assert_eq!((told(&bench)[2].as_str(), told(&bench)[26].as_str()), ("no queue yet", "the queue grows"));
    same(&bench);
    bench.press("g Down Down Down");
    assert_eq!(bench.page().timeline.cursor, Some(3));
    // An entry that reads otherwise now is no longer wanted, and it is another one that is selected.
    let of = bench.all()[1].key.clone();
    let corrected = bench.record.append(vec![event(70, Body::Corrected { of, text: "disk".into() })]).unwrap();
    bench.send(Msg::Feed(Feed::Others(corrected)));
    assert_eq!((told(&bench).len(), bench.page().timeline.cursor), (26, Some(2)));
    same(&bench);
    // One that is not on disk yet is found as well.
    bench.press("n");
    bench.types("queue drained");
    let effects = bench.press("Enter");
    assert_eq!(told(&bench).last().map(String::as_str), Some("queue drained"));
    same(&bench);
    bench.save(&effects);
    assert_eq!(told(&bench).len(), 27);
    same(&bench);
    bench.press("Esc");
    assert!(!bench.page().timeline.title.contains(" of ") && told(&bench).len() > 50);
    same(&bench);
}
