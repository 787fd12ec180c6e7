//! To which ports of which services a proxy has clusters.

use std::collections::{BTreeMap, BTreeSet};

use super::compile::is_of_mesh;
use super::delegate;
use super::egress::Imports;
use super::registry::{Named, Registry};
use crate::client::Client;
use crate::host;
use crate::object::virtual_service::{HttpRoute, RouteDestination, VirtualService};

/// Port numbers by full name of the service; `None`: nothing restricts the client, it reaches everything it sees.
pub(crate) struct Reach(Option<BTreeMap<String, BTreeSet<u16>>>);

impl Reach {
    /// What the listeners of the client's Sidecar object import, and where the rules lead that they import (istiod's
    /// `collectImportedServices`).
    pub(crate) fn of(registry: &Registry<'_>, client: &Client) -> Self {
        if !registry.egress.is_restricted() {
            return Reach(None);
        }
        let mut reach = Reach(Some(BTreeMap::new()));
        for (port, imports) in registry.egress.listeners() {
            for (name, callee) in &registry.services {
                if imports.service(callee.namespace(), name) {
                    reach.add(registry, name, port, None);
                }
            }
            for rule in registry.visible(client) {
                if is_of_mesh(&rule.spec.gateways) && imports.covers(&rule) {
                    reach.follow(registry, client, &rule, port);
                }
            }
        }
        reach
    }

    /// Whether there is a cluster.
    pub(crate) fn has(&self, service: &str, port: u16) -> bool {
        let Reach(Some(ports)) = self else { return true };
        ports.get(service).is_some_and(|ports| ports.contains(&port))
    }

    fn follow(
        &mut self,
        registry: &Registry<'_>,
        client: &Client,
        rule: &Named<'_, VirtualService>,
        listener: Option<u16>,
    ) {
        let namespace = &rule.metadata().namespace;
        let mut wanted: BTreeMap<String, BTreeSet<Option<u16>>> = BTreeMap::new();
        for effective in delegate::rules(registry, rule) {
            if is_for(&effective.http, &client.namespace) {
                for target in targets(&effective.http) {
                    let name = host::complete(&target.host.value, namespace);
                    wanted.entry(name).or_default().insert(target.port);
                }
            }
        }
        for (name, ports) in wanted {
            // One destination without a port, and all of them are reached.
            let ports: Option<BTreeSet<u16>> = ports.into_iter().collect();
            self.add(registry, &name, listener, ports.as_ref());
        }
    }

    /// Of a listener with a port of its own that port alone counts; else the `wanted` ones, or all.
    fn add(
        &mut self,
        registry: &Registry<'_>,
        name: &str,
        listener: Option<u16>,
        wanted: Option<&BTreeSet<u16>>,
    ) {
        let (Reach(Some(reached)), Some(callee)) = (self, registry.services.get(name)) else {
            return;
        };
        let ports = callee
            .ports
            .iter()
            .map(|port| port.port)
            .filter(|port| match listener {
                Some(listener) => *port == listener,
                None => wanted.is_none_or(|wanted| wanted.contains(port)),
            });
        reached.entry(name.to_owned()).or_default().extend(ports);
    }
}

impl Imports<'_> {
    /// Whether a rule is imported.
    fn covers(&self, rule: &Named<'_, VirtualService>) -> bool {
        let namespace = &rule.metadata().namespace;
        let hosts = rule.spec.hosts.iter();
        let hosts: Vec<String> = hosts
            .map(|host| host::complete(&host.value, namespace).to_ascii_lowercase())
            .collect();
        self.rule(namespace, &hosts)
    }
}

/// Whether a rule is one for clients of a namespace. If all blocks that name a namespace name another, it is not, even if
/// there are blocks that name none.
fn is_for(http: &HttpRoute, namespace: &str) -> bool {
    let named: Vec<&String> = http
        .matches
        .iter()
        .filter_map(|block| block.source_namespace.as_ref())
        .collect();
    named.is_empty() || named.iter().any(|one| *one == namespace)
}

fn targets(http: &HttpRoute) -> impl Iterator<Item = &RouteDestination> {
    let mirrors = http.mirroring.mirrors.iter().map(|(target, _)| target);
    http.route.iter().chain(&http.mirroring.mirror).chain(mirrors)
}
