//! 订阅返回报文: what subscribers are told, on a real socket.

use std::collections::BTreeSet;

use axum::Router;
use axum::routing::post;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;

/// A subscriber that hears every call.
pub(super) struct Ear {
    url: String,
    heard: UnboundedReceiver<Value>,
    /// What came at another path than the subscriber's.
    strayed: UnboundedReceiver<Value>,
}

impl Ear {
    pub(super) async fn open() -> Self {
        let (told, heard) = unbounded_channel();
        let (lost, strayed) = unbounded_channel();
        let hear = move |body: String| {
            let told = told.clone();
            async move {
                told.send(serde_json::from_str(&body).unwrap()).unwrap();
                "{\"code\":200,\"message\":null}"
            }
        };
        let miss = move |body: String| {
            let lost = lost.clone();
            async move {
                lost.send(serde_json::from_str(&body).unwrap()).unwrap();
                StatusCode::NOT_FOUND
            }
        };
        let router = Router::new().route("/in", post(hear)).fallback(miss);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/in", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, heard, strayed }
    }

    pub(super) async fn next(&mut self) -> Value {
        tokio::time::timeout(std::time::Duration::from_secs(10), self.heard.recv()).await.unwrap().unwrap()
    }

    pub(super) async fn next_stray(&mut self) -> Value {
        tokio::time::timeout(std::time::Duration::from_secs(10), self.strayed.recv()).await.unwrap().unwrap()
    }

    /// One member of each of the next calls.
    async fn next_few(&mut self, count: usize, member: &str) -> Vec<Value> {
        let mut heard = Vec::new();
        for _ in 0..count {
            heard.push(self.next().await[member].clone());
        }
        heard
    }

    /// Nothing more was said: all calls of a control call are made before it is answered.
    pub(super) fn is_silent(&mut self) -> bool {
        self.heard.try_recv().is_err()
    }
}

impl Bench {
    pub(super) async fn subscribe(&self, ear: &Ear) {
        let subscription = |states: &str| json!({ "states": states, "callbackUrl": ear.url });
        let mut orders = subscription("0,1,2,3,4,210,8000,8001,8002");
        orders["version"] = "v1".into();
        let mut customer_orders = subscription("600,601,602");
        customer_orders["xhkID"] = "x".into();
        for (path, body) in [
            ("/order/subscribe/v2", orders),
            ("/order/orderPack/subscribe", subscription("19000,40000,40001")),
            ("/customer_order/subscribe", customer_orders),
        ] {
            self.post(path, &body).await;
        }
    }

    async fn tell(&self, asked: Value) -> (StatusCode, Value) {
        self.control(Method::POST, "/ttms/callbacks", &asked).await
    }
}

/// The names of all members, of objects within, too.
fn names(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for pointer in pointers(value) {
        names.insert(pointer);
    }
    names
}

