//! auth-service v1.

use std::process::ExitCode;

use service_kit::Version;

fn main() -> ExitCode {
    auth_service::main(Version::V1)
}
