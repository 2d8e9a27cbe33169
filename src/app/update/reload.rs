//! Files that changed while the cockpit runs: looked at while somebody looks, taken in with a word on what changed. A
//! runbook that is open on a screen keeps the version it was opened in until the person looks again or leaves it.

use crate::app::effect::Effect;
use crate::app::keymap::Keymap;
use crate::app::model::Model;
use crate::app::msg::Retargeted;
use crate::app::pending::Asked;
use crate::app::present::view::Tone;
use crate::app::reload::{AWAY, EVERY, Looked, Settings};
use crate::app::screen::Screen;
use crate::app::update::{coverage, reconnect, record, walk};
use crate::config::{Config, OutsideConfig};
use crate::domain::document::{Finding, Level};
use crate::domain::ids::{RunbookId, SourceName};
use crate::domain::incident::event::Body;
use crate::domain::runbook::limit::limited;
use crate::domain::runbook::model::Runbook;
use crate::domain::runbook::{diff, include};
use crate::domain::time::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most changes that are told one by one.
const TOLD: usize = 4;

/// Asks for a look at the files when one is due.
pub fn look(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) {
    settle(model);
    if model.reload.next.is_none_or(|at| at > now) {
        return;
    }
    model.reload.next = Some(now + if model.focused { EVERY } else { AWAY });
    // A look that hangs on a file system that is away is not joined by a second one.
    if model.pending.any(|asked| *asked == Asked::Files) {
        return;
    }
    let req = model.pending.ask(Asked::Files);
    out.push(Effect::Look { req });
}

/// Takes in what a look found.
pub fn looked(model: &mut Model, now: Timestamp, found: Looked, out: &mut Vec<Effect>) {
    let mut told = Vec::new();
    if let Some(new) = found.settings {
        told.extend(settings(model, now, *new, out));
    }
    if let Some((objectives, plans, findings)) = found.objectives {
        model.fleet.plan(plans);
        told.extend(crate::domain::slo::diff::objectives(&model.fleet.declared(), &objectives));
        model.learn(objectives, findings, now);
        ask_soon(model, now);
        crate::app::present::slos::refresh(model, now);
    }
    if let Some((books, findings)) = found.library {
        told.extend(library(model, now, books, findings));
    }
    let more = told.len().saturating_sub(TOLD);
    for line in told.into_iter().take(TOLD) {
        model.say(now, Tone::Accent, line);
    }
    if more > 0 {
        model.say(now, Tone::Accent, format!("and {more} more changes in the files"));
    }
}

/// New or changed objectives have no numbers yet.
fn ask_soon(model: &mut Model, now: Timestamp) {
    let known: BTreeSet<_> = model.fleet.objectives.iter().map(|o| o.id.clone()).collect();
    model.fleet.measured.retain(|id, _| known.contains(id));
    model.fleet.statuses.retain(|id, _| known.contains(id));
    for link in model.links.values_mut() {
        link.next = link.next.min(now);
    }
}

/// Takes in runbooks that were read, and says what changed. Those that are open here stay as they were opened.
pub fn library(model: &mut Model, now: Timestamp, books: Vec<Arc<Runbook>>, findings: Vec<Finding>) -> Vec<String> {
    // A runbook is walked with the steps of those that it includes, and each version knows the files it came from.
    let read = books;
    let limit = model.setup.command_timeout;
    let books: Vec<Arc<Runbook>> = read.iter().map(|book| limited(&include::expand(book, &read), limit)).collect();
    let files = read.iter().zip(&books).map(|(raw, whole)| (whole.sha256.clone(), include::files(raw, &read)));
    model.files.extend(files);
    let known = latest(model);
    let told = diff::library(&known, &books);
    let open = open(model);
    model.reload.newer.clear();
    let mut shown = books.clone();
    for id in &open {
        let Some(kept) = model.runbook(id).cloned() else { continue };
        let new = books.iter().find(|b| b.id == *id);
        if new.is_some_and(|new| new.sha256 == kept.sha256) {
            continue;
        }
        match shown.iter_mut().find(|b| b.id == *id) {
            Some(place) => *place = kept,
            None => shown.push(kept),
        }
        model.reload.newer.insert(id.clone(), new.cloned());
    }
    model.library = shown;
    model.library_findings = findings;
    model.alerts.arrange(&model.library);
    coverage::compare(model, now);
    told
}

/// The library as the files have it, the versions that wait included.
fn latest(model: &Model) -> Vec<Arc<Runbook>> {
    let newest = |book: &Arc<Runbook>| match model.reload.newer.get(&book.id) {
        Some(newer) => newer.clone(),
        None => Some(book.clone()),
    };
    model.library.iter().filter_map(newest).collect()
}

/// The runbooks on the stack of screens.
fn open(model: &Model) -> BTreeSet<RunbookId> {
    let of = |screen: &Screen| match screen {
        Screen::Walk(_, id) => Some(id.clone()),
        _ => None,
    };
    model.nav.screens().iter().filter_map(of).collect()
}

