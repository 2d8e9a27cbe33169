//! Every key that a scenario file may have, once. The reader knows no other keys; JSON Schema and reference page are
//! rendered from here.

use crate::domain::runbook::keys::Takes::{
    Argv, Count, Duration, Exit, Integer, Labels, Map, Maps, Number, NumberOrText, Pairs, Shaped, Text, Texts, Whole,
    Word,
};
use crate::domain::runbook::keys::Without::{Default, Nothing, Required};
use crate::domain::runbook::keys::v1::{API_VERSION, ID, OPS, RISKS};
use crate::domain::runbook::keys::{Takes, object};

/// Tools that can fail.
pub const TOOLS: &[&str] = &["prometheus", "alertmanager", "pager", "chat", "status_page", "tracker", "shell"];
/// How they fail.
pub const FAILINGS: &[&str] = &["down", "slow", "refused", "rate_limited", "login_page"];
/// What an inject can do.
pub const DEEDS: &[&str] = &["signal", "alert", "red_herring", "clear", "message", "fail", "mend"];
/// How a value goes.
pub const KINDS: &[&str] = &["const", "step", "ramp", "sine", "recorded", "csv"];
/// Milestones.
pub const EVENTS: &[&str] = &[
    "paged",
    "ack",
    "acknowledged",
    "declared",
    "incident.declared",
    "severity",
    "commander",
    "status_update",
    "updated",
    "on_call_paged",
    "runbook",
    "hypothesis",
    "decision",
    "note",
    "mitigated",
    "incident.mitigated",
    "resolved",
    "incident.resolved",
];

/// A name inside a scenario.
pub const NAME: Takes = Shaped("^[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}$", "letters, digits and `_ . : -`, at most 80");
const INSTANT: Takes = Shaped("^[0-9]{4}-[0-9]{2}-[0-9]{2}T.+$", "an instant such as 2026-05-03T03:00:00Z");
const GIVEN_TEXT: Option<&str> =
    Some("a milestone: `declared`, `acknowledged`, `updated`, `mitigated`, `resolved`, `paged` …");
const SIGNAL_NAME: &str = "A signal by its id.";
const SHAPE_KIND: &str = "`const` and `step` are at `value` (or `to`) at once; `ramp` goes `to` a value `over` a time; `sine` swings `amplitude` around `value` every `period`; `recorded` follows `points`; `csv` follows a column of a `file`.";
const OVER: &str = "The time that a ramp takes.";

