//! Many instant queries in one request: each is tagged, all are joined by a balanced `or`, and the answer is told apart by
//! the tags. One that a server refuses, or does not answer in time, is found by halves, so that it costs the others nothing.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::slo::plan::{TAG, joined};
use crate::domain::slo::sample::Sample;
use crate::domain::time::Timestamp;
use crate::io::prometheus::inspect::{IN_FLIGHT, Inspector};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use tokio::task::JoinSet;

/// The most queries in one request.
const MOST: usize = 50;
/// The longest request, in bytes.
const BYTES: usize = 64 << 10;

/// What one query was answered.
pub(super) type Answered = Result<Vec<Sample>, Fault>;

impl Inspector {
    /// The answers to these queries, in their order. Each is an expression whose value is a vector.
    pub(super) async fn together(&self, queries: &[String], now: Timestamp) -> Vec<Answered> {
        let unasked = || Err(Fault::new(FaultKind::Local, self.asked.client.endpoint().name(), "it was not asked"));
        let mut answers: Vec<Answered> = queries.iter().map(|_| unasked()).collect();
        let mut waiting: VecDeque<Range<usize>> = chunks(queries).into();
        let mut running = JoinSet::new();
        loop {
            while running.len() < IN_FLIGHT
                && let Some(range) = waiting.pop_front()
            {
                let text = text(queries.get(range.clone()).unwrap_or_default());
                let asked = Arc::clone(&self.asked);
                running.spawn(async move { (range, asked.instant(&text, now).await) });
            }
            let Some(next) = running.join_next().await else { return answers };
            let Ok((range, answer)) = next else { continue };
            let asked = range.len();
            match answer {
                Err(fault) if asked > 1 && matches!(fault.kind, FaultKind::Rejected | FaultKind::Timeout) => {
                    let middle = range.start + asked / 2;
                    waiting.extend([range.start..middle, middle..range.end]);
                    continue;
                }
                Err(fault) => {
                    for slot in answers.get_mut(range).unwrap_or_default() {
                        *slot = Err(fault.clone());
                    }
                }
                Ok(samples) => {
                    if let Some(slots) = answers.get_mut(range) {
                        tell_apart(samples, slots);
                    }
                }
            }
            self.done(asked);
        }
    }
}

/// Neighbours, as many as fit.
fn chunks(queries: &[String]) -> Vec<Range<usize>> {
    let (mut all, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (index, query) in queries.iter().enumerate() {
        let more = query.len() + 48;
        if index > start && (index - start >= MOST || bytes + more > BYTES) {
            all.push(start..index);
            (start, bytes) = (index, 0);
        }
        bytes += more;
    }
    if start < queries.len() {
        all.push(start..queries.len());
    }
    all
}

/// One query goes as it is.
fn text(queries: &[String]) -> String {
    match queries {
        [one] => one.clone(),
        all => joined(all.iter().enumerate().map(|(index, query)| (query.as_str(), index.to_string()))),
    }
}

fn tell_apart(samples: Vec<Sample>, slots: &mut [Answered]) {
    let many = slots.len() > 1;
    slots.iter_mut().for_each(|slot| *slot = Ok(Vec::new()));
    for mut sample in samples {
        let place = match many {
            true => sample.labels.0.remove(TAG).and_then(|tag| tag.parse().ok()),
            false => Some(0),
        };
        if let Some(Ok(answer)) = place.and_then(|place: usize| slots.get_mut(place)) {
            answer.push(sample);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::labels::Labels;

    #[test]
    fn neighbours_share_a_request_as_far_as_they_fit() {
        let short: Vec<String> = (0..120).map(|i| format!("count(m{i})")).collect();
        assert_eq!(chunks(&short), [0..50, 50..100, 100..120]);
        let long: Vec<String> = (0..5).map(|_| "x".repeat(40_000)).collect();
        assert_eq!(chunks(&long), [0..1, 1..2, 2..3, 3..4, 4..5]);
        assert_eq!(chunks(&[]), Vec::<Range<usize>>::new());
        assert_eq!(text(&short[..1]), "count(m0)");
        assert!(crate::domain::slo::promql::parse(&text(&short[..50])).is_ok());
    }

    #[test]
    fn answers_find_their_questions() {
        let at = Timestamp::UNIX_EPOCH;
        let sample = |tag: &str, value| Sample { labels: Labels::from([(TAG, tag), ("job", "a")]), at, value };
        let mut slots: Vec<Answered> = vec![Ok(Vec::new()), Ok(Vec::new())];
        tell_apart(vec![sample("1", 2.0), sample("9", 3.0), sample("x", 4.0), sample("1", 5.0)], &mut slots);
        let told = |slot: &Answered| slot.as_ref().unwrap().iter().map(|s| s.value).collect::<Vec<_>>();
        assert_eq!((told(&slots[0]), told(&slots[1])), (vec![], vec![2.0, 5.0]));
        assert_eq!(slots[1].as_ref().unwrap()[0].labels, Labels::from([("job", "a")]), "the tag is ours");
    }
}
