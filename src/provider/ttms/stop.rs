//! Where goods are picked up and delivered, in 3TMS's words: one name, one telephone number, one text for the
//! address, and a name of the place.

use super::carried::{Carried, How, filled};
use super::settings::stop_extension;
use crate::canonical::{Address, Stop};
use crate::provider::telephone;

/// 姓名: the contact's name, else the company's.
pub fn name(stop: &Stop) -> Option<Carried<&str>> {
    let person = filled(stop.contact.as_ref().and_then(|contact| contact.name.as_ref()));
    let company = filled(stop.company_name.as_ref());
    match (person, company) {
        (Some(person), Some(company)) if person == company => {
            Some(Carried::of(person, "contact/name").and("companyName", How::Implied))
        }
        (Some(person), _) => Some(Carried::of(person, "contact/name")),
        (None, company) => company.map(|company| Carried::of(company, "companyName")),
    }
}

/// 电话: the contact's mobile, else the landline.
pub fn phone(stop: &Stop) -> Option<Carried<String>> {
    let contact = stop.contact.as_ref()?;
    let mobile = filled(contact.mobile.as_ref()).map(|written| (written, mobile_number(written), "contact/mobile"));
    let phone = || filled(contact.phone.as_ref()).map(|written| (written, landline_number(written), "contact/phone"));
    let (written, number, member) = mobile.or_else(phone)?;
    let note = (number != written).then_some("as it is dialled in China");
    Some(Carried::noted(number, member, note))
}

/// A telephone number of either kind.
pub fn any_number(written: &str) -> String {
    telephone::mobile(written).unwrap_or_else(|| landline_number(written))
}

/// Without the country code of China and separators. What is no Chinese mobile goes as it is.
fn mobile_number(written: &str) -> String {
    telephone::mobile(written).unwrap_or_else(|| written.trim().to_owned())
}

/// `0571-88880001-12`. What cannot be split goes as it is.
fn landline_number(written: &str) -> String {
    match telephone::landline(written) {
        // Service numbers have no trunk 0.
        Some(landline) if matches!(landline.area_code.as_str(), "400" | "800") => {
            format!("{}-{}", landline.area_code, landline.number)
        }
        Some(landline) => format!("0{}-{}", landline.area_code, landline.number),
        None => written.trim().to_owned(),
    }
}

/// 起始地, 目的地: the place's own name, else the city.
pub fn place_name(stop: &Stop) -> Option<Carried<String>> {
    if let Some(name) = stop_extension(stop.extensions.as_ref()).place_name {
        return Some(Carried::of(name, "extensions/ttms/placeName"));
    }
    let city = filled(stop.address.as_ref().and_then(|address| address.city.as_ref()))?;
    Some(Carried::derived(city.to_owned(), "address/city", "the city, where the place has no name"))
}

/// 详细地址: the whole address in one text. The street stands alone where it begins with the region, and a city
/// that has the region's name is not repeated.
pub fn address_text(stop: &Stop) -> Option<Carried<String>> {
    let Address { country_code: _, region, city, district, street, street_number, postal_code: _, geo: _ } =
        stop.address.as_ref()?;
    let [region, city, district, street, street_number] =
        [region, city, district, street, street_number].map(|part| filled(part.as_ref()));
    let whole = region.zip(street).is_some_and(|(region, street)| street.starts_with(region));
    let mut text = Carried { value: String::new(), from: Vec::new(), reduced: None };
    let joined = How::Carried(Some("part of the whole address"));
    for (part, member) in [(region, "address/region"), (city, "address/city"), (district, "address/district")] {
        let Some(part) = part else { continue };
        let repeats = member == "address/city" && region == Some(part);
        if whole || repeats {
            // What the street does not name is left to the members of its own that 3TMS may have for it.
            if repeats || street.is_some_and(|street| street.contains(part)) {
                text = text.and(member, How::Implied);
            }
        } else {
            append(&mut text.value, part);
            text = text.and(member, joined);
        }
    }
    for (part, member) in [(street, "address/street"), (street_number, "address/streetNumber")] {
        let Some(part) = part else { continue };
        append(&mut text.value, part);
        text = text.and(member, joined);
    }
    (!text.value.is_empty()).then_some(text)
}

