//! `local-mesh`: an Istio mesh on one machine, without a cluster.

use std::process::ExitCode;

fn main() -> ExitCode {
    local_mesh::cli::run()
}
