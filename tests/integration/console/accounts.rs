//! Accounts: adding, trying, holding, and replacing what is secret.

use serde_json::{Value, json};

use super::signed_in;
use crate::harness::{Bench, order};

const SECRET: &str = "a-very-secret-word";

/// The form of an account at a provider of transport, filled.
fn filled(bench: &Bench) -> Vec<(&'static str, String)> {
    let demo = serde_json::to_value(&bench.sandbox.demo_accounts(&bench.sandbox_url)[0]).unwrap();
    vec![
        ("provider", "otms".to_owned()),
        ("id", "second".to_owned()),
        ("displayName", "The <i>second</i>".to_owned()),
        ("baseUrl", demo["baseUrl"].as_str().unwrap().to_owned()),
        ("credentials.username", demo["credentials"]["username"].as_str().unwrap().to_owned()),
        ("credentials.password", demo["credentials"]["password"].as_str().unwrap().to_owned()),
        ("settings.allowPlainHttp", "on".to_owned()),
        ("settings.branchMap", "east = Branch East\nwest = Branch West".to_owned()),
        ("settings.requestTimeoutSeconds", "10".to_owned()),
        ("settings.credentialsIn", String::new()),
        ("publicCallbackUrl", String::new()),
        ("throttleGroup", String::new()),
    ]
}

fn fields<'a>(form: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    form.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[tokio::test]
async fn an_account_is_added_from_what_its_provider_asks_for() {
    let (bench, browser) = signed_in().await;
    browser.get("/console/accounts").await.shows("href=\"/console/add-account\"").shows("otms-demo");
    browser.get("/console/add-account").await.shows("href=\"/console/add-account?provider=otms\"");
    let form = browser.get("/console/add-account?provider=otms").await;
    form.shows("name=\"credentials.password\" type=\"password\"").shows("name=\"settings.rejectDraft\"");
    assert_eq!(browser.get("/console/add-account?provider=nobody").await.status, 404);
    assert_eq!(browser.get("/console/add-account?provider=..%2Faccounts").await.status, 404);

    // What is wrong is said at its field; what was written stays, but for secrets.
    let mut wrong = filled(&bench);
    wrong.retain(|(name, _)| *name != "settings.allowPlainHttp" && *name != "credentials.username");
    wrong.iter_mut().filter(|(name, _)| *name == "credentials.password").for_each(|(_, value)| *value = SECRET.into());
    let answer = browser.act("/console/add-account", &fields(&wrong)).await;
    assert_eq!(answer.status, 422);
    answer.shows("id=\"credentials.username-wrong\"").shows("value=\"second\"").shows("Branch West").lacks(SECRET);

    // An untouched box is what it was: rejectDraft is on, and was taken off here.
    let answer = browser.act("/console/add-account", &fields(&filled(&bench))).await;
    assert_eq!((answer.status, answer.location()), (303, "/console/accounts/second"), "{}", answer.text);
    let account = bench.caller.get("/v1/accounts/second").await.body;
    let settings = json!({
        "allowPlainHttp": true,
        "branchMap": {"east": "Branch East", "west": "Branch West"},
        "requestTimeoutSeconds": 10,
        "rejectDraft": false,
    });
    assert_eq!((&account["provider"], &account["settings"]), (&json!("otms"), &settings));
    let page = browser.get("/console/accounts/second").await;
    page.shows("The account is added").shows("orderImport").lacks("<i>second");
    let mut placed = order("SO-1");
    placed["account"] = json!("second");
    assert_eq!(bench.caller.place(&placed).await.status, 201);
    let again = browser.act("/console/add-account", &fields(&filled(&bench))).await;
    assert_eq!(again.status, 409);
    let form = filled(&bench);
    let password = form.iter().find(|(name, _)| *name == "credentials.password").unwrap().1.as_str();
    again.shows("There is an account second already").lacks(password);
}

