//! Instants and spans as the product writes and reads them. Never reads a clock.

use chrono::{DateTime, FixedOffset, NaiveTime, SecondsFormat, TimeDelta, Utc};

/// An instant, always UTC.
pub type Timestamp = DateTime<Utc>;
/// A length of time; may be negative.
pub type Span = TimeDelta;

const UNITS: [(&str, i64); 22] = [
    ("milliseconds", 1),
    ("millisecond", 1),
    ("ms", 1),
    ("seconds", 1_000),
    ("second", 1_000),
    ("secs", 1_000),
    ("sec", 1_000),
    ("s", 1_000),
    ("minutes", 60_000),
    ("minute", 60_000),
    ("mins", 60_000),
    ("min", 60_000),
    ("m", 60_000),
    ("hours", 3_600_000),
    ("hour", 3_600_000),
    ("h", 3_600_000),
    ("days", 86_400_000),
    ("day", 86_400_000),
    ("d", 86_400_000),
    ("weeks", 604_800_000),
    ("w", 604_800_000),
    ("y", 31_536_000_000),
];

/// Reads `15m`, `1h30m`, `30d` (Prometheus) and `5 minutes`, `Within 15 minutes`, `1 hour` (severity tables).
/// Refuses negative, empty and unit-less texts with a message that says what was expected.
pub fn parse_span(text: &str) -> Result<Span, String> {
    let lower = text.trim().to_lowercase();
    let mut rest = lower.strip_prefix("within ").unwrap_or(&lower).trim();
    if rest.is_empty() {
        return Err("empty duration (expected something like 15m, 1h30m or 30d)".into());
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, tail) = rest.split_at(digits_end);
        let number: i64 = digits.parse().map_err(|_| unreadable(text))?;
        let tail = tail.trim_start();
        let unit_end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, after) = tail.split_at(unit_end);
        let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, f)| *f).ok_or_else(|| unreadable(text))?;
        total = number.checked_mul(factor).and_then(|ms| total.checked_add(ms)).ok_or_else(|| unreadable(text))?;
        rest = after.trim_start();
    }
    TimeDelta::try_milliseconds(total).ok_or_else(|| unreadable(text))
}

fn unreadable(text: &str) -> String {
    format!("`{text}` is not a duration (expected something like 15m, 1h30m or 30d)")
}

/// `21m40s`, `3h02m`, `2d19h`, `4s`: the two largest units, without sign.
pub fn compact(span: Span) -> String {
    let s = span.num_seconds().unsigned_abs();
    let (d, h, m) = (s / 86_400, s / 3_600 % 24, s / 60 % 60);
    match (d, h, m) {
        (0, 0, 0) => format!("{s}s"),
        (0, 0, m) if s.is_multiple_of(60) => format!("{m}m"),
        (0, 0, m) => format!("{m}m{:02}s", s % 60),
        (0, h, 0) => format!("{h}h"),
        (0, h, m) => format!("{h}h{m:02}m"),
        (d, 0, _) => format!("{d}d"),
        (d, h, _) => format!("{d}d{h:02}h"),
    }
}

/// A countdown: `08:20` under an hour, then `1h05m`. Without sign; the caller says `in` or `DUE`.
pub fn countdown(span: Span) -> String {
    let s = span.num_seconds().unsigned_abs();
    if s < 3_600 { format!("{:02}:{:02}", s / 60, s % 60) } else { compact(span) }
}

