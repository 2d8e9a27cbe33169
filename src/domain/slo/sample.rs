//! What a metrics server answers: labelled numbers at instants. Numbers are as sent, NaN and infinities included; whoever
//! reads them judges. Never interprets.

use crate::domain::labels::Labels;
use crate::domain::time::Timestamp;

/// One labelled number at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its labels, raw outside text; empty for a scalar.
    pub labels: Labels,
    /// The instant it was evaluated at.
    pub at: Timestamp,
    /// As sent; may be NaN or infinite.
    pub value: f64,
}

/// One labelled series over a range.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeSeries {
    /// Its labels, raw outside text.
    pub labels: Labels,
    /// Instants and numbers in order; values may be NaN or infinite.
    pub points: Vec<(Timestamp, f64)>,
}
