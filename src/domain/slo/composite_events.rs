//! What the events behind the parts of a composite say of the whole: its calendar budget, where its budget is going, what an
//! incident costs it, how it went down. Budgets are added up, each part's by its weight; no event of one part is ever taken
//! for one of another. What is not known of a part is not known of the whole, and why is said. Asks nobody.

use crate::domain::ids::SloId;
use crate::domain::slo::budget::allowance;
use crate::domain::slo::calendar::{self, Calendar};
use crate::domain::slo::event_slices::Slice;
use crate::domain::slo::history::Grid;
use crate::domain::slo::incident_cost::{IncidentCost, Question, cost};
use crate::domain::slo::lines::{self, BurnLine};
use crate::domain::slo::net_events::NetEvents;
use crate::domain::slo::objective::{Combine, Objective, Sli};
use crate::domain::slo::outlook::{self, Fitted, Rolling};
use crate::domain::slo::reading::{Counts, Series, Window};
use crate::domain::time::{Span, Timestamp, prometheus};
use std::sync::Arc;

/// Composites in composites deeper than this are a circle.
const DEEPEST: usize = 16;
/// The allowance by which burn rates are told as counts; any would do that leaves room over it.
const UNIT: f64 = 1e-9;

/// A part of a composite that is none itself, and how much of the whole's budget is used when all of its own is.
pub type Leaf = (Arc<Objective>, f64);

/// The parts of a composite, those of composites in it included. `Err` says what keeps their events from being added up.
pub fn leaves(whole: &Objective, find: &dyn Fn(&SloId) -> Option<Arc<Objective>>) -> Result<Vec<Leaf>, String> {
    let mut found = Vec::new();
    walk(whole, whole, 1.0, find, &mut found, 0)?;
    if found.is_empty() { Err("it has no parts".into()) } else { Ok(found) }
}

fn walk(
    top: &Objective,
    whole: &Objective,
    factor: f64,
    find: &dyn Fn(&SloId) -> Option<Arc<Objective>>,
    found: &mut Vec<Leaf>,
    depth: usize,
) -> Result<(), String> {
    let Sli::Composite(of) = &whole.sli else { return Ok(()) };
    if depth > DEEPEST {
        return Err(format!("`{}` is a part of itself", whole.id));
    }
    let share = |o: &Objective| allowance(o.target).ok_or_else(|| format!("`{}` has no budget", o.id));
    for (id, weight) in &of.parts {
        let part = find(id).ok_or_else(|| format!("there is no objective `{id}`"))?;
        if part.window != top.window {
            let (its, ours) = (prometheus(part.window), prometheus(top.window));
            return Err(format!("the window of `{id}` is {its}, not {ours}"));
        }
        let factor = match of.combine {
            Combine::Weighted => factor * weight,
            // Bad shares are added up, so a part weighs as much as its allowance is larger than that of the whole.
            Combine::AnyBad => factor * share(&part)? / share(whole)?,
        };
        if !(factor > 0.0 && factor.is_finite()) {
            return Err(format!("the weight of `{id}` is none"));
        }
        share(&part)?;
        if matches!(part.sli, Sli::Composite(_)) {
            walk(top, &part, factor, find, found, depth + 1)?;
            continue;
        }
        match found.iter_mut().find(|(had, _)| had.id == part.id) {
            Some((_, had)) => *had += factor,
            None => found.push((part, factor)),
        }
    }
    Ok(())
}

/// What happened to one part.
#[derive(Clone, Debug, PartialEq)]
pub struct PartEvents {
    /// The part.
    pub id: SloId,
    /// Share of the whole's budget that is used when all of the part's is.
    pub factor: f64,
    /// Share that must be good of the part.
    pub target: f64,
    /// Its events, without planned work.
    pub net: NetEvents,
    /// What the last five minutes said at an instant.
    pub newest: Option<(Timestamp, Counts)>,
}

impl PartEvents {
    /// What the part's error ratio burns of the whole's budget; nobody came, nothing was bad.
    fn burn(&self, counts: Counts) -> Option<f64> {
        Some(self.factor * counts.error_ratio().unwrap_or(0.0) / allowance(self.target)?)
    }
}

