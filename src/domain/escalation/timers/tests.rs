//! Deadlines told in minutes: what happened, and what is then due when.

use super::*;
use crate::domain::incident::board::TaskEvent;
use crate::domain::incident::event::{Body, Event, EventKey, NoteKind, Status};
use crate::domain::runbook::format::read;
use proptest::prelude::*;

const ID: &str = "INC-20260501-030000";

fn at(minute: i64) -> Timestamp {
    let start: Timestamp = "2026-05-01T03:00:00Z".parse().unwrap();
    start + mins(minute)
}

fn event(order: u64, minute: i64, actor: &str, body: Body) -> Event {
    Event {
        key: EventKey { origin: "o".into(), seq: order },
        id: order.to_string(),
        incident: ID.into(),
        order,
        at: at(minute),
        recorded_at: at(minute),
        actor: actor.into(),
        body,
        hash: String::new(),
    }
}

/// A SEV2 declared by midwatch at minute 0, and what people did then.
fn story(acts: &[(i64, Body)]) -> Incident {
    let declared = Body::Declared {
        title: "t".into(),
        severity: "SEV2".into(),
        service: None,
        detected_by: None,
        detected_at: None,
    };
    let mut events = vec![event(1, 0, "midwatch", declared)];
    for (minute, body) in acts {
        let actor = if matches!(body, Body::TimerDue { .. }) { "midwatch" } else { "alice" };
        events.push(event(events.len() as u64 + 1, *minute, actor, body.clone()));
    }
    Incident::fold(&events).unwrap()
}

fn book() -> Runbook {
    let text = "name: R\nsteps: [{name: One}]\nescalation:\n  - {after: 10m, contact: backup, clock: unacked}\n  \
        - {after: 15m, contact: senior}\n  - {after: 30m, contact: manager, clock: open}\n";
    read("r.yaml", text).0.unwrap()
}

fn derive(incident: &Incident, now: i64) -> Vec<Timer> {
    timers(incident, &SeverityTable::defaults(), Some(&book()), &[], at(now))
}

/// `word@minute state`, nearest first.
fn told(incident: &Incident, now: i64) -> Vec<String> {
    let line = |t: Timer| {
        let word = t.contact.unwrap_or_else(|| t.kind.word().to_owned());
        format!("{word}@{} {}", (t.due_at - at(0)).num_minutes(), t.state.word())
    };
    // That somebody leads has a test of its own.
    derive(incident, now).into_iter().filter(|t| t.kind != TimerKind::Commander).map(line).collect()
}

fn id(kind: &str) -> TimerId {
    TimerId(format!("{ID}:{kind}"))
}

#[test]
fn an_untouched_incident_falls_due_step_by_step() {
    let quiet = story(&[]);
    let word = |due: bool| if due { "due" } else { "running" };
    for now in [0, 9, 10, 14, 15, 29, 30, 500] {
        assert_eq!(
            told(&quiet, now),
            [
                format!("backup@10 {}", word(now >= 10)),
                format!("senior@15 {}", word(now >= 15)),
                format!("response@15 {}", word(now >= 15)),
                format!("manager@30 {}", word(now >= 30)),
                format!("stakeholders@30 {}", word(now >= 30)),
            ],
            "at {now}"
        );
    }
}

#[test]
fn an_acknowledgement_stops_what_waits_for_it_and_no_more() {
    let acked = story(&[(5, Body::Acknowledged)]);
    assert_eq!(
        told(&acked, 16),
        ["backup@10 cancelled", "senior@15 due", "response@15 done", "manager@30 running", "stakeholders@30 running"]
    );
    let noted = story(&[(5, Body::Note { sort: NoteKind::Note, text: "looking".into() })]);
    assert_eq!(told(&noted, 16)[..3], ["backup@10 due", "senior@15 due", "response@15 done"]);
}

#[test]
fn updates_come_in_rounds() {
    let update = || Body::Update { audience: "all".into(), text: "t".into(), next_at: None };
    let one = story(&[(5, Body::Acknowledged), (20, update())]);
    assert_eq!(told(&one, 21)[3..], ["manager@30 running", "stakeholders@30 done", "update@50 running"]);
    let two = story(&[(5, Body::Acknowledged), (20, update()), (49, update())]);
    assert_eq!(told(&two, 60)[3..], ["manager@30 due", "stakeholders@30 done", "update@79 running"]);
    let rounds: Vec<TimerId> = [one, two]
        .iter()
        .map(|i| derive(i, 60).into_iter().find(|t| t.kind == TimerKind::Update).unwrap().id)
        .collect();
    assert_ne!(rounds[0], rounds[1]);
}

