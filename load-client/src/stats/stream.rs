//! What was seen on one edge.

use super::evidence::total;
use super::interval::Interval;
use super::split::Split;

/// Counts against a declared split. Counts are sufficient: nothing else of the past is needed.
///
/// Fed in dispatch order, and started anew when the declared weights change.
#[derive(Clone, Debug)]
pub struct Stream {
    split: Split,
    counts: Vec<u64>,
    unattributed: u64,
    max_log_e: f64,
}

impl Stream {
    /// Nothing seen yet.
    pub fn new(split: Split) -> Self {
        let counts = vec![0; split.weights().len()];
        Self::with_counts(split, counts, 0)
    }

    /// As if these counts had been seen and never looked at. `counts` has one entry per version.
    pub fn with_counts(split: Split, mut counts: Vec<u64>, unattributed: u64) -> Self {
        counts.resize(split.weights().len(), 0);
        Self {
            split,
            counts,
            unattributed,
            max_log_e: f64::NEG_INFINITY,
        }
    }

    /// An answer of a version, by its index in the split.
    pub fn record(&mut self, version: usize) {
        self.counts[version] += 1;
    }

    /// A request whose version is not known.
    pub fn record_unattributed(&mut self) {
        self.unattributed += 1;
    }

    /// So many answers of a version.
    pub fn add(&mut self, version: usize, count: u64) {
        self.counts[version] = self.counts[version].saturating_add(count);
    }

    /// So many requests whose version is not known.
    pub fn add_unattributed(&mut self, count: u64) {
        self.unattributed = self.unattributed.saturating_add(count);
    }

    /// Adds a version that nobody declared; its index.
    pub fn add_unused(&mut self) -> usize {
        self.split.add_unused();
        self.counts.push(0);
        self.counts.len() - 1
    }

    /// Evaluates the evidence, which counts only when looked at, and keeps the largest.
    pub fn look(&mut self) -> f64 {
        let log_e = self.log_e();
        self.max_log_e = self.max_log_e.max(log_e);
        log_e
    }

    /// `ln` of the e-value at this moment, the smallest that the unattributed requests allow.
    pub fn log_e(&self) -> f64 {
        self.split.smallest_log_e(&self.counts, self.unattributed)
    }

    /// The largest `ln` e-value at any look so far: what decides.
    pub fn max_log_e(&self) -> f64 {
        self.max_log_e
    }

    /// The anytime p-value: 1 over the largest e-value, at most 1.
    pub fn p_value(&self) -> f64 {
        (-self.max_log_e).exp().min(1.0)
    }

    /// An interval per version at level `1 - alpha`. Not intersected over time: a drift would empty the intersection.
    pub fn intervals(&self, alpha: f64) -> Vec<Interval> {
        self.split
            .widest_intervals(&self.counts, self.unattributed, alpha)
    }

    /// What is declared.
    pub fn split(&self) -> &Split {
        &self.split
    }

    /// Answers per version.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Requests whose version is not known.
    pub fn unattributed(&self) -> u64 {
        self.unattributed
    }

    /// Requests seen, attributed or not.
    pub fn total(&self) -> u64 {
        total(&self.counts).saturating_add(self.unattributed)
    }
}
