//! The feed: every event at its place, in an order that never changes.
//!
//! Events are written by many transactions at once, and a number that they drew while they wrote could become
//! visible after a later one: a consumer that had gone past it would never see it. So places are given after
//! the commit, by one replica at a time, and what can be read up to a place stays what can be read up to it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::events::{EventRow, StoredEvent};
use super::{Store, StoreError};

/// How far the feed goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedEnds {
    /// The oldest place that is still kept
    pub first_position: i64,
    /// The newest place that was given; 0 before the first
    pub last_position: i64,
}

/// An event and its place.
pub struct FeedEvent {
    pub position: i64,
    pub event: StoredEvent,
}

/// Which events of the feed are read; what is absent does not matter.
#[derive(Debug, Clone, Default)]
pub struct FeedFilter {
    pub account: Option<String>,
    pub types: Option<Vec<String>>,
    /// The accounts that the caller may see, and then nothing that is about no account; nothing means all
    pub allowed: Option<Vec<String>>,
}

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedStart {
    /// With the oldest event that is kept
    Oldest,
    /// After everything that is in the feed
    Latest,
    /// After this place
    After(i64),
}

impl FeedStart {
    fn after(self) -> Option<i64> {
        match self {
            FeedStart::After(position) => Some(position),
            FeedStart::Oldest | FeedStart::Latest => None,
        }
    }
}

/// Events of the feed, all read at one moment.
pub struct FeedPage {
    pub ends: FeedEnds,
    /// The place after which was read
    pub after: i64,
    pub events: Vec<FeedEvent>,
}

/// What came of an attempt to give events their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequenced {
    /// So many events got a place and were put on their way to webhook endpoints so many times; the feed goes so far
    /// now.
    Events { events: i64, deliveries: i64, ends: FeedEnds },
    /// Another replica is at it.
    Elsewhere,
}

impl Store {
    /// How far the feed goes, and whether events wait for their places.
    pub async fn feed_backlog(&self) -> Result<(FeedEnds, bool), StoreError> {
        let row = sqlx::query!(
            // The oldest is asked for, so that the index answers, whatever was taken out of the table lately.
            r#"select first_position, last_position,
                   (select recorded_at from events_without_place order by recorded_at limit 1) is not null as "waiting!"
               from feed"#,
        )
        .fetch_one(self.pool())
        .await?;
        Ok((FeedEnds { first_position: row.first_position, last_position: row.last_position }, row.waiting))
    }

