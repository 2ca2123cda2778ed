//! Answers with words that the ledger cannot hold as they are: they decide what they decide, and nobody waits for a
//! settlement that can never succeed.

use serde_json::{Value, json};

use crate::harness::{Answer, Bench, Receiver, Reply, order};

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
