//! Minutes that are over are asked of the ledger once, however many watch.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use tokio::sync::Mutex;

use crate::store::overview::Minute;
use crate::store::{Store, StoreError};

/// How far back the overview looks.
const WINDOW: TimeDelta = TimeDelta::minutes(60);
/// A commit may come later than what it says; after this nothing is added to a minute any more.
const SETTLES: TimeDelta = TimeDelta::minutes(2);
/// Numbers may be this old: many who watch cost as much as one.
const FRESH: TimeDelta = TimeDelta::seconds(2);
/// Sets of accounts that are remembered; keys are limited to few different ones.
const MOST_SETS: usize = 32;

/// The accounts that somebody may see; nothing means all.
type Accounts = Option<Vec<String>>;

/// What was counted, by the accounts that somebody may see.
#[derive(Default)]
pub struct Pulse {
    counted: Mutex<HashMap<Accounts, Arc<Mutex<Counted>>>>,
}

#[derive(Default)]
struct Counted {
    minutes: Vec<Minute>,
    asked_at: Option<DateTime<Utc>>,
}

impl Pulse {
    /// The last hour, minute by minute, the running one last.
    pub async fn minutes(
        &self,
        store: &Store,
        allowed: Option<&[String]>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Minute>, StoreError> {
        let counted = self.of(allowed).await;
        // Whoever comes meanwhile waits, and finds it done.
        let mut counted = counted.lock().await;
        if counted.asked_at.is_some_and(|at| now >= at && now - at < FRESH) {
            return Ok(counted.minutes.clone());
        }
        let minute = TimeDelta::minutes(1);
        let running = now.duration_trunc(minute).unwrap_or(now);
        let (begin, end) = (running + minute - WINDOW, running + minute);
        // What was counted while more could still come is counted again.
        let counted_at = counted.asked_at;
        counted.minutes.retain(|it| it.at >= begin && counted_at.is_some_and(|at| it.at + minute + SETTLES <= at));
        let from = counted.minutes.last().map_or(begin, |last| last.at + minute);
        let anew = store.minutes(from, end, allowed).await?;
        counted.minutes.extend(anew);
        counted.asked_at = Some(now);
        Ok(counted.minutes.clone())
    }

    async fn of(&self, allowed: Option<&[String]>) -> Arc<Mutex<Counted>> {
        let mut sets = self.counted.lock().await;
        let set = allowed.map(<[String]>::to_vec);
        if sets.len() >= MOST_SETS && !sets.contains_key(&set) {
            sets.clear();
        }
        Arc::clone(sets.entry(set).or_default())
    }
}
