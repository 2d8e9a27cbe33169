//! The rigs of PagerDuty, REST and events, and what is special to it: what must never be sent, how it pages through lists,
//! who the token is.

use super::fake::any_intent;
use super::webhook::connect;
use super::{Rig, Trouble, run};
use crate::pagerduty_server::{ACCOUNT_KEY, Account, USER_KEY, answer, parameter, parameters};
use crate::stateful_server::{Answer, Asked, StatefulServer, Trouble as Net};
use midwatch::domain::outward::backend::{BackendStatus, BackendWrite, Party};
use midwatch::domain::outward::capability::{Can, Capability, Class, Lack};
use midwatch::domain::outward::event_sink::EventWrite;
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::{Expected, Operation};
use midwatch::domain::outward::outcome::{Obstacle, Outcome};
use midwatch::domain::time::mins;
use midwatch::io::clock;
use midwatch::io::port::{IncidentBackend, Target};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

fn secret(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let path = file.display().to_string();
    (folder, path)
}

fn net(trouble: Trouble, rest: bool) -> Net {
    match trouble {
        Trouble::RateLimited(s) if rest => Net::RateLimited(Some(("ratelimit-reset".into(), s.to_string()))),
        Trouble::RateLimited(s) => Net::RateLimited(Some(("Retry-After".into(), s.to_string()))),
        Trouble::RateLimitedBare => Net::RateLimited(None),
        Trouble::TooLong => Net::Status(414, String::new()),
        Trouble::Auth => Net::Status(401, r#"{"error":{"message":"Authentication failed","code":2006}}"#.into()),
        Trouble::LoginPage => Net::LoginPage,
        Trouble::LostReply => Net::LostReply,
        Trouble::LostRequest => Net::LostRequest,
        Trouble::Slow => Net::SlowBody(Duration::from_millis(100)),
        Trouble::Duplicate => Net::Duplicate,
    }
}

/// An account and the configuration of its target.
pub struct PagerDutyRig {
    pub server: StatefulServer<Account>,
    key: (TempDir, String),
    more: &'static str,
}

impl PagerDutyRig {
    /// With the key of a person.
    pub fn user() -> Self {
        Self::with(USER_KEY, "")
    }

    /// With the key of the account.
    pub fn account() -> Self {
        Self::with(ACCOUNT_KEY, "from_email: ada@example.com, ")
    }

    pub fn with(key: &str, more: &'static str) -> Self {
        Self { server: StatefulServer::start(Account::new(), answer), key: secret(key), more }
    }

    /// Its section of a configuration.
    pub fn section(&self, read_only: bool) -> String {
        format!(
            "incident_backends:\n  - {{name: pd, kind: pagerduty, url: '{}', timeout: 1s, read_only: {read_only}, auth: \
             {{bearer: {{file: '{}'}}}}, options: {{{}services: {{api: S1}}}}}}\n",
            self.server.url(),
            self.key.1,
            self.more,
        )
    }

    fn connect(&self, read_only: bool) -> Target {
        connect(&self.section(read_only))
    }

    fn backend(&self) -> Arc<dyn IncidentBackend> {
        self.connect(false).backend.unwrap()
    }

    fn apply(&self, op: &Operation) -> Outcome {
        run(self.connect(false).outward.apply(op))
    }

    /// What reached the server and may change something.
    fn writes(&self) -> Vec<Asked> {
        self.server.requests().into_iter().filter(Asked::writes).collect()
    }
}

impl Rig for PagerDutyRig {
    fn name(&self) -> String {
        format!("pagerduty {}", self.more)
    }

    fn target(&self) -> Target {
        self.connect(false)
    }

    fn read_only(&self) -> Target {
        self.connect(true)
    }

    fn intent(&self, capability: Capability) -> Option<Intent> {
        let intent = match capability {
            Capability::Unacknowledge => Intent::Backend(BackendWrite::Unacknowledge { incident: "P3".into() }),
            Capability::Declare => Intent::Backend(BackendWrite::Declare {
                title: "api is down".into(),
                service: Some(Party { name: "api".into(), ..Party::default() }),
                urgency: Some("high".into()),
                priority: None,
                body: "declared in midwatch".into(),
            }),
            other => any_intent(other)?,
        };
        matches!(intent, Intent::Backend(_)).then_some(intent)
    }

    fn effects(&self, op: &Operation) -> usize {
        let word = op.intent.capability().word();
        self.server.with(|account| match op.intent.capability() {
            Capability::Note => {
                let marker = op.marker();
                let notes = account.notes.values().flatten();
                notes.filter(|note| note["content"].as_str().unwrap().ends_with(&marker)).count()
            }
            Capability::Declare => account.incidents.iter().filter(|i| i["incident_key"] == op.id.as_str()).count(),
            _ => account.ledger.iter().filter(|(what, _)| what == word).count(),
        })
    }

    fn trouble(&self, trouble: Trouble) -> bool {
        self.server.script([net(trouble, true)]);
        true
    }

    fn always(&self, answer: Answer) -> bool {
        self.server.always(answer);
        true
    }

    fn disturb(&self, op: &Operation) -> bool {
        let Intent::Backend(write) = &op.intent else { return false };
        let moved_on = !matches!(
            write,
            BackendWrite::Note { .. }
                | BackendWrite::SetPriority { .. }
                | BackendWrite::SetTitle { .. }
                | BackendWrite::StatusUpdate { .. }
        );
        let Some(incident) = write.incident().filter(|_| moved_on) else { return false };
        self.server.with(|account| account.set_status(incident, "resolved", None));
        true
    }
}

/// What an integration keeps: its alarms by key, and changes.
#[derive(Default)]
pub struct Integration {
    alarms: Vec<(String, String)>,
    changes: usize,
}

const ROUTING_KEY: &str = "canary-routing-key-0123456789abcd";

fn enqueue(kept: &mut Integration, asked: &Asked) -> Answer {
    let event = asked.json();
    let refuse = |words: String| Answer::json(400, &json!({"status": "invalid event", "message": words, "errors": []}));
    if event["routing_key"] != ROUTING_KEY {
        // A server may repeat what it was sent.
        return refuse(format!("Invalid routing key {}", event["routing_key"].as_str().unwrap_or_default()));
    }
    if asked.path == "/v2/change/enqueue" {
        kept.changes += 1;
        return Answer::json(202, &json!({"status": "success", "message": "Change event processed"}));
    }
    let key = event["dedup_key"].as_str().unwrap_or_default().to_owned();
    let open = kept.alarms.iter_mut().find(|(known, state)| *known == key && state != "resolved");
    match (event["event_action"].as_str(), open) {
        (Some("trigger"), None) => {
            let severity = event["payload"]["severity"].as_str().unwrap();
            assert!(["critical", "error", "warning", "info"].contains(&severity));
            kept.alarms.push((key.clone(), "triggered".into()));
        }
        (Some("acknowledge"), Some(alarm)) => alarm.1 = "acknowledged".into(),
        (Some("resolve"), Some(alarm)) => alarm.1 = "resolved".into(),
        (Some("trigger" | "acknowledge" | "resolve"), _) => {}
        other => panic!("{other:?}"),
    }
    Answer::json(202, &json!({"status": "success", "message": "Event processed", "dedup_key": key}))
}

/// An integration of Events v2 with the open alarm `OPEN-1`.
pub struct EventsRig {
    server: StatefulServer<Integration>,
    key: (TempDir, String),
}

impl EventsRig {
    pub fn new() -> Self {
        Self::with(ROUTING_KEY)
    }

    fn with(key: &str) -> Self {
        let kept = Integration { alarms: vec![("OPEN-1".into(), "triggered".into())], changes: 0 };
        Self { server: StatefulServer::start(kept, enqueue), key: secret(key) }
    }

    fn connect(&self, read_only: bool) -> Target {
        connect(&format!(
            "event_sinks:\n  - {{name: events, kind: pagerduty, url: '{}', timeout: 1s, read_only: {read_only}, options: \
             {{routing_key: {{file: '{}'}}, audience: the platform on-call}}}}\n",
            self.server.url(),
            self.key.1,
        ))
    }
}

impl Rig for EventsRig {
    fn name(&self) -> String {
        "pagerduty events".into()
    }

    fn target(&self) -> Target {
        self.connect(false)
    }

    fn read_only(&self) -> Target {
        self.connect(true)
    }

    fn intent(&self, capability: Capability) -> Option<Intent> {
        let dedup_key = "OPEN-1".to_owned();
        match capability {
            Capability::AcknowledgeAlarm => Some(Intent::Event(EventWrite::Acknowledge { dedup_key })),
            Capability::ResolveAlarm => Some(Intent::Event(EventWrite::Resolve { dedup_key })),
            other => any_intent(other).filter(|intent| matches!(intent, Intent::Event(_))),
        }
    }

    fn effects(&self, op: &Operation) -> usize {
        self.server.with(|kept| {
            let count = |key: &str, state: Option<&str>| {
                let fits = |alarm: &&(String, String)| alarm.0 == key && state.is_none_or(|state| alarm.1 == state);
                kept.alarms.iter().filter(fits).count()
            };
            match &op.intent {
                Intent::Event(EventWrite::Trigger(alarm)) => count(&alarm.dedup_key, None),
                Intent::Event(EventWrite::Acknowledge { dedup_key }) => count(dedup_key, Some("acknowledged")),
                Intent::Event(EventWrite::Resolve { dedup_key }) => count(dedup_key, Some("resolved")),
                _ => kept.changes,
            }
        })
    }

    fn trouble(&self, trouble: Trouble) -> bool {
        self.server.script([net(trouble, false)]);
        true
    }
}

fn op(write: BackendWrite) -> Operation {
    let mut op = Operation::new("pd".into(), Intent::Backend(write), Class::Compare, clock::now(), "ada");
    op.id = "01970000-0000-7000-8000-000000000001".into();
    op
}

fn acknowledge(incident: &str) -> Operation {
    op(BackendWrite::Acknowledge { incident: incident.into() })
}

#[test]
fn an_acknowledgement_never_opens_a_resolved_incident_again() {
    let rig = PagerDutyRig::user();
    rig.server.with(|account| account.set_status("P1", "resolved", None));
    for write in [
        BackendWrite::Acknowledge { incident: "P1".into() },
        BackendWrite::Unacknowledge { incident: "P1".into() },
        BackendWrite::Snooze { incident: "P1".into(), seconds: 60 },
        BackendWrite::Escalate { incident: "P1".into(), level: 2 },
    ] {
        let outcome = rig.apply(&op(write));
        assert_eq!(outcome, Outcome::Conflict { current: "resolved".into() });
    }
    assert!(rig.writes().is_empty(), "{:?}", rig.writes());
}

#[test]
fn what_somebody_else_has_is_a_conflict_until_a_person_has_seen_it() {
    let rig = PagerDutyRig::user();
    rig.server.with(|account| account.set_status("P1", "acknowledged", Some("U2")));
    assert_eq!(rig.apply(&acknowledge("P1")), Outcome::Conflict { current: "acknowledged by Grace".into() });
    assert!(rig.writes().is_empty());
    let seen = Expected { status: Some("acknowledged".into()), ..Expected::default() };
    assert!(matches!(rig.apply(&acknowledge("P1").expecting(seen)), Outcome::Applied(_)));
    // And now we have it too.
    assert!(matches!(rig.apply(&acknowledge("P1")), Outcome::AlreadyDone(_)));
    assert_eq!(rig.writes().len(), 1);
}

#[test]
fn a_list_is_read_by_what_was_received_and_every_incident_comes_once() {
    let rig = PagerDutyRig::user();
    rig.server.with(|account| {
        account.page = Some(40);
        for n in 0..230 {
            account.open(&format!("X{n}"), &format!("storm {n}"));
        }
    });
    let open = run(rig.backend().list()).unwrap();
    assert_eq!(open.len(), 233);
    let asked: Vec<String> =
        rig.server.requests().iter().map(|asked| parameter(asked, "offset").unwrap_or_default()).collect();
    assert_eq!(asked, ["0", "40", "80", "120", "160", "200"]);
    let first = &rig.server.requests()[0];
    assert_eq!(parameters(first, "statuses[]"), ["triggered", "acknowledged"]);
    assert!(parameters(first, "include[]").contains(&"priorities".to_owned()));
}

#[test]
fn an_incident_is_read_with_its_true_timers_and_its_ack_timeout() {
    let rig = PagerDutyRig::user();
    rig.server.with(|account| account.incident_mut("P2")["service"]["acknowledgement_timeout"] = Value::Null);
    let open = run(rig.backend().list()).unwrap();
    let by = |id: &str| open.iter().find(|i| i.id == id).unwrap();
    assert_eq!(by("P1").pending[0].action, "escalate");
    assert_eq!((by("P1").ack_timeout_s, by("P2").ack_timeout_s), (Some(1_800), Some(0)));
    assert_eq!(by("P3").pending[0].action, "unacknowledge");
    assert_eq!(by("P3").acknowledged_by[0].0.name, "Ada");
    assert_eq!(by("P1").policy.as_ref().unwrap().name, "platform");
    assert_eq!(by("P1").number.as_deref(), Some("#100"));
}

#[test]
fn an_account_token_needs_the_address_of_a_user_for_writes_and_for_nothing_else() {
    let without = PagerDutyRig::with(ACCOUNT_KEY, "");
    assert_eq!(run(without.backend().list()).unwrap().len(), 3);
    let outcome = without.apply(&acknowledge("P1"));
    assert!(matches!(&outcome, Outcome::Refused { words, .. } if words.contains("from_email")), "{outcome:?}");
    assert!(without.writes().is_empty());
    let note = run(without.connect(false).outward.probe()).unwrap();
    assert!(note.warnings[0].contains("from_email"), "{note:?}");
    assert_eq!(run(without.backend().me()).unwrap().token, "account");

    let with = PagerDutyRig::account();
    assert!(matches!(with.apply(&acknowledge("P1")), Outcome::Applied(_)));
    assert_eq!(with.writes()[0].header("from"), "ada@example.com");
    assert!(matches!(with.apply(&acknowledge("P1")), Outcome::AlreadyDone(_)));
    let me = run(PagerDutyRig::user().backend().me()).unwrap();
    assert_eq!((me.token.as_str(), me.person.unwrap().name.as_str()), ("user", "Ada"));
}

#[test]
fn what_the_plan_lacks_is_learned_and_said() {
    let rig = PagerDutyRig::user();
    rig.server.with(|account| account.lacks = Some("responder_requests"));
    let target = rig.target();
    let people = vec![Party { id: "U2".into(), name: "Grace".into(), ..Party::default() }];
    let ask = op(BackendWrite::RequestResponders { incident: "P1".into(), people, message: "please join".into() });
    let outcome = run(target.outward.apply(&ask));
    assert!(matches!(outcome, Outcome::Refused { kind: Obstacle::PlanLacks, .. }), "{outcome:?}");
    assert!(matches!(target.outward.caps().of(Capability::RequestResponders), Can::No(Lack::PlanLacks, _)));
    // A look at the plan gives it back, or takes it away before anybody tries.
    run(target.outward.probe()).unwrap();
    assert!(matches!(target.outward.caps().of(Capability::RequestResponders), Can::Yes(Class::AskPerson)));
    rig.server.with(|account| account.abilities.clear());
    run(target.outward.probe()).unwrap();
    let why = target.outward.caps().why_not(Capability::RequestResponders).unwrap();
    assert!(why.contains("coordinated_responding"), "{why}");
}

#[test]
fn a_question_about_another_teams_incident_is_refused_and_the_others_are_still_asked() {
    let rig = PagerDutyRig::user();
    let (target, backend) = (rig.target(), rig.backend());
    let may = |target: &Target| target.outward.caps().class(Capability::ReadLog).is_some();
    let denied = |id| run(target.backend.as_ref().unwrap().log(id, None)).unwrap_err();
    rig.server.with(|account| account.barred = [("P1", "Access Denied"), ("P2", "Access Denied")].into());
    assert!(denied("P1").detail.contains("answered 403: Access Denied"), "{}", denied("P1"));
    assert!(may(&target), "one incident says nothing of the others");
    assert!(run(target.backend.as_ref().unwrap().log("P3", None)).is_ok());
    denied("P2");
    denied("P1");
    assert!(may(&target), "it worked with another one");
    // A token that has read nothing yet is told by a second refusal, and by a word of its scope.
    drop(run(backend.log("P1", None)).unwrap_err());
    let fresh = rig.target();
    let refused = |id| drop(run(fresh.backend.as_ref().unwrap().log(id, None)).unwrap_err());
    refused("P1");
    assert!(may(&fresh));
    refused("P2");
    assert!(!may(&fresh));
    fresh.outward.forget();
    assert!(may(&fresh), "a person tries again");
    rig.server.with(|account| account.barred = [("P1", "Token lacks the scope incidents.read")].into());
    refused("P1");
    assert!(!may(&fresh));
    let outcome = rig.apply(&acknowledge("P1"));
    assert!(matches!(&outcome, Outcome::Refused { kind: Obstacle::Scope, .. }), "{outcome:?}");
}

#[test]
fn who_is_on_call_is_asked_for_the_policy_of_the_service() {
    let rig = PagerDutyRig::user();
    let people = run(rig.backend().on_call(Some("api"))).unwrap();
    let names: Vec<(&str, Option<u32>)> = people.iter().map(|o| (o.person.name.as_str(), o.level)).collect();
    assert_eq!(names, [("Ada", Some(1)), ("Grace", Some(2))]);
    assert_eq!(people[0].person.time_zone.as_deref(), Some("Europe/Berlin"));
    let fault = run(rig.backend().on_call(Some("shop"))).unwrap_err();
    assert!(fault.detail.contains("options.services"), "{fault}");
}

#[test]
fn the_log_is_told_oldest_first_since_an_instant() {
    let rig = PagerDutyRig::user();
    assert!(matches!(rig.apply(&acknowledge("P1")), Outcome::Applied(_)));
    let log = run(rig.backend().log("P1", None)).unwrap();
    let kinds: Vec<&str> = log.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["trigger", "acknowledge"]);
    assert_eq!(log[1].actor.as_deref(), Some("Ada"));
    assert!(run(rig.backend().log("P1", Some(log[1].at + mins(1)))).unwrap().is_empty());
    let alerts = run(rig.backend().alerts("P1")).unwrap();
    assert_eq!(alerts[0].labels[0], ("alertname".to_owned(), "ApiErrors".to_owned()));
    let change = &run(rig.backend().changes(clock::now() - mins(60), clock::now())).unwrap()[0];
    assert_eq!((change.summary.as_str(), change.author.as_deref()), ("deploy api 412", Some("grace")));
}

