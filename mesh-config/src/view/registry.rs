//! What a mesh has, looked up in the ways that compiling a view needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::client::Client;
use crate::host;
use crate::object::destination_rule::{Subset, TrafficPolicy};
use crate::object::kubernetes::{Service, ServicePort, WorkloadEntry};
use crate::object::virtual_service::VirtualService;
use crate::object::{Metadata, Object, Spec};
use crate::view::cluster::ClusterPolicy;

/// Where mesh-wide rules live.
const ROOT_NAMESPACE: &str = "istio-system";

/// The objects of a mesh by kind, rules oldest first.
pub(crate) struct Registry<'a> {
    /// By full name.
    pub(crate) services: BTreeMap<String, Named<'a, Service>>,
    pub(crate) virtual_services: Vec<Named<'a, VirtualService>>,
    pub(crate) entries: Vec<Named<'a, WorkloadEntry>>,
    destination_rules: Vec<Named<'a, crate::DestinationRule>>,
}

/// A spec with the object it belongs to.
pub(crate) struct Named<'a, T> {
    pub(crate) object: &'a Object,
    pub(crate) spec: &'a T,
}

// By hand: deriving would ask that the spec itself can be copied.
impl<T> Clone for Named<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Named<'_, T> {}

impl<T> Named<'_, T> {
    pub(crate) fn metadata(&self) -> &Metadata {
        &self.object.metadata
    }
}

/// Several DestinationRules for one host as one.
#[derive(Default)]
pub(crate) struct MergedRule<'a> {
    pub(crate) subsets: Vec<&'a Subset>,
    policy: Option<&'a TrafficPolicy>,
}

impl<'a> Registry<'a> {
    /// `objects` with their ages.
    pub(crate) fn new(objects: impl Iterator<Item = (&'a Object, i64)>) -> Self {
        let mut objects: Vec<_> = objects.collect();
        // Oldest first, ties by name, then by namespace.
        objects
            .sort_by_key(|(object, created)| (*created, &object.metadata.name, &object.metadata.namespace));
        let mut registry = Registry {
            services: BTreeMap::new(),
            virtual_services: Vec::new(),
            entries: Vec::new(),
            destination_rules: Vec::new(),
        };
        for (object, _) in objects {
            match &object.spec {
                Spec::Service(spec) => {
                    let name = host::service(&object.metadata.name, &object.metadata.namespace);
                    registry.services.insert(name, Named { object, spec });
                }
                Spec::VirtualService(spec) => registry.virtual_services.push(Named { object, spec }),
                Spec::DestinationRule(spec) => registry.destination_rules.push(Named { object, spec }),
                Spec::WorkloadEntry(spec) => registry.entries.push(Named { object, spec }),
                _ => {}
            }
        }
        registry
    }

    /// The HTTP port of a service with this number.
    pub(crate) fn http_port(&self, service: &str, port: u16) -> Option<&'a ServicePort> {
        let ports = &self.services.get(service)?.spec.ports;
        ports
            .iter()
            .find(|candidate| candidate.port == port && candidate.is_http())
    }

