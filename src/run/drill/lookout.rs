//! A look at the real world from a drill: the configured sources, asked by a machine and an engine of their own that record
//! nothing, run nothing and send nothing. What passes to the drill is a word and its age; nothing of the drill passes here.
//! Alerts are taken as they fire, objectives by the windows of their pairs; their history is not read. Of a paging product
//! its incidents are read, and nothing is written to it.

use crate::app::effect::Effect;
use crate::app::health::{Link, LinkKind};
use crate::app::model::Model;
use crate::app::msg::Msg;
use crate::app::present::slos;
use crate::app::update::{gives_alerts, update};
use crate::config::{Config, Section};
use crate::domain::drill::real_world::Real;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::backend::{BackendIncident, BackendStatus};
use crate::domain::text::truncate;
use crate::domain::time::{Span, Timestamp, clock, secs};
use crate::run::engine::Engine;
use crate::run::setup::Ready;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Looks at the world at least so often.
const LOOK: Duration = Duration::from_secs(1);
/// Ages are told in steps of so many seconds: a line that is well sends few bytes.
const STEP: i64 = 5;
/// Polls in a row that may be late before what is known counts as old.
const LATE: i32 = 3;

/// The longest name of a page, in cells.
const NAME: usize = 60;

/// The sources of a configuration that say how the world is, none of which may be written to: Prometheus, Alertmanagers and
/// paging products. `None` where it names none of them.
pub fn sources(config: &Config) -> Option<Config> {
    let mut config = config.clone();
    config.read_only = true;
    // Nothing of it is written beside the drill's own folder, and nothing that only takes writes is connected.
    config.cache = false;
    config.outside.retain(|it| it.section == Section::IncidentBackends);
    config.outside.iter_mut().for_each(|it| it.read_only = true);
    config.alertmanager.iter_mut().for_each(|it| it.read_only = true);
    let none = config.prometheus.is_empty() && config.alertmanager.is_empty() && config.outside.is_empty();
    (!none).then_some(config)
}

/// The first source of a configuration that could not be connected: what it would say is not known.
fn absent(config: &Config, model: &Model) -> Option<String> {
    let prometheus = config.prometheus.iter().map(|it| &it.name);
    let named =
        prometheus.chain(config.alertmanager.iter().map(|it| &it.name)).chain(config.outside.iter().map(|it| &it.name));
    // An Alertmanager beside another source of its name is called by both words.
    let known = |name: &str| {
        model.links.keys().any(|link| link.as_str() == name || link.as_str() == format!("{name} alertmanager"))
    };
    named
        .map(|name| name.as_str())
        .find(|name| !known(name))
        .map(|name| format!("{name} cannot be asked as it is configured"))
}

/// Begins to look at what [`sources`] gave and `ready` was made of, and tells what it sees until the process ends.
pub fn begin(config: &Config, ready: Ready, tell: impl Fn(Real) + Send + 'static) -> Result<(), Fault> {
    let Ready { mut model, mut world, patience, .. } = ready;
    // Whatever was configured: from here nothing is changed, recorded, run or written.
    model.setup.read_only = true;
    (world.shell, world.store, world.cache, world.watch, world.finder, world.clip) =
        (None, None, None, None, None, None);
    let patience = Span::from_std(patience).unwrap_or(secs(30));
    let absent = absent(config, &model);
    let now = world.now.clone();
    let (sender, inbox) = channel();
    let engine = Engine::start(world, Arc::new(move |msg: Msg| drop(sender.send(msg))))?;
    let look = move || {
        let step = |model: &mut Model, msg: Msg| {
            for effect in update(model, now(), msg) {
                if only_looks(&effect) {
                    drop(engine.perform(effect));
                }
            }
        };
        step(&mut model, Msg::Wake);
        loop {
            match inbox.recv_timeout(LOOK) {
                Ok(msg) => step(&mut model, msg),
                Err(RecvTimeoutError::Timeout) => step(&mut model, Msg::Wake),
                Err(RecvTimeoutError::Disconnected) => {
                    // Silence must not be taken for quiet.
                    return tell(Real::NotKnown { why: "the look at it has ended".into() });
                }
            }
            tell(match (seen(&model, now(), patience), &absent) {
                (Real::Quiet { .. }, Some(why)) => Real::NotKnown { why: why.clone() },
                (seen, _) => seen,
            });
        }
    };
    let started = std::thread::Builder::new().name("lookout".into()).spawn(look);
    started.map(drop).map_err(|e| Fault::new(FaultKind::Local, "lookout", e.to_string()))
}

/// Whether an effect is a question to a source and nothing else.
fn only_looks(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Measure { .. }
            | Effect::Rows { .. }
            | Effect::Signals { .. }
            | Effect::Alerts { .. }
            | Effect::AskTarget { .. }
    )
}

/// What a machine knows of the real world.
fn seen(model: &Model, now: Timestamp, patience: Span) -> Real {
    let telling = |l: &&Link| pages(l.kind) || (l.kind.polled() && !model.fleet.objectives.is_empty());
    let links: Vec<&Link> = model.links.values().filter(telling).collect();
    if !links.iter().any(|l| pages(l.kind)) {
        return Real::NotKnown { why: "no source of alerts or pages is configured".into() };
    }
    let age = links.iter().filter_map(|l| l.age(now)).max().map_or(0, |age| age.num_seconds().max(0) / STEP * STEP);
    let mut names: Vec<String> = model.alerts.all().filter(|a| a.rank() == 0).map(|a| a.name.clone()).collect();
    for (objective, _) in slos::ranked(model, now) {
        if slos::status(model, now, &objective).fires("page") {
            names.push(format!("{} burns", objective.id));
        }
    }
    for (target, state) in &model.outbox.targets {
        let waiting = state.open_incidents().iter().filter(|there| waits(there));
        names.extend(waiting.map(|there| {
            let number = there.number.as_ref().map(|number| format!(" {number}")).unwrap_or_default();
            truncate(&format!("{target}{number} {}", there.title), NAME).into_owned()
        }));
    }
    names.sort();
    names.dedup();
    if !names.is_empty() {
        return Real::Page { names, age };
    }
    match links.iter().find_map(|l| unknown(l, now, patience)) {
        Some(why) => Real::NotKnown { why },
        None => Real::Quiet { age },
    }
}

/// Whether a source says what pages.
fn pages(kind: LinkKind) -> bool {
    gives_alerts(kind) || kind == LinkKind::Target { reads: true }
}

/// Whether an incident of a paging product wakes somebody: nobody has it yet, and it is not said to be able to wait.
fn waits(there: &BackendIncident) -> bool {
    let low = there.urgency.as_deref().is_some_and(|urgency| urgency.eq_ignore_ascii_case("low"));
    there.status == BackendStatus::Triggered && !low && there.merged_into.is_none()
}

/// Why a source does not say that all is quiet.
fn unknown(link: &Link, now: Timestamp, patience: Span) -> Option<String> {
    if let Some((since, fault)) = &link.fault {
        return Some(format!("{} {} since {}", link.name, fault.kind.word(), clock(*since)));
    }
    if gives_alerts(link.kind) && link.hides_alerts() {
        return Some(format!("{} hides its alerts", link.name));
    }
    let Some(good) = link.good else { return Some(format!("{} was not heard yet", link.name)) };
    let old = now - good > link.interval * LATE + patience;
    old.then(|| format!("{} was last heard at {}", link.name, clock(good)))
}
