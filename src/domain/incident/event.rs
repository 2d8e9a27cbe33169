//! The record of an incident: what happened, when, by whom. Events are never changed; a correction is a new event.

mod kind;

use crate::domain::incident::board::{Belief, Bond, DecisionEvent, Phase, TaskEvent};
pub use crate::domain::incident::change::{ApprovalRequest, ChangePlan, RollbackPlan, VerifyPlan};
pub use crate::domain::incident::command::{CommandFinish, CommandStart};
pub use crate::domain::incident::imported::{Act, Import};
pub use crate::domain::incident::linked::{BackendLine, BackendLink};
pub use crate::domain::incident::mark::Mark;
use crate::domain::incident::parts::ActionType;
pub use crate::domain::incident::redaction::Redaction;
pub use crate::domain::incident::terms::{Answer, NoteKind, Role, Status};

use crate::domain::ids::{Fingerprint, IncidentId, Origin, RunbookId, SloId, SourceName, StepId, TimerId};
use crate::domain::labels::Labels;
use crate::domain::outward::capability::Capability;
use crate::domain::outward::entry::Ending;
use crate::domain::outward::operation::{OpId, Operation};
use crate::domain::severity::Severity;
use crate::domain::slo::settling::Crossing;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The format version that this program writes.
pub const VERSION: u32 = 1;

/// An event's identity: the origin that wrote it and its number there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventKey {
    /// The installation.
    pub origin: Origin,
    /// Counts per origin, from 1, without gaps.
    pub seq: u64,
}

/// The log of policy bands: no incident, and no event declares it.
pub const BUDGET_LOG: &str = "BUDGET";
/// The log of what leaves the house for no incident of ours, a silence for planned work or an acknowledgement of a page
/// that is worth no incident say: no event declares it either.
pub const OUTWARD_LOG: &str = "OUTSIDE";

/// Whether an id is that of a log, and not of an incident.
pub fn is_log(id: &IncidentId) -> bool {
    matches!(id.as_str(), BUDGET_LOG | OUTWARD_LOG)
}

/// A recorded event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its identity.
    pub key: EventKey,
    /// A globally unique id (UUIDv7).
    pub id: String,
    /// To which incident it belongs.
    pub incident: IncidentId,
    /// Logical clock: greater than that of every event its writer had seen. Orders the fold, whatever the wall clock did.
    pub order: u64,
    /// When it happened; a person may back-date it.
    pub at: Timestamp,
    /// When it was recorded; never back-dated.
    pub recorded_at: Timestamp,
    /// Who: a person, or `midwatch`.
    pub actor: String,
    /// What.
    pub body: Body,
    /// SHA-256 (hex) over the event before it of the same origin and this one.
    pub hash: String,
}

impl Event {
    /// Who did or said it: where it was taken in from elsewhere, the one who was named there.
    pub fn who(&self) -> &str {
        match &self.body {
            Body::Imported(import) if !import.who.is_empty() => &import.who,
            Body::RoomMessage { author, .. } if !author.is_empty() => author,
            Body::BackendLogged(line) => line.by.as_deref().unwrap_or(&self.actor),
            _ => &self.actor,
        }
    }

    /// The total order of the fold: the same for every arrival order.
    pub fn rank(&self) -> (u64, &Origin, u64) {
        (self.order, &self.key.origin, self.key.seq)
    }
}

/// An event before it is recorded: the store gives it its identity, order and hash.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// To which incident it belongs.
    pub incident: IncidentId,
    /// When it happened.
    pub at: Timestamp,
    /// When it is being recorded.
    pub recorded_at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub body: Body,
    /// A key under which the incident holds at most one event: two cockpits that see the same timer fall due or the same
    /// alert end record it once.
    pub once: Option<String>,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how", content = "reason")]
pub enum StepEnd {
    /// Done.
    Done,
    /// Left out, and why.
    Skipped(String),
    /// Tried, and what went wrong.
    Failed(String),
    /// Open again.
    Reopened,
}

/// Where in a runbook something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    /// The runbook.
    pub runbook: RunbookId,
    /// The step.
    pub step: StepId,
    /// The step's name as shown.
    pub name: String,
}

/// What an objective cost so far, on the event base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BudgetSample {
    /// The objective.
    pub slo: SloId,
    /// Why it was taken: `declared`, `severity`, `mitigated`, `resolved`, `asked`.
    pub moment: String,
    /// Budget left (share, signed).
    pub remaining: Option<f64>,
    /// Burn rates at 1h and 5m.
    pub burn_1h: Option<f64>,
    /// Burn rate at 5m.
    pub burn_5m: Option<f64>,
    /// Share of the whole budget burned since the incident began.
    pub gross: Option<f64>,
    /// The same without what burned at the rate of before.
    pub net: Option<f64>,
    /// What the shares are of, in words: `the 30d until then`. Older samples do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
}

