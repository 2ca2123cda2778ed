//! Events on their way out: their places in the feed, those who follow it, and webhooks.
//!
//! Events are written by the transactions that make them true. From there on everything happens here: one replica
//! at a time gives them their places and puts them on their way to webhook endpoints, and whoever follows the feed is
//! woken.

mod cloud_event;
mod feed;
mod follow;
mod followed_keys;
mod sequencer;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::reach::AllowedNetworks;
use crate::store::feed::{FeedEnds, FeedFilter};
use crate::store::{Store, within};
use crate::vault::Vault;

use followed_keys::FollowedKeys;

pub use cloud_event::CloudEvent;
pub use feed::{FeedError, NextPage, read};
pub use follow::{Follower, Step};
pub use webhook::{Secret, seal};

/// Streams of one replica at most: each holds a connection and up to a page of events.
const MOST_STREAMS: usize = 256;

/// What tells events, shared with the API of the same process.
#[derive(Clone)]
pub struct Events {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    vault: Arc<Vault>,
    networks: Arc<AllowedNetworks>,
    sender: webhook::Sender,
    /// How far the feed goes, as this replica saw it last
    ends: watch::Sender<FeedEnds>,
    streams: Arc<Semaphore>,
    /// The API keys of these streams
    keys: Arc<FollowedKeys>,
    /// Deliveries may be due
    deliveries: Notify,
    /// Asks everything to end
    stop: CancellationToken,
    /// Ends the wait for deliveries that are being tried
    abort: CancellationToken,
    tasks: TaskTracker,
}

/// Why events cannot be told.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client of webhooks cannot be set up: {0}")]
pub struct SetUpError(#[from] reqwest::Error);

impl Events {
    pub fn new(store: Store, vault: Arc<Vault>, networks: Arc<AllowedNetworks>) -> Result<Self, SetUpError> {
        let inner = Inner {
            store,
            vault,
            sender: webhook::Sender::new(Arc::clone(&networks))?,
            networks,
            ends: watch::Sender::new(FeedEnds { first_position: 1, last_position: 0 }),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
            keys: Arc::default(),
            deliveries: Notify::new(),
            stop: CancellationToken::new(),
            abort: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        Ok(Events { inner: Arc::new(inner) })
    }

    /// Begins to give places, to tell the streams of this process how far the feed goes, and to look after their keys.
    pub fn start_sequencer(&self) {
        let events = self.clone();
        self.inner.tasks.spawn(async move { events.sequence().await });
        let inner = Arc::clone(&self.inner);
        self.inner.tasks.spawn(async move {
            let invalid = |ids: Vec<Uuid>| {
                let store = inner.store.clone();
                async move { within(store.invalid_api_keys(&ids)).await }
            };
            tokio::select! {
                () = inner.keys.check_again_and_again(invalid) => {}
                () = inner.stop.cancelled() => {}
            }
        });
    }

    /// Begins to deliver webhooks.
    pub fn start_deliveries(&self) {
        let events = self.clone();
        self.inner.tasks.spawn(async move { events.deliver().await });
    }

    /// Ends all streams, begins nothing more, and lets deliveries that are being tried end for as long as `patience`
    /// allows. What is not settled then is delivered again when its lease runs out.
    pub async fn stop(&self, patience: Duration) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        if tokio::time::timeout(patience, self.inner.tasks.wait()).await.is_err() {
            tracing::warn!("webhooks are still on their way; they will be delivered again");
            self.inner.abort.cancel();
            // The database may hold something up; nothing of it is lost.
            let _ = tokio::time::timeout(patience, self.inner.tasks.wait()).await;
        }
    }

    /// Streams that are open in this process.
    pub fn streams(&self) -> usize {
        MOST_STREAMS.saturating_sub(self.inner.streams.available_permits())
    }

    /// Follows the feed after a place, for as long as the API key is valid; nothing when too many do so already.
    pub fn follow(&self, after: i64, filter: FeedFilter, key_id: Uuid) -> Option<Follower> {
        let permit = Arc::clone(&self.inner.streams).try_acquire_owned().ok()?;
        let (ends, key) = (self.inner.ends.subscribe(), self.inner.keys.follow(key_id));
        Some(Follower::new(self.inner.store.clone(), ends, self.inner.stop.clone(), after, filter, key, permit))
    }
}
