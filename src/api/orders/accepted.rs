//! An order that was accepted just now, as its caller sees it: from what was kept, without reading it again.

use std::sync::Arc;

use uuid::Uuid;

use super::create::CheckedOrder;
use crate::api::AppState;
use crate::api::problem::Problem;
use crate::api::views::{OrderView, SubmissionView};
use crate::canonical::{HoldReason, Operation, SubmissionState};
use crate::delivery::EndedCreation;
use crate::store::accept::{NewOrder, Queued};
use crate::store::grounds::Grounds;
use crate::store::idempotency::IdempotencyKey;
use crate::store::submissions::StoredSubmission;

/// An order that may be kept, and what it was checked against.
pub struct Candidate {
    pub new: NewOrder,
    pub checked: CheckedOrder,
}

impl Candidate {
    pub fn of(checked: CheckedOrder, idempotency: Option<IdempotencyKey>, trace_parent: Option<&str>) -> Self {
        let CheckedOrder { order, document, translated, queue_limit, quota: _ } = &checked;
        let new = NewOrder {
            order_id: Uuid::now_v7(),
            submission_id: Uuid::now_v7(),
            account_id: order.account.clone(),
            provider: translated.lane.provider.clone(),
            endpoint: translated.lane.endpoint.clone(),
            document_type: order.document_type(),
            order_number: order.order_number.clone(),
            customer_reference: order.customer_reference.clone(),
            document: Arc::clone(document),
            batch_key: translated.batch_key.clone(),
            notices: translated.notices.clone(),
            idempotency,
            grounds: None,
            queue_limit: *queue_limit,
            trace_parent: trace_parent.map(str::to_owned),
        };
        Candidate { new, checked }
    }

    /// The same, to be kept only if what it was checked against still stands.
    pub fn on(mut self, grounds: Grounds) -> Self {
        self.new.grounds = Some(grounds);
        self
    }
}

/// The accepted order, with an estimate of when it goes out: what is queued before it, at the lane's pace.
pub async fn alone(
    state: &AppState,
    checked: CheckedOrder,
    (order_id, submission_id): (Uuid, Uuid),
    queued: Queued,
) -> Result<OrderView, Problem> {
    let lane = &checked.translated.lane;
    let estimate = match &checked.quota {
        Some(quota) if queued.held_by != Some(HoldReason::AccountPaused) => {
            let account = &checked.order.account;
            let ahead = state.backlogs.before(&state.store, account, &lane.endpoint, queued.at).await?;
            Some(queued.lane_free_at + quota.time_of(ahead))
        }
        _ => None,
    };
    let stored = submission(&checked, (order_id, submission_id), queued);
    Ok(OrderView::accepted(checked.document, SubmissionView::of(stored, estimate)))
}

/// The accepted order as one of many.
pub fn among_others(checked: CheckedOrder, ids: (Uuid, Uuid), queued: Queued) -> OrderView {
    let stored = submission(&checked, ids, queued);
    OrderView::accepted(checked.document, SubmissionView::of(stored, None))
}

/// The accepted order after its creation ended.
pub fn and_ended(mut checked: CheckedOrder, ids: (Uuid, Uuid), queued: Queued, ended: EndedCreation) -> OrderView {
    let EndedCreation { state, provider_order_number, attempts, may_exist, results, order } = ended;
    let before = submission(&checked, ids, queued);
    let notices_and_results = before.results.iter().cloned().chain(results).collect();
    let stored = StoredSubmission {
        state,
        provider_order_number,
        attempts,
        may_exist,
        ready: false,
        held_by: None,
        updated_at: order.updated_at,
        results: notices_and_results,
        ..before
    };
    checked.order.provider_order_number.clone_from(&order.provider_order_number);
    OrderView::settled(checked.order, order, SubmissionView::of(stored, None))
}

fn submission(checked: &CheckedOrder, (order_id, id): (Uuid, Uuid), queued: Queued) -> StoredSubmission {
    StoredSubmission {
        id,
        order_id,
        account_id: checked.order.account.clone(),
        provider: checked.translated.lane.provider.clone(),
        endpoint: checked.translated.lane.endpoint.clone(),
        operation: Operation::Create,
        state: SubmissionState::Queued,
        provider_order_number: None,
        attempts: 0,
        may_exist: false,
        ready: true,
        due_at: queued.at,
        held_by: queued.held_by,
        lane_free_at: queued.lane_free_at,
        created_at: queued.at,
        updated_at: queued.at,
        results: checked.translated.notices.clone(),
    }
}
