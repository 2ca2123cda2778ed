//! What anybody may send to a callback's address, read by every adapter that is called.

use chrono::Datelike;
use serde_json::{Map, Value};

use super::adapters::{CALLING, NOW};
use super::soundness::{cuts, is_storable, is_whole};
use crate::canonical::Happening;
use crate::provider::{Account, Callback, Inward, LONGEST_NUMBER, MOST_ORDERS, Reception, Refusal, read_callback};

/// The most characters of words for people, with the mark of what was left out.
const LONGEST_WORDS: usize = 1001;

/// No call brings the gateway down; what is no whole document tells nothing; what is told can be kept and followed;
/// the same call in another form is told as the same.
pub fn callbacks(body: &[u8]) {
    for calling in CALLING.iter() {
        for account in &calling.accounts {
            let told = read(calling.inward, account, body);
            assert_eq!(told, read(calling.inward, account, body), "the same call says the same");
            match &told {
                Err(refusal) => check_refusal(calling.inward, refusal),
                Ok(happenings) => {
                    assert!(is_whole(body), "nonsense tells nothing");
                    check_happenings(happenings);
                    for end in cuts(body.len()).filter(|end| !is_whole(&body[..*end])) {
                        assert!(read(calling.inward, account, &body[..end]).is_err(), "half a call: {end} bytes");
                    }
                    check_other_form(calling.inward, account, body, happenings);
                }
            }
        }
    }
}

fn read(inward: &dyn Inward, account: &Account, body: &[u8]) -> Result<Vec<Happening>, Refusal> {
    read_callback(inward, account, Callback { headers: &[], body }, NOW)
}

fn check_refusal(inward: &dyn Inward, refusal: &Refusal) {
    assert!(refusal.code.starts_with("callback."), "{refusal:?}");
    for words in [&refusal.detail, &refusal.detail_zh] {
        check_words(words);
    }
    let reply = inward.reply(Reception::Refused(refusal));
    assert_ne!(reply.body, inward.reply(Reception::Accepted).body, "a refusal never sounds like an acceptance");
}

fn check_words(words: &str) {
    assert!(!words.is_empty() && is_storable(words) && words.chars().count() <= LONGEST_WORDS, "{words:?}");
}

fn check_happenings(happenings: &[Happening]) {
    assert!((1..=MOST_ORDERS).contains(&happenings.len()), "{}", happenings.len());
    for happening in happenings {
        let Happening { event: _, order, without_order, occurred_at, status: _, receipt, data, warnings, dedupe_key } =
            happening;
        let numbers: Vec<&String> = order.order_number.iter().chain(&order.provider_order_number).collect();
        assert!(!numbers.is_empty() || *without_order, "{happening:?}");
        for number in numbers {
            assert!(
                is_storable(number) && !number.is_empty() && number.chars().count() <= LONGEST_NUMBER,
                "{number:?}"
            );
        }
        // RFC 3339, which the event's time is written in, has four digits for a year.
        assert!(occurred_at.is_none_or(|at| (1..=9999).contains(&at.year())), "{happening:?}");
        assert!(receipt.as_ref().is_none_or(|receipt| is_storable(&receipt.subject)), "{happening:?}");
        assert!(data.contains_key("raw"), "what came is told, too");
        assert!(is_storable_json(&Value::Object(data.clone())), "{happening:?}");
        assert!(!dedupe_key.is_empty());
        for warning in warnings {
            check_words(&warning.detail);
            check_words(&warning.detail_zh);
        }
    }
}

fn is_storable_json(value: &Value) -> bool {
    match value {
        Value::String(text) => is_storable(text),
        Value::Array(items) => items.iter().all(is_storable_json),
        Value::Object(members) => members.iter().all(|(name, member)| is_storable(name) && is_storable_json(member)),
        // The ledger's numbers have an end: numeric holds 131072 digits before the point, and 16383 behind it.
        Value::Number(number) => is_storable_number(number.as_str()),
        Value::Null | Value::Bool(_) => true,
    }
}

fn is_storable_number(digits: &str) -> bool {
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let [whole, fraction] = [whole, fraction].map(|digits| i64::try_from(digits.len()).unwrap_or(i64::MAX / 4));
    exponent.parse::<i64>().is_ok_and(|exponent| {
        let exponent = exponent.clamp(-1_000_000, 1_000_000);
        whole + exponent.max(0) <= 131_072 && fraction - exponent.min(0) <= 16_383
    })
}

/// The members the other way round, and no white space.
fn check_other_form(inward: &dyn Inward, account: &Account, body: &[u8], told: &[Happening]) {
    let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(body) else { return };
    // Of two members of one name, the order says which counts.
    let mut names: Vec<&str> = members.keys().map(|name| name.trim()).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() < members.len() {
        return;
    }
    let turned: Map<String, Value> = members.into_iter().rev().collect();
    let again = read(inward, account, Value::Object(turned).to_string().as_bytes()).expect("it was taken before");
    let keys = |happenings: &[Happening]| -> Vec<String> {
        happenings.iter().map(|happening| happening.dedupe_key.clone()).collect()
    };
    assert_eq!(keys(&again), keys(told), "the same call in another form is a repetition");
}
