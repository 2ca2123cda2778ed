//! Doubts that a provider ends on its own account: what it tells of an order shows what became of a submission whose
//! answer never came.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::settle::SettledItem;
use super::{StoreError, outcome, word};
use crate::canonical::{EventType, Operation, OrderStatus, Severity, SubmissionResult, SubmissionState};

/// Ends the doubt about an order's creation, since the provider tells of the order; and the doubt about its
/// cancellation, if that is what the provider tells.
///
/// The order is locked, and its status and number are kept already. The creation of a trip is left to evidence: that
/// one of its orders is there does not say that all are.
pub(super) async fn end_by_word(
    connection: &mut PgConnection,
    order_id: Uuid,
    told: Option<OrderStatus>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let doubtful = sqlx::query!(
        r#"update submissions s set state = 'accepted', ready = false, updated_at = $3, finished_at = $3,
               provider_order_number = coalesce(o.provider_order_number, s.provider_order_number)
           from orders o
           where o.id = $1 and s.order_id = o.id and s.state = 'in_doubt'
             and (s.operation = 'create' or (s.operation = 'cancel' and $2))
           returning s.id, s.operation, s.change as "change: Json<Value>", o.document,
               o.provider_order_number"#,
        order_id,
        told == Some(OrderStatus::Cancelled),
        now,
    )
    .fetch_all(&mut *connection)
    .await?;
    for row in doubtful {
        let operation: Operation = word("submissions", "operation", row.id, &row.operation)?;
        let document =
            row.change.as_ref().map(|change| outcome::changed(order_id, &row.document, &change.0)).transpose()?;
        let item = SettledItem {
            may_exist: true,
            provider_order_number: row.provider_order_number,
            order_event: (operation == Operation::Create).then_some(EventType::OrderPlaced),
            document,
            has_change: row.change.is_some(),
            results: vec![told_by_callback()],
            ..SettledItem::in_state(row.id, order_id, operation, SubmissionState::Accepted)
        };
        outcome::record(&mut *connection, &[item], now).await?;
    }
    Ok(())
}

fn told_by_callback() -> SubmissionResult {
    SubmissionResult::gateway(
        "gateway.told_by_callback",
        Severity::Info,
        false,
        "No answer came; a callback of the provider shows that it was done",
        "未收到应答,目标系统的回调表明操作已生效",
    )
}
