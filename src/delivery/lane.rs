//! One lane: claims batch after batch, and hands each to a task of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Delivery;
use crate::metrics::CLAIM_DURATION;
use crate::provider::{self, Endpoint, Limit};
use crate::setback::Setbacks;
use crate::store::claim::{Claim, ClaimRequest};
use crate::store::lanes::LaneKey;
use crate::store::{StoreError, within};
use crate::throttle::Pace;

/// The longest that a lane without a token sleeps before it asks again.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);
/// The head start before anything was learnt, in microseconds: the first claim of a process is its slowest.
const FIRST_HEAD_START: u64 = 25_000;
/// A claim that takes longer than this on its way is a failure of the database, and nothing to plan for.
const LONGEST_HEAD_START: Duration = Duration::from_secs(1);
/// How often a lane reads its accounts' overrides anew.
const REFRESH: Duration = Duration::from_secs(5);

/// What a lane's exchanges tell the lane.
pub struct LaneHandle {
    pub key: LaneKey,
    pub endpoint: &'static Endpoint,
    /// Says that the lane has work
    pub notify: Notify,
    /// Most items of a batch that may stand at the provider: one where it is asked about each of them
    doubtful_limit: u16,
    /// Most items of the next batch; halved when the provider finds one too large
    batch_limit: AtomicU16,
    /// How long it took lately, in microseconds, from taking a token until a request could leave
    head_start: AtomicU64,
    /// As many exchanges are in flight as may be, or it is just being found out: the end of one lets the next go
    may_be_full: AtomicBool,
    /// There was nothing to do when it was last looked, and nobody looks now
    rests: AtomicBool,
}

impl LaneHandle {
    /// Nothing for a provider or an endpoint that this version does not know.
    pub(super) fn open(key: LaneKey) -> Option<Self> {
        let profile = provider::find(&key.provider)?.profile();
        let endpoint = profile.endpoint(&key.endpoint)?;
        let mut carried = profile.operations.iter().filter(|operation| operation.endpoint == endpoint.id);
        let asks_first = carried.any(|operation| operation.evidence.looks_first());
        Some(LaneHandle::new(key, endpoint, asks_first))
    }

    fn new(key: LaneKey, endpoint: &'static Endpoint, asks_first: bool) -> Self {
        let batch_limit = AtomicU16::new(endpoint.batch_limit);
        let doubtful_limit = if asks_first { 1 } else { endpoint.batch_limit };
        LaneHandle {
            key,
            endpoint,
            notify: Notify::new(),
            doubtful_limit,
            batch_limit,
            head_start: AtomicU64::new(FIRST_HEAD_START),
            may_be_full: AtomicBool::new(false),
            rests: AtomicBool::new(false),
        }
    }

    /// Takes the lane's rest: one asks, and the others find it busy.
    pub(super) fn take_rest(&self) -> bool {
        self.rests.swap(false, Ordering::SeqCst)
    }

    pub(super) fn rest(&self) {
        self.rests.store(true, Ordering::SeqCst);
    }

