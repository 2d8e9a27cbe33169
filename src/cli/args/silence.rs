//! What may be typed after `midwatch silence`.

use clap::Subcommand;

/// `silence`
#[derive(Clone, Debug, clap::Args)]
pub struct SilenceArgs {
    /// What about silences.
    #[command(subcommand)]
    pub what: SilenceCommand,
}

/// What about silences.
#[derive(Clone, Debug, Subcommand)]
pub enum SilenceCommand {
    /// Silences in force, with how many alerts each holds
    List {
        /// Those that ended lately too
        #[arg(long)]
        all: bool,
    },
    /// Make one, after a look at what it would hold; exit 1 when it would silence too much
    Create {
        /// Conditions that must all hold: alertname=DiskFull, 'instance=~"db-.*"', env!=dev
        #[arg(required = true, value_name = "CONDITION")]
        conditions: Vec<String>,
        /// How long, from now
        #[arg(long = "for", value_name = "DURATION", default_value = "1h")]
        length: String,
        /// Why; everybody reads it
        #[arg(long, value_name = "TEXT")]
        comment: String,
        /// At which Alertmanager, where there are several
        #[arg(long, value_name = "NAME")]
        source: Option<String>,
        /// For which incident
        #[arg(long, value_name = "ID")]
        incident: Option<String>,
        /// An acknowledgement: 15 minutes, made longer by a running cockpit while the alerts fire
        #[arg(long, conflicts_with = "length")]
        ack: bool,
        /// Also when no condition asks for a label to be there, or nothing that fires would be left
        #[arg(long)]
        sweeping: bool,
        /// Only tell what it would hold
        #[arg(long)]
        dry_run: bool,
    },
    /// Give one a later end
    Extend {
        /// Its id, or the beginning of it
        id: String,
        /// How much later than its end now
        #[arg(long, value_name = "DURATION")]
        by: String,
        /// At which Alertmanager, where there are several
        #[arg(long, value_name = "NAME")]
        source: Option<String>,
        /// Only tell what would be done
        #[arg(long)]
        dry_run: bool,
    },
    /// End one now
    Expire {
        /// Its id, or the beginning of it
        id: String,
        /// At which Alertmanager, where there are several
        #[arg(long, value_name = "NAME")]
        source: Option<String>,
        /// Only tell what would be done
        #[arg(long)]
        dry_run: bool,
    },
}
