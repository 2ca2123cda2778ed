//! The real program, in a process of its own, that can be killed.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::{ADMIN_KEY, Caller, MASTER_KEY, TestDatabase};

/// How long it may take to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// `onelane serve` on a test's database.
pub struct GatewayProcess {
    child: Child,
    pub caller: Caller,
    /// Where it listens
    pub base_url: String,
    log: Arc<Mutex<Vec<String>>>,
    /// Ends with the last line of the log
    reading: tokio::task::JoinHandle<()>,
}

impl GatewayProcess {
    /// Starts it and waits until it is ready.
    pub async fn start(database: &TestDatabase) -> Self {
        Self::start_with(&database.url, &[]).await
    }

    /// As [`start`](Self::start), but it kills itself at a moment of its first exchange.
    pub async fn start_dying_at(database: &TestDatabase, moment: &str) -> Self {
        Self::start_with(&database.url, &[("ONELANE_TEST_DIE_AT", moment)]).await
    }

    /// As [`start`](Self::start), and tells what the program logs at this level and above.
    pub async fn start_logging(database: &TestDatabase, level: &str) -> Self {
        Self::start_with(&database.url, &[("RUST_LOG", level)]).await
    }

    /// As [`start`](Self::start), on any address of a database and with these variables.
    pub async fn start_with(database_url: &str, variables: &[(&str, &str)]) -> Self {
        Self::serve(&["serve"], database_url, variables).await
    }

    /// The same, with these arguments.
    pub async fn serve(arguments: &[&str], database_url: &str, variables: &[(&str, &str)]) -> Self {
        let started = Self::try_start(arguments, database_url, variables).await;
        started.unwrap_or_else(|log| panic!("it did not start:\n{log}"))
    }

    /// Starts it at an address of its own choice on any database; says what it logged when it does not come up.
    pub async fn start_at(database_url: &str, address: &str, level: &str) -> Result<Self, String> {
        Self::try_start(&["serve"], database_url, &[("ONELANE_LISTEN", address), ("RUST_LOG", level)]).await
    }

    async fn try_start(arguments: &[&str], database_url: &str, variables: &[(&str, &str)]) -> Result<Self, String> {
        let mut child = command(arguments, database_url, variables).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut seen = Vec::new();
        let base_url = loop {
            let Some(line) = log.next_line().await.unwrap() else { return Err(seen.join("\n")) };
            let ready = serde_json::from_str::<Value>(&line).ok().filter(|line| line["message"] == "ready");
            seen.push(line);
            if let Some(ready) = ready {
                break format!("{}://{}", ready["scheme"].as_str().unwrap(), ready["listen"].as_str().unwrap());
            }
        };
        // Whoever does not read a pipe blocks the one who writes.
        let lines = Arc::new(Mutex::new(seen));
        let written = Arc::clone(&lines);
        let reading = tokio::spawn(async move {
            while let Ok(Some(line)) = log.next_line().await {
                written.lock().unwrap().push(line);
            }
        });
        let key = variables.iter().find(|(name, _)| *name == "ONELANE_ADMIN_KEY").map_or(ADMIN_KEY, |(_, key)| key);
        let caller = Caller::new(base_url.clone(), Some(key));
        Ok(GatewayProcess { child, caller, base_url, log: lines, reading })
    }

    /// What it has logged so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Sends it a signal; false when it has ended already.
    pub fn signal(&self, signal: Signal) -> bool {
        let id = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).unwrap()));
        id.is_some_and(|id| kill_process(id, signal).is_ok())
    }

    /// How it ended, if it did without being told to.
    pub fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Runs the program to its end; gives whether it ended well, and what it said.
    pub async fn run(arguments: &[&str], database_url: &str, variables: &[(&str, &str)]) -> (bool, String) {
        let output = command(arguments, database_url, variables).stdout(Stdio::piped()).output();
        let output = tokio::time::timeout(PATIENCE, output).await.expect("it does not end").unwrap();
        (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
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
        tokio::time::timeout(Duration::from_secs(20), logged).await.unwrap_or_else(|_| panic!("{part}"))
    }

    /// What it has logged so far under this message.
    pub fn logged(&self, message: &str) -> Vec<Value> {
        let log = self.log.lock().unwrap();
        let lines = log.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["message"] == message).collect()
    }

    /// Stops it in the middle of whatever it does; nothing of it runs.
    pub fn hang(&self) {
        assert!(self.signal(Signal::STOP), "it has ended already");
    }

    /// Lets it go on where it was.
    pub fn go_on(&self) {
        assert!(self.signal(Signal::CONT), "it has ended already");
    }

    /// Asks it to end, and waits until it has; whether it ended well.
    pub async fn stop(mut self) -> bool {
        assert!(self.signal(Signal::TERM), "it has ended already");
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it does not end").unwrap().success()
    }

    /// Asks it to end, and waits until it has; gives its whole log.
    pub async fn stop_for_log(mut self) -> String {
        self.signal(Signal::TERM);
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it does not end").unwrap();
        assert!(status.success(), "{status}");
        // The last lines may still be in the pipe.
        tokio::time::timeout(PATIENCE, self.reading).await.expect("its log does not end").unwrap();
        self.log.lock().unwrap().join("\n")
    }

    /// What the system says of it, such as `limits`.
    pub fn proc(&self, name: &str) -> Vec<u8> {
        std::fs::read(format!("/proc/{}/{name}", self.child.id().unwrap())).unwrap()
    }

    /// Waits until it has killed itself.
    pub async fn has_died(mut self) {
        use std::os::unix::process::ExitStatusExt;
        let status = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await.unwrap().unwrap();
        assert_eq!(status.signal(), Some(9));
    }

    /// Asks it to end, as a container's runtime does.
    pub fn terminate(&self) {
        assert!(self.signal(Signal::TERM), "it has ended already");
    }

    /// Waits until it has ended; gives its exit code.
    pub async fn exit_code(mut self) -> Option<i32> {
        tokio::time::timeout(std::time::Duration::from_secs(30), self.child.wait()).await.unwrap().unwrap().code()
    }

    /// The most memory that it had in use, in bytes.
    pub fn most_memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
    }

    /// `kill -9`
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

fn command(arguments: &[&str], database_url: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onelane"));
    command
        .args(arguments)
        .env("DATABASE_URL", database_url)
        .env("ONELANE_MASTER_KEY", MASTER_KEY)
        .env("ONELANE_ADMIN_KEY", ADMIN_KEY)
        .env("ONELANE_LISTEN", "127.0.0.1:0")
        .env("ONELANE_ALLOWED_NETWORKS", "127.0.0.0/8,::1")
        .env("RUST_LOG", "info")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}
