//! Finding orders by any number that somebody may have of them.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Store, StoreError};

impl Store {
    /// Ids of orders with this number: the caller's, the provider's, the customer's reference, the number of the trip,
    /// or an id of the gateway. Newest first, at most `limit`, and only of accounts that are allowed; nothing means all.
    pub async fn orders_with_number(
        &self,
        number: &str,
        allowed: Option<&[String]>,
        limit: i64,
    ) -> Result<Vec<Uuid>, StoreError> {
        // Each part goes by an index of its own, and ends by itself where a number is no rare one.
        Ok(sqlx::query_scalar!(
            r#"with found as (
                   (select id from orders where order_number = $1 and ($3::text[] is null or account_id = any($3)) limit $4)
                   union
                   (select id from orders where provider_order_number = $1 and ($3::text[] is null or account_id = any($3)) limit $4)
                   union
                   (select id from orders where customer_reference = $1 and ($3::text[] is null or account_id = any($3)) limit $4)
                   union
                   (select m.order_id from trips t join trip_orders m on m.trip_id = t.id
                    where t.provider_trip_number = $1 and ($3::text[] is null or t.account_id = any($3)) limit $4)
                   union
                   (select id from orders where id = $2)
                   union
                   (select order_id from submissions where id = $2)
                   union
                   (select order_id from trip_orders where trip_id = $2))
               select o.id from orders o join found on found.id = o.id
               where $3::text[] is null or o.account_id = any($3)
               order by o.created_at desc, o.id desc limit $4"#,
            number,
            number.parse::<Uuid>().ok(),
            allowed,
            limit,
        )
        .fetch_all(self.pool())
        .await?)
    }

    /// The callers' numbers of these orders.
    pub async fn order_numbers(&self, orders: &[Uuid]) -> Result<HashMap<Uuid, String>, StoreError> {
        let rows = sqlx::query!("select id, order_number from orders where id = any($1)", orders)
            .fetch_all(self.pool())
            .await?;
        Ok(rows.into_iter().map(|row| (row.id, row.order_number)).collect())
    }

    /// Ids of the callbacks that told something of an order, oldest first, at most `limit`.
    pub async fn callbacks_of_order(&self, order_id: Uuid, limit: i64) -> Result<Vec<Uuid>, StoreError> {
        // A happening is told in the commit that writes its event: a narrow range of the index by age.
        Ok(sqlx::query_scalar!(
            r#"select c.id from callbacks c
               where c.id in (
                   select h.callback_id from events e
                   join happenings h on h.told_at >= e.recorded_at and h.told_at < e.recorded_at + interval '30 seconds'
                     and h.event_id = e.id
                   where e.order_id = $1)
               order by c.received_at, c.id limit $2"#,
            order_id,
            limit,
        )
        .fetch_all(self.pool())
        .await?)
    }
}