#[test]
fn an_escalation_names_the_level_alone_and_its_refusal_is_told() {
    let rig = PagerDutyRig::user();
    assert!(matches!(rig.apply(&op(BackendWrite::Escalate { incident: "P1".into(), level: 2 })), Outcome::Applied(_)));
    let body = rig.writes()[0].json();
    assert_eq!(body, json!({"incident": {"type": "incident_reference", "escalation_level": 2}}));
    let outcome = rig.apply(&op(BackendWrite::Escalate { incident: "P1".into(), level: 9 }));
    assert!(
        matches!(&outcome, Outcome::Refused { words, .. } if words.contains("Incident Cannot Be Escalated")),
        "{outcome:?}"
    );
}

#[test]
fn who_has_it_is_compared_before_it_is_given_away() {
    let rig = PagerDutyRig::user();
    let to = vec![Party { id: "U3".into(), name: "Edsger".into(), ..Party::default() }];
    let give = op(BackendWrite::Reassign { incident: "P1".into(), to });
    let seen = |id: &str| Expected { assigned: vec![id.into()], ..Expected::default() };
    assert_eq!(rig.apply(&give.clone().expecting(seen("U2"))), Outcome::Conflict { current: "assigned to Ada".into() });
    assert!(matches!(rig.apply(&give.clone().expecting(seen("U1"))), Outcome::Applied(_)));
    assert!(matches!(rig.apply(&give.expecting(seen("U1"))), Outcome::AlreadyDone(_)));
}

