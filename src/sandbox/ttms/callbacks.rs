//! Calls back (订阅返回报文): what a subscriber is told of orders, trips and acceptance orders.
//!
//! What the document leaves out and this simulator decides:
//! - An order that passes several stages at once is told of once for each. Of a cancellation nothing is
//!   told while the order was still 待处理 (对应已下单、已接单状态时的撤销运单).
//! - A trip is told of as assigned when it is made with a driver.
//! - An acceptance order is told of by a note (600) at each stage and, at the end, as signed (601).
//! - Members of which nothing is known are null. `signer` and `receiptUrls` come with the signature.
//! - What the subscriber answers changes nothing, and no call is repeated.
//! - Calls are not signed, so the path is what proves them: a forged one comes at another.
//!
//! The control call `callbacks` has a call made at any time, if it was subscribed to: `{state, number}`,
//! `number` being an order's, an acceptance order's or a trip's, with `members` to put in the place of the
//! call's own. `8000` and `8001` take `numbers` besides.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::customer_order::{CustomerOrder, CustomerStatus};
use super::ledger::{Ledger, Trip};
use super::numbers::in_china;
use super::subscriptions::Topic;
use super::users::User;
use super::waybill::{Status, Waybill};
use crate::sandbox::CallBack;

pub const TRIP_CANCELLED: u32 = 19_000;
pub const TRIP_ASSIGNED: u32 = 40_000;
const TRIP_UPDATED: u32 = 40_001;
const CANCELLED: u32 = 0;
const WAYBILLS_PRINTED: u32 = 8000;
const LABELS_PRINTED: u32 = 8001;
const EXCEPTION: u32 = 8002;
const REASSIGNED: u32 = 210;
const NOTE: u32 = 600;
const SIGNED: u32 = 601;
const POSITION: u32 = 602;

/// Tells of an order that has left `before`.
pub fn of_waybill(ledger: &mut Ledger, index: usize, before: Status, now: DateTime<Utc>) {
    let status = ledger.waybill_at(index).status;
    let passed: Vec<Status> = if status == Status::Cancelled {
        if before == Status::Pending { Vec::new() } else { vec![status] }
    } else {
        let steps = [Status::Placed, Status::Accepted, Status::Loaded, Status::Signed];
        steps.into_iter().filter(|step| before < *step && *step <= status).collect()
    };
    for step in passed {
        let waybill = ledger.waybill_at(index);
        let (user, number) = (waybill.user, waybill.content.wms_number.clone());
        let state = state_of(step);
        let body = waybill_body(waybill, step, state, now);
        send(ledger, user, Topic::Order, state, body, vec![number]);
    }
}

/// Tells of a trip.
pub fn of_trip(ledger: &mut Ledger, pack_number: &str, state: u32, now: DateTime<Utc>) {
    let Some((user, body, numbers)) = trip_call(ledger, pack_number, state, now) else {
        return;
    };
    send(ledger, user, Topic::OrderPack, state, body, numbers);
}

/// Tells of an acceptance order at the stage that it has come to.
pub fn of_customer_order(ledger: &mut Ledger, index: usize, now: DateTime<Utc>) {
    let order = ledger.customer_order_at(index);
    let (user, status) = (order.user, order.status);
    let numbers: Vec<String> = order.content.original_order_number.clone().into_iter().collect();
    if status == CustomerStatus::Cancelled {
        return;
    }
    let note = note_body(order, now);
    let signed = (status == CustomerStatus::Finished).then(|| signed_body(order, now));
    send(ledger, user, Topic::CustomerOrder, NOTE, note, numbers.clone());
    if let Some(signed) = signed {
        send(ledger, user, Topic::CustomerOrder, SIGNED, signed, numbers);
    }
}

/// Puts a call into the outbox, if somebody asked for it; whether somebody did.
fn send(ledger: &mut Ledger, user: &User, topic: Topic, state: u32, body: Value, order_numbers: Vec<String>) -> bool {
    let subscription = ledger.subscriptions.get(&(user.name, topic));
    let Some(url) = subscription.and_then(|it| it.place_for(state)).map(str::to_owned) else {
        return false;
    };
    ledger.outbox.push(CallBack { url, body: body.to_string(), order_numbers });
    true
}

/// The same call at a path with a wrong secret.
pub fn forged(call: &CallBack) -> CallBack {
    CallBack { url: format!("{}-forged", call.url), ..call.clone() }
}

