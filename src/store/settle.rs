//! Settling: what came of an exchange, for the whole batch in one transaction, behind a fence. A worker
//! whose lease ran out changes nothing.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgExecutor};
use tokio::time::Instant;
use uuid::Uuid;

use super::exchanges::PackedBody;
use super::lanes::LaneKey;
use super::outcome;
use super::settle_creation::LoneCreation;
use super::{Store, StoreError, accounts, lanes, release, seconds};
use crate::canonical::{EventType, Operation, OrderStatus, SubmissionResult, SubmissionState};

/// What came of one exchange.
pub struct Settlement {
    pub exchange_id: Uuid,
    pub lane: LaneKey,
    pub account_id: String,
    /// When the ledger says that it was claimed, on this process's clock
    pub claimed: Instant,
    /// What was sent and received; nothing when nothing was sent
    pub record: Option<ExchangeRecord>,
    /// What went wrong on the way
    pub error: Option<String>,
    pub items: Vec<SettledItem>,
    /// Whether the provider could be reached; nothing when it was not tried
    pub reached: Option<bool>,
    /// The provider says that requests come too often: no token before this wait is over
    pub throttled_for: Option<Duration>,
    /// Why nothing more may go out for the account until a person resumes it
    pub pause: Option<String>,
}

/// One exchange as the audit trail keeps it, secrets masked.
pub struct ExchangeRecord {
    pub method: &'static str,
    pub url: String,
    pub request_headers: Vec<(String, String)>,
    pub request_body: PackedBody,
    /// Just before the first byte
    pub sent: Instant,
    /// From the first byte to the last of the answer
    pub took: Duration,
    pub response: Option<ResponseRecord>,
}

impl ExchangeRecord {
    /// From the claim to the first byte.
    pub(super) fn sent_after(&self, settlement: &Settlement) -> Duration {
        self.sent.saturating_duration_since(settlement.claimed)
    }
}

/// An answer as the audit trail keeps it.
pub struct ResponseRecord {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: PackedBody,
}

/// What came of one submission.
pub struct SettledItem {
    pub submission_id: Uuid,
    pub order_id: Uuid,
    pub operation: Operation,
    pub state: SubmissionState,
    /// For `queued` and `in_doubt`: how long to wait before the next try; at once, in its old place, when
    /// that is nothing at all. None: a person decides.
    pub due_in: Option<Duration>,
    /// For `in_doubt`: not before the lease of this exchange is over
    pub after_lease: bool,
    /// Whether the exchange counts as a try
    pub counts: bool,
    pub may_exist: bool,
    /// Evidence allows to send it again although it may exist
    pub cleared: bool,
    /// Questions in a row at which the provider did not have it; below zero when the last answer was unclear
    pub misses: i32,
    /// From now on it shares a request with no other
    pub alone: bool,
    pub provider_order_number: Option<String>,
    pub order_status: Option<OrderStatus>,
    pub order_event: Option<EventType>,
    /// The document as it stands at the provider from now on, where the submission changed it
    pub document: Option<Value>,
    /// The submission had a change of its own, which is taken back out of the document unless it was accepted
    pub has_change: bool,
    /// What became of the other orders of a trip
    pub trip: Option<SettledTrip>,
    pub results: Vec<SubmissionResult>,
    /// Whether callers are told of the state: going back into a doubt that was known is no news
    pub announce: bool,
}

impl SettledItem {
    /// A submission in a state, and nothing else of note.
    pub fn in_state(submission_id: Uuid, order_id: Uuid, operation: Operation, state: SubmissionState) -> Self {
        SettledItem {
            submission_id,
            order_id,
            operation,
            state,
            due_in: None,
            after_lease: false,
            counts: true,
            may_exist: false,
            cleared: false,
            misses: 0,
            alone: false,
            provider_order_number: None,
            order_status: None,
            order_event: None,
            document: None,
            has_change: false,
            trip: None,
            results: Vec::new(),
            announce: true,
        }
    }
}

