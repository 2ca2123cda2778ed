//! orderImport's request: OrderImportRequest with up to 100 ImportedOrders. Elements stand in the order of
//! the document's example, and where that is silent in the order of its type tables.

use std::fmt::Display;

use data_encoding::BASE64;

use super::codes;
use super::profile;
use super::settings::{CredentialsIn, OtmsCredentials, OtmsOrderExtension, OtmsSettings, order_extension};
use super::stop::{SHIP_FROM, SHIP_TO};
use crate::canonical::{
    ChargeSide, Decimal, DispatchMode, FieldError, Line, Money, Operation, Order, Severity, SubmissionResult,
    TimeWindow,
};
use crate::provider::xml::{Pointer, XmlWriter, at};
use crate::provider::{Account, Batch, Encoding, Item, ItemEncoding, Request, Trace};

/// The request's `version`; this is written against 0.1.
const VERSION: &str = "0.1";

/// China has one time zone and no daylight saving.
const CHINA: chrono::FixedOffset = match chrono::FixedOffset::east_opt(8 * 3600) {
    Some(offset) => offset,
    None => unreachable!(),
};

/// Encodes a batch for orderImport. Refused orders are left out, and the others are numbered 1…n.
pub fn order_import(batch: &Batch<'_>, trace: &mut Trace) -> Encoding {
    let account = batch.account;
    let settings = OtmsSettings::of(account);
    let mut xml = XmlWriter::new(trace);
    let mut secrets = Vec::new();
    let credentials = account.credentials.read::<OtmsCredentials>().ok();
    xml.raw("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><orderImportRequest version=\"");
    xml.raw(VERSION);
    xml.raw("\"");
    if let (CredentialsIn::Document, Some(OtmsCredentials { username, password })) =
        (settings.credentials_in, &credentials)
    {
        xml.raw(" login=\"");
        xml.escaped_attribute(username);
        xml.raw("\" password=\"");
        let start = xml.position();
        xml.escaped_attribute(password);
        secrets.push(start..xml.position());
        xml.raw("\"");
    }
    if let Some(source) = batch.items.first().and_then(|item| order_extension(item.order).source) {
        xml.raw(" source=\"");
        xml.escaped_attribute(&source);
        xml.raw("\"");
        xml.trace().carried(format!("/extensions/{}/source", profile::ID), "orderImportRequest/@source", None);
    }
    xml.raw("><orders>");
    let mut sequence = 0_usize;
    let items: Vec<ItemEncoding> = batch
        .items
        .iter()
        .map(|item| {
            let mark = xml.mark();
            xml.raw(&format!("<order sequence=\"{}\">", sequence + 1));
            let mut encoder = OrderEncoder { xml: &mut xml, account, encoding: ItemEncoding::default() };
            encoder.order(item, &settings);
            let encoding = encoder.encoding;
            xml.raw("</order>");
            if encoding.refusals.is_empty() {
                sequence += 1;
            } else {
                xml.back_to(&mark);
            }
            encoding
        })
        .collect();
    xml.raw("</orders></orderImportRequest>");
    let request = (sequence > 0).then(|| Request {
        method: batch.endpoint.method,
        url: account.url(batch.endpoint.path),
        headers: headers(&settings, credentials.as_ref()),
        secret_headers: &["authorization"],
        body: xml.into_bytes(),
        secrets,
    });
    Encoding { request, items }
}

fn headers(settings: &OtmsSettings, credentials: Option<&OtmsCredentials>) -> Vec<(&'static str, String)> {
    let mut headers =
        vec![("content-type", "application/xml; charset=UTF-8".to_owned()), ("accept", "application/xml".to_owned())];
    if let (CredentialsIn::Header, Some(OtmsCredentials { username, password })) =
        (settings.credentials_in, credentials)
    {
        let pair = BASE64.encode(format!("{username}:{password}").as_bytes());
        headers.push(("authorization", format!("Basic {pair}")));
    }
    headers
}

/// Writes one ImportedOrder and collects what is wrong with it.
pub struct OrderEncoder<'w, 't> {
    pub xml: &'w mut XmlWriter<'t>,
    pub account: &'w Account,
    encoding: ItemEncoding,
}

