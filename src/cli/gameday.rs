//! `midwatch gameday`: goes through a run sheet, on the screen or line by line, begins its drills and experiments as their own commands, and
//! keeps one log and one report. Decides nothing about either: they have their own rules.

mod screen;
mod sheet;

use crate::app::gameday::Seat;
use crate::cli::args::gameday::GamedayArgs;
use crate::cli::check;
use crate::cli::cockpit::unusable;
use crate::cli::context::Context;
use crate::cli::desk::writable;
use crate::cli::failure::{Exit, Failure};
use crate::cli::files::read_text;
use crate::cli::output::Output;
use crate::domain::document::{Finding, Level};
use crate::domain::experiment::report::verdict;
use crate::domain::fault::Fault;
use crate::domain::gameday::log::{Body, Line, State};
use crate::domain::gameday::model::{Act, Entry, GameDay};
use crate::domain::gameday::read::read;
use crate::domain::gameday::report::markdown;
use crate::io::clock;
use crate::io::files::drills::read_history;
use crate::io::files::experiments::runs;
use crate::io::files::gamedays::{add, folder, log, write_report};
use crate::run::experiment::plain::{AtEnd, byte};
use serde_json::{Map, json};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// An example of a run sheet.
const EXAMPLE: &str = include_str!("../../assets/gameday.yaml");

/// Dispatches. JSON: `--check` what `midwatch check` gives, `--report` `{"game_day", "began_at", "ended_at", "entries", "log"}`.
pub fn run(context: &Context, args: &GamedayArgs, output: &mut Output) -> Result<Exit, Failure> {
    let Some(file) = args.file.as_deref().filter(|_| !args.example) else {
        output.verbatim(EXAMPLE)?;
        return Ok(Exit::DONE);
    };
    let (day, mut findings) = load(file)?;
    if args.check {
        findings.extend(day.iter().flat_map(|day| missing(context, day)));
        return check::print(1, &findings, (Map::new(), &[]), output);
    }
    output.notes(&findings.into_iter().filter(|f| f.level > Level::Info).collect::<Vec<_>>());
    let day =
        day.ok_or_else(|| Failure::Refused(format!("{} is not run before its errors are mended", file.display())))?;
    let name = format!("GAMEDAY-{}-{}", clock::now().format("%Y%m%d"), day.id);
    let folder = folder(&context.folders.data, &name).map_err(failed)?;
    let mut session = Session { context, day, folder, by: context.config().responder.name.clone(), output };
    let lines = if session.output.is_json() { Some("-o json") } else { args.plain.then_some("--plain") };
    let lines = lines.or_else(|| unusable(context));
    if args.team && lines.is_none() {
        return screen::go(&mut session, Seat::Team { notes: !context.config().read_only });
    }
    if args.team {
        let state = session.state()?;
        return sheet::team(&session.day, &state, session.output).map(|()| Exit::DONE);
    }
    if args.report {
        return session.report();
    }
    writable(context.config())?;
    match &args.note {
        Some(text) => session.note(text).map(|()| Exit::DONE),
        None if lines.is_none() => screen::go(&mut session, Seat::Facilitator),
        None => session.go(),
    }
}

fn failed(fault: Fault) -> Failure {
    Failure::Refused(fault.to_string())
}

fn load(file: &Path) -> Result<(Option<GameDay>, Vec<Finding>), Failure> {
    let text = read_text(file).map_err(|f| Failure::Refused(format!("{}: {}", f.path, f.message)))?;
    Ok(read(&file.to_string_lossy(), &text))
}

/// Scenarios and experiments of the sheet that are not there or have errors.
fn missing(context: &Context, day: &GameDay) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut quiet =
        Output::into_sinks(crate::cli::args::Format::Table, Box::new(std::io::sink()), Box::new(std::io::sink()));
    for entry in &day.entries {
        let problem = match &entry.act {
            Act::Person => None,
            Act::Scenario { name, .. } => crate::cli::drill::find(context, name, &mut quiet).err(),
            Act::Experiment { name } => crate::cli::experiment::find(context, name, &mut quiet).err(),
        };
        found.extend(problem.map(|failure| Finding {
            path: day.path.clone(),
            line: entry.mark.line,
            column: entry.mark.column,
            rule: "game-day".to_owned(),
            level: Level::Error,
            message: failure.to_string(),
        }));
    }
    found
}

/// A day while somebody goes through it.
struct Session<'s> {
    context: &'s Context,
    day: GameDay,
    folder: PathBuf,
    by: String,
    output: &'s mut Output,
}

