//! `midwatch replay`: a recorded incident on the real screens, wound back and forth. Reads the record or an exported
//! timeline; writes nothing, asks nobody.

use crate::app::msg::{Feed, Msg};
use crate::app::update::update;
use crate::cli::args::ReplayArgs;
use crate::cli::cockpit::{given, show, unusable};
use crate::cli::context::Context;
use crate::cli::desk::Desk;
use crate::cli::failure::{Exit, Failure};
use crate::cli::library::Library;
use crate::cli::output::Output;
use crate::domain::export::read::events as exported;
use crate::domain::ids::IncidentId;
use crate::domain::incident::event::Event;
use crate::domain::incident::reel::Reel;
use crate::domain::time::{Span, Timestamp, parse_when, rfc3339};
use crate::io::clock;
use crate::io::files::read::read_text;
use crate::run::replay::prepare;
use chrono::Offset;
use std::path::Path;

/// The largest timeline that is read.
const LIMIT: u64 = 256 << 20;

/// Opens the replay at the declaration, or at `--at`; where the terminal cannot show it, as plain lines that take the names
/// of actions. JSON is the incident as it stood at `--at` (without it: at the end): `{"as_of", "partial", "faults", "replay":
/// {"incident", "from", "to", "at", "moment", "moments", …}, "incident", "alerts", "slos", "outbox",
/// "silences", "not_recorded"}`.
pub fn run(context: &Context, args: &ReplayArgs, output: &mut Output) -> Result<Exit, Failure> {
    let events = recorded(context, &args.incident, output)?;
    let reel = Reel::of(&events)
        .ok_or_else(|| Failure::Refused(format!("{}: no event in it declares an incident", args.incident)))?;
    let at = args.at.as_deref().map(|typed| instant(context, typed, &reel)).transpose()?;
    let given = given(context, false);
    let at = if output.is_json() { at.or_else(|| Some(reel.end())) } else { at };
    let nothing = || Failure::Refused(format!("{}: there is nothing to replay", args.incident));
    let mut ready = prepare(&given, reel, at, args.speed).ok_or_else(nothing)?;
    if output.is_json() {
        let library = Library::load(context);
        let now = clock::now();
        drop(update(&mut ready.model, now, Msg::Feed(Feed::Library(library.books, library.findings))));
        output.json(&crate::app::present::replay::report(&ready.model).ok_or_else(nothing)?)?;
        return Ok(Exit::DONE);
    }
    match unusable(context) {
        Some(why) => {
            output.note(&format!("plain lines ({why})"));
            crate::cli::watch::lines(ready, output, 0)
        }
        None => show(context, ready),
    }
}

/// The log of an incident of the record, or of a timeline that was exported as JSON lines.
fn recorded(context: &Context, typed: &str, output: &mut Output) -> Result<Vec<Event>, Failure> {
    let path = Path::new(typed);
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("jsonl")) {
        let text = read_text(path, LIMIT).map_err(|fault| Failure::Refused(fault.to_string()))?;
        let name = path.file_stem().map_or_else(|| typed.to_owned(), |stem| stem.to_string_lossy().into_owned());
        return exported(typed, &text, &IncidentId(name)).map_err(Failure::Refused);
    }
    let config = context.ready(output)?;
    let mut desk = Desk::to_read(context, config)?;
    Ok(desk.find(typed)?.events)
}

/// The instant that was typed, as seen from the end of the record: `-7m` is seven minutes before it.
fn instant(context: &Context, typed: &str, reel: &Reel) -> Result<Timestamp, Failure> {
    let offset = reel.end().with_timezone(&context.config().time_zone).offset().fix();
    let wrong = |why: String| {
        let (from, to) = (rfc3339(reel.start()), rfc3339(reel.end()));
        Failure::Usage(format!("--at: {why}; the record goes from {from} to {to}"))
    };
    let at = parse_when(typed, reel.end(), offset).map_err(|why| {
        // The end of the record is the present of a replay.
        wrong(why.replace("lies in the future", "is after the last event"))
    })?;
    // Instants are told in milliseconds and recorded more finely: what is typed means the whole of its millisecond.
    let at = at.checked_add_signed(Span::nanoseconds(999_999)).unwrap_or(at);
    if at < reel.start() {
        return Err(wrong(format!("`{typed}` is before the declaration")));
    }
    Ok(at.min(reel.end()))
}
