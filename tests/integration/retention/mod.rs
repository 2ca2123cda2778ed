//! What is old goes, and nothing else does.

mod ages;
mod batches;
mod concurrency;
mod feed;
mod told_once;

use std::sync::Arc;
use std::time::Duration;

use onelane::sandbox::Sandbox;
use onelane::store::Store;
use onelane::store::retention::Turn;
use onelane::upkeep::{Retention, RetentionPolicy};
use uuid::Uuid;

use crate::harness::{Bench, TestDatabase, gateway::start_sandbox};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A ledger whose gateway was stopped: nobody but the test touches it.
struct Resting {
    database: TestDatabase,
    store: Store,
    sandbox: Arc<Sandbox>,
    sandbox_url: String,
}

impl Resting {
    /// An empty ledger.
    async fn empty() -> Self {
        let database = TestDatabase::create().await;
        let store = database.store().await;
        let (sandbox, sandbox_url) = start_sandbox().await;
        Resting { database, store, sandbox, sandbox_url }
    }

    async fn of(bench: Bench) -> Self {
        // An event without a place is never removed.
        until(&bench.database, "select not exists (select from events_without_place)").await;
        let (database, sandbox, sandbox_url) = bench.stop().await;
        let store = database.store().await;
        Resting { database, store, sandbox, sandbox_url }
    }

    /// A gateway over this ledger.
    async fn serve(self) -> Bench {
        self.store.close().await;
        Bench::over(self.database, self.sandbox, self.sandbox_url).await
    }

    async fn advance(&self, time: Duration) {
        self.database.advance(time).await;
    }

    /// Removes what is old by now.
    async fn sweep(&self) {
        sweep(&self.database, &self.store).await;
    }

    async fn count(&self, sql: &'static str) -> i64 {
        self.database.count(sql).await
    }

    /// Runs statements.
    async fn run(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&mut self.database.connection().await).await.unwrap();
    }

    /// What a question counts a minute before something gets so old, and a minute after, when that was swept.
    async fn around(&self, age: Duration, question: &'static str) -> (i64, i64) {
        self.advance(age.saturating_sub(MINUTE)).await;
        self.sweep().await;
        let before = self.count(question).await;
        self.advance(2 * MINUTE).await;
        self.sweep().await;
        (before, self.count(question).await)
    }
}

/// Waits until the sequencer, which tells nobody, has made this true.
async fn until(database: &TestDatabase, question: &'static str) {
    let mut connection = database.connection().await;
    let answered = async {
        while !sqlx::query_scalar::<_, bool>(question).fetch_one(&mut connection).await.unwrap() {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(MINUTE, answered).await.is_ok(), "still no: {question}");
}

/// Has the turn, whether or not one is due; a gateway that runs beside the test does not get it.
async fn turn(database: &TestDatabase) -> Turn {
    let turn = Turn { holder: Uuid::now_v7() };
    sqlx::query("update retention set due_at = 'epoch', holder = $1, held_until = onelane_now() + interval '1 minute'")
        .bind(turn.holder)
        .execute(&mut database.connection().await)
        .await
        .unwrap();
    turn
}

/// Removes what is old by now.
async fn sweep(database: &TestDatabase, store: &Store) {
    let turn = turn(database).await;
    assert!(Retention::with_turn(store.clone(), RetentionPolicy::default(), turn).sweep_if_due().await.unwrap());
}
