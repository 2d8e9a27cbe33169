//! What may be typed: every command and flag, as data. Says nothing about what a command does; [`crate::cli`] does.

pub mod drill;
pub mod experiment;
pub mod gameday;
pub mod incident;
pub mod pages;
pub mod runbook;
pub mod silence;

use crate::cli::args::drill::DrillArgs;
use crate::cli::args::experiment::ExperimentArgs;
use crate::cli::args::gameday::GamedayArgs;
use crate::cli::args::incident::IncidentArgs;
use crate::cli::args::pages::PagesArgs;
use crate::cli::args::runbook::RunbookArgs;
use crate::cli::args::silence::SilenceArgs;
use crate::config::environment::zone;
use crate::config::flags::ColorChoice;
use crate::config::{Flags, LogLevel, ThemeName, Word};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// A terminal cockpit for the engineer who has just been paged.
#[derive(Clone, Debug, Parser)]
#[command(name = "midwatch", version, about, max_term_width = 100, infer_subcommands = false)]
#[command(after_help = "Without a command the cockpit opens. `midwatch demo` needs no configuration.")]
pub struct Args {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do; nothing means the cockpit.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs: exactly one document.
    Json,
}

/// Flags of every command.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The configuration file [environment: MIDWATCH_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder of the durable records [environment: MIDWATCH_DATA_DIR]
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// How results are printed
    #[arg(long, short, global = true, value_enum, default_value_t)]
    pub output: Format,
    /// Refuse everything that changes the world [environment: MIDWATCH_READ_ONLY]
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Colours of the cockpit [environment: MIDWATCH_THEME]
    #[arg(long, global = true, value_name = "NAME", value_parser = words::<ThemeName>())]
    pub theme: Option<ThemeName>,
    /// Draw with ASCII only
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Spare bytes on a slow link
    #[arg(long, global = true)]
    pub slow: bool,
    /// Whether to use colour [environment: NO_COLOR]
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", value_parser = words::<ColorChoice>())]
    pub color: ColorChoice,
    /// How much goes to the log file [environment: MIDWATCH_LOG_LEVEL]
    #[arg(long, global = true, value_name = "LEVEL", value_parser = words::<LogLevel>())]
    pub log_level: Option<LogLevel>,
    /// The zone of the local clock and of bare times [environment: MIDWATCH_TIME_ZONE]
    #[arg(long, global = true, value_name = "ZONE", value_parser = zone)]
    pub time_zone: Option<chrono_tz::Tz>,
}

impl Global {
    /// The flags that change a setting.
    pub fn flags(&self) -> Flags {
        Flags {
            read_only: self.read_only,
            theme: self.theme,
            ascii: self.ascii,
            slow: self.slow,
            color: self.color,
            log_level: self.log_level,
            time_zone: self.time_zone,
        }
    }
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Open the cockpit on a simulated production; needs no network and no configuration
    Demo(DemoArgs),
    /// Write a commented starter configuration, an SLO file and a runbook; never overwrites
    Init,
    /// Validate configuration, SLO files, runbooks, scenarios and severity tables; all findings at once
    Check(CheckArgs),
    /// Try every source, the data folder and the terminal
    Doctor,
    /// Show the effective configuration
    Config(ConfigArgs),
    /// Show objectives with budgets and burn rates
    Slo(SloArgs),
    /// Show firing alerts from every source, with the matching runbook
    Alerts,
    /// Show what is open at the paging products, or act on one of it
    Pages(PagesArgs),
    /// Show who is on call
    Oncall,
    /// Show what changed lately, or around the start of an incident, from every source
    Changes(ChangesArgs),
    /// Declare, steer and read incidents
    Incident(IncidentArgs),
    /// List, make, extend and end silences
    Silence(SilenceArgs),
    /// Show what leaves the house, and decide on it
    Outbox(OutboxArgs),
    /// List, read, lint, match and walk runbooks
    Runbook(RunbookArgs),
    /// Rehearse on a simulated production; score and history
    Drill(DrillArgs),
    /// Chaos experiments: a hypothesis, abort conditions, and a rollback on every way out
    Experiment(ExperimentArgs),
    /// Go through a run sheet of drills, experiments and announcements; one log, one report
    Gameday(GamedayArgs),
    /// Wind a recorded incident back and forth on the real screens; changes nothing and asks nobody
    Replay(ReplayArgs),
    /// Write the draft of a postmortem, or count the blanks of one
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Postmortem(PostmortemArgs),
    /// Print one screen of facts
    Status(StatusArgs),
    /// Print facts as they change, one per line
    Watch(WatchArgs),
    /// Print the key table
    Keys(KeysArgs),
    /// Print a completion script
    Completions(CompletionsArgs),
    /// Print the manual page (roff)
    Man,
    /// Print the JSON Schema of a file kind, for editors
    Schema(SchemaArgs),
}

