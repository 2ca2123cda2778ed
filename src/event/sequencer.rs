//! Gives committed events their places, in every replica, one at a time.

use std::time::Duration;

use super::Events;
use crate::backoff::uniform;
use crate::metrics::EVENTS_PLACED;
use crate::setback::Setbacks;
use crate::store::feed::{FeedEnds, Sequenced};
use crate::store::{StoreError, within};

/// Events that get their places in one transaction, give or take those that were written together.
const BATCH: i64 = 1_000;
/// The least time between two rounds: what is written meanwhile goes together.
const REST: Duration = Duration::from_millis(20);
/// How long an event that comes alone waits for those that follow from it.
const GATHERING: Duration = Duration::from_millis(5);
/// How often it is looked for events that other replicas wrote, on average.
const POLL: Duration = Duration::from_millis(500);

/// What a round left.
enum Round {
    /// Nothing that is known of.
    Done,
    /// More of the same.
    More,
    /// What another replica may not have seen.
    Unsure,
}

impl Events {
    pub(super) async fn sequence(&self) {
        let stop = &self.inner.stop;
        let mut setbacks = Setbacks::of("give events their places");
        while !stop.is_cancelled() {
            let round = within(self.sequence_once()).await;
            if round.is_ok() {
                setbacks.worked();
            }
            let (rest, patience) = match round {
                Ok(Round::More) => continue,
                Ok(Round::Unsure) => (REST, Duration::ZERO),
                Ok(Round::Done) => (REST, POLL.mul_f64(0.5 + uniform())),
                // One task of each process looks for the reason.
                Err(error) => (setbacks.failed(&self.inner.store.explain(error).await), Duration::ZERO),
            };
            let rested = async {
                tokio::time::sleep(rest).await;
                // Over is over; both ways the ledger is looked at.
                if tokio::time::timeout(patience, self.inner.store.event_written()).await.is_ok() {
                    tokio::time::sleep(GATHERING).await;
                }
            };
            tokio::select! {
                () = rested => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Gives places to what waits for them, and tells those who follow how far the feed goes.
    async fn sequence_once(&self) -> Result<Round, StoreError> {
        let (ends, waiting) = self.inner.store.feed_backlog().await?;
        if !waiting {
            self.tell(ends);
            return Ok(Round::Done);
        }
        Ok(match self.inner.store.sequence_events(BATCH).await? {
            Sequenced::Events { events, deliveries, ends } => {
                self.tell(ends);
                EVENTS_PLACED.add([], u64::try_from(events).unwrap_or_default());
                if deliveries > 0 {
                    self.wake_deliveries();
                }
                if events >= BATCH { Round::More } else { Round::Done }
            }
            Sequenced::Elsewhere => Round::Unsure,
        })
    }

    fn tell(&self, ends: FeedEnds) {
        self.inner.ends.send_if_modified(|known| {
            let moved = *known != ends;
            *known = ends;
            moved
        });
    }
}
