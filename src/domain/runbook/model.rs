//! A runbook as values: its head, its steps, its escalation. `model/command.rs` has what can be run, `model/input.rs` where
//! values come from, `model/flow.rs` which way a walk takes, `model/mutation.rs` what guards a change. Knows no file format
//! and judges nothing.

pub mod command;
pub mod flow;
pub mod input;
pub mod mutation;

pub use command::{Capture, DEFAULT_TIMEOUT, Exec, Retry, Risk, RunCommand, Target};
pub use flow::{Choose, Compare, Go, OnFail, Op, Operand, Suggest, When};
pub use input::{Input, InputFrom};
pub use mutation::{Condition, Expect, Mutation, Part, Probe, Rollback, Verify};

use crate::domain::document::Mark;
use crate::domain::ids::{RunbookId, StepId};
use crate::domain::labels::Matcher;
use crate::domain::severity::Severity;
use crate::domain::time::{Span, mins};
use chrono::NaiveDate;

/// What a runbook was written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// The plain form without `apiVersion`: nothing in it says what it may do.
    #[default]
    Seed,
    /// `apiVersion: midwatch/v1`.
    V1,
    /// A page of prose. None of its commands runs; they can be copied.
    Markdown,
}

impl Dialect {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::V1 => "midwatch/v1",
            Self::Markdown => "markdown",
        }
    }
}

/// A runbook. Texts are raw outside text.
#[derive(Clone, Debug, PartialEq)]
pub struct Runbook {
    /// Its `id`, else a slug of its file stem.
    pub id: RunbookId,
    /// Its title.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// The severity it suggests at declaration.
    pub severity: Option<Severity>,
    /// Who keeps it right.
    pub owner: Option<String>,
    /// When somebody last read it against reality.
    pub reviewed: Option<NaiveDate>,
    /// How long a review holds.
    pub review_every: Span,
    /// Alerts it answers.
    pub triggers: Vec<Trigger>,
    /// What it was written in.
    pub dialect: Dialect,
    /// Where to look.
    pub links: Vec<Link>,
    /// Values that its commands use, in the order of the file.
    pub inputs: Vec<Input>,
    /// What must hold before anything is changed.
    pub guards: Vec<Probe>,
    /// Where commands may run, by name; `local` is always there and never listed.
    pub targets: Vec<(String, Target)>,
    /// The folder that commands run in, as written: relative to the runbook's own folder.
    pub cwd: Option<String>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// Whom to call, and when.
    pub escalation: Vec<Rung>,
    /// The file as it was named.
    pub path: String,
    /// SHA-256 (hex) of the file's text.
    pub sha256: String,
}

impl Runbook {
    /// A step by its id.
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == *id)
    }

    /// Every command with its step: those of `commands`, then those of the options.
    pub fn commands(&self) -> impl Iterator<Item = (&Step, &RunCommand)> {
        self.steps.iter().flat_map(|step| step.all_commands().map(move |command| (step, command)))
    }

    /// Everything that could ever run: guards first, then each step's commands with what belongs to them.
    pub fn parts(&self) -> impl Iterator<Item = (Part, &RunCommand)> {
        let guards = self.guards.iter().map(|probe| (Part::Guard, &probe.command));
        guards.chain(self.steps.iter().flat_map(Step::parts))
    }

    /// Whether its commands may run at all; those of a page of prose are copied by hand.
    pub fn is_runnable(&self) -> bool {
        self.dialect != Dialect::Markdown
    }

    /// Where a command runs. `None` for a name that the runbook does not declare: nothing may run there.
    pub fn target(&self, command: &RunCommand) -> Option<&Target> {
        match command.target.as_deref() {
            None | Some("local") => Some(&Target::Local),
            Some(name) => self.targets.iter().find(|(own, _)| own == name).map(|(_, target)| target),
        }
    }

    /// A value that it declares, by name.
    pub fn input(&self, name: &str) -> Option<&Input> {
        self.inputs.iter().find(|input| input.name == name)
    }

    /// Ids of the runbooks that its steps include.
    pub fn includes(&self) -> impl Iterator<Item = (&Step, &RunbookId)> {
        self.steps.iter().filter_map(|step| Some((step, step.include.as_ref()?)))
    }
}

/// An alert that a runbook answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// The alert's name.
    pub alert: String,
    /// All must hold for the alert's labels.
    pub matchers: Vec<Matcher>,
    /// The condition as written; for reading only, it is never evaluated as a rule.
    pub expr: Option<String>,
    /// How long the condition must hold, as written in the rule.
    pub for_: Option<Span>,
    /// Where it stands.
    pub mark: Mark,
}

/// A place to look.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Its words; the address when it has none.
    pub title: String,
    /// Its address.
    pub url: String,
    /// Where it stands.
    pub mark: Mark,
}

/// The part of an incident that a step belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Take it.
    Acknowledge,
    /// Find out.
    Diagnose,
    /// Stop the pain.
    Mitigate,
    /// See whether it holds.
    Verify,
    /// Tell others.
    Communicate,
    /// Afterwards.
    Followup,
}