impl Session<'_> {
    fn log(&mut self) -> Result<Vec<Line>, Failure> {
        let (lines, findings) = log(&self.folder).map_err(failed)?;
        self.output.notes(&findings);
        Ok(lines)
    }

    fn state(&mut self) -> Result<State, Failure> {
        let lines = self.log()?;
        Ok(State::fold(&self.day, &lines))
    }

    fn write(&mut self, body: Body) -> Result<(), Failure> {
        add(&self.folder, &Line { at: clock::now(), by: self.by.clone(), body }).map_err(failed)
    }

    fn note(&mut self, text: &str) -> Result<(), Failure> {
        let text = crate::domain::text::clean(text.trim()).into_owned();
        if text.is_empty() {
            return Err(Failure::Usage("a note says something".to_owned()));
        }
        self.write(Body::Note { text })
    }

    fn report(&mut self) -> Result<Exit, Failure> {
        let lines = self.log()?;
        if !self.output.is_json() {
            self.output.verbatim(&markdown(&self.day, &lines))?;
            return Ok(Exit::DONE);
        }
        let state = State::fold(&self.day, &lines);
        let entries: Vec<serde_json::Value> = self
            .day
            .entries
            .iter()
            .zip(&state.entries)
            .map(|(entry, standing)| {
                json!({
                    "id": entry.id, "title": entry.title, "at": crate::domain::time::seconds(entry.at),
                    "started_at": standing.started.map(crate::domain::time::rfc3339),
                    "ended_at": standing.ended.map(crate::domain::time::rfc3339),
                    "result": standing.result, "skipped": standing.skipped, "reference": standing.reference,
                })
            })
            .collect();
        self.output.json(&json!({
            "game_day": self.day.id,
            "began_at": state.began.map(crate::domain::time::rfc3339),
            "ended_at": state.ended.as_ref().map(|(at, _)| crate::domain::time::rfc3339(*at)),
            "entries": entries,
            "log": lines,
        }))?;
        Ok(Exit::DONE)
    }

    /// Line by line until it is ended or left.
    fn go(&mut self) -> Result<Exit, Failure> {
        if self.output.is_json() {
            return Err(Failure::Usage("-o json needs --check or --report here".to_owned()));
        }
        if self.state()?.began.is_none() {
            self.write(Body::Began)?;
        }
        let state = self.state()?;
        sheet::facilitator(&self.day, &state, clock::now(), self.output)?;
        loop {
            let state = self.state()?;
            sheet::next(&self.day, &state, clock::now(), self.output)?;
            self.output.line(
                "N begins or ends entry N; `done N [result]`, `skip N why`, `note TEXT`, `sheet`, `end [why]`, `quit`",
            )?;
            self.output.finish()?;
            let Some(typed) = line() else {
                self.output.line("left; the same command goes on with it today")?;
                return Ok(Exit::DONE);
            };
            match self.typed(typed.trim()) {
                Ok(true) => return Ok(Exit::DONE),
                Ok(false) => {}
                // What was typed wrongly, and what did not go well, does not end the day.
                Err(Failure::Output(error)) => return Err(Failure::Output(error)),
                Err(failure) => self.output.line(&failure.to_string())?,
            }
        }
    }

    /// What a person typed. `true` ends the session.
    fn typed(&mut self, text: &str) -> Result<bool, Failure> {
        let (word, rest) = text.split_once(char::is_whitespace).map_or((text, ""), |(word, rest)| (word, rest.trim()));
        match word {
            "" => {}
            "quit" => {
                self.output.line("left; the same command goes on with it today")?;
                return Ok(true);
            }
            "end" => {
                let why = if rest.is_empty() { "the sheet is done" } else { rest };
                self.write(Body::Ended { why: why.to_owned() })?;
                let lines = self.log()?;
                let report = write_report(&self.folder, &markdown(&self.day, &lines)).map_err(failed)?;
                self.output.line(&format!("report: {}", report.display()))?;
                return Ok(true);
            }
            "note" => self.note(rest)?,
            "sheet" => {
                let state = self.state()?;
                sheet::facilitator(&self.day, &state, clock::now(), self.output)?;
            }
            "done" => {
                let (which, result) = rest.split_once(' ').unwrap_or((rest, ""));
                let entry = self.entry(which)?;
                self.write(Body::Done { entry: entry.id, result: result.trim().to_owned(), reference: None })?;
            }
            "skip" => {
                let Some((which, why)) = rest.split_once(' ').filter(|(_, why)| !why.trim().is_empty()) else {
                    return Err(Failure::Usage("expected: skip N why".to_owned()));
                };
                let entry = self.entry(which)?;
                self.write(Body::Skipped { entry: entry.id, why: why.trim().to_owned() })?;
            }
            which => {
                let entry = self.entry(which)?;
                self.begin(&entry)?;
            }
        }
        Ok(false)
    }

    fn entry(&self, typed: &str) -> Result<Entry, Failure> {
        let found = self.day.entry(typed.trim()).cloned();
        found.ok_or_else(|| {
            Failure::Usage(format!("`{typed}` is no entry of the sheet (expected 1 to {})", self.day.entries.len()))
        })
    }

    /// Begins an entry; one of people that has begun is ended.
    fn begin(&mut self, entry: &Entry) -> Result<(), Failure> {
        let state = self.state()?;
        if self.ends(entry, &state)? {
            return Ok(());
        }
        let id = entry.id.clone();
        sheet::entry(&self.day, &state, entry, self.output)?;
        self.write(Body::Started { entry: id.clone() })?;
        self.output.finish()?;
        if entry.act == Act::Person {
            return Ok(());
        }
        let (result, reference) = self.act(&entry.act)?;
        self.output.line(&format!("{}: {result}", entry.title))?;
        self.write(Body::Done { entry: id, result, reference })
    }

    /// Ends an entry of people that has begun; whether it was one.
    fn ends(&mut self, entry: &Entry, state: &State) -> Result<bool, Failure> {
        let place = self.day.entries.iter().position(|e| e.id == entry.id);
        let standing = place.and_then(|place| state.entries.get(place));
        let ends = entry.act == Act::Person && standing.is_some_and(|s| s.started.is_some() && s.ended.is_none());
        if ends {
            self.write(Body::Done { entry: entry.id.clone(), result: String::new(), reference: None })?;
        }
        Ok(ends)
    }

    /// What an entry came to, and the name of its drill or run. People's entries come to nothing by themselves.
    fn act(&mut self, act: &Act) -> Result<(String, Option<String>), Failure> {
        match act {
            Act::Person => Ok((String::new(), None)),
            Act::Scenario { name, speed } => self.drill(name, *speed),
            Act::Experiment { name } => self.experiment(name),
        }
    }

    /// A drill, as `midwatch drill run` plays it: on the screen where there is one, else nobody acts in it.
    fn drill(&mut self, name: &str, speed: Option<u32>) -> Result<(String, Option<String>), Failure> {
        let mut args = vec!["drill".to_owned(), "run".to_owned(), name.to_owned()];
        match (std::io::stdin().is_terminal(), speed) {
            (false, _) => args.push("--headless".to_owned()),
            (true, Some(speed)) => args.extend(["--speed".to_owned(), speed.to_string()]),
            (true, None) => {}
        }
        let known = read_history(&self.context.folders.data).map_err(failed)?.0.len();
        let ran = self.child(&args);
        let history = read_history(&self.context.folders.data).map_err(failed)?.0;
        Ok(match (history.get(known..).and_then(|new| new.last()), ran) {
            (Some(record), _) => {
                (format!("{} of {} points, {}", record.points, record.of, record.end), Some(record.drill.clone()))
            }
            (None, why) => (format!("NOT PLAYED: {why}"), None),
        })
    }

    /// An experiment, as `midwatch experiment run` runs it, with every confirmation of its own.
    fn experiment(&mut self, name: &str) -> Result<(String, Option<String>), Failure> {
        let mut args = vec!["experiment".to_owned(), "run".to_owned(), name.to_owned()];
        if !std::io::stdin().is_terminal() {
            args.push("--plain".to_owned());
        }
        let known: Vec<String> = runs(&self.context.folders.data).0.into_iter().map(|run| run.name).collect();
        let ran = self.child(&args);
        let after = runs(&self.context.folders.data).0;
        Ok(match after.iter().rev().find(|run| !known.contains(&run.name)) {
            Some(run) => (verdict(&run.record).to_owned(), Some(run.name.clone())),
            None => (format!("NOT RUN: {ran}"), None),
        })
    }

    /// A process of our own, with the terminal and the input to itself. How it ended, in words.
    fn child(&self, args: &[String]) -> String {
        // Ctrl-C is for the child; the day goes on.
        let quiet = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let handler = signal_hook::flag::register(signal_hook::consts::SIGINT, quiet);
        let program = std::env::current_exe().map(std::process::Command::new);
        let ended = program.and_then(|mut program| {
            program
                .args(args)
                .env("MIDWATCH_CONFIG", &self.context.folders.config_file)
                .env("MIDWATCH_DATA_DIR", &self.context.folders.data)
                .status()
        });
        if let Ok(handler) = handler {
            signal_hook::low_level::unregister(handler);
        }
        match ended {
            Ok(status) => status
                .code()
                .map_or_else(|| "it was ended by a signal".to_owned(), |code| format!("exit {code}, see above")),
            Err(e) => format!("it could not be started: {e}"),
        }
    }
}

/// A line of standard input, no byte more; `None` at its end.
fn line() -> Option<String> {
    let mut line = Vec::new();
    loop {
        match byte() {
            Ok(None) => {}
            Ok(Some(b'\n')) => break,
            Ok(Some(byte)) => line.push(byte),
            Err(AtEnd) if line.is_empty() => return None,
            Err(AtEnd) => break,
        }
    }
    Some(String::from_utf8_lossy(&line).into_owned())
}
