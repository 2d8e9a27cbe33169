//! Watching here whether the last change helps, where no cockpit runs: looked at until it held or its time is over, each
//! look on a line of its own. An interruption leaves it to whoever watches next.

use crate::cli::failure::Failure;
use crate::cli::look;
use crate::cli::runbook::exec::Interrupted;
use crate::cli::runbook::walk::{Next, Session};
use crate::domain::incident::event::Body;
use crate::domain::runbook::hold::{Hold, Look, Verdict, judge, judge_rate, words};
use crate::domain::runbook::model::{Condition, Verify};
use crate::domain::slo::burn;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::Window;
use crate::domain::time::{clock, compact};
use crate::io::clock;
use crate::io::port::Metrics;
use crate::io::prometheus::source::prometheus;
use crate::run::endpoints;
use std::sync::Arc;
use std::time::Duration;

/// How often an interruption is looked for.
const TICK: Duration = Duration::from_millis(200);

impl Session<'_, '_> {
    /// Watches the last change that is not proved yet.
    pub(super) fn verify(&mut self) -> Result<Next, Failure> {
        let nothing = || Failure::Refused("no change waits to be proved".to_owned());
        let state = self.state()?.ok_or_else(nothing)?;
        let open = state.in_force().find(|c| c.verify.as_ref().is_some_and(|v| v.end.is_none())).cloned();
        let (change, began) = open.and_then(|c| Some((c.clone(), c.verify?.began))).ok_or_else(nothing)?;
        let step = self.book.step(&change.place.step);
        let verify = step.and_then(|s| s.mutation(&change.id)).and_then(|m| m.verify.clone());
        let verify = verify.ok_or_else(|| Failure::Refused("this runbook does not say how to look".to_owned()))?;
        let Some((desk, id)) = &mut self.desk else { return Err(nothing()) };
        let source = desk.config.prometheus.first();
        let source = source.ok_or_else(|| Failure::Refused("no Prometheus is configured to ask".to_owned()))?;
        let endpoint = endpoints::prometheus(source).map_err(|fault| Failure::Refused(fault.to_string()))?;
        let port = prometheus(source.name.clone(), endpoint);
        let objective = match &verify.what {
            Condition::Slo { slo, .. } => {
                let known = look::objectives(desk.context).into_iter().find(|o| o.id == *slo);
                Some(known.ok_or_else(|| Failure::Refused(format!("there is no objective {slo}")))?)
            }
            Condition::Promql { .. } => None,
            Condition::Exec(_) => {
                return Err(Failure::Refused("a command tells it: a cockpit on this record runs it".to_owned()));
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::Refused(format!("nothing can be asked: {error}")))?;
        let interrupted = Interrupted::watch()?;
        let what = words(&verify.what);
        let mut hold = Hold::new(&verify, began);
        // Looks that nobody made since then are no gap of this watch.
        let verdict = loop {
            let seen = runtime.block_on(one(&port, &verify, objective.as_ref()));
            let now = clock::now();
            let verdict = hold.take(now, seen.clone());
            let (said, held) = match &seen {
                Look::Holds(seen) => (seen.clone(), hold.left(now).map(|l| format!(", {} to go", compact(l)))),
                Look::Fails(seen) => (format!("{seen}, not yet"), None),
                Look::NoData(why) => (format!("NO DATA: {why}"), None),
            };
            self.output.line(&format!("{} {what}: {said}{}", clock(now), held.unwrap_or_default()))?;
            self.output.finish()?;
            if verdict != Verdict::Waiting {
                break verdict;
            }
            let next = (hold.next() - clock::now()).to_std().unwrap_or_default();
            let wait = async {
                let asked = async {
                    while !interrupted.asked() {
                        tokio::time::sleep(TICK).await;
                    }
                };
                tokio::time::timeout(next, asked).await.is_ok()
            };
            if runtime.block_on(wait) {
                return Err(Failure::Interrupted);
            }
        };
        drop(interrupted);
        let once = Some(format!("verify:{}", change.run));
        match verdict {
            Verdict::Held(since) => {
                desk.note(id, Body::VerifyHeld { run: change.run.clone(), since, what }, once)?;
                if state.times.mitigated.is_none() {
                    desk.note_at(id, since, Body::Mitigated, Some(format!("mitigated:{}", change.run)))?;
                }
                self.output.line(&format!("held since {}", clock(since)))?;
            }
            Verdict::Failed(why) => {
                self.output.line(&format!("did not hold: {why}; `rollback` takes it back"))?;
                desk.note(id, Body::VerifyFailed { run: change.run.clone(), why }, once)?;
            }
            Verdict::Waiting => {}
        }
        Ok(Next::Stay)
    }
}

/// One look.
async fn one(port: &impl Metrics, verify: &Verify, objective: Option<&Arc<Objective>>) -> Look {
    let now = clock::now();
    match (&verify.what, objective) {
        (Condition::Promql { query, op, value, any }, _) => match port.query(query, now).await {
            Ok(samples) => judge(&samples, *op, *value, *any),
            Err(fault) => Look::NoData(fault.to_string()),
        },
        (Condition::Slo { window, op, value, .. }, Some(objective)) => {
            let window = Window::of(*window);
            match port.measure(std::slice::from_ref(objective), &[window], now).await {
                Ok((measured, _)) => {
                    let found = measured.iter().find(|m| m.slo == objective.id).filter(|m| !m.partial);
                    let counts = found.and_then(|m| m.windows.get(&window)).and_then(|(_, r)| r.counts());
                    judge_rate(counts.and_then(|counts| burn::rate(counts, objective.target)), *op, *value)
                }
                Err(fault) => Look::NoData(fault.to_string()),
            }
        }
        _ => Look::NoData("nothing says how to look".to_owned()),
    }
}
