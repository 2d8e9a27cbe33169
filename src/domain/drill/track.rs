//! One signal over the time of a drill: pieces that each begin when something changed it. What was stays as it was; the
//! future is what happens if nothing changes it any more. A function of its pieces, the seed and the instant asked for.

use crate::domain::drill::chance::around_one;
use crate::domain::drill::scenario::{Shape, Signal};
use crate::domain::time::{Span, seconds};

/// Chance has a new value every so many seconds.
const GRAIN: f64 = 5.0;
/// Changes that are remembered; a scenario cannot have more, a facilitator may try.
const MOST: usize = 2_000;

#[derive(Clone, Debug, PartialEq)]
struct Piece {
    /// Seconds since the drill began.
    from: f64,
    /// Where it was then.
    was: f64,
    shape: Shape,
}

/// A signal over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    pieces: Vec<Piece>,
    noise: f64,
    seed: u64,
    stream: u64,
}

impl Track {
    /// A signal as it goes from the beginning on; `stream` tells its chance from that of others.
    pub fn new(signal: &Signal, seed: u64, stream: u64) -> Self {
        let first = Piece { from: f64::NEG_INFINITY, was: first_value(&signal.shape), shape: signal.shape.clone() };
        Self { pieces: vec![first], noise: signal.noise, seed, stream }
    }

    /// Goes another way from `at` on (seconds). Changes come in order of time: an earlier instant counts as the last one's.
    pub fn change(&mut self, at: f64, shape: Shape) {
        let last = self.pieces.last().map_or(0.0, |p| p.from);
        let at = at.max(last);
        if !at.is_finite() || self.pieces.len() >= MOST {
            return;
        }
        let was = self.bare(at);
        self.pieces.push(Piece { from: at, was, shape });
    }

    /// The value at an instant (seconds since the drill began; below 0 before it).
    pub fn at(&self, at: f64) -> f64 {
        let bare = self.bare(at);
        if self.noise <= 0.0 {
            return bare;
        }
        bare * around_one(self.noise, self.seed, self.stream, (at / GRAIN).floor() as i64)
    }

    /// The value without chance.
    fn bare(&self, at: f64) -> f64 {
        let after = self.pieces.partition_point(|p| p.from <= at);
        let Some(piece) = after.checked_sub(1).and_then(|i| self.pieces.get(i)) else { return 0.0 };
        let begun = if piece.from.is_finite() { piece.from } else { 0.0 };
        let into = at - begun;
        match &piece.shape {
            Shape::Const(value) => *value,
            Shape::Ramp { to, over } => {
                let share = (into / seconds(*over).max(1e-3)).clamp(0.0, 1.0);
                piece.was + (to - piece.was) * share
            }
            Shape::Sine { middle, amplitude, period } => {
                middle + amplitude * (std::f64::consts::TAU * into / seconds(*period).max(1e-3)).sin()
            }
            Shape::Recorded(points) => between(points, into),
            // A file that nobody read says nothing; it was told.
            Shape::File { .. } => 0.0,
        }
    }
}

fn first_value(shape: &Shape) -> f64 {
    match shape {
        Shape::Const(value) => *value,
        Shape::Sine { middle, .. } => *middle,
        Shape::Recorded(points) => points.first().map_or(0.0, |(_, value)| *value),
        Shape::Ramp { .. } | Shape::File { .. } => 0.0,
    }
}

fn between(points: &[(Span, f64)], into: f64) -> f64 {
    let after = points.partition_point(|(at, _)| seconds(*at) <= into);
    match (after.checked_sub(1).and_then(|i| points.get(i)), points.get(after)) {
        (Some((a, x)), Some((b, y))) => {
            let (a, b) = (seconds(*a), seconds(*b));
            x + (y - x) * ((into - a) / (b - a).max(1e-3)).clamp(0.0, 1.0)
        }
        (Some((_, x)), None) | (None, Some((_, x))) => *x,
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::Mark;
    use crate::domain::time::{mins, secs};
    use proptest::prelude::*;

    fn track(shape: Shape, noise: f64) -> Track {
        Track::new(&Signal { id: "s".into(), shape, noise, unit: String::new(), mark: Mark::default() }, 7, 1)
    }

    #[test]
    fn each_shape_goes_its_way() {
        let mut ramp = track(Shape::Const(1.0), 0.0);
        ramp.change(60.0, Shape::Ramp { to: 5.0, over: mins(2) });
        assert_eq!([0.0, 60.0, 120.0, 180.0, 9e9].map(|at| ramp.at(at)), [1.0, 1.0, 3.0, 5.0, 5.0]);
        ramp.change(120.0, Shape::Const(0.5));
        assert_eq!([119.0, 120.0, 500.0].map(|at| (ramp.at(at) * 10.0).round()), [30.0, 5.0, 5.0]);
        let sine = track(Shape::Sine { middle: 10.0, amplitude: 2.0, period: secs(40) }, 0.0);
        assert_eq!([0.0, 10.0, 20.0, 30.0].map(|at| sine.at(at).round()), [10.0, 12.0, 10.0, 8.0]);
        let recorded = track(Shape::Recorded(vec![(secs(10), 1.0), (secs(20), 3.0)]), 0.0);
        assert_eq!([-5.0, 10.0, 15.0, 99.0].map(|at| recorded.at(at)), [1.0, 1.0, 2.0, 3.0]);
    }

    proptest! {
        #[test]
        fn what_was_stays_and_chance_keeps_to_its_share(
            changes in prop::collection::vec((0.0..900.0_f64, -5.0..5.0_f64, 1_i64..300), 0..8), at in 0.0..900.0_f64,
        ) {
            let (mut noisy, mut bare) = (track(Shape::Const(2.0), 0.1), track(Shape::Const(2.0), 0.0));
            let mut changes = changes;
            changes.sort_by(|a, b| a.0.total_cmp(&b.0));
            for (from, to, over) in changes {
                let before = bare.at(at.min(from - 1e-6));
                let shape = Shape::Ramp { to, over: secs(over) };
                noisy.change(from, shape.clone());
                bare.change(from, shape);
                prop_assert_eq!(before.to_bits(), bare.at(at.min(from - 1e-6)).to_bits());
            }
            prop_assert!((noisy.at(at) - bare.at(at)).abs() <= 0.1 * bare.at(at).abs() + 1e-9);
        }
    }
}
