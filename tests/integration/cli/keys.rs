//! `onelane keys`: API keys of a running gateway.

use serde_json::Value;

use super::CommandLine;
use crate::harness::Bench;

#[tokio::test]
async fn keys_are_made_listed_and_revoked() {
    let bench = Bench::start().await;
    let command_line = CommandLine::of(&bench);
    let create = ["keys", "create", "--name", "shop", "--scope", "orders:write", "--scope", "orders:read"];
    let said = command_line.run(&[&create[..], &["--account", "otms-demo"]].concat()).await.with_code(0);
    // A script takes what is on standard output.
    let key = said.out.trim().to_owned();
    assert!(key.starts_with("olk_") && !key.contains(char::is_whitespace), "{key}");
    assert!(!said.err.contains(&key), "{}", said.err);
    let shop = CommandLine::of(&bench).with_key(&key);
    let said = shop.run(&["keys", "list"]).await.with_code(3);
    assert!(said.err.contains("403 forbidden"), "{}", said.err);

    let said = command_line.run(&["keys", "list"]).await.with_code(0);
    let row = said.out.lines().find(|line| line.contains("shop")).unwrap();
    assert!(row.contains("orders:write orders:read") && row.contains("otms-demo") && row.contains("valid"), "{row}");
    assert!(!said.out.contains(&key));
    let keys = command_line.run(&["keys", "list", "--output", "json"]).await.with_code(0).json();
    let id =
        keys.as_array().unwrap().iter().find(|key| key["name"] == "shop").unwrap()["id"].as_str().unwrap().to_owned();
    command_line.run(&["keys", "revoke", &id]).await.with_code(0);
    let said = shop.run(&["keys", "list"]).await.with_code(3);
    assert!(said.err.contains("401 unauthenticated"), "{}", said.err);
    command_line.run(&["keys", "revoke", &id]).await.with_code(3);
}

#[tokio::test]
async fn a_key_that_cannot_be() {
    let bench = Bench::start().await;
    let command_line = CommandLine::of(&bench);
    let create = ["keys", "create", "--output", "json", "--name", "shop", "--scope", "admin"];
    let said = command_line.run(&[&create[..], &["--expires-at", "tomorrow"]].concat()).await.with_code(3);
    let problem: Value = serde_json::from_str(&said.err).unwrap();
    assert_eq!(problem["errors"][0]["pointer"], "/expiresAt");
    command_line.run(&["keys", "create", "--name", "shop", "--scope", "everything"]).await.with_code(2);
    let limited = [&create[..], &["--requests-per-second", "5", "--burst", "9"]].concat();
    let made = command_line.run(&limited).await.with_code(0).json();
    assert_eq!((made["requestsPerSecond"].as_i64(), made["burst"].as_i64()), (Some(5), Some(9)));
}
