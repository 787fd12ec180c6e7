//! The mesh as one client's proxy needs it.

mod blocks;
pub(crate) mod cluster;
pub(crate) mod clusters;
pub(crate) mod compile;
pub(crate) mod delegate;
pub(crate) mod destination_rules;
pub(crate) mod distribution;
pub(crate) mod edge;
pub(crate) mod egress;
pub(crate) mod ports;
mod reach;
pub(crate) mod registry;
pub(crate) mod services;
mod sidecar;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::client::{Client, Role, Workload};
use crate::host;
use crate::object::{Object, ObjectKey};
use crate::route::Route;
use crate::route::matching::RequestHead;
use cluster::{Cluster, ClusterId};
use clusters::Clusters;
use compile::{MESH, Scope};
pub use ports::ListenerKind;
use registry::Registry;

/// Everything one proxy needs: a route table per port, and the clusters.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// By the port that the client dials.
    pub ports: BTreeMap<u16, RouteTable>,
    /// Ports at which connections are passed on as they are, with the cluster that gets them.
    pub tcp: BTreeMap<u16, ClusterId>,
    /// [`ClusterId`] is the index.
    pub clusters: Vec<Arc<Cluster>>,
    /// Whether requests to hosts that nobody knows are let out (`ALLOW_ANY`) instead of being refused.
    pub allows_any: bool,
}

impl View {
    /// The table of a port; `None` when no HTTP service (or gateway server) has it.
    #[must_use]
    pub fn table(&self, port: u16) -> Option<&RouteTable> {
        self.ports.get(&port)
    }

    /// A cluster of this view. The id must come from this view.
    #[must_use]
    pub fn cluster(&self, id: ClusterId) -> &Arc<Cluster> {
        &self.clusters[id.0]
    }

    /// By name, `outbound|8080|v1|auth.default.svc.cluster.local`.
    #[must_use]
    pub fn cluster_named(&self, name: &str) -> Option<ClusterId> {
        self.clusters
            .iter()
            .position(|cluster| cluster.name == name)
            .map(ClusterId)
    }
}

/// The virtual hosts of one port.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    hosts: Vec<VirtualHost>,
    exact: HashMap<String, usize>,
    /// Texts after the `*`, longest first; the empty one is the domain `*`.
    suffixes: Vec<(String, usize)>,
    /// The virtual host of a service whose protocol is sniffed at this port.
    sniffed: Option<usize>,
}

impl RouteTable {
    /// Finds the virtual host by the Host header, then the first route that matches.
    #[must_use]
    pub fn route(&self, request: &RequestHead<'_>) -> Routing<'_> {
        self.virtual_host(request.authority)
            .map_or(Routing::UnknownHost, |host| host.decide(request))
    }

    /// As [`RouteTable::route`], for a client of which only the port that it dialled is known, not the address: where the
    /// protocol of a service is sniffed, its listener takes every Host that is nobody else's.
    #[must_use]
    pub fn route_dialled(&self, request: &RequestHead<'_>) -> Routing<'_> {
        let host = self.virtual_host(request.authority);
        match host.or(self.sniffed.and_then(|index| self.hosts.get(index))) {
            Some(host) => host.decide(request),
            None => Routing::UnknownHost,
        }
    }

    /// By the Host header: its port and case do not count; exact names win over suffixes, longer over shorter.
    #[must_use]
    pub fn virtual_host(&self, authority: &str) -> Option<&VirtualHost> {
        let name = host::of_authority(authority);
        let name = name.as_ref();
        let by_end = || {
            let longer = |end: &str| name.len() > end.len() && name.ends_with(end);
            self.suffixes
                .iter()
                .find(|(end, _)| end.is_empty() || longer(end))
        };
        let exact = self.exact.get(name).copied();
        let index = exact.or_else(|| by_end().map(|(_, index)| *index))?;
        self.hosts.get(index)
    }

    /// All virtual hosts.
    #[must_use]
    pub fn virtual_hosts(&self) -> &[VirtualHost] {
        &self.hosts
    }

    /// Gives every Host that is nobody's to the virtual host with this domain, unless another one has them.
    fn sniff(&mut self, domain: &str) {
        self.sniffed = self.sniffed.or(self.exact.get(domain).copied());
    }

    /// Adds a virtual host with those of its domains that no other one has; nothing if none is left.
    fn add(&mut self, mut host: VirtualHost) {
        let index = self.hosts.len();
        host.domains.retain(|domain| match domain.strip_prefix('*') {
            Some(suffix) => !self.suffixes.iter().any(|(other, _)| other == suffix),
            None => !self.exact.contains_key(domain),
        });
        if host.domains.is_empty() {
            return;
        }
        for domain in &host.domains {
            match domain.strip_prefix('*') {
                Some(suffix) => self.suffixes.push((suffix.to_owned(), index)),
                None => {
                    self.exact.insert(domain.clone(), index);
                }
            }
        }
        self.suffixes.sort_by_key(|(suffix, _)| usize::MAX - suffix.len());
        self.hosts.push(host);
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug)]
pub enum Routing<'a> {
    /// No virtual host: 502, on a gateway 404.
    UnknownHost,
    /// A virtual host, none of whose routes matched: 404, flag NR.
    NoRoute(&'a VirtualHost),
    /// The first route that matched.
    Route(&'a VirtualHost, &'a Route),
}

/// Domains and the routes behind them.
#[derive(Clone, Debug)]
pub struct VirtualHost {
    /// `auth-service.traffic-lab.svc.cluster.local:8080`.
    pub name: String,
    /// Lower case, without port: exact names, `*suffix` or `*`.
    pub domains: Vec<String>,
    /// In order.
    pub routes: Vec<Route>,
    /// The VirtualService; `None` for the default route of a Service.
    pub origin: Option<ObjectKey>,
}

impl VirtualHost {
    /// The first route that matches.
    fn decide(&self, request: &RequestHead<'_>) -> Routing<'_> {
        match self.routes.iter().find(|route| route.matcher.matches(request)) {
            Some(route) => Routing::Route(self, route),
            None => Routing::NoRoute(self),
        }
    }
}

/// A plain HTTP server of a Gateway object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayServer {
    /// Listener port.
    pub port: u16,
    /// Name of the port.
    pub name: String,
}

/// Compiles a mesh for one client.
pub(crate) fn build<'a>(
    objects: impl Iterator<Item = (&'a Object, i64)>,
    client: &Client,
    workloads: &[Workload],
) -> View {
    let registry = Registry::seen_by(client, objects);
    let clusters = Clusters::build(&registry, client, workloads);
    let (mut ports, mut tcp) = (BTreeMap::new(), BTreeMap::new());
    match client.role {
        Role::Sidecar => {
            for (port, kind) in ports::of(&registry) {
                if let ListenerKind::Tcp(name) = kind {
                    tcp.extend(clusters.id(&name).map(|id| (port, id)));
                    continue;
                }
                let scope = Scope {
                    registry: &registry,
                    clusters: &clusters,
                    client,
                    port,
                    gateway: MESH,
                };
                ports.insert(port, sidecar::table(&scope));
            }
        }
        Role::Gateway => {
            let servers = edge::servers(&registry, &client.labels);
            for (_, server) in &servers {
                let table = || edge::table(&registry, &clusters, client, server.port, &servers);
                ports.entry(server.port).or_insert_with(table);
            }
        }
    }
    View {
        ports,
        tcp,
        clusters: clusters.list,
        allows_any: registry.egress.allows_any,
    }
}
