//! What the manifests say about an edge besides its split: what else could be in force there.

use crate::expect::{Claim, Workload};

/// What is known of an edge without looking at the answers.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Versions in the order of their indices: declared or known ones, then those that nobody declared.
    pub versions: Vec<String>,
    /// Declared probability of each; 0 for those that are to get nothing.
    pub declared: Vec<f64>,
    /// What runs behind the service.
    pub workloads: Vec<Workload>,
    /// Splits that other manifests, or other ways into the mesh, would give.
    pub alternatives: Vec<Alternative>,
    /// Whether the callers of this edge are instances that answers name.
    pub second_hop: bool,
}

/// A split that might be in force instead.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    /// Whose it is.
    pub of: Other,
    /// Versions and their probabilities.
    pub shares: Vec<(String, f64)>,
    /// How much likelier (in nats) it makes what the other edges show than what is declared for them does: negative if
    /// they contradict it.
    pub elsewhere: f64,
}

/// Something else that could be in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Other {
    /// The stage that was in force before.
    PreviousStage(String),
    /// Another stage.
    Stage(String),
    /// The way of a request from somebody else: `the gateway`, `a client inside the mesh`.
    Path(String),
}

impl Facts {
    /// Probabilities of named versions, in the order of the indices; what has no index is left out.
    pub(super) fn in_order(&self, shares: &[(String, f64)]) -> Vec<f64> {
        let share = |version: &String| {
            shares
                .iter()
                .find(|(name, _)| name == version)
                .map_or(0.0, |(_, share)| *share)
        };
        self.versions.iter().map(share).collect()
    }

    /// The workload whose pod this is: by the longest name that the pod's begins with.
    pub(super) fn workload_of(&self, instance: &str) -> Option<&Workload> {
        let is_pod = |workload: &&Workload| {
            instance
                .strip_prefix(&workload.name)
                .is_some_and(|rest| rest.starts_with('-'))
        };
        self.workloads
            .iter()
            .filter(is_pod)
            .max_by_key(|workload| workload.name.len())
    }

    /// Pods per version, as probabilities; `None` if nothing is known to run.
    pub(super) fn replica_ratio(&self) -> Option<Vec<f64>> {
        let replicas = |version: &String| {
            let of = self
                .workloads
                .iter()
                .filter(|workload| workload.version == *version);
            of.map(|workload| f64::from(workload.replicas)).sum::<f64>()
        };
        let replicas: Vec<f64> = self.versions.iter().map(replicas).collect();
        let total: f64 = replicas.iter().sum();
        (total > 0.0).then(|| replicas.iter().map(|count| count / total).collect())
    }
}

/// What else could be in force, for each edge of a judgement.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// By edge. What the other edges say about them is not known yet.
    alternatives: Vec<Vec<Alternative>>,
}

impl Knowledge {
    /// For the edges of `claims`: what `others` declare for the same requests.
    pub fn new(claims: &[Claim], others: &[(Other, Vec<Claim>)]) -> Self {
        let alternative = |claim: &Claim, (of, others): &(Other, Vec<Claim>)| {
            let same = |other: &&Claim| other.variant == claim.variant && other.given == claim.given;
            let expected = others.iter().find(same)?.expected.as_ref()?;
            let shares = expected
                .versions()
                .map(|(version, share)| (version.to_owned(), share));
            Some(Alternative {
                of: of.clone(),
                shares: shares.collect(),
                elsewhere: 0.0,
            })
        };
        let of = |claim| {
            others
                .iter()
                .filter_map(|other| alternative(claim, other))
                .collect()
        };
        Self {
            alternatives: claims.iter().map(of).collect(),
        }
    }

    /// Those of an edge.
    pub fn of(&self, edge: usize) -> &[Alternative] {
        self.alternatives.get(edge).map_or(&[], Vec::as_slice)
    }
}
