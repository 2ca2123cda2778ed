//! Reading what providers say: the decoders of the adapters, and what holds for all of them. Whatever a provider
//! writes, the ledger can hold what is made of it.

use super::calls::{Call, ProviderOrder, Reply};
use super::exchange::{Answer, Item, Outcome, Verdict};
use super::profile::Endpoint;
use super::{LONGEST_NUMBER, Outward};
use crate::canonical::{Severity, SubmissionResult};

/// The most characters of words for people that are kept.
const LONGEST_WORDS: usize = 1000;
/// More results than any answer has on one order.
pub(super) const MOST_RESULTS: usize = 1000;

/// What the answer says of each item: the one way to outcomes.
pub fn read_answer(
    outward: &dyn Outward,
    endpoint: &Endpoint,
    items: &[Item<'_>],
    answer: &Answer<'_>,
) -> Vec<Outcome> {
    outward.decode(endpoint, items, answer).into_iter().map(storable).collect()
}

/// What the answer to a call says: the one way to replies.
pub fn read_reply<I, O>(call: &Call<I, O>, input: &I, answer: &Answer<'_>) -> Reply<O> {
    match (call.decode)(input, answer) {
        Reply::Refused(results) => Reply::Refused(results.into_iter().map(clean).collect()),
        Reply::CredentialsRefused(results) => Reply::CredentialsRefused(results.into_iter().map(clean).collect()),
        Reply::Unreadable(why) => Reply::Unreadable(shown(why)),
        reply @ (Reply::Done(_) | Reply::Throttled { .. } | Reply::SessionExpired) => reply,
    }
}

/// The orders that a provider was found to hold, or why that cannot be taken for an answer.
pub fn usable(orders: Vec<ProviderOrder>) -> Result<Vec<ProviderOrder>, String> {
    let of_trips = orders.iter().filter_map(|order| order.provider_trip_number.as_ref());
    match orders
        .iter()
        .map(|order| &order.provider_order_number)
        .chain(of_trips)
        .find_map(|number| why_no_number(number))
    {
        Some(why) => Err(why),
        None => Ok(orders),
    }
}

fn storable(outcome: Outcome) -> Outcome {
    match why_unusable(&outcome) {
        None => Outcome { results: outcome.results.into_iter().map(clean).collect(), ..outcome },
        Some(why) => {
            let result = SubmissionResult::gateway(
                "transport.unreadable_response",
                Severity::Error,
                false,
                "Answer not understood; outcome unknown",
                "响应无法解析,结果未知",
            );
            Outcome::only(Verdict::Unknown, vec![result.with_raw_message(why)])
        }
    }
}

fn why_unusable(outcome: &Outcome) -> Option<String> {
    if outcome.results.len() > MOST_RESULTS {
        return Some(format!("the answer has more than {MOST_RESULTS} codes for one order"));
    }
    let of_trip = outcome.trip.iter().flat_map(|trip| trip.orders.iter().chain([&trip.trip]));
    outcome.provider_order_number.iter().chain(of_trip).find_map(|number| why_no_number(number))
}

/// Why a text is no order's number; nothing where it is one.
fn why_no_number(number: &str) -> Option<String> {
    if number.is_empty() {
        return Some("the number of an order is empty".to_owned());
    }
    if number.chars().count() > LONGEST_NUMBER {
        return Some(format!("the number of an order has more than {LONGEST_NUMBER} characters"));
    }
    number.contains('\0').then(|| "the number of an order contains the control character U+0000".to_owned())
}

fn clean(result: SubmissionResult) -> SubmissionResult {
    SubmissionResult {
        raw_code: without_nul(result.raw_code),
        raw_message: result.raw_message.map(shown),
        pointers: result.pointers.into_iter().map(without_nul).collect(),
        message_zh: without_nul(result.message_zh),
        message_en: without_nul(result.message_en),
        ..result
    }
}

/// Words for people, in a length that people read.
pub(super) fn shown(text: String) -> String {
    let text = without_nul(text);
    match text.char_indices().nth(LONGEST_WORDS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The ledger holds no NUL; what came is kept to the byte apart.
pub(super) fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::canonical::EventType;
    use crate::provider::TripNumbers;

    fn accepted(number: &str, results: Vec<SubmissionResult>) -> Outcome {
        Outcome {
            provider_order_number: Some(number.to_owned()),
            event: Some(EventType::OrderPlaced),
            ..Outcome::only(Verdict::Accepted, results)
        }
    }

    fn result(words: &str) -> SubmissionResult {
        SubmissionResult::unclassified("p", "s", words).with_raw_message(words)
    }

    #[test]
    fn words_are_kept_without_what_the_ledger_cannot_hold() {
        let Outcome { verdict, results, .. } = storable(accepted("PN-1", vec![result("a\0b")]));
        assert_eq!(verdict, Verdict::Accepted);
        assert_eq!(
            (results[0].raw_code.as_str(), results[0].raw_message.as_deref()),
            ("a\u{fffd}b", Some("a\u{fffd}b"))
        );
        let long = storable(accepted("PN-1", vec![result(&"错".repeat(1001))]));
        assert_eq!(long.results[0].raw_message.as_ref().unwrap().chars().count(), LONGEST_WORDS + 1);
    }

    #[test]
    fn what_is_no_number_of_an_order_makes_an_answer_unreadable() {
        let longest = "9".repeat(LONGEST_NUMBER);
        assert_eq!(storable(accepted(&longest, Vec::new())).verdict, Verdict::Accepted);
        for number in ["", "PN\0", &format!("{longest}9")] {
            let outcome = storable(accepted(number, Vec::new()));
            assert_eq!((outcome.verdict, outcome.event), (Verdict::Unknown, None), "{number:?}");
            assert_eq!(outcome.results[0].code, "transport.unreadable_response");
            let trip = TripNumbers { trip: "T-1".to_owned(), orders: vec![number.to_owned()] };
            let outcome = storable(Outcome { trip: Some(trip), ..accepted("PN-1", Vec::new()) });
            assert_eq!(outcome.verdict, Verdict::Unknown, "{number:?}");
            assert!(usable(vec![found(number)]).is_err(), "{number:?}");
        }
        assert!(usable(vec![found("PN-1")]).is_ok());
        let many = storable(accepted("PN-1", vec![result("x"); MOST_RESULTS + 1]));
        assert_eq!((many.verdict, many.results.len()), (Verdict::Unknown, 1));
    }

    fn found(number: &str) -> ProviderOrder {
        ProviderOrder {
            provider_order_number: number.to_owned(),
            order_number: None,
            customer_reference: None,
            provider_trip_number: None,
            status: None,
            created_at: None,
            milestones: Vec::new(),
            order: json!({}),
            raw: Value::Null,
        }
    }
}
