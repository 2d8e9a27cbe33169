//! Sources whose address, credentials or certificates changed in the configuration while the cockpit runs. From one instant
//! on the new one is asked alone: what the old one said is unknown again, its answers on the way are dropped, and nothing
//! that was decided for it is sent to the new one before a person says so.

use crate::app::effect::Effect;
use crate::app::health::{Link, LinkKind};
use crate::app::model::Model;
use crate::app::pending::Asked;
use crate::app::present::view::Tone;
use crate::app::reload::{Reconnect, Reconnected};
use crate::app::update::{coverage, sources, watch};
use crate::config::{AlertmanagerConfig, Config, Connection, HeaderValue, OutsideConfig, PrometheusConfig};
use crate::domain::ids::{SloId, SourceName};
use crate::domain::time::Timestamp;
use std::collections::BTreeSet;

/// A connection as far as it says who is asked and how; the interval is taken by itself.
fn how(connection: &Connection) -> Connection {
    Connection { poll_interval: Connection::default().poll_interval, ..connection.clone() }
}

/// The headers that say whose data is meant: a tenant.
fn tenant(connection: &Connection) -> Vec<&(String, HeaderValue)> {
    connection.headers.iter().filter(|(_, value)| matches!(value, HeaderValue::Plain(_))).collect()
}

fn same_prometheus(a: &PrometheusConfig, b: &PrometheusConfig) -> bool {
    (&a.url, how(&a.connection), &a.params) == (&b.url, how(&b.connection), &b.params)
}

fn same_cluster(a: &AlertmanagerConfig, b: &AlertmanagerConfig) -> bool {
    (&a.urls, a.read_only, how(&a.connection)) == (&b.urls, b.read_only, how(&b.connection))
}

/// Whether the two entries of one name lead to different things: what was decided for the one is not meant for the other.
pub fn elsewhere(old: &OutsideConfig, new: &OutsideConfig) -> bool {
    let options = match (&old.options, &new.options) {
        (Some(a), Some(b)) => a.same(b),
        (a, b) => a.is_none() && b.is_none(),
    };
    let place = |it: &OutsideConfig| (it.section, it.kind.clone(), it.url.clone());
    !options || place(old) != place(new) || tenant(&old.connection) != tenant(&new.connection)
}

/// The name under which the machine knows a cluster: a Prometheus or a target may have the same one.
fn known_as(model: &Model, name: &SourceName) -> Option<SourceName> {
    let long = SourceName(format!("{name} alertmanager"));
    let cluster = |name: &SourceName| {
        model.links.get(name).is_some_and(|link| matches!(link.kind, LinkKind::Alertmanager { .. }))
    };
    [name.clone(), long].into_iter().find(cluster)
}

/// Asks for every source that is another one now, and forgets what the old one said. `true`: there is one. What the file does
/// not name any more stays connected.
pub fn ask(model: &mut Model, now: Timestamp, before: &Config, after: &Config, out: &mut Vec<Effect>) -> bool {
    let connected = model.reload.connected.take();
    let (mut servers, mut clusters) =
        connected.unwrap_or_else(|| (before.prometheus.clone(), before.alertmanager.clone()));
    let (mut prometheus, mut alertmanager) = (Vec::new(), Vec::new());
    for new in &after.prometheus {
        let Some(old) = servers.iter_mut().find(|old| old.name == new.name) else { continue };
        let known = model.links.get(&new.name).is_some_and(|l| matches!(l.kind, LinkKind::Prometheus { .. }));
        if known && !same_prometheus(old, new) {
            let moved = old.url != new.url || tenant(&old.connection) != tenant(&new.connection);
            forget(model, now, &new.name, 1, moved, out);
            prometheus.push(new.clone());
        }
        if let Some(link) = model.links.get_mut(&new.name).filter(|_| known) {
            link.ceiling = new.max_samples_per_second;
            link.markers.clone_from(&new.marks);
        }
        old.clone_from(new);
    }
    for new in &after.alertmanager {
        let Some(old) = clusters.iter_mut().find(|old| old.name == new.name) else { continue };
        if let Some(name) = known_as(model, &new.name).filter(|_| !same_cluster(old, new)) {
            let moved = old.urls != new.urls || tenant(&old.connection) != tenant(&new.connection);
            if moved {
                model.outbox.moved(&name, now);
            }
            forget(model, now, &name, new.urls.len(), moved, out);
            alertmanager.push((name, new.clone()));
        }
        old.clone_from(new);
    }
    model.reload.connected = Some((servers, clusters));
    let any = !(prometheus.is_empty() && alertmanager.is_empty());
    if any {
        let wanted = Reconnect { prometheus, alertmanager, zone: after.time_zone };
        out.push(Effect::Reconnect(Box::new(wanted)));
    }
    any
}

