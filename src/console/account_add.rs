//! Adding an account: its provider first, then what the provider's schema asks for.

use askama::Template;
use axum::extract::Query;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{Failure, Refusal};
use super::forgery::Form;
use super::frame::{Frame, Section};
use super::language::{fill, texts};
use super::notice::Notice;
use super::query::with_query;
use super::reading::{Page, Provider};
use super::schema_form::{Field, Kind, Sent, find, object};
use super::visitor::Visitor;
use crate::api::Scope;

texts! {
    title: "Add an account", "添加账户";
    of: "Add an account at {}", "添加 {} 账户";
    which: "Which provider is it at?", "账户属于哪个服务商？";
    choose: "Choose {}", "选择 {}";
    other: "Another provider", "其他服务商";
    calls_us: "It calls this gateway", "由其回调本网关";
    takes: "It takes orders", "可接收订单";
    account: "The account", "账户";
    id: "Id", "ID";
    id_hint: "What orders name: small letters, digits and hyphens. It stays.", "订单中引用的名称：小写字母、数字和连字符，不可更改。";
    name: "Name for people", "显示名称";
    name_hint: "Optional. Shown beside the id.", "可选，与 ID 一同显示。";
    base_url: "Where the provider is reached", "服务商地址";
    base_url_hint: "Without the paths of its interfaces, for example https://provider.example.com", "不含接口路径，例如 https://provider.example.com";
    credentials: "Credentials", "凭据";
    credentials_lead: "As the provider handed them out. They are sealed at once and never shown.", "由服务商提供，立即加密保存，不会再显示。";
    settings: "Settings", "设置";
    settings_lead: "What is left as it stands follows the default.", "保持不变即使用默认值。";
    more: "Callbacks and quota", "回调与限额";
    public: "Where providers reach this gateway", "服务商访问本网关的地址";
    public_hint: "Optional. For example https://gateway.example.com; the callback path follows it.", "可选。例如 https://gateway.example.com，其后接回调路径。";
    group: "Throttle group", "限额组";
    group_hint: "Accounts of one group share their quota at the provider. Empty: a quota of its own.", "同组账户共用服务商限额，留空则单独计算。";
    not_added: "The account was not added. What is wrong stands at the fields that are marked.", "账户未添加，问题见标出的字段。";
    submit: "Add the account", "添加账户";
    back: "Back", "返回";
}

#[derive(Template)]
#[template(path = "account_add.html")]
struct AddPage<'a> {
    frame: Frame,
    t: &'static Texts,
    title: String,
    /// Those that can be chosen, while none is
    providers: Vec<Offered>,
    chosen: Option<Chosen>,
    refusal: Option<&'a Refusal>,
    /// What is wrong that no field tells
    wrong: Vec<(&'a str, &'a str)>,
}

/// A provider that can be chosen.
struct Offered {
    name: String,
    what: &'static str,
    link: String,
    choose: String,
}

/// The form for one provider.
struct Chosen {
    provider: Provider,
    account: Vec<Field>,
    credentials: Vec<Field>,
    settings: Vec<Field>,
    more: Vec<Field>,
}

impl Offered {
    fn of(provider: Provider, t: &Texts) -> Self {
        Offered {
            what: if provider.operations.is_empty() { t.calls_us } else { t.takes },
            link: with_query("/console/add-account", &[("provider", Some(&provider.id))]),
            choose: fill(t.choose, &provider.name),
            name: provider.name,
        }
    }
}

impl Chosen {
    fn fields(&mut self) -> impl Iterator<Item = &mut Field> {
        let Chosen { provider: _, account, credentials, settings, more } = self;
        account.iter_mut().chain(credentials).chain(settings).chain(more)
    }
}

#[derive(Deserialize)]
pub struct Asked {
    provider: Option<String>,
}