impl Phase {
    /// All of them, in their usual order.
    pub const ALL: [Self; 6] =
        [Self::Acknowledge, Self::Diagnose, Self::Mitigate, Self::Verify, Self::Communicate, Self::Followup];

    /// Its word in files and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Diagnose => "diagnose",
            Self::Mitigate => "mitigate",
            Self::Verify => "verify",
            Self::Communicate => "communicate",
            Self::Followup => "followup",
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Unique in its runbook.
    pub id: StepId,
    /// Its title.
    pub name: String,
    /// What to do, in words; may be empty.
    pub say: String,
    /// What it belongs to, where the file says so.
    pub phase: Option<Phase>,
    /// When it is walked; always where it does not say.
    pub when: Option<When>,
    /// What can be run.
    pub commands: Vec<RunCommand>,
    /// Its reads may run side by side.
    pub parallel: bool,
    /// What follows a command that failed.
    pub on_fail: OnFail,
    /// Lines of `commands` that are sentences. They are shown and never run.
    pub prose: Vec<String>,
    /// What to find out.
    pub checks: Vec<Check>,
    /// What may be done, to choose from.
    pub options: Vec<Choice>,
    /// How many of the options may be taken.
    pub choose: Choose,
    /// Another runbook whose steps are walked here.
    pub include: Option<RunbookId>,
    /// Where the walk goes when the step is done, where no answer says otherwise.
    pub go: Go,
    /// Its dangerous commands need a second person.
    pub approval: bool,
    /// Where to look.
    pub links: Vec<Link>,
    /// What is to be done by hand.
    pub todos: Vec<String>,
    /// Where it stands.
    pub mark: Mark,
}

impl Step {
    /// Its commands, then those of its options.
    pub fn all_commands(&self) -> impl Iterator<Item = &RunCommand> {
        self.commands.iter().chain(self.options.iter().filter_map(|option| option.command.as_ref()))
    }

    /// Its commands and those of its options, each followed by what belongs to it, in the order in which they would run.
    pub fn parts(&self) -> impl Iterator<Item = (Part, &RunCommand)> {
        let own = self.commands.iter().flat_map(|c| mutation::around(Some(c), c.mutation.as_deref()));
        own.chain(self.options.iter().flat_map(|o| mutation::around(o.command.as_ref(), Some(&o.mutation))))
    }

    /// What guards a command of this step, by the command's id.
    pub fn mutation(&self, command: &str) -> Option<&Mutation> {
        let option = self.options.iter().find(|o| o.command.as_ref().is_some_and(|c| c.id == command));
        let own = || self.commands.iter().find(|c| c.id == command);
        option.map(|o| &o.mutation).or_else(|| own()?.mutation.as_deref())
    }

    /// Whether there is nothing in it but its name and its words.
    pub fn is_bare(&self) -> bool {
        self.commands.is_empty()
            && self.prose.is_empty()
            && self.checks.is_empty()
            && self.options.is_empty()
            && self.links.is_empty()
            && self.todos.is_empty()
            && self.include.is_none()
    }
}

/// A question to answer with yes, no or unsure.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The question, with its question mark.
    pub question: String,
    /// Where the answer is found.
    pub hint: Option<String>,
    /// A measurement that suggests an answer. It never answers.
    pub suggest: Option<Suggest>,
    /// Where the walk goes after a yes.
    pub if_yes: Go,
    /// After a no.
    pub if_no: Go,
    /// After an unsure.
    pub if_unsure: Go,
    /// Where it stands.
    pub mark: Mark,
}

/// One of several things to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Unique in its step; `option-1` where the file gives none.
    pub id: String,
    /// What, in words.
    pub action: String,
    /// How, where it can be run.
    pub command: Option<RunCommand>,
    /// How, where it is a sentence.
    pub prose: Option<String>,
    /// What guards it.
    pub mutation: Mutation,
    /// Where it stands.
    pub mark: Mark,
}

/// What an escalation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clock {
    /// From the declaration until somebody acknowledges.
    Unacked,
    /// From the earlier of declaration and acknowledgement until the pain stops.
    Unmitigated,
    /// From the declaration until it is over.
    Open,
}

impl Clock {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Unacked, Self::Unmitigated, Self::Open];

    /// Its word in files and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unacked => "unacked",
            Self::Unmitigated => "unmitigated",
            Self::Open => "open",
        }
    }
}

/// Whom to call when something lasts.
#[derive(Clone, Debug, PartialEq)]
pub struct Rung {
    /// How long after its clock began.
    pub after: Span,
    /// Whom.
    pub contact: String,
    /// What it waits for.
    pub clock: Clock,
    /// The file does not name a clock; `unmitigated` is assumed.
    pub assumed: bool,
    /// Where it stands.
    pub mark: Mark,
}

/// How long a review holds when the runbook does not say: half a year.
pub fn default_review() -> Span {
    mins(180 * 24 * 60)
}
