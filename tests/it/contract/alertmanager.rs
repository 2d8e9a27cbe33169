//! The rig of silences: a fake Alertmanager that numbers, updates and ends silences as the real ones do, with the ledger on
//! its side; and what is special to a cluster of peers.

use super::{Rig, Trouble, run};
use crate::fake_server::closed_port;
use crate::stateful_server::{Answer, Asked, StatefulServer, Trouble as Net};
use midwatch::domain::outward::capability::{Capability, Class};
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::{Found, Obstacle, Outcome};
use midwatch::domain::outward::silence::{ACK_PREFIX, Matcher, Silence, SilenceState, SilenceWrite};
use midwatch::domain::time::{Timestamp, mins, rfc3339, secs};
use midwatch::io::alertmanager::Cluster;
use midwatch::io::http::Endpoint;
use midwatch::io::port::{Silences, Target};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// What an Alertmanager keeps. Versions before 0.28 answer 500 where later ones answer 404, and drop annotations.
#[derive(Default)]
pub struct Keeper {
    old: bool,
    silences: Vec<Value>,
    next: u32,
    alerts: Vec<Value>,
}

fn now() -> Timestamp {
    midwatch::io::clock::now()
}

fn instant(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

impl Keeper {
    fn state(silence: &Value) -> &'static str {
        match (instant(&silence["startsAt"]), instant(&silence["endsAt"])) {
            (_, ends) if ends <= now() => "expired",
            (starts, _) if starts > now() => "pending",
            _ => "active",
        }
    }

    fn told(silence: &Value) -> Value {
        let mut told = silence.clone();
        told["status"] = json!({"state": Self::state(silence)});
        told
    }

    fn place(&self, id: &str) -> Option<usize> {
        self.silences.iter().position(|s| s["id"] == id)
    }

    fn put(&mut self, mut body: Value) -> Answer {
        let (starts, ends) = (instant(&body["startsAt"]), instant(&body["endsAt"]));
        if ends <= now() || starts >= ends {
            return Answer::json(400, &json!("silence invalid: end time must be in the future"));
        }
        if body["comment"].as_str().is_none() {
            return Answer::json(422, &json!({"code": 602, "message": "comment in body is required"}));
        }
        let positive = |m: &Value| m["isEqual"] != false && m["value"] != "";
        if !body["matchers"].as_array().unwrap().iter().any(positive) && self.old {
            return Answer::json(400, &json!("silence invalid: at least one matcher must not match the empty string"));
        }
        let known = body["id"].as_str().map(str::to_owned);
        if let Some(id) = &known {
            let Some(place) = self.place(id) else { return Answer::json(404, &json!("silence not found")) };
            let kept = &self.silences[place];
            let same = instant(&kept["startsAt"]).timestamp() == starts.timestamp()
                && kept["matchers"] == body["matchers"]
                && Self::state(kept) != "expired";
            if same {
                body["updatedAt"] = json!(rfc3339(now()));
                self.silences[place] = body;
                return Answer::json(200, &json!({"silenceID": id}));
            }
            if Self::state(kept) != "expired" {
                self.silences[place]["endsAt"] = json!(rfc3339(now()));
            }
        }
        if starts < now() {
            body["startsAt"] = json!(rfc3339(now()));
        }
        if self.old {
            body.as_object_mut().unwrap().remove("annotations");
        }
        self.next += 1;
        let id = format!("00000000-0000-4000-8000-{:012}", self.next);
        body["id"] = json!(id);
        body["updatedAt"] = json!(rfc3339(now()));
        self.silences.push(body);
        Answer::json(200, &json!({"silenceID": id}))
    }

    fn delete(&mut self, id: &str) -> Answer {
        let Some(place) = self.place(id) else {
            return if self.old { Answer::json(500, &json!("silence not found")) } else { Answer::empty(404) };
        };
        if Self::state(&self.silences[place]) != "expired" {
            self.silences[place]["endsAt"] = json!(rfc3339(now()));
        }
        Answer::empty(200)
    }
}

