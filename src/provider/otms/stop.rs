//! ImportedLocation: a stop in oTMS's words.

use super::contact;
use super::encode::OrderEncoder;
use super::settings::{MatchingStrategy, stop_extension};
use super::{codes, profile};
use crate::canonical::{Address, Contact, CustomFields, Stop};
use crate::provider::xml::at;

/// The element names of one of the two stops.
pub struct StopNames {
    pub parent: &'static str,
    pub inline: &'static str,
    pub external_id: &'static str,
}

pub const SHIP_FROM: StopNames =
    StopNames { parent: "/shipFrom", inline: "shipFrom", external_id: "shipFromExternalId" };
pub const SHIP_TO: StopNames = StopNames { parent: "/shipTo", inline: "shipTo", external_id: "shipToExternalId" };

impl OrderEncoder<'_, '_> {
    /// Either the inline location or the external id; oTMS takes one of the two.
    pub fn stop(&mut self, stop: &Stop, names: &StopNames) {
        let Stop { external_id, company_name, address, contact, handling_required, remarks, custom_fields, extensions } =
            stop;
        let parent = names.parent;
        if let Some(external_id) = external_id {
            self.xml.value(names.external_id, Some(external_id), at(parent, "externalId"));
            return;
        }
        if company_name.is_none() && address.is_none() {
            self.missing(
                parent,
                "needs externalId, or companyName and address",
                "必须提供 externalId 或公司名称与地址",
            );
            return;
        }
        let own = stop_extension(extensions.as_ref());
        let own_at = format!("{parent}/extensions/{}", profile::ID);
        self.element(names.inline, |encoder| {
            encoder.xml.value("companyName", company_name.as_ref(), at(parent, "companyName"));
            encoder.address(address.as_ref(), &format!("{parent}/address"));
            encoder.xml.value("loading", *handling_required, at(parent, "handlingRequired"));
            encoder.xml.value("xttSupport", own.xtt_support, at(&own_at, "xttSupport"));
            if let Some(contact) = contact {
                encoder.contact(contact, &format!("{parent}/contact"));
            }
            encoder.xml.value("locationRemarks", remarks.as_ref(), at(parent, "remarks"));
            encoder.custom_fields(custom_fields.as_ref(), own.custom_fields.as_ref(), parent, &own_at);
            encoder.xml.value("notifyRadius", own.notify_radius, at(&own_at, "notifyRadius"));
            encoder.xml.value("driverOperateRadius", own.driver_operate_radius, at(&own_at, "driverOperateRadius"));
            encoder.xml.value(
                "smsNotificationEnabled",
                own.sms_notification_enabled,
                at(&own_at, "smsNotificationEnabled"),
            );
            let strategy = own.matching_strategy.map(|strategy| match strategy {
                MatchingStrategy::Default => "0",
                MatchingStrategy::Exact => "1",
            });
            encoder.xml.value("matchingStrategy", strategy, at(&own_at, "matchingStrategy"));
            encoder.xml.value("deliveryCode", own.delivery_code, at(&own_at, "deliveryCode"));
            encoder.xml.value("sendEpodSms", own.send_epod_sms, at(&own_at, "sendEpodSms"));
            let upload_type = own.order_epod_upload_type.map(codes::epod_upload_type);
            encoder.xml.value("orderEpodUploadType", upload_type, at(&own_at, "orderEpodUploadType"));
        });
    }

