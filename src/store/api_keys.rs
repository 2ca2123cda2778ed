//! API keys: only their hashes are here.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::audit::{Act, commit_with};
use super::grounds::RowVersion;
use super::grouped::each_of;
use super::{Store, StoreError, within};

/// An API key without its secret.
pub struct StoredApiKey {
    pub id: Uuid,
    pub name: String,
    pub scopes: Vec<String>,
    pub accounts: Option<Vec<String>>,
    pub expires_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    /// To the minute
    pub last_used_at: Option<DateTime<Utc>>,
    /// As configured when absent
    pub requests_per_second: Option<i32>,
    pub burst: Option<i32>,
    pub created_at: DateTime<Utc>,
}

/// An API key that is valid now.
#[derive(Clone)]
pub struct ValidApiKey {
    pub id: Uuid,
    pub name: String,
    pub scopes: Vec<String>,
    pub accounts: Option<Vec<String>>,
    pub requests_per_second: Option<i32>,
    pub burst: Option<i32>,
    pub row: RowVersion,
    /// Its last use was noted a minute ago or longer
    pub use_to_be_noted: bool,
}

/// An API key to be added.
pub struct NewApiKey<'a> {
    pub id: Uuid,
    pub name: &'a str,
    /// Of the key
    pub hash: &'a [u8],
    pub scopes: &'a [String],
    pub accounts: Option<&'a [String]>,
    pub expires_at: Option<DateTime<Utc>>,
    pub requests_per_second: Option<i32>,
    pub burst: Option<i32>,
}

impl Store {
    /// Adds a key; false when the same key is there already.
    pub async fn add_api_key(&self, new: &NewApiKey<'_>, act: &Act<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query!(
            "insert into api_keys (id, name, hash, scopes, accounts, expires_at, requests_per_second, burst, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, onelane_now()) on conflict (hash) do nothing",
            new.id,
            new.name,
            new.hash,
            new.scopes,
            new.accounts,
            new.expires_at,
            new.requests_per_second,
            new.burst,
        )
        .execute(&mut *transaction)
        .await?;
        commit_with(transaction, act, done.rows_affected() == 1).await
    }

    /// The key with this hash, if it is valid now; looked for with those that others bring at the same moment.
    pub async fn valid_api_key(&self, hash: Vec<u8>) -> Result<Option<ValidApiKey>, StoreError> {
        let store = self.clone();
        let found = self.finding_keys.ask(hash, move |hashes| {
            let store = store.clone();
            async move { each_of(&hashes, within(store.valid_api_keys(&hashes)).await) }
        });
        found.await
    }

    async fn valid_api_keys(&self, hashes: &[Vec<u8>]) -> Result<HashMap<Vec<u8>, ValidApiKey>, StoreError> {
        let rows = sqlx::query!(
            r#"select hash, id, name, scopes, accounts, requests_per_second, burst, xmin::text::bigint as "xmin!",
                   (last_used_at is null or last_used_at <= onelane_now() - interval '1 minute') as "use_to_be_noted!"
               from api_keys
               where hash = any((select $1::bytea[])::bytea[]) and revoked_at is null and (expires_at is null or expires_at > onelane_now())"#,
            hashes,
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let key = ValidApiKey {
                    id: row.id,
                    name: row.name,
                    scopes: row.scopes,
                    accounts: row.accounts,
                    requests_per_second: row.requests_per_second,
                    burst: row.burst,
                    row: RowVersion::read(row.xmin),
                    use_to_be_noted: row.use_to_be_noted,
                };
                (row.hash, key)
            })
            .collect())
    }

    /// Notes that a key is used; once a minute, whoever asks for it.
    pub async fn note_use_of_api_key(&self, id: Uuid) -> Result<(), StoreError> {
        sqlx::query!(
            "update api_keys set last_used_at = onelane_now()
             where id = $1 and (last_used_at is null or last_used_at <= onelane_now() - interval '1 minute')",
            id,
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Which of these keys are not valid now.
    pub async fn invalid_api_keys(&self, ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"select asked.id as "id!" from unnest($1::uuid[]) as asked (id) where not exists (
                   select from api_keys k
                   where k.id = asked.id and k.revoked_at is null and (k.expires_at is null or k.expires_at > onelane_now()))"#,
            ids,
        )
        .fetch_all(self.pool())
        .await?)
    }

    /// All keys after `after` in the order of their ids, newest last.
    pub async fn api_keys(&self, after: Uuid, limit: i64) -> Result<Vec<StoredApiKey>, StoreError> {
        Ok(sqlx::query_as!(
            StoredApiKey,
            "select id, name, scopes, accounts, expires_at, revoked_at, last_used_at, requests_per_second, burst, created_at
             from api_keys
             where id > $1 order by id limit $2",
            after,
            limit,
        )
        .fetch_all(self.pool())
        .await?)
    }

    /// Refuses a key from now on; false when there is none with this id that is not revoked.
    pub async fn revoke_api_key(&self, id: Uuid, act: &Act<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done =
            sqlx::query!("update api_keys set revoked_at = onelane_now() where id = $1 and revoked_at is null", id,)
                .execute(&mut *transaction)
                .await?;
        commit_with(transaction, act, done.rows_affected() == 1).await
    }
}
