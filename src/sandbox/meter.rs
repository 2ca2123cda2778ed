//! Counts what arrives at a simulator and holds it to the documented quota.
//!
//! The quota is a law about every half-open window of the documented length, wherever it starts,
//! and not about calendar seconds. Both questions asked here are exact: was there room for this
//! request in the windows that it falls into, and what was the most that any window ever held.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

/// How many arrival times are kept for each endpoint and credentials: 40 minutes at 40 requests a
/// second. A window that held more than this many arrivals would be reported as this many.
const ARRIVALS_KEPT: usize = 100_000;

/// An endpoint with its documented quota: at most `limit` requests in any `window`. Without a
/// documented limit nothing is refused, and the window is one that is worth looking at.
#[derive(Debug, Clone, Copy)]
pub struct MeteredEndpoint {
    pub name: &'static str,
    pub limit: Option<usize>,
    pub window: TimeDelta,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Accepted,
    /// Beyond the quota: to be refused in the provider's own way.
    Refused,
}

/// The lanes of one simulator.
#[derive(Default)]
pub struct Meter {
    lanes: BTreeMap<(&'static str, String), Lane>,
}

impl Meter {
    /// Records that a request arrived, and says whether the quota has room for it. A refused
    /// request takes no room from later ones, but counts in [`MeterReading::most_in_any_window`]:
    /// that number is about the sender.
    pub fn arrive(&mut self, endpoint: MeteredEndpoint, credentials: &str, now: DateTime<Utc>) -> Admission {
        self.lane(endpoint, credentials).arrive(now)
    }

    /// Records how many orders an admitted request brought.
    pub fn batch(&mut self, endpoint: MeteredEndpoint, credentials: &str, orders: usize) {
        let lane = self.lane(endpoint, credentials);
        *lane.batches.entry(orders).or_default() += 1;
    }

    pub fn readings(&self) -> Vec<MeterReading> {
        self.lanes.iter().map(|((_, credentials), lane)| lane.reading(credentials)).collect()
    }

    fn lane(&mut self, endpoint: MeteredEndpoint, credentials: &str) -> &mut Lane {
        self.lanes.entry((endpoint.name, credentials.to_owned())).or_insert_with(|| Lane::new(endpoint))
    }
}

/// What one set of credentials sent to one endpoint.
struct Lane {
    endpoint: MeteredEndpoint,
    requests: u64,
    refusals: u64,
    most_in_any_window: usize,
    first_at: Option<DateTime<Utc>>,
    /// All arrivals in ascending order, the last [`ARRIVALS_KEPT`] of them.
    arrivals: VecDeque<DateTime<Utc>>,
    /// The admitted arrivals that can still share a window with the next one.
    admitted: VecDeque<DateTime<Utc>>,
    /// Number of orders in a request, to the number of such requests.
    batches: BTreeMap<usize, u64>,
}

impl Lane {
    fn new(endpoint: MeteredEndpoint) -> Self {
        Self {
            endpoint,
            requests: 0,
            refusals: 0,
            most_in_any_window: 0,
            first_at: None,
            arrivals: VecDeque::new(),
            admitted: VecDeque::new(),
            batches: BTreeMap::new(),
        }
    }

    fn arrive(&mut self, now: DateTime<Utc>) -> Admission {
        // A wall clock may step back; the law is about elapsed time, which does not.
        let now = self.arrivals.back().map_or(now, |last| now.max(*last));
        // Two arrivals share a half-open window when they are less than its length apart, so the
        // fullest window that holds this arrival is the one that it closes.
        let closed = now - self.endpoint.window;

        self.requests += 1;
        self.first_at.get_or_insert(now);
        self.arrivals.push_back(now);
        if self.arrivals.len() > ARRIVALS_KEPT {
            self.arrivals.pop_front();
        }
        let outside = self.arrivals.partition_point(|at| *at <= closed);
        self.most_in_any_window = self.most_in_any_window.max(self.arrivals.len() - outside);

        while self.admitted.front().is_some_and(|at| *at <= closed) {
            self.admitted.pop_front();
        }
        match self.endpoint.limit {
            None => Admission::Accepted,
            Some(limit) if self.admitted.len() < limit => {
                self.admitted.push_back(now);
                Admission::Accepted
            }
            Some(_) => {
                self.refusals += 1;
                Admission::Refused
            }
        }
    }