    /// What a claim of the lane asks for now.
    pub(super) fn claim_request<'a>(&'a self, quota: &'a LaneQuota, key_ids: &'a [String]) -> ClaimRequest<'a> {
        ClaimRequest {
            lane: &self.key,
            pace: &quota.pace,
            in_flight_limit: quota.in_flight_limit,
            batch_limit: self.batch_limit.load(Ordering::Relaxed),
            doubtful_limit: self.doubtful_limit,
            head_start: self.head_start(),
            key_ids,
        }
    }

    /// Whether the lane may wait for an exchange to end.
    pub fn may_be_full(&self) -> bool {
        self.may_be_full.load(Ordering::SeqCst)
    }

    /// The head start that the next claim needs, lest it miss the slot that it books.
    fn head_start(&self) -> Duration {
        Duration::from_micros(self.head_start.load(Ordering::Relaxed)).min(LONGEST_HEAD_START)
    }

    /// Learns how long a request needed until it could leave: at once when it was long, slowly back when it
    /// was short.
    pub fn learn_head_start(&self, needed: Duration) {
        let needed = u64::try_from(needed.as_micros()).unwrap_or(u64::MAX);
        let lately = self.head_start.load(Ordering::Relaxed);
        self.head_start.store(needed.max(lately - lately / 8), Ordering::Relaxed);
    }

    pub fn halve_batches(&self) {
        let limit = self.batch_limit.load(Ordering::Relaxed);
        self.batch_limit.store((limit / 2).max(1), Ordering::Relaxed);
    }

    pub fn widen_batches(&self) {
        let limit = self.batch_limit.load(Ordering::Relaxed);
        if limit < self.endpoint.batch_limit {
            self.batch_limit.store(limit + 1, Ordering::Relaxed);
        }
    }
}

/// The quota of a lane: what the document says, or the smallest override of its accounts.
#[derive(Clone, Copy)]
pub struct LaneQuota {
    pub pace: Pace,
    pub in_flight_limit: u32,
    /// Submissions in one request
    batch_limit: u16,
}

impl LaneQuota {
    pub fn of<'a>(endpoint: &Endpoint, throttles: impl Iterator<Item = &'a serde_json::Value>) -> Self {
        let mut quota: Option<(Limit, Option<u32>)> = None;
        for throttle in throttles.filter_map(|throttles| throttles.get(endpoint.id)) {
            let number =
                |name: &str| throttle.get(name).and_then(serde_json::Value::as_u64).and_then(|n| u32::try_from(n).ok());
            let limit = Limit {
                requests: number("requests").unwrap_or(endpoint.limit.requests),
                window: number("windowSeconds")
                    .map_or(endpoint.limit.window, |seconds| Duration::from_secs(seconds.into())),
            };
            let per_second = |limit: &Limit| f64::from(limit.requests) / limit.window.as_secs_f64();
            quota = match quota {
                Some((smallest, in_flight)) => {
                    let fewer = in_flight.into_iter().chain(number("inFlight")).min();
                    Some((if per_second(&limit) < per_second(&smallest) { limit } else { smallest }, fewer))
                }
                None => Some((limit, number("inFlight"))),
            };
        }
        let (limit, in_flight) = quota.unwrap_or((endpoint.limit, None));
        let pace = Pace::of(limit);
        LaneQuota {
            in_flight_limit: in_flight.unwrap_or_else(|| pace.in_flight()),
            pace,
            batch_limit: endpoint.batch_limit,
        }
    }

    /// How long it takes until so many submissions have gone out, in full requests.
    pub fn time_of(&self, waiting: i64) -> Duration {
        let requests = u32::try_from(waiting / i64::from(self.batch_limit)).unwrap_or(u32::MAX);
        self.pace.spacing.saturating_mul(requests)
    }
}

