//! Whether the result of a try asks for another one.
//!
//! Source: Envoy's `retry_state_impl.cc`, with the conditions of `retryOn` (ISTIO-SEMANTICS: retries).

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use mesh_config::{RetryOn, RetryPolicy};
use rand::Rng;

use super::reply::Failure;

/// Whether a try that got no answer is one that the policy retries.
pub(super) fn after_failure(on: &RetryOn, failure: &Failure) -> bool {
    let any_reset = on.reset || on.gateway_error || on.five_xx;
    match failure {
        Failure::Connect(_) | Failure::ConnectTimeout => {
            on.connect_failure || on.reset_before_request || any_reset
        }
        Failure::RefusedStream => on.refused_stream || any_reset,
        Failure::Termination | Failure::Protocol | Failure::Reset | Failure::PerTryTimeout => any_reset,
        Failure::Overflow | Failure::ClientGone => false,
    }
}

/// Whether an answer is one that the policy retries.
pub(super) fn after_answer(on: &RetryOn, status: StatusCode, headers: &HeaderMap) -> bool {
    // Said by a rate limiter: retried only when asked for by name.
    if headers.contains_key("x-envoy-ratelimited") {
        return on.envoy_ratelimited;
    }
    let code = status.as_u16();
    on.five_xx && code >= 500
        || on.gateway_error && (502..=504).contains(&code)
        || on.retriable_4xx && code == 409
        || on.retriable_status_codes && on.status_codes.contains(&code)
        || on.retriable_headers && on.header_names.iter().any(|name| headers.contains_key(name))
        || grpc(on, headers)
}

