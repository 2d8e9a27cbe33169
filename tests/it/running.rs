//! Running a v1 runbook through the machine: values, guard, state before, confirmation, proof, rollback, a second person,
//! and going on after a crash. Messages in, exact effects out; the test is the world.

use midwatch::app::deadline::next_deadline;
use midwatch::app::effect::Effect;
use midwatch::app::key::{Code, Key};
use midwatch::app::model::{Model, Setup};
use midwatch::app::msg::{Feed, Msg, Reply};
use midwatch::app::present::view;
use midwatch::app::present::view::{Body as Shown, WalkPage};
use midwatch::app::screen::{Overlay, Screen};
use midwatch::app::update::update;
use midwatch::domain::exec::{CommandEnd, CommandNews, CommandSpec};
use midwatch::domain::fault::{Fault, FaultKind};
use midwatch::domain::ids::{IncidentId, Origin, ReqId};
use midwatch::domain::incident::change::{ChangeState, VerifyEnd};
use midwatch::domain::incident::event::{Body, Event, NewEvent};
use midwatch::domain::incident::state::Incident;
use midwatch::domain::labels::Labels;
use midwatch::domain::runbook::format;
use midwatch::domain::server_note::ServerNote;
use midwatch::domain::slo::reading::{Counts, Measurement, Reading, Window};
use midwatch::domain::slo::sample::Sample;
use midwatch::domain::time::{Span, Timestamp, mins, secs};
use midwatch::io::fake::objectives;
use midwatch::io::store::Store;
use midwatch::io::store::memory::Memory;
use midwatch::run::sim::{links, setup};
use std::sync::Arc;

const BOOK: &str = include_str!("../fixtures/runbooks/running.yaml");
const ID: &str = "INC-20260501-031204";

fn start() -> Timestamp {
    "2026-05-01T03:12:04Z".parse().unwrap()
}

/// A machine with its record, in front of the runbook.
struct Desk {
    model: Model,
    now: Timestamp,
    record: Memory,
}

impl Desk {
    /// An incident whose alert has these labels, its runbook open, commands allowed.
    fn new(labels: &[(&str, &str)]) -> Self {
        let mut record = Memory::new(Origin("here".into()));
        let event = |body| NewEvent {
            incident: ID.into(),
            at: start(),
            recorded_at: start(),
            actor: "ada".into(),
            body,
            once: None,
        };
        let labels = Labels(labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect());
        let declared = Body::Declared {
            title: "Checkout burns".into(),
            severity: "SEV2".into(),
            service: Some("checkout".into()),
            detected_by: None,
            detected_at: None,
        };
        let linked = Body::AlertLinked {
            fingerprint: "a7ffdcec7b6bae00".into(),
            name: "CheckoutBurns".into(),
            labels,
            started_at: start(),
        };
        record.append(vec![event(declared), event(linked)]).unwrap();
        Self::on(record, "ada", start() + secs(1))
    }

    /// A cockpit that begins on a record.
    fn on(mut record: Memory, who: &str, now: Timestamp) -> Self {
        let model = Model::new(Setup { simulated: None, ..setup(who) }, objectives(), links(start(), secs(3_600)));
        let events = record.events(&ID.into()).unwrap();
        let mut desk = Self { model, now, record };
        let loaded = vec![(Incident::fold(&events).unwrap(), events)];
        desk.send(Msg::Feed(Feed::Opened(desk.record.origin().clone())));
        let book = format::read("running.yaml", BOOK).0.expect("a runbook");
        desk.send(Msg::Feed(Feed::Library(vec![Arc::new(book)], vec![])));
        desk.send(Msg::Feed(Feed::Loaded(loaded)));
        desk.press("3 r");
        assert!(matches!(desk.model.nav.screen(), Screen::Walk(Some(_), _)), "{}", desk.said());
        desk.send(Msg::Act(midwatch::app::action::Action::Arm));
        desk.send(Msg::Painted);
        desk.press("a r m Enter");
        assert!(desk.model.armed(desk.now), "{}", desk.said());
        desk
    }

    /// Handles a message; what is to be recorded is recorded at once.
    fn send(&mut self, msg: Msg) -> Vec<Effect> {
        let mut all = Vec::new();
        let mut open = update(&mut self.model, self.now, msg);
        while !open.is_empty() {
            let mut next = Vec::new();
            for effect in open {
                if let Effect::Append { req, events } = &effect {
                    let saved = self.record.append(events.clone()).unwrap();
                    next.extend(update(&mut self.model, self.now, Msg::Reply(*req, Reply::Saved(saved))));
                }
                all.push(effect);
            }
            open = next;
        }
        all
    }

