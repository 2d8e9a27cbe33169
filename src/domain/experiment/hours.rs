//! Hours in which something may be done: `Mon-Thu 10:00-16:00 Europe/Berlin`. Never reads a clock.

use crate::domain::document::nearest;
use crate::domain::time::Timestamp;
use chrono::{Datelike, NaiveTime, Weekday};
use chrono_tz::Tz;

/// Days of a week, a stretch of each, and the zone of its clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// From Monday.
    days: [bool; 7],
    from: NaiveTime,
    to: NaiveTime,
    zone: Tz,
    /// As it was written.
    pub text: String,
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

impl Hours {
    /// Reads `DAYS HH:MM-HH:MM ZONE`; days are `Mon-Thu`, `Mon,Wed` or both, the zone is an IANA name. `Err` says what is
    /// wrong and what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split_whitespace().collect();
        let [days, times, zone] = parts.as_slice() else {
            return Err(format!("`{text}` is no hours (expected something like Mon-Thu 10:00-16:00 Europe/Berlin)"));
        };
        let mut set = [false; 7];
        for piece in days.split(',') {
            for day in range(piece)? {
                if let Some(slot) = set.get_mut(day) {
                    *slot = true;
                }
            }
        }
        let clock = |text: &str| {
            NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| format!("`{text}` is no time of day (expected 10:00)"))
        };
        let (from, to) =
            times.split_once('-').ok_or_else(|| format!("`{times}` is no stretch (expected 10:00-16:00)"))?;
        let (from, to) = (clock(from)?, clock(to)?);
        if from >= to {
            return Err(format!("`{times}` ends before it begins (write two entries for hours over midnight)"));
        }
        let zone = zone.parse::<Tz>().map_err(|_| {
            let near = nearest(zone, chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name()));
            near.map_or_else(
                || format!("`{zone}` is no time zone (expected an IANA name such as Europe/Berlin or UTC)"),
                |near| format!("`{zone}` is no time zone (nearest: `{near}`)"),
            )
        })?;
        Ok(Self { days: set, from, to, zone, text: text.to_owned() })
    }

    /// Whether an instant lies in them.
    pub fn hold(&self, at: Timestamp) -> bool {
        let local = at.with_timezone(&self.zone);
        let day = usize::try_from(local.weekday().num_days_from_monday()).unwrap_or(7);
        let time = local.time();
        self.days.get(day).copied().unwrap_or(false) && time >= self.from && time < self.to
    }
}

/// The days of `Mon` or `Fri-Mon`, from Monday.
fn range(piece: &str) -> Result<Vec<usize>, String> {
    let day = |name: &str| {
        let lower = name.to_ascii_lowercase();
        let found = DAYS.iter().position(|(short, _)| *short == lower);
        found.ok_or_else(|| format!("`{name}` is no day (expected Mon, Tue, Wed, Thu, Fri, Sat or Sun)"))
    };
    match piece.split_once('-') {
        None => Ok(vec![day(piece)?]),
        Some((from, to)) => {
            let (from, to) = (day(from)?, day(to)?);
            let long = (to + 7 - from) % 7;
            Ok((0..=long).map(|n| (from + n) % 7).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_those_of_their_zone() {
        let hours = Hours::parse("Mon-Thu 10:00-16:00 Europe/Berlin").unwrap();
        for (at, want) in [
            ("2026-05-04T07:59:59Z", false),
            ("2026-05-04T08:00:00Z", true),
            ("2026-05-04T13:59:59Z", true),
            ("2026-05-04T14:00:00Z", false),
            ("2026-05-08T09:00:00Z", false),
            ("2026-01-05T08:30:00Z", false),
            ("2026-01-05T09:30:00Z", true),
        ] {
            assert_eq!(hours.hold(at.parse().unwrap()), want, "{at}");
        }
        let weekend = Hours::parse("Fri-Mon,Wed 00:00-23:59 UTC").unwrap();
        assert_eq!(weekend.days, [true, false, true, false, true, true, true]);
    }

    #[test]
    fn what_cannot_be_read_says_what_was_expected() {
        for (text, want) in [
            ("always", "expected something like"),
            ("Mon-Thu 10:00-16:00", "expected something like"),
            ("Moon 10:00-16:00 UTC", "`Moon` is no day"),
            ("Mon 1000-16:00 UTC", "`1000` is no time of day"),
            ("Mon 10:00 UTC", "is no stretch"),
            ("Mon 22:00-04:00 UTC", "ends before it begins"),
            ("Mon 10:00-16:00 Europe/Berlim", "nearest: `Europe/Berlin`"),
        ] {
            let why = Hours::parse(text).unwrap_err();
            assert!(why.contains(want), "{text}: {why}");
        }
    }
}
