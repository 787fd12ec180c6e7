//! When a known split turned into another known split.

use super::split::Split;

/// Smallest weight used here: a version that one of the splits does not have would settle everything by one answer,
/// also by one that went astray.
const SMALLEST_WEIGHT: f64 = 1e-9;

/// Where a change took effect, as a number of requests before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangePoint {
    /// Most likely number of requests that still saw the old split.
    pub estimate: usize,
    /// Smallest number in the confidence set.
    pub first: usize,
    /// Largest number in the confidence set.
    pub last: usize,
}

/// Per version, `ln` of how much more likely the old split is than the new one.
pub(super) fn log_ratios(old: &Split, new: &Split) -> Vec<f64> {
    let weight = |weight: f64| weight.max(SMALLEST_WEIGHT).ln();
    old.weights()
        .iter()
        .zip(new.weights())
        .map(|(a, b)| weight(*a) - weight(*b))
        .collect()
}

/// The change point of a sequence of versions in dispatch order: `S(t) = Σ_i≤t ln(a(x_i)/b(x_i))` is largest at the
/// estimate, and the set holds every `t` with `S(t) >= max - ln(2/alpha)`.
///
/// For one abrupt change the set covers it with probability at least `1 - alpha`, whatever the length: before and
/// after it the likelihood ratios are martingales, each with half of `alpha`. A gradual change is not covered.
/// `versions` are indices into both splits.
pub fn change_point(versions: &[usize], old: &Split, new: &Split, alpha: f64) -> ChangePoint {
    let ratios = log_ratios(old, new);
    let mut sum = 0.0;
    let mut path = Vec::with_capacity(versions.len() + 1);
    path.push(0.0);
    for version in versions {
        sum += ratios[*version];
        path.push(sum);
    }
    let mut estimate = 0;
    for (t, value) in path.iter().enumerate() {
        if *value > path[estimate] {
            estimate = t;
        }
    }
    let floor = path[estimate] - (2.0 / alpha).ln();
    let inside = |value: &f64| *value >= floor;
    ChangePoint {
        estimate,
        first: path.iter().position(inside).unwrap_or(estimate),
        last: path.iter().rposition(inside).unwrap_or(estimate),
    }
}
