//! Virtual hosts of a sidecar's port.

use std::collections::BTreeMap;

use super::compile::Scope;
use super::registry::Named;
use super::{RouteTable, VirtualHost};
use crate::host;
use crate::object::virtual_service::VirtualService;
use crate::route::Route;

/// The port on which a rule's hosts that are no services get virtual hosts all the same: a quirk of istiod.
const UNKNOWN_HOSTS_PORT: u16 = 80;

/// A rule with its full, lower-case hosts and its routes for this scope.
struct Candidate<'a> {
    rule: Named<'a, VirtualService>,
    hosts: Vec<String>,
    routes: Vec<Route>,
}

/// The table of one port: rules in their order, then services that no rule took.
pub(super) fn table(scope: &Scope<'_>) -> RouteTable {
    let candidates = candidates(scope);
    let services: Vec<&String> = scope
        .registry
        .services
        .keys()
        .filter(|name| scope.registry.http_port(name, scope.port).is_some())
        .collect();
    let owners: BTreeMap<&str, (usize, &str)> = services
        .iter()
        .filter_map(|service| Some((service.as_str(), owner(&candidates, service)?)))
        .collect();
    let mut table = RouteTable::default();
    for (index, candidate) in candidates.iter().enumerate() {
        let selected = owners.values().any(|(owner, _)| *owner == index);
        for host in &candidate.hosts {
            for (service, _) in owners
                .iter()
                .filter(|(_, owner)| **owner == (index, host.as_str()))
            {
                table.add(virtual_host(scope, service, domains(scope, service), candidate));
            }
            // One host that is a service selects the whole rule, with its hosts that are none.
            let unknown =
                !host.ends_with('.') && !services.iter().any(|service| host::matches(host, service));
            if unknown && (selected || scope.port == UNKNOWN_HOSTS_PORT) {
                table.add(virtual_host(scope, host, vec![host.clone()], candidate));
            }
        }
    }
    for service in services
        .iter()
        .filter(|service| !owners.contains_key(service.as_str()))
    {
        table.add(VirtualHost {
            name: format!("{service}:{}", scope.port),
            domains: domains(scope, service),
            routes: vec![scope.default_route(service)],
            origin: None,
        });
    }
    table
}

/// Rules bound to the mesh that have at least one route for this client and port.
fn candidates<'a>(scope: &Scope<'a>) -> Vec<Candidate<'a>> {
    let mut candidates = Vec::new();
    for rule in scope.registry.visible(scope.client) {
        let namespace = &rule.metadata().namespace;
        if !scope.is_bound(&rule.spec.gateways, namespace) {
            continue;
        }
        let routes = scope.routes(&rule);
        if !routes.is_empty() {
            let complete = |host: &String| host::complete(host, namespace).to_ascii_lowercase();
            let hosts = rule.spec.hosts.iter().map(|host| complete(&host.value)).collect();
            candidates.push(Candidate { rule, hosts, routes });
        }
    }
    candidates
}

/// The rule and host that a service belongs to: the most specific host, and among equal hosts the first rule.
fn owner<'c>(candidates: &'c [Candidate<'_>], service: &str) -> Option<(usize, &'c str)> {
    let hosts = candidates
        .iter()
        .enumerate()
        .flat_map(|(index, c)| c.hosts.iter().map(move |h| (index, h.as_str())));
    let matching = hosts.filter(|(_, host)| host::matches(host, service));
    matching.min_by_key(|(index, host)| (host.starts_with('*'), usize::MAX - host.len(), *index))
}

fn virtual_host(
    scope: &Scope<'_>,
    host: &str,
    domains: Vec<String>,
    candidate: &Candidate<'_>,
) -> VirtualHost {
    VirtualHost {
        name: format!("{host}:{}", scope.port),
        domains,
        routes: candidate.routes.clone(),
        origin: Some(candidate.rule.object.key()),
    }
}

/// The names by which a client can call a service.
fn domains(scope: &Scope<'_>, service: &str) -> Vec<String> {
    let mut domains = vec![service.to_owned(), format!("{service}.")];
    let mut parts = service.splitn(3, '.');
    if let (Some(name), Some(namespace)) = (parts.next(), parts.next()) {
        if namespace == scope.client.namespace {
            domains.push(name.to_owned());
        }
        domains.extend([format!("{name}.{namespace}.svc"), format!("{name}.{namespace}")]);
    }
    domains
}
