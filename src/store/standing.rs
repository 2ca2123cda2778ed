//! How the ledger stands, for the metrics. What could be large is counted up to a bound, over indexes that hold unfinished
//! work only, so that it costs little however much there is.

use std::time::Duration;

use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use tokio::time::Instant;

use super::{Store, StoreError};

/// Submissions of a lane, and deliveries of an endpoint, that are counted at most.
const MOST_COUNTED: i64 = 100_000;
/// Callbacks of a state that are counted at most.
const MOST_CALLBACKS: i64 = 10_000;

/// Connections to the database.
pub struct Connections {
    pub in_use: usize,
    pub idle: usize,
    pub limit: u32,
}

/// How everything stands.
pub struct Standing {
    /// How long it was waited for a connection
    pub acquired_in: Duration,
    pub queues: Vec<Queue>,
    pub accounts: Vec<AccountStanding>,
    pub lanes: Vec<LaneStanding>,
    pub concerns: Vec<Concern>,
    pub callbacks: Vec<CallbackCount>,
    pub webhooks: WebhookStanding,
    pub feed_position: i64,
    /// Of the oldest event without a place
    pub feed_lag: f64,
    /// Since the next sweep has been due
    pub retention_overdue: f64,
}

/// What waits of an account at an endpoint.
pub struct Queue {
    pub account_id: String,
    pub endpoint: String,
    pub queued: i64,
    /// Since the first of it has been due; negative when that is yet to come
    pub due_for: f64,
}

/// Whether anything may go out for an account.
pub struct AccountStanding {
    pub id: String,
    pub provider: String,
    pub throttle_group: String,
    pub throttles: Value,
    pub is_paused: bool,
    pub is_circuit_open: bool,
}

/// A lane's bucket.
pub struct LaneStanding {
    pub provider: String,
    pub throttle_group: String,
    pub endpoint: String,
    /// How far GCRA's theoretical arrival time lies ahead
    pub ahead: f64,
    pub in_flight: i64,
}

/// Submissions that somebody should look at.
pub struct Concern {
    pub account_id: String,
    pub is_dead: bool,
    /// The gateway goes on with them by itself
    pub goes_on: bool,
    pub number: i64,
}

/// Callbacks that are not at their end.
pub struct CallbackCount {
    pub provider: String,
    pub state: String,
    pub number: i64,
}

/// Webhook endpoints, and what is still to be delivered to those that are enabled.
pub struct WebhookStanding {
    pub working: i64,
    pub failing: i64,
    pub disabled: i64,
    pub pending: i64,
    /// Since the first delivery has been due; negative when that is yet to come
    pub due_for: f64,
}

impl Store {
    /// The connections of this process.
    pub fn connections(&self) -> Connections {
        let pool = self.pool();
        let (all, idle) = (usize::try_from(pool.size()).unwrap_or(usize::MAX), pool.num_idle());
        Connections { in_use: all.saturating_sub(idle), idle, limit: pool.options().get_max_connections() }
    }

    /// Reads how everything stands, over one connection.
    pub async fn standing(&self) -> Result<Standing, StoreError> {
        let begun = Instant::now();
        let mut connection = self.pool().acquire().await?;
        let acquired_in = begun.elapsed();
        let queues = queues(&mut connection).await?;
        let accounts = accounts(&mut connection).await?;
        let lanes = lanes(&mut connection).await?;
        let concerns = concerns(&mut connection).await?;
        let callbacks = callbacks(&mut connection).await?;
        let webhooks = webhooks(&mut connection).await?;
        let row = sqlx::query!(
            r#"select f.last_position,
                   coalesce((select extract(epoch from clock.now - w.recorded_at) from events_without_place w
                             order by w.recorded_at limit 1), 0)::float8 as "lag!",
                   -- Before the first sweep nothing is late.
                   (case when r.due_at = 'epoch' then 0 else extract(epoch from clock.now - r.due_at) end)::float8 as "overdue!"
               from feed f cross join retention r cross join (select onelane_now() as now) clock"#,
        )
        .fetch_one(&mut *connection)
        .await?;
        Ok(Standing {
            acquired_in,
            queues,
            accounts,
            lanes,
            concerns,
            callbacks,
            webhooks,
            feed_position: row.last_position,
            feed_lag: row.lag,
            retention_overdue: row.overdue,
        })
    }
}

