//! Every key that an experiment's file may have, once. The reader knows no other keys; JSON Schema and reference page are
//! rendered from here.

use crate::domain::runbook::keys::Takes::{
    Argv, Boolean, Codes, Count, Duration, Labels, Map, Maps, Named, Number, Range, Statuses, Text, Texts, Word,
};
use crate::domain::runbook::keys::Without::{Default, Nothing, Required};
use crate::domain::runbook::keys::object;
use crate::domain::runbook::keys::v1::{API_VERSION, DEFAULTS, GUARD, ID, OPS, RISKS, TARGET_MAP};

/// When an experiment must not begin.
pub const REASONS: &[&str] = &["incident_open", "freeze"];
/// Over which looks a criterion is judged.
pub const DURINGS: &[&str] = &["all", "end"];
/// What an HTTP call may be.
pub const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

const ARGV: &str = "A program and its arguments, run without a shell. Nothing is replaced in it.";
const SH: &str = "One line for /bin/sh. Nothing is replaced in it.";
const OP: &str = "How the measured value is compared.";
const EXPECTS: &str = "What the answer must be; without any of `equals`, `range`, `one_of`, `matches` the exit code or status alone counts.";

object!(
    /// The file.
    EXPERIMENT, "experiment", "the experiment", None, "The file.",
    [
        ("apiVersion", Word(&[API_VERSION]), Default(API_VERSION), "The version of the format."),
        ("kind", Word(&["Experiment"]), Required, "What makes a file an experiment."),
        ("id", ID, Default("a slug of the file's name"), "Its name on the command line and in the journal."),
        ("title", Text, Default("the hypothesis"), "Its title."),
        ("description", Text, Nothing, "What is done, in words."),
        ("hypothesis", Text, Required, "What is believed to hold while it runs."),
        ("owner", Text, Nothing, "Who keeps it right; lint misses it."),
        ("blast_radius", Map(&BLAST), Required, "What it may touch."),
        ("window", Map(&WINDOW), Default("not while an incident is open, below a quarter of the budget, or in a freeze"), "When it may begin."),
        ("slos", Texts, Default("those of `abort`, else all that are configured"), "Objectives whose budget and policy band are looked at before it begins."),
        ("duration", Duration, Required, "From the first change to the rollback, 1s to 12h."),
        ("every", Duration, Default("5s"), "Between two looks at a condition, 1s to 5m."),
        ("recovery", Duration, Default("10m"), "How long after the rollback the steady state may take to come back."),
        ("defaults", Map(&DEFAULTS), Nothing, "What holds for every command that does not say it. `on_fail` does nothing here: a change that fails ends the experiment."),
        ("targets", Named(&TARGET_MAP), Nothing, "Where commands may run beside `local`, by name."),
        ("guard", Maps(&GUARD), Nothing, "Reads that prove where we are, before anything changes. Lint misses them."),
        ("steady", Maps(&STEADY), Required, "The steady state: must hold before anything changes, and again after the rollback."),
        ("abort", Maps(&ABORT), Required, "What ends it at once, looked at all the time. No data for too long always does."),
        ("method", Maps(&DEED), Required, "What is done to the system, in order."),
        ("success", Maps(&SUCCESS), Nothing, "What must hold while the method is in force."),
        ("manual", Texts, Nothing, "What cannot be measured: asked at the end, answered with yes, no or unsure."),
        ("rollback", Maps(&DEED), Required, "How it is taken back, in order, on every way out. Must do no harm when it is done twice."),
        ("halt_by", Texts, Nothing, "Who may halt it: shown while it runs and not checked, for a halt is never refused. A time with its zone, `16:00 Europe/Berlin` or `2026-05-04T14:00:00Z`, halts it by itself, with its rollback."),
    ]
);
object!(
    /// What may be touched.
    BLAST, "blastRadius", "blast_radius", None, "What the experiment may touch.",
    [
        ("environment", Text, Required, "Where it runs. Its name must be typed before anything changes."),
        ("targets", Text, Nothing, "What in it, in words or as a selector: `app=redis`."),
        ("max_share", Number, Nothing, "The greatest share of it that is touched, 0 to 1; shown before it is confirmed. Kept only where `share_promql` measures it."),
        ("share_promql", Text, Nothing, "What measures the share that is touched, 0 to 1. Above `max_share`, or unknown, it does not begin; above it while it runs, or unknown for longer than `no_data`, it is taken back. No series is not known: end the query with `or vector(0)` where nothing means none."),
        ("forbid", Texts, Nothing, "Names that stand for what must not be touched. A command, address, host or environment with one of them as a word is refused."),
        ("hosts", Texts, Nothing, "Hosts beside this machine that HTTP calls may go to. There are no others."),
    ]
);
object!(
    /// When it may begin.
    WINDOW, "experimentWindow", "window", None, "When it may begin.",
    [
        ("not_when", Maps(&NOT_WHEN), Default("[incident_open, budget_below: 0.25, freeze]"), "What keeps it from beginning. An open incident always does, and ends it while it runs."),
        ("hours", Texts, Nothing, "`Mon-Thu 10:00-16:00 Europe/Berlin`; one of several must fit. It must end within them too."),
    ]
);
object!(
    /// What keeps it from beginning.
    NOT_WHEN, "notWhen", "a reason", Some("`incident_open`, or `freeze`: the error-budget policy is in its feature freeze or beyond"), "What keeps an experiment from beginning.",
    [("budget_below", Number, Required, "An objective has less than this share of its budget left, 0 to 1. A budget that is not known counts as less.")]
);
object!(
    /// A part of the steady state.
    STEADY, "steady", "a steady condition", None, "What must hold: one of `promql`, `slo` with `burn_rate`, `argv`, `sh`, `http`. No data never holds.",
    [
        ("name", Text, Default("what is looked at"), "What people call it."),
        ("promql", Text, Nothing, "What is asked of the first configured Prometheus. Nothing is replaced in it."),
        ("any", Boolean, Default("false"), "One of several series is enough; otherwise all must hold."),
        ("slo", Text, Nothing, "An objective."),
        ("burn_rate", Duration, Nothing, "The window over which its burn rate is looked at."),
        ("op", Word(OPS), Nothing, OP),
        ("value", Number, Nothing, "With what."),
        ("argv", Argv, Nothing, ARGV),
        ("sh", Text, Nothing, SH),
        ("ok_exit", Codes, Default("[0]"), "Exit codes with which the read holds."),
        ("timeout", Duration, Default("defaults.timeout"), "How long it may take before it is stopped."),
        ("target", Text, Default("defaults.target"), "Where it runs: a name under `targets`, or `local`."),
        ("cwd", Text, Default("defaults.cwd"), "The folder it runs in, relative to the file's."),
        ("http", Map(&HTTP), Nothing, "A call that reads."),
        ("equals", Text, Nothing, EXPECTS),
        ("range", Range, Nothing, "Its first line is a number from the one to the other."),
        ("one_of", Texts, Nothing, "Its first line is one of these."),
        ("matches", Text, Nothing, "Regular expression that is found in it; `^` and `$` are a line's ends."),
        ("for", Duration, Default("30s"), "For how long without a gap."),
        ("within", Duration, Default("five minutes more than `for`"), "After which it counts as not steady, before anything changes."),
    ]
);
object!(
    /// What ends it.
    ABORT, "abort", "an abort condition", None, "What ends the experiment when it holds: what a steady condition may say, or `no_data`. What is not known never clears it.",
    [
        ("no_data", Duration, Nothing, "Stands alone: nothing was learned from one of these conditions for this long. Without it, 60s."),
        ("name", Text, Default("what is looked at"), "What people call it."),
        ("promql", Text, Nothing, "What is asked of the first configured Prometheus."),
        ("any", Boolean, Default("true"), "One of several series is enough."),
        ("slo", Text, Nothing, "An objective."),
        ("burn_rate", Duration, Nothing, "The window over which its burn rate is looked at."),
        ("op", Word(OPS), Nothing, OP),
        ("value", Number, Nothing, "With what."),
        ("argv", Argv, Nothing, ARGV),
        ("sh", Text, Nothing, SH),
        ("ok_exit", Codes, Default("[0]"), "Exit codes with which it holds, and so ends the experiment."),
        ("timeout", Duration, Default("defaults.timeout"), "How long it may take before it is stopped."),
        ("target", Text, Default("defaults.target"), "Where it runs."),
        ("cwd", Text, Default("defaults.cwd"), "The folder it runs in."),
        ("http", Map(&HTTP), Nothing, "A call that reads."),
        ("equals", Text, Nothing, EXPECTS),
        ("range", Range, Nothing, "Its first line is a number from the one to the other."),
        ("one_of", Texts, Nothing, "Its first line is one of these."),
        ("matches", Text, Nothing, "Regular expression that is found in it."),
        ("for", Duration, Default("0s"), "For how long, before it ends the experiment."),
    ]
);
object!(
    /// What must hold meanwhile.
    SUCCESS, "success", "a criterion", None, "What must hold while the method is in force: what a steady condition may say.",
    [
        ("name", Text, Default("what is looked at"), "What people call it."),
        ("promql", Text, Nothing, "What is asked of the first configured Prometheus."),
        ("any", Boolean, Default("false"), "One of several series is enough; otherwise all must hold."),
        ("slo", Text, Nothing, "An objective."),
        ("burn_rate", Duration, Nothing, "The window over which its burn rate is looked at."),
        ("op", Word(OPS), Nothing, OP),
        ("value", Number, Nothing, "With what."),
        ("argv", Argv, Nothing, ARGV),
        ("sh", Text, Nothing, SH),
        ("ok_exit", Codes, Default("[0]"), "Exit codes with which it holds."),
        ("timeout", Duration, Default("defaults.timeout"), "How long it may take before it is stopped."),
        ("target", Text, Default("defaults.target"), "Where it runs."),
        ("cwd", Text, Default("defaults.cwd"), "The folder it runs in."),
        ("http", Map(&HTTP), Nothing, "A call that reads."),
        ("equals", Text, Nothing, EXPECTS),
        ("range", Range, Nothing, "Its first line is a number from the one to the other."),
        ("one_of", Texts, Nothing, "Its first line is one of these."),
        ("matches", Text, Nothing, "Regular expression that is found in it."),
        ("during", Word(DURINGS), Default("all"), "`all`: at every look from the end of the method to the rollback; `end`: at the last one."),
    ]
);
object!(
    /// Something that is done.
    DEED, "deed", "a deed", None, "Something that is done: one of `argv`, `sh`, `http`.",
    [
        ("name", Text, Default("what is run"), "What people call it."),
        ("argv", Argv, Nothing, ARGV),
        ("sh", Text, Nothing, SH),
        ("http", Map(&HTTP), Nothing, "A call, only to this machine or to `blast_radius.hosts`."),
        ("risk", Word(RISKS), Default("unknown; of a rollback, change"), "What it may do. Destructive words raise what is said, nothing lowers it."),
        ("timeout", Duration, Default("defaults.timeout"), "How long it may take before it is stopped."),
        ("target", Text, Default("defaults.target"), "Where it runs."),
        ("cwd", Text, Default("defaults.cwd"), "The folder it runs in."),
        ("ok_exit", Codes, Default("[0]"), "Exit codes that are no failure."),
        ("impact", Text, Nothing, "What it does to others, shown before it is confirmed."),
        ("pause_before", Duration, Default("0s"), "A wait before it; of a rollback, never more than 1m."),
        ("pause_after", Duration, Default("0s"), "A wait after it."),
    ]
);
object!(
    /// A call.
    HTTP, "httpCall", "an HTTP call", None, "An HTTP call, exactly as it is shown before it is confirmed. Redirects are not followed.",
    [
        ("url", Text, Required, "Where to, http or https, without credentials."),
        ("method", Word(METHODS), Default("GET"), "How."),
        ("headers", Labels, Nothing, "Headers. Never a secret: they stand in the file, the journal and the report."),
        ("body", Text, Nothing, "What is sent."),
        ("status", Statuses, Default("200 to 299"), "Statuses that are no failure."),
        ("timeout_s", Count, Default("10"), "Seconds that it may take, at most 300."),
    ]
);
