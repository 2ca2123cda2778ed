//! What callbacks say, in the ledger: their orders, their events, each once, in the commit that ends the callback.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::callbacks::Reason;
use super::transaction::Transaction;
use super::{Store, StoreError, doubt, word};
use crate::canonical::{
    CallbackState, Counting, EventType, Happening, Operation, OrderMention, OrderStatus, Receipt, Warning,
};

/// How long a callback waits for an order that the ledger does not know.
pub const LONGEST_WAIT: TimeDelta = TimeDelta::days(7);
/// How soon, and how seldom, it is looked for.
const SOONEST_LOOK: TimeDelta = TimeDelta::seconds(1);
const RAREST_LOOK: TimeDelta = TimeDelta::hours(6);

/// How long the processing of a callback waits for a lock.
const LONGEST_LOCK: &str = "3s";

/// What was read in a callback.
pub enum Reading {
    Happened(Vec<Happening>),
    /// It is not to be believed, or not to be understood.
    Refused(Reason),
}

/// On whose account a callback is processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Of the gateway: only what is received or waits, and nothing is told twice.
    Gateway,
    /// Of a person: what was told before is told again.
    Person,
}

struct Locked {
    account_id: String,
    state: CallbackState,
    received_at: DateTime<Utc>,
    /// Read once all that it waits for is locked
    now: DateTime<Utc>,
    trace_parent: Option<String>,
}

/// What came of the happenings of one callback.
#[derive(Default)]
struct Told {
    /// In an event, now or by this callback before
    here: usize,
    /// By other callbacks
    repeated: Vec<Uuid>,
    /// Positions of those whose order is not known
    waiting: Vec<usize>,
    warnings: Vec<Warning>,
}

impl Store {
    /// Does what a callback says: all of it in one commit, or nothing. Gives where the callback stands then.
    pub async fn settle_callback(&self, id: Uuid, reading: Reading, turn: Turn) -> Result<CallbackState, StoreError> {
        let mut transaction = self.begin().await?;
        let mut callback = lock(&mut transaction, id).await?;
        let open = matches!(callback.state, CallbackState::Received | CallbackState::Waiting);
        if turn == Turn::Gateway && !open {
            return Ok(callback.state);
        }
        let state = match reading {
            Reading::Refused(reason) => quarantine(&mut transaction, id, &callback, &reason).await?,
            Reading::Happened(mut happenings) => {
                let again = matches!(callback.state, CallbackState::Processed | CallbackState::Duplicate);
                let told = tell_all(&mut transaction, id, &mut callback, &mut happenings, again).await?;
                conclude(&mut transaction, id, &callback, &happenings, told).await?
            }
        };
        transaction.commit().await?;
        self.tell_of_events();
        Ok(state)
    }
}

async fn lock(transaction: &mut Transaction, id: Uuid) -> Result<Locked, StoreError> {
    // Who cannot go on gives up its connection, and is processed later.
    sqlx::query!("select set_config('lock_timeout', $1, true)", LONGEST_LOCK).fetch_one(&mut **transaction).await?;
    let row = sqlx::query!(
        r#"select account_id, state, received_at, onelane_now() as "now!", trace_parent from callbacks where id = $1 for update"#,
        id,
    )
    .fetch_one(&mut **transaction)
    .await?;
    Ok(Locked {
        state: word("callbacks", "state", id, &row.state)?,
        account_id: row.account_id,
        received_at: row.received_at,
        now: row.now,
        trace_parent: row.trace_parent,
    })
}

/// Keeps a callback for a person, and tells of it.
async fn quarantine(
    connection: &mut PgConnection,
    id: Uuid,
    callback: &Locked,
    reason: &Reason,
) -> Result<CallbackState, StoreError> {
    if callback.state != CallbackState::Quarantined {
        let data =
            json!({"callbackId": id, "code": reason.code, "detail": reason.detail, "detailZh": reason.detail_zh});
        let event = NewEvent {
            id: Uuid::now_v7(),
            event_type: EventType::CallbackQuarantined,
            order_id: None,
            data: &data,
            occurred_at: callback.received_at,
        };
        insert_event(connection, callback, &event).await?;
    }
    end(connection, id, callback, &Ending { reason: Some(reason), ..Ending::in_state(CallbackState::Quarantined) })
        .await?;
    Ok(CallbackState::Quarantined)
}