/// What was left is taken in its newer version.
fn settle(model: &mut Model) {
    if model.reload.newer.is_empty() {
        return;
    }
    let open = open(model);
    let left: Vec<RunbookId> = model.reload.newer.keys().filter(|id| !open.contains(id)).cloned().collect();
    for id in left {
        take(model, &id);
    }
}

fn take(model: &mut Model, id: &RunbookId) {
    match model.reload.newer.remove(id) {
        Some(Some(newer)) => {
            model.library.iter_mut().filter(|b| b.id == *id).for_each(|b| *b = newer.clone());
        }
        Some(None) => model.library.retain(|b| b.id != *id),
        None => return,
    }
    model.alerts.arrange(&model.library);
}

/// The person looks again: the open runbook is shown as its file is now, and the incident's timeline says so.
pub fn look_again(model: &mut Model, now: Timestamp, out: &mut Vec<Effect>) -> Result<(), String> {
    let Screen::Walk(incident, id) = model.nav.screen().clone() else { return Err("no runbook is open".into()) };
    match model.reload.newer.get(&id) {
        None => return Err("the runbook is shown as its file is now".into()),
        Some(None) => return Err("its file is gone; this version stays until you leave it".into()),
        Some(Some(_)) => {}
    }
    let told = model.runbook(&id).zip(model.reload.newer.get(&id).cloned().flatten());
    let words = told.and_then(|(old, new)| diff::runbook(old, &new)).unwrap_or_else(|| "nothing that matters".into());
    take(model, &id);
    let spot = model.nav.spot_mut();
    (spot.step, spot.cursor) = (None, None);
    if let Some(incident) = incident {
        walk::open(model, now, &incident, &id, out);
    }
    model.say(now, Tone::Accent, format!("{id} as it is now: {words}"));
    Ok(())
}

/// Takes in a configuration: what can change while the machine runs changes, for the rest a restart is asked. A broken one
/// changes nothing.
fn settings(model: &mut Model, now: Timestamp, new: Settings, out: &mut Vec<Effect>) -> Vec<String> {
    // What was found wrong while sources were connected holds until they are connected again.
    let lasting: Vec<Finding> = model.setup.findings.iter().filter(|f| f.rule == "source").cloned().collect();
    let broken = new.findings.iter().any(|f| f.level == Level::Error);
    let was_broken = model.setup.findings.iter().any(|f| f.level == Level::Error && f.rule != "source");
    model.setup.findings = new.findings.iter().cloned().chain(lasting).collect();
    if broken {
        return vec!["the configuration has errors; the settings in use stay".to_owned()];
    }
    let Some(old) = model.reload.settings.replace(Box::new(new.clone())) else { return Vec::new() };
    let mut told: Vec<String> = Vec::new();
    if was_broken {
        told.push("the configuration is in order again".to_owned());
    }
    let live = live(model, now, &old, &new, out);
    in_incidents(model, now, &live, out);
    if !live.is_empty() {
        told.push(format!("configuration: {} changed", live.join(", ")));
    }
    let restart = restart(model, &old.config, &new.config);
    if !restart.is_empty() {
        told.push(format!("configuration: restart to use {}", restart.join(", ")));
    }
    told
}

/// Settings that decide what happens in an incident: who is paged when, whom we ask and tell, what commands may do.
const MATTERS: [&str; 8] =
    ["severities", "sources", "targets", "outward_hold", "command_timeout", "env_pass", "arm_for", "read_only"];

/// Open incidents are told that they go on under other settings; cockpits of one file tell it once.
fn in_incidents(model: &mut Model, now: Timestamp, live: &[&str], out: &mut Vec<Effect>) {
    let named: Vec<&str> = live.iter().copied().filter(|name| MATTERS.contains(name)).collect();
    if named.is_empty() {
        return;
    }
    let open: Vec<_> = model.open_cases().iter().map(|c| c.shown.id.clone()).collect();
    for id in open {
        let detail = format!("with other {} at {}", named.join(", "), model.setup.host);
        let once = Some(format!("configuration:{detail}:{}", now.timestamp() / 300));
        record::machine(model, now, &id, Body::Cockpit { what: "configuration reloaded".into(), detail }, once, out);
    }
}

