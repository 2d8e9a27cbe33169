//! The fold as a property: one set of events is one state, whatever the order, the copies and the way of their arrival.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use midwatch::domain::ids::IncidentId;
use midwatch::domain::incident::board::{Belief, Bond, DecisionEvent, Phase, TaskEvent};
use midwatch::domain::incident::change::{ApprovalRequest, ChangePlan, RollbackPlan, VerifyPlan};
use midwatch::domain::incident::event::{
    Act, Answer, At, Body, BudgetSample, CommandFinish, CommandStart, Event, EventKey, Import, Mark, NewEvent,
    NoteKind, Redaction, Role, Status, StepEnd,
};
use midwatch::domain::incident::state::Incident;
use midwatch::domain::outward::capability::{Capability, Class};
use midwatch::domain::outward::chat::ChatWrite;
use midwatch::domain::outward::entry::Ending;
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::outcome::Reference;
use midwatch::domain::time::{Timestamp, secs};
use midwatch::io::store::Store;
use midwatch::io::store::memory::Memory;
use proptest::prelude::*;

pub const ID: &str = "INC-20260501-031204";

pub fn time(s: i64) -> Timestamp {
    "2026-05-01T03:12:04.123456Z".parse::<Timestamp>().unwrap() + secs(s)
}

pub fn new(incident: &str, s: i64, body: Body) -> NewEvent {
    NewEvent {
        incident: IncidentId(incident.into()),
        at: time(s - 3),
        recorded_at: time(s),
        actor: if s % 3 == 0 { "midwatch" } else { "alice" }.into(),
        body,
        once: None,
    }
}

pub fn declared() -> Body {
    Body::Declared {
        title: "api 5xx".into(),
        severity: "SEV2".into(),
        service: Some("api".into()),
        detected_by: None,
        detected_at: None,
    }
}

pub fn note(text: &str) -> Body {
    Body::Note { sort: NoteKind::Note, text: text.into() }
}

/// A post to a room.
pub fn operation(n: u8) -> Operation {
    let write = ChatWrite::Post { room: None, text: format!("text {n}"), thread: None };
    Operation::new("room".into(), Intent::Chat(write), Class::Compare, time(i64::from(n)), "alice")
}

/// Number of different bodies of [`body`].
pub const BODIES: usize = 50;
/// The kind of [`body`] that changes another event.
pub const REDACTION: usize = 47;

