//! `onelane dev`: everything on a laptop, from one command.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::output;
use super::sandbox::{self, LifeArguments};
use crate::canonical::Action;
use crate::gateway::{Gateway, GatewayOptions, stop_on_signal};
use crate::postgres::{Cluster, ClusterDirectory, ClusterOptions, default_data_directory};
use crate::reach::AllowedNetworks;
use crate::sandbox::{DemoAccount, EXAMPLE_NUMBER, Pace};
use crate::store::accounts::NewAccount;
use crate::store::audit::{Act, Actor};
use crate::store::{Store, StoreOptions};
use crate::vault::{Place, Vault};
use crate::{api, telemetry};

/// Connections of the gateway; the cluster allows a few more, for a person with psql.
const CONNECTIONS: u32 = 16;
/// How long a simulated order stands at a stage if nobody says: long enough to look at it, and short enough to wait.
const SECONDS_PER_STAGE: f64 = 5.0;
/// How long the last spans may take to be exported.
const LAST_SPANS: Duration = Duration::from_secs(3);

pub async fn run(life: &LifeArguments) -> anyhow::Result<()> {
    let pace = life.pace(SECONDS_PER_STAGE);
    pace.check().map_err(anyhow::Error::msg)?;
    telemetry::set_up_exporting("warn,onelane=info");
    // Before anything is started, so that a Ctrl-C at any moment ends everything in order.
    let stop = stop_on_signal();
    let directory = variable("ONELANE_DATA_DIR").map_or_else(default_data_directory, PathBuf::from);
    let (cluster, database_url) = tokio::select! {
        started = start_database(&directory) => started?,
        () = stop.cancelled() => return Ok(()),
    };
    let served = serve(&directory, database_url, pace, stop).await;
    if let Some(cluster) = cluster {
        cluster.stop().await?;
    }
    served
}

/// An environment variable; one that is empty counts as not set.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The database that `DATABASE_URL` names, or a private cluster.
async fn start_database(directory: &Path) -> anyhow::Result<(Option<Cluster>, String)> {
    if let Some(url) = variable("DATABASE_URL") {
        return Ok((None, url));
    }
    eprintln!("Starting a private Postgres in {} …", directory.display());
    let options = ClusterOptions {
        directory: ClusterDirectory::Kept(directory.to_owned()),
        max_connections: CONNECTIONS + 8,
        extra_settings: Vec::new(),
    };
    let cluster = Cluster::start(options).await?;
    cluster.create_database_if_missing("onelane").await?;
    let url = cluster.database_url("onelane");
    Ok((Some(cluster), url))
}

async fn serve(directory: &Path, database_url: String, pace: Pace, stop: CancellationToken) -> anyhow::Result<()> {
    let options = StoreOptions { database_url: database_url.clone(), max_connections: CONNECTIONS };
    let store = Store::connect(&options).await.context("the database cannot be reached")?;
    store.migrate().await?;
    let vault = Vault::from_base64(&master_key(directory)?)?;

    let listener = listen().await?;
    let address = listener.local_addr()?;
    let sandbox = sandbox::simulators(pace)?;
    let sandbox_listener = sandbox::bind(sandbox::listen_address()?).await?;
    let sandbox_url = format!("http://{}", sandbox_listener.local_addr()?);
    let demo_accounts = sandbox.demo_accounts(&sandbox_url);
    let goes_on = |account: &DemoAccount| sandbox.simulator(account.provider).is_some_and(|it| it.calling().is_some());
    let examples: Vec<Example> = demo_accounts
        .iter()
        .filter_map(|account| Some(Example { goes_on: goes_on(account), order: account.example_order.clone()? }))
        .collect();
    let books: Vec<String> =
        demo_accounts.iter().map(|account| format!("{sandbox_url}/control/{}/books", account.provider)).collect();
    let demo_ids: Vec<&str> = demo_accounts.iter().map(|account| account.id).collect();
    for account in demo_accounts {
        add_demo_account(&store, &vault, account, &reachable(address)).await?;
    }
    let key = match variable("ONELANE_DEV_KEY") {
        Some(key) => key,
        None => kept_secret(directory, "dev-api-key", api::generate_key)?,
    };
    api::ensure_admin_key(&store, &key).await?;

    let named: AllowedNetworks = variable("ONELANE_ALLOWED_NETWORKS")
        .unwrap_or_default()
        .parse()
        .context("ONELANE_ALLOWED_NETWORKS cannot be read")?;
    // The simulators are there, and whoever tries webhooks on a laptop listens there.
    let allowed_networks = AllowedNetworks::loopback().and(named);
    let options = GatewayOptions { allowed_networks, ..GatewayOptions::default() };
    let gateway = Gateway::new(store.clone(), vault, options)?;
    for id in demo_ids {
        if let Some(account) = store.account(id).await?
            && let Some(url) = gateway.callbacks().url_of(&account).await?
        {
            sandbox.call_at(&account.provider, &url);
        }
    }
    // What the environment names may hold a password; whoever set it knows it.
    let database = if variable("DATABASE_URL").is_some() { "as DATABASE_URL says" } else { &database_url };
    // Whoever does not read it can do without.
    let _ = output::line(format!(
        "{}{}\n\nCtrl-C stops everything; nothing is lost.\n",
        greeting(address, &books, &key, database),
        proposal(address, &key, &examples, pace)
    ));

    let simulating = stop.clone();
    let simulators = tokio::spawn(sandbox.serve(sandbox_listener, simulating.cancelled_owned()));
    gateway.serve(listener, stop.cancelled_owned()).await;
    simulators.abort();
    store.close().await;
    telemetry::flush(LAST_SPANS).await;
    eprintln!("Stopped. Everything is kept; start again with the same command.");
    Ok(())
}

