//! Waiting for submissions to end, for `Prefer: wait`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::canonical::SubmissionState;
use crate::store::{Store, StoreError, within};

/// How often the ledger is asked, for submissions that another replica settles.
const POLL: Duration = Duration::from_millis(250);
/// Those who wait at once in this process; whoever else would is answered as if the time were over.
const MOST_WAITING: usize = 512;

/// Those in this process who wait for a submission.
#[derive(Debug, Clone)]
pub struct Waiting {
    by_submission: Arc<Mutex<HashMap<Uuid, Arc<Notify>>>>,
    places: Arc<Semaphore>,
    /// Nobody waits any more
    closed: CancellationToken,
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
            if let Some(notify) = waiting.remove(&id) {
                notify.notify_waiters();
            }
        }
    }

    /// Waits until the submission ends or the time is over; gives its state then.
    pub async fn for_end(
        &self,
        store: &Store,
        submission: Uuid,
        patience: Duration,
    ) -> Result<Option<SubmissionState>, StoreError> {
        let place = self.places.try_acquire();
        let deadline = Instant::now() + if place.is_ok() { patience } else { Duration::ZERO };
        loop {
            let waiter = self.register(submission);
            let notified = waiter.notify.notified();
            tokio::pin!(notified);
            // Registered before the state is read, so that an end in between is not missed.
            notified.as_mut().enable();
            let over = Instant::now() >= deadline || self.closed.is_cancelled();
            match within(store.submission_state(submission)).await {
                // Whoever waits has time: it may be back before that is over.
                Err(error) if error.is_outage() && !over => {}
                Ok(Some(state)) if !state.is_final() && !over => {}
                ended => return ended,
            }
            let until = deadline.min(Instant::now() + POLL);
            tokio::select! {
                () = notified => {}
                () = self.closed.cancelled() => {}
                () = tokio::time::sleep_until(until) => {}
            }
        }
    }

    /// Tells everyone who waits how their submission stands.
    pub fn close(&self) {
        self.closed.cancel();
    }

    fn register(&self, submission: Uuid) -> Waiter<'_> {
        let notify = Arc::clone(self.lock().entry(submission).or_default());
        Waiter { waiting: self, submission, notify }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Notify>>> {
        self.by_submission.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits; the entry goes with the last of them, however they end.
struct Waiter<'a> {
    waiting: &'a Waiting,
    submission: Uuid,
    notify: Arc<Notify>,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut waiting = self.waiting.lock();
        let mine = waiting.get(&self.submission).is_some_and(|held| Arc::ptr_eq(held, &self.notify));
        // Two: the map's and this one.
        if mine && Arc::strong_count(&self.notify) <= 2 {
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
        let (first, second) = (waiting.register(id), waiting.register(id));
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
        let first = waiting.register(id);
        waiting.settled(std::iter::once(id));
        let second = waiting.register(id);
        drop(first);
        assert!(Arc::ptr_eq(&waiting.lock()[&id], &second.notify));
    }
}
