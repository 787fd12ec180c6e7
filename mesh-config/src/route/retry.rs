//! Retries.

use std::time::Duration;

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
    /// These response codes.
    pub status_codes: Vec<u16>,
    /// A response with `x-envoy-ratelimited`.
    pub envoy_ratelimited: bool,
}
