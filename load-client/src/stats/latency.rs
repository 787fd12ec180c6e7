//! Do the versions take differently long?

use super::split::Split;

/// Concentrations of the prior: small and large shifts of a bin's shares.
const CONCENTRATIONS: [f64; 2] = [30.0, 1_000.0];
/// Where the bins end, as quantiles of the warm-up: deciles, and the tail.
const QUANTILES: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99];

/// An e-process for "the versions' latencies are distributed alike".
///
/// Given how long a request took, its version is a draw from the declared split if the versions are alike. In each bin of
/// latencies that is tested with an even mixture of two Dirichlet priors; the bins' logarithms add up, since each request falls
/// into one bin. A difference of the tail alone shows, too. Requests that time out belong into the last bin: record
/// them with the time they were given.
#[derive(Clone, Debug)]
pub struct Latencies {
    split: Split,
    /// Upper ends of all bins but the last, ascending.
    edges: Vec<f64>,
    /// Answers per version, a row per bin.
    bins: Vec<Vec<u64>>,
}

impl Latencies {
    /// `warm_up` are latencies of all versions together, in any unit, taken before what is recorded: bins that were
    /// chosen by the data they test would not be valid.
    pub fn new(split: Split, warm_up: &[f64]) -> Self {
        let mut sorted: Vec<f64> = warm_up
            .iter()
            .copied()
            .filter(|value| value.is_finite())
            .collect();
        sorted.sort_by(f64::total_cmp);
        let mut edges: Vec<f64> = QUANTILES.iter().filter_map(|q| quantile(&sorted, *q)).collect();
        edges.dedup();
        let bins = vec![vec![0; split.weights().len()]; edges.len() + 1];
        Self { split, edges, bins }
    }

    /// An answer of a version, by its index in the split, after `latency`.
    pub fn record(&mut self, version: usize, latency: f64) {
        let bin = self.edges.partition_point(|edge| *edge < latency);
        if let Some(count) = self.bins.get_mut(bin).and_then(|bin| bin.get_mut(version)) {
            *count += 1;
        }
    }

    /// `ln` of the e-value; they differ once it reaches `ln(1/alpha)`.
    pub fn log_e(&self) -> f64 {
        let bins = self.bins.iter();
        bins.map(|counts| self.split.log_e_of_slab(counts, &CONCENTRATIONS))
            .sum()
    }
}

/// The value below which a part `q` of sorted values lies, interpolated.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)] // an index
fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = q * last as f64;
    let low = at.floor() as usize;
    let high = (low + 1).min(last);
    Some(sorted[low] + (at - low as f64) * (sorted[high] - sorted[low]))
}
