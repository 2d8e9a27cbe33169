//! The types of the view model, from the whole frame down to a row.

mod board;
mod scrub;
mod what_changed;

pub use board::{BoardPage, BoardRow, HandOffPage};
pub use scrub::ScrubBar;
pub use what_changed::{RecentRow, WhatChangedPage};

use crate::domain::incident::event::EventKey;
use crate::domain::text::{clean, width, wrap};
use crate::domain::time::{Span, Timestamp};

/// What a text means; a theme gives it a colour. Colour repeats what words and signs say, never carries it alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Plain words.
    #[default]
    Text,
    /// Less important words.
    Muted,
    /// Fine.
    Ok,
    /// Ticket-level.
    Warn,
    /// Page-level.
    Crit,
    /// Old or missing.
    Stale,
    /// A drill or the demo.
    Drill,
    /// Keys and titles.
    Accent,
}

/// The two-cell sign in front of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sign {
    /// `!!` page-level.
    Page,
    /// `! ` ticket-level.
    Ticket,
    /// `ok`.
    Ok,
    /// `~ ` last known value, old.
    Stale,
    /// `~!` last known value was bad, and is old.
    StaleBad,
    /// `??` no data.
    NoData,
    /// `>>` counts down.
    Countdown,
    /// `s ` silenced, inhibited or muted.
    Held,
    /// Two blanks.
    #[default]
    Blank,
}

impl Sign {
    /// Its two cells.
    pub fn glyph(self) -> &'static str {
        match self {
            Self::Page => "!!",
            Self::Ticket => "! ",
            Self::Ok => "ok",
            Self::Stale => "~ ",
            Self::StaleBad => "~!",
            Self::NoData => "??",
            Self::Countdown => ">>",
            Self::Held => "s ",
            Self::Blank => "  ",
        }
    }

    /// Its meaning as a tone.
    pub fn tone(self) -> Tone {
        match self {
            Self::Page => Tone::Crit,
            Self::Ticket => Tone::Warn,
            Self::Ok => Tone::Ok,
            Self::Stale | Self::StaleBad | Self::NoData => Tone::Stale,
            Self::Countdown => Tone::Accent,
            Self::Held | Self::Blank => Tone::Muted,
        }
    }
}

/// A piece of a line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bit {
    /// The text.
    pub text: String,
    /// What it means.
    pub tone: Tone,
    /// Drawn reversed: what must not be overlooked (`DOWN`, `NOT SAVED`, `IC -none-`).
    pub reversed: bool,
}

impl Bit {
    /// A piece with a tone.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone, reversed: false }
    }

    /// A piece that must not be overlooked.
    pub fn loud(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone, reversed: true }
    }
}

/// A whole frame.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The two status lines of every screen.
    pub head: Head,
    /// Rows under the status lines that hold on every screen: not saved, source down, configuration broken, frozen.
    pub banners: Vec<Bit>,
    /// The screen.
    pub body: Body,
    /// Keys of this screen, most important first.
    pub hints: Vec<Hint>,
    /// A mode name when it is not the normal one.
    pub mode: Option<&'static str>,
    /// What just happened or was refused; one line above the hints.
    pub flash: Option<Bit>,
    /// At most one thing on top.
    pub overlay: Option<Overlay>,
}

/// The two status lines. Each is a list of groups, most important first; what does not fit is left out from the end of
/// the optional ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// Full-width first row of a replay.
    pub replay: Option<ScrubBar>,
    /// Full-width first row that says DEMO or DRILL; replaces nothing.
    pub drill: Option<String>,
    /// `03:14:07Z`.
    pub utc: String,
    /// `05:14 CEST Sun 23 Aug`.
    pub local: String,
    /// `prom 4s`, `am 9s 1/2 peers`, `PROM DOWN 4m02s`; one bit per source, short names.
    pub sources: Vec<Bit>,
    /// `q0` waiting to be recorded or sent.
    pub queue: Bit,
    /// `[exec off]`, `[ARMED 29m]`, `[read-only]`.
    pub exec: Bit,
    /// The host, from 120 columns on.
    pub host: String,
    /// Line 2, left: the worst open incident, or `no active incident` and what is known.
    pub incident: Vec<Bit>,
    /// Line 2, right: the nearest timer: `>> eng-manager in 08:20`, `>> DUE 00:12 status update`.
    pub timer: Option<Bit>,
}

