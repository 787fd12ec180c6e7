//! Virtual hosts of a sidecar's port.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::compile::Scope;
use super::egress::Imports;
use super::registry::Named;
use super::services::{Backing, Callee};
use super::{RouteTable, VirtualHost};
use crate::host;
use crate::object::virtual_service::VirtualService;
use crate::route::Route;

/// The port on which a rule's hosts that are no services get virtual hosts all the same: a quirk of istiod.
const UNKNOWN_HOSTS_PORT: u16 = 80;

/// A rule bound to the mesh, with its full, lower-case hosts.
struct Bound<'a> {
    rule: Named<'a, VirtualService>,
    hosts: Vec<String>,
}

/// The table of one port: rules in their order, then services that no rule took; of both those that the client's
/// listener for the port imports.
pub(super) fn table(scope: &Scope<'_>) -> RouteTable {
    let Some(imports) = scope.registry.egress.on(scope.port) else {
        return RouteTable::default();
    };
    let services = services(scope, imports);
    let bound = bound(scope, imports);
    let by_wildcard = by_wildcard(&services, &bound);
    let mut table = RouteTable::default();
    let mut taken = BTreeSet::new();
    for (index, Bound { rule, hosts }) in bound.iter().enumerate() {
        // A rule that names a service is used for it; the first such rule that has routes gets it.
        let named = hosts
            .iter()
            .filter_map(|host| services.get(host.as_str()).copied());
        let covered = by_wildcard.get(&index).into_iter().flatten().copied();
        let selected: BTreeSet<&str> = named.chain(covered).collect();
        // One host that is a service selects the whole rule, with its hosts that are none.
        if selected.is_empty() && scope.port != UNKNOWN_HOSTS_PORT {
            continue;
        }
        // A rule that is left without routes for this client and port does not exist.
        let routes = scope.routes(rule);
        if routes.is_empty() {
            continue;
        }
        let mut add = |name: &str, domains: Vec<String>| {
            table.add(VirtualHost {
                name: format!("{name}:{}", scope.port),
                domains,
                routes: routes.clone(),
                origin: Some(rule.object.key()),
            });
        };
        for host in hosts.iter().filter(|host| !is_known(scope, imports, host)) {
            add(host, vec![host.clone()]);
        }
        for service in selected {
            add(service, domains(scope, imports, service, &services));
            taken.insert(service);
        }
    }
    for service in services.difference(&taken) {
        // An ExternalName service is called through what it points at.
        let callee = scope.registry.services.get(*service);
        if callee.is_some_and(|callee| !matches!(callee.backing, Backing::Alias(_))) {
            table.add(default_host(scope, imports, service, &services));
        }
    }
    let sniffed = |callee: &&Callee<'_>| callee.port(scope.port).is_some_and(|port| port.is_sniffed());
    let sniffed = services
        .iter()
        .filter_map(|name| scope.registry.services.get(*name))
        .filter(sniffed);
    if let Some(first) = sniffed.min_by_key(|callee| callee.age) {
        table.sniff(&first.name.to_ascii_lowercase());
    }
    table
}

fn bound<'a>(scope: &Scope<'a>, imports: Imports<'_>) -> Vec<Bound<'a>> {
    let rules = scope.registry.visible(scope.client).into_iter();
    rules
        .filter(|rule| scope.is_bound(&rule.spec.gateways, &rule.metadata().namespace))
        .map(|rule| {
            let namespace = &rule.metadata().namespace;
            let hosts = rule.spec.hosts.iter();
            let hosts = hosts.map(|host| host::complete(&host.value, namespace).to_ascii_lowercase());
            Bound {
                hosts: hosts.collect(),
                rule,
            }
        })
        .filter(|bound| imports.rule(&bound.rule.metadata().namespace, &bound.hosts))
        .collect()
}