/// `demo`
#[derive(Clone, Debug, clap::Args)]
pub struct DemoArgs {
    /// The random numbers the simulated production is made of
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How much faster than real time it runs
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub speed: u32,
}

/// `replay`
#[derive(Clone, Debug, clap::Args)]
pub struct ReplayArgs {
    /// The incident (its id, the end of it, or `last`), or a timeline that was exported as JSON lines: FILE.jsonl
    pub incident: String,
    /// The instant to begin at: 03:10, a full time, or -7m before the end of the record
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub at: Option<String>,
    /// How many times as fast as it happened it plays
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub speed: u32,
}

/// `outbox`
#[derive(Clone, Debug, clap::Args)]
pub struct OutboxArgs {
    /// What to do
    #[command(subcommand)]
    pub command: OutboxCommand,
}

/// What to do with the outbox. An operation is named by its id, the end of it, or `last`.
#[derive(Clone, Debug, Subcommand)]
pub enum OutboxCommand {
    /// Everything that waits: what, to whom, why, and when it is tried next
    List {
        /// What is over too
        #[arg(long)]
        all: bool,
    },
    /// One operation in full
    Show {
        /// Which
        id: String,
    },
    /// Send it now, whatever it waits for; a running cockpit does
    Retry {
        /// Which
        id: String,
    },
    /// Do not send it
    Drop {
        /// Which
        id: String,
        /// Why it is not wanted any more
        #[arg(long)]
        reason: String,
    },
    /// It was done by hand
    Done {
        /// Which
        id: String,
    },
}

/// `check`
#[derive(Clone, Debug, clap::Args)]
pub struct CheckArgs {
    /// Files and folders; without any, the configuration and everything it names
    pub paths: Vec<PathBuf>,
    /// Hold objectives and runbooks against the configured Prometheus servers too
    #[arg(long, conflicts_with = "rules")]
    pub online: bool,
    /// Print the rules for objectives, and check nothing
    #[arg(long, conflicts_with = "paths")]
    pub rules: bool,
}

/// `config`
#[derive(Clone, Debug, clap::Args)]
pub struct ConfigArgs {
    /// What about it.
    #[command(subcommand)]
    pub what: ConfigCommand,
}

/// What about the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum ConfigCommand {
    /// Every value with its origin; secrets are masked
    Show,
    /// Where the files are
    Path,
}

/// `slo`
#[derive(Clone, Debug, clap::Args)]
pub struct SloArgs {
    /// What about them.
    #[command(subcommand)]
    pub what: SloCommand,
}

/// What about objectives.
#[derive(Clone, Debug, Subcommand)]
pub enum SloCommand {
    /// Every objective with its budget and burn rates
    List,
    /// One objective with alert state, policy band and forecast
    Show {
        /// Its name
        name: String,
    },
    /// The review of a week, month, quarter or year: attainment, budgets, incidents by cost, decisions due
    Report(SloReportArgs),
    /// Write objectives of any format as our own
    Convert(ConvertArgs),
}

/// `slo report`
#[derive(Clone, Debug, clap::Args)]
pub struct SloReportArgs {
    /// Which calendar period, in the configured time zone
    #[arg(long, value_enum, default_value_t)]
    pub period: ReportPeriod,
    /// A day (2026-05-01) of the period that is meant; without it, the one that is going on
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// The form; without it Markdown, or JSON with `-o json`
    #[arg(long, value_enum)]
    pub format: Option<ReportFormat>,
    /// Only this objective
    #[arg(long, value_name = "NAME")]
    pub objective: Option<String>,
    /// Only the objectives of this service
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
}

