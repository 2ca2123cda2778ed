//! What the gateway does by itself to hear of its orders: it subscribes accounts to their providers' callbacks, and
//! asks now and then about orders of which nothing was heard.

mod poll;
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
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Upkeep {
    pub fn new(store: Store, vault: Arc<Vault>, delivery: Delivery, callbacks: Callbacks) -> Self {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        Upkeep { store, vault, delivery, callbacks, stop, tasks }
    }

    /// Begins to look.
    pub fn start(&self) {
        let upkeep = self.clone();
        self.tasks.spawn(async move { upkeep.look_again_and_again().await });
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
