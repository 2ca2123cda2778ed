//! The types of an imported order, each read in the documented order of its members (a struct
//! expression evaluates its fields as they are written, so their order counts too).
//!
//! That order is the one of the document's examples and, where they are silent, of its type
//! tables. Two members stand elsewhere in the examples than in the tables and are read there:
//! `shipFromExternalId` and `shipToExternalId` stand for `shipFrom` and `shipTo`, and the
//! `externalId` of an order line stands for its `cargoDescription` (the table leaves it out).
//!
//! All members are checked; those that no rule needs are then dropped, since the books keep the
//! whole document anyway. Left out on purpose, and hence refused: the rows literally named `null`
//! (ImportedTemperature, ImportedTruck) and `result`, the answer's own type leaked into the
//! request with no documented XML form.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::codes;
use super::custom_fields::{CustomField, read_custom_fields};
use super::members::{Members, WrittenNumber};

const TRANSPORT_TYPES: [&str; 6] = ["FTL", "LTL", "AIR", "EXPRESS", "RAIL", "WATER"];
const PACKAGE_TYPES: [&str; 5] = ["A", "B", "C", "D", "E"];
const EPOD_UPLOAD_TYPES: [&str; 2] = ["PAPERY_POD", "EPOD"];
const MATCHING_STRATEGIES: [&str; 2] = ["0", "1"];

/// ImportedOrder
#[derive(Debug, Default)]
pub struct ImportedOrder {
    pub client_code: Option<String>,
    pub client_reference_number: Option<String>,
    pub branch: Option<String>,
    pub erp_number: Option<String>,
    pub order_number: Option<String>,
    pub allow_update: bool,
    pub ship_from: Stop,
    pub ship_to: Stop,
    pub pickup_date: Option<NaiveDate>,
    pub delivery_date: Option<NaiveDate>,
    pub order_lines: Vec<OrderLine>,
    pub reject_draft: bool,
    pub auto_process: AutoProcess,
    pub to_truck: Option<Truck>,
    pub cargo: CargoDetails,
    pub transport: TransportMode,
    pub cost: Option<Charges>,
    pub vendor_code: Option<String>,
    pub temperature: Option<Temperature>,
    pub custom_fields: Vec<CustomField>,
}

/// autoProcessMode
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum AutoProcess {
    #[default]
    Import,
    Release,
    Dispatch,
    DispatchToTruck,
}

/// Where the goods are fetched or brought: a location, or the code of one in the master data.
#[derive(Debug, Default)]
pub struct Stop {
    pub location: Option<Location>,
    pub external_id: Option<String>,
}

/// ImportedLocation
#[derive(Debug)]
pub struct Location {
    pub company_name: Option<String>,
    pub postcode: Option<String>,
    pub town: Option<String>,
    pub address: Option<String>,
    pub contact: ContactPerson,
    pub custom_fields: Vec<CustomField>,
}

/// ImportedContactPerson
#[derive(Debug, Default)]
pub struct ContactPerson {
    pub name: Option<String>,
    pub phone: Option<String>,
    pub phone_area_code: Option<String>,
    pub mobile: Option<String>,
    pub email: Option<String>,
}

/// ImportedOrderLine
#[derive(Debug)]
pub struct OrderLine {
    pub cargo: Option<CargoDescription>,
    pub external_id: Option<String>,
    pub quantity: Option<i32>,
    pub weight: Option<Decimal>,
    pub volume: Option<Decimal>,
    pub insurance_value: Option<Decimal>,
    pub custom_fields: Vec<CustomField>,
}

/// ImportedCargoDescription
#[derive(Debug)]
pub struct CargoDescription {
    pub product_code: Option<String>,
    pub product_name: Option<String>,
}

/// ImportedTruck
#[derive(Debug)]
pub struct Truck {
    pub driver: Option<String>,
    pub truck_plate: Option<String>,
}

/// ImportedCargoDetails
#[derive(Debug, Default)]
pub struct CargoDetails {
    pub total_quantity: Option<i32>,
    pub total_weight: Option<Decimal>,
    pub total_volume: Option<Decimal>,
    pub total_insurance: Option<Decimal>,
    pub cargo_type: Option<i32>,
    pub package_type: Option<String>,
}

/// ImportedTransportMode
#[derive(Debug, Default)]
pub struct TransportMode {
    pub transport_type: Option<String>,
    pub truck_type: Option<String>,
    pub truck_length: Option<Decimal>,
}

