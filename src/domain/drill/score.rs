//! What a drill was worth, item by item: each expectation, each hint, and what was seen beside them. No grade: points and
//! what they are of. Counts from what was recorded, never from what a person says of it afterwards.

use crate::domain::drill::history::{Measured, Rehearsed};
use crate::domain::drill::recovery::Recovered;
use crate::domain::drill::scenario::{Ban, Expectation, Milestone, Since, Want};
use crate::domain::drill::stage::{Happened, Stage};
use crate::domain::incident::event::StepEnd;
use crate::domain::runbook::model::Risk;
use crate::domain::time::{Timestamp, compact, rfc3339, seconds};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What an item of a score is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Something the scenario expects.
    Expected,
    /// Something that must not happen.
    Banned,
    /// A hint that was given.
    Hint,
    /// A step that was left out or went wrong; worth nothing, but to be talked about.
    Step,
    /// A command that nobody expected, or that destroys, or that the scenario has no answer for; worth nothing either.
    Command,
    /// Something was said that the signals did not bear out; worth nothing, but to be talked about.
    Claim,
}

impl Sort {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Expected => "expected",
            Self::Banned => "never",
            Self::Hint => "hint",
            Self::Step => "step",
            Self::Command => "command",
            Self::Claim => "claim",
        }
    }
}

/// One item of a score.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The expectation's name, or what it is called.
    pub id: String,
    /// What it is about.
    pub sort: Sort,
    /// What was expected, in words.
    pub what: String,
    /// Points that it brought.
    pub points: i64,
    /// Points that it could have brought.
    pub of: i64,
    /// It went as it should.
    pub ok: bool,
    /// When it happened.
    pub at: Option<Timestamp>,
    /// Seconds from its own beginning until then.
    pub took: Option<f64>,
    /// Seconds that it had.
    pub within: Option<f64>,
    /// What happened instead, in words; empty when it went as it should.
    pub why: String,
}

/// A score.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// Points that were earned.
    pub points: i64,
    /// Points that could be earned.
    pub of: i64,
    /// Item by item: expectations in the order of the scenario, then what was seen beside them.
    pub items: Vec<Item>,
    /// How long things took, from the first page.
    pub times: Measured,
    /// What a disaster recovery came to, where the scenario has objectives for it.
    pub recovery: Option<Recovered>,
}

/// The score of a drill as it stands.
pub fn score(stage: &Stage) -> Score {
    let mut items: Vec<Item> =
        stage.scenario().expect.iter().zip(stage.goals()).map(|(e, goal)| expected(stage, e, goal)).collect();
    items.extend(stage.costs().iter().map(|cost| Item {
        id: "hint".into(),
        sort: Sort::Hint,
        what: cost.what.clone(),
        points: -cost.points,
        of: 0,
        ok: false,
        at: Some(cost.at),
        took: None,
        within: None,
        why: String::new(),
    }));
    items.extend(steps(stage));
    items.extend(commands(stage));
    items.extend(early(stage));
    Score {
        points: items.iter().map(|item| item.points).sum(),
        of: items.iter().map(|item| item.of).sum(),
        times: times(stage),
        recovery: Recovered::of(stage),
        items,
    }
}

/// From when on an expectation's time counts.
fn begins(stage: &Stage, since: &Since) -> Option<Timestamp> {
    match since {
        // A drill in which nothing pages is measured from its first inject.
        Since::Page => stage.reached(Milestone::Paged).or_else(|| first_inject(stage)),
        Since::Start => Some(stage.start()),
        Since::Inject(id) => stage.came(id),
    }
}

fn first_inject(stage: &Stage) -> Option<Timestamp> {
    stage.log().iter().find(|entry| matches!(entry.what, Happened::Injected { .. })).map(|entry| entry.at)
}

