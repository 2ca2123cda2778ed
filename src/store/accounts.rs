//! Downstream accounts.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use tokio::time::Instant;

use super::audit::{Act, commit_with};
use super::grounds::RowVersion;
use super::grouped::each_of;
use super::{Store, StoreError, within};
use crate::vault::Sealed;

/// An account as the ledger keeps it, credentials sealed.
#[derive(Clone)]
pub struct StoredAccount {
    pub id: String,
    pub provider: String,
    pub display_name: String,
    pub base_url: String,
    pub credentials: Sealed,
    pub settings: Value,
    pub throttles: Value,
    pub throttle_group: String,
    pub public_callback_url: Option<String>,
    /// Last part of its callback path; nothing until that is needed
    pub callback_token: Option<Sealed>,
    /// How much may wait; as configured when absent
    pub queue_limit: Option<i32>,
    /// SHA-256 of the one before; nothing where it was never replaced
    pub previous_callback_token_hash: Option<Vec<u8>>,
    /// Until when calls with that one are taken; nothing once they are not
    pub previous_callback_token_until: Option<DateTime<Utc>>,
    pub paused_at: Option<DateTime<Utc>>,
    pub pause_reason: Option<String>,
    pub version: i64,
    pub row: RowVersion,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// An account to be added.
pub struct NewAccount {
    pub id: String,
    pub provider: String,
    pub display_name: String,
    pub base_url: String,
    pub credentials: Sealed,
    pub settings: Value,
    pub throttles: Value,
    pub throttle_group: String,
    pub public_callback_url: Option<String>,
    pub queue_limit: Option<i32>,
}

/// What became of an account that was to be deleted.
#[derive(Debug, PartialEq, Eq)]
pub enum Deleted {
    Done,
    /// There is none of this id.
    Unknown,
    /// It changed meanwhile.
    OtherVersion,
    /// Some of its submissions did not come to an end.
    Unfinished,
}

/// Where a lane's accounts stand.
pub struct LaneMember {
    pub provider: String,
    pub throttle_group: String,
    pub throttles: Value,
}

macro_rules! stored {
    ($row:expr) => {{
        let row = $row;
        StoredAccount {
            id: row.id,
            provider: row.provider,
            display_name: row.display_name,
            base_url: row.base_url,
            credentials: Sealed { bytes: row.credentials, key_id: row.credentials_key },
            settings: row.settings.0,
            throttles: row.throttles.0,
            throttle_group: row.throttle_group,
            public_callback_url: row.public_callback_url,
            callback_token: row
                .callback_token
                .zip(row.callback_token_key)
                .map(|(bytes, key_id)| Sealed { bytes, key_id }),
            queue_limit: row.queue_limit,
            previous_callback_token_hash: row.previous_callback_token_hash,
            previous_callback_token_until: row.previous_callback_token_until,
            paused_at: row.paused_at,
            pause_reason: row.pause_reason,
            version: row.version,
            row: RowVersion::read(row.xmin),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }};
}

impl Store {
    /// Adds an account; false when the id is taken.
    pub async fn add_account(&self, account: &NewAccount, act: &Act<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query!(
            r#"insert into accounts (id, provider, display_name, base_url, credentials, credentials_key, settings,
                   throttles, throttle_group, public_callback_url, queue_limit, created_at, updated_at)
               select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now, now from onelane_now() as now
               on conflict (id) do nothing"#,
            account.id,
            account.provider,
            account.display_name,
            account.base_url,
            account.credentials.bytes,
            account.credentials.key_id,
            account.settings,
            account.throttles,
            account.throttle_group,
            account.public_callback_url,
            account.queue_limit,
        )
        .execute(&mut *transaction)
        .await?;
        commit_with(transaction, act, done.rows_affected() == 1).await
    }

    /// Gives an account that is there other addresses, other credentials and other settings. Whoever is there now is
    /// not bound by what was agreed before: sessions and the gateway's own subscriptions are made anew.
    pub async fn refresh_account(&self, account: &NewAccount) -> Result<(), StoreError> {
        sqlx::query!(
            "with forgotten as (
                 update provider_sessions set session = null, refused = false, quick_refusals = 0, generation = generation + 1, renewing_until = null
                 where account_id = $1),
             unsubscribed as (
                 update subscriptions set subscribed_at = null, due_at = onelane_now()
                 where account_id = $1 and automatic and wanted)
             update accounts set base_url = $2, credentials = $3, credentials_key = $4, settings = $5,
                 public_callback_url = $6, version = version + 1, updated_at = onelane_now()
             where id = $1",
            account.id,
            account.base_url,
            account.credentials.bytes,
            account.credentials.key_id,
            account.settings,
            account.public_callback_url,
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Replaces what an administrator may change of an account; false when its version is another one, or it is
    /// gone.
    pub async fn update_account(&self, account: &NewAccount, version: i64, act: &Act<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let changed = sqlx::query_scalar!(
            "with changed as (
                 update accounts set display_name = $3, base_url = $4, credentials = $5, credentials_key = $6, settings = $7,
                     throttles = $8, throttle_group = $9, public_callback_url = $10, queue_limit = $11,
                     version = version + 1, updated_at = onelane_now()
                 where id = $1 and version = $2
                 returning id),
             -- A session belongs to the credentials and the address that it was given for.
             forgotten as (
                 update provider_sessions s set session = null, refused = false, quick_refusals = 0, generation = generation + 1, renewing_until = null
                 from changed where s.account_id = changed.id)
             select id from changed",
            account.id,
            version,
            account.display_name,
            account.base_url,
            account.credentials.bytes,
            account.credentials.key_id,
            account.settings,
            account.throttles,
            account.throttle_group,
            account.public_callback_url,
            account.queue_limit,
        )
        .fetch_optional(&mut *transaction)
        .await?;
        commit_with(transaction, act, changed.is_some()).await
    }

    /// Deletes an account that has no unfinished work, and is of this version where one is named.
    pub async fn delete_account(&self, id: &str, version: Option<i64>, act: &Act<'_>) -> Result<Deleted, StoreError> {
        let mut transaction = self.begin().await?;
        let row = sqlx::query!(
            r#"with target as (
                   select id, ($2::bigint is null or version = $2) as matches,
                       exists (select from submissions where account_id = $1 and finished_at is null) as unfinished
                   from accounts where id = $1 for update),
               deleted as (
                   delete from accounts using target
                   where accounts.id = target.id and target.matches and not target.unfinished
                   returning accounts.id)
               select matches as "matches!", unfinished as "unfinished!" from target"#,
            id,
            version,
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let deleted = match row {
            None => Deleted::Unknown,
            Some(row) if !row.matches => Deleted::OtherVersion,
            Some(row) if row.unfinished => Deleted::Unfinished,
            Some(_) => Deleted::Done,
        };
        commit_with(transaction, act, matches!(deleted, Deleted::Done)).await?;
        Ok(deleted)
    }

    /// The account with this id; looked for with those that others ask for at the same moment.
    pub async fn account(&self, id: &str) -> Result<Option<StoredAccount>, StoreError> {
        let store = self.clone();
        let found = self.finding_accounts.ask(id.to_owned(), move |ids| {
            let store = store.clone();
            async move { each_of(&ids, within(store.accounts_by_id(&ids)).await) }
        });
        found.await
    }

    /// The account, which has this version; looked for unless it is known from a moment ago.
    pub async fn account_of_version(
        &self,
        id: &str,
        version: RowVersion,
    ) -> Result<Option<Arc<StoredAccount>>, StoreError> {
        if let Some(known) = self.known_account(id, version) {
            return Ok(Some(known));
        }
        let now = Instant::now();
        let found = self.account(id).await?.map(Arc::new);
        if let Some(account) = &found {
            self.known_accounts.keep(id.to_owned(), Arc::clone(account), now);
        }
        Ok(found)
    }

    /// The account, which has this version, if it is known from a moment ago.
    pub fn known_account(&self, id: &str, version: RowVersion) -> Option<Arc<StoredAccount>> {
        self.known_accounts.get(id, Instant::now()).filter(|account| account.row == version)
    }

    async fn accounts_by_id(&self, ids: &[String]) -> Result<HashMap<String, StoredAccount>, StoreError> {
        let rows = sqlx::query!(
            r#"select id, provider, display_name, base_url, credentials, credentials_key,
                   settings as "settings: Json<Value>", throttles as "throttles: Json<Value>", throttle_group,
                   public_callback_url, callback_token, callback_token_key, queue_limit, previous_callback_token_hash,
                   case when previous_callback_token_until > onelane_now() then previous_callback_token_until end
                       as previous_callback_token_until,
                   paused_at, pause_reason, version, xmin::text::bigint as "xmin!", created_at, updated_at
               from accounts where id = any((select $1::text[])::text[])"#,
            ids,
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(|row| (row.id.clone(), stored!(row))).collect())
    }

    /// Accounts after `after` in the order of their ids, limited to `allowed` where that is given.
    pub async fn accounts(
        &self,
        after: &str,
        limit: i64,
        allowed: Option<&[String]>,
    ) -> Result<Vec<StoredAccount>, StoreError> {
        let rows = sqlx::query!(
            r#"select id, provider, display_name, base_url, credentials, credentials_key,
                   settings as "settings: Json<Value>", throttles as "throttles: Json<Value>", throttle_group,
                   public_callback_url, callback_token, callback_token_key, queue_limit, previous_callback_token_hash,
                   case when previous_callback_token_until > onelane_now() then previous_callback_token_until end
                       as previous_callback_token_until,
                   paused_at, pause_reason, version, xmin::text::bigint as "xmin!", created_at, updated_at
               from accounts where id > $1 and ($3::text[] is null or id = any($3)) order by id limit $2"#,
            after,
            limit,
            allowed,
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(|row| stored!(row)).collect())
    }

    /// Who shares which lanes.
    pub async fn lane_members(&self) -> Result<Vec<LaneMember>, StoreError> {
        let rows = sqlx::query!(
            r#"select provider, throttle_group, throttles as "throttles: Json<Value>" from accounts
               order by provider, throttle_group"#,
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| LaneMember {
                provider: row.provider,
                throttle_group: row.throttle_group,
                throttles: row.throttles.0,
            })
            .collect())
    }

