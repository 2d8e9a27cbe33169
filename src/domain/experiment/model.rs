//! An experiment as it was read. Values only; whether it makes sense is for [`crate::domain::experiment::lint`].

use crate::domain::document::Mark;
use crate::domain::experiment::halting::HaltTime;
use crate::domain::experiment::hours::Hours;
use crate::domain::experiment::tolerance::Tolerance;
use crate::domain::ids::{IncidentId, SloId};
use crate::domain::incident::event::At;
use crate::domain::runbook::hold::words;
use crate::domain::runbook::model::{Condition, Part, Risk, RunCommand, Runbook};
use crate::domain::runbook::offer::Offer;
use crate::domain::runbook::prepare::ready;
use crate::domain::runbook::values::Values;
use crate::domain::time::Span;

/// An experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Its name.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What is done, in words; may be empty.
    pub description: String,
    /// What is believed.
    pub hypothesis: String,
    /// Who keeps it right.
    pub owner: Option<String>,
    /// What it may touch.
    pub blast: Blast,
    /// When it may begin.
    pub window: Window,
    /// Objectives whose budget counts; empty is all.
    pub slos: Vec<SloId>,
    /// From the first change to the rollback.
    pub duration: Span,
    /// Between two looks.
    pub every: Span,
    /// How long the steady state may take to come back.
    pub recovery: Span,
    /// The steady state.
    pub steady: Vec<Watched>,
    /// What ends it.
    pub abort: Vec<Watched>,
    /// For how long nothing may be known.
    pub no_data: Span,
    /// What is done.
    pub method: Vec<Deed>,
    /// How it is taken back.
    pub rollback: Vec<Deed>,
    /// What must hold meanwhile.
    pub success: Vec<Watched>,
    /// What is asked at the end.
    pub manual: Vec<String>,
    /// Who may halt it.
    pub halt_by: Vec<String>,
    /// The times at which it is halted at the latest.
    pub halt_times: Vec<HaltTime>,
    /// Its targets, guards and folders, in the form that commands of runbooks are made ready with. It has no steps.
    pub book: Runbook,
    /// The file's text, which the journal keeps: a rollback is that of the file as it was confirmed.
    pub source: String,
}

/// What may be touched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Blast {
    /// Where.
    pub environment: String,
    /// What there; may be empty.
    pub targets: String,
    /// The greatest share of it.
    pub max_share: Option<f64>,
    /// How the share that is touched is measured: it holds while that is above `max_share`.
    pub share: Option<Watched>,
    /// Words that must not occur, and where they stand.
    pub forbid: Vec<(String, Mark)>,
    /// Hosts beside this machine that calls may go to.
    pub hosts: Vec<String>,
    /// Where it stands.
    pub mark: Mark,
}

impl Blast {
    /// `at most 50 % of app=redis`; `None` where the file gives no share.
    pub fn limit(&self) -> Option<String> {
        let share = self.max_share?;
        let of = if self.targets.is_empty() { "what is there" } else { &self.targets };
        Some(format!("at most {} % of {of}", (share * 10_000.0).round() / 100.0))
    }

    /// Why the share that is touched is not measured; `None` where it is.
    pub fn unmeasured(&self) -> Option<&'static str> {
        match (&self.share, self.max_share) {
            (Some(_), Some(_)) => None,
            (_, None) => Some("the file gives no `max_share`"),
            (None, Some(_)) => Some("the file gives no `share_promql`"),
        }
    }
}

/// When it may begin.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// The least share of a budget that must be left.
    pub budget: Option<f64>,
    /// Not in a freeze.
    pub freeze: bool,
    /// The file says it, so that what is not known counts against it.
    pub stated: bool,
    /// One of these must fit; empty is always.
    pub hours: Vec<Hours>,
    /// Where it stands.
    pub mark: Mark,
}

/// Something that is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// What people call it.
    pub name: String,
    /// How it is looked at.
    pub what: Look,
    /// For how long it must hold.
    pub for_: Span,
    /// Of a steady condition: after which it has failed.
    pub within: Span,
    /// Of a criterion: only the last look counts.
    pub at_end: bool,
    /// Where it stands.
    pub mark: Mark,
}

/// How something is looked at.
#[derive(Clone, Debug, PartialEq)]
pub enum Look {
    /// A value or a burn rate.
    Condition(Condition),
    /// A read, and what its output must be.
    Command(Box<RunCommand>, Option<Tolerance>),
    /// A call, and what its answer must be.
    Http(Call, Option<Tolerance>),
}

/// Something that is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    /// `method.1`, `rollback.2`.
    pub id: String,
    /// What people call it; may be empty.
    pub name: String,
    /// What.
    pub act: Act,
    /// What it may do, raised by words that destroy.
    pub risk: Risk,
    /// What it does to others.
    pub impact: Option<String>,
    /// A wait before it.
    pub before: Span,
    /// A wait after it.
    pub after: Span,
    /// Where it stands.
    pub mark: Mark,
}

/// What is done.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// A program or a line for the shell.
    Command(Box<RunCommand>),
    /// A call.
    Http(Call),
}

/// An HTTP call, exactly as it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `POST`.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// Its host, lower case, without brackets.
    pub host: String,
    /// Headers in the order of the file.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Option<String>,
    /// Statuses that are no failure; empty is 200 to 299.
    pub status: Vec<u16>,
    /// How long it may take.
    pub timeout: Span,
    /// Where it stands.
    pub mark: Mark,
}

