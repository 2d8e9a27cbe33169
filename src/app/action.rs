//! The one table of actions. Dispatch, key hints, help, command palette and the README's key table all read it.

use crate::app::key::{Code, Key};

/// Everything a person can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Top,
    Bottom,
    NextPane,
    PrevPane,
    Open,
    Back,
    Cancel,
    Overview,
    Slos,
    Incident,
    Timers,
    Runbooks,
    Alerts,
    Sources,
    Messages,
    Outbox,
    Help,
    Palette,
    Filter,
    Search,
    Copy,
    Page,
    Links,
    Zone,
    Undo,
    Redraw,
    Suspend,
    Quit,
    Ack,
    Declare,
    Note,
    Decision,
    Hypothesis,
    Finding,
    Task,
    Propose,
    Update,
    HandOff,
    Board,
    Merge,
    Relate,
    People,
    ActionItem,
    Tickets,
    StatusPage,
    Status,
    Severity,
    Roles,
    Mitigated,
    Resolve,
    Reopen,
    Correct,
    Pin,
    Tag,
    Exclude,
    Redact,
    LinkAlert,
    Follow,
    Escalate,
    AnswerTimer,
    Runbook,
    Postmortem,
    Changes,
    WhatChanged,
    OwnService,
    RollBack,
    Approve,
    Arm,
    Disarm,
    Stop,
    StepDone,
    StepSkip,
    StepFail,
    StepReopen,
    NextStep,
    PrevStep,
    LookAgain,
    Yes,
    No,
    Unsure,
    ChartWindow,
    WriteDraft,
    EditDraft,
    Retry,
    SendNow,
    DropSend,
    ByHand,
    PageOnCall,
    Backend,
    SilenceAlert,
    AckAlert,
    ExtendSilence,
    ExpireSilence,
    Room,
    RoomPost,
    RoomInvite,
    Volunteer,
    ReplayPlay,
    ReplayNext,
    ReplayBefore,
    ReplayMinuteOn,
    ReplayMinuteBack,
    ReplayDecision,
    ReplayDecisionBefore,
    ReplayFaster,
    ReplaySlower,
    ReplayStart,
    ReplayEnd,
}

/// Where a key is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Every screen.
    Global,
    /// Overview, objectives and the library.
    Lists,
    /// Alerts and silences.
    Alerts,
    /// One objective.
    Slo,
    /// One incident.
    Incident,
    /// The commander's desk.
    Board,
    /// All timers.
    Timers,
    /// A runbook being walked.
    Walk,
    /// Changes in force.
    Changes,
    /// What changed.
    WhatChanged,
    /// A draft.
    Postmortem,
    /// Sources.
    Sources,
    /// What leaves.
    Outbox,
    /// Every screen of a replay, before the screen's own.
    Replay,
}

impl Scope {
    /// Its name in help and in the README.
    pub fn word(self) -> &'static str {
        match self {
            Self::Global => "everywhere",
            Self::Lists => "overview, lists",
            Self::Alerts => "alerts",
            Self::Slo => "objective",
            Self::Incident => "incident",
            Self::Board => "desk",
            Self::Timers => "timers",
            Self::Walk => "runbook walk",
            Self::Changes => "changes",
            Self::WhatChanged => "what changed",
            Self::Postmortem => "postmortem",
            Self::Sources => "sources",
            Self::Outbox => "outbox",
            Self::Replay => "replay",
        }
    }
}

/// What stands between the key and the deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Looks only.
    View,
    /// At once; `u` takes it back.
    Reversible,
    /// Asks; only `y` does it.
    Asks,
    /// A word must be typed.
    Typed,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The action.
    pub action: Action,
    /// Its name in configuration.
    pub id: &'static str,
    /// Its name in the palette.
    pub title: &'static str,
    /// Its name in the last line; empty is not shown there.
    pub hint: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
    /// Where they are bound.
    pub scopes: &'static [Scope],
    /// What stands before it.
    pub tier: Tier,
    /// It changes a record or runs something; dropped by read-only mode.
    pub changes: bool,
}

