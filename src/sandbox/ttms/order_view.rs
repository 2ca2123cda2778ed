//! An order as `/order/find_order/v2` and `/order/query_orders` show it: with all members of the
//! document's examples, null where nothing is known.

use serde_json::{Map, Number, Value, json};

use super::cargo::{self, Cargo, NOTES};
use super::content::Freight;
use super::organization;
use super::party::Party;
use super::waybill::{Driver, Waybill};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// find_order: 包含详细的货物信息
    Whole,
    /// query_orders: 不包含详细的货物信息
    Listed,
}

/// What nothing here is ever known of.
const UNKNOWN: [&str; 46] = [
    "settlementParty",
    "freightReceived",
    "freightCollectReceived",
    "paymentCollectReceived",
    "option1",
    "option2",
    "option3",
    "batchId",
    "parentOrderId",
    "splitOrderId",
    "planNumber",
    "omsNumber",
    "evaluate",
    "miles",
    "receiptCallbackTime",
    "receiptSendOutTime",
    "evaluateTime",
    "receiptStatus",
    "receiptUploaded",
    "settlementStatus",
    "freightCollectStatus",
    "collectionAmountStatus",
    "orderPrintStatus",
    "tipsPrintStatus",
    "segmentNumber",
    "segmentType",
    "segmentReceiveOrganizeidPath",
    "freezeDeliveryTime",
    "freezeAppointArriveTime",
    "freezeStartAddress",
    "freezeEndAddress",
    "freezePaymentCollect",
    "abnormal",
    "abnormal_dispose_status",
    "onlinePayState",
    "onlinePayment",
    "transactionId",
    "isDelete",
    "financeCollectFixedTime",
    "freightCollectFixedTime",
    "apportionFee",
    "checkPickUpAlarm",
    "checkDeliverAlarm",
    "deliveryAddress",
    "signAddress",
    "openTime",
];

/// 订单来源,1手工录入,2标准导入,4接口导入
const IMPORTED_BY_INTERFACE: i64 = 4;

pub fn shown(waybill: &Waybill, detail: Detail) -> Value {
    let mut members = identity(waybill);
    members.extend(journey(waybill));
    members.extend(money(waybill));
    members.extend(progress(waybill));
    members.insert("cargo".to_owned(), cargo(&waybill.content.cargoes, detail));
    members.insert("totalCargoes".to_owned(), waybill.content.cargoes.len().into());
    if detail == Detail::Whole {
        let cargoes = waybill.content.cargoes.iter().map(|it| cargo_line(it, waybill));
        members.insert("cargoes".to_owned(), cargoes.collect());
    }
    members.extend(UNKNOWN.map(|name| (name.to_owned(), Value::Null)));
    members.into()
}

fn identity(waybill: &Waybill) -> Map<String, Value> {
    let Waybill { user, id, number, content, .. } = waybill;
    object(json!({
        "id": id,
        "uid": user.uid,
        "number": number,
        "wmsNumber": content.wms_number,
        "wmsLocation": content.wms_location,
        "operator": user.uid,
        "createUserId": user.phone,
        "createUsername": user.person,
        "createUid": user.uid,
        "customerOrderNumber": content.customer_order_number,
        "note": content.note,
        "organizationPath": content.organization_path.as_deref().unwrap_or(organization::HEADQUARTERS),
        "source": IMPORTED_BY_INTERFACE,
        "extraFields": extra_fields(&content.notes),
        "created": waybill.times.created,
        "updated": waybill.times.updated,
    }))
}

/// Empty texts, not null, where nothing is known: so is the document's example.
fn extra_fields(notes: &[Option<String>; 12]) -> Value {
    let mut fields = Map::new();
    for kind in ["uppay", "pay"] {
        fields.extend((1..=6).map(|n| (format!("{kind}{n}"), "".into())));
    }
    let notes = NOTES.into_iter().zip(notes);
    fields.extend(notes.map(|(name, note)| (name.to_owned(), note.as_deref().unwrap_or_default().into())));
    fields.into()
}

