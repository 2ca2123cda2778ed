//! A gateway and the sandbox in this process, on real sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use onelane::api;
use onelane::gateway::{Gateway, GatewayOptions};
use onelane::reach::AllowedNetworks;
use onelane::sandbox::{BookEntry, MeterReading, Sandbox, SandboxOptions, Simulator, seeded};
use onelane::store::Store;
use onelane::vault::Vault;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{ADMIN_KEY, Caller, MASTER_KEY, TestDatabase, wall_clock};

/// Everything that most tests need.
pub struct Bench {
    pub database: TestDatabase,
    pub store: Store,
    pub sandbox: Arc<Sandbox>,
    pub sandbox_url: String,
    /// Where the gateway listens
    pub base_url: String,
    /// With the administrator's key
    pub caller: Caller,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
    serving: tokio::task::JoinHandle<()>,
}

impl Bench {
    /// A gateway with the sandbox's demo accounts, those of providers that it has an adapter for.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// The same, with other options.
    pub async fn start_with(change: impl FnOnce(&mut GatewayOptions)) -> Self {
        let database = TestDatabase::create().await;
        let (sandbox, sandbox_url) = start_sandbox().await;
        let mut options = GatewayOptions { allowed_networks: AllowedNetworks::loopback(), ..GatewayOptions::default() };
        change(&mut options);
        let bench = Self::with_options(options, database, sandbox, sandbox_url).await;
        bench.add_demo_accounts().await;
        bench
    }

    /// The same over a database that a test has made, and no gateway any more: the test starts its own.
    pub async fn prepared(database: TestDatabase) -> Self {
        let (sandbox, sandbox_url) = start_sandbox().await;
        let bench = Self::over(database, sandbox, sandbox_url).await;
        bench.add_demo_accounts().await;
        let (database, sandbox, sandbox_url) = bench.stop().await;
        let store = database.store().await;
        Self::idle(database, store, sandbox, sandbox_url)
    }

    pub async fn add_demo_accounts(&self) {
        for account in self.sandbox.demo_accounts(&self.sandbox_url) {
            let mut body = serde_json::to_value(&account).unwrap();
            body["publicCallbackUrl"] = json!(self.base_url);
            let created = self.caller.post("/v1/accounts", &body).await;
            assert_eq!(created.status, 201, "{:#}", created.body);
            if let Some(url) = created.body["callbackUrl"].as_str() {
                self.sandbox.call_at(account.provider, url);
            }
        }
    }

    /// Another gateway over the same database and sandbox: a second replica, or the one after a restart.
    pub async fn over(database: TestDatabase, sandbox: Arc<Sandbox>, sandbox_url: String) -> Self {
        // Webhooks of a test go to this machine.
        Self::within(AllowedNetworks::loopback(), database, sandbox, sandbox_url).await
    }

    /// The same, with other networks that webhooks may reach.
    pub async fn within(
        allowed_networks: AllowedNetworks,
        database: TestDatabase,
        sandbox: Arc<Sandbox>,
        sandbox_url: String,
    ) -> Self {
        let options = GatewayOptions { allowed_networks, ..GatewayOptions::default() };
        Self::with_options(options, database, sandbox, sandbox_url).await
    }

