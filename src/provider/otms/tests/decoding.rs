//! Answers of orderImport: the document's example, every code, and what is no answer at all.

use serde_json::json;

use super::{adapter, order};
use crate::canonical::{EventType, Operation, OrderStatus, RetryPolicy, Severity};
use crate::provider::{Answer, Item, Outcome, Verdict};

const EXAMPLE_RESPONSE: &[u8] = include_bytes!("../../../../tests/fixtures/otms/order-import-response.xml");

fn decode_as(operation: Operation, count: usize, status: u16, body: &[u8]) -> Vec<Outcome> {
    let (profile, outward) = adapter();
    let order = order(&json!({"account": "otms-demo", "orderNumber": "1", "shipFrom": {}}));
    let items = vec![Item { operation, ..Item::create(&order) }; count];
    let endpoint = profile.endpoint("orderImport").unwrap();
    let outcomes = outward.decode(endpoint, &items, &Answer { status, retry_after: None, body });
    assert_eq!(outcomes.len(), count);
    outcomes
}

fn decode(count: usize, body: &[u8]) -> Vec<Outcome> {
    decode_as(Operation::Create, count, 200, body)
}

fn decode_amend(body: &[u8]) -> Outcome {
    decode_as(Operation::Amend, 1, 200, body).remove(0)
}

/// An answer for one order.
fn answer(import_status: &str, codes: &[&str], number: &str) -> Vec<u8> {
    let codes: Vec<_> = codes.iter().map(|code| format!("<responseCode><code>{code}</code></responseCode>")).collect();
    let codes = codes.concat();
    format!(
        "<orderImportResponse version=\"0.1\"><responseCode/><processedOrders>1</processedOrders><orders>\
         <order sequence=\"1\"><importStatus>{import_status}</importStatus><responseCodes>{codes}</responseCodes>\
         <orderNumber>{number}</orderNumber></order></orders></orderImportResponse>"
    )
    .into_bytes()
}

fn codes(outcome: &Outcome) -> Vec<(&str, &str, Severity)> {
    outcome.results.iter().map(|result| (result.raw_code.as_str(), result.code.as_str(), result.severity)).collect()
}

#[test]
fn the_documents_example_answer() {
    let outcomes = decode(4, EXAMPLE_RESPONSE);
    let [draft, duplicate, inbox, refused] = outcomes.as_slice() else { panic!() };

    assert_eq!(draft.verdict, Verdict::PartiallyAccepted);
    assert_eq!(draft.provider_order_number.as_deref(), Some("001000071"));
    assert_eq!((draft.status, draft.event), (Some(OrderStatus::Draft), Some(EventType::OrderDrafted)));
    assert_eq!(
        codes(draft),
        [
            ("1018", "address.partial_match", Severity::Warning),
            ("1007", "reference.ambiguous", Severity::Warning),
            ("1005", "reference.product_not_found", Severity::Warning),
            ("1014", "address.partial_match", Severity::Warning),
        ]
    );

    assert_eq!(duplicate.verdict, Verdict::AlreadyExists);
    assert_eq!(duplicate.provider_order_number, None);
    assert_eq!(codes(duplicate), [("1022", "state.duplicate", Severity::Error)]);

    assert_eq!(inbox.verdict, Verdict::Accepted);
    assert_eq!(inbox.provider_order_number, None);
    assert_eq!((inbox.status, inbox.event), (Some(OrderStatus::Requested), Some(EventType::OrderPlaced)));
    assert_eq!(inbox.results, []);

    assert_eq!(refused.verdict, Verdict::Rejected);
    assert_eq!(codes(refused), [("1120", "validation.inconsistent", Severity::Error)]);
    assert_eq!(refused.results[0].pointers, ["/shipFrom", "/shipTo"]);
}

#[test]
fn every_code_is_an_error_beside_not_imported_and_a_warning_beside_a_created_order() {
    let (profile, _) = adapter();
    let entries = (profile.catalogue)().entries();
    let of_import: Vec<_> = entries.iter().filter(|entry| entry.scope == "orderImport").collect();
    assert_eq!(of_import.len(), 97);
    for entry in of_import {
        let refused = &decode(1, &answer("NOT IMPORTED", &[&entry.raw_code], ""))[0];
        let expected = match entry.retry {
            _ if entry.raw_code == "1022" => Verdict::AlreadyExists,
            RetryPolicy::Yes => Verdict::RetrySoon,
            RetryPolicy::Delayed => Verdict::RetryLater,
            RetryPolicy::Bounded => Verdict::RetryFewTimes,
            _ => Verdict::Rejected,
        };
        assert_eq!(refused.verdict, expected, "{}", entry.raw_code);
        assert_eq!(refused.results.len(), 1);
        let result = &refused.results[0];
        assert_eq!((&result.code, result.severity), (&entry.code, entry.severity));
        assert_eq!(result.pointers, entry.pointers);
        assert_eq!((&result.message_en, &result.message_zh), (&entry.message_en, &entry.message_zh));
        assert_eq!(result.category, entry.code.split('.').next().unwrap());

        let created = &decode(1, &answer("DRAFT", &[&entry.raw_code], "N1"))[0];
        assert_eq!(created.verdict, Verdict::PartiallyAccepted, "{}", entry.raw_code);
        assert_ne!(created.results[0].severity, Severity::Error, "{}", entry.raw_code);
    }
}

