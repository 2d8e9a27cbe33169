//! A runbook as values. Knows no file format and judges nothing.

use crate::domain::document::Mark;
use crate::domain::ids::{RunbookId, StepId};
use crate::domain::labels::Matcher;
use crate::domain::severity::Severity;
use crate::domain::time::{Span, mins};
use chrono::NaiveDate;

/// How long a command may run when its runbook does not say.
pub const DEFAULT_TIMEOUT: Span = Span::minutes(1);

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
    /// Where to look.
    pub links: Vec<Link>,
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
    /// What can be run.
    pub commands: Vec<RunCommand>,
    /// Lines of `commands` that are sentences. They are shown and never run.
    pub prose: Vec<String>,
    /// What to find out.
    pub checks: Vec<Check>,
    /// What may be done, to choose from.
    pub options: Vec<Choice>,
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

    /// Whether there is nothing in it but its name and its words.
    pub fn is_bare(&self) -> bool {
        self.commands.is_empty()
            && self.prose.is_empty()
            && self.checks.is_empty()
            && self.options.is_empty()
            && self.links.is_empty()
            && self.todos.is_empty()
    }
}

/// A question to answer with yes, no or unsure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The question, with its question mark.
    pub question: String,
    /// Where the answer is found.
    pub hint: Option<String>,
}

/// One of several things to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What, in words.
    pub action: String,
    /// How, where it can be run.
    pub command: Option<RunCommand>,
    /// How, where it is a sentence.
    pub prose: Option<String>,
}

/// Something that can be run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunCommand {
    /// Unique in its runbook: `<step>.1`, `<step>.option-1`.
    pub id: String,
    /// As written; for a list, its elements quoted and joined.
    pub text: String,
    /// What runs.
    pub exec: Exec,
    /// What it may do.
    pub risk: Risk,
    /// How long it may take.
    pub timeout: Span,
    /// Where it stands.
    pub mark: Mark,
}

/// What runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exec {
    /// A line for the shell. Values reach it as environment variables, never as text.
    Sh(String),
    /// A program and its arguments, no shell. `${NAME}` is replaced inside an element and never split again.
    Argv(Vec<String>),
}

/// What a command may do to production.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// Looks.
    Read,
    /// Changes what can be changed back.
    Change,
    /// Nobody said; treated as a change and shown as unclassified.
    Unknown,
    /// Removes what cannot be brought back.
    Destroy,
}

impl Risk {
    /// Its word in files and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Change => "change",
            Self::Unknown => "unknown",
            Self::Destroy => "destroy",
        }
    }

    /// Whether it may change something: hidden in read-only mode, confirmed everywhere else.
    pub fn is_dangerous(self) -> bool {
        self != Self::Read
    }
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
