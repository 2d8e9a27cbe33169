//! An objective in words: its sentence, and its SLI as one text for the detail view. The same words for every format.

use crate::domain::slo::budget::round12;
use crate::domain::slo::objective::{Bad, Combine, Composite, Sli};
use crate::domain::slo::period::{Period, Unit};
use crate::domain::time::{Span, prometheus};

/// What a sentence is made of.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Where the numbers come from.
    pub sli: &'a Sli,
    /// Share that must be good.
    pub target: f64,
    /// The window, and the calendar period where there is one.
    pub window: Span,
    /// The calendar period.
    pub period: Option<&'a Period>,
    /// What the value of a slice is called: `p99`, `good ratio`, `value`.
    pub value: &'a str,
    /// Nobody wrote the target.
    pub assumed: bool,
}

/// The sentence: `p99 <= 0.5 in >= 99 % of 5m slices (assumed)`.
pub fn says(said: &Said<'_>) -> String {
    let percent = round12(said.target * 100.0);
    let over = said.period.map_or_else(|| format!("over {}", prometheus(said.window)), per);
    match said.sli {
        Sli::Events { .. } => format!("{percent} % of events good {over}"),
        Sli::Opaque { slice, .. } => {
            format!("{percent} % good {over}, mean of {} slices (time-weighted)", prometheus(*slice))
        }
        Sli::Slices { compare, threshold, slice, .. } => format!(
            "{} {} {} in >= {percent} % of {} slices{}",
            said.value,
            compare.sign(),
            threshold,
            prometheus(*slice),
            if said.assumed { " (assumed)" } else { "" }
        ),
        Sli::Composite(Composite { combine: Combine::Weighted, parts }) => {
            format!("weighted burn of {} objectives {over}", parts.len())
        }
        Sli::Composite(Composite { combine: Combine::AnyBad, parts }) => {
            format!("{percent} % of time with all of {} objectives good {over}", parts.len())
        }
    }
}

/// `per month`, `per 2 weeks`.
fn per(period: &Period) -> String {
    let unit = match period.unit {
        Unit::Week => "week",
        Unit::Month => "month",
        Unit::Quarter => "quarter",
        Unit::Year => "year",
        Unit::Days(days) => {
            let days = u64::from(days) * u64::from(period.count.max(1));
            return if days == 1 { "per day".to_owned() } else { format!("per {days} days") };
        }
    };
    if period.count > 1 { format!("per {} {unit}s", period.count) } else { format!("per {unit}") }
}

/// The SLI as one text: an error ratio where it has two sides.
pub fn written(sli: &Sli) -> String {
    match sli {
        Sli::Events { bad: Bad::Counted(bad), total } => format!("{bad} / {total}"),
        Sli::Events { bad: Bad::TotalMinus(good), total } => format!("1 - {good} / {total}"),
        Sli::Slices { value, .. } => value.clone(),
        Sli::Opaque { ratio, .. } => ratio.clone(),
        Sli::Composite(it) => {
            let parts: Vec<String> = it.parts.iter().map(|(id, weight)| format!("{id} * {weight}")).collect();
            parts.join(" + ")
        }
    }
}