/// Finds and locks the orders, and tells what happened to each.
async fn tell_all(
    connection: &mut PgConnection,
    id: Uuid,
    callback: &mut Locked,
    happenings: &mut [Happening],
    again: bool,
) -> Result<Told, StoreError> {
    let orders = find_orders(connection, &callback.account_id, happenings).await?;
    // In the order in which a settlement locks them, so that neither waits for the other in a ring.
    let ids: Vec<Uuid> = orders.values().copied().collect();
    callback.now = sqlx::query_scalar!(
        r#"with locked as materialized (select id from orders where id = any($1) order by id for update)
           select case when (select count(*) from locked) >= 0 then onelane_now() end as "now!""#,
        &ids,
    )
    .fetch_one(&mut *connection)
    .await?;
    let mut told = Told::default();
    for (position, happening) in happenings.iter_mut().enumerate() {
        let order_id = orders.get(&position).copied();
        if order_id.is_none() && !happening.without_order {
            told.waiting.push(position);
            continue;
        }
        tell(connection, id, callback, happening, order_id, again, &mut told).await?;
    }
    Ok(told)
}

/// The order of each happening, by its position, where the ledger knows it.
///
/// The provider's number counts first. Our own number counts only for an order that the provider holds or may hold,
/// and whose number there is not another one: what bears our number there may have been made by somebody else.
async fn find_orders(
    connection: &mut PgConnection,
    account_id: &str,
    happenings: &[Happening],
) -> Result<HashMap<usize, Uuid>, StoreError> {
    let mentions: Vec<&OrderMention> = happenings.iter().map(|happening| &happening.order).collect();
    let types: Vec<Option<&str>> = mentions.iter().map(|mention| mention.document_type.map(Into::into)).collect();
    let numbers: Vec<Option<&str>> = mentions.iter().map(|mention| mention.order_number.as_deref()).collect();
    let provider_numbers: Vec<Option<&str>> =
        mentions.iter().map(|mention| mention.provider_order_number.as_deref()).collect();
    let rows = sqlx::query!(
        r#"select u.place as "place!", coalesce(
               (select o.id from orders o
                where o.provider_order_number = u.provider_number and o.account_id = $1
                  and (u.document_type is null or o.document_type = u.document_type)
                order by o.created_at desc limit 1),
               (select o.id from orders o
                where o.order_number = u.order_number and o.account_id = $1
                  and (u.document_type is null or o.document_type = u.document_type)
                  and (o.provider_order_number is null or u.provider_number is null)
                  and (o.placed or exists (
                      select from submissions s
                      where (s.order_id = o.id or s.trip_id = (select m.trip_id from trip_orders m where m.order_id = o.id))
                        and s.operation in ('create', 'create_trip') and (s.state = 'sending' or s.may_exist)))
                order by o.created_at desc limit 1)) as order_id
           from unnest($2::text[], $3::text[], $4::text[]) with ordinality
               as u (document_type, order_number, provider_number, place)"#,
        account_id,
        &types as &[Option<&str>],
        &numbers as &[Option<&str>],
        &provider_numbers as &[Option<&str>],
    )
    .fetch_all(connection)
    .await?;
    let place = |place: i64| usize::try_from(place - 1).unwrap_or_default();
    Ok(rows.into_iter().filter_map(|row| Some((place(row.place), row.order_id?))).collect())
}

