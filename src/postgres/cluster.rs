//! Starting, using and stopping a private cluster.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep};

use super::account::Account;
use super::directory::{self, KeptHome};
use super::guard::{self, Assignment, Guard, Shutdown};
use super::postmaster::{self, PORT, Postmaster};
use super::programs::Programs;
use super::{ClusterDirectory, ClusterError, ClusterOptions};

/// The superuser of every private cluster.
const ROLE: &str = "onelane";
/// `initdb` and the first start together; about one second on an ordinary machine.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// A running PostgreSQL server of our own.
///
/// It stops with `stop`, and also when this value is dropped or this process ends in any way;
/// only `stop` waits for it.
#[derive(Debug)]
pub struct Cluster {
    guard: Guard,
    socket_directory: PathBuf,
    psql: PathBuf,
}

impl Cluster {
    /// Starts a cluster, making its files when they are missing, and waits until it takes
    /// connections.
    pub async fn start(options: ClusterOptions) -> Result<Self, ClusterError> {
        let kept = match &options.directory {
            ClusterDirectory::Kept(chosen) => Some(KeptHome::open(chosen).await?),
            ClusterDirectory::ThrowAway => None,
        };
        let existing = kept.as_ref().map(|home| home.path.join("data"));
        let existing = existing.as_deref().and_then(|data| Some((data, directory::data_version(data)?)));
        let programs = Programs::find(existing).await?;
        if let Some((data, _)) = existing {
            postmaster::refuse_second_server(data).await?;
        }
        let account = match &kept {
            Some(home) => home.account.clone(),
            None => Account::choose(None)?,
        };
        account.check_reach(&programs.directory)?;

        // From here to the guard nothing waits, so this future cannot be dropped in between and
        // leave a directory that nobody removes.
        let throw_away = kept.is_none();
        let run = directory::create_run_directory(&account, throw_away)?;
        let home = kept.as_ref().map_or(&run, |home| &home.path).clone();
        let (data, log) = (home.join("data"), home.join("postgres.log"));
        let shutdown = if throw_away { Shutdown::Immediate } else { Shutdown::Fast };
        let started = directory::create_log(&log).and_then(|log| {
            Guard::start(Assignment {
                account: &account,
                programs: &programs,
                data: &data,
                run: &run,
                shutdown,
                settings: &settings(&options, &run),
                lock: kept.map(|home| home.lock),
                log,
            })
        });
        let guard = started.inspect_err(|_| {
            // Nothing of value is in it, and the error at hand matters more than this one.
            std::fs::remove_dir_all(&run).ok();
        })?;
        let mut cluster = Self { guard, socket_directory: run, psql: programs.program("psql") };
        if let Err(error) = cluster.wait_until_ready(&data, &log).await {
            // Already failing: what matters is that the guard has cleaned up when we return.
            cluster.stop().await.ok();
            return Err(error);
        }
        tracing::debug!(version = programs.major, ?data, "private PostgreSQL started");
        Ok(cluster)
    }

    /// The address of a database of this cluster, over its unix socket, as its superuser.
    pub fn database_url(&self, database: &str) -> String {
        format!(
            "postgres://{ROLE}@localhost:{PORT}/{}?host={}&sslmode=disable",
            directory::percent_encode(database.as_ref()),
            directory::percent_encode(self.socket_directory.as_os_str()),
        )
    }

    /// Creates a database unless there is one of this name.
    pub async fn create_database_if_missing(&self, name: &str) -> Result<(), ClusterError> {
        const SCRIPT: &[u8] = b"SELECT format('CREATE DATABASE %I', :'name') WHERE NOT EXISTS \
            (SELECT FROM pg_database WHERE datname = :'name') \\gexec\n";
        let mut command = std::process::Command::new(&self.psql);
        guard::plain_environment(&mut command);
        command
            .args(["--no-psqlrc", "--quiet", "--no-password", "--file=-"])
            .args(["--set=ON_ERROR_STOP=1", &format!("--set=name={name}")])
            .arg(self.database_url("postgres"))
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let failed = || ClusterError::program(&self.psql);
        let mut psql = tokio::process::Command::from(command).kill_on_drop(true).spawn().map_err(failed())?;
        if let Some(mut input) = psql.stdin.take() {
            input.write_all(SCRIPT).await.map_err(failed())?;
        }
        let output = psql.wait_with_output().await.map_err(failed())?;
        let message = String::from_utf8_lossy(&output.stderr);
        // The database may have come into being between the question and the answer.
        if output.status.success() || message.contains("already exists") {
            return Ok(());
        }
        Err(ClusterError::DatabaseNotCreated { database: name.to_owned(), message: message.trim().to_owned() })
    }

