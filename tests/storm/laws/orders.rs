//! The ledger against the providers' books: nothing lost, nothing made twice, nothing received twice without a recorded
//! doubt, no doubt left that could be decided, and the providers hold what the ledger says that they hold.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::{Books, HeldOrder, LedgerOrder, LedgerSubmission, Violation, broken};

pub const NOT_HELD: &str = "an order that counts as accepted is not at its provider";
pub const MADE_TWICE: &str = "an order was made twice";
pub const RECEIVED_TWICE: &str = "an order was received twice without a recorded doubt";
pub const HELD_ALTHOUGH_REFUSED: &str = "an order that counts as refused stands at its provider";
pub const OTHER_NUMBER: &str = "the ledger has another number of an order than its provider";
pub const UNKNOWN: &str = "a provider holds an order that the ledger does not have";
pub const UNFINISHED: &str = "a submission came to no end";
pub const LEFT_IN_DOUBT: &str = "a doubt was left that the provider could have decided";
pub const DOUBT_FORGOTTEN: &str = "an attempt was in doubt, and may_exist is not set";
pub const OTHER_DOCUMENT: &str = "a provider's document lacks what the ledger says is in it";
pub const NOT_CANCELLED: &str = "an order that counts as cancelled is not cancelled at its provider";
pub const CANCELLED_TWICE: &str = "an order was cancelled twice";
pub const TRIP_IN_PART: &str = "a trip was made in part, twice, or under another number";

/// Tries after which a doubt is left to a person.
const MOST_TRIES: i32 = 10;

pub fn check(books: &Books, violations: &mut Vec<Violation>) {
    let mut held: HashMap<(&str, &str), Vec<&HeldOrder>> = HashMap::new();
    for order in &books.held {
        held.entry((&order.provider, &order.number)).or_default().push(order);
    }
    let creations = creations(books);
    let mut unsettled: HashSet<Uuid> = HashSet::new();
    for submission in &books.submissions {
        check_submission(submission, unsettled.contains(&submission.order_id), violations);
        if submission.state == "in_doubt" {
            unsettled.insert(submission.order_id);
        }
    }
    let cancellations: HashSet<Uuid> = books
        .submissions
        .iter()
        .filter(|submission| submission.operation == "cancel" && submission.is_taken())
        .map(|submission| submission.order_id)
        .collect();
    for order in &books.orders {
        let at_provider = held.remove(&(order.provider.as_str(), order.number.as_str())).unwrap_or_default();
        if let Some(creations) = creations.get(&order.id) {
            check_creation(order, creations, &at_provider, violations);
        }
        if let [entry] = at_provider.as_slice() {
            check_entry(order, entry, unsettled.contains(&order.id), violations);
            if cancellations.contains(&order.id) && entry.cancelled == 0 {
                violations.push(broken(NOT_CANCELLED, &order.number));
            }
        }
    }
    violations.extend(held.into_values().flatten().map(|entry| broken(UNKNOWN, &entry.number)));
    check_trips(books, violations);
}

/// The submissions that create each order, those of its trip included.
fn creations(books: &Books) -> HashMap<Uuid, Vec<&LedgerSubmission>> {
    let on_trip: HashMap<Uuid, &[Uuid]> = books.trips.iter().map(|trip| (trip.id, trip.orders.as_slice())).collect();
    let mut creations: HashMap<Uuid, Vec<&LedgerSubmission>> = HashMap::new();
    for submission in books.submissions.iter().filter(|submission| submission.is_creation()) {
        let alone = std::slice::from_ref(&submission.order_id);
        let orders = submission.trip_id.and_then(|trip| on_trip.get(&trip).copied()).unwrap_or(alone);
        for order in orders {
            creations.entry(*order).or_default().push(submission);
        }
    }
    creations
}

fn is_final(submission: &LedgerSubmission) -> bool {
    !matches!(submission.state.as_str(), "queued" | "sending" | "in_doubt")
}

/// Whether it is a change that was refused when it was sent again, because the order had gone on.
fn is_overtaken(submission: &LedgerSubmission) -> bool {
    !submission.is_creation()
        && submission.results.iter().any(|(_, code)| code.starts_with("state.") || code.starts_with("provider."))
}

