//! The policy of a cluster in words: load balancer, limits, outlier detection.

use std::fmt::Write as _;

use crate::policy::hash::HashKey;
use crate::policy::outlier::OutlierDetection;
use crate::policy::pool::ConnectionPool;
use crate::view::cluster::{Cluster, ClusterPolicy};

/// What applies to a cluster; `keys` are what the route hashes.
pub(super) fn describe(cluster: &Cluster, keys: &[HashKey]) -> String {
    let policy = &cluster.policy;
    let mut text = balancing(policy, keys);
    // Writing to a String cannot fail.
    if cluster.priorities.len() > 1 {
        let _ = write!(
            text,
            "; {} priorities, the nearest endpoints first",
            cluster.priorities.len()
        );
    }
    let _ = write!(text, "; {}", limits(policy));
    if policy.http2 {
        text.push_str("; HTTP/2");
    }
    let outlier = policy.outlier.as_ref().map(ejection);
    let _ = write!(text, "; {}", outlier.unwrap_or("no outlier detection".to_owned()));
    text
}

fn balancing(policy: &ClusterPolicy, keys: &[HashKey]) -> String {
    let mut text = policy.load_balancer.to_string();
    if policy.load_balancer.is_consistent_hash() {
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        if keys.is_empty() {
            text.push_str(" of nothing, so any endpoint");
        } else {
            let _ = write!(text, " of {}", keys.join(" and "));
        }
    }
    if let Some(warmup) = &policy.warmup {
        let (duration, percent) = (warmup.duration, warmup.minimum_percent);
        let _ = write!(text, ", new endpoints from {percent} % in {duration:?}");
    }
    text
}

/// Those that are given.
fn limits(policy: &ClusterPolicy) -> String {
    let pool: &ConnectionPool = &policy.pool;
    let limits = [
        ("connections", pool.max_connections),
        ("pending", pool.max_pending),
        ("requests", pool.max_requests),
        (
            "retries",
            pool.max_retries.filter(|_| policy.retry_budget.is_none()),
        ),
        ("requests per connection", pool.max_requests_per_connection),
        (
            "streams per connection",
            pool.max_concurrent_streams.filter(|_| policy.http2),
        ),
    ];
    let given = limits
        .iter()
        .filter_map(|(what, limit)| Some(format!("{what} {}", (*limit)?)));
    let age = pool
        .max_connection_duration
        .map(|age| format!("connections {age:?} old"));
    let budget = policy.retry_budget.map(|budget| {
        let (percent, least) = (budget.percent, budget.min_concurrency);
        format!("retries {percent} % of the requests or {least}")
    });
    let given: Vec<String> = given.chain(age).chain(budget).collect();
    if given.is_empty() {
        return "no limits".to_owned();
    }
    format!("at most: {}", given.join(", "))
}

fn ejection(outlier: &OutlierDetection) -> String {
    let errors = [
        ("5xx", outlier.consecutive_5xx),
        ("502, 503 or 504", outlier.consecutive_gateway),
        ("without an answer", outlier.consecutive_local.unwrap_or_default()),
    ];
    let errors = errors.iter().filter(|(_, number)| *number > 0);
    let errors: Vec<String> = errors.map(|(what, number)| format!("{number} {what}")).collect();
    format!(
        "ejects for {:?} after {} in a row, at most {} % of the endpoints",
        outlier.base_ejection_time,
        errors.join(" or "),
        outlier.max_ejection_percent
    )
}
