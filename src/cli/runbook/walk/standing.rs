//! What a walk shows of the step it stands at: the step itself, what is passed by, answers, how its commands ended, what
//! measurements suggest, and what is in force. Records nothing.

use crate::app::present::ran;
use crate::app::present::walk::place;
use crate::cli::failure::Failure;
use crate::cli::runbook::read::lines;
use crate::cli::runbook::suggesting;
use crate::cli::runbook::walk::Session;
use crate::domain::incident::event::StepEnd;
use crate::domain::incident::state::Walk;
use crate::domain::runbook::model::{RunCommand, Step, Suggest};
use crate::domain::runbook::route::{Stand, route};
use crate::domain::runbook::suggest::{Suggestion, named, open, words};
use crate::domain::time::{Span, Timestamp};
use crate::io::clock;

/// For so long a measurement is not made again.
const FRESH: Span = Span::seconds(15);

impl Session<'_, '_> {
    /// `false` when every step has ended.
    pub(super) fn show(&mut self) -> Result<bool, Failure> {
        let Some((n, step)) = self.step()? else {
            self.output.line("every step has ended")?;
            self.in_force()?;
            return Ok(false);
        };
        let walk = self.walk()?;
        for line in lines(&step, n + 1, self.book.steps.len()) {
            self.output.line(&line)?;
        }
        self.passed(&step, &walk)?;
        if let Some(mark) = walk.steps.get(&step.id) {
            let how = match &mark.end {
                StepEnd::Done => "done".to_owned(),
                StepEnd::Skipped(why) => format!("skipped: {why}"),
                StepEnd::Failed(why) => format!("failed: {why}"),
                StepEnd::Reopened => "open again".to_owned(),
            };
            self.output.line(&format!("  ended by {}: {how}", mark.actor))?;
        }
        for (check, answer) in walk.answers.get(&step.id).into_iter().flatten() {
            self.output.line(&format!("  answered: check {} {}", check + 1, answer.word()))?;
        }
        for option in walk.chosen.get(&step.id).into_iter().flatten() {
            self.output.line(&format!("  chosen: option {}", option + 1))?;
        }
        self.ran(&step)?;
        self.suggest(&step, &walk)?;
        self.in_force()?;
        Ok(true)
    }

    /// Where the way leads past, and whether this step is on it.
    fn passed(&mut self, step: &Step, walk: &Walk) -> Result<(), Failure> {
        let stands = route(self.book, walk, &self.values()?);
        for (passed, stand) in self.book.steps.iter().zip(&stands) {
            let why = match stand {
                Stand::Skipped(why) if passed.id != step.id => format!("passed by: {} ({why})", passed.name),
                Stand::Unsure(why) if passed.id == step.id => format!("perhaps not for this case: {why}"),
                Stand::Skipped(why) | Stand::Stopped(why) if passed.id == step.id => format!("not on the way: {why}"),
                _ => continue,
            };
            self.output.line(&format!("  {why}"))?;
        }
        Ok(())
    }

    /// How the commands of the step ended; one that nobody saw the end of is unknown.
    fn ran(&mut self, step: &Step) -> Result<(), Failure> {
        let Some(state) = self.state()? else { return Ok(()) };
        let at = place(self.book, step);
        let commands = step.commands.iter().enumerate().map(|(n, c)| (format!("command {}", n + 1), c));
        let of = |(n, o): (usize, &crate::domain::runbook::model::Choice)| {
            o.command.clone().map(|command| (format!("option {}", n + 1), command))
        };
        let own: Vec<(String, RunCommand)> =
            commands.map(|(slot, c)| (slot, c.clone())).chain(step.options.iter().enumerate().filter_map(of)).collect();
        for (slot, command) in own {
            if let Some(run) = ran::last(&state, &at, &command) {
                self.output.line(&format!("  {slot} ran: {}", ran::words(run).text))?;
            }
        }
        Ok(())
    }

    /// What the measurements of the open checks suggest. Nothing is answered by it.
    fn suggest(&mut self, step: &Step, walk: &Walk) -> Result<(), Failure> {
        let checks = open(step, walk);
        let now = clock::now();
        let young = |at: Timestamp| at <= now && now - at < FRESH;
        let known = |n: usize| self.measured.get(&(step.id.clone(), n)).is_some_and(|(at, _)| young(*at));
        let wanted: Vec<(usize, &Suggest)> = checks.iter().copied().filter(|(n, _)| !known(*n)).collect();
        if !wanted.is_empty() {
            let asked: Vec<&Suggest> = wanted.iter().map(|(_, suggest)| *suggest).collect();
            let answers = suggesting::measure(self.config, &asked);
            for ((n, _), (said, _)) in wanted.into_iter().zip(answers) {
                self.measured.insert((step.id.clone(), n), (now, said));
            }
        }
        for (n, suggest) in checks {
            let Some((_, said)) = self.measured.get(&(step.id.clone(), n)) else { continue };
            self.output.line(&format!("  check {}, {}: {}", n + 1, words(suggest), said.words()))?;
            if let Suggestion::Yes(_) = said {
                for other in named(self.book, step, n) {
                    self.output.line(&format!("  suggested by it: step {}", other.name))?;
                }
            }
        }
        Ok(())
    }

    /// That something is in force, which is easily forgotten.
    fn in_force(&mut self) -> Result<(), Failure> {
        let count = self.state()?.map_or(0, |state| state.in_force().count());
        match count {
            0 => Ok(()),
            1 => self.output.line("  1 change in force: `changes` shows it, `rollback` takes it back"),
            n => self
                .output
                .line(&format!("  {n} changes in force: `changes` shows them, `rollback` takes the last one back")),
        }
    }
}