#[test]
fn global_codes_speak_of_the_whole_request() {
    let global = |code: &str| {
        let body = format!(
            "<orderImportResponse><responseCode>{code}</responseCode><processedOrders>0</processedOrders></orderImportResponse>"
        );
        decode(2, body.as_bytes())
    };
    for (code, verdict, canonical) in [
        ("0", Verdict::CredentialsRefused, "auth.invalid_credentials"),
        ("1", Verdict::Rejected, "protocol.unsupported_version"),
        ("2", Verdict::BatchTooLarge, "limit.batch_too_large"),
        ("99", Verdict::Unknown, "provider.unclassified"),
    ] {
        for outcome in global(code) {
            assert_eq!(outcome.verdict, verdict, "{code}");
            assert_eq!(outcome.results[0].code, canonical, "{code}");
        }
    }
}

#[test]
fn import_statuses() {
    for (import_status, verdict, status) in [
        ("INBOX", Verdict::Accepted, Some(OrderStatus::Requested)),
        ("RELEASED", Verdict::Accepted, Some(OrderStatus::Requested)),
        ("DISPATCHED", Verdict::Accepted, Some(OrderStatus::Confirmed)),
        ("DRAFT", Verdict::PartiallyAccepted, Some(OrderStatus::Draft)),
        ("NOT IMPORTED", Verdict::Rejected, None),
        ("SOMETHING NEW", Verdict::Unknown, None),
        ("", Verdict::Unknown, None),
    ] {
        let outcome = &decode(1, &answer(import_status, &[], ""))[0];
        assert_eq!((outcome.verdict, outcome.status), (verdict, status), "{import_status}");
    }
}

#[test]
fn an_amendment_is_told_as_one() {
    for (import_status, verdict, status) in [
        ("INBOX", Verdict::Accepted, OrderStatus::Requested),
        ("RELEASED", Verdict::Accepted, OrderStatus::Requested),
        ("DISPATCHED", Verdict::Accepted, OrderStatus::Confirmed),
        ("DRAFT", Verdict::PartiallyAccepted, OrderStatus::Draft),
    ] {
        let outcome = decode_amend(&answer(import_status, &[], "N1"));
        assert_eq!((outcome.verdict, outcome.status), (verdict, Some(status)), "{import_status}");
        assert_eq!(outcome.event, Some(EventType::OrderAmended), "{import_status}");
        assert_eq!(outcome.provider_order_number.as_deref(), Some("N1"), "{import_status}");
    }
    for (import_status, codes, verdict) in [
        // That the order exists is no success of an amendment.
        ("NOT IMPORTED", ["1022"].as_slice(), Verdict::Rejected),
        ("NOT IMPORTED", &["1023"], Verdict::Rejected),
        ("NOT IMPORTED", &["1024"], Verdict::Rejected),
        ("NOT IMPORTED", &["2000"], Verdict::RetrySoon),
        ("NOT IMPORTED", &["1086"], Verdict::RetryLater),
        ("SOMETHING NEW", &[], Verdict::Unknown),
    ] {
        let outcome = decode_amend(&answer(import_status, codes, ""));
        assert_eq!((outcome.verdict, outcome.status, outcome.event), (verdict, None, None), "{codes:?}");
    }
}

#[test]
fn a_number_beside_a_refusal_is_not_taken_over() {
    let body = answer("NOT IMPORTED", &["1022"], "OF-ANOTHER-ORDER");
    assert_eq!(decode(1, &body)[0].provider_order_number, None);
    assert_eq!(decode_amend(&body).provider_order_number, None);
}

#[test]
fn an_unknown_code_is_kept_and_named_as_unknown() {
    let outcome = &decode(1, &answer("NOT IMPORTED", &["4711"], ""))[0];
    assert_eq!(outcome.verdict, Verdict::Rejected);
    assert_eq!(codes(outcome), [("4711", "provider.unclassified", Severity::Error)]);
}

