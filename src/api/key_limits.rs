//! How often an API key may call: a token bucket for each key, in this process.
//!
//! Only keys that the ledger knows have one, and those that were not used for a while are forgotten, so nobody can
//! make it grow.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock, MonotonicClock, Reference};
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// Below this number of keys nothing is forgotten.
const FEW: usize = 1024;

type Bucket<C> = RateLimiter<NotKeyed, InMemoryState, C, StateInformationMiddleware>;

/// The buckets of the keys that were used lately.
pub struct KeyLimits<C: Clock = MonotonicClock> {
    clock: C,
    default: Option<NonZeroU32>,
    buckets: Mutex<Buckets<C>>,
}

struct Buckets<C: Clock> {
    by_hash: HashMap<Vec<u8>, KeyBucket<C>>,
    /// With how many keys it is next looked for some to forget
    full_at: usize,
}

struct KeyBucket<C: Clock> {
    bucket: Bucket<C>,
    rate: KeyRate,
    used_at: C::Instant,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRate {
    pub per_second: NonZeroU32,
    /// Requests at once after a rest
    pub burst: NonZeroU32,
}

/// Where a key stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    rate: KeyRate,
    /// Requests that may come at once now
    remaining: u32,
    /// Until this one may come; zero when it was let through
    pub wait: Duration,
}

/// Stands among the extensions of a request: where its key stands, once that is known.
pub type StandingSlot = Arc<OnceLock<Standing>>;

impl KeyRate {
    /// The rate of a key, from what is kept of it.
    pub fn of(per_second: Option<i32>, burst: Option<i32>, default: Option<NonZeroU32>) -> Option<Self> {
        let positive = |number: i32| u32::try_from(number).ok().and_then(NonZeroU32::new);
        let per_second = per_second.and_then(positive).or(default)?;
        Some(KeyRate { per_second, burst: burst.and_then(positive).unwrap_or(per_second) })
    }

    fn quota(self) -> Quota {
        Quota::per_second(self.per_second).allow_burst(self.burst)
    }

    /// Time from an empty bucket to a full one.
    fn refill(self) -> Duration {
        Duration::from_secs_f64(f64::from(self.burst.get()) / f64::from(self.per_second.get()))
    }
}

impl KeyLimits {
    pub fn new(default: Option<NonZeroU32>) -> Self {
        Self::with_clock(default, MonotonicClock)
    }
}

impl<C: Clock + Clone> KeyLimits<C> {
    fn with_clock(default: Option<NonZeroU32>, clock: C) -> Self {
        let buckets = Mutex::new(Buckets { by_hash: HashMap::new(), full_at: FEW });
        KeyLimits { clock, default, buckets }
    }

    /// Counts a request of a key that was seen before; nothing when it was not, or has no limit.
    pub fn count_known(&self, hash: &[u8]) -> Option<Standing> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        Some(buckets.by_hash.get_mut(hash)?.count(now))
    }

    /// Counts the first request of a key that the ledger knows; nothing when it has no limit.
    pub fn count_first(&self, hash: &[u8], per_second: Option<i32>, burst: Option<i32>) -> Option<Standing> {
        let rate = KeyRate::of(per_second, burst, self.default)?;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        buckets.forget_idle(now);
        let bucket = buckets.by_hash.entry(hash.to_vec()).or_insert_with(|| {
            let bucket = RateLimiter::direct_with_clock(rate.quota(), self.clock.clone());
            KeyBucket { bucket: bucket.with_middleware(), rate, used_at: now }
        });
        Some(bucket.count(now))
    }

    /// A key that is not valid any more needs no bucket.
    pub fn forget(&self, hash: &[u8]) {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).by_hash.remove(hash);
    }
}

impl<C: Clock> Buckets<C> {
    /// Forgets keys whose buckets must be full by now: a new one would be the same.
    fn forget_idle(&mut self, now: C::Instant) {
        if self.by_hash.len() < self.full_at {
            return;
        }
        self.by_hash.retain(|_, key| Duration::from(now.duration_since(key.used_at)) < key.rate.refill());
        self.full_at = (self.by_hash.len() * 2).max(FEW);
    }
}

