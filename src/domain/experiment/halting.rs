//! `halt_by` of an experiment: who may halt it, and the time at which it is halted at the latest. People are named and never
//! checked, for a halt is never refused; a time is kept by the machine. Never reads a clock.

use crate::domain::document::nearest;
use crate::domain::time::{Span, Timestamp, rfc3339};
use chrono::{NaiveTime, TimeZone};
use chrono_tz::Tz;

/// The time at which it is halted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HaltTime {
    when: When,
    /// As it was written.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum When {
    /// The next time that a clock of this zone shows it.
    OfDay(NaiveTime, Tz),
    /// Once.
    At(Timestamp),
}

impl HaltTime {
    /// Reads `16:00 Europe/Berlin` or `2026-05-04T16:00:00Z`. `None`: it is no time, so that it names people. `Err` says what
    /// is wrong with one that looks like a time, and what was expected.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let text = text.trim();
        let begins = text.chars().next().is_some_and(|c| c.is_ascii_digit());
        if !begins || !text.contains(':') {
            return Ok(None);
        }
        let made = |when| Ok(Some(Self { when, text: text.to_owned() }));
        if let Ok(at) = text.parse::<Timestamp>() {
            return made(When::At(at));
        }
        let (time, zone) = text.split_once(char::is_whitespace).map_or((text, ""), |(time, zone)| (time, zone.trim()));
        let Ok(time) = NaiveTime::parse_from_str(time, "%H:%M") else {
            return Err(format!("`{text}` is no time (expected 16:00 Europe/Berlin or 2026-05-04T16:00:00Z)"));
        };
        if zone.is_empty() {
            return Err(format!("`{text}` says no time zone (expected something like {text} Europe/Berlin)"));
        }
        match zone.parse::<Tz>() {
            Ok(zone) => made(When::OfDay(time, zone)),
            Err(_) => Err(match nearest(zone, chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name())) {
                Some(near) => format!("`{zone}` is no time zone (nearest: `{near}`)"),
                None => format!("`{zone}` is no time zone (expected an IANA name such as Europe/Berlin or UTC)"),
            }),
        }
    }

    /// The instant for what begins at `from`. One that is over lies before it. Where a clock is put forward over it, it is
    /// the instant at which the next day begins to show it: `None` only at the end of all time.
    pub fn after(&self, from: Timestamp) -> Option<Timestamp> {
        let (time, zone) = match &self.when {
            When::At(at) => return Some(*at),
            When::OfDay(time, zone) => (*time, *zone),
        };
        let today = from.with_timezone(&zone).date_naive();
        let days = (0..4).filter_map(|n| today.checked_add_signed(Span::days(n)));
        // A time that a clock shows twice counts at once: earlier is safer.
        let instants = days.filter_map(|day| zone.from_local_datetime(&day.and_time(time)).earliest());
        instants.map(|at| at.with_timezone(&chrono::Utc)).find(|at| *at > from)
    }

    /// `16:00 Europe/Berlin (2026-05-04T14:00:00Z)`.
    pub fn words(&self, at: Timestamp) -> String {
        match self.when {
            When::At(_) => rfc3339(at),
            When::OfDay(..) => format!("{} ({})", self.text, rfc3339(at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str, from: &str) -> String {
        let time = HaltTime::parse(text).unwrap().unwrap();
        rfc3339(time.after(from.parse().unwrap()).unwrap())
    }

    #[test]
    fn a_time_is_the_next_one_that_its_zone_shows() {
        for (text, from, want) in [
            ("16:00 Europe/Berlin", "2026-05-04T10:00:00Z", "2026-05-04T14:00:00Z"),
            ("16:00 Europe/Berlin", "2026-05-04T14:00:00Z", "2026-05-05T14:00:00Z"),
            ("04:00 UTC", "2026-05-04T22:00:00Z", "2026-05-05T04:00:00Z"),
            ("2026-05-04T14:00:00Z", "2026-05-04T10:00:00Z", "2026-05-04T14:00:00Z"),
            // Over already, and said so: it is not the one of tomorrow.
            ("2026-05-04T14:00:00Z", "2026-05-05T10:00:00Z", "2026-05-04T14:00:00Z"),
            // Shown twice on this day: the first.
            ("02:30 Europe/Berlin", "2026-10-24T20:00:00Z", "2026-10-25T00:30:00Z"),
            // Not shown at all on this day: the next day's.
            ("02:30 Europe/Berlin", "2026-03-28T20:00:00Z", "2026-03-30T00:30:00Z"),
        ] {
            assert_eq!(after(text, from), want.replace('Z', ".000Z"), "{text} after {from}");
        }
    }

    #[test]
    fn people_are_no_times_and_half_a_time_is_told() {
        for people in ["owner", "anybody on call", "", "24/7 support", "team: sre"] {
            assert_eq!(HaltTime::parse(people), Ok(None), "{people}");
        }
        for (text, want) in [
            ("16:00", "says no time zone"),
            ("25:00 UTC", "is no time (expected 16:00"),
            ("16:00 Europe/Berlim", "nearest: `Europe/Berlin`"),
            ("2026-05-04T16:00:00", "is no time (expected"),
        ] {
            assert!(HaltTime::parse(text).unwrap_err().contains(want), "{text}");
        }
    }
}
