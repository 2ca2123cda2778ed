//! What a provider calls back: whether a call is its own, what it says, and how it wants to be answered. Pure
//! functions, like everything else of an adapter.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use serde_json::{Map, Value};

use super::account::Account;
use super::reading::{shown, without_nul};
use crate::canonical::{Happening, OrderMention, Warning};

/// The most orders that one callback may name.
pub const MOST_ORDERS: usize = 1000;
/// The most characters of an order's number at a provider.
pub const LONGEST_NUMBER: usize = 128;

/// What a provider calls back.
pub trait Inward: Send + Sync {
    /// Whether the call is the provider's and fresh. `now` is when it arrived, by the ledger's clock.
    fn verify(&self, account: &Account, callback: &Callback<'_>, now: DateTime<Utc>) -> Verification;

    /// What a verified call says; one happening for each order that it is about.
    fn parse(&self, account: &Account, callback: &Verified<'_>) -> Result<Vec<Happening>, Refusal>;

    /// The answer in the provider's own form.
    fn reply(&self, reception: Reception<'_>) -> CallbackReply;
}

/// A call as it came, apart from its path.
#[derive(Debug, Clone, Copy)]
pub struct Callback<'a> {
    /// Names in lower case. The values of those that carry credentials are masked: the ledger keeps none.
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
}

/// A call that was verified: the only kind that is parsed.
#[derive(Debug, Clone, Copy)]
pub struct Verified<'a>(Callback<'a>);

impl<'a> Verified<'a> {
    pub fn headers(&self) -> &'a [(String, String)] {
        self.0.headers
    }

    pub fn body(&self) -> &'a [u8] {
        self.0.body
    }
}

/// Whether a call is the provider's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    Genuine,
    /// Something is not as it should be, and the account takes it all the same.
    Doubtful(Vec<Warning>),
    Failed(Refusal),
}

/// Why a call is not taken: which check, what was expected, in words that let an engineer put it right. Holds
/// nothing secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable code, `callback.*`
    pub code: &'static str,
    /// In English
    pub detail: String,
    /// In Chinese
    pub detail_zh: String,
}

impl Refusal {
    pub fn new(code: &'static str, detail: impl Into<String>, detail_zh: impl Into<String>) -> Self {
        Refusal { code, detail: detail.into(), detail_zh: detail_zh.into() }
    }

    /// The call is not what the document describes.
    pub fn unparsable(detail: impl Into<String>, detail_zh: impl Into<String>) -> Self {
        Refusal::new("callback.unparsable", detail, detail_zh)
    }

    /// As a warning, for an account that takes such calls all the same.
    pub fn into_warning(self) -> Warning {
        Warning::new(self.code, self.detail, self.detail_zh)
    }
}

/// What became of a call, for its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reception<'a> {
    /// It is kept, and the sender need not repeat it.
    Accepted,
    Refused(&'a Refusal),
}

/// An answer to the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackReply {
    /// HTTP status
    pub status: u16,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl CallbackReply {
    pub fn json(status: u16, body: &Value) -> Self {
        CallbackReply { status, content_type: "application/json", body: body.to_string().into_bytes() }
    }
}

/// Verifies a call and reads it: the one way to happenings.
pub fn read_callback(
    inward: &dyn Inward,
    account: &Account,
    callback: Callback<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<Happening>, Refusal> {
    // A reason may quote what came.
    verify_and_parse(inward, account, callback, now).map_err(|refusal| Refusal {
        code: refusal.code,
        detail: shown(refusal.detail),
        detail_zh: shown(refusal.detail_zh),
    })
}

fn verify_and_parse(
    inward: &dyn Inward,
    account: &Account,
    callback: Callback<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<Happening>, Refusal> {
    let warnings = match inward.verify(account, &callback, now) {
        Verification::Genuine => Vec::new(),
        Verification::Doubtful(warnings) => warnings,
        Verification::Failed(refusal) => return Err(refusal),
    };
    let mut happenings = inward.parse(account, &Verified(callback))?;
    if happenings.len() > MOST_ORDERS {
        return Err(Refusal::unparsable(
            format!("it names {} orders; at most {MOST_ORDERS} are taken of one callback", happenings.len()),
            format!("回调包含 {} 个订单,最多 {MOST_ORDERS} 个", happenings.len()),
        ));
    }
    for happening in &mut happenings {
        let OrderMention { document_type: _, order_number, provider_order_number } = &mut happening.order;
        for number in [order_number, provider_order_number].into_iter().flatten() {
            if number.chars().count() > LONGEST_NUMBER {
                return Err(Refusal::unparsable(
                    format!("the number of an order has more than {LONGEST_NUMBER} characters"),
                    format!("订单号超过 {LONGEST_NUMBER} 个字符"),
                ));
            }
            *number = without_nul(std::mem::take(number));
        }
        if let Some(receipt) = &mut happening.receipt {
            receipt.subject = without_nul(std::mem::take(&mut receipt.subject));
        }
        happening.data = clean_members(std::mem::take(&mut happening.data));
        happening.warnings.splice(0..0, warnings.iter().cloned());
        for Warning { code: _, detail, detail_zh } in &mut happening.warnings {
            *detail = shown(std::mem::take(detail));
            *detail_zh = shown(std::mem::take(detail_zh));
        }
    }
    Ok(happenings)
}

fn clean_members(members: Map<String, Value>) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (without_nul(name), clean(value))).collect()
}