#[test]
fn mitigation_and_the_end_stop_escalation() {
    let mitigated = story(&[(5, Body::Acknowledged), (12, Body::Mitigated)]);
    assert_eq!(told(&mitigated, 40)[1], "senior@15 cancelled");
    assert_eq!(told(&mitigated, 40)[3], "manager@30 due");
    let over = story(&[(5, Body::Acknowledged), (20, Body::Resolved { summary: "s".into() })]);
    assert_eq!(
        told(&over, 40),
        [
            "backup@10 cancelled",
            "senior@15 cancelled",
            "response@15 done",
            "manager@30 cancelled",
            "stakeholders@30 cancelled",
            "postmortem@2900 running"
        ]
    );
    assert_eq!(told(&over, 2_900)[5], "postmortem@2900 due");
    let again = story(&[
        (5, Body::Acknowledged),
        (20, Body::Resolved { summary: "s".into() }),
        (25, Body::Reopened { reason: "r".into() }),
    ]);
    assert_eq!(told(&again, 26)[1], "senior@15 due");
}

#[test]
fn a_new_severity_counts_from_the_original_start() {
    let worse = story(&[(8, Body::SeveritySet { to: "SEV1".into(), reason: "r".into() })]);
    assert_eq!(
        told(&worse, 16),
        ["response@5 done", "backup@10 due", "senior@15 due", "stakeholders@15 due", "manager@30 running"]
    );
    let milder = story(&[(8, Body::SeveritySet { to: "SEV3".into(), reason: "r".into() })]);
    assert!(told(&milder, 16).contains(&"stakeholders@120 running".to_owned()));
    let unknown = story(&[(8, Body::SeveritySet { to: "SEV9".into(), reason: "r".into() })]);
    assert_eq!(derive(&unknown, 16).len(), 3, "the runbook's own rungs stay");
}

#[test]
fn an_incident_that_pages_asks_for_a_commander_once() {
    let claim = |i: &Incident, now| derive(i, now).into_iter().find(|t| t.kind == TimerKind::Commander);
    let quiet = story(&[]);
    assert_eq!(claim(&quiet, 9).map(|t| (t.due_at, t.state)), Some((at(10), TimerState::Running)));
    assert_eq!(claim(&quiet, 10).map(|t| t.state), Some(TimerState::Due));
    let led = story(&[(4, Body::RoleSet { role: Role::Commander, person: Some("ada".into()) })]);
    assert_eq!(claim(&led, 12).map(|t| t.state), Some(TimerState::Done));
    let mild = story(&[(1, Body::SeveritySet { to: "SEV3".into(), reason: "r".into() })]);
    assert_eq!(claim(&mild, 12), None, "what wakes nobody needs nobody to lead it");
}

#[test]
fn a_time_box_is_a_timer_and_more_time_is_another_one() {
    let give = Body::Task(TaskEvent::Given { text: "look".into(), owner: Some("bob".into()), until: Some(at(7)) });
    let given = story(&[(2, give.clone())]);
    let boxed = |i: &Incident, now| derive(i, now).into_iter().find(|t| t.kind == TimerKind::Task).unwrap();
    let first = boxed(&given, 7);
    assert_eq!((first.label.as_str(), first.state, first.due_at), ("bob: look", TimerState::Due, at(7)));
    let of = given.board.tasks[0].key.clone();
    assert_eq!(task_of(&given, &first.id).map(|t| &t.key), Some(&of));
    let moved = Body::Task(TaskEvent::Moved { of: of.clone(), owner: Some("bob".into()), until: Some(at(12)) });
    let more = story(&[(2, give.clone()), (7, moved)]);
    let second = boxed(&more, 8);
    assert_eq!((second.state, second.due_at), (TimerState::Running, at(12)));
    assert_ne!(first.once(), second.once(), "it rings again");
    let done =
        story(&[(2, give.clone()), (3, Body::Task(TaskEvent::Ended { of: of.clone(), done: true, text: None }))]);
    assert_eq!(boxed(&done, 20).state, TimerState::Done);
    let dropped = Body::Task(TaskEvent::Ended { of, done: false, text: Some("why".into()) });
    assert_eq!(boxed(&story(&[(2, give), (3, dropped)]), 20).state, TimerState::Cancelled);
}