/// One of every kind; `n` varies what is in it, and `seen` is what the writer knows.
#[expect(clippy::too_many_lines, reason = "a table")]
pub fn body(kind: usize, n: u8, seen: &[EventKey]) -> Body {
    let step = || At { runbook: "rb".into(), step: format!("s{}", n % 3).as_str().into(), name: "look".into() };
    let of =
        || seen.get(usize::from(n) % seen.len().max(1)).cloned().unwrap_or(EventKey { origin: "x".into(), seq: 1 });
    let timer = || format!("t{}", n % 3).as_str().into();
    let text = || format!("text {n}");
    let fingerprint = || format!("f{}", n % 3).as_str().into();
    match kind {
        0 => declared(),
        1 => Body::Acknowledged,
        2 => Body::RoleSet { role: Role::ALL[usize::from(n % 4)], person: n.is_multiple_of(2).then(text) },
        3 => Body::SeveritySet { to: ["SEV1", "SEV2", "SEV3"][usize::from(n % 3)].into(), reason: text() },
        4 => Body::StatusSet { to: Status::ALL[usize::from(n % 5)], message: n.is_multiple_of(2).then(text) },
        5 => Body::Mitigated,
        6 => Body::Resolved { summary: text() },
        7 => Body::Reopened { reason: text() },
        8 => note(&text()),
        9 => Body::ActionItem { text: text(), owner: None, due: None, does: None },
        10 => Body::Update { audience: "all".into(), text: text(), next_at: None },
        11 => Body::Corrected { of: of(), text: text() },
        12 => Body::Retracted { of: of(), reason: text() },
        13 => Body::AlertLinked {
            fingerprint: fingerprint(),
            name: "Burn".into(),
            labels: [("team", "api")].into(),
            started_at: time(-i64::from(n)),
        },
        14 => Body::AlertChanged { fingerprint: fingerprint(), name: "Burn".into(), to: text() },
        15 => Body::ObjectiveLinked { slo: format!("slo{}", n % 3).as_str().into() },
        16 => Body::BudgetSampled(BudgetSample {
            slo: "slo1".into(),
            moment: "asked".into(),
            remaining: Some(f64::from(n) / 7.0),
            burn_1h: None,
            burn_5m: Some(0.1),
            gross: Some(-0.3),
            net: None,
            basis: n.is_multiple_of(2).then(text),
        }),
        17 => Body::RunbookOpened { runbook: "rb".into(), name: text(), steps: 3, sha256: "00".into() },
        18 => Body::StepEnded {
            place: step(),
            end: [StepEnd::Done, StepEnd::Skipped(text()), StepEnd::Failed(text()), StepEnd::Reopened]
                [usize::from(n % 4)]
            .clone(),
        },
        19 => Body::CheckAnswered { place: step(), check: usize::from(n), question: text(), answer: Answer::Unsure },
        20 => Body::OptionChosen { place: step(), option: usize::from(n), action: text() },
        21 => Body::CommandStarted(CommandStart {
            run: format!("r{}", n % 3),
            place: step(),
            command: text(),
            argv: vec!["ls".into()],
            env: vec![("A".into(), "b".into())],
            host: "h".into(),
            user: "u".into(),
            timeout_s: 60,
            sha256: "00".into(),
            id: "s.1".into(),
            part: None,
            risk: Some("change".into()),
            target: None,
            context: None,
            approval: n.is_multiple_of(4).then(|| format!("a{}", n % 3)),
            change: (!n.is_multiple_of(3)).then(|| {
                let undoes = n.is_multiple_of(2).then(|| format!("r{}", n % 3));
                Box::new(ChangePlan { action: text(), rollback: RollbackPlan::Unstated, undoes })
            }),
        }),
        22 => Body::CommandFinished(CommandFinish {
            run: format!("r{}", n % 3),
            exit: Some(i32::from(n)),
            reason: None,
            took_ms: 1,
            bytes: 2,
            sha256: "00".into(),
            excerpt: vec![text()],
            ok: [None, Some(true), Some(false)][usize::from(n % 3)],
            never: n.is_multiple_of(5),
            file: None,
        }),
        23 => Body::TimerDue { timer: timer(), label: text() },
        24 => Body::TimerSnoozed { timer: timer(), until: time(i64::from(n)), reason: text() },
        25 => Body::TimerDismissed { timer: timer(), reason: text() },
        26 => Body::Escalated { timer: timer(), contact: text() },
        27 => Body::InputGiven { runbook: "rb".into(), name: "N".into(), value: n.is_multiple_of(2).then(text) },
        28 => Body::ValueCaptured { runbook: "rb".into(), name: "C".into(), value: text() },
        29 => Body::GuardChecked { runbook: "rb".into(), ok: n.is_multiple_of(2), found: text() },
        30 => Body::ChangeApplied { run: format!("r{}", n % 3), action: text() },
        31 => Body::RolledBack { run: format!("r{}", n % 3), by: text(), action: text() },
        32 => Body::VerifyStarted(VerifyPlan { run: format!("r{}", n % 3), what: text(), ..VerifyPlan::default() }),
        33 => Body::VerifyHeld { run: format!("r{}", n % 3), since: time(i64::from(n)), what: text() },
        34 => Body::VerifyFailed { run: format!("r{}", n % 3), why: text() },
        35 => Body::ApprovalAsked(ApprovalRequest {
            id: format!("a{}", n % 3),
            command: text(),
            target: "h".into(),
            sha256: "00".into(),
            code: "ABCDEF".into(),
            command_id: "s.1".into(),
        }),
        36 => Body::ApprovalGiven { id: format!("a{}", n % 3), witness: n.is_multiple_of(2).then(text) },
        37 => Body::Outgoing(Box::new(operation(n))),
        38 => Body::OutgoingOutcome {
            op: format!("op-{}", n % 3).as_str().into(),
            target: "room".into(),
            capability: Capability::Post,
            words: text(),
            end: if n.is_multiple_of(2) {
                Ending::Done { reference: Reference::id(text()) }
            } else {
                Ending::Conflict { current: text() }
            },
        },
        // The commander's board.
        39..=44 => on_the_board(kind, n, of(), text()),
        45 => Body::Imported(Import {
            from: "slack".into(),
            act: Act::ALL[usize::from(n) % Act::ALL.len()],
            who: "bob".into(),
            text: text(),
            ..Import::default()
        }),
        46 => Body::Marked {
            of: of(),
            mark: [Mark::Pin, Mark::Exclude, Mark::Tag(format!("t{}", n % 2))][usize::from(n % 3)].clone(),
            on: !n.is_multiple_of(4),
        },
        48 => Body::AlertAnnotated {
            fingerprint: fingerprint(),
            name: "Burn".into(),
            annotation: "summary".into(),
            text: text(),
        },
        REDACTION => Body::Redacted(Redaction::of(of(), text())),
        _ => Body::Unknown(serde_json::json!({"kind": "teleported", "data": n})),
    }
}

