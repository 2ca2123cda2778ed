//! What 3TMS's document declares.

use std::time::Duration;

use super::{codes, settings};
use crate::canonical::{DocumentType, Operation};
use crate::provider::{Carries, DeclaredSchema, Endpoint, Evidence, Limit, OperationProfile, Profile};

pub const ID: &str = "ttms";

pub const GENERATE_ACCESS_TOKEN: &str = "generate_access_token";
pub const REFRESH_ACCESS_TOKEN: &str = "refresh_access_token";
pub const CREATE_ORDER: &str = "create_order";
pub const FIND_ORDER: &str = "find_order";
pub const QUERY_ORDERS: &str = "query_orders";
pub const MODIFY_ORDER: &str = "modify_order";
pub const CANCEL_ORDERS: &str = "cancel_orders";
pub const CREATE_ORDER_PACK: &str = "create_order_pack";
pub const ORDER_SUBSCRIBE: &str = "order_subscribe";
pub const ORDER_UNSUBSCRIBE: &str = "order_unsubscribe";
pub const ORDER_PACK_SUBSCRIBE: &str = "order_pack_subscribe";
pub const ORDER_PACK_UNSUBSCRIBE: &str = "order_pack_unsubscribe";
pub const CUSTOMER_ORDER_SUBSCRIBE: &str = "customer_order_subscribe";
pub const CUSTOMER_ORDER_UNSUBSCRIBE: &str = "customer_order_unsubscribe";
pub const CREATE_CUSTOMER_ORDER: &str = "create_customer_order";
pub const UPDATE_CUSTOMER_ORDER: &str = "update_customer_order";
pub const QUERY_CUSTOMER_ORDERS: &str = "query_customer_orders";
pub const CANCEL_CUSTOMER_ORDERS: &str = "cancel_customer_orders";
pub const BATCH_UNBIND_DEVICES: &str = "batch_unbind_devices";
pub const ORGANIZATION_LIST: &str = "organization_list";
pub const ADD_CUSTOMERS: &str = "add_customers";

/// 批量创建运单数一次性不得大于100
pub const MOST_ORDERS: u16 = 100;
/// 批量创建受理单数一次性不得大于50
pub const MOST_CUSTOMER_ORDERS: u16 = 50;
/// 单页最大订单数,最大50
pub const MOST_ON_A_PAGE: u16 = 50;

/// 一小时内最多调用一万次
const HOURLY: Limit = Limit { requests: 10_000, window: Duration::from_secs(3600) };
/// Where the document states no limit.
const UNSTATED: Limit = Limit { requests: 5, window: Duration::from_secs(1) };

/// Every interface takes POST, with its parameters in the body.
const fn interface(id: &'static str, path: &'static str, limit: Limit, batch_limit: u16) -> Endpoint {
    Endpoint { id, method: "POST", path, limit, batch_limit }
}

const fn operation(
    operation: Operation,
    document_type: DocumentType,
    endpoint: &'static str,
    carries: Carries,
    evidence: Evidence,
) -> OperationProfile {
    OperationProfile { operation, document_type, endpoint, carries, evidence }
}

const TRANSPORT: DocumentType = DocumentType::TransportOrder;
const CUSTOMER: DocumentType = DocumentType::CustomerOrder;

