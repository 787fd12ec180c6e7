//! The endpoints of each cluster.

use mesh_config::{Cluster, View};
use serde_json::{Value, json};

use super::Content;
use super::clusters::is_called;

pub(super) const COLUMNS: &[&str] = &["ENDPOINT", "STATUS", "CLUSTER", "WORKLOAD", "WEIGHT", "LOCALITY"];
pub(super) const NARROW: usize = 3;

/// Those of the clusters of this name, or of the service of this name. Readiness decides the status; ejections are the
/// data plane's own and come and go without a change of configuration.
pub(super) fn content(view: &View, name: Option<&str>) -> Content {
    let (mut rows, mut items) = Content::default();
    for cluster in view.clusters.iter().filter(|cluster| is_called(cluster, name)) {
        for (index, endpoint) in cluster.endpoints.iter().enumerate() {
            let status = if endpoint.healthy { "HEALTHY" } else { "UNHEALTHY" };
            let locality = endpoint.locality.as_ref().map(ToString::to_string);
            rows.push(vec![
                endpoint.address.to_string(),
                status.to_owned(),
                cluster.name.clone(),
                format!("{}/{}", endpoint.namespace, endpoint.workload),
                endpoint.weight.to_string(),
                locality.unwrap_or_default(),
            ]);
            items.push(item(cluster, index, status));
        }
    }
    (rows, items)
}

fn item(cluster: &Cluster, index: usize, status: &str) -> Value {
    let endpoint = &cluster.endpoints[index];
    let has =
        |localities: &[mesh_config::LocalityGroup]| localities.iter().any(|l| l.endpoints.contains(&index));
    json!({
        "endpoint": endpoint.address,
        "status": status,
        "cluster": cluster.name,
        "workload": {"namespace": endpoint.namespace, "name": endpoint.workload},
        "labels": *endpoint.labels,
        "weight": endpoint.weight,
        "locality": endpoint.locality,
        "priority": cluster.priorities.iter().position(|priority| has(&priority.localities)),
    })
}
