//! `POST /ws/orderCustomUpdate`, from its document `otms-order-custom-update.zh.txt`, which has an
//! example and a table of codes, and no more.
//!
//! What it leaves out and this simulator decides:
//! - An order holds `clientCode`, `erpNumber`, `orderNumber` and `customFields`, in this order and
//!   with the types of orderImport. One of the two numbers finds it; with an erpNumber the
//!   orderNumber is void, as there.
//! - At most 100 orders in a request, as there.
//! - A field that is given is set, one that is given empty is cleared, and all others stay.
//! - What is refused is `NOT UPDATED`; `errorColumnName` is the element at fault, if it is one.
//!
//! The table has codes without a cause that a request could show. Numbers and values stand for
//! causes (compare [`super::findings`]), and except for 7000 and 7051 only on an order that is held:
//!
//! | what begins with it | code |
//! |---|---|
//! | clientCode `UNKNOWN` | 7000 |
//! | erpNumber `CARRIER`, found by it and with no clientCode | 7051 |
//! | erpNumber `AMBIGUOUS`, found by it and with no clientCode | 7003 |
//! | erpNumber `REGION` | 7004 |
//! | erpNumber `FOREIGN` | 7006 |
//! | erpNumber `BILLED` | 7008 |
//! | erpNumber `OPTIMISING` | 7054 |
//! | erpNumber `FAILING` | 7100 |
//! | erpNumber `NOFIELDS`: updated, and the fields ignored | 7045 |
//! | erpNumber `MANDATORY`, and no customText1 after the update | 7046 |
//! | customText `REMOVED`, and any element that is no custom field | 7043 |
//! | customEnum `UNKNOWN` | 7044 |
//!
//! 7009 is an order that is not held, 7001 a customNum that is no number, and 7100 also whatever
//! is unknown, misplaced or too long.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use chrono::TimeDelta;
use roxmltree::Node;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::custom_fields::{CustomField, read_custom_field_changes};
use super::findings::Findings;
use super::members::{Fault, Members};
use super::request::{self, IncomingOrder, Malformed, RequestForm};
use super::service::{self, Service};
use super::update_answer::{self, UpdateResult, UpdateStatus};
use super::{Desk, answer, rules, update_codes as codes};
use crate::sandbox::books::{BookEntry, Books, Position};
use crate::sandbox::faults::Overrule;
use crate::sandbox::meter::MeteredEndpoint;

pub static SERVICE: Service = Service {
    path: "/ws/orderCustomUpdate",
    // 目前对该接口的调用限制为每个公司每秒最多3个请求
    endpoint: MeteredEndpoint { name: "orderCustomUpdate", limit: Some(3), window: TimeDelta::seconds(1) },
    request: RequestForm { root: "orderCustomUpdateRequest", attributes: &["version", "login", "password"] },
    answer_root: "orderUpdateResponse",
    largest_batch: 100,
    process: update,
};

pub async fn order_custom_update(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    service::answer(desk, &SERVICE, request).await
}

/// One order of the request.
struct CustomUpdate {
    client_code: Option<String>,
    erp_number: Option<String>,
    order_number: Option<String>,
    custom_fields: Option<Vec<CustomField>>,
}

impl CustomUpdate {
    fn read(order: &mut Members) -> Self {
        Self {
            client_code: order.text("clientCode"),
            erp_number: order.text("erpNumber"),
            order_number: order.text("orderNumber"),
            custom_fields: read_custom_field_changes(order),
        }
    }
}

fn update(
    desk: &Desk,
    company: &'static str,
    elements: &[Node<'_, '_>],
    overrule: Option<&Overrule>,
) -> Result<String, Malformed> {
    let updates = request::read_orders(elements, CustomUpdate::read)?;
    let books = &mut desk.ledger().books;
    let results: Vec<_> = updates.into_iter().map(|it| settle(books, company, it, overrule)).collect();
    tracing::debug!(orders = results.len(), "orderCustomUpdate answered");
    Ok(answer::processed(SERVICE.answer_root, &results, update_answer::write))
}

/// What is to be done to a held order, and the warnings that come with it.
type Decision = Result<(Option<Arc<RawValue>>, Vec<Fault>), Vec<Fault>>;

fn settle(
    books: &mut Books,
    company: &str,
    incoming: IncomingOrder<CustomUpdate>,
    overrule: Option<&Overrule>,
) -> UpdateResult {
    let IncomingOrder { sequence, order, faults, document } = incoming;
    let existing = find(books, company, &order);
    let held = existing.map(|position| books.entry(position));
    let held_number = held.and_then(|it| it.order_number.clone());
    let order_number = held.map(|it| it.provider_order_number.clone());
    let erp_number = order.erp_number.clone().or(held_number);

    let overrule = overrule.filter(|it| it.concerns(erp_number.as_deref()));
    let (status, mut faults) = match overrule {
        Some(overrule) if !overrule.commit => (overrule.refused_status(UpdateStatus::NotUpdated.as_str()), Vec::new()),
        _ => match decide(held, &order, faults, &document) {
            Err(faults) => (UpdateStatus::NotUpdated.as_str().into(), faults),
            Ok((changed, warnings)) => {
                if let (Some(position), Some(document)) = (existing, changed) {
                    books.update_custom_fields(position, document);
                }
                let forced = overrule.and_then(|it| it.status.clone());
                (forced.map_or(UpdateStatus::Updated.as_str().into(), Into::into), warnings)
            }
        },
    };
    faults.extend(overrule.map(Overrule::fault));
    UpdateResult { sequence, erp_number, order_number, status, faults }
}

