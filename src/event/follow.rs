//! Following the feed: event after event, for as long as somebody listens.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::feed::{self, FeedError};
use super::followed_keys::FollowedKey;
use crate::backoff::{Backoff, uniform};
use crate::store::feed::{FeedEnds, FeedEvent, FeedFilter, FeedStart};
use crate::store::{Store, within};

/// Events that are held at once.
const PAGE: i64 = 100;
/// The rests after the ledger failed.
const REST: Backoff = Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(8) };
/// How often the one who listens is told how far the feed was read, when nothing in it was for them.
const TELL: Duration = Duration::from_secs(15);

/// One who follows the feed.
pub struct Follower {
    store: Store,
    ends: watch::Receiver<FeedEnds>,
    stop: CancellationToken,
    filter: FeedFilter,
    key: FollowedKey,
    /// Up to here it was read
    after: i64,
    /// Up to here the one who listens knows
    told: i64,
    told_at: Instant,
    held: VecDeque<FeedEvent>,
    /// Looks in a row at which the ledger failed
    failures: i32,
    _permit: OwnedSemaphorePermit,
}

/// What the one who follows is told.
pub enum Step {
    Event(FeedEvent),
    /// Up to this place nothing was for them.
    Passed(i64),
}

impl Follower {
    pub(super) fn new(
        store: Store,
        ends: watch::Receiver<FeedEnds>,
        stop: CancellationToken,
        after: i64,
        filter: FeedFilter,
        key: FollowedKey,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Follower {
            store,
            ends,
            stop,
            filter,
            key,
            after,
            told: after,
            told_at: Instant::now(),
            held: VecDeque::new(),
            failures: 0,
            _permit: permit,
        }
    }

    /// The next step; nothing when the gateway stops, the key is no longer valid, or the feed has lost what comes
    /// next.
    pub async fn next(&mut self) -> Option<Step> {
        let (stopping, key_ended) = (self.stop.clone(), self.key.ended().clone());
        tokio::select! {
            biased;
            () = stopping.cancelled() => None,
            () = key_ended.cancelled() => None,
            step = self.step() => step,
        }
    }

    async fn step(&mut self) -> Option<Step> {
        loop {
            if let Some(event) = self.held.pop_front() {
                self.note_told(event.position);
                return Some(Step::Event(event));
            }
            if self.after != self.told && self.told_at.elapsed() >= TELL {
                self.note_told(self.after);
                return Some(Step::Passed(self.after));
            }
            match self.look().await {
                Ok(true) => self.failures = 0,
                Ok(false) => {
                    self.failures = 0;
                    self.wait().await;
                }
                Err(FeedError::Expired | FeedError::BeyondTheEnd) => return None,
                Err(FeedError::Store(error)) => {
                    // There may be many streams; the sequencer speaks for all of them.
                    tracing::debug!(%error, "a stream cannot read the event feed");
                    self.failures = self.failures.saturating_add(1);
                    tokio::time::sleep(REST.after(self.failures, uniform())).await;
                }
            }
        }
    }

    /// Reads on; false when there is nothing more.
    async fn look(&mut self) -> Result<bool, FeedError> {
        // Seen before the page is read, so that what comes meanwhile wakes.
        self.ends.borrow_and_update();
        let reading = feed::read(&self.store, &self.filter, FeedStart::After(self.after), PAGE);
        let page = within(reading).await?;
        self.after = page.next;
        let more = !page.events.is_empty() || !page.at_end;
        self.held = page.events.into();
        Ok(more)
    }

    /// Waits until the feed goes further, or something else is to be done.
    async fn wait(&mut self) {
        let untold = self.after != self.told;
        tokio::select! {
            _ = self.ends.changed() => {}
            () = tokio::time::sleep_until(self.told_at + TELL), if untold => {}
        }
    }

    fn note_told(&mut self, position: i64) {
        self.told = position;
        self.told_at = Instant::now();
    }
}
