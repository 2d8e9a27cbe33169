//! When something recurs: the part of RFC 5545's RRULE that maintenance needs, as a question about a day. What is not
//! known is refused by its name. Never reads a clock.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, Weekday};

/// No rule is followed further than this many days from its first one.
const MOST_DAYS: u64 = 50_000;

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frequency {
    /// Every day.
    Daily,
    /// Every week.
    Weekly,
    /// Every month.
    Monthly,
    /// Every year.
    Yearly,
}

/// A recurrence rule: `FREQ` with `INTERVAL`, `BYDAY` (`SU`, `1SU`, `-1FR`), `BYMONTHDAY`, `BYMONTH`, `WKST`, and
/// `COUNT` or `UNTIL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    /// How often.
    pub frequency: Frequency,
    /// Every so many of them, from 1.
    pub interval: u32,
    /// On these days; with a number, on that one of the month (from the end when negative).
    pub days: Vec<(i8, Weekday)>,
    /// On these days of the month, from its end when negative.
    pub month_days: Vec<i8>,
    /// In these months.
    pub months: Vec<u8>,
    /// The day on which a week begins.
    pub week_start: Weekday,
    /// Ends after so many.
    pub count: Option<u32>,
    /// Nothing begins after this; UTC when the second is true, otherwise local.
    pub until: Option<(NaiveDateTime, bool)>,
}

