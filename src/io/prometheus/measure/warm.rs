//! One step of reading history: the newest stretch that somebody lacks, for as many as lack the same one. Small on purpose:
//! keys, polls and alerts never wait for it, and a server that is busy is asked little.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::slo::assemble;
use crate::domain::slo::event_slices::Stretch;
use crate::domain::slo::objective::Objective;
use crate::domain::slo::plan::{Groups, pace, ranges};
use crate::domain::slo::reading::Measurement;
use crate::domain::slo::warm::Warmed;
use crate::domain::time::{Span, Timestamp};
use crate::io::prometheus::answer::Answer;
use crate::io::prometheus::measure::asking::{Data, Heard, Question, all};
use crate::io::prometheus::measure::kept::{Body, Kept, PACE};
use crate::io::prometheus::measure::poll::{Taken, slices, take, wants_of};
use crate::io::prometheus::measure::{Ask, LOOKED_AT, Prometheus, lock};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most objectives of one step.
const STEP: usize = 250;
/// Requests of a step at the same time: half of what a server is asked at once, so that a poll finds a free place.
const AT_ONCE: usize = 2;

impl<A: Ask> Prometheus<A> {
    pub(super) async fn warmed(
        &self,
        first: &[Arc<Objective>],
        rest: &[Arc<Objective>],
        now: Timestamp,
    ) -> Result<Warmed, Fault> {
        self.recall().await;
        self.remember(first);
        let Some((stretch, list)) = self.next(first, rest, now) else {
            return Ok(Warmed { left: self.left(first, rest, now), ..Warmed::default() });
        };
        let everyone: BTreeSet<usize> = (0..list.len()).collect();
        let (groups, mut heard) = (Groups::of(&list), Heard::default());
        self.look_at_paces(&list, &groups, now, &mut heard).await;
        let scrapes: Vec<Option<u32>> = {
            let kept = lock(&self.kept);
            list.iter().map(|o| kept.scrape(&o.id)).collect()
        };
        let scrape = |index: usize| scrapes.get(index).copied().flatten();
        let mut questions = slices(&groups, stretch, &everyone, &scrape);
        let timed = ranges::requests(&list, &wants_of(&list, stretch, &everyone));
        questions.extend(timed.into_iter().map(Question::Timed));
        let answers = all(&self.ask, &self.permits, questions, AT_ONCE, now, &mut heard).await;
        let stretches = BTreeMap::from([(stretch, everyone)]);
        let measurements = {
            let mut kept = lock(&self.kept);
            let taken = take(&mut kept, &list, &stretches, &answers);
            refused(&mut kept, &list, stretch, &taken);
            list.iter().filter_map(|o| told(&kept, o, now)).collect()
        };
        self.write_sometimes(now);
        match heard.dead() {
            Some(fault) => Err(fault),
            None => Ok(Warmed { measurements, left: self.left(first, rest, now), note: heard.note }),
        }
    }

    /// Counts the samples of those of whom it is not known how often they are scraped; once a day, for a configuration may
    /// change. What cannot be told is asked as it is.
    async fn look_at_paces(&self, list: &[Arc<Objective>], groups: &Groups, now: Timestamp, heard: &mut Heard) {
        let due: BTreeSet<usize> = {
            let kept = lock(&self.kept);
            list.iter().enumerate().filter(|(_, o)| kept.pace_is_due(&o.id, now)).map(|(index, _)| index).collect()
        };
        if due.is_empty() {
            return;
        }
        let questions = groups.samples(&|index| due.contains(&index)).into_iter().map(Question::Counts).collect();
        let answers = all(&self.ask, &self.permits, questions, AT_ONCE, now, heard).await;
        let mut found: BTreeMap<usize, u32> = BTreeMap::new();
        for (question, answer) in &answers {
            let (Question::Counts(request), Ok(answer)) = (question, answer) else { continue };
            if let Data::Vector(samples) = &answer.data {
                found.extend(pace::scrapes(request, samples));
            }
        }
        // What could not be asked is asked with the next step.
        let Some(looks_back) = self.looks_back(groups, &found, now, heard).await else { return };
        let mut kept = lock(&self.kept);
        for (index, objective) in due.into_iter().filter_map(|index| Some((index, list.get(index)?))) {
            match looks_back {
                true => kept.counted_whole(&objective.id, now),
                false => kept.scraped(&objective.id, found.get(&index).copied(), now),
            }
        }
    }

