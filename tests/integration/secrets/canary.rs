//! Marked secrets go in wherever secrets do, to providers that repeat all that they are sent; then everything that
//! comes out is searched for them, in every form.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use onelane::sandbox::DemoAccount;
use onelane::vault::{Place, Sealed, Vault};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::improper::{call_back, refusals};
use super::mirror::{MANNERS, Mirror, Tokens};
use super::needles::Needles;
use super::outlets::{Searched, search_database};
use super::{add_endpoint, text, try_again};
use crate::harness::gateway::start_sandbox;
use crate::harness::{Caller, EventStream, GatewayProcess, Receiver, Reply, TestDatabase, order};
use crate::telemetry::Collector;

const PATIENCE: Duration = Duration::from_secs(120);

const DATABASE_PASSWORD: &str = "c4n4ry-database-password";
const ADMIN_KEY: &str = "olk_c4n4ry-administrator";
const OTMS_PASSWORD: &str = "c4n4ry otms \"p<w>&'é/";
const TTMS_PASSWORD: &str = "c4n4ry ttms \"p<w>&'é/";
const TOKENS: Tokens = Tokens { access: "c4n4ry access \"&é/+", refresh: "c4n4ry refresh \"&é/+" };
const ILE_USER: &str = "c4n4ry ile user \"&é/";
const ILE_ID: &str = "c4n4ry-ile-id";
const ILE_SIGN: &str = "c4n4ry ile sign \"&é/";
const HONGXUN_KEY: &str = "c4n4ry hongxun key \"&é/";
const HOOK: &str = "https://hooks.example.com/c4n4ry-hook";
pub const REFUSED: &str = "c4n4ry-refused-password";
pub const BEARER: &str = "c4n4ry-bearer-of-a-callback";
const COLLECTOR_KEY: &str = "c4n4ry-collector-key";
const PATH_OF: &str = "the callback token of ";

/// The accounts of a manner, for every provider that takes requests.
fn accounts(manner: &str) -> Vec<(&'static str, String, Value, Value)> {
    let ile = json!({"userId": ILE_USER, "ileId": ILE_ID, "sign": ILE_SIGN});
    let login = |password: &str| json!({"username": "canary", "password": password});
    let settings = json!({"allowPlainHttp": true});
    vec![
        ("otms", format!("otms-{manner}"), login(OTMS_PASSWORD), settings.clone()),
        (
            "otms",
            format!("otms-in-document-{manner}"),
            login(OTMS_PASSWORD),
            json!({"allowPlainHttp": true, "credentialsIn": "document"}),
        ),
        ("ttms", format!("ttms-{manner}"), login(TTMS_PASSWORD), settings.clone()),
        ("ile", format!("ile-{manner}"), ile, settings),
    ]
}

/// Creates an account; gives its callback token, if its provider calls.
async fn add_account(caller: &Caller, body: &Value) -> Option<String> {
    let created = caller.post("/v1/accounts", body).await;
    assert_eq!(created.status, 201, "{:#}", created.body);
    created.body["callbackUrl"].as_str().map(|url| url.rsplit('/').next().unwrap().to_owned())
}

fn ile_document() -> Value {
    let mut document: Value = serde_json::from_str(include_str!("../../fixtures/ile/edit-order-order.json")).unwrap();
    for identity in ["account", "orderNumber", "providerOrderNumber"] {
        document.as_object_mut().unwrap().remove(identity);
    }
    document
}

/// Sends an order through an account.
async fn send_order(caller: &Caller, provider: &str, account: &str, provider_number: &str) {
    if provider == "ile" {
        let body = json!({"account": account, "orderNumber": account, "providerOrderNumber": provider_number, "order": ile_document()});
        let adopted = caller.post("/v1/orders/adopt", &body).await;
        assert_eq!(adopted.status, 201, "{:#}", adopted.body);
        let change = json!({"totals": {"grossWeight": "20.50"}});
        let path = format!("/v1/orders/{}", adopted.id());
        assert_eq!(caller.send_with(Method::PATCH, &path, &change, &[]).await.status, 202);
    } else {
        let mut order = order(account);
        order["account"] = json!(account);
        let created = caller.post("/v1/orders", &order).await;
        assert_eq!(created.status, 202, "{:#}", created.body);
    }
}

