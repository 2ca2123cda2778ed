//! The life of submissions under any sequence of steps: applications that queue and cancel, workers that claim, settle
//! or die, evidence, providers that call, people who decide. After every step what must always hold is looked at, and
//! at the end everything comes to an end.

mod laws;
mod steps;

use std::collections::HashMap;
use std::time::Duration;

use onelane::canonical::{
    Action, DocumentType, EventType, Happening, Operation, OrderMention, OrderStatus, SubmissionResult,
};
use onelane::delivery::verdict;
use onelane::provider::{Evidence, Limit, Outcome, Verdict};
use onelane::store::Store;
use onelane::store::accept::NewOrder;
use onelane::store::accounts::NewAccount;
use onelane::store::callbacks::NewCallback;
use onelane::store::claim::{Claim, ClaimRequest};
use onelane::store::claimed::{ClaimedBatch, ClaimedItem};
use onelane::store::decide::{Decided, Resolution};
use onelane::store::happen::{Reading, Turn};
use onelane::store::lanes::LaneKey;
use onelane::store::settle::{Fenced, SettledItem, Settlement};
use onelane::store::submit::{CancelledHere, NewSubmission, Submitted};
use onelane::throttle::Pace;
use onelane::vault::Sealed;
use proptest::prelude::*;
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use laws::{Row, check_each, check_moves, check_orders};
use steps::{Said, Step, steps};

use super::{cases, runtime};
use crate::harness::{TestDatabase, by_a_test, known_keys};

/// A batch that was claimed, and how far the clock had been moved then.
struct Open {
    batch: ClaimedBatch,
    at: u64,
}

struct Bench<'a> {
    database: &'a TestDatabase,
    store: &'a Store,
    connection: PgConnection,
    account: String,
    lane: LaneKey,
    /// What ends a doubt about a creation
    evidence: Evidence,
    orders: Vec<Uuid>,
    open: Vec<Open>,
    closed: Vec<ClaimedBatch>,
    rows: Vec<Row>,
    moved: u64,
    changes: u32,
}

/// The lease of a batch, in seconds.
const LEASE: u64 = 90;

impl<'a> Bench<'a> {
    async fn new(database: &'a TestDatabase, store: &'a Store, evidence: Evidence) -> Self {
        let account = format!("a{}", &Uuid::new_v4().simple().to_string()[..20]);
        let new = NewAccount {
            id: account.clone(),
            provider: "tms".to_owned(),
            display_name: account.clone(),
            base_url: "http://tms.test".to_owned(),
            credentials: Sealed { bytes: Vec::new(), key_id: known_keys().remove(0) },
            settings: json!({}),
            throttles: json!({}),
            throttle_group: account.clone(),
            public_callback_url: None,
            queue_limit: None,
        };
        assert!(store.add_account(&new, &by_a_test(Action::CreateAccount)).await.unwrap());
        let lane = LaneKey { provider: new.provider, throttle_group: account.clone(), endpoint: "orders".to_owned() };
        Bench {
            database,
            store,
            connection: database.connection().await,
            account,
            lane,
            evidence,
            orders: Vec::new(),
            open: Vec::new(),
            closed: Vec::new(),
            rows: Vec::new(),
            moved: 0,
            changes: 0,
        }
    }

    /// One step, and what must hold after it.
    async fn take(&mut self, step: &Step) {
        match step {
            Step::Place => self.place().await,
            Step::Amend(order) => self.change(*order, Operation::Amend).await,
            Step::ChangeCustomFields(order) => self.change(*order, Operation::UpdateCustomFields).await,
            Step::Cancel(order) => self.cancel(*order).await,
            Step::Claim { limit } => {
                self.claim(*limit).await;
            }
            Step::Settle { exchange, answers } => self.settle(*exchange, answers).await,
            Step::Release(exchange) => self.release(*exchange).await,
            Step::SettleAgain(exchange) => self.settle_again(*exchange).await,
            Step::Wait(seconds) => self.wait(*seconds).await,
            Step::Recover => self.recover().await,
            Step::Retry(submission) => self.retry(*submission).await,
            Step::Resolve { submission, accepted } => self.resolve(*submission, *accepted).await,
            Step::Told { order, status } => self.told(*order, *status).await,
        }
        let before = std::mem::take(&mut self.rows);
        self.rows = self.read().await;
        check_each(&self.rows);
        check_orders(&self.rows);
        check_moves(&before, &self.rows, step);
    }

