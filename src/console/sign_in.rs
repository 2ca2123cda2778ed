//! Signing in with an API key, and out.

use askama::Template;
use axum::extract::{RawForm, State};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::Console;
use super::cookies::{self, Lasting};
use super::failure::Failure;
use super::forgery::{Form, check_origin};
use super::frame::Frame;
use super::language::{Language, texts};
use super::notice::Notice;
use super::query::own_page;
use super::session::Session;
use super::visitor::render;

texts! {
    title: "Sign in", "登录";
    lead: "Sign in with an API key of this gateway.", "使用本网关的 API 密钥登录。";
    key: "API key", "API 密钥";
    submit: "Sign in", "登录";
    where_from: "Where do I find a key?", "密钥从哪里来？";
    where_dev: "It prints the key when it starts, and keeps it in the file dev-api-key of its data directory.",
        "启动时会打印密钥，并保存在数据目录的 dev-api-key 文件中。";
    where_serve: "ONELANE_ADMIN_KEY is the first key; administrators make further ones with POST /v1/api-keys.",
        "首个密钥由 ONELANE_ADMIN_KEY 指定；管理员可通过 POST /v1/api-keys 创建更多密钥。";
    scopes: "A key with orders:read sees orders; orders:write may act on them; admin sees everything.",
        "具有 orders:read 的密钥可查看订单，orders:write 可操作订单，admin 可查看全部。";
    safe: "The key is sealed into a cookie of this browser for 12 hours, and is checked with every page.",
        "密钥加密保存在本浏览器的 Cookie 中，有效期 12 小时；每次打开页面都会重新验证。";
    unknown: "The gateway does not know this key. It may be mistyped, revoked or expired.",
        "网关不认识该密钥：可能输入有误、已吊销或已过期。";
    empty: "Enter a key.", "请输入密钥。";
    too_often: "This key comes too often. Wait a moment.", "该密钥请求过于频繁，请稍候。";
    unavailable: "The gateway cannot check keys now. Try again in a moment.", "网关暂时无法验证密钥，请稍后再试。";
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    frame: Frame,
    t: &'static Texts,
    next: Option<&'a str>,
    error: Option<&'static str>,
}

#[derive(Deserialize)]
pub struct Next {
    next: Option<String>,
}

/// `GET /console/sign-in`
pub async fn page(
    headers: HeaderMap,
    axum::extract::Query(Next { next }): axum::extract::Query<Next>,
) -> Result<Response, Failure> {
    let notice = cookies::read(&headers, cookies::NOTICE).and_then(|code| code.parse::<Notice>().ok());
    let page = asked(&headers, next.as_deref(), None, notice)?;
    Ok(match notice {
        Some(_) => (cookies::end(&headers, cookies::NOTICE), page).into_response(),
        None => page.into_response(),
    })
}

fn asked(
    headers: &HeaderMap,
    next: Option<&str>,
    error: Option<&'static str>,
    notice: Option<Notice>,
) -> Result<Response, Failure> {
    let language = Language::of(headers);
    let t = Texts::of(language);
    let next = next.map(|next| own_page(Some(next)));
    let here = super::query::with_query("/console/sign-in", &[("next", next)]);
    let mut frame = Frame::new(language, t.title, None, None, &here);
    frame.notice = notice.map(|notice| notice.text(language));
    Ok(render(&SignInPage { frame, t, next, error })?.into_response())
}

/// What the form sends. Not a type that could be printed: the key is in it.
#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    key: String,
    next: Option<String>,
}

/// `POST /console/sign-in`
pub async fn sign_in(
    State(console): State<Console>,
    headers: HeaderMap,
    extensions: Extensions,
    RawForm(form): RawForm,
) -> Result<Response, Failure> {
    check_origin(&headers)?;
    let Fields { key, next } = serde_urlencoded::from_bytes(&form).map_err(|_| Failure::Unreadable)?;
    let t = Texts::of(Language::of(&headers));
    let again = |status: StatusCode, error: &'static str| -> Result<Response, Failure> {
        Ok((status, asked(&headers, next.as_deref(), Some(error), None)?).into_response())
    };
    let key = key.trim();
    if key.is_empty() {
        return again(StatusCode::UNPROCESSABLE_ENTITY, t.empty);
    }
    let session = Session::begin(key).map_err(|_| Failure::Broken)?;
    match console.caller(&session, &headers, &extensions).await {
        Ok(_) => {}
        Err(Failure::NotSignedIn) => return again(StatusCode::UNPROCESSABLE_ENTITY, t.unknown),
        Err(Failure::Refused(refusal)) if refusal.status == 429 => {
            return again(StatusCode::TOO_MANY_REQUESTS, t.too_often);
        }
        Err(Failure::Refused(refusal)) if refusal.status == 503 => {
            return again(StatusCode::SERVICE_UNAVAILABLE, t.unavailable);
        }
        Err(failure) => return Err(failure),
    }
    let now = console.app.store.now().await?;
    let sealed = session.seal(&console.app.vault, now).map_err(|_| Failure::Broken)?;
    let cookie = cookies::set(&headers, cookies::SESSION, sealed, Lasting::HalfDay);
    Ok((cookie, Redirect::to(own_page(next.as_deref()))).into_response())
}

#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /console/sign-out`
pub async fn sign_out(headers: HeaderMap, _: Form<Nothing>) -> Response {
    let notice = <&str>::from(Notice::SignedOut).to_owned();
    let told = cookies::set(&headers, cookies::NOTICE, notice, Lasting::Moment);
    (cookies::end(&headers, cookies::SESSION), told, Redirect::to("/console/sign-in")).into_response()
}
