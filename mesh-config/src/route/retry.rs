//! Retries.

use std::fmt;
use std::time::Duration;

use crate::text::{Value, similar};

/// When and how often a request is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Retries, not tries: 2 means three tries in all.
    pub attempts: u32,
    /// What is retried.
    pub on: RetryOn,
    /// Limit of each try.
    pub per_try_timeout: Option<Duration>,
    /// Base interval of the back-off; its maximum is ten times this.
    pub back_off: Duration,
    /// Whether up to five draws are made to avoid endpoints already tried.
    pub avoid_previous_hosts: bool,
    /// After every second try the priorities tried so far are left out.
    pub remote_localities: bool,
}

/// The words of `retryOn`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // one per word
pub struct RetryOn {
    /// The connection could not be made.
    pub connect_failure: bool,
    /// HTTP/2 REFUSED_STREAM.
    pub refused_stream: bool,
    /// Any reset before response headers, a per-try timeout included.
    pub reset: bool,
    /// A reset before the request was written.
    pub reset_before_request: bool,
    /// 502, 503, 504, any reset, a per-try timeout.
    pub gateway_error: bool,
    /// Any 5xx, any reset, a per-try timeout, a failed connection.
    pub five_xx: bool,
    /// 409.
    pub retriable_4xx: bool,
    /// gRPC status 1 in response headers.
    pub cancelled: bool,
    /// gRPC status 4 in response headers.
    pub deadline_exceeded: bool,
    /// gRPC status 13 in response headers.
    pub internal: bool,
    /// gRPC status 8 in response headers.
    pub resource_exhausted: bool,
    /// gRPC status 14 in response headers.
    pub unavailable: bool,
    /// Whether `status_codes` count.
    pub retriable_status_codes: bool,
    /// These response codes.
    pub status_codes: Vec<u16>,
    /// Whether `header_names` count.
    pub retriable_headers: bool,
    /// A response that has one of these headers. Only a proxy's own headers can name any.
    pub header_names: Vec<String>,
    /// A response with `x-envoy-ratelimited`.
    pub envoy_ratelimited: bool,
}

impl Default for RetryPolicy {
    /// What Istio does on every route without `retries`: two retries of what was not started on.
    fn default() -> Self {
        RetryPolicy {
            attempts: 2,
            on: RetryOn::default_words(),
            per_try_timeout: None,
            back_off: Duration::from_millis(25),
            avoid_previous_hosts: true,
            remote_localities: false,
        }
    }
}

/// `retries` as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenRetries {
    /// `None`: switched off.
    pub policy: Option<RetryPolicy>,
    /// `retryIgnorePreviousHosts`, if it is said.
    pub avoid_previous_hosts: Option<bool>,
}

pub(crate) fn read(value: &Value<'_>) -> Option<WrittenRetries> {
    value.fields(|fields| {
        let attempts = fields.get("attempts").and_then(|v| v.count()).unwrap_or(0);
        let per_try_timeout = fields.get("perTryTimeout").and_then(|v| v.duration());
        let words = fields.get("retryOn");
        let remote = fields.get("retryRemoteLocalities").map(|v| v.boolean() == Some(true));
        let conditions = words.as_ref().is_some_and(|v| v.is_text() && v.to_json() != "");
        if attempts == 0 && (fields.value().has("perTryTimeout") || conditions || remote.is_some()) {
            let message = "`attempts: 0` switches retries off; perTryTimeout, retryOn and retryRemoteLocalities must go";
            fields.value().problem(message);
        }
        let avoid = fields.get("retryIgnorePreviousHosts").and_then(|v| v.boolean());
        let default = RetryPolicy::default();
        let policy = RetryPolicy {
            attempts,
            on: words.and_then(|v| read_words(&v)).unwrap_or(default.on),
            per_try_timeout,
            back_off: fields
                .get("backoff")
                .and_then(|v| v.duration())
                .unwrap_or(default.back_off),
            avoid_previous_hosts: avoid.unwrap_or(true),
            remote_localities: remote == Some(true),
        };
        WrittenRetries {
            policy: (attempts > 0).then_some(policy),
            avoid_previous_hosts: avoid,
        }
    })
}