/// The listener of the API.
async fn listen() -> anyhow::Result<TcpListener> {
    let address: SocketAddr = variable("ONELANE_LISTEN")
        .unwrap_or_else(|| "127.0.0.1:8080".to_owned())
        .parse()
        .context("ONELANE_LISTEN is no address like 127.0.0.1:8080")?;
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; ONELANE_LISTEN chooses another place"))
}

/// Where the sandbox, which runs beside it, reaches the API.
fn reachable(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{address}")
}

/// Adds a demo account, or points the one of an earlier run to this run's sandbox, and its callbacks to this run's API.
async fn add_demo_account(store: &Store, vault: &Vault, account: DemoAccount, api: &str) -> anyhow::Result<()> {
    let DemoAccount { id, provider, display_name, base_url, credentials, settings, example_order: _ } = account;
    let credentials = vault.seal(&Place::Credentials(id), credentials.to_string().as_bytes())?;
    let account = NewAccount {
        throttle_group: id.to_owned(),
        id: id.to_owned(),
        provider: provider.to_owned(),
        display_name: display_name.to_owned(),
        base_url,
        credentials,
        settings,
        throttles: json!({}),
        public_callback_url: Some(api.to_owned()),
        queue_limit: None,
    };
    let act = Act {
        actor: Actor::CommandLine("onelane dev"),
        action: Action::CreateAccount,
        object: account.id.clone(),
        account: Some(id),
        details: json!({"provider": provider, "baseUrl": account.base_url}),
    };
    if !store.add_account(&account, &act).await? {
        store.refresh_account(&account).await?;
    }
    Ok(())
}

/// The master key of this data directory.
fn master_key(directory: &Path) -> anyhow::Result<String> {
    if let Some(key) = variable("ONELANE_MASTER_KEY") {
        return Ok(key);
    }
    kept_secret(directory, "master-key", Vault::generate_base64)
}

/// A secret that is made once and kept in a file that only its owner may read.
fn kept_secret<E>(directory: &Path, name: &str, make: impl FnOnce() -> Result<String, E>) -> anyhow::Result<String>
where
    anyhow::Error: From<E>,
{
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    let path = directory.join(name);
    if let Ok(kept) = fs::read_to_string(&path) {
        anyhow::ensure!(!kept.trim().is_empty(), "{} is empty; remove it to have a new secret made", path.display());
        return Ok(kept.trim().to_owned());
    }
    fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let secret = make()?;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    writeln!(file, "{secret}")?;
    Ok(secret)
}

/// An order to try.
struct Example {
    order: Value,
    /// Its provider tells what becomes of it
    goes_on: bool,
}

/// Says what runs.
fn greeting(address: SocketAddr, books: &[String], key: &str, database: &str) -> String {
    let books = books.join("\n             ");
    format!(
        "\nonelane is ready.\n
  Console    http://{address}/console   (sign in with the key)
  API        http://{address}/docs   (Swagger UI; authorize with the key)
  API key    {key}
  Sandbox    {books}   (the orders that the simulated providers hold)
  Database   {database}"
    )
}

/// Says what to try.
fn proposal(address: SocketAddr, key: &str, examples: &[Example], pace: Pace) -> String {
    let mut words = String::new();
    let post = |example: &Example| {
        // The shell puts the time in, so that the line works again and again.
        let order = example.order.to_string().replace(EXAMPLE_NUMBER, "SO-'$(date +%s)'");
        format!(
            "curl -s http://{address}/v1/orders -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -H 'Prefer: wait=10' -d '{order}'"
        )
    };
    if let Some(example) = examples.first() {
        let _ = write!(words, "\n\nTry it, and see what the provider made of the order:\n\n{}", post(example));
    }
    if let Some(example) = examples.iter().find(|example| example.goes_on) {
        let goes_on = match pace.seconds_per_stage {
            0.0 => "goes on when it is advanced by hand".to_owned(),
            seconds => format!("goes on by itself, a stage every {seconds} seconds"),
        };
        let _ = write!(
            words,
            "\n\nAn order of this one {goes_on}. In another terminal, see what its provider tells:\n
curl -sN 'http://{address}/v1/events/stream?after=latest' -H 'Authorization: Bearer {key}'\n\n{}",
            post(example)
        );
    }
    let _ = write!(
        words,
        "\n\nThe command line does the same: `onelane watch`, `onelane submit order.json`, `onelane accounts list`, with\n
export ONELANE_URL=http://{address} ONELANE_API_KEY={key}"
    );
    words
}
