//! One database for each test, copied from a migrated template, on the server that `DATABASE_URL` names or on
//! a throw-away cluster of this process.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use onelane::postgres::{Cluster, ClusterDirectory, ClusterOptions};
use onelane::store::{Store, StoreOptions};
use sqlx::postgres::{PgConnection, PgListener};
use sqlx::{AssertSqlSafe, Connection, Executor};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// What the tests add to the schema: a clock that they set,
pub const TEST_CLOCK: &str = "
    create table test_clock (skew interval not null);
    insert into test_clock values ('0');
    create or replace function onelane_now() returns timestamptz language sql volatile parallel safe
        as $$ select clock_timestamp() + skew from test_clock $$;
";

/// and word of every change of state, of callbacks and deliveries too.
const TEST_WORD: &str = "
    create function test_tell() returns trigger language plpgsql
        as $$ begin perform pg_notify('submission_states', new.id || ' ' || new.state); return new; end $$;
    create trigger test_tell after insert or update of state on submissions for each row execute function test_tell();
    create function test_tell_of_delivery() returns trigger language plpgsql
        as $$ begin perform pg_notify('submission_states', 'webhook ' || gen_random_uuid()); return new; end $$;
    create trigger test_tell after insert or update on webhook_deliveries for each row execute function test_tell_of_delivery();
    create trigger test_tell after insert or update of state on callbacks for each row execute function test_tell();
";

struct Server {
    url: String,
    throw_away: bool,
    template: String,
}

static SERVER: OnceCell<Server> = OnceCell::const_new();
static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A database of one test.
pub struct TestDatabase {
    pub url: String,
    /// Nothing for one that its server takes with it
    name: Option<String>,
}

impl TestDatabase {
    pub async fn create() -> Self {
        let server = SERVER.get_or_init(start_server).await;
        let name = format!("{}_{}", server.template, COUNTER.fetch_add(1, Ordering::Relaxed));
        let mut admin = PgConnection::connect(&server.url).await.unwrap();
        create_database(&mut admin, &name, &server.template).await;
        TestDatabase { url: with_database(&server.url, &name), name: Some(name) }
    }

    /// The same in a database that is there and empty, whose owner takes it down.
    pub async fn at(url: &str) -> Self {
        prepare(url).await;
        TestDatabase { url: url.to_owned(), name: None }
    }

    /// One without a schema.
    pub async fn create_empty() -> Self {
        let server = SERVER.get_or_init(start_server).await;
        let name = format!("{}_{}", server.template, COUNTER.fetch_add(1, Ordering::Relaxed));
        let mut admin = PgConnection::connect(&server.url).await.unwrap();
        create_database(&mut admin, &name, "template0").await;
        TestDatabase { url: with_database(&server.url, &name), name: Some(name) }
    }

    /// A copy of it as it is now, while nobody is connected to it: its backup.
    pub async fn copy(&self) -> Self {
        let server = SERVER.get_or_init(start_server).await;
        let name = format!("{}_{}", server.template, COUNTER.fetch_add(1, Ordering::Relaxed));
        let mut admin = PgConnection::connect(&server.url).await.unwrap();
        create_database(&mut admin, &name, self.name.as_deref().expect("it has a name")).await;
        TestDatabase { url: with_database(&server.url, &name), name: Some(name) }
    }

    pub async fn store(&self) -> Store {
        Store::connect(&StoreOptions { database_url: self.url.clone(), max_connections: 6 }).await.unwrap()
    }

