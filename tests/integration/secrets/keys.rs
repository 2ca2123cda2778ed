//! Sealing anew: everything that is sealed, nothing that changed meanwhile, and as often as one likes.

use std::time::Duration;

use onelane::canonical::Action;
use onelane::rotation;
use onelane::store::Store;
use onelane::store::sealed::{RowKey, SealedColumn};
use onelane::store::webhook_endpoints::EndpointChoice;
use onelane::vault::{Place, Vault};
use serde_json::json;
use strum::VariantArray;
use uuid::Uuid;

use crate::harness::{Bench, GatewayProcess, MASTER_KEY, Receiver, TestDatabase, by_a_test, order};

fn vault(current: &str, former: &[&str]) -> Vault {
    let former: Vec<_> = former.iter().map(|key| (*key).into()).collect();
    Vault::from_base64(current).unwrap().with_former(&former).unwrap()
}

/// Whoever adds a sealed column lists it: each has a column of its name and `_key` beside it.
#[tokio::test]
async fn every_sealed_column_is_known() {
    let database = TestDatabase::create().await;
    let mut listed: Vec<String> = SealedColumn::VARIANTS
        .iter()
        .map(|column| column.name())
        .map(|(table, column)| format!("{table}.{column}"))
        .collect();
    listed.sort_unstable();
    let found = database
        .texts(
            "select c.table_name || '.' || c.column_name from information_schema.columns c
             where c.table_schema = 'public' and c.data_type = 'bytea' and exists (
                 select from information_schema.columns k where k.table_schema = 'public' and k.table_name = c.table_name
                     and k.column_name = c.column_name || '_key')
             order by 1",
        )
        .await;
    assert_eq!(listed, found);
}

async fn add_endpoint(store: &Store, vault: &Vault, secret: &[u8]) -> Uuid {
    let id = Uuid::now_v7();
    let choice =
        EndpointChoice { url: "https://example.com".to_owned(), description: None, types: None, accounts: None };
    let sealed = vault.seal(&Place::WebhookSecret(id), secret).unwrap();
    store.add_webhook_endpoint(id, &choice, &sealed, &by_a_test(Action::CreateWebhookEndpoint)).await.unwrap();
    id
}

async fn rotate_secret(store: &Store, vault: &Vault, id: Uuid) {
    let sealed = vault.seal(&Place::WebhookSecret(id), b"second").unwrap();
    assert!(store.rotate_webhook_secret(id, &sealed, &by_a_test(Action::RotateWebhookSecret)).await.unwrap());
}

#[tokio::test]
async fn what_changed_meanwhile_is_not_overwritten() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let new_key = Vault::generate_base64().unwrap();
    let (old, new) = (vault(MASTER_KEY, &[]), vault(&new_key, &[MASTER_KEY]));
    let id = add_endpoint(&store, &old, b"first").await;
    let column = SealedColumn::WebhookSecret;
    let read = store.sealed_by_others(column, new.key_id(), &RowKey::default(), 10).await.unwrap().remove(0);

    // Somebody rotates the secret after it was read.
    let place = Place::WebhookSecret(id);
    rotate_secret(&store, &old, id).await;
    let resealed = new.seal(&place, &new.open(&place, &read.sealed).unwrap()).unwrap();
    assert!(!store.replace_sealed(&read, &resealed).await.unwrap());
    let kept = store.sealed_by_others(column, new.key_id(), &RowKey::default(), 10).await.unwrap().remove(0);
    assert_eq!(**new.open(&place, &kept.sealed).unwrap(), *b"second");

    let rotated = rotation::rotate(&store, &new).await.unwrap();
    assert_eq!((rotated.resealed, rotated.failures.len(), rotated.left.len()), (2, 0, 0));
    let only_new = vault(&new_key, &[]);
    for (column, secret) in [(column, b"second".as_slice()), (SealedColumn::PreviousWebhookSecret, b"first")] {
        let value = store.sealed_by_others(column, "none", &RowKey::default(), 10).await.unwrap().remove(0);
        assert_eq!(**only_new.open(&place, &value.sealed).unwrap(), *secret);
    }
}

