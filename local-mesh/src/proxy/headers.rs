//! What a proxy does to headers on the way: hop-by-hop ones end here, Envoy's control headers are not believed
//! from outside, and its own are added. Source: ISTIO sidecar outbound, Envoy's `conn_manager_utility`.

use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, SERVER, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, Method};
use std::net::IpAddr;

/// Number of the try, from 1, as the endpoint sees it.
pub(super) const ATTEMPT_COUNT: HeaderName = HeaderName::from_static("x-envoy-attempt-count");
/// Milliseconds the endpoint has for its answer; only where a timeout exists.
pub(super) const EXPECTED_TIMEOUT: HeaderName = HeaderName::from_static("x-envoy-expected-rq-timeout-ms");
/// Host before a rewrite.
const ORIGINAL_HOST: HeaderName = HeaderName::from_static("x-envoy-original-host");
/// What the client of a gRPC call allows it; what the endpoint has left.
pub(super) const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// Path before a rewrite.
pub(super) const ORIGINAL_PATH: HeaderName = HeaderName::from_static("x-envoy-original-path");
/// Set on overflow.
pub(super) const OVERLOADED: HeaderName = HeaderName::from_static("x-envoy-overloaded");
/// Milliseconds until the response headers.
pub(super) const SERVICE_TIME: HeaderName = HeaderName::from_static("x-envoy-upstream-service-time");
/// Request id: the client's own is kept.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Scheme as the client said it.
pub(super) const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Chain of client addresses.
pub(super) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// On copies for a mirror.
pub(super) const INTERNAL: HeaderName = HeaderName::from_static("x-envoy-internal");
const FORWARDED_CERTIFICATE: HeaderName = HeaderName::from_static("x-forwarded-client-cert");
const EXTERNAL_ADDRESS: HeaderName = HeaderName::from_static("x-envoy-external-address");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Control headers that a sidecar does not take from its application.
const STRIPPED: [HeaderName; 15] = [
    INTERNAL,
    HeaderName::from_static("x-envoy-retry-on"),
    HeaderName::from_static("x-envoy-retry-grpc-on"),
    HeaderName::from_static("x-envoy-max-retries"),
    HeaderName::from_static("x-envoy-upstream-rq-timeout-ms"),
    HeaderName::from_static("x-envoy-upstream-rq-per-try-timeout-ms"),
    HeaderName::from_static("x-envoy-upstream-rq-timeout-alt-response"),
    EXPECTED_TIMEOUT,
    HeaderName::from_static("x-envoy-force-trace"),
    HeaderName::from_static("x-envoy-ip-tags"),
    HeaderName::from_static("x-envoy-upstream-alt-stat-name"),
    HeaderName::from_static("x-envoy-hedge-on-per-try-timeout"),
    HeaderName::from_static("x-envoy-retriable-status-codes"),
    HeaderName::from_static("x-envoy-retriable-header-names"),
    // Certificates are told by those who see them.
    FORWARDED_CERTIFICATE,
];

/// Headers that only another proxy may set: a gateway takes them from nobody.
const AT_THE_EDGE: [HeaderName; 5] = [
    HeaderName::from_static("x-envoy-decorator-operation"),
    HeaderName::from_static("x-envoy-downstream-service-cluster"),
    HeaderName::from_static("x-envoy-downstream-service-node"),
    ORIGINAL_PATH,
    ORIGINAL_HOST,
];

/// Removes what ends at this hop and what Envoy does not believe, and adds what it tells every endpoint.
pub(super) fn prepare_request(headers: &mut HeaderMap, request_id: impl FnOnce() -> HeaderValue) {
    remove_hop_by_hop(headers);
    join_request(headers);
    // Almost no request carries one of these; the cheap scan spares fifteen look-ups.
    if has_envoy_headers(headers) || headers.contains_key(FORWARDED_CERTIFICATE) {
        STRIPPED.iter().for_each(|name| {
            headers.remove(name);
        });
    }
    if !headers.contains_key(FORWARDED_PROTO) {
        headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
    }
    if !headers.contains_key(REQUEST_ID) {
        headers.insert(REQUEST_ID, request_id());
    }
}

/// Headers of requests that Envoy keeps in one line: further lines are joined to the first with a comma. All others stay
/// apart.
const ONE_LINE: &[&str] = &[
    "accept",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-type",
    "etag",
    "expect",
    "grpc-accept-encoding",
    "grpc-timeout",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "origin",
    "pragma",
    "referer",
    "user-agent",
    "vary",
    "via",
    "x-client-trace-id",
    "x-envoy-decorator-operation",
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
    "x-envoy-external-address",
    "x-envoy-original-host",
    "x-envoy-original-path",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-request-id",
];

/// The same of responses.
const ONE_LINE_OF_RESPONSE: &[&str] = &[
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "age",
    "cache-control",
    "content-encoding",
    "content-type",
    "etag",
    "expires",
    "grpc-message",
    "grpc-status",
    "last-modified",
    "location",
    "proxy-status",
    "vary",
    "via",
    "x-envoy-attempt-count",
    "x-envoy-decorator-operation",
    "x-envoy-degraded",
    "x-envoy-immediate-health-check-fail",
    "x-envoy-ratelimited",
    "x-envoy-upstream-canary",
    "x-envoy-upstream-healthchecked-cluster",
    "x-request-id",
];

/// Joins the lines of a request that Envoy keeps in one.
pub(super) fn join_request(headers: &mut HeaderMap) {
    join_lines(headers, ONE_LINE);
}

