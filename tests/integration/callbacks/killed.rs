//! `kill -9` between keeping a call and processing it: nothing is lost.

use std::time::Duration;

use serde_json::json;

use super::{callback_url, confirmation};
use crate::harness::{Bench, Caller, GatewayProcess};

#[tokio::test]
async fn a_call_that_was_kept_is_processed_by_the_next_gateway() {
    let bench = Bench::start().await;
    let url = callback_url(&bench, "hongxun-demo").await;
    let path = url.strip_prefix(&bench.base_url).unwrap().to_owned();
    let call = confirmation(&bench, json!({}));
    let (database, _sandbox, _) = bench.stop().await;

    let dying = GatewayProcess::start_dying_at(&database, "callback_kept").await;
    let caller = Caller::new(String::new(), None);
    let unanswered = caller.request(reqwest::Method::POST, &dying.url(&path)).body(call.body.clone()).send().await;
    assert!(unanswered.is_err());
    dying.has_died().await;
    assert_eq!(database.texts("select state from callbacks").await, ["received"]);
    assert_eq!(database.count("select count(*) from events").await, 0);

    let _gateway = GatewayProcess::start(&database).await;
    database.advance(Duration::from_secs(6)).await;
    let processed = "select exists (select from callbacks where state = 'processed')";
    database.wait_until(Duration::from_secs(20), processed).await;
    assert_eq!(database.texts("select type from events").await, ["warehouse.receipt_confirmed"]);
}
