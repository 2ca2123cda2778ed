//! Events on their way out: their places in the feed, and those who follow it.
//!
//! Events are written by the transactions that make them true. From there on everything happens here: one replica
//! at a time gives them their places, and whoever follows the feed is woken.

mod cloud_event;
mod feed;
mod follow;
mod sequencer;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::store::Store;
use crate::store::feed::{FeedEnds, FeedFilter};

pub use cloud_event::CloudEvent;
pub use feed::{FeedError, NextPage, read};
pub use follow::{Follower, Step};

/// Streams of one replica at most: each holds a connection and up to a page of events.
const MOST_STREAMS: usize = 256;

/// What tells events, shared with the API of the same process.
#[derive(Clone)]
pub struct Events {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    /// How far the feed goes, as this replica saw it last
    ends: watch::Sender<FeedEnds>,
    streams: Arc<Semaphore>,
    /// Asks everything to end
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Events {
    pub fn new(store: Store) -> Self {
        let inner = Inner {
            store,
            ends: watch::Sender::new(FeedEnds { first_position: 1, last_position: 0 }),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        Events { inner: Arc::new(inner) }
    }

    /// Begins to give places.
    pub fn start(&self) {
        let events = self.clone();
        self.inner.tasks.spawn(async move { events.sequence().await });
    }

    /// Ends all streams and what else goes on here.
    pub async fn stop(&self, patience: Duration) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        if tokio::time::timeout(patience, self.inner.tasks.wait()).await.is_err() {
            tracing::warn!("the database holds up the end of the event feed");
        }
    }

    /// Follows the feed after a place, for as long as the API key is valid; nothing when too many do so already.
    pub fn follow(&self, after: i64, filter: FeedFilter, key_id: Uuid) -> Option<Follower> {
        let permit = Arc::clone(&self.inner.streams).try_acquire_owned().ok()?;
        let ends = self.inner.ends.subscribe();
        Some(Follower::new(self.inner.store.clone(), ends, self.inner.stop.clone(), after, filter, key_id, permit))
    }
}
