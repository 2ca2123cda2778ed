//! What a provider tells of an order on its own account: one happening for each order that a callback is about.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{DocumentType, EventType, OrderStatus};

/// Something that happened to an order, a trip or goods, by a provider's account.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    pub event: EventType,
    pub order: OrderMention,
    /// An event also where the ledger has no such order; else it waits for one
    pub without_order: bool,
    /// When it happened; when it was told, where the provider does not say
    pub occurred_at: Option<DateTime<Utc>>,
    /// Where the order stands after it, as far as the provider says
    pub status: Option<OrderStatus>,
    /// What was received, where that decides where the order stands
    pub receipt: Option<Receipt>,
    /// Everything that was told: canonical members, and the provider's own under `raw`
    pub data: Map<String, Value>,
    pub warnings: Vec<Warning>,
    /// Equal for what is the same happening, told again; unlike for any other of the account
    pub dedupe_key: String,
}

/// The numbers by which a provider names an order. Either suffices; the provider's own counts first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderMention {
    /// Nothing where the provider's callbacks do not tell the kinds apart
    pub document_type: Option<DocumentType>,
    /// The caller's number
    pub order_number: Option<String>,
    /// The provider's number
    pub provider_order_number: Option<String>,
}

/// Goods of an order that came to a warehouse, maybe one batch of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What the receipts of one order have in common
    pub subject: String,
    /// As the provider counts
    pub quantity: i64,
    /// What is to come in all
    pub total: i64,
    pub counting: Counting,
    /// Where the order stands once all of it is there
    pub status_when_complete: Option<OrderStatus>,
}

/// How the quantities of several receipts add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Counting {
    /// Each says how much has come by then
    Cumulative,
    /// Each says how much came with it
    Incremental,
}

/// Whether what was received is what was to come (CBV dispositions).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Disposition {
    CompletenessVerified,
    MismatchQuantity,
}

/// Something about a happening that is worth a look, though it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// Stable code
    pub code: String,
    /// In English
    pub detail: String,
    /// In Chinese
    pub detail_zh: String,
}

impl Warning {
    pub fn new(code: &str, detail: impl Into<String>, detail_zh: impl Into<String>) -> Self {
        Warning { code: code.to_owned(), detail: detail.into(), detail_zh: detail_zh.into() }
    }
}

impl Happening {
    /// What is received in all, together with the receipts before: decides where the order stands, and is told.
    pub fn received(&mut self, in_all: i64) {
        let Some(receipt) = &self.receipt else { return };
        let disposition = receipt.disposition(in_all);
        if disposition == Disposition::CompletenessVerified {
            self.status = receipt.status_when_complete;
        }
        let warning = receipt.excess(in_all);
        self.data.insert("receivedQuantity".to_owned(), in_all.into());
        self.data.insert("disposition".to_owned(), <&str>::from(disposition).into());
        self.warnings.extend(warning);
    }
}

impl Receipt {
    fn disposition(&self, in_all: i64) -> Disposition {
        if in_all == self.total { Disposition::CompletenessVerified } else { Disposition::MismatchQuantity }
    }

    fn excess(&self, in_all: i64) -> Option<Warning> {
        let total = self.total;
        (in_all > total).then(|| {
            Warning::new(
                "quantity.exceeds_total",
                format!("{in_all} were received, which is more than the {total} of the order"),
                format!("实收数量 {in_all} 超过订单总数量 {total}"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happening(total: i64) -> Happening {
        Happening {
            event: EventType::WarehouseReceiptConfirmed,
            order: OrderMention::default(),
            without_order: true,
            occurred_at: None,
            status: None,
            receipt: Some(Receipt {
                subject: "RK1".to_owned(),
                quantity: 3,
                total,
                counting: Counting::Incremental,
                status_when_complete: Some(OrderStatus::Completed),
            }),
            data: Map::new(),
            warnings: Vec::new(),
            dedupe_key: String::new(),
        }
    }

    #[test]
    fn an_order_is_complete_when_exactly_all_of_it_is_there() {
        for (in_all, status, disposition, warnings) in [
            (9, None, "mismatch_quantity", 0),
            (10, Some(OrderStatus::Completed), "completeness_verified", 0),
            (11, None, "mismatch_quantity", 1),
        ] {
            let mut happening = happening(10);
            happening.received(in_all);
            assert_eq!((happening.status, happening.warnings.len()), (status, warnings), "{in_all}");
            assert_eq!(happening.data["receivedQuantity"], in_all);
            assert_eq!(happening.data["disposition"], disposition);
        }
    }
}
