//! Which DestinationRules made a cluster what it is.

use std::collections::BTreeMap;

use mesh_config::{Client, Mesh, ObjectKey, Spec, View, Workload};

/// By name of the cluster.
pub(super) type Rules = BTreeMap<String, Vec<ObjectKey>>;

/// A rule counts for a cluster that would be another, or none, without it. Asking the compiler itself keeps this in
/// step with visibility, precedence and merging; a rule that changes nothing is not named.
pub(super) fn by_cluster(mesh: &Mesh, client: &Client, workloads: &[Workload], view: &View) -> Rules {
    let mut rules = Rules::new();
    let is_rule = |spec: &Spec| matches!(spec, Spec::DestinationRule(_));
    for object in mesh.objects().filter(|object| is_rule(&object.spec)) {
        let key = object.key();
        let (without, _) = mesh.delete(std::slice::from_ref(&key));
        let other = without.view(client, workloads);
        let others: BTreeMap<_, _> = other.clusters.iter().map(|c| (c.name.as_str(), c)).collect();
        for cluster in &view.clusters {
            if others.get(cluster.name.as_str()) != Some(&cluster) {
                rules.entry(cluster.name.clone()).or_default().push(key.clone());
            }
        }
    }
    rules
}
