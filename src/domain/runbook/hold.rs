//! Whether a condition has held for its time without a gap. What cannot be measured never counts as holding: no data, NaN
//! and an error begin the hold anew, and so does a stretch in which nobody looked.

use crate::domain::runbook::model::{Condition, Op, Verify};
use crate::domain::slo::sample::Sample;
use crate::domain::time::{Span, Timestamp, compact, prometheus, secs};

/// What one look saw.
#[derive(Clone, Debug, PartialEq)]
pub enum Look {
    /// It holds; the value that decided, in words.
    Holds(String),
    /// It does not; the value that decided, in words.
    Fails(String),
    /// Nothing that could be judged, and why.
    NoData(String),
}

/// How far it came.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Not yet.
    Waiting,
    /// It held since then.
    Held(Timestamp),
    /// Its time is over; what was seen last.
    Failed(String),
}

/// A condition being watched.
#[derive(Clone, Debug, PartialEq)]
pub struct Hold {
    /// When watching began.
    pub began: Timestamp,
    /// Since when it has held without a gap.
    pub since: Option<Timestamp>,
    /// The last look.
    pub last: Option<(Timestamp, Look)>,
    for_: Span,
    within: Span,
    every: Span,
}

impl Hold {
    /// Begins to watch.
    pub fn new(verify: &Verify, began: Timestamp) -> Self {
        let every = verify.every.max(secs(1));
        Self { began, since: None, last: None, for_: verify.for_.max(secs(0)), within: verify.within, every }
    }

    /// When to look next: at once the first time.
    pub fn next(&self) -> Timestamp {
        self.last.as_ref().map_or(self.began, |(at, _)| *at + self.every)
    }

    /// When it has failed.
    pub fn fails_at(&self) -> Timestamp {
        self.began + self.within
    }

    /// How much longer it must hold; `None` while it does not.
    pub fn left(&self, now: Timestamp) -> Option<Span> {
        self.since.map(|since| (self.for_ - (now - since)).max(secs(0)))
    }

    /// Takes in a look.
    pub fn take(&mut self, at: Timestamp, look: Look) -> Verdict {
        // A look that was due and did not come is a gap: nobody knows what was in it.
        let gap = self.last.as_ref().is_some_and(|(last, _)| at - *last > self.every * 2 + secs(5) || at < *last);
        if gap || !matches!(look, Look::Holds(_)) {
            self.since = None;
        }
        if matches!(look, Look::Holds(_)) {
            self.since.get_or_insert(at);
        }
        self.last = Some((at, look));
        match self.since {
            Some(since) if at - since >= self.for_ => Verdict::Held(since),
            _ => self.verdict(at),
        }
    }

    /// What time alone decides.
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        if now < self.fails_at() {
            return Verdict::Waiting;
        }
        let seen = match &self.last {
            Some((_, Look::Holds(seen))) => format!("it holds ({seen}), but not for {} yet", compact(self.for_)),
            Some((_, Look::Fails(seen))) => seen.clone(),
            Some((_, Look::NoData(why))) => format!("no data: {why}"),
            None => "it was never measured".to_owned(),
        };
        Verdict::Failed(format!("{seen} after {}", compact(self.within)))
    }

    /// The clock was set: lengths stay as long as they are.
    pub fn reclock(&mut self, by: Span) {
        let moved = |at: &mut Timestamp| *at = at.checked_add_signed(by).unwrap_or(*at);
        moved(&mut self.began);
        self.since.iter_mut().for_each(moved);
        self.last.iter_mut().for_each(|(at, _)| moved(at));
    }
}

/// What values of a query say of a condition: all series must satisfy it, or one where `any` is enough.
pub fn judge(samples: &[Sample], op: Op, value: f64, any: bool) -> Look {
    if samples.is_empty() {
        return Look::NoData("the query gives no series".into());
    }
    if samples.iter().any(|s| !s.value.is_finite()) && !any {
        return Look::NoData("a value is not a number".into());
    }
    let holds = |s: &&Sample| s.value.is_finite() && op.holds(s.value, value);
    let good = samples.iter().filter(holds).count();
    let worst = samples.iter().find(|s| !holds(s)).or(samples.first());
    let shown = worst.map(|s| said(s.value)).unwrap_or_default();
    let many = if samples.len() > 1 { format!(", {good} of {} series hold", samples.len()) } else { String::new() };
    match (any, good) {
        (true, 0) | (false, _) if good < samples.len() => Look::Fails(format!("{shown}{many}")),
        _ => {
            let held = samples.iter().find(holds).map(|s| said(s.value)).unwrap_or_default();
            Look::Holds(format!("{held}{many}"))
        }
    }
}

/// What a burn rate says of a condition.
pub fn judge_rate(rate: Option<f64>, op: Op, value: f64) -> Look {
    match rate.filter(|rate| rate.is_finite()) {
        None => Look::NoData("no burn rate".into()),
        Some(rate) if op.holds(rate, value) => Look::Holds(format!("burn {}", said(rate))),
        Some(rate) => Look::Fails(format!("burn {}", said(rate))),
    }
}

