//! When things happened, where that is known from, and how long they took. A missing anchor makes an `unknown (no …)`.

use crate::domain::incident::event::{Act, Body, Event, Status};
use crate::domain::incident::state::Incident;
use crate::domain::incident::timeline::lasted;
use crate::domain::postmortem::entry::dated;
use crate::domain::postmortem::escape::field;
use crate::domain::slo::reading::History;
use crate::domain::time::Timestamp;
use chrono::{FixedOffset, TimeDelta};
use serde::Serialize;

/// How many healthy points in a row end the search for the beginning of the impact.
const HEALTHY: usize = 2;

/// An instant and where it is known from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moment {
    /// `2026-05-01 03:12:04Z`, or `unknown (no …)`.
    pub text: String,
    /// The same in the local zone, `05:12:04 +02:00`; null when it is not known.
    pub local: Option<String>,
    /// Where it is known from; null when it is not known.
    pub basis: Option<String>,
    /// Whether it is known.
    pub known: bool,
}

/// The instants of an incident.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Times {
    /// The budget began to burn.
    pub impact: Moment,
    /// It was noticed.
    pub detected: Moment,
    /// Somebody was paged, where the pager's log was taken in.
    pub paged: Moment,
    /// It was declared.
    pub declared: Moment,
    /// Somebody took it.
    pub acknowledged: Moment,
    /// The pain stopped.
    pub mitigated: Moment,
    /// It was over.
    pub resolved: Moment,
}

/// How long things took: `21m40s (from detected)`, or `unknown (no …)`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Durations {
    /// From the first noticed instant to the end, or so far.
    pub total: String,
    /// Beginning of the impact to detected.
    pub ttd: String,
    /// Paged (else declared) to acknowledged.
    pub tta: String,
    /// Detected (else declared) to mitigated.
    pub ttm: String,
    /// Detected (else declared) to resolved.
    pub ttr: String,
    /// Beginning of the impact to mitigated.
    pub ttm_impact: String,
    /// Beginning of the impact to resolved.
    pub ttr_impact: String,
}

/// Both of them.
pub(super) fn clocks(
    incident: &Incident,
    log: &[&Event],
    histories: &[History],
    offset: FixedOffset,
    now: Timestamp,
) -> (Times, Durations) {
    let times = &incident.times;
    let impact = impact(incident, histories);
    let impact_at = impact.as_ref().map(|(at, _)| *at);
    let moment = |at: Option<Timestamp>, basis: String, missing: &str| match at {
        None => Moment { text: format!("unknown ({missing})"), local: None, basis: None, known: false },
        Some(at) => Moment {
            text: dated(at),
            local: Some(format!("{} {offset}", at.with_timezone(&offset).format("%H:%M:%S"))),
            basis: Some(basis),
            known: true,
        },
    };
    let (paged, acknowledged) = pager(log, times.acknowledged);
    let (detected_by, acknowledged_by) = (detection(incident), acknowledgement(log, acknowledged));
    let (mitigated_by, resolved_by) = (mitigation(log, times.mitigated), resolution(log, times.resolved));
    let told = Times {
        impact: moment(impact_at, impact.map(|(_, b)| b).unwrap_or_default(), NO_IMPACT),
        detected: moment(times.detected, detected_by, NO_DETECTION),
        paged: moment(paged, "the pager's log".to_owned(), NO_PAGE),
        declared: moment(Some(times.declared), format!("declared by {}", field(&incident.declared_by)), ""),
        acknowledged: moment(acknowledged, acknowledged_by, NO_ACK),
        mitigated: moment(times.mitigated, mitigated_by, NO_MITIGATION),
        resolved: moment(times.resolved, resolved_by, NO_RESOLUTION),
    };
    let (from, name) = times.detected.map_or((times.declared, "declaration"), |at| (at, "detection"));
    let total = match times.resolved {
        None if now >= from => format!("{} (from {name}, goes on)", lasted(from, now)),
        None => "unknown (it begins in the future)".to_owned(),
        Some(_) => between(Some(from), name, "", times.resolved, "resolved", ""),
    };
    let durations = Durations {
        total,
        ttd: between(impact_at, "beginning of impact", NO_IMPACT, times.detected, "detected", NO_DETECTION),
        tta: match paged {
            Some(_) => between(paged, "page", "", acknowledged, "acknowledged", NO_ACK),
            None => between(Some(times.declared), "declaration", "", acknowledged, "acknowledged", NO_ACK),
        },
        ttm: between(Some(from), name, "", times.mitigated, "mitigated", NO_MITIGATION),
        ttr: between(Some(from), name, "", times.resolved, "resolved", NO_RESOLUTION),
        ttm_impact: between(impact_at, "beginning of impact", NO_IMPACT, times.mitigated, "mitigated", NO_MITIGATION),
        ttr_impact: between(impact_at, "beginning of impact", NO_IMPACT, times.resolved, "resolved", NO_RESOLUTION),
    };
    (told, durations)
}

const NO_IMPACT: &str = "no burn rate that shows its beginning";
const NO_DETECTION: &str = "no alert and no time of detection";
const NO_PAGE: &str = "no page in the record";
const NO_ACK: &str = "no acknowledgement";
const NO_MITIGATION: &str = "no mitigation";
const NO_RESOLUTION: &str = "no resolution";