/// More than is read at once; broken off in the midst, and begun again.
#[tokio::test]
async fn a_rotation_that_was_broken_off_is_begun_again() {
    const ENDPOINTS: i64 = 250;
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let new_key = Vault::generate_base64().unwrap();
    let old = vault(MASTER_KEY, &[]);
    for number in 0..ENDPOINTS {
        add_endpoint(&store, &old, number.to_string().as_bytes()).await;
    }
    let begun = {
        let (store, new_key) = (store.clone(), new_key.clone());
        tokio::spawn(async move { rotation::rotate(&store, &vault(&new_key, &[MASTER_KEY])).await.map(drop) })
    };
    let by_new_key = async || {
        let counts = store.sealed_counts().await.unwrap();
        counts.iter().filter(|count| count.key_id != old.key_id()).map(|count| count.count).sum::<i64>()
    };
    while by_new_key().await == 0 {
        tokio::task::yield_now().await;
    }
    begun.abort();
    let _ = begun.await;
    let before = by_new_key().await;
    let rotated = rotation::rotate(&store, &vault(&new_key, &[MASTER_KEY])).await.unwrap();
    // A statement that was under way when it was broken off may have come to its end.
    assert!(i64::try_from(rotated.resealed).unwrap() <= ENDPOINTS - before);
    assert_eq!((rotated.failures.len(), rotated.left.len(), by_new_key().await), (0, 0, ENDPOINTS));
    assert_eq!(rotation::rotate(&store, &vault(&new_key, &[MASTER_KEY])).await.unwrap().resealed, 0);
    let mut secrets = Vec::new();
    let only_new = vault(&new_key, &[]);
    for value in store.sealed_by_others(SealedColumn::WebhookSecret, "none", &RowKey::default(), 1000).await.unwrap() {
        let secret = only_new.open(&value.place().unwrap(), &value.sealed).unwrap();
        secrets.push(String::from_utf8(secret.to_vec()).unwrap().parse::<i64>().unwrap());
    }
    secrets.sort_unstable();
    assert_eq!(secrets, (0..ENDPOINTS).collect::<Vec<_>>());
}

/// A secret that signs no longer is taken away instead of being sealed anew.
#[tokio::test]
async fn old_secrets_are_taken_away() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let key = vault(MASTER_KEY, &[]);
    let id = add_endpoint(&store, &key, b"first").await;
    rotate_secret(&store, &key, id).await;
    assert_eq!(rotation::rotate(&store, &key).await.unwrap().erased, 0);
    database.advance(Duration::from_secs(25 * 3600)).await;
    assert_eq!(rotation::rotate(&store, &key).await.unwrap().erased, 1);
    let left = database.count("select count(*) from webhook_endpoints where previous_secret is not null").await;
    assert_eq!(left, 0);
}