#[test]
fn words_of_the_provider_are_kept() {
    let body = "<orderImportResponse><responseCode/><orders><order sequence=\"1\"><importStatus>NOT IMPORTED</importStatus>\
        <responseCodes><responseCode><code>1033</code></responseCode></responseCodes>\
        <responseCodeParameters><name>text3</name></responseCodeParameters><orderNumber/><erpNumber>E1</erpNumber>\
        <errorMsgs><errorMsg>first</errorMsg><errorMsg>second</errorMsg></errorMsgs></order></orders></orderImportResponse>";
    let outcome = &decode(1, body.as_bytes())[0];
    assert_eq!(outcome.results[0].raw_message.as_deref(), Some("first; second; name=text3"));
}

#[test]
fn orders_are_matched_by_sequence_and_not_by_place() {
    let order = |sequence: &str, status: &str| {
        format!("<order sequence=\"{sequence}\"><importStatus>{status}</importStatus><responseCodes/></order>")
    };
    let body = format!(
        "<orderImportResponse><responseCode/><orders>{}{}{}{}{}</orders></orderImportResponse>",
        order("2", "INBOX"),
        order("1", "NOT IMPORTED"),
        order("4", "INBOX"),
        order("4", "INBOX"),
        order("77", "INBOX"),
    );
    let verdicts: Vec<_> = decode(4, body.as_bytes()).into_iter().map(|outcome| outcome.verdict).collect();
    // 3 has no answer and 4 has two: neither is known. 77 was not asked.
    assert_eq!(verdicts, [Verdict::Rejected, Verdict::Accepted, Verdict::Unknown, Verdict::Unknown]);
}

#[test]
fn what_is_no_answer_is_unknown_and_never_a_success_or_a_rejection() {
    let cut = &EXAMPLE_RESPONSE[..EXAMPLE_RESPONSE.len() / 2];
    let bomb =
        b"<!DOCTYPE a [<!ENTITY b \"bb\">]><orderImportResponse><responseCode>&b;</responseCode></orderImportResponse>";
    for body in [
        b"".as_slice(),
        b"<html><body>Bad gateway</body></html>",
        b"<orderImportResponse/>",
        b"{\"code\": 200}",
        b"<orderImportResponse><responseCode>\xff</responseCode></orderImportResponse>",
        cut,
        bomb,
    ] {
        for outcome in decode(2, body) {
            assert_eq!(outcome.verdict, Verdict::Unknown, "{}", String::from_utf8_lossy(body));
            assert_eq!(outcome.results[0].code, "transport.unreadable_response");
        }
    }
}

#[test]
fn http_statuses_other_than_200() {
    for (status, verdict) in [
        (401, Verdict::CredentialsRefused),
        (403, Verdict::CredentialsRefused),
        (429, Verdict::Throttled { retry_after: None }),
        (500, Verdict::Unknown),
        (502, Verdict::Unknown),
        (302, Verdict::Unknown),
        (201, Verdict::Unknown),
    ] {
        assert_eq!(decode_as(Operation::Create, 1, status, EXAMPLE_RESPONSE)[0].verdict, verdict, "{status}");
    }
}

/// Words go with every code: a long text beside many codes must not be kept as often as a whole.
#[test]
fn many_codes_and_many_words_are_read_in_bounds() {
    let words = "x".repeat(2_000_000);
    let codes = "<responseCode><code>1018</code></responseCode>".repeat(20_000);
    let body = format!(
        "<orderImportResponse version=\"0.1\"><responseCode/><orders><order sequence=\"1\">\
         <importStatus>NOT IMPORTED</importStatus><errorMsgs>{words}</errorMsgs>\
         <responseCodes>{codes}</responseCodes></order></orders></orderImportResponse>"
    );
    let outcome = decode(1, body.as_bytes()).remove(0);
    let kept = outcome.results.iter().filter_map(|result| result.raw_message.as_ref()).map(String::len).sum::<usize>();
    assert!(kept < 100_000_000, "{kept}");
}

proptest::proptest! {
    /// Whatever comes, decoding ends, and gives one outcome for each order.
    #[test]
    fn decoding_never_panics(noise in proptest::collection::vec(proptest::num::u8::ANY, 0..300), at in 0_usize..1200) {
        let mut body = EXAMPLE_RESPONSE.to_vec();
        let at = at.min(body.len());
        body.splice(at.., noise.iter().copied());
        decode(4, &body);
        decode(1, &noise);
    }
}