/// `GET /console/add-account`
pub async fn page(visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Failure> {
    visitor.caller.require(Scope::Admin)?;
    match asked.provider.filter(|provider| !provider.is_empty()) {
        Some(provider) => form(&visitor, &provider, None).await,
        None => choice(&visitor).await,
    }
}

async fn choice(visitor: &Visitor) -> Result<Response, Failure> {
    let t = Texts::of(visitor.language);
    let providers: Page<Provider> = visitor.get("/v1/providers").await?;
    let page = AddPage {
        frame: visitor.frame(Section::Accounts, t.title),
        t,
        title: t.title.to_owned(),
        providers: providers.items.into_iter().map(|provider| Offered::of(provider, t)).collect(),
        chosen: None,
        refusal: None,
        wrong: Vec::new(),
    };
    visitor.answer(&page)
}

async fn form(visitor: &Visitor, provider: &str, refused: Option<(&Refusal, &Sent)>) -> Result<Response, Failure> {
    let language = visitor.language;
    let t = Texts::of(language);
    let provider: Provider = visitor.get(&super::accounts::provider_path(provider)?).await?;
    let own =
        |kind, name: &str, label: &str, hint: &str, required| Field::own(kind, name, label, hint, required, language);
    let mut chosen = Chosen {
        account: vec![
            own(Kind::Text, "id", t.id, t.id_hint, true),
            own(Kind::Text, "displayName", t.name, t.name_hint, false),
            own(Kind::Address, "baseUrl", t.base_url, t.base_url_hint, true),
        ],
        credentials: Field::of_schema(&provider.credentials_schema, "credentials", language),
        settings: Field::of_schema(&provider.settings_schema, "settings", language),
        more: vec![
            own(Kind::Address, "publicCallbackUrl", t.public, t.public_hint, false),
            own(Kind::Text, "throttleGroup", t.group, t.group_hint, false),
        ],
        provider,
    };
    let mut wrong = Vec::new();
    if let Some((refusal, sent)) = refused {
        chosen.fields().for_each(|field| field.refill(sent, refusal, language));
        wrong = refusal.members(language);
        wrong.retain(|(pointer, _)| !chosen.fields().any(|field| field.tells_of(pointer)));
    }
    let title = fill(t.of, &chosen.provider.name);
    let page = AddPage {
        frame: visitor.frame(Section::Accounts, title.as_str()),
        t,
        title,
        providers: Vec::new(),
        chosen: Some(chosen),
        refusal: refused.map(|(refusal, _)| refusal),
        wrong,
    };
    visitor.answer(&page)
}

/// `POST /console/add-account`
pub async fn add(form: Form<Sent>) -> Result<Response, Failure> {
    let Form { visitor, fields: sent } = form;
    let provider = find(&sent, "provider").unwrap_or_default();
    let known: Provider = visitor.get(&super::accounts::provider_path(provider)?).await?;
    let mut body = json!({
        "provider": provider,
        "id": find(&sent, "id").unwrap_or_default().trim(),
        "baseUrl": find(&sent, "baseUrl").unwrap_or_default().trim(),
        "credentials": object(&known.credentials_schema, "credentials", &sent),
        "settings": object(&known.settings_schema, "settings", &sent),
    });
    for name in ["displayName", "publicCallbackUrl", "throttleGroup"] {
        if let Some(text) = find(&sent, name).map(str::trim).filter(|text| !text.is_empty()) {
            body[name] = Value::from(text);
        }
    }
    match visitor.send(Method::POST, "/v1/accounts", Some(&body), &[]).await {
        Ok(reply) => {
            let id = reply.body["id"].as_str().unwrap_or_default();
            Ok(visitor.go_on(&format!("/console/accounts/{id}"), Notice::AccountAdded))
        }
        // What was written is not lost, but for secrets: the form comes back with what is wrong.
        Err(Failure::Refused(refusal)) if matches!(refusal.status, 409 | 422) => {
            let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            let page = self::form(&visitor, provider, Some((&*refusal, &sent))).await?;
            Ok((status, page).into_response())
        }
        Err(failure) => Err(failure),
    }
}
