//! What the proxies of the mesh hold, read back and held against what the manifests declare.
//!
//! A client that sees another split than the declared one cannot tell why. The proxies can: [`MeshTools`] asks
//! Kubernetes for the pods of the callers, istiod how far each proxy follows it, and each proxy for its configuration;
//! [`reconcile`] says which proxy does not do what is declared, and what to do about it. Everything but the asking is
//! pure, over the JSON that `kubectl` and `istioctl` print (Istio 1.31, Envoy 1.40).

mod dump;
mod gather;
mod held;
mod matching;
mod pods;
mod reconcile;
mod render;
mod status;
mod traffic;
mod witness;

use serde::{Deserialize, Serialize};

use crate::expect::{Edge, Shares};

pub use dump::{ProxyConfig, Refused};
pub use gather::{MeshTools, ReadError};
pub use held::{NotForwarded, held};
pub use matching::NotUnderstood;
pub use pods::{Pod, read_pods};
pub use reconcile::{Reading, reconcile};
pub use status::{ProxyStatus, read_statuses};
pub use traffic::{Counted, Counters};
pub use witness::Seen;

/// What the proxies of all callers hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MeshState {
    /// Whether every proxy does what is declared, and nothing else was found.
    pub agrees: bool,
    /// Each edge with the proxies that decide about it.
    pub edges: Vec<EdgeState>,
    /// What is not as it should be, one for each proxy.
    pub findings: Vec<Finding>,
    /// What the proxies counted over the time in question (`istio_requests_total`); empty if they were not asked, or do
    /// not count, as an Envoy without Istio's extensions.
    pub counted: Vec<Counted>,
}

/// One edge.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EdgeState {
    /// Who calls whom, with which headers.
    #[serde(flatten)]
    pub edge: Edge,
    /// Clusters with their declared shares, 0 to 1.
    pub declared: Shares,
    /// Those of the caller.
    pub proxies: Vec<ProxyState>,
}

/// What one proxy does with the requests of an edge.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProxyState {
    /// `POD.NAMESPACE`.
    pub proxy: String,
    /// Whether it is what is declared.
    pub agrees: bool,
    /// Clusters with the shares they get; null if it forwards nothing.
    pub held: Option<Shares>,
    /// Why it forwards nothing, or is not known.
    pub reason: Option<String>,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `POD.NAMESPACE`; null if it is about no single proxy.
    pub proxy: Option<String>,
    /// What it is.
    pub trouble: Trouble,
    /// In a sentence, without the name of the proxy.
    pub text: String,
    /// What to do.
    pub fix: String,
}

/// Kinds of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Trouble {
    /// A caller has no running pod.
    NoPods,
    /// A pod without a proxy: no rule applies to its calls.
    NotInMesh,
    /// A proxy that no istiod knows: it keeps what it had.
    NotConnected,
    /// A proxy that refused an update: it keeps what it had.
    Refused,
    /// A proxy that has not confirmed what istiod sent last.
    Behind,
    /// A proxy that has what istiod sent, which is not what is declared.
    Differs,
    /// A proxy that could not be asked.
    NotRead,
    /// The client saw something else than all proxies hold.
    Bypassed,
}
