//! consigner of modify_order (发货人信息): an object of which only what changes is sent, but for the text of the address,
//! which is always whole.

use super::carried::{Carried, filled};
use super::change::{Change, Touch};
use super::encoder::OrderEncoder;
use super::entity::Coordinates;
use super::stop;
use crate::canonical::{Address, Order, Stop};
use crate::provider::Item;

/// Members of a stop that are in the text of its address.
const ADDRESS_PARTS: &[&str] =
    &["address/region", "address/city", "address/district", "address/street", "address/streetNumber"];

impl OrderEncoder<'_, '_, '_> {
    pub fn consigner(&mut self, item: &Item<'_>, change: &Change<'_>) {
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
}

/// Whether an address says more than in which region, city or district it is.
pub fn has_street(stop: &Stop) -> bool {
    filled(stop.address.as_ref().and_then(|address| address.street.as_ref())).is_some()
}