/// The numbers of a trip and of its orders, where the provider gave them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledTrip {
    pub trip_id: Uuid,
    pub provider_trip_number: Option<String>,
    /// One for each order, in the order of their places
    pub provider_order_numbers: Vec<Option<String>>,
}

impl SettledTrip {
    pub fn without_numbers(trip_id: Uuid) -> Self {
        SettledTrip { trip_id, provider_trip_number: None, provider_order_numbers: Vec::new() }
    }
}

/// Whether a settlement still counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fenced {
    Settled {
        /// Something else may go now: what waited behind it, what is tried again at once, or what a circuit held
        lets_go: bool,
        /// Where its only order stands; told of a creation that went well, with nothing behind it
        order: Option<OrderNow>,
    },
    /// The lease ran out before; nothing was changed.
    TooLate,
}

impl Store {
    pub async fn settle(&self, settlement: &Settlement) -> Result<Fenced, StoreError> {
        let closed = if settlement.has_more_to_tell() {
            let mut transaction = self.begin_by_keys().await?;
            let Some(closed) = close_and_record(&mut *transaction, settlement).await? else {
                return Ok(Fenced::TooLate);
            };
            outcome::record_beside(&mut transaction, &settlement.items, closed.at).await?;
            record_of_account(&mut transaction, settlement, closed.at).await?;
            transaction.commit().await?;
            closed
        } else {
            let closed = match LoneCreation::of(settlement) {
                Some(creation) => {
                    let mut session = self.warm.take(&self.pool).await?;
                    let closed = creation.settle(&mut *session).await?;
                    self.warm.keep(session, &self.pool);
                    closed
                }
                None => close_and_record(self.pool(), settlement).await?,
            };
            let Some(closed) = closed else { return Ok(Fenced::TooLate) };
            closed
        };
        self.tell_of_events();
        let tried_again = settlement.items.iter().any(|item| item.due_in == Some(Duration::ZERO));
        let lets_go = closed.lets_followers_go || tried_again || closed.ended_circuit;
        Ok(Fenced::Settled { lets_go, order: closed.order })
    }
}

impl Settlement {
    /// It is more than what one statement records.
    pub(super) fn has_more_to_tell(&self) -> bool {
        self.throttled_for.is_some()
            || self.reached != Some(true)
            || self.pause.is_some()
            || self.items.iter().any(outcome::reaches_others)
    }
}

/// An exchange that was closed just now.
pub(super) struct Closed {
    pub at: DateTime<Utc>,
    /// The answer ended what a circuit held
    pub ended_circuit: bool,
    /// Something may go now that waited behind its submissions
    pub lets_followers_go: bool,
    /// Its only order, where that is told
    pub order: Option<OrderNow>,
}

/// Where an order stands whose creation was settled just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderNow {
    pub status: OrderStatus,
    pub provider_order_number: Option<String>,
    pub version: i64,
    pub updated_at: DateTime<Utc>,
}