    /// Holds what is queued for an account. Tells in an event; false when it was paused already or is unknown.
    pub async fn pause_account(&self, id: &str, reason: &str, act: &Act<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let paused = pause(&mut transaction, id, reason).await?;
        if commit_with(transaction, act, paused).await? {
            self.tell_of_events();
        }
        Ok(paused)
    }

    /// Lets go what is queued for an account; false when it was not paused or is unknown.
    pub async fn resume_account(&self, id: &str, act: &Act<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query!(
            r#"with resumed as (
                   update accounts set paused_at = null, pause_reason = null, version = version + 1, updated_at = onelane_now(),
                       circuit_open_until = null, transport_failures = 0
                   where id = $1 and paused_at is not null
                   returning id, updated_at),
               forgiven as (
                   update provider_sessions s set quick_refusals = 0 from resumed where s.account_id = resumed.id)
               insert into events (id, type, account_id, data, occurred_at, recorded_at)
               select $2, 'account.resumed', id, jsonb_build_object('account', id), updated_at, updated_at from resumed"#,
            id,
            uuid::Uuid::now_v7(),
        )
        .execute(&mut *transaction)
        .await?;
        let resumed = done.rows_affected() == 1;
        if commit_with(transaction, act, resumed).await? {
            self.tell_of_events();
        }
        Ok(resumed)
    }
}

/// As [`Store::pause_account`], within a transaction.
pub(super) async fn pause(connection: &mut PgConnection, id: &str, reason: &str) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        r#"with paused as (
               update accounts set paused_at = onelane_now(), pause_reason = $2, version = version + 1, updated_at = onelane_now()
               where id = $1 and paused_at is null
               returning id, paused_at)
           insert into events (id, type, account_id, data, occurred_at, recorded_at)
           select $3, 'account.paused', id, jsonb_build_object('account', id, 'reason', $2::text), paused_at, paused_at
           from paused"#,
        id,
        reason,
        uuid::Uuid::now_v7(),
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}