/// Joins the lines of a response that Envoy keeps in one.
pub(super) fn join_response(headers: &mut HeaderMap) {
    join_lines(headers, ONE_LINE_OF_RESPONSE);
}

fn join_lines(headers: &mut HeaderMap, in_one: &[&str]) {
    if headers.keys_len() == headers.len() {
        return;
    }
    let repeated: Vec<HeaderName> = headers
        .keys()
        .filter(|name| in_one.contains(&name.as_str()) && headers.get_all(*name).iter().count() > 1)
        .cloned()
        .collect();
    for name in repeated {
        let lines: Vec<&[u8]> = headers.get_all(&name).iter().map(HeaderValue::as_bytes).collect();
        if let Ok(joined) = HeaderValue::from_bytes(&lines.join(&b',')) {
            headers.insert(name, joined);
        }
    }
}

/// What a gateway adds: it is the edge, so it tells who the client was and decides the scheme itself.
pub(super) fn prepare_at_gateway(headers: &mut HeaderMap, client: IpAddr) {
    if has_envoy_headers(headers) {
        for name in AT_THE_EDGE {
            headers.remove(name);
        }
    }
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
    let address = client.to_string();
    let chain = match headers.get(FORWARDED_FOR).and_then(|value| value.to_str().ok()) {
        Some(before) => format!("{before},{address}"),
        None => address.clone(),
    };
    for (name, text) in [(FORWARDED_FOR, chain), (EXTERNAL_ADDRESS, address)] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
}

/// Whether any header is of the kind that ends at this hop. One scan that finds none, as in most messages, is cheaper
/// than looking each of them up.
fn has_hop_by_hop(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        matches!(
            name.as_str(),
            "connection" | "keep-alive" | "proxy-connection" | "upgrade" | "transfer-encoding" | "te"
        )
    })
}

fn has_envoy_headers(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with("x-envoy-"))
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if !has_hop_by_hop(headers) {
        return;
    }
    if headers.contains_key(CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
            .filter(|name| *name != HOST && *name != CONTENT_LENGTH)
            .collect();
        named.iter().for_each(|name| {
            headers.remove(name);
        });
        headers.remove(CONNECTION);
    }
    for name in [KEEP_ALIVE, PROXY_CONNECTION, UPGRADE, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    keep_only_trailers(headers);
}

/// `te` may only say `trailers`.
fn keep_only_trailers(headers: &mut HeaderMap) {
    let Some(value) = headers.remove(TE) else { return };
    let wants_trailers = value.to_str().is_ok_and(|text| {
        text.split(',')
            .any(|part| part.trim().eq_ignore_ascii_case("trailers"))
    });
    if wants_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// In HTTP/1.1 Envoy says `content-length: 0` for a request without a body, except where the method implies none.
pub(super) fn say_empty(headers: &mut HeaderMap, method: &Method) {
    let implied = matches!(
        *method,
        Method::GET | Method::HEAD | Method::DELETE | Method::TRACE | Method::CONNECT
    );
    if !implied && !headers.contains_key(CONTENT_LENGTH) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
}

/// Response headers on the way back: hop-by-hop ones go, `server` is the proxy's.
pub(super) fn prepare_response(headers: &mut HeaderMap, server: &'static str) {
    if has_hop_by_hop(headers) {
        for name in [
            CONNECTION,
            KEEP_ALIVE,
            PROXY_CONNECTION,
            UPGRADE,
            TRANSFER_ENCODING,
        ] {
            headers.remove(name);
        }
    }
    join_response(headers);
    headers.insert(SERVER, HeaderValue::from_static(server));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        prepare_request(&mut headers, || HeaderValue::from_static("id"));
        headers
    }

    #[test]
    fn headers_named_in_any_connection_line_end_here() {
        let headers = request(&[
            ("connection", "x-a"),
            ("connection", "close, x-b"),
            ("x-a", "1"),
            ("x-b", "2"),
            ("x-c", "3"),
        ]);
        assert!(
            !headers.contains_key("x-a")
                && !headers.contains_key("x-b")
                && !headers.contains_key("connection")
        );
        assert_eq!(headers["x-c"], "3");
    }

    #[test]
    fn control_headers_are_stripped_and_other_envoy_headers_passed_on() {
        let headers = request(&[("x-envoy-max-retries", "9"), ("x-envoy-original-path", "/x")]);
        assert!(!headers.contains_key("x-envoy-max-retries"));
        assert_eq!(headers["x-envoy-original-path"], "/x");
    }

    #[test]
    fn the_clients_own_request_id_and_scheme_are_kept() {
        let headers = request(&[("x-request-id", "mine"), ("x-forwarded-proto", "https")]);
        assert_eq!(
            (&headers["x-request-id"], &headers["x-forwarded-proto"]),
            (&"mine".parse().unwrap(), &"https".parse().unwrap())
        );
    }

    #[test]
    fn te_is_cut_down_to_trailers() {
        assert_eq!(request(&[("te", "gzip, trailers")])["te"], "trailers");
        assert!(!request(&[("te", "gzip")]).contains_key("te"));
    }

    #[test]
    fn a_gateway_appends_the_client_to_the_chain() {
        let mut headers = request(&[("x-forwarded-for", "10.0.0.1")]);
        prepare_at_gateway(&mut headers, IpAddr::from([127, 0, 0, 1]));
        assert_eq!(headers["x-forwarded-for"], "10.0.0.1,127.0.0.1");
        assert_eq!(headers["x-envoy-external-address"], "127.0.0.1");
    }
}