    /// Shuts the server down and waits until it is gone, with its files if they are throw-away.
    pub async fn stop(self) -> Result<(), ClusterError> {
        self.guard.finish().await
    }

    async fn wait_until_ready(&mut self, data: &Path, log: &Path) -> Result<(), ClusterError> {
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            let postmaster = Postmaster::read(data);
            if postmaster.is_some_and(|it| it.is_ready_at(&self.socket_directory)) {
                return Ok(());
            }
            if self.socket_directory.join("exited").exists() || self.guard.has_ended() {
                let log = directory::log_tail(log);
                return Err(ClusterError::StartFailed { log });
            }
            if Instant::now() > deadline {
                return Err(ClusterError::StartTimedOut {
                    seconds: START_DEADLINE.as_secs(),
                    log: directory::log_tail(log),
                });
            }
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The server's settings; they go on its command line, so that the files need no editing and a
/// later version of ours can change them.
fn settings(options: &ClusterOptions, run: &Path) -> Vec<(String, String)> {
    let socket_directory = run.display().to_string();
    let max_connections = options.max_connections.to_string();
    let port = PORT.to_string();
    let mut settings = vec![
        ("listen_addresses", ""),
        ("unix_socket_directories", &socket_directory),
        ("port", &port),
        ("max_connections", &max_connections),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
    ];
    settings.extend(match options.directory {
        ClusterDirectory::Kept(_) => [("fsync", "on"), ("shared_buffers", "128MB")].as_slice(),
        ClusterDirectory::ThrowAway => &[
            ("fsync", "off"),
            ("synchronous_commit", "off"),
            ("full_page_writes", "off"),
            ("shared_buffers", "64MB"),
            // The log of changes would otherwise grow to 1 GB of memory.
            ("max_wal_size", "256MB"),
        ],
    });
    settings
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .chain(options.extra_settings.iter().cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(directory: ClusterDirectory) -> ClusterOptions {
        ClusterOptions { directory, max_connections: 10, extra_settings: Vec::new() }
    }

    #[tokio::test]
    async fn a_throw_away_cluster_leaves_nothing() {
        let cluster = Cluster::start(options(ClusterDirectory::ThrowAway)).await.expect("started");
        for _ in 0..2 {
            let name = "odd \"name\"; '";
            let created = cluster.create_database_if_missing(name).await;
            created.expect("created, or there already");
        }
        let directory = cluster.socket_directory.clone();
        assert!(directory.join(format!(".s.PGSQL.{PORT}")).exists());
        cluster.stop().await.expect("stopped");
        assert!(!directory.exists());
    }

    #[tokio::test]
    async fn a_kept_cluster_is_kept_and_has_one_owner() {
        let account = Account::choose(None).expect("an account");
        let chosen = directory::create_run_directory(&account, true).expect("a directory");
        let options = options(ClusterDirectory::Kept(chosen.clone()));
        let cluster = Cluster::start(options.clone()).await.expect("started");
        let error = Cluster::start(options.clone()).await.expect_err("in use");
        assert!(matches!(error, ClusterError::InUse { .. }), "{error}");
        cluster.stop().await.expect("stopped");

        let version = directory::data_version(&chosen.join("postgres/data"));
        assert!(version.is_some());
        let cluster = Cluster::start(options).await.expect("started again");
        cluster.stop().await.expect("stopped again");
        std::fs::remove_dir_all(chosen).expect("removed");
    }
}
