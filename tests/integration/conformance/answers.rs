//! An answer that cannot be relied on decides nothing: neither success nor rejection, and never a panic.

use onelane::provider::{Outcome, Verdict};

use super::examples::of;
use super::{Adapter, adapters};

const HTML: &[u8] =
    b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>";

const NONSENSE: &[&[u8]] = &[
    b"",
    b" ",
    HTML,
    b"null",
    b"[]",
    b"{}",
    b"200",
    b"\"ok\"",
    b"OK",
    b"{\"code\":{}}",
    b"{\"code\":\"\"}",
    b"{\"code\":4711,\"data\":null,\"message\":null}",
    b"<a/>",
    b"<?xml version=\"1.0\"?>",
    b"\xff\xfe\x00\x00",
    b"{\"code\":200",
];

fn decides(outcome: &Outcome) -> bool {
    matches!(
        outcome.verdict,
        Verdict::Accepted | Verdict::PartiallyAccepted | Verdict::Rejected | Verdict::AlreadyExists
    )
}

fn assert_undecided(adapter: &Adapter, what: &str, items: usize, outcomes: &[Outcome], body: &[u8]) {
    let body = String::from_utf8_lossy(body);
    assert_eq!(outcomes.len(), items, "{} {what}: {body}", adapter.profile.id);
    assert!(!outcomes.iter().any(decides), "{} {what}: {outcomes:?} from {body}", adapter.profile.id);
}

#[test]
fn nonsense_decides_nothing() {
    for adapter in adapters() {
        for example in of(&adapter) {
            let undecided = example.undecided.iter().map(String::as_bytes);
            for body in NONSENSE.iter().copied().chain(undecided) {
                for status in [200, 201, 302, 500, 502] {
                    let outcomes = example.decode(&adapter, status, body);
                    assert_undecided(&adapter, &example.name, example.items.len(), &outcomes, body);
                }
            }
        }
    }
}

#[test]
fn half_an_answer_decides_nothing() {
    for adapter in adapters() {
        for example in of(&adapter) {
            let Some(body) = example.answer_body(&adapter) else { continue };
            let whole = String::from_utf8_lossy(&body).trim_end().len();
            for end in 0..whole {
                let outcomes = example.decode(&adapter, 200, &body[..end]);
                assert_undecided(&adapter, &example.name, example.items.len(), &outcomes, &body[..end]);
            }
        }
    }
}

#[test]
fn an_item_that_the_answer_does_not_speak_of_is_not_decided() {
    for adapter in adapters() {
        for mut example in of(&adapter) {
            let Some(body) = example.answer_body(&adapter) else { continue };
            let endpoint = example.endpoint(&adapter);
            if endpoint.batch_limit <= 1 || example.outcomes.iter().any(|outcome| outcome["verdict"] == "send_singly") {
                continue;
            }
            // One item more than the answer has.
            let again = of(&adapter).into_iter().find(|other| other.name == example.name).unwrap();
            example.items.extend(again.items.into_iter().take(1));
            let outcomes = example.decode(&adapter, 200, &body);
            let last = outcomes.last().unwrap();
            assert!(!decides(last), "{} {}: {last:?}", adapter.profile.id, example.name);
        }
    }
}
