//! Calendar periods of an error budget: week, month, quarter, year, or a length from a start, in a time zone. Says when the
//! current one began and ends; never reads a clock.

use crate::domain::time::Span;
use chrono::NaiveDateTime;
use chrono_tz::Tz;

/// The length of a calendar period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// From Monday.
    Week,
    /// From the first.
    Month,
    /// From January, April, July, October, unless the start says otherwise.
    Quarter,
    /// From the first of January, unless the start says otherwise.
    Year,
    /// So many days, counted from the start.
    Days(u32),
}

/// A calendar period in a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its length.
    pub unit: Unit,
    /// How many of them make one period.
    pub count: u32,
    /// The zone in which days begin.
    pub zone: Tz,
    /// A local instant at which one period began; moves the beginning of months, quarters and years too.
    pub start: Option<NaiveDateTime>,
}

impl Period {
    /// Its nominal length: a month counts 30 days, a quarter 90, a year 365.
    pub fn nominal(&self) -> Span {
        let days = match self.unit {
            Unit::Week => 7,
            Unit::Month => 30,
            Unit::Quarter => 90,
            Unit::Year => 365,
            Unit::Days(days) => i64::from(days),
        };
        Span::days(days.saturating_mul(i64::from(self.count.max(1))))
    }
}
