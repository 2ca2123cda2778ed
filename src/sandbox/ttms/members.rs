//! A strict reader of the members of an object: reading one *is* checking it. What is missing, of
//! another type, beyond its values or not in the document becomes a fault in words; reading goes
//! on, so that one message names all of them.

use std::str::FromStr;

use chrono::{NaiveDateTime, TimeDelta};
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};

use super::organization;

/// 支付方式: 1)现付, 2)到付, 3)回付, 4)周结, 5)月结, 6)货款扣, 7)季度结, 8)在线支付, 9)到付月结
pub const PAY_TYPES: [i64; 9] = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/// 提送类型: 1)自提, 2)送货
pub const DELIVERY_TYPES: [i64; 2] = [1, 2];

pub struct Members<'a, 'faults> {
    object: &'a Map<String, Value>,
    /// Where in the request we are, with its separator: `orderList[0].`; empty at the top.
    path: String,
    /// In a query everything is text, and a list of one is no list.
    is_query: bool,
    asked: Vec<&'static str>,
    faults: &'faults mut Vec<String>,
}

impl<'a, 'faults> Members<'a, 'faults> {
    /// Reads them with `read`, then names those that it did not ask for.
    pub fn read<T>(
        members: &'a Map<String, Value>,
        path: String,
        is_query: bool,
        faults: &'faults mut Vec<String>,
        read: impl FnOnce(&mut Members<'a, '_>) -> T,
    ) -> T {
        let mut reader = Members { object: members, path, is_query, asked: Vec::new(), faults };
        let value = read(&mut reader);
        for name in members.keys() {
            if !reader.asked.contains(&name.as_str()) {
                reader.fault(name, "不是接口参数");
            }
        }
        value
    }