/// The document's example of a call.
fn documented(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/ttms/callbacks/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn top_level(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[tokio::test]
async fn an_order_is_told_of_at_each_stage() {
    let (bench, mut ear) = (Bench::new().await, Ear::open().await);
    bench.subscribe(&ear).await;
    let number = bench.create(&order("A-1")).await;
    for (to, state) in [("placed", 1), ("confirmed", 2), ("picked_up", 3), ("delivered", 4)] {
        let (_, answer) = bench.advance_order(&number, to).await;
        let called = &answer["calledBack"][0];
        assert_eq!((&called["status"], &called["answer"]), (&json!(200), &json!("{\"code\":200,\"message\":null}")));
        let call = ear.next().await;
        assert_eq!(top_level(&call), top_level(&documented("order")), "{to}");
        assert_eq!((&call["number "], &call["wmsNumber"]), (&json!(number), &json!("A-1")));
        assert_eq!((&call["state"], &call["subscribeState"]), (&json!(state), &json!(state)));
        assert_eq!(call["messageTimeStamp"], bench.seconds());
        assert_eq!(call["signer"].is_null(), to != "delivered");
    }
    assert!(ear.is_silent());
    bench.create(&order("A-2")).await;
    bench.advance_order("A-2", "delivered").await;
    assert_eq!(ear.next_few(4, "subscribeState").await, [1, 2, 3, 4].map(|it| json!(it)));
}

#[tokio::test]
async fn what_nobody_asked_for_is_not_told() {
    let (bench, mut ear) = (Bench::new().await, Ear::open().await);
    let number = bench.create(&order("A-1")).await;
    bench.advance_order(&number, "placed").await;
    let only = json!({ "states": "3", "callbackUrl": ear.url, "version": "v1" });
    bench.post("/order/subscribe/v2", &only).await;
    bench.advance_order(&number, "delivered").await;
    assert_eq!(ear.next().await["subscribeState"], 3);
    assert!(ear.is_silent());
    let (status, problem) = bench.tell(json!({ "state": 210, "number": number })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem["detail"].as_str().unwrap().contains("not subscribed to 210"), "{problem}");
}

/// Also by its sender, and whether the answer arrives or not.
#[tokio::test]
async fn a_cancellation_is_told_of_an_order_that_was_placed() {
    let (bench, mut ear) = (Bench::new().await, Ear::open().await);
    bench.subscribe(&ear).await;
    let placed = bench.create(&order("A-1")).await;
    bench.advance_order(&placed, "placed").await;
    assert_eq!(ear.next().await["subscribeState"], 1);
    let pending = bench.create(&order("A-2")).await;
    bench.data("/order/cancel_orders/v2", &json!({ "numbers": format!("{pending},{placed}") })).await;
    let call = ear.next().await;
    assert_eq!((&call["number "], &call["subscribeState"], &call["state"]), (&json!(placed), &json!(0), &json!(0)));
    let third = bench.create(&order("A-3")).await;
    bench.advance_order(&third, "placed").await;
    assert_eq!(ear.next().await["wmsNumber"], "A-3", "nothing was told of the pending one");
}

#[tokio::test]
async fn a_trip_is_told_of_with_all_its_orders() {
    let (bench, mut ear) = (Bench::new().await, Ear::open().await);
    bench.subscribe(&ear).await;
    let trip = json!({ "orderList": [order("A-1"), order("A-2")], "driverPhone": "13812345678" });
    let data = bench.data("/order/create_order_pack", &trip).await;
    let (pack, numbers) = (data["packNumber"].clone(), data["numbers"].clone());
    assert_eq!(ear.next_few(2, "subscribeState").await, [json!(1), json!(1)]);
    let call = ear.next().await;
    assert_eq!(names(&call).len(), names(&documented("trip")).len() + 3, "one order more in each of three lists");
    assert_eq!(top_level(&call), top_level(&documented("trip")));
    assert_eq!((&call["state"], &call["packNumber"], &call["orderNumbers"]), (&json!(40_000), &pack, &numbers));
    assert_eq!((&call["wmsNumbers"], &call["createTime"]), (&json!(["A-1", "A-2"]), &json!("2019-01-25 17:09:00")));
    for state in [40_001, 19_000] {
        assert_eq!(bench.tell(json!({ "state": state, "number": pack })).await.0, StatusCode::OK);
        assert_eq!(ear.next().await["state"], state);
    }
}

#[tokio::test]
async fn an_acceptance_order_is_told_of_in_words_and_when_it_is_signed() {
    let (bench, mut ear) = (Bench::new().await, Ear::open().await);
    bench.subscribe(&ear).await;
    let number = bench.accept(&customer_order("C-1")).await;
    bench.advance_order(&number, "confirmed").await;
    let note = ear.next().await;
    assert_eq!(top_level(&note), top_level(&documented("tracking-note")));
    assert_eq!((&note["customerOrderNumber"], &note["orderState"]), (&json!(number), &json!(2000)));
    bench.advance_order(&number, "delivered").await;
    assert_eq!(ear.next().await["orderState"], 3000);
    let signed = ear.next().await;
    assert_eq!(top_level(&signed), top_level(&documented("signed")));
    assert_eq!((&signed["subscribeState"], &signed["isFinished"]), (&json!(601), &json!(true)));
    bench.tell(json!({ "state": 602, "number": number })).await;
    let position = ear.next().await;
    assert_eq!(top_level(&position), top_level(&documented("position")));
    assert_eq!(names(&position["gpsInfo"]), names(&documented("position")["gpsInfo"]));
}

#[tokio::test]
async fn every_other_call_is_made_when_it_is_asked_for() {
    let (bench, mut ear) = (Bench::new().await, Ear::open().await);
    bench.subscribe(&ear).await;
    let (number, second) = (bench.create(&order("A-1")).await, bench.create(&order("A-2")).await);
    bench.tell(json!({ "state": 8002, "number": number })).await;
    assert_eq!(names(&ear.next().await["orderAbnormalInfo"]), names(&documented("exception")["orderAbnormalInfo"]));
    bench.tell(json!({ "state": 8000, "number": number, "numbers": [second] })).await;
    let prints = ear.next().await;
    assert_eq!(prints, json!({ "orderNumbers": [number, second], "printType": "运单打印" }));
    bench.tell(json!({ "state": 8001, "number": number })).await;
    assert_eq!(ear.next().await["printType"], "运单标签打印");
    bench.tell(json!({ "state": 210, "number": number, "members": { "driver": "另一司机" } })).await;
    let reassigned = ear.next().await;
    assert_eq!((&reassigned["driver"], &reassigned["state"]), (&json!("另一司机"), &Value::Null));
    for (asked, word) in [
        (json!({ "state": 5, "number": number }), "state 5"),
        (json!({ "state": 1, "number": "nothing" }), "nothing"),
        (json!({ "state": 600, "number": number }), "acceptance order"),
        (json!({ "state": 40_000, "number": number }), "trip"),
        (json!({ "number": number }), "state"),
        (json!({ "state": 1, "number": number, "colour": 1 }), "colour"),
    ] {
        let (status, problem) = bench.tell(asked.clone()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{asked}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
    }
    assert!(ear.is_silent());
}

#[tokio::test]
async fn faults_repeat_calls_and_turn_their_order() {
    let (bench, mut ear) = (Bench::new().await, Ear::open().await);
    bench.subscribe(&ear).await;
    bench.create(&order("A-1")).await;
    bench.set_faults(json!([{ "kind": "callback_duplicate", "times": 1 }])).await;
    bench.advance_order("A-1", "confirmed").await;
    assert_eq!(ear.next_few(3, "subscribeState").await, [1, 1, 2].map(|it| json!(it)));
    bench.set_faults(json!([{ "kind": "callback_disorder", "times": 1 }])).await;
    bench.advance_order("A-1", "delivered").await;
    assert_eq!(ear.next_few(2, "subscribeState").await, [4, 3].map(|it| json!(it)));
    // A fault of calls strikes no request.
    bench.set_faults(json!([{ "kind": "callback_duplicate", "orderNumber": "A-2" }])).await;
    bench.create(&order("A-2")).await;
}

/// Who does not answer holds nobody up for long.
#[tokio::test]
async fn a_subscriber_that_is_silent_is_not_waited_for() {
    let bench = Bench::new().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in", silent.local_addr().unwrap());
    bench.post("/order/subscribe/v2", &json!({ "states": "1", "callbackUrl": url, "version": "v1" })).await;
    bench.create(&order("A-1")).await;
    let started = tokio::time::Instant::now();
    let (status, answer) = bench.advance_order("A-1", "placed").await;
    assert_eq!((status, &answer["calledBack"]), (StatusCode::OK, &json!([])));
    assert!(started.elapsed() < std::time::Duration::from_secs(5));
    drop(silent);
}
