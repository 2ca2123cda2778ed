//! Sessions with providers: one for each account and all replicas, replaced by one of them at a time.

use std::time::Duration;

use super::{Store, StoreError, seconds};
use crate::vault::Sealed;

/// How long one replica may take to get another session.
const RENEWAL: Duration = Duration::from_secs(75);
/// A session that is refused within this time of its coming was refused soon.
const SOON: Duration = Duration::from_secs(60);

/// An account's session as the ledger keeps it.
pub struct StoredSession {
    /// Nothing until the first one came
    pub session: Option<Sealed>,
    /// Rises with every new session
    pub generation: i64,
    /// The provider refused it
    pub refused: bool,
}

impl Store {
    pub async fn session(&self, account_id: &str) -> Result<Option<StoredSession>, StoreError> {
        let row = sqlx::query!(
            "select session, session_key, generation, refused from provider_sessions where account_id = $1",
            account_id,
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|row| StoredSession {
            session: row.session.zip(row.session_key).map(|(bytes, key_id)| Sealed { bytes, key_id }),
            generation: row.generation,
            refused: row.refused,
        }))
    }

    /// Takes it upon this replica to replace the session of this generation; false when another one is at it,
    /// or was.
    pub async fn begin_renewal(&self, account_id: &str, generation: i64) -> Result<bool, StoreError> {
        let begun = sqlx::query!(
            "insert into provider_sessions as s (account_id, renewing_until)
             select id, onelane_now() + make_interval(secs => $3) from accounts where id = $1
             on conflict (account_id) do update set renewing_until = excluded.renewing_until
                 where s.generation = $2 and (s.renewing_until is null or s.renewing_until <= onelane_now())",
            account_id,
            generation,
            seconds(RENEWAL),
        )
        .execute(self.pool())
        .await?;
        Ok(begun.rows_affected() == 1)
    }

    /// Keeps a new session in the place of the one of this generation.
    pub async fn keep_session(&self, account_id: &str, generation: i64, session: &Sealed) -> Result<(), StoreError> {
        sqlx::query!(
            "update provider_sessions set session = $3, session_key = $4, generation = generation + 1, refused = false,
                 renewing_until = null, obtained_at = onelane_now()
             where account_id = $1 and generation = $2",
            account_id,
            generation,
            session.bytes,
            session.key_id,
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Leaves the replacement of a session to whoever wants it next.
    pub async fn end_renewal(&self, account_id: &str, generation: i64) -> Result<(), StoreError> {
        sqlx::query!(
            "update provider_sessions set renewing_until = null where account_id = $1 and generation = $2",
            account_id,
            generation,
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Notes that the provider refused the session of this generation. Gives how many in a row were refused soon
    /// after they came; nothing when there is another session already.
    pub async fn refuse_session(&self, account_id: &str, generation: i64) -> Result<Option<i32>, StoreError> {
        Ok(sqlx::query_scalar!(
            "update provider_sessions set refused = true,
                 quick_refusals = case when obtained_at > onelane_now() - make_interval(secs => $3) then quick_refusals + 1 else 0 end
             where account_id = $1 and generation = $2 and not refused
             returning quick_refusals",
            account_id,
            generation,
            seconds(SOON),
        )
        .fetch_optional(self.pool())
        .await?)
    }
}
