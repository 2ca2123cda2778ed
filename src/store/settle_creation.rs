//! Settling the exchange of one creation that the provider took: the quick way for what is sent alone and goes well.

use serde_json::json;
use sqlx::PgExecutor;
use uuid::Uuid;

use super::outcome::{self, ResultColumns};
use super::settle::{Closed, ExchangeRecord, OrderNow, ResponseRecord, SettledItem, Settlement};
use super::{StoreError, seconds, word};
use crate::canonical::Operation;

/// A creation that was sent alone, and that the provider took.
pub(super) struct LoneCreation<'a> {
    settlement: &'a Settlement,
    item: &'a SettledItem,
    record: &'a ExchangeRecord,
    response: &'a ResponseRecord,
}

impl<'a> LoneCreation<'a> {
    /// Nothing where there is more to tell.
    pub fn of(settlement: &'a Settlement) -> Option<Self> {
        let [item] = settlement.items.as_slice() else { return None };
        let record = settlement.record.as_ref()?;
        let response = record.response.as_ref()?;
        let is_plain = item.operation == Operation::Create
            && outcome::is_taken(item.state)
            && item.counts
            && item.due_in.is_none()
            && !item.alone
            && !item.has_change;
        (is_plain && !settlement.has_more_to_tell()).then_some(LoneCreation { settlement, item, record, response })
    }

    /// Settles it, behind the same fence as any other.
    pub async fn settle<'e>(&self, executor: impl PgExecutor<'e>) -> Result<Option<Closed>, StoreError> {
        let LoneCreation { settlement, item, record, response } = self;
        let results = ResultColumns::of_items(&settlement.items);
        let sent_after = record.sent_after(settlement);
        let may_stand_at: Vec<&str> = outcome::before(item).into_iter().map(Into::into).collect();
        let row = sqlx::query!(
            r#"select closed_at as "at!", ended_circuit as "ended_circuit!", lets_go as "lets_go!", status, number, version
               from settle_creation($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                   $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40)"#,
            settlement.exchange_id,
            record.method,
            record.url,
            json!(record.request_headers),
            seconds(sent_after),
            seconds(sent_after + record.took),
            i32::from(response.status),
            json!(response.headers),
            settlement.error.as_deref(),
            record.request_body.content,
            record.request_body.size,
            record.request_body.truncated,
            response.body.content,
            response.body.size,
            response.body.truncated,
            item.submission_id,
            item.order_id,
            settlement.account_id,
            <&str>::from(item.state),
            item.may_exist,
            item.cleared,
            item.misses,
            item.order_status.map(<&str>::from),
            &may_stand_at as &[&str],
            item.provider_order_number.as_deref(),
            Uuid::now_v7(),
            outcome::announced(item),
            Uuid::now_v7(),
            item.order_event.map(<&str>::from),
            &results.providers as &[&str],
            &results.scopes as &[&str],
            &results.raw_codes as &[&str],
            &results.raw_messages as &[Option<&str>],
            &results.codes as &[&str],
            &results.severities as &[&str],
            &results.retryable,
            &results.pointers,
            &results.messages_zh as &[&str],
            &results.messages_en as &[&str],
            &outcome::told_once() as &[&str],
        )
        .fetch_optional(executor)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let order = match (row.status, row.version) {
            // What waited behind it may change what is told of the order.
            (Some(status), Some(version)) if !row.lets_go => {
                let status = word("orders", "status", item.order_id, &status)?;
                Some(OrderNow { status, provider_order_number: row.number, version, updated_at: row.at })
            }
            _ => None,
        };
        Ok(Some(Closed { at: row.at, ended_circuit: row.ended_circuit, lets_followers_go: row.lets_go, order }))
    }
}