/// What the budget of an incident's cost is reckoned from.
#[derive(Clone, Copy, Debug)]
pub enum Base {
    /// The events of the window that ends with the newest ones.
    Window(Span),
    /// Those that a calendar period is expected to have; those that it had when it is over.
    Period {
        /// Its beginning and end.
        bounds: (Timestamp, Timestamp),
        /// Whether it is over.
        over: bool,
    },
}

/// What a part has in a calendar period, and what it weighs there.
struct InPeriod<'a> {
    part: &'a PartEvents,
    share: f64,
    of: Calendar,
}

/// The events behind a composite.
#[derive(Clone, Debug, PartialEq)]
pub struct CompositeEvents {
    parts: Vec<PartEvents>,
    window: Span,
    target: f64,
    rolling: Option<Mixed>,
}

/// The events of the parts in one line, so that what one slice has of all is what it used of the rolling budget. They are
/// as many as the parts have on the mean by weight: for sums, never to be shown.
#[derive(Clone, Debug, PartialEq)]
struct Mixed {
    net: NetEvents,
    /// The target by which bad ones stay under all ones, whatever the parts' targets are.
    target: f64,
    /// Events of the window.
    total: f64,
}

impl CompositeEvents {
    /// Of parts that all have the window of the whole. `Err` where nothing is known of one.
    pub fn of(whole: &Objective, parts: Vec<PartEvents>) -> Result<Self, String> {
        if let Some(part) = parts.iter().find(|p| p.net.end().is_none()) {
            return Err(format!("the events behind `{}` are not known", part.id));
        }
        let rolling = mixed(whole, &parts);
        Ok(Self { parts, window: whole.window, target: whole.target, rolling })
    }

    /// The end of what is known of every part.
    pub fn end(&self) -> Option<Timestamp> {
        end(&self.parts)
    }

    /// The beginning of what is known of every part.
    pub fn begin(&self) -> Option<Timestamp> {
        self.parts.iter().filter_map(|p| p.net.slices().first()).map(|s| s.end - s.length).max()
    }

