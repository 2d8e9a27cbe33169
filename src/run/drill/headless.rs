//! A drill without a screen: the production machine on the scenario's world, played by a script, by chance or by nobody, as
//! fast as the processor goes. A function of scenario, seed, runbooks and acts; takes no real port and waits for nothing.

use crate::domain::drill::history::Player;
use crate::domain::drill::script::Line;
use crate::domain::drill::stage::Stage;
use crate::domain::incident::event::Event;
use crate::domain::runbook::model::Runbook;
use crate::domain::time::secs;
use crate::run::drill::random::Random;
use crate::run::drill::scripted::Scripted;
use crate::run::sim::{Simulator, setup};
use std::sync::Arc;

/// Who acts.
#[derive(Clone, Debug, PartialEq)]
pub enum Responder {
    /// Nobody: the scenario is left to itself.
    Nobody,
    /// Chance, from the drill's seed.
    Random,
    /// A script.
    Script(Vec<Line>),
}

impl Responder {
    /// As the history calls it.
    pub fn player(&self) -> Player {
        match self {
            Self::Nobody => Player::Nobody,
            Self::Random => Player::Random,
            Self::Script(_) => Player::Script,
        }
    }
}

/// A drill that was played.
#[derive(Debug)]
pub struct Finished {
    /// The stage at its end.
    pub stage: Stage,
    /// Everything that was recorded, incident by incident.
    pub events: Vec<Event>,
    /// Drafts that were written: name and text.
    pub drafts: Vec<(String, String)>,
    /// Acts of a script that the cockpit refused.
    pub refused: Vec<String>,
    /// Invariants of the machine that did not hold; empty is what everybody hopes for.
    pub wrong: Vec<String>,
}

/// Seconds between two polls of a source.
const EVERY: i64 = 15;

/// Plays a drill to its end. `tick` is called once per second of the drill's clock.
pub fn play(
    stage: Stage,
    library: Vec<Arc<Runbook>>,
    who: &str,
    responder: Responder,
    tick: &mut dyn FnMut(),
) -> Finished {
    let seed = stage.seed();
    let last = stage.start() + stage.scenario().duration;
    let mut setup = setup(who);
    setup.drafts_in = "drill".into();
    let (mut sim, staged) = Simulator::of_drill(setup, stage, secs(EVERY), library);
    let mut script = None;
    let mut random = None;
    match responder {
        Responder::Nobody => {}
        Responder::Random => random = Some(Random::new(seed)),
        Responder::Script(lines) => script = Some(Scripted::new(lines)),
    }
    let ended = || staged.with(|stage| stage.ended().is_some());
    while !ended() && !sim.is_over() && sim.now() <= last {
        if let Some(script) = &mut script {
            script.act(&mut sim);
        }
        if let Some(random) = &mut random {
            random.act(&mut sim);
        }
        sim.pass(secs(1));
        tick();
    }
    if sim.is_over() {
        // The cockpit was left; the world goes on without it.
        staged.with(|stage| stage.advance(last));
    } else {
        sim.settle();
    }
    let refused = script.map(|script| script.refused().to_vec()).unwrap_or_default();
    Finished {
        events: sim.all_events(),
        drafts: sim.drafts().to_vec(),
        wrong: sim.wrong().to_vec(),
        stage: staged.with(|stage| stage.clone()),
        refused,
    }
}
