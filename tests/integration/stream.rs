//! The feed as a stream: told as it happens, taken up where it broke off, and never beyond the key.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Bench, Block, EventStream, GatewayProcess, order};

#[tokio::test]
async fn events_come_as_they_happen() {
    let bench = Bench::start().await;
    let mut stream = EventStream::open(&bench.caller, "/v1/events/stream", None).await;
    let placed = bench.caller.place(&order("SO-1")).await;
    let mut ids = Vec::new();
    for step in ["submission.queued", "submission.accepted", "order.placed"] {
        let block = stream.event().await.unwrap();
        assert_eq!(block.event.as_deref(), Some(step));
        assert_eq!((&block.data["type"], &block.data["subject"]), (&json!(step), &placed.body["id"]));
        ids.push(block.id.unwrap());
    }
    // The same as the feed gives, and its ids are cursors of the feed.
    let page = bench.caller.get(&format!("/v1/events?after={}", ids[1])).await;
    assert_eq!(page.body["items"][0]["type"], "order.placed");
    assert_eq!(page.body["nextCursor"], ids[2]);

    let mut again = EventStream::open(&bench.caller, "/v1/events/stream", Some(&ids[0])).await;
    assert_eq!(again.event().await.unwrap().id.as_ref(), Some(&ids[1]));
    let path = format!("/v1/events/stream?after={}", ids[1]);
    let mut after = EventStream::open(&bench.caller, &path, None).await;
    assert_eq!(after.event().await.unwrap().id.as_ref(), Some(&ids[2]));
    // A client that comes again does so with the URL that it began with.
    let mut both = EventStream::open(&bench.caller, &path, Some(&ids[0])).await;
    assert_eq!(both.event().await.unwrap().id.as_ref(), Some(&ids[1]));
}

#[tokio::test]
async fn a_stream_from_the_latest_tells_at_once_where_it_began() {
    let bench = Bench::start().await;
    bench.caller.place(&order("SO-1")).await;
    let mut all = EventStream::open(&bench.caller, "/v1/events/stream", None).await;
    for _ in 0..3 {
        all.event().await.unwrap();
    }
    let mut stream = EventStream::open(&bench.caller, "/v1/events/stream?after=latest", None).await;
    let opening = stream.block().await.unwrap();
    assert_eq!(opening.data, Value::Null);
    bench.pause().await;
    assert_eq!(stream.event().await.unwrap().event.as_deref(), Some("account.paused"));
    drop(stream);
    // Broken off before the first event, it would have lost nothing.
    let mut again = EventStream::open(&bench.caller, "/v1/events/stream?after=latest", opening.id.as_deref()).await;
    assert_eq!(again.event().await.unwrap().event.as_deref(), Some("account.paused"));
}

#[tokio::test]
async fn a_stream_has_the_filters_of_the_feed_and_the_bounds_of_the_key() {
    let bench = Bench::start().await;
    let limited = bench.key(&["orders:read"], Some(&["elsewhere"])).await;
    let mut nothing = EventStream::open(&limited, "/v1/events/stream", None).await;
    let path = "/v1/events/stream?type=account.resumed&account=otms-demo";
    let mut filtered = EventStream::open(&bench.caller, path, None).await;
    bench.pause().await;
    bench.resume().await;
    assert_eq!(filtered.event().await.unwrap().event.as_deref(), Some("account.resumed"));
    for query in ["type=order.eaten", "after=!", "limit=5"] {
        bench.caller.get(&format!("/v1/events/stream?{query}")).await.problem(400, "malformed-request");
    }
    let mut idle = EventStream::open(&bench.caller, "/v1/events/stream?after=latest", None).await;
    let (opening, at_end) = (nothing.block().await.unwrap(), idle.block().await.unwrap());
    assert_eq!((opening.id, opening.data), (None, Value::Null));
    // Where nothing happens, all that is heard is that the stream lives; where nothing passes, how far it was read.
    let (passed, silence) = tokio::join!(nothing.block(), idle.block());
    assert_eq!(passed.unwrap(), Block { id: at_end.id, ..Block::default() });
    assert_eq!(silence.unwrap(), Block { comment: Some("nothing new".to_owned()), ..Block::default() });
}

#[tokio::test]
async fn a_stream_hears_of_what_another_replica_accepted_and_numbered() {
    let bench = Bench::start().await;
    let replica = GatewayProcess::start(&bench.database).await;
    let mut stream = EventStream::open(&replica.caller, "/v1/events/stream?type=order.placed", None).await;
    bench.caller.place(&order("SO-1")).await;
    assert_eq!(stream.event().await.unwrap().data["data"]["orderNumber"], "SO-1");
    // A replica that is gone is a stream that ends.
    replica.kill().await;
    assert_eq!(stream.event().await, None);
}

#[tokio::test]
async fn a_stream_ends_with_the_gateway_and_does_not_hold_it_up() {
    let bench = Bench::start().await;
    let mut stream = EventStream::open(&bench.caller, "/v1/events/stream?after=latest", None).await;
    stream.block().await.unwrap();
    let began = Instant::now();
    bench.stop().await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(stream.block().await, None);
}

#[tokio::test]
async fn a_stream_ends_with_its_key() {
    let bench = Bench::start().await;
    let created = bench.caller.post("/v1/api-keys", &json!({"name": "x", "scopes": ["orders:read"]})).await;
    let reader = bench.caller.with_key(created.body["key"].as_str().unwrap());
    let mut stream = EventStream::open(&reader, "/v1/events/stream", None).await;
    bench.pause().await;
    assert_eq!(stream.event().await.unwrap().event.as_deref(), Some("account.paused"));
    assert_eq!(bench.caller.delete(&format!("/v1/api-keys/{}", created.id())).await.status, 204);
    assert_eq!(stream.event().await, None);
}

#[tokio::test]
async fn there_is_room_for_so_many_streams_and_a_closed_one_makes_room() {
    let bench = Bench::start().await;
    let mut open = Vec::new();
    let refused = loop {
        let response = bench.caller.request(Method::GET, "/v1/events/stream").send().await.unwrap();
        if response.status() != 200 {
            break response;
        }
        open.push(response);
        assert!(open.len() <= 256);
    };
    assert_eq!((open.len(), refused.status().as_u16()), (256, 503));
    assert!(refused.headers().contains_key("retry-after"));
    open.clear();
    let again =
        async { while bench.caller.request(Method::GET, "/v1/events/stream").send().await.unwrap().status() != 200 {} };
    assert!(tokio::time::timeout(Duration::from_secs(30), again).await.is_ok());
}
