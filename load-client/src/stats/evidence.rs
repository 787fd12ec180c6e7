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
//!
//! All of these are computed relative to the likelihood at the observed shares, `ll(n_k/n)`: the logarithms themselves
//! grow with `n`, their differences with `ln n`, so that a billion counts have as many digits as ten.

use super::gamma::{ln_gamma, ln_gamma_beyond, log_sum_exp};
use super::split::{CONCENTRATIONS, Split};

/// Prior mass on the declared split.
const LN_HALF: f64 = -std::f64::consts::LN_2;

/// Counts of the active versions, as floats.
pub(super) struct Observed {
    pub(super) n: f64,
    pub(super) counts: Vec<f64>,
}

impl Split {
    /// What the active versions answered; a count that is missing is 0.
    pub(super) fn observed(&self, counts: &[u64]) -> Observed {
        let count = |index: usize| float(counts.get(index).copied().unwrap_or(0));
        let counts: Vec<f64> = self.active().iter().map(|k| count(k.index)).collect();
        Observed {
            n: counts.iter().sum(),
            counts,
        }
    }

    /// `ln` of the probability of a sequence with these counts under the declared split; active versions alone.
    pub fn log_likelihood(&self, counts: &[u64]) -> f64 {
        let seen = self.observed(counts);
        let terms = self.active().iter().zip(&seen.counts);
        terms
            .map(|(k, count)| if *count == 0.0 { 0.0 } else { count * k.ln_weight })
            .sum()
    }

    /// `n` times the Kullback-Leibler divergence of the observed shares from the declared ones: how much likelier the
    /// counts are at the observed shares.
    pub(super) fn divergence(&self, seen: &Observed) -> f64 {
        let terms = self.active().iter().zip(&seen.counts);
        terms.map(|(k, count)| surplus(*count, seen.n * k.weight)).sum()
    }

    /// `logDM_c - ll(n_k/n)` for one concentration of the prior.
    fn dirichlet(&self, seen: &Observed, which: usize) -> f64 {
        let terms = self.active().iter().zip(&seen.counts).map(|(k, count)| {
            let (parameter, ln_gamma_parameter) = k.prior[which];
            ln_gamma_beyond(parameter, *count) - ln_gamma_parameter
        });
        let c = CONCENTRATIONS[which];
        ln_gamma(c) - ln_gamma_beyond(c, seen.n) + terms.sum::<f64>()
    }

    /// `logSlab - ll(n_k/n)`.
    fn slab(&self, seen: &Observed) -> f64 {
        let terms: [f64; CONCENTRATIONS.len()] = std::array::from_fn(|which| self.dirichlet(seen, which));
        log_sum_exp(&terms) - float(terms.len() as u64).ln()
    }

    /// `logMarg - ll(n_k/n)`.
    pub(super) fn marginal(&self, seen: &Observed) -> f64 {
        log_sum_exp(&[LN_HALF - self.divergence(seen), LN_HALF + self.slab(seen)])
    }

    /// `ln` of the slab's marginal probability: the four concentrations in equal parts.
    pub fn log_slab(&self, counts: &[u64]) -> f64 {
        let seen = self.observed(counts);
        self.slab(&seen) + self.divergence(&seen) + self.log_likelihood(counts)
    }

    /// `ln` of the marginal probability under spike and slab.
    pub fn log_marginal(&self, counts: &[u64]) -> f64 {
        self.log_e_of(&self.observed(counts)) + self.log_likelihood(counts)
    }

    /// `ln` of the e-value against the declared split; infinite once a version answered that gets no traffic.
    ///
    /// `counts` has one entry per version of the split.
    pub fn log_e(&self, counts: &[u64]) -> f64 {
        if self.leaked(counts) {
            return f64::INFINITY;
        }
        self.log_e_of(&self.observed(counts))
    }

    fn log_e_of(&self, seen: &Observed) -> f64 {
        log_sum_exp(&[LN_HALF, LN_HALF + self.slab(seen) + self.divergence(seen)])
    }

    /// `ln` of the e-value of equal parts of Dirichlet priors with these concentrations, without mass on the declared
    /// split; active versions alone.
    pub(super) fn log_e_of_slab(&self, counts: &[u64], concentrations: &[f64]) -> f64 {
        let seen = self.observed(counts);
        let marginal = |c: &f64| {
            let terms = self.active().iter().zip(&seen.counts);
            let terms = terms.map(|(k, n)| ln_gamma_beyond(c * k.weight, *n) - ln_gamma(c * k.weight));
            ln_gamma(*c) - ln_gamma_beyond(*c, seen.n) + terms.sum::<f64>()
        };
        let terms: Vec<f64> = concentrations.iter().map(marginal).collect();
        log_sum_exp(&terms) - float(terms.len() as u64).ln() + self.divergence(&seen)
    }

    /// Whether a version answered that is declared to get nothing.
    pub fn leaked(&self, counts: &[u64]) -> bool {
        self.weights()
            .iter()
            .zip(counts)
            .any(|(weight, count)| *weight == 0.0 && *count > 0)
    }
}

/// `count ln(count/expected)`, 0 for no observation; near the expected count without the rounding of the quotient.
fn surplus(count: f64, expected: f64) -> f64 {
    if count == 0.0 {
        return 0.0;
    }
    let deviation = (count - expected) / expected;
    if deviation.abs() < 0.5 {
        count * deviation.ln_1p()
    } else {
        count * (count.ln() - expected.ln())
    }
}

/// A count as a float: exact up to 2^53.
#[allow(clippy::cast_precision_loss)]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}

/// The sum of counts.
pub(super) fn total(counts: &[u64]) -> u64 {
    counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
}
