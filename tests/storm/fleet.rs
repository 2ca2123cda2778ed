//! The replicas of the gateway, each at an address that it keeps, however often it is killed.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::Mutex;

use super::harness::{ADMIN_KEY, Caller, GatewayProcess};

/// Where replicas look for a port: below those that the system gives to outgoing connections.
const FIRST_PORT: u16 = 18_100;
const LAST_PORT: u16 = 30_000;
/// What a replica logs: warnings, and that it is ready.
const LEVEL: &str = "warn,onelane::cli::serve=info";
/// How long a replica may take to come up, with a database that is just starting.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Fleet {
    database_url: String,
    replicas: Vec<Replica>,
    turn: AtomicUsize,
}

struct Replica {
    address: String,
    caller: Caller,
    process: Mutex<Option<GatewayProcess>>,
    /// What its processes logged that are gone
    log: Mutex<Vec<String>>,
}

impl Fleet {
    pub async fn start(database_url: &str, count: u16) -> Self {
        let mut port = FIRST_PORT + u16::try_from(std::process::id() % 1_000).unwrap() * 10;
        let mut replicas = Vec::new();
        for _ in 0..count {
            port = free_port(port);
            let address = format!("127.0.0.1:{port}");
            let caller = Caller::new(format!("http://{address}"), Some(ADMIN_KEY));
            replicas.push(Replica { address, caller, process: Mutex::default(), log: Mutex::default() });
            port += 1;
        }
        let fleet = Fleet { database_url: database_url.to_owned(), replicas, turn: AtomicUsize::new(0) };
        for replica in &fleet.replicas {
            let started = fleet.started(replica).await;
            *replica.process.lock().await = Some(started);
        }
        fleet
    }

    pub fn count(&self) -> usize {
        self.replicas.len()
    }

    /// A replica to call; another one for another number.
    pub fn caller(&self, number: usize) -> &Caller {
        &self.replicas[number % self.replicas.len()].caller
    }

    /// A replica to call, each in its turn.
    pub fn next(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// `kill -9`, and a new process after a while.
    pub async fn kill(&self, number: usize, downtime: Duration) {
        let replica = &self.replicas[number % self.replicas.len()];
        let mut process = replica.process.lock().await;
        if let Some(running) = process.take() {
            replica.log.lock().await.extend(running.log());
            running.kill().await;
        }
        tokio::time::sleep(downtime).await;
        *process = Some(self.started(replica).await);
    }

    /// Has a replica hang for a while.
    pub async fn stop(&self, number: usize, time: Duration) {
        let process = self.replicas[number % self.replicas.len()].process.lock().await;
        if let Some(running) = &*process {
            running.signal(Signal::STOP);
            tokio::time::sleep(time).await;
            running.signal(Signal::CONT);
        }
    }

    /// The replicas that ended without being told to.
    pub async fn ended(&self) -> Vec<String> {
        let mut ended = Vec::new();
        for replica in &self.replicas {
            if let Some(status) = replica.process.lock().await.as_mut().and_then(GatewayProcess::ended) {
                ended.push(format!("the replica at {} ended by itself: {status}", replica.address));
            }
        }
        ended
    }

    /// All that was logged, by replica.
    pub async fn logs(&self) -> Vec<(String, Vec<String>)> {
        let mut logs = Vec::new();
        for replica in &self.replicas {
            let mut log = replica.log.lock().await.clone();
            log.extend(replica.process.lock().await.as_ref().map(GatewayProcess::log).unwrap_or_default());
            logs.push((replica.address.replace(':', "-"), log));
        }
        logs
    }

    /// A replica whose database is down does not come up, and whoever runs it starts it again.
    async fn started(&self, replica: &Replica) -> GatewayProcess {
        let trying = async {
            loop {
                match GatewayProcess::start_at(&self.database_url, &replica.address, LEVEL).await {
                    Ok(process) => return process,
                    Err(log) => replica.log.lock().await.push(log),
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let Ok(process) = tokio::time::timeout(PATIENCE, trying).await else {
            panic!("a replica does not come up:\n{}", replica.log.lock().await.join("\n"));
        };
        process
    }
}

fn free_port(from: u16) -> u16 {
    (from..LAST_PORT).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}
