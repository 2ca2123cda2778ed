//! Decides what becomes of an order that arrived, and enters it into the books.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::codes;
use super::import_answer::{ImportResult, ImportStatus};
use super::members::Fault;
use super::order::{AutoProcess, ImportedOrder};
use super::request::IncomingOrder;
use crate::sandbox::books::{Amendment, Books, NewOrder, Position};
use crate::sandbox::faults::Overrule;

/// An order with all that can be found out about it without looking into the books.
pub struct CheckedOrder {
    pub incoming: IncomingOrder<ImportedOrder>,
    /// What [`super::rules`] found; of no account when the order could not be read.
    pub findings: Vec<Fault>,
}

/// The status that an order gets, or the reasons why it gets none.
type Decision = Result<(ImportStatus, Vec<Fault>), Vec<Fault>>;

/// Settles one order of `company` and answers it. `next_number` gives a new order its number.
pub fn settle(
    books: &mut Books,
    company: &str,
    checked: CheckedOrder,
    overrule: Option<&Overrule>,
    next_number: impl FnOnce() -> String,
) -> ImportResult {
    let CheckedOrder { incoming, findings } = checked;
    let IncomingOrder { sequence, order, faults, document } = incoming;
    let existing = find(books, company, &order);
    if let Some(erp_number) = &order.erp_number
        && (existing.is_none() || !order.allow_update)
    {
        books.receive_create(company, erp_number);
    }

    let overrule = overrule.filter(|it| it.concerns(order.erp_number.as_deref()));
    let (status, mut faults, order_number) = match overrule {
        Some(overrule) if !overrule.commit => {
            (overrule.refused_status(ImportStatus::NotImported.as_str()), Vec::new(), None)
        }
        _ => {
            let decision = if faults.is_empty() { decide(books, existing, &order, findings) } else { Err(faults) };
            match decision {
                Err(faults) => (ImportStatus::NotImported.as_str().into(), faults, None),
                Ok((status, faults)) => {
                    let forced = overrule.and_then(|it| it.status.as_deref());
                    let held = forced.and_then(ImportStatus::held).unwrap_or(status);
                    let number = enter(books, company, existing, &order, held, document, next_number);
                    let status = forced.map_or(status.as_str().into(), |it| it.to_owned().into());
                    (status, faults, Some(number))
                }
            }
        }
    };
    faults.extend(overrule.map(Overrule::fault));
    ImportResult {
        sequence,
        client_reference_number: order.client_reference_number,
        status,
        faults,
        order_number,
        erp_number: order.erp_number,
    }
}

/// An order is known by its erpNumber; only without one does the orderNumber count
/// (如果已提供erpNumber,oTMS订单号视为无效).
fn find(books: &Books, company: &str, order: &ImportedOrder) -> Option<Position> {
    match (&order.erp_number, &order.order_number) {
        (Some(erp_number), _) => books.find(company, erp_number),
        (None, Some(number)) => books.find_by_provider_number(company, number),
        (None, None) => None,
    }
}

fn decide(books: &Books, existing: Option<Position>, order: &ImportedOrder, mut findings: Vec<Fault>) -> Decision {
    // In the example a duplicate has this code alone: nothing else about it is looked at.
    if existing.is_some() && !order.allow_update {
        return Err(refusal(codes::ORDER_EXISTS, "the order exists already"));
    }
    if let Some(position) = existing {
        let status = books.entry(position).status;
        let amendable = [ImportStatus::Inbox, ImportStatus::Draft];
        if !amendable.iter().any(|it| it.as_str() == status) {
            let message = format!("the order is {status}, neither INBOX nor DRAFT");
            return Err(refusal(codes::NOT_AMENDABLE, &message));
        }
        let number = books.entry(position).order_number.as_deref().unwrap_or_default();
        if let Some((_, code, message)) = OBSTACLES.iter().find(|(prefix, ..)| number.starts_with(prefix)) {
            return Err(refusal(code, message));
        }
    } else if order.allow_update && order.erp_number.is_none() && order.order_number.is_some() {
        let message = "orderNumber is of no order that was imported here";
        return Err(refusal(codes::NOT_IMPORTED_HERE, message));
    }

    if findings.is_empty() {
        return Ok((imported_status(order.auto_process), findings));
    }
    let incomplete = |it: &Fault| codes::means_incomplete(&it.code);
    if order.reject_draft && findings.iter().any(incomplete) {
        let message = "the order is incomplete, and rejectDraft is true";
        findings.extend(refusal(codes::DRAFT_REJECTED, message));
        return Err(findings);
    }
    if findings.iter().all(incomplete) { Ok((ImportStatus::Draft, findings)) } else { Err(findings) }
}

/// Why an order that is held cannot be amended: the beginning of its erpNumber (compare
/// [`super::findings`]). They can be created all the same.
const OBSTACLES: [(&str, &str, &str); 6] = [
    ("BUSY", codes::BEING_UPDATED, "the order is being updated"),
    ("BILLED", codes::BILLED, "the order is in a bill"),
    ("LOCKED", codes::LOCKED, "the order is locked"),
    ("FOREIGN", codes::NOT_THE_OWNER, "the order is of another company"),
    ("REGION", codes::REGION_UNMATCHED, "the order is of another region than the user"),
    ("SHORT", codes::CARGO_DIFFERS, "the order has a difference in its cargo"),
];

fn imported_status(mode: AutoProcess) -> ImportStatus {
    match mode {
        AutoProcess::Import => ImportStatus::Inbox,
        AutoProcess::Release => ImportStatus::Released,
        AutoProcess::Dispatch | AutoProcess::DispatchToTruck => ImportStatus::Dispatched,
    }
}

fn refusal(code: &'static str, message: &str) -> Vec<Fault> {
    vec![Fault::new(code, message)]
}

/// Creates or amends, and returns the order's number.
fn enter(
    books: &mut Books,
    company: &str,
    existing: Option<Position>,
    order: &ImportedOrder,
    status: ImportStatus,
    document: Arc<RawValue>,
    next_number: impl FnOnce() -> String,
) -> String {
    let client_reference_number = order.client_reference_number.clone();
    let status = status.as_str();
    if let Some(position) = existing {
        books.amend(position, Amendment { client_reference_number, status, document });
        return books.entry(position).provider_order_number.clone();
    }
    let number = next_number();
    books.create(
        company,
        NewOrder {
            order_number: order.erp_number.clone(),
            provider_order_number: number.clone(),
            client_reference_number,
            status,
            document,
        },
    );
    number
}
