//! A replica that is cut off from the database, and comes back.

use std::collections::HashSet;

use super::{TOO_LATE, nothing_was_changed, others_go_on, under_way};
use crate::harness::{Bench, DatabaseProxy, GatewayProcess, Passage, TestDatabase, order};

#[tokio::test]
async fn a_replica_that_is_cut_off_refuses_work_and_comes_back_by_itself() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let proxy = DatabaseProxy::start(&bench.database.url).await;
    let alone = GatewayProcess::start_with(&proxy.url, &[]).await;
    let submission = under_way(&bench, &alone).await;
    proxy.set(Passage::Cut);
    let refused = alone.caller.post("/v1/orders", &order("SO-3")).await;
    refused.problem(503, "unavailable");
    assert!(refused.header("retry-after").is_some());
    alone.caller.get("/readyz").await.problem(503, "unavailable");
    assert_eq!(alone.caller.get("/healthz").await.status, 200);

    let other = GatewayProcess::start(&bench.database).await;
    others_go_on(&bench, &other, submission).await;
    // It tries, and rests longer and longer: the log does not fill.
    proxy.turned_away(20).await;
    let said = alone.logged("a task fails; it tries again and again");
    let troubles: HashSet<_> = said.iter().map(|line| (line["task"].as_str(), line["error"].as_str())).collect();
    assert!(troubles.iter().any(|(task, _)| *task == Some("look for work")), "{said:#?}");
    assert_eq!(troubles.len(), said.len(), "the same is said once: {said:#?}");

    proxy.set(Passage::Open);
    alone.log_with(TOO_LATE).await;
    nothing_was_changed(&bench, &other.caller, submission).await;
    let placed = alone.caller.place(&order("SO-3")).await;
    assert_eq!(placed.status, 201, "{:#}", placed.body);
    assert_eq!(alone.caller.get("/readyz").await.status, 200);
    alone.log_with("a task works again").await;
}

#[tokio::test]
async fn a_replica_whose_network_swallows_everything_does_not_hang() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let proxy = DatabaseProxy::start(&bench.database.url).await;
    let alone = GatewayProcess::start_with(&proxy.url, &[]).await;
    assert_eq!(alone.caller.place(&order("SO-1")).await.status, 201);
    proxy.set(Passage::Lost);
    // More than there are connections, so that each of them is found lost, and its place is free again.
    let asked = (0..40).map(|_| alone.caller.get("/readyz"));
    for answer in futures_util::future::join_all(asked).await {
        answer.problem(503, "unavailable");
    }
    alone.caller.post("/v1/orders", &order("SO-2")).await.problem(503, "unavailable");
    proxy.set(Passage::Open);
    let placed = alone.caller.place(&order("SO-2")).await;
    assert_eq!(placed.body["submission"]["state"], "accepted", "{:#}", placed.body);
    // Nor does it hang when it is to end.
    proxy.set(Passage::Lost);
    alone.caller.get("/readyz").await.problem(503, "unavailable");
    assert!(alone.stop().await);
}
