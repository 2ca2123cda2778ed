//! Signing in and out, the cookie, and forms of other sites.

use std::time::Duration;

use serde_json::Value;

use super::{Browser, administrator, refused, signed_in};
use crate::harness::{ADMIN_KEY, Bench, order};

#[tokio::test]
async fn whoever_is_not_signed_in_is_led_to_sign_in_and_back() {
    let bench = Bench::start().await;
    let browser = Browser::new(&bench.base_url);
    let answer = browser.get("/console/orders?status=rejected").await;
    assert_eq!(
        (answer.status, answer.location()),
        (303, "/console/sign-in?next=%2Fconsole%2Forders%3Fstatus%3Drejected")
    );
    browser.get(answer.location()).await.shows(r#"name="next" value="/console/orders?status=rejected""#);
    let answer = browser.sign_in(ADMIN_KEY, Some("/console/orders?status=rejected")).await;
    assert_eq!((answer.status, answer.location()), (303, "/console/orders?status=rejected"));
    let cookie = answer.set_cookie("onelane_session").unwrap();
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/console", "Max-Age=43200"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Secure") && !cookie.contains("olk_"), "{cookie}");
    let page = browser.get(answer.location()).await;
    assert_eq!(page.status, 200);
    page.lacks(ADMIN_KEY);
    // Nothing of what is not there is told to somebody who is not signed in.
    let stranger = Browser::new(&bench.base_url);
    for path in ["/console", "/console/nothing", "/console/orders/nothing", "/console/lanes"] {
        assert_eq!(stranger.get(path).await.status, 303, "{path}");
    }
}

