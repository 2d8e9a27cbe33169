//! Range queries for objectives that are measured slice by slice: which stretch is missing, and who shares a request.
//! Never asks for more points than a server gives.

use crate::domain::slo::objective::{Objective, Sli};
use crate::domain::slo::plan::{TAG, balanced, tagged};
use crate::domain::slo::promql::parse;
use crate::domain::slo::sample::RangeSeries;
use crate::domain::time::{Span, Timestamp};
use std::collections::BTreeMap;

/// The most points of one series that a server gives.
pub const POINTS: i64 = 11_000;
/// The most points of one answer, over all its series.
const ANSWER_POINTS: i64 = 100_000;
const ARMS: i64 = 50;

/// A stretch of slices that is wanted for one objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Want {
    /// Index of the objective in the caller's list.
    pub objective: usize,
    /// End of the first slice.
    pub start: Timestamp,
    /// End of the last slice.
    pub end: Timestamp,
    /// The slice length.
    pub step: Span,
}

/// One range query.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeRequest {
    /// Objectives and their texts.
    pub parts: Vec<(usize, String)>,
    /// First instant.
    pub start: Timestamp,
    /// Last instant.
    pub end: Timestamp,
    /// Distance of two instants.
    pub step: Span,
}

impl RangeRequest {
    /// The PromQL. A text that is alone goes as it is, so that what only the server understands gets there unchanged.
    pub fn query(&self) -> String {
        match self.parts.as_slice() {
            [(_, only)] => only.clone(),
            parts => {
                let arms: Vec<String> = parts.iter().map(|(index, text)| tagged(text, &format!("s:{index}"))).collect();
                balanced(&arms)
            }
        }
    }

    /// The series of one objective in the answer.
    pub fn series_of<'s>(&self, objective: usize, answer: &'s [RangeSeries]) -> Vec<&'s RangeSeries> {
        let tag = format!("s:{objective}");
        answer.iter().filter(|s| self.parts.len() == 1 || s.labels.get(TAG) == tag).collect()
    }

    /// Two halves, for finding the text that a server refuses.
    pub fn halves(&self) -> Option<(Self, Self)> {
        let (a, b) = self.parts.split_at_checked(self.parts.len() / 2).filter(|(a, _)| !a.is_empty())?;
        Some((Self { parts: a.to_vec(), ..self.clone() }, Self { parts: b.to_vec(), ..self.clone() }))
    }
}

/// Plans the wanted stretches. Equal stretches share requests; what this program cannot parse goes alone.
pub fn requests(objectives: &[impl std::ops::Deref<Target = Objective>], wants: &[Want]) -> Vec<RangeRequest> {
    let mut shared: BTreeMap<(Timestamp, Timestamp, Span), Vec<(usize, String)>> = BTreeMap::new();
    let mut requests = Vec::new();
    for want in wants {
        let text = match objectives.get(want.objective).map(|o| &o.sli) {
            Some(Sli::Slices { value, .. }) => value,
            Some(Sli::Opaque { ratio, .. }) => ratio,
            _ => continue,
        };
        for (start, end) in stretches(want) {
            let part = (want.objective, text.clone());
            if parse(text).is_ok() {
                shared.entry((start, end, want.step)).or_default().push(part);
            } else {
                requests.push(RangeRequest { parts: vec![part], start, end, step: want.step });
            }
        }
    }
    for ((start, end, step), parts) in shared {
        let points = (end - start).num_seconds() / step.num_seconds().max(1) + 1;
        let arms = (ANSWER_POINTS / points.max(1)).clamp(1, ARMS);
        for chunk in parts.chunks(usize::try_from(arms).unwrap_or(1)) {
            requests.push(RangeRequest { parts: chunk.to_vec(), start, end, step });
        }
    }
    requests
}

/// A stretch in pieces that a server answers.
fn stretches(want: &Want) -> Vec<(Timestamp, Timestamp)> {
    let mut pieces = Vec::new();
    let mut start = want.start;
    let most = Span::seconds(want.step.num_seconds().max(1).saturating_mul(POINTS - 1));
    while start <= want.end {
        let end = start.checked_add_signed(most).map_or(want.end, |e| e.min(want.end));
        pieces.push((start, end));
        match end.checked_add_signed(want.step.max(Span::seconds(1))) {
            Some(next) => start = next,
            None => break,
        }
    }
    pieces
}
