//! Everything that is sealed: which master keys sealed it, and what of it is put under another one.

use uuid::Uuid;

use super::{Store, StoreError};
use crate::vault::{Place, Sealed};

/// A column that holds sealed secrets, with one of the same name and `_key` that names the master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum SealedColumn {
    Credentials,
    CallbackToken,
    Session,
    SubscriptionAddress,
    WebhookSecret,
    PreviousWebhookSecret,
}

impl SealedColumn {
    /// Table and column.
    pub fn name(self) -> (&'static str, &'static str) {
        match self {
            SealedColumn::Credentials => ("accounts", "credentials"),
            SealedColumn::CallbackToken => ("accounts", "callback_token"),
            SealedColumn::Session => ("provider_sessions", "session"),
            SealedColumn::SubscriptionAddress => ("subscriptions", "callback_url"),
            SealedColumn::WebhookSecret => ("webhook_endpoints", "secret"),
            SealedColumn::PreviousWebhookSecret => ("webhook_endpoints", "previous_secret"),
        }
    }
}

/// How many values of a column a master key sealed.
pub struct SealedCount {
    pub table: String,
    pub column: String,
    pub key_id: String,
    pub count: i64,
}

/// One sealed value and the row that it stands in.
pub struct SealedValue {
    pub column: SealedColumn,
    pub row: RowKey,
    pub sealed: Sealed,
}

/// What names a row that holds a sealed value: an account or an endpoint, and of subscriptions the topic, too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowKey {
    pub id: String,
    /// Empty where the id suffices
    pub topic: String,
}

impl SealedValue {
    /// For which place it was sealed; nothing when the row's id is none.
    pub fn place(&self) -> Option<Place<'_>> {
        let id = &self.row.id;
        Some(match self.column {
            SealedColumn::Credentials => Place::Credentials(id),
            SealedColumn::CallbackToken => Place::CallbackToken(id),
            SealedColumn::Session => Place::Session(id),
            SealedColumn::SubscriptionAddress => Place::SubscriptionAddress(id),
            SealedColumn::WebhookSecret | SealedColumn::PreviousWebhookSecret => {
                Place::WebhookSecret(id.parse::<Uuid>().ok()?)
            }
        })
    }
}

/// The values of one column that another key than `$1` sealed, after a row, in the order of the rows.
macro_rules! sealed_values {
    ($store:expr, $column:expr, $sql:literal, $key_id:expr, $after:expr, $limit:expr) => {{
        let rows = sqlx::query!($sql, $key_id, $after.id, $after.topic, $limit).fetch_all($store.pool()).await?;
        rows.into_iter()
            .map(|row| SealedValue {
                column: $column,
                row: RowKey { id: row.id, topic: row.topic },
                sealed: Sealed { bytes: row.bytes, key_id: row.key_id },
            })
            .collect()
    }};
}

/// Puts a value in the place of the one that was read; nothing happens where it changed meanwhile.
macro_rules! replace {
    ($store:expr, $sql:literal, $value:expr, $new:expr) => {
        sqlx::query!($sql, $value.row.id, $value.row.topic, $value.sealed.bytes, $new.bytes, $new.key_id)
            .execute($store.pool())
            .await?
    };
}