/// A key and what it does, for the last line.
#[derive(Clone, Debug, PartialEq)]
pub struct Hint {
    /// `a`, `Enter`.
    pub key: String,
    /// `ack`.
    pub text: String,
    /// Why it cannot be used now; drawn muted.
    pub why_not: Option<String>,
}

/// A titled list.
#[derive(Clone, Debug, PartialEq)]
pub struct Pane<T> {
    /// `SLO 1/5`.
    pub title: String,
    /// Right end of the title rule: `sort: urgency`, `filter "pay" hides 7`, `AS OF 03:09:58Z, 4m09s old`.
    pub note: String,
    /// All rows; the renderer shows the page that holds the cursor.
    pub rows: Vec<T>,
    /// The selected row, if the selection is in this pane.
    pub cursor: Option<usize>,
    /// What stands there when there are no rows: why, and what to do.
    pub empty: String,
}

impl<T> Default for Pane<T> {
    fn default() -> Self {
        Self { title: String::new(), note: String::new(), rows: Vec::new(), cursor: None, empty: String::new() }
    }
}

/// The screens.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// What burns, fires, is open, comes next.
    Overview(Box<Overview>),
    /// All objectives.
    Slos(Box<Overview>),
    /// One objective.
    Slo(Box<SloDetail>),
    /// All alerts.
    Alerts(Box<AlertsPage>),
    /// One incident.
    Incident(Box<IncidentPage>),
    /// The commander's desk.
    Board(Box<BoardPage>),
    /// What the next commander must know.
    HandOff(Box<HandOffPage>),
    /// All timers.
    Timers(Box<TimersPage>),
    /// Changes in force.
    Changes(Box<ChangesPage>),
    /// What changed.
    WhatChanged(Box<WhatChangedPage>),
    /// The library of runbooks.
    Runbooks(Box<RunbooksPage>),
    /// A runbook being walked, or read.
    Walk(Box<WalkPage>),
    /// A draft.
    Postmortem(Box<PostmortemPage>),
    /// Every source and the record.
    Sources(Box<SourcesPage>),
    /// Everything that leaves.
    Outbox(Box<OutboxPage>),
    /// What was said so far.
    Messages(Pane<EventRow>),
    /// No configuration yet.
    FirstRun(Box<FirstRun>),
}

/// The overview. On the objectives screen only `slos`, `chart` and `detail` are filled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overview {
    /// Objectives by urgency.
    pub slos: Pane<SloRow>,
    /// Alerts by severity.
    pub alerts: Pane<AlertRow>,
    /// Open incidents, worst first.
    pub incidents: Pane<IncidentRow>,
    /// Timers, nearest first.
    pub timers: Pane<TimerRow>,
    /// Burn chart of the selected (or most urgent) objective, for M and L layouts.
    pub chart: Option<Chart>,
    /// Charts of the next most urgent ones, for L.
    pub more_charts: Vec<Chart>,
    /// Last events of the worst incident, for M and L.
    pub timeline: Pane<EventRow>,
    /// Sources, for M and L.
    pub sources: Vec<SourceRow>,
}

/// An objective in a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SloRow {
    /// Sign of its state.
    pub sign: Sign,
    /// Its id.
    pub name: String,
    /// Its service.
    pub service: String,
    /// Gauge fill 0..1; `None` draws an empty gauge.
    pub gauge: Option<f64>,
    /// Values are old: gauge filled with `~`, numbers prefixed `~`.
    pub stale: bool,
    /// `11.8%`, `-37.0%`, `no data`, `no traffic`, `warming 43%`, `error`.
    pub left: String,
    /// Burn over one hour: `16.2`, or `-`.
    pub burn_1h: String,
    /// Burn over five minutes.
    pub burn_5m: String,
    /// Burn over six hours.
    pub burn_6h: String,
    /// Burn over thirty minutes.
    pub burn_30m: String,
    /// Burn over one day.
    pub burn_1d: String,
    /// Burn over three days.
    pub burn_3d: String,
    /// Time to exhaustion: `5h15m`, `-`, `?`, or `STALE 3m12s`.
    pub empty_in: String,
    /// `feature freeze`.
    pub policy: String,
}

/// An alert in a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertRow {
    /// Sign of its severity, or held.
    pub sign: Sign,
    /// Its name.
    pub name: String,
    /// `page`, `ticket`, or its label.
    pub severity: String,
    /// Since when: `21m`.
    pub age: String,
    /// Its service.
    pub service: String,
    /// `UNACKED`, `ack alice`, `silenced`, `pending`.
    pub state: String,
    /// Matching runbook's id.
    pub runbook: Option<String>,
    /// Incident it is linked to.
    pub incident: Option<String>,
    /// Which source told it.
    pub source: String,
    /// Its labels beside name and severity: `job="api" env="prod"`.
    pub labels: String,
}

