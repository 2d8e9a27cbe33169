//! What people decided about timers: recorded as due, put off, not needed, told. The timers themselves are derived elsewhere.

use crate::domain::incident::event::{Body, Event};
use crate::domain::incident::state::Incident;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What was decided about a timer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Default)]
pub struct TimerMark {
    /// When it was recorded as due.
    pub due: Option<Timestamp>,
    /// Until when it is put off.
    pub snoozed: Option<Timestamp>,
    /// Not needed, and why.
    pub dismissed: Option<String>,
    /// Who was told.
    pub escalated: Option<String>,
}

impl Incident {
    pub(super) fn apply_timer(&mut self, event: &Event) {
        match &event.body {
            Body::TimerDue { timer, .. } => {
                let mark = self.timers.entry(timer.clone()).or_default();
                mark.due = Some(mark.due.map_or(event.at, |d| d.max(event.at)));
            }
            Body::TimerSnoozed { timer, until, .. } => {
                let mark = self.timers.entry(timer.clone()).or_default();
                mark.snoozed = Some(*until);
                mark.due = None;
            }
            Body::TimerDismissed { timer, reason } => {
                self.timers.entry(timer.clone()).or_default().dismissed = Some(reason.clone());
            }
            Body::Escalated { timer, contact } => {
                self.timers.entry(timer.clone()).or_default().escalated = Some(contact.clone());
            }
            _ => {}
        }
    }
}
