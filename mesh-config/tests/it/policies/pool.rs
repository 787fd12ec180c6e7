//! `connectionPool` and `retryBudget`.

use std::time::Duration;

use mesh_config::ConnectionPool;

use super::of_subset;

#[test]
fn limits_are_unlimited_when_absent_or_zero() {
    let pool = |fields: &str| of_subset(&format!("connectionPool: {{{fields}}}"), "").pool;
    let zero =
        "tcp: {maxConnections: 0}, http: {http1MaxPendingRequests: 0, http2MaxRequests: 0, maxRetries: 0}";
    assert_eq!(pool(zero), ConnectionPool::default());
    let all = pool(
        "tcp: {maxConnections: 1, connectTimeout: 250ms, idleTimeout: 9s}, http: {http1MaxPendingRequests: 2, http2MaxRequests: 3, maxRetries: 4, maxRequestsPerConnection: 5, idleTimeout: 7s}",
    );
    let expected = ConnectionPool {
        max_connections: Some(1),
        connect_timeout: Duration::from_millis(250),
        max_pending: Some(2),
        max_requests: Some(3),
        max_retries: Some(4),
        max_requests_per_connection: Some(5),
        // The one of http wins.
        idle_timeout: Duration::from_secs(7),
        ..ConnectionPool::default()
    };
    assert_eq!(all, expected);
    assert_eq!(
        pool("tcp: {idleTimeout: 9s}").idle_timeout,
        Duration::from_secs(9)
    );
}

#[test]
fn a_retry_budget_replaces_nothing_but_the_limit_on_retries() {
    let budget = of_subset("retryBudget: {percent: 50, minRetryConcurrency: 1}", "")
        .retry_budget
        .unwrap();
    assert_eq!([0, 1, 2, 9].map(|active| budget.allows(active)), [1, 1, 1, 4]);
    assert_eq!(
        of_subset("retryBudget: {}", "").retry_budget.unwrap().allows(10),
        3
    );
}
