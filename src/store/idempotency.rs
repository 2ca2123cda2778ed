//! Idempotency keys: what a repeated request finds.

use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Store, StoreError};

/// The key of a request that may be repeated, and what identifies its body.
#[derive(Clone)]
pub struct IdempotencyKey {
    pub api_key_id: Uuid,
    pub method: &'static str,
    pub path: String,
    pub key: String,
    /// SHA-256 of the body
    pub fingerprint: Vec<u8>,
    /// Seconds for which the first request may still be waiting for its answer
    pub running_seconds: Option<u32>,
}

/// What the first request with a key did.
pub struct FirstRequest {
    pub same_body: bool,
    pub still_running: bool,
    pub resource_id: Uuid,
    pub status: u16,
    /// What a batch made, item by item
    pub answer: Option<Value>,
}

impl Store {
    /// What the first request with this key did, if the key is still kept.
    pub async fn first_request(&self, key: &IdempotencyKey) -> Result<Option<FirstRequest>, StoreError> {
        let row = sqlx::query!(
            r#"select fingerprint, resource_id, status, answer as "answer: Json<Value>",
                   coalesce(running_until > onelane_now(), false) as "still_running!"
               from idempotency_keys where api_key_id = $1 and method = $2 and path = $3 and key = $4"#,
            key.api_key_id,
            key.method,
            key.path,
            key.key,
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|row| FirstRequest {
            same_body: row.fingerprint == key.fingerprint,
            still_running: row.still_running,
            resource_id: row.resource_id,
            status: u16::try_from(row.status).unwrap_or(500),
            answer: row.answer.map(|answer| answer.0),
        }))
    }

    /// Keeps the status that the first request was answered with, once it no longer waits.
    pub async fn finish_request(&self, key: &IdempotencyKey, status: u16, resource_id: Uuid) -> Result<(), StoreError> {
        sqlx::query!(
            "update idempotency_keys set status = $5, resource_id = $6, running_until = null
             where api_key_id = $1 and method = $2 and path = $3 and key = $4",
            key.api_key_id,
            key.method,
            key.path,
            key.key,
            i32::from(status),
            resource_id,
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }
}

/// Takes a key for a request within its transaction; false when an earlier request took it.
pub(super) async fn begin(
    connection: &mut PgConnection,
    key: &IdempotencyKey,
    resource_id: Uuid,
    status: u16,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "insert into idempotency_keys (api_key_id, method, path, key, fingerprint, resource_id, status, running_until, created_at)
         select $1, $2, $3, $4, $5, $6, $7, now + make_interval(secs => $8::float8), now from onelane_now() as now
         on conflict (api_key_id, method, path, key) do nothing",
        key.api_key_id,
        key.method,
        key.path,
        key.key,
        key.fingerprint,
        resource_id,
        i32::from(status),
        key.running_seconds.map(f64::from),
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps what a batch made, for a repetition.
pub(super) async fn keep_answer(
    connection: &mut PgConnection,
    key: &IdempotencyKey,
    answer: &Value,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update idempotency_keys set answer = $5 where api_key_id = $1 and method = $2 and path = $3 and key = $4",
        key.api_key_id,
        key.method,
        key.path,
        key.key,
        answer,
    )
    .execute(connection)
    .await?;
    Ok(())
}
