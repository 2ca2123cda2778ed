//! A running gateway: the API, delivery, callbacks and events over one ledger, or some of them, and how they end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::net::TcpListener;

use crate::api::{self, AppState};
use crate::callback::Callbacks;
use crate::delivery::{Delivery, SendError};
use crate::event::{Events, SetUpError};
use crate::reach::AllowedNetworks;
use crate::store::Store;
use crate::upkeep::{RetentionPolicy, Upkeep};
use crate::vault::Vault;

/// How long exchanges in flight may take to end when the gateway stops.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a gateway cannot run.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    #[error(transparent)]
    Sender(#[from] SendError),
    #[error(transparent)]
    Events(#[from] SetUpError),
    #[error("the listener failed: {0}")]
    Listener(#[from] std::io::Error),
}

/// What one of the processes that share a ledger does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Role {
    /// Callers, providers that call, and streams
    Api,
    /// What is sent to providers and webhooks, and everything that the gateway does by itself; only probes are answered
    Worker,
    /// Both
    #[default]
    All,
}

impl Role {
    fn answers_callers(self) -> bool {
        matches!(self, Role::Api | Role::All)
    }

    fn works(self) -> bool {
        matches!(self, Role::Worker | Role::All)
    }
}

/// What an operator may choose of a gateway.
pub struct GatewayOptions {
    /// Bytes of a request body at most
    pub body_limit: usize,
    /// Networks beside the public ones that providers and webhooks may lie in
    pub allowed_networks: AllowedNetworks,
    /// How long what is kept
    pub retention: RetentionPolicy,
    pub role: Role,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        GatewayOptions {
            body_limit: api::DEFAULT_BODY_LIMIT,
            allowed_networks: AllowedNetworks::default(),
            retention: RetentionPolicy::default(),
            role: Role::default(),
        }
    }
}

/// The parts of a gateway.
pub struct Gateway {
    state: AppState,
    body_limit: usize,
    role: Role,
}

impl Gateway {
    pub fn new(store: Store, vault: Vault, options: GatewayOptions) -> Result<Self, GatewayError> {
        let GatewayOptions { body_limit, allowed_networks, role, retention } = options;
        let vault = Arc::new(vault);
        let allowed_networks = Arc::new(allowed_networks);
        let delivery = Delivery::new(store.clone(), Arc::clone(&vault), Arc::clone(&allowed_networks))?;
        let events = Events::new(store.clone(), Arc::clone(&vault), allowed_networks)?;
        let callbacks = Callbacks::new(store.clone(), Arc::clone(&vault));
        let upkeep = Upkeep::new(store.clone(), Arc::clone(&vault), delivery.clone(), callbacks.clone(), retention);
        Ok(Gateway { state: AppState { store, vault, delivery, events, callbacks, upkeep }, body_limit, role })
    }

    /// Where providers call in.
    pub fn callbacks(&self) -> &Callbacks {
        &self.state.callbacks
    }

    /// Serves until `stop` is done; then answers what was begun, lets exchanges in flight end, and leaves the
    /// rest to evidence.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), GatewayError> {
        let Gateway { state, body_limit, role } = self;
        let (delivery, events, callbacks) = (state.delivery.clone(), state.events.clone(), state.callbacks.clone());
        let upkeep = state.upkeep.clone();
        // Events get their places in every process: its own streams are told by that how far the feed goes.
        events.start_sequencer();
        if role.works() {
            delivery.start();
            events.start_deliveries();
            callbacks.start();
            upkeep.start();
        }
        let app =
            if role.answers_callers() { api::router(state, body_limit) } else { api::probe_router(state, body_limit) };
        let (stopped, stopping) = tokio::sync::oneshot::channel::<()>();
        let server = axum::serve(listener, app).with_graceful_shutdown(async move {
            stop.await;
            // The receiver waits for this below.
            let _ = stopped.send(());
        });
        let serving = tokio::spawn(async move { server.await });
        // An error here only says that the server ended first.
        let _ = stopping.await;
        tracing::info!("stopping");
        tokio::join!(delivery.stop(PATIENCE), events.stop(PATIENCE), callbacks.stop(PATIENCE), upkeep.stop());
        match tokio::time::timeout(PATIENCE, serving).await {
            Ok(Ok(ended)) => Ok(ended?),
            // A connection that does not end within the patience is cut; what it asked for is in the ledger or not.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }
}

/// Done on Ctrl-C or a request to terminate.
pub async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