fn serve(keeper: &mut Keeper, asked: &Asked) -> Answer {
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/api/v2/silences") => {
            Answer::json(200, &Value::Array(keeper.silences.iter().map(Keeper::told).collect()))
        }
        ("GET", "/api/v2/alerts/groups") => {
            Answer::json(200, &json!([{"labels": {}, "receiver": {"name": "team"}, "alerts": keeper.alerts}]))
        }
        ("GET", "/api/v2/status") => Answer::json(200, &json!({"versionInfo": {"version": "0.33.1"}, "cluster": {}})),
        ("POST", "/api/v2/silences") if asked.header("content-type") != "application/json" => Answer::empty(415),
        ("POST", "/api/v2/silences") => keeper.put(asked.json()),
        (method, path) => {
            let Some(id) = path.strip_prefix("/api/v2/silence/") else {
                return Answer { body: "404 page not found\n".into(), ..Answer::empty(404) };
            };
            match (method, keeper.place(id)) {
                ("DELETE", _) => keeper.delete(id),
                (_, Some(place)) => Answer::json(200, &Keeper::told(&keeper.silences[place])),
                _ => Answer::empty(404),
            }
        }
    }
}

/// The silence that is there from the start.
const KNOWN: &str = "11111111-1111-4111-8111-111111111111";

fn known(ends: Timestamp) -> Value {
    json!({
        "id": KNOWN, "startsAt": "2026-05-01T03:00:00.123Z", "endsAt": rfc3339(ends), "updatedAt": "2026-05-01T03:00:00Z",
        "createdBy": "bob", "comment": "known", "annotations": {"team": "db"},
        "matchers": [{"name": "alertname", "value": "Burn", "isRegex": false, "isEqual": true}],
    })
}

/// Its end before anything is done.
fn soon() -> Timestamp {
    // A whole second, as the wire has no more than milliseconds.
    chrono::DateTime::from_timestamp(now().timestamp(), 0).unwrap() + mins(10)
}

fn seen(ends_at: Timestamp) -> Silence {
    Silence {
        id: KNOWN.into(),
        matchers: vec![Matcher::is("alertname", "Burn")],
        starts_at: "2026-05-01T03:00:00Z".parse().unwrap(),
        ends_at,
        created_by: "bob".into(),
        comment: "known".into(),
        state: SilenceState::Active,
    }
}

/// A server with three alerts that fire: two `Down`, one `Slow`.
pub fn keeper() -> StatefulServer<Keeper> {
    let alert = |name: &str, instance: &str| {
        json!({"labels": {"alertname": name, "instance": instance}, "annotations": {}, "status": {"state": "active"},
            "startsAt": "2026-05-01T03:00:00Z"})
    };
    let alerts = vec![alert("Down", "a"), alert("Down", "b"), alert("Slow", "a")];
    StatefulServer::start(Keeper { alerts, ..Keeper::default() }, serve)
}

pub struct SilenceRig {
    server: StatefulServer<Keeper>,
    ends: Timestamp,
    old: bool,
}

impl SilenceRig {
    fn start(old: bool) -> Self {
        let ends = soon();
        let keeper = Keeper { old, silences: vec![known(ends)], ..Keeper::default() };
        Self { server: StatefulServer::start(keeper, serve), ends, old }
    }

    /// How many silences a server was asked to make and made.
    pub fn made(keeper: &mut Keeper) -> u32 {
        keeper.next
    }

    pub fn old() -> Self {
        Self::start(true)
    }

    pub fn new() -> Self {
        Self::start(false)
    }

    fn cluster(&self, read_only: bool) -> Target {
        cluster(&[self.server.url()], read_only)
    }
}

fn peers(urls: &[String]) -> Arc<Cluster> {
    let endpoint = |(n, url): (usize, &String)| Endpoint {
        timeout: Duration::from_secs(1),
        ..Endpoint::new(format!("alertmanager main peer {}", n + 1), url).unwrap()
    };
    Arc::new(Cluster::new("main".into(), urls.iter().enumerate().map(endpoint).collect()))
}

fn cluster(urls: &[String], read_only: bool) -> Target {
    let cluster = Arc::into_inner(peers(urls)).unwrap().read_only(read_only);
    Arc::new(cluster).target(Duration::from_secs(1))
}