    /// Whether the server's `increase` begins at the sample before its range: asked once a day. `None` when it did not answer.
    async fn looks_back(
        &self,
        groups: &Groups,
        scrapes: &BTreeMap<usize, u32>,
        now: Timestamp,
        heard: &mut Heard,
    ) -> Option<bool> {
        let known = *lock(&self.looks_back);
        if let Some((_, answer)) = known.filter(|(at, _)| (Span::zero()..PACE).contains(&(now - *at))) {
            return Some(answer);
        }
        let Some(text) = groups.looks_back(&|index| scrapes.get(&index).copied()) else { return Some(false) };
        let answer = all(&self.ask, &self.permits, vec![Question::Text(text)], AT_ONCE, now, heard).await.pop()?.1;
        let looks_back = match answer {
            Ok(Answer { data: Data::Vector(samples), .. }) => pace::does_look_back(&samples),
            Ok(_) => false,
            Err(fault) if fault.kind == FaultKind::Rejected => false,
            Err(_) => return None,
        };
        *lock(&self.looks_back) = Some((now, looks_back));
        Some(looks_back)
    }

    /// Recorded objectives that were looked at are read on for a while; the longest ago drops out.
    fn remember(&self, first: &[Arc<Objective>]) {
        let recordings = lock(&self.recordings);
        let mut looked_at = lock(&self.looked_at);
        for objective in first.iter().filter(|o| recordings.feeds(&o.id)).take(LOOKED_AT) {
            looked_at.retain(|id| *id != objective.id);
            looked_at.push_back(objective.id.clone());
        }
        while looked_at.len() > LOOKED_AT {
            looked_at.pop_front();
        }
    }

    /// The stretch to read and for whom. Those that are looked at go first, to their oldest slice; the others in turn, by
    /// how new what they lack is.
    fn next(
        &self,
        first: &[Arc<Objective>],
        rest: &[Arc<Objective>],
        now: Timestamp,
    ) -> Option<(Stretch, Vec<Arc<Objective>>)> {
        let mut kept = lock(&self.kept);
        let mut lacking = |objectives: &[Arc<Objective>]| -> Vec<(Stretch, Arc<Objective>)> {
            let open = objectives.iter().filter(|o| o.grouping.is_empty());
            open.filter_map(|o| kept.open(o).then(|| Some((kept.missing(&o.id, now)?, Arc::clone(o)))).flatten())
                .collect()
        };
        let mut wanted = lacking(first);
        let newest = |w: &(Stretch, Arc<Objective>)| (w.0.to.saturating_mul(w.0.length), Reverse(w.0.length));
        let stretch = match wanted.iter().map(|w| (newest(w), w.0)).max() {
            Some((_, stretch)) => stretch,
            None => {
                wanted = lacking(rest);
                wanted.iter().map(|w| (newest(w), w.0)).max()?.1
            }
        };
        let same: Vec<Arc<Objective>> =
            wanted.into_iter().filter(|(s, _)| *s == stretch).map(|(_, o)| o).take(STEP).collect();
        Some((stretch, same))
    }

    fn left(&self, first: &[Arc<Objective>], rest: &[Arc<Objective>], now: Timestamp) -> usize {
        let kept = lock(&self.kept);
        let ids: BTreeSet<_> = first.iter().chain(rest).map(|o| &o.id).collect();
        ids.into_iter().map(|id| kept.left(id, now)).sum()
    }
}

/// A text that the server refuses will be refused again: its slices count as asked, so that the others go on. The poll says
/// what is wrong with it.
fn refused(kept: &mut Kept, list: &[Arc<Objective>], stretch: Stretch, taken: &Taken) {
    use crate::domain::slo::plan::sliced::Column;
    for (index, _) in taken.failed.iter().filter(|(_, f)| f.kind == FaultKind::Rejected) {
        let Some(objective) = list.get(*index) else { continue };
        let count = usize::try_from(stretch.to - stretch.from + 1).unwrap_or(0);
        kept.take(&objective.id, stretch, &Column::Slices(vec![None; count], None));
        kept.judge(objective, stretch, &[]);
    }
}

fn told(kept: &Kept, objective: &Objective, now: Timestamp) -> Option<Measurement> {
    let measured = match kept.get(&objective.id)? {
        Body::Events(slices) => assemble::from_slices(objective, slices, now),
        Body::Timed(slices) => assemble::judged(objective, slices, None, &[], now),
    };
    Some(Measurement { edges: kept.edges(&objective.id, now), ..measured })
}
