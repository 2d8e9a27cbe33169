//! The simulated Alertmanager: two peers that agree. Never asks a real one.

use crate::domain::alert::AlertSnapshot;
use crate::domain::drill::alarm;
use crate::domain::fault::Fault;
use crate::io::fake::Simulation;
use crate::io::port::AlertSource;
use crate::io::port::Task;

const WHAT: &str = "alertmanager demo";
const PEERS: usize = 2;

/// The alerts port of a [`Simulation`].
#[derive(Clone, Debug)]
pub struct FakeAlerts {
    simulation: Simulation,
}

impl FakeAlerts {
    pub(super) fn new(simulation: Simulation) -> Self {
        Self { simulation }
    }

    pub(super) fn simulation(&self) -> &Simulation {
        &self.simulation
    }

    async fn answer(&self) -> Result<AlertSnapshot, Fault> {
        let simulation = &self.simulation;
        simulation.ask(&simulation.shared.alerts_fault, WHAT).await?;
        let now = simulation.now();
        let mut alerts = alarm::alerts(&simulation.production(), now);
        simulation.shared.silences.hold(&mut alerts, now);
        Ok(AlertSnapshot {
            alerts,
            answered: PEERS,
            peers: PEERS,
            faults: vec![],
            version: Some("simulated".to_owned()),
        })
    }
}

impl AlertSource for FakeAlerts {
    fn snapshot(&self) -> Task<'_, Result<AlertSnapshot, Fault>> {
        Box::pin(self.answer())
    }
}