fn find(books: &Books, company: &str, order: &CustomUpdate) -> Option<Position> {
    match (&order.erp_number, &order.order_number) {
        (Some(erp_number), _) => books.find(company, erp_number),
        (None, Some(number)) => books.find_by_provider_number(company, number),
        (None, None) => None,
    }
}

fn decide(held: Option<&BookEntry>, order: &CustomUpdate, faults: Vec<Fault>, document: &RawValue) -> Decision {
    let refused = |code, member, reason| Err(vec![Fault::of_member(code, member, reason)]);
    if !faults.is_empty() {
        return Err(renamed(faults));
    }
    let Some(custom_fields) = &order.custom_fields else {
        return refused(codes::OTHER, "customFields", "is missing");
    };
    let client_code = order.client_code.as_deref();
    if client_code.is_some_and(|code| code.starts_with("UNKNOWN")) {
        return refused(codes::CLIENT_CODE_NOT_FOUND, "clientCode", "is not known");
    }
    let erp_number = order.erp_number.as_deref().unwrap_or_default();
    if client_code.is_none() && erp_number.starts_with("CARRIER") {
        return refused(codes::CLIENT_CODE_MISSING, "clientCode", "is missing, which a carrier needs beside erpNumber");
    }
    let Some(held) = held else {
        let member =
            if order.erp_number.is_none() && order.order_number.is_some() { "orderNumber" } else { "erpNumber" };
        return refused(codes::ORDER_NOT_FOUND, member, "is of no order here");
    };
    if client_code.is_none() && erp_number.starts_with("AMBIGUOUS") {
        return refused(codes::MATCH_NOT_UNIQUE, "erpNumber", "is of several orders");
    }
    let held_number = held.order_number.as_deref().unwrap_or_default();
    if let Some((_, code, message)) = OBSTACLES.iter().find(|(prefix, ..)| held_number.starts_with(prefix)) {
        return Err(vec![Fault::new(code, *message)]);
    }

    let mut findings = Findings::default();
    rules::check_each_custom_field(&mut findings, custom_fields);
    let findings = findings.into_faults();
    if !findings.is_empty() {
        return Err(renamed(findings));
    }
    if held_number.starts_with("NOFIELDS") {
        let reason = "are ignored: this company has not enabled them";
        return Ok((None, vec![Fault::of_member(codes::CUSTOM_FIELDS_IGNORED, "customFields", reason)]));
    }
    let Some(changed) = merged(&held.document, document) else {
        return Err(vec![Fault::new(codes::OTHER, "the order is held in no form that could be changed")]);
    };
    if held_number.starts_with("MANDATORY") && changed["customFields"]["customText1"].is_null() {
        return refused(codes::MANDATORY_FIELD_MISSING, "customFields/customText1", "is missing");
    }
    // A value that was read from JSON always serialises.
    Ok((to_raw_value(&changed).ok().map(Arc::from), Vec::new()))
}

/// Why an order that is held cannot be updated: the beginning of its erpNumber.
const OBSTACLES: [(&str, &str, &str); 5] = [
    ("REGION", codes::REGION_NOT_PERMITTED, "the order is of another region than the user"),
    ("FOREIGN", codes::NOT_OF_THIS_COMPANY, "the order is of another company"),
    ("BILLED", codes::BILLED, "the order is in a bill"),
    ("OPTIMISING", codes::BEING_OPTIMISED, "the order is being optimised"),
    ("FAILING", codes::OTHER, "the order cannot be updated"),
];

fn renamed(faults: Vec<Fault>) -> Vec<Fault> {
    let rename = |fault: Fault| Fault { code: codes::instead_of(&fault.code).into(), ..fault };
    faults.into_iter().map(rename).collect()
}

/// The held order with the custom fields of `change`; an empty one leaves it.
fn merged(held: &RawValue, change: &RawValue) -> Option<Value> {
    let mut held: Map<String, Value> = serde_json::from_str(held.get()).ok()?;
    let change: Map<String, Value> = serde_json::from_str(change.get()).ok()?;
    let mut fields = match held.remove("customFields") {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    if let Some(Value::Object(changes)) = change.get("customFields") {
        for (name, value) in changes {
            if value == "" {
                fields.remove(name);
            } else {
                fields.insert(name.clone(), value.clone());
            }
        }
    }
    held.insert("customFields".to_owned(), fields.into());
    Some(held.into())
}
