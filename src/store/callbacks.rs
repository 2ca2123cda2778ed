//! Callbacks: keeping them as they came, finding those that wait, showing them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::audit::{Act, commit_with};
use super::{Store, StoreError, seconds, word};
use crate::canonical::{CallbackState, EventType, Warning};
use crate::vault::Sealed;

/// How long a callback is left to the request that brought it before the background looks at it.
const GRACE: Duration = Duration::from_secs(5);
/// How long a callback that the background took up is left to it.
const TAKEN: Duration = Duration::from_secs(60);
/// More than any callback may hold.
const MOST_BODY_BYTES: usize = 16 * 1024 * 1024;

/// A callback as it came.
pub struct NewCallback<'a> {
    pub id: Uuid,
    pub account_id: &'a str,
    pub provider: &'a str,
    /// `[[name, value], …]`, credentials masked
    pub headers: &'a Value,
    pub body: &'a [u8],
    /// W3C traceparent of the call
    pub trace_parent: Option<&'a str>,
}

/// Why a callback is where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Stable code, `callback.*`
    pub code: String,
    pub detail: String,
    pub detail_zh: String,
}

impl Reason {
    pub fn new(code: &str, detail: impl Into<String>, detail_zh: impl Into<String>) -> Self {
        Reason { code: code.to_owned(), detail: detail.into(), detail_zh: detail_zh.into() }
    }
}

/// A callback as the ledger keeps it.
pub struct StoredCallback {
    pub id: Uuid,
    pub account_id: String,
    pub provider: String,
    pub state: CallbackState,
    pub size: i64,
    pub received_at: DateTime<Utc>,
    /// When it came into its state
    pub processed_at: Option<DateTime<Utc>>,
    pub reason: Option<Reason>,
    pub warnings: Vec<Warning>,
    /// The events that tell what it says
    pub events: Vec<TellingEvent>,
}

/// An event that tells what a callback says.
pub struct TellingEvent {
    pub id: Uuid,
    pub event_type: EventType,
    pub order_id: Option<Uuid>,
}

/// What came with a callback.
pub struct CallbackContent {
    pub account_id: String,
    pub provider: String,
    /// `[[name, value], …]`, credentials masked
    pub headers: Vec<(String, String)>,
    /// Nothing once it was dropped by age
    pub body: Option<Vec<u8>>,
    pub received_at: DateTime<Utc>,
    /// W3C traceparent of the call
    pub trace_parent: Option<String>,
}

/// An order that a waiting callback names.
pub struct AwaitedOrder {
    pub order_number: Option<String>,
    pub provider_order_number: Option<String>,
}

/// Which callbacks a list shall hold; what is absent does not matter.
#[derive(Default)]
pub struct CallbackFilter<'a> {
    pub account: Option<&'a str>,
    pub state: Option<&'a str>,
    /// The accounts that the caller may see; nothing means all
    pub allowed: Option<&'a [String]>,
    /// The last item of the page before
    pub before: Option<(DateTime<Utc>, Uuid)>,
    pub limit: i64,
}

struct CallbackRow {
    id: Uuid,
    account_id: String,
    provider: String,
    state: String,
    size: i64,
    received_at: DateTime<Utc>,
    processed_at: Option<DateTime<Utc>>,
    reason_code: Option<String>,
    reason_en: Option<String>,
    reason_zh: Option<String>,
    warnings: Json<Vec<Warning>>,
}

impl CallbackRow {
    fn with_events(self, events: Vec<TellingEvent>) -> Result<StoredCallback, StoreError> {
        let CallbackRow {
            id,
            account_id,
            provider,
            state,
            size,
            received_at,
            processed_at,
            reason_code,
            reason_en,
            reason_zh,
            warnings,
        } = self;
        Ok(StoredCallback {
            state: word("callbacks", "state", id, &state)?,
            id,
            account_id,
            provider,
            size,
            received_at,
            processed_at,
            reason: reason_code.map(|code| Reason {
                code,
                detail: reason_en.unwrap_or_default(),
                detail_zh: reason_zh.unwrap_or_default(),
            }),
            warnings: warnings.0,
            events,
        })
    }
}

