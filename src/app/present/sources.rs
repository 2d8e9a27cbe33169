//! Sources and the record for the screen.

use crate::app::health::{Link, LinkKind};
use crate::app::model::Model;
use crate::app::outbox::TargetState;
use crate::app::present::items;
use crate::app::present::view::{Pane, Sign, SourceRow, SourcesPage};
use crate::app::screen::Item;
use crate::domain::fault::FaultKind;
use crate::domain::ids::SourceName;
use crate::domain::outward::capability::Can;
use crate::domain::resilience::breaker::State;
use crate::domain::time::{Timestamp, clock, compact, secs};

/// The sources, in order.
pub fn names(model: &Model) -> Vec<SourceName> {
    model.links.keys().cloned().collect()
}

/// One row per source, then the record and the runbooks.
pub fn rows(model: &Model, now: Timestamp) -> Vec<SourceRow> {
    let mut rows: Vec<SourceRow> = model.links.values().map(|l| row(model, l, now)).collect();
    let unsaved = model.unsaved();
    let (sign, word, detail) = match (&model.desk.trouble, model.desk.loaded) {
        (Some((_, why, _)), _) => (Sign::Page, "NOT SAVED".to_owned(), why.clone()),
        (None, false) => (Sign::Stale, "opening".into(), String::new()),
        (None, true) => (Sign::Ok, "ok".into(), format!("{} incident(s), {unsaved} unsaved", model.desk.cases.len())),
    };
    rows.push(SourceRow { sign, name: "record".into(), kind: "record".into(), word, age: "-".into(), detail });
    rows
}

fn row(model: &Model, link: &Link, now: Timestamp) -> SourceRow {
    let writes = model.outbox.targets.get(&link.name).and_then(|target| target.fault.as_ref());
    let target = matches!(link.kind, LinkKind::Target { .. });
    let word = match writes.filter(|_| target && link.fault.is_none()) {
        Some((_, fault)) if fault.kind == FaultKind::Auth => "AUTH".into(),
        Some(_) => "DOWN".into(),
        // That nothing was asked of it yet is no sign that it would answer.
        None if target && link.fault.is_none() && !answered(model, link) => "not asked".into(),
        None => link.word(),
    };
    let sign = match word.as_str() {
        "ok" => Sign::Ok,
        "waiting" | "not asked" => Sign::Stale,
        "DOWN" | "AUTH" => Sign::Page,
        _ => Sign::Ticket,
    };
    let detail = match &link.fault {
        Some((since, fault)) => format!("{fault} since {}, try {}", clock(*since), link.tries),
        None => match link.kind {
            LinkKind::Prometheus { .. } => {
                let n = crate::app::update::objectives_of(model, &link.name).len();
                format!("{n} SLO, {} requests{}{}{}", link.note.requests, took(link), cost(link), warming(link))
            }
            LinkKind::Alertmanager { peers } => {
                let n = model.alerts.by_source.get(&link.name).map_or(0, Vec::len);
                let silences = match writes {
                    Some((_, fault)) => format!(", no writes: {}", fault.kind.word()),
                    None => silences(model, link, now),
                };
                format!("{n} alerts, {}/{peers} peers{silences}{}", link.answered.map_or(0, |(a, _)| a), took(link))
            }
            LinkKind::Target { reads } => match writes {
                Some((since, fault)) => format!("{fault} since {}", clock(*since)),
                None => self::target(model, link, reads),
            },
        },
    };
    SourceRow {
        sign,
        name: link.name.0.clone(),
        kind: kind(link).into(),
        word,
        age: link.age(now).map_or_else(|| "-".into(), |a| compact(secs(a.num_seconds() / 5 * 5))),
        detail,
    }
}

/// Whether a target answered since the cockpit began; what is read says so by itself.
fn answered(model: &Model, link: &Link) -> bool {
    link.kind.polled() || model.outbox.targets.get(&link.name).is_some_and(|target| target.good.is_some())
}

/// How many silences an Alertmanager has, where any are known.
fn silences(model: &Model, link: &Link, now: Timestamp) -> String {
    let all = crate::app::present::silences::known(model, &link.name);
    match all.iter().filter(|silence| silence.in_force(now)).count() {
        0 => String::new(),
        n => format!(", {n} silences"),
    }
}

/// What a target is for, and what is known of it.
fn target(model: &Model, link: &Link, reads: bool) -> String {
    let Some(target) = model.outbox.targets.get(&link.name) else { return String::new() };
    let waiting = model.outbox.open().filter(|entry| entry.op.target == link.name).count();
    let ports: Vec<&str> = target.facts.ports.iter().map(|port| port.words()).collect();
    let open = target.incidents.as_ref().filter(|_| reads).map(|(_, open)| format!(", {} open", open.len()));
    format!("{}{}, {waiting} to send", ports.join(", "), open.unwrap_or_default())
}

fn took(link: &Link) -> String {
    link.took.map_or_else(String::new, |t| format!(", {}ms", t.num_milliseconds()))
}

