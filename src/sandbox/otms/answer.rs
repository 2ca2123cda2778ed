//! Writes an orderImport answer: the members of OrderImportResponse and OrderResponse, in the
//! order of the document's example and, where it is silent (`erpNumber`, `errorMsgs`), of their
//! tables.

use quick_xml::escape::escape;

use super::members::Fault;

/// importStatus
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportStatus {
    NotImported,
    Draft,
    Inbox,
    Released,
    Dispatched,
}

impl ImportStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotImported => "NOT IMPORTED",
            Self::Draft => "DRAFT",
            Self::Inbox => "INBOX",
            Self::Released => "RELEASED",
            Self::Dispatched => "DISPATCHED",
        }
    }
}

/// OrderResponse
pub struct OrderAnswer {
    pub sequence: i32,
    pub client_reference_number: Option<String>,
    pub status: ImportStatus,
    pub faults: Vec<Fault>,
    pub order_number: Option<String>,
    pub erp_number: Option<String>,
}

/// A request that was refused as a whole: a global code and no orders.
pub fn refused(code: &str) -> String {
    let mut out = Xml::begin();
    out.leaf("responseCode", Some(code));
    out.leaf("processedOrders", Some("0"));
    out.end()
}

/// A request whose orders were processed, each with its own result. The global code is empty:
/// that is what success looks like.
pub fn processed(orders: &[OrderAnswer]) -> String {
    let mut out = Xml::begin();
    out.leaf("responseCode", None);
    // The example says 2 with four orders; the table says 处理的订单数量, so all of them.
    out.leaf("processedOrders", Some(&orders.len().to_string()));
    out.open("orders");
    for order in orders {
        out.order(order);
    }
    out.close("orders");
    out.end()
}

struct Xml(String);

impl Xml {
    fn begin() -> Self {
        let declaration = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
        Self(format!("{declaration}\n<orderImportResponse version=\"0.1\">"))
    }

    fn end(mut self) -> String {
        self.close("orderImportResponse");
        self.0
    }

    fn order(&mut self, order: &OrderAnswer) {
        let OrderAnswer { sequence, client_reference_number, status, faults, order_number, erp_number } = order;
        self.open(&format!("order sequence=\"{sequence}\""));
        if client_reference_number.is_some() {
            self.leaf("clientReferenceNumber", client_reference_number.as_deref());
        }
        self.leaf("importStatus", Some(status.as_str()));
        self.open("responseCodes");
        for code in codes_of(faults) {
            self.open("responseCode");
            self.leaf("code", Some(code));
            self.close("responseCode");
        }
        self.close("responseCodes");
        self.leaf("orderNumber", order_number.as_deref());
        if erp_number.is_some() {
            self.leaf("erpNumber", erp_number.as_deref());
        }
        if !faults.is_empty() {
            // The table has errorMsgs as array[string] and no example; a list elsewhere is an
            // element of the plural that holds elements of the singular.
            self.open("errorMsgs");
            for fault in faults {
                self.leaf("errorMsg", Some(&fault.message));
            }
            self.close("errorMsgs");
        }
        self.close("order");
    }

    fn leaf(&mut self, name: &str, text: Option<&str>) {
        match text {
            Some(text) => {
                self.open(name);
                self.0.push_str(&escape(text));
                self.close(name);
            }
            None => self.open(&format!("{name}/")),
        }
    }

    fn open(&mut self, tag: &str) {
        self.0.push('<');
        self.0.push_str(tag);
        self.0.push('>');
    }

    fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }
}

/// Each code once, in the order in which it was found first.
fn codes_of(faults: &[Fault]) -> Vec<&'static str> {
    let mut codes = Vec::new();
    for fault in faults {
        if !codes.contains(&fault.code) {
            codes.push(fault.code);
        }
    }
    codes
}
