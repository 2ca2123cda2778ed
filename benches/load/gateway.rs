//! The gateway in release mode, as a process of its own.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use onelane::vault::Vault;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::client::Connection;

pub const ACCOUNT: &str = "otms-load";
pub const KEY: &str = "olk_load-administrator";
/// 32 zero bytes.
const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
/// The interface whose orders are measured.
pub const ENDPOINT: &str = "orderImport";

pub struct Gateway {
    child: Child,
    pub address: SocketAddr,
    /// From its start until it was ready
    pub start: Duration,
}

impl Gateway {
    pub async fn start(database_url: &str) -> Self {
        let begun = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_onelane"))
            .arg("serve")
            .env("DATABASE_URL", database_url)
            .env("ONELANE_MASTER_KEY", MASTER_KEY)
            .env("ONELANE_ADMIN_KEY", KEY)
            .env("ONELANE_LISTEN", "127.0.0.1:0")
            .env("ONELANE_ALLOWED_NETWORKS", "127.0.0.0/8")
            .env("RUST_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = log.next_line().await.unwrap().expect("it starts");
            let line: Value = serde_json::from_str(&line).unwrap_or_default();
            if line["message"] == "ready" {
                break line["listen"].as_str().unwrap().parse().unwrap();
            }
        };
        let start = begun.elapsed();
        tokio::spawn(async move {
            while let Ok(Some(line)) = log.next_line().await {
                if line.contains("\"WARN\"") || line.contains("\"ERROR\"") {
                    eprintln!("   {}", line.chars().take(300).collect::<String>());
                }
            }
        });
        Gateway { child, address, start }
    }

    pub async fn connect(&self) -> Connection {
        Connection::open(self.address, KEY).await
    }

    /// Adds the account that everything is measured with.
    pub async fn add_account(&self, responder: &str, throttles: Value) {
        let body = json!({
            "id": ACCOUNT, "provider": "otms", "displayName": "Load", "baseUrl": responder,
            "credentials": {"username": "load", "password": "load"},
            "settings": {"allowPlainHttp": true}, "throttles": throttles,
        });
        let (status, answer) = self.connect().await.post("/v1/accounts", body.to_string(), &[]).await;
        assert_eq!(status, 201, "{answer:?}");
    }

    /// `pause` or `resume`
    pub async fn hold(&self, verb: &str) {
        let (status, answer) = self.connect().await.post(&format!("/v1/accounts/{ACCOUNT}/{verb}"), "", &[]).await;
        assert_eq!(status, 200, "{answer:?}");
    }

    /// Memory in use, in bytes.
    pub fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0
    }

    /// What it took of the processors since it began, in steps of ten milliseconds.
    pub fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id().unwrap())).unwrap();
        // Behind the name: the state, then numbers, of which these are the time in the program and in the kernel.
        let (_, numbers) = stat.rsplit_once(')').unwrap();
        let hundredths: u64 = numbers.split(' ').skip(12).take(2).map(|number| number.parse::<u64>().unwrap()).sum();
        Duration::from_millis(hundredths * 10)
    }

    pub async fn stop(mut self) {
        use rustix::process::{Pid, Signal, kill_process};
        let id = Pid::from_raw(self.child.id().unwrap() as i32).unwrap();
        kill_process(id, Signal::TERM).unwrap();
        assert!(self.child.wait().await.unwrap().success());
    }
}

/// No quota, and as many exchanges at once as a pool of connections serves.
pub fn no_quota() -> Value {
    json!({ENDPOINT: {"requests": 1_000_000, "windowSeconds": 1, "inFlight": 16}})
}

/// Ids of the master keys of every gateway here.
pub fn key_ids() -> Vec<String> {
    Vault::from_base64(MASTER_KEY).unwrap().key_ids()
}