/// `waits` says that an earlier submission of the order waits for a person.
fn check_submission(submission: &LedgerSubmission, waits: bool, violations: &mut Vec<Violation>) {
    let name = format!("{} {} ({})", submission.operation, submission.id, submission.state);
    match submission.state.as_str() {
        // What came too late to be sent again is for a person.
        "in_doubt" if submission.tries < MOST_TRIES && !is_overtaken(submission) => {
            violations.push(broken(LEFT_IN_DOUBT, &name));
        }
        "queued" | "sending" if !waits => violations.push(broken(UNFINISHED, &name)),
        _ => {}
    }
    if submission.was_in_doubt() && !submission.may_exist {
        violations.push(broken(DOUBT_FORGOTTEN, &name));
    }
}

fn check_creation(
    order: &LedgerOrder,
    creations: &[&LedgerSubmission],
    held: &[&HeldOrder],
    violations: &mut Vec<Violation>,
) {
    let taken = creations.iter().any(|creation| creation.is_taken());
    let open = creations.iter().any(|creation| creation.state == "in_doubt");
    match (held, taken) {
        ([], true) => violations.push(broken(NOT_HELD, &order.number)),
        ([], false) | ([_], true) => {}
        // Nobody knows, and the ledger says so.
        ([_], false) if open => {}
        ([_], false) => violations.push(broken(HELD_ALTHOUGH_REFUSED, &order.number)),
        (several, _) => {
            violations.push(broken(MADE_TWICE, format!("{} stands there {} times", order.number, several.len())));
        }
    }
    let Some(entry) = held.first() else { return };
    if entry.created > 1 {
        violations.push(broken(MADE_TWICE, &order.number));
    }
    // Every receipt but one must have an attempt behind it after which the ledger did not take it for made: a doubt,
    // or a refusal of the provider after which it was tried again.
    let excused = creations
        .iter()
        .flat_map(|creation| &creation.attempts)
        .filter(|attempt| !attempt.question && matches!(attempt.outcome.as_deref(), Some("in_doubt" | "queued")))
        .count();
    if entry.received_creates > 1 + excused as u64 {
        let detail =
            format!("{}: received {} times, {excused} attempts without an end", order.number, entry.received_creates);
        violations.push(broken(RECEIVED_TWICE, detail));
    }
}

fn check_entry(order: &LedgerOrder, entry: &HeldOrder, unsettled: bool, violations: &mut Vec<Violation>) {
    if order.provider_number.as_ref().is_some_and(|number| *number != entry.provider_number) {
        let numbers = format!("{}: {:?} and {}", order.number, order.provider_number, entry.provider_number);
        violations.push(broken(OTHER_NUMBER, numbers));
    }
    if entry.cancelled > 1 {
        violations.push(broken(CANCELLED_TWICE, &order.number));
    }
    // What is not settled yet may be there or not.
    if !unsettled {
        for marker in order.markers.iter().filter(|marker| !entry.document.contains(marker.as_str())) {
            violations.push(broken(OTHER_DOCUMENT, format!("{} lacks {marker}", order.number)));
        }
    }
}

fn check_trips(books: &Books, violations: &mut Vec<Violation>) {
    let numbers: HashMap<Uuid, Option<&str>> =
        books.orders.iter().map(|order| (order.id, order.provider_number.as_deref())).collect();
    let mut held: HashMap<&str, &[String]> =
        books.held_trips.iter().map(|(number, orders)| (number.as_str(), orders.as_slice())).collect();
    for trip in &books.trips {
        let Some(number) = &trip.provider_number else { continue };
        let ours: HashSet<&str> = trip.orders.iter().filter_map(|id| numbers.get(id).copied().flatten()).collect();
        let theirs: Option<HashSet<&str>> =
            held.remove(number.as_str()).map(|orders| orders.iter().map(String::as_str).collect());
        if theirs.as_ref() != Some(&ours) {
            violations.push(broken(TRIP_IN_PART, format!("{number}: {ours:?} here, {theirs:?} there")));
        }
    }
    // A trip that is still in doubt may stand there.
    let open = books.submissions.iter().any(|submission| submission.trip_id.is_some() && !is_final(submission));
    if !open {
        violations.extend(held.into_keys().map(|number| broken(TRIP_IN_PART, format!("{number} is only there"))));
    }
}
