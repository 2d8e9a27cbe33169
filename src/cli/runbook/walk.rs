//! `midwatch runbook walk`: a runbook line by line, for dumb terminals, screen readers and pipes. Numbered answers come from
//! standard input; its end ends the walk. With an incident every answer is on disk before the next line is shown; without
//! one nothing is recorded. Commands run with `--arm` alone, each after a confirmation.

mod running;
mod standing;
mod undoing;
mod verifying;

use crate::app::present::walk::place;
use crate::cli::context::Context;
use crate::cli::desk::{Desk, refused, writable};
use crate::cli::failure::{Exit, Failure};
use crate::cli::incident::act::opened;
use crate::cli::library::Library;
use crate::cli::output::Output;
use crate::config::Config;
use crate::domain::ids::{IncidentId, StepId};
use crate::domain::incident::decide::{Command, decide, text};
use crate::domain::incident::event::{Answer, Body, NoteKind, StepEnd};
use crate::domain::incident::state::{Incident, StepMark, Walk};
use crate::domain::runbook::gate::Wanted;
use crate::domain::runbook::include;
use crate::domain::runbook::inputs::{self, Known};
use crate::domain::runbook::model::{Part, Runbook, Step};
use crate::domain::runbook::suggest::Suggestion;
use crate::domain::runbook::values::Values;
use crate::domain::runbook::walk::{current, drift, end, open_checks, progress};
use crate::domain::time::Timestamp;
use crate::io::clock;
use std::collections::BTreeMap;
use std::io::{BufRead, Read};
use std::sync::Arc;

/// The longest line that is read, in bytes.
const LINE_LIMIT: u64 = 64 * 1024;
const ANSWERS: &str = "answers: done, skip REASON, fail REASON, yes N, no N, unsure N, choose N, run N, changes, verify, rollback [N], witness NAME CODE, note TEXT, next, back, show, quit";

/// Walks until `quit`, the end of the input, or the end of the runbook.
pub fn run(
    context: &Context,
    config: &Config,
    (library, book): (&Library, &Arc<Runbook>),
    incident: Option<&str>,
    arm: bool,
    output: &mut Output,
) -> Result<Exit, Failure> {
    if output.is_json() {
        return Err(Failure::Usage(
            "a walk has no JSON form (expected `runbook dry-run` or `runbook show`)".to_owned(),
        ));
    }
    let desk = match incident {
        Some(typed) => {
            let whole = include::expand(book, &library.books);
            Some(open(context, config, &whole, typed, output)?)
        }
        None => None,
    };
    let told = match &desk {
        Some((_, id)) => format!("recorded in {id}"),
        None => "nothing is recorded and nothing is run".to_owned(),
    };
    output.line(&format!("{}  {}: {told}", book.id, book.name))?;
    output.line(ANSWERS)?;
    if arm && !book.is_runnable() {
        output.line("a page of prose: its commands are shown and never run")?;
    }
    let arm = arm && book.is_runnable();
    let book = &*include::expand(&library.find(book.id.as_str()).unwrap_or_else(|_| Arc::clone(book)), &library.books);
    let files = match library.books.iter().any(|b| b.id == book.id) {
        true => include::files(book, &library.books),
        false => vec![(book.path.clone(), book.sha256.clone())],
    };
    let mut session = Session {
        book,
        files,
        config,
        desk,
        dry: Walk::default(),
        at: None,
        arm,
        secrets: BTreeMap::new(),
        measured: BTreeMap::new(),
        output,
    };
    session.talk(&mut std::io::stdin().lock())
}

/// Opens the record and, the first time, the runbook in it.
fn open<'c>(
    context: &'c Context,
    config: &'c Config,
    book: &Runbook,
    typed: &str,
    output: &mut Output,
) -> Result<(Desk<'c>, IncidentId), Failure> {
    writable(config)?;
    let mut desk = Desk::to_write(context, config)?;
    let state = desk.find(typed)?.state;
    if !state.is_open() {
        return Err(Failure::Refused(format!("{} is resolved; reopen it first", state.id)));
    }
    let before = state.walks.get(&book.id);
    if let Some(walk) = before
        && drift(book, walk).changed
    {
        output.note(&format!("{} changed on disk since it was opened: look at each step again", book.id));
    }
    if before.is_none_or(|walk| walk.sha256 != book.sha256) {
        let now = clock::now();
        desk.act(&state.id, now, vec![opened(book)])?;
    }
    Ok((desk, state.id))
}

