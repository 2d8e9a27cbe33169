//! Which rows templates have: the label sets of their series over the objective's window, read from the server's index. A
//! row that vanished stays one for as long as its events count.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::slo::grouping;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::warm::Rows;
use crate::domain::time::Timestamp;
use crate::io::prometheus::measure::{Ask, Prometheus};
use std::sync::Arc;

impl<A: Ask> Prometheus<A> {
    /// One request per template. What fails for one leaves the others; `Err` only where none was answered.
    pub(super) async fn rows_of(&self, templates: &[Arc<Objective>], now: Timestamp) -> Result<Vec<Rows>, Fault> {
        let (mut all, mut failed) = (Vec::new(), None);
        for template in templates {
            let Some(selector) = grouping::selector(template) else {
                let what = format!("objective {}", template.id);
                failed = Some(Fault::new(FaultKind::Local, what, "its rows cannot be told from its text"));
                continue;
            };
            let _permit = self.permits.acquire().await;
            match self.ask.series(&selector, now - template.window, now).await {
                Ok(answer) => all.push(grouping::rows(template, &answer.data)),
                Err(fault) => failed = Some(fault),
            }
        }
        match failed {
            Some(fault) if all.is_empty() => Err(fault),
            _ => Ok(all),
        }
    }
}
