//! The rig of the simulated target.

use super::{Rig, Trouble};
use midwatch::domain::outward::annotation::AnnotationWrite;
use midwatch::domain::outward::backend::{BackendIncident, BackendStatus, BackendWrite, Party, Priority};
use midwatch::domain::outward::capability::Capability as Cap;
use midwatch::domain::outward::chat::ChatWrite;
use midwatch::domain::outward::event_sink::{Alarm, EventWrite};
use midwatch::domain::outward::intent::Intent;
use midwatch::domain::outward::operation::Operation;
use midwatch::domain::outward::silence::{Matcher, Silence, SilenceState, SilenceWrite};
use midwatch::domain::outward::status_page::StatusWrite;
use midwatch::domain::outward::ticket::TicketWrite;
use midwatch::domain::time::{Timestamp, mins};
use midwatch::io::fake::outside::{self, FakeTarget, usual_caps};
use midwatch::io::port::Target;

/// The fake with one open incident.
pub struct FakeRig {
    fake: FakeTarget,
}

impl FakeRig {
    pub fn new() -> Self {
        let caps = usual_caps().without(
            midwatch::domain::outward::capability::Lack::PlanLacks,
            "not simulated",
            &[Cap::ReadPriorities, Cap::ReadChanges],
        );
        let fake = FakeTarget::new("fake", caps);
        fake.put_incident(BackendIncident::new("P1", "api 5xx", BackendStatus::Triggered));
        Self { fake }
    }
}

/// A person there.
pub fn party(id: &str) -> Party {
    Party { id: id.into(), name: format!("name of {id}"), ..Party::default() }
}

fn at() -> Timestamp {
    "2026-05-01T03:12:04Z".parse().unwrap()
}

/// One intent of every capability, about `P1`; rigs take what they have.
#[expect(clippy::too_many_lines, reason = "a table: one row per capability")]
pub fn any_intent(capability: Cap) -> Option<Intent> {
    let incident = || "P1".to_owned();
    let room = || "R1".to_owned();
    let text = || "database is down".to_owned();
    let backend = |write| Some(Intent::Backend(write));
    match capability {
        Cap::Acknowledge => backend(BackendWrite::Acknowledge { incident: incident() }),
        Cap::Unacknowledge => backend(BackendWrite::Unacknowledge { incident: incident() }),
        Cap::Resolve => backend(BackendWrite::Resolve { incident: incident(), resolution: Some(text()) }),
        Cap::Reassign => backend(BackendWrite::Reassign { incident: incident(), to: vec![party("U2")] }),
        Cap::Escalate => backend(BackendWrite::Escalate { incident: incident(), level: 2 }),
        Cap::Snooze => backend(BackendWrite::Snooze { incident: incident(), seconds: 600 }),
        Cap::Merge => backend(BackendWrite::Merge { incident: incident(), sources: vec!["P2".into()] }),
        Cap::Note => backend(BackendWrite::Note { incident: incident(), text: text() }),
        Cap::SetPriority => backend(BackendWrite::SetPriority {
            incident: incident(),
            priority: Priority { id: "PR1".into(), name: "P1".into() },
        }),
        Cap::SetTitle => backend(BackendWrite::SetTitle { incident: incident(), title: text() }),
        Cap::Declare => backend(BackendWrite::Declare {
            title: text(),
            service: Some(party("S1")),
            urgency: Some("high".into()),
            priority: None,
            body: text(),
        }),
        Cap::RequestResponders => backend(BackendWrite::RequestResponders {
            incident: incident(),
            people: vec![party("U3")],
            message: text(),
        }),
        Cap::StatusUpdate => {
            backend(BackendWrite::StatusUpdate { incident: incident(), subject: None, message: text() })
        }
        Cap::Trigger => Some(Intent::Event(EventWrite::Trigger(Alarm {
            dedup_key: "INC-1".into(),
            summary: text(),
            source: "api".into(),
            severity: "critical".into(),
            details: vec![("runbook".into(), "high-api-latency".into())],
            links: vec![],
        }))),
        Cap::AcknowledgeAlarm => Some(Intent::Event(EventWrite::Acknowledge { dedup_key: "INC-1".into() })),
        Cap::ResolveAlarm => Some(Intent::Event(EventWrite::Resolve { dedup_key: "INC-1".into() })),
        Cap::SendChange => {
            Some(Intent::Event(EventWrite::Change { summary: text(), source: None, at: at(), details: vec![] }))
        }
        Cap::CreateSilence => Some(Intent::Silence(SilenceWrite::Create {
            matchers: vec![Matcher::is("alertname", "Burn")],
            starts_at: at(),
            ends_at: at() + mins(15),
            comment: text(),
        })),
        Cap::ExtendSilence => {
            Some(Intent::Silence(SilenceWrite::Extend { silence: silence(), ends_at: at() + mins(60) }))
        }
        Cap::ExpireSilence => Some(Intent::Silence(SilenceWrite::Expire { id: "S-1".into() })),
        Cap::CreateRoom => Some(Intent::Chat(ChatWrite::CreateRoom {
            name: "inc-1".into(),
            topic: text(),
            private: false,
            invite: vec![],
        })),
        Cap::SetTopic => Some(Intent::Chat(ChatWrite::SetTopic { room: room(), topic: text() })),
        Cap::Invite => Some(Intent::Chat(ChatWrite::Invite { room: room(), people: vec![party("U1")] })),
        Cap::Post => Some(Intent::Chat(ChatWrite::Post { room: Some(room()), text: text(), thread: None })),
        Cap::EditMessage => {
            Some(Intent::Chat(ChatWrite::Edit { room: Some(room()), message: "M1".into(), text: text() }))
        }
        Cap::Pin => Some(Intent::Chat(ChatWrite::Pin { room: room(), message: "M1".into() })),
        Cap::Bookmark => Some(Intent::Chat(ChatWrite::Bookmark {
            room: room(),
            title: "runbook".into(),
            url: "https://wiki.example/rb".into(),
        })),
        Cap::OpenNotice => Some(Intent::StatusPage(StatusWrite::Open {
            title: text(),
            status: "investigating".into(),
            body: text(),
            impact: Some("major".into()),
            components: vec![("C1".into(), "major_outage".into())],
        })),
        Cap::UpdateNotice => Some(Intent::StatusPage(StatusWrite::Update {
            notice: "N1".into(),
            status: "monitoring".into(),
            body: text(),
            components: vec![],
        })),
        Cap::CreateTicket => Some(Intent::Ticket(TicketWrite::Create {
            title: text(),
            body: text(),
            marker: "midwatch-INC-1-a1".into(),
            labels: vec!["incident".into()],
            owner: None,
            due: Some("2026-05-08".into()),
        })),
        Cap::Annotate => Some(Intent::Annotation(AnnotationWrite::Create {
            from: at(),
            to: None,
            text: text(),
            tags: vec!["incident:INC-1".into()],
        })),
        Cap::EndAnnotation => {
            Some(Intent::Annotation(AnnotationWrite::End { annotation: "A1".into(), to: at() + mins(30), text: None }))
        }
        _ => None,
    }
}