#[tokio::test]
async fn without_a_key_that_is_needed_nothing_starts() {
    let bench = Bench::start().await;
    let (database, _sandbox, _) = bench.stop().await;
    let new_key = Vault::generate_base64().unwrap();
    let (old, new) = (vault(MASTER_KEY, &[]), vault(&new_key, &[]));
    let only_new = [("ONELANE_MASTER_KEY", new_key.as_str())];
    let (started, said) = GatewayProcess::run(&["serve"], &database.url, &only_new).await;
    assert!(!started);
    assert!(said.contains(old.key_id()) && said.contains(new.key_id()), "{said}");
    assert!(!said.contains(MASTER_KEY) && !said.contains(&new_key), "{said}");
    let (started, said) = GatewayProcess::run(&["master-key", "rotate"], &database.url, &only_new).await;
    assert!(!started && said.contains(old.key_id()) && said.contains("accounts.credentials of otms-demo"), "{said}");
    let (told, said) = GatewayProcess::run(&["master-key", "status"], &database.url, &only_new).await;
    assert!(told && said.contains(&format!("{}  not given", old.key_id())), "{said}");
    assert!(said.contains(&format!("{}  current    0 values", new.key_id())), "{said}");
    // Which key is needed can be asked without one.
    let (told, said) =
        GatewayProcess::run(&["master-key", "status"], &database.url, &[("ONELANE_MASTER_KEY", "")]).await;
    assert!(told && said.contains(old.key_id()), "{said}");
    for wrong in ["dG9vIHNob3J0LWM0bjRyeQ==", "c4n4ry"] {
        let (started, said) =
            GatewayProcess::run(&["serve"], &database.url, &[("ONELANE_FORMER_MASTER_KEYS", wrong)]).await;
        assert!(!started && said.contains("ONELANE_FORMER_MASTER_KEYS") && !said.contains(wrong), "{said}");
    }

    // A key that is lost for good does not hold the gateway for ever.
    let variables = [("ONELANE_MASTER_KEY", new_key.as_str())];
    let gateway = GatewayProcess::serve(&["serve", "--allow-lost-keys"], &database.url, &variables).await;
    let path = "/v1/accounts/otms-demo";
    let paused = gateway.caller.get(path).await;
    assert!(paused.body["paused"]["reason"].as_str().unwrap().contains("give them anew"), "{:#}", paused.body);
    let change = json!({"credentials": {"username": "onelane", "password": "given anew"}});
    let changed = gateway.caller.send_with(reqwest::Method::PATCH, path, &change, &[]).await;
    assert_eq!(changed.status, 200, "{:#}", changed.body);
    let log = gateway.stop_for_log().await;
    assert!(log.contains(old.key_id()) && log.contains("must be given anew"), "{log}");
}

/// What one gateway cannot open is no reason to hold it for those that can.
#[tokio::test]
async fn a_gateway_without_the_key_of_an_account_leaves_it_to_others() {
    let bench = Bench::start().await;
    let mut receiver = Receiver::start().await;
    let new_key = Vault::generate_base64().unwrap();
    let variables = [
        ("ONELANE_MASTER_KEY", new_key.as_str()),
        ("ONELANE_FORMER_MASTER_KEYS", MASTER_KEY),
        ("ONELANE_ALLOWED_NETWORKS", "127.0.0.0/8"),
    ];
    // It takes orders and sends nothing: that is left to the gateway with the old key alone.
    let taking = GatewayProcess::serve(&["serve", "--role", "api"], &bench.database.url, &variables).await;
    let right = bench.sandbox.demo_accounts(&bench.sandbox_url).into_iter().find(|it| it.id == "otms-demo").unwrap();
    let change = json!({"credentials": right.credentials});
    let changed = taking.caller.send_with(reqwest::Method::PATCH, "/v1/accounts/otms-demo", &change, &[]).await;
    assert_eq!(changed.status, 200, "{:#}", changed.body);
    super::add_endpoint(&taking.caller, &receiver.url).await;

    bench.caller.post("/v1/orders", &order("SO-1")).await.problem(503, "unavailable");
    let left = taking.caller.post("/v1/orders", &order("SO-1")).await;
    assert_eq!(left.status, 202, "{:#}", left.body);
    let mut of_another = order("SO-2");
    of_another["account"] = json!("ttms-demo");
    let sent = taking.caller.post("/v1/orders", &of_another).await;
    bench.database.wait_for_state(sent.submission(), "accepted").await;
    bench.database.advance(Duration::from_secs(60)).await;
    let submission = bench.caller.get(&format!("/v1/submissions/{}", left.submission())).await;
    assert_eq!((&submission.body["state"], &submission.body["attempts"]), (&json!("queued"), &json!(0)));
    assert_eq!(bench.database.count("select count(*) from accounts where paused_at is not null").await, 0);
    assert_eq!(bench.database.count("select count(*) from webhook_deliveries where attempts > 0").await, 0);

    let _able = GatewayProcess::start_with(&bench.database.url, &variables).await;
    bench.database.wait_for_state(left.submission(), "accepted").await;
    receiver.next().await;
}
