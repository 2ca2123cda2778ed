//! The ledger's database: a private cluster that can crash, or the server that `DATABASE_URL` names, which cannot.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use onelane::postgres::{Cluster, ClusterDirectory, ClusterOptions};
use onelane::store::{Store, StoreOptions};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor};
use tokio::sync::Mutex;

use super::harness::TestDatabase;
use super::harness::database::TEST_CLOCK;

const DATABASE: &str = "storm";

/// Where the ledger is, and what time it is there and at the providers.
pub struct Database {
    pub url: String,
    pub pool: PgPool,
    /// Milliseconds by which the providers' clocks are ahead of the wall's; the ledger's is as far ahead
    pub ahead: Arc<AtomicI64>,
    server: Server,
}

enum Server {
    Private {
        cluster: Box<Mutex<Option<Cluster>>>,
        home: Home,
    },
    /// Named by `DATABASE_URL`; what is kept is there to be dropped
    Given {
        _database: Box<TestDatabase>,
    },
}

impl Database {
    pub async fn start() -> Self {
        let (url, server) = if std::env::var_os("DATABASE_URL").is_some() {
            let database = TestDatabase::create().await;
            (database.url.clone(), Server::Given { _database: Box::new(database) })
        } else {
            let home = Home::new();
            let cluster = home.start_cluster().await;
            cluster.create_database_if_missing(DATABASE).await.unwrap();
            let url = home.database_url(&cluster);
            let options = StoreOptions { database_url: url.clone(), max_connections: 1 };
            let store = Store::connect(&options).await.unwrap();
            store.migrate().await.unwrap();
            store.pool().execute(TEST_CLOCK).await.unwrap();
            store.close().await;
            (url, Server::Private { cluster: Box::new(Mutex::new(Some(cluster))), home })
        };
        let pool = PgPoolOptions::new().max_connections(3).acquire_timeout(Duration::from_secs(60));
        let pool = pool.connect(&url).await.unwrap();
        Database { url, pool, ahead: Arc::default(), server }
    }

    pub fn can_crash(&self) -> bool {
        matches!(self.server, Server::Private { .. })
    }

    /// Ends the server as a crash does, without a word to anybody, and starts it again at the same address.
    pub async fn crash(&self) {
        let Server::Private { cluster, home } = &self.server else { return };
        let mut cluster = cluster.lock().await;
        if let Some(running) = cluster.take() {
            home.crash().await;
            running.stop().await.unwrap();
        }
        *cluster = Some(home.start_cluster().await);
    }

    /// Moves the time of the ledger and of the providers.
    pub async fn advance(&self, time: Duration) {
        self.ahead.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
        sqlx::query("update test_clock set skew = skew + make_interval(secs => $1)")
            .bind(time.as_secs_f64())
            .execute(&self.pool)
            .await
            .unwrap();
    }

    /// Rows of a query without parameters.
    pub async fn rows<T>(&self, sql: &str) -> Vec<T>
    where
        T: for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin,
    {
        sqlx::query_as(AssertSqlSafe(sql.to_owned())).fetch_all(&self.pool).await.unwrap_or_else(|error| {
            panic!("{error}: {sql}");
        })
    }

    /// Where the ledger can be looked at that is not thrown away.
    pub fn whereabouts(&self) -> String {
        match &self.server {
            Server::Private { home, .. } => format!("the ledger is kept in {}", home.directory.display()),
            Server::Given { .. } => "the ledger is dropped, since it is on a server that stays".to_owned(),
        }
    }

    pub async fn end(self) {
        self.pool.close().await;
        if let Server::Private { cluster, home } = self.server {
            if let Some(cluster) = cluster.into_inner() {
                cluster.stop().await.unwrap();
            }
            home.remove();
        }
    }
}

/// The directory of the private cluster. A cluster has another socket with each start; a link gives it one address.
struct Home {
    directory: PathBuf,
}

impl Home {
    fn new() -> Self {
        let directory = std::env::temp_dir().join(format!("onelane-storm-{}", std::process::id()));
        Home { directory }
    }

    async fn start_cluster(&self) -> Cluster {
        let setting = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let options = ClusterOptions {
            directory: ClusterDirectory::Kept(self.directory.clone()),
            max_connections: 200,
            // The server crashes, and not the machine: what it wrote is not lost.
            extra_settings: [
                ("fsync", "off"),
                ("full_page_writes", "off"),
                ("synchronous_commit", "on"),
                ("max_wal_size", "1GB"),
            ]
            .into_iter()
            .map(setting)
            .collect(),
        };
        let cluster = Cluster::start(options).await.unwrap_or_else(|error| panic!("{error}"));
        let fresh = self.directory.join("socket.new");
        std::os::unix::fs::symlink(socket_directory(&cluster), &fresh).unwrap();
        std::fs::rename(&fresh, self.link()).unwrap();
        cluster
    }

    fn link(&self) -> PathBuf {
        self.directory.join("socket")
    }

    fn database_url(&self, cluster: &Cluster) -> String {
        let mut url = reqwest::Url::parse(&cluster.database_url(DATABASE)).unwrap();
        let link = self.link().display().to_string();
        url.query_pairs_mut().clear().append_pair("host", &link).append_pair("sslmode", "disable");
        url.to_string()
    }

    /// An immediate shutdown: sessions are cut, and nothing is written any more.
    async fn crash(&self) {
        let file = self.directory.join("postgres/data/postmaster.pid");
        let postmaster = std::fs::read_to_string(file).unwrap();
        let postmaster = Pid::from_raw(postmaster.lines().next().unwrap().parse().unwrap()).unwrap();
        kill_process(postmaster, Signal::QUIT).unwrap();
        while test_kill_process(postmaster).is_ok() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn remove(&self) {
        std::fs::remove_dir_all(&self.directory).unwrap();
    }
}

fn socket_directory(cluster: &Cluster) -> PathBuf {
    let url = reqwest::Url::parse(&cluster.database_url(DATABASE)).unwrap();
    let host = url.query_pairs().find(|(name, _)| name == "host").unwrap().1.into_owned();
    Path::new(&host).to_owned()
}