/// The kinds of sources of which the configuration names others than are connected.
pub fn others(model: &Model, config: &Config) -> Vec<&'static str> {
    let Some((servers, clusters)) = &model.reload.connected else { return Vec::new() };
    let mut named = Vec::new();
    if !servers.iter().map(|it| &it.name).eq(config.prometheus.iter().map(|it| &it.name)) {
        named.push("prometheus");
    }
    if !clusters.iter().map(|it| &it.name).eq(config.alertmanager.iter().map(|it| &it.name)) {
        named.push("alertmanager");
    }
    named
}

/// The source is one that was never asked, and nothing is known from it. Where it leads elsewhere (`moved`), what becomes of
/// alerts that an incident has from it is not known either.
fn forget(model: &mut Model, now: Timestamp, name: &SourceName, peers: usize, moved: bool, out: &mut Vec<Effect>) {
    let Some(link) = model.links.get_mut(name) else { return };
    let kind = match link.kind {
        LinkKind::Alertmanager { .. } => LinkKind::Alertmanager { peers },
        other => other,
    };
    let (short, address) = (link.short.clone(), link.address.clone());
    *link = Link::new(name.clone(), short, kind, address, link.interval, now);
    if let LinkKind::Prometheus { .. } = kind {
        forget_numbers(model, now, name);
    }
    if sources::gives_alerts(kind) {
        let told = model.alerts.by_source.remove(name).unwrap_or_default();
        for alert in told.iter().filter(|_| moved) {
            sources::alert_event(model, now, &alert.fingerprint, sources::UNKNOWN, out);
        }
        // As at a start: what fires is no news, and nothing has ended before the new one has answered in full.
        model.alerts.seen.remove(name);
        model.alerts.arrange(&model.library);
    }
    let of_it = |asked: &Asked| match asked {
        Asked::Measure(source)
        | Asked::Warm(source)
        | Asked::Rows(source)
        | Asked::Signals(source)
        | Asked::Marks(source, _)
        | Asked::Alerts(source)
        | Asked::Rules(source)
        | Asked::Target(source, _) => source == name,
        _ => false,
    };
    model.pending.forget(of_it);
    if let Some(target) = model.outbox.targets.get_mut(name) {
        target.silences = None;
    }
}

/// Numbers, charts, marks, signals and rules of a server are not known any more; conditions that it was to show begin anew.
fn forget_numbers(model: &mut Model, now: Timestamp, name: &SourceName) {
    let of_it = |o: &&std::sync::Arc<crate::domain::slo::objective::Objective>| {
        sources::source_of(model, o).as_ref() == Some(name)
    };
    let ours: BTreeSet<SloId> = model.fleet.objectives.iter().filter(of_it).map(|o| o.id.clone()).collect();
    let services: BTreeSet<String> =
        crate::app::update::signals::services_of(model, name).iter().map(|s| s.name.clone()).collect();
    let fleet = &mut model.fleet;
    fleet.measured.retain(|id, _| !ours.contains(id));
    fleet.statuses.retain(|id, _| !ours.contains(id));
    fleet.histories.retain(|id, _| !ours.contains(id));
    fleet.history_faults.retain(|id, _| !ours.contains(id));
    fleet.over_since.retain(|id, _| !ours.contains(id));
    fleet.signals.retain(|service, _| !services.contains(service));
    fleet.signal_faults.remove(name);
    fleet.marks.remove(name);
    // A composite may have parts there.
    fleet.composed.clear();
    fleet.assessed = None;
    model.pending.forget(|asked| matches!(asked, Asked::Chart(slo) if ours.contains(slo)));
    model.rules.known.remove(name);
    model.rules.faults.remove(name);
    model.rules.asked = None;
    coverage::compare(model, now);
    model.suggested = Default::default();
    watch::source_exchanged(model, now);
    crate::app::present::slos::refresh(model, now);
}

/// Sources were connected anew, or could not be.
pub fn connected(model: &mut Model, now: Timestamp, new: Reconnected) {
    for facts in new.clusters {
        model.connect(facts, now);
    }
    for (name, address) in new.connected {
        let Some(link) = model.links.get_mut(&name) else { continue };
        link.address.clone_from(&address);
        model.say(
            now,
            Tone::Accent,
            format!("{name} is asked at {address} from now on; what the old one said is gone"),
        );
    }
    for (name, fault) in new.faults {
        if let Some(link) = model.links.get_mut(&name) {
            link.failed(now, fault.clone());
        }
        model.outbox.targets.remove(&name);
        model.say(now, Tone::Warn, format!("{name} cannot be connected: {fault}"));
    }
}
