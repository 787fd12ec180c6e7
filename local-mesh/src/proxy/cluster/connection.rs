//! One connection to an endpoint: how it is made, driven and sent on, in HTTP/1.1 or HTTP/2.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use super::ConnectionPolicy;
use super::host::Host;
use super::socket::{NextTarget, Socket};
use crate::proxy::body::RequestBody;
use crate::proxy::reply::Failure;
use crate::proxy::target::OddTarget;

/// A connection as one request uses it. In HTTP/2 several requests share one.
pub(super) struct Connection {
    sender: Sender,
    usage: Rc<Usage>,
}

enum Sender {
    Http1(http1::SendRequest<RequestBody>, NextTarget),
    Http2(http2::SendRequest<RequestBody>),
}

/// What is known of a connection besides its bytes.
pub(super) struct Usage {
    opened: Instant,
    /// The proxy's own address.
    local: SocketAddr,
    /// Older than `maxConnectionDuration`: closed once nothing is on it.
    old: Cell<bool>,
    /// Requests on it right now.
    active: Cell<u32>,
    served: Cell<u32>,
    /// Since when nothing is on it; the task that drives the connection looks at this.
    idle: Cell<Option<Instant>>,
}

/// A request on a connection, until dropped.
pub(super) struct InUse {
    usage: Rc<Usage>,
    host: Rc<Host>,
}

/// Why a request got no answer on its connection.
pub(in crate::proxy) enum Unsent {
    /// Nothing of it was written; here it is.
    Back(Box<Request<RequestBody>>),
    /// It may have reached the endpoint.
    Failed(Failure),
}

