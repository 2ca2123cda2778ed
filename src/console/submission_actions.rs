//! What a person does about a submission: try it again, or decide what became of it.

use askama::Template;
use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::failure::{Failure, Refusal};
use super::forgery::Form;
use super::frame::{Frame, Section};
use super::language::texts;
use super::notice::Notice;
use super::reading::Submission;
use super::submissions::{checked, order_address};
use super::visitor::Visitor;
use super::words::{Badge, operation_word};

texts! {
    title: "What became of it?", "结果如何？";
    lead: "It was sent and no readable answer came. Look at the provider, then say what you found: what you decide is final and stands in the audit log with your words.",
        "已发送但没有收到可读的响应。请先在服务商处核实，再填写结论：您的裁定为最终结果，并连同说明写入审计日志。";
    order: "Order", "订单";
    operation: "Operation", "操作";
    account: "Account", "账户";
    state: "State", "状态";
    found: "At the provider", "服务商处的情况";
    accepted: "It was done: the provider has it", "已完成：服务商已收到";
    rejected: "It was not done: the provider does not have it", "未完成：服务商没有收到";
    number: "Provider number, if there is one", "服务商单号（如有）";
    reason: "How do you know?", "您是如何确认的？";
    reason_hint: "For example: found in the provider's portal; confirmed by phone.", "例如：在服务商系统中查到；电话确认。";
    submit: "Decide", "提交裁定";
    back: "Back", "返回";
}

#[derive(Deserialize)]
pub struct Nothing {}

/// `POST /console/submissions/{id}/retry`
pub async fn retry(Path(id): Path<String>, form: Form<Nothing>) -> Result<Response, Failure> {
    let Form { visitor, fields: Nothing {} } = form;
    let id = checked(&id)?;
    let reply = visitor.send(Method::POST, &format!("/v1/submissions/{id}/retry"), None, &[]).await?;
    let submission: Submission = serde_json::from_value(reply.body).map_err(|_| Failure::Broken)?;
    Ok(visitor.go_on(&order_address(&submission), Notice::Retried))
}

#[derive(Template)]
#[template(path = "submission_resolve.html")]
struct ResolvePage<'a> {
    frame: Frame,
    t: &'static Texts,
    submission: Submission,
    order_number: String,
    operation: &'static str,
    state: Badge,
    back: String,
    decision: Decision,
    refusal: Option<&'a Refusal>,
    /// Members that are wrong, and how
    wrong: Vec<(&'a str, &'a str)>,
}

impl ResolvePage<'_> {
    fn is_wrong(&self, member: &str) -> bool {
        self.wrong.iter().any(|(pointer, _)| pointer.strip_prefix('/') == Some(member))
    }
}

/// What the form holds.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Decision {
    state: String,
    provider_order_number: String,
    reason: String,
}

/// `GET /console/submissions/{id}/resolve`
pub async fn resolve_page(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    asked(&visitor, &id, Decision::default(), None).await
}

async fn asked(
    visitor: &Visitor,
    id: &str,
    decision: Decision,
    refusal: Option<&Refusal>,
) -> Result<Response, Failure> {
    let submission: Submission = visitor.get(&format!("/v1/submissions/{}", checked(id)?)).await?;
    let t = Texts::of(visitor.language);
    // An order that the key may see, as the API has said by now.
    let mut numbers = visitor.console.app.store.order_numbers(&[submission.order_id]).await?;
    let page = ResolvePage {
        frame: visitor.frame(Section::Submissions, t.title),
        t,
        operation: operation_word(submission.operation, visitor.language),
        state: Badge::of_submission(submission.state, visitor.language),
        back: order_address(&submission),
        order_number: numbers.remove(&submission.order_id).unwrap_or_default(),
        submission,
        decision,
        wrong: refusal.map(|refusal| refusal.members(visitor.language)).unwrap_or_default(),
        refusal,
    };
    visitor.answer(&page)
}

/// `POST /console/submissions/{id}/resolve`
pub async fn resolve(Path(id): Path<String>, form: Form<Decision>) -> Result<Response, Failure> {
    let Form { visitor, fields: decision } = form;
    let mut body = json!({"state": decision.state, "reason": decision.reason.trim()});
    let number = decision.provider_order_number.trim();
    if !number.is_empty() {
        body["providerOrderNumber"] = json!(number);
    }
    let path = format!("/v1/submissions/{}/resolve", checked(&id)?);
    match visitor.send(Method::POST, &path, Some(&body), &[]).await {
        Ok(reply) => {
            let submission: Submission = serde_json::from_value(reply.body).map_err(|_| Failure::Broken)?;
            Ok(visitor.go_on(&order_address(&submission), Notice::Resolved))
        }
        // What was written is not lost: the form comes back with what is wrong.
        Err(Failure::Refused(refusal)) if refusal.status == 422 => {
            let page = asked(&visitor, &id, decision, Some(&refusal)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(failure) => Err(failure),
    }
}
