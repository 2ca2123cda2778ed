//! What a provider answers, read by every decoder of every adapter: those of operations, and those of calls.

use std::fmt::Debug;

use chrono::Datelike;

use super::adapters::{SENDING, Sending, items};
use super::soundness::{cuts, is_storable, is_whole};
use crate::canonical::SubmissionResult;
use crate::provider::{
    Answer, Call, LONGEST_NUMBER, OperationProfile, OrderReference, OrderSearch, Outcome, Party, PartyRole,
    ProviderOrder, Reply, Session, SubscriptionWish, Verdict, read_answer, read_reply, usable,
};

/// No decoder panics, whatever is answered; the same answer says the same; and an answer that is no whole document
/// decides nothing.
pub fn answers(body: &[u8]) {
    for sending in SENDING.iter() {
        for operation in sending.profile.operations {
            read_operation(sending, operation, body);
        }
        read_calls(sending, body);
    }
}

fn read_operation(sending: &Sending, operation: &OperationProfile, body: &[u8]) {
    let endpoint = sending.profile.endpoint(operation.endpoint).expect("every operation has its endpoint");
    let counts = if endpoint.batch_limit > 1 { 1..=2 } else { 1..=1 };
    for count in counts {
        let items = items(operation, count);
        let read = |status, body| {
            let answer = Answer { status, retry_after: None, body };
            read_answer(sending.outward, endpoint, &items, &answer)
        };
        let outcomes = read(200, body);
        assert_eq!(outcomes, read(200, body), "the same answer says the same");
        assert_eq!(outcomes.len(), count, "one outcome for each item");
        outcomes.iter().for_each(check_outcome);
        assert_eq!(read(503, body).len(), count);
        let decides = |outcomes: &[Outcome]| outcomes.iter().any(decides);
        if decides(&outcomes) {
            assert!(is_whole(body), "nonsense decides nothing: {outcomes:?}");
            for end in cuts(body.len()).filter(|end| !is_whole(&body[..*end])) {
                assert!(!decides(&read(200, &body[..end])), "half an answer decides nothing: {end} bytes");
            }
        }
    }
}

fn decides(outcome: &Outcome) -> bool {
    matches!(
        outcome.verdict,
        Verdict::Accepted | Verdict::PartiallyAccepted | Verdict::Rejected | Verdict::AlreadyExists
    )
}

/// The ledger can hold everything that an outcome says.
fn check_outcome(outcome: &Outcome) {
    let Outcome { verdict: _, provider_order_number, status: _, event: _, results, trip } = outcome;
    let of_trip = trip.iter().flat_map(|trip| trip.orders.iter().chain([&trip.trip]));
    for number in provider_order_number.iter().chain(of_trip) {
        check_number(number);
    }
    results.iter().for_each(check_result);
}

fn check_number(number: &str) {
    assert!(is_storable(number) && !number.is_empty() && number.chars().count() <= LONGEST_NUMBER, "{number:?}");
}

fn check_result(result: &SubmissionResult) {
    let SubmissionResult {
        provider,
        scope,
        raw_code,
        raw_message,
        code,
        category,
        severity: _,
        retryable: _,
        pointers,
        message_zh,
        message_en,
    } = result;
    let texts = [provider, scope, raw_code, code, category, message_zh, message_en];
    assert!(texts.into_iter().chain(pointers).chain(raw_message).all(|text| is_storable(text)), "{result:?}");
    assert!(!code.is_empty() && code.starts_with(category.as_str()), "{result:?}");
    assert!(pointers.iter().all(|pointer| pointer.is_empty() || pointer.starts_with('/')), "{result:?}");
}

fn read_calls(sending: &Sending, body: &[u8]) {
    let calls = sending.outward.calls();
    if let Some(session) = &calls.session {
        read_call(&session.open, &(), body);
        read_call(&session.renew, &Session::new("{}".to_owned()), body);
    }
    let reference = OrderReference {
        order_number: "SO-1".to_owned(),
        customer_reference: Some("CR-1".to_owned()),
        provider_order_number: None,
        adopted: false,
    };
    for lookup in calls.find_orders {
        if let Some(found) = read_call(&lookup.call, &reference, body)
            && let Ok(found) = usable(found)
        {
            found.iter().for_each(check_order);
        }
    }
    for search in calls.search_orders {
        let page = OrderSearch { page: 1, size: 50, ..OrderSearch::default() };
        if let Some(page) = read_call(&search.call, &page, body) {
            assert!(page.orders.len() <= body.len());
        }
    }
    if let Some(call) = &calls.organizations {
        read_call(call, &(), body);
    }
    if let Some(call) = &calls.put_parties {
        read_call(call, &vec![party()], body);
    }
    if let Some(call) = &calls.unbind_devices {
        read_call(&call.call, &vec!["PN-1".to_owned()], body);
    }
    for subscription in calls.subscriptions {
        let wish = SubscriptionWish { states: Vec::new(), callback_url: "https://gateway.test/".to_owned() };
        read_call(&subscription.subscribe, &wish, body);
        read_call(&subscription.unsubscribe, &(), body);
    }
}

fn check_order(order: &ProviderOrder) {
    check_number(&order.provider_order_number);
    for milestone in &order.milestones {
        assert!((1..=9999).contains(&milestone.occurred_at.year()), "RFC 3339 has four digits: {milestone:?}");
    }
}

fn party() -> Party {
    Party {
        name: "n".to_owned(),
        phone: "1".to_owned(),
        address: "a".to_owned(),
        role: PartyRole::Consignee,
        payment_term: crate::canonical::PaymentTerm::MonthlyAccount,
        remarks: None,
    }
}

/// Reads an answer to a call; gives what was done, if it was.
fn read_call<I, O: Debug>(call: &Call<I, O>, input: &I, body: &[u8]) -> Option<O> {
    let read = |status, body| read_reply(call, input, &Answer { status, retry_after: None, body });
    let reply = read(200, body);
    assert_eq!(format!("{reply:?}"), format!("{:?}", read(200, body)), "the same answer says the same");
    let decides = |reply: &Reply<O>| matches!(reply, Reply::Done(_) | Reply::Refused(_));
    if decides(&reply) {
        assert!(is_whole(body), "nonsense decides nothing: {reply:?}");
        for end in cuts(body.len()).filter(|end| !is_whole(&body[..*end])) {
            assert!(!decides(&read(200, &body[..end])), "half an answer decides nothing: {end} bytes");
        }
    }
    assert!(!matches!(read(503, body), Reply::Done(_)), "a failure of the server does nothing");
    match reply {
        Reply::Refused(results) | Reply::CredentialsRefused(results) => {
            results.iter().for_each(check_result);
            None
        }
        Reply::Unreadable(why) => {
            assert!(is_storable(&why), "{why:?}");
            None
        }
        Reply::Done(done) => Some(done),
        Reply::Throttled { .. } | Reply::SessionExpired => None,
    }
}
