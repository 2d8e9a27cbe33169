//! The keys of `apiVersion: midwatch/v1`. Keys and words avoid what other YAML readers take for a boolean or a clock time.

use crate::domain::runbook::keys::Takes::{
    Argv, Boolean, Codes, Comparison, Count, Date, Duration, List, Map, Maps, Named, Number, Shaped, Text, Texts, Word,
};
use crate::domain::runbook::keys::Without::{Default, Nothing, Required};
use crate::domain::runbook::keys::{Takes, object};

/// The version that a file names.
pub const API_VERSION: &str = "midwatch/v1";
/// Parts of an incident.
pub const PHASES: &[&str] = &["acknowledge", "diagnose", "mitigate", "verify", "communicate", "followup"];
/// What an escalation waits for.
pub const CLOCKS: &[&str] = &["unacked", "unmitigated", "open"];
/// What a command may do.
pub const RISKS: &[&str] = &["read", "change", "destroy", "unknown"];
/// Comparisons.
pub const OPS: &[&str] = &["<", "<=", ">", ">=", "==", "!="];
/// Answers to a question.
pub const ANSWERS: &[&str] = &["yes", "no", "unsure"];

/// An id of a runbook, a step, a command or an option.
pub const ID: Takes = Shaped("^[a-z0-9][a-z0-9-]{0,63}$", "lower case, digits and dashes, at most 64");
/// A name of a value.
pub const NAME: Takes = Shaped("^[A-Z][A-Z0-9_]{0,63}$", "upper case, digits and underscores");
/// A host of the user's own ssh configuration.
pub const HOST: Takes = Shaped("^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$", "a Host of ~/.ssh/config, nothing else");
/// Where a value comes from.
pub const SOURCE: Takes = Shaped(
    "^(ask|(label|annotation|backend|const|step):.+)$",
    "`ask`, or one of `label:`, `annotation:`, `backend:`, `const:`, `step:` with a name or value behind it",
);
/// A question of an earlier step.
pub const QUESTION: Takes = Shaped("^[a-z0-9][a-z0-9-]*\\.[0-9]+$", "STEP.NUMBER, from 0");

const ARGV: &str =
    "A program and its arguments, run without a shell. `${NAME}` is replaced inside an element and never split again.";
const SH: &str =
    "One line for /bin/sh. Nothing is replaced in it: values are environment variables, so write `\"$NAME\"`.";
const TIMEOUT: &str = "How long it may take before it is stopped.";
const TARGET: &str = "Where it runs: a name under `targets`, or `local`.";
const CWD: &str = "The folder it runs in, relative to the runbook's.";
const OK_EXIT: &str = "Exit codes that are no failure.";
const OP: &str = "How the measured value is compared.";