impl<C: Clock> KeyBucket<C> {
    fn count(&mut self, now: C::Instant) -> Standing {
        self.used_at = now;
        let (remaining, wait) = match self.bucket.check() {
            Ok(snapshot) => (snapshot.remaining_burst_capacity(), Duration::ZERO),
            Err(not_until) => (0, not_until.wait_time_from(now).max(Duration::from_millis(1))),
        };
        Standing { rate: self.rate, remaining, wait }
    }
}

impl Standing {
    pub fn is_over(&self) -> bool {
        !self.wait.is_zero()
    }

    /// Tells a caller, as draft-ietf-httpapi-ratelimit-headers does.
    pub fn write(&self, headers: &mut HeaderMap) {
        let KeyRate { per_second, burst } = self.rate;
        let to_full = f64::from(burst.get().saturating_sub(self.remaining)) / f64::from(per_second.get());
        let (window, reset) = (self.rate.refill().as_secs_f64().ceil(), to_full.ceil());
        let policy = format!("\"key\";q={burst};w={window}");
        let now = format!("\"key\";r={};t={reset}", self.remaining);
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", now)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limits(clock: &FakeRelativeClock) -> KeyLimits<FakeRelativeClock> {
        KeyLimits::with_clock(None, clock.clone())
    }

    #[test]
    fn a_key_may_come_in_a_burst_and_then_at_its_rate() {
        let clock = FakeRelativeClock::default();
        let limits = limits(&clock);
        assert_eq!(limits.count_known(b"a"), None);
        let first = limits.count_first(b"a", Some(2), Some(3)).unwrap();
        assert_eq!((first.remaining, first.is_over()), (2, false));
        assert!(!limits.count_known(b"a").unwrap().is_over());
        assert!(!limits.count_known(b"a").unwrap().is_over());
        let over = limits.count_known(b"a").unwrap();
        assert_eq!((over.remaining, over.wait), (0, Duration::from_millis(500)));
        // What was refused was not counted.
        clock.advance(Duration::from_millis(500));
        assert!(!limits.count_known(b"a").unwrap().is_over());
        assert!(limits.count_known(b"a").unwrap().is_over());
        clock.advance(Duration::from_secs(60));
        for _ in 0..3 {
            assert!(!limits.count_known(b"a").unwrap().is_over());
        }
        assert!(limits.count_known(b"a").unwrap().is_over());
        // Another key is another bucket.
        assert!(!limits.count_first(b"b", Some(2), None).unwrap().is_over());
    }

    #[test]
    fn a_key_without_a_limit_has_that_of_the_configuration_or_none() {
        let clock = FakeRelativeClock::default();
        assert_eq!(limits(&clock).count_first(b"a", None, None), None);
        let limits = KeyLimits::with_clock(NonZeroU32::new(5), clock);
        let rate = |per_second, burst| {
            let rate = limits.count_first(&[1], per_second, burst).unwrap().rate;
            limits.forget(&[1]);
            (rate.per_second.get(), rate.burst.get())
        };
        assert_eq!(rate(None, None), (5, 5));
        assert_eq!(rate(None, Some(9)), (5, 9));
        assert_eq!(rate(Some(7), None), (7, 7));
        assert_eq!(limits.count_known(&[1]), None);
    }

    #[test]
    fn keys_that_rest_are_forgotten_and_those_that_do_not_are_not() {
        let clock = FakeRelativeClock::default();
        let limits = limits(&clock);
        let held = || limits.buckets.lock().unwrap().by_hash.len();
        for key in 0..FEW {
            limits.count_first(&key.to_be_bytes(), Some(1), None).unwrap();
        }
        clock.advance(Duration::from_millis(900));
        limits.count_first(b"tired", Some(1), Some(10)).unwrap();
        assert_eq!(held(), FEW + 1);
        clock.advance(Duration::from_millis(200));
        for key in FEW..FEW * 2 {
            limits.count_first(&key.to_be_bytes(), Some(1), None).unwrap();
        }
        assert_eq!(held(), FEW + 1, "the first ones have rested, the tired one has not");
        assert!(limits.count_known(b"tired").is_some());
    }

    #[test]
    fn a_caller_is_told_what_is_left() {
        let clock = FakeRelativeClock::default();
        let limits = limits(&clock);
        limits.count_first(b"a", Some(2), Some(3)).unwrap();
        let mut headers = HeaderMap::new();
        limits.count_known(b"a").unwrap().write(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"key\";q=3;w=2");
        assert_eq!(headers["ratelimit"], "\"key\";r=1;t=1");
    }
}
