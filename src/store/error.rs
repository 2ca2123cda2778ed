//! Why the ledger did not do what was asked, and whether that passes.

use std::borrow::Cow;
use std::sync::Arc;

use super::schema::Schema;

/// Why the ledger did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the database could not be migrated: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("{0}")]
    Schema(Schema),
    #[error("the database did not answer in time")]
    NoAnswer,
    /// What a statement failed with that did the work of several
    #[error("{0}")]
    Shared(Arc<StoreError>),
    #[error("{table}.{column} of {key} holds what it cannot: {detail}")]
    Inconsistent { table: &'static str, column: &'static str, key: String, detail: String },
}

/// Classes of SQLSTATE that speak of the database's own state, and not of what was asked of it: connection, full
/// (memory, disk, connections), an operator's intervention (also a statement that took too long), its system.
const OUTAGES: [&str; 4] = ["08", "53", "57", "58"];
/// The same, one by one: it has become a standby that is read only; a transaction that idled; a deadlock and its like;
/// a lock that could not be had.
const SINGLE_OUTAGES: [&str; 5] = ["25006", "25P03", "40001", "40P01", "55P03"];
/// Classes of who may not come in: role and password, and the name of the database.
const REFUSALS: [&str; 2] = ["28", "3D"];

impl StoreError {
    pub(super) fn inconsistent(
        table: &'static str,
        column: &'static str,
        key: impl ToString,
        detail: impl ToString,
    ) -> Self {
        StoreError::Inconsistent { table, column, key: key.to_string(), detail: detail.to_string() }
    }

    /// Whether the database, or the way to it, is at fault, and not what was asked: the same may work later.
    pub fn is_outage(&self) -> bool {
        self.is_passing() || self.sqlstate().is_some_and(|code| REFUSALS.contains(&class(&code)))
    }

    /// Whether it may pass by itself, without an operator who puts the configuration right.
    pub fn is_passing(&self) -> bool {
        match self {
            StoreError::NoAnswer => true,
            StoreError::Database(error) => match error {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::BeginFailed => true,
                sqlx::Error::Database(_) => self
                    .sqlstate()
                    .is_some_and(|code| OUTAGES.contains(&class(&code)) || SINGLE_OUTAGES.contains(&code.as_str())),
                _ => false,
            },
            StoreError::Shared(error) => error.is_passing(),
            StoreError::Migration(_) | StoreError::Schema(_) | StoreError::Inconsistent { .. } => false,
        }
    }

    /// Whether the database took back what was asked of it, since others and it waited for each other.
    pub(super) fn is_deadlock(&self) -> bool {
        self.sqlstate().is_some_and(|code| code == "40P01")
    }

    fn sqlstate(&self) -> Option<String> {
        match self {
            StoreError::Database(sqlx::Error::Database(error)) => error.code().map(Cow::into_owned),
            StoreError::Shared(error) => error.sqlstate(),
            _ => None,
        }
    }
}

fn class(code: &str) -> &str {
    code.get(..2).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_network_does_passes_and_what_a_programmer_does_stays() {
        let io = || sqlx::Error::Io(std::io::ErrorKind::ConnectionRefused.into());
        for error in [StoreError::NoAnswer, io().into(), sqlx::Error::PoolTimedOut.into()] {
            assert!(error.is_passing() && error.is_outage(), "{error}");
        }
        let wrong = [
            sqlx::Error::RowNotFound.into(),
            sqlx::Error::ColumnNotFound(String::new()).into(),
            StoreError::inconsistent("orders", "status", "x", "y"),
            StoreError::Schema(Schema::Unfinished { version: 1 }),
        ];
        for error in wrong {
            assert!(!error.is_passing() && !error.is_outage(), "{error}");
        }
    }
}
