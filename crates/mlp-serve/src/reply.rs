//! What is sent back: a body, and the headers that every answer has.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};
use mlp_live::{Error, ErrorKind};
use serde::Serialize;
use serde_json::json;

/// The body of an answer.
pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;
/// An answer.
pub(crate) type Reply = Response<Body>;

/// What our own pages may do: nothing that is not from here, and no script or style but those of their own files.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A report brings its own policy, which knows its script by its hash; this one keeps it from everything of ours.
const POLICY_OF_REPORT: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; \
                                base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts \
                                allow-popups";

const HTML: &str = "text/html; charset=utf-8";

/// Of this kind, with all that every answer has.
pub(crate) fn reply(status: StatusCode, kind: &'static str, policy: &'static str, body: Body) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, policy),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(self), microphone=(), geolocation=()"),
    ];
    for (name, value) in headers {
        reply.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    reply
}

/// A whole body.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}

pub(crate) fn file(kind: &'static str, content: &'static str) -> Reply {
    reply(StatusCode::OK, kind, POLICY, whole(content))
}

pub(crate) fn page(content: &'static str) -> Reply {
    file(HTML, content)
}

pub(crate) fn report(content: String) -> Reply {
    reply(StatusCode::OK, HTML, POLICY_OF_REPORT, whole(content))
}

pub(crate) fn events(body: Body) -> Reply {
    reply(StatusCode::OK, "text/event-stream", POLICY, body)
}

/// A value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Reply {
    match serde_json::to_vec(value) {
        Ok(text) => reply(StatusCode::OK, "application/json", POLICY, whole(text)),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// JSON that is written already.
pub(crate) fn text(json: &str) -> Reply {
    reply(StatusCode::OK, "application/json", POLICY, whole(json.to_owned()))
}

/// Why there is no answer.
pub(crate) fn problem(status: StatusCode, text: &str) -> Reply {
    let body = json!({ "error": text }).to_string();
    reply(status, "application/json", POLICY, whole(body))
}

/// The same, of a library.
pub(crate) fn failure(error: &Error) -> Reply {
    let status = match error.kind() {
        ErrorKind::Request => StatusCode::BAD_REQUEST,
        ErrorKind::Missing => StatusCode::NOT_FOUND,
        ErrorKind::Busy => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    problem(status, &error.to_string())
}
