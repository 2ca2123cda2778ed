//! What can be asked of a provider, or told to it, beside the operations on orders: pairs of functions that
//! write a request and read its answer. The shared code sends them, each within the token bucket of its
//! endpoint.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::account::{Account, Session};
use super::exchange::{Answer, Request};
use crate::canonical::{DocumentType, EventType, FieldError, Order, OrderStatus, PaymentTerm, SubmissionResult};

/// Everything of that kind that a provider has. What it lacks is `None` or empty.
pub struct Calls {
    /// How a token is had, for a provider that wants one
    pub session: Option<SessionCalls>,
    /// Asks for the orders that bear our numbers; also the evidence after a doubt
    pub find_orders: &'static [Lookup],
    /// Asks for orders by filters, page by page
    pub search_orders: &'static [Search],
    /// The account's own organisation units
    pub organizations: Option<Call<(), Vec<Organization>>>,
    /// Adds or updates consignors and consignees in the provider's address book
    pub put_parties: Option<Call<Vec<Party>, ()>>,
    /// Unbinds tracking devices from orders, by the provider's numbers
    pub unbind_devices: Option<DeviceCall>,
    /// Callback subscriptions
    pub subscriptions: &'static [Subscription],
}

impl Calls {
    /// A provider that takes orders and nothing else.
    pub const NONE: Calls = Calls {
        session: None,
        find_orders: &[],
        search_orders: &[],
        organizations: None,
        put_parties: None,
        unbind_devices: None,
        subscriptions: &[],
    };

    pub fn lookup(&self, document_type: DocumentType) -> Option<&Call<OrderReference, Vec<ProviderOrder>>> {
        self.find_orders.iter().find(|lookup| lookup.document_type == document_type).map(|lookup| &lookup.call)
    }

    pub fn search(&self, document_type: DocumentType) -> Option<&Call<OrderSearch, ProviderOrderPage>> {
        self.search_orders.iter().find(|search| search.document_type == document_type).map(|search| &search.call)
    }

    pub fn subscription(&self, topic: &str) -> Option<&Subscription> {
        self.subscriptions.iter().find(|subscription| subscription.topic == topic)
    }
}

/// One request and how its answer is read.
pub struct Call<I: 'static, O: 'static> {
    /// Id of the endpoint that takes it
    pub endpoint: &'static str,
    /// The request, or what is wrong with the input; pointers are into the input as the API takes it
    pub encode: fn(&Account, &I) -> Result<Request, Vec<FieldError>>,
    pub decode: fn(&I, &Answer<'_>) -> Reply<O>,
}

/// What an answer says.
#[derive(Debug)]
pub enum Reply<T> {
    Done(T),
    /// The provider refused, and says why.
    Refused(Vec<SubmissionResult>),
    /// Nothing was done because requests came too often.
    Throttled {
        retry_after: Option<std::time::Duration>,
    },
    /// Nothing was done because the session is dead.
    SessionExpired,
    /// Nothing was done because the account's credentials were refused.
    CredentialsRefused(Vec<SubmissionResult>),
    /// The answer could not be read.
    Unreadable(String),
}

/// How a token is had and replaced. Asking gives the token that is valid now; renewing ends it and gives
/// another, which logs out everyone else who uses the account.
pub struct SessionCalls {
    pub open: Call<(), Session>,
    pub renew: Call<Session, Session>,
}

/// Finds orders of one kind of document.
pub struct Lookup {
    pub document_type: DocumentType,
    pub call: Call<OrderReference, Vec<ProviderOrder>>,
}

/// Searches orders of one kind of document.
pub struct Search {
    pub document_type: DocumentType,
    pub call: Call<OrderSearch, ProviderOrderPage>,
}

/// Works on the devices of orders of one kind of document.
pub struct DeviceCall {
    pub document_type: DocumentType,
    pub call: Call<Vec<String>, ()>,
}

/// A family of callbacks that the provider can be asked for.
pub struct Subscription {
    /// As the API names it
    pub topic: &'static str,
    /// What may be subscribed to, by the provider's words
    pub states: &'static [&'static str],
    pub subscribe: Call<SubscriptionWish, ()>,
    pub unsubscribe: Call<(), ()>,
}

