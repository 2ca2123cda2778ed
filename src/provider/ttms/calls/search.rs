//! Searches: query_orders and query_customer_orders, page by page.

use chrono::{DateTime, Utc};

use super::super::answer::reply;
use super::super::held;
use super::super::moment::{CHINA, TEXT_FORMAT};
use super::super::profile::{QUERY_CUSTOMER_ORDERS, QUERY_ORDERS};
use super::super::stop::any_number;
use super::find::read_all;
use super::request;
use crate::canonical::FieldError;
use crate::provider::json::JsonWriter;
use crate::provider::{Account, Answer, OrderSearch, ProviderOrder, ProviderOrderPage, Reply, Request, SearchTime};

/// States that query_orders can be asked for, with the document's words. One must be: without, it answers with
/// cancelled orders only (不传则默认0已撤销).
const ORDER_STATES: &[(&str, &str, &str)] = &[
    ("0", "cancelled", "已撤销"),
    ("1", "placed", "已下单"),
    ("2", "confirmed", "已接单"),
    ("3", "loaded", "已装货"),
    ("4", "signed for", "已签收"),
    ("1000", "to be handled", "待处理"),
];

/// States that query_customer_orders can be asked for; without, it answers with all.
const CUSTOMER_ORDER_STATES: &[(&str, &str, &str)] = &[
    ("0", "cancelled", "已撤销"),
    ("1000", "to be handled", "待处理"),
    ("2000", "on the way", "进行中"),
    ("3000", "completed", "已完成"),
];

/// 批量查询订单
pub fn orders(account: &Account, search: &OrderSearch) -> Result<Request, Vec<FieldError>> {
    let OrderSearch {
        page: _,
        size: _,
        state,
        time_type: _,
        from: _,
        to: _,
        provider_order_number,
        customer_reference,
        trip_number,
        consignor_name,
        consignor_phone,
        consignor_address,
        consignee_name,
        consignee_phone,
        consignee_address,
        driver_name,
        driver_phone,
        license_plate,
        tracking_device,
        branches,
    } = search;
    request(account, QUERY_ORDERS, |json, errors| {
        if state.is_none() {
            let (listed, listed_zh) = listed(ORDER_STATES);
            errors.push(FieldError::new(
                "/state",
                "validation.missing",
                format!("is required: without it 3TMS answers with cancelled orders only. One of {listed}"),
                format!("必须提供,否则 3TMS 仅返回已撤销订单。可选值:{listed_zh}"),
            ));
        }
        for (name, given) in [
            ("consignorAddress", consignor_address.is_some()),
            ("consigneeAddress", consignee_address.is_some()),
            ("trackingDevice", tracking_device.is_some()),
            ("branches", !branches.is_empty()),
        ] {
            unsupported(name, given, errors);
        }
        page_state_and_times(json, search, ORDER_STATES, errors);
        text(json, "orderNumber", provider_order_number.as_ref());
        text(json, "customerOrderNumber", customer_reference.as_ref());
        text(json, "packNumber", trip_number.as_ref());
        text(json, "consignerName", consignor_name.as_ref());
        phone(json, "consignerPhone", consignor_phone.as_ref());
        text(json, "consigneeName", consignee_name.as_ref());
        phone(json, "consigneePhone", consignee_phone.as_ref());
        text(json, "driverName", driver_name.as_ref());
        phone(json, "driverPhone", driver_phone.as_ref());
        text(json, "carNumber", license_plate.as_ref());
    })
}

pub fn orders_page(answer: &Answer<'_>) -> Reply<ProviderOrderPage> {
    page(answer, held::transport_order)
}

