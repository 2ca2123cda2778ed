//! Callbacks that came to their end, and the memory of what they told.

use std::time::Duration;

use super::{Batch, MOST_ROWS, Place, Swept, Turn};
use crate::store::{Store, StoreError, seconds};

impl Store {
    /// Removes callbacks that came to their end so long ago. What they told is remembered for an age of its own.
    pub async fn forget_callbacks(&self, turn: Turn, age: Duration, from: Place) -> Result<Swept, StoreError> {
        let Some(mut transaction) = self.begin_batch(turn).await? else { return Ok(Swept::TurnLost) };
        let gone = sqlx::query!(
            r#"with old as materialized (
                   select id, processed_at from callbacks
                   where state in ('processed', 'duplicate', 'ignored', 'quarantined')
                     and processed_at <= (select onelane_now() - make_interval(secs => $1)) and (processed_at, id) > ($2, $3)
                   order by processed_at, id limit $4 for update skip locked),
               gone as (
                   delete from callbacks where id = any(array(select id from old)))
               select processed_at as "at!", id from old order by processed_at, id"#,
            seconds(age),
            from.at,
            from.id,
            MOST_ROWS,
        )
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let removed = u64::try_from(gone.len()).unwrap_or(u64::MAX);
        Ok(Swept::Done(gone.last().map_or_else(Batch::default, |last| Batch::up_to(last.at, last.id, removed))))
    }

    /// Forgets that something was told so long ago: a provider that repeats it now is believed that it happened anew.
    /// What counts towards a quantity stays until the last receipt of the same goods is as old, and what a callback
    /// told that is not at its end stays with it.
    pub async fn forget_happenings(&self, turn: Turn, age: Duration, from: Place) -> Result<Swept, StoreError> {
        let Some(mut transaction) = self.begin_batch(turn).await? else { return Ok(Swept::TurnLost) };
        let last = sqlx::query!(
            r#"with clock as materialized (select onelane_now() - make_interval(secs => $1) as old),
               candidate as materialized (
                   select account_id, dedupe_key, callback_id, event_id, subject, told_at from happenings
                   where told_at <= (select old from clock) and (told_at, event_id) > ($2, $3)
                   order by told_at, event_id limit $4 for update skip locked),
               gone as (
                   delete from happenings h using candidate c
                   where h.account_id = c.account_id and h.dedupe_key = c.dedupe_key
                     and (c.subject is null or (
                         select max(same.told_at) from happenings same
                         where same.account_id = c.account_id and same.subject = c.subject) <= (select old from clock))
                     and not exists (select from callbacks k where k.id = c.callback_id and k.state in ('received', 'waiting'))
                   returning 1)
               select c.told_at as at, c.event_id as id, (select count(*) from gone) as "gone!"
               from candidate c order by c.told_at desc, c.event_id desc limit 1"#,
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
