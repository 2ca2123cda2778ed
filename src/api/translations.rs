//! `POST /v1/translations`

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::AppState;
use super::auth::{Caller, Scope};
use super::body::{JsonBody, validate};
use super::params::{NoParams, Params};
use super::patch;
use super::problem::{Kind, Problem, ProblemDocument};
use super::translating::{Translated, TranslationView, account_for, translate_for, translation_answer};
use crate::canonical::{FieldError, Operation, Order};
use crate::provider::{Account, Item, Provider, Trace, Trip};

/// An operation that shall be shown and not done.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewTranslation)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTranslation {
    /// The account that it would go to
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{1,62}$")]
    account: String,
    operation: Operation,
    /// The order as it stands before the operation. Its `account` may be left out; the one above counts.
    order: Order,
    /// For `amend` and `update_custom_fields`: a merge patch (RFC 7396) of the order. When it is absent, the
    /// order as it is, or its custom fields, are taken as the change.
    #[schema(value_type = Option<Object>)]
    changes: Option<Value>,
}

/// Shows the exact document that an operation would send.
///
/// And where each member went, and what would not be sent. Nothing is stored or sent. What `POST /v1/orders` would
/// refuse is refused here in the same way, with pointers into this body.
#[utoipa::path(
    post, path = "/v1/translations", operation_id = "translate", tag = "translations",
    request_body(content = NewTranslation),
    responses(
        (status = 200, description = "What would be sent, secrets masked", body = TranslationView),
        (status = 400, description = "The request cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key has neither the scope orders:write nor orders:read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The order is not valid, or the provider cannot carry it", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:write"]), ("apiKey" = ["orders:read"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    _: Params<NoParams>,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.require_any(&[Scope::OrdersWrite, Scope::OrdersRead])?;
    let wish = Wish::read(body.value)?;
    let account = account_for(&state, &caller, &wish.account).await?;
    translation_answer(wish.translate(|item| account.translate(item))?)
}

/// The same for an account that no ledger holds: by the same rules, and without a gateway.
pub fn translate_offline(
    body: Value,
    provider: &'static dyn Provider,
    account: &Account,
) -> Result<TranslationView, Problem> {
    let translate = |item: Item<'_>| {
        translate_for(provider.profile(), provider.outward(), account, &account.id, item, Trace::on(), None)
    };
    Wish::read(body)?.translate(translate).and_then(TranslationView::try_from)
}

/// What shall be translated, as far as that can be said without the account.
struct Wish {
    account: String,
    operation: Operation,
    before: Option<Order>,
    /// As it would stand after the operation
    order: Order,
    change: Option<Value>,
    /// The change as the caller named it
    changes: Option<Value>,
}

impl Wish {
    fn read(body: Value) -> Result<Self, Problem> {
        let NewTranslation { account, operation, order, changes } = validate(&addressed(body))?;
        let (before, order, change) = apply(operation, order, changes.as_ref())?;
        Ok(Wish { account, operation, before, order, change, changes })
    }

    fn translate(
        &self,
        translate: impl FnOnce(Item<'_>) -> Result<Translated, Problem>,
    ) -> Result<Translated, Problem> {
        let Wish { account: _, operation, before, order, change, changes } = self;
        let driver = order.dispatch.as_ref().and_then(|dispatch| dispatch.driver.as_ref()?.phone.as_deref());
        let trip = Trip { orders: std::slice::from_ref(order), driver_phone: driver.unwrap_or_default() };
        let item = Item {
            operation: *operation,
            trip: (*operation == Operation::CreateTrip).then_some(trip),
            change: change.as_ref(),
            standing: before.as_ref(),
            provider_order_number: order.provider_order_number.as_deref(),
            ..Item::create(order)
        };
        translate(item).map_err(|problem| place(problem, changes.as_ref()))
    }
}

/// The body with its account in the order, too: one document may be shown to several accounts.
fn addressed(mut body: Value) -> Value {
    let account = body.get("account").filter(|account| account.is_string()).cloned();
    if let (Some(account), Some(order)) = (account, body.get_mut("order").and_then(Value::as_object_mut))
        && order.get("account").is_none_or(Value::is_string)
    {
        order.insert("account".to_owned(), account);
    }
    body
}

/// The order before a change, the order as it would stand after the operation, and the change that the operation
/// is, where it is one.
fn apply(
    operation: Operation,
    order: Order,
    changes: Option<&Value>,
) -> Result<(Option<Order>, Order, Option<Value>), Problem> {
    let order = patch::coherent(order).map_err(|problem| problem.below("/order"))?;
    match operation {
        Operation::Create | Operation::Cancel | Operation::CreateTrip => {
            let mut errors = Vec::new();
            if changes.is_some() {
                errors.push(FieldError::new(
                    "/changes",
                    "validation.inconsistent",
                    format!("is only for amend and update_custom_fields, not for {operation}"),
                    format!("仅适用于 amend 和 update_custom_fields,不适用于 {operation}"),
                ));
            }
            if operation == Operation::Create && order.provider_order_number.is_some() {
                errors.push(FieldError::new(
                    "/order/providerOrderNumber",
                    "validation.read_only",
                    "is assigned by the provider when the order is created",
                    "创建订单时由目标系统分配,不可填写",
                ));
            }
            if errors.is_empty() { Ok((None, order, None)) } else { Err(Problem::invalid(errors)) }
        }
        Operation::Amend | Operation::UpdateCustomFields => {
            let document = serde_json::to_value(&order)
                .map_err(|error| Problem::new(Kind::Internal, format!("The order cannot be written: {error}.")))?;
            let change = match changes {
                Some(changes) => {
                    patch::check(operation, changes, &document).map_err(|problem| problem.below("/changes"))?;
                    changes.clone()
                }
                None => as_change(operation, &document)?,
            };
            let (after, change) = patch::apply(&document, &change).map_err(|problem| place(problem, changes))?;
            Ok((changes.map(|_| order), after, Some(change)))
        }
    }
}

/// A problem of the changed order, with pointers to where its members stand in the body.
fn place(problem: Problem, changes: Option<&Value>) -> Problem {
    problem.relocate(|pointer| {
        let in_changes = !pointer.is_empty() && changes.is_some_and(|changes| changes.pointer(pointer).is_some());
        if in_changes { "/changes" } else { "/order" }
    })
}

/// Without a change of its own, all of the order is the change, as far as the operation changes it.
fn as_change(operation: Operation, document: &Value) -> Result<Value, Problem> {
    if operation == Operation::Amend {
        return Ok(patch::without_identity(document));
    }
    document.get("customFields").map(|fields| json!({"customFields": fields})).ok_or_else(|| {
        Problem::invalid(vec![FieldError::new(
            "/changes",
            "validation.missing",
            "is required when the order has no customFields",
            "订单没有 customFields 时为必填字段",
        )])
    })
}
