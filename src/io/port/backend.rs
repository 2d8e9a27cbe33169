//! The port of a paging product that keeps incidents.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::outward::backend::{BackendAlert, BackendIncident, Change, LogEntry, Me, OnCall, Priority};
use crate::domain::time::Timestamp;
use crate::io::port::{Outward, Task};

/// Incidents of a paging product. Writes go through [`Outward`] as
/// [`BackendWrite`](crate::domain::outward::backend::BackendWrite). A question that the product cannot answer is missing
/// from `caps`; the default answers say so too.
pub trait IncidentBackend: Outward {
    /// All open incidents that concern us, with what they will do by themselves. All pages of the answer.
    fn list(&self) -> Task<'_, Result<Vec<BackendIncident>, Fault>>;

    /// One incident, open or not.
    fn get<'a>(&'a self, id: &'a str) -> Task<'a, Result<BackendIncident, Fault>>;

    /// What happened to one since then, oldest first.
    fn log<'a>(&'a self, id: &'a str, since: Option<Timestamp>) -> Task<'a, Result<Vec<LogEntry>, Fault>> {
        let _ = (id, since);
        missing("no log")
    }

    /// The alerts in one.
    fn alerts<'a>(&'a self, id: &'a str) -> Task<'a, Result<Vec<BackendAlert>, Fault>> {
        let _ = id;
        missing("no alerts of an incident")
    }

    /// Who is on call now, by service name where given: who is paged.
    fn on_call<'a>(&'a self, service: Option<&'a str>) -> Task<'a, Result<Vec<OnCall>, Fault>> {
        let _ = service;
        missing("no on-call list")
    }

    /// The priorities that can be set.
    fn priorities(&self) -> Task<'_, Result<Vec<Priority>, Fault>> {
        missing("no priorities")
    }

    /// Recent changes around an instant.
    fn changes(&self, from: Timestamp, to: Timestamp) -> Task<'_, Result<Vec<Change>, Fault>> {
        let _ = (from, to);
        missing("no changes")
    }

    /// Who we are there.
    fn me(&self) -> Task<'_, Result<Me, Fault>>;
}

/// The answer of a product that has no such question.
pub(crate) fn missing<T: Send + 'static>(what: &str) -> Task<'static, Result<T, Fault>> {
    let fault = Fault::new(FaultKind::Rejected, "this target", what);
    Box::pin(std::future::ready(Err(fault)))
}
