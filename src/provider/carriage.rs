//! Nothing is dropped in silence: what an encoder did not carry is a notice, or a refusal where it would
//! change money, liability or safety.

use serde_json::{Value, json};

use super::account::Account;
use super::exchange::{Batch, Item, Lineage, Request, Trace};
use super::{Carries, Outward, Profile};
use crate::canonical::{DispatchMode, FieldError, Operation, Order, Severity, SubmissionResult, leaves_not_under};
use crate::tree::Tree;

/// Members whose loss would change money, liability or safety. `*` stands for one list index.
const MUST_BE_CARRIED: &[&str] = &[
    "/additionalShipTo",
    "/cargo/dangerousGoods",
    "/cargo/temperatureControlled",
    "/collect",
    "/dispatch/carrierCode",
    "/dispatch/driver",
    "/dispatch/mode",
    "/dispatch/vehicle",
    "/insurance",
    "/lines/*/insuredValue",
    "/lines/*/unit/insuredValue",
    "/temperature",
    "/totals/insuredValue",
];

/// Members that the gateway itself uses and no provider is told.
const FOR_THE_GATEWAY: &[&str] = &["/account", "/documentType", "/lines/*/lineId"];

/// One order in a provider's words, and what became of each of its members.
pub struct Translation {
    /// Nothing when the order was refused. Its body is the document only where the trace wants that
    pub request: Option<Request>,
    pub refusals: Vec<FieldError>,
    pub notices: Vec<SubmissionResult>,
    pub lineage: Vec<Lineage>,
    /// Pointers of what is not carried
    pub dropped: Vec<String>,
}

/// An order as its caller wrote it: it has the members that the order has.
#[derive(Clone, Copy)]
pub enum Written<'a> {
    Value(&'a Value),
    Tree(&'a Tree<'a>),
}

/// Translates one order without sending it.
pub fn translate(profile: &Profile, outward: &dyn Outward, account: &Account, item: Item<'_>) -> Translation {
    translate_with(profile, outward, account, item, Trace::on(), None)
}

/// The same; `trace`, which must be on, says whether the lineage is wanted. `written` is given where it is at hand.
pub fn translate_with(
    profile: &Profile,
    outward: &dyn Outward,
    account: &Account,
    item: Item<'_>,
    mut trace: Trace,
    written: Option<Written<'_>>,
) -> Translation {
    let operation = profile.operation(item.operation, item.order.document_type());
    let Some((operation, endpoint)) =
        operation.and_then(|operation| Some((operation, profile.endpoint(operation.endpoint)?)))
    else {
        return Translation {
            request: None,
            refusals: vec![unsupported_operation(profile, item.operation)],
            notices: Vec::new(),
            lineage: Vec::new(),
            dropped: Vec::new(),
        };
    };
    let mut encoding = outward.encode(&Batch { endpoint, account, items: &[item] }, &mut trace);
    let mut item_encoding = encoding.items.pop().unwrap_or_default();
    let (lineage, carried) = trace.into_parts();

    let mut dropped = Vec::new();
    let document = to_be_carried(&item, operation.carries, profile.id, written);
    let left_out = match &document {
        Told::Made(document) => leaves_not_under(document, &carried, &may_fold),
        Told::Written(Written::Value(document)) => leaves_not_under(*document, &carried, &may_fold),
        Told::Written(Written::Tree(document)) => leaves_not_under(*document, &carried, &may_fold),
    };
    for pointer in left_out {
        let already_refused = item_encoding.refusals.iter().any(|refusal| covers(&pointer, &refusal.pointer));
        let (order, member) = order_of(&item, &pointer);
        if already_refused || matches_any(member, FOR_THE_GATEWAY) || belongs_to_another_provider(&pointer, profile.id)
        {
            continue;
        }
        if must_be_carried(member, order) {
            item_encoding.refusals.push(unsupported_field(profile, &pointer));
        } else {
            item_encoding.notices.push(dropped_notice(profile, &pointer));
        }
        dropped.push(pointer);
    }
    Translation {
        request: encoding.request.filter(|_| item_encoding.refusals.is_empty()),
        refusals: item_encoding.refusals,
        notices: item_encoding.notices,
        lineage,
        dropped,
    }
}

/// The order that a pointer is about, and the member within it: a trip has several orders.
fn order_of<'a, 'p>(item: &Item<'a>, pointer: &'p str) -> (&'a Order, &'p str) {
    let of_trip = item.trip.and_then(|trip| {
        let (index, _) = pointer.strip_prefix("/orders/")?.split_once('/')?;
        trip.orders.get(index.parse::<usize>().ok()?)
    });
    of_trip.map_or((item.order, pointer), |order| (order, within_order(pointer)))
}

/// What an operation tells the provider.
enum Told<'a> {
    Made(Value),
    Written(Written<'a>),
}

