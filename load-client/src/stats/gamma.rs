//! Logarithms of the gamma function and of sums.

/// `ln Γ(x)` for `x > 0`: recurrence up to 15, then Stirling's series to `x^-13`. Relative error about 5e-15.
///
/// The standard library's `f64::ln_gamma` is not stable.
pub fn ln_gamma(mut x: f64) -> f64 {
    const HALF_LN_TAU: f64 = 0.918_938_533_204_672_8;
    let mut shift = 0.0;
    while x < 15.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let tail = 1.0 / 1188.0 - r * (691.0 / 360_360.0 - r / 156.0);
    let series = 1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r * tail)));
    (x - 0.5) * x.ln() - x + HALF_LN_TAU + series / x + shift
}

/// `ln Σ exp(term)`, shifted by the largest term so that nothing overflows.
pub(super) fn log_sum_exp(terms: &[f64]) -> f64 {
    let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_infinite() {
        return largest;
    }
    largest + terms.iter().map(|term| (term - largest).exp()).sum::<f64>().ln()
}
