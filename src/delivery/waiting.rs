//! Waiting for submissions to end, for `Prefer: wait`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use crate::canonical::SubmissionState;
use crate::store::{Store, StoreError, within};

/// How often the ledger is asked, for submissions that another replica settles.
const POLL: Duration = Duration::from_millis(250);

/// Those in this process who wait for a submission.
#[derive(Debug, Clone, Default)]
pub struct Waiting {
    by_submission: Arc<Mutex<HashMap<Uuid, Arc<Notify>>>>,
}

impl Waiting {
    /// Wakes those who wait for these submissions.
    pub fn settled(&self, submissions: impl Iterator<Item = Uuid>) {
        let mut waiting = self.by_submission.lock().unwrap_or_else(PoisonError::into_inner);
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
        let deadline = Instant::now() + patience;
        loop {
            let notify = {
                let mut waiting = self.by_submission.lock().unwrap_or_else(PoisonError::into_inner);
                Arc::clone(waiting.entry(submission).or_default())
            };
            let notified = notify.notified();
            tokio::pin!(notified);
            // Registered before the state is read, so that an end in between is not missed.
            notified.as_mut().enable();
            let state = match within(store.submission_state(submission)).await {
                // Whoever waits has time: it may be back before that is over.
                Err(error) if error.is_outage() && Instant::now() < deadline => None,
                state => Some(state),
            };
            match state {
                Some(Ok(Some(state))) if !state.is_final() && Instant::now() < deadline => {}
                None => {}
                Some(ended) => {
                    self.forget(submission, &notify);
                    return ended;
                }
            }
            let until = deadline.min(Instant::now() + POLL);
            tokio::select! {
                () = notified => {}
                () = tokio::time::sleep_until(until) => {}
            }
        }
    }

    /// Takes the entry out when nobody else waits on it.
    fn forget(&self, submission: Uuid, notify: &Arc<Notify>) {
        let mut waiting = self.by_submission.lock().unwrap_or_else(PoisonError::into_inner);
        // Two: the map's and the caller's.
        if Arc::strong_count(notify) <= 2 && waiting.get(&submission).is_some_and(|held| Arc::ptr_eq(held, notify)) {
            waiting.remove(&submission);
        }
    }
}