/// What polls cost the server, where it says so.
fn cost(link: &Link) -> String {
    link.cost.map_or_else(String::new, |cost| format!(", {} samples/s", short(cost)))
}

fn warming(link: &Link) -> String {
    match link.left {
        Some(left) if left > 0 => format!(", {} slices of history to read", short(left as f64)),
        _ => String::new(),
    }
}

/// `640`, `12.8k`, `1.3M`.
pub fn short(number: f64) -> String {
    match number {
        n if n >= 999_950.0 => format!("{:.1}M", n / 1e6),
        n if n >= 1_000.0 => format!("{:.1}k", n / 1e3),
        n => format!("{n:.0}"),
    }
}

/// `prometheus`, `alertmanager` or `target`.
pub fn kind(link: &Link) -> &'static str {
    match link.kind {
        LinkKind::Prometheus { .. } => "prometheus",
        LinkKind::Alertmanager { .. } => "alertmanager",
        LinkKind::Target { .. } => "target",
    }
}

/// The sources screen.
pub fn page(model: &Model, now: Timestamp) -> SourcesPage {
    let selected = items::selected(model, now);
    let cursor = model.links.keys().position(|n| selected == Some(Item::Source(n.clone())));
    let detail = match &selected {
        Some(Item::Source(name)) => {
            let mut rows = model.links.get(name).map(|l| detail(l, now)).unwrap_or_default();
            rows.extend(model.outbox.targets.get(name).map(writes).unwrap_or_default());
            rows
        }
        _ => Vec::new(),
    };
    SourcesPage {
        sources: Pane {
            title: format!("SOURCES {}", model.links.len()),
            note: "R asks now".into(),
            rows: rows(model, now),
            cursor,
            empty: "no source is configured".into(),
        },
        detail,
    }
}

/// The interval, and why it is longer than configured.
fn every(link: &Link) -> String {
    let pause = link.pause();
    match (pause > link.interval, link.ceiling) {
        (true, Some(ceiling)) => {
            let secs = secs(pause.num_milliseconds().div_euclid(1_000).max(1));
            format!(
                "{} (stretched from {}: at most {} samples/s)",
                compact(secs),
                compact(link.interval),
                short(ceiling)
            )
        }
        _ => compact(link.interval),
    }
}

/// What can be written there, and why the rest cannot.
fn writes(target: &TargetState) -> Vec<(String, String)> {
    let caps = &target.facts.caps;
    let can: Vec<&str> =
        caps.iter().filter(|(c, can)| !c.reads() && matches!(can, Can::Yes(_))).map(|(c, _)| c.title()).collect();
    let mut rows = Vec::new();
    if let Some((since, fault)) = &target.fault {
        rows.push(("writes".to_owned(), format!("{fault} since {}", clock(*since))));
        if target.breaker.state() == State::Held {
            rows.push(("stopped".into(), "nothing is sent before R tries again".into()));
        }
    }
    if !can.is_empty() {
        rows.push(("can".into(), can.join(", ")));
    }
    let lacks = caps.iter().filter(|(_, can)| matches!(can, Can::No(..)));
    rows.extend(
        lacks.map(|(c, _)| ("cannot".to_owned(), format!("{}: {}", c.title(), caps.why_not(c).unwrap_or_default()))),
    );
    rows
}

fn detail(link: &Link, now: Timestamp) -> Vec<(String, String)> {
    let mut rows = vec![
        ("address".to_owned(), link.address.clone()),
        ("asked every".into(), every(link)),
        (
            "last good".into(),
            link.good.map_or_else(|| "never".into(), |g| format!("{} ({} ago)", clock(g), compact(now - g))),
        ),
        ("breaker".into(), link.breaker.state().word().into()),
    ];
    if let (Some(cost), Some(samples)) = (link.cost, link.note.samples) {
        let ceiling = link.ceiling.map_or_else(String::new, |c| format!(", at most {}", short(c)));
        let value = format!("{} samples a poll, {} samples/s{ceiling}", short(samples as f64), short(cost));
        rows.push(("cost".into(), value));
    }
    if let Some(left) = link.left {
        let words = if left == 0 { "all read".to_owned() } else { format!("{left} slices to read") };
        rows.push(("history".into(), words));
    }
    if let Some(version) = &link.note.version {
        rows.push(("version".into(), version.clone()));
    }
    if let Some(skew) = link.note.skew.filter(|s| s.num_seconds().abs() >= 2) {
        rows.push(("clock".into(), format!("{}s from ours", skew.num_seconds())));
    }
    if let Some((since, fault)) = &link.fault {
        rows.push(("fault".into(), fault.to_string()));
        rows.push(("since".into(), format!("{}, try {}", clock(*since), link.tries)));
    }
    rows.extend(link.peer_faults.iter().map(|f| ("peer".to_owned(), f.clone())));
    rows.extend(link.note.warnings.iter().map(|w| ("warning".to_owned(), w.clone())));
    rows
}