fn said(value: f64) -> String {
    if value == value.round() && value.abs() < 1e9 { format!("{value}") } else { format!("{value:.3}") }
}

/// A condition in words: `api-latency burn 5m < 1`.
pub fn words(what: &Condition) -> String {
    match what {
        Condition::Promql { query, op, value, any } => {
            let one = query.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("{}{one} {} {value}", if *any { "any of " } else { "" }, op.word())
        }
        Condition::Slo { slo, window, op, value } => {
            format!("{slo} burn {} {} {value}", prometheus(*window), op.word())
        }
        Condition::Exec(command) => command.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::Mark;
    use crate::domain::labels::Labels;
    use proptest::prelude::*;

    fn start() -> Timestamp {
        "2026-05-01T03:00:00Z".parse().unwrap()
    }

    fn hold() -> Hold {
        let what = Condition::Promql { query: "up".into(), op: Op::Lt, value: 1.0, any: false };
        let verify = Verify { what, for_: secs(60), within: secs(600), every: secs(15), mark: Mark::default() };
        Hold::new(&verify, start())
    }

    fn holds() -> Look {
        Look::Holds("0.4".into())
    }

    #[test]
    fn it_holds_when_every_look_of_its_time_says_so_and_since_the_first_of_them() {
        let mut hold = hold();
        assert_eq!(hold.next(), start());
        for s in [0, 15, 30, 45] {
            assert_eq!(hold.take(start() + secs(s), holds()), Verdict::Waiting, "{s}");
        }
        assert_eq!(hold.left(start() + secs(45)), Some(secs(15)));
        assert_eq!(hold.take(start() + secs(60), holds()), Verdict::Held(start()));
    }

    #[test]
    fn no_data_an_error_and_a_gap_begin_anew() {
        for broken in [Look::NoData("no series".into()), Look::Fails("1.2".into())] {
            let mut hold = hold();
            for s in [0, 15, 30] {
                hold.take(start() + secs(s), holds());
            }
            hold.take(start() + secs(45), broken);
            assert_eq!(hold.since, None);
            for s in [60, 75, 90, 105] {
                assert_eq!(hold.take(start() + secs(s), holds()), Verdict::Waiting);
            }
            assert_eq!(hold.take(start() + secs(120), holds()), Verdict::Held(start() + secs(60)));
        }
        let mut hold = hold();
        hold.take(start(), holds());
        assert_eq!(hold.take(start() + secs(61), holds()), Verdict::Waiting, "nobody looked in between");
        assert_eq!(hold.since, Some(start() + secs(61)));
    }

    #[test]
    fn it_fails_when_its_time_is_over_and_says_what_was_seen() {
        let mut hold = hold();
        assert_eq!(hold.verdict(start() + secs(599)), Verdict::Waiting);
        assert_eq!(hold.verdict(start() + secs(600)), Verdict::Failed("it was never measured after 10m".into()));
        hold.take(start() + secs(590), Look::NoData("no series".into()));
        assert_eq!(hold.verdict(start() + secs(600)), Verdict::Failed("no data: no series after 10m".into()));
    }

    #[test]
    fn every_series_counts_and_none_counts_for_nothing() {
        let sample = |value| Sample { labels: Labels::default(), at: start(), value };
        let all = |values: &[f64], any| judge(&values.iter().map(|v| sample(*v)).collect::<Vec<_>>(), Op::Lt, 1.0, any);
        assert!(matches!(all(&[], false), Look::NoData(_)) && matches!(all(&[], true), Look::NoData(_)));
        assert_eq!(all(&[0.5], false), Look::Holds("0.500".into()));
        assert_eq!(all(&[0.5, 2.0], false), Look::Fails("2, 1 of 2 series hold".into()));
        assert_eq!(all(&[2.0, 0.5], true), Look::Holds("0.500, 1 of 2 series hold".into()));
        assert!(matches!(all(&[0.5, f64::NAN], false), Look::NoData(_)));
        assert!(matches!(all(&[f64::NAN], true), Look::Fails(_)));
        for rate in [None, Some(f64::NAN), Some(f64::INFINITY)] {
            assert!(matches!(judge_rate(rate, Op::Lt, 1.0), Look::NoData(_)));
        }
    }

    proptest! {
        #[test]
        fn nothing_is_held_that_did_not_hold_all_the_time(looks in prop::collection::vec((1_i64..60, 0_u8..4), 1..60)) {
            let mut hold = hold();
            let (mut at, mut run): (Timestamp, Option<Timestamp>) = (start(), None);
            for (step, kind) in looks {
                let gap = step > 35;
                at += secs(step);
                let look = match kind {
                    0 => Look::Fails("2".into()),
                    1 => Look::NoData("none".into()),
                    _ => holds(),
                };
                if matches!(look, Look::Holds(_)) {
                    if gap && hold.last.is_some() { run = None; }
                    run.get_or_insert(at);
                } else {
                    run = None;
                }
                if let Verdict::Held(since) = hold.take(at, look) {
                    prop_assert_eq!(Some(since), run);
                    prop_assert!(at - since >= secs(60));
                    break;
                }
            }
        }
    }
}
