//! The Alertmanager of a drill. Never asks a real one.

use crate::domain::alert::AlertSnapshot;
use crate::domain::drill::scenario::Tool;
use crate::domain::fault::Fault;
use crate::io::fake::staged::Staged;
use crate::io::port::{AlertSource, Task};

const WHAT: &str = "alertmanager drill";

/// The alerts port of a [`Staged`].
#[derive(Clone, Debug)]
pub struct StagedAlerts {
    staged: Staged,
}

impl StagedAlerts {
    pub(super) fn new(staged: Staged) -> Self {
        Self { staged }
    }
}

impl AlertSource for StagedAlerts {
    fn snapshot(&self) -> Task<'_, Result<AlertSnapshot, Fault>> {
        Box::pin(async move {
            self.staged.ask(Tool::Alertmanager, WHAT).await?;
            Ok(AlertSnapshot {
                alerts: self.staged.with(|stage| stage.alerts()),
                answered: 1,
                peers: 1,
                faults: Vec::new(),
                version: Some("simulated".to_owned()),
            })
        })
    }
}
