//! What may be typed after `midwatch drill`.

use clap::Subcommand;
use std::path::PathBuf;

/// `drill`
#[derive(Clone, Debug, clap::Args)]
pub struct DrillArgs {
    /// What about them.
    #[command(subcommand)]
    pub what: DrillCommand,
}

/// What about drills.
#[derive(Clone, Debug, Subcommand)]
pub enum DrillCommand {
    /// Scenarios that can be played: the shipped ones and those that the configuration names
    List,
    /// Play a scenario; nothing in it is real
    Run(DrillRunArgs),
    /// Steer a running drill from a second terminal: a full screen, or one act per line
    #[command(override_usage = "midwatch drill control [DRILL] [ACT …]")]
    Control {
        /// The drill's name, the end of one, or its scenario; without it the one that runs
        drill: Option<String>,
        /// What to do; without it the screen
        #[command(subcommand)]
        act: Option<ControlAct>,
    },
    /// Sit down at a running drill, in a terminal of one's own
    Join {
        /// The drill's name, the end of one, or its scenario; without it the one that runs
        drill: Option<String>,
        /// Who sits down; without it the responder of the configuration
        #[arg(long = "as", value_name = "PERSON")]
        person: Option<String>,
    },
    /// The report of a drill; without one the history of all, by scenario, runbook and person
    Report {
        /// `last`, a drill's name, the end of one, or a scenario, of which it is the newest
        drill: Option<String>,
    },
    /// Turn a recorded incident into a scenario and a script of what was done; never overwrites
    From {
        /// The incident
        incident: String,
        /// The folder to write to; without it the current one
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
    },
}

/// What a facilitator does. All of it is in the drill's log and report.
#[derive(Clone, Debug, Subcommand)]
pub enum ControlAct {
    /// Where the drill stands: clock, players, injects to come, score so far, the real world
    Observe,
    /// An inject comes now, whatever its conditions say
    Fire {
        /// Its number or name
        inject: String,
    },
    /// An inject never comes
    Skip {
        /// Its number or name
        inject: String,
    },
    /// An inject comes later
    Delay {
        /// Its number or name
        inject: String,
        /// By how much: 2m, or -2m for nearer
        #[arg(allow_hyphen_values = true, value_parser = crate::app::facilitator::signed, value_name = "DURATION")]
        by: i64,
    },
    /// The players get a hint, which costs them points
    Hint {
        /// What they are told
        text: String,
        /// What it costs
        #[arg(long, default_value_t = crate::app::facilitator::COST, value_name = "POINTS")]
        cost: i64,
    },
    /// Somebody says something to the players
    Say {
        /// Who: support, executive, a customer
        persona: String,
        /// What
        text: String,
    },
    /// The clock runs faster or slower
    Speed {
        /// 1 to 60 times as fast as time
        times: u32,
    },
    /// The clock goes to the next inject at once
    Jump,
    /// The clock stands
    Pause,
    /// The clock runs again
    Continue,
    /// The drill is over
    Abort {
        /// Why
        why: Option<String>,
    },
}

/// `drill run`
#[derive(Clone, Debug, clap::Args)]
pub struct DrillRunArgs {
    /// The scenario's id, or a file
    pub scenario: String,
    /// Without a screen: nobody, chance or a script acts
    #[arg(long)]
    pub headless: bool,
    /// How much faster than real time: 1 to 60, or `max` without a screen
    #[arg(long, value_name = "FACTOR", value_parser = speed)]
    pub speed: Option<Speed>,
    /// Where chance comes from; without it the scenario's own seed
    #[arg(long)]
    pub seed: Option<u64>,
    /// Who acts without a screen: `nobody`, `random`, or `script FILE`
    #[arg(long, num_args = 1..=2, value_names = ["WHO", "FILE"], requires = "headless", value_parser = acting)]
    pub responder: Vec<String>,
}

/// How fast a drill runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// So many times as fast as time.
    Times(u32),
    /// As fast as the processor goes.
    Max,
}

fn speed(text: &str) -> Result<Speed, String> {
    match text {
        "max" => Ok(Speed::Max),
        _ => text
            .parse()
            .ok()
            .filter(|n| (1..=60).contains(n))
            .map(Speed::Times)
            .ok_or_else(|| "expected 1 to 60, or max".to_owned()),
    }
}

fn acting(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("expected nobody, random, or script FILE".to_owned()) } else { Ok(text.to_owned()) }
}
