//! Versions per key, and answers of versions that are to get nothing.

use serde::{Deserialize, Serialize};

use super::{EdgeReport, EdgeVerdict, number};
use crate::judge::Judge;
use crate::stats::Verdict;

/// How often the version changed although the key stayed the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StickyReport {
    /// As `--sticky` takes it.
    pub key: String,
    /// Keys that were used.
    pub keys: u64,
    /// Of them, those that met more than one version.
    pub flipped_keys: u64,
    /// Answers to a key after its first.
    pub repeats: u64,
    /// Of them, those of another version than the first.
    pub flips: u64,
    /// Their rate is below this, except with probability `alpha`; null after a flip.
    pub below: Option<f64>,
    /// Its part of the probability of a wrong verdict.
    pub alpha: f64,
}

impl StickyReport {
    pub(super) fn new(judge: &Judge) -> Option<Self> {
        let key = judge.terms().sticky.clone()?;
        let (sticky, alpha) = (judge.sticky(), judge.sticky_alpha());
        Some(Self {
            key,
            keys: sticky.keys(),
            flipped_keys: sticky.flipped_keys(),
            repeats: sticky.repeats(),
            flips: sticky.flips(),
            below: sticky.bound(alpha),
            alpha,
        })
    }

    /// A line.
    pub(super) fn text(&self, alpha: f64) -> String {
        let (keys, repeats) = (number::count(self.keys), number::count(self.repeats));
        match self.below {
            Some(below) => format!(
                "sticky by {}: 0 version flips in {repeats} repeats of {keys} keys, < {} at {}",
                self.key,
                number::upper(below),
                number::confidence(alpha)
            ),
            None => format!(
                "not sticky by {}: {} of {keys} keys met another version later, {} of {repeats} repeats",
                self.key,
                number::count(self.flipped_keys),
                number::count(self.flips)
            ),
        }
    }
}

/// No answer of a version that is to get nothing, and how sure that is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct LeakReport {
    /// Requests of the edge.
    pub n: u64,
    /// The share of all those versions together is below this, except with the edge's `alpha`.
    pub below: f64,
}

impl LeakReport {
    /// Of an edge that is to send everything to one version, when it is confirmed.
    pub(super) fn new(edge: &EdgeReport) -> Option<Self> {
        let all = edge.versions.iter().find(|version| version.declared >= 1.0)?;
        let confirmed = edge.verdict == EdgeVerdict::Used(Verdict::Confirmed);
        let unused = edge
            .versions
            .iter()
            .filter(|version| version.declared == 0.0)
            .filter_map(|version| version.interval);
        let below = unused.map(|interval| interval.high).reduce(f64::max)?;
        (confirmed && all.count > 0).then_some(Self { n: edge.n, below })
    }
}

/// `0 leaks in 411 requests, < 1.7 % at 99.9 %`, for the edge that says least.
pub(super) fn leaks<'a>(edges: impl Iterator<Item = &'a EdgeReport>, alpha: f64) -> Option<String> {
    let clean: Vec<LeakReport> = edges.filter_map(|edge| edge.leaks).collect();
    let weakest = clean.iter().max_by(|a, b| a.below.total_cmp(&b.below))?;
    let each = if clean.len() > 1 { " or more per edge" } else { "" };
    Some(format!(
        "0 leaks in {} requests{each}, < {} at {}",
        number::count(weakest.n),
        number::upper(weakest.below),
        number::confidence(alpha)
    ))
}
