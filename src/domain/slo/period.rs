//! Calendar periods of an error budget: week, month, quarter, year, or a length from a start, in a time zone. Says when the
//! current one began and ends; never reads a clock.

use crate::domain::slo::maintenance::instant;
use crate::domain::time::{Span, Timestamp};
use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime};
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
    /// One unit in a zone, from its usual beginning.
    pub fn of(unit: Unit, zone: Tz) -> Self {
        Self { unit, count: 1, zone, start: None }
    }

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

    /// The longest that one can be: a month has up to 31 days, and one of them may have 25 hours.
    pub fn longest(&self) -> Span {
        let days = match self.unit {
            Unit::Week => 7,
            Unit::Month => 31,
            Unit::Quarter => 92,
            Unit::Year => 366,
            Unit::Days(days) => i64::from(days),
        };
        let days = days.saturating_mul(i64::from(self.count.max(1))).min(1_000_000);
        Span::days(days) + Span::hours(1)
    }

    /// The beginning and the end of the period that holds an instant; `None` beyond the calendar. The end belongs to the
    /// next one.
    pub fn bounds(&self, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let anchor = self.anchor()?;
        let apart = at.with_timezone(&self.zone).naive_local() - anchor;
        // A first guess by the mean length, then at most a few steps: months and years are not all as long.
        let mut number = apart.num_seconds().div_euclid(self.mean().max(1));
        for _ in 0..8 {
            let (from, to) = (self.beginning(anchor, number)?, self.beginning(anchor, number.checked_add(1)?)?);
            match () {
                () if at < from => number -= 1,
                () if at >= to => number += 1,
                () => return Some((from, to)),
            }
        }
        None
    }

    /// The period before the one that holds an instant.
    pub fn before(&self, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let (from, _) = self.bounds(at)?;
        self.bounds(from.checked_sub_signed(Span::seconds(1))?)
    }

    /// `month`, `2 weeks`, `14 days`.
    pub fn words(&self) -> String {
        let count = u64::from(self.count.max(1));
        let (count, unit) = match self.unit {
            Unit::Week => (count, "week"),
            Unit::Month => (count, "month"),
            Unit::Quarter => (count, "quarter"),
            Unit::Year => (count, "year"),
            Unit::Days(days) => (count * u64::from(days), "day"),
        };
        if count == 1 { unit.to_owned() } else { format!("{count} {unit}s") }
    }

    /// The local beginning of period 0.
    fn anchor(&self) -> Option<NaiveDateTime> {
        let monday = || NaiveDate::from_ymd_opt(1970, 1, 5)?.and_hms_opt(0, 0, 0);
        let first = || NaiveDate::from_ymd_opt(1970, 1, 1)?.and_hms_opt(0, 0, 0);
        match self.unit {
            Unit::Week => self.start.or_else(monday),
            _ => self.start.or_else(first),
        }
    }

    fn months(&self) -> Option<i64> {
        let months = match self.unit {
            Unit::Month => 1,
            Unit::Quarter => 3,
            Unit::Year => 12,
            Unit::Week | Unit::Days(_) => return None,
        };
        Some(months * i64::from(self.count.max(1)))
    }

    fn days(&self) -> i64 {
        let days = match self.unit {
            Unit::Days(days) => i64::from(days.max(1)),
            _ => 7,
        };
        days * i64::from(self.count.max(1))
    }

    /// Seconds of one, on the mean.
    fn mean(&self) -> i64 {
        self.months().map_or(self.days() * 86_400, |months| months * 2_629_746)
    }

    /// Counted from the anchor every time, so that the 31st comes back after a short month.
    fn beginning(&self, anchor: NaiveDateTime, number: i64) -> Option<Timestamp> {
        let local = match self.months() {
            Some(months) => {
                let months = months.checked_mul(number)?;
                let many = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
                if months < 0 { anchor.checked_sub_months(many)? } else { anchor.checked_add_months(many)? }
            }
            None => {
                let days = self.days().checked_mul(number)?;
                let many = Days::new(days.unsigned_abs());
                if days < 0 { anchor.checked_sub_days(many)? } else { anchor.checked_add_days(many)? }
            }
        };
        // Beyond this, offsets of zones run out of the calendar.
        (-9_000..9_000).contains(&local.year()).then(|| instant(local, self.zone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::rfc3339;
    use proptest::prelude::*;

    fn period(unit: Unit, count: u32, zone: &str, start: Option<&str>) -> Period {
        let start = start.map(|s| NaiveDateTime::parse_from_str(s, "%Y-%m-%d %H:%M").unwrap());
        Period { unit, count, zone: zone.parse().unwrap(), start }
    }

    #[test]
    fn beginnings_and_ends() {
        use Unit::*;
        for (unit, count, zone, start, at, from, to) in [
            (Week, 1, "UTC", None, "2026-05-01T12:00", "2026-04-27T00:00", "2026-05-04T00:00"),
            (Week, 1, "UTC", None, "2026-05-04T00:00", "2026-05-04T00:00", "2026-05-11T00:00"),
            (Week, 2, "UTC", Some("2026-01-04 09:00"), "2026-01-18T08:59", "2026-01-04T09:00", "2026-01-18T09:00"),
            (Month, 1, "UTC", None, "2024-02-29T23:59", "2024-02-01T00:00", "2024-03-01T00:00"),
            (Month, 1, "UTC", None, "2026-01-01T00:00", "2026-01-01T00:00", "2026-02-01T00:00"),
            // The month in which Berlin puts the clock forward is an hour short, the one in which it goes back an hour long.
            (Month, 1, "Europe/Berlin", None, "2026-03-15T00:00", "2026-02-28T23:00", "2026-03-31T22:00"),
            (Month, 1, "Europe/Berlin", None, "2026-10-15T00:00", "2026-09-30T22:00", "2026-10-31T23:00"),
            (Month, 1, "Europe/Berlin", None, "2026-03-31T22:00", "2026-03-31T22:00", "2026-04-30T22:00"),
            // Midnight does not exist in Cairo when the clock goes forward: the day begins at one.
            (Days(1), 1, "Africa/Cairo", None, "2026-04-24T12:00", "2026-04-23T22:00", "2026-04-24T21:00"),
            (Month, 1, "Asia/Kolkata", None, "2026-05-31T19:00", "2026-05-31T18:30", "2026-06-30T18:30"),
            (Month, 1, "UTC", Some("2026-01-31 00:00"), "2026-03-01T00:00", "2026-02-28T00:00", "2026-03-31T00:00"),
            (Month, 1, "UTC", Some("2026-01-15 06:00"), "2026-01-15T05:59", "2025-12-15T06:00", "2026-01-15T06:00"),
            (Quarter, 1, "UTC", None, "2026-05-01T00:00", "2026-04-01T00:00", "2026-07-01T00:00"),
            (Quarter, 1, "UTC", Some("2026-02-01 00:00"), "2026-05-01T00:00", "2026-05-01T00:00", "2026-08-01T00:00"),
            (Quarter, 1, "UTC", Some("2026-02-01 00:00"), "2026-01-10T00:00", "2025-11-01T00:00", "2026-02-01T00:00"),
            (Year, 1, "UTC", None, "2024-12-31T23:00", "2024-01-01T00:00", "2025-01-01T00:00"),
            (Year, 1, "UTC", Some("2025-10-01 00:00"), "2026-05-01T00:00", "2025-10-01T00:00", "2026-10-01T00:00"),
            (Year, 1, "UTC", Some("2024-02-29 00:00"), "2026-05-01T00:00", "2026-02-28T00:00", "2027-02-28T00:00"),
            (Days(28), 1, "UTC", Some("2026-01-05 00:00"), "2026-02-01T00:00", "2026-01-05T00:00", "2026-02-02T00:00"),
            (Days(14), 2, "UTC", Some("2026-01-05 00:00"), "2025-12-31T00:00", "2025-12-08T00:00", "2026-01-05T00:00"),
        ] {
            let period = period(unit, count, zone, start);
            let (begin, end) = period.bounds(format!("{at}:00Z").parse().unwrap()).unwrap();
            let short = |t: Timestamp| rfc3339(t).chars().take(16).collect::<String>();
            assert_eq!((short(begin).as_str(), short(end).as_str()), (from, to), "{period:?} at {at}");
        }
    }

    #[test]
    fn words_and_the_one_before() {
        let month = Period::of(Unit::Month, Tz::UTC);
        let (from, to) = month.before("2026-03-10T00:00:00Z".parse().unwrap()).unwrap();
        assert_eq!((from.month(), to.month()), (2, 3));
        assert_eq!((month.words(), period(Unit::Days(14), 2, "UTC", None).words()), ("month".into(), "28 days".into()));
        assert_eq!(month.bounds(Timestamp::MAX_UTC), None);
    }

    proptest! {
        #[test]
        fn every_instant_is_in_one_period(secs in -10_000_000_000_i64..10_000_000_000, which in 0..5_usize, count in 1..4_u32, zone in 0..4_usize) {
            let unit = [Unit::Week, Unit::Month, Unit::Quarter, Unit::Year, Unit::Days(10)][which];
            let zone = ["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia"][zone];
            let period = period(unit, count, zone, None);
            let at = Timestamp::from_timestamp(secs, 0).unwrap();
            let (from, to) = period.bounds(at).unwrap();
            prop_assert!(from <= at && at < to);
            // A zone that changed sides of the date line had a longer day, once.
            prop_assert!(to - from <= period.longest() + Span::hours(24));
            prop_assert_eq!(period.bounds(to).unwrap().0, to);
            prop_assert_eq!(period.before(at).unwrap().1, from);
        }
    }
}
