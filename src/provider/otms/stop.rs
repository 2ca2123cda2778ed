//! ImportedLocation: a stop in oTMS's words.

use super::custom_fields::Extent;
use super::encoder::OrderEncoder;
use super::settings::{MatchingStrategy, stop_extension};
use super::{codes, profile};
use crate::canonical::{Address, Contact, Stop};
use crate::provider::telephone;
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
            encoder.custom_fields(custom_fields.as_ref(), own.custom_fields.as_ref(), parent, &own_at, Extent::OfOrder);
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
                match telephone::landline(written) {
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
                match telephone::mobile(written) {
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
}
