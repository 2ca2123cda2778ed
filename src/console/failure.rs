//! What goes wrong, as a page that says what happened and what helps.

use std::sync::{Arc, OnceLock};

use askama::Template;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::Value;

use super::cookies::{self, Lasting};
use super::frame::{Frame, SignedIn};
use super::language::{Language, texts};
use super::notice::Notice;
use super::query::{self, with_query};
use super::visitor::render;
use crate::api::completing::InAnotherForm;
use crate::api::origin;
use crate::api::problem::Problem;
use crate::store::StoreError;

/// Scripts, styles and pictures from here alone, nothing inline, no frames, forms to here.
const CONTENT_POLICY: &str =
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Why a page cannot be shown.
#[derive(Debug, Clone)]
pub enum Failure {
    /// There is no session, or its key is not valid any more.
    NotSignedIn,
    /// The form does not come from a page of this session.
    Forged,
    /// The form cannot be read.
    Unreadable,
    NotFound,
    /// The API refused.
    Refused(Box<Refusal>),
    Broken,
}

/// A problem document of the API.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    pub status: u16,
    #[serde(default)]
    pub detail: String,
    #[serde(default)]
    pub errors: Vec<MemberError>,
}

/// What is wrong with one member.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberError {
    pub pointer: String,
    pub detail: String,
    #[serde(default)]
    pub detail_zh: String,
}

impl Refusal {
    /// What is wrong with which members, in words of a language.
    pub fn members(&self, language: Language) -> Vec<(&str, &str)> {
        let errors = self.errors.iter();
        errors
            .map(|error| {
                let chinese = if error.detail_zh.is_empty() { &error.detail } else { &error.detail_zh };
                (error.pointer.as_str(), language.choose(error.detail.as_str(), chinese.as_str()))
            })
            .collect()
    }

    /// From what the API answered.
    pub fn read(status: StatusCode, body: Value) -> Self {
        serde_json::from_value(body).unwrap_or_else(|_| Refusal {
            status: status.as_u16(),
            detail: String::new(),
            errors: Vec::new(),
        })
    }
}