macro_rules! table {
    ($($action:ident $id:literal $title:literal $hint:literal [$($key:expr),*] [$($scope:ident),*] $tier:ident $changes:literal;)*) => {
        /// The table. Its order is the order of hints and help.
        pub const ACTIONS: &[Entry] = &[$(Entry {
            action: Action::$action, id: $id, title: $title, hint: $hint, keys: &[$($key),*],
            scopes: &[$(Scope::$scope),*], tier: Tier::$tier, changes: $changes,
        }),*];
    };
}

const fn c(c: char) -> Key {
    Key::char(c)
}
const fn k(code: Code) -> Key {
    Key::plain(code)
}

table! {
    Open        "open"         "Open, or run what is selected"      "open"     [k(Code::Enter)] [Global] View false;
    Ack         "ack"          "Acknowledge the incident"           "ack"      [c('a')] [Lists, Alerts, Incident, Board] Reversible true;
    Declare     "declare"      "Declare an incident"                "new"      [c('i')] [Lists, Alerts] Reversible true;
    SilenceAlert "silence"     "Silence alerts, with a look at which" "silence" [c('s')] [Alerts] Asks true;
    AckAlert    "ack-alert"    "Acknowledge alerts: hold them for 15 minutes" "ack alert" [c('K')] [Alerts, Incident] Asks true;
    ExtendSilence "extend-silence" "Make a silence longer"          "extend"   [c('e')] [Alerts] Reversible true;
    ExpireSilence "expire-silence" "End a silence"                  "end it"   [c('x')] [Alerts] Asks true;
    Note        "note"         "Add a note"                         "note"     [c('n')] [Lists, Alerts, Incident, Board, Walk, Timers] Reversible true;
    Status      "status"       "Set the status, tell stakeholders"  "status"   [c('s')] [Incident, Board] Reversible true;
    Severity    "severity"     "Change the severity"                "sev"      [c('v')] [Incident, Board] Reversible true;
    Roles       "roles"        "Give roles, take command"           "roles"    [c('c')] [Incident, Board] Reversible true;
    Task        "task"         "Give a task, with a time to come back"  "task"  [c('w')] [Incident, Board] Reversible true;
    Update      "update"       "Tell stakeholders, from a draft"    "update"   [c('U')] [Incident, Board] Reversible true;
    HandOff     "hand-off"     "Everything the next commander must know" "hand-off" [c('H')] [Incident, Board] View false;
    StepDone    "step-done"    "Step or line done"                  "done"     [c('d')] [Walk] Reversible true;
    StepSkip    "step-skip"    "Skip the step, with a reason"       "skip"     [c('s')] [Walk] Reversible true;
    StepFail    "step-fail"    "The step failed, with a reason"     "failed"   [c('f')] [Walk] Reversible true;
    Yes         "check-yes"    "Answer the check: yes"              "yes"      [c('y')] [Walk] Reversible true;
    No          "check-no"     "Answer the check: no"               "no"       [c('N')] [Walk] Reversible true;
    Unsure      "check-unsure" "Answer the check: unsure"           ""         [c('m')] [Walk] Reversible true;
    NextStep    "next-step"    "Look at the next step"              ""         [k(Code::Right), c('l')] [Walk] View false;
    PrevStep    "prev-step"    "Look at the step before"            ""         [k(Code::Left), c('h')] [Walk] View false;
    LookAgain   "look-again"   "Show the runbook as its file is now" ""        [c('V')] [Walk] View false;
    StepReopen  "step-reopen"  "Open the step again"                ""         [] [Walk] Reversible true;
    RollBack    "roll-back"    "Take the last (or selected) change back" "roll back" [c('b')] [Walk, Changes, Incident] Asks true;
    Stop        "stop"         "Stop the running command"           "stop"     [Key::ctrl('x')] [Walk, Changes] Asks true;
    Runbook     "runbook"      "Open the runbook"                   "runbook"  [c('r')] [Lists, Alerts, Slo, Incident, Board, Timers] View false;
    WhatChanged "what-changed" "What changed? around the start, beside the burn chart" "changed" [c('C')] [Lists, Slo, Incident, Board] View false;
    OwnService  "own-service"  "Only changes of its own service, or all" "service" [c('f')] [WhatChanged] View false;
    Escalate    "escalate"     "Escalate: tell the next contact"    "escalate" [c('e')] [Incident, Board] Reversible true;
    Mitigated   "mitigated"    "Mark mitigated"                     ""         [c('m')] [Incident, Board] Reversible true;
    Decision    "decision"     "Record a decision"                  ""         [c('d')] [Incident, Board] Reversible true;
    ActionItem  "action-item"  "Add an action item"                 ""         [c('+')] [Incident, Board, Walk] Reversible true;
    Hypothesis  "hypothesis"   "Record a hypothesis"                ""         [c('i')] [Incident, Board] Reversible true;
    Finding     "finding"      "Record a finding"                   ""         [c('f')] [Board] Reversible true;
    Correct     "correct"      "Correct the selected entry"         ""         [c('E')] [Incident] Reversible true;
    Pin         "pin"          "Pin the selected entry, or unpin it" ""        [c('*')] [Incident] Reversible true;
    Tag         "tag"          "Tag the selected entry"             ""         [c('#')] [Incident] Reversible true;
    Exclude     "exclude"      "Leave the entry out of the postmortem, or take it back in" "" [c('-')] [Incident] Reversible true;
    Redact      "redact"       "Take the text of the entry out of the record" "" [] [Incident] Typed true;
    LinkAlert   "link-alert"   "Link the selected alert to the worst incident" "" [c('L')] [Lists, Alerts] Reversible true;
    Propose     "propose"      "Propose something to decide"        "propose"  [c('p')] [Board] Reversible true;
    Merge       "merge"        "Merge the incident into another one" ""        [] [Incident, Board] Typed true;
    Relate      "relate"       "Link the incident to another one"   ""         [] [Incident, Board] Reversible true;
    People      "people"       "Somebody takes part, or has left"   ""         [] [Incident, Board] Reversible true;
    Resolve     "resolve"      "Resolve the incident"               "resolve"  [c('x')] [Incident] Typed true;
    Reopen      "reopen"       "Reopen the incident"                ""         [] [Incident] Reversible true;
    Room        "room"         "Open the incident room, or copy its link" "room" [c('M')] [Incident, Board] Reversible true;
    RoomPost    "room-post"    "Post to the incident room"          "post"     [c('>')] [Incident, Board] Reversible true;
    RoomInvite  "room-invite"  "Invite somebody into the room"      ""         [c('@')] [Incident, Board] Reversible true;
    Tickets     "tickets"      "Open tickets for the action items"  ""         [] [Incident, Board, Postmortem] Reversible true;
    StatusPage  "status-page"  "Publish on the status page, after a look at it" "" [c('W')] [Incident, Board] Asks true;
    Volunteer   "volunteer"    "Confirm the volunteer as commander" ""         [c('V')] [Incident, Board] Asks true;
    Postmortem  "postmortem"   "Postmortem draft"                   "p.mortem" [c('p')] [Incident] View false;
    Follow      "follow"       "Follow the timeline"                ""         [c('f')] [Incident] View false;
    WriteDraft  "write-draft"  "Write the draft to its file"        "write"    [c('w')] [Postmortem] Reversible true;
    EditDraft   "edit-draft"   "Edit the draft in $EDITOR"          "edit"     [c('e')] [Postmortem] Reversible true;
    ChartWindow "window"       "Next chart window"                  "window"   [c('w')] [Slo] View false;
    Retry       "retry"        "Ask the source now"                 "retry"    [c('R')] [Sources] View false;
    SendNow     "send-now"     "Send it now, whatever it waits for" "send now" [c('s')] [Outbox] Reversible true;
    DropSend    "drop"         "Do not send it, with a reason"      "drop"     [c('d')] [Outbox] Reversible true;
    ByHand      "by-hand"      "I did it by hand"                   "by hand"  [c('b')] [Outbox] Asks true;
    PageOnCall  "page-on-call"        "Page the on-call"                   ""         [] [Incident] Asks true;
    Backend     "backend"      "Act on it at the paging product"    ""         [c('X')] [Lists, Alerts, Incident] Reversible true;
    ReplayPlay  "replay-play"  "Play or pause the replay"           "play"     [c(' ')] [Replay] View false;
    ReplayBefore "replay-before" "Replay: the event before"         "before"   [k(Code::Left)] [Replay] View false;
    ReplayNext  "replay-next"  "Replay: the next event"             "next"     [k(Code::Right)] [Replay] View false;
    ReplayDecision "replay-decision" "Replay: the next decision"    "decision" [c('d')] [Replay] View false;
    ReplayDecisionBefore "replay-decision-before" "Replay: the decision before" "" [c('D')] [Replay] View false;
    ReplayMinuteBack "replay-minute-back" "Replay: a minute back"   "-1m"      [c(',')] [Replay] View false;
    ReplayMinuteOn "replay-minute-on" "Replay: a minute on"         "+1m"      [c('.')] [Replay] View false;
    ReplayFaster "replay-faster" "Replay: faster"                   ""         [c('+')] [Replay] View false;
    ReplaySlower "replay-slower" "Replay: slower"                   ""         [c('-')] [Replay] View false;
    ReplayStart "replay-start" "Replay: where it was declared"      ""         [c('{')] [Replay] View false;
    ReplayEnd   "replay-end"   "Replay: the end of the record"      ""         [c('}')] [Replay] View false;
    AnswerTimer "answer-timer" "Answer the timer that is due"       "timer"    [c('T')] [Global] Reversible true;
    Filter      "filter"       "Filter the list"                    "filter"   [c('/')] [Global] View false;
    Search      "search"       "Search all timelines and postmortems" ""       [Key::ctrl('f')] [Global] View false;
    Palette     "palette"      "Commands"                           "cmds"     [c(':'), Key::ctrl('p')] [Global] View false;
    Help        "help"         "Help"                               "help"     [c('?'), k(Code::F(1))] [Global] View false;
    Back        "back"         "Back; on the last screen quit"      "back"     [c('q'), Key::ctrl('c')] [Global] View false;
    Cancel      "cancel"       "Close what lies on top"             ""         [k(Code::Esc)] [Global] View false;
    Up          "up"           "Up"                                 ""         [k(Code::Up), c('k')] [Global] View false;
    Down        "down"         "Down"                               ""         [k(Code::Down), c('j')] [Global] View false;
    Left        "left"         "Left"                               ""         [k(Code::Left), c('h')] [Global] View false;
    Right       "right"        "Right"                              ""         [k(Code::Right), c('l')] [Global] View false;
    PageUp      "page-up"      "Page up"                            ""         [k(Code::PageUp), Key::ctrl('u')] [Global] View false;
    PageDown    "page-down"    "Page down"                          ""         [k(Code::PageDown), Key::ctrl('d')] [Global] View false;
    Top         "top"          "First row"                          ""         [k(Code::Home), c('g')] [Global] View false;
    Bottom      "bottom"       "Last row"                           ""         [k(Code::End), c('G')] [Global] View false;
    NextPane    "next-pane"    "Next list"                          ""         [k(Code::Tab)] [Global] View false;
    PrevPane    "prev-pane"    "List before"                        ""         [k(Code::BackTab)] [Global] View false;
    Overview    "overview"     "Screen: overview"                   ""         [c('1')] [Global] View false;
    Slos        "slos"         "Screen: objectives"                 ""         [c('2')] [Global] View false;
    Incident    "incident"     "Screen: worst incident"             ""         [c('3')] [Global] View false;
    Timers      "timers"       "Screen: timers"                     ""         [c('4')] [Global] View false;
    Runbooks    "runbooks"     "Screen: runbooks"                   ""         [c('5')] [Global] View false;
    Alerts      "alerts"       "Screen: alerts"                     ""         [c('6')] [Global] View false;
    Sources     "sources"      "Screen: sources"                    ""         [c('7')] [Global] View false;
    Changes     "changes"      "Screen: changes in force"           ""         [c('8')] [Global] View false;
    Board       "desk"         "Screen: commander's desk"          ""         [c('0')] [Global] View false;
    Outbox      "outbox"       "Screen: outbox"                     ""         [c('9')] [Global] View false;
    Messages    "messages"     "Screen: messages"                   ""         [c('!')] [Global] View false;
    Copy        "copy"         "Copy what is selected"              ""         [c('y')] [Lists, Alerts, Slo, Incident, Board, Timers, Postmortem, Sources, Outbox, WhatChanged] View false;
    Page        "page"         "Show this screen as plain text outside" ""     [c('Y')] [Global] View false;
    Links       "links"        "Links"                              ""         [c('o')] [Global] View false;
    Zone        "zone"         "UTC or local time in lists"         ""         [c('t')] [Global] View false;
    Undo        "undo"         "Take back your last entry"          ""         [c('u')] [Global] Reversible true;
    Approve     "approve"      "Approve what another person asks for" ""       [] [Global] Typed true;
    Arm         "arm"          "Allow running commands for a while" ""         [] [Global] Typed true;
    Disarm      "disarm"       "Allow no commands"                  ""         [] [Global] View false;
    Redraw      "redraw"       "Draw everything again"              ""         [Key::ctrl('l')] [Global] View false;
    Suspend     "suspend"      "Suspend"                            ""         [Key::ctrl('z')] [Global] View false;
    Quit        "quit"         "Quit"                               ""         [] [Global] View false;
}

