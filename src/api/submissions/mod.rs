//! Submissions.

pub mod attempts;
pub mod get;
pub mod list;
pub mod resolve;
pub mod retry;

use uuid::Uuid;

use super::AppState;
use super::auth::Caller;
use super::problem::{Kind, Problem};
use super::views::SubmissionView;
use crate::canonical::SubmissionState;
use crate::delivery::LaneQuota;
use crate::provider;
use crate::store::decide::Decided;
use crate::store::lanes::LaneKey;
use crate::store::submissions::StoredSubmission;

/// The submission that the caller may see.
async fn read(state: &AppState, caller: &Caller, id: Uuid) -> Result<StoredSubmission, Problem> {
    let submission = state.store.submission(id).await?.filter(|found| caller.may_use(&found.account_id));
    submission.ok_or_else(|| Problem::not_found("submission"))
}

/// A submission with an estimate of when it goes out: what is queued before it, at the lane's pace.
pub async fn view(state: &AppState, submission: StoredSubmission) -> Result<SubmissionView, Problem> {
    let waits = matches!(submission.state, SubmissionState::Queued | SubmissionState::InDoubt);
    let held = submission.held_by.is_some_and(|reason| {
        use crate::canonical::HoldReason::{AccountPaused, EarlierSubmission};
        matches!(reason, AccountPaused | EarlierSubmission)
    });
    if !waits || held || !submission.ready {
        return Ok(SubmissionView::of(submission, None));
    }
    let endpoint =
        provider::find(&submission.provider).and_then(|provider| provider.profile().endpoint(&submission.endpoint));
    let account = state.store.account(&submission.account_id).await?;
    let (Some(endpoint), Some(account)) = (endpoint, account) else { return Ok(SubmissionView::of(submission, None)) };
    let quota = LaneQuota::of(endpoint, std::iter::once(&account.throttles));
    let ahead = state.store.queued_before(&submission.account_id, &submission.endpoint, submission.due_at).await?;
    let now = state.store.now().await?;
    let estimate = submission.lane_free_at.max(now) + quota.time_of(ahead);
    Ok(SubmissionView::of(submission, Some(estimate)))
}

/// The lane through which a submission goes, as long as its account is there.
async fn lane_of(state: &AppState, submission: &StoredSubmission) -> Result<Option<LaneKey>, Problem> {
    Ok(state.store.account(&submission.account_id).await?.map(|account| LaneKey {
        provider: submission.provider.clone(),
        throttle_group: account.throttle_group,
        endpoint: submission.endpoint.clone(),
    }))
}

/// A decision that was not taken, as a problem.
fn outcome_of(decided: &Decided) -> Result<(), Problem> {
    match decided {
        Decided::Done => Ok(()),
        Decided::WrongState(state) => {
            Err(Problem::new(Kind::StateConflict, format!("The submission is {state}, which allows no such decision.")))
        }
        Decided::Overtaken => Err(Problem::new(
            Kind::StateConflict,
            "A later submission of this order has gone out, or corrects this one; sending this one now would undo it.",
        )),
        Decided::Unknown => Err(Problem::not_found("submission")),
    }
}