/// A silence in force.
pub fn silence() -> Silence {
    Silence {
        id: "S-1".into(),
        matchers: vec![Matcher::is("alertname", "Burn")],
        starts_at: at(),
        ends_at: at() + mins(15),
        created_by: "alice".into(),
        comment: "known".into(),
        state: SilenceState::Active,
    }
}

impl Rig for FakeRig {
    fn name(&self) -> String {
        "fake".into()
    }

    fn target(&self) -> Target {
        self.fake.target()
    }

    fn read_only(&self) -> Target {
        FakeTarget::new("fake", usual_caps().read_only()).target()
    }

    fn intent(&self, capability: Cap) -> Option<Intent> {
        any_intent(capability)
    }

    fn effects(&self, op: &Operation) -> usize {
        self.fake.effects().iter().filter(|e| e.op == op.id).count()
    }

    fn trouble(&self, trouble: Trouble) -> bool {
        self.fake.script([match trouble {
            Trouble::RateLimited(s) => outside::Trouble::RateLimited(Some(i64::from(s))),
            Trouble::RateLimitedBare => outside::Trouble::RateLimited(None),
            Trouble::TooLong => outside::Trouble::TooLong,
            Trouble::Auth => outside::Trouble::Auth,
            Trouble::LoginPage => outside::Trouble::LoginPage,
            Trouble::LostReply => outside::Trouble::LostReply,
            Trouble::LostRequest => outside::Trouble::LostRequest,
            Trouble::Slow => outside::Trouble::Slow,
            Trouble::Duplicate => outside::Trouble::Duplicate,
        }]);
        true
    }

    fn disturb(&self, op: &Operation) -> bool {
        if op.intent.capability() != Cap::Acknowledge {
            return false;
        }
        self.fake.put_incident(BackendIncident::new("P1", "api 5xx", BackendStatus::Resolved));
        true
    }
}
