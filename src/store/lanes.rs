//! What is going on in a lane.

use chrono::{DateTime, Utc};

use super::{Store, StoreError};

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
