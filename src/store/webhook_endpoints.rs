//! Webhook endpoints.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::{Act, commit_with};
use super::{Store, StoreError, seconds};
use crate::canonical::EventType;
use crate::vault::Sealed;

/// How long the secret before still signs beside a new one.
pub const SECRET_OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);

/// An endpoint as the ledger keeps it, but for its secrets.
pub struct StoredEndpoint {
    pub id: Uuid,
    pub url: String,
    pub description: Option<String>,
    /// Nothing means all
    pub types: Option<Vec<String>>,
    /// Nothing means all, and what is about none
    pub accounts: Option<Vec<String>>,
    pub previous_secret_until: Option<DateTime<Utc>>,
    pub disabled_at: Option<DateTime<Utc>>,
    pub disabled_reason: Option<String>,
    pub failing_since: Option<DateTime<Utc>>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What an administrator chooses of an endpoint.
pub struct EndpointChoice {
    pub url: String,
    pub description: Option<String>,
    pub types: Option<Vec<String>>,
    pub accounts: Option<Vec<String>>,
}

macro_rules! select_endpoints {
    ($where:tt, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            StoredEndpoint,
            r#"select id, url, description, types, accounts,
                   case when previous_secret_until > onelane_now() then previous_secret_until end as previous_secret_until,
                   disabled_at, disabled_reason, failing_since, version, created_at, updated_at
               from webhook_endpoints "# + $where,
            $($argument),*
        )
    };
}

impl Store {
    pub async fn add_webhook_endpoint(
        &self,
        id: Uuid,
        choice: &EndpointChoice,
        secret: &Sealed,
        act: &Act<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query!(
            "insert into webhook_endpoints (id, url, description, types, accounts, secret, secret_key, created_at, updated_at)
             select $1, $2, $3, $4, $5, $6, $7, now, now from onelane_now() as now",
            id,
            choice.url,
            choice.description,
            choice.types.as_deref(),
            choice.accounts.as_deref(),
            secret.bytes,
            secret.key_id,
        )
        .execute(&mut *transaction)
        .await?;
        commit_with(transaction, act, true).await.map(drop)
    }

    pub async fn webhook_endpoint(&self, id: Uuid) -> Result<Option<StoredEndpoint>, StoreError> {
        Ok(select_endpoints!("where id = $1", id).fetch_optional(self.pool()).await?)
    }

    /// Endpoints after `after` in the order of their ids; with `allowed`, those for some of these accounts alone.
    pub async fn webhook_endpoints(
        &self,
        after: Uuid,
        limit: i64,
        allowed: Option<&[String]>,
    ) -> Result<Vec<StoredEndpoint>, StoreError> {
        Ok(select_endpoints!(
            "where id > $1 and ($3::text[] is null or accounts <@ $3) order by id limit $2",
            after,
            limit,
            allowed,
        )
        .fetch_all(self.pool())
        .await?)
    }

    /// Replaces what an administrator chose; false when its version is another one, or it is gone. At another URL,
    /// and where it becomes enabled, what waits for it goes at once, with all its tries before it.
    pub async fn update_webhook_endpoint(
        &self,
        id: Uuid,
        choice: &EndpointChoice,
        disabled_reason: Option<&str>,
        version: i64,
        act: &Act<'_>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let Some(before) = sqlx::query!(
            "select url, disabled_at from webhook_endpoints where id = $1 and version = $2 for no key update",
            id,
            version,
        )
        .fetch_optional(&mut *transaction)
        .await?
        else {
            return Ok(false);
        };
        sqlx::query!(
            "update webhook_endpoints set url = $2, description = $3, types = $4, accounts = $5,
                 version = version + 1, updated_at = onelane_now()
             where id = $1",
            id,
            choice.url,
            choice.description,
            choice.types.as_deref(),
            choice.accounts.as_deref(),
        )
        .execute(&mut *transaction)
        .await?;
        let moved = before.url != choice.url;
        let disabled = match disabled_reason {
            Some(reason) => disable(&mut transaction, id, reason).await?,
            None => false,
        };
        if moved || (disabled_reason.is_none() && before.disabled_at.is_some()) {
            begin_anew(&mut transaction, id, disabled_reason.is_none()).await?;
        }
        commit_with(transaction, act, true).await?;
        if disabled {
            self.tell_of_events();
        }
        Ok(true)
    }

    /// Puts a new secret in the place of the one that signs; that one signs beside it for a while. False when the
    /// endpoint is gone.
    pub async fn rotate_webhook_secret(&self, id: Uuid, secret: &Sealed, act: &Act<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query!(
            "update webhook_endpoints set previous_secret = secret, previous_secret_key = secret_key,
                 previous_secret_until = onelane_now() + make_interval(secs => $4), secret = $2, secret_key = $3,
                 version = version + 1, updated_at = onelane_now()
             where id = $1",
            id,
            secret.bytes,
            secret.key_id,
            seconds(SECRET_OVERLAP),
        )
        .execute(&mut *transaction)
        .await?;
        commit_with(transaction, act, done.rows_affected() == 1).await
    }

    /// Deletes an endpoint with its deliveries, if its version is this one where one is named; false when it is
    /// another one, or the endpoint is gone.
    pub async fn delete_webhook_endpoint(
        &self,
        id: Uuid,
        version: Option<i64>,
        act: &Act<'_>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query!(
            "delete from webhook_endpoints where id = $1 and ($2::bigint is null or version = $2)",
            id,
            version,
        )
        .execute(&mut *transaction)
        .await?;
        commit_with(transaction, act, done.rows_affected() == 1).await
    }
}

/// Lets what waits for an endpoint go at once, with all its tries before it; and the endpoint, where it is to be
/// enabled, begin with a clean record.
async fn begin_anew(connection: &mut PgConnection, id: Uuid, enabled: bool) -> Result<(), StoreError> {
    sqlx::query!(
        "update webhook_endpoints set failing_since = null,
             disabled_at = case when not $2 then disabled_at end, disabled_reason = case when not $2 then disabled_reason end
         where id = $1",
        id,
        enabled,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update webhook_deliveries set due_at = onelane_now(), tries = 0, tries_until = null
         where endpoint_id = $1 and state = 'pending' and tries > 0
           and (lease_until is null or lease_until <= onelane_now())",
        id,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends the deliveries to an endpoint until somebody enables it, and tells so in an event; false when it was disabled
/// already or is gone.
pub(super) async fn disable(connection: &mut PgConnection, id: Uuid, reason: &str) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "with disabled as (
             update webhook_endpoints set disabled_at = onelane_now(), disabled_reason = $2,
                 version = version + 1, updated_at = onelane_now()
             where id = $1 and disabled_at is null
             returning id, description, failing_since, disabled_at)
         insert into events (id, type, data, occurred_at, recorded_at)
         select $3, $4, jsonb_strip_nulls(jsonb_build_object('webhookEndpoint', id, 'description', description,
                 'reason', $2::text, 'failingSince', failing_since)), disabled_at, disabled_at
         from disabled",
        id,
        reason,
        Uuid::now_v7(),
        <&str>::from(EventType::WebhookEndpointDisabled),
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}
