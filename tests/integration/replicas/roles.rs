//! `--role api` and `--role worker`: together they are a gateway.

use reqwest::Method;
use serde_json::json;

use super::add_webhook;
use crate::callbacks::confirmation;
use crate::harness::{Bench, EventStream, GatewayProcess, Receiver, TestDatabase, order, send};

async fn api(bench: &Bench) -> GatewayProcess {
    GatewayProcess::start_with(&bench.database.url, &[("ONELANE_ROLE", "api")]).await
}

async fn worker(bench: &Bench) -> GatewayProcess {
    GatewayProcess::start_with(&bench.database.url, &[("ONELANE_ROLE", "worker")]).await
}

#[tokio::test]
async fn an_api_and_a_worker_carry_an_order_whole() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let (api, _worker) = (api(&bench).await, worker(&bench).await);
    let mut receiver = Receiver::start().await;
    add_webhook(&api, &receiver.url).await;
    let mut stream = EventStream::open(&api.caller, "/v1/events/stream?account=otms-demo", None).await;

    // Accepted by the one, sent by the other, and waited for by the first.
    let placed = api.caller.place(&order("SO-1")).await;
    assert_eq!(placed.status, 201, "{:#}", placed.body);
    assert_eq!((&placed.body["submission"]["state"], bench.books("SO-1").len()), (&json!("accepted"), 1));
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(stream.event().await.unwrap().event.unwrap());
    }
    // Two of one commit stand in any order.
    told[1..].sort_unstable();
    assert_eq!(told, ["submission.queued", "order.placed", "submission.accepted"]);
    assert_eq!(receiver.next().await.event()["data"]["orderNumber"], "SO-1");
}

#[tokio::test]
async fn providers_call_the_api_and_what_it_leaves_behind_is_taken_up_by_a_worker() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let api = api(&bench).await;
    let account = api.caller.get("/v1/accounts/hongxun-demo").await.body;
    let path = reqwest::Url::parse(account["callbackUrl"].as_str().unwrap()).unwrap().path().to_owned();
    let call = |number: &str| {
        send(api.caller.request(Method::POST, &path).body(confirmation(&bench, json!({"customerNumber": number})).body))
    };
    assert_eq!(call("RK-1").await.status, 200);
    assert_eq!(bench.database.texts("select state from callbacks").await, ["processed"]);
    // Somebody holds the row of a call that is kept, and then nobody does.
    let refused = "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'x'; end $$;
                   create trigger refuse before insert on happenings for each row execute function refuse()";
    sqlx::raw_sql(refused).execute(&mut bench.database.connection().await).await.unwrap();
    assert_eq!(call("RK-2").await.status, 200);
    sqlx::raw_sql("drop trigger refuse on happenings").execute(&mut bench.database.connection().await).await.unwrap();
    let open = "select count(*) from callbacks where state = 'received'";
    assert_eq!(bench.database.count(open).await, 1);
    bench.database.advance(std::time::Duration::from_secs(60)).await;
    let _worker = worker(&bench).await;
    let all = "select not exists (select from callbacks where state <> 'processed')";
    bench.database.wait_until(std::time::Duration::from_secs(30), all).await;
}

#[tokio::test]
async fn without_a_worker_orders_are_accepted_and_told_of_and_wait() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let api = api(&bench).await;
    let mut stream =
        EventStream::open(&api.caller, "/v1/events/stream?after=latest&type=submission.queued,order.placed", None)
            .await;
    let accepted = api.caller.post_with("/v1/orders", &order("SO-1"), &[("prefer", "wait=1")]).await;
    assert_eq!(accepted.status, 202, "{:#}", accepted.body);
    assert_eq!(stream.event().await.unwrap().event.as_deref(), Some("submission.queued"));
    assert_eq!(bench.database.count("select count(*) from exchanges").await, 0);
    let _worker = worker(&bench).await;
    bench.database.wait_for_state(accepted.submission(), "accepted").await;
    assert_eq!(stream.event().await.unwrap().event.as_deref(), Some("order.placed"));
}

#[tokio::test]
async fn a_worker_answers_probes_and_nobody_else() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let worker = worker(&bench).await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(worker.caller.get(path).await.body, json!({"status": "ok"}), "{path}");
    }
    worker.caller.post("/v1/orders", &order("SO-1")).await.problem(404, "not-found");
    worker.caller.get("/openapi.json").await.problem(404, "not-found");
    assert!(worker.stop().await);

    let wrong = GatewayProcess::run(&["serve", "--role", "boss"], &bench.database.url, &[]).await;
    assert!(!wrong.0 && wrong.1.contains("worker"), "{}", wrong.1);
    let wrong = GatewayProcess::run(&["serve"], &bench.database.url, &[("ONELANE_ROLE", "boss")]).await;
    assert!(!wrong.0 && wrong.1.contains("worker"), "{}", wrong.1);
}
