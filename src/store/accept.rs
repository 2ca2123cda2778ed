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
use super::queue::Count;
use super::{Store, StoreError, within, word};
use crate::canonical::{DocumentType, EventType, HoldReason, Operation, SubmissionResult};

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
///
/// The columns are read out of subqueries, into which the planner does not look: else it would plan the statement anew
/// for each number of orders, which takes longer than to keep one.
#[expect(clippy::too_many_lines, reason = "one statement, and its columns")]
async fn insert<'e>(
    executor: impl PgExecutor<'e>,
    orders: &[NewOrder],
    limits: &BTreeMap<&str, i64>,
) -> Result<Vec<AcceptedRow>, StoreError> {
    fn column<'a, T>(orders: &'a [NewOrder], read: impl Fn(&'a NewOrder) -> T) -> Vec<T> {
        orders.iter().map(read).collect()
    }
    fn of_key<'a, T>(orders: &'a [NewOrder], read: impl Fn(&'a IdempotencyKey) -> T) -> Vec<Option<T>> {
        orders.iter().map(|order| order.idempotency.as_ref().map(&read)).collect()
    }
    let limited: Vec<&str> = limits.keys().copied().collect();
    let most: Vec<i64> = limits.values().copied().collect();
    let notices: Vec<(Uuid, &SubmissionResult)> =
        orders.iter().flat_map(|order| order.notices.iter().map(|notice| (order.submission_id, notice))).collect();
    let of_notices: Vec<Uuid> = notices.iter().map(|(id, _)| *id).collect();
    let notice = |read: fn(&SubmissionResult) -> &str| notices.iter().map(|(_, it)| read(it)).collect::<Vec<&str>>();
    let pointers: Vec<Value> = notices.iter().map(|(_, it)| serde_json::json!(it.pointers)).collect();
    let grounds = || orders.iter().filter_map(|order| Some((order, order.grounds?)));
    let checked_keys: BTreeSet<(Uuid, i64)> =
        grounds().map(|(_, Grounds { api_key: (id, row), .. })| (id, row.xmin())).collect();
    let checked_accounts: BTreeSet<(&str, i64)> =
        grounds().map(|(order, Grounds { account, .. })| (order.account_id.as_str(), account.xmin())).collect();
    let (key_ids, key_rows): (Vec<Uuid>, Vec<i64>) = checked_keys.into_iter().unzip();
    let (account_ids, account_rows): (Vec<&str>, Vec<i64>) = checked_accounts.into_iter().unzip();
    let rows = sqlx::query!(
        r#"with clock as materialized (select onelane_now() as now),
        -- Keys and accounts that are not any more what orders were checked against.
        outdated as materialized (
            select array(
                select u.id from unnest((select $30::uuid[]), (select $31::bigint[])) as u (id, row), clock where not exists (
                    select from api_keys k where k.id = u.id and k.xmin::text::bigint = u.row and k.revoked_at is null
                      and (k.expires_at is null or k.expires_at > clock.now) offset 0)) as keys,
                array(
                    select u.id from unnest((select $32::text[]), (select $33::bigint[])) as u (id, row) where not exists (
                        select from accounts a where a.id = u.id and a.xmin::text::bigint = u.row offset 0)) as accounts),
        brought as materialized (
            select g.*, coalesce(g.checked_for = any(outdated.keys), false)
                or (g.checked_for is not null and g.account_id = any(outdated.accounts)) as is_outdated
            from outdated, unnest((select $1::uuid[]), (select $2::uuid[]), (select $3::text[]), (select $4::text[]), (select $5::text[]),
                (select $6::text[]), (select $7::text[]), (select $8::text[]), (select $9::text[]), (select $10::uuid[]),
                (select $11::text[]), (select $12::uuid[]), (select $13::text[]), (select $14::text[]), (select $15::text[]),
                (select $16::bytea[]), (select $17::float8[]), (select $34::uuid[]))
                with ordinality
                as g (order_id, submission_id, account_id, provider, endpoint, document_type, order_number, batch_key, document, event_id,
                    trace_parent, api_key_id, method, path, key, fingerprint, running_seconds, checked_for, place)),
        given as not materialized (select * from brought where not is_outdated),
        room as materialized (
            select l.account_id, l.most, (
                select count(*) from (
                    select from submissions s
                    where s.account_id = l.account_id and s.ready and s.state in ('queued', 'in_doubt') limit l.most) w) as waiting
            from unnest((select $18::text[]), (select $19::bigint[])) as l (account_id, most)),
        candidate as (
            -- What the ledger has, or these orders have before, takes no place.
            select g.account_id, g.order_id, g.place,
                row_number() over (partition by g.account_id, g.document_type, g.order_number order by g.place) = 1
                and not exists (
                    select from orders o where o.account_id = g.account_id and o.document_type = g.document_type
                      and o.order_number = g.order_number offset 0) as is_new
            from given g join room on room.account_id = g.account_id),
        full_queue as materialized (
            select c.order_id from (
                select account_id, order_id, is_new,
                    count(*) filter (where is_new) over (partition by account_id order by place) as nth
                from candidate) c
            join room on room.account_id = c.account_id
            where c.is_new and c.nth > room.most - room.waiting),
        key as (
            -- In an order that is the same everywhere, so that no two statements wait for each other.
            insert into idempotency_keys (api_key_id, method, path, key, fingerprint, resource_id, status, running_until, created_at)
            select api_key_id, method, path, key, fingerprint, order_id, 202, now + make_interval(secs => running_seconds), now
            from given, clock where key is not null and order_id not in (select order_id from full_queue)
            order by key, path, api_key_id
            on conflict (api_key_id, method, path, key) do nothing
            returning resource_id),
        new_order as (
            insert into orders (id, account_id, provider, document_type, order_number, document, status, created_at, updated_at)
            select order_id, account_id, provider, document_type, order_number, document::jsonb, 'pending', now, now
            from given, clock
            where order_id not in (select order_id from full_queue) and (key is null or order_id in (select resource_id from key))
            order by account_id, order_number, place
            on conflict (account_id, document_type, order_number) do nothing
            returning id),
        new_submission as (
            insert into submissions (id, order_id, account_id, provider, endpoint, operation, batch_key, trace_parent, state, ready, due_at, created_at, updated_at)
            select g.submission_id, g.order_id, g.account_id, g.provider, g.endpoint, $20, g.batch_key, g.trace_parent, 'queued', true, now, now, now
            from given g join new_order on new_order.id = g.order_id, clock order by g.place),
        notice as (
            insert into results (submission_id, provider, scope, raw_code, code, severity, retryable, pointers, message_zh, message_en, notice, recorded_at)
            select n.submission_id, n.provider, n.scope, n.code, n.code, n.severity, false, array(select jsonb_array_elements_text(n.pointers)),
                n.message_zh, n.message_en, true, now
            from unnest((select $22::uuid[]), (select $23::text[]), (select $24::text[]), (select $25::text[]), (select $26::text[]),
                    (select $27::jsonb[]), (select $28::text[]), (select $29::text[])) with ordinality
                as n (submission_id, provider, scope, code, severity, pointers, message_zh, message_en, nth)
            join given g on g.submission_id = n.submission_id join new_order on new_order.id = g.order_id, clock
            order by n.nth),
        event as (
            insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
            select g.event_id, $21, g.account_id, g.order_id, g.submission_id,
                jsonb_build_object('orderNumber', g.order_number, 'operation', $20::text, 'state', 'queued'), now, now
            from given g join new_order on new_order.id = g.order_id, clock)
        select new_order.id is not null as "is_new!", g.is_outdated as "is_outdated!", full_queue.order_id is not null as "is_full!",
            g.key is not null and key.resource_id is null as "key_is_known!", room.waiting as "waiting?", clock.now as "now!",
            case when a.paused_at is not null then 'account_paused' when a.circuit_open_until > clock.now then 'circuit_open'
                when l.next_free_at > clock.now then 'rate_limit' end as held_by,
            greatest(clock.now, l.next_free_at) as "lane_free_at!"
        from brought g cross join clock
        left join new_order on new_order.id = g.order_id
        left join full_queue on full_queue.order_id = g.order_id
        left join key on key.resource_id = g.order_id
        left join room on room.account_id = g.account_id
        left join accounts a on a.id = g.account_id
        left join lanes l on l.provider = g.provider and l.throttle_group = a.throttle_group and l.endpoint = g.endpoint
        order by g.place"#,
        &column(orders, |order| order.order_id),
        &column(orders, |order| order.submission_id),
        &column(orders, |order| order.account_id.as_str()) as &[&str],
        &column(orders, |order| order.provider.as_str()) as &[&str],
        &column(orders, |order| order.endpoint.as_str()) as &[&str],
        &column(orders, |order| <&str>::from(order.document_type)) as &[&str],
        &column(orders, |order| order.order_number.as_str()) as &[&str],
        &column(orders, |order| order.batch_key.as_str()) as &[&str],
        &column(orders, |order| &*order.document) as &[&str],
        &column(orders, |_| Uuid::now_v7()),
        &column(orders, |order| order.trace_parent.as_deref()) as &[Option<&str>],
        &of_key(orders, |key| key.api_key_id) as &[Option<Uuid>],
        &of_key(orders, |key| key.method) as &[Option<&str>],
        &of_key(orders, |key| key.path.as_str()) as &[Option<&str>],
        &of_key(orders, |key| key.key.as_str()) as &[Option<&str>],
        &of_key(orders, |key| key.fingerprint.as_slice()) as &[Option<&[u8]>],
        &column(orders, |order| Some(f64::from(order.idempotency.as_ref()?.running_seconds?))) as &[Option<f64>],
        &limited as &[&str],
        &most,
        <&str>::from(Operation::Create),
        <&str>::from(EventType::SubmissionQueued),
        &of_notices,
        &notice(|it| &it.provider) as &[&str],
        &notice(|it| &it.scope) as &[&str],
        &notice(|it| &it.code) as &[&str],
        &notice(|it| it.severity.into()) as &[&str],
        &pointers,
        &notice(|it| &it.message_zh) as &[&str],
        &notice(|it| &it.message_en) as &[&str],
        &key_ids,
        &key_rows,
        &account_ids as &[&str],
        &account_rows,
        &column(orders, |order| order.grounds.map(|grounds| grounds.api_key.0)) as &[Option<Uuid>],
    )
    .fetch_all(executor)
    .await?;
    let mut accepted = Vec::with_capacity(rows.len());
    for (row, order) in rows.into_iter().zip(orders) {
        let held_by = row.held_by.map(|reason| word("accounts", "held_by", &order.account_id, &reason)).transpose()?;
        let became = if row.is_new {
            Accepted::New(Queued { at: row.now, held_by, lane_free_at: row.lane_free_at })
        } else if row.is_outdated {
            Accepted::Outdated
        } else if row.is_full {
            Accepted::QueueFull
        } else if row.key_is_known {
            Accepted::KeyKnown
        } else {
            Accepted::NumberTaken
        };
        accepted.push(AcceptedRow { accepted: became, waiting: row.waiting });
    }
    Ok(accepted)
}
