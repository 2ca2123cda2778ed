//! consignees of modify_order (收货方信息): the whole list when one of them changes, since it is overwritten as a whole.

use super::change::{Change, Touch};
use super::consigner::has_street;
use super::encoder::OrderEncoder;
use super::entity::Coordinates;
use super::stop;
use crate::canonical::{Address, Order, Stop};
use crate::provider::Item;
use crate::provider::json::EmptyList;
use crate::provider::pointer::at;

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

impl OrderEncoder<'_, '_, '_> {
    pub fn consignees(&mut self, item: &Item<'_>, change: &Change<'_>) {
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
}
