//! From evidence to a verdict.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::evidence::float;
use super::interval::Interval;
use super::stream::Stream;

/// What the counts say about a declared split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Every share is within the tolerance. Wrong with probability at most `alpha` when one is off by the tolerance
    /// or more.
    Confirmed,
    /// The split is not what was declared. Wrong with probability at most `alpha` when it is.
    Violation,
    /// A version answered that is declared to get nothing: certain.
    Leak,
    /// Neither yet.
    Undecided,
}

/// Which deviation is a violation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailOn {
    /// Any, once there is enough evidence against the declared split.
    #[default]
    AnyDeviation,
    /// Only one that is certainly larger than the tolerance.
    BeyondTolerance,
}

impl fmt::Display for FailOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FailOn::AnyDeviation => "any-deviation",
            FailOn::BeyondTolerance => "beyond-tolerance",
        })
    }
}

/// The terms of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gate {
    alpha: f64,
    tolerance: f64,
    fail_on: FailOn,
}

/// Terms that no verdict can be reached on.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum InvalidGate {
    /// Not a probability of error.
    #[error("alpha {0} is not between 0 and 1; use a small one such as 0.001")]
    Alpha(f64),
    /// Not a distance between shares.
    #[error("a tolerance of {} percentage points is not between 0 and 100; use one such as 2pp", .0 * 100.0)]
    Tolerance(f64),
}

/// A verdict and what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// Confirmed, although there is also evidence that the split is not exactly as declared.
    pub offset: bool,
    /// `ln` of the e-value at this look.
    pub log_e: f64,
    /// An interval per version, each within 0 to 1.
    pub intervals: Vec<Interval>,
}

impl Gate {
    /// `alpha` is the probability of a wrong verdict, `tolerance` a difference of shares (0.02 is two percentage
    /// points).
    ///
    /// # Errors
    /// Either is not between 0 and 1, exclusive.
    pub fn new(alpha: f64, tolerance: f64, fail_on: FailOn) -> Result<Self, InvalidGate> {
        let inside = |value: f64| value > 0.0 && value < 1.0;
        if !inside(alpha) {
            return Err(InvalidGate::Alpha(alpha));
        }
        if !inside(tolerance) {
            return Err(InvalidGate::Tolerance(tolerance));
        }
        Ok(Self {
            alpha,
            tolerance,
            fail_on,
        })
    }

    /// The same terms for each of `streams` independent streams that share the probability of error.
    #[must_use]
    pub fn shared_by(self, streams: usize) -> Self {
        Self {
            alpha: self.alpha / float(streams.max(1) as u64),
            ..self
        }
    }

    /// Probability of a wrong verdict.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// Accepted difference of a share, as a fraction.
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// Which deviation is a violation.
    pub fn fail_on(&self) -> FailOn {
        self.fail_on
    }

    /// Looks at a stream. In this order: LEAK, CONFIRMED, VIOLATION, UNDECIDED.
    pub fn look(&self, stream: &mut Stream) -> Finding {
        let log_e = stream.look();
        let intervals = stream.intervals(self.alpha);
        let rejected = stream.max_log_e() >= -self.alpha.ln();
        let verdict = self.verdict(stream, &intervals, rejected);
        Finding {
            verdict,
            offset: verdict == Verdict::Confirmed && rejected,
            log_e,
            intervals,
        }
    }

    fn verdict(&self, stream: &Stream, intervals: &[Interval], rejected: bool) -> Verdict {
        let shares = || intervals.iter().zip(stream.split().weights());
        if stream.split().leaked(stream.counts()) {
            return Verdict::Leak;
        }
        if !self.attributes_enough(stream) {
            return Verdict::Undecided;
        }
        if shares().all(|(interval, share)| interval.within(*share, self.tolerance)) {
            return Verdict::Confirmed;
        }
        let violated = match self.fail_on {
            FailOn::AnyDeviation => rejected,
            FailOn::BeyondTolerance => {
                shares().any(|(interval, share)| interval.beyond(*share, self.tolerance))
            }
        };
        if violated {
            Verdict::Violation
        } else {
            Verdict::Undecided
        }
    }

    /// With more than half of the tolerance unattributed, what is known does not say enough about what is not.
    pub fn attributes_enough(&self, stream: &Stream) -> bool {
        float(stream.unattributed()) <= float(stream.total()) * self.tolerance / 2.0
    }
}