    fn in_period(&self, period: &str, bounds: (Timestamp, Timestamp)) -> Option<Vec<InPeriod<'_>>> {
        let mut found = Vec::new();
        for part in &self.parts {
            match calendar::budget(&part.net, period.to_owned(), bounds, part.target) {
                Some(of) => found.push(InPeriod { part, share: 0.0, of }),
                None => {
                    let now = part.net.end()?.min(bounds.1);
                    let (counts, known) = part.net.between(bounds.0, now);
                    if known <= 0.0 || counts.total > 0.0 {
                        return None;
                    }
                }
            }
        }
        let all: f64 = found.iter().map(|p| p.part.factor).sum();
        found.iter_mut().for_each(|p| p.share = p.part.factor / all);
        (!found.is_empty()).then_some(found)
    }

    /// The budget of a calendar period: what the parts spent of theirs, by weight. Its events are those of the parts on the
    /// mean by weight.
    pub fn calendar(&self, period: String, bounds: (Timestamp, Timestamp)) -> Option<Calendar> {
        let parts = self.in_period(&period, bounds)?;
        let sum = |of: &dyn Fn(&Calendar) -> Option<f64>| -> Option<f64> {
            parts.iter().map(|p| Some(p.part.factor * of(&p.of)?)).sum()
        };
        let mean = |of: &dyn Fn(&Calendar) -> f64| -> f64 { parts.iter().map(|p| p.share * of(&p.of)).sum() };
        let least = |of: &dyn Fn(&Calendar) -> f64| parts.iter().map(|p| of(&p.of)).fold(1.0, f64::min);
        let burn: f64 = parts.iter().filter_map(|p| p.part.burn(p.of.events)).sum();
        let total = mean(&|c| c.events.total);
        let consumed = sum(&|c| c.consumed);
        Some(Calendar {
            period,
            from: bounds.0,
            to: bounds.1,
            elapsed: least(&|c| c.elapsed),
            events: Counts { bad: (burn * allowance(self.target)?).min(1.0) * total, total },
            expected: mean(&|c| c.expected),
            consumed,
            remaining: consumed.map(|c| 1.0 - c),
            projected: sum(&|c| c.projected),
            coverage: least(&|c| c.coverage),
        })
    }

    /// What was spent of the budget of a period that is over: of the events that it had.
    pub fn spent(&self, bounds: (Timestamp, Timestamp)) -> Option<f64> {
        let parts = self.in_period("", bounds)?;
        let spent = |p: &InPeriod<'_>| {
            Some(p.part.factor * calendar::consumed(p.of.events.bad, p.of.events.total, p.part.target)?)
        };
        parts.iter().map(spent).sum()
    }

    /// What happens to the rolling budget at a burn rate, given what leaves the window.
    pub fn rolling(&self, remaining: f64, burn: f64) -> Option<Rolling> {
        let mixed = self.rolling.as_ref()?;
        outlook::rolling(&mixed.net, mixed.target, self.window, remaining, burn)
    }

    /// The trend of what was left of the rolling budget; see [`outlook::trend`].
    pub fn trend(&self, lookback: Span, step: Span) -> Option<Fitted> {
        let left = |at: Timestamp| {
            let from = at.checked_sub_signed(self.window)?;
            Some(1.0 - self.burn(outlook::KNOWN, |net| net.between(from, at))?)
        };
        outlook::trend_of(self.end()?, lookback, step, left)
    }

    /// The burn rate of what is counted; `None` where less than a share is known of a part, or nobody came to any.
    fn burn(&self, least: f64, count: impl Fn(&NetEvents) -> (Counts, f64)) -> Option<f64> {
        let (mut sum, mut came) = (0.0, false);
        for part in &self.parts {
            let (counts, known) = count(&part.net);
            if known < least {
                return None;
            }
            came |= counts.total > 0.0;
            sum += part.burn(counts)?;
        }
        came.then_some(sum)
    }

    /// What an incident cost: what it cost the parts, by weight; with what was counted since the newest slice where it goes
    /// on. Target and events of the question are those of the parts.
    pub fn cost(&self, q: &Question, base: Base, goes_on: bool) -> Option<IncidentCost> {
        let mut found: Vec<(&PartEvents, IncidentCost)> = Vec::new();
        for part in &self.parts {
            let of = part_base(part, base)?;
            if of > 0.0 {
                let newest = part.newest.filter(|_| goes_on);
                found.push((part, cost(&part.net, newest, &Question { target: part.target, of, ..*q })?));
            }
        }
        let all: f64 = found.iter().map(|(p, _)| p.factor).sum();
        if found.is_empty() {
            return None;
        }
        let sum = |of: &dyn Fn(&PartEvents, &IncidentCost) -> Option<f64>| -> Option<f64> {
            found.iter().map(|(p, c)| Some(p.factor * of(p, c)?)).sum()
        };
        let mean =
            |of: &dyn Fn(&IncidentCost) -> f64| -> f64 { found.iter().map(|(p, c)| p.factor / all * of(c)).sum() };
        let share = allowance(self.target)?;
        let (gross, of) = (sum(&|_, c| Some(c.gross))?, mean(&|c| c.of));
        let before = sum(&|p, c| Some(c.before? / allowance(p.target)?));
        Some(IncidentCost {
            gross,
            net: sum(&|_, c| c.net),
            during: Counts { bad: gross * share * of, total: mean(&|c| c.during.total) },
            before: before.map(|b| (b * share).min(1.0)),
            of,
            coverage: found.iter().map(|(_, c)| c.coverage).fold(1.0, f64::min),
        })
    }

    /// How the rolling budget went down.
    pub fn burn_down(&self, points: usize) -> Option<Series> {
        let (mixed, end) = (self.rolling.as_ref()?, self.end()?);
        let budget = lines::allowed(mixed.target, mixed.total)?;
        lines::burn_down(mixed.net.slices(), budget, end.checked_sub_signed(self.window)?, end, points)
    }

    /// Burn rates over time: in every step, and in every slice, those of the parts by weight.
    pub fn burn_line(&self, range: Span, step: Span) -> Option<BurnLine> {
        let (mixed, end) = (self.rolling.as_ref()?, self.end()?);
        let slices = mixed.net.slices().iter().map(|s| {
            let burn = s.counts.and_then(|_| self.burn(1.0 - UNIT, |net| net.within(s.end - s.length, s.end)));
            Slice { counts: burn.map(|b| Counts { bad: b * UNIT, total: 1.0 }), ..*s }
        });
        let line = lines::burn_line(&slices.collect::<Vec<_>>(), 1.0 - UNIT, range, step, end);
        let grid = Grid::over(range, step, end);
        let mut upto = grid.start;
        let mut points = Vec::with_capacity(grid.points);
        for _ in 0..grid.points {
            points.push(self.burn(f64::MIN_POSITIVE, |net| net.within(upto - grid.step, upto)));
            upto += grid.step;
        }
        let mean = Series { window: Window::of(grid.step), start: grid.start, step: grid.step, points };
        Some(BurnLine { mean, ..line })
    }
}