    /// Gives the next places to some `most` committed events that have none (those that were written together with the
    /// last of them are among them), in the order in which they were written: those of one order were so under its lock,
    /// so that none stands before what led to it. Makes a delivery of each for every webhook endpoint that wants it and
    /// was there when it was written.
    pub async fn sequence_events(&self, most: i64) -> Result<Sequenced, StoreError> {
        let mut transaction = self.begin_by_keys().await?;
        let Some(turn) = sqlx::query!(
            // A replica that hangs with the lock loses it as every session does.
            "select first_position, last_position from feed for update skip locked",
        )
        .fetch_optional(&mut *transaction)
        .await?
        else {
            return Ok(Sequenced::Elsewhere);
        };
        // A statement of its own: it must see what was committed before the lock was had.
        let given = sqlx::query!(
            r#"with taken as (
                   -- Nobody else takes any, and none is ever changed.
                   delete from events_without_place
                   where ctid = any(array(
                       select row from (
                           select w.row, sum(w.events) over (order by w.recorded_at, w.event_ids) - w.events as before
                           from (select ctid as row, recorded_at, event_ids, cardinality(event_ids) as events
                                 from events_without_place order by recorded_at, event_ids limit $2) w) counted
                       where before < $2))
                   returning recorded_at, event_ids),
               given as (
                   insert into feed_places (position, event_id)
                   select $1 + row_number() over (order by recorded_at, event_id), event_id
                   from taken, unnest(event_ids) as event_id
                   returning position, event_id),
               endpoint as materialized (
                   -- One that is just being deleted is waited for, and gets nothing.
                   select id, types, accounts, created_at from webhook_endpoints for key share),
               delivery as (
                   insert into webhook_deliveries (endpoint_id, event_id, position, state, due_at, created_at)
                   select endpoint.id, given.event_id, given.position, 'pending', clock.now, clock.now
                   from (select onelane_now() as now) clock, given
                   -- Read only for somebody.
                   cross join lateral (
                       select type, account_id, recorded_at from events
                       where id = given.event_id and (select count(*) from endpoint) > 0 offset 0) event
                   join endpoint
                       on (endpoint.types is null or event.type = any(endpoint.types))
                       and (endpoint.accounts is null or event.account_id = any(endpoint.accounts))
                       and endpoint.created_at <= event.recorded_at
                   returning 1),
               told as (
                   update feed set last_position = $1 + (select count(*) from given) where exists (select from given))
               select (select count(*) from given) as "events!", (select count(*) from delivery) as "deliveries!""#,
            turn.last_position,
            most,
        )
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let last_position = turn.last_position + given.events;
        let ends = FeedEnds { first_position: turn.first_position, last_position };
        Ok(Sequenced::Events { events: given.events, deliveries: given.deliveries, ends })
    }

    /// The first `limit` events after `from` that pass the filter, in order; looks at no more than `longest_look`
    /// places.
    pub async fn feed_page(
        &self,
        filter: &FeedFilter,
        from: FeedStart,
        longest_look: i64,
        limit: i64,
    ) -> Result<FeedPage, StoreError> {
        let rows = sqlx::query_as!(
            FeedRow,
            r#"select f.first_position, f.last_position, f.after as "after!", e.position as "position?", e.id as "id?",
                   e.type as "event_type?", e.account_id, e.order_id, e.data as "data?: Json<Value>",
                   e.occurred_at as "occurred_at?", e.recorded_at as "recorded_at?",
                   coalesce(e.trace_parent, s.trace_parent) as "trace_parent?"
               from (select first_position, last_position,
                         case when $1 then last_position else coalesce($2::bigint, first_position - 1) end as after
                     from feed) f
               left join lateral (
                   select p.position, w.* from feed_places p join events w on w.id = p.event_id
                   where p.position > f.after and p.position <= least(f.after + $3, f.last_position)
                     and ($4::text is null or w.account_id = $4)
                     and ($5::text[] is null or w.type = any($5))
                     and ($6::text[] is null or w.account_id = any($6))
                   order by p.position limit $7) e on true
               left join submissions s on s.id = e.submission_id
               order by e.position"#,
            from == FeedStart::Latest,
            from.after(),
            longest_look,
            filter.account,
            filter.types.as_deref(),
            filter.allowed.as_deref(),
            limit,
        )
        .fetch_all(self.pool())
        .await?;
        let mut rows = rows.into_iter().peekable();
        let Some(first) = rows.peek() else { return Err(StoreError::inconsistent("feed", "single", "", "no row")) };
        let ends = FeedEnds { first_position: first.first_position, last_position: first.last_position };
        let after = first.after;
        let events = rows.filter_map(FeedRow::event).collect::<Result<_, _>>()?;
        Ok(FeedPage { ends, after, events })
    }
}

struct FeedRow {
    first_position: i64,
    last_position: i64,
    after: i64,
    position: Option<i64>,
    id: Option<Uuid>,
    event_type: Option<String>,
    account_id: Option<String>,
    order_id: Option<Uuid>,
    data: Option<Json<Value>>,
    occurred_at: Option<DateTime<Utc>>,
    recorded_at: Option<DateTime<Utc>>,
    trace_parent: Option<String>,
}

impl FeedRow {
    /// The event of this row; the only row of an empty page has none.
    fn event(self) -> Option<Result<FeedEvent, StoreError>> {
        let FeedRow {
            first_position: _,
            last_position: _,
            after: _,
            position,
            id,
            event_type,
            account_id,
            order_id,
            data,
            occurred_at,
            recorded_at,
            trace_parent,
        } = self;
        let row = EventRow {
            id: id?,
            event_type: event_type?,
            account_id,
            order_id,
            data: data?,
            occurred_at: occurred_at?,
            recorded_at: recorded_at?,
            trace_parent,
        };
        let position = position?;
        Some(StoredEvent::try_from(row).map(|event| FeedEvent { position, event }))
    }
}
