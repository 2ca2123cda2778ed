//! `shipper` and `consignee`: the two stops in ILE's words.

use std::borrow::Cow;

use super::encoder::OrderEncoder;
use crate::canonical::{Address, Contact, Order, Stop};
use crate::provider::pointer::at;

const FROM: &str = "/shipFrom";
const FROM_ADDRESS: &str = "/shipFrom/address";
const FROM_CONTACT: &str = "/shipFrom/contact";
const TO: &str = "/shipTo";
const TO_ADDRESS: &str = "/shipTo/address";
const TO_CONTACT: &str = "/shipTo/contact";

/// The inline members of a stop. What a stop holds besides has no place at ILE and is named by the carriage check.
struct Party<'a> {
    company: Option<&'a String>,
    address: Cow<'a, Address>,
    contact: Cow<'a, Contact>,
}

impl OrderEncoder<'_, '_> {
    pub fn shipper(&mut self, stop: &Stop) {
        let Some(party) = self.party(stop, FROM) else { return };
        self.object("shipper", |encoder| {
            let Party { company, address, contact } = &party;
            encoder.required_text("postcode", address.postal_code.as_ref(), at(FROM_ADDRESS, "postalCode"));
            encoder.text_or_empty("email", contact.email.as_ref(), at(FROM_CONTACT, "email"));
            match &address.country_code {
                Some(country) => encoder.json.value("country", Some(country), at(FROM_ADDRESS, "countryCode")),
                None => encoder.json.constant("country", address.country()),
            }
            encoder.text_or_empty("company", *company, at(FROM, "companyName"));
            encoder.required_text("name", contact.name.as_ref(), at(FROM_CONTACT, "name"));
            encoder.required_text("state", address.region.as_ref(), at(FROM_ADDRESS, "region"));
            encoder.required_text("city", address.city.as_ref(), at(FROM_ADDRESS, "city"));
            encoder.detailed_address(address, said(address.district.as_ref()), FROM_ADDRESS);
            encoder.phone(&party, FROM_CONTACT);
        });
    }

    /// The consignee's country has no place: it is left to the carriage check, which makes it a notice.
    pub fn consignee(&mut self, stop: Option<&Stop>, standing: Option<&Order>) {
        let nowhere = Stop::default();
        let Some(party) = self.party(stop.unwrap_or(&nowhere), TO) else { return };
        self.object("consignee", |encoder| {
            let Party { company, address, contact } = &party;
            encoder.text_or_empty("email", contact.email.as_ref(), at(TO_CONTACT, "email"));
            encoder.required_text("name", contact.name.as_ref(), at(TO_CONTACT, "name"));
            // Not in the table, but in the example.
            encoder.json.value("company", *company, at(TO, "companyName"));
            encoder.unchanged_postcode(address, standing);
            encoder.required_text("state", address.region.as_ref(), at(TO_ADDRESS, "region"));
            let district = encoder.suburb(address);
            encoder.detailed_address(address, district, TO_ADDRESS);
            encoder.phone(&party, TO_CONTACT);
        });
    }

