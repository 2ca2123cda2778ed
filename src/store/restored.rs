//! A ledger that was set back to an earlier moment: by a restored backup, or by a replica that had not got everything.
//! Others know more than it does, and it is told so before a gateway goes on with it.

use sqlx::PgConnection;

use super::audit::{Act, commit_with};
use super::claim::LEASE;
use super::{Store, StoreError, seconds};
use crate::canonical::SubmissionResult;

/// Submissions that are put in doubt at once.
const MOST_AT_ONCE: i64 = 1000;

/// What a ledger that was set back was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Submissions that may have been sent since
    pub doubts: i64,
    /// The place in the feed after which the next event stands
    pub feed_position: i64,
}

impl Store {
    /// The accounts from which something may go out.
    pub async fn accounts_at_work(&self) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar!("select id from accounts where paused_at is null order by id")
            .fetch_all(self.pool())
            .await?)
    }

    /// Says of everything unfinished that it may have been sent, even just now, and leaves `feed_gap` places of the feed out, which may
    /// have been given to events that are gone. What was in doubt already stays so.
    pub async fn declare_restored(
        &self,
        feed_gap: i64,
        result: &SubmissionResult,
        act: &Act<'_>,
    ) -> Result<Restored, StoreError> {
        let mut doubts = 0;
        loop {
            let mut transaction = self.begin().await?;
            let some = put_in_doubt(&mut transaction, result).await?;
            transaction.commit().await?;
            if some == 0 {
                break;
            }
            doubts += some;
        }
        let mut transaction = self.begin().await?;
        // What the provider was found not to have may have been sent again since, and just now.
        sqlx::query!(
            "update submissions set cleared = false, misses = 0,
                 due_at = greatest(due_at, onelane_now() + make_interval(secs => $1))
             where finished_at is null and state in ('queued', 'in_doubt') and may_exist",
            seconds(LEASE),
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "update exchanges set lease_until = greatest(lease_until, onelane_now() + make_interval(secs => $1))
             where finished_at is null",
            seconds(LEASE),
        )
        .execute(&mut *transaction)
        .await?;
        let feed_position =
            sqlx::query_scalar!("update feed set last_position = last_position + $1 returning last_position", feed_gap)
                .fetch_one(&mut *transaction)
                .await?;
        commit_with(transaction, act, true).await?;
        self.tell_of_events();
        Ok(Restored { doubts, feed_position })
    }
}

/// Puts some of what waits in doubt: with an attempt that nobody remembers, from its acceptance on.
async fn put_in_doubt(connection: &mut PgConnection, result: &SubmissionResult) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"with waiting as materialized (
               select id, order_id from submissions where finished_at is null and state = 'queued' and not may_exist
               order by id limit $1),
           locked as materialized (
               -- Exchanges, orders, submissions: as a settlement locks them.
               select id, order_number, status from orders where id in (select order_id from waiting) order by id for update),
           doubtful as materialized (
               select s.id, s.order_id, s.account_id, s.provider, s.endpoint, s.operation, s.ready, s.created_at,
                   s.exchanges + 1 as number, gen_random_uuid() as exchange_id, onelane_now() as now
               from (select count(*) from locked) all_locked, submissions s
               where s.id in (select id from waiting) and s.state = 'queued' for update of s),
           exchange as (
               insert into exchanges (id, account_id, throttle_group, provider, endpoint, items, claimed_at, lease_until, finished_at, error)
               select d.exchange_id, d.account_id, coalesce(a.throttle_group, d.account_id), d.provider, d.endpoint, 1, d.created_at,
                   d.created_at, d.now, 'the ledger was set back: whether and when it was sent is not known'
               from doubtful d left join accounts a on a.id = d.account_id),
           attempt as (
               insert into attempts (submission_id, number, exchange_id, position, outcome)
               select id, number, exchange_id, 0, 'in_doubt' from doubtful),
           doubted as (
               -- What waits for another one goes on waiting.
               update submissions s set state = case when d.ready then 'in_doubt' else s.state end, may_exist = true,
                   cleared = false, misses = 0, exchanges = d.number, exchange_id = d.exchange_id, exchange_position = 0,
                   due_at = d.now, updated_at = d.now
               from doubtful d where s.id = d.id),
           result as (
               insert into results (submission_id, provider, scope, raw_code, code, severity, retryable, pointers, message_zh, message_en, notice, recorded_at)
               select id, $2, $2, $3, $3, $4, false, '{}', $5, $6, false, now from doubtful),
           event as (
               insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
               select gen_random_uuid(), 'submission.in_doubt', d.account_id, d.order_id, d.id,
                   jsonb_build_object('orderNumber', o.order_number, 'operation', d.operation, 'state', 'in_doubt', 'status', o.status),
                   d.now, d.now
               from doubtful d join locked o on o.id = d.order_id where d.ready)
           select count(*) as "count!" from doubtful"#,
        MOST_AT_ONCE,
        result.provider,
        result.code,
        <&str>::from(result.severity),
        result.message_zh,
        result.message_en,
    )
    .fetch_one(connection)
    .await?)
}
