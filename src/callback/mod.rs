//! Inbound: what providers call back. A call is kept as it came before anything else is done with it; then it is
//! verified, read, and turned into events in one commit, and answered in its provider's form.
//!
//! What dies in between is found by the background, so a call that was kept is never lost.

mod door;
mod process;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::backoff;
use crate::setback::Setbacks;
use crate::store::{Store, StoreError, within};
use crate::vault::Vault;

pub use door::{Door, DoorError, MOST_BODY_BYTES, Rotated, ends_with_token};
pub use process::{ProcessError, Reprocessed};

/// How often the background looks for calls that were kept and not processed, and for those that wait.
const POLL: Duration = Duration::from_millis(500);
/// How many it takes up at once.
const TAKEN_AT_ONCE: i64 = 20;

/// Everything that inbound calls need; shared with the API of the same process.
#[derive(Clone)]
pub struct Callbacks {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    vault: Arc<Vault>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Callbacks {
    pub fn new(store: Store, vault: Arc<Vault>) -> Self {
        let inner = Inner { store, vault, stop: CancellationToken::new(), tasks: TaskTracker::new() };
        Callbacks { inner: Arc::new(inner) }
    }

    /// Begins to look after calls that were left behind or wait.
    pub fn start(&self) {
        let callbacks = self.clone();
        self.inner.tasks.spawn(async move { callbacks.look_after().await });
    }

    /// Takes up nothing more, and lets what was taken up end for as long as `patience` allows.
    pub async fn stop(&self, patience: Duration) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        if tokio::time::timeout(patience, self.inner.tasks.wait()).await.is_err() {
            tracing::warn!("callbacks are still being processed; they are looked at again after the next start");
        }
    }

    async fn look_after(&self) {
        let mut setbacks = Setbacks::of("look after callbacks");
        loop {
            let pause = match self.process_due().await {
                Ok(full) => {
                    setbacks.worked();
                    if full { Duration::ZERO } else { POLL.mul_f64(0.5 + backoff::uniform()) }
                }
                Err(error) => setbacks.failed(&error),
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.inner.stop.cancelled() => return,
            }
        }
    }

    /// Processes what is due; whether there may be more. An outage ends it, and what was taken comes up again.
    async fn process_due(&self) -> Result<bool, StoreError> {
        let due = within(self.inner.store.take_due_callbacks(TAKEN_AT_ONCE)).await?;
        let full = due.len() == usize::try_from(TAKEN_AT_ONCE).unwrap_or(usize::MAX);
        for (id, tries) in due {
            if self.inner.stop.is_cancelled() {
                return Ok(false);
            }
            match within(self.process_again(id, tries)).await {
                Ok(()) => {}
                Err(error) if error.passes() => {
                    tracing::info!(%error, callback = %id, "a callback is processed later");
                    // It is not the call's fault, and counts as no try. Where not even that can be kept it is over.
                    within(self.inner.store.give_callback_back(id)).await?;
                }
                Err(error) => tracing::error!(%error, callback = %id, tries, "a callback cannot be processed"),
            }
        }
        Ok(full)
    }
}
