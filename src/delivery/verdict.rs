//! From the verdict on an item to its next state: what is final, what is tried again and when, what is in
//! doubt.

use std::time::Duration;

use serde_json::Value;

use crate::backoff::Backoff;
use crate::canonical::{EventType, Operation, OrderStatus, Severity, SubmissionResult, SubmissionState};
use crate::provider::{Evidence, Outcome, Verdict};
use crate::store::claimed::ClaimedItem;
use crate::store::settle::{SettledItem, SettledTrip};

pub use crate::backoff::uniform;

/// Tries after which a submission is dead, or its doubt is left to a person.
pub const MOST_ATTEMPTS: i32 = 10;
/// Tries after a failure whose cause the provider does not name.
const FEW_ATTEMPTS: i32 = 3;

const SOON: Backoff = Backoff { base: Duration::from_secs(2), cap: Duration::from_secs(300) };
const LATER: Backoff = Backoff { base: Duration::from_secs(60), cap: Duration::from_secs(1800) };
const UNREACHABLE: Backoff = Backoff { base: Duration::from_secs(2), cap: Duration::from_secs(10) };

/// What a submission becomes after its provider's verdict; `evidence` is what ends a doubt of its operation.
pub fn settle(item: &ClaimedItem, outcome: Outcome, evidence: Evidence, random: f64) -> SettledItem {
    let Outcome { verdict, provider_order_number, status, event, results, trip } = outcome;
    let base = SettledItem {
        provider_order_number: provider_order_number.or_else(|| trip.as_ref()?.orders.first().cloned()),
        order_status: status,
        order_event: event,
        results,
        trip: item.trip_id.map(|trip_id| match trip {
            Some(numbers) => SettledTrip {
                trip_id,
                provider_trip_number: Some(numbers.trip),
                provider_order_numbers: numbers.orders.into_iter().map(Some).collect(),
            },
            None => SettledTrip::without_numbers(trip_id),
        }),
        ..unchanged(item)
    };
    let taken = |base: SettledItem| SettledItem { document: changed_document(item), announce: true, ..base };
    match verdict {
        Verdict::Accepted => SettledItem { state: SubmissionState::Accepted, ..taken(base) },
        // Partly taken, and nothing happened to the order: its change was not written.
        Verdict::PartiallyAccepted if base.order_event.is_none() => {
            SettledItem { state: SubmissionState::PartiallyAccepted, announce: true, ..base }
        }
        Verdict::PartiallyAccepted => SettledItem { state: SubmissionState::PartiallyAccepted, ..taken(base) },
        // Whether it is ours is for the question to say, where the provider can be asked.
        Verdict::AlreadyExists if item.may_exist && evidence.looks_first() => {
            SettledItem { state: SubmissionState::InDoubt, due_in: Some(Duration::ZERO), cleared: false, ..base }
        }
        Verdict::AlreadyExists if item.may_exist => exists_by_our_own_doing(taken(base)),
        // That the order has gone on meanwhile says nothing of the attempt whose answer never came.
        Verdict::Rejected if changes_again(item, evidence) && may_be_about_state(&base.results) => overtaken(base),
        Verdict::Rejected | Verdict::AlreadyExists => rejected(item, base),
        Verdict::Throttled { .. } | Verdict::CredentialsRefused | Verdict::SessionExpired | Verdict::BatchTooLarge => {
            SettledItem { due_in: Some(Duration::ZERO), counts: false, ..base }
        }
        // What became of the others is not said: the provider's own uniqueness check protects them.
        Verdict::SendSingly => SettledItem {
            due_in: Some(Duration::ZERO),
            counts: false,
            may_exist: true,
            cleared: true,
            alone: true,
            ..base
        },
        Verdict::RetrySoon => again(item, base, &SOON, MOST_ATTEMPTS, random),
        Verdict::RetryLater => again(item, base, &LATER, MOST_ATTEMPTS, random),
        // A doubt ends with an answer that says more; few tries would leave it to a person for want of patience.
        Verdict::RetryFewTimes if item.may_exist => again(item, base, &SOON, MOST_ATTEMPTS, random),
        Verdict::RetryFewTimes => again(item, base, &SOON, FEW_ATTEMPTS, random),
        Verdict::Unknown => doubtful(item, base, random),
    }
}