    /// All of them as they came.
    pub fn as_received(&self) -> &'a Map<String, Value> {
        self.object
    }

    pub fn fault(&mut self, name: &str, reason: &str) {
        self.faults.push(format!("{}{name}{reason}", self.path));
    }

    pub fn text(&mut self, name: &'static str) -> Option<String> {
        let value = self.value(name)?;
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            self.fault(name, "应为字符串");
        }
        text
    }

    /// 必填. Empty is as good as absent.
    pub fn required(&mut self, name: &'static str) -> String {
        let text = if self.value(name).is_some() { self.text(name) } else { Some(String::new()) };
        if text.as_deref() == Some("") {
            self.fault(name, "必填");
        }
        text.unwrap_or_default()
    }

    pub fn integer(&mut self, name: &'static str) -> Option<i64> {
        let value = self.value(name)?;
        let number = match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) if self.is_query => text.parse().ok(),
            _ => None,
        };
        if number.is_none() {
            self.fault(name, "应为整数");
        }
        number
    }

    pub fn required_integer(&mut self, name: &'static str) -> Option<i64> {
        if self.value(name).is_none() {
            self.fault(name, "必填");
        }
        self.integer(name)
    }

    /// An integer that the document lists.
    pub fn constant(&mut self, name: &'static str, constants: &[i64]) -> Option<i64> {
        let number = self.integer(name)?;
        if !constants.contains(&number) {
            let constants: Vec<_> = constants.iter().map(i64::to_string).collect();
            self.fault(name, &format!("取值应为{}", constants.join("、")));
        }
        Some(number)
    }

    pub fn required_constant(&mut self, name: &'static str, constants: &[i64]) -> Option<i64> {
        if self.value(name).is_none() {
            self.fault(name, "必填");
        }
        self.constant(name, constants)
    }

    /// 时间戳,精确到秒. Milliseconds would be of the year 33658 and later.
    pub fn timestamp(&mut self, name: &'static str) -> Option<i64> {
        const ONE_DIGIT_TOO_MANY: i64 = 100_000_000_000;
        let seconds = self.integer(name)?;
        if !(0..ONE_DIGIT_TOO_MANY).contains(&seconds) {
            self.fault(name, "应为精确到秒的时间戳");
        }
        Some(seconds)
    }

    pub fn required_timestamp(&mut self, name: &'static str) -> Option<i64> {
        if self.value(name).is_none() {
            self.fault(name, "必填");
        }
        self.timestamp(name)
    }

    /// Any number of JSON, digit for digit.
    pub fn number(&mut self, name: &'static str) -> Option<Number> {
        let value = self.value(name)?;
        let number = value.as_number().filter(|it| decimal(it).is_some()).cloned();
        if number.is_none() {
            self.fault(name, "应为数字");
        }
        number
    }

    /// A number in a text. Empty is as good as absent.
    pub fn number_text(&mut self, name: &'static str) -> Option<Number> {
        let text = self.text(name).filter(|text| !text.is_empty())?;
        let number = Number::from_str(&text).ok().filter(|it| decimal(it).is_some());
        if number.is_none() {
            self.fault(name, "应为数字字符串");
        }
        number
    }

    /// A longitude (`limit` 180) or latitude (90), as a number or in a text.
    pub fn degrees(&mut self, name: &'static str, limit: u32, in_text: bool) -> Option<Number> {
        let number = if in_text { self.number_text(name) } else { self.number(name) }?;
        if decimal(&number).is_none_or(|it| it.abs() > Decimal::from(limit)) {
            self.fault(name, "超出经纬度范围");
        }
        Some(number)
    }

    /// `yyyy-MM-dd HH:mm:ss` of a clock in China, as seconds since 1970.
    pub fn date_time(&mut self, name: &'static str) -> Option<i64> {
        let text = self.text(name).filter(|text| !text.is_empty())?;
        let places: String = text.chars().map(|it| if it.is_ascii_digit() { 'd' } else { it }).collect();
        let read = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S").ok();
        let read = read.filter(|_| places == "dddd-dd-dd dd:dd:dd");
        if read.is_none() {
            self.fault(name, "格式应为yyyy-MM-dd HH:mm:ss");
        }
        read.map(|at| (at - TimeDelta::hours(8)).and_utc().timestamp())
    }

    /// The path of a node that [`organization`] lists.
    pub fn organization(&mut self, name: &'static str) -> Option<String> {
        let path = self.text(name)?;
        if !path.is_empty() && !organization::is_path(&path) {
            self.fault(name, &format!("{path}无效"));
        }
        Some(path)
    }

    /// An object with members of its own.
    pub fn group<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Members<'a, '_>) -> T) -> Option<T> {
        let Value::Object(members) = self.value(name)? else {
            self.fault(name, "应为对象");
            return None;
        };
        let path = format!("{}{name}.", self.path);
        Some(Members::read(members, path, self.is_query, self.faults, read))
    }

    pub fn required_group<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Members<'a, '_>) -> T) -> Option<T> {
        if self.value(name).is_none() {
            self.fault(name, "必填");
        }
        self.group(name, read)
    }

    /// A list of objects.
    pub fn list<T>(&mut self, name: &'static str, mut read: impl FnMut(&mut Members<'a, '_>) -> T) -> Option<Vec<T>> {
        let Value::Array(items) = self.value(name)? else {
            self.fault(name, "应为数组");
            return None;
        };
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            if let Value::Object(members) = item {
                let path = format!("{}{name}[{index}].", self.path);
                list.push(Members::read(members, path, self.is_query, self.faults, &mut read));
            } else {
                self.fault(name, &format!("[{index}]应为对象"));
            }
        }
        Some(list)
    }

    pub fn required_list<T>(&mut self, name: &'static str, read: impl FnMut(&mut Members<'a, '_>) -> T) -> Vec<T> {
        let is_empty = self.value(name).is_none_or(|it| it.as_array().is_some_and(Vec::is_empty));
        if is_empty {
            self.fault(name, "必填");
        }
        self.list(name, read).unwrap_or_default()
    }

    /// A list of texts. In a query it may come in several members or with commas in one.
    pub fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let texts = match self.value(name)? {
            Value::Array(items) => items.iter().map(|it| it.as_str().map(str::to_owned)).collect(),
            Value::String(text) if self.is_query => Some(text.split(',').map(str::to_owned).collect()),
            _ => None,
        };
        if texts.is_none() {
            self.fault(name, "应为字符串数组");
        }
        texts
    }

    /// Null is as good as absent.
    fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        if !self.asked.contains(&name) {
            self.asked.push(name);
        }
        self.object.get(name).filter(|value| !value.is_null())
    }
}

/// Its value, unless it has more digits than anybody counts with.
pub fn decimal(number: &Number) -> Option<Decimal> {
    let text = number.as_str();
    Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()
}

/// The sum of those that are there; `None` if none is.
pub fn sum<'a>(numbers: impl Iterator<Item = Option<&'a Number>>) -> Option<Number> {
    let decimals = numbers.flatten().filter_map(decimal);
    let sum = decimals.reduce(Decimal::saturating_add)?;
    Number::from_str(&sum.to_string()).ok()
}