/// A walk that goes on.
struct Session<'a, 'c> {
    book: &'a Runbook,
    /// The files that it came from, with the sums of their texts.
    files: Vec<(String, String)>,
    config: &'c Config,
    desk: Option<(Desk<'c>, IncidentId)>,
    /// Where a walk without an incident stands.
    dry: Walk,
    /// The step turned to; else the first open one.
    at: Option<usize>,
    arm: bool,
    /// Secret values that were typed; in memory alone.
    secrets: BTreeMap<String, String>,
    /// What was suggested for checks, by step and number, and when that was measured.
    measured: BTreeMap<(StepId, usize), (Timestamp, Suggestion)>,
    output: &'a mut Output,
}

/// What a line asked for.
enum Next {
    /// Show the step again.
    Show,
    /// Go on reading.
    Stay,
    /// The person has enough.
    Quit,
}

impl Session<'_, '_> {
    fn talk(&mut self, input: &mut impl BufRead) -> Result<Exit, Failure> {
        let mut next = Next::Show;
        loop {
            match next {
                Next::Quit => break,
                Next::Show if self.show()? => {}
                Next::Show => break,
                Next::Stay => {}
            }
            self.output.finish()?;
            let Some(line) = line(input)? else { break };
            next = match self.answer(line.trim(), input) {
                Ok(next) => next,
                // What cannot be done is said; the walk goes on.
                Err(Failure::Refused(why) | Failure::Usage(why)) => {
                    self.output.line(&format!("not done: {why}"))?;
                    Next::Stay
                }
                Err(failure) => return Err(failure),
            };
        }
        let progress = progress(self.book, &self.walk()?);
        self.output.line(&format!("{} of {} steps ended", progress.ended, progress.total))?;
        Ok(Exit::DONE)
    }

    /// Where the walk stands now, with what others recorded meanwhile.
    fn walk(&mut self) -> Result<Walk, Failure> {
        match self.state()? {
            Some(state) => Ok(state.walks.get(&self.book.id).cloned().unwrap_or_default()),
            None => Ok(self.dry.clone()),
        }
    }

    fn state(&mut self) -> Result<Option<Incident>, Failure> {
        let Some((desk, id)) = &mut self.desk else { return Ok(None) };
        let gone = || Failure::Source(format!("{id} cannot be read"));
        desk.read(id)?.map(|recorded| Some(recorded.state)).ok_or_else(gone)
    }

    fn step(&mut self) -> Result<Option<(usize, Step)>, Failure> {
        let walk = self.walk()?;
        let book = self.book;
        let turned = self.at.and_then(|n| book.steps.get(n));
        let values = self.values()?;
        let step = turned.or_else(|| current(book, &walk, &values));
        Ok(step.and_then(|s| Some((book.steps.iter().position(|t| t.id == s.id)?, s.clone()))))
    }