/// Tells one happening in an event, unless it was told before.
async fn tell(
    connection: &mut PgConnection,
    callback_id: Uuid,
    callback: &Locked,
    happening: &mut Happening,
    order_id: Option<Uuid>,
    again: bool,
    told: &mut Told,
) -> Result<(), StoreError> {
    let occurred_at = happening.occurred_at.unwrap_or(callback.received_at);
    // An order is placed once, and cancelled once: the provider's word on what the gateway did itself is no news.
    let known = match order_id.filter(|_| happening.event.is_told_once()) {
        Some(order_id) => event_of(connection, order_id, happening.event).await?,
        None => None,
    };
    let event_id = known.unwrap_or_else(Uuid::now_v7);
    let teller = Teller { callback_id, callback, dedupe_key: &happening.dedupe_key, event_id, occurred_at };
    if let Some(receipt) = &happening.receipt {
        // Receipts of one order are counted one after another, also where the ledger has no such order to lock.
        sqlx::query!(
            "select pg_advisory_xact_lock(hashtextextended($1 || '/' || $2, 0))",
            callback.account_id,
            receipt.subject,
        )
        .execute(&mut *connection)
        .await?;
    }
    match teller.claim(connection, happening.receipt.as_ref(), again).await? {
        Claim::New => told.here += 1,
        Claim::OwnBefore => {
            told.here += 1;
            return Ok(());
        }
        Claim::ByAnother(other) => {
            told.repeated.push(other);
            return Ok(());
        }
    }
    if let Some(receipt) = &happening.receipt {
        let in_all = received_in_all(connection, &callback.account_id, receipt).await?;
        happening.received(in_all);
    }
    told.warnings
        .extend(happening.warnings.iter().filter(|it| !told.warnings.contains(it)).cloned().collect::<Vec<_>>());
    let mut data = happening.data.clone();
    if let Some(order_id) = order_id {
        let order = move_order(connection, order_id, happening, callback.now).await?;
        data.insert("orderNumber".to_owned(), order.order_number.into());
        data.insert("status".to_owned(), order.status.into());
        if let Some(number) = order.provider_order_number {
            data.insert("providerOrderNumber".to_owned(), number.into());
        }
    }
    if known.is_none() {
        if !happening.warnings.is_empty() {
            data.insert("warnings".to_owned(), json!(happening.warnings));
        }
        data.insert("callbackId".to_owned(), json!(callback_id));
        let data = Value::Object(data);
        let event = NewEvent { id: event_id, event_type: happening.event, order_id, data: &data, occurred_at };
        insert_event(connection, callback, &event).await?;
    }
    match order_id {
        // After the event: what it tells is not told again by the end of a doubt.
        Some(order_id) => doubt::end_by_word(connection, order_id, happening.status, callback.now).await,
        None => Ok(()),
    }
}

/// The event that told before what is told once, if one did; it may not be kept any more. An order that was cancelled
/// here, and then corrected, may be cancelled again.
async fn event_of(
    connection: &mut PgConnection,
    order_id: Uuid,
    event_type: EventType,
) -> Result<Option<Uuid>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select told.id as "id!" from orders o cross join lateral (
               select id, recorded_at from events where order_id = o.id and type = $2
               union all
               select event_id, recorded_at from milestones where order_id = o.id and type = $2) told
           where o.id = $1 and ($2 <> $3 or told.recorded_at >= coalesce(
               (select max(created_at) from submissions where order_id = o.id and operation = $4), '-infinity'))
           order by told.recorded_at desc limit 1"#,
        order_id,
        <&str>::from(event_type),
        <&str>::from(EventType::OrderCancelled),
        <&str>::from(Operation::Create),
    )
    .fetch_optional(connection)
    .await?)
}

/// The claim of a callback to be the one that tells a happening.
struct Teller<'a> {
    callback_id: Uuid,
    callback: &'a Locked,
    dedupe_key: &'a str,
    event_id: Uuid,
    occurred_at: DateTime<Utc>,
}

enum Claim {
    New,
    /// By this callback, when some of its orders were not known.
    OwnBefore,
    ByAnother(Uuid),
}

impl Teller<'_> {
    async fn claim(
        &self,
        connection: &mut PgConnection,
        receipt: Option<&Receipt>,
        again: bool,
    ) -> Result<Claim, StoreError> {
        let claimed = sqlx::query!(
            "insert into happenings as h (account_id, dedupe_key, callback_id, event_id, subject, quantity, occurred_at)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (account_id, dedupe_key) do update set callback_id = excluded.callback_id, event_id = excluded.event_id,
                 told_at = excluded.told_at
                 where $8",
            self.callback.account_id,
            self.dedupe_key,
            self.callback_id,
            self.event_id,
            receipt.map(|receipt| receipt.subject.as_str()),
            receipt.map(|receipt| receipt.quantity),
            self.occurred_at,
            again,
        )
        .execute(&mut *connection)
        .await?;
        if claimed.rows_affected() == 1 {
            return Ok(Claim::New);
        }
        let first = sqlx::query_scalar!(
            "select callback_id from happenings where account_id = $1 and dedupe_key = $2",
            self.callback.account_id,
            self.dedupe_key,
        )
        .fetch_one(connection)
        .await?;
        Ok(if first == self.callback_id { Claim::OwnBefore } else { Claim::ByAnother(first) })
    }
}