fn end(parts: &[PartEvents]) -> Option<Timestamp> {
    parts.iter().map(|p| p.net.end()).min().flatten()
}

/// Events that the budget of a part is reckoned from; none where nobody came. `None` where that is not known.
fn part_base(part: &PartEvents, base: Base) -> Option<f64> {
    let end = part.net.end()?;
    match base {
        Base::Window(window) => Some(part.net.between(end.checked_sub_signed(window)?, end).0.total),
        Base::Period { bounds, over } => match calendar::budget(&part.net, String::new(), bounds, part.target) {
            Some(c) => Some(if over { c.events.total } else { c.expected }),
            None => Some(0.0).filter(|_| part.net.between(bounds.0, end.min(bounds.1)).1 > 0.0),
        },
    }
}

/// What a part's slices count as in the line of all.
struct Side<'a> {
    slices: &'a [Slice],
    bad: f64,
    total: f64,
}

/// `None` where nobody came to any part in the window.
fn mixed(whole: &Objective, parts: &[PartEvents]) -> Option<Mixed> {
    let end = end(parts)?;
    let from = end.checked_sub_signed(whole.window)?;
    let events = |p: &PartEvents| p.net.between(from, end).0.total;
    let busy: Vec<(&PartEvents, f64, f64)> = parts
        .iter()
        .filter_map(|p| Some((p, events(p), allowance(p.target)?)))
        .filter(|(_, total, _)| *total > 0.0)
        .collect();
    let all: f64 = busy.iter().map(|(p, ..)| p.factor).sum();
    let total: f64 = busy.iter().map(|(p, total, _)| p.factor / all * total).sum();
    let least = busy.iter().map(|(_, _, share)| share / all).fold(allowance(whole.target)?, f64::min);
    if busy.is_empty() || !(total > 0.0 && total.is_finite()) {
        return None;
    }
    // One part of weight 1 stays as it is, to the last digit.
    let sides: Vec<Side<'_>> = busy
        .iter()
        .map(|(p, events, share)| Side {
            slices: p.net.slices(),
            bad: total / events * (least / share) * p.factor,
            total: total / events * (p.factor / all),
        })
        .collect();
    let net = NetEvents::over(merged(&sides, end), &[]);
    Some(Mixed { net, target: 1.0 - least, total })
}

/// One line of slices that begin and end where those of any part do. What is not known of one is not known.
fn merged(sides: &[Side<'_>], end: Timestamp) -> Vec<Slice> {
    let begin = |s: &Slice| s.end - s.length;
    let mut all = Vec::new();
    let mut rest: Vec<&[Slice]> = sides.iter().map(|s| s.slices).collect();
    let Some(mut at) = rest.iter().filter_map(|s| s.first()).map(begin).min() else { return all };
    while at < end {
        for slices in &mut rest {
            while let Some((_, more)) = slices.split_first().filter(|(first, _)| first.end <= at) {
                *slices = more;
            }
        }
        let borders = rest.iter().filter_map(|s| s.first()).map(|s| if begin(s) > at { begin(s) } else { s.end });
        let Some(next) = borders.min().map(|next| next.min(end)) else { break };
        let mut counts = Some(Counts::default());
        for (side, slices) in sides.iter().zip(&rest) {
            let here = slices.first().filter(|s| begin(s) <= at).and_then(|s| Some((s, s.counts?)));
            counts = counts.zip(here).map(|(sum, (slice, c))| {
                let part = (next - at).num_milliseconds() as f64 / slice.length.num_milliseconds().max(1) as f64;
                Counts { bad: sum.bad + c.bad * part * side.bad, total: sum.total + c.total * part * side.total }
            });
        }
        all.push(Slice { end: next, length: next - at, counts });
        at = next;
    }
    all
}

#[cfg(test)]
mod tests;