/// 0:已撤销,1:已下单,2:已接单,3:已装货,4:已签收
fn state_of(status: Status) -> u32 {
    match status {
        Status::Cancelled | Status::Pending => CANCELLED,
        Status::Placed => 1,
        Status::Accepted => 2,
        Status::Loaded => 3,
        Status::Signed => 4,
    }
}

/// 订单订阅返回报文. The first name has a space behind it in the document.
fn waybill_body(waybill: &Waybill, at: Status, fired: u32, now: DateTime<Utc>) -> Value {
    let signed = at == Status::Signed;
    let driver = waybill.driver.as_ref();
    let known = driver.and_then(|it| it.known);
    json!({
        "number ": waybill.number,
        "wmsNumber": waybill.content.wms_number,
        "customerOrderNumber": waybill.content.customer_order_number,
        "packNumber": waybill.pack_number,
        "remark": format!("订单{}", at.word()),
        "state": (at != Status::Pending).then(|| state_of(at)),
        "subscribeState": fired,
        "driver": known.map(|it| it.name),
        "deliveryType": waybill.content.delivery_type,
        "carNumber": known.map(|it| it.car),
        "phoneNumber": driver.map(|it| it.phone.clone()),
        "groupName": known.map(|_| "xx运输队"),
        "receiptUrls": if signed { json!(["http://oss.kuaihuoyun.com/1.png"]) } else { json!([]) },
        "signer": signed.then_some("xxx"),
        "messageTimeStamp": now.timestamp(),
    })
}

/// 运单异常信息
fn exception(waybill: &Waybill) -> Value {
    json!({
        "info": "异常内容:详细描述",
        "orderId": waybill.id,
        "orderNumber": waybill.number,
        "orderType": 1,
        "profile": "异常类型:简述",
        "source": 2,
        "type": "装货异常",
        "imageUrls": ["http://oss.kuaihuoyun.com/driverXXXXX.jpg"],
        "address": {
            "address": "浙江省杭州市西湖区古荡巷220",
            "lng": 120.125_546,
            "name": "浙江省杭州市西湖区古荡巷220",
            "lat": 30.278_15,
        },
    })
}

/// 车次订阅返回报文
fn trip_call(
    ledger: &Ledger,
    pack_number: &str,
    state: u32,
    now: DateTime<Utc>,
) -> Option<(&'static User, Value, Vec<String>)> {
    let trip = ledger.trip(pack_number)?;
    let waybills: Vec<&Waybill> = trip.order_numbers.iter().filter_map(|it| ledger.waybill_numbered(it)).collect();
    let user = waybills.first()?.user;
    let wms_numbers: Vec<String> = waybills.iter().map(|it| it.content.wms_number.clone()).collect();
    let known = waybills.iter().find_map(|it| it.driver.as_ref()?.known);
    let Trip { user: _, pack_number, driver_phone, order_numbers, created } = trip;
    let body = json!({
        "carNumber": known.map(|it| it.car),
        "groupName": known.map(|_| "白云仓车队"),
        "orderNumbers": order_numbers,
        "wmsNumbers": wms_numbers,
        "driver": known.map(|it| it.name),
        "createTime": in_china(*created).format("%Y-%m-%d %H:%M:%S").to_string(),
        "remark": "",
        "driverPhone": driver_phone,
        "state": state,
        "subscribeState": state,
        "messageTimeStamp": now.timestamp(),
        "packNumber": pack_number,
        "customerOrderNumbers": waybills.iter().map(|it| it.content.customer_order_number.clone()).collect::<Vec<_>>(),
    });
    Some((user, body, wms_numbers))
}

/// 订阅600时的回调结果
fn note_body(order: &CustomerOrder, now: DateTime<Utc>) -> Value {
    let content = match order.status {
        CustomerStatus::Pending => "待处理",
        CustomerStatus::Started => "已办理外转",
        CustomerStatus::Departed => "已发车",
        CustomerStatus::Finished => "已签收",
        CustomerStatus::Cancelled => "已撤销",
    };
    json!({
        "messageTimeStamp": now.timestamp(),
        "trackContent": content,
        "transferOrderNumber": null,
        "originalOrderNumber": order.content.original_order_number,
        "subscribeState": NOTE,
        "customerOrderNumber": order.number,
        "orderState": order.status.state(),
    })
}

