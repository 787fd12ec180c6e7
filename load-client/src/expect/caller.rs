//! Who sends the requests: that decides which rules apply.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use mesh_config::{Client, Mesh, ObjectKey, Role, Spec};
use serde::{Deserialize, Serialize};

use super::call::Call;
use super::routed::NotDeclared;

/// The proxy that routes the first hop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Caller {
    /// Istio's default ingress gateway (`istio: ingressgateway` in `istio-system`).
    #[default]
    Gateway,
    /// A workload of the mesh, or a client with the identity of one.
    Workload {
        /// Its namespace.
        namespace: String,
        /// Its name; that of a Deployment brings the labels of its pods.
        name: String,
        /// Further labels.
        labels: BTreeMap<String, String>,
    },
}

/// Where a request enters the mesh: the proxy that routes its first hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Path {
    /// An ingress gateway.
    #[serde(rename = "gateway")]
    Gateway,
    /// The sidecar of a workload.
    #[serde(rename = "in mesh")]
    InMesh,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Path::Gateway => "gateway",
            Path::InMesh => "in mesh",
        })
    }
}

/// The text names no caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a caller; write `gateway`, or NAMESPACE/NAME[,LABEL=VALUE]... such as traffic-lab/payment-v1"
)]
pub struct InvalidCaller(String);

impl FromStr for Caller {
    type Err = InvalidCaller;

    fn from_str(text: &str) -> Result<Self, InvalidCaller> {
        if text == "gateway" {
            return Ok(Caller::Gateway);
        }
        let invalid = || InvalidCaller(text.to_owned());
        let mut parts = text.split(',');
        let (namespace, name) = parts
            .next()
            .and_then(|id| id.split_once('/'))
            .ok_or_else(invalid)?;
        if namespace.is_empty() || name.is_empty() || name.contains('/') {
            return Err(invalid());
        }
        let label = |part: &str| {
            let (key, value) = part.split_once('=').filter(|(key, _)| !key.is_empty())?;
            Some((key.to_owned(), value.to_owned()))
        };
        let labels = parts.map(label).collect::<Option<_>>().ok_or_else(invalid)?;
        Ok(Caller::Workload {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            labels,
        })
    }
}

impl fmt::Display for Caller {
    /// As it is parsed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Caller::Gateway => f.write_str("gateway"),
            Caller::Workload {
                namespace,
                name,
                labels,
            } => {
                write!(f, "{namespace}/{name}")?;
                let mut labels = labels.iter();
                labels.try_for_each(|(key, value)| write!(f, ",{key}={value}"))
            }
        }
    }
}

impl Caller {
    /// As tables call it.
    pub fn name(&self) -> &str {
        match self {
            Caller::Gateway => "client",
            Caller::Workload { name, .. } => name,
        }
    }

    /// Where its requests enter the mesh.
    pub fn path(&self) -> Path {
        match self {
            Caller::Gateway => Path::Gateway,
            Caller::Workload { .. } => Path::InMesh,
        }
    }

    /// Its identity. A name that no Deployment has is a client from outside the mesh's manifests: in Istio only the
    /// namespace and the labels of a caller decide anything.
    pub(super) fn client(&self, mesh: &Mesh) -> Result<Client, NotDeclared> {
        match self {
            Caller::Gateway => Ok(Client::ingress_gateway()),
            Caller::Workload {
                namespace,
                name,
                labels,
            } => {
                let key = ObjectKey {
                    kind: "Deployment".to_owned(),
                    namespace: namespace.clone(),
                    name: name.clone(),
                };
                let mut all = match mesh.get(&key).map(|object| &object.spec) {
                    Some(Spec::Deployment(deployment)) => deployment.template_labels.clone(),
                    _ => BTreeMap::new(),
                };
                if !mesh
                    .objects()
                    .any(|object| object.metadata.namespace == *namespace)
                {
                    return Err(NotDeclared::Namespace(namespace.clone()));
                }
                all.extend(labels.clone());
                Ok(sidecar(namespace, name, all))
            }
        }
    }
}

pub(super) fn sidecar(namespace: &str, name: &str, labels: BTreeMap<String, String>) -> Client {
    Client {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        labels,
        locality: None,
        role: Role::Sidecar,
    }
}

/// The port whose routes decide. A sidecar routes by the port that is dialled. A gateway is usually reached at another
/// port than that of its server (a node port, a port forward), which is clear if it has one server.
pub(super) fn port(client: &Client, mesh: &Mesh, call: &Call) -> Result<u16, NotDeclared> {
    if client.role == Role::Sidecar {
        return Ok(call.port());
    }
    let servers = mesh.gateway_servers(&client.labels);
    if servers.iter().any(|server| server.port == call.port()) {
        return Ok(call.port());
    }
    match servers.as_slice() {
        [] => Err(NotDeclared::NoGateway),
        [only] => Ok(only.port),
        several => {
            let named: Vec<String> = several.iter().map(|server| server.port.to_string()).collect();
            Err(NotDeclared::SeveralServers {
                port: call.port(),
                servers: named.join(", "),
            })
        }
    }
}