impl Failure {
    pub fn of(refusal: Refusal) -> Self {
        match refusal.status {
            401 => Failure::NotSignedIn,
            404 => Failure::NotFound,
            _ => Failure::Refused(Box::new(refusal)),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Failure::NotSignedIn => StatusCode::UNAUTHORIZED,
            Failure::Forged => StatusCode::FORBIDDEN,
            Failure::Unreadable => StatusCode::BAD_REQUEST,
            Failure::NotFound => StatusCode::NOT_FOUND,
            Failure::Refused(refusal) => {
                StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Failure::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let document = problem.to_value();
        let status = document["status"].as_u64().and_then(|status| u16::try_from(status).ok());
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        Failure::of(Refusal::read(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), document))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

impl IntoResponse for Failure {
    /// The page is written by [`complete`], which knows language and frame.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Who is signed in, left by the page for whatever goes wrong after that.
pub type FrameSlot = Arc<OnceLock<SignedIn>>;

/// What the middleware must know of a request after it has ended.
struct Asked {
    method: Method,
    headers: HeaderMap,
    here: String,
}

/// Turns failures into pages, and gives every answer the console's headers.
pub async fn complete(mut request: Request, next: Next) -> Response {
    if origin::is_encrypted(request.extensions()) {
        // What we know, in the place of what somebody says: cookies go by it.
        request.headers_mut().insert(cookies::FORWARDED_PROTO, HeaderValue::from_static("https"));
    }
    let asked = Asked {
        method: request.method().clone(),
        headers: request.headers().clone(),
        here: request.uri().path_and_query().map_or(query::HOME, |path| path.as_str()).to_owned(),
    };
    let slot = FrameSlot::default();
    request.extensions_mut().insert(Arc::clone(&slot));
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = asked.page_of(&failure, slot.get());
    }
    // Our own words, also where the status is an error's.
    response.extensions_mut().insert(InAnotherForm);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    // A form says where it comes from; other sites learn nothing.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

impl Asked {
    fn page_of(&self, failure: &Failure, signed_in: Option<&SignedIn>) -> Response {
        if matches!(failure, Failure::NotSignedIn) {
            return self.to_sign_in();
        }
        let language = Language::of(&self.headers);
        let t = Texts::of(language);
        let (title, advice) = match failure {
            Failure::NotSignedIn => (t.not_signed_in, t.not_signed_in_advice),
            Failure::Forged => (t.forged, t.forged_advice),
            Failure::Unreadable => (t.unreadable, t.unreadable_advice),
            Failure::NotFound => (t.not_found, t.not_found_advice),
            Failure::Broken => (t.broken, t.broken_advice),
            Failure::Refused(refusal) => match refusal.status {
                403 => (t.forbidden, t.forbidden_advice),
                409 | 412 => (t.conflict, t.conflict_advice),
                429 => (t.too_often, t.too_often_advice),
                503 => (t.unavailable, t.unavailable_advice),
                500.. => (t.broken, t.broken_advice),
                _ => (t.refused, t.refused_advice),
            },
        };
        let (detail, errors) = match failure {
            Failure::Refused(refusal) => (refusal.detail.as_str(), refusal.members(language)),
            _ => ("", Vec::new()),
        };
        let page = FailurePage {
            frame: Frame::new(language, title, None, signed_in.cloned(), &self.here),
            t,
            title,
            advice,
            detail,
            errors,
            request_id: self.headers.get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default(),
            back: self.back(),
        };
        match render(&page) {
            Ok(page) => (failure.status(), page).into_response(),
            Err(_) => failure.status().into_response(),
        }
    }

    /// The page before, where the browser says that it was one of ours.
    fn back(&self) -> &str {
        let referrer = self.headers.get(header::REFERER).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let path = referrer.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
        query::own_page(path)
    }

    fn to_sign_in(&self) -> Response {
        let had_session = cookies::read(&self.headers, cookies::SESSION).is_some();
        let says = |name: &str, value: &str| self.headers.get(name).is_some_and(|it| it == value);
        if says("accept", "application/json") {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        if !had_session && self.method == Method::GET && says("sec-fetch-site", "cross-site") {
            // Somebody followed a link from elsewhere, and the browser kept our cookies to itself. Asked anew from a
            // page of ours, it sends them.
            return match render(&OnceMore { language: Language::of(&self.headers) }) {
                Ok(Html(page)) => Html(page).into_response(),
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            };
        }
        let next = Some(self.here.as_str()).filter(|here| self.method == Method::GET && *here != query::HOME);
        let to_sign_in = Redirect::to(&with_query("/console/sign-in", &[("next", next)]));
        if !had_session {
            return to_sign_in.into_response();
        }
        let notice = <&str>::from(Notice::SessionEnded).to_owned();
        let ended = cookies::end(&self.headers, cookies::SESSION);
        (ended, cookies::set(&self.headers, cookies::NOTICE, notice, Lasting::Moment), to_sign_in).into_response()
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage<'a> {
    frame: Frame,
    t: &'static Texts,
    title: &'static str,
    advice: &'static str,
    detail: &'a str,
    errors: Vec<(&'a str, &'a str)>,
    request_id: &'a str,
    back: &'a str,
}

#[derive(Template)]
#[template(path = "once_more.html")]
struct OnceMore {
    language: Language,
}

texts! {
    not_signed_in: "You are not signed in", "您尚未登录";
    not_signed_in_advice: "Sign in with an API key.", "请使用 API 密钥登录。";
    forged: "This form was not sent from your session", "该表单不是由您的会话发出的";
    forged_advice: "Nothing was done. The page may be from before you signed in again, or another site tried to act for you. Go back, load the page anew and repeat what you wanted.",
        "未执行任何操作。页面可能是您重新登录之前打开的，或有其他网站试图冒用您的身份。请返回并重新加载页面后再试。";
    unreadable: "The form cannot be read", "无法读取该表单";
    unreadable_advice: "Nothing was done. Go back, load the page anew and fill it in again.", "未执行任何操作。请返回、重新加载页面并重新填写。";
    not_found: "There is nothing here", "此处没有内容";
    not_found_advice: "Check the address. What belongs to an account that your key may not use is not shown either.",
        "请检查地址。您的密钥无权使用的账户，其内容也不会显示。";
    forbidden: "Your key may not do this", "您的密钥无权执行此操作";
    forbidden_advice: "Sign in with a key that has the right, or ask an administrator.", "请使用有相应权限的密钥登录，或联系管理员。";
    conflict: "Its state does not allow this", "当前状态不允许此操作";
    conflict_advice: "Nothing was done. It may have changed since you opened the page: go back and look again.",
        "未执行任何操作。打开页面之后状态可能已变化，请返回查看。";
    too_often: "Too many requests", "请求过于频繁";
    too_often_advice: "Wait a moment, then try again. An administrator can raise the limit of the key.", "请稍候再试。管理员可以提高该密钥的限额。";
    unavailable: "The gateway cannot answer now", "网关暂时无法响应";
    unavailable_advice: "The database may be out of reach. What was accepted is kept; try again in a moment.",
        "数据库可能暂时无法访问。已接受的订单不会丢失，请稍后再试。";
    refused: "This cannot be done", "无法执行此操作";
    refused_advice: "Nothing was done. See what is wrong below.", "未执行任何操作，原因见下。";
    broken: "Something went wrong here", "网关内部出错";
    broken_advice: "The log says more under the request id below.", "可在日志中按下方的请求编号查找原因。";
    request_id: "Request id", "请求编号";
    go_back: "Back", "返回";
    member: "Member", "字段";
    problem: "What is wrong", "问题";
}