#[test]
fn what_an_update_promised_goes_before_the_table() {
    let told = Body::Update { audience: "all".into(), text: "t".into(), next_at: Some(at(12)) };
    let find = |i: &Incident, now| derive(i, now).into_iter().find(|t| t.kind == TimerKind::Update).unwrap();
    let promised = story(&[(5, told)]);
    assert_eq!((find(&promised, 6).due_at, find(&promised, 12).state), (at(12), TimerState::Due));
    let again = Body::StatusSet { to: Status::Identified, message: Some("m".into()) };
    let told = Body::Update { audience: "all".into(), text: "t".into(), next_at: Some(at(12)) };
    assert_eq!(find(&story(&[(5, told), (11, again)]), 12).due_at, at(41), "the table's round after a message");
}

#[test]
fn decisions_about_a_timer_hold() {
    let senior = id("escalation:r:2");
    let snooze = Body::TimerSnoozed { timer: senior.clone(), until: at(26), reason: "r".into() };
    let due = Body::TimerDue { timer: senior.clone(), label: "l".into() };
    let put_off = story(&[(5, Body::Acknowledged), (15, due.clone()), (16, snooze)]);
    for (now, want) in [(16, "senior@26 snoozed"), (25, "senior@26 snoozed"), (26, "senior@26 due")] {
        assert!(told(&put_off, now).contains(&want.to_owned()), "at {now}: {:?}", told(&put_off, now));
    }
    let found = |i: &Incident, now| derive(i, now).into_iter().find(|t| t.id == senior).unwrap();
    assert!(newly_due(&derive(&put_off, 26)).contains(&&found(&put_off, 26)));
    assert_ne!(found(&put_off, 26).once(), found(&story(&[]), 26).once(), "it is recorded again after a snooze");
    let dismissed = story(&[(16, Body::TimerDismissed { timer: senior.clone(), reason: "r".into() })]);
    assert_eq!(found(&dismissed, 40).state, TimerState::Cancelled);
    let called = story(&[(16, Body::Escalated { timer: senior.clone(), contact: "senior".into() })]);
    assert_eq!(found(&called, 40).state, TimerState::Done);
    let early = Body::TimerSnoozed { timer: senior.clone(), until: at(3), reason: "r".into() };
    assert_eq!(
        found(&story(&[(1, early)]), 5).state,
        TimerState::Running,
        "put off to before it is due changes nothing"
    );
}

#[test]
fn after_a_long_sleep_everything_missed_comes_in_order() {
    let quiet = story(&[]);
    let all = derive(&quiet, 600);
    let order: Vec<i64> = newly_due(&all).iter().map(|t| (t.due_at - at(0)).num_minutes()).collect();
    assert_eq!(order, [10, 10, 15, 15, 30, 30]);
    assert_eq!(next_due(&all), None);
    assert_eq!(next_due(&derive(&quiet, 12)), Some(at(15)));
    let marked = story(&[(10, Body::TimerDue { timer: id("escalation:r:1"), label: "l".into() })]);
    assert_eq!(newly_due(&derive(&marked, 600)).len(), 5);
}

#[test]
fn forecasts_follow_the_budget() {
    let quiet = story(&[]);
    let run = |incident: &Incident, end: i64, now: i64| {
        let all = timers(incident, &SeverityTable::defaults(), None, &[("api".into(), at(end))], at(now));
        all.into_iter().find(|t| t.kind == TimerKind::Exhaustion).map(|t| t.state)
    };
    assert_eq!(run(&quiet, 90, 60), Some(TimerState::Running));
    assert_eq!(run(&quiet, 60, 60), Some(TimerState::Due));
    let key = |end: i64| {
        let all = timers(&quiet, &SeverityTable::defaults(), None, &[("api".into(), at(end))], at(100));
        all.into_iter().find(|t| t.kind == TimerKind::Exhaustion).map(|t| t.once())
    };
    assert_eq!(key(90), key(91), "two cockpits with different forecasts record it once");
    let told = story(&[(60, Body::TimerDue { timer: id("exhaustion:api"), label: "l".into() })]);
    assert_eq!(run(&told, 90, 61), Some(TimerState::Running), "the budget recovered");
    assert_eq!(run(&story(&[(5, Body::Resolved { summary: "s".into() })]), 60, 61), None);
}