    /// The same, with all options.
    pub async fn with_options(
        options: GatewayOptions,
        database: TestDatabase,
        sandbox: Arc<Sandbox>,
        sandbox_url: String,
    ) -> Self {
        let store = database.store().await;
        api::ensure_admin_key(&store, ADMIN_KEY).await.unwrap();
        let gateway = Gateway::new(store.clone(), Vault::from_base64(MASTER_KEY).unwrap(), options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let serving = tokio::spawn(async move { gateway.serve(listener, stopped).await });
        let guard = stop.clone().drop_guard();
        let caller = Caller::new(base_url.clone(), Some(ADMIN_KEY));
        Bench { database, store, sandbox, sandbox_url, base_url, caller, stop, _stop_on_drop: guard, serving }
    }

    /// No gateway at all: a test plays the worker on the ledger.
    pub fn idle(database: TestDatabase, store: Store, sandbox: Arc<Sandbox>, sandbox_url: String) -> Self {
        let stop = CancellationToken::new();
        let guard = stop.clone().drop_guard();
        let base_url = "http://127.0.0.1:9".to_owned();
        let caller = Caller::new(base_url.clone(), None);
        Bench {
            database,
            store,
            sandbox,
            sandbox_url,
            base_url,
            caller,
            stop,
            _stop_on_drop: guard,
            serving: tokio::spawn(async {}),
        }
    }

    /// Stops the gateway as Ctrl-C does; gives what the next one needs.
    pub async fn stop(self) -> (TestDatabase, Arc<Sandbox>, String) {
        self.stop.cancel();
        self.serving.await.unwrap();
        self.store.close().await;
        (self.database, self.sandbox, self.sandbox_url)
    }

    pub fn simulator(&self) -> Arc<dyn Simulator> {
        self.simulator_of("otms")
    }

    pub fn simulator_of(&self, provider: &str) -> Arc<dyn Simulator> {
        self.sandbox.simulator(provider).unwrap()
    }

    /// Puts faults in the place of those that the simulated oTMS has.
    pub async fn faults(&self, faults: Value) {
        self.faults_of("otms", faults).await;
    }

    /// Puts faults in the place of those that a simulated provider has.
    pub async fn faults_of(&self, provider: &str, faults: Value) {
        let path = format!("/control/{provider}/faults");
        let answer = self.control().send_with(reqwest::Method::PUT, &path, &faults, &[]).await;
        assert_eq!(answer.status, 200, "{:#}", answer.body);
    }

    /// The sandbox's control calls.
    pub fn control(&self) -> Caller {
        Caller::new(self.sandbox_url.clone(), None)
    }

    /// Serves the same sandbox at another address.
    pub async fn serve_sandbox_at(&self, address: std::net::SocketAddr) {
        let listener = TcpListener::bind(address).await.unwrap();
        serve(&self.sandbox, listener);
    }

    /// The orders that the simulated oTMS holds under this number.
    pub fn books(&self, order_number: &str) -> Vec<BookEntry> {
        self.simulator().books(Some(order_number))
    }

    /// What arrived at an endpoint of the simulated oTMS with the demo account's credentials.
    pub fn meter(&self, endpoint: &str) -> MeterReading {
        self.arrived("otms", endpoint).expect("something arrived")
    }

    /// What arrived at an endpoint of a simulated provider, if anything did.
    pub fn arrived(&self, provider: &str, endpoint: &str) -> Option<MeterReading> {
        self.simulator_of(provider).meter().into_iter().find(|reading| reading.endpoint == endpoint)
    }

    /// A key with these scopes, limited to these accounts where some are named.
    pub async fn key(&self, scopes: &[&str], accounts: Option<&[&str]>) -> Caller {
        let mut body = json!({"name": "test", "scopes": scopes});
        if let Some(accounts) = accounts {
            body["accounts"] = json!(accounts);
        }
        let created = self.caller.post("/v1/api-keys", &body).await;
        assert_eq!(created.status, 201, "{:#}", created.body);
        self.caller.with_key(created.body["key"].as_str().unwrap())
    }

    /// Holds what is queued, and lets it go.
    pub async fn pause(&self) {
        self.hold("otms-demo", "pause").await;
    }

    pub async fn resume(&self) {
        self.hold("otms-demo", "resume").await;
    }

    /// `pause` or `resume` of an account.
    pub async fn hold(&self, account: &str, verb: &str) {
        let answer = self.caller.post(&format!("/v1/accounts/{account}/{verb}"), &Value::Null).await;
        assert_eq!(answer.status, 200, "{:#}", answer.body);
    }

    /// Lets only so much wait for an account.
    pub async fn limit_queue(&self, account: &str, limit: u32) {
        let path = format!("/v1/accounts/{account}");
        let changed = self.caller.send_with(Method::PATCH, &path, &json!({"queueLimit": limit}), &[]).await;
        assert_eq!((changed.status, &changed.body["queueLimit"]), (200, &json!(limit)), "{:#}", changed.body);
    }
}

/// A sandbox that nobody serves.
pub fn new_sandbox() -> Sandbox {
    Sandbox::new(&SandboxOptions { clock: Arc::new(wall_clock), random: seeded(1) })
}

/// A sandbox on a socket, whose clock goes as far before the wall's as its test says.
pub async fn start_sandbox_ahead(ahead: Arc<AtomicI64>) -> (Arc<Sandbox>, String) {
    let clock = move || wall_clock() + chrono::TimeDelta::milliseconds(ahead.load(Ordering::Relaxed));
    serve_anew(Sandbox::new(&SandboxOptions { clock: Arc::new(clock), random: seeded(1) })).await
}

/// The sandbox on a socket of its own.
pub async fn start_sandbox() -> (Arc<Sandbox>, String) {
    serve_anew(new_sandbox()).await
}

async fn serve_anew(sandbox: Sandbox) -> (Arc<Sandbox>, String) {
    let sandbox = Arc::new(sandbox);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    serve(&sandbox, listener);
    (sandbox, url)
}

fn serve(sandbox: &Sandbox, listener: TcpListener) {
    tokio::spawn(sandbox.clone().serve(listener, std::future::pending()));
}
