//! The goods of an order: lines, totals and temperature.

use std::fmt::Display;

use super::codes;
use super::custom_fields::Extent;
use super::encoder::OrderEncoder;
use crate::canonical::{Decimal, Line, Order};
use crate::provider::xml::at;

impl OrderEncoder<'_, '_> {
    pub fn order_lines(&mut self, order: &Order) {
        self.element("orderLines", |encoder| {
            for (index, line) in order.lines().iter().enumerate() {
                encoder.line(line, index);
            }
        });
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
            encoder.custom_fields(line.custom_fields.as_ref(), None, parent, "", Extent::OfOrder);
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

    pub fn cargo_details(&mut self, order: &Order) {
        let totals = order.totals.as_ref();
        let lines = order.lines();
        self.element("cargoDetails", |encoder| {
            let total_quantity = totals.and_then(|totals| totals.quantity);
            encoder.xml.value("totalQuantity", total_quantity, at("/totals", "quantity"));
            if total_quantity.is_none() {
                let sum = sum(lines, |line| line.quantity).and_then(Decimal::to_i32);
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

    pub fn temperature(&mut self, order: &Order) {
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

    fn derived(&mut self, element: &str, value: Option<impl Display>, note: &'static str) {
        if let Some(value) = value {
            self.xml.constant(element, value);
            self.xml.derived(element, "/lines", note);
        }
    }
}

/// The sum over all lines, if there are lines and each of them has the value.
fn sum(lines: &[Line], value: impl Fn(&Line) -> Option<Decimal>) -> Option<Decimal> {
    let (first, rest) = lines.split_first()?;
    rest.iter().try_fold(value(first)?, |sum, line| sum.checked_add(value(line)?))
}
