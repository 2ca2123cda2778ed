//! How much waits before an order that comes now, for estimates: counted once a second at most.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::store::{Store, StoreError};

/// How long a count is good for.
const GOOD_FOR: Duration = Duration::from_secs(1);
/// Beyond this number of lanes, those whose counts are old are forgotten.
const FEW: usize = 1024;

/// What waited when it was counted last, by account and endpoint.
#[derive(Debug, Default)]
pub struct Backlogs {
    by_lane: Mutex<HashMap<(String, String), Backlog>>,
}

#[derive(Debug, Clone, Copy)]
struct Backlog {
    waiting: i64,
    counted: Instant,
}

impl Backlogs {
    /// How much of an account waits at an endpoint before what came just now; counts to 10,000.
    pub async fn before(
        &self,
        store: &Store,
        account: &str,
        endpoint: &str,
        came: DateTime<Utc>,
    ) -> Result<i64, StoreError> {
        let lane = (account.to_owned(), endpoint.to_owned());
        if let Some(waiting) = self.known(&lane, Instant::now()) {
            return Ok(waiting);
        }
        let waiting = store.queued_before(account, endpoint, came).await?;
        self.note(lane, waiting, Instant::now());
        Ok(waiting)
    }

    /// The last count. When it is old, one caller counts anew, and the others take it meanwhile.
    fn known(&self, lane: &(String, String), now: Instant) -> Option<i64> {
        let mut lanes = self.by_lane.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lanes.get_mut(lane)?;
        if now < known.counted + GOOD_FOR {
            return Some(known.waiting);
        }
        known.counted = now;
        None
    }

    fn note(&self, lane: (String, String), waiting: i64, counted: Instant) {
        let mut lanes = self.by_lane.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.len() >= FEW {
            lanes.retain(|_, known| counted < known.counted + GOOD_FOR);
        }
        lanes.insert(lane, Backlog { waiting, counted });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_counts_anew_when_a_second_is_over() {
        let (backlogs, now) = (Backlogs::default(), Instant::now());
        let lane = || ("a".to_owned(), "e".to_owned());
        assert_eq!(backlogs.known(&lane(), now), None);
        backlogs.note(lane(), 7, now);
        assert_eq!(backlogs.known(&lane(), now), Some(7));
        assert_eq!(backlogs.known(&lane(), now + GOOD_FOR), None, "this one counts");
        assert_eq!(backlogs.known(&lane(), now + GOOD_FOR), Some(7), "and the others need not");
    }

    #[test]
    fn lanes_of_old_counts_are_forgotten() {
        let (backlogs, now) = (Backlogs::default(), Instant::now());
        for lane in 0..FEW {
            backlogs.note((lane.to_string(), String::new()), 0, now);
        }
        backlogs.note(("one more".to_owned(), String::new()), 0, now + GOOD_FOR);
        assert_eq!(backlogs.by_lane.lock().unwrap().len(), 1);
    }
}
