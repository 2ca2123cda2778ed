//! The real program, in a process of its own, that can be killed.

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::{ADMIN_KEY, Caller, MASTER_KEY, TestDatabase};

/// `onelane serve` on a test's database.
pub struct GatewayProcess {
    child: Child,
    pub caller: Caller,
    base_url: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl GatewayProcess {
    /// Starts it and waits until it is ready.
    pub async fn start(database: &TestDatabase) -> Self {
        Self::spawn(&mut Command::new(env!("CARGO_BIN_EXE_onelane")), database).await
    }

    /// As [`start`](Self::start), but it kills itself at a moment of its first exchange.
    pub async fn start_dying_at(database: &TestDatabase, moment: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onelane"));
        Self::spawn(command.env("ONELANE_TEST_DIE_AT", moment), database).await
    }

    /// As [`start`](Self::start), and tells what the program logs at this level and above.
    pub async fn start_logging(database: &TestDatabase, level: &str) -> Self {
        Self::spawn(Command::new(env!("CARGO_BIN_EXE_onelane")).env("ONELANE_TEST_LOG", level), database).await
    }

    async fn spawn(command: &mut Command, database: &TestDatabase) -> Self {
        let level = command.as_std().get_envs().find(|(name, _)| *name == "ONELANE_TEST_LOG");
        let level = level.and_then(|(_, level)| level).map_or_else(|| "info".into(), std::ffi::OsStr::to_owned);
        let mut child = command
            .arg("serve")
            .env("DATABASE_URL", &database.url)
            .env("ONELANE_MASTER_KEY", MASTER_KEY)
            .env("ONELANE_ADMIN_KEY", ADMIN_KEY)
            .env("ONELANE_LISTEN", "127.0.0.1:0")
            .env("ONELANE_ALLOWED_NETWORKS", "127.0.0.0/8,::1")
            .env("RUST_LOG", level)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut seen = Vec::new();
        let address = loop {
            let Some(line) = log.next_line().await.unwrap() else { panic!("it did not start:\n{}", seen.join("\n")) };
            let ready = serde_json::from_str::<Value>(&line).ok().filter(|line| line["message"] == "ready");
            if let Some(address) = ready.as_ref().and_then(|line| line["listen"].as_str()) {
                break address.to_owned();
            }
            seen.push(line);
        };
        // Whoever does not read a pipe blocks the one who writes.
        let lines = Arc::new(Mutex::new(seen));
        let written = Arc::clone(&lines);
        tokio::spawn(async move {
            while let Ok(Some(line)) = log.next_line().await {
                written.lock().unwrap().push(line);
            }
        });
        let base_url = format!("http://{address}");
        GatewayProcess { child, caller: Caller::new(base_url.clone(), Some(ADMIN_KEY)), base_url, log: lines }
    }

    /// A path of it, with its address.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// What it has logged so far, once some of it is there.
    pub async fn log_with(&self, part: &str) -> String {
        let logged = async {
            loop {
                let log = self.log.lock().unwrap().join("\n");
                if log.contains(part) {
                    return log;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), logged).await.unwrap_or_else(|_| panic!("{part}"))
    }

    /// Waits until it has killed itself.
    pub async fn has_died(mut self) {
        use std::os::unix::process::ExitStatusExt;
        let status =
            tokio::time::timeout(std::time::Duration::from_secs(30), self.child.wait()).await.unwrap().unwrap();
        assert_eq!(status.signal(), Some(9));
    }

    /// `kill -9`
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}
