//! Versions that exist, whether or not they get traffic: an answer from one that should get none is a leak.

use std::collections::{BTreeMap, BTreeSet};

use mesh_config::{Mesh, Object, ObjectKey, Spec};

/// Name of the label.
pub(super) const VERSION: &str = "version";

/// Versions of a service that its DestinationRules name or its Deployments and WorkloadEntries run.
pub(super) fn versions(mesh: &Mesh, service: &ObjectKey) -> BTreeSet<String> {
    let host = format!("{}.{}.svc.cluster.local", service.name, service.namespace);
    let mut versions = BTreeSet::new();
    for object in mesh.objects() {
        if let Spec::DestinationRule(rule) = &object.spec
            && full_name(&rule.host.value, &object.metadata.namespace) == host
        {
            let version = |subset: &mesh_config::Subset| {
                subset.labels.get(VERSION).unwrap_or(&subset.name.value).clone()
            };
            versions.extend(rule.subsets.iter().map(version));
        }
    }
    versions.extend(behind(mesh, service).filter_map(|(_, labels)| labels.get(VERSION).cloned()));
    versions
}

/// Deployments and WorkloadEntries that the selector of a service finds, with the labels of their pods.
pub(super) fn behind<'a>(
    mesh: &'a Mesh,
    service: &ObjectKey,
) -> impl Iterator<Item = (&'a Object, &'a BTreeMap<String, String>)> {
    let namespace = service.namespace.clone();
    let selector = match mesh.get(service).map(|object| &object.spec) {
        Some(Spec::Service(service)) => service.selector.clone(),
        _ => BTreeMap::new(),
    };
    let workloads = mesh.objects().filter_map(|object| match &object.spec {
        Spec::Deployment(deployment) => Some((object, &deployment.template_labels)),
        Spec::WorkloadEntry(entry) => Some((object, &entry.labels)),
        _ => None,
    });
    workloads.filter(move |(object, labels)| {
        object.metadata.namespace == namespace
            && !selector.is_empty()
            && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    })
}

/// Names of all services.
pub(super) fn services(mesh: &Mesh) -> impl Iterator<Item = String> {
    let services = mesh
        .objects()
        .filter(|object| matches!(object.spec, Spec::Service(_)));
    services.map(|object| object.metadata.name.clone())
}

/// A name without a dot is one of the rule's own namespace, as in Istio.
fn full_name(host: &str, namespace: &str) -> String {
    if host.contains('.') {
        host.to_owned()
    } else {
        format!("{host}.{namespace}.svc.cluster.local")
    }
}
