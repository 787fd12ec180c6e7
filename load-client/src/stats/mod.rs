//! The verdict on a traffic split, valid at every look.
//!
//! One object carries everything: a spike-and-slab e-process on the counts of the versions ([`evidence`]), and the
//! confidence set that it defines ([`interval`]). Whoever looks after every request and stops when pleased still has
//! the stated error rates, which a chi-square test repeated until it says something does not have (Lindon and Malek,
//! NeurIPS 2022, arXiv 2011.03567; the prior here is a mixture over concentrations with half of its mass on the
//! declared split). Logarithms are natural.
//!
//! Everything is a pure function of counts: no clock, no randomness, no I/O.

pub mod change;
pub mod detect;
pub mod evidence;
mod gamma;
pub mod interval;
pub mod plan;
pub mod split;
pub mod stream;
mod unattributed;
pub mod verdict;

pub use change::{ChangePoint, change_point};
pub use detect::Detector;
pub use gamma::ln_gamma;
pub use interval::Interval;
pub use split::{InvalidSplit, Split};
pub use stream::Stream;
pub use verdict::{FailOn, Finding, Gate, InvalidGate, Verdict};
