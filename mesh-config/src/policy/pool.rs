//! `connectionPool` and `retryBudget`: limits of one client's connections and requests to a cluster.

use std::time::Duration;

use crate::text::Value;

/// Limits of one client's connections and requests to a cluster. `None` is unlimited, Istio's default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionPool {
    /// Connections; an endpoint without any may always have one.
    pub max_connections: Option<u32>,
    /// Default 10 s.
    pub connect_timeout: Duration,
    /// A connection is closed after its request when it is older.
    pub max_connection_duration: Option<Duration>,
    /// Requests waiting for a connection.
    pub max_pending: Option<u32>,
    /// Active requests, HTTP/1.1 included.
    pub max_requests: Option<u32>,
    /// Concurrent retries.
    pub max_retries: Option<u32>,
    /// Requests before a connection is closed.
    pub max_requests_per_connection: Option<u32>,
    /// Of an idle connection; default 1 h.
    pub idle_timeout: Duration,
    /// Whether HTTP/1.1 becomes HTTP/2 on the way to the endpoint.
    pub h2_upgrade: bool,
    /// The endpoint is spoken to as the client speaks, whatever the port is called.
    pub use_client_protocol: bool,
    /// Requests at once on one HTTP/2 connection.
    pub max_concurrent_streams: Option<u32>,
}

/// `retryBudget`: concurrent retries as a share of the active requests. It replaces `maxRetries`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryBudget {
    /// Of the requests that are active or wait for a connection; default 20.
    pub percent: f64,
    /// So many are always allowed; default 3.
    pub min_concurrency: u32,
}

impl Default for ConnectionPool {
    fn default() -> Self {
        ConnectionPool {
            max_connections: None,
            connect_timeout: Duration::from_secs(10),
            max_connection_duration: None,
            max_pending: None,
            max_requests: None,
            max_retries: None,
            max_requests_per_connection: None,
            idle_timeout: Duration::from_secs(3600),
            h2_upgrade: false,
            use_client_protocol: false,
            max_concurrent_streams: None,
        }
    }
}

impl RetryBudget {
    /// Retries that may be under way beside so many requests.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a share of a count fits a count
    pub fn allows(&self, requests: u32) -> u32 {
        let share = self.percent / 100.0 * f64::from(requests);
        (share as u32).max(self.min_concurrency)
    }
}

pub(crate) fn read(value: &Value<'_>) -> Option<ConnectionPool> {
    value.fields(|fields| {
        let mut pool = ConnectionPool::default();
        let (tcp, http) = (fields.get("tcp"), fields.get("http"));
        if tcp.is_none() && http.is_none() {
            fields.value().problem("needs `tcp` or `http`");
        }
        // The idle time of http wins over that of tcp, so tcp is read first.
        tcp.and_then(|v| read_tcp(&v, &mut pool));
        http.and_then(|v| read_http(&v, &mut pool));
        pool
    })
}

pub(crate) fn read_budget(value: &Value<'_>) -> Option<RetryBudget> {
    value.fields(|fields| {
        if let Some(interval) = fields.unsupported("budgetInterval") {
            interval.any_duration();
        }
        RetryBudget {
            percent: fields
                .get("percent")
                .and_then(|v| v.number_in(0.0..=100.0))
                .unwrap_or(20.0),
            min_concurrency: fields
                .get("minRetryConcurrency")
                .and_then(|v| v.uint32())
                .filter(|number| *number > 0)
                .unwrap_or(3),
        }
    })
}

fn read_tcp(value: &Value<'_>, pool: &mut ConnectionPool) -> Option<()> {
    value.fields(|fields| {
        pool.max_connections = fields.get("maxConnections").and_then(|v| limit(&v));
        pool.max_connection_duration = fields.get("maxConnectionDuration").and_then(|v| v.duration());
        if let Some(timeout) = fields.get("connectTimeout").and_then(|v| v.duration()) {
            pool.connect_timeout = timeout;
        }
        if let Some(timeout) = fields.get("idleTimeout").and_then(|v| read_idle(&v)) {
            pool.idle_timeout = timeout;
        }
        if let Some(keepalive) = fields.get("tcpKeepalive") {
            read_keepalive(&keepalive);
        }
    })
}

/// The schema takes every text here. What is no whole millisecond switches the limit off for istiod, whose check it
/// passes; `None`.
fn read_idle(value: &Value<'_>) -> Option<Duration> {
    let nanoseconds = value.any_duration()?;
    if nanoseconds / 1_000_000 == 0 {
        return None;
    }
    if nanoseconds < 0 || nanoseconds % 1_000_000 != 0 {
        value.problem_with(
            "this is neither 0s nor whole milliseconds",
            "durations look like 500ms, 1.5s, 1m30s, 1h",
        );
    }
    u64::try_from(nanoseconds).ok().map(Duration::from_nanos)
}

/// Probes of the kernel are nothing that a client sees.
fn read_keepalive(value: &Value<'_>) {
    value.fields(|fields| {
        fields.get("probes").and_then(|v| v.uint32());
        fields.get("time").and_then(|v| v.duration());
        fields.get("interval").and_then(|v| v.duration());
    });
}

fn read_http(value: &Value<'_>, pool: &mut ConnectionPool) -> Option<()> {
    value.fields(|fields| {
        pool.max_pending = fields.get("http1MaxPendingRequests").and_then(|v| limit(&v));
        pool.max_requests = fields.get("http2MaxRequests").and_then(|v| limit(&v));
        pool.max_retries = fields.get("maxRetries").and_then(|v| limit(&v));
        pool.max_requests_per_connection = fields.get("maxRequestsPerConnection").and_then(|v| limit(&v));
        pool.max_concurrent_streams = fields.get("maxConcurrentStreams").and_then(|v| limit(&v));
        if let Some(timeout) = fields.get("idleTimeout").and_then(|v| v.duration()) {
            pool.idle_timeout = timeout;
        }
        let policy = fields
            .get("h2UpgradePolicy")
            .and_then(|v| v.choice(&[("DEFAULT", false), ("DO_NOT_UPGRADE", false), ("UPGRADE", true)]));
        pool.h2_upgrade = policy.unwrap_or(false);
        let client_protocol = fields.get("useClientProtocol").and_then(|v| v.boolean());
        pool.use_client_protocol = client_protocol.unwrap_or(false);
        if pool.h2_upgrade && pool.use_client_protocol {
            fields
                .value()
                .problem("h2UpgradePolicy UPGRADE and useClientProtocol exclude each other");
        }
        if let Some(keepalive) = fields.get("http2KeepAlive") {
            read_http2_keepalive(&keepalive);
        }
    })
}

/// Pings between two programs on one machine are nothing that a client sees.
fn read_http2_keepalive(value: &Value<'_>) {
    value.fields(|fields| {
        for name in ["interval", "timeout"] {
            fields.needed(name).and_then(|v| v.duration());
        }
    });
}

/// 0 counts as absent: unlimited.
fn limit(value: &Value<'_>) -> Option<u32> {
    value.count().filter(|number| *number > 0)
}