    fn press(&mut self, keys: &str) -> Vec<Effect> {
        keys.split(' ').flat_map(|key| self.send(Msg::Key(Key::parse(key).unwrap()))).collect()
    }

    fn types(&mut self, text: &str) {
        text.chars().for_each(|c| drop(self.send(Msg::Key(Key::char(c)))));
    }

    fn painted(&mut self) {
        self.send(Msg::Painted);
    }

    fn after(&mut self, length: Span) -> Vec<Effect> {
        self.now += length;
        self.send(Msg::Wake)
    }

    fn said(&self) -> String {
        self.model.messages.iter().rev().take(3).map(|m| m.text.clone()).collect::<Vec<_>>().join(" / ")
    }

    /// The box on the screen: label and text, one per line.
    fn shown(&self) -> String {
        let Some(Overlay::Confirm(confirm)) = &self.model.nav.overlay else {
            panic!("no box: {:?}; {}", self.model.nav.overlay, self.said())
        };
        confirm.rows.iter().map(|(label, text)| format!("{label}: {text}\n")).collect()
    }

    fn form_error(&self) -> String {
        let Some(Overlay::Form(form)) = &self.model.nav.overlay else { panic!("no form; {}", self.said()) };
        form.error.clone().unwrap_or_default()
    }

    fn page(&self) -> WalkPage {
        match view(&self.model, self.now).body {
            Shown::Walk(page) => *page,
            other => panic!("{other:?}"),
        }
    }

    fn state(&self) -> &Incident {
        &self.model.desk.cases[&IncidentId::from(ID)].shown
    }

    fn kinds(&mut self) -> Vec<String> {
        self.record.events(&ID.into()).unwrap().iter().map(|e| e.body.kind().to_owned()).collect()
    }

    fn events(&mut self) -> Vec<Event> {
        self.record.events(&ID.into()).unwrap()
    }

    fn ends(&mut self, req: ReqId, exit: i32, output: &str) -> Vec<Effect> {
        self.send(Msg::Reply(req, Reply::Command(CommandNews::Output(output.to_owned()))));
        let end = CommandEnd { exit: Some(exit), began: true, ..CommandEnd::default() };
        self.send(Msg::Reply(req, Reply::Command(CommandNews::Ended(end))))
    }

    /// Values given, guard and state before looked at: what is left is the confirmation.
    fn ready(&mut self, replicas: &str, context: &str, old: &str) {
        self.press("Enter");
        self.types(replicas);
        self.press("Enter Enter");
        self.painted();
        let reads = runs(&self.press("Enter"));
        assert_eq!(reads.len(), 2, "{}", self.said());
        self.ends(reads[0].0, 0, context);
        self.ends(reads[1].0, 0, old);
    }

    /// The change was made and did its work; what is asked then.
    fn changed(&mut self) -> Vec<Effect> {
        self.ready("12", "prod-eu\n", "6\n");
        self.press("Enter");
        self.painted();
        let run = runs(&self.press("y"));
        self.ends(run[0].0, 0, "scaled\n")
    }

    /// Answers the looks that were asked for with this burn rate.
    fn burns(&mut self, effects: &[Effect], rate: Result<f64, FaultKind>) -> usize {
        let mut asked = 0;
        for effect in effects {
            let Effect::Measure { req, objectives, windows, .. } = effect else { continue };
            if windows.as_slice() != [Window::M5] {
                continue;
            }
            asked += 1;
            let objective = &objectives[0];
            let bad = rate.unwrap_or_default() * (1.0 - objective.target) * 1e6;
            let reading = Reading::Counts(Counts { bad, total: 1e6 });
            let measured = Measurement {
                windows: [(Window::M5, (self.now, reading))].into(),
                ..Measurement::empty(objective.id.clone())
            };
            let reply = match rate {
                Ok(_) => Ok((vec![measured], ServerNote::default())),
                Err(kind) => Err(Fault::new(kind, "prometheus", "made up")),
            };
            self.send(Msg::Reply(*req, Reply::Measured(reply)));
        }
        asked
    }
}

