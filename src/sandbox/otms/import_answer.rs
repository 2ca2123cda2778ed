//! The result of one order of orderImport: the members of OrderResponse, in the order of the
//! document's example and, where it is silent (`erpNumber`, `errorMsgs`), of its table.

use std::borrow::Cow;

use super::answer::Xml;
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
    /// Those that an order in the books can have.
    const HELD: [Self; 4] = [Self::Draft, Self::Inbox, Self::Released, Self::Dispatched];

    pub fn held(name: &str) -> Option<Self> {
        Self::HELD.into_iter().find(|it| it.as_str() == name)
    }

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
pub struct ImportResult {
    pub sequence: i32,
    pub client_reference_number: Option<String>,
    /// An [`ImportStatus`], or whatever word a fault was given.
    pub status: Cow<'static, str>,
    pub faults: Vec<Fault>,
    pub order_number: Option<String>,
    pub erp_number: Option<String>,
}

pub fn write(out: &mut Xml, result: &ImportResult) {
    let ImportResult { sequence, client_reference_number, status, faults, order_number, erp_number } = result;
    out.open(&format!("order sequence=\"{sequence}\""));
    if client_reference_number.is_some() {
        out.leaf("clientReferenceNumber", client_reference_number.as_deref());
    }
    out.leaf("importStatus", Some(status));
    out.response_codes(faults);
    out.leaf("orderNumber", order_number.as_deref());
    if erp_number.is_some() {
        out.leaf("erpNumber", erp_number.as_deref());
    }
    if !faults.is_empty() {
        // The table has errorMsgs as array[string] and no example; a list elsewhere is an element
        // of the plural that holds elements of the singular.
        out.open("errorMsgs");
        for fault in faults {
            out.leaf("errorMsg", Some(&fault.message));
        }
        out.close("errorMsgs");
    }
    out.close("order");
}
