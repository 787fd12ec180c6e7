//! Kubernetes and Istio objects, typed.

pub(crate) mod destination_rule;
pub(crate) mod gateway;
mod kinds;
pub(crate) mod kubernetes;
pub(crate) mod labels;
mod metadata;
mod read;
mod read_action;
mod read_destination_rule;
mod read_kubernetes;
mod read_l4;
mod read_tls;
mod read_tunnel;
pub(crate) mod read_virtual_service;
pub(crate) mod service_entry;
pub(crate) mod sidecar;
pub(crate) mod virtual_service;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::check::catalogue::Check;
use crate::problem::{Mark, Problem};
use crate::text::{self, lines};
use destination_rule::DestinationRule;
use gateway::Gateway;
use kubernetes::{Deployment, Service, WorkloadEntry};
pub(crate) use read::read;
pub use read::{parse, parse_keys};
use service_entry::ServiceEntry;
use sidecar::Sidecar;
use virtual_service::VirtualService;

/// What identifies an object. Cluster-scoped kinds have the empty namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ObjectKey {
    /// `VirtualService`, `Service`, ...
    pub kind: String,
    /// Empty for cluster-scoped kinds.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            return write!(f, "{} {}", self.kind, self.name);
        }
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// `metadata`, as far as anything here looks at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Name of the object.
    pub name: String,
    /// `default` if not given; empty for cluster-scoped kinds.
    pub namespace: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// Unix seconds; decides the age of the object when given.
    pub creation_timestamp: Option<i64>,
}

/// Where an object begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Name of the source.
    pub file: String,
    /// 1-based.
    pub line: usize,
}

/// One object of a manifest.
#[derive(Clone, Debug)]
pub struct Object {
    /// `networking.istio.io/v1`, ...
    pub api_version: String,
    /// As written.
    pub kind: String,
    /// Name, namespace, labels, ...
    pub metadata: Metadata,
    /// What it says.
    pub spec: Spec,
    /// Where it was read.
    pub place: Place,
    /// The YAML document it was read from (of a List: the whole List).
    pub text: Arc<str>,
    /// Line of the file at which `text` begins.
    pub(crate) text_line: usize,
    /// The document as a value; equality of this decides between configured and unchanged.
    pub(crate) content: Arc<serde_json::Value>,
}

impl Object {
    /// Kind, namespace and name.
    #[must_use]
    pub fn key(&self) -> ObjectKey {
        ObjectKey {
            kind: self.kind.clone(),
            namespace: self.metadata.namespace.clone(),
            name: self.metadata.name.clone(),
        }
    }

    /// The object as a JSON value, as written (without defaults).
    #[must_use]
    pub fn content(&self) -> &serde_json::Value {
        &self.content
    }

    /// The place of a JSON pointer (`/spec/http/0`) in this object; of a pointer to nothing, the nearest above it.
    pub(crate) fn mark_at(&self, pointer: &str) -> Mark {
        text::mark_at(&self.text, self.text_line, self.place.line, pointer)
    }

    /// A finding of a check at a place inside this object.
    pub(crate) fn problem(
        &self,
        check: &'static Check,
        mark: Mark,
        message: String,
        advice: Option<String>,
    ) -> Problem {
        let line = lines(&self.text)
            .nth(mark.line.saturating_sub(self.text_line))
            .unwrap_or_default();
        let mut problem = Problem::new(check, &self.place.file, mark, line, message, advice);
        problem.object = Some(self.key());
        problem
    }
}

/// What an object says, by kind.
#[derive(Clone, Debug)]
pub enum Spec {
    /// A namespace: known, nothing to act on.
    Namespace,
    /// A service account: known, nothing to act on.
    ServiceAccount,
    /// A name with ports in front of the workloads that its selector finds.
    Service(Service),
    /// Processes to run.
    Deployment(Deployment),
    /// An endpoint that already runs somewhere.
    WorkloadEntry(WorkloadEntry),
    /// Hosts that no Service stands for.
    ServiceEntry(ServiceEntry),
    /// What the proxies of a namespace are told about.
    Sidecar(Sidecar),
    /// Ports and hosts of a gateway.
    Gateway(Gateway),
    /// Routing rules.
    VirtualService(VirtualService),
    /// Subsets and policies.
    DestinationRule(DestinationRule),
    /// A real kind that nothing here acts on.
    NotEnforced,
    /// There are problems with it. Never part of a mesh that somebody runs.
    Unreadable,
}