    fn reading(&self, credentials: &str) -> MeterReading {
        let orders = |(size, times): (&usize, &u64)| *size as u64 * times;
        MeterReading {
            endpoint: self.endpoint.name,
            credentials: credentials.to_owned(),
            requests: self.requests,
            most_in_any_window: self.most_in_any_window,
            window_seconds: self.endpoint.window.num_seconds(),
            limit: self.endpoint.limit,
            refusals: self.refusals,
            orders: self.batches.iter().map(orders).sum(),
            largest_batch: self.batches.keys().next_back().copied().unwrap_or(0),
            first_at: self.first_at,
            last_at: self.arrivals.back().copied(),
            batches: self.batches.clone(),
            arrivals: self.arrivals.iter().map(epoch_milliseconds).collect(),
        }
    }
}

/// Milliseconds since 1970 with their fraction; an `f64` holds today's to a quarter of a
/// microsecond.
#[expect(clippy::cast_precision_loss, reason = "a quarter of a microsecond is no loss here")]
fn epoch_milliseconds(at: &DateTime<Utc>) -> f64 {
    at.timestamp_micros() as f64 / 1_000.0
}

/// What one set of credentials sent to one endpoint, as `GET /control/{provider}/meter` shows it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MeterReading {
    pub endpoint: &'static str,
    /// The user name, or its like; never a secret.
    pub credentials: String,
    /// All requests that arrived, the refused ones included.
    pub requests: u64,
    /// The most of them in any half-open window of the documented length, or of a second where no
    /// limit is documented.
    pub most_in_any_window: usize,
    pub window_seconds: i64,
    /// `None` if none is documented.
    pub limit: Option<usize>,
    /// Requests refused because of the quota.
    pub refusals: u64,
    /// Orders in the admitted requests.
    pub orders: u64,
    pub largest_batch: usize,
    pub first_at: Option<DateTime<Utc>>,
    pub last_at: Option<DateTime<Utc>>,
    /// Number of orders in a request, to the number of such requests.
    pub batches: BTreeMap<usize, u64>,
    /// When requests arrived, in milliseconds since 1970 with their fraction, ascending: the
    /// last 100,000. With them utilisation can be computed over any part of a run.
    pub arrivals: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: usize = 3;
    const ENDPOINT: MeteredEndpoint =
        MeteredEndpoint { name: "orders", limit: Some(LIMIT), window: TimeDelta::seconds(1) };

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(milliseconds)
    }

    fn only_reading(meter: &Meter) -> MeterReading {
        let readings = meter.readings();
        assert_eq!(readings.len(), 1);
        readings.into_iter().next().unwrap()
    }

    #[test]
    fn a_window_is_half_open() {
        let mut meter = Meter::default();
        for milliseconds in [0, 400, 800] {
            let admission = meter.arrive(ENDPOINT, "demo", at(milliseconds));
            assert_eq!(admission, Admission::Accepted);
        }
        assert_eq!(meter.arrive(ENDPOINT, "demo", at(999)), Admission::Refused, "0 and 999 share a window");
        assert_eq!(meter.arrive(ENDPOINT, "demo", at(1_000)), Admission::Accepted, "0 and 1000 do not");
        let reading = only_reading(&meter);
        assert_eq!(reading.refusals, 1);
        assert_eq!(reading.most_in_any_window, 4, "the refused one included");
        assert_eq!(reading.requests, 5);
    }

    #[test]
    fn calendar_seconds_do_not_matter() {
        let mut meter = Meter::default();
        for milliseconds in [900, 950, 990] {
            meter.arrive(ENDPOINT, "demo", at(milliseconds));
        }
        assert_eq!(meter.arrive(ENDPOINT, "demo", at(1_010)), Admission::Refused);
    }

    #[test]
    fn a_refused_request_takes_no_room() {
        let mut meter = Meter::default();
        for milliseconds in [0, 0, 0, 500, 600, 700] {
            meter.arrive(ENDPOINT, "demo", at(milliseconds));
        }
        assert_eq!(meter.arrive(ENDPOINT, "demo", at(1_000)), Admission::Accepted);
        assert_eq!(only_reading(&meter).refusals, 3);
    }

    #[test]
    fn without_a_limit_all_is_measured_and_nothing_refused() {
        let mut meter = Meter::default();
        let endpoint = MeteredEndpoint { limit: None, ..ENDPOINT };
        for milliseconds in [0, 0, 0, 0, 999, 1_000] {
            assert_eq!(meter.arrive(endpoint, "demo", at(milliseconds)), Admission::Accepted);
        }
        let reading = only_reading(&meter);
        assert_eq!((reading.requests, reading.most_in_any_window, reading.refusals), (6, 5, 0));
        assert_eq!(reading.limit, None);
    }

    #[test]
    fn credentials_have_their_own_quota() {
        let mut meter = Meter::default();
        for _ in 0..3 {
            meter.arrive(ENDPOINT, "one", at(0));
        }
        assert_eq!(meter.arrive(ENDPOINT, "other", at(0)), Admission::Accepted);
        assert_eq!(meter.readings().len(), 2);
    }

    #[test]
    fn a_clock_that_steps_back_opens_no_room() {
        let mut meter = Meter::default();
        for _ in 0..3 {
            meter.arrive(ENDPOINT, "demo", at(5_000));
        }
        assert_eq!(meter.arrive(ENDPOINT, "demo", at(0)), Admission::Refused);
    }

    #[test]
    fn batches_are_counted_by_size() {
        let mut meter = Meter::default();
        for orders in [1, 100, 100] {
            meter.arrive(ENDPOINT, "demo", at(0));
            meter.batch(ENDPOINT, "demo", orders);
        }
        let reading = only_reading(&meter);
        assert_eq!((reading.orders, reading.largest_batch), (201, 100));
        assert_eq!(serde_json::to_value(&reading.batches).unwrap(), serde_json::json!({"1": 1, "100": 2}));
    }

    #[test]
    fn arrivals_are_epoch_milliseconds_with_their_fraction() {
        let mut meter = Meter::default();
        let now = at(1_767_225_600_123) + TimeDelta::microseconds(456);
        meter.arrive(ENDPOINT, "demo", now);
        assert_eq!(only_reading(&meter).arrivals, [1_767_225_600_123.456]);
    }

    proptest! {
        /// Against the definition: for each window that starts at an arrival, count.
        #[test]
        fn the_fullest_window_is_exact(gaps in prop::collection::vec(0_i64..700, 1..200)) {
            let mut meter = Meter::default();
            let mut now = 0;
            let mut all = Vec::new();
            let mut admitted = Vec::new();
            for gap in gaps {
                now += gap;
                all.push(now);
                if meter.arrive(ENDPOINT, "demo", at(now)) == Admission::Accepted {
                    admitted.push(now);
                }
            }
            let fullest = |times: &[i64]| {
                let within = |start: i64| move |at: &&i64| (start..start + 1_000).contains(*at);
                let count = |start: &i64| times.iter().filter(within(*start)).count();
                times.iter().map(count).max().unwrap_or(0)
            };
            prop_assert_eq!(only_reading(&meter).most_in_any_window, fullest(&all));
            prop_assert!(fullest(&admitted) <= LIMIT);
        }
    }
}
