//! The audit log: who administered what. An entry is written in the commit of the act, and nothing changes it.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::transaction::Transaction;
use super::{Store, StoreError, word};
use crate::canonical::Action;

/// Who acts.
#[derive(Debug, Clone, Copy)]
pub enum Actor<'a> {
    /// Whoever holds an API key
    ApiKey {
        id: Uuid,
        name: &'a str,
        request_id: Option<&'a str>,
        /// Where the request came from
        address: Option<IpAddr>,
    },
    /// Who set this environment variable
    Environment(&'static str),
    /// Who ran this command
    CommandLine(&'static str),
}

/// One act, to be put on record with what it does.
#[derive(Debug, Clone)]
pub struct Act<'a> {
    pub actor: Actor<'a>,
    pub action: Action,
    /// What is acted on: an id
    pub object: String,
    /// The account that it concerns, if it concerns one
    pub account: Option<&'a str>,
    /// What was chosen, without any secret
    pub details: Value,
}

/// An entry of the log.
pub struct StoredAct {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    /// `api_key`, `environment` or `command_line`
    pub actor: String,
    pub key_id: Option<Uuid>,
    pub actor_name: String,
    pub action: Action,
    pub object: String,
    pub account_id: Option<String>,
    pub details: Value,
    pub request_id: Option<String>,
    /// Where the request came from
    pub address: Option<String>,
}

/// Which entries are read.
pub struct AuditFilter<'a> {
    pub account: Option<&'a str>,
    pub action: Option<Action>,
    pub key_id: Option<Uuid>,
    /// The accounts that the reader is limited to
    pub allowed: Option<&'a [String]>,
    /// Those before this (at, id)
    pub before: Option<(DateTime<Utc>, Uuid)>,
    pub limit: i64,
}

/// Puts an act on record, within the transaction that does it.
pub(super) async fn record(connection: &mut PgConnection, act: &Act<'_>) -> Result<(), StoreError> {
    let (actor, key_id, name, request_id, address) = match act.actor {
        Actor::ApiKey { id, name, request_id, address } => ("api_key", Some(id), name, request_id, address),
        Actor::Environment(variable) => ("environment", None, variable, None, None),
        Actor::CommandLine(command) => ("command_line", None, command, None, None),
    };
    sqlx::query!(
        "insert into audit_log (id, at, actor, key_id, actor_name, action, object, account_id, details, request_id,
             address)
         values ($1, onelane_now(), $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        Uuid::now_v7(),
        actor,
        key_id,
        name,
        <&str>::from(act.action),
        act.object,
        act.account,
        act.details,
        request_id,
        address.map(|address| address.to_string()),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends a transaction: with the act on record if it was done.
pub(super) async fn commit_with(mut transaction: Transaction, act: &Act<'_>, done: bool) -> Result<bool, StoreError> {
    if done {
        record(&mut transaction, act).await?;
    }
    transaction.commit().await?;
    Ok(done)
}

impl Store {
    /// Puts an act on record that changes nothing here itself.
    pub async fn record(&self, act: &Act<'_>) -> Result<(), StoreError> {
        record(&mut *self.pool().acquire().await?, act).await
    }

    /// Entries of the log, newest first.
    pub async fn audit_log(&self, filter: &AuditFilter<'_>) -> Result<Vec<StoredAct>, StoreError> {
        let rows = sqlx::query!(
            r#"select id, at, actor, key_id, actor_name, action, object, account_id, details as "details: Json<Value>", request_id,
                   address
               from audit_log
               where ($1::text is null or account_id = $1) and ($2::text is null or action = $2)
                 and ($3::uuid is null or key_id = $3) and ($4::text[] is null or account_id = any($4))
                 and ($5::timestamptz is null or (at, id) < ($5, $6::uuid))
               order by at desc, id desc limit $7"#,
            filter.account,
            filter.action.map(<&str>::from),
            filter.key_id,
            filter.allowed,
            filter.before.map(|(at, _)| at),
            filter.before.map(|(_, id)| id),
            filter.limit,
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(StoredAct {
                    action: word("audit_log", "action", row.id, &row.action)?,
                    id: row.id,
                    at: row.at,
                    actor: row.actor,
                    key_id: row.key_id,
                    actor_name: row.actor_name,
                    object: row.object,
                    account_id: row.account_id,
                    details: row.details.0,
                    request_id: row.request_id,
                    address: row.address,
                })
            })
            .collect()
    }
}
