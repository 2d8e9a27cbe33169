//! What may be typed after `midwatch gameday`.

use std::path::PathBuf;

/// `gameday`
#[derive(Clone, Debug, clap::Args)]
pub struct GamedayArgs {
    /// The run sheet; `midwatch gameday --example` prints one
    #[arg(required_unless_present = "example")]
    pub file: Option<PathBuf>,
    /// Say what is wrong with the sheet, and whether its scenarios and experiments are there
    #[arg(long, conflicts_with_all = ["team", "note", "report", "example"])]
    pub check: bool,
    /// The sheet as the teams may see it now: nothing that must not be told yet. On a terminal it follows the day
    #[arg(long, conflicts_with_all = ["note", "report", "example"])]
    pub team: bool,
    /// Write into the shared log of the day, from any terminal
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["report", "example"])]
    pub note: Option<String>,
    /// Line by line instead of the screen; so is everything without a terminal
    #[arg(long, conflicts_with_all = ["check", "note", "report", "example"])]
    pub plain: bool,
    /// Print the report as it stands
    #[arg(long, conflicts_with = "example")]
    pub report: bool,
    /// Print an example of a run sheet
    #[arg(long)]
    pub example: bool,
}