fn between(
    from: Option<Timestamp>,
    name: &str,
    no_from: &str,
    to: Option<Timestamp>,
    end: &str,
    no_to: &str,
) -> String {
    match (from, to) {
        (None, _) => format!("unknown ({no_from})"),
        (_, None) => format!("unknown ({no_to})"),
        (Some(from), Some(to)) if to < from => format!("unknown ({end} before {name})"),
        (Some(from), Some(to)) => format!("{} (from {name})", lasted(from, to)),
    }
}

fn detection(incident: &Incident) -> String {
    let first = incident.alerts.values().find(|alert| Some(alert.started_at) == incident.times.detected);
    match (first, &incident.detected_by) {
        (Some(alert), _) => format!("alert {} began to fire", field(&alert.name)),
        (None, Some(by)) => format!("stated with the declaration, detected by {}", field(by)),
        (None, None) => "stated with the declaration".to_owned(),
    }
}

fn acknowledgement(log: &[&Event], at: Option<Timestamp>) -> String {
    let event = log.iter().find(|e| Some(e.at) == at && matches!(e.body, Body::Acknowledged));
    let pager = |e: &&&Event| Some(e.at) == at && pagers(e) == Some(Act::Ack);
    match (event, log.iter().find(pager)) {
        (Some(event), _) => format!("acknowledged by {}", field(&event.actor)),
        (None, Some(event)) => format!("the pager's log, by {}", field(event.who())),
        (None, None) => "recorded".to_owned(),
    }
}

/// What a line of a pager's log tells, whether it was read there or taken in by hand.
fn pagers(event: &Event) -> Option<Act> {
    match &event.body {
        Body::Imported(import) => Some(import.act),
        Body::BackendLogged(line) => match line.action.as_str() {
            "notify" => Some(Act::Page),
            "acknowledge" => Some(Act::Ack),
            _ => None,
        },
        _ => None,
    }
}

/// When somebody was paged and when it was acknowledged: here, or where the pager's log says it was before.
fn pager(log: &[&Event], here: Option<Timestamp>) -> (Option<Timestamp>, Option<Timestamp>) {
    let first = |wanted: Act| log.iter().filter(|event| pagers(event) == Some(wanted)).map(|event| event.at).min();
    (first(Act::Page), [here, first(Act::Ack)].into_iter().flatten().min())
}

fn mitigation(log: &[&Event], at: Option<Timestamp>) -> String {
    let here = || log.iter().filter(|event| Some(event.at) == at);
    let marked = here().find(|event| matches!(event.body, Body::Mitigated));
    if let Some(event) = marked {
        // A condition that held since then says more than a mark by hand.
        let held = log.iter().any(|e| matches!(&e.body, Body::VerifyHeld { since, .. } if Some(*since) == at));
        let held = if held { ", and what was watched held since" } else { "" };
        return format!("marked by {}{held}", field(&event.actor));
    }
    if here().any(|event| matches!(event.body, Body::StatusSet { to: Status::Monitoring, .. })) {
        return "inferred from status monitoring".to_owned();
    }
    "inferred from the resolution".to_owned()
}

fn resolution(log: &[&Event], at: Option<Timestamp>) -> String {
    let event = log.iter().find(|e| Some(e.at) == at && matches!(e.body, Body::Resolved { .. }));
    event.map_or_else(|| "inferred from the status".to_owned(), |e| format!("resolved by {}", field(&e.actor)))
}

/// The first point over burn rate 1 of the stretch that leads to the detection, in the shortest window of the objectives
/// that are linked. Unknown when a gap or the edge of the data comes before a healthy stretch does.
fn impact(incident: &Incident, histories: &[History]) -> Option<(Timestamp, String)> {
    let noticed = incident.times.detected.unwrap_or(incident.times.declared);
    let linked = histories
        .iter()
        .filter(|history| incident.objectives.contains(&history.slo) || incident.budget.contains_key(&history.slo));
    let began = |history: &History| {
        let series = history.series.iter().min_by_key(|series| series.window)?;
        let step = series.step.num_milliseconds();
        let until = (noticed - series.start).num_milliseconds();
        if step <= 0 || until < 0 {
            return None;
        }
        let known = usize::try_from(until / step).ok()?.saturating_add(1);
        let mut begin = None;
        let mut healthy = 0;
        for (index, point) in series.points.iter().enumerate().take(known).rev() {
            match point.filter(|value| value.is_finite())? {
                burn if burn > 1.0 => {
                    begin = Some(index);
                    healthy = 0;
                }
                _ => healthy += 1,
            }
            if healthy == HEALTHY {
                let offset = i64::try_from(begin?).ok()?.checked_mul(step)?;
                let at = series.start.checked_add_signed(TimeDelta::try_milliseconds(offset)?)?;
                let basis =
                    format!("inferred: burn rate of {} ({}) over 1", field(history.slo.as_str()), series.window);
                return Some((at, basis));
            }
        }
        None
    };
    linked.filter_map(began).min_by_key(|(at, _)| *at)
}
