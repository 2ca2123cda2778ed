//! A strict cursor over the child elements of an order: it takes them one by one in the
//! documented order, so that reading a type *is* checking it. What is unknown, repeated, out of
//! order or of the wrong type becomes a [`Fault`]; reading goes on where it can, so that one
//! answer names as many faults as possible.

use std::borrow::Cow;
use std::collections::VecDeque;

use chrono::{NaiveDate, NaiveTime};
use roxmltree::Node;
use rust_decimal::Decimal;

use super::codes;

const IN_A_NAMESPACE: &str = "is in a namespace, and the document has none";

/// Something wrong with an order: the documented code, and in words where and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub code: Cow<'static, str>,
    /// The path of the member at fault, such as `shipFrom/contact/phone`.
    pub member: Option<String>,
    pub message: String,
}

impl Fault {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Cow::Borrowed(code), member: None, message: message.into() }
    }

    /// `reason` goes on from the member's path.
    pub fn of_member(code: &'static str, path: &str, reason: &str) -> Self {
        Self { code: Cow::Borrowed(code), member: Some(path.to_owned()), message: format!("{path} {reason}") }
    }
}

/// A number as it was written. Its digits matter where the document limits them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenNumber(String);

impl WrittenNumber {
    /// Plain decimal notation, as in all examples: no exponent, no `+`, no bare point.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        (all_digits(whole) && all_digits(fraction)).then(|| Self(text.to_owned()))
    }

    pub fn is_negative(&self) -> bool {
        self.0.starts_with('-')
    }

    /// Whether it has at most `digits` digits in all, of which at most `decimals` after the point
    /// (精确到18位数、6位小数).
    pub fn fits(&self, digits: usize, decimals: usize) -> bool {
        let text = self.0.trim_start_matches(['-', '0']);
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        whole.len() + fraction.len() <= digits && fraction.len() <= decimals
    }
}

/// The child elements of one element, in reading.
pub struct Members<'doc, 'faults> {
    remaining: VecDeque<Node<'doc, 'doc>>,
    /// Where in the order we are, for messages: `shipFrom/contact`; empty for the order itself.
    path: String,
    /// Members that have been asked for so far, to tell "unknown" from "in the wrong place".
    asked: Vec<&'static str>,
    faults: &'faults mut Vec<Fault>,
}

impl<'doc, 'faults> Members<'doc, 'faults> {
    /// Reads `element` with `read`, then sees to it that nothing is left over.
    pub fn read<T>(
        element: Node<'doc, 'doc>,
        path: String,
        faults: &'faults mut Vec<Fault>,
        read: impl FnOnce(&mut Members<'doc, '_>) -> T,
    ) -> T {
        let mut members = Members {
            remaining: element.children().filter(Node::is_element).collect(),
            path,
            asked: Vec::new(),
            faults,
        };
        if element.children().any(is_stray_text) {
            members.fault(codes::INVALID, &members.path.clone(), "holds text");
        }
        let value = read(&mut members);
        members.finish();
        value
    }