/// ImportedRevenue, the type of both `revenue` and `cost`
#[derive(Debug)]
pub struct Charges {
    pub line_haul: Option<WrittenNumber>,
    pub other: Option<WrittenNumber>,
}

/// ImportedTemperature
#[derive(Debug)]
pub struct Temperature {
    pub min: Option<Decimal>,
    pub max: Option<Decimal>,
}

impl ImportedOrder {
    pub fn read(order: &mut Members) -> Self {
        let client_code = order.text("clientCode");
        let client_reference_number = order.text("clientReferenceNumber");
        order.text("importId");
        order.integer("index");
        let branch = order.text("branch");
        let erp_number = order.text("erpNumber");
        let order_number = order.text("orderNumber");
        order.text("orderRemarks");
        let allow_update = order.boolean("allowUpdate").unwrap_or(false);
        order.text("policyNumber");
        let ship_from = Stop::read(order, "shipFrom", "shipFromExternalId");
        let ship_to = Stop::read(order, "shipTo", "shipToExternalId");
        let dates = order.group("timeSchedule", read_time_schedule);
        let (pickup_date, delivery_date) = dates.unwrap_or_default();
        let order_lines = order.list("orderLines", "orderLine", OrderLine::read);
        order.boolean("concealOrderLines");
        let reject_draft = order.boolean("rejectDraft").unwrap_or(false);
        let auto_process = match order.numbered_constant("autoProcessMode", 1, 4) {
            Some(2) => AutoProcess::Release,
            Some(3) => AutoProcess::Dispatch,
            Some(4) => AutoProcess::DispatchToTruck,
            _ => AutoProcess::Import,
        };
        order.numbered_constant("dispatchBy", 1, 2);
        let to_truck = order.group("toTruck", Truck::read);
        let cargo = order.group("cargoDetails", CargoDetails::read);
        let transport = order.group("transportMode", TransportMode::read);
        if let Some(revenue) = order.group("revenue", Charges::read)
            && !revenue.are_valid()
        {
            // The table of codes knows an invalid cost (1093), and no invalid revenue.
            order.member_fault(codes::INVALID, "revenue", Charges::LIMIT);
        }
        let cost = order.group("cost", Charges::read);
        let vendor_code = order.text("vendorCode");
        let temperature = order.group("tempThreshold", Temperature::read);
        order.group("portableDevice", |device| device.text("deviceNumbers"));
        let custom_fields = read_custom_fields(order);
        order.boolean("requireEpod");
        order.text("businessType");
        order.numbered_constant("sellingTariffSelection", 1, 2);
        read_epod(order);
        Self {
            client_code,
            client_reference_number,
            branch,
            erp_number,
            order_number,
            allow_update,
            ship_from,
            ship_to,
            pickup_date,
            delivery_date,
            order_lines: order_lines.unwrap_or_default(),
            reject_draft,
            auto_process,
            to_truck,
            cargo: cargo.unwrap_or_default(),
            transport: transport.unwrap_or_default(),
            cost,
            vendor_code,
            temperature,
            custom_fields,
        }
    }
}

impl Stop {
    /// `location` or, in its place, `external_id`: one of the two (二选一).
    fn read(order: &mut Members, location: &'static str, external_id: &'static str) -> Self {
        let stop = Self { location: order.group(location, Location::read), external_id: order.text(external_id) };
        if stop.location.is_some() && stop.external_id.is_some() {
            let reason = format!("stands beside {location}: only one of them may be given");
            order.member_fault(codes::INVALID, external_id, &reason);
        }
        stop
    }
}

impl Location {
    fn read(location: &mut Members) -> Self {
        let company_name = location.text("companyName");
        let postcode = location.text("postcode");
        location.text("province");
        let town = location.text("town");
        location.text("county");
        let address = location.text("address");
        location.boolean("loading");
        location.boolean("xttSupport");
        let contact = location.group("contact", ContactPerson::read);
        location.text("locationRemarks");
        let custom_fields = read_custom_fields(location);
        location.number("notifyRadius");
        location.number("driverOperateRadius");
        location.boolean("smsNotificationEnabled");
        location.constant("matchingStrategy", &MATCHING_STRATEGIES);
        read_epod(location);
        Self { company_name, postcode, town, address, contact: contact.unwrap_or_default(), custom_fields }
    }
}