/// A silence in a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SilenceRow {
    /// Sign.
    pub sign: Sign,
    /// `silence`, `ack`, `pending`.
    pub state: String,
    /// Until its end, or its begin when that is ahead: `12m`.
    pub left: String,
    /// Who made it.
    pub by: String,
    /// Alerts that it holds now.
    pub holds: usize,
    /// Its conditions.
    pub what: String,
    /// Why it was made.
    pub why: String,
}

/// An incident in a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IncidentRow {
    /// Sign of its severity.
    pub sign: Sign,
    /// `SEV1`.
    pub severity: String,
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its status.
    pub status: String,
    /// `21m40s`.
    pub elapsed: String,
    /// Who leads, or `-none-`.
    pub commander: String,
    /// `checkout-5xx step 3/6`, or empty.
    pub progress: String,
    /// Everything about it is on disk.
    pub saved: bool,
    /// It is one of a paging product, and belongs to none of ours.
    pub elsewhere: bool,
}

/// A timer in a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimerRow {
    /// `>>`, or `!!` when due.
    pub sign: Sign,
    /// `08:20`, `DUE 00:12`, `done`, `put off 10m`.
    pub clock: String,
    /// `page engineering-manager`.
    pub label: String,
    /// Which incident.
    pub incident: String,
    /// Where it comes from and what happens then: `escalation 2 of 2 (30m); prompts, never pages by itself`.
    pub then: String,
    /// Due and unanswered.
    pub due: bool,
}

/// An event in a timeline, or a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventRow {
    /// Which event, where it is one.
    pub key: Option<EventKey>,
    /// `02:52:27Z`, or `~` while it is not saved.
    pub time: String,
    /// `note`.
    pub kind: String,
    /// Who.
    pub actor: String,
    /// In words.
    pub text: String,
    /// On disk.
    pub saved: bool,
    /// How loud.
    pub tone: Tone,
    /// The day, where it differs from the row before: `Sun 23 Aug`.
    pub day: Option<String>,
}

/// A source in a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceRow {
    /// Sign of its health.
    pub sign: Sign,
    /// `main`.
    pub name: String,
    /// `prometheus`, `alertmanager`, `record`, `runbooks`.
    pub kind: String,
    /// `ok`, `DOWN`, `AUTH`, `1/2 peers`, `waiting`.
    pub word: String,
    /// Age of the last good answer: `4s`, or `-`.
    pub age: String,
    /// `9 SLO, 3 requests`; or the fault, since when, which try, when next.
    pub detail: String,
}

/// Something that happened, on the time axis of a chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChartMark {
    /// When.
    pub at: Timestamp,
    /// One letter under the axis: `D` declared, `M` mitigated, `R` resolved, `r` released, `d` a deploy or another change.
    pub letter: char,
    /// How loud.
    pub tone: Tone,
}

/// A chart of burn rates, or of a budget.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// `checkout_success`.
    pub name: String,
    /// `1h window, last 6h`.
    pub caption: String,
    /// Burn rates on a fixed time grid; `None` is a gap.
    pub points: Vec<Option<f64>>,
    /// The worst slice in each step, on the same grid; empty where slices are not known. What stands well over the line is
    /// marked, so that a short incident does not vanish in a long mean.
    pub worst: Vec<Option<f64>>,
    /// Instant of the first point.
    pub start: Timestamp,
    /// Distance of two points.
    pub step: Span,
    /// Limit lines: value and label (`14.4`, `page`).
    pub limits: Vec<(f64, String)>,
    /// Drawn on a linear axis of 0..1 (budget left) and not on the log axis of burn rates.
    pub linear: bool,
    /// A line from all at the first point to nothing at the last: what a budget looks like that is spent evenly.
    pub ideal: bool,
    /// What the last instant of the axis is: `now`, or `end` of a calendar period. Empty means `now`.
    pub until: &'static str,
    /// What happened.
    pub marks: Vec<ChartMark>,
    /// Stretches that do not count: maintenance.
    pub excluded: Vec<(Timestamp, Timestamp)>,
    /// Why there is nothing to draw: `waiting for history`, `no history from this source: …`.
    pub missing: Option<String>,
}

