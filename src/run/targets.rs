//! The targets of writes under a running cockpit: looked up for every operation, exchanged when the configuration changes,
//! and watched for what their answers teach. An operation that is being sent when its target is exchanged ends with the old
//! one.

use crate::app::msg::Retargeted;
use crate::config::OutsideConfig;
use crate::domain::ids::SourceName;
use crate::domain::outward::capability::Caps;
use crate::domain::outward::target::TargetFacts;
use crate::io::port::Target;
use crate::run::integrations;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Targets by name, each with what the machine was told that it can do.
#[derive(Debug)]
pub struct Targets(Mutex<BTreeMap<SourceName, (Target, Caps)>>);

impl Targets {
    /// Those of the start.
    pub fn new(all: BTreeMap<SourceName, Target>) -> Self {
        let told = |(name, target): (SourceName, Target)| {
            let caps = target.outward.caps();
            (name, (target, caps))
        };
        Self(Mutex::new(all.into_iter().map(told).collect()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SourceName, (Target, Caps)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A target; its ports are shared.
    pub fn get(&self, name: &SourceName) -> Option<Target> {
        self.lock().get(name).map(|(target, _)| target.clone())
    }

    /// What a target can do, if that is not what was told last.
    pub fn taught(&self, name: &SourceName) -> Option<TargetFacts> {
        let mut all = self.lock();
        let (target, told) = all.get_mut(name)?;
        let caps = target.outward.caps();
        if caps == *told {
            return None;
        }
        *told = caps;
        Some(target.facts(name))
    }

    /// Connects entries of the configuration and lets go of others. One that cannot be made takes the old one away: it is
    /// not what is meant any more.
    pub fn change(&self, connect: &[OutsideConfig], remove: Vec<SourceName>) -> Retargeted {
        let mut new = Retargeted { removed: remove, ..Retargeted::default() };
        let made: Vec<_> = connect.iter().map(|entry| (&entry.name, integrations::connect(entry))).collect();
        let mut all = self.lock();
        for name in &new.removed {
            all.remove(name);
        }
        for (name, made) in made {
            match made {
                Ok(target) => {
                    new.connected.push(target.facts(name));
                    let caps = target.outward.caps();
                    all.insert(name.clone(), (target, caps));
                }
                Err(fault) => {
                    all.remove(name);
                    new.faults.push((name.clone(), fault));
                }
            }
        }
        new
    }
}