impl Connection {
    /// Another handle to the same connection, if it can carry several requests.
    pub(super) fn share(&self) -> Option<Self> {
        match &self.sender {
            Sender::Http1(..) => None,
            Sender::Http2(sender) => Some(Connection {
                sender: Sender::Http2(sender.clone()),
                usage: Rc::clone(&self.usage),
            }),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        match &self.sender {
            Sender::Http1(sender, _) => sender.is_closed(),
            Sender::Http2(sender) => sender.is_closed(),
        }
    }

    /// Waits until it takes a request; false when it was closed instead.
    pub(super) async fn ready(&mut self) -> bool {
        match &mut self.sender {
            Sender::Http1(sender, _) => sender.ready().await.is_ok(),
            Sender::Http2(sender) => sender.ready().await.is_ok(),
        }
    }

    /// Counts a request as being on it.
    pub(super) fn begin(&self, host: &Rc<Host>) -> InUse {
        self.usage.active.set(self.usage.active.get() + 1);
        self.usage.idle.set(None);
        InUse {
            usage: Rc::clone(&self.usage),
            host: Rc::clone(host),
        }
    }

    /// Whether it can carry one more request besides those on it.
    pub(super) fn has_room(&self, max_streams: u32) -> bool {
        self.usage.active.get() < max_streams
    }

    /// Whether it is only kept for the requests on it.
    pub(super) fn is_old(&self) -> bool {
        self.usage.old.get()
    }

    /// The proxy's own address on it.
    pub(super) fn local(&self) -> SocketAddr {
        self.usage.local
    }

    /// Requests it has carried to their end.
    pub(super) fn served(&self) -> u32 {
        self.usage.served.get()
    }

    pub(super) async fn send(&mut self, request: Request<RequestBody>) -> Result<Response<Incoming>, Unsent> {
        let sent = match &mut self.sender {
            Sender::Http1(sender, next) => {
                if let Some(odd) = request.extensions().get::<OddTarget>() {
                    next.set(odd.clone());
                }
                sender.try_send_request(request).await
            }
            Sender::Http2(sender) => sender.try_send_request(request).await,
        };
        sent.map_err(unsent)
    }
}

fn unsent(mut error: TrySendError<Request<RequestBody>>) -> Unsent {
    match error.take_message() {
        Some(request) => Unsent::Back(Box::new(request)),
        None => Unsent::Failed(Failure::of_hyper(error.error())),
    }
}

impl InUse {
    /// The request got its whole answer.
    pub(super) fn served(self) {
        self.usage.served.set(self.usage.served.get() + 1);
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let active = self.usage.active.get() - 1;
        self.usage.active.set(active);
        if active == 0 {
            self.usage.idle.set(Some(Instant::now()));
        }
        // Of HTTP/2 there is room now for one more.
        self.host.pool.serve_waiting(&self.host);
    }
}

/// What drives a connection: to be polled until it ends.
pub(super) enum Driver {
    Http1(Box<http1::Connection<Socket, RequestBody>>),
    Http2(http2::Connection<TokioIo<TcpStream>, RequestBody, OnThisThread>),
}

/// Connects and agrees on the protocol.
///
/// # Errors
/// [`Failure::Connect`] and [`Failure::ConnectTimeout`].
pub(super) async fn connect(host: &Host, policy: ConnectionPolicy) -> Result<(Connection, Driver), Failure> {
    let stream = host.connect().await.map_err(|error| Failure::refused(&error))?;
    let local = stream.local_addr().map_err(|error| Failure::refused(&error))?;
    let (sender, driver) = if policy.http2 {
        let io = TokioIo::new(stream);
        let (sender, driver) = http2::handshake(OnThisThread, io).await.map_err(lost)?;
        (Sender::Http2(sender), Driver::Http2(driver))
    } else {
        let (socket, next) = Socket::new(stream);
        let (sender, driver) = http1::handshake(socket).await.map_err(lost)?;
        (Sender::Http1(sender, next), Driver::Http1(Box::new(driver)))
    };
    let now = Instant::now();
    let connection = Connection {
        sender,
        usage: Rc::new(Usage {
            opened: now,
            local,
            old: Cell::new(false),
            active: Cell::new(0),
            served: Cell::new(0),
            idle: Cell::new(Some(now)),
        }),
    };
    Ok((connection, driver))
}

fn lost(_: hyper::Error) -> Failure {
    Failure::Termination
}

impl Driver {
    /// Until the connection closes, until nothing was on it for `idleTimeout`, or until nothing is on it and it is older
    /// than `maxConnectionDuration`.
    pub(super) async fn run(self, usage: Rc<Usage>, policy: ConnectionPolicy) {
        // How it ended is told to the requests that were on it.
        match self {
            Driver::Http1(connection) => {
                until_idle(connection.with_upgrades(), &usage, policy).await;
            }
            Driver::Http2(connection) => until_idle(connection, &usage, policy).await,
        }
    }
}

/// Dropping the connection closes the socket; whoever holds a sender finds it closed.
async fn until_idle<T>(connection: impl Future<Output = T>, usage: &Usage, policy: ConnectionPolicy) {
    let mut connection = std::pin::pin!(connection);
    loop {
        tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            () = sleep_until(usage.look_again(policy)) => {
                if usage.is_over(policy) {
                    return;
                }
            }
        }
    }
}

impl Usage {
    fn look_again(&self, policy: ConnectionPolicy) -> Instant {
        let idle = self.idle.get().unwrap_or_else(Instant::now) + policy.idle_timeout;
        let max = policy.max_duration.filter(|_| !self.old.get());
        max.map_or(idle, |max| idle.min(self.opened + max))
    }

    fn is_over(&self, policy: ConnectionPolicy) -> bool {
        let now = Instant::now();
        if policy.max_duration.is_some_and(|max| self.opened + max <= now) {
            self.old.set(true);
        }
        let idle = self.idle.get();
        idle.is_some_and(|since| self.old.get() || since + policy.idle_timeout <= now)
    }
}

impl Connection {
    /// For the task that drives the connection.
    pub(super) fn usage(&self) -> Rc<Usage> {
        Rc::clone(&self.usage)
    }
}

/// Runs what HTTP/2 needs beside the connection itself.
#[derive(Clone, Copy)]
pub(super) struct OnThisThread;

impl<F: Future + 'static> Executor<F> for OnThisThread {
    fn execute(&self, task: F) {
        tokio::task::spawn_local(async move {
            task.await;
        });
    }
}
