//! The way to the database, bounded in time: whatever the database does or the network loses, nothing waits for ever.

use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection};

use super::grouped::Grouped;
use super::warm::Warm;
use super::{Store, StoreError, queue};

/// How long it is waited for a connection.
const LONGEST_ACQUIRE: Duration = Duration::from_secs(5);
/// How long a connection may take to say that it lives. One that does not is closed, and its place is free again:
/// otherwise those that a network lost would fill the pool until the kernel gives them up, after a quarter of an hour.
const LONGEST_PING: Duration = Duration::from_secs(3);
/// What was used just now is not asked whether it lives.
pub(super) const FRESH: Duration = Duration::from_millis(100);
/// How long the database may take for what is asked of it in one go, its limits below included.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);

/// The database's own limits of a session, and its other settings, in its words.
const SETTINGS: [(&str, &str); 4] = [
    // Whoever holds a lock of ours longer hangs.
    ("lock_timeout", "5s"),
    ("statement_timeout", "15s"),
    // A replica that hangs in a transaction loses it, and its locks.
    ("idle_in_transaction_session_timeout", "10s"),
    // All that is asked for is small; to compile a plan takes longer than to run it, and it is done for large tables.
    ("jit", "off"),
];

/// What callers bring or look for at the same moment goes together in statements of at most so many.
const MOST_TOGETHER: usize = 100;

/// How to reach the database. The URL may hold a password.
#[derive(Clone)]
pub struct StoreOptions {
    pub database_url: String,
    pub max_connections: u32,
}

impl Store {
    pub async fn connect(options: &StoreOptions) -> Result<Self, StoreError> {
        let connect = PgConnectOptions::from_str(&options.database_url)?.application_name("onelane").options(SETTINGS);
        try_once(&connect).await?;
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(LONGEST_ACQUIRE)
            // The same below, with a limit.
            .test_before_acquire(false)
            .before_acquire(|connection, metadata| {
                Box::pin(async move {
                    if metadata.idle_for >= FRESH {
                        ping(connection).await?;
                    }
                    Ok(true)
                })
            })
            .after_release(|connection, _| {
                Box::pin(async move {
                    ping(connection).await?;
                    Ok(true)
                })
            })
            .connect_lazy_with(connect);
        Ok(Store {
            pool,
            warm: Warm::default(),
            events_written: Arc::default(),
            rooms: queue::Rooms::default(),
            accepting: Grouped::new(MOST_TOGETHER, 2),
            finding_keys: Grouped::new(MOST_TOGETHER, 2),
            finding_accounts: Grouped::new(MOST_TOGETHER, 2),
            known_accounts: Arc::default(),
        })
    }

    /// Why the ledger failed, also where the pool knows no more than that no connection could be had.
    pub async fn explain(&self, error: StoreError) -> StoreError {
        if !matches!(error, StoreError::Database(sqlx::Error::PoolTimedOut)) {
            return error;
        }
        try_once(&self.pool.connect_options()).await.err().unwrap_or(error)
    }
}

/// Connects once, and no more: a pool tries until its time is over, and does not tell why it was in vain.
async fn try_once(connect: &PgConnectOptions) -> Result<(), StoreError> {
    let once = async { PgConnection::connect_with(connect).await?.close().await };
    Ok(tokio::time::timeout(LONGEST_ACQUIRE, once).await.map_err(|_| StoreError::NoAnswer)??)
}

pub(super) async fn ping(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let late = |_| sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::TimedOut));
    tokio::time::timeout(LONGEST_PING, connection.ping()).await.map_err(late)?
}

/// Work on the ledger that ends: where no answer comes, not even an error, the database or the way to it is lost.
/// For those that nobody waits for and that would wait for ever themselves.
pub async fn within<T, E: From<StoreError>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    tokio::time::timeout(LONGEST_ANSWER, work).await.unwrap_or_else(|_| Err(StoreError::NoAnswer.into()))
}
