//! Every key that a run sheet may have, once. The reader knows no other keys; JSON Schema and reference page are rendered from
//! here.

use crate::domain::runbook::keys::Takes::{Count, Date, Duration, Labels, Maps, Shaped, Text, Texts, Word};
use crate::domain::runbook::keys::Without::{Default, Nothing, Required};
use crate::domain::runbook::keys::object;
use crate::domain::runbook::keys::v1::{API_VERSION, ID};

object!(
    /// The file.
    GAME_DAY, "gameDay", "the game day", None, "The file.",
    [
        ("apiVersion", Word(&[API_VERSION]), Default(API_VERSION), "The version of the format."),
        ("kind", Word(&["GameDay"]), Required, "What makes a file a run sheet."),
        ("id", ID, Default("a slug of the file's name"), "Its name in the log and the report."),
        ("title", Text, Required, "Its title."),
        ("goal", Text, Nothing, "What shall be learned."),
        ("date", Date, Nothing, "When it is held; for people."),
        ("starts", Shaped("^[0-2][0-9]:[0-5][0-9]$", "a time of day, 10:00"), Nothing, "When it begins, in its zone. Times of the sheet are counted from the real beginning."),
        ("zone", Text, Default("UTC"), "An IANA time zone."),
        ("roles", Labels, Required, "Who does what: `owner` may halt, `coordinator` begins what is on the sheet, `reporter` writes, `observer` watches; any others."),
        ("stop_when", Texts, Nothing, "What ends the whole day."),
        ("entries", Maps(&ENTRY), Required, "The sheet."),
        ("questions", Texts, Nothing, "What to talk about at the end."),
    ]
);
object!(
    /// A line of the sheet.
    ENTRY, "gameDayEntry", "an entry", None, "A line of the sheet: something to do or to tell, a `scenario` or an `experiment`.",
    [
        ("id", ID, Default("a slug of its title"), "Its name in the log."),
        ("at", Duration, Required, "When, from the beginning."),
        ("title", Text, Required, "What it is."),
        ("who", Text, Default("coordinator"), "The role whose turn it is."),
        ("do", Text, Nothing, "What the facilitator does; never shown to the teams."),
        ("tell", Text, Nothing, "What is told to the teams, word for word."),
        ("not_yet", Texts, Nothing, "What must not be told before the entry that `reveals` this one is done; never shown to the teams."),
        ("reveals", Texts, Nothing, "Entries whose `not_yet` may be told from here on."),
        ("scenario", Text, Nothing, "A drill: a scenario's id, or a file."),
        ("speed", Count, Default("the scenario's"), "How much faster than real time the drill runs, 1 to 60."),
        ("experiment", Text, Nothing, "An experiment's id, or a file."),
    ]
);
