//! Virtual hosts of a gateway's port.

use std::collections::BTreeMap;

use super::clusters::{Clusters, selects};
use super::compile::Scope;
use super::registry::Registry;
use super::{GatewayServer, RouteTable, VirtualHost};
use crate::client::Client;
use crate::host;
use crate::object::gateway::Server;
use crate::object::{Object, Spec};
use crate::route::Route;

/// Plain HTTP servers, with their objects, of the Gateways that select these labels.
pub(crate) fn servers<'a>(
    objects: impl Iterator<Item = &'a Object>,
    labels: &BTreeMap<String, String>,
) -> Vec<(&'a Object, &'a Server)> {
    let mut servers = Vec::new();
    for object in objects {
        if let Spec::Gateway(gateway) = &object.spec
            && selects(&gateway.selector, labels)
        {
            servers.extend(
                gateway
                    .servers
                    .iter()
                    .filter(|s| s.http)
                    .map(|server| (object, server)),
            );
        }
    }
    servers
}

/// The same for a proxy that is to listen: one per port.
pub(crate) fn listeners<'a>(
    objects: impl Iterator<Item = &'a Object>,
    labels: &BTreeMap<String, String>,
) -> Vec<GatewayServer> {
    let servers = servers(objects, labels);
    let by_port: BTreeMap<u16, &str> = servers
        .iter()
        .rev()
        .map(|(_, s)| (s.port, s.name.as_str()))
        .collect();
    by_port
        .into_iter()
        .map(|(port, name)| GatewayServer {
            port,
            name: name.to_owned(),
        })
        .collect()
}

/// The table of one port of a gateway. Rules for one domain are merged: in the order of age, routes that take
/// everything at the end.
pub(super) fn table(
    registry: &Registry<'_>,
    clusters: &Clusters,
    client: &Client,
    port: u16,
    servers: &[(&Object, &Server)],
) -> RouteTable {
    let mut hosts: BTreeMap<String, VirtualHost> = BTreeMap::new();
    // Oldest first; who exports to whom matters here, too.
    for rule in registry.virtual_services.iter().filter(|rule| {
        let to = &rule.spec.export_to;
        to.is_empty()
            || to.iter().any(|to| to == "*" || *to == client.namespace)
            || rule.metadata().namespace == client.namespace
    }) {
        let namespace = &rule.metadata().namespace;
        for (object, server) in servers.iter().filter(|(_, server)| server.port == port) {
            let gateway = format!("{}/{}", object.metadata.namespace, object.metadata.name);
            let scope = Scope {
                registry,
                clusters,
                client,
                port,
                gateway: &gateway,
            };
            if !scope.is_bound(&rule.spec.gateways, namespace) {
                continue;
            }
            let routes = scope.routes(rule);
            let written = rule
                .spec
                .hosts
                .iter()
                .map(|host| host::complete(&host.value, namespace).to_ascii_lowercase());
            for domain in written.filter_map(|host| served(&host, namespace, object, server)) {
                if routes.is_empty() {
                    continue;
                }
                let entry = hosts.entry(domain.clone()).or_insert_with(|| VirtualHost {
                    name: format!("{domain}:{port}"),
                    domains: vec![domain],
                    routes: Vec::new(),
                    origin: Some(rule.object.key()),
                });
                // The same rule through a second server adds nothing.
                let known = entry.routes.iter().any(|route| is_of(route, rule.object));
                if !known {
                    entry.routes.extend(routes.iter().cloned());
                }
            }
        }
    }
    let mut table = RouteTable::default();
    for (_, mut host) in hosts {
        // Inside one rule a route that takes everything is the last one anyway, and the sort is stable.
        host.routes.sort_by_key(|route| route.matcher.is_catch_all());
        table.add(host);
    }
    table
}

fn is_of(route: &Route, object: &Object) -> bool {
    route
        .rule
        .as_ref()
        .is_some_and(|rule| rule.object == object.key())
}

/// The domain that a rule's host has on a server: the more specific of the two, if they meet.
fn served(host: &str, namespace: &str, gateway: &Object, server: &Server) -> Option<String> {
    server.hosts.iter().find_map(|allowed| {
        let (from, pattern) = allowed.value.split_once('/').unwrap_or(("*", &allowed.value));
        let from = if from == "." {
            gateway.metadata.namespace.as_str()
        } else {
            from
        };
        let pattern = pattern.to_ascii_lowercase();
        if from != "*" && from != namespace {
            None
        } else if host::matches(&pattern, host) || pattern == host {
            Some(host.to_owned())
        } else {
            host::matches(host, &pattern).then_some(pattern)
        }
    })
}
