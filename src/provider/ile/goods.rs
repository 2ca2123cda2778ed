//! The goods of an order: its numbers in all, what they are worth, `items` and `parcelList`. Numbers of the order
//! and of its items are strings, sizes of parcels are numbers; both have the digits that the caller wrote.

use super::codes;
use super::encoder::OrderEncoder;
use crate::canonical::{Decimal, Exact, Line, Money, Order, Package};
use crate::provider::json::AsText;
use crate::provider::pointer::at;

/// 币种(默认为:USD)
const DEFAULT_CURRENCY: &str = "USD";

/// Digits after the point that a price may get by division.
const PRICE_PLACES: u32 = 2;

impl OrderEncoder<'_, '_> {
    /// `packs`, `weight` and `cbm`: as the totals say, else by what the lines or the packages say.
    pub fn totals(&mut self, order: &Order) {
        let totals = order.totals.as_ref();
        let (lines, packages) = (order.lines(), order.packages());

        let count = totals.and_then(|totals| totals.package_count);
        if count.is_none() && !packages.is_empty() {
            self.json.constant("packs", AsText(packages.len()));
            self.json.derived("packs", at("", "packages"), "number of packages");
        } else {
            self.required("packs", count.map(AsText), at("/totals", "packageCount"));
        }
        // parcelList 列表数据量需与 packs 保持一致
        if count.is_some_and(|count| !packages.is_empty() && packages.len() != count as usize) {
            self.refuse(
                at("/totals", "packageCount"),
                "validation.inconsistent",
                "must equal the number of packages",
                "必须等于 packages 的数量",
            );
        }

        let weight = totals.and_then(|totals| totals.gross_weight);
        let of_lines = || sum(lines, |line| line.gross_weight.map(Exact::from));
        let of_packages = || sum(packages, |package| package.gross_weight.map(Exact::from));
        if let Some(weight) = weight {
            self.json.value("weight", Some(AsText(weight)), at("/totals", "grossWeight"));
        } else if let Some(weight) = of_lines() {
            self.derived("weight", weight, "lines", "sum of the lines' gross weights");
        } else if let Some(weight) = of_packages() {
            self.derived("weight", weight, "packages", "sum of the packages' gross weights");
        } else {
            self.missing(at("/totals", "grossWeight"));
        }

        let volume = totals.and_then(|totals| totals.volume);
        if let Some(volume) = volume {
            self.json.value("cbm", Some(AsText(volume)), at("/totals", "volume"));
        } else if let Some(volume) = sum(lines, |line| line.volume.map(Exact::from)) {
            self.derived("cbm", volume, "lines", "sum of the lines' volumes");
        } else if let Some(volume) = sum(packages, cubic_metres) {
            self.derived("cbm", volume, "packages", "sum of length × width × height, cm³ to m³");
        } else {
            self.missing(at("/totals", "volume"));
        }
    }

    fn derived(&mut self, name: &str, value: Exact, from: &str, note: &'static str) {
        self.json.constant(name, AsText(value));
        self.json.derived(name, at("", from), note);
    }

    /// An edit sets it anew, so an order without a statement would be sent as one without batteries.
    pub fn battery(&mut self, order: &Order) {
        let battery = order.cargo.as_ref().and_then(|cargo| cargo.battery).map(codes::battery);
        self.required("battery", battery, at("/cargo", "battery"));
    }

    /// One currency stands for the prices of all items.
    pub fn currency(&mut self, lines: &[Line]) {
        let mut currency = None;
        for (index, line) in lines.iter().enumerate() {
            let Some(Priced { money, member }) = priced(line) else { continue };
            let parent = format!("/lines/{index}/{member}");
            let first = *currency.get_or_insert(&money.currency);
            if money.currency == *first {
                self.json.note("currency", at(&parent, "currency"), None);
            } else {
                self.unsupported_value(
                    at(&parent, "currency"),
                    "differs from that of another line; ILE takes one currency for all prices of an order",
                    "与其他行的币种不同:ILE 每个订单仅支持一种币种",
                );
            }
        }
        self.json.constant("currency", currency.map_or(DEFAULT_CURRENCY, String::as_str));
    }

    pub fn items(&mut self, lines: &[Line]) {
        if lines.is_empty() {
            self.missing(at("", "lines"));
        }
        self.list("items", lines, |encoder, index, line| encoder.item(line, &format!("/lines/{index}")));
    }

