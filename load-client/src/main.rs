//! The load client's command line. Exit codes: 0 what was declared holds (or the run is done), 1 it does not, 2 it
//! could not be measured.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
