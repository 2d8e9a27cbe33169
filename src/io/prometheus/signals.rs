//! Reads the golden signals of services: a few instant queries at the poll's own instant. A query that the server refuses
//! is looked for by halves, so that it costs the others nothing.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::slo::sample::Sample;
use crate::domain::slo::service::Service;
use crate::domain::slo::signals::{ServiceReading, SignalRequest, join, requests};
use crate::domain::time::Timestamp;
use crate::io::prometheus::measure::Ask;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Requests at the same time; the poll of the objectives has its own.
const IN_FLIGHT: usize = 2;
/// Requests that refusals may cause while the refused queries are looked for.
const SEARCH: usize = 32;

/// Reads every signal of the services. `Err` when nothing was answered at all.
pub async fn read<A: Ask>(
    ask: &Arc<A>,
    services: &[Arc<Service>],
    now: Timestamp,
) -> Result<Vec<ServiceReading>, Fault> {
    let mut queue: VecDeque<SignalRequest> = requests(services).into();
    let mut done: Vec<(SignalRequest, Result<Vec<Sample>, Fault>)> = Vec::new();
    let mut searches = 0;
    let mut running = JoinSet::new();
    loop {
        while running.len() < IN_FLIGHT
            && let Some(request) = queue.pop_front()
        {
            let ask = Arc::clone(ask);
            running.spawn(async move {
                let answer = ask.instant(&request.query(), now).await;
                (request, answer)
            });
        }
        let Some(joined) = running.join_next().await else { break };
        let Ok((request, answer)) = joined else { continue };
        if let Err(fault) = &answer
            && fault.kind == FaultKind::Rejected
            && searches < SEARCH
            && let Some((a, b)) = request.halves()
        {
            searches += 1;
            queue.extend([a, b]);
            continue;
        }
        done.push((request, answer.map(|a| a.data)));
    }
    let dead =
        |answer: &Result<Vec<Sample>, Fault>| answer.as_ref().err().filter(|f| f.kind != FaultKind::Rejected).cloned();
    let faults: Vec<Fault> = done.iter().filter_map(|(_, answer)| dead(answer)).collect();
    match faults.into_iter().next() {
        Some(fault) if done.iter().all(|(_, answer)| answer.is_err()) => Err(fault),
        _ => Ok(join(services, now, &done)),
    }
}
