//! Waiting for submissions to end, for `Prefer: wait`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::canonical::{SubmissionResult, SubmissionState};
use crate::store::claimed::ClaimedItem;
use crate::store::settle::{OrderNow, SettledItem};
use crate::store::{Store, StoreError, within};

/// How often the ledger is asked, for submissions that another replica settles.
const POLL: Duration = Duration::from_millis(250);
/// Those who wait at once in this process; whoever else would is answered as if the time were over.
const MOST_WAITING: usize = 512;

/// Those in this process who wait for a submission.
#[derive(Debug, Clone)]
pub struct Waiting {
    by_submission: Arc<Mutex<HashMap<Uuid, Arc<Ending>>>>,
    places: Arc<Semaphore>,
    /// Nobody waits any more
    closed: CancellationToken,
}

/// The end of a submission, for those who wait for it.
#[derive(Debug, Default)]
struct Ending {
    has_come: CancellationToken,
    /// Before it has come, where it is told
    told: OnceLock<EndedCreation>,
}

/// How the creation of an order ended, and where the order stands since, as the ledger has it.
#[derive(Debug, Clone)]
pub struct EndedCreation {
    pub state: SubmissionState,
    /// The number that the answer gave
    pub provider_order_number: Option<String>,
    pub attempts: i32,
    pub may_exist: bool,
    /// Those of the answer
    pub results: Vec<SubmissionResult>,
    pub order: OrderNow,
}

impl EndedCreation {
    pub(super) fn of(claimed: &ClaimedItem, settled: &SettledItem, order: OrderNow) -> Self {
        EndedCreation {
            state: settled.state,
            provider_order_number: settled.provider_order_number.clone(),
            attempts: claimed.attempts,
            may_exist: claimed.may_exist || settled.may_exist,
            results: settled.results.clone(),
            order,
        }
    }
}

/// How a wait was over.
pub enum Waited {
    /// The submission has not ended.
    InVain,
    /// It has; of a creation this process may know how.
    Ended(Option<EndedCreation>),
}

impl Waited {
    pub fn has_ended(&self) -> bool {
        matches!(self, Waited::Ended(_))
    }
}

impl Default for Waiting {
    fn default() -> Self {
        Waiting {
            by_submission: Arc::default(),
            places: Arc::new(Semaphore::new(MOST_WAITING)),
            closed: CancellationToken::new(),
        }
    }
}

impl Waiting {
    /// Wakes those who wait for these submissions.
    pub fn settled(&self, submissions: impl Iterator<Item = Uuid>) {
        let mut waiting = self.lock();
        if waiting.is_empty() {
            return;
        }
        for id in submissions {
            if let Some(ending) = waiting.remove(&id) {
                ending.has_come.cancel();
            }
        }
    }

    /// Wakes those who wait for a creation, and tells them how it ended.
    pub fn settled_creation(&self, submission: Uuid, ended: impl FnOnce() -> EndedCreation) {
        let Some(ending) = self.lock().remove(&submission) else { return };
        // Whoever was told of it twice would read the same.
        let _ = ending.told.set(ended());
        ending.has_come.cancel();
    }

    /// Begins to wait for the end of a submission; whoever does so before it is in the ledger misses nothing.
    pub fn begin(&self, submission: Uuid) -> Waiter<'_> {
        let ending = Arc::clone(self.lock().entry(submission).or_default());
        Waiter { waiting: self, submission, ending }
    }

    /// Tells everyone who waits how their submission stands.
    pub fn close(&self) {
        self.closed.cancel();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Ending>>> {
        self.by_submission.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits; the entry goes with the last of them, however they end.
pub struct Waiter<'a> {
    waiting: &'a Waiting,
    submission: Uuid,
    ending: Arc<Ending>,
}

impl Waiter<'_> {
    /// Waits until the submission ends or the time is over. What may have ended before the wait began is looked up first.
    pub async fn end(self, store: &Store, patience: Duration, may_have_ended: bool) -> Result<Waited, StoreError> {
        let place = self.waiting.places.try_acquire();
        let deadline = Instant::now() + if place.is_ok() { patience } else { Duration::ZERO };
        let mut looks = may_have_ended;
        loop {
            let over = Instant::now() >= deadline || self.waiting.closed.is_cancelled();
            if looks || over {
                match within(store.submission_state(self.submission)).await {
                    // Whoever waits has time: it may be back before that is over.
                    Err(error) if error.is_outage() && !over => {}
                    Ok(state) if over || state.is_none_or(SubmissionState::is_final) => {
                        let has_ended = state.is_some_and(SubmissionState::is_final);
                        return Ok(if has_ended { Waited::Ended(None) } else { Waited::InVain });
                    }
                    Ok(_) => {}
                    Err(error) => return Err(error),
                }
            }
            looks = true;
            let until = deadline.min(Instant::now() + POLL);
            tokio::select! {
                () = self.ending.has_come.cancelled() => return Ok(Waited::Ended(self.ending.told.get().cloned())),
                () = self.waiting.closed.cancelled() => {}
                () = tokio::time::sleep_until(until) => {}
            }
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut waiting = self.waiting.lock();
        let mine = waiting.get(&self.submission).is_some_and(|held| Arc::ptr_eq(held, &self.ending));
        // Two: the map's and this one.
        if mine && Arc::strong_count(&self.ending) <= 2 {
            waiting.remove(&self.submission);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_those_who_went() {
        let waiting = Waiting::default();
        let id = Uuid::now_v7();
        let (first, second) = (waiting.begin(id), waiting.begin(id));
        // As when a caller hangs up.
        drop(first);
        assert!(waiting.lock().contains_key(&id));
        drop(second);
        assert!(waiting.lock().is_empty());
    }

    #[test]
    fn one_who_went_takes_nobody_elses_place() {
        let waiting = Waiting::default();
        let id = Uuid::now_v7();
        let first = waiting.begin(id);
        waiting.settled(std::iter::once(id));
        let second = waiting.begin(id);
        drop(first);
        assert!(Arc::ptr_eq(&waiting.lock()[&id], &second.ending));
    }
}
