//! What stands around a change: what is looked at before, tried dry, proved after, and how it is taken back. Values only;
//! whether a runbook has enough of them is for [`crate::domain::runbook::lint`].

use crate::domain::document::Mark;
use crate::domain::ids::SloId;
use crate::domain::runbook::model::{Compare, Op, RunCommand};
use crate::domain::time::Span;

/// What guards a command that changes something.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mutation {
    /// What it does to others, in words.
    pub impact: Option<String>,
    /// Reads the state that it will change; its captures are what the rollback goes back to.
    pub before: Option<Box<RunCommand>>,
    /// Must hold, or nothing is run.
    pub require: Option<Compare>,
    /// Says what would happen.
    pub dry_run: Option<Box<RunCommand>>,
    /// Proves that it helped.
    pub verify: Option<Verify>,
    /// Takes it back.
    pub rollback: Rollback,
    /// It needs a second person.
    pub approval: bool,
}

/// How a change is taken back.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Rollback {
    /// Nobody said.
    #[default]
    Unstated,
    /// Not at all.
    None {
        /// Why not.
        reason: String,
    },
    /// By a command with a risk of its own.
    Command(Box<RunCommand>),
}

/// What must hold, and for how long, before a change counts as having helped.
#[derive(Clone, Debug, PartialEq)]
pub struct Verify {
    /// What must hold.
    pub what: Condition,
    /// For how long without a gap.
    pub for_: Span,
    /// After which it has failed.
    pub within: Span,
    /// Between two looks.
    pub every: Span,
    /// Where it stands.
    pub mark: Mark,
}

impl Verify {
    /// Between two looks when the runbook does not say.
    pub const EVERY: Span = Span::seconds(15);
    /// For how long it must hold when the runbook does not say.
    pub const FOR: Span = Span::minutes(5);
    /// When it has failed, if the runbook does not say.
    pub const WITHIN: Span = Span::minutes(20);
}

/// A condition that is looked at again and again.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// A PromQL value.
    Promql {
        /// What is asked.
        query: String,
        /// How its values are compared.
        op: Op,
        /// With what.
        value: f64,
        /// One series is enough; otherwise all must hold.
        any: bool,
    },
    /// The burn rate of an objective.
    Slo {
        /// Which.
        slo: SloId,
        /// Over which window.
        window: Span,
        /// How it is compared.
        op: Op,
        /// With what.
        value: f64,
    },
    /// A read that ends with an exit code of its `ok_exit`.
    Exec(Box<RunCommand>),
}

/// Where we are, checked before the first change and again when some time has passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// A read.
    pub command: RunCommand,
    /// What it must print.
    pub expect: Expect,
    /// Where it stands.
    pub mark: Mark,
}

/// What the first line of an output must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// This text, blanks at its ends aside.
    Equals(String),
    /// Wholly matched by this regular expression.
    Matches(String),
}

/// What a command is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Checked before anything changes.
    Guard,
    /// Reads the state before.
    Before,
    /// Says what would happen.
    DryRun,
    /// The thing itself.
    Run,
    /// Proves that it helped.
    Verify,
    /// Takes it back.
    Rollback,
}

impl Part {
    /// Its word in ids and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::Before => "before",
            Self::DryRun => "dry_run",
            Self::Run => "run",
            Self::Verify => "verify",
            Self::Rollback => "rollback",
        }
    }
}

/// A command between what belongs to it, in the order in which they would run.
pub fn around<'m>(
    command: Option<&'m RunCommand>,
    mutation: Option<&'m Mutation>,
) -> impl Iterator<Item = (Part, &'m RunCommand)> {
    let before = mutation.and_then(|m| m.before.as_deref());
    let dry_run = mutation.and_then(|m| m.dry_run.as_deref());
    let verify = mutation.and_then(|m| m.verify.as_ref()).and_then(|v| match &v.what {
        Condition::Exec(command) => Some(&**command),
        _ => None,
    });
    let rollback = mutation.and_then(|m| match &m.rollback {
        Rollback::Command(command) => Some(&**command),
        _ => None,
    });
    [
        (Part::Before, before),
        (Part::DryRun, dry_run),
        (Part::Run, command),
        (Part::Verify, verify),
        (Part::Rollback, rollback),
    ]
    .into_iter()
    .filter_map(|(part, command)| Some((part, command?)))
}
