//! Calls that pass straight through to a provider, and what their failures are to callers.

use super::AppState;
use super::problem::{Kind, Problem};
use crate::canonical::{FieldError, SubmissionResult};
use crate::delivery::AskError;
use crate::provider::{self, Call, Calls};
use crate::store::accounts::StoredAccount;
use crate::vault::VaultError;

/// Does one of the account's calls; `what` names it for people.
pub async fn ask<I: 'static, O: 'static>(
    state: &AppState,
    account: &StoredAccount,
    what: &str,
    choose: impl FnOnce(&'static Calls) -> Option<&'static Call<I, O>>,
    input: &I,
) -> Result<O, Problem> {
    state.delivery.ask(&account.id, choose, input).await.map_err(|error| ask_problem(account, what, error))
}

/// The failure of a call to the account's provider; `what` names the call for people.
pub fn ask_problem(account: &StoredAccount, what: &str, error: AskError) -> Problem {
    let name = provider::find(&account.provider).map_or(account.provider.as_str(), |found| found.profile().name);
    match error {
        AskError::Unsupported => Problem::new(Kind::UnsupportedByProvider, format!("{name} cannot {what}.")),
        AskError::Invalid(errors) => Problem::invalid(errors),
        AskError::Refused(results) => Problem::new(Kind::ProviderError, format!("{name} refused to {what}."))
            .with_errors(results.iter().map(as_error).collect()),
        AskError::Throttled(wait) => {
            Problem::new(Kind::RateLimited, format!("The quota of the account at {name} is used up for now."))
                .with_retry_after(wait)
        }
        AskError::CredentialsRefused(said) => {
            Problem::new(Kind::ProviderError, format!("{name} refused the account's credentials: {said}"))
        }
        AskError::SessionExpired => Problem::new(Kind::ProviderError, format!("{name} refused the account's session.")),
        AskError::Unreachable(why) => {
            tracing::warn!(why, "a provider cannot be reached");
            Problem::new(Kind::ProviderError, format!("{name} cannot be reached."))
        }
        AskError::NoAnswer(why) => {
            tracing::warn!(why, "a provider did not answer");
            Problem::new(Kind::ProviderTimeout, format!("{name} did not answer in time."))
        }
        AskError::Unreadable(why) => {
            Problem::new(Kind::ProviderError, format!("{name} answered what this gateway does not understand: {why}"))
        }
        AskError::Unusable(why) => {
            tracing::error!(why, "an account cannot be used");
            Problem::new(Kind::Internal, "The account cannot be used; the log says why.")
        }
        AskError::KeyNotGiven(error) => key_not_given(&error),
        AskError::Store(error) => error.into(),
    }
}

/// This process was not given the master key that sealed an account's credentials.
pub fn key_not_given(error: &VaultError) -> Problem {
    tracing::error!(%error, "an account cannot be used here");
    Problem::new(Kind::Unavailable, "This gateway cannot open the account's credentials; the log says why.")
}

/// What the provider said, in the form of an error.
fn as_error(result: &SubmissionResult) -> FieldError {
    let said = |meaning: &str| match &result.raw_message {
        Some(message) => format!("{meaning}: {message}"),
        None => meaning.to_owned(),
    };
    let pointer = result.pointers.first().cloned().unwrap_or_default();
    FieldError::new(pointer, &result.code, said(&result.message_en), said(&result.message_zh))
}
