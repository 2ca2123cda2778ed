//! orderImport's answer as oTMS writes it: OrderImportResponse, OrderResponse, ResponseCode.

use crate::provider::xml::{XmlElement, XmlError, read_document};

/// `orderImportResponse`
#[derive(Debug, PartialEq, Eq)]
pub struct OrderImportResponse {
    pub version: Option<String>,
    /// Empty when the request as a whole was taken; `0` means that authentication failed
    pub response_code: Option<String>,
    /// A count, which the document's own example gets wrong
    pub processed_orders: Option<String>,
    pub orders: Vec<OrderResponse>,
}

/// `order` in the answer
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

/// Why an answer is none of orderImport.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("the answer {0}")]
    Xml(#[from] XmlError),
    #[error("the answer's root element is {0}, not orderImportResponse")]
    WrongRoot(String),
    #[error("the answer has no responseCode")]
    NoResponseCode,
}

/// Reads the answer. The root's name and `responseCode` must be there: an HTML page has neither.
pub fn read_order_import_response(body: &[u8]) -> Result<OrderImportResponse, AnswerError> {
    let root = read_document(body)?;
    if root.name != "orderImportResponse" {
        return Err(AnswerError::WrongRoot(root.name));
    }
    if root.child("responseCode").is_none() {
        return Err(AnswerError::NoResponseCode);
    }
    let text = |name: &str| root.child_text(name).map(str::to_owned);
    Ok(OrderImportResponse {
        version: root.attribute("version").map(str::to_owned),
        response_code: text("responseCode"),
        processed_orders: text("processedOrders"),
        orders: root
            .child("orders")
            .map(|orders| orders.children("order").map(read_order).collect())
            .unwrap_or_default(),
    })
}

fn read_order(order: &XmlElement) -> OrderResponse {
    let text = |name: &str| order.child_text(name).map(str::to_owned);
    OrderResponse {
        sequence: order.attribute("sequence").and_then(|sequence| sequence.trim().parse().ok()),
        client_reference_number: text("clientReferenceNumber"),
        import_status: text("importStatus"),
        response_codes: order
            .child("responseCodes")
            .into_iter()
            .flat_map(|codes| codes.children("responseCode"))
            .filter_map(|code| code.child_text("code").map(str::to_owned))
            .collect(),
        response_code_parameters: order.child("responseCodeParameters").map(pairs).unwrap_or_default(),
        order_number: text("orderNumber"),
        erp_number: text("erpNumber"),
        error_messages: error_messages(order),
    }
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
