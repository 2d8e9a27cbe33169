//! Where a replay is, as it is shown.

/// The scrub bar of a replay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScrubBar {
    /// Which incident.
    pub incident: String,
    /// `2026-05-01`.
    pub day: String,
    /// `03:14:07Z`.
    pub time: String,
    /// Where that is between the beginning and the end, 0..=1.
    pub share: f64,
    /// What stands out: where it is, and its letter (`D` declared, `d` decided, `M` mitigated, `R` resolved).
    pub marks: Vec<(f64, char)>,
    /// `12/87`: of the moments at which something was recorded.
    pub place: String,
    /// `paused x10`.
    pub how: String,
}
