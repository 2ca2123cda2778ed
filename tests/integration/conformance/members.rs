//! Nothing is dropped in silence: a change of any member changes the request, or is refused, or the member is
//! named among what is not sent.

use onelane::canonical::check_order;
use onelane::provider::Translation;
use serde_json::{Value, json};

use super::{Case, adapters, cases, leaves};

/// Members that the gateway itself uses.
const FOR_THE_GATEWAY: &[&str] = &["/account", "/documentType", "/lines/0/lineId"];

/// Members that have one value only in the whole order, for the sake of another member.
const BOUND: &[&str] = &["/cargo/temperatureControlled", "/totals/packageCount"];

/// Words of the canonical enumerations: one of them is another value of any of them.
const WORDS: &[&str] = &[
    "self_pickup",
    "ltl",
    "open",
    "paper",
    "weekly_account",
    "prepaid",
    "release",
    "shortest_time",
    "contained",
    "exclusive",
    "wgs84",
    "H87",
    "CNY",
    "USD",
];

/// Other values of a leaf, the likeliest first.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Bool(flag) => vec![json!(!flag)],
        Value::Number(number) => {
            let whole = number.as_i64().map(|number| json!(number + 1));
            let number = number.as_f64().unwrap();
            [json!(number + 1.0), json!(number / 2.0)].into_iter().chain(whole).collect()
        }
        Value::String(text) => {
            let mut others = vec![json!(format!("{text}改"))];
            // Times, telephone numbers and codes keep their form.
            others.extend(['0', '1', '2', '3'].iter().filter_map(|digit| {
                let at = text.rfind(|it: char| it.is_ascii_digit())?;
                let mut other = text.clone();
                other.replace_range(at..=at, &digit.to_string());
                Some(json!(other))
            }));
            others.push(json!(
                text.replace("T09:", "T10:").replace("T18:", "T17:").replace("T08:", "T07:").replace("T12:", "T13:")
            ));
            others.extend(WORDS.iter().map(|word| json!(word)));
            others.retain(|other| other != value);
            others
        }
        _ => Vec::new(),
    }
}

fn sent(translation: &Translation) -> Option<(&str, &[u8])> {
    translation.request.as_ref().map(|request| (request.url.as_str(), request.body.as_slice()))
}

fn covers(pointer: &str, by: &str) -> bool {
    pointer == by || pointer.strip_prefix(by).is_some_and(|rest| rest.starts_with('/'))
}

/// What a caller hears of a member.
fn is_named(translation: &Translation, pointer: &str) -> bool {
    let noticed = translation.notices.iter().flat_map(|notice| &notice.pointers);
    translation.dropped.iter().chain(noticed).any(|named| covers(pointer, named))
}

fn check_member(case: &Case<'_>, baseline: &Translation, pointer: &str) -> Result<(), String> {
    if FOR_THE_GATEWAY.contains(&pointer) || BOUND.contains(&pointer) || is_named(baseline, &case.place(pointer)) {
        return Ok(());
    }
    let value = case.document.pointer(pointer).unwrap();
    let mut tried = 0;
    for other in others(value) {
        let mut document = case.document.clone();
        *document.pointer_mut(pointer).unwrap() = other;
        let changed = Case { document, ..*case };
        if changed.order().is_none_or(|order| !check_order(&order).is_empty()) {
            continue;
        }
        tried += 1;
        let translation = changed.translate().unwrap();
        if !translation.refusals.is_empty()
            || sent(&translation) != sent(baseline)
            || is_named(&translation, &case.place(pointer))
        {
            return Ok(());
        }
    }
    Err(format!("{}: {pointer} was changed in {tried} ways, and nothing came of it", case.name()))
}

#[test]
fn every_member_is_carried_or_named_or_refused() {
    let mut silent = Vec::new();
    for adapter in adapters() {
        for case in cases(&adapter) {
            let baseline = case.translate().unwrap();
            assert!(baseline.request.is_some(), "{}", case.name());
            let told = match (case.change(), case.operation.operation) {
                (_, onelane::canonical::Operation::Cancel) => Vec::new(),
                (Some(change), _) => leaves(&change),
                (None, _) => leaves(&case.document),
            };
            silent.extend(told.iter().filter_map(|pointer| check_member(&case, &baseline, pointer).err()));
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn the_same_order_becomes_the_same_bytes() {
    for adapter in adapters() {
        for case in cases(&adapter) {
            let bytes = || {
                let request = case.translate().unwrap().request.unwrap();
                (request.url, request.headers, request.body, request.secrets)
            };
            assert_eq!(bytes(), bytes(), "{}", case.name());
        }
    }
}

#[test]
fn lineage_names_members_that_are_there() {
    for adapter in adapters() {
        for case in cases(&adapter) {
            for lineage in case.translate().unwrap().lineage {
                let pointer = lineage.pointer.strip_prefix("/orders/0").unwrap_or(&lineage.pointer);
                let outside = pointer == "/providerOrderNumber" || pointer == "/driver/phone";
                assert!(outside || case.document.pointer(pointer).is_some(), "{}: {lineage:?}", case.name());
            }
        }
    }
}
