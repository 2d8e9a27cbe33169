//! The poll: recordings in two requests, then the short windows and the newest slices of everything else in three per group.
//! Reads no history; that is [`super::warm`]'s.

use crate::domain::fault::Fault;
use crate::domain::slo::assemble::{self, Counted};
use crate::domain::slo::event_slices::Stretch;
use crate::domain::slo::objective::{Objective, Sli};
use crate::domain::slo::plan::pace::Scrapes;
use crate::domain::slo::plan::ranges::{self, Want};
use crate::domain::slo::plan::sliced::{Column, columns};
use crate::domain::slo::plan::{self, Groups, Reply, Request};
use crate::domain::slo::reading::{Measurement, Reading, Via, Window};
use crate::domain::slo::recorded::Found;
use crate::domain::time::{Span, Timestamp};
use crate::io::port::ServerNote;
use crate::io::prometheus::measure::asking::{Answered, Data, Heard, IN_FLIGHT, Question, all};
use crate::io::prometheus::measure::kept::Body;
use crate::io::prometheus::measure::recordings::Recorded;
use crate::io::prometheus::measure::{Ask, Prometheus, lock, write};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How often slices are written while the program runs.
const WRITE_EVERY: Span = Span::minutes(5);

impl<A: Ask> Prometheus<A> {
    pub(super) async fn measured(
        &self,
        objectives: &[Arc<Objective>],
        windows: &[Window],
        now: Timestamp,
    ) -> Result<(Vec<Measurement>, ServerNote), Fault> {
        self.recall().await;
        let mut heard = Heard::default();
        let recorded = self.recorded(objectives, now, &mut heard).await;
        let looked_at = lock(&self.looked_at).clone();
        let wanted = |o: &&Arc<Objective>| {
            o.grouping.is_empty() && (!recorded.found.contains_key(&o.id) || looked_at.contains(&o.id))
        };
        let list: Vec<Arc<Objective>> = objectives.iter().filter(wanted).cloned().collect();
        let mut poll = Poll::of(self, &list, windows, now);
        let questions = poll.questions(now);
        let answers = all(&self.ask, &self.permits, questions, IN_FLIGHT, now, &mut heard).await;
        poll.take(self, &answers);
        let counted = poll.measurements(self, windows, now, &answers);
        let mut by_id: BTreeMap<_, Measurement> = counted.into_iter().map(|m| (m.slo.clone(), m)).collect();
        let measure = |o: &Arc<Objective>| match recorded.found.get(&o.id) {
            Some(found) => as_recorded(o, found.as_ref(), by_id.remove(&o.id), &recorded, now),
            None => by_id.remove(&o.id).unwrap_or_else(|| Measurement::empty(o.id.clone())),
        };
        let measurements = objectives.iter().map(measure).collect();
        self.write_sometimes(now);
        match heard.dead() {
            Some(fault) => Err(fault),
            None => Ok((measurements, heard.note)),
        }
    }

    /// Writes slices in the background, every few minutes.
    pub(super) fn write_sometimes(&self, now: Timestamp) {
        let Some(disk) = self.disk.clone() else { return };
        let mut written = lock(&self.written);
        let since = *written.get_or_insert(now);
        if now - since >= WRITE_EVERY || now < since {
            *written = Some(now);
            let kept = Arc::clone(&self.kept);
            drop(tokio::task::spawn_blocking(move || write(&disk, &kept)));
        }
    }
}

/// What is recorded, unless the slices of somebody who is looked at know better. `found`: `None` where it vanished, so that
/// nothing is said and the last values grow old.
fn as_recorded(
    objective: &Objective,
    found: Option<&Found>,
    counted: Option<Measurement>,
    recorded: &Recorded,
    now: Timestamp,
) -> Measurement {
    let own = Window::of(objective.window);
    let ratio = found.and_then(|f| f.windows.get(&own)).and_then(Reading::error_ratio);
    if let Some(mut counted) = counted {
        let exact = counted.windows.get(&own).and_then(|(_, r)| r.error_ratio());
        if let Some(exact) = exact {
            counted.recorded = ratio.map(|ratio| (ratio, exact));
            return counted;
        }
        let slices = counted.slices.take();
        return Measurement { slices, ..as_recorded(objective, found, None, recorded, now) };
    }
    let at = found.map_or(now, |f| f.at);
    let readings = found.map(|f| f.windows.clone()).unwrap_or_default();
    Measurement {
        windows: readings.into_iter().map(|(window, reading)| (window, (at, reading))).collect(),
        via: Via::Recorded,
        partial: recorded.partial,
        warnings: recorded.warnings.clone(),
        ..Measurement::empty(objective.id.clone())
    }
}

