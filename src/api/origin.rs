//! Where a request comes from, once the proxies that are trusted have had their say.

use axum::extract::Request;
use axum::http::Extensions;

use crate::server::{Origin, TrustedProxies};

/// Puts what trusted proxies say in the place of who connected.
pub fn resolve(proxies: &TrustedProxies, request: &mut Request) {
    if let Some(peer) = of(request.extensions()) {
        let origin = proxies.origin(peer, request.headers());
        request.extensions_mut().insert(origin);
    }
}

/// Where a request comes from; nothing when it came over no connection.
pub fn of(extensions: &Extensions) -> Option<Origin> {
    extensions.get().copied()
}

/// Whether a request came encrypted, to this process or to the proxy before it.
pub fn is_encrypted(extensions: &Extensions) -> bool {
    of(extensions).is_some_and(|origin| origin.encrypted)
}
