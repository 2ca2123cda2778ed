//! modify_order: ModifyOrderEntity, which holds what changes of a transport order. Members that are absent or null
//! stay as they are; the lists `consignees` and `orderCargoes` are replaced as a whole, and `[]` clears them.

use serde_json::{Value, json};

use super::carried::{Carried, filled};
use super::change::{Change, Touch};
use super::custom_fields::{SHARED_AT, own_fields_at};
use super::encoder::{OrderEncoder, single_request};
use super::entity::{Coordinates, customer_order_number, delivery_type, organization_path, receipt_count};
use super::profile::ID;
use super::{moment, stop};
use crate::canonical::{Address, Operation, Order, Stop};
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

/// Members of a stop that consignees have.
const STOP_MEMBERS: &[&str] = &[
    "externalId",
    "companyName",
    "contact/name",
    "contact/mobile",
    "contact/phone",
    "address/region",
    "address/city",
    "address/district",
    "address/street",
    "address/streetNumber",
    "address/geo",
];

/// Members of a stop that are in the text of its address.
const ADDRESS_PARTS: &[&str] =
    &["address/region", "address/city", "address/district", "address/street", "address/streetNumber"];

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
    fn changed<'o, T: JsonValue>(
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

    /// 发货人信息, an object of which only what changes is sent.
    fn consigner(&mut self, item: &Item<'_>, change: &Change<'_>) {
        let (order, parent) = (item.order, "/shipFrom");
        let address = ADDRESS_PARTS.iter().any(|part| change.touches(&format!("{parent}/{part}")));
        if address && item.adopted && change.before.is_none() && !has_street(&order.ship_from) {
            self.missing(
                "/shipFrom/address/street",
                "is required: 3TMS has the address in one text, and that of this order is not known",
                "必须提供:3TMS 以一段文本保存完整地址,而本订单的地址未知",
            );
        }
        if change.touches("/shipFrom/externalId") || change.touches("/shipFrom/address/countryCode") {
            self.addressable(&order.ship_from, parent);
        }
        self.object("consigner", |encoder| {
            let name = &["contact/name", "companyName"];
            encoder.changed("name", parent, name, change, order, |order| stop::name(&order.ship_from));
            let phone = &["contact/mobile", "contact/phone"];
            encoder.changed("phone", parent, phone, change, order, |order| stop::phone(&order.ship_from));
            if change.touches("/shipFrom/contact/name") || change.touches("/shipFrom/companyName") {
                encoder.implied_where_the_same(&order.ship_from, parent);
            }
            encoder.object("address", |encoder| encoder.consigner_address(order, change));
        });
    }

    /// A company of the contact's own name.
    fn implied_where_the_same(&mut self, stop: &Stop, parent: &str) {
        if stop::name(stop).is_some_and(|name| name.comes_from("contact/name") && name.comes_from("companyName")) {
            self.implied(&format!("{parent}/companyName"));
        }
    }

    fn consigner_address(&mut self, order: &Order, change: &Change<'_>) {
        let parent = "/shipFrom";
        for (name, member, read) in [
            ("province", "address/region", (|address| address.region.as_deref()) as fn(&Address) -> Option<&str>),
            ("city", "address/city", |address| address.city.as_deref()),
            ("district", "address/district", |address| address.district.as_deref()),
            ("streetNumber", "address/streetNumber", |address| address.street_number.as_deref()),
        ] {
            self.changed(name, parent, &[member], change, order, |order| {
                order.ship_from.address.as_ref().and_then(read).map(|value| Carried::of(value, member))
            });
        }
        self.changed("address", parent, ADDRESS_PARTS, change, order, |order| stop::address_text(&order.ship_from));
        match change.touch("/shipFrom/address/geo") {
            Touch::Not => {}
            _ if order.ship_from.address.as_ref().is_some_and(|address| address.geo.is_some()) => {
                self.coordinates(&order.ship_from, parent, Coordinates::Numbers);
            }
            Touch::Cleared(pointer) => {
                let had = |order: &Order| order.ship_from.address.as_ref().is_some_and(|address| address.geo.is_some());
                if change.before.is_none_or(had) {
                    self.not_clearable(&pointer);
                }
            }
            Touch::Set => {}
        }
    }

    /// 收货方信息, all of them when one changes.
    fn consignees(&mut self, item: &Item<'_>, change: &Change<'_>) {
        let order = item.order;
        let of_first = STOP_MEMBERS.iter().any(|member| change.touches(&format!("/shipTo/{member}")));
        if let Some(stop) = order.ship_to.as_ref().filter(|_| !of_first)
            && change.touches("/shipTo/address/countryCode")
        {
            self.addressable(stop, "/shipTo");
        }
        if !of_first && !change.touches("/additionalShipTo") {
            return;
        }
        if item.adopted && change.before.is_none() {
            self.whole_consignees(order, change);
        }
        let stops: Vec<(&Stop, String)> = order
            .ship_to
            .iter()
            .map(|stop| (stop, "/shipTo".to_owned()))
            .chain(
                order
                    .additional_ship_to
                    .iter()
                    .flatten()
                    .enumerate()
                    .map(|(index, stop)| (stop, format!("/additionalShipTo/{index}"))),
            )
            .collect();
        if stops.is_empty() {
            self.json.constant("consignees", EmptyList);
            for source in ["shipTo", "additionalShipTo"] {
                if change.touches(&format!("/{source}")) {
                    self.json.note("consignees", at("", source), Some("the empty list clears it"));
                }
            }
            return;
        }
        let list = self.json.begin_list("consignees");
        for (index, (stop, parent)) in stops.iter().enumerate() {
            self.list_item(index, |encoder| encoder.consignee(stop, parent));
        }
        self.json.end(&list, true);
        // The list is there as a whole: what is not in it is cleared.
        for null in change.nulls().iter().filter(|null| null.starts_with("/shipTo") || *null == "/additionalShipTo") {
            self.implied(null);
        }
    }

    /// Consignees of an order whose document is not known: the change must hold them all, or those that it does
    /// not name would be lost.
    fn whole_consignees(&mut self, order: &Order, change: &Change<'_>) {
        let (detail, detail_zh) = (
            "is required: 3TMS replaces all consignees at once, and those of this order are not known",
            "必须提供:3TMS 会覆盖全部收货方,而本订单的收货方信息未知",
        );
        if change.touch("/shipTo") == Touch::Not {
            self.missing("/shipTo", detail, detail_zh);
        }
        if let Some(stop) = &order.ship_to {
            for (there, member) in [
                (stop::name(stop).is_some(), "contact/name"),
                (stop::phone(stop).is_some(), "contact/mobile"),
                (has_street(stop), "address/street"),
            ] {
                if !there {
                    self.missing(&format!("/shipTo/{member}"), detail, detail_zh);
                }
            }
        }
        if change.touch("/additionalShipTo") == Touch::Not {
            self.missing(
                "/additionalShipTo",
                "must be named, as a list or as null: 3TMS replaces all consignees at once, and whether this order has others is not known",
                "必须填写(列表或 null):3TMS 会覆盖全部收货方,而本订单是否有其他收货方未知",
            );
        }
    }

    fn consignee(&mut self, stop: &Stop, parent: &str) {
        self.addressable(stop, parent);
        self.put("name", stop::name(stop), parent);
        self.put("phone", stop::phone(stop), parent);
        self.object("address", |encoder| {
            if let Some(Address { region, city, district, street_number, .. }) = &stop.address {
                encoder.value("province", region.as_ref(), parent, "address/region");
                encoder.value("city", city.as_ref(), parent, "address/city");
                encoder.value("district", district.as_ref(), parent, "address/district");
                encoder.put("address", stop::address_text(stop), parent);
                encoder.value("streetNumber", street_number.as_ref(), parent, "address/streetNumber");
            }
            encoder.coordinates(stop, parent, Coordinates::Numbers);
        });
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

fn has_street(stop: &Stop) -> bool {
    filled(stop.address.as_ref().and_then(|address| address.street.as_ref())).is_some()
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
