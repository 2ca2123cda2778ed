//! 3TMS's result codes, which are kinds of messages, and its enumerations.

use std::sync::LazyLock;

use super::profile::ID;
use crate::canonical::{DeliveryMethod, PaymentTerm, RetryPolicy, SubmissionResult};
use crate::provider::Catalogue;

/// Raw codes of the catalogue that are no kind of message.
pub const UNKNOWN_INTERFACE: &str = "404";
const ANYTHING_ELSE: &str = "*";

const TABLE: &[u8] = include_bytes!("result_codes.csv");

/// One row of `result_codes.csv`, as far as it tells kinds of messages apart.
#[derive(serde::Deserialize)]
struct KindRow {
    raw_code: String,
    /// What a message of this kind holds: alternatives separated by `|`, each with `…` for any text in between
    contains: String,
}

struct Codes {
    catalogue: Catalogue,
    /// The more specific first
    kinds: Vec<KindRow>,
}

#[expect(clippy::expect_used, reason = "the table is compiled in; a test reads it")]
fn codes() -> &'static Codes {
    static CODES: LazyLock<Codes> = LazyLock::new(|| {
        let rows = csv::Reader::from_reader(TABLE).into_deserialize::<KindRow>();
        let kinds =
            rows.map(|row| row.expect("result_codes.csv is well formed")).filter(|row| !row.contains.is_empty());
        Codes { kinds: kinds.collect(), catalogue: Catalogue::from_csv(TABLE) }
    });
    &CODES
}

/// The result codes of all interfaces. Failures differ in their messages alone: a raw code holds, after `~`,
/// what messages of its kind contain.
pub fn catalogue() -> &'static Catalogue {
    &codes().catalogue
}

/// A failure by its message, and how it may be retried. The code and the words of 3TMS are kept.
pub fn failure(raw_code: &str, message: &str) -> (SubmissionResult, RetryPolicy) {
    let kind = codes().kinds.iter().find(|kind| holds(message, &kind.contains));
    let entry = catalogue().find("body", kind.map_or(ANYTHING_ELSE, |kind| &kind.raw_code));
    let (result, retry) = match entry {
        Some(entry) => (SubmissionResult::from_catalogue(ID, entry), entry.retry),
        None => (SubmissionResult::unclassified(ID, "body", raw_code), RetryPolicy::Bounded),
    };
    let result = SubmissionResult { raw_code: raw_code.to_owned(), ..result };
    (if message.is_empty() { result } else { result.with_raw_message(message) }, retry)
}

/// What HTTP status 404 says: nothing was done, the address is wrong.
pub fn unknown_interface() -> SubmissionResult {
    match catalogue().find("http", UNKNOWN_INTERFACE) {
        Some(entry) => SubmissionResult::from_catalogue(ID, entry),
        None => SubmissionResult::unclassified(ID, "http", UNKNOWN_INTERFACE),
    }
}

/// Whether the message holds one of the alternatives, each of which is fragments in this order.
fn holds(message: &str, alternatives: &str) -> bool {
    alternatives.split('|').any(|alternative| {
        let mut rest = message;
        alternative.split('…').all(|fragment| match rest.split_once(fragment) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    })
}

/// deliveryType: 1)自提,2)送货
pub fn delivery_type(method: DeliveryMethod) -> u8 {
    match method {
        DeliveryMethod::SelfPickup => 1,
        DeliveryMethod::DoorDelivery => 2,
    }
}

/// payType and its like: 1)现付, 2)到付, 3)回付, 4)周结, 5)月结, 6)货款扣, 7)季度结, 8)在线支付, 9)到付月结
pub const PAYMENT_TERMS: [PaymentTerm; 9] = [
    PaymentTerm::Prepaid,
    PaymentTerm::Collect,
    PaymentTerm::OnReceiptReturn,
    PaymentTerm::WeeklyAccount,
    PaymentTerm::MonthlyAccount,
    PaymentTerm::DeductFromCod,
    PaymentTerm::QuarterlyAccount,
    PaymentTerm::Online,
    PaymentTerm::CollectMonthlyAccount,
];

pub fn pay_type(term: PaymentTerm) -> u8 {
    match term {
        PaymentTerm::Prepaid => 1,
        PaymentTerm::Collect => 2,
        PaymentTerm::OnReceiptReturn => 3,
        PaymentTerm::WeeklyAccount => 4,
        PaymentTerm::MonthlyAccount => 5,
        PaymentTerm::DeductFromCod => 6,
        PaymentTerm::QuarterlyAccount => 7,
        PaymentTerm::Online => 8,
        PaymentTerm::CollectMonthlyAccount => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(message: &str) -> String {
        failure("500", message).0.code
    }

    #[test]
    fn the_catalogue_is_read() {
        assert_eq!(catalogue().entries().len(), 14);
        assert_eq!(unknown_interface().code, "protocol.unknown_endpoint");
        for entry in catalogue().entries() {
            assert!(!entry.message_en.is_empty() && !entry.message_zh.is_empty(), "{}", entry.raw_code);
        }
    }

    #[test]
    fn messages_are_classified_by_what_they_hold() {
        for (message, code) in [
            ("账号或密码不正确", "auth.invalid_credentials"),
            ("账号或刷新凭证不正确", "auth.invalid_credentials"),
            ("操作频繁,请稍后再试", "limit.rate_limited"),
            ("订单号必填", "validation.missing"),
            ("发货人地址必填", "validation.missing"),
            ("订单xxx不存在", "reference.order_not_found"),
            ("受理单不存在!", "reference.order_not_found"),
            ("受理单S1811011025811886未绑定设备!", "state.not_updatable"),
            ("订单创建失败", "provider.rejected"),
            ("受理单创建失败", "provider.rejected"),
            ("订单车次失败", "provider.rejected"),
            ("创建失败", "provider.rejected"),
            ("撤销订单失败原因", "provider.rejected"),
            ("撤销受理单失败原因", "provider.rejected"),
            ("订单号已存在", "state.duplicate"),
            ("单号重复", "state.duplicate"),
            ("请勿重复提交", "state.busy"),
            ("订单1901已撤销", "state.not_updatable"),
            // The cause says more than that something failed.
            ("订单创建失败:订单号已存在", "state.duplicate"),
            ("撤销订单失败:订单1901不存在", "reference.order_not_found"),
            ("订单创建失败:操作频繁", "limit.rate_limited"),
            ("不存在的客户", "provider.unclassified"),
            ("", "provider.unclassified"),
            ("false", "provider.unclassified"),
        ] {
            assert_eq!(code_of(message), code, "{message}");
        }
    }

    #[test]
    fn code_and_words_are_kept() {
        let (result, retry) = failure("501", "订单xxx不存在");
        assert_eq!((result.raw_code.as_str(), result.raw_message.as_deref()), ("501", Some("订单xxx不存在")));
        assert_eq!((result.pointers.as_slice(), retry), (&["/providerOrderNumber".to_owned()][..], RetryPolicy::No));
        let (result, retry) = failure("500", "");
        assert_eq!((result.raw_code.as_str(), result.raw_message, retry), ("500", None, RetryPolicy::Bounded));
    }

    #[test]
    fn payment_terms_are_numbered_from_one() {
        for (number, term) in (1..).zip(PAYMENT_TERMS) {
            assert_eq!(pay_type(term), number);
        }
    }
}
