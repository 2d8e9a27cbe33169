//! Silences for the screen and for programs: what each holds, for how long still, who made it and why.

use crate::app::model::Model;
use crate::app::present::view::{Pane, Sign, SilenceRow, TimerRow};
use crate::app::present::{items, near};
use crate::app::screen::Item;
use crate::domain::alert::{Alert, AlertState};
use crate::domain::ids::SourceName;
use crate::domain::outward::silence::{Silence, SilenceState};
use crate::domain::time::{Span, Timestamp, clock, compact, countdown, mins, rfc3339};
use serde_json::{Value, json};
use std::collections::HashMap;

/// The silences of a target as they were read last; in a replay those that the record knows.
pub fn known<'m>(model: &'m Model, target: &SourceName) -> &'m [Silence] {
    if let Some(replay) = &model.replay {
        return replay.silences.get(target).map_or(&[], Vec::as_slice);
    }
    model.outbox.targets.get(target).and_then(|t| t.silences.as_ref()).map_or(&[], |(_, all)| all.as_slice())
}

/// How many alerts a silence holds, as their source says.
pub fn holds(model: &Model, target: &SourceName, id: &str) -> usize {
    // In a replay all alerts come from the record, whoever told them then.
    let own = |source: &SourceName| model.replay.is_some() || source == target;
    let alerts = model.alerts.by_source.iter().filter(|(source, _)| own(source)).flat_map(|(_, alerts)| alerts);
    alerts.filter(|alert| alert.held_by.iter().any(|held| held == id)).count()
}

/// The silences that may hold an alert.
fn around<'m>(model: &'m Model, alert: &Alert) -> Vec<&'m Silence> {
    match &model.replay {
        Some(replay) => replay.silences.values().flatten().collect(),
        None => known(model, &alert.source).iter().collect(),
    }
}

/// How many alerts each silence holds, by its target and its id: one pass for a whole list.
fn tally(model: &Model) -> HashMap<(&SourceName, &str), usize> {
    let mut held: HashMap<(&SourceName, &str), usize> = HashMap::new();
    for (source, alerts) in &model.alerts.by_source {
        for id in alerts.iter().flat_map(|alert| &alert.held_by) {
            *held.entry((source, id.as_str())).or_default() += 1;
        }
    }
    held
}

/// Every silence in force, the next to end first.
pub fn all(model: &Model, now: Timestamp) -> Vec<(&SourceName, &Silence)> {
    let mut out: Vec<(&SourceName, &Silence)> = Vec::new();
    if let Some(replay) = &model.replay {
        let own = replay.silences.iter().flat_map(|(name, silences)| silences.iter().map(move |s| (name, s)));
        out.extend(own.filter(|(_, s)| s.in_force(now)));
    }
    for (name, target) in &model.outbox.targets {
        if let Some((_, silences)) = &target.silences {
            out.extend(silences.iter().filter(|s| s.in_force(now)).map(|s| (name, s)));
        }
    }
    out.sort_by(|a, b| (a.1.ends_at, &a.1.id).cmp(&(b.1.ends_at, &b.1.id)));
    out
}

/// `ends in 12m`, `begins in 1h`, `over`.
pub fn ends_in(silence: &Silence, now: Timestamp) -> String {
    if !silence.in_force(now) {
        "over".into()
    } else if silence.starts_at > now {
        format!("begins in {}", compact(silence.starts_at - now))
    } else {
        format!("ends in {}", compact(silence.ends_at - now))
    }
}

/// To the minute while there are some: a row does not change every second.
fn left(span: Span) -> String {
    compact(if span >= mins(2) { mins(span.num_minutes()) } else { span })
}

/// What holds an alert, in a word with the time left: `ack 12m`, `silenced 2h`.
pub fn held(model: &Model, alert: &Alert, now: Timestamp) -> Option<String> {
    if alert.state != AlertState::Silenced {
        return None;
    }
    let all = around(model, alert);
    let holding = all.into_iter().filter(|s| alert.held_by.contains(&s.id) && s.in_force(now));
    let last = holding.max_by_key(|s| s.ends_at)?;
    let left = left(last.ends_at - now);
    Some(if last.is_ack() { format!("ack {left}") } else { format!("silent {left}") })
}

/// The silences that hold an alert, for its detail.
pub fn of_alert(model: &Model, alert: &Alert, now: Timestamp) -> Vec<String> {
    let all = around(model, alert);
    let name = |id: &String| match all.iter().find(|s| s.id == *id) {
        Some(s) => format!("{} by {}, {} ({})", s.words(), s.created_by, ends_in(s, now), clock(s.ends_at)),
        None => id.clone(),
    };
    alert.held_by.iter().map(name).collect()
}

