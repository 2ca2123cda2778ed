//! Claiming: a token of the lane and a batch of due submissions, in one go. After it the
//! attempt is on record, before a byte has left.

use std::time::Duration;

use serde_json::Value;
use sqlx::types::Json;
use tokio::time::Instant;
use uuid::Uuid;

use super::claimed::{ClaimedBatch, ClaimedItem, ClaimedOrder};
use super::grounds::RowVersion;
use super::lanes::LaneKey;
use super::{Store, StoreError, seconds, word};
use crate::throttle::{Pace, RESERVE_AHEAD};

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
        let LaneKey { provider, throttle_group, endpoint } = request.lane;
        let exchange_id = Uuid::now_v7();
        let mut connection = self.pool().acquire().await?;
        let asked = Instant::now();
        let rows = sqlx::query_as!(
            ClaimedRow,
            r#"select verdict as "verdict!", seconds_to_slot, seconds_to_booking, seconds_since_booking, account_id, account_row as account_version, more,
                   submission_id, order_id, trip_id, operation, change as "change: Json<Value>", may_exist, doubted, cleared, misses,
                   attempts, trace_parent, age, document, document_complete, provider_order_number, adopted
               from claim_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"#,
            provider,
            throttle_group,
            endpoint,
            i64::from(request.in_flight_limit),
            i64::from(request.batch_limit),
            i64::from(request.doubtful_limit),
            MOST_BATCH_BYTES,
            FEW,
            request.key_ids,
            exchange_id,
            seconds(request.pace.tolerance()),
            seconds(RESERVE_AHEAD.max(request.head_start)),
            seconds(request.head_start),
            seconds(request.pace.spacing),
            seconds(LEASE),
        )
        .fetch_all(&mut *connection)
        .await?;
        let answered = Instant::now();
        let Some(first) = rows.first() else { return Ok(Claim::NothingDue) };
        match first.verdict.as_str() {
            "batch" => {}
            "no_token" => return Ok(Claim::NoToken(duration(first.seconds_to_slot))),
            "lane_full" => return Ok(Claim::LaneFull),
            _ => return Ok(Claim::NothingDue),
        }
        let (Some(account_id), Some(account_version)) = (first.account_id.clone(), first.account_version) else {
            return Err(StoreError::inconsistent("exchanges", "id", exchange_id, "was claimed for no account"));
        };
        let wait = duration(first.seconds_to_slot);
        let booking = Booking::between((asked, first.seconds_to_booking), (answered, first.seconds_since_booking));
        Ok(Claim::Batch(ClaimedBatch {
            exchange_id,
            account_id,
            account_row: RowVersion::read(account_version),
            wait,
            slot: wait.max(request.head_start),
            booked: booking.at,
            lag: booking.lag,
            doubtful: first.may_exist == Some(true) && first.cleared == Some(false),
            more: first.more == Some(true),
            items: rows.into_iter().map(ClaimedRow::item).collect::<Result<_, StoreError>>()?,
        }))
    }
}

/// When a slot was booked, on this process's clock.
pub(super) struct Booking {
    /// At the latest
    pub at: Instant,
    /// How long before it may have been
    pub lag: Duration,
}

impl Booking {
    /// Between the question and its answer, and what the ledger did before and after, in seconds, lies between them, too.
    pub fn between((asked, before): (Instant, Option<f64>), (answered, after): (Instant, Option<f64>)) -> Self {
        let at = answered.checked_sub(duration(after)).map_or(asked, |at| at.max(asked));
        let soonest = asked + duration(before);
        Booking { at, lag: at.saturating_duration_since(soonest) }
    }
}

pub(super) fn duration(seconds: Option<f64>) -> Duration {
    Duration::try_from_secs_f64(seconds.unwrap_or_default().max(0.0)).unwrap_or(Duration::MAX)
}

/// A claimed submission, or why there is none.
struct ClaimedRow {
    verdict: String,
    seconds_to_slot: Option<f64>,
    seconds_to_booking: Option<f64>,
    seconds_since_booking: Option<f64>,
    account_id: Option<String>,
    account_version: Option<i64>,
    more: Option<bool>,
    submission_id: Option<Uuid>,
    order_id: Option<Uuid>,
    trip_id: Option<Uuid>,
    operation: Option<String>,
    change: Option<Json<Value>>,
    may_exist: Option<bool>,
    doubted: Option<bool>,
    cleared: Option<bool>,
    misses: Option<i32>,
    attempts: Option<i32>,
    trace_parent: Option<String>,
    age: Option<f64>,
    document: Option<String>,
    document_complete: Option<bool>,
    provider_order_number: Option<String>,
    adopted: Option<bool>,
}

impl ClaimedRow {
    fn item(self) -> Result<ClaimedItem<Option<ClaimedOrder>>, StoreError> {
        let order = match (self.document, self.document_complete, self.adopted) {
            (Some(document), Some(document_complete), Some(adopted)) => Some(ClaimedOrder {
                document,
                document_complete,
                provider_order_number: self.provider_order_number,
                adopted,
            }),
            _ => None,
        };
        let (Some(submission_id), Some(order_id), Some(operation), Some(may_exist), Some(cleared)) =
            (self.submission_id, self.order_id, self.operation, self.may_exist, self.cleared)
        else {
            return Err(StoreError::inconsistent("submissions", "id", "of a claim", "is not told"));
        };
        Ok(ClaimedItem {
            submission_id,
            order_id,
            trip_id: self.trip_id,
            operation: word("submissions", "operation", submission_id, &operation)?,
            order,
            change: self.change.map(|change| change.0),
            may_exist,
            doubted: self.doubted == Some(true),
            cleared,
            misses: self.misses.unwrap_or_default(),
            attempts: self.attempts.unwrap_or_default(),
            trace_parent: self.trace_parent,
            age: duration(self.age),
        })
    }
}
