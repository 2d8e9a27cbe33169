//! What commands changed in production, whether it helped, and what of it nobody took back: the list that has to be gone
//! through after an incident. An end that the record does not hold is unknown, never good.

use crate::domain::incident::change::{Change, ChangeState, RollbackPlan, VerifyEnd};
use crate::domain::incident::command::CommandStart;
use crate::domain::incident::event::{Body, Event};
use crate::domain::incident::state::Incident;
use crate::domain::postmortem::entry::dated;
use crate::domain::postmortem::escape::{code, field};
use serde::Serialize;

/// A change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangeLine {
    /// What, in the runbook's words.
    pub what: String,
    /// Its command as code.
    pub command: String,
    /// Where and as whom it ran.
    pub target: String,
    /// When it was begun (UTC).
    pub at: String,
    /// By whom.
    pub actor: String,
    /// The second person; null where nobody approved it.
    pub approved_by: Option<String>,
    /// Whether it helped: `held from …`, `did not hold: …`, `not watched`, `unknown (…)`.
    pub verified: String,
    /// Whether it was taken back: `at … by …`, or `no` and why.
    pub rolled_back: String,
    /// Something of it may be in force.
    pub stands: bool,
    /// `in force`, `rolled back`, `unknown (…)`, `failed (…), may be in force`.
    pub state: String,
}

/// Every change in the order in which they were begun.
pub fn changes(incident: &Incident, log: &[&Event]) -> Vec<ChangeLine> {
    incident.changes.iter().map(|change| line(incident, log, change)).collect()
}

fn line(incident: &Incident, log: &[&Event], change: &Change) -> ChangeLine {
    let start = incident.commands.iter().map(|run| &run.start).find(|start| start.run == change.run);
    let used = |run: &Option<String>| run.as_deref() == Some(&*change.run);
    let approver = incident.approvals.iter().find(|a| used(&a.used)).and_then(|a| a.given.as_ref());
    ChangeLine {
        what: field(&change.plan.action),
        command: code(&change.command),
        target: start.map_or_else(|| "unknown (no start recorded)".to_owned(), place),
        at: dated(change.at),
        actor: field(&change.actor),
        approved_by: approver.map(|by| {
            let name = field(&by.name);
            if by.verified { name } else { format!("{name} (unverified)") }
        }),
        verified: verified(change),
        rolled_back: rolled_back(change, log),
        stands: change.stands(),
        state: match &change.state {
            ChangeState::Unknown => "unknown (no end recorded)".to_owned(),
            _ => field(&change.word()),
        },
    }
}

fn place(start: &CommandStart) -> String {
    match &start.target {
        Some(target) => field(&format!("{target}, from {}", start.host)),
        None => field(&format!("{} as {}", start.host, start.user)),
    }
}

fn verified(change: &Change) -> String {
    let Some(verify) = &change.verify else { return "not watched".to_owned() };
    let what = &verify.plan.what;
    match &verify.end {
        Some(VerifyEnd::Held(since)) => format!("held from {}: {}", dated(*since), field(what)),
        Some(VerifyEnd::Failed(why)) => format!("did not hold ({}): {}", field(why), field(what)),
        None => format!("unknown (watching has no recorded end): {}", field(what)),
    }
}

fn rolled_back(change: &Change, log: &[&Event]) -> String {
    let tried = |text: &str| match &change.tried {
        Some(how) => format!("{text}; the last try ended with {}", field(how)),
        None => text.to_owned(),
    };
    match (&change.state, &change.plan.rollback) {
        (ChangeState::RolledBack(_), _) => {
            let of = |event: &&&Event| matches!(&event.body, Body::RolledBack { run, .. } if *run == change.run);
            match log.iter().rev().find(of) {
                Some(event) => format!("at {} by {}", dated(event.at), field(&event.actor)),
                None => "yes, unknown when".to_owned(),
            }
        }
        (_, RollbackPlan::None(why)) => tried(&format!("no, there is no way back: {}", field(why))),
        (_, RollbackPlan::Unready(why)) => tried(&format!("no, the way back was not ready: {}", field(why))),
        (_, RollbackPlan::Unstated) => tried("no, and the runbook does not say how"),
        (_, RollbackPlan::Command(plan)) => tried(&format!("no; the way back is {}", code(&plan.shown))),
    }
}
