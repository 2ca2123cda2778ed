//! What is told of all this: each thing once, each event at one place, and nothing missing.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::{Books, LedgerEvent, Violation, broken};

pub const WITHOUT_PLACE: &str = "an event has no place in the feed";
pub const PLACES: &str = "the places of the feed are not 1, 2, 3, … up to the last";
pub const FOLLOWED: &str = "a consumer of the feed saw something else than stands in it";
pub const TOLD_TWICE: &str = "something was told twice";
pub const UNTOLD: &str = "something was not told";
pub const UNDELIVERED: &str = "a webhook was not delivered";
pub const FALSELY_DELIVERED: &str = "a webhook counts as delivered, and its receiver did not take it";

/// What happens to an order once.
const ONCE: [&str; 5] =
    ["order.placed", "order.cancelled", "order.confirmed", "transport.picked_up", "transport.delivered"];

pub fn check(books: &Books, violations: &mut Vec<Violation>) {
    check_places(books, violations);
    check_told(books, violations);
    check_webhooks(books, violations);
}

fn check_places(books: &Books, violations: &mut Vec<Violation>) {
    let unplaced = books.events.iter().filter(|event| event.position.is_none());
    violations.extend(unplaced.map(|event| broken(WITHOUT_PLACE, name(event))));
    let mut placed: Vec<(i64, Uuid)> =
        books.events.iter().filter_map(|event| Some((event.position?, event.id))).collect();
    placed.sort_unstable();
    let expected = 1..=books.last_position;
    if !placed.iter().map(|(position, _)| *position).eq(expected) {
        let gap = placed.windows(2).find(|pair| pair[0].0 + 1 != pair[1].0);
        let detail = format!("{} events, the last place is {}, gap: {gap:?}", placed.len(), books.last_position);
        violations.push(broken(PLACES, detail));
    }
    let feed: Vec<Uuid> = placed.into_iter().map(|(_, id)| id).collect();
    if feed != books.followed {
        let place = feed.iter().zip(&books.followed).position(|(one, other)| one != other);
        let detail = format!(
            "{} events in the feed, {} seen, the first difference is at {place:?}",
            feed.len(),
            books.followed.len()
        );
        violations.push(broken(FOLLOWED, detail));
    }
}

fn check_told(books: &Books, violations: &mut Vec<Violation>) {
    let mut of_orders: HashMap<(Uuid, &str, &str), usize> = HashMap::new();
    // Of a trip each order is told of.
    let mut of_submissions: HashMap<(Uuid, &str, Option<Uuid>), usize> = HashMap::new();
    for event in &books.events {
        let kind = event.event_type.as_str();
        match (event.order_id, event.submission_id) {
            (Some(order), _) if ONCE.contains(&kind) => *of_orders.entry((order, kind, "")).or_default() += 1,
            (order, Some(submission)) => *of_submissions.entry((submission, kind, order)).or_default() += 1,
            (Some(order), None) if !event.detail.is_empty() => {
                *of_orders.entry((order, kind, &event.detail)).or_default() += 1;
            }
            _ => {}
        }
    }
    let again = of_orders.iter().filter(|(_, times)| **times > 1);
    violations.extend(again.map(|((order, kind, detail), times)| {
        broken(TOLD_TWICE, format!("{kind} {detail} of the order {order}, {times} times"))
    }));
    // That a doubt is left to a person is told besides.
    let left: HashSet<Uuid> =
        books.submissions.iter().filter(|it| it.state == "in_doubt").map(|submission| submission.id).collect();
    let most =
        |submission: &Uuid, kind: &str| if kind == "submission.in_doubt" && left.contains(submission) { 2 } else { 1 };
    let again = of_submissions.iter().filter(|((submission, kind, _), times)| **times > most(submission, kind));
    violations.extend(again.map(|((submission, kind, _), times)| {
        broken(TOLD_TWICE, format!("{kind} of the submission {submission}, {times} times"))
    }));
    for submission in &books.submissions {
        let mut expected = vec!["submission.queued".to_owned()];
        if !matches!(submission.state.as_str(), "queued" | "sending") {
            expected.push(format!("submission.{}", submission.state));
        }
        if submission.was_in_doubt() {
            expected.push("submission.in_doubt".to_owned());
        }
        let told = |kind: &&String| of_submissions.contains_key(&(submission.id, kind, Some(submission.order_id)));
        for kind in expected.iter().filter(|kind| !told(kind)) {
            violations.push(broken(UNTOLD, format!("{kind} of the submission {}", submission.id)));
        }
    }
}

fn check_webhooks(books: &Books, violations: &mut Vec<Violation>) {
    let delivered: HashSet<Uuid> = books.deliveries.iter().map(|delivery| delivery.event_id).collect();
    for delivery in &books.deliveries {
        if delivery.state != "delivered" {
            violations.push(broken(UNDELIVERED, format!("{} is {}", delivery.event_id, delivery.state)));
        } else if !books.webhooks_taken.contains_key(&delivery.event_id) {
            violations.push(broken(FALSELY_DELIVERED, delivery.event_id));
        }
    }
    let forgotten = books.events.iter().filter(|event| event.wanted && !delivered.contains(&event.id));
    violations.extend(forgotten.map(|event| broken(UNDELIVERED, format!("{} has no delivery", name(event)))));
    let taken = books.webhooks_taken.keys().filter(|id| !delivered.contains(id));
    violations.extend(taken.map(|id| broken(TOLD_TWICE, format!("a webhook of {id}, which has no delivery"))));
}

fn name(event: &LedgerEvent) -> String {
    format!("{} {}", event.event_type, event.id)
}
