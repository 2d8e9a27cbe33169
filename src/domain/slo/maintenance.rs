//! Planned work: stretches of time, once or recurring, whose events count neither as good nor as bad. Read from the block
//! `maintenance` of our own format, where past ones may be added as well. Never reads a clock.

use crate::domain::document::{Level, Node, Reader};
use crate::domain::slo::objective::Objective;
use crate::domain::slo::recurrence::Recurrence;
use crate::domain::time::{Span, Timestamp};
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

/// Planned work of some objectives.
#[derive(Clone, Debug, PartialEq)]
pub struct Maintenance {
    /// What it is; raw outside text.
    pub name: String,
    /// Objectives that it spares by name; with `services` empty too, all of them.
    pub objectives: Vec<String>,
    /// Services whose objectives it spares.
    pub services: Vec<String>,
    /// Its first local beginning.
    pub start: NaiveDateTime,
    /// How long it lasts each time.
    pub duration: Span,
    /// The zone of its clock.
    pub zone: Tz,
    /// When it happens again.
    pub again: Option<Recurrence>,
    /// Local days on which it does not happen.
    pub except: Vec<NaiveDate>,
    /// `file:line` where it stands.
    pub declared: String,
}

/// One time that work is done: `from` inclusive, `to` exclusive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// What is done.
    pub name: String,
}

/// The longest planned work.
const LONGEST: Span = Span::days(31);

impl Maintenance {
    /// Whether it spares an objective. A row of a grouped objective belongs to its template.
    pub fn spares(&self, objective: &Objective) -> bool {
        let id = objective.id.as_str();
        let named =
            |name: &String| name == id || id.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('{'));
        let all = self.objectives.is_empty() && self.services.is_empty();
        all || self.objectives.iter().any(named) || self.services.contains(&objective.service)
    }

    /// The times that touch `[from, to]`, oldest first.
    pub fn stretches(&self, from: Timestamp, to: Timestamp) -> Vec<Stretch> {
        let day = |at: Timestamp| at.with_timezone(&self.zone).date_naive();
        // One that began before may still last; a day more for the zone.
        let early = from.checked_sub_signed(self.duration).map_or(from, |at| at);
        let first = day(early).checked_sub_days(Days::new(1)).unwrap_or(day(early));
        let begins = match &self.again {
            Some(rule) => rule.between(self.start, first, day(to), |local| instant(local, self.zone).naive_utc()),
            None => vec![self.start],
        };
        let stretch = |local: NaiveDateTime| {
            let begin = instant(local, self.zone);
            Some(Stretch { from: begin, to: begin.checked_add_signed(self.duration)?, name: self.name.clone() })
        };
        let open = begins.into_iter().filter(|local| !self.except.contains(&local.date()));
        open.filter_map(stretch).filter(|s| s.to > from && s.from <= to).collect()
    }
}

/// The instant of a local time. One that a clock shows twice is the first; one that it skips is as far after the skip as
/// it was meant to be after its beginning, as RFC 5545 has it.
pub fn instant(local: NaiveDateTime, zone: Tz) -> Timestamp {
    let known = |local: NaiveDateTime| zone.from_local_datetime(&local).earliest().map(|t| t.with_timezone(&Utc));
    let before = || known(local.checked_sub_signed(Span::hours(3))?)?.checked_add_signed(Span::hours(3));
    known(local).or_else(before).unwrap_or_else(|| local.and_utc())
}

/// What is done in `[from, to]` to one objective: overlapping times are joined, oldest first.
pub fn stretches(all: &[Maintenance], objective: &Objective, from: Timestamp, to: Timestamp) -> Vec<Stretch> {
    let mut found: Vec<Stretch> =
        all.iter().filter(|m| m.spares(objective)).flat_map(|m| m.stretches(from, to)).collect();
    found.sort();
    let mut joined: Vec<Stretch> = Vec::new();
    for next in found {
        match joined.last_mut() {
            Some(last) if next.from <= last.to => {
                last.to = last.to.max(next.to);
                if !last.name.split(", ").any(|n| n == next.name) {
                    last.name = format!("{}, {}", last.name, next.name);
                }
            }
            _ => joined.push(next),
        }
    }
    joined
}

/// The keys of one planned work.
pub const KEYS: [&str; 9] =
    ["name", "objectives", "services", "start", "end", "duration", "time_zone", "rrule", "except"];

/// Reads the block `maintenance`: a list. One with an error is left out.
pub fn read(reader: &mut Reader<'_>, path: &str, node: &Node) -> Vec<Maintenance> {
    reader.list(node, "maintenance").iter().filter_map(|item| one(reader, path, item)).collect()
}

