//! Idempotency keys: what a repeated request finds.

use uuid::Uuid;

use super::{Store, StoreError};

/// The key of a request that may be repeated, and what identifies its body.
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
}

impl Store {
    pub async fn first_request(&self, key: &IdempotencyKey) -> Result<Option<FirstRequest>, StoreError> {
        let row = sqlx::query!(
            r#"select fingerprint, resource_id, status,
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
        }))
    }

    /// Keeps the status that the first request was answered with, once it no longer waits.
    pub async fn finish_request(&self, key: &IdempotencyKey, status: u16) -> Result<(), StoreError> {
        sqlx::query!(
            "update idempotency_keys set status = $5, running_until = null
             where api_key_id = $1 and method = $2 and path = $3 and key = $4",
            key.api_key_id,
            key.method,
            key.path,
            key.key,
            i32::from(status),
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }
}
