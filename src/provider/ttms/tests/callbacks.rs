//! What 3TMS calls back, against the document's examples.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::super::{Ttms, callbacks};
use super::account;
use crate::canonical::{DocumentType, EventType, Happening, OrderMention, OrderStatus};
use crate::provider::{Callback, Provider, Reception, Refusal, read_callback};

/// An example of the document, with changes.
pub fn example(name: &str, change: Value) -> Value {
    let path = format!("{}/tests/fixtures/ttms/callbacks/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let mut example: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for (name, value) in change.as_object().unwrap() {
        example[name.as_str()] = value.clone();
    }
    example
}

/// What is read in a call.
pub fn read(call: &Value) -> Result<Vec<Happening>, Refusal> {
    read_bytes(call.to_string().as_bytes())
}

fn read_bytes(body: &[u8]) -> Result<Vec<Happening>, Refusal> {
    let callback = Callback { headers: &[], body };
    read_callback(Ttms.inward().unwrap(), &account(json!({})), callback, DateTime::UNIX_EPOCH)
}

fn one(call: &Value) -> Happening {
    let mut happenings = read(call).unwrap();
    assert_eq!(happenings.len(), 1);
    happenings.remove(0)
}

fn at(seconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0)
}

fn of(document_type: DocumentType, ours: Option<&str>, theirs: &str) -> OrderMention {
    OrderMention {
        document_type: Some(document_type),
        order_number: ours.map(str::to_owned),
        provider_order_number: Some(theirs.to_owned()),
    }
}

#[test]
fn an_order_that_came_to_a_state() {
    let call = example("order", json!({}));
    let read = one(&call);
    assert_eq!((read.event, read.status), (EventType::OrderPlaced, Some(OrderStatus::Requested)));
    assert_eq!(read.order, of(DocumentType::TransportOrder, Some("wmsNumber"), "1609171412804505"));
    assert_eq!((read.occurred_at, read.without_order), (at(1_565_595_441), false));
    let mut data = Value::Object(read.data);
    let raw = data.as_object_mut().unwrap().shift_remove("raw").unwrap();
    assert_eq!((&raw["number"], &raw["signer"]), (&json!("1609171412804505"), &json!("xxx")));
    assert_eq!(
        data,
        json!({
            "customerReference": "111111",
            "trip": {"number": "P20170805094004f32c20dd"},
            "remarks": "xx 订单已签收",
            "providerState": 1,
            "driver": {"name": "某司机", "phone": "13812345678"},
            "vehicle": {"licensePlate": "浙A12345"},
            "fleet": "xx运输队",
            "deliveryMethod": "self_pickup",
            "proofOfDelivery": {
                "signer": "xxx",
                "receiptUrls": ["http://oss.kuaihuoyun.com/1.png", "http://oss.kuaihuoyun.com/2.png"],
            },
            "providerOrderNumber": "1609171412804505",
            "orderNumber": "wmsNumber",
            "subscribedState": 1,
            "reportedAt": "2019-08-12T07:37:21Z",
        })
    );
}

/// It fires on what was subscribed to; the order's own state may be a later one.
#[test]
fn the_state_that_fired_says_what_happened() {
    for (fired, event, status) in [
        (0, EventType::OrderCancelled, Some(OrderStatus::Cancelled)),
        (1, EventType::OrderPlaced, Some(OrderStatus::Requested)),
        (2, EventType::OrderConfirmed, Some(OrderStatus::Confirmed)),
        (3, EventType::TransportPickedUp, Some(OrderStatus::InTransit)),
        (4, EventType::TransportDelivered, Some(OrderStatus::Completed)),
        (210, EventType::OrderReassigned, None),
        (8002, EventType::TransportException, None),
    ] {
        for given in [json!(fired), json!(fired.to_string())] {
            let read = one(&example("order", json!({"subscribeState": given, "state": 4})));
            assert_eq!((read.event, read.status), (event, status), "{fired}");
            assert_eq!((&read.data["subscribedState"], &read.data["providerState"]), (&json!(fired), &json!(4)));
        }
    }
}

/// The document writes a space behind the name of the first member.
#[test]
fn the_number_may_have_a_space_behind_its_name() {
    let with_space = one(&example("order", json!({})));
    let mut call = example("order", json!({}));
    let number = call.as_object_mut().unwrap().shift_remove("number ").unwrap();
    call["number"] = number;
    let without = one(&call);
    assert_eq!(with_space.order, without.order);
    // It is the same call.
    assert_eq!(with_space.dedupe_key, without.dedupe_key);
    call["number "] = Value::Null;
    assert_eq!(one(&call).order, without.order);
}