    /// The text of an element; `None` when it is absent or empty.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.leaf(name).filter(|text| !text.is_empty())
    }

    /// Like [`Members::text`], when the document lists the constants that it may be.
    pub fn constant(&mut self, name: &'static str, constants: &[&str]) -> Option<String> {
        let text = self.text(name)?;
        if !constants.contains(&text.as_str()) {
            let constants = constants.join(", ");
            self.member_fault(codes::INVALID, name, &format!("is none of {constants}"));
        }
        Some(text)
    }

    /// Like [`Members::constant`], when the constants are the numbers from `first` to `last`.
    pub fn numbered_constant(&mut self, name: &'static str, first: i32, last: i32) -> Option<i32> {
        let number = self.integer(name)?;
        if !(first..=last).contains(&number) {
            let reason = format!("is not one of {first} to {last}");
            self.member_fault(codes::INVALID, name, &reason);
        }
        Some(number)
    }

    pub fn boolean(&mut self, name: &'static str) -> Option<bool> {
        self.typed(name, "true or false", |text| match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        })
    }

    pub fn integer(&mut self, name: &'static str) -> Option<i32> {
        self.typed(name, "an integer of 32 bits", parse_integer)
    }

    pub fn number(&mut self, name: &'static str) -> Option<Decimal> {
        self.typed(name, "a number", |text| {
            WrittenNumber::parse(text)?;
            Decimal::from_str_exact(text).ok()
        })
    }

    pub fn written_number(&mut self, name: &'static str) -> Option<WrittenNumber> {
        self.typed(name, "a number", WrittenNumber::parse)
    }

    /// An integer that the document says must not be negative (不能为负数).
    pub fn count(&mut self, name: &'static str) -> Option<i32> {
        let count = self.integer(name)?;
        if count < 0 {
            self.member_fault(codes::INVALID, name, "is negative");
        }
        Some(count)
    }

    /// A number that the document says must not be negative (不能为负数).
    pub fn amount(&mut self, name: &'static str) -> Option<Decimal> {
        let amount = self.number(name)?;
        if amount < Decimal::ZERO {
            self.member_fault(codes::INVALID, name, "is negative");
        }
        Some(amount)
    }

    /// `yyyy-MM-dd`: the tables say date-time, their text says this.
    pub fn date(&mut self, name: &'static str) -> Option<NaiveDate> {
        self.typed(name, "a date as yyyy-MM-dd", |text| {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            (digit_places(text) == "dddd-dd-dd").then_some(date)
        })
    }

    /// `HH:mm:ss`.
    pub fn time(&mut self, name: &'static str) -> Option<NaiveTime> {
        self.typed(name, "a time as HH:mm:ss", |text| {
            let time = NaiveTime::parse_from_str(text, "%H:%M:%S").ok()?;
            (digit_places(text) == "dd:dd:dd").then_some(time)
        })
    }

    /// An element with members of its own.
    pub fn group<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Members<'doc, '_>) -> T) -> Option<T> {
        let element = self.take(name)?;
        let path = self.path_of(name);
        self.refuse_attributes(element, &path, &[]);
        Some(Members::read(element, path, self.faults, read))
    }

    /// An element that holds any number of `item`, each with members of its own.
    pub fn list<T>(
        &mut self,
        name: &'static str,
        item: &'static str,
        mut read: impl FnMut(&mut Members<'doc, '_>) -> T,
    ) -> Option<Vec<T>> {
        self.group(name, |members| {
            let mut items = Vec::new();
            while let Some(element) = members.take(item) {
                let path = members.path_of(&format!("{item}[{}]", items.len() + 1));
                members.refuse_attributes(element, &path, &[]);
                items.push(Members::read(element, path, members.faults, &mut read));
            }
            items
        })
    }

    /// Takes the next element whatever its name is: for `customFields`, whose members are numbered.
    pub fn any_text(&mut self) -> Option<(String, String)> {
        let element = self.remaining.pop_front()?;
        let name = element.tag_name().name().to_owned();
        if element.tag_name().namespace().is_some() {
            self.member_fault(codes::INVALID, &name, IN_A_NAMESPACE);
        }
        let text = self.text_of(element, &self.path_of(&name));
        Some((name, text))
    }

    /// Records a fault of a member of this element.
    pub fn member_fault(&mut self, code: &'static str, name: &str, reason: &str) {
        self.fault(code, &self.path_of(name), reason);
    }

    pub fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }

    fn typed<T>(&mut self, name: &'static str, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.leaf(name)?;
        let value = parse(text.trim());
        if value.is_none() {
            let reason = format!("is not {expected}");
            self.member_fault(codes::INVALID_DATA_TYPE, name, &reason);
        }
        value
    }

    fn leaf(&mut self, name: &'static str) -> Option<String> {
        let element = self.take(name)?;
        Some(self.text_of(element, &self.path_of(name)))
    }

    fn text_of(&mut self, element: Node<'doc, 'doc>, path: &str) -> String {
        self.refuse_attributes(element, path, &[]);
        if element.children().any(|child| child.is_element()) {
            self.fault(codes::INVALID, path, "holds elements where text belongs");
        }
        text_within(element)
    }

    fn next_is(&self, name: &str) -> bool {
        let next = self.remaining.front();
        next.is_some_and(|element| {
            let tag = element.tag_name();
            tag.name() == name && tag.namespace().is_none()
        })
    }

    fn take(&mut self, name: &'static str) -> Option<Node<'doc, 'doc>> {
        if !self.asked.contains(&name) {
            self.asked.push(name);
        }
        if self.next_is(name) { self.remaining.pop_front() } else { None }
    }

    /// Refuses all attributes of `element` but the known ones; `path` is empty for the order.
    pub fn refuse_attributes(&mut self, element: Node<'doc, 'doc>, path: &str, known: &[&str]) {
        for attribute in element.attributes() {
            if attribute.namespace().is_some() || !known.contains(&attribute.name()) {
                let reason = format!("has an unknown attribute {}", attribute.name());
                self.fault(codes::INVALID, path, &reason);
            }
        }
    }

    /// The first element that nobody took stopped the reading of all behind it: it is the one to
    /// name.
    fn finish(mut self) {
        let Some(element) = self.remaining.pop_front() else {
            return;
        };
        let name = element.tag_name().name();
        let reason = if element.tag_name().namespace().is_some() {
            IN_A_NAMESPACE
        } else if self.asked.contains(&name) {
            "is repeated or not in the documented order"
        } else {
            "is not in the document"
        };
        self.member_fault(codes::INVALID, name, reason);
    }

    fn fault(&mut self, code: &'static str, path: &str, reason: &str) {
        self.faults.push(match path {
            "" => Fault::new(code, format!("order {reason}")),
            path => Fault::of_member(code, path, reason),
        });
    }
}

pub fn parse_integer(text: &str) -> Option<i32> {
    let number = text.parse().ok()?;
    (!text.starts_with('+')).then_some(number)
}

/// `2012-12-23` as `dddd-dd-dd`: chrono alone would take `2012-1-3` and `+2012-1-3` too.
fn digit_places(text: &str) -> String {
    let place = |character: char| match character {
        '0'..='9' => 'd',
        other => other,
    };
    text.chars().map(place).collect()
}

/// The text of an element, whatever comments stand in it.
pub fn text_within(element: Node<'_, '_>) -> String {
    let texts = element.children().filter(Node::is_text);
    texts.filter_map(|text| text.text()).collect()
}

/// Text between elements that is not just layout.
pub fn is_stray_text(node: Node<'_, '_>) -> bool {
    node.is_text() && node.text().is_some_and(|text| !text.trim().is_empty())
}
