//! Subscriptions at providers, and orders whose providers are asked now and then.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Store, StoreError, seconds};
use crate::vault::Sealed;

/// A subscription as the ledger keeps it.
pub struct StoredSubscription {
    pub topic: String,
    /// By the provider's words; empty means all
    pub states: Vec<String>,
    pub callback_url: Sealed,
    /// Made by the gateway for the account's `publicCallbackUrl`
    pub automatic: bool,
    pub subscribed_at: Option<DateTime<Utc>>,
    /// Why the provider did not agree
    pub error: Option<String>,
}

/// A subscription that is to be made.
pub struct NewSubscription<'a> {
    pub account_id: &'a str,
    pub topic: &'a str,
    pub states: &'a [String],
    pub callback_url: &'a Sealed,
    pub callback_url_hash: &'a [u8],
    pub automatic: bool,
}

impl Store {
    pub async fn subscription(&self, account_id: &str, topic: &str) -> Result<Option<StoredSubscription>, StoreError> {
        let row = sqlx::query!(
            "select topic, states, callback_url, callback_url_key, automatic, subscribed_at, error from subscriptions
             where account_id = $1 and topic = $2 and wanted",
            account_id,
            topic,
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|row| StoredSubscription {
            topic: row.topic,
            states: row.states,
            callback_url: Sealed { bytes: row.callback_url, key_id: row.callback_url_key },
            automatic: row.automatic,
            subscribed_at: row.subscribed_at,
            error: row.error,
        }))
    }

    /// Notes a subscription to which the provider agreed on a caller's wish.
    pub async fn keep_subscription(&self, new: &NewSubscription<'_>) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into subscriptions (account_id, topic, states, callback_url, callback_url_key, callback_url_hash, automatic,
                 wanted, subscribed_at, due_at)
             select $1, $2, $3, $4, $5, $6, $7, true, now, now from onelane_now() as now
             on conflict (account_id, topic) do update set states = excluded.states, callback_url = excluded.callback_url,
                 callback_url_key = excluded.callback_url_key, callback_url_hash = excluded.callback_url_hash,
                 automatic = excluded.automatic, wanted = true, subscribed_at = excluded.subscribed_at,
                 due_at = excluded.due_at, error = null",
            new.account_id,
            new.topic,
            new.states,
            new.callback_url.bytes,
            new.callback_url.key_id,
            new.callback_url_hash,
            new.automatic,
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Notes that a caller ended a subscription: the gateway does not make it again by itself.
    pub async fn end_subscription(&self, account_id: &str, topic: &str) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into subscriptions (account_id, topic, states, callback_url, callback_url_key, callback_url_hash, automatic,
                 wanted, due_at)
             values ($1, $2, '{}', '', '', '', false, false, onelane_now())
             on conflict (account_id, topic) do update set wanted = false, subscribed_at = null, error = null",
            account_id,
            topic,
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Takes it upon this replica to make a subscription by itself; false when it stands already as it should, a
    /// caller made or ended it, or it was tried a short while ago.
    pub async fn take_subscription(&self, new: &NewSubscription<'_>, rest: Duration) -> Result<bool, StoreError> {
        let taken = sqlx::query!(
            "insert into subscriptions as s (account_id, topic, states, callback_url, callback_url_key, callback_url_hash, automatic,
                 wanted, due_at)
             select $1, $2, $3, $4, $5, $6, true, true, onelane_now() + make_interval(secs => $7)
             on conflict (account_id, topic) do update set callback_url = excluded.callback_url,
                 callback_url_key = excluded.callback_url_key, callback_url_hash = excluded.callback_url_hash,
                 due_at = excluded.due_at, subscribed_at = null
                 where s.automatic and s.wanted
                   and (s.callback_url_hash <> excluded.callback_url_hash or s.subscribed_at is null and s.due_at <= onelane_now())",
            new.account_id,
            new.topic,
            new.states,
            new.callback_url.bytes,
            new.callback_url.key_id,
            new.callback_url_hash,
            seconds(rest),
        )
        .execute(self.pool())
        .await?;
        Ok(taken.rows_affected() == 1)
    }

    /// Notes what came of an attempt to make a subscription.
    pub async fn note_subscription(
        &self,
        account_id: &str,
        topic: &str,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "update subscriptions set subscribed_at = case when $3::text is null then onelane_now() end, error = $3
             where account_id = $1 and topic = $2",
            account_id,
            topic,
            error,
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The subscriptions of an account that a caller made otherwise than the gateway would.
    pub async fn subscriptions_by_wish(&self, account_id: &str) -> Result<Vec<StoredSubscription>, StoreError> {
        let rows = sqlx::query!(
            "select topic, states, callback_url, callback_url_key, automatic, subscribed_at, error from subscriptions
             where account_id = $1 and wanted and not automatic order by topic",
            account_id,
        )
        .fetch_all(self.pool())
        .await?;
        let stored = rows.into_iter().map(|row| StoredSubscription {
            topic: row.topic,
            states: row.states,
            callback_url: Sealed { bytes: row.callback_url, key_id: row.callback_url_key },
            automatic: row.automatic,
            subscribed_at: row.subscribed_at,
            error: row.error,
        });
        Ok(stored.collect())
    }

    /// Takes it upon this replica to move a subscription that a caller made; false when that was tried a short while
    /// ago, or it is wanted no more.
    pub async fn take_move(&self, account_id: &str, topic: &str, rest: Duration) -> Result<bool, StoreError> {
        let taken = sqlx::query!(
            "update subscriptions set due_at = onelane_now() + make_interval(secs => $3)
             where account_id = $1 and topic = $2 and wanted and not automatic and due_at <= onelane_now()",
            account_id,
            topic,
            seconds(rest),
        )
        .execute(self.pool())
        .await?;
        Ok(taken.rows_affected() == 1)
    }

    /// Notes why a subscription was not moved. It stands as it was.
    pub async fn note_failed_move(&self, account_id: &str, topic: &str, error: &str) -> Result<(), StoreError> {
        sqlx::query!(
            "update subscriptions set error = $3 where account_id = $1 and topic = $2",
            account_id,
            topic,
            error,
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Accounts of these providers that can be called and are not paused.
    pub async fn accounts_to_subscribe(&self, providers: &[&str]) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar!(
            "select id from accounts where public_callback_url is not null and paused_at is null and provider = any($1) order by id",
            providers as &[&str],
        )
        .fetch_all(self.pool())
        .await?)
    }

    /// Takes it upon this replica to ask about orders without a final state of which nothing was heard for a while.
    pub async fn orders_to_poll(
        &self,
        providers: &[&str],
        silent_for: Duration,
        limit: i64,
    ) -> Result<Vec<Uuid>, StoreError> {
        Ok(sqlx::query_scalar!(
            "update orders set polled_at = onelane_now()
             where id in (
                 select o.id from orders o join accounts a on a.id = o.account_id and a.paused_at is null
                 where o.provider = any($1) and o.placed and o.status in ('draft', 'requested', 'confirmed', 'in_transit', 'unknown')
                   and coalesce(o.polled_at, o.created_at) <= onelane_now() - make_interval(secs => $2)
                   and o.updated_at <= onelane_now() - make_interval(secs => $2)
                 order by coalesce(o.polled_at, o.created_at) limit $3 for update of o skip locked)
             returning id",
            providers as &[&str],
            seconds(silent_for),
            limit,
        )
        .fetch_all(self.pool())
        .await?)
    }
}