object!(
    /// The file.
    SCENARIO, "scenario", "the scenario", None, "The file.",
    [
        ("apiVersion", Word(&[API_VERSION]), Required, "The version of the format."),
        ("kind", Word(&["Scenario"]), Required, "What makes a file a scenario."),
        ("id", ID, Default("a slug of the file's name"), "Its name on the command line and in the history."),
        ("title", Text, Required, "Its title; players see it, so it should not give the cause away."),
        ("brief", Text, Required, "What players are told before it begins."),
        ("secret", Text, Nothing, "What only the facilitator and the report know: the cause."),
        ("seed", Whole, Default("1"), "Where chance comes from; `--seed` overrides it."),
        ("speed", Count, Default("1"), "How much faster than real time it runs, 1 to 60."),
        ("begins", INSTANT, Default("2026-05-03T03:00:00Z"), "What the drill's clock shows when it begins."),
        ("duration", Duration, Required, "The longest it may last, 1m to 12h."),
        ("roles", Texts, Nothing, "Who should take part."),
        ("difficulty", Count, Nothing, "1 (easy) to 5."),
        ("services", Texts, Nothing, "What it is about."),
        ("runbooks", Texts, Default("the configured ones"), "Its runbooks: files beside the scenario. Commands are answered from `commands` and never run."),
        ("signals", Maps(&SIGNAL), Required, "What can be measured."),
        ("objectives", Maps(&OBJECTIVE), Nothing, "Objectives over the signals."),
        ("alerts", Maps(&ALERT), Nothing, "Alerting rules over the signals."),
        ("queries", Maps(&QUERY), Nothing, "PromQL of the runbooks that is answered from a signal; any other query answers `not simulated` and becomes a finding. A query that is just a signal's id (dots as colons) needs no entry."),
        ("injects", Maps(&INJECT), Required, "What happens when."),
        ("commands", Maps(&COMMAND), Nothing, "What the players' commands answer and change; the first match counts."),
        ("expect", Maps(&EXPECT), Required, "What is expected of the players, with points."),
        ("end", Maps(&END), Nothing, "When it is over before `duration` is."),
        ("recovery", Map(&RECOVERY), Nothing, "For disaster-recovery drills: the objectives that are measured."),
        ("debrief", Texts, Nothing, "What to talk about afterwards."),
    ]
);
object!(
    /// A signal.
    SIGNAL, "signal", "a signal", None, "Something that can be measured, and how it goes until something changes it.",
    [
        ("id", NAME, Required, "Its name."),
        ("kind", Word(KINDS), Default("const"), SHAPE_KIND),
        ("value", Number, Nothing, "Where it is; the middle of a sine."),
        ("to", Number, Nothing, "Where a step or ramp goes."),
        ("over", Duration, Nothing, OVER),
        ("amplitude", Number, Nothing, "How far a sine swings."),
        ("period", Duration, Nothing, "From one top of a sine to the next."),
        ("points", Pairs, Nothing, "What was recorded: pairs of a duration and a value, `[[0s, 1], [5m, 3]]`."),
        ("file", Text, Nothing, "A CSV file beside the scenario: seconds since the beginning, then values."),
        ("column", Count, Default("2"), "Which column of the file."),
        ("noise", Number, Default("0"), "How far chance takes it away: at most this share, 0 to 1."),
        ("unit", Text, Nothing, "What it is counted in, for people."),
    ]
);
object!(
    /// A change of a signal.
    CHANGE, "change", "a change", None, "A signal goes another way.",
    [
        ("signal", Text, Required, SIGNAL_NAME),
        ("kind", Word(KINDS), Default("step"), SHAPE_KIND),
        ("value", Number, Nothing, "Where it is; the middle of a sine."),
        ("to", Number, Nothing, "Where a step or ramp goes."),
        ("over", Duration, Nothing, OVER),
        ("amplitude", Number, Nothing, "How far a sine swings."),
        ("period", Duration, Nothing, "From one top of a sine to the next."),
        ("points", Pairs, Nothing, "What was recorded: pairs of a duration and a value."),
        ("file", Text, Nothing, "A CSV file beside the scenario."),
        ("column", Count, Default("2"), "Which column of the file."),
        ("after", Duration, Default("0s"), "How long after its cause it begins."),
    ]
);
object!(
    /// What a command changes.
    EFFECT, "effect", "an effect", None, "What a command changes: one of `signal`, `alert`, `clear`, `fail`, `mend`.",
    [
        ("signal", Text, Nothing, "A signal that goes another way."),
        ("kind", Word(KINDS), Default("step"), SHAPE_KIND),
        ("value", Number, Nothing, "Where it is; the middle of a sine."),
        ("to", Number, Nothing, "Where a step or ramp goes."),
        ("over", Duration, Nothing, OVER),
        ("amplitude", Number, Nothing, "How far a sine swings."),
        ("period", Duration, Nothing, "From one top of a sine to the next."),
        ("points", Pairs, Nothing, "What was recorded: pairs of a duration and a value."),
        ("file", Text, Nothing, "A CSV file beside the scenario."),
        ("column", Count, Default("2"), "Which column of the file."),
        ("after", Duration, Default("0s"), "How long after the command a signal begins to change."),
        ("alert", Text, Nothing, "An alert that fires."),
        ("labels", Labels, Nothing, "Its labels."),
        ("annotations", Labels, Nothing, "Its annotations."),
        ("clear", Text, Nothing, "An alert that is over."),
        ("fail", Word(TOOLS), Nothing, "A tool that fails."),
        ("how", Word(FAILINGS), Default("down"), "How it fails."),
        ("for", Duration, Nothing, "For how long."),
        ("mend", Word(TOOLS), Nothing, "A tool that works again."),
    ]
);
object!(
    /// An objective.
    OBJECTIVE, "objective", "an objective", None, "An objective over signals: `ratio` with `rate`, or `signal` with `op` and `limit`.",
    [
        ("id", NAME, Required, "Its name."),
        ("service", Text, Default("the first of `services`"), "Whose it is."),
        ("target", Number, Required, "Share that must be good, 0.9 to 0.99999."),
        ("window", Duration, Default("30d"), "Its rolling window."),
        ("ratio", Text, Nothing, "The signal that is the share of bad events."),
        ("rate", NumberOrText, Default("100"), "Events per second: a number, or a signal."),
        ("signal", Text, Nothing, "The signal that is held against the limit."),
        ("op", Word(&["<", "<=", ">", ">="]), Default("<="), "How it is good."),
        ("limit", Number, Nothing, "The limit."),
        ("left", Number, Default("0.8"), "Share of its budget that is left when the drill begins, at most 1."),
        ("description", Text, Nothing, "What the screen says of it."),
    ]
);
object!(
    /// A signal held against a value.
    HOLD, "hold", "a condition", None, "A signal held against a value.",
    [
        ("signal", Text, Required, SIGNAL_NAME),
        ("op", Word(OPS), Required, "How it is compared."),
        ("value", Number, Required, "With what."),
        ("for", Duration, Default("0s"), "For how long without a gap."),
    ]
);
object!(
    /// An alerting rule.
    ALERT, "alert", "an alert", None, "An alerting rule over a signal.",
    [
        ("alert", Text, Required, "The alert's name."),
        ("signal", Text, Required, SIGNAL_NAME),
        ("op", Word(OPS), Required, "How it is compared."),
        ("value", Number, Required, "With what."),
        ("for", Duration, Default("0s"), "How long it is pending before it fires."),
        ("labels", Labels, Nothing, "Labels beside `alertname`; `severity: page` wakes people."),
        ("annotations", Labels, Nothing, "Annotations: `summary`, `description`, `runbook_url`."),
    ]
);
object!(
    /// A query.
    QUERY, "query", "a query", None, "PromQL that is answered from a signal.",
    [
        ("promql", Text, Required, "The expression as the runbook has it; spaces do not count."),
        ("signal", Text, Required, SIGNAL_NAME),
        ("scale", Number, Default("1"), "What its value is multiplied with."),
        ("labels", Labels, Nothing, "Labels of the one sample that is answered."),
    ]
);
object!(
    /// A condition of an inject or a command.
    GIVEN, "given", "a condition", GIVEN_TEXT, "Something that happened or did not: one of these keys, or a milestone as a text.",
    [
        ("action", Text, Nothing, "Something was done: the `action` of a command, or the last part of its id in the runbook."),
        ("step", Text, Nothing, "A step of a runbook was ended as done."),
        ("inject", Text, Nothing, "An inject came."),
        ("severity", Text, Nothing, "An incident has this severity."),
        ("expect", Text, Nothing, "An expectation was met."),
        ("signal", Text, Nothing, "A signal, with `op` and `value`."),
        ("op", Word(OPS), Nothing, "How it is compared."),
        ("value", Number, Nothing, "With what."),
    ]
);
object!(
    /// Something that happens.
    INJECT, "inject", "an inject", None, "Something that happens. Without `at` and `after` only the facilitator fires it.",
    [
        ("id", NAME, Default("`#1`, `#2` … by its place"), "Its name."),
        ("at", Duration, Nothing, "When, from the beginning. An `id` beside `do: signal` names the signal instead."),
        ("after", Text, Nothing, "The inject after which it comes."),
        ("delay", Duration, Default("0s"), "How long after that."),
        ("if", Map(&GIVEN), Nothing, "Only if this holds then."),
        ("unless", Map(&GIVEN), Nothing, "Not if this holds then."),
        ("do", Word(DEEDS), Required, "What happens."),
        ("signal", Text, Nothing, "`signal`: which; `id` may stand for it."),
        ("kind", Word(KINDS), Default("step"), SHAPE_KIND),
        ("value", Number, Nothing, "Where it is; the middle of a sine."),
        ("to", Number, Nothing, "Where a step or ramp goes."),
        ("over", Duration, Nothing, OVER),
        ("amplitude", Number, Nothing, "How far a sine swings."),
        ("period", Duration, Nothing, "From one top of a sine to the next."),
        ("points", Pairs, Nothing, "What was recorded: pairs of a duration and a value."),
        ("file", Text, Nothing, "A CSV file beside the scenario."),
        ("column", Count, Default("2"), "Which column of the file."),
        ("alert", Text, Nothing, "`alert`, `red_herring`, `clear`: the alert's name."),
        ("labels", Labels, Nothing, "`alert`, `red_herring`: labels."),
        ("annotations", Labels, Nothing, "`alert`, `red_herring`: annotations."),
        ("while", Map(&HOLD), Nothing, "`alert`, `red_herring`: it goes when this does not hold any more."),
        ("from", Text, Nothing, "`message`: who says it."),
        ("text", Text, Nothing, "`message`: what is said."),
        ("target", Word(TOOLS), Nothing, "`fail`, `mend`: which tool of the players. The record never fails."),
        ("how", Word(FAILINGS), Default("down"), "`fail`: how."),
        ("for", Duration, Default("until it is mended"), "`fail`: for how long."),
    ]
);
object!(
    /// What a command is known by.
    MATCH, "match", "a match", None, "Which commands: one of `step` and `argv`.",
    [
        ("runbook", Text, Nothing, "The runbook, where several have a command of this id."),
        ("step", Text, Nothing, "A command by its id in the runbook: `bottleneck.top`, `mitigate.scale`."),
        ("argv", Argv, Nothing, "A program and its arguments; shell lines are split. `*` stands for any text, as the last element for any arguments."),
    ]
);
object!(
    /// The answer of every other command.
    DEFAULT_REPLY, "default", "the default", None, "What any other command answers; it becomes a finding.",
    [
        ("out", Text, Default("not available in this drill"), "What it prints."),
        ("exit", Exit, Default("127"), "Its exit code."),
        ("delay", Duration, Default("1s"), "How long it takes."),
    ]
);
object!(
    /// An answer.
    COMMAND, "command", "a command", None, "What a command answers and changes.",
    [
        ("match", Map(&MATCH), Nothing, "Which commands."),
        ("default", Map(&DEFAULT_REPLY), Nothing, "Stands alone: what any other command answers."),
        ("if", Map(&GIVEN), Nothing, "Only if this holds then; else the next match is taken."),
        ("unless", Map(&GIVEN), Nothing, "Not if this holds then."),
        ("action", NAME, Default("the last part of the command's id"), "What it is called by conditions and expectations."),
        ("risk", Word(RISKS), Default("as the runbook says"), "What it may do."),
        ("out", Text, Nothing, "What it prints. A path with a slash and no space such as `out/top.txt` is a file beside the scenario."),
        ("exit", Exit, Default("0"), "Its exit code."),
        ("delay", Duration, Default("1s"), "How long it takes."),
        ("effects", Maps(&EFFECT), Nothing, "What it changes when it ended."),
    ]
);
object!(
    /// What must never happen.
    NEVER, "never", "a ban", None, "What must not happen: one of `risk`, `action`, `signal`.",
    [
        ("risk", Word(RISKS), Nothing, "A command of this risk, or a worse one, is run."),
        ("action", Text, Nothing, "Something is done."),
        ("signal", Text, Nothing, "A signal, with `op`, `value` and `for`."),
        ("op", Word(OPS), Nothing, "How it is compared."),
        ("value", Number, Nothing, "With what."),
        ("for", Duration, Default("0s"), "For how long without a gap."),
    ]
);
object!(
    /// Something expected.
    EXPECT, "expect", "an expectation", None, "Something expected of the players: one of `event`, `action`, `step`, `condition`, `never`.",
    [
        ("id", NAME, Required, "Its name."),
        ("event", Word(EVENTS), Nothing, "A milestone; `severity` with `is`."),
        ("is", Text, Nothing, "The severity."),
        ("action", Text, Nothing, "Something is done, and it works."),
        ("step", Text, Nothing, "A step of a runbook is ended as done."),
        ("condition", Map(&HOLD), Nothing, "A signal is well again: it holds for its time after it did not hold."),
        ("never", Map(&NEVER), Nothing, "This never happens."),
        ("within", Duration, Default("any time before the end"), "How soon."),
        ("from", Text, Default("page"), "From when on the time counts: `page`, `start`, or the id of an inject."),
        ("points", Integer, Required, "What it is worth; below zero what it costs."),
        ("say", Text, Nothing, "In words, for the report."),
    ]
);
object!(
    /// When it is over.
    END, "end", "an end", None, "One of `condition`, `event`, `at`.",
    [
        ("condition", Map(&END_CONDITION), Nothing, "The id of an expectation that was met, or a signal that is well again."),
        ("event", Word(EVENTS), Nothing, "A milestone."),
        ("at", Duration, Nothing, "An instant."),
    ]
);
object!(
    /// A condition of an end.
    END_CONDITION, "end_condition", "a condition", Some("the id of an expectation"), "A signal that is well again.",
    [
        ("signal", Text, Required, SIGNAL_NAME),
        ("op", Word(OPS), Required, "How it is compared."),
        ("value", Number, Required, "With what."),
        ("for", Duration, Default("0s"), "For how long without a gap."),
    ]
);
object!(
    /// Objectives of a recovery.
    RECOVERY, "recovery", "recovery", None, "The objectives of a disaster recovery, held against what happened.",
    [
        ("rto", Duration, Nothing, "Recovery time objective: from the first page until it works again."),
        ("rpo", Duration, Nothing, "Recovery point objective: how much of the newest data may be lost."),
        ("restored", Map(&HOLD), Default("the players' own word"), "When it works again."),
        ("data_loss", Text, Nothing, "The signal that says how many seconds of data are lost."),
    ]
);
