//! create_order and create_order_pack: OrderEntity, one for each transport order (运单).

use super::carried::Carried;
use super::codes;
use super::encoder::{OrderEncoder, list_request, single_request};
use super::entity::{CONSIGNEE, CONSIGNER, Coordinates, StopNames, customer_order_number};
use super::profile::{ID, MOST_ORDERS};
use super::settings::order_extension;
use crate::canonical::{Address, DispatchMode, Order, Stop};
use crate::provider::{Batch, Encoding, Trace, Trip, telephone};

/// Where dispatch to a vehicle is possible.
const TRIPS: &str = "POST /v1/trips";

/// Encodes a batch for create_order.
pub fn create_order(batch: &Batch<'_>, trace: &mut Trace) -> Encoding {
    list_request(batch, "orderList", trace, |encoder, item| {
        encoder.order_entity(item.order);
        encoder.no_dispatch_to_a_vehicle(item.order);
    })
}

/// Encodes a trip for create_order_pack: its orders and its driver.
pub fn create_order_pack(batch: &Batch<'_>, trace: &mut Trace) -> Encoding {
    single_request(batch, trace, |encoder, item| match item.trip {
        Some(trip) => encoder.pack(&trip),
        None => encoder.missing("/orders", "is required for a trip", "创建车次必须提供订单"),
    })
}

impl OrderEncoder<'_, '_, '_> {
    fn pack(&mut self, trip: &Trip<'_>) {
        let Trip { orders, driver_phone } = *trip;
        if orders.is_empty() || orders.len() > usize::from(MOST_ORDERS) {
            self.refuse(
                "/orders",
                "validation.out_of_range",
                &format!("must hold 1 to {MOST_ORDERS} orders for 3TMS"),
                &format!("3TMS 要求一个车次包含 1 至 {MOST_ORDERS} 个订单"),
            );
        }
        let driver = telephone::mobile(driver_phone);
        let list = self.json.begin_list("orderList");
        for (index, order) in orders.iter().enumerate() {
            self.at = format!("/orders/{index}");
            self.list_item(index, |encoder| encoder.order_entity(order));
            self.dispatch_of_a_trip(order, driver.as_deref());
        }
        self.at.clear();
        self.json.end(&list, true);
        match driver {
            Some(digits) => {
                let note = (digits != driver_phone).then_some("country code and separators taken off");
                self.put("driverPhone", Some(Carried::noted(digits, "phone", note)), "/driver");
            }
            None => self.invalid_format(
                "/driver/phone",
                "must be a Chinese mobile number of 11 digits",
                "必须为 11 位中国手机号码",
            ),
        }
    }

    /// On a trip the order is dispatched to its vehicle; the driver is the trip's.
    fn dispatch_of_a_trip(&mut self, order: &Order, driver: Option<&str>) {
        let Some(dispatch) = &order.dispatch else { return };
        if dispatch.mode == Some(DispatchMode::Vehicle) {
            self.implied("/dispatch/mode");
        }
        let phone = dispatch.driver.as_ref().and_then(|driver| driver.phone.as_deref());
        if let (Some(phone), Some(driver)) = (phone, driver) {
            if telephone::mobile(phone).as_deref() == Some(driver) {
                self.implied("/dispatch/driver/phone");
            } else {
                self.refuse(
                    "/dispatch/driver/phone",
                    "validation.inconsistent",
                    "is another driver than the trip's",
                    "与车次的司机不一致",
                );
            }
        }
    }

    /// A single order is not given to a vehicle; a trip is.
    fn no_dispatch_to_a_vehicle(&mut self, order: &Order) {
        if order.dispatch.as_ref().and_then(|dispatch| dispatch.mode) == Some(DispatchMode::Vehicle) {
            self.unsupported_value(
                "/dispatch/mode",
                &format!("cannot be to a vehicle for a single order at 3TMS: create a trip with {TRIPS}"),
                &format!("3TMS 单个订单不支持直接指派车辆,请使用 {TRIPS} 创建车次"),
            );
        }
    }

    fn order_entity(&mut self, order: &Order) {
        self.value("orderNumber", Some(&order.order_number), "", "orderNumber");
        self.put("customerOrderNumber", Some(customer_order_number(order)), "");
        self.required_consignor(&order.ship_from);
        self.stop_of_order(&order.ship_from, &CONSIGNER);
        if let Some(stop) = &order.ship_to {
            self.stop_of_order(stop, &CONSIGNEE);
        }
        self.schedule(order);
        if order.pickup.is_none() {
            self.missing("/pickup", "is required by 3TMS", "3TMS 要求填写提货时间");
        }
        self.shipper_pay(order);
        if let Some(cost) = order.charges.as_ref().and_then(|charges| charges.cost.as_ref()) {
            self.money("driverPay", cost.freight.as_ref(), "/charges/cost", "freight");
            self.value("driverPayType", cost.payment_term.map(codes::pay_type), "/charges/cost", "paymentTerm");
        }
        let freight = order.collect.as_ref().and_then(|collect| collect.freight.as_ref());
        self.money("freightCollect", freight, "/collect", "freight");
        self.payment_collect(order);
        self.value("note", order.remarks.as_ref(), "", "remarks");
        self.common_members(order);
        let own_at = format!("/extensions/{ID}");
        self.value("wmsLocation", order_extension(order).wms_location, &own_at, "wmsLocation");
        let notes = self.order_notes(order);
        self.object("extraFields", |encoder| encoder.put_notes(&notes));
        self.cargoes("cargoList", order.lines());
    }

    fn stop_of_order(&mut self, stop: &Stop, names: &StopNames) {
        self.flat_stop(stop, names, Coordinates::Texts);
        let Some(address) = &stop.address else { return };
        let Address { region, city, district, .. } = address;
        self.value(names.province, region.as_ref(), names.parent, "address/region");
        self.value(names.city, city.as_ref(), names.parent, "address/city");
        self.value(names.district, district.as_ref(), names.parent, "address/district");
    }
}
