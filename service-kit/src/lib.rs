//! What the demo services share: configuration, probes, metrics, version report, faults, drain.
//!
//! A service is a name, a [`Version`] and its own routes; [`Service::build`] adds everything else and binds,
//! [`Service::run`] serves until it is told to stop. Services know nothing about the mesh: no weights, no other
//! versions, no retries that would hide what the mesh does.

pub mod config;
mod endpoints;
mod fault;
mod instance;
mod layer;
mod metrics;
mod problem;
mod process;
mod propagation;
mod server;

pub use config::{Config, InvalidConfig};
pub use endpoints::{get, resource};
pub use fault::Fault;
pub use instance::{Instance, Version};
pub use layer::{SERVED_BY, record_called};
pub use problem::{BODY_LIMIT, Problem};
pub use process::main;
pub use propagation::{bearer, forwarded};
pub use server::{Service, StartError};