/// One poll of those objectives that are measured here.
struct Poll<'l> {
    list: &'l [Arc<Objective>],
    groups: Arc<Groups>,
    /// Seconds between two scrapes of each one, where known.
    scrapes: Vec<Option<u32>>,
    /// The windows that each one is counted in by itself.
    instants: Vec<BTreeSet<Window>>,
    /// Stretches and who needs them.
    tails: BTreeMap<Stretch, BTreeSet<usize>>,
    failed: BTreeMap<usize, Fault>,
    odd: BTreeMap<usize, String>,
}

impl<'l> Poll<'l> {
    fn of<A: Ask>(server: &Prometheus<A>, list: &'l [Arc<Objective>], windows: &[Window], now: Timestamp) -> Self {
        let events = |o: &Objective| matches!(o.sli, Sli::Events { .. });
        let instants = |o: &Arc<Objective>| match events(o) {
            true => assemble::instants(&assemble::windows(o, windows)).collect(),
            false => BTreeSet::new(),
        };
        let mut tails: BTreeMap<Stretch, BTreeSet<usize>> = BTreeMap::new();
        let mut kept = lock(&server.kept);
        for (index, objective) in list.iter().enumerate().filter(|(_, o)| o.grouping.is_empty()) {
            if kept.open(objective) {
                for stretch in kept.tails(&objective.id, now) {
                    tails.entry(stretch).or_default().insert(index);
                }
            }
        }
        Self {
            list,
            groups: server.planned(list),
            scrapes: list.iter().map(|o| kept.scrape(&o.id)).collect(),
            instants: list.iter().map(instants).collect(),
            tails,
            failed: BTreeMap::new(),
            odd: BTreeMap::new(),
        }
    }

    fn questions(&self, _now: Timestamp) -> Vec<Question> {
        let windows: BTreeSet<Window> = self.instants.iter().flatten().copied().collect();
        let windows: Vec<Window> = windows.into_iter().collect();
        let wants = |index: usize, window: Window| self.instants.get(index).is_some_and(|w| w.contains(&window));
        let mut questions: Vec<Question> =
            self.groups.requests(&windows, &wants).into_iter().map(Question::Counts).collect();
        let mut timed = Vec::new();
        for (stretch, members) in &self.tails {
            let scrape = |index: usize| self.scrapes.get(index).copied().flatten();
            questions.extend(slices(&self.groups, *stretch, members, &scrape));
            timed.extend(wants_of(self.list, *stretch, members));
        }
        questions.extend(ranges::requests(self.list, &timed).into_iter().map(Question::Timed));
        questions
    }

    /// Puts the newest slices to the others.
    fn take<A: Ask>(&mut self, server: &Prometheus<A>, answers: &[Answered]) {
        let mut kept = lock(&server.kept);
        let taken = take(&mut kept, self.list, &self.tails, answers);
        self.failed = taken.failed;
        self.odd = taken.odd;
    }

    fn measurements<A: Ask>(
        &self,
        server: &Prometheus<A>,
        more: &[Window],
        now: Timestamp,
        answers: &[Answered],
    ) -> Vec<Measurement> {
        let replies: Vec<(Request, Result<Reply, Fault>)> = answers.iter().filter_map(counts_of).collect();
        let asked: BTreeSet<Window> = self.instants.iter().flatten().copied().collect();
        let asked: Vec<Window> = asked.into_iter().collect();
        let mut joined = plan::join(self.list, &asked, now, &replies);
        let kept = lock(&server.kept);
        for (index, (objective, joined)) in self.list.iter().zip(&mut joined).enumerate() {
            let failed = self.failed.get(&index);
            let (partial, warnings) = (joined.partial, std::mem::take(&mut joined.warnings));
            let measured = match kept.get(&objective.id) {
                Some(Body::Events(slices)) => {
                    let wanted = self.instants.get(index);
                    joined.windows.retain(|window, _| wanted.is_some_and(|w| w.contains(window)));
                    let odd = self.odd.get(&index).map(String::as_str);
                    let poll = Counted { instants: &joined.windows, slices, failed, odd };
                    assemble::counted(objective, &poll, more, now)
                }
                Some(Body::Timed(slices)) => assemble::judged(objective, slices, failed, more, now),
                None => Measurement::empty(objective.id.clone()),
            };
            let edges = kept.edges(&objective.id, now);
            *joined = Measurement { partial, warnings, edges, ..measured };
        }
        let mut noted: BTreeMap<usize, (bool, Vec<String>)> = BTreeMap::new();
        for (question, answer) in answers {
            let Ok(answer) = answer else { continue };
            if answer.partial || !answer.warnings.is_empty() {
                for index in members(question) {
                    let note = noted.entry(index).or_default();
                    note.0 |= answer.partial || !answer.warnings.is_empty();
                    note.1.extend(answer.warnings.iter().filter(|w| !note.1.contains(w)).cloned().collect::<Vec<_>>());
                }
            }
        }
        for (index, (partial, warnings)) in noted {
            if let Some(m) = joined.get_mut(index) {
                m.partial |= partial;
                m.warnings.extend(warnings.into_iter().filter(|w| !m.warnings.contains(w)).collect::<Vec<_>>());
            }
        }
        joined
    }
}

