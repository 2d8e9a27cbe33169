//! OpenSLO's lengths of time and time windows. Its durations are not those of Prometheus: `1m` is a minute, `1M` a month.

use crate::domain::document::{Fields, Level, Node, Reader};
use crate::domain::slo::openslo::Version;
use crate::domain::slo::period::{Period, Unit};
use crate::domain::slo::terms::{choice, within};
use crate::domain::time::Span;
use chrono::NaiveDateTime;
use chrono_tz::Tz;

/// The window of a budget.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeWindow {
    /// Its length; for a calendar period the nominal one.
    pub span: Span,
    /// The calendar period; `None` for a rolling window.
    pub period: Option<Period>,
}

/// The window of a file that names none.
const ASSUMED: Span = Span::days(30);

const UNITS: [(char, i64); 7] =
    [('m', 60), ('h', 3_600), ('d', 86_400), ('w', 604_800), ('M', 2_592_000), ('Q', 7_776_000), ('Y', 31_536_000)];

/// A number and a unit: `m h d w M Q Y`, where case matters.
pub fn shorthand(text: &str) -> Result<(u32, char), String> {
    let expected = "expected a number and one of m h d w M Q Y, such as 30d or 1M";
    let mut chars = text.chars();
    let unit = chars.next_back();
    let digits = chars.as_str();
    let number = digits.parse::<u32>().ok().filter(|n| *n > 0 && digits.chars().all(|c| c.is_ascii_digit()));
    match (number, unit) {
        (Some(_), Some('s')) => Err(format!("`{text}` is in seconds, which OpenSLO does not have ({expected})")),
        (Some(number), Some(unit)) if UNITS.iter().any(|(u, _)| *u == unit) => Ok((number, unit)),
        _ => Err(format!("`{text}` is no duration of OpenSLO ({expected})")),
    }
}

fn length((number, unit): (u32, char)) -> Span {
    let seconds = UNITS.iter().find(|(u, _)| *u == unit).map_or(0, |(_, seconds)| *seconds);
    Span::try_seconds(i64::from(number).saturating_mul(seconds)).unwrap_or(Span::MAX)
}

/// A duration as a length; a month counts 30 days, a quarter 90, a year 365.
pub fn duration(reader: &mut Reader<'_>, node: &Node, what: &str, least: Span) -> Option<Span> {
    let text = reader.string(node, what)?;
    match shorthand(&text) {
        Ok(it) => within(reader, node, what, least, length(it)),
        Err(message) => {
            reader.error(node.mark, "wrong-type", format!("{what}: {message}"));
            None
        }
    }
}

/// The time window of an SLO.
pub fn read(reader: &mut Reader<'_>, version: Version, spec: &Fields<'_>) -> Option<TimeWindow> {
    let key = if version == Version::V1Alpha { "timeWindows" } else { "timeWindow" };
    let Some(node) = spec.get(key) else {
        let message = format!("no {key}: 30 days are assumed (the specification allows that, its SDK does not)");
        reader.report(spec.mark(), Level::Warning, "time-window", message);
        return Some(TimeWindow { span: ASSUMED, period: None });
    };
    let [one] = reader.list(node, key) else {
        reader.error(node.mark, "time-window", format!("{key} needs exactly one window"));
        return None;
    };
    let known: &[&str] = match version {
        Version::V1Alpha => &["unit", "count", "isRolling", "calendar"],
        _ => &["duration", "isRolling", "calendar"],
    };
    let fields = reader.foreign(one, "the time window", known)?;
    let length = match version {
        Version::V1Alpha => unit_and_count(reader, &fields),
        _ => fields.need(reader, "duration").and_then(|n| {
            duration(reader, n, "duration", Span::minutes(5))?;
            shorthand(n.text()?).ok()
        }),
    };
    let calendar = fields.get("calendar");
    let rolling = match fields.get("isRolling") {
        Some(n) => reader.boolean(n, "isRolling")?,
        None => calendar.is_none(),
    };
    let length = length?;
    match (rolling, calendar) {
        (true, Some(calendar)) => {
            reader.report(
                calendar.mark,
                Level::Warning,
                "time-window",
                "a rolling window has no calendar; it is ignored (the SDK forbids it)",
            );
            Some(TimeWindow { span: self::length(length), period: None })
        }
        (true, None) => Some(TimeWindow { span: self::length(length), period: None }),
        (false, Some(calendar)) => aligned(reader, one, calendar, length),
        (false, None) => {
            reader.error(one.mark, "time-window", "the window is not rolling and has no `calendar`");
            None
        }
    }
}