impl ContactPerson {
    fn read(contact: &mut Members) -> Self {
        Self {
            name: contact.text("name"),
            phone: contact.text("phone"),
            phone_area_code: contact.text("phoneAreaCode"),
            mobile: contact.text("mobile"),
            email: contact.text("email"),
        }
    }
}

impl OrderLine {
    fn read(line: &mut Members) -> Self {
        let cargo = line.group("cargoDescription", CargoDescription::read);
        let external_id = line.text("externalId");
        if cargo.is_some() && external_id.is_some() {
            let reason = "stands beside cargoDescription: only one of them may be given";
            line.member_fault(codes::INVALID, "externalId", reason);
        }
        let quantity = line.integer("quantity");
        let weight = line.number("weight");
        let volume = line.number("volume");
        let insurance_value = line.number("insuranceValue");
        line.text("remarks");
        Self { cargo, external_id, quantity, weight, volume, insurance_value, custom_fields: read_custom_fields(line) }
    }
}

impl CargoDescription {
    fn read(cargo: &mut Members) -> Self {
        let product_code = cargo.text("productCode");
        let product_name = cargo.text("productName");
        cargo.numbered_constant("unitType", 1, 50);
        cargo.numbered_constant("stackable", 1, 8);
        cargo.text("cargoCategory");
        for measure in ["unitLength", "unitWidth", "unitHeight", "unitWeight", "unitInsurance"] {
            cargo.amount(measure);
        }
        Self { product_code, product_name }
    }
}

impl Truck {
    fn read(truck: &mut Members) -> Self {
        let driver = truck.text("driver");
        let truck_plate = truck.text("truckPlate");
        truck.text("phone");
        Self { driver, truck_plate }
    }
}

impl CargoDetails {
    fn read(cargo: &mut Members) -> Self {
        Self {
            total_quantity: cargo.count("totalQuantity"),
            total_weight: cargo.amount("totalWeight"),
            total_volume: cargo.amount("totalVolume"),
            total_insurance: cargo.amount("totalInsurance"),
            cargo_type: cargo.numbered_constant("cargoType", 1, 4),
            package_type: cargo.constant("packageType", &PACKAGE_TYPES),
        }
    }
}

impl TransportMode {
    fn read(transport: &mut Members) -> Self {
        let transport_type = transport.constant("transportType", &TRANSPORT_TYPES);
        // A truck type that is none of the constants has a code of its own (1008).
        let truck_type = transport.text("truckType");
        transport.text("transportRemarks");
        transport.integer("loadingMeter");
        let truck_length = transport.number("truckLength");
        transport.number("truckCbmCapacity");
        transport.number("truckMtCapacity");
        Self { transport_type, truck_type, truck_length }
    }
}

impl Charges {
    pub const LIMIT: &'static str = "holds an amount that is negative or has more than 12 digits or 2 decimals";

    fn read(charges: &mut Members) -> Self {
        let line_haul = charges.written_number("lineHaul");
        charges.text("baseRateDescription");
        let other = charges.written_number("other");
        charges.text("otherFeesDescription");
        Self { line_haul, other }
    }

    /// 精确到12位数、2位小数,不能为负数
    pub fn are_valid(&self) -> bool {
        [&self.line_haul, &self.other].into_iter().flatten().all(|amount| !amount.is_negative() && amount.fits(12, 2))
    }
}

impl Temperature {
    fn read(threshold: &mut Members) -> Self {
        let min = threshold.number("minTemp");
        let max = threshold.number("maxTemp");
        threshold.text("incubatorNumbers");
        Self { min, max }
    }
}

/// ImportedTimeSchedule: the dates of pick-up and delivery. A window with one end is accepted:
/// the document does not say whether 1152 (时间窗信息不完整) means that.
fn read_time_schedule(schedule: &mut Members) -> (Option<NaiveDate>, Option<NaiveDate>) {
    let pickup_date = schedule.date("pickupDate");
    schedule.text("pickupDateRemarks");
    let delivery_date = schedule.date("deliveryDate");
    schedule.text("deliveryDateRemarks");
    for end in ["pickupTimeFrom", "pickupTimeTo", "deliveryTimeFrom", "deliveryTimeTo"] {
        schedule.time(end);
    }
    (pickup_date, delivery_date)
}

/// The members with which ImportedLocation and ImportedOrder both end.
fn read_epod(members: &mut Members) {
    members.boolean("deliveryCode");
    members.boolean("sendEpodSms");
    members.constant("orderEpodUploadType", &EPOD_UPLOAD_TYPES);
}
