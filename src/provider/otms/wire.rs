//! Answers as oTMS writes them: OrderImportResponse and its parts, and orderCustomUpdate's, of which the
//! document has an example only.

use crate::provider::reading::MOST_RESULTS;
use crate::provider::xml::{XmlElement, XmlError, read_document};

/// `orderImportResponse`, `orderUpdateResponse`
#[derive(Debug, PartialEq, Eq)]
pub struct Envelope<T> {
    pub version: Option<String>,
    /// Empty when the request as a whole was taken; `0` means that authentication failed
    pub response_code: Option<String>,
    /// A count, which orderImport's own example gets wrong
    pub processed_orders: Option<String>,
    pub orders: Vec<T>,
}

/// `order` in an interface's answer.
pub trait Answered: Sized {
    /// Name of the answer's root element
    const ROOT: &'static str;

    fn read(order: &XmlElement) -> Self;

    /// The place that the order had in the request
    fn sequence(&self) -> Option<usize>;
}

/// `order` in orderImport's answer
#[derive(Debug, PartialEq, Eq)]
pub struct OrderResponse {
    pub sequence: Option<usize>,
    pub client_reference_number: Option<String>,
    pub import_status: Option<String>,
    pub response_codes: Vec<String>,
    /// Its form is not documented: kept as `name=text` pairs
    pub response_code_parameters: Vec<String>,
    /// May be empty for an order that was created
    pub order_number: Option<String>,
    pub erp_number: Option<String>,
    pub error_messages: Vec<String>,
}

/// `order` in orderCustomUpdate's answer
#[derive(Debug, PartialEq, Eq)]
pub struct UpdateResponse {
    pub sequence: Option<usize>,
    pub erp_number: Option<String>,
    pub order_number: Option<String>,
    /// `UPDATED`; no other value is documented
    pub update_status: Option<String>,
    /// Empty in the example; read as in orderImport's answer
    pub response_codes: Vec<String>,
    /// Not documented: by its name, the element that is at fault
    pub error_column_name: Option<String>,
}

/// Why an answer is none of the interface.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("the answer {0}")]
    Xml(#[from] XmlError),
    #[error("the answer's root element is {found}, not {expected}")]
    WrongRoot { found: String, expected: &'static str },
    #[error("the answer has no responseCode")]
    NoResponseCode,
}

/// Reads an answer. The root's name and `responseCode` must be there: an HTML page has neither.
pub fn read_response<T: Answered>(body: &[u8]) -> Result<Envelope<T>, AnswerError> {
    let root = read_document(body)?;
    if root.name != T::ROOT {
        return Err(AnswerError::WrongRoot { found: root.name, expected: T::ROOT });
    }
    if root.child("responseCode").is_none() {
        return Err(AnswerError::NoResponseCode);
    }
    Ok(Envelope {
        version: root.attribute("version").map(str::to_owned),
        response_code: text(&root, "responseCode"),
        processed_orders: text(&root, "processedOrders"),
        orders: root.child("orders").map(|orders| orders.children("order").map(T::read).collect()).unwrap_or_default(),
    })
}

impl Answered for OrderResponse {
    const ROOT: &'static str = "orderImportResponse";

    fn read(order: &XmlElement) -> Self {
        OrderResponse {
            sequence: sequence(order),
            client_reference_number: text(order, "clientReferenceNumber"),
            import_status: text(order, "importStatus"),
            response_codes: response_codes(order),
            response_code_parameters: order.child("responseCodeParameters").map(pairs).unwrap_or_default(),
            order_number: text(order, "orderNumber"),
            erp_number: text(order, "erpNumber"),
            error_messages: error_messages(order),
        }
    }

    fn sequence(&self) -> Option<usize> {
        self.sequence
    }
}

impl Answered for UpdateResponse {
    const ROOT: &'static str = "orderUpdateResponse";

    fn read(order: &XmlElement) -> Self {
        UpdateResponse {
            sequence: sequence(order),
            erp_number: text(order, "erpNumber"),
            order_number: text(order, "orderNumber"),
            update_status: text(order, "updateStatus"),
            response_codes: response_codes(order),
            error_column_name: text(order, "errorColumnName"),
        }
    }

    fn sequence(&self) -> Option<usize> {
        self.sequence
    }
}

fn text(element: &XmlElement, name: &str) -> Option<String> {
    element.child_text(name).map(str::to_owned)
}

fn sequence(order: &XmlElement) -> Option<usize> {
    order.attribute("sequence").and_then(|sequence| sequence.trim().parse().ok())
}

fn response_codes(order: &XmlElement) -> Vec<String> {
    order
        .child("responseCodes")
        .into_iter()
        .flat_map(|codes| codes.children("responseCode"))
        .filter_map(|code| text(code, "code"))
        // One more than is taken, so that the answer is refused and nothing of it dropped.
        .take(MOST_RESULTS + 1)
        .collect()
}

/// `errorMsgs` is an array of texts whose element form is not documented: text of its own, children, or
/// repetition are all read.
fn error_messages(order: &XmlElement) -> Vec<String> {
    let mut messages = Vec::new();
    for element in order.children("errorMsgs") {
        messages.extend(Some(element.text.clone()).filter(|text| !text.is_empty()));
        messages.extend(element.children.iter().map(|child| child.text.clone()).filter(|text| !text.is_empty()));
    }
    messages
}

fn pairs(element: &XmlElement) -> Vec<String> {
    let mut pairs = Vec::new();
    if !element.text.is_empty() {
        pairs.push(element.text.clone());
    }
    for child in &element.children {
        if child.children.is_empty() {
            pairs.push(format!("{}={}", child.name, child.text));
        } else {
            pairs.extend(self::pairs(child));
        }
    }
    pairs
}
