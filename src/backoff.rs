//! Exponential back-off with full jitter: those who failed together do not come back together.

use std::time::Duration;

/// The least wait: the other side just failed.
const LEAST: Duration = Duration::from_millis(500);

/// How long to wait after each try: a random part of a ceiling that doubles from `base` up to `cap`.
pub struct Backoff {
    pub base: Duration,
    pub cap: Duration,
}

impl Backoff {
    /// The wait after `tries`; `random` lies in [0, 1).
    pub fn after(&self, tries: i32, random: f64) -> Duration {
        let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or(0).min(16);
        let ceiling = self.base.saturating_mul(2_u32.saturating_pow(doublings)).min(self.cap);
        LEAST.max(ceiling.mul_f64(random))
    }
}

/// A random number in [0, 1).
pub fn uniform() -> f64 {
    let bytes = crate::vault::random_bytes::<4>().unwrap_or([0x80, 0, 0, 0]);
    f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_to_its_cap() {
        let backoff = Backoff { base: Duration::from_secs(2), cap: Duration::from_secs(300) };
        assert_eq!(backoff.after(1, 0.999), Duration::from_millis(1998));
        assert_eq!(backoff.after(30, 0.5), Duration::from_secs(150));
        assert_eq!(backoff.after(1, 0.0), LEAST);
    }

    #[test]
    fn chance_stays_in_its_bounds() {
        for _ in 0..1_000 {
            assert!((0.0..1.0).contains(&uniform()));
        }
    }
}