/// A calendar period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportPeriod {
    /// From Monday
    Week,
    /// From the first
    #[default]
    Month,
    /// From January, April, July, October
    Quarter,
    /// From January
    Year,
}

/// The form of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Markdown
    Md,
    /// One JSON document
    Json,
    /// Comma-separated values, one row per objective
    Csv,
}

/// `slo convert`
#[derive(Clone, Debug, clap::Args)]
pub struct ConvertArgs {
    /// Files of Sloth, Pyrra, OpenSLO, slo-generator, the plain or our own form; folders too
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Where to write; never overwrites. Without it: standard output
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
}

/// `postmortem`
#[derive(Clone, Debug, clap::Args)]
pub struct PostmortemArgs {
    /// Instead of writing one.
    #[command(subcommand)]
    pub check: Option<PostmortemCommand>,
    /// The incident
    #[arg(required = true)]
    pub id: Option<String>,
    /// Where to write; `-` prints. Default: the configured folder
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// `a`, `b`, `c` or a template file. Default: as configured
    #[arg(long)]
    pub template: Option<String>,
    /// Ask no source: without burn charts
    #[arg(long)]
    pub offline: bool,
}

/// Instead of writing a postmortem.
#[derive(Clone, Debug, Subcommand)]
pub enum PostmortemCommand {
    /// Count the blanks that people must still fill
    Check {
        /// The postmortem
        file: PathBuf,
    },
}

/// `status`
#[derive(Clone, Debug, clap::Args)]
pub struct StatusArgs {
    /// Exit as monitoring plugins do: 0 ok, 1 warning, 2 page, 3 unknown or stale
    #[arg(long)]
    pub check: bool,
}

/// `watch`
#[derive(Clone, Debug, clap::Args)]
pub struct WatchArgs {
    /// Lines without columns and cursor motion (the only form so far)
    #[arg(long)]
    pub plain: bool,
    /// Seconds between two signs of life; 0 for none
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub heartbeat: u32,
}

/// `keys`
#[derive(Clone, Debug, clap::Args)]
pub struct KeysArgs {
    /// As Markdown
    #[arg(long)]
    pub md: bool,
}

/// `completions`
#[derive(Clone, Debug, clap::Args)]
pub struct CompletionsArgs {
    /// For which shell
    pub shell: clap_complete::Shell,
}

/// `schema`
#[derive(Clone, Debug, clap::Args)]
pub struct SchemaArgs {
    /// Of which file kind
    pub kind: SchemaKind,
    /// The reference page in Markdown instead; for `runbook`, `slo`, `postmortem` and `scenario`
    #[arg(long)]
    pub reference: bool,
}

/// Kinds of files that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// `config.yaml`
    Config,
    /// Objectives
    Slo,
    /// A runbook
    Runbook,
    /// The severity table
    Severity,
    /// What a postmortem template can say
    Postmortem,
    /// A drill's scenario
    Scenario,
    /// A chaos experiment
    Experiment,
    /// A game day's run sheet
    GameDay,
    /// The document that an API key of GoAlert is made with
    Goalert,
}

impl Word for ColorChoice {
    const WORDS: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("always", Self::Always), ("never", Self::Never)];
}

/// A parser of one word out of a closed set.
fn words<T: Word + Send + Sync>() -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(T::WORDS.iter().map(|(word, _)| *word)).try_map(|text| T::from_word(&text))
}