    /// Rules that the client sees, in the order in which they are considered: those private to its namespace, those
    /// exported to it by name, then public ones; oldest first in each group.
    pub(crate) fn visible(&self, client: &Client) -> Vec<Named<'a, VirtualService>> {
        let mut rules: Vec<_> = self.virtual_services.iter().copied().collect();
        rules.retain(|rule| {
            exported(
                &rule.spec.export_to,
                &rule.metadata().namespace,
                &client.namespace,
            )
        });
        rules.sort_by_key(|rule| {
            rank(
                &rule.spec.export_to,
                &rule.metadata().namespace,
                &client.namespace,
            )
        });
        rules
    }

    /// The DestinationRule for a host: of the client's namespace, else of the service's, else of the root namespace.
    /// The first namespace with any that matches ends the search; exact hosts win over wildcards, longer over shorter.
    pub(crate) fn rule_for(&self, client: &Client, service: &str) -> MergedRule<'a> {
        let owner = self
            .services
            .get(service)
            .map(|s| s.metadata().namespace.as_str())
            .unwrap_or_default();
        let own = Some(client.namespace.as_str()).filter(|own| *own != ROOT_NAMESPACE);
        for namespace in own.into_iter().chain([owner, ROOT_NAMESPACE]) {
            let candidates: Vec<_> = self
                .destination_rules
                .iter()
                .filter(|rule| {
                    rule.metadata().namespace == namespace
                        && exported(&rule.spec.export_to, namespace, &client.namespace)
                })
                .map(|rule| {
                    (
                        host::complete(&rule.spec.host.value, namespace).to_ascii_lowercase(),
                        rule.spec,
                    )
                })
                .collect();
            let matching = candidates
                .iter()
                .map(|(host, _)| host)
                .filter(|host| host::matches(host, service));
            if let Some(best) = matching
                .max_by_key(|host| (!host.starts_with('*'), host.len()))
                .cloned()
            {
                return merge(
                    candidates
                        .into_iter()
                        .filter(|(host, _)| *host == best)
                        .map(|(_, rule)| rule),
                );
            }
        }
        MergedRule::default()
    }

    /// Whether any rule anywhere defines the subset for this service.
    pub(crate) fn defines_subset(&self, service: &str, subset: &str) -> bool {
        self.destination_rules.iter().any(|rule| {
            let host = host::complete(&rule.spec.host.value, &rule.metadata().namespace).to_ascii_lowercase();
            host::matches(&host, service) && rule.spec.subsets.iter().any(|s| s.name.value == subset)
        })
    }
}

fn exported(export_to: &[String], namespace: &str, client: &str) -> bool {
    export_to.is_empty()
        || export_to
            .iter()
            .any(|to| to == "*" || to == client || to == "." && namespace == client)
}

/// 0: private to the client's namespace, 1: exported to it by name, 2: public.
fn rank(export_to: &[String], namespace: &str, client: &str) -> u8 {
    if export_to.is_empty() || export_to.iter().any(|to| to == "*") {
        return 2;
    }
    let own = namespace == client && export_to.iter().all(|to| to == "." || to == namespace);
    if own { 0 } else { 1 }
}

/// Subsets are united, the first of a name wins; the first policy wins whole.
fn merge<'a>(rules: impl Iterator<Item = &'a crate::DestinationRule>) -> MergedRule<'a> {
    let mut merged = MergedRule::default();
    for rule in rules {
        for subset in &rule.subsets {
            if !merged.subsets.iter().any(|other| other.name == subset.name) {
                merged.subsets.push(subset);
            }
        }
        merged.policy = merged.policy.or(rule.traffic_policy.as_ref());
    }
    merged
}

impl MergedRule<'_> {
    /// Each block that the subset gives replaces the rule's block whole.
    pub(crate) fn policy(&self, subset: Option<&Subset>) -> ClusterPolicy {
        let subset = subset.and_then(|subset| subset.traffic_policy.as_ref());
        let blocks = || subset.into_iter().chain(self.policy);
        ClusterPolicy {
            load_balancer: blocks()
                .find_map(|policy| policy.load_balancer)
                .unwrap_or_default(),
            pool: blocks()
                .find_map(|policy| policy.connection_pool.clone())
                .unwrap_or_default(),
            outlier: blocks().find_map(|policy| policy.outlier_detection.clone()),
        }
    }

    /// The subset's `version` label, else its name.
    pub(crate) fn version(&self, name: &str) -> String {
        let subset = self.subsets.iter().find(|subset| subset.name.value == name);
        subset
            .and_then(|subset| subset.labels.get("version"))
            .map_or(name, String::as_str)
            .to_owned()
    }
}

/// Labels shared by all endpoints of a workload.
pub(crate) type Labels = Arc<BTreeMap<String, String>>;
