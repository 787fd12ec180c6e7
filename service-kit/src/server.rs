//! A service that listens, and how it ends.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::header::InvalidHeaderValue;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer};

use crate::problem::{json_config, path_config};
use crate::{Config, Instance, Version, endpoints, layer};

/// Istio's sidecar keeps an idle connection for an hour. A server that closes it earlier races with the next request on
/// it, and the client sees a 503 that nobody meant.
const KEEP_ALIVE: Duration = Duration::from_secs(65 * 60);

/// After the drain period, how many seconds requests in flight may still take.
const FINISH_SECONDS: u64 = 1;

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("cannot listen on {addr}: {source}; stop what listens there, or change APP_HOST or APP_PORT")]
    Bind {
        /// Where it should have listened.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The service's name does not fit into `x-served-by`.
    #[error("the name of this service does not fit into a header: {0}; use letters, digits and `-`")]
    Name(#[from] InvalidHeaderValue),
}

/// A service that is bound to its address and serves once it is [`run`](Service::run).
#[must_use = "a service answers nothing until it is run"]
pub struct Service {
    addr: SocketAddr,
    drain: Duration,
    instance: web::Data<Instance>,
    server: Server,
}

impl Service {
    /// Binds to the address of `config`. `service` is its name, such as `auth-service`; `routes` adds its own paths (see
    /// [`resource`](crate::resource)) and data, once per worker.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn build(
        service: &str,
        version: Version,
        config: &Config,
        routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> Result<Self, StartError> {
        let instance = web::Data::new(Instance::new(service, version, config)?);
        let shared = instance.clone();
        let app = move || {
            let shared = shared.clone();
            App::new()
                .app_data(shared.clone())
                .app_data(json_config())
                .app_data(path_config())
                .wrap(from_fn(move |request, next| {
                    layer::around(shared.clone(), request, next)
                }))
                .configure(endpoints::routes)
                .configure(routes.clone())
                .default_service(web::to(endpoints::not_found))
        };
        let addr = SocketAddr::new(config.host, config.port);
        let server = HttpServer::new(app)
            .workers(config.workers.get().into())
            .keep_alive(KEEP_ALIVE)
            .tcp_nodelay(true)
            .disable_signals()
            .shutdown_timeout(FINISH_SECONDS)
            .bind(addr)
            .map_err(|source| StartError::Bind { addr, source })?;
        let addr = server.addrs().first().copied().unwrap_or(addr);
        Ok(Self {
            addr,
            drain: config.drain(),
            instance,
            server: server.run(),
        })
    }

    /// Where it listens; the port is the real one, also when 0 was asked for.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves until `shutdown` resolves, then drains: `/readyz` fails at once, everything else is served for the drain
    /// period; after it nothing is accepted any more, and requests in flight may finish for another second.
    ///
    /// # Errors
    /// When the server breaks.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let Self {
            drain,
            instance,
            server,
            ..
        } = self;
        let handle = server.handle();
        let mut server = pin!(server);
        let drained = async {
            shutdown.await;
            instance.start_draining();
            tracing::info!(?drain, "told to stop: not ready any more, draining");
            tokio::time::sleep(drain).await;
        };
        tokio::select! {
            ended = &mut server => return ended,
            () = drained => {}
        }
        let (ended, ()) = tokio::join!(server, handle.stop(true));
        tracing::info!("stopped");
        ended
    }
}
