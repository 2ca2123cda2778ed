//! The rules for the two ends of a transport.

use super::codes;
use super::findings::{Findings, is_digits};
use super::order::{ContactPerson, ImportedOrder, Location, Stop};

/// Lengths are not documented, only the codes for what exceeds them; these are generous.
const COMPANY_NAME_LENGTH: usize = 128;
const ADDRESS_LENGTH: usize = 512;

/// The two ends differ only in their words and codes.
struct End {
    location: &'static str,
    external_id: &'static str,
    missing: &'static str,
    incomplete: &'static str,
    not_found: &'static str,
    ambiguous: &'static str,
}

const SHIP_FROM: End = End {
    location: "shipFrom",
    external_id: "shipFromExternalId",
    missing: codes::SHIP_FROM_MISSING,
    incomplete: codes::SHIP_FROM_INCOMPLETE,
    not_found: codes::SHIP_FROM_NOT_FOUND,
    ambiguous: codes::SHIP_FROM_AMBIGUOUS,
};

const SHIP_TO: End = End {
    location: "shipTo",
    external_id: "shipToExternalId",
    missing: codes::SHIP_TO_MISSING,
    incomplete: codes::SHIP_TO_INCOMPLETE,
    not_found: codes::SHIP_TO_NOT_FOUND,
    ambiguous: codes::SHIP_TO_AMBIGUOUS,
};

pub fn check(findings: &mut Findings, order: &ImportedOrder) {
    check_stop(findings, &SHIP_FROM, &order.ship_from);
    check_stop(findings, &SHIP_TO, &order.ship_to);
    if are_the_same_place(&order.ship_from, &order.ship_to) {
        findings.add(codes::SAME_PLACE, "shipFrom and shipTo are the same place");
    }
}

fn check_stop(findings: &mut Findings, end: &End, stop: &Stop) {
    let external_id = stop.external_id.as_deref();
    findings.unknown(end.external_id, external_id, end.not_found);
    findings.ambiguous(end.external_id, external_id, end.ambiguous);
    match &stop.location {
        Some(location) => check_location(findings, end, location),
        None => findings.missing(end.location, external_id, end.missing),
    }
}

fn check_location(findings: &mut Findings, end: &End, location: &Location) {
    let path = end.location;
    let company_name = location.company_name.as_deref();
    let address = location.address.as_deref();
    let postcode = location.postcode.as_deref();

    let member = format!("{path}/companyName");
    findings.missing(&member, company_name, end.incomplete);
    let too_long = codes::COMPANY_NAME_TOO_LONG;
    findings.length(&member, company_name, COMPANY_NAME_LENGTH, too_long);

    if postcode.is_some_and(|it| !(it.len() == 6 && is_digits(it))) {
        let message = format!("{path}/postcode is not six digits");
        findings.add(codes::POSTCODE_INVALID, message);
    }
    let area = postcode.or(location.town.as_deref());
    let member = format!("{path}/postcode or {path}/town");
    findings.missing(&member, area, end.incomplete);

    let member = format!("{path}/address");
    findings.missing(&member, address, end.incomplete);
    findings.length(&member, address, ADDRESS_LENGTH, codes::ADDRESS_TOO_LONG);

    if let Some(reason) = what_is_wrong_with(&location.contact) {
        let message = format!("{path}/contact{reason}");
        findings.add(codes::CONTACT_INVALID, message);
    }
}

/// 1120 is not explained; the example gives it to two locations of one name, postcode and
/// address.
fn are_the_same_place(from: &Stop, to: &Stop) -> bool {
    match (&from.location, &to.location) {
        (Some(from), Some(to)) => {
            let same_area = match (&from.postcode, &to.postcode) {
                (Some(from), Some(to)) => from == to,
                _ => from.town.is_some() && from.town == to.town,
            };
            same_area && from.company_name == to.company_name && from.address == to.address
        }
        (None, None) => from.external_id.is_some() && from.external_id == to.external_id,
        _ => false,
    }
}

/// The first thing against the document's rules for a contact, as the end of a sentence that
/// begins with the contact's path. An empty contact is accepted, as in the example.
fn what_is_wrong_with(contact: &ContactPerson) -> Option<&'static str> {
    let ContactPerson { name, phone, phone_area_code, mobile, email } = contact;
    let is_mobile = |it: &str| is_digits(it) && it.len() == 11;
    let is_area_code = |it: &str| is_digits(it) && it.len() <= 4;

    let given = [name, phone, phone_area_code, mobile, email];
    if given.iter().all(|it| it.is_none()) {
        None
    } else if phone.is_none() && mobile.is_none() {
        Some(" has neither phone nor mobile")
    } else if phone.is_some() && phone_area_code.is_none() {
        Some("/phoneAreaCode is missing, which phone needs")
    } else if !phone.as_deref().is_none_or(is_phone) {
        Some(r"/phone is not \d{6,10}(-[0-9]{1,5})?")
    } else if !phone_area_code.as_deref().is_none_or(is_area_code) {
        Some(r"/phoneAreaCode is not \d{1,4}")
    } else if !mobile.as_deref().is_none_or(is_mobile) {
        Some(r"/mobile is not \d{11}")
    } else if !email.as_deref().is_none_or(is_email) {
        Some("/email is not an e-mail address")
    } else {
        None
    }
}

/// `\d{6,10}(-[0-9]{1,5})?`
fn is_phone(text: &str) -> bool {
    let (number, extension) = text.split_once('-').unwrap_or((text, "0"));
    is_digits(number) && (6..=10).contains(&number.len()) && is_digits(extension) && extension.len() <= 5
}

/// 符合网络标准的有效邮箱, as far as its outline goes.
fn is_email(text: &str) -> bool {
    let parts = text.split('@').collect::<Vec<_>>();
    let [local, domain] = parts[..] else {
        return false;
    };
    let labels_are_full = domain.contains('.') && domain.split('.').all(|it| !it.is_empty());
    let is_blank = |it: char| it.is_whitespace() || it.is_control();
    !local.is_empty() && labels_are_full && !text.contains(is_blank)
}
