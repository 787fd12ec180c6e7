//! Building the clusters of a view.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::blocks::PolicyBlocks;
use super::cluster::{Cluster, ClusterId, ClusterPart, Endpoint};
use super::reach::Reach;
use super::registry::{Named, Registry};
use super::services::{Backing, Callee};
use crate::client::{Client, Workload};
use crate::object::destination_rule::Subset;
use crate::object::kubernetes::{PortRef, ServicePort, WorkloadEntry};
use crate::object::{Metadata, Object, Spec};
use crate::origin::Origin;
use crate::policy::load_balancer::LoadBalancer;
use crate::policy::locality::prefer_close;
use crate::policy::priorities;

/// Labels shared by all endpoints of a workload.
type Labels = Arc<BTreeMap<String, String>>;

/// All clusters by name.
#[derive(Default)]
pub(crate) struct Clusters {
    pub(crate) list: Vec<Arc<Cluster>>,
    by_name: HashMap<String, ClusterId>,
}

/// The name that Istio gives to a cluster.
pub(crate) fn name(host: &str, subset: Option<&str>, port: u16) -> String {
    format!("outbound|{port}|{}|{host}", subset.unwrap_or_default())
}

impl Clusters {
    pub(crate) fn id(&self, name: &str) -> Option<ClusterId> {
        self.by_name.get(name).copied()
    }

    /// One per service port, and one per subset of it. A port that is not HTTP counts: a rule may lead to it.
    pub(crate) fn build(registry: &Registry<'_>, client: &Client, workloads: &[Workload]) -> Self {
        // Shared, so that a workload's labels exist once however many clusters it is in.
        let labels: Vec<Labels> = workloads.iter().map(|w| Arc::new(w.labels.clone())).collect();
        let reach = Reach::of(registry, client);
        let mut clusters = Clusters::default();
        for (host, service) in &registry.services {
            if matches!(service.backing, Backing::Alias(_)) {
                continue;
            }
            let rule = registry.rule_for(client, host);
            let has_cluster = |port: &&ServicePort| {
                port.is_tcp() && !service.without_cluster.contains(&port.port) && reach.has(host, port.port)
            };
            for port in service.ports.iter().filter(has_cluster) {
                let endpoints = endpoints(registry, service, port, workloads, &labels);
                let subsets = rule.subsets.iter().copied().map(Some);
                for subset in [None].into_iter().chain(subsets) {
                    let blocks = rule.policy(port.port, subset);
                    let chosen = endpoints.iter().filter(|e| in_subset(e, subset)).cloned();
                    clusters.add(cluster(
                        service,
                        host,
                        port,
                        subset,
                        &blocks,
                        client,
                        chosen.collect(),
                    ));
                }
            }
        }
        clusters
    }

    fn add(&mut self, cluster: Cluster) {
        self.by_name
            .insert(cluster.name.clone(), ClusterId(self.list.len()));
        self.list.push(Arc::new(cluster));
    }
}

fn cluster(
    service: &Callee<'_>,
    host: &str,
    port: &ServicePort,
    subset: Option<Named<'_, Subset>>,
    blocks: &PolicyBlocks<'_>,
    client: &Client,
    mut endpoints: Vec<Endpoint>,
) -> Cluster {
    let policy = blocks.compile(port, client.role);
    if policy.load_balancer == LoadBalancer::PassThrough || service.headless {
        // The client has chosen the endpoint itself, by the address it dials; a proxy that is not in its way by
        // interception does not see that, and has no endpoint.
        endpoints.clear();
    }
    // The rule's setting, else the service's, else the mesh's: enabled, no more.
    let close = service.prefers_close().then(prefer_close);
    let setting = blocks.locality().cloned().or(close).unwrap_or_default();
    let priorities = priorities::assign(&setting, policy.outlier.is_some(), client, &mut endpoints);
    let subset_name = subset.map(|subset| subset.spec.name.value.clone());
    let mut origins = blocks.origins();
    origins.extend(subset.map(|subset| {
        let written = Origin::new(subset.object, subset.spec.name.mark);
        (ClusterPart::Subset, written)
    }));
    Cluster {
        name: name(host, subset_name.as_deref(), port.port),
        host: host.to_owned(),
        port: port.port,
        subset: subset_name,
        service_name: service_name(service),
        service_namespace: service.namespace().to_owned(),
        endpoints,
        priorities,
        policy,
        origins,
    }
}

fn in_subset(endpoint: &Endpoint, subset: Option<Named<'_, Subset>>) -> bool {
    let has = |(name, value): (&String, &String)| endpoint.label(name) == Some(value);
    subset.is_none_or(|subset| subset.spec.labels.iter().all(has))
}

