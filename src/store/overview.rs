//! Numbers for those who watch: what was accepted and settled minute by minute, and what waits in which lane.

use chrono::{DateTime, Utc};

use super::{Store, StoreError};

/// What happened in one minute.
#[derive(Debug, Clone)]
pub struct Minute {
    /// When it began
    pub at: DateTime<Utc>,
    /// Submissions that were accepted into the queue
    pub received: i64,
    /// Attempts by what they came to
    pub accepted: i64,
    pub partially_accepted: i64,
    pub rejected: i64,
    pub in_doubt: i64,
    pub dead: i64,
    /// Milliseconds from acceptance to the end of those that ended: half of them took no longer
    pub settled_median: Option<f64>,
    /// The same for 95 of 100
    pub settled_most: Option<f64>,
    /// Milliseconds that providers took to answer, for 95 of 100 requests
    pub answered_most: Option<f64>,
}

impl Minute {
    /// What came to an end.
    pub fn settled(&self) -> i64 {
        self.accepted + self.partially_accepted + self.rejected + self.dead
    }
}

/// What waits for one account at one endpoint, and the lane that it goes through.
#[derive(Debug, Clone)]
pub struct LaneLoad {
    pub account_id: String,
    pub provider: String,
    pub throttle_group: String,
    pub endpoint: String,
    pub queued: i64,
    pub sending: i64,
    pub in_doubt: i64,
    /// In doubt, and left to a person
    pub undecided: i64,
    /// Of those that wait: by what they are held
    pub held_by_rate_limit: i64,
    pub held_by_earlier: i64,
    pub held_by_backoff: i64,
    pub oldest_queued_at: Option<DateTime<Utc>>,
    pub paused_at: Option<DateTime<Utc>>,
    pub pause_reason: Option<String>,
    pub circuit_open_until: Option<DateTime<Utc>>,
    /// GCRA's theoretical arrival time
    pub next_free_at: Option<DateTime<Utc>>,
    /// Exchanges under way in the lane
    pub in_flight: i64,
    pub now: DateTime<Utc>,
}

/// What went wrong beside the lanes, and waits for a person.
#[derive(Debug, Clone)]
pub struct Troubles {
    /// Callbacks in quarantine
    pub quarantined: i64,
    /// Webhook endpoints that fail, or were disabled because they did
    pub undelivered: i64,
}

