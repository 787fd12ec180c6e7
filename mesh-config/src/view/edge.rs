//! Virtual hosts of a gateway's port.

use std::collections::{BTreeMap, BTreeSet};

use super::clusters::{Clusters, selects};
use super::compile::Scope;
use super::registry::{Named, Registry};
use super::{GatewayServer, RouteTable, VirtualHost};
use crate::client::Client;
use crate::host;
use crate::object::Object;
use crate::object::gateway::Server;
use crate::object::virtual_service::VirtualService;
use crate::route::matching::RequestMatch;
use crate::route::redirect::Redirect;
use crate::route::{Action, Route};

/// Plain HTTP servers, with their objects, of the Gateways that select these labels; oldest first.
pub(crate) fn servers<'a>(
    registry: &Registry<'a>,
    labels: &BTreeMap<String, String>,
) -> Vec<(&'a Object, &'a Server)> {
    let gateways = registry.gateways.iter();
    gateways
        .filter(|gateway| selects(&gateway.spec.selector, labels))
        .flat_map(|Named { object, spec }| spec.servers.iter().map(move |server| (*object, server)))
        .filter(|(_, server)| server.http)
        .collect()
}

/// The same for a proxy that is to listen: one per port.
pub(crate) fn listeners(registry: &Registry<'_>, labels: &BTreeMap<String, String>) -> Vec<GatewayServer> {
    let mut by_port = BTreeMap::new();
    for (_, server) in servers(registry, labels) {
        by_port.entry(server.port).or_insert_with(|| server.name.clone());
    }
    let servers = by_port.into_iter();
    servers.map(|(port, name)| GatewayServer { port, name }).collect()
}

/// Virtual hosts being put together.
#[derive(Default)]
struct Hosts {
    by_domain: BTreeMap<String, VirtualHost>,
    /// Domains of servers with `tls.httpsRedirect`.
    redirected: BTreeSet<String>,
}

impl Hosts {
    /// The virtual host of a domain; a new one has no routes and comes from `origin`.
    fn of(&mut self, domain: String, port: u16, origin: &Object) -> &mut VirtualHost {
        self.by_domain
            .entry(domain.clone())
            .or_insert_with(|| VirtualHost {
                name: format!("{domain}:{port}"),
                domains: vec![domain],
                routes: Vec::new(),
                origin: Some(origin.key()),
            })
    }
}

/// The table of one port of a gateway. Rules for one domain are merged: server by server, each time in the order of
/// the rules, routes that take everything at the end.
pub(super) fn table(
    registry: &Registry<'_>,
    clusters: &Clusters,
    client: &Client,
    port: u16,
    servers: &[(&Object, &Server)],
) -> RouteTable {
    let mut hosts = Hosts::default();
    // The same rule through a second server of the same gateway adds nothing.
    let mut seen = BTreeSet::new();
    for (object, server) in servers.iter().filter(|(_, server)| server.port == port) {
        let gateway = format!("{}/{}", object.metadata.namespace, object.metadata.name);
        let scope = Scope {
            registry,
            clusters,
            client,
            port,
            gateway: &gateway,
        };
        for rule in registry.visible(client) {
            let routes = if scope.is_bound(&rule.spec.gateways, &rule.metadata().namespace) {
                scope.routes(&rule)
            } else {
                Vec::new()
            };
            if routes.is_empty() {
                continue;
            }
            for domain in served(&rule, object, server) {
                if server.https_redirect {
                    hosts.redirected.insert(domain.clone());
                }
                if !seen.insert((domain.clone(), gateway.clone(), rule.object.key())) {
                    continue;
                }
                let host = hosts.of(domain, port, rule.object);
                host.routes.extend(routes.iter().cloned());
            }
        }
        redirect_hosts(&mut hosts, object, server);
    }
    let mut table = RouteTable::default();
    for (domain, mut host) in hosts.by_domain {
        if hosts.redirected.contains(&domain) {
            host.routes = vec![to_https()];
        }
        // Inside one rule a route that takes everything is the last one anyway, and the sort is stable.
        host.routes.sort_by_key(|route| route.matcher.is_catch_all());
        table.add(host);
    }
    table
}

/// `tls.httpsRedirect` of a server: its hosts without a rule are redirected, too. One with a namespace is a name then that
/// nobody can ask for: so istiod has it.
fn redirect_hosts(hosts: &mut Hosts, gateway: &Object, server: &Server) {
    for host in server.hosts.iter().filter(|_| server.https_redirect) {
        // `./` stands for the gateway's namespace; no request has such a host, but the table has the domain.
        let domain = match host.value.strip_prefix("./") {
            Some(name) => format!("{}/{name}", gateway.metadata.namespace),
            None => host.value.clone(),
        };
        let domain = domain.to_ascii_lowercase();
        hosts.redirected.insert(domain.clone());
        hosts.of(domain, server.port, gateway);
    }
}

/// What a virtual host that requires TLS does with everything.
fn to_https() -> Route {
    Route {
        name: String::new(),
        rule: None,
        root: None,
        matcher: RequestMatch::default(),
        action: Action::Redirect(Redirect::to_https()),
    }
}

/// The domains that a rule has on a server: of each pair of hosts that meet, the more specific one.
fn served(rule: &Named<'_, VirtualService>, gateway: &Object, server: &Server) -> Vec<String> {
    let namespace = rule.metadata().namespace.as_str();
    let written = rule.spec.hosts.iter();
    let hosts: Vec<String> = written
        .map(|host| host::complete(&host.value, namespace).to_ascii_lowercase())
        .collect();
    let mut domains = Vec::new();
    for allowed in &server.hosts {
        let (from, allowed) = allowed.value.split_once('/').unwrap_or(("*", &allowed.value));
        let from = if from == "." {
            gateway.metadata.namespace.as_str()
        } else {
            from
        };
        if from != "*" && from != namespace {
            continue;
        }
        let allowed = allowed.to_ascii_lowercase();
        for host in &hosts {
            if host::covers(host, &allowed) {
                domains.push(allowed.clone());
            } else if host::covers(&allowed, host) {
                domains.push(host.clone());
            }
        }
    }
    domains
}
