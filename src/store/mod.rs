//! The ledger in Postgres: the only place with SQL. Functions take and give values of the domain; rows stay
//! private, and a row that makes no sense names its table, column and key.

pub mod accept;
pub mod accounts;
pub mod adopt;
pub mod api_keys;
pub mod at_once;
pub mod audit;
pub mod callbacks;
pub mod claim;
pub mod claimed;
mod connect;
pub mod decide;
mod doubt;
mod error;
pub mod events;
pub mod exchanges;
pub mod feed;
pub mod grounds;
mod grouped;
pub mod happen;
pub mod idempotency;
pub mod lanes;
pub mod orders;
mod outcome;
pub mod overview;
mod queue;
pub mod recover;
pub mod release;
pub mod restored;
pub mod retention;
pub mod schema;
pub mod sealed;
mod search;
pub mod sessions;
pub mod settle;
mod settle_creation;
pub mod standing;
pub mod submissions;
pub mod submit;
pub mod subscriptions;
mod transaction;
pub mod trips;
mod warm;
pub mod webhook_deliveries;
pub mod webhook_endpoints;

pub use connect::{StoreOptions, within};
pub use error::StoreError;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::sync::Notify;

use crate::lately::Lately;

use accept::{Accepted, NewOrder};
use accounts::StoredAccount;
use api_keys::ValidApiKey;
use grouped::Grouped;
use warm::Warm;

/// The migrations that this binary knows.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// The ledger.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    /// One of its sessions, for what somebody waits for
    warm: Warm,
    /// Told after each commit of this process with an event in it
    events_written: Arc<Notify>,
    /// How much may be accepted before it is counted what waits
    rooms: queue::Rooms,
    /// Orders that came alone
    accepting: Grouped<NewOrder, Accepted>,
    /// API keys that are looked for
    finding_keys: Grouped<Vec<u8>, Option<ValidApiKey>>,
    /// Accounts that are looked for
    finding_accounts: Grouped<String, Option<StoredAccount>>,
    /// Accounts that exchanges used a moment ago, by their ids
    known_accounts: Arc<Lately<String, StoredAccount>>,
}

impl Store {
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
        let closed = self.pool.close();
        self.warm.give_back();
        closed.await;
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
