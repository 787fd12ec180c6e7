//! The clusters: service ports and their subsets, with the policy for them.

use std::collections::BTreeSet;

use mesh_config::{Cluster, ClusterPolicy, LoadBalancer, Mesh, ObjectKey, Priority, Resolution, Spec, View};
use serde_json::{Value, json};

use super::{Content, beside};

pub(super) const COLUMNS: &[&str] = &[
    "SERVICE FQDN",
    "PORT",
    "SUBSET",
    "DIRECTION",
    "TYPE",
    "DESTINATION RULE",
    "LOAD BALANCER",
    "ENDPOINTS",
];
pub(super) const NARROW: usize = 6;

/// There are no others: only the caller's side is played here.
const DIRECTION: &str = "outbound";

/// All, or those of this name, or of the service of this name.
pub(super) fn content(mesh: &Mesh, view: &View, name: Option<&str>) -> Content {
    let (mut rows, mut items) = Content::default();
    for cluster in view.clusters.iter().filter(|cluster| is_called(cluster, name)) {
        let kind = discovery(mesh, cluster);
        let rules = rules(cluster);
        let names: Vec<String> = rules.iter().map(|key| beside(&cluster.host, key)).collect();
        rows.push(vec![
            cluster.host.clone(),
            cluster.port.to_string(),
            cluster.subset.clone().unwrap_or_else(|| "-".to_owned()),
            DIRECTION.to_owned(),
            kind.to_owned(),
            names.join(","),
            cluster.policy.load_balancer.to_string(),
            cluster.endpoints.len().to_string(),
        ]);
        items.push(json!({
            "name": cluster.name,
            "serviceFqdn": cluster.host,
            "port": cluster.port,
            "subset": cluster.subset,
            "direction": DIRECTION,
            "type": kind,
            "destinationRules": rules,
            "origins": cluster.origins,
            "policy": policy(&cluster.policy),
            "priorities": priorities(cluster),
        }));
    }
    (rows, items)
}

/// The DestinationRules that give it anything; one that applies but says nothing about it is not named.
fn rules(cluster: &Cluster) -> BTreeSet<&ObjectKey> {
    cluster.origins.values().map(|origin| &origin.object).collect()
}

/// Whether a person may mean this cluster: by its name, or by its service's full or short name.
pub(super) fn is_called(cluster: &Cluster, name: Option<&str>) -> bool {
    let names = [&cluster.name, &cluster.host, &cluster.service_name];
    name.is_none_or(|name| names.iter().any(|known| *known == name))
}

/// Envoy's word for how istiod has the endpoints found.
fn discovery(mesh: &Mesh, cluster: &Cluster) -> &'static str {
    if cluster.policy.load_balancer == LoadBalancer::PassThrough {
        return "ORIGINAL_DST";
    }
    let resolution = mesh.objects().find_map(|object| match &object.spec {
        Spec::ServiceEntry(entry) if object.metadata.namespace == cluster.service_namespace => {
            // A Service of Kubernetes has a short name, too.
            let is_entry = cluster.service_name == cluster.host;
            let named = entry.hosts.iter().any(|host| host.value == cluster.host);
            (is_entry && named).then_some(entry.resolution)
        }
        _ => None,
    });
    match resolution {
        Some(Resolution::None) => "ORIGINAL_DST",
        Some(Resolution::Dns) => "STRICT_DNS",
        Some(Resolution::Static) | None => "EDS",
    }
}

/// Times in words (`30s`), limits as numbers; what is `null` is off or unlimited.
fn policy(policy: &ClusterPolicy) -> Value {
    let pool = &policy.pool;
    let outlier = policy.outlier.as_ref().map(|outlier| {
        json!({
            "consecutive5xxErrors": outlier.consecutive_5xx,
            "consecutiveGatewayErrors": outlier.consecutive_gateway,
            "consecutiveLocalOriginFailures": outlier.consecutive_local,
            "interval": format!("{:?}", outlier.interval),
            "baseEjectionTime": format!("{:?}", outlier.base_ejection_time),
            "maxEjectionPercent": outlier.max_ejection_percent,
            "minHealthPercent": outlier.min_health_percent,
        })
    });
    let warmup = policy.warmup.map(|warmup| {
        json!({
            "duration": format!("{:?}", warmup.duration),
            "minimumPercent": warmup.minimum_percent,
            "aggression": warmup.aggression,
        })
    });
    let budget = policy.retry_budget;
    json!({
        "loadBalancer": balancer(policy.load_balancer),
        "warmup": warmup,
        "http2": policy.http2,
        "connectionPool": {
            "maxConnections": pool.max_connections,
            "connectTimeout": format!("{:?}", pool.connect_timeout),
            "maxConnectionDuration": pool.max_connection_duration.map(|time| format!("{time:?}")),
            "maxPendingRequests": pool.max_pending,
            "maxRequests": pool.max_requests,
            "maxRetries": pool.max_retries,
            "maxRequestsPerConnection": pool.max_requests_per_connection,
            "maxConcurrentStreams": pool.max_concurrent_streams,
            "idleTimeout": format!("{:?}", pool.idle_timeout),
            "useClientProtocol": pool.use_client_protocol,
        },
        "tls": policy.tls.map(|mode| mode.to_string()),
        "retryBudget": budget.map(|b| json!({"percent": b.percent, "minRetryConcurrency": b.min_concurrency})),
        "outlierDetection": outlier,
    })
}

fn balancer(balancer: LoadBalancer) -> Value {
    let mut value = json!({"name": balancer.to_string()});
    match balancer {
        LoadBalancer::RingHash { minimum_size } => value["minimumRingSize"] = minimum_size.into(),
        LoadBalancer::Maglev { table_size } => value["tableSize"] = table_size.into(),
        _ => {}
    }
    value
}

/// The nearest first; each has localities with their shares.
fn priorities(cluster: &Cluster) -> Vec<Value> {
    let address = |index: &usize| cluster.endpoints.get(*index).map(|endpoint| endpoint.address);
    let localities = |priority: &Priority| {
        let groups = priority.localities.iter().map(|group| {
            let endpoints: Vec<_> = group.endpoints.iter().filter_map(address).collect();
            json!({"weight": group.weight, "endpoints": endpoints})
        });
        Value::from_iter(groups)
    };
    cluster.priorities.iter().map(localities).collect()
}
