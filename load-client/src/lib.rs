//! Drives load, observes versions, judges the split against what the manifests declare.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod expect;
pub mod fold;
pub mod judge;
pub mod load;
pub mod outcome;
pub mod progress;
pub mod report;
pub mod run;
pub mod stats;
pub mod token;
pub mod version;
