//! The verdict on a traffic split, valid at every look.
//!
//! One object carries everything: a spike-and-slab e-process on the counts of the versions ([`evidence`]), and the
//! confidence set that it defines ([`interval`]). Whoever looks after every request and stops when pleased still has
//! the stated error rates, which a chi-square test repeated until it says something does not have (Lindon and Malek,
//! NeurIPS 2022, arXiv 2011.03567; the prior here is a mixture over concentrations with half of its mass on the
//! declared split). Logarithms are natural.
//!
//! Around it: what the verdict takes for granted ([`diagnosis`]), when a change came ([`change`], [`detect`]), whether a
//! canary is good enough ([`canary`], [`latency`]), how many requests all this takes ([`plan`]).
//!
//! Everything is a pure function of counts: no clock, no randomness, no I/O.

pub mod canary;
mod cells;
pub mod change;
pub mod detect;
pub mod diagnosis;
pub mod evidence;
mod gamma;
pub mod gate;
mod heterogeneity;
pub mod interval;
pub mod latency;
mod matches;
pub mod plan;
mod ramp;
mod restart;
mod runs;
pub mod split;
pub mod stream;
mod trace;
mod trajectory;
mod unattributed;
pub mod verdict;

pub use cells::cells;
pub use change::{ChangePoint, change_point};
pub use detect::Detector;
pub use diagnosis::{Dependence, Diagnosis, LateChange};
pub use gamma::{chi_square_lower, chi_square_upper, ln_gamma};
pub use gate::ErrorEvidence;
pub use heterogeneity::{Heterogeneity, heterogeneity};
pub use interval::Interval;
pub use latency::Latencies;
pub use matches::{Excess, Pairs, excess};
pub use ramp::{Ramp, ramp};
pub use restart::Restarts;
pub use runs::{Runs, RunsTest};
pub use split::{InvalidSplit, Split};
pub use stream::Stream;
pub use trace::Trace;
pub use trajectory::{Point, Trajectory};
pub use verdict::{FailOn, Finding, Gate, InvalidGate, Verdict};
