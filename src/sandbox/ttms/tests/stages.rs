//! Orders that go on without their senders: the control call `advance`.

use super::*;

#[tokio::test]
async fn an_order_comes_to_each_stage_with_its_times() {
    let bench = Bench::new().await;
    let number = bench.create(&order("A-1")).await;
    let mut times = Vec::new();
    for (to, word, waybill_state) in
        [("placed", "已下单", 1), ("confirmed", "已接单", 2), ("picked_up", "已装货", 3), ("delivered", "已签收", 4)]
    {
        bench.advance(TimeDelta::seconds(10));
        times.push(json!(bench.seconds()));
        let (status, entry) = bench.advance_order(&number, to).await;
        assert_eq!(status, StatusCode::OK, "{entry}");
        assert_eq!((&entry["status"], &entry["providerOrderNumber"]), (&json!(word), &json!(number)));
        let shown = bench.find(&number).await;
        assert_eq!((&shown["state"], &shown["waybillState"]), (&json!(2000), &json!(waybill_state)));
        let all = ["publishTime", "receiveTime", "shipmentTime", "signedTime"].map(|it| shown[it].clone());
        for (index, time) in all.iter().enumerate() {
            assert_eq!(time, times.get(index).unwrap_or(&Value::Null), "{to}");
        }
        assert_eq!(shown["updated"], bench.seconds());
        assert_eq!(shown["dispatchDriver"].is_null(), to == "placed", "who confirms it is a driver");
    }
    let entry = bench.held("A-1");
    assert_eq!((entry.amended, entry.cancelled), (0, 0), "its sender has done nothing");
}

#[tokio::test]
async fn stages_between_are_passed_at_once() {
    let bench = Bench::new().await;
    let number = bench.create(&order("A-1")).await;
    bench.advance_order("A-1", "delivered").await;
    let shown = bench.find(&number).await;
    for time in ["publishTime", "receiveTime", "shipmentTime", "signedTime"] {
        assert_eq!(shown[time], bench.seconds(), "{time}");
    }
    assert_eq!(shown["dispatchDriver"]["carNumber"], "浙A12345");
}

#[tokio::test]
async fn there_is_no_way_back_and_none_from_the_end() {
    for (from, to, word) in [
        ("placed", "placed", "已下单"),
        ("picked_up", "confirmed", "已装货"),
        ("picked_up", "cancelled", "已装货"),
        ("delivered", "cancelled", "已签收"),
        ("cancelled", "placed", "已撤销"),
        ("cancelled", "delivered", "已撤销"),
        ("cancelled", "cancelled", "已撤销"),
    ] {
        let bench = Bench::new().await;
        let number = bench.create(&order("A-1")).await;
        assert_eq!(bench.advance_order(&number, from).await.0, StatusCode::OK);
        let (status, problem) = bench.advance_order(&number, to).await;
        assert_eq!(status, StatusCode::CONFLICT, "{from} {to}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&number) && detail.contains(word), "{detail}");
        assert_eq!(bench.held("A-1").status, word);
    }
}

#[tokio::test]
async fn an_order_is_named_by_either_number() {
    let mut bench = Bench::new().await;
    let number = bench.create(&order("A-1")).await;
    for (named, to) in [("A-1", "placed"), (&*number, "confirmed")] {
        assert_eq!(bench.advance_order(named, to).await.0, StatusCode::OK, "{named}");
    }
    assert_eq!(bench.advance_order("A-2", "placed").await.0, StatusCode::NOT_FOUND);
    let accepted = bench.accept(&customer_order("A-1")).await;
    bench.log_in(1).await;
    bench.create(&order("A-1")).await;
    let (status, problem) = bench.advance_order("A-1", "delivered").await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(problem["detail"], "3 orders have the number \"A-1\"; take the provider's");
    assert_eq!(bench.advance_order(&accepted, "confirmed").await.1["status"], "进行中");
}

#[tokio::test]
async fn an_order_cancelled_by_the_providers_people_counts_as_cancelled() {
    let bench = Bench::new().await;
    let number = bench.create(&order("A-1")).await;
    let (_, entry) = bench.advance_order(&number, "cancelled").await;
    assert_eq!((&entry["status"], &entry["cancelled"]), (&json!("已撤销"), &json!(1)));
    assert_eq!(bench.find(&number).await["state"], 0);
}

#[tokio::test]
async fn an_acceptance_order_goes_on_too() {
    let bench = Bench::new().await;
    let number = bench.accept(&customer_order("C-1")).await;
    let (status, problem) = bench.advance_order(&number, "placed").await;
    assert_eq!(status, StatusCode::CONFLICT, "it begins so: {problem}");
    for (to, word, state, departed, finished) in [
        ("confirmed", "进行中", 2000, false, false),
        ("picked_up", "进行中", 2000, true, false),
        ("delivered", "已完成", 3000, true, true),
    ] {
        bench.advance(TimeDelta::seconds(10));
        let (_, entry) = bench.advance_order("C-1", to).await;
        assert_eq!(entry["status"], word);
        let order = bench.find_accepted(&number).await["order"].clone();
        assert_eq!((&order["state"], &order["departured"]), (&json!(state), &json!(departed)));
        assert_eq!((&order["finished"], &order["arrived"]), (&json!(finished), &json!(finished)));
        assert!(!order["publishTime"].is_null());
        assert_eq!(order["lastSignTime"], if finished { json!(bench.seconds()) } else { Value::Null });
    }
    assert_eq!(bench.advance_order(&number, "cancelled").await.0, StatusCode::CONFLICT);

    let number = bench.accept(&customer_order("C-2")).await;
    bench.advance_order(&number, "delivered").await;
    let order = bench.find_accepted(&number).await["order"].clone();
    assert_eq!(order["departureTime"], bench.seconds());
}
