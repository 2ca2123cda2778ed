//! What oTMS checks in an order that can be read, as far as its document tells, with the code for
//! each finding. Pure: the only thing it knows besides the order is today's date.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::codes;
use super::custom_fields::{CustomField, CustomValue};
use super::findings::{Findings, is_digits};
use super::members::Fault;
use super::order::{AutoProcess, CargoDetails, Charges, ImportedOrder, OrderLine, Temperature, TransportMode, Truck};
use super::stops;

/// Lengths are not documented, only the codes for what exceeds them; these are generous.
const BRANCH_LENGTH: usize = 64;
const ERP_NUMBER_LENGTH: usize = 64;
const PRODUCT_CODE_LENGTH: usize = 64;
const CUSTOM_TEXT_LENGTH: usize = 500;
const CUSTOM_ENUMERATION_LENGTH: usize = 64;

/// The lengths of truck, in metres, that this company has defined. The document says that a
/// company has such a list, not what is in it; these are the lengths common on Chinese roads.
const TRUCK_LENGTHS: [&str; 12] =
    ["4.2", "5.2", "6.2", "6.8", "7.6", "9.6", "12.5", "13", "13.5", "13.7", "16", "17.5"];

/// Everything that is found, roughly in the order of the document's members.
pub fn check(order: &ImportedOrder, today: NaiveDate) -> Vec<Fault> {
    let mut findings = Findings::default();
    check_identity(&mut findings, order);
    stops::check(&mut findings, order);
    check_dates(&mut findings, order, today);
    check_lines(&mut findings, &order.order_lines);
    check_dispatch(&mut findings, order);
    check_cargo(&mut findings, &order.cargo, &order.order_lines);
    check_transport(&mut findings, &order.transport);
    check_temperature(&mut findings, order.temperature.as_ref(), &order.cargo);
    check_custom_fields(&mut findings, order);
    findings.into_faults()
}

fn check_identity(findings: &mut Findings, order: &ImportedOrder) {
    let client_code = order.client_code.as_deref();
    findings.unknown("clientCode", client_code, codes::CLIENT_CODE_NOT_FOUND);

    let branch = order.branch.as_deref();
    findings.unknown("branch", branch, codes::BRANCH_NOT_FOUND);
    let forbidden = codes::BRANCH_NOT_PERMITTED;
    findings.marked("branch", branch, "FORBIDDEN", forbidden, "is not open to this user");
    findings.length("branch", branch, BRANCH_LENGTH, codes::BRANCH_TOO_LONG);

    let erp_number = order.erp_number.as_deref();
    let too_long = codes::ERP_NUMBER_TOO_LONG;
    findings.length("erpNumber", erp_number, ERP_NUMBER_LENGTH, too_long);
}

/// An order without any date is incomplete. That both ends need one is said nowhere.
fn check_dates(findings: &mut Findings, order: &ImportedOrder, today: NaiveDate) {
    let any_date = order.pickup_date.or(order.delivery_date);
    let incomplete = codes::TIME_SCHEDULE_INCOMPLETE;
    findings.missing("a date in timeSchedule", any_date, incomplete);
    for (member, date, code) in [
        ("pickupDate", order.pickup_date, codes::PICKUP_TOO_FAR),
        ("deliveryDate", order.delivery_date, codes::DELIVERY_TOO_FAR),
    ] {
        if date.is_some_and(|date| (date - today).num_days().abs() > 365) {
            let message = format!("timeSchedule/{member} is more than 365 days from {today}");
            findings.add(code, message);
        }
    }
}

fn check_lines(findings: &mut Findings, lines: &[OrderLine]) {
    for (index, line) in lines.iter().enumerate() {
        let path = format!("orderLines/orderLine[{}]", index + 1);

        let external_id = line.external_id.as_deref();
        let member = format!("{path}/externalId");
        findings.unknown(&member, external_id, codes::PRODUCT_NOT_FOUND);
        findings.ambiguous(&member, external_id, codes::PRODUCT_AMBIGUOUS);

        let Some(cargo) = &line.cargo else {
            let member = format!("{path}/externalId or {path}/cargoDescription");
            findings.missing(&member, external_id, codes::PRODUCT_MISSING);
            continue;
        };
        let product_name = cargo.product_name.as_deref();
        let member = format!("{path}/cargoDescription/productName");
        findings.missing(&member, product_name, codes::PRODUCT_NAME_MISSING);

        let product_code = cargo.product_code.as_deref();
        let member = format!("{path}/cargoDescription/productCode");
        let too_long = codes::PRODUCT_CODE_TOO_LONG;
        findings.length(&member, product_code, PRODUCT_CODE_LENGTH, too_long);
    }
}