fn clean(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(without_nul(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(clean).collect()),
        Value::Object(members) => Value::Object(clean_members(members)),
        other => other,
    }
}

/// A key for what these texts tell together: equal only where all of them are.
pub fn dedupe_key(parts: &[&str]) -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        context.update(&part.len().to_be_bytes());
        context.update(part.as_bytes());
    }
    HEXLOWER.encode(context.finish().as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::EventType;
    use crate::provider::Credentials;
    use serde_json::json;

    /// Says of its calls what the test wants.
    struct Parrot(Verification, Vec<Happening>);

    impl Inward for Parrot {
        fn verify(&self, _: &Account, _: &Callback<'_>, _: DateTime<Utc>) -> Verification {
            self.0.clone()
        }

        fn parse(&self, _: &Account, _: &Verified<'_>) -> Result<Vec<Happening>, Refusal> {
            Ok(self.1.clone())
        }

        fn reply(&self, _: Reception<'_>) -> CallbackReply {
            CallbackReply::json(200, &Value::Null)
        }
    }

    fn happening(number: &str) -> Happening {
        Happening {
            event: EventType::OrderConfirmed,
            order: OrderMention { order_number: Some(number.to_owned()), ..OrderMention::default() },
            without_order: false,
            occurred_at: None,
            status: None,
            receipt: None,
            data: json!({"a\0": [{"b": "c\0d"}]}).as_object().unwrap().clone(),
            warnings: Vec::new(),
            dedupe_key: String::new(),
        }
    }

    fn read(parrot: &Parrot) -> Result<Vec<Happening>, Refusal> {
        let account =
            Account::new("a".to_owned(), String::new(), Credentials::new("{}".to_owned()), json!({})).unwrap();
        read_callback(parrot, &account, Callback { headers: &[], body: b"" }, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn what_is_not_verified_is_never_parsed() {
        let refusal = Refusal::new("callback.wrong_signature", "wrong", "错");
        let parrot = Parrot(Verification::Failed(refusal.clone()), vec![happening("SO-1")]);
        assert_eq!(read(&parrot), Err(refusal));
    }

    #[test]
    fn a_doubt_goes_with_every_happening() {
        let doubt = Warning::new("callback.wrong_signature", "wrong", "错");
        let parrot = Parrot(Verification::Doubtful(vec![doubt.clone()]), vec![happening("SO-1"), happening("SO-2")]);
        assert!(read(&parrot).unwrap().iter().all(|happening| happening.warnings == [doubt.clone()]));
    }

    #[test]
    fn what_the_ledger_cannot_hold_is_replaced_and_what_it_should_not_is_refused() {
        let read_one = read(&Parrot(Verification::Genuine, vec![happening("SO\0-1")])).unwrap();
        assert_eq!(read_one[0].order.order_number.as_deref(), Some("SO\u{fffd}-1"));
        assert_eq!(json!(read_one[0].data), json!({"a\u{fffd}": [{"b": "c\u{fffd}d"}]}));
        let too_long = Parrot(Verification::Genuine, vec![happening(&"9".repeat(LONGEST_NUMBER + 1))]);
        assert_eq!(read(&too_long).unwrap_err().code, "callback.unparsable");
        let too_many = Parrot(Verification::Genuine, vec![happening("SO-1"); MOST_ORDERS + 1]);
        assert!(read(&too_many).unwrap_err().detail.contains("1001 orders"));
    }

    #[test]
    fn reasons_are_of_a_length_that_people_read() {
        let refusal = Refusal::unparsable("x\0".repeat(10_000), "错".repeat(1001));
        let refused = read(&Parrot(Verification::Failed(refusal), Vec::new())).unwrap_err();
        assert_eq!((refused.detail.chars().count(), refused.detail_zh.chars().count()), (1001, 1001));
        assert!(!refused.detail.contains('\0'));
    }

    #[test]
    fn keys_differ_where_the_parts_do() {
        assert_eq!(dedupe_key(&["a", "b"]), dedupe_key(&["a", "b"]));
        assert_ne!(dedupe_key(&["ab", ""]), dedupe_key(&["a", "b"]));
    }
}
