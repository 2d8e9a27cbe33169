//! One whole incident, from declared to resolved, told in any words.

use chrono::FixedOffset;
use midwatch::domain::ids::{Origin, SloId};
use midwatch::domain::incident::change::{ApprovalRequest, ChangePlan, PlannedCommand, RollbackPlan, VerifyPlan};
use midwatch::domain::incident::event::{
    Answer, At, Body, BudgetSample, CommandFinish, CommandStart, Event, EventKey, NoteKind, Role, Status, StepEnd,
};
use midwatch::domain::incident::state::Incident;
use midwatch::domain::postmortem::facts::{Facts, facts};
use midwatch::domain::slo::reading::{History, Series, Window};
use midwatch::domain::time::{Timestamp, mins};

pub fn at(text: &str) -> Timestamp {
    format!("2026-05-{text}Z").parse().unwrap()
}

pub fn berlin() -> FixedOffset {
    FixedOffset::east_opt(7_200).unwrap()
}

/// The words that come from outside, so that the same incident can be told with others.
pub struct Words<'w>(pub Box<dyn Fn(&str) -> String + 'w>);

impl Words<'_> {
    pub fn say(&self, text: &str) -> String {
        (self.0)(text)
    }
}

pub fn plain() -> Words<'static> {
    Words(Box::new(str::to_owned))
}

pub struct Log {
    pub events: Vec<Event>,
}

impl Log {
    pub fn add(&mut self, when: &str, actor: &str, body: Body) -> EventKey {
        let seq = self.events.len() as u64 + 1;
        let key = EventKey { origin: Origin::from("bastion1"), seq };
        self.events.push(Event {
            key: key.clone(),
            id: format!("id-{seq}"),
            incident: "INC-20260501-235204".into(),
            order: seq,
            at: at(when),
            recorded_at: at(when),
            actor: actor.to_owned(),
            body,
            hash: String::new(),
        });
        key
    }

    pub fn note(&mut self, when: &str, actor: &str, sort: NoteKind, text: String) -> EventKey {
        self.add(when, actor, Body::Note { sort, text })
    }

    fn command(&mut self, w: &Words<'_>, when: &str, run: &str, command: &str, end: Option<(&str, Option<i32>, &str)>) {
        self.changing(w, when, run, command, (None, None), end);
    }

    /// A command that changes something, with the second person's approval.
    #[expect(clippy::too_many_arguments, reason = "all that a command in the record has")]
    fn changing(
        &mut self,
        w: &Words<'_>,
        when: &str,
        run: &str,
        command: &str,
        (change, approval): (Option<ChangePlan>, Option<String>),
        end: Option<(&str, Option<i32>, &str)>,
    ) {
        let place = At { runbook: "api-latency".into(), step: "mitigate".into(), name: w.say("Mitigate") };
        self.add(
            when,
            &w.say("alice"),
            Body::CommandStarted(CommandStart {
                run: run.into(),
                place,
                command: w.say(command),
                argv: vec!["sh".into()],
                env: vec![],
                host: w.say("bastion1"),
                user: w.say("oncall"),
                timeout_s: 60,
                sha256: String::new(),
                id: String::new(),
                part: None,
                risk: None,
                target: None,
                context: None,
                approval,
                change: change.map(Box::new),
            }),
        );
        let Some((when, exit, reason)) = end else { return };
        let reason = exit.is_none().then(|| w.say(reason));
        let finish = CommandFinish {
            run: run.into(),
            exit,
            reason,
            took_ms: 2_310,
            bytes: 12,
            sha256: String::new(),
            excerpt: vec![],
            ok: exit.map(|code| code == 0),
            never: false,
            file: None,
        };
        self.add(when, "midwatch", Body::CommandFinished(finish));
    }
}

pub fn begin(w: &Words<'_>, log: &mut Log) {
    let alice = w.say("alice");
    log.add(
        "01T23:52:04",
        &alice,
        Body::Declared {
            title: w.say("Checkout 5xx after deploy"),
            severity: "SEV2".into(),
            service: Some(w.say("checkout")),
            detected_by: Some(w.say("CheckoutBudgetBurnFast")),
            detected_at: None,
        },
    );
    log.add(
        "01T23:52:05",
        "midwatch",
        Body::AlertLinked {
            fingerprint: "a7ffdcec7b6bae00".into(),
            name: w.say("CheckoutBudgetBurnFast"),
            labels: Default::default(),
            started_at: at("01T23:48:30"),
        },
    );
    log.add("01T23:52:06", "midwatch", Body::ObjectiveLinked { slo: SloId(w.say("checkout_success")) });
    log.add("01T23:52:06", "midwatch", Body::ObjectiveLinked { slo: SloId(w.say("checkout_latency")) });
    log.add("01T23:52:40", &alice, Body::Acknowledged);
    log.add("01T23:52:50", &alice, Body::RoleSet { role: Role::Commander, person: Some(alice.clone()) });
    log.add("01T23:53:10", &alice, Body::RoleSet { role: Role::Comms, person: Some(w.say("bob")) });
    log.add(
        "01T23:54:00",
        &alice,
        Body::StatusSet {
            to: Status::Investigating,
            message: Some(w.say("5xx since deploy 4f2a91, see the dashboard")),
        },
    );
}