impl Store {
    /// Keeps a callback before anything else is done with it; gives when that was.
    pub async fn keep_callback(&self, new: &NewCallback<'_>) -> Result<DateTime<Utc>, StoreError> {
        // Compression into memory does not fail.
        let body = zstd::bulk::compress(new.body, 1).unwrap_or_default();
        Ok(sqlx::query_scalar!(
            "insert into callbacks (id, account_id, provider, state, headers, body, size, received_at, due_at, trace_parent)
             select $1, $2, $3, $4, $5, $6, $7, now, now + make_interval(secs => $8), $9 from onelane_now() as now
             returning received_at",
            new.id,
            new.account_id,
            new.provider,
            <&str>::from(CallbackState::Received),
            new.headers,
            body,
            i64::try_from(new.body.len()).unwrap_or(i64::MAX),
            seconds(GRACE),
            new.trace_parent,
        )
        .fetch_one(self.pool())
        .await?)
    }

    /// What came with a callback.
    pub async fn callback_content(&self, id: Uuid) -> Result<Option<CallbackContent>, StoreError> {
        let row = sqlx::query!(
            r#"select account_id, provider, headers as "headers: Json<Vec<(String, String)>>", body, received_at, trace_parent
               from callbacks where id = $1"#,
            id,
        )
        .fetch_optional(self.pool())
        .await?;
        row.map(|row| {
            let unpack = |body: Vec<u8>| zstd::bulk::decompress(&body, MOST_BODY_BYTES);
            let body = row.body.map(unpack).transpose();
            Ok(CallbackContent {
                account_id: row.account_id,
                provider: row.provider,
                headers: row.headers.0,
                body: body.map_err(|error| StoreError::inconsistent("callbacks", "body", id, error))?,
                received_at: row.received_at,
                trace_parent: row.trace_parent,
            })
        })
        .transpose()
    }

    /// Callbacks that are to be looked at again, taken up for a while; how often that was done with each.
    pub async fn take_due_callbacks(&self, limit: i64) -> Result<Vec<(Uuid, i32)>, StoreError> {
        let rows = sqlx::query!(
            "update callbacks set due_at = onelane_now() + make_interval(secs => $2),
                 tries = tries + case when state = 'received' then 1 else 0 end
             where id in (select id from callbacks where due_at <= onelane_now() order by due_at limit $1 for update skip locked)
             returning id, tries",
            limit,
            seconds(TAKEN),
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(|row| (row.id, row.tries)).collect())
    }

