//! Reading orders.

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use serde_json::Value;
use uuid::Uuid;

use super::{Store, StoreError, happen, word};
use crate::canonical::{DocumentType, EventType, Operation, OrderStatus};

/// An order as the ledger keeps it.
pub struct StoredOrder {
    pub id: Uuid,
    pub account_id: String,
    pub provider: String,
    pub document: Value,
    pub document_complete: bool,
    pub status: OrderStatus,
    pub provider_order_number: Option<String>,
    pub adopted: bool,
    /// The provider took it at some time, or it was adopted
    pub placed: bool,
    pub version: i64,
    /// When the provider was last asked where it stands
    pub refreshed_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// What is not finished, in the order in which it goes out
    pub unfinished: Vec<Operation>,
    /// Changes of unfinished submissions, in the order in which they go out
    pub pending_changes: Vec<Value>,
}

/// Which orders a list shall hold; what is absent does not matter.
#[derive(Default)]
pub struct OrderFilter<'a> {
    pub account: Option<&'a str>,
    pub order_number: Option<&'a str>,
    pub provider_order_number: Option<&'a str>,
    pub status: Option<&'a str>,
    pub submission_state: Option<&'a str>,
    pub created_from: Option<DateTime<Utc>>,
    pub created_to: Option<DateTime<Utc>>,
    /// The accounts that the caller may see; nothing means all
    pub allowed: Option<&'a [String]>,
    /// The last item of the page before
    pub before: Option<(DateTime<Utc>, Uuid)>,
    pub limit: u16,
}

/// A page of a list of orders.
pub struct OrderPage {
    pub orders: Vec<StoredOrder>,
    /// There are more, or may be
    pub more: bool,
}

/// Bytes of documents on a page: it ends early with the order that goes beyond.
const MOST_PAGE_BYTES: usize = 16 * 1024 * 1024;

struct OrderRow {
    id: Uuid,
    account_id: String,
    provider: String,
    /// In JSON
    document: String,
    document_complete: bool,
    status: String,
    provider_order_number: Option<String>,
    adopted: bool,
    placed: bool,
    version: i64,
    refreshed_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    unfinished: Vec<String>,
    pending_changes: Vec<Value>,
}

impl TryFrom<OrderRow> for StoredOrder {
    type Error = StoreError;

    fn try_from(row: OrderRow) -> Result<Self, StoreError> {
        let OrderRow {
            id,
            account_id,
            provider,
            document,
            document_complete,
            status,
            provider_order_number,
            adopted,
            placed,
            version,
            refreshed_at,
            created_at,
            updated_at,
            unfinished,
            pending_changes,
        } = row;
        Ok(StoredOrder {
            status: word("orders", "status", id, &status)?,
            unfinished: unfinished
                .iter()
                .map(|operation| word("submissions", "operation", id, operation))
                .collect::<Result<_, _>>()?,
            id,
            account_id,
            provider,
            document: read_document(id, &document)?,
            document_complete,
            provider_order_number,
            adopted,
            placed,
            version,
            refreshed_at,
            created_at,
            updated_at,
            pending_changes,
        })
    }
}

/// The document of an order as the ledger keeps it.
pub(super) fn read_document(order_id: Uuid, json: &str) -> Result<Value, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::inconsistent("orders", "document", order_id, error))
}

macro_rules! select_orders {
    ($where:tt, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            OrderRow,
            r#"select o.id, o.account_id, o.provider, o.document, o.document_complete, o.status,
                   o.provider_order_number, o.adopted, o.placed, o.version, o.refreshed_at, o.created_at, o.updated_at,
                   array(select s.operation from order_submissions s
                         where s.order_id = o.id and s.finished_at is null
                         order by s.sequence) as "unfinished!: Vec<String>",
                   array(select s.change from submissions s
                         where s.order_id = o.id and s.finished_at is null and s.change is not null
                         order by s.sequence) as "pending_changes!: Vec<Value>"
               from orders o "# + $where,
            $($argument),*
        )
    };
}

impl Store {
    pub async fn order(&self, id: Uuid) -> Result<Option<StoredOrder>, StoreError> {
        let row = select_orders!("where o.id = $1", id).fetch_optional(self.pool()).await?;
        row.map(StoredOrder::try_from).transpose()
    }

    /// The orders with these ids, in no particular order.
    pub async fn orders_by_id(&self, ids: &[Uuid]) -> Result<Vec<StoredOrder>, StoreError> {
        let rows = select_orders!("where o.id = any($1)", ids).fetch_all(self.pool()).await?;
        rows.into_iter().map(StoredOrder::try_from).collect()
    }

