//! The books of the simulated production without its incident: running sums per five minutes, so that any window is
//! two look-ups and one subtraction. Built once; covers two months before the demo, so that a month of thirty-day
//! windows can be drawn, and two days after it began.

use crate::domain::drill::chance;
use crate::domain::drill::course;
use crate::domain::drill::promise::ALL;
use crate::domain::drill::promise::Measure;
use crate::domain::drill::promise::Promise;
use crate::domain::drill::promise::Trouble;
use crate::domain::drill::service::Service;
use crate::domain::time::Timestamp;

/// Seconds per cell.
pub const CELL: i64 = 300;
const DAY: i64 = 86_400;
const BEFORE: i64 = 61 * DAY;
const AFTER: i64 = 2 * DAY;
const CANARY: Trouble = Trouble { ago: 40.0, lasted: 40.0 + course::ONSET / 60.0, weight: 1.0 };

/// Running sums of one quantity at the edges of the cells.
#[derive(Clone, Debug, Default)]
pub struct Sums(Vec<f64>);

impl Sums {
    fn of(cells: impl Iterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        Self(
            std::iter::once(0.0)
                .chain(cells.map(|x| {
                    sum += x;
                    sum
                }))
                .collect(),
        )
    }

    /// The sum up to `x` cells from the beginning. Nothing came before the first; after the last it goes on like the last.
    fn upto(&self, x: f64) -> f64 {
        if x <= 0.0 {
            return 0.0;
        }
        let cells = self.0.len().saturating_sub(1);
        let i = (x as usize).min(cells.saturating_sub(1));
        match (self.0.get(i), self.0.get(i + 1)) {
            (Some(a), Some(b)) => a + (b - a) * (x - i as f64),
            _ => 0.0,
        }
    }
}

/// The books.
#[derive(Clone, Debug)]
pub struct Ledger {
    first: i64,
    origin: f64,
    traffic: Vec<Sums>,
    bad: Vec<Sums>,
}

impl Ledger {
    /// Books for a demo that begins at `start`, scaled so that every budget is then as designed.
    pub fn new(start: Timestamp, seed: u64) -> Self {
        let begins = start.timestamp_millis() as f64 / 1_000.0;
        let first = (start.timestamp() - BEFORE).div_euclid(CELL) * CELL;
        let cells = (BEFORE + AFTER) / CELL;
        let requests: Vec<Vec<f64>> = Service::ALL
            .iter()
            .map(|s| (0..cells).map(|i| s.requests(seed, first + i * CELL, CELL)).collect())
            .collect();
        let mut ledger = Self {
            first,
            origin: begins,
            traffic: requests.iter().map(|r| Sums::of(r.iter().copied())).collect(),
            bad: vec![],
        };
        for (stream, promise) in (100_u64..).zip(&ALL) {
            let own = requests.get(place(promise.service)).map(Vec::as_slice).unwrap_or_default();
            let sums = match promise.measure {
                Measure::P99Over(_) => ledger.slices(promise, cells),
                _ => ledger.events(promise, own, seed, stream),
            };
            ledger.bad.push(sums);
        }
        ledger
    }

    /// Bad events: ordinary ones, those of the canary, and past troubles scaled so that the budget comes out as designed.
    fn events(&self, promise: &Promise, own: &[f64], seed: u64, stream: u64) -> Sums {
        let ordinary = promise.ordinary * (1.0 - promise.target);
        let mut plain: Vec<f64> = (0..)
            .zip(own)
            .map(|(i, requests)| requests * ordinary * chance::around_one(0.45, seed, stream, self.step(i)))
            .collect();
        self.spread(&CANARY, |i, share| {
            if let (Some(cell), Some(requests)) = (plain.get_mut(i), own.get(i)) {
                *cell += requests * promise.canary * share;
            }
        });
        let mut shape = vec![0.0; own.len()];
        for trouble in promise.troubles {
            self.spread(trouble, |i, share| {
                if let (Some(cell), Some(requests)) = (shape.get_mut(i), own.get(i)) {
                    let wobble = chance::around_one(0.15, seed, stream + 50, self.step(i));
                    *cell += requests * trouble.weight * share * wobble;
                }
            });
        }
        let total = self.traffic(promise.service, self.origin - (30 * DAY) as f64, self.origin);
        let wanted = (1.0 - promise.left) * (1.0 - promise.target) * total;
        let month = |sums: &Sums| self.within(sums, self.origin - (30 * DAY) as f64, self.origin);
        let (had, unit) = (month(&Sums::of(plain.iter().copied())), month(&Sums::of(shape.iter().copied())));
        let scale = if unit > 0.0 { ((wanted - had) / unit).max(0.0) } else { 0.0 };
        Sums::of(plain.iter().zip(&shape).zip(own).map(|((p, s), requests)| (p + s * scale).min(requests * 0.95)))
    }

