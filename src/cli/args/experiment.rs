//! What may be typed after `midwatch experiment`.

use clap::Subcommand;
use std::path::PathBuf;

/// `experiment`
#[derive(Clone, Debug, clap::Args)]
pub struct ExperimentArgs {
    /// What about them.
    #[command(subcommand)]
    pub what: ExperimentCommand,
}

/// What about experiments.
#[derive(Clone, Debug, Subcommand)]
pub enum ExperimentCommand {
    /// Experiments that can be run, and when each was run last
    List,
    /// Print an experiment's file
    Show {
        /// Its id, or a file
        experiment: String,
    },
    /// Find what would not keep an experiment safe; without paths, the configured ones
    Check {
        /// Files and folders
        paths: Vec<PathBuf>,
    },
    /// Write experiments of Chaos Toolkit anew for a person to complete; never overwrites
    Import {
        /// Their files, JSON or YAML
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The folder for the new files
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Run an experiment: everything is shown and confirmed first, and taken back on every way out
    Run {
        /// Its id, or a file
        experiment: String,
        /// On the simulated production, at once; nothing is run
        #[arg(long)]
        dry: bool,
        /// As lines instead of a screen
        #[arg(long)]
        plain: bool,
    },
    /// Take back what a run left in force whose process is gone
    Rollback {
        /// The run, the end of its name, or `last`; without it, the one that owes its rollback
        run: Option<String>,
        /// It was done by hand: what was done; nothing is run
        #[arg(long, value_name = "TEXT")]
        by_hand: Option<String>,
        /// As lines instead of a screen
        #[arg(long)]
        plain: bool,
    },
    /// The report of a run; without one, all runs
    Report {
        /// `last`, a run's name, or the end of one
        run: Option<String>,
    },
}
