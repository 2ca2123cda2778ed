//! Connections: closed when nobody asks anything on them, so many at once, and cut off when nobody reads.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Bench, EventStream, RawConnection, order};

async fn impatient() -> Bench {
    Bench::start_with(|options| options.server.idle = Duration::from_secs(1)).await
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    let bench = impatient().await;
    // Nothing, half a request, half an HTTP/2 preface, and nothing any more.
    for sent in ["", "GET /healthz HT", "GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ", "PRI * HTTP/2.0\r\n\r\n"] {
        let mut connection = RawConnection::open(&bench.base_url).await;
        connection.send(sent).await;
        connection.end().await;
    }
    let mut connection = RawConnection::open(&bench.base_url).await;
    assert_eq!(connection.get("/healthz").await.status, 200);
    assert_eq!(connection.get("/healthz").await.status, 200);
    assert_eq!(connection.end().await, 0);
}

#[tokio::test]
async fn a_request_may_take_longer_than_a_connection_may_be_idle() {
    let bench = impatient().await;
    bench.faults(json!([{"kind": "slow", "delayMs": 2500, "times": 1}])).await;
    let placed = bench.caller.place(&order("SO-1")).await;
    assert_eq!((placed.status, &placed.body["submission"]["state"]), (201, &json!("accepted")), "{:#}", placed.body);
}

#[tokio::test]
async fn a_stream_on_which_nothing_happens_lives_on() {
    let bench = impatient().await;
    let mut stream = EventStream::open(&bench.caller, "/v1/events/stream?after=latest", None).await;
    stream.block().await.unwrap();
    // The next word comes after 15 seconds of silence.
    assert_eq!(stream.block().await.unwrap().comment.as_deref(), Some("nothing new"));
}

#[tokio::test]
async fn there_are_only_so_many_connections_and_one_that_ends_makes_room() {
    let bench = Bench::start_with(|options| options.server.connections = 2).await;
    // The caller that set the bench up keeps one of the two.
    let mut first = RawConnection::open(&bench.base_url).await;
    assert_eq!(first.get("/healthz").await.status, 200);
    let mut second = RawConnection::open(&bench.base_url).await;
    second.send("GET /healthz HTTP/1.1\r\nhost: onelane\r\n\r\n").await;
    for _ in 0..20 {
        assert_eq!(first.get("/healthz").await.status, 200);
        assert_eq!(bench.caller.get("/healthz").await.status, 200);
    }
    assert!(second.is_silent());
    drop(first);
    assert_eq!(second.answer().await.status, 200);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let bench = Bench::start_with(|options| {
        options.server.connections = 2;
        options.server.unread = Duration::from_secs(1);
    })
    .await;
    // The caller that set the bench up keeps one of the two.
    let mut deaf = RawConnection::open(&bench.base_url).await;
    let asked = 400;
    deaf.send("GET /openapi.json HTTP/1.1\r\nhost: onelane\r\n\r\n".repeat(asked)).await;
    // There is room for another one only when it has been given up.
    let mut other = RawConnection::open(&bench.base_url).await;
    assert_eq!(other.get("/healthz").await.status, 200);
    let length = bench.caller.get("/openapi.json").await.body.to_string().len();
    assert!(deaf.end().await < length * asked);
}

/// On one HTTP/2 connection there may be many requests; a caller may have as many as it likes, up to what is served.
#[tokio::test]
async fn http_2_is_spoken_without_tls() {
    let bench = impatient().await;
    #[expect(clippy::disallowed_methods, reason = "a caller of the gateway, not a client of a provider")]
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let answer = client.get(format!("{}/healthz", bench.base_url)).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, reqwest::Version::HTTP_2));
}
