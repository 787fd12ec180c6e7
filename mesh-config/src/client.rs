//! Who sends requests, and what can answer them besides the objects of the mesh.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::Serialize;

/// The workload whose proxy decides: its namespace, labels and role select what applies to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Namespace of the client; short names and private rules of this namespace apply.
    pub namespace: String,
    /// Name of the workload, for people.
    pub name: String,
    /// Labels of the pod; compared by `sourceLabels` and by the selector of a Gateway.
    pub labels: BTreeMap<String, String>,
    /// Where it runs.
    pub locality: Option<Locality>,
    /// A sidecar beside an application, or a gateway at the edge.
    pub role: Role,
}

impl Client {
    /// Istio's default ingress gateway, whose labels Gateway objects select.
    #[must_use]
    pub fn ingress_gateway() -> Self {
        let labels = [("app", "istio-ingressgateway"), ("istio", "ingressgateway")];
        Client {
            namespace: "istio-system".to_owned(),
            name: "istio-ingressgateway".to_owned(),
            labels: labels
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
            locality: None,
            role: Role::Gateway,
        }
    }
}

/// The two kinds of proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Outbound side of a sidecar: rules bound to `mesh`.
    Sidecar,
    /// A gateway: rules bound to a Gateway object that selects its labels.
    Gateway,
}

/// Region, zone and subzone; empty text means unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Locality {
    /// First part, as in `topology.kubernetes.io/region`.
    pub region: String,
    /// Second part, as in `topology.kubernetes.io/zone`.
    pub zone: String,
    /// Third part, as in `topology.istio.io/subzone`.
    pub subzone: String,
}

/// The text is not `region/zone/subzone`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("locality `{0}`: expected region, region/zone or region/zone/subzone")]
pub struct BadLocality(String);

impl FromStr for Locality {
    type Err = BadLocality;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        if parts.len() > 3 || parts.iter().any(|part| part.is_empty()) {
            return Err(BadLocality(text.to_owned()));
        }
        let part = |index: usize| parts.get(index).copied().unwrap_or_default().to_owned();
        Ok(Locality {
            region: part(0),
            zone: part(1),
            subzone: part(2),
        })
    }
}

impl fmt::Display for Locality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.region)?;
        for part in [&self.zone, &self.subzone] {
            if part.is_empty() {
                break;
            }
            write!(f, "/{part}")?;
        }
        Ok(())
    }
}

/// A running endpoint candidate, for example one replica of a Deployment. WorkloadEntry objects come from the mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Name of the pod.
    pub name: String,
    /// Its namespace; a Service selects in its own namespace only.
    pub namespace: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Where it listens.
    pub address: IpAddr,
    /// Container port to the port really listened on. A container port that is missing here is used as it is.
    pub ports: BTreeMap<u16, u16>,
    /// Name of a container port to the container port.
    pub port_names: BTreeMap<String, u16>,
    /// False keeps it in the endpoints as unhealthy.
    pub ready: bool,
    /// Where it runs.
    pub locality: Option<Locality>,
    /// Relative weight among endpoints; 0 counts as 1.
    pub weight: u32,
}
