//! What OrderEntity and CustomerOrderEntity have alike: members of the same name and meaning.

use super::carried::Carried;
use super::codes;
use super::encoder::OrderEncoder;
use super::geo;
use super::moment;
use super::settings::order_extension;
use super::stop;
use crate::canonical::{Order, Stop};
use crate::provider::Account;
use crate::provider::json::AsText;

/// Names of the members of one of the two stops.
pub struct StopNames {
    /// Where the stop stands in the order
    pub parent: &'static str,
    pub address: &'static str,
    pub name: &'static str,
    pub phone: &'static str,
    pub province: &'static str,
    pub city: &'static str,
    pub district: &'static str,
    pub location: &'static str,
    pub place: &'static str,
}

pub const CONSIGNER: StopNames = StopNames {
    parent: "/shipFrom",
    address: "consignerAddress",
    name: "consignerName",
    phone: "consignerPhone",
    province: "consignerProvince",
    city: "consignerCity",
    district: "consignerDistrict",
    location: "consignerLocation",
    place: "startAddress",
};

pub const CONSIGNEE: StopNames = StopNames {
    parent: "/shipTo",
    address: "consigneeAddress",
    name: "consigneeName",
    phone: "consigneePhone",
    province: "consigneeProvince",
    city: "consigneeCity",
    district: "consigneeDistrict",
    location: "consigneeLocation",
    place: "endAddress",
};

/// How coordinates are written: OrderEntity has texts, every other document numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coordinates {
    Texts,
    Numbers,
}

impl OrderEncoder<'_, '_, '_> {
    /// Address, name, telephone and coordinates of a stop, and the name of its place.
    pub fn flat_stop(&mut self, stop: &Stop, names: &StopNames, coordinates: Coordinates) {
        let parent = names.parent;
        self.addressable(stop, parent);
        self.put(names.address, stop::address_text(stop), parent);
        self.put(names.name, stop::name(stop), parent);
        self.put(names.phone, stop::phone(stop), parent);
        self.object(names.location, |encoder| encoder.coordinates(stop, parent, coordinates));
        self.put(names.place, stop::place_name(stop), parent);
    }

    /// What the consignor must have (必填).
    pub fn required_consignor(&mut self, stop: &Stop) {
        // A location by its id has none of them, which is said already.
        if stop.external_id.is_some() {
            return;
        }
        let parent = CONSIGNER.parent;
        for (there, member, what, what_zh) in [
            (stop::address_text(stop).is_some(), "address", "an address", "发货人地址"),
            (stop::name(stop).is_some(), "contact/name", "a name: contact.name or companyName", "发货人姓名"),
            (stop::phone(stop).is_some(), "contact/mobile", "a telephone: contact.mobile or phone", "发货人电话"),
        ] {
            if !there {
                self.missing(
                    &format!("{parent}/{member}"),
                    &format!("is required: 3TMS wants {what} of the consignor"),
                    &format!("3TMS 要求填写{what_zh}"),
                );
            }
        }
    }

    /// 3TMS has no locations of its own, and transports inside China only.
    pub fn addressable(&mut self, stop: &Stop, parent: &str) {
        if stop.external_id.is_some() {
            self.refuse(
                &format!("{parent}/externalId"),
                "translation.unsupported_field",
                "has no meaning for 3TMS, which knows no locations: give the address and the contact",
                "3TMS 没有地点编码,请提供地址与联系人",
            );
        }
        let Some(address) = &stop.address else { return };
        let country_at = format!("{parent}/address/countryCode");
        if address.country() == "CN" {
            self.implied(&country_at);
        } else {
            self.unsupported_value(
                &country_at,
                "must be CN: 3TMS transports inside China only",
                "必须为 CN:3TMS 仅支持中国境内运输",
            );
        }
    }

    /// `lng` and `lat` in the open object.
    pub fn coordinates(&mut self, stop: &Stop, parent: &str, coordinates: Coordinates) {
        let Some(geo) = stop.address.as_ref().and_then(|address| address.geo.as_ref()) else { return };
        let Some(position) = geo::position(geo) else { return };
        let (longitude, latitude) = ("address/geo/longitude", "address/geo/latitude");
        for (name, degrees, member) in [("lng", position.longitude, longitude), ("lat", position.latitude, latitude)] {
            let carried = Carried::noted(degrees, member, position.note);
            match coordinates {
                Coordinates::Texts => self.put(name, Some(carried.map(AsText)), parent),
                Coordinates::Numbers => self.put(name, Some(carried), parent),
            }
        }
        // It is in the numbers.
        self.implied(&format!("{parent}/address/geo/datum"));
    }

    /// Times and the kind of delivery.
    pub fn schedule(&mut self, order: &Order) {
        self.put("deliveryTime", moment::pickup(order.pickup.as_ref()), "/pickup");
        self.put("appointArriveTime", moment::delivery(order.delivery.as_ref()), "/delivery");
        self.value("deliveryType", delivery_type(order), "", "deliveryMethod");
    }

    /// What the shipper pays (上游运费).
    pub fn shipper_pay(&mut self, order: &Order) {
        let Some(revenue) = order.charges.as_ref().and_then(|charges| charges.revenue.as_ref()) else { return };
        self.money("shipperPay", revenue.freight.as_ref(), "/charges/revenue", "freight");
        self.value("shipperPayType", revenue.payment_term.map(codes::pay_type), "/charges/revenue", "paymentTerm");
    }

    pub fn payment_collect(&mut self, order: &Order) {
        let goods = order.collect.as_ref().and_then(|collect| collect.goods.as_ref());
        self.money("paymentCollect", goods, "/collect", "goods");
    }

    /// Whose order it is, and how many receipts return.
    pub fn common_members(&mut self, order: &Order) {
        let account = self.account;
        if order_extension(order).organization_path.is_some() && order.branch.is_some() {
            // Replaced on the caller's own word.
            self.implied("/branch");
        }
        self.put("organizationPath", organization_path(order, account), "");
        self.value("receiptCount", receipt_count(order), "/proofOfDelivery", "copies");
    }
}

/// The customer's own number (客户单号); the order's where there is none, so that the order can be found by it.
pub fn customer_order_number(order: &Order) -> Carried<&str> {
    match &order.customer_reference {
        Some(reference) => Carried::of(reference, "customerReference"),
        None => Carried::derived(&order.order_number, "orderNumber", "where the customer has no number"),
    }
}

/// Path of the organisation unit: the extension's, else the branch by the account's map or as it is.
pub fn organization_path(order: &Order, account: &Account) -> Option<Carried<String>> {
    if let Some(path) = order_extension(order).organization_path {
        return Some(Carried::of(path, "extensions/ttms/organizationPath"));
    }
    let branch = order.branch.as_ref()?;
    let path = account.common.branch(branch);
    let note = (path != branch).then_some("path from the account's branchMap");
    Some(Carried::noted(path.to_owned(), "branch", note))
}

pub fn delivery_type(order: &Order) -> Option<u8> {
    order.delivery_method.map(codes::delivery_type)
}

pub fn receipt_count(order: &Order) -> Option<u32> {
    order.proof_of_delivery.as_ref().and_then(|proof| proof.copies)
}
