//! What is going on in a lane.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Store, StoreError, seconds};
use crate::throttle::Pace;

/// A lane's queue and state for one account.
pub struct LaneState {
    /// GCRA's theoretical arrival time
    pub next_free_at: Option<DateTime<Utc>>,
    pub now: DateTime<Utc>,
    pub queued: i64,
    pub oldest_queued_at: Option<DateTime<Utc>>,
    pub in_flight: i64,
    pub circuit_open_until: Option<DateTime<Utc>>,
}

/// A lane that has something to send now.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LaneKey {
    pub provider: String,
    pub throttle_group: String,
    pub endpoint: String,
}

impl Store {
    /// Takes a token for a request that goes to an endpoint by itself. Gives the time until it may leave; nothing,
    /// and no token, when that is more than `patience`.
    pub async fn take_token(
        &self,
        lane: &LaneKey,
        pace: &Pace,
        patience: Duration,
    ) -> Result<Result<Duration, Duration>, StoreError> {
        let LaneKey { provider, throttle_group, endpoint } = lane;
        sqlx::query!(
            "insert into lanes (provider, throttle_group, endpoint, next_free_at) values ($1, $2, $3, onelane_now())
             on conflict do nothing",
            provider,
            throttle_group,
            endpoint,
        )
        .execute(self.pool())
        .await?;
        let row = sqlx::query!(
            r#"with clock as materialized (select onelane_now() as now),
               lane as materialized (
                   select next_free_at from lanes where provider = $1 and throttle_group = $2 and endpoint = $3 for update),
               slot as materialized (
                   select greatest(clock.now, lane.next_free_at - make_interval(secs => $4)) as at, clock.now, lane.next_free_at
                   from lane, clock),
               taken as (
                   update lanes set next_free_at = greatest(slot.at, slot.next_free_at) + make_interval(secs => $5)
                   from slot
                   where provider = $1 and throttle_group = $2 and endpoint = $3 and slot.at <= slot.now + make_interval(secs => $6)
                   returning 1)
               select (extract(epoch from slot.at - slot.now))::float8 as "wait!", exists (select from taken) as "taken!" from slot"#,
            provider,
            throttle_group,
            endpoint,
            seconds(pace.tolerance()),
            seconds(pace.spacing),
            seconds(patience),
        )
        .fetch_one(self.pool())
        .await?;
        let wait = Duration::from_secs_f64(row.wait.max(0.0));
        Ok(if row.taken { Ok(wait) } else { Err(wait) })
    }

    /// As a settlement empties a lane's bucket, for a request that goes by itself.
    pub async fn empty_bucket(&self, lane: &LaneKey, wait: Duration) -> Result<(), StoreError> {
        let mut connection = self.pool().acquire().await?;
        empty_bucket(&mut connection, lane, wait).await
    }

    /// The lanes in which a submission is due, for replicas that did not accept it.
    pub async fn lanes_with_work(&self) -> Result<Vec<LaneKey>, StoreError> {
        Ok(sqlx::query_as!(
            LaneKey,
            r#"with recursive pair as (
                   -- A loose index scan: one step for each account and endpoint, not for each row.
                   (select account_id, endpoint from submissions
                    where ready and state in ('queued', 'in_doubt') order by account_id, endpoint limit 1)
                   union all
                   select next.account_id, next.endpoint from pair cross join lateral (
                       select account_id, endpoint from submissions
                       where ready and state in ('queued', 'in_doubt')
                         and (account_id, endpoint) > (pair.account_id, pair.endpoint)
                       order by account_id, endpoint limit 1) next)
               select distinct a.provider, a.throttle_group, pair.endpoint as "endpoint!"
               from pair join accounts a on a.id = pair.account_id
               where a.paused_at is null
                 and exists (select from submissions s where s.account_id = pair.account_id and s.endpoint = pair.endpoint
                             and s.ready and s.state in ('queued', 'in_doubt') and s.due_at <= onelane_now())"#,
        )
        .fetch_all(self.pool())
        .await?)
    }

    /// The queue of one account at one endpoint, and the lane that it goes through.
    pub async fn lane_state(&self, account_id: &str, endpoint: &str) -> Result<Option<LaneState>, StoreError> {
        Ok(sqlx::query_as!(
            LaneState,
            r#"select l.next_free_at as "next_free_at?", onelane_now() as "now!",
                   (select count(*) from submissions s where s.account_id = a.id and s.endpoint = $2
                      and (s.state = 'queued' or s.state = 'in_doubt' and s.ready) and s.finished_at is null) as "queued!",
                   (select min(s.created_at) from submissions s where s.account_id = a.id and s.endpoint = $2
                      and (s.state = 'queued' or s.state = 'in_doubt' and s.ready) and s.finished_at is null) as oldest_queued_at,
                   (select count(*) from exchanges e where e.provider = a.provider and e.throttle_group = a.throttle_group
                      and e.endpoint = $2 and e.finished_at is null and e.lease_until > onelane_now()) as "in_flight!",
                   a.circuit_open_until
               from accounts a
               left join lanes l on l.provider = a.provider and l.throttle_group = a.throttle_group and l.endpoint = $2
               where a.id = $1"#,
            account_id,
            endpoint,
        )
        .fetch_optional(self.pool())
        .await?)
    }
}

/// No token of the lane before this wait is over: the provider asks for it.
pub(super) async fn empty_bucket(
    connection: &mut PgConnection,
    lane: &LaneKey,
    wait: Duration,
) -> Result<(), StoreError> {
    let LaneKey { provider, throttle_group, endpoint } = lane;
    sqlx::query!(
        "update lanes set next_free_at = greatest(next_free_at, onelane_now() + make_interval(secs => $4))
         where provider = $1 and throttle_group = $2 and endpoint = $3",
        provider,
        throttle_group,
        endpoint,
        seconds(wait),
    )
    .execute(connection)
    .await?;
    Ok(())
}
