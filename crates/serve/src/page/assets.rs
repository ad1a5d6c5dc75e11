//! The stylesheet and the script: one of each, within the binary, under names that change with what
//! is in them, so that browsers may keep them for good.

use leadscore_core::hex;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Response, StatusCode};
use sha2::{Digest, Sha256};

pub(crate) const STYLE: &str = include_str!("page.css");
pub(crate) const SCRIPT: &str = include_str!("page.js");

static STYLE_NAME: LazyLock<String> = LazyLock::new(|| name(STYLE, "css"));
static SCRIPT_NAME: LazyLock<String> = LazyLock::new(|| name(SCRIPT, "js"));

pub(crate) fn style_address() -> String {
    format!("/assets/{}", *STYLE_NAME)
}

pub(crate) fn script_address() -> String {
    format!("/assets/{}", *SCRIPT_NAME)
}

fn name(text: &str, ending: &str) -> String {
    format!("page-{}.{ending}", hex(&Sha256::digest(text)[..8]))
}

/// The file of a name; those of another version of the server are not there.
pub(crate) fn answer(name: &str) -> Response<Body> {
    let (text, kind) = if name == *STYLE_NAME {
        (STYLE, "text/css; charset=utf-8")
    } else if name == *SCRIPT_NAME {
        (SCRIPT, "text/javascript; charset=utf-8")
    } else {
        let mut response = Response::new(Body::from("there is no such file\n"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        return response;
    };
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    response
}