/// Whether all labels of the selector are among the labels.
pub(crate) fn selects(selector: &BTreeMap<String, String>, labels: &BTreeMap<String, String>) -> bool {
    selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// What logs and metrics call a service: a host of a ServiceEntry keeps its full name.
fn service_name(service: &Callee<'_>) -> String {
    match &service.object.spec {
        Spec::Service(_) => service.object.metadata.name.clone(),
        _ => service.name.clone(),
    }
}

/// The endpoints of a service port, those of its namesakes' ports of the same name included, each address once.
fn endpoints(
    registry: &Registry<'_>,
    service: &Callee<'_>,
    port: &ServicePort,
    workloads: &[Workload],
    labels: &[Labels],
) -> Vec<Endpoint> {
    let candidates = Candidates {
        registry,
        workloads,
        labels,
    };
    let is_own = service.namesakes.iter().all(|other| !other.has(port));
    let others = service.namesakes.iter().flat_map(|other| {
        let port = other.ports.iter().find(|own| own.name == port.name);
        port.map_or(Vec::new(), |port| {
            candidates.behind(other.object, other.backing, port)
        })
    });
    let own = candidates.behind(service.object, service.backing, port);
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for endpoint in own.into_iter().chain(others) {
        if is_own || !endpoints.iter().any(|other| other.address == endpoint.address) {
            endpoints.push(endpoint);
        }
    }
    endpoints
}

/// What may be behind a service.
struct Candidates<'a> {
    registry: &'a Registry<'a>,
    workloads: &'a [Workload],
    labels: &'a [Labels],
}

impl Candidates<'_> {
    /// The endpoints written out, or the workloads, then the WorkloadEntry objects, that the selector finds in the
    /// service's namespace.
    fn behind(&self, object: &Object, backing: Backing<'_>, port: &ServicePort) -> Vec<Endpoint> {
        let namespace = &object.metadata.namespace;
        let selector = match backing {
            Backing::Selected(selector) if !selector.is_empty() => selector,
            Backing::Listed(listed) => {
                let metadata = Metadata {
                    name: object.metadata.name.clone(),
                    namespace: namespace.clone(),
                    ..Metadata::default()
                };
                let listed = listed.iter();
                return listed
                    .filter_map(|entry| of_entry(&metadata, entry, port))
                    .collect();
            }
            _ => return Vec::new(),
        };
        let workloads = self.workloads.iter().zip(self.labels);
        let selected = workloads.filter(|(w, _)| w.namespace == *namespace && selects(selector, &w.labels));
        let pods = selected.filter_map(|(w, labels)| of_workload(w, labels, port));
        let entries = self.registry.entries.iter().filter(|entry| {
            entry.metadata().namespace == *namespace
                && selects(selector, &entry_labels(entry.metadata(), entry.spec))
        });
        pods.chain(entries.filter_map(|entry| of_entry(entry.metadata(), entry.spec, port)))
            .collect()
    }
}

fn of_workload(workload: &Workload, labels: &Labels, port: &ServicePort) -> Option<Endpoint> {
    let container_port = match &port.target_port {
        PortRef::Number(number) => *number,
        PortRef::Name(name) => *workload.port_names.get(name)?,
    };
    let listening = workload
        .ports
        .get(&container_port)
        .copied()
        .unwrap_or(container_port);
    Some(Endpoint {
        workload: workload.name.clone(),
        namespace: workload.namespace.clone(),
        address: SocketAddr::new(workload.address, listening),
        labels: Arc::clone(labels),
        weight: workload.weight.max(1),
        locality: workload.locality.clone(),
        healthy: workload.ready,
    })
}

/// Labels of the spec together with those of the object.
fn entry_labels(metadata: &Metadata, spec: &WorkloadEntry) -> BTreeMap<String, String> {
    let mut labels = metadata.labels.clone();
    labels.extend(spec.labels.clone());
    labels
}

fn of_entry(metadata: &Metadata, spec: &WorkloadEntry, port: &ServicePort) -> Option<Endpoint> {
    let by_name = port.name.as_ref().and_then(|name| spec.ports.get(name));
    let target = match &port.target_port {
        PortRef::Number(number) => by_name.or(Some(number)),
        PortRef::Name(name) => spec.ports.get(name).or(by_name),
    };
    Some(Endpoint {
        workload: metadata.name.clone(),
        namespace: metadata.namespace.clone(),
        address: SocketAddr::new(spec.address.parse::<IpAddr>().ok()?, *target?),
        labels: Arc::new(entry_labels(metadata, spec)),
        weight: spec.weight.unwrap_or(1).max(1),
        locality: spec.locality.clone(),
        healthy: true,
    })
}
