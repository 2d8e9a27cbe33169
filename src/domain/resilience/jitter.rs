//! A random-looking share from a given seed, so that cockpits of one team do not ask in step. Never draws randomness.

use crate::domain::time::Span;

/// A share in `0.0..1.0`, the same for the same seed and round (one step of SplitMix64).
pub fn share(seed: u64, round: u64) -> f64 {
    let mut z = seed.wrapping_add(round.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

/// That share of a span, in whole milliseconds; never longer than the span, never negative.
pub fn of(span: Span, seed: u64, round: u64) -> Span {
    let ms = span.num_milliseconds().max(0);
    Span::milliseconds((ms as f64 * share(seed, round)) as i64).min(span.max(Span::zero()))
}