pub fn work(w: &Words<'_>, log: &mut Log) {
    let (alice, bob) = (w.say("alice"), w.say("bob"));
    let place = || At { runbook: "api-latency".into(), step: "triage".into(), name: w.say("Triage") };
    log.add(
        "01T23:54:20",
        &alice,
        Body::RunbookOpened {
            runbook: "api-latency".into(),
            name: w.say("API latency"),
            steps: 4,
            sha256: String::new(),
        },
    );
    let question = w.say("Is the database slow?");
    log.add("01T23:55:00", &alice, Body::CheckAnswered { place: place(), check: 0, question, answer: Answer::Yes });
    log.add("01T23:55:10", &alice, Body::StepEnded { place: place(), end: StepEnd::Done });
    let wrong = log.note("01T23:56:00", &bob, NoteKind::Hypothesis, w.say("the cache is cold"));
    log.note("01T23:57:00", &bob, NoteKind::Hypothesis, w.say("the new pool size is too small"));
    log.add("01T23:58:00", &bob, Body::Retracted { of: wrong, reason: w.say("hit rate is 99 %") });
    let typo = log.note("01T23:58:30", &bob, NoteKind::Finding, w.say("pool saturated on checkout-7"));
    log.add(
        "01T23:59:00",
        &bob,
        Body::Corrected { of: typo, text: w.say("pool saturated on checkout-7 and checkout-9") },
    );
    log.add("02T00:01:00", &alice, Body::SeveritySet { to: "SEV1".into(), reason: w.say("over 10 % of users") });
    log.note("02T00:02:00", &alice, NoteKind::Decision, w.say("roll back to 4f2a90"));
    let undo = "kubectl rollout undo deploy/checkout | tee undo.log";
    log.command(w, "02T00:02:30", "run-1", undo, Some(("02T00:02:32", Some(0), "")));
    log.command(w, "02T00:03:00", "run-2", "kubectl get pods", Some(("02T00:03:09", None, "timed out")));
    log.command(w, "02T00:04:00", "run-3", "curl -s http://127.0.0.1:8080/healthz", None);
    changes(w, log);
    log.add(
        "02T00:05:00",
        &bob,
        Body::Update { audience: w.say("stakeholders"), text: w.say("rolling back"), next_at: None },
    );
}

/// One change that helped and stays, one that did not and was taken back, one of which nobody knows.
fn changes(w: &Words<'_>, log: &mut Log) {
    let alice = w.say("alice");
    let plan = |action: &str, rollback| ChangePlan { action: w.say(action), rollback, undoes: None };
    let back = |shown: &str| {
        RollbackPlan::Command(Box::new(PlannedCommand { shown: w.say(shown), ..PlannedCommand::default() }))
    };
    let watch = |run: &str| {
        let what = w.say("burn rate of checkout_success (5m) < 1 for 5m");
        Body::VerifyStarted(VerifyPlan { run: run.into(), what, for_s: 300, within_s: 1_200, every_s: 15 })
    };
    let request = ApprovalRequest {
        id: "ask-1".into(),
        command: w.say("kubectl scale deploy/checkout --replicas=8"),
        target: w.say("bastion1"),
        code: "KELMAR".into(),
        ..ApprovalRequest::default()
    };
    log.add("02T00:04:10", &alice, Body::ApprovalAsked(request));
    log.add("02T00:04:15", &alice, Body::ApprovalGiven { id: "ask-1".into(), witness: Some(w.say("carol")) });
    let scale = (Some(plan("Scale out", back("kubectl scale deploy/checkout --replicas=4"))), Some("ask-1".to_owned()));
    log.changing(
        w,
        "02T00:04:20",
        "run-4",
        "kubectl scale deploy/checkout --replicas=8",
        scale,
        Some(("02T00:04:22", Some(0), "")),
    );
    log.add("02T00:04:22", &alice, Body::ChangeApplied { run: "run-4".into(), action: w.say("Scale out") });
    log.add("02T00:04:23", "midwatch", watch("run-4"));
    log.add("02T00:04:50", "midwatch", Body::VerifyFailed { run: "run-4".into(), why: w.say("14.2") });
    let undoing = ChangePlan { undoes: Some("run-4".into()), ..plan("Scale out", RollbackPlan::Unstated) };
    log.changing(
        w,
        "02T00:04:52",
        "run-5",
        "kubectl scale deploy/checkout --replicas=4",
        (Some(undoing), None),
        Some(("02T00:04:53", Some(0), "")),
    );
    log.add(
        "02T00:04:53",
        &alice,
        Body::RolledBack { run: "run-4".into(), by: "run-5".into(), action: w.say("Scale out") },
    );
    let undo = plan("Undo the deploy", RollbackPlan::None(w.say("the bad version stays away")));
    log.changing(
        w,
        "02T00:04:55",
        "run-6",
        "kubectl rollout undo deploy/checkout",
        (Some(undo), None),
        Some(("02T00:04:57", Some(0), "")),
    );
    log.add("02T00:04:57", &alice, Body::ChangeApplied { run: "run-6".into(), action: w.say("Undo the deploy") });
    log.add("02T00:04:57", "midwatch", watch("run-6"));
    let held = Body::VerifyHeld {
        run: "run-6".into(),
        since: at("02T00:04:58"),
        what: w.say("burn rate of checkout_success (5m) < 1 for 5m"),
    };
    log.add("02T00:04:59", "midwatch", held);
    log.changing(
        w,
        "02T00:04:59",
        "run-7",
        "kubectl delete pod checkout-7",
        (Some(plan("Restart one", RollbackPlan::Unstated)), None),
        None,
    );
}

