//! Events, with their webhook deliveries: from the beginning of the feed, in one transaction with the place where the
//! feed begins from then on.

use std::time::Duration;

use sqlx::PgConnection;

use super::{Batch, MOST_ROWS, Place, Swept, Turn};
use crate::store::{Store, StoreError, seconds};

/// What a batch of events did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ForgottenEvents {
    pub batch: Batch,
    /// Deliveries that went with them and had not been made, since their endpoints are disabled
    pub undelivered: u64,
    /// Older ones stay, since they are still to be delivered
    pub held_up: bool,
}

/// A part of the feed.
struct Range {
    first: i64,
    /// The place behind its last one
    end: i64,
    held_up: bool,
}

impl Store {
    /// Removes the oldest events of the feed that were written so long ago, up to the first one that is younger or has
    /// still to be delivered to an endpoint. An endpoint that is disabled holds nothing up: what waits for it goes.
    ///
    /// What happened to orders is remembered as milestones.
    pub async fn forget_events(&self, turn: Turn, age: Duration) -> Result<Swept<ForgottenEvents>, StoreError> {
        let Some(mut transaction) = self.begin_batch(turn).await? else { return Ok(Swept::TurnLost) };
        let range = old_range(&mut transaction, age).await?;
        let Range { first, end, held_up } = range;
        if first >= end {
            return Ok(Swept::Done(ForgottenEvents { held_up, ..ForgottenEvents::default() }));
        }
        let deliveries = sqlx::query!(
            r#"with gone as (
                   delete from webhook_deliveries d using webhook_endpoints w
                   where d.endpoint_id = w.id and d.position >= $1 and d.position < $2
                   returning d.state)
               select count(*) as "all!", count(*) filter (where state = 'pending') as "undelivered!" from gone"#,
            first,
            end,
        )
        .fetch_one(&mut *transaction)
        .await?;
        let events = sqlx::query_scalar!(
            r#"with place as (
                   delete from feed_places where position >= $1 and position < $2 returning event_id),
               gone as (
                   delete from events where id in (select event_id from place)
                   returning id, type, order_id, occurred_at, recorded_at),
               remembered as (
                   insert into milestones (order_id, type, event_id, occurred_at, recorded_at)
                   select distinct on (order_id, type) order_id, type, id, occurred_at, recorded_at from gone
                   where order_id is not null and (starts_with(type, 'order.') or starts_with(type, 'transport.'))
                   order by order_id, type, recorded_at desc, id desc
                   on conflict (order_id, type) do update set event_id = excluded.event_id,
                       occurred_at = excluded.occurred_at, recorded_at = excluded.recorded_at)
               select count(*) as "gone!" from gone"#,
            first,
            end,
        )
        .fetch_one(&mut *transaction)
        .await?;
        // Last, so that the lock under which events get their places is held for a moment only.
        sqlx::query!("update feed set first_position = greatest(first_position, $1)", end)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        let (events, all) = (events.unsigned_abs(), deliveries.all.unsigned_abs());
        let batch = Batch { removed: events, rows: events + all, next: (!held_up).then_some(Place::START) };
        Ok(Swept::Done(ForgottenEvents { batch, undelivered: deliveries.undelivered.unsigned_abs(), held_up }))
    }
}

/// The part of the feed that may go in one batch; its deliveries are locked.
async fn old_range(connection: &mut PgConnection, age: Duration) -> Result<Range, StoreError> {
    let endpoints = sqlx::query_scalar!(r#"select count(*) as "count!" from webhook_endpoints"#)
        .fetch_one(&mut *connection)
        .await?;
    let row = sqlx::query!(
        r#"with clock as materialized (select onelane_now() - make_interval(secs => $1) as old),
           range as materialized (
               select first_position as first, least(last_position, first_position + $2 - 1) as last from feed),
           locked as materialized (
               select d.endpoint_id, d.event_id, d.position, d.state, w.disabled_at is null as enabled
               from webhook_endpoints w cross join lateral (
                   select d.endpoint_id, d.event_id, d.position, d.state from webhook_deliveries d
                   where d.endpoint_id = w.id and d.position >= (select first from range) and d.position <= (select last from range)
                   for update of d skip locked) d),
           young as (
               select min(p.position) as position from feed_places p join events e on e.id = p.event_id
               where p.position >= (select first from range) and p.position <= (select last from range)
                 and e.recorded_at > (select old from clock)),
           busy as (
               select min(position) as position from (
                   select position from locked where state = 'pending' and enabled
                   union all
                   -- Somebody is at these just now.
                   select d.position from webhook_endpoints w join webhook_deliveries d on d.endpoint_id = w.id
                   where d.position >= (select first from range) and d.position <= (select last from range)
                     and (d.endpoint_id, d.event_id) not in (select endpoint_id, event_id from locked)) held)
           select range.first as "first!", least(young.position, busy.position, range.last + 1) as "end!",
               coalesce(busy.position < least(young.position, range.last + 1), false) as "held_up!"
           from range, young, busy"#,
        seconds(age),
        (MOST_ROWS / (1 + endpoints)).max(1),
    )
    .fetch_one(connection)
    .await?;
    Ok(Range { first: row.first, end: row.end, held_up: row.held_up })
}
