//! Which headers of a request go along when the service calls another one.
//!
//! A proxy cannot know that an outgoing request belongs to an incoming one: without this, traces break at every service,
//! and a canary chosen by a header ends after the first hop.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};

/// Name (lower case) and value of each header line to send along: trace context (W3C and B3), `x-request-id`, the
/// headers that routes match on, and who the user is. Repeated lines stay repeated.
pub fn forwarded(headers: &HeaderMap) -> impl Iterator<Item = (&str, &[u8])> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .filter(|(name, _)| is_forwarded(name))
}

fn is_forwarded(name: &str) -> bool {
    let listed = matches!(
        name,
        "x-request-id"
            | "traceparent"
            | "tracestate"
            | "b3"
            | "x-canary"
            | "end-user"
            | "authorization"
            | "cookie"
    );
    listed || name.starts_with("x-b3-")
}

/// The token of `Authorization: Bearer TOKEN` (RFC 6750); the scheme is case-insensitive, as in RFC 9110.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