/// What a submission becomes when its request never left.
pub fn not_sent(item: &ClaimedItem, why: &str, random: f64) -> SettledItem {
    let result = SubmissionResult::gateway(
        "transport.connect_failed",
        Severity::Error,
        true,
        "Could not connect; nothing sent",
        "连接失败,未发送",
    );
    SettledItem {
        due_in: Some(UNREACHABLE.after(item.attempts, random)),
        counts: false,
        results: vec![result.with_raw_message(why)],
        ..unchanged(item)
    }
}

/// What a submission becomes when no whole answer came.
pub fn no_answer(item: &ClaimedItem, why: &str, random: f64) -> SettledItem {
    doubtful(item, SettledItem { results: vec![no_answer_result().with_raw_message(why)], ..unchanged(item) }, random)
}

/// What is said of a submission to which no whole answer came.
pub fn no_answer_result() -> SubmissionResult {
    SubmissionResult::gateway(
        "transport.timeout_in_doubt",
        Severity::Error,
        false,
        "Sent, no answer; outcome unknown",
        "已发送,结果未知",
    )
}

/// What a doubt becomes when the question about it brought nothing: it is asked again.
pub fn still_doubtful(item: &ClaimedItem, why: &str, random: f64) -> SettledItem {
    let due_in = (item.attempts < MOST_ATTEMPTS).then(|| LATER.after(item.attempts, random));
    let mut results = vec![no_answer_result().with_raw_message(why)];
    results.extend(due_in.is_none().then(used_up));
    SettledItem { due_in, results, ..unchanged(item) }
}

/// What a doubt becomes when the provider would not answer the question: it is asked again.
pub fn question_refused(item: &ClaimedItem, said: &[SubmissionResult], random: f64) -> SettledItem {
    let mut doubtful = still_doubtful(item, "the provider refused to say", random);
    doubtful.results.extend_from_slice(said);
    doubtful
}

/// What a doubt becomes that only a person can end.
pub fn left_to_a_person(item: &ClaimedItem, result: SubmissionResult) -> SettledItem {
    let results = vec![no_answer_result(), result];
    SettledItem { state: SubmissionState::InDoubt, due_in: None, results, announce: true, ..unchanged(item) }
}

/// What a submission becomes when its account cannot be used now.
pub fn released(item: &ClaimedItem, wait: Duration) -> SettledItem {
    SettledItem { due_in: Some(wait), counts: false, ..unchanged(item) }
}

/// What a submission becomes when it cannot be put into the provider's words any more.
pub fn refused(item: &ClaimedItem, results: Vec<SubmissionResult>) -> SettledItem {
    // Nothing was sent now; but an earlier attempt may stand at the provider, and then only a person knows.
    if item.may_exist {
        return SettledItem {
            state: SubmissionState::InDoubt,
            due_in: None,
            counts: false,
            results,
            ..unchanged(item)
        };
    }
    rejected(item, SettledItem { counts: false, results, ..unchanged(item) })
}

/// Back where it was before the claim.
pub fn unchanged(item: &ClaimedItem) -> SettledItem {
    let state = if item.may_exist { SubmissionState::InDoubt } else { SubmissionState::Queued };
    SettledItem {
        may_exist: item.may_exist,
        cleared: item.cleared,
        misses: item.misses,
        has_change: item.change.is_some(),
        trip: item.trip_id.map(SettledTrip::without_numbers),
        // Going back into a doubt that was told is no news.
        announce: !item.doubted,
        ..SettledItem::in_state(item.submission_id, item.order_id, item.operation, state)
    }
}

/// The document with the submission's change in it, where it has one.
fn changed_document(item: &ClaimedItem) -> Option<Value> {
    // It could be read when it was sent.
    item.change.as_ref().and_then(|_| item.changed_document().ok())
}

fn rejected(item: &ClaimedItem, base: SettledItem) -> SettledItem {
    let create = matches!(item.operation, Operation::Create | Operation::CreateTrip);
    let order_status = create.then_some(OrderStatus::Rejected);
    SettledItem { state: SubmissionState::Rejected, order_status, announce: true, ..base }
}

