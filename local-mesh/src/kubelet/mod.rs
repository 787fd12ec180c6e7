//! A mini kubelet: pods as processes.
//!
//! A pod is one container of a Deployment's template, run as a process under guard. It gets a port of its own, is
//! probed, and is started again with growing pauses when it ends. What it reports ([`Report`]) is in force before it
//! goes on, so that a pod that is no longer ready gets no new request before it is told to stop.

mod backoff;
mod environment;
mod health;
mod logs;
mod name;
mod pod;
mod port;
mod program;

pub(crate) use environment::{Identity, fixed_port, unknown_fields};
pub(crate) use logs::Logs;
pub(crate) use name::{pod_name, template_hash};
pub(crate) use pod::{Phase, PodHandle, PodPlan, PodStatus, Report, start};
pub(crate) use program::{Program, ProgramFinder};