impl Store {
    /// Which master keys sealed what.
    pub async fn sealed_counts(&self) -> Result<Vec<SealedCount>, StoreError> {
        Ok(sqlx::query_as!(
            SealedCount,
            r#"select "table" as "table!", "column" as "column!", key_id as "key_id!", count(*) as "count!" from (
                   select 'accounts' as "table", 'credentials' as "column", credentials_key as key_id from accounts
                   union all select 'accounts', 'callback_token', callback_token_key from accounts
                   union all select 'provider_sessions', 'session', session_key from provider_sessions where session is not null
                   union all select 'subscriptions', 'callback_url', callback_url_key from subscriptions
                   union all select 'webhook_endpoints', 'secret', secret_key from webhook_endpoints
                   union all select 'webhook_endpoints', 'previous_secret', previous_secret_key from webhook_endpoints
               ) as sealed
               -- Where nothing is sealed the key has no name.
               where key_id <> ''
               group by 1, 2, 3 order by 3, 1, 2"#,
        )
        .fetch_all(self.pool())
        .await?)
    }

    /// Takes away what is sealed and not used any more: secrets of endpoints that sign no longer.
    pub async fn erase_old_secrets(&self) -> Result<u64, StoreError> {
        let erased = sqlx::query!(
            "update webhook_endpoints set previous_secret = null, previous_secret_key = null, previous_secret_until = null
             where previous_secret_until <= onelane_now()",
        )
        .execute(self.pool())
        .await?;
        Ok(erased.rows_affected())
    }

    /// Values of a column that another key sealed, after a row.
    pub async fn sealed_by_others(
        &self,
        column: SealedColumn,
        key_id: &str,
        after: &RowKey,
        limit: i64,
    ) -> Result<Vec<SealedValue>, StoreError> {
        Ok(match column {
            SealedColumn::Credentials => sealed_values!(
                self,
                column,
                r#"select id, '' as "topic!", credentials as bytes, credentials_key as key_id from accounts
                   where credentials_key <> $1 and credentials_key <> '' and (id, '') > ($2, $3::text) order by id limit $4"#,
                key_id,
                after,
                limit
            ),
            SealedColumn::CallbackToken => sealed_values!(
                self,
                column,
                r#"select id, '' as "topic!", callback_token as "bytes!", callback_token_key as "key_id!" from accounts
                   where callback_token_key <> $1 and (id, '') > ($2, $3::text) order by id limit $4"#,
                key_id,
                after,
                limit
            ),
            SealedColumn::Session => sealed_values!(
                self,
                column,
                r#"select account_id as id, '' as "topic!", session as "bytes!", session_key as "key_id!" from provider_sessions
                   where session is not null and session_key <> $1 and (account_id, '') > ($2, $3::text)
                   order by account_id limit $4"#,
                key_id,
                after,
                limit
            ),
            SealedColumn::SubscriptionAddress => sealed_values!(
                self,
                column,
                r#"select account_id as id, topic, callback_url as bytes, callback_url_key as key_id from subscriptions
                   where callback_url_key <> $1 and callback_url_key <> '' and (account_id, topic) > ($2, $3)
                   order by account_id, topic limit $4"#,
                key_id,
                after,
                limit
            ),
            SealedColumn::WebhookSecret => sealed_values!(
                self,
                column,
                r#"select id::text as "id!", '' as "topic!", secret as bytes, secret_key as key_id from webhook_endpoints
                   where secret_key <> $1 and (id::text, '') > ($2, $3::text) order by id::text limit $4"#,
                key_id,
                after,
                limit
            ),
            SealedColumn::PreviousWebhookSecret => sealed_values!(
                self,
                column,
                r#"select id::text as "id!", '' as "topic!", previous_secret as "bytes!", previous_secret_key as "key_id!"
                   from webhook_endpoints
                   where previous_secret is not null and previous_secret_key <> $1 and (id::text, '') > ($2, $3::text)
                   order by id::text limit $4"#,
                key_id,
                after,
                limit
            ),
        })
    }

    /// Puts a value in the place of the one that was read; false when that changed meanwhile. For nobody else it is a
    /// change: what is sealed stays the same.
    pub async fn replace_sealed(&self, value: &SealedValue, new: &Sealed) -> Result<bool, StoreError> {
        let done = match value.column {
            SealedColumn::Credentials => replace!(
                self,
                "update accounts set credentials = $4, credentials_key = $5 where (id, '') = ($1, $2::text) and credentials = $3",
                value,
                new
            ),
            SealedColumn::CallbackToken => replace!(
                self,
                "update accounts set callback_token = $4, callback_token_key = $5
                 where (id, '') = ($1, $2::text) and callback_token = $3",
                value,
                new
            ),
            SealedColumn::Session => replace!(
                self,
                "update provider_sessions set session = $4, session_key = $5
                 where (account_id, '') = ($1, $2::text) and session = $3",
                value,
                new
            ),
            SealedColumn::SubscriptionAddress => replace!(
                self,
                "update subscriptions set callback_url = $4, callback_url_key = $5
                 where (account_id, topic) = ($1, $2) and callback_url = $3",
                value,
                new
            ),
            SealedColumn::WebhookSecret => replace!(
                self,
                "update webhook_endpoints set secret = $4, secret_key = $5
                 where (id::text, '') = ($1, $2::text) and secret = $3",
                value,
                new
            ),
            SealedColumn::PreviousWebhookSecret => replace!(
                self,
                "update webhook_endpoints set previous_secret = $4, previous_secret_key = $5
                 where (id::text, '') = ($1, $2::text) and previous_secret = $3",
                value,
                new
            ),
        };
        Ok(done.rows_affected() == 1)
    }
}
