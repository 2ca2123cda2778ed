//! ILE OMS: cross-border parcels in JSON. Source: the interface document 编辑订单 (editOrderByApi), as of
//! 2025-12-16.

mod codes;
mod decode;
mod encode;
mod encoder;
mod goods;
mod party;
mod profile;
mod settings;
mod wire;

#[cfg(test)]
mod tests;

use crate::canonical::{FieldError, Operation, Order};
use crate::provider::{
    Account, AccountDraft, Answer, Batch, Calls, Encoding, Endpoint, Inward, Item, Outcome, Outward, Profile, Provider,
    Trace,
};

/// The ILE adapter.
pub struct Ile;

impl Provider for Ile {
    fn profile(&self) -> &'static Profile {
        &profile::PROFILE
    }

    fn outward(&self) -> Option<&dyn Outward> {
        Some(self)
    }

    /// The document has no calls back.
    fn inward(&self) -> Option<&dyn Inward> {
        None
    }
}

impl Outward for Ile {
    /// A request holds one order; nothing is shared.
    fn batch_key(&self, _: &Account, _: Operation, _: &Order) -> String {
        String::new()
    }

    fn check_account(&self, account: &AccountDraft<'_>) -> Vec<FieldError> {
        settings::check_account(account)
    }

    fn encode(&self, batch: &Batch<'_>, trace: &mut Trace) -> Encoding {
        encode::edit_order(batch, trace)
    }

    fn decode(&self, _: &Endpoint, items: &[Item<'_>], answer: &Answer<'_>) -> Vec<Outcome> {
        decode::edit_order(items, answer)
    }

    fn calls(&self) -> &'static Calls {
        &Calls::NONE
    }
}