impl Recurrence {
    /// Reads `FREQ=WEEKLY;BYDAY=SU`, with or without `RRULE:` before it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let text = text.strip_prefix("RRULE:").unwrap_or(text);
        let mut rule = Self {
            frequency: Frequency::Daily,
            interval: 1,
            days: Vec::new(),
            month_days: Vec::new(),
            months: Vec::new(),
            week_start: Weekday::Mon,
            count: None,
            until: None,
        };
        let mut seen: Vec<String> = Vec::new();
        for part in text.split(';').filter(|p| !p.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| format!("`{part}` has no `=`"))?;
            let name = name.trim().to_uppercase();
            if seen.contains(&name) {
                return Err(format!("{name} stands twice"));
            }
            rule.part(&name, value.trim())?;
            seen.push(name);
        }
        if !seen.iter().any(|n| n == "FREQ") {
            return Err("it has no FREQ (expected DAILY, WEEKLY, MONTHLY or YEARLY)".into());
        }
        if rule.count.is_some() && rule.until.is_some() {
            return Err("COUNT and UNTIL exclude each other".into());
        }
        let numbered = rule.days.iter().any(|(n, _)| *n != 0);
        if numbered && rule.frequency != Frequency::Monthly && rule.months.is_empty() {
            return Err("a numbered BYDAY needs FREQ=MONTHLY or BYMONTH".into());
        }
        if rule.frequency == Frequency::Yearly
            && rule.months.is_empty()
            && !(rule.days.is_empty() && rule.month_days.is_empty())
        {
            return Err("FREQ=YEARLY with BYDAY or BYMONTHDAY needs BYMONTH".into());
        }
        Ok(rule)
    }

    fn part(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "FREQ" => {
                self.frequency = match value.to_uppercase().as_str() {
                    "DAILY" => Frequency::Daily,
                    "WEEKLY" => Frequency::Weekly,
                    "MONTHLY" => Frequency::Monthly,
                    "YEARLY" => Frequency::Yearly,
                    other => {
                        return Err(format!(
                            "FREQ={other} is not supported (expected DAILY, WEEKLY, MONTHLY or YEARLY)"
                        ));
                    }
                };
            }
            "INTERVAL" => self.interval = number(name, value, 1, 10_000)?,
            "COUNT" => self.count = Some(number(name, value, 1, 100_000)?),
            "UNTIL" => self.until = Some(until(value)?),
            "WKST" => self.week_start = weekday(value).ok_or_else(|| format!("WKST={value} is no day"))?,
            "BYDAY" => self.days = list(value, numbered_day)?,
            "BYMONTHDAY" => {
                self.month_days = list(value, |v| match v.parse::<i8>() {
                    Ok(n) if n != 0 && (-31..=31).contains(&n) => Ok(n),
                    _ => Err(format!("BYMONTHDAY={v} (expected 1 to 31, or -31 to -1)")),
                })?;
            }
            "BYMONTH" => {
                self.months = list(value, |v| match v.parse::<u8>() {
                    Ok(n) if (1..=12).contains(&n) => Ok(n),
                    _ => Err(format!("BYMONTH={v} (expected 1 to 12)")),
                })?;
            }
            "BYSETPOS" | "BYHOUR" | "BYMINUTE" | "BYSECOND" | "BYWEEKNO" | "BYYEARDAY" => {
                return Err(format!("{name} is not supported"));
            }
            _ => {
                let near = crate::domain::document::nearest(name, NAMES).map(|n| format!(" (nearest: `{n}`)"));
                return Err(format!("`{name}` is no part of a rule{}", near.unwrap_or_default()));
            }
        }
        Ok(())
    }

    /// The local beginnings in `from..=to`, oldest first, of something that first happened at `first`. The first one always
    /// counts, as RFC 5545 has it. `utc` turns a local beginning into its UTC one, for `UNTIL`.
    pub fn between(
        &self,
        first: NaiveDateTime,
        from: NaiveDate,
        to: NaiveDate,
        utc: impl Fn(NaiveDateTime) -> NaiveDateTime,
    ) -> Vec<NaiveDateTime> {
        let mut found = Vec::new();
        let mut counted = 0;
        // A rule that counts is followed from its first day; another one may begin where it is asked.
        let skip = match self.count {
            Some(_) => 0,
            None => u64::try_from((from - first.date()).num_days()).unwrap_or(0),
        };
        let mut day = first.date().checked_add_days(Days::new(skip));
        for _ in skip..skip + MOST_DAYS {
            let Some(date) = day.filter(|d| *d <= to) else { break };
            let at = date.and_time(first.time());
            if let Some((until, is_utc)) = self.until
                && (if is_utc { utc(at) } else { at }) > until
            {
                break;
            }
            if at == first || self.falls_on(date, first.date()) {
                counted += 1;
                if self.count.is_some_and(|most| counted > most) {
                    break;
                }
                if date >= from {
                    found.push(at);
                }
            }
            day = date.succ_opt();
        }
        found
    }

    /// Whether the rule names a day, given the first one.
    fn falls_on(&self, day: NaiveDate, first: NaiveDate) -> bool {
        let every = i64::from(self.interval.max(1));
        let months = |d: NaiveDate| i64::from(d.year()) * 12 + i64::from(d.month0());
        let apart = match self.frequency {
            Frequency::Daily => (day - first).num_days(),
            Frequency::Weekly => {
                let week = |d: NaiveDate| d.week(self.week_start).first_day();
                (week(day) - week(first)).num_days() / 7
            }
            Frequency::Monthly => months(day) - months(first),
            Frequency::Yearly => i64::from(day.year()) - i64::from(first.year()),
        };
        if day < first || apart % every != 0 {
            return false;
        }
        let last = last_day(day);
        let of_month =
            |n: i8| i64::from(day.day()) == if n > 0 { i64::from(n) } else { i64::from(last) + 1 + i64::from(n) };
        let of_week = |(n, weekday): (i8, Weekday)| {
            let nth = match n {
                0 => return day.weekday() == weekday,
                n if n > 0 => i64::from((day.day() - 1) / 7 + 1),
                _ => -i64::from((last - day.day()) / 7 + 1),
            };
            day.weekday() == weekday && nth == i64::from(n)
        };
        let free = self.days.is_empty() && self.month_days.is_empty();
        let same_day = match self.frequency {
            Frequency::Daily => true,
            Frequency::Weekly => day.weekday() == first.weekday(),
            Frequency::Monthly => day.day() == first.day(),
            Frequency::Yearly => day.day() == first.day() && (!self.months.is_empty() || day.month() == first.month()),
        };
        (self.months.is_empty() || self.months.iter().any(|m| u32::from(*m) == day.month()))
            && (self.days.is_empty() || self.days.iter().any(|d| of_week(*d)))
            && (self.month_days.is_empty() || self.month_days.iter().any(|n| of_month(*n)))
            && (!free || same_day)
    }
}

