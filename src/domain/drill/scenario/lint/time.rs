//! Times: SC008 what lies behind the end, SC009 injects that wait for each other in a circle, SC010 two things at one
//! instant that contradict each other.

use super::Linter;
use crate::domain::drill::scenario::{Act, Ending, Given, Inject, Moment, Want};
use crate::domain::time::{Span, compact, secs};
use std::collections::BTreeSet;

impl Linter<'_> {
    pub(super) fn times(&mut self) {
        self.behind_the_end();
        self.circles();
        self.clashes();
    }

    /// The instant after which nothing can happen any more.
    fn over_at(&self) -> Span {
        let ends = self.scenario.end.iter().filter_map(|end| match end {
            Ending::At(at, _) => Some(*at),
            _ => None,
        });
        ends.min().unwrap_or(self.scenario.duration).min(self.scenario.duration)
    }

    fn behind_the_end(&mut self) {
        let (s, over) = (self.scenario, self.over_at());
        for end in &s.end {
            if let Ending::At(at, mark) = end {
                if *at > s.duration {
                    let message =
                        format!("the end at {} lies behind the duration of {}", compact(*at), compact(s.duration));
                    self.error(*mark, "SC008", message);
                } else if at.is_zero() {
                    self.error(*mark, "SC008", "the drill ends when it begins");
                }
            }
        }
        for inject in &s.injects {
            if let Some(at) = self.earliest(inject, &mut BTreeSet::new()).filter(|at| *at >= over) {
                let message = format!(
                    "`{}` comes at {} at the earliest, and the drill is over at {}",
                    inject.id,
                    compact(at),
                    compact(over)
                );
                self.error(inject.mark, "SC008", message);
            }
        }
        for expectation in &s.expect {
            if let Some(within) = expectation.within.filter(|within| *within > s.duration) {
                let message = format!(
                    "`{}` has {}, and the drill lasts {}",
                    expectation.id,
                    compact(within),
                    compact(s.duration)
                );
                self.error(expectation.mark, "SC008", message);
            }
            if expectation.within.is_some_and(|within| within.is_zero()) {
                let message = format!("`{}` has no time at all (`within` is 0)", expectation.id);
                self.error(expectation.mark, "SC008", message);
            }
            if let Want::Well(hold) = &expectation.want
                && hold.for_ >= over
            {
                let message = format!(
                    "`{}` wants {} for {}, and the drill is over at {}",
                    expectation.id,
                    hold.signal,
                    compact(hold.for_),
                    compact(over)
                );
                self.error(expectation.mark, "SC008", message);
            }
        }
    }

    /// The earliest instant of an inject by the clock alone; `None` by hand, in a circle, or after nothing.
    pub(super) fn earliest(&self, inject: &Inject, seen: &mut BTreeSet<String>) -> Option<Span> {
        if !seen.insert(inject.id.clone()) {
            return None;
        }
        match &inject.moment {
            Moment::At(at) => Some(*at),
            Moment::After { inject: other, delay } => {
                let other = self.scenario.injects.iter().find(|i| i.id == *other)?;
                self.earliest(other, seen)?.checked_add(delay)
            }
            Moment::ByHand => None,
        }
    }

    /// What an inject waits for: the one before it, and the one that its condition wants.
    fn waits_for(inject: &Inject) -> Vec<&str> {
        let after = match &inject.moment {
            Moment::After { inject, .. } => Some(inject.as_str()),
            Moment::At(_) | Moment::ByHand => None,
        };
        let given = match &inject.only_if {
            Some(Given::Inject(id)) => Some(id.as_str()),
            _ => None,
        };
        after.into_iter().chain(given).collect()
    }

    fn circles(&mut self) {
        let s = self.scenario;
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for inject in &s.injects {
            if told.contains(inject.id.as_str()) {
                continue;
            }
            if let Some(circle) = circle_from(&s.injects, inject) {
                told.extend(circle.iter().copied());
                let way =
                    circle.iter().chain(circle.first()).map(|id| format!("`{id}`")).collect::<Vec<_>>().join(" -> ");
                self.error(inject.mark, "SC009", format!("these injects wait for each other and never come: {way}"));
            }
        }
    }

    /// Two injects that send one signal two ways, or fail and mend one tool, at one instant.
    fn clashes(&mut self) {
        let s = self.scenario;
        let mut at: Vec<(Span, &Inject)> = Vec::new();
        for inject in &s.injects {
            if let (Moment::At(when), None, None) = (&inject.moment, &inject.only_if, &inject.unless) {
                at.push((*when, inject));
            }
        }
        for (n, (when, inject)) in at.iter().enumerate() {
            let clash = at.iter().take(n).find(|(other, before)| other == when && clashes(&before.act, &inject.act));
            if let Some((_, before)) = clash {
                let message = format!(
                    "`{}` and `{}` (line {}) contradict each other at {}",
                    inject.id,
                    before.id,
                    before.mark.line,
                    compact((*when).max(secs(0)))
                );
                self.error(inject.mark, "SC010", message);
            }
        }
    }
}

fn clashes(a: &Act, b: &Act) -> bool {
    match (a, b) {
        (Act::Signal(a), Act::Signal(b)) => a.signal == b.signal && a != b,
        (Act::Fail { tool, .. }, Act::Mend(other)) | (Act::Mend(other), Act::Fail { tool, .. }) => tool == other,
        (Act::Fail { tool: a, how: x, .. }, Act::Fail { tool: b, how: y, .. }) => a == b && x != y,
        (Act::Alert { alert, .. }, Act::Clear(other)) | (Act::Clear(other), Act::Alert { alert, .. }) => alert == other,
        _ => false,
    }
}

/// A circle that an inject is part of, itself first.
fn circle_from<'i>(injects: &'i [Inject], first: &'i Inject) -> Option<Vec<&'i str>> {
    let mut way: Vec<(&str, Vec<&str>)> = vec![(first.id.as_str(), Linter::waits_for(first))];
    let mut seen: BTreeSet<&str> = BTreeSet::from([first.id.as_str()]);
    while let Some((_, open)) = way.last_mut() {
        let Some(next) = open.pop() else {
            way.pop();
            continue;
        };
        if next == first.id {
            return Some(way.iter().map(|(id, _)| *id).collect());
        }
        if let Some(inject) = injects.iter().find(|i| i.id == next).filter(|_| seen.insert(next)) {
            way.push((inject.id.as_str(), Linter::waits_for(inject)));
        }
    }
    None
}
