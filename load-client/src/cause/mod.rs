//! Why observed and declared differ: candidates, ranked by how likely they make what was seen.
//!
//! The split that is declared is one model of the answers; what else usually goes wrong in a mesh are others: no
//! VirtualService on this path (then replicas decide), one proxy with old rules, connections that stay with an instance,
//! the stage before, endpoints that are gone, something else that answers, failed requests that are sent again, a pod that
//! says to be another version. Each predicts the counts, mostly without a free number; `model` computes their likelihoods.
//! A split of the data's own is the model to beat: if no cause is better, the weights are other ones, and nobody knows why.
//!
//! Pure: everything is computed from [`Facts`] (the manifests) and a [`Witness`] (the answers).

mod candidates;
mod facts;
mod model;
mod witness;
mod words;

use serde::{Deserialize, Serialize};

use candidates::Candidate;

pub use facts::{Alternative, Facts, Knowledge, Other};
pub use witness::{Cell, Lack, Sighting, Witness};

/// Evidence below which a cause is not told, in nats: it makes what was seen less than 20 times likelier than what is
/// declared does.
const LEAST: f64 = 3.0;
/// How much likelier than another the best cause has to be for the other not to be told, in nats: 1,000 to 1.
const BEHIND: f64 = 6.9;
/// Causes that are told at most.
const MOST: usize = 3;

/// What may have gone wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Another stage's rules are in force, the previous one's say.
    PreviousStage,
    /// No rule is applied on this path: the pods of all versions share the requests.
    ReplicaRatio,
    /// One of several proxies routes by other rules.
    StaleProxy,
    /// Requests are not drawn one by one: a connection or a key stays with an instance or a version.
    Sticky,
    /// Endpoints of a version are ejected, not ready or failing.
    EndpointOut,
    /// Something else answers, or the requests come by another path.
    WrongHost,
    /// What fails at one version is sent to another.
    RetriedElsewhere,
    /// Pods of one version say to be another.
    WrongLabel,
    /// None of these: other weights.
    OtherWeights,
}

/// A candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// Which it is.
    pub kind: Kind,
    /// The same in a sentence.
    pub what: String,
    /// What speaks for it.
    pub evidence: String,
    /// What to do, or where to look.
    pub advice: String,
    /// `ln` of how many times likelier it makes what was seen than the declared split does.
    pub gain: f64,
    /// Its probability among all candidates, if each was as likely before.
    pub probability: f64,
}

/// How much better another split explains what was seen than the declared one does, in nats.
pub fn preference(facts: &Facts, seen: &Witness, shares: &[(String, f64)]) -> f64 {
    let data = model::Data::new(facts, seen);
    data.shares(&facts.in_order(shares)) - data.shares(&facts.declared)
}

/// The causes worth telling, the likeliest first; none when what is declared explains the answers as well.
pub fn causes(facts: &Facts, seen: &Witness) -> Vec<Cause> {
    let data = model::Data::new(facts, seen);
    let declared = data.draws(&facts.declared);
    let mut all = candidates::all(&data);
    all.sort_by(|a, b| b.likelihood.total_cmp(&a.likelihood));
    // Of several of one kind the best one speaks.
    let mut found: Vec<Candidate> = Vec::new();
    for candidate in all {
        if !found
            .iter()
            .any(|better| better.kind(&data) == candidate.kind(&data))
        {
            found.push(candidate);
        }
    }
    let Some(best) = found.first().map(|first| first.likelihood) else {
        return Vec::new();
    };
    let evidence: f64 = found.iter().map(|one| (one.likelihood - best).exp()).sum();
    let worth = found
        .iter()
        .filter(|one| one.likelihood - declared > LEAST && best - one.likelihood < BEHIND);
    let told = worth.take(MOST).map(|one| {
        let probability = (one.likelihood - best).exp() / evidence;
        words::cause(&data, one, one.likelihood - declared, probability)
    });
    told.collect()
}
