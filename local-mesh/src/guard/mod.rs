//! Children that cannot outlive local-mesh.
//!
//! Every process that local-mesh starts runs under a guard: local-mesh itself, executed again. The two are connected
//! by a lifeline, a socket. When the lifeline closes, because local-mesh asked for it or because it died, be it by
//! `kill -9`, the guard kills the child and everything the child started. Should the guard itself be killed, the
//! kernel kills the child (parent-death signal) and local-mesh the rest of the process group.
//!
//! ```text
//! local-mesh ──lifeline──> guard (leads the group, reaps orphans) ──> child
//! ```
//!
//! The guard writes lines (`pid 42`, then `exit 3` or `signal 9`) and reads orders, one byte each ([`TERMINATE`]).
//! Its standard streams are the child's.

mod launch;
mod process;
mod tree;

pub(crate) use launch::{Guarded, Launch, LaunchError, Streams};
pub(crate) use process::{execute, watch};

/// Order to send SIGTERM to the child.
const TERMINATE: u8 = b'T';

/// The running program, even if its file was replaced since it started.
const OURSELVES: &str = "/proc/self/exe";

/// `argv[0]` of guards, for those who look at the process table.
const NAME: &str = "local-mesh";
