//! Drives load, observes versions, judges the split against what the manifests declare.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod ask;
pub mod cause;
pub mod dashboard;
pub mod doctor;
pub mod expect;
pub mod fold;
pub mod forecast;
pub mod judge;
pub mod latency;
pub mod load;
pub mod mesh_state;
pub mod outcome;
pub mod progress;
pub mod reconcile;
mod referee;
pub mod report;
pub mod rollout;
pub mod run;
mod settle;
pub mod shard;
pub mod stats;
pub mod token;
pub mod verify;
pub mod version;
mod wrap;
