//! The result of one order of orderCustomUpdate, in the form of the document's example. What it
//! does not show is as in orderImport: a code is `responseCodes/responseCode/code`.

use std::borrow::Cow;

use super::answer::Xml;
use super::members::Fault;

/// updateStatus; the document shows only the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateStatus {
    Updated,
    NotUpdated,
}

impl UpdateStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Updated => "UPDATED",
            Self::NotUpdated => "NOT UPDATED",
        }
    }
}

pub struct UpdateResult {
    pub sequence: i32,
    pub erp_number: Option<String>,
    pub order_number: Option<String>,
    /// An [`UpdateStatus`], or whatever word a fault was given.
    pub status: Cow<'static, str>,
    pub faults: Vec<Fault>,
}

pub fn write(out: &mut Xml, result: &UpdateResult) {
    let UpdateResult { sequence, erp_number, order_number, status, faults } = result;
    out.open(&format!("order sequence=\"{sequence}\""));
    out.leaf("erpNumber", erp_number.as_deref());
    out.leaf("orderNumber", order_number.as_deref());
    out.leaf("updateStatus", Some(status));
    out.response_codes(faults);
    let member = faults.iter().find_map(|it| it.member.as_deref());
    out.leaf("errorColumnName", member.and_then(|path| path.rsplit('/').next()));
    out.close("order");
}