fn check_dispatch(findings: &mut Findings, order: &ImportedOrder) {
    let mode = order.auto_process;
    let truck = order.to_truck.as_ref();

    let says_something = |it: &Truck| it.truck_plate.is_some() || it.driver.is_some();
    if mode == AutoProcess::DispatchToTruck && !truck.is_some_and(says_something) {
        let message = "toTruck is missing, which autoProcessMode 4 needs";
        findings.add(codes::TRUCK_NOT_PROVIDED, message);
    }
    let plate = truck.and_then(|it| it.truck_plate.as_deref());
    findings.unknown("toTruck/truckPlate", plate, codes::TRUCK_UNMATCHED);
    findings.ambiguous("toTruck/truckPlate", plate, codes::TRUCK_AMBIGUOUS);
    let driver = truck.and_then(|it| it.driver.as_deref());
    findings.unknown("toTruck/driver", driver, codes::DRIVER_UNMATCHED);
    findings.ambiguous("toTruck/driver", driver, codes::DRIVER_AMBIGUOUS);

    if let Some(cost) = &order.cost {
        if !matches!(mode, AutoProcess::Dispatch | AutoProcess::DispatchToTruck) {
            let message = "cost is given, which only autoProcessMode 3 and 4 take";
            findings.add(codes::COST_INVALID, message);
        }
        if !cost.are_valid() {
            findings.add(codes::COST_INVALID, format!("cost {}", Charges::LIMIT));
        }
    }
    let vendor_code = order.vendor_code.as_deref();
    findings.unknown("vendorCode", vendor_code, codes::VENDOR_NOT_FOUND);
    findings.marked("vendorCode", vendor_code, "SUSPENDED", codes::VENDOR_SUSPENDED, "is of a carrier out of order");
}

/// Lines that say nothing of a total add nothing to it; a total that is not given limits nothing.
fn check_cargo(findings: &mut Findings, cargo: &CargoDetails, lines: &[OrderLine]) {
    let cargo_type = cargo.cargo_type;
    let missing = codes::CARGO_TYPE_MISSING;
    findings.missing("cargoDetails/cargoType", cargo_type, missing);
    let package_type = cargo.package_type.as_deref();
    let missing = codes::PACKAGE_TYPE_MISSING;
    findings.missing("cargoDetails/packageType", package_type, missing);

    let mut exceeds = |sum: Decimal, total: Option<Decimal>, member, code| {
        if total.is_some_and(|total| sum > total) {
            let message = format!("the order lines' {sum} exceed cargoDetails/{member}");
            findings.add(code, message);
        }
    };
    let sum = |of: fn(&OrderLine) -> Option<Decimal>| {
        let values = lines.iter().filter_map(of);
        values.fold(Decimal::ZERO, Decimal::saturating_add)
    };
    let weight = sum(|line| line.weight);
    let code = codes::LINES_EXCEED_WEIGHT;
    exceeds(weight, cargo.total_weight, "totalWeight", code);
    let volume = sum(|line| line.volume);
    let code = codes::LINES_EXCEED_VOLUME;
    exceeds(volume, cargo.total_volume, "totalVolume", code);
    let quantity = sum(|line| line.quantity.map(Decimal::from));
    let code = codes::LINES_EXCEED_QUANTITY;
    let total_quantity = cargo.total_quantity.map(Decimal::from);
    exceeds(quantity, total_quantity, "totalQuantity", code);
    let insurance = sum(|line| line.insurance_value);
    let code = codes::LINES_EXCEED_INSURANCE;
    exceeds(insurance, cargo.total_insurance, "totalInsurance", code);
}

