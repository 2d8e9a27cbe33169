//! Instants as people and programs write them: with a date or without, in twelve hours or twenty-four, with a zone or
//! without. Days and months in an order that differs between countries are not read.

use crate::domain::import::Stated;
use crate::domain::time::Timestamp;
use chrono::{DateTime, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use regex::Captures;

/// What to write where a time has no zone and nobody stated one.
pub const NO_ZONE: &str = "the times in it have no zone: state it, such as --zone Europe/Berlin or --zone UTC";

/// A date, named `y`, `mo`, `d`.
pub const DATE: &str = r"(?P<y>\d{4})-(?P<mo>\d{2})-(?P<d>\d{2})";
/// A time of day, named `h`, `m`, `s`, `f`, `ap`.
pub const TIME: &str = r"(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?(?:[ \u{202f}\u{a0}]?(?P<ap>[AaPp])\.?[Mm]\.?)?";
/// A zone, named `zone`.
pub const ZONE: &str = r"(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})";

/// Days without a date, one after the other: a time that goes back by more than half a day is on the next day.
#[derive(Clone, Debug)]
pub struct Calendar<'s> {
    stated: &'s Stated,
    day: Option<NaiveDate>,
    last: Option<NaiveTime>,
}

impl<'s> Calendar<'s> {
    /// At the beginning of a text.
    pub fn new(stated: &'s Stated) -> Self {
        Self { stated, day: stated.date, last: None }
    }

    /// The instant of a match of [`DATE`], [`TIME`] and [`ZONE`], and whether the stated zone was needed for it.
    /// `Err` with what is wrong; [`NO_ZONE`] is to end the reading.
    pub fn instant(&mut self, found: &Captures<'_>) -> Result<(Timestamp, bool), String> {
        let time = time(found).ok_or("no such time of day")?;
        let date = match date(found) {
            Some(date) => Some(date.ok_or("no such day")?),
            None => None,
        };
        let zone = found.name("zone").map(|z| offset(z.as_str()).ok_or("no such zone")).transpose()?;
        let day = match date {
            Some(date) => date,
            None => self.guess(time, zone)?,
        };
        self.day = Some(day);
        self.last = Some(time);
        let local = day.and_time(time);
        match zone {
            Some(zone) => Ok((fixed(local, zone)?, false)),
            None => Ok((self.zoned(local)?, true)),
        }
    }

    /// A date and a time without a zone, in the stated one.
    pub fn zoned(&self, local: NaiveDateTime) -> Result<Timestamp, String> {
        let zone = self.stated.zone.ok_or(NO_ZONE)?;
        match zone.from_local_datetime(&local) {
            LocalResult::Single(at) => Ok(at.with_timezone(&Utc)),
            // An hour that comes twice: the first one, and the order of the lines shows.
            LocalResult::Ambiguous(first, _) => Ok(first.with_timezone(&Utc)),
            LocalResult::None => Err(format!("{local} does not exist in {}", zone.name())),
        }
    }

    fn guess(&self, time: NaiveTime, zone: Option<FixedOffset>) -> Result<NaiveDate, String> {
        if let Some(day) = self.day {
            let back = self.last.is_some_and(|last| last - time > TimeDelta::hours(12));
            return Ok(if back { day.succ_opt().unwrap_or(day) } else { day });
        }
        // The day on which this time is nearest to the declaration and has been already.
        let local = |at: Timestamp| match (zone, self.stated.zone) {
            (Some(zone), _) => Ok(at.with_timezone(&zone).naive_local()),
            (None, Some(zone)) => Ok(at.with_timezone(&zone).naive_local()),
            (None, None) => Err(NO_ZONE.to_owned()),
        };
        let (near, now) = (local(self.stated.near)?, local(self.stated.now)?);
        let days = [near.date().pred_opt(), Some(near.date()), near.date().succ_opt()];
        let far = |day: &NaiveDate| {
            let at = day.and_time(time);
            (at > now, (at - near).abs())
        };
        days.into_iter().flatten().min_by_key(far).ok_or_else(|| "no such day".to_owned())
    }
}

fn number(found: &Captures<'_>, name: &str) -> Option<u32> {
    found.name(name)?.as_str().parse().ok()
}

fn time(found: &Captures<'_>) -> Option<NaiveTime> {
    let (mut hour, minute) = (number(found, "h")?, number(found, "m")?);
    if let Some(half) = found.name("ap") {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + if half.as_str().eq_ignore_ascii_case("p") { 12 } else { 0 };
    }
    let second = number(found, "s").unwrap_or(0);
    let nanos = found.name("f").map_or(Some(0), |f| format!("{:0<9}", f.as_str()).parse::<u32>().ok())?;
    NaiveTime::from_hms_nano_opt(hour, minute, second, nanos)
}

/// `None`: no date; `Some(None)`: none that exists.
fn date(found: &Captures<'_>) -> Option<Option<NaiveDate>> {
    let year: i32 = found.name("y")?.as_str().parse().ok()?;
    Some(NaiveDate::from_ymd_opt(year, number(found, "mo")?, number(found, "d")?))
}

/// `Z`, `UTC`, `+0200`, `+02:00`.
pub fn offset(text: &str) -> Option<FixedOffset> {
    if matches!(text, "Z" | "z" | "UTC" | "GMT") {
        return FixedOffset::east_opt(0);
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let digits = digits.replace(':', "");
    let (hours, minutes) = digits.split_at_checked(2)?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (minutes < 60).then(|| FixedOffset::east_opt(sign * (hours * 3_600 + minutes * 60)))?
}

fn fixed(local: NaiveDateTime, zone: FixedOffset) -> Result<Timestamp, String> {
    zone.from_local_datetime(&local).single().map(|at| at.with_timezone(&Utc)).ok_or_else(|| "no such time".to_owned())
}

/// An instant in one field: RFC 3339, a date and a time with or without a zone, seconds since 1970.
pub fn field(text: &str, calendar: &Calendar<'_>) -> Result<(Timestamp, bool), String> {
    let text = text.trim();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok((at.with_timezone(&Utc), false));
    }
    for form in ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f %z", "%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.fZ"]
    {
        if let Ok(at) = DateTime::parse_from_str(text, form) {
            return Ok((at.with_timezone(&Utc), false));
        }
    }
    if let Some(local) = text.strip_suffix('Z').or_else(|| text.strip_suffix(" UTC"))
        && let Some(local) = naive(local)
    {
        return Ok((Utc.from_utc_datetime(&local), false));
    }
    if let Some(local) = naive(text) {
        return Ok((calendar.zoned(local)?, true));
    }
    epoch(text)
        .map(|at| (at, false))
        .ok_or_else(|| format!("`{}` is no time (expected 2026-05-01T03:12:04Z or the like)", super::short(text, 40)))
}

fn naive(text: &str) -> Option<NaiveDateTime> {
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
    forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
}

/// Seconds since 1970 with up to nine digits after the point.
pub fn epoch(text: &str) -> Option<Timestamp> {
    let (seconds, rest) = text.split_once('.').unwrap_or((text, ""));
    if !(9..=11).contains(&seconds.len()) || rest.len() > 9 || !rest.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nanos: u32 = format!("{rest:0<9}").parse().ok()?;
    DateTime::from_timestamp(seconds.parse().ok()?, nanos)
}
