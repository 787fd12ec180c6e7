//! Clusters: the endpoints of a service port, or of one subset of it, and the policy for them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::client::Locality;

/// Index into [`crate::View::clusters`] of the same view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterId(pub usize);

/// The endpoints of a service port or of one subset of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// `outbound|8080|v1|auth-service.traffic-lab.svc.cluster.local`.
    pub name: String,
    /// Full name of the service.
    pub host: String,
    /// Port of the service.
    pub port: u16,
    /// `None`: all endpoints.
    pub subset: Option<String>,
    /// Short name of the service.
    pub service_name: String,
    /// Its namespace.
    pub service_namespace: String,
    /// Those that are not ready, too, with `healthy` false.
    pub endpoints: Vec<Endpoint>,
    /// Load balancing, limits, outlier detection.
    pub policy: ClusterPolicy,
}

/// How a cluster's endpoints are used. Equal policies let a proxy keep connections and ejections across a change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterPolicy {
    /// How an endpoint is chosen.
    pub load_balancer: LoadBalancer,
    /// Limits.
    pub pool: ConnectionPool,
    /// `None`: nothing is ever ejected.
    pub outlier: Option<OutlierDetection>,
    /// Endpoints are spoken to in HTTP/2.
    pub http2: bool,
}

/// `loadBalancer.simple`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadBalancer {
    /// Of two endpoints drawn at random the one with fewer active requests. Istio's default.
    #[default]
    LeastRequest,
    /// In turn.
    RoundRobin,
    /// Independent draws.
    Random,
}

impl fmt::Display for LoadBalancer {
    /// Istio's word.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LoadBalancer::LeastRequest => "LEAST_REQUEST",
            LoadBalancer::RoundRobin => "ROUND_ROBIN",
            LoadBalancer::Random => "RANDOM",
        })
    }
}

/// Limits of one client's connections and requests to a cluster. `None` is unlimited, Istio's default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionPool {
    /// Connections; an endpoint without any may always have one.
    pub max_connections: Option<u32>,
    /// Default 10 s.
    pub connect_timeout: Duration,
    /// Requests waiting for a connection.
    pub max_pending: Option<u32>,
    /// Active requests, HTTP/1.1 included.
    pub max_requests: Option<u32>,
    /// Concurrent retries.
    pub max_retries: Option<u32>,
    /// Requests before a connection is closed.
    pub max_requests_per_connection: Option<u32>,
    /// Of an idle connection; default 1 h.
    pub idle_timeout: Duration,
}

impl Default for ConnectionPool {
    fn default() -> Self {
        ConnectionPool {
            max_connections: None,
            connect_timeout: Duration::from_secs(10),
            max_pending: None,
            max_requests: None,
            max_retries: None,
            max_requests_per_connection: None,
            idle_timeout: Duration::from_secs(3600),
        }
    }
}

/// Passive health check: an endpoint that keeps failing gets no traffic for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlierDetection {
    /// 5xx in a row; 0 is off, default 5.
    pub consecutive_5xx: u32,
    /// 502, 503, 504 in a row; 0 (default) is off.
    pub consecutive_gateway: u32,
    /// How often ejected endpoints are looked at; default 10 s.
    pub interval: Duration,
    /// Times the number of ejections; default 30 s.
    pub base_ejection_time: Duration,
    /// Of all endpoints of the cluster; default 10.
    pub max_ejection_percent: u32,
    /// Below this share of healthy endpoints all are used; default 0: never.
    pub min_health_percent: u32,
}

impl Default for OutlierDetection {
    fn default() -> Self {
        OutlierDetection {
            consecutive_5xx: 5,
            consecutive_gateway: 0,
            interval: Duration::from_secs(10),
            base_ejection_time: Duration::from_secs(30),
            max_ejection_percent: 10,
            min_health_percent: 0,
        }
    }
}

/// One address that serves a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// Name of the workload.
    pub workload: String,
    /// Its namespace.
    pub namespace: String,
    /// Where to connect.
    pub address: SocketAddr,
    /// Labels of the workload.
    pub labels: Arc<BTreeMap<String, String>>,
    /// At least 1.
    pub weight: u32,
    /// Where it runs.
    pub locality: Option<Locality>,
    /// Whether it is ready.
    pub healthy: bool,
}
