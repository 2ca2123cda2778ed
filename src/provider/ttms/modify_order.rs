//! modify_order: ModifyOrderEntity, which holds what changes of a transport order. Members that are absent or null
//! stay as they are; the lists `consignees` and `orderCargoes` are replaced as a whole, and `[]` clears them.

use serde_json::{Value, json};

use super::carried::Carried;
use super::change::{Change, Touch};
use super::custom_fields::{SHARED_AT, own_fields_at};
use super::encoder::{OrderEncoder, single_request};
use super::entity::{customer_order_number, delivery_type, organization_path, receipt_count};
use super::profile::ID;
use super::{moment, stop};
use crate::canonical::{Operation, Order};
use crate::provider::json::{EmptyList, JsonValue};
use crate::provider::pointer::at;
use crate::provider::{Batch, Encoding, Item, Trace};

/// What creation carries and modification does not, by its pointer.
const NOT_AMENDABLE: &[&str] = &[
    "/charges/revenue/freight",
    "/charges/revenue/paymentTerm",
    "/charges/cost/freight",
    "/charges/cost/paymentTerm",
    "/collect/goods",
    "/collect/freight",
    "/extensions/ttms/wmsLocation",
];

/// Encodes a change of one order for modify_order.
pub fn modify_order(batch: &Batch<'_>, trace: &mut Trace) -> Encoding {
    single_request(batch, trace, |encoder, item| {
        encoder.provider_number("orderNumber", item);
        let whole = item.change.is_none().then(|| whole_change(item));
        let patch = item.change.or(whole.as_ref()).unwrap_or(&Value::Null);
        let change = Change { patch, before: item.standing };
        let opened = encoder.json.begin_object("order");
        match item.operation {
            Operation::UpdateCustomFields => encoder.only_custom_notes(item.order, &change),
            _ => encoder.modification(item, &change),
        }
        encoder.json.end(&opened, true);
    })
}