    fn item(&mut self, line: &Line, parent: &str) {
        self.json.value("type", line.category.as_ref(), at(parent, "category"));
        match (line.name_zh.as_ref().filter(|name| !name.trim().is_empty()), &line.name) {
            (None, Some(name)) => {
                self.json.constant("nameZh", name);
                self.json.derived("nameZh", at(parent, "name"), "the name, as there is no nameZh");
            }
            (name_zh, _) => self.json.value("nameZh", name_zh, at(parent, "nameZh")),
        }
        self.required_text("name", line.name.as_ref(), at(parent, "name"));
        if let Some(code) = &line.hs_code {
            let digits = code.replace('.', "");
            if digits.is_empty() {
                self.refuse(at(parent, "hsCode"), "validation.invalid_format", "must have digits", "必须包含数字");
            }
            let note = (digits != *code).then_some("dots taken out");
            self.json.converted("hs", Some(digits), at(parent, "hsCode"), note);
        }
        self.required("qty", line.quantity.map(AsText), at(parent, "quantity"));
        self.price(line, parent);
    }

    /// The value of one unit, else that of the line divided by its quantity.
    fn price(&mut self, line: &Line, parent: &str) {
        let Line { unit_value, declared_value, quantity, .. } = line;
        let value_at = |member: &str| format!("{parent}/{member}");
        match (unit_value, declared_value) {
            (Some(unit), declared) => {
                self.json.value("price", Some(AsText(unit.amount)), at(&value_at("unitValue"), "amount"));
                if declared.as_ref().is_some_and(|declared| says_the_same(unit, *quantity, declared)) {
                    self.json.implied(at(parent, "declaredValue"));
                }
            }
            (None, Some(declared)) => {
                // A quantity that is missing was refused as such.
                let Some(quantity) = *quantity else { return };
                match declared.amount.divided_by(quantity, PRICE_PLACES) {
                    Some(price) => {
                        let note = Some("divided by the quantity");
                        let amount_at = value_at("declaredValue");
                        self.json.converted("price", Some(AsText(price)), at(&amount_at, "amount"), note);
                    }
                    None => self.unsupported_value(
                        at(parent, "declaredValue"),
                        "does not divide by the quantity within two decimals; give unitValue",
                        "除以数量后超过两位小数,请提供 unitValue",
                    ),
                }
            }
            (None, None) => self.missing(at(parent, "unitValue")),
        }
    }

    pub fn parcels(&mut self, packages: &[Package]) {
        self.list("parcelList", packages, |encoder, index, package| {
            let Package { barcode, package_type: _, length, width, height, gross_weight } = package;
            let parent = format!("/packages/{index}");
            encoder.json.value("barcode", Some(barcode), at(&parent, "barcode"));
            encoder.required("parcelWidth", *width, at(&parent, "width"));
            encoder.required("parcelHeight", *height, at(&parent, "height"));
            encoder.required("parcelLength", *length, at(&parent, "length"));
            encoder.required("parcelWeight", *gross_weight, at(&parent, "grossWeight"));
        });
    }
}

/// What a line's price is taken from.
struct Priced<'a> {
    money: &'a Money,
    member: &'static str,
}

fn priced(line: &Line) -> Option<Priced<'_>> {
    let unit = line.unit_value.as_ref().map(|money| Priced { money, member: "unitValue" });
    unit.or_else(|| line.declared_value.as_ref().map(|money| Priced { money, member: "declaredValue" }))
}

/// Whether the value of the line is that of its units, so that it is said by price and quantity.
fn says_the_same(unit: &Money, quantity: Option<Decimal>, declared: &Money) -> bool {
    let of_units = quantity.and_then(|quantity| Exact::from(unit.amount).checked_mul(quantity));
    unit.currency == declared.currency && of_units == Some(declared.amount.into())
}

/// Nothing unless all three sizes are known.
fn cubic_metres(package: &Package) -> Option<Exact> {
    let Package { barcode: _, package_type: _, length, width, height, gross_weight: _ } = package;
    Exact::from((*length)?).checked_mul((*width)?)?.checked_mul((*height)?)?.shifted_right(6)
}

/// The sum over all, if there are any and each of them has the value.
fn sum<T>(entries: &[T], value: impl Fn(&T) -> Option<Exact>) -> Option<Exact> {
    let (first, rest) = entries.split_first()?;
    rest.iter().try_fold(value(first)?, |sum, entry| sum.checked_add(value(entry)?))
}