    fn answer(&mut self, line: &str, input: &mut impl BufRead) -> Result<Next, Failure> {
        let (word, rest) = line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()));
        let found = self.step()?;
        let Some((n, step)) = found else { return Ok(Next::Quit) };
        match word.to_ascii_lowercase().as_str() {
            "" | "show" => Ok(Next::Show),
            "quit" | "q" | "exit" => Ok(Next::Quit),
            "help" | "?" => {
                self.output.line(ANSWERS)?;
                Ok(Next::Stay)
            }
            "next" => Ok(self.turn((n + 1).min(self.book.steps.len().saturating_sub(1)))),
            "back" => Ok(self.turn(n.saturating_sub(1))),
            "done" => self.end(&step, StepEnd::Done),
            "skip" => self.end(&step, StepEnd::Skipped(rest.to_owned())),
            "fail" => self.end(&step, StepEnd::Failed(rest.to_owned())),
            "reopen" => self.end(&step, StepEnd::Reopened),
            "yes" => self.check(&step, rest, Answer::Yes),
            "no" => self.check(&step, rest, Answer::No),
            "unsure" => self.check(&step, rest, Answer::Unsure),
            "note" => self.note(rest),
            "choose" => {
                let choice = number(rest, &step.options, "option")?;
                let option = step.options.get(choice).map(|o| o.action.clone()).unwrap_or_default();
                match step.options.get(choice).and_then(|o| o.command.as_ref()) {
                    Some(command) if self.arm => {
                        let option = Some(choice);
                        self.execute(Wanted { book: self.book, step: &step, part: Part::Run, command, option }, input)
                    }
                    _ => {
                        let body =
                            Body::OptionChosen { place: place(self.book, &step), option: choice, action: option };
                        self.record(vec![body])?;
                        self.said(&format!("chosen: option {}", choice + 1))
                    }
                }
            }
            "run" => {
                let which = number(rest, &step.commands, "command")?;
                match step.commands.get(which) {
                    Some(command) if self.arm => {
                        let option = None;
                        self.execute(Wanted { book: self.book, step: &step, part: Part::Run, command, option }, input)
                    }
                    _ => Err(Failure::Refused(
                        "commands are off; walk with --incident ID --arm to run them, or run it by hand".to_owned(),
                    )),
                }
            }
            "changes" => self.changes(),
            "rollback" => self.roll_back(rest, input),
            "verify" => self.verify(),
            "witness" => self.witness(rest),
            _ => Err(Failure::Usage(format!("`{word}` is no answer ({ANSWERS})"))),
        }
    }

    fn turn(&mut self, to: usize) -> Next {
        self.at = Some(to);
        Next::Show
    }

    fn end(&mut self, step: &Step, how: StepEnd) -> Result<Next, Failure> {
        let walk = self.walk()?;
        let how = end(step, &walk, how).map_err(refused)?;
        self.record(vec![Body::StepEnded { place: place(self.book, step), end: how }])?;
        self.at = None;
        Ok(Next::Show)
    }

    fn check(&mut self, step: &Step, rest: &str, answer: Answer) -> Result<Next, Failure> {
        let walk = self.walk()?;
        let check = match rest {
            "" => *open_checks(step, &walk)
                .first()
                .ok_or_else(|| Failure::Refused("no check is open in this step".to_owned()))?,
            _ => number(rest, &step.checks, "check")?,
        };
        let question = step.checks.get(check).map(|c| c.question.clone()).unwrap_or_default();
        let said = format!("check {}: {}", check + 1, answer.word());
        self.record(vec![Body::CheckAnswered { place: place(self.book, step), check, question, answer }])?;
        self.said(&said)
    }

    fn note(&mut self, rest: &str) -> Result<Next, Failure> {
        let note = text(rest, "a text").map_err(refused)?;
        if let (Some(state), Some((desk, id))) = (self.state()?, &mut self.desk) {
            let now = clock::now();
            let command = Command::Note(NoteKind::Note, note);
            let bodies = decide(&state, command, now, &desk.context.severities).map_err(refused)?;
            desk.act(id, now, bodies)?;
        }
        self.said("noted")
    }

    fn said(&mut self, words: &str) -> Result<Next, Failure> {
        let unrecorded = if self.desk.is_some() { "" } else { " (not recorded)" };
        self.output.line(&format!("{words}{unrecorded}"))?;
        Ok(Next::Stay)
    }

    /// On disk when it returns, or only in mind where no incident is walked.
    fn record(&mut self, bodies: Vec<Body>) -> Result<(), Failure> {
        let Some(state) = self.state()? else {
            bodies.iter().for_each(|body| imagine(&mut self.dry, body));
            return Ok(());
        };
        if !state.is_open() {
            return Err(Failure::Refused(format!("{} is no longer open", state.id)));
        }
        if let Some((desk, id)) = &mut self.desk {
            desk.act(id, clock::now(), bodies)?;
        }
        Ok(())
    }

    /// The values that commands get now.
    fn values(&mut self) -> Result<Values, Failure> {
        let state = self.state()?;
        let walk = state.as_ref().and_then(|s| s.walks.get(&self.book.id)).unwrap_or(&self.dry);
        let known =
            Known { incident: state.as_ref(), walk: Some(walk), secrets: Some(&self.secrets), ..Known::default() };
        Ok(inputs::values(self.book, known))
    }
}

/// What a body would do to the walk, for a walk that is not recorded.
fn imagine(walk: &mut Walk, body: &Body) {
    match body {
        Body::StepEnded { place, end: StepEnd::Reopened } => drop(walk.steps.remove(&place.step)),
        Body::StepEnded { place, end } => {
            let mark = StepMark { end: end.clone(), actor: "you".to_owned(), at: clock::now() };
            walk.steps.insert(place.step.clone(), mark);
        }
        Body::CheckAnswered { place, check, answer, .. } => {
            walk.answers.entry(place.step.clone()).or_default().insert(*check, *answer);
            *walk.rounds.entry(place.step.clone()).or_default().entry(*check).or_default() += 1;
        }
        Body::OptionChosen { place, option, .. } => {
            walk.chosen.entry(place.step.clone()).or_default().insert(*option);
        }
        _ => {}
    }
}

/// A number from 1 as it is shown, as an index.
fn number<T>(typed: &str, of: &[T], what: &str) -> Result<usize, Failure> {
    let index = typed.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < of.len());
    index.ok_or_else(|| {
        Failure::Usage(match of.len() {
            0 => format!("this step has no {what}"),
            1 => format!("`{typed}` is no {what} of this step (expected 1)"),
            most => format!("`{typed}` is no {what} of this step (expected 1 to {most})"),
        })
    })
}

/// The next line; `None` at the end of the input.
fn line(input: &mut impl BufRead) -> Result<Option<String>, Failure> {
    let mut bytes = Vec::new();
    let read = input.take(LINE_LIMIT).read_until(b'\n', &mut bytes);
    match read {
        Ok(0) => Ok(None),
        Ok(_) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) => Err(Failure::Refused(format!("standard input: {error}"))),
    }
}