/// 批量查询受理单
pub fn customer_orders(account: &Account, search: &OrderSearch) -> Result<Request, Vec<FieldError>> {
    let OrderSearch {
        page: _,
        size: _,
        state: _,
        time_type: _,
        from: _,
        to: _,
        provider_order_number,
        customer_reference,
        trip_number,
        consignor_name,
        consignor_phone,
        consignor_address,
        consignee_name,
        consignee_phone,
        consignee_address,
        driver_name,
        driver_phone,
        license_plate,
        tracking_device,
        branches,
    } = search;
    request(account, QUERY_CUSTOMER_ORDERS, |json, errors| {
        for (name, given) in [
            ("tripNumber", trip_number.is_some()),
            ("driverName", driver_name.is_some()),
            ("driverPhone", driver_phone.is_some()),
            ("licensePlate", license_plate.is_some()),
        ] {
            unsupported(name, given, errors);
        }
        page_state_and_times(json, search, CUSTOMER_ORDER_STATES, errors);
        text(json, "number", provider_order_number.as_ref());
        text(json, "originalOrderNumber", customer_reference.as_ref());
        text(json, "deviceNumber", tracking_device.as_ref());
        text(json, "consignerName", consignor_name.as_ref());
        phone(json, "consignerPhone", consignor_phone.as_ref());
        text(json, "consignerAddress", consignor_address.as_ref());
        text(json, "consigneeName", consignee_name.as_ref());
        phone(json, "consigneePhone", consignee_phone.as_ref());
        text(json, "consigneeAddress", consignee_address.as_ref());
        if !branches.is_empty() {
            let paths: Vec<&str> = branches.iter().map(|branch| account.common.branch(branch)).collect();
            json.constant("organizationPaths", paths);
        }
    })
}

pub fn customer_orders_page(answer: &Answer<'_>) -> Reply<ProviderOrderPage> {
    page(answer, held::customer_order)
}

fn page(
    answer: &Answer<'_>,
    read: impl Fn(serde_json::Value) -> Result<ProviderOrder, String>,
) -> Reply<ProviderOrderPage> {
    reply(answer, |data| {
        let held::Page { total, elements } = held::Page::read(data)?;
        Ok(ProviderOrderPage { orders: read_all(elements, read)?, total })
    })
}

fn page_state_and_times(
    json: &mut JsonWriter<'_>,
    search: &OrderSearch,
    states: &[(&str, &str, &str)],
    errors: &mut Vec<FieldError>,
) {
    json.constant("page", search.page);
    json.constant("size", search.size);
    if let Some(asked) = &search.state {
        let known = states.iter().find(|(state, ..)| state == asked).and_then(|(state, ..)| state.parse::<u32>().ok());
        if let Some(state) = known {
            json.constant("state", state);
        } else {
            let (listed, listed_zh) = listed(states);
            errors.push(FieldError::new(
                "/state",
                "validation.invalid_value",
                format!("must be one of {listed}"),
                format!("可选值:{listed_zh}"),
            ));
        }
    }
    // Which time is compared when none is named is not documented.
    let bounded = search.from.is_some() || search.to.is_some();
    if let Some(time_type) = search.time_type.or(bounded.then_some(SearchTime::Created)) {
        json.constant("timeType", time_type_word(time_type));
    }
    for (name, instant) in [("startDate", search.from), ("endDate", search.to)] {
        if let Some(instant) = instant {
            json.constant(name, in_china(instant));
        }
    }
}

/// timeType, in the document's spelling: created录入时间,deliveryed提货时间,appointArrived预约提货时间,signed签收时间. The
/// third is that of appointArriveTime, the planned delivery.
fn time_type_word(time: SearchTime) -> &'static str {
    match time {
        SearchTime::Created => "created",
        SearchTime::Pickup => "deliveryed",
        SearchTime::Delivery => "appointArrived",
        SearchTime::Signed => "signed",
    }
}

fn in_china(instant: DateTime<Utc>) -> String {
    instant.with_timezone(&CHINA).format(TEXT_FORMAT).to_string()
}

fn text(json: &mut JsonWriter<'_>, name: &str, value: Option<&String>) {
    if let Some(value) = value {
        json.constant(name, value);
    }
}

/// A telephone number as it was sent when the order was created.
fn phone(json: &mut JsonWriter<'_>, name: &str, value: Option<&String>) {
    if let Some(value) = value {
        json.constant(name, any_number(value));
    }
}

fn unsupported(name: &str, given: bool, errors: &mut Vec<FieldError>) {
    if given {
        errors.push(FieldError::new(
            format!("/{name}"),
            "translation.unsupported_field",
            "is no filter that 3TMS has for this kind of document",
            "3TMS 不支持以此条件查询该类单据",
        ));
    }
}

/// The states as a text, in English and in the document's words.
fn listed(states: &[(&str, &str, &str)]) -> (String, String) {
    let english: Vec<_> = states.iter().map(|(state, word, _)| format!("{state} ({word})")).collect();
    let chinese: Vec<_> = states.iter().map(|(state, _, word)| format!("{state}{word}")).collect();
    (english.join(", "), chinese.join("、"))
}