object!(
    /// The file.
    RUNBOOK, "runbook", "the runbook", None, "The file.",
    [
        ("apiVersion", Word(&[API_VERSION]), Required, "What makes a file this format."),
        ("kind", Word(&["Runbook"]), Default("Runbook"), "What the file is."),
        ("id", ID, Default("a slug of the file's name"), "Its name in logs, in links and on the command line. Keep it when the file moves."),
        ("name", Text, Required, "Its title."),
        ("description", Text, Nothing, "What it is for."),
        ("owner", Text, Nothing, "Who keeps it right; lint misses it."),
        ("reviewed", Date, Nothing, "When somebody last read it against reality; lint misses it."),
        ("review_every", Duration, Default("180d"), "How long a review holds."),
        ("severity", Text, Nothing, "Suggested when an incident is declared."),
        ("triggers", List(&TRIGGER), Nothing, "Alerts that it answers."),
        ("links", List(&LINK), Nothing, "Where to look."),
        ("inputs", Maps(&INPUT), Nothing, "Values that its commands use, each with the rule that it must keep to."),
        ("guard", Maps(&GUARD), Nothing, "Where we are: checked before the first command that is not a read, and again after ten minutes. If one does not hold, nothing that changes anything runs."),
        ("defaults", Map(&DEFAULTS), Nothing, "What holds for every command or step that does not say it."),
        ("targets", Named(&TARGET_MAP), Nothing, "Where commands may run beside `local`, by name."),
        ("steps", List(&STEP), Required, "What to do, in order."),
        ("escalation", List(&ESCALATION), Nothing, "Whom to call when it lasts."),
    ]
);
object!(
    /// An alert.
    TRIGGER, "trigger", "a trigger", None, "An alert that the runbook answers.",
    [
        ("alert", Text, Required, "The alert's name."),
        ("match", Texts, Nothing, "Matchers as Alertmanager has them, `team=\"api\"`; all must hold."),
        ("firing", Text, Nothing, "PromQL that answers whether it is still so. It is never an alert rule."),
        ("for", Duration, Nothing, "How long the rule waits, for people."),
    ]
);
object!(
    /// A place to look.
    LINK, "link", "a link", Some("its address"), "A place to look.",
    [
        ("title", Text, Default("the address"), "Its words."),
        ("url", Text, Required, "Its address, https; or a file beside the runbook."),
    ]
);
object!(
    /// A value.
    INPUT, "input", "an input", None, "A value that commands use by name.",
    [
        ("name", NAME, Required, "How commands call it."),
        ("from", SOURCE, Required, "`label:NAME` and `annotation:NAME` of the alert, `backend:incident_id` of the paging service, `ask` the responder, `const:VALUE`, or `step:CAPTURE` of an earlier command."),
        ("prompt", Text, Default("the name"), "What the responder is asked; only with `from: ask`."),
        ("default", Text, Nothing, "What it is when its source has nothing; it must keep to the pattern too."),
        ("pattern", Text, Nothing, "Regular expression that the whole value must match. Required by lint for everything but `const:`; without it values from outside keep to letters, digits and `_ . : / @ % + = , -`."),
        ("min", Number, Nothing, "The least number that it may be."),
        ("max", Number, Nothing, "The greatest."),
        ("secret", Boolean, Default("false"), "It is masked wherever text is shown or kept, and must not be an argument."),
    ]
);
object!(
    /// A check of where we are.
    GUARD, "guard", "a guard", None, "A read that proves where we are.",
    [
        ("argv", Argv, Nothing, ARGV),
        ("sh", Text, Nothing, SH),
        ("equals", Text, Nothing, "What the first line of its output must be."),
        ("matches", Text, Nothing, "Regular expression that the whole first line must match."),
        ("timeout", Duration, Default("defaults.timeout"), TIMEOUT),
        ("target", Text, Default("defaults.target"), TARGET),
        ("cwd", Text, Default("defaults.cwd"), CWD),
    ]
);
object!(
    /// What holds for all.
    DEFAULTS, "defaults", "defaults", None, "What holds for every command or step that does not say it.",
    [
        ("timeout", Duration, Default("60s"), "How long a command may take."),
        ("target", Text, Default("local"), TARGET),
        ("cwd", Text, Default("."), CWD),
        ("on_fail", Map(&ON_FAIL), Default("ask"), "What follows a command that failed."),
    ]
);
object!(
    /// A place where commands run.
    TARGET_MAP, "target", "a target", None, "A place where commands run.",
    [("ssh", HOST, Required, "The Host of the user's own ssh configuration. User, port and keys belong there.")]
);
object!(
    /// A step.
    STEP, "step", "a step", None, "One thing to do.",
    [
        ("id", ID, Default("a slug of its name"), "Unique in the runbook; `goto`, `when` and the record use it."),
        ("name", Text, Required, "Its title."),
        ("phase", Word(PHASES), Nothing, "The part of an incident that it belongs to."),
        ("say", Text, Nothing, "What to do, in words. It never runs."),
        ("when", Map(&WHEN), Nothing, "When the step is walked; always without it."),
        ("run", Maps(&COMMAND), Nothing, "What can be run."),
        ("parallel", Boolean, Default("false"), "Its commands, all of them reads, may run side by side."),
        ("on_fail", Map(&ON_FAIL), Default("defaults.on_fail"), "What follows a command that failed."),
        ("ask", Maps(&CHECK), Nothing, "What to find out."),
        ("choose", Word(&["one", "any"]), Default("one"), "How many of the options may be taken."),
        ("options", Maps(&OPTION), Nothing, "What may be done, to choose from."),
        ("approval", Word(&["second"]), Nothing, "Everything in it that is not a read needs a second person."),
        ("include", ID, Nothing, "Another runbook whose steps are walked here; three levels at most."),
        ("goto", ID, Nothing, "The later step that follows this one; what lies between is skipped."),
        ("links", List(&LINK), Nothing, "Where to look."),
        ("todo", Texts, Nothing, "What is to be done by hand. In `phase: followup` these become action items."),
    ]
);
object!(
    /// A condition of a step.
    WHEN, "when", "a condition", Some("a comparison of inputs and captures, `OLD < REPLICAS`"), "When a step is walked.",
    [
        ("answer", QUESTION, Required, "A question of an earlier step: `bottleneck.0` is its first."),
        ("is", Word(ANSWERS), Required, "The answer that opens this step. Quote it: other programs read a bare yes as a boolean."),
    ]
);
object!(
    /// A command of a step.
    COMMAND, "command", "a command", None, "One of `argv`, `sh` and `promql`; nothing else ever runs.",
    [
        ("id", ID, Default("its number in the step"), "Unique in the step."),
        ("argv", Argv, Nothing, ARGV),
        ("sh", Text, Nothing, SH),
        ("promql", Text, Nothing, "A query for the runbook's Prometheus, always a read. Nothing is replaced in it."),
        ("risk", Word(RISKS), Default("unknown"), "`read` looks; `change` can be taken back; `destroy` cannot; `unknown` is treated as a change. Destructive words raise what is said, nothing lowers it."),
        ("timeout", Duration, Default("defaults.timeout"), TIMEOUT),
        ("target", Text, Default("defaults.target"), TARGET),
        ("cwd", Text, Default("defaults.cwd"), CWD),
        ("ok_exit", Codes, Default("[0]"), OK_EXIT),
        ("capture", Maps(&CAPTURE), Nothing, "Values that later commands take from its output."),
        ("retry", Map(&RETRY), Nothing, "Further tries when it fails; only for a read."),
        ("tty", Boolean, Default("false"), "It needs the terminal: the cockpit steps aside, and no output is kept."),
        ("impact", Text, Nothing, "What it does to others, shown before it is confirmed."),
        ("before", Map(&BEFORE), Nothing, "Reads the state that will change, for the rollback."),
        ("require", Comparison, Nothing, "Must hold, or it does not run: `OLD < REPLICAS`."),
        ("dry_run", Map(&DRY_RUN), Nothing, "Says what would happen, and changes nothing."),
        ("verify", Map(&VERIFY), Nothing, "Proves that it helped."),
        ("rollback", Map(&ROLLBACK), Nothing, "Takes it back; required by lint for `change` and `destroy`."),
        ("approval", Word(&["second"]), Nothing, "It needs a second person."),
    ]
);
object!(
    /// A value taken from output.
    CAPTURE, "capture", "a capture", None, "A value taken from output. Output is text from outside, so a pattern is required.",
    [
        ("name", NAME, Required, "How later commands call it."),
        ("regex", Text, Required, "Regular expression over the output; `^` and `$` are a line's ends, the first group is the value."),
    ]
);
object!(
    /// Further tries.
    RETRY, "retry", "retry", None, "Further tries of a read.",
    [
        ("times", Count, Required, "How many after the first, at most 10."),
        ("delay", Duration, Default("5s"), "Between two tries."),
    ]
);
object!(
    /// A question.
    CHECK, "check", "a check", Some("the question"), "A question to answer with yes, no or unsure.",
    [
        ("q", Text, Required, "The question."),
        ("hint", Text, Nothing, "Where the answer is found."),
        ("suggest", Map(&SUGGEST), Nothing, "A measurement that suggests yes while somebody looks at the check. It never answers."),
        ("if_yes", Map(&WAY), Default("next"), "Where the walk goes after a yes."),
        ("if_no", Map(&WAY), Default("next"), "After a no."),
        ("if_unsure", Map(&WAY), Default("next"), "After an unsure."),
    ]
);
object!(
    /// A suggested answer.
    SUGGEST, "suggest", "a suggestion", None, "Suggests yes while the comparison holds.",
    [
        ("promql", Text, Required, "What is asked."),
        ("op", Word(OPS), Required, OP),
        ("value", Number, Required, "With what."),
    ]
);
object!(
    /// Where a walk goes on.
    WAY, "way", "a way on", Some("`next`"), "Where a walk goes on: forward, or the same step again for a limited number of rounds.",
    [
        ("goto", Text, Required, "A later step's id, or `self`."),
        ("limit", Count, Nothing, "With `self`, and required there: how many further rounds, 1 to 100."),
    ]
);
object!(
    /// What follows a failure.
    ON_FAIL, "onFail", "on_fail", Some("`ask` the responder, `stop` the step as failed, or `continue` with the next command"), "What follows a command that failed.",
    [("goto", ID, Required, "A later step.")]
);
object!(
    /// An option.
    OPTION, "option", "an option", None, "One of several things to do.",
    [
        ("id", ID, Default("`option-` and its number"), "Unique in the step."),
        ("action", Text, Required, "What, in words."),
        ("say", Text, Nothing, "How, in words, where it is done by hand. It never runs."),
        ("risk", Word(RISKS), Default("unknown"), "What it may do; see the risk of a command."),
        ("impact", Text, Nothing, "What it does to others, shown before it is confirmed."),
        ("before", Map(&BEFORE), Nothing, "Reads the state that will change, for the rollback."),
        ("require", Comparison, Nothing, "Must hold, or it does not run: `OLD < REPLICAS`."),
        ("dry_run", Map(&DRY_RUN), Nothing, "Says what would happen, and changes nothing."),
        ("run", Map(&ACT), Nothing, "The thing itself."),
        ("verify", Map(&VERIFY), Nothing, "Proves that it helped."),
        ("rollback", Map(&ROLLBACK), Nothing, "Takes it back; required by lint for `change` and `destroy`."),
        ("approval", Word(&["second"]), Nothing, "It needs a second person."),
    ]
);
object!(
    /// What an option runs.
    ACT, "act", "what an option runs", None, "What an option runs. Its risk is the option's.",
    [
        ("argv", Argv, Nothing, ARGV),
        ("sh", Text, Nothing, SH),
        ("timeout", Duration, Default("defaults.timeout"), TIMEOUT),
        ("target", Text, Default("defaults.target"), TARGET),
        ("cwd", Text, Default("defaults.cwd"), CWD),
        ("ok_exit", Codes, Default("[0]"), OK_EXIT),
        ("capture", Maps(&CAPTURE), Nothing, "Values that later commands take from its output."),
        ("tty", Boolean, Default("false"), "It needs the terminal: the cockpit steps aside, and no output is kept."),
    ]
);
object!(
    /// The state before.
    BEFORE, "before", "before", None, "A read of the state that will change.",
    [
        ("argv", Argv, Nothing, ARGV),
        ("sh", Text, Nothing, SH),
        ("capture", Maps(&CAPTURE), Nothing, "The old values, for `require` and `rollback`."),
        ("timeout", Duration, Default("defaults.timeout"), TIMEOUT),
        ("target", Text, Default("the command's"), TARGET),
        ("cwd", Text, Default("the command's"), CWD),
        ("ok_exit", Codes, Default("[0]"), OK_EXIT),
    ]
);
object!(
    /// A rehearsal by the tool itself.
    DRY_RUN, "dryRun", "dry_run", None, "A read that says what would happen.",
    [
        ("argv", Argv, Nothing, ARGV),
        ("sh", Text, Nothing, SH),
        ("timeout", Duration, Default("defaults.timeout"), TIMEOUT),
        ("target", Text, Default("the command's"), TARGET),
        ("cwd", Text, Default("the command's"), CWD),
        ("ok_exit", Codes, Default("[0]"), OK_EXIT),
    ]
);
object!(
    /// A proof.
    VERIFY, "verify", "verify", None, "What must hold, without a gap, before a change counts as having helped: `promql`, or `slo` with `burn_rate`, or a read by `argv` or `sh`. No data never counts as holding.",
    [
        ("promql", Text, Nothing, "What is asked."),
        ("any", Boolean, Default("false"), "One of several series is enough; otherwise all must hold."),
        ("slo", Text, Nothing, "An objective."),
        ("burn_rate", Duration, Nothing, "The window over which its burn rate is looked at."),
        ("op", Word(OPS), Nothing, OP),
        ("value", Number, Nothing, "With what."),
        ("argv", Argv, Nothing, ARGV),
        ("sh", Text, Nothing, SH),
        ("ok_exit", Codes, Default("[0]"), "Exit codes with which the read holds."),
        ("timeout", Duration, Default("defaults.timeout"), TIMEOUT),
        ("target", Text, Default("the command's"), TARGET),
        ("cwd", Text, Default("the command's"), CWD),
        ("for", Duration, Default("5m"), "For how long it must hold."),
        ("within", Duration, Default("20m, or four times `for` if that is longer"), "After which it has failed."),
        ("every", Duration, Default("15s"), "Between two looks."),
    ]
);
object!(
    /// The way back.
    ROLLBACK, "rollback", "rollback", None, "The way back: a command, or `none` with the reason.",
    [
        ("none", Text, Nothing, "Why there is no way back."),
        ("argv", Argv, Nothing, ARGV),
        ("sh", Text, Nothing, SH),
        ("risk", Word(RISKS), Default("change"), "What the way back itself may do."),
        ("timeout", Duration, Default("defaults.timeout"), TIMEOUT),
        ("target", Text, Default("the command's"), TARGET),
        ("cwd", Text, Default("the command's"), CWD),
        ("ok_exit", Codes, Default("[0]"), OK_EXIT),
        ("tty", Boolean, Default("false"), "It needs the terminal."),
    ]
);
object!(
    /// A rung of the escalation.
    ESCALATION, "escalation", "an escalation", None, "Whom to call when it lasts.",
    [
        ("after", Duration, Required, "How long after its clock began."),
        ("contact", Text, Required, "Whom."),
        ("clock", Word(CLOCKS), Default("unmitigated"), "What it waits for: `unacked` until somebody acknowledges, `unmitigated` until the pain stops, `open` until it is over."),
    ]
);