const NAMES: [&str; 8] = ["FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTHDAY", "BYMONTH"];

fn last_day(day: NaiveDate) -> u32 {
    let next = match day.month() {
        12 => NaiveDate::from_ymd_opt(day.year().saturating_add(1), 1, 1),
        m => NaiveDate::from_ymd_opt(day.year(), m + 1, 1),
    };
    next.and_then(|d| d.pred_opt()).map_or(31, |d| d.day())
}

fn number(name: &str, value: &str, least: u32, most: u32) -> Result<u32, String> {
    let number = value.parse::<u32>().ok().filter(|n| (least..=most).contains(n));
    number.ok_or_else(|| format!("{name}={value} (expected {least} to {most})"))
}

fn list<T>(value: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    value.split(',').map(|v| read(v.trim())).collect()
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text.to_uppercase().as_str() {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return None,
    })
}

fn numbered_day(text: &str) -> Result<(i8, Weekday), String> {
    let wrong = || format!("BYDAY={text} (expected days such as MO,WE or 1SU or -1FR)");
    let at = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?;
    let (number, day) = text.split_at(at);
    let number = match number {
        "" => 0,
        n => n.parse::<i8>().ok().filter(|n| *n != 0 && (-5..=5).contains(n)).ok_or_else(wrong)?,
    };
    Ok((number, weekday(day).ok_or_else(wrong)?))
}

