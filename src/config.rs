//! Checked settings. Text, an environment and flags come in as values; one [`Config`] comes out, with the origin of every
//! value and everything that is wrong at once. Never reads a file, a variable or a clock, and never resolves a secret.

pub mod endpoint;
pub mod environment;
pub mod file;
pub mod flags;
mod links;
mod marks;
pub mod origin;
pub mod outside;
pub mod secret;
pub mod show;
pub mod source;
pub mod theme;

pub use crate::config::flags::Flags;
pub use crate::config::origin::{Origin, Origins};
pub use crate::config::outside::{Address, OutsideConfig, Section};
pub use crate::config::secret::SecretRef;
pub use crate::config::show::Setting;
pub use crate::config::source::{AlertmanagerConfig, Auth, Connection, HeaderValue, PrometheusConfig, Tls};
pub use crate::config::theme::ThemeName;

use crate::domain::document::{Finding, Level};
use crate::domain::time::{Span, mins, secs};
use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Variables of the environment by name.
pub type Environment = BTreeMap<String, String>;

/// Who is at the keyboard; stands in the record as the actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responder {
    /// Short name, never empty.
    pub name: String,
    /// Address for postmortems.
    pub email: Option<String>,
}

/// Which postmortem template is filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Template {
    /// The built-in long form.
    A,
    /// The built-in short form.
    B,
    /// The built-in form that asks for contributing factors.
    C,
    /// A team's own file.
    File(PathBuf),
}

/// Which characters draw gauges and charts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// By locale and terminal.
    #[default]
    Auto,
    /// Eighth blocks and braille.
    Unicode,
    /// Whole blocks only.
    Block,
    /// Printable ASCII only.
    Ascii,
}

/// How much goes to the log file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Failures.
    Error,
    /// And what may become one.
    Warn,
    /// And what was done.
    #[default]
    Info,
    /// And why.
    Debug,
    /// Everything.
    Trace,
}

/// How the cockpit looks and sounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// The theme by name.
    pub theme: ThemeName,
    /// Which characters draw gauges.
    pub glyphs: Glyphs,
    /// Paint the background instead of leaving the terminal's.
    pub paint_background: bool,
    /// Characters of ambiguous width take two cells.
    pub cjk_width: bool,
    /// Spare bytes: minute clock, few colours.
    pub slow: bool,
    /// Ring on a page and on a timer that falls due.
    pub bell: bool,
}

/// Everything that can be set, checked; paths are joined to the folder of the file that named them.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Who is at the keyboard.
    pub responder: Responder,
    /// Prometheus servers, names unique.
    pub prometheus: Vec<PrometheusConfig>,
    /// Alertmanager clusters, names unique.
    pub alertmanager: Vec<AlertmanagerConfig>,
    /// Targets of writes, of all sections; names unique over all of them.
    pub outside: Vec<OutsideConfig>,
    /// How long what goes to other people waits for `u`; zero sends at once.
    pub outward_hold: Span,
    /// Patterns of SLO files: `*`, `?` and `**` between separators; a folder means its YAML files.
    pub slos: Vec<String>,
    /// The same for runbooks.
    pub runbooks: Vec<String>,
    /// The same for drill scenarios.
    pub scenarios: Vec<String>,
    /// The same for chaos experiments.
    pub experiments: Vec<String>,
    /// Where drafts are written.
    pub postmortems: PathBuf,
    /// Which template is filled; `None` means the built-in long form.
    pub postmortem_template: Option<Template>,
    /// The severity table; `None` means the built-in one.
    pub severities: Option<PathBuf>,
    /// Whom an escalation may name, each with how to reach them, where the file says it.
    pub contacts: BTreeMap<String, Option<String>>,
    /// Pages that are opened at the time of an incident.
    pub links: Vec<crate::domain::incident::link::LinkTemplate>,
    /// How the cockpit looks and sounds.
    pub screen: Screen,
    /// Action id to keys; the app checks both against its table of actions.
    pub keys: BTreeMap<String, Vec<String>>,
    /// The zone of the local clock and of bare times.
    pub time_zone: Tz,
    /// After which a runbook's command is stopped, unless the runbook says otherwise.
    pub command_timeout: Duration,
    /// Names of the responder's environment that commands get beside the usual ones.
    pub env_pass: Vec<String>,
    /// How long a session stays armed for dangerous actions.
    pub arm_for: Span,
    /// Keep the last good values on disk.
    pub cache: bool,
    /// Refuse everything that changes the world.
    pub read_only: bool,
    /// How much goes to the log file.
    pub log_level: LogLevel,
}

