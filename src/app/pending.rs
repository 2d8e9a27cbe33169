//! Requests that were sent and are not answered. An answer whose number is not here is dropped.

use crate::app::recent::Subject;
use crate::app::suggested::Key;
use crate::domain::ids::{IncidentId, ReqId, SloId, SourceName};
use crate::domain::incident::event::EventKey;
use crate::domain::outward::operation::OpId;
use crate::domain::outward::question::Question;
use crate::domain::time::Span;
use std::collections::BTreeMap;

/// What was asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// Objectives of a source.
    Measure(SourceName),
    /// A step of history of a source.
    Warm(SourceName),
    /// The rows of a source's templates.
    Rows(SourceName),
    /// The signals of a source's services.
    Signals(SourceName),
    /// What an incident cost: for this incident and moment.
    Sample(IncidentId, String),
    /// The history of an objective's chart.
    Chart(SloId),
    /// Deploys and other changes of a source, over this range.
    Marks(SourceName, Span),
    /// What changed, of a feed, for a screen.
    Recent(Subject, SourceName),
    /// Alerts of a source.
    Alerts(SourceName),
    /// Alerting rules of a source.
    Rules(SourceName),
    /// A look at the files.
    Files,
    /// Events of an incident to be recorded.
    Append(IncidentId),
    /// Older events of an incident.
    Older(IncidentId),
    /// A policy band's crossing to be recorded.
    Crossing,
    /// All crossings of policy bands.
    Crossings,
    /// All events of an incident, for its draft.
    All(IncidentId),
    /// All events of an incident, of which a text was taken out.
    Refold(IncidentId),
    /// All events of an incident, to show it at an entry.
    Visit(IncidentId, Option<EventKey>),
    /// What was typed into the search.
    Search(String),
    /// Incidents that are like one.
    Similar(IncidentId),
    /// A step of an operation in the outbox.
    Step(OpId),
    /// A send or a look.
    Deliver(OpId),
    /// Something of a target.
    Target(SourceName, Question),
    /// A command.
    Run,
    /// What the condition of a change says: of this incident, by the run of the change.
    Verify(IncidentId, String),
    /// What the measurement of a check says.
    Suggest(Key),
    /// A draft of an incident.
    Draft(IncidentId),
    /// A copy.
    Copy,
}

/// Requests by number.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    next: u64,
    asked: BTreeMap<ReqId, Asked>,
}

impl Pending {
    /// A number for a new request.
    pub fn ask(&mut self, what: Asked) -> ReqId {
        self.next += 1;
        let req = ReqId(self.next);
        self.asked.insert(req, what);
        req
    }

    /// What was asked; the request is answered by that.
    pub fn take(&mut self, req: ReqId) -> Option<Asked> {
        self.asked.remove(&req)
    }

    /// What was asked; the request stays open (a command tells several times).
    pub fn peek(&self, req: ReqId) -> Option<&Asked> {
        self.asked.get(&req)
    }

    /// An incident got another id: what was asked about it is asked about that.
    pub fn rename(&mut self, from: &IncidentId, to: &IncidentId) {
        for asked in self.asked.values_mut() {
            match asked {
                Asked::Verify(id, _)
                | Asked::Sample(id, _)
                | Asked::Append(id)
                | Asked::Older(id)
                | Asked::All(id)
                | Asked::Refold(id)
                | Asked::Draft(id)
                    if id == from =>
                {
                    id.clone_from(to);
                }
                _ => {}
            }
        }
    }

    /// Nobody waits for these any more: their answers are dropped.
    pub fn forget(&mut self, mut like: impl FnMut(&Asked) -> bool) {
        self.asked.retain(|_, asked| !like(asked));
    }

    /// Whether something like this was asked and not answered.
    pub fn any(&self, mut like: impl FnMut(&Asked) -> bool) -> bool {
        self.asked.values().any(&mut like)
    }
}
