//! The timeout of a request: that of its route, of a gRPC call also what the client allows.
//!
//! Source: Envoy's `FilterUtility::finalTimeout` and `grpc/common.cc`.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use super::headers::GRPC_TIMEOUT;

/// The most that `grpc-timeout` can say in one unit.
const MOST: u64 = 99_999_999;

/// The timeout for all tries. The route's caps what a gRPC client asks for, and is the default of it.
pub(super) fn of(route: Option<Duration>, grpc: bool, headers: &HeaderMap) -> Option<Duration> {
    let asked = headers.get(GRPC_TIMEOUT).filter(|_| grpc);
    let asked = asked.and_then(|value| parse(value.as_bytes()));
    match (asked.filter(|asked| !asked.is_zero()), route) {
        (Some(asked), Some(route)) => Some(asked.min(route)),
        (asked, route) => asked.or(route),
    }
}

/// Up to eight digits and a unit, in whole milliseconds rounded up.
fn parse(text: &[u8]) -> Option<Duration> {
    let (unit, digits) = text.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let milliseconds = match unit {
        b'H' => number * 3_600_000,
        b'M' => number * 60_000,
        b'S' => number * 1000,
        b'm' => number,
        b'u' => number.div_ceil(1000),
        b'n' => number.div_ceil(1_000_000),
        _ => return None,
    };
    Some(Duration::from_millis(milliseconds))
}

/// In the smallest unit in which it has at most eight digits.
pub(super) fn to_grpc(milliseconds: u64) -> HeaderValue {
    let units = [('m', 1), ('S', 1000), ('M', 60_000), ('H', 3_600_000)];
    let fitting = units.iter().find(|(_, length)| milliseconds / length <= MOST);
    let (unit, length) = fitting.copied().unwrap_or(('H', 3_600_000));
    let text = format!("{}{unit}", (milliseconds / length).min(MOST));
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("0m"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &'static str, route: Option<u64>, grpc: bool) -> Option<u128> {
        let mut headers = HeaderMap::new();
        headers.insert(GRPC_TIMEOUT, HeaderValue::from_static(text));
        of(route.map(Duration::from_millis), grpc, &headers).map(|timeout| timeout.as_millis())
    }

    #[test]
    fn the_shorter_of_the_clients_and_the_routes_applies() {
        assert_eq!(asked("200m", None, true), Some(200));
        assert_eq!(asked("200m", Some(1000), true), Some(200));
        assert_eq!(asked("5S", Some(300), true), Some(300));
        assert_eq!(asked("0m", Some(300), true), Some(300));
    }

    #[test]
    fn only_grpc_requests_with_a_good_text_are_heard() {
        assert_eq!(asked("200m", None, false), None);
        for text in ["200", "m", "123456789m", "2x", "-1S"] {
            assert_eq!(asked(text, None, true), None, "{text}");
        }
    }

    #[test]
    fn the_endpoint_is_told_in_a_unit_that_fits() {
        assert_eq!(to_grpc(300), "300m");
        assert_eq!(to_grpc(100_000_000), "100000S");
    }
}
