//! TLS to providers: with somebody whose certificate nobody vouches for nothing is spoken.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::certificates::{Files, Pair, text};
use crate::harness::{Bench, GatewayProcess, TestDatabase, order};

/// Ends TLS before the simulators; counts those who agreed on encryption.
async fn start_front(pair: &Pair, behind: String) -> (String, Arc<AtomicUsize>) {
    let chain = vec![CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let agreed = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&agreed);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, behind, counted) = (acceptor.clone(), behind.clone(), Arc::clone(&counted));
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                counted.fetch_add(1, Ordering::Relaxed);
                let mut inner = TcpStream::connect(behind.trim_start_matches("http://")).await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut inner).await;
            });
        }
    });
    (url, agreed)
}

#[tokio::test]
async fn a_provider_whose_certificate_nobody_vouches_for_hears_nothing() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let pair = Pair::make();
    let (front, agreed) = start_front(&pair, bench.sandbox_url.clone()).await;
    let gateway = GatewayProcess::start(&bench.database).await;
    let change = json!({"baseUrl": format!("{front}/otms"), "settings": {"allowPlainHttp": false}});
    let path = "/v1/accounts/otms-demo";
    let changed = gateway.caller.send_with(reqwest::Method::PATCH, path, &change, &[]).await;
    assert_eq!(changed.status, 200, "{:#}", changed.body);
    let accepted = gateway.caller.post("/v1/orders", &order("SO-1")).await;
    let tried = "select exists (select from exchanges where error is not null)";
    bench.database.wait_until(Duration::from_secs(30), tried).await;
    let attempts = gateway.caller.get(&format!("/v1/submissions/{}/attempts", accepted.submission())).await;
    let error = attempts.body["items"][0]["error"].as_str().unwrap_or_default();
    assert!(error.contains("certificate"), "{:#}", attempts.body);
    // It never left, so it is in no doubt.
    assert_eq!(bench.database.count("select count(*) from submissions where may_exist").await, 0);
    assert_eq!(agreed.load(Ordering::Relaxed), 0);
    assert!(gateway.stop().await);

    // An operator who vouches for it names it to the system.
    let files = Files::of(&pair);
    let chain = files.chain();
    let _gateway = GatewayProcess::start_with(&bench.database.url, &[("SSL_CERT_FILE", text(&chain))]).await;
    bench.database.advance(Duration::from_secs(60)).await;
    bench.database.wait_for_state(accepted.submission(), "accepted").await;
    assert!(agreed.load(Ordering::Relaxed) > 0);
}

#[tokio::test]
async fn plain_http_needs_the_word_of_the_account() {
    let bench = Bench::start().await;
    let mut account = json!({
        "id": "plain", "provider": "otms", "baseUrl": format!("{}/otms", bench.sandbox_url),
        "credentials": {"username": "u", "password": "p"},
    });
    let refused = bench.caller.post("/v1/accounts", &account).await.problem(422, "validation-failed");
    assert!(refused.iter().any(|(pointer, _)| pointer == "/baseUrl"), "{refused:?}");
    account["settings"] = json!({"allowPlainHttp": true});
    assert_eq!(bench.caller.post("/v1/accounts", &account).await.status, 201);
    // Nor is it taken back while the address is plain.
    let change = json!({"settings": {"allowPlainHttp": false}});
    let refused = bench.caller.send_with(reqwest::Method::PATCH, "/v1/accounts/plain", &change, &[]).await;
    refused.problem(422, "validation-failed");
}
