//! Everybody who may be routed differently.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use crate::client::{Client, Role, Workload};
use crate::mesh::Mesh;
use crate::object::{Object, Spec};

/// Namespace and labels of a caller.
type Who = (String, BTreeMap<String, String>);

/// The gateway; of each namespace that an object is in or names somebody without labels, and one for each set of labels that
/// pods have or rules ask for, as far as any rule looks at them.
pub(super) fn of(meshes: &[&Mesh]) -> Vec<Client> {
    let looked_at = looked_at(meshes);
    let mut found = BTreeSet::from([("default".to_owned(), BTreeMap::new())]);
    for object in meshes.iter().flat_map(|mesh| mesh.objects()) {
        for (namespace, mut labels) in named(object) {
            labels.retain(|name, _| looked_at.contains(name));
            found.insert((namespace.clone(), BTreeMap::new()));
            found.insert((namespace, labels));
        }
    }
    found.remove(&Who::default());
    let sidecars = found.into_iter().map(|(namespace, labels)| Client {
        namespace,
        name: String::new(),
        labels,
        locality: None,
        role: Role::Sidecar,
    });
    [Client::ingress_gateway()].into_iter().chain(sidecars).collect()
}

/// Those whom an object is, or is about.
fn named(object: &Object) -> Vec<Who> {
    let own = &object.metadata.namespace;
    let mut named = vec![(own.clone(), BTreeMap::new())];
    match &object.spec {
        Spec::Deployment(spec) => named.push((own.clone(), spec.template_labels.clone())),
        Spec::VirtualService(spec) => {
            for block in spec.http.iter().flat_map(|http| &http.matches) {
                let namespace = block.source_namespace.as_ref().unwrap_or(own);
                named.push((namespace.clone(), block.source_labels.clone()));
            }
        }
        Spec::DestinationRule(spec) => {
            named.extend(spec.workload_selector.clone().map(|labels| (own.clone(), labels)));
        }
        Spec::Sidecar(_) => named.push((own.clone(), selected(object))),
        _ => {}
    }
    named
}

/// The labels of the workloads that a Sidecar is for.
fn selected(sidecar: &Object) -> BTreeMap<String, String> {
    let labels = &sidecar.content()["spec"]["workloadSelector"]["labels"];
    let labels = labels.as_object().into_iter().flatten();
    let labels = labels.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    labels.collect()
}

/// Names of labels of callers that rules compare.
fn looked_at(meshes: &[&Mesh]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for object in meshes.iter().flat_map(|mesh| mesh.objects()) {
        match &object.spec {
            Spec::VirtualService(spec) => {
                let blocks = spec.http.iter().flat_map(|http| &http.matches);
                names.extend(blocks.flat_map(|block| block.source_labels.keys().cloned()));
            }
            Spec::DestinationRule(spec) => {
                names.extend(
                    spec.workload_selector
                        .iter()
                        .flat_map(|labels| labels.keys().cloned()),
                );
            }
            Spec::Sidecar(_) => names.extend(selected(object).into_keys()),
            _ => {}
        }
    }
    names
}

/// As a person calls it.
pub(super) fn name(client: &Client) -> String {
    if client.role == Role::Gateway {
        return "gateway".to_owned();
    }
    let labels: Vec<String> = client
        .labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    match labels.is_empty() {
        true => client.namespace.clone(),
        false => format!("{} ({})", client.namespace, labels.join(", ")),
    }
}

/// A ready pod of each Deployment that has any.
pub(super) fn pods(mesh: &Mesh) -> Vec<Workload> {
    let mut pods = Vec::new();
    for object in mesh.objects() {
        let Spec::Deployment(spec) = &object.spec else {
            continue;
        };
        if spec.replicas == 0 {
            continue;
        }
        let number = u32::try_from(pods.len()).unwrap_or(u32::MAX).saturating_add(1);
        let ports = spec.containers.iter().flat_map(|container| &container.ports);
        pods.push(Workload {
            name: object.metadata.name.clone(),
            namespace: object.metadata.namespace.clone(),
            labels: spec.template_labels.clone(),
            address: IpAddr::V4(Ipv4Addr::from(0x7f00_0000 | (number & 0x00ff_ffff))),
            ports: BTreeMap::new(),
            port_names: ports
                .filter_map(|port| Some((port.name.clone()?, port.container_port)))
                .collect(),
            ready: true,
            locality: None,
            weight: 1,
        });
    }
    pods
}
