//! orderImport's request: OrderImportRequest with up to 100 ImportedOrders. Elements stand in the order of
//! the document's example, and where that is silent in the order of its type tables.

use super::codes;
use super::custom_fields::Extent;
use super::encoder::OrderEncoder;
use super::head;
use super::profile;
use super::settings::{OtmsOrderExtension, OtmsSettings, order_extension};
use super::stop::{SHIP_FROM, SHIP_TO};
use crate::canonical::{DispatchMode, Operation, Order};
use crate::provider::telephone;
use crate::provider::xml::at;
use crate::provider::{Batch, Encoding, Item, Trace};

/// Encodes a batch for orderImport: creations, and changes of orders that exist, which `allowUpdate` permits
/// order by order.
pub fn order_import(batch: &Batch<'_>, trace: &mut Trace) -> Encoding {
    let settings = OtmsSettings::of(batch.account);
    let source = batch.items.first().and_then(|item| order_extension(item.order).source);
    let root = head::Root { name: "orderImportRequest", source: source.as_deref() };
    head::request(batch, &root, trace, |encoder, item| encoder.order(item, &settings))
}

impl OrderEncoder<'_, '_> {
    fn order(&mut self, item: &Item<'_>, settings: &OtmsSettings) {
        let order = item.order;
        let own = order_extension(order);
        let own_at = format!("/extensions/{}", profile::ID);
        let own_at = own_at.as_str();
        let mode = dispatch_mode(order, &own);

        self.client_code(order);
        self.xml.value("clientReferenceNumber", order.customer_reference.as_ref(), at("", "customerReference"));
        if let Some(branch) = &order.branch {
            let name = self.account.common.branch(branch);
            let note = (name != branch).then_some("name from the account's branchMap");
            self.xml.converted("branch", Some(name), at("", "branch"), note);
        }
        self.order_key(item);
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
        self.order_lines(order);
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
        self.custom_fields(order.custom_fields.as_ref(), own.custom_fields.as_ref(), "", own_at, Extent::OfOrder);
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
                match telephone::mobile(written) {
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

    fn tracking_devices(&mut self, order: &Order) {
        self.element("portableDevice", |encoder| {
            encoder.joined("deviceNumbers", order.tracking_devices.as_deref(), at("", "trackingDevices"));
        });
    }
}

/// The extension wins over `dispatch.mode`, on the caller's own word.
fn dispatch_mode(order: &Order, own: &OtmsOrderExtension) -> DispatchMode {
    let asked = order.dispatch.as_ref().and_then(|dispatch| dispatch.mode);
    own.auto_process_mode.map(DispatchMode::from).or(asked).unwrap_or(DispatchMode::None)
}
