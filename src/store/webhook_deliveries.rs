//! Deliveries of events to webhook endpoints: claimed with a lease, tried, settled behind a fence.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::audit::{Act, commit_with};
use super::events::{EventRow, StoredEvent};
use super::{Store, StoreError, seconds, webhook_endpoints, word};
use crate::canonical::DeliveryState;
use crate::vault::Sealed;

/// How long a claimed delivery belongs to the worker that claimed it.
pub const LEASE: Duration = Duration::from_secs(60);
/// How long a delivery is tried. An endpoint at which nothing succeeded for as long is disabled.
pub const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// A delivery that is to be tried now.
pub struct ClaimedDelivery {
    pub endpoint_id: Uuid,
    pub url: String,
    /// What signs it, the newest first
    pub secrets: Vec<Sealed>,
    pub event: StoredEvent,
    /// Which try it is of all; the fence
    pub attempt: i32,
    /// Which try it is since it was begun
    pub tries: i32,
    /// When it was claimed
    pub claimed_at: DateTime<Utc>,
}

/// What came of a try.
pub struct DeliveryAttempt<'a> {
    pub endpoint_id: Uuid,
    pub event_id: Uuid,
    pub attempt: i32,
    pub claimed_at: DateTime<Utc>,
    /// HTTP status of the answer, if there was one
    pub status: Option<u16>,
    pub outcome: DeliveryOutcome<'a>,
}

/// Whether a try succeeded, and what follows when it did not.
pub enum DeliveryOutcome<'a> {
    Delivered,
    /// Tried again after `wait`, while its time lasts
    Failed {
        error: &'a str,
        wait: Duration,
    },
    /// The endpoint says that it will never take anything again; why it is disabled
    Gone {
        error: &'a str,
        reason: &'a str,
    },
}

/// What a settled try did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettledDelivery {
    In(DeliveryState),
    /// The endpoint was disabled with it.
    EndpointDisabled,
    /// Another worker tried it meanwhile, or the endpoint is gone; nothing was changed.
    TooLate,
}

/// A delivery as the ledger keeps it.
pub struct StoredDelivery {
    pub event_id: Uuid,
    /// Nothing when the event is not kept any more
    pub event_type: Option<String>,
    pub position: i64,
    pub state: DeliveryState,
    pub attempts: i32,
    /// While it is pending: when it is tried next; nothing while it is tried
    pub due_at: Option<DateTime<Utc>>,
    pub attempted_at: Option<DateTime<Utc>>,
    pub response_status: Option<i32>,
    pub error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// What became of a delivery that was to be begun anew.
#[derive(Debug, PartialEq, Eq)]
pub enum Redelivered {
    Done,
    /// It is being tried right now.
    UnderWay,
    /// The event is not kept any more.
    EventGone,
    Unknown,
}

/// Why an endpoint is disabled that failed for too long.
const WORN_OUT: &str = "every delivery failed for 24 hours";

struct DeliveryRow {
    event_id: Uuid,
    event_type: Option<String>,
    position: i64,
    state: String,
    attempts: i32,
    due_at: Option<DateTime<Utc>>,
    attempted_at: Option<DateTime<Utc>>,
    response_status: Option<i32>,
    error: Option<String>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

impl TryFrom<DeliveryRow> for StoredDelivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        let DeliveryRow {
            event_id,
            event_type,
            position,
            state,
            attempts,
            due_at,
            attempted_at,
            response_status,
            error,
            created_at,
            finished_at,
        } = row;
        Ok(StoredDelivery {
            state: word("webhook_deliveries", "state", event_id, &state)?,
            event_id,
            event_type,
            position,
            attempts,
            due_at,
            attempted_at,
            response_status,
            error,
            created_at,
            finished_at,
        })
    }
}

macro_rules! select_deliveries {
    ($where:tt, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            DeliveryRow,
            r#"select d.event_id, e.type as "event_type?", d.position, d.state, d.attempts,
                   case when d.state = 'pending' and (d.lease_until is null or d.lease_until <= onelane_now()) then d.due_at end as due_at,
                   d.attempted_at, d.response_status, d.error, d.created_at, d.finished_at
               from webhook_deliveries d left join events e on e.id = d.event_id "# + $where,
            $($argument),*
        )
    };
}

