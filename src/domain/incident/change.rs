//! What commands did to production in an incident: changes with how they are taken back, whether they helped, and who
//! approved them. Derived from events alone, so that a restart and another cockpit see the same list.

use crate::domain::incident::decide::Refusal;
use crate::domain::incident::event::{At, Body, CommandFinish, CommandStart, Event};
use crate::domain::incident::state::Incident;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How long an approval is asked for, and how long it holds: ten minutes from the asking.
pub const APPROVAL_MINUTES: i64 = 10;

/// What a command changes, as it was confirmed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChangePlan {
    /// What, in words.
    pub action: String,
    /// How it is taken back.
    pub rollback: RollbackPlan,
    /// The command takes back the change of this run; it is none by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
}

/// How a change is taken back, settled before it is made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how", content = "data")]
pub enum RollbackPlan {
    /// Nobody said.
    #[default]
    Unstated,
    /// Not at all, and why.
    None(String),
    /// It could not be settled, and why.
    Unready(String),
    /// By this command.
    Command(Box<PlannedCommand>),
}

/// A command that is ready to run later.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedCommand {
    /// Its id in the runbook.
    pub id: String,
    /// The text as it will be shown.
    pub shown: String,
    /// Exactly what will run.
    pub argv: Vec<String>,
    /// Names and values of its variables; secret ones are left out and named in `secret`.
    pub env: Vec<(String, String)>,
    /// Names of secret variables, to be given anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secret: Vec<String>,
    /// Its folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Where else than here it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What it may do.
    pub risk: String,
    /// Time limit in seconds.
    pub timeout_s: u64,
    /// Exit codes that are success.
    pub ok_exit: Vec<i32>,
}

/// What is watched after a change, and for how long.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VerifyPlan {
    /// The run of the change.
    pub run: String,
    /// What must hold, in words.
    pub what: String,
    /// For how long, in seconds.
    pub for_s: u64,
    /// After which it has failed, in seconds.
    pub within_s: u64,
    /// Between two looks, in seconds.
    pub every_s: u64,
}

/// A second person is asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// Names the request.
    pub id: String,
    /// What is to run, as shown.
    pub command: String,
    /// Where it runs.
    pub target: String,
    /// SHA-256 (hex) over what is to run.
    pub sha256: String,
    /// Six letters, bound to command, place, incident and minute: what the second person types.
    pub code: String,
    /// Its id in the runbook.
    pub command_id: String,
}

/// An approval as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// What was asked.
    pub request: ApprovalRequest,
    /// Who asked, and from which installation.
    pub by: (String, String),
    /// When.
    pub at: Timestamp,
    /// Who approved, and whether that is another person at another cockpit.
    pub given: Option<Approver>,
    /// The run that used it up.
    pub used: Option<String>,
}

/// Who approved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approver {
    /// The name.
    pub name: String,
    /// Another user at another installation; otherwise a name that was typed.
    pub verified: bool,
}

impl Approval {
    /// Whether it may still be given or used: nobody waits for it longer than ten minutes, and it is good for one run.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.used.is_none() && now < self.until() && now >= self.at - chrono::TimeDelta::minutes(1)
    }

    /// Whether this person may approve it now; `Err` says why not. Names that differ in their capitals alone are one person.
    pub fn may_be_given(&self, by: &str, now: Timestamp) -> Result<(), Refusal> {
        let own = self.by.0.trim().eq_ignore_ascii_case(by.trim());
        match &self.given {
            Some(by) => Err(Refusal(format!("{} approved it already", by.name))),
            None if self.used.is_some() => Err(Refusal("it is used up".into())),
            None if !self.is_live(now) => {
                Err(Refusal("its ten minutes are over: denied; the command must be asked for again".into()))
            }
            None if own => Err(Refusal(format!(
                "nobody approves what they asked for: {} asked for it, another person's name is needed",
                self.by.0
            ))),
            None => Ok(()),
        }
    }

    /// In one word: `waiting`, `approved`, `used` or `denied`.
    pub fn word(&self, now: Timestamp) -> &'static str {
        match (&self.used, &self.given) {
            (Some(_), _) => "used",
            (None, _) if !self.is_live(now) => "denied",
            (None, Some(_)) => "approved",
            (None, None) => "waiting",
        }
    }

    /// When it is denied by itself.
    pub fn until(&self) -> Timestamp {
        self.at + chrono::TimeDelta::minutes(APPROVAL_MINUTES)
    }
}

/// A change as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The run of its command.
    pub run: String,
    /// Where it belongs.
    pub place: At,
    /// Its id in the runbook.
    pub id: String,
    /// The command as shown.
    pub command: String,
    /// What it changes and how that is taken back.
    pub plan: ChangePlan,
    /// When it was begun.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// Whether it is in force.
    pub state: ChangeState,
    /// Whether it helped.
    pub verify: Option<Verification>,
    /// The last try to take it back that did not succeed.
    pub tried: Option<String>,
}

/// Whether a change is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is", content = "data")]
pub enum ChangeState {
    /// It runs, or nobody knows how it ended: look before anything else.
    Unknown,
    /// It did its work.
    InForce,
    /// It failed: some of it may have happened.
    Failed(String),
    /// It was taken back by this run.
    RolledBack(String),
}

impl Change {
    /// Whether something of it may be in force.
    pub fn stands(&self) -> bool {
        !matches!(self.state, ChangeState::RolledBack(_))
    }

    /// In one word or two, for lists.
    pub fn word(&self) -> String {
        match &self.state {
            ChangeState::Unknown => "unknown".into(),
            ChangeState::InForce => "in force".into(),
            ChangeState::Failed(why) => format!("failed ({why}), may be in force"),
            ChangeState::RolledBack(_) => "rolled back".into(),
        }
    }
}

