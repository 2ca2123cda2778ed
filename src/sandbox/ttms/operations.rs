//! All operations of the document, with what it says of each.

use chrono::{DateTime, TimeDelta, Utc};

use super::answer::Outcome;
use super::items::Holds;
use super::ledger::{Ledger, Visit};
use super::parameters::Parameters;
use super::subscriptions::{Topic, subscribe, unsubscribe};
use super::tokens::{self, Proven, Tokens};
use super::{cargo_lines, change, create, customer_query, customer_requests, customers, find, organization};
use crate::sandbox::Endpoint;
use crate::sandbox::meter::MeteredEndpoint;

pub struct Operation {
    pub path: &'static str,
    pub endpoint: MeteredEndpoint,
    /// 请求方式: POST, GET; else POST alone.
    pub also_get: bool,
    /// What its example of a failure says; empty where that says nothing.
    pub failure: &'static str,
    pub holds: Holds,
    pub work: Work,
}

pub enum Work {
    /// Hands out tokens, and needs none.
    Tokens(fn(&mut Tokens, &Parameters, DateTime<Utc>) -> Proven),
    Orders(fn(&mut Ledger, &Visit, &Parameters) -> Outcome),
}

/// 一小时内最多调用一万次
const HOURLY: (Option<usize>, TimeDelta) = (Some(10_000), TimeDelta::hours(1));
/// No limit in the document: seen by the second.
const UNSTATED: (Option<usize>, TimeDelta) = (None, TimeDelta::seconds(1));

const fn operation(name: &'static str, path: &'static str, quota: (Option<usize>, TimeDelta), work: Work) -> Operation {
    let endpoint = MeteredEndpoint { name, limit: quota.0, window: quota.1 };
    Operation { path, endpoint, also_get: false, failure: "", holds: Holds::Nothing, work }
}

const fn session(
    name: &'static str,
    path: &'static str,
    work: fn(&mut Tokens, &Parameters, DateTime<Utc>) -> Proven,
) -> Operation {
    operation(name, path, UNSTATED, Work::Tokens(work))
}

const fn hourly(
    name: &'static str,
    path: &'static str,
    work: fn(&mut Ledger, &Visit, &Parameters) -> Outcome,
) -> Operation {
    operation(name, path, HOURLY, Work::Orders(work))
}

const fn unstated(
    name: &'static str,
    path: &'static str,
    work: fn(&mut Ledger, &Visit, &Parameters) -> Outcome,
) -> Operation {
    operation(name, path, UNSTATED, Work::Orders(work))
}

impl Operation {
    const fn or_get(mut self) -> Self {
        self.also_get = true;
        self
    }

    const fn fails_with(mut self, words: &'static str) -> Self {
        self.failure = words;
        self
    }

    const fn holding(mut self, holds: Holds) -> Self {
        self.holds = holds;
        self
    }
}

pub static OPERATIONS: [Operation; 24] = [
    session("generate_access_token", "/user/generate_access_token/v2", tokens::generate),
    session("refresh_access_token", "/user/refresh_access_token/v2", tokens::refresh),
    hourly("create_order", "/order/create_order", create::create_order)
        .fails_with("订单创建失败")
        .holding(Holds::NewOrders),
    hourly("find_order", "/order/find_order/v2", find::find_order)
        .holding(Holds::Lookup { number: "orderNumber", customer_number: "customerNumber" }),
    hourly("query_orders", "/order/query_orders", find::query_orders)
        .or_get()
        .holding(Holds::Lookup { number: "orderNumber", customer_number: "customerOrderNumber" }),
    hourly("modify_order", "/order/modify_order", change::modify_order).holding(Holds::Orders("orderNumber")),
    unstated("cancel_orders", "/order/cancel_orders/v2", change::cancel_orders)
        .or_get()
        .fails_with("撤销订单失败")
        .holding(Holds::Orders("numbers")),
    unstated("cargo_add", "/cargo/add", cargo_lines::add).fails_with("创建失败").holding(Holds::Orders("orderNumber")),
    unstated("cargo_update", "/cargo/update", cargo_lines::update).fails_with("创建失败").holding(Holds::Cargo),
    unstated("cargo_remove", "/cargo/remove", cargo_lines::remove).holding(Holds::Cargo),
    unstated("create_order_pack", "/order/create_order_pack", create::create_order_pack)
        .fails_with("订单车次失败")
        .holding(Holds::NewOrders),
    unstated("order_subscribe", "/order/subscribe/v2", |ledger, visit, parameters| {
        subscribe(ledger, visit, parameters, Topic::Order)
    }),
    unstated("order_unsubscribe", "/order/unsubscribe", |ledger, visit, parameters| {
        unsubscribe(ledger, visit, parameters, Topic::Order)
    }),
    unstated("order_pack_subscribe", "/order/orderPack/subscribe", |ledger, visit, parameters| {
        subscribe(ledger, visit, parameters, Topic::OrderPack)
    }),
    unstated("order_pack_unsubscribe", "/order/orderPack/unsubscribe", |ledger, visit, parameters| {
        unsubscribe(ledger, visit, parameters, Topic::OrderPack)
    }),
    unstated("customer_order_subscribe", "/customer_order/subscribe", |ledger, visit, parameters| {
        subscribe(ledger, visit, parameters, Topic::CustomerOrder)
    }),
    unstated("customer_order_unsubscribe", "/customer_order/unsubscribe", |ledger, visit, parameters| {
        unsubscribe(ledger, visit, parameters, Topic::CustomerOrder)
    }),
    hourly("create_customer_order", "/customer_order/create_customer_order", customer_requests::create)
        .fails_with("受理单创建失败")
        .holding(Holds::NewCustomerOrders),
    // The document's words for a failure here are those of the creation.
    hourly("update_customer_order", "/customer_order/update_customer_order", customer_requests::update)
        .fails_with("受理单创建失败")
        .holding(Holds::Orders("number")),
    hourly("query_customer_orders", "/customer_order/query_customer_orders", customer_query::query_customer_orders)
        .or_get()
        .holding(Holds::Lookup { number: "number", customer_number: "originalOrderNumber" }),
    unstated("cancel_customer_orders", "/customer_order/cancel_customer_orders", customer_requests::cancel)
        .or_get()
        .fails_with("撤销受理单失败")
        .holding(Holds::Orders("numbers")),
    unstated("batch_unbind_devices", "/customer_order/batch_unbind_devices", customer_requests::unbind_devices)
        .or_get()
        .holding(Holds::Orders("orders")),
    unstated("organization_list", "/organization/list", organization::list),
    unstated("add_customers", "/customer/add_customers", customers::add),
];

pub static ENDPOINTS: [Endpoint; OPERATIONS.len()] = {
    let mut endpoints = [Endpoint { name: "", path: "" }; OPERATIONS.len()];
    let mut index = 0;
    while index < OPERATIONS.len() {
        endpoints[index] = Endpoint { name: OPERATIONS[index].endpoint.name, path: OPERATIONS[index].path };
        index += 1;
    }
    endpoints
};

pub fn named(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|it| it.endpoint.name == name)
}