/// Reads `retryOn`: words and response codes with commas and without blanks.
fn read_words(value: &Value<'_>) -> Option<RetryOn> {
    let text = value.text()?;
    if text.is_empty() {
        return None;
    }
    let mut on = RetryOn::default();
    for word in text.split(',') {
        if let Some(field) = on.word(word) {
            *field = true;
            continue;
        }
        match word {
            // A protocol that is not there.
            "http3-post-connect-failure" => {}
            _ => match status_code(word) {
                Some(code) => {
                    on.retriable_status_codes = true;
                    on.status_codes.push(code);
                }
                None => report_word(value, word),
            },
        }
    }
    Some(on)
}

fn report_word(value: &Value<'_>, word: &str) {
    let message = format!("`{word}` is neither a retry condition nor a response code");
    let advice = if word.contains(char::is_whitespace) {
        Some("write the list without blanks".to_owned())
    } else {
        similar::did_you_mean(word, WORDS)
    };
    match advice {
        Some(advice) => value.problem_with(message, advice),
        None => value.problem(message),
    }
}

/// A code that Go has a text for. A sign and leading zeros pass.
fn status_code(word: &str) -> Option<u16> {
    let code: u16 = word.parse().ok()?;
    let known = matches!(
        code,
        100..=103
            | 200..=208
            | 226
            | 300..=305
            | 307
            | 308
            | 400..=418
            | 421..=426
            | 428
            | 429
            | 431
            | 451
            | 500..=508
            | 510
            | 511
    );
    known.then_some(code)
}

const WORDS: &[&str] = &[
    "5xx",
    "gateway-error",
    "reset",
    "reset-before-request",
    "connect-failure",
    "retriable-4xx",
    "refused-stream",
    "retriable-status-codes",
    "retriable-headers",
    "envoy-ratelimited",
    "http3-post-connect-failure",
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
];

/// Those that are about the status of gRPC.
const GRPC_WORDS: &[&str] = &[
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
];

impl RetryOn {
    fn default_words() -> Self {
        RetryOn {
            connect_failure: true,
            refused_stream: true,
            unavailable: true,
            cancelled: true,
            ..RetryOn::default()
        }
    }

    fn word(&mut self, word: &str) -> Option<&mut bool> {
        Some(match word {
            "connect-failure" => &mut self.connect_failure,
            "refused-stream" => &mut self.refused_stream,
            "reset" => &mut self.reset,
            "reset-before-request" => &mut self.reset_before_request,
            "gateway-error" => &mut self.gateway_error,
            "5xx" => &mut self.five_xx,
            "retriable-4xx" => &mut self.retriable_4xx,
            "cancelled" => &mut self.cancelled,
            "deadline-exceeded" => &mut self.deadline_exceeded,
            "internal" => &mut self.internal,
            "resource-exhausted" => &mut self.resource_exhausted,
            "unavailable" => &mut self.unavailable,
            "envoy-ratelimited" => &mut self.envoy_ratelimited,
            "retriable-status-codes" => &mut self.retriable_status_codes,
            "retriable-headers" => &mut self.retriable_headers,
            _ => return None,
        })
    }

    /// Adds what `x-envoy-retry-on` says, or `x-envoy-retry-grpc-on`; words that are not of its kind say nothing.
    pub fn add(&mut self, words: &str, grpc: bool) {
        for word in words.split(',').map(str::trim) {
            if GRPC_WORDS.contains(&word) == grpc
                && let Some(field) = self.word(word)
            {
                *field = true;
            }
        }
    }
}

impl fmt::Display for RetryOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut copy = self.clone();
        // The codes themselves say it.
        copy.retriable_status_codes &= copy.status_codes.is_empty();
        let words = WORDS
            .iter()
            .filter(|word| copy.word(word).is_some_and(|set| *set));
        let mut parts: Vec<String> = words.map(|word| (*word).to_owned()).collect();
        parts.extend(self.status_codes.iter().map(u16::to_string));
        f.write_str(&parts.join(","))
    }
}
