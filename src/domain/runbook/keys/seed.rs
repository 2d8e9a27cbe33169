//! The keys of the plain form, a file without `apiVersion`.

use crate::domain::runbook::keys::Takes::{Date, Duration, Line, Lines, List, Text, Texts, Word};
use crate::domain::runbook::keys::Without::{Default, Nothing, Required};
use crate::domain::runbook::keys::object;
use crate::domain::runbook::keys::v1::{ESCALATION, LINK, PHASES};

/// What a plain command may do; silence is `unknown`.
pub const RISKS: &[&str] = &["read", "change", "destroy"];

object!(
    /// The file.
    RUNBOOK, "plainRunbook", "the runbook", None,
    "A file without `apiVersion`. What its commands may do is not known unless it says so.",
    [
        ("id", Text, Default("a slug of the file's name"), "Its name in logs, in links and on the command line."),
        ("name", Text, Required, "Its title."),
        ("description", Text, Nothing, "What it is for."),
        ("owner", Text, Nothing, "Who keeps it right."),
        ("reviewed", Date, Nothing, "When somebody last read it against reality."),
        ("review_every", Duration, Default("180d"), "How long a review holds."),
        ("triggers", List(&TRIGGER), Nothing, "Alerts that it answers."),
        ("severity", Text, Nothing, "Suggested when an incident is declared."),
        ("links", List(&LINK), Nothing, "Where to look."),
        ("steps", List(&STEP), Required, "What to do, in order."),
        ("escalation", List(&ESCALATION), Nothing, "Whom to call when it lasts."),
    ]
);
object!(
    /// An alert.
    TRIGGER, "plainTrigger", "a trigger", None, "An alert that the runbook answers.",
    [
        ("alert", Text, Required, "The alert's name."),
        ("match", Texts, Nothing, "Matchers such as `team=\"api\"`; all must hold."),
        ("expr", Text, Nothing, "The alert's expression, for people."),
        ("for", Duration, Nothing, "How long it must hold, for people."),
    ]
);
object!(
    /// A step.
    STEP, "plainStep", "a step", None, "One thing to do.",
    [
        ("id", Text, Default("a slug of its name"), "Unique in the runbook."),
        ("name", Text, Required, "Its title."),
        ("description", Text, Nothing, "Read, never run."),
        ("phase", Word(PHASES), Nothing, "The part of an incident that it belongs to."),
        ("risk", Word(RISKS), Default("unknown"), "What each command of the step may do that does not say it itself."),
        ("timeout", Duration, Default("1m"), "How long each command may take."),
        ("commands", Lines, Nothing, "A list runs without a shell; a text runs in /bin/sh if it has the shape of a command, and is a task to tick by hand otherwise."),
        ("links", List(&LINK), Nothing, "Where to look."),
        ("checks", Texts, Nothing, "Questions; what follows the question mark is a hint."),
        ("options", List(&OPTION), Nothing, "What may be done, to choose from."),
        ("actions", Texts, Nothing, "Things to do by hand, ticked by people."),
    ]
);
object!(
    /// An option.
    OPTION, "plainOption", "an option", None, "One of several things to do.",
    [
        ("action", Text, Required, "What, in words."),
        ("command", Line, Nothing, "How."),
        ("risk", Word(RISKS), Default("the step's"), "What the command may do."),
        ("timeout", Duration, Default("the step's"), "How long the command may take."),
    ]
);
