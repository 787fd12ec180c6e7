//! The data plane: what istiod and Envoy are in a cluster, for every workload, client and gateway of the mesh.
//!
//! One thread of its own with a current-thread runtime serves all connections, so that counters, balancers and
//! pools need no locks and behave as Envoy's do with one worker. Configuration comes as a whole ([`DataPlane::install`])
//! and is swapped between two polls of that thread: a request sees the old one or the new one, never a mixture.
//!
//! The way of a request: [`listener`] -> [`request`] (what the client wants) -> [`exchange`] (route) -> [`forward`]
//! ([`fault`], [`cors`], draw, cluster) -> [`tries`] (endpoint, [`mirror`], connection, retries) -> [`response`]
//! (headers, body, access log line).

mod access_log;
mod body;
mod cluster;
mod codec;
mod cors;
mod exchange;
mod facts;
mod fault;
mod flags;
mod forward;
mod hashing;
mod headers;
mod instead;
mod listener;
mod metrics;
mod mirror;
mod plane;
mod record;
mod refusal;
mod reply;
mod request;
mod response;
mod retry;
mod target;
mod tcp;
#[cfg(test)]
mod tests;
mod timeout;
mod tries;
mod upgrade;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use mesh_config::{Client, View};
use tokio::sync::{mpsc, oneshot};

/// How a data plane is set up for its whole life.
#[derive(Default)]
pub struct Options {
    /// Makes every draw (weights, endpoints, back-off, request ids) repeatable.
    pub seed: Option<u64>,
    /// Gets one line of JSON per request, flushed within 50 ms of its end.
    pub access_log: Option<Box<dyn io::Write + Send>>,
}

/// What one proxy does: who its client is, where it listens, what it knows of the mesh.
#[derive(Clone)]
pub struct ProxyConfig {
    /// Unique: a pod as `namespace/name`, `gateway`, a client of the command line.
    pub name: String,
    /// Who calls through it.
    pub client: Client,
    /// The mesh as this client sees it.
    pub view: Arc<View>,
    /// Where it accepts connections.
    pub listeners: Vec<Listener>,
}

/// A socket that a proxy serves.
#[derive(Clone)]
pub struct Listener {
    /// Bound, listening and non-blocking. The same `Arc` in the next installation keeps its connections.
    pub socket: Arc<TcpListener>,
    /// How the port is known that the client wants to reach.
    pub port: Dialled,
}

/// The service port that a client dials decides which route table applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialled {
    /// A transparent listener or a server of a gateway: always this port.
    Port(u16),
    /// A proxy in the client's `HTTP_PROXY`: the port of the request's URL or Host, 80 if it has none.
    OfRequest,
}

/// Handle to the data plane's thread.
#[derive(Clone)]
pub struct DataPlane {
    commands: mpsc::UnboundedSender<Command>,
}

/// What the handle asks of the thread.
enum Command {
    Install(Vec<ProxyConfig>, oneshot::Sender<()>),
    Metrics(oneshot::Sender<String>),
    Stop(Duration, oneshot::Sender<()>),
}

impl DataPlane {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system's, if it gives no thread or no runtime.
    pub fn start(options: Options) -> io::Result<DataPlane> {
        let (commands, received) = mpsc::unbounded_channel();
        plane::start(options, received)?;
        Ok(DataPlane { commands })
    }

    /// Takes over the whole desired state in one step: views are swapped, listeners that are not listed any more
    /// are closed, new ones accept. In force when this returns.
    pub async fn install(&self, proxies: Vec<ProxyConfig>) {
        self.ask(|done| Command::Install(proxies, done)).await;
    }

    /// Metrics in the text format of Prometheus, with Istio's names.
    pub async fn metrics(&self) -> String {
        self.ask(Command::Metrics).await.unwrap_or_default()
    }

    /// Stops accepting, lets requests in flight finish for at most `grace`, then ends the thread.
    pub async fn stop(&self, grace: Duration) {
        self.ask(|done| Command::Stop(grace, done)).await;
    }

    /// `None` once the thread has ended.
    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (sender, answer) = oneshot::channel();
        self.commands.send(command(sender)).ok()?;
        answer.await.ok()
    }
}
