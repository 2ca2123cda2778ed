//! create_customer_order and update_customer_order: CustomerOrderEntity, an acceptance order (受理单). An update
//! holds the whole order: what is absent is cleared (没有传递的参数值将被清空).

use super::encoder::{OrderEncoder, list_request, single_request};
use super::entity::{CONSIGNEE, CONSIGNER, Coordinates, customer_order_number};
use crate::canonical::{Operation, Order};
use crate::provider::{Batch, Encoding, Item, Trace};

/// Encodes a batch for create_customer_order.
pub fn create_customer_order(batch: &Batch<'_>, trace: &mut Trace) -> Encoding {
    list_request(batch, "orders", trace, |encoder, item| encoder.customer_order_entity(item.order))
}

/// Encodes an order for update_customer_order.
pub fn update_customer_order(batch: &Batch<'_>, trace: &mut Trace) -> Encoding {
    single_request(batch, trace, |encoder, item| {
        encoder.provider_number("number", item);
        if item.operation == Operation::UpdateCustomFields {
            encoder.whole_order_known(item);
        }
        encoder.object("order", |encoder| encoder.customer_order_entity(item.order));
    })
}

impl OrderEncoder<'_, '_, '_> {
    /// Custom fields alone do not make an order whole, and the rest of it would be cleared.
    fn whole_order_known(&mut self, item: &Item<'_>) {
        if item.adopted && item.change.is_some() && item.standing.is_none() {
            self.missing(
                "",
                "is not known as a whole, and 3TMS clears what an update leaves out: amend it with its whole document first",
                "订单完整信息未知,而 3TMS 更新受理单会清空未传递的字段,请先以完整内容修改订单",
            );
        }
    }

    fn customer_order_entity(&mut self, order: &Order) {
        let number = customer_order_number(order);
        if number.comes_from("orderNumber") {
            // It stands in the place of the customer's.
            self.implied("/orderNumber");
        }
        self.put("originalOrderNumber", Some(number), "");
        self.required_consignor(&order.ship_from);
        self.flat_stop(&order.ship_from, &CONSIGNER, Coordinates::Numbers);
        if let Some(stop) = &order.ship_to {
            self.flat_stop(stop, &CONSIGNEE, Coordinates::Numbers);
        }
        self.schedule(order);
        self.device_number(order);
        self.common_members(order);
        self.value("remarks", order.remarks.as_ref(), "", "remarks");
        self.shipper_pay(order);
        self.payment_collect(order);
        let notes = self.order_notes(order);
        self.put_notes(&notes);
        self.cargoes("cargoList", order.lines());
    }

    /// 绑定设备号: one device.
    fn device_number(&mut self, order: &Order) {
        match order.tracking_devices.as_deref().unwrap_or_default() {
            [] => {}
            [number] => self.value("deviceNumber", Some(number), "", "trackingDevices"),
            _ => self.unsupported_value(
                "/trackingDevices",
                "must hold one number for 3TMS, which binds one device to an acceptance order",
                "3TMS 受理单仅支持绑定一个设备",
            ),
        }
    }
}
