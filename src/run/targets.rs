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

    /// Puts a target in the place of the one of the same name.
    pub fn put(&self, name: &SourceName, target: Target) -> TargetFacts {
        let (facts, caps) = (target.facts(name), target.outward.caps());
        self.lock().insert(name.clone(), (target, caps));
        facts
    }

    /// A person wants tried again what its answers said that it cannot do.
    pub fn forget(&self, name: &SourceName) {
        if let Some((target, _)) = self.lock().get(name) {
            target.outward.forget();
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Environment, Flags, Inputs};
    use crate::domain::fault::Fault;
    use crate::domain::outward::capability::{Capability, Lack};
    use crate::domain::outward::operation::Operation;
    use crate::domain::outward::outcome::Outcome;
    use crate::io::port::{Outward, Task};
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    fn entries(text: &str) -> Vec<OutsideConfig> {
        let (environment, flags) = (Environment::new(), Flags::default());
        let inputs = Inputs {
            file: Some(("config.yaml", text)),
            folder: Path::new("/nowhere"),
            environment: &environment,
            flags: &flags,
            machine_zone: None,
        };
        config::read(&inputs).config.outside
    }

    const HOOK: &str =
        "event_sinks: [{name: hook, kind: webhook, url: 'http://127.0.0.1:9', options: {audience: ops}}]\n";

    #[test]
    fn new_ones_are_there_changed_ones_are_others_and_gone_ones_are_gone() {
        let targets = Targets::new(BTreeMap::new());
        let new = targets.change(&entries(HOOK), Vec::new());
        assert_eq!((new.connected.len(), new.faults.len()), (1, 0));
        assert_eq!(new.connected[0].audience.as_deref(), Some("ops"));
        let name = SourceName::from("hook");
        assert_eq!(targets.get(&name).unwrap().address, "http://127.0.0.1:9/");
        let moved = targets.change(&entries(&HOOK.replace(":9'", ":7', read_only: true")), Vec::new());
        assert_eq!(moved.connected[0].caps.class(Capability::Trigger), None);
        assert_eq!(targets.get(&name).unwrap().address, "http://127.0.0.1:7/");
        assert_eq!(targets.change(&[], vec![name.clone()]).removed, std::slice::from_ref(&name));
        assert!(targets.get(&name).is_none());
        targets.change(&entries(HOOK), Vec::new());
        let wrong = targets.change(&entries(&HOOK.replace("webhook", "nothing")), Vec::new());
        assert_eq!(wrong.faults[0].0, name);
        assert!(targets.get(&name).is_none(), "the old one is not what is meant");
    }

    #[test]
    fn an_entry_that_only_moved_in_its_file_is_the_same() {
        let (a, b) = (entries(HOOK), entries(&format!("# a line more\ntheme: dark\n{HOOK}")));
        assert!(a[0] != b[0] && a[0].same(&b[0]));
        for other in ["audience: dba", "audience: ops, idempotent: true", "idempotent: true"] {
            assert!(!a[0].same(&entries(&HOOK.replace("audience: ops", other))[0]), "{other}");
        }
        assert!(!a[0].same(&entries(&HOOK.replace(", options: {audience: ops}", ""))[0]));
        assert!(!a[0].same(&entries(&HOOK.replace("hook,", "other,"))[0]));
    }

    #[derive(Debug, Default)]
    struct Learner(AtomicBool);

    impl Outward for Learner {
        fn caps(&self) -> Caps {
            let caps = Caps::none().with(crate::domain::outward::capability::Class::Repeat, &[Capability::Note]);
            match self.0.load(Ordering::SeqCst) {
                true => caps.without(Lack::PlanLacks, "notes", &[Capability::Note]),
                false => caps,
            }
        }

        fn forget(&self) {
            self.0.store(false, Ordering::SeqCst);
        }

        fn apply<'a>(&'a self, _: &'a Operation) -> Task<'a, Outcome> {
            self.0.store(true, Ordering::SeqCst);
            Box::pin(std::future::ready(Outcome::unsupported("the plan")))
        }

        fn probe(&self) -> Task<'_, Result<crate::domain::server_note::ServerNote, Fault>> {
            Box::pin(std::future::ready(Ok(Default::default())))
        }
    }

    #[test]
    fn what_an_answer_taught_is_told_once() {
        let learner = Arc::new(Learner::default());
        let target = Target::new("x", "x", Duration::from_secs(1), learner.clone());
        let name = SourceName::from("x");
        let targets = Targets::new(BTreeMap::from([(name.clone(), target)]));
        assert!(targets.taught(&name).is_none());
        learner.0.store(true, Ordering::SeqCst);
        let facts = targets.taught(&name).unwrap();
        assert_eq!(facts.caps.why_not(Capability::Note).as_deref(), Some("the plan does not include it: notes"));
        assert!(targets.taught(&name).is_none());
        targets.forget(&name);
        assert!(targets.taught(&name).unwrap().caps.class(Capability::Note).is_some());
    }
}
