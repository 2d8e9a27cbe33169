//! The kind of an event: its word in the timeline, in filters and in JSON. A word is never renamed.

use crate::domain::incident::event::Body;

impl Body {
    /// Its kind in JSON and in the timeline.
    pub fn kind(&self) -> &str {
        match self {
            Self::Declared { .. } => "declared",
            Self::Acknowledged => "acknowledged",
            Self::RoleSet { .. } => "role",
            Self::SeveritySet { .. } => "severity",
            Self::StatusSet { .. } => "status",
            Self::Mitigated => "mitigated",
            Self::Resolved { .. } => "resolved",
            Self::Reopened { .. } => "reopened",
            Self::Note { sort, .. } => sort.word(),
            Self::ActionItem { .. } => "action",
            Self::Update { .. } => "update",
            Self::Task(_) => "task",
            Self::Deciding(_) => "decision",
            Self::HypothesisJudged { .. } => "hypothesis",
            Self::Ticked { .. } => "checklist",
            Self::Tied { .. } => "link",
            Self::Presence { .. } => "people",
            Self::Corrected { .. } => "correction",
            Self::Retracted { .. } => "retraction",
            Self::AlertLinked { .. } | Self::AlertChanged { .. } | Self::AlertAnnotated { .. } => "alert",
            Self::ObjectiveLinked { .. } => "objective",
            Self::BudgetSampled(_) => "budget",
            Self::BandCrossed(_) => "policy",
            Self::RunbookOpened { .. } => "runbook",
            Self::StepEnded { .. } => "step",
            Self::CheckAnswered { .. } => "check",
            Self::OptionChosen { .. } => "option",
            Self::CommandStarted(_) | Self::CommandFinished(_) => "command",
            Self::InputGiven { .. } | Self::ValueCaptured { .. } => "value",
            Self::GuardChecked { .. } => "guard",
            Self::ChangeApplied { .. } => "change",
            Self::RolledBack { .. } => "rollback",
            Self::VerifyStarted(_) | Self::VerifyHeld { .. } | Self::VerifyFailed { .. } => "verify",
            Self::ApprovalAsked(_) | Self::ApprovalGiven { .. } => "approval",
            Self::TimerDue { .. } | Self::TimerSnoozed { .. } | Self::TimerDismissed { .. } => "timer",
            Self::Escalated { .. } => "escalated",
            Self::Cockpit { .. } => "cockpit",
            Self::DraftWritten { .. } => "draft",
            Self::Outgoing(_) => "outgoing",
            Self::OutgoingOutcome { .. } => "outcome",
            Self::BackendLinked(_) | Self::BackendUnlinked { .. } | Self::BackendLogged(_) => "backend",
            Self::Imported(import) => import.act.word(),
            Self::Marked { mark, .. } => mark.word(),
            Self::Redacted(_) => "redaction",
            Self::RoomMessage { .. } => "room",
            Self::Unknown(_) => "unknown",
        }
    }
}
