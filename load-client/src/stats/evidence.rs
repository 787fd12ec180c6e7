//! The e-process: how much the counts speak against a split.
//!
//! ```text
//! logDM_c   = lnΓ(c) - lnΓ(c+n) + Σ_k [ lnΓ(cθ_k + n_k) - lnΓ(cθ_k) ]     a sequence's probability under Dirichlet(cθ)
//! logSlab   = ln mean_c exp(logDM_c),  c in 10, 100, 1000, 10000
//! logMarg   = ln( ½ exp(ll(θ)) + ½ exp(logSlab) ),  ll(t) = Σ n_k ln t_k
//! logE(t)   = logMarg - ll(t)
//! ```
//! At the true split `exp(logE)` is a nonnegative martingale with mean 1, so it ever reaches `1/α` with probability at
//! most `α` (Ville). Half of the prior's mass on the declared split makes confirming nearly as fast as a sequential
//! probability ratio test, and keeps `logE` above `-ln 2`.

use super::gamma::log_sum_exp;
use super::ln_gamma;
use super::split::{CONCENTRATIONS, Split};

/// Prior mass on the declared split.
const LN_HALF: f64 = -std::f64::consts::LN_2;

impl Split {
    /// `ln` of the probability of a sequence with these counts under the declared split; active versions alone.
    pub fn log_likelihood(&self, counts: &[u64]) -> f64 {
        self.active()
            .iter()
            .map(|k| term(counts[k.index], k.ln_weight))
            .sum()
    }

    /// `ln` of the same probability when the split is drawn from the Dirichlet prior of one concentration.
    fn log_dirichlet(&self, counts: &[u64], which: usize) -> f64 {
        let c = CONCENTRATIONS[which];
        let mut n = 0.0;
        let mut sum = 0.0;
        for k in self.active() {
            let count = float(counts[k.index]);
            let (parameter, ln_gamma_parameter) = k.prior[which];
            n += count;
            sum += ln_gamma(parameter + count) - ln_gamma_parameter;
        }
        ln_gamma(c) - ln_gamma(c + n) + sum
    }

    /// `ln` of the slab's marginal probability: the four concentrations in equal parts.
    pub fn log_slab(&self, counts: &[u64]) -> f64 {
        let terms: [f64; CONCENTRATIONS.len()] =
            std::array::from_fn(|which| self.log_dirichlet(counts, which));
        log_sum_exp(&terms) - float(terms.len() as u64).ln()
    }

    /// `ln` of the marginal probability under spike and slab.
    pub fn log_marginal(&self, counts: &[u64]) -> f64 {
        log_sum_exp(&[
            self.log_likelihood(counts) + LN_HALF,
            self.log_slab(counts) + LN_HALF,
        ])
    }

    /// `ln` of the e-value against the declared split; infinite once a version answered that gets no traffic.
    ///
    /// `counts` has one entry per version of the split.
    pub fn log_e(&self, counts: &[u64]) -> f64 {
        if self.leaked(counts) {
            return f64::INFINITY;
        }
        self.log_marginal(counts) - self.log_likelihood(counts)
    }

    /// Whether a version answered that is declared to get nothing.
    pub fn leaked(&self, counts: &[u64]) -> bool {
        self.weights()
            .iter()
            .zip(counts)
            .any(|(weight, count)| *weight == 0.0 && *count > 0)
    }
}

/// `n ln p`, 0 for no observation.
fn term(count: u64, ln_weight: f64) -> f64 {
    if count == 0 { 0.0 } else { float(count) * ln_weight }
}

/// A count as a float: exact up to 2^53.
#[allow(clippy::cast_precision_loss)]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}
