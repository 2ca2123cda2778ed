//! Answers with words that the ledger cannot hold as they are: they decide what they decide, and nobody waits for a
//! settlement that can never succeed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Answer, Bench, GatewayProcess, RawConnection, Receiver, Reply, TestDatabase, order};

/// A gateway whose provider answers so, and goes on as the sandbox would not.
async fn answered(order_members: &str) -> (Bench, Answer) {
    let bench = Bench::start().await;
    let provider = Receiver::start().await;
    let document = format!(
        "<?xml version=\"1.0\"?><orderImportResponse version=\"0.1\"><responseCode/><orders><order sequence=\"1\">\
         <clientReferenceNumber>SO-1</clientReferenceNumber>{order_members}</order></orders></orderImportResponse>"
    );
    provider.answer_with(Reply::Body("application/xml", document.into_bytes()));
    sqlx::query("update accounts set base_url = $1 where id = 'otms-demo'")
        .bind(&provider.url)
        .execute(&mut bench.database.connection().await)
        .await
        .unwrap();
    let accepted = bench.caller.post("/v1/orders", &order("SO-1")).await;
    assert_eq!(accepted.status, 202, "{:#}", accepted.body);
    (bench, accepted)
}

#[tokio::test]
async fn a_nul_in_the_words_of_a_refusal_is_replaced() {
    let (bench, accepted) = answered(
        "<importStatus>NOT IMPORTED</importStatus><responseCodes><responseCode><code>1018</code></responseCode>\
         </responseCodes><errorMsgs>no\0body</errorMsgs>",
    )
    .await;
    bench.database.wait_for_state(accepted.submission(), "rejected").await;
    let read = bench.caller.get(&format!("/v1/submissions/{}", accepted.submission())).await.body;
    assert_eq!(read["results"][0]["rawMessage"], "no\u{fffd}body", "{read:#}");
}

#[tokio::test]
async fn a_number_that_is_none_is_a_doubt() {
    for number in ["PN\0-1".to_owned(), "9".repeat(3_000)] {
        let members = format!("<importStatus>INBOX</importStatus><orderNumber>{number}</orderNumber>");
        let (bench, accepted) = answered(&members).await;
        bench.database.wait_for_state(accepted.submission(), "in_doubt").await;
        let read = bench.caller.get(&format!("/v1/submissions/{}", accepted.submission())).await.body;
        assert_eq!(read["results"][0]["code"], "transport.unreadable_response", "{read:#}");
        assert_eq!((&read["mayExist"], &read["providerOrderNumber"]), (&json!(true), &Value::Null));
    }
}

/// Whatever callers and providers write, each line of the log is one that the gateway wrote.
#[tokio::test]
async fn words_of_a_provider_forge_no_line_of_the_log() {
    const FORGED: &str = "\n{\"level\":\"ERROR\",\"message\":\"forged\"}\n";
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let gateway = GatewayProcess::start_with(&bench.database.url, &[("RUST_LOG", "debug")]).await;
    let provider = Receiver::start().await;
    // Refused credentials pause the account, with the provider's words as the reason.
    let body = format!(
        "<orderImportResponse><responseCode>3</responseCode><errorMsgs>{FORGED}</errorMsgs></orderImportResponse>"
    );
    provider.answer_with(Reply::Body("application/xml", body.into_bytes()));
    sqlx::query("update accounts set base_url = $1 where id = 'otms-demo'")
        .bind(&provider.url)
        .execute(&mut bench.database.connection().await)
        .await
        .unwrap();
    gateway.caller.post("/v1/orders", &order("SO-1")).await;
    bench
        .database
        .wait_until(Duration::from_secs(20), "select exists (select from exchanges where finished_at is not null)")
        .await;
    let url = gateway.caller.get("/v1/accounts/hongxun-demo").await.body["callbackUrl"].as_str().unwrap().to_owned();
    let path = url.split_once("/callbacks").map(|(_, path)| format!("/callbacks{path}")).unwrap();
    gateway.caller.post(&path, &json!({"signature": FORGED, "status": FORGED, "data": FORGED})).await;
    gateway.caller.post("/v1/orders", &json!({FORGED: FORGED, "account": FORGED})).await;
    let encoded = "%0A%7B%22level%22%3A%22ERROR%22%2C%22message%22%3A%22forged%22%7D%0A";
    gateway.caller.get(&format!("/v1/{encoded}?{encoded}={encoded}")).await;
    let mut connection = RawConnection::open(&gateway.base_url).await;
    connection.send("GET /v1/orders HTTP/1.1\r\nhost: x\r\nx-request-id: a\u{b}b\r\n\r\n").await;
    connection.answer().await;
    let log = gateway.stop_for_log().await;
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{line}")));
    let messages: Vec<String> = lines.map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect();
    assert!(messages.iter().all(|message| message != "forged"), "{log}");
    assert!(messages.iter().any(|message| message == "callback refused"), "{log}");
}
