//! What may happen, drawn at random.

use onelane::canonical::OrderStatus;
use onelane::provider::Verdict;
use proptest::collection::vec;
use proptest::prelude::*;

/// What happens. Indexes go round.
#[derive(Debug, Clone)]
pub enum Step {
    Place,
    Amend(usize),
    ChangeCustomFields(usize),
    Cancel(usize),
    Claim {
        limit: u16,
    },
    /// An exchange ends, with an answer for each of its items
    Settle {
        exchange: usize,
        answers: [Said; 3],
    },
    /// An exchange is given up before a byte has left
    Release(usize),
    /// A worker that was already settled, or whose lease is over, comes back
    SettleAgain(usize),
    Wait(u64),
    /// Leases that ran out are found.
    Recover,
    Retry(usize),
    Resolve {
        submission: usize,
        accepted: bool,
    },
    /// The provider calls about an order.
    Told {
        order: usize,
        status: OrderStatus,
    },
}

/// What an exchange brings: the provider's verdict, or evidence where it was asked for that.
#[derive(Debug, Clone, Copy)]
pub enum Said {
    Verdict(Verdict),
    NotSent,
    NoAnswer,
}

fn said() -> impl Strategy<Value = Said> {
    let verdicts = [
        Verdict::PartiallyAccepted,
        Verdict::AlreadyExists,
        Verdict::Throttled { retry_after: None },
        Verdict::SessionExpired,
        Verdict::BatchTooLarge,
        Verdict::SendSingly,
        Verdict::RetrySoon,
        Verdict::RetryLater,
        Verdict::RetryFewTimes,
    ];
    prop_oneof![
        3 => Just(Said::Verdict(Verdict::Accepted)),
        2 => Just(Said::Verdict(Verdict::Rejected)),
        3 => Just(Said::Verdict(Verdict::Unknown)),
        4 => prop::sample::select(verdicts.to_vec()).prop_map(Said::Verdict),
        1 => Just(Said::NotSent),
        2 => Just(Said::NoAnswer),
    ]
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = 0..1000_usize;
    let told = prop::sample::select(vec![
        OrderStatus::Requested,
        OrderStatus::Confirmed,
        OrderStatus::InTransit,
        OrderStatus::Completed,
        OrderStatus::Cancelled,
    ]);
    let step = prop_oneof![
        3 => Just(Step::Place),
        3 => index.clone().prop_map(Step::Amend),
        1 => index.clone().prop_map(Step::ChangeCustomFields),
        2 => index.clone().prop_map(Step::Cancel),
        8 => (1_u16..4).prop_map(|limit| Step::Claim { limit }),
        8 => (index.clone(), [said(), said(), said()]).prop_map(|(exchange, answers)| Step::Settle { exchange, answers }),
        1 => index.clone().prop_map(Step::Release),
        1 => index.clone().prop_map(Step::SettleAgain),
        5 => prop::sample::select(vec![1, 40, 100, 700, 2_000]).prop_map(Step::Wait),
        2 => Just(Step::Recover),
        2 => index.clone().prop_map(Step::Retry),
        2 => (index.clone(), any::<bool>()).prop_map(|(submission, accepted)| Step::Resolve { submission, accepted }),
        1 => (index, told).prop_map(|(order, status)| Step::Told { order, status }),
    ];
    vec(step, 5..60)
}
