//! Which objectives the server has recordings of: looked for every ten minutes, read at every poll. Judges no value.

use crate::domain::ids::SloId;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::reading::Window;
use crate::domain::slo::recorded::{self, Found};
use crate::domain::time::{Span, Timestamp};
use crate::io::prometheus::measure::asking::{Data, Heard, IN_FLIGHT, Question, all};
use crate::io::prometheus::measure::{Ask, Prometheus, lock};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How often recordings are looked for that were not there.
const AGAIN: Span = Span::minutes(10);

/// What is known of the server's recordings.
#[derive(Debug, Default)]
pub(super) struct Recordings {
    /// Objectives whose own window is recorded.
    known: HashSet<SloId>,
    /// Objectives that were looked for, and when that was last.
    looked: (HashSet<SloId>, Option<Timestamp>),
}

/// The recordings of one poll.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    /// What was found; `None` for an objective whose recordings vanished since they were looked for.
    pub(super) found: HashMap<SloId, Option<Found>>,
    /// Warnings of the answers, and whether something is missing in them.
    pub(super) warnings: Vec<String>,
    pub(super) partial: bool,
}

impl Recordings {
    /// Whether an objective is fed by recordings.
    pub(super) fn feeds(&self, id: &SloId) -> bool {
        self.known.contains(id)
    }

    /// The objectives to ask about now, and whether this is a search.
    fn due(&self, objectives: &[Arc<Objective>], now: Timestamp) -> (Vec<Arc<Objective>>, bool) {
        let recordable = || objectives.iter().filter(|o| recorded::is_recordable(o));
        let (seen, at) = &self.looked;
        let search = at.is_none_or(|at| now - at >= AGAIN || at > now) || recordable().any(|o| !seen.contains(&o.id));
        let asked = recordable().filter(|o| search || self.known.contains(&o.id)).cloned().collect();
        (asked, search)
    }
}

impl<A: Ask> Prometheus<A> {
    /// Reads the recordings of those objectives that have some: two requests at most, whatever their number.
    pub(super) async fn recorded(&self, objectives: &[Arc<Objective>], now: Timestamp, heard: &mut Heard) -> Recorded {
        let (asked, search) = lock(&self.recordings).due(objectives, now);
        let plain: Vec<&Objective> = asked.iter().map(|o| &**o).collect();
        let Some(queries) = recorded::queries(plain.iter().copied()) else { return Recorded::default() };
        let texts = vec![Question::Text(queries.values.clone()), Question::Text(queries.ages)];
        let (mut values, mut ages, mut out) = (None, None, Recorded::default());
        for (question, answer) in all(&self.ask, &self.permits, texts, IN_FLIGHT, now, heard).await {
            let Ok(answer) = answer else { continue };
            let Data::Vector(samples) = answer.data else { continue };
            if matches!(&question, Question::Text(text) if *text == queries.values) {
                out.partial = answer.partial || !answer.warnings.is_empty();
                out.warnings = answer.warnings;
                values = Some(samples);
            } else {
                ages = Some(samples);
            }
        }
        let mut recordings = lock(&self.recordings);
        let Some(values) = values else {
            // Nothing is known anew. What was recorded before is not measured in another way: it grows old.
            out.found = asked.iter().filter(|o| recordings.feeds(&o.id)).map(|o| (o.id.clone(), None)).collect();
            return out;
        };
        let found = recorded::read(&plain, &values, ages.as_deref(), now);
        let whole = |o: &Objective, f: &Option<Found>| f.as_ref().is_some_and(|f| f.has(Window::of(o.window)));
        if search {
            let named = asked.iter().zip(&found).filter(|(o, f)| whole(o, f));
            recordings.known = named.map(|(o, _)| o.id.clone()).collect();
            recordings.looked = (asked.iter().map(|o| o.id.clone()).collect(), Some(now));
        } else {
            // A mean that an idle moment poisoned, or a rule that is gone: the next poll looks again.
            let lost = asked.iter().zip(&found).any(|(o, f)| f.is_some() && !whole(o, f));
            if lost {
                recordings.looked.1 = None;
            }
        }
        out.found = asked
            .iter()
            .zip(found)
            .filter(|(o, _)| recordings.feeds(&o.id))
            .map(|(o, found)| (o.id.clone(), found))
            .collect();
        out
    }
}
