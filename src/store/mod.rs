//! The ledger in Postgres: the only place with SQL. Functions take and give values of the domain; rows stay
//! private, and a row that makes no sense names its table, column and key.

pub mod accept;
mod accept_batch;
pub mod accounts;
pub mod adopt;
pub mod api_keys;
pub mod audit;
pub mod callbacks;
pub mod claim;
pub mod decide;
mod doubt;
pub mod events;
pub mod exchanges;
pub mod feed;
pub mod happen;
pub mod idempotency;
pub mod lanes;
pub mod orders;
mod outcome;
pub mod recover;
pub mod release;
pub mod retention;
pub mod sessions;
pub mod settle;
pub mod submissions;
pub mod submit;
pub mod subscriptions;
pub mod trips;
pub mod webhook_deliveries;
pub mod webhook_endpoints;

pub use accept_batch::AcceptedBatch;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::sync::Notify;

/// The migrations that this binary knows.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// The ledger.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    /// Told after each commit of this process with an event in it
    events_written: Arc<Notify>,
}

/// Why the ledger did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the database could not be migrated: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("{table}.{column} of {key} holds what it cannot: {detail}")]
    Inconsistent { table: &'static str, column: &'static str, key: String, detail: String },
}

impl StoreError {
    fn inconsistent(table: &'static str, column: &'static str, key: impl ToString, detail: impl ToString) -> Self {
        StoreError::Inconsistent { table, column, key: key.to_string(), detail: detail.to_string() }
    }
}

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    pub database_url: String,
    pub max_connections: u32,
}

impl Store {
    pub async fn connect(options: &StoreOptions) -> Result<Self, StoreError> {
        let connect = PgConnectOptions::from_str(&options.database_url)?.application_name("onelane");
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(connect)
            .await?;
        Ok(Store { pool, events_written: Arc::default() })
    }

    /// Brings the schema to what this binary expects.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        Ok(MIGRATIONS.run(&self.pool).await?)
    }

    /// Whether the database answers and its schema is exactly the one that this binary expects.
    pub async fn is_ready(&self) -> Result<bool, StoreError> {
        let applied = sqlx::query!("select version, checksum from _sqlx_migrations where success order by version")
            .fetch_all(&self.pool)
            .await?;
        let applied = applied.iter().map(|row| (row.version, row.checksum.as_slice()));
        Ok(applied.eq(MIGRATIONS.iter().map(|migration| (migration.version, migration.checksum.as_ref()))))
    }

    /// The ledger's clock.
    pub async fn now(&self) -> Result<DateTime<Utc>, StoreError> {
        Ok(sqlx::query_scalar!(r#"select onelane_now() as "now!""#).fetch_one(&self.pool).await?)
    }

    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Done when this process wrote an event; a hint, for one listener.
    pub async fn event_written(&self) {
        self.events_written.notified().await;
    }

    /// Says that an event was written and committed.
    fn tell_of_events(&self) {
        self.events_written.notify_one();
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Reads one of the ledger's words.
fn word<T: FromStr>(
    table: &'static str,
    column: &'static str,
    key: impl ToString,
    text: &str,
) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::inconsistent(table, column, key, text))
}

/// A duration in seconds, for the `make_interval` of a statement.
fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
