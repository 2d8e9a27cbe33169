//! What can be run, where, and what it may do to production. Judges no text: the risk is what the file says.

use crate::domain::document::Mark;
use crate::domain::runbook::model::Mutation;
use crate::domain::time::Span;

/// How long a command may run when its runbook does not say.
pub const DEFAULT_TIMEOUT: Span = Span::minutes(1);

/// Something that can be run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunCommand {
    /// Unique in its runbook: `<step>.1`, `<step>.<id>`, `<step>.option-1`; with `.before`, `.dry-run`, `.verify` or
    /// `.rollback` behind it for what belongs to one, and `guard.1` for a guard.
    pub id: String,
    /// As written; for a list, its elements quoted and joined.
    pub text: String,
    /// What runs.
    pub exec: Exec,
    /// What it may do.
    pub risk: Risk,
    /// How long it may take.
    pub timeout: Span,
    /// The runbook says how long; otherwise the configuration does.
    pub own_limit: bool,
    /// The runbook's name for where it runs; `None` is here.
    pub target: Option<String>,
    /// The folder it runs in, as written; `None` is the runbook's.
    pub cwd: Option<String>,
    /// Exit codes that are no failure.
    pub ok_exit: Vec<i32>,
    /// What later commands need from its output.
    pub capture: Vec<Capture>,
    /// How often it is tried again; reads only.
    pub retry: Option<Retry>,
    /// It needs the terminal: the screen is put aside while it runs, and its output is not kept.
    pub tty: bool,
    /// What guards it, for a command of a step that changes something; an option has its own.
    pub mutation: Option<Box<Mutation>>,
    /// Where it stands.
    pub mark: Mark,
}

impl RunCommand {
    /// A command of which only this is said; everything else is as when a file is silent.
    pub fn new(id: impl Into<String>, text: impl Into<String>, exec: Exec, risk: Risk, mark: Mark) -> Self {
        Self {
            id: id.into(),
            text: text.into(),
            exec,
            risk,
            timeout: DEFAULT_TIMEOUT,
            own_limit: false,
            target: None,
            cwd: None,
            ok_exit: vec![0],
            capture: Vec::new(),
            retry: None,
            tty: false,
            mutation: None,
            mark,
        }
    }
}

/// What runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exec {
    /// A line for the shell. Values reach it as environment variables, never as text.
    Sh(String),
    /// A program and its arguments, no shell. `${NAME}` is replaced inside an element and never split again.
    Argv(Vec<String>),
    /// PromQL, asked over HTTP: no program, always a read, no value is put into it.
    Query(String),
}

/// Where a command runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Beside the cockpit.
    Local,
    /// Over ssh.
    Ssh {
        /// A `Host` of the user's own ssh configuration.
        host: String,
    },
}

/// A value taken from a command's output. Output is text from outside: a capture has no default and no whole-output form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The name that later commands use.
    pub name: String,
    /// Regular expression over the output, line by line (`^` and `$` are a line's ends); its first group is the value.
    pub regex: String,
    /// Where it stands.
    pub mark: Mark,
}

/// How often a read is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Further tries after the first.
    pub times: u32,
    /// Between two tries.
    pub delay: Span,
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
    /// All that a file may say, and what it is when a file says nothing.
    pub const ALL: [Self; 4] = [Self::Read, Self::Change, Self::Unknown, Self::Destroy];

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
