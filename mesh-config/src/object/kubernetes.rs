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
}

impl ServicePort {
    /// Whether Istio routes it as HTTP: `appProtocol` or the part of the name before the first dash says so.
    #[must_use]
    pub fn is_http(&self) -> bool {
        let name = self.name.as_deref().and_then(|name| name.split('-').next());
        let protocol = self.app_protocol.as_deref().or(name).unwrap_or_default();
        matches!(
            protocol.to_ascii_lowercase().as_str(),
            "http" | "http2" | "grpc" | "grpc-web" | "kubernetes.io/h2c" | "kubernetes.io/ws"
        )
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
