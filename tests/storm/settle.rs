//! After the storm: time is moved by hand until nothing moves any more.

use std::time::{Duration, Instant};

use super::database::Database;

/// What is left to be done, and when the next of it may be.
const LEFT: &str = "
    with clock as materialized (select onelane_now() as now),
    waiting (kind, at) as (
        select 'submissions', greatest(s.due_at, a.circuit_open_until, l.next_free_at - interval '1 s')
        from submissions s join accounts a on a.id = s.account_id
        left join lanes l on l.provider = s.provider and l.throttle_group = a.throttle_group and l.endpoint = s.endpoint
        where s.ready and s.finished_at is null and s.state in ('queued', 'in_doubt') and a.paused_at is null
        union all
        select 'exchanges', lease_until from exchanges where finished_at is null
        union all
        select 'callbacks', due_at from callbacks where state = 'received'
        union all
        select 'webhooks', greatest(due_at, lease_until) from webhook_deliveries where state = 'pending'
        union all
        select 'events', recorded_at from events_without_place)
    select count(*), coalesce(extract(epoch from min(at) - min(now)), 0)::float8,
        (select count(*) from exchanges, clock where finished_at is null and claimed_at > now - make_interval(secs => 12)),
        coalesce((select string_agg(kind || ' ' || n, ', ') from (select kind, count(*) as n from waiting group by kind) k), '')
    from waiting, clock";

/// How long nothing may change for what is due now to count as stuck.
const STUCK: Duration = Duration::from_secs(90);
const LOOK: Duration = Duration::from_millis(100);
/// How much further time is moved than to what is waited for: what is due soon after is due as well then.
const BEYOND: Duration = Duration::from_secs(5);

/// How it came to rest.
#[derive(Debug, Default)]
pub struct Settled {
    /// How often time was moved
    pub moves: usize,
    pub moved: Duration,
    /// What did not come to rest
    pub stuck: Option<String>,
}

/// Waits for what is due now, and moves time to what is due next, until nothing is left.
pub async fn settle(database: &Database) -> Settled {
    let mut settled = Settled::default();
    let mut seen = String::new();
    let mut changed = Instant::now();
    loop {
        let [(left, due_in, young, kinds)] =
            database.rows::<(i64, f64, i64, String)>(LEFT).await.try_into().unwrap_or_else(|_| panic!("one row"));
        if left == 0 {
            return settled;
        }
        if kinds != seen {
            (seen, changed) = (kinds, Instant::now());
        } else if changed.elapsed() > STUCK {
            settled.stuck = Some(seen);
            return settled;
        }
        // An exchange that is under way is waited for in real time.
        if due_in > 0.0 && young == 0 {
            let time = Duration::from_secs_f64(due_in) + BEYOND;
            database.advance(time).await;
            settled.moves += 1;
            settled.moved += time;
            changed = Instant::now();
        }
        tokio::time::sleep(LOOK).await;
    }
}
