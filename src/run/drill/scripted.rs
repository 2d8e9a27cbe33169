//! A script that plays a drill: each act when it is due, in the order of the file, with [`Hands`] at the cockpit. What is
//! refused is noted and not tried again.

use crate::app::action::Action;
use crate::domain::drill::scenario::Milestone;
use crate::domain::drill::script::{Deed, Line, When};
use crate::domain::incident::event::{Answer, NoteKind};
use crate::domain::time::{Timestamp, secs};
use crate::run::drill::hands::{Hands, Refused};
use crate::run::sim::Simulator;
use std::collections::VecDeque;

/// A script being played.
#[derive(Debug)]
pub struct Scripted {
    lines: VecDeque<Line>,
    last: Option<Timestamp>,
    refused: Vec<String>,
}

impl Scripted {
    /// From its first act on.
    pub fn new(lines: Vec<Line>) -> Self {
        Self { lines: lines.into(), last: None, refused: Vec::new() }
    }

    /// What could not be done, in words.
    pub fn refused(&self) -> &[String] {
        &self.refused
    }

    /// Does what is due.
    pub fn act(&mut self, sim: &mut Simulator) {
        // An act takes time, and the next one may be due when it is over; a script that is never done must not hold the drill.
        for _ in 0..20 {
            let Some(line) = self.lines.front() else { return };
            if self.due(sim, line).is_none_or(|at| at > sim.now()) {
                return;
            }
            let Some(line) = self.lines.pop_front() else { return };
            if let Err(why) = perform(sim, &line.deed) {
                let at = crate::domain::time::clock(sim.now());
                self.refused.push(format!("{at} line {}: {why}", line.mark.line));
            }
            self.last = Some(sim.now());
        }
    }

    fn due(&self, sim: &Simulator, line: &Line) -> Option<Timestamp> {
        let (start, page) = sim.staged()?.with(|stage| (stage.start(), stage.reached(Milestone::Paged)));
        match line.when {
            When::At(span) => start.checked_add_signed(span),
            When::AfterPage(span) => page?.checked_add_signed(span),
            When::Then(span) => self.last.unwrap_or(start).checked_add_signed(span),
        }
    }
}

fn perform(sim: &mut Simulator, deed: &Deed) -> Result<(), Refused> {
    let mut hands = Hands::at(sim);
    match deed {
        Deed::Declare { title, severity } => hands.declare(title.as_deref(), severity.as_deref()),
        Deed::Ack => hands.ack(),
        Deed::Role(role, person) => hands.on_incident("c", &[("role", role.word()), ("person", person)]),
        Deed::Severity(severity, why) => hands.on_incident("v", &[("severity", severity), ("reason", why)]),
        Deed::Status(status, message) => {
            hands.on_incident("s", &[("status", status.word()), ("message", message.as_deref().unwrap_or_default())])
        }
        Deed::Note(kind, text) => {
            let action = match kind {
                NoteKind::Note => Action::Note,
                NoteKind::Decision => Action::Decision,
                NoteKind::Hypothesis => Action::Hypothesis,
                NoteKind::Finding => Action::Finding,
            };
            hands.act_on_incident(action, &[("text", text)])
        }
        Deed::Open(runbook) => hands.open(runbook.as_deref()),
        Deed::StepDone(step) => hands.end_step(step, "d", ""),
        Deed::StepSkip(step, why) => hands.end_step(step, "s", why),
        Deed::StepFail(step, why) => hands.end_step(step, "f", why),
        Deed::Answer(step, check, answer) => hands.answer(
            step,
            *check,
            match answer {
                Answer::Yes => "y",
                Answer::No => "N",
                Answer::Unsure => "m",
            },
        ),
        Deed::Run(command) => hands.run(command),
        Deed::Mitigated => hands.on_incident("m", &[]),
        Deed::Resolve(summary) => hands.resolve(summary),
    }?;
    // What was decided is on its way to the record before the next look.
    sim.pass(secs(1));
    Ok(())
}
