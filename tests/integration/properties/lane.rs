//! The token bucket as the ledger keeps it: in no half-open window of the documented length do more requests leave
//! than the limit allows, whoever takes the tokens, and whatever happens to the clock of the ledger meanwhile.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use onelane::canonical::{Action, DocumentType};
use onelane::provider::Limit;
use onelane::store::Store;
use onelane::store::accept::{Accepted, NewOrder};
use onelane::store::accounts::NewAccount;
use onelane::store::api_keys::NewApiKey;
use onelane::store::at_once::KeptAtOnce;
use onelane::store::claim::{Claim, ClaimRequest};
use onelane::store::grounds::{Grounds, RowVersion};
use onelane::store::lanes::LaneKey;
use onelane::throttle::{MOST_LATENESS, Pace};
use onelane::vault::Sealed;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{cases, runtime};
use crate::harness::{TestDatabase, by_a_test, known_keys};

/// What happens to a lane. All times are milliseconds.
#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    /// Requests that go by themselves, each after the one before, each leaving so late after its slot
    Ask {
        requests: usize,
        patience: u64,
        late: u64,
    },
    /// A batch, which leaves as soon as it may or after its slot, or is given up because it would leave too late
    Send {
        head_start: u64,
        soon: bool,
        late: u64,
        /// Kept and claimed in one go, if the lane rests
        at_once: bool,
    },
    /// The provider asks for silence
    Silence(u64),
    /// The clock of the ledger is set back
    SetBack(u64),
    /// The limit of the lane changes
    Override {
        requests: u32,
        window: u64,
    },
}

fn limits() -> impl Strategy<Value = (u32, u64)> {
    // Both kinds of window; those with more than 66 requests allow a burst.
    prop_oneof![(1_u32..12, 200_u64..=10_000), (60_u32..200, 10_001_u64..20_000)]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let late = 0..=40_u64;
    let step = prop_oneof![
        3 => prop_oneof![0_u64..50, 0_u64..3_000].prop_map(Step::Wait),
        4 => (1_usize..12, 0_u64..3_000, late.clone())
            .prop_map(|(requests, patience, late)| Step::Ask { requests, patience, late }),
        4 => (0_u64..300, any::<bool>(), late, any::<bool>())
            .prop_map(|(head_start, soon, late, at_once)| Step::Send { head_start, soon, late, at_once }),
        1 => (0_u64..2_000).prop_map(Step::Silence),
        1 => (1_u64..5_000).prop_map(Step::SetBack),
        1 => limits().prop_map(|(requests, window)| Step::Override { requests, window }),
    ];
    vec(step, 1..40)
}

/// A lane of its own, and time as it really goes.
struct Bench<'a> {
    store: &'a Store,
    connection: PgConnection,
    lane: LaneKey,
    grounds: Grounds,
    pace: Pace,
    /// Time as it goes
    now: Duration,
    /// How far the ledger's clock was set back
    behind: Duration,
    /// When requests left, since the limit is what it is
    left: Vec<Duration>,
}

const EPOCH: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).unwrap();

/// A key that orders were checked with.
async fn api_key(store: &Store) -> (Uuid, RowVersion) {
    let id = Uuid::now_v7();
    let new = NewApiKey {
        id,
        name: "test",
        hash: id.as_bytes(),
        scopes: &[],
        accounts: None,
        expires_at: None,
        requests_per_second: None,
        burst: None,
    };
    assert!(store.add_api_key(&new, &by_a_test(Action::CreateApiKey)).await.unwrap());
    (id, store.valid_api_key(id.as_bytes().to_vec()).await.unwrap().unwrap().row)
}

impl<'a> Bench<'a> {
    async fn new(database: &TestDatabase, store: &'a Store, (requests, window): (u32, u64)) -> Self {
        let id = format!("a{}", &Uuid::new_v4().simple().to_string()[..20]);
        let account = NewAccount {
            id: id.clone(),
            provider: "tms".to_owned(),
            display_name: id.clone(),
            base_url: "http://tms.test".to_owned(),
            credentials: Sealed { bytes: Vec::new(), key_id: known_keys().remove(0) },
            settings: json!({}),
            throttles: json!({}),
            throttle_group: id.clone(),
            public_callback_url: None,
            queue_limit: None,
        };
        assert!(store.add_account(&account, &by_a_test(Action::CreateAccount)).await.unwrap());
        let row = store.account(&id).await.unwrap().unwrap().row;
        let grounds = Grounds { api_key: api_key(store).await, account: row };
        let lane = LaneKey { provider: account.provider, throttle_group: id, endpoint: "orders".to_owned() };
        Bench {
            store,
            connection: database.connection().await,
            lane,
            grounds,
            pace: Pace::of(Limit { requests, window: Duration::from_millis(window) }),
            now: Duration::from_secs(60),
            behind: Duration::ZERO,
            left: Vec::new(),
        }
    }