fn one(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<Maintenance> {
    let fields = reader.map(node, "a maintenance", &KEYS)?;
    let name = fields.need(reader, "name").and_then(|n| reader.string(n, "name"));
    let objectives = fields.get("objectives").map(|n| reader.strings(n, "objectives")).unwrap_or_default();
    let services = fields.get("services").map(|n| reader.strings(n, "services")).unwrap_or_default();
    let zone = match fields.get("time_zone") {
        Some(n) => zone(reader, n)?,
        None => Tz::UTC,
    };
    let start = fields.need(reader, "start").and_then(|n| local(reader, n, "start", zone));
    let end = match fields.get("end") {
        Some(n) => Some(local(reader, n, "end", zone)?),
        None => None,
    };
    let duration = match fields.get("duration") {
        Some(n) => Some(reader.span(n, "duration")?),
        None => None,
    };
    let again = match fields.get("rrule") {
        Some(n) => Some(rule(reader, n)?),
        None => None,
    };
    let except = fields.get("except").map(|n| days(reader, n)).unwrap_or_default();
    let (name, start) = (name?, start?);
    let duration = match (duration, end) {
        (Some(duration), None) => duration,
        (None, Some(end)) => instant(end, zone) - instant(start, zone),
        (Some(_), Some(_)) => {
            reader.error(node.mark, "maintenance", format!("`{name}` has both `end` and `duration` (expected one)"));
            return None;
        }
        (None, None) => {
            reader.error(node.mark, "missing-key", format!("`{name}` has neither `duration` nor `end`"));
            return None;
        }
    };
    if duration <= Span::zero() || duration > LONGEST {
        let message = format!("`{name}` ends before it begins, or lasts over 31 days");
        reader.error(node.mark, "maintenance", message);
        return None;
    }
    let declared = format!("{path}:{}", node.mark.line);
    Some(Maintenance { name, objectives, services, start, duration, zone, again, except, declared })
}

/// Reads the name of a zone.
pub fn zone(reader: &mut Reader<'_>, node: &Node) -> Option<Tz> {
    let text = reader.string(node, "time_zone")?;
    let zone = text.parse::<Tz>().ok();
    if zone.is_none() {
        let near = crate::domain::document::nearest(&text, chrono_tz::TZ_VARIANTS.iter().map(|z| z.name()));
        let near = near.map(|n| format!("; nearest: `{n}`")).unwrap_or_default();
        reader.wrong(node, "time_zone", &format!("a zone such as Europe/Berlin{near}"));
    }
    zone
}

/// Reads `2026-05-03 02:00` in a zone, a bare day, or RFC 3339 (which has its own zone).
pub fn local(reader: &mut Reader<'_>, node: &Node, what: &str, zone: Tz) -> Option<NaiveDateTime> {
    let text = reader.string(node, what)?;
    let text = text.trim();
    let forms = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
    let local = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|d| d.and_hms_opt(0, 0, 0));
    let zoned = || DateTime::parse_from_rfc3339(text).ok().map(|t| t.with_timezone(&zone).naive_local());
    let found = local.or_else(day).or_else(zoned);
    match found {
        None => reader.wrong(node, what, "a time such as 2026-05-03 02:00 or 2026-05-03T02:00:00Z"),
        Some(at) if zone.from_local_datetime(&at).earliest().is_none() => {
            let message =
                format!("{what} {text} does not exist in {zone}: the clock is put forward; it begins after that");
            reader.report(node.mark, Level::Warning, "clock-change", message);
        }
        Some(_) => {}
    }
    found
}

fn rule(reader: &mut Reader<'_>, node: &Node) -> Option<Recurrence> {
    let text = reader.string(node, "rrule")?;
    match Recurrence::parse(&text) {
        Ok(rule) => Some(rule),
        Err(why) => {
            reader.error(node.mark, "rrule", format!("rrule `{}`: {why}", crate::domain::text::truncate(&text, 60)));
            None
        }
    }
}

fn days(reader: &mut Reader<'_>, node: &Node) -> Vec<NaiveDate> {
    let mut found = Vec::new();
    for item in reader.list(node, "except") {
        match item.text().and_then(|t| NaiveDate::parse_from_str(t, "%Y-%m-%d").ok()) {
            Some(day) => found.push(day),
            None => reader.wrong(item, "except", "days such as 2026-05-03"),
        }
    }
    found
}

#[cfg(test)]
mod tests;
