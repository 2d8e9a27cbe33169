//! What may be typed after `midwatch pages`: one word per act on an incident at a paging product.

use crate::app::update::Deal;
use clap::Subcommand;

/// `pages`
#[derive(Clone, Debug, clap::Args)]
pub struct PagesArgs {
    /// What to do with one of them; all that are open are shown when left out
    #[command(subcommand)]
    pub what: Option<PagesCommand>,
}

/// Which incident there.
#[derive(Clone, Debug, clap::Args)]
pub struct Which {
    /// Its number or id there, or TARGET/ID where two have the same
    #[arg(value_name = "PAGE")]
    pub page: String,
    /// Send it although it wakes or tells other people, or cannot be repeated safely
    #[arg(long)]
    pub yes: bool,
}

/// What to do with an incident there.
#[derive(Clone, Debug, Subcommand)]
pub enum PagesCommand {
    /// Take it
    Ack(Which),
    /// Give it back, so that it escalates again
    Unack(Which),
    /// Keep it quiet for a while
    Snooze {
        #[command(flatten)]
        which: Which,
        /// For how many minutes
        #[arg(long, value_name = "N")]
        minutes: u32,
    },
    /// Send it to a level of its policy
    Escalate {
        #[command(flatten)]
        which: Which,
        /// The level, from 1
        #[arg(long, value_name = "N")]
        level: u32,
    },
    /// Give it to a person
    Reassign {
        #[command(flatten)]
        which: Which,
        /// A person who is on call or has it: name, address or id there
        #[arg(long, value_name = "PERSON")]
        to: String,
    },
    /// Ask a person to join
    Join {
        #[command(flatten)]
        which: Which,
        /// A person who is on call or has it: name, address or id there
        #[arg(long, value_name = "PERSON")]
        to: String,
        /// What they are asked
        #[arg(long, value_name = "TEXT")]
        message: String,
    },
    /// Add a line to it
    Note {
        #[command(flatten)]
        which: Which,
        /// The line
        text: String,
    },
    /// Tell its subscribers
    Tell {
        #[command(flatten)]
        which: Which,
        /// What they are told
        text: String,
    },
    /// Set its priority
    Priority {
        #[command(flatten)]
        which: Which,
        /// The name of the priority there, such as P1
        name: String,
    },
    /// Set its title
    Title {
        #[command(flatten)]
        which: Which,
        /// The new title
        text: String,
    },
    /// Join other open incidents there into it
    Merge {
        #[command(flatten)]
        which: Which,
        /// Their numbers or ids there
        #[arg(required = true, value_name = "PAGE")]
        sources: Vec<String>,
    },
    /// End it there
    Resolve {
        #[command(flatten)]
        which: Which,
        /// What ended it
        #[arg(long, value_name = "TEXT")]
        text: Option<String>,
    },
    /// Say that it belongs to an incident of ours; nothing is sent
    Link {
        #[command(flatten)]
        which: Which,
        /// The incident
        #[arg(long, value_name = "ID")]
        incident: String,
    },
    /// Say that it belongs to none of ours; nothing is sent
    Unlink {
        #[command(flatten)]
        which: Which,
        /// Why it does not belong here
        #[arg(long)]
        reason: String,
    },
}

/// An act in the words of the machine.
#[derive(Clone, Debug)]
pub struct Act<'a> {
    /// What.
    pub deal: Deal,
    /// Which.
    pub which: &'a Which,
    /// Who, where somebody is meant.
    pub to: Option<&'a str>,
    /// Minutes, a level, a name, ids or words.
    pub typed: String,
}

impl PagesCommand {
    /// As one act, whatever it is called.
    pub fn act(&self) -> Act<'_> {
        let (deal, which, to, typed) = match self {
            Self::Ack(which) => (Deal::Acknowledge, which, None, String::new()),
            Self::Unack(which) => (Deal::GiveBack, which, None, String::new()),
            Self::Snooze { which, minutes } => (Deal::Snooze, which, None, minutes.to_string()),
            Self::Escalate { which, level } => (Deal::Escalate, which, None, level.to_string()),
            Self::Reassign { which, to } => (Deal::Reassign, which, Some(to.as_str()), String::new()),
            Self::Join { which, to, message } => (Deal::Responders, which, Some(to.as_str()), message.clone()),
            Self::Note { which, text } => (Deal::Note, which, None, text.clone()),
            Self::Tell { which, text } => (Deal::StatusUpdate, which, None, text.clone()),
            Self::Priority { which, name } => (Deal::Priority, which, None, name.clone()),
            Self::Title { which, text } => (Deal::Title, which, None, text.clone()),
            Self::Merge { which, sources } => (Deal::Merge, which, None, sources.join(" ")),
            Self::Resolve { which, text } => (Deal::Resolve, which, None, text.clone().unwrap_or_default()),
            Self::Link { which, incident } => (Deal::Link, which, None, incident.clone()),
            Self::Unlink { which, reason } => (Deal::Link, which, None, reason.clone()),
        };
        Act { deal, which, to, typed }
    }
}
