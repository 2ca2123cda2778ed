//! Answers of orderCustomUpdate: the document's example, every code, and what is no answer at all.

use serde_json::{Value, json};

use super::{adapter, order};
use crate::canonical::{EventType, Operation, RetryPolicy, Severity};
use crate::provider::{Answer, Item, Outcome, Verdict};

const EXAMPLE_RESPONSE: &[u8] = include_bytes!("../../../../tests/fixtures/otms/order-custom-update-response.xml");

fn decode_for(document: &Value, count: usize, status: u16, body: &[u8]) -> Vec<Outcome> {
    let (profile, outward) = adapter();
    let mut whole = json!({"account": "otms-demo", "orderNumber": "250321005", "shipFrom": {}});
    crate::canonical::merge_patch(&mut whole, document);
    let order = order(&whole);
    let items = vec![Item { operation: Operation::UpdateCustomFields, ..Item::create(&order) }; count];
    let endpoint = profile.endpoint("orderCustomUpdate").unwrap();
    let outcomes = outward.decode(endpoint, &items, &Answer { status, retry_after: None, body });
    assert_eq!(outcomes.len(), count);
    outcomes
}

fn decode(count: usize, body: &[u8]) -> Vec<Outcome> {
    decode_for(&json!({}), count, 200, body)
}

/// The answer on one order.
fn entry(sequence: usize, status: &str, codes: &[&str], column: &str) -> String {
    let codes: Vec<_> = codes.iter().map(|code| format!("<responseCode><code>{code}</code></responseCode>")).collect();
    let codes = codes.concat();
    format!(
        "<order sequence=\"{sequence}\"><erpNumber>250321005</erpNumber><orderNumber>N1</orderNumber>\
         <updateStatus>{status}</updateStatus><responseCodes>{codes}</responseCodes>\
         <errorColumnName>{column}</errorColumnName></order>"
    )
}

fn answer(entries: &[String]) -> Vec<u8> {
    format!("<orderUpdateResponse><responseCode/><orders>{}</orders></orderUpdateResponse>", entries.concat())
        .into_bytes()
}

fn one(status: &str, codes: &[&str], column: &str) -> Outcome {
    decode(1, &answer(&[entry(1, status, codes, column)])).remove(0)
}

#[test]
fn the_documents_example_answer() {
    let outcome = decode(1, EXAMPLE_RESPONSE).remove(0);
    assert_eq!(outcome.verdict, Verdict::Accepted);
    assert_eq!(outcome.provider_order_number.as_deref(), Some("DYZZWDNW004662"));
    assert_eq!((outcome.status, outcome.event), (None, Some(EventType::OrderAmended)));
    assert_eq!(outcome.results, []);
}

#[test]
fn every_code_of_an_order() {
    let (profile, _) = adapter();
    let entries = (profile.catalogue)().entries();
    let of_update: Vec<_> = entries.iter().filter(|entry| entry.scope == "orderCustomUpdate").collect();
    assert_eq!(of_update.len(), 14);
    for code in of_update {
        for status in ["NOT UPDATED", "NOT_UPDATED", "FAILED"] {
            let refused = one(status, &[&code.raw_code], "");
            let expected = match code.retry {
                RetryPolicy::Yes => Verdict::RetrySoon,
                RetryPolicy::Delayed => Verdict::RetryLater,
                RetryPolicy::Bounded => Verdict::RetryFewTimes,
                _ => Verdict::Rejected,
            };
            assert_eq!(refused.verdict, expected, "{}", code.raw_code);
            assert_eq!((refused.provider_order_number, refused.status, refused.event), (None, None, None));
            let [result] = refused.results.as_slice() else { panic!("{}", code.raw_code) };
            assert_eq!((&result.raw_code, &result.code, result.severity), (&code.raw_code, &code.code, code.severity));
            assert_eq!((&result.scope, &result.pointers), (&code.scope, &code.pointers));
            assert_eq!((&result.message_en, &result.message_zh), (&code.message_en, &code.message_zh));
            assert_eq!(result.raw_message, None);
        }
        // Whatever stands beside an order that was taken: it was not taken as a whole.
        let taken = one("UPDATED", &[&code.raw_code], "");
        assert_eq!(taken.verdict, Verdict::PartiallyAccepted, "{}", code.raw_code);
        assert_eq!(taken.results[0].severity, Severity::Warning, "{}", code.raw_code);
        assert_eq!(taken.provider_order_number.as_deref(), Some("N1"));
    }
    assert_eq!(one("NOT UPDATED", &["7054"], "").verdict, Verdict::RetrySoon);
    assert_eq!(one("NOT UPDATED", &["7100"], "").verdict, Verdict::RetryFewTimes);
    assert_eq!(one("NOT UPDATED", &["7009"], "").verdict, Verdict::Rejected);
    assert_eq!(one("NOT UPDATED", &["7054", "7009"], "").verdict, Verdict::Rejected);
    assert_eq!(one("NOT UPDATED", &["4711"], "").results[0].code, "provider.unclassified");
}