/// Whether a change is sent once more because nobody knows what became of it.
fn changes_again(item: &ClaimedItem, evidence: Evidence) -> bool {
    let changes = matches!(item.operation, Operation::Amend | Operation::UpdateCustomFields);
    changes && item.may_exist && !evidence.looks_first()
}

/// Also where the provider names no cause.
fn may_be_about_state(results: &[SubmissionResult]) -> bool {
    results.iter().any(|result| result.code.starts_with("state.") || result.code.starts_with("provider."))
}

/// A change that comes too late to be sent again, and may have been made in time: a person decides.
fn overtaken(base: SettledItem) -> SettledItem {
    SettledItem { state: SubmissionState::InDoubt, due_in: None, announce: true, ..base }
}

/// "It exists" after an attempt without an answer: that attempt made it.
fn exists_by_our_own_doing(mut base: SettledItem) -> SettledItem {
    for result in &mut base.results {
        result.severity = Severity::Info;
    }
    SettledItem {
        state: SubmissionState::Accepted,
        order_status: base.order_status.or(Some(OrderStatus::Requested)),
        order_event: base.order_event.or(Some(EventType::OrderPlaced)),
        announce: true,
        ..base
    }
}

fn again(item: &ClaimedItem, base: SettledItem, backoff: &Backoff, most: i32, random: f64) -> SettledItem {
    if item.attempts < most {
        return SettledItem { due_in: Some(backoff.after(item.attempts, random)), ..base };
    }
    let mut results = base.results;
    results.push(used_up());
    // What may stand at the provider is for evidence or a person to decide, however often it was refused since.
    let state = if item.may_exist { SubmissionState::InDoubt } else { SubmissionState::Dead };
    SettledItem { state, results, announce: true, ..base }
}

fn used_up() -> SubmissionResult {
    let code = "limit.attempts_exhausted";
    SubmissionResult::gateway(code, Severity::Error, false, "Retries used up", "重试次数用尽")
}

