//! The cockpit in front of a paging product: the production machine, a record, and the PagerDuty adapter against an account
//! that keeps what was really done. Time is virtual and runs ahead of the account's.

use crate::cli::Machine;
use crate::contract::Rig;
use crate::contract::pagerduty::PagerDutyRig;
use midwatch::app::effect::Effect;
use midwatch::app::health::{Link, LinkKind};
use midwatch::app::key::Key;
use midwatch::app::model::{Model, Setup};
use midwatch::app::msg::{Feed, Msg, Reply};
use midwatch::app::outbox::TargetState;
use midwatch::app::present::{lines, timers};
use midwatch::app::screen::{Item, Overlay, Screen};
use midwatch::app::update::update;
use midwatch::domain::alert::{Alert, AlertSnapshot, AlertState, fingerprint};
use midwatch::domain::escalation::timer::TimerKind;
use midwatch::domain::ids::{IncidentId, Origin, SourceName};
use midwatch::domain::incident::event::{Body, Event, NewEvent, OUTWARD_LOG};
use midwatch::domain::labels::Labels;
use midwatch::domain::outward::backend::BackendStatus;
use midwatch::domain::time::{Span, Timestamp, mins, secs};
use midwatch::io::clock;
use midwatch::io::fake::objectives;
use midwatch::io::port::Target;
use midwatch::io::store::Store;
use midwatch::io::store::memory::Memory;
use midwatch::run::courier;
use midwatch::run::sim::{links, setup};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::runtime::Runtime;

struct Cockpit {
    model: Model,
    store: Memory,
    rig: PagerDutyRig,
    targets: BTreeMap<SourceName, Target>,
    ahead: Span,
    runtime: Runtime,
    alerts: Vec<Alert>,
}

fn name() -> SourceName {
    "pd".into()
}

