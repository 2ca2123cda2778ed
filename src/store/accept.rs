//! Accepting orders: one statement for all that come at once. When it is committed, they are in the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgExecutor;
use tokio::time::Instant;
use uuid::Uuid;

use super::grounds::Grounds;
use super::idempotency::{self, IdempotencyKey};
use super::outcome::ResultColumns;
use super::queue::Count;
use super::{Store, StoreError, within, word};
use crate::canonical::{DocumentType, HoldReason, SubmissionResult};

/// An order with its first submission, ready to be kept.
#[derive(Clone)]
pub struct NewOrder {
    pub order_id: Uuid,
    pub submission_id: Uuid,
    pub account_id: String,
    pub provider: String,
    pub endpoint: String,
    pub document_type: DocumentType,
    pub order_number: String,
    pub customer_reference: Option<String>,
    /// In JSON, an object
    pub document: Arc<str>,
    pub batch_key: String,
    /// What the caller should know of the translation
    pub notices: Vec<SubmissionResult>,
    /// Of an order that came alone
    pub idempotency: Option<IdempotencyKey>,
    /// What it was checked against, where that was not looked up for it: it is kept only if that still stands
    pub grounds: Option<Grounds>,
    /// How much may wait for the account
    pub queue_limit: Option<NonZeroU32>,
    /// W3C traceparent of the request that brought it
    pub trace_parent: Option<String>,
}

/// What became of an order that was to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is in the ledger and queued.
    New(Queued),
    /// The idempotency key was used before; nothing was kept.
    KeyKnown,
    /// The account has an order of this number; nothing but the key was kept.
    NumberTaken,
    /// As much waits for the account as may; nothing was kept.
    QueueFull,
    /// What it was checked against does not stand any more; nothing was kept.
    Outdated,
}

/// How an order stands that was just accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queued {
    /// When it was accepted
    pub at: DateTime<Utc>,
    pub held_by: Option<HoldReason>,
    /// When its lane has a token again
    pub lane_free_at: DateTime<Utc>,
}

/// What became of a batch.
#[derive(Debug)]
pub enum AcceptedBatch {
    /// What became of each order.
    Done(Vec<Accepted>),
    /// The idempotency key was used before; nothing was kept.
    KeyKnown,
}

impl Store {
    /// Keeps an order and queues its submission, together with those that others bring at the same moment. It is kept
    /// even if who asked is gone.
    pub async fn accept_order(&self, new: NewOrder) -> Result<Accepted, StoreError> {
        let store = self.clone();
        let accepted = self.accepting.ask(new, move |orders| {
            let store = store.clone();
            async move { store.accept_together(orders).await }
        });
        accepted.await
    }

    async fn accept_together(&self, orders: Vec<NewOrder>) -> Vec<Result<Accepted, StoreError>> {
        match within(self.accept_at_once(&orders)).await {
            Ok(accepted) => accepted.into_iter().map(Ok).collect(),
            Err(error) if orders.len() == 1 && !error.is_deadlock() => vec![Err(error)],
            // What is wrong with one order is no other's fault; and what stood in the way, as a migration may, is gone.
            Err(_) => futures_util::future::join_all(orders.iter().map(|order| within(self.accept_alone(order)))).await,
        }
    }

    async fn accept_alone(&self, order: &NewOrder) -> Result<Accepted, StoreError> {
        let accepted = self.accept_at_once(std::slice::from_ref(order)).await?.pop();
        accepted.ok_or_else(|| StoreError::inconsistent("orders", "id", order.order_id, "was not told of"))
    }

    async fn accept_at_once(&self, orders: &[NewOrder]) -> Result<Vec<Accepted>, StoreError> {
        let asked = Instant::now();
        let accepted = insert(self.pool(), orders, &self.limits_to_count(orders, asked)).await?;
        self.tell_of_events();
        Ok(self.counted(orders, accepted, asked))
    }

