//! What a step of reading history brought, and which rows a template has on its server. Plain values between port and
//! machine; never reads anything.

use crate::domain::ids::SloId;
use crate::domain::labels::Labels;
use crate::domain::server_note::ServerNote;
use crate::domain::slo::reading::Measurement;
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// Instants at which incidents and planned work of objectives begin or end: history around them is wanted finer than by the
/// hour.
pub type Cuts = BTreeMap<SloId, Vec<Timestamp>>;

/// One bounded step of reading history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Warmed {
    /// The objectives that learnt something, with everything that their slices say now.
    pub measurements: Vec<Measurement>,
    /// Slices that are still to be read, over all objectives that were named.
    pub left: usize,
    /// What came with the answers.
    pub note: ServerNote,
}

/// The rows of one template as its server has them.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// The template.
    pub template: SloId,
    /// One set of the template's grouping labels per row, each once, in a stable order.
    pub labels: Vec<Labels>,
    /// How many more there are than are taken.
    pub left_out: usize,
}
