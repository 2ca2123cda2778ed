//! 3TMS (CTMS, 快货运): transport orders (运单), trips (车次) and acceptance orders (受理单) in JSON. Source: 3TMS/CTMS
//! open interface document.

mod answer;
mod callbacks;
mod calls;
mod cargo;
mod carried;
mod change;
mod codes;
mod consignees;
mod consigner;
mod create_order;
mod custom_fields;
mod custom_notes;
mod customer_order;
mod decode;
mod encoder;
mod entity;
mod geo;
mod held;
mod modify_order;
mod moment;
mod number;
mod profile;
mod request;
mod settings;
mod stop;

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use crate::canonical::{FieldError, Happening, Operation, Order};
use crate::provider::{
    Account, AccountDraft, Answer, Batch, Callback, CallbackReply, Calls, Encoding, Endpoint, Inward, Item, Outcome,
    Outward, Profile, Provider, Reception, Refusal, Trace, Verification, Verified,
};

/// The 3TMS adapter.
pub struct Ttms;

impl Provider for Ttms {
    fn profile(&self) -> &'static Profile {
        &profile::PROFILE
    }

    fn outward(&self) -> Option<&dyn Outward> {
        Some(self)
    }

    fn inward(&self) -> Option<&dyn Inward> {
        Some(self)
    }
}

impl Inward for Ttms {
    /// Its calls carry nothing that could be verified, but for the secret of their path.
    fn verify(&self, _: &Account, _: &Callback<'_>, _: DateTime<Utc>) -> Verification {
        Verification::Genuine
    }

    fn parse(&self, _: &Account, callback: &Verified<'_>) -> Result<Vec<Happening>, Refusal> {
        callbacks::parse(callback.body())
    }

    fn reply(&self, reception: Reception<'_>) -> CallbackReply {
        callbacks::reply(reception)
    }
}

impl Outward for Ttms {
    /// Creations share a request only where the account allows it: what becomes of the others when one is bad is
    /// not documented.
    fn batch_key(&self, account: &Account, operation: Operation, order: &Order) -> String {
        match operation {
            Operation::Create if !settings::TtmsSettings::of(account).batch_create => order.order_number.clone(),
            _ => String::new(),
        }
    }

    fn check_account(&self, _: &AccountDraft<'_>) -> Vec<FieldError> {
        Vec::new()
    }

    fn encode(&self, batch: &Batch<'_>, trace: &mut Trace) -> Encoding {
        match batch.endpoint.id {
            profile::CREATE_ORDER => create_order::create_order(batch, trace),
            profile::CREATE_ORDER_PACK => create_order::create_order_pack(batch, trace),
            profile::CREATE_CUSTOMER_ORDER => customer_order::create_customer_order(batch, trace),
            profile::UPDATE_CUSTOMER_ORDER => customer_order::update_customer_order(batch, trace),
            profile::CANCEL_ORDERS | profile::CANCEL_CUSTOMER_ORDERS => number::cancellation(batch, trace),
            _ => modify_order::modify_order(batch, trace),
        }
    }

    fn decode(&self, endpoint: &Endpoint, items: &[Item<'_>], answer: &Answer<'_>) -> Vec<Outcome> {
        decode::outcomes(endpoint.id, items, answer)
    }

    fn calls(&self) -> &'static Calls {
        &calls::CALLS
    }
}