    async fn read(&mut self) -> Vec<Row> {
        sqlx::query_as(
            "select s.id, s.order_id, s.operation, s.change, s.state, s.ready, s.finished_at is not null as finished, s.attempts,
                 s.exchanges, s.may_exist, s.cleared, s.misses,
                 exists (select from exchanges e where e.id = s.exchange_id and e.finished_at is null) as carried,
                 array(select a.number from attempts a where a.submission_id = s.id order by a.number) as numbers,
                 (select count(*) from attempts a where a.submission_id = s.id and a.outcome is null) as open_attempts,
                 o.status, o.placed, o.version, o.document::jsonb as document
             from submissions s join orders o on o.id = s.order_id where s.account_id = $1 order by s.order_id, s.sequence",
        )
        .bind(&self.account)
        .fetch_all(&mut self.connection)
        .await
        .unwrap()
    }

    async fn place(&mut self) {
        let order_id = Uuid::now_v7();
        let number = order_id.to_string();
        let new = NewOrder {
            order_id,
            submission_id: Uuid::now_v7(),
            account_id: self.account.clone(),
            provider: self.lane.provider.clone(),
            endpoint: self.lane.endpoint.clone(),
            document_type: DocumentType::TransportOrder,
            customer_reference: None,
            document: json!({"orderNumber": number}).to_string().into(),
            order_number: number,
            batch_key: String::new(),
            notices: Vec::new(),
            idempotency: None,
            grounds: None,
            queue_limit: None,
            trace_parent: None,
        };
        self.store.accept_order(new).await.unwrap();
        self.orders.push(order_id);
    }

    fn order(&self, index: usize) -> Option<Uuid> {
        (!self.orders.is_empty()).then(|| self.orders[index % self.orders.len()])
    }

    /// Queues a change as the API does: on an order that was never placed, a corrected creation.
    async fn change(&mut self, index: usize, wanted: Operation) {
        let Some(id) = self.order(index) else { return };
        let order = self.store.order(id).await.unwrap().unwrap();
        let is_cancelled = order.placed && order.status == OrderStatus::Cancelled;
        if order.unfinished.contains(&Operation::Cancel) || is_cancelled {
            return;
        }
        let exists_or_will = order.placed || order.unfinished.contains(&Operation::Create);
        let operation = if exists_or_will { wanted } else { Operation::Create };
        self.changes += 1;
        let change = json!({"remarks": self.changes});
        self.submit(id, order.version, operation, Some(&change)).await;
    }

    async fn submit(&self, order_id: Uuid, checked_version: i64, operation: Operation, change: Option<&Value>) {
        let new = NewSubmission {
            submission_id: Uuid::now_v7(),
            order_id,
            checked_version,
            endpoint: &self.lane.endpoint,
            operation,
            change,
            batch_key: "",
            notices: &[],
            idempotency: None,
            queue_limit: None,
            trace_parent: None,
        };
        assert_eq!(self.store.submit(&new).await.unwrap(), Submitted::Queued);
    }

    /// Cancels as the API does: here where nothing was sent, else at the provider.
    async fn cancel(&mut self, index: usize) {
        let Some(id) = self.order(index) else { return };
        let order = self.store.order(id).await.unwrap().unwrap();
        if order.status == OrderStatus::Cancelled {
            return;
        }
        match self.store.cancel_here(id, order.version, None).await.unwrap() {
            CancelledHere::Done => {
                let sent = self.rows.iter().any(|row| row.order_id == id && row.is("sending"));
                assert!(!sent, "what is on its way is not cancelled here");
            }
            CancelledHere::TooLate => {
                let is_there = order.placed || order.unfinished.contains(&Operation::Create);
                if is_there && !order.unfinished.contains(&Operation::Cancel) {
                    self.submit(id, order.version, Operation::Cancel, None).await;
                }
            }
            other => panic!("{other:?}"),
        }
    }