fn check_transport(findings: &mut Findings, transport: &TransportMode) {
    let transport_type = transport.transport_type.as_deref();
    let missing = codes::TRANSPORT_TYPE_MISSING;
    findings.missing("transportMode/transportType", transport_type, missing);

    let truck_type = transport.truck_type.as_deref();
    let missing = codes::TRUCK_TYPE_MISSING;
    findings.missing("transportMode/truckType", truck_type, missing);
    if truck_type.is_some_and(|it| !(it.len() == 1 && is_digits(it))) {
        let message = "transportMode/truckType is not one of 0 to 9";
        findings.add(codes::TRUCK_TYPE_UNMATCHED, message);
    }

    // For an undefined length the member's own text says 1006, which the table of codes gives
    // to a missing transportType; the table's code about lengths is 1182.
    let truck_length = transport.truck_length;
    if transport_type == Some("FTL") {
        let missing = codes::TRUCK_LENGTH_MISSING;
        findings.missing("transportMode/truckLength", truck_length, missing);
    }
    if truck_length.is_some_and(|it| !is_defined_truck_length(it)) {
        let message = "transportMode/truckLength is none of the defined lengths";
        findings.add(codes::TRUCK_LENGTH_MISSING, message);
    }
}

fn is_defined_truck_length(length: Decimal) -> bool {
    let equals = |defined: &str| Decimal::from_str_exact(defined) == Ok(length);
    TRUCK_LENGTHS.into_iter().any(equals)
}

fn check_temperature(findings: &mut Findings, temperature: Option<&Temperature>, cargo: &CargoDetails) {
    let Some(Temperature { min, max }) = temperature else {
        return;
    };
    // Without any cargoType the order is incomplete already (1151).
    if cargo.cargo_type.is_some_and(|it| it != 2 && it != 4) {
        let message = "tempThreshold is given, which only cargoType 2 and 4 take";
        findings.add(codes::TEMPERATURE_UNMATCHED, message);
    }
    let limit = Decimal::from(10_000);
    let beyond = |it: &Option<Decimal>| it.is_some_and(|it| it.abs() > limit);
    let upside_down = min.zip(*max).is_some_and(|(min, max)| min > max);
    if beyond(min) || beyond(max) || upside_down {
        let message = "tempThreshold is not a range within -10000 to 10000";
        findings.add(codes::TEMPERATURE_INVALID, message);
    }
}

fn check_custom_fields(findings: &mut Findings, order: &ImportedOrder) {
    let stops = [&order.ship_from, &order.ship_to].into_iter();
    let locations = stops.filter_map(|stop| stop.location.as_ref());
    let of_locations = locations.flat_map(|location| &location.custom_fields);
    let of_lines = order.order_lines.iter().flat_map(|line| &line.custom_fields);
    let fields = of_locations.chain(of_lines).chain(&order.custom_fields);
    check_each_custom_field(findings, fields);
}

pub fn check_each_custom_field<'a>(findings: &mut Findings, fields: impl IntoIterator<Item = &'a CustomField>) {
    for field in fields {
        check_custom_field(findings, field);
    }
}

fn check_custom_field(findings: &mut Findings, CustomField { path, value }: &CustomField) {
    match value {
        CustomValue::Text(text) => {
            let too_long = codes::CUSTOM_TEXT_TOO_LONG;
            findings.length(path, Some(text), CUSTOM_TEXT_LENGTH, too_long);
            let reason = "is not a custom field of this company any more";
            findings.marked(path, Some(text), "REMOVED", codes::CUSTOM_FIELD_UNKNOWN, reason);
        }
        CustomValue::Number(number) => {
            if !number.fits(18, 6) {
                let reason = "has more than 18 digits or 6 decimals";
                findings.add_of_member(codes::CUSTOM_NUMBER_OUT_OF_RANGE, path, reason);
            }
        }
        CustomValue::Enumeration(name) => {
            findings.unknown(path, Some(name), codes::CUSTOM_ENUMERATION_UNDEFINED);
            let too_long = codes::CUSTOM_ENUMERATION_TOO_LONG;
            findings.length(path, Some(name), CUSTOM_ENUMERATION_LENGTH, too_long);
        }
    }
}
