//! What the ledger alone takes of one order that somebody waits for: its two questions, asked without a gateway.

use std::time::{Duration, Instant};

use onelane::canonical::{
    DocumentType, EventType, Operation, OrderStatus, Severity, SubmissionResult, SubmissionState,
};
use onelane::provider::Limit;
use onelane::store::accept::NewOrder;
use onelane::store::at_once::KeptAtOnce;
use onelane::store::claim::ClaimRequest;
use onelane::store::exchanges::PackedBody;
use onelane::store::grounds::Grounds;
use onelane::store::lanes::LaneKey;
use onelane::store::settle::{ExchangeRecord, Fenced, ResponseRecord, SettledItem, Settlement};
use onelane::store::{Store, StoreOptions};
use onelane::throttle::Pace;
use uuid::Uuid;

use crate::gateway::{ACCOUNT, ENDPOINT, key_ids};

pub struct Ledger {
    store: Store,
    grounds: Grounds,
    lane: LaneKey,
    key_ids: Vec<String>,
}

impl Ledger {
    /// The ledger of a gateway, for as long as that has nothing to do.
    pub async fn open(database_url: &str) -> Self {
        let options = StoreOptions { database_url: database_url.to_owned(), max_connections: 4 };
        let store = Store::connect(&options).await.unwrap();
        let hash = sqlx::query_scalar("select hash from api_keys").fetch_one(store.pool()).await.unwrap();
        let key = store.valid_api_key(hash).await.unwrap().unwrap();
        let account = store.account(ACCOUNT).await.unwrap().unwrap();
        let grounds = Grounds { api_key: (key.id, key.row), account: account.row };
        let lane = LaneKey {
            provider: account.provider,
            throttle_group: account.throttle_group,
            endpoint: ENDPOINT.to_owned(),
        };
        Ledger { store, grounds, lane, key_ids: key_ids() }
    }

    /// The time in which an order is kept and claimed, and its exchange settled.
    pub async fn keep_and_settle(&self, order_number: &str, order: String, request: &str) -> Duration {
        let new = NewOrder {
            order_id: Uuid::now_v7(),
            submission_id: Uuid::now_v7(),
            account_id: ACCOUNT.to_owned(),
            provider: self.lane.provider.clone(),
            endpoint: self.lane.endpoint.clone(),
            document_type: DocumentType::TransportOrder,
            order_number: order_number.to_owned(),
            customer_reference: None,
            document: order.into(),
            batch_key: String::new(),
            notices: Vec::new(),
            idempotency: None,
            grounds: None,
            queue_limit: None,
            trace_parent: None,
        };
        let pace =
            Pace { spacing: Duration::ZERO, ..Pace::of(Limit { requests: 1_000_000, window: Duration::from_secs(1) }) };
        let claim = ClaimRequest {
            lane: &self.lane,
            pace: &pace,
            in_flight_limit: 16,
            batch_limit: 1,
            doubtful_limit: 1,
            head_start: Duration::ZERO,
            key_ids: &self.key_ids,
        };
        let begun = Instant::now();
        let kept = self.store.keep_and_claim(&new, &self.grounds, &claim).await.unwrap();
        let took = begun.elapsed();
        let KeptAtOnce::Claimed(_, batch) = kept else { panic!("the lane has nothing else to do") };
        let settlement = Settlement {
            exchange_id: batch.exchange_id,
            lane: self.lane.clone(),
            account_id: batch.account_id,
            claimed: batch.booked,
            record: Some(record(batch.booked, request)),
            error: None,
            items: vec![SettledItem {
                provider_order_number: Some(order_number.to_owned()),
                order_status: Some(OrderStatus::Requested),
                order_event: Some(EventType::OrderPlaced),
                results: vec![SubmissionResult::gateway("accepted.created", Severity::Info, false, "taken", "已接受")],
                ..SettledItem::in_state(new.submission_id, new.order_id, Operation::Create, SubmissionState::Accepted)
            }],
            reached: Some(true),
            throttled_for: None,
            pause: None,
        };
        let begun = Instant::now();
        let settled = self.store.settle(&settlement).await.unwrap();
        let took = took + begun.elapsed();
        assert!(matches!(settled, Fenced::Settled { order: Some(_), .. }));
        took
    }

    pub async fn close(self) {
        self.store.close().await;
    }
}

fn record(sent: tokio::time::Instant, request: &str) -> ExchangeRecord {
    let headers = vec![("content-type".to_owned(), "application/xml".to_owned())];
    ExchangeRecord {
        method: "PUT",
        url: "http://provider.test/orders".to_owned(),
        request_headers: headers.clone(),
        request_body: PackedBody::pack(request.as_bytes()),
        sent,
        took: Duration::from_millis(1),
        response: Some(ResponseRecord {
            status: 200,
            headers,
            body: PackedBody::pack(b"<orderImportResponse><orders><order/></orders></orderImportResponse>"),
        }),
    }
}