    fn address(&mut self, address: Option<&Address>, parent: &str) {
        let Some(address) = address else { return };
        let Address { country_code: _, region, city, district, street, street_number, postal_code, geo: _ } = address;
        if address.country() == "CN" {
            self.xml.implied(at(parent, "countryCode"));
        } else {
            self.unsupported_value(
                at(parent, "countryCode"),
                "must be CN: oTMS transports inside China only",
                "必须为 CN:oTMS 仅支持中国境内运输",
            );
        }
        match postal_code {
            Some(code) if code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.xml.value("postcode", Some(code), at(parent, "postalCode"));
            }
            Some(_) => self.invalid_format(
                at(parent, "postalCode"),
                "must have 6 digits for oTMS",
                "oTMS 要求邮政编码为 6 位数字",
            ),
            None => {}
        }
        self.xml.value("province", region.as_ref(), at(parent, "region"));
        self.xml.value("town", city.as_ref(), at(parent, "city"));
        self.xml.value("county", district.as_ref(), at(parent, "district"));
        match (street, street_number) {
            (Some(street), Some(number)) => {
                let separator = if street.is_ascii() { " " } else { "" };
                self.xml.value("address", Some(format_args!("{street}{separator}{number}")), at(parent, "street"));
                self.xml.note("address", at(parent, "streetNumber"), Some("appended to the street"));
            }
            (Some(street), None) => self.xml.value("address", Some(street), at(parent, "street")),
            (None, number) => self.xml.value("address", number.as_ref(), at(parent, "streetNumber")),
        }
    }

    fn contact(&mut self, contact: &Contact, parent: &str) {
        let Contact { name, mobile, phone, email } = contact;
        self.element_or_empty("contact", |encoder| {
            encoder.xml.value("name", name.as_ref(), at(parent, "name"));
            if let Some(written) = phone {
                match contact::landline(written) {
                    Some(landline) => {
                        let note = Some("split into area code and number");
                        encoder.xml.converted("phone", Some(landline.number), at(parent, "phone"), note);
                        encoder.xml.converted("phoneAreaCode", Some(landline.area_code), at(parent, "phone"), note);
                    }
                    None => encoder.invalid_format(
                        at(parent, "phone"),
                        "must be a Chinese landline with area code, e.g. +8657188880001;ext=12 or 0571-88880001-12",
                        "必须为含区号的中国固定电话,例如 0571-88880001-12",
                    ),
                }
            }
            if let Some(written) = mobile {
                match contact::mobile(written) {
                    Some(digits) => {
                        let note = (digits != *written).then_some("country code and separators taken off");
                        encoder.xml.converted("mobile", Some(digits), at(parent, "mobile"), note);
                    }
                    None => encoder.invalid_format(
                        at(parent, "mobile"),
                        "must be a Chinese mobile number of 11 digits",
                        "必须为 11 位中国手机号码",
                    ),
                }
            }
            encoder.xml.value("email", email.as_ref(), at(parent, "email"));
        });
    }

    /// ImportedCustomFields: customText1…80, customNum1…10, customEnum1…10, in this order. The extension's
    /// own fields replace the shared ones.
    pub fn custom_fields(
        &mut self,
        shared: Option<&CustomFields>,
        own: Option<&CustomFields>,
        parent: &str,
        own_at: &str,
    ) {
        let (fields, fields_at) = match (own, shared) {
            (Some(own), _) => (own, format!("{own_at}/customFields")),
            (None, Some(shared)) => (shared, format!("{parent}/customFields")),
            (None, None) => return,
        };
        if own.is_some() && shared.is_some() {
            // Replaced on the caller's own word.
            self.xml.implied(at(parent, "customFields"));
        }
        let account = self.account;
        let mut slots = Vec::with_capacity(fields.0.len());
        for (name, value) in &fields.0 {
            let token = crate::canonical::escape_token(name);
            let Some(text) = value.as_text() else {
                self.xml.implied(at(&fields_at, &token));
                continue;
            };
            // What has no slot is left to the carriage check, which makes it a notice.
            if let Some(slot) = Slot::parse(account.common.custom_field_slot(name)) {
                slots.push((slot, text, token));
            }
        }
        slots.sort_by_key(|(slot, _, _)| *slot);
        self.element("customFields", |encoder| {
            for (slot, text, token) in &slots {
                if slot.kind == SlotKind::Number && !is_custom_number(text) {
                    encoder.invalid_format(
                        at(&fields_at, token),
                        "must be a decimal with at most 18 digits before and 6 after the point",
                        "必须为数字,整数部分不超过 18 位,小数部分不超过 6 位",
                    );
                    continue;
                }
                encoder.xml.value(&slot.element(), Some(text), at(&fields_at, token));
            }
        });
    }
}

/// A custom field slot, in the order of the document's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    kind: SlotKind,
    number: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SlotKind {
    Text,
    Number,
    Enum,
}

impl Slot {
    fn parse(name: &str) -> Option<Slot> {
        let (kind, digits, most) = if let Some(digits) = name.strip_prefix("text") {
            (SlotKind::Text, digits, 80)
        } else if let Some(digits) = name.strip_prefix("number") {
            (SlotKind::Number, digits, 10)
        } else {
            (SlotKind::Enum, name.strip_prefix("enum")?, 10)
        };
        let number: u8 = digits.parse().ok()?;
        ((1..=most).contains(&number) && !digits.starts_with(['0', '+'])).then_some(Slot { kind, number })
    }

    fn element(self) -> String {
        let kind = match self.kind {
            SlotKind::Text => "customText",
            SlotKind::Number => "customNum",
            SlotKind::Enum => "customEnum",
        };
        format!("{kind}{}", self.number)
    }
}

/// 精确到18位数、6位小数. The sign is not documented; a negative number is let through.
fn is_custom_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (integer, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits =
        |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(integer, 18) && digits(fraction, 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots() {
        assert_eq!(Slot::parse("text80").unwrap().element(), "customText80");
        assert_eq!(Slot::parse("number10").unwrap().element(), "customNum10");
        assert_eq!(Slot::parse("enum1").unwrap().element(), "customEnum1");
        for name in ["text0", "text81", "number11", "enum11", "text", "text01", "text+1", "note1", "text999"] {
            assert!(Slot::parse(name).is_none(), "{name}");
        }
        assert!(Slot::parse("text2") < Slot::parse("text10"));
        assert!(Slot::parse("text80") < Slot::parse("number1"));
    }

    #[test]
    fn custom_numbers() {
        for text in ["42.0978", "0", "-1.5", "123456789012345678.123456"] {
            assert!(is_custom_number(text), "{text}");
        }
        for text in ["", ".", "1.", "1e5", "1234567890123456789", "0.1234567", "abc", "1,5"] {
            assert!(!is_custom_number(text), "{text}");
        }
    }
}
