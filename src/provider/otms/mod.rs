//! oTMS: transport orders in XML. Source: oTMS open platform, interface documents orderImport and
//! orderCustomUpdate, version 0.1.

mod answer;
mod cargo;
mod charges;
mod codes;
mod custom_fields;
mod custom_update;
mod decode;
mod encode;
mod encoder;
mod head;
mod profile;
mod schedule;
mod settings;
mod stop;
mod wire;

#[cfg(test)]
mod tests;

use crate::canonical::{FieldError, Operation, Order};
use crate::provider::{
    Account, AccountDraft, Answer, Batch, Calls, Encoding, Endpoint, Inward, Item, Outcome, Outward, Profile, Provider,
    Trace,
};

/// The oTMS adapter.
pub struct Otms;

impl Provider for Otms {
    fn profile(&self) -> &'static Profile {
        &profile::PROFILE
    }

    fn outward(&self) -> Option<&dyn Outward> {
        Some(self)
    }

    /// The documents have no calls back.
    fn inward(&self) -> Option<&dyn Inward> {
        None
    }
}

impl Outward for Otms {
    /// `source` stands on orderImport's request, so one request holds one.
    fn batch_key(&self, _: &Account, operation: Operation, order: &Order) -> String {
        match operation {
            Operation::UpdateCustomFields => String::new(),
            _ => settings::order_extension(order).source.unwrap_or_default(),
        }
    }

    fn check_account(&self, account: &AccountDraft<'_>) -> Vec<FieldError> {
        settings::check_account(account)
    }

    fn encode(&self, batch: &Batch<'_>, trace: &mut Trace) -> Encoding {
        match batch.endpoint.id {
            profile::ORDER_CUSTOM_UPDATE => custom_update::order_custom_update(batch, trace),
            _ => encode::order_import(batch, trace),
        }
    }

    fn decode(&self, endpoint: &Endpoint, items: &[Item<'_>], answer: &Answer<'_>) -> Vec<Outcome> {
        match endpoint.id {
            profile::ORDER_CUSTOM_UPDATE => decode::order_custom_update(items, answer),
            _ => decode::order_import(items, answer),
        }
    }

    fn calls(&self) -> &'static Calls {
        &Calls::NONE
    }
}
