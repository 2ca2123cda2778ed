//! Orders that go on by themselves, at the pace that the control call `life` sets.

use std::collections::HashMap;

use super::callbacks::Ear;
use super::*;
use crate::sandbox::{find, life};

impl Bench {
    async fn live_so(&self, pace: Value) {
        let (status, set) = self.control(Method::PUT, "/ttms/life", &pace).await;
        assert_eq!(status, StatusCode::OK, "{set}");
        for (name, value) in pace.as_object().unwrap() {
            assert_eq!(set[name].as_f64(), value.as_f64(), "{name}");
        }
    }

    /// Time passes, and is looked at once.
    async fn pass(&self, seconds: i64) {
        self.advance(TimeDelta::seconds(seconds));
        life::step(find(&self.sandbox.stations, "ttms").unwrap()).await;
    }
}

#[tokio::test]
async fn without_a_pace_nothing_goes_on() {
    let bench = Bench::new().await;
    bench.create(&order("A-1")).await;
    bench.pass(100_000).await;
    assert_eq!(bench.held("A-1").status, "待处理");
}

#[tokio::test]
async fn an_order_comes_to_a_stage_at_a_time_and_each_is_told() {
    let (bench, mut ear) = (Bench::new().await, Ear::open().await);
    bench.subscribe(&ear).await;
    bench.create(&order("A-1")).await;
    // What it stood before does not count.
    bench.advance(TimeDelta::seconds(100));
    bench.live_so(json!({ "secondsPerStage": 10 })).await;
    for (word, state) in [("已下单", 1), ("已接单", 2), ("已装货", 3), ("已签收", 4)] {
        let before = bench.held("A-1").status;
        bench.pass(9).await;
        assert_eq!(bench.held("A-1").status, before);
        assert!(ear.is_silent());
        bench.pass(1).await;
        assert_eq!(bench.held("A-1").status, word);
        let call = ear.next().await;
        assert_eq!((&call["wmsNumber"], &call["subscribeState"]), (&json!("A-1"), &json!(state)));
        assert_eq!(call["receiptUrls"].as_array().unwrap().len(), usize::from(state == 4));
    }
    bench.pass(100).await;
    assert!(ear.is_silent());
}

#[tokio::test]
async fn each_order_has_its_own_time() {
    let bench = Bench::new().await;
    bench.live_so(json!({ "secondsPerStage": 0.5 })).await;
    bench.create(&order("A-1")).await;
    bench.advance(TimeDelta::milliseconds(300));
    bench.create(&order("A-2")).await;
    let accepted = bench.accept(&customer_order("C-1")).await;
    // A change does not keep it.
    let number = bench.held("A-1").provider_order_number;
    bench.post("/order/modify_order", &json!({ "orderNumber": number, "note": "x" })).await;
    bench.advance(TimeDelta::milliseconds(200));
    bench.pass(0).await;
    assert_eq!((bench.held("A-1").status, bench.held("A-2").status), ("已下单", "待处理"));
    bench.advance(TimeDelta::milliseconds(300));
    bench.pass(0).await;
    assert_eq!((bench.held("A-1").status, bench.held("A-2").status), ("已下单", "已下单"));
    assert_eq!(bench.find_accepted(&accepted).await["order"]["state"], 2000);
    // However late it is looked at, no stage is left out.
    bench.pass(100).await;
    assert_eq!(bench.held("A-1").status, "已接单");
}

#[tokio::test]
async fn what_is_cancelled_or_advanced_by_hand_is_respected() {
    let bench = Bench::new().await;
    bench.live_so(json!({ "secondsPerStage": 10 })).await;
    for number in ["A-1", "A-2"] {
        bench.create(&order(number)).await;
    }
    bench.pass(5).await;
    bench.advance_order("A-1", "cancelled").await;
    bench.advance_order("A-2", "confirmed").await;
    bench.pass(9).await;
    assert_eq!((bench.held("A-1").status, bench.held("A-2").status), ("已撤销", "已接单"));
    bench.pass(1).await;
    assert_eq!((bench.held("A-1").status, bench.held("A-2").status), ("已撤销", "已装货"));
    // And it can be stopped.
    bench.live_so(json!({})).await;
    bench.pass(100).await;
    assert_eq!(bench.held("A-2").status, "已装货");
}

#[tokio::test]
async fn calls_come_twice_and_behind_a_forged_one_if_wanted() {
    let (bench, mut ear) = (Bench::new().await, Ear::open().await);
    bench.subscribe(&ear).await;
    bench.create(&order("A-1")).await;
    bench.live_so(json!({ "secondsPerStage": 10, "duplicates": 1, "badSignatures": 1 })).await;
    bench.pass(10).await;
    let (first, second) = (ear.next().await, ear.next().await);
    assert_eq!((&first["subscribeState"], &first), (&json!(1), &second));
    assert!(ear.is_silent());
    assert_eq!(ear.next_stray().await, first);
}

#[tokio::test]
async fn calls_out_of_order_all_come_in_the_end() {
    let (bench, mut ear) = (Bench::new().await, Ear::open().await);
    bench.subscribe(&ear).await;
    for number in 0..20 {
        bench.create(&order(&format!("A-{number}"))).await;
    }
    bench.live_so(json!({ "secondsPerStage": 10, "disorder": 0.3 })).await;
    // The last one may be late by a stage and a half.
    for _ in 0..12 {
        bench.pass(5).await;
    }
    let mut told: HashMap<String, Vec<i64>> = HashMap::new();
    for _ in 0..80 {
        let call = ear.next().await;
        let number = call["wmsNumber"].as_str().unwrap().to_owned();
        told.entry(number).or_default().push(call["subscribeState"].as_i64().unwrap());
    }
    assert!(ear.is_silent());
    let disorderly = told.values().filter(|states| !states.is_sorted()).count();
    assert!((5..20).contains(&disorderly), "{told:?}");
    for states in told.values_mut() {
        states.sort_unstable();
        assert_eq!(states, &[1, 2, 3, 4]);
    }
}

#[tokio::test]
async fn a_late_call_comes_when_orders_go_on_by_hand_again() {
    let (bench, mut ear) = (Bench::new().await, Ear::open().await);
    bench.subscribe(&ear).await;
    bench.create(&order("A-1")).await;
    bench.live_so(json!({ "secondsPerStage": 10, "disorder": 1 })).await;
    bench.pass(10).await;
    assert!(ear.is_silent());
    bench.live_so(json!({ "secondsPerStage": 0 })).await;
    bench.pass(0).await;
    assert_eq!(ear.next().await["subscribeState"], 1);
    // A reset forgets it, and keeps the pace.
    bench.live_so(json!({ "secondsPerStage": 10, "disorder": 1 })).await;
    bench.pass(10).await;
    bench.control(Method::POST, "/reset", &json!(null)).await;
    bench.pass(100).await;
    assert!(ear.is_silent());
    assert_eq!(bench.control(Method::GET, "/ttms/life", &json!(null)).await.1["secondsPerStage"], 10.0);
}
