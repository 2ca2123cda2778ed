//! Keys and accounts that were looked up a moment ago.
//!
//! Nothing may be decided by them alone: a key is refused, and an account is as it is, from the moment at which the
//! ledger says so. They serve where the ledger itself makes sure, in the statement that would count, that they still are
//! what it holds ([`Grounds`](crate::store::grounds::Grounds)); where it does not, they are looked up again.

use super::translating::OpenedAccount;
use crate::lately::Lately;
use crate::store::api_keys::ValidApiKey;

/// What was looked up a moment ago.
#[derive(Default)]
pub struct Remembered {
    /// By their hashes
    pub keys: Lately<Vec<u8>, ValidApiKey>,
    /// By their ids
    pub accounts: Lately<String, OpenedAccount>,
}