/// What a subscription asks for. The address is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SubscriptionWish {
    pub states: Vec<String>,
    pub callback_url: String,
}

/// The numbers by which an order may be found at its provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderReference {
    /// The caller's number
    pub order_number: String,
    /// The end customer's reference
    pub customer_reference: Option<String>,
    /// The provider's number, once it is known
    pub provider_order_number: Option<String>,
    /// The order was made outside the gateway: the provider need not know it by our number
    pub adopted: bool,
}

impl OrderReference {
    pub fn of(order: &Order, provider_order_number: Option<&str>, adopted: bool) -> Self {
        OrderReference {
            order_number: order.order_number.clone(),
            customer_reference: order.customer_reference.clone(),
            provider_order_number: provider_order_number.map(str::to_owned),
            adopted,
        }
    }
}

/// An order as its provider holds it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderOrder {
    /// The provider's number
    pub provider_order_number: String,
    /// The caller's number, where the provider says it
    #[schema(required)]
    pub order_number: Option<String>,
    /// The end customer's reference
    #[schema(required)]
    pub customer_reference: Option<String>,
    /// The trip that carries it
    #[schema(required)]
    pub provider_trip_number: Option<String>,
    /// Where it stands; null when the provider's state says nothing that is known
    #[schema(required)]
    pub status: Option<OrderStatus>,
    /// When it was made at the provider
    #[schema(required)]
    pub created_at: Option<DateTime<Utc>>,
    /// What happened to it, oldest first
    pub milestones: Vec<ProviderMilestone>,
    /// What the provider holds, in canonical members; what has none is in `raw`
    #[schema(value_type = Object)]
    pub order: Value,
    /// Everything that the provider says of it
    #[schema(value_type = Object)]
    pub raw: Value,
}

/// Something that happened to an order, by the provider's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderMilestone {
    pub r#type: EventType,
    pub occurred_at: DateTime<Utc>,
}

/// One page of orders.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderOrderPage {
    pub orders: Vec<ProviderOrder>,
    /// Orders that match in all
    pub total: u64,
}

/// What a search for orders asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderSearch {
    /// From 1
    pub page: u32,
    /// Orders on a page, at most 50
    pub size: u32,
    /// The provider's own word for a state
    pub state: Option<String>,
    pub time_type: Option<SearchTime>,
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
    pub provider_order_number: Option<String>,
    pub customer_reference: Option<String>,
    pub trip_number: Option<String>,
    pub consignor_name: Option<String>,
    pub consignor_phone: Option<String>,
    pub consignor_address: Option<String>,
    pub consignee_name: Option<String>,
    pub consignee_phone: Option<String>,
    pub consignee_address: Option<String>,
    pub driver_name: Option<String>,
    pub driver_phone: Option<String>,
    pub license_plate: Option<String>,
    pub tracking_device: Option<String>,
    /// Names or paths of own organisation units, or aliases of the account's `branchMap`
    pub branches: Vec<String>,
}

/// Which of an order's times a search compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchTime {
    /// When it was entered
    Created,
    /// Its pick-up
    Pickup,
    /// Its planned delivery
    Delivery,
    /// When it was signed for
    Signed,
}

/// An organisation unit of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    pub id: String,
    pub name: String,
    /// What `branch` of an order names
    pub path: String,
}

/// A consignor or consignee for the provider's address book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Party {
    #[schema(min_length = 1, max_length = 128)]
    pub name: String,
    /// Tells parties of one role apart: a known one is updated
    #[schema(min_length = 1, max_length = 32)]
    pub phone: String,
    #[schema(min_length = 1, max_length = 255)]
    pub address: String,
    pub role: PartyRole,
    pub payment_term: PaymentTerm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 3)]
    pub remarks: Option<Vec<String>>,
}

/// On which side of a transport a party stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartyRole {
    Consignor,
    Consignee,
}