impl Rig for SilenceRig {
    fn name(&self) -> String {
        format!("alertmanager {}", if self.old { "0.25" } else { "0.33" })
    }

    fn target(&self) -> Target {
        self.cluster(false)
    }

    fn read_only(&self) -> Target {
        self.cluster(true)
    }

    fn intent(&self, capability: Capability) -> Option<Intent> {
        Some(Intent::Silence(match capability {
            Capability::CreateSilence => SilenceWrite::Create {
                matchers: vec![Matcher::is("alertname", "Burn")],
                starts_at: now(),
                ends_at: now() + mins(15),
                comment: format!("{ACK_PREFIX} looking"),
            },
            Capability::ExtendSilence => {
                SilenceWrite::Extend { silence: seen(self.ends), ends_at: self.ends + mins(50) }
            }
            Capability::ExpireSilence => SilenceWrite::Expire { id: KNOWN.into() },
            _ => return None,
        }))
    }

    fn effects(&self, op: &Operation) -> usize {
        let Intent::Silence(write) = &op.intent else { return 0 };
        self.server.with(|keeper| {
            let kept = keeper.silences.iter();
            match write {
                SilenceWrite::Create { .. } => {
                    kept.filter(|s| s["comment"].as_str().unwrap().contains(&op.marker())).count()
                }
                SilenceWrite::Extend { ends_at, .. } => kept.filter(|s| instant(&s["endsAt"]) == *ends_at).count(),
                SilenceWrite::Expire { id } => {
                    kept.filter(|s| s["id"] == id.as_str() && Keeper::state(s) == "expired").count()
                }
            }
        })
    }

    fn trouble(&self, trouble: Trouble) -> bool {
        self.server.script([match trouble {
            Trouble::RateLimited(s) => Net::RateLimited(Some(("Retry-After".into(), s.to_string()))),
            Trouble::RateLimitedBare => Net::RateLimited(None),
            Trouble::TooLong => Net::Status(414, String::new()),
            Trouble::Auth => Net::Status(401, "Unauthorized\n".into()),
            Trouble::LoginPage => Net::LoginPage,
            Trouble::LostReply => Net::LostReply,
            Trouble::LostRequest => Net::LostRequest,
            Trouble::Slow => Net::SlowBody(Duration::from_millis(100)),
            Trouble::Duplicate => Net::Duplicate,
        }]);
        true
    }

    /// Somebody ended the silence that is to be made longer.
    fn disturb(&self, op: &Operation) -> bool {
        if op.intent.capability() != Capability::ExtendSilence {
            return false;
        }
        self.server.with(|keeper| keeper.delete(KNOWN));
        true
    }
}

fn op(write: SilenceWrite, id: &str) -> Operation {
    let mut op = Operation::new("main".into(), Intent::Silence(write), Class::Compare, now(), "alice");
    op.id = id.into();
    op
}

fn create(comment: &str) -> SilenceWrite {
    let (starts_at, ends_at) = (now(), now() + mins(15));
    SilenceWrite::Create { matchers: vec![Matcher::is("a", "b")], starts_at, ends_at, comment: comment.into() }
}

fn nowhere() -> String {
    format!("http://127.0.0.1:{}", closed_port())
}

#[test]
fn a_new_silence_carries_its_mark_and_is_read_back() {
    let rig = SilenceRig::new();
    let outcome = run(rig.target().outward.apply(&op(create("disk is known"), "op-1")));
    let Outcome::Applied(reference) = outcome else { panic!("{outcome:?}") };
    assert!(reference.url.unwrap().contains("/#/silences/00000000-0000-4000-8000-000000000001"));
    let sent = rig.server.requests().into_iter().find(|r| r.method == "POST").unwrap().json();
    assert_eq!(
        (sent["comment"].as_str(), sent["createdBy"].as_str()),
        (Some("disk is known [mw:op-1]"), Some("alice"))
    );
    assert_eq!(sent["annotations"]["midwatch_op"], "op-1");
    let all = run(rig.target().silences.unwrap().silences()).unwrap();
    let made = all.iter().find(|s| s.is_ours()).unwrap();
    assert_eq!((made.words().as_str(), made.state.clone()), ("disk is known", SilenceState::Active));
}

