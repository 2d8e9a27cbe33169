//! What the players of a drill did, out of what they recorded. Counts the time at which something was recorded: what is
//! back-dated earns nothing. What personas say and what the program writes by itself is nobody's act.

use crate::domain::drill::scenario::Milestone;
use crate::domain::drill::stage::told::Happened;
use crate::domain::incident::command::CommandStart;
use crate::domain::incident::event::{Body, Event, NoteKind, Role, Status, StepEnd};
use crate::domain::outward::capability::Capability;
use crate::domain::runbook::model::Risk;
use crate::domain::time::Timestamp;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Behind the name of somebody whom the drill plays.
pub const PERSONA: &str = " (drill)";

/// A command that was run.
#[derive(Clone, Debug, PartialEq)]
pub struct Ran {
    /// When it began.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// As it was shown.
    pub command: String,
    /// What it is called.
    pub action: String,
    /// What it may do.
    pub risk: Risk,
    /// The scenario has an answer for it.
    pub matched: bool,
}

/// Something that was done and worked.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// When it ended.
    pub at: Timestamp,
    /// What it is called.
    pub action: String,
    /// By whom.
    pub actor: String,
}

/// A step that was ended.
#[derive(Clone, Debug, PartialEq)]
pub struct StepEnded {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// Of which runbook.
    pub runbook: String,
    /// Which.
    pub step: String,
    /// Its name.
    pub name: String,
    /// How.
    pub end: StepEnd,
}

/// What the players did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    reached: BTreeMap<Milestone, Timestamp>,
    severities: Vec<(Timestamp, String)>,
    steps: Vec<StepEnded>,
    ran: Vec<Ran>,
    done: Vec<Done>,
    started: BTreeMap<String, (String, CommandStart)>,
    runbooks: BTreeSet<String>,
    people: BTreeSet<String>,
}

impl Facts {
    /// When a milestone was reached first.
    pub fn reached(&self, milestone: Milestone) -> Option<Timestamp> {
        self.reached.get(&milestone).copied()
    }

    /// When an incident first had a severity.
    pub fn severity(&self, severity: &str) -> Option<Timestamp> {
        self.severities.iter().find(|(_, s)| s.eq_ignore_ascii_case(severity)).map(|(at, _)| *at)
    }

    /// The severity that was set last.
    pub fn severity_now(&self) -> Option<&String> {
        self.severities.last().map(|(_, severity)| severity)
    }

    /// When something was done first.
    pub fn done(&self, action: &str) -> Option<&Done> {
        self.done.iter().find(|done| done.action == action)
    }

    /// When a step was ended as done first; `STEP` or `RUNBOOK/STEP`.
    pub fn step_done(&self, step: &str) -> Option<Timestamp> {
        let fits = |s: &&StepEnded| s.step == step || format!("{}/{}", s.runbook, s.step) == step;
        self.steps.iter().filter(fits).find(|s| s.end == StepEnd::Done).map(|s| s.at)
    }

    /// Steps as they stand: how each was ended last.
    pub fn steps(&self) -> Vec<&StepEnded> {
        let mut last: BTreeMap<(&str, &str), &StepEnded> = BTreeMap::new();
        for step in &self.steps {
            last.insert((&step.runbook, &step.step), step);
        }
        last.into_values().filter(|s| s.end != StepEnd::Reopened).collect()
    }

    /// Commands in the order in which they began.
    pub fn commands(&self) -> &[Ran] {
        &self.ran
    }

    /// Runbooks that were opened.
    pub fn runbooks(&self) -> impl Iterator<Item = &str> {
        self.runbooks.iter().map(String::as_str)
    }

    /// Who acted.
    pub fn people(&self) -> impl Iterator<Item = &str> {
        self.people.iter().map(String::as_str)
    }

    pub(super) fn expect_command(&mut self, actor: &str, start: &CommandStart) {
        self.started.insert(start.run.clone(), (actor.to_owned(), start.clone()));
    }

    pub(super) fn started(&self, run: &str) -> Option<&(String, CommandStart)> {
        self.started.get(run)
    }

    pub(super) fn ran(&mut self, ran: Ran) {
        self.ran.push(ran);
    }

    pub(super) fn act(&mut self, at: Timestamp, action: &str, actor: &str) {
        self.done.push(Done { at, action: action.to_owned(), actor: actor.to_owned() });
    }

    /// Takes in an event; what is worth a line of the log is given back.
    pub(super) fn take(&mut self, event: &Event) -> Option<Happened> {
        if event.actor.ends_with(PERSONA) {
            return None;
        }
        if event.actor != "midwatch" {
            self.people.insert(event.actor.clone());
        }
        let at = event.recorded_at;
        if let Body::CommandStarted(start) = &event.body {
            self.expect_command(&event.actor, start);
        }
        if let Body::StepEnded { place, end } = &event.body {
            self.steps.push(StepEnded {
                at,
                actor: event.actor.clone(),
                runbook: place.runbook.to_string(),
                step: place.step.to_string(),
                name: place.name.clone(),
                end: end.clone(),
            });
        }
        if let Body::RunbookOpened { runbook, .. } = &event.body {
            self.runbooks.insert(runbook.to_string());
        }
        if let Body::Declared { severity, .. } | Body::SeveritySet { to: severity, .. } = &event.body {
            self.severities.push((at, severity.0.clone()));
        }
        let mut first = None;
        for milestone in milestones(&event.body) {
            if let Entry::Vacant(empty) = self.reached.entry(milestone) {
                empty.insert(at);
                first.get_or_insert(milestone);
            }
        }
        first.map(|milestone| Happened::Reached { milestone, actor: event.actor.clone() })
    }
}

fn milestones(body: &Body) -> Vec<Milestone> {
    match body {
        Body::Declared { .. } => vec![Milestone::Declared],
        Body::Acknowledged => vec![Milestone::Acknowledged],
        Body::RoleSet { role: Role::Commander, person: Some(_) } => vec![Milestone::Commanded],
        Body::StatusSet { to, message } => {
            let mut all = Vec::new();
            if *to == Status::Monitoring {
                all.push(Milestone::Mitigated);
            }
            if message.is_some() {
                all.push(Milestone::Updated);
            }
            all
        }
        Body::Update { .. } => vec![Milestone::Updated],
        Body::Outgoing(op) if matches!(op.intent.capability(), Capability::Trigger | Capability::Declare) => {
            vec![Milestone::Woken]
        }
        Body::RunbookOpened { .. } => vec![Milestone::Opened],
        Body::Note { sort, .. } => match sort {
            NoteKind::Hypothesis => vec![Milestone::Hypothesis, Milestone::Noted],
            NoteKind::Decision => vec![Milestone::Decision, Milestone::Noted],
            NoteKind::Note | NoteKind::Finding => vec![Milestone::Noted],
        },
        Body::Mitigated => vec![Milestone::Mitigated],
        Body::Resolved { .. } => vec![Milestone::Resolved],
        _ => Vec::new(),
    }
}
