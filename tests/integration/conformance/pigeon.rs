//! A small invented provider, made by following docs/adding-a-provider.md: pigeon post, which takes one parcel at a
//! time and answers `{"ring": "…"}` or `{"trouble": "…"}`. It proves that the seam is enough for an adapter outside
//! the crate, and is the shortest example of one.

use std::sync::LazyLock;
use std::time::Duration;

use onelane::canonical::{
    DocumentType, EventType, FieldError, Operation, Order, OrderStatus, ResultCode, RetryPolicy, Severity,
    SubmissionResult,
};
use onelane::provider::{
    Account, AccountDraft, Answer, Batch, Calls, Carries, Catalogue, DeclaredSchema, Encoding, Endpoint, Evidence,
    Inward, Item, ItemEncoding, Limit, OperationProfile, Outcome, Outward, Profile, Provider, Request, Trace, Verdict,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

pub struct Pigeon;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    password: String,
}

/// It has no settings of its own.
#[derive(ToSchema)]
struct Settings {}

static PROFILE: Profile = Profile {
    id: "pigeon",
    name: "Pigeon post",
    operations: &[OperationProfile {
        operation: Operation::Create,
        document_type: DocumentType::TransportOrder,
        endpoint: "parcels",
        carries: Carries::Document,
        // A pigeon that comes twice is sent home.
        evidence: Evidence::Resend,
    }],
    endpoints: &[Endpoint {
        id: "parcels",
        method: "POST",
        path: "/parcels",
        limit: Limit { requests: 1, window: Duration::from_secs(1) },
        batch_limit: 1,
    }],
    credentials_schema: DeclaredSchema::of::<Credentials>(),
    secret_credentials: &["password"],
    settings_schema: DeclaredSchema::of::<Settings>(),
    order_extension_schema: None,
    stop_extension_schema: None,
    catalogue,
    callback_topics: &[],
};

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
        let code = |raw_code: &str, code: &str, message_en: &str, message_zh: &str| ResultCode {
            scope: "parcels".to_owned(),
            raw_code: raw_code.to_owned(),
            code: code.to_owned(),
            severity: Severity::Error,
            retry: RetryPolicy::No,
            pointers: vec!["/totals/grossWeight".to_owned()],
            message_en: message_en.to_owned(),
            message_zh: message_zh.to_owned(),
        };
        Catalogue::new(vec![code("too heavy", "validation.out_of_range", "Too heavy for a pigeon", "鸽子载不动")])
    });
    &CATALOGUE
}

impl Provider for Pigeon {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn outward(&self) -> Option<&dyn Outward> {
        Some(self)
    }

    fn inward(&self) -> Option<&dyn Inward> {
        None
    }
}

impl Outward for Pigeon {
    fn batch_key(&self, _: &Account, _: Operation, _: &Order) -> String {
        String::new()
    }

    fn check_account(&self, _: &AccountDraft<'_>) -> Vec<FieldError> {
        Vec::new()
    }

    fn encode(&self, batch: &Batch<'_>, trace: &mut Trace) -> Encoding {
        let Credentials { password } = batch.account.credentials.read().unwrap();
        let mut parcels = Vec::new();
        let mut items = Vec::new();
        for item in batch.items {
            let (parcel, refusals) = parcel(item.order, trace);
            items.push(ItemEncoding { refusals, notices: Vec::new() });
            parcels.push(parcel);
        }
        let sent = parcels.into_iter().zip(&items).find(|(_, item)| item.refusals.is_empty());
        let request = sent.map(|(parcel, _)| Request {
            method: batch.endpoint.method,
            url: batch.account.url(batch.endpoint.path),
            headers: vec![("x-password", password), ("content-type", "application/json".to_owned())],
            secret_headers: &["x-password"],
            secret_parameters: &[],
            body: parcel.to_string().into_bytes(),
            secrets: Vec::new(),
        });
        Encoding { request, items }
    }

    fn decode(&self, _: &Endpoint, items: &[Item<'_>], answer: &Answer<'_>) -> Vec<Outcome> {
        items.iter().map(|_| outcome(answer)).collect()
    }

    fn calls(&self) -> &'static Calls {
        &Calls::NONE
    }
}

/// The members that a pigeon carries: number, addressee, street, note.
fn parcel(order: &Order, trace: &mut Trace) -> (Value, Vec<FieldError>) {
    let mut parcel = Map::new();
    let mut put = |name: &str, value: Option<&str>, pointer: &str| {
        if let Some(value) = value {
            parcel.insert(name.to_owned(), json!(value));
            trace.carried(pointer, || name.to_owned(), None);
        }
    };
    let to = order.ship_to.as_ref();
    put("number", Some(&order.order_number), "/orderNumber");
    put("for", to.and_then(|to| to.contact.as_ref()?.name.as_deref()), "/shipTo/contact/name");
    put("company", to.and_then(|to| to.company_name.as_deref()), "/shipTo/companyName");
    put("street", to.and_then(|to| to.address.as_ref()?.street.as_deref()), "/shipTo/address/street");
    put("note", order.remarks.as_deref(), "/remarks");
    let missing = || FieldError::new("/shipTo", "validation.missing", "is required by pigeons", "鸽子需要收货方");
    (Value::Object(parcel), if to.is_none() { vec![missing()] } else { Vec::new() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cooing {
    ring: Option<String>,
    trouble: Option<String>,
}

fn outcome(answer: &Answer<'_>) -> Outcome {
    let unknown = || Outcome::only(Verdict::Unknown, Vec::new());
    let Ok(cooing) = serde_json::from_slice::<Cooing>(answer.body) else { return unknown() };
    match (answer.status, cooing.ring, cooing.trouble) {
        (200, Some(ring), None) => Outcome {
            provider_order_number: Some(ring),
            status: Some(OrderStatus::Requested),
            event: Some(EventType::OrderPlaced),
            ..Outcome::only(Verdict::Accepted, Vec::new())
        },
        (200, None, Some(trouble)) => {
            let result = match catalogue().find("parcels", &trouble) {
                Some(known) => SubmissionResult::from_catalogue(PROFILE.id, known),
                None => SubmissionResult::unclassified(PROFILE.id, "parcels", &trouble),
            };
            Outcome::only(Verdict::Rejected, vec![result])
        }
        _ => unknown(),
    }
}
