//! Money: what the transport is sold and bought for, and amounts as oTMS takes them.

use super::encoder::OrderEncoder;
use crate::canonical::{ChargeSide, DispatchMode, Money, Order};
use crate::provider::xml::{Pointer, at};

impl OrderEncoder<'_, '_> {
    pub fn charges(&mut self, order: &Order, mode: DispatchMode) {
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
    pub fn money(&mut self, element: &str, money: Option<&Money>, pointer: Pointer<'_>) {
        let Some(Money { amount, currency }) = money else { return };
        if currency != "CNY" {
            self.unsupported_value(pointer, "must be in CNY for oTMS", "oTMS 仅支持人民币 CNY");
        }
        self.xml.value(element, Some(amount), pointer);
    }
}
