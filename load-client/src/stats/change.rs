//! When a known split turned into another known split.

use super::interval::Interval;
use super::split::Split;

/// Smallest weight used here: a version that one of the splits does not have would settle everything by one answer,
/// also by one that went astray.
const SMALLEST_WEIGHT: f64 = 1e-9;

/// Where a change took effect, as a number of requests before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangePoint {
    /// Most likely number of requests that still saw the old split.
    pub estimate: usize,
    /// Smallest number in the confidence set.
    pub first: usize,
    /// Largest number in the confidence set.
    pub last: usize,
    /// `S` at the estimate: how much likelier the old split made what came before it than the new one, in nats.
    pub gain: f64,
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
/// after it the likelihood ratios are martingales, each with half of `alpha`. A gradual change is not covered, see
/// [`super::ramp()`]: where several proxies change, each has its own change point, with its part of `alpha`.
/// `versions` are indices into both splits; one that neither has says nothing.
pub fn change_point(versions: &[usize], old: &Split, new: &Split, alpha: f64) -> ChangePoint {
    let ratios = log_ratios(old, new);
    let mut sum = 0.0;
    let mut path = Vec::with_capacity(versions.len() + 1);
    path.push(0.0);
    for version in versions {
        sum += ratios.get(*version).copied().unwrap_or(0.0);
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
        gain: path[estimate],
    }
}

/// What a version got while the change may have been under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct During {
    /// Answers.
    pub count: u64,
    /// Where its share was.
    pub interval: Interval,
    /// It gets nothing before and nothing after, and answered: a leak of the change itself.
    pub leak: bool,
    /// Its share was certainly neither the old nor the new one, nor between them.
    pub outside: bool,
}

/// Per version, what happened within the set of a change point: the answers after the first and up to the last.
///
/// Descriptive: the stretch was chosen by the data that it is about.
pub fn during(versions: &[usize], change: ChangePoint, old: &Split, new: &Split, alpha: f64) -> Vec<During> {
    let stretch = versions.get(change.first..change.last).unwrap_or_default();
    let mut counts = vec![0; new.weights().len()];
    for version in stretch {
        if let Some(count) = counts.get_mut(*version) {
            *count += 1;
        }
    }
    let intervals = new.intervals(&counts, alpha);
    let weights = old.weights().iter().zip(new.weights());
    let one = |((count, interval), (a, b)): ((u64, Interval), (&f64, &f64))| {
        let leak = a.max(*b) == 0.0 && count > 0;
        let between = Interval {
            low: a.min(*b),
            high: a.max(*b),
        };
        let outside = interval.high < between.low || between.high < interval.low;
        During {
            count,
            interval,
            leak,
            outside,
        }
    };
    counts.into_iter().zip(intervals).zip(weights).map(one).collect()
}