pub static PROFILE: Profile = Profile {
    id: ID,
    name: "3TMS",
    operations: &[
        // Our number comes back as wmsNumber, which is ours alone.
        operation(Operation::Create, TRANSPORT, CREATE_ORDER, Carries::Document, Evidence::FindOrder),
        // What is named stands afterwards as the request says, however often it comes.
        operation(Operation::Amend, TRANSPORT, MODIFY_ORDER, Carries::Change, Evidence::Resend),
        operation(Operation::UpdateCustomFields, TRANSPORT, MODIFY_ORDER, Carries::Change, Evidence::Resend),
        operation(Operation::Cancel, TRANSPORT, CANCEL_ORDERS, Carries::Identity, Evidence::FindCancelled),
        operation(Operation::CreateTrip, TRANSPORT, CREATE_ORDER_PACK, Carries::Document, Evidence::FindOrder),
        // originalOrderNumber need not be unique.
        operation(Operation::Create, CUSTOMER, CREATE_CUSTOMER_ORDER, Carries::Document, Evidence::FindSingleOrder),
        // The order stands afterwards as the document says, however often it comes.
        operation(Operation::Amend, CUSTOMER, UPDATE_CUSTOMER_ORDER, Carries::Document, Evidence::Resend),
        operation(Operation::UpdateCustomFields, CUSTOMER, UPDATE_CUSTOMER_ORDER, Carries::Document, Evidence::Resend),
        operation(Operation::Cancel, CUSTOMER, CANCEL_CUSTOMER_ORDERS, Carries::Identity, Evidence::FindCancelled),
    ],
    endpoints: &[
        interface(GENERATE_ACCESS_TOKEN, "/user/generate_access_token/v2", UNSTATED, 1),
        interface(REFRESH_ACCESS_TOKEN, "/user/refresh_access_token/v2", UNSTATED, 1),
        interface(CREATE_ORDER, "/order/create_order", HOURLY, MOST_ORDERS),
        // 最多20个
        interface(FIND_ORDER, "/order/find_order/v2", HOURLY, 20),
        interface(QUERY_ORDERS, "/order/query_orders", HOURLY, MOST_ON_A_PAGE),
        interface(MODIFY_ORDER, "/order/modify_order", HOURLY, 1),
        // Several numbers are possible. What becomes of the others when one cannot be cancelled is not stated.
        interface(CANCEL_ORDERS, "/order/cancel_orders/v2", UNSTATED, 1),
        // One trip, with the orders on it.
        interface(CREATE_ORDER_PACK, "/order/create_order_pack", UNSTATED, 1),
        interface(ORDER_SUBSCRIBE, "/order/subscribe/v2", UNSTATED, 1),
        interface(ORDER_UNSUBSCRIBE, "/order/unsubscribe", UNSTATED, 1),
        interface(ORDER_PACK_SUBSCRIBE, "/order/orderPack/subscribe", UNSTATED, 1),
        interface(ORDER_PACK_UNSUBSCRIBE, "/order/orderPack/unsubscribe", UNSTATED, 1),
        interface(CUSTOMER_ORDER_SUBSCRIBE, "/customer_order/subscribe", UNSTATED, 1),
        interface(CUSTOMER_ORDER_UNSUBSCRIBE, "/customer_order/unsubscribe", UNSTATED, 1),
        interface(CREATE_CUSTOMER_ORDER, "/customer_order/create_customer_order", HOURLY, MOST_CUSTOMER_ORDERS),
        interface(UPDATE_CUSTOMER_ORDER, "/customer_order/update_customer_order", HOURLY, 1),
        interface(QUERY_CUSTOMER_ORDERS, "/customer_order/query_customer_orders", HOURLY, MOST_ON_A_PAGE),
        interface(CANCEL_CUSTOMER_ORDERS, "/customer_order/cancel_customer_orders", UNSTATED, 1),
        // How many fit into a request of these two is not stated: as many as can be created with one.
        interface(BATCH_UNBIND_DEVICES, "/customer_order/batch_unbind_devices", UNSTATED, MOST_CUSTOMER_ORDERS),
        interface(ORGANIZATION_LIST, "/organization/list", UNSTATED, 1),
        interface(ADD_CUSTOMERS, "/customer/add_customers", UNSTATED, MOST_ORDERS),
    ],
    credentials_schema: DeclaredSchema::of::<settings::TtmsCredentials>(),
    secret_credentials: &["password"],
    settings_schema: DeclaredSchema::of::<settings::TtmsSettings>(),
    order_extension_schema: Some(DeclaredSchema::of::<settings::TtmsOrderExtension>()),
    stop_extension_schema: Some(DeclaredSchema::of::<settings::TtmsStopExtension>()),
    catalogue: codes::catalogue,
    callback_topics: &["orders", "trips", "customer-orders"],
};