/// Watching whether a change helps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// What is watched.
    pub plan: VerifyPlan,
    /// Since when.
    pub began: Timestamp,
    /// How it ended.
    pub end: Option<VerifyEnd>,
}

/// How watching ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how", content = "data")]
pub enum VerifyEnd {
    /// It held since then.
    Held(Timestamp),
    /// It did not, and what was seen last.
    Failed(String),
}

impl Incident {
    /// Changes of which something may be in force, the last one first: the order in which they are taken back.
    pub fn in_force(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().rev().filter(|change| change.stands())
    }

    /// A change by the run of its command.
    pub fn change(&self, run: &str) -> Option<&Change> {
        self.changes.iter().find(|change| change.run == run)
    }

    /// The approval of a command that may be used now: exactly this command, given, not expired, not used.
    pub fn approved(&self, sha256: &str, now: Timestamp) -> Option<&Approval> {
        self.approvals.iter().find(|a| a.request.sha256 == sha256 && a.given.is_some() && a.is_live(now))
    }

    /// The request for a command that waits for its second person.
    pub fn waiting(&self, sha256: &str, now: Timestamp) -> Option<&Approval> {
        self.approvals.iter().find(|a| a.request.sha256 == sha256 && a.given.is_none() && a.is_live(now))
    }

    pub(super) fn begun(&mut self, event: &Event, start: &CommandStart) {
        if let Some(approval) =
            start.approval.as_ref().and_then(|id| self.approvals.iter_mut().find(|a| a.request.id == *id))
        {
            approval.used.get_or_insert_with(|| start.run.clone());
        }
        let Some(plan) = start.change.as_deref().filter(|plan| plan.undoes.is_none()) else { return };
        if self.changes.iter().any(|c| c.run == start.run) {
            return;
        }
        self.changes.push(Change {
            run: start.run.clone(),
            place: start.place.clone(),
            id: start.id.clone(),
            command: start.command.clone(),
            plan: plan.clone(),
            at: event.at,
            actor: event.actor.clone(),
            state: ChangeState::Unknown,
            verify: None,
            tried: None,
        });
    }

    pub(super) fn ended(&mut self, finish: &CommandFinish) {
        let start = self.commands.iter().rev().find(|run| run.start.run == finish.run).map(|run| &run.start);
        let undoes = start.and_then(|s| s.change.as_ref()).and_then(|c| c.undoes.clone());
        if finish.never {
            self.changes.retain(|change| change.run != finish.run || change.state != ChangeState::Unknown);
        }
        let how = match (finish.exit, &finish.reason) {
            (Some(code), _) => format!("exit {code}"),
            (None, reason) => reason.clone().unwrap_or_else(|| "result unknown".into()),
        };
        if let Some(change) = undoes.and_then(|run| self.changes.iter_mut().find(|c| c.run == run)) {
            change.tried = (finish.ok != Some(true)).then(|| how.clone());
        }
        if let Some(change) = self.changes.iter_mut().find(|c| c.run == finish.run)
            && change.state == ChangeState::Unknown
            && finish.ok == Some(false)
        {
            change.state = ChangeState::Failed(how);
        }
    }

    pub(super) fn apply_change(&mut self, event: &Event) {
        let of = |run: &str, changes: &mut Vec<Change>| changes.iter().position(|c| c.run == run);
        match &event.body {
            Body::ChangeApplied { run, .. } => {
                if let Some(change) = of(run, &mut self.changes).and_then(|i| self.changes.get_mut(i))
                    && !matches!(change.state, ChangeState::RolledBack(_))
                {
                    change.state = ChangeState::InForce;
                }
            }
            Body::RolledBack { run, by, .. } => {
                if let Some(change) = of(run, &mut self.changes).and_then(|i| self.changes.get_mut(i)) {
                    change.state = ChangeState::RolledBack(by.clone());
                    change.tried = None;
                }
            }
            Body::VerifyStarted(plan) => {
                if let Some(change) = of(&plan.run, &mut self.changes).and_then(|i| self.changes.get_mut(i)) {
                    change.verify = Some(Verification { plan: plan.clone(), began: event.at, end: None });
                }
            }
            Body::VerifyHeld { run, since, .. } => self.verified(run, VerifyEnd::Held(*since)),
            Body::VerifyFailed { run, why } => self.verified(run, VerifyEnd::Failed(why.clone())),
            Body::ApprovalAsked(request) if !self.approvals.iter().any(|a| a.request.id == request.id) => {
                self.approvals.push(Approval {
                    request: request.clone(),
                    by: (event.actor.clone(), event.key.origin.0.clone()),
                    at: event.at,
                    given: None,
                    used: None,
                });
            }
            Body::ApprovalGiven { id, witness } => {
                let Some(approval) = self.approvals.iter_mut().find(|a| a.request.id == *id) else { return };
                let name = witness.clone().unwrap_or_else(|| event.actor.clone());
                // Nobody approves what they asked for, under whatever name.
                let own = name == approval.by.0 || (witness.is_none() && event.actor == approval.by.0);
                let late = event.recorded_at >= approval.until() || approval.used.is_some();
                if own || late || approval.given.is_some() {
                    return;
                }
                let elsewhere = event.key.origin.0 != approval.by.1 && event.key.origin.0 != "~";
                approval.given = Some(Approver { name, verified: witness.is_none() && elsewhere });
            }
            _ => {}
        }
    }

    fn verified(&mut self, run: &str, end: VerifyEnd) {
        if let Some(verify) = self.changes.iter_mut().find(|c| c.run == run).and_then(|c| c.verify.as_mut()) {
            verify.end.get_or_insert(end);
        }
    }
}