impl Store {
    /// Minute by minute from one instant to another, each the beginning of a minute, of the accounts that are allowed;
    /// nothing means all.
    pub async fn minutes(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        allowed: Option<&[String]>,
    ) -> Result<Vec<Minute>, StoreError> {
        // Both parts read a range of an index by time, and nothing of what lies before it.
        Ok(sqlx::query_as!(
            Minute,
            r#"with received as (
                   select date_bin('1 minute', created_at, 'epoch') as at, count(*) as number
                   from submissions
                   where created_at >= $1::timestamptz and created_at < $2::timestamptz and ($3::text[] is null or account_id = any($3))
                   group by 1),
               exchanged as materialized (
                   select id, date_bin('1 minute', finished_at, 'epoch') as at, finished_at, answered_at - sent_at as took
                   from exchanges
                   where finished_at >= $1 and finished_at < $2 and ($3::text[] is null or account_id = any($3))),
               settled as (
                   select e.at, count(*) filter (where a.outcome = 'accepted') as accepted,
                       count(*) filter (where a.outcome = 'partially_accepted') as partially_accepted,
                       count(*) filter (where a.outcome = 'rejected') as rejected,
                       count(*) filter (where a.outcome = 'in_doubt') as in_doubt,
                       count(*) filter (where a.outcome = 'dead') as dead,
                       percentile_cont(array[0.5, 0.95]::float8[]) within group (
                           order by (extract(epoch from e.finished_at - s.created_at) * 1000)::float8)
                           filter (where a.outcome in ('accepted', 'partially_accepted', 'rejected', 'dead')) as took
                   from exchanged e join attempts a on a.exchange_id = e.id join submissions s on s.id = a.submission_id
                   group by 1),
               answered as (
                   select at, percentile_cont(0.95) within group (order by (extract(epoch from took) * 1000)::float8) as took
                   from exchanged where took is not null group by 1)
               select minute as "at!", coalesce(received.number, 0) as "received!", coalesce(accepted, 0) as "accepted!",
                   coalesce(partially_accepted, 0) as "partially_accepted!", coalesce(rejected, 0) as "rejected!",
                   coalesce(in_doubt, 0) as "in_doubt!", coalesce(dead, 0) as "dead!",
                   settled.took[1] as settled_median, settled.took[2] as settled_most, answered.took as answered_most
               from generate_series($1::timestamptz, $2::timestamptz - interval '1 minute', interval '1 minute') as minute
               left join received on received.at = minute
               left join settled on settled.at = minute
               left join answered on answered.at = minute
               order by minute"#,
            from,
            to,
            allowed,
        )
        .fetch_all(self.pool())
        .await?)
    }

    /// What waits at each endpoint of each account that is allowed, and was used or has something waiting.
    pub async fn lane_loads(&self, allowed: Option<&[String]>) -> Result<Vec<LaneLoad>, StoreError> {
        // Reads what is unfinished, however much is finished.
        Ok(sqlx::query_as!(
            LaneLoad,
            r#"with waiting as materialized (
                   select account_id, endpoint, count(*) filter (where state = 'queued') as queued,
                       count(*) filter (where state = 'sending') as sending,
                       count(*) filter (where state = 'in_doubt') as in_doubt,
                       count(*) filter (where state = 'in_doubt' and not ready) as undecided,
                       count(*) filter (where held_by = 'rate_limit') as held_by_rate_limit,
                       count(*) filter (where held_by = 'earlier_submission') as held_by_earlier,
                       count(*) filter (where held_by = 'retry_backoff') as held_by_backoff,
                       min(created_at) filter (where state = 'queued') as oldest_queued_at
                   from submission_overview
                   where finished_at is null and ($1::text[] is null or account_id = any($1))
                   group by account_id, endpoint)
               select a.id as account_id, a.provider, a.throttle_group, used.endpoint as "endpoint!",
                   coalesce(w.queued, 0) as "queued!", coalesce(w.sending, 0) as "sending!",
                   coalesce(w.in_doubt, 0) as "in_doubt!", coalesce(w.undecided, 0) as "undecided!",
                   coalesce(w.held_by_rate_limit, 0) as "held_by_rate_limit!",
                   coalesce(w.held_by_earlier, 0) as "held_by_earlier!", coalesce(w.held_by_backoff, 0) as "held_by_backoff!",
                   w.oldest_queued_at, a.paused_at, a.pause_reason, a.circuit_open_until, l.next_free_at as "next_free_at?",
                   (select count(*) from exchanges e where e.provider = a.provider and e.throttle_group = a.throttle_group
                      and e.endpoint = used.endpoint and e.finished_at is null and e.lease_until > onelane_now()) as "in_flight!",
                   onelane_now() as "now!"
               from accounts a
               cross join lateral (
                   select w.endpoint from waiting w where w.account_id = a.id
                   union
                   select l.endpoint from lanes l where l.provider = a.provider and l.throttle_group = a.throttle_group) used
               left join waiting w on w.account_id = a.id and w.endpoint = used.endpoint
               left join lanes l on l.provider = a.provider and l.throttle_group = a.throttle_group and l.endpoint = used.endpoint
               where $1::text[] is null or a.id = any($1)
               order by a.provider, a.throttle_group, used.endpoint, a.id"#,
            allowed,
        )
        .fetch_all(self.pool())
        .await?)
    }

    /// What is wrong beside the lanes for the accounts that are allowed; nothing means all. Of callbacks no more than
    /// one over `most` are counted.
    pub async fn troubles(&self, allowed: Option<&[String]>, most: i64) -> Result<Troubles, StoreError> {
        Ok(sqlx::query_as!(
            Troubles,
            r#"select (select count(*) from (
                           select from callbacks
                           where state = 'quarantined' and state <> 'processed' and ($1::text[] is null or account_id = any($1))
                           limit $2::bigint + 1) counted) as "quarantined!",
                   (select count(*) from webhook_endpoints
                    where failing_since is not null and ($1::text[] is null or accounts <@ $1)) as "undelivered!""#,
            allowed,
            most,
        )
        .fetch_one(self.pool())
        .await?)
    }
}
