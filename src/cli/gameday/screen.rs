//! A game day on the screen: what a person wishes for there is written to the shared log and begun, and the log, whoever wrote
//! it, is what the screen shows. Draws nothing itself.

use super::{Session, failed, line};
use crate::app::gameday::{Hands, Seat, Wish};
use crate::app::present::view::Tone;
use crate::cli::cockpit::looks;
use crate::cli::failure::{Exit, Failure};
use crate::domain::gameday::log::{Body, Line};
use crate::domain::gameday::model::{Act, Entry};
use crate::domain::gameday::report::markdown;
use crate::io::files::gamedays::{log, write_report};
use crate::run::gameday::{Said, Screen};
use crate::run::terminal::install_panic_hook;
use std::sync::Arc;

/// How a day on the screen was left.
enum Way {
    /// It goes on.
    On,
    /// The person left; what is told after the screen.
    Left(String),
    /// The program was told to end.
    Over(i32),
}

/// Goes through it until it is ended or left.
pub(super) fn go(session: &mut Session<'_>, seat: Seat) -> Result<Exit, Failure> {
    if seat == Seat::Facilitator && session.state()?.began.is_none() {
        session.write(Body::Began)?;
    }
    let lines = log(&session.folder).map_err(failed)?.0;
    let mut hands = Hands::new(Arc::new(session.day.clone()), seat, lines);
    install_panic_hook(session.context.folders.state.join("panic.log"));
    let mut screen = Screen::open(looks(session.context)?).map_err(failed)?;
    let way = loop {
        let way = match screen.wait(&mut hands) {
            Said::Nothing => Ok(Way::On),
            Said::Over(code) => Ok(Way::Over(code)),
            Said::Wish(wish) => carry_out(session, &mut screen, &mut hands, wish),
        };
        match way {
            Ok(Way::On) => {}
            Ok(way) => break way,
            // What did not go well does not end the day.
            Err(failure) => hands.say(failure.to_string(), Tone::Crit),
        }
        look(session, &mut hands);
    };
    drop(screen);
    match way {
        Way::Over(code) => Ok(Exit(u8::try_from(code).unwrap_or(1))),
        Way::Left(words) => session.output.line(&words).map(|()| Exit::DONE),
        Way::On => Ok(Exit::DONE),
    }
}

/// The log as it is on the disk; one that cannot be read leaves what is known, and says so.
fn look(session: &Session<'_>, hands: &mut Hands) {
    match log(&session.folder) {
        Ok((lines, findings)) => {
            let news = lines.len() > hands.log.len();
            if !findings.is_empty() && news {
                let many = findings.len();
                hands.say(format!("{many} lines of the log cannot be read; they are left out"), Tone::Warn);
            }
            // A log that lost lines is shown as it is.
            if news || lines.len() < hands.log.len() {
                hands.take(lines);
            }
        }
        Err(fault) => hands.say(format!("the log cannot be read: {fault}"), Tone::Crit),
    }
}

fn carry_out(session: &mut Session<'_>, screen: &mut Screen, hands: &mut Hands, wish: Wish) -> Result<Way, Failure> {
    match wish {
        Wish::Leave => return Ok(Way::Left(left(hands.seat).to_owned())),
        Wish::Note(text) => {
            session.note(&text)?;
            hands.say("written to the shared log", Tone::Ok);
        }
        Wish::Done { entry, result } => session.write(Body::Done { entry, result, reference: None })?,
        Wish::Skip { entry, why } => session.write(Body::Skipped { entry, why })?,
        Wish::End(why) => {
            let why = if why.is_empty() { "the sheet is done".to_owned() } else { why };
            session.write(Body::Ended { why })?;
            let lines: Vec<Line> = log(&session.folder).map_err(failed)?.0;
            let report = write_report(&session.folder, &markdown(&session.day, &lines)).map_err(failed)?;
            return Ok(Way::Left(format!("report: {}", report.display())));
        }
        Wish::Begin(id) => {
            let entry = session.entry(&id)?;
            begin(session, screen, hands, &entry)?;
        }
    }
    Ok(Way::On)
}

fn left(seat: Seat) -> &'static str {
    match seat {
        Seat::Facilitator => "left; the same command goes on with it today",
        Seat::Team { .. } => "left",
    }
}

fn begin(session: &mut Session<'_>, screen: &mut Screen, hands: &mut Hands, entry: &Entry) -> Result<(), Failure> {
    if session.ends(entry, &hands.state)? {
        return Ok(());
    }
    session.write(Body::Started { entry: entry.id.clone() })?;
    if entry.act == Act::Person {
        return Ok(());
    }
    let ran = screen.lend(|| {
        let ran = session.act(&entry.act);
        // What was printed last is read before the screen covers it.
        let said = session.output.line("Enter goes back to the game day").and_then(|()| session.output.finish());
        if said.is_ok() {
            drop(line());
        }
        ran
    });
    let (result, reference) = ran.map_err(failed)??;
    let tone = if result.contains("OWED") || result.starts_with("NOT ") { Tone::Crit } else { Tone::Ok };
    hands.say(format!("{}: {result}", entry.title), tone);
    session.write(Body::Done { entry: entry.id.clone(), result, reference })
}
