//! Demo service: issues and verifies tokens, in two versions.
//!
//! A token is signed with a key that all instances share, so any instance of any version verifies what any other one
//! issued; nothing is stored. v2 differs in what a client can see: it also says what the token allows (`scopes`).

mod routes;
mod settings;
mod token;

use std::process::ExitCode;

use actix_web::web::Data;
use service_kit::{Config, Service, StartError, Version};

pub use settings::Settings;
pub use token::{Claims, InvalidToken, LIFETIME, Signer};

/// Name of the Service, in `x-served-by` and in metrics.
pub const NAME: &str = "auth-service";

/// Binds to the address of `config`; see [`Service::run`] for the rest.
///
/// # Errors
/// When the address cannot be bound.
pub fn build(config: &Config, settings: Settings, version: Version) -> Result<Service, StartError> {
    let signer = Data::new(settings.token_key);
    Service::build(NAME, version, config, move |service| {
        service.app_data(signer.clone()).configure(routes::routes);
    })
}

/// The body of both binaries; see [`service_kit::main`] for exit codes.
pub fn main(version: Version) -> ExitCode {
    service_kit::main(|config, settings| build(config, settings, version))
}
