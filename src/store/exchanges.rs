//! Reading exchanges with providers: what was sent and what came back, to the byte.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Store, StoreError};

/// Most bytes of one body that are kept.
pub const MOST_BODY_BYTES: usize = 4 * 1024 * 1024;

/// One attempt of a submission.
pub struct StoredAttempt {
    pub number: i32,
    pub exchange_id: Uuid,
    /// Place of the submission in the exchange, from 1
    pub position: i32,
    /// Submissions that the exchange carried
    pub items: i32,
    pub outcome: Option<String>,
    pub endpoint: String,
    pub method: Option<String>,
    pub url: Option<String>,
    pub request_headers: Option<Value>,
    pub request_body: Option<StoredBody>,
    pub response_status: Option<i32>,
    pub response_headers: Option<Value>,
    pub response_body: Option<StoredBody>,
    pub error: Option<String>,
    pub claimed_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub answered_at: Option<DateTime<Utc>>,
}

/// The attempts of a submission.
pub struct StoredAttempts {
    /// Those that are kept, oldest first
    pub kept: Vec<StoredAttempt>,
    /// How many were removed by age
    pub removed: i64,
}

/// A body as it was sent or received, or as much of it as is kept.
pub struct StoredBody {
    pub content: Vec<u8>,
    pub size: i64,
    pub truncated: bool,
}

/// A body in the form in which the ledger keeps it.
pub struct PackedBody {
    pub content: Vec<u8>,
    pub size: i64,
    pub truncated: bool,
}

impl PackedBody {
    /// Compresses a body, cut to what is kept.
    pub fn pack(body: &[u8]) -> Self {
        let kept = &body[..body.len().min(MOST_BODY_BYTES)];
        PackedBody {
            // Compression into memory does not fail; were it to, the audit would miss a body, not an order.
            content: zstd::bulk::compress(kept, 1).unwrap_or_default(),
            size: i64::try_from(body.len()).unwrap_or(i64::MAX),
            truncated: body.len() > kept.len(),
        }
    }
}

impl Store {
    /// When a submission was first claimed to be sent; the provider cannot have made it before.
    pub async fn first_attempt_at(&self, submission_id: Uuid) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"select min(e.claimed_at) from attempts a join exchanges e on e.id = a.exchange_id where a.submission_id = $1"#,
            submission_id,
        )
        .fetch_one(self.pool())
        .await?)
    }

    /// The attempts of a submission.
    pub async fn attempts(&self, submission_id: Uuid) -> Result<StoredAttempts, StoreError> {
        // All of it as of one moment: a claim adds an attempt, and a removal by age takes some.
        let mut snapshot = self.pool().begin_with("begin isolation level repeatable read read only").await?;
        let removed = sqlx::query_scalar!(
            r#"select s.exchanges - (select count(*) from attempts where submission_id = s.id) as "removed!"
               from submissions s where s.id = $1"#,
            submission_id,
        )
        .fetch_optional(&mut *snapshot)
        .await?;
        let kept = kept_attempts(&mut snapshot, submission_id).await?;
        snapshot.commit().await?;
        Ok(StoredAttempts { kept, removed: removed.unwrap_or_default() })
    }
}

async fn kept_attempts(connection: &mut PgConnection, submission_id: Uuid) -> Result<Vec<StoredAttempt>, StoreError> {
    let rows = sqlx::query!(
            r#"select t.number, t.exchange_id, t.position, t.outcome, e.items, e.endpoint, e.method, e.url,
                   e.request_headers as "request_headers: Json<Value>", e.response_status,
                   e.response_headers as "response_headers: Json<Value>", e.error, e.claimed_at, e.sent_at, e.answered_at,
                   request.content as "request_content?", request.size as "request_size?", request.truncated as "request_truncated?",
                   response.content as "response_content?", response.size as "response_size?", response.truncated as "response_truncated?"
               from attempts t join exchanges e on e.id = t.exchange_id
               left join exchange_bodies request on request.exchange_id = e.id and request.direction = 'request'
               left join exchange_bodies response on response.exchange_id = e.id and response.direction = 'response'
               where t.submission_id = $1 order by t.number"#,
            submission_id,
        )
        .fetch_all(connection)
        .await?;
    rows.into_iter()
        .map(|row| {
            let unpack = |content: Option<Vec<u8>>, size: Option<i64>, truncated: Option<bool>| {
                let (Some(content), Some(size), Some(truncated)) = (content, size, truncated) else {
                    return Ok(None);
                };
                let content = zstd::bulk::decompress(&content, MOST_BODY_BYTES)
                    .map_err(|error| StoreError::inconsistent("exchange_bodies", "content", row.exchange_id, error))?;
                Ok::<_, StoreError>(Some(StoredBody { content, size, truncated }))
            };
            Ok(StoredAttempt {
                request_body: unpack(row.request_content, row.request_size, row.request_truncated)?,
                response_body: unpack(row.response_content, row.response_size, row.response_truncated)?,
                number: row.number,
                exchange_id: row.exchange_id,
                position: row.position + 1,
                items: row.items,
                outcome: row.outcome,
                endpoint: row.endpoint,
                method: row.method,
                url: row.url,
                request_headers: row.request_headers.map(|headers| headers.0),
                response_status: row.response_status,
                response_headers: row.response_headers.map(|headers| headers.0),
                error: row.error,
                claimed_at: row.claimed_at,
                sent_at: row.sent_at,
                answered_at: row.answered_at,
            })
        })
        .collect()
}