    async fn claim(&mut self, limit: u16) -> bool {
        let limit_of_lane = Limit { requests: 1000, window: Duration::from_secs(1) };
        let pace = Pace { spacing: Duration::ZERO, ..Pace::of(limit_of_lane) };
        let request = ClaimRequest {
            lane: &self.lane,
            pace: &pace,
            in_flight_limit: 1000,
            batch_limit: limit,
            doubtful_limit: 1,
            head_start: Duration::ZERO,
            key_ids: &known_keys(),
        };
        let batch = loop {
            match self.store.claim(&request).await.unwrap() {
                // The lane's row was just made.
                Claim::NoToken(wait) if wait.is_zero() => {}
                Claim::Batch(batch) => break self.store.orders_of_batch(batch).await.unwrap(),
                Claim::NothingDue => return false,
                Claim::NoToken(_) | Claim::LaneFull => panic!("there is always a token"),
            }
        };
        assert!(batch.items.len() <= usize::from(limit) && (!batch.doubtful || batch.items.len() == 1));
        for item in &batch.items {
            assert_eq!(item.may_exist && !item.cleared, batch.doubtful, "doubts go apart");
        }
        self.open.push(Open { batch, at: self.moved });
        true
    }

    fn evidence_of(&self, item: &ClaimedItem) -> Evidence {
        match item.operation {
            Operation::Create | Operation::CreateTrip => self.evidence,
            Operation::Cancel => Evidence::FindCancelled,
            Operation::Amend | Operation::UpdateCustomFields => Evidence::Resend,
        }
    }

    fn settlement(&self, batch: &ClaimedBatch, items: Vec<SettledItem>) -> Settlement {
        Settlement {
            exchange_id: batch.exchange_id,
            lane: self.lane.clone(),
            account_id: self.account.clone(),
            claimed: batch.booked,
            record: None,
            error: None,
            items,
            reached: Some(true),
            throttled_for: None,
            pause: None,
        }
    }

    fn items(&self, batch: &ClaimedBatch, answers: &[Said]) -> Vec<SettledItem> {
        let items = batch.items.iter().zip(answers.iter().cycle());
        items.map(|(item, said)| self.fate(batch, item, *said)).collect()
    }

    /// What becomes of an item, as delivery decides it.
    fn fate(&self, batch: &ClaimedBatch, item: &ClaimedItem, said: Said) -> SettledItem {
        let evidence = self.evidence_of(item);
        if batch.doubtful && evidence.looks_first() {
            return evidence_found(item, evidence, said);
        }
        match said {
            Said::NotSent => verdict::not_sent(item, "refused", 0.5),
            Said::NoAnswer => verdict::no_answer(item, "silence", 0.5),
            Said::Verdict(Verdict::BatchTooLarge | Verdict::SendSingly) if batch.items.len() == 1 => {
                verdict::settle(item, outcome(item, Verdict::Rejected), evidence, 0.5)
            }
            Said::Verdict(verdict) => verdict::settle(item, outcome(item, verdict), evidence, 0.5),
        }
    }

    async fn settle(&mut self, index: usize, answers: &[Said]) {
        if self.open.is_empty() {
            return;
        }
        let Open { batch, at } = self.open.remove(index % self.open.len());
        let settlement = self.settlement(&batch, self.items(&batch, answers));
        let age = self.moved - at;
        match self.store.settle(&settlement).await.unwrap() {
            Fenced::Settled { .. } => assert!(age < LEASE, "the lease was over"),
            Fenced::TooLate => assert!(age > LEASE - 30, "the lease was not over"),
        }
        self.closed.push(batch);
    }

    async fn release(&mut self, index: usize) {
        if self.open.is_empty() {
            return;
        }
        let Open { batch, at } = self.open.remove(index % self.open.len());
        let fenced = self.store.release(batch.exchange_id).await.unwrap();
        assert!(fenced == Fenced::TooLate || self.moved - at < LEASE, "the lease was over");
        self.closed.push(batch);
    }

    async fn settle_again(&mut self, index: usize) {
        if self.closed.is_empty() {
            return;
        }
        let batch = &self.closed[index % self.closed.len()];
        let items = self.items(batch, &[Said::Verdict(Verdict::Accepted)]);
        // Of a batch whose lease is over and was not found yet, it is just too late.
        assert_eq!(self.store.settle(&self.settlement(batch, items)).await.unwrap(), Fenced::TooLate);
        assert_eq!(self.store.release(batch.exchange_id).await.unwrap(), Fenced::TooLate);
        assert_eq!(self.read().await, self.rows, "who comes too late changes nothing");
    }