/// The whole order, the members that change, or nothing but which order it is about.
fn to_be_carried<'a>(item: &Item<'a>, carries: Carries, provider: &str, written: Option<Written<'a>>) -> Told<'a> {
    if let Some(trip) = item.trip {
        return Told::Made(json!({"orders": trip.orders, "driver": {"phone": trip.driver_phone}}));
    }
    let order = || serde_json::to_value(item.order).unwrap_or(Value::Null);
    Told::Made(match (carries, item.change) {
        (Carries::Identity, _) => json!({}),
        (Carries::Change, Some(change)) => return Told::Written(Written::Value(change)),
        (Carries::Change, None) if item.operation == Operation::UpdateCustomFields => {
            let order = order();
            let fields = |pointer: &str| order.pointer(pointer).cloned().unwrap_or_else(|| json!({}));
            let own = fields(&format!("/extensions/{provider}/customFields"));
            json!({"customFields": fields("/customFields"), "extensions": {provider: {"customFields": own}}})
        }
        (Carries::Change | Carries::Document, _) => match written {
            Some(written) => return Told::Written(written),
            None => order(),
        },
    })
}

/// Whether one pointer is the other, or stands below or above it.
fn covers(pointer: &str, other: &str) -> bool {
    let below = |a: &str, b: &str| a == b || (a.starts_with(b) && a.as_bytes().get(b.len()) == Some(&b'/'));
    below(pointer, other) || below(other, pointer)
}

/// Whether what is missing below `at` may be named as `at`: only what is treated alike is named as one.
fn may_fold(at: &str, missing: &[String]) -> bool {
    let must = |pointer: &str| matches_any(within_order(pointer), MUST_BE_CARRIED);
    !at.ends_with("/extensions") && missing.iter().all(|pointer| must(pointer) == must(at))
}

/// The part of a pointer into a trip that is within one of its orders.
fn within_order(pointer: &str) -> &str {
    let member = pointer.strip_prefix("/orders/").and_then(|rest| rest.find('/').map(|at| &rest[at..]));
    member.unwrap_or(pointer)
}

fn matches_any(pointer: &str, patterns: &[&str]) -> bool {
    patterns.iter().any(|pattern| matches(pointer, pattern))
}

/// Whether the pointer is what the pattern names, or stands below it.
fn matches(pointer: &str, pattern: &str) -> bool {
    let mut tokens = pointer.split('/');
    pattern.split('/').all(|expected| tokens.next().is_some_and(|token| expected == "*" || token == expected))
}

/// An `extensions` member of another provider: one document may go to several accounts.
fn belongs_to_another_provider(pointer: &str, provider: &str) -> bool {
    let mut tokens = pointer.split('/').skip_while(|token| *token != "extensions").skip(1);
    tokens.next().is_some_and(|owner| owner != provider)
}

fn must_be_carried(pointer: &str, order: &Order) -> bool {
    if !matches_any(pointer, MUST_BE_CARRIED) {
        return false;
    }
    // Of a further drop that is carried, what has no place is as with any other stop. One that is not carried at
    // all is named as a whole.
    if pointer.strip_prefix("/additionalShipTo/").is_some_and(|drop| drop.contains('/')) {
        return false;
    }
    // A member that only repeats the default changes nothing when it is missing.
    let cargo = order.cargo.as_ref();
    match pointer {
        "/cargo/dangerousGoods" => cargo.and_then(|cargo| cargo.dangerous_goods) == Some(true),
        "/cargo/temperatureControlled" => cargo.and_then(|cargo| cargo.temperature_controlled) == Some(true),
        "/dispatch/mode" => {
            order.dispatch.as_ref().and_then(|dispatch| dispatch.mode).is_some_and(|mode| mode != DispatchMode::None)
        }
        _ => true,
    }
}

fn unsupported_operation(profile: &Profile, operation: Operation) -> FieldError {
    FieldError::new(
        "",
        "translation.unsupported_operation",
        format!("{} has no operation {operation} for this kind of document", profile.name),
        format!("{} 不支持该单据类型的 {operation} 操作", profile.name),
    )
}

fn unsupported_field(profile: &Profile, pointer: &str) -> FieldError {
    FieldError::new(
        pointer,
        "translation.unsupported_field",
        format!("has no place in the documents of {}, and leaving it out would change the order", profile.name),
        format!("{} 没有对应字段,且缺少该字段会改变订单", profile.name),
    )
}

fn dropped_notice(profile: &Profile, pointer: &str) -> SubmissionResult {
    let name = profile.name;
    if pointer.contains("/customFields") {
        return SubmissionResult::gateway(
            "custom_field.unsupported",
            Severity::Warning,
            false,
            &format!("{name} has no slot for this custom field; not sent"),
            &format!("{name} 没有对应的自定义字段,未传递"),
        )
        .at(pointer);
    }
    SubmissionResult::gateway(
        "translation.field_dropped",
        Severity::Warning,
        false,
        &format!("{name} has no place for this member; not sent"),
        &format!("{name} 没有对应字段,未传递"),
    )
    .at(pointer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_below_and_through_indexes() {
        assert!(matches("/collect/goods/amount", "/collect"));
        assert!(matches("/lines/12/insuredValue", "/lines/*/insuredValue"));
        assert!(!matches("/lines/12", "/lines/*/insuredValue"));
        assert!(!matches("/collection", "/collect"));
        assert!(belongs_to_another_provider("/shipTo/extensions/other/placeName", "this"));
        assert!(!belongs_to_another_provider("/extensions/this/source", "this"));
    }
}
