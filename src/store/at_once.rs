//! Keeping an order and claiming it in the same go: the quick way for one that comes alone, whose caller waits, and whose
//! lane has nothing else to do.

use std::time::Duration;

use sqlx::PgExecutor;
use tokio::time::Instant;
use uuid::Uuid;

use super::accept::{NewOrder, Queued};
use super::claim::{Booking, ClaimRequest, LEASE, duration};
use super::claimed::{ClaimedBatch, ClaimedItem, ClaimedOrder};
use super::grounds::Grounds;
use super::outcome::ResultColumns;
use super::queue::Count;
use super::{Store, StoreError, seconds};
use crate::canonical::Operation;
use crate::throttle::RESERVE_AHEAD;

/// What became of an order that was to be kept and claimed.
pub enum KeptAtOnce {
    /// It is in the ledger, and belongs to who asked.
    Claimed(Queued, ClaimedBatch),
    /// The idempotency key was used before; nothing was kept.
    KeyKnown,
    /// The account has an order of this number; nothing but the key was kept.
    NumberTaken,
    /// Something stands in the way, and nothing was kept: let it be accepted, and wait for its turn.
    NotNow,
}

/// The ledger's words on it.
struct Row {
    became: String,
    waiting: Option<i64>,
    kept_at: Option<chrono::DateTime<chrono::Utc>>,
    seconds_to_slot: Option<f64>,
    seconds_to_booking: Option<f64>,
    seconds_since_booking: Option<f64>,
}

impl Store {
    /// Keeps an order that was checked on these grounds and claims it, where its lane is its account's alone, idle, and has
    /// a token. Not to be broken off: whoever asks must send what was claimed.
    pub async fn keep_and_claim(
        &self,
        new: &NewOrder,
        grounds: &Grounds,
        claim: &ClaimRequest<'_>,
    ) -> Result<KeptAtOnce, StoreError> {
        let exchange_id = Uuid::now_v7();
        let mut session = self.warm.take(&self.pool).await?;
        let asked = Instant::now();
        let limit = self.rooms().limit_to_count(&new.account_id, new.queue_limit, asked);
        let row = match ask(&mut *session, new, grounds, claim, exchange_id, limit).await {
            Err(error) if error.is_deadlock() => return Ok(KeptAtOnce::NotNow),
            asked => asked?,
        };
        let answered = Instant::now();
        self.warm.keep(session, &self.pool);
        if let Some(waiting) = row.waiting {
            let accepted = i64::from(row.became == "claimed");
            self.rooms().counted(&new.account_id, new.queue_limit, Count { asked, waiting, accepted }, answered);
        }
        let at = match (row.became.as_str(), row.kept_at) {
            ("claimed", Some(at)) => at,
            ("key_known", _) => return Ok(KeptAtOnce::KeyKnown),
            ("number_taken", _) => return Ok(KeptAtOnce::NumberTaken),
            _ => return Ok(KeptAtOnce::NotNow),
        };
        self.tell_of_events();
        let wait = duration(row.seconds_to_slot);
        let booking = Booking::between((asked, row.seconds_to_booking), (answered, row.seconds_since_booking));
        let batch = ClaimedBatch {
            exchange_id,
            account_id: new.account_id.clone(),
            account_row: grounds.account,
            wait,
            slot: wait.max(claim.head_start),
            booked: booking.at,
            lag: booking.lag,
            doubtful: false,
            more: false,
            items: vec![new.first_attempt()],
        };
        Ok(KeptAtOnce::Claimed(Queued { at, held_by: None, lane_free_at: at + wait }, batch))
    }
}

impl NewOrder {
    /// Its first attempt, as it is claimed with it.
    pub fn first_attempt(&self) -> ClaimedItem {
        ClaimedItem {
            submission_id: self.submission_id,
            order_id: self.order_id,
            trip_id: None,
            operation: Operation::Create,
            order: ClaimedOrder {
                document: self.document.as_ref().to_owned(),
                document_complete: true,
                provider_order_number: None,
                adopted: false,
            },
            change: None,
            may_exist: false,
            doubted: false,
            cleared: false,
            misses: 0,
            attempts: 1,
            trace_parent: self.trace_parent.clone(),
            age: Duration::ZERO,
        }
    }
}

async fn ask<'e>(
    executor: impl PgExecutor<'e>,
    new: &NewOrder,
    grounds: &Grounds,
    claim: &ClaimRequest<'_>,
    exchange_id: Uuid,
    limit: Option<i64>,
) -> Result<Row, StoreError> {
    let (checked_key, checked_key_row) = grounds.api_key;
    let key = new.idempotency.as_ref();
    let notices = ResultColumns::of(new.notices.iter().map(|notice| (new.submission_id, notice)));
    Ok(sqlx::query_as!(
        Row,
        r#"select became as "became!", waiting, kept_at, seconds_to_slot, seconds_to_booking, seconds_since_booking
           from keep_and_claim($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
               $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38)"#,
        new.order_id,
        new.submission_id,
        new.account_id,
        new.provider,
        claim.lane.throttle_group,
        new.endpoint,
        <&str>::from(new.document_type),
        new.order_number,
        new.batch_key,
        &*new.document,
        Uuid::now_v7(),
        new.trace_parent,
        checked_key,
        checked_key_row.xmin(),
        grounds.account.xmin(),
        key.map(|key| key.api_key_id),
        key.map(|key| key.method),
        key.map(|key| key.path.as_str()),
        key.map(|key| key.key.as_str()),
        key.map(|key| key.fingerprint.as_slice()),
        key.and_then(|key| Some(f64::from(key.running_seconds?))),
        limit,
        &notices.providers as &[&str],
        &notices.scopes as &[&str],
        &notices.codes as &[&str],
        &notices.severities as &[&str],
        &notices.pointers,
        &notices.messages_zh as &[&str],
        &notices.messages_en as &[&str],
        i64::from(claim.in_flight_limit),
        claim.key_ids,
        exchange_id,
        seconds(claim.pace.tolerance()),
        seconds(RESERVE_AHEAD.max(claim.head_start)),
        seconds(claim.head_start),
        seconds(claim.pace.spacing),
        seconds(LEASE),
        new.customer_reference,
    )
    .fetch_one(executor)
    .await?)
}
