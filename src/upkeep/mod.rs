//! What the gateway does by itself: it subscribes accounts to their providers' callbacks, asks now and then about orders
//! of which nothing was heard, and removes what is old.

mod poll;
mod retention;
mod subscribe;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::backoff::uniform;
use crate::callback::Callbacks;
use crate::delivery::Delivery;
use crate::store::Store;
use crate::vault::Vault;

pub use retention::{Age, Kind, NoAge, Retention, RetentionPolicy};
pub use subscribe::{SubscribeError, Subscribed};

/// How often it is looked for something to do, on average.
const LOOK: Duration = Duration::from_secs(2);

/// The upkeep of accounts and orders.
#[derive(Clone)]
pub struct Upkeep {
    store: Store,
    vault: Arc<Vault>,
    delivery: Delivery,
    callbacks: Callbacks,
    retention: Retention,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Upkeep {
    pub fn new(
        store: Store,
        vault: Arc<Vault>,
        delivery: Delivery,
        callbacks: Callbacks,
        retention: RetentionPolicy,
    ) -> Self {
        let retention = Retention::new(store.clone(), retention);
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        Upkeep { store, vault, delivery, callbacks, retention, stop, tasks }
    }

    /// Begins to look.
    pub fn start(&self) {
        let upkeep = self.clone();
        self.tasks.spawn(async move { upkeep.look_again_and_again().await });
        let (retention, stop) = (self.retention.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            tokio::select! {
                () = retention.sweep_again_and_again() => {}
                () = stop.cancelled() => {}
            }
        });
    }

    /// Ends; what is under way is given up, and taken up again later.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn look_again_and_again(&self) {
        let look = async {
            loop {
                if let Err(error) = self.subscribe_accounts().await {
                    tracing::warn!(%error, "cannot look after subscriptions");
                }
                if let Err(error) = self.poll_orders().await {
                    tracing::warn!(%error, "cannot ask about orders");
                }
                tokio::time::sleep(LOOK.mul_f64(0.5 + uniform())).await;
            }
        };
        tokio::select! {
            () = look => {}
            () = self.stop.cancelled() => {}
        }
    }
}
