//! From the queue to the provider and back: doubt, evidence, retries, leases, fences.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::harness::{Bench, order};

/// Beyond the lease of 90 seconds.
const LEASE: Duration = Duration::from_secs(91);

#[tokio::test]
async fn what_is_queued_outlives_the_gateway() {
    let bench = Bench::start().await;
    bench.pause().await;
    let accepted = bench.caller.post("/v1/orders", &order("SO-1")).await;
    let (database, sandbox, url) = bench.stop().await;
    let bench = Bench::over(database, sandbox, url).await;
    assert_eq!(bench.caller.get(&format!("/v1/orders/{}", accepted.id())).await.body["status"], "pending");
    bench.resume().await;
    bench.database.wait_for_state(accepted.submission(), "accepted").await;
    assert_eq!(bench.books("SO-1")[0].created, 1);
}

#[tokio::test]
async fn a_second_replica_delivers_what_the_first_accepted() {
    let bench = Bench::start().await;
    let (database, sandbox, url) = bench.stop().await;
    let bench = Bench::over(database, Arc::clone(&sandbox), url).await;
    let number = "SO-1";
    let placed = bench.caller.place(&order(number)).await;
    assert_eq!(placed.body["submission"]["state"], "accepted");
}

#[tokio::test]
async fn a_paused_account_holds_its_orders_and_lets_them_go_in_order_of_acceptance() {
    let bench = Bench::start().await;
    bench.pause().await;
    let mut submissions = Vec::new();
    for number in 0..5 {
        let accepted = bench.caller.post("/v1/orders", &order(&format!("SO-{number}"))).await;
        assert_eq!(accepted.body["submission"]["heldBy"], "account_paused");
        submissions.push(accepted.submission());
    }
    bench.resume().await;
    for submission in &submissions {
        bench.database.wait_for_state(*submission, "accepted").await;
    }
    // One request carried all of them, in the order in which they were accepted.
    let attempts = bench.caller.get(&format!("/v1/submissions/{}/attempts", submissions[4])).await;
    let attempt = &attempts.body["items"][0];
    assert_eq!((&attempt["position"], &attempt["batchSize"]), (&json!(5), &json!(5)));
    let numbers: Vec<_> = bench.simulator().books(None).into_iter().map(|entry| entry.order_number.unwrap()).collect();
    assert_eq!(numbers, ["SO-0", "SO-1", "SO-2", "SO-3", "SO-4"]);
}

#[tokio::test]
async fn events_tell_every_step() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    assert_eq!(placed.status, 201);
    let types: Vec<String> =
        sqlx::query_scalar("select type from events where order_id is not null order by recorded_at, type")
            .fetch_all(&mut bench.database.connection().await)
            .await
            .unwrap();
    assert_eq!(types, ["submission.queued", "order.placed", "submission.accepted"]);
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_costs_no_attempt() {
    let bench = Bench::start().await;
    // A port on which nobody listens.
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let account = json!({
        "id": "nowhere", "provider": "otms", "baseUrl": format!("http://{nowhere}"),
        "credentials": {"username": "u", "password": "p"}, "settings": {"allowPlainHttp": true},
    });
    assert_eq!(bench.caller.post("/v1/accounts", &account).await.status, 201);
    let mut document = order("SO-1");
    document["account"] = json!("nowhere");
    let mut watch = bench.database.watch().await;
    let accepted = bench.caller.post("/v1/orders", &document).await;
    let submission = accepted.submission();
    let read = loop {
        watch.until(submission, "queued").await;
        let read = bench.caller.get(&format!("/v1/submissions/{submission}")).await.body;
        // Accepted, or between two tries: not what is looked for.
        if read["state"] == "queued" && read["results"] != json!([]) {
            break read;
        }
    };
    assert_eq!(read["attempts"], 0);
    assert_eq!(read["mayExist"], false);
    assert_eq!(read["results"][0]["code"], "transport.connect_failed");
}

#[tokio::test]
async fn an_order_whose_lease_ran_out_is_in_doubt_and_a_resend_settles_it() {
    let bench = Bench::start().await;
    bench.pause().await;
    let accepted = bench.caller.post("/v1/orders", &order("SO-1")).await;
    let submission = accepted.submission();
    // A worker claimed it, the provider made the order, and the worker died before it could settle.
    let first = json!({"ships": bench.caller.post("/v1/orders", &order("SO-0")).await.submission()});
    assert!(first["ships"].is_string());
    let mut connection = bench.database.connection().await;
    let exchange: uuid::Uuid = sqlx::query_scalar(
        "with made as (
             insert into exchanges (id, account_id, throttle_group, provider, endpoint, items, claimed_at, lease_until)
             values (gen_random_uuid(), 'otms-demo', 'otms-demo', 'otms', 'orderImport', 1, onelane_now(), onelane_now() + interval '90 s')
             returning id),
         taken as (
             update submissions set state = 'sending', attempts = 1, exchanges = 1, exchange_id = made.id, exchange_position = 0
             from made where submissions.id = $1 returning submissions.id)
         insert into attempts (submission_id, number, exchange_id, position)
         select taken.id, 1, made.id, 0 from made, taken returning exchange_id",
    )
    .bind(submission)
    .fetch_one(&mut connection)
    .await
    .unwrap();
    import_by_hand(&bench, "SO-1").await;

    bench.database.advance(LEASE).await;
    bench.database.wait_for_state(submission, "in_doubt").await;
    let doubtful = bench.caller.get(&format!("/v1/submissions/{submission}")).await.body;
    assert_eq!(doubtful["mayExist"], true);
    assert_eq!(doubtful["results"][0]["code"], "transport.timeout_in_doubt");

    bench.resume().await;
    bench.database.wait_for_state(submission, "accepted").await;
    let settled = bench.caller.get(&format!("/v1/submissions/{submission}")).await.body;
    assert_eq!(settled["attempts"], 2);
    assert_eq!(settled["results"][0]["rawCode"], "1022");
    assert_eq!(settled["results"][0]["severity"], "info");
    assert_eq!(bench.books("SO-1")[0].created, 1);
    assert_eq!(bench.caller.get(&format!("/v1/orders/{}", accepted.id())).await.body["status"], "requested");
    let outcomes: Vec<Option<String>> =
        sqlx::query_scalar("select outcome from attempts where submission_id = $1 order by number")
            .bind(submission)
            .fetch_all(&mut connection)
            .await
            .unwrap();
    assert_eq!(outcomes, [Some("in_doubt".to_owned()), Some("accepted".to_owned())]);
    let error: Option<String> = sqlx::query_scalar("select error from exchanges where id = $1")
        .bind(exchange)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(error.unwrap().contains("lease"));
}