fn expected(stage: &Stage, expectation: &Expectation, goal: &crate::domain::drill::stage::goal::Goal) -> Item {
    let banned = matches!(expectation.want, Want::Never(_));
    let from = begins(stage, &expectation.from);
    let limit = expectation.within.map(seconds);
    let mut item = Item {
        id: expectation.id.clone(),
        sort: if banned { Sort::Banned } else { Sort::Expected },
        what: wanted(expectation),
        points: 0,
        of: expectation.points.max(0),
        ok: false,
        at: None,
        took: None,
        within: limit,
        why: String::new(),
    };
    if banned {
        item.at = goal.broken.as_ref().map(|(at, _)| *at);
        item.ok = goal.broken.is_none();
        item.points = match (item.ok, expectation.points) {
            (true, points) => points.max(0),
            (false, points) => points.min(0),
        };
        item.why = goal.broken.as_ref().map(|(_, what)| what.clone()).unwrap_or_default();
        return item;
    }
    item.at = goal.met;
    // What was done before its clock began was done in time.
    item.took = goal.met.zip(from).map(|(at, from)| seconds(at - from).max(0.0));
    let late = item.took.zip(limit).map(|(took, limit)| took - limit).filter(|late| *late > 0.0);
    item.ok = goal.met.is_some() && late.is_none();
    item.why = match (goal.met, late) {
        (None, _) if from.is_none() => "its time never began".into(),
        (None, _) => "did not happen".into(),
        (Some(_), Some(late)) => format!("{} too late", compact(crate::domain::time::secs(late.ceil() as i64))),
        (Some(_), None) => String::new(),
    };
    if item.ok {
        item.points = expectation.points;
    }
    item
}

/// What is expected, in words.
pub fn wanted(expectation: &Expectation) -> String {
    if !expectation.say.is_empty() {
        return expectation.say.clone();
    }
    let what = match &expectation.want {
        Want::Reached(milestone) => milestone.word().replace('_', " "),
        Want::Severity(severity) => format!("severity is {severity}"),
        Want::Action(action) => format!("{action} is done"),
        Want::Step(step) => format!("step {step} is done"),
        Want::Well(hold) => {
            let long = if hold.for_.is_zero() { String::new() } else { format!(" for {}", compact(hold.for_)) };
            format!("{} {} {}{long}", hold.signal, hold.op.word(), hold.value)
        }
        Want::Never(Ban::Risk(risk)) => format!("no command of risk {} or worse", risk.word()),
        Want::Never(Ban::Action(action)) => format!("no {action}"),
        Want::Never(Ban::Signal(hold)) => format!("never {} {} {}", hold.signal, hold.op.word(), hold.value),
    };
    let limit = expectation.within.map(|within| format!(" within {}", compact(within))).unwrap_or_default();
    format!("{what}{limit}")
}

fn remark(id: String, sort: Sort, what: String, at: Timestamp, why: String) -> Item {
    Item { id, sort, what, points: 0, of: 0, ok: false, at: Some(at), took: None, within: None, why }
}

fn steps(stage: &Stage) -> Vec<Item> {
    let told = |step: &crate::domain::drill::stage::facts::StepEnded| {
        let (word, why) = match &step.end {
            StepEnd::Skipped(why) => ("skipped", why.clone()),
            StepEnd::Failed(why) => ("failed", why.clone()),
            StepEnd::Done | StepEnd::Reopened => return None,
        };
        let id = format!("{}/{}", step.runbook, step.step);
        Some(remark(id, Sort::Step, format!("{} {word}", step.name), step.at, why))
    };
    stage.facts().steps().into_iter().filter_map(told).collect()
}

