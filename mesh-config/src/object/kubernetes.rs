//! Service, Deployment and WorkloadEntry.

use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) use super::read_kubernetes::{read_deployment, read_service, read_workload_entry};
use crate::client::Locality;

/// A port given by number or by the name of a container port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortRef {
    /// As it is.
    Number(u16),
    /// Looked up in the workload.
    Name(String),
}

/// `Service`: a name with ports in front of workloads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Labels of the workloads behind it; empty: none.
    pub selector: BTreeMap<String, String>,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// `clusterIP: None`.
    pub headless: bool,
    /// `trafficDistribution` asks for endpoints in the client's zone.
    pub prefers_close: bool,
    /// `clusterIP`, if it is an address: clients may use it as a name.
    pub cluster_ip: Option<String>,
    /// `externalName` of a Service of the type ExternalName: the full name of what it stands for.
    pub external_name: Option<String>,
}

/// One port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    /// Tells the protocol (`http`, `http-web`, ...) unless `app_protocol` does.
    pub name: Option<String>,
    /// What clients dial.
    pub port: u16,
    /// Where the workload listens; the same number if not given.
    pub target_port: PortRef,
    /// Tells the protocol when given.
    pub app_protocol: Option<String>,
    /// `protocol`, TCP if not given.
    pub transport: Transport,
}

/// `protocol` of a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// What HTTP runs on.
    #[default]
    Tcp,
    /// Not routed.
    Udp,
    /// Not routed.
    Sctp,
}

/// Application protocols that are HTTP.
const HTTP: &[&str] = &[
    "http",
    "http2",
    "grpc",
    GRPC_WEB,
    "kubernetes.io/h2c",
    "kubernetes.io/ws",
];

/// gRPC for browsers: HTTP/1.1.
const GRPC_WEB: &str = "grpc-web";

/// Those of them that are HTTP/2.
const HTTP2: &[&str] = &["http2", "grpc", "kubernetes.io/h2c"];

/// Application protocols that are not. With any other name, or none, Istio looks at the first bytes of a connection.
const NOT_HTTP: &[&str] = &[
    "tcp",
    "tls",
    "https",
    "mongo",
    "mysql",
    "redis",
    "hbone",
    "kubernetes.io/wss",
];

/// Ports on which the server speaks first, so that there is nothing to look at: SMTP, DNS, MySQL, MongoDB.
const SERVER_FIRST: &[u16] = &[25, 53, 3306, 27017];

impl ServicePort {
    /// Whether Istio routes it as HTTP: `appProtocol`, else the part of the name before the first dash, decides.
    #[must_use]
    pub fn is_http(&self) -> bool {
        let protocol = self.protocol();
        let named = HTTP.contains(&protocol.as_str());
        let sniffed = !NOT_HTTP.contains(&protocol.as_str()) && !SERVER_FIRST.contains(&self.port);
        self.is_tcp() && (named || sniffed)
    }

    /// Whether Istio routes it as HTTP without being told so, by the first bytes of a connection.
    #[must_use]
    pub fn is_sniffed(&self) -> bool {
        self.is_http() && !HTTP.contains(&self.protocol().as_str())
    }

    /// Whether its workloads are spoken to in HTTP/2.
    #[must_use]
    pub fn is_http2(&self) -> bool {
        self.is_tcp() && HTTP2.contains(&self.protocol().as_str())
    }

    /// What `appProtocol` says, else the part of the name before the first dash; in lower case.
    fn protocol(&self) -> String {
        let given = self.app_protocol.as_deref().or(self.name.as_deref());
        let given = given.unwrap_or_default().to_ascii_lowercase();
        // The one protocol with a dash in its name.
        if given == GRPC_WEB || given.starts_with("grpc-web-") {
            return GRPC_WEB.to_owned();
        }
        given.split('-').next().unwrap_or_default().to_owned()
    }

    /// Whether connections can be made to it at all. A port that is named after UDP is taken for one.
    #[must_use]
    pub fn is_tcp(&self) -> bool {
        self.transport == Transport::Tcp && self.protocol() != "udp"
    }
}

/// `Deployment`: processes to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployment {
    /// How many copies; 1 if not given.
    pub replicas: u32,
    /// Labels of the pods.
    pub template_labels: BTreeMap<String, String>,
    /// `serviceAccountName`, `default` if not given.
    pub service_account: String,
    /// Containers of a pod.
    pub containers: Vec<Container>,
}

/// One container of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Image reference.
    pub image: String,
    /// Replaces the entry point if not empty.
    pub command: Vec<String>,
    /// Arguments.
    pub args: Vec<String>,
    /// Environment, in the order written.
    pub env: Vec<(String, EnvValue)>,
    /// Ports it listens on.
    pub ports: Vec<ContainerPort>,
    /// Ready when it answers.
    pub readiness: Option<Probe>,
    /// Restarted when it does not answer.
    pub liveness: Option<Probe>,
}

/// Value of an environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvValue {
    /// `value`, as written.
    Plain(String),
    /// `valueFrom.fieldRef.fieldPath`: `metadata.name`, `metadata.namespace`, `metadata.labels['x']`, `status.podIP`, ...
    Field(String),
}

/// A port of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerPort {
    /// What a Service or probe may call it.
    pub name: Option<String>,
    /// The number.
    pub container_port: u16,
}

/// An HTTP probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Path of the request, `/` if not given.
    pub path: String,
    /// Port of the container.
    pub port: PortRef,
    /// Wait before the first one; 0 s.
    pub initial_delay: Duration,
    /// Between two; 10 s.
    pub period: Duration,
    /// For an answer; 1 s.
    pub timeout: Duration,
    /// Failures in a row that count; 3.
    pub failure_threshold: u32,
}

/// `WorkloadEntry`: an endpoint that already runs somewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkloadEntry {
    /// An IP address.
    pub address: String,
    /// Name of a port of the Service (or of its target port) to the number here.
    pub ports: BTreeMap<String, u16>,
    /// What a Service's selector and a subset's labels look at.
    pub labels: BTreeMap<String, String>,
    /// Where it runs.
    pub locality: Option<Locality>,
    /// Relative weight.
    pub weight: Option<u32>,
}
