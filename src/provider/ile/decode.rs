//! What ILE's answers say. The document lists its codes without saying whether they are the answer's `code` or
//! its HTTP status: both are read, and where they disagree nothing is known.

use super::codes;
use super::wire::EditAnswer;
use crate::canonical::{EventType, Severity, SubmissionResult};
use crate::provider::{Answer, Item, Outcome, Verdict};

/// One outcome for each item; a request holds one.
pub fn edit_order(items: &[Item<'_>], answer: &Answer<'_>) -> Vec<Outcome> {
    let outcome = outcome(answer);
    items.iter().map(|_| outcome.clone()).collect()
}

fn outcome(answer: &Answer<'_>) -> Outcome {
    let read = EditAnswer::read(answer.body);
    match (answer.status, read) {
        (429, _) => Outcome::only(Verdict::Throttled { retry_after: answer.retry_after }, Vec::new()),
        // Whoever keeps the door need not speak ILE's language.
        (status @ (401 | 403), read) => {
            let words = read.ok().and_then(|read| read.words());
            let words = words.unwrap_or_else(|| format!("HTTP status {status}"));
            let result = codes::result(i32::from(status)).with_raw_message(words);
            Outcome::only(Verdict::CredentialsRefused, vec![result])
        }
        (status, Ok(read)) if status == 200 || i32::from(status) == read.code => by_code(&read),
        (status, Ok(read)) => unknown(&format!("the answer has HTTP status {status} and code {}", read.code)),
        (status, Err(error)) => {
            unknown(&format!("the answer has HTTP status {status} and is not JSON with a code: {error}"))
        }
    }
}

fn by_code(answer: &EditAnswer) -> Outcome {
    let mut result = codes::result(answer.code);
    result.raw_message = answer.words();
    let (verdict, event) = match answer.code {
        200 => (Verdict::Accepted, Some(EventType::OrderAmended)),
        401 | 403 => (Verdict::CredentialsRefused, None),
        // An unknown route has no `code`, so this is an unknown order.
        404 => (Verdict::Rejected, None),
        // 系统异常 may also hide what is wrong with the order.
        500 => (Verdict::RetryFewTimes, None),
        _ => (Verdict::Unknown, None),
    };
    Outcome { event, ..Outcome::only(verdict, vec![result]) }
}

fn unknown(why: &str) -> Outcome {
    let result = SubmissionResult::gateway(
        "transport.unreadable_response",
        Severity::Error,
        false,
        "Answer not understood; outcome unknown",
        "响应无法解析,结果未知",
    );
    Outcome::only(Verdict::Unknown, vec![result.with_raw_message(why)])
}
