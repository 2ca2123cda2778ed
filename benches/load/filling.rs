//! Orders that wait in the ledger, without callers that bring them: as the gateway would have written them.

use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection};

use crate::gateway::{ACCOUNT, ENDPOINT};

/// Who they belong to, and whether they may go.
#[derive(Clone, Copy)]
pub struct Filling<'a> {
    pub account: &'a str,
    pub ready: bool,
}

impl Default for Filling<'static> {
    fn default() -> Self {
        Filling { account: ACCOUNT, ready: true }
    }
}

/// Queues orders, the numbers `first` and so on; each due a millisecond after the one before. Their ids sort by time, as
/// those of the gateway do.
pub async fn queue(database_url: &str, order: &Value, first: i64, count: i64, filling: Filling<'_>) {
    let mut connection = PgConnection::connect(database_url).await.unwrap();
    sqlx::query(
        "with timed as (
             select n, at, lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' as begins
             from generate_series($1::bigint, $1::bigint + $2::bigint - 1) n
             cross join lateral (select clock_timestamp() - interval '1 day' + n * interval '1 millisecond' as at) clock),
         numbered as materialized (
             select (begins || substr(md5('o' || random()), 14))::uuid as order_id,
                 (begins || substr(md5('s' || random()), 14))::uuid as submission_id,
                 'SO-' || lpad(n::text, 9, '0') as number, at, n
             from timed),
         placed as (
             insert into orders (id, account_id, provider, document_type, order_number, document, status, created_at, updated_at)
             select order_id, $4, 'otms', 'transport_order', number, replace($3, $7, number), 'pending', at, at
             from numbered)
         insert into submissions (id, order_id, account_id, provider, endpoint, operation, state, ready, due_at, created_at, updated_at)
         select submission_id, order_id, $4, 'otms', $5, 'create', 'queued', $6, at, at, at from numbered order by n",
    )
    .bind(first)
    .bind(count)
    .bind(order.to_string())
    .bind(filling.account)
    .bind(ENDPOINT)
    .bind(filling.ready)
    .bind(order["orderNumber"].as_str())
    .execute(&mut connection)
    .await
    .unwrap();
}

/// What autovacuum does in time.
pub async fn tidy(database_url: &str) {
    let mut connection = PgConnection::connect(database_url).await.unwrap();
    connection.execute("vacuum (analyze)").await.unwrap();
}