    async fn wait(&mut self, seconds: u64) {
        self.database.advance(Duration::from_secs(seconds)).await;
        self.moved += seconds;
    }

    async fn recover(&mut self) {
        let result = verdict::no_answer_result();
        while !self.store.put_lost_exchanges_in_doubt(&result, verdict::MOST_ATTEMPTS).await.unwrap().is_empty() {}
    }

    fn submission(&self, index: usize) -> Option<Row> {
        (!self.rows.is_empty()).then(|| self.rows[index % self.rows.len()].clone())
    }

    async fn retry(&mut self, index: usize) {
        let Some(row) = self.submission(index) else { return };
        let later = self.rows.iter().skip_while(|other| other.id != row.id).skip(1);
        let overtaken = later.filter(|other| other.order_id == row.order_id).any(|other| {
            let corrects = row.operation == "create" && other.operation == "create" && !other.finished;
            other.exchanges > 0 || corrects
        });
        match self.store.retry_submission(row.id, &by_a_test(Action::RetrySubmission)).await.unwrap() {
            Decided::Done => {
                assert!(["dead", "rejected", "in_doubt"].contains(&row.state.as_str()) && !overtaken, "{row:?}");
            }
            Decided::WrongState(_) => assert!(!["dead", "rejected", "in_doubt"].contains(&row.state.as_str())),
            Decided::Overtaken => assert!(overtaken, "{row:?}"),
            Decided::Unknown => panic!("it is there"),
        }
    }

    async fn resolve(&mut self, index: usize, accepted: bool) {
        let Some(row) = self.submission(index) else { return };
        let resolution = Resolution { accepted, provider_order_number: None, reason: "seen", decided_by: Uuid::nil() };
        let decided =
            self.store.resolve_submission(row.id, &resolution, &by_a_test(Action::ResolveSubmission)).await.unwrap();
        assert_eq!(decided == Decided::Done, row.is("in_doubt"), "{row:?}");
    }

    async fn told(&mut self, index: usize, status: OrderStatus) {
        let Some(order_id) = self.order(index) else { return };
        let id = Uuid::now_v7();
        let headers = json!([]);
        let new = NewCallback {
            id,
            account_id: &self.account,
            provider: &self.lane.provider,
            headers: &headers,
            body: b"{}",
            trace_parent: None,
        };
        self.store.keep_callback(&new).await.unwrap();
        let event = match status {
            OrderStatus::Cancelled => EventType::OrderCancelled,
            OrderStatus::Requested => EventType::OrderPlaced,
            OrderStatus::Confirmed => EventType::OrderConfirmed,
            OrderStatus::InTransit => EventType::TransportPickedUp,
            _ => EventType::TransportDelivered,
        };
        let happening = Happening {
            event,
            order: OrderMention { order_number: Some(order_id.to_string()), ..OrderMention::default() },
            without_order: false,
            occurred_at: None,
            status: Some(status),
            receipt: None,
            data: serde_json::Map::new(),
            warnings: Vec::new(),
            dedupe_key: id.to_string(),
        };
        self.store.settle_callback(id, Reading::Happened(vec![happening]), Turn::Gateway).await.unwrap();
    }

    /// Lets everything come to an end: every provider answers, every lost exchange is found, and people decide what
    /// is left to them.
    async fn finish(&mut self) {
        for _ in 0..100 {
            if self.rows.iter().all(|row| row.finished) {
                return self.check_ends().await;
            }
            self.take(&Step::Wait(2_000)).await;
            self.take(&Step::Recover).await;
            while self.claim(3).await {
                let accepted = [Said::Verdict(Verdict::Accepted); 3];
                self.take(&Step::Settle { exchange: self.open.len() - 1, answers: accepted }).await;
            }
            for index in 0..self.rows.len() {
                if self.rows[index].is("in_doubt") && !self.rows[index].ready {
                    self.take(&Step::Resolve { submission: index, accepted: true }).await;
                }
            }
        }
        panic!("some never end: {:?}", self.rows);
    }