fn runs(effects: &[Effect]) -> Vec<(ReqId, CommandSpec)> {
    let of = |e: &Effect| match e {
        Effect::Run { req, spec } => Some((*req, spec.clone())),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

fn production() -> Desk {
    Desk::new(&[("namespace", "production"), ("service", "checkout")])
}

#[test]
fn values_are_asked_for_and_judged_before_anything_is_shown() {
    let mut desk = production();
    desk.press("Enter");
    for (typed, why) in [
        ("-1", "begins with `-`"),
        ("1;2", "does not match"),
        ("99", "is more than 40"),
        ("\u{202e}12", "hidden"),
        ("", "is empty"),
    ] {
        desk.send(Msg::Paste(typed.into()));
        desk.press("Enter");
        let error = desk.form_error();
        assert!(error.contains(why), "{typed:?}: {error}");
        for _ in 0..8 {
            desk.press("Backspace");
        }
    }
    assert!(!desk.kinds().contains(&"value".to_owned()), "nothing refused is recorded");
    desk.types("12");
    desk.press("Enter");
    assert_eq!(desk.state().walks[&"running".into()].given["REPLICAS"].as_deref(), Some("12"));
    let mut hostile = Desk::new(&[("namespace", "x; touch /tmp/canary")]);
    hostile.press("Enter");
    hostile.types("12");
    hostile.press("Enter Enter");
    assert!(hostile.model.nav.overlay.is_none(), "{:?}", hostile.model.nav.overlay);
    assert!(hostile.said().contains("$NAMESPACE has no value") && hostile.said().contains("`x; touch /tmp/canary`"));
}

#[test]
fn the_guard_is_looked_at_first_and_nothing_runs_elsewhere() {
    let mut desk = production();
    desk.press("Enter");
    desk.types("12");
    desk.press("Enter Enter");
    let shown = desk.shown();
    assert!(shown.contains("guard 1: kubectl config current-context"), "{shown}");
    assert!(shown.contains("before: kubectl get deploy/api -n production"), "{shown}");
    desk.painted();
    let reads = runs(&desk.press("Enter"));
    assert_eq!(reads[0].1.argv, ["kubectl", "config", "current-context"]);
    desk.ends(reads[1].0, 0, "6\n");
    desk.ends(reads[0].0, 0, "prod-us\n");
    assert!(desk.said().contains("NOT HERE: `kubectl config current-context` says `prod-us` (expected prod-eu)"));
    assert!(desk.kinds().contains(&"guard".to_owned()));
    desk.press("Enter");
    assert!(desk.shown().contains("guard 1"), "it is looked at again, and nothing else is offered");
    desk.painted();
    let again = runs(&desk.press("Enter"));
    assert_eq!(again.len(), 1, "the state before is known and still fresh");
    desk.ends(again[0].0, 0, "prod-eu\n");
    desk.press("Enter");
    assert!(desk.shown().contains("context: prod-eu"), "{}", desk.shown());
    desk.painted();
    desk.press("Esc");
    desk.now += mins(11);
    desk.press("Enter");
    assert!(desk.shown().contains("guard 1"), "ten minutes later it is looked at again");
}

#[test]
fn a_box_that_outlives_its_guard_runs_nothing() {
    let mut desk = production();
    desk.ready("12", "prod-eu\n", "6\n");
    desk.press("Enter");
    desk.painted();
    desk.now += mins(11);
    assert_eq!(runs(&desk.press("y")).len(), 0);
    assert!(desk.said().contains("too old"), "{}", desk.said());
}

#[test]
fn what_is_confirmed_is_what_runs_and_enter_is_never_yes() {
    let mut desk = production();
    desk.ready("12", "prod-eu\n", "6\n");
    let effects: Vec<Effect> = (0..500)
        .flat_map(|_| {
            desk.painted();
            desk.send(Msg::Key(Key::plain(Code::Enter)))
        })
        .collect();
    assert_eq!(runs(&effects).len(), 0, "a held Enter confirms no change");
    let shown = desk.shown();
    for row in [
        "runs: kubectl scale deploy/api -n production '--replicas=12'",
        "argv: \"kubectl\" \"scale\" \"deploy/api\" \"-n\" \"production\" \"--replicas=12\"",
        "where: simulated as simulated   time limit 60s",
        "context: prod-eu",
        "risk: changes production",
        "impact: Adds pods",
        "dry run: not done",
        "rollback: yes: kubectl scale deploy/api -n production '--replicas=6'",
        "verify: checkout_success burn 5m < 1 for 2m within 10m",
    ] {
        assert!(shown.contains(row), "{row}\n{shown}");
    }
    let effects = desk.press("y");
    let (_, spec) = runs(&effects).remove(0);
    assert_eq!(spec.argv, ["kubectl", "scale", "deploy/api", "-n", "production", "--replicas=12"]);
    assert!(matches!(effects[0], Effect::Append { .. }), "recorded first");
    let events = desk.events();
    let started = events.iter().rev().find_map(|e| match &e.body {
        Body::CommandStarted(start) => Some(start.clone()),
        _ => None,
    });
    let started = started.unwrap();
    assert_eq!((started.argv, started.context.as_deref()), (spec.argv, Some("prod-eu")));
    let sum = shown.lines().find_map(|l| l.strip_prefix("sha256: ")).unwrap();
    assert!(started.sha256.starts_with(sum));
}

#[test]
fn what_the_runbook_requires_must_hold() {
    let mut desk = production();
    desk.ready("4", "prod-eu\n", "6\n");
    desk.press("Enter");
    assert!(desk.model.nav.overlay.is_none());
    assert!(desk.said().contains("requires OLD=6 < REPLICAS=4, and it does not hold"), "{}", desk.said());
}

#[test]
fn a_change_is_proved_by_holding_and_eased_the_pain_when_it_began_to_hold() {
    let mut desk = production();
    let first = desk.changed();
    assert_eq!(desk.state().changes[0].state, ChangeState::InForce);
    assert_eq!(desk.burns(&first, Ok(14.0)), 1);
    let second = desk.after(secs(15));
    assert_eq!(desk.burns(&second, Ok(0.4)), 1);
    let broken = desk.after(secs(15));
    desk.burns(&broken, Err(FaultKind::Timeout));
    let page = desk.page();
    assert!(page.watch.unwrap().text.contains("NO DATA"), "a failure never counts as holding");
    let begin = desk.now + secs(15);
    for n in 0..8 {
        let looks = desk.after(secs(15));
        desk.burns(&looks, Ok(0.4));
        let watch = desk.page().watch.unwrap().text;
        assert!(watch.contains("holds,"), "look {n}: {watch}");
        assert!(desk.state().times.mitigated.is_none(), "look {n}");
    }
    let looks = desk.after(secs(15));
    desk.burns(&looks, Ok(0.4));
    assert_eq!(desk.state().times.mitigated, Some(begin), "{}", desk.said());
    let verify = desk.state().changes[0].verify.clone().unwrap();
    assert_eq!(verify.end, Some(VerifyEnd::Held(begin)));
    assert!(desk.kinds().contains(&"mitigated".to_owned()));
    let later = desk.after(secs(60));
    assert_eq!(desk.burns(&later, Ok(0.4)), 0, "nothing is watched any more");
}

#[test]
fn what_never_holds_fails_in_time_and_names_the_ways_on() {
    let mut desk = production();
    let mut looks = desk.changed();
    for _ in 0..40 {
        desk.burns(&looks, Ok(14.0));
        looks = desk.after(secs(15));
    }
    let verify = desk.state().changes[0].verify.clone().unwrap();
    assert!(matches!(verify.end, Some(VerifyEnd::Failed(why)) if why.contains("burn 14")));
    assert!(desk.said().contains("b rolls back"), "{}", desk.said());
    assert_eq!(desk.state().times.mitigated, None);
}

#[test]
fn changes_are_taken_back_by_the_command_that_was_settled_before() {
    let mut desk = production();
    desk.changed();
    let press = desk.press("8");
    assert!(runs(&press).is_empty());
    let Shown::Changes(page) = view(&desk.model, desk.now).body else { panic!() };
    assert_eq!((page.changes.rows[0].state.as_str(), page.changes.rows[0].action.as_str()), ("in force", "Scale out"));
    desk.press("Enter");
    assert!(desk.shown().contains("runs: kubectl scale deploy/api -n production '--replicas=6'"), "{}", desk.shown());
    desk.painted();
    let first = runs(&desk.press("y"));
    desk.ends(first[0].0, 1, "no\n");
    assert!(desk.said().contains("NOT rolled back"), "{}", desk.said());
    assert!(desk.state().changes[0].stands() && desk.state().changes[0].tried.as_deref() == Some("exit 1"));
    desk.press("b");
    desk.painted();
    let second = runs(&desk.press("y"));
    desk.ends(second[0].0, 0, "scaled\n");
    assert!(matches!(desk.state().changes[0].state, ChangeState::RolledBack(_)));
    assert_eq!(desk.state().in_force().count(), 0);
    assert!(desk.kinds().contains(&"rollback".to_owned()));
}

#[test]
fn a_killed_cockpit_goes_on_with_what_is_unknown_said_so() {
    let mut desk = production();
    desk.ready("12", "prod-eu\n", "6\n");
    desk.press("Enter");
    desk.painted();
    desk.press("y");
    // No word of its end: the cockpit dies here. Another one begins on the record.
    let Desk { record, now, .. } = desk;
    let mut next = Desk::on(record, "ada", now + mins(2));
    let item = next.page().items.rows[0].clone();
    assert_eq!(item.state.text, "unknown, check before re-running");
    assert_eq!(next.state().changes[0].state, ChangeState::Unknown);
    assert_eq!(next.state().walks[&"running".into()].captured["OLD"], "6");
    next.press("b");
    assert!(next.shown().contains("--replicas=6"), "it can be taken back all the same");
    assert!(next.said().contains("unknown whether the change was made"), "{}", next.said());
}

#[test]
fn a_second_person_at_another_cockpit_approves_once_and_in_time() {
    let mut desk = production();
    let choose = |desk: &mut Desk| {
        desk.ready("12", "prod-eu\n", "6\n");
        desk.press("Down Down Enter");
    };
    choose(&mut desk);
    assert!(desk.model.nav.overlay.is_none());
    let asked = desk.state().approvals[0].clone();
    assert_eq!(asked.request.command, "kubectl delete pod api-7f -n production");
    // The same person cannot approve, from any cockpit.
    let own = Body::ApprovalGiven { id: asked.request.id.clone(), witness: None };
    let event = |actor: &str, body| NewEvent {
        incident: ID.into(),
        at: desk.now,
        recorded_at: desk.now,
        actor: actor.into(),
        body,
        once: None,
    };
    let mut other = Memory::new(Origin("there".into()));
    other.merge(desk.record.events(&ID.into()).unwrap()).unwrap();
    let selfish = other.append(vec![event("ada", own.clone())]).unwrap();
    let given = other.append(vec![event("bob", own)]).unwrap();
    desk.record.merge(selfish.clone()).unwrap();
    desk.send(Msg::Feed(Feed::Others(selfish)));
    assert_eq!(desk.state().approvals[0].given, None);
    desk.record.merge(given.clone()).unwrap();
    desk.send(Msg::Feed(Feed::Others(given)));
    let by = desk.state().approvals[0].given.clone().unwrap();
    assert_eq!((by.name.as_str(), by.verified), ("bob", true));
    desk.press("Enter");
    let shown = desk.shown();
    assert!(shown.contains("approved: by bob, from another cockpit") && shown.contains("destroys"), "{shown}");
    desk.painted();
    assert_eq!(runs(&desk.press("Enter Enter Enter")).len(), 0);
    desk.types("api-7f");
    let run = runs(&desk.press("Enter"));
    assert_eq!(run[0].1.argv, ["kubectl", "delete", "pod", "api-7f", "-n", "production"]);
    desk.ends(run[0].0, 0, "deleted\n");
    desk.press("Enter");
    assert_eq!(desk.state().approvals.len(), 2, "an approval is good for one run: {}", desk.said());
    assert_ne!(desk.state().approvals[1].request.code, asked.request.code);
    desk.now += mins(11);
    let waiting: Vec<_> = desk.state().approvals.iter().filter(|a| a.is_live(desk.now)).collect();
    assert!(waiting.is_empty(), "denied by itself");
}

#[test]
fn a_witness_needs_another_name_and_the_code_and_stays_unverified() {
    let mut desk = production();
    desk.ready("12", "prod-eu\n", "6\n");
    desk.press("Down Down Enter Enter");
    let code = desk.state().approvals[0].request.code.clone();
    desk.types("Ada");
    desk.press("Tab");
    desk.types(&code);
    desk.press("Enter");
    assert!(desk.form_error().contains("nobody approves what they asked for"), "{}", desk.form_error());
    desk.send(Msg::Key(Key::plain(Code::BackTab)));
    desk.press("Backspace Backspace Backspace");
    desk.types("carol");
    desk.press("Enter");
    assert!(!desk.state().approvals[0].given.clone().unwrap().verified);
    desk.press("Enter");
    assert!(desk.shown().contains("UNVERIFIED"), "{}", desk.shown());
}

#[test]
fn the_configured_time_limit_holds_where_the_runbook_names_none() {
    let mut desk = production();
    desk.model.setup.command_timeout = secs(7);
    let book = format::read("running.yaml", BOOK).0.expect("a runbook");
    desk.send(Msg::Feed(Feed::Library(vec![Arc::new(book)], vec![])));
    desk.ready("12", "prod-eu\n", "6\n");
    desk.press("Enter");
    assert!(desk.shown().contains("time limit 7s"), "{}", desk.shown());
    desk.painted();
    assert_eq!(runs(&desk.press("y"))[0].1.timeout.as_secs(), 7);
}

#[test]
fn one_option_at_a_time_where_the_runbook_says_so() {
    let mut desk = production();
    desk.changed();
    desk.press("Down Down Enter");
    assert!(desk.said().contains("one option at a time: `Scale out` is in force"), "{}", desk.said());
}

#[test]
fn a_branch_shows_what_it_passes_by_and_why() {
    let mut desk = production();
    desk.press("l");
    desk.press("y");
    let page = desk.page();
    let notes: Vec<String> = page.steps.iter().map(|s| format!("{} {}", s.mark, s.note)).collect();
    assert!(notes[2].starts_with("[.] passed by: Is it over? yes"), "{notes:?}");
}

/// The looks at what checks suggest, in what is to be done.
fn measures(effects: &[Effect]) -> Vec<ReqId> {
    let of = |e: &Effect| match e {
        Effect::Query { req, promql, .. } if promql == "checkout:p95" => Some(*req),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

fn value(value: f64) -> Reply {
    Reply::Queried(Ok(vec![Sample { labels: Labels::default(), at: start(), value }]))
}

#[test]
fn a_measurement_suggests_and_never_answers() {
    let mut desk = production();
    assert!(measures(&desk.after(secs(1))).is_empty(), "nobody looks at the check yet");
    desk.press("l");
    assert_eq!(next_deadline(&desk.model, desk.now, true), Some(desk.now), "it is measured at once");
    let first = measures(&desk.after(secs(0)));
    assert_eq!(first.len(), 1);
    let row = |desk: &Desk| (desk.page().items.rows[0].clone(), desk.page().steps[3].note.clone());
    assert!(row(&desk).0.detail.contains("being measured"));
    desk.send(Msg::Reply(first[0], value(0.2)));
    let (check, step) = row(&desk);
    assert_eq!((check.state.text.as_str(), step.as_str()), ("( ) suggested: yes", "suggested"));
    assert!(check.detail.contains("checkout:p95 < 0.5: yes is suggested: 0.200"), "{}", check.detail);
    assert!(!desk.kinds().contains(&"check".to_owned()), "nothing is answered");
    assert!(measures(&desk.after(secs(14))).is_empty());

    let second = measures(&desk.after(secs(1)));
    desk.send(Msg::Reply(second[0], value(0.9)));
    let (check, step) = row(&desk);
    assert_eq!((check.state.text.as_str(), step.as_str()), ("( )", ""), "what does not hold suggests nothing");
    assert!(check.detail.contains("no suggestion: 0.900"), "{}", check.detail);

    let third = measures(&desk.after(secs(15)));
    desk.send(Msg::Reply(third[0], Reply::Queried(Ok(Vec::new()))));
    assert!(row(&desk).0.detail.contains("no suggestion: NO DATA"), "{}", row(&desk).0.detail);
    let fourth = measures(&desk.after(secs(15)));
    let away = Fault::new(FaultKind::Timeout, "prometheus", "made up");
    desk.send(Msg::Reply(fourth[0], Reply::Queried(Err(away))));
    assert!(row(&desk).0.detail.contains("NO DATA"), "a failure suggests nothing");

    // A server that is slow is not asked twice, and a value that is old is none.
    let fifth = measures(&desk.after(secs(15)));
    desk.send(Msg::Reply(fifth[0], value(0.2)));
    assert_eq!(measures(&desk.after(secs(15))).len(), 1);
    assert!(measures(&desk.after(secs(44))).is_empty());
    assert!(row(&desk).0.state.text.contains("suggested"));
    assert_eq!(measures(&desk.after(secs(16))).len(), 1, "an answer that does not come is asked for again");
    assert_eq!(row(&desk).0.state.text, "( )");
    desk.press("N");
    assert!(measures(&desk.after(secs(60))).is_empty(), "what is answered is not measured");
    assert!(desk.kinds().contains(&"check".to_owned()));
}

#[test]
fn read_only_runs_nothing_and_copies() {
    let mut desk = production();
    desk.model.setup.read_only = true;
    let effects = desk.press("Enter");
    assert!(runs(&effects).is_empty() && matches!(effects[..], [Effect::Copy { .. }]), "{effects:?}");
    desk.press("8 b");
    assert!(desk.model.nav.overlay.is_none());
}