/// `changes`
#[derive(Clone, Debug, clap::Args)]
pub struct ChangesArgs {
    /// Around the start of this incident; without it, up to now
    #[arg(long, value_name = "ID")]
    pub incident: Option<String>,
    /// How far to look back, such as 2h
    #[arg(long, value_name = "SPAN")]
    pub since: Option<String>,
    /// Only what changed this service, or does not say what it changed
    #[arg(long)]
    pub service: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_hold_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_promised_lines_parse() {
        for line in [
            "",
            "demo --seed 7",
            "init --config x.yaml",
            "check",
            "check a b -o json",
            "check --online slos -o json",
            "check --rules",
            "doctor -o json",
            "config show -o json",
            "config path",
            "schema runbook",
            "schema runbook --reference",
            "slo list -o json",
            "slo show api_availability",
            "alerts --output json --read-only",
            "incident declare --title T --severity SEV2 --service S --runbook r --alert a7ff --alert b8 -o json",
            "incident list --all",
            "incident show INC-20260501-031204 -o json",
            "incident ack INC-1",
            "incident note INC-1 text --at -7m --kind hypothesis",
            "incident note INC-1 text --at 03:10 --kind action",
            "incident status INC-1 mitigating --message text",
            "incident severity INC-1 SEV1 --reason text",
            "incident role INC-1 commander alice",
            "incident mitigated INC-1 --at -3m",
            "incident resolve INC-1 --summary text",
            "incident reopen INC-1 --reason text",
            "incident action INC-1 text --owner bob --due 2026-06-01",
            "incident link INC-1 --alert a7ff",
            "incident timeline INC-1 --format csv",
            "incident timers INC-1",
            "incident timers",
            "silence list --all -o json",
            "silence create DiskFull instance=db-1 --for 2h --comment known --dry-run",
            "silence create DiskFull --comment mine --ack --incident last --source main",
            "silence extend 6f1 --by 30m",
            "silence expire 6f1 --source main",
            "incident declare --title T --severity SEV1 --page",
            "runbook list",
            "runbook show high-api-latency -o json",
            "runbook lint runbooks -o json",
            "runbook match --alert APILatencyHigh --label team=api -o json",
            "runbook coverage --check -o json",
            "runbook list api lat",
            "runbook match --alert A --url https://x/y",
            "runbook import docs/a.md docs --to runbooks -o json",
            "runbook walk high-api-latency --dry-run",
            "runbook walk high-api-latency --incident last --arm",
            "runbook dry-run high-api-latency --alert A --label a=b -o json",
            "drill list -o json",
            "drill run pool-exhaustion --headless --speed max --seed 7 -o json",
            "drill run s.yaml --headless --responder random",
            "drill run s.yaml --headless --responder script acts.yaml",
            "drill run s.yaml --speed 10",
            "drill report",
            "drill report last -o json",
            "drill from INC-1 --to scenarios",
            "schema scenario --reference",
            "postmortem INC-1 --out -",
            "postmortem check draft.md",
            "status --check",
            "watch --plain --heartbeat 0",
            "keys --md",
            "completions bash",
            "man",
            "--theme mono --ascii --slow --color never --log-level debug --time-zone Europe/Berlin --data-dir d",
        ] {
            let words = std::iter::once("midwatch").chain(line.split_whitespace());
            assert!(Args::try_parse_from(words).is_ok_and(|_| true), "{line}");
        }
        for line in [
            "check --rules a.yaml",
            "incident role INC-1 king alice",
            "postmortem",
            "drill run s --speed fast",
            "drill run s --speed 0",
            "drill run s --responder random",
            "runbook walk r --arm",
            "runbook import --to x",
            "runbook import a.md",
            "--theme pink",
            "--time-zone Mars/Base",
            "slo",
        ] {
            let words = std::iter::once("midwatch").chain(line.split_whitespace());
            assert!(Args::try_parse_from(words).is_err(), "{line}");
        }
    }

    #[test]
    fn lines_of_experiments_and_game_days_parse() {
        let parses =
            |line: &str| Args::try_parse_from(std::iter::once("midwatch").chain(line.split_whitespace())).is_ok();
        for line in [
            "schema game-day",
            "gameday day.yaml",
            "gameday day.yaml --check -o json",
            "gameday day.yaml --team",
            "gameday day.yaml --note text",
            "gameday day.yaml --report",
            "experiment list -o json",
            "experiment show network-latency",
            "experiment check experiments -o json",
            "experiment import a.json b.json --to experiments",
            "experiment run network-latency --dry -o json",
            "experiment run e.yaml --plain",
            "experiment rollback",
            "experiment rollback last --by-hand text",
            "experiment report last -o json",
            "schema experiment --reference",
        ] {
            assert!(parses(line), "{line}");
        }
        for line in ["experiment import a.json", "experiment run", "gameday", "gameday d.yaml --team --report"] {
            assert!(!parses(line), "{line}");
        }
    }
}
