//! Who is signed in, and what they ask the API.

use askama::Template;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt;

use super::cookies::{self, Lasting};
use super::failure::{Failure, FrameSlot, Refusal};
use super::frame::{Frame, Section, SignedIn};
use super::language::Language;
use super::notice::Notice;
use super::session::Session;
use super::{Console, query};
use crate::api::{Caller, Scope, origin};
use crate::server::Origin;

/// Answers of the API are bounded by the API; this is more than any of them.
const MOST_ANSWER_BYTES: usize = 256 * 1024 * 1024;

/// Somebody who is signed in, at one page.
pub struct Visitor {
    pub language: Language,
    /// The ledger's clock when the page was asked for
    pub now: DateTime<Utc>,
    /// Whose key it is; for questions to the store that the API has no endpoint for
    pub caller: Caller,
    pub console: Console,
    session: Session,
    headers: HeaderMap,
    /// For the audit log
    origin: Option<Origin>,
    /// The path that was asked for, with its query
    here: String,
    notice: Option<Notice>,
}

/// What the API answered.
pub struct Reply {
    pub status: u16,
    pub body: Value,
}

impl FromRequestParts<Console> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Failure> {
        let cookie = cookies::read(&parts.headers, cookies::SESSION).ok_or(Failure::NotSignedIn)?;
        let now = console.app.store.now().await?;
        let session = Session::open(&console.app.vault, cookie, now).ok_or(Failure::NotSignedIn)?;
        let caller = console.caller(&session, &parts.headers, &parts.extensions).await?;
        let visitor = Visitor {
            language: Language::of(&parts.headers),
            now,
            caller,
            console: console.clone(),
            session,
            here: parts.uri.path_and_query().map_or(query::HOME, |path| path.as_str()).to_owned(),
            notice: cookies::read(&parts.headers, cookies::NOTICE).and_then(|code| code.parse().ok()),
            headers: parts.headers.clone(),
            origin: origin::of(&parts.extensions),
        };
        if let Some(slot) = parts.extensions.get::<FrameSlot>() {
            // A page that fails is shown in the same frame.
            let _ = slot.set(visitor.signed_in());
        }
        Ok(visitor)
    }
}

impl Console {
    /// Who has the key of a session, if the API knows it.
    pub async fn caller(
        &self,
        session: &Session,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Result<Caller, Failure> {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.headers.insert(header::AUTHORIZATION, authorization(session)?);
        if let Some(id) = headers.get("x-request-id") {
            parts.headers.insert("x-request-id", id.clone());
        }
        parts.extensions.extend(extensions.clone());
        Ok(Caller::from_request_parts(&mut parts, &self.app).await?)
    }
}

fn authorization(session: &Session) -> Result<HeaderValue, Failure> {
    // What cannot stand in a header is no key.
    let mut value = HeaderValue::from_str(session.authorization().expose_secret()).map_err(|_| Failure::NotSignedIn)?;
    value.set_sensitive(true);
    Ok(value)
}

impl Visitor {
    /// Asks the API for something.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        understood(self.call(Method::GET, path, None, &[]).await?.body)
    }

    /// Has the API do something.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&'static str, String)],
    ) -> Result<Reply, Failure> {
        self.call(method, path, body, headers).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        further: &[(&'static str, String)],
    ) -> Result<Reply, Failure> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(headers) = request.headers_mut() {
            for (name, value) in further {
                headers.insert(*name, HeaderValue::from_str(value).map_err(|_| Failure::Unreadable)?);
            }
            headers.insert(header::AUTHORIZATION, authorization(&self.session)?);
            if let Some(id) = self.headers.get("x-request-id") {
                headers.insert("x-request-id", id.clone());
            }
            if body.is_some() {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let mut request = request.body(body).map_err(|_| Failure::NotFound)?;
        if let Some(origin) = self.origin {
            request.extensions_mut().insert(origin);
        }
        let response = match self.console.api.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status();
        let bytes = to_bytes(response.into_body(), MOST_ANSWER_BYTES).await.map_err(|_| Failure::Broken)?;
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap_or_default() };
        if status.is_success() {
            return Ok(Reply { status: status.as_u16(), body });
        }
        Err(Failure::of(Refusal::read(status, body)))
    }

    /// Whether the key may change orders.
    pub fn may_write(&self) -> bool {
        self.caller.require(Scope::OrdersWrite).is_ok()
    }

    /// Whether the key may administer.
    pub fn may_administer(&self) -> bool {
        self.caller.require(Scope::Admin).is_ok()
    }

    /// Whether a form was made for this session.
    pub fn made(&self, token: &str) -> bool {
        self.session.made(token)
    }

    fn signed_in(&self) -> SignedIn {
        SignedIn {
            key_name: self.caller.key_name().to_owned(),
            form_token: self.session.token().to_owned(),
            may_administer: self.may_administer(),
        }
    }

    /// The frame of the page that was asked for.
    pub fn frame(&self, section: Section, title: impl Into<String>) -> Frame {
        let mut frame = Frame::new(self.language, title, Some(section), Some(self.signed_in()), &self.here);
        frame.notice = self.notice.map(|notice| notice.text(self.language));
        frame
    }

    /// A page; what it told of an action before it is told once.
    pub fn answer(&self, page: &impl Template) -> Result<Response, Failure> {
        let page = render(page)?;
        Ok(match self.notice {
            Some(_) => (cookies::end(&self.headers, cookies::NOTICE), page).into_response(),
            None => page.into_response(),
        })
    }

    /// Leads to a page that tells what was done.
    pub fn go_on(&self, path: &str, notice: Notice) -> Response {
        let notice = <&str>::from(notice).to_owned();
        (cookies::set(&self.headers, cookies::NOTICE, notice, Lasting::Moment), Redirect::to(path)).into_response()
    }
}

/// Reads what the API answered.
pub fn understood<T: DeserializeOwned>(body: Value) -> Result<T, Failure> {
    serde_json::from_value(body).map_err(|error| {
        tracing::error!(%error, "the console does not understand the API");
        Failure::Broken
    })
}

/// Writes a page.
pub fn render(page: &impl Template) -> Result<Html<String>, Failure> {
    page.render().map(Html).map_err(|error| {
        tracing::error!(%error, "a page of the console cannot be written");
        Failure::Broken
    })
}
