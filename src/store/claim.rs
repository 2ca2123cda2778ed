//! Claiming: a token of the lane and a batch of due submissions, in one short transaction. After it the
//! attempt is on record, before a byte has left.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::claimed::{ClaimedBatch, ClaimedItem, ClaimedOrder};
use super::grounds::RowVersion;
use super::lanes::LaneKey;
use super::{Store, StoreError, seconds, word};
use crate::throttle::{MOST_BOOKING_LAG, Pace, RESERVE_AHEAD};

/// How long a claimed batch belongs to the worker that claimed it.
pub const LEASE: Duration = Duration::from_secs(90);

/// Bytes of documents in one batch: it ends with the one that goes beyond.
const MOST_BATCH_BYTES: i64 = 4 * 1024 * 1024;

/// Orders of batches up to this size come with the claim. Those of larger ones are read by who sends them, while the lane
/// claims the next: a lane is as fast as its claims are.
const FEW: i32 = 8;

/// What a claim asks for.
pub struct ClaimRequest<'a> {
    pub lane: &'a LaneKey,
    pub pace: &'a Pace,
    pub in_flight_limit: u32,
    pub batch_limit: u16,
    /// The same for what the provider is asked about before it may be sent again
    pub doubtful_limit: u16,
    /// How long it takes from here until a request can leave: its slot is not booked before, or it would be missed
    pub head_start: Duration,
    /// Ids of the master keys at hand: accounts whose credentials another one sealed are left to replicas that have it
    pub key_ids: &'a [String],
}

/// What a claim gave.
pub enum Claim {
    /// A batch, and when it may go; its orders may have to be [read](Store::orders_of_batch).
    Batch(ClaimedBatch<Option<ClaimedOrder>>),
    /// Nothing is due.
    NothingDue,
    /// No token before this wait is over.
    NoToken(Duration),
    /// As many exchanges are in flight as may be.
    LaneFull,
}

impl Store {
    pub async fn claim(&self, request: &ClaimRequest<'_>) -> Result<Claim, StoreError> {
        let mut transaction = self.begin_by_keys().await?;
        let Some(lane) = lock_lane(&mut transaction, request).await? else {
            transaction.commit().await?;
            return Ok(Claim::NoToken(Duration::ZERO));
        };
        if lane.in_flight >= i64::from(request.in_flight_limit) {
            return Ok(Claim::LaneFull);
        }
        let ahead = RESERVE_AHEAD.max(request.head_start);
        let too_far = lane.to_slot.saturating_sub(ahead);
        if !too_far.is_zero() {
            return Ok(Claim::NoToken(too_far));
        }
        let Some(batch) = take_batch(&mut transaction, request, &lane).await? else {
            return Ok(Claim::NothingDue);
        };
        transaction.commit().await?;
        Ok(Claim::Batch(batch))
    }
}

/// A lane whose row is locked.
struct LockedLane {
    /// Until the next request may leave
    to_slot: Duration,
    /// The ledger's clock when that was read
    now: DateTime<Utc>,
    /// When the answer was here
    received: tokio::time::Instant,
    in_flight: i64,
}

/// Locks the lane's row, the lock that makes replicas take turns; makes it when there is none.
async fn lock_lane(
    connection: &mut PgConnection,
    request: &ClaimRequest<'_>,
) -> Result<Option<LockedLane>, StoreError> {
    let LaneKey { provider, throttle_group, endpoint } = request.lane;
    let row = sqlx::query!(
            r#"with lane as materialized (
                   select next_free_at from lanes where provider = $1 and throttle_group = $2 and endpoint = $3 for update)
               select (extract(epoch from lane.next_free_at - make_interval(secs => $4) - clock.now))::float8 as "seconds_to_slot!",
                   clock.now as "now!",
                   (select count(*) from exchanges e where e.provider = $1 and e.throttle_group = $2 and e.endpoint = $3
                      and e.finished_at is null and e.lease_until > clock.now) as "in_flight!"
               from lane cross join lateral (select onelane_now() as now) clock"#,
            provider,
            throttle_group,
            endpoint,
            seconds(request.pace.tolerance()),
        )
        .fetch_optional(&mut *connection)
        .await?;
    if row.is_none() {
        sqlx::query!(
            "insert into lanes (provider, throttle_group, endpoint, next_free_at) values ($1, $2, $3, onelane_now())
                 on conflict do nothing",
            provider,
            throttle_group,
            endpoint,
        )
        .execute(connection)
        .await?;
    }
    Ok(row.map(|row| LockedLane {
        to_slot: Duration::from_secs_f64(row.seconds_to_slot.max(0.0)),
        now: row.now,
        received: tokio::time::Instant::now(),
        in_flight: row.in_flight,
    }))
}

