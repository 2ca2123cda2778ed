//! Leases that ran out: the worker died or hangs, and nobody knows whether its bytes arrived.

use uuid::Uuid;

use super::{Store, StoreError};
use crate::canonical::SubmissionResult;

impl Store {
    /// Puts the submissions of exchanges whose lease ran out in doubt, due for evidence at once; those with
    /// `most_attempts` tries are left to a person. Gives their ids.
    pub async fn put_lost_exchanges_in_doubt(
        &self,
        result: &SubmissionResult,
        most_attempts: i32,
    ) -> Result<Vec<Uuid>, StoreError> {
        let ids = sqlx::query_scalar!(
            r#"with due as materialized (
                   select id from exchanges where finished_at is null and lease_until <= onelane_now()
                   order by lease_until limit 100 for update skip locked),
               locked as materialized (
                   -- Exchanges, orders, submissions: as a settlement locks them.
                   select id, order_number, status from orders
                   where id in (select s.order_id from submissions s join due on s.exchange_id = due.id where s.state = 'sending')
                   order by id for update),
               lost as (
                   update exchanges set finished_at = onelane_now(), error = 'the lease ran out before the exchange was settled'
                   from (select count(*) from locked) all_locked
                   where id in (select id from due)
                   returning id, finished_at),
               before as (
                   select s.id, exists (select from attempts a where a.submission_id = s.id and a.outcome = 'in_doubt') as doubted
                   from submissions s join lost on s.exchange_id = lost.id where s.state = 'sending'),
               doubtful as (
                   update submissions s set state = 'in_doubt', ready = s.attempts < $6, may_exist = true, cleared = false, misses = 0,
                       due_at = lost.finished_at, updated_at = lost.finished_at
                   from lost where s.exchange_id = lost.id and s.state = 'sending'
                   returning s.id, s.order_id, s.account_id, s.operation, s.exchange_id, s.updated_at),
               attempt as (
                   update attempts t set outcome = 'in_doubt' from doubtful
                   where t.submission_id = doubtful.id and t.exchange_id = doubtful.exchange_id),
               earlier as (
                   delete from results r using doubtful where r.submission_id = doubtful.id and not r.notice),
               result as (
                   insert into results (submission_id, provider, scope, raw_code, code, severity, retryable, pointers, message_zh, message_en, notice, recorded_at)
                   select id, $1, $1, $2, $2, $3, false, '{}', $4, $5, false, updated_at from doubtful),
               event as (
                   -- Going back into a doubt that was told is no news.
                   insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
                   select gen_random_uuid(), 'submission.in_doubt', d.account_id, d.order_id, d.id,
                       jsonb_build_object('orderNumber', o.order_number, 'operation', d.operation, 'state', 'in_doubt', 'status', o.status),
                       d.updated_at, onelane_now()
                   from doubtful d join before on before.id = d.id join locked o on o.id = d.order_id
                   where not before.doubted)
               select id from doubtful"#,
            result.provider,
            result.code,
            <&str>::from(result.severity),
            result.message_zh,
            result.message_en,
            most_attempts,
        )
        .fetch_all(self.pool())
        .await?;
        if !ids.is_empty() {
            self.tell_of_events();
        }
        Ok(ids)
    }
}
