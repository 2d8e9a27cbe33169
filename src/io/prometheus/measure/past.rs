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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slo::event_slices::Stretch;
    use crate::domain::slo::plan::sliced::Column;
    use crate::domain::slo::reading::Counts;
    use crate::domain::slo::seed;

    #[test]
    fn what_a_cockpit_kept_is_found_by_its_query_and_source() {
        let text = include_str!("../../../../tests/fixtures/seeds/slo.yaml");
        let objective = Arc::new(seed::read("slo.yaml", text).0.remove(0));
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path(), &"main".into(), "http://h");
        let mut kept = Kept::default();
        assert!(kept.open(&objective));
        let stretch = Stretch { length: 3_600, from: 493_000, to: 493_003 };
        let slots = vec![Some(Counts { bad: 2.0, total: 100.0 }); 4];
        kept.take(&objective.id, stretch, &Column::Slices(slots, None));
        disk.write(&kept.worth_keeping().unwrap()).unwrap();
        let found = slices(&disk, &[Arc::clone(&objective)]);
        let slices_of = &found[&objective.id];
        assert_eq!(slices_of.coarse.get(493_003), Some(Counts { bad: 2.0, total: 100.0 }));
        // What was over at an instant, and nothing of what came after.
        let then = slices_of.until(slices_of.coarse.end_of(493_001));
        assert_eq!((then.coarse.newest(), then.end()), (Some(493_001), Some(then.coarse.end_of(493_001))));
        assert_eq!(slices_of.until(slices_of.coarse.end_of(492_000)).end(), None);
        let other = Disk::new(folder.path(), &"main".into(), "http://other");
        assert!(slices(&other, &[objective]).is_empty());
    }
}
