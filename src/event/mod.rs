//! Events on their way out: their places in the feed, and those who follow it.
//!
//! Events are written by the transactions that make them true. From there on everything happens here: one replica
//! at a time gives them their places, and whoever follows the feed is woken.

mod cloud_event;
mod feed;
mod sequencer;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::store::Store;
use crate::store::feed::FeedEnds;

pub use cloud_event::CloudEvent;
pub use feed::{FeedError, NextPage, read};

/// What tells events, shared with the API of the same process.
#[derive(Clone)]
pub struct Events {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    /// How far the feed goes, as this replica saw it last
    ends: watch::Sender<FeedEnds>,
    /// Asks everything to end
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Events {
    pub fn new(store: Store) -> Self {
        let inner = Inner {
            store,
            ends: watch::Sender::new(FeedEnds { first_position: 1, last_position: 0 }),
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

    /// Ends what goes on here.
    pub async fn stop(&self, patience: Duration) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        if tokio::time::timeout(patience, self.inner.tasks.wait()).await.is_err() {
            tracing::warn!("the database holds up the end of the event feed");
        }
    }
}