#[test]
fn members_that_say_nothing_are_left_out() {
    let nothing = json!({
        "packNumber": null, "remark": "", "driver": null, "carNumber": null, "phoneNumber": "", "groupName": null,
        "receiptUrls": [], "signer": null, "deliveryType": null, "customerOrderNumber": "", "messageTimeStamp": 0,
    });
    let read = one(&example("order", nothing));
    let names: Vec<_> = read.data.keys().map(String::as_str).collect();
    assert_eq!(names, ["providerState", "raw", "providerOrderNumber", "orderNumber", "subscribedState"]);
    assert_eq!(read.occurred_at, None);
}

#[test]
fn an_order_is_known_by_either_number() {
    let ours = one(&example("order", json!({"number ": null})));
    assert_eq!(ours.order.provider_order_number, None);
    let theirs = one(&example("order", json!({"wmsNumber": ""})));
    assert_eq!(theirs.order, of(DocumentType::TransportOrder, None, "1609171412804505"));
    let neither = read(&example("order", json!({"number ": "", "wmsNumber": null}))).unwrap_err();
    assert_eq!(neither.code, "callback.unparsable");
}

#[test]
fn something_that_went_wrong() {
    let read = one(&example("exception", json!({})));
    assert_eq!((read.event, read.status), (EventType::TransportException, None));
    let place = "浙江省杭州市西湖区古荡巷220靠近浙江省国家大学科技园中国计量学院分园";
    assert_eq!(
        read.data["exception"],
        json!({
            "stage": "loading",
            "reportedBy": "driver",
            "summary": "异常类型:简述",
            "description": "异常内容:详细描述",
            "providerOrderId": "5d2586f8e2",
            "providerOrderNumber": "1907101434753075",
            "about": "waybill",
            "imageUrls": ["http://oss.kuaihuoyun.com/driverXXXXX.jpg"],
            "position": {"latitude": 30.278_15, "longitude": 120.125_546, "address": place, "name": place},
        })
    );
    let mut call = example("exception", json!({}));
    for (kind, stage) in [("在途异常", json!("in_transit")), ("签收异常", json!("delivery")), ("别的", Value::Null)]
    {
        call["orderAbnormalInfo"]["type"] = json!(kind);
        assert_eq!(one(&call).data["exception"].get("stage").unwrap_or(&Value::Null), &stage);
    }
    for (source, by) in [(1, "operator"), (3, "system")] {
        call["orderAbnormalInfo"]["source"] = json!(source);
        assert_eq!(one(&call).data["exception"]["reportedBy"], by);
    }
}

/// They carry neither state nor time: printType tells them.
#[test]
fn prints_are_told_of_each_order() {
    let read_all = read(&example("waybills-printed", json!({}))).unwrap();
    let numbers = ["1906281634405579", "1906281634405921"];
    for (happening, number) in read_all.iter().zip(numbers) {
        assert_eq!((happening.event, happening.status), (EventType::DocumentWaybillPrinted, None));
        assert_eq!(happening.order, of(DocumentType::TransportOrder, None, number));
        assert_eq!((&happening.data["printType"], happening.occurred_at), (&json!("运单打印"), None));
        assert_eq!(happening.data["raw"], json!({"orderNumbers": [number], "printType": "运单打印"}));
    }
    assert_ne!(read_all[0].dedupe_key, read_all[1].dedupe_key);
    let label = one(&example("labels-printed", json!({})));
    assert_eq!(label.event, EventType::DocumentLabelPrinted);
    // Alone is not the same as with others.
    let alone = one(&example("waybills-printed", json!({"orderNumbers": [numbers[0]]})));
    assert_ne!(alone.dedupe_key, read_all[0].dedupe_key);
    let other = read(&example("labels-printed", json!({"printType": "别的"}))).unwrap_err();
    assert_eq!(other.code, "callback.unknown_state");
    assert!(read(&example("labels-printed", json!({"orderNumbers": []}))).is_err());
}