impl Call {
    /// Whether a status is no failure.
    pub fn accepts(&self, status: u16) -> bool {
        if self.status.is_empty() { (200..300).contains(&status) } else { self.status.contains(&status) }
    }

    /// Whether it stays on this machine.
    pub fn is_local(&self) -> bool {
        let parts: Vec<Option<u8>> = self.host.split('.').map(|part| part.parse().ok()).collect();
        let loopback = matches!(parts.as_slice(), [Some(127), Some(_), Some(_), Some(_)]);
        loopback || self.host == "localhost" || self.host == "::1"
    }

    /// One line: `POST http://127.0.0.1:8474/proxies`.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.url)
    }
}

impl Deed {
    /// One line of exactly what is done.
    pub fn line(&self) -> String {
        match &self.act {
            Act::Command(command) => command.text.clone(),
            Act::Http(call) => match &call.body {
                Some(body) => format!("{} with {body}", call.line()),
                None => call.line(),
            },
        }
    }

    /// What people call it: its name, else what is done.
    pub fn title(&self) -> String {
        if self.name.is_empty() { self.line() } else { self.name.clone() }
    }

    /// A call of which nothing is said and that deletes is taken to destroy.
    pub fn raised(said: Risk, call: &Call) -> Risk {
        if call.method == "DELETE" && said == Risk::Unknown { Risk::Destroy } else { said }
    }

    /// Label and text of everything that is confirmed, and the word that must be typed for what destroys. `Err` says why it
    /// cannot be run as it stands.
    pub fn confirmation(&self, book: &Runbook, run: &str, (host, user): (&str, &str)) -> Result<Confirmation, String> {
        let (mut rows, token) = match &self.act {
            Act::Command(_) => {
                let offer = self.offer(book, run)?;
                (offer.rows(host, user), offer.token())
            }
            Act::Http(call) => {
                let token = (self.risk == Risk::Destroy).then(|| call.host.clone());
                (call.rows(self.risk), token)
            }
        };
        if let Some(impact) = &self.impact {
            rows.push(("impact".to_owned(), impact.clone()));
        }
        Ok(Confirmation { rows, token })
    }

    /// The command, ready to be run.
    pub fn offer(&self, book: &Runbook, run: &str) -> Result<Offer, String> {
        let Act::Command(command) = &self.act else { return Err("it is no command".to_owned()) };
        let prepared = ready(book, command, &Values::default()).map_err(|refusal| refusal.0)?;
        let place = At { runbook: book.id.clone(), step: self.id.as_str().into(), name: self.title() };
        Ok(Offer::of(&IncidentId::from(run), place, &self.id, (Part::Run, command), prepared))
    }
}

/// What is shown and typed before something is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// Label and text.
    pub rows: Vec<(String, String)>,
    /// The word that must be typed; without one it is `y`.
    pub token: Option<String>,
}

impl Call {
    fn rows(&self, risk: Risk) -> Vec<(String, String)> {
        let mut rows = vec![("calls".to_owned(), self.line())];
        rows.extend(self.headers.iter().map(|(name, value)| ("header".to_owned(), format!("{name}: {value}"))));
        rows.extend(self.body.iter().map(|body| ("body".to_owned(), body.clone())));
        let place = if self.is_local() { "this machine" } else { "a host that the file allows" };
        rows.push(("where".to_owned(), format!("{}, {place}   time limit {}s", self.host, self.timeout.num_seconds())));
        let says = match risk {
            Risk::Read => "reads only, says the file",
            Risk::Change => "changes the environment",
            Risk::Destroy => "destroys; cannot be taken back by itself",
            Risk::Unknown => "unclassified: treated as a change",
        };
        rows.push(("risk".to_owned(), says.to_owned()));
        rows
    }
}

impl Look {
    /// What is looked at, in one line.
    pub fn words(&self) -> String {
        let with = |text: String, tolerance: &Option<Tolerance>| match tolerance {
            Some(tolerance) => format!("{text} {}", tolerance.words()),
            None => text,
        };
        match self {
            Self::Condition(condition) => words(condition),
            Self::Command(command, tolerance) => with(command.text.clone(), tolerance),
            Self::Http(call, tolerance) => with(call.line(), tolerance),
        }
    }

    /// What it opens outside: a command, an address.
    pub fn reach(&self) -> Option<String> {
        match self {
            Self::Condition(_) => None,
            Self::Command(command, _) => Some(command.text.clone()),
            Self::Http(call, _) => Some(call.url.clone()),
        }
    }
}

impl Experiment {
    /// The file as it was named.
    pub fn path(&self) -> &str {
        &self.book.path
    }

    /// Everything that is looked at: steady, abort, success, and the share that is touched.
    pub fn watched(&self) -> impl Iterator<Item = &Watched> {
        self.steady.iter().chain(&self.abort).chain(&self.success).chain(&self.blast.share)
    }

    /// Everything that is done.
    pub fn deeds(&self) -> impl Iterator<Item = &Deed> {
        self.method.iter().chain(&self.rollback)
    }

    /// Objectives that it names.
    pub fn objectives(&self) -> Vec<SloId> {
        let mut all = self.slos.clone();
        for watched in self.watched() {
            if let Look::Condition(Condition::Slo { slo, .. }) = &watched.what
                && !all.contains(slo)
            {
                all.push(slo.clone());
            }
        }
        all
    }
}
