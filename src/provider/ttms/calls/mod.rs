//! What can be asked of 3TMS, or told to it, beside the operations on orders.

mod devices;
mod find;
mod organizations;
mod parties;
mod search;
mod session;
mod subscriptions;

use super::answer::reply;
use super::profile::{
    ADD_CUSTOMERS, BATCH_UNBIND_DEVICES, FIND_ORDER, GENERATE_ACCESS_TOKEN, ORGANIZATION_LIST, QUERY_CUSTOMER_ORDERS,
    QUERY_ORDERS, REFRESH_ACCESS_TOKEN,
};
use crate::canonical::{DocumentType, FieldError};
use crate::provider::json::JsonWriter;
use crate::provider::{Account, Answer, Call, Calls, DeviceCall, Lookup, Reply, Request, Search, SessionCalls, Trace};

pub static CALLS: Calls = Calls {
    session: Some(SessionCalls {
        open: Call {
            endpoint: GENERATE_ACCESS_TOKEN,
            encode: |account, ()| session::open(account),
            decode: |(), answer| session::tokens(answer),
        },
        renew: Call {
            endpoint: REFRESH_ACCESS_TOKEN,
            encode: session::renew,
            decode: |_, answer| session::tokens(answer),
        },
    }),
    find_orders: &[
        Lookup {
            document_type: DocumentType::TransportOrder,
            call: Call { endpoint: FIND_ORDER, encode: find::orders, decode: find::found_orders },
        },
        Lookup {
            document_type: DocumentType::CustomerOrder,
            call: Call {
                endpoint: QUERY_CUSTOMER_ORDERS,
                encode: find::customer_orders,
                decode: find::found_customer_orders,
            },
        },
    ],
    search_orders: &[
        Search {
            document_type: DocumentType::TransportOrder,
            call: Call {
                endpoint: QUERY_ORDERS,
                encode: search::orders,
                decode: |_, answer| search::orders_page(answer),
            },
        },
        Search {
            document_type: DocumentType::CustomerOrder,
            call: Call {
                endpoint: QUERY_CUSTOMER_ORDERS,
                encode: search::customer_orders,
                decode: |_, answer| search::customer_orders_page(answer),
            },
        },
    ],
    organizations: Some(Call {
        endpoint: ORGANIZATION_LIST,
        encode: |account, ()| no_parameters(account, ORGANIZATION_LIST),
        decode: |(), answer| organizations::listed(answer),
    }),
    put_parties: Some(Call {
        endpoint: ADD_CUSTOMERS,
        encode: |account, parties| parties::put(account, parties),
        decode: |_, answer| parties::taken(answer),
    }),
    unbind_devices: Some(DeviceCall {
        document_type: DocumentType::CustomerOrder,
        call: Call {
            endpoint: BATCH_UNBIND_DEVICES,
            encode: |account, numbers| devices::unbind(account, numbers),
            decode: |_, answer| done(answer),
        },
    }),
    subscriptions: subscriptions::SUBSCRIPTIONS,
};

/// A request whose members `write` writes; what cannot be carried is told with pointers into the input.
fn request(
    account: &Account,
    endpoint: &str,
    write: impl FnOnce(&mut JsonWriter<'_>, &mut Vec<FieldError>),
) -> Result<Request, Vec<FieldError>> {
    let mut trace = Trace::off();
    let mut errors = Vec::new();
    let json = super::request::document(&mut trace, |json| write(json, &mut errors));
    if errors.is_empty() { Ok(super::request::authorized(account, endpoint, json)) } else { Err(errors) }
}

/// An answer that says nothing but that it was done.
fn done(answer: &Answer<'_>) -> Reply<()> {
    reply(answer, |_| Ok(()))
}

/// A call that tells nothing but which account asks.
fn no_parameters(account: &Account, endpoint: &str) -> Result<Request, Vec<FieldError>> {
    request(account, endpoint, |_, _| {})
}
