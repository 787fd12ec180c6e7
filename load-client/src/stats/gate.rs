//! The error gate: does the new version fail more often than the others?
//!
//! The mesh draws the version of each request with shares that are known. So among the requests that failed, the
//! version is drawn with the same shares if the versions fail alike: whatever the error rate is, and however it changes
//! over time. An excess of the new version speaks against that:
//!
//! ```text
//! r_j  = exp( ln 1.1 + (ln 100 - ln 1.1) j/63 ),  j = 0..63          how many times as often it may fail
//! q_j  = θ r_j / (1 - θ + θ r_j)                                     its share of the failures then
//! logE = ln mean_j exp( x ln(q_j/θ) + (n-x) ln((1-q_j)/(1-θ)) )      x of n failures are of the new version
//! ```
//! With `d_j = ln(1 + θ(r_j - 1))` the exponent is `x ln r_j - n d_j`. `exp(logE)` is an e-process for "fails no more
//! often than the others": it ever reaches `1/α` with probability at most `α` (Ville), at any number of looks. It is the
//! test of Lindon and Malek (NeurIPS 2022, arXiv 2011.03567) for Bernoulli rates that vary over time, and the two-sample
//! e-variable of Turner, Ly and Grünwald for allocation at random.

use super::evidence::float;
use super::gamma::log_sum_exp;

/// Ratios of error rates in the mixture.
const RATIOS: usize = 64;
const SMALLEST: f64 = 1.1;
const LARGEST: f64 = 100.0;

/// Evidence that a version fails more often than the others. Starts at none.
#[derive(Clone, Debug)]
pub struct ErrorEvidence {
    /// The exponent of each ratio.
    terms: [f64; RATIOS],
}

impl Default for ErrorEvidence {
    fn default() -> Self {
        Self { terms: [0.0; RATIOS] }
    }
}

impl ErrorEvidence {
    /// Adds `failures`, of which `of_new` are of the new version, where it gets `share` of the requests. The share may
    /// be another one each time; one of 0 or 1 leaves nothing to compare and adds nothing.
    pub fn add(&mut self, of_new: u64, failures: u64, share: f64) {
        if !(share > 0.0 && share < 1.0) {
            return;
        }
        for (term, ln_ratio) in self.terms.iter_mut().zip(ln_ratios()) {
            let diluted = (share * ln_ratio.exp_m1()).ln_1p();
            *term += float(of_new) * ln_ratio - float(failures) * diluted;
        }
    }

    /// `ln` of the e-value: an alarm is raised once it is `ln(1/alpha)`.
    pub fn log_e(&self) -> f64 {
        log_sum_exp(&self.terms) - float(RATIOS as u64).ln()
    }
}

fn ln_ratios() -> impl Iterator<Item = f64> {
    let (low, high) = (SMALLEST.ln(), LARGEST.ln());
    (0..RATIOS as u64).map(move |j| low + (high - low) * float(j) / float(RATIOS as u64 - 1))
}
