//! What applies to a cluster, part by part: in words, and where it was written.

use std::fmt::Write as _;

use serde::Serialize;

use crate::mesh::Mesh;
use crate::object::Spec;
use crate::origin::Origin;
use crate::policy::hash::HashKey;
use crate::policy::outlier::OutlierDetection;
use crate::policy::pool::ConnectionPool;
use crate::view::cluster::{Cluster, ClusterPart, ClusterPolicy};

/// One thing that applies to a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedPart {
    /// What it is about.
    pub part: ClusterPart,
    /// In words.
    pub text: String,
    /// The DestinationRule that says so; `None`: nobody, it is the default.
    pub from: Option<Origin>,
}

/// Every part that a rule gives, and the defaults that matter all the same; `keys` are what the route hashes.
pub(super) fn parts(mesh: &Mesh, cluster: &Cluster, keys: &[HashKey]) -> Vec<ExplainedPart> {
    let policy = &cluster.policy;
    let budget = policy.retry_budget.map(|budget| {
        let (percent, least) = (budget.percent, budget.min_concurrency);
        format!("retries at most {percent} % of the requests, or {least}")
    });
    let tls = policy.tls.map(|mode| format!("{mode}; plain text here"));
    let texts = [
        (ClusterPart::Subset, labels(mesh, cluster)),
        (ClusterPart::LoadBalancer, Some(balancing(cluster, keys))),
        (ClusterPart::ConnectionPool, Some(limits(policy))),
        (ClusterPart::RetryBudget, budget),
        (
            ClusterPart::OutlierDetection,
            Some(ejection(policy.outlier.as_ref())),
        ),
        (ClusterPart::Tls, tls),
    ];
    let parts = texts.into_iter().filter_map(|(part, text)| {
        Some(ExplainedPart {
            part,
            text: text?,
            from: cluster.origins.get(&part).cloned(),
        })
    });
    parts.collect()
}

/// `v1: version=v1`.
fn labels(mesh: &Mesh, cluster: &Cluster) -> Option<String> {
    let name = cluster.subset.as_ref()?;
    let origin = cluster.origins.get(&ClusterPart::Subset)?;
    let Spec::DestinationRule(rule) = &mesh.get(&origin.object)?.spec else {
        return None;
    };
    let subset = rule.subsets.iter().find(|subset| subset.name.value == *name)?;
    let labels: Vec<String> = subset.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    Some(match labels.is_empty() {
        true => format!("{name}: every endpoint"),
        false => format!("{name}: {}", labels.join(", ")),
    })
}

fn balancing(cluster: &Cluster, keys: &[HashKey]) -> String {
    let policy = &cluster.policy;
    let mut text = policy.load_balancer.to_string();
    // Writing to a String cannot fail.
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
    if cluster.priorities.len() > 1 {
        let priorities = cluster.priorities.len();
        let _ = write!(text, "; {priorities} priorities, the nearest endpoints first");
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
    let given: Vec<String> = given.chain(age).collect();
    let mut text = match given.is_empty() {
        true => "no limits".to_owned(),
        false => format!("at most: {}", given.join(", ")),
    };
    if policy.http2 {
        text.push_str("; HTTP/2");
    }
    text
}

fn ejection(outlier: Option<&OutlierDetection>) -> String {
    let Some(outlier) = outlier else {
        return "no outlier detection".to_owned();
    };
    let errors = [
        ("5xx", outlier.consecutive_5xx),
        ("502, 503 or 504", outlier.consecutive_gateway),
        ("without an answer", outlier.consecutive_local.unwrap_or_default()),
    ];
    let errors = errors.iter().filter(|(_, number)| *number > 0);
    let errors: Vec<String> = errors.map(|(what, number)| format!("{number} {what}")).collect();
    if errors.is_empty() {
        return "never ejects: every count of errors is 0".to_owned();
    }
    format!(
        "ejects for {:?} after {} in a row, at most {} % of the endpoints",
        outlier.base_ejection_time,
        errors.join(" or "),
        outlier.max_ejection_percent
    )
}
