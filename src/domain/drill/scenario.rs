//! A scenario as values: what players are told, what only the facilitator knows, what happens when, what commands answer,
//! what is expected and when it is over. Knows no file format ([`read`] does), judges nothing ([`lint`] does), and moves
//! nothing: [`crate::domain::drill::stage`] does. Instants are spans since the drill began, on the drill's own clock.

pub mod expectation;
pub mod keys;
pub mod lint;
pub mod read;
pub mod schema;

pub use crate::domain::drill::scenario::expectation::{Ban, Ending, Expectation, Recovery, Since, Want};

use crate::domain::document::Mark;
use crate::domain::labels::Labels;
use crate::domain::runbook::model::{Op, Risk};
use crate::domain::slo::objective::Compare;
use crate::domain::time::{Span, Timestamp};

/// A scenario. Texts are raw outside text.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its name on the command line and in the history.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What players are told before it begins.
    pub brief: String,
    /// Where title and brief stand in the file.
    pub told_at: (Mark, Mark),
    /// What only the facilitator and the report may know; may be empty.
    pub secret: String,
    /// Where chance comes from when no seed is given.
    pub seed: u64,
    /// How much faster than real time it runs: 1 to 60.
    pub speed: u32,
    /// What the drill's clock shows when it begins.
    pub begins: Timestamp,
    /// The longest it may last.
    pub duration: Span,
    /// Who should take part.
    pub roles: Vec<String>,
    /// 1 (easy) to 5.
    pub difficulty: Option<u8>,
    /// What it is about.
    pub services: Vec<String>,
    /// Its runbooks: files beside it, or names of runbooks that are compiled in.
    pub runbooks: Vec<Named>,
    /// What can be measured.
    pub signals: Vec<Signal>,
    /// Objectives over the signals.
    pub objectives: Vec<Promise>,
    /// Alerting rules over the signals.
    pub alerts: Vec<Rule>,
    /// PromQL that is answered from a signal.
    pub queries: Vec<Query>,
    /// What happens.
    pub injects: Vec<Inject>,
    /// What commands answer, first match first.
    pub commands: Vec<Canned>,
    /// What any other command answers.
    pub fallback: Reply,
    /// What is expected of the players.
    pub expect: Vec<Expectation>,
    /// When it is over before its duration is.
    pub end: Vec<Ending>,
    /// What a disaster recovery was meant to keep to.
    pub recovery: Option<Recovery>,
    /// What to talk about afterwards.
    pub debrief: Vec<String>,
    /// The file as it was named.
    pub path: String,
    /// SHA-256 (hex) of its text.
    pub sha256: String,
}

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub mark: Mark,
}

/// Something that can be measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Its name.
    pub id: String,
    /// How it goes until something changes it.
    pub shape: Shape,
    /// How far chance takes it from its shape: at most this share.
    pub noise: f64,
    /// What it is counted in, for people.
    pub unit: String,
    /// Where it stands.
    pub mark: Mark,
}

/// How a value goes over time.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// It stays, or jumps here and stays.
    Const(f64),
    /// From where it is to there in this time; then it stays.
    Ramp {
        /// Where it goes.
        to: f64,
        /// In which time.
        over: Span,
    },
    /// Up and down around a middle.
    Sine {
        /// The middle.
        middle: f64,
        /// How far from it.
        amplitude: f64,
        /// From one top to the next.
        period: Span,
    },
    /// As it was recorded: instants from its beginning in order, and values; straight lines between them, and it stays at
    /// the last.
    Recorded(Vec<(Span, f64)>),
    /// Recorded in a file that was not read yet: its name and column.
    File {
        /// A path beside the scenario.
        path: String,
        /// Which column of it, from 1; the first one is the time.
        column: usize,
    },
}

/// A change of a signal.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which.
    pub signal: String,
    /// How it goes from then on.
    pub shape: Shape,
    /// How long after its cause it begins.
    pub after: Span,
}

/// An objective over signals.
#[derive(Clone, Debug, PartialEq)]
pub struct Promise {
    /// Its name.
    pub id: String,
    /// Whose it is.
    pub service: String,
    /// Share that must be good, 0..1 exclusive.
    pub target: f64,
    /// Its rolling window.
    pub window: Span,
    /// Where its numbers come from.
    pub measure: Measure,
    /// Share of the budget that is left when the drill begins; may be negative.
    pub left: f64,
    /// What the screen says of it.
    pub description: String,
    /// Where it stands.
    pub mark: Mark,
}