/// What has come of an order's goods in all; this receipt is among those that are counted.
async fn received_in_all(
    connection: &mut PgConnection,
    account_id: &str,
    receipt: &Receipt,
) -> Result<i64, StoreError> {
    // Of cumulative receipts the latest counts, whenever it arrived; of several at one instant, the largest.
    let in_all = sqlx::query_scalar!(
        r#"select case when $3 then (array_agg(quantity order by occurred_at desc, quantity desc))[1]
                  else least(sum(quantity), 9223372036854775807)::bigint end as "in_all"
           from happenings where account_id = $1 and subject = $2"#,
        account_id,
        receipt.subject,
        receipt.counting == Counting::Cumulative,
    )
    .fetch_one(connection)
    .await?;
    Ok(in_all.unwrap_or(receipt.quantity))
}

struct MovedOrder {
    order_number: String,
    provider_order_number: Option<String>,
    status: String,
}

/// Moves an order to where the provider says it is, if that is forward, and keeps its number there.
async fn move_order(
    connection: &mut PgConnection,
    order_id: Uuid,
    happening: &Happening,
    now: DateTime<Utc>,
) -> Result<MovedOrder, StoreError> {
    let from = happening.status.map(|next| OrderStatus::before(next, OrderStatus::may_become)).unwrap_or_default();
    let from: Vec<&str> = from.into_iter().map(Into::into).collect();
    Ok(sqlx::query_as!(
        MovedOrder,
        "update orders o set status = n.status, provider_order_number = n.number, placed = true,
             version = o.version + case when n.changed then 1 else 0 end,
             updated_at = case when n.changed then $5 else o.updated_at end
         from (
             select p.id, next.status, next.number,
                 (p.status, p.provider_order_number) is distinct from (next.status, next.number) as changed
             from orders p cross join lateral (
                 select case when p.status = any($3) then $2 else p.status end as status,
                     coalesce(p.provider_order_number, $4) as number) next
             where p.id = $1) n
         where o.id = n.id
         returning o.order_number, o.provider_order_number, o.status",
        order_id,
        happening.status.map(<&str>::from),
        &from as &[&str],
        happening.order.provider_order_number,
        now,
    )
    .fetch_one(connection)
    .await?)
}

struct NewEvent<'a> {
    id: Uuid,
    event_type: EventType,
    order_id: Option<Uuid>,
    data: &'a Value,
    occurred_at: DateTime<Utc>,
}

async fn insert_event(
    connection: &mut PgConnection,
    callback: &Locked,
    event: &NewEvent<'_>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into events (id, type, account_id, order_id, data, occurred_at, recorded_at, trace_parent)
         values ($1, $2, $3, $4, $5, $6, onelane_now(), $7)",
        event.id,
        <&str>::from(event.event_type),
        callback.account_id,
        event.order_id,
        event.data,
        event.occurred_at,
        callback.trace_parent,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Where a callback comes to.
struct Ending<'a> {
    state: CallbackState,
    /// While it waits: when its orders are looked for again
    due_at: Option<DateTime<Utc>>,
    reason: Option<&'a Reason>,
    warnings: &'a [Warning],
    waiting: &'a [(usize, &'a OrderMention)],
}

impl Ending<'_> {
    fn in_state(state: CallbackState) -> Self {
        Ending { state, due_at: None, reason: None, warnings: &[], waiting: &[] }
    }
}

/// Where a callback comes to whose happenings were told as far as that is possible.
async fn conclude(
    connection: &mut PgConnection,
    id: Uuid,
    callback: &Locked,
    happenings: &[Happening],
    told: Told,
) -> Result<CallbackState, StoreError> {
    let Told { here, repeated, waiting, warnings } = told;
    let waiting: Vec<(usize, &OrderMention)> =
        waiting.into_iter().map(|position| (position, &happenings[position].order)).collect();
    let age = callback.now - callback.received_at;
    let expired = age >= LONGEST_WAIT;
    let (state, reason) = match (waiting.first(), repeated.first()) {
        (Some((_, order)), _) if !expired => (CallbackState::Waiting, Some(unknown_order(order, waiting.len()))),
        (Some((_, order)), _) => {
            let state = if here > 0 { CallbackState::Processed } else { CallbackState::Ignored };
            (state, Some(never_came(order, waiting.len())))
        }
        (None, Some(first)) if here == 0 => (CallbackState::Duplicate, Some(repetition_of(*first))),
        (None, _) if happenings.is_empty() => (CallbackState::Ignored, Some(says_nothing())),
        (None, _) => (CallbackState::Processed, None),
    };
    let waits = state == CallbackState::Waiting;
    let ending = Ending {
        state,
        due_at: waits.then(|| callback.now + (age / 2).clamp(SOONEST_LOOK, RAREST_LOOK)),
        reason: reason.as_ref(),
        warnings: &warnings,
        waiting: if waits { &waiting } else { &[] },
    };
    end(connection, id, callback, &ending).await?;
    Ok(state)
}

