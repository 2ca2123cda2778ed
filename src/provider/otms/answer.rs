//! What both interfaces' answers have alike: HTTP status, the code of the whole request, orders by sequence,
//! and what their codes mean for a refused one.

use super::codes;
use super::profile::ID;
use super::wire::{Answered, read_response};
use crate::canonical::{RetryPolicy, Severity, SubmissionResult};
use crate::provider::reading::shown;
use crate::provider::{Answer, Item, Outcome, Verdict};

/// One outcome for each of the items, which went out as sequence 1…n. `outcome` reads the answer on one
/// order; `global_scope` is where the codes of the whole request stand in the catalogue.
pub fn outcomes<T: Answered>(
    items: &[Item<'_>],
    answer: &Answer<'_>,
    global_scope: &str,
    outcome: impl Fn(&Item<'_>, &T) -> Outcome,
) -> Vec<Outcome> {
    let all = |outcome: Outcome| vec![outcome; items.len()];
    let response = match answer.status {
        200 => read_response(answer.body),
        // Not documented by oTMS; what HTTP says of them is clear enough.
        401 | 403 => return all(credentials_refused(global_scope, &format!("HTTP {}", answer.status))),
        429 => return all(Outcome::only(Verdict::Throttled { retry_after: answer.retry_after }, Vec::new())),
        status => return all(unknown(&format!("the answer has HTTP status {status}, where only 200 is documented"))),
    };
    let response = match response {
        Ok(response) => response,
        Err(error) => return all(unknown(&error.to_string())),
    };
    match response.response_code.as_deref() {
        None => by_sequence(items, &response.orders, outcome),
        Some("0") => all(credentials_refused(global_scope, "responseCode 0")),
        Some(code) => {
            let (result, retry) = codes::result(global_scope, code);
            let verdict = match retry {
                RetryPolicy::Split => Verdict::BatchTooLarge,
                // The request was refused as a whole; nothing was done.
                _ if result.code != "provider.unclassified" => Verdict::Rejected,
                _ => Verdict::Unknown,
            };
            all(Outcome::only(verdict, vec![result]))
        }
    }
}

/// Orders are matched by the sequence that oTMS echoes. An order without an answer, or with two, is
/// unknown; an answer for an order that was not sent is left aside.
fn by_sequence<T: Answered>(
    items: &[Item<'_>],
    orders: &[T],
    outcome: impl Fn(&Item<'_>, &T) -> Outcome,
) -> Vec<Outcome> {
    (1..)
        .zip(items)
        .map(|(sequence, item)| {
            let mut answers = orders.iter().filter(|order| order.sequence() == Some(sequence));
            match (answers.next(), answers.next()) {
                (Some(order), None) => outcome(item, order),
                (None, _) => unknown(&format!("the answer says nothing about sequence {sequence}")),
                (Some(_), Some(_)) => unknown(&format!("the answer has sequence {sequence} more than once")),
            }
        })
        .collect()
}

/// Whether, and when, an order that was refused with these codes may go again.
pub fn refused(scope: &str, raw_codes: &[String]) -> Verdict {
    let found: Vec<(SubmissionResult, RetryPolicy)> = raw_codes.iter().map(|code| codes::result(scope, code)).collect();
    // One code that cannot succeed decides, whatever stands beside it.
    if found.iter().any(|(result, policy)| *policy == RetryPolicy::No && result.severity == Severity::Error) {
        return Verdict::Rejected;
    }
    let has = |wanted: RetryPolicy| found.iter().any(|(_, policy)| *policy == wanted);
    if has(RetryPolicy::Bounded) {
        Verdict::RetryFewTimes
    } else if has(RetryPolicy::Delayed) {
        Verdict::RetryLater
    } else if has(RetryPolicy::Yes) {
        Verdict::RetrySoon
    } else {
        Verdict::Rejected
    }
}

/// The results of an order: one for each code, with oTMS's own words. What stands beside an order that was
/// `taken` is a warning, whatever its own severity.
pub fn results(scope: &str, raw_codes: &[String], raw_message: Option<&str>, taken: bool) -> Vec<SubmissionResult> {
    // They go with every code; an answer may be long, and have many.
    let raw_message = raw_message.map(|words| shown(words.to_owned()));
    let mut results: Vec<SubmissionResult> = raw_codes.iter().map(|code| codes::result(scope, code).0).collect();
    // Words without a code are kept all the same.
    if results.is_empty() && (raw_message.is_some() || !taken) {
        results.push(SubmissionResult::unclassified(ID, scope, ""));
    }
    for result in &mut results {
        if taken && result.severity == Severity::Error {
            result.severity = Severity::Warning;
        }
        result.raw_message.clone_from(&raw_message);
    }
    results
}

fn credentials_refused(global_scope: &str, raw_message: &str) -> Outcome {
    let (result, _) = codes::result(global_scope, "0");
    Outcome::only(Verdict::CredentialsRefused, vec![result.with_raw_message(raw_message)])
}

pub fn unknown(why: &str) -> Outcome {
    let result = SubmissionResult::gateway(
        "transport.unreadable_response",
        Severity::Error,
        false,
        "Answer not understood; outcome unknown",
        "响应无法解析,结果未知",
    );
    Outcome::only(Verdict::Unknown, vec![result.with_raw_message(why)])
}
