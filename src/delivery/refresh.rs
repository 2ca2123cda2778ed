//! Asking a provider where an order stands, and keeping what it says.

use super::Delivery;
use super::ask::AskError;
use crate::canonical::Order;
use crate::provider::{OrderReference, usable};
use crate::store::orders::StoredOrder;

impl Delivery {
    /// Asks about an order now; false when the provider does not know it.
    pub async fn refresh(&self, order: &StoredOrder) -> Result<bool, AskError> {
        let document: Order = serde_json::from_value(order.document.clone())
            .map_err(|error| AskError::Unusable(format!("the order cannot be read: {error}")))?;
        let reference = OrderReference::of(&document, order.provider_order_number.as_deref(), order.adopted);
        let document_type = document.document_type();
        let found = self.ask(&order.account_id, |calls| calls.lookup(document_type), &reference).await?;
        let found = usable(found).map_err(AskError::Unreadable)?;
        let Some(found) = found.into_iter().next() else { return Ok(false) };
        let milestones: Vec<_> =
            found.milestones.iter().map(|milestone| (milestone.r#type, milestone.occurred_at)).collect();
        let number = &found.provider_order_number;
        self.inner.store.keep_refreshed(order.id, order.version, found.status, number, &milestones).await?;
        Ok(true)
    }
}