fn commands(stage: &Stage) -> Vec<Item> {
    let wanted: BTreeSet<&str> = stage
        .scenario()
        .expect
        .iter()
        .filter_map(|e| match &e.want {
            Want::Action(action) => Some(action.as_str()),
            _ => None,
        })
        .collect();
    let told = |ran: &crate::domain::drill::stage::Ran| {
        let why = match (ran.risk, ran.matched) {
            (Risk::Destroy, _) => "destroys what cannot be brought back",
            (_, false) => "nobody thought of it: the scenario has no answer",
            (Risk::Change | Risk::Unknown, true) if !ran.action.is_empty() && !wanted.contains(ran.action.as_str()) => {
                "changes something that nobody expected to be changed"
            }
            _ => return None,
        };
        let id = if ran.action.is_empty() { "command".to_owned() } else { ran.action.clone() };
        Some(remark(id, Sort::Command, ran.command.clone(), ran.at, format!("{why} (by {})", ran.actor)))
    };
    stage.facts().commands().iter().filter_map(told).collect()
}

/// The pain was said to be over while a signal that is expected to be well was not.
fn early(stage: &Stage) -> Option<Item> {
    let said = stage.reached(Milestone::Mitigated)?;
    let ill = |(expectation, goal): (&Expectation, &crate::domain::drill::stage::goal::Goal)| match &expectation.want {
        Want::Well(hold) if goal.well_since().is_none_or(|since| since > said) => {
            Some(format!("{} {} {}", hold.signal, hold.op.word(), hold.value))
        }
        _ => None,
    };
    let ill: Vec<String> = stage.scenario().expect.iter().zip(stage.goals()).filter_map(ill).collect();
    let why = format!("it still hurt: {} was not so", ill.join(", "));
    (!ill.is_empty()).then(|| remark("mitigated".into(), Sort::Claim, "said to be mitigated".into(), said, why))
}

/// How long things took from the first page on.
fn times(stage: &Stage) -> Measured {
    let Some(from) = begins(stage, &Since::Page) else { return Measured::default() };
    let after = |at: Option<Timestamp>| at.map(|at| seconds(at - from).max(0.0));
    // The pain stopped when the signals say so; the players' own word counts where no expectation says what that is.
    let well = stage.scenario().expect.iter().zip(stage.goals()).filter(|(e, _)| matches!(e.want, Want::Well(_)));
    let well: Vec<Option<Timestamp>> = well.map(|(_, goal)| goal.met).collect();
    let mitigated = match well.is_empty() {
        true => stage.reached(Milestone::Mitigated),
        false => well.into_iter().collect::<Option<Vec<Timestamp>>>().and_then(|all| all.into_iter().max()),
    };
    Measured {
        acknowledge: after(stage.reached(Milestone::Acknowledged)),
        declare: after(stage.reached(Milestone::Declared)),
        mitigate: after(mitigated),
        first_update: after(stage.reached(Milestone::Updated)),
    }
}

/// The runbooks that were opened, each with the last step that was ended as failed.
pub fn rehearsed(stage: &Stage) -> Vec<Rehearsed> {
    let steps = stage.facts().steps();
    let failed = |book: &str| {
        let mine = steps.iter().filter(|s| s.runbook == book && matches!(s.end, StepEnd::Failed(_)));
        mine.max_by_key(|s| s.at).map(|s| s.step.as_str().into())
    };
    stage.facts().runbooks().map(|book| Rehearsed { runbook: book.into(), failed_at: failed(book) }).collect()
}

impl Score {
    /// `{"points", "of", "items": [...], "times": {...}, "recovery": null|{"rto", "rpo"}}`; seconds are numbers, what did not happen is null.
    pub fn json(&self) -> Value {
        let item = |item: &Item| {
            json!({
                "id": item.id,
                "kind": item.sort.word(),
                "what": item.what,
                "points": item.points,
                "of": item.of,
                "ok": item.ok,
                "at": item.at.map(rfc3339),
                "took": item.took,
                "within": item.within,
                "why": item.why,
            })
        };
        let items: Vec<Value> = self.items.iter().map(item).collect();
        json!({"points": self.points, "of": self.of, "items": items, "times": self.times, "recovery": self.recovery.map(Recovered::json)})
    }
}