    async fn check_ends(&mut self) {
        let events: Vec<(Uuid, String, i64)> = sqlx::query_as(
            "select order_id, type, count(*) from events where account_id = $1 and order_id is not null group by 1, 2",
        )
        .bind(&self.account)
        .fetch_all(&mut self.connection)
        .await
        .unwrap();
        let events: HashMap<(Uuid, String), i64> =
            events.into_iter().map(|(order, event, count)| ((order, event), count)).collect();
        for row in &self.rows {
            let told = |event: &str| events.get(&(row.order_id, event.to_owned())).copied().unwrap_or(0);
            assert!(told(&format!("submission.{}", row.state)) > 0, "nobody was told: {row:?}");
            // One that was cancelled here, and then corrected, may be cancelled again.
            let creations =
                self.rows.iter().filter(|other| other.order_id == row.order_id && other.operation == "create");
            let creations = i64::try_from(creations.count()).unwrap();
            assert!(told("order.placed") <= 1 && told("order.cancelled") <= creations, "told once: {row:?}");
            assert!(row.status != "cancelled" || told("order.cancelled") > 0, "nobody was told: {row:?}");
            let mut of_order = self.rows.iter().filter(|other| other.order_id == row.order_id);
            let last = of_order.rfind(|other| other.is_taken() && other.change.is_some());
            let remarks = last.and_then(|last| last.change.as_ref()?.get("remarks"));
            assert_eq!(row.document.get("remarks"), remarks, "the document has what was taken, and nothing else");
        }
    }
}

fn outcome(item: &ClaimedItem, verdict: Verdict) -> Outcome {
    let taken = matches!(verdict, Verdict::Accepted | Verdict::PartiallyAccepted);
    let (status, event) = match item.operation {
        Operation::Create | Operation::CreateTrip => (Some(OrderStatus::Requested), EventType::OrderPlaced),
        Operation::Cancel => (Some(OrderStatus::Cancelled), EventType::OrderCancelled),
        Operation::Amend | Operation::UpdateCustomFields => (None, EventType::OrderAmended),
    };
    Outcome {
        provider_order_number: taken.then(|| format!("PN-{}", item.order_id)),
        status: status.filter(|_| taken),
        event: taken.then_some(event),
        ..Outcome::only(verdict, Vec::new())
    }
}

/// What becomes of a doubt when the provider was asked.
fn evidence_found(item: &ClaimedItem, evidence: Evidence, said: Said) -> SettledItem {
    match said {
        Said::Verdict(Verdict::Accepted | Verdict::PartiallyAccepted | Verdict::AlreadyExists) => {
            verdict::settle(item, outcome(item, Verdict::Accepted), evidence, 0.5)
        }
        Said::Verdict(Verdict::Rejected) => {
            let misses = item.misses + 1;
            SettledItem {
                due_in: Some(if misses < 2 { Duration::from_secs(30) } else { Duration::ZERO }),
                counts: false,
                misses,
                cleared: misses >= 2,
                ..verdict::unchanged(item)
            }
        }
        Said::Verdict(Verdict::Unknown) => {
            let result =
                SubmissionResult::gateway("evidence.ambiguous", onelane::canonical::Severity::Error, false, "?", "?");
            verdict::left_to_a_person(item, result)
        }
        Said::NotSent => verdict::not_sent(item, "refused", 0.5),
        Said::NoAnswer | Said::Verdict(_) => verdict::still_doubtful(item, "silence", 0.5),
    }
}

#[test]
fn what_must_always_hold_holds_after_any_step() {
    let runtime = runtime();
    let (database, store) = runtime.block_on(async {
        let database = TestDatabase::create().await;
        let store = database.store().await;
        (database, store)
    });
    let evidence = prop::sample::select(vec![Evidence::Resend, Evidence::FindOrder, Evidence::FindSingleOrder]);
    proptest!(cases(32), |(evidence in evidence, steps in steps())| {
        runtime.block_on(async {
            let mut bench = Bench::new(&database, &store, evidence).await;
            for step in &steps {
                bench.take(step).await;
            }
            bench.finish().await;
        });
    });
}
