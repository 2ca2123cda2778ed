//! The goods of an order: 货物列表, which creation, modification and acceptance orders have alike.

use super::carried::{Carried, How};
use super::custom_fields::CARGO_NOTES;
use super::encoder::OrderEncoder;
use crate::canonical::{Exact, Line, Money};

impl OrderEncoder<'_, '_, '_> {
    /// The lines as a list; left out where there is none.
    pub fn cargoes(&mut self, list_name: &str, lines: &[Line]) {
        let list = self.json.begin_list(list_name);
        for (index, line) in lines.iter().enumerate() {
            self.list_item(index, |encoder| encoder.cargo(line, &format!("/lines/{index}")));
        }
        self.json.end(&list, false);
    }

    fn cargo(&mut self, line: &Line, parent: &str) {
        self.put("name", name(line), parent);
        self.value("quantity", line.quantity, parent, "quantity");
        self.cargo_value(line, parent);
        self.value("volume", line.volume, parent, "volume");
        self.value("weight", line.gross_weight, parent, "grossWeight");
        self.value("productModel", line.remarks.as_ref(), parent, "remarks");
        let notes = self.notes_of(line.custom_fields.as_ref(), &format!("{parent}/customFields"), CARGO_NOTES);
        self.put_notes(&notes);
    }

    /// 货值: the declared value of the line, else the value of a unit times the quantity.
    fn cargo_value(&mut self, line: &Line, parent: &str) {
        if line.declared_value.is_some() {
            self.money("value", line.declared_value.as_ref(), parent, "declaredValue");
        } else {
            self.put("value", value_of_units(line), parent);
        }
    }
}

/// 货物名称: the Chinese name where there is one.
fn name(line: &Line) -> Option<Carried<&str>> {
    match (line.name_zh.as_deref(), line.name.as_deref()) {
        (Some(chinese), Some(name)) if chinese == name => {
            Some(Carried::of(chinese, "nameZh").and("name", How::Implied))
        }
        (Some(chinese), _) => Some(Carried::of(chinese, "nameZh")),
        (None, name) => name.map(|name| Carried::of(name, "name")),
    }
}

/// The line's value by its units. One in another currency than 3TMS's is left to the carriage check.
fn value_of_units(line: &Line) -> Option<Carried<Exact>> {
    let Money { amount, currency: _ } = line.unit_value.as_ref().filter(|value| value.currency == "CNY")?;
    let value = Exact::from(*amount).checked_mul(line.quantity?)?;
    Some(Carried::noted(value, "unitValue", Some("times the quantity")))
}
