//! Reading the feed page by page.

use crate::store::feed::{FeedEvent, FeedFilter, FeedPage, FeedStart};
use crate::store::{Store, StoreError};

/// Places that one look passes over at most, so that a narrow filter never holds the database up. The cursor
/// moves on all the same.
const LONGEST_LOOK: i64 = 50_000;

/// Events, and the place after which the next ones come.
pub struct NextPage {
    /// The place after which was read
    pub after: i64,
    pub events: Vec<FeedEvent>,
    pub next: i64,
    /// Everything that is in the feed was looked at
    pub at_end: bool,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error("events after this cursor are not kept any more")]
    Expired,
    /// The ledger was set back to an earlier state, and what is told from now on is not what was told before.
    #[error("the feed does not go as far as this cursor")]
    BeyondTheEnd,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The first `limit` events after a place that pass the filter. May be fewer, even none, before the end of the feed,
/// when the filter lets little through.
pub async fn read(store: &Store, filter: &FeedFilter, from: FeedStart, limit: i64) -> Result<NextPage, FeedError> {
    let FeedPage { ends, after, events } = store.feed_page(filter, from, LONGEST_LOOK, limit).await?;
    if after < ends.first_position - 1 {
        return Err(FeedError::Expired);
    }
    if after > ends.last_position {
        return Err(FeedError::BeyondTheEnd);
    }
    let full = i64::try_from(events.len()).unwrap_or(i64::MAX) >= limit;
    let next = match events.last() {
        Some(last) if full => last.position,
        _ => ends.last_position.min(after + LONGEST_LOOK),
    };
    Ok(NextPage { after, events, next, at_end: next == ends.last_position })
}
