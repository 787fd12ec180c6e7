//! Requests that are not HTTP/1.1 as Envoy reads it: what is wrong with them, and the answer on the wire.

use http::HeaderMap;
use http::header::CONNECTION;

use super::reply::LocalReply;

/// All headers together may have so many bytes (Envoy's `max_request_headers_kb` of 60).
pub(super) const LARGEST_HEAD: usize = 60 * 1024;

/// The methods that Envoy's parser knows; all others are malformed requests.
const METHODS: [&str; 35] = [
    "ACL",
    "BIND",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MOVE",
    "MSEARCH",
    "NOTIFY",
    "OPTIONS",
    "PATCH",
    "POST",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "SOURCE",
    "SUBSCRIBE",
    "TRACE",
    "UNBIND",
    "UNLINK",
    "UNLOCK",
    "UNSUBSCRIBE",
];

/// Whether Envoy's parser knows the method; the usual ones are found at once.
pub(super) fn knows_method(method: &http::Method) -> bool {
    use http::Method;
    matches!(
        *method,
        Method::GET | Method::POST | Method::PUT | Method::DELETE | Method::HEAD
    ) || METHODS.contains(&method.as_str())
}

/// Whether the `connection` header names what must not be taken away: Envoy refuses such requests.
pub(super) fn names_forbidden(headers: &HeaderMap) -> bool {
    named(headers).any(|name| {
        name.starts_with(':')
            || ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"]
                .iter()
                .any(|forbidden| name.eq_ignore_ascii_case(forbidden))
    })
}

/// Whether the `connection` header takes the Host away.
pub(super) fn names_host(headers: &HeaderMap) -> bool {
    named(headers).any(|name| name.eq_ignore_ascii_case("host"))
}

fn named(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(CONNECTION).iter();
    let texts = lines.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim)
}

/// Whether a sign may be in a Host header (RFC 3986, as Envoy's HTTP/2 library has it).
pub(super) fn is_of_authority(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@[]".contains(&byte)
}

/// Whether these bytes are an answer that hyper makes by itself: ours all say who the server is.
pub(super) fn is_hypers(bytes: &[u8]) -> bool {
    bytes.starts_with(b"HTTP/1.1 4") && {
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap_or(bytes.len());
        !bytes[..end].windows(9).any(|nine| nine == b"\r\nserver:")
    }
}

/// The status of an answer on the wire.
pub(super) fn status_of(bytes: &[u8]) -> u16 {
    let status = bytes
        .get(9..12)
        .and_then(|digits| std::str::from_utf8(digits).ok());
    status.and_then(|digits| digits.parse().ok()).unwrap_or(400)
}

/// What Envoy says to a head that hyper refused with `status`.
pub(super) fn of(head: &[u8], status: u16) -> LocalReply {
    if status == 414 || head.len() > LARGEST_HEAD {
        return LocalReply::headers_too_large();
    }
    if status == 431 {
        return LocalReply::too_many_headers();
    }
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let fields: Vec<(&str, &str)> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .collect();
    let version = first.rsplit(' ').next().unwrap_or_default();
    let encoding = fields
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding"));
    if is_other_version(version) {
        LocalReply::upgrade_required()
    } else if encoding.is_some_and(|(_, value)| !value.trim().eq_ignore_ascii_case("chunked")) {
        LocalReply::unknown_transfer_encoding()
    } else if fields
        .iter()
        .any(|(_, value)| value.contains(|c: char| c != '\t' && c.is_ascii_control()))
    {
        LocalReply::malformed("http1.invalid_characters")
    } else if first.split(' ').count() == 3 && first.split(' ').nth(1).is_some_and(is_bad_url) {
        LocalReply::malformed("http1.invalid_url")
    } else {
        LocalReply::malformed("http1.codec_error")
    }
}

/// A target that is meant to be a URL, or `*`.
fn is_bad_url(target: &str) -> bool {
    target.contains("://") || target.starts_with('*')
}

/// A version of HTTP, but not 1.1.
fn is_other_version(text: &str) -> bool {
    let digits = text
        .strip_prefix("HTTP/")
        .and_then(|numbers| numbers.split_once('.'));
    let one = |text: &str| text.len() == 1 && text.bytes().all(|byte| byte.is_ascii_digit());
    text != "HTTP/1.1" && digits.is_some_and(|(major, minor)| one(major) && one(minor))
}

/// The answer as bytes; its date is that of hyper's.
pub(super) fn write(reply: &LocalReply, hypers: &[u8]) -> Vec<u8> {
    let reason = http::StatusCode::from_u16(reply.status)
        .ok()
        .and_then(|status| status.canonical_reason());
    let hypers = String::from_utf8_lossy(hypers);
    let date = hypers
        .lines()
        .find(|line| line.starts_with("date:"))
        .unwrap_or("x-date: unknown");
    format!(
        "HTTP/1.1 {} {}\r\ncontent-length: {}\r\ncontent-type: text/plain\r\n{date}\r\nserver: envoy\r\nconnection: close\r\n\r\n{}",
        reply.status,
        reason.unwrap_or_default(),
        reply.body.len(),
        String::from_utf8_lossy(&reply.body)
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(head: &str, status: u16) -> (u16, String) {
        let reply = of(head.as_bytes(), status);
        (reply.status, reply.details.into_owned())
    }

    #[test]
    fn what_is_wrong_decides_the_answer() {
        for (head, hypers, status, expected) in [
            ("GET / HTTP/1.2\r\nhost: a\r\n\r\n", 400, 426, "low_version"),
            ("GET / HTTP/2.0\r\nhost: a\r\n\r\n", 400, 426, "low_version"),
            (
                "GET / HTTP/1.1\r\nx user: a\r\n\r\n",
                400,
                400,
                "http1.codec_error",
            ),
            (
                "GET ?x HTTP/1.1\r\nhost: a\r\n\r\n",
                400,
                400,
                "http1.codec_error",
            ),
            (
                "GET / HTTP/1.1\r\nx: a\u{1}\r\n\r\n",
                400,
                400,
                "http1.invalid_characters",
            ),
            ("GET http://a:b/ HTTP/1.1\r\n\r\n", 400, 400, "http1.invalid_url"),
            (
                "POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n",
                400,
                501,
                "http1.invalid_transfer_encoding",
            ),
            ("GET / HTTP/1.1\r\n", 431, 431, "http1.too_many_headers"),
            ("GET / HTTP/1.1\r\n", 414, 431, "http1.headers_too_large"),
        ] {
            assert_eq!(details(head, hypers), (status, expected.to_owned()), "{head:?}");
        }
    }

    #[test]
    fn only_answers_without_a_server_are_hypers() {
        assert!(is_hypers(
            b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"
        ));
        assert!(!is_hypers(b"HTTP/1.1 404 Not Found\r\nserver: envoy\r\n\r\n"));
        assert!(!is_hypers(b"HTTP/1.1 200 OK\r\n\r\n"));
    }
}
