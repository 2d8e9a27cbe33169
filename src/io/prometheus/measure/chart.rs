//! Lines for the chart of one objective: out of slices where they were read, by a query over a short range where not. Never
//! asks for more than three days of raw samples.

use crate::domain::fault::Fault;
use crate::domain::slo::history::{self, Grid};
use crate::domain::slo::objective::{Objective, Sli};
use crate::domain::slo::plan;
use crate::domain::slo::reading::{History, Window};
use crate::domain::time::{Span, Timestamp};
use crate::io::prometheus::measure::asking::{Data, Heard, IN_FLIGHT, Question, all};
use crate::io::prometheus::measure::{Ask, Prometheus, lock};
use std::sync::Arc;

/// Points of a budget line.
const BUDGET_POINTS: usize = 720;
/// The most raw samples that a chart may make a server read, as the time they span.
const RAW: i64 = 3 * 86_400;

impl<A: Ask> Prometheus<A> {
    pub(super) async fn chart(
        &self,
        objective: &Objective,
        windows: &[Window],
        range: Span,
        step: Span,
        end: Timestamp,
    ) -> Result<History, Fault> {
        self.recall().await;
        let grid = Grid::over(range, step, end);
        let slices = {
            let mut kept = lock(&self.kept);
            kept.open(objective);
            kept.events(&objective.id).cloned()
        };
        let own = Window::of(objective.window);
        let whole = slices.as_ref().filter(|s| s.has_read(own, end));
        let budget = whole.and_then(|s| history::budget_of_slices(objective, s, BUDGET_POINTS));
        // A five-minute line on a grid of minutes is finer than any slice.
        let fine = windows.iter().any(|w| *w < Window::M30) && grid.step < Window::M5.span();
        let reach = range + windows.iter().max().map_or(Span::zero(), |w| w.span());
        let read = slices.as_ref().filter(|s| s.has_read(Window::of(reach).min(own), end));
        let events = matches!(objective.sli, Sli::Events { .. });
        let series = match read {
            Some(slices) if !(fine && events) => history::burns_of_slices(objective, grid, windows, slices),
            _ if events => self.raw(objective, windows, grid, reach, end).await?,
            _ => slices.map(|s| history::burns_of_slices(objective, grid, windows, &s)).unwrap_or_default(),
        };
        Ok(History { slo: objective.id.clone(), series, budget })
    }

    async fn raw(
        &self,
        objective: &Objective,
        windows: &[Window],
        grid: Grid,
        reach: Span,
        now: Timestamp,
    ) -> Result<Vec<crate::domain::slo::reading::Series>, Fault> {
        if reach.num_seconds() > RAW {
            return Ok(Vec::new());
        }
        let one = [Arc::new(objective.clone())];
        let grids = |request| Question::Grid(request, grid.start, grid.end(), grid.step);
        let questions = plan::requests(&one, windows).into_iter().map(grids).collect();
        let mut lines = Vec::new();
        let mut heard = Heard::default();
        for (question, answer) in all(&self.ask, &self.permits, questions, IN_FLIGHT, now, &mut heard).await {
            if let (Question::Grid(request, ..), Data::Matrix(series)) = (question, answer?.data) {
                lines.push((request, series));
            }
        }
        Ok(history::burns(objective, grid, &lines))
    }
}