/// The secrets that are known before anything runs.
fn marked(master_key: &str, former_key: &str) -> Needles {
    let mut needles = Needles::default();
    for (name, secret) in [
        ("the database's password", DATABASE_PASSWORD),
        ("the administrator's key", ADMIN_KEY),
        ("the master key", master_key),
        ("a former master key", former_key),
        ("oTMS's password", OTMS_PASSWORD),
        ("3TMS's password", TTMS_PASSWORD),
        ("3TMS's token", TOKENS.access),
        ("3TMS's refresh token", TOKENS.refresh),
        ("ILE's user", ILE_USER),
        ("ILE's id", ILE_ID),
        ("ILE's sign", ILE_SIGN),
        ("Hongxun's key", HONGXUN_KEY),
        ("a hook", HOOK),
        ("a refused password", REFUSED),
        ("a bearer", BEARER),
        ("the collector's key", COLLECTOR_KEY),
    ] {
        needles.add(name, secret);
    }
    needles
}

/// The accounts: of the mirror in every manner, of the sandbox, and one that calls only.
fn bodies(mirror: &Mirror, demos: Vec<DemoAccount>, needles: &mut Needles) -> Vec<Value> {
    let mut bodies = Vec::new();
    for manner in MANNERS {
        for (provider, id, credentials, settings) in accounts(manner) {
            let mut body = json!({
                "id": id, "provider": provider, "baseUrl": format!("{}/{manner}", mirror.url),
                "credentials": credentials, "settings": settings,
            });
            if id == "ttms-message" {
                body["publicCallbackUrl"] = json!("https://gateway.example.com");
            }
            bodies.push(body);
        }
    }
    for demo in demos {
        for (name, value) in demo.credentials.as_object().unwrap() {
            // Ids of its demo account are words that stand elsewhere, too.
            if ["password", "sign", "secretKey"].contains(&name.as_str()) {
                needles.add(&format!("the sandbox's {name} of {}", demo.provider), value.as_str().unwrap());
            }
        }
        bodies.push(serde_json::to_value(&demo).unwrap());
    }
    bodies.push(json!({
        "id": "hongxun-canary", "provider": "hongxun", "baseUrl": "https://wms.example.com",
        "credentials": {"createBy": "CUST", "dataSource": "SRC", "secretKey": HONGXUN_KEY},
    }));
    bodies
}

/// Endpoints, one of which fails, and a key of an application, which it gives.
async fn administer(caller: &Caller, hooks: [&str; 2], needles: &mut Needles) -> String {
    for url in hooks {
        let (path, secret) = add_endpoint(caller, url).await;
        needles.add("a webhook's secret", &secret);
        let rotated = caller.post(&format!("{path}/rotate-secret"), &Value::Null).await;
        needles.add("a webhook's new secret", &text(&rotated.body["secret"]));
    }
    let key = caller.post("/v1/api-keys", &json!({"name": "shop", "scopes": ["orders:read"]})).await;
    let key = text(&key.body["key"]);
    needles.add("an API key", &key);
    key
}