/// The Prometheus form of a whole-second span: `5m`, `6h`, `30d`, `90s`.
pub fn prometheus(span: Span) -> String {
    let s = span.num_seconds();
    match s {
        s if s > 0 && s % 86_400 == 0 => format!("{}d", s / 86_400),
        s if s > 0 && s % 3_600 == 0 => format!("{}h", s / 3_600),
        s if s > 0 && s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

/// RFC 3339, UTC, milliseconds: the form of every instant that leaves the program.
pub fn rfc3339(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// `03:14:07Z`.
pub fn clock(at: Timestamp) -> String {
    at.format("%H:%M:%SZ").to_string()
}

/// `03:14Z`.
pub fn clock_minutes(at: Timestamp) -> String {
    at.format("%H:%MZ").to_string()
}

/// Seconds as a JSON number.
pub fn seconds(span: Span) -> f64 {
    span.num_milliseconds() as f64 / 1_000.0
}

/// A span of whole seconds that cannot overflow.
pub fn secs(s: i64) -> Span {
    TimeDelta::try_seconds(s).unwrap_or(TimeDelta::MAX)
}

/// A span of whole minutes that cannot overflow.
pub fn mins(m: i64) -> Span {
    secs(m.saturating_mul(60))
}

/// Reads when something happened: `-7m` (ago), `03:10` or `03:10:30` (the last such local time not in the future),
/// or RFC 3339. `offset` is the zone in which a bare time is meant. The result is never after `now`.
pub fn parse_when(text: &str, now: Timestamp, offset: FixedOffset) -> Result<Timestamp, String> {
    let text = text.trim();
    let at = if let Some(ago) = text.strip_prefix('-') {
        now.checked_sub_signed(parse_span(ago)?).ok_or_else(|| format!("`{text}` is too far back"))?
    } else if let Ok(time) =
        NaiveTime::parse_from_str(text, "%H:%M").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:%S"))
    {
        let today = now.with_timezone(&offset).date_naive().and_time(time);
        let at = today.and_local_timezone(offset).single().map(|t| t.with_timezone(&Utc));
        let at = at.ok_or_else(|| format!("`{text}` does not exist today"))?;
        if at > now { at - TimeDelta::days(1) } else { at }
    } else {
        DateTime::parse_from_rfc3339(text)
            .map(|t| t.with_timezone(&Utc))
            .map_err(|_| format!("`{text}` is not a time (expected -7m, 03:10 or 2026-05-01T03:10:00Z)"))?
    };
    if at > now { Err(format!("`{text}` lies in the future")) } else { Ok(at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_both_dialects() {
        for (text, want) in [
            ("15m", 900),
            ("1h30m", 5_400),
            ("30d", 2_592_000),
            ("4w", 2_419_200),
            ("5 minutes", 300),
            ("Within 15 minutes", 900),
            ("1 hour", 3_600),
            ("Within 2 hours", 7_200),
            ("90s", 90),
        ] {
            assert_eq!(parse_span(text).map(|s| s.num_seconds()), Ok(want), "{text}");
        }
        for bad in ["", "m", "-5m", "15", "five minutes", "9999999999999999999d", "15 parsecs", "99999999999999y"] {
            assert!(parse_span(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn spans_are_written_for_people() {
        for (s, want) in [(4, "4s"), (60, "1m"), (1_300, "21m40s"), (10_920, "3h02m"), (241_200, "2d19h"), (0, "0s")] {
            assert_eq!(compact(secs(s)), want);
        }
        assert_eq!(countdown(secs(500)), "08:20");
        assert_eq!(countdown(secs(3_900)), "1h05m");
        assert_eq!(prometheus(secs(21_600)), "6h");
    }

    #[test]
    fn a_bare_time_is_the_last_one_in_the_zone() {
        let now: Timestamp = "2026-05-01T03:12:04Z".parse().unwrap();
        let berlin = FixedOffset::east_opt(7_200).unwrap();
        assert_eq!(rfc3339(parse_when("-7m", now, berlin).unwrap()), "2026-05-01T03:05:04.000Z");
        assert_eq!(rfc3339(parse_when("05:10", now, berlin).unwrap()), "2026-05-01T03:10:00.000Z");
        assert_eq!(rfc3339(parse_when("23:59", now, berlin).unwrap()), "2026-04-30T21:59:00.000Z");
        assert!(parse_when("2026-05-01T04:00:00Z", now, berlin).is_err());
        assert!(parse_when("soon", now, berlin).is_err());
    }
}
