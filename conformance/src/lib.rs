//! Replays what real istiod and Envoy were seen to do against a real `local-mesh` process, over sockets.
//!
//! ```text
//! case file -> Case -> workloads listen, local-mesh up -> steps: send, apply, delete, wait -> Observed
//!           -> compare with what was recorded -> Verdict -> report
//! ```
//!
//! The judging (`observe`, `compare`, `statistics`) is pure; everything that touches a socket or a process is in
//! `client`, `workload` and `mesh`. README.md in this folder says where the cases come from.

pub mod case;
pub mod client;
pub mod compare;
pub mod corpus;
pub mod known;
pub mod mesh;
pub mod observe;
pub mod place;
pub mod replay;
pub mod report;
pub mod run;
pub mod schedule;
pub mod statistics;
pub mod steady;
pub mod wire;
pub mod workload;
