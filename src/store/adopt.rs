//! Registering orders that were made outside the gateway.

use uuid::Uuid;

use super::{Store, StoreError, happen, submit};
use crate::canonical::{DocumentType, OrderStatus};

/// An order that stands at its provider already.
pub struct AdoptedOrder<'a> {
    pub order_id: Uuid,
    pub account_id: &'a str,
    pub provider: &'a str,
    pub document_type: DocumentType,
    pub order_number: &'a str,
    pub provider_order_number: Option<&'a str>,
    pub customer_reference: Option<&'a str>,
    /// What is known of it, in JSON
    pub document: &'a str,
    pub document_complete: bool,
}

impl Store {
    /// Registers an order; nothing is sent, and callbacks that wait for it are looked at. False when the account
    /// has an order of this number already.
    pub async fn adopt_order(&self, order: &AdoptedOrder<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query!(
            "insert into orders (id, account_id, provider, document_type, order_number, provider_order_number, customer_reference, document,
                 document_complete, adopted, placed, status, created_at, updated_at)
             select $1, $2, $3, $4, $5, $6, $7, $8, $9, true, true, $10, now, now from onelane_now() as now
             on conflict (account_id, document_type, order_number) do nothing",
            order.order_id,
            order.account_id,
            order.provider,
            <&str>::from(order.document_type),
            order.order_number,
            order.provider_order_number,
            order.customer_reference,
            order.document,
            order.document_complete,
            <&str>::from(OrderStatus::Unknown),
        )
        .execute(&mut *transaction)
        .await?;
        happen::wake_waiting(&mut transaction, &[order.order_id]).await?;
        transaction.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Adds the provider's number to an order that was adopted without one, or was never placed from here and stands at
    /// the provider all the same; callbacks that wait for it are looked at.
    pub async fn add_provider_number(&self, order_id: Uuid, number: &str) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        submit::lock_order(&mut transaction, order_id).await?;
        sqlx::query!(
            "update orders set provider_order_number = $2, adopted = true, placed = true,
                 status = case when placed then status else 'unknown' end, version = version + 1, updated_at = onelane_now()
             where id = $1 and provider_order_number is null
               and (adopted or not placed and status in ('pending', 'rejected')
                    and not exists (select from order_submissions where order_id = $1 and finished_at is null))",
            order_id,
            number,
        )
        .execute(&mut *transaction)
        .await?;
        happen::wake_waiting(&mut transaction, &[order_id]).await?;
        transaction.commit().await?;
        Ok(())
    }
}