/// Calls that pass straight through to the mirror, which refuses them all; and translations.
async fn pass_through(searched: &Searched<'_>, bodies: &[Value]) {
    let parties = json!({"parties": [
        {"name": "a", "phone": "1", "address": "x", "role": "consignor", "paymentTerm": "monthly_account"}]});
    let wish = json!({"callbackUrl": HOOK});
    for body in bodies.iter().filter(|body| body["provider"] == "ttms" && body["id"] != "ttms-demo") {
        let account = format!("/v1/accounts/{}", text(&body["id"]));
        for (method, path, body) in [
            (Method::GET, format!("{account}/organizations"), None),
            (Method::GET, format!("{account}/provider-orders"), None),
            (Method::PUT, format!("{account}/parties"), Some(parties.to_string())),
            (Method::PUT, format!("{account}/subscriptions/trips"), Some(wish.to_string())),
            (Method::DELETE, format!("{account}/subscriptions/orders"), None),
        ] {
            let (status, _) = searched.ask(method, &path, body.as_deref().map(str::as_bytes)).await;
            assert!((400..600).contains(&status), "{path}: {status}");
        }
    }
    for body in bodies.iter().filter(|body| body["provider"] == "otms" || body["provider"] == "ttms") {
        let mut order = order("translated");
        order["account"] = body["id"].clone();
        let wish = json!({"account": body["id"], "operation": "create", "order": order}).to_string();
        let (status, _) = searched.ask(Method::POST, "/v1/translations", Some(wish.as_bytes())).await;
        assert_eq!(status, 200);
    }
}

/// Waits until every order was tried, and the gateway asked to be called at this token and was refused.
async fn everything_was_tried(database: &TestDatabase, mirror: &mut Mirror, token: &str) -> Vec<u8> {
    let tried = "select not exists (select from submissions s where not exists (
                     select from attempts a where a.submission_id = s.id and a.outcome is not null))";
    database.wait_until(PATIENCE, tried).await;
    let mut seen = mirror.seen();
    let asked = async {
        while !holds(&seen, token) {
            seen.extend(mirror.seen());
            try_again(database).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, asked).await.is_ok(), "the gateway did not ask to be called");
    let refused = "select exists (select from subscriptions where error like '%refused%')";
    let mut connection = database.connection().await;
    let noted = async { while !sqlx::query_scalar::<_, bool>(refused).fetch_one(&mut connection).await.unwrap() {} };
    assert!(tokio::time::timeout(PATIENCE, noted).await.is_ok(), "no refusal is noted");
    seen
}

fn holds(text: &[u8], part: &str) -> bool {
    text.windows(part.len()).any(|window| window == part.as_bytes())
}