fn until(text: &str) -> Result<(NaiveDateTime, bool), String> {
    let (body, utc) = match text.strip_suffix(['Z', 'z']) {
        Some(body) => (body, true),
        None => (text, false),
    };
    let day = |t: &str| NaiveDate::parse_from_str(t, "%Y%m%d").or_else(|_| NaiveDate::parse_from_str(t, "%Y-%m-%d"));
    let instant = ["%Y%m%dT%H%M%S", "%Y-%m-%dT%H:%M:%S"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(body, form).ok())
        // A bare day is meant whole.
        .or_else(|| day(body).ok().and_then(|d| d.and_hms_opt(23, 59, 59)));
    instant
        .map(|at| (at, utc))
        .ok_or_else(|| format!("UNTIL={text} is no date (expected 20261231 or 20261231T235959Z)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    fn days(rule: &str, first: &str, from: &str, to: &str) -> Vec<String> {
        let rule = Recurrence::parse(rule).unwrap();
        let found = rule.between(at(first), at(from).date(), at(to).date(), |l| l);
        found.iter().map(|d| d.format("%Y-%m-%d").to_string()).collect()
    }

    #[test]
    fn rules_people_write() {
        for (rule, first, want) in [
            ("FREQ=DAILY;INTERVAL=3", "2026-01-30 02:00", vec!["2026-01-30", "2026-02-02", "2026-02-05"]),
            ("FREQ=WEEKLY;BYDAY=SU", "2026-02-01 02:00", vec!["2026-02-01", "2026-02-08", "2026-02-15", "2026-02-22"]),
            (
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=3",
                "2026-02-02 02:00",
                vec!["2026-02-02", "2026-02-04", "2026-02-16"],
            ),
            ("FREQ=MONTHLY;BYDAY=1SU", "2025-12-07 02:00", vec!["2026-02-01"]),
            ("RRULE:FREQ=MONTHLY;BYDAY=-1FR", "2025-12-26 02:00", vec!["2026-01-30", "2026-02-27"]),
            ("FREQ=MONTHLY;BYMONTHDAY=-1", "2025-12-31 02:00", vec!["2026-01-31", "2026-02-28"]),
            ("FREQ=MONTHLY", "2025-12-31 02:00", vec!["2026-01-31"]),
            ("FREQ=YEARLY", "2024-02-29 02:00", vec![]),
            ("FREQ=YEARLY;BYMONTH=2;BYDAY=2TU", "2020-02-11 02:00", vec!["2026-02-10"]),
            ("FREQ=WEEKLY;UNTIL=20260208", "2026-02-01 02:00", vec!["2026-02-01", "2026-02-08"]),
            ("FREQ=WEEKLY;UNTIL=20260208T010000", "2026-02-01 02:00", vec!["2026-02-01"]),
            ("FREQ=DAILY;COUNT=32", "2026-01-01 02:00", vec!["2026-01-30", "2026-01-31", "2026-02-01"]),
        ] {
            let got = days(rule, first, "2026-01-30 00:00", "2026-02-28 00:00");
            assert_eq!(
                got.iter().take(want.len().max(got.len().min(want.len()))).collect::<Vec<_>>(),
                want.iter().collect::<Vec<_>>(),
                "{rule}"
            );
            if !rule.contains("DAILY;INTERVAL") {
                assert_eq!(got.len(), want.len(), "{rule}: {got:?}");
            }
        }
        assert_eq!(days("FREQ=YEARLY", "2024-02-29 02:00", "2028-01-01 00:00", "2028-12-31 00:00"), ["2028-02-29"]);
    }

    #[test]
    fn the_rest_is_refused_by_its_name() {
        for (rule, want) in [
            ("BYDAY=SU", "FREQ"),
            ("FREQ=HOURLY", "FREQ=HOURLY"),
            ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS"),
            ("FREQ=DAILY;BYDYA=SU", "BYDAY"),
            ("FREQ=DAILY;COUNT=0", "COUNT=0"),
            ("FREQ=DAILY;COUNT=2;UNTIL=20260101", "exclude"),
            ("FREQ=WEEKLY;BYDAY=1SU", "numbered"),
            ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY=0"),
            ("FREQ=DAILY;FREQ=DAILY", "twice"),
            ("FREQ=YEARLY;BYDAY=SU", "BYMONTH"),
            ("FREQ=DAILY;UNTIL=soon", "UNTIL=soon"),
            ("", "FREQ"),
        ] {
            let said = Recurrence::parse(rule).unwrap_err();
            assert!(said.contains(want), "{rule}: {said}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,60}", tail in "(FREQ|BYDAY|COUNT|UNTIL|INTERVAL)=[A-Z0-9,T-]{0,12}") {
            for rule in [text.clone(), format!("FREQ=WEEKLY;{tail}"), format!("{tail};{text}")] {
                if let Ok(rule) = Recurrence::parse(&rule) {
                    let first = at("2026-01-01 00:00");
                    rule.between(first, first.date(), at("2026-03-01 00:00").date(), |l| l);
                }
            }
        }

        #[test]
        fn where_it_is_asked_changes_nothing(every in 1..5_u32, offset in 0..400_u64, weekly in any::<bool>()) {
            let freq = if weekly { "WEEKLY;BYDAY=TU,SA" } else { "DAILY" };
            let rule = Recurrence::parse(&format!("FREQ={freq};INTERVAL={every}")).unwrap();
            let first = at("2024-12-30 02:00");
            let from = first.date() + Days::new(offset);
            let all = rule.between(first, first.date(), from + Days::new(30), |l| l);
            let some = rule.between(first, from, from + Days::new(30), |l| l);
            let want: Vec<_> = all.into_iter().filter(|d| d.date() >= from).collect();
            prop_assert_eq!(some, want);
        }
    }
}