/// What happened.
#[expect(clippy::large_enum_variant, reason = "events are few, and a box would stand in every pattern")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
pub enum Body {
    /// The incident begins.
    Declared {
        /// A few words.
        title: String,
        /// How bad.
        severity: Severity,
        /// What it hits.
        service: Option<String>,
        /// What noticed it: an alert's name, or a person.
        detected_by: Option<String>,
        /// When it was noticed, where known.
        detected_at: Option<Timestamp>,
    },
    /// Somebody took it.
    Acknowledged,
    /// A role changed hands; `None` is vacant.
    RoleSet {
        /// Which.
        role: Role,
        /// To whom.
        person: Option<String>,
    },
    /// Severity changed.
    SeveritySet {
        /// To what.
        to: Severity,
        /// Why.
        reason: String,
    },
    /// Status changed, or was told again with a message.
    StatusSet {
        /// To what.
        to: Status,
        /// What to tell.
        message: Option<String>,
    },
    /// The pain stopped at the event's `at`.
    Mitigated,
    /// It is over.
    Resolved {
        /// How.
        summary: String,
    },
    /// It is not over.
    Reopened {
        /// Why.
        reason: String,
    },
    /// A line of text.
    Note {
        /// Which sort.
        sort: NoteKind,
        /// The text.
        text: String,
    },
    /// Something to do afterwards.
    ActionItem {
        /// What.
        text: String,
        /// Who.
        owner: Option<String>,
        /// By when, as written.
        due: Option<String>,
        /// What it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        does: Option<ActionType>,
    },
    /// Stakeholders were told.
    Update {
        /// Who was told.
        audience: String,
        /// What.
        text: String,
        /// When they hear again, as promised with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_at: Option<Timestamp>,
    },
    /// Somebody is to do something, or did it.
    Task(TaskEvent),
    /// Something is being decided. What is decided at once is a note.
    Deciding(DecisionEvent),
    /// What is believed of a hypothesis.
    HypothesisJudged {
        /// The note that holds it.
        of: EventKey,
        /// What is believed now.
        belief: Belief,
        /// Why.
        why: String,
    },
    /// A line of the playbook was ticked, or opened again.
    Ticked {
        /// Of which phase.
        phase: Phase,
        /// The line.
        line: String,
        /// It is done.
        done: bool,
    },
    /// Another incident belongs to this one.
    Tied {
        /// Which.
        other: IncidentId,
        /// How.
        bond: Bond,
        /// Why, in words.
        why: String,
    },
    /// Somebody takes part, or has left.
    Presence {
        /// Who.
        person: String,
        /// They take part.
        here: bool,
        /// How it is known.
        how: String,
    },
    /// The text of an earlier event was wrong.
    Corrected {
        /// Which event.
        of: EventKey,
        /// The right text.
        text: String,
    },
    /// An earlier note does not hold; it stays in the record.
    Retracted {
        /// Which event.
        of: EventKey,
        /// Why.
        reason: String,
    },
    /// An alert belongs to the incident.
    AlertLinked {
        /// Its fingerprint.
        fingerprint: Fingerprint,
        /// Its name.
        name: String,
        /// Its labels.
        labels: Labels,
        /// When it began to fire.
        started_at: Timestamp,
    },
    /// A linked alert changed.
    AlertChanged {
        /// Its fingerprint.
        fingerprint: Fingerprint,
        /// Its name.
        name: String,
        /// `firing`, `ended`, `silenced`, `inhibited`, `muted`; `unknown` where its source was exchanged for another one.
        to: String,
    },
    /// What a linked alert tells people says something else now.
    AlertAnnotated {
        /// Its fingerprint.
        fingerprint: Fingerprint,
        /// Its name.
        name: String,
        /// Which annotation: `summary`, `runbook_url`.
        annotation: String,
        /// What it says now; empty where it was taken away. Outside text.
        text: String,
    },
    /// An objective belongs to the incident.
    ObjectiveLinked {
        /// Which.
        slo: SloId,
    },
    /// What an objective cost.
    BudgetSampled(BudgetSample),
    /// An objective went into another band of the error-budget policy.
    BandCrossed(Crossing),
    /// A runbook was opened for the incident.
    RunbookOpened {
        /// Which.
        runbook: RunbookId,
        /// Its name.
        name: String,
        /// How many steps it has.
        steps: usize,
        /// SHA-256 (hex) of its file.
        sha256: String,
    },
    /// A step ended, or was opened again.
    StepEnded {
        /// Which.
        place: At,
        /// How.
        end: StepEnd,
    },
    /// A check was answered.
    CheckAnswered {
        /// Of which step.
        place: At,
        /// Which of its checks, from 0.
        check: usize,
        /// The question.
        question: String,
        /// The answer.
        answer: Answer,
    },
    /// An option was chosen.
    OptionChosen {
        /// Of which step.
        place: At,
        /// Which of its options, from 0.
        option: usize,
        /// Its words.
        action: String,
    },
    /// A command was started.
    CommandStarted(CommandStart),
    /// A command ended.
    CommandFinished(CommandFinish),
    /// A value was given for commands of a runbook; a secret one is not recorded.
    InputGiven {
        /// Of which runbook.
        runbook: RunbookId,
        /// Its name.
        name: String,
        /// What it is; `None` is secret.
        value: Option<String>,
    },
    /// A command's output gave a value.
    ValueCaptured {
        /// Of which runbook.
        runbook: RunbookId,
        /// Its name.
        name: String,
        /// What it is.
        value: String,
    },
    /// Where we are was checked before something is changed.
    GuardChecked {
        /// Of which runbook.
        runbook: RunbookId,
        /// It is where the runbook wants to be.
        ok: bool,
        /// What was found, in words.
        found: String,
    },
    /// A change did its work: it is in force until it is rolled back.
    ChangeApplied {
        /// The run of its command.
        run: String,
        /// What, in words.
        action: String,
    },
    /// A change was taken back.
    RolledBack {
        /// The run of the command that changed.
        run: String,
        /// The run of the command that took it back.
        by: String,
        /// What, in words.
        action: String,
    },
    /// Whether a change helps is being watched.
    VerifyStarted(VerifyPlan),
    /// What must hold has held for its time.
    VerifyHeld {
        /// The run of the change.
        run: String,
        /// Since when it held.
        since: Timestamp,
        /// What, in words.
        what: String,
    },
    /// What must hold did not within its time.
    VerifyFailed {
        /// The run of the change.
        run: String,
        /// What was seen last, in words.
        why: String,
    },
    /// A second person is asked before something runs.
    ApprovalAsked(ApprovalRequest),
    /// A second person approved.
    ApprovalGiven {
        /// Which request.
        id: String,
        /// Who, as typed on the asking cockpit; `None` is the actor of this event, at a cockpit of their own.
        witness: Option<String>,
    },
    /// A timer fell due.
    TimerDue {
        /// Which.
        timer: TimerId,
        /// What it waits for, in words.
        label: String,
    },
    /// A timer was put off.
    TimerSnoozed {
        /// Which.
        timer: TimerId,
        /// Until when.
        until: Timestamp,
        /// Why.
        reason: String,
    },
    /// A timer is not needed.
    TimerDismissed {
        /// Which.
        timer: TimerId,
        /// Why.
        reason: String,
    },
    /// A person acted on a timer: the contact was told.
    Escalated {
        /// Which.
        timer: TimerId,
        /// Who was told.
        contact: String,
    },
    /// Something about the cockpit itself: `resumed`, `asleep`, `clock moved`, `terminal lost`.
    Cockpit {
        /// What.
        what: String,
        /// More.
        detail: String,
    },
    /// A postmortem draft was written.
    DraftWritten {
        /// Where.
        path: String,
    },
    /// Something is to leave the house. The record gives the operation the id of this event, and puts it into the outbox
    /// in the same transaction.
    Outgoing(Box<Operation>),
    /// What became of it.
    OutgoingOutcome {
        /// Which operation.
        op: OpId,
        /// To which target.
        target: SourceName,
        /// What it was for.
        capability: Capability,
        /// What it was, in words.
        words: String,
        /// How it ended.
        end: Ending,
    },
    /// Something said or done elsewhere, taken in from there.
    Imported(Import),
    /// An entry got a mark, or lost it.
    Marked {
        /// Which event.
        of: EventKey,
        /// Which mark.
        mark: Mark,
        /// It got it.
        on: bool,
    },
    /// The text of an earlier event was taken out of the record.
    Redacted(Redaction),
    /// An incident of a paging product belongs to this one.
    BackendLinked(Box<BackendLink>),
    /// It does not belong to it any more.
    BackendUnlinked {
        /// Of which target.
        target: SourceName,
        /// Its id there.
        page: String,
        /// Why.
        reason: String,
    },
    /// A line of its log there; recorded once, by its id there.
    BackendLogged(Box<BackendLine>),
    /// Somebody wrote in the incident's room, or pinned what was written.
    RoomMessage {
        /// In which chat.
        target: SourceName,
        /// The message's id there.
        message: String,
        /// Who wrote it, as the chat says; outside text.
        author: String,
        /// What; outside text.
        text: String,
        /// It is pinned.
        pinned: bool,
    },
    /// A kind that a newer program wrote; kept as it is.
    #[serde(untagged)]
    Unknown(Value),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_survive_json_and_unknown_kinds_are_kept() {
        let note = Body::Note { sort: NoteKind::Note, text: "db pool saturated".into() };
        let json = serde_json::to_string(&note).unwrap();
        assert_eq!(json, r#"{"kind":"note","data":{"sort":"note","text":"db pool saturated"}}"#);
        assert_eq!(serde_json::from_str::<Body>(&json).unwrap(), note);
        assert_eq!(serde_json::from_str::<Body>(r#"{"kind":"acknowledged"}"#).unwrap(), Body::Acknowledged);
        let newer = r#"{"kind":"teleported","data":{"to":"Mars"}}"#;
        let body: Body = serde_json::from_str(newer).unwrap();
        assert!(matches!(body, Body::Unknown(_)));
        assert_eq!(
            serde_json::to_string(&body).unwrap(),
            newer.replace(
                "{\"kind\":\"teleported\",\"data\":{\"to\":\"Mars\"}}",
                r#"{"data":{"to":"Mars"},"kind":"teleported"}"#
            )
        );
    }
}
