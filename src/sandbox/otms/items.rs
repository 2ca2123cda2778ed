//! Answers order by order, and what faults do to them.

use std::borrow::Cow;
use std::ops::Range;

use roxmltree::{Document, Node};

use super::members::Fault;
use super::request;
use crate::sandbox::Items;
use crate::sandbox::faults::{ItemChange, Overrule};

impl Overrule {
    /// What it adds to an order's codes.
    pub fn fault(&self) -> Fault {
        let message = format!("the sandbox was told to answer {}", self.code);
        Fault { code: Cow::Owned(self.code.clone()), member: None, message }
    }

    /// The status of an order that it keeps from being processed.
    pub fn refused_status(&self, usual: &'static str) -> Cow<'static, str> {
        self.status.clone().map_or(Cow::Borrowed(usual), Cow::Owned)
    }
}

/// The erpNumber of each order in a request, of those that have one.
pub fn erp_numbers(body: &[u8]) -> Vec<String> {
    match request::parse(body) {
        Ok(document) => orders(&document).filter_map(|it| erp_number(it).map(str::to_owned)).collect(),
        Err(_) => Vec::new(),
    }
}

fn orders<'doc>(document: &'doc Document<'doc>) -> impl Iterator<Item = Node<'doc, 'doc>> {
    let within = |node: Node<'doc, 'doc>, name| node.children().filter(move |it| it.has_tag_name(name));
    within(document.root_element(), "orders").flat_map(move |it| within(it, "order"))
}

fn erp_number<'doc>(order: Node<'doc, 'doc>) -> Option<&'doc str> {
    order.children().find(|it| it.has_tag_name("erpNumber"))?.text()
}

pub struct Results;

impl Items for Results {
    fn change(&self, answer: &[u8], change: ItemChange, order_number: Option<&str>) -> Option<String> {
        let text = std::str::from_utf8(answer).ok()?;
        let document = Document::parse(text).ok()?;
        let is_meant = |it: &Node| order_number.is_none() || erp_number(*it) == order_number;
        let order = orders(&document).find(is_meant)?;
        let Range { start, end } = order.range();
        let (before, item, after) = (&text[..start], &text[start..end], &text[end..]);
        Some(match change {
            ItemChange::Missing => format!("{before}{after}"),
            ItemChange::Twice => format!("{before}{item}{item}{after}"),
            ItemChange::Unasked => {
                let sequences = orders(&document).filter_map(|it| it.attribute("sequence")?.parse::<i64>().ok());
                let unasked = sequences.max().unwrap_or(0) + 1;
                let value = order.attribute_node("sequence")?.range_value();
                let item = [&text[start..value.start], &unasked.to_string(), &text[value.end..end]].concat();
                format!("{before}{}{item}{after}", &text[start..end])
            }
        })
    }
}