/// The policy of a route with what its operations on headers have set for the proxy itself. Those headers end here; a
/// client's own never come so far. Source: Envoy's `RetryStateImpl`.
pub(super) fn with_headers<'p>(
    policy: Option<&'p RetryPolicy>,
    headers: &mut HeaderMap,
) -> Option<Cow<'p, RetryPolicy>> {
    let mut take = |name: &str| {
        let value = headers.remove(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    // Times were decided on before.
    for name in [
        "x-envoy-upstream-rq-per-try-timeout-ms",
        "x-envoy-upstream-stream-duration-ms",
        "x-envoy-hedge-on-per-try-timeout",
    ] {
        take(name);
    }
    let (on, grpc_on) = (take("x-envoy-retry-on"), take("x-envoy-retry-grpc-on"));
    let (max, codes) = (
        take("x-envoy-max-retries"),
        take("x-envoy-retriable-status-codes"),
    );
    let names = take("x-envoy-retriable-header-names");
    if policy.is_none() && on.is_none() && grpc_on.is_none() {
        return None;
    }
    if [&on, &grpc_on, &max, &codes, &names]
        .iter()
        .all(|said| said.is_none())
    {
        return policy.map(Cow::Borrowed);
    }
    let mut policy = policy.cloned().unwrap_or_else(|| RetryPolicy {
        attempts: 1,
        on: RetryOn::default(),
        avoid_previous_hosts: false,
        ..RetryPolicy::default()
    });
    policy.on.add(&on.unwrap_or_default(), false);
    policy.on.add(&grpc_on.unwrap_or_default(), true);
    policy.attempts = max.and_then(|max| max.parse().ok()).unwrap_or(policy.attempts);
    let list = |text: Option<String>| {
        let text = text.unwrap_or_default().to_ascii_lowercase();
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect::<Vec<_>>()
    };
    let codes = list(codes);
    policy
        .on
        .status_codes
        .extend(codes.iter().filter_map(|code| code.parse::<u16>().ok()));
    policy.on.header_names.extend(list(names));
    Some(Cow::Owned(policy))
}

/// The words of gRPC look at `grpc-status` in the headers, whatever the request is.
fn grpc(on: &RetryOn, headers: &HeaderMap) -> bool {
    let Some(status) = headers.get("grpc-status") else {
        return false;
    };
    match status.as_bytes() {
        b"1" => on.cancelled,
        b"4" => on.deadline_exceeded,
        b"8" => on.resource_exhausted,
        b"13" => on.internal,
        b"14" => on.unavailable,
        _ => false,
    }
}

/// How long to wait before retry `number` (from 1): fully jittered, `[0, min(base * 2^(number-1), 10 * base))`.
pub(super) fn back_off(policy: &RetryPolicy, number: u32, rng: &mut impl Rng) -> Duration {
    let base = policy.back_off;
    let window = base
        .saturating_mul(1_u32.checked_shl(number - 1).unwrap_or(u32::MAX))
        .min(base * 10);
    window.mul_f64(rng.random::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    fn answer(on: &RetryOn, status: u16, headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, http::HeaderValue::from_static(value));
        }
        after_answer(on, StatusCode::from_u16(status).unwrap(), &map)
    }

    fn merged(policy: Option<&RetryPolicy>, pairs: &[(&'static str, &'static str)]) -> Option<RetryPolicy> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, http::HeaderValue::from_static(value));
        }
        let policy = with_headers(policy, &mut headers).map(Cow::into_owned);
        assert!(headers.is_empty(), "{headers:?}");
        policy
    }

    #[test]
    fn headers_that_a_rule_sets_join_the_policy_and_go_no_further() {
        let default = RetryPolicy::default();
        assert_eq!(merged(None, &[("x-envoy-max-retries", "3")]), None);
        assert_eq!(
            merged(Some(&default), &[("x-envoy-upstream-stream-duration-ms", "3")]),
            Some(default.clone())
        );
        let policy = merged(None, &[("x-envoy-retry-on", "5xx,unavailable")]).unwrap();
        assert_eq!((policy.attempts, policy.on.to_string()), (1, "5xx".to_owned()));
        let pairs = [
            ("x-envoy-retry-on", "retriable-headers,retriable-status-codes"),
            ("x-envoy-retry-grpc-on", "internal"),
            ("x-envoy-max-retries", "5"),
            ("x-envoy-retriable-status-codes", "418, 404"),
            ("x-envoy-retriable-header-names", "X-Again"),
        ];
        let policy = merged(Some(&default), &pairs).unwrap();
        assert_eq!(policy.attempts, 5);
        assert!(answer(&policy.on, 418, &[]) && answer(&policy.on, 200, &[("x-again", "")]));
        assert!(answer(&policy.on, 200, &[("grpc-status", "13")]) && !answer(&policy.on, 503, &[]));
    }

    #[test]
    fn the_default_policy_retries_what_was_not_started_on() {
        let on = RetryPolicy::default().on;
        assert!(after_failure(&on, &Failure::Connect("refused".into())));
        assert!(after_failure(&on, &Failure::ConnectTimeout));
        for failure in [
            Failure::Termination,
            Failure::Protocol,
            Failure::PerTryTimeout,
            Failure::Overflow,
        ] {
            assert!(!after_failure(&on, &failure), "{failure:?}");
        }
        assert!(
            [500, 502, 503, 504]
                .iter()
                .all(|status| !answer(&on, *status, &[]))
        );
        assert!(answer(&on, 200, &[("grpc-status", "14")]));
    }

    #[test]
    fn an_overflow_is_never_retried() {
        let on = RetryOn {
            five_xx: true,
            reset: true,
            gateway_error: true,
            ..RetryOn::default()
        };
        assert!(!after_failure(&on, &Failure::Overflow));
        assert!(after_failure(&on, &Failure::PerTryTimeout));
    }

    #[test]
    fn a_rate_limited_answer_is_retried_only_by_name() {
        let on = RetryOn {
            five_xx: true,
            ..RetryOn::default()
        };
        assert!(answer(&on, 503, &[]));
        assert!(!answer(&on, 503, &[("x-envoy-ratelimited", "true")]));
    }

    #[test]
    fn the_back_off_grows_to_ten_times_the_base() {
        let policy = RetryPolicy::default();
        let mut rng = SmallRng::seed_from_u64(1);
        for (number, window) in [(1, 25), (2, 50), (4, 200), (5, 250), (40, 250)] {
            let waits: Vec<Duration> = (0..1000).map(|_| back_off(&policy, number, &mut rng)).collect();
            let window = Duration::from_millis(window);
            assert!(waits.iter().all(|wait| *wait < window));
            // The largest of 1000 uniform draws lies above 99 % of the window but for one time in 23,000.
            assert!(
                waits.iter().max().unwrap() > &window.mul_f64(0.99),
                "retry {number}"
            );
        }
    }
}
