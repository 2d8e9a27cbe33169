//! What may be typed after `midwatch runbook`.

use clap::Subcommand;
use std::path::PathBuf;

/// `runbook`
#[derive(Clone, Debug, clap::Args)]
pub struct RunbookArgs {
    /// What about them.
    #[command(subcommand)]
    pub what: RunbookCommand,
}

/// What about runbooks.
#[derive(Clone, Debug, Subcommand)]
pub enum RunbookCommand {
    /// Every runbook, or those that fit some words
    List {
        /// Parts of an id, a name or an alert; the best fit comes first
        #[arg(value_name = "WORDS")]
        words: Vec<String>,
    },
    /// One runbook with its steps
    Show {
        /// Its id
        id: String,
        /// Ask the Prometheus what the measurements of the checks suggest now
        #[arg(long)]
        suggest: bool,
    },
    /// Find what would fail at three in the morning
    Lint {
        /// Files and folders; without any, the configured ones
        paths: Vec<PathBuf>,
        /// Ask the configured Prometheus servers which alerts there are, too
        #[arg(long)]
        online: bool,
    },
    /// Write a plain runbook anew as `midwatch/v1`, with proposals in comments; never overwrites
    Convert {
        /// The file
        file: PathBuf,
        /// The new file; without it, the text is printed
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Which runbook belongs to an alert, and why
    Match {
        /// The alert's name
        #[arg(long, value_name = "NAME")]
        alert: String,
        /// A label of the alert; may be repeated
        #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
        label: Vec<(String, String)>,
        /// The alert's `runbook_url`
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// Which alerts of the servers have a runbook, which runbooks have no alert, which are stale
    Coverage {
        /// Exit 1 when fewer than 90 % of the alerts have one
        #[arg(long)]
        check: bool,
    },
    /// Turn pages of Markdown into runbooks for a person to review; never overwrites
    Import {
        /// Pages, and folders of pages
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// The folder for the new files
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Follow a runbook line by line, with numbered prompts
    Walk {
        /// Its id or file
        id: String,
        /// The incident whose timeline records the walk
        #[arg(long, value_name = "ID")]
        incident: Option<String>,
        /// Show each command as it would run, run and record nothing
        #[arg(long, conflicts_with_all = ["arm", "incident"])]
        dry_run: bool,
        /// Allow running commands, each after a confirmation that shows exactly what runs
        #[arg(long, requires = "incident")]
        arm: bool,
    },
    /// Commands that wait for a second person, with the code that approves each
    Approvals {
        /// The incident, or `last`; without it, all open ones
        incident: Option<String>,
        /// Approved, used and denied ones too
        #[arg(long)]
        all: bool,
    },
    /// Approve, as the second person, exactly the command of a code, once
    Approve {
        /// The incident, or `last`
        incident: String,
        /// The six letters that `approvals` and the cockpit of who asked show
        code: String,
    },
    /// Show each command exactly as it would run; run none
    DryRun {
        /// Its id or file
        id: String,
        /// The alert whose labels are the values
        #[arg(long, value_name = "NAME")]
        alert: Option<String>,
        /// A label of the alert; may be repeated
        #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
        label: Vec<(String, String)>,
        /// What a person would answer or a command would print, by its name; may be repeated
        #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
        input: Vec<(String, String)>,
    },
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
