//! What may be typed after `midwatch incident`. The life of an incident, one word per act of a responder.

use crate::domain::import::Shape;
use crate::domain::incident::event::{NoteKind, Role, Status};
use crate::domain::incident::state::ActionType;
use chrono::NaiveDate;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

/// `incident`
#[derive(Clone, Debug, clap::Args)]
pub struct IncidentArgs {
    /// What about it.
    #[command(subcommand)]
    pub what: IncidentCommand,
}

/// What about incidents. A time is `-7m`, `03:10` in the local zone, or RFC 3339.
#[derive(Clone, Debug, Subcommand)]
pub enum IncidentCommand {
    /// Open an incident
    Declare {
        /// What hurts, in one line
        #[arg(long)]
        title: String,
        /// Its severity, such as SEV2
        #[arg(long)]
        severity: String,
        /// The service that hurts
        #[arg(long)]
        service: Option<String>,
        /// The runbook to follow
        #[arg(long, value_name = "ID")]
        runbook: Option<String>,
        /// An alert that belongs to it; may be repeated
        #[arg(long, value_name = "FINGERPRINT")]
        alert: Vec<String>,
        /// When it was noticed
        #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
        at: Option<String>,
        /// Page the on-call for it, through the target that pages
        #[arg(long)]
        page: bool,
    },
    /// Page the on-call for an incident; shows who that is, and what time it is for them, without --yes
    Page {
        /// The incident
        id: String,
        /// Page them
        #[arg(long)]
        yes: bool,
    },
    /// Open incidents
    List {
        /// Also resolved ones
        #[arg(long)]
        all: bool,
    },
    /// One incident with everything known about it
    Show {
        /// The incident
        id: String,
    },
    /// Take it
    Ack {
        /// The incident
        id: String,
    },
    /// Add a line to the timeline
    Note {
        /// The incident
        id: String,
        /// The line
        text: String,
        /// When it happened
        #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
        at: Option<String>,
        /// What the line is
        #[arg(long, value_enum, default_value_t)]
        kind: LineKind,
    },
    /// Say where it stands
    Status {
        /// The incident
        id: String,
        /// Where it stands
        #[arg(value_parser = status())]
        status: Status,
        /// What to tell about it
        #[arg(long)]
        message: Option<String>,
    },
    /// Change the severity
    Severity {
        /// The incident
        id: String,
        /// The new one
        severity: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Give a role to a person; `-` clears it
    Role {
        /// The incident
        id: String,
        /// The role
        #[arg(value_parser = role())]
        role: Role,
        /// The person
        #[arg(allow_hyphen_values = true)]
        person: String,
    },
    /// The pain stopped
    Mitigated {
        /// The incident
        id: String,
        /// When it stopped
        #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
        at: Option<String>,
    },
    /// It is over
    Resolve {
        /// The incident
        id: String,
        /// What it was and what ended it
        #[arg(long)]
        summary: String,
    },
    /// It is not over
    Reopen {
        /// The incident
        id: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Note something to do afterwards
    Action {
        /// The incident
        id: String,
        /// What to do
        text: String,
        /// Who does it
        #[arg(long)]
        owner: Option<String>,
        /// Until when
        #[arg(long)]
        due: Option<String>,
        /// What it does about the next time
        #[arg(long = "type", value_name = "TYPE", value_parser = action_type())]
        does: Option<ActionType>,
    },
    /// Tie an alert to it
    Link {
        /// The incident
        id: String,
        /// The alert; may be repeated
        #[arg(long, value_name = "FINGERPRINT", required = true)]
        alert: Vec<String>,
    },
    /// Give a task with a time to come back, or say what became of one
    Task {
        /// The incident
        id: String,
        /// What is to be done
        text: Option<String>,
        /// Who does it
        #[arg(long)]
        owner: Option<String>,
        /// When the owner comes back, such as 10m; with --extend, how much more time
        #[arg(long = "in", value_name = "SPAN")]
        within: Option<String>,
        /// A task that is done, by the number of its entry
        #[arg(long, value_name = "N", conflicts_with = "text")]
        done: Option<String>,
        /// A task that is dropped; --reason says why
        #[arg(long, value_name = "N", conflicts_with_all = ["text", "done"])]
        drop: Option<String>,
        /// A task that gets more time
        #[arg(long, value_name = "N", conflicts_with_all = ["text", "done", "drop"])]
        extend: Option<String>,
        /// A task that --owner takes over
        #[arg(long, value_name = "N", conflicts_with_all = ["text", "done", "drop", "extend"])]
        hand: Option<String>,
        /// What came of it, or why it is dropped
        #[arg(long)]
        reason: Option<String>,
    },
    /// Record a decision, propose one, or say what became of a proposal
    Decide {
        /// The incident
        id: String,
        /// What is decided, or the objection
        text: Option<String>,
        /// It is only proposed
        #[arg(long)]
        propose: bool,
        /// A proposal that is what we do, by the number of its entry
        #[arg(long, value_name = "N", conflicts_with = "propose")]
        choose: Option<String>,
        /// A decision that TEXT objects to
        #[arg(long, value_name = "N", conflicts_with_all = ["propose", "choose"])]
        object: Option<String>,
        /// A proposal that is dropped; TEXT says why
        #[arg(long, value_name = "N", conflicts_with_all = ["propose", "choose", "object"])]
        drop: Option<String>,
    },
    /// Record a guess at the cause, or what is believed of one
    Hypothesis {
        /// The incident
        id: String,
        /// The guess, or why it is believed
        text: String,
        /// It is so, by the number of its entry
        #[arg(long, value_name = "N")]
        confirm: Option<String>,
        /// It is not so
        #[arg(long, value_name = "N", conflicts_with = "confirm")]
        reject: Option<String>,
        /// It may be so again
        #[arg(long, value_name = "N", conflicts_with_all = ["confirm", "reject"])]
        reopen: Option<String>,
    },
    /// Show the playbook, or tick a line of it
    Checklist {
        /// The incident
        id: String,
        /// A line that is done: its number, or a piece of it
        #[arg(long, value_name = "LINE")]
        tick: Option<String>,
        /// A line that is open again
        #[arg(long, value_name = "LINE", conflicts_with = "tick")]
        untick: Option<String>,
    },
    /// Record that stakeholders were told; without TEXT print a draft of what to tell
    Update {
        /// The incident
        id: String,
        /// What they were told
        text: Option<String>,
        /// Who was told
        #[arg(long, default_value = "stakeholders")]
        audience: String,
        /// When they hear again, such as 30m
        #[arg(long, value_name = "SPAN")]
        next: Option<String>,
    },
    /// Everything the next commander must know, on one page
    Handoff {
        /// The incident
        id: String,
    },
    /// Close an incident as a part of another one
    Merge {
        /// The incident that is closed
        id: String,
        /// The incident that goes on
        #[arg(long, value_name = "ID")]
        into: String,
    },
    /// Say that two incidents have to do with each other
    Relate {
        /// The incident
        id: String,
        /// The other one
        other: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Say that somebody takes part, or has left
    People {
        /// The incident
        id: String,
        /// Who; without it, who takes part is listed
        person: Option<String>,
        /// They have left
        #[arg(long, requires = "person")]
        left: bool,
    },
    /// The record in order
    Timeline {
        /// The incident
        id: String,
        /// In which form
        #[arg(long, value_enum, default_value_t)]
        format: TimelineFormat,
        /// Which entries
        #[command(flatten)]
        which: Which,
        /// Only entries with these words; also `kind:note`, `who:alice`, `tag:db`, `is:excluded`
        #[arg(value_name = "WORD")]
        words: Vec<String>,
        /// With the name of every entry, for `pin`, `redact` and the like
        #[arg(long)]
        refs: bool,
    },
    /// Take in what was written elsewhere: a pasted chat, a Slack export, a table, a pager's log, a journal
    Import {
        /// The incident
        id: String,
        /// The file; `-` is standard input
        file: PathBuf,
        /// Its shape; found out by itself
        #[arg(long, value_parser = shape())]
        shape: Option<Shape>,
        /// The zone of times that have none, such as Europe/Berlin
        #[arg(long, value_name = "ZONE")]
        zone: Option<chrono_tz::Tz>,
        /// The day of the first time that has none (YYYY-MM-DD); else the one nearest to the declaration
        #[arg(long)]
        date: Option<NaiveDate>,
        /// Record it; without this it is only shown
        #[arg(long)]
        yes: bool,
    },
    /// Take the text of entries out of the record for good; that it was done stays
    Redact {
        /// The incident
        id: String,
        /// The entry, as `timeline --refs` names it
        #[arg(required_unless_present = "containing", conflicts_with = "containing")]
        entry: Option<String>,
        /// Every entry that holds the text on standard input
        #[arg(long)]
        containing: bool,
        /// Why; not the text itself
        #[arg(long)]
        reason: String,
    },
    /// Mark an entry as one that matters
    Pin(MarkArgs),
    /// Put an entry under a word
    Tag {
        /// Which entry
        #[command(flatten)]
        mark: MarkArgs,
        /// The word
        #[arg(long = "as", value_name = "TAG")]
        tag: String,
    },
    /// Leave an entry out of the postmortem
    Exclude(MarkArgs),
    /// Search all timelines and postmortems
    Search {
        /// Words; also `kind:decision`, `who:alice`, `-word`
        #[arg(required = true, value_name = "WORD")]
        words: Vec<String>,
        /// Only in this incident
        #[arg(long = "in", value_name = "ID")]
        within: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Past incidents that are like one, and why
    Similar {
        /// The incident
        id: String,
    },
    /// Check the record: chains, order, what may be there once, redactions; exit 1 when something is wrong
    Verify {
        /// The incident; without one, the whole record
        id: Option<String>,
    },
    /// Its room in the chat; what is to be done there a running cockpit sends
    Room {
        /// The incident
        id: String,
        /// What about it; shown when left out
        #[command(subcommand)]
        what: Option<RoomCommand>,
    },
    /// Open tickets for the action items that have none, or for the incident when it has no action items
    Ticket(TicketArgs),
    /// Its notice on the public status page
    Statuspage {
        /// The incident
        id: String,
        /// What about it; shown when left out
        #[command(subcommand)]
        what: Option<StatuspageCommand>,
    },
    /// What is due when
    Timers {
        /// The incident; without one, all open ones
        id: Option<String>,
    },
}

/// What about an incident's notice.
#[derive(Clone, Debug, Subcommand)]
pub enum StatuspageCommand {
    /// Where it stands, what is open on the page, and its components
    Show {
        /// At this page; the first one when left out
        #[arg(long, value_name = "NAME")]
        to: Option<String>,
    },
    /// Open the notice, or add to the one that is open; shows what it would say without --yes
    Publish(PublishArgs),
}

impl StatuspageCommand {
    /// The page that is named.
    pub fn to(&self) -> Option<&str> {
        match self {
            Self::Show { to } => to.as_deref(),
            Self::Publish(args) => args.to.as_deref(),
        }
    }
}

/// What customers are told.
#[derive(Clone, Debug, clap::Args)]
pub struct PublishArgs {
    /// Where it stands: investigating, identified, monitoring or resolved
    pub status: String,
    /// What customers read
    pub text: String,
    /// The title of a new notice; that of the incident when left out
    #[arg(long)]
    pub title: Option<String>,
    /// How bad it is, for a new notice: none, minor, major or critical
    #[arg(long)]
    pub impact: Option<String>,
    /// The state of a component, such as API=major_outage; may be repeated
    #[arg(long, value_name = "NAME=STATE")]
    pub component: Vec<String>,
    /// At this page; the first one when left out
    #[arg(long, value_name = "NAME")]
    pub to: Option<String>,
    /// Publish it
    #[arg(long)]
    pub yes: bool,
}

/// Which tickets.
#[derive(Clone, Debug, clap::Args)]
pub struct TicketArgs {
    /// The incident
    pub id: String,
    /// Only for this action item, by its number in the list
    #[arg(long, value_name = "N", conflicts_with = "incident")]
    pub item: Option<usize>,
    /// For the incident itself
    #[arg(long)]
    pub incident: bool,
    /// At this tracker; the first one when left out
    #[arg(long, value_name = "NAME")]
    pub to: Option<String>,
    /// Only show which there are
    #[arg(long, conflicts_with_all = ["item", "incident", "to"])]
    pub list: bool,
}

/// Which entry, and whether it gets the mark.
#[derive(Clone, Debug, clap::Args)]
pub struct MarkArgs {
    /// The incident
    pub id: String,
    /// The entry, as `timeline --refs` names it
    pub entry: String,
    /// Take the mark away
    #[arg(long)]
    pub off: bool,
}

/// Which entries of a timeline.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Which {
    /// Only of this kind; may be repeated
    #[arg(long, value_name = "KIND")]
    pub kind: Vec<String>,
    /// Only by this person; may be repeated
    #[arg(long, value_name = "PERSON")]
    pub who: Vec<String>,
    /// Only with this tag; may be repeated
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Only pinned ones
    #[arg(long)]
    pub pinned: bool,
    /// Not before
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Not after
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub until: Option<String>,
}

/// What about an incident's room.
#[derive(Clone, Debug, Subcommand)]
pub enum RoomCommand {
    /// Where it is, what it says and what is on its way to it
    Show,
    /// Open it
    Open {
        /// Its name, when it shall not be that of the incident
        #[arg(long)]
        name: Option<String>,
    },
    /// Post to it
    Post {
        /// What everybody there reads
        text: String,
    },
    /// Invite somebody into it
    Invite {
        /// A name of the record, an address, or an id there
        person: String,
    },
}

/// What a line of the timeline is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LineKind {
    /// Something seen or done
    #[default]
    Note,
    /// Something decided
    Decision,
    /// A guess at the cause
    Hypothesis,
    /// A fact found
    Finding,
    /// Something to do afterwards
    Action,
}

impl LineKind {
    /// The kind of note; `None` for an action item.
    pub fn note(self) -> Option<NoteKind> {
        match self {
            Self::Note => Some(NoteKind::Note),
            Self::Decision => Some(NoteKind::Decision),
            Self::Hypothesis => Some(NoteKind::Hypothesis),
            Self::Finding => Some(NoteKind::Finding),
            Self::Action => None,
        }
    }
}

/// In which form a timeline is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TimelineFormat {
    /// Lines for people
    #[default]
    Text,
    /// Markdown
    Md,
    /// Comma-separated values
    Csv,
    /// One JSON document per line
    Jsonl,
}

fn shape() -> impl TypedValueParser<Value = Shape> {
    PossibleValuesParser::new(Shape::ALL.map(Shape::word))
        .try_map(|text| Shape::named(&text).ok_or_else(|| format!("no shape `{text}`")))
}

fn status() -> impl TypedValueParser<Value = Status> {
    PossibleValuesParser::new(Status::ALL.map(Status::word)).try_map(|text| {
        Status::ALL.into_iter().find(|status| status.word() == text).ok_or_else(|| format!("no status `{text}`"))
    })
}

fn action_type() -> impl TypedValueParser<Value = ActionType> {
    PossibleValuesParser::new(ActionType::ALL.map(ActionType::word)).try_map(|text| {
        ActionType::ALL.into_iter().find(|does| does.word() == text).ok_or_else(|| format!("no type `{text}`"))
    })
}

fn role() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::word)).try_map(|text| {
        Role::ALL.into_iter().find(|role| role.word() == text).ok_or_else(|| format!("no role `{text}`"))
    })
}