/// One objective in full.
#[derive(Clone, Debug, PartialEq)]
pub struct SloDetail {
    /// The row of the list.
    pub row: SloRow,
    /// `99.9% over 30d, ratio good/total`.
    pub says: String,
    /// `good 98.38%   burn 16.2x (1h)   budget 11.8% left = 5m06s of 43m12s`.
    pub now: Vec<Bit>,
    /// Burn chart of the chosen window.
    pub chart: Chart,
    /// Charts of further windows (5m, 6h, 3d) for L; budget chart last.
    pub more_charts: Vec<Chart>,
    /// Alert pairs.
    pub pairs: Vec<PairRow>,
    /// Budget, policy and forecast, one line each.
    pub budget: Vec<Bit>,
    /// The golden signals of its service: `rate 412/s`, `errors 0.3%`; empty where no file names any.
    pub signals: Vec<Bit>,
    /// Alerts and incidents that belong to it.
    pub related: Vec<Bit>,
    /// What is wrong with it according to its file, the worst first.
    pub findings: Vec<Bit>,
    /// The PromQL as written.
    pub written: String,
    /// `file:line`.
    pub declared: String,
    /// Its numbers take the place of its charts.
    pub numbers: bool,
}

/// An alert pair.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PairRow {
    /// `1h / 5m`.
    pub windows: String,
    /// `16.2`.
    pub long: String,
    /// `18.0`.
    pub short: String,
    /// `14.4`.
    pub limit: String,
    /// Sign.
    pub sign: Sign,
    /// `FIRING`, `ok (long<limit)`, `no data`, `cannot fire`.
    pub state: String,
    /// `page`.
    pub severity: String,
}

/// All alerts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertsPage {
    /// The list.
    pub alerts: Pane<AlertRow>,
    /// Silences in force, the next to end first.
    pub silences: Pane<SilenceRow>,
    /// The selected one in full: label and value, one pair per line; annotations; links; runbooks with the reason.
    pub detail: Vec<(String, String)>,
}

/// One incident.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IncidentPage {
    /// `INC-… title`.
    pub title: String,
    /// `SEV1 mitigating`.
    pub state: String,
    /// Lines of facts: declared, detected, service, impact.
    pub facts: Vec<Vec<Bit>>,
    /// Role, person or `-none-`.
    pub roles: Vec<(String, Bit)>,
    /// Its timers.
    pub timers: Vec<TimerRow>,
    /// Timers that are over: `senior-sre 03:07Z`.
    pub timers_done: Vec<String>,
    /// Its timeline, oldest first; the cursor (or the end when following) is the page shown.
    pub timeline: Pane<EventRow>,
    /// The newest events are kept in view.
    pub following: bool,
    /// Linked objectives.
    pub slos: Vec<SloRow>,
    /// Chart of the worst linked objective.
    pub chart: Option<Chart>,
    /// Linked alerts.
    pub alerts: Vec<AlertRow>,
    /// The runbook in use: name, step text and marks `[x] 1 Acknowledge`.
    pub runbook: Option<(String, String, Vec<StepRow>)>,
    /// Links, numbered for `o`.
    pub links: Vec<String>,
    /// Its rooms: where, what waits for them, who volunteers.
    pub room: Vec<Bit>,
    /// Past incidents that are like it: which, and why.
    pub similar: Vec<(String, String)>,
    /// The checklist of its phase from the severity playbook.
    pub checklist: (String, Vec<String>),
}

/// All timers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimersPage {
    /// The list.
    pub timers: Pane<TimerRow>,
    /// The selected one in full.
    pub detail: Vec<(String, String)>,
}

/// An operation that leaves, or left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutboxRow {
    /// `!!` needs a person.
    pub sign: Sign,
    /// When it was decided.
    pub time: String,
    /// To whom it goes.
    pub target: String,
    /// What it is.
    pub what: String,
    /// `A` to `D`: how often it may be sent.
    pub class: String,
    /// `queued`, `sending`, `unknown`, `ask`, `done` …
    pub state: String,
    /// How loud that is.
    pub tone: Tone,
    /// In how long it is tried next: `6s`; empty when nothing is planned.
    pub next: String,
    /// Why it waits, or how it ended.
    pub why: String,
}

/// Everything that leaves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutboxPage {
    /// What needs a person, what waits, what is over.
    pub queue: Pane<OutboxRow>,
    /// The selected one in full.
    pub detail: Vec<(String, String)>,
}

