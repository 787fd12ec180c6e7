//! One endpoint of a cluster.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use mesh_config::{ClusterPolicy, Endpoint};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::ConnectionPolicy;
use super::outlier::Detector;
use super::pool::Pool;

/// An endpoint with its connections and what is remembered of its answers.
pub(in crate::proxy) struct Host {
    address: SocketAddr,
    endpoint: RefCell<Rc<Endpoint>>,
    /// When it joined.
    since: Instant,
    /// Requests on their way to it.
    pub(super) active: Cell<u32>,
    pub(super) pool: Pool,
    pub(super) detector: Detector,
}

/// A request on its way to a host; counts as active until dropped.
pub(in crate::proxy) struct Active(Rc<Host>);

impl Host {
    pub(super) fn new(endpoint: &Endpoint, policy: &ClusterPolicy) -> Rc<Self> {
        Rc::new(Host {
            address: endpoint.address,
            endpoint: RefCell::new(Rc::new(endpoint.clone())),
            since: Instant::now(),
            active: Cell::new(0),
            pool: Pool::new(ConnectionPolicy::from(policy)),
            detector: Detector::default(),
        })
    }

    pub(super) fn update(&self, endpoint: &Endpoint) {
        if **self.endpoint.borrow() != *endpoint {
            *self.endpoint.borrow_mut() = Rc::new(endpoint.clone());
        }
    }

    /// It left the cluster.
    pub(super) fn retire(&self) {
        self.pool.retire();
    }

    /// Where it listens.
    pub(in crate::proxy) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Workload, labels, weight.
    pub(in crate::proxy) fn endpoint(&self) -> Rc<Endpoint> {
        Rc::clone(&self.endpoint.borrow())
    }

    /// When it joined the cluster.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Ready and not ejected.
    pub(super) fn is_healthy(&self) -> bool {
        self.endpoint.borrow().healthy && !self.detector.is_ejected()
    }

    /// A socket connected to it, within `connectTimeout`.
    pub(in crate::proxy) async fn connect(&self) -> io::Result<TcpStream> {
        let stream = timeout(self.pool.connect_timeout(), TcpStream::connect(self.address)).await??;
        // Without it small requests may wait for an acknowledgement; a socket that refuses works all the same.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    pub(in crate::proxy) fn begin(self: &Rc<Self>) -> Active {
        self.active.set(self.active.get() + 1);
        Active(Rc::clone(self))
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.set(self.0.active.get() - 1);
    }
}