    /// Bad slices: whole cells that a trouble begins in or covers.
    fn slices(&self, promise: &Promise, cells: i64) -> Sums {
        let mut bad = vec![0.0; usize::try_from(cells).unwrap_or(0)];
        let own = (self.origin - self.first as f64) / CELL as f64;
        for trouble in promise.troubles {
            let from = own.floor() - (trouble.ago * 60.0 / CELL as f64).round();
            let count = (trouble.lasted * 60.0 / CELL as f64).round();
            for cell in bad.iter_mut().skip(from.max(0.0) as usize).take(count as usize) {
                *cell = 1.0;
            }
        }
        Sums::of(bad.into_iter())
    }

    /// Calls `each` with every cell that a trouble touches and the share of the cell it covers.
    fn spread(&self, trouble: &Trouble, mut each: impl FnMut(usize, f64)) {
        let from = self.place(self.origin - trouble.ago * 60.0).max(0.0);
        let to = self.place(self.origin - trouble.ago * 60.0 + trouble.lasted * 60.0).max(0.0);
        let mut i = from.floor();
        while i < to {
            each(i as usize, (to.min(i + 1.0) - from.max(i)).max(0.0));
            i += 1.0;
        }
    }

    /// The cell's number since the beginning of Unix time, so that chance does not depend on when a demo begins.
    fn step(&self, i: usize) -> i64 {
        self.first / CELL + i64::try_from(i).unwrap_or(0)
    }

    /// Cells from the first one to an instant (Unix seconds).
    fn place(&self, unix: f64) -> f64 {
        (unix - self.first as f64) / CELL as f64
    }

    fn within(&self, sums: &Sums, from: f64, to: f64) -> f64 {
        sums.upto(self.place(to)) - sums.upto(self.place(from))
    }

    /// Requests to a service between two instants (Unix seconds).
    pub fn traffic(&self, service: Service, from: f64, to: f64) -> f64 {
        self.traffic.get(place(service)).map_or(0.0, |sums| self.within(sums, from, to))
    }

    /// Bad events or slices of the objective at `index` in [`ALL`].
    pub fn bad(&self, index: usize, from: f64, to: f64) -> f64 {
        self.bad.get(index).map_or(0.0, |sums| self.within(sums, from, to))
    }

    /// When the demo began, Unix seconds.
    pub fn origin(&self) -> f64 {
        self.origin
    }

    /// The first edge of a cell after an instant (Unix seconds).
    pub fn next_edge(unix: f64) -> f64 {
        ((unix / CELL as f64).floor() + 1.0) * CELL as f64
    }
}

fn place(service: Service) -> usize {
    Service::ALL.iter().position(|s| *s == service).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_between_their_edges() {
        let sums = Sums::of([2.0, 4.0].into_iter());
        for (x, want) in [(-1.0, 0.0), (0.0, 0.0), (0.5, 1.0), (1.0, 2.0), (1.25, 3.0), (2.0, 6.0), (3.0, 10.0)] {
            assert_eq!(sums.upto(x), want, "{x}");
        }
        assert_eq!(Sums::default().upto(3.0), 0.0);
    }

    #[test]
    fn the_past_does_not_move_with_the_beginning() {
        let start: Timestamp = "2026-05-01T03:12:00Z".parse().unwrap();
        let (a, b) = (Ledger::new(start, 1), Ledger::new(start + crate::domain::time::mins(7), 1));
        let (from, to) = (a.origin() - 9_000.0, a.origin() - 3_000.0);
        let same = a.traffic(Service::Api, from, to) - b.traffic(Service::Api, from, to);
        assert!(same.abs() < 1e-3, "{same}");
    }
}