#[tokio::test]
async fn nobody_is_led_out_of_the_console_by_signing_in() {
    let bench = Bench::start().await;
    let browser = Browser::new(&bench.base_url);
    for next in ["https://example.com/", "//example.com", "/v1/orders", "/console/../docs", "/console\\@example.com"] {
        let query = serde_urlencoded::to_string([("next", next)]).unwrap();
        browser.get(&format!("/console/sign-in?{query}")).await.shows(r#"name="next" value="/console""#);
        assert_eq!(browser.sign_in(ADMIN_KEY, Some(next)).await.location(), "/console", "{next}");
    }
    let query = serde_urlencoded::to_string([("back", "https://example.com/")]).unwrap();
    assert_eq!(browser.get(&format!("/console/language/zh?{query}")).await.location(), "/console");
}

#[tokio::test]
async fn a_key_that_is_not_known_signs_nobody_in() {
    let bench = Bench::start().await;
    let browser = Browser::new(&bench.base_url);
    for key in ["olk_nobody-has-this-key", "", "   ", "not\u{7}a\nheader"] {
        let answer = browser.sign_in(key, None).await;
        assert_eq!(answer.status, 422, "{key:?}");
        answer.shows(r#"role="alert""#).lacks("nobody-has-this-key");
        assert_eq!(browser.cookie("onelane_session"), None);
    }
}

#[tokio::test]
async fn a_cookie_is_secure_where_the_browser_came_by_https() {
    let bench = Bench::start().await;
    let mut browser = Browser::new(&bench.base_url);
    browser.headers.push(("x-forwarded-proto", "https".into()));
    let answer = browser.sign_in(ADMIN_KEY, None).await;
    assert!(answer.set_cookie("onelane_session").unwrap().contains("Secure"));
}

#[tokio::test]
async fn a_session_ends_with_its_key_with_its_time_and_by_signing_out() {
    let (bench, admin) = signed_in().await;
    let created = bench.caller.post("/v1/api-keys", &serde_json::json!({"name": "x", "scopes": ["orders:read"]})).await;
    let browser = Browser::new(&bench.base_url);
    browser.sign_in(created.body["key"].as_str().unwrap(), None).await;
    assert_eq!(browser.get("/console/orders").await.status, 200);
    bench.caller.delete(&format!("/v1/api-keys/{}", created.id())).await;
    let answer = browser.get("/console/orders").await;
    assert_eq!((answer.status, browser.cookie("onelane_session")), (303, None));
    browser.get(answer.location()).await.shows("Your session has ended");

    let cookie = admin.cookie("onelane_session").unwrap();
    let out = admin.act("/console/sign-out", &[]).await;
    assert_eq!((out.status, out.location(), admin.cookie("onelane_session")), (303, "/console/sign-in", None));
    admin.get("/console/sign-in").await.shows("You are signed out.");

    admin.set_cookie("onelane_session", &cookie);
    assert_eq!(admin.get("/console").await.status, 200);
    bench.database.advance(Duration::from_secs(12 * 3600)).await;
    assert_eq!(admin.get("/console").await.status, 303);
    admin.set_cookie("onelane_session", "forged.AAAA");
    assert_eq!(admin.get("/console").await.status, 303);
}

#[tokio::test]
async fn forms_of_other_pages_do_nothing() {
    let (bench, browser) = signed_in().await;
    let order = bench.caller.place(&refused("SO-1")).await;
    let path = format!("/console/submissions/{}/retry", order.submission());
    let retried = async || bench.database.texts("select action from audit_log where action = 'submission.retry'").await;

    let token = browser.get("/console/orders").await.hidden("token");
    for fields in [vec![], vec![("token", "")], vec![("token", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]] {
        let answer = browser.post(&path, &fields).await;
        assert_eq!(answer.status, 403);
        answer.shows("Nothing was done");
    }
    let other = administrator(&bench).await.get("/console/orders").await.hidden("token");
    assert_ne!(other, token);
    assert_eq!(browser.post(&path, &[("token", &other)]).await.status, 403);
    let mut foreign = Browser::new(&bench.base_url);
    foreign.set_cookie("onelane_session", &browser.cookie("onelane_session").unwrap());
    for header in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://example.com")]
    {
        foreign.headers = vec![(header.0, header.1.to_owned())];
        assert_eq!(foreign.post(&path, &[("token", &token)]).await.status, 403, "{header:?}");
        assert_eq!(foreign.sign_in(ADMIN_KEY, None).await.status, 403, "{header:?}");
    }
    assert!(retried().await.is_empty());
    // The same from our own page is done.
    foreign.headers = vec![("origin", bench.base_url.clone())];
    assert_eq!(foreign.post(&path, &[("token", &token)]).await.status, 303);
    assert_eq!(retried().await, ["submission.retry"]);
}

#[tokio::test]
async fn a_link_from_elsewhere_asks_once_more_with_cookies() {
    let (bench, browser) = signed_in().await;
    let mut stranger = Browser::new(&bench.base_url);
    stranger.headers = vec![("sec-fetch-site", "cross-site".into())];
    let answer = stranger.get("/console/orders").await;
    assert_eq!(answer.status, 200);
    answer.shows(r#"<meta http-equiv="refresh" content="0">"#);
    stranger.headers = vec![("sec-fetch-site", "same-origin".into())];
    assert_eq!(stranger.get("/console/orders").await.status, 303);
    assert_eq!(browser.get("/console/orders").await.status, 200);
    // Scripts are told so that they can act on it.
    stranger.headers = vec![("accept", "application/json".into())];
    assert_eq!(stranger.get("/console/overview/numbers").await.status, 401);
}

#[tokio::test]
async fn the_language_is_the_browsers_until_somebody_chooses() {
    let (bench, mut browser) = signed_in().await;
    bench.caller.place(&refused("SO-1")).await;
    browser.get("/console/orders").await.shows(r#"<html lang="en">"#).shows("Rejected");
    browser.headers = vec![("accept-language", "zh-CN,zh;q=0.9,en;q=0.8".into())];
    browser.get("/console/orders").await.shows(r#"<html lang="zh-CN">"#).shows("被拒绝");
    let page = browser.get("/console/orders?status=rejected").await;
    page.shows("/console/language/en?back=%2Fconsole%2Forders%3Fstatus%3Drejected");
    let switched = browser.get("/console/language/en?back=%2Fconsole%2Forders%3Fstatus%3Drejected").await;
    assert_eq!(switched.location(), "/console/orders?status=rejected");
    browser.get(switched.location()).await.shows(r#"<html lang="en">"#);
    // What the provider said is shown in both.
    let order = bench.caller.get("/v1/orders").await.body["items"][0].clone();
    let page = browser.get(&format!("/console/orders/{}", order["id"].as_str().unwrap())).await;
    let said = bench.caller.get(&format!("/v1/submissions/{}", order["submission"]["id"].as_str().unwrap())).await.body;
    for member in ["messageEn", "messageZh"] {
        page.shows(&escaped(said["results"][0][member].as_str().unwrap()));
    }
}

/// As a page writes it.
fn escaped(text: &str) -> String {
    text.replace('&', "&#38;").replace('<', "&#60;").replace('>', "&#62;").replace('"', "&#34;").replace('\'', "&#39;")
}

#[tokio::test]
async fn the_console_is_no_api_and_answers_no_key() {
    let bench = Bench::start().await;
    // A key in a header is for the API alone.
    let answer =
        bench.caller.request(reqwest::Method::GET, "/console/overview/numbers").header("accept", "application/json");
    assert_eq!(answer.send().await.unwrap().status(), 401);
    let accepted = bench.caller.post("/v1/orders", &order("SO-1")).await;
    assert_eq!(accepted.status, 202);
    assert_ne!(accepted.body["id"], Value::Null);
}