/// Full names of the services that have this port as an HTTP port.
fn services<'s>(scope: &Scope<'s>, imports: Imports<'_>) -> BTreeSet<&'s str> {
    let callees = scope.registry.services.values();
    callees
        .filter(|callee| callee.port(scope.port).is_some_and(|port| port.is_http()))
        .filter(|callee| imports.service(callee.namespace(), &callee.name))
        .map(|callee| callee.name.as_str())
        .collect()
}

/// Whether a host is (or, as a wildcard, overlaps) a service that has this port, of whatever protocol.
fn is_known(scope: &Scope<'_>, imports: Imports<'_>, host: &str) -> bool {
    let services = &scope.registry.services;
    let has_port = |callee: &Callee<'_>| {
        callee.port(scope.port).is_some() && imports.service(callee.namespace(), &callee.name)
    };
    if !host.starts_with('*') {
        return services.get(host).is_some_and(has_port);
    }
    services
        .values()
        .any(|callee| host::overlap(host, &callee.name) && has_port(callee))
}

/// Services by the one rule that can have them by a wildcard: of all hosts that cover a service the most specific one
/// decides, whether its rule has routes or not, and of equal hosts the first.
fn by_wildcard<'s>(services: &BTreeSet<&'s str>, bound: &[Bound<'_>]) -> BTreeMap<usize, Vec<&'s str>> {
    let hosts = bound
        .iter()
        .enumerate()
        .flat_map(|(index, bound)| bound.hosts.iter().map(move |host| (index, host)));
    let mut rules: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for service in services {
        let covering = hosts.clone().filter(|(_, host)| host::covers(host, service));
        // `max_by_key` takes the last of equals.
        if let Some((index, _)) = covering.rev().max_by_key(|(_, host)| host::specificity(host)) {
            rules.entry(index).or_default().push(service);
        }
    }
    rules
}

/// The virtual host of a service without a rule.
fn default_host(
    scope: &Scope<'_>,
    imports: Imports<'_>,
    service: &str,
    others: &BTreeSet<&str>,
) -> VirtualHost {
    let route: Route = scope.default_route(service);
    VirtualHost {
        name: format!("{service}:{}", scope.port),
        domains: domains(scope, imports, service, others),
        routes: vec![route],
        origin: None,
    }
}

/// The names by which a client can call a service: its own, those of ExternalName services that stand for it, and its
/// addresses. A short form that is another service's full name is that one's.
fn domains(scope: &Scope<'_>, imports: Imports<'_>, service: &str, others: &BTreeSet<&str>) -> Vec<String> {
    let own = scope.client.namespace.as_str();
    let free = |name: &String| !others.contains(name.as_str());
    let mut domains = vec![service.to_ascii_lowercase()];
    domains.extend(short_names(service, own).into_iter().filter(free));
    let Some(callee) = scope.registry.services.get(service) else {
        return domains;
    };
    for (namespace, alias) in &callee.aliases {
        if imports.service(namespace, alias) {
            domains.push(alias.to_ascii_lowercase());
            domains.extend(short_names(alias, own).into_iter().filter(free));
        }
    }
    if callee.headless {
        // Its pods have names below its own.
        let below: Vec<String> = domains.iter().map(|domain| format!("*.{domain}")).collect();
        domains.extend(below);
    }
    domains.extend(callee.addresses.iter().map(|address| (*address).to_owned()));
    domains
}

/// What else a full name may be written as, in lower case: with a dot at its end, and, if it ends like a Kubernetes
/// service's, without that end; the shortest form works in the service's namespace alone.
fn short_names(service: &str, own: &str) -> Vec<String> {
    let service = service.to_ascii_lowercase();
    if service.parse::<IpAddr>().is_ok() {
        return Vec::new();
    }
    let mut names = vec![format!("{service}.")];
    let short = service
        .strip_suffix(host::DOMAIN)
        .and_then(|name| name.strip_suffix('.'));
    let Some((short, (name, namespace))) = short.and_then(|short| Some((short, short.split_once('.')?)))
    else {
        return names;
    };
    if namespace == own && name != "*" {
        names.push(name.to_owned());
    }
    names.extend([format!("{short}.svc"), short.to_owned()]);
    names
}