    /// Takes the last try back: it was not the call's fault that it failed.
    pub async fn give_callback_back(&self, id: Uuid) -> Result<(), StoreError> {
        sqlx::query!("update callbacks set tries = greatest(tries - 1, 0) where id = $1 and state = 'received'", id)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// A callback, with the events that tell what it says.
    pub async fn callback(&self, id: Uuid) -> Result<Option<StoredCallback>, StoreError> {
        let row = sqlx::query_as!(
            CallbackRow,
            r#"select id, account_id, provider, state, size, received_at, processed_at, reason_code, reason_en, reason_zh,
                   warnings as "warnings: Json<Vec<Warning>>"
               from callbacks where id = $1"#,
            id,
        )
        .fetch_optional(self.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let events = self.telling_events(&[id]).await?.into_iter().map(|(_, event)| event).collect();
        row.with_events(events).map(Some)
    }

    /// Callbacks, newest first.
    pub async fn callbacks(&self, filter: &CallbackFilter<'_>) -> Result<Vec<StoredCallback>, StoreError> {
        let rows = sqlx::query_as!(
            CallbackRow,
            r#"select id, account_id, provider, state, size, received_at, processed_at, reason_code, reason_en, reason_zh,
                   warnings as "warnings: Json<Vec<Warning>>"
               from callbacks
               where ($1::text is null or account_id = $1)
                 and ($2::text is null or state = $2)
                 and ($3::text[] is null or account_id = any($3))
                 and ($4::timestamptz is null or (received_at, id) < ($4, $5::uuid))
               order by received_at desc, id desc limit $6"#,
            filter.account,
            filter.state,
            filter.allowed,
            filter.before.map(|(received_at, _)| received_at),
            filter.before.map(|(_, id)| id),
            filter.limit,
        )
        .fetch_all(self.pool())
        .await?;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let mut events: Vec<(Uuid, TellingEvent)> = self.telling_events(&ids).await?;
        rows.into_iter()
            .map(|row| {
                let (own, others) = events.drain(..).partition(|(callback_id, _)| *callback_id == row.id);
                events = others;
                let own: Vec<(Uuid, TellingEvent)> = own;
                row.with_events(own.into_iter().map(|(_, event)| event).collect())
            })
            .collect()
    }

    /// The orders that a waiting callback names and the ledger does not know.
    pub async fn awaited_orders(&self, callback_id: Uuid) -> Result<Vec<AwaitedOrder>, StoreError> {
        Ok(sqlx::query_as!(
            AwaitedOrder,
            "select order_number, provider_order_number from callback_waits where callback_id = $1 order by position",
            callback_id,
        )
        .fetch_all(self.pool())
        .await?)
    }

    async fn telling_events(&self, callback_ids: &[Uuid]) -> Result<Vec<(Uuid, TellingEvent)>, StoreError> {
        let rows = sqlx::query!(
            "select h.callback_id, e.id, e.type as event_type, e.order_id
             from happenings h join events e on e.id = h.event_id
             where h.callback_id = any($1) order by e.recorded_at, e.id",
            callback_ids,
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter()
            .map(|row| {
                let event_type = word("events", "type", row.id, &row.event_type)?;
                Ok((row.callback_id, TellingEvent { id: row.id, event_type, order_id: row.order_id }))
            })
            .collect()
    }

    /// Where an account is called; nothing where there is no account.
    pub async fn callback_door(&self, account_id: &str) -> Result<Option<CallbackDoor>, StoreError> {
        Ok(sqlx::query_as!(
            CallbackDoor,
            "select provider, callback_token_hash as token_hash,
                 case when previous_callback_token_until > onelane_now() then previous_callback_token_hash end as previous_token_hash
             from accounts where id = $1",
            account_id,
        )
        .fetch_optional(self.pool())
        .await?)
    }

    /// Keeps the secret of an account's callback path; false when it has one, or is gone.
    pub async fn give_callback_token(
        &self,
        account_id: &str,
        token: &Sealed,
        token_hash: &[u8],
    ) -> Result<bool, StoreError> {
        let given = sqlx::query!(
            "update accounts set callback_token = $2, callback_token_key = $3, callback_token_hash = $4
             where id = $1 and callback_token is null",
            account_id,
            token.bytes,
            token.key_id,
            token_hash,
        )
        .execute(self.pool())
        .await?;
        Ok(given.rows_affected() == 1)
    }

    /// Puts another secret in the place of that of an account's callback path; calls with that one are taken for as
    /// long as `overlap`, and none with the one before it. False when the account is gone.
    pub async fn rotate_callback_token(
        &self,
        account_id: &str,
        token: &Sealed,
        token_hash: &[u8],
        overlap: Duration,
        act: &Act<'_>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let rotated = sqlx::query!(
            "update accounts set previous_callback_token_hash = callback_token_hash,
                 previous_callback_token_until = onelane_now() + make_interval(secs => $5),
                 callback_token = $2, callback_token_key = $3, callback_token_hash = $4,
                 version = version + 1, updated_at = onelane_now()
             where id = $1",
            account_id,
            token.bytes,
            token.key_id,
            token_hash,
            seconds(overlap),
        )
        .execute(&mut *transaction)
        .await?;
        commit_with(transaction, act, rotated.rows_affected() == 1).await
    }
}

/// Where an account's callbacks come in.
pub struct CallbackDoor {
    pub provider: String,
    /// SHA-256 of the last part of its path; nothing until that was needed
    pub token_hash: Option<Vec<u8>>,
    /// The same of the path before, while calls at it are taken
    pub previous_token_hash: Option<Vec<u8>>,
}
