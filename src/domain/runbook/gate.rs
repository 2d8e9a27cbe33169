//! What must have happened before a command may be confirmed: values given, the guard and the state before looked at, the
//! requirement held, a trial of what destroys, a second person. Judged from the record, so that a restart asks no less.

use crate::domain::incident::change::{Approval, ChangePlan, ChangeState, RollbackPlan};
use crate::domain::incident::decide::Refusal;
use crate::domain::incident::event::At;
use crate::domain::incident::state::{CommandRun, Incident, Walk};
use crate::domain::runbook::inputs::{missing, with_company};
use crate::domain::runbook::model::{Choose, Input, Mutation, Part, Probe, Risk, Rollback, RunCommand, Runbook, Step};
use crate::domain::runbook::offer::{Offer, risk};
use crate::domain::runbook::prepare::ready;
use crate::domain::runbook::route::comparison;
use crate::domain::runbook::values::Values;
use crate::domain::time::{Span, Timestamp, compact, mins};

/// How long a look at where we are, and at the state before, is good for.
pub const FRESH: Span = Span::minutes(10);

/// What is still needed.
#[derive(Clone, Debug, PartialEq)]
pub enum Need<'b> {
    /// Values from a person.
    Inputs(Vec<&'b Input>),
    /// Reads: the guards, and what is looked at before.
    Reads(Vec<(Part, &'b RunCommand)>),
    /// The trial run, before anything is destroyed.
    DryRun(&'b RunCommand),
    /// A second person.
    Approval,
    /// Nothing: it may be confirmed.
    Nothing,
}

/// A command and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'b> {
    /// Its runbook.
    pub book: &'b Runbook,
    /// Its step.
    pub step: &'b Step,
    /// What it is for.
    pub part: Part,
    /// Itself.
    pub command: &'b RunCommand,
    /// Which option it belongs to.
    pub option: Option<usize>,
}

impl<'b> Wanted<'b> {
    /// What it may do.
    pub fn risk(&self) -> Risk {
        risk(self.command, self.part).0
    }

    /// What guards it; nothing for what only looks.
    pub fn mutation(&self) -> Option<&'b Mutation> {
        if self.part == Part::Run { self.step.mutation(&self.command.id) } else { None }
    }

    /// Whether a second person is needed.
    pub fn approval(&self) -> bool {
        self.part == Part::Run
            && self.risk().is_dangerous()
            && (self.step.approval || self.mutation().is_some_and(|m| m.approval))
    }

    /// What is needed next. `Err` when it may not run at all now, and why.
    pub fn need(&self, incident: &Incident, walk: &Walk, values: &Values, now: Timestamp) -> Result<Need<'b>, Refusal> {
        let requires = self.mutation().and_then(|m| m.require.as_ref());
        let company = match self.part {
            Part::Run => with_company(self.step, self.command),
            _ => vec![self.command],
        };
        let missing = missing(self.book, company, requires, values);
        if !missing.is_empty() {
            return Ok(Need::Inputs(missing));
        }
        if !self.risk().is_dangerous() {
            return Ok(Need::Nothing);
        }
        self.only_one(incident)?;
        let reads = self.reads(incident, walk, now);
        if !reads.is_empty() {
            return Ok(Need::Reads(reads));
        }
        if let Some(requires) = requires {
            let words = comparison(&requires.left, requires.op, &requires.right, values);
            match requires.holds(|name| values.get(name)) {
                Ok(true) => {}
                Ok(false) => return Err(Refusal(format!("the runbook requires {words}, and it does not hold"))),
                Err(why) => {
                    return Err(Refusal(format!("the runbook requires {words}, and that cannot be told: {why}")));
                }
            }
        }
        let trial = self.mutation().and_then(|m| m.dry_run.as_deref());
        if let Some(trial) = trial.filter(|_| self.risk() == Risk::Destroy)
            && done(incident, &trial.id, now, mins(30)).is_none()
        {
            return Ok(Need::DryRun(trial));
        }
        Ok(if self.approval() { Need::Approval } else { Need::Nothing })
    }

    /// The name of a command that belongs to this one, inside the step, for people.
    pub fn slot(&self, part: Part, command: &RunCommand) -> String {
        let own = |c: &RunCommand| c.id == command.id;
        let number = |n: Option<usize>| n.map_or(0, |n| n + 1);
        match (part, self.option) {
            (Part::Guard, _) => format!("guard {}", number(self.book.guards.iter().position(|g| own(&g.command)))),
            (Part::Run, None) => format!("command {}", number(self.step.commands.iter().position(own))),
            (Part::Run, Some(n)) => format!("option {}", n + 1),
            (_, Some(n)) => format!("option {} {}", n + 1, part.word().replace('_', " ")),
            (_, None) => {
                let mine = |c: &RunCommand| c.id == self.command.id;
                let n = number(self.step.commands.iter().position(mine));
                format!("command {n} {}", part.word().replace('_', " "))
            }
        }
    }

    /// The command with everything that its confirmation shows; the files it came from are added by who knows them.
    pub fn offer(&self, slot: &str, incident: &Incident, values: &Values, now: Timestamp) -> Result<Offer, Refusal> {
        let prepared = ready(self.book, self.command, values)?;
        let (book, step) = (self.book, self.step);
        let at = At { runbook: book.id.clone(), step: step.id.clone(), name: step.name.clone() };
        let mut offer = Offer::of(&incident.id, at, slot, (self.part, self.command), prepared);
        offer.masks = values.masks();
        if !offer.risk.is_dangerous() {
            return Ok(offer);
        }
        offer.context = incident.walks.get(&book.id).and_then(|walk| context(book, walk));
        offer.option = self.option.and_then(|n| Some((n, step.options.get(n)?.action.clone())));
        let unguarded = Mutation::default();
        let mutation = match self.mutation() {
            Some(mutation) => mutation,
            // What nobody classified is listed as a change where somebody offers it as one.
            None if self.part == Part::Run && (offer.risk != Risk::Unknown || self.option.is_some()) => &unguarded,
            None => return Ok(offer),
        };
        offer.impact.clone_from(&mutation.impact);
        offer.verify.clone_from(&mutation.verify);
        if let Some(trial) = mutation.dry_run.as_deref() {
            let ran = done(incident, &trial.id, now, mins(30));
            let words = ran.map_or("not done".to_owned(), |run| format!("succeeded {} ago", compact(now - run.at)));
            offer.dry_run = Some(words);
        }
        let rollback = match &mutation.rollback {
            Rollback::Unstated => RollbackPlan::Unstated,
            Rollback::None { reason } => RollbackPlan::None(reason.clone()),
            Rollback::Command(back) => match ready(book, back, values) {
                Ok(prepared) => {
                    let place = offer.place.clone();
                    let back = Offer::of(&incident.id, place, slot, (Part::Rollback, back), prepared);
                    RollbackPlan::Command(Box::new(back.plan()))
                }
                Err(why) => RollbackPlan::Unready(why.0),
            },
        };
        let action = offer.option.as_ref().map_or_else(|| offer.prepared.shown.clone(), |(_, action)| action.clone());
        offer.change = Some(ChangePlan { action, rollback, undoes: None });
        if self.approval() {
            let approved = incident.approved(&offer.sha256(), now);
            let by = |a: &Approval| a.given.as_ref().map(|by| (a.request.id.clone(), by.name.clone(), by.verified));
            offer.approval = approved.and_then(by);
        }
        Ok(offer)
    }

    /// One option at a time, where the runbook says so.
    fn only_one(&self, incident: &Incident) -> Result<(), Refusal> {
        if self.step.choose != Choose::One || self.option.is_none() || self.part != Part::Run {
            return Ok(());
        }
        let here = |c: &&crate::domain::incident::change::Change| {
            c.place.runbook == self.book.id && c.place.step == self.step.id && c.id != self.command.id
        };
        let other = incident.in_force().filter(here).find(|c| {
            let helped = c.verify.as_ref().and_then(|v| v.end.as_ref());
            let failed = matches!(helped, Some(crate::domain::incident::change::VerifyEnd::Failed(_)));
            !failed && !matches!(c.state, ChangeState::Failed(_))
        });
        match other {
            Some(change) => Err(Refusal(format!(
                "one option at a time: `{}` is {}; roll it back first, or wait until it is known whether it helps",
                change.plan.action,
                change.word()
            ))),
            None => Ok(()),
        }
    }

    /// Guards and the state before, as far as they are not known or too old.
    fn reads(&self, incident: &Incident, walk: &Walk, now: Timestamp) -> Vec<(Part, &'b RunCommand)> {
        let mut reads = Vec::new();
        if !guarded(self.book, walk, now) {
            reads.extend(self.book.guards.iter().map(|probe| (Part::Guard, &probe.command)));
        }
        if let Some(before) = self.mutation().and_then(|m| m.before.as_deref()) {
            let last_change = incident.changes.last().map(|c| c.at);
            let known = done(incident, &before.id, now, FRESH);
            if known.is_none_or(|run| last_change.is_some_and(|at| at >= run.at)) {
                reads.push((Part::Before, before));
            }
        }
        reads
    }
}