/// The window of `v1alpha`.
fn unit_and_count(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<(u32, char)> {
    let units =
        [("Minute", 'm'), ("Hour", 'h'), ("Day", 'd'), ("Week", 'w'), ("Month", 'M'), ("Quarter", 'Q'), ("Year", 'Y')];
    let unit = fields.need(reader, "unit").and_then(|n| choice(reader, n, "unit", &units));
    let count = fields.need(reader, "count").and_then(|n| {
        let count = n.text().and_then(|t| t.parse::<u32>().ok()).filter(|c| *c > 0);
        if count.is_none() {
            reader.wrong(n, "count", "a whole number over 0");
        }
        let unit = unit?;
        within(reader, n, "the window", Span::minutes(5), length((count?, unit)))?;
        count
    });
    Some((count?, unit?))
}

fn aligned(reader: &mut Reader<'_>, node: &Node, calendar: &Node, (count, unit): (u32, char)) -> Option<TimeWindow> {
    let fields = reader.foreign(calendar, "calendar", &["startTime", "timeZone"])?;
    let start = fields.need(reader, "startTime").and_then(|n| start(reader, n));
    let zone = fields.need(reader, "timeZone").and_then(|n| {
        let text = reader.string(n, "timeZone")?;
        let zone = text.parse::<Tz>().ok();
        if zone.is_none() {
            let near = crate::domain::document::nearest(&text, chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name()));
            let near = near.map(|n| format!("; nearest: `{n}`")).unwrap_or_default();
            reader.wrong(n, "timeZone", &format!("an IANA name such as Europe/Berlin{near}"));
        }
        zone
    });
    let (unit, count) = match unit {
        'd' => (Unit::Days(count), 1),
        'w' => (Unit::Week, count),
        'M' => (Unit::Month, count),
        'Q' => (Unit::Quarter, count),
        'Y' => (Unit::Year, count),
        _ => {
            reader.error(node.mark, "time-window", "a calendar window is counted in d, w, M, Q or Y");
            return None;
        }
    };
    let period = Period { unit, count, zone: zone?, start: Some(start?) };
    Some(TimeWindow { span: period.nominal(), period: Some(period) })
}

fn start(reader: &mut Reader<'_>, node: &Node) -> Option<NaiveDateTime> {
    let text = reader.string(node, "startTime")?;
    let text = text.trim();
    if let Ok(at) = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S") {
        return Some(at);
    }
    let lenient = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M"];
    let day = || chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|d| d.and_hms_opt(0, 0, 0));
    let found = lenient.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).or_else(day);
    match found {
        Some(at) => {
            let message = format!(
                "startTime `{text}` is read as the local time {at} (OpenSLO writes {})",
                at.format("%Y-%m-%d %H:%M:%S")
            );
            reader.report(node.mark, Level::Warning, "time-window", message);
            Some(at)
        }
        None => {
            reader.wrong(node, "startTime", "a local time such as 2026-01-01 00:00:00");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_matters_in_durations() {
        for (text, seconds) in [
            ("1m", 60),
            ("2h", 7_200),
            ("30d", 2_592_000),
            ("4w", 2_419_200),
            ("1M", 2_592_000),
            ("1Q", 7_776_000),
            ("1Y", 31_536_000),
        ] {
            assert_eq!(shorthand(text).map(|it| length(it).num_seconds()), Ok(seconds), "{text}");
        }
        for bad in ["", "m", "0d", "-1d", "+1d", "1", "1.5h", "1D", "1y", "30s", "1h30m", "99999999999d", "١d"] {
            assert!(shorthand(bad).is_err(), "{bad}");
        }
    }
}