    /// Puts the ledger's clock where it is now.
    async fn set_clock(&mut self) {
        let at = EPOCH + TimeDelta::from_std(self.now).unwrap() - TimeDelta::from_std(self.behind).unwrap();
        sqlx::query("update stopped_clock set at = $1").bind(at).execute(&mut self.connection).await.unwrap();
    }

    async fn take(&mut self, step: &Step) {
        match *step {
            Step::Wait(time) => self.now += Duration::from_millis(time),
            Step::SetBack(time) => self.behind += Duration::from_millis(time),
            Step::Silence(time) => {
                self.set_clock().await;
                self.store.empty_bucket(&self.lane, Duration::from_millis(time)).await.unwrap();
            }
            Step::Override { requests, window } => {
                self.check();
                self.left.clear();
                self.pace = Pace::of(Limit { requests, window: Duration::from_millis(window) });
            }
            Step::Ask { requests, patience, late } => {
                self.set_clock().await;
                for _ in 0..requests {
                    let patience = Duration::from_millis(patience);
                    let Ok(wait) = self.store.take_token(&self.lane, &self.pace, patience).await.unwrap() else {
                        break;
                    };
                    assert!(wait <= patience);
                    self.leave(wait, late);
                }
            }
            Step::Send { head_start, soon, late, at_once } => {
                self.set_clock().await;
                self.send(Duration::from_millis(head_start), soon, late, at_once).await;
            }
        }
    }

    async fn send(&mut self, head_start: Duration, soon: bool, late: u64, at_once: bool) {
        let new = self.new_order();
        if !at_once {
            assert!(matches!(self.store.accept_order(new.clone()).await.unwrap(), Accepted::New(_)));
        }
        let request = ClaimRequest {
            lane: &self.lane,
            pace: &self.pace,
            in_flight_limit: u32::MAX,
            batch_limit: 1,
            doubtful_limit: 1,
            head_start,
            key_ids: &known_keys(),
        };
        let (exchange_id, wait, slot) = if at_once {
            match self.store.keep_and_claim(&new, &self.grounds, &request).await.unwrap() {
                KeptAtOnce::Claimed(_, batch) => (batch.exchange_id, batch.wait, batch.slot),
                KeptAtOnce::NotNow => return,
                KeptAtOnce::KeyKnown | KeptAtOnce::NumberTaken => panic!("it is new"),
            }
        } else {
            match self.store.claim(&request).await.unwrap() {
                Claim::Batch(batch) => (batch.exchange_id, batch.wait, batch.slot),
                Claim::NoToken(_) | Claim::NothingDue => return,
                Claim::LaneFull => panic!("nothing is too much"),
            }
        };
        assert!(slot >= head_start.max(wait));
        if !self.leave(if soon { wait } else { slot }, late) {
            self.store.release(exchange_id).await.unwrap();
        }
    }

    /// A request leaves, unless it is too late for its slot.
    fn leave(&mut self, wait: Duration, late: u64) -> bool {
        let late = Duration::from_millis(late);
        let leaves = late <= MOST_LATENESS;
        if leaves {
            self.left.push(self.now + wait + late);
        }
        leaves
    }

    fn new_order(&self) -> NewOrder {
        let number = Uuid::new_v4().to_string();
        NewOrder {
            order_id: Uuid::now_v7(),
            submission_id: Uuid::now_v7(),
            account_id: self.lane.throttle_group.clone(),
            provider: self.lane.provider.clone(),
            endpoint: self.lane.endpoint.clone(),
            document_type: DocumentType::TransportOrder,
            order_number: number,
            customer_reference: None,
            document: "{}".into(),
            batch_key: String::new(),
            notices: Vec::new(),
            idempotency: None,
            grounds: None,
            queue_limit: None,
            trace_parent: None,
        }
    }

    /// The law, for what left under the limit of now.
    fn check(&mut self) {
        self.left.sort();
        let Limit { requests, window } = self.pace.limit;
        for (index, first) in self.left.iter().enumerate() {
            let within = self.left[index..].iter().take_while(|time| **time < *first + window).count();
            assert!(within <= requests as usize, "{within} of {requests} in {window:?}: {:?}", self.left);
        }
    }
}

#[test]
fn no_window_holds_more_requests_than_the_limit_whatever_happens() {
    let runtime = runtime();
    let (database, store) = runtime.block_on(async {
        let database = TestDatabase::create().await;
        sqlx::raw_sql(
            "create table stopped_clock (at timestamptz not null);
             insert into stopped_clock values ('2027-01-15');
             create or replace function onelane_now() returns timestamptz language sql volatile parallel safe
                 as $$ select at from stopped_clock $$",
        )
        .execute(&mut database.connection().await)
        .await
        .unwrap();
        let store = database.store().await;
        (database, store)
    });
    proptest!(cases(32), |(limit in limits(), steps in steps())| {
        runtime.block_on(async {
            let mut bench = Bench::new(&database, &store, limit).await;
            for step in &steps {
                bench.take(step).await;
            }
            bench.check();
        });
    });
}
