//! Bodies: of exchanges, and of callbacks that were settled.

use std::time::Duration;

use super::{Batch, MOST_ROWS, Place, Swept, Turn};
use crate::store::{Store, StoreError, seconds};

/// Exchanges of one batch: each has two bodies.
const EXCHANGES: i64 = MOST_ROWS / 2;
/// Bytes of bodies that one batch removes, as they are kept; those of a single exchange or callback may be more.
const MOST_BYTES: i64 = 32 * 1024 * 1024;

impl Store {
    /// Removes bodies of exchanges that were recorded so long ago, unless a submission that the exchange carried is
    /// unfinished or was ever in doubt.
    pub async fn forget_exchange_bodies(&self, turn: Turn, age: Duration, from: Place) -> Result<Swept, StoreError> {
        let Some(mut transaction) = self.begin_batch(turn).await? else { return Ok(Swept::TurnLost) };
        let last = sqlx::query!(
            r#"with candidate as materialized (
                   select exchange_id, recorded_at, sum(octet_length(content)) as bytes from exchange_bodies
                   where recorded_at <= (select onelane_now() - make_interval(secs => $1)) and (recorded_at, exchange_id) > ($2, $3)
                   group by recorded_at, exchange_id order by recorded_at, exchange_id limit $4),
               bounded as materialized (
                   select exchange_id, recorded_at from (
                       select c.*, sum(bytes) over (order by recorded_at, exchange_id) as so_far from candidate c) counted
                   where so_far <= $5::bigint or so_far = bytes),
               old as materialized (
                   select b.exchange_id from bounded b
                   where not exists (
                       select from attempts a join submissions s on s.id = a.submission_id
                       where a.exchange_id = b.exchange_id and (s.finished_at is null or s.may_exist))),
               gone as (
                   delete from exchange_bodies where exchange_id = any(array(select exchange_id from old)) returning 1)
               select b.recorded_at as at, b.exchange_id as id, (select count(*) from gone) as "gone!"
               from bounded b order by b.recorded_at desc, b.exchange_id desc limit 1"#,
            seconds(age),
            from.at,
            from.id,
            EXCHANGES,
            MOST_BYTES,
        )
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Swept::Done(
            last.map_or_else(Batch::default, |last| Batch::up_to(last.at, last.id, last.gone.unsigned_abs())),
        ))
    }

    /// Removes bodies of callbacks that were settled so long ago. One that is quarantined keeps its body: a person may
    /// have it processed.
    pub async fn forget_callback_bodies(&self, turn: Turn, age: Duration, from: Place) -> Result<Swept, StoreError> {
        let Some(mut transaction) = self.begin_batch(turn).await? else { return Ok(Swept::TurnLost) };
        let rows = sqlx::query!(
            r#"with candidate as materialized (
                   select id, processed_at, octet_length(body) as bytes from callbacks
                   where body is not null and state in ('processed', 'duplicate', 'ignored')
                     and processed_at <= (select onelane_now() - make_interval(secs => $1)) and (processed_at, id) > ($2, $3)
                   order by processed_at, id limit $4 for update skip locked),
               bounded as materialized (
                   select id, processed_at from (
                       select c.*, sum(bytes) over (order by processed_at, id) as so_far from candidate c) counted
                   where so_far <= $5::bigint or so_far = bytes),
               gone as (
                   update callbacks set body = null where id = any(array(select id from bounded)))
               select processed_at as "at!", id from bounded order by processed_at, id"#,
            seconds(age),
            from.at,
            from.id,
            MOST_ROWS,
            MOST_BYTES,
        )
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let removed = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        Ok(Swept::Done(rows.last().map_or_else(Batch::default, |last| Batch::up_to(last.at, last.id, removed))))
    }
}