impl Config {
    /// Whom an escalation may name: the contacts and the responder; `None` where the file has no contacts, so that nobody
    /// knows who is missing.
    pub fn known_contacts(&self) -> Option<BTreeSet<String>> {
        let names = self.contacts.keys().chain([&self.responder.name]);
        (!self.contacts.is_empty()).then(|| names.cloned().collect())
    }

    /// No configuration at all: no sources, the defaults for everything else.
    pub fn empty() -> Self {
        Self {
            responder: Responder { name: "responder".to_owned(), email: None },
            prometheus: Vec::new(),
            alertmanager: Vec::new(),
            outside: Vec::new(),
            outward_hold: secs(6),
            slos: Vec::new(),
            runbooks: Vec::new(),
            scenarios: Vec::new(),
            experiments: Vec::new(),
            postmortems: PathBuf::from("postmortems"),
            postmortem_template: None,
            severities: None,
            contacts: BTreeMap::new(),
            links: Vec::new(),
            screen: Screen {
                theme: ThemeName::Adaptive,
                glyphs: Glyphs::Auto,
                paint_background: false,
                cjk_width: false,
                slow: false,
                bell: true,
            },
            keys: BTreeMap::new(),
            time_zone: Tz::UTC,
            command_timeout: Duration::from_secs(60),
            env_pass: Vec::new(),
            arm_for: mins(30),
            cache: true,
            read_only: false,
            log_level: LogLevel::Info,
        }
    }
}

impl Config {
    /// How long a command may run whose runbook does not say.
    pub fn command_limit(&self) -> Span {
        Span::from_std(self.command_timeout).unwrap_or_else(|_| mins(1))
    }
}

/// Everything that decides the settings.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The configuration file as it was named, and its text; `None` when there is none.
    pub file: Option<(&'a str, &'a str)>,
    /// What relative paths in the file are relative to.
    pub folder: &'a Path,
    /// The environment.
    pub environment: &'a Environment,
    /// The flags.
    pub flags: &'a Flags,
    /// The machine's zone by IANA name.
    pub machine_zone: Option<&'a str>,
}

/// Settings, where each came from, and what is wrong. What is wrong has its default.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Where each came from.
    pub origins: Origins,
    /// What is wrong, in file order.
    pub findings: Vec<Finding>,
}

impl Loaded {
    /// Whether any finding is an error.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|f| f.level == Level::Error)
    }

    /// Every setting with its value and origin; secrets are masked.
    pub fn settings(&self) -> Vec<Setting> {
        show::settings(&self.config, &self.origins)
    }
}

/// Defaults, then the machine, then the file, then the environment, then flags.
pub fn read(inputs: &Inputs<'_>) -> Loaded {
    let mut loaded = Loaded { config: Config::empty(), origins: Origins::default(), findings: Vec::new() };
    loaded.config.postmortems = inputs.folder.join("postmortems");
    environment::machine(&mut loaded, inputs);
    if let Some((path, text)) = inputs.file {
        file::apply(&mut loaded, path, text, inputs.folder);
    }
    environment::apply(&mut loaded, inputs.environment);
    flags::apply(&mut loaded, inputs.flags);
    theme::choose(&mut loaded, inputs);
    loaded
}

/// A word out of a closed set, with the words for messages.
pub trait Word: Copy + Sized + 'static {
    /// Every value with its word.
    const WORDS: &'static [(&'static str, Self)];

    /// The value of a word.
    fn from_word(text: &str) -> Result<Self, String> {
        if let Some((_, value)) = Self::WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(*value);
        }
        let known: Vec<&str> = Self::WORDS.iter().map(|(word, _)| *word).collect();
        let nearest = crate::domain::document::nearest(text, known.iter().copied());
        let nearest = nearest.map(|n| format!("; nearest: `{n}`")).unwrap_or_default();
        Err(format!(
            "`{}` is not known (expected one of: {}{nearest})",
            crate::domain::text::truncate(&crate::domain::text::clean(text), 40),
            known.join(", ")
        ))
    }
}

impl Word for Glyphs {
    const WORDS: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("unicode", Self::Unicode), ("block", Self::Block), ("ascii", Self::Ascii)];
}

impl Word for LogLevel {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];
}

/// The word of a value.
pub fn word<T: Word + PartialEq>(value: T) -> &'static str {
    T::WORDS.iter().find(|(_, v)| *v == value).map_or("", |(word, _)| word)
}
