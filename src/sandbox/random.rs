//! Where the sandbox takes its chances from.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers of at least 0 and less than 1, for faults that strike only sometimes.
pub type Random = Arc<dyn Fn() -> f64 + Send + Sync>;

/// The same numbers for the same seed, whichever threads ask (SplitMix64, whose state only ever
/// grows by a constant, so that an atomic counter is enough to hold it).
pub fn seeded(seed: u64) -> Random {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    const ONE: u64 = 1_f64.to_bits();
    let state = AtomicU64::new(seed);
    Arc::new(move || {
        let state = state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        // As the fraction of a double between 1 and 2.
        f64::from_bits(ONE | ((mixed ^ (mixed >> 31)) >> 12)) - 1.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_its_numbers_again_and_another_gives_others() {
        let draw = |seed| {
            let random = seeded(seed);
            std::iter::repeat_with(|| random()).take(1_000).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(draw(1).iter().all(|it| (0.0..1.0).contains(it)));
        let mean = draw(1).iter().sum::<f64>() / 1_000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
    }
}