    /// ILE has no master data of locations that an order could refer to.
    fn party<'a>(&mut self, stop: &'a Stop, parent: &str) -> Option<Party<'a>> {
        let Stop {
            external_id,
            company_name,
            address,
            contact,
            handling_required: _,
            remarks: _,
            custom_fields: _,
            extensions: _,
        } = stop;
        if external_id.is_some() {
            self.unsupported_value(
                at(parent, "externalId"),
                "cannot be resolved by ILE; give companyName, address and contact instead",
                "ILE 无法识别外部代码,请提供公司名称、地址和联系人",
            );
            return None;
        }
        Some(Party {
            company: company_name.as_ref(),
            address: address.as_ref().map_or_else(Cow::default, Cow::Borrowed),
            contact: contact.as_ref().map_or_else(Cow::default, Cow::Borrowed),
        })
    }

    /// 收件人邮编不可编辑: required, and must be the one that stands.
    fn unchanged_postcode(&mut self, address: &Address, standing: Option<&Order>) {
        let standing = standing
            .and_then(|order| order.ship_to.as_ref()?.address.as_ref()?.postal_code.as_ref())
            .filter(|postcode| !postcode.trim().is_empty());
        if standing.is_some_and(|standing| address.postal_code.as_ref() != Some(standing)) {
            self.refuse(
                at(TO_ADDRESS, "postalCode"),
                "translation.field_not_amendable",
                "cannot be changed at ILE once the order is made",
                "ILE 不允许修改收件人邮编",
            );
            return;
        }
        self.required_text("postcode", address.postal_code.as_ref(), at(TO_ADDRESS, "postalCode"));
    }

    /// The city, else the district (收件人城市/区). Gives the district that is still to be told.
    fn suburb<'a>(&mut self, address: &'a Address) -> Option<&'a str> {
        match (said(address.city.as_ref()), said(address.district.as_ref())) {
            (None, Some(district)) => {
                let note = Some("district, as there is no city");
                self.json.converted("suburb", Some(district), at(TO_ADDRESS, "district"), note);
                None
            }
            (city, district) => {
                self.required("suburb", city, at(TO_ADDRESS, "city"));
                district
            }
        }
    }

    /// The street with its number, and with the district, which has no member of its own: in front of the street
    /// in Chinese, behind it otherwise, and not again where the street begins or ends with it.
    fn detailed_address(&mut self, address: &Address, district: Option<&str>, parent: &str) {
        let Some(street) = said(address.street.as_ref()) else {
            self.missing(at(parent, "street"));
            return;
        };
        let number = said(address.street_number.as_ref());
        let mut text = Cow::Borrowed(street);
        if let Some(number) = number {
            let separator = if street.is_ascii() { " " } else { "" };
            text = format!("{street}{separator}{number}").into();
        }
        let untold = district.filter(|district| !names_the_district(&text, district));
        if let Some(district) = untold {
            text = if text.is_ascii() { format!("{text}, {district}") } else { format!("{district}{text}") }.into();
        }
        self.json.value("address", Some(&*text), at(parent, "street"));
        if number.is_some() {
            self.json.note("address", at(parent, "streetNumber"), Some("appended to the street"));
        }
        match (district, untold) {
            (Some(_), Some(_)) => self.json.note("address", at(parent, "district"), Some("put into the address")),
            (Some(_), None) => self.json.implied(at(parent, "district")),
            (None, _) => {}
        }
    }

    /// The mobile, else the landline. In China a mobile goes without country code and separators.
    fn phone(&mut self, party: &Party<'_>, parent: &str) {
        let Party { company: _, address, contact } = party;
        match (said(contact.mobile.as_ref()), said(contact.phone.as_ref())) {
            (Some(mobile), _) => {
                let national = if address.country() == "CN" { chinese_mobile(mobile) } else { None };
                let note = national.as_ref().filter(|digits| *digits != mobile);
                let note = note.map(|_| "country code and separators taken off");
                let text = national.as_deref().unwrap_or(mobile);
                self.json.converted("phone", Some(text), at(parent, "mobile"), note);
            }
            (None, Some(phone)) => self.json.value("phone", Some(phone), at(parent, "phone")),
            (None, None) => self.missing(at(parent, "mobile")),
        }
    }
}

/// A text, unless it is blank.
fn said(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.trim().is_empty())
}

/// Whether an address begins with the district, as one in Chinese does, or ends with it.
fn names_the_district(address: &str, district: &str) -> bool {
    let before = address.strip_suffix(district);
    (!district.is_ascii() && address.starts_with(district)) || before.is_some_and(|before| before.ends_with(' '))
}

/// The 11 digits of a Chinese mobile number, if it is one.
fn chinese_mobile(written: &str) -> Option<String> {
    let rest = written.trim();
    let rest = rest.strip_prefix("+86").or_else(|| rest.strip_prefix("0086")).unwrap_or(rest);
    let digits: String = rest.chars().filter(|character| !matches!(character, ' ' | '-' | '(' | ')')).collect();
    let is_one = digits.len() == 11 && digits.starts_with('1') && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then_some(digits)
}
