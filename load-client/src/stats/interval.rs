//! Intervals for the shares of the versions: projections of the joint confidence set.

use serde::{Deserialize, Serialize};

use super::split::Split;

/// Halvings of a bracket no wider than 1: more than a double can resolve near the ends.
const HALVINGS: u32 = 60;

/// A share lies in here, with probability at least `1 - alpha` for all versions and all looks together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end, 0 to 1.
    pub low: f64,
    /// Upper end, 0 to 1.
    pub high: f64,
}

impl Interval {
    /// Every share.
    pub const ALL: Interval = Interval { low: 0.0, high: 1.0 };

    /// The smallest interval that contains both.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// Whether every share in here is within `tolerance` of `share`.
    pub fn within(self, share: f64, tolerance: f64) -> bool {
        share - tolerance <= self.low && self.high <= share + tolerance
    }

    /// Whether no share in here is within `tolerance` of `share`.
    pub fn beyond(self, share: f64, tolerance: f64) -> bool {
        self.high < share - tolerance || share + tolerance < self.low
    }
}

impl Split {
    /// An interval per version, exact projections of `{ t : logE(t) < ln(1/alpha) }`. Simultaneous for the active
    /// versions; a version with probability 0 has the bound of [`leak_bound`], which carries an `alpha` of its own, and
    /// none once it answered.
    pub fn intervals(&self, counts: &[u64], alpha: f64) -> Vec<Interval> {
        let seen = self.observed(counts);
        let unused = Interval {
            low: 0.0,
            high: leak_bound(seen.n, alpha),
        };
        let answers = |index: usize| counts.get(index).copied().unwrap_or(0);
        let of_unused = |index: usize| {
            if answers(index) == 0 {
                unused
            } else {
                Interval::ALL
            }
        };
        let mut intervals: Vec<Interval> = (0..self.weights().len()).map(of_unused).collect();
        let level = self.marginal(&seen) + alpha.ln();
        for (k, count) in self.active().iter().zip(&seen.counts) {
            intervals[k.index] = project(*count, seen.n, level);
        }
        intervals
    }
}

/// The share that a version without any answer among `n` can have at most: `1 - alpha^(1/n)`.
///
/// `(1 - share)^-n` is an e-process for "the share is at least this", so it may be looked at any time.
pub fn leak_bound(n: f64, alpha: f64) -> f64 {
    if n == 0.0 { 1.0 } else { -(alpha.ln() / n).exp_m1() }
}

/// Where the profile likelihood of a version's share is above `level`, both relative to the likelihood at the observed
/// shares. The others share the rest as observed, so
/// `g(t) = n_k ln(t/p) + (n-n_k) ln((1-t)/(1-p)) - level` with `p = n_k/n`, concave, largest at `p`.
fn project(count: f64, n: f64, level: f64) -> Interval {
    if n == 0.0 {
        return Interval::ALL;
    }
    let rest = n - count;
    let peak = count / n;
    let inside = |share: f64| {
        let ones = relative(count, share - peak, peak);
        let zeros = relative(rest, peak - share, rest / n);
        ones + zeros > level
    };
    Interval {
        low: if count == 0.0 {
            0.0
        } else {
            boundary(0.0, peak, inside)
        },
        high: if rest == 0.0 {
            1.0
        } else {
            boundary(1.0, peak, inside)
        },
    }
}

/// `count ln((share + change)/share)`; small changes without the rounding of the quotient.
fn relative(count: f64, change: f64, share: f64) -> f64 {
    if count == 0.0 {
        return 0.0;
    }
    let part = change / share;
    if part > -0.5 {
        count * part.ln_1p()
    } else {
        count * ((share + change) / share).ln()
    }
}

/// The place between a share outside and one inside where `inside` turns.
fn boundary(mut outside: f64, mut within: f64, inside: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(outside, within);
        if inside(middle) {
            within = middle;
        } else {
            outside = middle;
        }
    }
    f64::midpoint(outside, within)
}
