//! The lab from outside: scenarios on a target, and what holds for manifests, workspace and README.
#![allow(clippy::unwrap_used, missing_docs)]

mod browser; // pages in a real browser
mod cluster; // every scenario on a cluster
mod in_mesh; // scripts/in-mesh
mod lifecycle; // how local-mesh starts and ends
mod local; // every scenario on local-mesh
mod manifests; // what holds for the files
mod pod_security; // our own pods keep to the restricted standard
mod readme; // the commands of README.md
mod relay; // dialling from inside a pod
mod scenario; // what must hold on any target
mod security; // what must be refused on a cluster
mod workspace; // crates, Makefile, CI
