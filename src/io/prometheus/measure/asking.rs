//! Asking one server: so many requests at a time, halves of what it refuses, and what was heard beside the data. Keeps no
//! data, decides nothing about when.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::slo::event_slices::Stretch;
use crate::domain::slo::plan::Request;
use crate::domain::slo::plan::ranges::RangeRequest;
use crate::domain::slo::sample::{RangeSeries, Sample};
use crate::domain::time::{Span, Timestamp};
use crate::io::port::ServerNote;
use crate::io::prometheus::answer::Answer;
use crate::io::prometheus::measure::Ask;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Requests to one server at the same time.
pub(super) const IN_FLIGHT: usize = 4;
/// Requests that one refusal may cause while the refused text is looked for.
const SEARCH: usize = 16;

/// One request.
#[derive(Clone, Debug)]
pub(super) enum Question {
    /// Counts of windows that end now.
    Counts(Request),
    /// Counts of every slice of a stretch.
    Slices(Request, Stretch),
    /// Counts on a grid, for a chart.
    Grid(Request, Timestamp, Timestamp, Span),
    /// Values of every time slice of a stretch.
    Timed(RangeRequest),
    /// A text of our own.
    Text(String),
}

/// Its data.
#[derive(Clone, Debug)]
pub(super) enum Data {
    Vector(Vec<Sample>),
    Matrix(Vec<RangeSeries>),
}

pub(super) type Answered = (Question, Result<Answer<Data>, Fault>);

impl Question {
    fn halves(&self) -> Option<(Self, Self)> {
        match self {
            Self::Counts(request) => request.halves().map(|(a, b)| (Self::Counts(a), Self::Counts(b))),
            Self::Slices(request, s) => request.halves().map(|(a, b)| (Self::Slices(a, *s), Self::Slices(b, *s))),
            Self::Timed(request) => request.halves().map(|(a, b)| (Self::Timed(a), Self::Timed(b))),
            Self::Grid(..) | Self::Text(_) => None,
        }
    }

    async fn ask(&self, ask: &impl Ask, now: Timestamp) -> Result<Answer<Data>, Fault> {
        let end = |stretch: &Stretch, number: i64| {
            Timestamp::from_timestamp(number.saturating_mul(stretch.length), 0).unwrap_or_default()
        };
        match self {
            Self::Counts(request) => ask.instant(&request.query(), now).await.map(|a| a.map(Data::Vector)),
            Self::Text(query) => ask.instant(query, now).await.map(|a| a.map(Data::Vector)),
            Self::Slices(request, stretch) => {
                let (from, to) = (end(stretch, stretch.from), end(stretch, stretch.to));
                let step = Span::seconds(stretch.length);
                ask.range(&request.query(), from, to, step).await.map(|a| a.map(Data::Matrix))
            }
            Self::Grid(request, from, to, step) => {
                ask.range(&request.query(), *from, *to, *step).await.map(|a| a.map(Data::Matrix))
            }
            Self::Timed(request) => {
                let query = request.query();
                ask.range(&query, request.start, request.end, request.step).await.map(|a| a.map(Data::Matrix))
            }
        }
    }
}

/// What was heard beside the data.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) note: ServerNote,
    answered: usize,
    fault: Option<Fault>,
}

impl Heard {
    pub(super) fn of<T>(&mut self, answer: &Result<Answer<T>, Fault>) {
        self.note.requests += 1;
        match answer {
            Ok(answer) => {
                self.answered += 1;
                self.note.skew = self.note.skew.or(answer.skew);
                if let Some(samples) = answer.samples {
                    self.note.samples = Some(self.note.samples.unwrap_or(0).saturating_add(samples));
                }
                for warning in &answer.warnings {
                    if !self.note.warnings.contains(warning) {
                        self.note.warnings.push(warning.clone());
                    }
                }
            }
            // A refusal is about one text; anything else says more of the source.
            Err(fault) if self.fault.as_ref().is_none_or(|f| f.kind == FaultKind::Rejected) => {
                self.fault = Some(fault.clone());
            }
            Err(_) => {}
        }
    }

    /// The fault of a source that answered nothing. One that refuses texts is there, and each objective says so itself.
    pub(super) fn dead(&self) -> Option<Fault> {
        self.fault.clone().filter(|f| self.answered == 0 && f.kind != FaultKind::Rejected)
    }
}

/// Asks all, at most `at_once` at a time; where a server refuses a request for several objectives, its halves are asked, so
/// that one bad text costs the others nothing. `permits` bounds what all askers of one server do together.
pub(super) async fn all<A: Ask>(
    ask: &Arc<A>,
    permits: &Arc<Semaphore>,
    questions: Vec<Question>,
    at_once: usize,
    now: Timestamp,
    heard: &mut Heard,
) -> Vec<Answered> {
    let (mut done, mut searches) = (Vec::new(), 0);
    let mut queue: VecDeque<Question> = questions.into();
    let mut running = JoinSet::new();
    loop {
        while running.len() < at_once
            && let Some(question) = queue.pop_front()
        {
            let (ask, permits) = (Arc::clone(ask), Arc::clone(permits));
            running.spawn(async move {
                let _permit = permits.acquire().await;
                let answer = question.ask(&*ask, now).await;
                (question, answer)
            });
        }
        let Some(joined) = running.join_next().await else { return done };
        let Ok((question, answer)) = joined else { continue };
        heard.of(&answer);
        if let Err(fault) = &answer
            && fault.kind == FaultKind::Rejected
            && searches < SEARCH
            && let Some((a, b)) = question.halves()
        {
            searches += 1;
            queue.extend([a, b]);
            continue;
        }
        done.push((question, answer));
    }
}