impl OrderEncoder<'_, '_, '_> {
    fn modification(&mut self, item: &Item<'_>, change: &Change<'_>) {
        let order = item.order;
        let account = self.account;
        self.not_amendable(order, change);
        self.changed("appointArriveTime", "/delivery", &["endTime", "startTime", "date"], change, order, |order| {
            moment::delivery(order.delivery.as_ref())
        });
        // Taken away from an order that was made here, the customer's number is ours again, as at its creation.
        self.changed("customerOrderNumber", "", &["customerReference"], change, order, |order| {
            Some(customer_order_number(order)).filter(|_| !item.adopted || order.customer_reference.is_some())
        });
        self.changed("deliveryTime", "/pickup", &["startTime", "endTime", "date"], change, order, |order| {
            moment::pickup(order.pickup.as_ref())
        });
        self.changed("deliveryType", "", &["deliveryMethod"], change, order, |order| {
            delivery_type(order).map(|code| Carried::of(code, "deliveryMethod"))
        });
        let place = &["extensions/ttms/placeName", "address/city"];
        self.changed("startAddress", "/shipFrom", place, change, order, |order| stop::place_name(&order.ship_from));
        self.end_address(place, change, order);
        self.changed("note", "", &["remarks"], change, order, |order| {
            order.remarks.as_deref().map(|remarks| Carried::of(remarks, "remarks"))
        });
        let path = &["extensions/ttms/organizationPath", "branch"];
        self.changed("organizationPath", "", path, change, order, |order| organization_path(order, account));
        if change.touches("/extensions/ttms/organizationPath") || change.touches("/branch") {
            self.replaced_branch(order);
        }
        self.changed("receiptCount", "/proofOfDelivery", &["copies"], change, order, |order| {
            receipt_count(order).map(|copies| Carried::of(copies, "copies"))
        });
        self.consigner(item, change);
        self.consignees(item, change);
        self.object("customNotes", |encoder| encoder.custom_notes(order, change));
        if change.touches("/lines") {
            self.cargo_list(order);
        }
        self.nothing_to_clear(change);
    }

    /// A member whose sources the patch touches. One that has no value any more cannot be taken away: a null
    /// leaves it as it is.
    pub fn changed<'o, T: JsonValue>(
        &mut self,
        name: &str,
        parent: &str,
        sources: &[&'static str],
        change: &Change<'o>,
        order: &'o Order,
        read: impl Fn(&'o Order) -> Option<Carried<T>>,
    ) {
        for pointer in self.changed_or_cleared(name, parent, sources, change, order, read) {
            self.not_clearable(&pointer);
        }
    }

    /// As [`changed`](Self::changed); gives the pointers of the nulls that would take the member away.
    fn changed_or_cleared<'o, T: JsonValue>(
        &mut self,
        name: &str,
        parent: &str,
        sources: &[&'static str],
        change: &Change<'o>,
        order: &'o Order,
        read: impl Fn(&'o Order) -> Option<Carried<T>>,
    ) -> Vec<String> {
        let touches: Vec<(&str, Touch)> =
            sources.iter().map(|source| (*source, change.touch(&format!("{parent}/{source}")))).collect();
        if touches.iter().all(|(_, touch)| *touch == Touch::Not) {
            return Vec::new();
        }
        if let Some(carried) = read(order) {
            let counts = |(source, touch): &(&str, Touch)| match touch {
                Touch::Not => false,
                Touch::Set => carried.comes_from(source),
                // What stood in its place before counts now.
                Touch::Cleared(_) => true,
            };
            if touches.iter().any(counts) {
                self.put(name, Some(carried), parent);
            }
            return Vec::new();
        }
        if change.before.is_some_and(|before| read(before).is_none()) {
            return Vec::new();
        }
        let mut cleared: Vec<String> = touches
            .into_iter()
            .filter_map(|(_, touch)| match touch {
                Touch::Cleared(pointer) => Some(pointer),
                _ => None,
            })
            .collect();
        cleared.dedup();
        cleared
    }

    /// 目的地. Its own name cannot be taken away; that of a city that is no more stays, which the caller is told.
    fn end_address<'o>(&mut self, sources: &[&'static str], change: &Change<'o>, order: &'o Order) {
        let cleared = self.changed_or_cleared("endAddress", "/shipTo", sources, change, order, |order| {
            stop::place_name(order.ship_to.as_ref()?)
        });
        for pointer in cleared {
            if pointer.starts_with("/shipTo/extensions") {
                self.not_clearable(&pointer);
            } else {
                self.notice(
                    "translation.field_not_clearable",
                    "3TMS keeps the name of the destination (endAddress) as it was",
                    "3TMS 目的地(endAddress)保持不变",
                    pointer,
                );
            }
        }
    }

    pub fn not_clearable(&mut self, pointer: &str) {
        if self.encoding.refusals.iter().any(|refusal| refusal.pointer == pointer) {
            return;
        }
        self.refuse(
            pointer,
            "translation.field_not_clearable",
            "cannot be taken away: 3TMS leaves a member without a value as it is",
            "不可清空:3TMS 对空值字段不作修改",
        );
    }

    /// What creation carries and modification has no member for.
    fn not_amendable(&mut self, order: &Order, change: &Change<'_>) {
        let touched: Vec<(&str, Touch)> = NOT_AMENDABLE
            .iter()
            .map(|pointer| (*pointer, change.touch(pointer)))
            .filter(|(_, touch)| *touch != Touch::Not)
            .collect();
        if touched.is_empty() {
            return;
        }
        let after = json!(order);
        let before = change.before.map(|before| json!(before));
        for (pointer, touch) in touched {
            if before.as_ref().is_some_and(|before| before.pointer(pointer) == after.pointer(pointer)) {
                self.implied(pointer);
                continue;
            }
            let at = if let Touch::Cleared(null) = &touch { null } else { pointer };
            if self.encoding.refusals.iter().all(|refusal| refusal.pointer != at) {
                self.refuse(
                    at,
                    "translation.field_not_amendable",
                    "cannot be changed at 3TMS after the order was created",
                    "3TMS 订单创建后不可修改该字段",
                );
            }
        }
    }

    /// The extension's path wins over the branch.
    fn replaced_branch(&mut self, order: &Order) {
        if organization_path(order, self.account).is_some_and(|path| !path.comes_from("branch")) {
            self.implied("/branch");
        }
    }

    fn cargo_list(&mut self, order: &Order) {
        if order.lines().is_empty() {
            self.json.constant("orderCargoes", EmptyList);
            self.json.note("orderCargoes", at("", "lines"), Some("the empty list clears it"));
        } else {
            self.cargoes("orderCargoes", order.lines());
        }
    }

    /// Nulls that are left are about what 3TMS has no place for: there is nothing to take away.
    fn nothing_to_clear(&mut self, change: &Change<'_>) {
        for null in change.nulls() {
            self.implied(&null);
        }
        for identity in ["/orderNumber", "/documentType", "/account"] {
            self.implied(identity);
        }
    }
}

/// Without a change of its own, all of the order is the change, as far as the operation changes it.
fn whole_change(item: &Item<'_>) -> Value {
    let order = json!(item.order);
    if item.operation != Operation::UpdateCustomFields {
        return order;
    }
    let fields = |pointer: &str| order.pointer(pointer).cloned().unwrap_or_else(|| json!({}));
    json!({
        "customFields": fields(SHARED_AT),
        "extensions": {ID: {"customFields": fields(&own_fields_at())}},
    })
}