    pub async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }

    /// Moves the ledger's clock forward.
    pub async fn advance(&self, time: Duration) {
        let mut connection = self.connection().await;
        sqlx::query("update test_clock set skew = skew + make_interval(secs => $1)")
            .bind(time.as_secs_f64())
            .execute(&mut connection)
            .await
            .unwrap();
    }

    /// Waits until a submission is in a state; fails when it is not within a while.
    pub async fn wait_for_state(&self, submission: Uuid, state: &str) {
        let mut watch = self.watch().await;
        if self.state(submission).await != state {
            watch.until(submission, state).await;
        }
    }

    /// Follows the states of submissions from now on.
    pub async fn watch(&self) -> StateWatch {
        let mut listener = PgListener::connect(&self.url).await.unwrap();
        listener.listen("submission_states").await.unwrap();
        StateWatch { listener }
    }

    pub async fn state(&self, submission: Uuid) -> String {
        sqlx::query_scalar("select state from submissions where id = $1")
            .bind(submission)
            .fetch_one(&mut self.connection().await)
            .await
            .unwrap()
    }

    /// Waits until no submission is unfinished.
    pub async fn wait_until_all_ended(&self, patience: Duration) {
        self.wait_until(patience, "select not exists (select from submissions where finished_at is null)").await;
    }

    /// Waits until a question to the ledger is answered with yes; asked after each change of a state, and now and then
    /// for what changes without one.
    pub async fn wait_until(&self, patience: Duration, question: &'static str) {
        let mut watch = self.watch().await;
        let mut connection = self.connection().await;
        let answered = async {
            while !sqlx::query_scalar::<_, bool>(question).fetch_one(&mut connection).await.unwrap() {
                // Either way it is asked again.
                let _ = tokio::time::timeout(Duration::from_millis(200), watch.next_of_many()).await;
            }
        };
        assert!(tokio::time::timeout(patience, answered).await.is_ok(), "still no: {question}");
    }

    /// One column of the ledger.
    pub async fn texts(&self, sql: &'static str) -> Vec<String> {
        sqlx::query_scalar(sql).fetch_all(&mut self.connection().await).await.unwrap()
    }

    /// One number from the ledger.
    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&mut self.connection().await).await.unwrap()
    }
}

/// Hears of every state that a submission goes through.
pub struct StateWatch {
    listener: PgListener,
}

impl StateWatch {
    /// Waits for a change, and passes over those that came with it.
    pub async fn next_of_many(&mut self) {
        self.listener.recv().await.unwrap();
        while self.listener.next_buffered().is_some() {}
    }

    /// Waits until a submission comes into a state; fails when it does not within a while.
    pub async fn until(&mut self, submission: Uuid, state: &str) {
        let wanted = format!("{submission} {state}");
        let told = async { while self.listener.recv().await.unwrap().payload() != wanted {} };
        let in_time = tokio::time::timeout(Duration::from_secs(30), told).await;
        assert!(in_time.is_ok(), "submission {submission} did not become {state}");
    }
}

impl Drop for TestDatabase {
    /// On a server that stays, nothing is left behind.
    fn drop(&mut self) {
        let Some(server) = SERVER.get().filter(|server| !server.throw_away) else { return };
        let Some(name) = self.name.clone() else { return };
        drop_database(server.url.clone(), name);
    }
}

/// From a thread of its own: the test's runtime may be ending.
fn drop_database(url: String, name: String) {
    let dropped = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut admin = PgConnection::connect(&url).await.unwrap();
            let statement = format!("drop database if exists {name} with (force)");
            admin.execute(AssertSqlSafe(statement)).await.unwrap();
        });
    });
    dropped.join().unwrap();
}

async fn start_server() -> Server {
    let (url, throw_away) = match std::env::var("DATABASE_URL") {
        Ok(url) => (url, false),
        Err(_) => (tokio::task::spawn_blocking(start_cluster).await.unwrap(), true),
    };
    // One server may serve several test processes at once.
    let template = format!("onelane_test_{}", Uuid::new_v4().simple());
    let mut admin = PgConnection::connect(&url).await.unwrap();
    create_database(&mut admin, &template, "template0").await;
    prepare(&with_database(&url, &template)).await;
    Server { url, throw_away, template }
}

/// Gives a database the schema, and what tests add to it.
async fn prepare(url: &str) {
    let options = StoreOptions { database_url: url.to_owned(), max_connections: 1 };
    let store = Store::connect(&options).await.unwrap();
    store.migrate().await.unwrap();
    store.pool().execute(TEST_CLOCK).await.unwrap();
    store.pool().execute(TEST_WORD).await.unwrap();
    store.close().await;
}

async fn create_database(admin: &mut PgConnection, name: &str, template: &str) {
    let statement = format!("create database {name} template {template} encoding 'UTF8'");
    admin.execute(AssertSqlSafe(statement)).await.unwrap();
}

/// The cluster lives as long as this process: it stops when its owner ends, however it ends.
fn start_cluster() -> String {
    let (started, url) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let options = ClusterOptions {
                directory: ClusterDirectory::ThrowAway,
                max_connections: 120,
                extra_settings: Vec::new(),
            };
            let cluster = Cluster::start(options).await.unwrap_or_else(|error| panic!("{error}"));
            started.send(cluster.database_url("postgres")).unwrap();
            std::future::pending::<()>().await;
        });
    });
    url.recv().unwrap()
}

/// The same server, another database.
fn with_database(url: &str, database: &str) -> String {
    let mut parsed = reqwest::Url::parse(url).unwrap();
    parsed.set_path(database);
    parsed.to_string()
}