/// Changes in force, and second persons who are waited for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChangesPage {
    /// The list, last one first.
    pub changes: Pane<ChangeRow>,
    /// The selected one in full.
    pub detail: Vec<(String, String)>,
}

/// A change in a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChangeRow {
    /// Page where it is unknown or cannot be taken back, ticket in force, ok rolled back.
    pub sign: Sign,
    /// `in force`, `unknown`, `rolled back`, `approve 09:12`.
    pub state: String,
    /// `Roll back the deploy`.
    pub action: String,
    /// Which incident.
    pub incident: String,
    /// `03:04:55Z alice`.
    pub by: String,
    /// `checkout burn 5m < 1: burn 0.4; holds, 02:10 to go (18:20 left)`.
    pub verify: String,
    /// `rollback known`, `no rollback`.
    pub rollback: String,
}

/// The library.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunbooksPage {
    /// Runbooks: id, name, steps, triggers, findings.
    pub runbooks: Pane<RunbookRow>,
    /// Findings of the selected one.
    pub findings: Vec<Bit>,
}

/// A runbook in a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunbookRow {
    /// Sign: ok, ticket for warnings, page for errors.
    pub sign: Sign,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `6 steps`.
    pub steps: String,
    /// `CheckoutErrorBudgetBurn`.
    pub triggers: String,
    /// `INC-…` when it is being walked.
    pub incident: String,
}

/// A step in the list of steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepRow {
    /// `[x]`, `[>]`, `[ ]`, `[-]` skipped, `[!]` failed, `[.]` passed by, `[?]` perhaps.
    pub mark: &'static str,
    /// `3 Roll back the deploy`.
    pub name: String,
    /// `02:59Z alice   3 checks: 2 yes 1 no`.
    pub note: String,
    /// It is the one shown below.
    pub current: bool,
}

/// A runbook being walked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WalkPage {
    /// `checkout-5xx for INC-…`.
    pub title: String,
    /// `step 3 of 6`.
    pub progress: String,
    /// All steps.
    pub steps: Vec<StepRow>,
    /// The shown step's name.
    pub step: String,
    /// What to do, in words.
    pub say: Vec<String>,
    /// What can be done in it.
    pub items: Pane<WalkItem>,
    /// Output of the selected or running command.
    pub output: Option<Output>,
    /// `[exec off] commands are copied, not run. :arm to allow running for 30m`.
    pub exec: Bit,
    /// What is watched after a change of this step, with the countdown of its hold.
    pub watch: Option<Bit>,
    /// The burn rate beside the step, when an objective is linked: `checkout_success 1h 16.2 5m 18.0`.
    pub burn: Option<Bit>,
}

/// Something in a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WalkItem {
    /// `command 1/2`, `check`, `option 2/3`, `to do`, `link 1`, `by hand`.
    pub label: String,
    /// `UNKNOWN`, `READS`, `CHANGES`, or empty.
    pub risk: String,
    /// The command, the question, the option.
    pub text: String,
    /// `where: bastion-3 as alice   timeout 60s`, the option's command, the hint.
    pub detail: String,
    /// `(y)`, `( )`, `exit 0 0.8s`, `chosen`, `running 12s`, `unknown, check before re-running`.
    pub state: Bit,
}

/// Output of a command.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    /// `command 1   exit 0  0.8s  6 lines`.
    pub title: String,
    /// Lines, newest last.
    pub lines: Vec<String>,
    /// It still runs.
    pub running: bool,
}

/// A postmortem draft.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PostmortemPage {
    /// `INC-… 3 of 9 sections need you`.
    pub title: String,
    /// `file … saved 03:13:59Z`, or why it is not written.
    pub file: Bit,
    /// Sections: sign, title, note.
    pub outline: Pane<(Sign, String, String)>,
    /// Title of the section shown.
    pub section: String,
    /// Its text.
    pub preview: Vec<String>,
}

/// Every source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourcesPage {
    /// The list.
    pub sources: Pane<SourceRow>,
    /// The selected one in full: address, last answer, fault, breaker, warnings, requests, skew.
    pub detail: Vec<(String, String)>,
}

/// No configuration yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FirstRun {
    /// What midwatch looked for and did not find.
    pub lines: Vec<String>,
    /// The choices: demo, use the Prometheus on localhost, write a starter configuration.
    pub choices: Pane<(String, String)>,
}