#[test]
fn a_write_goes_to_the_next_peer_only_when_the_first_cannot_be_reached() {
    let rig = SilenceRig::new();
    let two = cluster(&[nowhere(), rig.server.url()], false);
    let first = op(create("x"), "op-1");
    let outcome = run(two.outward.apply(&first));
    let Outcome::Applied(reference) = &outcome else { panic!("{outcome:?}") };
    assert!(reference.words().contains("peer 1 does not have it and may still notify"), "{outcome:?}");
    assert_eq!(rig.effects(&first), 1);

    let other = SilenceRig::new();
    let both = cluster(&[rig.server.url(), other.server.url()], false);
    for trouble in [Net::LostReply, Net::LostRequest, Net::Status(400, "\"no\"".into())] {
        rig.server.script([trouble]);
        let outcome = run(both.outward.apply(&op(create("x"), "op-2")));
        assert!(matches!(outcome, Outcome::Unknown { .. } | Outcome::Refused { .. }), "{outcome:?}");
    }
    assert_eq!(other.effects(&op(create("x"), "op-2")), 0, "nothing was tried elsewhere");
    let none = cluster(&[nowhere(), nowhere()], false);
    let outcome = run(none.outward.apply(&op(create("x"), "op-3")));
    assert!(matches!(outcome, Outcome::NotDone { kind: Obstacle::Unavailable, .. }), "{outcome:?}");
}

#[test]
fn what_may_have_been_made_is_looked_for_on_every_peer_and_absent_only_when_all_say_so() {
    let (a, b) = (SilenceRig::new(), SilenceRig::old());
    let both = cluster(&[a.server.url(), b.server.url()], false);
    let op = op(create("x"), "op-1");
    assert_eq!(run(both.outward.look(&op)), Found::Absent);
    // Only the second peer has it, by the comment alone.
    run(b.target().outward.apply(&op));
    assert!(matches!(run(both.outward.look(&op)), Found::Done(_)));
    let half = cluster(&[a.server.url(), nowhere()], false);
    let found = run(half.outward.look(&op));
    assert!(matches!(&found, Found::Failed { words, .. } if words.contains("may be there")), "{found:?}");
}

#[test]
fn a_silence_that_somebody_changed_is_not_made_longer() {
    let changes: [(&str, Value, &str); 2] = [
        ("startsAt", json!("2026-05-01T03:00:01.000Z"), "it begins at"),
        (
            "matchers",
            json!([{"name": "a", "value": "b", "isRegex": false, "isEqual": true}]),
            "it silences a=\"b\" now",
        ),
    ];
    for (key, value, words) in changes {
        let rig = SilenceRig::new();
        rig.server.with(|keeper| keeper.silences[0][key] = value.clone());
        let longer = SilenceWrite::Extend { silence: seen(rig.ends), ends_at: rig.ends + mins(5) };
        let outcome = run(rig.target().outward.apply(&op(longer, "op-1")));
        assert!(matches!(&outcome, Outcome::Conflict { current } if current.starts_with(words)), "{outcome:?}");
        assert!(rig.server.requests().iter().all(|r| !r.writes()), "nothing was written");
    }
    // What somebody made longer already is let be, and what was told besides is sent back.
    let rig = SilenceRig::new();
    let longer =
        |minutes| op(SilenceWrite::Extend { silence: seen(rig.ends), ends_at: rig.ends + mins(minutes) }, "op-1");
    assert!(matches!(run(rig.target().outward.apply(&longer(30))), Outcome::Applied(_)));
    assert!(matches!(run(rig.target().outward.apply(&longer(20))), Outcome::AlreadyDone(_)));
    rig.server.with(|keeper| {
        assert_eq!(keeper.silences.len(), 1, "no second silence");
        assert_eq!(instant(&keeper.silences[0]["endsAt"]), rig.ends + mins(30));
        assert_eq!(
            (&keeper.silences[0]["annotations"]["team"], &keeper.silences[0]["comment"]),
            (&json!("db"), &json!("known"))
        );
    });
    let gone = SilenceWrite::Extend { silence: Silence { id: "gone".into(), ..seen(rig.ends) }, ends_at: rig.ends };
    assert!(matches!(run(rig.target().outward.apply(&op(gone, "op-2"))), Outcome::Conflict { .. }));
}