/// 订阅601时的回调结果
fn signed_body(order: &CustomerOrder, now: DateTime<Utc>) -> Value {
    let at = order.signed.unwrap_or_else(|| now.timestamp());
    json!({
        "customerOrderNumber": order.number,
        "isFinished": order.status == CustomerStatus::Finished,
        "arrivedTime": at,
        "lastSignTime": at,
        "orderState": order.status.state(),
        "subscribeState": SIGNED,
        "messageTimeStamp": now.timestamp(),
    })
}

/// 订阅602时的回调结果
fn position_body(order: &CustomerOrder, now: DateTime<Utc>) -> Value {
    json!({
        "customerOrderNumbers": [order.number],
        "messageTimeStamp": now.timestamp(),
        "subscribeState": POSITION,
        "gpsInfo": {
            "device": order.content.device_number,
            "direction": 0,
            "gpsTime": now.timestamp(),
            "humidity": 58,
            "temperature": 23,
            "lat": 22.573_925_8,
            "lng": 113.921_576_3,
            "locateType": 2,
            "location": "广东省 深圳市 宝安区 留仙一路",
            "powerRate": 90,
            "chargerState": 0,
            "province": "广东省",
            "city": "深圳市",
            "district": "宝安区",
            "roadName": "广东省 深圳市 宝安区 留仙一路",
            "runStatus": 1,
            "speed": 40,
        },
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    state: u32,
    number: String,
    /// Further orders whose waybills or labels were printed.
    #[serde(default)]
    numbers: Vec<String>,
    #[serde(default)]
    members: Map<String, Value>,
}

/// Has a call made that the control call asks for.
pub fn tell(ledger: &mut Ledger, asked: Value, now: DateTime<Utc>) -> Result<(), String> {
    let asked: Asked = serde_json::from_value(asked).map_err(|error| error.to_string())?;
    let (user, topic, mut body, order_numbers) = call(ledger, &asked, now)?;
    if let Some(members) = body.as_object_mut() {
        members.extend(asked.members);
    }
    if send(ledger, user, topic, asked.state, body, order_numbers) {
        return Ok(());
    }
    Err(format!("{} has not subscribed to {}", user.name, asked.state))
}

type Call = (&'static User, Topic, Value, Vec<String>);

fn call(ledger: &Ledger, asked: &Asked, now: DateTime<Utc>) -> Result<Call, String> {
    let Asked { state, number, numbers, members: _ } = asked;
    match *state {
        CANCELLED | 1..=4 | REASSIGNED | EXCEPTION => {
            let waybill = waybill(ledger, number)?;
            let at = match *state {
                CANCELLED => Status::Cancelled,
                1 => Status::Placed,
                2 => Status::Accepted,
                3 => Status::Loaded,
                4 => Status::Signed,
                _ => waybill.status,
            };
            let mut body = waybill_body(waybill, at, *state, now);
            if *state == EXCEPTION {
                body["orderAbnormalInfo"] = exception(waybill);
            }
            Ok((waybill.user, Topic::Order, body, vec![waybill.content.wms_number.clone()]))
        }
        WAYBILLS_PRINTED | LABELS_PRINTED => {
            let waybill = waybill(ledger, number)?;
            let print_type = if *state == WAYBILLS_PRINTED { "运单打印" } else { "运单标签打印" };
            let all: Vec<&String> = std::iter::once(&waybill.number).chain(numbers).collect();
            let body = json!({ "orderNumbers": all, "printType": print_type });
            Ok((waybill.user, Topic::Order, body, vec![waybill.content.wms_number.clone()]))
        }
        TRIP_CANCELLED | TRIP_ASSIGNED | TRIP_UPDATED => {
            let unknown = || format!("there is no trip {number:?}");
            let (user, body, numbers) = trip_call(ledger, number, *state, now).ok_or_else(unknown)?;
            Ok((user, Topic::OrderPack, body, numbers))
        }
        NOTE | SIGNED | POSITION => {
            let unknown = || format!("there is no acceptance order {number:?}");
            let order = ledger.customer_order_numbered(number).ok_or_else(unknown)?;
            let body = match *state {
                NOTE => note_body(order, now),
                SIGNED => signed_body(order, now),
                _ => position_body(order, now),
            };
            Ok((
                order.user,
                Topic::CustomerOrder,
                body,
                order.content.original_order_number.clone().into_iter().collect(),
            ))
        }
        other => Err(format!("nobody is called about a state {other}")),
    }
}

/// By the number that the simulator gave it.
fn waybill<'l>(ledger: &'l Ledger, number: &str) -> Result<&'l Waybill, String> {
    ledger.waybill_numbered(number).ok_or_else(|| format!("there is no order {number:?}"))
}
