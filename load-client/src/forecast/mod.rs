//! How many requests the verdicts on a chain will take, before any is sent.

mod reach;
mod table;

use serde::Serialize;

use crate::expect::{Claim, Edge};
use crate::judge::{EdgeState, Judge, Terms};
use crate::stats::plan::{self, Chance};
use crate::stats::{InvalidGate, Split};

pub use reach::{Reach, Tolerances};

/// Deviations that are looked at, in shares: where they are larger than the tolerance.
const DEVIATIONS: [f64; 2] = [0.05, 0.1];

/// What to expect of a verification.
#[derive(Clone, Debug, Serialize)]
pub struct Forecast {
    /// Probability of a wrong verdict, for all edges together.
    pub alpha: f64,
    /// Requests of the client until everything is confirmed, if all is as declared.
    pub confirm: Needed,
    /// The same as time, when a rate was given.
    pub seconds: Option<Seconds>,
    /// What a number of requests can show, when one was given.
    pub within: Option<Reach>,
    /// Used edges, in the order of the chain.
    pub edges: Vec<EdgeForecast>,
}

/// Requests of a sequential verdict, which stops by itself. Null: more than 10^12, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Needed {
    /// In one of two cases no more.
    pub median: Option<u64>,
    /// In 99 of 100 cases no more.
    pub p99: Option<u64>,
}

/// Times for the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Seconds {
    /// Requests per second.
    pub rate: f64,
    /// In one of two cases no more.
    pub median: Option<f64>,
    /// In 99 of 100 cases no more.
    pub p99: Option<f64>,
}

/// One edge.
#[derive(Clone, Debug, Serialize)]
pub struct EdgeForecast {
    /// Who calls whom, with which headers.
    #[serde(flatten)]
    pub edge: Edge,
    /// Accepted difference of a share, 0 to 1.
    pub tolerance: f64,
    /// Its part of the probability of a wrong verdict.
    pub alpha: f64,
    /// Versions and declared shares.
    pub declared: Vec<Share>,
    /// The part of the client's requests (of this kind) that come this way.
    pub traffic: f64,
    /// Requests of the client until it is confirmed.
    pub confirm: Needed,
    /// Requests of the client until a wrong split is found.
    pub find: Vec<Find>,
}

/// A version's share.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// The version.
    pub version: String,
    /// 0 to 1.
    pub share: f64,
}

/// A wrong split and how soon it shows.
#[derive(Clone, Debug, Serialize)]
pub struct Find {
    /// The version that gets another share, the others what is left, in proportion.
    #[serde(flatten)]
    pub instead: Share,
    /// Requests of the client until VIOLATION.
    pub needed: Needed,
}

impl Forecast {
    /// For these edges on these terms; `rate` in requests per second. With a budget, also how small a tolerance it can show.
    ///
    /// # Errors
    /// Alpha or a tolerance is not between 0 and 1.
    pub fn new(claims: Vec<Claim>, terms: &Terms, rate: Option<f64>) -> Result<Self, InvalidGate> {
        let within = terms.budget.map(|budget| Reach::new(&claims, terms, budget));
        let judge = Judge::new(claims, terms)?;
        let finite = |requests: u64| (requests < u64::MAX).then_some(requests);
        let confirm = Needed {
            median: finite(judge.plan(Chance::Half)),
            p99: finite(judge.plan(Chance::High)),
        };
        let edges = judge.edges().iter();
        Ok(Self {
            alpha: terms.alpha,
            confirm,
            within: within.transpose()?,
            seconds: rate.map(|rate| Seconds::new(confirm, rate)),
            edges: edges
                .filter_map(|edge| EdgeForecast::new(edge, judge.traffic(edge)))
                .collect(),
        })
    }
}

impl Needed {
    /// `requests` of an edge, in requests of the client, of which a part of `traffic` comes this way.
    fn of(traffic: f64, requests: impl Fn(Chance) -> Option<u64>) -> Self {
        let needed = |chance| Some(plan::to_reach(requests(chance)?, traffic, chance));
        Self {
            median: needed(Chance::Half),
            p99: needed(Chance::High),
        }
    }
}

impl Seconds {
    #[allow(clippy::cast_precision_loss)] // exact up to 2^53 requests
    fn new(needed: Needed, rate: f64) -> Self {
        let time = |requests: Option<u64>| requests.map(|requests| requests as f64 / rate);
        Self {
            rate,
            median: time(needed.median),
            p99: time(needed.p99),
        }
    }
}

impl EdgeForecast {
    fn new(edge: &EdgeState, traffic: f64) -> Option<Self> {
        let (expected, gate) = (edge.expected()?, edge.gate()?);
        let split = expected.split();
        let names: Vec<&str> = expected.versions().map(|(version, _)| version).collect();
        let find = wrong(split, gate.tolerance())
            .into_iter()
            .map(|(k, share, truth)| Find {
                instead: Share {
                    version: names[k].to_owned(),
                    share,
                },
                needed: Needed::of(traffic, |chance| plan::to_reject(split, &truth, gate, chance)),
            });
        let share = |(version, share): (&str, f64)| Share {
            version: version.to_owned(),
            share,
        };
        Some(Self {
            edge: edge.edge().clone(),
            tolerance: gate.tolerance(),
            alpha: gate.alpha(),
            declared: expected.versions().map(share).collect(),
            traffic,
            confirm: Needed::of(traffic, |chance| plan::to_confirm(split, gate, chance)),
            find: find.collect(),
        })
    }
}

/// Wrong splits worth a look: the rarest version gets nothing, or more than is declared by more than the tolerance. A version
/// that is to get everything or nothing needs no forecast: one answer of another one decides.
fn wrong(split: &Split, tolerance: f64) -> Vec<(usize, f64, Split)> {
    let weights = split.weights();
    let active = weights.iter().enumerate().filter(|(_, share)| **share > 0.0);
    let Some((rarest, declared)) = active.min_by(|(_, a), (_, b)| a.total_cmp(b)) else {
        return Vec::new();
    };
    let more = DEVIATIONS
        .iter()
        .filter(|more| **more > tolerance)
        .map(|more| declared + more);
    let truth = |share: f64| {
        let others = |(k, weight): (usize, &f64)| {
            if k == rarest {
                share
            } else {
                weight * (1.0 - share) / (1.0 - declared)
            }
        };
        let weights: Vec<f64> = weights.iter().enumerate().map(others).collect();
        Some((rarest, share, Split::new(&weights).ok()?))
    };
    let shares = [0.0].into_iter().chain(more).filter(|share| *share < 1.0);
    shares.filter(|_| *declared < 1.0).filter_map(truth).collect()
}