impl Delivery {
    pub(super) async fn run_lane(&self, lane: Arc<LaneHandle>) {
        let mut quota = LaneQuota::of(lane.endpoint, std::iter::empty());
        let mut refreshed: Option<Instant> = None;
        let key_ids = self.inner.vault.key_ids();
        let LaneKey { provider, throttle_group, endpoint: endpoint_id } = &lane.key;
        let mut setbacks = Setbacks::of(format!("lane {provider}/{throttle_group}/{endpoint_id}"));
        while !self.inner.stop.is_cancelled() {
            if refreshed.is_none_or(|at| at.elapsed() >= REFRESH) {
                match within(self.quota_of(&lane.key, lane.endpoint)).await {
                    Ok(current) => {
                        quota = current;
                        refreshed = Some(Instant::now());
                    }
                    Err(error) => {
                        self.rest(setbacks.failed(&error)).await;
                        continue;
                    }
                }
            }
            let before = Instant::now();
            let claim = lane.claim_request(&quota, &key_ids);
            // Before the exchanges in flight are counted: the end of one meanwhile is not missed.
            lane.may_be_full.store(true, Ordering::SeqCst);
            let claimed = within(self.inner.store.claim(&claim)).await;
            lane.may_be_full.store(matches!(claimed, Ok(Claim::LaneFull)), Ordering::SeqCst);
            if claimed.is_ok() {
                setbacks.worked();
            }
            let pause = match claimed {
                Ok(Claim::Batch(batch)) => {
                    CLAIM_DURATION.record_time([provider, endpoint_id], before.elapsed());
                    let (delivery, lane, more) = (self.clone(), Arc::clone(&lane), batch.more);
                    self.inner.tasks.spawn(async move { delivery.run_exchange(&lane, batch, before).await });
                    if more {
                        continue;
                    }
                    None
                }
                Ok(Claim::NoToken(wait)) if wait.is_zero() => continue,
                Ok(Claim::NoToken(wait)) => Some(wait.min(LONGEST_SLEEP)),
                Ok(Claim::NothingDue | Claim::LaneFull) => None,
                Err(error) => {
                    self.rest(setbacks.failed(&error)).await;
                    continue;
                }
            };
            if pause.is_none() && !lane.may_be_full() {
                lane.rest();
            }
            tokio::select! {
                () = lane.notify.notified(), if pause.is_none() => {}
                () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
                () = self.inner.stop.cancelled() => {}
            }
            lane.take_rest();
        }
    }

    /// The quota of a lane from its accounts.
    pub(super) async fn quota_of(&self, lane: &LaneKey, endpoint: &Endpoint) -> Result<LaneQuota, StoreError> {
        let members = self.inner.store.lane_members().await?;
        let of_lane = members
            .iter()
            .filter(|member| member.provider == lane.provider && member.throttle_group == lane.throttle_group);
        Ok(LaneQuota::of(endpoint, of_lane.map(|member| &member.throttles)))
    }

    /// Rests, unless everything is to end.
    pub(super) async fn rest(&self, rest: Duration) {
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = self.inner.stop.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_head_start_follows_slow_claims_at_once_and_fast_ones_slowly() {
        static ENDPOINT: Endpoint = Endpoint {
            id: "e",
            method: "PUT",
            path: "/e",
            limit: Limit { requests: 40, window: Duration::from_secs(1) },
            batch_limit: 100,
        };
        let key = LaneKey { provider: String::new(), throttle_group: String::new(), endpoint: String::new() };
        let lane = LaneHandle::new(key, &ENDPOINT, false);
        assert_eq!(lane.head_start(), Duration::from_millis(25));
        lane.learn_head_start(Duration::from_millis(80));
        assert_eq!(lane.head_start(), Duration::from_millis(80));
        lane.learn_head_start(Duration::from_millis(1));
        assert_eq!(lane.head_start(), Duration::from_millis(70));
        lane.learn_head_start(Duration::from_secs(90));
        assert_eq!(lane.head_start(), LONGEST_HEAD_START);
    }

    #[test]
    fn the_smaller_of_two_overrides_counts() {
        let endpoint = Endpoint {
            id: "e",
            method: "PUT",
            path: "/e",
            limit: Limit { requests: 40, window: Duration::from_secs(1) },
            batch_limit: 100,
        };
        let (wide, narrow) =
            (json!({"e": {"requests": 100, "inFlight": 9}}), json!({"e": {"requests": 3, "windowSeconds": 1}}));
        let quota = LaneQuota::of(&endpoint, [&wide, &narrow].into_iter());
        assert_eq!((quota.pace.limit.requests, quota.in_flight_limit), (3, 9));
        let documented = LaneQuota::of(&endpoint, [&json!({})].into_iter());
        assert_eq!((documented.pace.limit.requests, documented.in_flight_limit), (40, 80));
    }
}
