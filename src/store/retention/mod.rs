//! What is old goes: in batches, each a short transaction of its own that waits for nobody and removes a bounded
//! number of rows. One replica at a time has the turn; a batch that begins without it does nothing.
//!
//! What is unfinished stays whatever its age, and so does the evidence of whatever was ever in doubt. Orders,
//! submissions and results stay for ever.

mod bodies;
mod callbacks;
mod events;
mod exchanges;
mod keys;

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::transaction::Transaction;
use super::{Store, StoreError, seconds};

pub use events::ForgottenEvents;

/// Rows that one batch removes at most, over all tables. Only what belongs to a single exchange, or to a single event
/// and its deliveries, goes together whatever its number.
pub const MOST_ROWS: i64 = 1_000;

/// How long a replica keeps its turn after its last batch.
pub const TURN: Duration = Duration::from_secs(60);
/// How long a batch waits for a lock. Only the raise of the feed's beginning ever does. A replica that hangs within a
/// batch loses its locks as every session does.
const LONGEST_LOCK: &str = "3s";

/// The replica that removes what is old, for as long as nobody else took the turn.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    pub holder: Uuid,
}

/// Where a sweep stands among things of one kind in the order of their age. What must stay is passed over, and looked
/// at again in the next sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    at: DateTime<Utc>,
    id: Uuid,
}

impl Place {
    /// Before the oldest.
    pub const START: Place = Place { at: DateTime::UNIX_EPOCH, id: Uuid::nil() };
}

/// What a batch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Batch {
    /// Things of the kind that were removed
    pub removed: u64,
    /// Rows that were removed with them, they included
    pub rows: u64,
    /// Where the next batch begins; nothing when nothing old is left behind the place where this one began
    pub next: Option<Place>,
}

impl Batch {
    /// One that looked at everything up to this, and removed so many things of one row each.
    fn up_to(at: DateTime<Utc>, id: Uuid, removed: u64) -> Self {
        Batch { removed, rows: removed, next: Some(Place { at, id }) }
    }
}

/// A batch of one kind, or word that the turn is another replica's.
#[derive(Debug, PartialEq, Eq)]
pub enum Swept<T = Batch> {
    Done(T),
    TurnLost,
}

impl Store {
    /// Takes the turn if it is due and nobody has it; false otherwise. Who has it may take it again.
    pub async fn take_retention_turn(&self, turn: Turn) -> Result<bool, StoreError> {
        let taken = sqlx::query!(
            "update retention set holder = $1, held_until = onelane_now() + make_interval(secs => $2)
             where single = (
                 select single from retention
                 where due_at <= onelane_now() and (holder is null or holder = $1 or held_until <= onelane_now())
                 for update skip locked)",
            turn.holder,
            seconds(TURN),
        )
        .execute(self.pool())
        .await?;
        Ok(taken.rows_affected() == 1)
    }

    /// Gives the turn up; the next one is due after `rest`.
    pub async fn end_retention_turn(&self, turn: Turn, rest: Duration) -> Result<(), StoreError> {
        sqlx::query!(
            "update retention set holder = null, held_until = null, due_at = onelane_now() + make_interval(secs => $2)
             where holder = $1",
            turn.holder,
            seconds(rest),
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The transaction of a batch, which holds the turn; nothing when the turn is lost.
    async fn begin_batch(&self, turn: Turn) -> Result<Option<Transaction>, StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query!("select set_config('lock_timeout', $1, true) as lock", LONGEST_LOCK)
            .fetch_one(&mut *transaction)
            .await?;
        let held = sqlx::query!(
            "update retention set held_until = onelane_now() + make_interval(secs => $2)
             where holder = $1 and held_until > onelane_now()",
            turn.holder,
            seconds(TURN),
        )
        .execute(&mut *transaction)
        .await?;
        Ok((held.rows_affected() == 1).then_some(transaction))
    }
}