fn journey(waybill: &Waybill) -> Map<String, Value> {
    let content = &waybill.content;
    let consignee = content.consignees.first();
    let degrees = |party: Option<&Party>| {
        let address = party.map(|it| &it.address);
        (address.and_then(|it| it.lng.clone()), address.and_then(|it| it.lat.clone()))
    };
    let (start_lng, start_lat) = degrees(Some(&content.consigner));
    let (end_lng, end_lat) = degrees(consignee);
    object(json!({
        "deliveryTime": content.delivery_time,
        "deliveryType": content.delivery_type,
        "appointArriveTime": content.appoint_arrive_time,
        "startAddress": content.start_address,
        "endAddress": content.end_address,
        "startAddressLng": start_lng,
        "startAddressLat": start_lat,
        "endAddressLng": end_lng,
        "endAddressLat": end_lat,
        "consigner": content.consigner.shown(),
        "consignees": content.consignees.iter().map(Party::shown).collect::<Vec<_>>(),
    }))
}

/// Nothing has been paid or collected yet, as long as nobody says so.
fn money(waybill: &Waybill) -> Map<String, Value> {
    let content = &waybill.content;
    let outstanding = |amount: &Option<Number>| amount.clone().map_or(json!(0.0), Value::from);
    object(json!({
        "freightIn": freight(&content.shipper),
        "freightOut": freight(&content.driver),
        "totalFreightIn": content.shipper.amount,
        "freightUnreceived": content.shipper.amount,
        "freightCollect": content.freight_collect,
        "freightCollectUnReceived": outstanding(&content.freight_collect),
        "paymentCollect": content.payment_collect,
        "paymentCollectUnReceived": outstanding(&content.payment_collect),
        "needReceipt": content.receipt_count.map(|it| i64::from(it > 0)),
        "receiptCount": content.receipt_count,
        "onlinePay": false,
    }))
}

pub fn freight(freight: &Freight) -> Value {
    let Freight { amount, pay_type } = freight;
    if amount.is_none() && pay_type.is_none() {
        return Value::Null;
    }
    json!({ "payType": pay_type, "amount": amount })
}

fn progress(waybill: &Waybill) -> Map<String, Value> {
    let Waybill { status, pack_number, driver, times, .. } = waybill;
    // 订单指派方式 1:指派 2:抢单
    let assigned = times.published.map(|_| 1);
    object(json!({
        "state": status.state(),
        "waybillState": status.waybill_state(),
        "packNumber": pack_number,
        "dispatchInfo": {
            "driverPhone": driver.as_ref().map(|it| &it.phone),
            "driverUids": driver.iter().filter_map(|it| it.known).map(|it| it.uid).collect::<Vec<_>>(),
            "gids": [],
            "carMode": null,
            "orderCount": 1,
            "shouldNotifyDriver": false,
            "needDriverAgree": false,
            "driverTags": null,
            "vehicleTagIds": null,
        },
        "dispatchDriver": driver.as_ref().map(dispatch_driver),
        "orderSendType": assigned,
        "publishTime": times.published,
        "receiveTime": times.received,
        "shipmentTime": times.shipped,
        "signedTime": times.signed,
    }))
}

fn dispatch_driver(driver: &Driver) -> Value {
    let Driver { phone, known } = driver;
    json!({
        "uid": known.map(|it| it.uid),
        "username": known.map(|it| it.name),
        "phoneNumber": phone,
        "carNumber": known.map(|it| it.car),
        "carMode": known.map(|_| 1),
        "carDetailMode": known.map(|_| 0),
        "passType": known.map(|_| 0),
        "passTypeValue": known.map(|_| ""),
    })
}

/// The sums; the members that query_orders has beside them are null in the document's example, too.
fn cargo(cargoes: &[Cargo], detail: Detail) -> Value {
    let mut members = cargo::totals(cargoes, "productModel");
    if detail == Detail::Listed {
        let more = ["id", "uid", "consignerPhone", "consigneePhones", "created", "updated"];
        members.extend(more.map(|name| (name.to_owned(), Value::Null)));
    }
    members.into()
}

fn cargo_line(cargo: &Cargo, waybill: &Waybill) -> Value {
    let mut members = cargo.shown("productModel");
    members.extend(object(json!({
        "id": cargo.id,
        "uid": waybill.user.uid,
        "ttmsOrderId": waybill.id,
        "created": cargo.created,
    })));
    members.into()
}

/// The members of what is written as an object.
pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