/// The list.
pub fn pane(model: &Model, now: Timestamp) -> Pane<SilenceRow> {
    let selected = items::selected(model, now);
    let all = all(model, now);
    let at = |(name, s): &(&SourceName, &Silence)| Item::Silence((*name).clone(), s.id.clone());
    let cursor = all.iter().position(|one| selected == Some(at(one)));
    let many = model.outbox.targets.values().filter(|t| t.silences.is_some()).count() > 1;
    let held = if all.is_empty() { HashMap::new() } else { tally(model) };
    let told = |(name, silence): &(&SourceName, &Silence)| {
        let held = match model.replay {
            Some(_) => holds(model, name, &silence.id),
            None => held.get(&(*name, silence.id.as_str())).copied().unwrap_or(0),
        };
        row((name, silence), held, now, many)
    };
    let rows = near(&all, cursor, told, |_| SilenceRow::default());
    Pane {
        title: format!("SILENCES {}", all.len()),
        note: "by their end".into(),
        rows,
        cursor,
        empty: match model.replay {
            Some(_) => "none was made for it; others are not recorded".into(),
            None => "nothing is silenced".into(),
        },
    }
}

fn row((target, silence): (&SourceName, &Silence), held: usize, now: Timestamp, many: bool) -> SilenceRow {
    let ack = silence.is_ack();
    let left = if silence.starts_at > now { silence.starts_at - now } else { silence.ends_at - now };
    SilenceRow {
        sign: if silence.starts_at > now { Sign::Blank } else { Sign::Held },
        state: match (&silence.state, ack) {
            (SilenceState::Pending, _) => "pending".into(),
            (_, true) => "ack".into(),
            (_, false) => "silence".into(),
        },
        left: self::left(left),
        by: silence.created_by.clone(),
        holds: held,
        what: silence.conditions(),
        why: if many { format!("{target}: {}", silence.words()) } else { silence.words() },
    }
}

/// The selected silence in full.
pub fn detail(model: &Model, target: &SourceName, id: &str, now: Timestamp) -> Vec<(String, String)> {
    let Some(silence) = known(model, target).iter().find(|s| s.id == id) else { return Vec::new() };
    let mut rows: Vec<(String, String)> =
        silence.matchers.iter().map(|m| ("silences".to_owned(), m.to_string())).collect();
    rows.push(("why".into(), silence.words()));
    rows.push(("by".into(), silence.created_by.clone()));
    rows.push(("from".into(), rfc3339(silence.starts_at)));
    rows.push(("until".into(), format!("{} ({})", rfc3339(silence.ends_at), ends_in(silence, now))));
    rows.push(("holds".into(), format!("{} alert(s)", holds(model, target, id))));
    rows.push(("at".into(), target.to_string()));
    rows.push(("id".into(), silence.id.clone()));
    rows
}

/// Ends that come within an hour while alerts are held: they stand among the timers, and nobody has to answer them.
pub fn timers(model: &Model, now: Timestamp) -> Vec<TimerRow> {
    let mut ending = all(model, now);
    ending.retain(|(_, s)| s.starts_at <= now && s.ends_at - now <= Span::hours(1));
    if ending.is_empty() {
        return Vec::new();
    }
    let held = tally(model);
    let row = |(target, s): (&SourceName, &Silence)| {
        let held = match model.replay {
            Some(_) => holds(model, target, &s.id),
            None => held.get(&(target, s.id.as_str())).copied().unwrap_or(0),
        };
        if held == 0 {
            return None;
        }
        Some(TimerRow {
            sign: Sign::Countdown,
            clock: countdown(s.ends_at - now),
            label: if s.is_ack() { "acknowledgement ends".into() } else { "silence ends".into() },
            incident: target.0.clone(),
            then: format!("{held} alert(s) may notify again"),
            due: false,
        })
    };
    ending.into_iter().filter_map(row).collect()
}

/// One silence for programs: `{"id", "source", "state", "matchers": [{"name", "value", "regex", "equal"}], "starts_at",
/// "ends_at", "created_by", "comment", "ack", "alerts"}`.
pub fn json(model: &Model, target: &SourceName, silence: &Silence) -> Value {
    json!({
        "id": silence.id,
        "source": target,
        "state": silence.state,
        "matchers": silence.matchers,
        "starts_at": rfc3339(silence.starts_at),
        "ends_at": rfc3339(silence.ends_at),
        "created_by": silence.created_by,
        "comment": silence.comment,
        "ack": silence.is_ack(),
        "alerts": holds(model, target, &silence.id),
    })
}
