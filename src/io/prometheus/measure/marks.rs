//! Marks of changes: one range query a marker, over the range of a chart. A query that fails costs the others nothing.

use crate::domain::fault::Fault;
use crate::domain::slo::history::Grid;
use crate::domain::slo::marks::{Marker, Marks, grid};
use crate::domain::time::{Span, Timestamp};
use crate::io::prometheus::measure::{Ask, Prometheus};

impl<A: Ask> Prometheus<A> {
    /// `Err` when no marker could be read.
    pub(super) async fn marked(&self, markers: &[Marker], range: Span, end: Timestamp) -> Result<Marks, Fault> {
        let (step, window) = grid(range);
        let grid = Grid::over(range, step, end);
        let (mut out, mut fault) = (Marks::default(), None);
        for marker in markers {
            // One after the other: nobody waits for them.
            let _permit = self.permits.acquire().await;
            match self.ask.range(&marker.promql(window), grid.start, grid.end(), grid.step).await {
                Ok(answer) => out.add(marker, marker.read(&answer.data, grid.start, grid.step)),
                Err(failed) => {
                    out.remarks.push(format!("{}: {failed}", marker.name));
                    fault = Some(failed);
                }
            }
        }
        match fault {
            Some(fault) if out.remarks.len() == markers.len() && out.marks.is_empty() => Err(fault),
            _ => Ok(out),
        }
    }
}