/// The document's example has 40000 beside 19000: the trip's own state counts.
#[test]
fn trips_are_told_of_each_of_their_orders() {
    let read_one = one(&example("trip", json!({})));
    assert_eq!((read_one.event, read_one.status), (EventType::TripAssigned, Some(OrderStatus::Confirmed)));
    assert_eq!(read_one.order, of(DocumentType::TransportOrder, Some("D19010300015"), "1903281059996382"));
    assert_eq!(
        read_one.data["trip"],
        json!({
            "number": "P190328563E48420011",
            "orderNumbers": ["D19010300015"],
            "providerOrderNumbers": ["1903281059996382"],
            "customerReferences": ["D19010300015"],
            "createdAt": "2019-03-28T11:08:32+08:00",
        })
    );
    assert_eq!(read_one.data["driver"], json!({"name": "浮夸", "phone": "19011111111"}));
    assert_eq!((&read_one.data["fleet"], &read_one.data["subscribedState"]), (&json!("白云仓车队"), &json!(19_000)));
    for (state, event, status) in [(19_000, EventType::TripCancelled, None), (40_001, EventType::TripUpdated, None)] {
        let read_one = one(&example("trip", json!({"state": state})));
        assert_eq!((read_one.event, read_one.status), (event, status));
        // Without it, what was subscribed to.
        assert_eq!(one(&example("trip", json!({"state": null, "subscribeState": state}))).event, event);
    }
    let two = json!({"orderNumbers": ["1", "2"], "wmsNumbers": ["A", "B"], "customerOrderNumbers": ["X", "Y"]});
    let two = read(&example("trip", two)).unwrap();
    assert_eq!(two[1].order, of(DocumentType::TransportOrder, Some("B"), "2"));
    assert_eq!((&two[1].data["customerReference"], two.len()), (&json!("Y"), 2));
    assert_ne!(two[0].dedupe_key, two[1].dedupe_key);
}

#[test]
fn numbers_of_a_trip_belong_together_only_where_they_are_as_many() {
    let uneven = json!({"orderNumbers": ["1", "2"], "wmsNumbers": ["A"], "customerOrderNumbers": []});
    let read_all = read(&example("trip", uneven)).unwrap();
    assert_eq!(read_all.len(), 2);
    assert!(read_all.iter().all(|it| it.order.order_number.is_none() && !it.data.contains_key("customerReference")));
    assert_eq!(read_all[0].data["trip"]["orderNumbers"], json!(["A"]));
    let ours = json!({"orderNumbers": null, "wmsNumbers": ["A", "B"], "customerOrderNumbers": null});
    let read_all = read(&example("trip", ours)).unwrap();
    assert_eq!(read_all[1].order.order_number.as_deref(), Some("B"));
    // A trip without orders is told of, too.
    let none = json!({"orderNumbers": [], "wmsNumbers": [], "state": 19_000});
    let empty = one(&example("trip", none));
    assert_eq!((empty.event, empty.without_order), (EventType::TripCancelled, true));
    assert!(read(&example("trip", json!({"packNumber": ""}))).is_err());
}

/// customerOrderNumber is the number of the acceptance order here.
#[test]
fn words_on_where_the_goods_are() {
    let read = one(&example("tracking-note", json!({})));
    assert_eq!((read.event, read.status), (EventType::TransportTrackingNote, Some(OrderStatus::InTransit)));
    assert_eq!(read.order, of(DocumentType::CustomerOrder, None, "S1911141034952066"));
    assert_eq!(
        (&read.data["note"], &read.data["transferOrderNumber"]),
        (&json!("已办理外转"), &json!("W1911145D9E467C0006"))
    );
    assert_eq!((&read.data["customerReference"], read.occurred_at), (&json!("0809496759"), at(1_573_699_009)));
    for (state, status) in [
        (0, Some(OrderStatus::Cancelled)),
        (1000, Some(OrderStatus::Requested)),
        (3000, Some(OrderStatus::Completed)),
        (7, None),
    ] {
        assert_eq!(one(&example("tracking-note", json!({"orderState": state}))).status, status);
    }
}

#[test]
fn deliveries_of_an_acceptance_order() {
    let read = one(&example("signed", json!({})));
    assert_eq!((read.event, read.status), (EventType::TransportDelivered, Some(OrderStatus::Completed)));
    assert_eq!(read.occurred_at, at(1_571_971_794));
    assert_eq!(read.data["arrivedAt"], "2019-10-25T02:49:54Z");
    let leg = one(&example("signed", json!({"isFinished": false, "orderState": 2000})));
    assert_eq!((leg.event, leg.status), (EventType::TransportLegDelivered, None));
    // Without the word, the state tells.
    assert_eq!(one(&example("signed", json!({"isFinished": null}))).event, EventType::TransportDelivered);
    let told = one(&example("signed", json!({"lastSignTime": null})));
    assert_eq!(told.occurred_at, at(1_571_971_799));
}