/// What the system shows of the process.
fn search_process(gateway: &GatewayProcess, needles: &Needles) {
    needles.search("the command line", &gateway.proc("cmdline"));
    let limits = String::from_utf8(gateway.proc("limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
}

#[tokio::test]
async fn no_secret_comes_out() {
    let database = TestDatabase::create().await;
    let (sandbox, sandbox_url) = start_sandbox().await;
    let mut mirror = Mirror::start(TOKENS).await;
    let (mut receiver, mut failing) = (Receiver::start().await, Receiver::start().await);
    failing.answer_with(Reply::Status(500));
    let collector = Collector::start().await;
    let [master_key, former_key] = [(); 2].map(|()| Vault::generate_base64().unwrap());
    let mut url = reqwest::Url::parse(&database.url).unwrap();
    url.set_password(Some(DATABASE_PASSWORD)).unwrap();
    let mut needles = marked(&master_key, &former_key);
    let variables = [
        ("DATABASE_URL", url.as_str()),
        ("ONELANE_MASTER_KEY", &master_key),
        ("ONELANE_FORMER_MASTER_KEYS", &former_key),
        ("ONELANE_ADMIN_KEY", ADMIN_KEY),
        ("RUST_LOG", "trace"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
        ("OTEL_EXPORTER_OTLP_HEADERS", &format!("x-api-key={COLLECTOR_KEY}")),
    ];
    let gateway = GatewayProcess::start_with(&database.url, &variables).await;
    let caller = gateway.caller.clone();

    // In they go.
    let bodies = bodies(&mirror, sandbox.demo_accounts(&sandbox_url), &mut needles);
    let ids: Vec<String> = bodies.iter().map(|body| text(&body["id"])).collect();
    let mut tokens = BTreeMap::new();
    for (id, body) in ids.iter().zip(&bodies) {
        if let Some(token) = add_account(&caller, body).await {
            needles.add(&format!("{PATH_OF}{id}"), &token);
            tokens.insert(format!("{PATH_OF}{id}"), token);
        }
    }
    let key = administer(&caller, [&receiver.url, &failing.url], &mut needles).await;
    for (id, body) in ids.iter().zip(&bodies).filter(|(_, body)| body["provider"] != "hongxun") {
        let number = if id == "ile-demo" { "3674U3000534" } else { "3674U3000535" };
        send_order(&caller, &text(&body["provider"]), id, number).await;
    }
    let searched = Searched { caller: caller.clone(), needles: &needles };
    pass_through(&searched, &bodies).await;
    refusals(&searched, &key).await;
    let token_of = |account: &str| &tokens[&format!("{PATH_OF}{account}")];
    call_back(&gateway, &format!("/callbacks/hongxun/hongxun-canary/{}", token_of("hongxun-canary"))).await;
    let seen = everything_was_tried(&database, &mut mirror, token_of("ttms-message")).await;
    let sent = needles.names_in(&seen);
    for name in ["oTMS's password", "3TMS's password", "3TMS's token", "ILE's user", "ILE's id", "ILE's sign", "a hook"]
    {
        assert!(sent.contains(name), "{name} was not sent: {sent:?}");
    }
    assert!(sent.contains(format!("{PATH_OF}ttms-message").as_str()), "{sent:?}");

    // Nothing comes out, not even what the sandbox gave for the demo account, which nobody told the test.
    for token in session_tokens(&database, &master_key).await {
        needles.add("the sandbox's token", &token);
    }
    let searched = Searched { caller: caller.clone(), needles: &needles };
    searched.read_everything(&ids, &tokens.keys().map(String::as_str).collect::<Vec<_>>()).await;
    let mut stream = EventStream::open(&caller, "/v1/events/stream", None).await;
    for _ in 0..10 {
        needles.search("the stream", format!("{:?}", stream.event().await.unwrap()).as_bytes());
    }
    drop(stream);
    for webhook in receiver.came().into_iter().chain(failing.came()) {
        needles.search("a webhook", &webhook.body);
        needles.search("a webhook's headers", format!("{:?}", webhook.headers).as_bytes());
    }
    search_database(&database, &needles).await;
    search_process(&gateway, &needles);
    let log = gateway.stop_for_log().await;
    for target in ["hyper", "reqwest", "sqlx", "onelane", "tower_http"] {
        assert!(log.contains(&format!("\"target\":\"{target}")), "nothing of {target} is logged");
    }
    needles.search("the log", log.as_bytes());
    search_spans(&collector, &needles);
    for arguments in [["master-key", "status"].as_slice(), &["master-key", "rotate"], &["openapi"]] {
        let (done, said) = GatewayProcess::run(arguments, &database.url, &variables).await;
        assert!(done, "{said}");
        needles.search("what a command writes", said.as_bytes());
    }
}

/// What a collector of spans was sent: their bytes, as they came, and its own key, which belongs there.
fn search_spans(collector: &Collector, needles: &Needles) {
    let names: BTreeSet<String> = collector.spans().into_iter().map(|span| span.name).collect();
    for name in ["POST /v1/orders", "POST /callbacks/{provider}/{account}/{token}", "otms orderImport"] {
        assert!(names.contains(name), "{names:?}");
    }
    for exported in collector.received() {
        needles.search("a span", &exported.body);
        needles.search_but_for(
            "what spans come with",
            format!("{:?}", exported.headers).as_bytes(),
            &["the collector's key"],
        );
        assert_eq!(exported.headers["x-api-key"], COLLECTOR_KEY);
    }
}

async fn session_tokens(database: &TestDatabase, master_key: &str) -> Vec<String> {
    let (bytes, key_id): (Vec<u8>, String) =
        sqlx::query_as("select session, session_key from provider_sessions where account_id = 'ttms-demo'")
            .fetch_one(&mut database.connection().await)
            .await
            .unwrap();
    let vault = Vault::from_base64(master_key).unwrap();
    let session = vault.open_text(&Place::Session("ttms-demo"), &Sealed { bytes, key_id }).unwrap();
    let session: Value = serde_json::from_str(session.expose_secret()).unwrap();
    ["accessToken", "refreshToken"].map(|name| text(&session[name])).to_vec()
}
