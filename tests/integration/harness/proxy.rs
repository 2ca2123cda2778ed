//! The way to a database, which a test can interrupt.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// What the way lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    Open,
    /// Connections end, and new ones end at once.
    Cut,
    /// Nothing gets through, and nobody is told.
    Lost,
}

/// A TCP proxy before a PostgreSQL server.
pub struct DatabaseProxy {
    /// The database's address through it
    pub url: String,
    passage: watch::Sender<Passage>,
    target: watch::Sender<Target>,
    /// Connections that were turned away
    refused: watch::Receiver<u64>,
}

#[derive(Clone)]
enum Target {
    Socket(PathBuf),
    Address(String),
}

impl Target {
    fn of(url: &reqwest::Url) -> Self {
        let directory = url.query_pairs().find(|(name, value)| name == "host" && value.starts_with('/'));
        let port = url.port().unwrap_or(5432);
        match directory {
            Some((_, directory)) => Target::Socket(PathBuf::from(format!("{directory}/.s.PGSQL.{port}"))),
            None => Target::Address(format!("{}:{port}", url.host_str().unwrap())),
        }
    }
}

impl DatabaseProxy {
    pub async fn start(database_url: &str) -> Self {
        let mut url = reqwest::Url::parse(database_url).unwrap();
        let (target, _) = watch::channel(Target::of(&url));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(address.port())).unwrap();
        let others: Vec<(String, String)> =
            url.query_pairs().filter(|(name, _)| name != "host").map(|(n, v)| (n.into(), v.into())).collect();
        url.query_pairs_mut().clear().extend_pairs(others);
        let (passage, _) = watch::channel(Passage::Open);
        let (refusing, refused) = watch::channel(0);
        let (ways, targets) = (passage.clone(), target.clone());
        let refusing = Arc::new(refusing);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (ways, targets, refusing) = (ways.clone(), targets.clone(), Arc::clone(&refusing));
                tokio::spawn(async move {
                    let passed = *ways.borrow() != Passage::Cut && carry(client, ways, &targets).await;
                    if !passed {
                        refusing.send_modify(|count| *count += 1);
                    }
                });
            }
        });
        DatabaseProxy { url: url.to_string(), passage, target, refused }
    }

    pub fn set(&self, passage: Passage) {
        self.passage.send_replace(passage);
    }

    /// Leads to another server from now on.
    pub fn lead_to(&self, database_url: &str) {
        self.target.send_replace(Target::of(&reqwest::Url::parse(database_url).unwrap()));
    }

    /// Waits until so many more connections were turned away.
    pub async fn turned_away(&self, more: u64) {
        let mut refused = self.refused.clone();
        let least = *refused.borrow() + more;
        let turned_away = refused.wait_for(|count| *count >= least);
        assert!(tokio::time::timeout(Duration::from_secs(60), turned_away).await.is_ok(), "nobody knocks");
    }
}

/// Carries one connection; false when there was no server to lead it to.
async fn carry(client: TcpStream, ways: watch::Sender<Passage>, targets: &watch::Sender<Target>) -> bool {
    let target = targets.borrow().clone();
    match target {
        Target::Socket(path) => match UnixStream::connect(path).await {
            Ok(server) => both_ways(client, server, &ways).await,
            Err(_) => return false,
        },
        Target::Address(address) => match TcpStream::connect(address).await {
            Ok(server) => both_ways(client, server, &ways).await,
            Err(_) => return false,
        },
    }
    true
}

async fn both_ways<S: AsyncRead + AsyncWrite>(client: TcpStream, server: S, ways: &watch::Sender<Passage>) {
    let (client_read, client_write) = split(client);
    let (server_read, server_write) = split(server);
    let mut cut = ways.subscribe();
    tokio::select! {
        () = pass(client_read, server_write, ways.subscribe()) => {}
        () = pass(server_read, client_write, ways.subscribe()) => {}
        _ = cut.wait_for(|passage| *passage == Passage::Cut) => {}
    }
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut ways: watch::Receiver<Passage>) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read) = from.read(&mut bytes).await {
        if read == 0 || ways.wait_for(|passage| *passage == Passage::Open).await.is_err() {
            return;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