    /// Keeps orders and queues their submissions. `answer` makes of what was kept the answer that a
    /// repetition is given.
    pub async fn accept_orders(
        &self,
        orders: &[NewOrder],
        batch_id: Uuid,
        key: &IdempotencyKey,
        answer: impl FnOnce(&[Accepted]) -> Value,
    ) -> Result<AcceptedBatch, StoreError> {
        let mut transaction = self.begin().await?;
        if !idempotency::begin(&mut transaction, key, batch_id, 207).await? {
            return Ok(AcceptedBatch::KeyKnown);
        }
        let limits =
            orders.iter().filter_map(|order| Some((order.account_id.as_str(), order.queue_limit?.get().into())));
        let accepted = insert(&mut *transaction, orders, &limits.collect()).await?;
        let accepted: Vec<Accepted> = accepted.into_iter().map(|row| row.accepted).collect();
        idempotency::keep_answer(&mut transaction, key, &answer(&accepted)).await?;
        transaction.commit().await?;
        self.tell_of_events();
        Ok(AcceptedBatch::Done(accepted))
    }

    /// The limits up to which it has to be counted before these orders are accepted.
    fn limits_to_count<'a>(&self, orders: &'a [NewOrder], now: Instant) -> BTreeMap<&'a str, i64> {
        let counted = orders.iter().filter_map(|order| {
            let limit = self.rooms().limit_to_count(&order.account_id, order.queue_limit, now)?;
            Some((order.account_id.as_str(), limit))
        });
        counted.collect()
    }

    /// Notes how much waits now, where that was counted.
    fn counted(&self, orders: &[NewOrder], rows: Vec<AcceptedRow>, asked: Instant) -> Vec<Accepted> {
        let mut counts: BTreeMap<&str, (Option<NonZeroU32>, Count)> = BTreeMap::new();
        for (order, row) in orders.iter().zip(&rows) {
            let Some(waiting) = row.waiting else { continue };
            let none = (order.queue_limit, Count { asked, waiting, accepted: 0 });
            let (_, count) = counts.entry(&order.account_id).or_insert(none);
            count.accepted += i64::from(matches!(row.accepted, Accepted::New(_)));
        }
        let now = Instant::now();
        for (account, (limit, count)) in counts {
            self.rooms().counted(account, limit, count, now);
        }
        rows.into_iter().map(|row| row.accepted).collect()
    }
}

/// What became of an order, and how much waited for its account, where that was counted.
struct AcceptedRow {
    accepted: Accepted,
    waiting: Option<i64>,
}

