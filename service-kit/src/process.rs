//! The body of each binary: variables in, exit code out.

use std::error::Error;
use std::fmt::Debug;
use std::future::Future;
use std::io::{self, Write as _};
use std::process::ExitCode;

use serde::de::DeserializeOwned;
use tokio::signal::unix::{SignalKind, signal};

use crate::{Config, Service, config};

/// Reads the `APP_*` variables, starts the log, builds the service and serves until SIGTERM or SIGINT.
///
/// Exit code 0 after a signal, 1 when serving breaks, 2 when it cannot start: a bad variable, an address in use.
pub fn main<T, E>(build: impl FnOnce(&Config, T) -> Result<Service, E>) -> ExitCode
where
    T: DeserializeOwned + Debug,
    E: Error + 'static,
{
    actix_web::rt::System::new().block_on(async {
        let (service, shutdown) = match start(build) {
            Ok(started) => started,
            Err(error) => return end_with(2, error.as_ref()),
        };
        match service.run(shutdown).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => end_with(1, &error),
        }
    })
}

fn start<T, E>(
    build: impl FnOnce(&Config, T) -> Result<Service, E>,
) -> Result<(Service, impl Future<Output = ()>), Box<dyn Error>>
where
    T: DeserializeOwned + Debug,
    E: Error + 'static,
{
    // First, so that a signal during the start is not lost, nor ends the process without a drain.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
    let variables = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
    let (config, settings) = config::read::<T>(variables)?;
    tracing_subscriber::fmt()
        .json()
        .with_writer(io::stderr)
        .with_max_level(config.log)
        .init();
    tracing::info!(?config, ?settings, "starting");
    let service = build(&config, settings)?;
    tracing::info!(addr = %service.addr(), "listening");
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    Ok((service, shutdown))
}

fn end_with(code: u8, error: &dyn Error) -> ExitCode {
    // Nothing is left to be done when standard error is closed.
    let _ = writeln!(io::stderr(), "error: {error}");
    ExitCode::from(code)
}
