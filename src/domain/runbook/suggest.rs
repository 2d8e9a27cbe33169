//! What a check's measurement suggests. A suggestion is a mark for the person who answers: nothing is answered, chosen or
//! run by it, and what cannot be measured suggests nothing and says so.

use crate::domain::incident::event::Answer;
use crate::domain::incident::state::Walk;
use crate::domain::runbook::hold::{Look, judge};
use crate::domain::runbook::model::{Go, Runbook, Step, Suggest, When};
use crate::domain::runbook::walk::open_checks;
use crate::domain::slo::sample::Sample;

/// What one measurement says of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suggestion {
    /// The comparison holds, so that yes is suggested; the value that decided, in words.
    Yes(String),
    /// It does not hold: nothing is suggested, and no least of all. The value, in words.
    Nothing(String),
    /// Nothing that could be judged, and why.
    NoData(String),
}

impl Suggestion {
    /// What the values of the query say. One series for which the comparison holds is enough, as for a question about any
    /// of them; who means all of them writes `min()` or `max()`.
    pub fn of(suggest: &Suggest, samples: &[Sample]) -> Self {
        if !samples.is_empty() && samples.iter().all(|s| s.value.is_nan()) {
            return Self::NoData("the value is not a number".into());
        }
        match judge(samples, suggest.op, suggest.value, true) {
            Look::Holds(seen) => Self::Yes(seen),
            Look::Fails(seen) => Self::Nothing(seen),
            Look::NoData(why) => Self::NoData(why),
        }
    }

    /// For a person: `yes is suggested: 0.72`.
    pub fn words(&self) -> String {
        match self {
            Self::Yes(seen) => format!("yes is suggested: {seen}"),
            Self::Nothing(seen) => format!("no suggestion: {seen}"),
            Self::NoData(why) => format!("no suggestion: NO DATA: {why}"),
        }
    }
}

/// The measurement in words: `db:p95 > 0.5`.
pub fn words(suggest: &Suggest) -> String {
    let one = suggest.promql.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{one} {} {}", suggest.op.word(), suggest.value)
}

/// The checks of a step that wait for an answer and have a measurement, from 0.
pub fn open<'b>(step: &'b Step, walk: &Walk) -> Vec<(usize, &'b Suggest)> {
    let waits = open_checks(step, walk).into_iter();
    waits.filter_map(|n| Some((n, step.checks.get(n)?.suggest.as_ref()?))).collect()
}

/// The steps that a yes to a check names: where it leads, and those that only a yes opens.
pub fn named<'b>(book: &'b Runbook, step: &Step, check: usize) -> Vec<&'b Step> {
    let leads = match step.checks.get(check).map(|c| &c.if_yes) {
        Some(Go::Goto(id)) => Some(id),
        _ => None,
    };
    let opens = |other: &Step| matches!(&other.when, Some(When::Answer { step: of, check: n, is: Answer::Yes, .. }) if *of == step.id && *n == check);
    book.steps.iter().filter(|other| leads == Some(&other.id) || opens(other)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::Mark;
    use crate::domain::labels::Labels;
    use crate::domain::runbook::format::read;
    use crate::domain::runbook::model::Op;

    fn says(values: &[f64]) -> Suggestion {
        let suggest = Suggest { promql: "db:p95".into(), op: Op::Gt, value: 0.5, mark: Mark::default() };
        let sample = |value: &f64| Sample {
            labels: Labels::default(),
            at: "2026-05-01T03:00:00Z".parse().unwrap(),
            value: *value,
        };
        Suggestion::of(&suggest, &values.iter().map(sample).collect::<Vec<_>>())
    }

    #[test]
    fn only_what_was_measured_and_holds_suggests_anything() {
        assert_eq!(says(&[0.72]), Suggestion::Yes("0.720".into()));
        assert_eq!(says(&[0.2, 0.9]), Suggestion::Yes("0.900, 1 of 2 series hold".into()));
        assert_eq!(says(&[0.5]), Suggestion::Nothing("0.500".into()));
        assert!(matches!(says(&[]), Suggestion::NoData(_)));
        assert!(matches!(says(&[f64::NAN, f64::NAN]), Suggestion::NoData(_)));
        assert!(matches!(says(&[f64::NAN, 0.1]), Suggestion::Nothing(_)));
        assert!(says(&[]).words().starts_with("no suggestion: NO DATA"));
    }

    #[test]
    fn a_yes_names_where_it_leads_and_what_it_opens() {
        let text = "apiVersion: midwatch/v1\nkind: Runbook\nid: r\nname: R\nsteps:\n  - id: a\n    name: A\n    ask:\n      - \
                    {q: Slow?, suggest: {promql: x, op: '>', value: 1}, if_yes: {goto: d}}\n      - {q: Full?}\n  - {id: b, name: \
                    B, when: {answer: a.0, is: 'yes'}}\n  - {id: c, name: C, when: {answer: a.0, is: 'no'}}\n  - {id: d, name: D}\n";
        let book = read("r.yaml", text).0.unwrap();
        let ids = |n| named(&book, &book.steps[0], n).iter().map(|s| s.id.to_string()).collect::<Vec<_>>();
        assert_eq!((ids(0), ids(1)), (vec!["b".to_owned(), "d".to_owned()], vec![]));
        let mut walk = Walk::default();
        let waiting = |walk: &Walk| open(&book.steps[0], walk).iter().map(|(n, s)| (*n, words(s))).collect::<Vec<_>>();
        assert_eq!(waiting(&walk), [(0, "x > 1".to_owned())]);
        walk.answers.entry("a".into()).or_default().insert(0, Answer::No);
        assert_eq!(waiting(&walk), []);
    }
}
