//! The silences of the simulated Alertmanager: what is silenced is held, and everything is forgotten with the program. Never
//! writes to a real one.

use crate::domain::alert::{Alert, AlertState};
use crate::domain::fault::Fault;
use crate::domain::outward::capability::{Capability, Caps, Class};
use crate::domain::outward::intent::Intent;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Found, Outcome, Reference};
use crate::domain::outward::silence::filter::Filter;
use crate::domain::outward::silence::{Silence, SilenceState, SilenceWrite};
use crate::domain::time::Timestamp;
use crate::io::fake::{FakeAlerts, THINKS};
use crate::io::port::{Outward, Silences, Target, Task};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is silenced.
#[derive(Debug, Default)]
pub(super) struct Book(Mutex<Vec<Silence>>);

impl Book {
    fn lock(&self) -> MutexGuard<'_, Vec<Silence>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As they stand at an instant.
    fn at(&self, now: Timestamp) -> Vec<Silence> {
        let state = |s: &Silence| match (s.starts_at > now, s.ends_at > now) {
            (_, false) => SilenceState::Expired,
            (true, true) => SilenceState::Pending,
            (false, true) => SilenceState::Active,
        };
        self.lock().iter().map(|s| Silence { state: state(s), ..s.clone() }).collect()
    }

    /// Holds the firing alerts that are silenced.
    pub(super) fn hold(&self, alerts: &mut [Alert], now: Timestamp) {
        for silence in self.at(now).iter().filter(|s| s.state == SilenceState::Active) {
            let Ok(filter) = Filter::new(&silence.matchers) else { continue };
            let free = |a: &&mut Alert| matches!(a.state, AlertState::Firing | AlertState::Silenced);
            for alert in alerts.iter_mut().filter(free).filter(|a| filter.catches(&a.labels)) {
                alert.state = AlertState::Silenced;
                alert.held_by.push(silence.id.clone());
            }
        }
    }

    fn write(&self, op: &Operation, now: Timestamp) -> Outcome {
        let Intent::Silence(write) = &op.intent else { return Outcome::unsupported("not simulated") };
        let mut all = self.lock();
        match write {
            SilenceWrite::Create { matchers, starts_at, ends_at, comment } => {
                let id = format!("{:08x}-0000-4000-8000-000000000000", all.len() + 1);
                all.push(Silence {
                    id: id.clone(),
                    matchers: matchers.clone(),
                    starts_at: *starts_at,
                    ends_at: *ends_at,
                    created_by: op.created_by.clone(),
                    comment: format!("{comment} {}", op.marker()),
                    state: SilenceState::Active,
                });
                Outcome::Applied(Reference::id(id))
            }
            SilenceWrite::Extend { silence, ends_at } => match all.iter_mut().find(|s| s.id == silence.id) {
                Some(there) if there.ends_at > now => {
                    there.ends_at = *ends_at;
                    Outcome::Applied(Reference::id(silence.id.clone()))
                }
                _ => Outcome::Conflict { current: "the silence is over".into() },
            },
            SilenceWrite::Expire { id } => match all.iter_mut().find(|s| s.id == *id) {
                Some(there) => {
                    there.ends_at = there.ends_at.min(now);
                    Outcome::Applied(Reference::id(id.clone()))
                }
                None => Outcome::AlreadyDone(Reference::id(id.clone())),
            },
        }
    }
}

impl FakeAlerts {
    /// As a target of silences.
    pub fn target(&self) -> Target {
        let me = Arc::new(self.clone());
        Target::new("simulated", "simulated", Duration::from_secs(5), me.clone()).with_silences(me)
    }
}

impl Outward for FakeAlerts {
    fn caps(&self) -> Caps {
        Caps::none()
            .with(Class::Compare, &[Capability::CreateSilence])
            .with(Class::Repeat, &[Capability::ExtendSilence, Capability::ExpireSilence, Capability::ReadSilences])
    }

    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome> {
        Box::pin(async move {
            self.simulation().pause(THINKS).await;
            self.simulation().shared.silences.write(op, self.simulation().now())
        })
    }

    fn look<'a>(&'a self, op: &'a Operation) -> Task<'a, Found> {
        let all = self.simulation().shared.silences.lock();
        let found = all.iter().find(|s| s.comment.contains(&op.marker()));
        let found = found.map_or(Found::Absent, |s| Found::Done(Reference::id(s.id.clone())));
        Box::pin(std::future::ready(found))
    }
}

impl Silences for FakeAlerts {
    fn silences(&self) -> Task<'_, Result<Vec<Silence>, Fault>> {
        Box::pin(async move {
            self.simulation().pause(THINKS).await;
            Ok(self.simulation().shared.silences.at(self.simulation().now()))
        })
    }
}