#[test]
fn an_incident_is_opened_once_even_when_it_was_closed_meanwhile() {
    let rig = PagerDutyRig::user();
    let declare = op(match rig.intent(Capability::Declare).unwrap() {
        Intent::Backend(write) => write,
        other => panic!("{other:?}"),
    });
    let Outcome::Applied(reference) = rig.apply(&declare) else { panic!() };
    let id = reference.id.unwrap();
    rig.server.with(|account| account.set_status(&id, "resolved", None));
    assert!(matches!(rig.apply(&declare), Outcome::AlreadyDone(r) if r.id.as_deref() == Some(id.as_str())));
    assert_eq!(rig.effects(&declare), 1);
}

#[test]
fn a_merge_reads_all_of_them_first() {
    let rig = PagerDutyRig::user();
    let merge = op(BackendWrite::Merge { incident: "P1".into(), sources: vec!["P2".into(), "P3".into()] });
    assert!(matches!(rig.apply(&merge), Outcome::Applied(_)));
    assert!(matches!(rig.apply(&merge), Outcome::AlreadyDone(_)));
    let open = run(rig.backend().list()).unwrap();
    assert_eq!(open.iter().map(|i| i.id.as_str()).collect::<Vec<_>>(), ["P1"]);
    let merged = run(rig.backend().get("P2")).unwrap();
    assert_eq!((merged.status, merged.merged_into.as_deref()), (BackendStatus::Resolved, Some("P1")));
}