impl Action {
    /// Its row. Every variant has one (a test proves it), so the fallback is never used.
    pub fn entry(self) -> &'static Entry {
        static NONE: Entry = Entry {
            action: Action::Cancel,
            id: "",
            title: "",
            hint: "",
            keys: &[],
            scopes: &[],
            tier: Tier::View,
            changes: false,
        };
        ACTIONS.iter().find(|e| e.action == self).unwrap_or(&NONE)
    }

    /// The action of an id.
    pub fn by_id(id: &str) -> Option<Self> {
        ACTIONS.iter().find(|e| e.id == id).map(|e| e.action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn ids_are_unique_and_no_key_means_two_things_in_one_scope() {
        let mut ids = BTreeMap::new();
        let mut keys: BTreeMap<(Scope, Key), &str> = BTreeMap::new();
        for entry in ACTIONS {
            assert!(ids.insert(entry.id, ()).is_none(), "{} twice", entry.id);
            assert_eq!(Action::by_id(entry.id), Some(entry.action));
            for scope in entry.scopes {
                for key in entry.keys {
                    let other = keys.insert((*scope, *key), entry.id);
                    assert_eq!(other, None, "{key} in {scope:?}: {} and {other:?}", entry.id);
                }
            }
        }
    }

    #[test]
    fn letters_that_a_split_arrow_key_may_send_change_nothing() {
        for entry in ACTIONS.iter().filter(|e| e.changes) {
            for key in entry.keys {
                if let Code::Char(c) = key.code {
                    assert!(
                        !matches!(c, '[' | 'O' | 'A'..='D' | 'F' | 'H' | 'P'..='S' | 'Z' | '~'),
                        "{c} on {}",
                        entry.id
                    );
                }
            }
        }
    }
}
