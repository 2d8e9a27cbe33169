//! The ports of a simulated world together: those of the demo's production, or those of a drill. There is no other way to
//! make one, and none that takes a port from elsewhere: whoever is given these can reach nothing real.

use crate::domain::ids::SourceName;
use crate::domain::slo::objective::Objective;
use crate::io::fake::outside::FakeTarget;
use crate::io::fake::staged::Staged;
use crate::io::fake::{Simulation, THINKS, objectives};
use crate::io::port::{AlertSource, Metrics, Shell};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The ports of a simulated world.
#[derive(Clone, Debug)]
pub struct Ports {
    metrics: Arc<dyn Metrics>,
    alerts: Arc<dyn AlertSource>,
    shell: Arc<dyn Shell>,
    targets: BTreeMap<SourceName, FakeTarget>,
    objectives: Vec<Arc<Objective>>,
    peers: usize,
}

impl Ports {
    /// Those of the demo's production. They wait before they answer when it does.
    pub fn of_demo(simulation: &Simulation) -> Self {
        let thinks = simulation.waits;
        let think = |target: FakeTarget| if thinks { target.thinking(THINKS) } else { target };
        Self {
            metrics: Arc::new(simulation.metrics()),
            alerts: Arc::new(simulation.alerts()),
            shell: Arc::new(simulation.shell()),
            targets: simulation.targets().into_iter().map(|(name, target)| (name, think(target))).collect(),
            objectives: objectives(),
            peers: 2,
        }
    }

    /// Those of a drill.
    pub fn of_drill(staged: &Staged) -> Self {
        Self {
            metrics: Arc::new(staged.metrics()),
            alerts: Arc::new(staged.alerts()),
            shell: Arc::new(staged.shell()),
            targets: staged.targets(),
            objectives: staged.with(|stage| stage.objectives()),
            peers: 1,
        }
    }

    /// Where numbers come from.
    pub fn metrics(&self) -> Arc<dyn Metrics> {
        Arc::clone(&self.metrics)
    }

    /// Where alerts come from.
    pub fn alerts(&self) -> Arc<dyn AlertSource> {
        Arc::clone(&self.alerts)
    }

    /// Where commands are answered.
    pub fn shell(&self) -> Arc<dyn Shell> {
        Arc::clone(&self.shell)
    }

    /// Where writes go.
    pub fn targets(&self) -> &BTreeMap<SourceName, FakeTarget> {
        &self.targets
    }

    /// What is promised there.
    pub fn objectives(&self) -> Vec<Arc<Objective>> {
        self.objectives.clone()
    }

    /// Peers that its alerts come from.
    pub fn peers(&self) -> usize {
        self.peers
    }
}
