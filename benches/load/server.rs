//! The private PostgreSQL that everything is measured on: durable, as in production.

use std::path::PathBuf;
use std::time::Duration;

use onelane::postgres::{Cluster, ClusterDirectory, ClusterOptions};
use onelane::store::{Store, StoreOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use uuid::Uuid;

/// What differs from PostgreSQL's defaults: room for the data, as anybody would give it.
const SETTINGS: [(&str, &str); 6] = [
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("shared_buffers", "1GB"),
    ("max_wal_size", "8GB"),
    ("checkpoint_timeout", "15min"),
];

pub struct Server {
    cluster: Cluster,
    directory: PathBuf,
}

impl Server {
    pub async fn start() -> Self {
        let directory = std::env::temp_dir().join(format!("onelane-load-{}", Uuid::new_v4().simple()));
        let options = ClusterOptions {
            directory: ClusterDirectory::Kept(directory.clone()),
            max_connections: 200,
            extra_settings: SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        };
        let cluster = Cluster::start(options).await.unwrap_or_else(|error| panic!("{error}"));
        Server { cluster, directory }
    }

    /// A new database with the gateway's schema; gives its URL.
    pub async fn database(&self, name: &str) -> String {
        self.empty_database(name).await;
        let database_url = self.cluster.database_url(name);
        let store = Store::connect(&StoreOptions { database_url, max_connections: 2 }).await.unwrap();
        store.migrate().await.unwrap();
        store.close().await;
        self.cluster.database_url(name)
    }

    /// A new database without a schema; gives its URL.
    pub async fn empty_database(&self, name: &str) -> String {
        self.administer(&format!("drop database if exists {name} with (force)")).await;
        self.administer(&format!("create database {name} template template0")).await;
        self.cluster.database_url(name)
    }

    /// A copy of a database to which nobody is connected; gives its URL.
    pub async fn copy(&self, of: &str, name: &str) -> String {
        self.administer(&format!("drop database if exists {name} with (force)")).await;
        self.administer(&format!("create database {name} template {of} strategy file_copy")).await;
        self.cluster.database_url(name)
    }

    /// Writes out what is dirty, so that nobody pays for those before.
    pub async fn settle(&self) {
        self.administer("checkpoint").await;
    }

    /// Has each commit wait as for a disk that takes so long to flush.
    pub async fn flush_within(&self, time: Duration) {
        self.administer("alter system set commit_siblings = 0").await;
        self.administer(&format!("alter system set commit_delay = {}", time.as_micros())).await;
        self.administer("select pg_reload_conf()").await;
    }

    /// What a setting stands at.
    pub async fn setting(&self, name: &str) -> String {
        let mut connection = PgConnection::connect(&self.cluster.database_url("postgres")).await.unwrap();
        sqlx::query_scalar("select current_setting($1)").bind(name).fetch_one(&mut connection).await.unwrap()
    }

    async fn administer(&self, statement: &str) {
        let mut connection = PgConnection::connect(&self.cluster.database_url("postgres")).await.unwrap();
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
        connection.close().await.unwrap();
    }

    pub async fn stop(self) {
        self.cluster.stop().await.unwrap();
        // The server removes its lock last.
        tokio::time::sleep(Duration::from_millis(100)).await;
        std::fs::remove_dir_all(self.directory).unwrap();
    }
}
