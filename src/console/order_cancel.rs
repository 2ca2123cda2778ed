//! Cancelling an order: asked once more, then done.

use askama::Template;
use axum::extract::Path;
use axum::http::Method;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use super::failure::Failure;
use super::forgery::Form;
use super::frame::{Frame, Section};
use super::language::{fill, texts};
use super::notice::Notice;
use super::reading::Order;
use super::submissions::checked;
use super::visitor::Visitor;
use super::words::Badge;

texts! {
    title: "Cancel order {}?", "取消订单 {}？";
    lead: "If it has not gone out yet, it is cancelled here and never sent. Else the provider is asked to cancel it, where it can be asked.",
        "如果尚未发送，将直接在网关取消且不会发送；否则会请求服务商取消（如其支持）。";
    submit: "Cancel the order", "确认取消";
    keep: "Keep it", "保留订单";
    account: "Account", "账户";
    status: "Status", "状态";
    to: "Ship to", "收货方";
}

#[derive(Template)]
#[template(path = "order_cancel.html")]
struct CancelPage {
    frame: Frame,
    t: &'static Texts,
    title: String,
    order: Order,
    status: Badge,
    /// Makes a form that is sent twice act once
    key: Uuid,
}

/// `GET /console/orders/{id}/cancel`
pub async fn page(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    let order: Order = visitor.get(&format!("/v1/orders/{}", checked(&id)?)).await?;
    let t = Texts::of(visitor.language);
    let title = fill(t.title, &order.order_number);
    let page = CancelPage {
        frame: visitor.frame(Section::Orders, title.as_str()),
        t,
        title,
        status: Badge::of_order(order.status, visitor.language),
        order,
        key: Uuid::now_v7(),
    };
    visitor.answer(&page)
}

#[derive(Deserialize)]
pub struct Fields {
    /// Of the order that the person has seen
    version: i64,
    key: Uuid,
}

/// `POST /console/orders/{id}/cancel`
pub async fn cancel(Path(id): Path<String>, form: Form<Fields>) -> Result<Response, Failure> {
    let id = checked(&id)?;
    let Form { visitor, fields: Fields { version, key } } = form;
    let headers = [("if-match", format!("\"{version}\"")), ("idempotency-key", key.to_string())];
    let reply = visitor.send(Method::POST, &format!("/v1/orders/{id}/cancel"), None, &headers).await?;
    let notice = if reply.status == 202 { Notice::CancelQueued } else { Notice::Cancelled };
    Ok(visitor.go_on(&format!("/console/orders/{id}"), notice))
}
