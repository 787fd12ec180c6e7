//! local-mesh, as a program: manifests in, access log out.

mod access_log;
pub mod manifests;
mod process;

pub use access_log::{AccessLog, Entry};
pub use process::{Mesh, MeshError, Outcome, Setup, Start, Verb};
