//! Which way a walk takes: what its answers, captures and failures open, skip and stop. Computed anew from the record each
//! time, so that another cockpit and a restart stand at the same step. Decides nothing that a person has decided.

use crate::domain::ids::StepId;
use crate::domain::incident::event::{Answer, StepEnd};
use crate::domain::incident::state::Walk;
use crate::domain::runbook::model::{Check, Go, OnFail, Op, Operand, Runbook, Step, When};
use crate::domain::runbook::values::Values;
use std::collections::BTreeMap;

/// How a step stands on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// To be walked.
    Open,
    /// To be walked, though whether it is for this case cannot be told; why not.
    Unsure(String),
    /// It has ended.
    Ended,
    /// The way leads past it; why.
    Skipped(String),
    /// The way ends before it; why.
    Stopped(String),
}

impl Stand {
    /// Whether it is to be walked.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open | Self::Unsure(_))
    }

    /// Why it stands as it does, where that needs a reason.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Open | Self::Ended => None,
            Self::Unsure(why) | Self::Skipped(why) | Self::Stopped(why) => Some(why),
        }
    }
}

/// How each step stands, in the order of the runbook.
pub fn route(book: &Runbook, walk: &Walk, values: &Values) -> Vec<Stand> {
    let mut stands = Vec::with_capacity(book.steps.len());
    let mut jump: Option<(usize, String)> = None;
    let mut stopped: Option<String> = None;
    let mut skipped: BTreeMap<&StepId, String> = BTreeMap::new();
    for (index, step) in book.steps.iter().enumerate() {
        let ended = walk.steps.get(&step.id);
        let stand = match (&jump, &stopped) {
            _ if ended.is_some() => Stand::Ended,
            (_, Some(why)) => Stand::Stopped(why.clone()),
            (Some((target, why)), _) if index < *target => Stand::Skipped(why.clone()),
            _ => match parent(step).and_then(|id| skipped.iter().find(|(own, _)| own.as_str() == id)) {
                Some((_, why)) => Stand::Skipped(why.clone()),
                None => opened(book, step, walk, values),
            },
        };
        if let Stand::Skipped(why) = &stand {
            skipped.insert(&step.id, why.clone());
            stands.push(stand);
            continue;
        }
        if jump.as_ref().is_some_and(|(target, _)| index >= *target) {
            jump = None;
        }
        if let Some((to, why)) = onward(step, walk)
            && let Some(target) = book.steps.iter().position(|s| s.id == *to).filter(|target| *target > index)
        {
            jump = Some((target, why));
        }
        if let Some(StepEnd::Failed(why)) = ended.map(|mark| &mark.end)
            && step.on_fail == OnFail::Stop
        {
            stopped = Some(format!("{} failed ({why}), and the runbook stops there", step.name));
        }
        stands.push(stand);
    }
    stands
}

/// The step that includes this one: the part of its id before the last `/`.
fn parent(step: &Step) -> Option<&str> {
    step.id.as_str().rsplit_once('/').map(|(parent, _)| parent)
}

fn opened(book: &Runbook, step: &Step, walk: &Walk, values: &Values) -> Stand {
    match &step.when {
        None => Stand::Open,
        Some(When::Answer { step: of, check, is, .. }) => {
            let question = book.step(of).and_then(|s| s.checks.get(*check)).map_or("a check", |c| &c.question);
            match walk.answers.get(of).and_then(|answers| answers.get(check)) {
                Some(answer) if answer == is => Stand::Open,
                Some(answer) => Stand::Skipped(format!("{question} {}", answer.word())),
                // The question is still to be asked, or nobody answered it.
                None if walk.steps.contains_key(of) => Stand::Unsure(format!("nobody answered: {question}")),
                None => Stand::Unsure(format!("only when {} is the answer to: {question}", is.word())),
            }
        }
        Some(When::Compare(compare)) => match compare.holds(|name| values.get(name)) {
            Ok(true) => Stand::Open,
            Ok(false) => Stand::Skipped(format!(
                "{} {} {} does not hold",
                side(&compare.left, values),
                compare.op.word(),
                side(&compare.right, values)
            )),
            Err(why) => Stand::Unsure(why),
        },
    }
}

