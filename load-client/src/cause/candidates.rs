//! The causes that could apply, each with the likelihood of its model.

use super::Kind;
use super::facts::Other;
use super::model::{Data, penalty};

/// What a cause says has to be this much better before it beats a better known one, in nats: other weights are what remains
/// when everything else is excluded.
const LAST_RESORT: f64 = 2.3;
/// A tie is decided by what was known before the answers: rules that were in force are likelier than others.
const FAMILIAR: f64 = 0.7;

/// A model of the answers.
pub(super) struct Candidate {
    pub(super) what: What,
    pub(super) likelihood: f64,
}

/// Which one, with what its words need.
pub(super) enum What {
    /// Index into the alternatives.
    Alternative(usize),
    ReplicaRatio,
    /// Pods of the version that answered, of those declared.
    FewerReplicas,
    /// The proxies, and which of them are stale; whose rules those have.
    Stale(Vec<(String, bool)>, Rules),
    StickyConnections,
    OneKey,
    /// The version whose requests come to nothing.
    Lost(usize),
    Strangers,
    /// The version whose failures are sent elsewhere.
    Retried(usize),
    Mislabelled,
    Other,
}

/// Whose rules a stale proxy has.
pub(super) enum Rules {
    /// Index into the alternatives.
    Alternative(usize),
    Replicas,
    /// Everything to one version.
    All(usize),
}

impl Candidate {
    pub(super) fn kind(&self, data: &Data<'_>) -> Kind {
        match &self.what {
            What::Alternative(index) => match data.facts.alternatives[*index].of {
                Other::Path(_) => Kind::WrongHost,
                Other::PreviousStage(_) | Other::Stage(_) => Kind::PreviousStage,
            },
            What::ReplicaRatio => Kind::ReplicaRatio,
            What::FewerReplicas | What::Lost(_) => Kind::EndpointOut,
            What::Stale(..) => Kind::StaleProxy,
            What::StickyConnections | What::OneKey => Kind::Sticky,
            What::Strangers => Kind::WrongHost,
            What::Retried(_) => Kind::RetriedElsewhere,
            What::Mislabelled => Kind::WrongLabel,
            What::Other => Kind::OtherWeights,
        }
    }
}

/// Every candidate that can be computed from what is known.
pub(super) fn all(data: &Data<'_>) -> Vec<Candidate> {
    let mut found = alternatives(data);
    found.extend(replicas(data));
    found.extend(stale(data));
    if data.something_drawn() {
        found.push(Candidate {
            what: What::StickyConnections,
            likelihood: data.sticky(),
        });
        found.push(Candidate {
            what: What::OneKey,
            likelihood: data.one_key(),
        });
    }
    found.extend(failing(data));
    found.extend(strangers(data));
    if data.mislabelled().next().is_some() {
        found.push(Candidate {
            what: What::Mislabelled,
            likelihood: data.by_workload(),
        });
    }
    found.push(Candidate {
        what: What::Other,
        likelihood: data.any_shares() - LAST_RESORT,
    });
    found
}

fn alternatives(data: &Data<'_>) -> Vec<Candidate> {
    let one = |(index, alternative): (usize, &super::Alternative)| {
        let shares = data.facts.in_order(&alternative.shares);
        if same(&shares, &data.facts.declared) {
            return None;
        }
        let familiar = match alternative.of {
            Other::PreviousStage(_) => 2.0 * FAMILIAR,
            Other::Stage(_) if alternative.elsewhere > 0.0 => FAMILIAR,
            Other::Stage(_) | Other::Path(_) => -FAMILIAR,
        };
        let likelihood = data.draws(&shares) + alternative.elsewhere.min(0.0) + familiar;
        Some(Candidate {
            what: What::Alternative(index),
            likelihood,
        })
    };
    data.facts
        .alternatives
        .iter()
        .enumerate()
        .filter_map(one)
        .collect()
}

