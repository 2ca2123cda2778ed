//! Hongxun WMS (鸿讯): it calls us when goods of an inbound order came in, maybe batch by batch. Source: the document of
//! 入库单状态确认接口(分批回传使用), and its public appendix on signatures.

mod confirmation;
mod moment;
mod profile;
mod settings;
mod signature;
mod wire;

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use crate::canonical::Happening;
use crate::provider::{
    Account, Callback, CallbackReply, Inward, Outward, Profile, Provider, Reception, Refusal, Verification, Verified,
};

/// The Hongxun adapter.
pub struct Hongxun;

impl Provider for Hongxun {
    fn profile(&self) -> &'static Profile {
        &profile::PROFILE
    }

    /// Of what Hongxun takes we have no document.
    fn outward(&self) -> Option<&dyn Outward> {
        None
    }

    fn inward(&self) -> Option<&dyn Inward> {
        Some(self)
    }
}

impl Inward for Hongxun {
    fn verify(&self, account: &Account, callback: &Callback<'_>, now: DateTime<Utc>) -> Verification {
        signature::verify(account, callback.body, now)
    }

    fn parse(&self, account: &Account, callback: &Verified<'_>) -> Result<Vec<Happening>, Refusal> {
        confirmation::parse(account, callback.body()).map(|happening| vec![happening])
    }

    fn reply(&self, reception: Reception<'_>) -> CallbackReply {
        confirmation::reply(reception)
    }
}