#[tokio::test]
async fn a_connection_is_tested_where_there_is_something_to_ask() {
    let (bench, browser) = signed_in().await;
    let page = browser.get("/console/accounts/ttms-demo").await;
    page.shows("action=\"/console/accounts/ttms-demo/test\"");
    let answer = browser.act("/console/accounts/ttms-demo/test", &[]).await;
    assert_eq!(answer.status, 200);
    answer.shows("It works");
    assert!(bench.arrived("ttms", "organization_list").is_some());
    let wrong = json!({"credentials": {"username": "nobody", "password": SECRET}});
    let changed = bench.caller.send_with(reqwest::Method::PATCH, "/v1/accounts/ttms-demo", &wrong, &[]).await;
    assert_eq!(changed.status, 200, "{:#}", changed.body);
    let answer = browser.act("/console/accounts/ttms-demo/test", &[]).await;
    answer.shows("It does not work").shows("refused the account").lacks(SECRET);
    // The address of a test leads to its account.
    assert_eq!(browser.get("/console/accounts/ttms-demo/test").await.location(), "/console/accounts/ttms-demo");
    // Where nothing can be asked, that is said and nothing is offered.
    browser.get("/console/accounts/otms-demo").await.shows("no interface that only reads").lacks("/test\"");
    browser.get("/console/accounts/hongxun-demo").await.shows("it calls this gateway").lacks("/test\"");
}

#[tokio::test]
async fn an_account_is_held_and_goes_on() {
    let (bench, browser) = signed_in().await;
    let page = "/console/accounts/otms-demo";
    browser.get(page).await.shows(&format!("action=\"{page}/pause\""));
    assert_eq!(browser.act(&format!("{page}/pause"), &[]).await.location(), page);
    browser.get(page).await.shows("Nothing goes out").shows(&format!("action=\"{page}/resume\""));
    browser.get("/console/accounts").await.shows("Paused");
    let waiting = bench.caller.post("/v1/orders", &order("SO-1")).await;
    assert_eq!(browser.act(&format!("{page}/resume"), &[]).await.location(), page);
    browser.get(page).await.shows("The account goes on").lacks("Nothing goes out");
    bench.database.wait_for_state(waiting.submission(), "accepted").await;
}

#[tokio::test]
async fn credentials_and_callback_path_are_replaced() {
    let (bench, browser) = signed_in().await;
    let page = "/console/accounts/hongxun-demo";
    let path = format!("{page}/credentials");
    browser.get(&path).await.shows("name=\"credentials.secretKey\" type=\"password\"");
    let answer = browser.act(&path, &[("credentials.createBy", "ME"), ("credentials.secretKey", SECRET)]).await;
    assert_eq!(answer.status, 422);
    answer.shows("id=\"credentials.dataSource-wrong\"").shows("value=\"ME\"").lacks(SECRET);
    let new =
        [("credentials.createBy", "ME"), ("credentials.dataSource", "ONELANE"), ("credentials.secretKey", SECRET)];
    assert_eq!(browser.act(&path, &new).await.location(), page);
    browser.get(page).await.shows("The credentials are replaced").lacks(SECRET);
    let log = bench.caller.get("/v1/audit-log").await.body;
    assert_eq!(log["items"][0]["details"]["changed"], json!(["credentials"]));

    let url = async || bench.caller.get("/v1/accounts/hongxun-demo").await.body["callbackUrl"].clone();
    let before: Value = url().await;
    let path = format!("{page}/callback-path");
    browser.get(&path).await.shows("value=\"24\"");
    assert_eq!(browser.act(&path, &[("hours", "9999")]).await.status, 400);
    assert_eq!(url().await, before);
    assert_eq!(browser.act(&path, &[("hours", "2")]).await.location(), format!("{page}#callbacks"));
    let after = url().await;
    assert_ne!(after, before);
    browser.get(page).await.shows(after.as_str().unwrap()).shows("The old path is taken until");
    // Who is not called has no path to replace.
    assert_eq!(browser.act("/console/accounts/otms-demo/callback-path", &[("hours", "2")]).await.status, 422);
}

#[tokio::test]
async fn accounts_are_for_their_administrators() {
    let (bench, _) = signed_in().await;
    let reader = super::access::with_key(&bench, &["orders:read"], None).await;
    for path in ["/console/accounts", "/console/accounts/otms-demo", "/console/add-account"] {
        assert_eq!(reader.get(path).await.status, 403, "{path}");
    }
    assert_eq!(reader.act("/console/accounts/otms-demo/pause", &[]).await.status, 403);
    let other = super::access::with_key(&bench, &["admin", "orders:read"], Some(&["ttms-demo"])).await;
    other.get("/console/accounts").await.shows("ttms-demo").lacks("otms-demo");
    for verb in ["pause", "resume", "credentials"] {
        assert_eq!(other.act(&format!("/console/accounts/otms-demo/{verb}"), &[]).await.status, 404, "{verb}");
    }
    assert_eq!(other.get("/console/accounts/otms-demo").await.status, 404);
    assert_eq!(other.get("/console/accounts/..%2Fapi-keys").await.status, 404);
}
