//! A claimed batch in its provider's words.

use serde::Deserialize;
use serde_json::Value;

use super::account::Opened;
use super::transmit::Outgoing;
use super::verdict;
use crate::canonical::{FieldError, Order, Severity, SubmissionResult};
use crate::provider::{Batch, Encoding, Endpoint, Item, Outward, Trace, Trip};
use crate::store::claimed::ClaimedItem;
use crate::store::settle::SettledItem;
use crate::store::trips::StoredTrip;

/// A submission with its documents read.
pub struct Prepared {
    /// The document as it shall stand at the provider
    order: Order,
    /// As it stands there before the submission's change
    standing: Option<Order>,
    trip: Option<PreparedTrip>,
}

struct PreparedTrip {
    orders: Vec<Order>,
    driver_phone: String,
}

impl Prepared {
    /// Reads the documents of a submission; `trip` is there for one that makes a trip.
    pub fn of(item: &ClaimedItem, trip: Option<&StoredTrip>) -> Result<Self, String> {
        let standing = || serde_json::from_str::<Order>(&item.order.document).map_err(|error| error.to_string());
        let (order, standing) = if item.change.is_some() {
            let changed = item.changed_document().map_err(|error| error.to_string())?;
            (read(&changed)?, item.order.document_complete.then(standing).transpose()?)
        } else {
            (standing()?, None)
        };
        let trip = trip.map(|trip| {
            let orders = trip.orders.iter().map(|order| read(&order.document)).collect::<Result<_, _>>()?;
            Ok::<_, String>(PreparedTrip { orders, driver_phone: trip.driver_phone.clone() })
        });
        Ok(Prepared { order, standing, trip: trip.transpose()? })
    }

    /// The submission as an adapter sees it.
    pub fn item<'a>(&'a self, claimed: &'a ClaimedItem) -> Item<'a> {
        Item {
            operation: claimed.operation,
            order: &self.order,
            change: claimed.change.as_ref(),
            standing: self.standing.as_ref(),
            provider_order_number: claimed.order.provider_order_number.as_deref(),
            adopted: claimed.order.adopted,
            trip: self.trip.as_ref().map(|trip| Trip { orders: &trip.orders, driver_phone: &trip.driver_phone }),
        }
    }
}

fn read(document: &Value) -> Result<Order, String> {
    Order::deserialize(document).map_err(|error| error.to_string())
}

/// A batch in the provider's words.
pub struct Encoded {
    prepared: Vec<Result<Prepared, String>>,
    refusals: Vec<Vec<FieldError>>,
    /// Nothing where all are refused
    pub request: Option<Outgoing>,
}

impl Encoded {
    pub fn of(
        endpoint: &'static Endpoint,
        items: &[ClaimedItem],
        prepared: Vec<Result<Prepared, String>>,
        outward: &dyn Outward,
        opened: &Opened,
    ) -> Self {
        let readable: Vec<Item<'_>> = items
            .iter()
            .zip(&prepared)
            .filter_map(|(item, prepared)| Some(prepared.as_ref().ok()?.item(item)))
            .collect();
        let batch = Batch { endpoint, account: &opened.account, items: &readable };
        let Encoding { request, items: encodings } = outward.encode(&batch, &mut Trace::off());
        let mut encodings = encodings.into_iter();
        let refusals = prepared
            .iter()
            .map(|prepared| match prepared {
                Ok(_) => encodings.next().map(|encoding| encoding.refusals).unwrap_or_default(),
                Err(why) => vec![FieldError::new("", "translation.unreadable_document", why, "订单文档无法读取")],
            })
            .collect();
        Encoded { prepared, refusals, request: request.map(|request| Outgoing::of(opened, request)) }
    }

    /// Those of the items that are in the request, in its order.
    fn sent<'a>(&'a self, items: &'a [ClaimedItem]) -> impl Iterator<Item = (&'a ClaimedItem, Item<'a>)> {
        items
            .iter()
            .zip(&self.prepared)
            .zip(&self.refusals)
            .filter(|(_, refusals)| refusals.is_empty())
            .filter_map(|((claimed, prepared), _)| Some((claimed, prepared.as_ref().ok()?.item(claimed))))
    }

    /// The fate of every item: refusals by the gateway, the others by `fate_of_sent`.
    pub fn settle<'a>(
        &'a self,
        items: &'a [ClaimedItem],
        fate_of_sent: impl FnOnce(&[&'a ClaimedItem], &[Item<'a>]) -> Vec<SettledItem>,
    ) -> Vec<SettledItem> {
        let (sent, as_sent): (Vec<_>, Vec<_>) = self.sent(items).unzip();
        let mut fates = fate_of_sent(&sent, &as_sent);
        let refused = items.iter().zip(&self.refusals).filter(|(_, refusals)| !refusals.is_empty());
        fates.extend(
            refused.map(|(item, refusals)| verdict::refused(item, refusals.iter().map(refusal_result).collect())),
        );
        fates
    }
}

fn refusal_result(refusal: &FieldError) -> SubmissionResult {
    SubmissionResult::gateway(&refusal.code, Severity::Error, false, &refusal.detail, &refusal.detail_zh)
        .at(refusal.pointer.clone())
}
