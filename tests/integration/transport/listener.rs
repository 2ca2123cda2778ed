//! TLS of the API's own listener.

use std::time::Duration;

use onelane::server::{Certificate, CertificateError};
use reqwest::Version;
use rustix::process::Signal;
use tokio::io::AsyncReadExt;

use super::certificates::{Files, Pair, administrator, text, trusting, trusting_builder};
use crate::harness::{Bench, GatewayProcess, RawConnection, TestDatabase, order};

#[tokio::test]
async fn the_api_speaks_tls_and_nothing_else_with_a_certificate() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let pair = Pair::make();
    let files = Files::of(&pair);
    let (chain, key) = (files.chain(), files.key());
    let variables = [("ONELANE_TLS_CERTIFICATE", text(&chain)), ("ONELANE_TLS_KEY", text(&key))];
    let gateway = GatewayProcess::start_with(&bench.database.url, &variables).await;
    assert!(gateway.base_url.starts_with("https://"), "{}", gateway.base_url);

    let placed = administrator(&gateway.base_url, &pair).place(&order("SO-1")).await;
    assert_eq!(placed.body["submission"]["state"], "accepted", "{:#}", placed.body);
    assert_eq!(placed.header("strict-transport-security"), Some("max-age=31536000"));
    let url = gateway.url("/healthz");
    let older = trusting_builder(&pair).http1_only().build().unwrap();
    for (client, version) in [(trusting(&pair), Version::HTTP_2), (older, Version::HTTP_11)] {
        let answer = client.get(&url).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
    }

    // Whoever does not trust it, and whoever does not encrypt, says nothing and hears nothing.
    assert!(trusting(&Pair::make()).get(&url).send().await.is_err());
    let mut plain = RawConnection::open(&gateway.base_url.replace("https", "http")).await;
    plain.send("GET /healthz HTTP/1.1\r\nhost: onelane\r\n\r\n").await;
    let mut heard = Vec::new();
    let _ = plain.stream.read_to_end(&mut heard).await;
    assert!(!String::from_utf8_lossy(&heard).contains("HTTP"), "{heard:?}");

    let address = gateway.base_url.trim_start_matches("https://").to_owned();
    let listen = ("ONELANE_LISTEN", address.as_str());
    let (lives, said) = GatewayProcess::run(&["health"], "", &[listen, variables[0]]).await;
    assert!(lives, "{said}");
    let (lives, _) = GatewayProcess::run(&["health"], "", &[listen]).await;
    assert!(!lives);
}

#[tokio::test]
async fn a_certificate_that_was_renewed_is_shown_without_a_restart() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let (first, second) = (Pair::make(), Pair::make());
    let files = Files::of(&first);
    let (chain, key) = (files.chain(), files.key());
    let variables = [("ONELANE_TLS_CERTIFICATE", text(&chain)), ("ONELANE_TLS_KEY", text(&key))];
    let gateway = GatewayProcess::start_with(&bench.database.url, &variables).await;
    let (before, after) = (administrator(&gateway.base_url, &first), administrator(&gateway.base_url, &second));
    assert_eq!(before.get("/healthz").await.status, 200);

    // Half of it is there: the one before goes on.
    std::fs::write(&chain, &second.certificate).unwrap();
    assert!(gateway.signal(Signal::HUP));
    gateway.log_with("do not go together").await;
    assert_eq!(before.get("/healthz").await.status, 200);

    files.put(&second);
    assert!(gateway.signal(Signal::HUP));
    gateway.log_with("another certificate is shown").await;
    assert_eq!(after.get("/healthz").await.status, 200);
    assert!(trusting(&first).get(gateway.url("/healthz")).send().await.is_err());
    let log = gateway.stop_for_log().await;
    assert!(!log.contains("PRIVATE KEY"), "{log}");
}

#[tokio::test]
async fn whoever_does_not_agree_on_encryption_is_sent_away() {
    let files = Files::of(&Pair::make());
    let certificate = Certificate::read(files.both()).unwrap();
    let database = TestDatabase::create().await;
    let (sandbox, sandbox_url) = crate::harness::gateway::start_sandbox().await;
    let mut options = onelane::gateway::GatewayOptions::default();
    options.server.certificate = Some(certificate);
    options.server.handshake = Duration::from_millis(200);
    let bench = Bench::with_options(options, database, sandbox, sandbox_url).await;
    for sent in ["", "\u{16}\u{3}\u{1}"] {
        let mut silent = RawConnection::open(&bench.base_url).await;
        silent.send(sent).await;
        silent.end().await;
    }
}

#[tokio::test]
async fn what_is_no_certificate_is_told_before_anything_is_served() {
    let (pair, other) = (Pair::make(), Pair::make());
    let files = Files::new();
    let said = |result: Result<Certificate, CertificateError>| result.unwrap_err().to_string();
    assert!(said(Certificate::read(files.both())).contains("chain.pem cannot be read"));
    files.put(&Pair { certificate: "nonsense".to_owned(), ..Pair::make() });
    assert!(said(Certificate::read(files.both())).contains("holds no certificate"));
    files.put(&Pair { key: pair.certificate.clone(), certificate: pair.certificate.clone() });
    assert!(said(Certificate::read(files.both())).contains("holds no private key"));
    files.put(&Pair { key: other.key.clone(), certificate: pair.certificate.clone() });
    let mismatch = said(Certificate::read(files.both()));
    assert!(mismatch.contains("do not go together") && !mismatch.contains(&other.key), "{mismatch}");

    let database = TestDatabase::create().await;
    let (chain, key) = (files.chain(), files.key());
    for (variables, expected) in [
        (vec![("ONELANE_TLS_CERTIFICATE", text(&chain)), ("ONELANE_TLS_KEY", text(&key))], "do not go together"),
        (vec![("ONELANE_TLS_CERTIFICATE", text(&chain))], "tls_certificate needs tls_key"),
        (vec![("ONELANE_TLS_KEY", text(&key))], "tls_key needs tls_certificate"),
    ] {
        let (started, said) = GatewayProcess::run(&["serve"], &database.url, &variables).await;
        assert!(!started && said.contains(expected) && !said.contains("PRIVATE"), "{said}");
    }
}
