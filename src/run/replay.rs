//! A replay: the machine on a recorded incident and on nothing else. Its world has no source, no target, no shell, no record
//! and no folder to write to, so that there is nothing to ask, to run or to change; the clock on the wall only paces it.

use crate::app::model::Model;
use crate::app::replay::Replay;
use crate::domain::ids::SloId;
use crate::domain::incident::reel::Reel;
use crate::domain::slo::event_slices::EventSlices;
use crate::domain::slo::objective::Objective;
use crate::domain::time::Timestamp;
use crate::io::clock;
use crate::io::prometheus::measure::disk::Disk;
use crate::io::prometheus::measure::past::slices;
use crate::run::endpoints;
use crate::run::setup::{Given, Ready, read_objectives, settings, setup};
use crate::run::world::{RunbookText, World};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Prepares a replay that stands at its beginning or at `at`. `None` where nothing was declared by its end.
/// Objectives and runbooks are those of today's files; of objectives, slices that the cache still has are shown.
pub fn prepare(given: &Given<'_>, reel: Reel, at: Option<Timestamp>, speed: u32) -> Option<Ready> {
    let whole = reel.fold(reel.end())?;
    let (objectives, plans, found) = read_objectives(&given.slo_files);
    let kept = kept(given, &objectives);
    let shown = |o: &Arc<Objective>| whole.objectives.contains(&o.id) || kept.contains_key(&o.id);
    let objectives = objectives.into_iter().filter(shown).collect();
    let mut findings = given.findings.clone();
    findings.extend(found);
    let mut setup = setup(given, &mut findings, None);
    (setup.read_only, setup.bell, setup.cache, setup.configured) = (true, false, false, true);
    setup.findings = findings;
    let mut model = Model::new(setup, objectives, Vec::new());
    model.fleet.plan(plans);
    // How to reach whom, as it is known today.
    let known = settings(given.config, given.severities.clone(), Vec::new());
    model.reload.settings = Some(Box::new(known));
    let mut replay = Replay::new(whole.id.clone(), reel, speed, clock::now());
    replay.slices = kept;
    if let Some(at) = at {
        replay.seek(at);
    }
    model.replay = Some(replay);
    model.nav.open(crate::app::screen::Screen::Incident(whole.id));
    crate::app::update::settle(&mut model);
    let world = World {
        metrics: BTreeMap::new(),
        alerts: BTreeMap::new(),
        targets: BTreeMap::new(),
        shell: None,
        store: None,
        drafts: PathBuf::new(),
        cache: None,
        slos: Vec::new(),
        runbooks: given.runbook_files.iter().cloned().map(RunbookText::File).collect(),
        watch: None,
        finder: None,
        clip: None,
        news: None,
        go_on: None,
        now: Arc::new(clock::now),
    };
    Some(Ready { model, world, patience: Duration::ZERO, pace: Arc::new(|| 1), torn: None })
}

/// Slices that outlived the incident, from the cache of every source; where two have an objective, the first.
fn kept(given: &Given<'_>, objectives: &[Arc<Objective>]) -> BTreeMap<SloId, Arc<EventSlices>> {
    let mut found = BTreeMap::new();
    if !given.config.cache {
        return found;
    }
    for source in &given.config.prometheus {
        let Ok(endpoint) = endpoints::prometheus(source) else { continue };
        let own = |o: &&Arc<Objective>| o.source.as_ref().is_none_or(|name| *name == source.name);
        let own: Vec<Arc<Objective>> = objectives.iter().filter(own).cloned().collect();
        for (id, slices) in slices(&Disk::new(&given.cache, &source.name, endpoint.url()), &own) {
            found.entry(id).or_insert(slices);
        }
    }
    found
}
