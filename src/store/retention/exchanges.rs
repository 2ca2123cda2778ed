//! Exchanges, with the attempts of submissions that they were. The submission itself stays, with its results.

use std::time::Duration;

use uuid::Uuid;

use super::{Batch, MOST_ROWS, Place, Swept, Turn};
use crate::store::{Store, StoreError, seconds};

impl Store {
    /// Removes exchanges that ended so long ago, if all submissions that they carried ended so long ago, too, and none
    /// of them was ever in doubt.
    pub async fn forget_exchanges(&self, turn: Turn, age: Duration, from: Place) -> Result<Swept, StoreError> {
        let Some(mut transaction) = self.begin_batch(turn).await? else { return Ok(Swept::TurnLost) };
        // Nobody can take a submission up again before this is over; one that somebody does just now is passed over.
        let looked_at = sqlx::query!(
            r#"with candidate as materialized (
                   select id, finished_at, items from exchanges
                   where finished_at <= (select onelane_now() - make_interval(secs => $1)) and (finished_at, id) > ($2, $3)
                   order by finished_at, id limit $4::bigint),
               bounded as materialized (
                   -- Each has an attempt for each item, and two bodies.
                   select id, finished_at from (
                       select c.*, sum(items + 3) over (order by finished_at, id) as so_far from candidate c) counted
                   where so_far <= $4::bigint or so_far = items + 3),
               locked as materialized (
                   select a.exchange_id, a.submission_id from bounded b join attempts a on a.exchange_id = b.id
                       join submissions s on s.id = a.submission_id
                   where s.finished_at <= (select onelane_now() - make_interval(secs => $1)) and not s.may_exist
                   for share of s skip locked)
               select b.finished_at as "at!", b.id,
                   not exists (
                       select from attempts a where a.exchange_id = b.id and not exists (
                           select from locked l where l.exchange_id = a.exchange_id and l.submission_id = a.submission_id)
                   ) as "old!"
               from bounded b order by b.finished_at, b.id"#,
            seconds(age),
            from.at,
            from.id,
            MOST_ROWS,
        )
        .fetch_all(&mut *transaction)
        .await?;
        let Some(last) = looked_at.last() else { return Ok(Swept::Done(Batch::default())) };
        let next = Some(Place { at: last.at, id: last.id });
        let old: Vec<Uuid> = looked_at.iter().filter(|exchange| exchange.old).map(|exchange| exchange.id).collect();
        let attempts = sqlx::query!("delete from attempts where exchange_id = any($1)", &old);
        let attempts = attempts.execute(&mut *transaction).await?.rows_affected();
        let bodies = sqlx::query!("delete from exchange_bodies where exchange_id = any($1)", &old);
        let bodies = bodies.execute(&mut *transaction).await?.rows_affected();
        let exchanges = sqlx::query!("delete from exchanges where id = any($1)", &old);
        let exchanges = exchanges.execute(&mut *transaction).await?.rows_affected();
        transaction.commit().await?;
        Ok(Swept::Done(Batch { removed: exchanges, rows: attempts + bodies + exchanges, next }))
    }
}
