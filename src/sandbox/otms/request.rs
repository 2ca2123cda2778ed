//! Reads a request of orders. What concerns the document as a whole is [`Malformed`]; what
//! concerns one order is kept with that order and does not spoil its neighbours.

use std::collections::HashSet;
use std::sync::Arc;

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use thiserror::Error;

use super::members::{Fault, Members, is_stray_text, parse_integer, text_within};

/// Far beyond 100 orders with a thousand lines each; keeps a hostile document from taking a
/// hundred times its size in memory.
const NODES_LIMIT: u32 = 3_000_000;

/// Why a document cannot be answered order by order.
#[derive(Debug, Clone, Error)]
pub enum Malformed {
    #[error("the body is not UTF-8")]
    NotUtf8,
    #[error("the document is declared as {0}, and only UTF-8 is read")]
    Encoding(String),
    #[error("a DOCTYPE is refused")]
    Doctype,
    #[error("the body is not XML: {0}")]
    NotXml(#[from] roxmltree::Error),
    #[error("the root is not {0}")]
    Root(&'static str),
    #[error("{0} holds {1}, which is not in the document")]
    Unknown(&'static str, String),
    #[error("{0} holds text")]
    StrayText(&'static str),
    #[error("there is not exactly one orders element")]
    Orders,
    #[error("there are no orders")]
    NoOrders,
    #[error("order {0} has no sequence that is an integer")]
    Sequence(usize),
    #[error("sequence {0} is given twice")]
    SequenceRepeated(i32),
}

/// The outermost element of an operation's requests.
pub struct RequestForm {
    pub root: &'static str,
    pub attributes: &'static [&'static str],
}

/// The whole document, before it is known who sent it.
pub struct OrdersRequest<'doc> {
    form: &'static RequestForm,
    root: Node<'doc, 'doc>,
}

/// One order of the request with what is wrong in its form.
pub struct IncomingOrder<T> {
    pub sequence: i32,
    pub order: T,
    /// Unknown, misplaced or mistyped members. With any of them `order` may be incomplete.
    pub faults: Vec<Fault>,
    /// The order as JSON, element names as keys; null when there are faults.
    pub document: Arc<RawValue>,
}

pub fn parse(body: &[u8]) -> Result<Document<'_>, Malformed> {
    let text = std::str::from_utf8(body).map_err(|_| Malformed::NotUtf8)?;
    if let Some(encoding) = declared_encoding(text)
        && !encoding.eq_ignore_ascii_case("utf-8")
    {
        return Err(Malformed::Encoding(encoding.to_owned()));
    }
    let options = ParsingOptions { nodes_limit: NODES_LIMIT, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected => Malformed::Doctype,
        other => Malformed::NotXml(other),
    })?;
    // roxmltree lets an empty DOCTYPE pass.
    let prolog = text.get(..document.root_element().range().start);
    if prolog.is_some_and(|prolog| prolog.contains("<!DOCTYPE")) {
        return Err(Malformed::Doctype);
    }
    Ok(document)
}

/// The encoding in `<?xml … encoding="…"?>`, which roxmltree ignores.
fn declared_encoding(text: &str) -> Option<&str> {
    let declaration = text.trim_start_matches('\u{feff}').strip_prefix("<?xml ")?;
    let (declaration, _) = declaration.split_once("?>")?;
    let (_, value) = declaration.split_once("encoding")?;
    value.split(['"', '\'']).nth(1)
}

impl<'doc> OrdersRequest<'doc> {
    /// Checks the root and its attributes; the orders are not looked at yet.
    pub fn read(document: &'doc Document<'doc>, form: &'static RequestForm) -> Result<Self, Malformed> {
        let root = document.root_element();
        if root.tag_name() != form.root.into() {
            return Err(Malformed::Root(form.root));
        }
        refuse_other_attributes(root, form.root, |name| form.attributes.contains(&name))?;
        Ok(Self { form, root })
    }