#[test]
fn a_silence_that_nobody_knows_is_over_and_one_that_one_peer_knows_is_ended_there() {
    for rig in [SilenceRig::old(), SilenceRig::new()] {
        let gone = SilenceWrite::Expire { id: "22222222-2222-4222-8222-222222222222".into() };
        let outcome = run(rig.target().outward.apply(&op(gone.clone(), "op-1")));
        assert!(matches!(outcome, Outcome::AlreadyDone(_)), "{outcome:?}");
        // The peer that is away may know it.
        let half = cluster(&[rig.server.url(), nowhere()], false);
        let outcome = run(half.outward.apply(&op(gone, "op-2")));
        assert!(matches!(outcome, Outcome::NotDone { .. }), "{outcome:?}");
    }
    let (without, with) = (SilenceRig::new(), SilenceRig::new());
    without.server.with(|keeper| keeper.silences.clear());
    let both = cluster(&[without.server.url(), with.server.url()], false);
    let end = op(SilenceWrite::Expire { id: KNOWN.into() }, "op-1");
    assert!(matches!(run(both.outward.apply(&end)), Outcome::Applied(_)));
    assert_eq!(with.effects(&end), 1);
}

#[test]
fn a_wrong_path_and_a_hostile_id_end_nothing() {
    let rig = SilenceRig::new();
    let wrong = cluster(&[format!("{}/am", rig.server.url())], false);
    let outcome = run(wrong.outward.apply(&op(SilenceWrite::Expire { id: KNOWN.into() }, "op-1")));
    assert!(matches!(outcome, Outcome::Refused { kind: Obstacle::NotFound, .. }), "{outcome:?}");
    for id in ["", "../silences", "a/b", "x?y", "é"] {
        let outcome = run(rig.target().outward.apply(&op(SilenceWrite::Expire { id: id.into() }, "op-1")));
        assert!(matches!(outcome, Outcome::Refused { kind: Obstacle::Invalid, .. }), "{id}: {outcome:?}");
    }
    assert!(rig.server.requests().iter().all(|r| r.path != "/api/v2/silences"));
}

#[test]
fn a_silence_whose_end_is_over_is_not_sent() {
    let rig = SilenceRig::new();
    let late = SilenceWrite::Create {
        matchers: vec![Matcher::is("a", "b")],
        starts_at: now() - mins(20),
        ends_at: now() - secs(1),
        comment: "late".into(),
    };
    let outcome = run(rig.target().outward.apply(&op(late, "op-1")));
    assert!(matches!(outcome, Outcome::Refused { kind: Obstacle::Invalid, .. }), "{outcome:?}");
    assert!(rig.server.requests().is_empty());
}

#[test]
fn silences_of_all_peers_are_one_list_and_the_last_change_counts() {
    let (a, b) = (SilenceRig::new(), SilenceRig::new());
    b.server.with(|keeper| {
        keeper.silences[0]["endsAt"] = json!(rfc3339(b.ends + mins(60)));
        keeper.silences[0]["updatedAt"] = json!("2026-05-01T04:00:00Z");
        let mut old = known(now() - mins(600));
        old["id"] = json!("33333333-3333-4333-8333-333333333333");
        keeper.silences.push(old);
    });
    for urls in [[a.server.url(), b.server.url()], [b.server.url(), a.server.url()]] {
        let all = run(peers(&urls).silences()).unwrap();
        assert_eq!(all.len(), 1, "one id is one silence, and what is over for long is left out");
        assert_eq!(all[0].ends_at, b.ends + mins(60));
    }
    assert_eq!(run(peers(&[a.server.url(), nowhere()]).silences()).unwrap().len(), 1);
    assert!(run(peers(&[nowhere(), nowhere()]).silences()).is_err());
}
