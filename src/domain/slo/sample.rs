//! Values as a metrics server gives them: one at an instant, or a line over time. Values may be anything, NaN included;
//! what reads them judges them.

use crate::domain::labels::Labels;
use crate::domain::time::Timestamp;

/// One value of one series at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its labels; raw outside text.
    pub labels: Labels,
    /// The instant the server says it stands for.
    pub at: Timestamp,
    /// The value; may be NaN or infinite.
    pub value: f64,
}

/// One series over time, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeSeries {
    /// Its labels; raw outside text.
    pub labels: Labels,
    /// Instants and values; a missing instant is a gap.
    pub points: Vec<(Timestamp, f64)>,
}