#[test]
fn where_a_device_is() {
    let read_one = one(&example("position", json!({})));
    assert_eq!((read_one.event, read_one.status), (EventType::PositionUpdated, None));
    assert_eq!(read_one.order, of(DocumentType::CustomerOrder, None, "S1910181834038713"));
    assert_eq!(read_one.occurred_at, at(1_572_329_163));
    assert_eq!(
        read_one.data["position"],
        json!({
            "latitude": 22.573_925_8, "longitude": 113.921_576_3, "source": "base_station", "direction": 0,
            "address": "广东省 深圳市 宝安区 留仙一路", "region": "广东省", "city": "深圳市", "district": "宝安区",
            "road": "广东省 深圳市 宝安区 留仙一路",
        })
    );
    assert_eq!(
        read_one.data["device"],
        json!({"number": "868120223404879", "state": "driving", "charging": false, "batteryLevel": 0})
    );
    assert_eq!(
        read_one.data["measurements"],
        json!([
            {"type": "Temperature", "value": 23, "unit": "CEL"},
            {"type": "RelativeHumidity", "value": 58, "unit": "P1"},
            {"type": "Speed", "value": 0, "unit": "KMH"},
        ])
    );
    let two = read(&example("position", json!({"customerOrderNumbers": ["S1", "S2"]}))).unwrap();
    assert_eq!(two.len(), 2);
    assert_eq!(two[1].data["raw"]["customerOrderNumbers"], json!(["S2"]));
    // Digits are kept as they came.
    let text = example("position", json!({})).to_string().replace("22.5739258", "22.57392580");
    let read_all = read_bytes(text.as_bytes()).unwrap();
    assert_eq!(read_all[0].data["position"]["latitude"].to_string(), "22.57392580");
}

#[test]
fn a_repetition_is_known_however_it_is_written() {
    let call = example("order", json!({}));
    let key = one(&call).dedupe_key;
    let pretty = read_bytes(&serde_json::to_vec_pretty(&call).unwrap()).unwrap();
    assert_eq!(pretty[0].dedupe_key, key);
    let mut turned: Vec<_> = call.as_object().unwrap().clone().into_iter().collect();
    turned.reverse();
    let turned = Value::Object(turned.into_iter().collect());
    assert_eq!(one(&turned).dedupe_key, key);
    for change in [json!({"messageTimeStamp": 1_565_595_442}), json!({"state": 2}), json!({"driver": "另一司机"})] {
        assert_ne!(one(&example("order", change)).dedupe_key, key);
    }
}

#[test]
fn what_is_none_of_these_is_refused() {
    for (body, code) in [
        ("", "callback.unparsable"),
        ("null", "callback.unparsable"),
        ("[]", "callback.unparsable"),
        ("{}", "callback.unparsable"),
        ("<html/>", "callback.unparsable"),
        (r#"{"number": "1", "state": 1}"#, "callback.unparsable"),
        (r#"{"number": "1", "subscribeState": 5}"#, "callback.unknown_state"),
        (r#"{"number": "1", "subscribeState": "new"}"#, "callback.unparsable"),
        (r#"{"subscribeState": 600}"#, "callback.unparsable"),
        (r#"{"subscribeState": 602, "customerOrderNumbers": []}"#, "callback.unparsable"),
        // As the document prints it.
        (r#"{"orderNumbers": ["1906281634405579", .....], "printType": "运单打印"}"#, "callback.unparsable"),
    ] {
        assert_eq!(read_bytes(body.as_bytes()).unwrap_err().code, code, "{body}");
    }
}

#[test]
fn calls_are_answered_as_3tms_answers() {
    let body = |reception| serde_json::from_slice::<Value>(&callbacks::reply(reception).body).unwrap();
    assert_eq!(body(Reception::Accepted), json!({"code": 200, "message": null}));
    let refusal = Refusal::unparsable("why", "原因");
    assert_eq!(body(Reception::Refused(&refusal)), json!({"status": 500, "message": "原因"}));
    assert_eq!(callbacks::reply(Reception::Accepted).status, 200);
}