impl Store {
    /// Takes up to `most` due deliveries, of each endpoint no more than so many at once over all replicas (but for
    /// what another one takes in the same instant), and one at a time of an endpoint that fails.
    pub async fn claim_deliveries(
        &self,
        most: i64,
        of_each: i64,
        key_ids: &[String],
    ) -> Result<Vec<ClaimedDelivery>, StoreError> {
        let rows = sqlx::query!(
            r#"with clock as materialized (select onelane_now() as now),
            endpoint as materialized (
                select w.id, greatest(0, case when w.failing_since is null then $2::bigint else 1 end
                    - (select count(*) from webhook_deliveries d where d.endpoint_id = w.id and d.lease_until > clock.now)) as room
                from webhook_endpoints w, clock where w.disabled_at is null and w.secret_key = any($5::text[])
                -- Whoever is many times there must not always be first.
                order by random()),
            picked as materialized (
                select due.endpoint_id, due.event_id from endpoint, clock cross join lateral (
                    select d.endpoint_id, d.event_id from webhook_deliveries d
                    where d.endpoint_id = endpoint.id and d.state = 'pending' and d.due_at <= clock.now
                    order by d.due_at, d.position limit endpoint.room
                    for update of d skip locked) due
                limit $1),
            taken as (
                update webhook_deliveries d set attempts = d.attempts + 1, tries = d.tries + 1, attempted_at = clock.now,
                    due_at = clock.now + make_interval(secs => $3), lease_until = clock.now + make_interval(secs => $3),
                    tries_until = coalesce(d.tries_until, clock.now + make_interval(secs => $4))
                from picked, clock where d.endpoint_id = picked.endpoint_id and d.event_id = picked.event_id
                returning d.endpoint_id, d.event_id, d.position, d.attempts, d.tries)
            select t.endpoint_id, t.attempts, t.tries, w.url, w.secret, w.secret_key,
                case when w.previous_secret_until > clock.now then w.previous_secret end as previous_secret, w.previous_secret_key,
                e.id, e.type as event_type, e.account_id, e.order_id, e.data as "data: Json<Value>", e.occurred_at, e.recorded_at,
                coalesce(e.trace_parent, s.trace_parent) as trace_parent, clock.now as "claimed_at!"
            from clock, taken t join webhook_endpoints w on w.id = t.endpoint_id join events e on e.id = t.event_id
                left join submissions s on s.id = e.submission_id
            order by t.position"#,
            most,
            of_each,
            seconds(LEASE),
            seconds(PATIENCE),
            key_ids,
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter()
            .map(|row| {
                let previous = row.previous_secret.zip(row.previous_secret_key);
                let previous = previous.map(|(bytes, key_id)| Sealed { bytes, key_id });
                let event = EventRow {
                    id: row.id,
                    event_type: row.event_type,
                    account_id: row.account_id,
                    order_id: row.order_id,
                    data: row.data,
                    occurred_at: row.occurred_at,
                    recorded_at: row.recorded_at,
                    trace_parent: row.trace_parent,
                };
                Ok(ClaimedDelivery {
                    endpoint_id: row.endpoint_id,
                    url: row.url,
                    secrets: [Some(Sealed { bytes: row.secret, key_id: row.secret_key }), previous]
                        .into_iter()
                        .flatten()
                        .collect(),
                    event: event.try_into()?,
                    attempt: row.attempts,
                    tries: row.tries,
                    claimed_at: row.claimed_at,
                })
            })
            .collect()
    }

    /// Records what came of a try, unless another one was begun since.
    pub async fn settle_delivery(&self, attempt: &DeliveryAttempt<'_>) -> Result<SettledDelivery, StoreError> {
        let (error, wait, gone) = match &attempt.outcome {
            DeliveryOutcome::Delivered => return self.settle_delivered(attempt).await,
            DeliveryOutcome::Failed { error, wait } => (*error, *wait, None),
            DeliveryOutcome::Gone { error, reason } => (*error, Duration::ZERO, Some(*reason)),
        };
        let mut transaction = self.begin().await?;
        // The endpoint first, as whoever deletes it does.
        let Some(worn_out) = sqlx::query_scalar!(
            r#"update webhook_endpoints set failing_since = coalesce(failing_since, $2) where id = $1
               returning failing_since <= onelane_now() - make_interval(secs => $3) as "worn_out!""#,
            attempt.endpoint_id,
            attempt.claimed_at,
            seconds(PATIENCE),
        )
        .fetch_optional(&mut *transaction)
        .await?
        else {
            return Ok(SettledDelivery::TooLate);
        };
        let Some(state) = sqlx::query_scalar!(
            "with clock as materialized (select onelane_now() as now)
             update webhook_deliveries set lease_until = null, response_status = $4, error = $5,
                 state = case when $7 or tries_until <= now then 'dead' else 'pending' end,
                 finished_at = case when $7 or tries_until <= now then now end,
                 -- The last try is at the end of its time, and not before.
                 due_at = least(now + make_interval(secs => $6), greatest(tries_until, now))
             from clock
             where endpoint_id = $1 and event_id = $2 and attempts = $3 and state = 'pending'
             returning state",
            attempt.endpoint_id,
            attempt.event_id,
            attempt.attempt,
            attempt.status.map(i32::from),
            error,
            seconds(wait),
            gone.is_some(),
        )
        .fetch_optional(&mut *transaction)
        .await?
        else {
            return Ok(SettledDelivery::TooLate);
        };
        let disabled = match gone.or(worn_out.then_some(WORN_OUT)) {
            Some(reason) => webhook_endpoints::disable(&mut transaction, attempt.endpoint_id, reason).await?,
            None => false,
        };
        transaction.commit().await?;
        if disabled {
            self.tell_of_events();
            return Ok(SettledDelivery::EndpointDisabled);
        }
        Ok(SettledDelivery::In(word("webhook_deliveries", "state", attempt.event_id, &state)?))
    }

    async fn settle_delivered(&self, attempt: &DeliveryAttempt<'_>) -> Result<SettledDelivery, StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query!(
            "update webhook_endpoints set failing_since = null where id = $1 and failing_since is not null",
            attempt.endpoint_id,
        )
        .execute(&mut *transaction)
        .await?;
        let done = sqlx::query!(
            "update webhook_deliveries set state = 'delivered', lease_until = null, response_status = $4, error = null,
                 finished_at = onelane_now()
             where endpoint_id = $1 and event_id = $2 and attempts = $3 and state = 'pending'",
            attempt.endpoint_id,
            attempt.event_id,
            attempt.attempt,
            attempt.status.map(i32::from),
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let settled = SettledDelivery::In(DeliveryState::Delivered);
        Ok(if done.rows_affected() == 1 { settled } else { SettledDelivery::TooLate })
    }

    /// The deliveries of an endpoint, newest event first, before a place in the feed.
    pub async fn webhook_deliveries(
        &self,
        endpoint_id: Uuid,
        state: Option<DeliveryState>,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<StoredDelivery>, StoreError> {
        let rows = select_deliveries!(
            "where d.endpoint_id = $1 and ($2::text is null or d.state = $2) and ($3::bigint is null or d.position < $3)
             order by d.position desc limit $4",
            endpoint_id,
            state.map(<&str>::from),
            before,
            limit,
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter().map(StoredDelivery::try_from).collect()
    }

    /// The delivery of one event to an endpoint.
    pub async fn webhook_delivery(
        &self,
        endpoint_id: Uuid,
        event_id: Uuid,
    ) -> Result<Option<StoredDelivery>, StoreError> {
        let row = select_deliveries!("where d.endpoint_id = $1 and d.event_id = $2", endpoint_id, event_id);
        row.fetch_optional(self.pool()).await?.map(StoredDelivery::try_from).transpose()
    }

    /// Begins a delivery anew, at once and with all its tries before it, whatever became of it.
    pub async fn redeliver(&self, endpoint_id: Uuid, event_id: Uuid, act: &Act<'_>) -> Result<Redelivered, StoreError> {
        let mut transaction = self.begin().await?;
        let row = sqlx::query!(
            r#"with target as (
                   select endpoint_id, event_id, coalesce(lease_until > onelane_now(), false) as under_way,
                       exists (select from events where id = $2) as kept
                   from webhook_deliveries where endpoint_id = $1 and event_id = $2 for update),
               begun as (
                   update webhook_deliveries d set state = 'pending', due_at = onelane_now(), tries = 0, tries_until = null,
                       lease_until = null, finished_at = null
                   from target where d.endpoint_id = target.endpoint_id and d.event_id = target.event_id
                     and not target.under_way and target.kept)
               select under_way as "under_way!", kept as "kept!" from target"#,
            endpoint_id,
            event_id,
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let redelivered = match row {
            None => Redelivered::Unknown,
            Some(row) if !row.kept => Redelivered::EventGone,
            Some(row) if row.under_way => Redelivered::UnderWay,
            Some(_) => Redelivered::Done,
        };
        commit_with(transaction, act, matches!(redelivered, Redelivered::Done)).await?;
        Ok(redelivered)
    }
}