/// Creates an order at the simulated provider as a worker that died afterwards would have.
async fn import_by_hand(bench: &Bench, number: &str) {
    let document = format!(
        "<orderImportRequest version=\"0.1\"><orders><order sequence=\"1\"><erpNumber>{number}</erpNumber>\
         <shipFromExternalId>A</shipFromExternalId><shipToExternalId>B</shipToExternalId>\
         <timeSchedule><pickupDate>{day}</pickupDate></timeSchedule>\
         <cargoDetails><cargoType>1</cargoType><packageType>A</packageType></cargoDetails>\
         <transportMode><transportType>LTL</transportType><truckType>1</truckType></transportMode>\
         </order></orders></orderImportRequest>",
        day = crate::harness::today(),
    );
    let response = crate::harness::Caller::new(bench.sandbox_url.clone(), None)
        .request(reqwest::Method::PUT, "/otms/ws/orderImport")
        .basic_auth("demo", Some("onelane-demo-password"))
        .header("content-type", "application/xml")
        .body(document)
        .send()
        .await
        .unwrap();
    let text = response.text().await.unwrap();
    assert!(text.contains("INBOX"), "{text}");
}

#[tokio::test]
async fn a_duplicate_that_we_did_not_make_is_a_rejection() {
    let bench = Bench::start().await;
    import_by_hand(&bench, "SO-1").await;
    let placed = bench.caller.place(&order("SO-1")).await;
    assert_eq!(placed.body["submission"]["state"], "rejected");
    assert_eq!(placed.body["submission"]["results"][0]["code"], "state.duplicate");
}

#[tokio::test]
async fn refused_credentials_pause_the_account_and_burn_no_order() {
    let bench = Bench::start().await;
    let account = json!({
        "id": "locked-out", "provider": "otms", "baseUrl": format!("{}/otms", bench.sandbox_url),
        "credentials": {"username": "demo", "password": "wrong-password"}, "settings": {"allowPlainHttp": true},
    });
    assert_eq!(bench.caller.post("/v1/accounts", &account).await.status, 201);
    let mut document = order("SO-1");
    document["account"] = json!("locked-out");
    let mut watch = bench.database.watch().await;
    let accepted = bench.caller.post("/v1/orders", &document).await;
    let submission = accepted.submission();
    // It may miss a slot before, and be queued again for that.
    let paused = loop {
        watch.until(submission, "queued").await;
        let account = bench.caller.get("/v1/accounts/locked-out").await.body;
        if account["paused"].is_object() {
            break account;
        }
    };
    assert!(paused["paused"]["reason"].as_str().unwrap().contains("credentials"), "{paused:#}");
    let read = bench.caller.get(&format!("/v1/submissions/{submission}")).await.body;
    assert_eq!((&read["state"], &read["attempts"]), (&json!("queued"), &json!(0)));
    assert_eq!(read["results"][0]["rawCode"], "0");
    assert_eq!(bench.database.count("select count(*) from events where type = 'account.paused'").await, 1);
}

#[tokio::test]
async fn a_ledger_that_fails_for_a_moment_pauses_no_account() {
    let bench = Bench::start().await;
    bench.pause().await;
    let submission = bench.caller.post("/v1/orders", &order("SO-1")).await.submission();
    let mut connection = bench.database.connection().await;
    // The account cannot be read; what a claim needs of it can.
    for step in ["alter table accounts rename display_name to hidden", "update accounts set paused_at = null"] {
        sqlx::query(step).execute(&mut connection).await.unwrap();
    }
    let failed = "select exists (select from exchanges where error like 'the database failed%')";
    bench.database.wait_until(Duration::from_secs(30), failed).await;
    sqlx::query("alter table accounts rename hidden to display_name").execute(&mut connection).await.unwrap();
    assert_eq!(bench.database.count("select count(*) from accounts where paused_at is not null").await, 0);
    bench.database.advance(Duration::from_secs(10)).await;
    bench.database.wait_for_state(submission, "accepted").await;
    let read = bench.caller.get(&format!("/v1/submissions/{submission}")).await.body;
    assert_eq!(read["attempts"], 1, "{read:#}");
}
