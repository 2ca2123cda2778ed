//! Letting a claimed batch go again before anything was sent: as if it had never been claimed, but for the
//! token that it took.

use sqlx::PgConnection;
use uuid::Uuid;

use super::settle::Fenced;
use super::{Store, StoreError};

impl Store {
    /// Puts the batch of an exchange back into the queue and takes the exchange off the record.
    pub async fn release(&self, exchange_id: Uuid) -> Result<Fenced, StoreError> {
        let mut transaction = self.begin().await?;
        let held = sqlx::query_scalar!(
            r#"select id from exchanges where id = $1 and finished_at is null and lease_until > onelane_now() for update"#,
            exchange_id,
        )
        .fetch_optional(&mut *transaction)
        .await?;
        if held.is_none() {
            return Ok(Fenced::TooLate);
        }
        sqlx::query!(
            "update submissions set state = case when may_exist then 'in_doubt' else 'queued' end, exchange_id = null,
                 exchange_position = null, attempts = attempts - 1, exchanges = exchanges - 1, updated_at = onelane_now()
             where exchange_id = $1 and state = 'sending'",
            exchange_id,
        )
        .execute(&mut *transaction)
        .await?;
        reopen_probe(&mut transaction, exchange_id).await?;
        sqlx::query!("delete from attempts where exchange_id = $1", exchange_id).execute(&mut *transaction).await?;
        sqlx::query!("delete from exchanges where id = $1", exchange_id).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Fenced::Settled { lets_go: true, order: None })
    }
}

/// A probe that did not reach for the provider told nothing: the next exchange probes.
pub(super) async fn reopen_probe(connection: &mut PgConnection, exchange_id: Uuid) -> Result<(), StoreError> {
    sqlx::query!(
        "update accounts a set circuit_open_until = onelane_now() from exchanges e
         where e.id = $1 and a.id = e.account_id and a.circuit_open_until > onelane_now()",
        exchange_id,
    )
    .execute(connection)
    .await?;
    Ok(())
}
