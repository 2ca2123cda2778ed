//! A PostgreSQL server of one test, which it may crash and start again.

use std::path::PathBuf;

use onelane::postgres::{Cluster, ClusterDirectory, ClusterOptions};
use rustix::process::{Pid, Signal, kill_process};
use uuid::Uuid;

use super::{DatabaseProxy, TestDatabase};

const DATABASE: &str = "onelane";

/// The server, always at the same address: through a proxy.
pub struct OwnCluster {
    directory: PathBuf,
    cluster: Option<Cluster>,
    pub proxy: DatabaseProxy,
}

impl OwnCluster {
    /// Starts it; gives its database, too, as tests know it.
    pub async fn start() -> (Self, TestDatabase) {
        let directory = PathBuf::from(format!("/tmp/onelane-test-{}", Uuid::new_v4().simple()));
        let cluster = Cluster::start(options(&directory)).await.unwrap_or_else(|error| panic!("{error}"));
        cluster.create_database_if_missing(DATABASE).await.unwrap();
        let proxy = DatabaseProxy::start(&cluster.database_url(DATABASE)).await;
        let database = TestDatabase::at(&proxy.url).await;
        (OwnCluster { directory, cluster: Some(cluster), proxy }, database)
    }

    /// Ends the server without a word to anybody, as a crash does.
    pub async fn crash(&mut self) {
        let file = self.directory.join("postgres/data/postmaster.pid");
        let content = std::fs::read_to_string(file).unwrap();
        let process = Pid::from_raw(content.lines().next().unwrap().parse().unwrap()).unwrap();
        kill_process(process, Signal::QUIT).unwrap();
        self.cluster.take().unwrap().stop().await.unwrap();
    }

    /// Starts it again with what was committed.
    pub async fn start_again(&mut self) {
        let cluster = Cluster::start(options(&self.directory)).await.unwrap_or_else(|error| panic!("{error}"));
        self.proxy.lead_to(&cluster.database_url(DATABASE));
        self.cluster = Some(cluster);
    }

    /// The address as a role that is no superuser, which limits hold for.
    pub async fn role(&self, database: &TestDatabase, name: &str) -> String {
        let statement = format!(
            "create role {name} login; grant all on schema public to {name}; \
             grant all on all tables in schema public to {name}; grant all on all sequences in schema public to {name}"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut database.connection().await).await.unwrap();
        let mut url = reqwest::Url::parse(&self.proxy.url).unwrap();
        url.set_username(name).unwrap();
        url.to_string()
    }
}

impl Drop for OwnCluster {
    fn drop(&mut self) {
        // The guard takes the server down when this is dropped; its files may then go under it.
        drop(self.cluster.take());
        let directory = self.directory.clone();
        std::thread::spawn(move || {
            let lock = directory.join("postgres/data/postmaster.pid");
            for _ in 0..1_000 {
                if !lock.exists() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            std::fs::remove_dir_all(directory)
        })
        .join()
        .unwrap()
        .unwrap();
    }
}

fn options(directory: &std::path::Path) -> ClusterOptions {
    ClusterOptions {
        directory: ClusterDirectory::Kept(directory.to_owned()),
        max_connections: 60,
        // The machine does not crash, only the server.
        extra_settings: vec![("fsync".to_owned(), "off".to_owned())],
    }
}
