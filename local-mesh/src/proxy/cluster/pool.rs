//! Connections to one endpoint: HTTP/1.1, kept open between requests.
//!
//! Follows Envoy's `conn_pool_base.cc`: a request takes an idle connection; if there is none it waits in line (that is
//! `pending`) while a connection is made, as far as the cluster's limit allows; an endpoint without any connection may
//! always have one. The limit on active requests counts those that have a connection.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};

use super::gauge::Permit;
use super::host::{Active, Host};
use super::{Cluster, ConnectionPolicy};
use crate::proxy::body::RequestBody;
use crate::proxy::reply::Failure;

/// The connections of one endpoint.
pub(super) struct Pool {
    policy: ConnectionPolicy,
    /// The one used last is used next.
    idle: RefCell<Vec<Connection>>,
    waiting: RefCell<VecDeque<oneshot::Sender<Result<Connection, Failure>>>>,
    /// Open or being made.
    open: Cell<usize>,
    connecting: Cell<usize>,
    retired: Cell<bool>,
}

/// A connection that can carry one request at a time.
struct Connection {
    sender: SendRequest<RequestBody>,
    /// Since when it is idle; the task that drives the connection looks at this.
    idle: Rc<Cell<Option<Instant>>>,
    served: u32,
}

/// The right to send one request, with the connection for it.
pub(in crate::proxy) struct Lease {
    connection: Connection,
    cluster: Rc<Cluster>,
    host: Rc<Host>,
    _active: Active,
    _request: Permit,
}

/// What is given back when a connection is gone.
struct Slot {
    cluster: Rc<Cluster>,
    host: Rc<Host>,
    _permit: Permit,
}

impl Pool {
    pub(super) fn new(policy: ConnectionPolicy) -> Self {
        Pool {
            policy,
            idle: RefCell::default(),
            waiting: RefCell::default(),
            open: Cell::new(0),
            connecting: Cell::new(0),
            retired: Cell::new(false),
        }
    }

    /// Idle connections close now, others after their request.
    pub(super) fn retire(&self) {
        self.retired.set(true);
        self.idle.borrow_mut().clear();
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.borrow_mut();
        while let Some(connection) = idle.pop() {
            if !connection.sender.is_closed() {
                connection.idle.set(None);
                return Some(connection);
            }
        }
        None
    }

    /// To the first in line that still waits, else to the idle ones.
    fn offer(&self, mut connection: Connection) {
        while let Some(waiting) = self.waiting.borrow_mut().pop_front() {
            match waiting.send(Ok(connection)) {
                Err(Ok(back)) => connection = back,
                _ => return,
            }
        }
        if !self.retired.get() {
            connection.idle.set(Some(Instant::now()));
            self.idle.borrow_mut().push(connection);
        }
    }

    /// Everybody in line learns that no connection could be made.
    fn fail(&self, failure: &Failure) {
        let waiting = std::mem::take(&mut *self.waiting.borrow_mut());
        for one in waiting {
            // Who does not wait any more needs no answer.
            let _ = one.send(Err(failure.clone()));
        }
    }
}

/// A connection to the endpoint, from those at hand or a new one.
///
/// # Errors
/// [`Failure::Overflow`] at a limit, [`Failure::Connect`] and [`Failure::ConnectTimeout`].
pub(in crate::proxy) async fn lease(cluster: &Rc<Cluster>, host: &Rc<Host>) -> Result<Lease, Failure> {
    loop {
        let mut connection = match host.pool.take_idle() {
            Some(connection) => connection,
            None => in_line(cluster, host).await?,
        };
        let Some(request) = cluster.requests.enter() else {
            host.pool.offer(connection);
            return Err(Failure::Overflow);
        };
        // Not ready: the endpoint closed it just now, and the next one is tried.
        if connection.sender.ready().await.is_ok() {
            return Ok(Lease {
                connection,
                cluster: Rc::clone(cluster),
                host: Rc::clone(host),
                _active: host.begin(),
                _request: request,
            });
        }
    }
}

async fn in_line(cluster: &Rc<Cluster>, host: &Rc<Host>) -> Result<Connection, Failure> {
    let _pending = cluster.pending.enter().ok_or(Failure::Overflow)?;
    let (give, take) = oneshot::channel();
    host.pool.waiting.borrow_mut().push_back(give);
    connect_if_needed(cluster, host);
    take.await.unwrap_or(Err(Failure::Termination))
}