/// Closes the exchange if its lease still holds, the fence, and records what came of its submissions; nothing when it was
/// too late.
async fn close_and_record<'e>(
    executor: impl PgExecutor<'e>,
    settlement: &Settlement,
) -> Result<Option<Closed>, StoreError> {
    let record = settlement.record.as_ref();
    let response = record.and_then(|record| record.response.as_ref());
    let trips: Vec<Uuid> = settlement.items.iter().filter_map(|item| Some(item.trip.as_ref()?.trip_id)).collect();
    let request = record.map(|record| ("request", &record.request_body));
    let bodies: Vec<(&str, &PackedBody)> =
        request.into_iter().chain(response.map(|response| ("response", &response.body))).collect();
    let directions: Vec<&str> = bodies.iter().map(|(direction, _)| *direction).collect();
    let contents: Vec<&[u8]> = bodies.iter().map(|(_, body)| body.content.as_slice()).collect();
    let sizes: Vec<i64> = bodies.iter().map(|(_, body)| body.size).collect();
    let truncated: Vec<bool> = bodies.iter().map(|(_, body)| body.truncated).collect();
    let columns = outcome::Columns::of(&settlement.items);
    let fate = Fates::of(&settlement.items);
    let settling = outcome::recording!(
        r#"select closed.closed_at as "at!", closed.ended_circuit as "ended_circuit!", recorded.lets_go as "lets_go!"
           from close_exchange($30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $1, $2, $4, $43, $44, $45, $46, $7, $47,
               $48, $49, $50, $51, $52, $53) closed
           cross join lateral (
               select record_outcomes($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                   $22, $23, $24, $25, $26, $27, $28, $29, closed.closed_at) as lets_go) recorded"#,
        columns,
        settlement.exchange_id,
        record.map(|record| record.method),
        record.map(|record| record.url.as_str()),
        record.map(|record| json!(record.request_headers)),
        record.map(|record| seconds(record.sent_after(settlement))),
        record.and_then(|record| response.map(|_| seconds(record.sent_after(settlement) + record.took))),
        response.map(|response| i32::from(response.status)),
        response.map(|response| json!(response.headers)),
        settlement.error.as_deref(),
        &directions as &[&str],
        &contents as &[&[u8]],
        &sizes,
        &truncated,
        &fate.due_in as &[Option<f64>],
        &fate.after_lease,
        &fate.not_counted,
        &fate.may_exist,
        &fate.finished,
        &fate.cleared,
        &fate.misses,
        &fate.alone,
        &trips,
        settlement.account_id,
        settlement.reached == Some(true)
    );
    let row = settling.fetch_optional(executor).await?;
    Ok(row.map(|row| Closed {
        at: row.at,
        ended_circuit: row.ended_circuit,
        lets_followers_go: row.lets_go,
        order: None,
    }))
}

/// What the exchange means for its lane and its account.
async fn record_of_account(
    connection: &mut PgConnection,
    settlement: &Settlement,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if let Some(wait) = settlement.throttled_for {
        lanes::empty_bucket(connection, &settlement.lane, wait).await?;
    }
    if settlement.reached != Some(true) {
        note_unreached(connection, settlement, now).await?;
    }
    if let Some(reason) = &settlement.pause {
        accounts::pause(connection, &settlement.account_id, reason).await?;
    }
    Ok(())
}

/// What becomes of the submissions themselves, column by column.
#[derive(Default)]
struct Fates {
    due_in: Vec<Option<f64>>,
    after_lease: Vec<bool>,
    not_counted: Vec<i32>,
    may_exist: Vec<bool>,
    finished: Vec<bool>,
    cleared: Vec<bool>,
    misses: Vec<i32>,
    alone: Vec<bool>,
}

impl Fates {
    fn of(items: &[SettledItem]) -> Self {
        let mut columns = Fates::default();
        for item in items {
            columns.due_in.push(item.due_in.map(seconds));
            columns.after_lease.push(item.after_lease);
            columns.not_counted.push(i32::from(!item.counts));
            columns.may_exist.push(item.may_exist);
            columns.finished.push(item.state.is_final());
            columns.cleared.push(item.cleared);
            columns.misses.push(item.misses);
            columns.alone.push(item.alone);
        }
        columns
    }
}

/// Failures in a row after which an account's circuit opens.
const FAILURES_TO_OPEN: i32 = 5;
/// How long it stays open before a probe goes.
const OPEN_FOR: Duration = Duration::from_secs(30);

/// Counts transport failures of the account: they open its circuit. What was not tried tells nothing.
async fn note_unreached(
    connection: &mut PgConnection,
    settlement: &Settlement,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if settlement.reached.is_none() {
        return release::reopen_probe(connection, settlement.exchange_id).await;
    }
    sqlx::query!(
        "update accounts set transport_failures = transport_failures + 1,
             circuit_open_until = case when transport_failures + 1 >= $2 then $3::timestamptz + make_interval(secs => $4) end
         where id = $1",
        settlement.account_id,
        FAILURES_TO_OPEN,
        now,
        seconds(OPEN_FOR),
    )
    .execute(connection)
    .await?;
    Ok(())
}
