//! What happens to orders without their senders: an order comes to a stage because the control call
//! `advance` says so, or by itself.

use chrono::{DateTime, Utc};

use super::customer_order::CustomerStatus;
use super::ledger::Ledger;
use super::waybill::Status;
use crate::sandbox::{BookEntry, NotAdvanced, Stage, UnderWay};

/// An order or an acceptance order, by the number that the simulator gave it.
enum Found {
    Waybill(String),
    CustomerOrder(String),
}

/// `number` is of either kind, and the simulator's or ours.
pub fn advance(ledger: &mut Ledger, number: &str, to: Stage, now: DateTime<Utc>) -> Result<BookEntry, NotAdvanced> {
    match find(ledger, number)? {
        Found::Waybill(number) => advance_waybill(ledger, &number, to, now),
        Found::CustomerOrder(number) => advance_customer_order(ledger, &number, to, now),
    }
}

fn find(ledger: &Ledger, number: &str) -> Result<Found, NotAdvanced> {
    if ledger.waybill_numbered(number).is_some() {
        return Ok(Found::Waybill(number.to_owned()));
    }
    if ledger.customer_order_numbered(number).is_some() {
        return Ok(Found::CustomerOrder(number.to_owned()));
    }
    let waybills = ledger.all_waybills().filter(|it| it.content.wms_number == number);
    let customer_orders = ledger.all_customer_orders();
    let customer_orders = customer_orders.filter(|it| it.content.original_order_number.as_deref() == Some(number));
    let waybills = waybills.map(|it| Found::Waybill(it.number.clone()));
    let mut found: Vec<_> = waybills.chain(customer_orders.map(|it| Found::CustomerOrder(it.number.clone()))).collect();
    match (found.pop(), found.len()) {
        (Some(found), 0) => Ok(found),
        (Some(_), others) => Err(NotAdvanced::Ambiguous(others + 1, number.to_owned())),
        (None, _) => Err(NotAdvanced::UnknownOrder(number.to_owned())),
    }
}

/// Orders, and then acceptance orders.
pub fn under_way(ledger: &Ledger) -> Vec<UnderWay> {
    let waybills = ledger.all_waybills().filter_map(|it| {
        let next = match it.status {
            Status::Pending => Stage::Placed,
            Status::Placed => Stage::Confirmed,
            Status::Accepted => Stage::PickedUp,
            Status::Loaded => Stage::Delivered,
            Status::Signed | Status::Cancelled => return None,
        };
        Some(UnderWay { number: it.number.clone(), next, since: it.since })
    });
    let customer_orders = ledger.all_customer_orders().filter_map(|it| {
        let next = match it.status {
            CustomerStatus::Pending => Stage::Confirmed,
            CustomerStatus::Started => Stage::PickedUp,
            CustomerStatus::Departed => Stage::Delivered,
            CustomerStatus::Finished | CustomerStatus::Cancelled => return None,
        };
        Some(UnderWay { number: it.number.clone(), next, since: it.since })
    });
    waybills.chain(customer_orders).collect()
}

fn advance_waybill(ledger: &mut Ledger, number: &str, to: Stage, now: DateTime<Utc>) -> Result<BookEntry, NotAdvanced> {
    let unknown = || NotAdvanced::UnknownOrder(number.to_owned());
    let status = ledger.waybill_numbered(number).ok_or_else(unknown)?.status;
    let target = match to {
        Stage::Placed => Status::Placed,
        Stage::Confirmed => Status::Accepted,
        Stage::PickedUp => Status::Loaded,
        Stage::Delivered => Status::Signed,
        Stage::Cancelled => Status::Cancelled,
    };
    let has_way = if target == Status::Cancelled { status.can_be_cancelled() } else { status < target };
    if !has_way {
        return Err(no_way(number, status.word(), target.word()));
    }
    ledger.move_waybill(number, target, now);
    let position = ledger.waybill_numbered(number).ok_or_else(unknown)?.position;
    Ok(ledger.books.entry(position).clone())
}

fn advance_customer_order(
    ledger: &mut Ledger,
    number: &str,
    to: Stage,
    now: DateTime<Utc>,
) -> Result<BookEntry, NotAdvanced> {
    let unknown = || NotAdvanced::UnknownOrder(number.to_owned());
    let status = ledger.customer_order_numbered(number).ok_or_else(unknown)?.status;
    let target = match to {
        Stage::Placed => CustomerStatus::Pending,
        Stage::Confirmed => CustomerStatus::Started,
        Stage::PickedUp => CustomerStatus::Departed,
        Stage::Delivered => CustomerStatus::Finished,
        Stage::Cancelled => CustomerStatus::Cancelled,
    };
    let has_way = if target == CustomerStatus::Cancelled { status.can_be_cancelled() } else { status < target };
    if !has_way {
        return Err(no_way(number, status.word(), target.word()));
    }
    ledger.move_customer_order(number, target, now);
    let position = ledger.customer_order_numbered(number).ok_or_else(unknown)?.position;
    Ok(ledger.books.entry(position).clone())
}

fn no_way(number: &str, from: &str, to: &str) -> NotAdvanced {
    NotAdvanced::NoWay(format!("{number} is {from}, from where there is no way to {to}"))
}
