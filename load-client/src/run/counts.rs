//! What a run counted: enough for every figure of its report, and to be added to what other clients counted.
//!
//! Exact in a sum: counts, errors, histograms and the percentiles read off them, the evidence against a declared split and its
//! confidence set, since these depend on counts alone. So the verdict is the one that a single client would give that had seen all.
//! It is one look, when every client has come to a limit that was fixed beforehand; the confidence set holds at every number of
//! requests at once, and so at whatever numbers the clients came to, as long as none of them is left out. (`verify` stops by its own
//! evidence, and is not divided.)
//!
//! What needs the order of the answers (runs, drift, stickiness) is known to each client for itself: [`Part`]. Who gave which
//! answer, and so the causes, is not kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::tally::Tally;
use crate::expect::Path;
use crate::judge::{self, EdgeCounts, EdgeState, Terms};
use crate::latency::Latencies;
use crate::report::IndependenceReport;
use crate::shard::Shard;

/// What was asked for, of all clients together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Where to.
    pub url: String,
    /// Through which proxy.
    pub proxy: Option<String>,
    /// Method of the requests.
    pub method: String,
    /// Virtual users of each client.
    pub connections: usize,
    /// Requests per second of an open loop; null in a closed loop.
    pub intended_rate: Option<f64>,
    /// Requests to send; null if time alone ends the run.
    pub limit_requests: Option<u64>,
    /// Time to send in; null if there is no limit.
    pub limit_seconds: Option<f64>,
    /// As given; null: drawn by each client.
    pub seed: Option<u64>,
}

/// The sums of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Counts {
    /// What was asked for.
    pub asked: Asked,
    /// Where the requests entered the mesh.
    pub path: Path,
    /// On which terms the split is judged.
    pub terms: Terms,
    /// From the first send to the last answer, of the client that took longest.
    pub duration_seconds: f64,
    /// True if a client was stopped before its limit: what was in flight then is not counted.
    pub interrupted: bool,
    /// Of all requests.
    pub totals: judge::Tally,
    /// Latencies by version of the first service.
    pub versions: BTreeMap<String, Latencies>,
    /// Latencies of answers that name no version.
    pub unattributed: Latencies,
    /// What is declared, and what was seen of it; empty without an expectation.
    pub edges: Vec<EdgeCounts>,
    /// By client.
    pub parts: Vec<Part>,
}

/// What one client alone knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {
    /// Which one.
    pub shard: Shard,
    /// Requests that came to their end.
    pub requests: u64,
    /// For each edge.
    pub edges: Vec<PartOfEdge>,
}

/// What one client alone knows about an edge.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartOfEdge {
    /// Its answers by version: clients that see other shares than the rest are told apart.
    pub answers: BTreeMap<String, u64>,
    /// Whether they are independent draws; null if there is no traffic.
    pub independence: Option<IndependenceReport>,
}

impl Counts {
    pub(super) fn new(tally: &Tally, asked: Asked, path: Path, shard: Shard, interrupted: bool) -> Self {
        let judge = &tally.judge;
        let edges: Vec<EdgeCounts> = judge.edges().iter().map(EdgeCounts::of).collect();
        let part = |(state, counts): (&EdgeState, &EdgeCounts)| PartOfEdge {
            answers: counts
                .answers
                .iter()
                .map(|(version, answers)| (version.clone(), answers.count))
                .collect(),
            independence: IndependenceReport::new(state),
        };
        Self {
            asked,
            path,
            terms: judge.terms().clone(),
            duration_seconds: tally.duration().as_secs_f64(),
            interrupted,
            totals: judge.tally().clone(),
            versions: tally.versions.clone(),
            unattributed: tally.unattributed.clone(),
            parts: vec![Part {
                shard,
                requests: judge.tally().requests(),
                edges: judge.edges().iter().zip(&edges).map(part).collect(),
            }],
            edges,
        }
    }

    /// Adds what another client counted, which was asked for the same.
    pub(super) fn add(&mut self, other: Self) {
        self.duration_seconds = self.duration_seconds.max(other.duration_seconds);
        self.interrupted |= other.interrupted;
        self.totals.add(&other.totals);
        for (version, latencies) in &other.versions {
            self.versions.entry(version.clone()).or_default().add(latencies);
        }
        self.unattributed.add(&other.unattributed);
        for (edge, other) in self.edges.iter_mut().zip(&other.edges) {
            edge.add(other);
        }
        self.parts.extend(other.parts);
    }
}