/// Where an objective's numbers come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// A signal is the share of bad events; so many events a second, as a number or a signal.
    Events {
        /// The signal with the share of bad ones.
        ratio: String,
        /// How many there are.
        rate: Rate,
    },
    /// A signal is held against a limit.
    Threshold {
        /// The signal.
        signal: String,
        /// How it is good.
        compare: Compare,
        /// The limit.
        limit: f64,
    },
}

/// Events per second.
#[derive(Clone, Debug, PartialEq)]
pub enum Rate {
    /// Always so many.
    Fixed(f64),
    /// A signal.
    Signal(String),
}

/// A signal held against a value for a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Hold {
    /// The signal.
    pub signal: String,
    /// How.
    pub op: Op,
    /// Against what.
    pub value: f64,
    /// For how long without a gap.
    pub for_: Span,
    /// Where it stands.
    pub mark: Mark,
}

/// An alerting rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The alert's name.
    pub alert: String,
    /// When it is pending, and for how long before it fires.
    pub when: Hold,
    /// Labels beside `alertname`.
    pub labels: Labels,
    /// Annotations.
    pub annotations: Labels,
    /// Where it stands.
    pub mark: Mark,
}

/// PromQL that is answered from a signal.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The expression; spaces do not count.
    pub promql: String,
    /// The signal.
    pub signal: String,
    /// What its value is multiplied with.
    pub scale: f64,
    /// Labels of the one sample.
    pub labels: Labels,
    /// Where it stands.
    pub mark: Mark,
}

/// When an inject comes.
#[derive(Clone, Debug, PartialEq)]
pub enum Moment {
    /// At an instant.
    At(Span),
    /// So long after another one came.
    After {
        /// Which.
        inject: String,
        /// How long after.
        delay: Span,
    },
    /// Only when the facilitator fires it.
    ByHand,
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Inject {
    /// Its name; `#1`, `#2` … by its place where it has none.
    pub id: String,
    /// When.
    pub moment: Moment,
    /// Only if this holds then.
    pub only_if: Option<Given>,
    /// Not if this holds then.
    pub unless: Option<Given>,
    /// What.
    pub act: Act,
    /// Where it stands.
    pub mark: Mark,
}

/// What happens in the simulated world.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// A signal goes another way.
    Signal(Change),
    /// An alert fires, whatever the signals say.
    Alert {
        /// Its name.
        alert: String,
        /// Labels beside `alertname`.
        labels: Labels,
        /// Annotations.
        annotations: Labels,
        /// It goes when this does not hold any more; without it somebody must clear it.
        while_: Option<Hold>,
        /// It has nothing to do with the matter.
        red_herring: bool,
    },
    /// An alert is over.
    Clear(String),
    /// Somebody says something.
    Message {
        /// Who.
        from: String,
        /// What.
        text: String,
    },
    /// A tool of the players fails.
    Fail {
        /// Which.
        tool: Tool,
        /// How.
        how: Failing,
        /// For how long; `None` until it is mended.
        for_: Option<Span>,
    },
    /// It works again.
    Mend(Tool),
}

impl Act {
    /// Its word in files and in the report.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Signal(_) => "signal",
            Self::Alert { red_herring: true, .. } => "red_herring",
            Self::Alert { .. } => "alert",
            Self::Clear(_) => "clear",
            Self::Message { .. } => "message",
            Self::Fail { .. } => "fail",
            Self::Mend(_) => "mend",
        }
    }
}

/// A tool of the players. The record is none of them: it never fails in a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// Where numbers come from.
    Prometheus,
    /// Where alerts come from.
    Alertmanager,
    /// What wakes people.
    Pager,
    /// The incident room.
    Chat,
    /// What customers read.
    StatusPage,
    /// Where tickets go.
    Tracker,
    /// Where commands run.
    Shell,
}

impl Tool {
    /// All of them with their words.
    pub const WORDS: [(&'static str, Self); 7] = [
        ("prometheus", Self::Prometheus),
        ("alertmanager", Self::Alertmanager),
        ("pager", Self::Pager),
        ("chat", Self::Chat),
        ("status_page", Self::StatusPage),
        ("tracker", Self::Tracker),
        ("shell", Self::Shell),
    ];

    /// Its word in files and in the report.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, tool)| *tool == self).map_or("", |(word, _)| word)
    }
}

/// How a tool fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// Nobody answers.
    Down,
    /// It answers too late.
    Slow,
    /// It knows us no more.
    Refused,
    /// It asks to come back later.
    RateLimited,
    /// It answers with a login page.
    LoginPage,
}

impl Failing {
    /// All of them with their words.
    pub const WORDS: [(&'static str, Self); 5] = [
        ("down", Self::Down),
        ("slow", Self::Slow),
        ("refused", Self::Refused),
        ("rate_limited", Self::RateLimited),
        ("login_page", Self::LoginPage),
    ];

    /// Its word in files and in the report.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, how)| *how == self).map_or("", |(word, _)| word)
    }
}