/// Appends to an address; words of Latin letters are set apart, Chinese ones are not.
fn append(text: &mut String, part: &str) {
    let latin = |character: Option<char>| character.is_some_and(|character| character.is_ascii_alphanumeric());
    if latin(text.chars().next_back()) && latin(part.chars().next()) {
        text.push(' ');
    }
    text.push_str(part);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn stop(stop: Value) -> Stop {
        serde_json::from_value(stop).unwrap()
    }

    fn text(address: Value) -> Option<String> {
        address_text(&stop(json!({"address": address}))).map(|text| text.value)
    }

    #[test]
    fn addresses_are_whole() {
        for (address, expected) in [
            (
                json!({"region": "浙江省", "city": "杭州市", "district": "西湖区", "street": "文三路 90 号"}),
                "浙江省杭州市西湖区文三路 90 号",
            ),
            (
                json!({"region": "上海市", "city": "上海市", "district": "黄浦区", "street": "南京东路 782 号"}),
                "上海市黄浦区南京东路 782 号",
            ),
            (
                json!({"region": "浙江省", "city": "杭州市", "district": "西湖区", "street": "浙江省杭州市文三路"}),
                "浙江省杭州市文三路",
            ),
            (json!({"region": "浙江省", "street": "文三路", "streetNumber": "90号"}), "浙江省文三路90号"),
            (json!({"region": "Zhejiang", "street": "Wensan Rd", "streetNumber": "90"}), "Zhejiang Wensan Rd 90"),
            (json!({"street": "文三路"}), "文三路"),
            (json!({"city": "杭州市", "street": " "}), "杭州市"),
        ] {
            assert_eq!(text(address).as_deref(), Some(expected));
        }
        assert_eq!(text(json!({"postalCode": "310012"})), None);
    }

    #[test]
    fn what_a_whole_street_does_not_name_is_not_taken_for_said() {
        let stop = stop(json!({"address": {"region": "浙江省", "city": "杭州市", "street": "浙江省文三路"}}));
        let text = address_text(&stop).unwrap();
        assert!(text.comes_from("address/region") && !text.comes_from("address/city"));
    }

    #[test]
    fn one_name_and_one_number() {
        let both = stop(json!({"companyName": "杭州一号仓", "contact": {
            "name": "张三", "mobile": "+86 138-0000-0001", "phone": "+8657188880001;ext=12"}}));
        assert_eq!(name(&both), Some(Carried::of("张三", "contact/name")));
        assert_eq!(phone(&both).unwrap().value, "13800000001");
        let company = stop(json!({"companyName": "杭州一号仓", "contact": {"name": " ", "phone": "02288880001"}}));
        assert_eq!(name(&company), Some(Carried::of("杭州一号仓", "companyName")));
        assert_eq!(phone(&company).unwrap().value, "022-88880001");
        assert!(
            name(&stop(json!({"companyName": "甲", "contact": {"name": "甲"}}))).unwrap().comes_from("companyName")
        );
        assert_eq!((name(&stop(json!({}))), phone(&stop(json!({"contact": {}})))), (None, None));
    }

    #[test]
    fn numbers_as_they_are_dialled_in_china() {
        for (written, number) in [
            ("+8657188880001;ext=12", "0571-88880001-12"),
            ("0571-88880001-12", "0571-88880001-12"),
            ("400-820-8888", "400-8208888"),
            ("88880001", "88880001"),
            ("+8613800000001", "13800000001"),
            ("+61 412 345 678", "+61 412 345 678"),
        ] {
            assert_eq!(any_number(written), number);
        }
    }

    #[test]
    fn a_place_is_named_by_its_extension_or_its_city() {
        let city = stop(json!({"address": {"city": "杭州市"}}));
        assert_eq!(place_name(&city).unwrap().value, "杭州市");
        let named = stop(json!({"address": {"city": "杭州市"}, "extensions": {"ttms": {"placeName": "杭州"}}}));
        assert_eq!(place_name(&named), Some(Carried::of("杭州".to_owned(), "extensions/ttms/placeName")));
        assert_eq!(place_name(&stop(json!({}))), None);
    }
}
