//! The operators' console: pages under `/console`, made on the server, in English and Chinese.
//!
//! **It is a client of the API in the same process.** A page calls the API's router with the signed-in key
//! (`Visitor::get`, `Visitor::send`) and reads its JSON; so access, audit, masking and idempotency are the API's
//! own. What the API has no endpoint for is asked of the store in the page's own file, with the accounts that the key
//! may see as a condition.
//!
//! # How a page is added
//!
//! 1. A file here, say `accounts.rs`, with three things:
//!    - its words: `texts! { title: "Accounts", "账户"; … }` makes a `Texts` with a member for each, and a text without
//!      its other language does not compile;
//!    - its template: `#[derive(Template)] #[template(path = "accounts.html")] struct AccountsPage { frame: Frame, t:
//!      &'static Texts, … }`;
//!    - its handler: `pub async fn page(visitor: Visitor) -> Result<Response, Failure>`, which ends with
//!      `visitor.answer(&AccountsPage { frame: visitor.frame(Section::Accounts, t.title), t, … })`.
//! 2. A template in `templates/` that begins with `{% extends "layout.html" %}` and fills `{% block content %}`. States
//!    are shown with a `words::Badge`, instants with a `moment::Moment`, documents with `pretty::Pretty`, what narrows
//!    a list with `parts::Filters` and its other pages with `parts::Pager`; each is a component that writes itself:
//!    `{{ order.badge }}`.
//! 3. A line in `router`, and for the navigation a variant of `frame::Section`.
//!
//! A form has `<input type="hidden" name="token" value="{{ frame.token() }}">`, is posted, and its handler takes
//! `forgery::Form`, which has checked that the request comes from our own page. It ends with
//! `visitor.go_on("/console/accounts", Notice::…)`: after an action a page is asked for anew. An action that the key
//! may not do is not shown (`Visitor::may_write`, `Visitor::may_administer`); the API refuses it anyway.
//!
//! There is no inline script and no inline style: the Content-Security-Policy forbids both. Behaviour stands in
//! `assets/*.js`, each listed in `assets`, and everything but live charts works without it.

mod account;
mod account_actions;
mod account_add;
mod accounts;
mod assets;
mod callback;
mod callbacks;
mod cookies;
mod exchange_body;
mod failure;
mod forgery;
mod frame;
mod lanes;
mod language;
mod lineage;
mod moment;
mod notice;
mod order;
mod order_cancel;
mod orders;
mod overview;
mod overview_numbers;
mod parts;
mod playground;
mod pretty;
mod pulse;
mod query;
mod reading;
mod schema_form;
mod session;
mod sign_in;
mod submission_actions;
mod submissions;
mod timeline;
mod visitor;
mod webhook;
mod webhooks;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware;
use axum::response::Redirect;
use axum::routing::{any, get, post};

use crate::api::{self, AppState};

use failure::Failure;
use pulse::Pulse;
use visitor::Visitor;

/// What the pages need.
#[derive(Clone)]
pub struct Console {
    app: AppState,
    /// The API, for callers in this process
    api: Router,
    pulse: Arc<Pulse>,
}

/// All pages.
pub fn router(app: AppState) -> Router {
    let console = Console { api: api::inner_router(app.clone()), app, pulse: Arc::new(Pulse::default()) };
    Router::new()
        .route("/console", get(overview::page))
        .route("/console/", get(with_a_slash))
        .route("/console/overview/numbers", get(overview_numbers::numbers))
        .route("/console/orders", get(orders::page))
        .route("/console/orders/{id}", get(order::page))
        .route("/console/orders/{id}/cancel", get(order_cancel::page).post(order_cancel::cancel))
        .route("/console/orders/{id}/document", get(exchange_body::of_order))
        .route("/console/submissions", get(submissions::page))
        .route("/console/submissions/{id}", get(submissions::one))
        .route("/console/submissions/{id}/retry", post(submission_actions::retry))
        .route(
            "/console/submissions/{id}/resolve",
            get(submission_actions::resolve_page).post(submission_actions::resolve),
        )
        .route("/console/submissions/{id}/attempts/{number}/{direction}", get(exchange_body::download))
        .route("/console/callbacks", get(callbacks::page))
        .route("/console/callbacks/{id}", get(callback::page))
        .route("/console/callbacks/{id}/reprocess", post(callback::reprocess))
        .route("/console/callbacks/{id}/body", get(exchange_body::of_callback))
        .route("/console/lanes", get(lanes::page))
        .route("/console/webhooks", get(webhooks::page))
        .route("/console/webhooks/{id}", get(webhook::page))
        .route("/console/webhooks/{id}/enable", post(webhook::enable))
        .route("/console/webhooks/{id}/deliveries/{delivery}/redeliver", post(webhook::redeliver))
        .route("/console/accounts", get(accounts::page))
        .route("/console/add-account", get(account_add::page).post(account_add::add))
        .route("/console/accounts/{id}", get(account::page))
        .route("/console/accounts/{id}/test", get(account::after_test).post(account::test))
        .route("/console/accounts/{id}/pause", post(account_actions::pause))
        .route("/console/accounts/{id}/resume", post(account_actions::resume))
        .route(
            "/console/accounts/{id}/credentials",
            get(account_actions::credentials_page).post(account_actions::replace_credentials),
        )
        .route(
            "/console/accounts/{id}/callback-path",
            get(account_actions::callback_path_page).post(account_actions::replace_callback_path),
        )
        .route("/console/playground", get(playground::page).post(playground::translate))
        .route("/console/sign-in", get(sign_in::page).post(sign_in::sign_in))
        .route("/console/sign-out", post(sign_in::sign_out))
        .route("/console/language/{language}", get(language::switch))
        .route("/console/assets/{version}/{name}", get(assets::get))
        .route("/console/{*rest}", any(nothing_here))
        .route_layer(middleware::from_fn(failure::complete))
        .with_state(console)
}

/// The address of the first page, as some write it.
async fn with_a_slash() -> Redirect {
    Redirect::permanent(query::HOME)
}

/// A path that is no page. Somebody who is not signed in learns nothing of which there are.
async fn nothing_here(_: Visitor, _: Request) -> Failure {
    Failure::NotFound
}
