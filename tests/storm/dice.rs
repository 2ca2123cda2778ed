//! Chances that a seed decides.

use onelane::sandbox::{Random, seeded};

/// Throws the same numbers for the same seed.
pub struct Dice(Random);

impl Dice {
    /// For one purpose of a storm: what one part of it throws changes nothing for the others.
    pub fn new(seed: u64, purpose: u64) -> Self {
        Dice(seeded(seed.wrapping_mul(1_000).wrapping_add(purpose)))
    }

    /// At least 0, less than 1.
    pub fn share(&self) -> f64 {
        (self.0)()
    }

    pub fn chance(&self, probability: f64) -> bool {
        self.share() < probability
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a small number")]
    pub fn below(&self, end: usize) -> usize {
        (self.share() * end as f64) as usize
    }

    pub fn between(&self, from: f64, to: f64) -> f64 {
        from + self.share() * (to - from)
    }

    /// In ascending order.
    pub fn moments(&self, count: usize, from: f64, to: f64) -> Vec<f64> {
        let mut moments: Vec<f64> = (0..count).map(|_| self.between(from, to)).collect();
        moments.sort_by(f64::total_cmp);
        moments
    }
}
