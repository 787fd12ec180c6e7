//! Demo service: takes payments, asks auth-service on each, in two versions.
//!
//! The question to auth-service is the second hop, the one that a mesh routes between services. A payment is charged
//! once per `Idempotency-Key` and instance; the ledger that ensures it lives in memory. v2 differs in what a client can
//! see: a payment comes with its fees.

mod auth;
mod fees;
mod ledger;
mod order;
mod routes;
mod settings;

use std::process::ExitCode;

use actix_web::web::Data;
use service_kit::{Config, Service, Version};

pub use auth::{AuthClient, http_client};
pub use fees::Fees;
pub use ledger::{Charge, Entry, Ledger, Payment, Snapshot};
pub use order::{Currency, Order};
pub use settings::{AuthUrl, Settings};

/// Name of the Service, in `x-served-by` and in metrics.
pub const NAME: &str = "payment-service";

/// Payments that an instance remembers: about 30 MB, a quarter of what the manifests allow it.
const REMEMBERED: usize = 100_000;

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// See [`service_kit::StartError`].
    #[error(transparent)]
    Service(#[from] service_kit::StartError),
    /// The client for auth-service cannot be made; bad proxy variables are ignored, so this is about the system.
    #[error("cannot make an HTTP client: {0}; check the limits of this process and start again")]
    Client(#[from] reqwest::Error),
}

/// Binds to the address of `config`; `http` asks auth-service, see [`http_client`].
///
/// # Errors
/// When the address cannot be bound.
pub fn build(
    config: &Config,
    settings: &Settings,
    version: Version,
    http: reqwest::Client,
) -> Result<Service, StartError> {
    let auth = Data::new(AuthClient::new(http, &settings.auth_url));
    let ledger = Data::new(Ledger::new(REMEMBERED));
    let service = Service::build(NAME, version, config, move |service| {
        service
            .app_data(auth.clone())
            .app_data(ledger.clone())
            .configure(routes::routes);
    })?;
    Ok(service)
}

/// The body of both binaries; see [`service_kit::main`] for exit codes.
pub fn main(version: Version) -> ExitCode {
    service_kit::main(|config, settings| build(config, &settings, version, http_client().build()?))
}
