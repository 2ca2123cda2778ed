//! What an administrator does with an account: hold it, let it go on, replace its credentials or its callback path.

use askama::Template;
use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::accounts::{account_path, provider_path};
use super::failure::{Failure, Refusal};
use super::forgery::Form;
use super::frame::{Frame, Section};
use super::language::{fill, texts};
use super::notice::Notice;
use super::query::with_query;
use super::reading::{AccountDetails, Provider};
use super::schema_form::{Field, Sent, object};
use super::submission_actions::Nothing;
use super::visitor::Visitor;

texts! {
    credentials: "Replace the credentials of {}?", "更换 {} 的凭据？";
    credentials_lead: "The new ones replace the old as a whole. They are sealed at once and never shown; the next request uses them.",
        "新凭据将整体替换旧凭据，立即加密保存且不再显示，下一次请求即使用新凭据。";
    replace: "Replace the credentials", "更换凭据";
    not_replaced: "The old credentials stay. What is wrong stands at the fields that are marked.", "凭据未更换，问题见标出的字段。";
    path: "Give {} a new callback path?", "为 {} 更换回调地址？";
    path_lead: "Use it when the old address may be known to others. Calls at the old one are taken for the hours that you say. What this gateway subscribed at the provider is moved by itself; a provider without subscriptions has to be told.",
        "当旧地址可能泄露时使用。在所选小时内旧地址仍可使用。网关自行订阅的回调会自动更新；没有订阅接口的服务商需另行通知。";
    hours: "Hours for which the old path is taken", "旧地址继续有效的小时数";
    hours_hint: "0 ends it at once, and what the provider still sends there is lost. At most 2160 (90 days).",
        "0 表示立即失效，服务商发往旧地址的回调将丢失。最多 2160（90 天）。";
    replace_path: "Make a new path", "生成新地址";
    back: "Back", "返回";
}

/// `POST /console/accounts/{id}/pause`
pub async fn pause(path: Path<String>, form: Form<Nothing>) -> Result<Response, Failure> {
    hold(&path, &form.visitor, "pause", Notice::Paused).await
}

/// `POST /console/accounts/{id}/resume`
pub async fn resume(path: Path<String>, form: Form<Nothing>) -> Result<Response, Failure> {
    hold(&path, &form.visitor, "resume", Notice::Resumed).await
}

async fn hold(id: &str, visitor: &Visitor, verb: &str, notice: Notice) -> Result<Response, Failure> {
    visitor.send(Method::POST, &format!("{}/{verb}", account_path(id)?), None, &[]).await?;
    Ok(visitor.go_on(&format!("/console/accounts/{id}"), notice))
}

#[derive(Template)]
#[template(path = "account_credentials.html")]
struct CredentialsPage<'a> {
    frame: Frame,
    t: &'static Texts,
    title: String,
    id: String,
    fields: Vec<Field>,
    refusal: Option<&'a Refusal>,
    wrong: Vec<(&'a str, &'a str)>,
}

/// `GET /console/accounts/{id}/credentials`
pub async fn credentials_page(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    credentials_form(&visitor, id, None).await
}

async fn credentials_form(
    visitor: &Visitor,
    id: String,
    refused: Option<(&Refusal, &Sent)>,
) -> Result<Response, Failure> {
    let language = visitor.language;
    let t = Texts::of(language);
    let account: AccountDetails = visitor.get(&account_path(&id)?).await?;
    let provider: Provider = visitor.get(&provider_path(&account.provider)?).await?;
    let mut fields = Field::of_schema(&provider.credentials_schema, "credentials", language);
    let mut wrong = Vec::new();
    if let Some((refusal, sent)) = refused {
        for field in &mut *fields {
            field.refill(sent, refusal, language);
        }
        wrong = refusal.members(language);
        wrong.retain(|(pointer, _)| !fields.iter().any(|field| field.tells_of(pointer)));
    }
    let title = fill(t.credentials, &id);
    let page = CredentialsPage {
        frame: visitor.frame(Section::Accounts, title.as_str()),
        t,
        title,
        id,
        fields,
        refusal: refused.map(|(refusal, _)| refusal),
        wrong,
    };
    visitor.answer(&page)
}

/// `POST /console/accounts/{id}/credentials`
pub async fn replace_credentials(Path(id): Path<String>, form: Form<Sent>) -> Result<Response, Failure> {
    let Form { visitor, fields: sent } = form;
    let path = account_path(&id)?;
    let account: AccountDetails = visitor.get(&path).await?;
    let provider: Provider = visitor.get(&provider_path(&account.provider)?).await?;
    let body = json!({"credentials": object(&provider.credentials_schema, "credentials", &sent)});
    match visitor.send(Method::PATCH, &path, Some(&body), &[]).await {
        Ok(_) => Ok(visitor.go_on(&format!("/console/accounts/{id}"), Notice::CredentialsReplaced)),
        Err(Failure::Refused(refusal)) if refusal.status == 422 => {
            let page = credentials_form(&visitor, id, Some((&*refusal, &sent))).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(failure) => Err(failure),
    }
}

#[derive(Template)]
#[template(path = "account_callback_path.html")]
struct CallbackPathPage {
    frame: Frame,
    t: &'static Texts,
    title: String,
    id: String,
}

/// `GET /console/accounts/{id}/callback-path`
pub async fn callback_path_page(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    let t = Texts::of(visitor.language);
    let account: AccountDetails = visitor.get(&account_path(&id)?).await?;
    let title = fill(t.path, &account.id);
    let page = CallbackPathPage { frame: visitor.frame(Section::Accounts, title.as_str()), t, title, id: account.id };
    visitor.answer(&page)
}

#[derive(Deserialize)]
pub struct Overlap {
    hours: String,
}

/// `POST /console/accounts/{id}/callback-path`
pub async fn replace_callback_path(Path(id): Path<String>, form: Form<Overlap>) -> Result<Response, Failure> {
    let Form { visitor, fields: Overlap { hours } } = form;
    let path = format!("{}/rotate-callback-token", account_path(&id)?);
    let path = with_query(&path, &[("overlapHours", Some(hours.trim()))]);
    visitor.send(Method::POST, &path, None, &[]).await?;
    Ok(visitor.go_on(&format!("/console/accounts/{id}#callbacks"), Notice::CallbackPathReplaced))
}
