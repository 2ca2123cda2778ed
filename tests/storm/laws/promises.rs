//! What was answered with 202 or 201 is in the ledger.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::{Books, LedgerOrder, Violation, broken};

pub const LOST: &str = "an order that a caller was promised is not in the ledger";
pub const LOST_CHANGE: &str = "a change that a caller was promised is not in the ledger";
pub const UNEXPECTED: &str = "a call was answered otherwise than it should be";
pub const CALLBACK_LOST: &str = "a callback that was answered as taken is not in the ledger";
pub const CALLBACK_UNHEEDED: &str = "an order is not where a callback that was taken says";

pub fn check(books: &Books, violations: &mut Vec<Violation>) {
    let orders: HashMap<Uuid, &LedgerOrder> = books.orders.iter().map(|order| (order.id, order)).collect();
    for promised in &books.promised_orders {
        let kept = orders.get(&promised.id).is_some_and(|order| {
            order.account == promised.account
                && order.document_type == promised.document_type
                && order.number == promised.number
        });
        if !kept {
            violations.push(broken(LOST, format!("{} ({})", promised.number, promised.id)));
        }
    }
    check_changes(books, &orders, violations);
    violations.extend(books.unexpected.iter().map(|what| broken(UNEXPECTED, what)));
    let stands: HashMap<&str, &str> =
        books.orders.iter().map(|order| (order.number.as_str(), order.status.as_str())).collect();
    for call in &books.callbacks {
        if call.kept < call.taken {
            violations
                .push(broken(CALLBACK_LOST, format!("{}: taken {} times, kept {}", call.about, call.taken, call.kept)));
        }
        if let Some((number, status)) = &call.stands
            && let Some(found) = stands.get(number.as_str())
            && found != status
            && *found != "cancelled"
        {
            violations.push(broken(CALLBACK_UNHEEDED, format!("{number} is {found}, and was told to be {status}")));
        }
    }
}

fn check_changes(books: &Books, orders: &HashMap<Uuid, &LedgerOrder>, violations: &mut Vec<Violation>) {
    let changes: HashSet<(Uuid, &str, Option<&str>)> = books
        .submissions
        .iter()
        .map(|submission| (submission.order_id, submission.operation.as_str(), submission.marker.as_deref()))
        .collect();
    let never_sent: HashSet<Uuid> = books
        .submissions
        .iter()
        .filter(|submission| submission.operation == "create" && submission.state == "cancelled")
        .map(|submission| submission.order_id)
        .collect();
    for promised in &books.promised_changes {
        let kept = changes.contains(&(promised.order_id, promised.operation, promised.marker.as_deref()));
        // An order that never went out is cancelled without a submission of its own; a change after that creates it anew.
        let cancelled_here = promised.operation == "cancel" && never_sent.contains(&promised.order_id);
        // A change to an order that was never placed is a new creation.
        let creates =
            promised.marker.is_some() && changes.contains(&(promised.order_id, "create", promised.marker.as_deref()));
        if !kept && !cancelled_here && !creates {
            let number = orders.get(&promised.order_id).map_or("?", |order| order.number.as_str());
            violations.push(broken(LOST_CHANGE, format!("{} of {number} ({})", promised.operation, promised.order_id)));
        }
    }
}