/// Whether the guard held not long ago; a runbook without one is guarded by nothing.
pub fn guarded(book: &Runbook, walk: &Walk, now: Timestamp) -> bool {
    let fresh = |at: Timestamp| at <= now && now - at < FRESH;
    book.guards.is_empty() || walk.guard.as_ref().is_some_and(|(at, ok, _)| *ok && fresh(*at))
}

/// What the guard found, for the confirmation.
pub fn context(book: &Runbook, walk: &Walk) -> Option<String> {
    if book.guards.is_empty() {
        return None;
    }
    walk.guard.as_ref().map(|(_, ok, found)| if *ok { found.clone() } else { format!("DOES NOT HOLD: {found}") })
}

/// The last run of a command that succeeded not long ago.
pub fn done<'i>(incident: &'i Incident, id: &str, now: Timestamp, fresh: Span) -> Option<&'i CommandRun> {
    let run = incident.commands.iter().rev().find(|run| run.start.id == id)?;
    let good = run.finish.as_ref().is_some_and(|f| f.ok == Some(true));
    (good && run.at <= now && now - run.at < fresh).then_some(run)
}

/// Whether a guard found what it wants, and what it found, in words.
pub fn probed(probe: &Probe, ok: Option<bool>, first_line: &str) -> (bool, String) {
    use crate::domain::runbook::model::Expect;
    let line = first_line.trim();
    if ok != Some(true) {
        return (false, format!("`{}` failed", probe.command.text));
    }
    let (holds, wanted) = match &probe.expect {
        Expect::Equals(text) => (line == text.trim(), text.trim().to_owned()),
        Expect::Matches(pattern) => {
            let whole = regex::RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(1 << 20).build();
            (whole.is_ok_and(|whole| whole.is_match(line)), pattern.clone())
        }
    };
    match holds {
        true => (true, line.to_owned()),
        false => (false, format!("`{}` says `{line}` (expected {wanted})", probe.command.text)),
    }
}

/// What a command's output gives: the first match of each pattern, line by line. `Err` names what was not found.
pub fn captured(
    command: &[crate::domain::runbook::model::Capture],
    output: &str,
) -> Result<Vec<(String, String)>, String> {
    command
        .iter()
        .map(|capture| {
            let pattern = regex::RegexBuilder::new(&capture.regex).multi_line(true).size_limit(1 << 20).build();
            let pattern = pattern.map_err(|_| format!("`{}` is no pattern for ${}", capture.regex, capture.name))?;
            let found = pattern.captures(output).and_then(|found| found.get(1).or_else(|| found.get(0)));
            match found.map(|m| m.as_str()).filter(|text| !text.is_empty()) {
                Some(text) => Ok((capture.name.clone(), text.to_owned())),
                None => Err(format!("the output holds nothing for ${} (`{}`)", capture.name, capture.regex)),
            }
        })
        .collect()
}
