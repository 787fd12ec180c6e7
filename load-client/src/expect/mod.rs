//! What the manifests declare for the requests that are sent.
//!
//! Expectations come from the objects through `mesh-config`, for the very request and from the very caller; nobody
//! types a weight again. [`claims`] follows a request along the chain: client to first service, and from each version
//! of that one to the next.

mod call;
mod caller;
mod chain;
mod known;
mod manifests;
mod paths;
mod question;
mod routed;
mod siblings;
mod stated;
mod variants;
mod workload;

use serde::{Deserialize, Serialize};

use crate::outcome::Hop;
use crate::stats::{InvalidSplit, Split};

pub use call::{Call, InvalidCall};
pub use caller::{Caller, InvalidCaller, Path};
pub use chain::{Chain, Claim, Edge, claims};
pub use manifests::{LoadError, load_manifests};
pub use paths::other_path;
pub use question::{Question, Shares, questions};
pub use routed::{NotDeclared, expected};
pub use siblings::siblings;
pub use stated::InvalidStatement;
pub use variants::{Variant, variants};
pub use workload::Workload;

/// The versions that may answer a request, each with its probability.
#[derive(Clone, Debug)]
pub struct Expected {
    origin: Origin,
    services: Vec<String>,
    strangers: Vec<String>,
    versions: Vec<String>,
    split: Split,
    workloads: Vec<Workload>,
}

/// Where an expectation was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// A rule of a VirtualService.
    Rule {
        /// `VirtualService traffic-lab/payment`.
        object: String,
        /// Index in its `spec.http`.
        rule: usize,
    },
    /// The command line.
    Stated,
}

impl Expected {
    /// Weights are relative; several for one version are added up. Versions are kept in the order of their names, so
    /// that the same versions have the same indices under different splits.
    pub(crate) fn new(origin: Origin, mut weights: Vec<(String, f64)>) -> Result<Self, InvalidSplit> {
        weights.sort_by(|(a, _), (b, _)| a.cmp(b));
        weights.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                first.1 += later.1;
            }
            same
        });
        let (versions, weights): (Vec<String>, Vec<f64>) = weights.into_iter().unzip();
        let split = Split::new(&weights)?;
        Ok(Self {
            origin,
            services: Vec::new(),
            strangers: Vec::new(),
            versions,
            split,
            workloads: Vec::new(),
        })
    }

    /// Where it was read.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Names of the services that may answer; empty if only versions were stated.
    pub fn services(&self) -> &[String] {
        &self.services
    }

    /// The Deployments behind the services; empty if only versions were stated.
    pub fn workloads(&self) -> &[Workload] {
        &self.workloads
    }

    /// The versions, in the order of their names, with probabilities that sum to 1. A version that exists but is to
    /// get nothing is here with 0.
    pub fn versions(&self) -> impl Iterator<Item = (&str, f64)> {
        let names = self.versions.iter().map(String::as_str);
        names.zip(self.split.weights().iter().copied())
    }

    /// The probability of a version; 0 for one that is not known.
    pub fn share_of(&self, version: &str) -> f64 {
        let mut versions = self.versions();
        versions
            .find(|(name, _)| *name == version)
            .map_or(0.0, |(_, share)| share)
    }

    /// The probabilities alone, in the order of [`Expected::versions`].
    pub fn split(&self) -> &Split {
        &self.split
    }

    /// What a hop counts as: its version, or `service/version` when it is another service of the mesh, which must not
    /// pass for the expected one.
    pub fn label(&self, hop: &Hop) -> String {
        if self.strangers.contains(&hop.service) {
            format!("{}/{}", hop.service, hop.version)
        } else {
            hop.version.clone()
        }
    }

    /// Index of a version that is declared or known to exist.
    pub fn index_of(&self, hop: &Hop) -> Option<usize> {
        let index = self.versions.iter().position(|version| *version == hop.version)?;
        (!self.strangers.contains(&hop.service)).then_some(index)
    }
}
