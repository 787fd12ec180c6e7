//! auth-service v2.

use std::process::ExitCode;

use service_kit::Version;

fn main() -> ExitCode {
    auth_service::main(Version::V2)
}
