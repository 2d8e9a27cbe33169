//! Slices as they were kept, for looking back: read from the file of a source. Asks no server and writes nothing.

use crate::domain::ids::SloId;
use crate::domain::slo::event_slices::EventSlices;
use crate::domain::slo::objective::Objective;
use crate::io::prometheus::measure::disk::Disk;
use crate::io::prometheus::measure::kept::Kept;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The slices that were kept of objectives; one of which none are is left out.
pub fn slices(disk: &Disk, objectives: &[Arc<Objective>]) -> BTreeMap<SloId, Arc<EventSlices>> {
    let mut kept = Kept::default();
    kept.lay(disk.read());
    let mut found = BTreeMap::new();
    for objective in objectives {
        if kept.open(objective)
            && let Some(slices) = kept.events(&objective.id).filter(|slices| slices.end().is_some())
        {
            found.insert(objective.id.clone(), Arc::clone(slices));
        }
    }
    found
}
