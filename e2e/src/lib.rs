//! The kit of the end-to-end tests: the lab's programs and manifests, targets, and load that counts every failure.
//!
//! A scenario is written against [`Target`] and knows nothing of how the mesh came to be. [`LocalMesh`] is the target
//! without a cluster, [`Cluster`] is kind with Istio. [`scenario`] holds those that people run, too. The programs are used as programs, from `target/release`, never as libraries: what a person
//! runs is what is tested.

mod call;
mod cluster;
mod forward;
mod in_force;
mod kubectl;
mod lab;
mod load;
mod local;
mod logged;
mod mark;
pub mod parity;
mod port;
mod process;
mod rollout;
mod run;
pub mod scenario;
mod target;
mod wait;
mod way;

pub use call::{Answer, Call, Connection, Hop};
pub use cluster::Cluster;
pub use lab::{Lab, folder_with};
pub use load::{Load, Tally};
pub use local::LocalMesh;
pub use mark::unique;
pub use port::free_ports;
pub use process::Process;
pub use rollout::{Effort, rollout};
pub use run::{Ended, run, run_within};
pub use target::{Caller, Logged, Pod, Target};
pub use wait::until;
pub use way::Way;
