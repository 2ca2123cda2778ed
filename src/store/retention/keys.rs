//! Idempotency keys. A key is good for as long as it is kept.

use std::time::Duration;

use super::{Batch, MOST_ROWS, Place, Swept, Turn};
use crate::store::{Store, StoreError, seconds};

impl Store {
    /// Removes idempotency keys that were first used so long ago, unless something that their request made is
    /// unfinished.
    pub async fn forget_idempotency_keys(&self, turn: Turn, age: Duration, from: Place) -> Result<Swept, StoreError> {
        let Some(mut transaction) = self.begin_batch(turn).await? else { return Ok(Swept::TurnLost) };
        let last = sqlx::query!(
            r#"with candidate as materialized (
                   select api_key_id, method, path, key, resource_id, answer, running_until, created_at from idempotency_keys
                   where created_at <= (select onelane_now() - make_interval(secs => $1)) and (created_at, resource_id) > ($2, $3)
                   order by created_at, resource_id limit $4 for update skip locked),
               gone as (
                   delete from idempotency_keys k using candidate c
                   where (k.api_key_id, k.method, k.path, k.key) = (c.api_key_id, c.method, c.path, c.key)
                     and coalesce(c.running_until <= onelane_now(), true)
                     -- Under one "not", so that each is looked up by its index and none is read whole.
                     and not (
                         exists (select from submissions s where s.order_id = c.resource_id and s.finished_at is null)
                         or exists (
                             select from submissions s
                             where s.finished_at is null and s.trip_id = coalesce(
                                 (select m.trip_id from trip_orders m where m.order_id = c.resource_id), c.resource_id))
                         -- What a batch made stands in its answer.
                         or exists (
                             select from submissions s
                             where s.finished_at is null and s.order_id = any(array(
                                 select (item ->> 'orderId')::uuid from jsonb_array_elements(coalesce(c.answer, '[]')) item))))
                   returning 1)
               select c.created_at as at, c.resource_id as id, (select count(*) from gone) as "gone!"
               from candidate c order by c.created_at desc, c.resource_id desc limit 1"#,
            seconds(age),
            from.at,
            from.id,
            MOST_ROWS,
        )
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Swept::Done(
            last.map_or_else(Batch::default, |last| Batch::up_to(last.at, last.id, last.gone.unsigned_abs())),
        ))
    }
}