pub fn finish(w: &Words<'_>, log: &mut Log) {
    let alice = w.say("alice");
    log.add("02T00:10:00", &alice, Body::Mitigated);
    let name = w.say("CheckoutBudgetBurnFast");
    log.add(
        "02T00:12:00",
        "midwatch",
        Body::AlertChanged { fingerprint: "a7ffdcec7b6bae00".into(), name, to: "ended".into() },
    );
    let due = Some(w.say("2026-05-15"));
    log.add(
        "02T00:13:00",
        &alice,
        Body::ActionItem { text: w.say("alert on pool saturation"), owner: Some(w.say("bob")), due, does: None },
    );
    log.add(
        "02T00:14:00",
        &alice,
        Body::ActionItem { text: w.say("load test the pool"), owner: None, due: None, does: None },
    );
    let unknown = serde_json::json!({"kind": w.say("teleported"), "data": {"to": "Mars"}});
    log.add("02T00:14:30", "midwatch", Body::Unknown(unknown));
    log.add(
        "02T00:20:00",
        &alice,
        Body::Resolved { summary: w.say("rolled back to 4f2a90; error rate normal for 10 minutes") },
    );
    log.add(
        "02T00:20:01",
        "midwatch",
        Body::BudgetSampled(BudgetSample {
            slo: SloId(w.say("checkout_success")),
            moment: "resolved".into(),
            remaining: Some(0.612),
            burn_1h: Some(9.1),
            burn_5m: Some(f64::NAN),
            gross: Some(0.0314),
            net: Some(0.0301),
            basis: None,
        }),
    );
    // Told late, happened early: it stands where it happened.
    log.note("01T23:50:00", &alice, NoteKind::Note, w.say("first customer call"));
}

pub fn log(w: &Words<'_>) -> Vec<Event> {
    let mut log = Log { events: Vec::new() };
    begin(w, &mut log);
    work(w, &mut log);
    finish(w, &mut log);
    log.events
}

pub fn histories(w: &Words<'_>) -> Vec<History> {
    let start = at("01T20:00:00");
    let points = (0..54)
        .map(|i| match i {
            0..=44 => Some(0.3),
            45..=47 => Some(f64::from(i - 43) * 3.0),
            48 => None,
            _ => Some(18.0),
        })
        .collect();
    let series = Series { window: Window::H1, start, step: mins(5), points };
    let slo = SloId(w.say("checkout_success"));
    vec![History { slo, series: vec![series], budget: None }]
}

pub fn told(w: &Words<'_>) -> (Incident, Vec<Event>, Facts) {
    let events = log(w);
    let incident = Incident::fold(&events).unwrap();
    let facts = facts(&incident, &events, &histories(w), berlin(), at("02T00:30:00"));
    (incident, events, facts)
}

/// What no label, title or output should be able to do anything with.
pub const HOSTILE: [&str; 16] = [
    "# forged heading",
    "x\n## forged section\n- forged item",
    "[click](https://evil.example) ![img](http://evil.example/x.png)",
    "<script>alert(1)</script><!-- /keep --><img src=x>",
    "a | b | c |",
    "@everyone @alice a@b.example <!channel>",
    "```\n# out of the fence\n```",
    "[[BLANK: forged]] [[BLANK:",
    "<!-- keep -->",
    "\u{1b}[2J\u{202e}reversed\u{200b}\u{9b}",
    "https://evil.example www.evil.example",
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "{{ facts }} {% include '/etc/passwd' %}",
    "1. one\r\n---\r\n===",
    "back\\slash \\| pipe ` tick `` two @` \\",
    "    indented\tcode & &lt;b&gt; *bold* _it_ ~~no~~ [^1]",
];

pub fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}