fn side(operand: &Operand, values: &Values) -> String {
    match operand {
        Operand::Name(name) if values.is_secret(name) => format!("${name}"),
        Operand::Name(name) => values.get(name).map_or_else(|| format!("${name}"), |v| format!("{name}={v}")),
        Operand::Number(number) => number.to_string(),
        Operand::Text(text) => format!("'{text}'"),
    }
}

/// A comparison in words, with its values: `OLD=6 < REPLICAS=12`.
pub fn comparison(left: &Operand, op: Op, right: &Operand, values: &Values) -> String {
    format!("{} {} {}", side(left, values), op.word(), side(right, values))
}

/// A step that an answer, the end or the failure of this one leads to, and why.
fn onward<'s>(step: &'s Step, walk: &Walk) -> Option<(&'s StepId, String)> {
    let ended = walk.steps.get(&step.id).map(|mark| &mark.end);
    if let (Some(StepEnd::Failed(_)), OnFail::Goto(to)) = (ended, &step.on_fail) {
        return Some((to, format!("{} failed", step.name)));
    }
    let answers = walk.answers.get(&step.id);
    for (n, check) in step.checks.iter().enumerate() {
        let Some(answer) = answers.and_then(|a| a.get(&n)) else { continue };
        if let Go::Goto(to) = after(check, *answer) {
            return Some((to, format!("{} {}", check.question, answer.word())));
        }
    }
    match (&step.go, ended) {
        (Go::Goto(to), Some(StepEnd::Done)) => Some((to, format!("after {}", step.name))),
        _ => None,
    }
}

fn after(check: &Check, answer: Answer) -> &Go {
    match answer {
        Answer::Yes => &check.if_yes,
        Answer::No => &check.if_no,
        Answer::Unsure => &check.if_unsure,
    }
}

/// Whether a check is to be asked again, and how often it still may be: `(round, of)`.
pub fn again(step: &Step, check: usize, walk: &Walk) -> Option<(u32, u32)> {
    let given = step.checks.get(check)?;
    let answer = walk.answers.get(&step.id)?.get(&check)?;
    let Go::Again { limit } = after(given, *answer) else { return None };
    let rounds = walk.rounds.get(&step.id).and_then(|r| r.get(&check)).copied().unwrap_or(1);
    (rounds <= *limit).then_some((rounds, *limit))
}

