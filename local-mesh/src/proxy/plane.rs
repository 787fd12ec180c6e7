//! The data plane's thread: proxies, their configuration, and what they share.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use mesh_config::{Client, View};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::sync::{Notify, mpsc};
use tokio::task::{AbortHandle, LocalSet};

use super::access_log::AccessLog;
use super::cluster::Cluster;
use super::metrics::Metrics;
use super::{Command, Dialled, Listener, Options, ProxyConfig, listener};

/// One client's proxy.
pub(super) struct Proxy {
    pub(super) name: String,
    pub(super) client: Client,
    pub(super) shared: Rc<Shared>,
    config: RefCell<Rc<Config>>,
}

/// What a proxy knows: routes, and the clusters at work behind them.
#[derive(Default)]
pub(super) struct Config {
    pub(super) view: Arc<View>,
    /// By the index of the view's clusters.
    pub(super) clusters: Vec<Rc<Cluster>>,
}

/// What all proxies share.
pub(super) struct Shared {
    rng: RefCell<SmallRng>,
    pub(super) log: Option<Rc<AccessLog>>,
    pub(super) metrics: Metrics,
    in_flight: Rc<Requests>,
}

/// Requests that are not finished.
#[derive(Default)]
struct Requests {
    count: Cell<usize>,
    none: Notify,
}

/// One of them, until dropped.
pub(super) struct InFlight(Rc<Requests>);

impl Shared {
    pub(super) fn rng(&self) -> RefMut<'_, SmallRng> {
        self.rng.borrow_mut()
    }

    pub(super) fn random(&self) -> u64 {
        self.rng().random()
    }

    /// A new request id: a random UUID.
    pub(super) fn request_id(&self) -> HeaderValue {
        let id = uuid::Builder::from_random_bytes(self.rng().random()).into_uuid();
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let text = id.hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("-"))
    }

    pub(super) fn begin(&self) -> InFlight {
        self.in_flight.count.set(self.in_flight.count.get() + 1);
        InFlight(Rc::clone(&self.in_flight))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.count.set(self.0.count.get() - 1);
        if self.0.count.get() == 0 {
            self.0.none.notify_waiters();
        }
    }
}

impl Requests {
    async fn finished(&self) {
        loop {
            let none = self.none.notified();
            if self.count.get() == 0 {
                return;
            }
            none.await;
        }
    }
}

impl Proxy {
    /// The configuration of this moment.
    pub(super) fn config(&self) -> Rc<Config> {
        Rc::clone(&self.config.borrow())
    }

    /// Swaps in a view. Clusters whose policy stays keep their connections and ejections.
    fn install(&self, view: Arc<View>) {
        let old = self.config();
        if Arc::ptr_eq(&old.view, &view) {
            return;
        }
        let mut before: HashMap<String, &Rc<Cluster>> = old
            .clusters
            .iter()
            .map(|cluster| (cluster.spec().name.clone(), cluster))
            .collect();
        let clusters = view.clusters.iter().map(|spec| {
            let known = before.remove(&spec.name).filter(|cluster| {
                let continues = cluster.continues(spec);
                if !continues {
                    cluster.retire();
                }
                continues
            });
            match known {
                Some(cluster) => {
                    cluster.update(Arc::clone(spec));
                    Rc::clone(cluster)
                }
                None => Cluster::new(Arc::clone(spec)),
            }
        });
        let clusters = clusters.collect();
        before.values().for_each(|cluster| cluster.retire());
        *self.config.borrow_mut() = Rc::new(Config { view, clusters });
    }
}

/// A socket being served.
struct Serving {
    listener: Listener,
    proxy: Rc<Proxy>,
    task: AbortHandle,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Everything on the thread.
struct Plane {
    shared: Rc<Shared>,
    proxies: HashMap<String, Rc<Proxy>>,
    serving: Vec<Serving>,
}

/// Starts the thread, which ends after [`Command::Stop`] or when nobody holds the handle any more.
pub(super) fn start(options: Options, commands: mpsc::UnboundedReceiver<Command>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let thread = std::thread::Builder::new().name("data-plane".to_owned());
    thread.spawn(move || {
        LocalSet::new().block_on(&runtime, async move {
            match Plane::new(options) {
                Ok(plane) => plane.run(commands).await,
                Err(error) => tracing::error!("the data plane cannot start: {error}"),
            }
        });
    })?;
    Ok(())
}

impl Plane {
    fn new(options: Options) -> io::Result<Self> {
        let rng = options
            .seed
            .map_or_else(SmallRng::from_os_rng, SmallRng::seed_from_u64);
        Ok(Plane {
            shared: Rc::new(Shared {
                rng: RefCell::new(rng),
                log: options.access_log.map(AccessLog::start).transpose()?,
                metrics: Metrics::default(),
                in_flight: Rc::default(),
            }),
            proxies: HashMap::new(),
            serving: Vec::new(),
        })
    }

    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        // Whoever asked may have stopped waiting: an answer that nobody takes is no error.
        while let Some(command) = commands.recv().await {
            match command {
                Command::Install(proxies, done) => {
                    self.install(proxies);
                    let _ = done.send(());
                }
                Command::Metrics(done) => {
                    let _ = done.send(self.shared.metrics.encode());
                }
                Command::Stop(grace, done) => {
                    self.stop(grace).await;
                    let _ = done.send(());
                    return;
                }
            }
        }
    }

    /// Without waiting for anything in between, so that no request sees half of it.
    fn install(&mut self, wanted: Vec<ProxyConfig>) {
        let mut before = std::mem::take(&mut self.proxies);
        let mut serving = std::mem::take(&mut self.serving);
        self.shared.metrics.forget();
        for config in wanted {
            let known = before
                .remove(&config.name)
                .filter(|proxy| proxy.client == config.client);
            let proxy = known.unwrap_or_else(|| {
                Rc::new(Proxy {
                    name: config.name.clone(),
                    client: config.client.clone(),
                    shared: Rc::clone(&self.shared),
                    config: RefCell::default(),
                })
            });
            proxy.install(config.view);
            for listener in config.listeners {
                let same = |one: &Serving| {
                    Arc::ptr_eq(&one.listener.socket, &listener.socket)
                        && one.listener.port == listener.port
                        && Rc::ptr_eq(&one.proxy, &proxy)
                };
                match serving.iter().position(same) {
                    Some(index) => self.serving.push(serving.swap_remove(index)),
                    None => self.serving.extend(serve(listener, &proxy)),
                }
            }
            self.proxies.insert(config.name, proxy);
        }
        for gone in before.values() {
            gone.install(Arc::default());
        }
    }

    /// Stops accepting and waits for what is in flight.
    async fn stop(&mut self, grace: Duration) {
        self.serving.clear();
        // What is not finished by then is cut off.
        let _ = tokio::time::timeout(grace, self.shared.in_flight.finished()).await;
        if let Some(log) = &self.shared.log {
            log.close();
        }
    }
}

fn serve(listener: Listener, proxy: &Rc<Proxy>) -> Option<Serving> {
    let socket = listener
        .socket
        .try_clone()
        .and_then(tokio::net::TcpListener::from_std);
    match socket {
        Ok(socket) => {
            let dialled: Dialled = listener.port;
            let task = tokio::task::spawn_local(listener::accept(socket, Rc::clone(proxy), dialled));
            Some(Serving {
                listener,
                proxy: Rc::clone(proxy),
                task: task.abort_handle(),
            })
        }
        Err(error) => {
            tracing::error!("cannot serve a socket of {}: {error}", proxy.name);
            None
        }
    }
}