/// Something on top of a screen.
#[derive(Clone, Debug, PartialEq)]
pub enum Overlay {
    /// Keys and signs.
    Help(HelpView),
    /// Every action.
    Palette(PaletteView),
    /// The search over everything.
    Search(SearchView),
    /// A text to type.
    Form(FormView),
    /// Something that must be confirmed.
    Confirm(ConfirmView),
    /// Links to copy.
    Links(Pane<String>),
    /// The filter line, drawn over the hints.
    Filter(LineView),
}

/// A key (or sign), its words, and a note such as `TYPED`.
pub type HelpRow = (String, String, String);

/// Keys and signs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HelpView {
    /// `overview`.
    pub screen: String,
    /// Groups: title, then key, words, note (`sent now`, `TYPED`).
    pub groups: Vec<(String, Vec<HelpRow>)>,
    /// Which page, from 0; the renderer stops at the last one.
    pub page: usize,
}

/// A line of text being typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LineView {
    /// The text.
    pub text: String,
    /// Cursor in characters.
    pub cursor: usize,
}

/// The command palette.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PaletteView {
    /// What was typed.
    pub query: LineView,
    /// Matching actions: title, key, tier, target; then why it cannot be used.
    pub rows: Pane<PaletteRow>,
    /// All actions there are.
    pub total: usize,
}

/// The search over everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchView {
    /// What was typed.
    pub query: LineView,
    /// What was found.
    pub rows: Pane<HitRow>,
    /// How many, or what helps.
    pub note: String,
}

/// Something that was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HitRow {
    /// `2026-05-01 03:12Z`.
    pub when: String,
    /// `INC-…`.
    pub incident: String,
    /// `note`, `postmortem`.
    pub kind: String,
    /// Who said it.
    pub who: String,
    /// What.
    pub text: String,
}

/// An action in the palette.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PaletteRow {
    /// `Page next escalation level`.
    pub title: String,
    /// `e`.
    pub key: String,
    /// `typed`, `asks`, or empty.
    pub tier: String,
    /// `INC-0311`.
    pub target: String,
    /// Why it cannot be used now.
    pub why_not: Option<String>,
}

/// A form.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FormView {
    /// `Note for INC-…`.
    pub title: String,
    /// Its fields.
    pub fields: Vec<FieldView>,
    /// The field being typed in.
    pub focus: usize,
    /// Why the last Enter was refused.
    pub error: Option<String>,
    /// `Enter save   Tab next   Esc cancel`.
    pub keys: String,
}

/// A field of a form.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldView {
    /// `severity`.
    pub label: String,
    /// What was typed or chosen.
    pub line: LineView,
    /// For a choice: all of them and which one; Left and Right change it.
    pub choices: Vec<String>,
    /// Which choice.
    pub chosen: usize,
    /// `ends with @-7m or @03:10 to back-date`.
    pub hint: String,
}

/// A confirmation. The token line is drawn last and never dropped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfirmView {
    /// `run a command`.
    pub title: String,
    /// The question in one line.
    pub question: String,
    /// Label and text, one per line; long texts wrap, nothing is cut.
    pub rows: Vec<(String, String)>,
    /// The word to type; `None` asks for `y`.
    pub token: Option<String>,
    /// What was typed so far.
    pub typed: LineView,
    /// `type 0311 and Enter to resolve, anything else cancels` or `y runs it, anything else cancels`.
    pub prompt: String,
}

impl ConfirmView {
    /// Cells that a line of its text has in a window of so many columns.
    pub fn width(columns: u16) -> u16 {
        columns.saturating_sub(if columns >= 60 { 8 } else { 4 }).min(76)
    }

    /// Column at which the texts of the rows begin.
    pub fn indent(&self) -> u16 {
        let widest = self.rows.iter().map(|(label, _)| width(&clean(label))).max().unwrap_or(0).min(12);
        u16::try_from(widest).unwrap_or(12).saturating_add(2)
    }

    /// Whether all of it can be seen in a window of columns and rows, under two status lines.
    pub fn fits(&self, (columns, rows): (u16, u16)) -> bool {
        let cells = usize::from(Self::width(columns));
        let room = cells.saturating_sub(usize::from(self.indent()));
        let texts: usize = self.rows.iter().map(|(_, text)| wrap(&clean(text), room).len()).sum();
        let text = wrap(&clean(&self.question), cells).len() + usize::from(!self.rows.is_empty()) + texts;
        let border = if columns < 60 { 1 } else { 2 };
        text + wrap(&clean(&self.prompt), cells).len() + 1 + border + 2 <= usize::from(rows)
    }
}
