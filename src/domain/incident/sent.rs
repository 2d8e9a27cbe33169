//! What was asked of other people's systems for one purpose, and what came of it: the ticket of an action item, the notice on
//! a status page, the mark on a dashboard. Derived from the record; decides nothing.

use crate::domain::ids::SourceName;
use crate::domain::incident::state::{Incident, Outside};
use crate::domain::outward::capability::Capability;
use crate::domain::outward::outcome::Reference;

/// Where a purpose stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It was never asked for.
    Nowhere,
    /// It is on its way to this target.
    UnderWay(SourceName),
    /// It is there, under this reference; an empty one was made by hand.
    There(SourceName, Reference),
    /// The last try ended badly, and how.
    Failed(SourceName, String),
}

impl Standing {
    /// Its word in JSON and lists.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Nowhere => "none",
            Self::UnderWay(_) => "queued",
            Self::There(..) => "there",
            Self::Failed(..) => "failed",
        }
    }

    /// Its reference, once it is there.
    pub fn reference(&self) -> Option<&Reference> {
        match self {
            Self::There(_, reference) => Some(reference),
            _ => None,
        }
    }
}

/// What was asked for one purpose, in order. `about` is [`crate::domain::outward::operation::Operation::about`].
pub fn asked<'i>(i: &'i Incident, capability: Capability, about: &str) -> impl Iterator<Item = &'i Outside> {
    i.outside.values().filter(move |o| o.capability == capability && o.about.as_deref() == Some(about))
}

/// Where a purpose stands: what is there counts before what is on its way, and that before what failed.
pub fn standing(i: &Incident, capability: Capability, about: &str, target: Option<&SourceName>) -> Standing {
    let mut out = Standing::Nowhere;
    for one in asked(i, capability, about).filter(|o| target.is_none_or(|name| o.target == *name)) {
        let name = one.target.clone();
        match &one.end {
            Some(end) if end.good() => {
                return Standing::There(name, end.reference().cloned().unwrap_or_default());
            }
            None => out = Standing::UnderWay(name),
            Some(end) if !matches!(out, Standing::UnderWay(_)) => {
                out = Standing::Failed(name, format!("{}: {}", end.word(), end.words()));
            }
            Some(_) => {}
        }
    }
    out
}

/// The key under which the incident holds the next try once: cockpits that ask at the same time ask one time.
pub fn next_try(i: &Incident, capability: Capability, about: &str, target: &SourceName) -> String {
    let tries = asked(i, capability, about).filter(|o| o.target == *target && o.end.is_some()).count();
    format!("{}:{target}:{about}:{tries}", capability.word())
}

/// Pages of what was made outside, oldest first.
pub fn pages(i: &Incident) -> impl Iterator<Item = &str> {
    let made = [Capability::CreateTicket, Capability::OpenNotice, Capability::Annotate];
    let good = move |o: &&Outside| made.contains(&o.capability);
    i.outside.values().filter(good).filter_map(|o| o.end.as_ref().filter(|end| end.good())?.reference()?.url.as_deref())
}