fn on_the_board(kind: usize, n: u8, of: EventKey, text: String) -> Body {
    let until = n.is_multiple_of(3).then(|| time(i64::from(n) * 60));
    let owner = n.is_multiple_of(2).then(|| format!("p{}", n % 3));
    match kind {
        39 => Body::Task(match n % 3 {
            0 => TaskEvent::Given { text, owner, until },
            1 => TaskEvent::Moved { of, owner, until },
            _ => TaskEvent::Ended { of, done: n.is_multiple_of(2), text: Some(text) },
        }),
        40 => Body::Deciding(match n % 4 {
            0 => DecisionEvent::Proposed { text },
            1 => DecisionEvent::Objected { of, text },
            2 => DecisionEvent::Chosen { of },
            _ => DecisionEvent::Dropped { of, reason: text },
        }),
        41 => Body::HypothesisJudged { of, belief: Belief::ALL[usize::from(n % 3)], why: text },
        42 => Body::Ticked {
            phase: Phase::ALL[usize::from(n % 3)],
            line: format!("line {}", n % 2),
            done: n.is_multiple_of(2),
        },
        43 => Body::Tied {
            other: IncidentId(format!("INC-{}", n % 3)),
            bond: [Bond::MergedInto, Bond::Absorbed, Bond::Related][usize::from(n % 3)],
            why: text,
        },
        _ => Body::Presence { person: format!("p{}", n % 3), here: n.is_multiple_of(2), how: text },
    }
}

/// Two installations write what `script` says and hear of each other now and then; gives both logs at the end, each with
/// what it had not heard of yet missing.
fn two_logs(script: &[(bool, usize, u8, bool)]) -> (Vec<Event>, Vec<Event>) {
    let id = IncidentId(ID.into());
    let mut a = Memory::new("a-1".into());
    let mut b = Memory::new("b-2".into());
    a.append(vec![new(ID, 0, declared())]).unwrap();
    b.merge(a.events(&id).unwrap()).unwrap();
    for (s, (first, kind, n, hear)) in script.iter().enumerate() {
        let (writer, other) = if *first { (&mut a, &mut b) } else { (&mut b, &mut a) };
        if *hear {
            writer.merge(other.events(&id).unwrap()).unwrap();
        }
        let seen: Vec<EventKey> = writer.events(&id).unwrap().into_iter().map(|e| e.key).collect();
        // The second declaration would be another incident.
        let kind = (*kind).max(1);
        writer.append(vec![new(ID, i64::try_from(s).unwrap(), body(kind, *n, &seen))]).unwrap();
    }
    (a.events(&id).unwrap(), b.events(&id).unwrap())
}

fn scripts() -> impl Strategy<Value = Vec<(bool, usize, u8, bool)>> {
    prop::collection::vec((any::<bool>(), 0..BODIES, any::<u8>(), prop::bool::weighted(0.3)), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_any_copies_fold_to_one_state(script in scripts(), shuffle in any::<u64>()) {
        let (a, b) = two_logs(&script);
        let together: Vec<Event> = a.iter().chain(&b).cloned().collect();
        let want = Incident::fold(&together).unwrap();

        let mut shuffled = together.clone();
        let mut seed = shuffle | 1;
        for at in (1..shuffled.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(at, usize::try_from(seed >> 33).unwrap() % (at + 1));
        }
        prop_assert_eq!(Incident::fold(&shuffled).unwrap(), want);
    }

    #[test]
    fn merging_either_way_and_in_any_pieces_ends_in_one_state(script in scripts(), cut in 0..40_usize) {
        let (a, b) = two_logs(&script);
        let want = Incident::fold(a.iter().chain(&b)).unwrap();
        for (one, two) in [(&a, &b), (&b, &a)] {
            let mut here = Memory::new("c-3".into());
            let (early, late) = two.split_at(cut.min(two.len()));
            for piece in [late, one.as_slice(), early, two.as_slice()] {
                here.merge(piece.to_vec()).unwrap();
            }
            prop_assert_eq!(here.heads().unwrap(), vec![want.clone()]);
            prop_assert_eq!(here.verify().unwrap(), Vec::<String>::new());
        }
    }

    #[test]
    fn one_by_one_is_the_same_as_all_at_once_and_survives_json(script in scripts()) {
        let (a, _) = two_logs(&script);
        let mut state = Incident::begin(&a[0]).unwrap();
        for (n, event) in a.iter().enumerate().skip(1) {
            prop_assert!(state.precedes(event));
            state.apply(event);
            prop_assert_eq!(&state, &Incident::fold(&a[..=n]).unwrap());
        }
        let json = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(serde_json::from_str::<Incident>(&json).unwrap(), state);
    }
}