/// Keeps orders, as far as there is room; one row for each, in their order.
async fn insert<'e>(
    executor: impl PgExecutor<'e>,
    orders: &[NewOrder],
    limits: &BTreeMap<&str, i64>,
) -> Result<Vec<AcceptedRow>, StoreError> {
    fn column<'a, T>(orders: &[&'a NewOrder], read: impl Fn(&'a NewOrder) -> T) -> Vec<T> {
        orders.iter().map(|order| read(order)).collect()
    }
    fn of_key<'a, T>(orders: &[&'a NewOrder], read: impl Fn(&'a IdempotencyKey) -> T) -> Vec<Option<T>> {
        orders.iter().map(|order| order.idempotency.as_ref().map(&read)).collect()
    }
    let event_ids: Vec<Uuid> = orders.iter().map(|_| Uuid::now_v7()).collect();
    // In an order that is the same everywhere, so that no two statements wait for each other.
    let mut sorted: Vec<(usize, &NewOrder)> = orders.iter().enumerate().collect();
    sorted.sort_by_key(|(_, order)| (&order.account_id, &order.order_number, <&str>::from(order.document_type)));
    let (places, orders): (Vec<usize>, Vec<&NewOrder>) = sorted.into_iter().unzip();
    let orders = orders.as_slice();
    let limited: Vec<&str> = limits.keys().copied().collect();
    let most: Vec<i64> = limits.values().copied().collect();
    let notices = ResultColumns::of(
        orders.iter().flat_map(|order| order.notices.iter().map(|notice| (order.submission_id, notice))),
    );
    let grounds = || orders.iter().filter_map(|order| Some((order, order.grounds?)));
    let checked_keys: BTreeSet<(Uuid, i64)> =
        grounds().map(|(_, Grounds { api_key: (id, row), .. })| (id, row.xmin())).collect();
    let checked_accounts: BTreeSet<(&str, i64)> =
        grounds().map(|(order, Grounds { account, .. })| (order.account_id.as_str(), account.xmin())).collect();
    let (key_ids, key_rows): (Vec<Uuid>, Vec<i64>) = checked_keys.into_iter().unzip();
    let (account_ids, account_rows): (Vec<&str>, Vec<i64>) = checked_accounts.into_iter().unzip();
    let rows = sqlx::query!(
        r#"select became as "became!", waiting, kept_at as "at!", held_by, lane_free_at as "lane_free_at!"
           from keep_orders($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
               $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34)"#,
        &column(orders, |order| order.order_id),
        &column(orders, |order| order.submission_id),
        &column(orders, |order| order.account_id.as_str()) as &[&str],
        &column(orders, |order| order.provider.as_str()) as &[&str],
        &column(orders, |order| order.endpoint.as_str()) as &[&str],
        &column(orders, |order| <&str>::from(order.document_type)) as &[&str],
        &column(orders, |order| order.order_number.as_str()) as &[&str],
        &column(orders, |order| order.batch_key.as_str()) as &[&str],
        &column(orders, |order| &*order.document) as &[&str],
        &places.iter().map(|place| event_ids[*place]).collect::<Vec<Uuid>>(),
        &column(orders, |order| order.trace_parent.as_deref()) as &[Option<&str>],
        &places.iter().map(|place| i32::try_from(*place).unwrap_or(i32::MAX)).collect::<Vec<i32>>(),
        &of_key(orders, |key| key.api_key_id) as &[Option<Uuid>],
        &of_key(orders, |key| key.method) as &[Option<&str>],
        &of_key(orders, |key| key.path.as_str()) as &[Option<&str>],
        &of_key(orders, |key| key.key.as_str()) as &[Option<&str>],
        &of_key(orders, |key| key.fingerprint.as_slice()) as &[Option<&[u8]>],
        &column(orders, |order| Some(f64::from(order.idempotency.as_ref()?.running_seconds?))) as &[Option<f64>],
        &limited as &[&str],
        &most,
        &notices.submission_ids,
        &notices.providers as &[&str],
        &notices.scopes as &[&str],
        &notices.codes as &[&str],
        &notices.severities as &[&str],
        &notices.pointers,
        &notices.messages_zh as &[&str],
        &notices.messages_en as &[&str],
        &column(orders, |order| order.grounds.map(|grounds| grounds.api_key.0)) as &[Option<Uuid>],
        &key_ids,
        &key_rows,
        &account_ids as &[&str],
        &account_rows,
        &column(orders, |order| order.customer_reference.as_deref()) as &[Option<&str>],
    )
    .fetch_all(executor)
    .await?;
    let mut accepted = Vec::with_capacity(rows.len());
    for ((row, order), place) in rows.into_iter().zip(orders).zip(places) {
        let held_by = row.held_by.map(|reason| word("accounts", "held_by", &order.account_id, &reason)).transpose()?;
        let became = match row.became.as_str() {
            "new" => Accepted::New(Queued { at: row.at, held_by, lane_free_at: row.lane_free_at }),
            "outdated" => Accepted::Outdated,
            "full" => Accepted::QueueFull,
            "key_known" => Accepted::KeyKnown,
            "number_taken" => Accepted::NumberTaken,
            _ => return Err(StoreError::inconsistent("orders", "id", order.order_id, "became something unknown")),
        };
        accepted.push((place, AcceptedRow { accepted: became, waiting: row.waiting }));
    }
    accepted.sort_unstable_by_key(|(place, _)| *place);
    Ok(accepted.into_iter().map(|(_, row)| row).collect())
}