/// Something that happened or did not.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// A milestone was reached.
    Reached(Milestone),
    /// Something was done.
    Action(String),
    /// A step of a runbook was ended as done.
    Step(String),
    /// An inject came.
    Inject(String),
    /// An incident has this severity.
    Severity(String),
    /// A signal is so now.
    Signal(Hold),
    /// An expectation was met.
    Expect(String),
}

/// What a drill measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Milestone {
    /// The first alert fired.
    Paged,
    /// An incident was declared.
    Declared,
    /// Somebody took it.
    Acknowledged,
    /// Somebody leads.
    Commanded,
    /// Stakeholders were told.
    Updated,
    /// The on-call was paged.
    Woken,
    /// A runbook was opened.
    Opened,
    /// A guess at the cause was written down.
    Hypothesis,
    /// Something was decided, and written down.
    Decision,
    /// Anything was written down.
    Noted,
    /// The players said that the pain stopped.
    Mitigated,
    /// The players said that it is over.
    Resolved,
}

impl Milestone {
    /// All of them with their words; the first word of each is the one that is told.
    pub const WORDS: [(&'static str, Self); 17] = [
        ("paged", Self::Paged),
        ("declared", Self::Declared),
        ("incident.declared", Self::Declared),
        ("acknowledged", Self::Acknowledged),
        ("ack", Self::Acknowledged),
        ("commander", Self::Commanded),
        ("updated", Self::Updated),
        ("status_update", Self::Updated),
        ("on_call_paged", Self::Woken),
        ("runbook", Self::Opened),
        ("hypothesis", Self::Hypothesis),
        ("decision", Self::Decision),
        ("note", Self::Noted),
        ("mitigated", Self::Mitigated),
        ("incident.mitigated", Self::Mitigated),
        ("resolved", Self::Resolved),
        ("incident.resolved", Self::Resolved),
    ];

    /// The word that is told.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, it)| *it == self).map_or("", |(word, _)| word)
    }
}

/// Which commands an answer is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// A command of a runbook by its id: `bottleneck.top`, with the runbook where several have one of that name.
    Step {
        /// The runbook.
        runbook: Option<String>,
        /// The command's id.
        id: String,
    },
    /// A program and its arguments. `*` in an element stands for any text; a last element `*` for any arguments.
    Argv(Vec<String>),
}

/// What a command of the players answers and does.
#[derive(Clone, Debug, PartialEq)]
pub struct Canned {
    /// Which commands.
    pub pattern: Pattern,
    /// Only if this holds then; the next match is taken otherwise.
    pub only_if: Option<Given>,
    /// Not if this holds then.
    pub unless: Option<Given>,
    /// What it is called by conditions and expectations; else the last part of its command's id.
    pub action: Option<String>,
    /// What it may do, whatever the runbook says.
    pub risk: Option<Risk>,
    /// What it answers.
    pub reply: Reply,
    /// What it changes when it ended.
    pub effects: Vec<Act>,
    /// Where it stands.
    pub mark: Mark,
}

/// What a command answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// What it prints.
    pub out: Out,
    /// Its exit code.
    pub exit: i32,
    /// How long it takes.
    pub delay: Span,
}

/// What a command prints.
#[derive(Clone, Debug, PartialEq)]
pub enum Out {
    /// A text.
    Text(String),
    /// The text of a file beside the scenario that was not read yet.
    File(String),
}

impl Scenario {
    /// A signal by its name.
    pub fn signal(&self, id: &str) -> Option<&Signal> {
        self.signals.iter().find(|s| s.id == id)
    }

    /// Every act that could happen: of injects, then of commands.
    pub fn acts(&self) -> impl Iterator<Item = (&Act, Mark)> {
        let injects = self.injects.iter().map(|i| (&i.act, i.mark));
        injects.chain(self.commands.iter().flat_map(|c| c.effects.iter().map(move |e| (e, c.mark))))
    }

    /// Files beside it that are still to be read: recorded signals and outputs.
    pub fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut add = |name: &str| {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        };
        let changes = self.acts().filter_map(|(act, _)| match act {
            Act::Signal(change) => Some(&change.shape),
            _ => None,
        });
        for shape in self.signals.iter().map(|s| &s.shape).chain(changes) {
            if let Shape::File { path, .. } = shape {
                add(path);
            }
        }
        for reply in self.commands.iter().map(|c| &c.reply).chain([&self.fallback]) {
            if let Out::File(path) = &reply.out {
                add(path);
            }
        }
        names
    }
}
