//! Transactions that leave nothing behind when those who wanted them are gone.
//!
//! sqlx gives a connection back to its pool with a transaction open when the beginning of that transaction is broken off
//! between its request and its answer, as happens when a caller hangs up. Whoever had the connection next would write
//! into that transaction, and believe it committed. Here a connection is given back only when it is known to be in none.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres};
use tokio::runtime::Handle;

use super::{Store, StoreError};

/// How long a transaction may take to be taken back, until its connection is closed.
const LONGEST_ROLLBACK: Duration = Duration::from_secs(3);

impl Store {
    /// Opens a transaction. Whatever is done with it may be broken off at any time.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        self.begin_with("begin").await
    }

    /// The same for statements that go by keys alone, and that no table is read through for. They are planned once, and
    /// not for the first five times anew, which takes longer than to run them; and what is planned while the tables are
    /// empty would read all of them later, until the database looks at them anew.
    pub(super) async fn begin_by_keys(&self) -> Result<Transaction, StoreError> {
        self.begin_with("begin; set local enable_seqscan = off; set local plan_cache_mode = force_generic_plan").await
    }

    async fn begin_with(&self, words: &'static str) -> Result<Transaction, StoreError> {
        let mut held = Held(Some(self.pool().acquire().await?));
        held.say(words).await?;
        Ok(Transaction(held))
    }
}

/// An open transaction; one that is dropped is taken back.
pub struct Transaction(Held);

impl Transaction {
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.0.say("commit").await?;
        self.0.give_back();
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let (Some(connection), Ok(runtime)) = (self.0.0.take(), Handle::try_current()) else { return };
        let mut held = Held(Some(connection));
        runtime.spawn(async move {
            if let Ok(Ok(())) = tokio::time::timeout(LONGEST_ROLLBACK, held.say("rollback")).await {
                held.give_back();
            }
        });
    }
}

impl Deref for Transaction {
    type Target = PgConnection;

    #[expect(clippy::expect_used, reason = "it is taken by what consumes the transaction only")]
    fn deref(&self) -> &PgConnection {
        self.0.0.as_ref().expect("the transaction is open")
    }
}

impl DerefMut for Transaction {
    #[expect(clippy::expect_used, reason = "it is taken by what consumes the transaction only")]
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.0.0.as_mut().expect("the transaction is open")
    }
}

/// A connection of which it is not known whether a transaction is open on it. Dropped, it is closed.
struct Held(Option<PoolConnection<Postgres>>);

impl Held {
    async fn say(&mut self, word: &'static str) -> Result<(), sqlx::Error> {
        let Some(connection) = &mut self.0 else { return Err(sqlx::Error::PoolClosed) };
        sqlx::raw_sql(word).execute(&mut **connection).await.map(drop)
    }

    /// To the pool: no transaction is open on it.
    fn give_back(&mut self) {
        drop(self.0.take());
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.0 {
            connection.close_on_drop();
        }
    }
}