/// Makes connections for those in line, within the limit of the cluster.
fn connect_if_needed(cluster: &Rc<Cluster>, host: &Rc<Host>) {
    let pool = &host.pool;
    pool.waiting.borrow_mut().retain(|one| !one.is_closed());
    while pool.connecting.get() < pool.waiting.borrow().len() {
        if pool.open.get() > 0 && !cluster.connections.has_room() {
            return;
        }
        pool.open.set(pool.open.get() + 1);
        pool.connecting.set(pool.connecting.get() + 1);
        let slot = Slot {
            cluster: Rc::clone(cluster),
            host: Rc::clone(host),
            _permit: cluster.connections.force(),
        };
        tokio::task::spawn_local(connect(slot));
    }
}

async fn connect(slot: Slot) {
    let host = Rc::clone(&slot.host);
    let pool = &host.pool;
    let made = handshake(&host).await;
    pool.connecting.set(pool.connecting.get() - 1);
    match made {
        Ok((sender, connection)) => {
            let idle = Rc::new(Cell::new(None));
            tokio::task::spawn_local(drive(connection, Rc::clone(&idle), slot));
            pool.offer(Connection {
                sender,
                idle,
                served: 0,
            });
        }
        Err(failure) => {
            pool.fail(&failure);
            drop(slot);
        }
    }
}

type Driver = http1::Connection<TokioIo<TcpStream>, RequestBody>;

async fn handshake(host: &Host) -> Result<(SendRequest<RequestBody>, Driver), Failure> {
    let stream = timeout(
        host.pool.policy.connect_timeout,
        TcpStream::connect(host.address()),
    )
    .await
    .map_err(|_| Failure::ConnectTimeout)?
    .map_err(|error| Failure::refused(&error))?;
    // Without it small requests may wait for an acknowledgement; a socket that refuses works all the same.
    let _ = stream.set_nodelay(true);
    http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|_| Failure::Termination)
}

/// Drives a connection until it closes, or until it was idle for too long.
async fn drive(connection: Driver, idle: Rc<Cell<Option<Instant>>>, slot: Slot) {
    let limit = slot.host.pool.policy.idle_timeout;
    let mut connection = std::pin::pin!(connection);
    loop {
        let until = idle.get().unwrap_or_else(Instant::now) + limit;
        tokio::select! {
            biased;
            // How it ended is told to the request that was on it.
            _ = connection.as_mut() => return,
            () = sleep_until(until) => {
                if idle.get().is_some_and(|since| since + limit <= Instant::now()) {
                    // Dropping the connection closes the socket; whoever holds the sender finds it closed.
                    return;
                }
            }
        }
    }
}

impl Lease {
    /// Sends the request; gives it back if the connection was closed before any of it was written.
    pub(in crate::proxy) async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, Unsent> {
        let sent = self.connection.sender.try_send_request(request).await;
        sent.map_err(|mut error| match error.take_message() {
            Some(request) => Unsent::Back(Box::new(request)),
            None => Unsent::Failed(Failure::of_hyper(error.error())),
        })
    }

    /// Whether the connection was made for this request.
    pub(in crate::proxy) fn is_fresh(&self) -> bool {
        self.connection.served == 0
    }

    /// The answer was read to its end: the connection can carry another request.
    pub(in crate::proxy) fn release(self) {
        let Lease {
            mut connection,
            cluster,
            host,
            _active,
            _request,
        } = self;
        drop((_active, _request));
        connection.served += 1;
        let used_up = host
            .pool
            .policy
            .max_requests
            .is_some_and(|max| connection.served >= max);
        if !used_up && !connection.sender.is_closed() {
            host.pool.offer(connection);
        } else {
            drop(connection);
            connect_if_needed(&cluster, &host);
        }
    }
}

/// Why a request got no answer on its connection.
pub(in crate::proxy) enum Unsent {
    /// Nothing of it was written; here it is.
    Back(Box<Request<RequestBody>>),
    /// It may have reached the endpoint.
    Failed(Failure),
}

impl Drop for Slot {
    fn drop(&mut self) {
        let pool = &self.host.pool;
        pool.open.set(pool.open.get() - 1);
        let (cluster, host) = (Rc::clone(&self.cluster), Rc::clone(&self.host));
        // The permit goes after this; the next connection is made once there is room.
        tokio::task::spawn_local(async move { connect_if_needed(&cluster, &host) });
    }
}
