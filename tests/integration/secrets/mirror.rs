//! A provider that repeats everything that it was sent: in pages, messages, codes and headers, in every form.

use std::fmt::Write as _;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::needles::{escaped_json, percent};

/// How it answers, by the first part of the path.
pub const MANNERS: &[&str] = &["page", "message", "code", "refused", "redirect", "cut"];

/// The tokens that it hands out.
#[derive(Clone)]
pub struct Tokens {
    pub access: &'static str,
    pub refresh: &'static str,
}

#[derive(Clone)]
struct Seen {
    tokens: Tokens,
    sender: mpsc::UnboundedSender<Vec<u8>>,
}

/// The provider, and everything that it was sent.
pub struct Mirror {
    pub url: String,
    seen: mpsc::UnboundedReceiver<Vec<u8>>,
}

impl Mirror {
    pub async fn start(tokens: Tokens) -> Self {
        let (sender, seen) = mpsc::unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(Seen { tokens, sender });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Mirror { url, seen }
    }

    /// All that came so far.
    pub fn seen(&mut self) -> Vec<u8> {
        std::iter::from_fn(|| self.seen.try_recv().ok()).flatten().collect()
    }
}

async fn answer(State(seen): State<Seen>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut request = format!("{method} {uri}\n");
    for (name, value) in &headers {
        writeln!(request, "{name}: {}", String::from_utf8_lossy(value.as_bytes())).unwrap();
    }
    request += &String::from_utf8_lossy(&body);
    seen.sender.send(request.clone().into_bytes()).unwrap();
    let path = uri.path().to_owned();
    if path.contains("access_token") {
        let Tokens { access, refresh } = seen.tokens;
        return json_of(
            &json!({"code": 200, "message": null, "data": {"accessToken": access, "refreshToken": refresh}}),
        );
    }
    let credentials = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let basic = credentials.strip_prefix("Basic ").and_then(|text| BASE64.decode(text.as_bytes()).ok());
    let basic = String::from_utf8(basic.unwrap_or_default()).unwrap();
    // Its own customers' tokens alone.
    let refresh =
        if uri.query().is_some_and(|query| query.contains("access_token")) { seen.tokens.refresh } else { "" };
    let raw = format!("{request} {basic} {refresh}");
    let dump = [
        raw.clone(),
        escaped_json(&raw, true),
        raw.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;"),
        percent(&raw),
        BASE64.encode(raw.as_bytes()),
        HEXLOWER.encode(raw.as_bytes()),
    ]
    .join("\n");
    let manner = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let xml = path.contains("/ws/");
    match manner {
        "page" => {
            (axum::http::StatusCode::BAD_GATEWAY, [("content-type", "text/html")], format!("<html>{dump}</html>"))
                .into_response()
        }
        // An unknown code, a message that repeats, and header lines.
        "message" if xml => xml_of(&dump, "9999"),
        "message" => json_of(&refusal(500, &dump)),
        "code" if xml => xml_of("", &dump),
        "code" => json_of(&json!({"status": dump, "code": dump, "message": dump, "msg": dump})),
        "refused" if xml => (axum::http::StatusCode::UNAUTHORIZED, dump).into_response(),
        "refused" => json_of(&refusal(401, &dump)),
        "redirect" => {
            let query = uri.query().unwrap_or_default();
            let value = [credentials, query.to_owned()].join(" ");
            let mut response = axum::http::StatusCode::FOUND.into_response();
            for name in ["location", "x-echo", "set-cookie", "www-authenticate"] {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        // Half an answer: what the client says of it must not repeat the address.
        _ => {
            let whole = Bytes::from(dump);
            let stream = futures_util::stream::iter([Ok(whole), Err(std::io::Error::other("cut"))]);
            Response::new(Body::from_stream(stream))
        }
    }
}

fn json_of(value: &Value) -> Response {
    ([("content-type", "application/json"), ("x-echo", "kept")], value.to_string()).into_response()
}

fn refusal(code: u16, words: &str) -> Value {
    json!({"status": code, "message": words, "code": code, "msg": words, "body": null})
}

fn xml_of(words: &str, code: &str) -> Response {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><orderImportResponse version=\"4.0\"><responseCode></responseCode><orders>\
         <order sequence=\"1\"><importStatus>NOT IMPORTED</importStatus>\
         <responseCodes><responseCode><code>{}</code></responseCode></responseCodes><errorMsgs>{}</errorMsgs></order>\
         </orders></orderImportResponse>",
        escape(code),
        escape(words)
    );
    ([("content-type", "application/xml")], document).into_response()
}