#[test]
fn ids_that_could_be_paths_reach_no_server() {
    let rig = PagerDutyRig::user();
    for id in ["../users", "P1/../../abilities", "", "P 1", "P1?x=1"] {
        let outcome = rig.apply(&acknowledge(id));
        assert!(matches!(outcome, Outcome::Refused { .. }), "{id:?}: {outcome:?}");
        assert!(run(rig.backend().log(id, None)).is_err());
    }
    assert!(rig.server.requests().iter().all(|asked| asked.path == "/users/me"));
}

#[test]
fn no_key_is_in_a_debug_text_an_address_or_an_answer() {
    let rig = PagerDutyRig::user();
    let target = rig.target();
    run(target.outward.apply(&acknowledge("P1")));
    assert!(!format!("{target:?} {}", target.address).contains("canary"), "{target:?}");
    assert!(rig.server.requests().iter().all(|asked| !asked.query.contains("canary")));
    let wrong = EventsRig::with("canary-wrong-key");
    let target = wrong.target();
    let mut op = Operation::new(
        "events".into(),
        wrong.intent(Capability::Trigger).unwrap(),
        Class::RepeatWithKey,
        clock::now(),
        "ada",
    );
    op.id = "op-1".into();
    let outcome = run(target.outward.apply(&op));
    assert!(matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
    assert!(!format!("{outcome:?} {target:?}").contains("canary"), "{outcome:?}");
}

#[test]
fn half_an_answer_is_read_for_what_is_in_it() {
    fn odd(_: &mut (), _: &Asked) -> Answer {
        let list = json!([
            {"id": "P1"},
            {"title": "no id"},
            null,
            {"id": "P2", "status": "parked", "assignments": null, "acknowledgements": [{"acknowledger": null}],
             "pending_actions": [{"type": "escalate", "at": "soon"}, {"type": "resolve", "at": "2026-05-01T03:00:00Z"}],
             "service": null, "priority": {"id": "x"}, "alert_counts": "many", "created_at": 7},
        ]);
        Answer::json(200, &json!({"incidents": list, "more": true}))
    }
    // A server that always has more and never gives anything new must not be asked for ever.
    fn answer(state: &mut usize, asked: &Asked) -> Answer {
        *state += 1;
        if *state == 1 { odd(&mut (), asked) } else { Answer::json(200, &json!({"incidents": [], "more": true})) }
    }
    let server = StatefulServer::start(0, answer);
    let key = secret(USER_KEY);
    let target = connect(&format!(
        "incident_backends:\n  - {{kind: pagerduty, url: '{}', auth: {{bearer: {{file: '{}'}}}}}}\n",
        server.url(),
        key.1
    ));
    let open = run(target.backend.unwrap().list()).unwrap();
    assert_eq!(open.len(), 2);
    assert_eq!(open[1].status, BackendStatus::Other("parked".into()));
    assert_eq!(open[1].pending.len(), 1);
    assert_eq!(server.with(|n| *n), 2);
}

#[test]
fn what_is_wrong_in_the_options_is_told_with_its_place_and_what_is_expected() {
    let key = secret(USER_KEY);
    let auth = format!("auth: {{bearer: {{file: '{}'}}}}", key.1);
    for (section, entry, rule, words) in [
        ("incident_backends", "options: {services: {api: S1}}".to_owned(), "missing-key", "its token under auth"),
        ("incident_backends", format!("{auth}, options: {{region: mars}}"), "wrong-type", "us or eu"),
        ("incident_backends", format!("{auth}, options: {{from_email: ada}}"), "wrong-type", "the address of a user"),
        (
            "incident_backends",
            format!("{auth}, options: {{services: {{api: 'a/../b'}}}}"),
            "wrong-type",
            "an id such as",
        ),
        ("incident_backends", format!("{auth}, options: {{urgencies: [urgent]}}"), "wrong-type", "high and low"),
        ("incident_backends", format!("{auth}, options: {{audience: us}}"), "not-allowed", "event_sinks"),
        ("incident_backends", format!("{auth}, url: 'http://pd.example.com'"), "unencrypted", "https"),
        (
            "incident_backends",
            format!("{auth}, url: 'https://pd.example.com', options: {{region: eu}}"),
            "not-allowed",
            "region",
        ),
        ("incident_backends", format!("{auth}, options: {{servces: {{}}}}"), "unknown-key", "nearest: `services`"),
        ("event_sinks", "options: {audience: us}".to_owned(), "missing-key", "options.routing_key"),
        (
            "event_sinks",
            format!("options: {{routing_key: {{file: '{}'}}, teams: [T1]}}", key.1),
            "not-allowed",
            "incident_backends",
        ),
        ("event_sinks", "options: {routing_key: canary-in-the-file}".to_owned(), "", "routing_key"),
    ] {
        let text = format!("{section}:\n  - {{kind: pagerduty, {entry}}}\n");
        let (environment, flags) = (Default::default(), Default::default());
        let mut loaded = midwatch::config::read(&midwatch::config::Inputs {
            file: Some(("config.yaml", &text)),
            folder: std::path::Path::new("/nowhere"),
            environment: &environment,
            flags: &flags,
            machine_zone: None,
        });
        midwatch::run::integrations::check(&mut loaded);
        let found = loaded.findings.iter().find(|f| (rule.is_empty() || f.rule == rule) && f.message.contains(words));
        assert!(found.is_some(), "{text}: {:?}", loaded.findings);
        assert!(loaded.findings.iter().all(|f| !f.message.contains("canary")), "{:?}", loaded.findings);
    }
}

#[test]
fn each_region_and_each_port_has_its_host() {
    let key = secret(USER_KEY);
    for (section, region, want) in [
        ("incident_backends", "us", "https://api.pagerduty.com/"),
        ("incident_backends", "eu", "https://api.eu.pagerduty.com/"),
        ("event_sinks", "us", "https://events.pagerduty.com/"),
        ("event_sinks", "eu", "https://events.eu.pagerduty.com/"),
    ] {
        let rest = match section {
            "event_sinks" => format!("options: {{region: {region}, routing_key: {{file: '{}'}}}}", key.1),
            _ => format!("auth: {{bearer: {{file: '{}'}}}}, options: {{region: {region}}}", key.1),
        };
        let target = connect(&format!("{section}:\n  - {{kind: pagerduty, {rest}}}\n"));
        assert_eq!(target.address, want);
    }
}