    /// The id of the order with this number, if there is one.
    pub async fn order_id(
        &self,
        account_id: &str,
        document_type: DocumentType,
        order_number: &str,
    ) -> Result<Option<Uuid>, StoreError> {
        Ok(sqlx::query_scalar!(
            "select id from orders where account_id = $1 and document_type = $2 and order_number = $3",
            account_id,
            <&str>::from(document_type),
            order_number,
        )
        .fetch_optional(self.pool())
        .await?)
    }

    /// Orders, newest first.
    pub async fn orders(&self, filter: &OrderFilter<'_>) -> Result<OrderPage, StoreError> {
        let mut rows = select_orders!(
            "where ($1::text is null or o.account_id = $1)
               and ($2::text is null or o.order_number = $2)
               and ($3::text is null or o.provider_order_number = $3)
               and ($4::text is null or o.status = $4)
               and ($5::text is null or $5 = (
                    select s.state from order_submissions s where s.order_id = o.id order by s.sequence desc limit 1))
               and ($6::timestamptz is null or o.created_at >= $6)
               and ($7::timestamptz is null or o.created_at < $7)
               and ($8::text[] is null or o.account_id = any($8))
               and ($9::timestamptz is null or (o.created_at, o.id) < ($9, $10::uuid))
             order by o.created_at desc, o.id desc limit $11",
            filter.account,
            filter.order_number,
            filter.provider_order_number,
            filter.status,
            filter.submission_state,
            filter.created_from,
            filter.created_to,
            filter.allowed,
            filter.before.map(|(created_at, _)| created_at),
            filter.before.map(|(_, id)| id),
            i64::from(filter.limit) + 1,
        )
        .fetch(self.pool());
        let (mut orders, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.try_next().await? {
            // One more than asked for tells that there is a next page.
            if orders.len() == usize::from(filter.limit) || bytes > MOST_PAGE_BYTES {
                return Ok(OrderPage { orders, more: true });
            }
            bytes += row.document.len();
            orders.push(row.try_into()?);
        }
        Ok(OrderPage { orders, more: false })
    }

    /// Keeps what a provider said when it was asked about an order: its status, its number, and each milestone
    /// that is not known yet.
    ///
    /// The answer is the truth, unless the order changed since it was asked for (`asked_at_version`): then it may be
    /// older than what changed, and moves the order forward only.
    pub async fn keep_refreshed(
        &self,
        id: Uuid,
        asked_at_version: i64,
        status: Option<OrderStatus>,
        provider_order_number: &str,
        milestones: &[(EventType, DateTime<Utc>)],
    ) -> Result<(), StoreError> {
        let types: Vec<&str> = milestones.iter().map(|(event_type, _)| event_type.into()).collect();
        let times: Vec<DateTime<Utc>> = milestones.iter().map(|(_, occurred_at)| *occurred_at).collect();
        let before = |rule| -> Vec<&str> {
            let statuses = status.map(|status| OrderStatus::before(status, rule)).unwrap_or_default();
            statuses.into_iter().map(Into::into).collect()
        };
        let mut transaction = self.begin().await?;
        // Those who refresh at once take turns, and none writes an event twice.
        sqlx::query!(
            "update orders o set refreshed_at = onelane_now(), updated_at = onelane_now(), status = n.status,
                 provider_order_number = n.number,
                 version = o.version + case when (o.status, o.provider_order_number) is distinct from (n.status, n.number) then 1 else 0 end
             from (
                 select id,
                     case when status = any(case when version = $4 then $5::text[] else $6::text[] end) then $2 else status end as status,
                     coalesce(provider_order_number, $3) as number
                 from orders where id = $1 for update) n
             where o.id = n.id",
            id,
            status.map(<&str>::from),
            provider_order_number,
            asked_at_version,
            &before(OrderStatus::may_be_found) as &[&str],
            &before(OrderStatus::may_become) as &[&str],
        )
        .execute(&mut *transaction)
        .await?;
        happen::wake_waiting(&mut transaction, &[id]).await?;
        sqlx::query!(
            "insert into events (id, type, account_id, order_id, data, occurred_at, recorded_at)
             select gen_random_uuid(), u.type, o.account_id, o.id,
                 jsonb_strip_nulls(jsonb_build_object('orderNumber', o.order_number, 'providerOrderNumber', o.provider_order_number,
                     'status', o.status)), u.occurred_at, onelane_now()
             from orders o, unnest($2::text[], $3::timestamptz[]) as u (type, occurred_at)
             where o.id = $1 and not exists (select from events e where e.order_id = $1 and e.type = u.type)
               and not exists (select from milestones m where m.order_id = $1 and m.type = u.type)
             order by u.occurred_at",
            id,
            &types as &[&str],
            &times,
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        self.tell_of_events();
        Ok(())
    }
}
