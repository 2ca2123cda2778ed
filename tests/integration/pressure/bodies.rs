//! Bodies: within a time, and within the memory of all of them.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::harness::{Bench, GatewayProcess, RawConnection, TestDatabase, order};

const KIB: usize = 1024;

/// An order with as much white space behind it.
fn padded(number: &str, length: usize) -> Vec<u8> {
    let mut body = order(number).to_string().into_bytes();
    body.resize(length, b' ');
    body
}

#[tokio::test]
async fn a_body_that_stands_still_is_given_up() {
    let bench = Bench::start_with(|options| options.limits.body_idle = Duration::from_secs(1)).await;
    let mut connection = RawConnection::open(&bench.base_url).await;
    connection.post_head("/v1/orders", 1000, "").await;
    connection.send("{\"account\":").await;
    let answer = connection.answer().await;
    assert_eq!((answer.status, &answer.body["type"]), (408, &json!("/problems/request-timeout")));
    connection.end().await;

    // A provider's call, too.
    let account = bench.caller.get("/v1/accounts/hongxun-demo").await;
    let path = account.body["callbackUrl"].as_str().unwrap().strip_prefix(&bench.base_url).unwrap().to_owned();
    let mut connection = RawConnection::open(&bench.base_url).await;
    connection.post_head(&path, 1000, "").await;
    assert_eq!(connection.answer().await.status, 408);
    assert_eq!(bench.database.count("select count(*) from callbacks").await, 0);
}

#[tokio::test]
async fn a_body_that_goes_on_and_on_is_given_up() {
    let bench = Bench::start_with(|options| options.limits.body_time = Duration::from_secs(2)).await;
    let connection = RawConnection::open(&bench.base_url).await;
    let (reading, mut writing) = connection.stream.into_split();
    let head = format!(
        "POST /v1/orders HTTP/1.1\r\nhost: onelane\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 10000000\r\n\r\n",
        crate::harness::ADMIN_KEY
    );
    writing.write_all(head.as_bytes()).await.unwrap();
    // Always something, and never enough.
    let trickling = async {
        while writing.write_all(b" ").await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    let answered = reading.readable();
    tokio::select! {
        () = trickling => {}
        readable = answered => readable.unwrap(),
    }
    let mut answer = [0; 12];
    assert_eq!(reading.try_read(&mut answer).unwrap(), 12);
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test]
async fn large_bodies_wait_their_turn_and_small_ones_need_not() {
    let bench = Bench::start_with(|options| options.limits.body_memory = 2048 * KIB).await;
    let hold = async || {
        let mut slow = RawConnection::open(&bench.base_url).await;
        slow.post_head("/v1/orders", 700 * KIB, "").await;
        slow.send(vec![b' '; 600 * KIB]).await;
        slow
    };
    let mut slow = hold().await;
    // Once it has arrived there is no memory for as much again.
    let large = padded("SO-1", 300 * KIB);
    let refused = loop {
        let answer = bench.caller.post_bytes("/v1/orders", "application/json", large.clone()).await;
        if !slow.is_silent() {
            // It was the other one that came too late.
            slow = hold().await;
        } else if answer.status == 503 {
            break answer;
        } else {
            assert!(matches!(answer.status, 202 | 409), "{:#}", answer.body);
        }
    };
    refused.problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), Some("2"));
    // A small one goes through all the same, and a provider's call.
    assert_eq!(bench.caller.post("/v1/orders", &order("SO-2")).await.status, 202);
    // What was held is given back.
    drop(slow);
    let again =
        async { while bench.caller.post_bytes("/v1/orders", "application/json", large.clone()).await.status == 503 {} };
    assert!(tokio::time::timeout(Duration::from_secs(30), again).await.is_ok());
}

#[tokio::test]
async fn a_body_of_nothing_but_members_is_too_large() {
    let bench = Bench::start_with(|options| options.limits.body_memory = 16 * KIB * KIB).await;
    let many = format!("[{}0]", "0,".repeat(500_000));
    let answer = bench.caller.post_bytes("/v1/orders", "application/json", many).await;
    answer.problem(413, "body-too-large");
    let few = padded("SO-1", 1_000_000);
    assert_eq!(bench.caller.post_bytes("/v1/orders", "application/json", few).await.status, 202);
}

/// Bodies of which two mebibytes have come, twice which is reckoned, for a budget of 32.
const MOST_HELD: usize = 8;

/// Without the budget this takes as much as arrives: half a gigabyte.
#[tokio::test]
async fn memory_is_bounded_whoever_sends() {
    let database = TestDatabase::create().await;
    let budget = (32 * KIB * KIB).to_string();
    let gateway = GatewayProcess::start_with(&database.url, &[("ONELANE_BODY_MEMORY", &budget)]).await;
    let before = gateway.most_memory();
    let base_url = gateway.url("");
    let connections = join_all((0..256).map(|_| async {
        let mut connection = RawConnection::open(&base_url).await;
        connection.post_head("/v1/orders", 8192 * KIB, "").await;
        // Whoever is refused on the way cannot send all of it.
        let _ = connection.stream.write_all(&vec![b' '; 2048 * KIB]).await;
        connection
    }))
    .await;
    // Those who sent all of that and are not refused are held, and wait for the rest; who is refused may hear of it late.
    let held = async || {
        loop {
            let held = connections.iter().filter(|connection| connection.is_silent()).count();
            if held <= MOST_HELD {
                return held;
            }
            tokio::task::yield_now().await;
        }
    };
    let held = tokio::time::timeout(Duration::from_secs(60), held()).await.expect("nobody was refused");
    let grown = gateway.most_memory().saturating_sub(before);
    assert!(grown < 256 * KIB * KIB, "{grown} bytes for {held} bodies");
    let answer = gateway.caller.get("/v1/orders").await;
    assert_eq!(answer.status, 200, "{:#}", answer.body);
}

#[tokio::test]
async fn a_page_ends_before_it_gets_too_heavy() {
    let bench = Bench::start().await;
    bench.pause().await;
    for number in 0..7 {
        assert_eq!(bench.caller.post("/v1/orders", &order(&format!("SO-{number}"))).await.status, 202);
    }
    let heavy =
        "update orders set document = jsonb_set(document::jsonb, '{remarks}', to_jsonb(repeat('x', 6000000)))::text";
    sqlx::query(heavy).execute(&mut bench.database.connection().await).await.unwrap();
    let (mut pages, mut numbers) = (Vec::new(), Vec::new());
    let mut path = "/v1/orders".to_owned();
    loop {
        let page = bench.caller.get(&path).await;
        let items = page.body["items"].as_array().unwrap();
        pages.push(items.len());
        numbers.extend(items.iter().map(|item| item["orderNumber"].as_str().unwrap().to_owned()));
        let Some(cursor) = page.body["nextCursor"].as_str() else { break };
        path = format!("/v1/orders?cursor={cursor}");
    }
    assert_eq!(pages, [3, 3, 1]);
    assert_eq!(numbers, ["SO-6", "SO-5", "SO-4", "SO-3", "SO-2", "SO-1", "SO-0"]);
}
