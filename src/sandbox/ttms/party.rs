//! Consignor and consignee, as TMS shows them.

use serde_json::{Map, Number, Value, json};

use super::members::Members;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    pub name: Option<String>,
    pub phone: Option<String>,
    pub address: Address,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    pub province: Option<String>,
    pub city: Option<String>,
    pub district: Option<String>,
    pub detail: Option<String>,
    /// Only modify_order says it, and nothing shows it.
    pub street_number: Option<String>,
    pub lng: Option<Number>,
    pub lat: Option<Number>,
}

/// The names that the members of a party have where an order has them flat.
pub struct FlatNames {
    pub name: &'static str,
    pub phone: &'static str,
    pub address: &'static str,
    pub province: &'static str,
    pub city: &'static str,
    pub district: &'static str,
    pub location: &'static str,
}

pub const CONSIGNER: FlatNames = FlatNames {
    name: "consignerName",
    phone: "consignerPhone",
    address: "consignerAddress",
    province: "consignerProvince",
    city: "consignerCity",
    district: "consignerDistrict",
    location: "consignerLocation",
};

pub const CONSIGNEE: FlatNames = FlatNames {
    name: "consigneeName",
    phone: "consigneePhone",
    address: "consigneeAddress",
    province: "consigneeProvince",
    city: "consigneeCity",
    district: "consigneeDistrict",
    location: "consigneeLocation",
};

impl Party {
    /// Of OrderEntity, which has its coordinates in texts.
    pub fn of_order(order: &mut Members, names: &FlatNames, is_required: bool) -> Self {
        let mut party = Self::flat(order, names, is_required, true);
        party.address.province = order.text(names.province);
        party.address.city = order.text(names.city);
        party.address.district = order.text(names.district);
        party
    }

    /// Of CustomerOrderEntity, which has them in numbers.
    pub fn of_customer_order(order: &mut Members, names: &FlatNames, is_required: bool) -> Self {
        Self::flat(order, names, is_required, false)
    }

    /// 发货人: name, phone and address are 必填; 收货人: 可不填.
    fn flat(order: &mut Members, names: &FlatNames, is_required: bool, is_location_text: bool) -> Self {
        let mut main = |name| if is_required { Some(order.required(name)) } else { order.text(name) };
        let name = main(names.name);
        let phone = main(names.phone);
        let mut address = Address { detail: main(names.address), ..Address::default() };
        order.group(names.location, |location| {
            address.lng = location.degrees("lng", 180, is_location_text);
            address.lat = location.degrees("lat", 90, is_location_text);
        });
        Self { name, phone, address }
    }

    /// In ModifyOrderEntity.
    pub fn read(party: &mut Members) -> Self {
        Self {
            name: party.text("name"),
            phone: party.text("phone"),
            address: party.group("address", Address::read).unwrap_or_default(),
        }
    }

    /// 未传递的字段以及值为null的值不进行修改
    pub fn modify(&mut self, change: Party) {
        let Party { name, phone, address } = change;
        let Address { province, city, district, detail, street_number, lng, lat } = address;
        replace(&mut self.name, name);
        replace(&mut self.phone, phone);
        replace(&mut self.address.province, province);
        replace(&mut self.address.city, city);
        replace(&mut self.address.district, district);
        replace(&mut self.address.detail, detail);
        replace(&mut self.address.street_number, street_number);
        replace(&mut self.address.lng, lng);
        replace(&mut self.address.lat, lat);
    }

    /// As the answers show it. Where the document's example has an address also as `name`, so has
    /// this.
    pub fn shown(&self) -> Value {
        let Self { name, phone, address } = self;
        let Address { province, city, district, detail, street_number: _, lng, lat } = address;
        json!({
            "name": name,
            "phone": phone,
            "address": {
                "province": province,
                "cityCode": null,
                "city": city,
                "district": district,
                "name": detail,
                "address": detail,
                "lng": lng,
                "lat": lat,
            },
        })
    }

    /// Back into the flat members, those that are known.
    pub fn write_flat(&self, document: &mut Map<String, Value>, names: &FlatNames) {
        let Self { name, phone, address } = self;
        let Address { province, city, district, detail, street_number: _, lng, lat } = address;
        for (member, value) in [
            (names.address, detail),
            (names.name, name),
            (names.phone, phone),
            (names.province, province),
            (names.city, city),
            (names.district, district),
        ] {
            if let Some(value) = value {
                document.insert(member.to_owned(), value.as_str().into());
            }
        }
        let degrees = [("lng", lng), ("lat", lat)];
        let known: Map<_, _> = degrees
            .into_iter()
            .filter_map(|(member, value)| Some((member.to_owned(), value.as_ref()?.as_str().into())))
            .collect();
        if !known.is_empty() {
            document.insert(names.location.to_owned(), known.into());
        }
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Address {
    fn read(address: &mut Members) -> Self {
        Self {
            province: address.text("province"),
            city: address.text("city"),
            district: address.text("district"),
            detail: address.text("address"),
            street_number: address.text("streetNumber"),
            lng: address.degrees("lng", 180, false),
            lat: address.degrees("lat", 90, false),
        }
    }
}

pub fn replace<T>(value: &mut Option<T>, change: Option<T>) {
    if change.is_some() {
        *value = change;
    }
}
