//! Is a canary good enough to be promoted? Errors of the new version, held against a limit and against the old one.
//!
//! The mesh assigns versions at random with known weights, so if the versions are alike, a request that failed was the
//! new version's with probability equal to its weight, however the error rate changes over time. These need the split
//! to be right: it is judged first.

use super::evidence::float;
use super::interval::{Interval, leak_bound};
use super::split::{InvalidSplit, Split};

/// What an error rate is at most, at confidence `1 - alpha` and at every look, after `errors` of `requests`.
///
/// Without errors `1 - alpha^(1/n)`; with errors the upper end of the interval of errors and successes whose prior sits at
/// a tenth of `limit`, the rate that is to be excluded (0.01 for one percent). Promote when this is below `limit`: 688
/// requests without an error do for one percent at alpha 0.001.
///
/// # Errors
/// `limit` is not between 0 and 1.
pub fn error_rate_bound(errors: u64, requests: u64, limit: f64, alpha: f64) -> Result<f64, InvalidSplit> {
    let successes = requests.saturating_sub(errors);
    let split = Split::new(&[limit / 10.0, 1.0 - limit / 10.0])?;
    Ok(if errors == 0 {
        leak_bound(float(requests), alpha)
    } else {
        split.intervals(&[errors, successes], alpha)[0].high
    })
}

/// `ln` of the e-value against "the new version fails at least `margin` times as often as the old one": the canary is
/// not that much worse once this reaches `ln(1/alpha)`.
///
/// Of `errors` in all, `new_errors` were the new version's, whose weight is `weight`. At a rate ratio `m` its share of the
/// errors is `φ = θm/(1-θ+θm)`; `logE = x ln(θ/φ) + (n-x) ln((1-θ)/(1-φ))` is the likelihood ratio of equal rates.
pub fn noninferior(new_errors: u64, errors: u64, weight: f64, margin: f64) -> f64 {
    let (new, old) = (float(new_errors), float(errors.saturating_sub(new_errors)));
    // θ/φ = (1-θ+θm)/m, and (1-θ)/(1-φ) = 1-θ+θm.
    let ln_scale = (weight * (margin - 1.0)).ln_1p();
    let term = |count: f64, ln: f64| if count == 0.0 { 0.0 } else { count * ln };
    term(new, ln_scale - margin.ln()) + term(old, ln_scale)
}

/// How many times as often the new version fails, from its share of all errors: `s/(1-s) · (1-θ)/θ`. The upper end is
/// infinite when the share may be 1.
pub fn rate_ratio(share: Interval, weight: f64) -> (f64, f64) {
    let ratio = |share: f64| share / (1.0 - share) * (1.0 - weight) / weight;
    (
        ratio(share.low),
        if share.high >= 1.0 {
            f64::INFINITY
        } else {
            ratio(share.high)
        },
    )
}