async fn queues(connection: &mut PgConnection) -> Result<Vec<Queue>, StoreError> {
    Ok(sqlx::query_as!(
        Queue,
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
           select pair.account_id as "account_id!", pair.endpoint as "endpoint!",
               (select count(*) from (
                    select from submissions s where s.account_id = pair.account_id and s.endpoint = pair.endpoint
                      and s.ready and s.state in ('queued', 'in_doubt') limit $1) w) as "queued!",
               coalesce((select extract(epoch from onelane_now() - s.due_at) from submissions s
                    where s.account_id = pair.account_id and s.endpoint = pair.endpoint
                      and s.ready and s.state in ('queued', 'in_doubt') order by s.due_at, s.sequence limit 1), 0)::float8 as "due_for!"
           from pair"#,
        MOST_COUNTED,
    )
    .fetch_all(connection)
    .await?)
}

async fn accounts(connection: &mut PgConnection) -> Result<Vec<AccountStanding>, StoreError> {
    let rows = sqlx::query!(
        r#"select id, provider, throttle_group, throttles as "throttles: Json<Value>", paused_at is not null as "is_paused!",
               circuit_open_until is not null as "is_circuit_open!"
           from accounts"#,
    )
    .fetch_all(connection)
    .await?;
    let standing = rows.into_iter().map(|row| AccountStanding {
        id: row.id,
        provider: row.provider,
        throttle_group: row.throttle_group,
        throttles: row.throttles.0,
        is_paused: row.is_paused,
        is_circuit_open: row.is_circuit_open,
    });
    Ok(standing.collect())
}

async fn lanes(connection: &mut PgConnection) -> Result<Vec<LaneStanding>, StoreError> {
    Ok(sqlx::query_as!(
        LaneStanding,
        r#"select l.provider, l.throttle_group, l.endpoint,
               extract(epoch from l.next_free_at - clock.now)::float8 as "ahead!",
               (select count(*) from exchanges e where e.provider = l.provider and e.throttle_group = l.throttle_group
                  and e.endpoint = l.endpoint and e.finished_at is null and e.lease_until > clock.now) as "in_flight!"
           from lanes l cross join (select onelane_now() as now) clock
           -- A lane outlives its accounts.
           where exists (select from accounts a where a.provider = l.provider and a.throttle_group = l.throttle_group)"#,
    )
    .fetch_all(connection)
    .await?)
}

async fn concerns(connection: &mut PgConnection) -> Result<Vec<Concern>, StoreError> {
    Ok(sqlx::query_as!(
        Concern,
        r#"select account_id, state = 'dead' as "is_dead!", state = 'in_doubt' and ready as "goes_on!", count(*) as "number!"
           from (select account_id, state, ready from submissions where state in ('in_doubt', 'dead') limit $1) concern
           group by 1, 2, 3"#,
        MOST_COUNTED,
    )
    .fetch_all(connection)
    .await?)
}

async fn callbacks(connection: &mut PgConnection) -> Result<Vec<CallbackCount>, StoreError> {
    Ok(sqlx::query_as!(
        CallbackCount,
        r#"select kept.provider as "provider!", word.state as "state!", count(*) as "number!"
           from unnest(array['received', 'waiting', 'quarantined']) as word (state)
           cross join lateral (select provider from callbacks c where c.state = word.state and c.state <> 'processed' limit $1) kept
           group by 1, 2"#,
        MOST_CALLBACKS,
    )
    .fetch_all(connection)
    .await?)
}

async fn webhooks(connection: &mut PgConnection) -> Result<WebhookStanding, StoreError> {
    Ok(sqlx::query_as!(
        WebhookStanding,
        r#"select count(*) filter (where w.disabled_at is null and w.failing_since is null) as "working!",
               count(*) filter (where w.disabled_at is null and w.failing_since is not null) as "failing!",
               count(*) filter (where w.disabled_at is not null) as "disabled!",
               coalesce(sum(waiting.number), 0)::bigint as "pending!",
               coalesce(max(waiting.due_for), 0)::float8 as "due_for!"
           from webhook_endpoints w
           left join lateral (
               select (select count(*) from (
                           select from webhook_deliveries d where d.endpoint_id = w.id and d.state = 'pending' limit $1) p) as number,
                   (select extract(epoch from onelane_now() - d.due_at) from webhook_deliveries d
                    where d.endpoint_id = w.id and d.state = 'pending' order by d.due_at, d.position limit 1) as due_for) waiting
               on w.disabled_at is null"#,
        MOST_COUNTED,
    )
    .fetch_one(connection)
    .await?)
}
