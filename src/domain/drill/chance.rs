//! Repeatable chance: a number that depends on nothing but what it is asked for. Keeps no state.

/// A number in 0..1 for one (seed, stream, step); the same for ever.
pub fn unit(seed: u64, stream: u64, step: i64) -> f64 {
    // What a loop over steps can work out once stands inside.
    let mixed = mix(mix(seed ^ mix(stream)) ^ step.cast_unsigned());
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// A factor around 1: at most `spread` away from it.
pub fn around_one(spread: f64, seed: u64, stream: u64, step: i64) -> f64 {
    1.0 + spread * (2.0 * unit(seed, stream, step) - 1.0)
}

/// Five hex digits, as they end a pod's name.
pub fn tag(seed: u64, stream: u64, step: i64) -> String {
    format!("{:05x}", (unit(seed, stream, step) * 1_048_576.0) as u32)
}

/// Spreads every bit of the input over all bits of the output (two multiply-and-shift rounds, odd constants).
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_even_and_repeats() {
        let mean = (0..10_000).map(|step| unit(7, 1, step)).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert_eq!(unit(7, 1, -5), unit(7, 1, -5));
        assert_ne!(unit(7, 1, 5), unit(8, 1, 5));
        assert_ne!(unit(7, 1, 5), unit(7, 2, 5));
        assert_eq!(tag(1, 2, 3).len(), 5);
    }
}
