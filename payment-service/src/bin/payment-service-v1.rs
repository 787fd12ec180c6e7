//! payment-service v1.

use std::process::ExitCode;

use service_kit::Version;

fn main() -> ExitCode {
    payment_service::main(Version::V1)
}
