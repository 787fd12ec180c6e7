//! Tests over the built program: `local-mesh up` and its verbs, with `examples/backend.rs` as the workload.
#![allow(clippy::unwrap_used, missing_docs)]

/// `test`.
mod cases;
/// `up -- COMMAND`.
mod command;
/// Selectors, names, forwarded ports, deleted pods.
mod kubectl;
/// Gateway and clients: addresses that come and go.
mod listeners;
/// `kill -9`, and what is left: nothing.
mod orphans;
/// `plan`.
mod planning;
/// Pods: environment, probes, restarts, rollouts.
mod pods;
/// What `up` refuses.
mod refusals;
/// The compiled tables of a client.
mod tables;
/// Verbs against a running mesh.
mod verbs;

/// A mesh to play with.
mod kit;