#[test]
fn an_update_of_which_nothing_was_written_is_no_plain_success() {
    let outcome = one("UPDATED", &["7045"], "");
    assert_eq!((outcome.verdict, outcome.event), (Verdict::PartiallyAccepted, None));
    assert_eq!(
        (outcome.results[0].code.as_str(), outcome.results[0].severity),
        ("custom_field.ignored", Severity::Warning)
    );
}

#[test]
fn global_codes_speak_of_the_whole_request() {
    for (code, verdict, canonical) in [
        ("0", Verdict::CredentialsRefused, "auth.invalid_credentials"),
        ("1", Verdict::Rejected, "protocol.unsupported_version"),
        ("2", Verdict::BatchTooLarge, "limit.batch_too_large"),
        ("99", Verdict::Unknown, "provider.unclassified"),
    ] {
        let body = format!("<orderUpdateResponse><responseCode>{code}</responseCode></orderUpdateResponse>");
        for outcome in decode(2, body.as_bytes()) {
            assert_eq!(outcome.verdict, verdict, "{code}");
            let result = &outcome.results[0];
            assert_eq!(
                (result.scope.as_str(), result.code.as_str()),
                ("orderCustomUpdate.global", canonical),
                "{code}"
            );
        }
    }
}

#[test]
fn the_column_that_otms_names_is_kept_and_pointed_at() {
    let result = |codes: &[&str], column: &str| one("NOT UPDATED", codes, column).results.remove(0);
    let named = result(&["7044"], "customText3");
    assert_eq!(named.raw_message.as_deref(), Some("errorColumnName=customText3"));
    assert_eq!(named.pointers, ["/customFields/text3"]);
    assert_eq!(result(&["7001"], "customNum2").pointers, ["/customFields/number2"]);
    assert_eq!(result(&["7046"], "customText3,customEnum10").pointers, ["/customFields/text3", "/customFields/enum10"]);
    // It has a subject of its own.
    assert_eq!(result(&["7009"], "customText3").pointers, ["/orderNumber"]);
    for other in ["erpNumber", "customText81", "自定义文本3"] {
        let result = result(&["7044"], other);
        assert_eq!(result.pointers, ["/customFields"], "{other}");
        assert_eq!(result.raw_message, Some(format!("errorColumnName={other}")));
    }
    // Without a code, and beside an order that was taken.
    assert_eq!(result(&[], "customText3").pointers, ["/customFields/text3"]);
    let taken = one("UPDATED", &[], "customText3");
    assert_eq!((taken.verdict, taken.results[0].severity), (Verdict::PartiallyAccepted, Severity::Warning));

    let own = json!({"extensions": {"otms": {"customFields": {"text3": "x"}}}});
    let body = answer(&[entry(1, "NOT UPDATED", &["7044"], "customText3")]);
    assert_eq!(decode_for(&own, 1, 200, &body)[0].results[0].pointers, ["/extensions/otms/customFields/text3"]);
}

#[test]
fn orders_are_matched_by_sequence_and_what_is_not_said_is_unknown() {
    let body = answer(&[
        entry(2, "UPDATED", &[], ""),
        entry(1, "NOT UPDATED", &["7009"], ""),
        entry(4, "UPDATED", &[], ""),
        entry(4, "UPDATED", &[], ""),
        entry(5, "SOMETHING NEW", &["7009"], ""),
        entry(6, "", &["7009"], ""),
        entry(77, "UPDATED", &[], ""),
    ]);
    let verdicts: Vec<_> = decode(6, &body).into_iter().map(|outcome| outcome.verdict).collect();
    let unknown = Verdict::Unknown;
    assert_eq!(verdicts, [Verdict::Rejected, Verdict::Accepted, unknown, unknown, unknown, unknown]);
}

#[test]
fn what_is_no_answer_is_unknown() {
    let import = b"<orderImportResponse><responseCode/><orders/></orderImportResponse>";
    let cut = &EXAMPLE_RESPONSE[..EXAMPLE_RESPONSE.len() / 2];
    for body in [b"".as_slice(), b"<html/>", b"<orderUpdateResponse/>", b"{}", import, cut] {
        for outcome in decode(2, body) {
            assert_eq!(outcome.verdict, Verdict::Unknown, "{}", String::from_utf8_lossy(body));
        }
    }
    for (status, verdict) in [
        (401, Verdict::CredentialsRefused),
        (403, Verdict::CredentialsRefused),
        (429, Verdict::Throttled { retry_after: None }),
        (500, Verdict::Unknown),
    ] {
        assert_eq!(decode_for(&json!({}), 1, status, EXAMPLE_RESPONSE)[0].verdict, verdict, "{status}");
    }
}

proptest::proptest! {
    /// Whatever comes, decoding ends, and gives one outcome for each order.
    #[test]
    fn decoding_never_panics(
        noise in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
        at in 0_usize..600,
        status in "\\PC{0,20}",
        code in "\\PC{0,8}",
        column in "\\PC{0,40}",
    ) {
        let mut body = EXAMPLE_RESPONSE.to_vec();
        let at = at.min(body.len());
        body.splice(at.., noise.iter().copied());
        decode(2, &body);
        decode(1, &noise);
        decode(1, &answer(&[entry(1, &status, &[&code], &column)]));
        decode(1, &answer(&[entry(1, "NOT UPDATED", &[&code], &column)]));
    }
}
