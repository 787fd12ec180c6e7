//! Connections to one endpoint, kept open between requests.
//!
//! Follows Envoy's `conn_pool_base.cc`: a request takes a connection that is free; if there is none it waits in line
//! (that is `pending`) while a connection is made, as far as the cluster's limit allows; an endpoint without any
//! connection may always have one. The limit on active requests counts those that have a connection. An HTTP/2
//! connection is free for any number of requests.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::sync::oneshot;

use super::connection::{self, Connection, InUse, Unsent};
use super::gauge::Permit;
use super::host::{Active, Host};
use super::{Cluster, ConnectionPolicy};
use crate::proxy::body::RequestBody;
use crate::proxy::reply::Failure;

/// The connections of one endpoint.
pub(super) struct Pool {
    policy: ConnectionPolicy,
    /// The one used last is used next. HTTP/2 connections stay here while they are in use.
    free: RefCell<Vec<Connection>>,
    waiting: RefCell<VecDeque<oneshot::Sender<Result<Taken, Failure>>>>,
    /// Open or being made.
    open: Cell<usize>,
    connecting: Cell<usize>,
    retired: Cell<bool>,
}

/// A connection with room for the request that took it.
type Taken = (Connection, InUse);

/// The right to send one request, with the connection for it.
pub(in crate::proxy) struct Lease {
    connection: Connection,
    cluster: Rc<Cluster>,
    host: Rc<Host>,
    in_use: InUse,
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
            free: RefCell::default(),
            waiting: RefCell::default(),
            open: Cell::new(0),
            connecting: Cell::new(0),
            retired: Cell::new(false),
        }
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        self.policy.connect_timeout
    }

    /// Idle connections close now, others after their request.
    pub(super) fn retire(&self) {
        self.retired.set(true);
        self.free.borrow_mut().clear();
    }

    fn take_free(&self, host: &Rc<Host>) -> Option<Taken> {
        let mut free = self.free.borrow_mut();
        free.retain(|connection| !connection.is_closed() && !self.is_used_up(connection));
        let room = |connection: &Connection| connection.has_room(self.policy.max_streams);
        let index = free.iter().rposition(room)?;
        let connection = match free[index].share() {
            Some(shared) => shared,
            None => free.swap_remove(index),
        };
        let in_use = connection.begin(host);
        Some((connection, in_use))
    }

    fn is_used_up(&self, connection: &Connection) -> bool {
        let max = self.policy.max_requests;
        connection.is_old() || max.is_some_and(|max| connection.served() >= max)
    }

    /// To those in line that still wait (one, or as many as it has room for in HTTP/2), else to the free ones.
    fn offer(&self, connection: Connection, host: &Rc<Host>) {
        self.free.borrow_mut().push(connection);
        self.serve_waiting(host);
        if self.retired.get() {
            self.free.borrow_mut().clear();
        }
    }

    /// Gives what is free to those in line.
    pub(super) fn serve_waiting(&self, host: &Rc<Host>) {
        while !self.waiting.borrow().is_empty() {
            let Some(taken) = self.take_free(host) else { return };
            let first = self.waiting.borrow_mut().pop_front();
            if let Some(Err(Ok((back, in_use)))) = first.map(|first| first.send(Ok(taken))) {
                self.put_back(back);
                drop(in_use);
            }
        }
    }

    /// Among the free ones, where a shared one is already.
    fn put_back(&self, connection: Connection) {
        if connection.share().is_none() {
            self.free.borrow_mut().push(connection);
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

    /// How many connections should be on their way for those in line.
    fn needed(&self) -> usize {
        let waiting = self.waiting.borrow().len();
        if self.policy.http2 {
            waiting.min(1)
        } else {
            waiting
        }
    }
}

/// A connection to the endpoint, from those at hand or a new one.
///
/// # Errors
/// [`Failure::Overflow`] at a limit, [`Failure::Connect`] and [`Failure::ConnectTimeout`].
pub(in crate::proxy) async fn lease(cluster: &Rc<Cluster>, host: &Rc<Host>) -> Result<Lease, Failure> {
    loop {
        let (mut connection, in_use) = match host.pool.take_free(host) {
            Some(taken) => taken,
            None => in_line(cluster, host).await?,
        };
        let Some(request) = cluster.requests.enter() else {
            host.pool.put_back(connection);
            drop(in_use);
            return Err(Failure::Overflow);
        };
        // Not ready: the endpoint closed it just now, and the next one is tried.
        if connection.ready().await {
            host.detector.connected();
            return Ok(Lease {
                connection,
                cluster: Rc::clone(cluster),
                host: Rc::clone(host),
                in_use,
                _active: host.begin(),
                _request: request,
            });
        }
    }
}

async fn in_line(cluster: &Rc<Cluster>, host: &Rc<Host>) -> Result<Taken, Failure> {
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
    while pool.connecting.get() < pool.needed() {
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
    let made = connection::connect(&host, pool.policy).await;
    pool.connecting.set(pool.connecting.get() - 1);
    match made {
        Ok((connection, driver)) => {
            let (usage, policy) = (connection.usage(), pool.policy);
            let cluster = Rc::clone(&slot.cluster);
            tokio::task::spawn_local(async move {
                driver.run(usage, policy).await;
                drop(slot);
            });
            pool.offer(connection, &host);
            // Those for whom it had no room.
            connect_if_needed(&cluster, &host);
        }
        Err(failure) => {
            pool.fail(&failure);
            drop(slot);
        }
    }
}

impl Lease {
    /// Sends the request; gives it back if the connection was closed before any of it was written.
    pub(in crate::proxy) async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, Unsent> {
        self.connection.send(request).await
    }

    /// The proxy's own address on the connection.
    pub(in crate::proxy) fn local(&self) -> SocketAddr {
        self.connection.local()
    }

    /// Whether the connection was made for this request.
    pub(in crate::proxy) fn is_fresh(&self) -> bool {
        self.connection.served() == 0
    }

    /// The answer was read to its end: the connection can carry another request.
    pub(in crate::proxy) fn release(self) {
        let Lease {
            connection,
            cluster,
            host,
            in_use,
            _active,
            _request,
        } = self;
        drop((_active, _request));
        in_use.served();
        if host.pool.is_used_up(&connection) || connection.is_closed() {
            drop(connection);
            connect_if_needed(&cluster, &host);
        } else if connection.share().is_none() {
            host.pool.offer(connection, &host);
        }
    }
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
