//! Providers: what each of them can do, how a canonical order becomes its document and its answer becomes
//! canonical again.
//!
//! An adapter is a set of pure functions from values to bytes and from bytes to values. It knows no HTTP
//! client, no clock and no database; what its provider's document says can be tested with a string.
//! A new provider is one folder here and one line in [`ALL`] (and its sandbox twin).

mod account;
mod calls;
mod carriage;
#[cfg(test)]
mod coverage;
mod exchange;
mod hongxun;
mod ile;
mod inward;
mod json;
mod mask;
mod otms;
mod pointer;
mod profile;
mod reading;
mod schema;
mod telephone;
mod ttms;
pub(crate) mod xml;

use crate::canonical::{FieldError, Operation, Order};

pub use account::{Account, AccountDraft, CommonSettings, Credentials, Session};
pub use calls::{
    Call, Calls, DeviceCall, Lookup, OrderReference, OrderSearch, Organization, Party, PartyRole, ProviderMilestone,
    ProviderOrder, ProviderOrderPage, Reply, Search, SearchTime, SessionCalls, Subscription, SubscriptionWish,
};
pub use carriage::{Translation, Written, translate, translate_with};
pub use exchange::{
    Answer, Batch, Encoding, Item, ItemEncoding, Lineage, Outcome, Request, Trace, Trip, TripNumbers, Verdict,
};
pub use inward::{
    Callback, CallbackReply, Inward, LONGEST_NUMBER, MOST_ORDERS, Reception, Refusal, Verification, Verified,
    dedupe_key, read_callback,
};
pub use mask::Mask;
pub use profile::{Carries, Catalogue, DeclaredSchema, Endpoint, Evidence, Limit, OperationProfile, Profile};
pub use reading::{read_answer, read_reply, usable};
pub use schema::{check_account, check_public_callback_url, extension_components, settings_schema};

/// Every provider. The only place that lists them.
pub static ALL: &[&dyn Provider] = &[&otms::Otms, &ttms::Ttms, &ile::Ile, &hongxun::Hongxun];

/// The provider with this id.
pub fn find(id: &str) -> Option<&'static dyn Provider> {
    ALL.iter().copied().find(|provider| provider.profile().id == id)
}

/// A logistics system.
pub trait Provider: Send + Sync {
    /// What the provider's documents declare.
    fn profile(&self) -> &'static Profile;

    /// What can be sent to it; nothing for a provider that only calls us.
    fn outward(&self) -> Option<&dyn Outward>;

    /// What it calls back; nothing for a provider that only answers.
    fn inward(&self) -> Option<&dyn Inward>;
}

/// What can be sent to a provider, and how its answers are read. Pure functions.
pub trait Outward: Send + Sync {
    /// Submissions may share a request only when this is equal for both.
    fn batch_key(&self, account: &Account, operation: Operation, order: &Order) -> String;

    /// Rules of this provider on an account's credentials and settings that its schemas cannot say.
    fn check_account(&self, account: &AccountDraft<'_>) -> Vec<FieldError>;

    /// The request that carries the batch. An item that cannot be carried is refused with pointers and left
    /// out; the others go.
    fn encode(&self, batch: &Batch<'_>, trace: &mut Trace) -> Encoding;

    /// What the answer says of each item, in the order of `items`, which are the items of the request in
    /// the order of their positions there. What cannot be read is [`Verdict::Unknown`].
    fn decode(&self, endpoint: &Endpoint, items: &[Item<'_>], answer: &Answer<'_>) -> Vec<Outcome>;

    /// What else can be asked of the provider, or told to it.
    fn calls(&self) -> &'static Calls;
}