/// Takes the lane's token and a batch, if something is due.
#[expect(clippy::too_many_lines, reason = "one statement, and its columns")]
async fn take_batch(
    connection: &mut PgConnection,
    request: &ClaimRequest<'_>,
    lane: &LockedLane,
) -> Result<Option<ClaimedBatch<Option<ClaimedOrder>>>, StoreError> {
    let LaneKey { provider, throttle_group, endpoint } = request.lane;
    let slot = lane.to_slot.max(request.head_start);
    let exchange_id = Uuid::now_v7();
    let rows = sqlx::query!(
            r#"with clock as materialized (select onelane_now() as now),
            booking as materialized (
                select case when clock.now - $9::timestamptz <= make_interval(secs => $10) then $9::timestamptz else clock.now end as at
                from clock),
            head as materialized (
                select candidate.account_id, a.xmin::text::bigint as account_row, candidate.batch_key, candidate.doubtful
                from clock, accounts a cross join lateral (
                    select s.account_id, s.batch_key, s.may_exist and not s.cleared as doubtful, s.due_at, s.sequence from submissions s
                    where s.account_id = a.id and s.endpoint = $3 and s.ready and s.state in ('queued', 'in_doubt') and s.due_at <= clock.now
                    order by s.due_at, s.sequence limit 1) candidate
                where a.provider = $1 and a.throttle_group = $2 and a.paused_at is null and a.credentials_key = any($13::text[])
                  and (a.circuit_open_until is null or a.circuit_open_until <= clock.now)
                order by candidate.due_at, candidate.sequence limit 1),
            locked as materialized (
                -- Against single values, so that the index gives the order and only the batch is read.
                select s.id, s.order_id, s.due_at, s.sequence from submissions s
                where s.account_id = (select account_id from head) and s.endpoint = $3 and s.ready and s.state in ('queued', 'in_doubt')
                  and s.due_at <= (select now from clock) and s.batch_key = (select batch_key from head)
                  and (s.may_exist and not s.cleared) = (select doubtful from head)
                order by s.due_at, s.sequence limit (select case when doubtful then $11::bigint else $4::bigint end from head)
                for update of s skip locked),
            picked as materialized (
                -- Sizes as they are stored: those of documents that are kept compressed are not known without reading them.
                select array_agg(id order by due_at, sequence) as ids from (
                    select l.id, l.due_at, l.sequence, pg_column_size(o.document) as size,
                        sum(pg_column_size(o.document)) over (order by l.due_at, l.sequence) as so_far
                    -- One by one: the planner takes a limit that it does not know for a tenth of what waits.
                    from locked l cross join lateral (select document from orders where id = l.order_id offset 0) o) sized
                where so_far - size < $12 having count(*) > 0),
            exchange as (
                insert into exchanges (id, account_id, throttle_group, provider, endpoint, items, claimed_at, lease_until)
                select $5, head.account_id, $2, $1, $3, cardinality(picked.ids), clock.now, clock.now + make_interval(secs => $6)
                from head, clock, picked),
            taken as (
                update submissions s set state = 'sending', attempts = s.attempts + 1, exchanges = s.exchanges + 1,
                    exchange_id = $5, exchange_position = array_position((select ids from picked), s.id) - 1,
                    updated_at = (select now from clock)
                where s.id = any((select ids from picked)::uuid[])
                returning s.id, s.order_id, s.trip_id, s.operation, s.change, s.may_exist, s.cleared, s.misses, s.attempts,
                    s.exchanges, s.account_id, s.exchange_position as position, s.trace_parent, s.created_at),
            attempt as (
                insert into attempts (submission_id, number, exchange_id, position)
                select id, exchanges, $5, position from taken),
            token as (
                update lanes set next_free_at = greatest(next_free_at, booking.at + make_interval(secs => $7)) + make_interval(secs => $8)
                from booking
                where provider = $1 and throttle_group = $2 and endpoint = $3 and exists (select from picked)),
            probe as (
                -- While the circuit is half open one request goes out to see whether the provider is back.
                update accounts set circuit_open_until = clock.now + make_interval(secs => $6)
                from head, clock where accounts.id = head.account_id and circuit_open_until is not null and exists (select from picked))
            select taken.id, taken.order_id, taken.trip_id, taken.operation, taken.change as "change: Json<Value>", taken.may_exist,
                (taken.may_exist and exists (
                    select from attempts before where before.submission_id = taken.id and before.outcome = 'in_doubt')) as "doubted!",
                taken.cleared, taken.misses, taken.attempts, taken.account_id,
                (select account_row from head) as "account_row!", o.document::text as document,
                o.document_complete as "document_complete?", o.provider_order_number as "provider_order_number?",
                o.adopted as "adopted?", taken.trace_parent,
                (extract(epoch from clock.now - taken.created_at))::float8 as "age!",
                (extract(epoch from clock.now - booking.at))::float8 as "lag!",
                (extract(epoch from clock.now - $9::timestamptz))::float8 as "claimed_after!",
                -- Looked for only behind a batch that is not full: what is taken here is still among what could go.
                cardinality((select ids from picked)) >= $4 or exists (
                    select from accounts a cross join lateral (
                        select from submissions s
                        where s.account_id = a.id and s.endpoint = $3 and s.ready and s.state in ('queued', 'in_doubt') and s.due_at <= clock.now
                          and s.id <> all((select ids from picked)::uuid[])
                        limit 1) left_over
                    where a.provider = $1 and a.throttle_group = $2) as "more!"
            from clock cross join booking cross join taken left join lateral (
                select document, document_complete, provider_order_number, adopted from orders
                where id = taken.order_id and cardinality((select ids from picked)) <= $14 offset 0) o on true
            order by taken.position"#,
            provider,
            throttle_group,
            endpoint,
            i64::from(request.batch_limit),
            exchange_id,
            seconds(LEASE),
            seconds(slot),
            seconds(request.pace.spacing),
            lane.now,
            seconds(MOST_BOOKING_LAG),
            i64::from(request.doubtful_limit),
            MOST_BATCH_BYTES,
            request.key_ids,
            FEW,
        )
        .fetch_all(connection)
        .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let (account_id, lag, doubtful) = (first.account_id.clone(), first.lag, first.may_exist && !first.cleared);
    let (account_row, more) = (RowVersion::read(first.account_row), first.more);
    let claimed = lane.received + Duration::from_secs_f64(first.claimed_after.max(0.0));
    let order = |document: Option<String>, complete: Option<bool>, number, adopted: Option<bool>| {
        Some(ClaimedOrder {
            document: document?,
            document_complete: complete?,
            provider_order_number: number,
            adopted: adopted?,
        })
    };
    let items = rows
        .into_iter()
        .map(|row| {
            Ok(ClaimedItem {
                submission_id: row.id,
                order_id: row.order_id,
                trip_id: row.trip_id,
                operation: word("submissions", "operation", row.id, &row.operation)?,
                order: order(row.document, row.document_complete, row.provider_order_number, row.adopted),
                change: row.change.map(|change| change.0),
                may_exist: row.may_exist,
                doubted: row.doubted,
                cleared: row.cleared,
                misses: row.misses,
                attempts: row.attempts,
                trace_parent: row.trace_parent,
                age: Duration::from_secs_f64(row.age.max(0.0)),
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let lag = Duration::from_secs_f64(lag.max(0.0));
    Ok(Some(ClaimedBatch {
        exchange_id,
        account_id,
        account_row,
        wait: lane.to_slot,
        slot,
        received: lane.received,
        lag,
        claimed,
        doubtful,
        more,
        items,
    }))
}