#[test]
fn every_timer_says_that_nobody_is_paged() {
    for timer in derive(&story(&[(5, Body::Resolved { summary: "s".into() })]), 10) {
        assert!(timer.then.ends_with(PROMPTS), "{}", timer.then);
    }
}

#[test]
fn a_deadline_beyond_the_calendar_is_no_crash() {
    let text =
        format!("name: R\nsteps: [{{name: One}}]\nescalation: [{{after: {}h, contact: c}}]\n", i64::MAX / 4_000_000);
    let book = read("r.yaml", &text).0.unwrap();
    let all = timers(&story(&[]), &SeverityTable::defaults(), Some(&book), &[], at(0));
    assert_eq!(all.last().unwrap().due_at, Timestamp::MAX_UTC);
}

fn act() -> impl Strategy<Value = Body> {
    let ids = ["escalation:r:1", "escalation:r:2", "escalation:r:3", "response:SEV2", "stakeholders:SEV2"];
    let timer = prop::sample::select(ids.to_vec()).prop_map(id);
    prop_oneof![
        Just(Body::Acknowledged),
        Just(Body::Mitigated),
        Just(Body::Resolved { summary: "s".into() }),
        Just(Body::Reopened { reason: "r".into() }),
        Just(Body::Update { audience: "a".into(), text: "t".into(), next_at: None }),
        Just(Body::StatusSet { to: Status::Monitoring, message: None }),
        prop::sample::select(vec!["SEV1", "SEV2", "SEV3", "SEV4"])
            .prop_map(|to| Body::SeveritySet { to: to.into(), reason: "r".into() }),
        (timer.clone(), 0i64..90).prop_map(|(timer, until)| Body::TimerSnoozed {
            timer,
            until: at(until),
            reason: "r".into()
        }),
        timer.clone().prop_map(|timer| Body::TimerDismissed { timer, reason: "r".into() }),
        timer.prop_map(|timer| Body::Escalated { timer, contact: "c".into() }),
    ]
}

proptest! {
    /// A cockpit that wakes at any minutes, the clock jumping both ways, records each falling due once and never early.
    #[test]
    fn never_early_and_never_twice(
        acts in prop::collection::vec((0i64..90, act()), 0..8),
        wakes in prop::collection::vec(0i64..200, 1..12),
    ) {
        let mut acts: Vec<(i64, Body)> = acts;
        acts.sort_by_key(|(minute, _)| *minute);
        let mut seen = std::collections::BTreeSet::new();
        for now in wakes {
            let all = derive(&story(&acts), now);
            let ids: std::collections::BTreeSet<_> = all.iter().map(|t| &t.id).collect();
            prop_assert_eq!(ids.len(), all.len(), "ids are unique");
            for timer in newly_due(&all) {
                prop_assert!(timer.due_at <= at(now), "{} is early", timer.id);
                prop_assert!(seen.insert(timer.once()), "{} twice", timer.once());
                acts.push((now, Body::TimerDue { timer: timer.id.clone(), label: timer.label.clone() }));
            }
            let after = derive(&story(&acts), now);
            prop_assert!(newly_due(&after).is_empty(), "what was recorded is not new");
            prop_assert!(next_due(&after).is_none_or(|next| next > at(now)), "the shell would spin");
        }
    }

    /// A timer that is due stays due when time goes on, and once recorded also when the clock goes back.
    #[test]
    fn due_is_for_good(acts in prop::collection::vec((0i64..90, act()), 0..8), now in 90i64..200, later in 0i64..200) {
        let mut acts: Vec<(i64, Body)> = acts;
        acts.sort_by_key(|(minute, _)| *minute);
        let first = derive(&story(&acts), now);
        for timer in first.iter().filter(|t| t.state == TimerState::Due) {
            let then = derive(&story(&acts), now + later);
            prop_assert_eq!(then.iter().find(|t| t.id == timer.id).map(|t| t.state), Some(TimerState::Due));
            let mut recorded = acts.clone();
            recorded.push((now, Body::TimerDue { timer: timer.id.clone(), label: String::new() }));
            let back = derive(&story(&recorded), 0);
            prop_assert_eq!(back.iter().find(|t| t.id == timer.id).map(|t| t.state), Some(TimerState::Due));
        }
    }
}