    pub fn version(&self) -> Option<&'doc str> {
        self.root.attribute("version")
    }

    /// The login and password attributes.
    pub fn credentials(&self) -> (&'doc str, &'doc str) {
        let attribute = |name: &str| self.root.attribute(name).unwrap_or_default();
        (attribute("login"), attribute("password"))
    }

    pub fn order_elements(&self) -> Result<Vec<Node<'doc, 'doc>>, Malformed> {
        let [orders] = children(self.root, self.form.root, "orders")?[..] else {
            return Err(Malformed::Orders);
        };
        refuse_other_attributes(orders, "orders", |_| false)?;
        let orders = children(orders, "orders", "order")?;
        if orders.is_empty() {
            return Err(Malformed::NoOrders);
        }
        Ok(orders)
    }
}

/// Reads the orders; their answers are matched by `sequence`, so each must have one of its own.
pub fn read_orders<T>(
    elements: &[Node<'_, '_>],
    read: impl Fn(&mut Members) -> T,
) -> Result<Vec<IncomingOrder<T>>, Malformed> {
    let mut sequences = HashSet::new();
    let mut orders = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        let sequence = element.attribute("sequence").and_then(parse_integer);
        let sequence = sequence.ok_or(Malformed::Sequence(index + 1))?;
        if !sequences.insert(sequence) {
            return Err(Malformed::SequenceRepeated(sequence));
        }
        orders.push(read_order(sequence, *element, &read));
    }
    Ok(orders)
}

fn read_order<'doc, T>(sequence: i32, element: Node<'doc, 'doc>, read: impl Fn(&mut Members) -> T) -> IncomingOrder<T> {
    let mut faults = Vec::new();
    let order = Members::read(element, String::new(), &mut faults, |order| {
        order.refuse_attributes(element, "", &["sequence"]);
        read(order)
    });
    let document = if faults.is_empty() {
        // A value made of strings and maps with string keys always serialises.
        to_raw_value(&to_json(element)).unwrap_or_else(|_| RawValue::NULL.to_owned())
    } else {
        RawValue::NULL.to_owned()
    };
    IncomingOrder { sequence, order, faults, document: document.into() }
}

/// An element as JSON: text stays text, digit for digit. Only for an order that was read without
/// faults, so its depth is that of the documented types.
fn to_json(element: Node<'_, '_>) -> Value {
    let children = || element.children().filter(Node::is_element);
    if element.has_tag_name("orderLines") {
        let lines: Vec<Value> = children().map(to_json).collect();
        return Value::Object(Map::from_iter([("orderLine".to_owned(), lines.into())]));
    }
    if children().next().is_none() {
        return Value::String(text_within(element));
    }
    let member = |child: Node<'_, '_>| (child.tag_name().name().to_owned(), to_json(child));
    Value::Object(children().map(member).collect())
}

/// The child elements of `element`, all of which must be `name`.
fn children<'doc>(
    element: Node<'doc, 'doc>,
    element_name: &'static str,
    name: &str,
) -> Result<Vec<Node<'doc, 'doc>>, Malformed> {
    if element.children().any(is_stray_text) {
        return Err(Malformed::StrayText(element_name));
    }
    let elements: Vec<_> = element.children().filter(Node::is_element).collect();
    match elements.iter().find(|it| it.tag_name() != name.into()) {
        Some(other) => {
            let other = other.tag_name().name().to_owned();
            Err(Malformed::Unknown(element_name, other))
        }
        None => Ok(elements),
    }
}

fn refuse_other_attributes(
    element: Node<'_, '_>,
    element_name: &'static str,
    known: impl Fn(&str) -> bool,
) -> Result<(), Malformed> {
    let unknown = |name: &str, namespace: Option<&str>| namespace.is_some() || !known(name);
    match element.attributes().find(|it| unknown(it.name(), it.namespace())) {
        Some(other) => {
            let attribute = format!("the attribute {}", other.name());
            Err(Malformed::Unknown(element_name, attribute))
        }
        None => Ok(()),
    }
}