/// Evidence is sought after the lease, when no byte of this attempt can still be on its way.
fn doubtful(item: &ClaimedItem, base: SettledItem, random: f64) -> SettledItem {
    let due_in = (item.attempts < MOST_ATTEMPTS).then(|| SOON.after(item.attempts, random));
    let mut results = base.results;
    results.extend(due_in.is_none().then(used_up));
    SettledItem {
        state: SubmissionState::InDoubt,
        results,
        due_in,
        after_lease: true,
        may_exist: true,
        cleared: false,
        misses: 0,
        ..base
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::store::claimed::ClaimedOrder;

    fn item(may_exist: bool, attempts: i32) -> ClaimedItem {
        ClaimedItem {
            submission_id: Uuid::nil(),
            order_id: Uuid::nil(),
            trip_id: None,
            operation: Operation::Create,
            order: ClaimedOrder {
                document: String::new(),
                document_complete: true,
                provider_order_number: None,
                adopted: false,
            },
            change: None,
            may_exist,
            doubted: may_exist,
            cleared: false,
            misses: 0,
            attempts,
            trace_parent: None,
            age: Duration::ZERO,
        }
    }

    fn after(item: &ClaimedItem, verdict: Verdict) -> SettledItem {
        settle(item, Outcome::only(verdict, Vec::new()), Evidence::Resend, 0.5)
    }

    #[test]
    fn the_end_of_a_doubt_is_news() {
        for verdict in [Verdict::Accepted, Verdict::PartiallyAccepted, Verdict::AlreadyExists, Verdict::Rejected] {
            assert!(after(&item(true, 2), verdict).announce, "{verdict:?}");
        }
    }

    #[test]
    fn a_duplicate_is_a_success_only_after_a_doubt() {
        assert_eq!(after(&item(false, 1), Verdict::AlreadyExists).state, SubmissionState::Rejected);
        assert_eq!(after(&item(true, 2), Verdict::AlreadyExists).state, SubmissionState::Accepted);
    }

    #[test]
    fn a_duplicate_after_a_doubt_is_asked_about_where_that_is_possible() {
        let outcome = || Outcome::only(Verdict::AlreadyExists, Vec::new());
        let asked = settle(&item(true, 2), outcome(), Evidence::FindOrder, 0.5);
        assert_eq!((asked.state, asked.due_in, asked.cleared), (SubmissionState::InDoubt, Some(Duration::ZERO), false));
        assert_eq!(settle(&item(false, 1), outcome(), Evidence::FindOrder, 0.5).state, SubmissionState::Rejected);
    }

    #[test]
    fn an_unreadable_answer_is_a_doubt_and_the_doubt_sticks() {
        let doubt = after(&item(false, 1), Verdict::Unknown);
        assert_eq!((doubt.state, doubt.may_exist, doubt.after_lease), (SubmissionState::InDoubt, true, true));
        assert!(doubt.due_in.is_some() && doubt.announce);
        // Throttled on the way to evidence: still in doubt, not queued as if nothing had happened.
        let throttled = after(&item(true, 2), Verdict::Throttled { retry_after: None });
        assert_eq!((throttled.state, throttled.counts, throttled.announce), (SubmissionState::InDoubt, false, false));
        let left_to_a_person = after(&item(true, MOST_ATTEMPTS), Verdict::Unknown);
        assert_eq!((left_to_a_person.state, left_to_a_person.due_in), (SubmissionState::InDoubt, None));
        // Why nothing more is done by itself stands there for whoever has to decide.
        for left in [left_to_a_person, still_doubtful(&item(true, MOST_ATTEMPTS), "silence", 0.5)] {
            assert_eq!(left.results.last().map(|result| result.code.as_str()), Some("limit.attempts_exhausted"));
        }
    }

    #[test]
    fn a_doubt_is_told_when_it_comes_up_and_not_again() {
        // What was refused with others may stand there, and nobody was told.
        let told = |doubted| after(&ClaimedItem { doubted, ..item(true, 2) }, Verdict::Unknown).announce;
        assert!(told(false));
        assert!(!told(true));
    }

    #[test]
    fn a_change_that_comes_too_late_to_be_sent_again_is_for_a_person() {
        let refused = |code: &str, operation, may_exist| {
            let result = SubmissionResult::gateway(code, Severity::Error, false, "no", "否");
            let outcome = Outcome::only(Verdict::Rejected, vec![result]);
            settle(&ClaimedItem { operation, ..item(may_exist, 2) }, outcome, Evidence::Resend, 0.5)
        };
        let late = refused("state.not_updatable", Operation::Amend, true);
        assert_eq!((late.state, late.due_in, late.results.len()), (SubmissionState::InDoubt, None, 1));
        assert!(late.announce);
        // Nor does it say more where no cause is named.
        assert_eq!(refused("provider.rejected", Operation::Amend, true).state, SubmissionState::InDoubt);
        assert_eq!(refused("provider.rejected", Operation::Amend, false).state, SubmissionState::Rejected);
        // The first time it is an answer, and what is wrong with the change was wrong with it before.
        assert_eq!(refused("state.not_updatable", Operation::Amend, false).state, SubmissionState::Rejected);
        assert_eq!(refused("validation.missing", Operation::Amend, true).state, SubmissionState::Rejected);
        // That an order exists would have been said.
        assert_eq!(refused("state.locked", Operation::Create, true).state, SubmissionState::Rejected);
    }

    #[test]
    fn a_doubt_is_not_given_up_after_few_tries() {
        let again = after(&item(true, FEW_ATTEMPTS), Verdict::RetryFewTimes);
        assert_eq!((again.state, again.due_in.is_some()), (SubmissionState::InDoubt, true));
        assert_eq!(after(&item(true, MOST_ATTEMPTS), Verdict::RetryFewTimes).due_in, None);
    }

    #[test]
    fn retries_end() {
        assert_eq!(after(&item(false, 1), Verdict::RetrySoon).state, SubmissionState::Queued);
        assert_eq!(after(&item(false, MOST_ATTEMPTS), Verdict::RetrySoon).state, SubmissionState::Dead);
        assert_eq!(after(&item(false, FEW_ATTEMPTS), Verdict::RetryFewTimes).state, SubmissionState::Dead);
        let left_to_a_person = after(&item(true, MOST_ATTEMPTS), Verdict::RetrySoon);
        assert_eq!((left_to_a_person.state, left_to_a_person.due_in), (SubmissionState::InDoubt, None));
        assert_eq!(left_to_a_person.results.len(), 1);
    }
}
