//! Style sheet, scripts and pictures, compiled in. Their addresses hold a hash of all of them, so that browsers may
//! keep them for good.

use std::sync::LazyLock;

use aws_lc_rs::digest::{Context, SHA256};
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;

use super::failure::Failure;

struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static [u8],
}

macro_rules! assets {
    ($($name:literal: $content_type:literal),+ $(,)?) => {
        &[$(Asset {
            name: $name,
            content_type: $content_type,
            content: include_bytes!(concat!("assets/", $name)),
        }),+]
    };
}

static ASSETS: &[Asset] = assets![
    "console.css": "text/css; charset=utf-8",
    "icons.svg": "image/svg+xml",
    "favicon.svg": "image/svg+xml",
    "console.js": "text/javascript; charset=utf-8",
    "playground.js": "text/javascript; charset=utf-8",
    "overview.js": "text/javascript; charset=utf-8",
    "charts.js": "text/javascript; charset=utf-8",
    "uplot.min.js": "text/javascript; charset=utf-8",
    "uplot.min.css": "text/css; charset=utf-8",
    "uplot.licence.txt": "text/plain; charset=utf-8",
];

/// Changes whenever an asset does.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut context = Context::new(&SHA256);
    for asset in ASSETS {
        context.update(asset.name.as_bytes());
        context.update(asset.content);
    }
    HEXLOWER.encode(&context.finish().as_ref()[..8])
});

/// Where an asset is served.
pub fn path(name: &str) -> String {
    format!("/console/assets/{}/{name}", *VERSION)
}

/// `GET /console/assets/{version}/{name}`
pub async fn get(Path((version, name)): Path<(String, String)>) -> Result<Response, Failure> {
    let asset = ASSETS.iter().find(|asset| asset.name == name).ok_or(Failure::NotFound)?;
    // Another version's page may still be open; what it asks for is not kept under a name that means something else.
    let kept = if version == *VERSION { "public, max-age=31536000, immutable" } else { "no-store" };
    Ok(([(header::CONTENT_TYPE, asset.content_type), (header::CACHE_CONTROL, kept)], asset.content).into_response())
}