impl Cockpit {
    fn new() -> Self {
        let rig = PagerDutyRig::user();
        let target = rig.target();
        let mut model =
            Model::new(Setup { simulated: None, ..setup("ada") }, objectives(), links(clock::now(), secs(15)));
        let facts = target.facts(&name());
        let link =
            Link::new(name(), "pd".into(), LinkKind::Target { reads: true }, "there".into(), secs(15), clock::now());
        model.links.insert(name(), link);
        model.outbox.holder = "here".into();
        model.outbox.hold = secs(6);
        model.outbox.targets.insert(name(), TargetState::new(facts, clock::now()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut cockpit = Self {
            model,
            store: Memory::new(Origin("here".into())),
            targets: BTreeMap::from([(name(), target)]),
            rig,
            ahead: Span::zero(),
            runtime,
            alerts: Vec::new(),
        };
        cockpit.tell(Msg::Feed(Feed::Opened("here".into())));
        cockpit.tell(Msg::Feed(Feed::Loaded(vec![])));
        cockpit.poll();
        cockpit
    }

    fn now(&self) -> Timestamp {
        clock::now() + self.ahead
    }

    /// Handles a message, and everything that follows from it.
    fn tell(&mut self, msg: Msg) {
        let mut waiting = vec![msg];
        while let Some(msg) = waiting.pop() {
            let now = self.now();
            for effect in update(&mut self.model, now, msg) {
                waiting.extend(self.perform(effect));
            }
            let news = self.store.outbox_news().unwrap();
            if !news.is_empty() {
                waiting.push(Msg::Feed(Feed::Outbox(news)));
            }
        }
    }

    fn perform(&mut self, effect: Effect) -> Option<Msg> {
        Some(match effect {
            Effect::Append { req, events } => Msg::Reply(req, Reply::Saved(self.store.append(events).unwrap())),
            Effect::Step { req, op, step, by } => Msg::Reply(req, Reply::Stepped(self.store.step(&op, &step, &by))),
            Effect::Deliver { req, op, look } => {
                let target = self.targets.get(&op.target);
                Msg::Reply(req, self.runtime.block_on(courier::deliver(target, *op, look)))
            }
            Effect::AskTarget { req, target, question } => {
                let answer = self.runtime.block_on(courier::ask(&self.targets[&target], &target, question));
                Msg::Reply(req, Reply::Told(answer))
            }
            Effect::Alerts { req, .. } => {
                let snapshot =
                    AlertSnapshot { alerts: self.alerts.clone(), answered: 1, peers: 1, ..Default::default() };
                Msg::Reply(req, Reply::Alerts(Ok(snapshot)))
            }
            _ => return None,
        })
    }

    fn after(&mut self, span: Span) {
        self.ahead += span;
        self.tell(Msg::Wake);
    }

    fn poll(&mut self) {
        self.after(secs(16));
    }

    fn press(&mut self, keys: &str) {
        for key in keys.split(' ') {
            self.tell(Msg::Painted);
            self.tell(Msg::Key(Key::parse(key).unwrap()));
        }
    }

    fn types(&mut self, text: &str) {
        text.chars().for_each(|c| self.tell(Msg::Key(Key::char(c))));
    }

    fn select(&mut self, page: &str) {
        self.press("1");
        self.model.nav.spot_mut().cursor = Some(Item::Page(name(), page.into()));
    }

    /// Chooses what to do in the form of a page.
    fn choose(&mut self, words: &str) {
        for _ in 0..20 {
            let Some(Overlay::Form(form)) = &self.model.nav.overlay else { panic!("no form: {}", self.said()) };
            if form.value("do").starts_with(words) {
                return;
            }
            self.press("Right");
        }
        panic!("there is no {words}");
    }

    fn screen(&self) -> String {
        lines::page(&self.model, self.now()).join("\n")
    }

    fn said(&self) -> String {
        self.model.messages.iter().map(|m| m.text.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// Declares from a page; the incident's id.
    fn declare_from(&mut self, page: &str) -> IncidentId {
        self.select(page);
        self.press("i Enter");
        let Screen::Incident(id) = self.model.nav.screen().clone() else { panic!("{}", self.said()) };
        id
    }

    fn events(&mut self, id: &IncidentId) -> Vec<Event> {
        self.store.events(id).unwrap()
    }

    fn lines_of(&mut self, id: &IncidentId) -> Vec<String> {
        let line = |event: Event| match event.body {
            Body::BackendLogged(line) => Some(line.text),
            _ => None,
        };
        self.events(id).into_iter().filter_map(line).collect()
    }

    fn account<T>(&self, use_it: impl FnOnce(&mut crate::pagerduty_server::Account) -> T) -> T {
        self.rig.server.with(use_it)
    }

    fn status(&self, page: &str) -> String {
        self.account(|account| account.incident(page)["status"].as_str().unwrap().to_owned())
    }

    fn done(&self) -> Vec<(String, String)> {
        self.account(|account| account.ledger.clone())
    }
}

fn pair(what: &str, page: &str) -> (String, String) {
    (what.to_owned(), page.to_owned())
}

#[test]
fn a_page_is_seen_declared_from_and_acknowledged_in_both_places() {
    let mut cockpit = Cockpit::new();
    cockpit.press("1");
    let screen = cockpit.screen();
    assert!(screen.contains("PAGED pd #100 high triggered api: 5xx above 1 %, Ada"), "{screen}");

    let id = cockpit.declare_from("P1");
    let incident = cockpit.model.desk.cases[&id].shown.clone();
    assert_eq!((incident.title.as_str(), incident.service.as_deref()), ("api: 5xx above 1 %", Some("api")));
    assert_eq!(incident.detected_by.as_deref(), Some("pd #100"));
    assert_eq!(incident.pages[0].link.page, "P1");
    let values = midwatch::app::present::backend::values(&incident);
    assert_eq!((values["incident_id"].as_str(), values["incident_number"].as_str()), ("P1", "100"));
    cockpit.poll();
    assert_eq!(cockpit.lines_of(&id), ["Triggered through the API."]);

    cockpit.press("a");
    assert_eq!(cockpit.status("P1"), "acknowledged");
    assert_eq!(cockpit.done(), [pair("acknowledge", "P1")]);
    assert!(cockpit.model.desk.cases[&id].shown.times.acknowledged.is_some());
    cockpit.poll();
    cockpit.poll();
    assert_eq!(cockpit.lines_of(&id).len(), 2, "a line is recorded once");
    let screen = cockpit.screen();
    assert!(screen.contains("pd #100 acknowledged by Ada") && screen.contains("un-acks"), "{screen}");
    assert!(!screen.contains("CONFLICT"), "{screen}");

    // Resolved here, it is resolved there: after the time in which `u` takes it back.
    cockpit.press("x");
    cockpit.types("rolled back");
    cockpit.press("Enter");
    let token: String = id.0.chars().skip(id.0.chars().count() - 4).collect();
    cockpit.tell(Msg::Painted);
    cockpit.types(&token);
    cockpit.press("Enter");
    assert_eq!(cockpit.status("P1"), "acknowledged", "{}", cockpit.said());
    cockpit.after(secs(7));
    assert_eq!(cockpit.status("P1"), "resolved", "{}", cockpit.said());
    assert!(cockpit.store.verify().unwrap().is_empty());
}

#[test]
fn what_happened_there_wins_and_is_shown_and_never_overwritten() {
    let mut cockpit = Cockpit::new();
    let id = cockpit.declare_from("P1");
    cockpit.account(|account| {
        account.set_status("P1", "acknowledged", Some("U2"));
        account.line("P1", "acknowledge", "U2", "Acknowledged by Grace.");
    });
    cockpit.poll();
    let screen = cockpit.screen();
    assert!(screen.contains("CONFLICT acknowledged there by Grace; not acknowledged here"), "{screen}");
    cockpit.press("a");
    assert!(cockpit.said().contains("acknowledged there by Grace"), "{}", cockpit.said());
    assert!(cockpit.done().is_empty(), "{:?}", cockpit.done());

    cockpit.account(|account| {
        account.set_status("P1", "resolved", Some("U2"));
        account.line("P1", "resolve", "U2", "Resolved by Grace.");
    });
    cockpit.poll();
    cockpit.poll();
    let screen = cockpit.screen();
    assert!(screen.contains("CONFLICT resolved there by Grace"), "{screen}");
    assert!(cockpit.model.desk.cases[&id].shown.is_open(), "what is ours is ended by us alone");
    assert_eq!(cockpit.model.desk.cases[&id].shown.pages[0].status, BackendStatus::Resolved);
    assert!(cockpit.done().is_empty());
}

#[test]
fn an_acknowledgement_that_meets_a_resolved_page_opens_nothing_again() {
    let mut cockpit = Cockpit::new();
    cockpit.declare_from("P1");
    // It is resolved there after our last look.
    cockpit.account(|account| account.set_status("P1", "resolved", None));
    cockpit.press("a");
    assert!(cockpit.done().is_empty(), "{:?}", cockpit.done());
    assert!(cockpit.said().contains("conflict (resolved)"), "{}", cockpit.said());
}

#[test]
fn what_is_resolved_there_does_nothing_by_itself_any_more() {
    let mut cockpit = Cockpit::new();
    let id = cockpit.declare_from("P1");
    cockpit.poll();
    let running = |cockpit: &Cockpit| {
        let all = timers::live(&cockpit.model, cockpit.now());
        all.iter().filter(|timer| timer.kind == TimerKind::Backend && timer.incident == id).count()
    };
    assert!(running(&cockpit) > 0);
    // What was still to come is in the answer all the same.
    let later = midwatch::domain::time::rfc3339(cockpit.now() + mins(120));
    cockpit.account(|account| {
        account.set_status("P1", "resolved", None);
        account.line("P1", "resolve", "U2", "Resolved by Grace.");
        account.incident_mut("P1")["pending_actions"] = json!([{"type": "unacknowledge", "at": later}]);
    });
    (0..3).for_each(|_| cockpit.poll());
    assert_eq!(cockpit.model.desk.cases[&id].shown.pages[0].status, BackendStatus::Resolved);
    assert_eq!(running(&cockpit), 0, "{}", cockpit.screen());
}

/// That nothing was asked of it is no sign that it would answer.
#[test]
fn a_target_that_was_never_asked_is_not_called_well() {
    let mut cockpit = Cockpit::new();
    let now = cockpit.now();
    let idle = SourceName::from("idle");
    let kind = LinkKind::Target { reads: false };
    cockpit
        .model
        .links
        .insert(idle.clone(), Link::new(idle.clone(), "idle".into(), kind, "there".into(), secs(15), now));
    let facts = cockpit.targets[&name()].facts(&idle);
    cockpit.model.outbox.targets.insert(idle.clone(), TargetState::new(facts, now));
    let word = |cockpit: &Cockpit, name: &SourceName| {
        let rows = midwatch::app::present::sources::rows(&cockpit.model, cockpit.now());
        rows.into_iter().find(|row| row.name == name.as_str()).unwrap().word
    };
    assert_eq!((word(&cockpit, &idle).as_str(), word(&cockpit, &name()).as_str()), ("not asked", "ok"));
    cockpit.model.outbox.targets.get_mut(&idle).unwrap().good = Some(now);
    assert_eq!(word(&cockpit, &idle), "ok");
}

#[test]
fn a_page_that_is_worth_no_incident_is_acknowledged_by_itself() {
    let mut cockpit = Cockpit::new();
    cockpit.select("P2");
    cockpit.press("a");
    assert_eq!(cockpit.done(), [pair("acknowledge", "P2")]);
    assert!(cockpit.model.desk.cases.is_empty());
    let log = cockpit.events(&OUTWARD_LOG.into());
    assert_eq!(log.iter().map(|e| e.body.kind()).collect::<Vec<_>>(), ["outgoing", "outcome"]);
    assert!(cockpit.store.heads().unwrap().is_empty());
    cockpit.poll();
    cockpit.select("P3");
    cockpit.press("a");
    assert!(cockpit.said().contains("it is acknowledged there by Ada"), "{}", cockpit.said());
}

#[test]
fn a_page_of_another_team_is_refused_by_itself_and_ours_are_still_acknowledged() {
    let mut cockpit = Cockpit::new();
    cockpit.account(|account| account.barred = [("P1", "Access Denied")].into());
    cockpit.select("P1");
    cockpit.press("a");
    let said = cockpit.said();
    assert!(said.contains("acknowledge P1: refused (forbidden: answered 403: Access Denied"), "{said}");
    assert!(!said.contains("pd cannot acknowledge"), "{said}");
    cockpit.select("P2");
    cockpit.press("a");
    assert_eq!(cockpit.done(), [pair("acknowledge", "P2")], "{}", cockpit.said());
    // It worked with one: another refusal is that page's matter too.
    cockpit.account(|account| {
        account.open("P4", "somebody's disk");
        account.open("P5", "our disk");
        account.barred.insert("P4", "Access Denied");
    });
    cockpit.poll();
    for page in ["P1", "P4", "P5"] {
        cockpit.select(page);
        cockpit.press("a");
    }
    assert_eq!(cockpit.done()[1..], [pair("acknowledge", "P5")], "{}", cockpit.said());
}

#[test]
fn a_token_that_was_refused_for_two_pages_is_not_tried_on_a_third_until_a_person_says_so() {
    let mut cockpit = Cockpit::new();
    cockpit.account(|account| {
        account.open("P4", "disk");
        account.barred = ["P1", "P2", "P4"].map(|id| (id, "Access Denied")).into();
    });
    cockpit.poll();
    for page in ["P1", "P2"] {
        cockpit.select(page);
        cockpit.press("a");
    }
    let said = cockpit.said();
    assert!(said.contains("pd cannot acknowledge: the token may not: answered 403: Access Denied"), "{said}");
    assert!(said.contains("(for P1 and for P2); R on screen 7 tries again"), "{said}");
    let asked = cockpit.rig.server.requests().len();
    cockpit.select("P4");
    cockpit.press("a");
    assert_eq!(cockpit.rig.server.requests().len(), asked, "{}", cockpit.said());
    // What the adapter taught by the way changes nothing of it.
    let facts = cockpit.targets[&name()].facts(&name());
    cockpit.tell(Msg::Feed(Feed::Target(Box::new(facts))));
    cockpit.select("P4");
    cockpit.press("a");
    assert_eq!(cockpit.rig.server.requests().len(), asked, "{}", cockpit.said());
    cockpit.account(|account| account.barred.clear());
    cockpit.press("7 R");
    cockpit.select("P4");
    cockpit.press("a");
    assert_eq!(cockpit.done(), [pair("acknowledge", "P4")], "{}", cockpit.said());
}

#[test]
fn a_word_of_the_tokens_scope_counts_at_once() {
    let mut cockpit = Cockpit::new();
    cockpit.account(|account| account.barred = [("P1", "Your token lacks the scope incidents.write")].into());
    cockpit.select("P1");
    cockpit.press("a");
    assert!(cockpit.said().contains("pd cannot acknowledge: the token may not"), "{}", cockpit.said());
    cockpit.select("P2");
    cockpit.press("a");
    assert!(cockpit.done().is_empty());
}

fn alert(labels: &[(&str, &str)]) -> Alert {
    let labels = Labels(labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect());
    Alert {
        fingerprint: fingerprint(&labels),
        name: labels.get("alertname").to_owned(),
        annotations: Labels::default(),
        state: AlertState::Firing,
        started_at: clock::now() - mins(3),
        source: "alertmanager".into(),
        held_by: vec![],
        generator_url: None,
        labels,
    }
}

#[test]
fn declaring_from_an_alert_links_the_pages_that_are_about_it() {
    let mut cockpit = Cockpit::new();
    cockpit.alerts = vec![alert(&[("alertname", "ApiErrors"), ("service", "api"), ("severity", "page")])];
    // The alerts inside incidents are read one incident a poll.
    (0..4).for_each(|_| cockpit.poll());
    cockpit.press("6 i Enter");
    let Screen::Incident(id) = cockpit.model.nav.screen().clone() else { panic!("{}", cockpit.said()) };
    let pages = &cockpit.model.desk.cases[&id].shown.pages;
    assert_eq!(pages.iter().map(|p| p.link.page.as_str()).collect::<Vec<_>>(), ["P1", "P2", "P3"]);
    assert_eq!(pages[0].link.why, "an alert in it has the same labels");
    // Only what nobody has is acknowledged.
    cockpit.press("a");
    cockpit.poll();
    let mut done = cockpit.done();
    done.sort();
    assert_eq!(done, [pair("acknowledge", "P1"), pair("acknowledge", "P2")], "{}", cockpit.said());
}

#[test]
fn an_alert_says_who_has_it_there_and_is_acted_on_from_its_row() {
    let mut cockpit = Cockpit::new();
    cockpit.alerts = vec![alert(&[("alertname", "ApiErrors"), ("service", "api"), ("severity", "page")])];
    (0..4).for_each(|_| cockpit.poll());
    cockpit.press("6");
    assert!(cockpit.screen().contains("UNACKED"), "{}", cockpit.screen());
    cockpit.press("X");
    assert!(matches!(cockpit.model.nav.overlay, Some(Overlay::Form(_))), "{}", cockpit.said());
    cockpit.press("Esc");
    for page in ["P1", "P2"] {
        cockpit.account(|account| account.set_status(page, "acknowledged", Some("U2")));
    }
    cockpit.poll();
    assert!(cockpit.screen().contains("ack Grace"), "{}", cockpit.screen());
}

#[test]
fn the_timers_of_the_product_are_told_by_it_and_never_ring_here() {
    let mut cockpit = Cockpit::new();
    let id = cockpit.declare_from("P1");
    let incident = cockpit.model.desk.cases[&id].shown.clone();
    let timer = |cockpit: &Cockpit| {
        let all = timers::of(&cockpit.model, &incident, cockpit.now());
        all.into_iter().find(|t| t.kind == TimerKind::Backend)
    };
    let told: Timestamp = cockpit
        .account(|account| account.incident("P1")["pending_actions"][0]["at"].as_str().unwrap().parse().unwrap());
    let first = timer(&cockpit).unwrap();
    assert_eq!((first.label.as_str(), first.due_at), ("pd escalates #100", told));
    cockpit.ahead += mins(20);
    assert_eq!(timer(&cockpit), None, "what should have happened is not known before it is read");
    cockpit.poll();
    let due =
        cockpit.events(&id).iter().any(|e| matches!(&e.body, Body::TimerDue { label, .. } if label.contains("pd")));
    assert!(!due);
}

#[test]
fn an_acknowledgement_that_ends_is_told_once_and_one_that_never_ends_is_said() {
    let mut cockpit = Cockpit::new();
    cockpit.declare_from("P3");
    let soon = midwatch::domain::time::rfc3339(cockpit.now() + mins(4));
    cockpit.account(|account| {
        account.incident_mut("P3")["pending_actions"] = json!([{"type": "unacknowledge", "at": soon}]);
    });
    cockpit.poll();
    cockpit.poll();
    assert_eq!(cockpit.said().matches("the acknowledgement of pd #102 ends").count(), 1, "{}", cockpit.said());
    cockpit.account(|account| {
        account.incident_mut("P3")["pending_actions"] = json!([]);
        account.incident_mut("P3")["service"]["acknowledgement_timeout"] = Value::Null;
    });
    cockpit.poll();
    let screen = cockpit.screen();
    assert!(screen.contains("no ack timeout: nothing pages again if you vanish"), "{screen}");
}

#[test]
fn what_pages_people_is_asked_first_with_their_local_time() {
    let mut cockpit = Cockpit::new();
    cockpit.declare_from("P1");
    cockpit.press("X");
    cockpit.choose("ask to join");
    cockpit.press("Tab Tab");
    cockpit.types("please join");
    cockpit.press("Enter");
    let Some(Overlay::Confirm(confirm)) = &cockpit.model.nav.overlay else { panic!("{}", cockpit.said()) };
    let pages = confirm.rows.iter().find(|(label, _)| label == "pages").map(|(_, who)| who.clone()).unwrap();
    assert!(pages.starts_with("Ada, ") && pages.ends_with("for them") && pages.contains("CE"), "{pages}");
    cockpit.press("y");
    assert!(cockpit.done().is_empty(), "it waits for u");
    cockpit.after(secs(7));
    assert_eq!(cockpit.done(), [pair("request_responders", "P1")]);
    (0..3).for_each(|_| cockpit.poll());
    assert_eq!(cockpit.done().len(), 1, "sent once");
}

#[test]
fn the_form_of_a_page_snoozes_escalates_notes_and_sets_a_priority() {
    let mut cockpit = Cockpit::new();
    cockpit.poll();
    for (act, text, asks) in [
        ("note", "db pool is full", false),
        ("priority", "p1", false),
        ("snooze", "30", false),
        ("escalate", "2", true),
        ("merge", "#101", false),
    ] {
        cockpit.select("P1");
        cockpit.press("X");
        cockpit.choose(act);
        cockpit.press("Tab Tab");
        cockpit.types(text);
        cockpit.press("Enter");
        let asked = matches!(cockpit.model.nav.overlay, Some(Overlay::Confirm(_)));
        assert_eq!(asked, asks, "{act}: {}", cockpit.said());
        if asked {
            let Some(Overlay::Confirm(confirm)) = &cockpit.model.nav.overlay else { panic!() };
            assert!(confirm.rows.iter().any(|(_, text)| text.starts_with("Grace, ")), "{:?}", confirm.rows);
            cockpit.press("y");
        }
        cockpit.after(secs(7));
    }
    let done: Vec<String> = cockpit.done().into_iter().map(|(what, _)| what).collect();
    assert_eq!(done, ["note", "set_priority", "snooze", "escalate", "merge"], "{}", cockpit.said());
    // What is wrong stays in the form.
    cockpit.select("P1");
    cockpit.press("X");
    cockpit.choose("snooze");
    cockpit.press("Enter");
    let Some(Overlay::Form(form)) = &cockpit.model.nav.overlay else { panic!() };
    assert!(form.error.as_deref().unwrap_or_default().contains("minutes is needed"), "{:?}", form.error);
}

#[test]
fn a_declared_incident_pages_by_policy_and_is_linked_to_what_that_opens() {
    let mut cockpit = Cockpit::new();
    cockpit.press("1 i");
    cockpit.types("api is down");
    cockpit.press("Tab Left Left Tab");
    cockpit.types("api");
    cockpit.press("Enter");
    let Some(Overlay::Confirm(confirm)) = &cockpit.model.nav.overlay else { panic!("{}", cockpit.said()) };
    let who: Vec<&str> =
        confirm.rows.iter().filter(|(label, _)| label == "pages").map(|(_, who)| who.as_str()).collect();
    assert!(who.len() == 1 && who[0].starts_with("Ada, ") && who[0].ends_with("for them"), "{:?}", confirm.rows);
    cockpit.press("y");
    cockpit.after(secs(7));
    assert_eq!(cockpit.done(), [pair("declare", "N3")], "{}", cockpit.said());
    let Screen::Incident(id) = cockpit.model.nav.screen().clone() else { panic!() };
    assert_eq!(cockpit.model.desk.cases[&id].shown.pages[0].link.page, "N3");
    cockpit.poll();
    assert!(cockpit.screen().contains("pd #103 triggered"), "{}", cockpit.screen());
}

#[test]
fn a_wrong_link_is_taken_back_and_a_missing_one_is_made() {
    let mut cockpit = Cockpit::new();
    let id = cockpit.declare_from("P1");
    cockpit.press("X");
    cockpit.choose("link");
    cockpit.press("Tab Tab");
    cockpit.types("another service");
    cockpit.press("Enter");
    assert!(cockpit.model.desk.cases[&id].shown.pages.is_empty(), "{}", cockpit.said());
    cockpit.press("u");
    assert_eq!(cockpit.model.desk.cases[&id].shown.pages.len(), 1, "{}", cockpit.said());
    cockpit.press("X");
    cockpit.choose("link");
    cockpit.press("Tab Tab");
    cockpit.types("another service");
    cockpit.press("Enter");
    // Nothing is linked: the key asks which one belongs.
    cockpit.press("X");
    assert!(cockpit.screen().contains("PAGES") || cockpit.model.nav.overlay.is_some());
    cockpit.press("Right Enter");
    assert_eq!(cockpit.model.desk.cases[&id].shown.pages.len(), 1, "{}", cockpit.said());
}

#[test]
fn pages_and_who_is_on_call_are_commands_with_promised_names() {
    let rig = PagerDutyRig::user();
    let machine = Machine::new();
    machine.write("config.yaml", &rig.section(false));
    let out = machine.run("pages -o json");
    assert_eq!(out.code, 0, "{}", out.err);
    let json = out.json();
    let page = &json["pages"][0];
    for name in [
        "target",
        "id",
        "number",
        "title",
        "status",
        "urgency",
        "priority",
        "service",
        "assigned",
        "acknowledged_by",
        "created_at",
        "pending",
        "ack_timeout_seconds",
        "key",
        "url",
        "incident",
    ] {
        assert!(page.get(name).is_some(), "{name}");
    }
    assert_eq!((page["number"].as_str(), page["ack_timeout_seconds"].as_u64()), (Some("#100"), Some(1_800)));
    assert_eq!(page["pending"][0]["action"], "escalate");
    let out = machine.run("pages");
    assert!(out.out.contains("#100") && out.out.contains("api: 5xx above 1 %"), "{}", out.out);

    let json = machine.run("oncall -o json").json();
    let first = &json["on_call"][0];
    for name in ["target", "policy", "level", "schedule", "name", "email", "time_zone", "local_time", "until"] {
        assert!(first.get(name).is_some(), "{name}");
    }
    assert_eq!((first["name"].as_str(), first["level"].as_u64()), (Some("Ada"), Some(1)));
    assert!(machine.run("oncall").out.contains("Grace"));
    // A token that is refused is no empty list.
    machine.write("config.yaml", &rig.section(false).replace("/key'", "/other'"));
    let out = machine.run("pages -o json");
    assert_eq!((out.code, out.json()["partial"].as_bool()), (3, Some(true)), "{}", out.out);
    assert!(rig.server.requests().iter().all(|asked| !asked.writes()));
}

/// The product that knows who is on call, and not a webhook of which nobody can tell what it does.
#[test]
fn a_page_by_command_goes_to_the_product_and_says_who_it_wakes_and_what_time_it_is_for_them() {
    let rig = PagerDutyRig::user();
    let machine = Machine::new();
    let hook = "event_sinks:\n  - {name: a-hook, kind: webhook, url: 'http://127.0.0.1:9', options: {audience: ops}}\n";
    machine.write("config.yaml", &format!("{hook}{}", rig.section(false)));
    let declared = machine.run("incident declare --title t --severity SEV1 --service api");
    assert!(declared.err.contains("nobody was paged"), "{}", declared.err);
    let asked = machine.run("incident page last -o json");
    assert_eq!((asked.code, asked.json()["target"].as_str()), (1, Some("pd")), "{} {}", asked.out, asked.err);
    let pages = asked.json()["pages"][0].as_str().unwrap().to_owned();
    assert!(pages.starts_with("Ada, ") && pages.ends_with("for them"), "{pages}");
    let queued = |code: i32, line: &str| {
        let out = machine.run(line);
        assert_eq!(out.code, code, "{}", out.err);
        machine.run("outbox list -o json").json()["operations"].as_array().unwrap().clone()
    };
    assert!(queued(1, "incident page last").is_empty());
    let first = queued(0, "incident page last --yes");
    assert_eq!((first.len(), first[0]["capability"].as_str()), (1, Some("declare")));
    let again = machine.run("incident page last --yes");
    assert!(again.code == 1 && again.err.contains("was asked to page for"), "{}", again.err);
    // One that was dropped is no page: the next one is another operation and is not taken for the same.
    let drop = format!("outbox drop {} --reason late", first[0]["id"].as_str().unwrap());
    assert!(queued(0, &drop).is_empty());
    let second = queued(0, "incident page last --yes");
    assert!(second.len() == 1 && second[0]["id"] != first[0]["id"], "{second:?}");
    assert!(rig.server.requests().iter().all(|asked| !asked.writes()));
}

#[test]
fn an_acknowledgement_by_command_is_queued_for_the_page_too_and_doctor_knows_who_we_are() {
    let rig = PagerDutyRig::user();
    let machine = Machine::new();
    machine.write("config.yaml", &rig.section(false));
    assert_eq!(machine.run("incident declare --title t --severity SEV3").code, 0);
    let path = machine.dir.path().join("d/midwatch.db");
    let mut store = midwatch::io::store::sqlite::Sqlite::open(&path).unwrap();
    let id = store.heads().unwrap()[0].id.clone();
    let there = midwatch::domain::outward::backend::BackendIncident::new("P1", "api", BackendStatus::Triggered);
    let link = midwatch::domain::incident::linked::BackendLink::to(&name(), &there, "by hand");
    let body = Body::BackendLinked(Box::new(link));
    let now = clock::now();
    let event = NewEvent { incident: id, at: now, recorded_at: now, actor: "ada".into(), body, once: None };
    store.append(vec![event]).unwrap();
    drop(store);
    let out = machine.run("incident ack last");
    assert!(out.code == 0 && out.err.contains("acknowledge P1"), "{} {}", out.out, out.err);
    let queue = machine.run("outbox list -o json").json();
    assert!(queue.to_string().contains("acknowledge P1"), "{queue}");
    assert_eq!(machine.run("incident show last -o json").json()["pages"][0]["id"], "P1");
    assert!(rig.server.requests().iter().all(|asked| !asked.writes()), "a cockpit sends it");

    let out = machine.run("doctor -o json");
    assert!(out.out.contains("user token, as Ada"), "{}", out.out);
    assert!(!out.out.contains("canary"));
}
