//! Drives load, observes versions, judges the split against what the manifests declare.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod fold;
pub mod outcome;
pub mod stats;
