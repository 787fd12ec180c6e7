//! Clusters: the endpoints of a service port, or of one subset of it, and the policy for them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::Serialize;

use crate::client::Locality;
use crate::object::destination_rule::TlsMode;
use crate::origin::Origin;
use crate::policy::load_balancer::{LoadBalancer, Warmup};
use crate::policy::locality::topology;
use crate::policy::outlier::OutlierDetection;
use crate::policy::pool::{ConnectionPool, RetryBudget};
use crate::policy::priorities::Priority;

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
    /// The order in which they are used, and the shares of their localities.
    pub priorities: Vec<Priority>,
    /// Load balancing, limits, outlier detection.
    pub policy: ClusterPolicy,
    /// The DestinationRule that each part comes from; what is missing has Istio's defaults.
    pub origins: BTreeMap<ClusterPart, Origin>,
}

/// A part of a cluster that a DestinationRule may give; of several rules that are merged each may give another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ClusterPart {
    /// The labels of a subset.
    Subset,
    /// How an endpoint is chosen, localities and warm-up included.
    LoadBalancer,
    /// Limits.
    ConnectionPool,
    /// Limit of retries.
    RetryBudget,
    /// Passive health check.
    OutlierDetection,
    /// Only told: traffic stays plain text here.
    Tls,
}

/// How a cluster's endpoints are used. Equal policies let a proxy keep connections and ejections across a change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterPolicy {
    /// How an endpoint is chosen.
    pub load_balancer: LoadBalancer,
    /// `None`: a new endpoint has its full share at once.
    pub warmup: Option<Warmup>,
    /// Limits.
    pub pool: ConnectionPool,
    /// Replaces the limit on retries.
    pub retry_budget: Option<RetryBudget>,
    /// `None`: nothing is ever ejected.
    pub outlier: Option<OutlierDetection>,
    /// What a DestinationRule asks for; traffic is plain text here all the same.
    pub tls: Option<TlsMode>,
    /// Whether the endpoints are spoken to in HTTP/2.
    pub http2: bool,
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

impl Endpoint {
    /// A label of the workload, or one that Istio gives it from where it runs.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        let own = self.labels.get(name).map(String::as_str);
        own.or_else(|| topology(name, self.locality.as_ref()))
    }
}
