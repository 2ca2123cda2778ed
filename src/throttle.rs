//! The token bucket's law, pure: GCRA over one instant per lane. Its row is in the ledger, shared by all
//! replicas.
//!
//! In no half-open window of the documented length do more requests leave than the limit allows. A request
//! may leave at `max(now, tat − tolerance)`, where `tat` is the theoretical arrival time that the lane keeps;
//! then `tat` becomes `max(slot, tat) + spacing`. The slot is the latest departure that was planned for: whoever is
//! ready sooner leaves sooner, which costs nobody anything.

use std::time::Duration;

use crate::provider::Limit;

/// Lateness and jitter on the way that the spacing of short windows absorbs.
const GUARD: Duration = Duration::from_millis(40);
/// A slot may be reserved this long before it comes.
pub const RESERVE_AHEAD: Duration = Duration::from_millis(100);
/// A reserved slot that is missed by more is given up.
pub const MOST_LATENESS: Duration = Duration::from_millis(20);
/// Windows up to this length are spaced evenly; longer ones allow a burst.
const SHORT_WINDOW: Duration = Duration::from_secs(10);
/// Share of a long window's limit that may leave at once.
const BURST_SHARE: u32 = 33;

/// The pace of one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pub limit: Limit,
    /// Requests that may leave at once after a rest
    pub burst: u32,
    /// Time between requests in the long run
    pub spacing: Duration,
}

impl Pace {
    /// Short windows: burst 1 and spacing (window + guard) / limit. Long windows: burst + rate × window ≤
    /// limit.
    pub fn of(limit: Limit) -> Self {
        let requests = limit.requests.max(1);
        if limit.window <= SHORT_WINDOW {
            return Pace { limit, burst: 1, spacing: (limit.window + GUARD) / requests };
        }
        let burst = (requests / BURST_SHARE).max(1);
        Pace { limit, burst, spacing: (limit.window + GUARD) / requests.saturating_sub(burst).max(1) }
    }

    /// How far before `tat` a request may leave.
    pub fn tolerance(&self) -> Duration {
        self.spacing * (self.burst - 1)
    }

    /// Requests that may leave right now, when `tat` lies this far ahead.
    pub fn available(&self, ahead: Option<chrono::TimeDelta>) -> u32 {
        let ahead = ahead.and_then(|ahead| ahead.to_std().ok()).unwrap_or_default();
        let room = (self.tolerance() + self.spacing).saturating_sub(ahead);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the burst")]
        let whole = (room.as_secs_f64() / self.spacing.as_secs_f64()).floor() as u32;
        whole.min(self.burst)
    }

    /// Exchanges that may be in flight at once: twice the per-second limit, at least 4.
    pub fn in_flight(&self) -> u32 {
        let per_second = f64::from(self.limit.requests) / self.limit.window.as_secs_f64();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
        let twice = (per_second * 2.0).ceil() as u32;
        twice.max(4)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limit(requests: u32, window: Duration) -> Limit {
        Limit { requests, window }
    }

    /// The law as the ledger's statement applies it.
    ///
    /// Gives when each request may leave, and its slot.
    fn departures(pace: &Pace, wishes: &[(Duration, Duration)]) -> Vec<(Duration, Duration)> {
        let mut tat = Duration::ZERO;
        let mut now = Duration::ZERO;
        let mut left = Vec::new();
        for (wish, head_start) in wishes {
            now += *wish;
            let departure = now.max(tat.saturating_sub(pace.tolerance()));
            let slot = departure.max(now + *head_start);
            tat = slot.max(tat) + pace.spacing;
            left.push((departure, slot));
            now = departure;
        }
        left
    }

    fn most_in_any_window(times: &[Duration], window: Duration) -> usize {
        (0..times.len())
            .map(|start| times[start..].iter().take_while(|time| **time < times[start] + window).count())
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn documented_paces() {
        assert_eq!(Pace::of(limit(40, Duration::from_secs(1))).spacing, Duration::from_millis(26));
        assert_eq!(Pace::of(limit(3, Duration::from_secs(1))).spacing.as_micros(), 346_666);
        assert_eq!(Pace::of(limit(40, Duration::from_secs(1))).in_flight(), 80);
        assert_eq!(Pace::of(limit(1, Duration::from_secs(1))).in_flight(), 4);
        let hourly = Pace::of(limit(10_000, Duration::from_secs(3600)));
        assert_eq!(hourly.burst, 303);
        assert_eq!(hourly.available(None), 303);
        assert_eq!(hourly.available(Some(chrono::TimeDelta::seconds(60))), 303 - 162);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// Whatever the wishes, and whenever each request really leaves between the soonest and the end of the allowance.
        #[test]
        fn no_window_exceeds_the_limit(
            requests in prop_oneof![1_u32..60, 60_u32..400],
            window_ms in prop_oneof![500_u64..=10_000, 10_001_u64..40_000],
            steps in proptest::collection::vec(
                (prop_oneof![Just(0), 0_u64..200], prop_oneof![Just(0), 0_u64..100], 0_u64..=20, any::<bool>()), 1..1200),
        ) {
            let window = Duration::from_millis(window_ms);
            let pace = Pace::of(limit(requests, window));
            let wishes: Vec<_> =
                steps.iter().map(|(gap, head, _, _)| (Duration::from_millis(*gap), Duration::from_millis(*head))).collect();
            let mut left: Vec<_> = departures(&pace, &wishes)
                .into_iter()
                .zip(&steps)
                .map(|((soonest, slot), (_, _, late, soon))| {
                    let late = Duration::from_millis(*late);
                    if *soon { slot.min(soonest + late) } else { slot + late }
                })
                .collect();
            left.sort();
            prop_assert!(most_in_any_window(&left, window) <= requests as usize);
        }
    }
}
