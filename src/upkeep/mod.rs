//! What the gateway does by itself: it subscribes accounts to their providers' callbacks, asks now and then about orders
//! of which nothing was heard, removes what is old, and says when it lacks a master key.

mod master_keys;
mod poll;
mod retention;
mod subscribe;

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::backoff::uniform;
use crate::callback::Callbacks;
use crate::delivery::Delivery;
use crate::setback::Setbacks;
use crate::store::Store;
use crate::vault::Vault;

pub use retention::{Age, Kind, NoAge, Retention, RetentionPolicy};
pub use subscribe::{SubscribeError, Subscribed};

/// How often it is looked for something to do, on average.
const LOOK: Duration = Duration::from_secs(2);
/// How often it is asked with which master keys others seal.
const CHECK_KEYS: Duration = Duration::from_secs(30);
/// How long one look may take, with all that is asked of providers.
const LONGEST_ROUND: Duration = Duration::from_secs(600);

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
        let upkeep = self.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = upkeep.check_keys_again_and_again() => {}
                () = upkeep.stop.cancelled() => {}
            }
        });
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

    async fn check_keys_again_and_again(&self) {
        let mut checking = Setbacks::of("open what the ledger holds");
        loop {
            let rest = checking.rest_after(self.check_master_keys().await);
            tokio::time::sleep(rest.max(CHECK_KEYS)).await;
        }
    }

    async fn look_again_and_again(&self) {
        let mut subscribing = Setbacks::of("look after subscriptions");
        let mut polling = Setbacks::of("ask about orders");
        let look = async {
            loop {
                let rests = [
                    subscribing.rest_after(bounded(Box::pin(self.subscribe_accounts())).await),
                    polling.rest_after(bounded(Box::pin(self.poll_orders())).await),
                ];
                let least = LOOK.mul_f64(0.5 + uniform());
                tokio::time::sleep(rests.into_iter().fold(least, Duration::max)).await;
            }
        };
        tokio::select! {
            () = look => {}
            () = self.stop.cancelled() => {}
        }
    }
}

/// A round that ends, also when the database or the way to it is lost.
async fn bounded<E: Display>(round: impl Future<Output = Result<(), E>>) -> Result<(), String> {
    let done = tokio::time::timeout(LONGEST_ROUND, round).await;
    done.map_err(|_| "it took too long".to_owned())?.map_err(|error| error.to_string())
}
