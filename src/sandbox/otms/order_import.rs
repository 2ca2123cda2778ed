//! `PUT /ws/orderImport`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use chrono::TimeDelta;
use roxmltree::Node;

use super::import::{self, CheckedOrder};
use super::order::ImportedOrder;
use super::request::{self, Malformed, RequestForm};
use super::service::{self, Service};
use super::{Desk, Ledger, answer, import_answer, in_china, order_number, rules};
use crate::sandbox::faults::Overrule;
use crate::sandbox::meter::MeteredEndpoint;

pub static SERVICE: Service = Service {
    path: "/ws/orderImport",
    // 目前对该接口的调用限制为每个公司每秒最多40个请求
    endpoint: MeteredEndpoint { name: "orderImport", limit: Some(40), window: TimeDelta::seconds(1) },
    // `source` is in the table as "-"; a client may send it.
    request: RequestForm { root: "orderImportRequest", attributes: &["version", "login", "password", "source"] },
    answer_root: "orderImportResponse",
    // 一次请求最多可以导入100条订单
    largest_batch: 100,
    process: import,
};

pub async fn order_import(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    service::answer(desk, &SERVICE, request).await
}

fn import(
    desk: &Desk,
    company: &'static str,
    elements: &[Node<'_, '_>],
    overrule: Option<&Overrule>,
) -> Result<String, Malformed> {
    let now = (desk.clock)();
    let today = in_china(now).date();
    let orders: Vec<_> = request::read_orders(elements, ImportedOrder::read)?
        .into_iter()
        .map(|incoming| CheckedOrder { findings: rules::check(&incoming.order, today), incoming })
        .collect();

    let mut ledger = desk.ledger();
    let Ledger { books, last_serial } = &mut *ledger;
    let mut next_number = || {
        *last_serial += 1;
        order_number(*last_serial, now)
    };
    let settle = |order| import::settle(books, company, order, overrule, &mut next_number);
    let results: Vec<_> = orders.into_iter().map(settle).collect();
    drop(ledger);
    tracing::debug!(orders = results.len(), "orderImport answered");
    Ok(answer::processed(SERVICE.answer_root, &results, import_answer::write))
}