impl OrderEncoder<'_, '_> {
    fn order(&mut self, item: &Item<'_>, settings: &OtmsSettings) {
        let order = item.order;
        let own = order_extension(order);
        let own_at = format!("/extensions/{}", profile::ID);
        let own_at = own_at.as_str();
        let mode = self.dispatch_mode(order, &own);
        let customer = order.customer.as_ref();

        self.xml.value("clientCode", customer.and_then(|customer| customer.code.as_ref()), at("/customer", "code"));
        self.xml.value("clientReferenceNumber", order.customer_reference.as_ref(), at("", "customerReference"));
        if let Some(branch) = &order.branch {
            let name = self.account.common.branch(branch);
            let note = (name != branch).then_some("name from the account's branchMap");
            self.xml.converted("branch", Some(name), at("", "branch"), note);
        }
        self.xml.value("erpNumber", Some(&order.order_number), at("", "orderNumber"));
        self.xml.value("orderRemarks", order.remarks.as_ref(), at("", "remarks"));
        self.xml.constant("allowUpdate", item.operation == Operation::Amend);
        let policy = order.insurance.as_ref().and_then(|insurance| insurance.policy_number.as_ref());
        self.xml.value("policyNumber", policy, at("/insurance", "policyNumber"));
        self.stop(&order.ship_from, &SHIP_FROM);
        match &order.ship_to {
            Some(stop) => self.stop(stop, &SHIP_TO),
            None => self.missing("/shipTo", "is required by oTMS", "oTMS 要求提供收货方"),
        }
        self.time_schedule(order);
        self.element("orderLines", |encoder| {
            for (index, line) in order.lines().iter().enumerate() {
                encoder.line(line, index);
            }
        });
        self.xml.value("concealOrderLines", own.conceal_order_lines, at(own_at, "concealOrderLines"));
        match own.reject_draft {
            Some(reject) => self.xml.value("rejectDraft", Some(reject), at(own_at, "rejectDraft")),
            None => self.xml.constant("rejectDraft", settings.reject_draft),
        }
        self.auto_process_mode(order, &own, own_at, mode);
        let rate = order.dispatch.as_ref().and_then(|dispatch| dispatch.rate_selection).map(codes::rate_selection);
        self.xml.value("dispatchBy", rate, at("/dispatch", "rateSelection"));
        self.truck(order, mode);
        self.cargo_details(order);
        self.transport_mode(order);
        self.charges(order, mode);
        self.temperature(order);
        self.tracking_devices(order);
        self.custom_fields(order.custom_fields.as_ref(), own.custom_fields.as_ref(), "", own_at);
        let proof = order.proof_of_delivery.as_ref();
        let proof_at = "/proofOfDelivery";
        self.xml.value("requireEpod", proof.and_then(|proof| proof.required), at(proof_at, "required"));
        self.xml.value("businessType", own.business_type.as_ref(), at(own_at, "businessType"));
        let tariff = own.selling_tariff_selection.map(codes::rate_selection);
        self.xml.value("sellingTariffSelection", tariff, at(own_at, "sellingTariffSelection"));
        self.xml.value(
            "deliveryCode",
            proof.and_then(|proof| proof.delivery_code_required),
            at(proof_at, "deliveryCodeRequired"),
        );
        self.xml.value("sendEpodSms", proof.and_then(|proof| proof.sms_to_consignee), at(proof_at, "smsToConsignee"));
        let upload = proof.and_then(|proof| proof.r#type).map(codes::epod_upload_type);
        self.xml.value("orderEpodUploadType", upload, at(proof_at, "type"));
    }

    /// The extension wins over `dispatch.mode`, on the caller's own word.
    fn dispatch_mode(&self, order: &Order, own: &OtmsOrderExtension) -> DispatchMode {
        let asked = order.dispatch.as_ref().and_then(|dispatch| dispatch.mode);
        own.auto_process_mode.map(DispatchMode::from).or(asked).unwrap_or(DispatchMode::None)
    }

    fn auto_process_mode(&mut self, order: &Order, own: &OtmsOrderExtension, own_at: &str, mode: DispatchMode) {
        let code = codes::auto_process_mode(mode);
        let asked = order.dispatch.as_ref().is_some_and(|dispatch| dispatch.mode.is_some());
        if own.auto_process_mode.is_some() {
            self.xml.value("autoProcessMode", Some(code), at(own_at, "autoProcessMode"));
            self.xml.implied(at("/dispatch", "mode"));
        } else if asked {
            self.xml.value("autoProcessMode", Some(code), at("/dispatch", "mode"));
        } else {
            self.xml.constant("autoProcessMode", code);
        }
    }

    fn time_schedule(&mut self, order: &Order) {
        let pickup = self.window(order.pickup.as_ref(), "/pickup");
        let delivery = self.window(order.delivery.as_ref(), "/delivery");
        self.element("timeSchedule", |encoder| {
            for (window, parent, date, remarks) in [
                (&pickup, "/pickup", "pickupDate", "pickupDateRemarks"),
                (&delivery, "/delivery", "deliveryDate", "deliveryDateRemarks"),
            ] {
                encoder.xml.value(date, window.date.as_ref(), at(parent, window.date_member));
                encoder.xml.value(remarks, window.remarks, at(parent, "remarks"));
            }
            for (window, parent, from, to) in [
                (&pickup, "/pickup", "pickupTimeFrom", "pickupTimeTo"),
                (&delivery, "/delivery", "deliveryTimeFrom", "deliveryTimeTo"),
            ] {
                let note = Some("China standard time");
                encoder.xml.converted(from, window.from.as_ref(), at(parent, "startTime"), note);
                encoder.xml.converted(to, window.to.as_ref(), at(parent, "endTime"), note);
            }
        });
    }

    /// A window as oTMS writes it: one day, and times of that day, in China.
    fn window<'o>(&mut self, window: Option<&'o TimeWindow>, parent: &str) -> Window<'o> {
        let Some(TimeWindow { date, start_time, end_time, remarks }) = window else { return Window::default() };
        let start = start_time.map(|instant| instant.with_timezone(&CHINA));
        let end = end_time.map(|instant| instant.with_timezone(&CHINA));
        if let (Some(start), Some(end)) = (start, end)
            && start.date_naive() != end.date_naive()
        {
            self.unsupported_value(
                at(parent, "endTime"),
                "must fall on the same day in China as startTime: oTMS has one date for both",
                "必须与 startTime 为同一中国日期:oTMS 仅有一个日期字段",
            );
        }
        for (instant, member) in [(start, "startTime"), (end, "endTime")] {
            if instant.is_some_and(|instant| instant.timestamp_subsec_nanos() > 0) {
                self.encoding.notices.push(
                    SubmissionResult::gateway(
                        "translation.precision_reduced",
                        Severity::Warning,
                        false,
                        "oTMS takes whole seconds",
                        "oTMS 时间精确到秒",
                    )
                    .at(at(parent, member).to_string()),
                );
            }
        }
        let (day, date_member) = match (date, start, end) {
            (Some(date), _, _) => (Some(*date), "date"),
            (None, Some(start), _) => (Some(start.date_naive()), "startTime"),
            (None, None, Some(end)) => (Some(end.date_naive()), "endTime"),
            (None, None, None) => (None, "date"),
        };
        let time = |instant: chrono::DateTime<chrono::FixedOffset>| instant.format("%H:%M:%S").to_string();
        Window { date: day, date_member, from: start.map(time), to: end.map(time), remarks: remarks.as_deref() }
    }

    fn line(&mut self, line: &Line, index: usize) {
        let parent = format!("/lines/{index}");
        let parent = parent.as_str();
        let quantity = line.quantity.and_then(|quantity| {
            let whole = quantity.to_i32();
            if whole.is_none() {
                self.unsupported_value(
                    at(parent, "quantity"),
                    "must be a whole number up to 2147483647 for oTMS",
                    "oTMS 要求数量为不超过 2147483647 的整数",
                );
            }
            whole
        });
        self.list_item("orderLine", index, |encoder| {
            match &line.external_id {
                Some(id) => encoder.xml.value("externalId", Some(id), at(parent, "externalId")),
                None => encoder.cargo_description(line, parent),
            }
            encoder.xml.value("quantity", quantity, at(parent, "quantity"));
            encoder.xml.value("weight", line.gross_weight, at(parent, "grossWeight"));
            encoder.xml.value("volume", line.volume, at(parent, "volume"));
            encoder.money("insuranceValue", line.insured_value.as_ref(), at(parent, "insuredValue"));
            encoder.xml.value("remarks", line.remarks.as_ref(), at(parent, "remarks"));
            encoder.custom_fields(line.custom_fields.as_ref(), None, parent, "");
        });
    }

    fn cargo_description(&mut self, line: &Line, parent: &str) {
        let unit_at = format!("{parent}/unit");
        let unit_at = unit_at.as_str();
        self.element("cargoDescription", |encoder| {
            encoder.xml.value("productCode", line.sku.as_ref(), at(parent, "sku"));
            match (&line.name_zh, &line.name) {
                (Some(name_zh), name) => {
                    encoder.xml.value("productName", Some(name_zh), at(parent, "nameZh"));
                    if name.as_ref() == Some(name_zh) {
                        encoder.xml.implied(at(parent, "name"));
                    }
                }
                (None, name) => encoder.xml.value("productName", name.as_ref(), at(parent, "name")),
            }
            // A unit without a code at oTMS is left to the carriage check, which makes it a notice.
            let unit_type = line.unit_type.as_deref().and_then(codes::unit_type);
            encoder.xml.value("unitType", unit_type, at(parent, "unitType"));
            encoder.xml.value("stackable", line.max_stack_layers, at(parent, "maxStackLayers"));
            encoder.xml.value("cargoCategory", line.category.as_ref(), at(parent, "category"));
            let Some(unit) = &line.unit else { return };
            let to_metres = Some("cm to m");
            for (element, value, member) in [
                ("unitLength", unit.length, "length"),
                ("unitWidth", unit.width, "width"),
                ("unitHeight", unit.height, "height"),
            ] {
                let metres = value.map(|value| value.shifted_right(2));
                encoder.xml.converted(element, metres, at(unit_at, member), to_metres);
            }
            encoder.xml.value("unitWeight", unit.weight, at(unit_at, "weight"));
            encoder.money("unitInsurance", unit.insured_value.as_ref(), at(unit_at, "insuredValue"));
        });
    }

    fn truck(&mut self, order: &Order, mode: DispatchMode) {
        let Some(dispatch) = &order.dispatch else { return };
        if mode != DispatchMode::Vehicle {
            for (member, present) in [("vehicle", dispatch.vehicle.is_some()), ("driver", dispatch.driver.is_some())] {
                if present {
                    self.unsupported_value(
                        at("/dispatch", member),
                        "is only for dispatch.mode = vehicle",
                        "仅适用于 dispatch.mode 为 vehicle 的订单",
                    );
                }
            }
            return;
        }
        let driver = dispatch.driver.as_ref();
        self.element("toTruck", |encoder| {
            encoder.xml.value("driver", driver.and_then(|driver| driver.name.as_ref()), at("/dispatch/driver", "name"));
            let plate = dispatch.vehicle.as_ref().and_then(|vehicle| vehicle.license_plate.as_ref());
            encoder.xml.value("truckPlate", plate, at("/dispatch/vehicle", "licensePlate"));
            if let Some(written) = driver.and_then(|driver| driver.phone.as_ref()) {
                match super::contact::mobile(written) {
                    Some(digits) => encoder.xml.value("phone", Some(digits), at("/dispatch/driver", "phone")),
                    None => encoder.invalid_format(
                        at("/dispatch/driver", "phone"),
                        "must be a Chinese mobile number of 11 digits",
                        "必须为 11 位中国手机号码",
                    ),
                }
            }
        });
    }

    fn cargo_details(&mut self, order: &Order) {
        let totals = order.totals.as_ref();
        let lines = order.lines();
        self.element("cargoDetails", |encoder| {
            let total_quantity = totals.and_then(|totals| totals.quantity);
            encoder.xml.value("totalQuantity", total_quantity, at("/totals", "quantity"));
            if total_quantity.is_none() {
                let sum = sum(lines, |line| line.quantity).and_then(|sum| sum.to_i32());
                encoder.derived("totalQuantity", sum, "sum of the lines' quantities");
            }
            for (element, given, of_line, member, note) in [
                (
                    "totalWeight",
                    totals.and_then(|totals| totals.gross_weight),
                    (|line: &Line| line.gross_weight) as fn(&Line) -> _,
                    "grossWeight",
                    "sum of the lines' gross weights",
                ),
                (
                    "totalVolume",
                    totals.and_then(|totals| totals.volume),
                    |line: &Line| line.volume,
                    "volume",
                    "sum of the lines' volumes",
                ),
            ] {
                encoder.xml.value(element, given, at("/totals", member));
                if given.is_none() {
                    encoder.derived(element, sum(lines, of_line), note);
                }
            }
            encoder.money(
                "totalInsurance",
                totals.and_then(|totals| totals.insured_value.as_ref()),
                at("/totals", "insuredValue"),
            );
            let cargo = order.cargo.as_ref();
            let controlled = cargo.and_then(|cargo| cargo.temperature_controlled);
            let dangerous = cargo.and_then(|cargo| cargo.dangerous_goods);
            encoder
                .xml
                .constant("cargoType", codes::cargo_type(controlled.unwrap_or(false), dangerous.unwrap_or(false)));
            for (member, given) in [("temperatureControlled", controlled), ("dangerousGoods", dangerous)] {
                if given.is_some() {
                    encoder.xml.note(
                        "cargoType",
                        at("/cargo", member),
                        Some("1 + temperature controlled + 2 × dangerous"),
                    );
                }
            }
            let class = cargo.and_then(|cargo| cargo.packaging_class).map(codes::package_type);
            encoder.xml.value("packageType", class, at("/cargo", "packagingClass"));
        });
    }

    fn transport_mode(&mut self, order: &Order) {
        let Some(transport) = &order.transport else { return };
        let parent = "/transport";
        self.element("transportMode", |encoder| {
            encoder.xml.value(
                "transportType",
                transport.service_type.map(codes::transport_type),
                at(parent, "serviceType"),
            );
            encoder.xml.value("truckType", transport.vehicle_body.map(codes::truck_type), at(parent, "vehicleBody"));
            encoder.xml.value("transportRemarks", transport.remarks.as_ref(), at(parent, "remarks"));
            encoder.xml.value("loadingMeter", transport.loading_metres, at(parent, "loadingMetres"));
            encoder.xml.value("truckLength", transport.vehicle_length, at(parent, "vehicleLength"));
            encoder.xml.value("truckCbmCapacity", transport.volume_capacity, at(parent, "volumeCapacity"));
            let tonnes = transport.weight_capacity.map(|kilograms| kilograms.shifted_right(3));
            encoder.xml.converted("truckMtCapacity", tonnes, at(parent, "weightCapacity"), Some("kg to t"));
        });
    }

    fn charges(&mut self, order: &Order, mode: DispatchMode) {
        let charges = order.charges.as_ref();
        if let Some(revenue) = charges.and_then(|charges| charges.revenue.as_ref()) {
            self.charge_side("revenue", revenue, "/charges/revenue");
        }
        // Without dispatch to a carrier or vehicle oTMS has no use for a cost: the carriage check names it.
        if let Some(cost) = charges.and_then(|charges| charges.cost.as_ref())
            && matches!(mode, DispatchMode::Carrier | DispatchMode::Vehicle)
        {
            self.charge_side("cost", cost, "/charges/cost");
        }
        if let Some(carrier) = order.dispatch.as_ref().and_then(|dispatch| dispatch.carrier_code.as_ref()) {
            if mode == DispatchMode::Carrier {
                self.xml.value("vendorCode", Some(carrier), at("/dispatch", "carrierCode"));
            } else {
                self.unsupported_value(
                    at("/dispatch", "carrierCode"),
                    "is only for dispatch.mode = carrier",
                    "仅适用于 dispatch.mode 为 carrier 的订单",
                );
            }
        }
    }

    fn charge_side(&mut self, element: &'static str, side: &ChargeSide, parent: &str) {
        let ChargeSide { freight, freight_description, other, other_description, payment_term: _ } = side;
        self.element(element, |encoder| {
            encoder.amount("lineHaul", freight.as_ref(), at(parent, "freight"));
            encoder.xml.value("baseRateDescription", freight_description.as_ref(), at(parent, "freightDescription"));
            encoder.amount("other", other.as_ref(), at(parent, "other"));
            encoder.xml.value("otherFeesDescription", other_description.as_ref(), at(parent, "otherDescription"));
        });
    }

    /// An amount of at most 12 digits before and 2 after the point (精确到12位数、2位小数).
    fn amount(&mut self, element: &str, money: Option<&Money>, pointer: Pointer<'_>) {
        let (integer, fraction) = money.map_or((0, 0), |money| money.amount.digits());
        if integer > 12 || fraction > 2 {
            self.unsupported_value(
                pointer,
                "must have at most 12 digits before and 2 after the point for oTMS",
                "oTMS 金额精确到 12 位数、2 位小数",
            );
        }
        self.money(element, money, pointer);
    }

    /// An amount in yuan; oTMS knows no other currency.
    fn money(&mut self, element: &str, money: Option<&Money>, pointer: Pointer<'_>) {
        let Some(Money { amount, currency }) = money else { return };
        if currency != "CNY" {
            self.unsupported_value(pointer, "must be in CNY for oTMS", "oTMS 仅支持人民币 CNY");
        }
        self.xml.value(element, Some(amount), pointer);
    }

    fn temperature(&mut self, order: &Order) {
        let Some(temperature) = &order.temperature else { return };
        self.element("tempThreshold", |encoder| {
            encoder.xml.value("minTemp", temperature.min, at("/temperature", "min"));
            encoder.xml.value("maxTemp", temperature.max, at("/temperature", "max"));
            encoder.joined(
                "incubatorNumbers",
                temperature.container_ids.as_deref(),
                at("/temperature", "containerIds"),
            );
        });
    }

    fn tracking_devices(&mut self, order: &Order) {
        self.element("portableDevice", |encoder| {
            encoder.joined("deviceNumbers", order.tracking_devices.as_deref(), at("", "trackingDevices"));
        });
    }

    /// Several numbers in one element, separated by `;`.
    fn joined(&mut self, element: &str, numbers: Option<&[String]>, pointer: Pointer<'_>) {
        let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) else { return };
        if numbers.iter().any(|number| number.contains(';')) {
            self.unsupported_value(
                pointer,
                "must not contain a semicolon, which separates the numbers at oTMS",
                "不得包含分号:oTMS 以分号分隔多个编号",
            );
        }
        self.xml.converted(element, Some(numbers.join(";")), pointer, Some("joined by semicolons"));
    }

    fn derived(&mut self, element: &str, value: Option<impl Display>, note: &'static str) {
        if let Some(value) = value {
            self.xml.constant(element, value);
            self.xml.derived(element, "/lines", note);
        }
    }

    /// An element with children; left out when nothing is written inside.
    pub fn element(&mut self, name: &'static str, content: impl FnOnce(&mut Self)) {
        let opened = self.xml.begin(name, None);
        content(self);
        self.xml.end(&opened, false);
    }

    /// An element with children; `<name/>` when nothing is written inside.
    pub fn element_or_empty(&mut self, name: &'static str, content: impl FnOnce(&mut Self)) {
        let opened = self.xml.begin(name, None);
        content(self);
        self.xml.end(&opened, true);
    }

    fn list_item(&mut self, name: &'static str, index: usize, content: impl FnOnce(&mut Self)) {
        let opened = self.xml.begin(name, Some(index));
        content(self);
        self.xml.end(&opened, true);
    }

    pub fn missing(&mut self, pointer: &str, detail: &str, detail_zh: &str) {
        self.encoding.refusals.push(FieldError::new(pointer, "validation.missing", detail, detail_zh));
    }

    pub fn invalid_format(&mut self, pointer: Pointer<'_>, detail: &str, detail_zh: &str) {
        self.encoding.refusals.push(FieldError::new(
            pointer.to_string(),
            "validation.invalid_format",
            detail,
            detail_zh,
        ));
    }

    pub fn unsupported_value(&mut self, pointer: Pointer<'_>, detail: &str, detail_zh: &str) {
        self.encoding.refusals.push(FieldError::new(
            pointer.to_string(),
            "translation.unsupported_value",
            detail,
            detail_zh,
        ));
    }
}

/// A time window in oTMS's members.
#[derive(Default)]
struct Window<'o> {
    date: Option<chrono::NaiveDate>,
    /// The canonical member that gave the date
    date_member: &'static str,
    from: Option<String>,
    to: Option<String>,
    remarks: Option<&'o str>,
}

/// The sum over all lines, if there are lines and each of them has the value.
fn sum(lines: &[Line], value: impl Fn(&Line) -> Option<Decimal>) -> Option<Decimal> {
    let (first, rest) = lines.split_first()?;
    rest.iter().try_fold(value(first)?, |sum, line| sum.checked_add(value(line)?))
}