async fn end(
    connection: &mut PgConnection,
    id: Uuid,
    callback: &Locked,
    ending: &Ending<'_>,
) -> Result<(), StoreError> {
    // What was said before of a part of it stays.
    sqlx::query!(
        "update callbacks set state = $2, due_at = $3, processed_at = $4, reason_code = $5, reason_en = $6, reason_zh = $7,
             warnings = case when $8 = '[]'::jsonb then warnings else $8 end, tries = 0
         where id = $1",
        id,
        <&str>::from(ending.state),
        ending.due_at,
        callback.now,
        ending.reason.map(|reason| reason.code.as_str()),
        ending.reason.map(|reason| reason.detail.as_str()),
        ending.reason.map(|reason| reason.detail_zh.as_str()),
        json!(ending.warnings),
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!("delete from callback_waits where callback_id = $1", id).execute(&mut *connection).await?;
    if ending.waiting.is_empty() {
        return Ok(());
    }
    let positions: Vec<i32> =
        ending.waiting.iter().map(|(position, _)| i32::try_from(*position).unwrap_or(i32::MAX)).collect();
    let types: Vec<Option<&str>> = ending.waiting.iter().map(|(_, it)| it.document_type.map(Into::into)).collect();
    let numbers: Vec<Option<&str>> = ending.waiting.iter().map(|(_, it)| it.order_number.as_deref()).collect();
    let provider_numbers: Vec<Option<&str>> =
        ending.waiting.iter().map(|(_, it)| it.provider_order_number.as_deref()).collect();
    sqlx::query!(
        "insert into callback_waits (callback_id, account_id, position, document_type, order_number, provider_order_number)
         select $1, $2, u.position, u.document_type, u.order_number, u.provider_order_number
         from unnest($3::int[], $4::text[], $5::text[], $6::text[])
             as u (position, document_type, order_number, provider_order_number)",
        id,
        callback.account_id,
        &positions,
        &types as &[Option<&str>],
        &numbers as &[Option<&str>],
        &provider_numbers as &[Option<&str>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Has waiting callbacks looked at that name one of these orders, as soon as the transaction is over.
///
/// One that is being processed right now is passed over, so that neither waits for the other; it looks again by
/// itself.
pub(super) async fn wake_waiting(connection: &mut PgConnection, order_ids: &[Uuid]) -> Result<(), StoreError> {
    sqlx::query!(
        "update callbacks set due_at = onelane_now()
         where id in (
             select c.id from callbacks c
             where c.state = 'waiting' and c.id in (
                 select w.callback_id from orders o join callback_waits w
                     on w.account_id = o.account_id and w.order_number = o.order_number
                 where o.id = any($1)
                 union all
                 select w.callback_id from orders o join callback_waits w
                     on w.account_id = o.account_id and w.provider_order_number = o.provider_order_number
                 where o.id = any($1))
             for update skip locked)",
        order_ids,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The numbers of an order, for people.
fn numbers(order: &OrderMention) -> String {
    let OrderMention { document_type: _, order_number, provider_order_number } = order;
    match (order_number, provider_order_number) {
        (Some(number), Some(provider_number)) => format!("{number} ({provider_number})"),
        (Some(number), None) | (None, Some(number)) => number.clone(),
        (None, None) => "?".to_owned(),
    }
}

fn unknown_order(first: &OrderMention, several: usize) -> Reason {
    let (number, days) = (numbers(first), LONGEST_WAIT.num_days());
    Reason::new(
        "callback.unknown_order",
        format!("{several} of its orders are not known, first {number}; they are looked for again for {days} days"),
        format!("其中 {several} 个订单未知(如 {number}),将在 {days} 天内继续匹配"),
    )
}

fn never_came(first: &OrderMention, several: usize) -> Reason {
    let (number, days) = (numbers(first), LONGEST_WAIT.num_days());
    Reason::new(
        "callback.order_never_came",
        format!("{several} of its orders, first {number}, did not become known within {days} days"),
        format!("其中 {several} 个订单(如 {number})在 {days} 天内未出现"),
    )
}

fn repetition_of(first: Uuid) -> Reason {
    Reason::new(
        "callback.repeated",
        format!("callback {first} said all of this before"),
        format!("与回调 {first} 内容重复"),
    )
}

fn says_nothing() -> Reason {
    Reason::new("callback.empty", "it names no order", "回调未包含任何订单")
}
