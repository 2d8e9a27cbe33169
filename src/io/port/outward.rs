//! What every target has in common: what it can do, one way to write, one way to look whether a write is done. The outbox
//! knows targets by this alone.

use crate::domain::fault::Fault;
use crate::domain::outward::capability::Caps;
use crate::domain::outward::operation::Operation;
use crate::domain::outward::outcome::{Found, Outcome};
use crate::domain::outward::pace::Pace;
use crate::domain::server_note::ServerNote;
use crate::io::port::Task;
use std::fmt;

/// A target of writes. An adapter implements this once for all its ports.
pub trait Outward: Send + Sync + fmt::Debug {
    /// What it can do, with the class of every write and the reason for everything missing. Cheap: from the
    /// configuration and what earlier answers taught (402, 403, a probe). Never asks the network.
    fn caps(&self) -> Caps;

    /// A person wants everything tried again: what earlier answers took away from [`Self::caps`] is given back.
    fn forget(&self) {}

    /// How fast it may be written to.
    fn pace(&self) -> Pace {
        Pace::default()
    }

    /// Sends one operation, one time. Never retries a write that may have been executed, never waits for a rate limit,
    /// ends within the endpoint's time limit. A write of class C reads first and compares with
    /// [`Operation::expected`]. An intent that is not for it is [`Outcome::unsupported`].
    fn apply<'a>(&'a self, op: &'a Operation) -> Task<'a, Outcome>;

    /// Looks whether an operation is done, and changes nothing. Asked for writes of class C whose result is unknown, and
    /// for everything that was accepted.
    fn look<'a>(&'a self, op: &'a Operation) -> Task<'a, Found> {
        let _ = op;
        Box::pin(std::future::ready(Found::NoWay))
    }

    /// A cheap question that says whether it is there, who we are, and what the token may; it may change [`Self::caps`].
    /// For `doctor` and after a 401; `requests` of its note says how many it took. A target without any question answers `Ok`
    /// with no requests made, and [`Self::unprobed`] says why.
    fn probe(&self) -> Task<'_, Result<ServerNote, Fault>> {
        Box::pin(std::future::ready(Ok(ServerNote::default())))
    }

    /// Why [`Self::probe`] asks nothing, for `doctor`.
    fn unprobed(&self) -> String {
        "it has no question that changes nothing; its settings and secrets were read".into()
    }
}