/// Requests for a stretch of slices of some objectives of a plan.
pub(super) fn slices(
    groups: &Groups,
    stretch: Stretch,
    members: &BTreeSet<usize>,
    scrapes: Scrapes<'_>,
) -> Vec<Question> {
    let Ok(length) = u32::try_from(stretch.length) else { return Vec::new() };
    let requests = groups.slices(Window(length), &|index| members.contains(&index), scrapes);
    requests.into_iter().map(|request| Question::Slices(request, stretch)).collect()
}

/// The same for objectives that are judged slice by slice.
pub(super) fn wants_of(list: &[Arc<Objective>], stretch: Stretch, members: &BTreeSet<usize>) -> Vec<Want> {
    let end = |n: i64| Timestamp::from_timestamp(n.saturating_mul(stretch.length), 0);
    let (Some(start), Some(end)) = (end(stretch.from), end(stretch.to)) else { return Vec::new() };
    let timed = |i: &&usize| list.get(**i).is_some_and(|o| !matches!(o.sli, Sli::Events { .. }));
    let step = Span::seconds(stretch.length);
    members.iter().filter(timed).map(|i| Want { objective: *i, start, end, step }).collect()
}

/// What could not be taken.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) failed: BTreeMap<usize, Fault>,
    pub(super) odd: BTreeMap<usize, String>,
}

/// Puts answers over stretches to the slices of those who needed them.
pub(super) fn take(
    kept: &mut crate::io::prometheus::measure::kept::Kept,
    list: &[Arc<Objective>],
    stretches: &BTreeMap<Stretch, BTreeSet<usize>>,
    answers: &[Answered],
) -> Taken {
    let mut taken = Taken::default();
    for (stretch, members) in stretches {
        let lines: Vec<_> = answers.iter().filter_map(|(q, answer)| lines_of(q, answer, *stretch)).collect();
        for (index, column) in columns(list, *stretch, &lines) {
            let Some(objective) = list.get(index).filter(|_| members.contains(&index)) else { continue };
            match &column {
                Column::Failed(fault) => drop(taken.failed.insert(index, fault.clone())),
                Column::Slices(_, odd) => {
                    kept.take(&objective.id, *stretch, &column);
                    taken.odd.extend(odd.clone().map(|what| (index, what)));
                }
            }
        }
    }
    for (question, answer) in answers {
        let Question::Timed(request) = question else { continue };
        for (index, _) in &request.parts {
            match answer {
                Err(fault) => drop(taken.failed.insert(*index, fault.clone())),
                Ok(answer) => {
                    let (Some(objective), Data::Matrix(lines)) = (list.get(*index), &answer.data) else { continue };
                    let length = request.step.num_seconds().max(1);
                    let number = |at: Timestamp| at.timestamp().div_euclid(length);
                    let stretch = Stretch { length, from: number(request.start), to: number(request.end) };
                    kept.judge(objective, stretch, &request.series_of(*index, lines));
                }
            }
        }
    }
    taken
}

fn lines_of<'a>(
    question: &'a Question,
    answer: &'a Result<crate::io::prometheus::answer::Answer<Data>, Fault>,
    stretch: Stretch,
) -> Option<plan::sliced::Lines<'a>> {
    let Question::Slices(request, of) = question else { return None };
    if *of != stretch {
        return None;
    }
    match answer {
        Ok(answer) => match &answer.data {
            Data::Matrix(lines) => Some((request, Ok(lines.as_slice()))),
            Data::Vector(_) => None,
        },
        Err(fault) => Some((request, Err(fault))),
    }
}

fn counts_of((question, answer): &Answered) -> Option<(Request, Result<Reply, Fault>)> {
    let Question::Counts(request) = question else { return None };
    let reply = match answer {
        Err(fault) => Err(fault.clone()),
        Ok(answer) => match &answer.data {
            Data::Vector(samples) => Ok(Reply { samples: samples.clone(), warnings: Vec::new(), partial: false }),
            Data::Matrix(_) => return None,
        },
    };
    Some((request.clone(), reply))
}

/// The objectives that a request is for.
fn members(question: &Question) -> BTreeSet<usize> {
    match question {
        Question::Counts(request) | Question::Slices(request, _) | Question::Grid(request, ..) => request.objectives(),
        Question::Timed(request) => request.parts.iter().map(|(index, _)| *index).collect(),
        Question::Text(_) => BTreeSet::new(),
    }
}