/// Applies what can change at once, and names it.
fn live(model: &mut Model, now: Timestamp, old: &Settings, new: &Settings, out: &mut Vec<Effect>) -> Vec<&'static str> {
    let mut named = Vec::new();
    let (before, after) = (&*old.config, &*new.config);
    if before.responder != after.responder && !after.responder.name.is_empty() {
        model.setup.responder.clone_from(&after.responder.name);
        named.push("responder");
    }
    if before.screen != after.screen {
        model.setup.slow = after.screen.slow;
        model.setup.bell = after.screen.bell;
        out.push(Effect::Restyle(Box::new(after.screen.clone())));
        named.push("screen");
    }
    if before.keys != after.keys {
        let (keymap, wrong) = Keymap::with(&after.keys);
        model.setup.keymap = keymap;
        for why in wrong {
            model.say(now, Tone::Warn, why);
        }
        named.push("keys");
    }
    if before.time_zone != after.time_zone {
        model.setup.zone = after.time_zone;
        named.push("time_zone");
    }
    if before.arm_for != after.arm_for {
        model.setup.arm_for = after.arm_for;
        named.push("arm_for");
    }
    if before.env_pass != after.env_pass {
        model.setup.env_pass.clone_from(&after.env_pass);
        named.push("env_pass");
    }
    if before.command_timeout != after.command_timeout {
        let limit = after.command_limit();
        model.setup.command_timeout = limit;
        let newer = model.reload.newer.values_mut().flatten();
        model.library.iter_mut().chain(newer).for_each(|book| *book = limited(book, limit));
        named.push("command_timeout");
    }
    if old.severities != new.severities {
        model.setup.severities = new.severities.clone();
        named.push("severities");
    }
    if old.template != new.template {
        model.setup.template = new.template.clone();
        named.push("postmortem_template");
    }
    if before.contacts != after.contacts {
        named.push("contacts");
    }
    if before.links != after.links {
        named.push("links");
    }
    if before.slos != after.slos {
        named.push("slos");
    }
    if before.runbooks != after.runbooks {
        named.push("runbooks");
    }
    if !before.read_only && after.read_only {
        // To the safe side at once; back only with a restart, because nothing that runs commands is there then.
        model.setup.read_only = true;
        model.exec.armed_until = None;
        named.push("read_only");
    }
    if before.outward_hold != after.outward_hold {
        model.outbox.hold = after.outward_hold;
        named.push("outward_hold");
    }
    if reconnect::ask(model, now, before, after, out) {
        named.push("sources");
    }
    if retarget(model, now, before, after, out) {
        named.push("targets");
    }
    if intervals(model, now, after) {
        named.push("poll_interval");
    }
    named
}

/// Asks for the targets that are new or were changed, and lets go of those that are not named any more.
fn retarget(model: &mut Model, now: Timestamp, before: &Config, after: &Config, out: &mut Vec<Effect>) -> bool {
    let kept = |new: &&OutsideConfig| before.outside.iter().any(|old| old.same(new));
    let connect: Vec<OutsideConfig> = after.outside.iter().filter(|new| !kept(new)).cloned().collect();
    let named = |old: &&OutsideConfig| after.outside.iter().any(|new| new.name == old.name);
    let remove: Vec<SourceName> = before.outside.iter().filter(|old| !named(old)).map(|old| old.name.clone()).collect();
    // One that was not named for a moment, while its file was written, is compared with what it was before.
    let last = &mut model.reload.targets;
    last.extend(before.outside.iter().map(|old| (old.name.clone(), old.clone())));
    for new in &connect {
        if last.insert(new.name.clone(), new.clone()).is_some_and(|old| reconnect::elsewhere(&old, new)) {
            model.outbox.moved(&new.name, now);
        }
    }
    let changed = !(connect.is_empty() && remove.is_empty());
    if changed {
        out.push(Effect::Retarget { connect, remove });
    }
    changed
}

/// Targets were connected anew, or could not be, or are gone: what waits for one that is not there says so.
pub fn targets(model: &mut Model, now: Timestamp, new: Retargeted) {
    let waiting = |model: &Model, name: &SourceName| model.outbox.open().filter(|e| e.op.target == *name).count();
    for facts in new.connected {
        model.say(now, Tone::Accent, format!("target {} is connected", facts.name));
        model.connect(facts, now);
    }
    for name in new.removed {
        model.disconnect(&name);
        let held = waiting(model, &name);
        let words = if held > 0 { format!("; {held} operation(s) for it are held") } else { String::new() };
        model.say(now, if held > 0 { Tone::Warn } else { Tone::Accent }, format!("target {name} is gone{words}"));
    }
    for (name, fault) in new.faults {
        model.disconnect(&name);
        model.say(now, Tone::Warn, format!("target {name} cannot be connected: {fault}"));
    }
}

/// Gives each source its interval. The first Alertmanager of two sources with one name has a longer name here.
fn intervals(model: &mut Model, now: Timestamp, config: &Config) -> bool {
    let mut changed = false;
    let named = config.prometheus.iter().map(|p| (p.name.clone(), p.connection.poll_interval));
    let clusters = config.alertmanager.iter().flat_map(|a| {
        let long = format!("{} alertmanager", a.name).into();
        [(a.name.clone(), a.connection.poll_interval), (long, a.connection.poll_interval)]
    });
    let all: Vec<_> = named.chain(clusters).collect();
    for link in model.links.values_mut() {
        if let Some((_, interval)) = all.iter().find(|(name, _)| *name == link.name)
            && link.interval != *interval
        {
            link.interval = *interval;
            link.next = link.next.min(now + *interval);
            changed = true;
        }
    }
    changed
}

/// What changed and is only read at the start.
fn restart(model: &Model, old: &Config, new: &Config) -> Vec<&'static str> {
    // Which sources there are decides who is asked for what; one that is another now is exchanged at once.
    let mut named = reconnect::others(model, new);
    for (differs, word) in [
        (old.postmortems != new.postmortems, "postmortems"),
        (old.cache != new.cache, "cache"),
        (old.log_level != new.log_level, "log_level"),
        (old.read_only && !new.read_only, "read_only"),
    ] {
        if differs {
            named.push(word);
        }
    }
    named
}