/// The first open step.
pub fn current<'r>(book: &'r Runbook, walk: &Walk, values: &Values) -> Option<&'r Step> {
    let stands = route(book, walk, values);
    book.steps.iter().zip(stands).find(|(_, stand)| stand.is_open()).map(|(step, _)| step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::Mark;
    use crate::domain::incident::state::StepMark;
    use crate::domain::labels::Labels;
    use crate::domain::runbook::format::read;
    use crate::domain::runbook::model::Compare;

    fn book() -> Runbook {
        let text = "name: R\nsteps:\n  - {name: Look, checks: ['Is the database slow?', 'Sure?']}\n  - {name: Api}\n  \
                    - {name: Db}\n  - {name: Db inner}\n  - {name: End}\n";
        let mut book = read("r.yaml", text).0.unwrap();
        book.steps[3].id = "db/inner".into();
        book
    }

    fn end(walk: &mut Walk, id: &str, how: StepEnd) {
        let at = "2026-05-01T03:00:00Z".parse().unwrap();
        walk.steps.insert(id.into(), StepMark { end: how, actor: "alice".into(), at });
    }

    fn answer(walk: &mut Walk, id: &str, check: usize, answer: Answer) {
        walk.answers.entry(id.into()).or_default().insert(check, answer);
        *walk.rounds.entry(id.into()).or_default().entry(check).or_default() += 1;
    }

    fn stands(book: &Runbook, walk: &Walk) -> Vec<String> {
        let word = |stand: &Stand| match stand {
            Stand::Open => "open".to_owned(),
            Stand::Ended => "ended".to_owned(),
            Stand::Unsure(why) => format!("unsure: {why}"),
            Stand::Skipped(why) => format!("skipped: {why}"),
            Stand::Stopped(why) => format!("stopped: {why}"),
        };
        route(book, walk, &Values::default()).iter().map(word).collect()
    }

    #[test]
    fn an_answer_leads_past_what_lies_between_and_says_why() {
        let mut book = book();
        book.steps[0].checks[0].if_yes = Go::Goto("end".into());
        let mut walk = Walk::default();
        assert_eq!(stands(&book, &walk), ["open"; 5]);
        answer(&mut walk, "look", 0, Answer::Yes);
        let why = "skipped: Is the database slow? yes";
        assert_eq!(stands(&book, &walk), ["open", why, why, why, "open"]);
        end(&mut walk, "api", StepEnd::Done);
        assert_eq!(stands(&book, &walk)[1], "ended", "what was done was done");
        answer(&mut walk, "look", 0, Answer::No);
        assert_eq!(stands(&book, &walk)[2], "open");
    }

    #[test]
    fn a_step_waits_for_its_answer_and_takes_what_it_includes_with_it() {
        let mut book = book();
        let is = Answer::Yes;
        book.steps[2].when = Some(When::Answer { step: "look".into(), check: 0, is, mark: Mark::default() });
        let mut walk = Walk::default();
        assert!(stands(&book, &walk)[2].starts_with("unsure: only when yes"));
        answer(&mut walk, "look", 0, Answer::Unsure);
        let why = "skipped: Is the database slow? unsure";
        assert_eq!(stands(&book, &walk), ["open", "open", why, why, "open"]);
        walk.answers.clear();
        end(&mut walk, "look", StepEnd::Done);
        assert!(stands(&book, &walk)[2].starts_with("unsure: nobody answered"));
    }

    #[test]
    fn comparisons_open_and_skip_and_say_when_they_cannot_tell() {
        let mut book = book();
        let compare = Compare {
            left: Operand::Name("MW_LABEL_N".into()),
            op: Op::Gt,
            right: Operand::Number(5.0),
            mark: Mark::default(),
        };
        book.steps[1].when = Some(When::Compare(compare));
        let stand = |n: Option<&str>| {
            let values = n.map(|n| Values::of_alert("A", &Labels::from([("n", n)]))).unwrap_or_default();
            route(&book, &Walk::default(), &values).swap_remove(1)
        };
        assert_eq!(stand(Some("6")), Stand::Open);
        assert_eq!(stand(Some("5")), Stand::Skipped("MW_LABEL_N=5 > 5 does not hold".into()));
        assert_eq!(stand(None), Stand::Unsure("$MW_LABEL_N has no value".into()));
    }

    #[test]
    fn a_failure_stops_or_leads_on_as_the_runbook_says() {
        let mut book = book();
        let mut walk = Walk::default();
        end(&mut walk, "look", StepEnd::Failed("exit 1".into()));
        assert_eq!(stands(&book, &walk)[1], "open");
        book.steps[0].on_fail = OnFail::Goto("end".into());
        assert_eq!(stands(&book, &walk)[1], "skipped: Look failed");
        assert_eq!(current(&book, &walk, &Values::default()).unwrap().name, "End");
        book.steps[0].on_fail = OnFail::Stop;
        assert!(stands(&book, &walk)[4].starts_with("stopped: Look failed (exit 1)"));
        assert_eq!(current(&book, &walk, &Values::default()), None);
    }

    #[test]
    fn a_check_goes_round_as_often_as_it_may() {
        let mut book = book();
        book.steps[0].checks[1].if_no = Go::Again { limit: 2 };
        let mut walk = Walk::default();
        for round in 1..=3 {
            answer(&mut walk, "look", 1, Answer::No);
            assert_eq!(again(&book.steps[0], 1, &walk), (round <= 2).then_some((round, 2)));
        }
        answer(&mut walk, "look", 1, Answer::Yes);
        assert_eq!(again(&book.steps[0], 1, &walk), None);
    }
}