/// Shares by pods: those that are to run, and those of them that answer.
fn replicas(data: &Data<'_>) -> Vec<Candidate> {
    let mut found = Vec::new();
    let Some(all) = data.facts.replica_ratio() else {
        return found;
    };
    if !same(&all, &data.facts.declared) {
        found.push(Candidate {
            what: What::ReplicaRatio,
            likelihood: data.draws(&all),
        });
    }
    if let Some(answering) = answering(data) {
        let total: f64 = answering.iter().sum();
        let shares: Vec<f64> = answering.iter().map(|count| count / total).collect();
        if !same(&shares, &all) && !same(&shares, &data.facts.declared) {
            // Chosen by the data: which pods are missing.
            let likelihood = data.draws(&shares) - penalty(data.n);
            found.push(Candidate {
                what: What::FewerReplicas,
                likelihood,
            });
        }
    }
    found
}

/// Pods per version that answered, if they are some of those that are to run.
#[allow(clippy::cast_precision_loss)] // pods
pub(super) fn answering(data: &Data<'_>) -> Option<Vec<f64>> {
    let cells = data.seen.cells();
    let of = |k: usize| {
        cells
            .iter()
            .filter(|cell| cell.version == k && !cell.instance.is_empty())
            .count() as f64
    };
    let declared = |k: usize| {
        let of = data
            .facts
            .workloads
            .iter()
            .filter(|workload| workload.version == data.facts.versions[k]);
        of.map(|workload| f64::from(workload.replicas)).sum::<f64>()
    };
    let answering: Vec<f64> = (0..data.counts.len()).map(of).collect();
    let known = answering
        .iter()
        .enumerate()
        .all(|(k, count)| *count <= declared(k));
    (known && answering.iter().any(|count| *count > 0.0)).then_some(answering)
}

fn stale(data: &Data<'_>) -> Vec<Candidate> {
    let versions = data.counts.len();
    let all_to = |k: usize| {
        (0..versions)
            .map(|j| if j == k { 1.0 } else { 0.0 })
            .collect::<Vec<f64>>()
    };
    let alternatives = data.facts.alternatives.iter().enumerate();
    let alternatives =
        alternatives.map(|(index, one)| (Rules::Alternative(index), data.facts.in_order(&one.shares)));
    let replicas = data.facts.replica_ratio().map(|shares| (Rules::Replicas, shares));
    let rules = alternatives
        .chain(replicas)
        .chain((0..versions).map(|k| (Rules::All(k), all_to(k))));
    let found = rules
        .filter(|(_, shares)| !same(shares, &data.facts.declared))
        .filter_map(|(rules, shares)| {
            let (likelihood, which) = data.stale(&shares)?;
            Some(Candidate {
                what: What::Stale(which, rules),
                likelihood,
            })
        });
    found.collect()
}

/// Requests of one version that come to nothing, or to another version.
fn failing(data: &Data<'_>) -> Vec<Candidate> {
    let active = (0..data.counts.len()).filter(|k| data.facts.declared[*k] > 0.0);
    let mut found = Vec::new();
    for k in active {
        if data.lacking > 0.0 {
            found.push(Candidate {
                what: What::Lost(k),
                likelihood: data.lost(k),
            });
        }
        if data.retried > 0.0 {
            found.push(Candidate {
                what: What::Retried(k),
                likelihood: data.retried_elsewhere(k),
            });
        }
    }
    found
}

/// Answers of what nobody declared, at their own rate; the others as declared.
fn strangers(data: &Data<'_>) -> Option<Candidate> {
    let is_stranger = |k: usize| data.facts.versions[k].contains('/');
    let strangers: f64 = (0..data.counts.len())
        .filter(|k| is_stranger(*k))
        .map(|k| data.counts[k])
        .sum();
    if strangers == 0.0 {
        return None;
    }
    let share = |k: usize| {
        if is_stranger(k) {
            data.counts[k] / data.n
        } else {
            data.facts.declared[k] * (1.0 - strangers / data.n)
        }
    };
    let shares: Vec<f64> = (0..data.counts.len()).map(share).collect();
    let likelihood = data.draws(&shares) - penalty(data.n);
    Some(Candidate {
        what: What::Strangers,
        likelihood,
    })
}

fn same(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9)
}
