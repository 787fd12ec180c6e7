//! An embedded data plane with Istio's semantics, and what is needed to use it on one machine: a command line like
//! kubectl's, a mini kubelet, an admin API.
//!
//! The way of a manifest: [`cli`] reads files, `mesh-config` understands them, the control plane decides what has to
//! listen and to run, the kubelet runs it, [`proxy`] routes.

mod admin;
pub mod cli;
mod control;
mod exchange;
mod guard;
mod kubelet;
mod notice;
pub mod proxy;
